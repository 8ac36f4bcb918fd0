/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the slow half of lock.h: waiting
 *
 * Layer: lock.h
 */
#include "lock.h"

#include "os.h"

enum { SPINS = 100 };

void
umem_lock_slow(umem_lock_t *l)
{
	/* Holders are quick: most waits end before a system call would. */
	for (int i = 0; i < SPINS; i++) {
		if (__atomic_load_n(&l->lk_word, __ATOMIC_RELAXED) == 0 &&
		    lock_try(l))
			return;
#if defined(__x86_64__)
		__builtin_ia32_pause();
#endif
	}
	while (__atomic_exchange_n(&l->lk_word, 2, __ATOMIC_ACQUIRE) != 0)
		os_futex_wait(&l->lk_word, 2);
}

void
umem_unlock_slow(umem_lock_t *l)
{
	os_futex_wake(&l->lk_word);
}
