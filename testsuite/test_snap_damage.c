/* SPDX-License-Identifier: MIT */
/*
 * test_snap_damage.c - snapshots of damaged heaps
 *
 * Each test breaks one thing of a healthy heap and states what is noted, and
 * that nothing else is lost.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "snap_fixture.h"
#include "suites.h"

START_TEST(looping_cache_list_is_noted)
{
	taddr_t last = draw_cache_addr(&drawn, "umem_oversize");
	taddr_t first = draw_cache_addr(&drawn, "umem_alloc_64");

	DRAW_SET(&drawn, last, umem_cache_t, cache_next, first);
	snap_expect_open();
	snap_expect_damage(first, "the list of caches loops");
	snap_expect_healthy();
}
END_TEST

START_TEST(caches_behind_a_broken_link_are_found_by_their_slabs)
{
	taddr_t first = draw_cache_addr(&drawn, "umem_alloc_64");

	DRAW_SET(&drawn, first, umem_cache_t, cache_next, 0xdead0000);
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 2);
	ck_assert_str_eq(snap->damage[0].msg,
	    "the list of caches breaks off: cannot read cache at "
	    "0xdead0000");
	ck_assert_ptr_nonnull(strstr(snap->damage[1].msg,
	    "(umem_alloc_48) is on no list; found by one of its slabs"));
	snap_expect_healthy();
}
END_TEST

START_TEST(unreadable_first_cache_is_an_error)
{
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_caches, 0xdead0000);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_large, 0);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_pagemap, 0xdead0000);
	snap_expect_refused(UMDB_ECORRUPT,
	    "none of its caches can be read: the list of caches breaks off: cannot read cache at 0xdead0000");
}
END_TEST

START_TEST(names_are_made_fit_to_be_shown)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_48");

	memcpy(DRAW_GET(&drawn, c, umem_cache_t, cache_name), "a\x1b\xff z", 6);
	memcpy(DRAW_GET(&drawn, drawn.heap_arena, vmem_t, vm_name), "\n", 2);
	snap_expect_open();
	ck_assert_str_eq(snap->cache[1].c.cache_name, "a?? z");
	ck_assert_str_eq(snap->arena[0].v.vm_name, "?");
}
END_TEST

START_TEST(cache_name_without_end_is_cut)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_48");

	memset(
	    DRAW_GET(&drawn, c, umem_cache_t, cache_name), 'x', UMEM_NAME_LEN);
	snap_expect_open();
	snap_expect_damage(c, "its name has no end");
	ck_assert_uint_eq(strlen(snap->cache[1].c.cache_name), 31);
}
END_TEST

/* One field of a slab that cannot be. */
static const struct {
	size_t offset, size;
	uint64_t value;
	const char *words;
} bad_slab[] = {
#define FIELD(f) offsetof(umem_slab_t, f), sizeof(((umem_slab_t *)0)->f)
    {FIELD(slab_chunks), 4097, "number of chunks"},
    {FIELD(slab_chunks), 0, "number of chunks"},
    {FIELD(slab_chunks), 65, "chunks do not fit"},
    {FIELD(slab_chunksize), 0, "chunks do not fit"},
    {FIELD(slab_chunksize), UINT64_MAX, "chunks do not fit"},
    {FIELD(slab_first), 4064, "chunks do not fit"},
    {FIELD(slab_first), UINT32_MAX, "first chunk lies outside"},
    {FIELD(slab_base), DRAW_HEAP + 8, "does not consist of pages"},
    {FIELD(slab_base), DRAW_HEAP - 4096, "pages that are not its own"},
    {FIELD(slab_base), 0, "pages that are not its own"},
    {FIELD(slab_base), UINT64_MAX - 4095, "out of range"},
    {FIELD(slab_size), UINT64_MAX - 4095, "out of range"},
    {FIELD(slab_size), 0, "pages that are not its own"},
    {FIELD(slab_cache), 0xdead0000, "its cache is not known"},
    {FIELD(slab_map), 0xdead0000, "cannot read map of slab"},
    {FIELD(slab_map), 0, "cannot read map of slab"},
    {FIELD(slab_chunksize), 32, "buffers are larger than its chunks"},
};

