/* SPDX-License-Identifier: MIT */
/*
 * churn.c - threads that allocate and free all the time, and never end
 *
 * Stopped at a random moment, some of them are in the middle of something:
 * see moments.py.  Besides malloc there is a cache of objects, threads that
 * end with full magazines, and now and then a large buffer.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <umem.h>

#define THREADS 4
#define SLOTS 400

static umem_cache_t *objects;

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

static void
give_back(void *object)
{
	if (object != NULL)
		umem_cache_free(objects, object);
}

static void
churn(uint32_t *seed, unsigned rounds)
{
	void *slot[SLOTS] = {NULL}, *object[SLOTS] = {NULL};
	unsigned i, k;

	for (k = 0; k < rounds; k++) {
		i = next(seed) % SLOTS;
		free(slot[i]);
		slot[i] = next(seed) % 3 == 0      ? NULL
			  : next(seed) % 2000 == 0 ? malloc(300000)
						   : malloc(next(seed) % 2000);
		i = next(seed) % SLOTS;
		give_back(object[i]);
		object[i] = next(seed) % 3 == 0
				? NULL
				: umem_cache_alloc(objects, UMEM_DEFAULT);
	}
	for (i = 0; i < SLOTS; i++) {
		free(slot[i]);
		give_back(object[i]);
	}
}

static void *
short_lived(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;

	churn(&seed, 2000);
	return NULL;
}

static void *
long_lived(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;

	for (;;)
		churn(&seed, 100000);
	return NULL;
}

int
main(void)
{
	pthread_t thread;
	uintptr_t i;

	objects = umem_cache_create(
	    "churn_objects", 72, 0, NULL, NULL, NULL, NULL, NULL, 0);
	if (objects == NULL)
		abort();
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, long_lived, (void *)i) != 0)
			abort();
	for (;; i++) {
		if (pthread_create(&thread, NULL, short_lived, (void *)i) != 0)
			abort();
		pthread_join(thread, NULL);
	}
}
