/* SPDX-License-Identifier: MIT */
/*
 * left.c - threads that the process stops while they run on a coroutine
 *
 * The stack that they left for it holds live frames, down to the SP that
 * swapcontext(3) saved, and below that stale copies.  The context with that
 * SP is in data, in a buffer, or a local variable; the coroutine's stack is in
 * data, in a buffer, in a mapping, or a local array above the frames that
 * were left.  The first thread's coroutine has left its stack for another.
 *
 * One more thread was then resumed, and left its stack by longjmp(3), from
 * further down: all of what it holds there is live, although the context that
 * was saved first is still as it was.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <ucontext.h>

#include "truth.h"

#define STACK 131072u

struct coroutine {
	ucontext_t context, back;
	void (*fn)(void);
};

static sem_t ready;
static pthread_mutex_t forever = PTHREAD_MUTEX_INITIALIZER;
static struct coroutine in_data, outer;
static char stack_in_data[STACK] __attribute__((aligned(16)));
struct coroutine *in_buffer;
static jmp_buf there;

/* Stale is also what is right below SP: no red zone is in use there. */
STEP void
leave_near(void)
{
	void *volatile slot[4];

	slot[0] = calloc(1, 56);
	truth_lost(slot[0], DEFINITE);
	slot[1] = slot[2] = slot[3] = slot[0];
}

STEP void
leave_all(void)
{
	truth_far_down(truth_leave_stale, 30);
	leave_near();
}

static void
blocks(void)
{
	void *volatile slot[8];

	slot[3] = calloc(1, 88);
	truth_far_down(truth_leave_stale, 30);
	sem_post(&ready);
	pthread_mutex_lock(&forever);
	free(slot[3]);
}

STEP void
enter(struct coroutine *c, void *stack, void (*fn)(void))
{
	void *volatile slot[8];

	slot[5] = calloc(1, 104);
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = stack;
	c->context.uc_stack.ss_size = STACK;
	c->context.uc_link = &c->back;
	makecontext(&c->context, fn, 0);
	leave_all();
	swapcontext(&c->back, &c->context);
	free(slot[5]);
}

static void *
with_data(void *arg)
{
	enter(&in_data, stack_in_data, blocks);
	return arg;
}

static void *
with_buffers(void *arg)
{
	in_buffer = calloc(1, sizeof(*in_buffer));
	enter(in_buffer, calloc(1, STACK), blocks);
	return arg;
}

static void *
with_locals(void *arg)
{
	char stack[STACK] __attribute__((aligned(16)));
	struct coroutine c;

	enter(&c, stack, blocks);
	return arg;
}

static void
jumps_back(void)
{
	_longjmp(there, 1);
}

STEP void
go_on(ucontext_t *uc)
{
	void *volatile slot[4];

	slot[2] = calloc(1, 120);
	if (_setjmp(there) == 0)
		setcontext(uc);
	free(slot[2]);
}

/* Below a frame that leaves what was there as it is. */
STEP void
go_deep(ucontext_t *uc)
{
	volatile char hole[32768];

	hole[16] = 0;
	go_on(uc);
	hole[17] = 0;
}

static void
blocks_again(void)
{
	blocks();
}

STEP void
create(ucontext_t *home, ucontext_t *uc, int n)
{
	volatile char frame[1024];

	frame[0] = (char)n;
	if (n > 0)
		create(home, uc, n - 1);
	else if (_setjmp(there) == 0)
		swapcontext(home, uc);
	frame[1] = 0;
}

/* Is left by swapcontext first, and then from further down. */
static void *
with_jumps(void *arg)
{
	static ucontext_t home, first;
	void *stack = map_pages(STACK);

	getcontext(&first);
	first.uc_stack.ss_sp = stack;
	first.uc_stack.ss_size = STACK;
	first.uc_link = &home;
	makecontext(&first, jumps_back, 0);
	create(&home, &first, 8);
	makecontext(&first, blocks_again, 0);
	go_deep(&first);
	return arg;
}

STEP void
start(void *(*fn)(void *))
{
	pthread_t t;

	if (pthread_create(&t, NULL, fn, NULL) != 0)
		exit(2);
	sem_wait(&ready);
}

static void
inner_runs(void)
{
	void *volatile slot[4];

	slot[2] = calloc(1, 136);
	truth_end();
	free(slot[2]);
}

static void
outer_runs(void)
{
	struct coroutine inner;

	enter(&inner, map_pages(STACK), inner_runs);
}

int
main(void)
{
	sem_init(&ready, 0, 0);
	pthread_mutex_lock(&forever);
	start(with_data);
	start(with_buffers);
	start(with_locals);
	start(with_jumps);
	enter(&outer, map_pages(STACK), outer_runs);
	return 2;
}
