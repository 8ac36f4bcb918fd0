/* SPDX-License-Identifier: MIT */
/*
 * snap_impl.h - what the files of the snapshot share
 *
 * Layer: private to elfnote.c and snap_*.c.
 */
#ifndef UMDB_SNAP_IMPL_H
#define UMDB_SNAP_IMPL_H

#include "addrmap.h"
#include "guard.h"
#include "snap.h"

#define SNAP_LEAF_SPAN ((uint64_t)UMEM_PM_LEAF_PAGES << UMEM_PAGE_SHIFT)
#define SNAP_ADDR_END ((uint64_t)1 << UMEM_PM_ADDR_BITS)

/* A piece of the memory of traces; see snap_trace.c. */
struct snap_piece {
	taddr_t addr;
	unsigned char *bytes;  /* a copy, NULL before the first is wanted */
	uint64_t have, broken; /* bits of blocks: copied, not readable whole */
};

struct snap_index {
	/* mirrors the target's page map: slab index + 1 of each page */
	uint32_t *leaf[UMEM_PM_ROOTS];
	/*
	 * 1 where a large buffer may lie: the page map has the first pages
	 * of those alone, the rest is found by binary search
	 */
	uint8_t large[UMEM_PM_ROOTS];
	struct addrmap caches; /* address -> index in snap->cache */
	struct addrmap mags;   /* magazines whose rounds were counted */
	bool list_broken;      /* the cache list ended in damage */
	uint32_t cache_room;
	size_t slab_room;
	uint64_t state_room;
	/* the slab that the page map named last, and one not believed */
	taddr_t last_slab, last_end;
	taddr_t bad_slab;
	uint64_t expand[256]; /* bits to bytes of enum buf_state */
	uint32_t bin_cache[UMEM_TC_BINS];
	struct snap_piece piece[UMEM_TRACE_PIECES];
};

/*
 * Steps of snap_open, in this order.  They return UMDB_OK, or what ends it:
 * UMDB_ENOMEM, UMDB_EINTR, or UMDB_ETARGET with a sentence.
 */
int snap_load_caches(struct snap *snap); /* also finds them again, below */
int snap_load_arenas(struct snap *snap);
int snap_load_regions(struct snap *snap);
int snap_load_slabs(struct snap *snap);
int snap_load_magazines(struct snap *snap);

void snap_free_traces(struct snap *snap);

/*
 * snap_adopt_cache - a slab belongs to a cache that is on no list.  When the
 * list is damaged, and the cache looks sound, take it; index or ADDRMAP_NONE.
 */
uint32_t snap_adopt_cache(
    struct snap *snap, taddr_t addr, const umem_slab_t *sp);

/* Why a slab (of that page) or a cache as read cannot be believed, or NULL. */
const char *snap_slab_fault(const umem_slab_t *sp, taddr_t page);
const char *snap_cache_fault(const umem_cache_t *c);

/*
 * snap_size_asked - bytes asked for of an allocated buffer; UINT64_MAX when
 * neither a bufctl nor the red zone knows
 */
uint64_t snap_size_asked(struct target *tgt, const umem_cache_t *c,
    const struct snap_slab *s, uint32_t index);

#endif /* UMDB_SNAP_IMPL_H */
