/* SPDX-License-Identifier: MIT */
/*
 * test_find_poll.c - the user can stop opening a heap, and every question
 *
 * Two things make Ctrl-C work: a poll that says stop ends the work, whatever
 * was polled, and no loop over buffers, pointers or places runs on for long
 * without a poll.  The first is tried for each poll in turn.  For the second
 * heaps of three shapes have many of one thing, and the polls of each kind of
 * work are counted against what there is to be done.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "find.h"
#include "find_top.h"
#include "suites.h"

static struct draw d;
static struct snap *snap;
static struct graph *g;
static taddr_t depot; /* a magazine in a depot */

#define HELD (DRAW_HEAP + 0x300000u) /* memory from the program's own arena */

static taddr_t
page_of(void *arg, const struct part *part, taddr_t at)
{
	(void)arg;
	(void)part;
	return at & ~(taddr_t)4095;
}

static int
take_ref(void *arg, const struct ref *ref)
{
	(void)arg;
	(void)ref;
	return WALK_NEXT;
}

/* --------------------------------------------------------------- questions */

static int
ask_open(uint32_t node)
{
	(void)node;
	snap_close(snap);
	snap = snap_open(d.tgt);
	return snap != NULL ? UMDB_OK : d.tgt->err.code;
}

static int
ask_graph(uint32_t node)
{
	(void)node;
	find_graph_free(g);
	return find_graph(snap, &g);
}

static int
ask_leaks(uint32_t node)
{
	struct leaks *leaks;
	const int rc = find_leaks(snap, &leaks);

	(void)node;
	find_leaks_free(leaks);
	return rc;
}

static int
ask_top(uint32_t node)
{
	struct top *top;
	const int rc = find_top(g, page_of, NULL, &top);

	(void)node;
	find_top_free(top);
	return rc;
}

static int
ask_refs(uint32_t node)
{
	return find_refs(g, node, take_ref, NULL);
}

static int
ask_path(uint32_t node)
{
	struct ref *ref;
	size_t n;
	const int rc = find_path(g, node, &ref, &n);

	if (rc == UMDB_OK)
		ck_assert_uint_gt(n, 0);
	free(ref);
	return rc;
}

static int
ask_owned(uint32_t node)
{
	struct owned o;
	const int rc = find_owned(g, node, &o);

	if (rc == UMDB_OK)
		find_owned_free(&o);
	return rc;
}

/* What whatis looks through for it: magazines, the depots of all caches. */
static int
ask_magazine(uint32_t node)
{
	struct whatis w;
	int rc;

	(void)node;
	snap_forget_places(snap);
	rc = find_whatis(snap, depot, &w);
	if (rc == UMDB_OK && depot != 0)
		ck_assert_int_eq(w.kind, WHAT_MAGAZINE);
	return rc;
}

static int
ask_segment(uint32_t node)
{
	struct whatis w;
	int rc;

	(void)node;
	snap_forget_places(snap);
	rc = find_whatis(snap, HELD + 0x2000, &w);
	if (rc == UMDB_OK && depot != 0)
		ck_assert_int_eq(w.kind, WHAT_SEGMENT);
	return rc;
}

/* In this order: later ones need what the first ones make. */
static const struct question {
	const char *name;
	int (*ask)(uint32_t node);
} questions[] = {
    {"open", ask_open},
    {"leaks", ask_leaks},
    {"graph", ask_graph},
    {"top", ask_top},
    {"refs", ask_refs},
    {"path", ask_path},
    {"owned", ask_owned},
    {"magazine", ask_magazine},
    {"segment", ask_segment},
};
#define NQUESTIONS (sizeof(questions) / sizeof(questions[0]))

/* ------------------------------------------------------------------- polls */

enum { KINDS = 64 };

struct polls {
	uint64_t n, refuse; /* so far; the one that is refused, or 0 */
	struct kind {
		char what[40];
		uint64_t n;
	} kind[KINDS];
	unsigned nkind;
};

