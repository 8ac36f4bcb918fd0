/* SPDX-License-Identifier: MIT */
/*
 * test_find_what.c - whatis on a drawn heap
 */
#include <check.h>
#include <string.h>

#include "draw.h"
#include "find.h"
#include "suites.h"

#define RECORD sizeof(umem_bufctl_audit_t)

static struct draw d;
static struct snap *snap;
static struct whatis w;
static taddr_t plain, audited;

static void
setup(void)
{
	draw_heap(&d);
	plain = draw_cache_addr(&d, "umem_alloc_64");
	audited = draw_cache_addr(&d, "umem_alloc_48");
}

static void
teardown(void)
{
	snap_close(snap);
	snap = NULL;
	draw_close(&d);
}

static enum what_kind
what(taddr_t addr)
{
	if (snap == NULL)
		snap = snap_open(d.tgt);
	ck_assert_ptr_nonnull(snap);
	ck_assert_int_eq(find_whatis(snap, addr, &w), UMDB_OK);
	return w.kind;
}

/* The first slab of a cache that was drawn: the last of its list. */
static taddr_t
first_slab(taddr_t cache)
{
	taddr_t at = DRAW_GET(&d, cache, umem_cache_t, cache_partial);

	while (DRAW_GET(&d, at, umem_slab_t, slab_next) != 0)
		at = DRAW_GET(&d, at, umem_slab_t, slab_next);
	return at;
}

START_TEST(start_and_inside_of_an_allocated_buffer)
{
	taddr_t buf = draw_buf(&d, first_slab(plain), 3);

	ck_assert_int_eq(what(buf), WHAT_BUFFER);
	ck_assert_uint_eq(w.base, buf);
	ck_assert_uint_eq(w.size, 64);
	ck_assert_uint_eq(w.index, 3);
	ck_assert_int_eq(w.state, BUF_ALLOCATED);
	ck_assert_uint_eq(w.bufctl, 0);
	ck_assert_int_eq(what(buf + 63), WHAT_BUFFER);
	ck_assert_uint_eq(w.base, buf);
}
END_TEST

START_TEST(free_buffers_say_where_they_are)
{
	taddr_t slab = first_slab(plain);

	ck_assert_int_eq(what(draw_buf(&d, slab, 30)), WHAT_BUFFER);
	ck_assert_int_eq(w.state, BUF_FREE_SLAB);
	ck_assert_int_eq(what(draw_buf(&d, slab, 11)), WHAT_BUFFER);
	ck_assert_int_eq(w.state, BUF_FREE_DEPOT);
	ck_assert_int_eq(what(draw_buf(&d, slab, 15)), WHAT_BUFFER);
	ck_assert_int_eq(w.state, BUF_FREE_THREAD);
	ck_assert_uint_eq(w.tid, 1001);
	ck_assert_int_eq(what(draw_buf(&d, slab, 19)), WHAT_BUFFER);
	ck_assert_int_eq(w.state, BUF_FREE_THREAD);
	ck_assert_uint_eq(w.tid, 1001);
}
END_TEST

START_TEST(audited_buffer_has_a_bufctl_and_a_red_zone)
{
	taddr_t slab = first_slab(audited), buf = draw_buf(&d, slab, 2);

	ck_assert_int_eq(what(buf + 41), WHAT_BUFFER);
	ck_assert_uint_ne(w.bufctl, 0);
	ck_assert_uint_eq(
	    DRAW_GET(&d, w.bufctl, umem_bufctl_audit_t, bc_addr), buf);
	ck_assert_int_eq(what(buf + 42), WHAT_REDZONE);
	ck_assert_uint_eq(w.base, buf);
	ck_assert_uint_eq(w.size, 42);
	ck_assert_int_eq(what(buf + 79), WHAT_REDZONE);
	ck_assert_int_eq(what(buf + 80), WHAT_BUFFER);
	ck_assert_uint_eq(w.index, 3);
}
END_TEST

