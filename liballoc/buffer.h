/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - buffers of any size: what malloc and umem_alloc share
 *
 * Everything behind the fast path: which cache or whether large, checks when
 * there is debugging, faults of the caller.
 *
 * Layer: above cache.h and large.h; below umem.c and malloc.c.
 */
#ifndef UMEM_BUFFER_H
#define UMEM_BUFFER_H

#include <stddef.h>

#include "stack_frame.h"
#include "umem_layout.h"

/**
 * buffer_alloc - a buffer of @size bytes at a multiple of @align
 * @size: may be 0: a unique address then
 * @align: a power of two
 * @zero_ret: NULL, or set to 1 when the buffer is known to read as zero
 * @from: who asked
 *
 * Returns NULL without memory (recorded in the fail log).
 */
void *buffer_alloc(
    size_t size, size_t align, int *zero_ret, const struct stack_frame *from);

/**
 * buffer_free - give a buffer back
 * @size: what the caller says it is, or (size_t)-1 when it does not
 * @function: the caller's name, for reports
 * @from: who asked
 */
void buffer_free(void *buf, size_t size, const char *function,
    const struct stack_frame *from);

/* buffer_usable - bytes that may be used: those asked for, when checked */
size_t buffer_usable(void *buf, const char *function);

/**
 * buffer_resize - change a buffer's size where it is, or by moving pages
 *
 * Returns the buffer (perhaps elsewhere), or NULL when the caller must copy.
 */
void *buffer_resize(void *buf, size_t size, const char *function);

#endif /* UMEM_BUFFER_H */
