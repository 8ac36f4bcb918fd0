/* SPDX-License-Identifier: MIT */
/*
 * odd.c - a function that gets another name: see profile.sh
 */
#include <stdlib.h>

void odd(void);

void
odd(void)
{
	static int calls;
	void *p = NULL;

	if (++calls == 2)
		p = malloc(77);
	__asm__ volatile("" : : "r"(p) : "memory");
}
