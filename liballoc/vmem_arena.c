/* SPDX-License-Identifier: MIT */
/*
 * vmem_arena.c - arenas as wholes: making them, looking at them, fork
 *
 * Layer: vmem_impl.h
 */
#include "vmem_impl.h"

#include <string.h>

#include "lock.h"
#include "meta.h"
#include "msg.h"
#include "os.h"
#include "root.h"

static umem_lock_t list_lock; /* of root_arenas; outside all vm_locks */
static uint32_t last_id;
static uint32_t max_depth; /* vm_depth of the deepest arena ever */
static uint32_t fork_thread;

/* --------------------------------------------------------- create, destroy */

static void
arena_link(vmem_t *vmp)
{
	vmem_t **link;

	lock_acquire(&list_lock);
	vmp->vm_id = ++last_id;
	if (vmp->vm_depth > max_depth)
		max_depth = vmp->vm_depth;
	for (link = &umem_root.root_arenas; *link != NULL;)
		link = &(*link)->vm_next;
	__atomic_store_n(link, vmp, __ATOMIC_RELEASE);
	lock_release(&list_lock);
}

static void
arena_unlink(vmem_t *vmp)
{
	vmem_t **link;

	lock_acquire(&list_lock);
	for (link = &umem_root.root_arenas; *link != vmp;)
		link = &(*link)->vm_next;
	__atomic_store_n(link, vmp->vm_next, __ATOMIC_RELEASE);
	lock_release(&list_lock);
}

static void
init_rings(vmem_t *vmp)
{
	vmem_seg_t *seg0 = &vmp->vm_seg0, *rotor = &vmp->vm_rotor;

	seg0->vs_type = VMEM_SEG_SPAN;
	seg0->vs_knext = seg0->vs_kprev = seg0;
	seg0->vs_anext = seg0->vs_aprev = rotor;
	rotor->vs_type = VMEM_SEG_ROTOR;
	rotor->vs_anext = rotor->vs_aprev = seg0;
}

vmem_t *
arena_create(const char *name, uint64_t quantum, vmem_alloc_t *afunc,
    vmem_free_t *ffunc, vmem_t *source, uint32_t vm_flags, uint32_t flags)
{
	struct vmem_arena *ar;
	vmem_t *vmp;

	if (quantum == 0 || (quantum & (quantum - 1)) != 0)
		umem_panic("umem: vmem_create('%s'): the quantum %lu is no "
			   "power of two\n",
		    name, (unsigned long)quantum);
	ar = meta_alloc(sizeof(*ar));
	if (ar == NULL)
		return NULL;
	vmp = &ar->vm;
	(void)umem_snprintf(vmp->vm_name, sizeof(vmp->vm_name), "%s", name);
	vmp->vm_flags = vm_flags;
	ar->flags = flags;
	vmp->vm_quantum = quantum;
	vmp->vm_qshift = (uint32_t)__builtin_ctzll(quantum);
	vmp->vm_alloc_func = (uintptr_t)afunc;
	vmp->vm_free_func = (uintptr_t)ffunc;
	vmp->vm_source = source;
	vmp->vm_depth = source != NULL ? source->vm_depth + 1 : 0;
	init_rings(vmp);
	if (hash_init(ar) != 0 || seg_reserve(ar, 2) != 0) {
		meta_free(
		    vmp->vm_hash, vmp->vm_hash_size * sizeof(*vmp->vm_hash));
		meta_free(ar, sizeof(*ar));
		return NULL;
	}
	arena_link(vmp);
	return vmp;
}

/* Make the quantum caches.  0, or -1. */
static int
create_qcaches(vmem_t *vmp, size_t max)
{
	size_t n = max >> vmp->vm_qshift, i;

	if (n > UMEM_VMEM_QCACHES)
		n = UMEM_VMEM_QCACHES;
	if (vmem_qcache_ops == NULL)
		return 0;
	for (i = 0; i < n; i++) {
		size_t size = (i + 1) << vmp->vm_qshift;
		char name[UMEM_NAME_LEN];

		(void)umem_snprintf(
		    name, sizeof(name), "%s_%zu", vmp->vm_name, size);
		vmp->vm_qcache[i] =
		    vmem_qcache_ops->create(name, size, vmp->vm_quantum, vmp);
		if (vmp->vm_qcache[i] == NULL)
			return -1;
	}
	vmp->vm_qcache_max = n << vmp->vm_qshift;
	return 0;
}

