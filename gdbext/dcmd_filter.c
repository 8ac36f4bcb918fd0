/* SPDX-License-Identifier: MIT */
/*
 * dcmd_filter.c - options that choose among records
 *
 * Layer: see dcmd.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_users.h"

#define NS_PER_SECOND 1000000000u

/* Seconds, with a decimal point or without; false if it is not. */
static bool
seconds(const char *text, uint64_t *ret)
{
	uint64_t part = 0, unit = NS_PER_SECOND;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno != 0)
		return false;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9' && unit > 1; end++) {
			unit /= 10;
			part += (uint64_t)(*end - '0') * unit;
		}
	return *end == '\0' &&
	       !__builtin_mul_overflow(*ret, (uint64_t)NS_PER_SECOND, ret) &&
	       !__builtin_add_overflow(*ret, part, ret);
}

static int
newest_record(struct snap *snap, const struct snap_bufctl *b, void *arg)
{
	uint64_t *newest = arg;

	(void)snap;
	*newest = b->bc.bc_timestamp;
	return WALK_STOP;
}

/* The time that "T-" counts from: of the newest record. */
static int
newest_of(struct dcmd_ctx *ctx, taddr_t log, uint64_t *ret)
{
	int rc;

	*ret = 0;
	if (log != 0)
		rc = walk_log(ctx->snap, log, newest_record, ret);
	else
		rc = find_newest(ctx->snap, ret);
	return rc == UMDB_OK ? UMDB_OK : dcmd_fail_target(ctx, rc);
}

/* A time stamp: nanoseconds, seconds with a point, or T-seconds. */
static int
parse_time(struct dcmd_ctx *ctx, const char *text, taddr_t log, uint64_t *ret)
{
	const bool before = text[0] == 'T' && text[1] == '-';
	uint64_t newest;
	int rc;

	if (!before && strchr(text, '.') == NULL)
		return dcmd_number(ctx, "a time", text, ret);
	if (!seconds(before ? text + 2 : text, ret))
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "a time is nanoseconds, seconds with a point, or "
		    "T-seconds, not %.80s",
		    text);
	if (!before)
		return UMDB_OK;
	rc = newest_of(ctx, log, &newest);
	*ret = newest > *ret ? newest - *ret : 0;
	return rc;
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
	return dcmd_filter_log(ctx, args, 0, ret);
}

int
dcmd_filter_log(struct dcmd_ctx *ctx, const struct dcmd_args *args, taddr_t log,
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
		rc = parse_time(ctx, args->opt['e'], log, &ret->earliest);
	if (rc == UMDB_OK && args->opt['l'] != NULL)
		rc = parse_time(ctx, args->opt['l'], log, &ret->latest);
	if (ret->latest == 0 && args->opt['l'][0] != 'T')
		ret->latest = UINT64_MAX; /* 0 is no limit, as with -e */
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
	return !f->code_set || dcmd_in_code(ctx, &f->code, b->stack, b->depth);
}
