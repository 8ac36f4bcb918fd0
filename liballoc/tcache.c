/* SPDX-License-Identifier: MIT */
/*
 * tcache.c - a thread's own magazines; see tcache.h
 *
 * Magazines change hands between a bin and the depot in steps that a debugger
 * may see half done.  Every magazine with rounds is therefore written to
 * tc_transit first, with an exact count, and leaves it last.
 *
 * Layer: tcache.h
 */
#include "tcache.h"

#include <limits.h>
#include <pthread.h>

#include "audit.h"
#include "cache_list.h"
#include "lock.h"
#include "mag.h"
#include "meta.h"
#include "os.h"
#include "root.h"
#include "slab.h"
#include "umem.h"
#include "update.h"

#define BARRIER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

enum { FIRST_REFILL = 4, TICK_MASK = 15 };

/* Not yet, and no more, a cache of one's own: all bins empty and full. */
static umem_tcache_t tc_none;
static umem_tcache_t tc_ended;

__thread umem_tcache_t *umem_tc __attribute__((tls_model("initial-exec"))) =
    &tc_none;

/* The thread's cache if it has one, also while umem_tc is blind. */
static __thread umem_tcache_t *tc_own
    __attribute__((tls_model("initial-exec")));

__thread uint32_t umem_tid; /* 0: not asked for yet */

static umem_lock_t tc_lock; /* root_tcaches, tc_nfree */
static unsigned tc_nfree;   /* caches on the list whose thread ended */
static pthread_key_t tc_key;
static int tc_have_key;

/* ------------------------------------------------------ a thread's life */

/* Reuse the cache of a thread that ended. */
static umem_tcache_t *
tc_reuse(void)
{
	umem_tcache_t *tc = NULL;

	if (lock_peek(tc_nfree) == 0)
		return NULL;
	lock_acquire(&tc_lock);
	if (tc_nfree != 0) {
		tc = umem_root.root_tcaches;
		while (tc != NULL && tc->tc_state != UMEM_TC_FREE)
			tc = tc->tc_next;
	}
	if (tc != NULL) {
		tc->tc_state = UMEM_TC_LIVE;
		lock_put(tc_nfree, tc_nfree - 1);
	}
	lock_release(&tc_lock);
	return tc;
}

static umem_tcache_t *
tc_new(void)
{
	umem_tcache_t *tc = meta_alloc(sizeof(*tc));

	if (tc == NULL)
		return NULL;
	tc->tc_state = UMEM_TC_LIVE;
	lock_acquire(&tc_lock);
	tc->tc_slot = (uint32_t)umem_root.root_thread_count++;
	tc->tc_next = umem_root.root_tcaches;
	if (tc->tc_next != NULL)
		tc->tc_next->tc_prev = tc;
	BARRIER();
	umem_root.root_tcaches = tc;
	lock_release(&tc_lock);
	return tc;
}

static int
tc_watched(void)
{
	return __atomic_load_n(&umem_watch.w_on, __ATOMIC_RELAXED) != 0;
}

/*
 * Use one's cache on the fast path too, unless a debugger watches.  It blinds
 * whoever can see, so first see, then look.
 */
static void
tc_see(umem_tcache_t *tc)
{
	umem_tc = tc;
	BARRIER();
	if (tc_watched())
		umem_tc = &tc_none;
}

/* Where a debugger finds umem_tc, the same for all threads. */
static void
tc_publish(void)
{
	__atomic_store_n(
	    &umem_watch.w_blind, (uintptr_t)&tc_none, __ATOMIC_RELAXED);
	__atomic_store_n(&umem_watch.w_tls,
	    (intptr_t)&umem_tc - (intptr_t)__builtin_thread_pointer(),
	    __ATOMIC_RELAXED);
}

static umem_tcache_t *
tc_create(void)
{
	umem_tcache_t *tc = tc_reuse();

	if (tc == NULL)
		tc = tc_new();
	if (tc == NULL)
		return NULL;
	tc->tc_tid = umem_thread_id();
	tc->tc_thread_pointer = (uintptr_t)__builtin_thread_pointer();
	tc_publish();
	tc_own = tc;
	tc_see(tc);
	/* May call calloc in a program with many keys: we are ready for it. */
	if (tc_have_key)
		(void)pthread_setspecific(tc_key, tc);
	return tc;
}

