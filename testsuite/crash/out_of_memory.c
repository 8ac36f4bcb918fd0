/* SPDX-License-Identifier: MIT */
/*
 * out_of_memory.c - which checknull makes a fault
 *
 * debug: guards,checknull
 * ends: ABRT
 * says: umem: out of memory: 1152921504606846976 bytes
 */
#include <stdlib.h>

int
main(void)
{
	return malloc((size_t)1 << 60) == NULL;
}
