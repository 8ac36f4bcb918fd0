/* SPDX-License-Identifier: MIT */
/*
 * dcmd_grep.c - umem ugrep
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_grep.h"

static const struct out_column grep_columns[] = {
    {"addr", NULL, OUT_PIPE, 0},
    {"value", NULL, OUT_ADDR, 0},
};

struct grep_show {
	struct out *out;
	bool values;
};

/* People see bare addresses, a line each, as they may go to another program. */
static int
grep_hit(void *arg, taddr_t at, uint64_t value)
{
	const struct grep_show *s = arg;
	struct out *o = s->out;

	if (out_is_json(o)) {
		out_row(o);
		out_uint(o, at);
		out_uint(o, value);
		out_row_end(o);
	} else if (s->values) {
		out_line(o, "0x%" PRIx64 ":\t0x%" PRIx64, at, value);
	} else {
		out_line(o, "0x%" PRIx64, at);
	}
	return out_stopped(o) ? WALK_STOP : WALK_NEXT;
}

/* -d, -m and -M say in three ways which values are meant. */
static int
grep_values(struct dcmd_ctx *ctx, const struct dcmd_args *args, struct grep *g)
{
	const int given = (args->opt['d'] != NULL) + (args->opt['m'] != NULL) +
			  (args->opt['M'] != NULL);
	int rc = UMDB_OK;

	if (given > 1)
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "of -d, -m and -M only one can be given");
	if (args->opt['d'] != NULL)
		rc = dcmd_number(ctx, "-d", args->opt['d'], &g->dist);
	if (rc == UMDB_OK && args->opt['m'] != NULL)
		rc = dcmd_number(ctx, "-m", args->opt['m'], &g->mask);
	if (rc == UMDB_OK && args->opt['M'] != NULL) {
		rc = dcmd_number(ctx, "-M", args->opt['M'], &g->mask);
		g->mask = ~g->mask;
	}
	if (rc == UMDB_OK && g->dist == 0)
		rc = dcmd_usage_error(
		    ctx->dcmd, ctx->err, "a distance of 0 holds no value");
	return rc;
}

static int
grep_size(struct dcmd_ctx *ctx, const struct dcmd_args *args, struct grep *g)
{
	uint64_t size = sizeof(uint64_t);
	int rc = UMDB_OK;

	if (args->opt['s'] != NULL)
		rc = dcmd_number(ctx, "-s", args->opt['s'], &size);
	if (rc != UMDB_OK)
		return rc;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "a word has 1, 2, 4 or 8 bytes, not %.80s", args->opt['s']);
	g->size = (unsigned)size;
	if (size < 8 && g->value >> 8 * size != 0)
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "0x%" PRIx64 " does not fit into %" PRIu64 " byte%s",
		    g->value, size, size == 1 ? "" : "s");
	return UMDB_OK;
}

static int
grep_options(struct dcmd_ctx *ctx, const struct dcmd_args *args, struct grep *g)
{
	int rc;

	g->mask = UINT64_MAX;
	g->dist = 1;
	g->first = 0;
	g->end = UINT64_MAX;
	rc = dcmd_address(ctx, args->argv[0], &g->value);
	if (rc == UMDB_OK)
		rc = grep_values(ctx, args, g);
	if (rc == UMDB_OK)
		rc = grep_size(ctx, args, g);
	if (rc == UMDB_OK && args->opt['a'] != NULL)
		rc = dcmd_address(ctx, args->opt['a'], &g->first);
	if (rc == UMDB_OK && args->opt['A'] != NULL)
		rc = dcmd_address(ctx, args->opt['A'], &g->end);
	if (rc == UMDB_OK && g->first >= g->end)
		rc = dcmd_usage_error(ctx->dcmd, ctx->err,
		    "there is nothing from 0x%" PRIx64 " to 0x%" PRIx64,
		    g->first, g->end);
	return rc;
}

int
dcmd_ugrep(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct grep_show show = {
	    .out = ctx->out, .values = args->opt['v'] != NULL};
	struct grep_stats stats;
	char size[32];
	struct grep g;
	int rc;

	rc = grep_options(ctx, args, &g);
	if (rc != UMDB_OK)
		return rc;
	out_table(ctx->out, grep_columns, 2);
	rc = find_grep(ctx->tgt, &g, grep_hit, &show, &stats);
	out_table_end(ctx->out);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	out_size_text(stats.skipped, size, sizeof(size));
	if (stats.searched == 0)
		out_note(ctx->out, "nothing searched: no memory there can be "
				   "read");
	else if (stats.found == 0 && !ctx->loop)
		out_line(ctx->out, "not found");
	if (stats.searched != 0 && stats.skipped != 0)
		out_note(ctx->out,
		    "%s of memory are not to be had: never used, or left out of "
		    "the core",
		    size);
	out_fact_uint(ctx->out, "found", OUT_UINT, stats.found);
	out_fact_uint(ctx->out, "searched_bytes", OUT_SIZE, stats.searched);
	out_fact_uint(ctx->out, "skipped_bytes", OUT_SIZE, stats.skipped);
	return UMDB_OK;
}
