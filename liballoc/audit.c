/* SPDX-License-Identifier: MIT */
/*
 * audit.c - what happens to a buffer when its cache is debugged
 *
 * Allocation and release are on the hot path of a program that runs under
 * UMEM_DEBUG all day, so each has one pass that answers "all is well", made
 * of wide loads without branches; only when the answer is no does other code
 * look again and find out what exactly is wrong.
 *
 * A chunk of a cache with guards (UMF_BUFTAG):
 *
 *	buffer, size bytes asked for
 *	0xbb up to cache_buftag		cache_bufsize rounded up to 8
 *	umem_buftag_t			bt_redzone tells the size
 *	red zone words to the chunk's end; the last one, right before the
 *	next buffer, is that one's front guard
 *
 * Layer: above tlog.h, stack.h, fault.h.
 */
#include "audit.h"

#include <string.h>

#include "fault.h"
#include "os.h"
#include "root.h"
#include "stack.h"
#include "stamp.h"
#include "tlog.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the byte order of tags and patterns is taken to be little endian"
#endif

#define WORD sizeof(uint64_t)
#define LITE_BYTES 8
#define LARGE_TAIL 64        /* bytes filled past the end of a large buffer */
#define UNKNOWN ((size_t)-1) /* size that the caller of free did not tell */
#define LOW32 0xffffffffu
#define COLD __attribute__((noinline, cold))
#define NOINLINE __attribute__((noinline))
#define TAIL_PATTERN (UMEM_REDZONE_BYTE * 0x0101010101010101ULL)

typedef uint64_t word_t __attribute__((may_alias));
typedef uint64_t pair_t __attribute__((vector_size(16), aligned(8), may_alias));
typedef uint64_t edge_t __attribute__((vector_size(16), aligned(1), may_alias));

/* ---------------------------------------------------------------- patterns */

/*
 * What these cost is the branches that are guessed wrong, so there are few:
 * the last block may have been done in part before, and less than a block is
 * done from both its ends.
 */
#define BLOCK 64

static inline void
fill_block(char *q, pair_t v)
{
	((pair_t *)q)[0] = v;
	((pair_t *)q)[1] = v;
	((pair_t *)q)[2] = v;
	((pair_t *)q)[3] = v;
}

static inline pair_t
block_differs(const char *q, pair_t v)
{
	const pair_t *w = (const pair_t *)q;

	return (w[0] ^ v) | (w[1] ^ v) | (w[2] ^ v) | (w[3] ^ v);
}

/* fill_words - @n bytes, a multiple of 8, from an 8-aligned address on */
static inline void
fill_words(void *p, size_t n, uint64_t pattern)
{
	const pair_t v = {pattern, pattern};
	char *q = p, *last = q + n - sizeof(v);

	if (n > BLOCK) {
		for (; n > BLOCK; n -= BLOCK, q += BLOCK)
			fill_block(q, v);
		fill_block(last + sizeof(v) - BLOCK, v);
	} else if (n >= sizeof(v)) {
		*(pair_t *)q = v;
		*(pair_t *)last = v;
		if (n <= BLOCK / 2)
			return;
		((pair_t *)q)[1] = v;
		((pair_t *)last)[-1] = v;
	} else if (n != 0) {
		*(word_t *)q = pattern;
	}
}

/* words_differ - not 0 when any of @n bytes, a multiple of 8, differs */
static inline uint64_t
words_differ(const void *p, size_t n, uint64_t pattern)
{
	const pair_t v = {pattern, pattern};
	const char *q = p, *last = q + n - sizeof(v);
	pair_t bad;

	if (n > BLOCK) {
		bad = block_differs(last + sizeof(v) - BLOCK, v);
		for (; n > BLOCK; n -= BLOCK, q += BLOCK)
			bad |= block_differs(q, v);
	} else if (n >= sizeof(v)) {
		bad = (*(const pair_t *)q ^ v) | (*(const pair_t *)last ^ v);
		if (n > BLOCK / 2)
			bad |= (((const pair_t *)q)[1] ^ v) |
			       (((const pair_t *)last)[-1] ^ v);
	} else {
		return n != 0 ? *(const word_t *)q ^ pattern : 0;
	}
	return bad[0] | bad[1];
}

