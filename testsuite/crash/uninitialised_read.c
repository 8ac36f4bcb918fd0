/* SPDX-License-Identifier: MIT */
/*
 * uninitialised_read.c - a link that was never set
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

	return p->next->value;
}
