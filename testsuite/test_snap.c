/* SPDX-License-Identifier: MIT */
/*
 * test_snap.c - finding the allocator in a target and indexing its buffers
 */
#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "snap_fixture.h"
#include "suites.h"

/* ----------------------------------------------------------------- healthy */

START_TEST(healthy_heap_is_counted_exactly)
{
	fake_lend(drawn.tgt, _i == 0);
	drawn.tgt->slow = _i == 2;
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 0);
	ck_assert_uint_eq(snap->ncache, 3);
	ck_assert_uint_eq(snap->narena, 2);
	ck_assert_uint_eq(snap->ntcache, 1);
	ck_assert_uint_eq(snap->nregion, 3);
	snap_expect_healthy();
}
END_TEST

START_TEST(every_buffer_has_its_state)
{
	static const enum buf_state want[20] = {
	    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2};
	const struct snap_slab *s;
	uint32_t i, index;

	snap_expect_open();
	for (i = 0; i < 60; i++) {
		ck_assert(snap_buf_at(snap,
		    draw_buf(&drawn, drawn_slab("umem_alloc_64"), i), &s,
		    &index));
		ck_assert_uint_eq(index, i);
		ck_assert_int_eq(snap_buf_state(snap, s, index),
		    i < 20 ? want[i] : BUF_FREE_SLAB);
	}
}
END_TEST

START_TEST(slabs_are_sorted_and_found_by_any_address)
{
	const struct snap_slab *s;
	size_t i;

	snap_expect_open();
	for (i = 0; i < snap->nslab; i++) {
		s = &snap->slab[i];
		if (i > 0)
			ck_assert_uint_le(s[-1].base + s[-1].size, s->base);
		ck_assert_ptr_eq(snap_slab_at(snap, s->base), s);
		ck_assert_ptr_eq(snap_slab_at(snap, s->base + 4095), s);
		ck_assert_ptr_eq(snap_slab_at(snap, s->base + s->size - 1), s);
	}
	ck_assert_ptr_null(snap_slab_at(snap, DRAW_HEAP - 1));
	ck_assert_ptr_null(snap_slab_at(snap, drawn.heap));
	ck_assert_ptr_null(snap_slab_at(snap, 0));
	ck_assert_ptr_null(snap_slab_at(snap, UINT64_MAX));
}
END_TEST

START_TEST(address_between_buffers_belongs_to_none)
{
	taddr_t slab = drawn_slab("umem_alloc_48");
	const struct snap_slab *s;
	uint32_t index;

	snap_expect_open();
	/* the slab starts with 16 bytes before the first chunk */
	ck_assert(
	    !snap_buf_at(snap, draw_buf(&drawn, slab, 0) - 1, &s, &index));
	ck_assert(
	    snap_buf_at(snap, draw_buf(&drawn, slab, 7) + 79, &s, &index));
	ck_assert_uint_eq(index, 7);
	ck_assert(!snap_buf_at(snap, draw_buf(&drawn, slab, 20), &s, &index));
	ck_assert(!snap_buf_at(snap, DRAW_STACK, &s, &index));
}
END_TEST

START_TEST(inside_of_a_large_buffer_is_found)
{
	taddr_t base = DRAW_GET(
	    &drawn, drawn_slab("umem_oversize"), umem_slab_t, slab_base);
	const struct snap_slab *s;
	uint32_t index;

	snap_expect_open();
	ck_assert(snap_buf_at(snap, base + 99999, &s, &index));
	ck_assert_uint_eq(s->base, base);
	ck_assert_uint_eq(index, 0);
	ck_assert_uint_eq(s->bufsize, 100000);
	ck_assert_uint_eq(snap_buf_size(snap, s, 0), 100000);
	ck_assert_ptr_null(snap_slab_at(snap, drawn.heap + 100));
}
END_TEST

