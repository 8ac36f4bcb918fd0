/* SPDX-License-Identifier: MIT */
/*
 * double_free_threads.c - once in this thread and once in another
 *
 * debug: default
 * ends: ABRT
 * says: umem: buffer freed twice: ADDR of cache umem_alloc_32, 24 bytes
 */
#include <pthread.h>
#include <stdlib.h>

static void *
release(void *p)
{
	free(p);
	return NULL;
}

int
main(void)
{
	char *p = malloc(24);
	pthread_t thread;

	pthread_create(&thread, NULL, release, p);
	pthread_join(thread, NULL);
	free(p);
	return 0;
}