/* first_word - offset of the first word that differs, or @n */
static size_t
first_word(const void *p, size_t n, uint64_t pattern)
{
	const word_t *q = p;
	size_t i;

	for (i = 0; i < n && q[i / WORD] == pattern; i += WORD)
		;
	return i;
}

/* first_byte - offset of the first byte in [from, to) that is not 0xbb */
static size_t
first_byte(const void *p, size_t from, size_t to)
{
	const unsigned char *b = p;

	while (from < to && b[from] == UMEM_REDZONE_BYTE)
		from++;
	return from;
}

/*
 * The bytes [from, to) of a buffer, which hold 0xbb; @to and the buffer are
 * multiples of 8.  The pair of words in which they begin is looked at through
 * a mask: so no branch depends on where that is.
 */
struct tail {
	edge_t *edge; /* NULL: there is only one word, or nothing */
	pair_t theirs;
	char *rest;
	size_t nrest;
};

static inline struct tail
tail_of(char *buf, size_t from, size_t to)
{
	static const uint64_t first[2 * sizeof(pair_t) / WORD] = {-1ULL, -1ULL};
	const size_t last = to - sizeof(pair_t);
	size_t at = from & ~(sizeof(pair_t) - 1);
	struct tail t = {NULL, {0}, NULL, 0};

	if (__builtin_expect(from >= to || to < sizeof(pair_t), 0))
		return t;
	if (at > last)
		at = last;
	t.edge = (edge_t *)(buf + at);
	t.theirs = *(
	    const edge_t *)((const char *)first + sizeof(pair_t) - (from - at));
	t.rest = (char *)(t.edge + 1);
	t.nrest = last - at;
	return t;
}

/* word_theirs - the client's bytes of the first word, when it is the only one */
static inline uint64_t
word_theirs(size_t from)
{
	return ((uint64_t)1 << (8 * from)) - 1;
}

static inline void
tail_fill(char *buf, size_t from, size_t to)
{
	const pair_t v = {TAIL_PATTERN, TAIL_PATTERN};
	struct tail t = tail_of(buf, from, to);
	word_t *w = (word_t *)buf;

	if (__builtin_expect(t.edge != NULL, 1)) {
		*t.edge = (*t.edge & t.theirs) | (v & ~t.theirs);
		fill_words(t.rest, t.nrest, TAIL_PATTERN);
	} else if (from < to) {
		*w = (*w & word_theirs(from)) |
		     (TAIL_PATTERN & ~word_theirs(from));
	}
}

static inline uint64_t
tail_differs(char *buf, size_t from, size_t to)
{
	const pair_t v = {TAIL_PATTERN, TAIL_PATTERN};
	struct tail t = tail_of(buf, from, to);
	const word_t *w = (word_t *)buf;
	pair_t bad;

	if (__builtin_expect(t.edge == NULL, 0))
		return from < to ? (*w ^ TAIL_PATTERN) & ~word_theirs(from) : 0;
	bad = (*t.edge ^ v) & ~t.theirs;
	return bad[0] | bad[1] | words_differ(t.rest, t.nrest, TAIL_PATTERN);
}

/* ------------------------------------------------------------- the picture */

/* What the checks need to know of a buffer; on the caller's stack. */
struct chunk {
	umem_cache_t *cp;
	umem_slab_t *sp;
	char *buf;
	umem_buftag_t *tag;
	umem_bufctl_audit_t *bc; /* NULL without audit */
	uint64_t self;           /* what bt_bufctl must be */
};