START_TEST(sizes_come_from_bufctl_then_red_zone_then_cache)
{
	taddr_t slab = drawn_slab("umem_alloc_48"), bufctl;
	const struct snap_slab *s;
	uint32_t i;

	snap_expect_open();
	ck_assert(snap_buf_at(snap, draw_buf(&drawn, slab, 0), &s, &i));
	for (i = 0; i < 5; i++)
		ck_assert_uint_eq(snap_buf_size(snap, s, i), 40 + i);
	ck_assert_uint_eq(snap_buf_size(snap, s, 5), 48); /* freed */
	bufctl = snap_buf_bufctl(s, 3);
	ck_assert_uint_eq(
	    DRAW_GET(&drawn, bufctl, umem_bufctl_audit_t, bc_addr),
	    draw_buf(&drawn, slab, 3));
	/* a bufctl that cannot be: the red zone knows */
	DRAW_SET(&drawn, bufctl, umem_bufctl_audit_t, bc_size, 49);
	ck_assert_uint_eq(snap_buf_size(snap, s, 3), 43);
	fake_put64(
	    drawn.tgt, draw_buf(&drawn, slab, 3) + 48, 0x4141414141414141);
	ck_assert_uint_eq(snap_buf_size(snap, s, 3), 48);
	ck_assert(snap_buf_at(
	    snap, draw_buf(&drawn, drawn_slab("umem_alloc_64"), 0), &s, &i));
	ck_assert_uint_eq(snap_buf_bufctl(s, i), 0);
	ck_assert_uint_eq(snap_buf_size(snap, s, i), 64);
}
END_TEST

START_TEST(bufctl_is_read_with_its_stack)
{
	uint64_t stack[DRAW_DEPTH];
	const struct snap_slab *s;
	struct snap_bufctl bc;
	uint32_t i;

	snap_expect_open();
	ck_assert(snap_buf_at(
	    snap, draw_buf(&drawn, drawn_slab("umem_alloc_48"), 5), &s, &i));
	ck_assert_int_eq(
	    snap_read_bufctl(snap, snap_buf_bufctl(s, i), &bc), UMDB_OK);
	draw_stack(stack, UMEM_BC_FREE);
	ck_assert_int_eq(bc.bc.bc_kind, UMEM_BC_FREE);
	ck_assert_uint_eq(bc.depth, DRAW_DEPTH);
	ck_assert_mem_eq(bc.stack, stack, sizeof(stack));
}
END_TEST

START_TEST(caches_are_found_by_name_and_address)
{
	taddr_t addr = draw_cache_addr(&drawn, "umem_alloc_48");
	const struct snap_cache *c;
	char text[32];

	snap_expect_open();
	ck_assert_uint_eq(snap_expect_cache("umem_alloc_48")->addr, addr);
	snprintf(text, sizeof(text), "%#lx", (unsigned long)addr);
	ck_assert_uint_eq(snap_expect_cache(text)->addr, addr);
	ck_assert_ptr_eq(snap_cache_at(snap, addr), snap_expect_cache(text));
	ck_assert_ptr_null(snap_cache_at(snap, addr + 8));
	ck_assert_int_eq(
	    snap_cache_named(snap, "umem_aloc_64", &c), UMDB_ENOTFOUND);
	ck_assert_str_eq(drawn.tgt->err.msg,
	    "there is no cache named umem_aloc_64; did you mean "
	    "umem_alloc_64, umem_alloc_48, umem_oversize");
	ck_assert_int_eq(snap_cache_named(snap, "zz", &c), UMDB_ENOTFOUND);
	ck_assert_str_eq(drawn.tgt->err.msg, "there is no cache named zz");
	ck_assert_int_eq(snap_cache_named(snap, "0x1234", &c), UMDB_ENOTFOUND);
}
END_TEST

START_TEST(arenas_know_their_source)
{
	snap_expect_open();
	ck_assert_str_eq(snap->arena[0].v.vm_name, "umem_heap");
	ck_assert_uint_eq(snap->arena[0].parent, UINT32_MAX);
	ck_assert_uint_eq(snap->arena[1].parent, 0);
}
END_TEST

START_TEST(memory_of_the_library_is_told_from_other_memory)
{
	snap_expect_open();
	ck_assert(snap_ours(snap, DRAW_HEAP));
	ck_assert(snap_ours(snap, DRAW_META + DRAW_META_SIZE - 1));
	ck_assert(!snap_ours(snap, DRAW_META + DRAW_META_SIZE));
	ck_assert(!snap_ours(snap, DRAW_STACK));
	ck_assert(!snap_ours(snap, 0));
}
END_TEST

