/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a library that allocates when it is loaded and frees when it goes
 */
#include <stdlib.h>
#include <string.h>

void *plugin_make(size_t size);

static char *mine[50];
static __thread char *of_thread;

__attribute__((constructor)) static void
loaded(void)
{
	size_t i;

	for (i = 0; i < 50; i++) {
		mine[i] = malloc(i * 77);
		memset(mine[i], 1, i * 77);
	}
}

void *
plugin_make(size_t size)
{
	of_thread = malloc(size + 1);
	return of_thread;
}

__attribute__((destructor)) static void
unloaded(void)
{
	size_t i;

	for (i = 0; i < 50; i++)
		free(mine[i]);
}
