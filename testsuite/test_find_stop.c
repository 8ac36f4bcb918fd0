/* SPDX-License-Identifier: MIT */
/*
 * test_find_stop.c - a search for leaks can be stopped wherever it is
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "draw.h"
#include "find.h"
#include "find_sort.h"
#include "suites.h"

static struct draw d;
static struct snap *snap;
static struct leaks *leaks;

/* One buffer, which is lost. */
static void
setup(void)
{
	draw_open(&d);
	(void)draw_alloc(&d,
	    draw_slab(
		&d, draw_cache(&d, "umem_alloc_64", 64, UMF_MALLOC, 1), 60),
	    0, 64);
	snap = snap_open(d.tgt);
	ck_assert_ptr_nonnull(snap);
}

static void
teardown(void)
{
	find_leaks_free(leaks);
	leaks = NULL;
	snap_close(snap);
	draw_close(&d);
}

static bool
stop_at_once(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)what;
	(void)done;
	(void)total;
	return true;
}

START_TEST(interrupt_ends_the_search)
{
	d.tgt->poll = stop_at_once;
	ck_assert_int_eq(find_leaks(snap, &leaks), UMDB_EINTR);
	ck_assert_ptr_null(leaks);
	ck_assert_str_eq(d.tgt->err.msg, "interrupted");
}
END_TEST

enum { POLLS = 64 };

struct polls {
	unsigned n, refuse;   /* polls so far; the one that is refused, or 0 */
	char what[POLLS][32]; /* of the first ones */
};

/* Target_poll asks after some time only: make it ask every time. */
static bool
count_polls(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct polls *p = arg;

	(void)done;
	(void)total;
	d.tgt->polled = 0;
	if (p->n < POLLS)
		snprintf(p->what[p->n], sizeof(p->what[0]), "%s", what);
	return ++p->n == p->refuse;
}

static int
search_with_polls(struct polls *p)
{
	d.tgt->polled = 0;
	d.tgt->stopped = false;
	d.tgt->poll = count_polls;
	d.tgt->poll_arg = p;
	return find_leaks(snap, &leaks);
}

static bool
polled_while(const struct polls *p, const char *what)
{
	unsigned i;

	for (i = 0; i < p->n && i < POLLS; i++)
		if (strcmp(p->what[i], what) == 0)
			return true;
	return false;
}

START_TEST(interrupt_is_honoured_in_every_phase)
{
	static const char *const phase[] = {"buffers", "pages",
	    "reading buffers", "searching memory", "collecting leaks"};
	struct polls all = {0}, p;
	unsigned i;

	ck_assert_int_eq(search_with_polls(&all), UMDB_OK);
	ck_assert_uint_le(all.n, POLLS);
	for (i = 0; i < sizeof(phase) / sizeof(phase[0]); i++)
		ck_assert_msg(polled_while(&all, phase[i]), "%s", phase[i]);
	find_leaks_free(leaks);
	for (i = 1; i <= all.n; i++) {
		p = (struct polls){.refuse = i};
		ck_assert_int_eq(search_with_polls(&p), UMDB_EINTR);
		ck_assert_uint_eq(p.n, i);
		ck_assert_ptr_null(leaks);
	}
}
END_TEST

/* Between two polls of the same work: how far @done may go. */
static const struct bound {
	const char *what;
	uint64_t most;
} bounds[] = {
    {"reading buffers", 1u << 20}, /* bytes */
    {"searching memory", 1u << 21},
    {"collecting leaks", 1}, /* slabs */
    {"ordering leaks", 65536},
};

#define NBOUNDS (sizeof(bounds) / sizeof(bounds[0]))

struct distance {
	const char *what;
	uint64_t last;
	unsigned n[NBOUNDS]; /* polls of each */
};

static bool
measure(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct distance *x = arg;
	unsigned i;

	(void)total;
	d.tgt->polled = 0;
	for (i = 0; i < NBOUNDS && strcmp(bounds[i].what, what) != 0;)
		i++;
	if (i == NBOUNDS)
		return false;
	x->n[i]++;
	/* starting again is no distance */
	if (x->what == bounds[i].what && done > x->last)
		ck_assert_msg(done - x->last <= bounds[i].most,
		    "%s: from %llu to %llu", what, (unsigned long long)x->last,
		    (unsigned long long)done);
	x->what = bounds[i].what;
	x->last = done;
	return false;
}

