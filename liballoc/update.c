/* SPDX-License-Identifier: MIT */
/*
 * update.c - what is done now and then; see update.h
 *
 * Layer: update.h
 */
#include "update.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "cache.h"
#include "heap.h"
#include "init.h"
#include "mag.h"
#include "msg.h"
#include "os.h"
#include "root.h"
#include "slab.h"
#include "tcache.h"
#include "umem.h"

enum { SECOND = 1000000000 };

static uint64_t next_update; /* ns */
static uint64_t next_reap;
static int updating; /* one thread at a time, and not from within */

static int
update_begin(void)
{
	return __atomic_exchange_n(&updating, 1, __ATOMIC_ACQUIRE) == 0;
}

static void
update_end(void)
{
	__atomic_store_n(&updating, 0, __ATOMIC_RELEASE);
}

static void
trim_one(umem_cache_t *cp)
{
	if (!(cp->cache_flags & UMF_LARGE))
		depot_update(cp);
}

void
update_tick(void)
{
	uint64_t now = os_now();

	if (now < __atomic_load_n(&next_update, __ATOMIC_RELAXED))
		return;
	if (!update_begin())
		return;
	__atomic_store_n(&next_update, now + SECOND, __ATOMIC_RELAXED);
	cache_each(trim_one);
	(void)heap_decay(now, 0);
	update_end();
}

static void
reclaim_one(umem_cache_t *cp)
{
	umem_reclaim_t *reclaim = (umem_reclaim_t *)cp->cache_reclaim;

	if (reclaim != NULL)
		reclaim((void *)cp->cache_private);
}

static void
purge_one(umem_cache_t *cp)
{
	if (cp->cache_flags & UMF_LARGE)
		return;
	depot_purge(cp);
	if (!(cp->cache_cflags & UMC_QCACHE))
		slab_trim(cp);
}

size_t
update_reap(void)
{
	uint64_t now = os_now();
	size_t purged;

	if (umem_root.root_ready != UMEM_READY || !update_begin())
		return 0;
	/* Clients' callbacks no more often than the interval says. */
	if (now >= next_reap) {
		next_reap =
		    now + umem_settings.set_reap_interval * (uint64_t)SECOND;
		cache_each(reclaim_one);
	}
	tc_flush();
	cache_each(purge_one);
	purged = heap_decay(now, 1);
	update_end();
	return purged;
}

void
update_fork_child(void)
{
	update_end();
}

static void *
background(void *arg)
{
	(void)arg;
	for (;;) {
		(void)sleep(1);
		update_tick();
	}
	return NULL;
}

void
update_start(void)
{
	sigset_t all, old;
	pthread_t thread;
	int rc;

	if (!umem_settings.set_background)
		return;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, NULL, background, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		(void)pthread_detach(thread);
	else
		umem_log_message("umem: no background thread (error %d)\n", rc);
}
