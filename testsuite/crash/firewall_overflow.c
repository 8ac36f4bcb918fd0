/* SPDX-License-Identifier: MIT */
/*
 * firewall_overflow.c - stopped at the instruction, not at the free
 *
 * debug: firewall
 * ends: SEGV
 * says: writing
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
main(void)
{
	char *p = malloc(24);

	fprintf(stderr, "writing\n");
	p[24] = 0;
	fprintf(stderr, "written\n");
	_exit(0);
}
