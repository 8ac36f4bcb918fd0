/* SPDX-License-Identifier: MIT */
/*
 * find_arena.h - the tree of arenas, and segments by address
 *
 * Layer: above walk.h; may not include out.h.
 */
#ifndef UMDB_FIND_ARENA_H
#define UMDB_FIND_ARENA_H

#include "walk.h"

/* An arena in its place: below the one it imports from. */
struct arena_place {
	uint32_t arena; /* index in snap->arena */
	uint32_t depth;
};

/*
 * find_arena_tree - all arenas, each before those that import from it, those
 * of one source in order of creation.  Damaged links lose none and repeat
 * none.  *ret has snap->narena places and is to be freed; NULL without memory.
 */
struct arena_place *find_arena_tree(const struct snap *snap);

/* find_arena_named - by name or address; NULL if there is none */
const struct snap_arena *find_arena_named(
    const struct snap *snap, const char *text);
const struct snap_arena *find_arena_at(const struct snap *snap, taddr_t addr);

struct segment {
	taddr_t addr;
	vmem_seg_t seg;
	uint32_t depth; /* frames in stack; 0: nothing is known of who */
	const uint64_t *stack;
};

/*
 * find_segment - the segment at an address.  UMDB_ENOTFOUND with a sentence
 * when there is none: it must be linked with its neighbours or stand on the
 * ring of an arena.
 */
int find_segment(struct snap *snap, taddr_t addr, struct segment *ret);

/* find_segment_stack - fill depth and stack from seg; 0 if not to be had */
void find_segment_stack(struct snap *snap, struct segment *s);

#endif /* UMDB_FIND_ARENA_H */
