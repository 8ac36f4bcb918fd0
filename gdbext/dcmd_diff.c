/* SPDX-License-Identifier: MIT */
/*
 * dcmd_diff.c - umem snapshot, umem diff
 *
 * A snapshot is what is allocated now, by stack and cache, in a small file.
 * Two of them say what grew; either may also be a core, which is read as the
 * snapshot that it would have been.
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "dcmd_sample.h"
#include "find_diff.h"
#include "find_growth.h"
#include "savefile.h"
#include "snapfile.h"

#define DIFF_ROWS 20u
#define CALLERS 4u /* frames of a stack that its line names */

/* ---------------------------------------------------------------- samples */

static void
add_growth(struct sampler *x, const struct snap *snap, const struct growth *g)
{
	size_t i, k;

	for (i = 0; i < g->n && !x->stopped; i++) {
		const struct growth_group *from = &g->group[i];
		struct sample *to =
		    sampler_add(x, NULL, snap->cache[from->cache].c.cache_name,
			from->stack, from->depth);

		to->count[0] += from->count;
		to->bytes[0] += from->bytes;
		for (k = 0; k < SAMPLE_AGES; k++)
			to->age[k] += from->age[k];
	}
	x->s->time = g->newest;
	x->s->aged = g->newest != 0;
}

/* What is allocated in a target: the command's own, or one opened for it. */
static int
samples_of_target(struct dcmd_ctx *ctx, struct target *tgt, struct snap *snap,
    struct samples **ret)
{
	struct growth *g;
	struct sampler x;
	int rc;

	*ret = NULL;
	rc = find_growth(snap, &g);
	if (rc != UMDB_OK) {
		*ctx->err = snap->tgt->err;
		return rc;
	}
	rc = sampler_open(&x, ctx, tgt);
	if (rc == UMDB_OK) {
		add_growth(&x, snap, g);
		*ret = sampler_close(&x, &rc);
	}
	find_growth_free(g);
	return rc;
}

