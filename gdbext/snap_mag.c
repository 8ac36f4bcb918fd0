/* SPDX-License-Identifier: MIT */
/*
 * snap_mag.c - which buffers are free in magazines
 *
 * The slabs' maps say which buffers left their slab; those in a magazine, of
 * the depot or of a thread, are free all the same.  While magazines change
 * hands one may be reachable twice, so its buffers are marked, not counted,
 * and a buffer in two different magazines is the trace of a double free.
 *
 * Layer: part of snap.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "snap_impl.h"

int
snap_read_magazine(
    struct snap *snap, taddr_t addr, taddr_t cache, umem_magazine_t *ret)
{
	int rc = target_read(snap->tgt, addr, ret, sizeof(*ret), "magazine");

	if (rc != UMDB_OK)
		return rc;
	if (ret->mag_size > UMEM_MAX_ROUNDS || ret->mag_rounds > ret->mag_size)
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "magazine %#" PRIx64 " is damaged: %" PRIu32
		    " rounds of %" PRIu32,
		    addr, ret->mag_rounds, ret->mag_size);
	if (cache != 0 && ret->mag_cache != cache)
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "magazine %#" PRIx64 " belongs to cache %#" PRIx64
		    ", not %#" PRIx64,
		    addr, ret->mag_cache, cache);
	return UMDB_OK;
}

/* -------------------------------------------------------------------- mark */

/* False when it is no buffer of that cache. */
static bool
mark_round(struct snap *snap, taddr_t mag, taddr_t buf, uint32_t cache,
    enum buf_state state, bool again)
{
	struct snap_cache *c = &snap->cache[cache];
	const struct snap_slab *s;
	uint32_t i;
	uint8_t *now;

	if (!snap_buf_at(snap, buf, &s, &i) || s->cache != cache ||
	    snap_buf_addr(s, i) != buf)
		return false;
	now = &snap->state[s->buf + i];
	if (*now == BUF_ALLOCATED) {
		*now = (uint8_t)state;
		c->nalloc--;
		if (state == BUF_FREE_DEPOT)
			c->ndepot++;
		else
			c->nthread++;
	} else if (*now == BUF_FREE_SLAB) {
		/* a drain clears the bit first, under the cache's lock */
		if (c->c.cache_lock.lk_word == 0)
			snap_damaged(snap, buf,
			    "buffer %#" PRIx64 " of cache %s is free in its "
			    "slab and in magazine %#" PRIx64 ": freed twice?",
			    buf, c->c.cache_name, mag);
	} else if (!again) {
		snap_damaged(snap, buf,
		    "buffer %#" PRIx64 " of cache %s is twice in magazines, "
		    "last in %#" PRIx64 ": freed twice?",
		    buf, c->c.cache_name, mag);
	}
	return true;
}

/* Where a slab is damaged all that is left of it is strange. */
static void
note_strangers(struct snap *snap, taddr_t mag, taddr_t first, uint64_t n,
    const struct snap_cache *c)
{
	if (n == 1)
		snap_damaged(snap, mag,
		    "magazine %#" PRIx64 " holds %#" PRIx64
		    ", which is no buffer of cache %s",
		    mag, first, c->c.cache_name);
	else if (n > 1)
		snap_damaged(snap, mag,
		    "magazine %#" PRIx64 " holds %#" PRIx64 " and %" PRIu64
		    " more that are no buffers of cache %s",
		    mag, first, n - 1, c->c.cache_name);
}

/* Mark @n rounds at @at, part of the magazine @mag. */
static int
mark_rounds(struct snap *snap, taddr_t mag, taddr_t at, uint64_t n,
    uint32_t cache, enum buf_state state)
{
	struct snap_cache *c = &snap->cache[cache];
	uint64_t round[UMEM_MAX_ROUNDS], i, nstrange = 0;
	taddr_t strange = 0;
	bool again;

	if (n > UMEM_MAX_ROUNDS)
		return UMDB_OK;
	again = addrmap_get(&snap->index->mags, mag) != ADDRMAP_NONE;
	if (addrmap_put(&snap->index->mags, mag, 1) != UMDB_OK)
		return UMDB_ENOMEM;
	if (c->c.cache_cflags & UMC_QCACHE) {
		/* segments of an arena, in no slab: count them */
		if (!again && state == BUF_FREE_DEPOT)
			c->ndepot += n;
		else if (!again)
			c->nthread += n;
		return UMDB_OK;
	}
	if (target_read(snap->tgt, at, round, n * sizeof(round[0]),
		"magazine rounds") != UMDB_OK) {
		snap_damaged(snap, mag, "%s", snap->tgt->err.msg);
		return UMDB_OK;
	}
	for (i = 0; i < n; i++) {
		if (mark_round(snap, mag, round[i], cache, state, again))
			continue;
		if (nstrange++ == 0)
			strange = round[i];
	}
	note_strangers(snap, mag, strange, nstrange, c);
	return UMDB_OK;
}

