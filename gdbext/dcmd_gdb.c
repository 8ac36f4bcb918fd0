/* SPDX-License-Identifier: MIT */
/*
 * dcmd_gdb.c - umem examine, umem dcmds, umem help, umem mdb
 *
 * What the debugger itself does best, for addresses that come from a pipe;
 * and what MDB's notation needs beside the commands.
 *
 * Layer: see dcmd.h.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "walker.h"

#define COUNT_MAX (1u << 20)

/* ---------------------------------------------------------------- examine */

/* Lines of text, as the debugger printed them. */
static void
put_lines(struct out *o, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		out_line(o, "%.*s", (int)n, text);
	}
}

static int
execute(struct dcmd_ctx *ctx, const char *command)
{
	const char *text = "";
	int rc;

	if (ctx->execute == NULL)
		return error_set(
		    ctx->err, UMDB_ETARGET, 0, "there is no debugger to do it");
	rc = ctx->execute(ctx->execute_arg, command, &text);
	if (rc != UMDB_OK)
		return error_set(
		    ctx->err, rc, 0, "%.*s", (int)strcspn(text, "\n"), text);
	put_lines(ctx->out, text);
	return UMDB_OK;
}

static int
no_json(struct dcmd_ctx *ctx)
{
	return dcmd_usage_error(
	    ctx->dcmd, ctx->err, "the debugger prints this, as text only");
}

/* MDB's letters, and what x of GDB calls that. */
static const struct {
	char mdb;
	const char *gdb;
} formats[] = {
    {'B', "xb"},
    {'x', "xh"},
    {'X', "xw"},
    {'J', "xg"},
    {'K', "xg"},
    {'p', "ag"},
    {'P', "ag"},
    {'o', "oh"},
    {'O', "ow"},
    {'b', "ob"},
    {'d', "dh"},
    {'D', "dw"},
    {'e', "dg"},
    {'u', "uh"},
    {'U', "uw"},
    {'E', "ug"},
    {'V', "ub"},
    {'c', "cb"},
    {'C', "cb"},
    {'s', "s"},
    {'S', "s"},
    {'i', "i"},
};

static const char *
gdb_format(char mdb)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i].mdb == mdb)
			return formats[i].gdb;
	return NULL;
}

/* [COUNT]LETTER, as in /20X; -c gives a count too, as ADDR,14/X does */
int
dcmd_examine(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const char *format = args->argv[1], *letter = format;
	char command[128];
	uint64_t count = 1;
	taddr_t addr;
	int rc;

	if (out_is_json(ctx->out))
		return no_json(ctx);
	if (args->opt['c'] != NULL) {
		rc = dcmd_number(ctx, "-c", args->opt['c'], &count);
		if (rc != UMDB_OK)
			return rc;
	}
	if (isdigit((unsigned char)*letter)) {
		count = strtoull(format, NULL, 10);
		letter += strspn(letter, "0123456789");
	}
	if (count == 0 || count > COUNT_MAX || letter[0] == '\0' ||
	    letter[1] != '\0' || gdb_format(letter[0]) == NULL)
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "%.40s is no format: what is wanted is a letter, and "
		    "perhaps a count before it",
		    format);
	rc = dcmd_address(ctx, args->argv[0], &addr);
	if (rc != UMDB_OK)
		return rc;
	snprintf(command, sizeof(command), "x/%" PRIu64 "%s 0x%" PRIx64, count,
	    gdb_format(letter[0]), addr);
	return execute(ctx, command);
}

/* ---------------------------------------------------------- dcmds and help */

static const struct out_column dcmds_columns[] = {
    {"name", "NAME", OUT_TEXT, 0},
    {"alias", "MDB", OUT_TEXT, 0},
    {"summary", "DOES", OUT_TEXT, 0},
};

int
dcmd_dcmds(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct out *o = ctx->out;
	size_t i;

	(void)args;
	out_table(o, dcmds_columns, 3);
	for (i = 0; i < ndcmd; i++) {
		out_row(o);
		out_text(o, dcmds[i].name);
		if (dcmds[i].alias != NULL)
			out_text(o, dcmds[i].alias);
		else
			out_null(o);
		out_text(o, dcmds[i].summary);
		out_row_end(o);
	}
	out_table_end(o);
	return UMDB_OK;
}

static const struct out_column help_columns[] = {
    {"name", NULL, OUT_TEXT, 0},
    {"alias", NULL, OUT_TEXT, 0},
    {"usage", NULL, OUT_TEXT, 0},
    {"summary", NULL, OUT_TEXT, 0},
    {"help", NULL, OUT_TEXT, 0},
};

static void
help_row(struct out *o, const char *name, const char *alias, const char *usage,
    const char *summary, const char *help)
{
	out_table(o, help_columns, 5);
	out_row(o);
	out_text(o, name);
	if (alias != NULL)
		out_text(o, alias);
	else
		out_null(o);
	out_text(o, usage);
	out_text(o, summary);
	out_text(o, help);
	out_row_end(o);
	out_table_end(o);
}

static void
help_command(struct out *o, const struct dcmd *d)
{
	if (out_is_json(o)) {
		help_row(o, d->name, d->alias, d->usage, d->summary, d->help);
		return;
	}
	out_line(o, "%s", d->summary);
	out_line(o, "%s", "");
	out_line(o, "Usage: umem %s%s%s [-json]", d->name,
	    d->usage[0] ? " " : "", d->usage);
	if (d->alias != NULL)
		out_line(o, "MDB:   [ADDR]::%s", d->alias);
	out_line(o, "%s", "");
	put_lines(o, d->help);
}

static void
help_walker(struct out *o, const struct walker *w)
{
	if (out_is_json(o)) {
		help_row(o, w->name, NULL, w->usage, w->summary, "");
		return;
	}
	out_line(o, "Walker: %s.", w->summary);
	out_line(o, "%s", "");
	out_line(o, "Usage: umem walk %s%s%s", w->name, w->usage[0] ? " " : "",
	    w->usage);
}

int
dcmd_help(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const struct walker *w;
	const struct dcmd *d;

	if (args->argc == 0)
		return dcmd_dcmds(ctx, args);
	d = dcmd_find(args->argv[0]);
	w = walker_find(args->argv[0]);
	if (d == NULL && w == NULL)
		return error_set(ctx->err, UMDB_EUSAGE, 0,
		    "there is no command and no walker %.80s", args->argv[0]);
	if (d != NULL)
		help_command(ctx->out, d);
	if (d != NULL && w != NULL)
		out_line(ctx->out, "%s", "");
	if (w != NULL)
		help_walker(ctx->out, w);
	return UMDB_OK;
}

/* The notation stands for a whole line and is taken apart before. */
int
dcmd_mdb(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	(void)args;
	return dcmd_usage_error(
	    ctx->dcmd, ctx->err, "mdb stands at the start of a line");
}
