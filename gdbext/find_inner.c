/* SPDX-License-Identifier: MIT */
/*
 * find_inner.c - pointers to the inside that are as good as one to the start
 *
 * Layer: see find_inner.h.
 */
#include "find_inner.h"

#define WORD sizeof(uint64_t)
#define ADDR_MIN 4096u
#define ADDR_MAX (1ULL << 47)
#define ARRAY_HEAD_MAX 128u /* the strictest alignment of elements */

static bool
plausible(taddr_t addr)
{
	return addr >= ADDR_MIN && addr < ADDR_MAX && addr % WORD == 0;
}

/* A word anywhere in the target. */
static enum inner_answer
inner_read(struct inner *in, taddr_t addr, uint64_t *ret)
{
	const uint8_t *p = find_mem_at(in->mem, addr, WORD);
	struct inner_word *w;

	if (p != NULL) {
		*ret = find_mem_u64(p);
		return INNER_YES;
	}
	if (in->tgt == NULL)
		return INNER_UNKNOWN;
	w = &in->word[addr / WORD % INNER_CACHE];
	if (w->addr != addr) {
		w->addr = addr;
		w->rc = target_read(in->tgt, addr, &w->value, WORD, "word");
	}
	*ret = w->value;
	return w->rc == UMDB_OK ? INNER_YES : INNER_NO;
}

/*
 * A count of elements right before the first one, which is @head bytes in,
 * its alignment: can that be what was allocated?
 */
static bool
inner_is_array(const struct inner_buf *b, uint64_t head)
{
	const uint64_t count = find_mem_u64(b->bytes + head - WORD);
	const uint64_t unit = head == WORD ? 1 : head;
	uint64_t each;

	if (count == 0 || b->size <= head || count > b->size - head)
		return false;
	each = (b->size - head) / count / unit * unit;
	return each != 0 && head + each * count >= b->least;
}

/*
 * SQLite's room for a page to be built in, behind a length: its pointer leaves
 * four bytes for the number of another page in front.
 */
static bool
inner_is_scratch(const struct inner_buf *b, uint64_t off)
{
	enum { HEAD = WORD + 4, PAGE_MIN = 512, PAGE_MAX = 65536 };
	uint64_t page;

	if (off != HEAD || b->size <= HEAD)
		return false;
	page = find_mem_u64(b->bytes);
	return page >= PAGE_MIN && page <= PAGE_MAX &&
	       (page & (page - 1)) == 0 && page + WORD <= b->size &&
	       page + WORD >= b->least;
}

static bool
inner_is_string(const struct inner_buf *b)
{
	enum { HEAD = 3 * WORD };
	uint64_t len, cap;

	if (b->size <= HEAD)
		return false;
	len = find_mem_u64(b->bytes);
	cap = find_mem_u64(b->bytes + WORD);
	return len <= cap && cap < b->size - HEAD &&
	       cap + HEAD + 1 >= b->least && b->bytes[HEAD + len] == '\0' &&
	       (int32_t)find_mem_u32(b->bytes + 2 * WORD) >= -1;
}

/*
 * The Itanium C++ ABI: before the functions of a virtual table stand the way
 * to the complete object and its type; the tables of one class share that.
 */
static enum inner_answer
inner_is_base(struct inner *in, const struct inner_buf *b, uint64_t off)
{
	uint64_t first, table, up, type, first_up, first_type;
	enum inner_answer a;

	if (off % WORD != 0 || b->size < WORD || off > b->size - WORD)
		return INNER_NO;
	first = find_mem_u64(b->bytes);
	table = find_mem_u64(b->bytes + off);
	if (!plausible(first) || !plausible(table))
		return INNER_NO;
	a = inner_read(in, table - 2 * WORD, &up);
	if (a != INNER_YES || up + off != 0)
		return a == INNER_YES ? INNER_NO : a;
	a = inner_read(in, first - 2 * WORD, &first_up);
	if (a != INNER_YES || first_up != 0)
		return a == INNER_YES ? INNER_NO : a;
	a = inner_read(in, table - WORD, &type);
	if (a == INNER_YES)
		a = inner_read(in, first - WORD, &first_type);
	if (a == INNER_YES && type != first_type)
		a = INNER_NO;
	return a;
}

/*
 * An exception of the Itanium C++ ABI.  Catch blocks point to what unwinding
 * knows of it, an exception_ptr to the object; all stands behind a count.
 */
static bool
inner_is_exception(const struct inner_buf *b, uint64_t off)
{
	enum { HEADER = 2 * WORD, CLASS = 12 * WORD, OBJECT = 16 * WORD };
	static const char vendor[][9] = {"\0++CCUNG", "\0++CGNLC"};
	const uint8_t *p = b->bytes + CLASS;

	return (off == HEADER || off == CLASS || off == OBJECT) &&
	       b->size >= OBJECT &&
	       (memcmp(p, vendor[0], WORD) == 0 ||
		   memcmp(p, vendor[1], WORD) == 0);
}

