/* SPDX-License-Identifier: MIT */
/*
 * test_walker.c - walks by name, on a drawn heap, through a session
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "suites.h"
#include "walker.h"

#define MANUAL "doc/umem_gdb.1"
#define MET_MAX 4096u

static struct draw d;
static struct session s;
static taddr_t met[MET_MAX];
static size_t nmet;

static void
setup(void)
{
	draw_heap(&d);
	session_open(&s, &d);
}

static void
teardown(void)
{
	session_close(&s);
	draw_close(&d);
}

/* Take the addresses that a line printed, one a line. */
static void
read_addresses(void)
{
	const char *p = s.text != NULL ? s.text : "";

	for (nmet = 0; *p != '\0'; p += strcspn(p, "\n") + 1) {
		ck_assert_uint_lt(nmet, MET_MAX);
		ck_assert_msg(strncmp(p, "0x", 2) == 0, "%s", p);
		met[nmet++] = strtoull(p, NULL, 16);
	}
}

static size_t
walk(const char *line)
{
	ck_assert_msg(
	    session_run(&s, line) == UMDB_OK, "%s: %s", line, umdb_error(s.u));
	read_addresses();
	return nmet;
}

static size_t
walk_from(const char *name, taddr_t start)
{
	char line[128];

	snprintf(line, sizeof(line), "walk %s 0x%" PRIx64, name, start);
	return walk(line);
}

static taddr_t
cache_addr(const char *name)
{
	return draw_cache_addr(&d, name);
}

/* ------------------------------------------------------------------- table */

START_TEST(names_are_unique_and_rows_complete)
{
	size_t i, k;

	for (i = 0; i < nwalker; i++) {
		ck_assert_ptr_eq(walker_find(walkers[i].name), &walkers[i]);
		ck_assert_ptr_nonnull(walkers[i].run);
		ck_assert_uint_gt(strlen(walkers[i].summary), 3);
		ck_assert_int_eq(
		    walkers[i].optional, walkers[i].usage[0] == '[');
		ck_assert_int_eq(walkers[i].start == START_NONE,
		    walkers[i].usage[0] == '\0');
		for (k = i + 1; k < nwalker; k++)
			ck_assert_str_ne(walkers[i].name, walkers[k].name);
	}
	ck_assert_ptr_null(walker_find("nosuch"));
	ck_assert_ptr_null(walker_find(""));
	ck_assert_ptr_null(walker_find("umem_ptc_"));
	ck_assert_ptr_null(walker_find("umem_ptc_6x"));
	ck_assert_ptr_eq(
	    walker_find("umem_ptc_64"), walker_find("umem_ptc_SIZE"));
}
END_TEST

static char *
read_manual(void)
{
	static char page[1u << 18];
	FILE *f = fopen(MANUAL, "r");

	ck_assert_msg(f != NULL, "%s cannot be read", MANUAL);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	return page;
}

START_TEST(manual_and_table_have_the_same_walkers)
{
	char *page = strstr(read_manual(), "\n.Sh WALKERS\n"), *end, *at;
	char want[128], name[64];
	size_t i, n = 0;

	ck_assert_ptr_nonnull(page);
	end = strstr(page + 1, "\n.Sh ");
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	for (i = 0; i < nwalker; i++) {
		const char *u = walkers[i].usage;
		const size_t len = strcspn(u, "]");

		if (u[0] == '[')
			snprintf(want, sizeof(want), "\n.It Cm %s Op Ar %.*s",
			    walkers[i].name, (int)strcspn(u + 1, "|]"), u + 1);
		else
			snprintf(want, sizeof(want), "\n.It Cm %s%s%.*s",
			    walkers[i].name, u[0] ? " Ar " : "", (int)len, u);
		ck_assert_msg(
		    strstr(page, want) != NULL, "the manual lacks %s", want);
	}
	for (at = page; (at = strstr(at, "\n.It Cm ")) != NULL; n++) {
		ck_assert_int_eq(sscanf(at, "\n.It Cm %63s", name), 1);
		ck_assert_msg(
		    strcmp(name, "CACHE") == 0 || walker_find(name) != NULL,
		    "the manual has a walker %s", name);
		at++;
	}
	ck_assert_uint_eq(n, nwalker + 1);
}
END_TEST

