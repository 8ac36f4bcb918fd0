/* SPDX-License-Identifier: MIT */
/*
 * snap_trace.c - the stacks that records and segments name by a number
 *
 * Many records name one trace, so what was read of their memory is kept while
 * the snapshot lives: a block at a time, as far as there are traces.  Of a
 * block that cannot be read as a whole each trace is read by itself.
 *
 * Layer: part of snap.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "snap_impl.h"

#define BLOCK (16u << 10)
_Static_assert(UMEM_TRACE_BYTES / BLOCK <= 64, "a bit for each block");

/* Bytes of a piece that traces take. */
static uint32_t
piece_used(const struct snap *snap, uint32_t piece)
{
	const uint64_t before = (uint64_t)piece * UMEM_TRACE_BYTES;
	const uint64_t used =
	    snap->root.root_trace_end * sizeof(uint64_t) - before;

	return used < UMEM_TRACE_BYTES ? (uint32_t)used : UMEM_TRACE_BYTES;
}

static int
piece_open(struct snap *snap, uint32_t piece, struct snap_piece **ret)
{
	struct snap_piece *p = &snap->index->piece[piece];
	const taddr_t at = snap->root.root_traces + piece * sizeof(taddr_t);
	int rc;

	*ret = p;
	if (p->bytes != NULL)
		return UMDB_OK;
	rc = target_read(
	    snap->tgt, at, &p->addr, sizeof(p->addr), "pieces of traces");
	if (rc != UMDB_OK)
		return rc;
	if (p->addr == 0)
		return target_fail(snap->tgt, UMDB_ECORRUPT, at,
		    "piece %" PRIu32 " of the memory of traces is missing",
		    piece);
	p->bytes = malloc(piece_used(snap, piece));
	if (p->bytes == NULL)
		return target_fail(
		    snap->tgt, UMDB_ENOMEM, at, "no memory for traces");
	return UMDB_OK;
}

/* Have these bytes of a piece; @used: how many there are. */
static int
piece_read(struct snap *snap, struct snap_piece *p, uint32_t used, uint32_t at,
    uint32_t len)
{
	uint32_t i, n;

	for (i = at / BLOCK; i * BLOCK < at + len; i++) {
		if (p->have & 1ull << i)
			continue;
		n = used - i * BLOCK < BLOCK ? used - i * BLOCK : BLOCK;
		if (p->broken & 1ull << i ||
		    target_read(snap->tgt, p->addr + i * BLOCK,
			p->bytes + i * BLOCK, n, "traces") != UMDB_OK) {
			p->broken |= 1ull << i;
			return target_read(snap->tgt, p->addr + at,
			    p->bytes + at, len, "trace");
		}
		p->have |= 1ull << i;
	}
	return UMDB_OK;
}

int
snap_trace(struct snap *snap, uint32_t number, const uint64_t **stack_ret,
    uint32_t *depth_ret)
{
	static const uint64_t none[1];
	const uint32_t at = UMEM_TRACE_OFFSET(number);
	struct snap_piece *p;
	umem_trace_t tr;
	uint32_t used, len;
	int rc;

	*stack_ret = none;
	*depth_ret = 0;
	if (number == 0)
		return UMDB_OK;
	if (number >= snap->root.root_trace_end)
		return target_fail(snap->tgt, UMDB_ECORRUPT,
		    snap->root.root_traces,
		    "there is no trace %" PRIu32 ", they end at %" PRIu64,
		    number, snap->root.root_trace_end);
	rc = piece_open(snap, UMEM_TRACE_PIECE(number), &p);
	if (rc != UMDB_OK)
		return rc;
	used = piece_used(snap, UMEM_TRACE_PIECE(number));
	rc = piece_read(snap, p, used, at, sizeof(tr));
	if (rc != UMDB_OK)
		return rc;
	memcpy(&tr, p->bytes + at, sizeof(tr));
	len = UMEM_TRACE_WORDS(tr.tr_depth) * sizeof(uint64_t);
	if (tr.tr_depth > UMEM_MAX_DEPTH || len > used - at)
		return target_fail(snap->tgt, UMDB_ECORRUPT, p->addr + at,
		    "trace %" PRIu32 " at %#" PRIx64
		    " is damaged: a stack of %u frames",
		    number, p->addr + at, (unsigned)tr.tr_depth);
	rc = piece_read(snap, p, used, at, len);
	if (rc != UMDB_OK)
		return rc;
	*stack_ret = (const uint64_t *)(p->bytes + at + UMEM_TRACE_STACK);
	*depth_ret = tr.tr_depth;
	return UMDB_OK;
}

int
snap_trace_known(struct snap *snap, uint32_t *number,
    const uint64_t **stack_ret, uint32_t *depth_ret)
{
	const int rc = snap_trace(snap, *number, stack_ret, depth_ret);

	if (rc != UMDB_OK || *depth_ret == 0)
		*number = 0;
	return rc == UMDB_ENOMEM ? rc : UMDB_OK;
}

void
snap_free_traces(struct snap *snap)
{
	uint32_t i;

	for (i = 0; i < UMEM_TRACE_PIECES; i++)
		free(snap->index->piece[i].bytes);
}
