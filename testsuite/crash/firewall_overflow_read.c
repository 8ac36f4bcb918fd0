/* SPDX-License-Identifier: MIT */
/*
 * firewall_overflow_read.c - a read past the end is stopped too
 *
 * debug: firewall
 * ends: SEGV
 * says:
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(1000);

	return p[1000];
}
