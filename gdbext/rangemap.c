/* SPDX-License-Identifier: MIT */
/*
 * rangemap.c - sorted ranges
 *
 * Layer: above error.h.
 */
#include "rangemap.h"

#include <stdlib.h>
#include <string.h>

int
rangemap_add(struct rangemap *m, taddr_t start, uint64_t size, uint64_t value)
{
	struct rangemap_entry *more;
	taddr_t end;

	if (size == 0)
		return UMDB_OK;
	if (__builtin_add_overflow(start, size, &end))
		end = UINT64_MAX;
	if (m->n == m->room) {
		m->room = m->room == 0 ? 256 : m->room * 2;
		more = realloc(m->entry, m->room * sizeof(*m->entry));
		if (more == NULL) {
			rangemap_fini(m);
			return UMDB_ENOMEM;
		}
		m->entry = more;
	}
	m->entry[m->n++] = (struct rangemap_entry){start, end, end, value};
	return UMDB_OK;
}

static int
by_start(const void *a, const void *b)
{
	const struct rangemap_entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

void
rangemap_sort(struct rangemap *m)
{
	size_t i;

	if (m->n > 1)
		qsort(m->entry, m->n, sizeof(*m->entry), by_start);
	for (i = 1; i < m->n; i++)
		if (m->entry[i].reach < m->entry[i - 1].reach)
			m->entry[i].reach = m->entry[i - 1].reach;
	m->ready = true;
}

/* How many start at addr or before. */
static size_t
starts_until(const struct rangemap *m, taddr_t addr)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (m->entry[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct rangemap_entry *
rangemap_at(
    const struct rangemap *m, taddr_t addr, const struct rangemap_entry *after)
{
	size_t i =
	    after != NULL ? (size_t)(after - m->entry) : starts_until(m, addr);

	while (i-- > 0 && m->entry[i].reach > addr)
		if (m->entry[i].end > addr)
			return &m->entry[i];
	return NULL;
}

void
rangemap_fini(struct rangemap *m)
{
	free(m->entry);
	memset(m, 0, sizeof(*m));
}
