/* SPDX-License-Identifier: MIT */
/*
 * test_find_graph.c - who points to a buffer, and what keeps what
 *
 * Small heaps are drawn and every answer is stated.  Random heaps are asked
 * the same questions, and the answers compared with their definitions: what
 * a buffer owns is what taking it away makes unreachable, and a root retains
 * what taking the root away does.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "find_top.h"
#include "suites.h"

#define DATA DRAW_APP_DATA
#define VARIABLE 0x100u /* bytes of each variable */
#define STACK (DRAW_SP + 0x40)
#define PER_SLAB 60u

enum { RBX = 1, R12 = 12 };

static struct draw d;
static struct snap *snap;
static struct graph *g;
static struct top *top;
static taddr_t cache[2], slab[2];
static unsigned taken[2];

static void
setup(void)
{
	draw_open(&d);
	cache[0] = draw_cache(&d, "umem_alloc_64", 64, UMF_MALLOC, 1);
	cache[1] = draw_cache(&d, "umem_alloc_128", 128, UMF_MALLOC, 2);
	slab[0] = draw_slab(&d, cache[0], PER_SLAB);
	slab[1] = draw_slab(&d, cache[1], PER_SLAB / 2);
	taken[0] = taken[1] = 0;
}

static void
forget(void)
{
	find_top_free(top);
	top = NULL;
	find_graph_free(g);
	g = NULL;
	snap_close(snap);
	snap = NULL;
}

static void
teardown(void)
{
	forget();
	draw_close(&d);
}

static taddr_t
take(unsigned which)
{
	return draw_alloc(
	    &d, slab[which], taken[which]++, which == 0 ? 64 : 128);
}

static void
put(taddr_t at, taddr_t value)
{
	fake_put64(d.tgt, at, value);
}

static void
load(void)
{
	snap = snap_open(d.tgt);
	ck_assert_ptr_nonnull(snap);
	ck_assert_int_eq(find_graph(snap, &g), UMDB_OK);
}

static uint32_t
node(taddr_t addr)
{
	uint32_t n;

	ck_assert_int_eq(graph_resolve(g, addr, &n), UMDB_OK);
	return n;
}

/* --------------------------------------------------------------- references */

#define MANY 64
static struct ref seen[MANY];
static size_t nseen;

static int
note(void *arg, const struct ref *ref)
{
	(void)arg;
	ck_assert_uint_lt(nseen, MANY);
	seen[nseen++] = *ref;
	return WALK_NEXT;
}

static void
refs(taddr_t addr)
{
	nseen = 0;
	ck_assert_int_eq(find_refs(g, node(addr), note, NULL), UMDB_OK);
}

START_TEST(references_of_every_kind_are_found_roots_first)
{
	const taddr_t a = take(0), holder = take(0);

	put(DATA + 0x18, a);
	put(STACK, a + 8);
	d.tgt->thread[0].reg[RBX] = a;
	put(DATA + 0x20, holder);
	put(holder + 0x10, a);
	put(holder + 0x18, a + 63);
	load();
	refs(a);
	ck_assert_uint_eq(nseen, 5);
	ck_assert_int_eq(seen[0].part->kind, PLACE_DATA);
	ck_assert_uint_eq(seen[0].at, DATA + 0x18);
	ck_assert_uint_eq(seen[0].value, a);
	ck_assert_int_eq(seen[1].part->kind, PLACE_STACK);
	ck_assert_uint_eq(seen[1].at, STACK);
	ck_assert_uint_eq(seen[1].value, a + 8);
	ck_assert_int_eq(seen[2].part->kind, PLACE_REGISTER);
	ck_assert_uint_eq(seen[2].at, RBX);
	ck_assert_ptr_null(seen[3].part);
	ck_assert_uint_eq(seen[3].holder, node(holder));
	ck_assert_uint_eq(seen[3].at, holder + 0x10);
	ck_assert_uint_eq(seen[4].at, holder + 0x18);
	ck_assert_uint_eq(seen[4].value, a + 63);
}
END_TEST

