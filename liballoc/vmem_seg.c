/* SPDX-License-Identifier: MIT */
/*
 * vmem_seg.c - boundary tags: rings, free lists, hash, spans
 *
 * The structures under an arena's lock, and the operations that keep them
 * consistent with each other.  Policy - which segment to take, when to
 * import - is in vmem_alloc.c.
 *
 * A debugger may stop the program between any two stores: a segment is
 * filled in before it is linked, and stays readable after it is unlinked,
 * since segments come from pages of their own that are never unmapped.
 *
 * Layer: vmem_impl.h
 */
#include "vmem_impl.h"

#include "lock.h"
#include "meta.h"
#include "msg.h"

enum {
	SEG_KEEP = 4,    /* spares that an allocation leaves for later */
	SEG_BATCH = 12,  /* taken from the pool beyond what is needed */
	SEG_SPARES = 64, /* an arena with more gives half of them back */
	POOL_PAGES = UMEM_PAGE_SIZE,
	HASH_MIN = 16,
	HASH_LOAD = 2,
};

uint64_t vmem_clock;

/* ------------------------------------------------------------------ spares */

static umem_lock_t pool_lock;
static vmem_seg_t *pool_list; /* linked by vs_knext */

/* Called with pool_lock held. */
static int
pool_grow(void)
{
	struct vmem_tag *tag = meta_alloc(POOL_PAGES);

	if (tag == NULL)
		return -1;
	for (size_t i = 0; i < POOL_PAGES / sizeof(*tag); i++) {
		tag[i].seg.vs_knext = pool_list;
		pool_list = &tag[i].seg;
	}
	return 0;
}

int
seg_reserve(struct vmem_arena *ar, uint32_t n)
{
	uint32_t want = n + SEG_KEEP;
	vmem_seg_t *s;

	if (ar->nspare >= want)
		return 0;
	want += SEG_BATCH;
	lock_acquire(&pool_lock);
	while (ar->nspare < want && (pool_list != NULL || pool_grow() == 0)) {
		s = pool_list;
		pool_list = s->vs_knext;
		s->vs_knext = ar->spare;
		ar->spare = s;
		ar->nspare++;
	}
	lock_release(&pool_lock);
	return ar->nspare >= n + SEG_KEEP ? 0 : -1;
}

/* Give spare segments back until @keep are left. */
static void
give_spares(struct vmem_arena *ar, uint32_t keep)
{
	lock_acquire(&pool_lock);
	while (ar->nspare > keep) {
		vmem_seg_t *s = ar->spare;

		ar->spare = s->vs_knext;
		ar->nspare--;
		s->vs_knext = pool_list;
		pool_list = s;
	}
	lock_release(&pool_lock);
}

void
seg_release_spares(struct vmem_arena *ar)
{
	give_spares(ar, 0);
}

vmem_seg_t *
seg_get(struct vmem_arena *ar)
{
	vmem_seg_t *s = ar->spare;

	VERIFY(s != NULL);
	ar->spare = s->vs_knext;
	ar->nspare--;
	s->vs_knext = s->vs_kprev = NULL;
	s->vs_import = s->vs_dirty = 0;
	s->vs_thread = 0;
	s->vs_timestamp = 0;
	s->vs_trace = 0;
	return s;
}

void
seg_put(struct vmem_arena *ar, vmem_seg_t *s)
{
	s->vs_type = 0;
	s->vs_knext = ar->spare;
	ar->spare = s;
	if (++ar->nspare > SEG_SPARES)
		give_spares(ar, SEG_SPARES / 2);
}

/* ------------------------------------------------------------ address ring */

void
ring_insert(vmem_seg_t *after, vmem_seg_t *s)
{
	vmem_seg_t *next = after->vs_anext;

	s->vs_aprev = after;
	s->vs_anext = next;
	next->vs_aprev = s;
	__atomic_store_n(&after->vs_anext, s, __ATOMIC_RELEASE);
}

void
ring_remove(vmem_seg_t *s)
{
	s->vs_aprev->vs_anext = s->vs_anext;
	s->vs_anext->vs_aprev = s->vs_aprev;
}

/* --------------------------------------------------- age of dirty segments */

