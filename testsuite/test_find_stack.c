/* SPDX-License-Identifier: MIT */
/*
 * test_find_stack.c - which parts of stacks count
 *
 * Draws threads as glibc lays them out (a guard, the stack, the control block
 * at its top) and as others do, puts a pointer to a buffer of its own into
 * each part, and states which buffers are lost.
 */
#include <check.h>
#include <string.h>

#include "find.h"
#include "snap_fixture.h"
#include "suites.h"

#define STACK 0x7fffb0001000u /* a thread's; its guard is the page below */
#define SIZE 0x20000u
#define TCB (STACK + SIZE - 0x940)
#define SP (STACK + 0x10000)
#define BLOCK_WORD 210u /* of stackblock in the control block */
#define TID_OFFSET 0x2d0u

static taddr_t slab;
static uint32_t next;

static void
setup(void)
{
	draw_open(&drawn);
	slab = draw_slab(
	    &drawn, draw_cache(&drawn, "umem_alloc_64", 64, UMF_MALLOC, 1), 60);
	next = 0;
}

/* A buffer to which nothing but the word at @at points. */
static taddr_t
held_at(taddr_t at)
{
	taddr_t buf = draw_alloc(&drawn, slab, next++, 64);

	fake_put64(drawn.tgt, at, buf);
	return buf;
}

/* A control block as glibc has it. */
static void
draw_tcb(
    taddr_t tcb, uint32_t tid, taddr_t block, uint64_t size, uint64_t guard)
{
	fake_put64(drawn.tgt, tcb, tcb);
	fake_put64(drawn.tgt, tcb + 16, tcb);
	fake_put(drawn.tgt, tcb + TID_OFFSET, &tid, sizeof(tid));
	fake_put64(drawn.tgt, tcb + BLOCK_WORD * 8, block);
	fake_put64(drawn.tgt, tcb + BLOCK_WORD * 8 + 8, size);
	fake_put64(drawn.tgt, tcb + BLOCK_WORD * 8 + 16, guard);
}

/* Map the stack with its guard; @above: bytes joined to it from above. */
static void
draw_stack_map(uint64_t above)
{
	fake_add(drawn.tgt, STACK - 0x1000, 0x1000, "", FAKE_NOT_DUMPED);
	fake_add(drawn.tgt, STACK, SIZE + above, "", FAKE_READ | FAKE_WRITE);
}

static void
draw_thread(uint32_t tid)
{
	draw_tcb(TCB, tid, STACK - 0x1000, SIZE + 0x1000, 0x1000);
	fake_thread(drawn.tgt, tid, SP, DRAW_TEXT, TCB);
}

START_TEST(thread_of_glibc_counts_from_sp_up)
{
	taddr_t dead, low, zone, live, tls;

	draw_stack_map(0);
	draw_thread(1002);
	low = held_at(STACK);
	dead = held_at(SP - 136);
	zone = held_at(SP - 128);
	live = held_at(SP + 8);
	tls = held_at(TCB - 16);
	leaks_expect();
	ck_assert(leaks_lost(low));
	ck_assert(leaks_lost(dead));
	ck_assert(!leaks_lost(zone));
	ck_assert(!leaks_lost(live));
	ck_assert(!leaks_lost(tls));
}
END_TEST

START_TEST(memory_joined_to_a_stack_from_above_counts)
{
	taddr_t dead, above;

	draw_stack_map(0x4000);
	draw_thread(1002);
	dead = held_at(SP - 1024);
	above = held_at(STACK + SIZE + 0x3ff8);
	leaks_expect();
	ck_assert(leaks_lost(dead));
	ck_assert(!leaks_lost(above));
}
END_TEST

START_TEST(memory_joined_to_a_stack_without_guard_from_below_counts)
{
	taddr_t dead, below;

	fake_add(drawn.tgt, STACK - 0x4000, SIZE + 0x4000, "",
	    FAKE_READ | FAKE_WRITE);
	draw_tcb(TCB, 1002, STACK, SIZE, 0);
	fake_thread(drawn.tgt, 1002, SP, DRAW_TEXT, TCB);
	dead = held_at(STACK);
	below = held_at(STACK - 8);
	leaks_expect();
	ck_assert(leaks_lost(dead));
	ck_assert(!leaks_lost(below));
}
END_TEST