START_TEST(what_does_not_count_is_no_reference)
{
	const taddr_t a = take(0), freed = take(0), other = take(0);
	const taddr_t large = draw_buf(&d, draw_large(&d, 5000), 0);

	put(freed, a); /* a free buffer */
	draw_free(&d, slab[0], 1);
	put(DRAW_SP - 0x400, a); /* below SP and its red zone */
	put(DATA, a + 64);       /* the next buffer */
	put(DATA + 8, a - 1);
	put(DATA + 17, a);              /* not aligned */
	put(other + 3, a);              /* nor this */
	put(DATA + 0x20, large + 5000); /* behind the bytes asked for */
	put(DATA + 0x28, large + 4999);
	load();
	refs(a);
	ck_assert_uint_eq(nseen, 0);
	ck_assert(!g->live[node(a)]);
	refs(large);
	ck_assert_uint_eq(nseen, 1);
	ck_assert_uint_eq(seen[0].at, DATA + 0x28);
}
END_TEST

START_TEST(memory_that_cannot_be_lent_gives_the_same_references)
{
	const taddr_t a = take(0), holder = take(1);

	fake_lend(d.tgt, false);
	put(DATA + 0x18, holder);
	put(holder + 0x78, a + 1);
	load();
	refs(a);
	ck_assert_uint_eq(nseen, 1);
	ck_assert_uint_eq(seen[0].at, holder + 0x78);
	ck_assert_uint_eq(g->nlive, 2);
	ck_assert_uint_eq(g->live_bytes, 64 + 128);
}
END_TEST

START_TEST(pointers_of_a_buffer_to_itself_hold_nothing)
{
	const taddr_t a = take(0);

	put(a, a);
	load();
	refs(a);
	ck_assert_uint_eq(nseen, 0);
	ck_assert_uint_eq(g->nlost, 1);
}
END_TEST

START_TEST(freed_and_foreign_addresses_are_refused_in_words)
{
	const taddr_t a = take(0);
	uint32_t n;

	take(0);
	draw_free(&d, slab[0], 1);
	load();
	ck_assert_int_eq(graph_resolve(g, DATA, &n), UMDB_ENOTFOUND);
	ck_assert_str_eq(d.tgt->err.msg,
	    "0x555555560000 is in no buffer; umem whatis says what it is");
	ck_assert_int_eq(graph_resolve(g, a + 64, &n), UMDB_ENOTFOUND);
	ck_assert_ptr_nonnull(strstr(d.tgt->err.msg,
	    "is in a freed buffer of umem_alloc_64: nothing keeps it"));
	ck_assert_int_eq(graph_resolve(g, a + 63, &n), UMDB_OK);
}
END_TEST

/* ------------------------------------------------------------------- paths */

static struct ref *path;
static size_t steps;

static void
find(taddr_t addr)
{
	free(path);
	ck_assert_int_eq(find_path(g, node(addr), &path, &steps), UMDB_OK);
}

START_TEST(path_is_the_shortest_one)
{
	taddr_t b[5];
	unsigned i;

	for (i = 0; i < 5; i++)
		b[i] = take(0);
	put(DATA, b[0]);
	put(b[0], b[1]);
	put(b[1], b[2]);
	put(b[2], b[4]);
	put(DATA + 8, b[3]);
	put(b[3] + 0x20, b[4] + 4);
	put(b[4], b[0]);
	load();
	find(b[4]);
	ck_assert_uint_eq(steps, 2);
	ck_assert_uint_eq(path[0].at, DATA + 8);
	ck_assert_uint_eq(path[1].at, b[3] + 0x20);
	ck_assert_uint_eq(path[1].value, b[4] + 4);
	find(b[2]);
	ck_assert_uint_eq(steps, 3);
	free(path);
	path = NULL;
}
END_TEST

