/* SPDX-License-Identifier: MIT */
/*
 * dcmd_cache.c - umem cache, umem verify
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"

/* ----------------------------------------------------------------- cache */

static const struct out_column cache_columns[] = {
    {"addr", "ADDR", OUT_PIPE, -14},
    {"name", "NAME", OUT_TEXT, 0},
    {"flags", "FLAG", OUT_HEX, 0},
    {"cflags", "CFLAG", OUT_HEX, 0},
    {"flag_names", NULL, OUT_TEXT, 0},
    {"bufsize", "BUFSIZE", OUT_UINT, 0},
    {"chunksize", "CHUNK", OUT_UINT, 0},
    {"align", NULL, OUT_UINT, 0},
    {"slabsize", NULL, OUT_UINT, 0},
    {"total", "BUFTOTL", OUT_UINT, 0},
    {"inuse", "INUSE", OUT_UINT, 0},
    {"constructor", NULL, OUT_ADDR, 0},
    {"destructor", NULL, OUT_ADDR, 0},
    {"private", NULL, OUT_ADDR, 0},
};
#define CACHE_NCOL (sizeof(cache_columns) / sizeof(cache_columns[0]))

static void
cache_row(struct dcmd_ctx *ctx, const struct snap_cache *c)
{
	char flags[160];

	dcmd_flag_names(c->c.cache_flags, flags, sizeof(flags));
	out_row(ctx->out);
	out_uint(ctx->out, c->addr);
	out_text(ctx->out, c->c.cache_name);
	out_uint(ctx->out, c->c.cache_flags);
	out_uint(ctx->out, c->c.cache_cflags);
	out_text(ctx->out, flags);
	out_uint(ctx->out, c->c.cache_bufsize);
	out_uint(ctx->out, c->c.cache_chunksize);
	out_uint(ctx->out, c->c.cache_align);
	out_uint(ctx->out, c->c.cache_slabsize);
	out_uint(ctx->out, c->nalloc + c->nthread + c->ndepot + c->nslab);
	out_uint(ctx->out, c->nalloc);
	out_uint(ctx->out, c->c.cache_constructor);
	out_uint(ctx->out, c->c.cache_destructor);
	out_uint(ctx->out, c->c.cache_private);
	out_row_end(ctx->out);
}

static void
cache_detail(struct dcmd_ctx *ctx, const struct snap_cache *c)
{
	char flags[160];

	dcmd_flag_names(c->c.cache_flags, flags, sizeof(flags));
	out_line(ctx->out, "flags: %s", flags);
	out_line(ctx->out,
	    "buffers: %" PRIu64 " in use; free: %" PRIu64
	    " in thread caches, %" PRIu64 " in the depot, %" PRIu64 " in slabs",
	    c->nalloc, c->nthread, c->ndepot, c->nslab);
}

bool
dcmd_cache_is_unused(const struct dcmd_ctx *ctx, const struct snap_cache *c)
{
	return !out_is_json(ctx->out) &&
	       c->nalloc + c->nthread + c->ndepot + c->nslab == 0 &&
	       c->c.cache_slab_create == 0 && c->c.cache_alloc_fail == 0;
}

void
dcmd_hidden_caches(struct dcmd_ctx *ctx, uint32_t n)
{
	if (n == 0)
		return;
	out_line(ctx->out,
	    "%" PRIu32 " cache%s that never had a buffer %s left out: -a shows "
	    "%s",
	    n, n == 1 ? "" : "s", n == 1 ? "is" : "are",
	    n == 1 ? "it" : "them");
}

int
dcmd_cache(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const struct snap_cache *one = NULL;
	uint32_t i, hidden = 0;
	int rc;

	if (args->argc > 0) {
		rc = snap_cache_named(ctx->snap, args->argv[0], &one);
		if (rc != UMDB_OK)
			return dcmd_fail_target(ctx, rc);
	}
	out_table(ctx->out, cache_columns, CACHE_NCOL);
	if (one != NULL)
		cache_row(ctx, one);
	for (i = 0; one == NULL && i < ctx->snap->ncache; i++) {
		const struct snap_cache *c = &ctx->snap->cache[i];

		if (args->opt['a'] == NULL && dcmd_cache_is_unused(ctx, c))
			hidden++;
		else
			cache_row(ctx, c);
	}
	out_table_end(ctx->out);
	dcmd_hidden_caches(ctx, hidden);
	if (one != NULL && !ctx->loop)
		cache_detail(ctx, one);
	return UMDB_OK;
}

