/* SPDX-License-Identifier: MIT */
/*
 * find_bad.c - umem_verify: what was written where it should not have been
 *
 * The guards of each buffer are compared with what liballoc/audit.c writes
 * there.  One finding a buffer, the one that says most: an overrun damages
 * the tag too, and what it hit first is what a person must hear.
 *
 * A thread may have been stopped between two stores of the library.  Its
 * buffer looks damaged and is not: tag and state contradict each other, and a
 * thread that is inside the library holds the buffer's address.  The buffer
 * for which the library itself stopped the process is never excused so.
 *
 * Layer: see find.h.
 */
#include "find_bad.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find_mark.h"

#define WORD sizeof(uint64_t)
#define LITE_BYTES 8u
#define LARGE_TAIL 64u       /* checked behind a large buffer */
#define COPY_MAX (64u << 20) /* of one slab that must be copied */
#define STACK_LOOK 16384u    /* of a thread inside the library */
#define FRAME_WORDS 64u      /* of the library's outermost frame, at most */
#define RED_ZONE 128u        /* below SP */
#define LOW32 0xffffffffu

/* A buffer under test. */
struct probe {
	const struct snap_slab *s;
	uint32_t index;
	taddr_t addr;
	const uint8_t *p; /* its bytes; the word before is there too */
	uint64_t self;    /* what bt_bufctl must be */
	umem_buftag_t tag;
	umem_bufctl_audit_t bc;
	bool have_bc;
	bool allocated;
	bool spilled;  /* the buffer before it was written past its end */
	uint64_t size; /* asked for; bufsize when that is not known */
};

/* ----------------------------------------------------------------- helpers */

void
bad_report(struct checker *k, struct bad *bad, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	vsnprintf(bad->msg, sizeof(bad->msg), fmt, ap);
	va_end(ap);
	k->found++;
	rc = k->fn(k->snap, bad, k->arg);
	if (rc != WALK_NEXT)
		k->rc = rc;
}

const uint8_t *
bad_view(struct checker *k, taddr_t addr, uint64_t len)
{
	const uint8_t *p;
	size_t avail;
	void *more;

	p = target_map(k->snap->tgt, addr, &avail);
	if (p != NULL && avail >= len)
		return p;
	if (len > COPY_MAX)
		return NULL;
	if (len > k->copyroom) {
		more = realloc(k->copy, len);
		if (more == NULL) {
			k->rc = target_fail(
			    k->snap->tgt, UMDB_ENOMEM, 0, "out of memory");
			return NULL;
		}
		k->copy = more;
		k->copyroom = len;
	}
	if (target_read(k->snap->tgt, addr, k->copy, len, "buffers") != UMDB_OK)
		return NULL;
	return k->copy;
}

static uint64_t
pattern_byte(uint64_t pattern, uint64_t off)
{
	return pattern >> 8 * (off % WORD) & 0xff;
}

/*
 * Offset of the first byte in [from, to) that is not the pattern's, which
 * starts at multiples of 8; @to when all are.
 */
static uint64_t
first_other(const uint8_t *p, uint64_t from, uint64_t to, uint64_t pattern)
{
	for (; from < to && from % WORD != 0; from++)
		if (p[from] != pattern_byte(pattern, from))
			return from;
	while (to - from >= WORD && find_mem_u64(p + from) == pattern)
		from += WORD;
	for (; from < to; from++)
		if (p[from] != pattern_byte(pattern, from))
			return from;
	return to;
}

static const char *
state_word(const struct probe *b)
{
	return b->allocated ? "allocated" : "free";
}

/* Report about a buffer.  @at: offset of the first bad byte. */
#define BAD(k, b, kind_, at_, expected_, found_, ...)              \
	do {                                                       \
		struct bad bad_ = {                                \
		    .kind = (kind_),                               \
		    .buf = (b)->addr,                              \
		    .at = (b)->addr + (uint64_t)(at_),             \
		    .expected = (expected_),                       \
		    .found = (found_),                             \
		    .bufctl = snap_buf_bufctl((b)->s, (b)->index), \
		    .allocated = (b)->allocated,                   \
		};                                                 \
		bad_report((k), &bad_, __VA_ARGS__);               \
	} while (0)

/* --------------------------------------------------------------- in flight */

static int
word_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
held_add(struct checker *k, size_t *room, uint64_t v)
{
	uint64_t *more;

	if (snap_slab_at(k->snap, v) == NULL)
		return;
	if (k->nheld == *room) {
		*room = *room == 0 ? 256 : *room * 2;
		more = realloc(k->held, *room * sizeof(*more));
		if (more == NULL)
			return;
		k->held = more;
	}
	k->held[k->nheld++] = v;
}

