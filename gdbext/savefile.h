/* SPDX-License-Identifier: MIT */
/*
 * savefile.h - a file that is written whole or not at all
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

#endif /* UMDB_SAVEFILE_H */
