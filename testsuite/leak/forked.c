/* SPDX-License-Identifier: MIT */
/*
 * forked.c - the heap of a child of fork(2), made while threads allocate
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>

#include "truth.h"

static volatile int over;
static sem_t ready;
void *kept[2][1000];

static void *
churn(void *arg)
{
	unsigned i;

	sem_post(&ready);
	while (!over) {
		void *p[50];

		for (i = 0; i < 50; i++)
			p[i] = malloc(20 + i * 10);
		for (i = 0; i < 50; i++)
			free(p[i]);
	}
	return arg;
}

STEP void
make(void **keep)
{
	unsigned i;

	for (i = 0; i < 1000; i++) {
		keep[i] = malloc(20 + i);
		truth_lost(calloc(1, 20 + i), DEFINITE);
	}
}

/*
 * What the other threads of the parent held is nobody's in the child.  They
 * free all that they allocate before they stop, so there is no such.
 */
int
main(void)
{
	pthread_t t[2];
	pid_t child;
	unsigned i;
	int status = 0;

	sem_init(&ready, 0, 0);
	for (i = 0; i < 2; i++) {
		pthread_create(&t[i], NULL, churn, NULL);
		sem_wait(&ready);
	}
	make(kept[0]);
	over = 1;
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	child = fork();
	if (child == 0) {
		make(kept[1]);
		truth_end();
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? 0 : 2;
}
