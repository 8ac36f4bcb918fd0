/* SPDX-License-Identifier: MIT */
/*
 * audit.h - what happens to a buffer when its cache is debugged
 *
 * The layers below hand out and take back plain buffers; these functions
 * stand between them and the client when cache_flags has any of UMF_AUDIT,
 * UMF_DEADBEEF, UMF_REDZONE and UMF_CONTENTS.  A buffer's life:
 *
 *	slab creation	audit_slab_init: fill free pattern, tags say free
 *	allocation	audit_alloc: check that it stayed free, fill
 *			0xbaddcafe, tag it with its size, record who
 *	release		audit_free: check tag, size, red zone and front
 *			guard, record who, keep contents, fill 0xdeadbeef
 *	slab destroy	audit_slab_fini: check once more
 *
 * Bytes of a buffer past the requested size are filled with 0xbb and checked
 * too, so an overrun by one byte is seen.  Under UMF_LITE only 8 bytes are
 * filled and checked.  None of these is called with a lock held.
 *
 * Layer: above tlog.h, stack.h, fault.h.
 */
#ifndef UMEM_AUDIT_H
#define UMEM_AUDIT_H

#include <stddef.h>

#include "umem_layout.h"

/*
 * audit_slab_init - prepare the chunks of a new slab; also writes the front
 * guard before chunk 0 (slab_first >= 8 when the cache has a buftag)
 */
void audit_slab_init(umem_cache_t *cp, umem_slab_t *sp);

/* audit_slab_fini - check all chunks, which are free, before the pages go */
void audit_slab_fini(umem_cache_t *cp, umem_slab_t *sp);

/**
 * audit_alloc - a buffer is about to go to the client
 * @size: bytes asked for; for object caches cache_bufsize
 * @exact: 1 when the request had a size of its own (malloc, umem_alloc), so
 *         that the red zone encodes it; 0 for object caches
 *
 * A buffer that was changed while free is reported here (fatal unless
 * noabort, then mended).
 */
void audit_alloc(
    umem_cache_t *cp, umem_slab_t *sp, void *buf, size_t size, int exact);

/**
 * audit_free - the client gives a buffer back
 * @size: what it says the size is, or (size_t)-1 if it does not (free(3),
 *        umem_cache_free)
 *
 * @buf is known to be the start of a chunk of @sp.  Returns 0 when the buffer
 * may be freed; -1 when a fault was reported that forbids it (freed twice)
 * and noabort let the program go on.
 */
int audit_free(umem_cache_t *cp, umem_slab_t *sp, void *buf, size_t size);

/* audit_size - bytes that were asked for, from the tag or the record */
size_t audit_size(umem_cache_t *cp, umem_slab_t *sp, void *buf);

/*
 * audit_resize - the client's buffer keeps its place but is now @size bytes
 * long (realloc within the chunk): checks as audit_free would, retags and
 * records.  Returns as audit_free.
 */
int audit_resize(umem_cache_t *cp, umem_slab_t *sp, void *buf, size_t size);

/* audit_fail - an allocation failed: note it in the fail log */
void audit_fail(umem_cache_t *cp, size_t size);

/* audit_bufctl - the record of chunk @index of @sp, NULL without audit */
static inline umem_bufctl_audit_t *
audit_bufctl(const umem_cache_t *cp, const umem_slab_t *sp, size_t index)
{
	if (sp->slab_bufctl == NULL)
		return NULL;
	return (umem_bufctl_audit_t *)((char *)sp->slab_bufctl +
				       index * cp->cache_bufctl_size);
}

#endif /* UMEM_AUDIT_H */