START_TEST(damaged_slab_is_left_out_and_noted)
{
	taddr_t slab = drawn_slab("umem_alloc_64");

	/* the magazines would complain of their buffers, too */
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_tcaches, 0);
	DRAW_SET(&drawn, draw_cache_addr(&drawn, "umem_alloc_64"), umem_cache_t,
	    cache_magfull.ml_list, 0);
	memcpy(fake_at(drawn.tgt, slab + bad_slab[_i].offset, 8),
	    &bad_slab[_i].value, bad_slab[_i].size);
	snap_expect_open();
	snap_expect_damage(slab, bad_slab[_i].words);
	ck_assert_uint_eq(snap->nslab, 4);
	snap_expect_counts("umem_alloc_64", 1, 59, 0, 0);
	snap_expect_counts("umem_alloc_48", 5, 15, 0, 0);
	ck_assert_ptr_null(snap_slab_at(snap, DRAW_HEAP));
}
END_TEST

START_TEST(wild_words_in_the_page_map_hide_no_slab)
{
	taddr_t words = drawn.leaf + offsetof(umem_pmleaf_t, pl_slab);
	const uint64_t page = DRAW_HEAP / UMEM_PAGE_SIZE % UMEM_PM_LEAF_PAGES;

	/* in the middle of a large buffer's run, and behind everything */
	fake_put64(drawn.tgt, words + (page + 200) * 8, 0x4141414141414141);
	fake_put64(
	    drawn.tgt, words + (page + 5000) * 8, drawn_slab("umem_alloc_64"));
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 2);
	ck_assert_ptr_nonnull(strstr(
	    snap->damage[0].msg, "cannot read slab at 0x4141414141414141"));
	ck_assert_ptr_nonnull(
	    strstr(snap->damage[1].msg, "pages that are not its own"));
	snap_expect_healthy();
}
END_TEST

START_TEST(first_page_lost_from_the_page_map_loses_no_slab)
{
	taddr_t words = drawn.leaf + offsetof(umem_pmleaf_t, pl_slab), slab;
	taddr_t big = draw_cache(&drawn, "big", 2000, 0, 4);
	uint64_t page;

	slab = draw_slab(&drawn, big, 8);
	page = DRAW_GET(&drawn, slab, umem_slab_t, slab_base) / UMEM_PAGE_SIZE %
	       UMEM_PM_LEAF_PAGES;
	fake_put64(drawn.tgt, words + page * 8, 0);
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 0);
	snap_expect_counts("big", 0, 8, 0, 0);
}
END_TEST

START_TEST(unreadable_part_of_the_page_map_is_noted)
{
	fake_break(
	    drawn.tgt, drawn.leaf + offsetof(umem_pmleaf_t, pl_slab), 64);
	fake_lend(drawn.tgt, _i == 0);
	snap_expect_open();
	snap_expect_damage(
	    drawn.leaf, "page map cannot be read for 32 MiB of addresses");
	snap_expect_healthy();
}
END_TEST

START_TEST(leaf_that_is_no_leaf_is_noted)
{
	fake_put64(drawn.tgt,
	    DRAW_GET(&drawn, drawn.root, umem_root_t, root_pagemap) + 8,
	    0xdead0000);
	snap_expect_open();
	snap_expect_damage(0xdead0000, "page map cannot be read for 1024 MiB");
	snap_expect_healthy();
}
END_TEST

START_TEST(large_buffer_that_claims_too_much_is_cut)
{
	taddr_t slab = drawn_slab("umem_oversize");
	const struct snap_slab *s;

	DRAW_SET(&drawn, slab, umem_slab_t, slab_size, (uint64_t)1 << 27);
	DRAW_SET(&drawn, slab, umem_slab_t, slab_chunksize, (uint64_t)1 << 27);
	DRAW_SET(&drawn, slab, umem_slab_t, slab_reqsize, (uint64_t)1 << 26);
	snap_expect_open();
	snap_expect_damage(slab, "but another one starts at");
	snap_expect_healthy();
	s = snap_slab_at(snap, DRAW_GET(&drawn, slab, umem_slab_t, slab_base));
	ck_assert_uint_eq(s->base + s->size, s[1].base);
	ck_assert_uint_eq(s->bufsize, s->size);
}
END_TEST

