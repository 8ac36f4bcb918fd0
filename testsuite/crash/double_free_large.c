/* SPDX-License-Identifier: MIT */
/*
 * double_free_large.c - twice, of a buffer with pages of its own
 *
 * debug: default
 * ends: ABRT
 * says: umem: buffer freed twice: ADDR of cache umem_oversize
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(3000000);

	free(p);
	free(p);
	return 0;
}
