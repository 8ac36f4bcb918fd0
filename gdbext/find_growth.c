/* SPDX-License-Identifier: MIT */
/*
 * find_growth.c - all that is allocated, by cache and stack
 *
 * Slab by slab; a slab's records are borrowed or read in pieces, not one by
 * one.
 *
 * Layer: see find_growth.h.
 */
#include "find_growth.h"

#include <stdlib.h>
#include <string.h>

#define PIECE (256u << 10)

struct growing {
	struct snap *snap;
	struct growth *g;
	uint8_t *buf; /* PIECE bytes */
};

static int
no_memory(struct growing *w)
{
	return target_fail(w->snap->tgt, UMDB_ENOMEM, 0, "out of memory");
}

/* ------------------------------------------------------------------ groups */

static uint64_t
group_hash(uint32_t cache, uint32_t depth, const uint64_t *stack)
{
	const uint64_t k = 0x9e3779b97f4a7c15ULL;
	uint64_t h = ((uint64_t)cache << 32 | depth) * k;
	uint32_t i;

	for (i = 0; i < depth; i++)
		h = ((h ^ h >> 29) + stack[i]) * k;
	return h ^ h >> 32;
}

static size_t
group_slot(const struct growth *g, uint32_t cache, uint32_t depth,
    const uint64_t *stack)
{
	size_t i = group_hash(cache, depth, stack);

	for (;; i++) {
		const struct growth_group *p;

		i &= g->nslot - 1;
		if (g->slot[i] == 0)
			return i;
		p = &g->group[g->slot[i] - 1];
		if (p->cache == cache && p->depth == depth &&
		    (depth == 0 || memcmp(g->pc + p->stack, stack,
				       depth * sizeof(*stack)) == 0))
			return i;
	}
}

static int
groups_grow(struct growth *g)
{
	const size_t n = g->nslot == 0 ? 512 : g->nslot * 2;
	struct growth_group *more;
	uint32_t *slot;
	size_t i;

	more = realloc(g->group, n / 2 * sizeof(*more));
	if (more == NULL)
		return UMDB_ENOMEM;
	g->group = more;
	g->room = n / 2;
	slot = calloc(n, sizeof(*slot));
	if (slot == NULL)
		return UMDB_ENOMEM;
	free(g->slot);
	g->slot = slot;
	g->nslot = n;
	for (i = 0; i < g->n; i++)
		slot[group_slot(g, more[i].cache, more[i].depth,
		    g->pc + more[i].stack)] = (uint32_t)i + 1;
	return UMDB_OK;
}

