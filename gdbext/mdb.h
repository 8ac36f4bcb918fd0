/* SPDX-License-Identifier: MIT */
/*
 * mdb.h - the notation of MDB, illumos' modular debugger
 *
 *	[EXPRESSION]::COMMAND [ARGUMENTS]
 *	EXPRESSION[,COUNT]/FORMAT
 *
 * Numbers are hexadecimal; 0t, 0o, 0i and 0x in front say decimal, octal,
 * binary, hexadecimal.  An EXPRESSION is made of numbers, symbols (func,
 * lib`func), registers (<rsp), + - * % & ( ) and unary - ~; it is the dot
 * that the command gets.  Numbers in options and arguments follow the same
 * rule.
 *
 * Layer: beside dcmd.h.
 */
#ifndef UMDB_MDB_H
#define UMDB_MDB_H

#include "dcmd.h"

/*
 * mdb_parse - one command of a pipeline.  @piped: a pipe gives its dot.
 * Expressions are kept in ret->expr and evaluated by mdb_resolve.  As
 * dcmd_parse.
 */
int mdb_parse(const char *text, bool piped, struct dcmd_line *ret,
    struct umdb_error *err);

/*
 * mdb_resolve - before the command runs: its dot, and numbers among its
 * arguments; UMDB_OK or UMDB_EUSAGE.  Nothing for a line of other notation.
 */
int mdb_resolve(struct dcmd_ctx *ctx, struct dcmd_line *line);

/* mdb_value - evaluate an expression; UMDB_EUSAGE with a sentence if it is none */
int mdb_value(struct dcmd_ctx *ctx, const char *text, uint64_t *ret);

#endif /* UMDB_MDB_H */