/* Target_poll asks after some time only: make it ask every time. */
static bool
count(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct polls *p = arg;
	unsigned i;

	(void)done;
	(void)total;
	d.tgt->polled = 0;
	for (i = 0; i < p->nkind && strcmp(p->kind[i].what, what) != 0;)
		i++;
	ck_assert_uint_lt(i, KINDS);
	if (i == p->nkind)
		snprintf(p->kind[p->nkind++].what, sizeof(p->kind[0].what),
		    "%s", what);
	p->kind[i].n++;
	return ++p->n == p->refuse;
}

static uint64_t
polls_of(const struct polls *p, const char *what)
{
	unsigned i;

	for (i = 0; i < p->nkind; i++)
		if (strcmp(p->kind[i].what, what) == 0)
			return p->kind[i].n;
	return 0;
}

static int
ask(unsigned q, uint32_t node, struct polls *p)
{
	d.tgt->polled = 0;
	d.tgt->stopped = false;
	d.tgt->poll = count;
	d.tgt->poll_arg = p;
	return questions[q].ask(node);
}

static void
setup(void)
{
	depot = 0;
	draw_open(&d);
}

static void
teardown(void)
{
	find_graph_free(g);
	g = NULL;
	snap_close(snap);
	snap = NULL;
	draw_close(&d);
}

/* ------------------------------------------------------------ any one stops */

/* A list, led to by a variable, the stack, and memory from an arena. */
static taddr_t
draw_little_of_each(void)
{
	const taddr_t cache =
	    draw_cache(&d, "umem_alloc_64", 64, UMF_MALLOC | UMF_AUDIT, 1);
	const taddr_t slab = draw_slab(&d, cache, 60);
	const taddr_t qcache = draw_cache(&d, "own_4096", 4096, 0, 0);
	taddr_t at = 0, next, arena, quantum = HELD + 4096;
	unsigned i;

	for (i = 0; i < 20; i++, at = next) {
		next = draw_alloc(&d, slab, i, 64);
		fake_put64(d.tgt, next, at);
	}
	arena = draw_arena(&d, "own", 0);
	DRAW_SET(&d, arena, vmem_t, vm_flags, 0);
	draw_segment(&d, arena, VMEM_SEG_SPAN, HELD, HELD + 0x4000);
	draw_segment(&d, arena, VMEM_SEG_ALLOC, HELD, HELD + 0x2000);
	draw_segment(&d, arena, VMEM_SEG_FREE, HELD + 0x2000, HELD + 0x4000);
	DRAW_SET(&d, qcache, umem_cache_t, cache_cflags, UMC_QCACHE);
	DRAW_SET(&d, qcache, umem_cache_t, cache_arena, arena);
	depot = draw_depot(&d, qcache, &quantum, 1, 16);
	draw_tcache(&d, 1001);
	fake_put64(d.tgt, HELD + 8, at);
	fake_put64(d.tgt, DRAW_APP_DATA, at);
	fake_put64(d.tgt, DRAW_SP + 64, at);
	return at;
}

/* A pipe asks for a million addresses: what is looked through is kept. */
START_TEST(whatis_looks_through_magazines_and_segments_once)
{
	static const taddr_t asked[] = {HELD + 0x2000, DRAW_SP, 0};
	struct polls p = {0};
	struct whatis w;
	unsigned i;

	(void)draw_little_of_each();
	ck_assert_int_eq(ask_open(0), UMDB_OK);
	ck_assert_int_eq(find_whatis(snap, depot, &w), UMDB_OK);
	ck_assert_int_eq(find_whatis(snap, HELD + 0x2000, &w), UMDB_OK);
	d.tgt->polled = 0;
	d.tgt->poll = count;
	d.tgt->poll_arg = &p;
	ck_assert_int_eq(find_whatis(snap, depot + 8, &w), UMDB_OK);
	ck_assert_int_eq(w.kind, WHAT_MAGAZINE);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		ck_assert_int_eq(find_whatis(snap, asked[i], &w), UMDB_OK);
	ck_assert_uint_eq(polls_of(&p, "segments"), 0);
	ck_assert_uint_eq(polls_of(&p, "magazines"), 0);
}
END_TEST

