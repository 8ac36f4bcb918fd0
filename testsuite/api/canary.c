/* SPDX-License-Identifier: MIT */
/*
 * canary.c - an oracle: does anybody else write into my buffers?
 *
 * Many threads allocate by every function of the family, stamp each buffer
 * over its whole length with words made of its address, its size and a random
 * number, keep it for a while or hand it to another thread, resize it, and
 * check every byte before it is freed.  Two live buffers that overlap, a
 * buffer handed out twice, contents that a realloc or a remap lost, memory
 * that calloc did not clear: all of them change a stamp.
 *
 * Usage: canary [-s SEED] [-t SECONDS] [-n THREADS] [-m LARGEST] [-l LIVE]
 * Prints the seed first; the same seed repeats the same requests of each
 * thread, though not their interleaving.  Exit 0 when every stamp was whole.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct item {
	unsigned char *p;
	size_t size;
	uint64_t stamp;
};

struct worker {
	pthread_t thread;
	uint64_t random;
	uint64_t checked;
	struct item *live;
};

enum { BOXES = 256, MAX_THREADS = 256 };

static struct item *box[BOXES]; /* hand-over: taken and left by exchange */
static size_t largest = 300000, nlive = 300;
static double seconds = 3;
static int nthreads = 8;
static uint64_t seed;
static volatile int stop;

static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

_Noreturn static void
broken(const struct item *it, size_t at, const char *what)
{
	fprintf(stderr,
	    "canary: seed %#llx: %s: buffer %p of %zu bytes, offset %zu "
	    "is %#x\n",
	    (unsigned long long)seed, what, (void *)it->p, it->size, at,
	    it->p == NULL ? 0u : it->p[at]);
	abort();
}

static uint64_t
stamp_of(const struct item *it, size_t word)
{
	return (it->stamp ^ it->size) + word * 0x9e3779b97f4a7c15u;
}

static void
stamp(struct item *it, uint64_t value)
{
	size_t i, words = it->size / 8;
	uint64_t w;

	it->stamp = value;
	for (i = 0; i < words; i++) {
		w = stamp_of(it, i);
		memcpy(it->p + i * 8, &w, 8);
	}
	w = stamp_of(it, words);
	memcpy(it->p + words * 8, &w, it->size % 8);
}

/* Check the first @size bytes of a stamped item. */
static void
verify(const struct item *it, size_t size, const char *what)
{
	size_t i, words = size / 8;
	uint64_t w;

	for (i = 0; i <= words; i++) {
		w = stamp_of(it, i);
		if (memcmp(it->p + i * 8, &w, i < words ? 8 : size % 8) != 0)
			broken(it, i * 8, what);
	}
}

/* Mostly small, of all sizes up to the largest. */
static size_t
random_size(uint64_t *state)
{
	uint64_t r = next_random(state);
	unsigned kind = r % 1000;
	size_t limit;

	r >>= 10;
	limit = kind < 700   ? 256
		: kind < 900 ? 2048
		: kind < 990 ? 20000
			     : largest;
	if (limit > largest)
		limit = largest;
	return r % limit + 1;
}

static void
expect_zero(const struct item *it)
{
	size_t i;

	for (i = 0; i < it->size; i++) {
		if (it->p[i] != 0)
			broken(it, i, "calloc gave memory that is not zero");
	}
}

static void
allocate(struct worker *w, struct item *it)
{
	uint64_t r = next_random(&w->random);
	size_t align = 16;

	it->size = random_size(&w->random);
	switch (r % 16) {
	case 0:
	case 1:
		it->p = calloc(1, it->size);
		if (it->p != NULL)
			expect_zero(it);
		break;
	case 2:
		align = (size_t)16 << (r >> 8) % 9;
		it->p = memalign(align, it->size);
		break;
	case 3:
		align = (size_t)8 << (r >> 8) % 6;
		it->p = NULL;
		if (posix_memalign((void **)&it->p, align, it->size) != 0)
			it->p = NULL;
		break;
	case 4:
		it->p = realloc(NULL, it->size);
		break;
	default:
		it->p = malloc(it->size);
	}
	if (it->p == NULL)
		broken(it, 0, "out of memory");
	if (r % 16 >= 2 && r % 16 <= 3 && ((uintptr_t)it->p & (align - 1)) != 0)
		broken(it, 0, "not aligned as asked");
	stamp(it, next_random(&w->random));
}

