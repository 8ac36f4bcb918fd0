/* SPDX-License-Identifier: MIT */
/*
 * overflow_lite.c - lite sees the bytes next to the end
 *
 * debug: lite
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_alloc_32, 30 bytes, at offset 30
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(30);

	p[30] = 0;
	free(p);
	return 0;
}
