/* SPDX-License-Identifier: MIT */
/*
 * dcmd_whatis.c - umem whatis
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_arena.h"

static const char *const kind_name[] = {
    [WHAT_UNKNOWN] = "unknown",
    [WHAT_BUFFER] = "buffer",
    [WHAT_REDZONE] = "redzone",
    [WHAT_SLAB] = "slab",
    [WHAT_SLAB_STRUCT] = "slab-struct",
    [WHAT_BUFCTL] = "bufctl",
    [WHAT_MAGAZINE] = "magazine",
    [WHAT_CACHE] = "cache",
    [WHAT_TCACHE] = "thread-cache",
    [WHAT_LOG] = "log",
    [WHAT_META] = "meta",
    [WHAT_SEGMENT] = "segment",
    [WHAT_STACK] = "stack",
    [WHAT_MAPPING] = "mapping",
};

static const char *const state_name[] = {
    [BUF_FREE_SLAB] = "free-slab",
    [BUF_FREE_DEPOT] = "free-depot",
    [BUF_FREE_THREAD] = "free-thread",
    [BUF_ALLOCATED] = "allocated",
};

static bool
is_buffer(const struct whatis *w)
{
	return w->slab != NULL &&
	       (w->kind == WHAT_BUFFER || w->kind == WHAT_REDZONE);
}

/* The cache that a slab or a segment is of; NULL: none. */
static const char *
cache_of(struct dcmd_ctx *ctx, const struct whatis *w)
{
	if (w->quantum != NULL)
		return w->quantum->c.cache_name;
	return w->slab != NULL ? ctx->snap->cache[w->slab->cache].c.cache_name
			       : NULL;
}

/* Whether the size asked for was kept, or only the cache's is known. */
static bool
knows_size(struct dcmd_ctx *ctx, const struct whatis *w)
{
	const umem_cache_t *c = &ctx->snap->cache[w->slab->cache].c;

	return (c->cache_flags & (UMF_AUDIT | UMF_BUFTAG | UMF_LARGE)) != 0 ||
	       (c->cache_flags & UMF_MALLOC) == 0;
}

/* "allocated from X", "free in thread 3's cache of X", ... */
static void
state_phrase(
    struct dcmd_ctx *ctx, const struct whatis *w, char *buf, size_t size)
{
	const char *cache = cache_of(ctx, w);
	char thread[48];

	switch (w->state) {
	case BUF_ALLOCATED:
		snprintf(buf, size, "allocated from %s, %" PRIu64 " byte%s %s",
		    cache, w->size, w->size == 1 ? "" : "s",
		    knows_size(ctx, w) ? "asked for" : "or less");
		break;
	case BUF_FREE_SLAB:
		snprintf(buf, size, "a free buffer of %s, in its slab", cache);
		break;
	case BUF_FREE_DEPOT:
		snprintf(buf, size, "a free buffer of %s, in its depot", cache);
		break;
	case BUF_FREE_THREAD:
		dcmd_thread_name(ctx, w->tid, thread, sizeof(thread));
		snprintf(buf, size,
		    "a free buffer of %s, in the cache of thread %s", cache,
		    thread);
		break;
	default:
		snprintf(buf, size, "in %s", cache);
		break;
	}
}

/* What a thing that is no buffer is called. */
static void
thing_phrase(
    struct dcmd_ctx *ctx, const struct whatis *w, char *buf, size_t size)
{
	char thread[48];

