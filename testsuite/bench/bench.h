/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the benchmark programs share: time, random numbers, sizes
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline uint64_t
next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* Sizes as programs ask for: 70 % to 128, 20 % to 512, 8 % to 2 K, 2 % to 8 K */
static inline size_t
mixed_size(uint64_t *state)
{
	uint64_t r = next_random(state);
	unsigned p = (r >> 40) % 100;
	size_t v = r & 0xffffff;

	if (p < 70)
		return 16 + v % 113;
	if (p < 90)
		return 129 + v % 384;
	if (p < 98)
		return 513 + v % 1536;
	return 2049 + v % 6144;
}

/* Touch a buffer so that it is really used. */
static inline void
touch(void *p)
{
	*(volatile char *)p = 1;
}

_Noreturn static inline void
die(const char *why)
{
	fprintf(stderr, "bench: %s\n", why);
	exit(2);
}

#endif /* BENCH_H */
