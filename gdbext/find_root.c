/* SPDX-License-Identifier: MIT */
/*
 * find_root.c - where pointers that keep a buffer alive can stand
 *
 * All memory that the process can write is a root, minus what is known to be
 * something else:
 *
 *	the library's own data and memory	candidates and bookkeeping
 *	slabs wherever they lie			their buffers are candidates
 *	stacks below SP (find_stack.c)		dead
 *
 * plus what client code took from arenas of its own, the buffers that it gave
 * to these, and free objects that are still constructed: all lie within the
 * library's memory.  Of what cannot be written, pages that the loader made
 * read-only after it relocated them count, and anonymous memory.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"

/* ---------------------------------------------------------------- ranges */

int
ranges_add(struct ranges *l, taddr_t start, taddr_t end)
{
	struct range *more;
	size_t room;

	if (start >= end)
		return UMDB_OK;
	if (l->n > 0 && l->r[l->n - 1].end == start) {
		l->r[l->n - 1].end = end;
		return UMDB_OK;
	}
	if (l->n == l->room) {
		room = l->room == 0 ? 64 : l->room * 2;
		more = realloc(l->r, room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		l->r = more;
		l->room = room;
	}
	l->r[l->n++] = (struct range){start, end};
	return UMDB_OK;
}

static int
range_compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void
ranges_settle(struct ranges *l)
{
	size_t i, kept = 0;

	if (l->n == 0)
		return;
	for (i = 1; i < l->n && l->r[i - 1].start <= l->r[i].start; i++)
		;
	if (i < l->n)
		qsort(l->r, l->n, sizeof(l->r[0]), range_compare);
	for (i = 1; i < l->n; i++) {
		if (l->r[i].start > l->r[kept].end)
			l->r[++kept] = l->r[i];
		else if (l->r[i].end > l->r[kept].end)
			l->r[kept].end = l->r[i].end;
	}
	l->n = kept + 1;
}

int
ranges_subtract(struct ranges *a, const struct ranges *b)
{
	struct ranges out = {0};
	size_t i, j = 0, k;
	taddr_t at, stop;
	int rc = UMDB_OK;

	for (i = 0; i < a->n && rc == UMDB_OK; i++) {
		at = a->r[i].start;
		while (j < b->n && b->r[j].end <= at)
			j++;
		for (k = j;
		     k < b->n && b->r[k].start < a->r[i].end && rc == UMDB_OK;
		     k++) {
			stop = b->r[k].start;
			rc = ranges_add(&out, at, stop);
			if (b->r[k].end > at)
				at = b->r[k].end;
		}
		if (rc == UMDB_OK)
			rc = ranges_add(&out, at, a->r[i].end);
	}
	free(a->r);
	*a = out;
	return rc;
}

/* --------------------------------------------------------------- mappings */

/*
 * The read-only part of an object that the loader wrote before: what stands
 * right before the object's writable data.
 */
static bool
region_is_relro(const struct target *tgt, size_t i)
{
	const struct target_region *r = &tgt->region[i], *next = r + 1;

	return r->file && r->dumped && !r->executable && !r->shared &&
	       i + 1 < tgt->nregion && next->start == r->end &&
	       next->writable && next->file && strcmp(next->name, r->name) == 0;
}

static bool
region_is_root(const struct target *tgt, size_t i)
{
	const struct target_region *r = &tgt->region[i];

	if (strncmp(r->name, "[v", 2) == 0) /* vdso, vvar, vsyscall */
		return false;
	if (r->writable)
		return true;
	if (r->shared)
		return false;
	return r->file ? region_is_relro(tgt, i) : r->dumped;
}

/*
 * The rest of an object's bss, in a core of which it was left out while the
 * object's data was not: the kernel omits what was never written.
 */
static bool
region_is_fresh_bss(const struct target *tgt, size_t i)
{
	const struct target_region *r = &tgt->region[i];

	return i > 0 && !r->file && !r->shared && r->name[0] == '\0' &&
	       r[-1].end == r->start && r[-1].file && r[-1].writable &&
	       r[-1].dumped;
}

static int
roots_add_mappings(struct target *tgt, struct roots *roots)
{
	const struct target_region *r;
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < tgt->nregion && rc == UMDB_OK; i++) {
		r = &tgt->region[i];
		if (!region_is_root(tgt, i))
			continue;
		if (!r->dumped && region_is_fresh_bss(tgt, i))
			continue;
		if (!r->dumped)
			roots->unread += r->end - r->start;
		else
			rc = ranges_add(&roots->memory, r->start, r->end);
	}
	ranges_settle(&roots->memory);
	return rc;
}