START_TEST(path_from_a_variable_wins_over_one_from_a_stack)
{
	const taddr_t a = take(0), b = take(0), via = take(0);

	d.tgt->thread[0].reg[R12] = a;
	put(STACK, a);
	put(DATA, a + 8);
	put(DATA + 8, a);
	put(STACK + 8, b);
	put(DATA + 16, via);
	put(via, b);
	load();
	find(a);
	ck_assert_uint_eq(steps, 1);
	ck_assert_uint_eq(path[0].at, DATA + 8); /* to the start */
	find(b);
	ck_assert_uint_eq(steps, 1);
	ck_assert_int_eq(path[0].part->kind, PLACE_STACK);
	free(path);
	path = NULL;
}
END_TEST

START_TEST(lost_buffer_has_no_path)
{
	const taddr_t a = take(0), b = take(0);

	put(a, b);
	put(b, a);
	load();
	find(b);
	ck_assert_uint_eq(steps, 0);
	ck_assert_ptr_null(path);
}
END_TEST

/* ------------------------------------------------------------------- owned */

static void
owns(taddr_t addr, bool lost, uint64_t count, uint64_t bytes)
{
	struct owned o;

	ck_assert_int_eq(find_owned(g, node(addr), &o), UMDB_OK);
	ck_assert_int_eq(o.lost, lost);
	ck_assert_uint_eq(o.count, count);
	ck_assert_uint_eq(o.bytes, bytes);
	find_owned_free(&o);
}

START_TEST(buffer_owns_what_only_it_leads_to)
{
	const taddr_t table = take(1), a = take(0), b = take(0), c = take(1);
	const taddr_t shared = take(0), other = take(0);
	struct owned o;

	put(DATA, table);
	put(DATA + 8, other);
	put(table, a);
	put(table + 8, b);
	put(a, c);
	put(b, c);
	put(c, a);
	put(b + 8, shared);
	put(other, shared);
	load();
	owns(table, false, 3, 64 + 64 + 128);
	owns(a, false, 0, 0);
	owns(b, false, 0, 0);
	owns(other, false, 0, 0);
	ck_assert_int_eq(find_owned(g, node(table), &o), UMDB_OK);
	ck_assert_uint_eq(o.ncache, 2);
	ck_assert_uint_eq(o.cache[0].bytes, 128);
	ck_assert_uint_eq(o.cache[0].count, 2);
	ck_assert_uint_eq(o.cache[1].bytes, 128);
	ck_assert_uint_eq(o.cache[1].count, 1);
	find_owned_free(&o);
}
END_TEST

START_TEST(pointer_on_a_stack_keeps_it_from_being_owned)
{
	const taddr_t table = take(1), a = take(0), b = take(0);

	put(DATA, table);
	put(table, a);
	put(a, b);
	put(STACK, a);
	load();
	owns(table, false, 0, 0);
	owns(a, false, 1, 64);
}
END_TEST

START_TEST(lost_buffer_owns_the_lost_ones_it_leads_to)
{
	const taddr_t a = take(0), b = take(0), c = take(0), live = take(1);

	put(a, b);
	put(b, c);
	put(c, a);
	put(c + 8, live);
	put(DATA, live);
	load();
	owns(a, true, 2, 128);
}
END_TEST

/* --------------------------------------------------------------------- top */

static bool some_nameless; /* of variables only every third has a name */

static taddr_t
variable(void *arg, const struct part *part, taddr_t at)
{
	(void)arg;
	ck_assert_int_eq(part->kind, PLACE_DATA);
	return some_nameless && at / VARIABLE % 3 != 0 ? 0 : at - at % VARIABLE;
}

static void
rank(void)
{
	ck_assert_int_eq(find_top(g, variable, NULL, &top), UMDB_OK);
}