START_TEST(every_poll_can_stop_every_question)
{
	static const char *const opening[] = {"caches", "arenas", "regions",
	    "slabs", "thread caches", "magazines"};
	const taddr_t addr = draw_little_of_each();
	uint32_t node = 0;
	struct polls all, p;
	unsigned q, i;

	for (q = 0; q < NQUESTIONS; q++) {
		all = (struct polls){0};
		ck_assert_int_eq(ask(q, node, &all), UMDB_OK);
		ck_assert_msg(all.n > 0, "%s", questions[q].name);
		if (questions[q].ask == ask_graph)
			ck_assert_int_eq(
			    graph_resolve(g, addr, &node), UMDB_OK);
		for (i = 0; q == 0 && i < 6; i++)
			ck_assert_msg(
			    polls_of(&all, opening[i]) > 0, "%s", opening[i]);
		if (questions[q].ask == ask_leaks) {
			ck_assert_uint_gt(polls_of(&all, "segments"), 0);
			ck_assert_uint_gt(polls_of(&all, "magazines"), 0);
		}
		if (questions[q].ask == ask_top)
			ck_assert_uint_gt(polls_of(&all, "naming arenas"), 0);
		for (i = 1; i <= all.n; i++) {
			p = (struct polls){.refuse = i};
			ck_assert_msg(ask(q, node, &p) == UMDB_EINTR,
			    "%s: poll %u of %u, %s", questions[q].name, i,
			    (unsigned)all.n, p.kind[p.nkind - 1].what);
			ck_assert_msg(p.n == i, "%s goes on after poll %u, %s",
			    questions[q].name, i, p.kind[p.nkind - 1].what);
		}
		p = (struct polls){0};
		ck_assert_int_eq(ask(q, node, &p), UMDB_OK);
		ck_assert_uint_eq(p.n, all.n);
	}
}
END_TEST

/* -------------------------------------------------------- not long without */

enum { SLABS = 40, CHUNKS = 4096, MANY = SLABS * CHUNKS };
enum shape { SHAPE_LIST, SHAPE_TABLE, SHAPE_ROOTS };
#define ROOTS 0x7fffb0000000u /* a mapping with a pointer to each buffer */

static taddr_t buf[MANY];

/* Returns the buffer that is asked about. */
static taddr_t
draw_shape(enum shape shape)
{
	const taddr_t cache =
	    draw_cache(&d, "umem_alloc_16", 16, UMF_MALLOC, 1);
	taddr_t table = 0;
	unsigned i, k;

	for (i = 0; i < SLABS; i++) {
		const taddr_t slab = draw_slab(&d, cache, CHUNKS);

		for (k = 0; k < CHUNKS; k++)
			buf[i * CHUNKS + k] = draw_alloc(&d, slab, k, 16);
	}
	if (shape == SHAPE_TABLE)
		table = draw_buf(&d, draw_large(&d, MANY * 8), 0);
	if (shape == SHAPE_ROOTS)
		fake_add(d.tgt, ROOTS, MANY * 8, "", FAKE_READ | FAKE_WRITE);
	for (i = 0; i < MANY; i++) {
		if (shape == SHAPE_ROOTS)
			fake_put64(d.tgt, ROOTS + i * 8, buf[i]);
		else if (shape == SHAPE_TABLE)
			fake_put64(d.tgt, table + i * 8, buf[i]);
		else if (i + 1 < MANY)
			fake_put64(d.tgt, buf[i], buf[i + 1]);
	}
	fake_put64(d.tgt, DRAW_APP_DATA, table != 0 ? table : buf[0]);
	return shape == SHAPE_LIST ? buf[MANY / 2] : buf[MANY - 1];
}

