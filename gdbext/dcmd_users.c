/* SPDX-License-Identifier: MIT */
/*
 * dcmd_users.c - umem users, umem allocdby, umem freedby
 *
 * What the records of audited buffers say of those who hold memory.
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "dcmd_sample.h"
#include "find_users.h"

/* Groups below both are left out unless -e is given. */
#define USERS_BYTES 8192u
#define USERS_COUNT 100u

int
dcmd_need_audit(struct dcmd_ctx *ctx)
{
	uint32_t i;

	for (i = 0; i < ctx->snap->ncache; i++)
		if (find_cache_is_clients(&ctx->snap->cache[i]) &&
		    ctx->snap->cache[i].c.cache_bufctl_size != 0)
			return UMDB_OK;
	return error_set(ctx->err, UMDB_ENOTFOUND, 0,
	    "UMF_AUDIT is not enabled for any cache: run the program with "
	    "UMEM_DEBUG=audit, or default");
}

/* ----------------------------------------------------------------- users */

static const struct out_column user_columns[] = {
    {"type", NULL, OUT_TEXT, 0},
    {"bytes", NULL, OUT_UINT, 0},
    {"count", NULL, OUT_UINT, 0},
    {"bufsize", NULL, OUT_UINT, 0},
    {"size_min", NULL, OUT_UINT, 0},
    {"size_max", NULL, OUT_UINT, 0},
    {"oldest", NULL, OUT_TIME, 0},
    {"bufctl", NULL, OUT_ADDR, 0},
    {"stack", NULL, OUT_STACK, 0},
};

static const struct out_column allocation_columns[] = {
    {"type", NULL, OUT_TEXT, 0},
    {"size", "SIZE", OUT_UINT, 6},
    {"addr", "ADDR", OUT_ADDR, -14},
    {"bufctl", "BUFCTL", OUT_ADDR, -14},
    {"cache", "CACHE", OUT_TEXT, 0},
    {NULL, "THREAD", OUT_TEXT, 0},
    {"thread", NULL, OUT_UINT, 0},
    {"time", NULL, OUT_TIME, 0},
    {"stack", "STACK", OUT_STACK, 0},
};

#define NCOL(columns) (sizeof(columns) / sizeof((columns)[0]))

static int
users_allocation(struct snap *snap, const struct audited *a, void *arg)
{
	struct dcmd_ctx *ctx = arg;
	char thread[48];

	if (out_stopped(ctx->out))
		return WALK_STOP;
	dcmd_thread_name(ctx, a->b->bc.bc_thread, thread, sizeof(thread));
	out_row(ctx->out);
	out_text(ctx->out, "allocation");
	out_uint(ctx->out, a->size);
	out_uint(ctx->out, a->b->bc.bc_addr);
	out_uint(ctx->out, a->b->addr);
	out_text(ctx->out, snap->cache[a->slab->cache].c.cache_name);
	out_text(ctx->out, thread);
	out_uint(ctx->out, a->b->bc.bc_thread);
	out_uint(ctx->out, a->b->bc.bc_timestamp);
	out_stack(ctx->out, a->b->stack, a->b->depth);
	out_row_end(ctx->out);
	return WALK_NEXT;
}

/* -f: every allocation, before the groups. */
static int
users_allocations(struct dcmd_ctx *ctx, const bool *wanted)
{
	int rc;

	out_table(ctx->out, allocation_columns, NCOL(allocation_columns));
	rc = find_audited(
	    ctx->snap, wanted, 1u << BUF_ALLOCATED, users_allocation, ctx);
	out_table_end(ctx->out);
	return rc == UMDB_OK ? UMDB_OK : dcmd_fail_target(ctx, rc);
}

static void
user_row(struct dcmd_ctx *ctx, const struct user *u)
{
	out_row(ctx->out);
	out_text(ctx->out, "group");
	out_uint(ctx->out, u->bytes);
	out_uint(ctx->out, u->count);
	if (u->bufsize != 0)
		out_uint(ctx->out, u->bufsize);
	else
		out_null(ctx->out);
	out_uint(ctx->out, u->least);
	out_uint(ctx->out, u->most);
	out_uint(ctx->out, u->oldest);
	out_uint(ctx->out, u->bufctl);
	out_stack(ctx->out, u->stack, u->depth);
	out_row_end(ctx->out);
}

static void
user_lines(struct dcmd_ctx *ctx, const struct user *u)
{
	char sizes[64];

	if (u->least == u->most)
		snprintf(sizes, sizeof(sizes), "size %" PRIu64, u->least);
	else
		snprintf(sizes, sizeof(sizes), "sizes %" PRIu64 " to %" PRIu64,
		    u->least, u->most);
	out_line(ctx->out,
	    "%" PRIu64 " bytes for %" PRIu64 " allocation%s with data %s:",
	    u->bytes, u->count, u->count == 1 ? "" : "s", sizes);
	if (u->depth == 0)
		out_line(ctx->out, "        no frames were recorded");
	out_frames(ctx->out, u->stack, u->depth);
}