static void
resize(struct worker *w, struct item *it)
{
	size_t size = random_size(&w->random), old = it->size;
	uint64_t value = it->stamp;
	unsigned char *p = realloc(it->p, size);

	if (p == NULL)
		broken(it, 0, "out of memory in realloc");
	it->p = p;
	verify(it, old < size ? old : size, "realloc lost contents");
	it->size = size;
	stamp(it, value + 1);
}

static void
release(struct worker *w, struct item *it)
{
	verify(it, it->size, "somebody wrote into a live buffer");
	free(it->p);
	it->p = NULL;
	w->checked++;
}

/* Leave an item in a box for another thread, and free what lay there. */
static void
hand_over(struct worker *w, struct item *it)
{
	struct item *mine = malloc(sizeof(*mine)), *theirs;

	if (mine == NULL)
		broken(it, 0, "out of memory");
	*mine = *it;
	it->p = NULL;
	theirs = __atomic_exchange_n(
	    &box[next_random(&w->random) % BOXES], mine, __ATOMIC_ACQ_REL);
	if (theirs != NULL) {
		release(w, theirs);
		free(theirs);
	}
}

static void
step(struct worker *w)
{
	uint64_t r = next_random(&w->random);
	struct item *it = &w->live[r % nlive];

	r >>= 32;
	if (it->p == NULL)
		allocate(w, it);
	else if (r % 10 < 5)
		release(w, it);
	else if (r % 10 < 8)
		hand_over(w, it);
	else
		resize(w, it);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	size_t i;

	w->live = calloc(nlive, sizeof(*w->live));
	if (w->live == NULL)
		return NULL;
	while (!stop) {
		for (i = 0; i < 256; i++)
			step(w);
	}
	for (i = 0; i < nlive; i++) {
		if (w->live[i].p != NULL)
			release(w, &w->live[i]);
	}
	free(w->live);
	return NULL;
}

/* One generation of threads; leaves the boxes for the next one to empty. */
static uint64_t
generation(unsigned number, double until)
{
	static struct worker worker[MAX_THREADS];
	uint64_t checked = 0;
	int i;

	memset(worker, 0, sizeof(worker));
	stop = 0;
	for (i = 0; i < nthreads; i++) {
		worker[i].random = seed + number * 1000003u + (uint64_t)i;
		if (pthread_create(&worker[i].thread, NULL, work, &worker[i]) !=
		    0) {
			perror("canary: pthread_create");
			exit(2);
		}
	}
	while (now() < until)
		usleep(10000);
	stop = 1;
	for (i = 0; i < nthreads; i++) {
		pthread_join(worker[i].thread, NULL);
		checked += worker[i].checked;
	}
	return checked;
}

static void
options(int argc, char **argv)
{
	int c;

	seed = (uint64_t)time(NULL) * 2654435761u ^ (uint64_t)getpid() << 32;
	while ((c = getopt(argc, argv, "s:t:n:m:l:")) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 't')
			seconds = atof(optarg);
		else if (c == 'n')
			nthreads = atoi(optarg);
		else if (c == 'm')
			largest = strtoull(optarg, NULL, 0);
		else if (c == 'l')
			nlive = strtoull(optarg, NULL, 0);
		else
			exit(2);
	}
	if (nthreads < 1 || nthreads > MAX_THREADS || nlive == 0 ||
	    largest == 0)
		exit(2);
}

int
main(int argc, char **argv)
{
	struct worker last = {.checked = 0};
	double begin = now(), part;
	uint64_t checked = 0;
	unsigned i;

	options(argc, argv);
	printf("canary: seed %#llx, %d threads, %.1f s\n",
	    (unsigned long long)seed, nthreads, seconds);
	fflush(stdout);
	/* threads end and others find their caches and their buffers */
	part = seconds / 4;
	for (i = 0; i < 4; i++)
		checked += generation(i, begin + (i + 1) * part);
	for (i = 0; i < BOXES; i++) {
		if (box[i] != NULL) {
			release(&last, box[i]);
			free(box[i]);
		}
	}
	printf("canary: %llu buffers checked, all whole\n",
	    (unsigned long long)(checked + last.checked));
	return 0;
}
