/* SPDX-License-Identifier: MIT */
/*
 * history.c - threads that write down what they do to the heap
 *
 * Each thread allocates, resizes and frees, and hands buffers to others.  What
 * it did stands in a table of its own, with the times between which it did
 * it; history.py compares the transaction log.  Half of the threads have
 * ended when the process stops, the others wait.
 *
 * Argument: "abort" leaves a core.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <umem.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS 400
#define SLOTS 24
#define DEEDS (ROUNDS * 4 + SLOTS)
#define KEEP(p) __asm__ volatile("" ::"r"(p) : "memory")
#define OWN_FRAME __attribute__((noinline, noclone))

struct deed {
	uint64_t before, after; /* when, by CLOCK_MONOTONIC */
	uint64_t addr, size;
	uint32_t free, fill; /* of a free: the byte that it was full of */
};

struct doer {
	struct deed deed[DEEDS];
	uint32_t ndeed, lwp;
	uint32_t seed;
};

struct doer doers[THREADS];
int ndoers = THREADS;

static struct {
	void *p;
	size_t size;
	int object;
} slot[SLOTS]; /* whose buffers anybody may free */
static pthread_mutex_t slot_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all_done;
static umem_cache_t *objects;

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

static struct deed *
begin(struct doer *d)
{
	struct deed *deed = &d->deed[d->ndeed];

	if (++d->ndeed > DEEDS)
		abort();
	deed->before = now();
	return deed;
}

/* take - a buffer of some kind; an object has a size of 72 */
OWN_FRAME static void *
take(struct doer *d, size_t size, int object)
{
	struct deed *deed = begin(d);
	void *p = object ? umem_cache_alloc(objects, UMEM_DEFAULT)
		  : next(&d->seed) % 4 == 0 ? calloc(1, size)
		  : next(&d->seed) % 4 == 0 ? aligned_alloc(64, size)
					    : malloc(size);

	deed->after = now();
	if (p == NULL)
		abort();
	deed->addr = (uintptr_t)p;
	deed->size = size;
	return p;
}

OWN_FRAME static void
give(struct doer *d, void *p, size_t size, int object)
{
	const int fill = (int)(next(&d->seed) % 255 + 1);
	struct deed *deed;

	memset(p, fill, size);
	deed = begin(d);
	if (object)
		umem_cache_free(objects, p);
	else
		free(p);
	deed->after = now();
	deed->addr = (uintptr_t)p;
	deed->size = size;
	deed->free = 1;
	deed->fill = (uint32_t)fill;
}

static size_t
some_size(struct doer *d)
{
	return next(&d->seed) % 100 == 0 ? 300000 + next(&d->seed) % 9000
					 : next(&d->seed) % 3000 + 1;
}

/* Put a buffer where another thread finds it, and free what was there. */
static void
exchange(struct doer *d)
{
	const int object = next(&d->seed) % 3 == 0;
	const size_t size = object ? 72 : some_size(d);
	const uint32_t i = next(&d->seed) % SLOTS;
	void *p = take(d, size, object), *old;
	size_t old_size;
	int old_object;

	pthread_mutex_lock(&slot_lock);
	old = slot[i].p, old_size = slot[i].size, old_object = slot[i].object;
	slot[i].p = p, slot[i].size = size, slot[i].object = object;
	pthread_mutex_unlock(&slot_lock);
	if (old != NULL)
		give(d, old, old_size, old_object);
}

static void
alone(struct doer *d)
{
	const size_t size = some_size(d);

	give(d, take(d, size, 0), size, 0);
}

OWN_FRAME void
finished(void)
{
	KEEP(doers);
}

static void *
work(void *arg)
{
	struct doer *d = arg;
	int i;

	d->lwp = (uint32_t)gettid();
	d->seed = (uint32_t)(d - doers) + 1;
	for (i = 0; i < ROUNDS; i++) {
		exchange(d);
		alone(d);
	}
	if ((d - doers) % 2 != 0)
		return NULL;
	pthread_barrier_wait(&all_done);
	for (;;)
		pause();
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread[THREADS];
	int i;

	objects = umem_cache_create(
	    "history_objects", 72, 0, NULL, NULL, NULL, NULL, NULL, 0);
	pthread_barrier_init(&all_done, NULL, THREADS / 2 + 1);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, &doers[i]) != 0)
			abort();
	for (i = 1; i < THREADS; i += 2)
		pthread_join(thread[i], NULL);
	pthread_barrier_wait(&all_done);
	finished();
	if (argc > 1 && strcmp(argv[1], "abort") == 0)
		abort();
	return 0;
}