static int
stack_keep(struct growth *g, const uint64_t *stack, uint32_t depth)
{
	size_t room = g->pcroom == 0 ? 4096 : g->pcroom;
	uint64_t *more;

	while (room - g->npc < depth)
		room *= 2;
	if (room != g->pcroom) {
		more = realloc(g->pc, room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		g->pc = more;
		g->pcroom = room;
	}
	if (depth > 0)
		memcpy(g->pc + g->npc, stack, depth * sizeof(*stack));
	g->npc += depth;
	return UMDB_OK;
}

static struct growth_group *
group_of(
    struct growth *g, uint32_t cache, uint32_t depth, const uint64_t *stack)
{
	struct growth_group *p;
	size_t slot;

	if (g->n == g->room && groups_grow(g) != UMDB_OK)
		return NULL;
	slot = group_slot(g, cache, depth, stack);
	if (g->slot[slot] != 0)
		return &g->group[g->slot[slot] - 1];
	p = &g->group[g->n];
	memset(p, 0, sizeof(*p));
	p->cache = cache;
	p->depth = depth;
	p->stack = g->npc;
	if (stack_keep(g, stack, depth) != UMDB_OK)
		return NULL;
	g->slot[slot] = (uint32_t)++g->n;
	return p;
}

/* ----------------------------------------------------------------- buffers */

/* A buffer with its record, or with NULL when it has none. */
static int
buffer_add(struct growing *w, const struct snap_slab *s, uint32_t index,
    const uint8_t *record)
{
	struct growth *g = w->g;
	uint64_t stack[UMEM_MAX_DEPTH], size, age;
	struct growth_group *p;
	umem_bufctl_audit_t bc;
	uint32_t depth = 0;

	if (record != NULL) {
		memcpy(&bc, record, sizeof(bc));
		if (bc.bc_addr != snap_buf_addr(s, index))
			record = NULL; /* damaged: another buffer's */
	}
	if (record != NULL && bc.bc_size <= s->bufsize)
		size = bc.bc_size;
	else
		size = snap_buf_size(w->snap, s, index);
	if (record != NULL && bc.bc_depth <= UMEM_MAX_DEPTH &&
	    bc.bc_depth <=
		(s->bufctl_size - UMEM_BC_STACK) / sizeof(uint64_t)) {
		depth = bc.bc_depth;
		memcpy(stack, record + UMEM_BC_STACK, depth * sizeof(*stack));
	}
	p = group_of(g, s->cache, depth, stack);
	if (p == NULL)
		return no_memory(w);
	p->count++;
	p->bytes += size;
	g->count++;
	g->bytes += size;
	if (record != NULL && bc.bc_timestamp != 0) {
		age = g->newest > bc.bc_timestamp ? g->newest - bc.bc_timestamp
						  : 0;
		p->age[samples_age(age)] += size;
	}
	return UMDB_OK;
}

/* Buffers [first, first + n) of a slab, whose records are at @record. */
static int
buffers_add(struct growing *w, const struct snap_slab *s, uint32_t first,
    uint32_t n, const uint8_t *record)
{
	uint32_t i;
	int rc = UMDB_OK;

	for (i = 0; i < n && rc == UMDB_OK; i++)
		if (snap_buf_state(w->snap, s, first + i) == BUF_ALLOCATED)
			rc = buffer_add(w, s, first + i,
			    record != NULL ? record + (size_t)i * s->bufctl_size
					   : NULL);
	return rc;
}

static int
slab_add(struct growing *w, const struct snap_slab *s)
{
	struct target *tgt = w->snap->tgt;
	const uint8_t *p;
	uint32_t at, n = s->nchunk;
	size_t avail, len;
	int rc = UMDB_OK;

	if (s->bufctl == 0 || s->bufctl_size < sizeof(umem_bufctl_audit_t) ||
	    s->bufctl_size > PIECE)
		return buffers_add(w, s, 0, n, NULL);
	for (at = 0; at < s->nchunk && rc == UMDB_OK; at += n) {
		n = PIECE / s->bufctl_size;
		if (n > s->nchunk - at)
			n = s->nchunk - at;
		len = (size_t)n * s->bufctl_size;
		p = target_map(tgt, snap_buf_bufctl(s, at), &avail);
		if (p == NULL || avail < len)
			p = target_read(tgt, snap_buf_bufctl(s, at), w->buf,
				len, "records") == UMDB_OK
				? w->buf
				: NULL;
		rc = buffers_add(w, s, at, n, p);
	}
	return rc;
}

/* --------------------------------------------------------------- the whole */

static int
slabs_add(struct growing *w)
{
	struct snap *snap = w->snap;
	size_t i;
	int rc = UMDB_OK;

	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++) {
		const struct snap_slab *s = &snap->slab[i];

		if (find_cache_is_clients(&snap->cache[s->cache]))
			rc = slab_add(w, s);
		if (target_poll(snap->tgt, "reading records", i, snap->nslab))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
	}
	return rc;
}

int
find_growth(struct snap *snap, struct growth **ret)
{
	struct growing w = {.snap = snap};
	int rc;

	*ret = NULL;
	w.g = calloc(1, sizeof(*w.g));
	w.buf = malloc(PIECE);
	if (w.g == NULL || w.buf == NULL)
		rc = no_memory(&w);
	else
		rc = find_newest(snap, &w.g->newest);
	if (rc == UMDB_OK)
		rc = slabs_add(&w);
	free(w.buf);
	if (rc == UMDB_OK)
		*ret = w.g;
	else
		find_growth_free(w.g);
	return rc;
}

void
find_growth_free(struct growth *g)
{
	if (g == NULL)
		return;
	free(g->group);
	free(g->pc);
	free(g->slot);
	free(g);
}