/*
 * A chunk of a memory resource of the C++ library: its size, with the
 * logarithm of its alignment in the last bits, and a pointer to the chunk
 * before stand at its end.
 */
static bool
inner_is_chunk(const struct inner_buf *b, uint64_t off)
{
	enum { FOOTER = 2 * WORD, LOW = 63, ALIGN_MAX = 12 };
	uint64_t word;

	if (off % WORD != 0 || b->size < FOOTER || off > b->size - FOOTER ||
	    off + FOOTER < b->least)
		return false;
	word = find_mem_u64(b->bytes + off);
	return (word & ~(uint64_t)LOW) == off + FOOTER && (word & LOW) >= 3 &&
	       (word & LOW) <= ALIGN_MAX;
}

/*
 * A type object of CPython: following the types of types ends at the one
 * that is its own.
 */
static enum inner_answer
inner_is_type(struct inner *in, taddr_t type, uint64_t room)
{
	enum { OB_TYPE = 8, TP_BASICSIZE = 32, DEPTH = 4 };
	enum inner_answer a;
	uint64_t size, up;
	int i;

	a = inner_read(in, type + TP_BASICSIZE, &size);
	if (a != INNER_YES)
		return a;
	if (size < 2 * WORD || size > room)
		return INNER_NO;
	for (i = 0; i < DEPTH; i++) {
		a = inner_read(in, type + OB_TYPE, &up);
		if (a != INNER_YES)
			return a;
		if (up == type)
			return INNER_YES;
		if (!plausible(up))
			return INNER_NO;
		type = up;
	}
	return INNER_NO;
}

/*
 * An object of CPython @head bytes into the buffer.  One without references
 * waits on a free list.
 */
static enum inner_answer
inner_is_object(struct inner *in, const struct inner_buf *b, uint64_t head)
{
	uint64_t refs, type;

	if (b->size < head + 2 * WORD)
		return INNER_NO;
	refs = find_mem_u64(b->bytes + head);
	type = find_mem_u64(b->bytes + head + WORD);
	if (refs > UINT32_MAX || !plausible(type))
		return INNER_NO;
	return inner_is_type(in, type, b->size - head);
}

/*
 * The collector's header is 16 bytes; before it may stand two more words
 * (dict and weak references), and then the collector's own links point
 * between them and the header.
 */
static enum inner_answer
inner_is_collected(struct inner *in, const struct inner_buf *b, uint64_t off)
{
	enum { HEADER = 16, BEFORE = 16 };
	enum inner_answer a = INNER_NO;

	if (off == HEADER)
		a = inner_is_object(in, b, HEADER);
	if (a == INNER_NO && (off == BEFORE || off == BEFORE + HEADER))
		a = inner_is_object(in, b, BEFORE + HEADER);
	return a;
}

/* The start, or what the program takes for it. */
static bool
inner_is_front(const struct inner_buf *b, uint64_t off)
{
	return off == 0 || (off >= WORD && off <= ARRAY_HEAD_MAX &&
			       (off & (off - 1)) == 0 && off < b->size &&
			       inner_is_array(b, off));
}

/*
 * A pointer to the start stands right before what is pointed to (a block
 * aligned by hand), or in its first two words (an inner struct that knows its
 * container).
 */
static bool
inner_leads_back(const struct inner_buf *b, uint64_t off)
{
	uint64_t at;

	for (at = off - WORD; at <= off + WORD; at += WORD)
		if (at <= b->size - WORD &&
		    inner_is_front(b, find_mem_u64(b->bytes + at) - b->addr))
			return true;
	return false;
}

/*
 * The attributes of an object of CPython 3.11 and later: n pointers, before
 * them a byte each and two more, rounded up to words; the last byte says how
 * many bytes these are and the one before how many pointers are in use.
 */
static bool
inner_is_values(const struct inner_buf *b, uint64_t off)
{
	const uint64_t most = (b->size - off) / WORD;
	uint64_t n;

	if (off > UINT8_MAX || off % WORD != 0 || b->bytes[off - 1] != off)
		return false;
	n = most < off - 2 ? most : off - 2;
	return n + 2 + WORD > off && b->bytes[off - 2] <= n &&
	       off + n * WORD >= b->least;
}

/*
 * A string as Redis has them: in front of the text stand its length and room,
 * each of so many bytes, and a byte that says how many that are.  A short one
 * has nothing but its length, in that byte.
 */
