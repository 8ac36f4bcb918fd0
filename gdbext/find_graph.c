/* SPDX-License-Identifier: MIT */
/*
 * find_graph.c - reading who points to whom
 *
 * One pass over the roots and one over the heap in order of address: the
 * edges of a buffer come out side by side, so the rows need no sorting, and
 * the array of edges grows at its end.
 *
 * Layer: see find_graph.h.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "find_graph.h"

#define POLL_EVERY 1024u
#define REACH_POLL "following references"
#define QUEUE 48u /* nodes that wait for their memory; a multiple of 3 */
#define EDGES_AHEAD 8u

struct build {
	struct graph *g;
	struct scan scan;
	size_t nedge, edgeroom, hitroom;
	uint32_t from; /* whose edges are read; SCAN_NONE: roots */
	uint32_t last; /* the edge that was noted last */
	int rc;
};

/* ------------------------------------------------------------------ edges */

/* Room for one more; a large array grows in place, by page tables. */
static void *
grow(void *array, size_t *room, size_t size)
{
	const size_t more = *room < 4096 ? 8192 : *room + *room / 2;
	void *p = realloc(array, more * size);

	if (p != NULL)
		*room = more;
	return find_mem_spread(p, more * size);
}

static void
build_edge(void *arg, taddr_t at, uint64_t value, uint32_t node)
{
	struct build *b = arg;
	uint32_t *more;

	(void)at;
	(void)value;
	if (node == b->last || node == b->from)
		return;
	b->last = node;
	if (b->nedge == b->edgeroom) {
		more = grow(b->g->to, &b->edgeroom, sizeof(*more));
		if (more == NULL) {
			b->rc = UMDB_ENOMEM;
			b->last = SCAN_NONE;
			return;
		}
		b->g->to = more;
	}
	b->g->to[b->nedge++] = node;
}

static int
build_slab(struct build *b, size_t slab)
{
	struct graph *g = b->g;
	const struct mark_slab *ms = &g->m.slab[slab];
	const uint32_t first = (uint32_t)g->m.snap->slab[slab].buf;
	uint32_t k;
	int rc;

	find_scan_fetch(&b->scan, slab);
	for (k = 0; k < ms->nchunk; k++) {
		b->from = first + k;
		b->last = SCAN_NONE;
		g->off[first + k] = (uint32_t)b->nedge;
		if (ms->state[k] == MARK_NONE)
			continue;
		rc = find_scan_buffer(&b->scan, slab, k);
		if (rc != UMDB_OK || b->rc != UMDB_OK)
			return rc != UMDB_OK ? rc : b->rc;
	}
	return UMDB_OK;
}

static int
build_edges(struct build *b)
{
	struct graph *g = b->g;
	struct snap *snap = g->m.snap;
	uint64_t n = 0;
	size_t i;
	int rc;

	b->scan.fn = build_edge;
	for (i = 0; i < snap->nslab; i++) {
		const struct snap_slab *s = &snap->slab[i];

		/* rows of slabs that are left out are empty */
		if (s->buf < n || s->buf > snap->nbuf)
			return target_fail(snap->tgt, UMDB_ECORRUPT, s->addr,
			    "the index of slabs is not in order");
		for (; n < s->buf; n++)
			g->off[n] = (uint32_t)b->nedge;
		rc = build_slab(b, i);
		if (rc != UMDB_OK)
			return rc;
		n += g->m.slab[i].nchunk;
		if (b->nedge > UINT32_MAX - UMEM_MAX_CHUNKS)
			return target_fail(snap->tgt, UMDB_ETARGET, 0,
			    "there are more than four billion pointers");
		if (target_poll(snap->tgt, "reading references", b->scan.done,
			b->scan.total))
			return UMDB_EINTR;
	}
	for (; n <= g->nbuf; n++)
		g->off[n] = (uint32_t)b->nedge;
	return UMDB_OK;
}

/* ------------------------------------------------------------------ roots */