/* chunk_at - @buf, which is chunk @index of the slab */
static inline struct chunk
chunk_at(umem_cache_t *cp, umem_slab_t *sp, size_t index, void *buf)
{
	struct chunk c = {cp, sp, buf, NULL, NULL, (uintptr_t)buf};

	c.tag = (umem_buftag_t *)(c.buf + cp->cache_buftag);
	c.bc = audit_bufctl(sp, index);
	if (c.bc != NULL)
		c.self = (uintptr_t)c.bc;
	return c;
}

static inline struct chunk
chunk_of(umem_cache_t *cp, umem_slab_t *sp, void *buf)
{
	uint64_t off =
	    (uint64_t)((char *)buf - (char *)sp->slab_base) - sp->slab_first;

	return chunk_at(cp, sp, off * cp->cache_recip >> UMEM_RECIP_SHIFT, buf);
}

static inline word_t *
front_guard(const struct chunk *c)
{
	return (word_t *)(c->buf - WORD);
}

uint64_t
audit_verify_bytes(const umem_cache_t *cp)
{
	uint64_t n = umem_root.root_maxverify;

	if ((cp->cache_flags & UMF_DEADBEEF) == 0)
		return 0;
	if (cp->cache_flags & UMF_LITE)
		n = LITE_BYTES;
	if (n > cp->cache_buftag)
		return cp->cache_buftag;
	return (n + WORD - 1) & ~(WORD - 1);
}

/* tail_end - where the 0xbb behind @size bytes asked for ends */
static inline size_t
tail_end(const umem_cache_t *cp, size_t size)
{
	size_t limit = umem_root.root_maxverify;
	size_t room;

	if (__builtin_expect(cp->cache_verify == cp->cache_buftag, 1))
		return cp->cache_buftag;
	if (size >= cp->cache_buftag)
		return size;
	if (cp->cache_flags & UMF_LITE)
		limit = LITE_BYTES;
	room = cp->cache_buftag - size;
	if (room <= limit)
		return cp->cache_buftag;
	return (size + limit + WORD - 1) & ~(WORD - 1);
}

/* large_tail_end - the same for a buffer of UMF_LARGE; not a multiple of 8 */
static size_t
large_tail_end(const umem_slab_t *sp, size_t size)
{
	size_t room = sp->slab_size - sp->slab_first;

	if (sp->slab_flags & UMEM_SLAB_GUARD)
		room -= umem_root.root_page_size;
	if (room > sp->slab_chunksize)
		room = sp->slab_chunksize;
	if (room < size)
		return size;
	return room - size > LARGE_TAIL ? size + LARGE_TAIL : room;
}

static inline uint64_t
redzone_word(size_t size, int exact)
{
	uint64_t high = exact ? (uint64_t)UMEM_SIZE_ENCODE(size) << 32
			      : UMEM_PATTERN_REDZONE & ~(uint64_t)LOW32;

	return high | (UMEM_PATTERN_REDZONE & LOW32);
}

/* is_exact - whether buffers of the cache are asked for by size */
static inline int
is_exact(const umem_cache_t *cp)
{
	return (cp->cache_flags & UMF_MALLOC) != 0;
}

/* tag_size - the size that a red zone tells; UNKNOWN when it is damaged */
static inline size_t
tag_size(const struct chunk *c)
{
	uint64_t redzone = c->tag->bt_redzone;
	uint32_t high = (uint32_t)(redzone >> 32);

	if (redzone == UMEM_PATTERN_REDZONE)
		return c->cp->cache_bufsize;
	if (!UMEM_SIZE_VALID(high) ||
	    UMEM_SIZE_DECODE(high) > c->cp->cache_bufsize)
		return UNKNOWN;
	return UMEM_SIZE_DECODE(high);
}

static inline int
tag_is(const struct chunk *c, uint64_t state)
{
	return c->tag->bt_bufctl == c->self &&
	       c->tag->bt_bxstat == (c->self ^ state);
}