START_TEST(slack_of_a_slab_is_in_no_buffer)
{
	taddr_t slab = first_slab(audited);
	taddr_t base = DRAW_GET(&d, slab, umem_slab_t, slab_base);

	ck_assert_int_eq(what(base + 8), WHAT_SLAB);
	ck_assert_uint_eq(w.base, base);
	ck_assert_int_eq(what(base + 4095), WHAT_SLAB);
	ck_assert_uint_eq(w.slab->addr, slab);
}
END_TEST

START_TEST(inside_of_a_large_buffer_and_behind_it)
{
	taddr_t slab = DRAW_GET(
	    &d, draw_cache_addr(&d, "umem_oversize"), umem_cache_t, cache_full);
	taddr_t buf;

	while (DRAW_GET(&d, slab, umem_slab_t, slab_reqsize) != 100000)
		slab = DRAW_GET(&d, slab, umem_slab_t, slab_next);
	buf = draw_buf(&d, slab, 0);
	ck_assert_int_eq(what(buf + 99999), WHAT_BUFFER);
	ck_assert_uint_eq(w.base, buf);
	ck_assert_uint_eq(w.size, 100000);
	ck_assert_int_eq(what(buf + 100000), WHAT_REDZONE);
}
END_TEST

START_TEST(structures_of_the_library_are_told_apart)
{
	taddr_t slab = first_slab(audited), bufctl, mag, tc;

	ck_assert_int_eq(what(plain + 100), WHAT_CACHE);
	ck_assert_uint_eq(w.base, plain);
	ck_assert_int_eq(what(slab + 8), WHAT_SLAB_STRUCT);
	ck_assert_uint_eq(w.base, slab);
	ck_assert_uint_eq(w.slab->addr, slab);
	ck_assert_int_eq(what(slab + sizeof(umem_slab_t)), WHAT_SLAB_STRUCT);
	bufctl = DRAW_GET(&d, slab, umem_slab_t, slab_bufctl);
	ck_assert_int_eq(what(bufctl + 97), WHAT_BUFCTL);
	ck_assert_uint_eq(w.base, bufctl + RECORD);
	ck_assert_uint_eq(w.bufctl, bufctl + RECORD);
	ck_assert_uint_eq(w.index, 1);
	mag = DRAW_GET(&d, plain, umem_cache_t, cache_magfull.ml_list);
	ck_assert_int_eq(what(mag + UMEM_MAG_ROUND + 15 * 8), WHAT_MAGAZINE);
	ck_assert_uint_eq(w.base, mag);
	mag = DRAW_GET(&d, plain, umem_cache_t, cache_magempty.ml_list);
	ck_assert_int_eq(what(mag), WHAT_MAGAZINE);
	tc = DRAW_GET(&d, d.root, umem_root_t, root_tcaches);
	ck_assert_int_eq(what(tc + 64), WHAT_TCACHE);
	ck_assert_uint_eq(w.tid, 1001);
	mag = DRAW_GET(&d, tc, umem_tcache_t, tc_bin[1].tb_base);
	ck_assert_int_eq(what(mag), WHAT_MAGAZINE);
	ck_assert_uint_eq(w.base, mag - UMEM_MAG_ROUND);
	mag = DRAW_GET(&d, tc, umem_tcache_t, tc_bin[1].tb_prev);
	ck_assert_int_eq(what(mag + 1), WHAT_MAGAZINE);
	ck_assert_int_eq(what(d.root + 20), WHAT_META);
	ck_assert_int_eq(what(d.heap_arena + 8), WHAT_META);
	ck_assert_str_eq(w.arena->v.vm_name, "umem_heap");
	ck_assert_int_eq(what(d.meta + 0x10000), WHAT_META);
}
END_TEST