/* The row of the thing that a word at this place is of. */
static const struct top_root *
row_at(enum place_kind kind, taddr_t at)
{
	size_t i;

	for (i = 0; i < top->nroot; i++) {
		const struct top_root *t = &top->root[i];

		if (t->who == TOP_ONE && t->place[0].part->kind == kind &&
		    (kind != PLACE_DATA ||
			t->place[0].at / VARIABLE == at / VARIABLE))
			return t;
	}
	return NULL;
}

static const struct top_root *
row_of(enum top_who who)
{
	size_t i;

	for (i = 0; i < top->nroot; i++)
		if (top->root[i].who == who)
			return &top->root[i];
	return NULL;
}

START_TEST(words_without_a_name_take_nothing_from_variables_between_them)
{
	const taddr_t named = (DATA / VARIABLE / 3 + 2) * 3 * VARIABLE;
	unsigned i;

	some_nameless = true;
	/* two nameless words, then one of a variable, several times */
	for (i = 0; i < 12; i++)
		put(named - 2 * VARIABLE + i * VARIABLE, take(i % 2));
	load();
	rank();
	some_nameless = false;
	ck_assert_uint_eq(top->nroot, 8);
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(
		    row_at(PLACE_DATA, named + 3 * i * VARIABLE)->count, 1);
}
END_TEST

START_TEST(variable_retains_a_list_and_two_variables_share_one)
{
	const taddr_t a = take(0), b = take(0), c = take(0), x = take(1),
		      y = take(1);
	const struct top_root *t;

	put(DATA + 0x18, a);
	put(a, b);
	put(b, c);
	put(DATA + VARIABLE, x);
	put(DATA + 2 * VARIABLE, y);
	put(x, y);
	put(y, x);
	load();
	rank();
	ck_assert_uint_eq(top->nroot, 2);
	t = row_at(PLACE_DATA, DATA);
	ck_assert_ptr_nonnull(t);
	ck_assert_uint_eq(t->count, 3);
	ck_assert_uint_eq(t->bytes, 192);
	ck_assert_uint_eq(t->pointers, 1);
	ck_assert_uint_eq(t->place[0].at, DATA + 0x18);
	t = row_of(TOP_OBJECT);
	ck_assert_ptr_nonnull(t);
	ck_assert_uint_eq(t->count, 2);
	ck_assert_uint_eq(t->bytes, 256);
	ck_assert_uint_eq(t->nplace, 2);
	ck_assert_ptr_eq(t, &top->root[0]);
}
END_TEST

START_TEST(stack_and_registers_take_nothing_from_a_variable)
{
	const taddr_t a = take(0), b = take(0), mine = take(1), more = take(1),
		      reg = take(0);

	put(DATA, a);
	put(a, b);
	put(STACK, b);
	put(STACK + 8, mine);
	put(mine, more);
	d.tgt->thread[0].reg[RBX] = b;
	d.tgt->thread[0].reg[R12] = more;
	d.tgt->thread[0].reg[R12 + 1] = reg;
	load();
	rank();
	ck_assert_uint_eq(top->nroot, 3);
	ck_assert_uint_eq(row_at(PLACE_DATA, DATA)->count, 2);
	ck_assert_uint_eq(row_at(PLACE_STACK, 0)->count, 2);
	ck_assert_uint_eq(row_at(PLACE_STACK, 0)->bytes, 256);
	ck_assert_uint_eq(row_at(PLACE_REGISTER, 0)->count, 1);
}
END_TEST

