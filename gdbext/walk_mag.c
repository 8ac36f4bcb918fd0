/* SPDX-License-Identifier: MIT */
/*
 * walk_mag.c - magazines of a depot
 *
 * Layer: above snap.h; part of walk.h.
 */
#include <inttypes.h>

#include "walk.h"

int
walk_depot(struct snap *snap, const struct snap_cache *cache, bool full,
    walk_mag_fn *fn, void *arg)
{
	struct guard guard = {0};
	umem_magazine_t mag;
	taddr_t addr;
	int rc;

	addr = full ? cache->c.cache_magfull.ml_list
		    : cache->c.cache_magempty.ml_list;
	for (; addr != 0; addr = mag.mag_next) {
		if (guard_loops(&guard, addr))
			return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
			    "the list of %s magazines of cache %s loops at "
			    "%#" PRIx64,
			    full ? "full" : "empty", cache->c.cache_name, addr);
		if (target_poll(snap->tgt, "magazines", 0, 0))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		rc = snap_read_magazine(snap, addr, cache->addr, &mag);
		if (rc != UMDB_OK)
			return rc;
		rc = fn(snap, addr, &mag, arg);
		if (rc != WALK_NEXT)
			return rc == WALK_STOP ? UMDB_OK : rc;
	}
	return UMDB_OK;
}
