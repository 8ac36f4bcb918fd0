/* SPDX-License-Identifier: MIT */
/*
 * overflow_realloc.c - the old end, after the buffer was made smaller
 *
 * debug: default
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_alloc_64, 50 bytes, at offset 50
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(100);

	p = realloc(p, 50);
	p[50] = 0;
	free(p);
	return 0;
}
