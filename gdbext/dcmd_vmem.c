/* SPDX-License-Identifier: MIT */
/*
 * dcmd_vmem.c - umem vmem, umem vmem_seg
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_arena.h"

#define NS_PER_SECOND 1000000000u
#define NCOL(columns) (sizeof(columns) / sizeof((columns)[0]))

/* An arena by name, address or expression; NULL when it is none. */
static const struct snap_arena *
arena_of(struct dcmd_ctx *ctx, const char *text)
{
	const struct snap_arena *a = find_arena_named(ctx->snap, text);
	taddr_t addr;

	if (a == NULL && dcmd_address(ctx, text, &addr) == UMDB_OK)
		a = find_arena_at(ctx->snap, addr);
	return a;
}

/* -------------------------------------------------------------------- vmem */

static const struct out_column vmem_columns[] = {
    {"addr", "ADDR", OUT_PIPE, -14},
    {NULL, "NAME", OUT_TEXT, 0},
    {"name", NULL, OUT_TEXT, 0},
    {"source", NULL, OUT_TEXT, 0},
    {"depth", NULL, OUT_UINT, 0},
    {"quantum", NULL, OUT_UINT, 0},
    {"inuse", "INUSE", OUT_UINT, 10},
    {"total", "TOTAL", OUT_UINT, 12},
    {"import", NULL, OUT_UINT, 0},
    {"succeed", "SUCCEED", OUT_UINT, 9},
    {"frees", NULL, OUT_UINT, 0},
    {"fail", "FAIL", OUT_UINT, 5},
};

static void
vmem_row(struct dcmd_ctx *ctx, const struct arena_place *p, unsigned indent)
{
	const struct snap *snap = ctx->snap;
	const struct snap_arena *a = &snap->arena[p->arena];
	char name[UMEM_VMEM_NAME_LEN + 64];

	snprintf(name, sizeof(name), "%*s%.*s",
	    indent < 24 ? (int)indent * 2 : 48, "", UMEM_VMEM_NAME_LEN,
	    a->v.vm_name);
	out_row(ctx->out);
	out_uint(ctx->out, a->addr);
	out_text(ctx->out, name);
	out_text(ctx->out, a->v.vm_name);
	if (a->parent < snap->narena)
		out_text(ctx->out, snap->arena[a->parent].v.vm_name);
	else
		out_null(ctx->out);
	out_uint(ctx->out, p->depth);
	out_uint(ctx->out, a->v.vm_quantum);
	out_uint(ctx->out, a->v.vm_mem_inuse);
	out_uint(ctx->out, a->v.vm_mem_total);
	out_uint(ctx->out, a->v.vm_mem_import);
	out_uint(ctx->out, a->v.vm_nalloc);
	out_uint(ctx->out, a->v.vm_nfree);
	out_uint(ctx->out, a->v.vm_nfail);
	out_row_end(ctx->out);
}