/* What lies in the mappings but is not a root. */
static int
roots_subtract_ours(struct snap *snap, struct roots *roots)
{
	struct ranges not = {0};
	int rc;
	size_t i;

	rc = ranges_add(
	    &not, snap->root.root_data_start, snap->root.root_data_end);
	for (i = 0; i < snap->nregion && rc == UMDB_OK; i++)
		rc = ranges_add(&not, snap->region[i].rg_base,
		    snap->region[i].rg_base + snap->region[i].rg_size);
	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++)
		rc = ranges_add(&not, snap->slab[i].base,
		    snap->slab[i].base + snap->slab[i].size);
	for (i = 0; i < roots->dead.n && rc == UMDB_OK; i++)
		rc = ranges_add(
		    &not, roots->dead.r[i].start, roots->dead.r[i].end);
	if (rc == UMDB_OK) {
		ranges_settle(&not );
		rc = ranges_subtract(&roots->memory, &not );
	}
	free(not .r);
	return rc;
}

int
find_root_memory(struct snap *snap, struct roots *roots)
{
	const int rc = roots_add_mappings(snap->tgt, roots);

	return rc == UMDB_OK ? roots_subtract_ours(snap, roots) : rc;
}

/* ----------------------------------------------------------------- arenas */

struct seg_arg {
	struct ranges *list;
	bool imports_only, ours_only;
	int rc;
};

static int
note_seg(struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	struct seg_arg *a = arg;

	(void)addr;
	if (a->imports_only && !seg->vs_import)
		return WALK_NEXT;
	if (a->ours_only && !snap_ours(snap, seg->vs_start))
		return WALK_NEXT;
	a->rc = ranges_add(a->list, seg->vs_start, seg->vs_end);
	return a->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
}

/*
 * Segments that client code holds of its own arena @index: the allocated ones
 * less those that a child arena imported.  A damaged ring yields what lies
 * before the damage; one whose walk the user stopped would lack roots.
 */
static int
arena_held(struct snap *snap, uint32_t index, struct ranges *held)
{
	struct ranges spans = {0};
	struct seg_arg arg = {held, false, true, UMDB_OK};
	uint32_t i;
	int rc;

	if (walk_segments(snap, &snap->arena[index], VMEM_SEG_ALLOC, note_seg,
		&arg) == UMDB_EINTR)
		return UMDB_EINTR;
	rc = arg.rc;
	arg = (struct seg_arg){&spans, true, false, UMDB_OK};
	for (i = 0; i < snap->narena && rc == UMDB_OK; i++) {
		if (snap->arena[i].parent != index)
			continue;
		rc = walk_segments(
		    snap, &snap->arena[i], VMEM_SEG_SPAN, note_seg, &arg);
		if (rc != UMDB_EINTR)
			rc = arg.rc;
	}
	ranges_settle(held);
	ranges_settle(&spans);
	if (rc == UMDB_OK)
		rc = ranges_subtract(held, &spans);
	free(spans.r);
	return rc;
}

/* ------------------------------------------- what quantum caches hold free */

/*
 * Small segments of an arena pass through object caches without slabs.  To
 * the arena a segment in a magazine is allocated; to the client it is free.
 */
struct idle {
	taddr_t arena;
	const struct snap_cache *cache; /* of the magazine that is looked at */
	struct ranges *list;
};

static bool
idle_is_in(const struct snap_cache *c, taddr_t arena)
{
	return (c->c.cache_cflags & UMC_QCACHE) != 0 &&
	       c->c.cache_arena == arena;
}

