/* SPDX-License-Identifier: MIT */
/*
 * dcmd_filter.c - options that choose among records
 *
 * Layer: see dcmd.h.
 */
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"

#define NS_PER_SECOND 1000000000u

/* A time: nanoseconds, or seconds with a decimal point. */
static int
parse_time(struct dcmd_ctx *ctx, const char *text, uint64_t *ret)
{
	const char *dot = strchr(text, '.');
	uint64_t part = 0, unit = NS_PER_SECOND;
	char *end;

	if (dot == NULL)
		return dcmd_number(ctx, "a time", text, ret);
	*ret = strtoull(text, &end, 10);
	for (dot++; end[0] == '.' && *dot >= '0' && *dot <= '9' && unit > 1;
	     dot++) {
		unit /= 10;
		part += (uint64_t)(*dot - '0') * unit;
	}
	if (end[0] != '.' || *dot != '\0' ||
	    __builtin_mul_overflow(*ret, (uint64_t)NS_PER_SECOND, ret) ||
	    __builtin_add_overflow(*ret, part, ret))
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "a time is nanoseconds or seconds with a point, not %.80s",
		    text);
	return UMDB_OK;
}

int
dcmd_thread(struct dcmd_ctx *ctx, const char *text, uint32_t *lwp_ret)
{
	uint64_t n;
	size_t i;
	int rc;

	rc = dcmd_number(ctx, "a thread", text, &n);
	if (rc != UMDB_OK)
		return rc;
	if (n == 0 || n > UINT32_MAX)
		return dcmd_usage_error(
		    ctx->dcmd, ctx->err, "%.80s is no thread", text);
	for (i = 0; i < ctx->tgt->nthread; i++) {
		if (ctx->tgt->thread[i].num == n) {
			*lwp_ret = ctx->tgt->thread[i].lwp;
			return UMDB_OK;
		}
	}
	*lwp_ret = (uint32_t)n;
	return UMDB_OK;
}

int
dcmd_filter(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    struct record_filter *ret)
{
	int rc = UMDB_OK;

	memset(ret, 0, sizeof(*ret));
	ret->latest = UINT64_MAX;
	ret->addr_set = args->opt['a'] != NULL;
	ret->code_set = args->opt['c'] != NULL;
	ret->thread_set = args->opt['t'] != NULL;
	if (ret->addr_set)
		rc = dcmd_address(ctx, args->opt['a'], &ret->addr);
	if (rc == UMDB_OK && ret->code_set)
		rc = dcmd_code_filter(ctx, args->opt['c'], &ret->code);
	if (rc == UMDB_OK && args->opt['e'] != NULL)
		rc = parse_time(ctx, args->opt['e'], &ret->earliest);
	if (rc == UMDB_OK && args->opt['l'] != NULL)
		rc = parse_time(ctx, args->opt['l'], &ret->latest);
	if (rc == UMDB_OK && ret->thread_set)
		rc = dcmd_thread(ctx, args->opt['t'], &ret->thread);
	return rc;
}

bool
dcmd_filter_passes(struct dcmd_ctx *ctx, const struct record_filter *f,
    const struct snap_bufctl *b)
{
	if (f->addr_set && b->bc.bc_addr != f->addr)
		return false;
	if (f->thread_set && b->bc.bc_thread != f->thread)
		return false;
	if (b->bc.bc_timestamp < f->earliest || b->bc.bc_timestamp > f->latest)
		return false;
	return !f->code_set ||
	       dcmd_in_code(ctx, &f->code, b->stack, b->bc.bc_depth);
}
