/* SPDX-License-Identifier: MIT */
/*
 * free_inside_large.c - a pointer to the middle of a large buffer
 *
 * debug: default
 * ends: ABRT
 * says: umem: free of an address inside a buffer: ADDR is ADDR + 1000000 of cache umem_oversize, 3000000 bytes
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(3000000);

	free(p + 1000000);
	return 0;
}
