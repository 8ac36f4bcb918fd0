/* SPDX-License-Identifier: MIT */
/*
 * test_find_leak.c - findleaks on drawn heaps
 *
 * A heap of 64-byte buffers without debugging (two slabs of 60), one of
 * audited 48-byte ones, and whatever a test adds.  A test writes pointers
 * where they stand in a real process and states for each buffer what it
 * should be called.  test_find_mark.c does the same with random graphs.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find_mark.h"
#include "snap_fixture.h"
#include "suites.h"

#define NOT_LOST (-1)
#define DATA DRAW_APP_DATA
#define PER_SLAB 60u

static taddr_t plain, audited, slab[2], aslab;

static void
setup(void)
{
	draw_open(&drawn);
	plain = draw_cache(&drawn, "umem_alloc_64", 64, UMF_MALLOC, 1);
	slab[0] = draw_slab(&drawn, plain, PER_SLAB);
	slab[1] = draw_slab(&drawn, plain, PER_SLAB);
	audited = draw_cache(&drawn, "umem_alloc_48", 48,
	    UMF_MALLOC | UMF_AUDIT | UMF_DEADBEEF | UMF_REDZONE, 2);
	aslab = draw_slab(&drawn, audited, 20);
}

/* Allocate the next plain buffer; zeroed. */
static taddr_t
take(void)
{
	static uint32_t next;
	const umem_slab_t *s = fake_at(drawn.tgt, slab[0], sizeof(*s));

	if (s->slab_refcnt == 0)
		next = 0;
	ck_assert_uint_lt(next, 2 * PER_SLAB);
	next++;
	return draw_alloc(
	    &drawn, slab[(next - 1) / PER_SLAB], (next - 1) % PER_SLAB, 64);
}

static void
put(taddr_t at, taddr_t value)
{
	fake_put64(drawn.tgt, at, value);
}

static const struct leak *
leak_at(taddr_t addr)
{
	size_t i;

	for (i = 0; i < leaks->nleak; i++)
		if (leaks->leak[i].addr == addr)
			return &leaks->leak[i];
	return NULL;
}

static int
kind_of(taddr_t addr)
{
	const struct leak *l = leak_at(addr);

	return l == NULL ? NOT_LOST : (int)l->kind;
}

/* ------------------------------------------------------------------- roots */

START_TEST(empty_heap_has_no_leaks)
{
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 0);
	ck_assert_uint_eq(leaks->ngroup, 0);
	ck_assert_uint_eq(leaks->stats.candidates, 0);
}
END_TEST

START_TEST(buffer_without_any_pointer_is_lost)
{
	taddr_t a = take();

	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_uint_eq(leaks->leak[0].size, 64);
	ck_assert_uint_eq(leaks->stats.candidates, 1);
	ck_assert_uint_eq(leaks->stats.candidate_bytes, 64);
}
END_TEST

