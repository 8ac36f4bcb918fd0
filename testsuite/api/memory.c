/* SPDX-License-Identifier: MIT */
/*
 * memory.c - does memory go back to the system, and what do idle threads cost?
 *
 * Measures the resident set of this process; only for the library without
 * debugging, where these are promises.  Prints what it measured.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static size_t
resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long total, resident = 0;

	if (f == NULL || fscanf(f, "%lu %lu", &total, &resident) != 2)
		CHECK(!"cannot read /proc/self/statm");
	if (f != NULL)
		fclose(f);
	return resident * 4;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What a program does that goes on after its peak: a little of everything. */
static void
carry_on(void)
{
	static void *some[200];
	size_t i;

	for (i = 0; i < 200; i++) {
		free(some[i]);
		some[i] = malloc(i * i % 30000 + 16);
	}
	usleep(10000);
}

/* Wait until the resident set is below @kib; returns the seconds it took. */
static double
wait_below(size_t kib, double limit)
{
	double begin = now();

	while (resident_kib() > kib && now() - begin < limit)
		carry_on();
	return now() - begin;
}

/* Take and touch @n buffers of @size, then free them; RSS before and at peak */
static void
peak(size_t n, size_t size, size_t *before, size_t *top)
{
	char **p = malloc(n * sizeof(*p));
	size_t i;

	*before = resident_kib();
	for (i = 0; i < n; i++) {
		p[i] = malloc(size);
		memset(p[i], 1, size);
	}
	*top = resident_kib();
	for (i = 0; i < n; i++)
		free(p[(i * 7919) % n]);
	free(p);
}

static void
falls_after_peak(const char *what, size_t n, size_t size)
{
	size_t before, top, want;
	double took;

	carry_on();
	peak(n, size, &before, &top);
	want = before + (top - before) / 4;
	took = wait_below(want, 15);
	printf("%s: %zu MiB before, %zu at the peak, %zu after %.1f s\n", what,
	    before >> 10, top >> 10, resident_kib() >> 10, took);
	CHECK(resident_kib() <= want);
}

static void
small_buffers_go_back(void)
{
	falls_after_peak("small buffers", 1500000, 100);
}

static void
middle_buffers_go_back(void)
{
	falls_after_peak("middle buffers", 20000, 9000);
}

static void
large_buffers_go_back(void)
{
	falls_after_peak("large buffers", 40, 5000000);
}

/* A server's life: the peak is made and freed by threads that then end. */
static void *
peak_of_thread(void *arg)
{
	size_t before, top;

	peak((size_t)arg, 150, &before, &top);
	return NULL;
}

static void
memory_of_ended_threads_goes_back(void)
{
	size_t before, top;
	pthread_t t[4];
	double took;
	int i;

	carry_on();
	before = resident_kib();
	for (i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, peak_of_thread, (void *)250000ul);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	top = before + 4 * 250000 / 1024 * 150;
	took = wait_below(before + (top - before) / 4, 15);
	printf("ended threads: %zu MiB before, %zu after %.1f s\n",
	    before >> 10, resident_kib() >> 10, took);
	CHECK(resident_kib() <= before + (top - before) / 4);
}

enum { SPARSE = 8, SPARSE_BYTES = 8 << 20 };

/* KiB that @SPARSE large buffers take of which one byte each is written */
static size_t
cost_of_sparse_buffers(void)
{
	char *p[SPARSE];
	size_t before, cost;
	int i;

	/* what was freed before would serve again */
	malloc_trim(0);
	before = resident_kib();
	for (i = 0; i < SPARSE; i++) {
		p[i] = malloc(SPARSE_BYTES);
		p[i][SPARSE_BYTES / 2] = 1;
	}
	cost = resident_kib() - before;
	for (i = 0; i < SPARSE; i++)
		free(p[i]);
	return cost;
}

/*
 * Large buffers are populated when those before were used throughout.  A
 * program that turns to sparse ones pays for a few, and then no more.
 */
static void
sparse_buffers_stay_sparse(void)
{
	size_t at_first, before, top, turned, after;

	at_first = cost_of_sparse_buffers();
	peak(10, SPARSE_BYTES, &before, &top);
	turned = cost_of_sparse_buffers();
	after = cost_of_sparse_buffers();
	printf("%d sparse buffers of %d MiB: %zu KiB, after as many full ones "
	       "%zu, then %zu again\n",
	    SPARSE, SPARSE_BYTES >> 20, at_first, turned, after);
	CHECK(at_first < 1024);
	CHECK(turned <= (SPARSE - 1) * (SPARSE_BYTES >> 10) + 1024);
	CHECK(after < 1024);
}

static pthread_barrier_t ready, finish;

static void *
idle_thread(void *arg)
{
	void *p[50];
	size_t i;

	for (i = 0; i < 50; i++)
		p[i] = malloc(i * 40 + 8);
	for (i = 0; i < 50; i++)
		free(p[i]);
	(void)arg;
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&finish);
	return NULL;
}

static void *
bare_thread(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&finish);
	return NULL;
}

/* KiB of resident memory that each of @n threads costs while it is idle */
static double
cost_of_threads(int n, void *(*fn)(void *))
{
	static pthread_t t[1000];
	pthread_attr_t attr;
	size_t before;
	double cost;
	int i;

	before = resident_kib();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_barrier_init(&ready, NULL, (unsigned)n + 1);
	pthread_barrier_init(&finish, NULL, (unsigned)n + 1);
	for (i = 0; i < n; i++) {
		if (pthread_create(&t[i], &attr, fn, NULL) != 0) {
			fprintf(stderr, "cannot make %d threads\n", n);
			exit(1);
		}
	}
	pthread_barrier_wait(&ready);
	cost = ((double)resident_kib() - (double)before) / n;
	pthread_barrier_wait(&finish);
	for (i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_destroy(&ready);
	pthread_barrier_destroy(&finish);
	pthread_attr_destroy(&attr);
	return cost;
}

static void
idle_threads_are_cheap(void)
{
	double bare, idle;

	bare = cost_of_threads(1000, bare_thread);
	idle = cost_of_threads(1000, idle_thread);
	printf("a thousand idle threads: %.1f KiB each, %.1f of them the bare "
	       "thread's\n",
	    idle, bare);
	CHECK(idle < 64);
}

static const struct test tests[] = {
    /* first, while nothing is known of large buffers */
    {"sparse buffers stay sparse", sparse_buffers_stay_sparse},
    {"idle threads are cheap", idle_threads_are_cheap},
    {"small buffers go back", small_buffers_go_back},
    {"middle buffers go back", middle_buffers_go_back},
    {"large buffers go back", large_buffers_go_back},
    {"memory of ended threads goes back", memory_of_ended_threads_goes_back},
    {NULL, NULL},
};

int
main(int argc, char **argv)
{
	return check_run(tests, argc > 1 ? argv[1] : NULL);
}
