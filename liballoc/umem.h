/* SPDX-License-Identifier: MIT */
/*
 * umem.h - object-caching memory allocation (installed as <umem.h>)
 *
 * The interface of Solaris libumem; see umem_alloc(3), umem_cache_create(3)
 * and umem_debug(3).  The ideas: Bonwick, "The Slab Allocator", USENIX 1994;
 * Bonwick and Adams, "Magazines and Vmem", USENIX 2001.
 */
#ifndef _UMEM_H
#define _UMEM_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define UMEM_DEFAULT 0x0000 /* return NULL on failure */
#define UMEM_NOFAIL 0x0100  /* call the no-fail callback instead */

/* answers of a no-fail callback */
#define UMEM_CALLBACK_RETRY 0
#define UMEM_CALLBACK_EXIT(status) (0x100 | ((status)&0xff))

/*
 * flags of umem_cache_create: never write into the buffers; no auditing and
 * no guards; no magazines; the last is accepted and has no meaning here
 */
#define UMC_NOTOUCH 0x00010000u
#define UMC_NODEBUG 0x00020000u
#define UMC_NOMAGAZINE 0x00040000u
#define UMC_NOHASH 0x00080000u

struct vmem;
typedef struct umem_cache umem_cache_t;
typedef int umem_nofail_callback_t(void);
typedef int umem_constructor_t(void *buf, void *cbdata, int flags);
typedef void umem_destructor_t(void *buf, void *cbdata);
typedef void umem_reclaim_t(void *cbdata);

/**
 * umem_alloc, umem_zalloc - allocate @size bytes (zeroed)
 *
 * Returns the buffer, 16-aligned when @size is 16 or more and 8-aligned
 * otherwise; NULL when @size is 0, and on failure unless UMEM_NOFAIL is given.
 */
void *umem_alloc(size_t size, int flags);
void *umem_zalloc(size_t size, int flags);

/* umem_free - give back; @size must be the size asked for; (NULL, 0) is fine */
void umem_free(void *buf, size_t size);

/* umem_alloc_align - the same, aligned to a power of two; else NULL */
void *umem_alloc_align(size_t size, size_t align, int flags);
void umem_free_align(void *buf, size_t size);

/* umem_nofail_callback - what to do when a UMEM_NOFAIL request fails */
void umem_nofail_callback(umem_nofail_callback_t *callback);

/**
 * umem_cache_create - make a cache of constructed objects
 * @name: for reports; cut at 31 characters
 * @bufsize: bytes of an object, not 0
 * @align: a power of two, or 0 for the default
 * @constructor: returns 0, or non-zero when it failed; or NULL
 * @destructor, @reclaim: or NULL
 * @source: an arena to take memory from, or NULL
 *
 * Returns the cache, or NULL with errno EINVAL or ENOMEM.
 */
umem_cache_t *umem_cache_create(const char *name, size_t bufsize, size_t align,
    umem_constructor_t *constructor, umem_destructor_t *destructor,
    umem_reclaim_t *reclaim, void *cbdata, struct vmem *source, int cflags);

/* umem_cache_destroy - all objects must have been freed; else it says so */
void umem_cache_destroy(umem_cache_t *cache);

/* umem_cache_alloc - a constructed object, or NULL */
void *umem_cache_alloc(umem_cache_t *cache, int flags);

/* umem_cache_free - give back an object in its constructed state */
void umem_cache_free(umem_cache_t *cache, void *buf);

/* umem_reap - return unused memory to the system */
void umem_reap(void);

/* umem_setmtbf - let about one allocation in @mtbf fail; 1 all, 0 none */
void umem_setmtbf(unsigned int mtbf);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* _UMEM_H */
