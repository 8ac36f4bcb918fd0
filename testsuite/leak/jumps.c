/* SPDX-License-Identifier: MIT */
/*
 * jumps.c - pointers that are nowhere but in the RBP of a jmp_buf
 *
 * glibc mangles RBP there.  The jmp_bufs are on a stack below the frames that
 * run, in data, and where the process longjmp(3)s to later.
 */
#include "set.h"
#include "truth.h"

jmp_buf in_data;
static uint64_t hidden[3];

STEP void
make(void)
{
	int i;

	for (i = 0; i < 3; i++)
		hidden[i] = ~(uint64_t)(uintptr_t)malloc(50);
	truth_lost((void *)(uintptr_t)~hidden[2], DEFINITE);
}

int
main(void)
{
	jmp_buf on_stack;

	make();
	if (set(in_data, &hidden[0]) != 0 || set(on_stack, &hidden[1]) != 0)
		return 2;
	truth_end();
}
