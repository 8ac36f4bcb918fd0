/* SPDX-License-Identifier: MIT */
/*
 * scan.c - how fast this machine could mark, if marking were reading in order
 *
 * scan MIB: fills so much memory with words of which a sixth, as in leakbench,
 * point to 48-byte buffers in a heap of that size, and lets each processor
 * look at its part: is the word in the heap, in a page of buffers, which
 * buffer is it, is that one marked.  Prints GB/s, the median of five.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BASE 0x7f0000000000ull
#define BUFFER 48u
#define ROUNDS 5
#define THREADS 16

struct part {
	pthread_t thread;
	const uint64_t *word;
	size_t n;
	uint64_t found;
};

static uint64_t size;
static uint8_t *page, *mark;

static void *
work(void *arg)
{
	struct part *p = arg;
	uint64_t off, buffer;
	size_t i;

	for (i = 0; i < p->n; i++) {
		off = p->word[i] - BASE;
		if (off >= size || page[off >> 12] == 0)
			continue;
		buffer = off / BUFFER;
		p->found += mark[buffer] == 0;
		mark[buffer] = 1;
	}
	return NULL;
}

static double
once(const uint64_t *word, size_t n, unsigned threads)
{
	static struct part part[THREADS];
	struct timespec a, b;
	unsigned i;

	memset(mark, 0, size / BUFFER + 1);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < threads; i++) {
		part[i] = (struct part){
		    .word = word + n / threads * i, .n = n / threads};
		pthread_create(&part[i].thread, NULL, work, &part[i]);
	}
	for (i = 0; i < threads; i++)
		pthread_join(part[i].thread, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)size / 1e9 /
	       ((double)(b.tv_sec - a.tv_sec) +
		   (double)(b.tv_nsec - a.tv_nsec) / 1e9);
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int
main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t *word, z = 88172645463325252u;
	double rate[ROUNDS];
	size_t n, i;

	size = strtoull(argc > 1 ? argv[1] : "1024", NULL, 0) << 20;
	n = size / sizeof(*word);
	word = malloc(size);
	page = malloc((size >> 12) + 1);
	mark = malloc(size / BUFFER + 1);
	if (word == NULL || page == NULL || mark == NULL || n == 0)
		return 1;
	memset(page, 1, (size >> 12) + 1);
	for (i = 0; i < n; i++) {
		z ^= z << 13;
		z ^= z >> 7;
		z ^= z << 17;
		word[i] = (z >> 32) % 6 == 0 ? BASE + z % size : z & 0xffff;
	}
	for (i = 0; i < ROUNDS; i++)
		rate[i] = once(word, n,
		    cpus < 1         ? 1
		    : cpus > THREADS ? THREADS
				     : (unsigned)cpus);
	qsort(rate, ROUNDS, sizeof(rate[0]), compare);
	printf("%.3f\n", rate[ROUNDS / 2]);
	return 0;
}
