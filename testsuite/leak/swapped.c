/* SPDX-License-Identifier: MIT */
/*
 * swapped.c - coroutines that swap stacks themselves; the process ends in one
 * of them, so main's frames are on a stack that no thread's SP is on
 */

#include "truth.h"

#define STACK 65536u

void swap(void **save, void *to);
__asm__(".text\n"
	".globl swap\n"
	".type swap, @function\n"
	"swap:\n\t"
	"push %rbp\n\tpush %rbx\n\tpush %r12\n\t"
	"push %r13\n\tpush %r14\n\tpush %r15\n\t"
	"mov %rsp, (%rdi)\n\tmov %rsi, %rsp\n\t"
	"pop %r15\n\tpop %r14\n\tpop %r13\n\t"
	"pop %r12\n\tpop %rbx\n\tpop %rbp\n\t"
	"ret\n"
	".size swap, . - swap\n");

static void *home, *sp[2];
static unsigned which;
char *in_buffer;

static void
waits(void)
{
	void *volatile slot[4];
	register void *held __asm__("r13") = calloc(1, 72);

	slot[2] = calloc(1, 88);
	__asm__ volatile("" : "+r"(held));
	swap(&sp[which], home);
	__asm__ volatile("" : "+r"(held));
	free(slot[2]);
	free(held);
}

static void
runs(void)
{
	void *volatile slot[4];

	slot[2] = calloc(1, 104);
	truth_end();
	free(slot[2]);
}

STEP void
start(char *stack, void (*fn)(void))
{
	void **top = (void **)(stack + STACK - 64);

	top[0] = (void *)fn;
	top[1] = NULL;
	swap(&home, top - 6); /* six registers */
	which++;
}

int
main(void)
{
	void *volatile mine[2];

	mine[1] = calloc(1, 120);
	in_buffer = calloc(1, STACK);
	start(in_buffer, waits);
	start(map_pages(STACK), waits);
	start(map_pages(STACK), runs);
	free(mine[1]);
	return 2;
}
