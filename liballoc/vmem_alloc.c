/* SPDX-License-Identifier: MIT */
/*
 * vmem_alloc.c - which segment to hand out, import and export
 *
 * Instant fit, the default, looks at a few segments of each list that may
 * have one that fits, smallest sizes first; in lists whose segments all are
 * large enough the first one does.  Only when that finds nothing and there is
 * nowhere to import from are all free segments looked at.  The heap takes the
 * best of a few.
 *
 * No lock is held while memory is imported or exported, so the source's
 * functions may do what they like.
 *
 * Layer: vmem_impl.h
 */
#include "vmem_impl.h"

#include "lock.h"
#include "msg.h"
#include "os.h"
#include "root.h"
#include "stack.h"

enum {
	LOOKS = 8,       /* segments of one list that instant fit looks at */
	GOOD_LOOKS = 16, /* the same for the heap, which takes the best */
	RUN_LOOKS = 64,  /* free segments tried as the middle of a run */
	DIRTY_FIRST = 1 << 20, /* bytes whose faults cost more than a cut */
	SEGS_NEEDED = 4 /* at most: a span, its segment, two for the rest */
};

#define POLICIES (VM_BESTFIT | VM_FIRSTFIT | VM_NEXTFIT)

const struct vmem_qcache_ops *vmem_qcache_ops;

/* -------------------------------------------------------------------- fit */

/* Whether [addr, addr + size) crosses a multiple of the power of two @n. */
static int
crosses(uint64_t addr, uint64_t size, uint64_t n)
{
	return n != 0 && ((addr ^ (addr + size - 1)) & -n) != 0;
}

/* The least address from @start on that has the alignment and phase. */
static uint64_t
round_to_phase(uint64_t start, const struct vmem_req *rq)
{
	return ((start - rq->phase + rq->align - 1) & -rq->align) + rq->phase;
}

/* Whether the request fits into a segment, and where. */
static int
fits(const vmem_seg_t *s, const struct vmem_req *rq, uint64_t *addr_ret)
{
	uint64_t start = s->vs_start, end = s->vs_end, addr;

	*addr_ret = start;
	if (end - start < rq->size)
		return 0;
	if (rq->plain)
		return 1;
	if (rq->min > start)
		start = rq->min;
	if (rq->max != 0 && rq->max < end)
		end = rq->max;
	if (end <= start || end - start < rq->size)
		return 0;
	addr = round_to_phase(start, rq);
	if (addr < start || addr > end - rq->size)
		return 0;
	if (crosses(addr, rq->size, rq->nocross)) {
		start = (addr + rq->size - 1) & -rq->nocross;
		addr = round_to_phase(start, rq);
		if (addr < start || addr > end - rq->size ||
		    crosses(addr, rq->size, rq->nocross))
			return 0;
	}
	*addr_ret = addr;
	return 1;
}

/* Instant fit, looking at @looks segments of each list. */
static vmem_seg_t *
find_instant(struct vmem_arena *ar, const struct vmem_req *rq, uint64_t looks,
    uint64_t *addr_ret)
{
	uint64_t map = ar->vm.vm_freemap & -1ull << seg_class(rq->size);

	for (; map != 0; map &= map - 1) {
		uint64_t left = looks;
		vmem_seg_t *s =
		    ar->vm.vm_freelist[__builtin_ctzll(map)].vf_next;

		for (; s != NULL && left-- > 0; s = s->vs_knext)
			if (fits(s, rq, addr_ret))
				return s;
	}
	return NULL;
}

/*
 * For the heap: the smallest segment that fits among the first few of the
 * first list that has any.  That keeps large segments whole, and so spares
 * both address space and fresh pages.  With @dirty, dirty ones only: they
 * stand first in their lists.
 */
