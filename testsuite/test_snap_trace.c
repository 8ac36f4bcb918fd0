/* SPDX-License-Identifier: MIT */
/*
 * test_snap_trace.c - the memory of traces
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "snap_fixture.h"
#include "suites.h"

#define BLOCK 0x4000u /* that is read at once */
#define PIECES DRAW_GET(&drawn, drawn.root, umem_root_t, root_traces)

/* Stack number @seed, of @depth frames. */
static uint32_t
add(uint64_t seed, uint16_t depth)
{
	uint64_t stack[UMEM_MAX_DEPTH];
	unsigned i;

	for (i = 0; i < depth; i++)
		stack[i] = seed << 8 | i;
	return draw_trace(&drawn, stack, depth);
}

static void
expect(uint32_t number, uint64_t seed, uint32_t depth)
{
	const uint64_t *stack;
	uint32_t n, i;

	if (snap_trace(snap, number, &stack, &n) != UMDB_OK)
		ck_abort_msg("%s", drawn.tgt->err.msg);
	ck_assert_uint_eq(n, depth);
	for (i = 0; i < depth; i++)
		ck_assert_uint_eq(stack[i], seed << 8 | i);
}

static void
expect_not(uint32_t number, int code, taddr_t addr, const char *words)
{
	const uint64_t *stack;
	uint32_t depth = 1;

	ck_assert_int_eq(snap_trace(snap, number, &stack, &depth), code);
	ck_assert_uint_eq(depth, 0);
	ck_assert_ptr_nonnull(stack);
	ck_assert_uint_eq(drawn.tgt->err.addr, addr);
	if (strstr(drawn.tgt->err.msg, words) == NULL)
		ck_abort_msg("%s", drawn.tgt->err.msg);
}

/* Traces of more than two blocks; those behind a number. */
static void
fill(uint32_t *number, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		number[i] = add(i + 1, UMEM_MAX_DEPTH);
}

/* ----------------------------------------------------------------- healthy */

START_TEST(number_0_has_no_frames)
{
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_traces, 0);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_trace_end, 0);
	snap_expect_open();
	expect(0, 0, 0);
}
END_TEST

START_TEST(equal_stacks_are_one_trace)
{
	const uint32_t a = add(1, 3), b = add(1, 2), c = add(2, 3);

	ck_assert_uint_ne(a, b);
	ck_assert_uint_ne(a, c);
	ck_assert_uint_eq(add(1, 3), a);
	snap_expect_open();
	expect(a, 1, 3);
	expect(b, 1, 2);
	expect(c, 2, 3);
}
END_TEST

START_TEST(traces_lie_across_blocks)
{
	uint32_t number[80], i;

	fill(number, 80);
	ck_assert_uint_gt(
	    draw_trace_at(number[79]), DRAW_TRACES + 2 * (taddr_t)BLOCK);
	fake_lend(drawn.tgt, _i == 0);
	snap_expect_open();
	for (i = 80; i-- > 0;)
		expect(number[i], i + 1, UMEM_MAX_DEPTH);
}
END_TEST

START_TEST(memory_of_traces_is_read_once)
{
	const uint32_t a = add(1, 3), b = add(2, 3);
	uint64_t reads;

	snap_expect_open();
	expect(a, 1, 3);
	reads = fake_reads(drawn.tgt);
	expect(b, 2, 3);
	expect(a, 1, 3);
	ck_assert_uint_eq(fake_reads(drawn.tgt), reads);
}
END_TEST

START_TEST(only_what_is_used_is_read)
{
	const uint32_t a = add(1, 3);
	const taddr_t end = draw_trace_at(a) + UMEM_TRACE_WORDS(3) * 8;

	fake_break(drawn.tgt, end, DRAW_TRACES + UMEM_TRACE_BYTES - end);
	snap_expect_open();
	expect(a, 1, 3);
	fake_break(drawn.tgt, DRAW_TRACES, UMEM_TRACE_BYTES);
	expect(a, 1, 3);
}
END_TEST

START_TEST(second_piece_is_found)
{
	const uint32_t number = UMEM_TRACE_BYTES / 8;
	const taddr_t at = draw_meta(&drawn, UMEM_TRACE_BYTES);

	fake_put64(drawn.tgt, PIECES + 8, at);
	DRAW_SET(&drawn, at, umem_trace_t, tr_depth, 2);
	fake_put64(drawn.tgt, at + UMEM_TRACE_STACK, 0x700);
	fake_put64(drawn.tgt, at + UMEM_TRACE_STACK + 8, 0x701);
	DRAW_SET(&drawn, drawn.root, umem_root_t, root_trace_end, number + 3);
	snap_expect_open();
	expect(number, 7, 2);
}
END_TEST

