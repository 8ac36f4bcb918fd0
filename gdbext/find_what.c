/* SPDX-License-Identifier: MIT */
/*
 * find_what.c - whatis: what an address belongs to
 *
 * Asked in order from the most specific: buffers, then the library's own
 * structures, then segments of arenas, stacks, mappings.  A pipe asks for
 * millions of addresses, so nothing here passes over all slabs, magazines or
 * segments: find_where.h knows where they lie.
 *
 * Layer: see find.h.
 */
#include "find_mark.h"
#include "find_where.h"

/* addr in [base, base + size): the thing is found. */
static bool
what_in(struct whatis *w, taddr_t addr, enum what_kind kind, taddr_t base,
    uint64_t size)
{
	if (base == 0 || addr < base || addr - base >= size)
		return false;
	w->kind = kind;
	w->base = base;
	w->size = size;
	return true;
}

/* ----------------------------------------------------------------- buffers */

static bool
what_buffer(struct snap *snap, taddr_t addr, struct whatis *w)
{
	const struct snap_tcache *tc;

	if (!snap_buf_at(snap, addr, &w->slab, &w->index)) {
		w->slab = snap_slab_at(snap, addr);
		return w->slab != NULL && what_in(w, addr, WHAT_SLAB,
					      w->slab->base, w->slab->size);
	}
	w->base = snap_buf_addr(w->slab, w->index);
	w->size = snap_buf_size(snap, w->slab, w->index);
	w->state = snap_buf_state(snap, w->slab, w->index);
	w->bufctl = snap_buf_bufctl(w->slab, w->index);
	w->kind = addr == w->base || addr - w->base < w->size ? WHAT_BUFFER
							      : WHAT_REDZONE;
	if (w->state == BUF_FREE_THREAD) {
		tc = snap_tcache_of(snap, w->slab, w->index);
		w->tid = tc != NULL ? tc->tid : 0;
	}
	return true;
}

/* -------------------------------------------------------------- structures */

/* A bufctl in the array of a slab. */
static void
what_bufctl(struct snap *snap, taddr_t addr, const struct snap_slab *s,
    struct whatis *w)
{
	w->kind = WHAT_BUFCTL;
	w->slab = s;
	w->index = (uint32_t)((addr - s->bufctl) / sizeof(umem_bufctl_audit_t));
	w->bufctl = snap_buf_bufctl(s, w->index);
	w->base = w->bufctl;
	w->size = sizeof(umem_bufctl_audit_t);
	w->state = snap_buf_state(snap, s, w->index);
}

/* The struct of a slab, the map behind it, its bufctls. */
static bool
what_slab_struct(struct snap *snap, taddr_t addr, struct whatis *w)
{
	const struct rangemap *m = &snap->places.structs;
	const struct rangemap_entry *at = NULL;
	const struct snap_slab *s;
	umem_slab_t sp;
	uint64_t size;

	while ((at = rangemap_at(m, addr, at)) != NULL) {
		s = &snap->slab[at->value / 2];
		if (at->value % 2 == WHERE_BUFCTLS) {
			what_bufctl(snap, addr, s, w);
			return true;
		}
		size = at->end - at->start;
		if (target_read(snap->tgt, s->addr, &sp, sizeof(sp), "slab") !=
			UMDB_OK ||
		    sp.slab_map != s->addr + sizeof(sp))
			size = sizeof(sp);
		if (!what_in(w, addr, WHAT_SLAB_STRUCT, s->addr, size))
			continue;
		w->slab = s;
		return true;
	}
	return false;
}

static bool
what_cache(struct snap *snap, taddr_t addr, struct whatis *w)
{
	uint32_t i;

	for (i = 0; i < snap->ncache; i++)
		if (what_in(w, addr, WHAT_CACHE, snap->cache[i].addr,
			sizeof(umem_cache_t)))
			return true;
	for (i = 0; i < snap->ntcache; i++) {
		if (!what_in(w, addr, WHAT_TCACHE, snap->tcache[i].addr,
			sizeof(umem_tcache_t)))
			continue;
		w->tid = snap->tcache[i].tid;
		return true;
	}
	for (i = 0; i < snap->narena; i++) {
		if (!what_in(w, addr, WHAT_META, snap->arena[i].addr,
			sizeof(vmem_t)))
			continue;
		w->arena = &snap->arena[i];
		return true;
	}
	return false;
}

/* --------------------------------------------------------------- magazines */

