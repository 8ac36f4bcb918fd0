/* SPDX-License-Identifier: MIT */
/*
 * find_growth.h - all that is allocated, by cache and stack
 *
 * What a snapshot holds.  Unlike find_users() it counts buffers without a
 * record too, by their cache.
 *
 * Layer: above find_users.h; may not include out.h.
 */
#ifndef UMDB_FIND_GROWTH_H
#define UMDB_FIND_GROWTH_H

#include "find_users.h"
#include "samples.h"

struct growth_group {
	uint32_t cache;        /* index in snap->cache */
	uint32_t depth;        /* 0: no record */
	const uint64_t *stack; /* of the snapshot */
	uint64_t count, bytes;
	uint64_t age[SAMPLE_AGES]; /* bytes of each age */
};

struct growth {
	struct growth_group *group;
	size_t n;
	uint64_t newest; /* time stamp that ages count from; 0: no ages */
	uint64_t count, bytes;
};

/**
 * find_growth - group the allocated buffers of clients
 *
 * Linear in their number.  Returns UMDB_OK with *ret set (find_growth_free),
 * UMDB_EINTR on Ctrl-C, or another error with a sentence in snap->tgt->err.
 */
int find_growth(struct snap *snap, struct growth **ret);
void find_growth_free(struct growth *g);

#endif /* UMDB_FIND_GROWTH_H */
