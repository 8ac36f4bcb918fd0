/* SPDX-License-Identifier: MIT */
/*
 * snap_index.c - all slabs, by address, from the page map
 *
 * The page map is read from its lowest address to its highest, so slabs come
 * out sorted.  The index mirrors its shape: a table of 1 GiB leaves, each an
 * array of slab numbers by page, so looking up an address is two loads; only
 * the inside of large buffers, which the page map leaves out, is searched
 * for.  The index's memory follows the target's page map, not what slabs
 * claim of their size.
 *
 * Layer: part of snap.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "snap_impl.h"

#define PIECE_WORDS 8192u /* of the page map, read at once; divides a leaf */
#define PIECE_BYTES (PIECE_WORDS * sizeof(uint64_t))
#define MAP_WORDS ((UMEM_MAX_CHUNKS + 63) / 64)

/* ------------------------------------------------------------------- slabs */

/* Bits of slab_map to a byte per buffer. */
static void
index_expand_init(struct snap_index *ix)
{
	unsigned byte, bit;

	for (byte = 0; byte < 256; byte++)
		for (bit = 0; bit < 8; bit++)
			if (byte & 1u << bit)
				ix->expand[byte] |= (uint64_t)BUF_ALLOCATED
						    << bit * 8;
}

/* Room for one more slab of @chunks buffers. */
static int
index_reserve(struct snap *snap, uint32_t chunks)
{
	struct snap_index *ix = snap->index;
	void *more;

	if (snap->nslab == ix->slab_room) {
		ix->slab_room = ix->slab_room == 0 ? 256 : ix->slab_room * 2;
		more = realloc(snap->slab, ix->slab_room * sizeof(*snap->slab));
		if (more == NULL)
			return UMDB_ENOMEM;
		snap->slab = more;
	}
	/* whole words are expanded, so up to 63 bytes too many are written */
	if (ix->state_room - snap->nbuf < (uint64_t)chunks + 64) {
		ix->state_room = ix->state_room * 2 + UMEM_MAX_CHUNKS + 64;
		more = realloc(snap->state, ix->state_room);
		if (more == NULL)
			return UMDB_ENOMEM;
		snap->state = more;
	}
	return UMDB_OK;
}

static void
index_states(struct snap *snap, const struct snap_slab *s, const uint64_t *map,
    const umem_slab_t *sp)
{
	const uint64_t *expand = snap->index->expand;
	struct snap_cache *cache = &snap->cache[s->cache];
	uint8_t *state = snap->state + snap->nbuf;
	uint32_t i, byte, used = 0;

	for (i = 0; i < s->nchunk; i += 64) {
		uint64_t word = map[i / 64];

		for (byte = 0; byte < 8; byte++)
			memcpy(state + i + byte * 8,
			    &expand[word >> byte * 8 & 0xff], sizeof(uint64_t));
		if (s->nchunk - i < 64) /* bits past the last mean nothing */
			word &= ((uint64_t)1 << (s->nchunk - i)) - 1;
		used += (uint32_t)__builtin_popcountll(word);
	}
	cache->nalloc += used;
	cache->nslab += s->nchunk - used;
	if (used != sp->slab_refcnt && cache->c.cache_lock.lk_word == 0)
		snap_damaged(snap, s->addr,
		    "slab %#" PRIx64 " counts %" PRIu32
		    " buffers handed out, its map has %" PRIu32,
		    s->addr, sp->slab_refcnt, used);
}

const char *
snap_slab_fault(const umem_slab_t *sp, taddr_t page)
{
	uint64_t room;

	if (sp->slab_base % UMEM_PAGE_SIZE != 0 ||
	    sp->slab_size % UMEM_PAGE_SIZE != 0)
		return "it does not consist of pages";
	if (sp->slab_base >= SNAP_ADDR_END ||
	    sp->slab_size > SNAP_ADDR_END - sp->slab_base)
		return "its size is out of range";
	if (page < sp->slab_base || page - sp->slab_base >= sp->slab_size)
		return "the page map has it at pages that are not its own";
	if (sp->slab_chunks == 0 || sp->slab_chunks > UMEM_MAX_CHUNKS)
		return "its number of chunks is out of range";
	if (sp->slab_first > sp->slab_size)
		return "its first chunk lies outside";
	room = (sp->slab_size - sp->slab_first) / sp->slab_chunks;
	if (sp->slab_chunksize == 0 || sp->slab_chunksize > room)
		return "its chunks do not fit into it";
	return NULL;
}

