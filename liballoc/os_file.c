/* SPDX-License-Identifier: MIT */
/*
 * os_file.c - reading files, for the names in reports
 *
 * By system call, not through the libc: its functions are points where a
 * thread may be cancelled.
 *
 * Layer: os.h
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os.h"

int
os_open(const char *path)
{
	const int saved = errno;
	long fd = syscall(
	    SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	errno = saved;
	return (int)fd;
}

ssize_t
os_pread(int fd, void *buf, size_t size, uint64_t off)
{
	const int saved = errno;
	size_t done = 0;
	long n;

	while (done < size) {
		n = syscall(SYS_pread64, fd, (char *)buf + done, size - done,
		    off + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	errno = saved;
	return (ssize_t)done;
}

void
os_close(int fd)
{
	const int saved = errno;

	(void)syscall(SYS_close, fd);
	errno = saved;
}
