/* SPDX-License-Identifier: MIT */
/*
 * free_static.c - the address of a static variable
 *
 * debug: default
 * ends: ABRT
 * says: umem: free of an address that is not umem's: ADDR
 */
#include <stdlib.h>

static long array[100];

int
main(void)
{
	free(array + 2);
	return 0;
}
