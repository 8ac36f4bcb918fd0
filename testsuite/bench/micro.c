/* SPDX-License-Identifier: MIT */
/*
 * micro.c - one pattern of allocation at a time
 *
 * Usage: micro TEST [OPS] [THREADS]   prints "TEST ns/op=<float> ops=<n>"
 *        micro list
 *
 * One op is a malloc/free pair; for realloc_* one call of realloc.  Uses only
 * the malloc family, so that any preloaded allocator is measured, and for
 * cache_* the umem_cache functions where the preload has them.
 *
 * The loops are small on purpose: bench.py counts their instructions too.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "bench.h"

enum { BATCH = 1000, RING = 4096, LIVE = 1000000 };

struct job {
	long ops;
	int id;
	size_t size;
	int order;
};

/* Free what was just allocated. */
static void *
lifo(void *arg)
{
	struct job *job = arg;
	long i;

	for (i = 0; i < job->ops; i++) {
		char *p = malloc(job->size);

		touch(p);
		free(p);
	}
	return NULL;
}

static void
shuffle(int *order, uint64_t *state)
{
	int i, j, t;

	for (i = 0; i < BATCH; i++)
		order[i] = i;
	for (i = BATCH - 1; i > 0; i--) {
		j = (int)(next_random(state) % (unsigned)(i + 1));
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
}

/* A thousand of mixed sizes, freed in order (0), at random (1), reversed (2) */
static void *
batch(void *arg)
{
	static __thread size_t sizes[4 * BATCH];
	struct job *job = arg;
	uint64_t state = 88172645463325252u + (unsigned)job->id;
	int order[BATCH], i;
	char *p[BATCH];
	long round;

	for (i = 0; i < 4 * BATCH; i++)
		sizes[i] = mixed_size(&state);
	shuffle(order, &state);
	for (round = 0; round < job->ops / BATCH; round++) {
		size_t *size = sizes + (round & 3) * BATCH;

		for (i = 0; i < BATCH; i++) {
			p[i] = malloc(size[i]);
			touch(p[i]);
		}
		if (job->order == 0) {
			for (i = 0; i < BATCH; i++)
				free(p[i]);
		} else if (job->order == 1) {
			for (i = 0; i < BATCH; i++)
				free(p[order[i]]);
		} else {
			for (i = BATCH - 1; i >= 0; i--)
				free(p[i]);
		}
	}
	return NULL;
}

/* A million live objects; one at random is replaced. */
static void *
live(void *arg)
{
	struct job *job = arg;
	char **p = malloc(LIVE * sizeof(*p));
	uint64_t state = 99991 + (unsigned)job->id, r;
	long i, k;

	if (p == NULL)
		die("out of memory");
	for (i = 0; i < LIVE; i++) {
		p[i] = malloc(16 + (next_random(&state) >> 20) % 241);
		touch(p[i]);
	}
	for (i = 0; i < job->ops; i++) {
		r = next_random(&state);
		k = (long)(r % LIVE);
		free(p[k]);
		p[k] = malloc(16 + (r >> 40) % 241);
		touch(p[k]);
	}
	for (i = 0; i < LIVE; i++)
		free(p[i]);
	free(p);
	return NULL;
}

static void *
zeroed(void *arg)
{
	struct job *job = arg;
	char *p[64] = {NULL};
	long i;

	for (i = 0; i < job->ops; i++) {
		free(p[i & 63]);
		p[i & 63] = calloc(1, job->size);
		touch(p[i & 63]);
	}
	for (i = 0; i < 64; i++)
		free(p[i]);
	return NULL;
}

static long realloc_calls;

/* From a size to another, and what is written to of each block. */
enum { GEOMETRIC, STEPS, LARGE, WHOLE };
static const struct growth {
	size_t first, limit;
	size_t step; /* 0: by half, with another allocation in between */
	int whole;   /* all of it, not its last byte alone */
} growth[] = {
    [GEOMETRIC] = {16, 4u << 20, 0, 0},
    [STEPS] = {16, 32768, 16, 0},
    [LARGE] = {128u << 10, 64u << 20, 0, 0},
    [WHOLE] = {16u << 10, 4u << 20, 0, 1},
};

static void
touch_grown(char *p, size_t before, size_t size, int whole)
{
	if (whole)
		memset(p + before, 1, size - before);
	else
		touch(p + size - 1);
}

static void *
grow(void *arg)
{
	struct job *job = arg;
	const struct growth *g = &growth[job->order];
	size_t size, before;
	char *p, *other;
	long n = 0;

	while (n < job->ops) {
		size = g->first;
		other = NULL;
		p = malloc(size);
		while (size < g->limit) {
			before = size;
			size += g->step != 0 ? g->step : size / 2;
			p = realloc(p, size);
			touch_grown(p, before, size, g->whole);
			if (g->step == 0) {
				free(other);
				other = malloc(64);
			}
			n++;
		}
		free(other);
		free(p);
	}
	__atomic_fetch_add(&realloc_calls, n, __ATOMIC_RELAXED);
	return NULL;
}

/* ------------------------------------------------ one producer, one consumer */

static _Atomic(char *) ring[RING];

static void
pause_a_little(int *spins)
{
	if (++*spins > 100) {
		sched_yield();
		*spins = 0;
	}
}

static void *
produce(void *arg)
{
	struct job *job = arg;
	uint64_t state = 12345;
	int spins = 0;
	long i;

	for (i = 0; i < job->ops; i++) {
		char *p = malloc(job->size ? job->size : mixed_size(&state));

		touch(p);
		while (atomic_load_explicit(
			   &ring[i % RING], memory_order_acquire) != NULL)
			pause_a_little(&spins);
		atomic_store_explicit(&ring[i % RING], p, memory_order_release);
	}
	return NULL;
}

static void *
consume(void *arg)
{
	struct job *job = arg;
	int spins = 0;
	char *p;
	long i;

	for (i = 0; i < job->ops; i++) {
		while ((p = atomic_load_explicit(
			    &ring[i % RING], memory_order_acquire)) == NULL)
			pause_a_little(&spins);
		atomic_store_explicit(
		    &ring[i % RING], NULL, memory_order_release);
		free(p);
	}
	return NULL;
}

/* ------------------------------------------------------------ object caches */

struct object {
	pthread_mutex_t mutex;
	void *next, *prev;
	char body[200];
};

static int
construct(void *buf, void *data, int flags)
{
	struct object *o = buf;

	(void)data;
	(void)flags;
	pthread_mutex_init(&o->mutex, NULL);
	o->next = o->prev = o;
	memset(o->body, 0, sizeof(o->body));
	return 0;
}

static void
destruct(void *buf, void *data)
{
	(void)data;
	pthread_mutex_destroy(&((struct object *)buf)->mutex);
}

static void *(*cache_alloc)(void *, int);
static void (*cache_free)(void *, void *);
static void *cache;

/* In pairs (0) or a hundred at a time (1). */
static void *
cached(void *arg)
{
	struct job *job = arg;
	struct object *o[100];
	long i, k;

	if (job->order == 0) {
		for (i = 0; i < job->ops; i++) {
			o[0] = cache_alloc(cache, 0);
			touch(o[0]->body);
			cache_free(cache, o[0]);
		}
		return NULL;
	}
	for (i = 0; i < job->ops / 100; i++) {
		for (k = 0; k < 100; k++) {
			o[k] = cache_alloc(cache, 0);
			touch(o[k]->body);
		}
		for (k = 0; k < 100; k++)
			cache_free(cache, o[k]);
	}
	return NULL;
}

/* What a program does that has no object caches. */
static void *
constructed(void *arg)
{
	struct job *job = arg;
	struct object *o[100];
	long i;
	int k, n = job->order ? 100 : 1;

	for (i = 0; i < job->ops / n; i++) {
		for (k = 0; k < n; k++) {
			o[k] = malloc(sizeof(*o[k]));
			construct(o[k], NULL, 0);
			touch(o[k]->body);
		}
		for (k = 0; k < n; k++) {
			destruct(o[k], NULL);
			free(o[k]);
		}
	}
	return NULL;
}

/* Exit 77, which bench.py takes for "not to be had here", without caches. */
static void
make_cache(const char *name, int with_constructor)
{
	typedef void *create_fn(const char *, size_t, size_t,
	    int (*)(void *, void *, int), void (*)(void *, void *),
	    void (*)(void *), void *, void *, int);
	create_fn *create;

	*(void **)&create = dlsym(RTLD_DEFAULT, "umem_cache_create");
	*(void **)&cache_alloc = dlsym(RTLD_DEFAULT, "umem_cache_alloc");
	*(void **)&cache_free = dlsym(RTLD_DEFAULT, "umem_cache_free");
	if (create == NULL || cache_alloc == NULL || cache_free == NULL) {
		printf("%s skipped: no umem_cache functions\n", name);
		exit(77);
	}
	cache = create("micro", sizeof(struct object), 0,
	    with_constructor ? construct : NULL,
	    with_constructor ? destruct : NULL, NULL, NULL, NULL, 0);
	if (cache == NULL)
		die("umem_cache_create");
}

/* -------------------------------------------------------------------- main */

static const struct {
	const char *name;
	void *(*run)(void *);
	long ops;
	size_t size;
	int order;
} tests[] = {
    {"lifo16", lifo, 40000000, 16, 0},
    {"lifo64", lifo, 40000000, 64, 0},
    {"lifo1k", lifo, 20000000, 1024, 0},
    {"lifo4k", lifo, 10000000, 4096, 0},
    {"lifo32k", lifo, 4000000, 32768, 0},
    {"lifo256k", lifo, 200000, 262144, 0},
    {"fifo", batch, 15000000, 0, 0},
    {"random", batch, 15000000, 0, 1},
    {"lifob", batch, 15000000, 0, 2},
    {"live1m", live, 4000000, 0, 0},
    {"calloc64", zeroed, 20000000, 64, 0},
    {"calloc4k", zeroed, 3000000, 4096, 0},
    {"realloc_geo", grow, 20000, 0, GEOMETRIC},
    {"realloc_step", grow, 3000000, 0, STEPS},
    {"realloc_large", grow, 200, 0, LARGE},
    {"realloc_whole", grow, 2000, 0, WHOLE},
    {"prodcons64", produce, 6000000, 64, 0},
    {"prodconsmix", produce, 4000000, 0, 0},
    {"cache_lifo", cached, 20000000, 1, 0},
    {"cache_plain", cached, 20000000, 0, 0},
    {"cache_batch", cached, 20000000, 1, 1},
    {"mctor_lifo", constructed, 20000000, 0, 0},
    {"mctor_batch", constructed, 20000000, 0, 1},
};
enum { NTESTS = sizeof(tests) / sizeof(*tests), MAX_THREADS = 64 };

/* Run test @t in @n threads; a producer gets its consumer. */
static double
measure(int t, long ops, int n)
{
	pthread_t thread[MAX_THREADS];
	struct job job[MAX_THREADS];
	int pair = tests[t].run == produce, i;
	double begin = now_ns();

	if (pair)
		n = 2;
	for (i = 0; i < n; i++) {
		job[i] = (struct job){
		    pair ? ops : ops / n, i, tests[t].size, tests[t].order};
		if (n == 1)
			tests[t].run(&job[i]);
		else if (pthread_create(&thread[i], NULL,
			     pair && i ? consume : tests[t].run, &job[i]) != 0)
			die("pthread_create");
	}
	for (i = 0; n > 1 && i < n; i++)
		pthread_join(thread[i], NULL);
	return now_ns() - begin;
}

int
main(int argc, char **argv)
{
	int t, n = argc > 3 ? atoi(argv[3]) : 1;
	double took;
	long ops;

	for (t = 0; t < NTESTS; t++) {
		if (argc < 2 || strcmp(argv[1], "list") == 0)
			puts(tests[t].name);
		else if (strcmp(argv[1], tests[t].name) == 0)
			break;
	}
	if (argc < 2 || strcmp(argv[1], "list") == 0)
		return 0;
	if (t == NTESTS || n < 1 || n > MAX_THREADS)
		die("no such test (micro list), or not 1 to 64 threads");
	ops = argc > 2 && atol(argv[2]) ? atol(argv[2]) : tests[t].ops;
	if (tests[t].run == cached)
		make_cache(argv[1], tests[t].size != 0);
	took = measure(t, ops, n);
	if (tests[t].run == grow)
		ops = realloc_calls;
	printf("%s ns/op=%.2f ops=%ld\n", argv[1], took / (double)ops, ops);
	return 0;
}
