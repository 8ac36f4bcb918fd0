/* SPDX-License-Identifier: MIT */
/*
 * walk_vmem.c - segments of an arena
 *
 * All stand on one ring through vm_seg0: spans in order of creation, each
 * before what it contains, which ascends.  A ring changes under vm_lock; while that is held its order and
 * its backward links may lag, so only the forward links are followed then.
 *
 * Layer: above snap.h; part of walk.h.
 */
#include <inttypes.h>

#include "walk.h"

#define SEG_PLACED (VMEM_SEG_ALLOC | VMEM_SEG_FREE | VMEM_SEG_SPAN)

struct seg_walk {
	const struct snap_arena *arena;
	taddr_t prev;  /* segment before */
	uint64_t from; /* the next one that is no span starts here or later */
	uint64_t to;   /* ... and ends here at most: the span's end */
};

static bool
seg_type_known(uint8_t type)
{
	return type == VMEM_SEG_ALLOC || type == VMEM_SEG_FREE ||
	       type == VMEM_SEG_SPAN || type == VMEM_SEG_ROTOR ||
	       type == VMEM_SEG_WALKER;
}

/* Does a segment make sense where it stands? */
static int
seg_check(
    struct snap *snap, struct seg_walk *w, taddr_t addr, const vmem_seg_t *s)
{
	bool busy = w->arena->v.vm_lock.lk_word != 0;
	const char *name = w->arena->v.vm_name;

	if (!seg_type_known(s->vs_type))
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "segment %#" PRIx64 " of arena %s is of unknown type %#x",
		    addr, name, (unsigned)s->vs_type);
	if (s->vs_aprev != w->prev && !busy)
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "segment %#" PRIx64 " of arena %s follows %#" PRIx64
		    " but points back to %#" PRIx64,
		    addr, name, w->prev, s->vs_aprev);
	if (!(s->vs_type & SEG_PLACED))
		return UMDB_OK;
	if (s->vs_start >= s->vs_end)
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "segment %#" PRIx64 " of arena %s ends at %#" PRIx64
		    ", before it starts at %#" PRIx64,
		    addr, name, s->vs_end, s->vs_start);
	if (s->vs_type == VMEM_SEG_SPAN) {
		w->from = s->vs_start;
		w->to = s->vs_end;
		return UMDB_OK;
	}
	if (!busy && (s->vs_start < w->from || s->vs_end > w->to))
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "segment %#" PRIx64 " of arena %s is [%#" PRIx64
		    ", %#" PRIx64 "), but only [%#" PRIx64 ", %#" PRIx64
		    ") is left of its span",
		    addr, name, s->vs_start, s->vs_end, w->from, w->to);
	w->from = s->vs_end;
	return UMDB_OK;
}

int
walk_segments(struct snap *snap, const struct snap_arena *arena, unsigned mask,
    walk_seg_fn *fn, void *arg)
{
	const taddr_t head = arena->addr + offsetof(vmem_t, vm_seg0);
	struct seg_walk w = {.arena = arena, .prev = head};
	struct guard guard = {0};
	vmem_seg_t s;
	taddr_t addr;
	int rc;

	for (addr = arena->v.vm_seg0.vs_anext; addr != head;
	     w.prev = addr, addr = s.vs_anext) {
		if (guard_loops(&guard, addr))
			return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
			    "the segments of arena %s loop at %#" PRIx64,
			    arena->v.vm_name, addr);
		if (target_poll(snap->tgt, "segments", 0, 0))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		rc = target_read(snap->tgt, addr, &s, sizeof(s), "segment");
		if (rc != UMDB_OK)
			return rc;
		rc = seg_check(snap, &w, addr, &s);
		if (rc != UMDB_OK)
			return rc;
		if (!(s.vs_type & mask))
			continue;
		rc = fn(snap, addr, &s, arg);
		if (rc != WALK_NEXT)
			return rc == WALK_STOP ? UMDB_OK : rc;
	}
	return UMDB_OK;
}
