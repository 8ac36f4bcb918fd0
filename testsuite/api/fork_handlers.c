/* SPDX-License-Identifier: MIT */
/*
 * fork_handlers.c - fork with handlers that allocate
 *
 * Linked with the plugin, whose constructor registers fork handlers before
 * main and, unless the preload sees to it, before those of the allocator.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

void *plugin_make(size_t size);

static void
fork_with_handlers_that_allocate(void)
{
	int i, status = -1;
	pid_t pid;

	free(plugin_make(10));
	for (i = 0; i < 20; i++) {
		alarm(30);
		pid = fork();
		if (pid == 0) {
			free(malloc(100));
			_exit(0);
		}
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		CHECK(status == 0);
	}
	alarm(0);
}

static const struct test tests[] = {
    {"fork with handlers that allocate", fork_with_handlers_that_allocate},
    {NULL, NULL},
};

int
main(void)
{
	return check_run(tests, NULL);
}
