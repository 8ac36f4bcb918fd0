/* SPDX-License-Identifier: MIT */
/*
 * find_mem.c - the target's memory as local bytes that threads may read
 *
 * Layer: see find_mem.h.
 */
#include "find_mem.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "umem_layout.h"

#define MEM_PAGE ((uintptr_t)UMEM_PAGE_SIZE)
/* After so many bytes in a row that cannot be read a range is given up. */
#define MEM_GIVE_UP (64u * MEM_PAGE)
#define MEM_PIECE (1u << 20) /* bytes copied between two polls */
#define MEM_HUGE (8u << 20)  /* bytes of a table that is worth large pages */

/* A quarter of the machine's memory may go into copies. */
static uint64_t
mem_budget(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	if (pages <= 0 || size <= 0)
		return 1u << 30;
	return (uint64_t)pages / 4 * (uint64_t)size;
}

static int
mem_add(struct mem *mem, size_t *room, const struct mem_extent *ext)
{
	struct mem_extent *last, *more;

	if (mem->next > 0) {
		last = &mem->ext[mem->next - 1];
		if (last->addr + last->len == ext->addr &&
		    last->bytes + last->len == ext->bytes) {
			last->len += ext->len;
			return UMDB_OK;
		}
	}
	if (mem->next == *room) {
		*room = *room == 0 ? 256 : *room * 2;
		more = realloc(mem->ext, *room * sizeof(*more));
		if (more == NULL)
			return target_fail(
			    mem->tgt, UMDB_ENOMEM, 0, "out of memory");
		mem->ext = more;
	}
	mem->ext[mem->next++] = *ext;
	return UMDB_OK;
}

int
find_mem_init(struct mem *mem, struct target *tgt)
{
	struct mem_extent ext;
	size_t room = 0, i, avail;
	taddr_t at, end;
	int rc;

	memset(mem, 0, sizeof(*mem));
	mem->tgt = tgt;
	mem->budget = mem_budget();
	for (i = 0; i < tgt->nregion; i++) {
		end = tgt->region[i].end;
		for (at = tgt->region[i].start; at < end; at += ext.len) {
			ext.bytes = target_map(tgt, at, &avail);
			if (ext.bytes == NULL || avail == 0)
				break;
			ext.addr = at;
			ext.len = avail < end - at ? avail : end - at;
			rc = mem_add(mem, &room, &ext);
			if (rc != UMDB_OK)
				return rc;
		}
	}
	return UMDB_OK;
}

void
find_mem_fini(struct mem *mem)
{
	size_t i;

	for (i = 0; i < mem->ncopy; i++)
		free(mem->copy[i]);
	free(mem->copy);
	free(mem->ext);
	memset(mem, 0, sizeof(*mem));
}

const uint8_t *
find_mem_at(const struct mem *mem, taddr_t addr, uint64_t len)
{
	size_t lo = 0, hi = mem->next;
	const struct mem_extent *e;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (mem->ext[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return NULL;
	e = &mem->ext[lo - 1];
	if (addr - e->addr >= e->len || len > e->len - (addr - e->addr))
		return NULL;
	return e->bytes + (addr - e->addr);
}

/* Where the mapping of addr ends, in the core or not; at most end. */
static taddr_t
mapping_end(struct target *tgt, taddr_t addr, taddr_t end, bool *dumped_ret)
{
	const struct target_region *r = target_region_at(tgt, addr);

	*dumped_ret = r == NULL || r->dumped;
	return r != NULL && r->end < end ? r->end : end;
}

/* The pages of one mapping; what cannot be read is zero.  Missing bytes. */
static uint64_t
read_pages(struct target *tgt, taddr_t addr, uint8_t *buf, uint64_t len)
{
	uint64_t at, n, missing = 0, row = 0;

	for (at = 0; at < len; at += n) {
		n = MEM_PAGE - (addr + at) % MEM_PAGE;
		if (n > len - at)
			n = len - at;
		if (row < MEM_GIVE_UP && target_read(tgt, addr + at, buf + at,
					     n, "memory") == UMDB_OK) {
			row = 0;
			continue;
		}
		memset(buf + at, 0, n);
		missing += n;
		row += n;
	}
	return missing;
}

uint64_t
find_mem_read_pages(
    struct target *tgt, taddr_t addr, uint8_t *buf, uint64_t len)
{
	uint64_t at, n, missing = 0;
	bool dumped;

	if (target_read(tgt, addr, buf, len, "memory") == UMDB_OK)
		return 0;
	for (at = 0; at < len; at += n) {
		n = mapping_end(tgt, addr + at, addr + len, &dumped) -
		    (addr + at);
		if (dumped) {
			missing += read_pages(tgt, addr + at, buf + at, n);
			continue;
		}
		memset(buf + at, 0, n);
		missing += n;
	}
	return missing;
}

/* A copy, by pieces between which the user may stop it: then false. */
static bool
mem_copy(
    struct mem *mem, taddr_t addr, uint8_t *buf, uint64_t len, uint64_t *unread)
{
	uint64_t at, n;

	for (at = 0; at < len && !mem->stopped; at += n) {
		n = len - at < MEM_PIECE ? len - at : MEM_PIECE;
		*unread +=
		    find_mem_read_pages(mem->tgt, addr + at, buf + at, n);
		mem->copied += n;
		mem->stopped = target_poll_bytes(
		    mem->tgt, "reading buffers", mem->copied, mem->to_copy);
	}
	return !mem->stopped;
}

const uint8_t *
find_mem_get(struct mem *mem, taddr_t addr, uint64_t len, uint64_t *unread)
{
	const uint8_t *p = find_mem_at(mem, addr, len);
	uint8_t *buf;
	void **more;

	if (p != NULL || len > mem->budget || mem->stopped)
		return p;
	if (mem->ncopy == mem->copyroom) {
		size_t room = mem->copyroom == 0 ? 64 : mem->copyroom * 2;

		more = realloc(mem->copy, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		mem->copy = more;
		mem->copyroom = room;
	}
	buf = malloc(len);
	if (buf == NULL)
		return NULL;
	if (!mem_copy(mem, addr, buf, len, unread)) {
		free(buf);
		return NULL;
	}
	mem->copy[mem->ncopy++] = buf;
	mem->budget -= len;
	return buf;
}

bool
find_mem_fetch(
    const struct mem *mem, const uint8_t *lent, uint8_t *buf, uint64_t len)
{
	return mem->tgt->ops->fetch != NULL &&
	       mem->tgt->ops->fetch(mem->tgt, lent, buf, len) == UMDB_OK;
}

uint64_t
find_mem_hole(const struct mem *mem, const uint8_t *lent, uint64_t len)
{
	return mem->tgt->ops->hole == NULL
		   ? 0
		   : mem->tgt->ops->hole(mem->tgt, lent, len);
}

void *
find_mem_spread(void *p, size_t len)
{
	const uintptr_t at = ((uintptr_t)p + MEM_PAGE - 1) & -MEM_PAGE;
	const uintptr_t end = ((uintptr_t)p + len) & -MEM_PAGE;

	/* only advice: without it everything works as well */
	if (p != NULL && len >= MEM_HUGE && end > at)
		madvise((void *)at, end - at, MADV_HUGEPAGE);
	return p;
}

void *
find_mem_table(size_t n, size_t size)
{
	return find_mem_spread(calloc(n, size), n * size);
}