/*
 * Does a sound slab start before the last one ends?  A large buffer's size
 * is in its slab alone, so when that word is damaged the buffer is cut; for
 * others the page map vouches.
 */
static bool
slab_overlaps(struct snap *snap, const umem_slab_t *sp)
{
	struct snap_index *ix = snap->index;
	struct snap_slab *last;

	if (sp->slab_base >= ix->last_end)
		return false;
	last = &snap->slab[snap->nslab - 1];
	if (!(snap->cache[last->cache].c.cache_flags & UMF_LARGE) ||
	    sp->slab_base <= last->first)
		return true;
	snap_damaged(snap, last->addr,
	    "slab %#" PRIx64 " at %#" PRIx64 " says it has %" PRIu64
	    " bytes, but another one starts at %#" PRIx64,
	    last->addr, last->base, last->size, sp->slab_base);
	last->size = sp->slab_base - last->base;
	last->chunksize = sp->slab_base - last->first;
	if (last->bufsize > last->chunksize)
		last->bufsize = last->chunksize;
	ix->last_end = sp->slab_base;
	return false;
}

/* What the client may use of each chunk; false when that makes no sense. */
static bool
slab_bufsize(const umem_cache_t *c, const umem_slab_t *sp, uint64_t *ret)
{
	*ret = c->cache_flags & UMF_LARGE ? sp->slab_reqsize : c->cache_bufsize;
	return *ret <= sp->slab_chunksize;
}

static int
slab_append(struct snap *snap, taddr_t addr, const umem_slab_t *sp,
    uint32_t cache, const uint64_t *map)
{
	const umem_cache_t *c = &snap->cache[cache].c;
	struct snap_slab *s;

	if (index_reserve(snap, sp->slab_chunks) != UMDB_OK)
		return UMDB_ENOMEM;
	s = &snap->slab[snap->nslab];
	memset(s, 0, sizeof(*s));
	s->addr = addr;
	s->base = sp->slab_base;
	s->size = sp->slab_size;
	s->first = sp->slab_base + sp->slab_first;
	s->chunksize = sp->slab_chunksize;
	slab_bufsize(c, sp, &s->bufsize);
	s->nchunk = sp->slab_chunks;
	s->cache = cache;
	s->buf = snap->nbuf;
	if (c->cache_bufctl_size == sizeof(umem_bufctl_audit_t))
		s->bufctl = sp->slab_bufctl;
	if (c->cache_flags & UMF_LARGE)
		memset(snap->index->large + s->base / SNAP_LEAF_SPAN, 1,
		    (s->base + s->size - 1) / SNAP_LEAF_SPAN -
			s->base / SNAP_LEAF_SPAN + 1);
	index_states(snap, s, map, sp);
	snap->nbuf += s->nchunk;
	snap->nslab++;
	return UMDB_OK;
}

/*
 * The page map names a slab that was not seen yet.  Returns UMDB_OK also when
 * it is not believed: then it is bad_slab.  Polled for each: a slab is read
 * from elsewhere, and a remote target takes its time.
 */
