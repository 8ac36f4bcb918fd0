/* SPDX-License-Identifier: MIT */
/*
 * find_end.c - pointers to the end of one buffer that equal the next one's start
 *
 * Layer: see find_end.h.
 */
#include "find_end.h"

#define WORD sizeof(uint64_t)
#define WORD_BITS 64u

/* A word that is the end of the buffer [begin, end) and the start of another. */
struct end {
	const struct mark *m;
	const struct mark_slab *s; /* of that other */
	const struct end_word *w;
	taddr_t begin, end;
};

/* The word @i words on; 0 where there is none. */
static uint64_t
around(const struct end *e, int i)
{
	const struct end_word *w = e->w;
	const ptrdiff_t off = i * (ptrdiff_t)WORD;

	if (off < w->start - w->at || off + (ptrdiff_t)WORD > w->end - w->at)
		return 0;
	return find_mem_u64(w->at + off);
}

/* What can matter: two of the words beside are of this kind. */
static unsigned
is_inside(const struct end *e, int i)
{
	return around(e, i) - e->begin <= e->end - e->begin;
}

/* Between the two, neither of them. */
static bool
is_between(const struct end *e, uint64_t word)
{
	return word > e->begin && word < e->end;
}

/*
 * A FILE of glibc: its flags, then three pointers for reading, three for
 * writing, and the buffer.
 */
static bool
end_of_stream(const struct end *e)
{
	enum { MAGIC = 0xfbad, BASE = 7, LAST = 8 };
	int i;

	for (i = 1; i <= LAST; i++)
		if ((uint32_t)around(e, -i) >> 16 == MAGIC &&
		    around(e, BASE - i) == e->begin &&
		    around(e, LAST - i) == e->end)
			return true;
	return false;
}

/* Are the words from @i on a vector of at most a buffer of this size? */
static bool
is_vector(const struct end *e, int i)
{
	const uint64_t first = around(e, i);
	const uint64_t used = around(e, i + 1) - first;
	const uint64_t room = around(e, i + 2) - first;

	return used > 0 && used <= room && room <= e->s->chunksize;
}

/*
 * The next range begins here: its next word is in the buffer, or its end; not
 * when that is where a vector begins.
 */
static bool
begins_range(const struct end *e)
{
	const uint64_t next = around(e, 1), last = e->end + e->s->bufsize;

	return next > e->end &&
	       (next < last || (next == last && !is_vector(e, 1)));
}

/* Could this stand in one table with pointers to these two? */
static bool
is_alike(const struct end *e, uint64_t word)
{
	const struct mark *m = e->m;
	const struct mark_slab *s;

	if (word - m->lo >= m->len)
		return false;
	s = find_mark_slab(m, word - m->lo);
	return s != NULL && s->chunksize == e->s->chunksize &&
	       (word - s->first) % s->chunksize == 0;
}

/* Three words from @i on: do they stand in a table of such pointers? */
static bool
in_table(const struct end *e, int i)
{
	return (is_alike(e, around(e, i - 1)) && !is_vector(e, i - 3)) ||
	       (is_alike(e, around(e, i + 3)) && !is_vector(e, i + 3));
}

static bool
end_of_vector(const struct end *e)
{
	const uint64_t before = around(e, -1);

	if (around(e, -2) == e->begin)
		return is_between(e, before) ||
		       (before == e->end && !in_table(e, -2));
	return before == e->begin && around(e, 1) == e->end && !in_table(e, -1);
}

/* Three words from @i on, one apart: do they stand in a table of pairs? */
static bool
in_pairs(const struct end *e, int i)
{
	return is_alike(e, around(e, i - 2)) || is_alike(e, around(e, i + 6));
}

/*
 * A std::vector<bool> has the number of a bit behind each of the first two; it
 * is 0 behind the end of what is in use, when that is the end.
 */
static bool
end_of_bits(const struct end *e)
{
	const uint64_t last = around(e, -2);
	const uint32_t bit = (uint32_t)around(e, -1);

	if (last == e->begin && bit == 0)
		return (uint32_t)around(e, 1) == 0 && around(e, 2) == e->end &&
		       !in_pairs(e, -2);
	if (around(e, -4) != e->begin || (uint32_t)around(e, -3) != 0 ||
	    bit >= WORD_BITS)
		return false;
	if (is_between(e, last))
		return last % WORD == 0;
	return (last == e->begin || (last == e->end && bit == 0)) &&
	       !in_pairs(e, -4);
}

/* A node's place in the deque's map follows, and that leads to its begin. */
static bool
end_of_node(const struct end *e)
{
	const struct mark *m = e->m;
	const uint64_t node = around(e, 1);
	const struct mark_slab *s;

	if (around(e, -1) != e->begin || node % WORD != 0 ||
	    node - m->lo >= m->len)
		return false;
	if (!is_between(e, around(e, -2)) && around(e, -2) != e->begin)
		return false;
	s = find_mark_slab(m, node - m->lo);
	return s != NULL && s->bytes != NULL && node >= s->first &&
	       node - s->first <= s->nchunk * s->chunksize - WORD &&
	       find_mem_u64(s->bytes + (node - s->first)) == e->begin;
}

/* Is the buffer allocated that ends here, and is all of it in use? */
static bool
is_whole(const struct end *e, uint32_t index, uint64_t gap)
{
	const struct mark_slab *s = index == 0 ? e->s - 1 : e->s;

	index = index == 0 ? s->nchunk - 1u : index - 1;
	return __atomic_load_n(&s->state[index], __ATOMIC_RELAXED) !=
		   MARK_NONE &&
	       find_mark_size(s, index) == gap;
}

bool
find_end(const struct mark *m, const struct mark_slab *s, uint32_t index,
    const struct end_word *w)
{
	const uint64_t gap = find_end_gap(m, s, index);
	struct end e = {.m = m, .s = s, .w = w};

	if (gap == 0)
		return false;
	e.end = s->first + index * s->chunksize;
	e.begin = e.end - gap;
	if (is_inside(&e, -4) + is_inside(&e, -2) + is_inside(&e, -1) +
		is_inside(&e, 1) + is_inside(&e, 2) <
	    2)
		return false;
	if (!is_whole(&e, index, gap))
		return false;
	return end_of_stream(&e) || end_of_bits(&e) ||
	       (!begins_range(&e) && (end_of_vector(&e) || end_of_node(&e)));
}
