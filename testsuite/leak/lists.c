/* SPDX-License-Identifier: MIT */
/*
 * lists.c - lists whose links are members of what they link: all pointers to
 * an item lead to its inside
 */
#include "truth.h"

struct link {
	struct link *next, *prev;
};

/* A list with one end: what points to a link is known, not which link. */
struct half {
	struct half *next, **pprev;
};

struct item {
	long a[3];
	struct link link;
	void *held;
	long b[2];
	struct link other;
};

struct entry {
	long a[5];
	struct half link;
	void *held;
};

struct link head = {&head, &head}, alone = {&alone, &alone};
struct link *head_in_heap;
struct half *bucket[4];

static void
add(struct link *h, struct link *l)
{
	l->next = h->next;
	l->prev = h;
	h->next->prev = l;
	h->next = l;
}

static void
add_half(struct half **h, struct half *l)
{
	l->next = *h;
	if (*h != NULL)
		(*h)->pprev = &l->next;
	*h = l;
	l->pprev = h;
}

static struct item *
item(void)
{
	return calloc(1, sizeof(struct item));
}

STEP void
keep(void)
{
	struct item *it;
	struct entry *e;
	unsigned i;

	for (i = 0; i < 50; i++) {
		it = item();
		it->held = calloc(1, 77 + i);
		add(&head, &it->link);
		add(&head, &item()->other);
		e = calloc(1, sizeof(*e));
		e->held = calloc(1, 33);
		add_half(&bucket[i % 4], &e->link);
	}
	add(&alone, &item()->other);
	head_in_heap = calloc(1, sizeof(*head_in_heap));
	head_in_heap->next = head_in_heap->prev = head_in_heap;
	add(head_in_heap, &item()->link);
}

/* With its head a list is lost. */
STEP void
lose(void)
{
	struct link *h = calloc(1, sizeof(*h));
	struct item *it;
	unsigned i;

	h->next = h->prev = h;
	truth_lost(h, CYCLE);
	for (i = 0; i < 5; i++) {
		it = item();
		truth_lost(it, CYCLE);
		add(h, &it->link);
	}
}

int
main(void)
{
	lose();
	keep();
	truth_end();
}