vmem_t *
vmem_create(const char *name, void *base, size_t size, size_t quantum,
    vmem_alloc_t *afunc, vmem_free_t *ffunc, vmem_t *source, size_t qcache_max,
    int vmflag)
{
	vmem_t *vmp = arena_create(name, quantum, afunc, ffunc, source, 0, 0);

	if (vmp != NULL &&
	    ((size != 0 && vmem_add(vmp, base, size, vmflag) == NULL &&
		 vmp->vm_mem_total == 0) ||
		create_qcaches(vmp, qcache_max) != 0)) {
		vmem_destroy(vmp);
		vmp = NULL;
	}
	if (vmp == NULL && vmflag & VM_PANIC)
		umem_panic("umem: vmem_create('%s') failed\n", name);
	return vmp;
}

/* Free all segments and spans; nobody else knows of the arena any more. */
static void
free_segments(struct vmem_arena *ar)
{
	vmem_seg_t *s = ar->vm.vm_seg0.vs_anext, *next;

	for (; s != &ar->vm.vm_seg0; s = next) {
		next = s->vs_anext;
		if (s == &ar->vm.vm_rotor)
			continue;
		if (s->vs_type == VMEM_SEG_SPAN && s->vs_import)
			vmem_export(&ar->vm, s->vs_start, seg_size(s));
		seg_put(ar, s);
	}
	seg_release_spares(ar);
}

void
vmem_destroy(vmem_t *vmp)
{
	if (vmp == NULL)
		return;
	for (size_t i = 0; i < UMEM_VMEM_QCACHES; i++)
		if (vmp->vm_qcache[i] != NULL)
			vmem_qcache_ops->destroy(vmp->vm_qcache[i]);
	if (vmp->vm_mem_inuse != 0)
		umem_log_message("umem: vmem_destroy('%s'): %lu bytes in %lu "
				 "allocations were not freed\n",
		    vmp->vm_name, (unsigned long)vmp->vm_mem_inuse,
		    (unsigned long)vmp->vm_nseg_alloc);
	arena_unlink(vmp);
	free_segments(arena_of(vmp));
	meta_free(vmp->vm_hash, vmp->vm_hash_size * sizeof(*vmp->vm_hash));
	meta_free(vmp, sizeof(struct vmem_arena));
}

/* The span that [addr, addr + size) has a byte in common with, or NULL. */
static vmem_seg_t *
find_span(vmem_t *vmp, uint64_t addr, uint64_t size)
{
	vmem_seg_t *s = vmp->vm_seg0.vs_knext;

	for (; s != &vmp->vm_seg0; s = s->vs_knext)
		if (addr < s->vs_end && addr + size > s->vs_start)
			return s;
	return NULL;
}

void *
vmem_add(vmem_t *vmp, void *base, size_t size, int vmflag)
{
	struct vmem_arena *ar = arena_of(vmp);
	uint64_t addr = (uintptr_t)base, end;
	const char *wrong = NULL;

	if (size == 0)
		wrong = "is empty";
	else if (((addr | size) & (vmp->vm_quantum - 1)) != 0)
		wrong = "is no multiple of the quantum";
	else if (__builtin_add_overflow(addr, (uint64_t)size, &end))
		wrong = "wraps around";
	lock_acquire(&vmp->vm_lock);
	if (wrong == NULL && find_span(vmp, addr, size) != NULL)
		wrong = "overlaps another one";
	if (wrong == NULL && seg_reserve(ar, 2) != 0) {
		lock_release(&vmp->vm_lock);
		if (vmflag & VM_PANIC)
			umem_panic("umem: vmem_add to arena '%s' failed\n",
			    vmp->vm_name);
		return NULL;
	}
	if (wrong == NULL)
		(void)span_create(ar, addr, size, 0);
	lock_release(&vmp->vm_lock);
	if (wrong != NULL)
		umem_panic("umem: vmem_add of %p to arena '%s' with size %zu: "
			   "the span %s\n",
		    base, vmp->vm_name, size, wrong);
	return base;
}

/* ----------------------------------------------------------------- looking */

int
vmem_contains(vmem_t *vmp, void *base, size_t size)
{
	uint64_t addr = (uintptr_t)base;
	vmem_seg_t *span;
	int inside;

	lock_acquire(&vmp->vm_lock);
	span = find_span(vmp, addr, size != 0 ? size : 1);
	inside = span != NULL && addr >= span->vs_start &&
		 size <= span->vs_end - addr;
	lock_release(&vmp->vm_lock);
	return inside;
}

size_t
vmem_size(vmem_t *vmp, int typemask)
{
	size_t size = 0;

	lock_acquire(&vmp->vm_lock);
	if (typemask & VMEM_ALLOC)
		size += vmp->vm_mem_inuse;
	if (typemask & VMEM_FREE)
		size += vmp->vm_mem_total - vmp->vm_mem_inuse;
	lock_release(&vmp->vm_lock);
	return size;
}

