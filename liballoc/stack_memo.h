/* SPDX-License-Identifier: MIT */
/*
 * stack_memo.h - the paths that a thread's walks took last
 *
 * Where a walk stands is (pc, sp, bp), and where it goes from there follows
 * from the rules and from the words that they say to read.  So a walk that
 * starts where an earlier one did, and finds in all the words that the earlier
 * one read what it found, is the same walk, and its trace has the same number.
 * To compare is cheap: the addresses of the words are known beforehand, so no
 * load waits for another.
 *
 * A program allocates from a few hundred places, of which each thread keeps
 * the last ones.  They are found as in a trie: where the walk starts leads to a
 * path that started there.  If that one differs, then the first word in which
 * it does, and what this word holds now, lead to the next.  Before that, the
 * path is tried that was taken when the stack was last this deep after the
 * same few paths: programs repeat themselves, and a guess that is mostly right
 * costs no branch that the processor guesses wrong (the idea is that of branch
 * predictors with a global history: Yeh and Patt, 1991).
 *
 * Much code keeps something else than a frame pointer in bp: a word that it was
 * read from is compared only if a frame was reached by it.
 *
 * Layer: above stack_rule.h.
 */
#ifndef UMEM_STACK_MEMO_H
#define UMEM_STACK_MEMO_H

#include <stdint.h>
#include <string.h>

#include "stack_rule.h"

#define PATH_RETURNS 16u
#define PATH_OTHERS 20u
#define PATH_WORDS (PATH_RETURNS + PATH_OTHERS)
#define PATH_FRAMES 15u
#define PATH_STRIDE 5u /* words that path_sum() takes at once */
#define PATH_ATS ((PATH_WORDS + PATH_STRIDE - 1) / PATH_STRIDE * PATH_STRIDE)
#define PATH_FACTOR 0x9fb21c651e98df25u /* odd, otherwise random; another */
#define PATH_MIX 0xd6e8feb86659fd93u
#define PATH_REACH ((uint64_t)UINT16_MAX * 8) /* of a word's address */
#define MEMO_PATHS 512u
#define MEMO_BITS 10 /* of the index */
#define MEMO_PROBES 8
#define ROW_BITS 7       /* of guesses */
#define GUESS_BITS 5     /* in a row, which is a line of the cache */
#define HISTORY_SHIFT 21 /* so that three paths count */

/*
 * What the path of a walk is recognised by: it is tried for every call, so what
 * a usual one needs is in the first line of the cache.  The addresses of the
 * words are told as the number of words above sp.
 */
struct path {
	uint64_t pc; /* where the walk started; 0: there is none */
	uint64_t sp;
	uint64_t sum;   /* of all words, see path_sum() */
	uint32_t epoch; /* of the rules that it follows from */
	uint32_t
	    number;    /* of the trace; 0: it needs more, or is not kept yet */
	uint8_t by_bp; /* a frame was reached by the start's bp */
	uint8_t nat;   /* places in at[], a multiple of PATH_STRIDE */
	uint16_t at[PATH_ATS];
	uint64_t bp;
} __attribute__((aligned(128)));

/*
 * The rest of it: the words.  First the returns, which are shown, then others.
 * If the walk was longer than there is room for it goes on at end.
 */
struct path_rest {
	uint8_t is_whole; /* the walk ended here */
	uint8_t npc;      /* of the start, if it is shown, and returns */
	uint8_t nreturn;
	uint8_t nother;
	uint64_t word[PATH_WORDS];
	struct stack_frame end;
};

/* Zeroed memory is an empty one. */
struct memo {
	uint64_t busy_sp; /* of the walk in progress, 0 none */
	uint64_t history; /* the paths that were taken last */
	uint32_t next;    /* path to be replaced */
	uint32_t row;     /* the row of guess[] that follows from them */
	uint16_t guess[1u << (ROW_BITS + GUESS_BITS)]
	    __attribute__((aligned(64)));
	uint16_t index[1u << MEMO_BITS]; /* of path[] and rest[] */
	struct path path[MEMO_PATHS];
	struct path_rest rest[MEMO_PATHS];
};

static inline STACK_RAW uint64_t
stack_load(uint64_t addr)
{
	return *(const volatile uint64_t *)addr;
}

/*
 * memo_enter - a walk starts at @sp; 0 when it has to do without.  So has a
 * signal handler's that interrupted another of its thread; one that was never
 * finished, because the handler did not return, is recognised by its sp.
 */
static inline int
memo_enter(struct memo *memo, uint64_t sp)
{
	const uint64_t busy_sp = memo->busy_sp;

	if (__builtin_expect(busy_sp != 0 && sp <= busy_sp, 0))
		return 0;
	memo->busy_sp = sp;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return 1;
}

static inline void
memo_leave(struct memo *memo)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	memo->busy_sp = 0;
}

/* path_starts - whether a walk that starts @at could take it */
static inline int
path_starts(const struct path *t, const struct stack_frame *at)
{
	return t->sp == at->sp && t->pc == at->pc &&
	       (!t->by_bp || t->bp == at->bp) &&
	       t->epoch == __atomic_load_n(&rule_epoch, __ATOMIC_RELAXED);
}

