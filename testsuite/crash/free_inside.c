/* SPDX-License-Identifier: MIT */
/*
 * free_inside.c - a pointer into a buffer
 *
 * debug: default
 * ends: ABRT
 * says: umem: free of an address inside a buffer: ADDR is ADDR + 8 of cache umem_alloc_32, 24 bytes
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(24);

	free(p + 8);
	return 0;
}
