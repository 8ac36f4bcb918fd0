/* SPDX-License-Identifier: MIT */
/*
 * firewall_slack.c - a byte between the end of a buffer and that of its page
 *
 * debug: firewall
 * ends: ABRT
 * says: umem: write past the end of a buffer: ADDR of cache umem_oversize, 21 bytes, at offset 21
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
