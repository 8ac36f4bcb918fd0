/* SPDX-License-Identifier: MIT */
/*
 * leak.c - a list of which only every other entry is freed
 *
 * Ends by abort(3) so that there is a core to look at; see README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *name;
	int number;
};

static struct entry *
entry_new(int number)
{
	struct entry *e = malloc(sizeof(*e));
	char text[32];

	snprintf(text, sizeof(text), "entry %d", number);
	e->name = strdup(text);
	e->number = number;
	return e;
}

static void
entry_free(struct entry *e)
{
	free(e->name);
	free(e);
}

static void
use_entries(int n)
{
	struct entry *e;
	int i;

	for (i = 0; i < n; i++) {
		e = entry_new(i);
		if (i % 2 == 0)
			entry_free(e);
	}
}

int
main(void)
{
	use_entries(100);
	puts("50 entries are lost, and 50 names that only they knew");
	fflush(stdout);
	abort();
}
