/* SPDX-License-Identifier: MIT */
/*
 * os_probe.c - asking the kernel about memory and signals, for stack.c
 *
 * rt_sigprocmask(2) first reads the new mask and then looks at what to do
 * with it: with an operation that does not exist it tells whether 8 bytes can
 * be read (EINVAL) or not (EFAULT) and changes nothing.  It needs no file
 * descriptor, and no sandbox forbids it.
 *
 * Layer: os.h
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os.h"

#define KERNEL_SIGSET_SIZE 8

int
os_readable(const void *addr)
{
	const int no_such_operation = -1;
	const int saved = errno;
	int readable;

	errno = 0;
	(void)syscall(SYS_rt_sigprocmask, no_such_operation, addr, NULL,
	    KERNEL_SIGSET_SIZE);
	readable = errno == EINVAL;
	errno = saved;
	return readable;
}

void
os_signals_block(uint64_t *old_ret)
{
	const uint64_t all = ~(uint64_t)0;
	const int saved = errno;

	*old_ret = 0;
	(void)syscall(
	    SYS_rt_sigprocmask, SIG_SETMASK, &all, old_ret, KERNEL_SIGSET_SIZE);
	errno = saved;
}

void
os_signals_restore(const uint64_t *old)
{
	const int saved = errno;

	(void)syscall(
	    SYS_rt_sigprocmask, SIG_SETMASK, old, NULL, KERNEL_SIGSET_SIZE);
	errno = saved;
}
