/* SPDX-License-Identifier: MIT */
/* bare.c - a process without the library */
#include <signal.h>
#include <stdlib.h>

int
main(void)
{
	void *p = malloc(100);

	raise(SIGABRT);
	free(p);
	return 0;
}
