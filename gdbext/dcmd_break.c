/* SPDX-License-Identifier: MIT */
/*
 * dcmd_break.c - umem break, umem event
 *
 * Stopping a live process where the library finds a fault, or at the calls
 * that someone waits for; and saying what it stopped for.
 *
 * The registers at a hook are those of a call: umem_error_hook(info),
 * umem_watch_hook(entry, ops, buffer, size, cache).
 *
 * Layer: see dcmd.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_info.h"
#include "snap_watch.h"

#define NO_ENTRY (-1)

/* ----------------------------------------------------------------- wanted */

/* "N", "N-M" or "N-" as a range of sizes. */
static int
parse_sizes(struct dcmd_ctx *ctx, const char *text, umem_watch_entry_t *e)
{
	char *end;

	errno = 0;
	e->we_size_min = e->we_size_max = strtoull(text, &end, 0);
	if (end == text || *text == '-')
		goto bad;
	if (end[0] == '-' && end[1] == '\0') {
		e->we_size_max = UINT64_MAX;
		return UMDB_OK;
	}
	if (*end == '-') {
		text = end + 1;
		e->we_size_max = strtoull(text, &end, 0);
		if (end == text || *text == '-')
			goto bad;
	}
	if (*end == '\0' && errno == 0 && e->we_size_min <= e->we_size_max)
		return UMDB_OK;
bad:
	return dcmd_usage_error(ctx->dcmd, ctx->err,
	    "-s takes a size, 100, or a range of sizes, 100-200 or 100-");
}

/* A cache by name, which need not be there yet, or by address. */
static int
parse_cache(struct dcmd_ctx *ctx, const char *text, umem_watch_entry_t *e)
{
	const struct snap_cache *c;

	if (ctx->snap != NULL &&
	    snap_cache_named(ctx->snap, text, &c) == UMDB_OK) {
		memcpy(e->we_cache, c->c.cache_name, sizeof(e->we_cache));
		return UMDB_OK;
	}
	if (text[0] == '\0' || strlen(text) >= sizeof(e->we_cache))
		return dcmd_usage_error(
		    ctx->dcmd, ctx->err, "%.80s is no name of a cache", text);
	if (ctx->snap != NULL)
		out_note(ctx->out, "%s; it may come", ctx->tgt->err.msg);
	strcpy(e->we_cache, text);
	return UMDB_OK;
}

/* An address in a buffer stands for the buffer. */
static int
parse_buffer(struct dcmd_ctx *ctx, const char *text, umem_watch_entry_t *e)
{
	const struct snap_slab *s;
	uint32_t i;
	int rc;

	rc = dcmd_address(ctx, text, &e->we_buffer);
	if (rc != UMDB_OK)
		return rc;
	if (e->we_buffer == 0)
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "-b takes the address of a buffer; "
		    "%.80s is a null pointer",
		    text);
	if (ctx->snap != NULL && snap_buf_at(ctx->snap, e->we_buffer, &s, &i))
		e->we_buffer = snap_buf_addr(s, i);
	return UMDB_OK;
}

/* What alloc or free and its options wait for. */
static int
parse_wanted(
    struct dcmd_ctx *ctx, const struct dcmd_args *args, umem_watch_entry_t *e)
{
	const char *what = args->argv[0];
	int rc = UMDB_OK;

	memset(e, 0, sizeof(*e));
	e->we_size_max = UINT64_MAX;
	if (strcmp(what, "alloc") == 0)
		e->we_ops = UMEM_WATCH_ALLOC;
	else if (strcmp(what, "free") == 0)
		e->we_ops = UMEM_WATCH_FREE;
	else if (strcmp(what, "error") != 0 && strcmp(what, "delete") != 0)
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "it stops at error, alloc or free, not at %.80s", what);
	else if (args->opt['s'] || args->opt['c'] || args->opt['b'])
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "-s, -c and -b are for alloc and free");
	if (args->opt['s'] != NULL)
		rc = parse_sizes(ctx, args->opt['s'], e);
	if (rc == UMDB_OK && args->opt['c'] != NULL)
		rc = parse_cache(ctx, args->opt['c'], e);
	if (rc == UMDB_OK && args->opt['b'] != NULL)
		rc = parse_buffer(ctx, args->opt['b'], e);
	return rc;
}

