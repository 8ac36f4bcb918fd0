/* SPDX-License-Identifier: MIT */
/*
 * test_find_root.c - roots that stand in no mapping of their own: vector
 * registers, jump buffers, alternate signal stacks, stacks left for coroutines,
 * objects that are still constructed
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "find_mark.h"
#include "snap_fixture.h"
#include "suites.h"

#define PER_SLAB 60u
#define ALT 0x7fffc0000000u /* a mapping with an alternate signal stack */
#define ALT_SIZE 0x10000u

static taddr_t cache, slab;
static uint32_t taken;

static void
setup(void)
{
	draw_open(&drawn);
	cache = draw_cache(&drawn, "umem_alloc_64", 64, UMF_MALLOC, 1);
	slab = draw_slab(&drawn, cache, PER_SLAB);
	taken = 0;
}

static taddr_t
take(void)
{
	return draw_alloc(&drawn, slab, taken++, 64);
}

static void
put(taddr_t at, taddr_t value)
{
	fake_put64(drawn.tgt, at, value);
}

/* --------------------------------------------------------------- registers */

START_TEST(every_word_of_a_vector_register_keeps)
{
	struct target_thread *t = &drawn.tgt->thread[0];
	taddr_t a = take(), b = take(), c = take();

	t->vector[0] = a;
	t->vector[TARGET_NVECTOR - 1] = b;
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert(leaks_lost(c));
}
END_TEST

START_TEST(vector_registers_keep_nothing_in_a_system_call)
{
	static const uint8_t syscall[] = {0x0f, 0x05};
	struct target_thread *t = &drawn.tgt->thread[0];
	taddr_t a = take(), b = take();

	memcpy(fake_at(drawn.tgt, DRAW_STACK, 2), syscall, sizeof(syscall));
	t->reg[TARGET_RIP] = DRAW_STACK + sizeof(syscall);
	t->vector[5] = a;
	t->reg[3] = b;
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert(leaks_lost(a));
}
END_TEST

/* ------------------------------------------------------------ jump buffers */

#define SECRET 0x1234567890abcdefu

/* A jmp_buf of glibc on the first thread's stack, and what unmangles it. */
static void
draw_jump(taddr_t at, taddr_t rbp, taddr_t sp, taddr_t pc, uint64_t flag)
{
	const taddr_t tcb = 0x7ffff79ff740;
	const uint64_t word[3] = {rbp ^ SECRET, sp ^ SECRET, pc ^ SECRET};
	static const unsigned where[3] = {1, 6, 7};
	unsigned i;

	if (target_region_at(drawn.tgt, tcb) == NULL)
		fake_add(drawn.tgt, tcb & ~(taddr_t)0xfff, 0x1000, "",
		    FAKE_READ | FAKE_WRITE);
	put(tcb, tcb);
	put(tcb + 16, tcb);
	put(tcb + 0x30, SECRET);
	for (i = 0; i < 3; i++)
		put(at + where[i] * 8, word[i] << 17 | word[i] >> 47);
	put(at + 64, flag);
}

static bool
is_dead(taddr_t addr)
{
	struct roots roots;
	bool dead = false;
	size_t i;

	ck_assert_int_eq(find_roots(snap, &roots), UMDB_OK);
	for (i = 0; i < roots.dead.n; i++)
		dead = dead || (roots.dead.r[i].start <= addr &&
				   addr + 8 <= roots.dead.r[i].end);
	find_roots_free(&roots);
	return dead;
}

START_TEST(frame_pointer_of_a_jump_buffer_keeps)
{
	taddr_t kept = take(), gone = take(), at = DRAW_SP + 64;

	draw_jump(at, kept, DRAW_SP + 32, DRAW_TEXT + 16, 0x7fff00000000);
	leaks_expect();
	ck_assert(!leaks_lost(kept));
	ck_assert(leaks_lost(gone));
	/* half of this word is padding */
	ck_assert(is_dead(at + 64));
	ck_assert(!is_dead(at + 56));
	ck_assert(!is_dead(at + 72));
}
END_TEST

START_TEST(what_is_no_jump_buffer_changes_nothing)
{
	taddr_t a = take(), b = take();
	const taddr_t at = DRAW_SP + 64, other = DRAW_SP + 256;

	/* PC is not in code; a word that is more than a flag */
	draw_jump(at, a, DRAW_SP + 32, DRAW_APP_DATA, 0);
	draw_jump(other, 0, DRAW_SP + 32, DRAW_TEXT, b);
	leaks_expect();
	ck_assert(leaks_lost(a));
	ck_assert(!leaks_lost(b));
	ck_assert(!is_dead(at + 64));
	ck_assert(!is_dead(other + 64));
}
END_TEST

