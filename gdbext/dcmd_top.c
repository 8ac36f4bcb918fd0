/* SPDX-License-Identifier: MIT */
/*
 * dcmd_top.c - umem top: which roots and which callers keep the most
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_place.h"
#include "dcmd_run.h"
#include "dcmd_sample.h"

#define TOP_ROWS 10u
#define CALLERS 4u /* frames of a stack that its line names */

struct top_run {
	struct dcmd_ctx *ctx;
	struct graph *g;
	const struct top *top;
	uint64_t rows;           /* of each table */
	uint64_t shown, nowhere; /* roots, and those without an address */
	bool stacks;
	struct place_frames frames;
	struct place place;
};

/* Tenths of a percent of all that is alive. */
static uint64_t
share(const struct top_run *r, uint64_t bytes)
{
	const uint64_t all = r->g->live_bytes;

	return all == 0 ? 0 : (uint64_t)((double)bytes * 1000 / (double)all);
}

static void
share_text(const struct top_run *r, uint64_t bytes, char *buf, size_t size)
{
	const uint64_t tenths = share(r, bytes);

	snprintf(
	    buf, size, "%" PRIu64 ".%" PRIu64 "%%", tenths / 10, tenths % 10);
}

/* -------------------------------------------------------------------- roots */

static const struct out_column root_columns[] = {
    {"by", NULL, OUT_TEXT, 0},
    {"retained_bytes", "RETAINED", OUT_SIZE, 8},
    {NULL, "SHARE", OUT_TEXT, 6},
    {"retained_count", "BUFFERS", OUT_UINT, 8},
    {"pointers", "POINTERS", OUT_UINT, 8},
    {"what", "ROOT", OUT_TEXT, 0},
    {"shared", NULL, OUT_BOOL, 0},
    {"at", NULL, OUT_PIPE, 0},
    DCMD_PLACE_COLUMNS,
};

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* "several globals of app: a, b, ..."; places are of different roots. */
static void
shared_text(struct top_run *r, const struct top_root *t, char *buf, size_t size)
{
	const struct part *part = t->nplace > 0 ? t->place[0].part : NULL;
	size_t len, i;

	if (t->who == TOP_OBJECT && part != NULL)
		len = (size_t)snprintf(buf, size, "several variables of %.100s",
		    base_name(r->ctx->tgt->region[part->region].name));
	else
		len = (size_t)snprintf(buf, size, "several roots");
	for (i = 0; i < t->nplace && len < size; i++) {
		struct place p;

		dcmd_place_root(r->ctx, &r->frames, t->place[i].part,
		    t->place[i].at, true, &p);
		len += (size_t)snprintf(buf + len, size - len, "%s%.100s",
		    i == 0 ? ": " : ", ",
		    p.symbol[0] != '\0' ? p.symbol : p.where);
	}
	/* those that reach it only through buffers are not among the places */
	if (t->nplace != 2 && t->nplace != 0 && len < size)
		snprintf(buf + len, size - len, " and others");
}

/* A root in words; its place, where it is one, in r->place. */
static bool
root_text(struct top_run *r, const struct top_root *t, char *what, size_t size)
{
	struct place *p = &r->place;
	const bool one = t->who == TOP_ONE && t->nplace > 0;

	memset(p, 0, sizeof(*p));
	if (one) {
		dcmd_place_root(r->ctx, &r->frames, t->place[0].part,
		    t->place[0].at, true, p);
		snprintf(what, size, "%s", p->where);
	} else {
		shared_text(r, t, what, size);
	}
	return one;
}

static void
root_row(struct top_run *r, const struct top_root *t)
{
	struct place *p = &r->place;
	struct out *o = r->ctx->out;
	char percent[32], what[512];
	const bool one = root_text(r, t, what, sizeof(what));
	const bool at = one && t->place[0].part->kind != PLACE_REGISTER &&
			t->place[0].part->kind != PLACE_HELD;

	share_text(r, t->bytes, percent, sizeof(percent));
	out_row(o);
	out_text(o, "root");
	out_uint(o, t->bytes);
	out_text(o, percent);
	out_uint(o, t->count);
	out_uint(o, t->pointers);
	out_text(o, what);
	out_uint(o, !one);
	if (at)
		out_uint(o, t->place[0].at);
	else
		out_null(o);
	r->shown++;
	r->nowhere += !at;
	if (!one && t->who == TOP_OBJECT && t->nplace > 0)
		p->module = r->ctx->tgt->region[t->place[0].part->region].name;
	dcmd_place_cells(o, p);
	out_row_end(o);
}

