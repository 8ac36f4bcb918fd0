/* SPDX-License-Identifier: MIT */
/*
 * dcmd_leak.c - umem findleaks
 *
 * The search is find_leaks(); its result is kept for the next call, because
 * one looks at the summary first and at details then.
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_leak.h"
#include "dcmd_place.h"
#include "dcmd_run.h"
#include "dcmd_sample.h"

#define RULE \
	"----------------------------------------------------------------------"
#define KINDS 3
#define LEAK_ROWS 20u

static const char *const kind_name[KINDS] = {
    [LEAK_DEFINITE] = "definite",
    [LEAK_INDIRECT] = "indirect",
    [LEAK_POSSIBLE] = "possible",
};

/* In the order they are shown. */
static const struct {
	enum leak_kind kind;
	const char *title;
} sections[KINDS] = {
    {LEAK_DEFINITE, "Definitely lost: nothing points to it"},
    {LEAK_POSSIBLE, "Possibly lost: only pointers into its inside"},
    {LEAK_INDIRECT, "Indirectly lost: only lost buffers point to it"},
};

/* BUFCTL is BUFFER without audit; INDIRECT is there where something is. */
enum { COLUMN_INDIRECT = 1, COLUMN_BUFCTL = 4 };
static const struct out_column leak_columns[] = {
    {NULL, "BYTES", OUT_UINT, 9},
    {NULL, NULL, OUT_UINT, 9},
    {NULL, "CACHE", OUT_TEXT, 0},
    {NULL, "LEAKED", OUT_UINT, 6},
    {NULL, "BUFFER", OUT_ADDR, -14},
    {NULL, "CALLER", OUT_TEXT, 0},
};
#define LEAK_NCOL (sizeof(leak_columns) / sizeof(leak_columns[0]))

struct leak_run {
	struct dcmd_ctx *ctx;
	const struct leaks *leaks; /* those that are shown */
	struct leak_pick pick;
	const char *wanted; /* argument, or NULL */
	uint64_t rows;      /* of each kind */
	uint64_t count[KINDS], bytes[KINDS];
	size_t first[KINDS], groups[KINDS]; /* they stand side by side */
	bool unaudited, unsized;
	struct omitted omitted;
};

/* How many groups of a kind are shown. */
static size_t
leak_shown(const struct leak_run *r, enum leak_kind kind)
{
	return r->groups[kind] < r->rows ? r->groups[kind] : (size_t)r->rows;
}

static const char *
group_cache(const struct leak_run *r, const struct leak_group *g)
{
	return r->ctx->snap->cache[g->cache].c.cache_name;
}

/* What stands for a group: the record of its oldest buffer, or that buffer. */
static taddr_t
leak_address(const struct leak_run *r, const struct leak_group *g)
{
	return g->bufctl != 0 ? g->bufctl : r->leaks->leak[g->first].addr;
}

/* ------------------------------------------------------------------ rows */

static const struct out_column json_columns[] = {
    {"kind", NULL, OUT_TEXT, 0},
    {"cache", NULL, OUT_TEXT, 0},
    {"count", NULL, OUT_UINT, 0},
    {"bytes", NULL, OUT_SIZE, 0},
    {"indirect_count", NULL, OUT_UINT, 0},
    {"indirect_bytes", NULL, OUT_SIZE, 0},
    {"stack", NULL, OUT_STACK, 0},
    {"buffers", NULL, OUT_LIST, 0},
};

static void
leak_items(const struct leak_run *r, const struct leak_group *g)
{
	struct out *o = r->ctx->out;
	uint64_t i;

	out_list_begin(o);
	for (i = g->first; i < g->first + g->count && !out_stopped(o); i++) {
		const struct leak *l = &r->leaks->leak[i];

		out_item_begin(o);
		out_item_uint(o, "addr", OUT_ADDR, l->addr);
		out_item_uint(o, "size", OUT_SIZE, l->size);
		out_item_uint(o, "thread", OUT_UINT, l->thread);
		out_item_uint(o, "time", OUT_TIME, l->timestamp);
		out_item_end(o);
	}
	out_list_end(o);
}

static void
leak_json_row(const struct leak_run *r, const struct leak_group *g)
{
	struct out *o = r->ctx->out;

	out_pipe(o, leak_address(r, g));
	out_row(o);
	out_text(o, kind_name[g->kind]);
	out_text(o, group_cache(r, g));
	out_uint(o, g->count);
	out_uint(o, g->bytes);
	out_uint(o, g->owned_count);
	out_uint(o, g->owned_bytes);
	out_stack(o, g->stack, g->depth);
	leak_items(r, g);
	out_row_end(o);
}

