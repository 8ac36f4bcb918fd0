/* SPDX-License-Identifier: MIT */
/* server.c - a server that loses sessions in two ways, and then dies */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session {
	char *user;
	char text[232];
};

static char *uploads[8];
static int nuploads, fds[2];

/* A wrong password: the session is lost, and the user that it points to. */
static void
login(int good)
{
	struct session *s = calloc(1, sizeof(*s));

	s->user = strdup("guest");
	if (good) {
		free(s->user);
		free(s);
	}
}

/* Only the text is remembered, which lies inside the session. */
static void
upload(void)
{
	struct session *s = calloc(1, sizeof(*s));

	uploads[nuploads++ % 8] = s->text;
}

/* A client in a thread of its own: one letter is one request. */
static void *
client(void *requests)
{
	return write(fds[1], requests, strlen(requests)) < 0 ? requests : NULL;
}

int
main(void)
{
	static char requests[] = "llbllubllblllullblulllbllq";
	pthread_t thread;
	char request;

	if (pipe(fds) || pthread_create(&thread, NULL, client, requests))
		return 1;
	while (read(fds[0], &request, 1) == 1 && request != 'q')
		if (request == 'u')
			upload();
		else
			login(request == 'l');
	uploads[7][0] = '!'; /* there was no such upload: it dies here */
}