static inline void
tag_set(const struct chunk *c, uint64_t state, uint64_t redzone)
{
	c->tag->bt_redzone = redzone;
	c->tag->bt_bufctl = c->self;
	c->tag->bt_bxstat = c->self ^ state;
}

/* ----------------------------------------------------------------- records */

/* stamp - when, who and from where */
static inline void
stamp(umem_bufctl_audit_t *bc, uint32_t kind, uint32_t trace)
{
	bc->bc_timestamp = stamp_now();
	bc->bc_thread = umem_thread_id();
	bc->bc_what = UMEM_BC_WHAT(STACK_NUMBER(trace), kind);
}

void
audit_stamp(umem_bufctl_audit_t *bc, uint32_t kind)
{
	const struct stack_frame from = stack_caller();

	stamp(bc, kind, stack_trace(&from));
}

static COLD void
fault_signal(const umem_bufctl_audit_t *bc)
{
	struct umem_fault f = {
	    .error = UMEM_ERR_SIGNAL,
	    .buffer = bc->bc_addr,
	    .realbuf = bc->bc_addr,
	    .cache = bc->bc_cache,
	    .realcache = bc->bc_cache,
	    .slab = bc->bc_slab,
	    .size = bc->bc_size,
	};

	fault_report(&f);
}

static NOINLINE umem_contents_t *
keep_contents(
    const umem_cache_t *cp, const void *buf, size_t size, uint64_t now)
{
	size_t n = cp->cache_contents;

	if (n > size)
		n = size;
	if (n == 0 || umem_root.root_log_contents == NULL)
		return NULL;
	return tlog_contents(buf, n, now, umem_thread_slot());
}

/* record - write the buffer's bufctl, and a copy to the transaction log */
static inline __attribute__((always_inline)) void
record(const struct chunk *c, size_t size, uint8_t kind, uint32_t trace)
{
	umem_log_header_t *log = umem_root.root_log_transaction;
	umem_bufctl_audit_t *bc = c->bc, *copy;
	const umem_cache_t *cp = c->cp;
	int contents = kind == UMEM_BC_FREE && cp->cache_flags & UMF_CONTENTS;

	if (bc == NULL) {
		if (contents)
			(void)keep_contents(cp, c->buf, size, stamp_now());
		return;
	}
	bc->bc_addr = c->buf;
	bc->bc_slab = c->sp;
	bc->bc_cache = c->cp;
	bc->bc_size = size;
	bc->bc_contents = NULL;
	stamp(bc, kind, trace);
	if (contents)
		bc->bc_contents =
		    keep_contents(cp, c->buf, size, bc->bc_timestamp);
	if (log != NULL) {
		copy = tlog_record(log, bc, umem_thread_slot());
		if (copy != NULL)
			bc->bc_lastlog = copy;
	}
	if (trace & STACK_IN_HANDLER && cp->cache_flags & UMF_CHECKSIGNAL)
		fault_signal(bc);
}

/* --------------------------------------------------------- what went wrong */

static void
fault_set(struct umem_fault *f, uint32_t error, size_t offset,
    uint64_t expected, uint64_t found)
{
	f->error = error;
	f->offset = offset;
	f->expected = expected;
	f->found = found;
}

static struct umem_fault
fault_of(const struct chunk *c, const char *function)
{
	struct umem_fault f = {
	    .buffer = c->buf,
	    .realbuf = c->buf,
	    .cache = c->cp,
	    .realcache = c->cp,
	    .slab = c->sp,
	    .bufctl = c->bc,
	    .function = function,
	};

	return f;
}

/*
 * known_size - what was asked for, by the record if there is one: it lies
 * apart from the buffers, the tag does not
 */
static size_t
known_size(const struct chunk *c)
{
	if (c->bc != NULL && c->bc->bc_kind == UMEM_BC_ALLOC &&
	    c->bc->bc_size <= c->cp->cache_bufsize)
		return c->bc->bc_size;
	return tag_size(c);
}

/*
 * find_overrun - the first byte past @size that was changed: in the tail or
 * in the part of the red zone that comes before the encoded size
 */