static void
build_hit(void *arg, taddr_t at, uint64_t value, uint32_t node)
{
	struct build *b = arg;
	struct graph *g = b->g;
	size_t room = b->hitroom;
	void *p;

	(void)value;
	if (g->nhit == b->hitroom) {
		p = grow(g->hit_at, &room, sizeof(*g->hit_at));
		if (p != NULL)
			g->hit_at = p;
		room = b->hitroom;
		if (p != NULL)
			p = grow(g->hit_to, &room, sizeof(*g->hit_to));
		if (p == NULL) {
			b->rc = UMDB_ENOMEM;
			return;
		}
		g->hit_to = p;
		b->hitroom = room;
	}
	g->hit_at[g->nhit] = at;
	g->hit_to[g->nhit++] = node;
}

static void
build_value(struct build *b, taddr_t at, uint64_t value)
{
	const uint32_t node = find_scan_node(&b->g->m, value);

	if (node != SCAN_NONE)
		build_hit(b, at, value, node);
}

static int
value_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Single values that are roots and stand in no register. */
static void
build_held(struct build *b)
{
	const struct roots *roots = &b->g->m.roots;
	const struct target *tgt = b->g->m.snap->tgt;
	uint64_t *reg = calloc(
	    tgt->nthread + 1, (TARGET_NREGS + TARGET_NVECTOR) * sizeof(*reg));
	size_t i, n = 0;

	if (reg == NULL) {
		b->rc = UMDB_ENOMEM;
		return;
	}
	for (i = 0; i < tgt->nthread; i++) {
		if (!tgt->thread[i].have_regs)
			continue;
		memcpy(reg + n, tgt->thread[i].reg, sizeof(tgt->thread[i].reg));
		n += TARGET_NREGS;
		memcpy(reg + n, tgt->thread[i].vector,
		    sizeof(tgt->thread[i].vector));
		n += TARGET_NVECTOR;
	}
	qsort(reg, n, sizeof(*reg), value_compare);
	for (i = 0; i < roots->nvalue; i++)
		if (bsearch(&roots->value[i], reg, n, sizeof(*reg),
			value_compare) == NULL)
			build_value(b, i, roots->value[i]);
	free(reg);
}

static int
build_part(struct build *b, struct part *p)
{
	const struct target *tgt = b->g->m.snap->tgt;
	size_t r, n;
	int rc;

	if (p->kind == PLACE_REGISTER) {
		for (r = 0; r < TARGET_NREGS; r++)
			build_value(b, r, tgt->thread[p->thread].reg[r]);
		n = find_root_vectors(b->g->m.snap, &tgt->thread[p->thread]);
		for (r = 0; r < n; r++)
			build_value(b, TARGET_NREGS + r,
			    tgt->thread[p->thread].vector[r]);
		return b->rc;
	}
	if (p->kind == PLACE_HELD) {
		build_held(b);
		return b->rc;
	}
	rc = find_scan_memory(&b->scan, p->start, p->end - p->start);
	return rc != UMDB_OK ? rc : b->rc;
}

static int
build_roots(struct build *b)
{
	struct graph *g = b->g;
	int rc = UMDB_OK;
	size_t i;

	b->scan.fn = build_hit;
	for (i = 0; i < g->parts.n && rc == UMDB_OK; i++) {
		struct part *p = &g->parts.part[i];

		p->first = g->nhit;
		rc = build_part(b, p);
		p->n = g->nhit - p->first;
	}
	return rc;
}

/* -------------------------------------------------------------- searching */

int
reach_init(struct reach *r, const struct graph *g)
{
	memset(r, 0, sizeof(*r));
	r->g = g;
	r->level = 1;
	r->seen = find_mem_table((size_t)g->nbuf + 1, 1);
	r->stack = malloc(((size_t)g->nbuf + 1) * sizeof(*r->stack));
	return r->seen != NULL && r->stack != NULL ? UMDB_OK : UMDB_ENOMEM;
}

/*
 * What it costs is waiting for memory, three times for each node: for where
 * its edges are, for the edges, for whether they lead to something new.  So
 * nodes wait in a short queue, and at two places of it what comes next is
 * asked for.
 */
struct queue {
	uint32_t node[QUEUE];
	unsigned at, n;
};

static inline uint32_t
queue_peek(const struct queue *q, unsigned ahead)
{
	return q->node[(q->at + ahead) % QUEUE];
}

static void
queue_fill(struct queue *q, struct reach *r)
{
	uint32_t node;

	while (q->n < QUEUE && r->n > 0) {
		node = r->stack[--r->n];
		__builtin_prefetch(&r->g->off[node]);
		q->node[(q->at + q->n++) % QUEUE] = node;
	}
}

