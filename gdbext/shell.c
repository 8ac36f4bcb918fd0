/* SPDX-License-Identifier: MIT */
/*
 * shell.c - text through a shell command
 *
 * Two pipes and poll(2): written to without blocking, read whenever there is
 * something, so that neither can wait for the other.  SIGPIPE, which a host
 * may have in any state, is held back for the time of a write.
 *
 * Layer: see shell.h.
 */
#include "shell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 50
#define END_MS 2     /* it closed its output and is about to end */
#define PATIENCE 100 /* waits from SIGTERM to SIGKILL */
#define BUFFER 4096u

struct shell {
	struct shell_sink sink;
	pid_t pid;
	int to, from; /* -1: closed */
	bool stopped; /* the user wants no more */
	bool sated;   /* the command wants no more */
	size_t held;  /* bytes of an unfinished line */
	char buf[BUFFER];
};

/* ------------------------------------------------------------------- start */

/* Ends for the child and for us; ours does not block and is not inherited. */
static int
make_pipes(int to[2], int from[2])
{
	if (pipe2(to, O_CLOEXEC) != 0)
		return -1;
	if (pipe2(from, O_CLOEXEC) != 0) {
		close(to[0]);
		close(to[1]);
		return -1;
	}
	(void)fcntl(to[1], F_SETFL, O_NONBLOCK);
	(void)fcntl(from[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* The host may ignore or block signals that a command needs. */
static int
spawn(const char *command, int in, int out, pid_t *pid_ret)
{
	char name[] = "/bin/sh", flag[] = "-c";
	char *argv[] = {name, flag, (char *)(uintptr_t)command, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t usual, none;
	int rc;

	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGQUIT);
	sigaddset(&usual, SIGCHLD);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	rc = posix_spawn(pid_ret, name, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

struct shell *
shell_open(
    const char *command, const struct shell_sink *sink, struct umdb_error *err)
{
	struct shell *s = calloc(1, sizeof(*s));
	int to[2], from[2], rc;

	if (s == NULL) {
		error_set(err, UMDB_ENOMEM, 0, "out of memory");
		return NULL;
	}
	s->sink = *sink;
	if (make_pipes(to, from) != 0) {
		error_set(err, UMDB_EIO, 0, "no pipe to a shell: %s",
		    strerror(errno));
		free(s);
		return NULL;
	}
	rc = spawn(command, to[0], from[1], &s->pid);
	close(to[0]);
	close(from[1]);
	s->to = to[1];
	s->from = from[0];
	if (rc == 0)
		return s;
	error_set(err, UMDB_EIO, 0, "/bin/sh cannot be run: %s", strerror(rc));
	close(s->to);
	close(s->from);
	free(s);
	return NULL;
}

/* -------------------------------------------------------------- pass it on */

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Whole lines go on, so that no character is cut in two. */
static void
pass_on(struct shell *s, bool all)
{
	const char *end = memrchr(s->buf, '\n', s->held);
	size_t n = end != NULL ? (size_t)(end - s->buf) + 1 : 0;
	int ok = 0;

	if (all || s->held == sizeof(s->buf))
		n = n == 0 || all ? s->held : n;
	if (n == 0)
		return;
	if (!s->stopped) {
		s->sink.write(s->sink.arg, s->buf, n, &ok);
		s->stopped = ok != 1;
	}
	memmove(s->buf, s->buf + n, s->held - n);
	s->held -= n;
}

/* Take what the command printed; false when there is nothing now. */
static bool
take(struct shell *s)
{
	ssize_t n;

	n = read(s->from, s->buf + s->held, sizeof(s->buf) - s->held);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (n <= 0) {
		close_end(&s->from);
		pass_on(s, true);
		return false;
	}
	s->held += (size_t)n;
	pass_on(s, false);
	return true;
}

/* write(2) without a SIGPIPE for the host. */
static ssize_t
quiet_write(int fd, const char *text, size_t len)
{
	const struct timespec at_once = {0, 0};
	sigset_t pipe_only, old, pending;
	bool was_pending;
	ssize_t n;
	int error;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe_only, &old);
	n = write(fd, text, len);
	error = errno;
	if (n < 0 && error == EPIPE && !was_pending)
		while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 &&
		       errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return n;
}

/* Wait until there is something to read, or room to write when @writing. */
static void
wait_for(struct shell *s, bool writing)
{
	struct pollfd fd[2];
	nfds_t n = 0;

	if (s->from >= 0) {
		fd[n].fd = s->from;
		fd[n++].events = POLLIN;
	}
	if (writing && s->to >= 0) {
		fd[n].fd = s->to;
		fd[n++].events = POLLOUT;
	}
	(void)poll(fd, n, n > 0 ? WAIT_MS : END_MS);
	if (s->from >= 0)
		(void)take(s);
	if (!s->stopped && s->sink.stop(s->sink.arg))
		s->stopped = true;
}

void
shell_write(void *shell, const char *text, size_t len, int *ok)
{
	struct shell *s = shell;
	ssize_t n;

	while (len > 0 && s->to >= 0 && !s->stopped) {
		n = quiet_write(s->to, text, len);
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			wait_for(s, true);
		} else if (n >= 0 || errno != EINTR) {
			s->sated = true;
			close_end(&s->to);
		}
	}
	if (len == 0)
		*ok = 1;
}

bool
shell_sated(const struct shell *s)
{
	return s->sated;
}

/* What it printed before it ended; others may hold the pipe open. */
static void
drain(struct shell *s)
{
	while (s->from >= 0 && !s->stopped && take(s))
		;
	pass_on(s, true);
	close_end(&s->from);
}

int
shell_close(struct shell *s, bool now)
{
	unsigned waits = 0;
	pid_t gone = 0;
	int rc, status;

	close_end(&s->to);
	for (;;) {
		gone = waitpid(s->pid, &status, WNOHANG);
		if (gone > 0 || (gone < 0 && errno != EINTR))
			break;
		if (now || s->stopped) {
			close_end(&s->from);
			if (waits == 0 || waits == PATIENCE)
				(void)kill(
				    s->pid, waits == 0 ? SIGTERM : SIGKILL);
			waits++;
		}
		wait_for(s, false);
	}
	drain(s);
	rc = s->stopped ? UMDB_EINTR : UMDB_OK;
	free(s);
	return rc;
}
