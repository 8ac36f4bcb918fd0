/* SPDX-License-Identifier: MIT */
/*
 * contexts.c - coroutines on stacks of the program's own
 *
 * Each keeps what its frames hold from SP up.  What lies below does not count,
 * and for a suspended one not even what is right below.
 * The suspended ones stand in a buffer, in a mapping with a guard page, in
 * parts of a mapping without, and in data; the one that runs in the midst of
 * such a mapping.
 */
#include <sys/mman.h>
#include <ucontext.h>

#include "truth.h"

#define STACK 65536u

#define SUSPENDED 5u

static ucontext_t home, suspended[SUSPENDED], running;
static unsigned which;
static char in_data[STACK] __attribute__((aligned(16)));

/* Within 128 bytes below the caller's SP. */
STEP void
leave_near(void)
{
	void *volatile slot[4];

	slot[0] = malloc(56);
	truth_lost(slot[0], DEFINITE);
	slot[1] = slot[2] = slot[3] = slot[0];
}

static void
first(void)
{
	void *volatile slot[8];

	slot[3] = malloc(88);
	leave_near();
	swapcontext(&suspended[which], &home);
	free(slot[3]);
}

/* Runs when the process ends. */
static void
second(void)
{
	void *volatile slot[8];

	slot[3] = malloc(88);
	truth_far_down(truth_leave_stale, 30);
	truth_write();
	truth_forget();
	abort();
	free(slot[3]);
}

STEP void
make(ucontext_t *uc, void (*fn)(void), void *stack)
{
	getcontext(uc);
	uc->uc_stack.ss_sp = stack;
	uc->uc_stack.ss_size = STACK;
	uc->uc_link = &home;
	makecontext(uc, fn, 0);
}

STEP char *
map(void)
{
	char *p = mmap(NULL, 3 * STACK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(2);
	return p;
}

STEP void
suspend(void *stack)
{
	make(&suspended[which], first, stack);
	swapcontext(&home, &suspended[which]);
	which++;
}

int
main(void)
{
	char *p = map();

	suspend(calloc(1, STACK));
	mprotect(p, STACK, PROT_NONE);
	suspend(p + STACK);
	p = map();
	suspend(p);
	suspend(p + STACK);
	suspend(in_data);
	make(&running, second, p + 2 * STACK);
	(void)truth_scrub();
	swapcontext(&home, &running);
	return 2;
}
