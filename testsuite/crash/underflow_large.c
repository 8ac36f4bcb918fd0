/* SPDX-License-Identifier: MIT */
/*
 * underflow_large.c - a word before a buffer with pages of its own
 *
 * debug: default
 * ends: ABRT
 * says: umem: write before the start of a buffer: ADDR of cache umem_oversize, 3000000 bytes, at offset -8
 */
#include <stdlib.h>

int
main(void)
{
	long *p = malloc(3000000);

	p[-1] = 0;
	free(p);
	return 0;
}
