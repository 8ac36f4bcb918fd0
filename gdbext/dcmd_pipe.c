/* SPDX-License-Identifier: MIT */
/*
 * dcmd_pipe.c - taking a pipeline apart, and running it
 *
 * Layer: see dcmd_pipe.h.
 */
#include "dcmd_pipe.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mdb.h"

/* ----------------------------------------------------------------- parsing */

/*
 * Where a command ends: at a |, at a ! that starts a word, or with the line.
 * "!=" and "x!" belong to an expression.
 */
static const char *
stage_end(const char *start, char *open_ret)
{
	const char *p = start;

	for (;; p++) {
		p = dcmd_unquoted(p, "|!", open_ret);
		if (*p != '!')
			return p;
		if ((p == start || isspace((unsigned char)p[-1])) &&
		    p[1] != '=')
			return p;
	}
}

static bool
blank(const char *text)
{
	return text[strspn(text, " \t\n")] == '\0';
}

/* Count the commands, so that they need not move. */
static size_t
count_stages(const char *line)
{
	const char *p = line;
	size_t n = 1;
	char open;

	for (p = stage_end(line, &open); *p == '|'; n++)
		p = stage_end(p + 1, &open);
	return n;
}

static int
empty_stage(size_t i, size_t n, struct umdb_error *err)
{
	if (n == 1)
		return error_set(err, UMDB_EUSAGE, 0,
		    "which command? \"help umem\" lists them");
	return error_set(err, UMDB_EUSAGE, 0, "there is no command %s",
	    i == 0       ? "before the |"
	    : i == n - 1 ? "behind the |"
			 : "between | and |");
}

/* One command of @n; it may feed a pipe, and be fed by one. */
static int
parse_stage(struct pipeline *p, const char *text, bool mdb, size_t n,
    struct umdb_error *err)
{
	const size_t i = p->n;
	struct dcmd_line *l = &p->stage[i];
	int rc;

	p->n++;
	if (blank(text))
		return empty_stage(i, n, err);
	if (mdb)
		rc = mdb_parse(text, i > 0, l, err);
	else if (i > 0)
		rc = dcmd_parse_piped(text, l, err);
	else
		rc = dcmd_parse(text, l, err);
	p->name = l->name;
	p->json = p->json || l->json;
	if (rc == UMDB_OK && i < n - 1 && (l->dcmd->flags & DCMD_NO_PIPE) != 0)
		return dcmd_usage_error(
		    l->dcmd, err, "it has no addresses to give to a pipe");
	if (rc == UMDB_OK && i < n - 1 && l->json)
		return error_set(err, UMDB_EUSAGE, 0,
		    "-json belongs to the last command of a pipeline");
	return rc;
}

static int
parse_shell(struct pipeline *p, const char *text, struct umdb_error *err)
{
	text += strspn(text, " \t");
	if (blank(text))
		return error_set(err, UMDB_EUSAGE, 0,
		    "there is no shell command behind the !");
	p->shell = strdup(text);
	return p->shell != NULL
		   ? UMDB_OK
		   : error_set(err, UMDB_ENOMEM, 0, "out of memory");
}

static int
parse_line(
    struct pipeline *p, const char *line, bool mdb, struct umdb_error *err)
{
	const size_t n = count_stages(line);
	const char *end;
	char open, *text;
	int rc = UMDB_OK;

	p->stage = calloc(n, sizeof(*p->stage));
	if (p->stage == NULL)
		return error_set(err, UMDB_ENOMEM, 0, "out of memory");
	for (;; line = end + 1) {
		end = stage_end(line, &open);
		if (open != '\0')
			return error_set(
			    err, UMDB_EUSAGE, 0, "a %c is not closed", open);
		text = strndup(line, (size_t)(end - line));
		if (text == NULL)
			return error_set(err, UMDB_ENOMEM, 0, "out of memory");
		rc = parse_stage(p, text, mdb, n, err);
		free(text);
		if (rc != UMDB_OK || *end != '|')
			break;
	}
	if (rc == UMDB_OK && *end == '!')
		rc = parse_shell(p, end + 1, err);
	return rc;
}

/* "mdb" as the first word; what is behind it, else NULL */
static const char *
behind_mdb(const char *line)
{
	line += strspn(line, " \t");
	if (strncmp(line, "mdb", 3) != 0)
		return NULL;
	return line[3] == '\0' || isspace((unsigned char)line[3]) ? line + 3
								  : NULL;
}

int
pipeline_parse(const char *line, struct pipeline *ret, struct umdb_error *err)
{
	const char *mdb = behind_mdb(line);

	memset(ret, 0, sizeof(*ret));
	ret->name = mdb != NULL ? "mdb" : "umem";
	if (mdb != NULL && blank(mdb))
		return error_set(err, UMDB_EUSAGE, 0,
		    "what? \"mdb ::dcmds\" and \"mdb ::walkers\" list what "
		    "there is");
	return parse_line(ret, mdb != NULL ? mdb : line, mdb != NULL, err);
}

