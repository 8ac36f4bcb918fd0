/* SPDX-License-Identifier: MIT */
/*
 * tagged.c - what is not the address of a buffer's start
 *
 * With marks in the bits that alignment leaves free it keeps a struct that
 * begins with a pointer, and a text only possibly.  To the end (if the size is
 * known), as complement and with marks in the high bits it keeps nothing.
 */
#include "truth.h"

struct node {
	struct node *next;
	long key;
};

uintptr_t marked, text, end, complement, high;

STEP void
make(void)
{
	struct node *node = calloc(1, sizeof(*node));

	node->next = calloc(1, sizeof(*node));
	marked = (uintptr_t)node | 1;
	text = (uintptr_t)strcpy(malloc(64), "a text of which some is read");
	truth_lost((void *)text, POSSIBLE);
	text += 3;
	end = (uintptr_t)calloc(1, 60);
	truth_lost((void *)end, truth_audited() ? DEFINITE : POSSIBLE);
	end += 60;
	complement = ~(uintptr_t)calloc(1, 64);
	truth_lost((void *)~complement, DEFINITE);
	high = (uintptr_t)calloc(1, 64);
	truth_lost((void *)high, DEFINITE);
	high |= (uintptr_t)0x5a << 56;
}

int
main(void)
{
	make();
	truth_end();
}
