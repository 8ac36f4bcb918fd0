/* SPDX-License-Identifier: MIT */
/*
 * find_gather.h - the pointers of all buffers, side by side
 *
 * Marking follows pointers all over the heap, and what a page costs when it is
 * looked at for the first time (mapping it, finding its address) is many times
 * what reading it costs.  So the slabs are first read once in order of address,
 * by copies into a small piece of memory, and the few words that point to
 * buffers are kept; marking then walks these alone.
 *
 * What is too large, cannot be borrowed, or finds no room is left where it is:
 * marking reads it when it gets there.
 *
 * Layer: above find_end.h; below find_follow.h.
 */
#ifndef UMDB_FIND_GATHER_H
#define UMDB_FIND_GATHER_H

#include "find_end.h"

/* In gather->first. */
#define GATHER_NOT 0u  /* not gathered: read the buffer */
#define GATHER_NONE 1u /* it has no pointers */

/*
 * A pointer to the start of a buffer is the buffer's place in snap->state.
 * GATHER_END stands for one that is the end of another, see find_end.h: the
 * next number is the place of the buffer that starts there.  GATHER_RAW stands
 * for another one: the next two hold its distance from mark->lo, low half
 * first.  GATHER_LAST is set in the first number of the last pointer.
 */
#define GATHER_LAST 0x80000000u
#define GATHER_RAW 0x7fffffffu
#define GATHER_END 0x7ffffffeu

struct gather {
	uint32_t *first; /* by place in snap->state: where in to[] */
	uint32_t *to;
	uint64_t room, used; /* numbers in to[]; used is atomic */
	size_t nbuf, next;   /* slabs that were taken; atomic */
};

/* A thread's part in it. */
struct gather_work {
	struct mark *m;
	struct gather *g;
	uint32_t at, end; /* its piece of to[] */
	uint8_t *block;   /* copy of some slabs */
	uint64_t *room;   /* for hit, and some before and behind */
	uint64_t *hit;    /* words of a slab, as distances from mark->lo */
	const struct mark_slab **slab; /* where they point, or NULL */
	uint32_t *nhit; /* of each buffer of the slab, their sum so far */
	/* of the buffer that hits were last looked for in, see hit_at() */
	taddr_t source;
	const uint8_t *behind; /* the last of them */
	uint32_t seen;         /* how many that were */
	struct leak_stats *stats;
};

/*
 * gather_init - tables for the buffers of a snapshot; UMDB_ENOMEM when there
 * is no room, then nothing is to be gathered, but gather_fini be called.
 */
int gather_init(struct gather *g, const struct mark *m);
void gather_fini(struct gather *g);

/* gather_work_init, gather_work_fini - the same for one thread */
int gather_work_init(struct gather_work *w, struct gather *g, struct mark *m,
    struct leak_stats *stats);
void gather_work_fini(struct gather_work *w);

/*
 * gather_some - take some slabs and gather their buffers' pointers; false when
 * there are no more.  *bytes_ret: what these slabs have.
 */
bool gather_some(struct gather_work *w, uint64_t *bytes_ret);

#endif /* UMDB_FIND_GATHER_H */