	dcmd_thread_name(ctx, w->tid, thread, sizeof(thread));
	switch (w->kind) {
	case WHAT_SLAB:
		snprintf(buf, size, "in a slab of %s, outside its buffers",
		    w->slab ? cache_of(ctx, w) : "a cache");
		break;
	case WHAT_SLAB_STRUCT:
		snprintf(buf, size, "a slab structure%s%s",
		    w->slab ? " of " : "", w->slab ? cache_of(ctx, w) : "");
		break;
	case WHAT_BUFCTL:
		snprintf(buf, size, "a bufctl%s%s", w->slab ? " of " : "",
		    w->slab ? cache_of(ctx, w) : "");
		break;
	case WHAT_MAGAZINE:
		snprintf(buf, size, "a magazine");
		break;
	case WHAT_CACHE:
		snprintf(
		    buf, size, "the cache %s", dcmd_cache_name(ctx, w->base));
		break;
	case WHAT_TCACHE:
		snprintf(buf, size, "the thread cache of thread %s", thread);
		break;
	case WHAT_LOG:
		snprintf(buf, size, "in a log");
		break;
	case WHAT_META:
		if (w->arena != NULL)
			snprintf(
			    buf, size, "the arena %s", w->arena->v.vm_name);
		else
			snprintf(buf, size, "in structures of the allocator");
		break;
	case WHAT_SEGMENT:
		snprintf(buf, size, "%s arena %s",
		    w->seg.vs_type == VMEM_SEG_ALLOC ? "allocated from"
						     : "free in",
		    w->arena ? w->arena->v.vm_name : "?");
		break;
	case WHAT_STACK:
		snprintf(buf, size, "in the stack of thread %s", thread);
		break;
	default:
		snprintf(buf, size, "unknown");
		break;
	}
}

/*
 * The symbol of the program or a library that addr is in, of a mapping that
 * is nothing else; NULL when none is known.
 */
static const char *
symbol_of(struct dcmd_ctx *ctx, taddr_t addr, const struct whatis *w,
    uint64_t *ret_offset)
{
	const struct out_frame *f;

	if (w->kind != WHAT_MAPPING)
		return NULL;
	/* out_frame() takes return addresses, which lie one behind */
	f = out_frame(ctx->out, addr + 1);
	if (f->function == NULL || f->offset == 0 || f->offset - 1 > addr)
		return NULL;
	*ret_offset = f->offset - 1;
	return f->function;
}

/* "main+0x10, in /bin/app". */
static void
symbol_line(struct dcmd_ctx *ctx, taddr_t addr, const struct whatis *w)
{
	const char *name = w->region->name;
	const char *in = name[0] ? name : "anonymous memory";
	uint64_t offset;
	const char *symbol = symbol_of(ctx, addr, w, &offset);

	if (symbol != NULL && offset == 0)
		out_line(
		    ctx->out, "0x%" PRIx64 " is %s, in %s", addr, symbol, in);
	else if (symbol != NULL)
		out_line(ctx->out, "0x%" PRIx64 " is %s+0x%" PRIx64 ", in %s",
		    addr, symbol, offset, in);
	else
		out_line(ctx->out,
		    "0x%" PRIx64 " is 0x%" PRIx64 "+0x%" PRIx64 ", in %s", addr,
		    w->region->start, addr - w->region->start, in);
}

static void
whatis_lines(struct dcmd_ctx *ctx, taddr_t addr, const struct whatis *w)
{
	char what[512], where[64] = "";

	if (w->kind == WHAT_UNKNOWN) {
		out_line(ctx->out, "0x%" PRIx64 " is unknown", addr);
		return;
	}
	if (w->kind == WHAT_MAPPING && w->region != NULL) {
		symbol_line(ctx, addr, w);
		return;
	}
	if (is_buffer(w) || w->quantum != NULL)
		state_phrase(ctx, w, what, sizeof(what));
	else
		thing_phrase(ctx, w, what, sizeof(what));
	if (addr > w->base)
		snprintf(where, sizeof(where), "0x%" PRIx64 "+0x%" PRIx64 ", ",
		    w->base, addr - w->base);
	if (w->kind == WHAT_REDZONE)
		out_line(ctx->out,
		    "0x%" PRIx64 " is 0x%" PRIx64 "+0x%" PRIx64
		    ", behind the end of a buffer %s",
		    addr, w->base, addr - w->base, what);
	else
		out_line(ctx->out, "0x%" PRIx64 " is %s%s", addr, where, what);
}

static int
verbose_segment(struct snap *snap, const struct whatis *w, void *arg)
{
	struct dcmd_ctx *ctx = arg;

	(void)snap;
	out_line(ctx->out,
	    "    arena %s: segment 0x%" PRIx64 " [0x%" PRIx64 ", 0x%" PRIx64
	    "), %s%s",
	    w->arena->v.vm_name, w->seg_addr, w->seg.vs_start, w->seg.vs_end,
	    w->quantum != NULL                 ? "free in cache "
	    : w->seg.vs_type == VMEM_SEG_ALLOC ? "allocated"
					       : "free",
	    w->quantum != NULL ? w->quantum->c.cache_name : "");
	return WALK_NEXT;
}

