/* SPDX-License-Identifier: MIT */
/*
 * walk_quantum.c - buffers of an arena's quantum caches
 *
 * They lie in no slab: each is a segment of the arena.  To the arena all of
 * them are allocated; those that stand in a magazine are free all the same.
 *
 * Layer: above snap.h; part of walk.h.
 */
#include "addrmap.h"
#include "walk.h"

struct quantum {
	const struct snap_cache *cache;
	struct addrmap idle; /* by address + 1: one may be 0 */
	walk_round_fn *fn;
	void *arg;
};

static int
idle_round(struct snap *snap, taddr_t buf, void *arg)
{
	struct quantum *q = arg;

	if (addrmap_put(&q->idle, buf + 1, 1) == UMDB_OK)
		return WALK_NEXT;
	return target_fail(snap->tgt, UMDB_ENOMEM, 0, "out of memory");
}

static int
idle_magazine(struct snap *snap, const struct mag_found *mag, void *arg)
{
	return walk_rounds(snap, mag, idle_round, arg);
}

static int
segment_handed_out(
    struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	const struct quantum *q = arg;

	(void)addr;
	if (seg->vs_end - seg->vs_start != q->cache->c.cache_bufsize ||
	    addrmap_get(&q->idle, seg->vs_start + 1) != ADDRMAP_NONE)
		return WALK_NEXT;
	return q->fn(snap, seg->vs_start, q->arg);
}

int
walk_quantum(struct snap *snap, const struct snap_cache *cache,
    walk_round_fn *fn, void *arg)
{
	struct quantum q = {.cache = cache, .fn = fn, .arg = arg};
	uint32_t i;
	int rc;

	rc = walk_magazines(snap, cache, 0, idle_magazine, &q);
	for (i = 0; i < snap->narena && rc == UMDB_OK; i++)
		if (snap->arena[i].addr == cache->c.cache_arena)
			rc = walk_segments(snap, &snap->arena[i],
			    VMEM_SEG_ALLOC, segment_handed_out, &q);
	addrmap_fini(&q.idle);
	return rc;
}

/* ------------------------------------------------------------ who holds one */

struct quantum_search {
	taddr_t buf;
	const struct mag_found *mag; /* the one that is looked at */
	struct mag_found *ret;
	bool found;
};

static int
round_is(struct snap *snap, taddr_t buf, void *arg)
{
	struct quantum_search *k = arg;

	(void)snap;
	if (buf != k->buf)
		return WALK_NEXT;
	*k->ret = *k->mag;
	k->found = true;
	return WALK_STOP;
}

static int
search_magazine(struct snap *snap, const struct mag_found *mag, void *arg)
{
	struct quantum_search *k = arg;

	k->mag = mag;
	(void)walk_rounds(snap, mag, round_is, k);
	return k->found ? WALK_STOP : WALK_NEXT;
}

const struct snap_cache *
walk_quantum_idle(struct snap *snap, const struct snap_arena *arena,
    const vmem_seg_t *seg, struct mag_found *ret)
{
	struct quantum_search k = {.buf = seg->vs_start, .ret = ret};
	uint32_t i;

	for (i = 0; i < snap->ncache; i++) {
		const struct snap_cache *c = &snap->cache[i];

		if ((c->c.cache_cflags & UMC_QCACHE) == 0 ||
		    c->c.cache_arena != arena->addr ||
		    c->c.cache_bufsize != seg->vs_end - seg->vs_start)
			continue;
		(void)walk_magazines(snap, c, 0, search_magazine, &k);
		if (k.found)
			return c;
	}
	return NULL;
}
