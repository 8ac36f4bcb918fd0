/* SPDX-License-Identifier: MIT */
/*
 * test_snap_watch.c - what is written into a process that is watched
 */
#include <check.h>
#include <string.h>

#include "snap_fixture.h"
#include "snap_watch.h"
#include "suites.h"

#define TLS (-24)

static taddr_t watch, self, blind;
static unsigned pokes;
static unsigned fail_at; /* which poke fails; 0: none */

static int
poke(void *arg, taddr_t addr, const void *buf, size_t len)
{
	struct target *tgt = arg;

	if (++pokes == fail_at)
		return UMDB_EFAULT;
	memcpy(fake_at(tgt, addr, len), buf, len);
	return UMDB_OK;
}

static struct snap_writer writer = {.poke = poke};

static umem_watch_t *
written(void)
{
	return fake_at(drawn.tgt, watch, sizeof(umem_watch_t));
}

static uint64_t *
thread_word(taddr_t tcache)
{
	taddr_t pointer =
	    DRAW_GET(&drawn, tcache, umem_tcache_t, tc_thread_pointer);

	return fake_at(drawn.tgt, pointer + (uint64_t)TLS, sizeof(uint64_t));
}

/* A thread that sees its cache. */
static void
let_see(taddr_t tcache, taddr_t pointer)
{
	DRAW_SET(&drawn, tcache, umem_tcache_t, tc_thread_pointer, pointer);
	*thread_word(tcache) = tcache;
}

static void
setup(void)
{
	umem_watch_t *w;

	snap_setup();
	pokes = fail_at = 0;
	writer.arg = drawn.tgt;
	watch = draw_meta(&drawn, sizeof(umem_watch_t));
	blind = draw_meta(&drawn, sizeof(umem_tcache_t));
	w = written();
	w->w_hook = DRAW_LIB + 0x1234;
	w->w_tls = TLS;
	w->w_blind = blind;
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_watch, watch);
	DRAW_SET(
	    &drawn, drawn.root, umem_root_t, root_error_hook, DRAW_LIB + 64);
	self = DRAW_GET(&drawn, drawn.root, umem_root_t, root_tcaches);
	let_see(self, DRAW_APP_DATA + 0x800);
}

static const umem_watch_entry_t hundred = {
    .we_ops = UMEM_WATCH_ALLOC, .we_size_min = 100, .we_size_max = 100};

static unsigned
add(void)
{
	unsigned i = 99;

	ck_assert_int_eq(
	    snap_watch_add(drawn.tgt, drawn.root, &hundred, true, &writer, &i),
	    UMDB_OK);
	return i;
}

START_TEST(hooks_are_found)
{
	struct snap_hooks hooks;

	ck_assert_int_eq(snap_hooks(drawn.tgt, drawn.root, &hooks), UMDB_OK);
	ck_assert_uint_eq(hooks.watch, DRAW_LIB + 0x1234);
	ck_assert_uint_eq(hooks.error, DRAW_LIB + 64);
}
END_TEST

START_TEST(library_without_places_for_breakpoints_is_refused)
{
	struct snap_hooks hooks;
	unsigned i;

	DRAW_SET(&drawn, drawn.root, umem_root_t, root_watch, 0);
	ck_assert_int_eq(
	    snap_hooks(drawn.tgt, drawn.root, &hooks), UMDB_ETARGET);
	ck_assert_int_eq(
	    snap_watch_add(drawn.tgt, drawn.root, &hundred, true, &writer, &i),
	    UMDB_ETARGET);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_watch, 8);
	ck_assert_int_eq(
	    snap_hooks(drawn.tgt, drawn.root, &hooks), UMDB_EFAULT);
	ck_assert_int_eq(
	    snap_hooks(drawn.tgt, DRAW_STACK, &hooks), UMDB_ETARGET);
	ck_assert_uint_eq(pokes, 0);
}
END_TEST

START_TEST(entry_is_written_and_threads_are_blinded)
{
	ck_assert_uint_eq(add(), 0);
	ck_assert_uint_eq(written()->w_on,
	    UMEM_WATCH_STATE(1, UMEM_WATCH_ALLOC) | UMEM_WATCH_SELF);
	ck_assert_int_eq(
	    memcmp(&written()->w_entry[0], &hundred, sizeof(hundred)), 0);
	ck_assert_uint_eq(*thread_word(self), blind);
}
END_TEST

