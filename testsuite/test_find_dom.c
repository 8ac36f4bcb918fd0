/* SPDX-License-Identifier: MIT */
/*
 * test_find_dom.c - dominators, against taking nodes away one by one
 *
 * By definition d dominates v when v cannot be reached without d.  For small
 * graphs that is tried for every d; the immediate dominator is the dominator
 * of v that all others of v dominate.  Shapes that are bad for one algorithm
 * or another are large and have answers that are known.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_target.h"
#include "find_dom.h"
#include "suites.h"

#define SMALL 40u

static struct target *tgt;
static struct dom d;

/* A graph as a list of edges; rows are made from it. */
static uint32_t nnode, split, *edge;
static size_t nedge, room;
static struct dom_graph g;

static void
setup(void)
{
	tgt = fake_open();
	nedge = 0;
	nnode = split = 0;
}

static void
forget_rows(void)
{
	free((void *)(uintptr_t)g.low.off);
	free((void *)(uintptr_t)g.low.to);
	free((void *)(uintptr_t)g.high.off);
	free((void *)(uintptr_t)g.high.to);
	memset(&g, 0, sizeof(g));
	find_dom_free(&d);
}

static void
teardown(void)
{
	forget_rows();
	target_close(tgt);
}

static void
join(uint32_t from, uint32_t to)
{
	if (nedge == room) {
		room = room == 0 ? 1024 : 2 * room;
		edge = realloc(edge, room * 2 * sizeof(*edge));
		ck_assert_ptr_nonnull(edge);
	}
	edge[2 * nedge] = from;
	edge[2 * nedge++ + 1] = to;
	if (from >= nnode)
		nnode = from + 1;
	if (to >= nnode)
		nnode = to + 1;
}

static struct dom_rows
rows(uint32_t first, uint32_t end)
{
	const uint32_t n = end - first;
	uint32_t *off = calloc((size_t)n + 1, sizeof(*off));
	uint32_t *next = calloc((size_t)n + 1, sizeof(*next));
	uint32_t *to = calloc(nedge + 1, sizeof(*to));
	size_t i;

	ck_assert(off != NULL && next != NULL && to != NULL);
	for (i = 0; i < nedge; i++)
		if (edge[2 * i] >= first && edge[2 * i] < end)
			off[edge[2 * i] - first + 1]++;
	for (i = 1; i <= n; i++)
		off[i] += off[i - 1];
	memcpy(next, off, n * sizeof(*next));
	for (i = 0; i < nedge; i++)
		if (edge[2 * i] >= first && edge[2 * i] < end)
			to[next[edge[2 * i] - first]++] = edge[2 * i + 1];
	free(next);
	return (struct dom_rows){off, to};
}

static void
run(uint32_t root)
{
	g.nnode = nnode;
	g.split = split;
	g.low = rows(0, split);
	g.high = rows(split, nnode);
	ck_assert_int_eq(find_dom(&g, root, tgt, &d), UMDB_OK);
	ck_assert_uint_eq(d.order[1], root);
	ck_assert_uint_eq(d.idom[1], 0);
}

#define UNREACHED UINT32_MAX

/* The immediate dominator of a node, as a node; the root's is itself. */
static uint32_t
idom(uint32_t node)
{
	const uint32_t p = d.place[node];

	if (p == 0)
		return UNREACHED;
	return d.order[d.idom[p] == 0 ? 1 : d.idom[p]];
}

/* ------------------------------------------------------------ by definition */

static void
naive_reach(uint32_t root, uint32_t without, bool *seen)
{
	uint32_t stack[SMALL];
	size_t n = 0, i;

	memset(seen, 0, SMALL * sizeof(*seen));
	if (root == without)
		return;
	seen[root] = true;
	stack[n++] = root;
	while (n > 0) {
		const uint32_t at = stack[--n];

		for (i = 0; i < nedge; i++) {
			const uint32_t to = edge[2 * i + 1];

			if (edge[2 * i] != at || to == without || seen[to])
				continue;
			seen[to] = true;
			stack[n++] = to;
		}
	}
}

