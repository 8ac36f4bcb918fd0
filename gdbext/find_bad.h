/* SPDX-License-Identifier: MIT */
/*
 * find_bad.h - what the parts of umem_verify share
 *
 * find_bad.c looks at buffers and their guards, find_struct.c at slabs,
 * magazines and arenas.
 *
 * Layer: private to find_bad.c and find_struct.c.
 */
#ifndef UMDB_FIND_BAD_H
#define UMDB_FIND_BAD_H

#include "find.h"

struct checker {
	struct snap *snap;
	const struct snap_cache *cache;
	find_bad_fn *fn;
	void *arg;
	uint64_t checked, found;
	int rc; /* UMDB_OK; WALK_STOP when fn wants no more; or an error */
	uint8_t *copy;
	size_t copyroom;
	/* words that threads inside the library hold, sorted; made once */
	uint64_t *held;
	size_t nheld;
	bool have_held, inside;
};

/* bad_report - hand one finding to the caller */
void bad_report(struct checker *k, struct bad *bad, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * bad_view - local address of target memory, borrowed or copied; NULL when
 * it cannot be read.  Valid until the next call.
 */
const uint8_t *bad_view(struct checker *k, taddr_t addr, uint64_t len);

/* bad_inside - is any thread inside the library, or was called from it? */
bool bad_inside(struct checker *k);

/* bad_structures - the cache's lists, magazines and arena */
void bad_structures(struct checker *k);

#endif /* UMDB_FIND_BAD_H */