/* ----------------------------------------------------------------- damaged */

START_TEST(number_at_the_end_is_none)
{
	const uint32_t a = add(1, 3);

	snap_expect_open();
	expect_not(a + UMEM_TRACE_WORDS(3), UMDB_ECORRUPT, PIECES,
	    "there is no trace ");
	expect_not(UINT32_MAX, UMDB_ECORRUPT, PIECES,
	    "there is no trace 4294967295, they end at ");
	expect(a, 1, 3);
}
END_TEST

START_TEST(end_that_cannot_be_is_cut)
{
	const uint32_t a = add(1, 3);

	DRAW_SET(&drawn, drawn.root, umem_root_t, root_trace_end,
	    _i == 0 ? UINT64_MAX : (uint64_t)1 << 61);
	snap_expect_open();
	expect(a, 1, 3);
	expect_not(UINT32_MAX, UMDB_ECORRUPT, PIECES, "they end at 536870912");
	expect_not((1u << UMEM_TRACE_BITS) - 1, UMDB_ECORRUPT,
	    PIECES + (UMEM_TRACE_PIECES - 1) * 8, "piece 4095 of ");
}
END_TEST

START_TEST(depth_that_cannot_be_is_damage)
{
	static const uint16_t bad[] = {60000, UMEM_MAX_DEPTH + 1, UINT16_MAX};
	const uint32_t a = add(1, 3);
	char words[32];
	size_t i;

	DRAW_SET(&drawn, drawn.root, umem_root_t, root_trace_end, 100000);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		DRAW_SET(
		    &drawn, draw_trace_at(a), umem_trace_t, tr_depth, bad[i]);
		snap_expect_open();
		snprintf(words, sizeof(words), "a stack of %u frames", bad[i]);
		expect_not(a, UMDB_ECORRUPT, draw_trace_at(a), words);
		snap_close(snap);
		snap = NULL;
	}
}
END_TEST

START_TEST(trace_that_runs_past_the_end_is_damage)
{
	const uint32_t a = add(1, 3);

	DRAW_SET(&drawn, draw_trace_at(a), umem_trace_t, tr_depth, 4);
	snap_expect_open();
	expect_not(a, UMDB_ECORRUPT, draw_trace_at(a), "a stack of 4 frames");
}
END_TEST

START_TEST(trace_that_runs_past_its_piece_is_damage)
{
	const uint32_t last = UMEM_TRACE_BYTES / 8 - 3;
	const uint64_t *stack;
	uint32_t depth;

	DRAW_SET(&drawn, drawn.root, umem_root_t, root_trace_end, last + 100);
	DRAW_SET(&drawn, draw_trace_at(last), umem_trace_t, tr_depth, 3);
	snap_expect_open();
	expect_not(
	    last, UMDB_ECORRUPT, draw_trace_at(last), "a stack of 3 frames");
	snap_close(snap);
	DRAW_SET(&drawn, draw_trace_at(last), umem_trace_t, tr_depth, 2);
	snap_expect_open();
	ck_assert_int_eq(snap_trace(snap, last, &stack, &depth), UMDB_OK);
	ck_assert_uint_eq(depth, 2);
}
END_TEST

START_TEST(missing_piece_is_damage)
{
	const uint32_t a = add(1, 3);
	const taddr_t pieces = PIECES;

	fake_put64(drawn.tgt, pieces, 0);
	snap_expect_open();
	expect_not(a, UMDB_ECORRUPT, pieces,
	    "piece 0 of the memory of traces is missing");
}
END_TEST

START_TEST(unreadable_memory_is_said)
{
	const uint32_t a = add(1, 3);
	const taddr_t pieces = PIECES;

	switch (_i) {
	case 0:
		fake_put64(drawn.tgt, pieces, 0xdead0000);
		snap_expect_open();
		expect_not(a, UMDB_EFAULT, 0xdead0000 + 8 * a,
		    "cannot read trace at 0x");
		break;
	case 1:
		fake_break(drawn.tgt, DRAW_TRACES, UMEM_TRACE_BYTES);
		snap_expect_open();
		expect_not(a, UMDB_EFAULT, draw_trace_at(a),
		    "cannot read trace at 0x");
		break;
	default:
		fake_break(drawn.tgt, pieces, 8);
		snap_expect_open();
		expect_not(a, UMDB_EFAULT, pieces,
		    "cannot read pieces of traces at 0x");
		break;
	}
}
END_TEST