/* path_load - the word @at words above where the path starts */
static inline STACK_RAW uint64_t
path_load(const struct path *t, uint16_t at)
{
	return stack_load(t->sp + (uint64_t)at * 8);
}

/*
 * path_sum - the sum of the words as they are now: a polynomial in numbers
 * without structure, of 64 bits, so other words have the same sum by a chance
 * of 2^-64.  To compare it takes a fifth of the memory of comparing each word.
 * It goes by several words at a time, so that one multiplication need not wait
 * for another.
 */
static inline STACK_RAW uint64_t
path_sum(const struct path *t)
{
	const uint64_t m = PATH_MIX;
	const uint64_t *sp = (const uint64_t *)t->sp;
	const uint16_t *at = t->at, *end = at + t->nat;
	uint64_t a = 0, b = 0, c = 0, d = 0, e = 0;

	/* what is there now, not what the compiler may know of it */
	__asm__ volatile("" : "+r"(sp) : : "memory");
	for (; at < end; at += PATH_STRIDE) {
		a = a * PATH_FACTOR + sp[at[0]];
		b = b * PATH_FACTOR + sp[at[1]];
		c = c * PATH_FACTOR + sp[at[2]];
		d = d * PATH_FACTOR + sp[at[3]];
		e = e * PATH_FACTOR + sp[at[4]];
	}
	return a * (m * m * m * m) + b * (m * m * m) + c * (m * m) + d * m + e;
}

/*
 * path_differs - whether one of the words has another value now: *at_ret is
 * where the first of them is
 */
static inline STACK_RAW int
path_differs(
    const struct path *t, const struct path_rest *rest, uint16_t *at_ret)
{
	unsigned i;

	for (i = 0; i < (unsigned)rest->nreturn + rest->nother; i++) {
		*at_ret = t->at[i];
		if (path_load(t, *at_ret) != rest->word[i])
			return 1;
	}
	return 0;
}

/* path_copy - give what it has, at most @max, which is not 0; the number */
static inline int
path_copy(
    const struct path *t, const struct path_rest *rest, uint64_t *pcs, int max)
{
	const int n = rest->npc < max ? rest->npc : max;
	const int first = rest->npc - rest->nreturn;

	*pcs = t->pc;
	memcpy(pcs + first, rest->word, (size_t)(n - first) * sizeof(*pcs));
	return n;
}

/*
 * memo_search - the path of a walk that starts @at; or NULL, and then
 * *slot_ret is where in the index it shall be
 */
static inline STACK_RAW struct path *
memo_search(
    struct memo *memo, const struct stack_frame *at, uint16_t **slot_ret)
{
	uint64_t key = at->pc ^ at->sp << 16;
	int i;

	for (i = 0; i < MEMO_PROBES; i++) {
		struct path *t;
		uint16_t word;

		key = rule_hash(key);
		*slot_ret = &memo->index[key >> (64 - MEMO_BITS)];
		t = &memo->path[**slot_ret];
		if (!path_starts(t, at))
			break;
		if (!path_differs(t, &memo->rest[**slot_ret], &word))
			return t;
		key ^= word ^ path_load(t, word) << 16;
	}
	return NULL;
}

/*
 * guess_slot - where the guess at a walk that starts @at stands: in a row by the
 * paths before it, in the row by where it starts
 */
static inline uint16_t *
guess_slot(struct memo *memo, const struct stack_frame *at)
{
	const uint64_t start = rule_hash(at->sp ^ at->pc << 20);

	return &memo->guess[memo->row ^ start >> (64 - GUESS_BITS)];
}

/* memo_take - path @i is taken now */
static inline void
memo_take(struct memo *memo, uint64_t i)
{
	uint64_t hash;

	memo->history = memo->history << HISTORY_SHIFT | i;
	hash = rule_hash(memo->history);
	hash = (hash ^ hash >> 32) * PATH_MIX;
	/* in another order in each row */
	memo->row = (uint32_t)(hash >> (64 - ROW_BITS - GUESS_BITS));
	__builtin_prefetch(&memo->guess[memo->row]);
}

/* memo_learn - the same for one that was not guessed */
static inline void
memo_learn(struct memo *memo, const struct stack_frame *at, uint64_t i)
{
	*guess_slot(memo, at) = (uint16_t)i;
	memo_take(memo, i);
}

/*
 * memo_guess - the number of the trace of a walk that starts @at, by what came
 * before; 0 when the guess is wrong
 */
static inline uint32_t
memo_guess(struct memo *memo, const struct stack_frame *at)
{
	const uint64_t i = *guess_slot(memo, at);
	const struct path *t = &memo->path[i];

	__asm__("" : "+r"(t)); /* keep it, do not work it out again */
	if (__builtin_expect(
		!path_starts(t, at) || t->number == 0 || path_sum(t) != t->sum,
		0))
		return 0;
	memo_take(memo, i);
	return t->number;
}

/* memo_find - its path, by the index; NULL as memo_search() */
static inline struct path *
memo_find(struct memo *memo, const struct stack_frame *at, uint16_t **slot_ret)
{
	struct path *t = memo_search(memo, at, slot_ret);

	if (t != NULL)
		memo_learn(memo, at, (uint64_t)(t - memo->path));
	return t;
}