START_TEST(thread_of_another_libc_needs_a_guard_page)
{
	taddr_t dead, live;

	draw_stack_map(0);
	fake_thread(drawn.tgt, 1002, SP, DRAW_TEXT, TCB);
	dead = held_at(SP - 1024);
	live = held_at(SP + 1024);
	leaks_expect();
	ck_assert(leaks_lost(dead));
	ck_assert(!leaks_lost(live));
}
END_TEST

START_TEST(unknown_stack_counts_as_a_whole)
{
	taddr_t low, live;

	fake_add(drawn.tgt, STACK, SIZE, "", FAKE_READ | FAKE_WRITE);
	drawn.tgt->thread[0].reg[TARGET_RSP] = SP;
	low = held_at(STACK + 8);
	live = held_at(SP + 8);
	leaks_expect();
	ck_assert(!leaks_lost(low));
	ck_assert(!leaks_lost(live));
}
END_TEST

START_TEST(stack_that_its_thread_has_left_counts_as_a_whole)
{
	taddr_t low, main_low;

	draw_stack_map(0);
	draw_thread(1002);
	drawn.tgt->thread[1].reg[TARGET_RSP] = DRAW_STACK + 0x8000;
	low = held_at(STACK + 8);
	/* two threads on the first stack: dead is what is below both */
	main_low = held_at(DRAW_STACK + 0x9000);
	leaks_expect();
	ck_assert(!leaks_lost(low));
	ck_assert(!leaks_lost(main_low));
}
END_TEST

START_TEST(thread_without_registers_counts_as_a_whole)
{
	taddr_t low, ended;

	draw_stack_map(0);
	draw_thread(1002);
	drawn.tgt->thread[1].have_regs = false;
	low = held_at(STACK + 8);
	ended = held_at(SP - 1024);
	leaks_expect();
	ck_assert(!leaks_lost(low));
	ck_assert(!leaks_lost(ended));
}
END_TEST

/* The first thread's control block, so that the id's place is learnt. */
static void
draw_first_tcb(void)
{
	const taddr_t at = DRAW_APP_DATA + 0x4000;

	draw_tcb(at, 1001, 0, 0, 0);
	drawn.tgt->thread[0].reg[TARGET_FSBASE] = at;
}

START_TEST(stack_kept_from_an_ended_thread_is_dead)
{
	taddr_t stale, result, above;

	draw_first_tcb();
	draw_stack_map(0);
	draw_tcb(TCB, 0, STACK - 0x1000, SIZE + 0x1000, 0x1000);
	stale = held_at(SP);
	result = held_at(TCB + 0x600);
	above = held_at(DRAW_APP_DATA);
	leaks_expect();
	ck_assert(leaks_lost(stale));
	ck_assert(!leaks_lost(result));
	ck_assert(!leaks_lost(above));
}
END_TEST

START_TEST(stack_kept_from_a_joined_thread_is_dead)
{
	taddr_t stale;

	draw_first_tcb();
	draw_stack_map(0x4000);
	draw_tcb(TCB, UINT32_MAX, STACK - 0x1000, SIZE + 0x1000, 0x1000);
	/* linked on a ring with the first thread's */
	fake_put64(drawn.tgt, TCB + 0x2c0, DRAW_APP_DATA + 0x42c0);
	fake_put64(drawn.tgt, TCB + 0x2c8, DRAW_APP_DATA + 0x42c0);
	fake_put64(drawn.tgt, DRAW_APP_DATA + 0x42c0, TCB + 0x2c0);
	fake_put64(drawn.tgt, DRAW_APP_DATA + 0x42c8, TCB + 0x2c0);
	stale = held_at(SP);
	leaks_expect();
	ck_assert(leaks_lost(stale));
}
END_TEST

START_TEST(stack_of_a_thread_that_is_being_made_counts)
{
	taddr_t arg;

	draw_first_tcb();
	draw_stack_map(0);
	draw_tcb(TCB, 1077, STACK - 0x1000, SIZE + 0x1000, 0x1000);
	arg = held_at(SP);
	leaks_expect();
	ck_assert(!leaks_lost(arg));
}
END_TEST

