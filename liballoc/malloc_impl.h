/* SPDX-License-Identifier: MIT */
/*
 * malloc_impl.h - the malloc family under names of its own
 *
 * For malloc.c and the test suite; see malloc.c.
 */
#ifndef UMEM_MALLOC_IMPL_H
#define UMEM_MALLOC_IMPL_H

#include <malloc.h>
#include <stddef.h>
#include <stdio.h>

void *umem_malloc(size_t size);
void umem_malloc_free(void *buf);
void umem_free_sized(void *buf, size_t size);
void umem_free_aligned_sized(void *buf, size_t align, size_t size);
void *umem_calloc(size_t n, size_t size);
void *umem_realloc(void *buf, size_t size);
void *umem_reallocarray(void *buf, size_t n, size_t size);
void *umem_memalign(size_t align, size_t size);
void *umem_aligned_alloc(size_t align, size_t size);
int umem_posix_memalign(void **ret, size_t align, size_t size);
void *umem_valloc(size_t size);
void *umem_pvalloc(size_t size);
size_t umem_malloc_usable_size(void *buf);
int umem_malloc_trim(size_t pad);
int umem_mallopt(int param, int value);
struct mallinfo umem_mallinfo(void);
struct mallinfo2 umem_mallinfo2(void);
int umem_malloc_info(int options, FILE *stream);
void umem_malloc_stats(void);

#endif /* UMEM_MALLOC_IMPL_H */
