/* SPDX-License-Identifier: MIT */
/*
 * write_after_free.c - noticed when the buffer is handed out again
 *
 * debug: default
 * ends: ABRT
 * says: umem: write to a freed buffer: ADDR of cache umem_alloc_32, 24 bytes, at offset 13
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(24);

	free(p);
	p[13] = 0;
	for (int i = 0; i < 10000; i++)
		if (malloc(24) == NULL)
			break;
	return 0;
}
