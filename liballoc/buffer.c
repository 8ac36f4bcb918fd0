/* SPDX-License-Identifier: MIT */
/*
 * buffer.c - buffers of any size; see buffer.h
 *
 * Layer: buffer.h
 */
#include "buffer.h"

#include <string.h>

#include "audit.h"
#include "cache.h"
#include "fault.h"
#include "init.h"
#include "large.h"
#include "pagemap.h"
#include "root.h"
#include "slab.h"
#include "tcache.h"
#include "watch.h"

enum { GROW_MIN = 1024 };

/* ------------------------------------------------------------- allocate */

static int
goes_to_large(size_t size)
{
	/* Before the caches exist; and what firewall sets apart. */
	return umem_root.root_ready != UMEM_READY ||
	       ((umem_root.root_flags & UMF_FIREWALL) != 0 &&
		   size >= umem_root.root_firewall);
}

static void *
alloc_from_cache(umem_cache_t *cp, size_t size, uint32_t trace)
{
	void *buf = tc_alloc(cp);

	if (buf != NULL && cache_is_checked(cp))
		(void)audit_alloc(cp, pagemap_slab(buf), buf, size, 1, trace);
	return buf;
}

/* alloc_any - buffer_alloc() for whatever it meets */
static __attribute__((noinline)) void *
alloc_any(
    size_t size, size_t align, int *zero_ret, const struct stack_frame *from)
{
	umem_cache_t *cp = NULL;
	void *buf;

	if (zero_ret != NULL)
		*zero_ret = 0;
	if (umem_root.root_ready != UMEM_READY && umem_init() != 0)
		return NULL;
	if (!goes_to_large(size))
		cp = cache_for(size, align);
	if (umem_root.root_mtbf != 0 && audit_mtbf())
		buf = NULL;
	else if (cp != NULL)
		buf = alloc_from_cache(cp, size, audit_trace(cp, from));
	else
		buf = large_alloc(size, align, zero_ret);
	if (buf == NULL)
		audit_fail(cp, size);
	watch_alloc(buf, size);
	return buf;
}

/* alloc_more - the same when all that is amiss is an empty magazine */
static __attribute__((noinline)) void *
alloc_more(umem_cache_t *cp, size_t size, uint32_t trace)
{
	void *buf = alloc_from_cache(cp, size, trace);

	if (buf == NULL)
		audit_fail(cp, size);
	return buf;
}

/*
 * What a program under audit allocates all day: a small buffer that the
 * thread's cache has.
 */
void *
buffer_alloc(
    size_t size, size_t align, int *zero_ret, const struct stack_frame *from)
{
	umem_cache_t *cp;
	uint32_t trace;
	void *buf;

	if (__builtin_expect(goes_to_large(size) || zero_ret != NULL ||
				 umem_root.root_mtbf != 0 || watch_is_on(),
		0))
		return alloc_any(size, align, zero_ret, from);
	cp = cache_for(size, align);
	if (__builtin_expect(cp == NULL || !cache_is_checked(cp), 0))
		return alloc_any(size, align, zero_ret, from);
	trace = audit_trace(cp, from);
	if (__builtin_expect(!tc_pop(cp->cache_bin, &buf), 0))
		return alloc_more(cp, size, trace);
	return audit_alloc(cp, pagemap_slab(buf), buf, size, 1, trace);
}

/* ----------------------------------------------------------------- free */

/* The address belongs to no slab: is it in a large buffer, or was it one? */
static void
report_unknown(void *buf, const char *function)
{
	umem_slab_t *sp = large_find(buf);
	struct umem_fault f = {
	    .error = UMEM_ERR_BADADDR,
	    .buffer = buf,
	    .function = function,
	};

	if (sp != NULL) {
		large_free(sp, buf, (size_t)-1, function);
		return;
	}
	if (large_was_freed(buf)) {
		f.error = UMEM_ERR_DUPFREE;
		f.realbuf = buf;
		f.realcache = umem_root.root_large;
	}
	fault_report(&f);
}

static void
report_inside(umem_slab_t *sp, void *buf, const char *function)
{
	umem_cache_t *cp = sp->slab_cache;
	void *start = slab_chunk_of(sp, buf);
	struct umem_fault f = {
	    .error = UMEM_ERR_BADBASE,
	    .buffer = buf,
	    .realbuf = start,
	    .slab = sp,
	    .realcache = cp,
	    .function = function,
	};

	f.bufctl = audit_bufctl(sp, (size_t)slab_index(sp, start));
	f.size = cache_is_checked(cp) ? audit_size(cp, sp, start)
				      : cp->cache_bufsize;
	fault_report(&f);
}

/* free() of an object that belongs to umem_cache_free(). */
static void
report_object(umem_slab_t *sp, void *buf, long index, const char *function)
{
	struct umem_fault f = {
	    .error = UMEM_ERR_BADCACHE,
	    .buffer = buf,
	    .realbuf = buf,
	    .slab = sp,
	    .realcache = sp->slab_cache,
	    .bufctl = audit_bufctl(sp, (size_t)index),
	    .function = function,
	};

	fault_report(&f);
}

