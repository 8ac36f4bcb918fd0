/* SPDX-License-Identifier: MIT */
/*
 * double_free.c - twice, with other calls between
 *
 * debug: default
 * ends: ABRT
 * says: umem: buffer freed twice: ADDR of cache umem_alloc_32, 24 bytes
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(24);
	char *q = malloc(24);

	free(p);
	free(q);
	free(p);
	return 0;
}
