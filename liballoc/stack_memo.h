/* SPDX-License-Identifier: MIT */
/*
 * stack_memo.h - the paths that a thread's last walks took
 *
 * Where a walk stands is (pc, sp, bp), and where it goes from there follows
 * from the rules and from the words that they say to read.  So when a walk
 * comes to where an earlier one stood, and the words that the earlier one
 * read from there on still have the same values, the rest of the path is the
 * same.  To compare is cheap: the words' addresses are known beforehand, so
 * no load waits for another.
 *
 * The path is a ring, innermost frame first.  What a walk passes before it
 * meets the path is collected and put before it afterwards; what it passes
 * after the path ended is put behind it.
 *
 * Layer: above stack_rule.h.
 */
#ifndef UMEM_STACK_MEMO_H
#define UMEM_STACK_MEMO_H

#include <stdint.h>

#include "stack_rule.h"

#define MEMO_FRAMES 32u /* a power of two */
#define MEMO_PATHS 4u

struct memo_frame {
	uint64_t pc; /* was read at sp - 8 */
	uint64_t sp;
	uint64_t bp;
	uint64_t bp_at; /* bp was read here; &bp of this if it was not read */
};

/* Zeroed memory is an empty one. */
struct memo {
	uint64_t busy_sp; /* of the walk in progress, 0 none */
	uint32_t epoch;   /* of the rules that the path follows from */
	uint32_t head;    /* index of the innermost frame */
	uint32_t count;
	uint32_t by_bp; /* bit i: ring[i] was reached by its callee's bp */
	struct memo_frame ring[MEMO_FRAMES];
};

/* A thread's paths, told apart by where the walk started that made them. */
struct memo_set {
	uint64_t start[MEMO_PATHS];
	uint32_t next; /* to be replaced */
	struct memo path[MEMO_PATHS];
};

/* How one walk uses a path. */
struct memo_path {
	struct memo *memo;
	uint32_t next;    /* frame that may be met */
	uint32_t npassed; /* frames before the path was met */
	int has_met;
	int is_closed;  /* nothing more is compared or noted */
	uint32_t by_bp; /* of passed */
	struct memo_frame passed[MEMO_FRAMES];
};

static inline STACK_RAW uint64_t
stack_load(uint64_t addr)
{
	return *(const volatile uint64_t *)addr;
}

/* memo_at - frame @i of the path */
static inline struct memo_frame *
memo_at(struct memo *memo, uint32_t i)
{
	return &memo->ring[(memo->head + i) % MEMO_FRAMES];
}

/* memo_slot - its index in the ring */
static inline uint32_t
memo_slot(const struct memo *memo, uint32_t i)
{
	return (memo->head + i) % MEMO_FRAMES;
}

/* memo_put - as frame @i; bp_at is 0 in @f when bp was not read */
static inline void
memo_put(struct memo *memo, uint32_t i, const struct memo_frame *f, int by_bp)
{
	const uint32_t slot = memo_slot(memo, i);
	struct memo_frame *to = &memo->ring[slot];

	to->pc = f->pc;
	to->sp = f->sp;
	to->bp = f->bp;
	to->bp_at = f->bp_at != 0 ? f->bp_at : (uint64_t)&to->bp;
	memo->by_bp = (memo->by_bp & ~(1u << slot)) | (uint32_t)by_bp << slot;
}

/* memo_holds - do the words that led to this frame still do so? */
static inline STACK_RAW int
memo_holds(const struct memo_frame *f)
{
	return stack_load(f->sp - 8) == f->pc && stack_load(f->bp_at) == f->bp;
}

/*
 * memo_set_bp - bp is now @bp at frame @i: much code keeps something else in
 * that register.  The path is the same for all that, unless a frame further
 * out is reached by it before it is read anew: then 0 is returned.
 */
static inline int
memo_set_bp(struct memo *memo, uint32_t i, uint64_t bp)
{
	uint32_t k;

	for (k = i + 1; k < memo->count; k++) {
		const struct memo_frame *f = memo_at(memo, k);

		if (memo->by_bp >> memo_slot(memo, k) & 1)
			return 0;
		if (f->bp_at != (uint64_t)&f->bp)
			break;
	}
	while (k-- > i)
		memo_at(memo, k)->bp = bp;
	return 1;
}

/* memo_mends - memo_holds() says no to frame @i: does only bp differ? */
static inline STACK_RAW int
memo_mends(struct memo *memo, uint32_t i)
{
	const struct memo_frame *f = memo_at(memo, i);

	return stack_load(f->sp - 8) == f->pc &&
	       memo_set_bp(memo, i, stack_load(f->bp_at));
}

