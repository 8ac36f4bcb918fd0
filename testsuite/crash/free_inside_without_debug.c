/* SPDX-License-Identifier: MIT */
/*
 * free_inside_without_debug.c - noticed even when nothing is set
 *
 * debug:
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
