/* SPDX-License-Identifier: MIT */
/*
 * kinds.c - chains, cycles, trees, and pointers to the inside
 */
#include "truth.h"

struct node {
	struct node *next, *other;
	char *inside;
	uint64_t number[5];
};

struct node *root;
struct node *root_of_tree, *subtree;
char *cursor[4];

STEP struct node *
node(void)
{
	return calloc(1, sizeof(struct node));
}

STEP void
chains(void)
{
	struct node *a = node(), *last = a;
	unsigned i;

	truth_lost(a, DEFINITE);
	for (i = 0; i < 1000; i++) {
		last->next = node();
		last = last->next;
		truth_lost(last, INDIRECT);
	}
	last->inside = (char *)&node()->number[3];
	truth_lost(last->inside - 48, INDIRECT);
}

/* A doubly linked ring of n: one stands for all. */
STEP void
ring(unsigned n)
{
	struct node *first = node(), *at = first;
	unsigned i;

	truth_lost(first, CYCLE);
	for (i = 1; i < n; i++) {
		at->next = node();
		at->next->other = at;
		at = at->next;
		truth_lost(at, CYCLE);
	}
	at->next = first;
	first->other = at;
	/* what hangs from a ring is indirect */
	at->inside = malloc(30);
	memset(at->inside, 0, 30);
	truth_lost(at->inside, INDIRECT);
}

/* A ring that a chain leads to: its head is the chain's. */
STEP void
ring_behind_a_chain(void)
{
	struct node *a = node(), *b = node(), *head = node();

	a->next = b;
	b->next = a;
	head->next = b;
	truth_lost(a, INDIRECT);
	truth_lost(b, INDIRECT);
	truth_lost(head, DEFINITE);
}

/* A tree of 2^depth - 1 nodes, each with a pointer to its parent, or not. */
STEP struct node *
tree(unsigned depth, struct node *parent, int up)
{
	struct node *t;

	if (depth == 0)
		return NULL;
	t = node();
	t->next = tree(depth - 1, t, up);
	t->other = tree(depth - 1, t, up);
	if (up)
		t->inside = (char *)parent;
	return t;
}

STEP void
lose_tree(struct node *t, enum truth_kind kind, enum truth_kind below)
{
	if (t == NULL)
		return;
	truth_lost(t, kind);
	lose_tree(t->next, below, below);
	lose_tree(t->other, below, below);
}

/* Kept by its root; lost as a whole; lost but for a subtree. */
STEP void
trees(void)
{
	struct node *t;

	root_of_tree = tree(10, NULL, 1);
	lose_tree(tree(8, NULL, 0), DEFINITE, INDIRECT);
	t = tree(6, NULL, 0);
	subtree = t->other;
	t->other = NULL;
	lose_tree(t, DEFINITE, INDIRECT);
	t->other = subtree;
}

/*
 * With pointers to parents all nodes are one cycle, and any of them stands
 * for all; the root has none.
 */
STEP void
tree_with_parents(void)
{
	lose_tree(tree(7, NULL, 1), CYCLE, CYCLE);
}

STEP void
live(void)
{
	struct node *at;
	unsigned i;

	root = node();
	for (at = root, i = 0; i < 1000; i++, at = at->next) {
		at->next = node();
		at->next->other = at;
	}
	at->next = root;
}

/* Only pointers to the inside; what hangs from these is possible too. */
STEP void
insides(void)
{
	struct node *a = node(), *b = node(), *lost = node();

	cursor[0] = (char *)a + 37;
	a->next = b;
	truth_lost(a, POSSIBLE);
	truth_lost(b, POSSIBLE);
	lost->next = b;
	truth_lost(lost, DEFINITE);
	cursor[1] = strcpy(malloc(100), "some text to point into") + 10;
	truth_lost(cursor[1] - 10, POSSIBLE);
}

int
main(void)
{
	chains();
	ring(1);
	ring(2);
	ring(7);
	ring_behind_a_chain();
	trees();
	tree_with_parents();
	live();
	insides();
	truth_end();
}
