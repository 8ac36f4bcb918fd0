/* SPDX-License-Identifier: MIT */
/*
 * target_cache.h - pages of a target that is expensive to ask
 *
 * A bounded cache of 4 KiB pages, filled a run of pages at a time.  The
 * source reads as much as it can from a start address; what follows an
 * unreadable page is asked for again from there on, and a page that cannot
 * be read whole is not kept: the exact bytes are asked for instead.
 *
 * Layer: above target.h; used by target_proc.c and target_call.c.
 */
#ifndef UMDB_TARGET_CACHE_H
#define UMDB_TARGET_CACHE_H

#include "target.h"

#define TARGET_CACHE_PAGE 4096u
#define TARGET_CACHE_RUN (64u * 1024)   /* most bytes fetched at once */
#define TARGET_CACHE_BIG (256u * 1024u) /* reads from here on pass it by */

/*
 * A source reads up to @len bytes at @addr and returns how many it got,
 * counted from the start; 0 when the first cannot be read.
 */
typedef size_t target_source_fn(void *arg, taddr_t addr, void *buf, size_t len);

struct target_cache;

/*
 * target_cache_create - NULL without memory.  @grow: fetch one page at first
 * and more while the reads are sequential (bytes are expensive); else whole
 * runs at once (calls are expensive).
 */
struct target_cache *target_cache_create(
    target_source_fn *source, void *arg, bool grow);
void target_cache_destroy(struct target_cache *cache);

/* target_cache_read - UMDB_OK with all of it, or UMDB_EFAULT */
int target_cache_read(
    struct target_cache *cache, taddr_t addr, void *buf, size_t len);

/* target_cache_drop - forget everything */
void target_cache_drop(struct target_cache *cache);

#endif /* UMDB_TARGET_CACHE_H */