int
dcmd_vmem(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const struct snap *snap = ctx->snap;
	const struct snap_arena *one = NULL;
	struct arena_place *place;
	uint32_t i;

	if (args->argc > 0) {
		one = arena_of(ctx, args->argv[0]);
		if (one == NULL)
			return error_set(ctx->err, UMDB_ENOTFOUND, 0,
			    "there is no arena %.80s; umem vmem lists them",
			    args->argv[0]);
	}
	place = find_arena_tree(snap);
	if (place == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	out_table(ctx->out, vmem_columns, NCOL(vmem_columns));
	for (i = 0; i < snap->narena && !out_stopped(ctx->out); i++)
		if (one == NULL || one == &snap->arena[place[i].arena])
			vmem_row(
			    ctx, &place[i], one == NULL ? place[i].depth : 0);
	out_table_end(ctx->out);
	free(place);
	return UMDB_OK;
}

/* ---------------------------------------------------------------- vmem_seg */

static const struct {
	unsigned type;
	const char *name, *other;
} seg_types[] = {
    {VMEM_SEG_ALLOC, "ALLC", "ALLOC"},
    {VMEM_SEG_FREE, "FREE", "FREE"},
    {VMEM_SEG_SPAN, "SPAN", "SPAN"},
    {VMEM_SEG_ROTOR, "ROTR", "ROTOR"},
    {VMEM_SEG_WALKER, "WLKR", "WALKER"},
};

static const char *
seg_type_name(uint8_t type)
{
	size_t i;

	for (i = 0; i < NCOL(seg_types); i++)
		if (seg_types[i].type == type)
			return seg_types[i].name;
	return "????";
}

/* END, or with -s SIZE, is what a person sees; programs see both. */
static const struct out_column seg_columns[2][10] = {
    {
	{"addr", "ADDR", OUT_PIPE, -14},
	{"type", "TYPE", OUT_TEXT, -4},
	{"start", "START", OUT_ADDR, -14},
	{"end", "END", OUT_ADDR, -14},
	{"size", NULL, OUT_UINT, 0},
	{"import", NULL, OUT_BOOL, 0},
	{"thread", NULL, OUT_UINT, 0},
	{"time", NULL, OUT_TIME, 0},
	{NULL, "WHO", OUT_TEXT, 0},
	{"stack", NULL, OUT_STACK, 0},
    },
    {
	{"addr", "ADDR", OUT_PIPE, -14},
	{"type", "TYPE", OUT_TEXT, -4},
	{"start", "START", OUT_ADDR, -14},
	{"end", NULL, OUT_ADDR, 0},
	{"size", "SIZE", OUT_UINT, 10},
	{"import", NULL, OUT_BOOL, 0},
	{"thread", NULL, OUT_UINT, 0},
	{"time", NULL, OUT_TIME, 0},
	{NULL, "WHO", OUT_TEXT, 0},
	{"stack", NULL, OUT_STACK, 0},
    },
};
#define SEG_NCOL 10

struct seg_show {
	struct dcmd_ctx *ctx;
	struct record_filter filter;
	bool who; /* -c -e -l -t: only those of which something is known */
	unsigned types;
	uint64_t least, most;
	bool size, verbose;
	uint64_t shown, bytes;
};

static bool
seg_passes(const struct seg_show *w, const struct segment *s)
{
	const uint64_t size = s->seg.vs_end - s->seg.vs_start;
	const struct record_filter *f = &w->filter;

	if (!(s->seg.vs_type & w->types) || size < w->least || size > w->most)
		return false;
	if (!w->who)
		return true;
	if (s->depth == 0 || s->seg.vs_timestamp < f->earliest ||
	    s->seg.vs_timestamp > f->latest)
		return false;
	if (f->thread_set && s->seg.vs_thread != f->thread)
		return false;
	return !f->code_set ||
	       dcmd_in_code(w->ctx, &f->code, s->stack, s->depth);
}

static void
seg_row(const struct seg_show *w, const struct segment *s)
{
	struct out *o = w->ctx->out;
	char who[512] = "";

	if (s->depth > 0 && !out_is_json(o))
		out_frame_text(o, s->stack[0], who, sizeof(who));
	out_row(o);
	out_uint(o, s->addr);
	out_text(o, seg_type_name(s->seg.vs_type));
	out_uint(o, s->seg.vs_start);
	out_uint(o, s->seg.vs_end);
	out_uint(o, s->seg.vs_end - s->seg.vs_start);
	out_uint(o, s->seg.vs_import);
	if (s->depth > 0) {
		out_uint(o, s->seg.vs_thread);
		out_uint(o, s->seg.vs_timestamp);
	} else {
		out_null(o);
		out_null(o);
	}
	out_text(o, who);
	out_stack(o, s->stack, s->depth);
	out_row_end(o);
}

void
dcmd_report_segment(struct dcmd_ctx *ctx, const struct segment *s)
{
	char thread[48];

	if (s->depth == 0)
		return;
	dcmd_thread_name(ctx, s->seg.vs_thread, thread, sizeof(thread));
	out_line(ctx->out, "    by thread %s at %" PRIu64 ".%09" PRIu64, thread,
	    s->seg.vs_timestamp / NS_PER_SECOND,
	    s->seg.vs_timestamp % NS_PER_SECOND);
	out_frames(ctx->out, s->stack, s->depth);
}

static void
seg_report(const struct seg_show *w, const struct segment *s)
{
	const uint64_t size = s->seg.vs_end - s->seg.vs_start;
	struct out *o = w->ctx->out;

	if (w->shown > 1)
		out_line(o, "%s", "");
	out_line(o,
	    "0x%" PRIx64 " %s [0x%" PRIx64 ", 0x%" PRIx64 ") size %" PRIu64
	    "%s",
	    s->addr, seg_type_name(s->seg.vs_type), s->seg.vs_start,
	    s->seg.vs_end, size, s->seg.vs_import ? ", imported" : "");
	dcmd_report_segment(w->ctx, s);
}

static void
seg_put(struct seg_show *w, const struct segment *s)
{
	if (!seg_passes(w, s))
		return;
	w->shown++;
	w->bytes += s->seg.vs_end - s->seg.vs_start;
	if (w->verbose && !out_is_json(w->ctx->out))
		seg_report(w, s);
	else
		seg_row(w, s);
}

static int
seg_visit(struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	struct seg_show *w = arg;
	struct segment s = {.addr = addr, .seg = *seg};

	if (out_stopped(w->ctx->out))
		return WALK_STOP;
	find_segment_stack(snap, &s);
	seg_put(w, &s);
	return WALK_NEXT;
}

static int
seg_type_option(struct dcmd_ctx *ctx, const char *text, unsigned *ret)
{
	size_t i;

	for (i = 0; i < NCOL(seg_types); i++) {
		if (strcasecmp(text, seg_types[i].name) == 0 ||
		    strcasecmp(text, seg_types[i].other) == 0) {
			*ret = seg_types[i].type;
			return UMDB_OK;
		}
	}
	return dcmd_usage_error(ctx->dcmd, ctx->err,
	    "%.80s is not a recognized vmem_seg type", text);
}

static int
seg_options(
    struct dcmd_ctx *ctx, const struct dcmd_args *args, struct seg_show *w)
{
	int rc;

	w->ctx = ctx;
	w->size = args->opt['s'] != NULL;
	w->verbose = args->opt['v'] != NULL;
	w->who = args->opt['c'] != NULL || args->opt['e'] != NULL ||
		 args->opt['l'] != NULL || args->opt['t'] != NULL;
	w->types = ~0u;
	w->most = UINT64_MAX;
	rc = dcmd_filter(ctx, args, &w->filter);
	if (rc == UMDB_OK && args->opt['T'] != NULL)
		rc = seg_type_option(ctx, args->opt['T'], &w->types);
	if (rc == UMDB_OK && args->opt['m'] != NULL)
		rc = dcmd_number(ctx, "-m", args->opt['m'], &w->least);
	if (rc == UMDB_OK && args->opt['M'] != NULL)
		rc = dcmd_number(ctx, "-M", args->opt['M'], &w->most);
	return rc;
}

/* One segment, or all of an arena. */
static int
seg_run(struct seg_show *w, const char *text)
{
	struct dcmd_ctx *ctx = w->ctx;
	const struct snap_arena *arena = arena_of(ctx, text);
	struct segment s;
	taddr_t addr;
	int rc;

	if (arena != NULL) {
		rc = walk_segments(ctx->snap, arena, ~0u, seg_visit, w);
		return rc == UMDB_OK ? UMDB_OK : dcmd_fail_target(ctx, rc);
	}
	rc = dcmd_address(ctx, text, &addr);
	if (rc != UMDB_OK)
		return error_set(ctx->err, UMDB_EUSAGE, 0,
		    "%.80s is neither an arena nor an address", text);
	rc = find_segment(ctx->snap, addr, &s);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	seg_put(w, &s);
	return UMDB_OK;
}

int
dcmd_vmem_seg(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct seg_show w = {0};
	int rc;

	rc = seg_options(ctx, args, &w);
	if (rc != UMDB_OK)
		return rc;
	out_table(ctx->out, seg_columns[w.size], SEG_NCOL);
	rc = seg_run(&w, args->argv[0]);
	out_table_end(ctx->out);
	if (rc != UMDB_OK)
		return rc;
	if (w.shown == 0 && !ctx->loop)
		out_line(ctx->out, "no segment matches");
	out_fact_uint(ctx->out, "segments", OUT_UINT, w.shown);
	out_fact_uint(ctx->out, "bytes", OUT_SIZE, w.bytes);
	return UMDB_OK;
}