static int
find_overrun(const struct chunk *c, size_t size, struct umem_fault *f)
{
	const unsigned char *b = (unsigned char *)c->buf;
	size_t off = c->cp->cache_buftag, end;
	size_t n = is_exact(c->cp) && size != UNKNOWN ? WORD / 2 : WORD;
	uint64_t want;

	if (size != UNKNOWN) {
		end = tail_end(c->cp, size);
		off = first_byte(b, size, end);
		if (off < end) {
			fault_set(f, UMEM_ERR_REDZONE, off, UMEM_REDZONE_BYTE,
			    b[off]);
			return 1;
		}
	}
	off = c->cp->cache_buftag;
	for (size_t i = 0; i < n; i++) {
		want = UMEM_PATTERN_REDZONE >> (8 * i) & 0xff;
		if (b[off + i] != want) {
			fault_set(
			    f, UMEM_ERR_REDZONE, off + i, want, b[off + i]);
			return 1;
		}
	}
	return 0;
}

/* find_underrun - the same for the word before the buffer */
static int
find_underrun(const struct chunk *c, struct umem_fault *f)
{
	const unsigned char *b = (unsigned char *)c->buf - WORD;
	uint64_t want;

	for (size_t i = 0; i < WORD; i++) {
		want = UMEM_PATTERN_REDZONE >> (8 * i) & 0xff;
		if (b[i] != want) {
			fault_set(f, UMEM_ERR_UNDERRUN, i - WORD, want, b[i]);
			return 1;
		}
	}
	return 0;
}

/* find_bad_tag - the word of the tag that is wrong, once the rest is right */
static void
find_bad_tag(const struct chunk *c, uint64_t state, uint64_t redzone,
    struct umem_fault *f)
{
	const uint64_t want[] = {redzone, c->self, c->self ^ state};
	const uint64_t have[] = {
	    c->tag->bt_redzone, c->tag->bt_bufctl, c->tag->bt_bxstat};
	size_t i = 0;

	while (i < 2 && want[i] == have[i])
		i++;
	fault_set(f, UMEM_ERR_BADBUFTAG, c->cp->cache_buftag + i * WORD,
	    want[i], have[i]);
}

/*
 * free_fault - name what is wrong with a buffer that comes back.  The order
 * matters: an overrun damages the tag too, and what it hit first is what a
 * person must hear.
 */
static void
free_fault(const struct chunk *c, size_t freed, struct umem_fault *f)
{
	size_t size = known_size(c);

	f->size = size != UNKNOWN ? size : 0;
	if (tag_is(c, UMEM_BUFTAG_FREE)) {
		f->error = UMEM_ERR_DUPFREE;
		f->size = c->bc != NULL ? c->bc->bc_size : 0;
	} else if (!find_overrun(c, size, f) && !find_underrun(c, f)) {
		if (size != UNKNOWN && size == tag_size(c) &&
		    tag_is(c, UMEM_BUFTAG_ALLOC) && freed != UNKNOWN)
			fault_set(f, UMEM_ERR_BADSIZE, 0, size, freed);
		else
			find_bad_tag(c, UMEM_BUFTAG_ALLOC,
			    size == tag_size(c)
				? c->tag->bt_redzone
				: redzone_word(size, is_exact(c->cp)),
			    f);
	}
}

static const char *
free_function(const umem_cache_t *cp, size_t freed)
{
	if (!(cp->cache_flags & UMF_MALLOC))
		return "umem_cache_free";
	return freed == UNKNOWN ? "free" : "umem_free";
}

/*
 * report_free - report what free_is_good() objected to, and mend what the
 * buffer's neighbours need.  Returns -1 when it must not be freed.
 */