/* The variables do not point to what they share, their buffers do. */
START_TEST(owners_of_a_shared_buffer_are_named)
{
	const taddr_t left = take(0), right = take(0), shared = take(1),
		      more = take(1);
	const struct top_root *t;

	put(DATA, left);
	put(DATA + VARIABLE, right);
	put(left + 8, shared);
	put(right + 16, shared + 4);
	put(shared, more);
	load();
	rank();
	ck_assert_uint_eq(top->nroot, 3);
	t = &top->root[0];
	ck_assert_int_eq(t->who, TOP_OBJECT);
	ck_assert_uint_eq(t->count, 2);
	ck_assert_uint_eq(t->bytes, 256);
	ck_assert_uint_eq(t->pointers, 2);
	ck_assert_uint_eq(t->nplace, 2);
	ck_assert_uint_eq(t->place[0].at, DATA);
	ck_assert_uint_eq(t->place[1].at, DATA + VARIABLE);
	ck_assert_uint_eq(row_at(PLACE_DATA, DATA)->count, 1);
}
END_TEST

START_TEST(what_different_roots_lead_to_is_said_to_be_of_several)
{
	const taddr_t a = take(0), b = take(0);
	const taddr_t area = 0x7fff00000000u;

	fake_add(d.tgt, area, 0x2000, "", FAKE_READ | FAKE_WRITE);
	put(area + 0x1000, a);
	put(DATA, a);
	put(a, b);
	load();
	rank();
	ck_assert_uint_eq(top->nroot, 1);
	ck_assert_int_eq(top->root[0].who, TOP_SEVERAL);
	ck_assert_uint_eq(top->root[0].count, 2);
	ck_assert_uint_eq(top->root[0].nplace, 2);
}
END_TEST

START_TEST(elements_of_a_list_count_once_for_their_site)
{
	taddr_t head = take(1), last = head, at;
	unsigned i;

	put(DATA, head);
	for (i = 0; i < 10; i++, last = at) {
		at = take(0);
		put(last, at);
	}
	load();
	rank();
	ck_assert_uint_eq(top->nsite, 2);
	ck_assert_str_eq(
	    snap->cache[top->site[0].cache].c.cache_name, "umem_alloc_128");
	ck_assert_uint_eq(top->site[0].kept_count, 11);
	ck_assert_uint_eq(top->site[0].kept_bytes, 640 + 128);
	ck_assert_uint_eq(top->site[0].bytes, 128);
	ck_assert_uint_eq(top->site[1].kept_count, 10);
	ck_assert_uint_eq(top->site[1].kept_bytes, 640);
	ck_assert_uint_eq(top->site[1].count, 10);
	ck_assert_uint_eq(top->site[1].node, node(last) - 9);
}
END_TEST

START_TEST(buffers_with_records_are_told_apart_by_stack)
{
	const uint32_t flags = UMF_MALLOC | UMF_AUDIT | UMF_REDZONE;
	const taddr_t c = draw_cache(&d, "umem_alloc_48", 48, flags, 3);
	const taddr_t s = draw_slab(&d, c, 20);
	taddr_t a = draw_alloc(&d, s, 0, 40), b = draw_alloc(&d, s, 1, 41);
	size_t i;

	put(DATA, a);
	put(a, b);
	load();
	rank();
	ck_assert_uint_ge(top->nsite, 1);
	for (i = 0; i < top->nsite; i++)
		ck_assert_uint_eq(top->site[i].depth, DRAW_DEPTH);
	ck_assert_uint_eq(top->site[0].kept_bytes, 81);
}
END_TEST

START_TEST(buffers_with_a_damaged_trace_are_told_apart_by_cache)
{
	const uint32_t flags = UMF_MALLOC | UMF_AUDIT | UMF_REDZONE;
	const taddr_t c = draw_cache(&d, "umem_alloc_48", 48, flags, 3);
	const taddr_t s = draw_slab(&d, c, 20);

	put(DATA, draw_alloc(&d, s, 0, 40));
	DRAW_SET(&d, draw_trace_at(1), umem_trace_t, tr_depth, 60000);
	load();
	rank();
	ck_assert_uint_eq(top->nsite, 1);
	ck_assert_uint_eq(top->site[0].depth, 0);
	ck_assert_uint_eq(top->site[0].kept_bytes, 40);
}
END_TEST

