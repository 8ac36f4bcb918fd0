/* SPDX-License-Identifier: MIT */
/*
 * walk_buf.c - buffers, by cache and state
 *
 * Layer: above snap.h; part of walk.h.
 */
#include "walk.h"

/* The buffers of one slab.  Returns WALK_NEXT, WALK_STOP or an error. */
static int
buf_in_slab(struct snap *snap, const struct snap_slab *s, unsigned states,
    walk_buf_fn *fn, void *arg)
{
	uint32_t i;
	int rc;

	for (i = 0; i < s->nchunk; i++) {
		enum buf_state state = snap_buf_state(snap, s, i);

		if (!(states & 1u << state))
			continue;
		rc = fn(snap, s, i, state, arg);
		if (rc != WALK_NEXT)
			return rc;
	}
	return WALK_NEXT;
}

int
walk_buffers(struct snap *snap, const struct snap_cache *cache, unsigned states,
    walk_buf_fn *fn, void *arg)
{
	const struct snap_slab *s;
	size_t i;
	int rc;

	for (i = 0; i < snap->nslab; i++) {
		s = &snap->slab[i];
		if (cache != NULL && &snap->cache[s->cache] != cache)
			continue;
		if (target_poll(snap->tgt, "buffers", i, snap->nslab))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		rc = buf_in_slab(snap, s, states, fn, arg);
		if (rc != WALK_NEXT)
			return rc == WALK_STOP ? UMDB_OK : rc;
	}
	return UMDB_OK;
}