static vmem_seg_t *
find_good(struct vmem_arena *ar, const struct vmem_req *rq, int dirty,
    uint64_t *addr_ret)
{
	uint64_t map = ar->vm.vm_freemap & -1ull << seg_class(rq->size);
	vmem_seg_t *best = NULL;
	uint64_t addr;

	for (; map != 0 && best == NULL; map &= map - 1) {
		unsigned left = GOOD_LOOKS;
		vmem_seg_t *s =
		    ar->vm.vm_freelist[__builtin_ctzll(map)].vf_next;

		for (; s != NULL && left-- > 0; s = s->vs_knext) {
			if (dirty && !s->vs_dirty)
				break;
			if ((best != NULL && seg_size(s) >= seg_size(best)) ||
			    !fits(s, rq, &addr))
				continue;
			best = s;
			*addr_ret = addr;
			if (seg_size(s) == rq->size)
				break;
		}
	}
	return best;
}

/* A clean segment, when one is at the end of a list. */
static vmem_seg_t *
find_clean(struct vmem_arena *ar, const struct vmem_req *rq, uint64_t *addr_ret)
{
	uint64_t map = ar->vm.vm_freemap & -1ull << seg_class(rq->size);

	for (; map != 0; map &= map - 1) {
		vmem_seg_t *s =
		    ar->vm.vm_freelist[__builtin_ctzll(map)].vf_prev;

		if (!s->vs_dirty && fits(s, rq, addr_ret))
			return s;
	}
	return NULL;
}

/* Best fit, or first fit: look at every segment that is large enough. */
static vmem_seg_t *
find_all(struct vmem_arena *ar, const struct vmem_req *rq, int policy,
    uint64_t *addr_ret)
{
	uint64_t map = ar->vm.vm_freemap & -1ull << seg_class(rq->size);
	vmem_seg_t *best = NULL;
	uint64_t addr;

	for (; map != 0; map &= map - 1) {
		vmem_seg_t *s =
		    ar->vm.vm_freelist[__builtin_ctzll(map)].vf_next;

		for (; s != NULL; s = s->vs_knext) {
			if (!fits(s, rq, &addr))
				continue;
			if (best != NULL &&
			    (policy == VM_FIRSTFIT
				    ? addr >= *addr_ret
				    : seg_size(s) >= seg_size(best)))
				continue;
			best = s;
			*addr_ret = addr;
		}
		if (best != NULL && policy != VM_FIRSTFIT)
			break; /* the lists that follow have larger ones */
	}
	return best;
}

/* Next fit: from the rotor on, once around the ring. */
static vmem_seg_t *
find_next(struct vmem_arena *ar, const struct vmem_req *rq, uint64_t *addr_ret)
{
	vmem_seg_t *rotor = &ar->vm.vm_rotor, *s;

	for (s = rotor->vs_anext; s != rotor; s = s->vs_anext)
		if (s->vs_type == VMEM_SEG_FREE && s->vs_dirty != SEG_PURGING &&
		    fits(s, rq, addr_ret))
			return s;
	return NULL;
}

/*
 * Where dirty and clean segments are kept apart, neighbours may fit together.
 */
static vmem_seg_t *
find_joined(
    struct vmem_arena *ar, const struct vmem_req *rq, uint64_t *addr_ret)
{
	uint64_t need = rq->size + (rq->align - ar->vm.vm_quantum);
	unsigned least = seg_class(need);
	unsigned looks = RUN_LOOKS;
	uint64_t map;

	least = least > 2 ? least - 2 : 0;
	map = ar->vm.vm_freemap & -1ull << least;
	for (; map != 0; map &= map - 1) {
		vmem_seg_t *s =
		    ar->vm.vm_freelist[__builtin_ctzll(map)].vf_next;

		for (; s != NULL; s = s->vs_knext) {
			vmem_seg_t *run;

			if (looks-- == 0)
				return NULL;
			run = seg_join_run(ar, s, need);
			if (run != NULL)
				return fits(run, rq, addr_ret) ? run : NULL;
		}
	}
	return NULL;
}

/*
 * A dirty segment that is too small, with the clean one behind it: it is the
 * dirty pages that are to be used.
 */
static vmem_seg_t *
find_extended(
    struct vmem_arena *ar, const struct vmem_req *rq, uint64_t *addr_ret)
{
	unsigned class = seg_class(rq->size), i;

