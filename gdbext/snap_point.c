/* SPDX-License-Identifier: MIT */
/*
 * snap_point.c - one address, without a snapshot; see snap_point.h
 *
 * Layer: part of snap.h.
 */
#include <inttypes.h>
#include <string.h>

#include "snap_impl.h"
#include "snap_point.h"

#define BACK_FIRST 64u   /* words of the page map read at once, at first */
#define BACK_MOST 4096u  /* ... and at most; divides a leaf */
#define BACK_LEAVES 256u /* GiB that a buffer may have before an address */

/* What is known of the buffer so far. */
struct place {
	struct target *tgt;
	umem_root_t root;
	umem_cache_t cache;
	umem_slab_t sp;
	struct snap_slab slab;
	uint32_t index;
};

static int
point_damaged(struct place *p, taddr_t addr, const char *what, const char *why)
{
	return target_fail(p->tgt, UMDB_ECORRUPT, addr,
	    "%s %#" PRIx64 " is damaged: %s", what, addr, why);
}

static int
read_root(struct place *p, taddr_t root)
{
	static const char magic[16] = UMEM_ROOT_MAGIC;

	if (root != 0 &&
	    target_read(p->tgt, root, &p->root, sizeof(p->root), "umem root") ==
		UMDB_OK &&
	    memcmp(p->root.root_magic, magic, sizeof(magic)) == 0 &&
	    p->root.root_version == UMEM_LAYOUT_VERSION &&
	    p->root.root_size == sizeof(p->root) && p->root.root_self == root)
		return UMDB_OK;
	return target_fail(
	    p->tgt, UMDB_ETARGET, root, "no libumem in this process");
}

/* ---------------------------------------------------------------- page map */

/*
 * The last slab that a leaf names before entry @end; *ret 0 if there is none.
 * It is near, usually: look into more and more at a time.
 */
static int
leaf_back(struct place *p, taddr_t leaf, uint64_t end, taddr_t *ret)
{
	const taddr_t at = leaf + offsetof(umem_pmleaf_t, pl_slab);
	uint64_t word[BACK_MOST], n = BACK_FIRST;
	int rc;

	*ret = 0;
	for (; end > 0; end -= n, n = n * 4 < BACK_MOST ? n * 4 : BACK_MOST) {
		if (n > end)
			n = end;
		rc = target_read(p->tgt, at + (end - n) * sizeof(word[0]), word,
		    n * sizeof(word[0]), "page map");
		if (rc != UMDB_OK)
			return rc;
		for (uint64_t i = n; i-- > 0;) {
			*ret = word[i];
			if (*ret != 0)
				return UMDB_OK;
		}
	}
	return UMDB_OK;
}

/*
 * The slab of a page.  Of a large buffer the page map has the first pages
 * only, so for a page that is not there it is the slab before it, if that
 * reaches so far.
 */
static int
find_slab(struct place *p, taddr_t addr, taddr_t *ret)
{
	const uint64_t page = addr >> UMEM_PAGE_SHIFT;
	const uint64_t last = page >> UMEM_PM_LEAF_BITS;
	uint64_t n = last < BACK_LEAVES ? last + 1 : BACK_LEAVES;
	uint64_t end = (page & (UMEM_PM_LEAF_PAGES - 1)) + 1;
	taddr_t leaf[BACK_LEAVES];
	int rc;

	*ret = 0;
	if (addr >= SNAP_ADDR_END)
		return UMDB_OK;
	rc = target_read(p->tgt,
	    p->root.root_pagemap + (last + 1 - n) * sizeof(leaf[0]), leaf,
	    n * sizeof(leaf[0]), "page map");
	while (rc == UMDB_OK && *ret == 0 && n-- > 0) {
		if (leaf[n] != 0)
			rc = leaf_back(p, leaf[n], end, ret);
		end = UMEM_PM_LEAF_PAGES;
	}
	return rc;
}

/* -------------------------------------------------------------------- slab */

/* Read the slab and its cache, and find the chunk. */
static int
read_slab(struct place *p, taddr_t at, taddr_t addr)
{
	struct snap_slab *s = &p->slab;
	const umem_slab_t *sp = &p->sp;
	const char *fault;
	int rc;

	rc = target_read(p->tgt, at, &p->sp, sizeof(p->sp), "slab");
	if (rc != UMDB_OK)
		return rc;
	fault = snap_slab_fault(sp, sp->slab_base);
	if (fault != NULL)
		return point_damaged(p, at, "slab", fault);
	if (addr < sp->slab_base || addr - sp->slab_base >= sp->slab_size)
		return UMDB_ENOTFOUND;
	rc = target_read(
	    p->tgt, sp->slab_cache, &p->cache, sizeof(p->cache), "cache");
	if (rc != UMDB_OK)
		return rc;
	fault = snap_cache_fault(&p->cache);
	if (fault != NULL)
		return point_damaged(p, sp->slab_cache, "cache", fault);
	s->first = sp->slab_base + sp->slab_first;
	s->chunksize = sp->slab_chunksize;
	s->bufsize = p->cache.cache_flags & UMF_LARGE ? sp->slab_reqsize
						      : p->cache.cache_bufsize;
	s->nchunk = sp->slab_chunks;
	if (p->cache.cache_bufctl_size != 0)
		s->bufctl = sp->slab_bufctl;
	if (s->bufsize > s->chunksize)
		return point_damaged(
		    p, at, "slab", "its buffers are larger than its chunks");
	if (addr < s->first || (addr - s->first) / s->chunksize >= s->nchunk)
		return UMDB_ENOTFOUND;
	p->index = (uint32_t)((addr - s->first) / s->chunksize);
	return UMDB_OK;
}