static int
whatis_verbose(struct dcmd_ctx *ctx, taddr_t addr, const struct whatis *w)
{
	int rc;

	if (w->slab != NULL)
		out_line(ctx->out,
		    "    slab 0x%" PRIx64 ": [0x%" PRIx64 ", 0x%" PRIx64
		    "), buffer %" PRIu32 " of %" PRIu32,
		    w->slab->addr, w->slab->base, w->slab->base + w->slab->size,
		    w->index + 1, w->slab->nchunk);
	rc = find_segments(ctx->snap, addr, verbose_segment, ctx);
	if (rc == UMDB_OK && w->region != NULL)
		out_line(ctx->out,
		    "    mapping [0x%" PRIx64 ", 0x%" PRIx64 ") %c%c%c %s",
		    w->region->start, w->region->end,
		    w->region->readable ? 'r' : '-',
		    w->region->writable ? 'w' : '-',
		    w->region->executable ? 'x' : '-', w->region->name);
	return rc == UMDB_OK ? UMDB_OK : dcmd_fail_target(ctx, rc);
}

static const struct out_column whatis_columns[] = {
    {"addr", NULL, OUT_ADDR, 0},
    {"kind", NULL, OUT_TEXT, 0},
    {"base", NULL, OUT_PIPE, 0},
    {"offset", NULL, OUT_UINT, 0},
    {"size", NULL, OUT_SIZE, 0},
    {"cache", NULL, OUT_TEXT, 0},
    {"state", NULL, OUT_TEXT, 0},
    {"slab", NULL, OUT_ADDR, 0},
    {"bufctl", NULL, OUT_ADDR, 0},
    {"arena", NULL, OUT_TEXT, 0},
    {"thread", NULL, OUT_UINT, 0},
    {"mapping", NULL, OUT_TEXT, 0},
    {"symbol", NULL, OUT_TEXT, 0},
    {"op", NULL, OUT_TEXT, 0},
    {"time", NULL, OUT_TIME, 0},
    {"by", NULL, OUT_UINT, 0},
    {"stack", NULL, OUT_STACK, 0},
};
#define WHATIS_NCOL (sizeof(whatis_columns) / sizeof(whatis_columns[0]))

static void
text_or_null(struct out *o, const char *text)
{
	if (text != NULL)
		out_text(o, text);
	else
		out_null(o);
}

/* Who did something to it last, if that was recorded. */
struct last {
	bool buffer, segment; /* which of these is filled in */
	struct snap_bufctl b;
	struct segment s;
};

static void
last_of(struct dcmd_ctx *ctx, const struct whatis *w, struct last *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->buffer =
	    w->bufctl != 0 &&
	    snap_read_bufctl(ctx->snap, w->bufctl, &ret->b) == UMDB_OK &&
	    ret->b.bc.bc_kind != UMEM_BC_NEVER;
	if (ret->buffer && w->slab != NULL)
		(void)snap_bufctl_is_own(ctx->snap, w->slab, w->index, &ret->b);
	if (w->kind != WHAT_SEGMENT || w->quantum != NULL)
		return;
	ret->s.addr = w->seg_addr;
	ret->s.seg = w->seg;
	find_segment_stack(ctx->snap, &ret->s);
	ret->segment = ret->s.depth > 0;
}

static void
last_cells(struct out *o, const struct last *l)
{
	if (l->buffer) {
		out_text(o, dcmd_op_name(l->b.bc.bc_kind));
		out_uint(o, l->b.bc.bc_timestamp);
		out_uint(o, l->b.bc.bc_thread);
		out_stack(o, l->b.stack, l->b.depth);
	} else if (l->segment) {
		out_text(o, dcmd_op_name(UMEM_BC_ALLOC));
		out_uint(o, l->s.seg.vs_timestamp);
		out_uint(o, l->s.seg.vs_thread);
		out_stack(o, l->s.stack, l->s.depth);
	}
}

/* Where it starts, addr in it, and its size; of a symbol that is unknown. */
static void
extent_cells(
    struct out *o, taddr_t addr, const struct whatis *w, const uint64_t *offset)
{
	out_uint(o, offset != NULL ? addr - *offset : w->base);
	out_uint(o, offset != NULL ? *offset : addr - w->base);
	if (offset == NULL)
		out_uint(o, w->size);
	else
		out_null(o);
}