static COLD int
report_free(umem_cache_t *cp, umem_slab_t *sp, void *buf, size_t freed)
{
	struct chunk c = chunk_of(cp, sp, buf);
	struct umem_fault f = fault_of(&c, free_function(cp, freed));

	free_fault(&c, freed, &f);
	fault_report(&f);
	*front_guard(&c) = UMEM_PATTERN_REDZONE;
	return f.error == UMEM_ERR_DUPFREE ? -1 : 0;
}

/* --------------------------------------------------------------- the checks */

/* free_is_good - in one pass; sets *size_ret to the size asked for */
static inline int
free_is_good(const struct chunk *c, size_t freed, size_t *size_ret)
{
	size_t size = tag_size(c);

	*size_ret = size;
	if (size == UNKNOWN || !tag_is(c, UMEM_BUFTAG_ALLOC) ||
	    (c->tag->bt_redzone & LOW32) != (UMEM_PATTERN_REDZONE & LOW32) ||
	    *front_guard(c) != UMEM_PATTERN_REDZONE)
		return 0;
	if (freed != UNKNOWN && freed != size)
		return 0;
	return tail_differs(c->buf, size, tail_end(c->cp, size)) == 0;
}

/* alloc_is_good - a free buffer is as audit_free() left it */
static inline int
alloc_is_good(const struct chunk *c)
{
	if (c->tag->bt_redzone != UMEM_PATTERN_REDZONE ||
	    !tag_is(c, UMEM_BUFTAG_FREE) ||
	    *front_guard(c) != UMEM_PATTERN_REDZONE)
		return 0;
	return words_differ(c->buf, c->cp->cache_verify, UMEM_PATTERN_FREE) ==
	       0;
}

/* fault_modified - the word at @off is not @want: which byte is the first */
static void
fault_modified(
    const struct chunk *c, size_t off, uint64_t want, struct umem_fault *f)
{
	uint64_t have = *(word_t *)(c->buf + off);
	unsigned bit = (unsigned)__builtin_ctzll(have ^ want);

	fault_set(f, UMEM_ERR_MODIFIED, off + bit / 8, want, have);
}

/* report_modified - say what is wrong with a free buffer, and mend it */
static COLD void
report_modified(
    umem_cache_t *cp, umem_slab_t *sp, void *buf, const char *function)
{
	struct chunk c = chunk_of(cp, sp, buf);
	struct umem_fault f = fault_of(&c, function);
	size_t n = cp->cache_verify;
	size_t off = first_word(buf, n, UMEM_PATTERN_FREE);

	if (c.bc != NULL)
		f.size = c.bc->bc_size;
	if (off < n)
		fault_modified(&c, off, UMEM_PATTERN_FREE, &f);
	else if (c.tag->bt_redzone != UMEM_PATTERN_REDZONE)
		fault_modified(&c, cp->cache_buftag, UMEM_PATTERN_REDZONE, &f);
	else if (!find_underrun(&c, &f))
		find_bad_tag(&c, UMEM_BUFTAG_FREE, UMEM_PATTERN_REDZONE, &f);
	fault_report(&f);
	*front_guard(&c) = UMEM_PATTERN_REDZONE;
}

/* ------------------------------------------------------------------- slabs */

void
audit_slab_init(umem_cache_t *cp, umem_slab_t *sp)
{
	char *buf = (char *)sp->slab_base + sp->slab_first;
	const size_t front = offsetof(umem_buftag_t, bt_front);
	struct chunk c;

	if (!(cp->cache_flags & UMF_BUFTAG))
		return;
	*(word_t *)(buf - WORD) = UMEM_PATTERN_REDZONE;
	for (uint32_t i = 0; i < sp->slab_chunks; i++) {
		c = chunk_of(cp, sp, buf);
		fill_words(buf, cp->cache_verify, UMEM_PATTERN_FREE);
		tag_set(&c, UMEM_BUFTAG_FREE, UMEM_PATTERN_REDZONE);
		fill_words((char *)c.tag + front,
		    (size_t)(buf + sp->slab_chunksize - (char *)c.tag) - front,
		    UMEM_PATTERN_REDZONE);
		buf += sp->slab_chunksize;
	}
}