/* The calling thread's cache; NULL when it has none (any more). */
static umem_tcache_t *
tc_mine(void)
{
	umem_tcache_t *tc = umem_tc;

	if (__builtin_expect(tc != &tc_none, 1))
		return tc == &tc_ended ? NULL : tc;
	if (tc_own == NULL)
		return tc_create();
	if (!tc_watched())
		tc_see(tc_own);
	return tc_own;
}

uint32_t
umem_thread_id_first(void)
{
	umem_tid = os_tid();
	return umem_tid;
}

unsigned
umem_thread_slot(void)
{
	umem_tcache_t *tc = tc_mine();

	return tc != NULL ? tc->tc_slot : UINT_MAX;
}

/* ----------------------------------------------------------------- bins */

static umem_magazine_t *
bin_loaded(const umem_tcbin_t *b)
{
	return b->tb_base == NULL
		   ? NULL
		   : (umem_magazine_t *)((char *)b->tb_base - UMEM_MAG_ROUND);
}

/* Open a magazine in an empty bin. */
static void
bin_load(umem_tcbin_t *b, umem_magazine_t *mp)
{
	void **base = mag_round(mp);

	b->tb_limit = base + mp->mag_size;
	b->tb_top = base + mp->mag_rounds;
	BARRIER();
	b->tb_base = base;
	BARRIER();
}

/* Close the loaded magazine: its mag_rounds is exact again. */
static umem_magazine_t *
bin_unload(umem_tcache_t *tc, umem_tcbin_t *b)
{
	umem_magazine_t *mp = bin_loaded(b);

	if (mp == NULL)
		return NULL;
	mp->mag_rounds = (uint32_t)(b->tb_top - b->tb_base);
	tc->tc_transit[0] = mp;
	BARRIER();
	b->tb_base = b->tb_top = b->tb_limit = NULL;
	BARRIER();
	return mp;
}

static void
transit_end(umem_tcache_t *tc)
{
	BARRIER();
	tc->tc_transit[0] = tc->tc_transit[1] = NULL;
}

static size_t
mag_capacity(const umem_cache_t *cp)
{
	return (size_t)cp->cache_magsize * cp->cache_chunksize;
}

/*
 * The thread has so many more magazines of the cache, or fewer.  Who destroys
 * the cache takes them away from all threads.
 */
static void
tc_holds(umem_tcache_t *tc, const umem_cache_t *cp, int magazines)
{
	__atomic_fetch_add(&tc->tc_capacity,
	    (uint32_t)magazines * (uint32_t)mag_capacity(cp), __ATOMIC_RELAXED);
}

static uint32_t
tc_capacity(const umem_tcache_t *tc)
{
	return __atomic_load_n(&tc->tc_capacity, __ATOMIC_RELAXED);
}

/* May the bin keep one more magazine? */
static int
tc_has_room(const umem_tcache_t *tc, const umem_cache_t *cp)
{
	return tc_capacity(tc) + mag_capacity(cp) <= umem_root.root_perthread;
}

/*
 * Load @mp: the previous magazine, one from the depot (then it is in
 * tc_transit[1]) or an empty one.  What was loaded becomes the previous one,
 * and whatever is then too many goes to the depot.
 */
static void
bin_install(
    umem_tcache_t *tc, umem_cache_t *cp, umem_tcbin_t *b, umem_magazine_t *mp)
{
	umem_magazine_t *prev = b->tb_prev, *give = NULL, *loaded;

	loaded = bin_unload(tc, b);
	if (mp == prev) {
		tc->tc_transit[1] = mp;
		BARRIER();
		b->tb_prev = loaded;
	} else if (loaded != NULL && prev == NULL && !tc_has_room(tc, cp)) {
		give = loaded;
	} else if (loaded != NULL && prev != NULL) {
		give = prev;
		if (mp->mag_rounds == 0)
			tc->tc_transit[1] = give;
		BARRIER();
		b->tb_prev = loaded;
	} else {
		b->tb_prev = loaded;
		tc_holds(tc, cp, 1);
	}
	bin_load(b, mp);
	if (give != NULL)
		depot_put(cp, give);
	transit_end(tc);
}

/* The slow path was entered: now and then look after memory. */
static void
tc_tick(umem_tcache_t *tc)
{
	if ((++tc->tc_ticks & TICK_MASK) == 0)
		update_tick();
}

/* ----------------------------------------------------------- allocation */