static bool
what_magazine(struct snap *snap, taddr_t addr, struct whatis *w)
{
	const struct rangemap_entry *at =
	    rangemap_at(&snap->places.mags, addr, NULL);

	if (at == NULL)
		return false;
	w->kind = WHAT_MAGAZINE;
	w->base = at->start;
	w->size = at->end - at->start;
	w->tid = (uint32_t)at->value;
	return true;
}

/* -------------------------------------------------------------------- logs */

static bool
what_log(struct snap *snap, taddr_t addr, struct whatis *w)
{
	const umem_root_t *root = &snap->root;
	const taddr_t log[] = {root->root_log_transaction,
	    root->root_log_contents, root->root_log_fail, root->root_log_slab};
	umem_log_header_t lh;
	uint64_t size, in;
	size_t i;

	for (i = 0; i < sizeof(log) / sizeof(log[0]); i++) {
		if (log[i] == 0)
			continue;
		if (what_in(w, addr, WHAT_LOG, log[i], sizeof(lh)))
			return true;
		if (target_read(snap->tgt, log[i], &lh, sizeof(lh), "log") !=
			UMDB_OK ||
		    lh.lh_chunksize == 0 ||
		    __builtin_mul_overflow(
			lh.lh_chunksize, lh.lh_nchunks, &size) ||
		    !what_in(w, addr, WHAT_LOG, lh.lh_base, size))
			continue;
		in = (addr - lh.lh_base) % lh.lh_chunksize;
		if (lh.lh_recsize != sizeof(umem_bufctl_audit_t) ||
		    in / lh.lh_recsize >= lh.lh_chunksize / lh.lh_recsize)
			return true;
		w->base = addr - in % lh.lh_recsize;
		w->size = lh.lh_recsize;
		w->bufctl = w->base;
		return true;
	}
	return false;
}

/* ---------------------------------------------------------------- segments */

static uint32_t
tcache_tid(const struct snap *snap, taddr_t tcache)
{
	uint32_t i;

	for (i = 0; i < snap->ntcache; i++)
		if (snap->tcache[i].addr == tcache)
			return snap->tcache[i].tid;
	return 0;
}

/* A segment that holds the address, and may be free in a quantum cache. */
static bool
what_in_seg(struct snap *snap, struct whatis *w, taddr_t addr,
    const struct snap_arena *arena, taddr_t at, const vmem_seg_t *seg)
{
	struct mag_found mag;

	/* unlike other things one may start at 0 */
	if (addr < seg->vs_start || addr >= seg->vs_end)
		return false;
	w->kind = WHAT_SEGMENT;
	w->base = seg->vs_start;
	w->size = seg->vs_end - seg->vs_start;
	w->arena = arena;
	w->seg = *seg;
	w->seg_addr = at;
	w->tid = 0;
	w->quantum = seg->vs_type == VMEM_SEG_ALLOC
			 ? walk_quantum_idle(snap, arena, seg, &mag)
			 : NULL;
	if (w->quantum == NULL)
		return true;
	w->state = BUF_FREE_DEPOT;
	if (mag.place == MAG_LOADED || mag.place == MAG_PREVIOUS) {
		w->state = BUF_FREE_THREAD;
		w->tid = tcache_tid(snap, mag.tcache);
	}
	return true;
}

typedef bool arena_fn(struct snap *, const struct snap_arena *, void *arg);

/* Arenas that imported from others come first: they know more. */
static bool
each_arena(struct snap *snap, arena_fn *fn, void *arg)
{
	uint32_t depth, i, deepest = 0;

	for (i = 0; i < snap->narena; i++)
		if (snap->arena[i].v.vm_depth > deepest)
			deepest = snap->arena[i].v.vm_depth;
	if (deepest > snap->narena)
		deepest = snap->narena;
	for (depth = deepest + 1; depth-- > 0;)
		for (i = 0; i < snap->narena; i++)
			if (snap->arena[i].v.vm_depth == depth &&
			    fn(snap, &snap->arena[i], arg))
				return true;
	return false;
}

/* The segment of an arena that holds the address. */
static bool
what_in_arena(struct snap *snap, const struct snap_arena *arena, taddr_t addr,
    struct whatis *w)
{
	const struct rangemap *m = &snap->places.held[arena - snap->arena];
	const struct rangemap_entry *at = NULL;
	vmem_seg_t seg;

	while ((at = rangemap_at(m, addr, at)) != NULL)
		if (target_read(snap->tgt, at->value, &seg, sizeof(seg),
			"segment") == UMDB_OK &&
		    what_in_seg(snap, w, addr, arena, at->value, &seg))
			return true;
	return false;
}

struct seg_at {
	taddr_t addr;
	struct whatis *w;
};