/* Take a walker off the ring.  Returns what it stood before. */
static vmem_seg_t *
walker_leave(struct vmem_arena *ar, vmem_seg_t *w)
{
	uint64_t addr, size;
	vmem_seg_t *s, *next;

	/* What was freed on both sides meanwhile was kept apart by it. */
	while (seg_joinable(w->vs_aprev, w->vs_anext)) {
		s = walker_move(ar, w, w->vs_anext);
		if (vmem_detach(ar, s, &addr, &size)) {
			lock_release(&ar->vm.vm_lock);
			vmem_export(&ar->vm, addr, size);
			lock_acquire(&ar->vm.vm_lock);
		}
	}
	next = w->vs_anext;
	ring_remove(w);
	return next;
}

/*
 * The callback runs without the lock, with or without VMEM_REENTRANT: a
 * walker on the ring keeps the place.
 */
void
vmem_walk(
    vmem_t *vmp, int typemask, void (*func)(void *, void *, size_t), void *arg)
{
	struct vmem_arena *ar = arena_of(vmp);
	vmem_seg_t w = {.vs_type = VMEM_SEG_WALKER};
	vmem_seg_t *s;

	w.vs_thread = os_tid(); /* for the child of a fork */
	lock_acquire(&vmp->vm_lock);
	ar->walkers++;
	for (s = vmp->vm_seg0.vs_anext; s != &vmp->vm_seg0;) {
		uint64_t start = s->vs_start, size = seg_size(s);

		if (!(s->vs_type & typemask)) {
			s = s->vs_anext;
			continue;
		}
		ring_insert(s, &w);
		lock_release(&vmp->vm_lock);
		func(arg, (void *)(uintptr_t)start, size);
		lock_acquire(&vmp->vm_lock);
		s = walker_leave(ar, &w);
	}
	ar->walkers--;
	lock_release(&vmp->vm_lock);
}

/* ---------------------------------------------------------------- validity */

struct census {
	uint64_t spans, allocs, frees, dirty_segs;
	uint64_t total, import, inuse, dirty;
};

/* One segment in its place: @span is what it should lie in, @at where. */
static const char *
check_seg(struct vmem_arena *ar, const vmem_seg_t *s, const vmem_seg_t *span,
    uint64_t at, struct census *c)
{
	if (span == NULL)
		return "a segment outside any span";
	if (s->vs_start != at || s->vs_end <= at || s->vs_end > span->vs_end)
		return "a segment does not follow its predecessor";
	if (((s->vs_start | s->vs_end) & (ar->vm.vm_quantum - 1)) != 0)
		return "a segment is no multiple of the quantum";
	if (s->vs_type == VMEM_SEG_ALLOC) {
		if (hash_find(ar, s->vs_start) != s)
			return "an allocated segment is not on the hash";
		c->allocs++;
		c->inuse += seg_size(s);
		return NULL;
	}
	if (s->vs_type != VMEM_SEG_FREE)
		return "a segment of unknown type";
	if (seg_joinable(s, s->vs_anext))
		return "two free neighbours were not joined";
	c->frees++;
	if (s->vs_dirty == SEG_DIRTY) {
		c->dirty_segs++;
		c->dirty += seg_size(s);
	}
	return NULL;
}

static const char *
check_ring(struct vmem_arena *ar, struct census *c)
{
	const vmem_seg_t *seg0 = &ar->vm.vm_seg0, *s, *span = NULL;
	const char *wrong;
	uint64_t at = 0;

	for (s = seg0->vs_anext;; s = s->vs_anext) {
		if (s->vs_anext->vs_aprev != s || s->vs_aprev->vs_anext != s)
			return "the address ring is broken";
		if (s->vs_type & (VMEM_SEG_ROTOR | VMEM_SEG_WALKER))
			continue;
		if (s->vs_type == VMEM_SEG_SPAN && span != NULL &&
		    at != span->vs_end)
			return "a span is not filled";
		if (s == seg0)
			return NULL;
		if (s->vs_type == VMEM_SEG_SPAN) {
			span = s;
			at = s->vs_start;
			c->spans++;
			c->total += seg_size(s);
			c->import += s->vs_import ? seg_size(s) : 0;
			continue;
		}
		wrong = check_seg(ar, s, span, at, c);
		if (wrong != NULL)
			return wrong;
		at = s->vs_end;
	}
}

static const char *
check_freelist(struct vmem_arena *ar, unsigned i, uint64_t *count)
{
	const vmem_freelist_t *fl = &ar->vm.vm_freelist[i];
	const vmem_seg_t *s = fl->vf_next, *prev = NULL;

	if ((s != NULL) != (int)(ar->vm.vm_freemap >> i & 1))
		return "the map of free lists is wrong";
	for (; s != NULL; prev = s, s = s->vs_knext) {
		if (s->vs_kprev != prev || s->vs_type != VMEM_SEG_FREE ||
		    seg_class(seg_size(s)) != i)
			return "a free list is broken";
		if (s->vs_dirty && prev != NULL && !prev->vs_dirty)
			return "a dirty segment stands behind a clean one";
		(*count)++;
	}
	return fl->vf_prev == prev ? NULL : "a free list's tail is wrong";
}

