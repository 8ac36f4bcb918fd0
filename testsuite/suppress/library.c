/* SPDX-License-Identifier: MIT */
/*
 * library.c - a library that loses memory; program.c loads it
 */
#include <stdlib.h>
#include <string.h>

void library_lose(void);
void library_call(void (*lose)(void));

void
library_lose(void)
{
	void *p = malloc(100);

	memset(p, 0, 100);
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* The program's code loses it, in a call from here. */
void
library_call(void (*lose)(void))
{
	lose();
	__asm__ volatile("");
}
