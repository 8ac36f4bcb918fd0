/* SPDX-License-Identifier: MIT */
/*
 * dcmd_log.c - umem log, umem records
 *
 * The same records, with stacks and as lines.
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_info.h"

#define NS_PER_SECOND 1000000000u

/* ------------------------------------------------------------------- log */

static const struct out_column log_columns[] = {
    {NULL, "TIME", OUT_TEXT, -13},
    {"op", "OP", OUT_TEXT, -5},
    {"addr", "ADDR", OUT_ADDR, -14},
    {"size", "SIZE", OUT_UINT, 6},
    {"cache", "CACHE", OUT_TEXT, -15},
    {NULL, "THREAD", OUT_TEXT, 0},
    {"thread", NULL, OUT_UINT, 0},
    {"time", NULL, OUT_TIME, 0},
    {"record", NULL, OUT_PIPE, 0},
    {"stack", "STACK", OUT_STACK, 0},
};
#define LOG_NCOL (sizeof(log_columns) / sizeof(log_columns[0]))

static const struct out_column record_columns[] = {
    {"record", "RECORD", OUT_PIPE, -14},
    {"addr", "BUFADDR", OUT_ADDR, -14},
    {"time", "TIMESTAMP", OUT_TIME, 16},
    {"op", "OP", OUT_TEXT, -5},
    {"size", "SIZE", OUT_UINT, 6},
    {"cache", NULL, OUT_TEXT, 0},
    {NULL, "THREAD", OUT_TEXT, 0},
    {"thread", NULL, OUT_UINT, 0},
    {NULL, "CALLER", OUT_TEXT, 0},
};
#define RECORD_NCOL (sizeof(record_columns) / sizeof(record_columns[0]))

struct log_walk {
	struct dcmd_ctx *ctx;
	struct record_filter filter;
	void (*row)(struct log_walk *, const struct snap_bufctl *);
	uint64_t limit, shown, newest;
	bool any;
};

static void
log_row(struct log_walk *w, const struct snap_bufctl *b)
{
	const uint64_t age = w->newest - b->bc.bc_timestamp;
	struct out *o = w->ctx->out;
	char when[40];

	snprintf(when, sizeof(when), "T-%" PRIu64 ".%09" PRIu64,
	    age / NS_PER_SECOND, age % NS_PER_SECOND);
	out_row(o);
	out_text(o, when);
	out_text(o, dcmd_op_name(b->bc.bc_kind));
	out_uint(o, b->bc.bc_addr);
	out_uint(o, b->bc.bc_size);
	out_text(o, dcmd_cache_name(w->ctx, b->bc.bc_cache));
	dcmd_put_thread(w->ctx, b->bc.bc_thread);
	out_uint(o, b->bc.bc_thread);
	out_uint(o, b->bc.bc_timestamp);
	out_uint(o, b->addr);
	out_stack(o, b->stack, b->depth);
	out_row_end(o);
}

static void
record_row(struct log_walk *w, const struct snap_bufctl *b)
{
	struct out *o = w->ctx->out;

	out_row(o);
	out_uint(o, b->addr);
	out_uint(o, b->bc.bc_addr);
	out_uint(o, b->bc.bc_timestamp);
	out_text(o, dcmd_op_name(b->bc.bc_kind));
	out_uint(o, b->bc.bc_size);
	out_text(o, dcmd_cache_name(w->ctx, b->bc.bc_cache));
	dcmd_put_thread(w->ctx, b->bc.bc_thread);
	out_uint(o, b->bc.bc_thread);
	dcmd_put_caller(w->ctx, b);
	out_row_end(o);
}

static int
log_record(struct snap *snap, const struct snap_bufctl *b, void *arg)
{
	struct log_walk *w = arg;

	(void)snap;
	if (!w->any)
		w->newest = b->bc.bc_timestamp;
	w->any = true;
	if (w->shown == w->limit || out_stopped(w->ctx->out))
		return WALK_STOP;
	if (!dcmd_filter_passes(w->ctx, &w->filter, b))
		return WALK_NEXT;
	w->shown++;
	w->row(w, b);
	return WALK_NEXT;
}

