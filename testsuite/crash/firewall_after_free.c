/* SPDX-License-Identifier: MIT */
/*
 * firewall_after_free.c - pages of a freed buffer cannot be read
 *
 * debug: firewall
 * ends: SEGV
 * says:
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(5000);

	free(p);
	return p[0];
}