START_TEST(control_block_holds_the_tls_table_by_its_second_entry)
{
	taddr_t dtv;

	draw_stack_map(0);
	draw_thread(1002);
	dtv = held_at(TCB + 8);
	fake_put64(drawn.tgt, TCB + 8, dtv + 16);
	leaks_expect();
	ck_assert(!leaks_lost(dtv));
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

START_TEST(stack_in_a_buffer_counts_from_sp_up_and_at_its_head)
{
	taddr_t buf = draw_buf(&drawn, draw_large(&drawn, 0x10000), 0);
	taddr_t head, dead, live;

	drawn.tgt->thread[0].reg[TARGET_RSP] = buf + 0x8000;
	head = held_at(buf + 8);
	dead = held_at(buf + 0x7000);
	live = held_at(buf + 0x8000);
	leaks_expect();
	ck_assert(!leaks_lost(buf)); /* by SP itself: it is a register */
	ck_assert(!leaks_lost(head));
	ck_assert(leaks_lost(dead));
	ck_assert(!leaks_lost(live));
}
END_TEST

START_TEST(stack_in_a_buffer_that_nobody_runs_on_counts_as_a_whole)
{
	taddr_t buf = draw_buf(&drawn, draw_large(&drawn, 0x10000), 0), any;

	fake_put64(drawn.tgt, DRAW_APP_DATA, buf);
	any = held_at(buf + 0x7000);
	leaks_expect();
	ck_assert(!leaks_lost(any));
}
END_TEST

START_TEST(damaged_control_block_makes_nothing_dead)
{
	taddr_t low;

	draw_stack_map(0);
	draw_tcb(TCB, 1002, STACK - 0x1000, UINT64_MAX, 0x1000);
	fake_thread(drawn.tgt, 1002, SP, DRAW_TEXT, TCB);
	low = held_at(STACK + 8);
	leaks_expect();
	ck_assert(!leaks_lost(low));
}
END_TEST

/* Words of a control block before its stack's that look like one. */
START_TEST(chance_words_of_a_control_block_are_no_stack)
{
	taddr_t data, live, dead;

	draw_stack_map(0);
	draw_thread(1002);
	fake_put64(drawn.tgt, TCB + 20 * 8, 1);
	fake_put64(drawn.tgt, TCB + 21 * 8, TCB + 0x500);
	fake_put64(drawn.tgt, TCB + 22 * 8, 0);
	fake_put64(drawn.tgt, TCB + 30 * 8, DRAW_APP_DATA);
	fake_put64(drawn.tgt, TCB + 31 * 8, TCB + 0x500 - DRAW_APP_DATA);
	fake_put64(drawn.tgt, TCB + 32 * 8, 0);
	data = held_at(DRAW_APP_DATA + 0x1000);
	live = held_at(SP);
	dead = held_at(SP - 1024);
	leaks_expect();
	ck_assert(!leaks_lost(data));
	ck_assert(!leaks_lost(live));
	ck_assert(leaks_lost(dead));
}
END_TEST

Suite *
test_find_stack_suite(void)
{
	Suite *s = suite_create("find_stack");
	TCase *t = tcase_create("stacks");

	tcase_add_checked_fixture(t, setup, leaks_teardown);
	tcase_add_test(t, thread_of_glibc_counts_from_sp_up);
	tcase_add_test(t, memory_joined_to_a_stack_from_above_counts);
	tcase_add_test(
	    t, memory_joined_to_a_stack_without_guard_from_below_counts);
	tcase_add_test(t, thread_of_another_libc_needs_a_guard_page);
	tcase_add_test(t, unknown_stack_counts_as_a_whole);
	tcase_add_test(t, stack_that_its_thread_has_left_counts_as_a_whole);
	tcase_add_test(t, thread_without_registers_counts_as_a_whole);
	tcase_add_test(t, stack_kept_from_an_ended_thread_is_dead);
	tcase_add_test(t, stack_kept_from_a_joined_thread_is_dead);
	tcase_add_test(t, stack_of_a_thread_that_is_being_made_counts);
	tcase_add_test(
	    t, control_block_holds_the_tls_table_by_its_second_entry);
	tcase_add_test(t, stack_in_a_buffer_counts_from_sp_up_and_at_its_head);
	tcase_add_test(
	    t, stack_in_a_buffer_that_nobody_runs_on_counts_as_a_whole);
	tcase_add_test(t, damaged_control_block_makes_nothing_dead);
	tcase_add_test(t, chance_words_of_a_control_block_are_no_stack);
	suite_add_tcase(s, t);
	return s;
}
