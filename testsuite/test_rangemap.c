/* SPDX-License-Identifier: MIT */
/*
 * test_rangemap.c - which of many ranges holds an address
 */
#include <check.h>
#include <stdlib.h>

#include "rangemap.h"
#include "suites.h"

static struct rangemap m;

static void
teardown(void)
{
	rangemap_fini(&m);
}

static void
add(taddr_t start, uint64_t size, uint64_t value)
{
	ck_assert_int_eq(rangemap_add(&m, start, size, value), UMDB_OK);
}

/* The value of the entry that holds it and starts last; 0: none. */
static uint64_t
first_at(taddr_t addr)
{
	const struct rangemap_entry *e = rangemap_at(&m, addr, NULL);

	return e != NULL ? e->value : 0;
}

START_TEST(an_empty_one_holds_nothing)
{
	rangemap_sort(&m);
	ck_assert(m.ready);
	ck_assert_uint_eq(first_at(0), 0);
	ck_assert_uint_eq(first_at(UINT64_MAX), 0);
}
END_TEST

START_TEST(ends_are_not_held_and_starts_are)
{
	add(0x300, 0x100, 3);
	add(0x100, 0x100, 1);
	add(0x200, 0, 2);
	rangemap_sort(&m);
	ck_assert_uint_eq(m.n, 2);
	ck_assert_uint_eq(first_at(0xff), 0);
	ck_assert_uint_eq(first_at(0x100), 1);
	ck_assert_uint_eq(first_at(0x1ff), 1);
	ck_assert_uint_eq(first_at(0x200), 0);
	ck_assert_uint_eq(first_at(0x300), 3);
	ck_assert_uint_eq(first_at(0x400), 0);
}
END_TEST

START_TEST(all_that_overlap_are_found_the_last_to_start_first)
{
	const struct rangemap_entry *e;

	add(0x100, 0x1000, 1); /* around the others */
	add(0x200, 0x10, 2);
	add(0x300, 0x100, 3);
	rangemap_sort(&m);
	e = rangemap_at(&m, 0x380, NULL);
	ck_assert_uint_eq(e->value, 3);
	e = rangemap_at(&m, 0x380, e);
	ck_assert_uint_eq(e->value, 1);
	ck_assert_ptr_null(rangemap_at(&m, 0x380, e));
	ck_assert_uint_eq(first_at(0x10ff), 1);
}
END_TEST

START_TEST(a_range_that_would_wrap_ends_with_the_addresses)
{
	add(UINT64_MAX - 8, 64, 1);
	rangemap_sort(&m);
	ck_assert_uint_eq(first_at(UINT64_MAX - 1), 1);
	ck_assert_uint_eq(first_at(8), 0);
}
END_TEST

/* Each address by asking all, and by the map. */
START_TEST(random_ranges_are_found_as_by_asking_all)
{
	taddr_t start[200], addr;
	uint64_t size[200];
	unsigned i, seed = 1, found, want;

	for (i = 0; i < 200; i++) {
		seed = seed * 1103515245u + 12345u;
		start[i] = seed >> 16 & 0xfff;
		size[i] = seed >> 8 & 0x3f;
		add(start[i], size[i], i + 1);
	}
	rangemap_sort(&m);
	for (addr = 0; addr < 0x1100; addr++) {
		const struct rangemap_entry *e = NULL;

		for (want = 0, i = 0; i < 200; i++)
			want += addr >= start[i] && addr - start[i] < size[i];
		for (found = 0; (e = rangemap_at(&m, addr, e)) != NULL;)
			found++;
		ck_assert_uint_eq(found, want);
	}
}
END_TEST

Suite *
test_rangemap_suite(void)
{
	Suite *s = suite_create("rangemap");
	TCase *t = tcase_create("rangemap");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, an_empty_one_holds_nothing);
	tcase_add_test(t, ends_are_not_held_and_starts_are);
	tcase_add_test(t, all_that_overlap_are_found_the_last_to_start_first);
	tcase_add_test(t, a_range_that_would_wrap_ends_with_the_addresses);
	tcase_add_test(t, random_ranges_are_found_as_by_asking_all);
	suite_add_tcase(s, t);
	return s;
}
