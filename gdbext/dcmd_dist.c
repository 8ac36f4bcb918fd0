/* SPDX-License-Identifier: MIT */
/*
 * dcmd_dist.c - umem malloc_dist, umem malloc_info
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_sizes.h"

#define BAR_WIDTH 50

struct dist_options {
	bool raw;       /* -d */
	bool geometric; /* -g, or neither -b nor -B */
	bool any;
	uint64_t most, width; /* -b, -B */
};

static int
dist_options(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    struct dist_options *ret)
{
	const char *b = args->opt['b'], *w = args->opt['B'];
	int rc = UMDB_OK;

	memset(ret, 0, sizeof(*ret));
	ret->raw = args->opt['d'] != NULL;
	ret->geometric = args->opt['g'] != NULL || (b == NULL && w == NULL);
	ret->any = ret->raw || args->opt['g'] != NULL || b != NULL || w != NULL;
	ret->width = 1;
	if (b != NULL)
		rc = dcmd_number(ctx, "-b", b, &ret->most);
	if (rc == UMDB_OK && w != NULL)
		rc = dcmd_number(ctx, "-B", w, &ret->width);
	if (rc == UMDB_OK && ((b != NULL && ret->most == 0) || ret->width == 0))
		rc = dcmd_usage_error(
		    ctx->dcmd, ctx->err, "-b and -B must be 1 or more");
	return rc;
}

/* ------------------------------------------------------------ distributions */

static const struct out_column raw_columns[] = {
    {"size", NULL, OUT_UINT, 0},
    {"count", NULL, OUT_UINT, 0},
};

static const struct out_column bin_columns[] = {
    {NULL, "malloc size", OUT_TEXT, 11},
    {"low", NULL, OUT_UINT, 0},
    {"high", NULL, OUT_UINT, 0},
    {NULL, "------------------ Distribution ------------------", OUT_TEXT,
	-(BAR_WIDTH + 1)},
    {"count", "count", OUT_UINT, 0},
};

#define NCOL(columns) (sizeof(columns) / sizeof((columns)[0]))

static void
dist_raw(struct dcmd_ctx *ctx, const struct sizes *s)
{
	size_t i;

	out_table(ctx->out, raw_columns, NCOL(raw_columns));
	for (i = 0; i < s->nsize && !out_stopped(ctx->out); i++) {
		const struct size_count *c = &s->size[i];

		if (!out_is_json(ctx->out)) {
			out_line(ctx->out, "%" PRIu64 "\t%" PRIu64, c->size,
			    c->count);
			continue;
		}
		out_row(ctx->out);
		out_uint(ctx->out, c->size);
		out_uint(ctx->out, c->count);
		out_row_end(ctx->out);
	}
	out_table_end(ctx->out);
}

static void
bin_row(struct dcmd_ctx *ctx, const struct size_bin *b, uint64_t total)
{
	char range[48], bar[BAR_WIDTH + 2] = "|";
	const double share = total > 0 ? (double)b->count / (double)total : 0;

	if (b->low == b->high)
		snprintf(range, sizeof(range), "%" PRIu64, b->low);
	else
		snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, b->low,
		    b->high);
	memset(bar + 1, '\0', BAR_WIDTH + 1);
	memset(bar + 1, '@', (size_t)(share * BAR_WIDTH + 0.5));
	out_row(ctx->out);
	out_text(ctx->out, range);
	out_uint(ctx->out, b->low);
	out_uint(ctx->out, b->high);
	out_text(ctx->out, bar);
	out_uint(ctx->out, b->count);
	out_row_end(ctx->out);
}

/*
 * More empty bins of one width than this, one behind another, are one line of
 * text.
 */
#define EMPTY_BINS 3u

/* Where the empty bins end that start at @i. */
static size_t
empty_end(const struct size_bins *b, size_t i, size_t end)
{
	while (i < end && b->bin[i].count == 0)
		i++;
	return i;
}

/* Bins from the first to the last that hold something. */
static void
dist_bins(
    struct dcmd_ctx *ctx, const struct sizes *s, const struct size_bins *b)
{
	size_t first = 0, end = b->nbin, i, next;
	struct size_bin bin;

	while (first < end && b->bin[first].count == 0)
		first++;
	while (end > first && b->bin[end - 1].count == 0)
		end--;
	out_table(ctx->out, bin_columns, NCOL(bin_columns));
	for (i = first; i < end && !out_stopped(ctx->out); i = next) {
		bin = b->bin[i];
		next = empty_end(b, i, end);
		if (next - i <= EMPTY_BINS || b->geometric ||
		    out_is_json(ctx->out))
			next = i + 1;
		bin.high = b->bin[next - 1].high;
		bin_row(ctx, &bin, s->count);
	}
	out_table_end(ctx->out);
}

static int
dist_count(struct dcmd_ctx *ctx, const struct dist_options *opt,
    const struct sizes *s, uint64_t low, uint64_t high, struct size_bins *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->low = low;
	ret->high = high;
	ret->most = opt->most;
	ret->width = opt->width;
	ret->geometric = opt->geometric;
	if (!opt->raw && find_size_bins(s, ret) != UMDB_OK)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	return UMDB_OK;
}