START_TEST(record_without_its_trace_is_read)
{
	const taddr_t cache = draw_cache_addr(&drawn, "umem_alloc_48");
	const taddr_t slab =
	    DRAW_GET(&drawn, cache, umem_cache_t, cache_partial);
	struct snap_bufctl b;

	fake_break(drawn.tgt, DRAW_TRACES, UMEM_TRACE_BYTES);
	snap_expect_open();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    snap_read_bufctl(snap,
			DRAW_GET(&drawn, slab, umem_slab_t, slab_bufctl), &b),
		    UMDB_OK);
		ck_assert_uint_eq(b.bc.bc_size, 40);
		ck_assert_uint_eq(b.depth, 0);
	}
	ck_assert_uint_eq(snap->ndamage, 1); /* said once */
	ck_assert_ptr_nonnull(strstr(snap->damage[0].msg, "show no stack"));
}
END_TEST

START_TEST(missing_page_hides_no_trace_beside_it)
{
	uint32_t number[80], i, missing = 0;
	const taddr_t page = DRAW_TRACES + 0x5000;
	const uint64_t *stack;
	uint32_t depth;
	taddr_t at, end;

	fill(number, 80);
	fake_break(drawn.tgt, page, 0x1000);
	fake_lend(drawn.tgt, _i == 0);
	snap_expect_open();
	for (i = 0; i < 80; i++) {
		at = draw_trace_at(number[i]);
		end = at + UMEM_TRACE_WORDS(UMEM_MAX_DEPTH) * 8;
		if (end <= page || at >= page + 0x1000) {
			expect(number[i], i + 1, UMEM_MAX_DEPTH);
			continue;
		}
		missing++;
		ck_assert_int_eq(
		    snap_trace(snap, number[i], &stack, &depth), UMDB_EFAULT);
		ck_assert_uint_eq(depth, 0);
	}
	ck_assert_uint_ge(missing, 2);
}
END_TEST

START_TEST(random_damage_does_no_harm)
{
	unsigned seed = 815 + (unsigned)_i, round, k;
	uint32_t number[40], i, depth;
	const uint64_t *stack;
	taddr_t at;

	fill(number, 40);
	for (round = 0; round < 40; round++) {
		for (k = 0; k <= round; k++) {
			seed = seed * 1103515245 + 12345;
			at = draw_trace_at(number[(seed >> 8) % 40]) +
			     (seed >> 16) % sizeof(umem_trace_t);
			*(unsigned char *)fake_at(drawn.tgt, at, 1) =
			    (unsigned char)(seed >> 20);
		}
		snap_expect_open();
		for (i = 0; i < 40; i++)
			if (snap_trace(snap, number[i], &stack, &depth) ==
			    UMDB_OK)
				ck_assert_uint_le(depth, UMEM_MAX_DEPTH);
		snap_close(snap);
		snap = NULL;
	}
}
END_TEST

Suite *
test_snap_trace_suite(void)
{
	Suite *s = suite_create("snap trace");
	TCase *tc = tcase_create("healthy");

	tcase_add_checked_fixture(tc, snap_setup, snap_teardown);
	tcase_add_test(tc, number_0_has_no_frames);
	tcase_add_test(tc, equal_stacks_are_one_trace);
	tcase_add_loop_test(tc, traces_lie_across_blocks, 0, 2);
	tcase_add_test(tc, memory_of_traces_is_read_once);
	tcase_add_test(tc, only_what_is_used_is_read);
	tcase_add_test(tc, second_piece_is_found);
	suite_add_tcase(s, tc);

	tc = tcase_create("damaged");
	tcase_add_checked_fixture(tc, snap_setup, snap_teardown);
	tcase_add_test(tc, number_at_the_end_is_none);
	tcase_add_loop_test(tc, end_that_cannot_be_is_cut, 0, 2);
	tcase_add_test(tc, depth_that_cannot_be_is_damage);
	tcase_add_test(tc, trace_that_runs_past_the_end_is_damage);
	tcase_add_test(tc, trace_that_runs_past_its_piece_is_damage);
	tcase_add_test(tc, missing_piece_is_damage);
	tcase_add_loop_test(tc, unreadable_memory_is_said, 0, 3);
	tcase_add_test(tc, record_without_its_trace_is_read);
	tcase_add_loop_test(tc, missing_page_hides_no_trace_beside_it, 0, 2);
	tcase_add_loop_test(tc, random_damage_does_no_harm, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
