/* SPDX-License-Identifier: MIT */
/*
 * find_sizes.h - how large the buffers are that malloc and umem_alloc gave
 *
 * Sizes are those asked for where the bufctl or the red zone recorded them,
 * else the size of the cache's buffers.
 *
 * Layer: above find.h; may not include out.h.
 */
#ifndef UMDB_FIND_SIZES_H
#define UMDB_FIND_SIZES_H

#include "find.h"

struct size_count {
	uint64_t size, count;
};

struct sizes {
	struct size_count *size; /* ascending, each count > 0 */
	size_t nsize;
	uint64_t count, bytes; /* of all */
	uint64_t unrecorded;   /* buffers whose size asked for is not known */
	uint64_t held;         /* bytes that they take: chunks, structures */
};

/* find_sizes_known - does a cache record the sizes asked for? */
bool find_sizes_known(const struct snap_cache *c);

/*
 * find_sizes - the allocated buffers of a cache, or, with NULL, of all that
 * malloc uses.  UMDB_OK with *ret filled (find_sizes_fini), or an error.
 */
int find_sizes(
    struct snap *snap, const struct snap_cache *cache, struct sizes *ret);
void find_sizes_fini(struct sizes *s);

/* Ranges of sizes, both ends included; ascending, without gaps. */
struct size_bin {
	uint64_t low, high, count;
};

struct size_bins {
	uint64_t low, high; /* what they shall cover */
	uint64_t most;      /* at most so many bins; 0: any */
	uint64_t width;     /* at least so wide */
	bool geometric;     /* by powers of two; else of one width */
	struct size_bin *bin;
	size_t nbin;
};

/*
 * find_size_bins - count sizes by ranges.  The members up to @geometric say
 * which; bin is to be freed.  UMDB_OK or UMDB_ENOMEM.
 */
int find_size_bins(const struct sizes *s, struct size_bins *b);

#endif /* UMDB_FIND_SIZES_H */