static struct vmem_tag *
tag_of(vmem_seg_t *s)
{
	return (struct vmem_tag *)s;
}

/* Put @tag behind @older, or first with NULL. */
static void
age_insert(struct vmem_arena *ar, struct vmem_tag *older, struct vmem_tag *tag)
{
	tag->older = older;
	tag->younger = older != NULL ? older->younger : ar->oldest;
	if (tag->younger != NULL)
		tag->younger->older = tag;
	else
		ar->youngest = tag;
	if (older != NULL)
		older->younger = tag;
	else
		ar->oldest = tag;
}

static void
age_remove(struct vmem_arena *ar, struct vmem_tag *tag)
{
	if (tag->older != NULL)
		tag->older->younger = tag->younger;
	else
		ar->oldest = tag->younger;
	if (tag->younger != NULL)
		tag->younger->older = tag->older;
	else
		ar->youngest = tag->older;
}

/* -------------------------------------------------------------- free lists */

/* Dirty segments stand before clean ones: they are looked at first. */
static void
enlist(struct vmem_arena *ar, vmem_seg_t *s)
{
	unsigned i = seg_class(seg_size(s));
	vmem_freelist_t *fl = &ar->vm.vm_freelist[i];

	if (s->vs_dirty || !(ar->flags & ARENA_AGED)) {
		s->vs_kprev = NULL;
		s->vs_knext = fl->vf_next;
		if (fl->vf_next != NULL)
			fl->vf_next->vs_kprev = s;
		else
			fl->vf_prev = s;
		fl->vf_next = s;
	} else {
		s->vs_knext = NULL;
		s->vs_kprev = fl->vf_prev;
		if (fl->vf_prev != NULL)
			fl->vf_prev->vs_knext = s;
		else
			fl->vf_next = s;
		fl->vf_prev = s;
	}
	ar->vm.vm_freemap |= 1ull << i;
	ar->vm.vm_nseg_free++;
	if (s->vs_dirty)
		ar->dirty += seg_size(s);
}

static void
unlist(struct vmem_arena *ar, vmem_seg_t *s)
{
	unsigned i = seg_class(seg_size(s));
	vmem_freelist_t *fl = &ar->vm.vm_freelist[i];

	if (s->vs_kprev != NULL)
		s->vs_kprev->vs_knext = s->vs_knext;
	else
		fl->vf_next = s->vs_knext;
	if (s->vs_knext != NULL)
		s->vs_knext->vs_kprev = s->vs_kprev;
	else
		fl->vf_prev = s->vs_kprev;
	ar->vm.vm_nseg_free--;
	if (fl->vf_next == NULL)
		ar->vm.vm_freemap &= ~(1ull << i);
	if (s->vs_dirty)
		ar->dirty -= seg_size(s);
}

void
seg_trim(struct vmem_arena *ar, vmem_seg_t *s, uint64_t start, uint64_t end)
{
	if (seg_class(end - start) != seg_class(seg_size(s))) {
		unlist(ar, s);
		s->vs_start = start;
		s->vs_end = end;
		enlist(ar, s);
		return;
	}
	if (s->vs_dirty)
		ar->dirty += (end - start) - seg_size(s);
	s->vs_start = start;
	s->vs_end = end;
}

void
seg_delete(struct vmem_arena *ar, vmem_seg_t *s)
{
	unlist(ar, s);
	if (s->vs_dirty)
		age_remove(ar, tag_of(s));
	ring_remove(s);
	seg_put(ar, s);
}

/* ------------------------------------------------------- take, free, join */

static vmem_seg_t *
seg_new(struct vmem_arena *ar, uint64_t start, uint64_t end, uint8_t type)
{
	vmem_seg_t *s = seg_get(ar);

	s->vs_start = start;
	s->vs_end = end;
	s->vs_type = type;
	return s;
}

