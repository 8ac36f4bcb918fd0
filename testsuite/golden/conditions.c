/* SPDX-License-Identifier: MIT */
/*
 * conditions.c - buffers that are taken and given back, with what is true of
 * them as arguments; see conditions.py
 *
 * Arguments: how many buffers lie in the heap besides, and the state that a
 * buffer has once it was freed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <umem.h>

#define ROUNDS 100
#define KEEP(p) __asm__ volatile("" ::"r"(p) : "memory")
#define OWN_FRAME __attribute__((noinline, noclone))

int rounds = ROUNDS;
void **heap;

OWN_FRAME void
site(char *p, size_t size, const char *cache, const char *state)
{
	KEEP(p);
	(void)size;
	(void)cache;
	(void)state;
}

/* Of a size that no cache has. */
OWN_FRAME void
odd_size(char *p)
{
	KEEP(p);
}

OWN_FRAME void
ready(void)
{
	KEEP(heap);
}

static void
fill(size_t count)
{
	size_t i;

	heap = calloc(count + 1, sizeof(*heap));
	if (heap == NULL)
		abort();
	for (i = 0; i < count; i++)
		heap[i] = malloc(64);
}

int
main(int argc, char **argv)
{
	static const char *const name[] = {"umem_alloc_64", "umem_alloc_128"};
	const char *freed = argc > 2 ? argv[2] : "thread cache";
	umem_cache_t *objects = umem_cache_create(
	    "site_objects", 72, 0, NULL, NULL, NULL, NULL, NULL, 0);
	char *p;
	int i;

	fill(argc > 1 ? strtoul(argv[1], NULL, 10) : 0);
	ready();
	for (i = 0; i < ROUNDS; i++) {
		const size_t size = (size_t)64 << i % 2;

		p = malloc(size);
		site(p, size, name[i % 2], "allocated");
		free(p);
		site(p, size, name[i % 2], freed);
		p = umem_cache_alloc(objects, UMEM_DEFAULT);
		site(p, 72, "site_objects", "allocated");
		umem_cache_free(objects, p);
		site(p, 72, "site_objects", freed);
		p = malloc(100);
		odd_size(p);
		free(p);
	}
	site(NULL, 0, "", "not umem");
	site((char *)main, 0, "", "not umem");
	ready();
	return 0;
}
