/* SPDX-License-Identifier: MIT */
/*
 * meta.c - memory for the library's own structures; see meta.h
 *
 * Memory is mapped in pieces aligned to PIECE_ALIGN, so that the piece of an
 * address is arithmetic.  A piece's first page holds its header with two bits
 * for each page: used, and dirty (may be non-zero).  Runs of pages are found
 * by looking at the bits; neighbours that are free need not be joined because
 * they never were apart.
 *
 * Small sizes have classes, each with a list of freed chunks and a run of
 * pages to cut new ones from.  What was freed is cleared when it is handed
 * out again, what was never handed out is zero already, so big structures are
 * touched no earlier than their users do it.
 *
 * From BIG on a request has a mapping of its own, which goes back to the
 * system when it is freed.
 *
 * Layer: meta.h
 */
#include "meta.h"

#include <string.h>

#include "lock.h"
#include "msg.h"
#include "os.h"
#include "root.h"

enum {
	PAGE = UMEM_PAGE_SIZE,
	PIECE_MIN = 256 << 10,
	PIECE_ALIGN = 4 << 20, /* and the largest piece */
	READY = 12 * PAGE,     /* of a new piece; what a start takes */
	PIECE_WORDS = PIECE_ALIGN / PAGE / 64,
	BIG = 256 << 10,
	PURGE_PAGES = 16, /* longer runs are not kept resident when free */
	LINEAR_MAX = 256, /* classes are 16 bytes apart up to here, */
	SMALL_MAX = 3584, /* then four to each power of two */
	LINEAR_CLASSES = LINEAR_MAX / 16,
	CLASSES = LINEAR_CLASSES + 15,
	RUN_CHUNKS = 8, /* a class's run holds at least so many chunks */
};

struct piece {
	umem_region_t region;
	struct piece *next; /* pieces with free pages */
	struct piece *prev;
	uint32_t pages; /* the header's included */
	uint32_t free;
	uint32_t hint; /* no page below is free */
	uint32_t run;  /* no free run is longer */
	uint64_t used[PIECE_WORDS];
	uint64_t dirty[PIECE_WORDS];
};

struct small_class {
	void *freed; /* linked through their first words */
	char *cut;   /* [cut, end) was never handed out */
	char *end;
};

static umem_lock_t meta_lock;
static struct piece *meta_pieces; /* those with free pages */
static struct small_class meta_class[CLASSES];
static uint64_t meta_mapped;
static uint64_t meta_used;
static uint32_t meta_empty; /* pieces wholly free */

static umem_lock_t region_lock;

/* ----------------------------------------------------------------- regions */

static void
region_link(umem_region_t *rg, void *base, size_t size, uint32_t kind)
{
	rg->rg_base = (uintptr_t)base;
	rg->rg_size = size;
	rg->rg_kind = kind;
	lock_acquire(&region_lock);
	rg->rg_next = umem_root.root_regions;
	/* A debugger takes no lock: the node is whole before it is seen. */
	__atomic_store_n(&umem_root.root_regions, rg, __ATOMIC_RELEASE);
	lock_release(&region_lock);
}

/* Take the node of [base, base + size) off the list; NULL: there is none. */
static umem_region_t *
region_unlink(const void *base, size_t size)
{
	umem_region_t *rg, **link;

	lock_acquire(&region_lock);
	link = &umem_root.root_regions;
	while ((rg = *link) != NULL &&
	       (rg->rg_base != (uintptr_t)base || rg->rg_size != size))
		link = &rg->rg_next;
	if (rg != NULL)
		__atomic_store_n(link, rg->rg_next, __ATOMIC_RELEASE);
	lock_release(&region_lock);
	return rg;
}

int
region_add(void *base, size_t size, uint32_t kind)
{
	umem_region_t *rg = meta_alloc(sizeof(*rg));

	if (rg == NULL)
		return -1;
	region_link(rg, base, size, kind);
	return 0;
}

void
region_remove(void *base, size_t size)
{
	umem_region_t *rg = region_unlink(base, size);

	VERIFY(rg != NULL);
	meta_free(rg, sizeof(*rg));
}

/* ------------------------------------------------------------------- pages */

static void
set_bits(uint64_t *map, unsigned first, unsigned n, int value)
{
	for (; n > 0; first++, n--) {
		if (value)
			map[first / 64] |= 1ull << (first % 64);
		else
			map[first / 64] &= ~(1ull << (first % 64));
	}
}

