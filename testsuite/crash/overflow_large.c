/* SPDX-License-Identifier: MIT */
/*
 * overflow_large.c - past the end of a buffer with pages of its own
 *
 * debug: default
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_oversize, 3000001 bytes, at offset 3000001
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(3000001);

	p[3000001] = 0;
	free(p);
	return 0;
}
