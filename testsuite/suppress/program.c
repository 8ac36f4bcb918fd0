/* SPDX-License-Identifier: MIT */
/*
 * program.c - loses 100 bytes in a library, 200 in a call from there, 300 and
 * 400 in functions of its own
 *
 * program LIBRARY
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STEP __attribute__((noinline, noclone))

STEP void
called_back(void)
{
	void *p = malloc(200);

	memset(p, 0, 200);
	__asm__ volatile("" : : "r"(p) : "memory");
}

STEP void *
my_alloc(size_t size)
{
	void *p = malloc(size);

	return memset(p, 0, size);
}

STEP void
lose_three(void)
{
	my_alloc(300);
	__asm__ volatile("");
}

STEP void
lose_four(void)
{
	my_alloc(400);
	__asm__ volatile("");
}

STEP int
scrub(void)
{
	volatile char buf[65536];

	memset((char *)buf, 0, sizeof(buf));
	return buf[17];
}

int
main(int argc, char **argv)
{
	void *so = dlopen(argc > 1 ? argv[1] : "", RTLD_NOW);

	if (so == NULL)
		return 2;
	((void (*)(void))(uintptr_t)dlsym(so, "library_lose"))();
	((void (*)(void (*)(void)))(uintptr_t)dlsym(so, "library_call"))(
	    called_back);
	lose_three();
	lose_four();
	scrub();
	abort();
}
