/* SPDX-License-Identifier: MIT */
/*
 * wrong_cache.c - an object given to another cache than its own
 *
 * debug: default
 * link: umem
 * ends: ABRT
 * says: umem: buffer freed to the wrong cache: ADDR of cache apples, freed to pears
 */
#include <stddef.h>
#include <umem.h>

int
main(void)
{
	umem_cache_t *apples, *pears;
	void *apple;

	apples =
	    umem_cache_create("apples", 40, 0, NULL, NULL, NULL, NULL, NULL, 0);
	pears =
	    umem_cache_create("pears", 40, 0, NULL, NULL, NULL, NULL, NULL, 0);
	apple = umem_cache_alloc(apples, UMEM_DEFAULT);
	umem_cache_free(pears, apple);
	return 0;
}
