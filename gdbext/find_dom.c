/* SPDX-License-Identifier: MIT */
/*
 * find_dom.c - the dominators of a graph
 *
 * The names are those of the paper: semi is the semidominator, label the node
 * with the least semi on the part of a path that was compressed, bucket the
 * nodes whose semidominator a node is.  Nodes are worked off from the last
 * place to the first, so a node is in the forest just when its place is
 * higher than that of the current one: no array says it.
 *
 * What costs time is waiting for memory, and what costs memory is an array of
 * a number for each node, so arrays do more than one thing: the forest starts
 * as the tree of the search, and a node's link in its bucket stands where its
 * dominator will.
 *
 * Layer: see find_dom.h.
 */
#include <stdlib.h>
#include <string.h>

#include "find_dom.h"
#include "find_mem.h"

#define POLL_EVERY 4096u /* steps between two looks at the clock */
#define AHEAD 8u         /* edges of a node that are prefetched */
#define EDGES_AHEAD 24u  /* the same where the order of edges is known */
#define PHASES 4u        /* of equal length, for progress */

struct work {
	const struct dom_graph *g;
	struct target *tgt;
	struct dom *d;
	uint32_t *ancestor; /* at first the parent in the search's tree */
	uint32_t *semi;     /* in the search: the next edge to look at */
	uint32_t *label;
	uint32_t *bucket;
	uint32_t *predoff; /* places that lead to each, in rows */
	uint32_t *pred;
	uint32_t *path; /* a path under compression */
	size_t pathroom;
	unsigned phase, steps;
	int rc; /* of eval(), when it returns 0 */
};

/* True when the user wants to stop.  @done: nodes, in this phase. */
static inline bool
work_poll(struct work *w, uint32_t done)
{
	const uint64_t total = w->g->nnode;

	if (++w->steps < POLL_EVERY)
		return false;
	w->steps = 0;
	return target_poll(w->tgt, "finding who keeps what",
	    w->phase * total + done, PHASES * total);
}

/* Places from 0 to n, set to zero when they are touched first. */
static uint32_t *
places(uint32_t n)
{
	return find_mem_table((size_t)n + 2, sizeof(uint32_t));
}

/* ------------------------------------------------------------- the search */

static void
search_ahead(const struct work *w, uint32_t node)
{
	uint32_t n, i;
	const uint32_t *to = dom_edges(w->g, node, &n);

	for (i = 0; i < n && i < AHEAD; i++)
		__builtin_prefetch(&w->d->place[to[i]]);
}

static void
search_enter(struct work *w, uint32_t node, uint32_t parent)
{
	struct dom *d = w->d;

	d->n++;
	d->place[node] = d->n;
	d->order[d->n] = node;
	w->ancestor[d->n] = parent;
	search_ahead(w, node);
}

