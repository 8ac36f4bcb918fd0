/* SPDX-License-Identifier: MIT */
/*
 * contexts.c - coroutines on stacks of the program's own
 *
 * A suspended one keeps what its frames hold (and, since nobody knows its
 * SP, what lies below); of the one that runs, only frames from SP up count.
 */
#include <ucontext.h>

#include "truth.h"

#define STACK 65536u

static ucontext_t home, suspended, running;
void *stack[2];

STEP void
leave_stale(void)
{
	void *volatile slot[64];
	unsigned i;

	for (i = 0; i < 64; i++)
		slot[i] = NULL;
	slot[20] = malloc(72);
	truth_lost(slot[20], DEFINITE);
}

STEP int
go_down(unsigned n)
{
	volatile char frame[1024];

	memset((char *)frame, 0, sizeof(frame));
	if (n == 0)
		leave_stale();
	else
		frame[0] = (char)go_down(n - 1);
	return frame[0];
}

static void
first(void)
{
	void *volatile slot[8];

	slot[3] = malloc(88);
	swapcontext(&suspended, &home);
	free(slot[3]);
}

/* Runs when the process ends. */
static void
second(void)
{
	void *volatile slot[8];

	slot[3] = malloc(88);
	go_down(30);
	truth_write();
	abort();
	free(slot[3]);
}

STEP void
make(ucontext_t *uc, void (*fn)(void), unsigned i)
{
	stack[i] = calloc(1, STACK);
	getcontext(uc);
	uc->uc_stack.ss_sp = stack[i];
	uc->uc_stack.ss_size = STACK;
	uc->uc_link = &home;
	makecontext(uc, fn, 0);
}

int
main(void)
{
	make(&suspended, first, 0);
	make(&running, second, 1);
	swapcontext(&home, &suspended);
	(void)truth_scrub();
	swapcontext(&home, &running);
	return 2;
}
