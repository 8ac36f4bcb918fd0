/* SPDX-License-Identifier: MIT */
/*
 * find_top.c - what keeps most of the memory: by roots
 *
 * Above the graph of buffers stand more nodes: one for each root thing (a
 * variable, a stack, a mapping), one for each object above its variables, and
 * one above all.  What a thing's node dominates is what the thing retains;
 * what an object's node dominates and none of its variables does is shared by
 * several of these; and so on.
 *
 * Layer: see find_top.h.
 */
#include <stdlib.h>
#include <time.h>

#include "find_sort.h"
#include "find_top.h"

#define NONE UINT32_MAX
#define POLL_EVERY 4096u
#define NAMELESS_MOST 16384u
#define NAMING_POLL "naming variables"

/* A root thing, or an object (that things are in). */
struct thing {
	enum top_who who;
	uint32_t above; /* index of the object's thing; NONE: the top */
	uint32_t edges; /* that count */
	const struct part *part;
	struct top_root row;
};

struct roof {
	struct graph *g;
	top_variable_fn *variable;
	void *arg;
	uint32_t nameless; /* words looked at one by one */
	struct thing *thing;
	size_t nthing, room;
	uint32_t *of_hit; /* thing of each hit; NONE: does not count */
	uint32_t *by_thread[PLACE_KINDS]; /* things of stacks, TLS */
	uint32_t *by_arena;
	size_t nmemory;     /* hits in memory: these are sorted */
	uint32_t *arena_of; /* of those: index in snap->arena, or NONE */
	uint32_t *off, *to;
	struct kept kept;
};

/* ------------------------------------------------------------------ things */

static int
thing_add(struct roof *r, enum top_who who, const struct part *part,
    uint32_t above, uint32_t *ret)
{
	const size_t room = r->room == 0 ? 256 : r->room * 2;
	struct thing *t;

	if (r->nthing == r->room) {
		if (room >= DOM_MAX_NODES / 2)
			return UMDB_ENOMEM;
		t = realloc(r->thing, room * sizeof(*t));
		if (t == NULL)
			return UMDB_ENOMEM;
		r->thing = t;
		r->room = room;
	}
	t = &r->thing[r->nthing];
	memset(t, 0, sizeof(*t));
	t->who = t->row.who = who;
	t->part = part;
	t->above = above;
	*ret = (uint32_t)r->nthing++;
	return UMDB_OK;
}

static const char *
part_object(const struct roof *r, const struct part *p)
{
	return r->g->m.snap->tgt->region[p->region].name;
}

/* The object that a part belongs to, by the name of its file. */
static int
thing_of_object(struct roof *r, const struct part *p, uint32_t *ret)
{
	const char *name = part_object(r, p);
	size_t i;

	/* parts of one object follow each other */
	for (i = r->nthing; i-- > 0;) {
		const struct thing *t = &r->thing[i];

		if (t->who == TOP_OBJECT &&
		    strcmp(part_object(r, t->part), name) == 0) {
			*ret = (uint32_t)i;
			return UMDB_OK;
		}
	}
	return thing_add(r, TOP_OBJECT, p, NONE, ret);
}

/*
 * How many of a part's hits from @first on are of the same variable.  A table
 * has many words: leap, then close in.  Words of no known variable may have
 * variables between them and are looked at one by one; but in an object
 * without symbols there would be no end to that.
 */
static int
same_run(struct roof *r, const struct part *p, size_t first, size_t *ret)
{
	const size_t n = p->first + p->n - first;
	const taddr_t *at = r->g->hit_at + first;
	const taddr_t start = r->variable(r->arg, p, at[0]);
	size_t lo = 0, step = 1, hi, mid;

	while (start == 0 && r->nameless < NAMELESS_MOST) {
		if (lo + 1 == n || r->variable(r->arg, p, at[lo + 1]) != 0) {
			*ret = lo + 1;
			return UMDB_OK;
		}
		lo++;
		if (target_poll(
			r->g->m.snap->tgt, NAMING_POLL, first + lo, r->g->nhit))
			return UMDB_EINTR;
		r->nameless++;
	}
	while (
	    lo + step < n && r->variable(r->arg, p, at[lo + step]) == start) {
		lo += step;
		step *= 2;
	}
	hi = lo + step < n ? lo + step : n;
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (r->variable(r->arg, p, at[mid]) == start)
			lo = mid;
		else
			hi = mid;
	}
	*ret = hi;
	return UMDB_OK;
}