/* ------------------------------------------------------------------ stacks */

/* The kernel's frame at @at of the alternate stack; *uc: words of ucontext. */
static void
draw_frame(taddr_t at, taddr_t interrupted)
{
	put(at + 16, ALT);
	put(at + 32, ALT_SIZE);
	put(at + 20 * 8, interrupted);
	put(at + 22 * 8, 0x246);
	put(at + 23 * 8, 0x2b000000000033);
	put(at + 28 * 8, (at + 29 * 8 + 64) & ~(taddr_t)63);
}

static void
draw_alt(void)
{
	fake_add(drawn.tgt, ALT, ALT_SIZE, "", FAKE_READ | FAKE_WRITE);
	drawn.tgt->thread[0].reg[TARGET_RSP] = ALT + 0x8000;
}

START_TEST(handler_on_an_alternate_stack_has_two_live_stacks)
{
	taddr_t a = take(), b = take(), c = take(), e = take();

	draw_alt();
	draw_frame(ALT + 0xf000, DRAW_SP);
	put(ALT + 0x8000, a);
	put(ALT + 0x7f00, b);
	put(DRAW_SP, c);
	put(DRAW_SP - 136, e);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 2);
	ck_assert(leaks_lost(b));
	ck_assert(leaks_lost(e));
}
END_TEST

START_TEST(handler_that_interrupted_a_handler_keeps_the_outer_frame)
{
	taddr_t a = take(), b = take();

	draw_alt();
	draw_frame(ALT + 0x9000, ALT + 0xa000);
	draw_frame(ALT + 0xf000, DRAW_SP);
	put(DRAW_SP, a);
	put(DRAW_SP - 136, b);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 1);
	ck_assert(leaks_lost(b));
}
END_TEST

START_TEST(what_only_resembles_a_frame_cuts_nothing)
{
	taddr_t a = take(), b = take();

	draw_alt();
	draw_frame(ALT + 0xf000, DRAW_SP);
	switch (_i) {
	case 0: /* the stack is another */
		put(ALT + 0xf000 + 16, ALT + 0x8008);
		break;
	case 1: /* no flags look so */
		put(ALT + 0xf000 + 22 * 8, 0x244);
		break;
	case 2: /* nor this code segment */
		put(ALT + 0xf000 + 23 * 8, 0x10);
		break;
	default: /* it never left the stack */
		put(ALT + 0xf000 + 20 * 8, ALT + 0x9000);
		break;
	}
	put(ALT + 0x7f00, a);
	put(DRAW_SP - 136, b);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

/* As random(3) has it after initstate(3) with a buffer of 64 bytes. */
START_TEST(buffer_of_initstate_is_held_by_its_second_int)
{
	const taddr_t at = DRAW_APP_DATA + 0x4000, buf = take();
	const taddr_t state = buf + 4;

	put(at, state + 8);
	put(at + 8, state);
	put(at + 16, state);
	put(at + 24, (uint64_t)15 << 32 | 2);
	put(at + 32, 1);
	put(at + 40, state + 60);
	switch (_i) {
	case 1: /* a polynomial of another degree */
		put(at + 24, (uint64_t)31 << 32 | 2);
		break;
	case 2: /* of another separation */
		put(at + 32, 3);
		break;
	case 3: /* of no type */
		put(at + 24, (uint64_t)15 << 32 | 5);
		break;
	case 4: /* another end */
		put(at + 40, state + 64);
		break;
	case 5: /* a pointer that has left it */
		put(at, state + 60);
		break;
	case 6: /* a simple generator has one int */
		put(at + 24, 0);
		put(at + 32, 0);
		put(at + 40, state);
		break;
	}
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, _i == 0 || _i == 6 ? 0 : 1);
}
END_TEST

/* A coroutine in the midst of a mapping, and its ucontext_t at @at. */
static void
draw_context(taddr_t at, taddr_t fpregs)
{
	put(at + 16, ALT + 0x4000);
	put(at + 32, 0x6000);
	put(at + 20 * 8, ALT + 0x9f00);
	put(at + 21 * 8, DRAW_TEXT + 0x700);
	put(at + 28 * 8, fpregs);
}