/* A magazine with exact mag_rounds; @cache ADDRMAP_NONE: as it says itself. */
static int
mark_magazine(struct snap *snap, taddr_t addr, uint32_t cache,
    enum buf_state state, taddr_t *next_ret)
{
	umem_magazine_t mag;
	taddr_t want = cache == ADDRMAP_NONE ? 0 : snap->cache[cache].addr;

	*next_ret = 0;
	if (snap_read_magazine(snap, addr, want, &mag) != UMDB_OK) {
		snap_damaged(snap, addr, "%s", snap->tgt->err.msg);
		return UMDB_OK;
	}
	*next_ret = mag.mag_next;
	if (cache == ADDRMAP_NONE)
		cache = addrmap_get(&snap->index->caches, mag.mag_cache);
	if (cache == ADDRMAP_NONE) {
		if (mag.mag_rounds != 0)
			snap_damaged(snap, addr,
			    "magazine %#" PRIx64 " is of no known cache", addr);
		return UMDB_OK;
	}
	return mark_rounds(
	    snap, addr, addr + UMEM_MAG_ROUND, mag.mag_rounds, cache, state);
}

/* ----------------------------------------------------------- thread caches */

static int
mark_loaded(
    struct snap *snap, const umem_tcache_t *tc, taddr_t addr, unsigned bin)
{
	const umem_tcbin_t *b = &tc->tc_bin[bin];
	uint32_t cache = snap->index->bin_cache[bin];
	umem_magazine_t mag;
	taddr_t at;

	if (b->tb_base == 0 && b->tb_top == 0 && b->tb_limit == 0)
		return UMDB_OK;
	if (b->tb_base < UMEM_MAG_ROUND || b->tb_base % 8 != 0 ||
	    b->tb_top % 8 != 0 || b->tb_top < b->tb_base ||
	    b->tb_limit < b->tb_top ||
	    (b->tb_limit - b->tb_base) / 8 > UMEM_MAX_ROUNDS) {
		/* changing hands: the magazine is in tc_transit */
		if (tc->tc_transit[0] == 0 && tc->tc_transit[1] == 0)
			snap_damaged(snap, addr,
			    "bin %u of thread %" PRIu32 "'s cache %#" PRIx64
			    " is damaged",
			    bin, tc->tc_tid, addr);
		return UMDB_OK;
	}
	if (b->tb_top == b->tb_base)
		return UMDB_OK;
	at = b->tb_base - UMEM_MAG_ROUND;
	if (cache == ADDRMAP_NONE && target_read(snap->tgt, at, &mag,
					 sizeof(mag), "magazine") == UMDB_OK)
		cache = addrmap_get(&snap->index->caches, mag.mag_cache);
	if (cache == ADDRMAP_NONE) {
		snap_damaged(snap, addr,
		    "bin %u of thread %" PRIu32 "'s cache %#" PRIx64
		    " is of no known cache",
		    bin, tc->tc_tid, addr);
		return UMDB_OK;
	}
	return mark_rounds(snap, at, b->tb_base, (b->tb_top - b->tb_base) / 8,
	    cache, BUF_FREE_THREAD);
}

static int
mark_tcache(struct snap *snap, const umem_tcache_t *tc, taddr_t addr)
{
	taddr_t next;
	unsigned i;
	int rc = UMDB_OK;

	for (i = 0; i < UMEM_TC_BINS && rc == UMDB_OK; i++) {
		if (target_poll(snap->tgt, "thread caches", 0, 0))
			return UMDB_EINTR;
		rc = mark_loaded(snap, tc, addr, i);
		if (rc == UMDB_OK && tc->tc_bin[i].tb_prev != 0)
			rc = mark_magazine(snap, tc->tc_bin[i].tb_prev,
			    snap->index->bin_cache[i], BUF_FREE_THREAD, &next);
	}
	for (i = 0; i < 2 && rc == UMDB_OK; i++)
		if (tc->tc_transit[i] != 0)
			rc = mark_magazine(snap, tc->tc_transit[i],
			    ADDRMAP_NONE, BUF_FREE_DEPOT, &next);
	return rc;
}

