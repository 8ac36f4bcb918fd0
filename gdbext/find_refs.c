/* SPDX-License-Identifier: MIT */
/*
 * find_refs.c - who points to a buffer, and what it keeps alive
 *
 * The rows of the graph know who points to whom but not where; the few
 * buffers whose exact words are wanted are read once more.
 *
 * Layer: see find_graph.h.
 */
#include <stdlib.h>

#include "find_end.h"
#include "find_graph.h"

#define POLL_EVERY 4096u
#define REFS_POLL "looking for references"
#define PATH_POLL "looking for a path"
#define NOBODY UINT32_MAX

/* --------------------------------------------------------------- references */

struct refs {
	struct graph *g;
	uint32_t node; /* to whom */
	struct ref ref;
	find_ref_fn *fn;
	void *arg;
	int rc; /* the last fn's */
};

/*
 * Is a word that equals the start the end of the buffer before?  What is beside
 * it is read again: of its own buffer, or of the roots there.
 */
static bool
refs_is_end(const struct refs *r)
{
	const struct graph *g = r->g;
	const uint64_t most = END_AROUND * sizeof(uint64_t);
	uint8_t words[(2 * END_AROUND + 1) * sizeof(uint64_t)];
	taddr_t from = r->ref.at - most, to = from + sizeof(words), lo, hi;
	struct end_word w = {.start = words};
	uint32_t index;
	const size_t slab = find_scan_slab(g->m.snap, r->node, &index);

	if (r->ref.part == NULL) {
		lo = graph_addr(g, r->ref.holder, NULL, NULL);
		hi = lo + graph_size(g, r->ref.holder);
		from =
		    from < lo ? lo + (r->ref.at - lo) % sizeof(uint64_t) : from;
		to = to > hi ? hi : to;
	}
	w.at = words + (r->ref.at - from);
	w.end = words + (to - from);
	return target_read(g->m.snap->tgt, from, words, to - from, "words") ==
		   UMDB_OK &&
	       find_end(&g->m, &g->m.slab[slab], index, &w);
}

static int
refs_found(struct refs *r)
{
	const struct part *p = r->ref.part;

	r->ref.end = (p == NULL || (p->kind != PLACE_REGISTER &&
				       p->kind != PLACE_HELD)) &&
		     r->ref.value == graph_addr(r->g, r->node, NULL, NULL) &&
		     refs_is_end(r);
	return r->fn(r->arg, &r->ref);
}

static void
refs_word(void *arg, taddr_t at, uint64_t value, uint32_t node)
{
	struct refs *r = arg;

	if (node != r->node || r->rc != WALK_NEXT)
		return;
	r->ref.at = at;
	r->ref.value = value;
	r->rc = refs_found(r);
}

/* The words of one buffer. */
static int
refs_in_buffer(struct refs *r, uint32_t holder)
{
	uint32_t index;
	const size_t slab = find_scan_slab(r->g->m.snap, holder, &index);
	struct scan scan;
	int rc;

	r->ref.part = NULL;
	r->ref.holder = holder;
	find_scan_init(&scan, &r->g->m, refs_word, r);
	rc = find_scan_buffer(&scan, slab, index);
	find_scan_fini(&scan);
	return rc;
}

/* A root's pointer, read again for its value. */
static void
refs_in_part(struct refs *r, const struct part *p, size_t hit)
{
	const struct target *tgt = r->g->m.snap->tgt;

	r->ref.part = p;
	r->ref.holder = NOBODY;
	r->ref.at = r->g->hit_at[hit];
	r->ref.value = 0;
	if (p->kind == PLACE_REGISTER)
		r->ref.value =
		    target_register(&tgt->thread[p->thread], r->ref.at);
	else if (p->kind == PLACE_HELD)
		r->ref.value = r->g->m.roots.value[r->ref.at];
	else if (target_read(r->g->m.snap->tgt, r->ref.at, &r->ref.value,
		     sizeof(r->ref.value), "pointer") != UMDB_OK)
		r->ref.value = graph_addr(r->g, r->node, NULL, NULL);
	r->rc = refs_found(r);
}