START_TEST(empty_heap_has_an_empty_answer)
{
	load();
	ck_assert_uint_eq(g->nlive, 0);
	rank();
	ck_assert_uint_eq(top->nroot, 0);
	ck_assert_uint_eq(top->nsite, 0);
}
END_TEST

static bool
stop(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)what;
	(void)done;
	(void)total;
	return --*(int *)arg < 0;
}

START_TEST(user_can_stop_at_any_look)
{
	taddr_t last = take(0), at;
	int after = _i, rc;
	uint32_t i;

	put(DATA, last);
	for (i = 1; i < PER_SLAB; i++, last = at) {
		at = take(0);
		put(last, at);
	}
	snap = snap_open(d.tgt);
	d.tgt->poll = stop;
	d.tgt->poll_arg = &after;
	rc = find_graph(snap, &g);
	ck_assert(rc == UMDB_OK || rc == UMDB_EINTR);
	ck_assert_int_eq(rc == UMDB_OK, g != NULL);
	if (rc != UMDB_OK)
		return;
	rc = find_top(g, variable, NULL, &top);
	ck_assert(rc == UMDB_OK || rc == UMDB_EINTR);
	ck_assert_int_eq(rc == UMDB_OK, top != NULL);
}
END_TEST

/* ------------------------------------------------------------------ random */

#define NODES 24u
#define VARIABLES 5u
#define ONSTACK 3u
#define INREGS 2u
#define ROOTS (VARIABLES * 2 + ONSTACK + INREGS)
#define SLOTS 4u
#define NOT (-1)

/* Things: variables, then the stack, then the registers. */
#define THINGS (VARIABLES + 2)

struct heap {
	unsigned n;
	int root[ROOTS], slot[NODES][SLOTS]; /* to whom, or NOT */
	unsigned kind[NODES];                /* cache */
	taddr_t buf[NODES];
};

static unsigned
thing_of(unsigned root)
{
	if (root < 2 * VARIABLES)
		return root / 2;
	return root < 2 * VARIABLES + ONSTACK ? VARIABLES : VARIABLES + 1;
}

static void
heap_make(struct heap *h)
{
	const int sparse = 1 + rand() % 6;
	unsigned i, k;

	h->n = 1 + (unsigned)rand() % NODES;
	for (i = 0; i < ROOTS; i++)
		h->root[i] = rand() % 3 == 0 ? rand() % (int)h->n : NOT;
	for (i = 0; i < h->n; i++) {
		h->kind[i] = (unsigned)rand() % 2;
		for (k = 0; k < SLOTS; k++)
			h->slot[i][k] =
			    rand() % sparse == 0 ? rand() % (int)h->n : NOT;
	}
}

static void
heap_draw(struct heap *h)
{
	unsigned i, k;

	for (i = 0; i < h->n; i++)
		h->buf[i] = take(h->kind[i]);
	for (i = 0; i < ROOTS; i++) {
		const taddr_t v = h->root[i] == NOT ? 0 : h->buf[h->root[i]];

		if (i < 2 * VARIABLES)
			put(DATA + i / 2 * VARIABLE + i % 2 * 8, v);
		else if (i < 2 * VARIABLES + ONSTACK)
			put(STACK + i * 8, v);
		else
			d.tgt->thread[0].reg[R12 + i % 2] = v;
	}
	for (i = 0; i < h->n; i++)
		for (k = 0; k < SLOTS; k++)
			put(h->buf[i] + 8 * k,
			    h->slot[i][k] == NOT
				? 0
				: h->buf[h->slot[i][k]] + (k == 3 ? 8 : 0));
}