START_TEST(writable_data_of_an_object_keeps)
{
	taddr_t a = take(), b = take();

	put(DATA + 8, a);
	put(DATA + DRAW_DATA_SIZE - 8, b);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

START_TEST(unaligned_pointer_does_not_keep)
{
	taddr_t a = take();

	put(DATA + 12, a);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
}
END_TEST

START_TEST(unnamed_and_shared_writable_memory_keeps)
{
	taddr_t a = take(), b = take();
	unsigned char *anon = fake_add(drawn.tgt, DATA + DRAW_DATA_SIZE, 0x1000,
	    "", FAKE_READ | FAKE_WRITE);
	unsigned char *file = fake_add(drawn.tgt, 0x7fffc0000000, 0x1000,
	    "/dev/shm/x", FAKE_READ | FAKE_WRITE | FAKE_FILE);

	memcpy(anon + 16, &a, sizeof(a));
	memcpy(file + 0xff8, &b, sizeof(b));
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

START_TEST(pages_that_the_loader_made_read_only_keep)
{
	taddr_t a = take(), b = take();
	unsigned char *text = fake_add(drawn.tgt, DATA - 0x3000, 0x1000,
	    "/bin/app", FAKE_READ | FAKE_FILE);
	unsigned char *relro = fake_add(drawn.tgt, DATA - 0x1000, 0x1000,
	    "/bin/app", FAKE_READ | FAKE_FILE);

	memcpy(relro, &a, sizeof(a));
	memcpy(text, &b, sizeof(b));
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
}
END_TEST

START_TEST(anonymous_memory_that_was_made_read_only_keeps)
{
	taddr_t a = take();
	unsigned char *p =
	    fake_add(drawn.tgt, 0x7fffc0000000, 0x1000, "", FAKE_READ);

	memcpy(p, &a, sizeof(a));
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

START_TEST(every_register_keeps)
{
	taddr_t a[TARGET_NREGS];
	size_t i;

	for (i = 0; i < TARGET_NREGS; i++) {
		a[i] = take();
		if (i != TARGET_RSP)
			drawn.tgt->thread[0].reg[i] = a[i];
	}
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert_int_eq(kind_of(a[TARGET_RSP]), LEAK_DEFINITE);
}
END_TEST

START_TEST(slot_that_a_thread_is_about_to_load_keeps)
{
	taddr_t a = take(), b = take(), slot = draw_meta(&drawn, 16);

	put(slot, a);
	put(slot + 8, b);
	drawn.tgt->thread[0].reg[3] = slot;
	drawn.tgt->thread[0].reg[TARGET_RIP] = DRAW_LIB + 0x40;
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
}
END_TEST

START_TEST(live_stack_and_red_zone_keep_what_is_below_does_not)
{
	taddr_t a = take(), b = take(), c = take(), e = take();

	put(DRAW_SP, a);
	put(DRAW_SP - 128, b);
	put(DRAW_SP - 136, c);
	put(DRAW_STACK + DRAW_STACK_SIZE - 8, e);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert_int_eq(kind_of(c), LEAK_DEFINITE);
}
END_TEST

START_TEST(library_keeps_nothing_but_what_it_says_it_holds)
{
	taddr_t a = take(), b = take(), c = take();

	put(DRAW_LIB_DATA + 0x101008, a);
	put(draw_meta(&drawn, 64), b);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_held[1], c);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(c), NOT_LOST);
}
END_TEST

/* -------------------------------------------------------- free and cached */

START_TEST(free_and_cached_buffers_keep_nothing_and_are_not_lost)
{
	taddr_t keep = take(), in_slab = draw_buf(&drawn, slab[1], 59);
	taddr_t depot = take(), thread = take();
	taddr_t a = take(), b = take(), c = take();

	put(DATA, keep);
	draw_depot(&drawn, plain, &depot, 1, 16);
	draw_load(&drawn, draw_tcache(&drawn, 1001), plain, &thread, 1, 16);
	put(in_slab, a);
	put(depot, b);
	put(thread, c);
	put(DATA + 8, in_slab);
	put(DATA + 16, depot);
	put(DATA + 24, thread);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 3);
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(c), LEAK_DEFINITE);
}
END_TEST

START_TEST(only_the_bytes_asked_for_are_searched)
{
	taddr_t keep = draw_alloc(&drawn, aslab, 0, 40), a = take(), b = take();

	put(DATA, keep);
	put(keep + 32, a);
	put(keep + 40, b);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
}
END_TEST

START_TEST(size_comes_from_the_record_when_the_tag_is_damaged)
{
	taddr_t keep = draw_alloc(&drawn, aslab, 0, 40), a = take();

	put(DATA, keep);
	put(keep + 40, a);
	put(keep + 48, 0);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
}
END_TEST

START_TEST(internal_caches_have_no_leaks_and_keep_nothing)
{
	taddr_t own = draw_cache(&drawn, "umem_slab_cache", 64, 0, 0);
	taddr_t q = draw_cache(&drawn, "ids_1", 64, 0, 0), s, a = take();

	DRAW_SET(&drawn, own, umem_cache_t, cache_cflags, UMC_INTERNAL);
	DRAW_SET(&drawn, q, umem_cache_t, cache_cflags, UMC_QCACHE);
	s = draw_slab(&drawn, own, 4);
	put(draw_alloc(&drawn, s, 0, 64), a);
	s = draw_slab(&drawn, q, 4);
	put(draw_alloc(&drawn, s, 0, 64), a);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
}
END_TEST