	/* What is wanted for room alone would count as dirty ever after. */
	if (!rq->plain || rq->room != 0)
		return NULL;
	for (i = class; i + 3 > class; i--) {
		vmem_seg_t *s = ar->vm.vm_freelist[i].vf_next;
		unsigned left = GOOD_LOOKS;

		for (; s != NULL && s->vs_dirty && left-- > 0; s = s->vs_knext)
			if (seg_size(s) < rq->size &&
			    seg_cut_behind(ar, s, rq->size - seg_size(s)) ==
				0) {
				*addr_ret = s->vs_start;
				seg_trim(
				    ar, s, s->vs_start, s->vs_start + rq->size);
				return s;
			}
	}
	return NULL;
}

/* In the heap, whose free pages are dirty or clean. */
static vmem_seg_t *
find_aged(struct vmem_arena *ar, const struct vmem_req *rq, uint64_t *addr_ret)
{
	vmem_seg_t *s = NULL;

	if (rq->size >= DIRTY_FIRST) {
		s = find_good(ar, rq, 1, addr_ret);
		if (s == NULL)
			s = find_extended(ar, rq, addr_ret);
	}
	if (s == NULL)
		s = find_good(ar, rq, 0, addr_ret);
	return s != NULL ? s : find_joined(ar, rq, addr_ret);
}

static vmem_seg_t *
find_by_policy(struct vmem_arena *ar, const struct vmem_req *rq, int thorough,
    uint64_t *addr_ret)
{
	int policy = rq->flags & POLICIES;
	vmem_seg_t *s = NULL;

	if (policy & VM_NEXTFIT)
		return find_next(ar, rq, addr_ret);
	if (policy != 0)
		return find_all(ar, rq,
		    policy & VM_BESTFIT ? VM_BESTFIT : VM_FIRSTFIT, addr_ret);
	if (rq->clean)
		s = find_clean(ar, rq, addr_ret);
	if (s == NULL)
		s = ar->flags & ARENA_AGED
			? find_aged(ar, rq, addr_ret)
			: find_instant(ar, rq, LOOKS, addr_ret);
	if (s == NULL && thorough)
		s = find_instant(ar, rq, UINT64_MAX, addr_ret);
	return s;
}

/* A segment in which there is room to grow: all that is wished, or an 8th. */
static vmem_seg_t *
find_roomy(struct vmem_arena *ar, const struct vmem_req *rq, uint64_t *addr_ret)
{
	struct vmem_req wish = *rq;
	vmem_seg_t *s;

	wish.size = rq->size + rq->room;
	s = find_by_policy(ar, &wish, 0, addr_ret);
	if (s != NULL)
		return s;
	wish.size = rq->size + rq->room / 8;
	return find_by_policy(ar, &wish, 0, addr_ret);
}

/* A free segment that fits, and where; NULL: none, for all one has looked. */
static vmem_seg_t *
find(struct vmem_arena *ar, const struct vmem_req *rq, int thorough,
    uint64_t *addr_ret)
{
	vmem_seg_t *rotor = &ar->vm.vm_rotor, *s = NULL;

	if (rq->room != 0) {
		s = find_roomy(ar, rq, addr_ret);
		if (s != NULL || !thorough)
			return s;
	}
	s = find_by_policy(ar, rq, thorough, addr_ret);
	if (s != NULL || !seg_joinable(rotor->vs_aprev, rotor->vs_anext))
		return s;
	/* What the rotor kept apart may fit as a whole. */
	(void)walker_move(ar, rotor, rotor->vs_anext);
	return find_by_policy(ar, rq, thorough, addr_ret);
}

/* ---------------------------------------------------------- import, export */

static void *
call_import(const vmem_t *vmp, uint64_t size, int flags)
{
	vmem_alloc_t *afunc = (vmem_alloc_t *)(uintptr_t)vmp->vm_alloc_func;

	return afunc(vmp->vm_source, size, (flags & ~VM_PANIC) | VM_NOSLEEP);
}

