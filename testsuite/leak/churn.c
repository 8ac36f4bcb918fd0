/* SPDX-License-Identifier: MIT */
/*
 * churn.c - a process that dies while threads are in the middle of it all
 *
 * Nothing is lost, whatever the threads were doing: between the stores of
 * malloc, free and realloc a buffer is always in somebody's hand.
 */
#include <pthread.h>
#include <semaphore.h>

#include "truth.h"

#define THREADS 4u
#define HELD 40u

static sem_t ready;
/* volatile, so that what is held is always in memory */
void *volatile held[THREADS][HELD];

static unsigned
roll(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (unsigned)(*state >> 33);
}

static void *
churn(void *arg)
{
	void *volatile *mine = arg;
	uint64_t state = (uintptr_t)arg;
	unsigned round, i;
	size_t size;
	void *p;

	for (round = 0;; round++) {
		if (round == 20000)
			sem_post(&ready);
		i = roll(&state) % HELD;
		size = roll(&state) % (roll(&state) % 64 == 0 ? 100000 : 600);
		if (roll(&state) % 4 == 0) {
			p = realloc(mine[i], size + 1);
		} else {
			p = mine[i];
			mine[i] = NULL;
			free(p);
			p = malloc(size);
		}
		mine[i] = p;
	}
	return NULL;
}

int
main(void)
{
	pthread_t t[THREADS];
	unsigned i;

	sem_init(&ready, 0, 0);
	for (i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, churn, (void *)held[i]);
	for (i = 0; i < THREADS; i++)
		sem_wait(&ready);
	truth_end();
}