/* ---------------------------------------------------------------- saying */

static void
say_wanted(const umem_watch_entry_t *e, char *buf, size_t size)
{
	int n;

	if (e->we_ops == 0) {
		snprintf(buf, size, "where the library detects a fault");
		return;
	}
	n = snprintf(buf, size, "at every %s",
	    e->we_ops == UMEM_WATCH_ALLOC ? "allocation" : "free");
	if (e->we_size_max == UINT64_MAX && e->we_size_min != 0)
		n += snprintf(buf + n, size - (size_t)n,
		    " of %" PRIu64 " bytes and more", e->we_size_min);
	else if (e->we_size_min != e->we_size_max &&
		 e->we_size_max != UINT64_MAX)
		n += snprintf(buf + n, size - (size_t)n,
		    " of %" PRIu64 " to %" PRIu64 " bytes", e->we_size_min,
		    e->we_size_max);
	else if (e->we_size_max != UINT64_MAX)
		n += snprintf(buf + n, size - (size_t)n,
		    " of %" PRIu64 " byte%s", e->we_size_min,
		    e->we_size_min == 1 ? "" : "s");
	if (e->we_cache[0] != '\0')
		n += snprintf(
		    buf + n, size - (size_t)n, ", cache %s", e->we_cache);
	if (e->we_buffer != 0)
		snprintf(buf + n, size - (size_t)n, ", buffer 0x%" PRIx64,
		    e->we_buffer);
}

static const struct out_column break_columns[] = {
    {"number", NULL, OUT_UINT, 0},
    {"stops", NULL, OUT_TEXT, 0},
};

static void
say_number(struct dcmd_ctx *ctx, int number, const umem_watch_entry_t *e)
{
	char wanted[256];

	say_wanted(e, wanted, sizeof(wanted));
	out_table(ctx->out, break_columns, 2);
	out_row(ctx->out);
	out_uint(ctx->out, (uint64_t)number);
	out_text(ctx->out, wanted);
	out_row_end(ctx->out);
	out_table_end(ctx->out);
	out_line(ctx->out, "Breakpoint %d stops %s", number, wanted);
}

/* ----------------------------------------------------------------- break */

/* Have the library call its hook, and a breakpoint there. */
static int
stop_at_calls(struct dcmd_ctx *ctx, const struct snap_hooks *hooks,
    taddr_t root, const umem_watch_entry_t *e, int *number)
{
	const struct dcmd_live *live = ctx->live;
	const struct snap_writer writer = {live->poke, live->arg};
	char condition[32];
	unsigned entry;
	int rc;

	rc = snap_watch_add(ctx->tgt, root, e, live->native, &writer, &entry);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	snprintf(condition, sizeof(condition), "$rdi == %u", entry);
	rc = live->stop_at(
	    live->arg, hooks->watch, condition, (int)entry, number);
	if (rc == UMDB_OK)
		return UMDB_OK;
	(void)snap_watch_remove(ctx->tgt, root, entry, &writer);
	return error_set(
	    ctx->err, UMDB_ETARGET, 0, "GDB cannot have a breakpoint there");
}

static int
stop_at(struct dcmd_ctx *ctx, taddr_t root, const umem_watch_entry_t *e,
    int *number)
{
	struct snap_hooks hooks;
	int rc;

	rc = snap_hooks(ctx->tgt, root, &hooks);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	if (e->we_ops != 0)
		return stop_at_calls(ctx, &hooks, root, e, number);
	rc = ctx->live->stop_at(
	    ctx->live->arg, hooks.error, NULL, NO_ENTRY, number);
	return rc == UMDB_OK ? rc
			     : error_set(ctx->err, UMDB_ETARGET, 0,
				   "GDB cannot have a breakpoint there");
}