/* The first page in [from, end) whose bit is @value, or @end. */
static unsigned
next_bit(const uint64_t *map, unsigned from, unsigned end, int value)
{
	while (from < end) {
		uint64_t word = value ? map[from / 64] : ~map[from / 64];

		word >>= from % 64;
		if (word != 0) {
			from += (unsigned)__builtin_ctzll(word);
			return from < end ? from : end;
		}
		from = (from / 64 + 1) * 64;
	}
	return end;
}

/* The first of @n free pages in a row, or 0, which is the header's. */
static unsigned
find_run(struct piece *pc, unsigned n)
{
	unsigned start = pc->hint, end;

	while ((start = next_bit(pc->used, start, pc->pages, 0)) + n <=
	       pc->pages) {
		end = next_bit(pc->used, start, start + n, 1);
		if (end == start + n)
			return start;
		start = end;
	}
	pc->run = n - 1;
	return 0;
}

static void
piece_link(struct piece *pc)
{
	pc->prev = NULL;
	pc->next = meta_pieces;
	if (meta_pieces != NULL)
		meta_pieces->prev = pc;
	meta_pieces = pc;
}

static void
piece_unlink(struct piece *pc)
{
	if (pc->next != NULL)
		pc->next->prev = pc->prev;
	if (pc->prev != NULL)
		pc->prev->next = pc->next;
	else
		meta_pieces = pc->next;
}

/* Map a piece with at least @n pages to give. */
static struct piece *
piece_create(unsigned n)
{
	size_t need = ((size_t)n + 1) * PAGE;
	size_t size = PIECE_MIN;
	struct piece *pc;

	while (size < PIECE_ALIGN && (size < need || size * 2 <= meta_mapped))
		size *= 2;
	pc = os_map(size, PIECE_ALIGN);
	while (pc == NULL && size / 2 >= need && size > PIECE_MIN) {
		size /= 2;
		pc = os_map(size, PIECE_ALIGN);
	}
	if (pc == NULL)
		return NULL;
	os_populate(pc, READY);
	pc->pages = (uint32_t)(size / PAGE);
	pc->free = pc->pages - 1;
	pc->hint = 1;
	pc->run = pc->free;
	pc->used[0] = 1;
	meta_mapped += size;
	meta_empty++;
	region_link(&pc->region, pc, size, UMEM_RG_META);
	piece_link(pc);
	return pc;
}

static void
piece_destroy(struct piece *pc)
{
	size_t size = (size_t)pc->pages * PAGE;

	piece_unlink(pc);
	meta_mapped -= size;
	(void)region_unlink(pc, size);
	os_unmap(pc, size);
}

/* Clear those of the pages that were in use before. */
static void
clean_run(struct piece *pc, unsigned first, unsigned n)
{
	unsigned end = first + n, at = first;

	while ((at = next_bit(pc->dirty, at, end, 1)) < end) {
		memset((char *)pc + (size_t)at * PAGE, 0, PAGE);
		at++;
	}
	set_bits(pc->dirty, first, n, 0);
}

/* Called with meta_lock held. */
static void *
pages_alloc(unsigned n)
{
	struct piece *pc;
	unsigned first = 0;

	for (pc = meta_pieces; pc != NULL; pc = pc->next)
		if (pc->run >= n && (first = find_run(pc, n)) != 0)
			break;
	if (pc == NULL) {
		pc = piece_create(n);
		if (pc == NULL)
			return NULL;
		first = 1;
	}
	if (pc->free == pc->pages - 1)
		meta_empty--;
	set_bits(pc->used, first, n, 1);
	pc->free -= n;
	if (first == pc->hint)
		pc->hint = first + n;
	if (pc->free == 0)
		piece_unlink(pc);
	clean_run(pc, first, n);
	return (char *)pc + (size_t)first * PAGE;
}

/* Called with meta_lock held. */
static void
pages_free(void *p, unsigned n)
{
	struct piece *pc =
	    (struct piece *)((uintptr_t)p & ~(uintptr_t)(PIECE_ALIGN - 1));
	unsigned first = (unsigned)(((char *)p - (char *)pc) / PAGE);

	set_bits(pc->used, first, n, 0);
	if (n >= PURGE_PAGES)
		os_purge(p, (size_t)n * PAGE);
	else
		set_bits(pc->dirty, first, n, 1);
	if (pc->free == 0)
		piece_link(pc);
	pc->free += n;
	pc->run = pc->free;
	if (first < pc->hint)
		pc->hint = first;
	/* One empty piece is kept, lest it come and go. */
	if (pc->free == pc->pages - 1 && meta_empty++ > 0) {
		meta_empty--;
		piece_destroy(pc);
	}
}