START_TEST(objects_of_client_caches_are_candidates)
{
	taddr_t c = draw_cache(&drawn, "client", 24, 0, 3), s, a, b;

	s = draw_slab(&drawn, c, 10);
	a = draw_alloc(&drawn, s, 3, 0);
	b = draw_alloc(&drawn, s, 9, 0);
	put(DATA, b);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_uint_eq(leaks->leak[0].size, 24);
}
END_TEST

START_TEST(large_buffers_are_candidates_and_are_searched)
{
	taddr_t s = draw_large(&drawn, 100000), t = draw_large(&drawn, 70000);
	taddr_t l = draw_buf(&drawn, s, 0), m = draw_buf(&drawn, t, 0);
	taddr_t a = take(), b = take(), c = take();

	put(DATA, l);
	put(l + 50000, a);
	put(l + 99992, b);
	put(l + 100000, c);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 2);
	ck_assert_int_eq(kind_of(m), LEAK_DEFINITE);
	ck_assert_uint_eq(leak_at(m)->size, 70000);
	ck_assert_int_eq(kind_of(c), LEAK_DEFINITE);
}
END_TEST

/* ------------------------------------------------------------------- kinds */

START_TEST(what_a_lost_buffer_leads_to_is_indirect)
{
	taddr_t a = take(), b = take(), c = take();

	put(a, b);
	put(b + 56, c);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(b), LEAK_INDIRECT);
	ck_assert_int_eq(kind_of(c), LEAK_INDIRECT);
}
END_TEST

START_TEST(head_is_found_whatever_the_order_of_addresses)
{
	taddr_t a = take(), b = take(), c = take();

	put(c, b);
	put(b, a);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_INDIRECT);
	ck_assert_int_eq(kind_of(b), LEAK_INDIRECT);
	ck_assert_int_eq(kind_of(c), LEAK_DEFINITE);
}
END_TEST

START_TEST(one_buffer_stands_for_a_cycle)
{
	taddr_t a = take(), b = take(), c = take(), self = take();

	put(a, b);
	put(b, c);
	put(c, a);
	put(self, self);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(b), LEAK_INDIRECT);
	ck_assert_int_eq(kind_of(c), LEAK_INDIRECT);
	ck_assert_int_eq(kind_of(self), LEAK_DEFINITE);
}
END_TEST

START_TEST(cycle_that_another_one_leads_to_has_no_head)
{
	taddr_t a = take(), b = take(), c = take(), e = take();

	put(a, b);
	put(b, a);
	put(c, e);
	put(e, c);
	put(e + 8, b);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_INDIRECT);
	ck_assert_int_eq(kind_of(b), LEAK_INDIRECT);
	ck_assert_int_eq(kind_of(c), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(e), LEAK_INDIRECT);
}
END_TEST

START_TEST(live_cycle_is_not_lost)
{
	taddr_t a = take(), b = take();

	put(a, b);
	put(b, a);
	put(DATA, b);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

START_TEST(pointer_to_the_inside_makes_possible)
{
	taddr_t a = take(), b = take(), c = take();

	put(DATA, a + 40);
	put(DATA + 8, b + 63);
	put(DATA + 16, c + 1);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(b), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(c), LEAK_POSSIBLE);
}
END_TEST

START_TEST(pointer_behind_the_end_keeps_nothing)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 40);

	put(DATA, a + 40);
	put(DATA + 8, a + 48);
	put(DATA + 16, a - 8);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
}
END_TEST

START_TEST(pointer_to_the_start_wins_over_one_to_the_inside)
{
	taddr_t a = take(), b = take(), c = take();

	put(DATA, a + 40);
	put(DATA + 8, b);
	put(b, a);
	put(a, c);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

START_TEST(what_only_possible_buffers_lead_to_is_possible)
{
	taddr_t a = take(), b = take(), c = take(), lost = take();

	put(DATA, a + 40);
	put(a, b);
	put(b, c + 32);
	put(lost, c);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(b), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(c), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(lost), LEAK_DEFINITE);
}
END_TEST