static void
users_sample(struct sampler *x, void *arg)
{
	const struct users *users = arg;
	size_t i;

	for (i = 0; i < users->nuser && !x->stopped; i++) {
		const struct user *u = &users->user[i];
		struct sample *p =
		    sampler_add(x, NULL, NULL, u->stack, u->depth);

		p->count[0] += u->count;
		p->bytes[0] += u->bytes;
	}
}

/* Why there is no group: no buffer, or none with a record to go by. */
static void
users_none(struct dcmd_ctx *ctx, const bool *wanted)
{
	const struct snap *snap = ctx->snap;
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < snap->ncache; i++)
		if (wanted != NULL ? wanted[i]
				   : find_cache_is_clients(&snap->cache[i]))
			n += snap->cache[i].nalloc;
	if (n == 0)
		out_line(ctx->out, "nothing is allocated there");
	else
		out_line(ctx->out,
		    "no record says who holds the %" PRIu64
		    " buffer%s allocated there",
		    n, n == 1 ? "" : "s");
}

static void
users_show(struct dcmd_ctx *ctx, const struct users *users, const bool *wanted,
    bool every)
{
	uint64_t hidden = 0, hidden_bytes = 0;
	char size[32];
	size_t i;

	out_table(ctx->out, user_columns, NCOL(user_columns));
	for (i = 0; i < users->nuser && !out_stopped(ctx->out); i++) {
		const struct user *u = &users->user[i];

		if (!every && u->bytes < USERS_BYTES &&
		    u->count < USERS_COUNT) {
			hidden++;
			hidden_bytes += u->bytes;
			continue;
		}
		if (out_is_json(ctx->out))
			user_row(ctx, u);
		else
			user_lines(ctx, u);
	}
	out_table_end(ctx->out);
	out_size_text(hidden_bytes, size, sizeof(size));
	if (hidden > 0 && !ctx->loop)
		out_line(ctx->out,
		    "%" PRIu64
		    " group%s of less than 8192 bytes and 100 allocations, "
		    "together %s: -e shows all",
		    hidden, hidden == 1 ? "" : "s", size);
	else if (users->nuser == 0 && !ctx->loop)
		users_none(ctx, wanted);
	out_fact_uint(ctx->out, "groups", OUT_UINT, users->nuser);
	out_fact_uint(ctx->out, "allocations", OUT_UINT, users->count);
	out_fact_uint(ctx->out, "bytes", OUT_SIZE, users->bytes);
	out_fact_uint(ctx->out, "hidden", OUT_UINT, hidden);
	out_fact_uint(ctx->out, "hidden_bytes", OUT_SIZE, hidden_bytes);
}

/* The caches that are named; those without records are said to have none. */
static int
users_caches(struct dcmd_ctx *ctx, const struct dcmd_args *args, bool *wanted)
{
	const struct snap_cache *c;
	int i, rc;

	for (i = 0; i < args->argc; i++) {
		rc = snap_cache_named(ctx->snap, args->argv[i], &c);
		if (rc != UMDB_OK)
			return dcmd_fail_target(ctx, rc);
		if (c->c.cache_bufctl_size == 0 && !ctx->loop)
			out_note(ctx->out, "UMF_AUDIT is not enabled for %s",
			    c->c.cache_name);
		wanted[c - ctx->snap->cache] = true;
	}
	return UMDB_OK;
}

static int
users_run(
    struct dcmd_ctx *ctx, const struct dcmd_args *args, const bool *wanted)
{
	struct users *users;
	int rc = UMDB_OK;

	if (args->opt['f'] != NULL)
		rc = users_allocations(ctx, wanted);
	if (rc != UMDB_OK)
		return rc;
	rc = find_users(ctx->snap, wanted, &users);
	if (rc != UMDB_OK)
		return dcmd_fail_target(ctx, rc);
	users_show(ctx, users, wanted, args->opt['e'] != NULL);
	rc = dcmd_profile(ctx, args, PROFILE_NOTHING, users_sample, users);
	find_users_free(users);
	return rc;
}