static int
slab_meet(struct snap *snap, taddr_t addr, taddr_t page)
{
	struct snap_index *ix = snap->index;
	uint64_t map[MAP_WORDS], bufsize;
	const char *fault;
	umem_slab_t sp;
	uint32_t cache;

	if (target_poll(
		snap->tgt, "slabs", page / SNAP_LEAF_SPAN, UMEM_PM_ROOTS))
		return UMDB_EINTR;
	ix->bad_slab = addr;
	if (target_read(snap->tgt, addr, &sp, sizeof(sp), "slab") != UMDB_OK) {
		snap_damaged(snap, addr, "%s (page map, %#" PRIx64 ")",
		    snap->tgt->err.msg, page);
		return UMDB_OK;
	}
	fault = snap_slab_fault(&sp, page);
	cache = addrmap_get(&ix->caches, sp.slab_cache);
	if (fault == NULL && cache == ADDRMAP_NONE)
		cache = snap_adopt_cache(snap, sp.slab_cache, &sp);
	if (fault == NULL && cache == ADDRMAP_NONE)
		fault = "its cache is not known";
	if (fault == NULL &&
	    !slab_bufsize(&snap->cache[cache].c, &sp, &bufsize))
		fault = "its buffers are larger than its chunks";
	if (fault == NULL && slab_overlaps(snap, &sp))
		fault = "it overlaps the slab before it";
	if (fault != NULL) {
		snap_damaged(snap, addr,
		    "slab %#" PRIx64 " of page %#" PRIx64 " is damaged: %s",
		    addr, page, fault);
		return UMDB_OK;
	}
	if (target_read(snap->tgt, sp.slab_map, map,
		(sp.slab_chunks + 63) / 64 * sizeof(map[0]),
		"map of slab") != UMDB_OK) {
		snap_damaged(snap, addr, "%s (slab %#" PRIx64 ")",
		    snap->tgt->err.msg, addr);
		return UMDB_OK;
	}
	if (slab_append(snap, addr, &sp, cache, map) != UMDB_OK)
		return UMDB_ENOMEM;
	ix->bad_slab = 0;
	ix->last_slab = addr;
	ix->last_end = sp.slab_base + sp.slab_size;
	return UMDB_OK;
}

/* ---------------------------------------------------------------- page map */

/* One word of the page map that is not zero. */
static int
page_enter(struct snap *snap, uint32_t root, size_t i, taddr_t addr)
{
	struct snap_index *ix = snap->index;
	taddr_t page = root * SNAP_LEAF_SPAN + (uint64_t)i * UMEM_PAGE_SIZE;
	int rc;

	if (addr == ix->bad_slab)
		return UMDB_OK;
	if (addr != ix->last_slab || page >= ix->last_end) {
		rc = slab_meet(snap, addr, page);
		if (rc != UMDB_OK || ix->bad_slab != 0)
			return rc;
	}
	if (ix->leaf[root] == NULL) {
		ix->leaf[root] = calloc(UMEM_PM_LEAF_PAGES, sizeof(uint32_t));
		if (ix->leaf[root] == NULL)
			return UMDB_ENOMEM;
	}
	ix->leaf[root][i] = (uint32_t)snap->nslab;
	return UMDB_OK;
}

static int
page_piece(
    struct snap *snap, uint32_t root, size_t first, const unsigned char *p)
{
	uint64_t w[4];
	size_t i, j;
	int rc = UMDB_OK;

	for (i = 0; i < PIECE_WORDS && rc == UMDB_OK; i += 4) {
		memcpy(w, p + i * sizeof(w[0]), sizeof(w));
		if ((w[0] | w[1] | w[2] | w[3]) == 0)
			continue;
		for (j = 0; j < 4 && rc == UMDB_OK; j++)
			if (w[j] != 0)
				rc =
				    page_enter(snap, root, first + i + j, w[j]);
	}
	return rc;
}

/*
 * Pages of a remote target that nothing is mapped at have no slabs; reading
 * their part of the page map would cost milliseconds.
 */
static bool
page_piece_idle(const struct target *tgt, taddr_t page)
{
	const taddr_t end = page + (uint64_t)PIECE_WORDS * UMEM_PAGE_SIZE;
	size_t lo = 0, hi = tgt->nregion;

	if (!tgt->slow || tgt->nregion == 0)
		return false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (tgt->region[mid].end <= page)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == tgt->nregion || tgt->region[lo].start >= end;
}

/* A piece of the page map, mapped or copied to buf; NULL: unreadable. */
static const unsigned char *
page_get(struct target *tgt, taddr_t at, unsigned char *buf)
{
	const unsigned char *p;
	size_t avail;

	p = target_map(tgt, at, &avail);
	if (p != NULL && avail >= PIECE_BYTES)
		return p;
	if (target_read(tgt, at, buf, PIECE_BYTES, "page map") != UMDB_OK)
		return NULL;
	return buf;
}

