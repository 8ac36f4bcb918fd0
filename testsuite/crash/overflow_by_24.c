/* SPDX-License-Identifier: MIT */
/*
 * overflow_by_24.c - an array element too many
 *
 * debug: default
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_alloc_80, 72 bytes, at offset 72
 */
#include <stdlib.h>

int
main(void)
{
	struct {
		long a, b, c;
	} *p = malloc(3 * sizeof(*p));

	p[3].a = p[3].b = p[3].c = 7;
	free(p);
	return 0;
}
