/* SPDX-License-Identifier: MIT */
/*
 * cache.h - caches, and the table of sizes that malloc is served from
 *
 * Layer: above tcache.h; below umem.c and malloc.c.
 */
#ifndef UMEM_CACHE_H
#define UMEM_CACHE_H

#include <stddef.h>

#include "umem_layout.h"

/*
 * Requests up to SIZE_SMALL find their class in one load at a granularity of
 * 16 bytes, those up to SIZE_MAX_CACHED at one of 1 KiB; larger ones are
 * large (large.h).
 */
enum {
	SIZE_SMALL = 8192,
	SIZE_SMALL_SHIFT = 4,
	SIZE_MAX_CACHED = 256 * 1024,
	SIZE_MEDIUM_SHIFT = 10,
	SIZE_MAX_CLASSES = 120,
};

/*
 * The fast path's tables: size -> bin of the thread cache; 0, which always
 * misses, while the library is not ready and when calls are checked.
 */
extern uint8_t size_bin_small[(SIZE_SMALL >> SIZE_SMALL_SHIFT) + 1]
    __attribute__((visibility("hidden")));
extern uint8_t size_bin_medium[(SIZE_MAX_CACHED >> SIZE_MEDIUM_SHIFT) + 1]
    __attribute__((visibility("hidden")));

/* size_bin - the bin for a request of at most SIZE_MAX_CACHED bytes */
static inline unsigned
size_bin(size_t size)
{
	if (__builtin_expect(size <= SIZE_SMALL, 1))
		return size_bin_small[(size + 15) >> SIZE_SMALL_SHIFT];
	return size_bin_medium[(size + 1023) >> SIZE_MEDIUM_SHIFT];
}

/* bin -> size of the buffers there, or 0 when they are not malloc's */
extern uint32_t bin_size[UMEM_TC_BINS] __attribute__((visibility("hidden")));

/*
 * size_suits - whether a buffer with room for @room bytes may become @size
 * bytes, not 0, where it is: to shrink it by less than half is not worth a copy
 */
static inline int
size_suits(size_t room, size_t size)
{
	return size - 1 < room && size >= room / 2;
}

/* What a new cache is to be. */
struct cache_spec {
	const char *name;
	size_t bufsize;
	size_t align; /* 0: 8, or 16 for objects of 16 bytes and more */
	void *constructor, *destructor, *reclaim, *cbdata;
	vmem_t *arena; /* NULL: umem_default */
	uint32_t cflags;
	uint32_t flags; /* UMF_MALLOC, UMF_LARGE */
};

/* cache_create - a cache, or NULL with errno EINVAL or ENOMEM */
umem_cache_t *cache_create(const struct cache_spec *spec);

/* The same for what is behind the fast path: size -> class -> cache. */
extern uint8_t size_class_small[(SIZE_SMALL >> SIZE_SMALL_SHIFT) + 1]
    __attribute__((visibility("hidden")));
extern umem_cache_t *size_class_cache[SIZE_MAX_CLASSES]
    __attribute__((visibility("hidden")));

/* cache_for_other - cache_for() where it is not one of these */
umem_cache_t *cache_for_other(size_t size, size_t align);

/**
 * cache_for - the cache that serves a request
 * @size: bytes, may be 0
 * @align: a power of two
 *
 * Returns NULL when no cache does: the request is large.  May create a cache
 * for rare alignments when calls are checked.
 */
static inline umem_cache_t *
cache_for(size_t size, size_t align)
{
	if (__builtin_expect(size <= SIZE_SMALL && align <= 16, 1))
		return size_class_cache[size_class_small[(size + 15) >>
							 SIZE_SMALL_SHIFT]];
	return cache_for_other(size, align);
}

/* cache_init - the caches for malloc; options are read and arenas exist */
void cache_init(void);

/* cache_open_fast_path - fill the size_bin tables: the library is ready */
void cache_open_fast_path(void);

/*
 * cache_each - call fn for every cache, without the list's lock; a cache is
 * not destroyed while fn runs
 */
void cache_each(void (*fn)(umem_cache_t *cp));

void cache_fork_lock(void);
void cache_fork_unlock(void);
void cache_fork_child(void);

#endif /* UMEM_CACHE_H */
