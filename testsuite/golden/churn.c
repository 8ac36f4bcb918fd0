/* SPDX-License-Identifier: MIT */
/*
 * churn.c - threads that allocate and free all the time, and never end
 *
 * Stopped at a random moment, some of them are in the middle of something:
 * see moments.py.  Besides malloc there is a cache of objects, caches that
 * come and go, threads that end with full magazines, and now and then a large
 * buffer, which may grow.
 *
 * Arguments: how many threads; "fork", and a child of one thread works on.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <umem.h>
#include <unistd.h>

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

/* A cache that has had objects in magazines and slabs goes away. */
static void
passing_cache(void)
{
	umem_cache_t *passing = umem_cache_create(
	    "churn_passing", 200, 0, NULL, NULL, NULL, NULL, NULL, 0);
	void *object[SLOTS];
	int i;

	if (passing == NULL)
		abort();
	for (i = 0; i < SLOTS; i++)
		object[i] = umem_cache_alloc(passing, UMEM_DEFAULT);
	for (i = 0; i < SLOTS; i++)
		if (object[i] != NULL)
			umem_cache_free(passing, object[i]);
	umem_cache_destroy(passing);
	umem_reap();
}

/* Another buffer in its place, or the same one with another size. */
static void *
exchange(void *p, uint32_t *seed)
{
	const uint32_t what = next(seed) % 2000;

	if (what < 2 || what % 16 == 3)
		return realloc(p, what < 2 ? next(seed) % 2000000 + 1
					   : next(seed) % 2000 + 1);
	free(p);
	return what == 4       ? malloc(300000)
	       : what % 3 == 0 ? NULL
	       : what % 8 == 5 ? aligned_alloc(256, next(seed) % 3000)
			       : malloc(next(seed) % 2000);
}

static void
churn(uint32_t *seed, unsigned rounds)
{
	void *slot[SLOTS] = {NULL}, *object[SLOTS] = {NULL};
	unsigned i, k;

	for (k = 0; k < rounds; k++) {
		i = next(seed) % SLOTS;
		slot[i] = exchange(slot[i], seed);
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
	passing_cache();
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

/* The only thread of a new process. */
__attribute__((noinline, noclone)) void
child(uint32_t seed)
{
	for (;;)
		churn(&seed, 100000);
}

int
main(int argc, char **argv)
{
	uintptr_t i, threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 4;
	pthread_t thread;
	pid_t pid;

	objects = umem_cache_create(
	    "churn_objects", 72, 0, NULL, NULL, NULL, NULL, NULL, 0);
	if (objects == NULL)
		abort();
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread, NULL, long_lived, (void *)i) != 0)
			abort();
	for (;; i++) {
		if (pthread_create(&thread, NULL, short_lived, (void *)i) != 0)
			abort();
		pthread_join(thread, NULL);
		if (argc < 3)
			continue;
		pid = fork();
		if (pid == 0)
			child((uint32_t)i);
		waitpid(pid, NULL, 0);
	}
}