/* dominates[a][b]: a dominates b, a itself included */
static void
check_naive(uint32_t root, unsigned seed)
{
	static bool dominates[SMALL][SMALL], reached[SMALL];
	uint32_t a, v, found;
	unsigned up[SMALL];

	naive_reach(root, UNREACHED, reached);
	for (a = 0; a < nnode; a++) {
		naive_reach(root, a, dominates[a]);
		for (v = 0; v < nnode; v++)
			dominates[a][v] = reached[v] && !dominates[a][v];
	}
	memset(up, 0, sizeof(up));
	for (v = 0; v < nnode; v++)
		for (a = 0; a < nnode; a++)
			up[v] += dominates[a][v];
	for (v = 0; v < nnode; v++) {
		found = reached[v] ? root : UNREACHED;
		/* of the strict dominators the one with most above it */
		for (a = 0; reached[v] && a < nnode; a++)
			if (a != v && dominates[a][v] && up[a] + 1 == up[v])
				found = a;
		ck_assert_msg(idom(v) == found,
		    "seed %u: the dominator of %u is %u, not %u", seed, v,
		    found, idom(v));
	}
}

START_TEST(random_graphs_have_the_dominators_of_the_definition)
{
	const unsigned seed = (unsigned)_i * 7919u + 1;
	uint32_t i, n, m, k;

	srand(seed);
	printf("find_dom: seed %u\n", seed);
	for (k = 0; k < 100; k++) {
		n = 2 + (uint32_t)rand() % (SMALL - 2);
		m = (uint32_t)rand() % (3 * n);
		nedge = 0;
		nnode = n;
		for (i = 0; i < m; i++)
			join((uint32_t)rand() % n, (uint32_t)rand() % n);
		split = (uint32_t)rand() % (n + 1);
		i = (uint32_t)rand() % n;
		run(i);
		check_naive(i, seed);
		forget_rows();
	}
}
END_TEST

/* Nearly trees, as heaps are: mostly edges to what was not reached before. */
START_TEST(random_trees_with_cross_edges_have_them_too)
{
	const unsigned seed = (unsigned)_i * 104729u + 3;
	uint32_t i, k, extra;

	srand(seed);
	printf("find_dom: seed %u\n", seed);
	for (k = 0; k < 100; k++) {
		nedge = 0;
		nnode = SMALL;
		for (i = 1; i < SMALL; i++)
			join((uint32_t)rand() % i, i);
		extra = (uint32_t)rand() % 12;
		for (i = 0; i < extra; i++)
			join(
			    (uint32_t)rand() % SMALL, (uint32_t)rand() % SMALL);
		split = SMALL / 2;
		run(0);
		check_naive(0, seed);
		forget_rows();
	}
}
END_TEST

/* ------------------------------------------------------------------- shapes */

START_TEST(node_that_cannot_be_reached_has_no_place)
{
	join(0, 1);
	join(2, 1);
	run(0);
	ck_assert_uint_eq(d.n, 2);
	ck_assert_uint_eq(idom(1), 0);
	ck_assert_uint_eq(d.place[2], 0);
}
END_TEST

START_TEST(root_alone_is_a_graph)
{
	nnode = 1;
	run(0);
	ck_assert_uint_eq(d.n, 1);
}
END_TEST

START_TEST(what_two_ways_lead_to_is_dominated_by_where_they_part)
{
	join(0, 1);
	join(1, 2);
	join(1, 3);
	join(2, 4);
	join(3, 4);
	join(4, 5);
	run(0);
	ck_assert_uint_eq(idom(4), 1);
	ck_assert_uint_eq(idom(5), 4);
}
END_TEST

START_TEST(edges_to_itself_and_twice_change_nothing)
{
	join(0, 1);
	join(0, 1);
	join(1, 1);
	join(1, 2);
	join(2, 0);
	run(0);
	ck_assert_uint_eq(idom(1), 0);
	ck_assert_uint_eq(idom(2), 1);
}
END_TEST