/* ----------------------------------------------------------- small, large */

/* The class of a size, and the size of its chunks. */
static unsigned
class_of(size_t size, size_t *chunk_ret)
{
	unsigned shift, quarter;

	if (size <= LINEAR_MAX) {
		unsigned i = size == 0 ? 0 : (unsigned)(size - 1) / 16;

		*chunk_ret = (i + 1) * 16;
		return i;
	}
	shift = 61 - (unsigned)__builtin_clzll(size - 1); /* of a quarter */
	quarter = (unsigned)((size - 1) >> shift) & 3;
	*chunk_ret = (size_t)(quarter + 5) << shift;
	return LINEAR_CLASSES + (shift - 6) * 4 + quarter;
}

/*
 * A chunk of a class.  *dirty_ret: whether it must be cleared.
 * Called with meta_lock held.
 */
static void *
small_alloc(struct small_class *cl, size_t chunk, int *dirty_ret)
{
	void *p = cl->freed;

	*dirty_ret = p != NULL;
	if (p != NULL) {
		memcpy(&cl->freed, p, sizeof(cl->freed));
		return p;
	}
	if ((size_t)(cl->end - cl->cut) < chunk) {
		unsigned n = (unsigned)((chunk * RUN_CHUNKS + PAGE - 1) / PAGE);
		char *run = pages_alloc(n);

		if (run == NULL)
			run = pages_alloc(n = 1);
		if (run == NULL)
			return NULL;
		cl->cut = run;
		cl->end = run + (size_t)n * PAGE;
	}
	p = cl->cut;
	cl->cut += chunk;
	return p;
}

static size_t
round_to_pages(size_t size)
{
	return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/* A mapping of its own. */
static void *
big_alloc(size_t size)
{
	umem_region_t *rg = meta_alloc(sizeof(*rg));
	void *p;

	if (rg == NULL)
		return NULL;
	p = os_map(size, PAGE);
	if (p == NULL) {
		meta_free(rg, sizeof(*rg));
		return NULL;
	}
	region_link(rg, p, size, UMEM_RG_META);
	lock_acquire(&meta_lock);
	meta_mapped += size;
	meta_used += size;
	lock_release(&meta_lock);
	return p;
}

static void
big_free(void *p, size_t size)
{
	umem_region_t *rg = region_unlink(p, size);

	VERIFY(rg != NULL);
	os_unmap(p, size);
	meta_free(rg, sizeof(*rg));
	lock_acquire(&meta_lock);
	meta_mapped -= size;
	meta_used -= size;
	lock_release(&meta_lock);
}

void *
meta_alloc(size_t size)
{
	size_t chunk;
	void *p;
	int dirty = 0;

	if (size > SIZE_MAX - PAGE)
		return NULL;
	if (size >= BIG)
		return big_alloc(round_to_pages(size));
	lock_acquire(&meta_lock);
	if (size <= SMALL_MAX) {
		unsigned i = class_of(size, &chunk);

		p = small_alloc(&meta_class[i], chunk, &dirty);
	} else {
		chunk = round_to_pages(size);
		p = pages_alloc((unsigned)(chunk / PAGE));
	}
	if (p != NULL)
		meta_used += chunk;
	lock_release(&meta_lock);
	if (dirty)
		memset(p, 0, chunk);
	return p;
}

void
meta_free(void *p, size_t size)
{
	size_t chunk;

	if (p == NULL)
		return;
	if (size >= BIG) {
		big_free(p, round_to_pages(size));
		return;
	}
	lock_acquire(&meta_lock);
	if (size <= SMALL_MAX) {
		struct small_class *cl = &meta_class[class_of(size, &chunk)];

		memcpy(p, &cl->freed, sizeof(cl->freed));
		cl->freed = p;
	} else {
		chunk = round_to_pages(size);
		pages_free(p, (unsigned)(chunk / PAGE));
	}
	meta_used -= chunk;
	lock_release(&meta_lock);
}

void
meta_bytes(uint64_t *mapped, uint64_t *in_use)
{
	lock_acquire(&meta_lock);
	*mapped = meta_mapped;
	*in_use = meta_used;
	lock_release(&meta_lock);
}

/* -------------------------------------------------------------------- fork */

void
meta_fork_lock(void)
{
	lock_fork_hold(&meta_lock);
	lock_fork_hold(&region_lock);
}

void
meta_fork_unlock(void)
{
	lock_fork_release(&region_lock);
	lock_fork_release(&meta_lock);
}

void
meta_fork_child(void)
{
	lock_reset(&region_lock);
	lock_reset(&meta_lock);
}