vmem_seg_t *
seg_take(struct vmem_arena *ar, vmem_seg_t *s, uint64_t addr, uint64_t size)
{
	uint64_t start = s->vs_start, end = s->vs_end, stop = addr + size;
	vmem_seg_t *n, *rest;

	if (addr == start && stop == end) {
		unlist(ar, s);
		if (s->vs_dirty)
			age_remove(ar, tag_of(s));
		s->vs_knext = s->vs_kprev = NULL;
		s->vs_dirty = SEG_CLEAN;
		s->vs_timestamp = 0;
		s->vs_type = VMEM_SEG_ALLOC;
		return s;
	}
	n = seg_new(ar, addr, stop, VMEM_SEG_ALLOC);
	if (addr == start) {
		seg_trim(ar, s, stop, end);
		ring_insert(s->vs_aprev, n);
		return n;
	}
	seg_trim(ar, s, start, addr);
	ring_insert(s, n);
	if (stop != end) {
		rest = seg_new(ar, stop, end, VMEM_SEG_FREE);
		rest->vs_dirty = s->vs_dirty;
		rest->vs_timestamp = s->vs_timestamp;
		if (rest->vs_dirty)
			age_insert(ar, tag_of(s), tag_of(rest));
		ring_insert(n, rest);
		enlist(ar, rest);
	}
	return n;
}

int
seg_joinable(const vmem_seg_t *a, const vmem_seg_t *b)
{
	return a->vs_type == VMEM_SEG_FREE && b->vs_type == VMEM_SEG_FREE &&
	       a->vs_dirty == b->vs_dirty && a->vs_dirty != SEG_PURGING;
}

/*
 * Join two free neighbours that are on their lists.  The larger one's age
 * counts.
 */
static vmem_seg_t *
join(struct vmem_arena *ar, vmem_seg_t *a, vmem_seg_t *b)
{
	int second = seg_size(b) > seg_size(a);

	unlist(ar, a);
	unlist(ar, b);
	if (a->vs_dirty) {
		if (second) {
			age_remove(ar, tag_of(a));
			age_insert(ar, tag_of(b), tag_of(a));
		}
		age_remove(ar, tag_of(b));
	}
	if (second)
		a->vs_timestamp = b->vs_timestamp;
	a->vs_end = b->vs_end;
	ring_remove(b);
	seg_put(ar, b);
	enlist(ar, a);
	return a;
}

vmem_seg_t *
seg_join(struct vmem_arena *ar, vmem_seg_t *a)
{
	return seg_joinable(a, a->vs_anext) ? join(ar, a, a->vs_anext) : a;
}

/* Enter a segment that is FREE as far as its type says, and join it. */
static vmem_seg_t *
seg_enter(struct vmem_arena *ar, vmem_seg_t *s)
{
	enlist(ar, s);
	if (s->vs_dirty)
		age_insert(ar, ar->youngest, tag_of(s));
	s = seg_join(ar, s);
	if (seg_joinable(s->vs_aprev, s))
		s = join(ar, s->vs_aprev, s);
	return s;
}

vmem_seg_t *
seg_free(struct vmem_arena *ar, vmem_seg_t *s, int dirty)
{
	s->vs_thread = 0;
	s->vs_trace = 0;
	s->vs_dirty = 0;
	if (ar->flags & ARENA_AGED)
		s->vs_dirty = (uint8_t)dirty;
	s->vs_timestamp = __atomic_load_n(&vmem_clock, __ATOMIC_RELAXED);
	s->vs_type = VMEM_SEG_FREE;
	return seg_enter(ar, s);
}

int
seg_cut_behind(struct vmem_arena *ar, const vmem_seg_t *s, uint64_t size)
{
	uint64_t found = 0;
	vmem_seg_t *t;

	for (t = s->vs_anext; found < size; t = t->vs_anext) {
		if (t->vs_type != VMEM_SEG_FREE || t->vs_dirty == SEG_PURGING)
			return -1;
		found += seg_size(t);
	}
	while (size > 0) {
		uint64_t part;

		t = s->vs_anext;
		part = seg_size(t);
		if (part > size) {
			part = size;
			seg_trim(ar, t, t->vs_start + part, t->vs_end);
		} else {
			seg_delete(ar, t);
		}
		size -= part;
	}
	return 0;
}

