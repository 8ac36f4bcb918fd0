/* SPDX-License-Identifier: MIT */
/*
 * test_find_stop.c - a search for leaks can be stopped wherever it is
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "draw.h"
#include "find.h"
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

struct polls {
	unsigned n, refuse; /* polls so far; the one that is refused, or 0 */
	char what[32][32];  /* of the first ones */
};

/* Target_poll asks after some time only: make it ask every time. */
static bool
count_polls(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct polls *p = arg;

	(void)done;
	(void)total;
	d.tgt->polled = 0;
	if (p->n < 32)
		snprintf(p->what[p->n], sizeof(p->what[0]), "%s", what);
	return ++p->n == p->refuse;
}

static int
search_with_polls(struct polls *p)
{
	d.tgt->polled = 0;
	d.tgt->poll = count_polls;
	d.tgt->poll_arg = p;
	return find_leaks(snap, &leaks);
}

static bool
polled_while(const struct polls *p, const char *what)
{
	unsigned i;

	for (i = 0; i < p->n && i < 32; i++)
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
	ck_assert_uint_le(all.n, 32);
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

Suite *
test_find_stop_suite(void)
{
	Suite *s = suite_create("find_stop");
	TCase *t = tcase_create("interrupt");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, interrupt_ends_the_search);
	tcase_add_test(t, interrupt_is_honoured_in_every_phase);
	suite_add_tcase(s, t);
	return s;
}