/* Number the nodes in preorder of a depth-first search. */
static int
search(struct work *w, uint32_t root)
{
	struct dom *d = w->d;
	uint32_t *next = w->semi;
	uint32_t at = 1, n, i;
	const uint32_t *to;

	for (search_enter(w, root, 0); at != 0;) {
		to = dom_edges(w->g, d->order[at], &n);
		for (i = next[at]; i < n && d->place[to[i]] != 0; i++)
			if (work_poll(w, d->n))
				return UMDB_EINTR;
		if (i == n) { /* a chain is as long on the way back */
			at = w->ancestor[at];
		} else {
			next[at] = i + 1;
			search_enter(w, to[i], at);
			at = d->n;
		}
		if (work_poll(w, d->n))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

/* ----------------------------------------------------------- predecessors */

/*
 * The edges of one set of rows, in the order in which they lie in memory: then
 * it is known long before which places will be needed.  Counts them, or with
 * @fill enters them from the end of each place's row, so that the offsets come
 * out as starts.
 */
static int
predecessors(struct work *w, const struct dom_rows *r, uint32_t first,
    uint32_t n, bool fill)
{
	const uint32_t *place = w->d->place, *to = r->to;
	uint32_t node, e, p, v;
	const uint32_t end = n > 0 ? r->off[n] : 0;

	for (node = 0; node < n; node++) {
		p = place[first + node];
		if (work_poll(w, first + node))
			return UMDB_EINTR;
		for (e = r->off[node]; e < r->off[node + 1]; e++) {
			if (e + 2 * EDGES_AHEAD < end)
				__builtin_prefetch(
				    &place[to[e + 2 * EDGES_AHEAD]]);
			if (e + EDGES_AHEAD < end)
				__builtin_prefetch(
				    &w->predoff[place[to[e + EDGES_AHEAD]]]);
			v = place[to[e]];
			if (p == 0 || v == p)
				continue;
			if (fill)
				w->pred[--w->predoff[v]] = p;
			else
				w->predoff[v]++;
			if (work_poll(w, first + node))
				return UMDB_EINTR;
		}
	}
	return UMDB_OK;
}

static int
all_predecessors(struct work *w, bool fill)
{
	const struct dom_graph *g = w->g;
	int rc;

	w->phase++;
	rc = predecessors(w, &g->low, 0, g->split, fill);
	if (rc == UMDB_OK)
		rc = predecessors(
		    w, &g->high, g->split, g->nnode - g->split, fill);
	return rc;
}

static int
make_predecessors(struct work *w)
{
	const struct dom *d = w->d;
	uint32_t p;
	uint64_t sum = 0;
	int rc;

	w->predoff = places(d->n);
	if (w->predoff == NULL)
		return UMDB_ENOMEM;
	rc = all_predecessors(w, false);
	if (rc != UMDB_OK)
		return rc;
	for (p = 1; p <= d->n; p++) {
		sum += w->predoff[p];
		w->predoff[p] = (uint32_t)sum;
		if (work_poll(w, d->n))
			return UMDB_EINTR;
	}
	w->predoff[d->n + 1] = (uint32_t)sum;
	w->pred = find_mem_table(sum + 1, sizeof(*w->pred));
	if (w->pred == NULL)
		return UMDB_ENOMEM;
	return all_predecessors(w, true);
}

/* -------------------------------------------------------------- dominators */

static bool
path_grow(struct work *w)
{
	size_t room = w->pathroom == 0 ? 1024 : w->pathroom * 2;
	uint32_t *more = realloc(w->path, room * sizeof(*more));

	if (more == NULL) {
		w->rc = UMDB_ENOMEM;
		return false;
	}
	w->path = more;
	w->pathroom = room;
	return true;
}

static inline bool
eval_poll(struct work *w, uint32_t cur)
{
	if (!work_poll(w, w->d->n - cur))
		return false;
	w->rc = UMDB_EINTR;
	return true;
}

/*
 * The node with the least semi on the way from v to the root of its tree in
 * the forest of places above @cur, the root left out.  0 on an error, which
 * w->rc says: a path can have all nodes, so it is polled too.
 */
static uint32_t
eval(struct work *w, uint32_t v, uint32_t cur)
{
	uint32_t *ancestor = w->ancestor, *label = w->label;
	const uint32_t *semi = w->semi;
	uint32_t x, a;
	size_t n = 0;

	if (v <= cur)
		return v;
	for (x = v; ancestor[x] > cur; x = ancestor[x]) {
		if (n == w->pathroom && !path_grow(w))
			return 0;
		w->path[n++] = x;
		if (eval_poll(w, cur))
			return 0;
	}
	while (n > 0) {
		if (eval_poll(w, cur))
			return 0;
		x = w->path[--n];
		a = ancestor[x];
		if (semi[label[a]] < semi[label[x]])
			label[x] = label[a];
		ancestor[x] = ancestor[a];
	}
	return label[v];
}

/* All whose semidominator is cur: the forest now holds what is below it. */
static int
empty_bucket(struct work *w, uint32_t cur)
{
	uint32_t *idom = w->d->idom;
	uint32_t v, u, next;

	for (v = w->bucket[cur]; v != 0; v = next) {
		next = idom[v];
		u = eval(w, v, cur);
		if (u == 0 || eval_poll(w, cur))
			return w->rc;
		idom[v] = w->semi[u] < cur ? u : cur;
	}
	return UMDB_OK;
}

static int
semidominator(struct work *w, uint32_t cur)
{
	uint32_t least = w->ancestor[cur], k, u;

	for (k = w->predoff[cur]; k < w->predoff[cur + 1]; k++) {
		u = eval(w, w->pred[k], cur);
		if (u == 0 || eval_poll(w, cur))
			return w->rc;
		if (w->semi[u] < least)
			least = w->semi[u];
	}
	w->semi[cur] = least;
	w->d->idom[cur] = w->bucket[least];
	w->bucket[least] = cur;
	return UMDB_OK;
}

static int
dominators(struct work *w)
{
	struct dom *d = w->d;
	uint32_t p;
	int rc = UMDB_OK;

	w->label = places(d->n);
	w->bucket = places(d->n);
	d->idom = places(d->n);
	if (w->label == NULL || w->bucket == NULL || d->idom == NULL)
		return UMDB_ENOMEM;
	w->phase++;
	for (p = 1; p <= d->n; p++) {
		w->semi[p] = w->label[p] = p;
		if (work_poll(w, 0))
			return UMDB_EINTR;
	}
	for (p = d->n; p > 1 && rc == UMDB_OK; p--) {
		rc = empty_bucket(w, p);
		if (rc == UMDB_OK)
			rc = semidominator(w, p);
	}
	if (rc == UMDB_OK)
		rc = empty_bucket(w, 1);
	if (rc != UMDB_OK)
		return rc;
	for (p = 2; p <= d->n; p++) {
		if (d->idom[p] != w->semi[p])
			d->idom[p] = d->idom[d->idom[p]];
		if (work_poll(w, d->n))
			return UMDB_EINTR;
	}
	d->idom[1] = 0;
	return UMDB_OK;
}

int
find_dom(const struct dom_graph *g, uint32_t root, struct target *tgt,
    struct dom *ret)
{
	struct work w = {.g = g, .tgt = tgt, .d = ret};
	int rc = UMDB_OK;

	memset(ret, 0, sizeof(*ret));
	ret->order = places(g->nnode);
	ret->place = places(g->nnode);
	w.ancestor = places(g->nnode);
	w.semi = places(g->nnode);
	if (ret->order == NULL || ret->place == NULL || w.ancestor == NULL ||
	    w.semi == NULL)
		rc = UMDB_ENOMEM;
	if (rc == UMDB_OK)
		rc = search(&w, root);
	if (rc == UMDB_OK)
		rc = make_predecessors(&w);
	if (rc == UMDB_OK)
		rc = dominators(&w);
	free(w.ancestor);
	free(w.semi);
	free(w.label);
	free(w.bucket);
	free(w.predoff);
	free(w.pred);
	free(w.path);
	return rc;
}

void
find_dom_free(struct dom *d)
{
	free(d->order);
	free(d->place);
	free(d->idom);
	memset(d, 0, sizeof(*d));
}
