/* SPDX-License-Identifier: MIT */
/*
 * rows.c - as many live buffers as the argument says, then waits to be dumped
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void **table;

int
main(int argc, char **argv)
{
	const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	size_t i;

	table = calloc(n, sizeof(*table));
	if (table == NULL)
		return 1;
	for (i = 0; i < n; i++) {
		table[i] = malloc(24 + i % 8 * 16);
		if (table[i] == NULL)
			return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