void
vmem_export(vmem_t *vmp, uint64_t addr, uint64_t size)
{
	vmem_free_t *ffunc = (vmem_free_t *)(uintptr_t)vmp->vm_free_func;

	if (ffunc != NULL)
		ffunc(vmp->vm_source, (void *)(uintptr_t)addr, size);
}

/* What must be imported so that a request surely fits; 0: too much. */
static uint64_t
import_need(const vmem_t *vmp, const struct vmem_req *rq)
{
	uint64_t unit = vmp->vm_quantum, need;

	if (vmp->vm_source != NULL && vmp->vm_source->vm_quantum > unit)
		unit = vmp->vm_source->vm_quantum;
	if (__builtin_add_overflow(
		rq->size, rq->align - vmp->vm_quantum, &need))
		return 0;
	if (rq->nocross != 0 && __builtin_add_overflow(need, need, &need))
		return 0;
	if (__builtin_add_overflow(need, unit - 1, &need))
		return 0;
	return need & -unit;
}

/*
 * Import a span.  Drops the lock and takes it again; afterwards what others
 * freed in between is as good.  Returns a segment that fits, or NULL.
 */
static vmem_seg_t *
import(struct vmem_arena *ar, const struct vmem_req *rq, uint64_t *addr_ret)
{
	vmem_t *vmp = &ar->vm;
	uint64_t need = import_need(vmp, rq), size = need;
	uint64_t mem = 0;
	vmem_seg_t *s;

	lock_release(&vmp->vm_lock);
	if (need != 0) {
		int flags = rq->flags & ~POLICIES;

		if (ar->import_size != NULL)
			size = ar->import_size(need);
		if (size - need < rq->room)
			size = need + rq->room;
		if (size > need)
			mem =
			    (uintptr_t)call_import(vmp, size, flags | VM_HINT);
		if (mem == 0)
			mem = (uintptr_t)call_import(vmp, size = need, flags);
	}
	if ((mem & (vmp->vm_quantum - 1)) != 0)
		umem_panic("umem: arena '%s' imported %p, which is no "
			   "multiple of its quantum %lu\n",
		    vmp->vm_name, (void *)(uintptr_t)mem,
		    (unsigned long)vmp->vm_quantum);
	lock_acquire(&vmp->vm_lock);
	if (mem != 0 && seg_reserve(ar, SEGS_NEEDED) != 0) {
		lock_release(&vmp->vm_lock);
		vmem_export(vmp, mem, size);
		lock_acquire(&vmp->vm_lock);
		return NULL;
	}
	if (mem != 0) {
		s = span_create(ar, mem, size, 1);
		if (fits(s, rq, addr_ret))
			return s;
	}
	if (seg_reserve(ar, SEGS_NEEDED) != 0)
		return NULL;
	return find(ar, rq, 1, addr_ret);
}

/* Whether a span's two halves are free and only the rotor keeps them apart. */
static int
rotor_splits_span(struct vmem_arena *ar)
{
	vmem_seg_t *a = ar->vm.vm_rotor.vs_aprev;
	vmem_seg_t *b = ar->vm.vm_rotor.vs_anext, *span;

	if (!seg_joinable(a, b))
		return 0;
	span = a->vs_aprev;
	return span->vs_type == VMEM_SEG_SPAN &&
	       span->vs_start == a->vs_start && span->vs_end == b->vs_end;
}

int
vmem_detach(struct vmem_arena *ar, vmem_seg_t *s, uint64_t *addr_ret,
    uint64_t *size_ret)
{
	vmem_seg_t *rotor = &ar->vm.vm_rotor, *span;

	if (ar->vm.vm_free_func == 0 || ar->flags & ARENA_RETAIN)
		return 0;
	if ((s == rotor->vs_aprev || s == rotor->vs_anext) &&
	    rotor_splits_span(ar))
		s = walker_move(ar, rotor, rotor->vs_anext);
	span = span_whole(ar, s);
	if (span == NULL || !span->vs_import)
		return 0;
	*addr_ret = s->vs_start;
	*size_ret = seg_size(s);
	span_delete(ar, span, s);
	return 1;
}