START_TEST(count_that_differs_from_the_map_is_noted)
{
	taddr_t slab = drawn_slab("umem_alloc_64");
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");

	DRAW_SET(&drawn, slab, umem_slab_t, slab_refcnt, 21);
	/* but not while the cache is locked: it is about to be right */
	if (_i == 1)
		DRAW_SET(&drawn, c, umem_cache_t, cache_lock.lk_word, 1);
	snap_expect_open();
	if (_i == 0)
		snap_expect_damage(slab,
		    "counts 21 buffers handed out, its map "
		    "has 20");
	else
		ck_assert_uint_eq(snap->ndamage, 0);
	snap_expect_healthy();
}
END_TEST

START_TEST(magazine_with_a_stranger_is_noted)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");
	taddr_t buf = draw_buf(&drawn, drawn_slab("umem_alloc_64"), 3) + 8, mag;

	if (_i == 1)
		buf = draw_buf(&drawn, drawn_slab("umem_alloc_48"), 0);
	if (_i == 2)
		buf = DRAW_STACK;
	mag = draw_depot(&drawn, c, &buf, 1, 16);
	snap_expect_open();
	snap_expect_damage(mag, "which is no buffer of cache umem_alloc_64");
	snap_expect_healthy();
}
END_TEST

START_TEST(strangers_in_a_magazine_are_noted_once)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64"), mag;
	const taddr_t buf[] = {DRAW_STACK, DRAW_STACK + 8, DRAW_STACK + 16};

	mag = draw_depot(&drawn, c, buf, 3, 16);
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 1);
	snap_expect_damage(
	    mag, " and 2 more that are no buffers of cache umem_alloc_64");
	snap_expect_healthy();
}
END_TEST

START_TEST(buffer_in_two_magazines_was_freed_twice)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");
	taddr_t buf = draw_buf(&drawn, drawn_slab("umem_alloc_64"), 15);

	draw_depot(&drawn, c, &buf, 1, 16);
	snap_expect_open();
	snap_expect_damage(buf, "freed twice?");
	snap_expect_healthy();
}
END_TEST

START_TEST(buffer_in_magazine_and_slab_was_freed_twice)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");
	taddr_t buf = draw_buf(&drawn, drawn_slab("umem_alloc_64"), 50);

	draw_depot(&drawn, c, &buf, 1, 16);
	snap_expect_open();
	snap_expect_damage(buf, "free in its slab and in magazine");
	snap_expect_healthy();
}
END_TEST

START_TEST(magazine_reached_twice_is_counted_once)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");
	taddr_t tc = DRAW_GET(&drawn, drawn.root, umem_root_t, root_tcaches);
	taddr_t mag = DRAW_GET(&drawn, c, umem_cache_t, cache_magfull.ml_list);
	umem_tcache_t *t = fake_at(drawn.tgt, tc, sizeof(*t));

	t->tc_transit[1] = mag;
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 0);
	snap_expect_healthy();
}
END_TEST

START_TEST(insane_magazine_is_noted)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");
	taddr_t mag = DRAW_GET(&drawn, c, umem_cache_t, cache_magfull.ml_list);

	switch (_i) {
	case 0:
		DRAW_SET(&drawn, mag, umem_magazine_t, mag_rounds, 17);
		break;
	case 1:
		DRAW_SET(&drawn, mag, umem_magazine_t, mag_size, UINT32_MAX);
		break;
	case 2:
		DRAW_SET(&drawn, mag, umem_magazine_t, mag_cache, c + 8);
		break;
	default:
		fake_break(drawn.tgt, mag + UMEM_MAG_ROUND, 8);
		break;
	}
	snap_expect_open();
	snap_expect_damage(mag, _i == 3 ? "cannot read" : "magazine");
	snap_expect_counts("umem_alloc_64", 15, 99, 0, 6);
}
END_TEST

START_TEST(insane_bin_is_noted)
{
	taddr_t tc = DRAW_GET(&drawn, drawn.root, umem_root_t, root_tcaches);
	umem_tcbin_t *b = fake_at(drawn.tgt, tc + sizeof(*b), sizeof(*b));

	switch (_i) {
	case 0:
		b->tb_top = b->tb_base - 8;
		break;
	case 1:
		b->tb_limit = b->tb_base + 8 * (UMEM_MAX_ROUNDS + 1);
		break;
	case 2:
		b->tb_top = b->tb_limit + 8;
		break;
	default:
		b->tb_base += 4;
		break;
	}
	snap_expect_open();
	snap_expect_damage(tc, "bin 1 of thread 1001's cache");
	snap_expect_counts("umem_alloc_64", 15, 99, 4, 2);
}
END_TEST

