/* SPDX-License-Identifier: MIT */
/*
 * find_scan.h - all pointers to candidates in a piece of memory
 *
 * find_follow.c asks of a word whether it reaches something new.  Here the
 * question is which buffer a word points to, whatever is known of that one,
 * and every such word counts.
 *
 * A pointer belongs to a buffer when it leads to its start or to one of the
 * bytes asked for.
 *
 * Layer: above find_mark.h.
 */
#ifndef UMDB_FIND_SCAN_H
#define UMDB_FIND_SCAN_H

#include "find_mark.h"

/* A buffer as a number: its place in snap->state. */
#define SCAN_NONE UINT32_MAX

/* Called for the word @value at @at, which points to @node. */
typedef void find_scan_fn(void *arg, taddr_t at, uint64_t value, uint32_t node);

struct scan {
	struct mark *m;
	find_scan_fn *fn;
	void *arg;
	uint8_t *bounce;      /* for memory that has to be read */
	uint8_t *block;       /* copy of a slab's buffers */
	struct mark_slab at;  /* that slab, with its bytes in the copy */
	size_t fetched;       /* its ordinal + 1, or 0 */
	uint64_t done, total; /* bytes, for progress */
	uint64_t unread;      /* bytes that could not be read */
};

void find_scan_init(
    struct scan *s, struct mark *m, find_scan_fn *fn, void *arg);
void find_scan_fini(struct scan *s);

/*
 * find_scan_node - the candidate that a word points to, or SCAN_NONE.
 * Candidates have numbers below SCAN_NONE: the snapshot must have fewer.
 */
uint32_t find_scan_node(const struct mark *m, uint64_t value);

/*
 * find_scan_memory, find_scan_buffer - the words of a range, of a candidate.
 * UMDB_OK, UMDB_EINTR or UMDB_ENOMEM.
 */
int find_scan_memory(struct scan *s, taddr_t addr, uint64_t len);
int find_scan_buffer(struct scan *s, size_t slab, uint32_t index);

/*
 * find_scan_fetch - the buffers of this slab will be scanned, one after the
 * other: copy them all, where that is cheaper than to look at their pages
 */
void find_scan_fetch(struct scan *s, size_t slab);

/* find_scan_slab - the slab that holds a number, and the index in it */
size_t find_scan_slab(
    const struct snap *snap, uint32_t node, uint32_t *index_ret);

#endif /* UMDB_FIND_SCAN_H */