static void
root_table(struct top_run *r)
{
	struct out *o = r->ctx->out;
	uint64_t i;

	out_table(
	    o, root_columns, sizeof(root_columns) / sizeof(root_columns[0]));
	for (i = 0; i < r->rows && i < r->top->nroot && !out_stopped(o); i++)
		root_row(r, &r->top->root[i]);
	out_table_end(o);
	if (r->top->nroot > r->rows)
		out_line(o, "%" PRIu64 " more roots; -n N shows more",
		    r->top->nroot - r->rows);
	if (r->nowhere > 0 && out_is_pipe(o))
		out_note(o,
		    "%" PRIu64 " of %" PRIu64 " roots gave no address: "
		    "registers have none, nor have several roots together",
		    r->nowhere, r->shown);
}

/* -------------------------------------------------------------------- sites */

static const struct out_column site_columns[] = {
    {"by", NULL, OUT_TEXT, 0},
    {"retained_bytes", "RETAINED", OUT_SIZE, 8},
    {NULL, "SHARE", OUT_TEXT, 6},
    {"retained_count", NULL, OUT_UINT, 0},
    {"bytes", "OWN", OUT_SIZE, 8},
    {"count", "BUFFERS", OUT_UINT, 8},
    {"what", "ALLOCATED BY", OUT_TEXT, 0},
    {"cache", NULL, OUT_TEXT, 0},
    {"buffer", NULL, OUT_PIPE, 0},
    {"buffer_retained", NULL, OUT_SIZE, 0},
    {"stack", NULL, OUT_STACK, 0},
};

/*
 * "xmalloc+0x1c at x.c:12 < load < main": the innermost frame alone is often
 * that of a function that only allocates.
 */
static void
site_text(struct top_run *r, const struct top_site *t, char *buf, size_t size)
{
	const struct out_frame *f;
	size_t i, end, len;

	if (t->depth == 0) {
		snprintf(buf, size, "? (%s)",
		    r->ctx->snap->cache[t->cache].c.cache_name);
		return;
	}
	i = dcmd_caller(r->ctx, t->stack, t->depth);
	end = t->depth - i < CALLERS ? t->depth : i + CALLERS;
	out_frame_text(r->ctx->out, t->stack[i], buf, size);
	while (++i < end) {
		f = out_frame(r->ctx->out, t->stack[i]);
		len = strlen(buf);
		if (f->function == NULL || len >= size)
			break;
		snprintf(buf + len, size - len, " < %.100s", f->function);
	}
}

static void
site_row(struct top_run *r, const struct top_site *t)
{
	struct out *o = r->ctx->out;
	const char *cache = r->ctx->snap->cache[t->cache].c.cache_name;
	char percent[32], what[512];

	site_text(r, t, what, sizeof(what));
	share_text(r, t->kept_bytes, percent, sizeof(percent));
	out_row(o);
	out_text(o, "site");
	out_uint(o, t->kept_bytes);
	out_text(o, percent);
	out_uint(o, t->kept_count);
	out_uint(o, t->bytes);
	out_uint(o, t->count);
	out_text(o, what);
	if (t->depth > 0)
		out_null(o);
	else
		out_text(o, cache);
	out_uint(o, graph_addr(r->g, t->node, NULL, NULL));
	out_uint(o, t->node_bytes);
	if (t->depth > 0 && (r->stacks || out_is_json(o)))
		out_stack(o, t->stack, t->depth);
	else
		out_null(o);
	out_row_end(o);
}

static void
site_table(struct top_run *r)
{
	struct out *o = r->ctx->out;
	bool unknown = false;
	uint64_t i;

	out_table(
	    o, site_columns, sizeof(site_columns) / sizeof(site_columns[0]));
	for (i = 0; i < r->rows && i < r->top->nsite && !out_stopped(o); i++) {
		site_row(r, &r->top->site[i]);
		unknown = unknown || r->top->site[i].depth == 0;
	}
	out_table_end(o);
	if (r->top->nsite > r->rows)
		out_line(o, "%" PRIu64 " more stacks; -n N shows more",
		    r->top->nsite - r->rows);
	if (unknown)
		out_note(o,
		    "no stacks were recorded for some of these: run the "
		    "program with UMEM_DEBUG=audit, or default, to learn who "
		    "allocated them");
}

