/* SPDX-License-Identifier: MIT */
/*
 * test_find_mark.c - marking random graphs, against a naive marker
 *
 * A graph has up to 120 nodes, each a buffer of 64 bytes, and pointers to
 * their starts and insides from roots and from each other.  An array, right
 * before a node, can be where a vector points that has the array's end, which
 * counts as a pointer to the node's inside (find_end.h).  The reference
 * knows the graph, not the memory: it closes reachability by matrices and
 * takes the definitions of live, possible, definite and indirect literally.
 * UMEM_TEST_SEED in the environment makes the graphs of that seed alone.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "find_mark.h"
#include "suites.h"

#define NODES 120u
#define SLOTS 4u   /* pointers in a node, from its start */
#define VECTOR 32u /* offset of the three words of a vector */
#define INSIDE 56u /* offset of pointers to the inside */
#define ROOTS 8u
#define GRAPHS 400u

struct edge {
	bool there, inside, vector; /* by an array's end; then inside, too */
	unsigned to;
};

struct graph {
	unsigned n;
	struct edge root[ROOTS], slot[NODES][SLOTS + 1]; /* last: a vector */
	enum mark_state want[NODES];
};

static uint64_t rng;

static unsigned
roll(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)((rng >> 32) % n);
}

/* --------------------------------------------------------------- reference */

/* Mark all that node @at leads to by edges of @starts_only or of any kind. */
static void
reach(const struct graph *g, unsigned at, bool starts_only, bool *seen)
{
	unsigned i;

	if (seen[at])
		return;
	seen[at] = true;
	for (i = 0; i <= SLOTS; i++)
		if (g->slot[at][i].there &&
		    !(starts_only && g->slot[at][i].inside))
			reach(g, g->slot[at][i].to, starts_only, seen);
}

static void
expect(struct graph *g)
{
	static bool from[NODES][NODES];
	bool live[NODES] = {false}, any[NODES] = {false}, head;
	unsigned i, k;

	for (i = 0; i < ROOTS; i++) {
		if (!g->root[i].there)
			continue;
		if (!g->root[i].inside)
			reach(g, g->root[i].to, true, live);
		reach(g, g->root[i].to, false, any);
	}
	memset(from, 0, sizeof(from));
	for (i = 0; i < g->n; i++)
		reach(g, i, false, from[i]);
	for (i = 0; i < g->n; i++) {
		head = true;
		for (k = 0; k < g->n; k++)
			if (!any[k] && from[k][i] && (!from[i][k] || k < i))
				head = false;
		g->want[i] = live[i]  ? MARK_LIVE
			     : any[i] ? MARK_MAYBE
			     : head   ? MARK_HEAD
				      : MARK_LOST;
	}
}

/* ----------------------------------------------------------------- drawing */

static struct edge
make_edge(const struct graph *g, unsigned self, unsigned one_in)
{
	struct edge e = {0};

	e.there = roll(one_in) == 0;
	e.to = roll(g->n);
	/* one to the own inside would be a way back to the start */
	e.inside = roll(4) == 0 && e.to != self;
	return e;
}

static struct edge
make_vector(const struct graph *g, unsigned self, unsigned one_in)
{
	struct edge e = make_edge(g, self, one_in);

	e.there = e.there && e.to != self;
	e.inside = e.vector = true;
	return e;
}

static void
make_graph(struct graph *g)
{
	unsigned one_in = 1 + roll(8), i, k;

	memset(g, 0, sizeof(*g));
	g->n = 1 + roll(NODES);
	for (i = 0; i < ROOTS; i++)
		g->root[i] = roll(4) == 0 ? make_vector(g, NODES, 3)
					  : make_edge(g, NODES, 3);
	for (i = 0; i < g->n; i++) {
		for (k = 0; k < SLOTS; k++)
			g->slot[i][k] = make_edge(g, i, one_in);
		g->slot[i][SLOTS] = make_vector(g, i, one_in);
	}
	expect(g);
}

static void
put_edge(struct draw *d, taddr_t at, const struct edge *e, const taddr_t *buf)
{
	if (!e->there)
		return;
	if (e->vector) {
		fake_put64(d->tgt, at, buf[e->to] - 64);
		fake_put64(d->tgt, at + 8, buf[e->to] - 64 + 24);
		fake_put64(d->tgt, at + 16, buf[e->to]);
		return;
	}
	fake_put64(d->tgt, at, buf[e->to] + (e->inside ? INSIDE : 0));
}

