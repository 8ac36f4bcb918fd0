/* SPDX-License-Identifier: MIT */
/*
 * set.h - setjmp(3) with a pointer in RBP that is nowhere else
 *
 * For a program or its plugin, once.
 */
#ifndef TEST_LEAK_SET_H
#define TEST_LEAK_SET_H

#include <setjmp.h>
#include <stdint.h>

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

#endif /* TEST_LEAK_SET_H */