START_TEST(manual_has_no_command_that_is_not_there)
{
	char *at = read_manual(), name[64];
	size_t n = 0;

	while ((at = strstr(at, "\n.Ss umem ")) != NULL) {
		ck_assert_int_eq(sscanf(at, "\n.Ss umem %63s", name), 1);
		ck_assert_msg(dcmd_find(name) != NULL,
		    "the manual has a command umem %s", name);
		at++;
		n++;
	}
	ck_assert_uint_eq(n, ndcmd);
}
END_TEST

/* ------------------------------------------------------------- healthy heap */

START_TEST(each_walker_visits_what_was_drawn)
{
	static const struct {
		const char *line;
		size_t n;
	} c[] = {
	    {"walk umem_cache", 3},
	    {"walk umem_slab umem_alloc_64", 2},
	    {"walk umem_slab umem_oversize", 2},
	    {"walk umem_slab_partial umem_alloc_64", 2},
	    {"walk umem_slab_partial umem_oversize", 0},
	    {"walk umem_hash umem_alloc_48", 5},
	    {"walk umem", 18},
	    {"walk umem umem_alloc_64", 11},
	    {"walk freemem", 124},
	    {"walk freemem umem_alloc_64", 109},
	    {"walk bufctl umem_alloc_48", 5},
	    {"walk freectl umem_alloc_48", 15},
	    {"walk slab_free", 114},
	    {"walk slab_free umem_alloc_48", 15},
	    {"walk depot", 4},
	    {"walk depot umem_alloc_48", 0},
	    {"walk thread_free", 6},
	    {"walk umem_ptc_64", 6},
	    {"walk umem_ptc_64 1001", 6},
	    {"walk umem_ptc_48", 0},
	    {"walk thread_cache", 1},
	    {"walk thread_cache 1001", 1},
	    {"walk magazine", 4},
	    {"walk magazine umem_alloc_64", 4},
	    {"walk magazine umem_alloc_48", 0},
	    {"walk pagemap", 5},
	    {"walk umem_log", 7},
	    {"walk umem_log transaction", 7},
	    {"walk vmem", 2},
	    {"walk vmem umem_default", 1},
	    {"walk vmem_postfix", 2},
	    {"walk vmem_seg umem_heap", 5},
	    {"walk vmem_alloc umem_heap", 2},
	    {"walk vmem_free umem_heap", 1},
	    {"walk vmem_span umem_heap", 1},
	    {"walk umem_alloc_64", 11},
	    {"walk umem_oversize", 2},
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		walk(c[i].line);
		ck_assert_msg(nmet == c[i].n, "%s: %zu", c[i].line, nmet);
	}
}
END_TEST

START_TEST(a_walk_can_start_from_an_address)
{
	taddr_t cache = cache_addr("umem_alloc_64"), mag, slab, tcache;

	ck_assert_uint_eq(walk_from("umem", cache), 11);
	ck_assert_uint_eq(walk_from("umem_slab", cache), 2);
	slab = met[0];
	ck_assert_uint_eq(walk_from("slab_free", slab) % 59, 40);
	ck_assert_uint_eq(
	    walk_from("slab_free", draw_buf(&d, slab, 3)) % 59, 40);
	ck_assert_uint_eq(walk("walk thread_cache"), 1);
	tcache = met[0];
	ck_assert_uint_eq(walk_from("umem_ptc_64", tcache), 6);
	ck_assert_uint_eq(walk_from("magazine", tcache), 2);
	mag = met[0];
	ck_assert_uint_eq(walk_from("round", mag) % 2, 0);
	ck_assert_uint_eq(walk_from("magazine", cache), 4);
	ck_assert_uint_eq(walk("walk vmem"), 2);
	ck_assert_uint_eq(walk_from("vmem_alloc", met[1]), 1);
	ck_assert_uint_eq(
	    walk_from("umem_log",
		DRAW_GET(&d, d.root, umem_root_t, root_log_transaction)),
	    7);
}
END_TEST

