/* SPDX-License-Identifier: MIT */
/*
 * double_free_realloc.c - a pointer that realloc has given back
 *
 * debug: default
 * ends: ABRT
 * says: umem: buffer freed twice: ADDR of cache umem_alloc_32, 24 bytes
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(24);
	char *q = realloc(p, 5000);

	free(p);
	free(q);
	return 0;
}