START_TEST(inside_pointer_from_a_lost_buffer_makes_indirect)
{
	taddr_t a = take(), b = take();

	put(a, b + 40);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(b), LEAK_INDIRECT);
}
END_TEST

START_TEST(buffer_of_no_bytes_is_held_by_its_address)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 0);
	taddr_t b = draw_alloc(&drawn, aslab, 1, 0);

	put(DATA, a);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
	ck_assert_uint_eq(leaks->leak[0].size, 0);
}
END_TEST

/* ----------------------------------------------------------- inner pointers */

START_TEST(array_with_a_count_in_front_is_held_by_its_first_element)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 48), b;

	b = draw_alloc(&drawn, aslab, 1, 48);
	put(a, 5); /* of 8 bytes */
	put(b, 3); /* 40 / 3 is no whole number */
	put(DATA, a + 8);
	put(DATA + 8, b + 8);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_POSSIBLE);
}
END_TEST

START_TEST(block_with_its_length_in_front_is_held_by_its_data)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 47), b;

	b = draw_alloc(&drawn, aslab, 1, 47);
	put(a, 39);
	put(b, 40);
	put(DATA, a + 8);
	put(DATA + 8, b + 8);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_POSSIBLE);
}
END_TEST

START_TEST(shared_string_is_held_by_its_characters)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 24 + 10 + 1), b;

	b = draw_alloc(&drawn, aslab, 1, 24 + 10 + 1);
	put(a, 4);
	put(a + 8, 10);
	put(a + 16, 0);
	fake_put(drawn.tgt, a + 24, "abcd", 5);
	put(b, 11); /* longer than its capacity */
	put(b + 8, 10);
	put(b + 16, 0);
	put(DATA, a + 24);
	put(DATA + 8, b + 24);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_POSSIBLE);
}
END_TEST

/* Two virtual tables of a class whose second base is @off bytes in. */
static taddr_t
draw_tables(taddr_t at, uint64_t off)
{
	put(at, 0);
	put(at + 8, DRAW_TEXT + 0x80); /* the type */
	put(at + 16, DRAW_TEXT);
	put(at + 24, (uint64_t)-off);
	put(at + 32, DRAW_TEXT + 0x80);
	put(at + 40, DRAW_TEXT + 0x10);
	return at + 16;
}

START_TEST(object_is_held_by_a_pointer_to_its_second_base)
{
	taddr_t a = take(), b = take(), t = draw_tables(DATA + 0x100, 32);

	put(a, t);
	put(a + 32, t + 24);
	put(b, t);
	put(b + 40, t + 24);
	put(DATA, a + 32);
	put(DATA + 8, b + 40);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_POSSIBLE);
}
END_TEST

START_TEST(block_aligned_by_hand_is_held_by_its_aligned_part)
{
	taddr_t a = take(), b = take(), c = take();

	put(a + 24, a);
	put(DATA, a + 32);
	put(b + 40, b);
	put(DATA + 8, b + 32);
	put(c + 48, c);
	put(DATA + 16, c + 32);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), NOT_LOST);
	ck_assert_int_eq(kind_of(c), LEAK_POSSIBLE);
}
END_TEST

START_TEST(object_of_python_is_held_behind_the_collectors_header)
{
	const taddr_t meta = DATA + 0x1000, type = DATA + 0x2000;
	taddr_t a = take(), b = take(), c = take();

	put(meta + 8, meta); /* the type of types */
	put(meta + 32, 48);
	put(type + 8, meta);
	put(type + 32, 24); /* its objects' size */
	put(a + 16, 0);     /* references: one on a free list has none */
	put(a + 24, type);
	put(b + 32, 1);
	put(b + 40, type);
	put(c + 16, 1);
	put(c + 24, DATA + 0x3000); /* no type */
	put(DATA, a + 16);
	put(DATA + 8, b + 16);
	put(DATA + 16, c + 16);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), NOT_LOST);
	ck_assert_int_eq(kind_of(c), LEAK_POSSIBLE);
}
END_TEST

