/* SPDX-License-Identifier: MIT */
/*
 * none.c - a program without a fault says nothing
 *
 * debug: default
 * ends: 0
 * says:
 */
#include <stdlib.h>
#include <string.h>

int
main(void)
{
	char *p[100];

	for (int i = 0; i < 10000; i++) {
		int k = i % 100;

		if (i >= 100)
			free(p[k]);
		p[k] = calloc(1, (size_t)i);
		memset(p[k], 'x', (size_t)i);
		p[k] = realloc(p[k], (size_t)(i * 7 % 5000 + 1));
	}
	return 0;
}
