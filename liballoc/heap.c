/* SPDX-License-Identifier: MIT */
/*
 * heap.c - pages for slabs and large buffers; see heap.h
 *
 *	mmap_top	what the system gave; a span for each mapping
 *	  umem_heap	all pages, free ones by age: dirty or clean
 *	    umem_default, umem_oversize	  exactly what is in use
 *	    umem_firewall  spans of its own, handed out next fit
 *
 * The two arenas in the third row import for each request just what it needs
 * and so never hold a free segment: their work is done by vmem_adopt().
 *
 * A freed page stays resident ("dirty") until it is taken again, or nobody
 * wanted it for DECAY_AGE, or there are too many.  Purged pages and pages that
 * were never touched are "clean": they read as zero.
 *
 * Layer: heap.h
 */
#include "heap.h"

#include <errno.h>
#include <string.h>

#include "lock.h"
#include "meta.h"
#include "msg.h"
#include "os.h"
#include "root.h"
#include "vmem_impl.h"

#define MIB (1ull << 20)
#define SECOND 1000000000ull

#define TOP_QUANTUM (64ull << 10)
#define PIECE_MIN MIB             /* least that is taken from the system, */
#define PIECE_MAX (512 * MIB)     /* and most unless more is needed */
#define PIECE_SHARE 2             /* half of the heap: few boundaries */
#define FIREWALL_PIECE (64 * MIB) /* address space only: touched when used */
#define DECAY_AGE SECOND
#define DECAY_INTERVAL (SECOND / 4)
#define SPAN_AGE (10 * SECOND) /* wholly free spans go back after that */

enum { MAX_ROOM = 16 << 20 }; /* for a block that grows */
enum { COPY_MAX = 1 << 20 };  /* to dirty pages: moving costs new faults */
enum { BATCH = 32 };          /* segments purged or spans returned at a time */

vmem_t *heap_arena;
vmem_t *heap_default;
vmem_t *heap_oversize;
vmem_t *heap_firewall;

static uint64_t heap_due; /* time of the next decay */

/* ------------------------------------------------------ memory of the system */

static void *
map_span(vmem_t *source, size_t size, int vmflag)
{
	int saved = errno;
	void *p = os_map(size, TOP_QUANTUM);

	(void)source;
	if (p != NULL && region_add(p, size, UMEM_RG_HEAP) != 0) {
		os_unmap(p, size);
		p = NULL;
	}
	if (vmflag & VM_HINT)
		errno = saved;
	return p;
}

static void
unmap_span(vmem_t *source, void *addr, size_t size)
{
	(void)source;
	region_remove(addr, size);
	os_unmap(addr, size);
}

/* Under a limit of address space, spans that are free make room. */
static void *
import_piece(vmem_t *top, size_t size, int vmflag)
{
	int saved = errno;
	void *p = vmem_alloc(top, size, vmflag);

	if (p == NULL && !(vmflag & VM_HINT)) {
		(void)heap_decay(0, 1);
		p = vmem_alloc(top, size, vmflag);
		if (p != NULL)
			errno = saved;
	}
	return p;
}

static size_t
piece_size(size_t need)
{
	size_t size = vmem_size(heap_arena, VMEM_ALLOC | VMEM_FREE);

	size /= PIECE_SHARE;
	if (size < PIECE_MIN)
		size = PIECE_MIN;
	if (size > PIECE_MAX)
		size = PIECE_MAX;
	size &= -TOP_QUANTUM;
	return size < need ? need : size;
}

/* Fresh pages for umem_firewall. */
static void *
firewall_pages(size_t size, size_t align)
{
	struct vmem_req rq;
	uint64_t addr;
	void *p;

	vmem_req_init(&rq, heap_arena, size, 0);
	rq.align = align;
	rq.clean = 1;
	if (vmem_take(heap_arena, &rq, &addr) != 0)
		return NULL;
	p = (void *)(uintptr_t)addr;
	if (rq.dirty)
		os_purge(p, size);
	return p;
}

static void *
import_firewall(vmem_t *source, size_t size, int vmflag)
{
	(void)vmflag;
	return firewall_pages(size, source->vm_quantum);
}

