/* SPDX-License-Identifier: MIT */
/*
 * walk_slab.c - slabs as their cache's lists have them
 *
 * Other commands take slabs from the snapshot, that is from the page map;
 * this is for comparing the two.  The lists end with 0 and change under
 * cache_lock: while that is held the backward links may lag.
 *
 * Layer: above snap.h; part of walk.h.
 */
#include <inttypes.h>

#include "walk.h"

/* Does a slab belong where it was found? */
static int
slab_check(struct snap *snap, const struct snap_cache *cache, taddr_t addr,
    const umem_slab_t *sp, taddr_t prev)
{
	if (sp->slab_cache != cache->addr)
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "slab %#" PRIx64 " is on a list of cache %s but says it "
		    "belongs to %#" PRIx64,
		    addr, cache->c.cache_name, sp->slab_cache);
	if (sp->slab_prev != prev && cache->c.cache_lock.lk_word == 0)
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "slab %#" PRIx64 " follows %#" PRIx64
		    " on a list of cache %s but points back to %#" PRIx64,
		    addr, prev, cache->c.cache_name, sp->slab_prev);
	return UMDB_OK;
}

int
walk_slab_list(struct snap *snap, const struct snap_cache *cache, bool partial,
    walk_slab_fn *fn, void *arg)
{
	struct guard guard = {0};
	taddr_t addr, prev = 0;
	umem_slab_t sp;
	int rc;

	addr = partial ? cache->c.cache_partial : cache->c.cache_full;
	for (; addr != 0; prev = addr, addr = sp.slab_next) {
		if (guard_loops(&guard, addr))
			return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
			    "the list of %s slabs of cache %s loops at "
			    "%#" PRIx64,
			    partial ? "partial" : "full", cache->c.cache_name,
			    addr);
		if (target_poll(snap->tgt, "slabs", 0, 0))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		rc = target_read(snap->tgt, addr, &sp, sizeof(sp), "slab");
		if (rc == UMDB_EFAULT && prev != 0)
			return target_fail(snap->tgt, UMDB_EFAULT, addr,
			    "the list of %s slabs of cache %s breaks off: "
			    "%#" PRIx64 " links to %#" PRIx64
			    ", which cannot be read",
			    partial ? "partial" : "full", cache->c.cache_name,
			    prev, addr);
		if (rc != UMDB_OK)
			return rc;
		rc = slab_check(snap, cache, addr, &sp, prev);
		if (rc != UMDB_OK)
			return rc;
		rc = fn(snap, addr, &sp, arg);
		if (rc != WALK_NEXT)
			return rc == WALK_STOP ? UMDB_OK : rc;
	}
	return UMDB_OK;
}