static int
delete_all(struct dcmd_ctx *ctx)
{
	int n = 0;

	if (ctx->live->forget(ctx->live->arg, &n) != UMDB_OK)
		return error_set(
		    ctx->err, UMDB_ETARGET, 0, "GDB could not delete them all");
	out_line(ctx->out, "%d breakpoint%s deleted", n, n == 1 ? "" : "s");
	out_fact_uint(ctx->out, "deleted", OUT_UINT, (uint64_t)n);
	return UMDB_OK;
}

int
dcmd_break(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	umem_watch_entry_t e;
	char wanted[256];
	taddr_t root = 0;
	int number, rc;

	rc = parse_wanted(ctx, args, &e);
	if (rc != UMDB_OK)
		return rc;
	if (ctx->live == NULL)
		return error_set(ctx->err, UMDB_ETARGET, 0,
		    "a core file does not run: there is nothing to stop");
	if (strcmp(args->argv[0], "delete") == 0)
		return delete_all(ctx);
	if (ctx->snap != NULL)
		root = ctx->snap->root_addr;
	else if (ctx->tgt != NULL)
		root = snap_find_root(ctx->tgt);
	if (root != 0) {
		rc = stop_at(ctx, root, &e, &number);
		if (rc == UMDB_OK)
			say_number(ctx, number, &e);
		return rc;
	}
	say_wanted(&e, wanted, sizeof(wanted));
	return error_set(ctx->err, UMDB_EWAIT, 0,
	    "will stop %s, once the program runs and has libumem", wanted);
}

/* ----------------------------------------------------------------- event */

static const struct out_column event_columns[] = {
    {"event", NULL, OUT_TEXT, 0},
    {"fault", NULL, OUT_TEXT, 0},
    {"buffer", NULL, OUT_PIPE, 0},
    {"size", NULL, OUT_SIZE, 0},
    {"cache", NULL, OUT_TEXT, 0},
    {"thread", NULL, OUT_UINT, 0},
};

/* A register of the innermost frame; 0 if there is none. */
static uint64_t
argument(struct dcmd_ctx *ctx, const char *name)
{
	uint64_t value = 0, size;

	if (ctx->lookup == NULL ||
	    ctx->lookup(ctx->lookup_arg, name, &value, &size) != UMDB_OK)
		return 0;
	return value;
}

static uint32_t
this_thread(struct dcmd_ctx *ctx)
{
	const uint64_t num = argument(ctx, "$_thread");
	size_t i;

	for (i = 0; i < ctx->tgt->nthread; i++)
		if (ctx->tgt->thread[i].num == num)
			return ctx->tgt->thread[i].lwp;
	return 0;
}

static void
event_row(struct dcmd_ctx *ctx, const char *event, const char *fault,
    taddr_t buf, const uint64_t *size, const char *cache)
{
	struct out *o = ctx->out;

	out_table(o, event_columns, 6);
	out_row(o);
	out_text(o, event);
	if (fault != NULL)
		out_text(o, fault);
	else
		out_null(o);
	out_uint(o, buf);
	if (size != NULL)
		out_uint(o, *size);
	else
		out_null(o);
	out_text(o, cache);
	out_uint(o, this_thread(ctx));
	out_row_end(o);
	out_table_end(o);
}

static int
event_call(struct dcmd_ctx *ctx)
{
	const uint64_t ops = argument(ctx, "$rsi"),
		       size = argument(ctx, "$rcx");
	const taddr_t buf = argument(ctx, "$rdx"), at = argument(ctx, "$r8");
	const bool alloc = (ops & UMEM_WATCH_ALLOC) != 0;
	char thread[48], bytes[48];
	umem_cache_t c;
	const bool known = snap_cache_at_hook(ctx->tgt, at, &c) == UMDB_OK;
	const char *name = known ? c.cache_name : "?";

	if (size != UINT64_MAX)
		snprintf(bytes, sizeof(bytes), "%" PRIu64 " byte%s", size,
		    size == 1 ? "" : "s");
	else if (known)
		snprintf(bytes, sizeof(bytes), "%" PRIu64 " bytes or less",
		    c.cache_bufsize);
	else
		snprintf(bytes, sizeof(bytes), "some bytes");
	dcmd_thread_name(ctx, this_thread(ctx), thread, sizeof(thread));
	event_row(ctx, alloc ? "alloc" : "free", NULL, buf,
	    size != UINT64_MAX ? &size : NULL, name);
	out_line(ctx->out, "%s %s at 0x%" PRIx64 ", cache %s, by thread %s",
	    alloc ? "allocated" : "about to free", bytes, buf, name, thread);
	return UMDB_OK;
}

