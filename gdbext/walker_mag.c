/* SPDX-License-Identifier: MIT */
/*
 * walker_mag.c - thread caches and magazines
 *
 * They stand where libumem has CPU caches and, for malloc, lists of each
 * thread; so the walkers of CPU caches are there to say so.
 *
 * Layer: see walker.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "walker.h"

int
walker_no_cpu(struct walker_run *r)
{
	return error_set(r->ctx->err, UMDB_ENOTFOUND, 0,
	    "there are no CPU caches: each thread has a cache of its own; "
	    "see the walker thread_cache");
}

int
walker_thread_cache(struct walker_run *r)
{
	const struct snap *snap = r->ctx->snap;
	uint32_t i;

	for (i = 0; i < snap->ntcache; i++)
		if ((r->addr == 0 || r->addr == snap->tcache[i].addr) &&
		    walker_give(r, snap->tcache[i].addr) == WALK_STOP)
			break;
	return UMDB_OK;
}

/* ------------------------------------------------------------- magazines */

static int
give_magazine(struct snap *snap, const struct mag_found *mag, void *arg)
{
	(void)snap;
	return walker_give(arg, mag->addr);
}

/* From a cache, from a thread cache, or all. */
int
walker_magazine(struct walker_run *r)
{
	return walker_fail(r,
	    walk_magazines(r->ctx->snap, r->cache, r->addr, give_magazine, r));
}

/* What a magazine at an address holds depends on who has it now. */
struct round_search {
	struct walker_run *r;
	bool found;
};

static int
give_round(struct snap *snap, taddr_t buf, void *arg)
{
	(void)snap;
	return walker_give(arg, buf);
}

static int
search_magazine(struct snap *snap, const struct mag_found *mag, void *arg)
{
	struct round_search *s = arg;
	int rc;

	if (mag->addr != s->r->addr)
		return WALK_NEXT;
	s->found = true;
	rc = walk_rounds(snap, mag, give_round, s->r);
	return rc == UMDB_OK ? WALK_STOP : rc;
}

int
walker_round(struct walker_run *r)
{
	struct round_search s = {.r = r};
	int rc;

	rc = walk_magazines(r->ctx->snap, NULL, 0, search_magazine, &s);
	if (rc != UMDB_OK || s.found)
		return walker_fail(r, rc);
	return error_set(r->ctx->err, UMDB_ENOTFOUND, r->addr,
	    "0x%" PRIx64 " is no magazine in use", r->addr);
}

/* --------------------------------------------- a thread's buffers of a size */

/* Only what counts as the thread's: one may be met twice under way. */
static int
give_cached(struct snap *snap, taddr_t buf, void *arg)
{
	const struct snap_slab *s;
	uint32_t i;

	if (!snap_buf_at(snap, buf, &s, &i) || snap_buf_addr(s, i) != buf ||
	    snap_buf_state(snap, s, i) != BUF_FREE_THREAD)
		return WALK_NEXT;
	return walker_give(arg, buf);
}

static int
give_cached_in(struct snap *snap, const struct mag_found *mag, void *arg)
{
	struct walker_run *r = arg;
	int rc;

	rc = walk_rounds(snap, mag, give_cached, r);
	if (rc != UMDB_OK)
		return rc;
	return out_stopped(r->ctx->out) ? WALK_STOP : WALK_NEXT;
}

int
walker_ptc(struct walker_run *r)
{
	const char *size = r->name + strlen("umem_ptc_");
	struct snap *snap = r->ctx->snap;
	char name[UMEM_NAME_LEN + 16];
	uint32_t i;

	snprintf(name, sizeof(name), "umem_alloc_%.20s", size);
	for (i = 0; i < snap->ncache; i++)
		if (strcmp(snap->cache[i].c.cache_name, name) == 0)
			r->cache = &snap->cache[i];
	if (r->cache == NULL || r->cache->c.cache_bin == 0)
		return error_set(r->ctx->err, UMDB_ENOTFOUND, 0,
		    "threads keep no buffers of a cache %s", name);
	if (r->addr == 0)
		return walker_thread_free(r);
	return walker_fail(
	    r, walk_magazines(snap, r->cache, r->addr, give_cached_in, r));
}
