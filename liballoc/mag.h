/* SPDX-License-Identifier: MIT */
/*
 * mag.h - magazines and the depot
 *
 * A magazine is an array of buffer pointers.  Each cache has a depot with a
 * list of magazines that hold something and one of empty ones; threads swap
 * whole magazines with it under a lock held for a few instructions (Bonwick
 * and Adams, "Magazines and Vmem", 2001).  The depot keeps no more than
 * DEPOT_BYTES in buffers a cache; what is beyond goes back to the slabs, and
 * so does what nobody needed between two updates (the working set).
 *
 * Layer: above slab.h; below tcache.h.
 */
#ifndef UMEM_MAG_H
#define UMEM_MAG_H

#include <stddef.h>

#include "umem_layout.h"

enum {
	DEPOT_BYTES = 1 << 20,
	DEPOT_MIN_MAGAZINES = 4,
	/* a cache of this size is sparse when so small a share is in use */
	SPARSE_BYTES = 1 << 20,
	SPARSE_SHARE = 8,
};

/* mag_drain - destruct all rounds and give them back to their slabs */
void mag_drain(umem_cache_t *cp, umem_magazine_t *mp);

/* mag_get - an empty magazine for this cache, or NULL without memory */
umem_magazine_t *mag_get(umem_cache_t *cp);

/*
 * depot_get - a magazine with rounds, or NULL.  It is written to
 * *transit before it leaves the depot's list: see tc_transit.
 */
umem_magazine_t *depot_get(umem_cache_t *cp, umem_magazine_t **transit);

/*
 * depot_put - give a magazine to the depot, filled or empty.  When the depot
 * has enough its rounds go back to the slabs.
 */
void depot_put(umem_cache_t *cp, umem_magazine_t *mp);

/* depot_keep - the same, whether or not the depot has enough */
void depot_keep(umem_cache_t *cp, umem_magazine_t *mp);

/* depot_update - note the working set; free what was not used since then */
void depot_update(umem_cache_t *cp);

/* depot_purge - all magazines and their rounds go back */
void depot_purge(umem_cache_t *cp);

#endif /* UMEM_MAG_H */
