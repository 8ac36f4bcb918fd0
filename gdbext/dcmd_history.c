/* SPDX-License-Identifier: MIT */
/*
 * dcmd_history.c - umem log -b, umem records -b
 *
 * The life of a buffer, oldest event first, with what the contents log kept
 * of it.
 *
 * Layer: see dcmd.h.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_history.h"

#define NS_PER_SECOND 1000000000u
#define DUMP_WIDTH 16u

/* For programs, and for people as umem records -b. */
static const struct out_column event_columns[] = {
    {"record", "RECORD", OUT_PIPE, -14},
    {"addr", "BUFADDR", OUT_ADDR, -14},
    {"time", "TIMESTAMP", OUT_TIME, 16},
    {"op", "OP", OUT_TEXT, -5},
    {"size", "SIZE", OUT_UINT, 6},
    {"cache", "CACHE", OUT_TEXT, 0},
    {"contents", NULL, OUT_ADDR, 0},
    {"kept", "KEPT", OUT_UINT, 6},
    {"bytes", NULL, OUT_TEXT, 0},
    {"thread", NULL, OUT_UINT, 0},
    {NULL, "THREAD", OUT_TEXT, 0},
    {NULL, "CALLER", OUT_TEXT, 0},
    {"stack", NULL, OUT_STACK, 0},
};
#define NCOL(columns) (sizeof(columns) / sizeof((columns)[0]))

struct life {
	struct dcmd_ctx *ctx;
	struct history h;
	struct record_filter filter;
	uint64_t limit;
	bool lines, verbose;
	uint64_t shown;
};

/* Contents alone do not say who freed the buffer. */
static bool
event_passes(const struct life *l, const struct event *e)
{
	const struct record_filter *f = &l->filter;
	struct snap_bufctl b;

	if (e->record == 0)
		return !f->code_set && !f->thread_set &&
		       e->timestamp >= f->earliest && e->timestamp <= f->latest;
	return snap_read_bufctl(l->ctx->snap, e->record, &b) == UMDB_OK &&
	       dcmd_filter_passes(l->ctx, f, &b);
}

/* The bytes that were kept, if they are wanted and to be had. */
static uint8_t *
event_bytes(const struct life *l, const struct event *e, size_t *n_ret)
{
	*n_ret = 0;
	return l->verbose ? find_history_bytes(l->ctx->snap, e, n_ret) : NULL;
}

/* -------------------------------------------------------------------- rows */

static void
put_bytes(const struct life *l, const struct event *e)
{
	static const char digit[] = "0123456789abcdef";
	struct out *o = l->ctx->out;
	uint8_t *bytes;
	char *text;
	size_t n, i;

	bytes = event_bytes(l, e, &n);
	text = bytes != NULL ? malloc(2 * n + 1) : NULL;
	if (text == NULL) {
		out_null(o);
		free(bytes);
		return;
	}
	for (i = 0; i < n; i++) {
		text[2 * i] = digit[bytes[i] >> 4];
		text[2 * i + 1] = digit[bytes[i] & 15];
	}
	text[2 * n] = '\0';
	out_text(o, text);
	free(text);
	free(bytes);
}

static void
put_contents(const struct life *l, const struct event *e)
{
	struct out *o = l->ctx->out;

	if (e->contents == 0) {
		out_null(o);
		out_null(o);
		out_null(o);
		return;
	}
	out_uint(o, e->contents);
	out_uint(o, e->kept);
	put_bytes(l, e);
}

static void
event_row(
    const struct life *l, const struct event *e, const struct snap_bufctl *b)
{
	struct dcmd_ctx *ctx = l->ctx;
	struct out *o = ctx->out;

	out_row(o);
	if (b != NULL)
		out_uint(o, e->record);
	else
		out_null(o);
	out_uint(o, e->addr);
	out_uint(o, e->timestamp);
	out_text(o, dcmd_op_name(b != NULL ? b->bc.bc_kind : UMEM_BC_FREE));
	if (b == NULL) {
		out_null(o);
		out_null(o);
		put_contents(l, e);
		out_row_end(o);
		return;
	}
	out_uint(o, b->bc.bc_size);
	out_text(o, dcmd_cache_name(ctx, b->bc.bc_cache));
	put_contents(l, e);
	out_uint(o, b->bc.bc_thread);
	dcmd_put_thread(ctx, b->bc.bc_thread);
	dcmd_put_caller(ctx, b);
	out_stack(o, b->stack, b->depth);
	out_row_end(o);
}

/* ------------------------------------------------------------------- lines */

/* One line of a dump: offset, bytes, and what of them is text. */
static void
dump_line(struct out *o, const uint8_t *bytes, size_t at, size_t n)
{
	char hex[3 * DUMP_WIDTH + 2], text[DUMP_WIDTH + 1];
	size_t i, len = 0;

	for (i = 0; i < n; i++) {
		const uint8_t c = bytes[at + i];

		len += (size_t)snprintf(hex + len, sizeof(hex) - len, "%s%02x",
		    i == DUMP_WIDTH / 2 ? "  "
		    : i > 0             ? " "
					: "",
		    c);
		text[i] = isascii(c) && isprint(c) ? (char)c : '.';
	}
	text[n] = '\0';
	out_line(o, "        +%04zx  %-*s  |%s|", at, (int)(3 * DUMP_WIDTH),
	    hex, text);
}