static const char *
check_lists(struct vmem_arena *ar, const struct census *c)
{
	uint64_t count = 0, chained = 0, spans = 0;
	const struct vmem_tag *tag, *older = NULL;
	const vmem_seg_t *s;
	const char *wrong;

	for (unsigned i = 0; i < UMEM_VMEM_FREELISTS; i++) {
		wrong = check_freelist(ar, i, &count);
		if (wrong != NULL)
			return wrong;
	}
	if (count + ar->purging != c->frees)
		return "a free segment is on no list";
	for (uint64_t i = 0; i < ar->vm.vm_hash_size; i++)
		for (s = ar->vm.vm_hash[i]; s != NULL; s = s->vs_knext)
			chained++;
	if (chained != c->allocs)
		return "the hash has other segments than the ring";
	s = ar->vm.vm_seg0.vs_knext;
	for (; s != &ar->vm.vm_seg0; s = s->vs_knext)
		spans++;
	if (spans != c->spans)
		return "the span ring has other spans than the address ring";
	count = 0;
	for (tag = ar->oldest; tag != NULL; older = tag, tag = tag->younger) {
		if (tag->older != older || tag->seg.vs_dirty != SEG_DIRTY)
			return "the list by age is broken";
		count++;
	}
	if (older != ar->youngest || count != c->dirty_segs)
		return "the list by age is not complete";
	return NULL;
}

static const char *
check_sums(const struct vmem_arena *ar, const struct census *c)
{
	const vmem_t *vmp = &ar->vm;

	if (c->total != vmp->vm_mem_total || c->import != vmp->vm_mem_import ||
	    c->inuse != vmp->vm_mem_inuse)
		return "the sums of bytes are wrong";
	if (c->allocs != vmp->vm_nseg_alloc || c->frees != vmp->vm_nseg_free ||
	    vmp->vm_nalloc - vmp->vm_nfree != c->allocs)
		return "the counts of segments are wrong";
	if (c->dirty != ar->dirty)
		return "the sum of dirty bytes is wrong";
	return NULL;
}

const char *
arena_is_valid(vmem_t *vmp)
{
	struct vmem_arena *ar = arena_of(vmp);
	struct census c = {0};
	const char *wrong;

	lock_acquire(&vmp->vm_lock);
	wrong = check_ring(ar, &c);
	if (wrong == NULL)
		wrong = check_lists(ar, &c);
	if (wrong == NULL)
		wrong = check_sums(ar, &c);
	lock_release(&vmp->vm_lock);
	return wrong;
}

/* -------------------------------------------------------------------- fork */

void
vmem_fork_lock(void)
{
	vmem_t *vmp;

	lock_fork_hold(&list_lock);
	for (uint32_t depth = max_depth + 1; depth-- > 0;)
		for (vmp = umem_root.root_arenas; vmp; vmp = vmp->vm_next)
			if (vmp->vm_depth == depth)
				lock_fork_hold(&vmp->vm_lock);
	seg_fork_lock();
	fork_thread = os_tid();
}

void
vmem_fork_unlock(void)
{
	vmem_t *vmp;

	seg_fork_unlock();
	for (vmp = umem_root.root_arenas; vmp != NULL; vmp = vmp->vm_next)
		lock_fork_release(&vmp->vm_lock);
	lock_fork_release(&list_lock);
}

/*
 * Undo what other threads, which the child does not have, were about to do:
 * their walkers lie on stacks that are gone, and nobody will purge what they
 * were purging.
 */
static void
forget_threads(struct vmem_arena *ar)
{
	vmem_seg_t *s = ar->vm.vm_seg0.vs_anext, *next;

	for (; s != &ar->vm.vm_seg0; s = next) {
		next = s->vs_anext;
		if (s->vs_type == VMEM_SEG_WALKER &&
		    s->vs_thread == fork_thread) {
			s->vs_thread = os_tid();
		} else if (s->vs_type == VMEM_SEG_WALKER) {
			ar->walkers--;
			ring_remove(s);
			next = seg_join(ar, next->vs_aprev)->vs_anext;
		} else if (s->vs_type == VMEM_SEG_FREE &&
			   s->vs_dirty == SEG_PURGING) {
			next = seg_purge_undo(ar, s)->vs_anext;
		}
	}
}

void
vmem_fork_child(void)
{
	vmem_t *vmp;

	seg_fork_child();
	for (vmp = umem_root.root_arenas; vmp != NULL; vmp = vmp->vm_next) {
		struct vmem_arena *ar = arena_of(vmp);

		if (ar->walkers != 0 || ar->purging != 0)
			forget_threads(ar);
		lock_reset(&vmp->vm_lock);
	}
	lock_reset(&list_lock);
}