static size_t
firewall_piece_size(size_t need)
{
	return need < FIREWALL_PIECE ? FIREWALL_PIECE : need;
}

void
heap_init(void)
{
	uint32_t ours = VMF_INTERNAL | VMF_HEAP;
	vmem_t *top;

	vmem_clock = os_now();
	top = arena_create(
	    "mmap_top", TOP_QUANTUM, map_span, unmap_span, NULL, ours, 0);
	VERIFY(top != NULL);
	heap_arena = arena_create("umem_heap", UMEM_PAGE_SIZE, import_piece,
	    vmem_free, top, ours, ARENA_AGED | ARENA_RETAIN);
	VERIFY(heap_arena != NULL);
	arena_of(heap_arena)->import_size = piece_size;
	heap_default = arena_create("umem_default", UMEM_PAGE_SIZE, vmem_alloc,
	    vmem_free, heap_arena, ours, 0);
	heap_oversize = arena_create("umem_oversize", UMEM_PAGE_SIZE,
	    vmem_alloc, vmem_free, heap_arena, ours, 0);
	heap_firewall = arena_create("umem_firewall", UMEM_PAGE_SIZE,
	    import_firewall, vmem_free, heap_arena, ours, ARENA_RETAIN);
	VERIFY(heap_default != NULL && heap_oversize != NULL &&
	       heap_firewall != NULL);
	arena_of(heap_firewall)->import_size = firewall_piece_size;
}

vmem_t *
vmem_heap_arena(vmem_alloc_t **allocp, vmem_free_t **freep)
{
	if (allocp != NULL)
		*allocp = vmem_alloc;
	if (freep != NULL)
		*freep = vmem_free;
	return heap_arena;
}

/* ------------------------------------------------------------------- decay */

/*
 * Take the oldest dirty segments off the lists: those that were freed up to
 * @until, and more as long as over @keep bytes are dirty.
 */
static unsigned
purge_collect(vmem_seg_t **batch, uint64_t until, uint64_t keep)
{
	struct vmem_arena *ar = arena_of(heap_arena);
	unsigned n = 0;

	lock_acquire(&ar->vm.vm_lock);
	while (n < BATCH && ar->oldest != NULL &&
	       (ar->dirty > keep || ar->oldest->seg.vs_timestamp <= until)) {
		batch[n] = &ar->oldest->seg;
		seg_purge_begin(ar, batch[n++]);
	}
	lock_release(&ar->vm.vm_lock);
	return n;
}

static size_t
purge(uint64_t until, uint64_t keep)
{
	struct vmem_arena *ar = arena_of(heap_arena);
	vmem_seg_t *batch[BATCH];
	size_t purged = 0;
	unsigned n;

	do {
		n = purge_collect(batch, until, keep);
		for (unsigned i = 0; i < n; i++) {
			os_purge((void *)(uintptr_t)batch[i]->vs_start,
			    seg_size(batch[i]));
			purged += seg_size(batch[i]);
		}
		lock_acquire(&ar->vm.vm_lock);
		for (unsigned i = 0; i < n; i++)
			seg_purge_end(ar, batch[i]);
		lock_release(&ar->vm.vm_lock);
	} while (n == BATCH);
	return purged;
}

/* The peak is bounded, too: for when pages have been freed. */
static void
purge_excess(void)
{
	struct vmem_arena *ar = arena_of(heap_arena);
	uint64_t limit, dirty;

	lock_acquire(&heap_arena->vm_lock);
	limit = arena_dirty_limit(ar);
	dirty = ar->dirty;
	lock_release(&heap_arena->vm_lock);
	/* Somewhat below the limit, lest every free purges a page. */
	if (dirty > limit)
		(void)purge(0, limit - MIB);
}

/* Take spans off the heap that are clean and free since @until. */
static unsigned
spans_collect(uint64_t (*batch)[2], uint64_t until)
{
	struct vmem_arena *ar = arena_of(heap_arena);
	vmem_seg_t *seg0 = &heap_arena->vm_seg0, *span, *next, *s;
	unsigned n = 0;

	lock_acquire(&heap_arena->vm_lock);
	for (span = seg0->vs_knext; span != seg0 && n < BATCH; span = next) {
		next = span->vs_knext;
		s = span->vs_anext;
		if (s->vs_type != VMEM_SEG_FREE || s->vs_dirty != SEG_CLEAN ||
		    s->vs_timestamp > until || span_whole(ar, s) != span)
			continue;
		batch[n][0] = s->vs_start;
		batch[n++][1] = seg_size(s);
		span_delete(ar, span, s);
	}
	lock_release(&heap_arena->vm_lock);
	return n;
}