/* --------------------------------------------------------------- magazines */

/* Whether @n rounds at @at have the buffer. */
static bool
rounds_have(struct place *p, taddr_t at, uint64_t n)
{
	const taddr_t buf = snap_buf_addr(&p->slab, p->index);
	uint64_t round[UMEM_MAX_ROUNDS];

	if (n > UMEM_MAX_ROUNDS ||
	    target_read(p->tgt, at, round, n * sizeof(round[0]),
		"magazine rounds") != UMDB_OK)
		return false;
	while (n-- > 0)
		if (round[n] == buf)
			return true;
	return false;
}

/* The same for a magazine with exact mag_rounds; also gives the next one. */
static bool
magazine_has(struct place *p, taddr_t addr, taddr_t *next_ret)
{
	umem_magazine_t mag;

	*next_ret = 0;
	if (addr == 0 ||
	    target_read(p->tgt, addr, &mag, sizeof(mag), "magazine") != UMDB_OK)
		return false;
	*next_ret = mag.mag_next;
	return mag.mag_cache == p->sp.slab_cache &&
	       rounds_have(p, addr + UMEM_MAG_ROUND, mag.mag_rounds);
}

static bool
depot_has(struct place *p)
{
	taddr_t addr = p->cache.cache_magfull.ml_list, next;
	struct guard guard = {0};

	for (; addr != 0 && !guard_loops(&guard, addr); addr = next)
		if (magazine_has(p, addr, &next))
			return true;
	return false;
}

static bool
bin_has(struct place *p, taddr_t tcache)
{
	umem_tcbin_t b;
	taddr_t none;

	if (target_read(p->tgt,
		tcache + offsetof(umem_tcache_t, tc_bin) +
		    p->cache.cache_bin * sizeof(b),
		&b, sizeof(b), "thread cache") != UMDB_OK)
		return false;
	if (b.tb_base != 0 && b.tb_top >= b.tb_base &&
	    rounds_have(p, b.tb_base, (b.tb_top - b.tb_base) / 8))
		return true;
	return magazine_has(p, b.tb_prev, &none);
}

static enum buf_state
state_out_of_slab(struct place *p)
{
	const size_t links = offsetof(umem_tcache_t, tc_next);
	const size_t end = offsetof(umem_tcache_t, tc_grow);
	taddr_t addr = p->root.root_tcaches, none;
	struct guard guard = {0};
	umem_tcache_t tc;

	for (; addr != 0 && !guard_loops(&guard, addr); addr = tc.tc_next) {
		if (target_read(p->tgt, addr + links, (char *)&tc + links,
			end - links, "thread cache") != UMDB_OK)
			break;
		if (p->cache.cache_bin != 0 && bin_has(p, addr))
			return BUF_FREE_THREAD;
		if (magazine_has(p, tc.tc_transit[0], &none) ||
		    magazine_has(p, tc.tc_transit[1], &none))
			return BUF_FREE_DEPOT;
	}
	return depot_has(p) ? BUF_FREE_DEPOT : BUF_ALLOCATED;
}

int
snap_point(struct target *tgt, taddr_t root, taddr_t addr, bool state,
    struct snap_point *ret)
{
	struct place p;
	uint64_t word, asked;
	taddr_t at;
	int rc;

	memset(ret, 0, sizeof(*ret));
	memset(&p, 0, sizeof(p));
	p.tgt = tgt;
	rc = read_root(&p, root);
	if (rc == UMDB_OK && p.root.root_pagemap == 0)
		return UMDB_ENOTFOUND;
	if (rc == UMDB_OK)
		rc = find_slab(&p, addr, &at);
	if (rc == UMDB_OK)
		rc = at == 0 ? UMDB_ENOTFOUND : read_slab(&p, at, addr);
	if (rc != UMDB_OK)
		return rc;
	rc = target_read(tgt, p.sp.slab_map + p.index / 64 * sizeof(word),
	    &word, sizeof(word), "map of slab");
	if (rc != UMDB_OK)
		return rc;
	memcpy(ret->cache, p.cache.cache_name, sizeof(ret->cache));
	ret->base = snap_buf_addr(&p.slab, p.index);
	ret->size = p.slab.bufsize;
	if ((word >> p.index % 64 & 1) == 0) {
		ret->state = BUF_FREE_SLAB;
		return UMDB_OK;
	}
	ret->state = state ? state_out_of_slab(&p) : BUF_ALLOCATED;
	if (ret->state != BUF_ALLOCATED || p.cache.cache_flags & UMF_LARGE)
		return UMDB_OK;
	asked = snap_size_asked(tgt, &p.cache, &p.slab, p.index);
	if (asked != UINT64_MAX)
		ret->size = asked;
	return UMDB_OK;
}
