/* SPDX-License-Identifier: MIT */
/*
 * firewall_exact.c - without alignment there is no such byte
 *
 * debug: firewall,firewall_align=1
 * ends: SEGV
 * says:
 */
#include <stdlib.h>

int
main(void)
{
	char *p = malloc(21);

	p[21] = 0;
	free(p);
	return 0;
}