static void
draw_graph(struct draw *d, const struct graph *g, taddr_t *buf)
{
	taddr_t cache, slab[2];
	unsigned i, k;

	draw_open(d);
	cache = draw_cache(d, "umem_alloc_64", 64, UMF_MALLOC, 1);
	slab[0] = draw_slab(d, cache, NODES);
	slab[1] = draw_slab(d, cache, NODES);
	for (i = 0; i < g->n; i++) {
		k = 2 * (i % (NODES / 2));
		draw_alloc(d, slab[i / (NODES / 2)], k, 64); /* the array */
		buf[i] = draw_alloc(d, slab[i / (NODES / 2)], k + 1, 64);
	}
	for (i = 0; i < ROOTS; i++)
		put_edge(d, DRAW_APP_DATA + 64 * i, &g->root[i], buf);
	for (i = 0; i < g->n; i++)
		for (k = 0; k <= SLOTS; k++)
			put_edge(d, buf[i] + (k < SLOTS ? 8 * k : VECTOR),
			    &g->slot[i][k], buf);
}

/* How a graph is marked; zero: as it is best. */
struct way {
	unsigned workers;
	uint64_t gather; /* as in struct mark */
	bool copy;       /* memory is not lent */
	bool fetch;      /* copies are better, and zeros are known */
};

static unsigned fetched, zeros; /* calls; atomic */

static int
fetch(struct target *tgt, const void *lent, void *buf, size_t len)
{
	(void)tgt;
	memcpy(buf, lent, len);
	__atomic_fetch_add(&fetched, 1, __ATOMIC_RELAXED);
	return UMDB_OK;
}

/* As a core does, all zeros by whole blocks. */
static size_t
hole(struct target *tgt, const void *lent, size_t len)
{
	const unsigned char *p = lent;
	size_t n = 0;

	(void)tgt;
	while (n < len && p[n] == 0)
		n++;
	__atomic_fetch_add(&zeros, n >= 512, __ATOMIC_RELAXED);
	return n / 512 * 512;
}

static void
check_graph(struct draw *d, const struct graph *g, const taddr_t *buf,
    const struct way *way, uint64_t seed)
{
	struct snap *snap = snap_open(d->tgt);
	const struct snap_slab *s;
	struct mark m;
	uint32_t index;
	unsigned i;

	ck_assert_ptr_nonnull(snap);
	ck_assert_int_eq(find_mark_init(&m, snap), UMDB_OK);
	m.workers = way->workers;
	m.gather = way->gather;
	ck_assert_int_eq(find_mark_run(&m), UMDB_OK);
	for (i = 0; i < g->n; i++) {
		ck_assert(snap_buf_at(snap, buf[i], &s, &index));
		ck_assert_msg(m.state[s->buf + index] == g->want[i],
		    "seed %#llx: node %u of %u is %d, should be %d",
		    (unsigned long long)seed, i, g->n, m.state[s->buf + index],
		    g->want[i]);
	}
	find_mark_fini(&m);
	snap_close(snap);
}

static void
try_graphs(struct way way)
{
	const char *one = getenv("UMEM_TEST_SEED");
	uint64_t seed = one != NULL ? strtoull(one, NULL, 0) : 1;
	taddr_t buf[NODES];
	struct target_ops ops;
	struct graph g;
	struct draw d;
	unsigned i;

	for (i = 0; i < (one != NULL ? 1 : GRAPHS); i++, seed++) {
		rng = seed * 0x9e3779b97f4a7c15ULL;
		make_graph(&g);
		draw_graph(&d, &g, buf);
		fake_lend(d.tgt, !way.copy);
		ops = *d.tgt->ops;
		ops.fetch = fetch;
		ops.hole = hole;
		if (way.fetch)
			d.tgt->ops = &ops;
		check_graph(&d, &g, buf, &way, seed);
		draw_close(&d);
	}
}

START_TEST(random_graphs_are_marked_as_the_reference_does)
{
	try_graphs((struct way){.workers = 1});
}
END_TEST

START_TEST(several_threads_mark_the_same)
{
	try_graphs((struct way){.workers = 4});
}
END_TEST

START_TEST(memory_that_is_not_lent_is_marked_the_same)
{
	try_graphs((struct way){.workers = 1, .copy = true});
}
END_TEST

START_TEST(pointers_that_find_no_room_are_read_where_they_are)
{
	/* none is gathered; those of one of the two slabs are */
	try_graphs((struct way){.workers = 1, .gather = 2});
	try_graphs((struct way){.workers = 1, .gather = 30000});
	try_graphs((struct way){.workers = 4, .gather = 30000});
}
END_TEST

START_TEST(copied_blocks_and_skipped_holes_change_nothing)
{
	fetched = zeros = 0;
	try_graphs((struct way){.workers = 1, .fetch = true});
	try_graphs((struct way){.workers = 4, .fetch = true});
	ck_assert_uint_ne(fetched, 0);
	ck_assert_uint_ne(zeros, 0);
}
END_TEST

