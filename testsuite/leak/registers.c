/* SPDX-License-Identifier: MIT */
/*
 * registers.c - pointers that are nowhere but in registers
 */
#include <signal.h>
#include <sys/syscall.h>

#include "truth.h"

static uint64_t hidden[5];

STEP void
make(void)
{
	int i;

	for (i = 0; i < 5; i++)
		hidden[i] = ~(uint64_t)(uintptr_t)malloc(50);
	truth_lost((void *)(uintptr_t)~hidden[4], DEFINITE);
}

/* Load the first four, uncover them, and die in a system call. */
STEP void
end(void)
{
	const long pid = getpid(), tid = syscall(SYS_gettid);

	truth_write();
	(void)truth_scrub();
	__asm__ volatile(
	    "movq (%0), %%rbx\n\t"
	    "notq %%rbx\n\t"
	    "movq 8(%0), %%r12\n\t"
	    "notq %%r12\n\t"
	    "movq 16(%0), %%r15\n\t"
	    "notq %%r15\n\t"
	    "movq 24(%0), %%r9\n\t"
	    "notq %%r9\n\t"
	    "syscall"
	    :
	    : "r"(hidden), "a"(SYS_tgkill), "D"(pid), "S"(tid), "d"(SIGABRT)
	    : "rbx", "r12", "r15", "r9", "rcx", "r11", "memory");
	_exit(2);
}

int
main(void)
{
	make();
	end();
}
