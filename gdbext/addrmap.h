/* SPDX-License-Identifier: MIT */
/*
 * addrmap.h - a hash table from target addresses to small numbers
 *
 * Layer: above error.h.
 */
#ifndef UMDB_ADDRMAP_H
#define UMDB_ADDRMAP_H

#include <stddef.h>

#include "error.h"

#define ADDRMAP_NONE UINT32_MAX

struct addrmap {
	struct addrmap_slot {
		taddr_t addr; /* 0: empty */
		uint32_t value;
	} * slot;
	size_t size; /* a power of two, or 0 */
	size_t used;
};

/* addrmap_put - enter or replace; address 0 cannot be.  UMDB_OK, UMDB_ENOMEM */
int addrmap_put(struct addrmap *m, taddr_t addr, uint32_t value);

/* addrmap_get - the value, or ADDRMAP_NONE */
uint32_t addrmap_get(const struct addrmap *m, taddr_t addr);

void addrmap_fini(struct addrmap *m);

#endif /* UMDB_ADDRMAP_H */
