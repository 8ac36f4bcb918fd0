/* SPDX-License-Identifier: MIT */
/*
 * test_stamp.c - the cheap clock tells the time
 *
 * Each stamp is taken between two readings of the real clock, so a test that
 * is interrupted in between only allows for more.
 */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "os.h"
#include "stamp.h"
#include "suites.h"

#define NS_PER_MS 1000000u
#define SLACK 20000 /* ns that a stamp may be off */

/* follow - take stamps for @ms milliseconds; the worst error in ns */
static uint64_t
follow(uint64_t ms)
{
	uint64_t start = os_now(), before, stamp, after, worst = 0;

	do {
		before = os_now();
		stamp = stamp_now();
		after = os_now();
		if (stamp < before && before - stamp > worst)
			worst = before - stamp;
		if (stamp > after && stamp - after > worst)
			worst = stamp - after;
	} while (after - start < ms * NS_PER_MS);
	return worst;
}

static uint64_t
tick(void)
{
	struct timespec t;

	ck_assert_int_eq(clock_getres(CLOCK_MONOTONIC_COARSE, &t), 0);
	return (uint64_t)t.tv_nsec;
}

/* A test is a process of one thread: its stamps may be late by a tick. */
START_TEST(stamp_is_the_time_from_the_first_one_on)
{
	ck_assert_uint_ne(stamp_now(), 0);
	ck_assert_uint_le(follow(300), tick() + SLACK);
}
END_TEST

/* With pauses, without which no stamp would be late by more than SLACK. */
START_TEST(one_thread_reads_the_clock_for_one_in_32)
{
	uint64_t stamp, before, start, last = stamp_now();
	unsigned i, n, exact;

	for (i = 0; i < 250; i++) {
		for (n = exact = 0; n < 32; n++) {
			start = os_now();
			do
				before = os_now();
			while (before - start < SLACK + SLACK / 2);
			stamp = stamp_now();
			ck_assert_uint_gt(stamp, last);
			exact += stamp + SLACK >= before;
			last = stamp;
		}
		ck_assert_uint_ge(exact, 1);
	}
}
END_TEST

START_TEST(one_thread_reads_the_clock_after_each_pause)
{
	const struct timespec rest = {0, (long)(3 * tick())};
	uint64_t before, stamp;
	unsigned i;

	follow(20);
	for (i = 0; i < 20; i++) {
		nanosleep(&rest, NULL);
		before = os_now();
		stamp = stamp_now();
		ck_assert_uint_ge(stamp + SLACK, before);
	}
}
END_TEST

static volatile uint64_t in_handler;

static void
take_one(int sig)
{
	(void)sig;
	in_handler = stamp_now();
}

START_TEST(stamps_of_a_handler_are_nobody_elses)
{
	const struct itimerval often = {{0, 50}, {0, 50}};
	const struct itimerval never = {{0, 0}, {0, 0}};
	const struct sigaction sa = {.sa_handler = take_one};
	uint64_t last = stamp_now(), now, handler, seen = 0;
	unsigned handled = 0;

	ck_assert_int_eq(sigaction(SIGALRM, &sa, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (handled < 500) {
		now = stamp_now();
		handler = in_handler;
		ck_assert_uint_gt(now, last);
		ck_assert_uint_ne(now, handler);
		ck_assert_uint_ne(last, handler);
		handled += handler != seen;
		seen = handler;
		last = now;
	}
	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
}
END_TEST

START_TEST(stamp_is_the_time_after_a_long_rest)
{
	/* longer than a rate is believed */
	const struct timespec rest = {2, 200 * NS_PER_MS};

	follow(20);
	nanosleep(&rest, NULL);
	ck_assert_uint_le(follow(100), tick() + SLACK);
}
END_TEST

static void *
follow_in_thread(void *arg)
{
	*(uint64_t *)arg = follow(300);
	return NULL;
}

START_TEST(threads_share_the_time)
{
	uint64_t worst[4];
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, follow_in_thread, &worst[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		ck_assert_uint_le(worst[i], SLACK);
	}
}
END_TEST

Suite *
test_stamp_suite(void)
{
	Suite *s = suite_create("stamp");
	TCase *t = tcase_create("time");

	tcase_add_test(t, stamp_is_the_time_from_the_first_one_on);
	tcase_add_test(t, one_thread_reads_the_clock_for_one_in_32);
	tcase_add_test(t, one_thread_reads_the_clock_after_each_pause);
	tcase_add_test(t, stamps_of_a_handler_are_nobody_elses);
	tcase_add_test(t, stamp_is_the_time_after_a_long_rest);
	tcase_add_test(t, threads_share_the_time);
	suite_add_tcase(s, t);
	return s;
}
