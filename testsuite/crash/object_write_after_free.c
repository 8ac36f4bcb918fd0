/* SPDX-License-Identifier: MIT */
/*
 * object_write_after_free.c - noticed when the cache goes
 *
 * debug: default
 * link: umem
 * ends: ABRT
 * says: umem: write to a freed buffer: ADDR of cache objects, 64 bytes, at offset 3
 */
#include <stddef.h>
#include <umem.h>

int
main(void)
{
	umem_cache_t *cp = umem_cache_create(
	    "objects", 64, 0, NULL, NULL, NULL, NULL, NULL, 0);
	char *p = umem_cache_alloc(cp, UMEM_DEFAULT);

	umem_cache_free(cp, p);
	p[3] = 0;
	umem_cache_destroy(cp);
	return 0;
}
