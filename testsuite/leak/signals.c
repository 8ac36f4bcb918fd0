/* SPDX-License-Identifier: MIT */
/*
 * signals.c - handlers that run on alternate stacks when the process stops
 *
 * What the handler's frames hold is kept, and so is what the interrupted
 * frames hold; below the SP of either there are stale copies, which keep
 * nothing.  One stack each from malloc, from mmap (with other memory of the
 * program below it in the same mapping), in data, and in an array on the
 * thread's own stack, above the frames that are interrupted.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>

#include "truth.h"

#define STACK (256u << 10)

static sem_t ready;
static pthread_mutex_t forever = PTHREAD_MUTEX_INITIALIZER;
static char in_data[STACK] __attribute__((aligned(16)));

STEP void *
hold(void)
{
	void *volatile slot[4];

	slot[1] = malloc(88);
	sem_post(&ready);
	pthread_mutex_lock(&forever);
	return slot[1];
}

static void
handler(int sig)
{
	(void)sig;
	truth_far_down(truth_leave_stale, 40);
	free(hold());
}

STEP void
use_stack(void *stack)
{
	stack_t ss = {.ss_sp = stack, .ss_size = STACK};
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

	if (sigaltstack(&ss, NULL) != 0 || sigaction(SIGUSR1, &sa, NULL) != 0)
		exit(2);
}

static void *
thread(void *stack)
{
	char own[STACK];
	void *volatile slot[4];

	use_stack(stack != NULL ? stack : own);
	slot[2] = malloc(104);
	truth_far_down(truth_leave_stale, 80);
	raise(SIGUSR1);
	return slot[2];
}

STEP void
start(void *stack)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, stack) != 0)
		exit(2);
	sem_wait(&ready);
}

static void
last(int sig)
{
	void *volatile slot[4];

	(void)sig;
	slot[1] = malloc(88);
	truth_far_down(truth_leave_stale, 40);
	truth_write();
	truth_forget();
	abort();
	free(slot[1]);
}

/* The first thread, too, ends in a handler. */
STEP void
end(char *stack)
{
	struct sigaction sa = {.sa_handler = last, .sa_flags = SA_ONSTACK};
	void *volatile slot[4];

	use_stack(stack);
	sigaction(SIGUSR2, &sa, NULL);
	slot[3] = malloc(120);
	truth_far_down(truth_leave_stale, 200);
	raise(SIGUSR2);
	free(slot[3]);
}

int
main(void)
{
	char *p = mmap(NULL, 3 * STACK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(2);
	sem_init(&ready, 0, 0);
	pthread_mutex_lock(&forever);
	*(void **)(p + 512) = malloc(136);
	start(malloc(STACK));
	start(in_data);
	start(NULL);
	start(p + STACK);
	end(p + 2 * STACK);
	return 2;
}
