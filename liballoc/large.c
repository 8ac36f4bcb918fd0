/* SPDX-License-Identifier: MIT */
/*
 * large.c - buffers that get pages of their own; see large.h
 *
 * Layer: large.h
 */
#include "large.h"

#include <string.h>

#include "ahead.h"
#include "audit.h"
#include "cache.h"
#include "fault.h"
#include "heap.h"
#include "lock.h"
#include "meta.h"
#include "msg.h"
#include "os.h"
#include "pagemap.h"
#include "root.h"
#include "slab.h"

static umem_cache_t *large_cache;

/* Where the last freed ones began: so that a second free is named as such. */
enum { FREED_RING = 256 };
static const void *freed_ring[FREED_RING];
static unsigned freed_next;

void
large_init(void)
{
	struct cache_spec spec = {
	    .name = "umem_oversize",
	    .bufsize = UMEM_PAGE_SIZE,
	    .align = 16,
	    .arena = heap_oversize,
	    .flags = UMF_LARGE | UMF_MALLOC,
	};

	large_cache = cache_create(&spec);
	if (large_cache == NULL)
		umem_panic("umem: no memory to start with\n");
	large_cache->cache_bufsize = 0;
	large_cache->cache_chunksize = 0;
	large_cache->cache_slabsize = 0;
	large_cache->cache_chunks = 1;
	large_cache->cache_first = 0;
	large_cache->cache_buftag = 0;
	umem_root.root_large = large_cache;
}

void
large_configure(void)
{
	umem_cache_t *cp = large_cache;

	/* Pages of freed buffers go away: nothing there to fill or check. */
	cp->cache_flags |=
	    umem_root.root_flags &
	    (UMF_AUDIT | UMF_REDZONE | UMF_CONTENTS | UMF_CHECKSIGNAL);
	cp->cache_contents = umem_root.root_contents;
	if (cp->cache_flags & UMF_AUDIT)
		cp->cache_bufctl_size = sizeof(umem_bufctl_audit_t);
}

/* --------------------------------------------------------------- layout */

/* What a large buffer needs beside its own bytes. */
struct large_layout {
	size_t total; /* bytes of pages */
	size_t first; /* offset of the buffer */
	size_t limit; /* end of the bytes that belong to its chunk */
	int guard;    /* the last page is unmapped */
	int growing;  /* wants free space behind it */
	vmem_t *arena;
};

static size_t
round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/* Alignment of a buffer that shall end where its page ends. */
static size_t
firewall_align(size_t size, size_t align)
{
	size_t natural = size == 0 ? 16 : size & -size;

	if (natural > 16)
		natural = 16;
	if (natural < umem_settings.set_firewall_align)
		natural = umem_settings.set_firewall_align;
	return align > natural ? align : natural;
}

/*
 * Every guard page costs two of the process's mappings, of which the system
 * allows 65530: the rest must do for everybody else.
 */
enum { MAX_GUARDS = 24000 };
static unsigned guards_in_use;

int
large_has_firewall(size_t size)
{
	static int told;

	if ((umem_root.root_flags & UMF_FIREWALL) == 0 ||
	    size < umem_root.root_firewall)
		return 0;
	if (__atomic_load_n(&guards_in_use, __ATOMIC_RELAXED) < MAX_GUARDS)
		return 1;
	if (!told) {
		told = 1;
		umem_error_message("umem: firewall: %d buffers are guarded, "
				   "more mappings are not to be had; others "
				   "go without\n",
		    MAX_GUARDS);
	}
	return 0;
}

/* Returns -1 when the size is absurd. */
static int
layout(size_t size, size_t align, struct large_layout *l)
{
	size_t guards = 0;

	if (size > (size_t)1 << 46 || align > (size_t)1 << 46)
		return -1;
	l->arena = heap_oversize;
	l->guard = large_has_firewall(size);
	if (large_cache->cache_flags & UMF_BUFTAG)
		guards = align > 64 ? align : 64;
	if (l->guard) {
		l->arena = heap_firewall;
		guards = align > 16 ? align : 16;
		l->total = round_up(guards + size, UMEM_PAGE_SIZE);
		l->first =
		    (l->total - size) & ~(firewall_align(size, align) - 1);
		l->limit = l->total;
		l->total += UMEM_PAGE_SIZE;
		return 0;
	}
	l->first = guards;
	l->total = round_up(guards + size + (guards ? 16 : 0), UMEM_PAGE_SIZE);
	if (l->total == 0)
		l->total = UMEM_PAGE_SIZE;
	l->limit = l->total;
	return 0;
}

/* Bytes from the first page to the one in which the buffer starts. */
static size_t
mapped_size(const umem_slab_t *sp)
{
	return (size_t)sp->slab_first + 1;
}

/* ------------------------------------------------------------ alloc, free */