vmem_seg_t *
seg_join_run(struct vmem_arena *ar, vmem_seg_t *s, uint64_t size)
{
	vmem_seg_t *first = s, *last = s, *t;

	while (first->vs_aprev->vs_type == VMEM_SEG_FREE &&
	       first->vs_aprev->vs_dirty != SEG_PURGING)
		first = first->vs_aprev;
	while (last->vs_anext->vs_type == VMEM_SEG_FREE &&
	       last->vs_anext->vs_dirty != SEG_PURGING)
		last = last->vs_anext;
	if (last->vs_end - first->vs_start < size)
		return NULL;
	for (t = first;; t = t->vs_anext) {
		if (t->vs_dirty == SEG_CLEAN) {
			unlist(ar, t);
			t->vs_dirty = SEG_DIRTY;
			age_insert(ar, ar->youngest, tag_of(t));
			enlist(ar, t);
		}
		if (t == last)
			break;
	}
	while (seg_joinable(first, first->vs_anext))
		first = join(ar, first, first->vs_anext);
	return first;
}

void
seg_purge_begin(struct vmem_arena *ar, vmem_seg_t *s)
{
	unlist(ar, s);
	age_remove(ar, tag_of(s));
	s->vs_knext = s->vs_kprev = NULL;
	s->vs_dirty = SEG_PURGING;
	ar->vm.vm_nseg_free++; /* it still is */
	ar->purging++;
}

/* Back on the lists. */
static vmem_seg_t *
purge_leave(struct vmem_arena *ar, vmem_seg_t *s, uint8_t dirty)
{
	ar->purging--;
	ar->vm.vm_nseg_free--;
	s->vs_dirty = dirty;
	s->vs_timestamp = __atomic_load_n(&vmem_clock, __ATOMIC_RELAXED);
	return seg_enter(ar, s);
}

void
seg_purge_end(struct vmem_arena *ar, vmem_seg_t *s)
{
	(void)purge_leave(ar, s, SEG_CLEAN);
}

vmem_seg_t *
seg_purge_undo(struct vmem_arena *ar, vmem_seg_t *s)
{
	return purge_leave(ar, s, SEG_DIRTY);
}

/* -------------------------------------------------------------------- hash */

static vmem_seg_t **
hash_slot(struct vmem_arena *ar, uint64_t addr)
{
	uint64_t mixed =
	    (addr >> ar->vm.vm_qshift) * 0x9e3779b97f4a7c15ull; /* 2^64 / phi */

	return &ar->vm.vm_hash[mixed >> ar->hash_shift];
}

/* A larger table; where there is no memory the chains get longer instead. */
static void
hash_grow(struct vmem_arena *ar)
{
	uint64_t old_size = ar->vm.vm_hash_size;
	uint64_t size = old_size == 0 ? HASH_MIN : old_size * 4;
	vmem_seg_t **old = ar->vm.vm_hash, **slot, *s, *next;
	vmem_seg_t **table = meta_alloc(size * sizeof(*table));

	if (table == NULL)
		return;
	ar->hash_shift = 64 - seg_class(size);
	ar->vm.vm_hash_size = 0; /* a debugger sees none, or a whole one */
	ar->vm.vm_hash = table;
	for (uint64_t i = 0; i < old_size; i++) {
		for (s = old[i]; s != NULL; s = next) {
			next = s->vs_knext;
			slot = hash_slot(ar, s->vs_start);
			s->vs_knext = *slot;
			*slot = s;
		}
	}
	ar->vm.vm_hash_size = size;
	meta_free(old, old_size * sizeof(*old));
}

int
hash_init(struct vmem_arena *ar)
{
	hash_grow(ar);
	return ar->vm.vm_hash != NULL ? 0 : -1;
}

void
hash_insert(struct vmem_arena *ar, vmem_seg_t *s)
{
	vmem_seg_t **slot;

	if (ar->vm.vm_nseg_alloc >= HASH_LOAD * ar->vm.vm_hash_size)
		hash_grow(ar);
	slot = hash_slot(ar, s->vs_start);
	s->vs_knext = *slot;
	*slot = s;
	ar->vm.vm_nseg_alloc++;
	ar->vm.vm_nalloc++;
	ar->vm.vm_mem_inuse += seg_size(s);
}

vmem_seg_t *
hash_find(struct vmem_arena *ar, uint64_t addr)
{
	vmem_seg_t *s = *hash_slot(ar, addr);

	while (s != NULL && s->vs_start != addr)
		s = s->vs_knext;
	return s;
}

