/* SPDX-License-Identifier: MIT */
/*
 * wrong_size.c - umem_free with another size than umem_alloc had
 *
 * debug: default
 * link: umem
 * ends: ABRT
 * says: umem: buffer freed with the wrong size: ADDR of cache umem_alloc_32, 24 bytes, freed as 25
 */
#include <umem.h>

int
main(void)
{
	char *p = umem_alloc(24, UMEM_DEFAULT);

	umem_free(p, 25);
	return 0;
}
