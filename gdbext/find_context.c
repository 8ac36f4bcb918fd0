/* SPDX-License-Identifier: MIT */
/*
 * find_context.c - where stacks of coroutines start
 *
 * A coroutine of makecontext(3) runs on memory of the program's own.  Its
 * ucontext_t says which, and is recognised wherever it lies: it points to its
 * own space for floating-point registers, and the SP that it saved last is on
 * the stack that it names.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"

#define WORD sizeof(uint64_t)
#define PIECE (1u << 20) /* bytes looked at together */
#define STACK_MIN 2048u

struct search {
	struct target *tgt;
	const taddr_t *sp;
	taddr_t *lo;
	size_t n;
};

static void
take_context(struct search *s, const uint64_t *w)
{
	const taddr_t lo = w[UC_STACK_SP], size = w[UC_STACK_SIZE];
	size_t i;

	if (size < STACK_MIN || size > UINT64_MAX - lo || w[UC_RSP] - lo > size)
		return;
	for (i = 0; i < s->n; i++)
		if (s->sp[i] - lo < size && lo > s->lo[i])
			s->lo[i] = lo;
}

static void
search_piece(struct search *s, taddr_t at, const uint8_t *p, uint64_t len)
{
	uint64_t word[UC_WORDS], off;

	for (off = 0; len - off >= sizeof(word); off += WORD) {
		if (find_mem_u64(p + off + UC_FPSTATE * WORD) !=
		    at + off + UC_FPREGS * WORD)
			continue;
		memcpy(word, p + off, sizeof(word));
		take_context(s, word);
	}
}

static int
search_region(struct search *s, const struct target_region *r, uint8_t *buf)
{
	const uint64_t overlap = UC_WORDS * WORD;
	const uint8_t *p;
	uint64_t len;
	taddr_t at;
	size_t avail;

	for (at = r->start; r->end - at >= overlap;
	     at += len - overlap + WORD) {
		len = r->end - at < PIECE ? r->end - at : PIECE;
		if (target_poll_bytes(s->tgt, "looking for coroutines",
			at - r->start, r->end - r->start))
			return UMDB_EINTR;
		p = target_map(s->tgt, at, &avail);
		if (p != NULL && avail >= len)
			search_piece(s, at, p, len);
		else if (target_read(s->tgt, at, buf, len, "memory") == UMDB_OK)
			search_piece(s, at, buf, len);
	}
	return UMDB_OK;
}

int
find_context_stacks(
    struct target *tgt, const taddr_t *sp, taddr_t *lo, size_t n)
{
	struct search s = {tgt, sp, lo, n};
	uint8_t *buf;
	size_t i;
	int rc = UMDB_OK;

	memset(lo, 0, n * sizeof(*lo));
	if (n == 0)
		return UMDB_OK;
	buf = malloc(PIECE);
	if (buf == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < tgt->nregion && rc == UMDB_OK; i++)
		if (tgt->region[i].writable && tgt->region[i].dumped)
			rc = search_region(&s, &tgt->region[i], buf);
	free(buf);
	return rc;
}