int
tc_own_pop(unsigned bin, void **buf_ret)
{
	return tc_own != NULL && bin_pop(&tc_own->tc_bin[bin], buf_ret);
}

int
tc_own_room(unsigned bin)
{
	const umem_tcache_t *tc = tc_own;

	return tc != NULL && tc->tc_bin[bin].tb_top != tc->tc_bin[bin].tb_limit;
}

void
tc_own_push(unsigned bin, void *buf)
{
	(void)bin_push(&tc_own->tc_bin[bin], buf);
}

/* Fill the loaded magazine, which is empty, from the slabs. */
static int
bin_refill(umem_tcache_t *tc, umem_cache_t *cp, umem_tcbin_t *b)
{
	uint8_t *grow = &tc->tc_grow[cp->cache_bin];
	unsigned n = *grow != 0 ? *grow : FIRST_REFILL;
	umem_magazine_t *mp = bin_unload(tc, b);
	unsigned got;

	if (mp == NULL) {
		mp = mag_get(cp);
		if (mp == NULL)
			return 0;
		tc->tc_transit[0] = mp;
		tc_holds(tc, cp, 1);
	}
	if (n < mp->mag_size)
		*grow = (uint8_t)(2 * n < mp->mag_size ? 2 * n : mp->mag_size);
	else
		n = mp->mag_size;
	got = slab_fill(cp, mp, n);
	bin_load(b, mp);
	transit_end(tc);
	return got != 0;
}

/* An object that has to be made; magazines of such caches fill by frees. */
static void *
object_create(umem_cache_t *cp)
{
	umem_constructor_t *construct =
	    (umem_constructor_t *)cp->cache_constructor;
	void *buf = slab_alloc(cp);

	if (buf == NULL || construct == NULL || cache_is_checked(cp))
		return buf;
	if (construct(buf, (void *)cp->cache_private, UMEM_DEFAULT) == 0)
		return buf;
	slab_free(cp, buf);
	return NULL;
}

static void
object_destroy(umem_cache_t *cp, void *buf)
{
	umem_destructor_t *destruct = (umem_destructor_t *)cp->cache_destructor;

	if (destruct != NULL && !cache_is_checked(cp))
		destruct(buf, (void *)cp->cache_private);
	slab_free(cp, buf);
}

static __attribute__((noinline)) void *
alloc_slow(umem_cache_t *cp)
{
	umem_tcache_t *tc = cp->cache_bin != 0 ? tc_mine() : NULL;
	umem_magazine_t *mp;
	umem_tcbin_t *b;
	void *buf;

	if (tc == NULL)
		return object_create(cp);
	b = &tc->tc_bin[cp->cache_bin];
	if (bin_pop(b, &buf))
		return buf;
	tc_tick(tc);
	mp = b->tb_prev;
	if (mp == NULL || mp->mag_rounds == 0)
		mp = depot_get(cp, &tc->tc_transit[1]);
	if (mp != NULL)
		bin_install(tc, cp, b, mp);
	else if (cp->cache_constructor != 0 && !cache_is_checked(cp))
		return object_create(cp);
	else if (!bin_refill(tc, cp, b))
		return NULL;
	return bin_pop(b, &buf) ? buf : NULL;
}

void *
tc_alloc(umem_cache_t *cp)
{
	void *buf;

	return tc_pop(cp->cache_bin, &buf) ? buf : alloc_slow(cp);
}

static __attribute__((noinline)) void
free_slow(umem_cache_t *cp, void *buf)
{
	umem_tcache_t *tc = cp->cache_bin != 0 ? tc_mine() : NULL;
	umem_magazine_t *mp;
	umem_tcbin_t *b;

	if (tc == NULL) {
		object_destroy(cp, buf);
		return;
	}
	b = &tc->tc_bin[cp->cache_bin];
	if (bin_push(b, buf))
		return;
	tc_tick(tc);
	mp = b->tb_prev;
	if (mp == NULL || mp->mag_rounds != 0)
		mp = mag_get(cp);
	if (mp == NULL) {
		object_destroy(cp, buf);
		return;
	}
	bin_install(tc, cp, b, mp);
	(void)bin_push(b, buf);
}

void
tc_free(umem_cache_t *cp, void *buf)
{
	if (!tc_push(cp->cache_bin, buf))
		free_slow(cp, buf);
}

/* ------------------------------------------------------------------ end */

