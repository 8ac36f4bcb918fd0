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
 * filled and checked.  The 8 bytes before a buffer are its front guard; they
 * stand at the end of the chunk before, or before slab_first.
 *
 * A buffer of UMF_LARGE has no tag: its size is slab_reqsize, the 8 bytes
 * before it are its front guard when slab_first leaves room, and up to 64
 * bytes past its end, as far as its chunk goes, are filled with 0xbb.  Its
 * contents are never filled: the pages come fresh from the system and go
 * back there.
 *
 * None of these is called with a lock held.  Those that record who take the
 * frame @from which the client called, or the trace from there.
 *
 * Layer: above tlog.h, stack.h, fault.h.
 */
#ifndef UMEM_AUDIT_H
#define UMEM_AUDIT_H

#include <stddef.h>

#include "stack.h"
#include "umem_layout.h"

/*
 * audit_verify_bytes - what cache_verify of a new cache is to be, whose flags
 * and buftag are known
 */
uint64_t audit_verify_bytes(const umem_cache_t *cp);

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
 * noabort, then mended).  Returns @buf.
 */
void *audit_alloc(umem_cache_t *cp, umem_slab_t *sp, void *buf, size_t size,
    int exact, uint32_t trace);

/*
 * audit_trace - what stack_trace() says if the cache is to know who called.  An
 * allocation asks before it has the buffer: else the walk would leave pointers
 * to that far down on the stack, where they hide a leak.
 */
static inline uint32_t
audit_trace(const umem_cache_t *cp, const struct stack_frame *from)
{
	return cp->cache_flags & UMF_AUDIT ? stack_trace(from) : 0;
}

/**
 * audit_free - the client gives a buffer back
 * @index: which chunk of the slab it is the start of
 * @size: what it says the size is, or (size_t)-1 if it does not (free(3),
 *        umem_cache_free)
 *
 * Returns 0 when the buffer may be freed; -1 when a fault was reported that
 * forbids it (freed twice) and noabort let the program go on.
 */
int audit_free(umem_slab_t *sp, size_t index, void *buf, size_t size,
    const struct stack_frame *from);

/* audit_size - bytes that were asked for, from the tag or the record */
size_t audit_size(umem_cache_t *cp, umem_slab_t *sp, void *buf);

/*
 * audit_fail - an allocation failed: note it in the fail log; a fault under
 * checknull.  @cp may be NULL.
 */
void audit_fail(umem_cache_t *cp, size_t size);

/* audit_mtbf - whether the allocation at hand is one that shall fail */
int audit_mtbf(void);

/* audit_stamp - write time, thread, trace and @kind into a record */
void audit_stamp(umem_bufctl_audit_t *bc, uint32_t kind);

/*
 * umem_thread_id, umem_thread_slot - kernel thread id of the caller, and a
 * small number that no other running thread has, or UINT_MAX (tcache.c)
 */
extern __thread uint32_t umem_tid
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
uint32_t umem_thread_id_first(void);
unsigned umem_thread_slot(void);

static inline uint32_t
umem_thread_id(void)
{
	return __builtin_expect(umem_tid != 0, 1) ? umem_tid
						  : umem_thread_id_first();
}

/* audit_bufctl - the record of chunk @index of @sp, NULL without audit */
static inline umem_bufctl_audit_t *
audit_bufctl(const umem_slab_t *sp, size_t index)
{
	if (sp->slab_bufctl == NULL)
		return NULL;
	return sp->slab_bufctl + index;
}

#endif /* UMEM_AUDIT_H */