void
audit_slab_fini(umem_cache_t *cp, umem_slab_t *sp)
{
	char *buf = (char *)sp->slab_base + sp->slab_first;
	struct chunk c;

	if (!(cp->cache_flags & UMF_BUFTAG))
		return;
	for (uint32_t i = 0; i < sp->slab_chunks; i++) {
		c = chunk_of(cp, sp, buf);
		/* the client may destroy a cache of which it holds buffers */
		if (!tag_is(&c, UMEM_BUFTAG_ALLOC) && !alloc_is_good(&c))
			report_modified(cp, sp, buf, "giving memory back");
		buf += sp->slab_chunksize;
	}
}

/* ----------------------------------------------------------- large buffers */

static void
large_guard(const struct chunk *c, size_t size)
{
	size_t end = large_tail_end(c->sp, size);

	if (!(c->cp->cache_flags & UMF_BUFTAG))
		return;
	memset(c->buf + size, UMEM_REDZONE_BYTE, end - size);
	if (c->sp->slab_first >= WORD)
		*front_guard(c) = UMEM_PATTERN_REDZONE;
}

static void
large_check(const struct chunk *c, size_t freed)
{
	struct umem_fault f = fault_of(c, free_function(c->cp, freed));
	size_t size = c->sp->slab_reqsize;
	size_t end = large_tail_end(c->sp, size);
	size_t off = end;

	f.size = size;
	if (c->cp->cache_flags & UMF_BUFTAG)
		off = first_byte(c->buf, size, end);
	if (off < end)
		fault_set(&f, UMEM_ERR_REDZONE, off, UMEM_REDZONE_BYTE,
		    (unsigned char)c->buf[off]);
	else if ((c->cp->cache_flags & UMF_BUFTAG) &&
		 c->sp->slab_first >= WORD && find_underrun(c, &f))
		;
	else if (freed != UNKNOWN && freed != size)
		fault_set(&f, UMEM_ERR_BADSIZE, 0, size, freed);
	else
		return;
	fault_report(&f);
}

/* ---------------------------------------------------------------- the calls */

/*
 * dress - tag a buffer of @size bytes, which read as uninitialised; those
 * behind them are 0xbb
 */
static inline __attribute__((always_inline)) void
dress(const struct chunk *c, size_t size, int exact)
{
	/* as long as what was checked: the same branches, guessed right */
	fill_words(c->buf, c->cp->cache_verify, UMEM_PATTERN_UNINIT);
	tail_fill(c->buf, size, tail_end(c->cp, size));
	tag_set(c, UMEM_BUFTAG_ALLOC, redzone_word(size, exact));
}

static NOINLINE void *
alloc_large(
    umem_cache_t *cp, umem_slab_t *sp, void *buf, size_t size, uint32_t trace)
{
	struct chunk c = chunk_at(cp, sp, 0, buf);

	large_guard(&c, size);
	record(&c, size, UMEM_BC_ALLOC, trace);
	return buf;
}

void *
audit_alloc(umem_cache_t *cp, umem_slab_t *sp, void *buf, size_t size,
    int exact, uint32_t trace)
{
	struct chunk c;

	if (__builtin_expect(cp->cache_flags & UMF_LARGE, 0))
		return alloc_large(cp, sp, buf, size, trace);
	c = chunk_of(cp, sp, buf);
	if (cp->cache_flags & UMF_BUFTAG) {
		if (__builtin_expect(!alloc_is_good(&c), 0))
			report_modified(cp, sp, buf, "an allocation");
		dress(&c, size, exact);
	}
	record(&c, size, UMEM_BC_ALLOC, trace);
	return buf;
}