START_TEST(attributes_of_python_are_held_behind_their_header)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 8 + 4 * 8), b;

	b = draw_alloc(&drawn, aslab, 1, 8 + 4 * 8);
	put(a, 8ULL << 56 | 4ULL << 48);
	put(b, 8ULL << 56 | 5ULL << 48); /* more in use than there are */
	put(DATA, a + 8);
	put(DATA + 8, b + 8);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_POSSIBLE);
}
END_TEST

START_TEST(struct_at_the_end_of_a_block_that_knows_its_front_holds_it)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 48);

	put(a, 40); /* the length, as sqlite puts it in front of blocks */
	put(a + 32, a + 8);
	put(DATA, a + 32);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
}
END_TEST

START_TEST(array_of_aligned_elements_is_held_by_its_first_element)
{
	taddr_t a = take(), b = take();

	put(a + 24, 1); /* of 32 bytes */
	put(b + 24, 2);
	put(DATA, a + 32);
	put(DATA + 8, b + 32);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_POSSIBLE);
}
END_TEST

/* ------------------------------------------------------------------ arenas */

/* An arena of the client's, cut from the heap, with one allocated segment. */
static taddr_t
draw_client_arena(taddr_t *seg_ret)
{
	const taddr_t base = drawn.heap;
	taddr_t heap = draw_arena(&drawn, "umem_heap", 0), mine;

	drawn.heap += 0x4000;
	draw_segment(&drawn, heap, VMEM_SEG_SPAN, DRAW_HEAP, drawn.heap);
	draw_segment(&drawn, heap, VMEM_SEG_ALLOC, DRAW_HEAP, drawn.heap);
	mine = draw_arena(&drawn, "mine", heap);
	DRAW_SET(&drawn, mine, vmem_t, vm_flags, 0);
	DRAW_SET(&drawn,
	    draw_segment(&drawn, mine, VMEM_SEG_SPAN, base, base + 0x4000),
	    vmem_seg_t, vs_import, 1);
	draw_segment(&drawn, mine, VMEM_SEG_ALLOC, base, base + 0x1000);
	draw_segment(&drawn, mine, VMEM_SEG_FREE, base + 0x1000, base + 0x2000);
	draw_segment(
	    &drawn, mine, VMEM_SEG_ALLOC, base + 0x2000, base + 0x3000);
	draw_segment(&drawn, mine, VMEM_SEG_FREE, base + 0x3000, base + 0x4000);
	*seg_ret = base;
	return mine;
}

START_TEST(segments_that_clients_took_from_their_arenas_keep)
{
	taddr_t a = take(), b = take(), c = take(), seg;

	draw_client_arena(&seg);
	put(seg + 0x10, a);
	put(seg + 0x1010, b);
	put(seg + 0x2ff8, c);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
}
END_TEST

/* The arena's own record of it is in memory that is no root. */
START_TEST(buffer_that_clients_gave_to_their_arena_is_kept)
{
	taddr_t a = take(), b = take(), c = take(), e = take(), mine;

	mine = draw_arena(&drawn, "mine", 0);
	DRAW_SET(&drawn, mine, vmem_t, vm_flags, 0);
	draw_segment(&drawn, mine, VMEM_SEG_SPAN, a, a + 16);
	draw_segment(&drawn, mine, VMEM_SEG_ALLOC, a, a + 16);
	draw_segment(&drawn, mine, VMEM_SEG_SPAN, b + 8, b + 24);
	draw_segment(&drawn, mine, VMEM_SEG_FREE, b + 8, b + 24);
	/* no buffer has room for this: the first one is cut from it */
	draw_segment(&drawn, mine, VMEM_SEG_SPAN, e, e + 0x1000);
	draw_segment(&drawn, mine, VMEM_SEG_ALLOC, e, e + 0x1000);
	put(a + 8, c);
	leaks_expect();
	ck_assert_int_eq(kind_of(e), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), NOT_LOST);
	ck_assert_int_eq(kind_of(c), NOT_LOST);
}
END_TEST

