/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - a library that allocates when it is loaded and frees when it goes
 *
 * It also has fork handlers that allocate, registered as early as a library
 * can: an allocator that holds its locks across fork(2) must take them after
 * such handlers ran.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

void *plugin_make(size_t size);
extern int plugin_argc;

int plugin_argc; /* as the loader gave it to the constructor */

static char *mine[50];
static __thread char *of_thread;

static void
around_fork(void)
{
	free(malloc(77));
	free(malloc(300000));
}

__attribute__((constructor)) static void
loaded(int argc, char **argv, char **env)
{
	size_t i;

	(void)argv;
	(void)env;
	plugin_argc = argc;
	pthread_atfork(around_fork, around_fork, around_fork);

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
