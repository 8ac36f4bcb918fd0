/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the slow half of lock.h: waiting
 *
 * Layer: lock.h
 */
#include "lock.h"

#include <limits.h>

#include "os.h"

enum { SPINS = 100 };

/* Whether this thread is in fork(2); the child inherits it. */
static __thread int forking __attribute__((tls_model("initial-exec")));

/* Holders are quick: most waits end before a system call would. */
static int
spin(umem_lock_t *l)
{
	for (int i = 0; i < SPINS; i++) {
		if (__atomic_load_n(&l->lk_word, __ATOMIC_RELAXED) ==
			LOCK_FREE &&
		    lock_try(l))
			return 1;
#if defined(__x86_64__)
		__builtin_ia32_pause();
#endif
	}
	return 0;
}

static int
change(umem_lock_t *l, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(
	    &l->lk_word, &from, to, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void
umem_lock_slow(umem_lock_t *l)
{
	if (spin(l))
		return;
	for (;;) {
		uint32_t word = __atomic_load_n(&l->lk_word, __ATOMIC_RELAXED);

		if (word == LOCK_FREE) {
			if (change(l, LOCK_FREE, LOCK_WAITED))
				return;
		} else if (word == LOCK_FORK) {
			if (forking)
				return;
			os_futex_wait(&l->lk_word, LOCK_FORK);
		} else if (word == LOCK_WAITED ||
			   change(l, LOCK_HELD, LOCK_WAITED)) {
			os_futex_wait(&l->lk_word, LOCK_WAITED);
		}
	}
}

void
umem_unlock_slow(umem_lock_t *l)
{
	if (__atomic_load_n(&l->lk_word, __ATOMIC_RELAXED) == LOCK_FORK)
		return;
	__atomic_store_n(&l->lk_word, LOCK_FREE, __ATOMIC_RELEASE);
	os_futex_wake(&l->lk_word, 1);
}

/* ------------------------------------------------------------------- fork */

void
lock_fork_begin(void)
{
	forking++;
}

void
lock_fork_end(void)
{
	forking--;
}

void
lock_fork_hold(umem_lock_t *l)
{
	lock_acquire(l);
	__atomic_store_n(&l->lk_word, LOCK_FORK, __ATOMIC_RELEASE);
}

void
lock_fork_release(umem_lock_t *l)
{
	__atomic_store_n(&l->lk_word, LOCK_FREE, __ATOMIC_RELEASE);
	os_futex_wake(&l->lk_word, INT_MAX);
}