START_TEST(segment_that_another_arena_imported_keeps_only_what_is_allocated)
{
	taddr_t a = take(), b = take(), seg, mine, sub;

	mine = draw_client_arena(&seg);
	sub = draw_arena(&drawn, "sub", mine);
	DRAW_SET(&drawn, sub, vmem_t, vm_flags, 0);
	DRAW_SET(&drawn,
	    draw_segment(&drawn, sub, VMEM_SEG_SPAN, seg, seg + 0x1000),
	    vmem_seg_t, vs_import, 1);
	draw_segment(&drawn, sub, VMEM_SEG_ALLOC, seg, seg + 0x100);
	draw_segment(&drawn, sub, VMEM_SEG_FREE, seg + 0x100, seg + 0x1000);
	put(seg + 0x80, a);
	put(seg + 0x180, b);
	leaks_expect();
	ck_assert_int_eq(kind_of(a), NOT_LOST);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
}
END_TEST

START_TEST(segment_in_a_quantum_cache_keeps_nothing)
{
	taddr_t a = take(), b = take(), seg, mine, q, idle, tc;

	mine = draw_client_arena(&seg);
	q = draw_cache(&drawn, "mine_4096", 4096, 0, 5);
	DRAW_SET(
	    &drawn, q, umem_cache_t, cache_cflags, UMC_QCACHE | UMC_INTERNAL);
	DRAW_SET(&drawn, q, umem_cache_t, cache_arena, mine);
	idle = seg;
	draw_depot(&drawn, q, &idle, 1, 4);
	idle = seg + 0x2000;
	tc = draw_tcache(&drawn, 1001);
	draw_load(&drawn, tc, q, &idle, 1, 4);
	put(seg + 0x10, a);
	put(seg + 0x2010, b);
	if (_i == 1) /* the list of thread caches loops: that hides no depot */
		DRAW_SET(&drawn, tc, umem_tcache_t, tc_next, tc);
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, (size_t)_i);
	ck_assert_int_eq(find_leaks(snap, &leaks), UMDB_OK);
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(b), LEAK_DEFINITE);
}
END_TEST

/* ------------------------------------------------------------------ results */

START_TEST(groups_are_sorted_by_kind_and_bytes_and_the_oldest_stands)
{
	taddr_t a[4], b = take(), c = take(), s;
	const struct leak_group *g;
	size_t i;

	for (i = 0; i < 4; i++)
		a[i] = draw_alloc(&drawn, aslab, (uint32_t)(3 - i), 40 + i);
	s = draw_buf(&drawn, draw_large(&drawn, 5000), 0);
	put(s, c);
	put(DATA, b + 40);
	leaks_expect();
	ck_assert_uint_eq(leaks->ngroup, 4);
	g = leaks->group;
	ck_assert_int_eq(g[0].kind, LEAK_DEFINITE);
	ck_assert_uint_eq(g[0].bytes, 5000);
	ck_assert_int_eq(g[1].kind, LEAK_DEFINITE);
	ck_assert_uint_eq(g[1].count, 4);
	ck_assert_uint_eq(g[1].bytes, 40 + 41 + 42 + 43);
	ck_assert_uint_eq(g[1].depth, DRAW_DEPTH);
	ck_assert_int_eq(g[2].kind, LEAK_POSSIBLE);
	ck_assert_uint_eq(g[2].depth, 0);
	ck_assert_uint_eq(g[2].bufctl, 0);
	ck_assert_int_eq(g[3].kind, LEAK_INDIRECT);
	for (i = 0; i < 4; i++) {
		const struct leak *l = &leaks->leak[g[1].first + i];

		ck_assert_uint_eq(l->addr, a[i]);
		ck_assert_uint_eq(l->group, 1);
		ck_assert_uint_eq(l->thread, 1001);
		ck_assert_uint_eq(l->size, 40 + i);
	}
	ck_assert_uint_eq(
	    DRAW_GET(&drawn, g[1].bufctl, umem_bufctl_audit_t, bc_addr), a[0]);
	ck_assert_uint_eq(leaks->leak[g[3].first].addr, c);
}
END_TEST

