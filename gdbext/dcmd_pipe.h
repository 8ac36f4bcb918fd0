/* SPDX-License-Identifier: MIT */
/*
 * dcmd_pipe.h - commands one behind another: A | B | C ! shell command
 *
 * A runs, then B once for each address that A gave, then C once for each that
 * B gave; what the last one prints goes to the user, or through a shell
 * command.  Between two commands stand addresses only, 8 bytes each.  See
 * dcmd.h for what a command does in a pipe.
 *
 * The same in MDB's notation: ADDR::a -x | ::b | /nX ! shell command.  There,
 * numbers are hexadecimal; see mdb.h.
 *
 * Layer: beside dcmd.h.
 */
#ifndef UMDB_DCMD_PIPE_H
#define UMDB_DCMD_PIPE_H

#include "dcmd.h"

struct pipeline {
	struct dcmd_line *stage;
	size_t n;
	char *shell;      /* NULL none */
	bool json;        /* of the last one */
	const char *name; /* whose turn it is, for messages */
	const struct dcmd *dcmd;
};

/**
 * pipeline_parse - a line, which stands in umem's notation, or in MDB's if
 * its first word is "mdb"
 *
 * Returns UMDB_OK, UMDB_EUSAGE or UMDB_ENOMEM with a sentence in *err; name and
 * json are set as far as the line was understood.  Release with pipeline_free
 * in any case.
 */
int pipeline_parse(
    const char *line, struct pipeline *ret, struct umdb_error *err);
void pipeline_free(struct pipeline *p);

/* pipeline_needs_snap - false when all commands do without a snapshot */
bool pipeline_needs_snap(const struct pipeline *p);

/*
 * pipeline_run - run it into ctx->out.  What one address leads to does not
 * keep the others from their turn: such failures are noted, and the line
 * fails when no address succeeded.  A usage error, memory and Ctrl-C end it.
 */
int pipeline_run(struct dcmd_ctx *ctx, struct pipeline *p);

#endif /* UMDB_DCMD_PIPE_H */
