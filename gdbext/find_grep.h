/* SPDX-License-Identifier: MIT */
/*
 * find_grep.h - where a value stands in memory
 *
 * Every readable mapping is looked through, free buffers and stale copies
 * included: findleaks says what counts, this says what is there.
 *
 * Layer: above target.h; needs no snapshot; may not include out.h.
 */
#ifndef UMDB_FIND_GREP_H
#define UMDB_FIND_GREP_H

#include "target.h"

/* A word w is found when (w & mask) - value < dist. */
struct grep {
	uint64_t value; /* bits outside the mask are ignored */
	uint64_t mask;
	uint64_t dist;      /* 1: exactly that value */
	unsigned size;      /* of a word, which is aligned to it: 1, 2, 4, 8 */
	taddr_t first, end; /* [first, end) is looked through */
};

struct grep_stats {
	uint64_t searched; /* bytes */
	uint64_t skipped;  /* bytes of readable mappings that are not there */
	uint64_t found;
};

/* Called by ascending address; returns WALK_NEXT, WALK_STOP or an error. */
typedef int find_grep_fn(void *arg, taddr_t at, uint64_t value);

/* find_grep - UMDB_OK, also when stopped; UMDB_EINTR; or what fn returned */
int find_grep(struct target *tgt, const struct grep *g, find_grep_fn *fn,
    void *arg, struct grep_stats *stats);

#endif /* UMDB_FIND_GREP_H */
