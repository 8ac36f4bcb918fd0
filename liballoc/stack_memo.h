/* SPDX-License-Identifier: MIT */
/*
 * stack_memo.h - the traces that a thread took last
 *
 * Where a walk stands is (pc, sp, bp), and where it goes from there follows
 * from the rules and from the words that they say to read.  So a walk that
 * starts where an earlier one did, and finds in all the words that the earlier
 * one read what it found, is the same walk.  To compare is cheap: the addresses
 * of the words are known beforehand, so no load waits for another; and most of
 * the words are the return addresses that are wanted.
 *
 * A program allocates from a few hundred places, of which each thread keeps
 * the last ones.  They are found as in a trie: where the walk starts leads to a
 * trace that started there.  If that one differs, then the first word in which
 * it does, and what this word holds now, lead to the next.  Before that, the
 * trace is tried that was taken when the stack was last this deep after the
 * same few traces: programs repeat themselves, and a guess that is mostly right
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

#define TRACE_RETURNS 16u
#define TRACE_OTHERS 20u
#define TRACE_FRAMES 15u
#define TRACE_SIZE 512u
#define TRACE_FACTOR 0x9fb21c651e98df25u /* odd, otherwise random; another */
#define TRACE_MIX 0xd6e8feb86659fd93u
#define TRACE_REACH ((uint64_t)UINT16_MAX * 8) /* of a word's address */
#define MEMO_TRACES 512u
#define MEMO_BITS 10 /* of the index */
#define MEMO_PROBES 8
#define ROW_BITS 7       /* of guesses */
#define GUESS_BITS 5     /* in a row, which is a line of the cache */
#define HISTORY_SHIFT 21 /* so that three traces count */

/*
 * A trace, or its first frames: then it goes on at end.  A usual one is compared
 * by the first line of the cache alone.  The words that it follows from are
 * first the returns, which are shown (as stack_capture() does), then others;
 * their addresses are told as the number of words above sp.
 */
struct trace {
	uint64_t pc; /* where the walk started; 0: there is none */
	uint64_t sp;
	uint64_t sum;         /* of all words, see trace_read() */
	uint32_t epoch;       /* of the rules that it follows from */
	uint8_t is_whole : 1; /* the walk ended here */
	uint8_t by_bp : 1;    /* a frame was reached by the start's bp */
	uint8_t npc;          /* of the start, if it is shown, and returns */
	uint8_t nreturn;
	uint8_t nother;
	uint16_t at[TRACE_RETURNS + TRACE_OTHERS];
	uint64_t bp;
	uint64_t word[TRACE_RETURNS + TRACE_OTHERS];
	struct stack_frame end;
} __attribute__((aligned(TRACE_SIZE)));

