/* SPDX-License-Identifier: MIT */
/*
 * stack_memo.h - the path that a thread's last walk took
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

/* Reads of other functions' frames, which sanitizers take for faults. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_RAW __attribute__((no_sanitize("address", "thread")))
#else
#define STACK_RAW
#endif

#define MEMO_FRAMES 32u /* a power of two */

struct memo_frame {
	uint64_t pc; /* was read at sp - 8 */
	uint64_t sp;
	uint64_t bp;
	uint64_t bp_at; /* bp was read here; &bp of this if it was not read */
};

/* One per thread; zeroed memory is an empty one. */
struct memo {
	uint64_t busy_sp; /* of the walk in progress, 0 none */
	uint32_t epoch;   /* of the rules that the path follows from */
	uint32_t head;    /* index of the innermost frame */
	uint32_t count;
	struct memo_frame ring[MEMO_FRAMES];
};

/* How one walk uses it. */
struct memo_path {
	struct memo *memo;
	uint32_t next;    /* frame that may be met */
	uint32_t npassed; /* frames before the path was met */
	int has_met;
	int is_closed; /* nothing more is compared or noted */
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

/* memo_put - into a slot; bp_at is 0 in @f when bp was not read */
static inline void
memo_put(struct memo_frame *slot, const struct memo_frame *f)
{
	slot->pc = f->pc;
	slot->sp = f->sp;
	slot->bp = f->bp;
	slot->bp_at = f->bp_at != 0 ? f->bp_at : (uint64_t)&slot->bp;
}

/* memo_holds - do the words that led to this frame still do so? */
static inline STACK_RAW int
memo_holds(const struct memo_frame *f)
{
	return stack_load(f->sp - 8) == f->pc && stack_load(f->bp_at) == f->bp;
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
	for (i = path->npassed; i > 0; i--) {
		memo->head = (memo->head - 1) % MEMO_FRAMES;
		memo_put(&memo->ring[memo->head], &path->passed[i - 1]);
	}
	memo->count += path->npassed;
	if (memo->count > MEMO_FRAMES)
		memo->count = MEMO_FRAMES;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memo->busy_sp = 0;
}

/* memo_append - behind the path, once it was met and has ended */
static inline void
memo_append(struct memo_path *path, const struct memo_frame *frame)
{
	struct memo *memo = path->memo;

	if (memo->count == MEMO_FRAMES)
		path->is_closed = 1;
	else
		memo_put(memo_at(memo, memo->count++), frame);
}

/*
 * memo_part - the path was met but only its first @n frames hold: they become
 * frames passed, and what is behind them may be met again
 */
static inline void
memo_part(struct memo_path *path, uint32_t n)
{
	struct memo_frame f;
	uint32_t i;

	path->has_met = 0;
	path->next = n;
	for (i = 0; i < n && path->npassed < MEMO_FRAMES; i++) {
		f = *memo_at(path->memo, i);
		if (f.bp_at == (uint64_t)&memo_at(path->memo, i)->bp)
			f.bp_at = 0;
		path->passed[path->npassed++] = f;
	}
	path->is_closed = path->npassed == MEMO_FRAMES;
}

/*
 * memo_meets - the walk stands here, having come by a rule with @m: is that
 * on the path?  Then the path begins here.  If not the frame is noted.
 */
static inline int
memo_meets(
    struct memo_path *path, uint64_t pc, uint64_t sp, uint64_t bp, uint64_t m)
{
	const struct memo_frame here = {pc, sp, bp, m != 0 ? sp - m : 0};
	struct memo *memo = path->memo;
	struct memo_frame *f;

	if (path->is_closed)
		return 0;
	if (path->has_met) {
		memo_append(path, &here);
		return 0;
	}
	while (path->next < memo->count && memo_at(memo, path->next)->sp < sp)
		path->next++;
	f = memo_at(memo, path->next);
	if (path->next < memo->count && f->sp == sp && f->bp == bp &&
	    f->pc == pc) {
		memo_put(f, &here);
		memo->head += path->next;
		memo->count -= path->next;
		path->has_met = 1;
		return 1;
	}
	path->passed[path->npassed++] = here;
	path->is_closed = path->npassed == MEMO_FRAMES;
	return 0;
}

#endif /* UMEM_STACK_MEMO_H */
