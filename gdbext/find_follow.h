/* SPDX-License-Identifier: MIT */
/*
 * find_follow.h - what the two halves of marking share
 *
 * find_follow.c follows pointers out of a piece of memory, find_walk.c says
 * from where, how often, and by how many threads.
 *
 * Layer: above find_gather.h; private to find_follow.c and find_walk.c.
 */
#ifndef UMDB_FIND_FOLLOW_H
#define UMDB_FIND_FOLLOW_H

#include <pthread.h>

#include "find_gather.h"

#define FOLLOW_RING 16u         /* buffers that wait for memory */
#define FOLLOW_PIECE (1u << 20) /* bytes of roots taken at a time */

/*
 * Buffers are named by their places in snap->state.  On the stack are those
 * that a pointer was seen to; with this bit they have their mark already.
 */
#define FOLLOW_MARKED (1ULL << 63)

struct piece {
	const uint8_t *bytes;
	uint64_t len;
};

/* Work for the main thread: off 0, scan it; else judge a pointer there. */
struct later {
	uint64_t node, off;
};

/* Buffers that wait for what was prefetched of them, the oldest at at. */
struct ring {
	struct {
		uint64_t node;
		uint32_t first; /* as in gather->first; once that is here */
	} e[FOLLOW_RING];
	unsigned at, n;
};

struct stack {
	uint64_t *id;
	size_t n, room;
};

struct pool {
	struct mark *m;
	struct gather gather;
	pthread_mutex_t lock;
	pthread_cond_t more, finished;
	struct stack shared;
	struct piece *piece;
	size_t npiece, pieceroom, nextpiece;
	unsigned nworker, hungry, running;
	bool over;            /* no more work: workers end */
	int stop;             /* an enum umdb_code, when != UMDB_OK; atomic */
	uint64_t done, total; /* bytes, for progress; atomic */
};

struct follow {
	struct mark *m;
	struct pool *pool;
	bool main;               /* may call the target */
	bool exact;              /* pointers to the inside are judged */
	bool first;              /* this walk is a buffer's first */
	uint8_t to[MARK_STATES]; /* transitions; MARK_NONE: stays */
	uint32_t *owner; /* mark->owner in the walk that fills it, or NULL */
	uint32_t head;   /* what it is filled with */
	struct stack stack;
	struct ring wait;  /* for their marks */
	struct ring ready; /* marked; for their pointers */
	struct gather_work gather;
	unsigned since; /* buffers since the last look */
	uint64_t bytes; /* scanned since then */
	struct later *later;
	size_t nlater, laterroom;
	uint8_t *bounce; /* FOLLOW_PIECE bytes, or NULL */
	struct leak_stats stats;
	struct inner inner;
	pthread_t thread;
};

/* pool_stop - end the search with this code; the first one stays */
void pool_stop(struct pool *pool, int rc);

static inline bool
pool_stopped(struct pool *pool)
{
	return __atomic_load_n(&pool->stop, __ATOMIC_RELAXED) != UMDB_OK;
}

/* stack_reserve - room for @n more; false without memory */
bool stack_reserve(struct stack *s, size_t n);

/* follow_push - a buffer to look at, see FOLLOW_MARKED */
void follow_push(struct follow *f, uint64_t id);

/* follow_later - leave something to the main thread */
void follow_later(struct follow *f, uint64_t node, uint64_t off);

/* follow_mark - give a buffer a mark, and scan it */
void follow_mark(
    struct follow *f, const struct mark_slab *s, uint32_t index, uint8_t to);

/*
 * follow_judge - does a pointer @off into the buffer of @size bytes hold it?
 * For the live walk.
 */
enum inner_answer follow_judge(struct follow *f, const struct mark_slab *s,
    uint32_t index, uint64_t off, uint64_t size);

/* follow_value - one word */
void follow_value(struct follow *f, uint64_t value);

/*
 * follow_lent - all words of lent memory [p, p + len), at most FOLLOW_PIECE;
 * p stands for an aligned address
 */
void follow_lent(struct follow *f, const uint8_t *p, uint64_t len);

/* follow_read - the same for memory that has to be read; main thread only */
void follow_read(struct follow *f, taddr_t addr, uint64_t len);

/* follow_buffer - what was asked for of a buffer */
void follow_buffer(struct follow *f, uint64_t node);

/* follow_look - now and then: progress, Ctrl-C, the other threads */
void follow_look(struct follow *f);

/* follow_drain - scan all that was reached, and what that reaches */
void follow_drain(struct follow *f);

#endif /* UMDB_FIND_FOLLOW_H */
