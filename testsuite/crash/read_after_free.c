/* SPDX-License-Identifier: MIT */
/*
 * read_after_free.c - a link that is followed after its node was freed
 *
 * debug: default
 * ends: SEGV
 * says:
 */
#include <stdlib.h>

struct node {
	struct node *next;
	int value;
};

int
main(void)
{
	struct node *p = malloc(sizeof(*p));

	p->next = p;
	free(p);
	return p->next->value;
}
