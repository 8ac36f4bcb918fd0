/* SPDX-License-Identifier: MIT */
/*
 * find_struct.c - umem_verify: the library's own structures
 *
 * What a cache's lists say is compared with the page map, from which the
 * snapshot was made; counts with what they count; magazines with the buffers
 * that they should hold; an arena's segments with each other.  What a lock
 * protects is not compared while it is held: its owner is changing it.
 *
 * Layer: see find_bad.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find_bad.h"

/* Report about the structure at addr. */
#define BAD_AT(k, addr_, expected_, found_, ...)     \
	do {                                         \
		struct bad bad_ = {                  \
		    .kind = BAD_STRUCT,              \
		    .buf = (addr_),                  \
		    .at = (addr_),                   \
		    .expected = (expected_),         \
		    .found = (found_),               \
		};                                   \
		bad_report((k), &bad_, __VA_ARGS__); \
	} while (0)

/* A walk ended early: damage is a finding, other errors end the check. */
static void
walk_ended(struct checker *k, int rc)
{
	struct target *tgt = k->snap->tgt;
	char msg[sizeof(tgt->err.msg)];

	if (rc == UMDB_OK || k->rc != UMDB_OK)
		return;
	if (rc != UMDB_EFAULT && rc != UMDB_ECORRUPT) {
		k->rc = rc;
		return;
	}
	memcpy(msg, tgt->err.msg, sizeof(msg));
	BAD_AT(k, tgt->err.addr, 0, 0, "%s", msg);
}

static bool
is_free(const umem_lock_t *lock)
{
	return lock->lk_word == 0;
}

/* ------------------------------------------------------------------- slabs */

struct slab_count {
	struct checker *k;
	bool partial;
	uint64_t slabs, chunks, used;
};

/* Chunks handed out, by the map as the snapshot has it. */
static uint32_t
slab_used(const struct snap *snap, const struct snap_slab *s)
{
	uint32_t i, used = 0;

	for (i = 0; i < s->nchunk; i++)
		used += snap_buf_state(snap, s, i) != BUF_FREE_SLAB;
	return used;
}

static int
slab_listed(struct snap *snap, taddr_t addr, const umem_slab_t *sp, void *arg)
{
	struct slab_count *a = arg;
	struct checker *k = a->k;
	const struct snap_slab *s = snap_slab_at(snap, sp->slab_base);
	const char *name = k->cache->c.cache_name;
	uint32_t used;

	a->slabs++;
	a->chunks += sp->slab_chunks;
	a->used += sp->slab_refcnt;
	if (!is_free(&k->cache->c.cache_lock))
		return WALK_NEXT;
	if (s == NULL || s->addr != addr) {
		if (!bad_inside(k) || sp->slab_refcnt != 0)
			BAD_AT(k, addr, addr, s != NULL ? s->addr : 0,
			    "slab %#" PRIx64 " is on a list of cache %s but "
			    "not in the page map",
			    addr, name);
		return k->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
	}
	used = slab_used(snap, s);
	if (used != sp->slab_refcnt)
		BAD_AT(k, addr, used, sp->slab_refcnt,
		    "slab %#" PRIx64 " of cache %s counts %" PRIu32
		    " buffers handed out, its map has %" PRIu32,
		    addr, name, sp->slab_refcnt, used);
	else if (a->partial != (used < sp->slab_chunks))
		BAD_AT(k, addr, !a->partial, a->partial,
		    "slab %#" PRIx64 " of cache %s has %" PRIu32 " of %" PRIu32
		    " buffers handed out and is on the list of %s ones",
		    addr, name, used, sp->slab_chunks,
		    a->partial ? "partial" : "full");
	return k->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
}

static void
check_count(
    struct checker *k, const char *what, uint64_t claimed, uint64_t counted)
{
	if (claimed != counted && k->rc == UMDB_OK)
		BAD_AT(k, k->cache->addr, counted, claimed,
		    "cache %s says that it has %" PRIu64 " %s; there are "
		    "%" PRIu64,
		    k->cache->c.cache_name, claimed, what, counted);
}

static void
check_lists(struct checker *k)
{
	const umem_cache_t *c = &k->cache->c;
	const uint32_t cache = (uint32_t)(k->cache - k->snap->cache);
	struct slab_count a = {.k = k, .partial = true};
	uint64_t mapped = 0;
	size_t i;
	int rc;

	rc = walk_slab_list(k->snap, k->cache, true, slab_listed, &a);
	walk_ended(k, rc);
	a.partial = false;
	if (rc == UMDB_OK && k->rc == UMDB_OK) {
		rc = walk_slab_list(k->snap, k->cache, false, slab_listed, &a);
		walk_ended(k, rc);
	}
	/* between the page map and the list a slab is on neither's side */
	if (rc != UMDB_OK || k->rc != UMDB_OK || !is_free(&c->cache_lock) ||
	    bad_inside(k))
		return;
	for (i = 0; i < k->snap->nslab; i++)
		mapped += k->snap->slab[i].cache == cache;
	/* ... and stays there when a thread did not come along in fork */
	if (mapped < a.slabs ||
	    (mapped > a.slabs && k->snap->root.root_forked == 0))
		BAD_AT(k, k->cache->addr, mapped, a.slabs,
		    "cache %s has %" PRIu64 " slabs on its lists, the page map "
		    "has %" PRIu64,
		    c->cache_name, a.slabs, mapped);
	check_count(
	    k, "slabs", c->cache_slab_create - c->cache_slab_destroy, a.slabs);
	check_count(k, "buffers", c->cache_buftotal, a.chunks);
	check_count(k, "buffers handed out by slabs", c->cache_bufslab, a.used);
}

