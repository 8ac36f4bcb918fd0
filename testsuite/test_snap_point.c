/* SPDX-License-Identifier: MIT */
/*
 * test_snap_point.c - what one address is, without a snapshot
 *
 * The answers are those of the snapshot, for every address of the drawn heap;
 * and damage is an error, never a wrong answer.
 */
#include <check.h>
#include <string.h>

#include "snap_fixture.h"
#include "snap_point.h"
#include "suites.h"

static struct snap_point got;

static int
ask(taddr_t addr)
{
	return snap_point(drawn.tgt, drawn.root, addr, true, &got);
}

static void
expect_damage(taddr_t addr, const char *words)
{
	ck_assert_int_eq(ask(addr), UMDB_ECORRUPT);
	ck_assert_msg(strstr(drawn.tgt->err.msg, words) != NULL, "%s",
	    drawn.tgt->err.msg);
}

static void
expect_same(taddr_t addr)
{
	const struct snap_slab *s;
	uint32_t i;
	int rc = ask(addr);

	if (!snap_buf_at(snap, addr, &s, &i)) {
		ck_assert_int_eq(rc, UMDB_ENOTFOUND);
		return;
	}
	ck_assert_int_eq(rc, UMDB_OK);
	ck_assert_uint_eq(got.base, snap_buf_addr(s, i));
	ck_assert_int_eq(got.state, snap_buf_state(snap, s, i));
	ck_assert_uint_eq(got.size, snap_buf_size(snap, s, i));
	ck_assert_str_eq(got.cache, snap->cache[s->cache].c.cache_name);
}

START_TEST(every_address_is_what_the_snapshot_says)
{
	taddr_t addr;

	snap_expect_open();
	for (addr = DRAW_HEAP; addr < drawn.heap; addr += 8)
		expect_same(addr);
	for (addr = DRAW_HEAP; addr < DRAW_HEAP + 8192; addr++)
		expect_same(addr);
	for (addr = DRAW_HEAP - 16; addr < DRAW_HEAP; addr++)
		expect_same(addr);
}
END_TEST

START_TEST(states_are_those_that_were_drawn)
{
	static const enum buf_state want[20] = {
	    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2};
	taddr_t slab = drawn_slab("umem_alloc_64");
	uint32_t i;

	for (i = 0; i < 60; i++) {
		ck_assert_int_eq(ask(draw_buf(&drawn, slab, i)), UMDB_OK);
		ck_assert_int_eq(got.state, i < 20 ? want[i] : BUF_FREE_SLAB);
		ck_assert_str_eq(got.cache, "umem_alloc_64");
	}
}
END_TEST

START_TEST(without_states_magazines_are_not_read)
{
	taddr_t slab = drawn_slab("umem_alloc_64");

	ck_assert_int_eq(snap_point(drawn.tgt, drawn.root,
			     draw_buf(&drawn, slab, 12), false, &got),
	    UMDB_OK);
	ck_assert_int_eq(got.state, BUF_ALLOCATED);
	ck_assert_int_eq(snap_point(drawn.tgt, drawn.root,
			     draw_buf(&drawn, slab, 30), false, &got),
	    UMDB_OK);
	ck_assert_int_eq(got.state, BUF_FREE_SLAB);
}
END_TEST

START_TEST(size_is_what_was_asked_for)
{
	taddr_t slab = drawn_slab("umem_alloc_48");
	uint32_t i;

	for (i = 0; i < 5; i++) {
		ck_assert_int_eq(ask(draw_buf(&drawn, slab, i) + 7), UMDB_OK);
		ck_assert_uint_eq(got.size, 40 + i);
		ck_assert_uint_eq(got.base, draw_buf(&drawn, slab, i));
	}
	ck_assert_int_eq(ask(draw_buf(&drawn, slab, 5)), UMDB_OK);
	ck_assert_uint_eq(got.size, 48);
}
END_TEST

