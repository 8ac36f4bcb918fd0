/* SPDX-License-Identifier: MIT */
/*
 * find_grep.c - where a value stands in memory
 *
 * Memory is taken in pieces: borrowed where the target lends it, else read.
 * A few dozen words at a time are compared without a branch; only where one
 * of them fits are they looked at singly.
 *
 * Layer: see find_grep.h.
 */
#include <stdlib.h>
#include <string.h>

#include "find_grep.h"
#include "umem_layout.h"
#include "walk.h"

#define PIECE (1u << 20) /* bytes taken at a time */
#define BLOCK 64u        /* words compared at a time */
#define PAGE UMEM_PAGE_SIZE
/* After so many bytes in a row that cannot be read a mapping is given up. */
#define GIVE_UP (64u * PAGE)

struct search {
	struct target *tgt;
	const struct grep *g;
	find_grep_fn *fn;
	void *arg;
	struct grep_stats *stats;
	uint8_t *buf; /* PIECE bytes */
	uint64_t done, total;
};

/* ------------------------------------------------------------- comparing */

static inline uint64_t
word_at(const uint8_t *p, unsigned size)
{
	uint64_t w = 0;

	memcpy(&w, p, size);
	return w;
}

static inline bool
word_fits(const struct grep *g, uint64_t w)
{
	return (w & g->mask) - g->value < g->dist;
}

/* One by one; n words at p, which stands for the address at. */
static int
grep_words(struct search *s, const uint8_t *p, size_t n, taddr_t at)
{
	const unsigned size = s->g->size;
	uint64_t w;
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		w = word_at(p + i * size, size);
		if (!word_fits(s->g, w))
			continue;
		s->stats->found++;
		rc = s->fn(s->arg, at + i * size, w);
		if (rc != WALK_NEXT)
			return rc;
	}
	return WALK_NEXT;
}

/* Does any of BLOCK words fit?  Inlined for each size. */
static inline bool
block_any(const struct grep *g, const uint8_t *p, unsigned size)
{
	const uint64_t mask = g->mask, value = g->value, dist = g->dist;
	bool any = false;
	unsigned i;

	for (i = 0; i < BLOCK; i++)
		any |= (word_at(p + i * size, size) & mask) - value < dist;
	return any;
}

static inline int
grep_sized(struct search *s, const uint8_t *p, size_t n, taddr_t at,
    const unsigned size)
{
	size_t i;
	int rc;

	for (i = 0; i + BLOCK <= n; i += BLOCK) {
		if (!block_any(s->g, p + i * size, size))
			continue;
		rc = grep_words(s, p + i * size, BLOCK, at + i * size);
		if (rc != WALK_NEXT)
			return rc;
	}
	return grep_words(s, p + i * size, n - i, at + i * size);
}

static int
grep_bytes(struct search *s, const uint8_t *p, uint64_t len, taddr_t at)
{
	s->stats->searched += len;
	switch (s->g->size) {
	case 1:
		return grep_sized(s, p, len, at, 1);
	case 2:
		return grep_sized(s, p, len / 2, at, 2);
	case 4:
		return grep_sized(s, p, len / 4, at, 4);
	default:
		return grep_sized(s, p, len / 8, at, 8);
	}
}

/* --------------------------------------------------------------- mappings */

/*
 * Read what of [at, at + len) can be read, a page at a time; *row counts
 * unreadable bytes in a row.
 */
static int
grep_pages(struct search *s, taddr_t at, uint64_t len, uint64_t *row)
{
	uint64_t n;
	int rc;

	for (; len > 0; at += n, len -= n) {
		n = PAGE - at % PAGE;
		if (n > len)
			n = len;
		if (*row < GIVE_UP &&
		    target_read(s->tgt, at, s->buf, n, "memory") == UMDB_OK) {
			*row = 0;
			rc = grep_bytes(s, s->buf, n, at);
			if (rc != WALK_NEXT)
				return rc;
			continue;
		}
		*row += n;
		s->stats->skipped += n;
	}
	return WALK_NEXT;
}

static int
grep_piece(struct search *s, taddr_t at, uint64_t *len, uint64_t *row)
{
	const uint8_t *p;
	size_t avail;

	p = target_map(s->tgt, at, &avail);
	if (p != NULL && avail >= s->g->size) {
		if (avail < *len)
			*len = avail - avail % s->g->size;
		*row = 0;
		return grep_bytes(s, p, *len, at);
	}
	if (*row < GIVE_UP &&
	    target_read(s->tgt, at, s->buf, *len, "memory") == UMDB_OK) {
		*row = 0;
		return grep_bytes(s, s->buf, *len, at);
	}
	return grep_pages(s, at, *len, row);
}

static int
grep_range(struct search *s, taddr_t at, taddr_t end)
{
	uint64_t n, row = 0;
	int rc;

	for (; at < end; at += n, s->done += n) {
		if (target_poll_bytes(
			s->tgt, "searching memory", s->done, s->total))
			return target_fail(
			    s->tgt, UMDB_EINTR, 0, "interrupted");
		n = PIECE - at % PIECE;
		if (n > end - at)
			n = end - at;
		rc = grep_piece(s, at, &n, &row);
		if (rc != WALK_NEXT)
			return rc;
	}
	return WALK_NEXT;
}

/* The words of a mapping that lie in the range asked for, whole ones only. */
static bool
grep_clip(const struct grep *g, const struct target_region *r, taddr_t *start,
    taddr_t *end)
{
	*start = r->start > g->first ? r->start : g->first;
	*end = r->end < g->end ? r->end : g->end;
	if (!r->readable || *start >= *end)
		return false;
	*start += -*start % g->size;
	*end -= *end % g->size;
	return *start < *end;
}

static int
grep_regions(struct search *s)
{
	const struct target *tgt = s->tgt;
	taddr_t start, end;
	size_t i;
	int rc;

	for (i = 0; i < tgt->nregion; i++)
		if (grep_clip(s->g, &tgt->region[i], &start, &end))
			s->total += end - start;
	for (i = 0; i < tgt->nregion; i++) {
		if (!grep_clip(s->g, &tgt->region[i], &start, &end))
			continue;
		rc = grep_range(s, start, end);
		if (rc != WALK_NEXT)
			return rc;
	}
	return WALK_NEXT;
}

int
find_grep(struct target *tgt, const struct grep *g, find_grep_fn *fn, void *arg,
    struct grep_stats *stats)
{
	struct grep exact = *g;
	struct search s = {
	    .tgt = tgt, .g = &exact, .fn = fn, .arg = arg, .stats = stats};
	int rc;

	memset(stats, 0, sizeof(*stats));
	exact.value &= g->mask;
	/* a distance does not go on from zero */
	if (exact.value != 0 && exact.dist > -exact.value)
		exact.dist = -exact.value;
	s.buf = malloc(PIECE);
	if (s.buf == NULL)
		return target_fail(tgt, UMDB_ENOMEM, 0, "out of memory");
	rc = grep_regions(&s);
	free(s.buf);
	return rc == WALK_STOP ? UMDB_OK : rc;
}
