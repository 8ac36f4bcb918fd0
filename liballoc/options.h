/* SPDX-License-Identifier: MIT */
/*
 * options.h - UMEM_DEBUG, UMEM_LOGGING and UMEM_OPTIONS
 *
 * One table (options.c) holds every token with its variable, its kind, its
 * default and a line of help; umem_debug(3) has a paragraph for each row, and
 * the test suite compares the two.
 *
 * Layer: above msg.h and root.h.
 */
#ifndef UMEM_OPTIONS_H
#define UMEM_OPTIONS_H

#include <stddef.h>

/*
 * options_read - read the three variables, or where one is unset what the
 * program's _umem_debug_init(), _umem_options_init() or _umem_logging_init()
 * returns, into umem_root and umem_settings.  An unknown token or a bad value
 * is named on stderr and ignored.  Call once.
 */
void options_read(void);

/* options_parse - the same for one variable's text; for the test suite too */
void options_parse(const char *variable, const char *text);

/* One row of the table, for the test that compares it with the manual. */
struct umem_option {
	const char *variable; /* "UMEM_DEBUG" */
	const char *name;     /* "audit" */
	const char *argument; /* "=frames", "" or "[=frames]" */
	const char *help;     /* one line */
};

/* options_row - row @i of the table, or NULL past its end */
const struct umem_option *options_row(size_t i);

#endif /* UMEM_OPTIONS_H */
