/* SPDX-License-Identifier: MIT */
/*
 * noabort.c - goes on, and the buffer is freed once
 *
 * debug: default,noabort
 * ends: 7
 * says: umem: buffer freed twice: ADDR of cache umem_alloc_32, 24 bytes
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(24);

	free(p);
	free(p);
	p = malloc(24);
	free(p);
	return 7;
}
