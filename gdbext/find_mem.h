/* SPDX-License-Identifier: MIT */
/*
 * find_mem.h - the target's memory as local bytes that threads may read
 *
 * target_map and target_read belong to the debugger's main thread.  A finder
 * that goes over gigabytes wants plain pointers, and several threads.  So
 * main asks once for everything that can be borrowed, and copies what cannot
 * (a live process) up to a budget; afterwards anyone may look up.
 *
 * Layer: above target.h; below find_mark.h.
 */
#ifndef UMDB_FIND_MEM_H
#define UMDB_FIND_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "target.h"

struct mem_extent {
	taddr_t addr;
	uint64_t len;
	const uint8_t *bytes;
};

struct mem {
	struct target *tgt;
	struct mem_extent *ext; /* sorted by addr, no overlap */
	size_t next;
	void **copy; /* pieces that were read */
	size_t ncopy, copyroom;
	uint64_t budget;          /* bytes that may still be copied */
	uint64_t copied, to_copy; /* bytes, for progress */
	bool stopped;             /* by the user */
};

/*
 * find_mem_init - borrow all mappings of the target that it lends.  Returns
 * UMDB_OK or UMDB_ENOMEM; find_mem_fini is to be called in either case.
 */
int find_mem_init(struct mem *mem, struct target *tgt);
void find_mem_fini(struct mem *mem);

/*
 * find_mem_at - local address of [addr, addr + len), or NULL when it was not
 * lent in one piece.  Any thread.
 */
const uint8_t *find_mem_at(const struct mem *mem, taddr_t addr, uint64_t len);

/*
 * find_mem_get - the same, or else a copy while the budget lasts; pages that
 * cannot be read are zero and counted in *unread.  NULL: neither, or
 * stopped.  The copy lives until find_mem_fini.  Main thread only.
 */
const uint8_t *find_mem_get(
    struct mem *mem, taddr_t addr, uint64_t len, uint64_t *unread);

/*
 * find_mem_read_pages - target_read by pages where the whole cannot be read;
 * missing bytes are zero.  Returns how many are missing.
 */
uint64_t find_mem_read_pages(
    struct target *tgt, taddr_t addr, uint8_t *buf, uint64_t len);

/*
 * find_mem_fetch - copy lent bytes to buf, where that is cheaper than looking
 * at pages for the first time; false: read them in place.  Any thread.
 */
bool find_mem_fetch(
    const struct mem *mem, const uint8_t *lent, uint8_t *buf, uint64_t len);

/*
 * find_mem_hole - how many of these lent bytes, from the first on, are known
 * to be zero.  Any thread.
 */
uint64_t find_mem_hole(
    const struct mem *mem, const uint8_t *lent, uint64_t len);

/*
 * find_mem_spread - memory of malloc that will be used all over: where it is
 * large, large pages serve it better.  Returns @p.
 * find_mem_table - calloc of such memory
 */
void *find_mem_spread(void *p, size_t len);
void *find_mem_table(size_t n, size_t size);

/* find_mem_u64 - the word at p, which need not be aligned */
static inline uint64_t
find_mem_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t
find_mem_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

#endif /* UMDB_FIND_MEM_H */
