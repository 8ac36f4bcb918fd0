/* SPDX-License-Identifier: MIT */
/*
 * os.c - the host; see os.h
 *
 * Layer: os.h
 */
#include "os.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Address space for a heap to grow into is not charged; a request so large
 * that it must be meant is, and the kernel may refuse it.
 */
#define SURELY_MEANT ((size_t)1 << 30)

#define POPULATE_WRITE 23 /* MADV_POPULATE_WRITE; older headers lack it */

static void *
map_pages(size_t size)
{
	int charge = size < SURELY_MEANT ? MAP_NORESERVE : 0;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | charge, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void *
os_map(size_t size, size_t align)
{
	char *p, *aligned;
	size_t lead;

	if (align <= 4096)
		return map_pages(size);

	/* Map too much and cut off what is not needed. */
	if (size + align < size) {
		errno = ENOMEM;
		return NULL;
	}
	p = map_pages(size + align);
	if (p == NULL)
		return NULL;
	lead = -(uintptr_t)p & (align - 1);
	aligned = p + lead;
	if (lead != 0)
		os_unmap(p, lead);
	if (align - lead != 0)
		os_unmap(aligned + size, align - lead);
	return aligned;
}

void
os_unmap(void *addr, size_t size)
{
	int saved = errno;

	(void)munmap(addr, size);
	errno = saved;
}

void
os_purge(void *addr, size_t size)
{
	int saved = errno;

	/* Locked memory refuses MADV_DONTNEED: then it is cleared by hand. */
	if (madvise(addr, size, MADV_DONTNEED) != 0)
		memset(addr, 0, size);
	errno = saved;
}

void
os_populate(void *addr, size_t size)
{
	static int unknown; /* to this kernel */
	int saved = errno;

	if (__atomic_load_n(&unknown, __ATOMIC_RELAXED))
		return;
	if (madvise(addr, size, POPULATE_WRITE) != 0 && errno == EINVAL)
		__atomic_store_n(&unknown, 1, __ATOMIC_RELAXED);
	errno = saved;
}

int
os_resident(const void *addr)
{
	int saved = errno;
	unsigned char in = 0;

	/* the page is not written to, but mincore(2) takes no const */
	(void)mincore((void *)(uintptr_t)addr, 1, &in);
	errno = saved;
	return in & 1;
}

int
os_protect(void *addr, size_t size, int access)
{
	return mprotect(
	    addr, size, access ? PROT_READ | PROT_WRITE : PROT_NONE);
}

int
os_move(void *from, void *to, size_t size)
{
	/* DONTUNMAP leaves no hole that another thread's mmap could take. */
	return mremap(from, size, size,
		   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		   to) == MAP_FAILED
		   ? -1
		   : 0;
}

uint64_t
os_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec + 1;
}

static int (*kernel_clock)(clockid_t, struct timespec *) = clock_gettime;

void
os_tick_init(void)
{
	void *vdso, *f;

	/* In a static program dlopen(3) would bring a second libc. */
	if (dlsym(RTLD_DEFAULT, "_r_debug") == NULL)
		return;
	vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
	f = vdso != NULL ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
	if (f != NULL)
		memcpy(&kernel_clock, &f, sizeof(f));
	else
		(void)dlerror(); /* is the program's */
}

uint64_t
os_tick(void)
{
	struct timespec t;

	(void)kernel_clock(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint32_t
os_tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

uint32_t
os_pid(void)
{
	return (uint32_t)getpid();
}

uintptr_t
os_program_headers(void)
{
	return getauxval(AT_PHDR);
}

unsigned
os_ncpus(void)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	return n > 0 ? (unsigned)n : 1;
}

void
os_write_stderr(const char *buf, size_t len)
{
	int saved = errno;

	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf += n;
		len -= (size_t)n;
	}
	errno = saved;
}

/* Where the kernel put argc, argv and the environment; from ld.so. */
extern void *__libc_stack_end;

/*
 * We may run before libc's own constructor has set environ: then the
 * environment is found where the process began.
 */
static char **
environment(void)
{
	char **argv;
	long argc;

	if (environ != NULL)
		return environ;
	argc = *(long *)__libc_stack_end;
	argv = (char **)__libc_stack_end + 1;
	return argv + argc + 1;
}

const char *
os_getenv(const char *name)
{
	size_t len = strlen(name);

	if (os_secure())
		return NULL;
	for (char **e = environment(); *e != NULL; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return *e + len + 1;
	return NULL;
}

int
os_secure(void)
{
	return getauxval(AT_SECURE) != 0;
}

void
os_futex_wait(uint32_t *word, uint32_t value)
{
	int saved = errno;

	(void)syscall(
	    SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
	errno = saved;
}

void
os_futex_wake(uint32_t *word, int n)
{
	int saved = errno;

	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
	errno = saved;
}

_Noreturn void
os_abort(void)
{
	sigset_t set;

	/* First as the program wishes, then by the default action. */
	sigemptyset(&set);
	sigaddset(&set, SIGABRT);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(SIGABRT);
	(void)signal(SIGABRT, SIG_DFL);
	(void)raise(SIGABRT);
	_exit(127);
}
