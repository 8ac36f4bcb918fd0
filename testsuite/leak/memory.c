/* SPDX-License-Identifier: MIT */
/*
 * memory.c - pointers in mappings of all kinds
 */
#include <locale.h>
#include <sys/mman.h>

#include "truth.h"

#define PAGE 4096u

void **in_data = (void **)&in_data; /* .data */
void *in_bss[3000];                 /* reaches the unnamed tail */

STEP void
keep(void **where)
{
	*where = malloc(40);
}

STEP void **
map(int prot, int flags, int fd)
{
	void **p = mmap(NULL, 4 * PAGE, prot, flags, fd, 0);

	if (p == MAP_FAILED)
		exit(2);
	return p;
}

STEP int
file(void)
{
	int fd = memfd_create("memory", 0);

	if (fd < 0 || ftruncate(fd, 4 * PAGE) != 0)
		exit(2);
	return fd;
}

/*
 * A file that has a name, and is dumped since the process asks for it.  With
 * OMIT it does not ask, and what the truth says is what the core does.
 */
STEP void **
shared_file(void)
{
	const char *truth = getenv("TRUTH");
	const char *bits = getenv("OMIT") != NULL ? "0x33\n" : "0x3b\n";
	char name[4096];
	int fd, filter;
	void **p;

	snprintf(name, sizeof(name), "%s.shared", truth ? truth : "truth");
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, 4 * PAGE) != 0)
		exit(2);
	p = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	filter = open("/proc/self/coredump_filter", O_WRONLY);
	if (filter < 0 || write(filter, bits, 5) != 5)
		exit(2);
	close(filter);
	close(fd);
	return p;
}

STEP void
kept(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	void **p;

	keep((void **)&in_data);
	keep(&in_bss[0]);
	keep(&in_bss[2999]);
	p = map(rw, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	keep(&p[0]);
	keep(&p[4 * PAGE / 8 - 1]);
	keep(map(rw, MAP_SHARED | MAP_ANONYMOUS, -1) + 100);
	keep(map(rw, MAP_PRIVATE, file()) + 100);
	keep(map(rw, MAP_SHARED, file()) + 100);
	p = shared_file() + 100;
	keep(p);
	if (getenv("OMIT") != NULL)
		truth_lost(*p, DEFINITE);
	p = map(rw, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	keep(&p[7]);
	if (mprotect(p, 4 * PAGE, PROT_READ) != 0)
		exit(2);
	p = map(rw | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	keep(&p[9]);
	keep((void **)sbrk(PAGE) + 5);
}

STEP void
dropped(void)
{
	const int rw = PROT_READ | PROT_WRITE;
	void **p = map(rw, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	keep(&p[3]);
	truth_lost(p[3], DEFINITE);
	munmap(p, 4 * PAGE);
	p = map(rw, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	keep(&p[3]);
	truth_lost(p[3], DEFINITE);
	if (madvise(p, 4 * PAGE, MADV_DONTNEED) != 0)
		exit(2);
	p = (void **)&in_bss[100];
	keep(p);
	truth_lost(*p, DEFINITE);
	*p = NULL;
}

int
main(void)
{
	setlocale(LC_ALL, "C.UTF-8"); /* maps files below /usr */
	kept();
	dropped();
	truth_end();
}
