/* SPDX-License-Identifier: MIT */
/*
 * row.h - buffers that touch, for programs of leak.sh
 *
 * Without UMEM_DEBUG two buffers of a size class can touch.  row() finds some
 * that do.  With it none do, and any will serve: what a program states of them
 * must then be what holds without the neighbour.
 */
#ifndef TEST_LEAK_ROW_H
#define TEST_LEAK_ROW_H

#include "truth.h"

#define ROW_TRIES 400u

STEP int
row_compare(const void *a, const void *b)
{
	const uint64_t *x = (const uint64_t *)a, *y = (const uint64_t *)b;

	return *x < *y ? 1 : *x > *y ? -1 : 0; /* of complements */
}

/* Where @n neighbours begin among hidden[]; without a row the end of it. */
STEP size_t
row_find(const uint64_t *hidden, size_t size, size_t n)
{
	size_t i, k = 1;

	for (i = 1; i < ROW_TRIES && k < n; i++)
		k = hidden[i] + size == hidden[i - 1] ? k + 1 : 1;
	return k == n ? i - n : ROW_TRIES;
}

/*
 * row - the complements of @n buffers side by side.  The first is free, and
 * what malloc(size) gives next; unless @keep.
 */
STEP void
row(size_t size, size_t n, int keep, uint64_t *ret)
{
	uint64_t hidden[ROW_TRIES];
	size_t i, first;

	for (i = 0; i < ROW_TRIES; i++)
		hidden[i] = ~(uint64_t)(uintptr_t)calloc(1, size);
	qsort(hidden, ROW_TRIES, sizeof(hidden[0]), row_compare);
	first = truth_audited() ? 0 : row_find(hidden, size, n);
	if (first == ROW_TRIES) {
		fprintf(stderr, "no %zu buffers of %zu touch\n", n, size);
		_exit(3);
	}
	for (i = 0; i < ROW_TRIES; i++)
		if (i < first || i >= first + n)
			free((void *)(uintptr_t)~hidden[i]);
	memcpy(ret, hidden + first, n * sizeof(*ret));
	if (!keep)
		free((void *)(uintptr_t)~ret[0]);
}

/*
 * row_behind - lose a buffer behind the one that malloc(size) gives next, and
 * another one that it leads to.  When the end of that one is pointed to, they
 * are not quite lost.
 */
STEP void
row_behind(size_t size)
{
	uint64_t hidden[2];
	void *p;

	row(size, 2, 0, hidden);
	p = malloc(200);
	*(void **)(uintptr_t)~hidden[1] = p;
	truth_lost((void *)(uintptr_t)~hidden[1],
	    truth_audited() ? DEFINITE : POSSIBLE);
	truth_lost(p, truth_audited() ? INDIRECT : POSSIBLE);
}

#endif /* TEST_LEAK_ROW_H */
