/* SPDX-License-Identifier: MIT */
/*
 * tcache.h - a thread's own magazines
 *
 * Each thread has a umem_tcache_t with a bin per cache: a loaded magazine,
 * open as three pointers, and a previous one.  The usual allocation pops a
 * pointer and the usual free pushes one: no lock, no atomic operation.
 * Before a thread has a cache of its own, and after it gave it back,
 * umem_tc points to one whose bins are all zero: empty and full at once, so
 * the fast path needs no test for it.  Bin 0 is like that in every cache: it
 * serves whatever must take the slow path.  A debugger that watches calls sets
 * umem_tc of every thread to such a cache too (umem_watch_t): the slow path
 * then finds the thread's own by another way.
 *
 * Bounds: a magazine holds 32 KiB or 8 rounds at most, refills start with
 * a few buffers and double, so that an idle thread holds little; a second
 * magazine is kept only while the whole stays below perthread_cache.
 *
 * Layer: above mag.h; below cache.h.
 */
#ifndef UMEM_TCACHE_H
#define UMEM_TCACHE_H

#include <stddef.h>

#include "umem_layout.h"

extern __thread umem_tcache_t *umem_tc
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* bin_pop - take a buffer from the loaded magazine of a bin; 0 when empty */
static inline __attribute__((always_inline)) int
bin_pop(umem_tcbin_t *b, void **buf_ret)
{
	void **top = b->tb_top;

	if (__builtin_expect(top == b->tb_base, 0))
		return 0;
	b->tb_top = top - 1;
	*buf_ret = top[-1];
	return 1;
}

/* bin_push - put a buffer into the loaded magazine of a bin; 0 when full */
static inline __attribute__((always_inline)) int
bin_push(umem_tcbin_t *b, void *buf)
{
	void **top = b->tb_top;

	if (__builtin_expect(top == b->tb_limit, 0))
		return 0;
	*top = buf;
	b->tb_top = top + 1;
	return 1;
}

/* tc_pop, tc_push - the same with a bin of the thread's cache */
static inline __attribute__((always_inline)) int
tc_pop(unsigned bin, void **buf_ret)
{
	return bin_pop(&umem_tc->tc_bin[bin], buf_ret);
}

static inline __attribute__((always_inline)) int
tc_push(unsigned bin, void *buf)
{
	return bin_push(&umem_tc->tc_bin[bin], buf);
}

/*
 * tc_own_pop, tc_own_push - the same while umem_tc is blind, see watch.h;
 * tc_own_room: whether a push will succeed
 */
int tc_own_pop(unsigned bin, void **buf_ret);
int tc_own_room(unsigned bin);
void tc_own_push(unsigned bin, void *buf);

/*
 * tc_alloc - a buffer by whatever way there is: thread cache, depot, slab.
 * Constructed, for object caches.  NULL without memory.
 */
void *tc_alloc(umem_cache_t *cp);

/* tc_free - the way back */
void tc_free(umem_cache_t *cp, void *buf);

/* tc_rounds - buffers of a cache in all thread caches, at about this moment */
uint64_t tc_rounds(const umem_cache_t *cp);

/* tc_init - once: the key whose destructor runs when a thread ends */
void tc_init(void);

/* tc_flush - all that the calling thread caches goes to the depots */
void tc_flush(void);

/* tc_forget - a cache ends: take its magazines away from all threads */
void tc_forget(umem_cache_t *cp);

/* umem_thread_id, umem_thread_slot - see audit.h */

void tc_fork_lock(void);
void tc_fork_unlock(void);
void tc_fork_child(void);

#endif /* UMEM_TCACHE_H */