/* Zeroed memory is an empty one. */
struct memo {
	uint64_t busy_sp; /* of the walk in progress, 0 none */
	uint64_t history; /* the traces that were taken last */
	uint32_t next;    /* trace to be replaced */
	uint32_t row;     /* the row of guess[] that follows from them */
	uint16_t guess[1u << (ROW_BITS + GUESS_BITS)]
	    __attribute__((aligned(64)));
	uint16_t index[1u << MEMO_BITS]; /* of trace[] */
	struct trace trace[MEMO_TRACES];
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

/* trace_starts - whether a walk that starts @at could take it */
static inline int
trace_starts(const struct trace *t, const struct stack_frame *at)
{
	return t->sp == at->sp && t->pc == at->pc &&
	       (!t->by_bp || t->bp == at->bp) &&
	       t->epoch == __atomic_load_n(&rule_epoch, __ATOMIC_RELAXED);
}

/* trace_suffices - whether it is all of @max frames that there is */
static inline int
trace_suffices(const struct trace *t, int max)
{
	return t->npc == max || (t->is_whole && t->npc < max);
}

/* trace_load - the word @at words above where the trace starts */
static inline STACK_RAW uint64_t
trace_load(const struct trace *t, uint16_t at)
{
	return stack_load(t->sp + (uint64_t)at * 8);
}

/* trace_start - write the first pc; returns where the next one goes */
static inline uint64_t *
trace_start(const struct trace *t, uint64_t *pcs)
{
	*pcs = t->pc;
	return pcs + (t->npc - t->nreturn);
}

/*
 * trace_read - write what it has, as the words are now; returns their sum.
 * Two polynomials in a number without structure, of 64 bits: other words have
 * the same sum by a chance of 2^-64, and even then the words that were written
 * are those that lie on the stack.  To compare one sum with another takes a
 * third of the memory of comparing each word.
 */
static inline STACK_RAW uint64_t
trace_read(const struct trace *t, uint64_t *restrict pcs)
{
	const unsigned n = t->nreturn;
	const uint64_t *sp = (const uint64_t *)t->sp;
	uint64_t v, w, even = 0, odd = 0;
	unsigned i;

	/* what is there now, not what the compiler may know of it */
	__asm__ volatile("" : "+r"(sp) : : "memory");
	pcs = trace_start(t, pcs);
	for (i = 0; i + 1 < n; i += 2) {
		v = sp[t->at[i]];
		w = sp[t->at[i + 1]];
		pcs[i] = v;
		pcs[i + 1] = w;
		even = even * TRACE_FACTOR + v;
		odd = odd * TRACE_FACTOR + w;
	}
	if (i < n) {
		pcs[i] = v = sp[t->at[i]];
		even = even * TRACE_FACTOR + v;
	}
	for (i = n; i < n + t->nother; i++)
		odd = odd * TRACE_FACTOR + sp[t->at[i]];
	return even * TRACE_MIX + odd;
}

/*
 * trace_take - give all that it has; returns 0 if one of the words that led
 * along it has another value now, and then what was written is worth nothing
 */
static inline int
trace_take(const struct trace *t, uint64_t *restrict pcs)
{
	return trace_read(t, pcs) == t->sum;
}

/*
 * trace_differs - whether one of the words has another value now: *at_ret is
 * where the first of them is
 */
static inline STACK_RAW int
trace_differs(const struct trace *t, uint16_t *at_ret)
{
	unsigned i;

	for (i = 0; i < (unsigned)t->nreturn + t->nother; i++) {
		*at_ret = t->at[i];
		if (trace_load(t, *at_ret) != t->word[i])
			return 1;
	}
	return 0;
}

/* trace_copy - give what it has, at most @max, which is not 0; the number */
static inline int
trace_copy(const struct trace *t, uint64_t *pcs, int max)
{
	const int n = t->npc < max ? t->npc : max;
	uint64_t *to = trace_start(t, pcs);

	memcpy(to, t->word, (size_t)(pcs + n - to) * sizeof(*to));
	return n;
}

/*
 * memo_search - the trace of a walk that starts @at; or NULL, and then
 * *slot_ret is where in the index it shall be
 */
static inline STACK_RAW struct trace *
memo_search(
    struct memo *memo, const struct stack_frame *at, uint16_t **slot_ret)
{
	uint64_t key = at->pc ^ at->sp << 16;
	int i;