START_TEST(thread_that_does_not_see_its_cache_is_left_alone)
{
	taddr_t ended = draw_tcache(&drawn, 1002);
	taddr_t freed = draw_tcache(&drawn, 1003);
	taddr_t lost = draw_tcache(&drawn, 1004);

	let_see(ended, DRAW_APP_DATA + 0x900);
	*thread_word(ended) = 4711;
	let_see(freed, DRAW_APP_DATA + 0xa00);
	DRAW_SET(&drawn, freed, umem_tcache_t, tc_state, UMEM_TC_FREE);
	DRAW_SET(&drawn, lost, umem_tcache_t, tc_thread_pointer, 64);
	add();
	ck_assert_uint_eq(*thread_word(self), blind);
	ck_assert_uint_eq(*thread_word(ended), 4711);
	ck_assert_uint_eq(*thread_word(freed), freed);
}
END_TEST

START_TEST(before_the_first_thread_only_the_entry_is_written)
{
	written()->w_tls = 0;
	add();
	ck_assert_uint_ne(written()->w_on, 0);
	ck_assert_uint_eq(*thread_word(self), self);
}
END_TEST

START_TEST(entries_are_taken_and_given_back)
{
	unsigned i;

	for (i = 0; i < UMEM_WATCH_MAX; i++)
		ck_assert_uint_eq(add(), i);
	ck_assert_int_eq(
	    snap_watch_add(drawn.tgt, drawn.root, &hundred, true, &writer, &i),
	    UMDB_ENOTFOUND);
	ck_assert_ptr_nonnull(strstr(drawn.tgt->err.msg, "8 things"));
	ck_assert_int_eq(
	    snap_watch_remove(drawn.tgt, drawn.root, 3, &writer), UMDB_OK);
	ck_assert_uint_ne(written()->w_on, 0);
	ck_assert_uint_eq(add(), 3);
	for (i = 0; i < UMEM_WATCH_MAX; i++) {
		ck_assert_uint_ne(written()->w_on, 0);
		ck_assert_int_eq(
		    snap_watch_remove(drawn.tgt, drawn.root, i, &writer),
		    UMDB_OK);
	}
	ck_assert_uint_eq(written()->w_on, 0);
	ck_assert_int_eq(
	    snap_watch_remove(drawn.tgt, drawn.root, 99, &writer), UMDB_OK);
}
END_TEST

START_TEST(entries_that_the_library_gave_up_are_cleared)
{
	add();
	add();
	written()->w_on = 0;
	ck_assert_uint_eq(add(), 0);
	ck_assert_uint_eq(written()->w_entry[1].we_ops, 0);
}
END_TEST

START_TEST(memory_that_cannot_be_written_is_an_error)
{
	unsigned i;

	for (fail_at = 1; fail_at <= 4; fail_at++) {
		pokes = 0;
		ck_assert_int_eq(snap_watch_add(drawn.tgt, drawn.root, &hundred,
				     true, &writer, &i),
		    UMDB_EFAULT);
	}
	fail_at = 0;
	ck_assert_uint_eq(add(), 0);
}
END_TEST

START_TEST(list_of_threads_that_loops_ends)
{
	DRAW_SET(&drawn, self, umem_tcache_t, tc_next, self);
	add();
	ck_assert_uint_eq(*thread_word(self), blind);
}
END_TEST

Suite *
test_snap_watch_suite(void)
{
	Suite *s = suite_create("snap_watch");
	TCase *tc = tcase_create("watch");

	tcase_add_checked_fixture(tc, setup, snap_teardown);
	tcase_add_test(tc, hooks_are_found);
	tcase_add_test(tc, library_without_places_for_breakpoints_is_refused);
	tcase_add_test(tc, entry_is_written_and_threads_are_blinded);
	tcase_add_test(tc, thread_that_does_not_see_its_cache_is_left_alone);
	tcase_add_test(tc, before_the_first_thread_only_the_entry_is_written);
	tcase_add_test(tc, entries_are_taken_and_given_back);
	tcase_add_test(tc, entries_that_the_library_gave_up_are_cleared);
	tcase_add_test(tc, memory_that_cannot_be_written_is_an_error);
	tcase_add_test(tc, list_of_threads_that_loops_ends);
	suite_add_tcase(s, tc);
	return s;
}