/*
 * memo_choose - the path for a walk from (pc, sp).  A loop that allocates and
 * releases starts from a few places, each with a path of its own.
 */
static inline struct memo *
memo_choose(struct memo_set *set, uint64_t pc, uint64_t sp)
{
	const uint64_t start = pc ^ sp << 16;
	uint32_t i;

	for (i = 0; i < MEMO_PATHS; i++)
		if (set->start[i] == start)
			return &set->path[i];
	i = set->next++ % MEMO_PATHS;
	set->start[i] = start;
	return &set->path[i];
}

/*
 * memo_begin - a walk starts at @sp; without a memo it finds no path.  A
 * signal handler's walk leaves the path alone when it interrupted another of
 * its thread; one that was never finished, because the handler did not
 * return, is recognised by its sp.
 */
static inline void
memo_begin(struct memo_path *path, struct memo *memo, uint64_t sp)
{
	const uint32_t epoch = __atomic_load_n(&rule_epoch, __ATOMIC_RELAXED);
	uint64_t busy_sp;

	path->memo = NULL;
	path->next = 0;
	path->npassed = 0;
	path->has_met = 0;
	path->by_bp = 0;
	path->is_closed = 1;
	if (memo == NULL)
		return;
	busy_sp = memo->busy_sp;
	if (busy_sp != 0 && sp <= busy_sp)
		return;
	memo->busy_sp = sp;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (busy_sp != 0 || memo->epoch != epoch)
		memo->count = 0;
	memo->epoch = epoch;
	path->memo = memo;
	path->is_closed = 0;
}

/* memo_leave - the walk goes where the path cannot follow */
static inline void
memo_leave(struct memo_path *path)
{
	path->is_closed = 1;
}

/* memo_end - the walk is over: put what it passed before the path */
static inline void
memo_end(struct memo_path *path)
{
	struct memo *memo = path->memo;
	uint32_t i;

	if (memo == NULL)
		return;
	if (!path->has_met)
		memo->count = 0;
	memo->head -= path->npassed;
	for (i = 0; i < path->npassed; i++)
		memo_put(memo, i, &path->passed[i], path->by_bp >> i & 1);
	memo->count += path->npassed;
	if (memo->count > MEMO_FRAMES)
		memo->count = MEMO_FRAMES;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memo->busy_sp = 0;
}

/* memo_append - behind the path, once it was met and has ended */
static inline void
memo_append(struct memo_path *path, const struct memo_frame *f, int by_bp)
{
	struct memo *memo = path->memo;

	if (memo->count == MEMO_FRAMES)
		path->is_closed = 1;
	else
		memo_put(memo, memo->count++, f, by_bp);
}

/* memo_pass - before the path */
static inline void
memo_pass(struct memo_path *path, const struct memo_frame *f, int by_bp)
{
	const uint32_t i = path->npassed++;

	path->passed[i] = *f;
	path->by_bp |= (uint32_t)by_bp << i;
	path->is_closed = path->npassed == MEMO_FRAMES;
}

/*
 * memo_part - the path was met but only its first @n frames hold: they become
 * frames passed, and what is behind them may be met again
 */
static inline void
memo_part(struct memo_path *path, uint32_t n)
{
	struct memo *memo = path->memo;
	struct memo_frame f;
	uint32_t i;

	path->has_met = 0;
	path->next = n;
	for (i = 0; i < n && !path->is_closed; i++) {
		f = *memo_at(memo, i);
		if (f.bp_at == (uint64_t)&memo_at(memo, i)->bp)
			f.bp_at = 0;
		memo_pass(path, &f, memo->by_bp >> memo_slot(memo, i) & 1);
	}
}

/*
 * memo_meets - the walk stands @here, having come @by_bp or by sp: is that on
 * the path?  Then the path begins here.  If not the frame is noted.
 */
static inline int
memo_meets(struct memo_path *path, const struct memo_frame *here, int by_bp)
{
	struct memo *memo = path->memo;
	struct memo_frame *f;

	if (path->is_closed)
		return 0;
	if (path->has_met) {
		memo_append(path, here, by_bp);
		return 0;
	}
	while (path->next < memo->count &&
	       memo_at(memo, path->next)->sp < here->sp)
		path->next++;
	f = memo_at(memo, path->next);
	if (path->next < memo->count && f->sp == here->sp &&
	    f->pc == here->pc &&
	    (f->bp == here->bp || memo_set_bp(memo, path->next, here->bp))) {
		memo_put(memo, path->next, here, by_bp);
		memo->head += path->next;
		memo->count -= path->next;
		path->has_met = 1;
		return 1;
	}
	memo_pass(path, here, by_bp);
	return 0;
}

#endif /* UMEM_STACK_MEMO_H */