START_TEST(cached_buffer_is_traced_to_its_thread)
{
	taddr_t slab = drawn_slab("umem_alloc_64");
	const struct snap_slab *s;
	uint32_t i;

	draw_tcache(&drawn, 1002);
	snap_expect_open();
	ck_assert(snap_buf_at(snap, draw_buf(&drawn, slab, 0), &s, &i));
	ck_assert_uint_eq(snap->ntcache, 2);
	ck_assert_uint_eq(snap_tcache_of(snap, s, 15)->tid, 1001);
	ck_assert_uint_eq(snap_tcache_of(snap, s, 19)->tid, 1001);
	ck_assert_ptr_null(snap_tcache_of(snap, s, 11));
	ck_assert_ptr_null(snap_tcache_of(snap, s, 0));
}
END_TEST

START_TEST(slab_of_two_chunks_and_one_of_the_most_are_indexed)
{
	taddr_t tiny = draw_cache(&drawn, "tiny", 8, 0, 3), slab, buf;
	const struct snap_slab *s;
	uint32_t i;

	slab = draw_slab(&drawn, tiny, 2);
	draw_alloc(&drawn, slab, 1, 8);
	slab = draw_slab(&drawn, tiny, UMEM_MAX_CHUNKS);
	for (i = 0; i < UMEM_MAX_CHUNKS; i += 3)
		draw_alloc(&drawn, slab, i, 8);
	buf = draw_buf(&drawn, slab, UMEM_MAX_CHUNKS - 1);
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 0);
	snap_expect_counts("tiny", 1 + 1366, 1 + UMEM_MAX_CHUNKS - 1366, 0, 0);
	ck_assert(snap_buf_at(snap, buf, &s, &i));
	for (i = 0; i < UMEM_MAX_CHUNKS; i++)
		ck_assert_int_eq(snap_buf_state(snap, s, i),
		    i % 3 == 0 ? BUF_ALLOCATED : BUF_FREE_SLAB);
	snap_expect_counts("umem_alloc_64", 11, 99, 4, 6);
}
END_TEST

START_TEST(magazines_in_transit_count_as_depot)
{
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64"), buf[3], mag;
	taddr_t slab = drawn_slab("umem_alloc_64"), tc;
	umem_tcache_t *t;
	uint32_t i;

	for (i = 0; i < 3; i++)
		buf[i] = draw_buf(&drawn, slab, i);
	mag = draw_depot(&drawn, c, buf, 3, 16);
	tc = DRAW_GET(&drawn, drawn.root, umem_root_t, root_tcaches);
	t = fake_at(drawn.tgt, tc, sizeof(*t));
	t->tc_transit[0] = mag;
	/* the bin is halfway: its pointers do not fit together */
	t->tc_bin[1].tb_limit = 0;
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 0);
	snap_expect_counts("umem_alloc_64", 11 + 4 - 3, 99, 4 + 3, 2);
}
END_TEST

START_TEST(magazines_of_quantum_caches_hold_segments_not_buffers)
{
	taddr_t c = draw_cache(&drawn, "arena_16", 16, 0, 0);
	taddr_t buf[2] = {0x1000, 0x1010};

	DRAW_SET(&drawn, c, umem_cache_t, cache_cflags, UMC_QCACHE);
	draw_depot(&drawn, c, buf, 2, 8);
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 0);
	snap_expect_counts("arena_16", 0, 0, 2, 0);
}
END_TEST

START_TEST(what_quantum_caches_took_and_do_not_hold_is_in_use)
{
	taddr_t c = draw_cache(&drawn, "arena_16", 16, 0, 0);
	taddr_t buf[2] = {0x1000, 0x1010};

	DRAW_SET(&drawn, c, umem_cache_t, cache_cflags, UMC_QCACHE);
	DRAW_SET(&drawn, c, umem_cache_t, cache_slab_alloc, 9);
	DRAW_SET(&drawn, c, umem_cache_t, cache_slab_free, 2);
	draw_depot(&drawn, c, buf, 2, 8);
	snap_expect_open();
	snap_expect_counts("arena_16", 5, 0, 2, 0);
	snap_close(snap);
	/* a segment that is in a magazine but was not counted yet */
	DRAW_SET(&drawn, c, umem_cache_t, cache_slab_free, 8);
	snap_expect_open();
	snap_expect_counts("arena_16", 0, 0, 2, 0);
	snap_close(snap);
	DRAW_SET(&drawn, c, umem_cache_t, cache_slab_free, 10);
	snap_expect_open();
	snap_expect_counts("arena_16", 0, 0, 2, 0);
}
END_TEST

/* -------------------------------------------------------- finding the root */