static int
tcache_append(struct snap *snap, uint32_t *room, taddr_t addr, uint32_t tid)
{
	struct snap_tcache *more;

	if (snap->ntcache == *room) {
		*room = *room == 0 ? 16 : *room * 2;
		more = realloc(snap->tcache, *room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		snap->tcache = more;
	}
	snap->tcache[snap->ntcache].addr = addr;
	snap->tcache[snap->ntcache++].tid = tid;
	return UMDB_OK;
}

static int
load_tcaches(struct snap *snap)
{
	taddr_t addr = snap->root.root_tcaches;
	struct guard guard = {0};
	umem_tcache_t tc;
	uint32_t room = 0;
	int rc;

	for (; addr != 0; addr = tc.tc_next) {
		if (guard_loops(&guard, addr)) {
			snap_damaged(snap, addr,
			    "the list of thread caches loops at %#" PRIx64,
			    addr);
			break;
		}
		if (target_poll(snap->tgt, "thread caches", 0, 0))
			return UMDB_EINTR;
		if (target_read(snap->tgt, addr, &tc, sizeof(tc),
			"thread cache") != UMDB_OK) {
			snap_damaged(snap, addr,
			    "the list of thread caches breaks off: %s",
			    snap->tgt->err.msg);
			break;
		}
		/* one that is given back may still hold what is in transit */
		rc = mark_tcache(snap, &tc, addr);
		if (rc == UMDB_OK && tc.tc_state == UMEM_TC_LIVE)
			rc = tcache_append(snap, &room, addr, tc.tc_tid);
		if (rc != UMDB_OK)
			return rc;
	}
	return UMDB_OK;
}

/* ------------------------------------------------------------------- depot */

static int
load_depot(struct snap *snap, uint32_t cache, taddr_t addr)
{
	struct guard guard = {0};
	taddr_t next;
	int rc;

	for (; addr != 0; addr = next) {
		if (guard_loops(&guard, addr)) {
			snap_damaged(snap, addr,
			    "a list of magazines of cache %s loops at "
			    "%#" PRIx64,
			    snap->cache[cache].c.cache_name, addr);
			break;
		}
		if (target_poll(snap->tgt, "magazines", cache, snap->ncache))
			return UMDB_EINTR;
		rc = mark_magazine(snap, addr, cache, BUF_FREE_DEPOT, &next);
		if (rc != UMDB_OK)
			return rc;
	}
	return UMDB_OK;
}

/* What a quantum cache took from its arena and does not hold is in use. */
static void
count_quantum(struct snap_cache *c)
{
	const uint64_t taken = c->c.cache_slab_alloc - c->c.cache_slab_free;
	const uint64_t idle = c->nthread + c->ndepot;

	/* a running process may have done only one half of it */
	if ((c->c.cache_cflags & UMC_QCACHE) != 0 &&
	    c->c.cache_slab_alloc >= c->c.cache_slab_free && taken > idle)
		c->nalloc = taken - idle;
}

int
snap_load_magazines(struct snap *snap)
{
	struct snap_index *ix = snap->index;
	uint32_t i;
	int rc;

	for (i = 0; i < UMEM_TC_BINS; i++)
		ix->bin_cache[i] = ADDRMAP_NONE;
	for (i = 0; i < snap->ncache; i++)
		if (snap->cache[i].c.cache_bin > 0 &&
		    snap->cache[i].c.cache_bin < UMEM_TC_BINS)
			ix->bin_cache[snap->cache[i].c.cache_bin] = i;
	rc = load_tcaches(snap);
	for (i = 0; i < snap->ncache && rc == UMDB_OK; i++) {
		const umem_cache_t *c = &snap->cache[i].c;

		rc = load_depot(snap, i, c->cache_magfull.ml_list);
		if (rc == UMDB_OK)
			rc = load_depot(snap, i, c->cache_magempty.ml_list);
		count_quantum(&snap->cache[i]);
	}
	return rc;
}

/* ------------------------------------------------------------ who holds it */

/* Is @buf among @n rounds at @at? */
static bool
rounds_hold(struct snap *snap, taddr_t at, uint64_t n, taddr_t buf)
{
	uint64_t round[UMEM_MAX_ROUNDS], i;

	if (n > UMEM_MAX_ROUNDS ||
	    target_read(snap->tgt, at, round, n * sizeof(round[0]),
		"magazine rounds") != UMDB_OK)
		return false;
	for (i = 0; i < n; i++)
		if (round[i] == buf)
			return true;
	return false;
}

static bool
tcbin_holds(struct snap *snap, const umem_tcbin_t *b, taddr_t buf)
{
	umem_magazine_t mag;

	if (b->tb_top > b->tb_base &&
	    rounds_hold(snap, b->tb_base, (b->tb_top - b->tb_base) / 8, buf))
		return true;
	return b->tb_prev != 0 &&
	       snap_read_magazine(snap, b->tb_prev, 0, &mag) == UMDB_OK &&
	       rounds_hold(
		   snap, b->tb_prev + UMEM_MAG_ROUND, mag.mag_rounds, buf);
}

const struct snap_tcache *
snap_tcache_of(struct snap *snap, const struct snap_slab *s, uint32_t index)
{
	uint32_t bin = snap->cache[s->cache].c.cache_bin, i;
	taddr_t buf = snap_buf_addr(s, index);
	umem_tcbin_t b;

	if (bin == 0 || bin >= UMEM_TC_BINS)
		return NULL;
	for (i = 0; i < snap->ntcache; i++) {
		if (target_read(snap->tgt,
			snap->tcache[i].addr + offsetof(umem_tcache_t, tc_bin) +
			    bin * sizeof(b),
			&b, sizeof(b), "thread cache") == UMDB_OK &&
		    tcbin_holds(snap, &b, buf))
			return &snap->tcache[i];
	}
	return NULL;
}