static int
refs_in_buffers(struct refs *r)
{
	const struct graph *g = r->g;
	uint32_t node, e;
	bool found;
	int rc;

	for (node = 0; node < g->nbuf && r->rc == WALK_NEXT; node++) {
		/* its own pointers to itself are no edges, and hold nothing */
		found = false;
		for (e = g->off[node]; e < g->off[node + 1] && !found; e++) {
			found = g->to[e] == r->node;
			if (graph_poll(g, e, REFS_POLL, node, g->nbuf))
				return UMDB_EINTR;
		}
		if (found) {
			rc = refs_in_buffer(r, node);
			if (rc != UMDB_OK)
				return rc;
		}
		/* a buffer that was read can be large */
		if ((found || node % POLL_EVERY == 0) &&
		    target_poll(g->m.snap->tgt, REFS_POLL, node, g->nbuf))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

int
find_refs(struct graph *g, uint32_t node, find_ref_fn *fn, void *arg)
{
	struct refs r = {
	    .g = g, .node = node, .fn = fn, .arg = arg, .rc = WALK_NEXT};
	bool found;
	size_t i, k;
	int rc;

	for (i = 0; i < g->parts.n; i++) {
		const struct part *p = &g->parts.part[i];

		for (k = p->first; k < p->first + p->n; k++) {
			found = g->hit_to[k] == node && r.rc == WALK_NEXT;
			if (found)
				refs_in_part(&r, p, k);
			/* what is done with one can take long */
			if ((found || k % GRAPH_POLL == 0) &&
			    target_poll(g->m.snap->tgt, REFS_POLL, 0, g->nbuf))
				return UMDB_EINTR;
		}
	}
	rc = refs_in_buffers(&r);
	if (rc != UMDB_OK)
		return rc;
	return r.rc == WALK_NEXT || r.rc == WALK_STOP ? UMDB_OK : r.rc;
}

/* -------------------------------------------------------------------- paths */

/*
 * A search in breadth from all roots at once.  The queue is the list of those
 * reached, in order; from[] says by whom, NOBODY - 1 a root.
 */
struct breadth {
	struct graph *g;
	uint32_t *from, *queue;
	uint32_t n;
};
#define A_ROOT (NOBODY - 1)

static void
breadth_reach(struct breadth *b, uint32_t node, uint32_t from)
{
	if (b->from[node] != NOBODY)
		return;
	b->from[node] = from;
	b->queue[b->n++] = node;
}

/* Places that say most come first: who is reached first is reached by them. */
static int
breadth_roots(struct breadth *b)
{
	const struct graph *g = b->g;
	unsigned kind;
	size_t i, k;

	for (kind = 0; kind < PLACE_KINDS; kind++) {
		for (i = 0; i < g->parts.n; i++) {
			const struct part *p = &g->parts.part[i];

			if (p->kind != kind)
				continue;
			for (k = p->first; k < p->first + p->n; k++) {
				breadth_reach(b, g->hit_to[k], A_ROOT);
				if (graph_poll(g, k, PATH_POLL, 0, g->nbuf))
					return UMDB_EINTR;
			}
		}
	}
	return UMDB_OK;
}

static int
breadth_search(struct breadth *b, uint32_t node)
{
	const struct graph *g = b->g;
	uint32_t i, e;

	for (i = 0; i < b->n && b->from[node] == NOBODY; i++) {
		const uint32_t at = b->queue[i];

		for (e = g->off[at]; e < g->off[at + 1]; e++) {
			breadth_reach(b, g->to[e], at);
			if (graph_poll(g, e, PATH_POLL, i, g->nbuf))
				return UMDB_EINTR;
		}
		if (i % POLL_EVERY == 0 &&
		    target_poll(g->m.snap->tgt, PATH_POLL, i, g->nbuf))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

/* Of several words in one buffer a pointer to the start is preferred. */
struct best {
	taddr_t start;
	struct ref ref;
	bool any;
};

static int
best_ref(void *arg, const struct ref *ref)
{
	struct best *b = arg;

	const bool holds = ref->value == b->start && !ref->end;

	if (b->any && !holds)
		return WALK_NEXT;
	b->ref = *ref;
	b->any = true;
	return holds ? WALK_STOP : WALK_NEXT;
}

/* The word by which @from leads to @node. */
static int
path_step(struct graph *g, uint32_t from, uint32_t node, struct ref *ret)
{
	struct best best = {.start = graph_addr(g, node, NULL, NULL)};
	struct refs r = {.g = g,
	    .node = node,
	    .fn = best_ref,
	    .arg = &best,
	    .rc = WALK_NEXT};
	unsigned kind;
	size_t i, k;
	int rc = UMDB_OK;

	if (from != A_ROOT) {
		rc = refs_in_buffer(&r, from);
		*ret = best.ref;
		return rc;
	}
	for (kind = 0; kind < PLACE_KINDS && !best.any; kind++) {
		for (i = 0; i < g->parts.n; i++) {
			const struct part *p = &g->parts.part[i];

			if (p->kind != kind)
				continue;
			for (k = p->first; k < p->first + p->n; k++) {
				if (g->hit_to[k] == node && r.rc == WALK_NEXT)
					refs_in_part(&r, p, k);
				if (graph_poll(g, k, PATH_POLL, 0, g->nbuf))
					return UMDB_EINTR;
			}
		}
	}
	*ret = best.ref;
	return UMDB_OK;
}

static int
path_collect(
    const struct breadth *b, uint32_t node, struct ref **ref_ret, size_t *n_ret)
{
	size_t n = 1, i;
	uint32_t at;
	int rc = UMDB_OK;

	for (at = node; b->from[at] != A_ROOT; at = b->from[at])
		n++;
	*ref_ret = calloc(n, sizeof(**ref_ret));
	if (*ref_ret == NULL)
		return UMDB_ENOMEM;
	*n_ret = n;
	at = node;
	for (i = n; i-- > 0 && rc == UMDB_OK; at = b->from[at]) {
		rc = path_step(b->g, b->from[at], at, &(*ref_ret)[i]);
		if (rc == UMDB_OK &&
		    target_poll(b->g->m.snap->tgt, PATH_POLL, 0, 0))
			rc = UMDB_EINTR;
	}
	return rc;
}

int
find_path(struct graph *g, uint32_t node, struct ref **ref_ret, size_t *n_ret)
{
	struct breadth b = {.g = g};
	const size_t size = ((size_t)g->nbuf + 1) * sizeof(uint32_t);
	int rc = UMDB_ENOMEM;

	*ref_ret = NULL;
	*n_ret = 0;
	if (!g->live[node])
		return UMDB_OK;
	b.from = malloc(size);
	b.queue = malloc(size);
	if (b.from != NULL && b.queue != NULL) {
		memset(b.from, 0xff, size);
		rc = breadth_roots(&b);
		if (rc == UMDB_OK)
			rc = breadth_search(&b, node);
		if (rc == UMDB_OK && b.from[node] != NOBODY)
			rc = path_collect(&b, node, ref_ret, n_ret);
	}
	free(b.from);
	free(b.queue);
	if (rc != UMDB_OK) {
		free(*ref_ret);
		*ref_ret = NULL;
		*n_ret = 0;
	}
	return rc == UMDB_ENOMEM
		   ? target_fail(g->m.snap->tgt, rc, 0, "out of memory")
		   : rc;
}

/* -------------------------------------------------------------------- owned */

struct owning {
	const struct graph *g;
	struct owned *o;
	uint32_t owner;
};

static void
owned_count(void *arg, uint32_t node)
{
	struct owning *w = arg;
	const struct snap *snap = w->g->m.snap;
	struct owned_cache *c;
	uint32_t index;
	size_t slab;
	uint64_t size;

	if (node == w->owner)
		return;
	slab = find_scan_slab(snap, node, &index);
	size = find_mark_size(&w->g->m.slab[slab], index);
	c = &w->o->cache[snap->slab[slab].cache];
	c->count++;
	c->bytes += size;
	w->o->count++;
	w->o->bytes += size;
}

static int
owned_compare(const void *a, const void *b)
{
	const struct owned_cache *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->cache < y->cache ? -1 : x->cache > y->cache;
}

/* Leave only the caches that something was found of. */
static void
owned_order(struct owned *o)
{
	size_t i, kept = 0;

	for (i = 0; i < o->ncache; i++)
		if (o->cache[i].count > 0)
			o->cache[kept++] = o->cache[i];
	o->ncache = kept;
	if (kept > 1)
		qsort(o->cache, kept, sizeof(*o->cache), owned_compare);
}

static int
owned_search(struct reach *d, struct graph *g, uint32_t node, struct owned *ret)
{
	struct owning w = {.g = g, .o = ret, .owner = node};
	size_t i;
	int rc;

	ret->lost = !g->live[node];
	if (ret->lost) {
		memcpy(d->seen, g->live, g->nbuf);
	} else {
		d->seen[node] = 1;
		for (i = 0; i < g->nhit; i++) {
			reach_add(d, g->hit_to[i]);
			if (graph_poll(
				g, i, "following references", 0, g->nbuf))
				return UMDB_EINTR;
		}
		rc = reach_run(d, NULL, NULL);
		if (rc != UMDB_OK)
			return rc;
		d->seen[node] = 0;
	}
	reach_add(d, node);
	rc = reach_run(d, owned_count, &w);
	owned_order(ret);
	return rc;
}

int
find_owned(struct graph *g, uint32_t node, struct owned *ret)
{
	const struct snap *snap = g->m.snap;
	struct reach d;
	uint32_t i;
	int rc = reach_init(&d, g);

	memset(ret, 0, sizeof(*ret));
	ret->cache = calloc(snap->ncache + 1, sizeof(*ret->cache));
	if (ret->cache == NULL)
		rc = UMDB_ENOMEM;
	if (rc == UMDB_OK) {
		ret->ncache = snap->ncache;
		for (i = 0; i < snap->ncache; i++)
			ret->cache[i].cache = i;
		rc = owned_search(&d, g, node, ret);
	}
	reach_fini(&d);
	if (rc != UMDB_OK)
		find_owned_free(ret);
	return rc == UMDB_ENOMEM
		   ? target_fail(snap->tgt, rc, 0, "out of memory")
		   : rc;
}

void
find_owned_free(struct owned *o)
{
	free(o->cache);
	memset(o, 0, sizeof(*o));
}
