/* SPDX-License-Identifier: MIT */
/*
 * find_context.c - where stacks of coroutines start, and how far they go
 *
 * A coroutine of makecontext(3) runs on memory of the program's own.  Its
 * ucontext_t says which, and is recognised wherever it lies: it points to its
 * own space for floating-point registers, and the SP that it saved last is on
 * the stack that it names.
 *
 * For the SP of a thread that runs on such a stack all memory is searched.  To
 * find those that are suspended only places are in which a ucontext_t is
 * likely: large enough buffers, data, and the ends of mappings.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"

#define WORD sizeof(uint64_t)
#define PIECE (1u << 20) /* bytes looked at together */
#define STACK_MIN 2048u

/* Of what is larger than WHOLE_MAX only the ends are searched. */
#define WHOLE_MAX 65536u
#define END_SIZE 4096u
#define DATA_MAX (64u << 20) /* of a program's or library's data, all is */
#define UCONTEXT_SIZE 968u

struct search {
	struct target *tgt;
	const taddr_t *sp;
	taddr_t *lo;
	size_t n;
	struct contexts *list; /* or all of them are wanted */
	int rc;
};

static void
list_context(struct search *s, taddr_t at, const uint64_t *w)
{
	struct contexts *l = s->list;
	struct context *more;
	size_t room;

	if (l->n == l->room) {
		room = l->room == 0 ? 64 : l->room * 2;
		more = realloc(l->context, room * sizeof(*more));
		if (more == NULL) {
			s->rc = UMDB_ENOMEM;
			return;
		}
		l->context = more;
		l->room = room;
	}
	l->context[l->n++] = (struct context){
	    at, w[UC_STACK_SP], w[UC_STACK_SIZE], w[UC_RSP], w[UC_RIP]};
}

static void
take_context(struct search *s, taddr_t at, const uint64_t *w)
{
	const taddr_t lo = w[UC_STACK_SP], size = w[UC_STACK_SIZE];
	size_t i;

	if (size < STACK_MIN || size > UINT64_MAX - lo || w[UC_RSP] - lo > size)
		return;
	if (s->list != NULL)
		list_context(s, at, w);
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
		take_context(s, at + off, word);
	}
}

static int
search_range(struct search *s, taddr_t start, taddr_t end, uint8_t *buf)
{
	const uint64_t overlap = UC_WORDS * WORD;
	const uint8_t *p;
	uint64_t len;
	taddr_t at;
	size_t avail;

	for (at = start; end - at >= overlap; at += len - overlap + WORD) {
		len = end - at < PIECE ? end - at : PIECE;
		if (target_poll_bytes(s->tgt, "looking for coroutines",
			at - start, end - start))
			return UMDB_EINTR;
		p = target_map(s->tgt, at, &avail);
		if (p != NULL && avail >= len)
			search_piece(s, at, p, len);
		else if (target_read(s->tgt, at, buf, len, "memory") == UMDB_OK)
			search_piece(s, at, buf, len);
	}
	return s->rc;
}

int
find_context_stacks(
    struct target *tgt, const taddr_t *sp, taddr_t *lo, size_t n)
{
	struct search s = {.tgt = tgt, .sp = sp, .lo = lo, .n = n};
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
			rc = search_range(
			    &s, tgt->region[i].start, tgt->region[i].end, buf);
	free(buf);
	return rc;
}

/* ----------------------------------------------------------- suspended ones */

/* Where a ucontext_t is likely in [start, end): everywhere, or at the ends. */
static int
add_likely(struct ranges *l, taddr_t start, taddr_t end)
{
	int rc;

	if (end - start <= WHOLE_MAX)
		return ranges_add(l, start, end);
	rc = ranges_add(l, start, start + END_SIZE);
	return rc == UMDB_OK ? ranges_add(l, end - END_SIZE, end) : rc;
}

static int
add_buffers(struct ranges *l, const struct snap_slab *s)
{
	int rc = UMDB_OK;
	uint32_t i;

	if (s->bufsize < UCONTEXT_SIZE)
		return UMDB_OK;
	if (s->size <= WHOLE_MAX)
		return ranges_add(l, s->base, s->base + s->size);
	for (i = 0; i < s->nchunk && rc == UMDB_OK; i++)
		rc = add_likely(
		    l, snap_buf_addr(s, i), snap_buf_addr(s, i) + s->bufsize);
	return rc;
}

static int
add_places(struct snap *snap, struct ranges *l)
{
	const struct target_region *r;
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++)
		rc = add_buffers(l, &snap->slab[i]);
	for (i = 0; i < snap->tgt->nregion && rc == UMDB_OK; i++) {
		r = &snap->tgt->region[i];
		if (!r->writable || !r->dumped || snap_ours(snap, r->start))
			continue;
		if (r->end - r->start <= DATA_MAX &&
		    find_saved_is_data(snap->tgt, i))
			rc = ranges_add(l, r->start, r->end);
		else
			rc = add_likely(l, r->start, r->end);
	}
	ranges_settle(l);
	return rc;
}

/* Tables of pointers resemble a ucontext_t too, but not in this. */
static bool
is_code(struct target *tgt, taddr_t pc)
{
	const struct target_region *code = target_region_at(tgt, pc);

	return code != NULL && code->executable;
}

/*
 * The way that a ucontext_t leads to a coroutine is good only while its frames
 * are as swapcontext(3) left them: where a coroutine was resumed in another
 * way, other calls have put other return addresses there.
 */
static bool
is_suspended(struct target *tgt, const struct context *c)
{
	uint64_t word;

	return c->sp - c->lo >= WORD && c->sp % WORD == 0 &&
	       target_read(tgt, c->sp - WORD, &word, WORD, "stack") ==
		   UMDB_OK &&
	       word == c->pc;
}

int
find_context_suspended(struct snap *snap, struct contexts *ret)
{
	struct search s = {.tgt = snap->tgt, .list = ret};
	struct ranges places = {0};
	uint8_t *buf = malloc(PIECE);
	int rc = buf == NULL ? UMDB_ENOMEM : add_places(snap, &places);
	size_t i, n = 0;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < places.n && rc == UMDB_OK; i++)
		rc = search_range(&s, places.r[i].start, places.r[i].end, buf);
	for (i = 0; i < ret->n;) {
		const struct context c = ret->context[i];

		if (!is_code(snap->tgt, c.pc)) {
			ret->context[i] = ret->context[--ret->n];
			continue;
		}
		if (is_suspended(snap->tgt, &c)) {
			ret->context[i] = ret->context[n];
			ret->context[n++] = c;
		}
		i++;
	}
	ret->nother = ret->n - n;
	ret->n = n;
	free(places.r);
	free(buf);
	return rc;
}
