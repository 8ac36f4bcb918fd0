/* SPDX-License-Identifier: MIT */
/*
 * find_context.c - where stacks of coroutines start, and how far they go
 *
 * A coroutine of makecontext(3) runs on memory of the program's own.  Its
 * ucontext_t says which, and is recognised wherever it lies: it points to its
 * own space for floating-point registers, and the SP that it saved last is on
 * the stack that it names.  A ucontext_t that names no stack, as swapcontext(3)
 * fills it in for a thread that starts a coroutine, still has an SP.
 *
 * A ucontext_t stays as it is when its coroutine is over and the stack serves
 * as other memory.  But makecontext(3) puts the address of code of its own and
 * uc_link at the top, and that code, when the coroutine returns to it, calls
 * setcontext(3), which puts another address there.
 *
 * Nor does a ucontext_t tell that the stack was left in another way since: by
 * longjmp(3), or by a handler.  So what these saved is looked for too.
 *
 * Whether there are coroutines at all is seen where a ucontext_t is likely:
 * in large enough buffers, data, the ends of mappings, and stacks around SP.
 * If there are, all memory is searched.
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

/* Of a thread's stack, what is searched below SP and from there up. */
#define STACK_BELOW (256u << 10)
#define STACK_ABOVE (1u << 20)

#define RED_ZONE 128u
#define FRAME_MAX 65536u /* from the kernel's frame to what it interrupted */

struct search {
	struct target *tgt;
	struct contexts *list;
	bool all;        /* kinds of contexts */
	uint64_t secret; /* of jmp_bufs; 0: not known */
	int rc;
};

static void
list_context(struct search *s, const struct context *c)
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
	l->context[l->n++] = *c;
}

static void
take_context(struct search *s, taddr_t at, const uint64_t *w)
{
	const taddr_t lo = w[UC_STACK_SP], size = w[UC_STACK_SIZE];
	struct context c = {.at = at, .sp = w[UC_RSP], .pc = w[UC_RIP]};

	if (size >= STACK_MIN && size <= UINT64_MAX - lo && c.sp - lo <= size) {
		c.lo = lo;
		c.size = size;
		c.link = w[UC_LINK];
	}
	/* swapcontext(3) also saves what it was called with */
	if (w[UC_RDI] == at)
		c.to = w[UC_RSI];
	list_context(s, &c);
}

/*
 * The kernel's frame is below what it interrupted, or on another stack.  A
 * handler may leave for good; the frame is then a context like any other.
 */
static void
take_frame(struct search *s, taddr_t at, const uint64_t *w)
{
	struct context c = {.kind = CONTEXT_SIGNAL, .at = at};

	c.sp = w[UC_RSP] - RED_ZONE;
	c.pc = w[UC_RIP];
	if (c.sp - at <= FRAME_MAX)
		c.sp = at - WORD;
	list_context(s, &c);
}

static void
take_other(struct search *s, taddr_t at, const uint64_t *w)
{
	struct context c = {.kind = CONTEXT_JUMP, .at = at};

	if (s->secret != 0 &&
	    find_saved_jump(s->tgt, s->secret, w, &c.sp, &c.pc))
		list_context(s, &c);
	if ((w[UC_SEGMENTS] & UINT16_MAX) == USER_CS && find_saved_frame(w))
		take_frame(s, at, w);
}

/* Most words can be told apart by one other. */
static inline bool
may_start(const struct search *s, taddr_t at, const uint8_t *p)
{
	if (find_mem_u64(p + UC_FPSTATE * WORD) == at + UC_FPREGS * WORD)
		return true;
	if (!s->all)
		return false;
	if ((find_mem_u64(p + UC_SEGMENTS * WORD) & UINT16_MAX) == USER_CS)
		return true;
	return s->secret != 0 &&
	       find_saved_unmangle(s->secret, find_mem_u64(p + JB_SP * WORD)) >>
		       ADDR_BITS ==
		   0;
}