START_TEST(different_stacks_are_different_groups)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 40);
	taddr_t b = draw_alloc(&drawn, aslab, 1, 40);
	const umem_slab_t *s = fake_at(drawn.tgt, aslab, sizeof(*s));
	uint64_t stack[DRAW_DEPTH];

	draw_stack(stack, UMEM_BC_ALLOC);
	stack[3] = DRAW_TEXT + 0x999;
	DRAW_SET(&drawn, s->slab_bufctl, umem_bufctl_audit_t, bc_trace,
	    draw_trace(&drawn, stack, DRAW_DEPTH));
	leaks_expect();
	ck_assert_uint_eq(leaks->ngroup, 2);
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_uint_ne(leak_at(a)->group, leak_at(b)->group);
	ck_assert_uint_eq(
	    leaks->group[leak_at(a)->group].stack[3], DRAW_TEXT + 0x999);
}
END_TEST

START_TEST(record_that_makes_no_sense_is_not_used)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 40);
	taddr_t b = draw_alloc(&drawn, aslab, 1, 40);
	const umem_slab_t *s = fake_at(drawn.tgt, aslab, sizeof(*s));
	const umem_cache_t *c = fake_at(drawn.tgt, audited, sizeof(*c));

	DRAW_SET(&drawn, s->slab_bufctl, umem_bufctl_audit_t, bc_trace, 60000);
	DRAW_SET(&drawn, s->slab_bufctl + c->cache_bufctl_size,
	    umem_bufctl_audit_t, bc_addr, 0x1234);
	if (_i == 1) {
		DRAW_SET(&drawn, s->slab_bufctl, umem_bufctl_audit_t, bc_trace,
		    draw_trace(&drawn, &b, 1));
		DRAW_SET(&drawn, draw_trace_at(draw_trace(&drawn, &b, 1)),
		    umem_trace_t, tr_depth, 60000);
	}
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 2);
	ck_assert_uint_eq(leaks->group[leak_at(a)->group].depth, 0);
	ck_assert_uint_ne(leak_at(a)->timestamp, 0);
	ck_assert_uint_eq(leaks->group[leak_at(b)->group].depth, 0);
	ck_assert_uint_eq(leak_at(b)->timestamp, 0);
}
END_TEST

START_TEST(memory_that_cannot_be_read_is_counted)
{
	taddr_t a = take(), b = take();

	fake_add(drawn.tgt, 0x7fffc0000000, 0x3000, "",
	    FAKE_READ | FAKE_WRITE | FAKE_NOT_DUMPED);
	fake_break(drawn.tgt, DATA + 0x2000, 0x1000);
	put(DATA, a);
	put(DATA + 0x3000, b);
	leaks_expect();
	ck_assert_uint_eq(leaks->stats.unread_bytes, 0x4000);
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

START_TEST(everything_is_the_same_when_memory_is_not_lent)
{
	taddr_t a = draw_alloc(&drawn, aslab, 0, 40), b = take(), c = take();
	taddr_t l = draw_buf(&drawn, draw_large(&drawn, 100000), 0), e = take();

	put(DATA, l);
	put(l + 99992, b);
	put(b, c + 40);
	put(a, e);
	fake_lend(drawn.tgt, false);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 3);
	ck_assert_int_eq(kind_of(a), LEAK_DEFINITE);
	ck_assert_int_eq(kind_of(c), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(e), LEAK_INDIRECT);
	ck_assert_uint_eq(leaks->group[leak_at(a)->group].depth, DRAW_DEPTH);
}
END_TEST

START_TEST(releasing_nothing_is_harmless)
{
	find_leaks_free(NULL);
}
END_TEST

static void
add_roots(Suite *s)
{
	TCase *t = tcase_create("roots");

	tcase_add_checked_fixture(t, setup, leaks_teardown);
	tcase_add_test(t, empty_heap_has_no_leaks);
	tcase_add_test(t, buffer_without_any_pointer_is_lost);
	tcase_add_test(t, writable_data_of_an_object_keeps);
	tcase_add_test(t, unaligned_pointer_does_not_keep);
	tcase_add_test(t, unnamed_and_shared_writable_memory_keeps);
	tcase_add_test(t, pages_that_the_loader_made_read_only_keep);
	tcase_add_test(t, anonymous_memory_that_was_made_read_only_keeps);
	tcase_add_test(t, every_register_keeps);
	tcase_add_test(t, slot_that_a_thread_is_about_to_load_keeps);
	tcase_add_test(t, live_stack_and_red_zone_keep_what_is_below_does_not);
	tcase_add_test(t, library_keeps_nothing_but_what_it_says_it_holds);
	tcase_add_test(t, segments_that_clients_took_from_their_arenas_keep);
	tcase_add_test(t, buffer_that_clients_gave_to_their_arena_is_kept);
	tcase_add_test(t,
	    segment_that_another_arena_imported_keeps_only_what_is_allocated);
	tcase_add_loop_test(t, segment_in_a_quantum_cache_keeps_nothing, 0, 2);
	suite_add_tcase(s, t);
}