static bool
inner_is_sds(const struct inner_buf *b, uint64_t off)
{
	enum { SHORT, TYPES = 5, TYPE = 7, LEN = 3 };
	uint64_t width, len = 0, room = 0;
	const uint8_t *p;
	unsigned type;

	if (b->size <= off || off - 1 > 2 * WORD) /* or 0 */
		return false;
	type = b->bytes[off - 1] & TYPE;
	width = type == SHORT ? 0 : 1u << (type - 1);
	if (type >= TYPES || off != 2 * width + 1)
		return false;
	memcpy(&len, b->bytes, width);
	memcpy(&room, b->bytes + width, width);
	if (type == SHORT)
		len = room = b->bytes[0] >> LEN;
	p = b->bytes + off;
	return len <= room && room < b->size - off &&
	       off + room + 1 >= b->least && p[len] == '\0';
}

/*
 * A thread of Lua 5.3 or 5.4, which is also what its main program has: behind
 * room for the program's own, one word as usual.  Its kind stands behind one
 * pointer, and its stack has a start, a top and an end.
 */
static bool
inner_is_lua(const struct inner_buf *b, uint64_t off)
{
	enum { KIND = 8, TOP = 2, LAST = 5, FIRST = 6, WORDS = 8, VALUE = 16 };
	enum { LUA_TTHREAD = 8, VALUES_MAX = 1000000 + 200 };
	const uint8_t *p = b->bytes + off;
	uint64_t first, top, room;
	int i;

	if (off != WORD || b->size < off + WORDS * WORD ||
	    p[KIND] != LUA_TTHREAD)
		return false;
	top = find_mem_u64(p + TOP * WORD);
	for (i = 0; i < 2; i++) { /* 5.3 has one more word before */
		first = find_mem_u64(p + (FIRST + i) * WORD);
		room = find_mem_u64(p + (LAST + i) * WORD) - first;
		if (plausible(first) && room != 0 && room % VALUE == 0 &&
		    room / VALUE <= VALUES_MAX && top - first <= room &&
		    (top - first) % VALUE == 0)
			return true;
	}
	return false;
}

/*
 * A link of a list with two directions, as a member: its neighbour before
 * points to it, and so does the one behind, if there is one.  The word that
 * the one before points with may be its own link or the list's head.
 */
static enum inner_answer
inner_is_link(struct inner *in, const struct inner_buf *b, uint64_t off)
{
	const taddr_t link = b->addr + off;
	uint64_t next, prev, back;
	enum inner_answer a;

	if (off % WORD != 0 || b->size < 2 * WORD || off > b->size - 2 * WORD)
		return INNER_NO;
	next = find_mem_u64(b->bytes + off);
	prev = find_mem_u64(b->bytes + off + WORD);
	if (!plausible(prev) || prev == link || next == link ||
	    (next != 0 && !plausible(next)))
		return INNER_NO;
	a = inner_read(in, prev, &back);
	if (a != INNER_YES || back != link)
		return a == INNER_YES ? INNER_NO : a;
	if (next == 0)
		return INNER_YES;
	a = inner_read(in, next + WORD, &back);
	return a == INNER_YES && back != link ? INNER_NO : a;
}

/*
 * A pointer with marks in the bits that alignment leaves free, to a struct
 * that begins with a pointer, as nothing does into which text cursors point.
 * So has glibc's tsearch(3) the colours of its nodes.
 */
static enum inner_answer
inner_is_marked(struct inner *in, const struct inner_buf *b, uint64_t off)
{
	uint64_t first, word;

	if (off == 0 || b->size < 2 * WORD)
		return INNER_NO;
	first = find_mem_u64(b->bytes);
	return plausible(first) ? inner_read(in, first, &word) : INNER_NO;
}

enum inner_answer
find_inner(struct inner *in, const struct inner_buf *b, uint64_t off)
{
	enum inner_answer a;

	if (b->least <= WORD && find_inner_is_empty(b->bytes, b->size, off))
		return INNER_YES;
	if (off >= b->size)
		return INNER_NO;
	if (inner_is_sds(b, off))
		return INNER_YES;
	if (off < WORD)
		return inner_is_marked(in, b, off);
	if (inner_is_front(b, off) || inner_is_values(b, off))
		return INNER_YES;
	if (off == 3 * WORD && inner_is_string(b))
		return INNER_YES;
	if (inner_is_scratch(b, off) || inner_is_exception(b, off) ||
	    inner_is_chunk(b, off) || inner_is_lua(b, off) ||
	    inner_leads_back(b, off))
		return INNER_YES;
	a = inner_is_collected(in, b, off);
	if (a == INNER_NO)
		a = inner_is_base(in, b, off);
	if (a == INNER_NO)
		a = inner_is_link(in, b, off);
	return a;
}