/* One that is not gathered, with holes, and the last word of it in use. */
START_TEST(large_buffers_are_read_to_their_ends)
{
	enum { SIZE = 3 << 20 };
	struct target_ops ops;
	struct snap *snap;
	struct mark m;
	struct draw d;
	taddr_t slab, large, buf[2];
	unsigned i;

	for (i = 0; i < 2; i++) {
		draw_open(&d);
		slab = draw_slab(
		    &d, draw_cache(&d, "umem_alloc_64", 64, UMF_MALLOC, 1), 60);
		buf[0] = draw_alloc(&d, slab, 0, 64);
		buf[1] = draw_alloc(&d, slab, 1, 64);
		large = draw_buf(&d, draw_large(&d, SIZE), 0);
		fake_put64(d.tgt, DRAW_APP_DATA, large);
		fake_put64(d.tgt, large + SIZE - 8, buf[0]);
		fake_put64(d.tgt, large + SIZE / 2, buf[1]);
		ops = *d.tgt->ops;
		ops.fetch = fetch;
		ops.hole = hole;
		if (i == 1)
			d.tgt->ops = &ops;
		snap = snap_open(d.tgt);
		ck_assert_ptr_nonnull(snap);
		ck_assert_int_eq(find_mark_init(&m, snap), UMDB_OK);
		ck_assert_int_eq(find_mark_run(&m), UMDB_OK);
		ck_assert_uint_eq(m.stats.candidate_bytes, SIZE + 128);
		ck_assert_uint_eq(m.stats.heap_words, (SIZE + 128) / 8);
		ck_assert_uint_eq(m.stats.candidates, 3);
		for (slab = 0; slab < snap->nbuf; slab++)
			ck_assert(m.state[slab] == MARK_NONE ||
				  m.state[slab] == MARK_LIVE);
		find_mark_fini(&m);
		snap_close(snap);
		draw_close(&d);
	}
}
END_TEST

/* A list of many buffers, and a lost one: deep, and more than one share. */
START_TEST(long_lists_and_wide_tables_are_followed_to_the_end)
{
	enum { SLABS = 12, CHUNKS = 4096 };
	struct snap *snap;
	struct mark m;
	struct draw d;
	taddr_t cache, slab, buf, last = 0, first = 0;
	unsigned i, k;
	uint64_t n = 0;

	draw_open(&d);
	cache = draw_cache(&d, "umem_alloc_16", 16, UMF_MALLOC, 1);
	for (i = 0; i < SLABS; i++) {
		slab = draw_slab(&d, cache, CHUNKS);
		for (k = 0; k < CHUNKS; k++) {
			buf = draw_alloc(&d, slab, k, 16);
			if (i < SLABS / 2) { /* one list */
				fake_put64(d.tgt, buf, last);
				last = buf;
			} else if (i < SLABS - 1) { /* two each */
				fake_put64(d.tgt, buf, first);
				fake_put64(d.tgt, buf + 8, last);
				first = last;
				last = buf;
			} else if (k > 0) { /* a lost list */
				fake_put64(d.tgt, buf, buf - 16);
			}
		}
	}
	fake_put64(d.tgt, DRAW_APP_DATA, last);
	snap = snap_open(d.tgt);
	for (i = 1; i <= 4; i++) {
		ck_assert_int_eq(find_mark_init(&m, snap), UMDB_OK);
		m.workers = i;
		ck_assert_int_eq(find_mark_run(&m), UMDB_OK);
		n = 0;
		for (k = 0; k < snap->nbuf; k++)
			n += m.state[k] == MARK_LIVE;
		ck_assert_uint_eq(n, (SLABS - 1) * CHUNKS);
		ck_assert_int_eq(m.state[snap->nbuf - 1], MARK_HEAD);
		ck_assert_int_eq(m.state[snap->nbuf - 2], MARK_LOST);
		find_mark_fini(&m);
	}
	snap_close(snap);
	draw_close(&d);
}
END_TEST

Suite *
test_find_mark_suite(void)
{
	Suite *s = suite_create("find_mark");
	TCase *t = tcase_create("graphs");

	tcase_set_timeout(t, 0);
	tcase_add_test(t, random_graphs_are_marked_as_the_reference_does);
	tcase_add_test(t, several_threads_mark_the_same);
	tcase_add_test(t, memory_that_is_not_lent_is_marked_the_same);
	tcase_add_test(t, pointers_that_find_no_room_are_read_where_they_are);
	tcase_add_test(t, copied_blocks_and_skipped_holes_change_nothing);
	tcase_add_test(t, large_buffers_are_read_to_their_ends);
	tcase_add_test(t, long_lists_and_wide_tables_are_followed_to_the_end);
	suite_add_tcase(s, t);
	return s;
}
