/* SPDX-License-Identifier: MIT */
/*
 * walk_tcache.c - thread caches, and magazines wherever they are
 *
 * The snapshot knows the state of every buffer already; this is for looking
 * at the magazines themselves.  While magazines change hands one may be
 * reachable twice, so those met are remembered.
 *
 * Layer: above snap.h; part of walk.h.
 */
#include <inttypes.h>

#include "addrmap.h"
#include "walk.h"

int
walk_tcaches(struct snap *snap, walk_tcache_fn *fn, void *arg)
{
	struct guard guard = {0};
	umem_tcache_t tc;
	taddr_t addr;
	int rc;

	for (addr = snap->root.root_tcaches; addr != 0; addr = tc.tc_next) {
		if (guard_loops(&guard, addr))
			return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
			    "the list of thread caches loops at %#" PRIx64,
			    addr);
		if (target_poll(snap->tgt, "thread caches", 0, 0))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		rc = target_read(
		    snap->tgt, addr, &tc, sizeof(tc), "thread cache");
		if (rc != UMDB_OK)
			return rc;
		rc = fn(snap, addr, &tc, arg);
		if (rc != WALK_NEXT)
			return rc == WALK_STOP ? UMDB_OK : rc;
	}
	return UMDB_OK;
}

/* -------------------------------------------------------------- magazines */

struct mag_walk {
	const struct snap_cache *cache; /* NULL: all */
	taddr_t tcache;                 /* 0: all */
	struct addrmap met;
	enum mag_place place; /* in a depot */
	walk_magazine_fn *fn;
	void *arg;
	bool stopped;
};

/* One more magazine: pass it on if it is wanted and new. */
static int
meet(struct snap *snap, struct mag_walk *w, const struct mag_found *found)
{
	int rc;

	if (w->cache != NULL && found->cache != w->cache)
		return WALK_NEXT;
	if (addrmap_get(&w->met, found->addr) != ADDRMAP_NONE)
		return WALK_NEXT;
	if (addrmap_put(&w->met, found->addr, 1) != UMDB_OK)
		return target_fail(snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	rc = w->fn(snap, found, w->arg);
	w->stopped = rc != WALK_NEXT;
	return rc;
}

/* A magazine whose mag_rounds is exact; damage hides no other. */
static int
meet_closed(struct snap *snap, struct mag_walk *w, taddr_t addr,
    enum mag_place place, taddr_t tcache)
{
	struct mag_found found = {.addr = addr,
	    .place = place,
	    .tcache = tcache,
	    .rounds = addr + UMEM_MAG_ROUND};
	umem_magazine_t mag;

	if (addr == 0)
		return WALK_NEXT;
	if (snap_read_magazine(snap, addr, 0, &mag) != UMDB_OK) {
		snap_damaged(snap, addr, "%s", snap->tgt->err.msg);
		return WALK_NEXT;
	}
	found.cache = snap_cache_at(snap, mag.mag_cache);
	found.nround = mag.mag_rounds;
	return meet(snap, w, &found);
}

/* The loaded magazine of a bin; nothing while it changes hands. */
static int
meet_loaded(struct snap *snap, struct mag_walk *w, const umem_tcbin_t *b,
    taddr_t tcache)
{
	struct mag_found found = {.place = MAG_LOADED, .tcache = tcache};
	umem_magazine_t mag;

	if (b->tb_base <= UMEM_MAG_ROUND || b->tb_base % 8 != 0 ||
	    b->tb_top % 8 != 0 || b->tb_top < b->tb_base ||
	    b->tb_limit < b->tb_top ||
	    (b->tb_limit - b->tb_base) / 8 > UMEM_MAX_ROUNDS)
		return WALK_NEXT;
	found.addr = b->tb_base - UMEM_MAG_ROUND;
	found.rounds = b->tb_base;
	found.nround = (uint32_t)((b->tb_top - b->tb_base) / 8);
	if (target_read(snap->tgt, found.addr, &mag, sizeof(mag), "magazine") !=
	    UMDB_OK) {
		snap_damaged(snap, found.addr, "%s", snap->tgt->err.msg);
		return WALK_NEXT;
	}
	found.cache = snap_cache_at(snap, mag.mag_cache);
	return meet(snap, w, &found);
}

static int
meet_tcache(struct snap *snap, taddr_t addr, const umem_tcache_t *tc, void *arg)
{
	struct mag_walk *w = arg;
	unsigned i;
	int rc = WALK_NEXT;

	if (w->tcache != 0 && w->tcache != addr)
		return WALK_NEXT;
	for (i = 0; i < UMEM_TC_BINS && rc == WALK_NEXT; i++) {
		rc = meet_loaded(snap, w, &tc->tc_bin[i], addr);
		if (rc == WALK_NEXT)
			rc = meet_closed(
			    snap, w, tc->tc_bin[i].tb_prev, MAG_PREVIOUS, addr);
	}
	for (i = 0; i < 2 && rc == WALK_NEXT; i++)
		rc = meet_closed(snap, w, tc->tc_transit[i], MAG_TRANSIT, addr);
	return rc;
}

static int
meet_depot(
    struct snap *snap, taddr_t addr, const umem_magazine_t *mag, void *arg)
{
	struct mag_walk *w = arg;

	(void)mag;
	return meet_closed(snap, w, addr, w->place, 0);
}

/* Both lists of one cache's depot. */
static int
meet_depots(struct snap *snap, struct mag_walk *w, const struct snap_cache *c)
{
	int rc;

	w->place = MAG_FULL;
	rc = walk_depot(snap, c, true, meet_depot, w);
	if (rc != UMDB_OK || w->stopped)
		return rc;
	w->place = MAG_EMPTY;
	return walk_depot(snap, c, false, meet_depot, w);
}

/* Damage of one list hides nothing of the next one. */
static bool
goes_on(const struct mag_walk *w, int rc)
{
	return !w->stopped &&
	       (rc == UMDB_OK || rc == UMDB_ECORRUPT || rc == UMDB_EFAULT);
}

int
walk_magazines(struct snap *snap, const struct snap_cache *cache,
    taddr_t tcache, walk_magazine_fn *fn, void *arg)
{
	struct mag_walk w = {
	    .cache = cache, .tcache = tcache, .fn = fn, .arg = arg};
	uint32_t i;
	int rc, more;

	rc = walk_tcaches(snap, meet_tcache, &w);
	for (i = 0; i < snap->ncache && goes_on(&w, rc); i++) {
		if (tcache != 0 || (cache != NULL && cache != &snap->cache[i]))
			continue;
		more = meet_depots(snap, &w, &snap->cache[i]);
		if (more != UMDB_OK)
			rc = more;
	}
	addrmap_fini(&w.met);
	return rc;
}

int
walk_rounds(struct snap *snap, const struct mag_found *mag, walk_round_fn *fn,
    void *arg)
{
	uint64_t round[UMEM_MAX_ROUNDS];
	uint32_t i;
	int rc;

	if (mag->nround > UMEM_MAX_ROUNDS)
		return target_fail(snap->tgt, UMDB_ECORRUPT, mag->addr,
		    "magazine %#" PRIx64 " is damaged", mag->addr);
	rc = target_read(snap->tgt, mag->rounds, round,
	    mag->nround * sizeof(round[0]), "magazine rounds");
	if (rc != UMDB_OK)
		return rc;
	for (i = 0; i < mag->nround; i++) {
		rc = fn(snap, round[i], arg);
		if (rc != WALK_NEXT)
			return rc == WALK_STOP ? UMDB_OK : rc;
	}
	return UMDB_OK;
}
