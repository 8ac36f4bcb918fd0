/* SPDX-License-Identifier: MIT */
/*
 * deep.c - loses 100 bytes in each of many functions that call one another, so
 * that stacks have hundreds of places
 */
#include <stdlib.h>
#include <string.h>

#define STEP __attribute__((noinline, noclone))

#define LOSE(name, next)                                    \
	STEP void name(void)                                \
	{                                                   \
		void *p = malloc(100);                      \
                                                            \
		memset(p, 0, 100);                          \
		__asm__ volatile("" : : "r"(p) : "memory"); \
		next();                                     \
		__asm__ volatile("");                       \
	}
#define TEN(name, next)        \
	LOSE(name##0, next)    \
	LOSE(name##1, name##0) \
	LOSE(name##2, name##1) \
	LOSE(name##3, name##2) \
	LOSE(name##4, name##3) \
	LOSE(name##5, name##4) \
	LOSE(name##6, name##5) \
	LOSE(name##7, name##6) \
	LOSE(name##8, name##7) \
	LOSE(name##9, name##8)

STEP void
scrub(void)
{
	volatile char buf[65536];

	memset((char *)buf, 0, sizeof(buf));
}

TEN(a, scrub)
TEN(b, a9)
TEN(c, b9)
TEN(d, c9)
TEN(e, d9)
TEN(f, e9)
TEN(g, f9)
TEN(h, g9)

int
main(void)
{
	h9();
	scrub();
	abort();
}