START_TEST(a_history_starts_from_a_record_or_a_buffer)
{
	taddr_t first;

	ck_assert_uint_eq(walk("walk bufctl"), 5);
	first = met[0];
	ck_assert_uint_eq(walk_from("bufctl_history", first), 1);
	ck_assert_uint_eq(met[0], first);
	walk("walk umem umem_alloc_48");
	ck_assert_uint_eq(walk_from("bufctl_history", met[0]), 1);
	ck_assert_uint_eq(met[0], first);
	ck_assert_uint_gt(walk("walk freectl umem_alloc_48"), 0);
	ck_assert_uint_eq(walk_from("bufctl_history", met[0]), 2);
}
END_TEST

START_TEST(arenas_come_before_or_behind_what_imports_from_them)
{
	taddr_t heap;

	walk("walk vmem");
	heap = met[0];
	ck_assert_uint_eq(heap, d.heap_arena);
	walk("walk vmem_postfix");
	ck_assert_uint_eq(met[1], heap);
	ck_assert_uint_eq(walk_from("vmem", heap), 2);
}
END_TEST

START_TEST(leaks_are_found_when_they_are_walked)
{
	size_t n = walk("walk leakbuf"), i;
	taddr_t bufs[MET_MAX];

	ck_assert_uint_gt(n, 2);
	memcpy(bufs, met, sizeof(bufs));
	ck_assert_uint_eq(walk("walk leak"), n);
	for (i = 0; i < n; i++)
		ck_assert_uint_gt(walk_from("leakbuf", bufs[i]), 0);
	session_fail(&s, "walk leakbuf 0x10", UMDB_ENOTFOUND,
	    "walk: 0x10 is not among the leaks");
}
END_TEST

START_TEST(json_has_a_row_for_each_address)
{
	char want[256];

	walk("walk umem umem_oversize");
	snprintf(want, sizeof(want),
	    "{\"umdb\":1,\"command\":\"walk\",\"rows\":[\n"
	    "{\"addr\":\"0x%" PRIx64 "\"},\n{\"addr\":\"0x%" PRIx64 "\"}\n"
	    "],\"summary\":{\"walker\":\"umem\",\"count\":2}}\n",
	    met[0], met[1]);
	session_expect(&s, "walk umem umem_oversize -json", want);
}
END_TEST