static void
whatis_row(struct dcmd_ctx *ctx, taddr_t addr, const struct whatis *w,
    const struct last *last)
{
	struct out *o = ctx->out;
	uint64_t offset;
	const char *symbol = symbol_of(ctx, addr, w, &offset);

	out_table(o, whatis_columns, WHATIS_NCOL);
	out_row(o);
	out_uint(o, addr);
	out_text(o, kind_name[w->kind]);
	extent_cells(o, addr, w, symbol != NULL ? &offset : NULL);
	text_or_null(o, cache_of(ctx, w));
	text_or_null(o,
	    is_buffer(w) || w->quantum != NULL ? state_name[w->state] : NULL);
	if (w->slab != NULL)
		out_uint(o, w->slab->addr);
	else
		out_null(o);
	if (w->bufctl != 0)
		out_uint(o, w->bufctl);
	else
		out_null(o);
	text_or_null(o, w->arena ? w->arena->v.vm_name : NULL);
	if (w->tid != 0)
		out_uint(o, w->tid);
	else
		out_null(o);
	text_or_null(
	    o, w->region && w->region->name[0] ? w->region->name : NULL);
	text_or_null(o, symbol);
	last_cells(o, last);
	out_row_end(o);
	out_table_end(o);
}

/* Arguments are one expression, blanks and all. */
static int
join(struct dcmd_ctx *ctx, const struct dcmd_args *args, char *buf, size_t size)
{
	size_t len = 0;
	int i;

	for (i = 0; i < args->argc && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
		    i > 0 ? " " : "", args->argv[i]);
	if (len < size)
		return UMDB_OK;
	return dcmd_usage_error(
	    ctx->dcmd, ctx->err, "the expression is too long");
}

struct explain {
	struct dcmd_ctx *ctx;
	const struct dcmd_args *args;
	taddr_t addr;
	const struct whatis *first; /* what was explained already */
};

static int
explain(const struct explain *e, const struct whatis *w)
{
	struct dcmd_ctx *ctx = e->ctx;
	struct last last;
	int rc = UMDB_OK;

	last_of(ctx, w, &last);
	whatis_row(ctx, e->addr, w, &last);
	if (out_is_json(ctx->out))
		return UMDB_OK;
	whatis_lines(ctx, e->addr, w);
	if (e->args->opt['v'] != NULL && w == e->first)
		rc = whatis_verbose(ctx, e->addr, w);
	if (rc != UMDB_OK || e->args->opt['q'] != NULL)
		return rc;
	if (last.buffer)
		dcmd_report_bufctl(ctx, &last.b);
	if (last.segment)
		dcmd_report_segment(ctx, &last.s);
	return UMDB_OK;
}

static int
explain_segment(struct snap *snap, const struct whatis *w, void *arg)
{
	const struct explain *e = arg;

	(void)snap;
	if (w->seg_addr == e->first->seg_addr)
		return WALK_NEXT;
	return explain(e, w);
}

/* -a: what is true of the address besides. */
static int
explain_rest(struct explain *e)
{
	const enum what_kind kind = e->first->kind;
	struct whatis w;
	int rc;

	rc = find_segments(e->ctx->snap, e->addr, explain_segment, e);
	if (rc != UMDB_OK)
		return dcmd_fail_target(e->ctx, rc);
	if (kind != WHAT_STACK && kind != WHAT_MAPPING &&
	    find_mapping(e->ctx->snap, e->addr, &w))
		rc = explain(e, &w);
	return rc;
}

int
dcmd_whatis(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct explain e = {.ctx = ctx, .args = args};
	char text[1024];
	struct whatis w;
	int rc;

	rc = join(ctx, args, text, sizeof(text));
	if (rc == UMDB_OK)
		rc = dcmd_address(ctx, text, &e.addr);
	if (rc != UMDB_OK)
		return rc;
	rc = find_whatis(ctx->snap, e.addr, &w);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	e.first = &w;
	rc = explain(&e, &w);
	if (rc == UMDB_OK && args->opt['a'] != NULL)
		rc = explain_rest(&e);
	return rc;
}