static int
things_in_data(struct roof *r, const struct part *p)
{
	uint32_t object, thing;
	size_t i, k, n;
	int rc = thing_of_object(r, p, &object);

	for (i = p->first; i < p->first + p->n && rc == UMDB_OK; i += n) {
		rc = same_run(r, p, i, &n);
		if (rc != UMDB_OK)
			break;
		rc = thing_add(r, TOP_ONE, p, object, &thing);
		for (k = i; k < i + n && rc == UMDB_OK; k++) {
			r->of_hit[k] = thing;
			if (graph_poll(r->g, k, NAMING_POLL, k, r->g->nhit))
				rc = UMDB_EINTR;
		}
		if (rc == UMDB_OK &&
		    target_poll(r->g->m.snap->tgt, NAMING_POLL, i, r->g->nhit))
			rc = UMDB_EINTR;
	}
	return rc;
}

/* Note whose memory hits in arenas stand in: the deepest arena that has it. */
struct label {
	struct roof *r;
	uint32_t arena;
};

static int
label_segment(struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	struct label *l = arg;
	const struct graph *g = l->r->g;
	size_t lo = 0, hi = l->r->nmemory;

	(void)addr;
	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (g->hit_at[mid] < seg->vs_start)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < l->r->nmemory && g->hit_at[lo] < seg->vs_end; lo++) {
		l->r->arena_of[lo] = l->arena;
		if (graph_poll(g, lo, "naming arenas", lo, g->nhit))
			return UMDB_EINTR;
	}
	return target_poll(snap->tgt, "naming arenas", lo, g->nhit) ? UMDB_EINTR
								    : WALK_NEXT;
}

/* Segments of an arena that is damaged are labelled as far as they go. */
static int
label_arenas(struct roof *r)
{
	struct snap *snap = r->g->m.snap;
	uint32_t depth, i;
	bool any = true;

	for (depth = 0; any && depth <= snap->narena; depth++) {
		any = false;
		for (i = 0; i < snap->narena; i++) {
			struct label l = {r, i};

			if (snap->arena[i].v.vm_depth < depth)
				continue;
			any = true;
			if (snap->arena[i].v.vm_depth == depth &&
			    (snap->arena[i].v.vm_flags & VMF_INTERNAL) == 0 &&
			    walk_segments(snap, &snap->arena[i], VMEM_SEG_ALLOC,
				label_segment, &l) == UMDB_EINTR)
				return UMDB_EINTR;
		}
	}
	return UMDB_OK;
}

static int
things_in_arenas(struct roof *r, const struct part *p)
{
	uint32_t *thing;
	size_t k;
	int rc = UMDB_OK;

	for (k = p->first; k < p->first + p->n && rc == UMDB_OK; k++) {
		thing =
		    &r->by_arena[r->arena_of[k] == NONE ? r->g->m.snap->narena
							: r->arena_of[k]];
		if (*thing == NONE)
			rc = thing_add(r, TOP_ONE, p, NONE, thing);
		r->of_hit[k] = *thing;
		if (graph_poll(r->g, k, "naming arenas", k, r->g->nhit))
			rc = UMDB_EINTR;
	}
	return rc;
}

/* Parts that are one thing, or a piece of one that was made before. */
static int
thing_of_part(struct roof *r, const struct part *p)
{
	const struct part *last =
	    r->nthing > 0 ? r->thing[r->nthing - 1].part : NULL;
	uint32_t fresh = NONE, *thing = &fresh;
	size_t k;
	int rc = UMDB_OK;

	if (p->thread != PLACE_NONE)
		thing = &r->by_thread[p->kind][p->thread];
	else if (last != NULL && last->kind == p->kind &&
		 last->region == p->region)
		fresh = (uint32_t)(r->nthing - 1);
	if (*thing == NONE)
		rc = thing_add(r, TOP_ONE, p, NONE, thing);
	for (k = p->first; k < p->first + p->n && rc == UMDB_OK; k++) {
		r->of_hit[k] = *thing;
		if (graph_poll(r->g, k, "naming roots", k, r->g->nhit))
			rc = UMDB_EINTR;
	}
	return rc;
}

