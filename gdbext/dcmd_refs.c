/* SPDX-License-Identifier: MIT */
/*
 * dcmd_refs.c - umem refs, umem path, umem owns: about one buffer
 *
 * All three read the graph of the heap, which is kept for the next command.
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_place.h"
#include "dcmd_run.h"

#define PATH_ENDS 12u /* steps of a long path that are shown at each end */

struct about {
	struct dcmd_ctx *ctx;
	struct graph *g;
	uint32_t node;
	taddr_t addr; /* as given */
	struct place buffer;
	struct place_frames frames;
	uint64_t n, roots,
	    leaked; /* references shown, of roots, of lost ones */
};

/* The buffer that the argument means. */
static int
about_open(struct about *a, struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	int rc;

	a->ctx = ctx;
	rc = dcmd_address(ctx, args->argv[0], &a->addr);
	if (rc == UMDB_OK)
		rc = dcmd_graph(ctx, &a->g);
	if (rc != UMDB_OK)
		return rc;
	rc = graph_resolve(a->g, a->addr, &a->node);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	dcmd_place_buffer(ctx, a->g, a->node, &a->buffer);
	return UMDB_OK;
}

/* What all three say of the buffer in the summary. */
static void
about_facts(const struct about *a)
{
	struct out *o = a->ctx->out;

	out_fact_uint(o, "addr", OUT_ADDR, a->addr);
	out_fact_uint(o, "buffer", OUT_ADDR, a->buffer.buffer);
	out_fact_uint(o, "size", OUT_SIZE, graph_size(a->g, a->node));
	out_fact_text(o, "cache", a->buffer.cache);
	out_fact_uint(o, "leaked", OUT_BOOL, a->buffer.leaked);
}