START_TEST(coroutine_keeps_what_lies_above_its_sp)
{
	const taddr_t context = DRAW_APP_DATA + 0x4000;
	taddr_t a = take(), b = take(), c = take();

	draw_alt();
	draw_context(context, context + (_i == 0 ? 424 : 432));
	put(ALT + 0x8000, a);
	put(ALT + 0x7f00, b);
	put(ALT + 0x3ff8, c);
	leaks_expect();
	ck_assert_uint_eq(leaks->nleak, _i == 0 ? 1 : 0);
	if (_i == 0)
		ck_assert(leaks_lost(b));
	/* a thread's SP says how far it is used */
	ck_assert_uint_eq(leaks->stats.whole_stacks, 0);
}
END_TEST

/* What makecontext(3) puts at the top of that: a function of its own. */
static void
draw_top(taddr_t stack_end)
{
	put(stack_end - 24, DRAW_TEXT + 0x800);
	put(stack_end - 16, 0);
}

static void
draw_call_before(taddr_t pc)
{
	static const uint8_t call[] = {0xe8, 1, 2, 3, 4};

	fake_put(drawn.tgt, pc - sizeof(call), call, sizeof(call));
}

/* A stack of which nothing says how far it is used is counted, but once. */
START_TEST(stacks_of_coroutines_that_count_whole_are_told)
{
	const taddr_t at = DRAW_APP_DATA + 0x4000, pc = DRAW_TEXT + 0x100;
	const taddr_t a = take(), freed = take();

	fake_add(drawn.tgt, ALT, ALT_SIZE, "", FAKE_READ | FAKE_WRITE);
	draw_context(at, at + 424);
	draw_context(at + 0x800, at + 0x800 + 424);
	put(at + 21 * 8, pc);
	put(at + 0x800 + 21 * 8, pc);
	put(ALT + 0x4100, a);
	draw_top(ALT + 0xa000);
	switch (_i) {
	case 1: /* as swapcontext left it */
		put(ALT + 0x9ef8, pc);
		break;
	case 4: /* one of two was left so */
		put(ALT + 0x9ef8, pc);
		put(at + 0x800 + 21 * 8, pc + 8);
		break;
	case 5: /* the coroutine is over */
		put(ALT + 0x9ef8, pc);
		draw_call_before(DRAW_TEXT + 0x800);
		break;
	case 6: /* what was its stack has other things at the top */
		put(ALT + 0x9ef8, pc);
		put(ALT + 0xa000 - 24, 1);
		break;
	case 2: /* a thread runs there */
		drawn.tgt->thread[0].reg[TARGET_RSP] = ALT + 0x9000;
		break;
	case 3: /* unmapped, and freed */
		put(at + 16, DRAW_HEAP - 0x100000);
		put(at + 20 * 8, DRAW_HEAP - 0x100000 + 0x5f00);
		put(at + 0x800 + 16, freed);
		put(at + 0x800 + 20 * 8, freed + 0x5f00);
		draw_free(&drawn, slab, taken - 1);
		break;
	case 7: /* no contexts: nothing can run there */
		put(at + 21 * 8, ALT + 0x5000);
		put(at + 0x800 + 21 * 8, ALT + 0x5000);
		break;
	}
	leaks_expect();
	ck_assert_uint_eq(
	    leaks->stats.whole_stacks, _i == 0 || (_i >= 4 && _i != 7));
	ck_assert(leaks_lost(a) == (_i == 1 || _i == 2));
}
END_TEST

/* What swapcontext(@at, @to) leaves of a caller on a thread's own stack. */
static void
draw_swapped(taddr_t at, taddr_t to, taddr_t sp, taddr_t pc)
{
	put(at + 13 * 8, at);
	put(at + 14 * 8, to);
	put(at + 20 * 8, sp);
	put(at + 21 * 8, pc);
	put(at + 28 * 8, at + 424);
	put(sp - 8, pc);
	draw_call_before(pc);
}