/* record_says_free - the same as the tag would, for caches without tags */
static int
record_says_free(const struct chunk *c, size_t freed)
{
	struct umem_fault f = fault_of(c, free_function(c->cp, freed));

	if (c->bc == NULL)
		return 0;
	f.size = c->bc->bc_size;
	if (c->bc->bc_kind == UMEM_BC_FREE)
		f.error = UMEM_ERR_DUPFREE;
	else if (freed != UNKNOWN && freed != c->bc->bc_size)
		fault_set(&f, UMEM_ERR_BADSIZE, 0, c->bc->bc_size, freed);
	else
		return 0;
	fault_report(&f);
	return f.error == UMEM_ERR_DUPFREE;
}

/* free_untagged - large buffers, and caches with records alone */
static NOINLINE int
free_untagged(umem_slab_t *sp, size_t index, void *buf, size_t freed,
    const struct stack_frame *from)
{
	umem_cache_t *cp = sp->slab_cache;
	struct chunk c = chunk_at(cp, sp, index, buf);
	size_t size = cp->cache_bufsize;

	if (cp->cache_flags & UMF_LARGE) {
		large_check(&c, freed);
		size = sp->slab_reqsize;
	} else {
		if (record_says_free(&c, freed))
			return -1;
		if (c.bc != NULL)
			size = c.bc->bc_size;
	}
	record(&c, size, UMEM_BC_FREE, audit_trace(cp, from));
	return 0;
}

int
audit_free(umem_slab_t *sp, size_t index, void *buf, size_t size,
    const struct stack_frame *from)
{
	umem_cache_t *cp = sp->slab_cache;
	struct chunk c;
	size_t asked;

	if ((cp->cache_flags & UMF_BUFTAG) == 0 || cp->cache_flags & UMF_LARGE)
		return free_untagged(sp, index, buf, size, from);
	c = chunk_at(cp, sp, index, buf);
	if (__builtin_expect(!free_is_good(&c, size, &asked), 0)) {
		if (report_free(cp, sp, buf, size) != 0)
			return -1;
		asked = audit_size(cp, sp, buf);
	}
	record(&c, asked, UMEM_BC_FREE, audit_trace(cp, from));
	fill_words(buf, cp->cache_verify, UMEM_PATTERN_FREE);
	tag_set(&c, UMEM_BUFTAG_FREE, UMEM_PATTERN_REDZONE);
	return 0;
}

size_t
audit_size(umem_cache_t *cp, umem_slab_t *sp, void *buf)
{
	struct chunk c = chunk_of(cp, sp, buf);
	size_t size;

	if (cp->cache_flags & UMF_LARGE)
		return sp->slab_reqsize;
	if (!(cp->cache_flags & UMF_BUFTAG))
		return c.bc != NULL ? c.bc->bc_size : cp->cache_bufsize;
	size = tag_size(&c);
	if (size == UNKNOWN)
		size = known_size(&c);
	return size != UNKNOWN ? size : cp->cache_bufsize;
}

/* ---------------------------------------------------- failed allocations */

static void
log_failure(umem_cache_t *cp, size_t size)
{
	umem_bufctl_audit_t bc = {.bc_cache = cp, .bc_size = size};

	audit_stamp(&bc, UMEM_BC_FAIL);
	(void)tlog_record(umem_root.root_log_fail, &bc, umem_thread_slot());
}

void
audit_fail(umem_cache_t *cp, size_t size)
{
	uint32_t flags = cp != NULL ? cp->cache_flags : umem_root.root_flags;
	struct umem_fault f = {
	    .error = UMEM_ERR_NOMEM,
	    .cache = cp,
	    .size = size,
	};

	if (umem_root.root_log_fail != NULL)
		log_failure(cp, size);
	if (flags & UMF_CHECKNULL)
		fault_report(&f);
}

int
audit_mtbf(void)
{
	static uint64_t calls;
	uint64_t x, n = umem_root.root_mtbf;

	if (n == 0)
		return 0;
	/* the clock alone may tick in steps that share a factor with n */
	x = os_now() + 0x9e3779b97f4a7c15ULL *
			   __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31) % n == 0;
}