START_TEST(lists_that_loop_or_break_off_end)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64"), at;

	switch (_i) {
	case 0:
		at = DRAW_GET(&drawn, c, umem_cache_t, cache_magfull.ml_list);
		DRAW_SET(&drawn, at, umem_magazine_t, mag_next, at);
		break;
	case 1:
		at = DRAW_GET(&drawn, drawn.root, umem_root_t, root_tcaches);
		DRAW_SET(&drawn, at, umem_tcache_t, tc_next, at);
		break;
	case 2:
		at = DRAW_GET(&drawn, drawn.root, umem_root_t, root_arenas);
		DRAW_SET(&drawn, drawn.last_arena, vmem_t, vm_next, at);
		break;
	default:
		at = DRAW_GET(&drawn, drawn.root, umem_root_t, root_regions);
		DRAW_SET(&drawn, at, umem_region_t, rg_next, at);
		break;
	}
	snap_expect_open();
	snap_expect_damage(0, "loops");
	snap_expect_healthy();
}
END_TEST

START_TEST(list_broken_off_is_noted)
{
	taddr_t at;

	switch (_i) {
	case 0:
		DRAW_SET(&drawn, drawn.last_arena, vmem_t, vm_next, 0xdead0000);
		break;
	case 1:
		at = DRAW_GET(&drawn, drawn.root, umem_root_t, root_tcaches);
		DRAW_SET(&drawn, at, umem_tcache_t, tc_next, 0xdead0000);
		break;
	default:
		at = DRAW_GET(&drawn, drawn.root, umem_root_t, root_regions);
		DRAW_SET(&drawn, at, umem_region_t, rg_next, 0xdead0000);
		break;
	}
	snap_expect_open();
	snap_expect_damage(0xdead0000, "breaks off: cannot read");
	snap_expect_healthy();
}
END_TEST

START_TEST(damage_is_kept_up_to_a_limit_and_counted_beyond)
{
	taddr_t words = drawn.leaf + offsetof(umem_pmleaf_t, pl_slab);
	uint64_t i;

	for (i = 0; i < 1000; i++)
		fake_put64(drawn.tgt, words + (i + 1) * 8, 0x1000 + i * 8);
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, SNAP_DAMAGE_MAX);
	ck_assert_uint_eq(snap->damage_more, 1000 - SNAP_DAMAGE_MAX);
	snap_expect_healthy();
}
END_TEST

START_TEST(damaged_bufctl_is_an_error)
{
	struct snap_bufctl bc;
	const struct snap_slab *s;
	taddr_t at;
	uint32_t i;

	snap_expect_open();
	ck_assert(snap_buf_at(
	    snap, draw_buf(&drawn, drawn_slab("umem_alloc_48"), 0), &s, &i));
	at = snap_buf_bufctl(s, 0);
	DRAW_SET(&drawn, at, umem_bufctl_audit_t, bc_trace, 60000);
	ck_assert_int_eq(snap_read_bufctl(snap, at, &bc), UMDB_ECORRUPT);
	ck_assert_uint_eq(drawn.tgt->err.addr, at);
	ck_assert_ptr_nonnull(
	    strstr(drawn.tgt->err.msg, ": there is no trace 60000,"));
	DRAW_SET(&drawn, at, umem_bufctl_audit_t, bc_trace, 0);
	ck_assert_int_eq(snap_read_bufctl(snap, at, &bc), UMDB_OK);
	ck_assert_uint_eq(bc.depth, 0);
	DRAW_SET(&drawn, at, umem_bufctl_audit_t, bc_kind, 7);
	ck_assert_int_eq(snap_read_bufctl(snap, at, &bc), UMDB_ECORRUPT);
	ck_assert_uint_eq(drawn.tgt->err.addr, at);
	ck_assert_int_eq(snap_read_bufctl(snap, 0xdead0000, &bc), UMDB_EFAULT);
}
END_TEST

static bool
stop_at_once(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)what;
	(void)done;
	(void)total;
	return true;
}

START_TEST(interrupt_ends_it)
{
	drawn.tgt->poll = stop_at_once;
	snap_expect_refused(UMDB_EINTR, "interrupted");
}
END_TEST

