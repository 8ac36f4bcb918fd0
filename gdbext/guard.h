/* SPDX-License-Identifier: MIT */
/*
 * guard.h - walking links that may be damaged
 *
 * Layer: above error.h; used by snap_*.c and walk_*.c.
 */
#ifndef UMDB_GUARD_H
#define UMDB_GUARD_H

#include <stdbool.h>

#include "error.h"

/*
 * A cycle guard: Brent's algorithm ("An improved Monte Carlo factorization
 * algorithm", 1980).  Zero it before the walk; guard_loops() is true when
 * @addr was seen before.  A loop of n links is noticed within 3 n steps.
 */
struct guard {
	taddr_t tortoise;
	uint64_t steps, limit;
};

static inline bool
guard_loops(struct guard *g, taddr_t addr)
{
	if (g->limit != 0 && addr == g->tortoise)
		return true;
	if (g->limit == 0 || ++g->steps == g->limit) {
		g->tortoise = addr;
		g->steps = 0;
		g->limit = g->limit == 0 ? 1 : g->limit * 2;
	}
	return false;
}

#endif /* UMDB_GUARD_H */