/* Reach from the roots in @use, without node @without. */
static unsigned
heap_reach(const struct heap *h, const bool *use, int without, bool *got)
{
	bool more = true;
	unsigned i, k, n = 0;

	memset(got, 0, NODES);
	for (i = 0; i < ROOTS; i++)
		if (use[i] && h->root[i] != NOT && h->root[i] != without)
			got[h->root[i]] = true;
	while (more) {
		more = false;
		for (i = 0; i < h->n; i++)
			for (k = 0; got[i] && k < SLOTS; k++) {
				const int to = h->slot[i][k];

				if (to == NOT || to == without || got[to])
					continue;
				got[to] = more = true;
			}
	}
	for (i = 0; i < h->n; i++)
		n += got[i];
	return n;
}

/* Roots that count: those of a higher rank take what they reach. */
static void
heap_rank(const struct heap *h, bool *use)
{
	static const unsigned end[] = {
	    2 * VARIABLES, 2 * VARIABLES + ONSTACK, ROOTS};
	bool got[NODES];
	unsigned rank_, i;

	memset(use, 0, ROOTS);
	for (rank_ = 0, i = 0; rank_ < 3; rank_++) {
		heap_reach(h, use, NOT, got);
		for (; i < end[rank_]; i++)
			use[i] = h->root[i] != NOT && !got[h->root[i]];
	}
}

/* How many are lost with the roots of things from @first to @last. */
static unsigned
heap_lose(const struct heap *h, const bool *use, unsigned first, unsigned last)
{
	bool less[ROOTS], got[NODES];
	unsigned i;

	for (i = 0; i < ROOTS; i++)
		less[i] = use[i] && (thing_of(i) < first || thing_of(i) > last);
	return heap_reach(h, use, NOT, got) - heap_reach(h, less, NOT, got);
}

static void
heap_check_owned(const struct heap *h, unsigned seed)
{
	bool all[ROOTS], with[NODES], without[NODES];
	struct owned o;
	unsigned i, k, want;

	memset(all, 1, sizeof(all));
	heap_reach(h, all, NOT, with);
	for (i = 0; i < h->n; i++) {
		ck_assert_int_eq(g->live[node(h->buf[i])] != 0, with[i]);
		if (!with[i])
			continue;
		heap_reach(h, all, (int)i, without);
		for (k = want = 0; k < h->n; k++)
			want += k != i && with[k] && !without[k];
		ck_assert_int_eq(find_owned(g, node(h->buf[i]), &o), UMDB_OK);
		ck_assert_msg(o.count == want,
		    "seed %u: node %u owns %u, not %u", seed, i,
		    (unsigned)o.count, want);
		find_owned_free(&o);
	}
}

static void
heap_check_roots(const struct heap *h, unsigned seed)
{
	const struct top_root *t;
	unsigned i, want, single = 0, object, rest;
	bool use[ROOTS], got[NODES];

	heap_rank(h, use);
	for (i = 0; i < THINGS; i++) {
		want = heap_lose(h, use, i, i);
		t = row_at(i < VARIABLES    ? PLACE_DATA
			   : i == VARIABLES ? PLACE_STACK
					    : PLACE_REGISTER,
		    DATA + i * VARIABLE);
		ck_assert_msg((t == NULL ? 0 : t->count) == want,
		    "seed %u: thing %u retains %u, not %u", seed, i,
		    t == NULL ? 0 : (unsigned)t->count, want);
		if (i < VARIABLES)
			single += want;
	}
	object = heap_lose(h, use, 0, VARIABLES - 1);
	t = row_of(TOP_OBJECT);
	ck_assert_msg((t == NULL ? 0 : t->count) == object - single,
	    "seed %u: several variables", seed);
	rest = heap_reach(h, use, NOT, got) - object -
	       heap_lose(h, use, VARIABLES, VARIABLES) -
	       heap_lose(h, use, VARIABLES + 1, VARIABLES + 1);
	t = row_of(TOP_SEVERAL);
	ck_assert_msg(
	    (t == NULL ? 0 : t->count) == rest, "seed %u: several roots", seed);
}

