/* SPDX-License-Identifier: MIT */
/*
 * find_where.c - where the library's structures and the segments lie
 *
 * Damage ends the walk of one list, and what it led to is not found.
 *
 * Layer: see find_where.h.
 */
#include "find_where.h"

#include <stdlib.h>

struct filling {
	struct rangemap *to, *held;
	uint64_t value;
	int rc;
};

/* When a walk has ended: what there is to say of it. */
static int
filling_end(struct snap *snap, const struct filling *f)
{
	if (snap->tgt->stopped)
		return target_fail(snap->tgt, UMDB_EINTR, 0, "interrupted");
	return f->rc;
}

/* -------------------------------------------------------------- structures */

static int
slab_structs(struct snap *snap, struct rangemap *m)
{
	const struct snap_slab *s;
	uint64_t map;
	size_t i;
	int rc = UMDB_OK;

	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++) {
		s = &snap->slab[i];
		map = ((uint64_t)s->nchunk + 63) / 64 * sizeof(uint64_t);
		rc = rangemap_add(
		    m, s->addr, sizeof(umem_slab_t) + map, i * 2 + WHERE_SLAB);
		if (rc == UMDB_OK && s->bufctl != 0)
			rc = rangemap_add(m, s->bufctl,
			    s->nchunk * sizeof(umem_bufctl_audit_t),
			    i * 2 + WHERE_BUFCTLS);
	}
	return rc;
}

static int
add_mag(struct snap *snap, taddr_t addr, const umem_magazine_t *mag, void *arg)
{
	struct filling *f = arg;

	(void)snap;
	f->rc = rangemap_add(f->to, addr,
	    UMEM_MAG_ROUND + (uint64_t)mag->mag_size * sizeof(uint64_t),
	    f->value);
	return f->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
}

static void
add_mag_at(struct snap *snap, taddr_t mag, uint64_t tid, struct filling *f)
{
	umem_magazine_t m;

	f->value = tid;
	if (f->rc == UMDB_OK && mag != 0 &&
	    snap_read_magazine(snap, mag, 0, &m) == UMDB_OK)
		(void)add_mag(snap, mag, &m, f);
}

static int
depot_mags(struct snap *snap, struct filling *f)
{
	uint32_t i;
	int rc = UMDB_OK;

	for (i = 0; i < snap->ncache && rc == UMDB_OK; i++) {
		(void)walk_depot(snap, &snap->cache[i], true, add_mag, f);
		rc = filling_end(snap, f);
		if (rc != UMDB_OK)
			break;
		(void)walk_depot(snap, &snap->cache[i], false, add_mag, f);
		rc = filling_end(snap, f);
	}
	return rc;
}

static int
thread_mags(struct snap *snap, struct filling *f)
{
	umem_tcache_t tc;
	uint32_t i, b;

	for (i = 0; i < snap->ntcache && f->rc == UMDB_OK; i++) {
		if (target_read(snap->tgt, snap->tcache[i].addr, &tc,
			sizeof(tc), "thread cache") != UMDB_OK)
			continue;
		for (b = 0; b < UMEM_TC_BINS; b++) {
			const taddr_t base = tc.tc_bin[b].tb_base;

			if (base > UMEM_MAG_ROUND)
				add_mag_at(snap, base - UMEM_MAG_ROUND,
				    snap->tcache[i].tid, f);
			add_mag_at(
			    snap, tc.tc_bin[b].tb_prev, snap->tcache[i].tid, f);
		}
		for (b = 0; b < 2; b++)
			add_mag_at(snap, tc.tc_transit[b], 0, f);
	}
	return filling_end(snap, f);
}

int
find_where_structs(struct snap *snap)
{
	struct snap_places *p = &snap->places;
	struct filling f = {.to = &p->mags, .rc = UMDB_OK};
	int rc;

	if (p->structs.ready && p->mags.ready)
		return UMDB_OK;
	rangemap_fini(&p->structs);
	rangemap_fini(&p->mags);
	rc = slab_structs(snap, &p->structs);
	if (rc == UMDB_OK)
		rc = depot_mags(snap, &f);
	if (rc == UMDB_OK)
		rc = thread_mags(snap, &f);
	if (rc != UMDB_OK) {
		snap_forget_places(snap);
		return rc;
	}
	rangemap_sort(&p->structs);
	rangemap_sort(&p->mags);
	return UMDB_OK;
}

/* ---------------------------------------------------------------- segments */

static int
add_segment(struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	struct filling *f = arg;

	(void)snap;
	f->rc = rangemap_add(f->to, addr, sizeof(*seg), 0);
	if (f->rc == UMDB_OK && seg->vs_type != VMEM_SEG_SPAN &&
	    seg->vs_end > seg->vs_start)
		f->rc = rangemap_add(
		    f->held, seg->vs_start, seg->vs_end - seg->vs_start, addr);
	return f->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
}

int
find_where_segments(struct snap *snap)
{
	struct snap_places *p = &snap->places;
	struct filling f = {.to = &p->segs, .rc = UMDB_OK};
	int rc = UMDB_OK;
	uint32_t i;

	if (p->segs.ready)
		return UMDB_OK;
	p->held = calloc((size_t)snap->narena + 1, sizeof(*p->held));
	if (p->held == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < snap->narena && rc == UMDB_OK; i++) {
		f.held = &p->held[i];
		(void)walk_segments(snap, &snap->arena[i],
		    VMEM_SEG_ALLOC | VMEM_SEG_FREE | VMEM_SEG_SPAN, add_segment,
		    &f);
		rc = filling_end(snap, &f);
		rangemap_sort(f.held);
	}
	if (rc != UMDB_OK) {
		snap_forget_places(snap);
		return rc;
	}
	rangemap_sort(&p->segs);
	return UMDB_OK;
}
