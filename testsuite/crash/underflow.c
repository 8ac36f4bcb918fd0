/* SPDX-License-Identifier: MIT */
/*
 * underflow.c - a byte before the first
 *
 * debug: default
 * ends: ABRT
 * says: umem: write before the start of a buffer: ADDR of cache umem_alloc_32, 24 bytes, at offset -1
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(24);

	p[-1] = 0;
	free(p);
	return 0;
}