/* A site keeps what is dominated by one of its buffers, these included. */
static void
heap_check_sites(const struct heap *h, unsigned seed)
{
	bool use[ROOTS], with[NODES], without[NODES], kept[2][NODES];
	unsigned i, k, want;
	size_t s;

	memset(kept, 0, sizeof(kept));
	heap_rank(h, use);
	heap_reach(h, use, NOT, with);
	for (i = 0; i < h->n; i++) {
		if (!with[i])
			continue;
		heap_reach(h, use, (int)i, without);
		for (k = 0; k < h->n; k++)
			if (with[k] && !without[k])
				kept[h->kind[i]][k] = true;
	}
	for (s = 0; s < top->nsite; s++) {
		const char *name = snap->cache[top->site[s].cache].c.cache_name;

		i = strcmp(name, "umem_alloc_64") != 0;
		for (k = want = 0; k < h->n; k++)
			want += kept[i][k];
		ck_assert_msg(top->site[s].kept_count == want,
		    "seed %u: %s keeps %u, not %u", seed, name,
		    (unsigned)top->site[s].kept_count, want);
	}
}

START_TEST(random_heaps_are_judged_as_by_definition)
{
	const unsigned seed = (unsigned)_i * 7727u + 11;
	struct heap h;
	unsigned i;

	srand(seed);
	printf("find_graph: seed %u\n", seed);
	for (i = 0; i < 25; i++) {
		heap_make(&h);
		heap_draw(&h);
		fake_lend(d.tgt, i % 4 != 0);
		load();
		heap_check_owned(&h, seed);
		rank();
		heap_check_roots(&h, seed);
		heap_check_sites(&h, seed);
		teardown();
		setup();
	}
}
END_TEST

Suite *
test_find_graph_suite(void)
{
	Suite *s = suite_create("find_graph");
	TCase *tc;

	tc = tcase_create("references");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, references_of_every_kind_are_found_roots_first);
	tcase_add_test(tc, what_does_not_count_is_no_reference);
	tcase_add_test(
	    tc, memory_that_cannot_be_lent_gives_the_same_references);
	tcase_add_test(tc, pointers_of_a_buffer_to_itself_hold_nothing);
	tcase_add_test(tc, freed_and_foreign_addresses_are_refused_in_words);
	suite_add_tcase(s, tc);

	tc = tcase_create("paths");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, path_is_the_shortest_one);
	tcase_add_test(tc, path_from_a_variable_wins_over_one_from_a_stack);
	tcase_add_test(tc, lost_buffer_has_no_path);
	suite_add_tcase(s, tc);

	tc = tcase_create("owned");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, buffer_owns_what_only_it_leads_to);
	tcase_add_test(tc, pointer_on_a_stack_keeps_it_from_being_owned);
	tcase_add_test(tc, lost_buffer_owns_the_lost_ones_it_leads_to);
	suite_add_tcase(s, tc);

	tc = tcase_create("top");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(
	    tc, words_without_a_name_take_nothing_from_variables_between_them);
	tcase_add_test(tc, variable_retains_a_list_and_two_variables_share_one);
	tcase_add_test(tc, owners_of_a_shared_buffer_are_named);
	tcase_add_test(tc, stack_and_registers_take_nothing_from_a_variable);
	tcase_add_test(
	    tc, what_different_roots_lead_to_is_said_to_be_of_several);
	tcase_add_test(tc, elements_of_a_list_count_once_for_their_site);
	tcase_add_test(tc, buffers_with_records_are_told_apart_by_stack);
	tcase_add_test(
	    tc, buffers_with_a_damaged_trace_are_told_apart_by_cache);
	tcase_add_test(tc, empty_heap_has_an_empty_answer);
	tcase_add_loop_test(tc, user_can_stop_at_any_look, 0, 12);
	suite_add_tcase(s, tc);

	tc = tcase_create("random");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(
	    tc, random_heaps_are_judged_as_by_definition, 0, 20);
	suite_add_tcase(s, tc);
	return s;
}
