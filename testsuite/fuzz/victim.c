/* SPDX-License-Identifier: MIT */
/*
 * victim.c - a process whose core has one of everything
 *
 * Live, lost and freed buffers, thread caches of two threads, an object
 * cache, an arena, a large buffer, filled logs; then it waits to be dumped.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vmem.h>
#include <umem.h>
#include <unistd.h>

static void *kept[600];
static umem_cache_t *cache;

static void *
allocate(void *arg)
{
	void **slot = arg;
	size_t i;

	for (i = 0; i < 300; i++) {
		slot[i] = malloc(i * i % 5000 + 8);
		memset(slot[i], 0, 8);
		*(void **)slot[i] = i > 0 ? slot[i - 1] : NULL;
	}
	for (i = 0; i < 300; i += 3) {
		free(slot[i]);
		slot[i] = i % 2 ? malloc(40) : NULL;
	}
	for (i = 100; i < 140; i++)
		slot[i] = NULL; /* lost */
	return NULL;
}

int
main(void)
{
	vmem_t *arena =
	    vmem_create("ports", (void *)1000, 5000, 1, 0, 0, 0, 0, VM_SLEEP);
	pthread_t thread;

	cache = umem_cache_create("things", 72, 0, 0, 0, 0, 0, 0, 0);
	pthread_create(&thread, NULL, allocate, kept);
	pthread_join(thread, NULL);
	allocate(kept + 300);
	kept[0] = umem_cache_alloc(cache, UMEM_DEFAULT);
	kept[1] = vmem_alloc(arena, 17, VM_SLEEP);
	kept[2] = malloc(3000000);
	puts("ready");
	fflush(stdout);
	pause();
	return kept[2] == NULL;
}
