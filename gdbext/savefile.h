/* SPDX-License-Identifier: MIT */
/*
 * savefile.h - a file that is written whole or not at all; and lines of files
 * that people name
 *
 * What is written goes to a temporary file beside the one that was asked for,
 * which takes its place when all of it is on disk: an older file stays until
 * then, and after an error nothing is left behind.  A path that is no regular
 * file (a pipe, a device) is written to directly.
 *
 * Writing does not fail; the first error is remembered for savefile_close.
 *
 * Layer: above error.h.
 */
#ifndef UMDB_SAVEFILE_H
#define UMDB_SAVEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "error.h"

struct savefile {
	char *path;  /* as given, "~" replaced: for messages */
	char *final; /* where links lead to */
	char *temp;  /* NULL: written directly */
	int fd;
	int error; /* errno of the first failure; 0 none */
	char *buf;
	size_t len;
	uint64_t written;
};

/**
 * savefile_open - begin a file
 * @path: "~/" stands for the home directory
 *
 * Returns UMDB_OK; or UMDB_EIO or UMDB_ENOMEM with a sentence in *err, and
 * then there is nothing to close.
 */
int savefile_open(struct savefile *f, const char *path, struct umdb_error *err);

void savefile_write(struct savefile *f, const void *data, size_t len);
void savefile_puts(struct savefile *f, const char *text);
void savefile_printf(struct savefile *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * savefile_close - put the file in its place.  UMDB_OK, or UMDB_EIO with a
 * sentence; then what was there before is as it was.
 */
int savefile_close(struct savefile *f, struct umdb_error *err);

/* savefile_drop - give up: nothing is left behind */
void savefile_drop(struct savefile *f);

/* savefile_expand - "~/" replaced; to be freed; NULL without memory */
char *savefile_expand(const char *path);

/*
 * savefile_line - the next line of a file that may turn out to be anything
 * @line, @room: as getline(3) has them; without the end of the line
 *
 * Returns its length; SAVEFILE_END behind the last one and where reading
 * fails, which ferror(3) tells; or SAVEFILE_NO_TEXT: a NUL, or more than
 * SAVEFILE_LINE bytes without an end.
 */
#define SAVEFILE_LINE (1u << 20)
#define SAVEFILE_END (-1)
#define SAVEFILE_NO_TEXT (-2)
ssize_t savefile_line(FILE *file, char **line, size_t *room);

#endif /* UMDB_SAVEFILE_H */