START_TEST(stack_left_for_a_coroutine_counts_from_the_saved_sp_up)
{
	const taddr_t home = DRAW_APP_DATA + 0x2000, sp = DRAW_STACK + 0x8000;
	const taddr_t context = DRAW_APP_DATA + 0x4000, pc = DRAW_TEXT + 0x100;
	const taddr_t live = take(), dead = take(), low = take();
	const bool cut = _i < 3;

	draw_alt();
	draw_context(context, context + 424);
	draw_swapped(home, context, sp, pc);
	put(sp, live);
	put(sp - 16, dead);
	put(DRAW_STACK, low);
	switch (_i) {
	case 1: /* a call through a pointer in a table */
		fake_put(drawn.tgt, pc - 5, "\x90\x90\xff\x50\x08", 5);
		break;
	case 2: /* somebody has saved a lower one */
		put(home + 0x800 + 20 * 8, sp - 0x1000);
		put(home + 0x800 + 21 * 8, DRAW_TEXT + 0x700);
		put(home + 0x800 + 28 * 8, home + 0x800 + 424);
		break;
	case 3: /* the context was moved */
		put(home + 13 * 8, context);
		break;
	case 4: /* it was left for something else */
		put(home + 14 * 8, context + 8);
		break;
	case 5: /* other calls have been there */
		put(sp - 8, pc + 16);
		break;
	case 6: /* no call ends there */
		fake_put(drawn.tgt, pc - 5, "\x90\x90\xff\x60\x08", 5);
		break;
	case 7: /* what it was left for does not run */
		drawn.tgt->thread[0].reg[TARGET_RSP] = ALT + 0xf000;
		break;
	case 8: /* the thread is back, further down */
		drawn.tgt->thread[0].reg[TARGET_RSP] = sp - 0x2000;
		put(DRAW_STACK, 0);
		put(sp - 0x1000, low);
		break;
	}
	leaks_expect();
	ck_assert(!leaks_lost(live));
	ck_assert(leaks_lost(dead) == (cut && _i != 2));
	ck_assert(leaks_lost(low) == cut);
}
END_TEST

START_TEST(stack_left_by_way_of_another_coroutine_counts_from_the_saved_sp_up)
{
	const taddr_t home = DRAW_APP_DATA + 0x2000, sp = DRAW_STACK + 0x8000;
	const taddr_t context = DRAW_APP_DATA + 0x4000, pc = DRAW_TEXT + 0x100;
	const taddr_t outer = DRAW_APP_DATA + 0x6000;
	const taddr_t back = DRAW_APP_DATA + 0x8000;
	const taddr_t dead = take(), outer_dead = take(), outer_live = take();

	draw_alt();
	draw_context(context, context + 424);
	put(outer + 16, ALT);
	put(outer + 32, 0x4000);
	put(outer + 20 * 8, ALT + 0x3ff0);
	put(outer + 21 * 8, DRAW_TEXT + 0x700);
	put(outer + 28 * 8, outer + 424);
	draw_top(ALT + 0x4000);
	draw_swapped(home, outer, sp, pc);
	draw_swapped(back, context, ALT + 0x2000, pc + 32);
	if (_i == 1) /* that one was left for home */
		put(back + 14 * 8, home);
	put(sp - 16, dead);
	put(ALT + 0x1ff0, outer_dead);
	put(ALT + 0x2000, outer_live);
	leaks_expect();
	ck_assert(!leaks_lost(outer_live));
	ck_assert(leaks_lost(dead) == (_i == 0));
	ck_assert(leaks_lost(outer_dead) == (_i == 0));
}
END_TEST

START_TEST(what_lies_below_a_coroutine_on_a_part_of_a_stack_counts)
{
	const taddr_t context = DRAW_APP_DATA + 0x4000;
	const taddr_t lo = DRAW_STACK + 0x10000;
	const taddr_t below = take(), dead = take();

	put(context + 16, lo);
	put(context + 32, 0x8000);
	put(context + 20 * 8, lo + 0x7ff0);
	put(context + 21 * 8, DRAW_TEXT + 0x700);
	put(context + 28 * 8, context + 424);
	drawn.tgt->thread[0].reg[TARGET_RSP] = lo + 0x4000;
	put(lo - 8, below);
	put(lo + 8, dead);
	leaks_expect();
	ck_assert(!leaks_lost(below));
	ck_assert(leaks_lost(dead));
}
END_TEST

/* ---------------------------------------------------------------- mappings */

START_TEST(bss_that_was_never_written_is_not_missed)
{
	fake_add(drawn.tgt, ALT, 0x1000, "/lib/a.so",
	    FAKE_FILE | FAKE_READ | FAKE_WRITE);
	fake_add(drawn.tgt, ALT + 0x1000, 0x2000, _i == 0 ? "" : "/lib/b.so",
	    FAKE_READ | FAKE_WRITE | FAKE_NOT_DUMPED);
	fake_add(drawn.tgt, ALT + 0x8000, 0x4000, "",
	    FAKE_READ | FAKE_WRITE | FAKE_NOT_DUMPED);
	leaks_expect();
	ck_assert_uint_eq(leaks->stats.unread_bytes, _i == 0 ? 0x4000 : 0x6000);
}
END_TEST

