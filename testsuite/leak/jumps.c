/* SPDX-License-Identifier: MIT */
/*
 * jumps.c - pointers that are nowhere but in the RBP of a jmp_buf
 *
 * glibc mangles RBP there.  The jmp_bufs are on a stack below the frames that
 * run, in data, and where the process longjmp(3)s to later.
 */
#include <setjmp.h>

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

/* set - setjmp(buf) while RBP is the complement of *hidden; 0 the first time */
int set(jmp_buf buf, const uint64_t *number);
__asm__(".text\n"
	".globl set\n"
	".type set, @function\n"
	"set:\n\t"
	"push %rbp\n\t"
	"push %rdi\n\t"
	"push %rsi\n\t"
	"mov (%rsi), %rbp\n\t"
	"not %rbp\n\t"
	"call set_here\n\t"
	"pop %rsi\n\t"
	"pop %rdi\n\t"
	"pop %rbp\n\t"
	"xor %ecx, %ecx\n\t"
	"xor %edx, %edx\n\t"
	"ret\n"
	"set_here:\n\t"
#ifdef __PIC__
	"jmp _setjmp@PLT\n"
#else
	"jmp _setjmp\n"
#endif
	".size set, . - set\n");

int
main(void)
{
	jmp_buf on_stack;

	make();
	if (set(in_data, &hidden[0]) != 0 || set(on_stack, &hidden[1]) != 0)
		return 2;
	truth_end();
}
