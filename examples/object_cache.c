/* SPDX-License-Identifier: MIT */
/*
 * object_cache.c - objects that keep their constructed state
 *
 * A connection has a lock and a list, which are set up once, when memory is
 * first made into a connection, and not each time one is needed.
 */
#include <pthread.h>
#include <stdio.h>
#include <umem.h>

struct connection {
	pthread_mutex_t lock;
	struct connection *next;
	char buffer[200];
};

static int constructed;

static int
connection_construct(void *buf, void *cbdata, int flags)
{
	struct connection *c = buf;

	(void)cbdata;
	(void)flags;
	constructed++;
	c->next = NULL;
	return pthread_mutex_init(&c->lock, NULL);
}

static void
connection_destruct(void *buf, void *cbdata)
{
	struct connection *c = buf;

	(void)cbdata;
	pthread_mutex_destroy(&c->lock);
}

int
main(void)
{
	umem_cache_t *cache =
	    umem_cache_create("connection", sizeof(struct connection), 0,
		connection_construct, connection_destruct, NULL, NULL, NULL, 0);
	int i;

	for (i = 0; i < 100000; i++) {
		struct connection *c = umem_cache_alloc(cache, UMEM_NOFAIL);

		pthread_mutex_lock(&c->lock);
		pthread_mutex_unlock(&c->lock);
		umem_cache_free(cache, c);
	}
	printf("100000 connections, constructed: %d\n", constructed);
	umem_cache_destroy(cache);
	return 0;
}