static void
large_join(umem_slab_t *sp)
{
	umem_cache_t *cp = large_cache;

	lock_acquire(&cp->cache_lock);
	sp->slab_prev = NULL;
	sp->slab_next = cp->cache_full;
	if (cp->cache_full != NULL)
		cp->cache_full->slab_prev = sp;
	cp->cache_full = sp;
	cp->cache_slab_create++;
	cp->cache_slab_alloc++;
	cp->cache_buftotal++;
	cp->cache_bufslab++;
	if (cp->cache_buftotal > cp->cache_bufmax)
		cp->cache_bufmax = cp->cache_buftotal;
	lock_release(&cp->cache_lock);
}

static void
large_leave(umem_slab_t *sp)
{
	umem_cache_t *cp = large_cache;

	lock_acquire(&cp->cache_lock);
	if (sp->slab_prev != NULL)
		sp->slab_prev->slab_next = sp->slab_next;
	else
		cp->cache_full = sp->slab_next;
	if (sp->slab_next != NULL)
		sp->slab_next->slab_prev = sp->slab_prev;
	cp->cache_slab_destroy++;
	cp->cache_slab_free++;
	cp->cache_buftotal--;
	cp->cache_bufslab--;
	lock_release(&cp->cache_lock);
}

static size_t
struct_size(void)
{
	return sizeof(umem_slab_t) + sizeof(uint64_t);
}

static umem_slab_t *
new_struct(void)
{
	umem_slab_t *sp = meta_alloc(struct_size());

	if (sp == NULL)
		return NULL;
	sp->slab_cache = large_cache;
	sp->slab_chunks = 1;
	sp->slab_refcnt = 1;
	sp->slab_map = (uint64_t *)(sp + 1);
	sp->slab_map[0] = ~0ull;
	if (!cache_is_checked(large_cache))
		sp->slab_flags = UMEM_SLAB_PLAIN;
	if (large_cache->cache_bufctl_size != 0) {
		sp->slab_bufctl = meta_alloc(large_cache->cache_bufctl_size);
		if (sp->slab_bufctl == NULL) {
			meta_free(sp, struct_size());
			return NULL;
		}
	}
	return sp;
}

static void
free_struct(umem_slab_t *sp)
{
	if (sp->slab_bufctl != NULL)
		meta_free(sp->slab_bufctl, large_cache->cache_bufctl_size);
	meta_free(sp, struct_size());
}

static vmem_t *
arena_of(const umem_slab_t *sp)
{
	return sp->slab_flags & UMEM_SLAB_GUARD ? heap_firewall : heap_oversize;
}

static void
free_pages(umem_slab_t *sp)
{
	char *end = (char *)sp->slab_base + sp->slab_size;

	if (sp->slab_flags & UMEM_SLAB_GUARD) {
		(void)os_protect(end - UMEM_PAGE_SIZE, UMEM_PAGE_SIZE, 1);
		__atomic_fetch_sub(&guards_in_use, 1, __ATOMIC_RELAXED);
	}
	heap_free(arena_of(sp), sp->slab_base, sp->slab_size);
}

/* Get the pages and enter them; -1 without memory. */
static int
take_pages(umem_slab_t *sp, const struct large_layout *l, size_t size,
    size_t align, int *zero_ret)
{
	if (align < UMEM_PAGE_SIZE)
		align = UMEM_PAGE_SIZE;
	sp->slab_base =
	    l->growing ? heap_alloc_growing(l->arena, l->total, align, zero_ret)
		       : heap_alloc(l->arena, l->total, align, zero_ret);
	if (sp->slab_base == NULL)
		return -1;
	sp->slab_size = l->total;
	sp->slab_first = (uint32_t)l->first;
	sp->slab_chunksize = l->limit - l->first;
	sp->slab_reqsize = size;
	if (l->guard) {
		char *end = (char *)sp->slab_base + l->total;

		if (os_protect(end - UMEM_PAGE_SIZE, UMEM_PAGE_SIZE, 0) != 0) {
			heap_free(l->arena, sp->slab_base, l->total);
			return -1;
		}
		sp->slab_flags |= UMEM_SLAB_GUARD;
		__atomic_fetch_add(&guards_in_use, 1, __ATOMIC_RELAXED);
	}
	if (pagemap_set(sp->slab_base, mapped_size(sp), sp, 0) == 0)
		return 0;
	free_pages(sp);
	return -1;
}

static void *
alloc(size_t size, size_t align, int growing, int *zero_ret)
{
	const struct stack_frame from = stack_caller();
	const uint32_t trace = audit_trace(large_cache, &from);
	struct large_layout l = {.growing = growing};
	int fresh = 0;
	umem_slab_t *sp;

	if (layout(size, align, &l) != 0 || l.first > UINT32_MAX)
		return NULL;
	sp = new_struct();
	if (sp == NULL)
		return NULL;
	if (take_pages(sp, &l, size, align, &fresh) != 0) {
		free_struct(sp);
		return NULL;
	}
	if (!growing && !l.guard)
		ahead_alloc(sp, fresh);
	large_join(sp);
	if (zero_ret != NULL)
		*zero_ret = fresh;
	if (!(sp->slab_flags & UMEM_SLAB_PLAIN)) {
		(void)audit_alloc(
		    large_cache, sp, large_buffer(sp), size, 1, trace);
		if (zero_ret != NULL)
			*zero_ret = 0;
	}
	return large_buffer(sp);
}