/* --------------------------------------------------------------- magazines */

struct mag_count {
	struct checker *k;
	uint8_t *seen; /* a bit for each buffer of the snapshot */
	uint64_t mags, rounds;
	bool loose; /* magazines change hands: one may be seen twice */
};

static void
check_round(struct mag_count *a, taddr_t mag, taddr_t buf)
{
	struct checker *k = a->k;
	const char *name = k->cache->c.cache_name;
	const struct snap_slab *s;
	uint64_t bit;
	uint32_t i;

	if (!snap_buf_at(k->snap, buf, &s, &i) ||
	    &k->snap->cache[s->cache] != k->cache ||
	    snap_buf_addr(s, i) != buf) {
		BAD_AT(k, mag, 0, buf,
		    "magazine %#" PRIx64 " holds %#" PRIx64
		    ", which is no buffer of cache %s",
		    mag, buf, name);
		return;
	}
	bit = s->buf + i;
	if (snap_buf_state(k->snap, s, i) == BUF_FREE_SLAB &&
	    is_free(&k->cache->c.cache_lock))
		BAD_AT(k, buf, 0, mag,
		    "buffer %#" PRIx64 " of cache %s is free in its slab and "
		    "in magazine %#" PRIx64 ": freed twice?",
		    buf, name, mag);
	else if ((a->seen[bit / 8] & 1u << bit % 8) != 0 && !a->loose)
		BAD_AT(k, buf, 0, mag,
		    "buffer %#" PRIx64 " of cache %s is twice in magazines, "
		    "last in %#" PRIx64 ": freed twice?",
		    buf, name, mag);
	a->seen[bit / 8] |= (uint8_t)(1u << bit % 8);
}

static void
check_rounds(struct mag_count *a, taddr_t mag, taddr_t at, uint64_t n)
{
	uint64_t round[UMEM_MAX_ROUNDS], i;

	if (n > UMEM_MAX_ROUNDS ||
	    (a->k->cache->c.cache_cflags & UMC_QCACHE) != 0)
		return;
	if (target_read(a->k->snap->tgt, at, round, n * sizeof(round[0]),
		"magazine rounds") != UMDB_OK) {
		walk_ended(a->k, UMDB_EFAULT);
		return;
	}
	for (i = 0; i < n && a->k->rc == UMDB_OK; i++)
		check_round(a, mag, round[i]);
}

static int
mag_listed(
    struct snap *snap, taddr_t addr, const umem_magazine_t *mag, void *arg)
{
	struct mag_count *a = arg;

	(void)snap;
	a->mags++;
	a->rounds += mag->mag_rounds;
	check_rounds(a, addr, addr + UMEM_MAG_ROUND, mag->mag_rounds);
	return a->k->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
}

static void
check_depot(struct mag_count *a, bool full)
{
	struct checker *k = a->k;
	const umem_cache_t *c = &k->cache->c;
	const umem_maglist_t *ml =
	    full ? &c->cache_magfull : &c->cache_magempty;
	int rc;

	a->mags = a->rounds = 0;
	rc = walk_depot(k->snap, k->cache, full, mag_listed, a);
	walk_ended(k, rc);
	if (rc != UMDB_OK || k->rc != UMDB_OK || !is_free(&c->cache_depot_lock))
		return;
	check_count(k, full ? "full magazines" : "empty magazines",
	    ml->ml_total, a->mags);
	check_count(k,
	    full ? "buffers in full magazines" : "buffers in empty magazines",
	    ml->ml_rounds, a->rounds);
}

static void
check_thread(struct mag_count *a, const struct snap_tcache *t)
{
	const uint32_t bin = a->k->cache->c.cache_bin;
	struct target *tgt = a->k->snap->tgt;
	taddr_t transit[2] = {0, 0};
	umem_magazine_t mag;
	umem_tcbin_t b;

	if (bin == 0 || bin >= UMEM_TC_BINS ||
	    target_read(tgt,
		t->addr + offsetof(umem_tcache_t, tc_bin) + bin * sizeof(b), &b,
		sizeof(b), "thread cache") != UMDB_OK ||
	    target_read(tgt, t->addr + offsetof(umem_tcache_t, tc_transit),
		transit, sizeof(transit), "thread cache") != UMDB_OK)
		return;
	if (transit[0] != 0 || transit[1] != 0)
		a->loose = true;
	if (b.tb_base > UMEM_MAG_ROUND && b.tb_top > b.tb_base)
		check_rounds(a, b.tb_base - UMEM_MAG_ROUND, b.tb_base,
		    (b.tb_top - b.tb_base) / sizeof(uint64_t));
	if (b.tb_prev == 0 || a->k->rc != UMDB_OK)
		return;
	if (snap_read_magazine(
		a->k->snap, b.tb_prev, a->k->cache->addr, &mag) != UMDB_OK)
		walk_ended(a->k, UMDB_ECORRUPT);
	else
		check_rounds(
		    a, b.tb_prev, b.tb_prev + UMEM_MAG_ROUND, mag.mag_rounds);
}