/*
 * What a thread holds, if it is inside the library or was called from it: its
 * registers, and its stack up to the library's outermost frame.  What the
 * frames of the client hold, which called the library, is the client's.
 */
static void
held_of_thread(struct checker *k, size_t *room, const struct target_thread *t)
{
	const umem_root_t *root = &k->snap->root;
	const uint64_t text = root->root_text_end - root->root_text_start;
	const taddr_t from = (t->reg[TARGET_RSP] - RED_ZONE) & ~(WORD - 1);
	const struct target_region *r = target_region_at(k->snap->tgt, from);
	uint64_t stack[STACK_LOOK / WORD], len = sizeof(stack), n, i, last = 0;
	bool inside = t->reg[TARGET_RIP] - root->root_text_start < text;

	if (!t->have_regs || r == NULL)
		return;
	if (len > r->end - from)
		len = r->end - from;
	n = len / WORD;
	if (target_read(k->snap->tgt, from, stack, len, "stack") != UMDB_OK)
		n = 0;
	for (i = 0; i < n; i++) {
		if (stack[i] - root->root_text_start >= text)
			continue;
		inside = true;
		last = i;
	}
	if (!inside)
		return;
	k->inside = true;
	for (i = 0; i < TARGET_NREGS; i++) {
		held_add(k, room, t->reg[i]);
		held_add(k, room, find_root_slot(k->snap, t, i));
	}
	for (i = 0; i < n && i < last + FRAME_WORDS; i++)
		held_add(k, room, stack[i]);
}

bool
bad_inside(struct checker *k)
{
	size_t i, room = 0;

	if (!k->have_held) {
		k->have_held = true;
		for (i = 0; i < k->snap->tgt->nthread; i++)
			held_of_thread(k, &room, &k->snap->tgt->thread[i]);
		if (k->nheld > 1)
			qsort(
			    k->held, k->nheld, sizeof(*k->held), word_compare);
	}
	return k->inside;
}

/* Did the library itself report this buffer? */
static bool
was_reported(const struct checker *k, const struct probe *b)
{
	const umem_abort_info_t *ab = &k->snap->root.root_abort;

	return ab->ab_timestamp != 0 &&
	       (ab->ab_buffer == b->addr || ab->ab_realbuf == b->addr);
}

/* Is a thread inside the library working on this buffer? */
static bool
is_held(struct checker *k, const struct probe *b)
{
	return !was_reported(k, b) && bad_inside(k) && k->nheld > 0 &&
	       bsearch(&b->addr, k->held, k->nheld, sizeof(*k->held),
		   word_compare) != NULL;
}

/*
 * Fork makes a copy of what other threads were working on, and none of these
 * threads: nobody finishes it.  Nothing was recorded of it since.
 */
static bool
was_cut_short(const struct checker *k, const struct probe *b)
{
	const uint64_t forked = k->snap->root.root_forked;

	return forked != 0 && !was_reported(k, b) &&
	       (!b->have_bc || b->bc.bc_timestamp <= forked);
}

static bool
in_flight(struct checker *k, const struct probe *b)
{
	return is_held(k, b) || was_cut_short(k, b);
}

/* ------------------------------------------------------------------ layout */

static bool
has_guards(const umem_cache_t *c)
{
	return (c->cache_flags & UMF_BUFTAG) != 0;
}

/* Buffers are asked for by size, and the red zone encodes it. */
static bool
is_exact(const umem_cache_t *c)
{
	return (c->cache_flags & UMF_MALLOC) != 0;
}

/* How much of a free buffer holds the free pattern; the cache may be damaged. */
static uint64_t
verify_bytes(const umem_cache_t *c)
{
	const uint64_t n = c->cache_verify;

	return (n < c->cache_buftag ? n : c->cache_buftag) & ~(WORD - 1);
}

/* Where the 0xbb behind the bytes asked for ends. */
static uint64_t
tail_end(const struct snap *snap, const umem_cache_t *c, uint64_t size)
{
	uint64_t limit = snap->root.root_maxverify;

	if ((c->cache_flags & UMF_LITE) != 0)
		limit = LITE_BYTES;
	if (size >= c->cache_buftag)
		return size;
	if (c->cache_buftag - size <= limit)
		return c->cache_buftag;
	return (size + limit + WORD - 1) & ~(WORD - 1);
}