static int
idle_round(struct snap *snap, taddr_t buf, void *arg)
{
	const struct idle *a = arg;

	(void)snap;
	return ranges_add(a->list, buf, buf + a->cache->c.cache_bufsize);
}

/* One that cannot be read hides no other. */
static int
idle_magazine(struct snap *snap, const struct mag_found *mag, void *arg)
{
	struct idle *a = arg;

	if (mag->cache == NULL || !idle_is_in(mag->cache, a->arena))
		return WALK_NEXT;
	a->cache = mag->cache;
	return walk_rounds(snap, mag, idle_round, a) == UMDB_ENOMEM
		   ? UMDB_ENOMEM
		   : WALK_NEXT;
}

/* Note what quantum caches of the arena hold, as far as it can be read. */
static int
arena_idle(
    struct snap *snap, const struct snap_arena *arena, struct ranges *idle)
{
	struct idle a = {arena->addr, NULL, idle};
	int rc = UMDB_OK;
	uint32_t i;

	for (i = 0; i < snap->ncache; i++)
		if (idle_is_in(&snap->cache[i], arena->addr))
			break;
	if (i < snap->ncache)
		rc = walk_magazines(snap, NULL, 0, idle_magazine, &a);
	ranges_settle(idle);
	return rc == UMDB_EINTR || rc == UMDB_ENOMEM ? rc : UMDB_OK;
}

/* ------------------------------------------ arenas of the program's memory */

/*
 * An arena may be given memory that the program mapped.  The mapping is a
 * root; of it, what the arena has to give is none.  The numbers of an arena
 * need not be addresses: those of a span are, if it lies in one mapping.
 */
struct spare {
	struct ranges *list;
	bool in_mapping; /* the last span, and any */
	bool any;
	int rc;
};

static int
note_spare(struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	const struct target_region *r;
	struct spare *a = arg;

	(void)addr;
	if (seg->vs_type == VMEM_SEG_SPAN) {
		r = target_region_at(snap->tgt, seg->vs_start);
		a->in_mapping = r != NULL && seg->vs_end <= r->end &&
				!snap_ours(snap, seg->vs_start);
		a->any |= a->in_mapping;
	} else if (a->in_mapping) {
		a->rc = ranges_add(a->list, seg->vs_start, seg->vs_end);
	}
	return a->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
}

static int
arena_spare(struct snap *snap, const struct snap_arena *arena,
    const struct ranges *idle, struct ranges *spare)
{
	struct spare a = {spare, false, false, UMDB_OK};
	size_t i;

	if (walk_segments(snap, arena, VMEM_SEG_SPAN | VMEM_SEG_FREE,
		note_spare, &a) == UMDB_EINTR)
		return UMDB_EINTR;
	for (i = 0; i < idle->n && a.any && a.rc == UMDB_OK; i++)
		a.rc = ranges_add(spare, idle->r[i].start, idle->r[i].end);
	return a.rc;
}

/* -------------------------------------------------------------- all arenas */

struct given_arg {
	taddr_t arena;
	struct roots *roots;
	int rc;
};

/*
 * A buffer that a span was made of belongs to the arena, for good; it may be
 * that only the arena still knows where it is.  The other way round, where a
 * span begins with a buffer of a cache on the arena, it keeps none.
 */
static int
note_given(struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	struct given_arg *a = arg;
	const struct snap_slab *s;
	taddr_t buf;
	uint32_t i;

	(void)addr;
	if (!snap_buf_at(snap, seg->vs_start, &s, &i) ||
	    s->cache >= snap->ncache ||
	    snap->cache[s->cache].c.cache_arena == a->arena)
		return WALK_NEXT;
	buf = snap_buf_addr(s, i);
	if (seg->vs_end - buf > s->chunksize)
		return WALK_NEXT;
	a->rc = roots_add_value(a->roots, buf);
	return a->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
}

