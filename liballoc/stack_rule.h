/* SPDX-License-Identifier: MIT */
/*
 * stack_rule.h - how to get from a frame to its caller, remembered by address
 *
 * Interpreting a function's unwind tables for each frame of each capture is
 * slow, and nearly always the answer for one address is the same few words:
 * the caller's frame begins k bytes above the stack pointer (or the frame
 * pointer), its return address lies right below that, and the frame pointer
 * was saved m bytes below it or not at all.  Such an answer is a rule: one
 * 64-bit word, kept in one table for all threads.
 *
 *	bits 0-3	kind
 *	bits 4-11	m / 8; 0: the frame pointer is unchanged
 *	bits 12-35	k, signed
 *	bits 36-63	tag: of the address and the epoch
 *
 * The table has no lock.  An entry is two words that a reader may catch in
 * the middle of a change; the tag tells a rule that belongs to its address
 * from one that does not.  Raising the epoch makes all tags wrong, and so
 * empties the table, when a library has left and others may take its place.
 *
 * Layer: above meta.h.
 */
#ifndef UMEM_STACK_RULE_H
#define UMEM_STACK_RULE_H

#include <stdint.h>

#include "stack_frame.h"

/* Reads of other functions' frames, which sanitizers take for faults. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_RAW __attribute__((no_sanitize("address", "thread")))
#elif defined(__has_feature)
#define STACK_RAW __attribute__((no_sanitize("address", "thread")))
#else
#define STACK_RAW
#endif

enum rule_kind {
	RULE_NONE,   /* not known: learn it */
	RULE_SP,     /* caller's frame at sp + k */
	RULE_BP,     /* at bp + k */
	RULE_LOAD,   /* at *(bp + k), bp saved at *bp: a realigned stack */
	RULE_SIGNAL, /* a signal's frame: registers in a ucontext at sp */
	RULE_END,    /* outermost frame */
	RULE_OTHER,  /* none of these: ask libunwind each time */
};

#define RULE_K_MAX ((1 << 23) - 1)
#define RULE_M_MAX (255 * 8)
#define RULE_TABLE_BITS 16
#define RULE_PROBES 4
#define RULE_TAG_SHIFT 36
#define RULE_TAG_BITS (64 - RULE_TAG_SHIFT)

struct rule_slot {
	uint64_t key;
	uint64_t rule;
};

extern struct rule_slot *rule_table;
extern uint32_t rule_epoch;

/* rule_init - make the table; 0, or -1 when there is no memory */
int rule_init(void);

/* rule_flush - forget all rules */
void rule_flush(void);

/*
 * rule_put - remember @rule (without a tag) for @key; callers exclude each
 * other.  @epoch: rule_epoch from before the rule was worked out.
 */
void rule_put(uint64_t key, uint64_t rule, uint32_t epoch);

static inline uint64_t
rule_make(enum rule_kind kind, int64_t k, uint64_t m)
{
	return (uint64_t)kind | m / 8 << 4 |
	       ((uint64_t)k & ((1u << 24) - 1)) << 12;
}

static inline enum rule_kind
rule_kind(uint64_t rule)
{
	return (enum rule_kind)(rule & 15);
}

static inline int64_t
rule_k(uint64_t rule)
{
	return (int64_t)(rule << RULE_TAG_BITS) >> 40;
}

static inline uint64_t
rule_m(uint64_t rule)
{
	return (rule >> 4 & 255) * 8;
}

static inline uint64_t
rule_hash(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15u;
}

static inline uint64_t
rule_tag(uint64_t hash, uint32_t epoch)
{
	return ((hash >> 16) + epoch) << RULE_TAG_SHIFT;
}

/* rule_get - the rule for an address, RULE_NONE (0) if it is not known */
static inline uint64_t
rule_get(uint64_t key)
{
	const uint64_t hash = rule_hash(key);
	const uint64_t tag =
	    rule_tag(hash, __atomic_load_n(&rule_epoch, __ATOMIC_RELAXED));
	uint64_t i = hash >> (64 - RULE_TABLE_BITS);
	int n;

	for (n = 0; n < RULE_PROBES; n++) {
		struct rule_slot *slot = &rule_table[i];
		const uint64_t rule =
		    __atomic_load_n(&slot->rule, __ATOMIC_RELAXED);

		if (__atomic_load_n(&slot->key, __ATOMIC_RELAXED) == key &&
		    (rule ^ tag) >> RULE_TAG_SHIFT == 0)
			return rule;
		i = (i + 1) & ((1u << RULE_TABLE_BITS) - 1);
	}
	return RULE_NONE;
}

#endif /* UMEM_STACK_RULE_H */