/* ---------------------------------------------------------------- profiles */

/* Sites by what they take, with what they keep beside it: that adds up. */
static void
sample_sites(struct sampler *x, void *arg)
{
	struct top_run *r = arg;
	size_t i;

	for (i = 0; i < r->top->nsite && !x->stopped; i++) {
		const struct top_site *t = &r->top->site[i];
		struct sample *p = sampler_add(x, NULL,
		    r->ctx->snap->cache[t->cache].c.cache_name, t->stack,
		    t->depth);

		p->count[0] += t->count;
		p->bytes[0] += t->bytes;
		p->count[1] += t->kept_count;
		p->bytes[1] += t->kept_bytes;
	}
}

/* Roots by what they keep: each buffer is counted once. */
static void
sample_roots(struct sampler *x, void *arg)
{
	struct top_run *r = arg;
	char what[512];
	size_t i;

	for (i = 0; i < r->top->nroot && !x->stopped; i++) {
		const struct top_root *t = &r->top->root[i];
		const char *text[2] = {what, "several roots"};
		struct sample *p;

		root_text(r, t, what, sizeof(what));
		if (r->place.kind != NULL)
			text[1] = r->place.module != NULL
				      ? base_name(r->place.module)
				      : r->place.kind;
		p = sampler_text(x, NULL, text, 2);
		p->count[0] += t->count;
		p->bytes[0] += t->bytes;
	}
}

/* ---------------------------------------------------------------- the whole */

static void
top_head(struct top_run *r)
{
	char live[32], lost[32];

	out_size_text(r->g->live_bytes, live, sizeof(live));
	out_size_text(r->g->lost_bytes, lost, sizeof(lost));
	out_line(r->ctx->out, "reached from roots: %" PRIu64 " buffer%s, %s",
	    r->g->nlive, r->g->nlive == 1 ? "" : "s", live);
	if (r->g->nlost > 0)
		out_line(r->ctx->out,
		    "not reached, and not counted here: %" PRIu64
		    " buffer%s, %s; umem findleaks shows them",
		    r->g->nlost, r->g->nlost == 1 ? "" : "s", lost);
	out_line(r->ctx->out, "%s", "");
}

static void
top_facts(struct top_run *r)
{
	struct out *o = r->ctx->out;

	out_fact_uint(o, "count", OUT_UINT, r->g->nlive);
	out_fact_uint(o, "bytes", OUT_SIZE, r->g->live_bytes);
	out_fact_uint(o, "leaked_count", OUT_UINT, r->g->nlost);
	out_fact_uint(o, "leaked_bytes", OUT_SIZE, r->g->lost_bytes);
	out_fact_uint(o, "roots", OUT_UINT, r->top->nroot);
	out_fact_uint(o, "sites", OUT_UINT, r->top->nsite);
}

static int
top_run(struct top_run *r, const struct dcmd_args *args)
{
	const bool roots = args->opt['s'] == NULL || args->opt['r'] != NULL;
	const bool sites = args->opt['r'] == NULL || args->opt['s'] != NULL;
	int rc = dcmd_graph(r->ctx, &r->g);

	if (rc != UMDB_OK)
		return rc;
	if (*r->ctx->top == NULL) {
		rc = find_top(r->g, dcmd_variable, r->ctx, r->ctx->top);
		if (rc != UMDB_OK)
			return dcmd_fail_target(r->ctx, rc);
	}
	r->top = *r->ctx->top;
	top_head(r);
	if (roots)
		root_table(r);
	if (roots && sites)
		out_line(r->ctx->out, "%s", "");
	if (sites)
		site_table(r);
	top_facts(r);
	dcmd_graph_notes(r->ctx, r->g);
	return sites
		   ? dcmd_profile(
			 r->ctx, args, PROFILE_RETAINED, sample_sites, r)
		   : dcmd_profile(r->ctx, args, PROFILE_ROOTS, sample_roots, r);
}

int
dcmd_top(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct top_run *r;
	uint64_t rows = TOP_ROWS;
	int rc;

	if (args->opt['n'] != NULL) {
		rc = dcmd_number(ctx, "N", args->opt['n'], &rows);
		if (rc != UMDB_OK)
			return rc;
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	r->ctx = ctx;
	r->rows = rows;
	r->stacks = args->opt['v'] != NULL;
	rc = top_run(r, args);
	dcmd_graph_done(ctx);
	free(r);
	return rc;
}