/* ---------------------------------------------------------------- verify */

static const char *const bad_name[] = {
    [BAD_REDZONE] = "redzone",
    [BAD_UNDERRUN] = "underrun",
    [BAD_FREE] = "modified-after-free",
    [BAD_BUFTAG] = "buftag",
    [BAD_SIZE] = "size",
    [BAD_BUFCTL] = "bufctl",
    [BAD_STRUCT] = "structure",
};

/* What was found in one cache; kept until its row is complete. */
struct verify_list {
	struct bad *bad;
	size_t nbad, cap;
};

static int
verify_collect(struct snap *snap, const struct bad *bad, void *arg)
{
	struct verify_list *l = arg;
	size_t cap = l->cap ? l->cap * 2 : 16;
	struct bad *p;

	if (l->nbad == l->cap) {
		p = realloc(l->bad, cap * sizeof(*p));
		if (p == NULL)
			return target_fail(
			    snap->tgt, UMDB_ENOMEM, 0, "out of memory");
		l->bad = p;
		l->cap = cap;
	}
	l->bad[l->nbad++] = *bad;
	return WALK_NEXT;
}

static const struct out_column verify_columns[] = {
    {"cache", "CACHE", OUT_TEXT, 0},
    {"addr", "ADDR", OUT_ADDR, -14},
    {"guards", NULL, OUT_BOOL, 0},
    {"checked", "CHECKED", OUT_UINT, 0},
    {"corrupt", NULL, OUT_UINT, 0},
    {NULL, "INTEGRITY", OUT_TEXT, 0},
    {"damage", NULL, OUT_LIST, 0},
};
#define VERIFY_NCOL (sizeof(verify_columns) / sizeof(verify_columns[0]))

struct verify_sum {
	uint64_t caches, checked, corrupt, unguarded;
};

static void
verify_items(struct dcmd_ctx *ctx, const struct verify_list *l)
{
	size_t i;

	out_list_begin(ctx->out);
	for (i = 0; i < l->nbad; i++) {
		const struct bad *b = &l->bad[i];

		out_pipe(ctx->out, b->buf);
		out_item_begin(ctx->out);
		out_item_text(ctx->out, "kind", bad_name[b->kind]);
		out_item_uint(ctx->out, "buffer", OUT_ADDR, b->buf);
		out_item_uint(ctx->out, "at", OUT_ADDR, b->at);
		out_item_uint(ctx->out, "allocated", OUT_BOOL, b->allocated);
		out_item_uint(ctx->out, "expected", OUT_ADDR, b->expected);
		out_item_uint(ctx->out, "found", OUT_ADDR, b->found);
		out_item_uint(ctx->out, "bufctl", OUT_ADDR, b->bufctl);
		out_item_text(ctx->out, "message", b->msg);
		out_item_end(ctx->out);
	}
	out_list_end(ctx->out);
}

/* "2 corrupt buffers, 1 damaged structure" */
static void
verify_summary(
    const struct verify_list *l, bool guards, char *text, size_t size)
{
	size_t i, n = 0, len = 0;

	for (i = 0; i < l->nbad; i++)
		n += l->bad[i].kind == BAD_STRUCT;
	if (l->nbad > n)
		len = (size_t)snprintf(text, size, "%zu corrupt buffer%s%s",
		    l->nbad - n, l->nbad - n == 1 ? "" : "s",
		    n > 0 ? ", " : "");
	if (n > 0)
		snprintf(text + len, size - len, "%zu damaged structure%s", n,
		    n == 1 ? "" : "s");
	if (l->nbad == 0)
		snprintf(text, size, "%s", guards ? "clean" : "no guards");
}

static void
verify_row(struct dcmd_ctx *ctx, const struct snap_cache *c, uint64_t checked,
    bool guards, const struct verify_list *l)
{
	char text[80];

	verify_summary(l, guards, text, sizeof(text));
	out_row(ctx->out);
	out_text(ctx->out, c->c.cache_name);
	out_uint(ctx->out, c->addr);
	out_uint(ctx->out, guards);
	out_uint(ctx->out, checked);
	out_uint(ctx->out, l->nbad);
	out_text(ctx->out, text);
	verify_items(ctx, l);
	out_row_end(ctx->out);
}