/* The size that the red zone tells; UINT64_MAX when it is damaged. */
static uint64_t
tag_size(const umem_cache_t *c, uint64_t redzone)
{
	const uint32_t high = (uint32_t)(redzone >> 32);

	if (redzone == UMEM_PATTERN_REDZONE)
		return c->cache_bufsize;
	if (!UMEM_SIZE_VALID(high) || UMEM_SIZE_DECODE(high) > c->cache_bufsize)
		return UINT64_MAX;
	return UMEM_SIZE_DECODE(high);
}

static bool
tag_is(const struct probe *b, uint64_t state)
{
	return b->tag.bt_bufctl == b->self &&
	       b->tag.bt_bxstat == (b->self ^ state);
}

/* ------------------------------------------------------------------ checks */

/* The tail and the red zone.  True: something was found and reported. */
static bool
check_overrun(struct checker *k, const struct probe *b)
{
	const umem_cache_t *c = &k->cache->c;
	const uint64_t tag = c->cache_buftag,
		       end = tail_end(k->snap, c, b->size);
	const uint64_t n = is_exact(c) ? WORD / 2 : WORD;
	uint64_t at, want;

	at = first_other(
	    b->p, b->size, end, UMEM_REDZONE_BYTE * 0x0101010101010101ULL);
	want = UMEM_REDZONE_BYTE;
	if (at == end) {
		at = first_other(b->p, tag, tag + n, UMEM_PATTERN_REDZONE);
		want = pattern_byte(UMEM_PATTERN_REDZONE, at);
		if (at == tag + n)
			return false;
	}
	BAD(k, b, BAD_REDZONE, at, want, b->p[at],
	    "buffer %#" PRIx64 " (allocated, %" PRIu64
	    " bytes) was written past its end: byte %" PRIu64
	    " is %#x, not %#x",
	    b->addr, b->size, at, (unsigned)b->p[at], (unsigned)want);
	return true;
}

/* The word before the buffer. */
static bool
check_underrun(struct checker *k, const struct probe *b)
{
	const uint8_t *front = b->p - WORD;
	uint64_t i = first_other(front, 0, WORD, UMEM_PATTERN_REDZONE), want;

	if (i == WORD || b->spilled)
		return false;
	want = pattern_byte(UMEM_PATTERN_REDZONE, i);
	BAD(k, b, BAD_UNDERRUN, i - WORD, want, front[i],
	    "buffer %#" PRIx64 " (%s) was written before its start: byte "
	    "-%" PRIu64 " is %#x, not %#x",
	    b->addr, state_word(b), WORD - i, (unsigned)front[i],
	    (unsigned)want);
	return true;
}

static void
check_tag(struct checker *k, const struct probe *b, uint64_t state)
{
	const uint64_t at = k->cache->c.cache_buftag;

	if (b->tag.bt_bufctl != b->self)
		BAD(k, b, BAD_BUFTAG, at + WORD, b->self, b->tag.bt_bufctl,
		    "buffer %#" PRIx64 " (%s): its tag points to %#" PRIx64
		    ", not to %#" PRIx64,
		    b->addr, state_word(b), b->tag.bt_bufctl, b->self);
	else if (b->tag.bt_bxstat != (b->self ^ state))
		BAD(k, b, BAD_BUFTAG, at + 2 * WORD, b->self ^ state,
		    b->tag.bt_bxstat,
		    "buffer %#" PRIx64 " (%s): its tag's state is %#" PRIx64
		    ", not %#" PRIx64,
		    b->addr, state_word(b), b->tag.bt_bxstat ^ b->self, state);
}

/* The record of a cache with audit.  True: it was wrong. */
static bool
check_bufctl(struct checker *k, const struct probe *b)
{
	const umem_bufctl_audit_t *bc = &b->bc;
	const char *wrong = NULL;
	uint64_t want = 0, have = 0;

	if (!b->have_bc || bc->bc_kind == UMEM_BC_NEVER)
		return false;
	if (bc->bc_addr != b->addr) {
		wrong = "buffer";
		want = b->addr;
		have = bc->bc_addr;
	} else if (bc->bc_cache != k->cache->addr) {
		wrong = "cache";
		want = k->cache->addr;
		have = bc->bc_cache;
	} else if (bc->bc_slab != b->s->addr) {
		wrong = "slab";
		want = b->s->addr;
		have = bc->bc_slab;
	}
	if (wrong == NULL)
		return false;
	BAD(k, b, BAD_BUFCTL, 0, want, have,
	    "buffer %#" PRIx64 " (%s): its record is of %s %#" PRIx64
	    ", not %#" PRIx64,
	    b->addr, state_word(b), wrong, have, want);
	return true;
}

