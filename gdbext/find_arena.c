/* SPDX-License-Identifier: MIT */
/*
 * find_arena.c - the tree of arenas, and segments by address
 *
 * Layer: see find_arena.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "find_arena.h"

#define NO_ARENA UINT32_MAX

/* -------------------------------------------------------------------- tree */

/* Tree under way: the arenas from a top one to where we are. */
struct tree {
	const struct snap *snap;
	struct arena_place *place;
	uint32_t n;
	uint32_t *parent, *next; /* by depth */
	bool *seen;
};

static bool
arena_is_child(const struct snap *snap, uint32_t child, uint32_t parent)
{
	uint32_t p = snap->arena[child].parent;

	if (p >= snap->narena || p == child)
		p = NO_ARENA;
	return p == parent;
}

static void
tree_put(struct tree *t, uint32_t arena, uint32_t depth)
{
	t->seen[arena] = true;
	t->place[t->n].arena = arena;
	t->place[t->n++].depth = depth;
}

/*
 * Without recursion, no deeper than there are arenas; what stands on no branch
 * (a loop) comes last.
 */
static void
tree_walk(struct tree *t)
{
	const struct snap *snap = t->snap;
	uint32_t depth = 0, i;

	t->parent[0] = NO_ARENA;
	for (;;) {
		for (i = t->next[depth]; i < snap->narena; i++)
			if (!t->seen[i] &&
			    arena_is_child(snap, i, t->parent[depth]))
				break;
		t->next[depth] = i + 1;
		if (i < snap->narena) {
			tree_put(t, i, depth);
			t->parent[++depth] = i;
			t->next[depth] = 0;
		} else if (depth-- == 0) {
			break;
		}
	}
	for (i = 0; i < snap->narena; i++)
		if (!t->seen[i])
			tree_put(t, i, 0);
}

struct arena_place *
find_arena_tree(const struct snap *snap)
{
	const size_t n = (size_t)snap->narena + 1;
	struct tree t = {.snap = snap};

	t.place = calloc(n, sizeof(*t.place));
	t.parent = calloc(n, sizeof(*t.parent));
	t.next = calloc(n, sizeof(*t.next));
	t.seen = calloc(n, sizeof(*t.seen));
	if (t.place != NULL && t.parent != NULL && t.next != NULL &&
	    t.seen != NULL) {
		tree_walk(&t);
	} else {
		free(t.place);
		t.place = NULL;
	}
	free(t.parent);
	free(t.next);
	free(t.seen);
	return t.place;
}

/* ------------------------------------------------------------------- names */

const struct snap_arena *
find_arena_at(const struct snap *snap, taddr_t addr)
{
	uint32_t i;

	for (i = 0; i < snap->narena; i++)
		if (snap->arena[i].addr == addr)
			return &snap->arena[i];
	return NULL;
}

const struct snap_arena *
find_arena_named(const struct snap *snap, const char *text)
{
	taddr_t addr;
	uint32_t i;
	char *end;

	for (i = 0; i < snap->narena; i++)
		if (strcmp(snap->arena[i].v.vm_name, text) == 0)
			return &snap->arena[i];
	addr = strtoull(text, &end, 0);
	return end != text && *end == '\0' ? find_arena_at(snap, addr) : NULL;
}

/* ---------------------------------------------------------------- segments */

void
find_segment_stack(struct snap *snap, struct segment *s)
{
	const bool has = s->seg.vs_type == VMEM_SEG_ALLOC;

	(void)snap_trace(snap, has ? s->seg.vs_trace : 0, &s->stack, &s->depth);
}

static bool
type_is_known(uint8_t type)
{
	return type == VMEM_SEG_ALLOC || type == VMEM_SEG_FREE ||
	       type == VMEM_SEG_SPAN || type == VMEM_SEG_ROTOR ||
	       type == VMEM_SEG_WALKER;
}

/* Its neighbours know it: nothing but a segment is linked like that. */
static bool
segment_is_linked(struct snap *snap, taddr_t addr, const vmem_seg_t *s)
{
	vmem_seg_t other;

	if (!type_is_known(s->vs_type))
		return false;
	if (target_read(snap->tgt, s->vs_anext, &other, sizeof(other),
		"segment") != UMDB_OK ||
	    other.vs_aprev != addr)
		return false;
	return target_read(snap->tgt, s->vs_aprev, &other, sizeof(other),
		   "segment") == UMDB_OK &&
	       other.vs_anext == addr;
}

struct seg_search {
	taddr_t addr;
	struct segment *ret;
	bool found;
};

static int
segment_is(struct snap *snap, taddr_t addr, const vmem_seg_t *s, void *arg)
{
	struct seg_search *k = arg;

	(void)snap;
	if (addr != k->addr)
		return WALK_NEXT;
	k->ret->seg = *s;
	k->found = true;
	return WALK_STOP;
}

int
find_segment(struct snap *snap, taddr_t addr, struct segment *ret)
{
	struct seg_search k = {.addr = addr, .ret = ret};
	uint32_t i;

	memset(ret, 0, sizeof(*ret));
	ret->addr = addr;
	k.found = target_read(snap->tgt, addr, &ret->seg, sizeof(ret->seg),
		      "segment") == UMDB_OK &&
		  segment_is_linked(snap, addr, &ret->seg);
	/* a ring under change may be linked in one direction only */
	for (i = 0; i < snap->narena && !k.found; i++)
		if (snap->arena[i].v.vm_lock.lk_word != 0)
			(void)walk_segments(
			    snap, &snap->arena[i], ~0u, segment_is, &k);
	if (!k.found)
		return target_fail(snap->tgt, UMDB_ENOTFOUND, addr,
		    "there is no segment at %#" PRIx64, addr);
	find_segment_stack(snap, ret);
	return UMDB_OK;
}