/* Both magazines of a thread's bin go to the depot, in @tc's hands. */
static void
bin_flush(umem_tcache_t *tc, umem_cache_t *cp, umem_tcache_t *whose,
    void (*put)(umem_cache_t *cp, umem_magazine_t *mp))
{
	umem_tcbin_t *b = &whose->tc_bin[cp->cache_bin];
	umem_magazine_t *loaded = bin_unload(tc, b), *prev = b->tb_prev;

	tc->tc_transit[1] = prev;
	BARRIER();
	b->tb_prev = NULL;
	if (loaded != NULL)
		put(cp, loaded);
	if (prev != NULL)
		put(cp, prev);
	tc_holds(whose, cp, -(loaded != NULL) - (prev != NULL));
	transit_end(tc);
	whose->tc_grow[cp->cache_bin] = 0;
}

static void
tc_flush_all(umem_tcache_t *tc)
{
	umem_cache_t *cp = NULL;

	if (tc_capacity(tc) == 0)
		return;
	/* Destructors of objects may use any cache: hold no lock here. */
	while ((cp = cache_visit(cp)) != NULL)
		if (cp->cache_bin != 0)
			bin_flush(tc, cp, tc, depot_put);
}

void
tc_flush(void)
{
	umem_tcache_t *tc = tc_mine();

	if (tc != NULL)
		tc_flush_all(tc);
}

/* The key's destructor.  What the thread still frees takes the slow path. */
static void
tc_thread_ends(void *arg)
{
	umem_tcache_t *tc = arg;

	tc_flush_all(tc);
	umem_tc = &tc_ended;
	tc_own = NULL;
	/* An object's destructor may have cached something again. */
	tc_flush_all(tc);
	lock_acquire(&tc_lock);
	tc->tc_tid = 0;
	tc->tc_thread_pointer = 0;
	tc->tc_state = UMEM_TC_FREE;
	lock_put(tc_nfree, tc_nfree + 1);
	lock_release(&tc_lock);
}

void
tc_forget(umem_cache_t *cp)
{
	umem_tcache_t *mine = tc_mine();

	if (cp->cache_bin == 0)
		return;
	/* A debugger does not see what passes through this one, a moment long. */
	if (mine == NULL)
		mine = &tc_ended;
	lock_acquire(&tc_lock);
	for (umem_tcache_t *tc = umem_root.root_tcaches; tc != NULL;
	     tc = tc->tc_next)
		bin_flush(mine, cp, tc, depot_keep);
	lock_release(&tc_lock);
}

uint64_t
tc_rounds(const umem_cache_t *cp)
{
	uint64_t n = 0;

	lock_acquire(&tc_lock);
	for (umem_tcache_t *tc = umem_root.root_tcaches; tc != NULL;
	     tc = tc->tc_next) {
		const umem_tcbin_t *b = &tc->tc_bin[cp->cache_bin];
		void **top = b->tb_top, **base = b->tb_base;
		const umem_magazine_t *prev = b->tb_prev;

		if (cp->cache_bin == 0)
			break;
		if (base != NULL && top >= base)
			n += (uint64_t)(top - base);
		if (prev != NULL)
			n += prev->mag_rounds;
	}
	lock_release(&tc_lock);
	return n;
}

void
tc_init(void)
{
	tc_have_key = pthread_key_create(&tc_key, tc_thread_ends) == 0;
}

/* ----------------------------------------------------------------- fork */

void
tc_fork_lock(void)
{
	lock_fork_hold(&tc_lock);
}

void
tc_fork_unlock(void)
{
	lock_fork_release(&tc_lock);
}

/*
 * The other threads are gone; what they had cached is free for all, unless
 * they were just changing magazines.
 */
void
tc_fork_child(void)
{
	umem_tcache_t *mine = tc_own;

	lock_reset(&tc_lock);
	umem_tid = 0;
	if (mine != NULL)
		mine->tc_tid = umem_thread_id();
	for (umem_tcache_t *tc = umem_root.root_tcaches; tc != NULL;
	     tc = tc->tc_next) {
		if (tc == mine || tc->tc_state == UMEM_TC_FREE)
			continue;
		if (tc->tc_transit[0] == NULL && tc->tc_transit[1] == NULL) {
			tc_flush_all(tc);
			tc->tc_state = UMEM_TC_FREE;
			tc_nfree++;
		}
		tc->tc_tid = 0;
	}
}