static uint32_t *
nones(size_t n)
{
	uint32_t *p = malloc((n + 1) * sizeof(*p));

	if (p != NULL)
		memset(p, 0xff, (n + 1) * sizeof(*p));
	return p;
}

static int
roof_init(struct roof *r)
{
	struct graph *g = r->g;
	unsigned kind;
	size_t i;

	r->nmemory = g->nhit;
	for (i = 0; i < g->parts.n; i++)
		if (g->parts.part[i].kind == PLACE_HELD)
			r->nmemory = g->parts.part[i].first;
	r->of_hit = nones(g->nhit);
	r->arena_of = nones(r->nmemory);
	r->by_arena = nones(g->m.snap->narena);
	if (r->of_hit == NULL || r->arena_of == NULL || r->by_arena == NULL)
		return UMDB_ENOMEM;
	for (kind = 0; kind < PLACE_KINDS; kind++) {
		r->by_thread[kind] = nones(g->m.snap->tgt->nthread);
		if (r->by_thread[kind] == NULL)
			return UMDB_ENOMEM;
	}
	return UMDB_OK;
}

static int
roof_things(struct roof *r)
{
	const struct graph *g = r->g;
	size_t i;
	int rc = label_arenas(r);

	for (i = 0; i < g->parts.n && rc == UMDB_OK; i++) {
		const struct part *p = &g->parts.part[i];

		if (p->n == 0)
			continue;
		if (p->kind == PLACE_DATA)
			rc = things_in_data(r, p);
		else if (p->kind == PLACE_ARENA)
			rc = things_in_arenas(r, p);
		else
			rc = thing_of_part(r, p);
	}
	free(r->arena_of);
	r->arena_of = NULL;
	return rc;
}

/* ------------------------------------------------------------------- ranks */

/* Drop pointers to what is reached from roots of a higher rank. */
static int
roof_rank(struct roof *r)
{
	const struct graph *g = r->g;
	unsigned rank;
	size_t i, k;

	for (i = 0; i < g->parts.n; i++) {
		const struct part *p = &g->parts.part[i];

		rank = graph_rank(p->kind);
		for (k = p->first; k < p->first + p->n; k++) {
			if (g->live[g->hit_to[k]] < 1 + rank)
				r->of_hit[k] = NONE;
			if (graph_poll(g, k, "ranking roots", k, g->nhit))
				return UMDB_EINTR;
		}
	}
	return UMDB_OK;
}

/* -------------------------------------------------------------------- edges */

/* Row 0: the top; row 1 + i: thing i. */
static int
roof_edges(struct roof *r)
{
	const struct graph *g = r->g;
	const size_t rows = r->nthing + 1;
	uint64_t sum = 0;
	uint32_t row;
	size_t i;

	if (g->nhit + r->nthing >= UINT32_MAX ||
	    g->nbuf + rows >= DOM_MAX_NODES)
		return target_fail(g->m.snap->tgt, UMDB_ETARGET, 0,
		    "there are too many pointers");
	r->off = calloc(rows + 2, sizeof(*r->off));
	r->to = malloc((g->nhit + r->nthing + 1) * sizeof(*r->to));
	if (r->off == NULL || r->to == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < g->nhit; i++) {
		if (r->of_hit[i] != NONE)
			r->off[1 + r->of_hit[i]]++;
		if (graph_poll(g, i, "joining roots", i, 2 * g->nhit))
			return UMDB_EINTR;
	}
	for (i = 0; i < r->nthing; i++) {
		r->thing[i].edges = r->off[1 + i];
		if (r->thing[i].above == NONE)
			r->off[0]++;
	}
	for (i = 0; i < r->nthing; i++)
		if (r->thing[i].above != NONE)
			r->off[1 + r->thing[i].above]++;
	for (i = 0; i <= rows; i++) {
		sum += r->off[i];
		r->off[i] = (uint32_t)sum;
	}
	for (i = g->nhit; i-- > 0;) {
		if (r->of_hit[i] != NONE)
			r->to[--r->off[1 + r->of_hit[i]]] = g->hit_to[i];
		if (graph_poll(
			g, i, "joining roots", 2 * g->nhit - i, 2 * g->nhit))
			return UMDB_EINTR;
	}
	for (i = r->nthing; i-- > 0;) {
		row = r->thing[i].above == NONE ? 0 : 1 + r->thing[i].above;
		r->to[--r->off[row]] = g->nbuf + 1 + (uint32_t)i;
	}
	return UMDB_OK;
}

