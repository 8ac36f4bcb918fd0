/* SPDX-License-Identifier: MIT */
/*
 * lock.h - mutual exclusion on a umem_lock_t
 *
 * A three-state futex mutex (Drepper, "Futexes Are Tricky", 2011, mutex2):
 * one atomic operation to take or drop a lock nobody waits for.  Zeroed
 * memory is an unlocked lock.  Locks do not nest on themselves.
 *
 * Order, outermost first; a thread may take only later ones while it holds
 * one, and none of the library's locks is held while code of the client
 * (constructors, callbacks) or the loader runs:
 *
 *	init -> thread caches -> cache list -> cache -> depot -> arena (child before its source)
 *	     -> heap -> meta, pagemap, regions -> log slot -> log -> message
 *
 * Layer: above os.h.
 */
#ifndef UMEM_LOCK_H
#define UMEM_LOCK_H

#include "umem_layout.h"

/* lk_word */
enum {
	LOCK_FREE = 0,
	LOCK_HELD = 1,
	LOCK_WAITED = 2, /* held, and somebody may be asleep */
	LOCK_FORK = 3,   /* held by the thread that is in fork(2) */
};

void umem_lock_slow(umem_lock_t *l);
void umem_unlock_slow(umem_lock_t *l);

static inline int
lock_try(umem_lock_t *l)
{
	uint32_t expected = LOCK_FREE;

	return __atomic_compare_exchange_n(&l->lk_word, &expected, LOCK_HELD, 0,
	    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void
lock_acquire(umem_lock_t *l)
{
	if (__builtin_expect(!lock_try(l), 0))
		umem_lock_slow(l);
}

static inline void
lock_release(umem_lock_t *l)
{
	uint32_t expected = LOCK_HELD;

	if (__builtin_expect(
		!__atomic_compare_exchange_n(&l->lk_word, &expected, LOCK_FREE,
		    0, __ATOMIC_RELEASE, __ATOMIC_RELAXED),
		0))
		umem_unlock_slow(l);
}

/*
 * lock_peek, lock_put - read what is written under a lock, without it, to learn
 * what it was a moment ago; and write such a word
 */
#define lock_peek(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)
#define lock_put(word, value) \
	__atomic_store_n(&(word), (value), __ATOMIC_RELAXED)

/*
 * lock_fork_begin, lock_fork_end - between these calls the calling thread may
 * use lock_fork_hold(); what it holds that way it may go on using as if it
 * were free, because fork handlers of others may allocate, while all other
 * threads wait.  The calls nest; the child inherits the state and calls
 * lock_reset() and lock_fork_end().
 */
void lock_fork_begin(void);
void lock_fork_end(void);
void lock_fork_hold(umem_lock_t *l);
void lock_fork_release(umem_lock_t *l);

/* lock_reset - forget holders and waiters: in the child after fork */
static inline void
lock_reset(umem_lock_t *l)
{
	__atomic_store_n(&l->lk_word, LOCK_FREE, __ATOMIC_RELEASE);
}

#endif /* UMEM_LOCK_H */
