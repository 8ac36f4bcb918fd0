/* SPDX-License-Identifier: MIT */
/*
 * rangemap.h - which of many ranges of addresses holds one
 *
 * Filled once, then sorted, then asked: a question takes as long as a binary
 * search where ranges do not overlap.  They do only where a target is damaged;
 * all that hold the address are found then, too.
 *
 * Layer: above error.h.
 */
#ifndef UMDB_RANGEMAP_H
#define UMDB_RANGEMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct rangemap_entry {
	taddr_t start, end;
	taddr_t reach; /* the highest end of this one and those before it */
	uint64_t value;
};

struct rangemap {
	struct rangemap_entry *entry; /* by start, once sorted */
	size_t n, room;
	bool ready; /* sorted, and all are there */
};

/* rangemap_add - nothing is added of size 0.  UMDB_OK, UMDB_ENOMEM */
int rangemap_add(
    struct rangemap *m, taddr_t start, uint64_t size, uint64_t value);

/* rangemap_sort - all are added: from now on it can be asked */
void rangemap_sort(struct rangemap *m);

/*
 * rangemap_at - an entry that holds addr: that which starts last, and when @after
 * is given that which comes before it; NULL when there is none
 */
const struct rangemap_entry *rangemap_at(
    const struct rangemap *m, taddr_t addr, const struct rangemap_entry *after);

/* rangemap_fini - empty again, and not ready */
void rangemap_fini(struct rangemap *m);

#endif /* UMDB_RANGEMAP_H */
