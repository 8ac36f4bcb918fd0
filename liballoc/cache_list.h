/* SPDX-License-Identifier: MIT */
/*
 * cache_list.h - the list of caches, and walking it
 *
 * Who visits a cache works without the list's lock, because the cache's
 * functions run meanwhile; it holds the cache instead.  Who destroys one first
 * keeps new visitors away, and then waits until the last one has left.
 *
 * Layer: beside root.h.
 */
#ifndef UMEM_CACHE_LIST_H
#define UMEM_CACHE_LIST_H

#include "umem_layout.h"

/* The list, and who has which bin. */
extern umem_lock_t cache_list_lock;

/*
 * cache_visit - the next cache to visit, the first if @cp is NULL; @cp itself
 * is left.  A cache that is being destroyed is passed over.  Returns NULL
 * behind the last one; who stops before that calls cache_leave().
 */
umem_cache_t *cache_visit(umem_cache_t *cp);
void cache_leave(umem_cache_t *cp);

/* cache_close - no visitors any more: returns when there are none */
void cache_close(umem_cache_t *cp);

#endif /* UMEM_CACHE_LIST_H */
