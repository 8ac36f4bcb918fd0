/* SPDX-License-Identifier: MIT */
/*
 * shell.h - text through a shell command: what "! COMMAND" does
 *
 * The command reads what is written here, and what it prints goes on to the
 * debugger, so that its pager and its logging see it.  Both happen by turns:
 * neither side's text is held.  A command that does not want more (head) ends
 * the output without harm.
 *
 * Layer: above error.h; below umdb.h.
 */
#ifndef UMDB_SHELL_H
#define UMDB_SHELL_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct shell;

/* Where the text goes, and who says when to stop; *ok stays 0 for that. */
struct shell_sink {
	void *arg;
	void (*write)(void *arg, const char *text, size_t len, int *ok);
	bool (*stop)(void *arg); /* asked now and then while waiting */
};

/* shell_open - start a command; NULL with a sentence in *err */
struct shell *shell_open(
    const char *command, const struct shell_sink *sink, struct umdb_error *err);

/* shell_write - as out_sink.write; *ok stays 0 when no more is wanted */
void shell_write(void *shell, const char *text, size_t len, int *ok);

/* shell_sated - true when the command itself stopped reading */
bool shell_sated(const struct shell *shell);

/*
 * shell_close - its input ends; pass on what it still prints and wait for it.
 * @now: it is not wanted any more.  UMDB_OK, or UMDB_EINTR when the user
 * stopped it.
 */
int shell_close(struct shell *shell, bool now);

#endif /* UMDB_SHELL_H */
