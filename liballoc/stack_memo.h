/* SPDX-License-Identifier: MIT */
/*
 * stack_memo.h - the traces that a thread took last
 *
 * Where a walk stands is (pc, sp, bp), and where it goes from there follows
 * from the rules and from the words that they say to read.  So a walk that
 * starts where an earlier one did, and finds in all the words that the earlier
 * one read what it found, is the same walk: its trace is copied.  To compare is
 * cheap: the addresses of the words are known beforehand, so no load waits for
 * another.
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

#define TRACE_WORDS 32u
#define TRACE_FRAMES 15u
#define MEMO_TRACES 512u
#define MEMO_BITS 10 /* of the index */
#define MEMO_PROBES 8
#define GUESS_BITS 12
#define HISTORY_SHIFT 5 /* so that some three traces count */

struct trace_word {
	uint64_t at;
	uint64_t value;
};

/* A trace, or its first frames: then it goes on at end. */
struct trace {
	uint64_t pc; /* where the walk started; 0: there is none */
	uint64_t sp;
	uint64_t bp;
	uint64_t bp_mask; /* all ones: a frame was reached by the start's bp */
	uint32_t epoch;   /* of the rules that it follows from */
	uint8_t is_whole; /* the walk ended here */
	uint8_t nword;    /* even */
	uint8_t npc;
	struct trace_word word[TRACE_WORDS];
	uint64_t pcs[TRACE_FRAMES]; /* as stack_capture() gives them */
	struct stack_frame end;
};

/* Zeroed memory is an empty one. */
struct memo {
	uint64_t busy_sp; /* of the walk in progress, 0 none */
	uint64_t history; /* the traces that were taken last, folded */
	uint32_t next;    /* trace to be replaced */
	uint16_t guess[1u << GUESS_BITS];
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
	       ((t->bp ^ at->bp) & t->bp_mask) == 0 &&
	       t->epoch == __atomic_load_n(&rule_epoch, __ATOMIC_RELAXED);
}

/* trace_holds - have all the words that led along it kept their values? */
static inline STACK_RAW int
trace_holds(const struct trace *t)
{
	const struct trace_word *w = t->word, *end = w + t->nword;
	uint64_t bad = 0;

	for (; w < end; w += 2)
		bad |= (stack_load(w[0].at) ^ w[0].value) |
		       (stack_load(w[1].at) ^ w[1].value);
	return bad == 0;
}

/* trace_differs - the first of them that has not, or NULL */
static inline STACK_RAW const struct trace_word *
trace_differs(const struct trace *t)
{
	const struct trace_word *w = t->word, *end = w + t->nword;

	for (; w < end; w++)
		if (stack_load(w->at) != w->value)
			return w;
	return NULL;
}

/* trace_copy - give what it has, at most @max; the number */
static inline int
trace_copy(const struct trace *t, uint64_t *pcs, int max)
{
	const int n = t->npc < max ? t->npc : max;
	const uint64_t *from = t->pcs, *end = from + (n & ~1);

	/* by twos: half the turns */
	for (; from < end; from += 2, pcs += 2)
		memcpy(pcs, from, 2 * sizeof(*pcs));
	if (n & 1)
		*pcs = *from;
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
		const struct trace_word *w;
		struct trace *t;

		key = rule_hash(key);
		*slot_ret = &memo->index[key >> (64 - MEMO_BITS)];
		t = &memo->trace[**slot_ret];
		if (!trace_starts(t, at))
			break;
		w = trace_differs(t);
		if (w == NULL)
			return t;
		key ^= w->at ^ stack_load(w->at) << 16;
	}
	return NULL;
}

/*
 * guess_slot - where the guess at a walk that starts @at stands: by where its
 * stack pointer is and by the traces before it
 */
static inline uint16_t *
guess_slot(struct memo *memo, const struct stack_frame *at)
{
	uint64_t hash = rule_hash(at->sp ^ memo->history);

	return &memo->guess[hash >> (64 - GUESS_BITS)];
}

/* memo_take - trace @i is taken now */
static inline void
memo_take(struct memo *memo, uint64_t i)
{
	memo->history = memo->history << HISTORY_SHIFT ^ i << 48;
}

/* memo_learn - the same for one that was not guessed */
static inline void
memo_learn(struct memo *memo, const struct stack_frame *at, uint64_t i)
{
	*guess_slot(memo, at) = (uint16_t)i;
	memo_take(memo, i);
}

/* memo_guess - the trace of a walk that starts @at by what came before */
static inline const struct trace *
memo_guess(struct memo *memo, const struct stack_frame *at)
{
	const uint64_t i = *guess_slot(memo, at);
	const struct trace *t = &memo->trace[i];

	if (__builtin_expect(!trace_starts(t, at) || !trace_holds(t), 0))
		return NULL;
	memo_take(memo, i);
	return t;
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
	t->bp_mask = 0;
	t->is_whole = 0;
	t->nword = t->npc = 0;
	*slot = (uint16_t)i;
	memo_learn(memo, at, i);
	r->trace = t;
	r->pc = at->pc;
	r->bp_at = 0;
	r->bp_is_held = 0;
}

static inline void
recorder_word(struct recorder *r, uint64_t at, uint64_t value)
{
	r->trace->word[r->trace->nword++] = (struct trace_word){at, value};
}

/* recorder_hold_bp - from here on the walk depends on bp */
static inline void
recorder_hold_bp(struct recorder *r, uint64_t bp)
{
	if (r->bp_is_held)
		return;
	r->bp_is_held = 1;
	if (r->bp_at == 0)
		r->trace->bp_mask = ~(uint64_t)0;
	else
		recorder_word(r, r->bp_at, bp);
}

/*
 * recorder_step - to a frame whose pc was read below @top and whose bp was
 * read @m below it, if m is not 0; @by_bp: and which was reached by bp
 */
static inline void
recorder_step(struct recorder *r, int by_bp, uint64_t bp, uint64_t top,
    uint64_t m, uint64_t pc)
{
	if (r->trace == NULL)
		return;
	if (by_bp)
		recorder_hold_bp(r, bp);
	recorder_word(r, top - 8, pc);
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

	if (t == NULL)
		return;
	if (!whole)
		recorder_hold_bp(r, end->bp);
	/* an even number: the last one twice */
	if (t->nword % 2 != 0) {
		t->word[t->nword] = t->word[t->nword - 1];
		t->nword++;
	}
	t->is_whole = (uint8_t)whole;
	t->end = *end;
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
	if (is_shown)
		t->pcs[t->npc++] = at->pc;
	/* a step adds two words, and a stop one */
	if (t->nword + 3u > TRACE_WORDS || t->npc == TRACE_FRAMES)
		recorder_stop(r, 0, at);
}

#endif /* UMEM_STACK_MEMO_H */