/* A large buffer that lies in mappings of which the core has only some. */
START_TEST(what_lies_behind_memory_that_was_left_out_is_read)
{
	const taddr_t end = ALT + 0x900000;
	uint8_t *buf = malloc(0x900000);
	unsigned char *p;

	fake_add(drawn.tgt, ALT, 0x800000, "",
	    FAKE_READ | FAKE_WRITE | FAKE_NOT_DUMPED);
	p = fake_add(
	    drawn.tgt, end - 0x100000, 0x100000, "", FAKE_READ | FAKE_WRITE);
	p[0] = 1;
	p[0xfffff] = 2;
	fake_break(drawn.tgt, end - 0xf0000, 0x1000);
	ck_assert_uint_eq(
	    find_mem_read_pages(drawn.tgt, ALT, buf, 0x900000), 0x801000);
	ck_assert_uint_eq(buf[0x7fffff], 0);
	ck_assert_uint_eq(buf[0x800000], 1);
	ck_assert_uint_eq(buf[0x8fffff], 2);
	free(buf);
}
END_TEST

/* ----------------------------------------------------------------- objects */

/* An object that went to the depot with a pointer in it. */
static void
constructed_object(uint32_t flags, taddr_t construct, taddr_t destruct)
{
	taddr_t objects = draw_cache(&drawn, "objects", 64, flags, 0), in, kept;

	DRAW_SET(&drawn, objects, umem_cache_t, cache_constructor, construct);
	DRAW_SET(&drawn, objects, umem_cache_t, cache_destructor, destruct);
	in = draw_slab(&drawn, objects, 20);
	kept = draw_alloc(&drawn, in, 0, 64);
	put(DRAW_APP_DATA, kept);
	kept = draw_alloc(&drawn, in, 1, 64);
	put(kept + 8, take());
	draw_depot(&drawn, objects, &kept, 1, 16);
	leaks_expect();
}

START_TEST(constructed_object_keeps_what_its_destructor_will_free)
{
	constructed_object(0, DRAW_TEXT, DRAW_TEXT + 0x10);
	ck_assert_uint_eq(leaks->nleak, 0);
}
END_TEST

START_TEST(free_object_without_destructor_keeps_nothing)
{
	constructed_object(0, DRAW_TEXT, 0);
	ck_assert_uint_eq(leaks->nleak, 1);
}
END_TEST

START_TEST(free_object_of_a_checked_cache_was_destroyed)
{
	constructed_object(UMF_AUDIT, DRAW_TEXT, DRAW_TEXT + 0x10);
	ck_assert_uint_eq(leaks->nleak, 1);
}
END_TEST

Suite *
test_find_root_suite(void)
{
	Suite *s = suite_create("find_root");
	TCase *t = tcase_create("roots");

	tcase_add_checked_fixture(t, setup, leaks_teardown);
	tcase_add_test(t, every_word_of_a_vector_register_keeps);
	tcase_add_test(t, vector_registers_keep_nothing_in_a_system_call);
	tcase_add_test(t, frame_pointer_of_a_jump_buffer_keeps);
	tcase_add_test(t, what_is_no_jump_buffer_changes_nothing);
	tcase_add_loop_test(
	    t, buffer_of_initstate_is_held_by_its_second_int, 0, 7);
	tcase_add_test(t, handler_on_an_alternate_stack_has_two_live_stacks);
	tcase_add_test(
	    t, handler_that_interrupted_a_handler_keeps_the_outer_frame);
	tcase_add_loop_test(t, what_only_resembles_a_frame_cuts_nothing, 0, 4);
	tcase_add_loop_test(t, coroutine_keeps_what_lies_above_its_sp, 0, 2);
	tcase_add_loop_test(
	    t, stacks_of_coroutines_that_count_whole_are_told, 0, 8);
	tcase_add_loop_test(
	    t, stack_left_for_a_coroutine_counts_from_the_saved_sp_up, 0, 9);
	tcase_add_loop_test(t,
	    stack_left_by_way_of_another_coroutine_counts_from_the_saved_sp_up,
	    0, 2);
	tcase_add_test(
	    t, what_lies_below_a_coroutine_on_a_part_of_a_stack_counts);
	tcase_add_test(t, what_lies_behind_memory_that_was_left_out_is_read);
	tcase_add_loop_test(t, bss_that_was_never_written_is_not_missed, 0, 2);
	tcase_add_test(
	    t, constructed_object_keeps_what_its_destructor_will_free);
	tcase_add_test(t, free_object_without_destructor_keeps_nothing);
	tcase_add_test(t, free_object_of_a_checked_cache_was_destroyed);
	suite_add_tcase(s, t);
	return s;
}