/* The last report in the message buffer: from its headline on. */
static const char *
last_report(const char *text)
{
	const char *line, *found = text;

	for (line = text; line != NULL && *line != '\0';
	     line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "umem: ", 6) == 0 && line[6] != ' ' &&
		    strncmp(line + 6, "heap corruption", 15) != 0 &&
		    strncmp(line + 6, "aborting", 8) != 0 &&
		    strncmp(line + 6, "going on", 8) != 0)
			found = line;
	}
	return found;
}

static void
say_report(struct dcmd_ctx *ctx)
{
	const char *line;
	char *text = NULL;
	size_t n;

	if (find_messages(ctx->snap, &text) != UMDB_OK || text == NULL)
		return;
	for (line = last_report(text); *line != '\0'; line += n) {
		n = strcspn(line, "\n");
		out_line(ctx->out, "%.*s", (int)n, line);
		n += line[n] == '\n';
	}
	free(text);
}

/*
 * The report tells everything, as the library saw it.  Behind it the record
 * of the buffer, whose stack the debugger can name better.
 */
static int
event_fault(struct dcmd_ctx *ctx)
{
	const umem_abort_info_t *ab = &ctx->snap->root.root_abort;
	const taddr_t buf = ab->ab_realbuf ? ab->ab_realbuf : ab->ab_buffer;
	const taddr_t cache =
	    ab->ab_realcache ? ab->ab_realcache : ab->ab_cache;
	struct snap_bufctl b;
	char thread[48];

	if (argument(ctx, "$rdi") == 0 || ab->ab_timestamp == 0) {
		event_row(ctx, "panic", NULL, 0, NULL, "?");
		out_line(ctx->out, "the library gives up:");
		say_report(ctx);
		return UMDB_OK;
	}
	event_row(ctx, "fault", find_abort_name(ab->ab_error), buf, NULL,
	    dcmd_cache_name(ctx, cache));
	dcmd_thread_name(ctx, (uint32_t)ab->ab_thread, thread, sizeof(thread));
	out_line(ctx->out, "fault: %s: buffer 0x%" PRIx64 " of %s, thread %s",
	    find_abort_name(ab->ab_error), buf, dcmd_cache_name(ctx, cache),
	    thread);
	if (ab->ab_bufctl != 0 &&
	    snap_read_bufctl(ctx->snap, ab->ab_bufctl, &b) == UMDB_OK)
		dcmd_report_bufctl(ctx, &b);
	if (!out_is_json(ctx->out))
		say_report(ctx);
	return UMDB_OK;
}

int
dcmd_event(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const taddr_t pc = argument(ctx, "$pc");
	struct snap_hooks hooks;
	taddr_t root;
	int rc;

	(void)args;
	if (ctx->live == NULL)
		return error_set(ctx->err, UMDB_ETARGET, 0,
		    "a core file does not run: it stopped for no breakpoint; "
		    "umem status shows a fault that was detected");
	root = snap_find_root(ctx->tgt);
	rc =
	    root != 0 ? snap_hooks(ctx->tgt, root, &hooks) : ctx->tgt->err.code;
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	if (pc != 0 && pc == hooks.watch)
		return event_call(ctx);
	if (pc != 0 && pc == hooks.error) {
		rc = ctx->have_snap(ctx, ctx->have_snap_arg);
		return rc == UMDB_OK ? event_fault(ctx) : rc;
	}
	return error_set(ctx->err, UMDB_ENOTFOUND, 0,
	    "the thread did not stop at a breakpoint of umem break, or not in "
	    "its innermost frame");
}
