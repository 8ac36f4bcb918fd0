/* SPDX-License-Identifier: MIT */
/*
 * free_stack.c - the address of a local variable
 *
 * debug: default
 * ends: ABRT
 * says: umem: free of an address that is not umem's: ADDR
 */
#include <stdlib.h>

int
main(void)
{
	char buf[100];

	free(buf + 16);
	return 0;
}