/* ----------------------------------------------------------------- retained */

/* Sum up by dominators; a node's come before it. */
static int
kept_sum(struct kept *k)
{
	const struct graph *g = k->g;
	const struct snap *snap = g->m.snap;
	uint32_t p, c;
	size_t i;

	k->bytes = find_mem_table((size_t)k->dom.n + 2, sizeof(*k->bytes));
	k->count = find_mem_table((size_t)k->dom.n + 2, sizeof(*k->count));
	if (k->bytes == NULL || k->count == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < snap->nslab; i++) {
		const struct mark_slab *ms = &g->m.slab[i];

		for (c = 0; c < ms->nchunk; c++) {
			p = k->dom.place[snap->slab[i].buf + c];
			if (p == 0)
				continue;
			k->bytes[p] = find_mark_size(ms, c);
			k->count[p] = 1;
		}
		if (target_poll(snap->tgt, "adding up", i, snap->nslab))
			return UMDB_EINTR;
	}
	for (p = k->dom.n; p > 1; p--) {
		k->bytes[k->dom.idom[p]] += k->bytes[p];
		k->count[k->dom.idom[p]] += k->count[p];
		if (p % POLL_EVERY == 0 &&
		    target_poll(snap->tgt, "adding up", 0, 0))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

static void
kept_fini(struct kept *k)
{
	find_dom_free(&k->dom);
	free(k->bytes);
	free(k->count);
}

/* ---------------------------------------------------------------------- rows */

/*
 * Note a place among those that most is retained through: one of each thing,
 * the best one.
 */
static void
row_place(struct top_root *row, uint32_t thing, const struct top_place *place)
{
	size_t i, k;

	for (i = 0; i < row->nplace; i++)
		if (row->who == TOP_ONE || row->thing[i] == thing)
			break;
	if (i == row->nplace && row->nplace < TOP_PLACES)
		row->nplace++;
	else if (i == row->nplace)
		i--;
	if (row->place[i].part != NULL && row->place[i].bytes >= place->bytes)
		return;
	for (k = i; k > 0 && row->place[k - 1].bytes < place->bytes; k--) {
		row->place[k] = row->place[k - 1];
		row->thing[k] = row->thing[k - 1];
	}
	row->place[k] = *place;
	row->thing[k] = thing;
}

/* The row that stands for whatever dominates a place; NULL for a buffer. */
static struct top_root *
row_of(struct roof *r, struct top_root *several, uint32_t dominator)
{
	const uint32_t node = r->kept.dom.order[dominator];

	if (node < r->g->nbuf)
		return NULL;
	return node == r->g->nbuf ? several
				  : &r->thing[node - r->g->nbuf - 1].row;
}

/* Roots' own pointers. */
static int
rows_places(struct roof *r, struct top_root *several)
{
	const struct kept *k = &r->kept;
	struct top_place place;
	struct top_root *row;
	uint32_t p;
	size_t i;

	for (i = 0; i < r->g->nhit; i++) {
		if (graph_poll(r->g, i, "naming places", i, r->g->nhit))
			return UMDB_EINTR;
		if (r->of_hit[i] == NONE)
			continue;
		p = k->dom.place[r->g->hit_to[i]];
		row = row_of(r, several, k->dom.idom[p]);
		if (row == NULL)
			continue;
		place.part = r->thing[r->of_hit[i]].part;
		place.at = r->g->hit_at[i];
		place.bytes = k->bytes[p];
		row->pointers++;
		row_place(row, r->of_hit[i], &place);
	}
	return UMDB_OK;
}

/*
 * What several roots share is mostly pointed to by what each of them has: two
 * owners of one object.  Follow such pointers back to the roots.
 */
struct back {
	struct roof *r;
	struct top_root *several;
	uint8_t *shared; /* a bit by node: several roots keep it */
	uint32_t *under; /* by place: that of the first thing above, or 1 */
};

static bool
back_poll(const struct back *b, uint32_t done)
{
	return target_poll(
	    b->r->g->m.snap->tgt, "naming roots", done, b->r->kept.dom.n);
}

/* Note which nodes several roots keep; sets *any_ret when there are some. */
static int
back_shared(struct back *b, bool *any_ret)
{
	const struct dom *dom = &b->r->kept.dom;
	const uint32_t nbuf = b->r->g->nbuf;
	const struct top_root *row;
	uint32_t p, node;

	for (p = 2; p <= dom->n; p++) {
		node = dom->order[p];
		row = row_of(b->r, b->several, dom->idom[p]);
		if (p % POLL_EVERY == 0 && back_poll(b, p))
			return UMDB_EINTR;
		if (node >= nbuf || row == NULL || row->who == TOP_ONE)
			continue;
		b->shared[node / 8] |= (uint8_t)(1u << node % 8);
		*any_ret = true;
	}
	return UMDB_OK;
}

static int
back_init(struct back *b)
{
	const struct dom *dom = &b->r->kept.dom;
	const uint32_t nbuf = b->r->g->nbuf;
	bool any = false;
	uint32_t p;
	int rc;

	b->shared = calloc((size_t)nbuf / 8 + 1, 1);
	if (b->shared == NULL)
		return UMDB_ENOMEM;
	rc = back_shared(b, &any);
	if (rc != UMDB_OK || !any)
		return rc;
	b->under = malloc(((size_t)dom->n + 2) * sizeof(*b->under));
	if (b->under == NULL)
		return UMDB_ENOMEM;
	for (p = 1; p <= dom->n; p++) {
		b->under[p] =
		    dom->order[p] >= nbuf ? p : b->under[dom->idom[p]];
		if (p % POLL_EVERY == 0 && back_poll(b, p))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

/* A pointer of buffer @from to the shared @to. */
static void
back_note(struct back *b, uint32_t from, uint32_t to)
{
	struct roof *r = b->r;
	const struct kept *k = &r->kept;
	const uint32_t p = k->dom.place[to];
	const uint32_t above = b->under[k->dom.place[from]];
	struct top_root *row = row_of(r, b->several, k->dom.idom[p]);
	struct top_place place;
	uint32_t thing;

	if (above <= 1 || above == k->dom.idom[p])
		return;
	thing = k->dom.order[above] - r->g->nbuf - 1;
	if (r->thing[thing].row.nplace == 0)
		return;
	place = r->thing[thing].row.place[0];
	place.bytes = k->bytes[p];
	row->pointers++;
	row_place(row, thing, &place);
}

/* All pointers of buffers that are kept to shared ones. */
static int
back_edges(struct back *b)
{
	const struct graph *g = b->r->g;
	uint32_t node, e;

	for (node = 0; node < g->nbuf; node++) {
		if (node % POLL_EVERY == 0 && back_poll(b, node))
			return UMDB_EINTR;
		if (b->r->kept.dom.place[node] == 0)
			continue;
		for (e = g->off[node]; e < g->off[node + 1]; e++) {
			if ((b->shared[g->to[e] / 8] >> g->to[e] % 8 & 1) != 0)
				back_note(b, node, g->to[e]);
			if (e % GRAPH_POLL == 0 && back_poll(b, node))
				return UMDB_EINTR;
		}
	}
	return UMDB_OK;
}

static int
rows_back(struct roof *r, struct top_root *several)
{
	struct back b = {.r = r, .several = several};
	int rc = back_init(&b);

	if (rc == UMDB_OK && b.under != NULL)
		rc = back_edges(&b);
	free(b.shared);
	free(b.under);
	return rc;
}

/* What an object retains beyond its variables, and all roots beyond theirs. */
static void
rows_count(struct roof *r, struct top_root *several)
{
	const struct kept *k = &r->kept;
	struct top_root *above;
	uint32_t p;
	size_t i;

	several->bytes = k->bytes[1];
	several->count = k->count[1];
	for (i = 0; i < r->nthing; i++) {
		p = k->dom.place[r->g->nbuf + 1 + i];
		r->thing[i].row.bytes = k->bytes[p];
		r->thing[i].row.count = k->count[p];
	}
	/* an object's things come after it, and count in the object alone */
	for (i = r->nthing; i-- > 0;) {
		p = k->dom.place[r->g->nbuf + 1 + i];
		above = r->thing[i].above == NONE
			    ? several
			    : &r->thing[r->thing[i].above].row;
		above->bytes -= k->bytes[p];
		above->count -= k->count[p];
	}
}

static int
root_compare(const void *a, const void *b)
{
	const struct top_root *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->who != y->who)
		return x->who < y->who ? -1 : 1;
	return x->thing[0] < y->thing[0] ? -1 : x->thing[0] > y->thing[0];
}

static int
roof_rows(struct roof *r, struct top *t)
{
	struct top_root several = {.who = TOP_SEVERAL};
	size_t i;
	int rc;

	t->root = calloc(r->nthing + 1, sizeof(*t->root));
	if (t->root == NULL)
		return UMDB_ENOMEM;
	rc = rows_places(r, &several);
	if (rc == UMDB_OK)
		rc = rows_back(r, &several);
	if (rc != UMDB_OK)
		return rc;
	rows_count(r, &several);
	for (i = 0; i < r->nthing; i++)
		if (r->thing[i].row.count > 0)
			t->root[t->nroot++] = r->thing[i].row;
	if (several.count > 0)
		t->root[t->nroot++] = several;
	return find_sort(r->g->m.snap->tgt, "ordering roots", t->root, t->nroot,
	    sizeof(*t->root), root_compare);
}

/* ---------------------------------------------------------------- the whole */

static int
top_make(struct roof *r, struct top *t)
{
	struct dom_graph dg;
	int rc = roof_init(r);

	if (rc == UMDB_OK)
		rc = roof_things(r);
	if (rc == UMDB_OK)
		rc = roof_rank(r);
	if (rc == UMDB_OK)
		rc = roof_edges(r);
	if (rc != UMDB_OK)
		return rc;
	dg.split = r->g->nbuf;
	dg.nnode = r->g->nbuf + 1 + (uint32_t)r->nthing;
	dg.low = (struct dom_rows){r->g->off, r->g->to};
	dg.high = (struct dom_rows){r->off, r->to};
	rc = find_dom(&dg, r->g->nbuf, r->g->m.snap->tgt, &r->kept.dom);
	if (rc == UMDB_OK)
		rc = kept_sum(&r->kept);
	if (rc == UMDB_OK)
		rc = roof_rows(r, t);
	if (rc == UMDB_OK)
		rc = find_top_sites(&r->kept, t);
	return rc;
}

static void
roof_fini(struct roof *r)
{
	unsigned kind;

	for (kind = 0; kind < PLACE_KINDS; kind++)
		free(r->by_thread[kind]);
	free(r->by_arena);
	free(r->arena_of);
	free(r->of_hit);
	free(r->thing);
	free(r->off);
	free(r->to);
	kept_fini(&r->kept);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int
find_top(
    struct graph *g, top_variable_fn *variable, void *arg, struct top **ret)
{
	const double start = seconds();
	struct roof r = {.g = g, .variable = variable, .arg = arg, .kept.g = g};
	struct top *t = calloc(1, sizeof(*t));
	int rc = t != NULL ? top_make(&r, t) : UMDB_ENOMEM;

	roof_fini(&r);
	*ret = NULL;
	if (rc == UMDB_OK) {
		t->seconds = seconds() - start;
		*ret = t;
		return UMDB_OK;
	}
	find_top_free(t);
	return rc == UMDB_ENOMEM
		   ? target_fail(g->m.snap->tgt, rc, 0, "out of memory")
		   : rc;
}

void
find_top_free(struct top *t)
{
	if (t == NULL)
		return;
	free(t->site);
	free(t->root);
	free(t);
}
