/* SPDX-License-Identifier: MIT */
/*
 * stacks.c - stacks of threads: live frames keep, what is below does not
 *
 * Threads on stacks of the library's making, without guard pages, in buffers
 * and in mappings of the program's own; and threads that have ended.
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "truth.h"

#define STACK (256u << 10)

static sem_t ready;
static pthread_mutex_t forever = PTHREAD_MUTEX_INITIALIZER;

/* A call that leaves pointers in its dead frame. */
STEP void *
hold(void)
{
	void *volatile slot[4];

	slot[1] = malloc(88);
	sem_post(&ready);
	pthread_mutex_lock(&forever);
	return slot[1];
}

static void *
thread(void *arg)
{
	(void)arg;
	truth_far_down(truth_leave_stale, 40);
	return hold();
}

static void *
short_thread(void *arg)
{
	(void)arg;
	truth_far_down(truth_leave_stale, 40);
	/* what a thread returns is kept until it is joined */
	return malloc(104);
}

STEP void
start(const pthread_attr_t *attr)
{
	pthread_t t;

	if (pthread_create(&t, attr, thread, NULL) != 0)
		exit(2);
	sem_wait(&ready);
}

STEP void
start_on(void *stack)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	if (pthread_attr_setstack(&attr, stack, STACK) != 0)
		exit(2);
	start(&attr);
	pthread_attr_destroy(&attr);
}

STEP void
start_all(void)
{
	const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
	pthread_attr_t attr;
	char *p;

	start(NULL);
	start(NULL);
	pthread_attr_init(&attr);
	pthread_attr_setguardsize(&attr, 0);
	pthread_attr_setstacksize(&attr, STACK);
	start(&attr);
	start(&attr);
	pthread_attr_destroy(&attr);
	start_on(malloc(STACK));
	p = mmap(NULL, 3 * STACK, PROT_READ | PROT_WRITE, anonymous, -1, 0);
	if (p == MAP_FAILED)
		exit(2);
	start_on(p + STACK);
	start_on(p + 2 * STACK);
	/* memory beside the stacks in the same mapping is memory */
	*(void **)(p + 512) = malloc(120);
}

STEP void
end_some(void)
{
	pthread_t t[4];
	unsigned i;

	for (i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, short_thread, NULL) != 0)
			exit(2);
	for (i = 0; i < 3; i++) {
		void *result;

		pthread_join(t[i], &result);
		free(result);
	}
	/* the last is not joined: wait until it is over */
	usleep(200000);
}

int
main(void)
{
	sem_init(&ready, 0, 0);
	pthread_mutex_lock(&forever);
	truth_far_down(truth_leave_stale, 100);
	end_some();
	start_all();
	truth_end();
}
