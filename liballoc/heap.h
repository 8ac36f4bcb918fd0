/* SPDX-License-Identifier: MIT */
/*
 * heap.h - pages for slabs and large buffers
 *
 * The arena "mmap_top" takes memory from the system in pieces that grow with
 * the heap; "umem_heap" (quantum: a page) cuts it up, and "umem_default",
 * "umem_oversize" and "umem_firewall" import from that.  Freed pages stay
 * resident for a while, for the next taker, and decay: heap_decay(), called
 * from slow paths, purges those that nobody wanted for about a second, and at
 * once the oldest when there are more than 32 MiB and more than is in use.
 *
 * Pages of heap_firewall are inaccessible while they are free, always read as
 * zero when they are handed out, and are reused as late as possible.
 *
 * Layer: above vmem.
 */
#ifndef UMEM_HEAP_H
#define UMEM_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "umem_layout.h"

extern vmem_t *heap_arena;    /* umem_heap */
extern vmem_t *heap_default;  /* slabs */
extern vmem_t *heap_oversize; /* large buffers */
extern vmem_t *heap_firewall; /* buffers with a guard page; next fit */

/* heap_init - create the arenas; called once, first of all */
void heap_init(void);

/**
 * heap_alloc - pages from an arena
 * @arena: one of the above, or an arena of the client's with quantum a
 *         multiple of the page size or a divisor of it
 * @size: bytes, whole pages
 * @align: a power of two, at least a page
 * @zero_ret: NULL, or set to 1 when the pages are known to read as zero
 *
 * Returns the address, or NULL.
 */
void *heap_alloc(vmem_t *arena, size_t size, size_t align, int *zero_ret);

/*
 * heap_alloc_growing - the same for a block that will probably grow: it lies
 * where there is free space behind it, if anywhere
 */
void *heap_alloc_growing(
    vmem_t *arena, size_t size, size_t align, int *zero_ret);

/*
 * heap_free - give pages back; they may be handed out again at once, so they
 * must be readable and writable (except to heap_firewall)
 */
void heap_free(vmem_t *arena, void *addr, size_t size);

/**
 * heap_resize - change the size of pages in place
 *
 * Shrinking succeeds as long as there is any memory.  Growing succeeds when what follows is free.
 * Returns 1 on success (size is now @new_size), 0 when it must move.
 */
int heap_resize(vmem_t *arena, void *addr, size_t old_size, size_t new_size);

/**
 * heap_move - move pages to a larger place by page tables, not by copying
 *
 * Returns the new address of @new_size bytes, whose first @old_size bytes are
 * the old ones (the old place is free then), or NULL with nothing changed.
 */
void *heap_move(vmem_t *arena, void *addr, size_t old_size, size_t new_size);

/*
 * heap_decay - purge free pages that have been idle for long.  Cheap when
 * there is nothing to do; call from slow paths, holding no lock.  @now: ns.
 * @all: purge all of them and return wholly free spans to the system.
 * Returns the bytes purged.
 */
size_t heap_decay(uint64_t now, int all);

#endif /* UMEM_HEAP_H */
