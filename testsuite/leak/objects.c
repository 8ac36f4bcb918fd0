/* SPDX-License-Identifier: MIT */
/*
 * objects.c - object caches and arenas of the program's own
 *
 * link: umem
 */
#include <umem.h>
#include <vmem.h>

#include "truth.h"

#define N 200u
#define PAGES (256u << 10)

struct object {
	struct object *next;
	void *data;
	char name[40];
};

struct object *list;
umem_cache_t *cache, *arena_cache;
void *kept[N];
void **segment[3], **own_segment[2];

static int
construct(void *buf, void *arg, int flags)
{
	(void)arg;
	(void)flags;
	memset(buf, 0, sizeof(struct object));
	return 0;
}

/* Live, lost and free objects by turns. */
STEP void
objects(umem_cache_t *cp)
{
	struct object *o, *freed[N];
	unsigned i;

	for (i = 0; i < N; i++) {
		o = umem_cache_alloc(cp, UMEM_DEFAULT);
		memset(o, 0, sizeof(*o));
		o->next = list;
		list = o;
		o->data = umem_alloc(24 + i, UMEM_DEFAULT);
		freed[i] = umem_cache_alloc(cp, UMEM_DEFAULT);
		o = umem_cache_alloc(cp, UMEM_DEFAULT);
		memset(o, 0, sizeof(*o));
		truth_lost(o, DEFINITE);
		o->data = umem_zalloc(100, UMEM_DEFAULT);
		truth_lost(o->data, INDIRECT);
	}
	for (i = 0; i < N; i++)
		umem_cache_free(cp, freed[i]);
}

STEP void
sizes(void)
{
	unsigned i;

	for (i = 0; i < N; i++) {
		const size_t size = 1 + i * i * 3;

		kept[i] = umem_alloc(size, UMEM_DEFAULT);
		truth_lost(umem_zalloc(size, UMEM_DEFAULT), DEFINITE);
	}
}

/* Memory of an arena on top of the heap holds pointers. */
STEP void
arenas(void)
{
	vmem_alloc_t *alloc;
	vmem_free_t *release;
	vmem_t *heap = vmem_heap_arena(&alloc, &release), *mine;
	void **freed;

	mine = vmem_create(
	    "mine", NULL, 0, 4096, alloc, release, heap, 2 * 4096, VM_SLEEP);
	segment[0] = vmem_alloc(mine, 4096, VM_SLEEP); /* by a quantum cache */
	segment[1] = vmem_alloc(mine, 20 * 4096, VM_SLEEP);
	segment[0][100] = umem_alloc(64, UMEM_DEFAULT);
	segment[1][20 * 512 - 1] = umem_alloc(64, UMEM_DEFAULT);
	freed = vmem_alloc(mine, 30 * 4096, VM_SLEEP);
	freed[50] = umem_zalloc(64, UMEM_DEFAULT);
	truth_lost(freed[50], DEFINITE);
	vmem_free(mine, freed, 30 * 4096);
	freed = vmem_alloc(mine, 4096, VM_SLEEP);
	freed[50] = umem_zalloc(64, UMEM_DEFAULT);
	truth_lost(freed[50], DEFINITE);
	vmem_free(mine, freed, 4096);
	arena_cache = umem_cache_create("arena_cache", sizeof(struct object), 0,
	    NULL, NULL, NULL, NULL, mine, 0);
	objects(arena_cache);
}

/* An arena of memory that the program mapped, and one of numbers. */
STEP void
arena_of_pages(void)
{
	vmem_t *own = vmem_create("own", map_pages(PAGES), PAGES, 16, NULL,
	    NULL, NULL, 256, VM_SLEEP);
	vmem_t *ids = vmem_create(
	    "ids", (void *)1, 1000, 1, NULL, NULL, NULL, 8, VM_SLEEP);
	static const size_t size[] = {64, 8192};
	void **freed;
	unsigned i;

	for (i = 0; i < 2; i++) {
		own_segment[i] = vmem_alloc(own, size[i], VM_SLEEP);
		own_segment[i][5] = umem_alloc(64, UMEM_DEFAULT);
		freed = vmem_alloc(own, size[i], VM_SLEEP);
		freed[5] = umem_zalloc(64, UMEM_DEFAULT);
		truth_lost(freed[5], DEFINITE);
		vmem_free(own, freed, size[i]);
		(void)vmem_alloc(ids, 1, VM_SLEEP);
	}
}

/* Only the arena knows the buffer that it was given, and who has a part of it. */
STEP void
give(void)
{
	void *buf = umem_alloc(32 * 1024, UMEM_DEFAULT), **part;
	vmem_t *given;

	given = vmem_create(
	    "given", buf, 32 * 1024, 16, NULL, NULL, NULL, 0, VM_SLEEP);
	part = vmem_alloc(given, 256, VM_SLEEP);
	part[10] = umem_alloc(64, UMEM_DEFAULT);
}

int
main(void)
{
	/* the cache alone keeps what its constructor is given */
	cache = umem_cache_create("object", sizeof(struct object), 0, construct,
	    NULL, NULL, umem_zalloc(72, UMEM_DEFAULT), NULL, 0);
	objects(cache);
	sizes();
	arenas();
	arena_of_pages();
	give();
	truth_end();
}
