/* SPDX-License-Identifier: MIT */
/*
 * slab.h - pages cut into equal buffers
 *
 * A slab is a run of pages from the cache's arena and a umem_slab_t apart
 * from it, with a bit per chunk: 1 while the chunk is handed out to the
 * layers above.  Nothing is written into a free buffer here.  Slabs with
 * free chunks stand on cache_partial, the others on cache_full; a slab whose
 * last chunk comes back is destroyed, one such is kept.
 *
 * Buffers travel in magazines.  The order of the stores is part of the
 * contract with the debugger: a buffer that is free is always found in its
 * slab's map or in a magazine, so on the way out it is written into the
 * magazine before its bit is set, on the way back the bit is cleared first.
 *
 * Layer: above pagemap.h, heap.h and audit.h; below mag.h.
 */
#ifndef UMEM_SLAB_H
#define UMEM_SLAB_H

#include <stddef.h>

#include "umem_layout.h"

/**
 * slab_fill - put up to @n free buffers into a magazine
 *
 * Appends at mag_rounds, which must leave room.  Makes a slab when there is
 * none with a free chunk.  Returns the number of buffers added; 0 means no
 * memory.  Takes cache_lock.
 */
unsigned slab_fill(umem_cache_t *cp, umem_magazine_t *mp, unsigned n);

/*
 * slab_drain - give a magazine's rounds from @keep up back to their slabs;
 * mag_rounds is then @keep.  A round that is no buffer of this cache is
 * reported as a fault.  Takes cache_lock.
 */
void slab_drain(umem_cache_t *cp, umem_magazine_t *mp, unsigned keep);

/* slab_alloc, slab_free - the same for one buffer without a magazine */
void *slab_alloc(umem_cache_t *cp);
void slab_free(umem_cache_t *cp, void *buf);

/* slab_destroy_all - at the end of a cache.  Returns buffers still in use. */
size_t slab_destroy_all(umem_cache_t *cp);

/* slab_trim - destroy the wholly free slab that is kept for later */
void slab_trim(umem_cache_t *cp);

/*
 * cache_recip is 2^40 / cache_chunksize, rounded up: exact for every offset
 * in a slab while slab size times chunk size is below 2^40, which
 * SLAB_MAX_SIZE ensures for slabs of several chunks.
 */
#define SLAB_MAX_SIZE (1u << 20)

/**
 * slab_index - which chunk of the slab starts at @buf
 *
 * Returns its index, or -1 when @buf is not the start of a chunk.
 */
static inline long
slab_index(const umem_slab_t *sp, const void *buf)
{
	uint64_t offset = (uint64_t)((uintptr_t)buf - (uintptr_t)sp->slab_base -
				     sp->slab_first);
	uint64_t i;

	if (offset >= sp->slab_size)
		return -1;
	i = sp->slab_chunks == 1
		? 0
		: offset * sp->slab_cache->cache_recip >> UMEM_RECIP_SHIFT;
	if (i >= sp->slab_chunks || i * sp->slab_chunksize != offset)
		return -1;
	return (long)i;
}

/* slab_chunk - where chunk @i starts */
static inline void *
slab_chunk(const umem_slab_t *sp, size_t i)
{
	return (char *)sp->slab_base + sp->slab_first + i * sp->slab_chunksize;
}

/* slab_chunk_of - start of the chunk that @addr, in the slab, falls into */
static inline void *
slab_chunk_of(const umem_slab_t *sp, const void *addr)
{
	uint64_t start = (uintptr_t)sp->slab_base + sp->slab_first;
	uint64_t i = 0;

	if ((uintptr_t)addr > start)
		i = ((uintptr_t)addr - start) / sp->slab_chunksize;
	return slab_chunk(sp, i < sp->slab_chunks ? i : sp->slab_chunks - 1);
}

/*
 * cache_is_checked - true when every alloc and free of the cache goes through
 * audit.c; objects are then constructed at each allocation, because the
 * patterns of a free buffer destroy them
 */
static inline int
cache_is_checked(const umem_cache_t *cp)
{
	return (cp->cache_flags & (UMF_AUDIT | UMF_BUFTAG | UMF_CONTENTS)) != 0;
}

static inline void **
mag_round(umem_magazine_t *mp)
{
	return (void **)((char *)mp + UMEM_MAG_ROUND);
}

#endif /* UMEM_SLAB_H */