static void
check_magazines(struct checker *k)
{
	struct mag_count a = {.k = k};
	uint32_t i;

	a.seen = calloc(k->snap->nbuf / 8 + 1, 1);
	if (a.seen == NULL) {
		k->rc =
		    target_fail(k->snap->tgt, UMDB_ENOMEM, 0, "out of memory");
		return;
	}
	for (i = 0; i < k->snap->ntcache && k->rc == UMDB_OK; i++)
		check_thread(&a, &k->snap->tcache[i]);
	if (k->rc == UMDB_OK)
		check_depot(&a, true);
	if (k->rc == UMDB_OK)
		check_depot(&a, false);
	free(a.seen);
}

/* ------------------------------------------------------------------ arenas */

struct seg_sum {
	struct checker *k;
	const struct snap_arena *arena;
	uint64_t at, end; /* of the span: what is not accounted for yet */
	uint64_t used, total;
};

static void
span_ends(struct seg_sum *a)
{
	if (a->at != a->end)
		BAD_AT(a->k, a->arena->addr, a->end, a->at,
		    "arena %s: [%#" PRIx64 ", %#" PRIx64
		    ") of a span is in no segment",
		    a->arena->v.vm_name, a->at, a->end);
}

static int
seg_listed(struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	struct seg_sum *a = arg;

	(void)snap;
	if (seg->vs_type == VMEM_SEG_SPAN) {
		span_ends(a);
		a->at = seg->vs_start;
		a->end = seg->vs_end;
		a->total += seg->vs_end - seg->vs_start;
	} else if (seg->vs_start != a->at || seg->vs_end > a->end) {
		BAD_AT(a->k, addr, a->at, seg->vs_start,
		    "segment %#" PRIx64 " of arena %s is [%#" PRIx64
		    ", %#" PRIx64 ") where one from %#" PRIx64 " should be",
		    addr, a->arena->v.vm_name, seg->vs_start, seg->vs_end,
		    a->at);
		return WALK_STOP;
	} else {
		a->at = seg->vs_end;
	}
	if (seg->vs_type == VMEM_SEG_ALLOC)
		a->used += seg->vs_end - seg->vs_start;
	return a->k->rc == UMDB_OK ? WALK_NEXT : WALK_STOP;
}

static void
check_arena(struct checker *k, const struct snap_arena *arena)
{
	struct seg_sum a = {.k = k, .arena = arena};
	const uint64_t before = k->found;
	const vmem_t *v = &arena->v;
	int rc;

	if (!is_free(&v->vm_lock))
		return;
	rc = walk_segments(k->snap, arena,
	    VMEM_SEG_ALLOC | VMEM_SEG_FREE | VMEM_SEG_SPAN, seg_listed, &a);
	walk_ended(k, rc);
	if (rc != UMDB_OK || k->rc != UMDB_OK || k->found != before)
		return;
	span_ends(&a);
	if (a.used != v->vm_mem_inuse && k->rc == UMDB_OK)
		BAD_AT(k, arena->addr, a.used, v->vm_mem_inuse,
		    "arena %s says that %" PRIu64 " bytes are in use, its "
		    "segments %" PRIu64,
		    v->vm_name, v->vm_mem_inuse, a.used);
	if (a.total != v->vm_mem_total && k->rc == UMDB_OK)
		BAD_AT(k, arena->addr, a.total, v->vm_mem_total,
		    "arena %s says that it has %" PRIu64 " bytes, its spans "
		    "%" PRIu64,
		    v->vm_name, v->vm_mem_total, a.total);
}

/* The cache that answers for an arena: the first that takes slabs from it. */
static const struct snap_cache *
arena_speaker(const struct snap *snap, taddr_t arena)
{
	uint32_t i;

	for (i = 0; i < snap->ncache; i++)
		if (snap->cache[i].c.cache_arena == arena)
			return &snap->cache[i];
	return snap->cache;
}

static void
check_arenas(struct checker *k)
{
	uint32_t i;

	for (i = 0; i < k->snap->narena && k->rc == UMDB_OK; i++)
		if (arena_speaker(k->snap, k->snap->arena[i].addr) == k->cache)
			check_arena(k, &k->snap->arena[i]);
}

void
bad_structures(struct checker *k)
{
	check_lists(k);
	if (k->rc == UMDB_OK)
		check_magazines(k);
	if (k->rc == UMDB_OK)
		check_arenas(k);
}