static void
return_spans(uint64_t until)
{
	uint64_t batch[BATCH][2];
	unsigned n;

	do {
		n = spans_collect(batch, until);
		for (unsigned i = 0; i < n; i++)
			vmem_export(heap_arena, batch[i][0], batch[i][1]);
	} while (n == BATCH);
}

/* Whether it is time, and the caller is the one to do it. */
static int
decay_is_due(uint64_t now)
{
	uint64_t due = __atomic_load_n(&heap_due, __ATOMIC_RELAXED);

	return now >= due &&
	       __atomic_compare_exchange_n(&heap_due, &due,
		   now + DECAY_INTERVAL, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

size_t
heap_decay(uint64_t now, int all)
{
	size_t purged;

	if (all) {
		purged = purge(UINT64_MAX, 0);
		return_spans(UINT64_MAX);
		return purged;
	}
	if (!decay_is_due(now))
		return 0;
	__atomic_store_n(&vmem_clock, now, __ATOMIC_RELAXED);
	purged = now > DECAY_AGE ? purge(now - DECAY_AGE, UINT64_MAX) : 0;
	if (now > SPAN_AGE)
		return_spans(now - SPAN_AGE);
	return purged;
}

/* ------------------------------------------------------------- alloc, free */

/* The arenas that hold exactly what is in use; see the top of this file. */
static int
adopts(const vmem_t *arena)
{
	return arena == heap_default || arena == heap_oversize;
}

static void
note_failure(vmem_t *arena)
{
	lock_acquire(&arena->vm_lock);
	arena->vm_nfail++;
	lock_release(&arena->vm_lock);
}

/* From umem_heap, on behalf of an arena that adopts. */
static int
take_adopted(vmem_t *arena, struct vmem_req *rq, uint64_t *addr_ret)
{
	if (vmem_take(heap_arena, rq, addr_ret) != 0) {
		note_failure(arena);
		return -1;
	}
	if (vmem_adopt(arena, *addr_ret, rq->size) != 0) {
		(void)vmem_give(heap_arena, *addr_ret, rq->size,
		    rq->dirty ? SEG_DIRTY : SEG_CLEAN, "heap_alloc");
		return -1;
	}
	return 0;
}

/*
 * Next fit.  What was in use before is inaccessible; where the system has no
 * mappings left to change that, fresh pages still need none.
 */
static void *
firewall_alloc(size_t size, size_t align)
{
	struct vmem_req rq;
	uint64_t addr;
	void *p;

	vmem_req_init(&rq, heap_firewall, size, VM_NEXTFIT);
	rq.align = align;
	if (vmem_take(heap_firewall, &rq, &addr) == 0) {
		p = (void *)(uintptr_t)addr;
		if (os_protect(p, rq.size, 1) == 0)
			return p;
		(void)vmem_give(
		    heap_firewall, addr, rq.size, SEG_CLEAN, "heap_alloc");
	}
	p = firewall_pages(rq.size, align);
	if (p == NULL)
		return NULL;
	addr = (uintptr_t)p;
	if (vmem_adopt(heap_firewall, addr, rq.size) == 0)
		return p;
	(void)vmem_give(heap_arena, addr, rq.size, SEG_CLEAN, "heap_alloc");
	return NULL;
}

/* Space that a block of this size would like to have behind it. */
static uint64_t
room_to_grow(size_t size)
{
	uint64_t room = size < MAX_ROOM / 64 ? 64ull * size : MAX_ROOM;

	return room & -TOP_QUANTUM;
}

static void *
alloc(vmem_t *arena, size_t size, size_t align, uint64_t room, int *zero_ret)
{
	struct vmem_req rq;
	uint64_t addr;
	int rc, zero = 1;
	void *p;

	vmem_req_init(&rq, arena, size, (int)umem_settings.set_vmem_policy);
	rq.room = room;
	if (align > rq.align)
		rq.align = align;
	if (arena == heap_firewall) {
		p = firewall_alloc(rq.size, rq.align);
	} else {
		rc = adopts(arena) ? take_adopted(arena, &rq, &addr)
				   : vmem_take(arena, &rq, &addr);
		p = rc == 0 ? (void *)(uintptr_t)addr : NULL;
		zero = !rq.dirty && (adopts(arena) || arena == heap_arena);
	}
	if (zero_ret != NULL)
		*zero_ret = p != NULL && zero;
	return p;
}

void *
heap_alloc(vmem_t *arena, size_t size, size_t align, int *zero_ret)
{
	return alloc(arena, size, align, 0, zero_ret);
}

void *
heap_alloc_growing(vmem_t *arena, size_t size, size_t align, int *zero_ret)
{
	return alloc(arena, size, align, room_to_grow(size), zero_ret);
}

/* Nobody may touch it from now on, and what it held is gone. */
static void
firewall_close(void *addr, size_t size)
{
	(void)os_protect(addr, size, 0);
	os_purge(addr, size);
}

void
heap_free(vmem_t *arena, void *addr, size_t size)
{
	uint64_t start = (uintptr_t)addr;

	if (arena == heap_firewall) {
		firewall_close(addr, size);
		(void)vmem_give(arena, start, size, SEG_CLEAN, "heap_free");
		return;
	}
	if (adopts(arena)) {
		vmem_disown(arena, start, size, "heap_free");
		arena = heap_arena;
	}
	if (vmem_give(arena, start, size, SEG_DIRTY, "heap_free"))
		purge_excess();
}

/* ------------------------------------------------------------ resize, move */

static int
shrink(vmem_t *arena, uint64_t addr, size_t old_size, size_t new_size)
{
	if (arena == heap_firewall)
		firewall_close(
		    (void *)(uintptr_t)(addr + new_size), old_size - new_size);
	if (!adopts(arena))
		return vmem_resize(arena, addr, old_size, new_size) == 0;
	vmem_adopt_resize(arena, addr, old_size, new_size);
	if (vmem_resize(heap_arena, addr, old_size, new_size) != 0) {
		vmem_adopt_resize(arena, addr, new_size, old_size);
		return 0;
	}
	purge_excess();
	return 1;
}

int
heap_resize(vmem_t *arena, void *addr, size_t old_size, size_t new_size)
{
	uint64_t start = (uintptr_t)addr;

	if (new_size == old_size)
		return 1;
	if (new_size < old_size)
		return shrink(arena, start, old_size, new_size);
	if (arena == heap_firewall)
		return 0;
	if (!adopts(arena))
		return vmem_resize(arena, start, old_size, new_size) == 0;
	if (vmem_resize(heap_arena, start, old_size, new_size) != 0)
		return 0;
	vmem_adopt_resize(arena, start, old_size, new_size);
	return 1;
}

void *
heap_move(vmem_t *arena, void *addr, size_t old_size, size_t new_size)
{
	struct vmem_req rq;
	uint64_t place;
	int copies;
	void *p;

	if (!adopts(arena))
		return NULL;
	vmem_req_init(&rq, heap_arena, new_size, 0);
	rq.room = room_to_grow(new_size);
	/* where it moves to, what lay there would only be dropped */
	rq.clean = old_size > COPY_MAX;
	if (take_adopted(arena, &rq, &place) != 0)
		return NULL;
	p = (void *)(uintptr_t)place;
	copies = rq.dirty && old_size <= COPY_MAX;
	if (copies) {
		memcpy(p, addr, old_size);
	} else if (os_move(addr, p, old_size) != 0) {
		vmem_disown(arena, place, new_size, "heap_move");
		(void)vmem_give(heap_arena, place, new_size,
		    rq.dirty ? SEG_DIRTY : SEG_CLEAN, "heap_move");
		return NULL;
	}
	vmem_disown(arena, (uintptr_t)addr, old_size, "heap_move");
	(void)vmem_give(heap_arena, (uintptr_t)addr, old_size,
	    copies ? SEG_DIRTY : SEG_CLEAN, "heap_move");
	return p;
}
