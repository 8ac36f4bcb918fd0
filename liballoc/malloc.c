/* SPDX-License-Identifier: MIT */
/*
 * malloc.c - the malloc family of a Linux program
 *
 * Functions are named umem_malloc and so on; at the end of the file they get
 * the names that replace libc's, unless UMEM_NO_PRELOAD is defined (the test
 * suite links the library beside another malloc).
 *
 * Semantics: malloc(3), posix_memalign(3), mallinfo(3) of Linux, C17 7.22.3
 * and, for free_sized and free_aligned_sized, C23 7.24.3.
 *
 * Layer: above buffer.h; nothing stands on it.
 */
#include "malloc_impl.h"

#include <errno.h>
#include <string.h>

#include "audit.h"
#include "buffer.h"
#include "cache.h"
#include "cache_list.h"
#include "heap.h"
#include "init.h"
#include "large.h"
#include "pagemap.h"
#include "root.h"
#include "tcache.h"
#include "update.h"
#include "watch.h"

/* What malloc promises without being asked: see firewall in umem_debug(3). */
#define NATURAL_ALIGN 1

static __attribute__((noinline)) void *
malloc_slow(size_t size, size_t align, int *zero_ret)
{
	const struct stack_frame from = stack_caller();
	void *buf = NULL;

	if (watch_is_on() && align <= 16 && size <= SIZE_MAX_CACHED &&
	    tc_own_pop(size_bin(size), &buf)) {
		watch_alloc(buf, size);
		return buf;
	}
	if (size <= PTRDIFF_MAX)
		buf = buffer_alloc(size, align, zero_ret, &from);
	if (buf == NULL)
		errno = ENOMEM;
	return buf;
}

/* What the first granularity does not serve. */
static __attribute__((noinline)) void *
malloc_medium(size_t size)
{
	void *buf;

	if (size <= SIZE_MAX_CACHED && tc_pop(size_bin(size), &buf))
		return buf;
	return malloc_slow(size, NATURAL_ALIGN, NULL);
}

void *
umem_malloc(size_t size)
{
	void *buf;

	if (__builtin_expect(size > SIZE_SMALL, 0))
		return malloc_medium(size);
	if (__builtin_expect(tc_pop(size_bin(size), &buf), 1))
		return buf;
	return malloc_slow(size, NATURAL_ALIGN, NULL);
}

static __attribute__((noinline)) void
free_slow(void *buf)
{
	const struct stack_frame from = stack_caller();
	int saved = errno;

	if (watch_is_on() && tc_own_room(buffer_bin(buf))) {
		watch_free(buf, (size_t)-1);
		tc_own_push(buffer_bin(buf), buf);
		return;
	}
	if (buf != NULL)
		buffer_free(buf, (size_t)-1, "free", &from);
	errno = saved;
}

void
umem_malloc_free(void *buf)
{
	if (__builtin_expect(tc_push(buffer_bin(buf), buf), 1))
		return;
	free_slow(buf);
}

void
umem_free_sized(void *buf, size_t size)
{
	const struct stack_frame from = stack_caller();
	int saved = errno;

	if (buf != NULL)
		buffer_free(buf, size, "free_sized", &from);
	errno = saved;
}

void
umem_free_aligned_sized(void *buf, size_t align, size_t size)
{
	(void)align;
	umem_free_sized(buf, size);
}

void *
umem_calloc(size_t n, size_t size)
{
	int zero = 0;
	size_t bytes;
	void *buf;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	if (__builtin_expect(bytes <= SIZE_MAX_CACHED, 1))
		buf = umem_malloc(bytes);
	else
		buf = malloc_slow(bytes, NATURAL_ALIGN, &zero);
	if (__builtin_expect(buf != NULL, 1) && !zero)
		memset(buf, 0, bytes);
	return buf;
}

/* -------------------------------------------------------------- realloc */

static void *
realloc_copy(void *buf, size_t size)
{
	size_t old = buffer_usable(buf, "realloc");
	void *copy = umem_malloc(size);

	if (copy == NULL)
		return NULL;
	memcpy(copy, buf, old < size ? old : size);
	umem_malloc_free(buf);
	return copy;
}

static __attribute__((noinline)) void *
realloc_slow(void *buf, size_t size)
{
	int saved = errno;
	void *same;

	if (size == 0) {
		umem_malloc_free(buf);
		return NULL;
	}
	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	same = buffer_resize(buf, size, "realloc");
	if (same != NULL) {
		errno = saved;
		return same;
	}
	return realloc_copy(buf, size);
}

void *
umem_realloc(void *buf, size_t size)
{
	unsigned bin;
	umem_slab_t *sp;

	/* Some programs have no other way to allocate. */
	if (buf == NULL)
		return umem_malloc(size);
	bin = buffer_bin(buf);
	if (bin != 0) {
		if (size_suits(bin_size[bin], size))
			return buf;
	} else if ((sp = pagemap_slab(buf)) != NULL &&
		   large_fits(sp, buf, size)) {
		sp->slab_reqsize = size;
		return buf;
	}
	return realloc_slow(buf, size);
}

void *
umem_reallocarray(void *buf, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return umem_realloc(buf, bytes);
}

/* ------------------------------------------------------------- alignment */

