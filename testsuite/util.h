/* SPDX-License-Identifier: MIT */
/*
 * util.h - running a piece of a test in a child and reading what it said
 *
 * Faults that the library finds end the process.  A test of one puts the
 * fault into a function, runs that here, and states how the child ended and
 * what it wrote to stderr.
 */
#ifndef TESTSUITE_UTIL_H
#define TESTSUITE_UTIL_H

#include <stddef.h>

#define CAPTURE_SIZE 65536

struct capture {
	int status; /* as of waitpid(2) */
	size_t len;
	char text[CAPTURE_SIZE]; /* stderr of the child, NUL-terminated */
};

/**
 * capture_run - run fn(arg) in a child of fork(2)
 * @cap: what it wrote to stderr, cut at CAPTURE_SIZE - 1 bytes, and its status
 *
 * The child leaves no core, and exits with 0 when fn returns.  Fails the test
 * when the child cannot be made.
 */
void capture_run(struct capture *cap, void (*fn)(void *), void *arg);

/*
 * capture_expect_abort - the same, and fail the test unless the child died by
 * SIGABRT and its stderr contains @text (any text with NULL)
 */
void capture_expect_abort(
    struct capture *cap, void (*fn)(void *), void *arg, const char *text);

/*
 * capture_expect_exit - the same, and fail the test unless the child exited
 * with @code and its stderr contains @text; with NULL it must be silent
 */
void capture_expect_exit(struct capture *cap, void (*fn)(void *), void *arg,
    int code, const char *text);

#endif /* TESTSUITE_UTIL_H */