/* A core beside the one that the debugger shows. */
static int
samples_of_core(struct dcmd_ctx *ctx, const char *path, struct samples **ret)
{
	char *name = savefile_expand(path);
	struct target *tgt = NULL;
	struct umdb_error why;
	struct snap *snap;
	int rc;

	if (name == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	tgt = target_open_core(name, NULL, &why);
	free(name);
	if (tgt == NULL)
		return error_set(ctx->err, why.code, why.addr, "%.150s: %.300s",
		    path, why.msg);
	if (ctx->tgt != NULL) {
		tgt->poll = ctx->tgt->poll;
		tgt->poll_arg = ctx->tgt->poll_arg;
	}
	snap = snap_open(tgt);
	if (snap != NULL) {
		rc = samples_of_target(ctx, tgt, snap, ret);
		if (rc == UMDB_OK && snap->ndamage > 0)
			out_note(ctx->out,
			    "memory of the library is damaged in %s: what "
			    "could not be read is not counted",
			    path);
	} else {
		rc = error_set(ctx->err, tgt->err.code, tgt->err.addr,
		    "%.150s: %.300s", path, tgt->err.msg);
	}
	snap_close(snap);
	target_close(tgt);
	return rc;
}

static int
samples_of_file(struct dcmd_ctx *ctx, const char *path, struct samples **ret)
{
	if (snapfile_is_core(path))
		return samples_of_core(ctx, path, ret);
	return snapfile_read(path, ret, ctx->err);
}

static bool
has_stacks(const struct samples *s)
{
	size_t i;

	for (i = 0; i < s->nsample; i++)
		if (s->sample[i].depth > 0)
			return true;
	return false;
}

/* --------------------------------------------------------------- snapshot */

static void
snapshot_say(struct dcmd_ctx *ctx, const char *path, const struct samples *s)
{
	uint64_t count[2], bytes[2];
	char size[32];

	samples_total(s, count, bytes);
	out_size_text(bytes[0], size, sizeof(size));
	out_line(ctx->out, "%s written: %" PRIu64 " buffers, %s, %zu groups",
	    path, count[0], size, s->nsample);
	out_fact_text(ctx->out, "file", path);
	out_fact_uint(ctx->out, "count", OUT_UINT, count[0]);
	out_fact_uint(ctx->out, "bytes", OUT_SIZE, bytes[0]);
	out_fact_uint(ctx->out, "groups", OUT_UINT, s->nsample);
	if (s->nsample > 0 && !has_stacks(s))
		out_note(ctx->out,
		    "no stacks were recorded, so it has one group a cache: run "
		    "the program with UMEM_DEBUG=audit, or default, to learn "
		    "who allocates");
}

int
dcmd_snapshot(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct samples *s;
	int rc;

	rc = samples_of_target(ctx, NULL, ctx->snap, &s);
	if (rc != UMDB_OK)
		return rc;
	rc = snapfile_write(s, args->argv[0], ctx->err);
	if (rc == UMDB_OK)
		snapshot_say(ctx, args->argv[0], s);
	samples_free(s);
	return rc;
}

/* ------------------------------------------------------------------- rows */

struct diff_run {
	struct dcmd_ctx *ctx;
	const struct samples *s;
	struct diff_facts facts;
	const uint32_t *order;
	size_t n;
	uint64_t rows;
};

static const struct out_column diff_columns[] = {
    {"change", NULL, OUT_TEXT, 0},
    {NULL, "CHANGE", OUT_TEXT, 8},
    {NULL, "BUFFERS", OUT_TEXT, 8},
    {NULL, "NOW", OUT_TEXT, 7},
    {"bytes", NULL, OUT_SIZE, 0},
    {"bytes_before", NULL, OUT_SIZE, 0},
    {"count", NULL, OUT_UINT, 0},
    {"count_before", NULL, OUT_UINT, 0},
    {NULL, "WHAT", OUT_TEXT, -6},
    {"cache", "CACHE", OUT_TEXT, -15},
    {NULL, "ALLOCATED BY", OUT_TEXT, 0},
    {"stack", NULL, OUT_LIST, 0},
};

static const char *
change_name(const struct sample *p)
{
	if (p->count[1] == 0)
		return "new";
	if (p->count[0] == 0)
		return "gone";
	if (p->bytes[0] != p->bytes[1])
		return p->bytes[0] > p->bytes[1] ? "grown" : "shrunk";
	return p->count[0] > p->count[1] ? "grown" : "shrunk";
}

/* "+1.5M", "-20", "0" */
static void
signed_size(uint64_t now, uint64_t before, char *buf, size_t size)
{
	buf[0] = now > before ? '+' : '-';
	out_size_text(now > before ? now - before : before - now,
	    buf + (now != before), size - 1);
}

static void
signed_count(uint64_t now, uint64_t before, char *buf, size_t size)
{
	snprintf(buf, size, "%s%" PRIu64,
	    now > before   ? "+"
	    : now < before ? "-"
			   : "",
	    now > before ? now - before : before - now);
}

/* "parse+0x1c at x.c:12", "0x7f.. in libfoo.so": as live frames look. */
static void
frame_line(const struct samples *s, uint32_t frame, char *buf, size_t size)
{
	const struct sample_frame *f = &s->frame[frame];
	const char *file = samples_base(samples_name(s, f->file));
	int n;

	if (f->function == 0) {
		samples_frame_text(s, frame, buf, size);
		return;
	}
	n = snprintf(
	    buf, size, "%s+%#" PRIx64, samples_name(s, f->function), f->offset);
	if (n < 0 || (size_t)n >= size)
		return;
	if (f->line > 0)
		snprintf(buf + n, size - (size_t)n, " at %s:%" PRIu32, file,
		    f->line);
	else if (f->module < s->nmodule)
		snprintf(buf + n, size - (size_t)n, " in %s",
		    samples_base(samples_name(s, s->module[f->module].name)));
}

/* "xmalloc+0x1c at x.c:12 < load < main" */
static void
stack_line(
    const struct diff_run *r, const struct sample *p, char *buf, size_t size)
{
	const struct samples *s = r->s;
	const uint32_t *frame = s->link + p->stack;
	uint32_t i = 0, end;
	size_t len;

	while (i < p->depth &&
	       dcmd_is_new(samples_name(s, s->frame[frame[i]].function)))
		i++;
	if (i == p->depth)
		i = 0;
	end = p->depth - i < CALLERS ? p->depth : i + CALLERS;
	snprintf(buf, size, "?");
	if (p->depth > 0)
		frame_line(s, frame[i], buf, size);
	while (++i < end) {
		len = strlen(buf);
		if (s->frame[frame[i]].function == 0 || len >= size)
			break;
		snprintf(buf + len, size - len, " < %.100s",
		    samples_name(s, s->frame[frame[i]].function));
	}
}

static const char *
text_or_null(const struct samples *s, uint32_t string)
{
	return string != 0 ? samples_name(s, string) : NULL;
}

/* The same members as a stack of the process has. */
static void
stack_items(const struct diff_run *r, const struct sample *p)
{
	const struct samples *s = r->s;
	struct out *o = r->ctx->out;
	uint32_t i;

	out_list_begin(o);
	for (i = 0; i < p->depth; i++) {
		const struct sample_frame *f = &s->frame[s->link[p->stack + i]];

		out_item_begin(o);
		out_item_uint(o, "pc", OUT_ADDR, f->pc);
		out_item_text(o, "function", text_or_null(s, f->function));
		if (f->function != 0)
			out_item_uint(o, "offset", OUT_UINT, f->offset);
		else
			out_item_text(o, "offset", NULL);
		out_item_text(o, "module",
		    f->module < s->nmodule
			? text_or_null(s, s->module[f->module].name)
			: NULL);
		out_item_text(o, "file", text_or_null(s, f->file));
		if (f->line > 0)
			out_item_uint(o, "line", OUT_UINT, f->line);
		else
			out_item_text(o, "line", NULL);
		out_item_end(o);
	}
	out_list_end(o);
}

static void
diff_row(const struct diff_run *r, const struct sample *p)
{
	struct out *o = r->ctx->out;
	char change[40], count[40], now[40], who[512];

	signed_size(p->bytes[0], p->bytes[1], change, sizeof(change));
	signed_count(p->count[0], p->count[1], count, sizeof(count));
	out_size_text(p->bytes[0], now, sizeof(now));
	stack_line(r, p, who, sizeof(who));
	out_row(o);
	out_text(o, change_name(p));
	out_text(o, change);
	out_text(o, count);
	out_text(o, now);
	out_uint(o, p->bytes[0]);
	out_uint(o, p->bytes[1]);
	out_uint(o, p->count[0]);
	out_uint(o, p->count[1]);
	out_text(o, change_name(p));
	out_text(o, samples_name(r->s, p->cache));
	out_text(o, who);
	stack_items(r, p);
	out_row_end(o);
}

static void
diff_table(const struct diff_run *r)
{
	struct out *o = r->ctx->out;
	size_t i;

	out_table(
	    o, diff_columns, sizeof(diff_columns) / sizeof(diff_columns[0]));
	for (i = 0; i < r->n && i < r->rows && !out_stopped(o); i++)
		diff_row(r, &r->s->sample[r->order[i]]);
	out_table_end(o);
	if (r->n > r->rows)
		out_line(o, "... and %" PRIu64 " more group%s; -n N shows more",
		    r->n - r->rows, r->n - r->rows == 1 ? "" : "s");
}

/* -d: the whole stack of each row. */
static void
diff_details(const struct diff_run *r)
{
	struct out *o = r->ctx->out;
	char change[40], text[SAMPLE_FRAME_TEXT];
	uint32_t k;
	size_t i;

	for (i = 0; i < r->n && i < r->rows && !out_stopped(o); i++) {
		const struct sample *p = &r->s->sample[r->order[i]];

		signed_size(p->bytes[0], p->bytes[1], change, sizeof(change));
		out_line(o, "%s", "");
		out_line(o,
		    "%s bytes (%s), %s: %" PRIu64 " buffers before, %" PRIu64
		    " now",
		    change, change_name(p), samples_name(r->s, p->cache),
		    p->count[1], p->count[0]);
		for (k = 0; k < p->depth; k++) {
			frame_line(
			    r->s, r->s->link[p->stack + k], text, sizeof(text));
			out_line(o, "        %s", text);
		}
		if (p->depth == 0)
			out_line(o, "        no stack was recorded");
	}
}

/* ------------------------------------------------------------------- whole */

static void
diff_head(const struct diff_run *r)
{
	char before[32], now[32], change[40], count_change[40];
	uint64_t count[2], bytes[2];
	struct out *o = r->ctx->out;

	samples_total(r->s, count, bytes);
	out_size_text(bytes[1], before, sizeof(before));
	out_size_text(bytes[0], now, sizeof(now));
	signed_size(bytes[0], bytes[1], change, sizeof(change));
	signed_count(count[0], count[1], count_change, sizeof(count_change));
	out_line(o, "before: %" PRIu64 " buffers, %s", count[1], before);
	out_line(o, "now:    %" PRIu64 " buffers, %s (%s buffers, %s)",
	    count[0], now, count_change, change);
	out_line(o, "%s", "");
	out_fact_uint(o, "bytes", OUT_SIZE, bytes[0]);
	out_fact_uint(o, "bytes_before", OUT_SIZE, bytes[1]);
	out_fact_uint(o, "count", OUT_UINT, count[0]);
	out_fact_uint(o, "count_before", OUT_UINT, count[1]);
	out_fact_uint(o, "groups", OUT_UINT, r->s->nsample);
	out_fact_uint(o, "differ", OUT_UINT, r->n);
	if (r->n == 0)
		out_line(o, "no group differs");
}

static void
diff_notes(const struct diff_run *r)
{
	const struct diff_facts *f = &r->facts;
	struct out *o = r->ctx->out;

	if (f->rebuilt > 0)
		out_note(o,
		    "%s was built anew in between: its frames are compared by "
		    "function, not by place",
		    samples_base(f->module));
	if (f->stacks[0] != f->stacks[1])
		out_note(o,
		    "only %s has stacks, so everything is new or gone: both "
		    "must have run with UMEM_DEBUG=audit, or neither",
		    f->stacks[0] ? "the newer" : "the older");
	else if (!f->stacks[0] && r->n > 0)
		out_note(o,
		    "no stacks were recorded: run the program with "
		    "UMEM_DEBUG=audit, or default, to learn who allocates");
}

static int
diff_show(struct diff_run *r, const struct dcmd_args *args)
{
	uint32_t *order;

	r->n = find_diff_order(r->s, &order);
	if (order == NULL)
		return error_set(r->ctx->err, UMDB_ENOMEM, 0, "out of memory");
	r->order = order;
	diff_head(r);
	diff_table(r);
	if (args->opt['d'] != NULL)
		diff_details(r);
	diff_notes(r);
	free(order);
	return dcmd_profile_samples(r->ctx, args, PROFILE_BEFORE, r->s);
}

/* The newer side: a file, or what the debugger has in front of it. */
static int
diff_now(
    struct dcmd_ctx *ctx, const struct dcmd_args *args, struct samples **ret)
{
	if (args->argc > 1)
		return samples_of_file(ctx, args->argv[1], ret);
	if (ctx->snap == NULL && (ctx->tgt == NULL || ctx->tgt->nregion == 0))
		return error_set(ctx->err, UMDB_ETARGET, 0,
		    "there is no process and no core file to compare with: "
		    "name two snapshots");
	if (ctx->snap == NULL)
		return ctx->err->code;
	return samples_of_target(ctx, NULL, ctx->snap, ret);
}

int
dcmd_diff(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct diff_run r = {.ctx = ctx, .rows = DIFF_ROWS};
	struct samples *before = NULL, *now = NULL, *both = NULL;
	int rc = UMDB_OK;

	if (out_is_json(ctx->out))
		r.rows = UINT64_MAX;
	if (args->opt['n'] != NULL)
		rc = dcmd_number(ctx, "-n", args->opt['n'], &r.rows);
	if (rc == UMDB_OK)
		rc = diff_now(ctx, args, &now);
	if (rc == UMDB_OK)
		rc = samples_of_file(ctx, args->argv[0], &before);
	if (rc == UMDB_OK) {
		r.s = both = find_diff(before, now, &r.facts);
		rc = both != NULL
			 ? diff_show(&r, args)
			 : error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	}
	samples_free(before);
	samples_free(now);
	samples_free(both);
	return rc;
}
