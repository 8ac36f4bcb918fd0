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

#include "addrmap.h"

#define RECORD sizeof(umem_bufctl_audit_t)
#define PIECE ((256u << 10) / RECORD) /* records read at once */

struct growing {
	struct snap *snap;
	struct growth *g;
	size_t room;           /* for groups */
	struct addrmap groups; /* snap_trace_key() -> index */
	uint8_t *buf;          /* of PIECE records */
};

static int
no_memory(struct growing *w)
{
	return target_fail(w->snap->tgt, UMDB_ENOMEM, 0, "out of memory");
}

/* ------------------------------------------------------------------ groups */

static struct growth_group *
group_of(struct growing *w, uint32_t cache, uint32_t trace)
{
	struct growth *g = w->g;
	struct growth_group *p;
	const uint64_t *stack;
	uint32_t depth, known;
	taddr_t key;

	if (snap_trace_known(w->snap, &trace, &stack, &depth) != UMDB_OK)
		return NULL;
	key = snap_trace_key(0, cache, trace);
	known = addrmap_get(&w->groups, key);
	if (known != ADDRMAP_NONE)
		return &g->group[known];
	if (g->n == w->room) {
		w->room = w->room == 0 ? 256 : w->room * 2;
		p = realloc(g->group, w->room * sizeof(*p));
		if (p == NULL)
			return NULL;
		g->group = p;
	}
	if (addrmap_put(&w->groups, key, (uint32_t)g->n) != UMDB_OK)
		return NULL;
	p = memset(&g->group[g->n++], 0, sizeof(*p));
	p->cache = cache;
	p->depth = depth;
	p->stack = stack;
	return p;
}

/* ----------------------------------------------------------------- buffers */

/* A buffer with its record, or with NULL when it has none. */
static int
buffer_add(struct growing *w, const struct snap_slab *s, uint32_t index,
    const uint8_t *record)
{
	struct growth *g = w->g;
	uint64_t size, age;
	struct growth_group *p;
	umem_bufctl_audit_t bc;

	if (record != NULL) {
		memcpy(&bc, record, sizeof(bc));
		if (bc.bc_addr != snap_buf_addr(s, index))
			record = NULL; /* damaged: another buffer's */
	}
	if (record != NULL && bc.bc_size <= s->bufsize)
		size = bc.bc_size;
	else
		size = snap_buf_size(w->snap, s, index);
	p = group_of(w, s->cache, record != NULL ? bc.bc_trace : 0);
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
			    record != NULL ? record + i * RECORD : NULL);
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

	if (s->bufctl == 0)
		return buffers_add(w, s, 0, n, NULL);
	for (at = 0; at < s->nchunk && rc == UMDB_OK; at += n) {
		n = s->nchunk - at < PIECE ? s->nchunk - at : PIECE;
		len = n * RECORD;
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
	w.buf = malloc(PIECE * RECORD);
	if (w.g == NULL || w.buf == NULL)
		rc = no_memory(&w);
	else
		rc = find_newest(snap, &w.g->newest);
	if (rc == UMDB_OK)
		rc = slabs_add(&w);
	free(w.buf);
	addrmap_fini(&w.groups);
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
	free(g);
}
