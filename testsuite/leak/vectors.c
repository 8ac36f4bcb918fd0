/* SPDX-License-Identifier: MIT */
/*
 * vectors.c - pointers that are nowhere but in vector registers, when the
 * process stops in the midst of a computation
 */
#include "truth.h"

static uint64_t hidden[4];

STEP void
make(void)
{
	int i;

	for (i = 0; i < 4; i++)
		hidden[i] = ~(uint64_t)(uintptr_t)malloc(50);
	truth_lost((void *)(uintptr_t)~hidden[3], DEFINITE);
}

STEP void
end(void)
{
	truth_write();
	(void)truth_scrub();
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\t"
			 "movdqu (%0), %%xmm7\n\t"
			 "pxor %%xmm0, %%xmm7\n\t"
			 "movq 16(%0), %%xmm15\n\t"
			 "pxor %%xmm0, %%xmm15\n\t"
			 "ud2"
			 :
			 : "r"(hidden)
			 : "xmm0", "xmm7", "xmm15", "memory");
	_exit(2);
}

int
main(void)
{
	make();
	end();
}