/* -------------------------------------------------------------- take, give */

int
vmem_take(vmem_t *vmp, struct vmem_req *rq, uint64_t *addr_ret)
{
	struct vmem_arena *ar = arena_of(vmp);
	vmem_seg_t *s = NULL;
	int can_import;

	rq->plain = rq->align <= vmp->vm_quantum && rq->phase == 0 &&
		    rq->nocross == 0 && rq->min == 0 && rq->max == 0;
	can_import = vmp->vm_alloc_func != 0 && rq->min == 0 && rq->max == 0;
	lock_acquire(&vmp->vm_lock);
	if (rq->size != 0 && seg_reserve(ar, SEGS_NEEDED) == 0) {
		s = find(ar, rq, !can_import, addr_ret);
		if (s == NULL && can_import)
			s = import(ar, rq, addr_ret);
	}
	if (s == NULL) {
		vmp->vm_nfail++;
		lock_release(&vmp->vm_lock);
		return -1;
	}
	rq->dirty = s->vs_dirty;
	s = seg_take(ar, s, *addr_ret, rq->size);
	s->vs_thread = rq->thread;
	s->vs_timestamp = rq->timestamp;
	s->vs_trace = rq->trace;
	hash_insert(ar, s);
	if (rq->flags & VM_NEXTFIT)
		(void)walker_move(ar, &vmp->vm_rotor, s);
	lock_release(&vmp->vm_lock);
	return 0;
}

/* Say what is wrong with a free.  Called with vm_lock held. */
static void
bad_free(vmem_t *vmp, uint64_t addr, uint64_t size, const char *who)
{
	vmem_seg_t *s = &vmp->vm_seg0;
	void *p = (void *)(uintptr_t)addr;
	uint64_t start, found;
	unsigned type;

	do {
		s = s->vs_anext;
	} while (s != &vmp->vm_seg0 &&
		 (!(s->vs_type & (VMEM_SEG_ALLOC | VMEM_SEG_FREE)) ||
		     addr < s->vs_start || addr >= s->vs_end));
	type = s->vs_type;
	start = s->vs_start;
	found = seg_size(s);
	lock_release(&vmp->vm_lock);
	if (type == VMEM_SEG_ALLOC && start == addr)
		umem_panic("umem: %s of %p to arena '%s' with size %lu: it was "
			   "allocated with size %lu\n",
		    who, p, vmp->vm_name, (unsigned long)size,
		    (unsigned long)found);
	if (type == VMEM_SEG_ALLOC)
		umem_panic("umem: %s of %p to arena '%s': it lies inside the "
			   "allocation at %p of size %lu\n",
		    who, p, vmp->vm_name, (void *)(uintptr_t)start,
		    (unsigned long)found);
	if (type == VMEM_SEG_FREE)
		umem_panic("umem: %s of %p to arena '%s' with size %lu: it is "
			   "free already\n",
		    who, p, vmp->vm_name, (unsigned long)size);
	umem_panic("umem: %s of %p to arena '%s': it does not belong to this "
		   "arena\n",
	    who, p, vmp->vm_name);
}

/* Take the allocation off the hash, or end.  Called with vm_lock held. */
static vmem_seg_t *
claim(struct vmem_arena *ar, uint64_t addr, uint64_t size, const char *who)
{
	uint64_t q = ar->vm.vm_quantum;
	vmem_seg_t *s = hash_remove(ar, addr, (size + q - 1) & -q);

	if (s == NULL)
		bad_free(&ar->vm, addr, size, who);
	return s;
}

int
vmem_give(vmem_t *vmp, uint64_t addr, uint64_t size, int dirty, const char *who)
{
	struct vmem_arena *ar = arena_of(vmp);
	uint64_t span_addr, span_size;
	vmem_seg_t *s;
	int whole, excess;

	lock_acquire(&vmp->vm_lock);
	s = claim(ar, addr, size, who);
	s = seg_free(ar, s, dirty);
	whole = vmem_detach(ar, s, &span_addr, &span_size);
	excess = ar->dirty > arena_dirty_limit(ar);
	lock_release(&vmp->vm_lock);
	if (whole)
		vmem_export(vmp, span_addr, span_size);
	return excess;
}

