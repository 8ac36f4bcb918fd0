/* SPDX-License-Identifier: MIT */
/*
 * test_find_reads.c - what is said of long reads, before them and meanwhile
 *
 * A drawn heap is read through callbacks, each byte of which takes as long as
 * the test wants: the clock that the rate comes from is moved on.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "find.h"
#include "find_top.h"
#include "suites.h"

#define BIG 0x7fff80000000u /* a mapping that is worth planning for */
#define BIG_SIZE (6u << 20)

static struct draw d;
static struct target *tgt; /* reads d.tgt */
static struct snap *snap;
static uint64_t ns_per_byte;

static struct said {
	unsigned told, polls, in_bytes;
	uint64_t plan; /* bytes */
	double rate;
	uint64_t done, total; /* of the last poll in bytes */
} said;

static void
on_read(void *arg, uint64_t addr, void *buf, uint64_t len, int *ok)
{
	(void)arg;
	*ok = target_read(d.tgt, addr, buf, len, "memory") == UMDB_OK;
	tgt->slow_ns += len * ns_per_byte;
}

static void
on_tell(void *arg, uint64_t bytes, double rate)
{
	(void)arg;
	ck_assert_uint_eq(said.polls, 0);
	said.told++;
	said.plan = bytes;
	said.rate = rate;
}

/* Target_poll asks after some time only: make it ask every time. */
static bool
on_poll(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	tgt->polled = 0;
	said.polls++;
	if (tgt->plan == 0)
		return false;
	ck_assert_msg(tgt->in_bytes, "%s", what);
	ck_assert_msg(done >= said.done, "%s", what);
	said.in_bytes++;
	said.done = done;
	said.total = total;
	return false;
}

static void
open_with(uint64_t big)
{
	static const struct target_callbacks cb = {.read = on_read};
	struct umdb_error err;

	draw_heap(&d);
	if (big > 0)
		fake_add(d.tgt, BIG, big, "", FAKE_READ | FAKE_WRITE);
	tgt = target_open_callbacks(&cb, &err);
	ck_assert_ptr_nonnull(tgt);
	ck_assert_int_eq(
	    target_set_regions(tgt, d.tgt->region, d.tgt->nregion), UMDB_OK);
	ck_assert_int_eq(
	    target_set_threads(tgt, d.tgt->thread, d.tgt->nthread), UMDB_OK);
	snap = snap_open(tgt);
	ck_assert_ptr_nonnull(snap);
	tgt->tell = on_tell;
	tgt->poll = on_poll;
	said = (struct said){0};
}

static void
setup(void)
{
	ns_per_byte = 0;
}

static void
teardown(void)
{
	snap_close(snap);
	target_close(tgt);
	snap = NULL;
	tgt = NULL;
	draw_close(&d);
}

static void
search(void)
{
	struct leaks *leaks;

	ck_assert_int_eq(find_leaks(snap, &leaks), UMDB_OK);
	find_leaks_free(leaks);
	ck_assert_uint_eq(tgt->plan, 0);
}

static void
build(void)
{
	struct graph *g;

	ck_assert_int_eq(find_graph(snap, &g), UMDB_OK);
	find_graph_free(g);
	ck_assert_uint_eq(tgt->plan, 0);
}

/* 1 MB/s, as far as this machine's own time does not count. */
START_TEST(long_reads_are_told_before_they_start)
{
	ns_per_byte = 1000;
	open_with(BIG_SIZE);
	if (_i == 0)
		search();
	else
		build();
	ck_assert_uint_eq(said.told, 1);
	ck_assert_uint_gt(said.plan, BIG_SIZE);
	ck_assert(said.rate > 0.5e6 && said.rate <= 1e6);
	ck_assert_uint_eq(said.total, said.plan);
	ck_assert_uint_gt(said.done, said.plan / 10 * 9);
	ck_assert_uint_lt(said.done, said.plan / 10 * 11);
	ck_assert_uint_gt(said.in_bytes, 0);
}
END_TEST

START_TEST(a_search_from_the_cache_goes_by_the_last_rate)
{
	ns_per_byte = 1000;
	open_with(BIG_SIZE);
	search();
	said = (struct said){0};
	search();
	ck_assert_uint_eq(said.told, 1);
}
END_TEST

START_TEST(short_reads_are_not_worth_a_word)
{
	ns_per_byte = _i == 0 ? 1000 : 0; /* little memory, or a fast line */
	open_with(_i == 0 ? 0 : BIG_SIZE);
	search();
	ck_assert_uint_eq(said.told, 0);
	ck_assert_uint_gt(said.in_bytes, 0);
}
END_TEST

START_TEST(a_target_that_is_not_slow_has_no_plan)
{
	open_with(BIG_SIZE);
	tgt->slow = false;
	search();
	ck_assert_uint_eq(said.told, 0);
	ck_assert_uint_eq(said.in_bytes, 0);
	ck_assert_uint_gt(said.polls, 0);
}
END_TEST

Suite *
test_find_reads_suite(void)
{
	Suite *s = suite_create("find_reads");
	TCase *t = tcase_create("plan");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, long_reads_are_told_before_they_start, 0, 2);
	tcase_add_test(t, a_search_from_the_cache_goes_by_the_last_rate);
	tcase_add_loop_test(t, short_reads_are_not_worth_a_word, 0, 2);
	tcase_add_test(t, a_target_that_is_not_slow_has_no_plan);
	suite_add_tcase(s, t);
	return s;
}