/* Any byte of any structure may be wrong: open it, look around, no crash. */
START_TEST(random_damage_does_no_harm)
{
	static const struct {
		taddr_t addr;
		uint64_t len;
	} area[] = {
	    {DRAW_LIB, 0x400},
	    {DRAW_LIB_DATA, sizeof(umem_root_t) + 0x40},
	    {DRAW_META, 0x1000},
	};
	unsigned seed = 4711 + (unsigned)_i, k, round;
	const struct snap_slab *s;
	unsigned char *meta, *keep;
	const size_t len = (size_t)(drawn.meta - DRAW_META);
	uint32_t i;
	taddr_t at;

	meta = fake_at(drawn.tgt, DRAW_META, len);
	keep = malloc(len);
	memcpy(keep, meta, len);
	for (round = 0; round < 60; round++) {
		for (k = 0; k < 1 + round % 20; k++) {
			seed = seed * 1103515245 + 12345;
			at = area[0].addr;
			if (round % 4 == 0)
				at = area[k % 2].addr + (seed >> 8) % 0x400;
			else /* behind the page map's leaf */
				at =
				    DRAW_META + sizeof(umem_pmleaf_t) +
				    (seed >> 8) % (len - sizeof(umem_pmleaf_t));
			seed = seed * 1103515245 + 12345;
			*(unsigned char *)fake_at(drawn.tgt, at, 1) =
			    (unsigned char)(seed >> 16);
		}
		snap = snap_open(drawn.tgt);
		if (snap != NULL) {
			for (at = DRAW_HEAP; at < drawn.heap; at += 40)
				if (snap_buf_at(snap, at, &s, &i))
					snap_buf_size(snap, s, i);
			snap_close(snap);
			snap = NULL;
		} else {
			ck_assert_int_ne(drawn.tgt->err.code, 0);
			ck_assert_uint_ne(strlen(drawn.tgt->err.msg), 0);
		}
		memcpy(meta, keep, len);
	}
	free(keep);
}
END_TEST

Suite *
test_snap_damage_suite(void)
{
	Suite *s = suite_create("snap damage");
	TCase *tc = tcase_create("damaged");

	tcase_add_checked_fixture(tc, snap_setup, snap_teardown);
	tcase_add_test(tc, looping_cache_list_is_noted);
	tcase_add_test(
	    tc, caches_behind_a_broken_link_are_found_by_their_slabs);
	tcase_add_test(tc, unreadable_first_cache_is_an_error);
	tcase_add_test(tc, cache_name_without_end_is_cut);
	tcase_add_test(tc, names_are_made_fit_to_be_shown);
	tcase_add_loop_test(tc, damaged_slab_is_left_out_and_noted, 0,
	    (int)(sizeof(bad_slab) / sizeof(bad_slab[0])));
	tcase_add_test(tc, wild_words_in_the_page_map_hide_no_slab);
	tcase_add_test(tc, first_page_lost_from_the_page_map_loses_no_slab);
	tcase_add_loop_test(tc, unreadable_part_of_the_page_map_is_noted, 0, 2);
	tcase_add_test(tc, leaf_that_is_no_leaf_is_noted);
	tcase_add_test(tc, large_buffer_that_claims_too_much_is_cut);
	tcase_add_loop_test(tc, count_that_differs_from_the_map_is_noted, 0, 2);
	tcase_add_loop_test(tc, magazine_with_a_stranger_is_noted, 0, 3);
	tcase_add_test(tc, strangers_in_a_magazine_are_noted_once);
	tcase_add_test(tc, buffer_in_two_magazines_was_freed_twice);
	tcase_add_test(tc, buffer_in_magazine_and_slab_was_freed_twice);
	tcase_add_test(tc, magazine_reached_twice_is_counted_once);
	tcase_add_loop_test(tc, insane_magazine_is_noted, 0, 4);
	tcase_add_loop_test(tc, insane_bin_is_noted, 0, 4);
	tcase_add_loop_test(tc, lists_that_loop_or_break_off_end, 0, 4);
	tcase_add_loop_test(tc, list_broken_off_is_noted, 0, 3);
	tcase_add_test(tc, damage_is_kept_up_to_a_limit_and_counted_beyond);
	tcase_add_test(tc, damaged_bufctl_is_an_error);
	tcase_add_test(tc, interrupt_ends_it);
	tcase_add_loop_test(tc, random_damage_does_no_harm, 0, 8);
	suite_add_tcase(s, tc);
	return s;
}