START_TEST(log_records_are_found_by_any_of_their_bytes)
{
	taddr_t log = DRAW_GET(&d, d.root, umem_root_t, root_log_transaction);

	ck_assert_int_eq(what(DRAW_LOG + RECORD + 5), WHAT_LOG);
	ck_assert_uint_eq(w.base, DRAW_LOG + RECORD);
	ck_assert_uint_eq(w.bufctl, DRAW_LOG + RECORD);
	DRAW_SET(&d, log, umem_log_header_t, lh_chunksize, 4000);
	ck_assert_int_eq(what(DRAW_LOG + 3999), WHAT_LOG);
	ck_assert_uint_eq(w.bufctl, 0);
	ck_assert_int_eq(what(log + 8), WHAT_LOG);
	ck_assert_uint_eq(w.base, log);
}
END_TEST

START_TEST(heap_without_a_slab_is_a_segment_of_the_deepest_arena)
{
	ck_assert_int_eq(what(d.heap + 0x1000), WHAT_SEGMENT);
	ck_assert_str_eq(w.arena->v.vm_name, "umem_heap");
	ck_assert_uint_eq(w.seg.vs_type, VMEM_SEG_FREE);
	ck_assert_uint_eq(w.base, d.heap);
}
END_TEST

/* An arena of numbers from 0 whose quantum cache of 1 is bin 5. */
static taddr_t
draw_ids(taddr_t *cache_ret)
{
	const taddr_t ids = draw_arena(&d, "ids", 0);
	uint64_t i;

	draw_segment(&d, ids, VMEM_SEG_SPAN, 0, 100);
	for (i = 0; i < 5; i++)
		draw_segment(&d, ids, VMEM_SEG_ALLOC, i, i + 1);
	draw_segment(&d, ids, VMEM_SEG_ALLOC, 5, 8);
	draw_segment(&d, ids, VMEM_SEG_FREE, 8, 100);
	*cache_ret = draw_cache(&d, "ids_1", 1, 0, 5);
	DRAW_SET(&d, *cache_ret, umem_cache_t, cache_cflags,
	    UMC_QCACHE | UMC_INTERNAL);
	DRAW_SET(&d, *cache_ret, umem_cache_t, cache_arena, ids);
	return ids;
}

START_TEST(segment_may_start_at_address_0)
{
	taddr_t ids, cache;

	ids = draw_ids(&cache);
	ck_assert_int_eq(what(0), WHAT_SEGMENT);
	ck_assert_uint_eq(w.base, 0);
	ck_assert_uint_eq(w.size, 1);
	ck_assert_uint_eq(w.arena->addr, ids);
	ck_assert_int_eq(what(99), WHAT_SEGMENT);
	ck_assert_uint_eq(w.seg.vs_type, VMEM_SEG_FREE);
	ck_assert_int_eq(what(100), WHAT_UNKNOWN);
}
END_TEST

static int
note_segment(struct snap *s, const struct whatis *found, void *arg)
{
	(void)s;
	*(struct whatis *)arg = *found;
	return WALK_NEXT;
}

START_TEST(segment_in_a_quantum_cache_is_free)
{
	taddr_t tc = DRAW_GET(&d, d.root, umem_root_t, root_tcaches);
	taddr_t cache, idle[2] = {0, 1}, loaded = 2, previous = 3;
	struct whatis all;

	draw_ids(&cache);
	draw_depot(&d, cache, idle, 2, 4);
	draw_load(&d, tc, cache, &loaded, 1, 4);
	draw_previous(&d, tc, cache, &previous, 1, 4);
	ck_assert_int_eq(what(0), WHAT_SEGMENT);
	ck_assert_ptr_nonnull(w.quantum);
	ck_assert_str_eq(w.quantum->c.cache_name, "ids_1");
	ck_assert_int_eq(w.state, BUF_FREE_DEPOT);
	ck_assert_uint_eq(w.tid, 0);
	what(2);
	ck_assert_ptr_nonnull(w.quantum);
	ck_assert_int_eq(w.state, BUF_FREE_THREAD);
	ck_assert_uint_eq(w.tid, 1001);
	what(3);
	ck_assert_ptr_nonnull(w.quantum);
	ck_assert_int_eq(w.state, BUF_FREE_THREAD);
	ck_assert_int_eq(find_segments(snap, 3, note_segment, &all), UMDB_OK);
	ck_assert_ptr_eq(all.quantum, w.quantum);
	ck_assert_str_eq(all.arena->v.vm_name, "ids");
	/* handed out; and not of the size that is cached */
	ck_assert_int_eq(what(4), WHAT_SEGMENT);
	ck_assert_ptr_null(w.quantum);
	ck_assert_int_eq(what(5), WHAT_SEGMENT);
	ck_assert_ptr_null(w.quantum);
}
END_TEST

