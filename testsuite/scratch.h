/* SPDX-License-Identifier: MIT */
/*
 * scratch.h - a directory of a test's own, and files in it
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

/* scratch_open - make the directory; scratch_close - remove it and its files */
void scratch_open(void);
void scratch_close(void);

/* scratch_path - path of a file in it; lives until the fourth next call */
const char *scratch_path(const char *name);

/* scratch_write - make a file of this text; its path */
const char *scratch_write(const char *name, const char *text);

/* scratch_write_bytes - the same of any bytes */
const char *scratch_write_bytes(const char *name, const char *p, size_t len);

/*
 * scratch_read - all of a file, with a NUL behind; to be freed.  NULL when
 * there is none.  @len_ret may be NULL.
 */
char *scratch_read(const char *name, size_t *len_ret);

/* scratch_count - files in the directory */
int scratch_count(void);

/* scratch_dir - its path */
const char *scratch_dir(void);

#endif /* SCRATCH_H */