START_TEST(process_without_libumem_is_told_what_to_do)
{
	/* neither a note nor the magic */
	fake_put64(drawn.tgt, DRAW_LIB, 0);
	fake_put64(drawn.tgt, drawn.root, 0);
	snap_expect_refused(UMDB_ETARGET,
	    "no libumem in this process: run it with "
	    "LD_PRELOAD=libumem.so.1, or link it with -lumem");
}
END_TEST

START_TEST(library_missing_from_a_truncated_core_is_not_denied)
{
	fake_put64(drawn.tgt, DRAW_LIB, 0);
	fake_put64(drawn.tgt, drawn.root, 0);
	drawn.tgt->missing = 4711;
	snap_expect_refused(UMDB_ETARGET,
	    "no libumem was found, but the core file is truncated: it may be "
	    "among the 4711 bytes that are missing");
}
END_TEST

START_TEST(root_is_found_by_its_magic_when_the_note_is_not_there)
{
	fake_put64(drawn.tgt, DRAW_LIB, 0);
	snap_expect_open();
	ck_assert_uint_eq(snap->root_addr, drawn.root);
	snap_expect_healthy();
}
END_TEST

START_TEST(other_layout_version_is_refused_naming_both)
{
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_version, 7);
	snap_expect_refused(UMDB_ETARGET,
	    "the process uses layout version 7 of libumem (umem 0.1.0), this "
	    "libumdb.so reads version 3");
}
END_TEST

START_TEST(other_structure_sizes_are_refused)
{
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_slab_size, 104);
	snap_expect_refused(UMDB_ETARGET, "structures of other sizes");
}
END_TEST

START_TEST(overwritten_root_is_reported)
{
	fake_put64(drawn.tgt, drawn.root, 0x4141414141414141);
	snap_expect_refused(UMDB_ETARGET, "was overwritten: its magic is gone");
}
END_TEST

START_TEST(copy_of_a_root_elsewhere_is_not_believed)
{
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_self, drawn.root + 4096);
	snap_expect_refused(UMDB_ETARGET, "was overwritten");
}
END_TEST

START_TEST(root_missing_from_a_truncated_core_says_so)
{
	fake_break(drawn.tgt, drawn.root, sizeof(umem_root_t));
	drawn.tgt->missing = 4711;
	snap_expect_refused(UMDB_ETARGET,
	    "cannot be read; the core file is truncated, 4711 bytes are "
	    "missing");
}
END_TEST

START_TEST(library_that_has_not_started_is_told_from_one_that_failed)
{
	if (_i == 0) {
		DRAW_SET(&drawn, drawn.root, umem_root_t, root_ready, 0);
		DRAW_SET(&drawn, drawn.root, umem_root_t, root_caches, 0);
		snap_expect_refused(UMDB_ETARGET, "has not started");
	} else {
		DRAW_SET(&drawn, drawn.root, umem_root_t, root_ready, -1);
		snap_expect_refused(UMDB_ETARGET, "could not start");
	}
}
END_TEST

START_TEST(mappings_that_are_not_known_are_asked_for)
{
	ck_assert_int_eq(target_set_regions(drawn.tgt, NULL, 0), UMDB_OK);
	snap_expect_refused(UMDB_ETARGET, "whose mappings are known");
}
END_TEST

/* A second image with an idle library below the first in memory. */
static taddr_t
draw_second_library(void)
{
	const taddr_t lib = 0x7ffff6000000u, root = lib + 0x2000;
	unsigned char page[0x1000];
	umem_root_t copy;

	fake_add(drawn.tgt, lib, 0x4000, "/lib/other.so",
	    FAKE_READ | FAKE_WRITE | FAKE_FILE);
	memcpy(page, fake_at(drawn.tgt, DRAW_LIB, sizeof(page)), sizeof(page));
	fake_put(drawn.tgt, lib, page, sizeof(page));
	/* the note's descriptor lies 20 bytes into it; see draw.c */
	*(int32_t *)fake_at(drawn.tgt, lib + 0x214, 4) =
	    (int32_t)(root - (lib + 0x214));
	memcpy(
	    &copy, fake_at(drawn.tgt, drawn.root, sizeof(copy)), sizeof(copy));
	copy.root_self = root;
	copy.root_ready = 0;
	copy.root_caches = 0;
	fake_put(drawn.tgt, root, &copy, sizeof(copy));
	return root;
}

