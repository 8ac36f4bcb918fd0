/* SPDX-License-Identifier: MIT */
/*
 * object_overflow.c - a byte past an object, in its padding
 *
 * debug: default
 * link: umem
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache objects, 37 bytes, at offset 37
 */
#include <stddef.h>
#include <umem.h>

int
main(void)
{
	umem_cache_t *cp = umem_cache_create(
	    "objects", 37, 0, NULL, NULL, NULL, NULL, NULL, 0);
	char *p = umem_cache_alloc(cp, UMEM_DEFAULT);

	p[37] = 0;
	umem_cache_free(cp, p);
	return 0;
}
