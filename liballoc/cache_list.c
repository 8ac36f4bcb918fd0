/* SPDX-License-Identifier: MIT */
/*
 * cache_list.c - the list of caches, and walking it; see cache_list.h
 *
 * Layer: cache_list.h
 */
#include "cache_list.h"

#include "lock.h"
#include "os.h"
#include "root.h"

umem_lock_t cache_list_lock;

/* Called with the list's lock held. */
static void
leave(umem_cache_t *cp)
{
	/* In a forked child visitors may have been forgotten, see there. */
	if (cp->cache_visitors != 0 && --cp->cache_visitors == 0 &&
	    cp->cache_closed)
		os_futex_wake(&cp->cache_visitors, 1);
}

umem_cache_t *
cache_visit(umem_cache_t *cp)
{
	umem_cache_t *next;

	lock_acquire(&cache_list_lock);
	next = cp != NULL ? cp->cache_next : umem_root.root_caches;
	while (next != NULL && next->cache_closed)
		next = next->cache_next;
	if (next != NULL)
		next->cache_visitors++;
	if (cp != NULL)
		leave(cp);
	lock_release(&cache_list_lock);
	return next;
}

void
cache_leave(umem_cache_t *cp)
{
	lock_acquire(&cache_list_lock);
	leave(cp);
	lock_release(&cache_list_lock);
}

void
cache_close(umem_cache_t *cp)
{
	uint32_t n;

	lock_acquire(&cache_list_lock);
	__atomic_store_n(&cp->cache_closed, 1, __ATOMIC_RELEASE);
	while ((n = cp->cache_visitors) != 0) {
		lock_release(&cache_list_lock);
		os_futex_wait(&cp->cache_visitors, n);
		lock_acquire(&cache_list_lock);
	}
	lock_release(&cache_list_lock);
}