static void
queue_prefetch(const struct queue *q, const struct reach *r)
{
	const struct graph *g = r->g;
	uint32_t node, e, n;

	if (q->n > 2 * QUEUE / 3)
		__builtin_prefetch(
		    &g->to[g->off[queue_peek(q, 2 * QUEUE / 3)]]);
	if (q->n > QUEUE / 3) {
		node = queue_peek(q, QUEUE / 3);
		n = g->off[node + 1] - g->off[node];
		for (e = 0; e < n && e < EDGES_AHEAD; e++)
			__builtin_prefetch(&r->seen[g->to[g->off[node] + e]]);
	}
}

int
reach_run(struct reach *r, reach_fn *fn, void *arg)
{
	const struct graph *g = r->g;
	struct queue q = {.n = 0};
	uint32_t node, e;
	uint64_t steps = 0;

	for (queue_fill(&q, r); q.n > 0; queue_fill(&q, r)) {
		queue_prefetch(&q, r);
		node = queue_peek(&q, 0);
		q.at++;
		q.n--;
		if (fn != NULL)
			fn(arg, node);
		for (e = g->off[node]; e < g->off[node + 1]; e++) {
			reach_add(r, g->to[e]);
			if (graph_poll(g, e, REACH_POLL, steps, g->nbuf))
				return UMDB_EINTR;
		}
		if (++steps % POLL_EVERY == 0 &&
		    target_poll(g->m.snap->tgt, REACH_POLL, steps, g->nbuf))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

void
reach_fini(struct reach *r)
{
	free(r->seen);
	free(r->stack);
	memset(r, 0, sizeof(*r));
}

/* -------------------------------------------------------------- who lives */

static int
count_live(struct graph *g)
{
	const struct snap *snap = g->m.snap;
	uint64_t size;
	size_t i;
	uint32_t k;

	for (i = 0; i < snap->nslab; i++) {
		const struct mark_slab *ms = &g->m.slab[i];

		for (k = 0; k < ms->nchunk; k++) {
			if (ms->state[k] == MARK_NONE)
				continue;
			size = find_mark_size(ms, k);
			if (g->live[snap->slab[i].buf + k]) {
				g->nlive++;
				g->live_bytes += size;
			} else {
				g->nlost++;
				g->lost_bytes += size;
			}
		}
		if (target_poll(snap->tgt, "adding up", i, snap->nslab))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

/* Start from the roots of a rank. */
static int
add_roots(struct reach *r, unsigned rank)
{
	const struct graph *g = r->g;
	size_t i, k;

	for (i = 0; i < g->parts.n; i++) {
		const struct part *p = &g->parts.part[i];

		if (graph_rank(p->kind) != rank)
			continue;
		for (k = p->first; k < p->first + p->n; k++) {
			reach_add(r, g->hit_to[k]);
			if (graph_poll(g, k, REACH_POLL, 0, g->nbuf))
				return UMDB_EINTR;
		}
	}
	return UMDB_OK;
}

static int
build_live(struct graph *g)
{
	struct reach r;
	unsigned rank;
	int rc = reach_init(&r, g);

	for (rank = 0; rank < GRAPH_RANKS && rc == UMDB_OK; rank++) {
		r.level = (uint8_t)(1 + rank);
		rc = add_roots(&r, rank);
		if (rc == UMDB_OK)
			rc = reach_run(&r, NULL, NULL);
	}
	if (rc == UMDB_OK) {
		g->live = r.seen;
		r.seen = NULL;
		rc = count_live(g);
	}
	reach_fini(&r);
	return rc;
}

/* -------------------------------------------------------------- the whole */

static uint64_t
scan_bytes(const struct graph *g)
{
	const struct snap *snap = g->m.snap;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < g->m.roots.memory.n; i++)
		sum +=
		    g->m.roots.memory.r[i].end - g->m.roots.memory.r[i].start;
	for (i = 0; i < snap->nslab; i++)
		if (g->m.slab[i].nchunk != 0)
			sum += snap->slab[i].size;
	return sum;
}

static int
graph_build(struct graph *g, struct snap *snap)
{
	struct build b = {.g = g};
	int rc;

	rc = find_mark_init(&g->m, snap);
	if (rc != UMDB_OK)
		return rc;
	if (snap->nbuf >= DOM_MAX_NODES / 2)
		return target_fail(snap->tgt, UMDB_ETARGET, 0,
		    "%" PRIu64 " buffers are too many", snap->nbuf);
	g->nbuf = (uint32_t)snap->nbuf;
	g->off = find_mem_table((size_t)g->nbuf + 1, sizeof(*g->off));
	if (g->off == NULL)
		return UMDB_ENOMEM;
	rc = find_parts(snap, &g->m.roots, &g->parts);
	find_scan_init(&b.scan, &g->m, NULL, &b);
	b.scan.total = scan_bytes(g);
	if (rc == UMDB_OK)
		rc = build_roots(&b);
	if (rc == UMDB_OK)
		rc = build_edges(&b);
	target_plan_end(snap->tgt);
	if (rc == UMDB_OK)
		rc = build_live(g);
	g->unread = g->m.stats.unread_bytes + b.scan.unread;
	find_scan_fini(&b.scan);
	return rc;
}

int
find_graph(struct snap *snap, struct graph **ret)
{
	struct graph *g = calloc(1, sizeof(*g));
	int rc = UMDB_ENOMEM;

	*ret = NULL;
	if (g != NULL)
		rc = graph_build(g, snap);
	if (rc == UMDB_OK) {
		*ret = g;
		return UMDB_OK;
	}
	find_graph_free(g);
	return rc == UMDB_ENOMEM
		   ? target_fail(snap->tgt, rc, 0, "out of memory")
		   : rc;
}

void
find_graph_free(struct graph *g)
{
	if (g == NULL)
		return;
	find_mark_fini(&g->m);
	find_parts_free(&g->parts);
	free(g->off);
	free(g->to);
	free(g->hit_at);
	free(g->hit_to);
	free(g->live);
	free(g);
}

uint64_t
graph_copied(const struct graph *g)
{
	const struct snap *snap = g->m.snap;
	uint64_t sum = 0;
	size_t i;

	if (g->m.mem.ncopy == 0)
		return 0;
	for (i = 0; i < snap->nslab; i++)
		if (g->m.slab[i].nchunk != 0)
			sum += snap->slab[i].size;
	return sum;
}

/* ------------------------------------------------------------------ nodes */

taddr_t
graph_addr(const struct graph *g, uint32_t node,
    const struct snap_slab **slab_ret, uint32_t *index_ret)
{
	uint32_t index;
	const size_t i = find_scan_slab(g->m.snap, node, &index);
	const struct snap_slab *s = &g->m.snap->slab[i];

	if (slab_ret != NULL)
		*slab_ret = s;
	if (index_ret != NULL)
		*index_ret = index;
	return snap_buf_addr(s, index);
}

uint64_t
graph_size(const struct graph *g, uint32_t node)
{
	uint32_t index;
	const size_t i = find_scan_slab(g->m.snap, node, &index);

	return find_mark_size(&g->m.slab[i], index);
}

int
graph_resolve(struct graph *g, taddr_t addr, uint32_t *node_ret)
{
	struct snap *snap = g->m.snap;
	const struct snap_slab *s;
	const char *cache;
	uint32_t index;

	if (!snap_buf_at(snap, addr, &s, &index))
		return target_fail(snap->tgt, UMDB_ENOTFOUND, addr,
		    "0x%" PRIx64
		    " is in no buffer; umem whatis says what it is",
		    addr);
	cache = snap->cache[s->cache].c.cache_name;
	*node_ret = (uint32_t)(s->buf + index);
	if (snap_buf_state(snap, s, index) != BUF_ALLOCATED)
		return target_fail(snap->tgt, UMDB_ENOTFOUND, addr,
		    "0x%" PRIx64 " is in a freed buffer of %s: nothing keeps "
		    "it",
		    addr, cache);
	if (!graph_is_node(g, *node_ret))
		return target_fail(snap->tgt, UMDB_ENOTFOUND, addr,
		    "0x%" PRIx64 " is in a buffer of %s, which the allocator "
		    "uses itself",
		    addr, cache);
	return UMDB_OK;
}