void
pipeline_free(struct pipeline *p)
{
	size_t i;

	for (i = 0; p->stage != NULL && i < p->n; i++)
		dcmd_line_free(&p->stage[i]);
	free(p->stage);
	free(p->shell);
	p->stage = NULL;
	p->shell = NULL;
	p->n = 0;
}

bool
pipeline_needs_snap(const struct pipeline *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if ((p->stage[i].dcmd->flags & DCMD_NO_SNAP) == 0)
			return true;
	return false;
}

/* ----------------------------------------------------------------- running */

/* What stands in a pipe. */
struct addresses {
	uint64_t *addr;
	size_t n, room;
	bool failed;
};

static void
addresses_add(void *arg, uint64_t value)
{
	struct addresses *l = arg;
	size_t room = l->room ? l->room * 2 : 64;
	uint64_t *more;

	if (l->failed)
		return;
	if (l->n == l->room) {
		more = realloc(l->addr, room * sizeof(*more));
		if (more == NULL) {
			l->failed = true;
			return;
		}
		l->addr = more;
		l->room = room;
	}
	l->addr[l->n++] = value;
}

static bool
ends_all(int rc)
{
	return rc == UMDB_EUSAGE || rc == UMDB_ENOMEM || rc == UMDB_EINTR;
}

/* Run a command once for each address. */
static int
run_loop(struct dcmd_ctx *ctx, struct dcmd_line *l, const struct addresses *in)
{
	struct umdb_error first = {0};
	size_t i, failed = 0;
	int rc;

	ctx->loop = true;
	out_loop(ctx->out);
	for (i = 0; i < in->n && !out_stopped(ctx->out); i++) {
		if (target_poll(ctx->tgt, l->name, i, in->n))
			return error_set(ctx->err, UMDB_EINTR, 0, "stopped");
		snprintf(l->dot, sizeof(l->dot), "0x%" PRIx64, in->addr[i]);
		rc = l->dcmd->run(ctx, &l->args);
		if (ends_all(rc))
			return rc;
		if (rc == UMDB_OK)
			continue;
		if (failed++ == 0)
			first = *ctx->err;
		out_note(ctx->out, "%s: %s", l->name, ctx->err->msg);
	}
	out_fact_uint(ctx->out, "addresses", OUT_UINT, in->n);
	out_fact_uint(ctx->out, "failed", OUT_UINT, failed);
	if (failed == 0 || failed < in->n)
		return UMDB_OK;
	*ctx->err = first;
	return first.code;
}

static int
run_stage(struct dcmd_ctx *ctx, struct dcmd_line *l, const struct addresses *in)
{
	int rc;

	ctx->dcmd = l->dcmd;
	ctx->found = 0;
	rc = mdb_resolve(ctx, l);
	if (rc != UMDB_OK)
		return rc;
	rc = in == NULL ? l->dcmd->run(ctx, &l->args) : run_loop(ctx, l, in);
	/* something in it may have passed over a walk that was stopped */
	if (ctx->tgt != NULL && ctx->tgt->stopped)
		rc = error_set(ctx->err, UMDB_EINTR, 0, "stopped");
	return rc;
}

/* Run a command into a pipe. */
static int
run_into(struct dcmd_ctx *ctx, struct dcmd_line *l, const struct addresses *in,
    struct addresses *to)
{
	struct out *last = ctx->out;
	int rc;

	ctx->out = out_open_pipe(last, addresses_add, to);
	if (ctx->out == NULL) {
		ctx->out = last;
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	}
	rc = run_stage(ctx, l, in);
	if (rc == UMDB_OK &&
	    (to->failed || out_status(ctx->out) == UMDB_ENOMEM))
		rc = error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	out_close(ctx->out);
	ctx->out = last;
	return rc;
}

/*
 * A walk that breaks off at a damaged link gave something before: that goes
 * on, and the failure is told at the end.
 */
int
pipeline_run(struct dcmd_ctx *ctx, struct pipeline *p)
{
	struct addresses in = {0}, to = {0};
	struct umdb_error kept = {0};
	const char *kept_name = NULL;
	size_t i;
	int rc = UMDB_OK;

	for (i = 0; i < p->n && rc == UMDB_OK; i++) {
		const struct addresses *from = i > 0 ? &in : NULL;

		p->name = p->stage[i].name;
		p->dcmd = p->stage[i].dcmd;
		if (i == p->n - 1) {
			rc = run_stage(ctx, &p->stage[i], from);
			break;
		}
		rc = run_into(ctx, &p->stage[i], from, &to);
		free(in.addr);
		in = to;
		memset(&to, 0, sizeof(to));
		if (rc == UMDB_OK || ends_all(rc) || in.n == 0)
			continue;
		if (kept_name == NULL) {
			kept = *ctx->err;
			kept_name = p->name;
		}
		rc = UMDB_OK;
	}
	free(in.addr);
	if (rc != UMDB_OK)
		return rc;
	rc = dcmd_close(ctx);
	if (rc != UMDB_OK || kept_name == NULL)
		return rc;
	p->name = kept_name;
	*ctx->err = kept;
	return kept.code;
}
