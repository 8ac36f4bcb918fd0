/* SPDX-License-Identifier: MIT */
/*
 * overflow_by_one.c - the NUL of a string that just does not fit
 *
 * debug: default
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_alloc_32, 24 bytes, at offset 24
 */
#include <stdlib.h>
#include <string.h>

int
main(void)
{
	char *p = malloc(24);

	strcpy(p, "twenty-four characters..");
	free(p);
	return 0;
}