static void
leak_json(struct leak_run *r)
{
	struct out *o = r->ctx->out;
	size_t i, s;

	out_table(
	    o, json_columns, sizeof(json_columns) / sizeof(json_columns[0]));
	for (s = 0; s < KINDS; s++) {
		const enum leak_kind kind = sections[s].kind;

		for (i = 0; i < leak_shown(r, kind) && !out_stopped(o); i++)
			leak_json_row(r, &r->leaks->group[r->first[kind] + i]);
	}
	out_table_end(o);
}

static void
leak_row(const struct leak_run *r, const struct leak_group *g)
{
	struct out *o = r->ctx->out;
	char caller[512] = "?";

	if (g->depth > 0)
		out_frame_text(o,
		    g->stack[dcmd_caller(r->ctx, g->stack, g->depth)], caller,
		    sizeof(caller));
	out_row(o);
	out_uint(o, g->bytes);
	out_uint(o, g->owned_bytes);
	out_text(o, group_cache(r, g));
	out_uint(o, g->count);
	out_uint(o, leak_address(r, g));
	out_text(o, caller);
	out_row_end(o);
}

/*
 * The groups of one kind, with a bufctl or without, as one table; behind
 * another one when @below.  True if there were some.
 */
static bool
leak_table(struct leak_run *r, enum leak_kind kind, bool audited, bool below)
{
	const struct leak_group *g = &r->leaks->group[r->first[kind]];
	const struct leak_group *end = g + leak_shown(r, kind);
	struct out_column col[LEAK_NCOL];
	struct out *o = r->ctx->out;
	bool any = false;

	memcpy(col, leak_columns, sizeof(col));
	if (audited)
		col[COLUMN_BUFCTL].header = "BUFCTL";
	if (kind == LEAK_DEFINITE && r->count[LEAK_INDIRECT] > 0)
		col[COLUMN_INDIRECT].header = "INDIRECT";
	out_table(o, col, LEAK_NCOL);
	for (; g < end && !out_stopped(o); g++) {
		if ((g->bufctl != 0) != audited)
			continue;
		if (!any && below)
			out_line(o, "%s", "");
		any = true;
		leak_row(r, g);
	}
	out_table_end(o);
	return any;
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void
leak_tables(struct leak_run *r)
{
	struct out *o = r->ctx->out;
	bool any = false, audited;
	size_t i;

	for (i = 0; i < KINDS; i++) {
		const enum leak_kind kind = sections[i].kind;

		if (r->count[kind] == 0)
			continue;
		if (any)
			out_line(o, "%s", "");
		any = true;
		out_line(o, "%s", sections[i].title);
		audited = leak_table(r, kind, true, false);
		leak_table(r, kind, false, audited);
		if (r->groups[kind] > r->rows)
			out_line(o,
			    "... and %" PRIu64 " more group%s; -n N shows more",
			    r->groups[kind] - r->rows,
			    plural(r->groups[kind] - r->rows));
		out_line(o, "%s", RULE);
		out_line(o, "%9" PRIu64 "  Total %" PRIu64 " buffer%s",
		    r->bytes[kind], r->count[kind], plural(r->count[kind]));
	}
}

/* --------------------------------------------------------------- details */

static void
leak_detail(struct leak_run *r, const struct leak_group *g)
{
	const struct leak *l = &r->leaks->leak[g->first];
	struct dcmd_ctx *ctx = r->ctx;
	struct snap_bufctl b;
	uint64_t i, lo = UINT64_MAX, hi = 0;
	char each[64];

	for (i = 0; i < g->count; i++) {
		lo = l[i].size < lo ? l[i].size : lo;
		hi = l[i].size > hi ? l[i].size : hi;
	}
	if (lo == hi)
		snprintf(each, sizeof(each), "%" PRIu64, lo);
	else
		snprintf(each, sizeof(each), "%" PRIu64 "-%" PRIu64, lo, hi);
	out_line(ctx->out, "%s", "");
	if (g->count == 1)
		out_line(ctx->out, "%s leak (%s): 1 buffer, %s bytes",
		    group_cache(r, g), kind_name[g->kind], each);
	else
		out_line(ctx->out,
		    "%s leak (%s): %" PRIu64 " buffers, %s bytes each, %" PRIu64
		    " bytes total",
		    group_cache(r, g), kind_name[g->kind], g->count, each,
		    g->bytes);
	if (g->bufctl != 0 &&
	    snap_read_bufctl(ctx->snap, g->bufctl, &b) == UMDB_OK) {
		dcmd_report_bufctl(ctx, &b);
		return;
	}
	out_line(ctx->out, "    for example the buffer at 0x%" PRIx64, l->addr);
	out_frames(ctx->out, g->stack, g->depth);
}

static void
leak_details(struct leak_run *r)
{
	size_t i, s;

	for (s = 0; s < KINDS; s++) {
		const enum leak_kind kind = sections[s].kind;

		for (i = 0; i < leak_shown(r, kind); i++) {
			if (out_stopped(r->ctx->out))
				return;
			leak_detail(r, &r->leaks->group[r->first[kind] + i]);
		}
	}
}

/* --------------------------------------------------------------- summary */

static void
leak_statistics(struct dcmd_ctx *ctx, const struct leak_stats *s, bool cached)
{
	const double rate = (double)s->mark_bytes / 1e9;
	char cand[32], roots[32], searched[32];

	out_size_text(s->mark_bytes, searched, sizeof(searched));
	out_size_text(s->candidate_bytes, cand, sizeof(cand));
	out_size_text(s->root_bytes, roots, sizeof(roots));
	if (cached)
		out_line(ctx->out, "findleaks: the result of the last search; "
				   "-f searches again");
	out_line(ctx->out, "findleaks: %" PRIu64 " allocated buffers, %s",
	    s->candidates, cand);
	out_line(ctx->out, "findleaks: %" PRIu64 " words of roots, %s",
	    s->root_words, roots);
	out_line(ctx->out,
	    "findleaks: %" PRIu64 " words of buffers, %" PRIu64
	    " pointers to buffers",
	    s->heap_words, s->hits);
	out_line(ctx->out, "findleaks: %s searched in %.3f seconds, %.2f GB/s",
	    searched, s->mark_seconds,
	    s->mark_seconds > 0 ? rate / s->mark_seconds : 0);
	out_line(ctx->out, "findleaks: %.3f seconds", s->seconds);
	out_line(ctx->out, "%s", "");
}

static void
leak_facts(struct leak_run *r)
{
	const struct leak_stats *s = &r->leaks->stats;
	struct out *o = r->ctx->out;

	out_fact_uint(o, "buffers", OUT_UINT, r->ctx->found);
	out_fact_uint(o, "bytes", OUT_SIZE,
	    r->bytes[LEAK_DEFINITE] + r->bytes[LEAK_INDIRECT] +
		r->bytes[LEAK_POSSIBLE]);
	out_fact_uint(o, "definite", OUT_UINT, r->count[LEAK_DEFINITE]);
	out_fact_uint(o, "indirect", OUT_UINT, r->count[LEAK_INDIRECT]);
	out_fact_uint(o, "possible", OUT_UINT, r->count[LEAK_POSSIBLE]);
	out_fact_uint(o, "candidates", OUT_UINT, s->candidates);
	out_fact_uint(o, "candidate_bytes", OUT_SIZE, s->candidate_bytes);
	out_fact_uint(o, "root_bytes", OUT_SIZE, s->root_bytes);
	out_fact_uint(o, "unread_bytes", OUT_SIZE, s->unread_bytes);
	out_fact_uint(o, "omitted_maps", OUT_UINT, r->omitted.maps);
	out_fact_uint(o, "omitted_bytes", OUT_SIZE, r->omitted.bytes);
}

static void
leak_notes(struct leak_run *r)
{
	const uint64_t unread = r->leaks->stats.unread_bytes;
	const uint64_t whole = r->leaks->stats.whole_stacks;
	char size[32];

	if (r->unaudited && r->ctx->found > 0)
		out_note(r->ctx->out,
		    "no stacks were recorded for some of these: run the program "
		    "with UMEM_DEBUG=audit, or default, to learn who allocated "
		    "them");
	if (r->unsized)
		out_note(r->ctx->out,
		    "nor were the sizes that were asked for: old pointers "
		    "between the end of a buffer and the next may hide leaks, "
		    "and so may a pointer to the end of a full one");
	if (r->ctx->found > 0)
		out_note(r->ctx->out,
		    "pointers that the program masks, compresses or stores "
		    "unaligned are not seen");
	if (whole > 0)
		out_note(r->ctx->out,
		    "%" PRIu64 " stack%s of coroutines count%s as a whole: "
		    "where the coroutine stopped is not known; old pointers "
		    "there may hide leaks",
		    whole, whole == 1 ? "" : "s", whole == 1 ? "s" : "");
	if (unread > 0 && r->ctx->found > 0) {
		out_size_text(unread, size, sizeof(size));
		out_note(r->ctx->out,
		    "%s of writable memory cannot be read: never used, or left "
		    "out of the core (see core(5), coredump_filter); what only "
		    "that memory points to is reported as leaked",
		    size);
	}
	if (r->ctx->found > 0)
		dcmd_omitted_note(r->ctx->out, &r->omitted,
		    ", and what only they lead to is reported as leaked");
}

/* Of malloc's buffers, neither the bufctl nor a red zone has the size. */
static bool
group_is_unsized(const struct leak_run *r, const struct leak_group *g)
{
	return (r->ctx->snap->cache[g->cache].c.cache_flags &
		   (UMF_MALLOC | UMF_LARGE | UMF_REDZONE | UMF_AUDIT)) ==
	       UMF_MALLOC;
}

static void
leak_count(struct leak_run *r)
{
	size_t i;

	for (i = 0; i < r->leaks->ngroup; i++) {
		const struct leak_group *g = &r->leaks->group[i];

		if (r->groups[g->kind]++ == 0)
			r->first[g->kind] = i;
		r->count[g->kind] += g->count;
		r->bytes[g->kind] += g->bytes;
		r->ctx->found += g->count;
		r->unaudited = r->unaudited || g->bufctl == 0;
		r->unsized = r->unsized || group_is_unsized(r, g);
	}
}

static void
leak_text(struct leak_run *r, const struct dcmd_args *args)
{
	struct out *o = r->ctx->out;

	if (r->ctx->found == 0 && r->wanted != NULL)
		out_line(o, "no memory leaks matching %s found", r->wanted);
	else if (r->ctx->found == 0 && r->pick.filtered)
		out_line(o, "no memory leaks match");
	else if (r->ctx->found == 0)
		out_line(o, "no %smemory leaks detected",
		    r->pick.count > 0 ? "other " : "");
	leak_tables(r);
	if (args->opt['d'] != NULL)
		leak_details(r);
}

static void
leak_sample(struct sampler *x, void *arg)
{
	const struct leak_run *r = arg;
	size_t i;

	for (i = 0; i < r->leaks->ngroup && !x->stopped; i++) {
		const struct leak_group *g = &r->leaks->group[i];
		struct sample *p = sampler_add(x, kind_name[g->kind],
		    group_cache(r, g), g->stack, g->depth);

		p->count[0] += g->count;
		p->bytes[0] += g->bytes;
	}
}

/* Search, unless the last result still holds; true in *cached_ret then. */
static int
leak_search(
    struct dcmd_ctx *ctx, const struct dcmd_args *args, bool *cached_ret)
{
	int rc;

	if (args->opt['f'] != NULL) {
		find_leaks_free(*ctx->leaks);
		*ctx->leaks = NULL;
	}
	*cached_ret = *ctx->leaks != NULL;
	if (*cached_ret)
		return UMDB_OK;
	rc = find_leaks(ctx->snap, ctx->leaks);
	return rc == UMDB_OK ? UMDB_OK : dcmd_fail_target(ctx, rc);
}

static int
leak_show(struct leak_run *r, const struct dcmd_args *args, bool cached)
{
	struct dcmd_ctx *ctx = r->ctx;

	if (find_omitted(ctx->tgt, &r->omitted) != UMDB_OK)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	r->leaks = &r->pick.view;
	leak_count(r);
	if (args->opt['v'] != NULL)
		leak_statistics(ctx, &r->leaks->stats, cached);
	if (out_is_json(ctx->out))
		leak_json(r);
	else
		leak_text(r, args);
	dcmd_leak_suppressed(ctx, &r->pick, args->opt['v'] != NULL);
	leak_facts(r);
	leak_notes(r);
	return dcmd_profile(ctx, args, PROFILE_NOTHING, leak_sample, r);
}

int
dcmd_findleaks(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct leak_run r = {.ctx = ctx, .rows = LEAK_ROWS};
	bool cached;
	int rc = UMDB_OK;

	r.wanted = args->argc > 0 ? args->argv[0] : NULL;
	if (out_is_json(ctx->out))
		r.rows = UINT64_MAX;
	if (args->opt['n'] != NULL)
		rc = dcmd_number(ctx, "-n", args->opt['n'], &r.rows);
	if (rc == UMDB_OK)
		rc = leak_search(ctx, args, &cached);
	if (rc != UMDB_OK)
		return rc;
	rc = dcmd_leak_pick(ctx, args, *ctx->leaks, &r.pick);
	if (rc == UMDB_OK)
		rc = leak_show(&r, args, cached);
	dcmd_leak_pick_free(&r.pick);
	return rc;
}