int
dcmd_users(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	bool *wanted;
	int rc;

	rc = dcmd_need_audit(ctx);
	if (rc != UMDB_OK)
		return rc;
	if (args->argc == 0)
		return users_run(ctx, args, NULL);
	wanted = calloc((size_t)ctx->snap->ncache + 1, sizeof(*wanted));
	if (wanted == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	rc = users_caches(ctx, args, wanted);
	if (rc == UMDB_OK)
		rc = users_run(ctx, args, wanted);
	free(wanted);
	return rc;
}

/* ------------------------------------------------------ allocdby, freedby */

static const struct out_column by_columns[] = {
    {"bufctl", "BUFCTL", OUT_PIPE, -14},
    {"addr", "BUFADDR", OUT_ADDR, -14},
    {"size", "SIZE", OUT_UINT, 6},
    {"cache", "CACHE", OUT_TEXT, 0},
    {"time", "TIMESTAMP", OUT_TIME, 16},
    {NULL, "CALLER", OUT_TEXT, 0},
    {"thread", NULL, OUT_UINT, 0},
    {"stack", NULL, OUT_STACK, 0},
};

struct by_entry {
	uint64_t timestamp;
	taddr_t bufctl;
};

struct by_list {
	uint32_t thread;
	uint8_t kind; /* of its last transaction */
	struct by_entry *entry;
	size_t n, room;
};

static int
by_collect(struct snap *snap, const struct audited *a, void *arg)
{
	struct by_list *l = arg;
	struct by_entry *more;

	if (a->b->bc.bc_thread != l->thread || a->b->bc.bc_kind != l->kind)
		return WALK_NEXT;
	if (l->n == l->room) {
		l->room = l->room == 0 ? 1024 : l->room * 2;
		more = realloc(l->entry, l->room * sizeof(*more));
		if (more == NULL)
			return target_fail(
			    snap->tgt, UMDB_ENOMEM, 0, "out of memory");
		l->entry = more;
	}
	l->entry[l->n].timestamp = a->b->bc.bc_timestamp;
	l->entry[l->n++].bufctl = a->b->addr;
	return WALK_NEXT;
}

/* Newest first. */
static int
by_compare(const void *a, const void *b)
{
	const struct by_entry *x = a, *y = b;

	if (x->timestamp != y->timestamp)
		return x->timestamp > y->timestamp ? -1 : 1;
	return x->bufctl < y->bufctl ? -1 : x->bufctl > y->bufctl;
}

static void
by_row(struct dcmd_ctx *ctx, const struct snap_bufctl *b)
{
	char caller[512] = "?";

	if (b->depth > 0 && !out_is_json(ctx->out))
		out_frame_text(ctx->out, b->stack[0], caller, sizeof(caller));
	out_row(ctx->out);
	out_uint(ctx->out, b->addr);
	out_uint(ctx->out, b->bc.bc_addr);
	out_uint(ctx->out, b->bc.bc_size);
	out_text(ctx->out, dcmd_cache_name(ctx, b->bc.bc_cache));
	out_uint(ctx->out, b->bc.bc_timestamp);
	out_text(ctx->out, caller);
	out_uint(ctx->out, b->bc.bc_thread);
	out_stack(ctx->out, b->stack, b->depth);
	out_row_end(ctx->out);
}

static void
by_show(struct dcmd_ctx *ctx, const struct by_list *l)
{
	struct snap_bufctl b;
	char thread[48];
	size_t i;

	dcmd_thread_name(ctx, l->thread, thread, sizeof(thread));
	out_table(ctx->out, by_columns, NCOL(by_columns));
	for (i = 0; i < l->n && !out_stopped(ctx->out); i++)
		if (snap_read_bufctl(ctx->snap, l->entry[i].bufctl, &b) ==
		    UMDB_OK)
			by_row(ctx, &b);
	out_table_end(ctx->out);
	/* a note, since what feeds a pipe has no lines */
	if (l->n == 0 && !ctx->loop)
		out_note(ctx->out, "no %s buffer was last touched by thread %s",
		    l->kind == UMEM_BC_ALLOC ? "allocated" : "free", thread);
	out_fact_uint(ctx->out, "thread", OUT_UINT, l->thread);
	out_fact_uint(ctx->out, "buffers", OUT_UINT, l->n);
}

static int
by_thread(struct dcmd_ctx *ctx, const struct dcmd_args *args, unsigned states,
    uint8_t kind)
{
	struct by_list l = {.kind = kind};
	int rc;

	rc = dcmd_need_audit(ctx);
	if (rc == UMDB_OK)
		rc = dcmd_thread(ctx, args->argv[0], &l.thread);
	if (rc != UMDB_OK)
		return rc;
	rc = find_audited(ctx->snap, NULL, states, by_collect, &l);
	if (rc == UMDB_OK) {
		if (l.n > 1)
			qsort(l.entry, l.n, sizeof(*l.entry), by_compare);
		by_show(ctx, &l);
	}
	free(l.entry);
	return rc == UMDB_OK ? UMDB_OK : dcmd_fail_target(ctx, rc);
}

int
dcmd_allocdby(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	return by_thread(ctx, args, 1u << BUF_ALLOCATED, UMEM_BC_ALLOC);
}

int
dcmd_freedby(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const unsigned states =
	    1u << BUF_FREE_SLAB | 1u << BUF_FREE_DEPOT | 1u << BUF_FREE_THREAD;

	return by_thread(ctx, args, states, UMEM_BC_FREE);
}
