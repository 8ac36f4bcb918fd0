/* SPDX-License-Identifier: MIT */
/*
 * constructed.c - what the constructor of an object cache allocates
 *
 * Free objects that wait in a thread's cache or in the depot are constructed
 * as long as nothing is checked, and keep it; that is what a destructor is
 * for.  Where objects are checked, they are destroyed as they are freed.
 *
 * link: umem
 */
#include <pthread.h>
#include <umem.h>

#include "truth.h"

#define N 500u

struct object {
	char *name; /* from the constructor to the destructor */
	struct object *next;
	void *data;
};

struct object *list;
umem_cache_t *cache, *plain, *zeroed;

static int
construct(void *buf, void *arg, int flags)
{
	struct object *o = buf;

	(void)arg;
	memset(o, 0, sizeof(*o));
	o->name = umem_alloc(40, flags);
	return o->name == NULL;
}

static void
destruct(void *buf, void *arg)
{
	(void)arg;
	umem_free(((struct object *)buf)->name, 40);
}

static int
zero(void *buf, void *arg, int flags)
{
	(void)arg;
	(void)flags;
	memset(buf, 0, sizeof(struct object));
	return 0;
}

STEP void
churn(void)
{
	struct object *freed[N];
	unsigned i;

	for (i = 0; i < N; i++)
		freed[i] = umem_cache_alloc(cache, UMEM_DEFAULT);
	for (i = 0; i < N; i++)
		umem_cache_free(cache, freed[i]);
}

STEP void
keep_and_lose(void)
{
	struct object *o;
	unsigned i;

	for (i = 0; i < N; i++) {
		o = umem_cache_alloc(cache, UMEM_DEFAULT);
		o->next = list;
		list = o;
		o = umem_cache_alloc(cache, UMEM_DEFAULT);
		o->next = NULL;
		truth_lost(o, DEFINITE);
		truth_lost(o->name, INDIRECT);
	}
}

/* What a client leaves in an object that nobody will destroy is stale. */
STEP void
leave_stale(umem_cache_t *cp)
{
	struct object *freed[N];
	unsigned i;

	for (i = 0; i < N; i++) {
		freed[i] = umem_cache_alloc(cp, UMEM_DEFAULT);
		freed[i]->data = umem_zalloc(64, UMEM_DEFAULT);
		truth_lost(freed[i]->data, DEFINITE);
	}
	for (i = 0; i < N; i++)
		umem_cache_free(cp, freed[i]);
}

static void *
thread(void *arg)
{
	churn();
	return arg;
}

int
main(void)
{
	pthread_t t;

	cache = umem_cache_create("constructed", sizeof(struct object), 0,
	    construct, destruct, NULL, NULL, NULL, 0);
	plain = umem_cache_create(
	    "plain", sizeof(struct object), 0, NULL, NULL, NULL, NULL, NULL, 0);
	zeroed = umem_cache_create("zeroed", sizeof(struct object), 0, zero,
	    NULL, NULL, NULL, NULL, 0);
	keep_and_lose();
	leave_stale(plain);
	leave_stale(zeroed);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	churn();
	truth_end();
}