void *
large_alloc(size_t size, size_t align, int *zero_ret)
{
	return alloc(size, align, 0, zero_ret);
}

void *
large_alloc_growing(size_t size)
{
	return alloc(size, 1, 1, NULL);
}

/* Two threads at once may note the same place: one address is lost. */
static void
note_freed(const void *buf)
{
	const unsigned next = lock_peek(freed_next);

	lock_put(freed_next, next + 1);
	lock_put(freed_ring[next % FREED_RING], buf);
}

void
large_free(umem_slab_t *sp, void *buf, size_t size, const char *function)
{
	const struct stack_frame from = stack_caller();

	if (buf != large_buffer(sp)) {
		struct umem_fault f = {
		    .error = UMEM_ERR_BADBASE,
		    .buffer = buf,
		    .realbuf = large_buffer(sp),
		    .slab = sp,
		    .realcache = large_cache,
		    .bufctl = audit_bufctl(sp, 0),
		    .size = sp->slab_reqsize,
		    .function = function,
		};

		fault_report(&f);
		return;
	}
	if (!(sp->slab_flags & UMEM_SLAB_PLAIN) &&
	    audit_free(sp, 0, buf, size, &from) != 0)
		return;
	ahead_free(sp);
	note_freed(buf);
	large_leave(sp);
	pagemap_clear(sp->slab_base, mapped_size(sp));
	free_pages(sp);
	free_struct(sp);
}

/* --------------------------------------------------------------- realloc */

enum { AHEAD_MAX = 1 << 20 };

static void
set_size(umem_slab_t *sp, size_t total, size_t size)
{
	sp->slab_size = total;
	sp->slab_chunksize = total - sp->slab_first;
	sp->slab_reqsize = size;
	sp->slab_flags &= ~UMEM_SLAB_WATCHED;
}

static void *
move_pages(umem_slab_t *sp, size_t total, size_t size)
{
	void *old = sp->slab_base, *base;

	/* Out of the map first: the old place may be reused at once. */
	pagemap_clear(old, mapped_size(sp));
	base = heap_move(heap_oversize, old, sp->slab_size, total);
	if (base == NULL) {
		(void)pagemap_set(old, mapped_size(sp), sp, 0);
		return NULL;
	}
	sp->slab_base = base;
	set_size(sp, total, size);
	if (pagemap_set(base, mapped_size(sp), sp, 0) != 0)
		umem_panic("umem: no memory for the page map\n");
	return large_buffer(sp);
}

/* resize - where it is; returns 0 when that cannot be */
static int
resize(umem_slab_t *sp, size_t total, size_t size)
{
	if (!heap_resize(heap_oversize, sp->slab_base, sp->slab_size, total))
		return 0;
	set_size(sp, total, size);
	return 1;
}

/*
 * grow_ahead - the same with room for the next step.  A block that grows by
 * half each time calls on the arena half as often; when it is large, that is
 * nothing beside the touching of its pages.
 */
static int
grow_ahead(umem_slab_t *sp, size_t size)
{
	return size > sp->slab_size && size <= AHEAD_MAX &&
	       resize(sp, round_up(size + size / 2, UMEM_PAGE_SIZE), size);
}

void *
large_realloc(umem_slab_t *sp, void *buf, size_t size)
{
	size_t total = round_up(sp->slab_first + size, UMEM_PAGE_SIZE);

	if (buf != large_buffer(sp) || sp->slab_flags & UMEM_SLAB_GUARD ||
	    !(sp->slab_flags & UMEM_SLAB_PLAIN) ||
	    size < LARGE_MIN_GROWING / 2 || size > (size_t)1 << 46)
		return NULL;
	if (large_fits(sp, buf, size)) {
		sp->slab_reqsize = size;
		return buf;
	}
	if (grow_ahead(sp, size) || resize(sp, total, size))
		return buf;
	return move_pages(sp, total, size);
}

/* ------------------------------------------------------------ for reports */

umem_slab_t *
large_find(const void *addr)
{
	umem_slab_t *sp;

	if (large_cache == NULL)
		return NULL;
	lock_acquire(&large_cache->cache_lock);
	for (sp = large_cache->cache_full; sp != NULL; sp = sp->slab_next)
		if ((uintptr_t)addr - (uintptr_t)sp->slab_base < sp->slab_size)
			break;
	lock_release(&large_cache->cache_lock);
	return sp;
}

int
large_was_freed(const void *addr)
{
	for (unsigned i = 0; i < FREED_RING; i++)
		if (lock_peek(freed_ring[i]) == addr && addr != NULL)
			return 1;
	return 0;
}