/*
 * The slab of a buffer that the caller gave, if it is the start of one of
 * malloc's; else reports and returns NULL.
 */
static umem_slab_t *
buffer_slab(void *buf, const char *function)
{
	umem_slab_t *sp = pagemap_slab(buf);
	long index;

	if (sp == NULL) {
		report_unknown(buf, function);
		return NULL;
	}
	if (sp->slab_cache->cache_flags & UMF_LARGE)
		return sp;
	index = slab_index(sp, buf);
	if (index < 0) {
		report_inside(sp, buf, function);
		return NULL;
	}
	if (!(sp->slab_cache->cache_flags & UMF_MALLOC)) {
		report_object(sp, buf, index, function);
		return NULL;
	}
	return sp;
}

/* free_any - buffer_free() for whatever it meets */
static __attribute__((noinline)) void
free_any(void *buf, size_t size, const char *function,
    const struct stack_frame *from)
{
	umem_slab_t *sp = buffer_slab(buf, function);
	umem_cache_t *cp;

	if (sp == NULL)
		return;
	watch_free(buf, size);
	cp = sp->slab_cache;
	if (cp->cache_flags & UMF_LARGE) {
		large_free(sp, buf, size, function);
		return;
	}
	if (cache_is_checked(cp) &&
	    audit_free(sp, (size_t)slab_index(sp, buf), buf, size, from) != 0)
		return;
	tc_free(cp, buf);
}

/* As buffer_alloc(): a buffer of a cache of malloc's that is checked. */
void
buffer_free(void *buf, size_t size, const char *function,
    const struct stack_frame *from)
{
	umem_slab_t *sp = pagemap_slab(buf);
	umem_cache_t *cp;
	long index;

	if (__builtin_expect(sp == NULL || watch_is_on(), 0)) {
		free_any(buf, size, function, from);
		return;
	}
	cp = sp->slab_cache;
	index = slab_index(sp, buf);
	if (__builtin_expect(
		(cp->cache_flags & (UMF_MALLOC | UMF_LARGE)) != UMF_MALLOC ||
		    !cache_is_checked(cp) || index < 0,
		0)) {
		free_any(buf, size, function, from);
		return;
	}
	if (audit_free(sp, (size_t)index, buf, size, from) == 0)
		tc_free(cp, buf);
}

/* -------------------------------------------------------------- resizing */

size_t
buffer_usable(void *buf, const char *function)
{
	umem_slab_t *sp = buffer_slab(buf, function);
	umem_cache_t *cp;

	if (sp == NULL)
		return 0;
	cp = sp->slab_cache;
	if (cp->cache_flags & UMF_LARGE)
		return cache_is_checked(cp) ? sp->slab_reqsize
					    : sp->slab_chunksize;
	return cache_is_checked(cp) ? audit_size(cp, sp, buf)
				    : cp->cache_bufsize;
}

/* Moved pages are a buffer freed and another one allocated. */
static void *
resize_large(umem_slab_t *sp, void *buf, size_t size)
{
	size_t before = sp->slab_reqsize;
	void *after = large_realloc(sp, buf, size);

	if (after != NULL && after != buf)
		watch_moved(buf, before, after, size);
	return after;
}

/* A buffer with room for the next step, or with pages of its own. */
static void *
alloc_growing(size_t size)
{
	const size_t room = size + size / 2;
	umem_cache_t *cp;

	if (room >= LARGE_MIN_GROWING)
		return large_alloc_growing(size);
	/* some of malloc's caches may be checked, and others not */
	cp = cache_for(room, 1);
	return cp != NULL && !cache_is_checked(cp) ? tc_alloc(cp) : NULL;
}

/*
 * A buffer that grows does not do so for the first time: see to it that the
 * copies are few.  NULL when it is too small for that to matter, or special.
 */
static void *
grow(umem_cache_t *cp, void *buf, size_t size)
{
	void *copy;

	if (size < GROW_MIN || large_has_firewall(size) ||
	    umem_root.root_mtbf != 0)
		return NULL;
	copy = alloc_growing(size);
	if (copy == NULL)
		return NULL;
	watch_alloc(copy, size);
	memcpy(copy, buf, cp->cache_bufsize);
	watch_free(buf, (size_t)-1);
	tc_free(cp, buf);
	return copy;
}

void *
buffer_resize(void *buf, size_t size, const char *function)
{
	umem_slab_t *sp = buffer_slab(buf, function);
	umem_cache_t *cp;

	if (sp == NULL)
		return NULL;
	cp = sp->slab_cache;
	if (cp->cache_flags & UMF_LARGE)
		return resize_large(sp, buf, size);
	if (cache_is_checked(cp))
		return NULL;
	if (size > cp->cache_bufsize)
		return grow(cp, buf, size);
	return size_suits(cp->cache_bufsize, size) ? buf : NULL;
}