START_TEST(of_two_libraries_the_one_in_use_is_taken)
{
	draw_second_library();
	ck_assert_uint_eq(snap_find_root(drawn.tgt), drawn.root);
	snap_expect_open();
	snap_expect_healthy();
}
END_TEST

START_TEST(of_two_idle_libraries_the_first_is_taken)
{
	taddr_t other = draw_second_library();

	DRAW_SET(&drawn, drawn.root, umem_root_t, root_ready, 0);
	ck_assert_uint_eq(snap_find_root(drawn.tgt), other);
}
END_TEST

START_TEST(damaged_elf_headers_lead_nowhere)
{
	static const struct {
		size_t offset;
		uint64_t value;
	} bad[] = {
	    {offsetof(Elf64_Ehdr, e_phoff), 0xfff0},
	    {offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX - 8},
	    {sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) +
		    offsetof(Elf64_Phdr, p_vaddr),
		UINT64_MAX},
	    {sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) +
		    offsetof(Elf64_Phdr, p_memsz),
		UINT64_MAX},
	    {0x200, 0xffffffffffffffff}, /* sizes of the note */
	    {0x214, 0x7fffffff},         /* where it points */
	};

	fake_put64(drawn.tgt, DRAW_LIB + bad[_i].offset, bad[_i].value);
	ck_assert_uint_eq(snap_find_root(drawn.tgt), drawn.root); /* by scan */
	fake_put64(drawn.tgt, drawn.root, 0);
	ck_assert_uint_eq(snap_find_root(drawn.tgt), 0);
}
END_TEST

static void
add_healthy(Suite *s)
{
	TCase *tc = tcase_create("healthy");

	tcase_add_checked_fixture(tc, snap_setup, snap_teardown);
	tcase_add_loop_test(tc, healthy_heap_is_counted_exactly, 0, 3);
	tcase_add_test(tc, every_buffer_has_its_state);
	tcase_add_test(tc, slabs_are_sorted_and_found_by_any_address);
	tcase_add_test(tc, address_between_buffers_belongs_to_none);
	tcase_add_test(tc, inside_of_a_large_buffer_is_found);
	tcase_add_test(tc, sizes_come_from_bufctl_then_red_zone_then_cache);
	tcase_add_test(tc, bufctl_is_read_with_its_stack);
	tcase_add_test(tc, caches_are_found_by_name_and_address);
	tcase_add_test(tc, arenas_know_their_source);
	tcase_add_test(tc, memory_of_the_library_is_told_from_other_memory);
	tcase_add_test(tc, cached_buffer_is_traced_to_its_thread);
	tcase_add_test(tc, slab_of_two_chunks_and_one_of_the_most_are_indexed);
	tcase_add_test(tc, magazines_in_transit_count_as_depot);
	tcase_add_test(
	    tc, magazines_of_quantum_caches_hold_segments_not_buffers);
	tcase_add_test(tc, what_quantum_caches_took_and_do_not_hold_is_in_use);
	suite_add_tcase(s, tc);
}

static void
add_root(Suite *s)
{
	TCase *tc = tcase_create("root");

	tcase_add_checked_fixture(tc, snap_setup, snap_teardown);
	tcase_add_test(tc, process_without_libumem_is_told_what_to_do);
	tcase_add_test(tc, library_missing_from_a_truncated_core_is_not_denied);
	tcase_add_test(
	    tc, root_is_found_by_its_magic_when_the_note_is_not_there);
	tcase_add_test(tc, other_layout_version_is_refused_naming_both);
	tcase_add_test(tc, other_structure_sizes_are_refused);
	tcase_add_test(tc, overwritten_root_is_reported);
	tcase_add_test(tc, copy_of_a_root_elsewhere_is_not_believed);
	tcase_add_test(tc, root_missing_from_a_truncated_core_says_so);
	tcase_add_loop_test(tc,
	    library_that_has_not_started_is_told_from_one_that_failed, 0, 2);
	tcase_add_test(tc, mappings_that_are_not_known_are_asked_for);
	tcase_add_test(tc, of_two_libraries_the_one_in_use_is_taken);
	tcase_add_test(tc, of_two_idle_libraries_the_first_is_taken);
	tcase_add_loop_test(tc, damaged_elf_headers_lead_nowhere, 0, 6);
	suite_add_tcase(s, tc);
}

Suite *
test_snap_suite(void)
{
	Suite *s = suite_create("snap");

	add_healthy(s);
	add_root(s);
	return s;
}