	for (i = 0; i < MEMO_PROBES; i++) {
		struct trace *t;
		uint16_t word;

		key = rule_hash(key);
		*slot_ret = &memo->index[key >> (64 - MEMO_BITS)];
		t = &memo->trace[**slot_ret];
		if (!trace_starts(t, at))
			break;
		if (!trace_differs(t, &word))
			return t;
		key ^= word ^ trace_load(t, word) << 16;
	}
	return NULL;
}

/*
 * guess_slot - where the guess at a walk that starts @at stands: in a row by the
 * traces before it, in the row by where it starts
 */
static inline uint16_t *
guess_slot(struct memo *memo, const struct stack_frame *at)
{
	const uint64_t start = rule_hash(at->sp ^ at->pc << 20);

	return &memo->guess[memo->row ^ start >> (64 - GUESS_BITS)];
}

/* memo_take - trace @i is taken now */
static inline void
memo_take(struct memo *memo, uint64_t i)
{
	uint64_t hash;

	memo->history = memo->history << HISTORY_SHIFT | i;
	hash = rule_hash(memo->history);
	hash = (hash ^ hash >> 32) * TRACE_MIX;
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
 * memo_guess - give the trace of a walk that starts @at by what came before,
 * all frames that are wanted; the number, or -1 when the guess is wrong
 */
static inline int
memo_guess(
    struct memo *memo, const struct stack_frame *at, uint64_t *pcs, int max)
{
	const uint64_t i = *guess_slot(memo, at);
	const struct trace *t = &memo->trace[i];

	__asm__("" : "+r"(t)); /* keep it, do not work it out again */
	if (__builtin_expect(!trace_starts(t, at) || !trace_suffices(t, max) ||
				 !trace_take(t, pcs),
		0))
		return -1;
	memo_take(memo, i);
	return t->npc;
}

/* memo_find - the same by the index; NULL as memo_search() */
static inline const struct trace *
memo_find(struct memo *memo, const struct stack_frame *at, uint16_t **slot_ret)
{
	struct trace *t = memo_search(memo, at, slot_ret);

	if (t != NULL)
		memo_learn(memo, at, (uint64_t)(t - memo->trace));
	return t;
}

/* ------------------------------------------------------------- recording */

/* A walk that is written down as it goes. */
struct recorder {
	struct trace *trace; /* NULL: no more */
	uint64_t pc;         /* where it started */
	uint64_t pc_at;      /* the last pc was read there; 0: not, or noted */
	uint64_t bp_at;      /* bp was read there; 0: it is that of the start */
	int bp_is_held;      /* it is compared already */
};

/* recorder_start - in place of the oldest trace, to be found by @slot */
static inline void
recorder_start(struct recorder *r, struct memo *memo, uint16_t *slot,
    const struct stack_frame *at)
{
	const uint32_t i = memo->next++ % MEMO_TRACES;
	struct trace *t = &memo->trace[i];

	t->pc = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->sp = at->sp;
	t->bp = at->bp;
	t->epoch = __atomic_load_n(&rule_epoch, __ATOMIC_RELAXED);
	t->by_bp = 0;
	t->is_whole = 0;
	t->npc = t->nreturn = t->nother = 0;
	*slot = (uint16_t)i;
	memo_learn(memo, at, i);
	*r = (struct recorder){.trace = t, .pc = at->pc};
}

/* recorder_reaches - can the words of a frame that ends at @top be told? */
static inline int
recorder_reaches(const struct recorder *r, uint64_t top)
{
	const uint64_t sp = r->trace->sp;

	return top - sp <= TRACE_REACH && (top - sp) % 8 == 0;
}

static inline uint16_t
recorder_at(const struct recorder *r, uint64_t addr)
{
	return (uint16_t)((addr - r->trace->sp) / 8);
}

static inline void
recorder_other(struct recorder *r, uint64_t addr, uint64_t value)
{
	struct trace *t = r->trace;

	/* behind the room for returns, until recorder_stop() */
	t->at[TRACE_RETURNS + t->nother] = recorder_at(r, addr);
	t->word[TRACE_RETURNS + t->nother++] = value;
}

/* recorder_hold_bp - from here on the walk depends on bp */
static inline void
recorder_hold_bp(struct recorder *r, uint64_t bp)
{
	if (r->bp_is_held)
		return;
	r->bp_is_held = 1;
	if (r->bp_at == 0)
		r->trace->by_bp = 1;
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
	if (r->trace == NULL)
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
 * recorder_stop - the trace is whole, or goes on at @end, for which there is
 * room for a word yet
 */
static inline void
recorder_stop(struct recorder *r, int whole, const struct stack_frame *end)
{
	struct trace *t = r->trace;
	uint64_t pcs[1 + TRACE_RETURNS];

	if (t == NULL)
		return;
	if (r->pc_at != 0) /* it was no pc, which ended the walk */
		recorder_other(r, r->pc_at, end->pc);
	if (!whole)
		recorder_hold_bp(r, end->bp);
	memmove(&t->at[t->nreturn], &t->at[TRACE_RETURNS],
	    t->nother * sizeof(t->at[0]));
	memmove(&t->word[t->nreturn], &t->word[TRACE_RETURNS],
	    t->nother * sizeof(t->word[0]));
	t->is_whole = whole != 0;
	t->end = *end;
	t->sum = trace_read(t, pcs);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	t->pc = r->pc;
	r->trace = NULL;
}

/* recorder_pc - a frame was reached; stops when the trace is full */
static inline void
recorder_pc(struct recorder *r, int is_shown, const struct stack_frame *at)
{
	struct trace *t = r->trace;

	if (t == NULL)
		return;
	t->npc += is_shown != 0;
	if (r->pc_at != 0 && is_shown) {
		t->at[t->nreturn] = recorder_at(r, r->pc_at);
		t->word[t->nreturn++] = at->pc;
	} else if (r->pc_at != 0) {
		recorder_other(r, r->pc_at, at->pc);
	}
	r->pc_at = 0;
	/* a step adds two others, and a stop one */
	if (t->nother + 3u > TRACE_OTHERS || t->npc == TRACE_FRAMES)
		recorder_stop(r, 0, at);
}

#endif /* UMEM_STACK_MEMO_H */