/* The damaged buffers of one cache, a sentence each; for people. */
static void
verify_lines(struct dcmd_ctx *ctx, const struct snap_cache *c,
    const struct verify_list *l, bool verbose)
{
	struct snap_bufctl bc;
	size_t i;

	if (out_is_json(ctx->out))
		return;
	out_line(ctx->out, "Summary for cache '%s'", c->c.cache_name);
	if (l->nbad == 0)
		out_line(ctx->out, "  clean");
	for (i = 0; i < l->nbad && !out_stopped(ctx->out); i++) {
		const struct bad *b = &l->bad[i];

		out_line(ctx->out, "  %s", b->msg);
		if (verbose && b->bufctl != 0 &&
		    snap_read_bufctl(ctx->snap, b->bufctl, &bc) == UMDB_OK)
			dcmd_report_bufctl(ctx, &bc);
	}
}

static int
verify_cache(struct dcmd_ctx *ctx, const struct snap_cache *c,
    struct verify_list *l, struct verify_sum *sum)
{
	uint64_t checked = 0;
	bool guards;
	int rc;

	l->nbad = 0;
	rc = find_bad(ctx->snap, c, verify_collect, l, &checked);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	guards = (c->c.cache_flags & UMF_BUFTAG) != 0;
	sum->caches++;
	sum->checked += checked;
	sum->corrupt += l->nbad;
	sum->unguarded += !guards;
	verify_row(ctx, c, checked, guards, l);
	return UMDB_OK;
}

/* Lists of all caches that have one, for the sentences behind the table. */
struct verify_all {
	struct verify_list *list;
	uint32_t n;
};

static int
verify_caches(struct dcmd_ctx *ctx, const struct snap_cache *one,
    struct verify_all *all, struct verify_sum *sum)
{
	uint32_t i;
	int rc = UMDB_OK;

	out_table(ctx->out, verify_columns, VERIFY_NCOL);
	for (i = 0; i < ctx->snap->ncache && rc == UMDB_OK; i++) {
		const struct snap_cache *c = &ctx->snap->cache[i];

		if (out_stopped(ctx->out) || (one != NULL && one != c))
			continue;
		rc = verify_cache(ctx, c, &all->list[i], sum);
	}
	out_table_end(ctx->out);
	return rc;
}

static void
verify_close(struct dcmd_ctx *ctx, const struct verify_sum *sum)
{
	out_fact_uint(ctx->out, "caches", OUT_UINT, sum->caches);
	out_fact_uint(ctx->out, "checked", OUT_UINT, sum->checked);
	out_fact_uint(ctx->out, "corrupt", OUT_UINT, sum->corrupt);
	out_fact_uint(ctx->out, "unguarded", OUT_UINT, sum->unguarded);
	if (sum->unguarded == sum->caches && sum->caches > 0 && !ctx->loop)
		out_note(ctx->out,
		    "there are no guards to check: run the program with "
		    "UMEM_DEBUG=guards, or default");
	ctx->found += sum->corrupt;
}

int
dcmd_verify(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const bool verbose = args->opt['v'] != NULL;
	const struct snap_cache *one = NULL;
	struct verify_sum sum = {0};
	struct verify_all all;
	uint32_t i;
	int rc;

	if (args->argc > 0) {
		rc = snap_cache_named(ctx->snap, args->argv[0], &one);
		if (rc != UMDB_OK)
			return dcmd_fail_target(ctx, rc);
	}
	all.n = ctx->snap->ncache;
	all.list = calloc((size_t)all.n + 1, sizeof(*all.list));
	if (all.list == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	rc = verify_caches(ctx, one, &all, &sum);
	for (i = 0; i < all.n; i++) {
		const struct snap_cache *c = &ctx->snap->cache[i];

		if (rc == UMDB_OK &&
		    (!ctx->loop ? all.list[i].nbad > 0 || c == one
				: all.list[i].nbad > 0 && verbose))
			verify_lines(ctx, c, &all.list[i], verbose);
		free(all.list[i].bad);
	}
	free(all.list);
	if (rc == UMDB_OK)
		verify_close(ctx, &sum);
	return rc;
}