/* The record says the opposite of what the buffer is. */
static bool
record_contradicts(const struct probe *b)
{
	return b->have_bc &&
	       b->bc.bc_kind != (b->allocated ? UMEM_BC_ALLOC : UMEM_BC_FREE) &&
	       (b->allocated || b->bc.bc_kind != UMEM_BC_NEVER);
}

static void
report_contradiction(struct checker *k, const struct probe *b)
{
	BAD(k, b, BAD_BUFCTL, 0, b->allocated ? UMEM_BC_ALLOC : UMEM_BC_FREE,
	    b->bc.bc_kind,
	    "buffer %#" PRIx64 " is %s, but its record says that it was %s",
	    b->addr, state_word(b),
	    b->bc.bc_kind == UMEM_BC_ALLOC  ? "allocated"
	    : b->bc.bc_kind == UMEM_BC_FREE ? "freed"
					    : "never used");
}

/* The words between the tag and the next buffer's front guard. */
static bool
check_rest(struct checker *k, const struct probe *b)
{
	const umem_cache_t *c = &k->cache->c;
	const uint64_t from =
	    c->cache_buftag + offsetof(umem_buftag_t, bt_front);
	const bool last = b->index + 1 == b->s->nchunk;
	const uint64_t to = b->s->chunksize - (last ? 0 : WORD);
	uint64_t at;

	if (from >= to)
		return false;
	at = first_other(b->p, from, to, UMEM_PATTERN_REDZONE);
	if (at == to)
		return false;
	BAD(k, b, BAD_REDZONE, at, pattern_byte(UMEM_PATTERN_REDZONE, at),
	    b->p[at],
	    "buffer %#" PRIx64 " (%s): byte %" PRIu64
	    ", far behind its end, was written",
	    b->addr, state_word(b), at);
	return true;
}

/*
 * Looks an allocated buffer as if it were being handed out or taken back?
 * Its tag, record and contents are written one after the other.
 */
static bool
is_half_done(const umem_cache_t *c, const struct probe *b)
{
	if (tag_is(b, UMEM_BUFTAG_FREE) || record_contradicts(b))
		return true;
	/* the first record of a buffer, across a page that is not there yet */
	if (b->have_bc && b->bc.bc_addr == 0)
		return true;
	if (b->have_bc && tag_size(c, b->tag.bt_redzone) != b->size)
		return true;
	return verify_bytes(c) >= WORD &&
	       find_mem_u64(b->p) == UMEM_PATTERN_FREE;
}

static void
check_allocated(struct checker *k, const struct probe *b)
{
	const umem_cache_t *c = &k->cache->c;
	const uint64_t told = tag_size(c, b->tag.bt_redzone);

	if (is_half_done(c, b) && in_flight(k, b))
		return;
	if (tag_is(b, UMEM_BUFTAG_FREE)) {
		check_tag(k, b, UMEM_BUFTAG_ALLOC);
		return;
	}
	if (check_overrun(k, b) || check_underrun(k, b))
		return;
	if (told != b->size) {
		BAD(k, b, BAD_SIZE, c->cache_buftag + WORD / 2,
		    is_exact(c) ? UMEM_SIZE_ENCODE(b->size)
				: UMEM_PATTERN_REDZONE >> 32,
		    b->tag.bt_redzone >> 32,
		    "buffer %#" PRIx64 " (allocated, %" PRIu64
		    " bytes): the size in its red zone is damaged",
		    b->addr, b->size);
		return;
	}
	if (!tag_is(b, UMEM_BUFTAG_ALLOC)) {
		check_tag(k, b, UMEM_BUFTAG_ALLOC);
		return;
	}
	if (!check_rest(k, b) && !check_bufctl(k, b) && record_contradicts(b))
		report_contradiction(k, b);
}