static void
about_line(const struct about *a)
{
	const uint64_t off = a->addr - a->buffer.buffer;
	char inside[48] = "";

	if (off != 0)
		snprintf(inside, sizeof(inside), "+0x%" PRIx64 " in ", off);
	out_line(a->ctx->out, "0x%" PRIx64 " is %s%s%s", a->addr, inside,
	    a->buffer.where, a->buffer.leaked ? ", leaked" : "");
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* ---------------------------------------------------------------- reference */

static const struct out_column ref_columns[] = {
    {"step", NULL, OUT_UINT, 0},
    {"at", NULL, OUT_PIPE, 0},
    {"value", NULL, OUT_ADDR, 0},
    {"to", NULL, OUT_ADDR, 0},
    {"to_offset", NULL, OUT_UINT, 0},
    {"end", NULL, OUT_BOOL, 0},
    {"where", NULL, OUT_TEXT, 0},
    DCMD_PLACE_COLUMNS,
};
#define NREF (sizeof(ref_columns) / sizeof(ref_columns[0]))

/* A reference to the buffer at @to; @step 0: not one of a path. */
static void
ref_row(struct about *a, const struct ref *ref, uint64_t step, taddr_t to)
{
	struct out *o = a->ctx->out;
	struct place p;
	char inside[64] = "";

	dcmd_place_ref(a->ctx, &a->frames, a->g, ref, &p);
	a->leaked += p.leaked;
	a->roots += ref->part != NULL;
	if (!out_is_json(o)) {
		if (ref->value != to)
			snprintf(inside, sizeof(inside),
			    ", to its inside at +0x%" PRIx64, ref->value - to);
		else if (ref->end)
			snprintf(inside, sizeof(inside),
			    ", as the end of the buffer before");
		out_line(
		    o, "%s%s%s", step > 1 ? "  -> " : "  ", p.where, inside);
		return;
	}
	out_row(o);
	if (step != 0)
		out_uint(o, step);
	else
		out_null(o);
	if (ref->part != NULL && (ref->part->kind == PLACE_REGISTER ||
				     ref->part->kind == PLACE_HELD))
		out_null(o);
	else
		out_uint(o, ref->at);
	out_uint(o, ref->value);
	out_uint(o, to);
	out_uint(o, ref->value - to);
	out_uint(o, ref->end);
	out_text(o, p.where);
	dcmd_place_cells(o, &p);
	out_row_end(o);
}

/* --------------------------------------------------------------------- refs */

static int
refs_one(void *arg, const struct ref *ref)
{
	struct about *a = arg;

	a->n++;
	ref_row(a, ref, 0, a->buffer.buffer);
	return out_stopped(a->ctx->out) ? WALK_STOP : WALK_NEXT;
}

static int
refs_run(struct about *a)
{
	struct out *o = a->ctx->out;
	int rc;

	about_line(a);
	out_table(o, ref_columns, NREF);
	rc = find_refs(a->g, a->node, refs_one, a);
	out_table_end(o);
	if (rc != UMDB_OK)
		return dcmd_fail_target(a->ctx, rc);
	if (a->n == 0)
		out_line(o, "nothing points to it");
	else
		out_line(o,
		    "%" PRIu64 " reference%s: %" PRIu64 " from roots, %" PRIu64
		    " from buffers%s",
		    a->n, plural(a->n), a->roots, a->n - a->roots,
		    a->leaked > 0 ? ", some of them leaked" : "");
	about_facts(a);
	out_fact_uint(o, "references", OUT_UINT, a->n);
	out_fact_uint(o, "from_roots", OUT_UINT, a->roots);
	out_fact_uint(o, "from_buffers", OUT_UINT, a->n - a->roots);
	out_fact_uint(o, "from_leaked", OUT_UINT, a->leaked);
	dcmd_graph_notes(a->ctx, a->g);
	return UMDB_OK;
}

static int
run(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    int (*fn)(struct about *))
{
	struct about *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	rc = about_open(a, ctx, args);
	if (rc == UMDB_OK)
		rc = fn(a);
	dcmd_graph_done(ctx);
	free(a);
	return rc;
}

int
dcmd_refs(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	return run(ctx, args, refs_run);
}

/* --------------------------------------------------------------------- path */

/* The steps, of a long path in text only those at its ends. */
static void
path_rows(struct about *a, const struct ref *ref, size_t n)
{
	struct out *o = a->ctx->out;
	const bool whole = out_is_json(o) || n <= 2 * PATH_ENDS;
	taddr_t to;
	size_t i;

	out_table(o, ref_columns, NREF);
	for (i = 0; i < n && !out_stopped(o); i++) {
		if (!whole && i == PATH_ENDS) {
			out_line(o, "  -> ... %zu more ...", n - 2 * PATH_ENDS);
			i = n - PATH_ENDS;
		}
		to = i + 1 < n ? graph_addr(a->g, ref[i + 1].holder, NULL, NULL)
			       : a->buffer.buffer;
		ref_row(a, &ref[i], i + 1, to);
	}
	out_table_end(o);
	out_line(o, "  -> %s", a->buffer.where);
}

static int
path_run(struct about *a)
{
	struct out *o = a->ctx->out;
	struct ref *ref;
	size_t n;
	int rc;

	rc = find_path(a->g, a->node, &ref, &n);
	if (rc != UMDB_OK)
		return dcmd_fail_target(a->ctx, rc);
	about_line(a);
	if (n == 0) {
		out_line(o,
		    "no root leads to it: it is leaked; umem refs shows what "
		    "points to it all the same");
		out_table(o, ref_columns, NREF);
		out_table_end(o);
	} else {
		out_line(o, "kept by a chain of %zu pointer%s:", n, plural(n));
		path_rows(a, ref, n);
	}
	free(ref);
	about_facts(a);
	out_fact_uint(o, "steps", OUT_UINT, n);
	dcmd_graph_notes(a->ctx, a->g);
	return UMDB_OK;
}

int
dcmd_path(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	return run(ctx, args, path_run);
}

/* --------------------------------------------------------------------- owns */

static const struct out_column owned_columns[] = {
    {"bytes", "BYTES", OUT_UINT, 10},
    {"count", "BUFFERS", OUT_UINT, 8},
    {"cache", "CACHE", OUT_TEXT, 0},
};

static void
owned_table(struct about *a, const struct owned *own)
{
	struct out *o = a->ctx->out;
	size_t i;

	out_table(
	    o, owned_columns, sizeof(owned_columns) / sizeof(owned_columns[0]));
	for (i = 0; i < own->ncache && !out_stopped(o); i++) {
		out_row(o);
		out_uint(o, own->cache[i].bytes);
		out_uint(o, own->cache[i].count);
		out_text(
		    o, a->ctx->snap->cache[own->cache[i].cache].c.cache_name);
		out_row_end(o);
	}
	out_table_end(o);
}

static int
owns_run(struct about *a)
{
	struct out *o = a->ctx->out;
	struct owned own;
	char size[32];
	int rc;

	rc = find_owned(a->g, a->node, &own);
	if (rc != UMDB_OK)
		return dcmd_fail_target(a->ctx, rc);
	out_size_text(own.bytes, size, sizeof(size));
	about_line(a);
	if (own.count == 0)
		out_line(o, own.lost
				? "it leads to no other leaked buffer"
				: "it owns nothing: all that it points to is "
				  "kept by others too");
	else
		out_line(o,
		    own.lost ? "it is leaked, and leads to %" PRIu64
			       " more leaked buffer%s, %s:"
			     : "without it %" PRIu64
			       " more buffer%s would be garbage, %s:",
		    own.count, plural(own.count), size);
	owned_table(a, &own);
	about_facts(a);
	out_fact_uint(o, "count", OUT_UINT, own.count);
	out_fact_uint(o, "bytes", OUT_SIZE, own.bytes);
	find_owned_free(&own);
	dcmd_graph_notes(a->ctx, a->g);
	return UMDB_OK;
}

int
dcmd_owns(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	return run(ctx, args, owns_run);
}
