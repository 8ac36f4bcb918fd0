/* SPDX-License-Identifier: MIT */
/*
 * interrupted.c - a computation is interrupted by a signal, and the process
 * ends in the handler: vector registers, upper halves too, are in the frame
 * that the kernel wrote
 *
 * After a system call they are leftovers there.
 */
#include <signal.h>

#include "truth.h"

static uint64_t hidden[4];

STEP void
make(void)
{
	const int avx2 = __builtin_cpu_supports("avx2");
	unsigned i;

	for (i = 0; i < 4; i++)
		hidden[i] = ~(uint64_t)(uintptr_t)calloc(1, 50);
	for (i = avx2 ? 4 : 0; i < 4; i++)
		truth_lost((void *)(uintptr_t)~hidden[i], DEFINITE);
	truth_lost(calloc(1, 50), DEFINITE);
}

static void
handler(int sig)
{
	(void)sig;
	(void)truth_scrub();
	truth_forget();
	signal(SIGABRT, SIG_DFL);
	abort();
}

__attribute__((target("avx2"))) STEP void
compute(void)
{
	__asm__ volatile("vzeroall\n\t"
			 "vpcmpeqd %%ymm0, %%ymm0, %%ymm0\n\t"
			 "vpxor (%0), %%ymm0, %%ymm9\n\t"
			 "ud2"
			 :
			 : "r"(hidden)
			 : "xmm0", "xmm9", "memory");
}

/* Leave a pointer in a vector register, and be interrupted in a call. */
STEP void
leave(int sig)
{
	uint64_t lost = ~(uint64_t)(uintptr_t)calloc(1, 60);

	truth_lost((void *)(uintptr_t)~lost, DEFINITE);
	(void)truth_scrub(); /* the red zone too, which counts */
	__asm__ volatile("movq %0, %%xmm0\n\t"
			 "pcmpeqd %%xmm7, %%xmm7\n\t"
			 "pxor %%xmm0, %%xmm7\n\t"
			 "pxor %%xmm0, %%xmm0\n\t"
			 "xorl %k0, %k0"
			 : "+r"(lost)
			 :
			 : "xmm0", "xmm7", "memory");
	raise(sig);
}

static void
nested(int sig)
{
	(void)sig;
	truth_write();
	(void)truth_scrub();
	compute();
}

int
main(void)
{
	make();
	(void)truth_scrub(); /* what is left of its frames */
	signal(SIGILL, handler);
	signal(SIGUSR1, nested);
	leave(SIGUSR1);
	return 2;
}