static void
check_free(struct checker *k, const struct probe *b)
{
	const umem_cache_t *c = &k->cache->c;
	const uint64_t n = verify_bytes(c), tag = c->cache_buftag;
	uint64_t at = first_other(b->p, 0, n, UMEM_PATTERN_FREE), word;

	if (at < n) {
		word = at & ~(WORD - 1);
		BAD(k, b, BAD_FREE, at, UMEM_PATTERN_FREE,
		    find_mem_u64(b->p + word),
		    "buffer %#" PRIx64 " was modified after it was freed: "
		    "word %" PRIu64 " is %#" PRIx64,
		    b->addr, word / WORD, find_mem_u64(b->p + word));
	} else if (b->tag.bt_redzone != UMEM_PATTERN_REDZONE) {
		at = first_other(b->p, tag, tag + WORD, UMEM_PATTERN_REDZONE);
		BAD(k, b, BAD_REDZONE, at, UMEM_PATTERN_REDZONE,
		    b->tag.bt_redzone,
		    "buffer %#" PRIx64 " (free): its red zone is %#" PRIx64
		    ", not %#llx",
		    b->addr, b->tag.bt_redzone,
		    (unsigned long long)UMEM_PATTERN_REDZONE);
	} else if (!tag_is(b, UMEM_BUFTAG_FREE)) {
		check_tag(k, b, UMEM_BUFTAG_FREE);
	} else if (!check_underrun(k, b) && !check_rest(k, b) &&
		   !check_bufctl(k, b) && record_contradicts(b)) {
		report_contradiction(k, b);
	}
}

/* ------------------------------------------------------------------- slabs */

static void
probe_record(struct checker *k, struct probe *b)
{
	const taddr_t addr = snap_buf_bufctl(b->s, b->index);
	const umem_cache_t *c = &k->cache->c;
	uint64_t told;

	b->self = addr != 0 ? addr : b->addr;
	b->have_bc = addr != 0 && target_read(k->snap->tgt, addr, &b->bc,
				      sizeof(b->bc), "bufctl") == UMDB_OK;
	b->size = b->s->bufsize;
	if (!b->allocated || (c->cache_flags & UMF_LARGE) != 0)
		return;
	if (b->have_bc && b->bc.bc_kind == UMEM_BC_ALLOC &&
	    b->bc.bc_addr == b->addr && b->bc.bc_size <= c->cache_bufsize) {
		b->size = b->bc.bc_size;
		return;
	}
	told = tag_size(c, b->tag.bt_redzone);
	if (told != UINT64_MAX)
		b->size = told;
}

/*
 * The library found that it had been written to as it was to be handed out,
 * and that was the end: it is free yet, though no list has it any more.
 */
static bool
was_refused(const struct checker *k, const struct probe *b)
{
	return was_reported(k, b) &&
	       k->snap->root.root_abort.ab_error == UMEM_ERR_MODIFIED &&
	       tag_is(b, UMEM_BUFTAG_FREE);
}

/* Can the guards of this slab be where its cache says? */
static bool
guards_fit(const struct snap_slab *s, const umem_cache_t *c)
{
	return s->first - s->base >= WORD && c->cache_buftag >= s->bufsize &&
	       c->cache_buftag % WORD == 0 &&
	       s->chunksize >= sizeof(umem_buftag_t) &&
	       c->cache_buftag <= s->chunksize - sizeof(umem_buftag_t);
}

static void
check_slab(struct checker *k, const struct snap_slab *s)
{
	const umem_cache_t *c = &k->cache->c;
	struct probe b = {.s = s};
	const uint8_t *p;
	uint64_t found;
	uint32_t i;

	if (!guards_fit(s, c)) {
		snap_damaged(k->snap, s->addr,
		    "slab %#" PRIx64 " has no room for the guards of its "
		    "cache %s",
		    s->addr, c->cache_name);
		return;
	}
	p = bad_view(k, s->first - WORD, s->nchunk * s->chunksize + WORD);
	if (p == NULL) {
		if (k->rc == UMDB_OK)
			snap_damaged(k->snap, s->addr,
			    "cannot read the buffers of slab %#" PRIx64,
			    s->addr);
		return;
	}
	for (i = 0; i < s->nchunk && k->rc == UMDB_OK; i++) {
		b.index = i;
		b.addr = snap_buf_addr(s, i);
		b.p = p + WORD + i * s->chunksize;
		b.allocated = snap_buf_state(k->snap, s, i) == BUF_ALLOCATED;
		memcpy(&b.tag, b.p + c->cache_buftag, sizeof(b.tag));
		probe_record(k, &b);
		if (b.allocated && was_refused(k, &b))
			b.allocated = false;
		k->checked++;
		found = k->found;
		if (b.allocated)
			check_allocated(k, &b);
		else
			check_free(k, &b);
		b.spilled = k->found != found;
	}
}