/* As with arena_held, damage ends what is known of an arena. */
static int
arena_given(struct snap *snap, uint32_t index, struct roots *roots)
{
	struct given_arg arg = {snap->arena[index].addr, roots, UMDB_OK};

	if (walk_segments(snap, &snap->arena[index], VMEM_SEG_SPAN, note_given,
		&arg) == UMDB_EINTR)
		return UMDB_EINTR;
	return arg.rc;
}

static int
slab_ranges(const struct snap *snap, struct ranges *slabs)
{
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++)
		rc = ranges_add(slabs, snap->slab[i].base,
		    snap->slab[i].base + snap->slab[i].size);
	ranges_settle(slabs);
	return rc;
}

static int
roots_add_arenas(struct snap *snap, struct roots *roots)
{
	struct ranges all = {0}, held = {0}, slabs = {0};
	struct ranges idle = {0}, spare = {0};
	uint32_t i;
	size_t k;
	int rc = UMDB_OK;

	for (i = 0; i < snap->narena && rc == UMDB_OK; i++) {
		if ((snap->arena[i].v.vm_flags & VMF_INTERNAL) != 0)
			continue;
		held.n = idle.n = 0;
		rc = arena_given(snap, i, roots);
		if (rc == UMDB_OK)
			rc = arena_held(snap, i, &held);
		if (rc == UMDB_OK)
			rc = arena_idle(snap, &snap->arena[i], &idle);
		if (rc == UMDB_OK)
			rc = ranges_subtract(&held, &idle);
		if (rc == UMDB_OK)
			rc = arena_spare(snap, &snap->arena[i], &idle, &spare);
		for (k = 0; k < held.n && rc == UMDB_OK; k++)
			rc = ranges_add(&all, held.r[k].start, held.r[k].end);
	}
	ranges_settle(&all);
	if (rc == UMDB_OK && all.n > 0)
		rc = slab_ranges(snap, &slabs);
	if (rc == UMDB_OK && all.n > 0)
		rc = ranges_subtract(&all, &slabs);
	if (rc == UMDB_OK && all.n > 0)
		rc = ranges_subtract(&all, &roots->dead);
	ranges_settle(&spare);
	if (rc == UMDB_OK && spare.n > 0)
		rc = ranges_subtract(&roots->memory, &spare);
	for (k = 0; k < all.n && rc == UMDB_OK; k++)
		rc = ranges_add(&roots->memory, all.r[k].start, all.r[k].end);
	free(all.r);
	free(held.r);
	free(slabs.r);
	free(idle.r);
	free(spare.r);
	return rc;
}

/* ---------------------------------------------------- constructed objects */

/*
 * Free objects in magazines are constructed, unless the cache is checked.
 * What their constructor allocated is theirs until the destructor frees it;
 * in a cache without destructor a constructor can allocate nothing.
 */
static bool
cache_keeps(const umem_cache_t *c)
{
	return c->cache_constructor != 0 && c->cache_destructor != 0 &&
	       (c->cache_flags & (UMF_AUDIT | UMF_BUFTAG | UMF_CONTENTS)) == 0;
}

static int
roots_add_constructed(struct snap *snap, struct roots *roots)
{
	const struct snap_slab *s;
	enum buf_state state;
	int rc = UMDB_OK;
	uint32_t k;
	size_t i;

	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++) {
		s = &snap->slab[i];
		if (s->cache >= snap->ncache ||
		    !cache_keeps(&snap->cache[s->cache].c))
			continue;
		if (target_poll(
			snap->tgt, "constructed objects", i, snap->nslab))
			return UMDB_EINTR;
		for (k = 0; k < s->nchunk && rc == UMDB_OK; k++) {
			state = snap_buf_state(snap, s, k);
			if (state == BUF_FREE_DEPOT || state == BUF_FREE_THREAD)
				rc = ranges_add(&roots->memory,
				    snap_buf_addr(s, k),
				    snap_buf_addr(s, k) + s->bufsize);
		}
	}
	return rc;
}

/* -------------------------------------------------------------- registers */

