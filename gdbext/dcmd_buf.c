/* SPDX-License-Identifier: MIT */
/*
 * dcmd_buf.c - umem bufctl
 *
 * A record: who did what to a buffer, and when.
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"

#define NS_PER_SECOND 1000000000u

const char *
dcmd_op_name(unsigned kind)
{
	switch (kind) {
	case UMEM_BC_NEVER:
		return "never";
	case UMEM_BC_ALLOC:
		return "alloc";
	case UMEM_BC_FREE:
		return "free";
	case UMEM_BC_FAIL:
		return "fail";
	case UMEM_BC_SLAB:
		return "slab";
	default:
		return "?";
	}
}

void
dcmd_put_thread(struct dcmd_ctx *ctx, uint32_t lwp)
{
	char name[48];

	dcmd_thread_name(ctx, lwp, name, sizeof(name));
	out_text(ctx->out, name);
}

void
dcmd_put_caller(struct dcmd_ctx *ctx, const struct snap_bufctl *b)
{
	char text[512] = "?";

	if (b->depth > 0 && !out_is_json(ctx->out))
		out_frame_text(ctx->out, b->stack[0], text, sizeof(text));
	out_text(ctx->out, text);
}

void
dcmd_report_bufctl(struct dcmd_ctx *ctx, const struct snap_bufctl *b)
{
	char thread[48];

	if (out_is_json(ctx->out))
		return;
	dcmd_thread_name(ctx, b->bc.bc_thread, thread, sizeof(thread));
	out_line(ctx->out,
	    "    %s of %" PRIu64 " bytes at 0x%" PRIx64 ", cache %s",
	    dcmd_op_name(b->bc.bc_kind), b->bc.bc_size, b->bc.bc_addr,
	    dcmd_cache_name(ctx, b->bc.bc_cache));
	out_line(ctx->out,
	    "    by thread %s at %" PRIu64 ".%09" PRIu64 ", record 0x%" PRIx64,
	    thread, b->bc.bc_timestamp / NS_PER_SECOND,
	    b->bc.bc_timestamp % NS_PER_SECOND, b->addr);
	if (b->bc.bc_lastlog != 0 || b->bc.bc_contents != 0)
		out_line(ctx->out,
		    "    last log record 0x%" PRIx64 ", contents 0x%" PRIx64,
		    b->bc.bc_lastlog, b->bc.bc_contents);
	out_frames(ctx->out, b->stack, b->depth);
}

/* ---------------------------------------------------------------- bufctl */

static const struct out_column bufctl_columns[] = {
    {"addr", "ADDR", OUT_PIPE, -14},
    {"buffer", "BUFADDR", OUT_ADDR, -14},
    {"op", "OP", OUT_TEXT, -5},
    {"size", "SIZE", OUT_UINT, 6},
    {"time", "TIMESTAMP", OUT_TIME, 16},
    {NULL, "THREAD", OUT_TEXT, 0},
    {"thread", NULL, OUT_UINT, 0},
    {"cache", NULL, OUT_TEXT, 0},
    {"lastlog", NULL, OUT_ADDR, 0},
    {"contents", NULL, OUT_ADDR, 0},
    {NULL, "CALLER", OUT_TEXT, 0},
    {"stack", NULL, OUT_STACK, 0},
};
#define BUFCTL_NCOL (sizeof(bufctl_columns) / sizeof(bufctl_columns[0]))

static void
bufctl_row(struct dcmd_ctx *ctx, const struct snap_bufctl *b)
{
	out_row(ctx->out);
	out_uint(ctx->out, b->addr);
	out_uint(ctx->out, b->bc.bc_addr);
	out_text(ctx->out, dcmd_op_name(b->bc.bc_kind));
	out_uint(ctx->out, b->bc.bc_size);
	out_uint(ctx->out, b->bc.bc_timestamp);
	dcmd_put_thread(ctx, b->bc.bc_thread);
	out_uint(ctx->out, b->bc.bc_thread);
	out_text(ctx->out, dcmd_cache_name(ctx, b->bc.bc_cache));
	out_uint(ctx->out, b->bc.bc_lastlog);
	out_uint(ctx->out, b->bc.bc_contents);
	dcmd_put_caller(ctx, b);
	out_stack(ctx->out, b->stack, b->depth);
	out_row_end(ctx->out);
}

struct bufctl_show {
	struct dcmd_ctx *ctx;
	struct record_filter filter;
	bool verbose;
	uint64_t shown;
};

static int
bufctl_show(struct snap *snap, const struct snap_bufctl *b, void *arg)
{
	struct bufctl_show *s = arg;

	(void)snap;
	if (out_stopped(s->ctx->out))
		return WALK_STOP;
	if (!dcmd_filter_passes(s->ctx, &s->filter, b))
		return WALK_NEXT;
	s->shown++;
	if (!s->verbose || out_is_json(s->ctx->out)) {
		bufctl_row(s->ctx, b);
	} else {
		if (s->shown > 1)
			out_line(s->ctx->out, "%s", "");
		dcmd_report_bufctl(s->ctx, b);
		if (s->ctx->loop) /* others follow */
			out_line(s->ctx->out, "%s", "");
	}
	return WALK_NEXT;
}

int
dcmd_record(struct dcmd_ctx *ctx, taddr_t addr, struct snap_bufctl *b)
{
	const taddr_t given = addr;
	struct whatis w;
	int rc;

	rc = find_whatis(ctx->snap, addr, &w);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	switch (w.kind) {
	case WHAT_BUFFER:
	case WHAT_REDZONE:
	case WHAT_BUFCTL:
	case WHAT_LOG:
		addr = w.bufctl;
		break;
	default:
		addr = 0;
		break;
	}
	if (addr == 0)
		return error_set(ctx->err, UMDB_ENOTFOUND, given,
		    "0x%" PRIx64 " is no bufctl, log record or audited buffer",
		    given);
	rc = snap_read_bufctl(ctx->snap, addr, b);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	if (w.slab != NULL)
		(void)snap_bufctl_is_own(ctx->snap, w.slab, w.index, b);
	return UMDB_OK;
}

int
dcmd_bufctl(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct bufctl_show s = {.ctx = ctx, .verbose = args->opt['v'] != NULL};
	struct snap_bufctl b;
	taddr_t addr;
	int rc;

	rc = dcmd_address(ctx, args->argv[0], &addr);
	if (rc == UMDB_OK)
		rc = dcmd_filter(ctx, args, &s.filter);
	if (rc == UMDB_OK)
		rc = dcmd_record(ctx, addr, &b);
	if (rc != UMDB_OK)
		return rc;
	out_table(ctx->out, bufctl_columns, BUFCTL_NCOL);
	if (args->opt['h'] != NULL) {
		rc = walk_history(ctx->snap, b.addr, bufctl_show, &s);
		if (rc != UMDB_OK)
			rc = dcmd_fail_target(ctx, rc);
	} else {
		(void)bufctl_show(ctx->snap, &b, &s);
	}
	out_table_end(ctx->out);
	out_fact_uint(ctx->out, "records", OUT_UINT, s.shown);
	return rc;
}

int
dcmd_bufctl_audit(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct dcmd_args verbose = *args;

	verbose.opt['v'] = "";
	return dcmd_bufctl(ctx, &verbose);
}
