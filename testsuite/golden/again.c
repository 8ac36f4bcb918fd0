/* SPDX-License-Identifier: MIT */
/*
 * again.c - loses a buffer between any two stops at ready(); see again.py
 *
 * The heap is large enough that a search cannot do without reading.
 */
#include <stdlib.h>
#include <string.h>

#define ROUNDS 4
#define MANY 5000

static void *many[MANY];
void *volatile kept[ROUNDS];

static __attribute__((noinline, noclone)) void
ready(void)
{
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline, noclone)) void
lose(int i)
{
	kept[i] = NULL;
}

/* No stale copy of a pointer stays on the stack. */
static __attribute__((noinline, noclone)) void
make(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		many[i] = calloc(1, 200);
	for (i = 0; i < ROUNDS; i++)
		kept[i] = calloc(1, 300 + (size_t)i);
}

static __attribute__((noinline, noclone)) void
wipe(void)
{
	char room[8192];

	memset(room, 0, sizeof(room));
	__asm__ volatile("" ::"r"(room) : "memory");
}

int
main(void)
{
	int i;

	make();
	wipe();
	for (i = 0; i < ROUNDS; i++) {
		ready();
		lose(i);
	}
	return 0;
}
