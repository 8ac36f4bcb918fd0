/* SPDX-License-Identifier: MIT */
/*
 * use_after_free.c - a counter that goes on counting in freed memory
 *
 * Nothing is seen at the time of the write.  It is found when the buffer is
 * handed out again: it should still hold 0xdeadbeef.
 */
#include <stdio.h>
#include <stdlib.h>

struct job {
	long id;
	long progress;
	char name[48];
};

static struct job *current;

static void
job_end(struct job *j)
{
	free(j);
}

static void
tick(void)
{
	current->progress++;
}

int
main(void)
{
	int i;

	current = calloc(1, sizeof(*current));
	tick();
	job_end(current);
	tick(); /* current is gone */

	for (i = 0; i < 1000; i++)
		free(calloc(1, sizeof(struct job)));
	puts("not seen without UMEM_DEBUG=default");
	return 0;
}