START_TEST(wrong_starts_are_one_sentence)
{
	static const struct {
		const char *line, *sentence;
		int code;
	} c[] = {
	    {"walk nosuch",
		"walk: there is no walker and no cache nosuch; \"umem "
		"walkers\" lists the walkers",
		UMDB_EUSAGE},
	    {"walk umem_slab",
		"walk: walker umem_slab needs a start: walk umem_slab CACHE; "
		"usage: umem walk [WALKER|CACHE] [START]",
		UMDB_EUSAGE},
	    {"walk umem_cache 1",
		"walk: walker umem_cache starts from nothing; usage: umem walk "
		"[WALKER|CACHE] [START]",
		UMDB_EUSAGE},
	    {"walk umem nosuch", "walk: there is no cache named nosuch",
		UMDB_ENOTFOUND},
	    {"walk umem 0x10", "walk: there is no cache at 0x10",
		UMDB_ENOTFOUND},
	    {"walk slab_free 0x10",
		"walk: 0x10 is neither a cache nor in a slab", UMDB_ENOTFOUND},
	    {"walk magazine 0x10",
		"walk: 0x10 is neither a cache nor a thread cache",
		UMDB_ENOTFOUND},
	    {"walk round 0x10", "walk: 0x10 is no magazine in use",
		UMDB_ENOTFOUND},
	    {"walk vmem_seg nosuch",
		"walk: there is no arena nosuch; umem stat lists them",
		UMDB_ENOTFOUND},
	    {"walk umem_ptc_7",
		"walk: threads keep no buffers of a cache "
		"umem_alloc_7",
		UMDB_ENOTFOUND},
	    {"walk thread_cache 5", "walk: thread 5 has no cache",
		UMDB_ENOTFOUND},
	    {"walk umem_log fail",
		"walk: the fail log is off: run the program with "
		"UMEM_LOGGING=fail",
		UMDB_ENOTFOUND},
	    {"walk umem_cpu",
		"walk: there are no CPU caches: each thread has a cache of its "
		"own; see the walker thread_cache",
		UMDB_ENOTFOUND},
	    {"walk umem_cpu_cache umem_alloc_64",
		"walk: there are no CPU caches: each thread has a cache of its "
		"own; see the walker thread_cache",
		UMDB_ENOTFOUND},
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		session_fail(&s, c[i].line, c[i].code, c[i].sentence);
}
END_TEST

START_TEST(a_cache_without_bufctls_is_said_to_have_none)
{
	session_expect(&s, "walk bufctl umem_alloc_64",
	    "note: cache umem_alloc_64 keeps no bufctls: run the program with "
	    "UMEM_DEBUG=audit, or default\n");
}
END_TEST

/* ------------------------------------------------------------ damaged heap */

START_TEST(a_walk_that_breaks_off_says_so_behind_what_it_found)
{
	taddr_t seg = DRAW_GET(&d, d.heap_arena, vmem_t, vm_seg0.vs_anext);

	seg = DRAW_GET(&d, seg, vmem_seg_t, vs_anext);
	DRAW_SET(&d, seg, vmem_seg_t, vs_anext, 0xdead0000);
	ck_assert_int_eq(
	    session_run(&s, "walk vmem_seg umem_heap"), UMDB_EFAULT);
	ck_assert_str_eq(
	    umdb_error(s.u), "walk: cannot read segment at 0xdead0000");
	read_addresses();
	ck_assert_uint_eq(nmet, 2);
	ck_assert_int_eq(session_run(&s, "walk vmem_seg umem_heap | whatis -q"),
	    UMDB_EFAULT);
	ck_assert_ptr_nonnull(strstr(s.text, " is in structures"));
}
END_TEST

START_TEST(lists_that_loop_end)
{
	taddr_t tc = DRAW_GET(&d, d.root, umem_root_t, root_tcaches);
	taddr_t mag = DRAW_GET(&d, cache_addr("umem_alloc_64"), umem_cache_t,
	    cache_magfull.ml_list);

	if (_i == 0) {
		DRAW_SET(&d, tc, umem_tcache_t, tc_next, tc);
		ck_assert_int_eq(
		    session_run(&s, "walk magazine"), UMDB_ECORRUPT);
		ck_assert_ptr_nonnull(strstr(
		    umdb_error(s.u), "the list of thread caches loops at"));
	} else {
		DRAW_SET(&d, mag, umem_magazine_t, mag_next, mag);
		ck_assert_int_eq(
		    session_run(&s, "walk magazine"), UMDB_ECORRUPT);
		ck_assert_ptr_nonnull(strstr(umdb_error(s.u), "loops at"));
	}
}
END_TEST

START_TEST(arenas_that_import_from_each_other_are_visited_once)
{
	taddr_t dflt;

	walk("walk vmem");
	dflt = met[1];
	umdb_invalidate(s.u);
	DRAW_SET(&d, d.heap_arena, vmem_t, vm_source, dflt);
	ck_assert_uint_eq(session_run(&s, "walk vmem") == UMDB_OK, 1);
	ck_assert_ptr_nonnull(s.text);
	ck_assert_uint_eq(strtoull(s.text, NULL, 16), d.heap_arena);
}
END_TEST

START_TEST(a_damaged_magazine_hides_no_other)
{
	taddr_t mag = DRAW_GET(&d, cache_addr("umem_alloc_64"), umem_cache_t,
	    cache_magempty.ml_list);

	walk("walk thread_cache");
	umdb_invalidate(s.u);
	DRAW_SET(&d, mag, umem_magazine_t, mag_rounds, 5000);
	ck_assert_int_eq(session_run(&s, "walk magazine"), UMDB_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(umdb_error(s.u), "is damaged"));
}
END_TEST

/* ------------------------------------------- every buffer once, in any state */

#define RANDOM_CACHES 4u
#define RANDOM_SLABS 5u

/* What was drawn, for comparing. */
static struct {
	taddr_t addr;
	enum buf_state state;
} drawn_buf[MET_MAX];
static size_t ndrawn;

static uint32_t seed;

static uint32_t
pick(uint32_t n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

/* Buffers of one state that wait to be put into a magazine. */
struct waiting {
	taddr_t buf[16];
	uint32_t n;
};

static void
put_magazine(struct waiting *w, taddr_t cache, taddr_t tcache, bool *loaded)
{
	if (w->n == 0)
		return;
	if (tcache == 0)
		draw_depot(&d, cache, w->buf, w->n, 16);
	else if (!*loaded)
		draw_load(&d, tcache, cache, w->buf, w->n, 16);
	else
		draw_previous(&d, tcache, cache, w->buf, w->n, 16);
	*loaded = true;
	w->n = 0;
}

static void
draw_random_cache(uint32_t index, taddr_t tcache)
{
	struct waiting depot = {{0}, 0}, thread = {{0}, 0};
	char name[UMEM_NAME_LEN];
	bool loaded = false, unused = false;
	uint32_t held = 0, i, k, chunks;
	taddr_t cache, slab, buf;

	snprintf(name, sizeof(name), "random_%" PRIu32, index);
	cache = draw_cache(&d, name, 32 + 16 * pick(8),
	    pick(2) ? UMF_AUDIT | UMF_DEADBEEF | UMF_REDZONE : 0, 10 + index);
	for (i = 0; i < 1 + pick(RANDOM_SLABS); i++) {
		chunks = 1 + pick(40);
		slab = draw_slab(&d, cache, chunks);
		for (k = 0; k < chunks; k++) {
			enum buf_state state = (enum buf_state)pick(4);

			if (state == BUF_FREE_THREAD && held == 32)
				state = BUF_ALLOCATED;
			buf = draw_buf(&d, slab, k);
			if (state != BUF_FREE_SLAB)
				buf = draw_alloc(&d, slab, k, 1);
			if (state == BUF_FREE_DEPOT)
				depot.buf[depot.n++] = buf;
			if (state == BUF_FREE_THREAD) {
				thread.buf[thread.n++] = buf;
				held++;
			}
			if (depot.n == 16)
				put_magazine(&depot, cache, 0, &unused);
			if (thread.n == 16)
				put_magazine(&thread, cache, tcache, &loaded);
			drawn_buf[ndrawn].addr = buf;
			drawn_buf[ndrawn++].state = state;
		}
	}
	put_magazine(&depot, cache, 0, &unused);
	put_magazine(&thread, cache, tcache, &loaded);
}

static int
compare_addr(const void *a, const void *b)
{
	const taddr_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* A walk gives exactly the buffers of these states, each once. */
static void
expect_states(const char *line, unsigned states)
{
	taddr_t want[MET_MAX];
	size_t n = 0, i;

	for (i = 0; i < ndrawn; i++)
		if (states & 1u << drawn_buf[i].state)
			want[n++] = drawn_buf[i].addr;
	qsort(want, n, sizeof(want[0]), compare_addr);
	walk(line);
	qsort(met, nmet, sizeof(met[0]), compare_addr);
	ck_assert_msg(nmet == n, "%s gives %zu, not %zu", line, nmet, n);
	ck_assert_mem_eq(met, want, n * sizeof(want[0]));
}

/* Of an arena's ids 0-4 the first three are free in its quantum cache. */
START_TEST(a_quantum_cache_has_segments_for_buffers)
{
	const taddr_t tc = DRAW_GET(&d, d.root, umem_root_t, root_tcaches);
	const taddr_t ids = draw_arena(&d, "ids", 0);
	const taddr_t cache = draw_cache(&d, "ids_1", 1, 0, 5);
	const taddr_t depot[2] = {0, 1}, loaded = 2;
	uint64_t i;

	draw_segment(&d, ids, VMEM_SEG_SPAN, 0, 100);
	for (i = 0; i < 5; i++)
		draw_segment(&d, ids, VMEM_SEG_ALLOC, i, i + 1);
	draw_segment(&d, ids, VMEM_SEG_ALLOC, 5, 8);
	draw_segment(&d, ids, VMEM_SEG_FREE, 8, 100);
	DRAW_SET(
	    &d, cache, umem_cache_t, cache_cflags, UMC_QCACHE | UMC_INTERNAL);
	DRAW_SET(&d, cache, umem_cache_t, cache_arena, ids);
	DRAW_SET(&d, cache, umem_cache_t, cache_slab_alloc, 5);
	draw_depot(&d, cache, depot, 2, 4);
	draw_load(&d, tc, cache, &loaded, 1, 4);
	session_expect(&s, "walk umem ids_1", "0x3\n0x4\n");
	session_expect(&s, "walk ids_1", "0x3\n0x4\n");
	session_expect(&s, "walk freemem ids_1", "0x0\n0x1\n0x2\n");
	session_find(&s, "walk umem", "\n0x3\n0x4\n");
	session_find(&s, "cache ids_1", "  5      2\n");
	session_find(&s, "cache ids_1",
	    "buffers: 2 in use; free: 1 in thread caches, 2 in the depot, 0 "
	    "in slabs\n");
	session_expect(
	    &s, "whatis 0", "0x0 is a free buffer of ids_1, in its depot\n");
	session_expect(&s, "whatis 2",
	    "0x2 is a free buffer of ids_1, in the cache of thread 1 (LWP "
	    "1001)\n");
	session_expect(&s, "whatis 3", "0x3 is allocated from arena ids\n");
	session_find(&s, "whatis -v 2", "[0x2, 0x3), free in cache ids_1\n");
	session_find(&s, "whatis -v 3", "[0x3, 0x4), allocated\n");
	session_find(&s, "whatis -json 2",
	    "\"cache\":\"ids_1\",\"state\":\"free-thread\",");
	session_fail(&s, "print ids_1 int", UMDB_EUSAGE,
	    "print: the buffers of ids_1 are segments of an arena: umem walk "
	    "umem ids_1 lists them");
}
END_TEST

START_TEST(every_buffer_is_in_one_walk)
{
	uint32_t i;
	taddr_t tc;

	seed = (uint32_t)_i * 7919u + 1;
	ndrawn = 0;
	draw_open(&d);
	tc = draw_tcache(&d, 4711);
	for (i = 0; i < RANDOM_CACHES; i++)
		draw_random_cache(i, tc);
	session_open(&s, &d);
	expect_states("walk umem", 1u << BUF_ALLOCATED);
	expect_states("walk slab_free", 1u << BUF_FREE_SLAB);
	expect_states("walk depot", 1u << BUF_FREE_DEPOT);
	expect_states("walk thread_free", 1u << BUF_FREE_THREAD);
	expect_states("walk freemem", 7);
	expect_states("walk pagemap | slab_free", 1u << BUF_FREE_SLAB);
	expect_states("walk umem_cache | walk umem", 1u << BUF_ALLOCATED);
	session_close(&s);
	draw_close(&d);
}
END_TEST

Suite *
test_walker_suite(void)
{
	Suite *suite = suite_create("walker");
	TCase *table = tcase_create("table");
	TCase *heap = tcase_create("heap");
	TCase *any = tcase_create("any state");

	tcase_add_test(table, names_are_unique_and_rows_complete);
	tcase_add_test(table, manual_and_table_have_the_same_walkers);
	tcase_add_test(table, manual_has_no_command_that_is_not_there);
	suite_add_tcase(suite, table);
	tcase_add_checked_fixture(heap, setup, teardown);
	tcase_add_test(heap, each_walker_visits_what_was_drawn);
	tcase_add_test(heap, a_walk_can_start_from_an_address);
	tcase_add_test(heap, a_history_starts_from_a_record_or_a_buffer);
	tcase_add_test(
	    heap, arenas_come_before_or_behind_what_imports_from_them);
	tcase_add_test(heap, leaks_are_found_when_they_are_walked);
	tcase_add_test(heap, json_has_a_row_for_each_address);
	tcase_add_test(heap, wrong_starts_are_one_sentence);
	tcase_add_test(heap, a_cache_without_bufctls_is_said_to_have_none);
	tcase_add_test(
	    heap, a_walk_that_breaks_off_says_so_behind_what_it_found);
	tcase_add_loop_test(heap, lists_that_loop_end, 0, 2);
	tcase_add_test(
	    heap, arenas_that_import_from_each_other_are_visited_once);
	tcase_add_test(heap, a_damaged_magazine_hides_no_other);
	tcase_add_test(heap, a_quantum_cache_has_segments_for_buffers);
	suite_add_tcase(suite, heap);
	tcase_add_loop_test(any, every_buffer_is_in_one_walk, 0, 40);
	suite_add_tcase(suite, any);
	return suite;
}
