/* SPDX-License-Identifier: MIT */
/*
 * overflow_noticed_by_realloc.c - realloc looks at the guards too
 *
 * debug: default
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_alloc_32, 24 bytes, at offset 24
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(24);

	p[24] = 0;
	p = realloc(p, 100);
	free(p);
	return 0;
}
