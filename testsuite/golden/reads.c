/* SPDX-License-Identifier: MIT */
/*
 * reads.c - counts how often the memory of a process is read; see again.py
 *
 * Preloaded into GDB, where libumdb.so reads that way.
 */
#include <dlfcn.h>
#include <sys/uio.h>

unsigned long process_reads;

ssize_t
process_vm_readv(pid_t pid, const struct iovec *to, unsigned long nto,
    const struct iovec *from, unsigned long nfrom, unsigned long flags)
{
	ssize_t (*next)(pid_t, const struct iovec *, unsigned long,
	    const struct iovec *, unsigned long, unsigned long) =
	    (ssize_t(*)(pid_t, const struct iovec *, unsigned long,
		const struct iovec *, unsigned long,
		unsigned long))dlsym(RTLD_NEXT, "process_vm_readv");

	process_reads++;
	return next(pid, to, nto, from, nfrom, flags);
}
