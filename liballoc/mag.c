/* SPDX-License-Identifier: MIT */
/*
 * mag.c - magazines and the depot; see mag.h
 *
 * Layer: mag.h
 */
#include "mag.h"

#include "lock.h"
#include "meta.h"
#include "slab.h"
#include "umem.h"

#define BARRIER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

static size_t
mag_bytes(uint32_t size)
{
	return UMEM_MAG_ROUND + size * sizeof(uint64_t);
}

/* ---------------------------------------------------------------- lists */

/* Called with the depot lock held. */
static void
list_push(umem_maglist_t *ml, umem_magazine_t *mp)
{
	mp->mag_next = ml->ml_list;
	BARRIER();
	lock_put(ml->ml_list, mp);
	lock_put(ml->ml_total, ml->ml_total + 1);
	lock_put(ml->ml_rounds, ml->ml_rounds + mp->mag_rounds);
}

static umem_magazine_t *
list_pop(umem_maglist_t *ml)
{
	umem_magazine_t *mp = ml->ml_list;

	if (mp == NULL)
		return NULL;
	lock_put(ml->ml_list, mp->mag_next);
	lock_put(ml->ml_total, ml->ml_total - 1);
	lock_put(ml->ml_rounds, ml->ml_rounds - mp->mag_rounds);
	if (ml->ml_total < ml->ml_min)
		ml->ml_min = ml->ml_total;
	return mp;
}

/* Threads that collide here want larger magazines: noted for depot_update. */
static void
depot_lock(umem_cache_t *cp)
{
	if (lock_try(&cp->cache_depot_lock))
		return;
	lock_acquire(&cp->cache_depot_lock);
	cp->cache_depot_contention++;
}

/* ------------------------------------------------------------ magazines */

umem_magazine_t *
mag_get(umem_cache_t *cp)
{
	umem_magazine_t *mp = NULL;

	if (lock_peek(cp->cache_magempty.ml_list) != NULL) {
		depot_lock(cp);
		mp = list_pop(&cp->cache_magempty);
		lock_release(&cp->cache_depot_lock);
	}
	if (mp == NULL) {
		mp = meta_alloc(mag_bytes(cp->cache_magsize));
		if (mp == NULL)
			return NULL;
		mp->mag_cache = cp;
		mp->mag_size = cp->cache_magsize;
	}
	mp->mag_next = NULL;
	mp->mag_rounds = 0;
	return mp;
}

void
mag_drain(umem_cache_t *cp, umem_magazine_t *mp)
{
	umem_destructor_t *destruct = (umem_destructor_t *)cp->cache_destructor;

	if (destruct != NULL && !cache_is_checked(cp))
		for (unsigned i = 0; i < mp->mag_rounds; i++)
			destruct(mag_round(mp)[i], (void *)cp->cache_private);
	slab_drain(cp, mp, 0);
}

static void
mag_destroy(umem_cache_t *cp, umem_magazine_t *mp)
{
	mag_drain(cp, mp);
	meta_free(mp, mag_bytes(mp->mag_size));
}

/* ---------------------------------------------------------------- depot */

umem_magazine_t *
depot_get(umem_cache_t *cp, umem_magazine_t **transit)
{
	umem_magazine_t *mp;

	if (lock_peek(cp->cache_magfull.ml_list) == NULL)
		return NULL;
	depot_lock(cp);
	*transit = cp->cache_magfull.ml_list;
	BARRIER();
	mp = list_pop(&cp->cache_magfull);
	if (mp != NULL)
		cp->cache_magfull.ml_alloc++;
	lock_release(&cp->cache_depot_lock);
	*transit = mp;
	return mp;
}

/* Take n magazines off a list and destroy them. */
static void
depot_shrink(umem_cache_t *cp, umem_maglist_t *ml, uint64_t n)
{
	while (n-- > 0) {
		umem_magazine_t *mp;

		lock_acquire(&cp->cache_depot_lock);
		mp = list_pop(ml);
		lock_release(&cp->cache_depot_lock);
		if (mp == NULL)
			return;
		mag_destroy(cp, mp);
	}
}

static int
depot_has_enough(const umem_cache_t *cp)
{
	const umem_maglist_t *ml = &cp->cache_magfull;

	return lock_peek(ml->ml_total) >= DEPOT_MIN_MAGAZINES &&
	       lock_peek(ml->ml_rounds) * cp->cache_chunksize >= DEPOT_BYTES;
}

/*
 * After a peak most buffers of a cache are back in their slabs, and the few
 * in magazines, scattered as they are, keep many slabs from going back.
 */
static int
depot_is_in_the_way(const umem_cache_t *cp)
{
	const uint64_t total = lock_peek(cp->cache_buftotal);

	return total * cp->cache_chunksize > SPARSE_BYTES &&
	       lock_peek(cp->cache_bufslab) < total / SPARSE_SHARE;
}

void
depot_keep(umem_cache_t *cp, umem_magazine_t *mp)
{
	depot_lock(cp);
	list_push(
	    mp->mag_rounds != 0 ? &cp->cache_magfull : &cp->cache_magempty, mp);
	lock_release(&cp->cache_depot_lock);
}

void
depot_put(umem_cache_t *cp, umem_magazine_t *mp)
{
	if (mp->mag_rounds != 0) {
		if (depot_is_in_the_way(cp)) {
			mag_drain(cp, mp);
			depot_shrink(cp, &cp->cache_magfull, 1);
		} else if (depot_has_enough(cp)) {
			mag_drain(cp, mp);
		}
	}
	depot_keep(cp, mp);
}

void
depot_update(umem_cache_t *cp)
{
	uint64_t full, empty;

	lock_acquire(&cp->cache_depot_lock);
	full = cp->cache_magfull.ml_min;
	empty = cp->cache_magempty.ml_min;
	lock_release(&cp->cache_depot_lock);
	depot_shrink(cp, &cp->cache_magfull, full);
	depot_shrink(cp, &cp->cache_magempty, empty);
	lock_acquire(&cp->cache_depot_lock);
	cp->cache_magfull.ml_min = cp->cache_magfull.ml_total;
	cp->cache_magempty.ml_min = cp->cache_magempty.ml_total;
	lock_release(&cp->cache_depot_lock);
}

void
depot_purge(umem_cache_t *cp)
{
	depot_shrink(cp, &cp->cache_magfull, UINT64_MAX);
	depot_shrink(cp, &cp->cache_magempty, UINT64_MAX);
}
