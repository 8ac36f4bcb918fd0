/* SPDX-License-Identifier: MIT */
/*
 * find_end.h - pointers to the end of one buffer that equal the next one's start
 *
 * Without a buftag two buffers can touch, and what is full - a std::vector, a
 * node of a deque, a stream's buffer - has a pointer to its end that looks like
 * one to the start of its neighbour.  What stands beside such a word tells:
 *
 *	begin, last, END	a vector, or any cursor in a block
 *	begin, END, END		a full one
 *	begin, 0, last, bit, END	a std::vector<bool>, full or not
 *	last, begin, END, node	an iterator of a deque, if the node leads back
 *	a FILE of glibc
 *
 * where last is strictly between the two.  The cost of a mistake is a buffer in
 * use that is called possibly lost, in each such structure, so these are all.
 * Not among them, as each is also what others have:
 *
 *	begin, begin, END	a vector that was cleared; but a queue of one
 *				before another pointer, the header of a
 *				std::map
 *	last, begin, END	without a node; but a std::shared_ptr before
 *				another pointer
 *	begin, END, last	but two pointers before one to a member
 *
 * and a word is a plain pointer all the same when a pointer into the buffer
 * that it names, or to its end, follows: there begins the next such structure;
 * unless a vector starts at its end, as rows do that a loop fills.
 * A full one is not believed among pointers to buffers of its cache, where a
 * table can have something twice, unless those are of such structures, too.
 *
 * Layer: above find_mark.h; below find_gather.h.
 */
#ifndef UMDB_FIND_END_H
#define UMDB_FIND_END_H

#include "find_mark.h"

#define END_AROUND 8 /* words before and behind that can matter */

/* A word in local memory, and how far that reaches; all aligned the same. */
struct end_word {
	const uint8_t *at, *start, *end;
};

/*
 * find_end_gap - how long the buffer is that ends where this one starts, from
 * its start; 0: there is none
 */
static inline uint64_t
find_end_gap(const struct mark *m, const struct mark_slab *s, uint32_t index)
{
	const struct mark_slab *before = s - 1;

	if (index != 0)
		return s->bufsize == s->chunksize ? s->chunksize : 0;
	if (s == m->slab || before->nchunk == 0 ||
	    s->first != before->first +
			    (before->nchunk - 1u) * before->chunksize +
			    before->bufsize)
		return 0;
	return before->bufsize;
}

/*
 * find_end - is @w, which equals the start of a buffer, the end of the one
 * before it?  Any thread.
 */
bool find_end(const struct mark *m, const struct mark_slab *s, uint32_t index,
    const struct end_word *w);

#endif /* UMDB_FIND_END_H */
