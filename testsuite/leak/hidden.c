/* SPDX-License-Identifier: MIT */
/*
 * hidden.c - pointers in a mapping that the program cannot access for now
 */
#include "truth.h"

#define PAGE 4096u

STEP void
keep(void)
{
	void **p = map_pages(4 * PAGE);

	p[700] = calloc(1, 40);
	if (mprotect(p, 4 * PAGE, PROT_NONE) != 0)
		exit(2);
}

STEP void
lose(void)
{
	truth_lost(calloc(1, 40), DEFINITE);
}

int
main(void)
{
	lose();
	keep();
	truth_end();
}
