/* SPDX-License-Identifier: MIT */
/*
 * walker_buf.c - caches, slabs, buffers and their records
 *
 * All from the snapshot, whose index is exact in any state of the process:
 * each buffer is in one of four states, so umem, slab_free, depot and
 * thread_free meet every buffer once, all together.
 *
 * Layer: see walker.h.
 */
#include <string.h>

#include "walker.h"

#define FREE_STATES \
	(1u << BUF_FREE_SLAB | 1u << BUF_FREE_DEPOT | 1u << BUF_FREE_THREAD)

int
walker_caches(struct walker_run *r)
{
	const struct snap *snap = r->ctx->snap;
	uint32_t i;

	for (i = 0; i < snap->ncache; i++)
		if (walker_give(r, snap->cache[i].addr) == WALK_STOP)
			break;
	return UMDB_OK;
}

/* ----------------------------------------------------------------- slabs */

static bool
slab_has_free(const struct snap *snap, const struct snap_slab *s)
{
	uint32_t i;

	for (i = 0; i < s->nchunk; i++)
		if (snap_buf_state(snap, s, i) == BUF_FREE_SLAB)
			return true;
	return false;
}

/* The slabs of r->cache, or all; partial: 1 those, 0 the others, -1 any. */
static int
give_slabs(struct walker_run *r, int partial)
{
	const struct snap *snap = r->ctx->snap;
	const struct snap_slab *s;
	size_t i;

	for (i = 0; i < snap->nslab; i++) {
		s = &snap->slab[i];
		if (target_poll(snap->tgt, "slabs", i, snap->nslab))
			return walker_fail(r, UMDB_EINTR);
		if (r->cache != NULL && r->cache != &snap->cache[s->cache])
			continue;
		if (partial >= 0 && slab_has_free(snap, s) != (partial == 1))
			continue;
		if (walker_give(r, s->addr) == WALK_STOP)
			break;
	}
	return UMDB_OK;
}

int
walker_slabs(struct walker_run *r)
{
	int rc = give_slabs(r, 0);

	return rc == UMDB_OK ? give_slabs(r, 1) : rc;
}

int
walker_slabs_partial(struct walker_run *r)
{
	return give_slabs(r, 1);
}

int
walker_pagemap(struct walker_run *r)
{
	return give_slabs(r, -1);
}

/* --------------------------------------------------------------- buffers */

static int
give_buffer(struct snap *snap, const struct snap_slab *s, uint32_t index,
    enum buf_state state, void *arg)
{
	(void)snap;
	(void)state;
	return walker_give(arg, snap_buf_addr(s, index));
}

static int
give_buffers(struct walker_run *r, unsigned states)
{
	return walker_fail(
	    r, walk_buffers(r->ctx->snap, r->cache, states, give_buffer, r));
}

/*
 * Buffers of an arena's own caches lie in no slab: free ones in magazines, the
 * others are segments of the arena.
 */
struct give_rounds {
	struct walker_run *r;
	bool threads;
};

static int
give_round(struct snap *snap, taddr_t buf, void *arg)
{
	(void)snap;
	return walker_give(arg, buf);
}

int
walker_umem(struct walker_run *r)
{
	struct snap *snap = r->ctx->snap;
	int rc = give_buffers(r, 1u << BUF_ALLOCATED);
	uint32_t i;

	for (i = 0; i < snap->ncache && rc == UMDB_OK; i++) {
		const struct snap_cache *c = &snap->cache[i];

		if ((r->cache == NULL || r->cache == c) &&
		    (c->c.cache_cflags & UMC_QCACHE) != 0)
			rc = walker_fail(
			    r, walk_quantum(snap, c, give_round, r));
	}
	return rc;
}

static int
give_magazine(struct snap *snap, const struct mag_found *mag, void *arg)
{
	const struct give_rounds *g = arg;
	const bool thread =
	    mag->place == MAG_LOADED || mag->place == MAG_PREVIOUS;
	int rc;

	if (mag->cache == NULL || thread != g->threads ||
	    (mag->cache->c.cache_cflags & UMC_QCACHE) == 0)
		return WALK_NEXT;
	rc = walk_rounds(snap, mag, give_round, g->r);
	if (rc != UMDB_OK)
		return rc;
	return out_stopped(g->r->ctx->out) ? WALK_STOP : WALK_NEXT;
}

static int
give_segments(struct walker_run *r, bool threads)
{
	struct give_rounds g = {r, threads};

	return walker_fail(
	    r, walk_magazines(r->ctx->snap, r->cache, 0, give_magazine, &g));
}

int
walker_freemem(struct walker_run *r)
{
	int rc = give_buffers(r, FREE_STATES);

	if (rc == UMDB_OK)
		rc = give_segments(r, false);
	return rc == UMDB_OK ? give_segments(r, true) : rc;
}

int
walker_depot(struct walker_run *r)
{
	int rc = give_buffers(r, 1u << BUF_FREE_DEPOT);

	return rc == UMDB_OK ? give_segments(r, false) : rc;
}

int
walker_thread_free(struct walker_run *r)
{
	int rc = give_buffers(r, 1u << BUF_FREE_THREAD);

	return rc == UMDB_OK ? give_segments(r, true) : rc;
}

int
walker_slab_free(struct walker_run *r)
{
	const struct snap *snap = r->ctx->snap;
	const struct snap_slab *s = r->slab;
	uint32_t i;

	if (s == NULL)
		return give_buffers(r, 1u << BUF_FREE_SLAB);
	for (i = 0; i < s->nchunk; i++)
		if (snap_buf_state(snap, s, i) == BUF_FREE_SLAB &&
		    walker_give(r, snap_buf_addr(s, i)) == WALK_STOP)
			break;
	return UMDB_OK;
}

/* --------------------------------------------------------------- bufctls */

static int
give_record(struct snap *snap, const struct snap_slab *s, uint32_t index,
    enum buf_state state, void *arg)
{
	const taddr_t bufctl = snap_buf_bufctl(s, index);

	(void)snap;
	(void)state;
	return bufctl != 0 ? walker_give(arg, bufctl) : WALK_NEXT;
}

static int
give_records(struct walker_run *r, unsigned states)
{
	if (r->cache != NULL && r->cache->c.cache_bufctl_size == 0)
		out_note(r->ctx->out,
		    "cache %s keeps no bufctls: run the program with "
		    "UMEM_DEBUG=audit, or default",
		    r->cache->c.cache_name);
	return walker_fail(
	    r, walk_buffers(r->ctx->snap, r->cache, states, give_record, r));
}

int
walker_hash(struct walker_run *r)
{
	return give_records(r,
	    1u << BUF_ALLOCATED | 1u << BUF_FREE_DEPOT | 1u << BUF_FREE_THREAD);
}

int
walker_bufctl(struct walker_run *r)
{
	return give_records(r, 1u << BUF_ALLOCATED);
}

int
walker_freectl(struct walker_run *r)
{
	return give_records(r, FREE_STATES);
}
