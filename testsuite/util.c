/* SPDX-License-Identifier: MIT */
/*
 * util.c - running a piece of a test in a child; see util.h
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

_Noreturn static void
child(int fd, void (*fn)(void *), void *arg)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGABRT, SIG_DFL);
	dup2(fd, STDERR_FILENO);
	close(fd);
	fn(arg);
	_exit(0);
}

/* Read to the end of file, so that a child that says much never blocks. */
static void
drain(struct capture *cap, int fd)
{
	char rest[4096];
	ssize_t n;

	cap->len = 0;
	for (;;) {
		if (cap->len < CAPTURE_SIZE - 1)
			n = read(fd, cap->text + cap->len,
			    CAPTURE_SIZE - 1 - cap->len);
		else
			n = read(fd, rest, sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (cap->len < CAPTURE_SIZE - 1)
			cap->len += (size_t)n;
	}
	cap->text[cap->len] = '\0';
}

void
capture_run(struct capture *cap, void (*fn)(void *), void *arg)
{
	int fd[2];
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(fd[0]);
		child(fd[1], fn, arg);
	}
	close(fd[1]);
	drain(cap, fd[0]);
	close(fd[0]);
	while (waitpid(pid, &cap->status, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
}

static void
expect_text(const struct capture *cap, const char *text)
{
	ck_assert_msg(strstr(cap->text, text) != NULL,
	    "stderr should contain \"%s\" but is:\n%s", text, cap->text);
}

void
capture_expect_abort(
    struct capture *cap, void (*fn)(void *), void *arg, const char *text)
{
	capture_run(cap, fn, arg);
	ck_assert_msg(
	    WIFSIGNALED(cap->status) && WTERMSIG(cap->status) == SIGABRT,
	    "should die by SIGABRT but has wait status %#x; stderr:\n%s",
	    cap->status, cap->text);
	if (text != NULL)
		expect_text(cap, text);
}

void
capture_expect_exit(struct capture *cap, void (*fn)(void *), void *arg,
    int code, const char *text)
{
	capture_run(cap, fn, arg);
	ck_assert_msg(
	    WIFEXITED(cap->status) && WEXITSTATUS(cap->status) == code,
	    "should exit with %d but has wait status %#x; stderr:\n%s", code,
	    cap->status, cap->text);
	if (text != NULL)
		expect_text(cap, text);
	else
		ck_assert_str_eq(cap->text, "");
}