START_TEST(what_changed_is_seen_at_once)
{
	taddr_t slab = drawn_slab("umem_alloc_64");
	taddr_t buf = draw_buf(&drawn, slab, 40);

	ck_assert_int_eq(ask(buf), UMDB_OK);
	ck_assert_int_eq(got.state, BUF_FREE_SLAB);
	draw_alloc(&drawn, slab, 40, 64);
	ck_assert_int_eq(ask(buf), UMDB_OK);
	ck_assert_int_eq(got.state, BUF_ALLOCATED);
	draw_free(&drawn, slab, 40);
	ck_assert_int_eq(ask(buf), UMDB_OK);
	ck_assert_int_eq(got.state, BUF_FREE_SLAB);
}
END_TEST

START_TEST(addresses_that_are_no_buffers)
{
	static const taddr_t none[] = {0, 1, 4096, DRAW_STACK, DRAW_APP_DATA,
	    DRAW_META, DRAW_LIB_DATA, 1ull << 47, 1ull << 63, UINT64_MAX};
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_int_eq(ask(none[i]), UMDB_ENOTFOUND);
}
END_TEST

START_TEST(no_root_is_no_libumem)
{
	ck_assert_int_eq(
	    snap_point(drawn.tgt, 0, DRAW_HEAP, true, &got), UMDB_ETARGET);
	ck_assert_int_eq(
	    snap_point(drawn.tgt, DRAW_STACK, DRAW_HEAP, true, &got),
	    UMDB_ETARGET);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_self, 1);
	ck_assert_int_eq(ask(DRAW_HEAP), UMDB_ETARGET);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_self, drawn.root);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_pagemap, 0);
	ck_assert_int_eq(ask(DRAW_HEAP), UMDB_ENOTFOUND);
}
END_TEST

/* ------------------------------------------------------------------ damage */

START_TEST(damaged_slab_is_an_error)
{
	taddr_t slab = drawn_slab("umem_alloc_64");
	taddr_t buf = draw_buf(&drawn, slab, 3);
	umem_slab_t *sp = fake_at(drawn.tgt, slab, sizeof(*sp)), good = *sp;

	sp->slab_chunksize = 0;
	expect_damage(buf, "do not fit");
	*sp = good;
	sp->slab_chunks = UMEM_MAX_CHUNKS + 1;
	expect_damage(buf, "out of range");
	*sp = good;
	sp->slab_base += 1;
	expect_damage(buf, "pages");
	*sp = good;
	sp->slab_first = UINT32_MAX;
	expect_damage(buf, "outside");
	*sp = good;
	sp->slab_map = 8;
	ck_assert_int_eq(ask(buf), UMDB_EFAULT);
	*sp = good;
	sp->slab_cache = 8;
	ck_assert_int_eq(ask(buf), UMDB_EFAULT);
	*sp = good;
	sp->slab_base += 1u << 20; /* somewhere else: not this buffer's */
	ck_assert_int_eq(ask(buf), UMDB_ENOTFOUND);
}
END_TEST

START_TEST(damaged_cache_is_an_error)
{
	taddr_t buf = draw_buf(&drawn, drawn_slab("umem_alloc_64"), 3);
	umem_cache_t *c = fake_at(
	    drawn.tgt, draw_cache_addr(&drawn, "umem_alloc_64"), sizeof(*c));
	umem_cache_t good = *c;

	memset(c->cache_name, 'x', sizeof(c->cache_name));
	expect_damage(buf, "name has no end");
	*c = good;
	c->cache_bin = UMEM_TC_BINS;
	expect_damage(buf, "bin number");
	*c = good;
	c->cache_bufsize = 1u << 20;
	expect_damage(buf, "larger than its chunks");
	*c = good;
	c->cache_bufctl_size = 8;
	expect_damage(buf, "bufctl size");
}
END_TEST