vmem_seg_t *
hash_remove(struct vmem_arena *ar, uint64_t addr, uint64_t size)
{
	vmem_seg_t **link = hash_slot(ar, addr), *s;

	while ((s = *link) != NULL && s->vs_start != addr)
		link = &s->vs_knext;
	if (s == NULL || seg_size(s) != size)
		return NULL;
	*link = s->vs_knext;
	s->vs_knext = NULL;
	ar->vm.vm_nseg_alloc--;
	ar->vm.vm_nfree++;
	ar->vm.vm_mem_inuse -= size;
	return s;
}

/* ------------------------------------------------------------------- spans */

/* Enter a span and its only segment, of either kind. */
static vmem_seg_t *
span_enter(struct vmem_arena *ar, uint64_t start, uint64_t size, int import,
    uint8_t type)
{
	vmem_seg_t *span = seg_new(ar, start, start + size, VMEM_SEG_SPAN);
	vmem_seg_t *s = seg_new(ar, start, start + size, type);
	vmem_seg_t *seg0 = &ar->vm.vm_seg0;

	span->vs_import = (uint8_t)import;
	span->vs_knext = seg0;
	span->vs_kprev = seg0->vs_kprev;
	seg0->vs_kprev->vs_knext = span;
	seg0->vs_kprev = span;
	ring_insert(seg0->vs_aprev, span);
	ring_insert(span, s);
	ar->vm.vm_mem_total += size;
	if (import)
		ar->vm.vm_mem_import += size;
	return s;
}

static void
span_remove(struct vmem_arena *ar, vmem_seg_t *span)
{
	ar->vm.vm_mem_total -= seg_size(span);
	if (span->vs_import)
		ar->vm.vm_mem_import -= seg_size(span);
	span->vs_kprev->vs_knext = span->vs_knext;
	span->vs_knext->vs_kprev = span->vs_kprev;
	ring_remove(span);
	seg_put(ar, span);
}

vmem_seg_t *
span_create(struct vmem_arena *ar, uint64_t start, uint64_t size, int import)
{
	vmem_seg_t *s = span_enter(ar, start, size, import, VMEM_SEG_FREE);

	s->vs_timestamp = __atomic_load_n(&vmem_clock, __ATOMIC_RELAXED);
	enlist(ar, s);
	return s;
}

vmem_seg_t *
span_whole(struct vmem_arena *ar, vmem_seg_t *s)
{
	vmem_seg_t *span = s->vs_aprev;

	while (span->vs_type & (VMEM_SEG_ROTOR | VMEM_SEG_WALKER))
		span = span->vs_aprev;
	if (span->vs_type != VMEM_SEG_SPAN || span == &ar->vm.vm_seg0 ||
	    span->vs_start != s->vs_start || span->vs_end != s->vs_end)
		return NULL;
	return span;
}

void
span_delete(struct vmem_arena *ar, vmem_seg_t *span, vmem_seg_t *s)
{
	seg_delete(ar, s);
	span_remove(ar, span);
}

vmem_seg_t *
span_adopt(struct vmem_arena *ar, uint64_t start, uint64_t size)
{
	vmem_seg_t *s = span_enter(ar, start, size, 1, VMEM_SEG_ALLOC);

	hash_insert(ar, s);
	return s;
}

void
span_disown(struct vmem_arena *ar, vmem_seg_t *s)
{
	vmem_seg_t *span = span_whole(ar, s);

	VERIFY(span != NULL);
	ring_remove(s);
	seg_put(ar, s);
	span_remove(ar, span);
}

vmem_seg_t *
walker_move(struct vmem_arena *ar, vmem_seg_t *w, vmem_seg_t *after)
{
	vmem_seg_t *prev = w->vs_aprev;

	if (after == w || after == prev)
		return NULL;
	ring_remove(w);
	ring_insert(after, w);
	return seg_joinable(prev, prev->vs_anext) ? seg_join(ar, prev) : NULL;
}

/* -------------------------------------------------------------------- fork */

void
seg_fork_lock(void)
{
	lock_fork_hold(&pool_lock);
}

void
seg_fork_unlock(void)
{
	lock_fork_release(&pool_lock);
}

void
seg_fork_child(void)
{
	lock_reset(&pool_lock);
}