/* -------------------------------------------------- adopted spans, resizing */

int
vmem_adopt(vmem_t *vmp, uint64_t addr, uint64_t size)
{
	struct vmem_arena *ar = arena_of(vmp);

	lock_acquire(&vmp->vm_lock);
	if (seg_reserve(ar, 2) != 0) {
		vmp->vm_nfail++;
		lock_release(&vmp->vm_lock);
		return -1;
	}
	(void)span_adopt(ar, addr, size);
	lock_release(&vmp->vm_lock);
	return 0;
}

void
vmem_disown(vmem_t *vmp, uint64_t addr, uint64_t size, const char *who)
{
	struct vmem_arena *ar = arena_of(vmp);

	lock_acquire(&vmp->vm_lock);
	span_disown(ar, claim(ar, addr, size, who));
	lock_release(&vmp->vm_lock);
}

void
vmem_adopt_resize(
    vmem_t *vmp, uint64_t addr, uint64_t old_size, uint64_t new_size)
{
	struct vmem_arena *ar = arena_of(vmp);
	vmem_seg_t *s, *span;

	lock_acquire(&vmp->vm_lock);
	s = hash_find(ar, addr);
	VERIFY(s != NULL && seg_size(s) == old_size);
	span = span_whole(ar, s);
	VERIFY(span != NULL);
	span->vs_end = s->vs_end = addr + new_size;
	vmp->vm_mem_total += new_size - old_size;
	vmp->vm_mem_import += new_size - old_size;
	vmp->vm_mem_inuse += new_size - old_size;
	lock_release(&vmp->vm_lock);
}

/* Extend an allocation into the free segments behind it. */
static int
grow(struct vmem_arena *ar, vmem_seg_t *s, uint64_t more)
{
	if (seg_cut_behind(ar, s, more) != 0)
		return -1;
	s->vs_end += more;
	ar->vm.vm_mem_inuse += more;
	return 0;
}

/* Cut the end off an allocation. */
static int
shrink(struct vmem_arena *ar, vmem_seg_t *s, uint64_t less)
{
	vmem_seg_t *rest;

	/* Every allocation leaves some in reserve for this. */
	if (seg_reserve(ar, 1) != 0 && ar->nspare == 0)
		return -1;
	rest = seg_get(ar);
	rest->vs_start = s->vs_end - less;
	rest->vs_end = s->vs_end;
	rest->vs_type = VMEM_SEG_ALLOC;
	s->vs_end -= less;
	ring_insert(s, rest);
	ar->vm.vm_mem_inuse -= less;
	(void)seg_free(ar, rest, SEG_DIRTY);
	return 0;
}

int
vmem_resize(vmem_t *vmp, uint64_t addr, uint64_t old_size, uint64_t new_size)
{
	struct vmem_arena *ar = arena_of(vmp);
	vmem_seg_t *s;
	int rc = 0;

	lock_acquire(&vmp->vm_lock);
	s = hash_find(ar, addr);
	if (s == NULL || seg_size(s) != old_size)
		bad_free(vmp, addr, old_size, "heap_resize");
	else if (new_size > old_size)
		rc = grow(ar, s, new_size - old_size);
	else if (new_size < old_size)
		rc = shrink(ar, s, old_size - new_size);
	lock_release(&vmp->vm_lock);
	return rc;
}

/* --------------------------------------------------------- the public calls */

/* Note who asks, in arenas of the client's, when that is wanted. */
static void
record(const vmem_t *vmp, struct vmem_req *rq)
{
	const struct stack_frame from = stack_caller();

	if (vmp->vm_flags & VMF_INTERNAL || !(umem_root.root_flags & UMF_AUDIT))
		return;
	rq->thread = os_tid();
	rq->timestamp = os_now();
	rq->trace = STACK_NUMBER(stack_trace(&from));
}