static void
search_piece(struct search *s, taddr_t at, const uint8_t *p, uint64_t len)
{
	uint64_t word[UC_WORDS], off;

	for (off = 0; len - off >= sizeof(word); off += WORD) {
		if (!may_start(s, at + off, p + off))
			continue;
		memcpy(word, p + off, sizeof(word));
		if (word[UC_FPSTATE] == at + off + UC_FPREGS * WORD)
			take_context(s, at + off, word);
		else
			take_other(s, at + off, word);
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

static int
search_all(struct search *s, uint8_t *buf)
{
	const struct target_region *r;
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < s->tgt->nregion && rc == UMDB_OK; i++) {
		r = &s->tgt->region[i];
		if (r->writable && r->dumped)
			rc = search_range(s, r->start, r->end, buf);
	}
	return rc;
}

/* Not the whole of it. */
static bool
is_part(const struct context *c, const struct range *of)
{
	return c->lo >= of->start && c->lo + c->size <= of->end &&
	       c->size < of->end - of->start;
}

taddr_t
find_context_stack(
    const struct contexts *l, taddr_t sp, const struct range *within)
{
	const struct context *c = l->context;
	taddr_t lo = 0;
	size_t i;

	for (i = 0; i < l->n + l->nother; i++, c++)
		if (sp - c->lo < c->size && c->lo > lo &&
		    (within == NULL || is_part(c, within)))
			lo = c->lo;
	return lo;
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
add_stack(struct target *tgt, const struct target_thread *t, struct ranges *l)
{
	const taddr_t sp = t->reg[TARGET_RSP];
	const struct target_region *r = target_region_at(tgt, sp);

	if (!t->have_regs || r == NULL || !r->writable || !r->dumped)
		return UMDB_OK;
	return ranges_add(l,
	    sp - r->start > STACK_BELOW ? sp - STACK_BELOW : r->start,
	    r->end - sp > STACK_ABOVE ? sp + STACK_ABOVE : r->end);
}

int
find_context_places(struct snap *snap, struct ranges *ret)
{
	const struct target_region *r;
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++)
		rc = add_buffers(ret, &snap->slab[i]);
	for (i = 0; i < snap->tgt->nregion && rc == UMDB_OK; i++) {
		r = &snap->tgt->region[i];
		if (!r->writable || !r->dumped || snap_ours(snap, r->start))
			continue;
		if (r->end - r->start <= DATA_MAX &&
		    find_saved_is_data(snap->tgt, i))
			rc = ranges_add(ret, r->start, r->end);
		else
			rc = add_likely(ret, r->start, r->end);
	}
	for (i = 0; i < snap->tgt->nthread && rc == UMDB_OK; i++)
		rc = add_stack(snap->tgt, &snap->tgt->thread[i], ret);
	ranges_settle(ret);
	return rc;
}

bool
find_context_in_use(struct snap *snap, taddr_t addr)
{
	const struct target_region *r = target_region_at(snap->tgt, addr);
	const struct snap_slab *s;
	uint32_t i;

	return r != NULL && r->writable &&
	       (!snap_buf_at(snap, addr, &s, &i) ||
		   snap_buf_state(snap, s, i) == BUF_ALLOCATED);
}

static bool
is_code(const struct target *tgt, taddr_t pc)
{
	const struct target_region *code = target_region_at(tgt, pc);

	return code != NULL && code->executable;
}

bool
find_context_behind_call(struct target *tgt, taddr_t pc)
{
	enum { LONGEST = 7, NEAR = 5, OPCODE = 0xff, REG = 0x38, CALL = 0x10 };
	uint8_t code[LONGEST];
	unsigned i;

	if (target_read(tgt, pc - LONGEST, code, LONGEST, "instruction") !=
	    UMDB_OK)
		return false;
	if (code[LONGEST - NEAR] == 0xe8)
		return true;
	for (i = 0; i + 1 < LONGEST; i++)
		if (code[i] == OPCODE && (code[i + 1] & REG) == CALL)
			return true;
	return false;
}

/*
 * makecontext(3) leaves room at the top for arguments that do not fit in
 * registers, then aligns.  The first frame's return address stands below
 * these, and uc_link above.
 */
bool
find_context_has_top(struct target *tgt, const struct context *c)
{
	enum { ARGS_MAX = 8, ALIGN = 16 };
	uint64_t word[ARGS_MAX + 2];
	unsigned n;
	taddr_t at;

	for (n = 0; n <= ARGS_MAX; n++) {
		at = c->lo + c->size - (n + 1) * WORD;
		at = (at & ~(taddr_t)(ALIGN - 1)) - WORD;
		if (target_read(tgt, at, word, (n + 2) * WORD, "stack") ==
			UMDB_OK &&
		    word[n + 1] == c->link && is_code(tgt, word[0]))
			return !find_context_behind_call(tgt, word[0]);
	}
	return false;
}

/*
 * The way that a ucontext_t leads to a coroutine is good only while its frames
 * are as swapcontext(3) left them: where a coroutine was resumed in another
 * way, other calls have put other return addresses there.
 */
static bool
is_suspended(struct snap *snap, const struct context *c)
{
	uint64_t word;

	return c->kind == CONTEXT_SWAP && c->sp - c->lo >= WORD &&
	       c->sp % WORD == 0 &&
	       target_read(snap->tgt, c->sp - WORD, &word, WORD, "stack") ==
		   UMDB_OK &&
	       word == c->pc && find_context_in_use(snap, c->at) &&
	       (c->size == 0 || find_context_has_top(snap->tgt, c));
}

/*
 * Those that wait come first.  Tables of pointers resemble a ucontext_t too,
 * but not in that its pc is code: they go.
 */
static void
sort_contexts(struct snap *snap, struct contexts *l)
{
	size_t i, n = 0;

	for (i = 0; i < l->n;) {
		const struct context c = l->context[i];

		if (!is_code(snap->tgt, c.pc)) {
			l->context[i] = l->context[--l->n];
			continue;
		}
		if (is_suspended(snap, &c)) {
			l->context[i] = l->context[n];
			l->context[n++] = c;
		}
		i++;
	}
	l->nother = l->n - n;
	l->n = n;
}

int
find_context_suspended(struct snap *snap, struct contexts *ret)
{
	struct search s = {.tgt = snap->tgt, .list = ret};
	struct ranges places = {0};
	uint8_t *buf = malloc(PIECE);
	int rc = buf == NULL ? UMDB_ENOMEM : find_context_places(snap, &places);
	size_t i;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < places.n && rc == UMDB_OK; i++)
		rc = search_range(&s, places.r[i].start, places.r[i].end, buf);
	sort_contexts(snap, ret);
	free(places.r);
	free(buf);
	return rc;
}

int
find_context_all(struct snap *snap, struct contexts *ret)
{
	struct search s = {.tgt = snap->tgt, .list = ret, .all = true};
	uint8_t *buf = malloc(PIECE);
	int rc = UMDB_ENOMEM;

	memset(ret, 0, sizeof(*ret));
	s.secret = find_saved_secret(snap->tgt);
	if (buf != NULL)
		rc = search_all(&s, buf);
	sort_contexts(snap, ret);
	free(buf);
	return rc;
}
