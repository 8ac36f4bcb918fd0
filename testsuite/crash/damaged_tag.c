/* SPDX-License-Identifier: MIT */
/*
 * damaged_tag.c - a stray write behind the red zone
 *
 * debug: default
 * ends: ABRT
 * says: umem: tag behind a buffer damaged: ADDR of cache umem_alloc_32, 24 bytes, at offset 40
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(24);

	p[32 + 8] ^= 1;
	free(p);
	return 0;
}
