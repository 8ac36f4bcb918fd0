/* SPDX-License-Identifier: MIT */
/*
 * signal_handler.c - malloc in a handler, which nosignal forbids
 *
 * debug: nosignal
 * ends: ABRT
 * says: umem: called from a signal handler: ADDR of cache umem_alloc_16, 10 bytes
 */
#include <signal.h>
#include <stdlib.h>

static void
handler(int sig)
{
	free(malloc((size_t)sig));
}

int
main(void)
{
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	return 0;
}
