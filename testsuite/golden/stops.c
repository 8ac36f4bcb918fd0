/* SPDX-License-Identifier: MIT */
/*
 * stops.c - calls that umem break is to stop at, and others; see stops.py
 *
 * Everything is done twice: the first time without a breakpoint, so that the
 * thread has magazines and its calls would take the fast path.
 */
#include <stdlib.h>
#include <umem.h>

#define KEEP(p) __asm__ volatile("" ::"r"(p) : "memory")
#define OWN_FRAME __attribute__((noinline, noclone))

static umem_cache_t *objects;
void *hundred, *object, *gone;

OWN_FRAME void
take_hundred(void)
{
	hundred = malloc(100);
	KEEP(hundred);
}

OWN_FRAME void
take_others(void)
{
	int size;

	for (size = 101; size < 3000; size += 50) {
		void *p = malloc((size_t)size);

		KEEP(p);
		free(p);
	}
}

OWN_FRAME void
give_hundred(void)
{
	free(hundred);
	KEEP(hundred);
}

OWN_FRAME void
take_object(void)
{
	object = umem_cache_alloc(objects, UMEM_DEFAULT);
	KEEP(object);
}

OWN_FRAME void
give_object(void)
{
	umem_cache_free(objects, object);
	KEEP(object);
}

OWN_FRAME void
ready(void)
{
	KEEP(hundred);
}

OWN_FRAME void
free_stack(void)
{
	char on_stack[64];
	void *volatile p = on_stack + 16;

	free(p);
	KEEP(p);
}

static void
work(void)
{
	take_others();
	take_hundred();
	take_object();
	take_others();
	give_hundred();
	give_object();
}

int
main(void)
{
	objects = umem_cache_create(
	    "stop_objects", 72, 0, NULL, NULL, NULL, NULL, NULL, 0);
	work();
	ready();
	work();
	ready();
	work();
	ready();
	free_stack();
	return 0;
}