/* The example of Lengauer and Tarjan's paper: R A B C D E F G H I J K L. */
START_TEST(example_of_the_paper_comes_out_as_printed)
{
	static const char edges[][2] = {"RA", "RB", "RC", "AD", "BA", "BD",
	    "BE", "CF", "CG", "DL", "EH", "FI", "GI", "GJ", "HE", "HK", "IK",
	    "JI", "KI", "KR", "LH"};
	static const char want[][2] = {"AR", "BR", "CR", "DR", "ER", "FC", "GC",
	    "HR", "IR", "JG", "KR", "LD"};
	size_t i;

	for (i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		join(edges[i][0] == 'R' ? 0 : (uint32_t)edges[i][0] - 'A' + 1,
		    edges[i][1] == 'R' ? 0 : (uint32_t)edges[i][1] - 'A' + 1);
	run(0);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		ck_assert_uint_eq(idom((uint32_t)want[i][0] - 'A' + 1),
		    want[i][1] == 'R' ? 0 : (uint32_t)want[i][1] - 'A' + 1);
}
END_TEST

/* ----------------------------------------------------------- large and deep */

#define LARGE 300000u

START_TEST(long_list_needs_no_stack)
{
	uint32_t i;

	split = LARGE / 2;
	for (i = 0; i + 1 < LARGE; i++)
		join(i, i + 1);
	run(0);
	ck_assert_uint_eq(d.n, LARGE);
	for (i = 1; i < LARGE; i++)
		ck_assert_uint_eq(idom(i), i - 1);
}
END_TEST

/* A ring of two ways, entered at one place: each is kept by the entry. */
START_TEST(doubly_linked_ring_is_dominated_by_its_entry)
{
	uint32_t i;

	join(0, 1);
	for (i = 1; i < LARGE; i++) {
		join(i, i + 1 < LARGE ? i + 1 : 1);
		join(i, i > 1 ? i - 1 : LARGE - 1);
	}
	run(0);
	ck_assert_uint_eq(idom(1), 0);
	for (i = 2; i < LARGE; i++)
		ck_assert_uint_eq(idom(i), 1);
}
END_TEST

/*
 * A chain down, whose nodes all lead to a chain up that is left by the root
 * too: algorithms that walk up to a common ancestor go all the way each time.
 */
START_TEST(two_chains_that_meet_everywhere_are_done_in_time)
{
	const uint32_t n = LARGE / 2;
	uint32_t i;

	join(0, 1);
	join(0, n + 1);
	for (i = 1; i < n; i++)
		join(i, i + 1);
	for (i = n + 1; i + 1 < 2 * n; i++)
		join(i, i + 1);
	for (i = 1; i + 1 < n; i++)
		join(i, 2 * n - i);
	run(0);
	for (i = 2; i <= n; i++)
		ck_assert_uint_eq(idom(i), i - 1);
	/* only the first of the second chain is before all that is shared */
	ck_assert_uint_eq(idom(n + 1), 0);
	ck_assert_uint_eq(idom(2 * n - 1), 0);
}
END_TEST

START_TEST(one_node_with_many_children_dominates_them)
{
	uint32_t i;

	for (i = 1; i < LARGE; i++)
		join(0, i);
	run(0);
	for (i = 1; i < LARGE; i++)
		ck_assert_uint_eq(idom(i), 0);
}
END_TEST

static bool
stop(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)what;
	(void)done;
	(void)total;
	return true;
}

START_TEST(user_can_stop_it)
{
	uint32_t i;

	for (i = 0; i + 1 < LARGE; i++)
		join(i, i + 1);
	tgt->poll = stop;
	g.nnode = nnode;
	g.low = rows(0, 0);
	g.high = rows(0, nnode);
	ck_assert_int_eq(find_dom(&g, 0, tgt, &d), UMDB_EINTR);
}
END_TEST

Suite *
test_find_dom_suite(void)
{
	Suite *s = suite_create("find_dom");
	TCase *tc;

	tc = tcase_create("random");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(
	    tc, random_graphs_have_the_dominators_of_the_definition, 0, 20);
	tcase_add_loop_test(
	    tc, random_trees_with_cross_edges_have_them_too, 0, 20);
	suite_add_tcase(s, tc);

	tc = tcase_create("shapes");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, node_that_cannot_be_reached_has_no_place);
	tcase_add_test(tc, root_alone_is_a_graph);
	tcase_add_test(
	    tc, what_two_ways_lead_to_is_dominated_by_where_they_part);
	tcase_add_test(tc, edges_to_itself_and_twice_change_nothing);
	tcase_add_test(tc, example_of_the_paper_comes_out_as_printed);
	suite_add_tcase(s, tc);

	tc = tcase_create("large");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, long_list_needs_no_stack);
	tcase_add_test(tc, doubly_linked_ring_is_dominated_by_its_entry);
	tcase_add_test(tc, two_chains_that_meet_everywhere_are_done_in_time);
	tcase_add_test(tc, one_node_with_many_children_dominates_them);
	tcase_add_test(tc, user_can_stop_it);
	suite_add_tcase(s, tc);
	return s;
}