static void
dist_show(struct dcmd_ctx *ctx, const struct dist_options *opt,
    const struct sizes *s, const struct size_bins *b)
{
	if (opt->raw)
		dist_raw(ctx, s);
	else
		dist_bins(ctx, s, b);
}

/* What the sizes of some buffers are worth. */
static void
dist_note(struct dcmd_ctx *ctx, uint64_t unrecorded, uint64_t count)
{
	if (unrecorded == 0 || ctx->loop)
		return;
	out_note(ctx->out,
	    "of %" PRIu64 " of %" PRIu64
	    " buffers the sizes asked for were not recorded; they are counted "
	    "as what their buffer holds: run the program with "
	    "UMEM_DEBUG=guards, or default",
	    unrecorded, count);
}

/* From the least to the most; powers of two are not cut. */
static int
dist_count_all(struct dcmd_ctx *ctx, const struct dist_options *opt,
    const struct sizes *s, struct size_bins *ret)
{
	uint64_t low = s->size[0].size, high = s->size[s->nsize - 1].size;

	if (opt->geometric && low > 0)
		low = UINT64_C(1) << (63 - __builtin_clzll(low));
	if (opt->geometric && high > 0)
		high |= UINT64_MAX >> __builtin_clzll(high);
	return dist_count(ctx, opt, s, low, high, ret);
}

int
dcmd_malloc_dist(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct dist_options opt;
	struct size_bins bins;
	struct sizes s;
	int rc;

	rc = dist_options(ctx, args, &opt);
	if (rc != UMDB_OK)
		return rc;
	rc = find_sizes(ctx->snap, NULL, &s);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	if (s.nsize == 0) {
		out_line(ctx->out, "nothing is allocated");
	} else {
		rc = dist_count_all(ctx, &opt, &s, &bins);
		if (rc == UMDB_OK)
			dist_show(ctx, &opt, &s, &bins);
		free(bins.bin);
	}
	out_fact_uint(ctx->out, "buffers", OUT_UINT, s.count);
	out_fact_uint(ctx->out, "bytes", OUT_SIZE, s.bytes);
	out_fact_uint(ctx->out, "unrecorded", OUT_UINT, s.unrecorded);
	dist_note(ctx, s.unrecorded, s.count);
	find_sizes_fini(&s);
	return rc;
}

/* -------------------------------------------------------------------- info */

static const struct out_column info_columns[] = {
    {"addr", "CACHE", OUT_PIPE, -14},
    {"cache", "NAME", OUT_TEXT, 0},
    {"bufsize", "BUFSZ", OUT_UINT, 6},
    {"max", "MAXMAL", OUT_UINT, 6},
    {"count", "BUFMALLC", OUT_UINT, 8},
    {"average", "AVG_MAL", OUT_UINT, 8},
    {"bytes", "MALLOCED", OUT_UINT, 10},
    {"overhead", "OVERHEAD", OUT_UINT, 10},
    {NULL, "%OVER", OUT_TEXT, 6},
    {"distribution", NULL, OUT_LIST, 0},
};

struct info {
	struct dcmd_ctx *ctx;
	struct dist_options opt;
	uint64_t max; /* of the cache before */
	uint64_t count, bytes, held, unrecorded;
};

static void
info_sizes(const struct info *in, const struct sizes *s)
{
	struct out *o = in->ctx->out;
	const uint64_t over = s->held > s->bytes ? s->held - s->bytes : 0;
	char percent[32];

	if (s->unrecorded > 0) {
		out_null(o);
		out_null(o);
		out_null(o);
		out_null(o);
		return;
	}
	out_uint(o, s->count > 0 ? s->bytes / s->count : 0);
	out_uint(o, s->bytes);
	out_uint(o, over);
	snprintf(percent, sizeof(percent), "%.1f%%",
	    s->bytes > 0 ? 100.0 * (double)over / (double)s->bytes : 0.0);
	out_text(o, percent);
}

static void
info_items(
    const struct info *in, const struct sizes *s, const struct size_bins *b)
{
	struct out *o = in->ctx->out;
	size_t i;

	if (!in->opt.any) {
		out_null(o);
		return;
	}
	out_list_begin(o);
	for (i = 0; in->opt.raw && i < s->nsize; i++) {
		out_item_begin(o);
		out_item_uint(o, "size", OUT_UINT, s->size[i].size);
		out_item_uint(o, "count", OUT_UINT, s->size[i].count);
		out_item_end(o);
	}
	for (i = 0; i < b->nbin; i++) {
		if (b->bin[i].count == 0)
			continue;
		out_item_begin(o);
		out_item_uint(o, "low", OUT_UINT, b->bin[i].low);
		out_item_uint(o, "high", OUT_UINT, b->bin[i].high);
		out_item_uint(o, "count", OUT_UINT, b->bin[i].count);
		out_item_end(o);
	}
	out_list_end(o);
}