static int
is_power_of_two(size_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static void *
alloc_aligned(size_t align, size_t size)
{
	void *buf;

	if (align <= 16 && size <= SIZE_MAX_CACHED &&
	    tc_pop(size_bin(size), &buf))
		return buf;
	return malloc_slow(size, align, NULL);
}

/* As in glibc, an alignment that is no power of two is rounded up to one. */
void *
umem_memalign(size_t align, size_t size)
{
	size_t power = 16;

	if (align > PTRDIFF_MAX) {
		errno = EINVAL;
		return NULL;
	}
	while (power < align)
		power *= 2;
	return alloc_aligned(power, size);
}

void *
umem_aligned_alloc(size_t align, size_t size)
{
	if (!is_power_of_two(align)) {
		errno = EINVAL;
		return NULL;
	}
	return alloc_aligned(align, size);
}

int
umem_posix_memalign(void **ret, size_t align, size_t size)
{
	int saved = errno;
	void *buf;

	if (!is_power_of_two(align) || align % sizeof(void *) != 0)
		return EINVAL;
	buf = alloc_aligned(align, size);
	errno = saved;
	if (buf == NULL)
		return ENOMEM;
	*ret = buf;
	return 0;
}

void *
umem_valloc(size_t size)
{
	return alloc_aligned(UMEM_PAGE_SIZE, size);
}

void *
umem_pvalloc(size_t size)
{
	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	size = (size + UMEM_PAGE_SIZE - 1) & ~(size_t)(UMEM_PAGE_SIZE - 1);
	return alloc_aligned(UMEM_PAGE_SIZE, size != 0 ? size : UMEM_PAGE_SIZE);
}

/* --------------------------------------------------------- introspection */

size_t
umem_malloc_usable_size(void *buf)
{
	return buf == NULL ? 0 : buffer_usable(buf, "malloc_usable_size");
}

int
umem_malloc_trim(size_t pad)
{
	(void)pad;
	return update_reap() != 0;
}

/* There is nothing here that M_* could tune; 1 says that it was heard. */
int
umem_mallopt(int param, int value)
{
	(void)param;
	(void)value;
	return 1;
}

/* Bytes: from the system, in use in caches, in large buffers. */
struct usage {
	size_t system, small, large, nlarge;
};

static size_t
cache_in_use(const umem_cache_t *cp)
{
	uint64_t cached = cp->cache_magfull.ml_rounds + tc_rounds(cp);
	uint64_t out = cp->cache_bufslab;

	return out > cached ? (out - cached) * cp->cache_bufsize : 0;
}

static struct usage
usage(void)
{
	struct usage u = {0};
	umem_cache_t *cp = NULL;

	if (heap_arena != NULL)
		u.system = heap_arena->vm_mem_total;
	while ((cp = cache_visit(cp)) != NULL)
		if (cp->cache_flags & UMF_LARGE)
			u.nlarge = cp->cache_buftotal;
		else
			u.small += cache_in_use(cp);
	if (heap_oversize != NULL)
		u.large =
		    heap_oversize->vm_mem_inuse + heap_firewall->vm_mem_inuse;
	return u;
}

struct mallinfo2
umem_mallinfo2(void)
{
	struct usage u = usage();
	struct mallinfo2 mi = {
	    .arena = u.system - u.large,
	    .hblks = u.nlarge,
	    .hblkhd = u.large,
	    .uordblks = u.small,
	    .fordblks = u.system - u.large - u.small,
	};

	return mi;
}

/* The old form: int fields, which hold what they can. */
struct mallinfo
umem_mallinfo(void)
{
	struct mallinfo2 m = umem_mallinfo2();
	struct mallinfo mi = {
	    .arena = (int)m.arena,
	    .hblks = (int)m.hblks,
	    .hblkhd = (int)m.hblkhd,
	    .uordblks = (int)m.uordblks,
	    .fordblks = (int)m.fordblks,
	};

	return mi;
}

/* XML as glibc writes it, in outline: one heap, totals. */
int
umem_malloc_info(int options, FILE *stream)
{
	struct usage u = usage();

	if (options != 0)
		return EINVAL;
	fprintf(stream,
	    "<malloc version=\"umem-1\">\n"
	    "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
	    "<system type=\"current\" size=\"%zu\"/>\n"
	    "<used type=\"current\" size=\"%zu\"/>\n"
	    "</malloc>\n",
	    u.nlarge, u.large, u.system, u.small + u.large);
	return 0;
}

void
umem_malloc_stats(void)
{
	struct usage u = usage();

	fprintf(stderr,
	    "umem: %zu bytes from the system, %zu in use, of these %zu in "
	    "%zu large buffers\n",
	    u.system, u.small + u.large, u.large, u.nlarge);
}

/* ----------------------------------------------------------------- names */

#ifndef UMEM_NO_PRELOAD
#define EXPORT(name, target)           \
	extern __typeof__(target) name \
	    __attribute__((alias(#target), visibility("default"), used))

EXPORT(malloc, umem_malloc);
EXPORT(free, umem_malloc_free);
EXPORT(cfree, umem_malloc_free);
EXPORT(free_sized, umem_free_sized);
EXPORT(free_aligned_sized, umem_free_aligned_sized);
EXPORT(calloc, umem_calloc);
EXPORT(realloc, umem_realloc);
EXPORT(reallocarray, umem_reallocarray);
EXPORT(memalign, umem_memalign);
EXPORT(aligned_alloc, umem_aligned_alloc);
EXPORT(posix_memalign, umem_posix_memalign);
EXPORT(valloc, umem_valloc);
EXPORT(pvalloc, umem_pvalloc);
EXPORT(malloc_usable_size, umem_malloc_usable_size);
EXPORT(malloc_trim, umem_malloc_trim);
EXPORT(mallopt, umem_mallopt);
EXPORT(mallinfo, umem_mallinfo);
EXPORT(mallinfo2, umem_mallinfo2);
EXPORT(malloc_info, umem_malloc_info);
EXPORT(malloc_stats, umem_malloc_stats);
#endif
