/* SPDX-License-Identifier: MIT */
/*
 * watch.h - calls that a debugger waits for
 *
 * A breakpoint with a condition costs two switches to the debugger for each
 * call of malloc.  So the condition is here: a debugger writes what it waits
 * for into umem_watch and blinds the threads' fast paths (see umem_watch_t);
 * every call then passes one of these functions, and umem_watch_hook() is
 * called for those that match.
 *
 * Layer: above tcache.h; beside cache.h.
 */
#ifndef UMEM_WATCH_H
#define UMEM_WATCH_H

#include "root.h"

static inline int
watch_is_on(void)
{
	return __builtin_expect(umem_watch.w_on != 0, 0);
}

void watch_look(unsigned ops, void *buf, size_t size);

/* watch_alloc - a buffer was taken, or NULL; @size: as asked for */
static inline void
watch_alloc(void *buf, size_t size)
{
	if (__builtin_expect(umem_watch.w_on != 0, 0))
		watch_look(UMEM_WATCH_ALLOC, buf, size);
}

/*
 * watch_free - an address is about to be given back; @size: as the caller
 * says, or (size_t)-1.  What is not the start of a buffer is passed over.
 */
static inline void
watch_free(void *buf, size_t size)
{
	if (__builtin_expect(umem_watch.w_on != 0, 0))
		watch_look(UMEM_WATCH_FREE, buf, size);
}

/* watch_moved - the pages of a large buffer are elsewhere now */
void watch_moved(void *buf, size_t before, void *moved, size_t size);

#endif /* UMEM_WATCH_H */
