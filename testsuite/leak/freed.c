/* SPDX-License-Identifier: MIT */
/*
 * freed.c - pointers in memory that was freed keep nothing, and what was
 * freed is not lost, wherever it went from there
 *
 * Lost buffers are zeroed, and of sizes that leave no slack, lest they hold
 * what was there before.
 */
#include <pthread.h>

#include "truth.h"

#define N 300u

void *kept[N];

/* Buffers of many sizes with a pointer each, then all freed again. */
STEP void
hold_and_free(void)
{
	void **p[N];
	unsigned i;

	for (i = 0; i < N; i++) {
		const size_t size = 64 + i * i;

		p[i] = malloc(size);
		memset(p[i], 0, size);
		p[i][2] = calloc(1, 32);
		p[i][size / 8 - 1] = calloc(1, 48);
		truth_lost(p[i][2], DEFINITE);
		truth_lost(p[i][size / 8 - 1], DEFINITE);
	}
	for (i = 0; i < N; i++)
		free(p[i]);
}

/* Freed ones that live memory still points to: not lost, not searched. */
STEP void
dangle(void **keep)
{
	void **p = malloc(200), *lost;

	memset(p, 0, 200);
	p[12] = calloc(1, 64);
	lost = p[12];
	truth_lost(lost, DEFINITE);
	free(p);
	keep[0] = p;
	keep[1] = calloc(1, 32);
}

static void *
thread(void *arg)
{
	hold_and_free();
	dangle(kept + 2);
	return arg;
}

int
main(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL) != 0)
		exit(2);
	pthread_join(t, NULL);
	hold_and_free();
	dangle(kept);
	truth_end();
}