static void *
give_up(const vmem_t *vmp, uint64_t size, int flags, const char *who)
{
	if (flags & VM_PANIC)
		umem_panic("umem: %s of %lu from arena '%s' failed\n", who,
		    (unsigned long)size, vmp->vm_name);
	return NULL;
}

static void *
allocate(vmem_t *vmp, struct vmem_req *rq, size_t size, const char *who)
{
	uint64_t addr;

	rq->flags |= (int)umem_settings.set_vmem_policy;
	record(vmp, rq);
	if (vmem_take(vmp, rq, &addr) != 0)
		return give_up(vmp, size, rq->flags, who);
	return (void *)(uintptr_t)addr;
}

void *
vmem_alloc(vmem_t *vmp, size_t size, int vmflag)
{
	struct vmem_req rq;

	if (size == 0)
		umem_panic("umem: vmem_alloc of size 0 from arena '%s'\n",
		    vmp->vm_name);
	if (size <= vmp->vm_qcache_max) {
		umem_cache_t *cp = vmp->vm_qcache[(size - 1) >> vmp->vm_qshift];
		void *p = vmem_qcache_ops->alloc(cp, vmflag);

		return p != NULL ? p : give_up(vmp, size, vmflag, "vmem_alloc");
	}
	vmem_req_init(&rq, vmp, size, vmflag);
	return allocate(vmp, &rq, size, "vmem_alloc");
}

void
vmem_free(vmem_t *vmp, void *addr, size_t size)
{
	if (size - 1 < vmp->vm_qcache_max)
		vmem_qcache_ops->free(
		    vmp->vm_qcache[(size - 1) >> vmp->vm_qshift], addr);
	else
		vmem_give(vmp, (uintptr_t)addr, size, SEG_DIRTY, "vmem_free");
}

/* End when the constraints of a vmem_xalloc() make no sense. */
static void
check_request(const vmem_t *vmp, const struct vmem_req *rq, size_t size)
{
	const char *wrong = NULL;
	uint64_t odd = vmp->vm_quantum - 1;

	if (size == 0)
		wrong = "size 0";
	else if (rq->align & (rq->align - 1))
		wrong = "the alignment is no power of two";
	else if (rq->nocross & (rq->nocross - 1))
		wrong = "nocross is no power of two";
	else if ((rq->align | rq->phase | rq->min | rq->max) & odd)
		wrong = "a constraint is no multiple of the quantum";
	else if (rq->phase >= rq->align)
		wrong = "the phase is not below the alignment";
	else if (crosses(rq->phase, rq->size, rq->nocross))
		wrong = "every such range crosses the boundary";
	else if (rq->max != 0 && rq->min >= rq->max)
		wrong = "the address range is empty";
	if (wrong != NULL)
		umem_panic("umem: vmem_xalloc(arena '%s', size %zu, align %lu, "
			   "phase %lu, nocross %lu, min %p, max %p): %s\n",
		    vmp->vm_name, size, (unsigned long)rq->align,
		    (unsigned long)rq->phase, (unsigned long)rq->nocross,
		    (void *)(uintptr_t)rq->min, (void *)(uintptr_t)rq->max,
		    wrong);
}

void *
vmem_xalloc(vmem_t *vmp, size_t size, size_t align, size_t phase,
    size_t nocross, void *minaddr, void *maxaddr, int vmflag)
{
	struct vmem_req rq;

	vmem_req_init(&rq, vmp, size, vmflag);
	if (align != 0)
		rq.align = align;
	rq.phase = phase;
	rq.nocross = nocross;
	rq.min = (uintptr_t)minaddr;
	rq.max = (uintptr_t)maxaddr;
	check_request(vmp, &rq, size);
	return allocate(vmp, &rq, size, "vmem_xalloc");
}

void
vmem_xfree(vmem_t *vmp, void *addr, size_t size)
{
	(void)vmem_give(vmp, (uintptr_t)addr, size, SEG_DIRTY, "vmem_xfree");
}
