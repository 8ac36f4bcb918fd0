/* SPDX-License-Identifier: MIT */
/*
 * nowhere.c - a stack whose last frame is at 0, as where frames cannot be told
 */
#include <stdlib.h>

void nowhere(void);
__asm__(".text\n"
	".type nowhere,@function\n"
	"nowhere:\n"
	"	ud2\n"
	"	nop\n"
	".size nowhere,.-nowhere\n");

int
main(void)
{
	void *volatile local = malloc(2000);

	__asm__ volatile("pushq $0\n\tpushq $0\n\tjmp nowhere");
	return local != NULL;
}