/* Without guards there are still the records. */
static void
check_records(struct checker *k, const struct snap_slab *s)
{
	struct probe b = {.s = s};
	uint32_t i;

	for (i = 0; i < s->nchunk && k->rc == UMDB_OK; i++) {
		b.index = i;
		b.addr = snap_buf_addr(s, i);
		b.allocated = snap_buf_state(k->snap, s, i) == BUF_ALLOCATED;
		probe_record(k, &b);
		if (!check_bufctl(k, &b) && record_contradicts(&b) &&
		    !in_flight(k, &b))
			report_contradiction(k, &b);
	}
}

/* A buffer of its own: 0xbb behind it, a guard word before. */
static void
check_large(struct checker *k, const struct snap_slab *s)
{
	struct probe b = {.s = s, .addr = s->first, .allocated = true};
	uint64_t room, end, at;
	const uint8_t *p;
	umem_slab_t sp;

	if (target_read(k->snap->tgt, s->addr, &sp, sizeof(sp), "slab") !=
		UMDB_OK ||
	    (sp.slab_flags & UMEM_SLAB_PLAIN) != 0)
		return;
	probe_record(k, &b);
	if (record_contradicts(&b) && in_flight(k, &b))
		return;
	if (!has_guards(&k->cache->c)) {
		if (!check_bufctl(k, &b) && record_contradicts(&b))
			report_contradiction(k, &b);
		return;
	}
	room = s->size - (s->first - s->base);
	if ((sp.slab_flags & UMEM_SLAB_GUARD) != 0)
		room -= UMEM_PAGE_SIZE < room ? UMEM_PAGE_SIZE : room;
	if (room > s->chunksize)
		room = s->chunksize;
	end = room < s->bufsize                ? s->bufsize
	      : room - s->bufsize > LARGE_TAIL ? s->bufsize + LARGE_TAIL
					       : room;
	k->checked++;
	p = bad_view(k, s->first + s->bufsize, end - s->bufsize);
	if (p != NULL) {
		at = first_other(p, 0, end - s->bufsize,
		    UMEM_REDZONE_BYTE * 0x0101010101010101ULL);
		if (at < end - s->bufsize) {
			if (!b.have_bc &&
			    (is_held(k, &b) ||
				(was_cut_short(k, &b) &&
				    first_other(p, 0, end - s->bufsize, 0) ==
					end - s->bufsize)))
				return;
			BAD(k, &b, BAD_REDZONE, s->bufsize + at,
			    UMEM_REDZONE_BYTE, p[at],
			    "buffer %#" PRIx64 " (allocated, %" PRIu64
			    " bytes) was written past its end: byte %" PRIu64
			    " is %#x, not %#x",
			    b.addr, s->bufsize, s->bufsize + at,
			    (unsigned)p[at], UMEM_REDZONE_BYTE);
			return;
		}
	}
	if (s->first - s->base >= WORD) {
		p = bad_view(k, s->first - WORD, WORD);
		b.p = p != NULL ? p + WORD : NULL;
		if (b.p != NULL && !(!b.have_bc && is_held(k, &b)) &&
		    check_underrun(k, &b))
			return;
	}
	if (!check_bufctl(k, &b) && record_contradicts(&b))
		report_contradiction(k, &b);
}

static void
check_slabs(struct checker *k)
{
	const uint32_t flags = k->cache->c.cache_flags;
	const uint32_t cache = (uint32_t)(k->cache - k->snap->cache);
	const struct snap_slab *s;
	size_t i;

	for (i = 0; i < k->snap->nslab && k->rc == UMDB_OK; i++) {
		s = &k->snap->slab[i];
		if (s->cache != cache)
			continue;
		if ((flags & UMF_LARGE) != 0)
			check_large(k, s);
		else if ((flags & UMF_BUFTAG) != 0)
			check_slab(k, s);
		else if (s->bufctl != 0)
			check_records(k, s);
		if (target_poll(k->snap->tgt, "verifying", i, k->snap->nslab))
			k->rc = target_fail(
			    k->snap->tgt, UMDB_EINTR, 0, "interrupted");
	}
}

int
find_bad(struct snap *snap, const struct snap_cache *cache, find_bad_fn *fn,
    void *arg, uint64_t *checked_ret)
{
	struct checker k = {.snap = snap, .cache = cache, .fn = fn, .arg = arg};

	check_slabs(&k);
	if (k.rc == UMDB_OK)
		bad_structures(&k);
	*checked_ret = k.checked;
	free(k.copy);
	free(k.held);
	return k.rc == WALK_STOP ? UMDB_OK : k.rc;
}
