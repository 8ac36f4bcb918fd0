/* SPDX-License-Identifier: MIT */
/*
 * find_inner.h - pointers to the inside that are as good as one to the start
 *
 * Some programs keep no pointer to the start of what they allocated, by
 * design.  These layouts are known, each by evidence in memory that chance
 * does not produce:
 *
 *	new T[n] with a count of elements before the first one, and new T[0],
 *	    which is nothing but the count: its end is pointed to
 *	a block with its length in front
 *	room for a page of SQLite's behind its length, less four bytes
 *	the shared string of the older C++ ABI: length, capacity, references
 *	a base class that is not the first (the virtual table says how far the
 *	    complete object is)
 *	an exception of C++, thrown or in an exception_ptr
 *	a chunk of the C++ library's memory resources, known by its end
 *	a link of a list with two directions, if its neighbours point back
 *	a pointer with marks in its last bits, to a struct that begins with a
 *	    pointer
 *	a block aligned by hand, the real start in the word before it, or a
 *	    struct inside another one that begins with a pointer to that
 *	a string of Redis behind its length and room
 *	a thread of Lua, behind a word that is the program's
 *	objects of CPython behind the collector's header, and their attributes
 *
 * Memcheck knows the first four under --leak-check-heuristics.
 *
 * Layer: above find_mem.h; below find_mark.h.
 */
#ifndef UMDB_FIND_INNER_H
#define UMDB_FIND_INNER_H

#include "find_mem.h"

enum inner_answer {
	INNER_NO,
	INNER_YES,
	INNER_UNKNOWN, /* needs memory that only the main thread can read */
};

#define INNER_CACHE 1024
struct inner_word {
	taddr_t addr;
	uint64_t value;
	int rc;
};

struct inner {
	const struct mem *mem;
	struct target *tgt;                  /* main thread only, else NULL */
	struct inner_word word[INNER_CACHE]; /* what was read through tgt */
};

struct inner_buf {
	taddr_t addr;
	const uint8_t *bytes;
	uint64_t size;  /* asked for; the most it can have been if not known */
	uint64_t least; /* the least it can have been */
};

/*
 * find_inner_is_empty - new T[0] with destructors: only a count of elements
 * was allocated, and the program's pointer is to the end of it
 */
static inline bool
find_inner_is_empty(const uint8_t *bytes, uint64_t size, uint64_t off)
{
	return off == sizeof(uint64_t) && size >= off && bytes != NULL &&
	       find_mem_u64(bytes) == 0;
}

/* find_inner - does a pointer @off (> 0) bytes on from the start hold it? */
enum inner_answer find_inner(
    struct inner *in, const struct inner_buf *b, uint64_t off);

#endif /* UMDB_FIND_INNER_H */