static bool
seg_in_arena(struct snap *snap, const struct snap_arena *arena, void *arg)
{
	const struct seg_at *a = arg;

	return what_in_arena(snap, arena, a->addr, a->w);
}

static bool
what_segment(struct snap *snap, taddr_t addr, struct whatis *w)
{
	struct seg_at a = {addr, w};
	const struct rangemap_entry *at =
	    rangemap_at(&snap->places.segs, addr, NULL);

	return (at != NULL && what_in(w, addr, WHAT_META, at->start,
				  at->end - at->start)) ||
	       each_arena(snap, seg_in_arena, &a);
}

struct seg_all {
	struct whatis w; /* as it is given to fn */
	taddr_t addr;
	find_segments_fn *fn;
	void *arg;
	int rc;
};

static bool
seg_all_in(struct snap *snap, const struct snap_arena *arena, void *arg)
{
	struct seg_all *a = arg;

	if (what_in_arena(snap, arena, a->addr, &a->w))
		a->rc = a->fn(snap, &a->w, a->arg);
	return a->rc != WALK_NEXT;
}

int
find_segments(struct snap *snap, taddr_t addr, find_segments_fn *fn, void *arg)
{
	struct seg_all a = {.addr = addr, .fn = fn, .arg = arg};
	const int rc = find_where_segments(snap);

	if (rc != UMDB_OK)
		return rc;
	a.w.region = target_region_at(snap->tgt, addr);
	each_arena(snap, seg_all_in, &a);
	return a.rc == WALK_STOP ? UMDB_OK : a.rc;
}

/* The library's memory, of which nothing better is known. */
static bool
what_ours(struct snap *snap, taddr_t addr, struct whatis *w)
{
	const umem_root_t *root = &snap->root;
	size_t i;

	if (what_in(w, addr, WHAT_META, root->root_data_start,
		root->root_data_end - root->root_data_start))
		return true;
	for (i = 0; i < snap->nregion; i++)
		if (what_in(w, addr,
			snap->region[i].rg_kind == UMEM_RG_LOG ? WHAT_LOG
							       : WHAT_META,
			snap->region[i].rg_base, snap->region[i].rg_size))
			return true;
	return false;
}

/* -------------------------------------------------------- stacks, mappings */

bool
find_mapping(struct snap *snap, taddr_t addr, struct whatis *w)
{
	struct target *tgt = snap->tgt;
	struct range stack;
	size_t i;

	memset(w, 0, sizeof(*w));
	w->region = target_region_at(tgt, addr);
	if (w->region == NULL)
		return false;
	for (i = 0; i < tgt->nthread; i++) {
		if (!find_stack_of(tgt, &tgt->thread[i], &stack) ||
		    !what_in(w, addr, WHAT_STACK, stack.start,
			stack.end - stack.start))
			continue;
		w->tid = tgt->thread[i].lwp;
		return true;
	}
	return what_in(w, addr, WHAT_MAPPING, w->region->start,
	    w->region->end - w->region->start);
}

/* Something of the library's, or a segment of an arena. */
static int
what_known(struct snap *snap, taddr_t addr, const struct target_region *r,
    struct whatis *w, bool *found)
{
	int rc;

	*found = what_buffer(snap, addr, w) || what_cache(snap, addr, w);
	if (!*found && snap_ours(snap, addr)) {
		rc = find_where_structs(snap);
		if (rc != UMDB_OK)
			return rc;
		*found = what_log(snap, addr, w) ||
			 what_slab_struct(snap, addr, w) ||
			 what_magazine(snap, addr, w);
	}
	/* an arena of numbers may have a segment where a file is mapped */
	if (!*found && (r == NULL || !r->file)) {
		rc = find_where_segments(snap);
		if (rc != UMDB_OK)
			return rc;
		*found = what_segment(snap, addr, w);
	}
	if (!*found)
		*found = what_ours(snap, addr, w);
	return UMDB_OK;
}

int
find_whatis(struct snap *snap, taddr_t addr, struct whatis *ret)
{
	const struct target_region *r = target_region_at(snap->tgt, addr);
	bool found;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = what_known(snap, addr, r, ret, &found);
	if (rc != UMDB_OK)
		return rc;
	if (!found || ret->region == NULL)
		ret->region = r;
	if (!found)
		found = find_mapping(snap, addr, ret);
	if (!found)
		ret->kind = WHAT_UNKNOWN;
	return snap->tgt->stopped
		   ? target_fail(snap->tgt, UMDB_EINTR, addr, "interrupted")
		   : UMDB_OK;
}