START_TEST(damaged_page_map_is_an_error)
{
	taddr_t root = DRAW_GET(&drawn, drawn.root, umem_root_t, root_pagemap);
	uint64_t *leaf =
	    fake_at(drawn.tgt, root + (DRAW_HEAP >> 30) * 8, sizeof(*leaf));

	*leaf = 8;
	ck_assert_int_eq(ask(DRAW_HEAP), UMDB_EFAULT);
	*leaf = 0;
	ck_assert_int_eq(ask(DRAW_HEAP), UMDB_ENOTFOUND);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_pagemap, 8);
	ck_assert_int_eq(ask(DRAW_HEAP), UMDB_EFAULT);
}
END_TEST

/* Links that loop or lead nowhere end the search; the buffer is not found. */
START_TEST(damaged_magazines_are_passed_over)
{
	taddr_t slab = drawn_slab("umem_alloc_64");
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");
	taddr_t mag = DRAW_GET(&drawn, c, umem_cache_t, cache_magfull.ml_list);
	taddr_t tc = DRAW_GET(&drawn, drawn.root, umem_root_t, root_tcaches);

	DRAW_SET(&drawn, mag, umem_magazine_t, mag_next, mag);
	DRAW_SET(&drawn, tc, umem_tcache_t, tc_next, tc);
	ck_assert_int_eq(ask(draw_buf(&drawn, slab, 0)), UMDB_OK);
	ck_assert_int_eq(got.state, BUF_ALLOCATED);
	DRAW_SET(&drawn, mag, umem_magazine_t, mag_rounds, UINT32_MAX);
	ck_assert_int_eq(ask(draw_buf(&drawn, slab, 10)), UMDB_OK);
	ck_assert_int_eq(got.state, BUF_ALLOCATED);
	DRAW_SET(&drawn, c, umem_cache_t, cache_magfull.ml_list, 8);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_tcaches, 8);
	ck_assert_int_eq(ask(draw_buf(&drawn, slab, 15)), UMDB_OK);
	ck_assert_int_eq(got.state, BUF_ALLOCATED);
}
END_TEST

START_TEST(magazines_in_transit_count_as_in_the_depot)
{
	taddr_t slab = drawn_slab("umem_alloc_64");
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");
	taddr_t mag = DRAW_GET(&drawn, c, umem_cache_t, cache_magfull.ml_list);
	taddr_t tc = DRAW_GET(&drawn, drawn.root, umem_root_t, root_tcaches);

	DRAW_SET(&drawn, c, umem_cache_t, cache_magfull.ml_list, 0);
	DRAW_SET(&drawn, tc, umem_tcache_t, tc_transit[1], mag);
	ck_assert_int_eq(ask(draw_buf(&drawn, slab, 10)), UMDB_OK);
	ck_assert_int_eq(got.state, BUF_FREE_DEPOT);
}
END_TEST

Suite *
test_snap_point_suite(void)
{
	Suite *s = suite_create("snap_point");
	TCase *tc = tcase_create("healthy");

	tcase_add_checked_fixture(tc, snap_setup, snap_teardown);
	tcase_add_test(tc, every_address_is_what_the_snapshot_says);
	tcase_add_test(tc, states_are_those_that_were_drawn);
	tcase_add_test(tc, without_states_magazines_are_not_read);
	tcase_add_test(tc, size_is_what_was_asked_for);
	tcase_add_test(tc, what_changed_is_seen_at_once);
	tcase_add_test(tc, addresses_that_are_no_buffers);
	tcase_add_test(tc, no_root_is_no_libumem);
	suite_add_tcase(s, tc);
	tc = tcase_create("damaged");
	tcase_add_checked_fixture(tc, snap_setup, snap_teardown);
	tcase_add_test(tc, damaged_slab_is_an_error);
	tcase_add_test(tc, damaged_cache_is_an_error);
	tcase_add_test(tc, damaged_page_map_is_an_error);
	tcase_add_test(tc, damaged_magazines_are_passed_over);
	tcase_add_test(tc, magazines_in_transit_count_as_in_the_depot);
	suite_add_tcase(s, tc);
	return s;
}