static void
event_dump(const struct life *l, const struct event *e)
{
	struct out *o = l->ctx->out;
	uint8_t *bytes;
	size_t n, at;

	if (e->contents == 0)
		return;
	out_line(o,
	    "    %" PRIu64 " byte%s of its contents, kept at 0x%" PRIx64 "%s",
	    e->kept, e->kept == 1 ? "" : "s", e->contents,
	    l->verbose ? ":" : "");
	bytes = event_bytes(l, e, &n);
	for (at = 0; bytes != NULL && at < n && !out_stopped(o);
	     at += DUMP_WIDTH)
		dump_line(
		    o, bytes, at, n - at < DUMP_WIDTH ? n - at : DUMP_WIDTH);
	if (bytes == NULL && l->verbose)
		out_line(o, "        cannot be read");
	free(bytes);
}

static void
event_lines(
    const struct life *l, const struct event *e, const struct snap_bufctl *b)
{
	const uint64_t newest =
	    l->h.newest != 0 ? l->h.newest : l->h.event[l->h.n - 1].timestamp;
	const uint64_t age = newest > e->timestamp ? newest - e->timestamp : 0;
	struct out *o = l->ctx->out;
	char when[40], thread[48];

	if (l->shown > 1)
		out_line(o, "%s", "");
	snprintf(when, sizeof(when), "T-%" PRIu64 ".%09" PRIu64,
	    age / NS_PER_SECOND, age % NS_PER_SECOND);
	if (b == NULL) {
		out_line(o, "%s  free at 0x%" PRIx64 "; its record is lost",
		    when, e->addr);
	} else {
		dcmd_thread_name(
		    l->ctx, b->bc.bc_thread, thread, sizeof(thread));
		out_line(o,
		    "%s  %s of %" PRIu64 " bytes at 0x%" PRIx64
		    ", cache %s, thread %s, record 0x%" PRIx64,
		    when, dcmd_op_name(b->bc.bc_kind), b->bc.bc_size, e->addr,
		    dcmd_cache_name(l->ctx, b->bc.bc_cache), thread, b->addr);
		out_frames(o, b->stack, b->depth);
	}
	event_dump(l, e);
}

/* --------------------------------------------------------------- the whole */

/* Of those that pass, the last ones: drop the others from the list. */
static void
life_choose(struct life *l)
{
	size_t i, kept = 0, skip;

	for (i = 0; i < l->h.n; i++)
		if (event_passes(l, &l->h.event[i]))
			l->h.event[kept++] = l->h.event[i];
	skip = kept > l->limit ? kept - (size_t)l->limit : 0;
	if (skip > 0)
		memmove(l->h.event, l->h.event + skip,
		    (kept - skip) * sizeof(*l->h.event));
	l->h.n = kept - skip;
}

static void
life_show(struct life *l)
{
	struct out *o = l->ctx->out;
	struct snap_bufctl b;
	const bool rows = !l->lines || out_is_json(o);
	size_t i;

	out_table(o, event_columns, NCOL(event_columns));
	for (i = 0; i < l->h.n && !out_stopped(o); i++) {
		const struct event *e = &l->h.event[i];
		const bool known =
		    e->record != 0 &&
		    snap_read_bufctl(l->ctx->snap, e->record, &b) == UMDB_OK;

		l->shown++;
		if (rows)
			event_row(l, e, known ? &b : NULL);
		else
			event_lines(l, e, known ? &b : NULL);
	}
	out_table_end(o);
}

static int
life_options(struct dcmd_ctx *ctx, const struct dcmd_args *args, struct life *l,
    taddr_t *addr)
{
	int rc;

	l->ctx = ctx;
	l->limit = UINT64_MAX;
	l->verbose = args->opt['v'] != NULL;
	if (args->argc > 0 && strcmp(args->argv[0], "transaction") != 0)
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "-b is about transactions, not the log %.80s",
		    args->argv[0]);
	rc = dcmd_address(ctx, args->opt['b'], addr);
	if (rc == UMDB_OK && args->opt['n'] != NULL)
		rc = dcmd_number(ctx, "-n", args->opt['n'], &l->limit);
	if (rc == UMDB_OK)
		rc = dcmd_filter_log(ctx, args,
		    ctx->snap->root.root_log_transaction, &l->filter);
	return rc;
}

/* Nothing is known: why? */
static int
life_unknown(struct dcmd_ctx *ctx, taddr_t addr)
{
	const umem_root_t *root = &ctx->snap->root;

	if (root->root_log_transaction == 0 && root->root_log_contents == 0)
		return error_set(ctx->err, UMDB_ENOTFOUND, addr,
		    "nothing was recorded of 0x%" PRIx64
		    ": run the program with UMEM_DEBUG=default and "
		    "UMEM_LOGGING=transaction,contents",
		    addr);
	out_line(ctx->out, "nothing is known of 0x%" PRIx64, addr);
	return UMDB_OK;
}

int
dcmd_history(struct dcmd_ctx *ctx, const struct dcmd_args *args, bool lines)
{
	struct life l = {.lines = lines};
	taddr_t addr;
	size_t known;
	int rc;

	rc = life_options(ctx, args, &l, &addr);
	if (rc != UMDB_OK)
		return rc;
	rc = find_history(ctx->snap, addr, &l.h);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	known = l.h.n;
	life_choose(&l);
	life_show(&l);
	if (known == 0)
		rc = life_unknown(ctx, addr);
	else if (l.h.n == 0 && l.limit > 0)
		out_line(ctx->out, "none of %zu transaction%s matches", known,
		    known == 1 ? "" : "s");
	if (rc == UMDB_OK && ctx->snap->root.root_log_transaction == 0)
		out_note(ctx->out, "the transaction log is off: only the last "
				   "transaction is known");
	out_fact_uint(ctx->out, "records", OUT_UINT, l.shown);
	find_history_fini(&l.h);
	return rc;
}
