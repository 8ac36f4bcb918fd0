/* SPDX-License-Identifier: MIT */
/*
 * overflow_aligned.c - past the end of a buffer with an alignment
 *
 * debug: default
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_align_64_112, 100 bytes, at offset 100
 */
#include <stdlib.h>

int
main(void)
{
	char *p = aligned_alloc(64, 100);

	p[100] = 0;
	free(p);
	return 0;
}
