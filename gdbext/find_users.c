/* SPDX-License-Identifier: MIT */
/*
 * find_users.c - the records of all audited buffers, and who holds the most
 *
 * Layer: see find_users.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "find_users.h"

#define NOBODY UINT32_MAX

bool
find_cache_is_clients(const struct snap_cache *c)
{
	return (c->c.cache_cflags & (UMC_INTERNAL | UMC_QCACHE)) == 0;
}

/* --------------------------------------------------------------- records */

struct audited_walk {
	const bool *wanted;
	find_audited_fn *fn;
	void *arg;
	struct snap_bufctl b;
};

static bool
audited_wants(const struct audited_walk *w, const struct snap *snap,
    const struct snap_slab *s)
{
	return w->wanted != NULL
		   ? w->wanted[s->cache]
		   : find_cache_is_clients(&snap->cache[s->cache]);
}

static int
audited_buffer(struct snap *snap, const struct snap_slab *s, uint32_t index,
    enum buf_state state, void *arg)
{
	struct audited_walk *w = arg;
	struct audited a = {.slab = s, .index = index, .state = state};
	const taddr_t addr = snap_buf_bufctl(s, index);

	if (addr == 0 || !audited_wants(w, snap, s))
		return WALK_NEXT;
	if (snap_read_bufctl(snap, addr, &w->b) != UMDB_OK) {
		snap_damaged(snap, addr, "%s", snap->tgt->err.msg);
		return WALK_NEXT;
	}
	if (w->b.bc.bc_kind == UMEM_BC_NEVER)
		return WALK_NEXT;
	if (!snap_bufctl_is_own(snap, s, index, &w->b))
		return WALK_NEXT;
	a.b = &w->b;
	a.size = w->b.bc.bc_size;
	if (state == BUF_ALLOCATED &&
	    (w->b.bc.bc_kind != UMEM_BC_ALLOC || a.size > s->bufsize))
		a.size = snap_buf_size(snap, s, index);
	return w->fn(snap, &a, w->arg);
}

int
find_audited(struct snap *snap, const bool *wanted, unsigned states,
    find_audited_fn *fn, void *arg)
{
	struct audited_walk w = {.wanted = wanted, .fn = fn, .arg = arg};

	return walk_buffers(snap, NULL, states, audited_buffer, &w);
}

static int
newest_record(struct snap *snap, const struct snap_bufctl *b, void *arg)
{
	uint64_t *newest = arg;

	(void)snap;
	*newest = b->bc.bc_timestamp;
	return WALK_STOP;
}

static int
newest_buffer(struct snap *snap, const struct audited *a, void *arg)
{
	uint64_t *newest = arg;

	(void)snap;
	if (a->b->bc.bc_timestamp > *newest)
		*newest = a->b->bc.bc_timestamp;
	return WALK_NEXT;
}

int
find_newest(struct snap *snap, uint64_t *ret)
{
	const taddr_t log = snap->root.root_log_transaction;
	uint64_t in_log = 0;

	*ret = 0;
	if (log != 0)
		(void)walk_log(snap, log, newest_record, &in_log);
	if (in_log != 0) {
		*ret = in_log;
		return UMDB_OK;
	}
	return find_audited(snap, NULL, ~0u, newest_buffer, ret);
}

/* ---------------------------------------------------------------- groups */

struct grouping {
	struct users *u;
	uint64_t room;
	uint32_t *hash; /* indices of groups; NOBODY: empty */
	size_t nhash;   /* a power of two */
};

static size_t
user_slot(const struct grouping *g, uint64_t bufsize, uint32_t trace)
{
	size_t i =
	    (bufsize << UMEM_TRACE_BITS ^ trace) * 0x9e3779b97f4a7c15 >> 20;
	const struct user *u;

	for (;; i++) {
		i &= g->nhash - 1;
		if (g->hash[i] == NOBODY)
			return i;
		u = &g->u->user[g->hash[i]];
		if (u->bufsize == bufsize && u->trace == trace)
			return i;
	}
}

/* Room for one more group, and a hash that is at most half full. */
static int
users_grow(struct grouping *g)
{
	const size_t room = g->room == 0 ? 256 : g->room * 2;
	struct user *more;
	uint32_t *hash;
	size_t i;

	if (g->u->nuser < g->room)
		return UMDB_OK;
	more = realloc(g->u->user, room * sizeof(*more));
	if (more == NULL)
		return UMDB_ENOMEM;
	g->u->user = more;
	hash = malloc(2 * room * sizeof(*hash));
	if (hash == NULL)
		return UMDB_ENOMEM;
	free(g->hash);
	g->hash = hash;
	g->nhash = 2 * room;
	g->room = room;
	memset(hash, 0xff, g->nhash * sizeof(*hash));
	for (i = 0; i < g->u->nuser; i++)
		hash[user_slot(g, more[i].bufsize, more[i].trace)] =
		    (uint32_t)i;
	return UMDB_OK;
}

static struct user *
user_of(struct grouping *g, uint64_t bufsize, const struct snap_bufctl *b)
{
	struct user *u;
	size_t slot;

	if (users_grow(g) != UMDB_OK)
		return NULL;
	slot = user_slot(g, bufsize, b->bc.bc_trace);
	if (g->hash[slot] != NOBODY)
		return &g->u->user[g->hash[slot]];
	u = &g->u->user[g->u->nuser];
	memset(u, 0, sizeof(*u));
	u->bufsize = bufsize;
	u->least = u->oldest = UINT64_MAX;
	u->trace = b->bc.bc_trace;
	u->depth = b->depth;
	u->stack = b->stack;
	g->hash[slot] = (uint32_t)g->u->nuser++;
	return u;
}

static int
users_add(struct snap *snap, const struct audited *a, void *arg)
{
	struct grouping *g = arg;
	const struct snap_cache *c = &snap->cache[a->slab->cache];
	struct user *u;

	u = user_of(
	    g, c->c.cache_flags & UMF_LARGE ? 0 : c->c.cache_bufsize, a->b);
	if (u == NULL)
		return target_fail(snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	u->count++;
	u->bytes += a->size;
	u->least = a->size < u->least ? a->size : u->least;
	u->most = a->size > u->most ? a->size : u->most;
	if (a->b->bc.bc_timestamp < u->oldest) {
		u->oldest = a->b->bc.bc_timestamp;
		u->bufctl = a->b->addr;
	}
	g->u->count++;
	g->u->bytes += a->size;
	return WALK_NEXT;
}

static int
user_compare(const void *a, const void *b)
{
	const struct user *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->oldest != y->oldest)
		return x->oldest < y->oldest ? -1 : 1;
	return x->bufctl < y->bufctl ? -1 : x->bufctl > y->bufctl;
}

int
find_users(struct snap *snap, const bool *wanted, struct users **ret)
{
	struct grouping g = {.u = calloc(1, sizeof(*g.u))};
	int rc;

	*ret = NULL;
	if (g.u == NULL)
		return target_fail(snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	rc = find_audited(snap, wanted, 1u << BUF_ALLOCATED, users_add, &g);
	free(g.hash);
	if (rc != UMDB_OK) {
		find_users_free(g.u);
		return rc;
	}
	if (g.u->nuser > 1)
		qsort(g.u->user, g.u->nuser, sizeof(*g.u->user), user_compare);
	*ret = g.u;
	return UMDB_OK;
}

void
find_users_free(struct users *u)
{
	if (u == NULL)
		return;
	free(u->user);
	free(u);
}