/* All slabs of a leaf; @buf holds a piece. */
static int
page_leaf(struct snap *snap, uint32_t root, taddr_t leaf, unsigned char *buf)
{
	const taddr_t at = leaf + offsetof(umem_pmleaf_t, pl_slab);
	struct umdb_error first = {0};
	const unsigned char *p;
	uint64_t lost = 0;
	size_t i;
	int rc;

	for (i = 0; i < UMEM_PM_LEAF_PAGES; i += PIECE_WORDS) {
		if (target_poll(snap->tgt, "slabs", root, UMEM_PM_ROOTS))
			return UMDB_EINTR;
		if (page_piece_idle(snap->tgt,
			root * SNAP_LEAF_SPAN + (uint64_t)i * UMEM_PAGE_SIZE))
			continue;
		p = page_get(snap->tgt, at + i * sizeof(uint64_t), buf);
		if (p == NULL) {
			if (lost++ == 0)
				first = snap->tgt->err;
			continue;
		}
		rc = page_piece(snap, root, i, p);
		if (rc != UMDB_OK)
			return rc;
	}
	if (lost != 0)
		snap_damaged(snap, leaf,
		    "the page map cannot be read for %" PRIu64
		    " MiB of addresses: %s",
		    lost * PIECE_WORDS * UMEM_PAGE_SIZE >> 20, first.msg);
	return UMDB_OK;
}

static int
page_roots(struct snap *snap, uint64_t *roots, unsigned char *buf)
{
	taddr_t at = snap->root.root_pagemap;
	uint32_t first, i;
	int rc;

	for (first = 0; first < UMEM_PM_ROOTS; first += PIECE_WORDS) {
		if (target_read(snap->tgt, at + (uint64_t)first * 8, roots,
			PIECE_BYTES, "page map") != UMDB_OK) {
			snap_damaged(snap, at, "%s", snap->tgt->err.msg);
			continue;
		}
		for (i = 0; i < PIECE_WORDS; i++) {
			if (roots[i] == 0)
				continue;
			rc = page_leaf(snap, first + i, roots[i], buf);
			if (rc != UMDB_OK)
				return rc;
		}
	}
	return UMDB_OK;
}

int
snap_load_slabs(struct snap *snap)
{
	uint64_t *roots = malloc(PIECE_BYTES);
	unsigned char *buf = malloc(PIECE_BYTES);
	int rc = UMDB_ENOMEM;

	index_expand_init(snap->index);
	if (roots != NULL && buf != NULL)
		rc = page_roots(snap, roots, buf);
	free(roots);
	free(buf);
	return rc;
}

/* ----------------------------------------------------------------- look up */

/* The slab, if any, that starts at or below addr and reaches it. */
static const struct snap_slab *
index_search(const struct snap *snap, taddr_t addr)
{
	size_t lo = 0, hi = snap->nslab;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (snap->slab[mid].base <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 ||
	    addr - snap->slab[lo - 1].base >= snap->slab[lo - 1].size)
		return NULL;
	return &snap->slab[lo - 1];
}

const struct snap_slab *
snap_slab_at(const struct snap *snap, taddr_t addr)
{
	const struct snap_index *ix = snap->index;
	const uint32_t *leaf;
	uint32_t n = 0;

	if (addr >= SNAP_ADDR_END)
		return NULL;
	leaf = ix->leaf[addr / SNAP_LEAF_SPAN];
	if (leaf != NULL)
		n = leaf[addr / UMEM_PAGE_SIZE % UMEM_PM_LEAF_PAGES];
	if (n != 0)
		return &snap->slab[n - 1];
	return ix->large[addr / SNAP_LEAF_SPAN] ? index_search(snap, addr)
						: NULL;
}

bool
snap_buf_at(const struct snap *snap, taddr_t addr,
    const struct snap_slab **slab_ret, uint32_t *index_ret)
{
	const struct snap_slab *s = snap_slab_at(snap, addr);
	uint64_t i;

	if (s == NULL || addr < s->first)
		return false;
	i = (addr - s->first) / s->chunksize;
	if (i >= s->nchunk)
		return false;
	*slab_ret = s;
	*index_ret = (uint32_t)i;
	return true;
}
