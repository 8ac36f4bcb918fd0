/* SPDX-License-Identifier: MIT */
/*
 * grow.c - a program that knows what it grows by, between two moments
 *
 * moment(1) and moment(2) are where it is looked at.  In between, by
 * function:
 *
 *	grow	1000 more buffers of 48 bytes, all in a list
 *	shrink	20 of 50 buffers of 1000 bytes are freed
 *	vanish	its one buffer of 5000 bytes is freed
 *	appear	one of 60000 bytes is new
 *	lose	two more of 200 bytes are lost, each with one of 48 hanging
 *		from it; one such was lost before
 *	keep	100 of 32 bytes stay as they are
 *	<odd>	a function whose name is markup: one of 77 bytes is lost
 *
 * With -DMOVED functions lie elsewhere in the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

struct node {
	struct node *next;
	char pad[40];
};

void odd(void); /* odd.c */
void moment(int number);

static struct node *list;
static char *table[50], *kept[100], *one, *big;

#ifdef MOVED
volatile int moved;

NOINLINE void
another(void)
{
	moved++;
}
#endif

NOINLINE static void
grow(int n)
{
	struct node *p;

	while (n-- > 0) {
		p = calloc(1, sizeof(*p));
		p->next = list;
		list = p;
	}
}

NOINLINE static void
shrink(int first, int last)
{
	for (; first < last; first++) {
		if (table[first] == NULL) {
			table[first] = malloc(1000);
			continue;
		}
		free(table[first]);
		table[first] = NULL;
	}
}

NOINLINE static void
vanish(void)
{
	if (one == NULL) {
		one = malloc(5000);
		return;
	}
	free(one);
	one = NULL;
}

NOINLINE static void
appear(void)
{
	big = malloc(60000);
}

NOINLINE static void
lose(int n)
{
	void **p;

	while (n-- > 0) {
		p = calloc(1, 200);
		*p = calloc(1, 48);
	}
	p = NULL;
	__asm__ volatile("" : : "r"(p) : "memory");
}

NOINLINE static void
keep(void)
{
	int i;

	for (i = 0; i < 100; i++)
		kept[i] = malloc(32);
}

/* One call of each, so that its stack is the same both times. */
NOINLINE static void
step(int number)
{
	grow(number == 1 ? 10 : 1000);
	shrink(0, number == 1 ? 50 : 20);
	vanish();
	if (number == 2)
		appear();
	lose(number);
	if (number == 1)
		keep();
	odd();
}

/* Overwrite what pointers are left on the stack and in registers. */
NOINLINE static void
scrub(void)
{
	volatile char room[16384];
	size_t i;

	for (i = 0; i < sizeof(room); i++)
		room[i] = 0;
}

NOINLINE void
moment(int number)
{
	__asm__ volatile("" : : "r"(number) : "memory");
}

int
main(void)
{
	int number;

	for (number = 1; number <= 2; number++) {
		step(number);
		scrub();
		moment(number);
	}
	return 0;
}
