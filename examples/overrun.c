/* SPDX-License-Identifier: MIT */
/*
 * overrun.c - a string whose end did not fit
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
copy_name(const char *name)
{
	char *copy = malloc(strlen(name)); /* no room for the NUL */

	strcpy(copy, name);
	return copy;
}

int
main(void)
{
	char *name = copy_name("Hopper, Grace");

	printf("hello, %s\n", name);
	fflush(stdout);
	free(name); /* seen here */
	return 0;
}
