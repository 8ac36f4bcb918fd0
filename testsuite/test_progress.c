/* SPDX-License-Identifier: MIT */
/*
 * test_progress.c - how far, how much, how long
 */
#include <check.h>

#include "progress.h"
#include "suites.h"

#define SECOND UINT64_C(1000000000)
#define MIB (UINT64_C(1) << 20)

static struct progress p;

static void
setup(void)
{
	p = (struct progress){0};
}

static void
expect(
    const char *text, uint64_t done, uint64_t total, double rate, uint64_t now)
{
	ck_assert_str_eq(
	    progress_text(&p, "searching", done, total, rate, now), text);
}

START_TEST(without_a_total_only_the_work_is_named)
{
	expect("searching", 5, 0, 0, 1);
	expect("searching", 5, 0, 1e6, 9 * SECOND);
}
END_TEST

START_TEST(the_pace_tells_what_is_left)
{
	expect("searching 0%", 0, 1000, 0, 7 * SECOND);
	expect("searching 20%", 200, 1000, 0, 7 * SECOND + SECOND / 4);
	expect("searching 25%, 6 s left", 250, 1000, 0, 9 * SECOND);
	expect("searching 100%, 0 s left", 1200, 1000, 0, 15 * SECOND);
}
END_TEST

START_TEST(what_was_done_before_the_first_look_took_no_time)
{
	expect("searching 50%", 500, 1000, 0, SECOND);
	expect("searching 75%, 2 s left", 750, 1000, 0, 3 * SECOND);
}
END_TEST

START_TEST(the_rate_tells_before_there_is_a_pace)
{
	expect("searching 0% of 100.0 MiB, 50 s left", 0, 100 * MIB, 2.0 * MIB,
	    SECOND);
	expect("searching 50% of 100.0 MiB, 10 s left", 50 * MIB, 100 * MIB,
	    2.0 * MIB, 11 * SECOND);
}
END_TEST

START_TEST(before_the_work_it_is_said_how_long_it_takes)
{
	ck_assert_str_eq(progress_plan(&p, 100 * MIB, 2.0 * MIB),
	    "100.0 MiB are to be read, at 2.0 MiB/s: about 50 s");
}
END_TEST

START_TEST(other_work_starts_the_clock_anew)
{
	expect("searching 0%", 0, 100, 0, SECOND);
	ck_assert_str_eq(progress_text(&p, "sorting", 50, 100, 0, 9 * SECOND),
	    "sorting 50%");
	expect("searching 10%", 10, 100, 0, 10 * SECOND);
	expect("searching 5%", 5, 100, 0, 20 * SECOND);
}
END_TEST

Suite *
test_progress_suite(void)
{
	Suite *s = suite_create("progress");
	TCase *tc = tcase_create("text");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, without_a_total_only_the_work_is_named);
	tcase_add_test(tc, the_pace_tells_what_is_left);
	tcase_add_test(tc, what_was_done_before_the_first_look_took_no_time);
	tcase_add_test(tc, the_rate_tells_before_there_is_a_pace);
	tcase_add_test(tc, before_the_work_it_is_said_how_long_it_takes);
	tcase_add_test(tc, other_work_starts_the_clock_anew);
	suite_add_tcase(s, tc);
	return s;
}
