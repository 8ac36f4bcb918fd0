/* SPDX-License-Identifier: MIT */
/*
 * overflow_calloc.c - a loop with <= over memory from calloc
 *
 * debug: default
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_alloc_48, 40 bytes, at offset 40
 */
#include <stdlib.h>

int
main(void)
{
	int *p = calloc(10, sizeof(int));

	for (int i = 0; i <= 10; i++)
		p[i] = i;
	free(p);
	return 0;
}
