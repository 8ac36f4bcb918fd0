/* SPDX-License-Identifier: MIT */
/*
 * dcmd_age.c - umem stat -by-age
 *
 * A process has no clock in a core file, so ages count from the newest
 * transaction that is known.
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_users.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define NCOL(columns) (sizeof(columns) / sizeof((columns)[0]))

/* Bounds of the ages: each up to below the next one. */
static const struct {
	uint64_t least;
	const char *name;
} ages[] = {
    {0, "less than 1 ms"},
    {1 * MS, "1 ms to 10 ms"},
    {10 * MS, "10 ms to 100 ms"},
    {100 * MS, "100 ms to 1 s"},
    {1 * SECOND, "1 s to 10 s"},
    {10 * SECOND, "10 s to 1 min"},
    {1 * MINUTE, "1 min to 10 min"},
    {10 * MINUTE, "10 min to 1 h"},
    {1 * HOUR, "1 h to 24 h"},
    {24 * HOUR, "24 h and more"},
};
#define NAGES NCOL(ages)

static const struct out_column age_columns[] = {
    {"type", NULL, OUT_TEXT, 0},
    {NULL, "AGE", OUT_TEXT, -15},
    {"least", NULL, OUT_TIME, 0},
    {"below", NULL, OUT_TIME, 0},
    {"buffers", "BUFFERS", OUT_UINT, 9},
    {"bytes", "BYTES", OUT_UINT, 12},
    {NULL, "SUM", OUT_SIZE, 6},
};

struct by_age {
	uint64_t now, oldest; /* time stamps */
	uint64_t count[NAGES], bytes[NAGES];
	uint64_t buffers, sum;
};

static int
age_collect(struct snap *snap, const struct audited *a, void *arg)
{
	struct by_age *b = arg;
	const uint64_t stamp = a->b->bc.bc_timestamp;
	const uint64_t age = b->now > stamp ? b->now - stamp : 0;
	size_t i = NAGES - 1;

	(void)snap;
	while (age < ages[i].least)
		i--;
	b->count[i]++;
	b->bytes[i] += a->size;
	b->buffers++;
	b->sum += a->size;
	b->oldest = stamp < b->oldest ? stamp : b->oldest;
	return WALK_NEXT;
}

static void
age_row(struct out *o, const struct by_age *b, size_t i)
{
	out_row(o);
	out_text(o, "age");
	out_text(o, ages[i].name);
	out_uint(o, ages[i].least);
	if (i + 1 < NAGES)
		out_uint(o, ages[i + 1].least);
	else
		out_null(o);
	out_uint(o, b->count[i]);
	out_uint(o, b->bytes[i]);
	out_uint(o, b->bytes[i]);
	out_row_end(o);
}

/* People see the ages from the youngest to the oldest that there are. */
static void
age_rows(struct out *o, const struct by_age *b)
{
	size_t first = 0, end = NAGES, i;

	while (!out_is_json(o) && first < end && b->count[first] == 0)
		first++;
	while (!out_is_json(o) && end > first && b->count[end - 1] == 0)
		end--;
	out_table(o, age_columns, NCOL(age_columns));
	for (i = first; i < end; i++)
		age_row(o, b, i);
	out_table_end(o);
}

int
dcmd_by_age(struct dcmd_ctx *ctx)
{
	struct by_age b = {.oldest = UINT64_MAX};
	struct out *o = ctx->out;
	int rc;

	rc = dcmd_need_audit(ctx);
	if (rc != UMDB_OK)
		return rc;
	rc = find_newest(ctx->snap, &b.now);
	if (rc == UMDB_OK)
		rc = find_audited(
		    ctx->snap, NULL, 1u << BUF_ALLOCATED, age_collect, &b);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	age_rows(o, &b);
	if (b.buffers == 0)
		out_line(o, "nothing is allocated");
	else
		out_line(o,
		    "%" PRIu64 " audited buffers of %" PRIu64
		    " bytes; ages count from the newest transaction",
		    b.buffers, b.sum);
	out_fact_uint(o, "buffers", OUT_UINT, b.buffers);
	out_fact_uint(o, "bytes", OUT_SIZE, b.sum);
	out_fact_uint(o, "newest", OUT_TIME, b.now);
	if (b.buffers > 0)
		out_fact_uint(o, "oldest", OUT_TIME, b.oldest);
	return UMDB_OK;
}
