/* SPDX-License-Identifier: MIT */
/*
 * suspended.c - coroutines that wait: what lies below the SP that
 * swapcontext(3) saved is dead
 *
 * Their contexts are in data, in a buffer with the stack and in one of their
 * own.  One was then resumed by longjmp(3), which no context tells of: all of
 * its stack counts.
 */
#include <setjmp.h>
#include <ucontext.h>

#include "truth.h"

#define STACK 131072u

struct coroutine {
	ucontext_t context;
	char stack[STACK] __attribute__((aligned(16)));
};

static ucontext_t home, in_data, jumps;
static ucontext_t *self;
static jmp_buf there, back;
struct coroutine *coroutine;
ucontext_t *in_buffer;

static void
waits(void)
{
	void *volatile slot[8];

	slot[3] = calloc(1, 88);
	truth_far_down(truth_leave_stale, 30);
	swapcontext(self, &home);
	free(slot[3]);
}

STEP void
wait_deep(int n)
{
	void *volatile slot[32];

	memset((void *)slot, 0, sizeof(slot));
	slot[5] = calloc(1, 104);
	if (n > 0)
		wait_deep(n - 1);
	else if (_setjmp(there) == 0)
		_longjmp(back, 1);
	free(slot[5]);
}

/* Is left by swapcontext first, and then from further down by longjmp. */
static void
jumps_away(void)
{
	swapcontext(self, &home);
	wait_deep(20);
}

STEP void
start(ucontext_t *uc, void (*fn)(void), void *stack)
{
	getcontext(uc);
	uc->uc_stack.ss_sp = stack;
	uc->uc_stack.ss_size = STACK;
	uc->uc_link = &home;
	makecontext(uc, fn, 0);
	self = uc;
	swapcontext(&home, uc);
}

int
main(void)
{
	start(&in_data, waits, map_pages(STACK));
	coroutine = calloc(1, sizeof(*coroutine));
	start(&coroutine->context, waits, coroutine->stack);
	in_buffer = calloc(1, sizeof(*in_buffer));
	start(in_buffer, waits, map_pages(STACK));
	start(&jumps, jumps_away, map_pages(STACK));
	if (_setjmp(back) == 0)
		setcontext(&jumps);
	truth_end();
}