/* Leaks by the hundred thousand, youngest first, and a buffer of megabytes. */
START_TEST(no_work_goes_on_for_long_between_polls)
{
	enum { SLABS = 40, CHUNKS = 4096 };
	struct distance x;
	taddr_t cache;
	unsigned i, k, lend;

	for (lend = 0; lend < 2; lend++) {
		teardown();
		draw_open(&d);
		cache = draw_cache(&d, "umem_alloc_16", 16, UMF_MALLOC, 1);
		for (i = 0; i < SLABS; i++) {
			taddr_t slab = draw_slab(&d, cache, CHUNKS);

			for (k = 0; k < CHUNKS; k++)
				(void)draw_alloc(&d, slab, k, 16);
		}
		fake_put64(d.tgt, DRAW_APP_DATA,
		    draw_buf(&d, draw_large(&d, 5u << 18), 0));
		fake_lend(d.tgt, lend != 0);
		snap = snap_open(d.tgt);
		ck_assert_ptr_nonnull(snap);
		memset(&x, 0, sizeof(x));
		d.tgt->polled = 0;
		d.tgt->poll = measure;
		d.tgt->poll_arg = &x;
		ck_assert_int_eq(find_leaks(snap, &leaks), UMDB_OK);
		ck_assert_uint_eq(leaks->nleak, SLABS * CHUNKS);
		for (i = 0; i < NBOUNDS; i++)
			ck_assert_msg(x.n[i] > 1, "%s", bounds[i].what);
		/* at least one poll in so much work */
		ck_assert_uint_ge(x.n[3], 4 * SLABS * CHUNKS / 65536);
	}
}
END_TEST

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x >> 16 < *y >> 16 ? -1 : *x >> 16 > *y >> 16;
}

START_TEST(sorting_is_polled_and_right)
{
	enum { MOST = 5 * FIND_SORT_RUN };
	static const size_t n[] = {0, 1, 2, FIND_SORT_RUN, FIND_SORT_RUN + 1,
	    2 * FIND_SORT_RUN, 3 * FIND_SORT_RUN + 7, MOST};
	static uint64_t a[MOST];
	struct polls p;
	uint64_t z = 1, sum;
	unsigned i, k, spread;

	d.tgt->poll = count_polls;
	d.tgt->poll_arg = &p;
	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		for (spread = 1; spread <= 1u << 16; spread *= 256) {
			for (k = 0, sum = 0; k < n[i]; k++) {
				z = z * 6364136223846793005u +
				    1442695040888963407u;
				a[k] = (z >> 40) % spread << 16 | k % 65536;
				sum += a[k] * a[k];
			}
			p = (struct polls){0};
			d.tgt->polled = 0;
			d.tgt->stopped = false;
			ck_assert_int_eq(find_sort(d.tgt, "x", a, n[i],
					     sizeof(a[0]), compare_numbers),
			    UMDB_OK);
			for (k = 0; k < n[i]; k++) {
				ck_assert(
				    k == 0 || a[k - 1] >> 16 <= a[k] >> 16);
				sum -= a[k] * a[k];
			}
			ck_assert_uint_eq(sum, 0); /* all are still there */
			ck_assert_uint_ge(p.n, n[i] / FIND_SORT_RUN);
			p = (struct polls){.refuse = 1};
			ck_assert_int_eq(find_sort(d.tgt, "x", a, n[i],
					     sizeof(a[0]), compare_numbers),
			    n[i] == 0 ? UMDB_OK : UMDB_EINTR);
		}
}
END_TEST

Suite *
test_find_stop_suite(void)
{
	Suite *s = suite_create("find_stop");
	TCase *t = tcase_create("interrupt");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, interrupt_ends_the_search);
	tcase_add_test(t, interrupt_is_honoured_in_every_phase);
	tcase_add_test(t, no_work_goes_on_for_long_between_polls);
	tcase_add_test(t, sorting_is_polled_and_right);
	tcase_set_timeout(t, 0);
	suite_add_tcase(s, t);
	return s;
}
