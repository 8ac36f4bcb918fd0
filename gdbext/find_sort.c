/* SPDX-License-Identifier: MIT */
/*
 * find_sort.c - sorting that the user can stop
 *
 * Runs of a bounded length are sorted by qsort and merged, two by two.
 *
 * Layer: see find_sort.h.
 */
#include "find_sort.h"

#include <stdlib.h>
#include <string.h>

struct sort {
	struct target *tgt;
	const char *what;
	size_t n, size;
	uint64_t done, total; /* elements, in all passes */
	int (*compare)(const void *, const void *);
};

static bool
sort_poll(struct sort *s, size_t n)
{
	s->done += n;
	return target_poll(s->tgt, s->what, s->done, s->total);
}

/* Sort runs; *sorted_ret: one followed on the other already. */
static int
sort_runs(struct sort *s, char *base, bool *sorted_ret)
{
	size_t at, len, i;
	char *p;

	*sorted_ret = true;
	for (at = 0; at < s->n; at += len) {
		len = s->n - at < FIND_SORT_RUN ? s->n - at : FIND_SORT_RUN;
		p = base + at * s->size;
		for (i = 1; i < len; i++)
			if (s->compare(p + (i - 1) * s->size, p + i * s->size) >
			    0)
				break;
		if (i < len)
			qsort(p, len, s->size, s->compare);
		if (at > 0 && s->compare(p - s->size, p) > 0)
			*sorted_ret = false;
		if (sort_poll(s, len))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

/* Merge [a, b) and [b, end) to @to. */
static int
sort_merge(
    struct sort *s, const char *a, const char *b, const char *end, char *to)
{
	const char *const mid = b;
	size_t i;

	for (i = 0; a < mid || b < end; i++, to += s->size) {
		const char **from =
		    b == end || (a < mid && s->compare(a, b) <= 0) ? &a : &b;

		memcpy(to, *from, s->size);
		*from += s->size;
		if (i % FIND_SORT_RUN == FIND_SORT_RUN - 1 &&
		    sort_poll(s, FIND_SORT_RUN))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

/* Merge runs of @width, two by two, from @from to @to. */
static int
sort_pass(struct sort *s, const char *from, char *to, size_t width)
{
	size_t at, mid, end;
	int rc = UMDB_OK;

	for (at = 0; at < s->n && rc == UMDB_OK; at = end) {
		mid = s->n - at < width ? s->n : at + width;
		end = s->n - mid < width ? s->n : mid + width;
		rc = sort_merge(s, from + at * s->size, from + mid * s->size,
		    from + end * s->size, to + at * s->size);
	}
	return rc;
}

int
find_sort(struct target *tgt, const char *what, void *base, size_t n,
    size_t size, int (*compare)(const void *, const void *))
{
	struct sort s = {tgt, what, n, size, 0, n, compare};
	char *from = base, *to, *other;
	bool sorted;
	size_t width;
	int rc;

	for (width = FIND_SORT_RUN; width < n; width *= 2)
		s.total += n;
	rc = sort_runs(&s, base, &sorted);
	if (rc != UMDB_OK || sorted)
		return rc;
	to = other = malloc(n * size);
	if (other == NULL)
		return UMDB_ENOMEM;
	for (width = FIND_SORT_RUN; width < n && rc == UMDB_OK; width *= 2) {
		rc = sort_pass(&s, from, to, width);
		if (rc == UMDB_OK) {
			char *swap = from;

			from = to;
			to = swap;
		}
	}
	if (from == other) /* whole; what lies in to may not be */
		memcpy(base, from, n * size);
	free(other);
	return rc;
}