static void
info_row(const struct info *in, const struct snap_cache *c,
    const struct sizes *s, const struct size_bins *b)
{
	struct out *o = in->ctx->out;

	out_row(o);
	out_uint(o, c->addr);
	out_text(o, c->c.cache_name);
	if (c->c.cache_flags & UMF_LARGE) {
		out_null(o);
		out_null(o);
	} else {
		out_uint(o, c->c.cache_bufsize);
		out_uint(o, c->c.cache_bufsize);
	}
	out_uint(o, s->count);
	info_sizes(in, s);
	info_items(in, s, b);
	out_row_end(o);
}

/* The sizes that come to a cache: more than fits into the one before. */
static void
info_range(struct info *in, const struct snap_cache *c, const struct sizes *s,
    uint64_t *low, uint64_t *high)
{
	*low = in->max == 0 ? 0 : in->max + 1;
	if (c->c.cache_flags & UMF_LARGE)
		*high = s->nsize > 0 ? s->size[s->nsize - 1].size : *low;
	else
		*high = in->max = c->c.cache_bufsize;
	if (s->nsize > 0 && s->size[0].size < *low)
		*low = s->size[0].size; /* with a large alignment */
}

static int
info_show(struct info *in, const struct snap_cache *c, const struct sizes *s)
{
	struct dcmd_ctx *ctx = in->ctx;
	struct size_bins bins = {0};
	uint64_t low, high;
	int rc = UMDB_OK;

	info_range(in, c, s, &low, &high);
	if (in->opt.any) {
		rc = dist_count(ctx, &in->opt, s, low, high, &bins);
		if (!out_is_json(ctx->out))
			out_table(ctx->out, info_columns, NCOL(info_columns));
	}
	if (rc == UMDB_OK)
		info_row(in, c, s, &bins);
	if (rc == UMDB_OK && in->opt.any && !out_is_json(ctx->out)) {
		out_table_end(ctx->out);
		dist_show(ctx, &in->opt, s, &bins);
		out_line(ctx->out, "%s", "");
	}
	free(bins.bin);
	return rc;
}

/* One cache: its row, and with options how its sizes are distributed. */
static int
info_cache(struct info *in, const struct snap_cache *c)
{
	struct sizes s;
	int rc;

	rc = find_sizes(in->ctx->snap, c, &s);
	if (rc != UMDB_OK)
		return dcmd_fail_target(in->ctx, rc);
	in->count += s.count;
	in->bytes += s.bytes;
	in->held += s.held;
	in->unrecorded += s.unrecorded;
	rc = info_show(in, c, &s);
	find_sizes_fini(&s);
	return rc;
}

/* All that malloc has used (the caches of small buffers come first), or one. */
static int
info_caches(struct info *in, const struct snap_cache *one)
{
	const struct snap *snap = in->ctx->snap;
	int rc = UMDB_OK;
	uint32_t i;

	for (i = 0; i < snap->ncache && rc == UMDB_OK; i++) {
		const struct snap_cache *c = &snap->cache[i];

		if ((c->c.cache_flags & UMF_MALLOC) == 0 ||
		    out_stopped(in->ctx->out))
			continue;
		if (one == NULL ? c->nalloc > 0 : one == c)
			rc = info_cache(in, c);
		else if ((c->c.cache_flags & UMF_LARGE) == 0)
			in->max = c->c.cache_bufsize;
	}
	return rc;
}

int
dcmd_malloc_info(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const struct snap_cache *one = NULL;
	struct info in = {.ctx = ctx};
	bool table;
	int rc;

	rc = dist_options(ctx, args, &in.opt);
	if (rc != UMDB_OK)
		return rc;
	if (args->argc > 0) {
		rc = snap_cache_named(ctx->snap, args->argv[0], &one);
		if (rc != UMDB_OK)
			return dcmd_fail_target(ctx, rc);
		if ((one->c.cache_flags & UMF_MALLOC) == 0 && ctx->loop)
			return UMDB_OK;
		if ((one->c.cache_flags & UMF_MALLOC) == 0)
			return error_set(ctx->err, UMDB_ENOTFOUND, one->addr,
			    "%s is not used by malloc", one->c.cache_name);
	}
	table = !in.opt.any || out_is_json(ctx->out);
	if (table)
		out_table(ctx->out, info_columns, NCOL(info_columns));
	rc = info_caches(&in, one);
	if (table)
		out_table_end(ctx->out);
	if (rc != UMDB_OK)
		return rc;
	if (in.count == 0 && !ctx->loop)
		out_line(ctx->out, "nothing is allocated");
	out_fact_uint(ctx->out, "buffers", OUT_UINT, in.count);
	out_fact_uint(ctx->out, "bytes", OUT_SIZE, in.bytes);
	out_fact_uint(ctx->out, "held_bytes", OUT_SIZE, in.held);
	out_fact_uint(ctx->out, "unrecorded", OUT_UINT, in.unrecorded);
	dist_note(ctx, in.unrecorded, in.count);
	return UMDB_OK;
}
