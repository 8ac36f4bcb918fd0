/* SPDX-License-Identifier: MIT */
/*
 * lost_stack.c - a coroutine on a buffer allocated while it ran, and both were
 * lost: what the library notes of a thread's stacks keeps none
 */
#include <malloc.h>
#include <ucontext.h>

#include "truth.h"

#define SIZE 65536u

static ucontext_t caller;
void *kept;

STEP void
deep(int n)
{
	volatile char room[200];

	room[0] = (char)n;
	if (n > 0)
		deep(n - 1);
	else
		kept = malloc(40);
}

static void
body(void)
{
	deep(200);
}

STEP void
lose_a_stack(void)
{
	ucontext_t context;
	char *stack = memalign(4096, SIZE);

	memset(stack, 0, SIZE);
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = SIZE;
	context.uc_link = &caller;
	makecontext(&context, body, 0);
	swapcontext(&caller, &context);
	memset(stack, 0, SIZE);
	memset(&context, 0, sizeof(context));
	truth_lost(stack, DEFINITE);
}

int
main(void)
{
	lose_a_stack();
	memset(&caller, 0, sizeof(caller));
	truth_end();
}
