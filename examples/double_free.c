/* SPDX-License-Identifier: MIT */
/*
 * double_free.c - two owners of one buffer
 */
#include <stdio.h>
#include <stdlib.h>

struct message {
	char *body;
};

static void
message_done(struct message *m)
{
	free(m->body);
}

static void
deliver(struct message *m)
{
	printf("delivered: %s\n", m->body);
	fflush(stdout);
	message_done(m);
}

int
main(void)
{
	struct message m = {malloc(64)};

	snprintf(m.body, 64, "good morning");
	deliver(&m);
	message_done(&m); /* deliver() did that */
	return 0;
}