/* ------------------------------------------------------------- recording */

/* A walk that is written down as it goes. */
struct recorder {
	struct path *path; /* NULL: no more */
	struct path_rest *rest;
	uint64_t pc;    /* where it started */
	uint64_t pc_at; /* the last pc was read there; 0: not, or noted */
	uint64_t bp_at; /* bp was read there; 0: it is that of the start */
	int bp_is_held; /* it is compared already */
};

/* recorder_start - in place of the oldest path, to be found by @slot */
static inline struct path *
recorder_start(struct recorder *r, struct memo *memo, uint16_t *slot,
    const struct stack_frame *at)
{
	const uint32_t i = memo->next++ % MEMO_PATHS;
	struct path *t = &memo->path[i];
	struct path_rest *rest = &memo->rest[i];

	t->pc = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->sp = at->sp;
	t->bp = at->bp;
	t->epoch = __atomic_load_n(&rule_epoch, __ATOMIC_RELAXED);
	t->number = 0;
	t->by_bp = rest->is_whole = 0;
	rest->npc = rest->nreturn = rest->nother = 0;
	*slot = (uint16_t)i;
	memo_learn(memo, at, i);
	*r = (struct recorder){.path = t, .rest = rest, .pc = at->pc};
	return t;
}

/* recorder_reaches - can the words of a frame that ends at @top be told? */
static inline int
recorder_reaches(const struct recorder *r, uint64_t top)
{
	const uint64_t sp = r->path->sp;

	return top - sp <= PATH_REACH && (top - sp) % 8 == 0;
}

static inline uint16_t
recorder_at(const struct recorder *r, uint64_t addr)
{
	return (uint16_t)((addr - r->path->sp) / 8);
}

static inline void
recorder_other(struct recorder *r, uint64_t addr, uint64_t value)
{
	/* behind the room for returns, until recorder_stop() */
	const unsigned i = PATH_RETURNS + r->rest->nother++;

	r->path->at[i] = recorder_at(r, addr);
	r->rest->word[i] = value;
}

/* recorder_hold_bp - from here on the walk depends on bp */
static inline void
recorder_hold_bp(struct recorder *r, uint64_t bp)
{
	if (r->bp_is_held)
		return;
	r->bp_is_held = 1;
	if (r->bp_at == 0)
		r->path->by_bp = 1;
	else
		recorder_other(r, r->bp_at, bp);
}

/*
 * recorder_step - to a frame whose pc was read below @top and whose bp was
 * read @m below it, if m is not 0; @by_bp: and which was reached by bp
 */
static inline void
recorder_step(
    struct recorder *r, int by_bp, uint64_t bp, uint64_t top, uint64_t m)
{
	if (r->path == NULL)
		return;
	if (by_bp)
		recorder_hold_bp(r, bp);
	r->pc_at = top - 8;
	if (m != 0) {
		r->bp_at = top - m;
		r->bp_is_held = 0;
	}
}

/*
 * recorder_stop - the path is whole, or goes on at @end, for which there is
 * room for a word yet
 */
static inline void
recorder_stop(struct recorder *r, int whole, const struct stack_frame *end)
{
	struct path *t = r->path;
	struct path_rest *rest = r->rest;
	unsigned n;

	if (t == NULL)
		return;
	if (r->pc_at != 0) /* it was no pc, which ended the walk */
		recorder_other(r, r->pc_at, end->pc);
	if (!whole)
		recorder_hold_bp(r, end->bp);
	n = rest->nreturn;
	memmove(
	    &t->at[n], &t->at[PATH_RETURNS], rest->nother * sizeof(t->at[0]));
	memmove(&rest->word[n], &rest->word[PATH_RETURNS],
	    rest->nother * sizeof(rest->word[0]));
	for (n += rest->nother; n % PATH_STRIDE != 0; n++)
		t->at[n] = t->at[0];
	t->nat = (uint8_t)n;
	rest->is_whole = whole != 0;
	rest->end = *end;
	t->sum = path_sum(t);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->pc = r->pc;
	r->path = NULL;
}

/*
 * recorder_pc - a frame was reached, @last: as many as were wanted.  Stops then,
 * and when the path is full.
 */
static inline void
recorder_pc(
    struct recorder *r, int is_shown, int last, const struct stack_frame *at)
{
	struct path_rest *rest = r->rest;

	if (r->path == NULL)
		return;
	rest->npc += is_shown != 0;
	if (r->pc_at != 0 && is_shown) {
		r->path->at[rest->nreturn] = recorder_at(r, r->pc_at);
		rest->word[rest->nreturn++] = at->pc;
	} else if (r->pc_at != 0) {
		recorder_other(r, r->pc_at, at->pc);
	}
	r->pc_at = 0;
	/* a step adds two others, and a stop one */
	if (last || rest->nother + 3u > PATH_OTHERS || rest->npc == PATH_FRAMES)
		recorder_stop(r, last, at);
}

#endif /* UMEM_STACK_MEMO_H */