/* Which of the logs; FIND_LOGS if it is none. */
static unsigned
log_number(const char *name)
{
	return strcmp(name, "transaction") == 0 ? FIND_LOG_TRANSACTION
	       : strcmp(name, "fail") == 0      ? FIND_LOG_FAIL
	       : strcmp(name, "slab") == 0      ? FIND_LOG_SLAB
						: FIND_LOGS;
}

static int
choose_log(
    struct dcmd_ctx *ctx, const struct dcmd_args *args, struct log_info *info)
{
	const char *want = args->argc > 0 ? args->argv[0] : "transaction";
	const unsigned which = log_number(want);
	int rc;

	if (which == FIND_LOGS)
		return dcmd_usage_error(
		    ctx->dcmd, ctx->err, "there is no log %.80s", want);
	rc = find_log(ctx->snap, which, info);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	if (info->addr == 0)
		return error_set(ctx->err, UMDB_ENOTFOUND, 0,
		    "the %s log is off: run the program with UMEM_LOGGING=%s%s",
		    want, want,
		    which == FIND_LOG_TRANSACTION ? " and UMEM_DEBUG=audit"
						  : "");
	return UMDB_OK;
}

static int
log_options(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    struct log_walk *w, struct log_info *info)
{
	int rc = UMDB_OK;

	w->ctx = ctx;
	w->limit = UINT64_MAX;
	if (args->opt['n'] != NULL)
		rc = dcmd_number(ctx, "-n", args->opt['n'], &w->limit);
	if (rc == UMDB_OK)
		rc = choose_log(ctx, args, info);
	if (rc == UMDB_OK)
		rc = dcmd_filter_log(ctx, args, info->addr, &w->filter);
	return rc;
}

static int
show_log(struct log_walk *w, const struct log_info *info,
    const struct out_column *col, size_t ncol)
{
	struct dcmd_ctx *ctx = w->ctx;
	int rc;

	out_table(ctx->out, col, ncol);
	rc = walk_log(ctx->snap, info->addr, log_record, w);
	out_table_end(ctx->out);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	if (!w->any)
		out_line(ctx->out, "the %s log is empty", info->name);
	else if (w->shown == 0 && w->limit > 0)
		out_line(
		    ctx->out, "no record of the %s log matches", info->name);
	out_fact_text(ctx->out, "log", info->name);
	out_fact_uint(ctx->out, "records", OUT_UINT, w->shown);
	out_fact_uint(ctx->out, "written", OUT_UINT, info->written);
	return UMDB_OK;
}

int
dcmd_log(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct log_walk w = {.row = log_row};
	struct log_info info;
	int rc;

	if (args->opt['b'] != NULL)
		return dcmd_history(ctx, args, true);
	rc = log_options(ctx, args, &w, &info);
	return rc == UMDB_OK ? show_log(&w, &info, log_columns, LOG_NCOL) : rc;
}

/* One record, by its address. */
static int
show_record(struct dcmd_ctx *ctx, const struct dcmd_args *args, taddr_t addr)
{
	struct log_walk w = {.ctx = ctx};
	struct snap_bufctl b;
	int rc;

	rc = dcmd_filter(ctx, args, &w.filter);
	if (rc == UMDB_OK)
		rc = dcmd_record(ctx, addr, &b);
	if (rc != UMDB_OK)
		return rc;
	out_table(ctx->out, record_columns, RECORD_NCOL);
	if (dcmd_filter_passes(ctx, &w.filter, &b)) {
		w.shown++;
		record_row(&w, &b);
	}
	out_table_end(ctx->out);
	out_fact_uint(ctx->out, "records", OUT_UINT, w.shown);
	return UMDB_OK;
}

int
dcmd_records(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct log_walk w = {.row = record_row};
	struct log_info info;
	taddr_t addr;
	int rc;

	if (args->opt['b'] != NULL)
		return dcmd_history(ctx, args, false);
	if (args->argc > 0 && log_number(args->argv[0]) == FIND_LOGS &&
	    dcmd_address(ctx, args->argv[0], &addr) == UMDB_OK)
		return show_record(ctx, args, addr);
	rc = log_options(ctx, args, &w, &info);
	return rc == UMDB_OK ? show_log(&w, &info, record_columns, RECORD_NCOL)
			     : rc;
}