/*
 * At least so many polls.  Work on @n things is polled at every @every-th of
 * them, and a pass over pointers at every GRAPH_POLL-th beside that.
 */
static const struct least {
	enum shape shape;
	const char *question, *what;
	uint64_t n, every, pointers;
} least[] = {
    {SHAPE_LIST, "open", "slabs", SLABS + 32, 1, 0},
    {SHAPE_LIST, "leaks", "buffers", SLABS, 1, 0},
    /* down and up; nodes and edges, twice; sums; labels; semi; buckets */
    {SHAPE_LIST, "top", "finding who keeps what", 9ull * MANY, 4096, 0},
    /* children are linked, entered and left */
    {SHAPE_LIST, "top", "comparing stacks", 3ull * MANY, 4096, 0},
    {SHAPE_LIST, "refs", "looking for references", MANY, 4096, 0},
    {SHAPE_LIST, "path", "looking for a path", MANY / 2, 4096, 0},
    {SHAPE_LIST, "owned", "following references", MANY, 1024, 0},
    {SHAPE_TABLE, "graph", "following references", MANY, 1024, MANY},
    {SHAPE_TABLE, "refs", "looking for references", MANY, 4096, MANY},
    {SHAPE_TABLE, "path", "looking for a path", 3, 1, MANY},
    {SHAPE_TABLE, "owned", "following references", MANY, 1024, MANY},
    {SHAPE_ROOTS, "graph", "following references", MANY, 1024, MANY},
    {SHAPE_ROOTS, "top", "naming roots", 0, 1, MANY},
    {SHAPE_ROOTS, "top", "ranking roots", 0, 1, MANY},
    {SHAPE_ROOTS, "top", "joining roots", 0, 1, 2ull * MANY},
    {SHAPE_ROOTS, "top", "naming places", 0, 1, MANY},
    /* all are the only ones of their root's, in one bucket */
    {SHAPE_ROOTS, "top", "finding who keeps what", 9ull * MANY, 4096, 0},
    {SHAPE_ROOTS, "refs", "looking for references", MANY, 4096, MANY},
    {SHAPE_ROOTS, "path", "looking for a path", 0, 1, MANY},
    {SHAPE_ROOTS, "owned", "following references", MANY, 1024, MANY},
};

START_TEST(polls_are_as_many_as_the_work_wants)
{
	const enum shape shape = (enum shape)_i;
	const taddr_t addr = draw_shape(shape);
	uint32_t node = 0;
	struct polls p;
	unsigned q, i, asked = 0;

	for (q = 0; q < NQUESTIONS; q++) {
		p = (struct polls){0};
		ck_assert_int_eq(ask(q, node, &p), UMDB_OK);
		if (questions[q].ask == ask_graph)
			ck_assert_int_eq(
			    graph_resolve(g, addr, &node), UMDB_OK);
		for (i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
			const struct least *l = &least[i];
			const uint64_t want =
			    l->n / l->every + l->pointers / GRAPH_POLL;

			if (l->shape != shape ||
			    strcmp(l->question, questions[q].name) != 0)
				continue;
			asked++;
			ck_assert_msg(polls_of(&p, l->what) >= want,
			    "%s: %s is polled %u times, not %u", l->question,
			    l->what, (unsigned)polls_of(&p, l->what),
			    (unsigned)want);
		}
	}
	ck_assert_uint_ge(asked, 4);
}
END_TEST

Suite *
test_find_poll_suite(void)
{
	Suite *s = suite_create("find_poll");
	TCase *t = tcase_create("stop");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 0);
	tcase_add_test(t, every_poll_can_stop_every_question);
	tcase_add_test(t, whatis_looks_through_magazines_and_segments_once);
	tcase_add_loop_test(t, polls_are_as_many_as_the_work_wants, SHAPE_LIST,
	    SHAPE_ROOTS + 1);
	suite_add_tcase(s, t);
	return s;
}