int
roots_add_value(struct roots *roots, uint64_t v)
{
	uint64_t *more;

	if (roots->nvalue == roots->room) {
		roots->room = roots->room == 0 ? 256 : roots->room * 2;
		more = realloc(roots->value, roots->room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		roots->value = more;
	}
	roots->value[roots->nvalue++] = v;
	return UMDB_OK;
}

int
roots_add_dtv(struct target *tgt, struct roots *roots, taddr_t tcb)
{
	enum { DTV = 8, DTV_ENTRY = 16 };
	uint64_t dtv;

	if (tcb == 0 ||
	    target_read(tgt, tcb + DTV, &dtv, sizeof(dtv), "TLS") != UMDB_OK ||
	    dtv <= DTV_ENTRY)
		return UMDB_OK;
	return roots_add_value(roots, dtv - DTV_ENTRY);
}

uint64_t
find_root_slot(struct snap *snap, const struct target_thread *t, size_t reg)
{
	const umem_root_t *root = &snap->root;
	const taddr_t at = t->reg[reg];
	uint64_t word;

	if (t->reg[TARGET_RIP] - root->root_text_start >=
		root->root_text_end - root->root_text_start ||
	    at % sizeof(word) != 0 || !snap_ours(snap, at) ||
	    snap_slab_at(snap, at) != NULL ||
	    target_read(snap->tgt, at, &word, sizeof(word), "slot") != UMDB_OK)
		return 0;
	return word;
}

size_t
find_root_vectors(struct snap *snap, const struct target_thread *t)
{
	if (!t->have_regs || find_saved_in_call(snap->tgt, t->reg[TARGET_RIP]))
		return 0;
	return TARGET_NVECTOR;
}

static int
roots_add_threads(struct snap *snap, struct roots *roots)
{
	struct target *tgt = snap->tgt;
	const struct target_thread *t;
	int rc = UMDB_OK;
	size_t i, r, n;

	for (i = 0; i < tgt->nthread && rc == UMDB_OK; i++) {
		t = &tgt->thread[i];
		if (!t->have_regs)
			continue;
		n = find_root_vectors(snap, t);
		for (r = 0; r < n && rc == UMDB_OK; r++)
			if (t->vector[r] != 0)
				rc = roots_add_value(roots, t->vector[r]);
		for (r = 0; r < TARGET_NREGS && rc == UMDB_OK; r++) {
			rc = roots_add_value(roots, t->reg[r]);
			if (rc == UMDB_OK)
				rc = roots_add_value(
				    roots, find_root_slot(snap, t, r));
		}
		if (rc == UMDB_OK)
			rc = roots_add_dtv(tgt, roots, t->reg[TARGET_FSBASE]);
	}
	return rc;
}

int
find_roots(struct snap *snap, struct roots *roots)
{
	enum {
		NHELD = sizeof(snap->root.root_held) /
			sizeof(snap->root.root_held[0])
	};
	size_t i;
	int rc;

	memset(roots, 0, sizeof(*roots));
	rc = find_root_stacks(snap, roots);
	if (rc == UMDB_OK)
		rc = roots_add_threads(snap, roots);
	for (i = 0; i < NHELD && rc == UMDB_OK; i++)
		rc = roots_add_value(roots, snap->root.root_held[i]);
	/* what a cache's constructor is given lies in the library's memory */
	for (i = 0; i < snap->ncache && rc == UMDB_OK; i++)
		rc = roots_add_value(roots, snap->cache[i].c.cache_private);
	if (rc == UMDB_OK)
		rc = find_root_memory(snap, roots);
	if (rc == UMDB_OK)
		rc = roots_add_arenas(snap, roots);
	if (rc == UMDB_OK)
		rc = roots_add_constructed(snap, roots);
	ranges_settle(&roots->memory);
	if (rc == UMDB_ENOMEM)
		return target_fail(snap->tgt, rc, 0, "out of memory");
	return rc;
}

void
find_roots_free(struct roots *roots)
{
	free(roots->memory.r);
	free(roots->dead.r);
	free(roots->value);
	memset(roots, 0, sizeof(*roots));
}
