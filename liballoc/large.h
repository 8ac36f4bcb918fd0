/* SPDX-License-Identifier: MIT */
/*
 * large.h - buffers that get pages of their own
 *
 * Requests above SIZE_MAX_CACHED, alignments above a page, and everything
 * that UMEM_DEBUG=firewall sets against an unmapped page.  Each is a slab of
 * one chunk of the cache umem_oversize, so that free(), the debugger and the
 * reports treat it like any other buffer.  The page map knows only the pages
 * up to the buffer's first.
 *
 * Layer: above slab.h and audit.h.
 */
#ifndef UMEM_LARGE_H
#define UMEM_LARGE_H

#include <stddef.h>

#include "umem_layout.h"

/* large_init - create the cache umem_oversize; options are not known yet */
void large_init(void);

/* large_configure - the options were read: check and record from now on */
void large_configure(void);

/**
 * large_alloc - a buffer with pages of its own
 * @align: a power of two
 * @zero_ret: NULL, or set to 1 when the buffer is known to read as zero
 *
 * Returns the buffer, or NULL without memory.
 */
void *large_alloc(size_t size, size_t align, int *zero_ret);

/*
 * large_alloc_growing - the same for a buffer that has grown already and so
 * will probably grow again; at least LARGE_MIN_GROWING bytes
 */
void *large_alloc_growing(size_t size);
enum { LARGE_MIN_GROWING = 16384 };

/* large_free - give back; @size as for audit_free(); checks as it does */
void large_free(umem_slab_t *sp, void *buf, size_t size, const char *function);

/**
 * large_realloc - change a large buffer's size, in place or by moving pages
 *
 * Returns the buffer; or NULL when the caller must copy.
 */
void *large_realloc(umem_slab_t *sp, void *buf, size_t size);

/* large_has_firewall - whether UMEM_DEBUG=firewall is for this size */
int large_has_firewall(size_t size);

/* large_find - the large buffer whose pages hold @addr, or NULL; slow */
umem_slab_t *large_find(const void *addr);

/* large_was_freed - true when a large buffer at @addr was freed not long ago */
int large_was_freed(const void *addr);

/*
 * large_fits - whether a large buffer may become @size bytes where it is with
 * nothing but a new slab_reqsize: it grows into what it has, or shrinks by
 * less than is worth more
 */
static inline int
large_fits(const umem_slab_t *sp, const void *buf, size_t size)
{
	return (sp->slab_flags & UMEM_SLAB_PLAIN) != 0 &&
	       buf == sp->slab_base && size <= sp->slab_size &&
	       (size >= sp->slab_reqsize || size > sp->slab_size / 4 * 3);
}

static inline void *
large_buffer(const umem_slab_t *sp)
{
	return (char *)sp->slab_base + sp->slab_first;
}

#endif /* UMEM_LARGE_H */
