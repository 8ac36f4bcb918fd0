/* SPDX-License-Identifier: MIT */
/*
 * test_stamp.c - the cheap clock tells the time
 *
 * Each stamp is taken between two readings of the real clock, so a test that
 * is interrupted in between only allows for more.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
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

START_TEST(stamp_is_the_time_from_the_first_one_on)
{
	ck_assert_uint_ne(stamp_now(), 0);
	ck_assert_uint_le(follow(300), SLACK);
}
END_TEST

START_TEST(stamp_is_the_time_after_a_long_rest)
{
	/* longer than a rate is believed */
	const struct timespec rest = {2, 200 * NS_PER_MS};

	follow(20);
	nanosleep(&rest, NULL);
	ck_assert_uint_le(follow(100), SLACK);
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
	tcase_add_test(t, stamp_is_the_time_after_a_long_rest);
	tcase_add_test(t, threads_share_the_time);
	suite_add_tcase(s, t);
	return s;
}