START_TEST(stacks_and_mappings_are_named)
{
	ck_assert_int_eq(what(DRAW_SP + 100), WHAT_STACK);
	ck_assert_uint_eq(w.tid, 1001);
	ck_assert_int_eq(what(DRAW_APP_DATA + 1), WHAT_MAPPING);
	ck_assert_str_eq(w.region->name, "/bin/app");
	ck_assert_uint_eq(w.base, DRAW_APP_DATA);
	ck_assert_uint_eq(w.size, DRAW_DATA_SIZE);
}
END_TEST

START_TEST(addresses_of_nothing_are_unknown)
{
	ck_assert_int_eq(what(0), WHAT_UNKNOWN);
	ck_assert_int_eq(what(8), WHAT_UNKNOWN);
	ck_assert_int_eq(what(DRAW_STACK - 1), WHAT_UNKNOWN);
	ck_assert_int_eq(what(UINT64_MAX), WHAT_UNKNOWN);
	ck_assert_int_eq(what(0x800000000000), WHAT_UNKNOWN);
}
END_TEST

START_TEST(damaged_lists_do_not_hide_the_rest)
{
	taddr_t tc = DRAW_GET(&d, d.root, umem_root_t, root_tcaches), mag;
	taddr_t seg = DRAW_GET(&d, d.heap_arena, vmem_t, vm_seg0.vs_anext);

	mag = DRAW_GET(&d, plain, umem_cache_t, cache_magfull.ml_list);
	DRAW_SET(&d, mag, umem_magazine_t, mag_next, mag);
	DRAW_SET(&d, seg, vmem_seg_t, vs_anext, 0x1234);
	mag = DRAW_GET(&d, tc, umem_tcache_t, tc_bin[1].tb_prev);
	ck_assert_int_eq(what(mag + 1), WHAT_MAGAZINE);
	ck_assert_int_eq(what(d.heap + 0x1000), WHAT_META);
}
END_TEST

Suite *
test_find_what_suite(void)
{
	Suite *s = suite_create("find_what");
	TCase *t = tcase_create("whatis");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, start_and_inside_of_an_allocated_buffer);
	tcase_add_test(t, free_buffers_say_where_they_are);
	tcase_add_test(t, audited_buffer_has_a_bufctl_and_a_red_zone);
	tcase_add_test(t, slack_of_a_slab_is_in_no_buffer);
	tcase_add_test(t, inside_of_a_large_buffer_and_behind_it);
	tcase_add_test(t, structures_of_the_library_are_told_apart);
	tcase_add_test(t, log_records_are_found_by_any_of_their_bytes);
	tcase_add_test(
	    t, heap_without_a_slab_is_a_segment_of_the_deepest_arena);
	tcase_add_test(t, segment_may_start_at_address_0);
	tcase_add_test(t, segment_in_a_quantum_cache_is_free);
	tcase_add_test(t, stacks_and_mappings_are_named);
	tcase_add_test(t, addresses_of_nothing_are_unknown);
	tcase_add_test(t, damaged_lists_do_not_hide_the_rest);
	suite_add_tcase(s, t);
	return s;
}
