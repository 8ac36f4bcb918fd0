/* SPDX-License-Identifier: MIT */
/*
 * free_stack_without_debug.c - noticed even when nothing is set
 *
 * debug:
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