static void
add_candidates(Suite *s)
{
	TCase *t = tcase_create("candidates");

	tcase_add_checked_fixture(t, setup, leaks_teardown);
	tcase_add_test(
	    t, free_and_cached_buffers_keep_nothing_and_are_not_lost);
	tcase_add_test(t, only_the_bytes_asked_for_are_searched);
	tcase_add_test(t, size_comes_from_the_record_when_the_tag_is_damaged);
	tcase_add_test(t, internal_caches_have_no_leaks_and_keep_nothing);
	tcase_add_test(t, objects_of_client_caches_are_candidates);
	tcase_add_test(t, large_buffers_are_candidates_and_are_searched);
	suite_add_tcase(s, t);
}

static void
add_kinds(Suite *s)
{
	TCase *t = tcase_create("kinds");

	tcase_add_checked_fixture(t, setup, leaks_teardown);
	tcase_add_test(t, what_a_lost_buffer_leads_to_is_indirect);
	tcase_add_test(t, head_is_found_whatever_the_order_of_addresses);
	tcase_add_test(t, one_buffer_stands_for_a_cycle);
	tcase_add_test(t, cycle_that_another_one_leads_to_has_no_head);
	tcase_add_test(t, live_cycle_is_not_lost);
	tcase_add_test(t, pointer_to_the_inside_makes_possible);
	tcase_add_test(t, pointer_behind_the_end_keeps_nothing);
	tcase_add_test(t, pointer_to_the_start_wins_over_one_to_the_inside);
	tcase_add_test(t, what_only_possible_buffers_lead_to_is_possible);
	tcase_add_test(t, inside_pointer_from_a_lost_buffer_makes_indirect);
	tcase_add_test(t, buffer_of_no_bytes_is_held_by_its_address);
	tcase_add_test(
	    t, array_with_a_count_in_front_is_held_by_its_first_element);
	tcase_add_test(t, block_with_its_length_in_front_is_held_by_its_data);
	tcase_add_test(t, shared_string_is_held_by_its_characters);
	tcase_add_test(t, object_is_held_by_a_pointer_to_its_second_base);
	tcase_add_test(t, block_aligned_by_hand_is_held_by_its_aligned_part);
	tcase_add_test(
	    t, object_of_python_is_held_behind_the_collectors_header);
	tcase_add_test(t, attributes_of_python_are_held_behind_their_header);
	tcase_add_test(
	    t, struct_at_the_end_of_a_block_that_knows_its_front_holds_it);
	tcase_add_test(
	    t, array_of_aligned_elements_is_held_by_its_first_element);
	suite_add_tcase(s, t);
}

Suite *
test_find_leak_suite(void)
{
	Suite *s = suite_create("find_leak");
	TCase *t = tcase_create("results");

	add_roots(s);
	add_candidates(s);
	add_kinds(s);
	tcase_add_checked_fixture(t, setup, leaks_teardown);
	tcase_add_test(
	    t, groups_are_sorted_by_kind_and_bytes_and_the_oldest_stands);
	tcase_add_test(t, different_stacks_are_different_groups);
	tcase_add_loop_test(t, record_that_makes_no_sense_is_not_used, 0, 2);
	tcase_add_test(t, memory_that_cannot_be_read_is_counted);
	tcase_add_test(t, everything_is_the_same_when_memory_is_not_lent);
	tcase_add_test(t, releasing_nothing_is_harmless);
	suite_add_tcase(s, t);
	return s;
}
