/* SPDX-License-Identifier: MIT */
/*
 * trace.c - the memory of traces; see trace.h
 *
 * A hash table of chains.  A new trace is written to the end of the memory and
 * then put at the head of its chain by one atomic exchange; if another came in
 * between, the chain is searched again up to where it was known.  So no trace is
 * ever on a chain twice, and none is ever half there.
 *
 * Layer: trace.h
 */
#include "trace.h"

#include <string.h>

#include "meta.h"
#include "msg.h"
#include "root.h"

#define HEAD_BITS 16

struct traces {
	char *piece[UMEM_TRACE_PIECES]; /* root_traces */
	uint32_t head[1u << HEAD_BITS];
};

static struct traces *traces;

void
trace_init(void)
{
	traces = meta_alloc(sizeof(*traces));
	if (traces == NULL)
		return;
	umem_root.root_trace_end = 1;
	umem_root.root_traces = traces->piece;
}

static umem_trace_t *
trace_at(uint32_t number)
{
	char *piece = __atomic_load_n(
	    &traces->piece[UMEM_TRACE_PIECE(number)], __ATOMIC_ACQUIRE);

	return (umem_trace_t *)(void *)(piece + UMEM_TRACE_OFFSET(number));
}

static uint64_t *
trace_stack(umem_trace_t *t)
{
	return (uint64_t *)(void *)((char *)t + UMEM_TRACE_STACK);
}

static uint64_t
trace_hash(const uint64_t *pcs, unsigned depth)
{
	uint64_t h = depth;

	for (unsigned i = 0; i < depth; i++) {
		h = (h ^ pcs[i]) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return h * 0xd6e8feb86659fd93u;
}

/* piece_ready - see to it that a piece is there; -1 when there is no memory */
static int
piece_ready(uint64_t i)
{
	char *none = NULL, *mem;

	if (i >= UMEM_TRACE_PIECES)
		return -1;
	if (__atomic_load_n(&traces->piece[i], __ATOMIC_ACQUIRE) != NULL)
		return 0;
	mem = meta_alloc(UMEM_TRACE_BYTES);
	if (mem == NULL)
		return -1;
	if (!__atomic_compare_exchange_n(&traces->piece[i], &none, mem, 0,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		meta_free(mem, UMEM_TRACE_BYTES);
	return 0;
}

/* trace_room - the number of a trace of @words words, to be written; or 0 */
static uint32_t
trace_room(uint64_t words)
{
	const uint64_t piece = UMEM_TRACE_BYTES / sizeof(uint64_t);
	uint64_t *const end = &umem_root.root_trace_end;
	uint64_t at = __atomic_load_n(end, __ATOMIC_RELAXED), number;

	do {
		number = at;
		if (number / piece != (number + words - 1) / piece)
			number = (number / piece + 1) * piece;
		if (piece_ready(number / piece) != 0)
			return 0;
	} while (!__atomic_compare_exchange_n(
	    end, &at, number + words, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (uint32_t)number;
}

static __attribute__((cold)) uint32_t
no_room(void)
{
	static int told;

	if (!__atomic_exchange_n(&told, 1, __ATOMIC_RELAXED))
		umem_log_message("umem: no memory for more traces: where a new "
				 "one was, records show no frames\n");
	return 0;
}

static uint32_t
trace_make(uint64_t hash, const uint64_t *pcs, unsigned depth)
{
	const uint32_t number = trace_room(UMEM_TRACE_WORDS(depth));
	umem_trace_t *t;

	if (number == 0)
		return no_room();
	t = trace_at(number);
	t->tr_depth = (uint16_t)depth;
	t->tr_hash = (uint16_t)hash;
	memcpy(trace_stack(t), pcs, depth * sizeof(*pcs));
	return number;
}

/* chain_find - the trace on the chain from @number to before @end; or 0 */
static uint32_t
chain_find(uint32_t number, uint32_t end, uint64_t hash, const uint64_t *pcs,
    unsigned depth)
{
	umem_trace_t *t;

	for (; number != end; number = t->tr_next) {
		t = trace_at(number);
		if (t->tr_hash == (uint16_t)hash && t->tr_depth == depth &&
		    memcmp(trace_stack(t), pcs, depth * sizeof(*pcs)) == 0)
			return number;
	}
	return 0;
}

uint32_t
trace_number(const uint64_t *pcs, unsigned depth)
{
	uint32_t *head, first, known = 0, number, mine = 0;
	uint64_t hash;

	if (depth == 0 || traces == NULL)
		return 0;
	hash = trace_hash(pcs, depth);
	head = &traces->head[hash >> (64 - HEAD_BITS)];
	first = __atomic_load_n(head, __ATOMIC_ACQUIRE);
	do {
		number = chain_find(first, known, hash, pcs, depth);
		if (number != 0)
			return number;
		if (mine == 0)
			mine = trace_make(hash, pcs, depth);
		if (mine == 0)
			return 0;
		trace_at(mine)->tr_next = known = first;
	} while (!__atomic_compare_exchange_n(
	    head, &first, mine, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return mine;
}

const uint64_t *
trace_get(uint32_t number, size_t *depth_ret)
{
	umem_trace_t *t;
	uint64_t room;

	*depth_ret = 0;
	if (number == 0 || number >= __atomic_load_n(&umem_root.root_trace_end,
					 __ATOMIC_RELAXED))
		return NULL;
	t = trace_at(number);
	room = (UMEM_TRACE_BYTES - UMEM_TRACE_OFFSET(number)) / 8;
	if (t->tr_depth > UMEM_MAX_DEPTH ||
	    UMEM_TRACE_WORDS(t->tr_depth) > room)
		return NULL;
	*depth_ret = t->tr_depth;
	return trace_stack(t);
}
