/* SPDX-License-Identifier: MIT */
/*
 * walker.c - the table of walkers; umem walk, umem walkers
 *
 * What a walk starts from is a word of the user or an address from a pipe.
 * It is made out here, so that a walker starts with what it needs.
 *
 * Layer: see walker.h.
 */
#include "walker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_info.h"

const struct walker walkers[] = {
    {"umem_cache", "", "caches, in order of creation", START_NONE, false,
	walker_caches},
    {"umem_slab", "CACHE", "slabs of a cache: full ones, then others",
	START_CACHE, false, walker_slabs},
    {"umem_slab_partial", "CACHE", "slabs with buffers that are free in them",
	START_CACHE, false, walker_slabs_partial},
    {"umem_hash", "CACHE", "bufctls of all buffers that left their slab",
	START_CACHE, false, walker_hash},
    {"umem", "[CACHE]", "allocated buffers", START_CACHE, true, walker_umem},
    {"freemem", "[CACHE]", "free buffers, wherever they lie", START_CACHE, true,
	walker_freemem},
    {"bufctl", "[CACHE]", "bufctls of allocated buffers", START_CACHE, true,
	walker_bufctl},
    {"freectl", "[CACHE]", "bufctls of free buffers", START_CACHE, true,
	walker_freectl},
    {"slab_free", "[CACHE|SLAB]", "buffers that are free in their slab",
	START_SLAB, true, walker_slab_free},
    {"depot", "[CACHE]", "buffers that are free in magazines of the depot",
	START_CACHE, true, walker_depot},
    {"thread_free", "[CACHE]", "buffers that are free in thread caches",
	START_CACHE, true, walker_thread_free},
    {"umem_ptc_SIZE", "[THREAD]",
	"buffers of umem_alloc_SIZE that are free in a thread's cache",
	START_THREAD, true, walker_ptc},
    {"thread_cache", "[THREAD]", "thread caches", START_THREAD, true,
	walker_thread_cache},
    {"magazine", "[CACHE|THREAD_CACHE]",
	"magazines, in the depot and in thread caches", START_HOLDER, true,
	walker_magazine},
    {"round", "MAGAZINE", "what stands in a magazine", START_MAGAZINE, false,
	walker_round},
    {"pagemap", "", "slabs by address, as the page map has them", START_NONE,
	false, walker_pagemap},
    {"umem_cpu", "", "none: see thread_cache", START_NONE, false,
	walker_no_cpu},
    {"umem_cpu_cache", "[CACHE]", "none: see thread_cache", START_CACHE, true,
	walker_no_cpu},
    {"umem_log", "[LOG]", "records of a log, newest first", START_LOG, true,
	walker_log},
    {"bufctl_history", "BUFCTL",
	"a buffer's record and older ones, newest first", START_RECORD, false,
	walker_history},
    {"allocdby", "THREAD", "bufctls of what a thread allocated, newest first",
	START_ADDR, false, walker_by},
    {"freedby", "THREAD", "bufctls of what a thread freed, newest first",
	START_ADDR, false, walker_by},
    {"vmem", "[ARENA]", "arenas, each before those that import from it",
	START_ARENA, true, walker_vmem},
    {"vmem_postfix", "[ARENA]", "arenas, each behind those that import from it",
	START_ARENA, true, walker_vmem_postfix},
    {"vmem_seg", "ARENA", "segments of an arena, spans included", START_ARENA,
	false, walker_segs},
    {"vmem_alloc", "ARENA", "allocated segments", START_ARENA, false,
	walker_seg_alloc},
    {"vmem_free", "ARENA", "free segments", START_ARENA, false,
	walker_seg_free},
    {"vmem_span", "ARENA", "spans: what an arena was given", START_ARENA, false,
	walker_seg_span},
    {"leak", "[LEAK]", "leaks: a bufctl each, or a buffer without audit",
	START_ADDR, true, walker_leak},
    {"leakbuf", "[LEAK]", "leaked buffers", START_ADDR, true, walker_leakbuf},
};
const size_t nwalker = sizeof(walkers) / sizeof(walkers[0]);

/* The rows for every cache's name. */
static const struct walker cache_walker = {"CACHE", "",
    "allocated buffers of the cache of that name", START_NONE, false,
    walker_umem};

/* "umem_ptc_SIZE" matches a name that goes on in digits there. */
static bool
name_matches(const char *pattern, const char *name)
{
	const size_t n = strcspn(pattern, "S");

	if (strcmp(pattern, name) == 0)
		return true;
	return strcmp(pattern + n, "SIZE") == 0 &&
	       strncmp(pattern, name, n) == 0 && name[n] != '\0' &&
	       strspn(name + n, "0123456789") == strlen(name + n);
}

const struct walker *
walker_find(const char *name)
{
	size_t i;

	for (i = 0; i < nwalker; i++)
		if (name_matches(walkers[i].name, name))
			return &walkers[i];
	return NULL;
}

int
walker_fail(struct walker_run *r, int rc)
{
	return rc == UMDB_OK ? UMDB_OK : dcmd_fail_target(r->ctx, rc);
}

static const struct out_column walk_columns[] = {{"addr", NULL, OUT_PIPE, 0}};

int
walker_give(struct walker_run *r, taddr_t addr)
{
	struct out *o = r->ctx->out;

	r->count++;
	if (out_is_json(o)) {
		out_row(o);
		out_uint(o, addr);
		out_row_end(o);
	} else {
		out_line(o, "0x%" PRIx64, addr);
	}
	return out_stopped(o) ? WALK_STOP : WALK_NEXT;
}

/* ------------------------------------------------------------ where to start */

static int
start_cache(struct walker_run *r)
{
	struct dcmd_ctx *ctx = r->ctx;
	struct umdb_error err;
	taddr_t addr;
	int rc;

	rc = snap_cache_named(ctx->snap, r->text, &r->cache);
	if (rc == UMDB_OK)
		return UMDB_OK;
	err = ctx->tgt->err;
	if (dcmd_address(ctx, r->text, &addr) == UMDB_OK) {
		r->cache = snap_cache_at(ctx->snap, addr);
		if (r->cache != NULL)
			return UMDB_OK;
	}
	*ctx->err = err;
	return rc;
}

static int
start_arena(struct walker_run *r)
{
	const struct snap *snap = r->ctx->snap;
	uint32_t i;

	for (i = 0; i < snap->narena; i++)
		if (strcmp(snap->arena[i].v.vm_name, r->text) == 0)
			r->arena = &snap->arena[i];
	if (r->arena != NULL)
		return UMDB_OK;
	if (dcmd_address(r->ctx, r->text, &r->addr) == UMDB_OK)
		for (i = 0; i < snap->narena; i++)
			if (snap->arena[i].addr == r->addr)
				r->arena = &snap->arena[i];
	if (r->arena != NULL)
		return UMDB_OK;
	return error_set(r->ctx->err, UMDB_ENOTFOUND, 0,
	    "there is no arena %.80s; umem stat lists them", r->text);
}

static int
start_thread(struct walker_run *r)
{
	const struct snap *snap = r->ctx->snap;
	uint32_t i;
	int rc;

	if (dcmd_address(r->ctx, r->text, &r->addr) == UMDB_OK)
		for (i = 0; i < snap->ntcache; i++)
			if (snap->tcache[i].addr == r->addr)
				return UMDB_OK;
	rc = dcmd_thread(r->ctx, r->text, &r->thread);
	if (rc != UMDB_OK)
		return rc;
	for (i = 0; i < snap->ntcache; i++) {
		if (snap->tcache[i].tid == r->thread) {
			r->addr = snap->tcache[i].addr;
			return UMDB_OK;
		}
	}
	return error_set(r->ctx->err, UMDB_ENOTFOUND, 0,
	    "thread %.80s has no cache", r->text);
}

/* The log of that name, or at that address; without a text the first one. */
static int
start_log(struct walker_run *r)
{
	struct log_info info;
	unsigned which;
	int rc;

	for (which = 0; which < FIND_LOGS; which++) {
		rc = find_log(r->ctx->snap, which, &info);
		if (rc != UMDB_OK)
			return walker_fail(r, rc);
		if (r->text != NULL && strcmp(r->text, info.name) != 0)
			continue;
		if (info.addr == 0)
			return error_set(r->ctx->err, UMDB_ENOTFOUND, 0,
			    "the %s log is off: run the program with "
			    "UMEM_LOGGING=%s",
			    info.name, info.name);
		r->addr = info.addr;
		return UMDB_OK;
	}
	return dcmd_address(r->ctx, r->text, &r->addr);
}

static int
start_slab(struct walker_run *r)
{
	struct dcmd_ctx *ctx = r->ctx;
	struct whatis what;
	int rc;

	rc = start_cache(r);
	if (rc == UMDB_OK)
		return UMDB_OK;
	if (dcmd_address(ctx, r->text, &r->addr) != UMDB_OK)
		return error_set(ctx->err, UMDB_ENOTFOUND, 0,
		    "%.80s is neither a cache nor an address", r->text);
	rc = find_whatis(ctx->snap, r->addr, &what);
	if (rc != UMDB_OK)
		return walker_fail(r, rc);
	r->slab = what.slab;
	if (r->slab == NULL)
		return error_set(ctx->err, UMDB_ENOTFOUND, r->addr,
		    "0x%" PRIx64 " is neither a cache nor in a slab", r->addr);
	return UMDB_OK;
}

static int
start_holder(struct walker_run *r)
{
	const struct snap *snap = r->ctx->snap;
	uint32_t i;

	if (start_cache(r) == UMDB_OK)
		return UMDB_OK;
	if (dcmd_address(r->ctx, r->text, &r->addr) == UMDB_OK)
		for (i = 0; i < snap->ntcache; i++)
			if (snap->tcache[i].addr == r->addr)
				return UMDB_OK;
	return error_set(r->ctx->err, UMDB_ENOTFOUND, r->addr,
	    "%.80s is neither a cache nor a thread cache", r->text);
}

static int
start_record(struct walker_run *r)
{
	struct snap_bufctl b;
	int rc;

	rc = dcmd_address(r->ctx, r->text, &r->addr);
	if (rc == UMDB_OK)
		rc = dcmd_record(r->ctx, r->addr, &b);
	if (rc == UMDB_OK)
		r->addr = b.addr;
	return rc;
}

static int
find_start(struct walker_run *r)
{
	switch (r->w->start) {
	case START_NONE:
		return dcmd_usage_error(r->ctx->dcmd, r->ctx->err,
		    "walker %s starts from nothing", r->w->name);
	case START_CACHE:
		return start_cache(r);
	case START_ARENA:
		return start_arena(r);
	case START_THREAD:
		return start_thread(r);
	case START_LOG:
		return start_log(r);
	case START_SLAB:
		return start_slab(r);
	case START_HOLDER:
		return start_holder(r);
	case START_RECORD:
		return start_record(r);
	case START_MAGAZINE:
	case START_ADDR:
		return dcmd_address(r->ctx, r->text, &r->addr);
	}
	return UMDB_OK;
}

/* --------------------------------------------------------- umem walk NAME */

/* The walker of a name, which may be that of a cache. */
static int
find_walker(struct walker_run *r, const char *name)
{
	struct dcmd_ctx *ctx = r->ctx;

	r->w = walker_find(name);
	if (r->w != NULL)
		return UMDB_OK;
	if (snap_cache_named(ctx->snap, name, &r->cache) == UMDB_OK &&
	    strcmp(r->cache->c.cache_name, name) == 0) {
		r->w = &cache_walker;
		return UMDB_OK;
	}
	return error_set(ctx->err, UMDB_EUSAGE, 0,
	    "there is no walker and no cache %.80s; \"umem walkers\" lists "
	    "the walkers",
	    name);
}

static int
walk(struct walker_run *r, const char *name)
{
	int rc;

	rc = find_walker(r, name);
	if (rc != UMDB_OK)
		return rc;
	if (r->text == NULL && r->w->start == START_LOG)
		return start_log(r);
	if (r->text != NULL)
		return find_start(r);
	if (r->w->start != START_NONE && !r->w->optional)
		return dcmd_usage_error(r->ctx->dcmd, r->ctx->err,
		    "walker %s needs a start: walk %s %s", name, name,
		    r->w->usage);
	return UMDB_OK;
}

int
dcmd_walk(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct walker_run r = {.ctx = ctx};
	int rc;

	if (args->argc == 0)
		return dcmd_walkers(ctx, args);
	r.name = args->argv[0];
	r.text = args->argc > 1 ? args->argv[1] : NULL;
	rc = walk(&r, r.name);
	if (rc != UMDB_OK)
		return rc;
	if (out_is_json(ctx->out))
		out_table(ctx->out, walk_columns, 1);
	rc = r.w->run(&r);
	if (out_is_json(ctx->out))
		out_table_end(ctx->out);
	out_fact_text(ctx->out, "walker", r.name);
	out_fact_uint(ctx->out, "count", OUT_UINT, r.count);
	return rc;
}

/* ------------------------------------------------------------ umem walkers */

static const struct out_column list_columns[] = {
    {"name", "NAME", OUT_TEXT, 0},
    {"start", "START", OUT_TEXT, 0},
    {"visits", "VISITS", OUT_TEXT, 0},
};

static void
list_row(struct out *o, const struct walker *w)
{
	out_row(o);
	out_text(o, w->name);
	out_text(o, w->usage);
	out_text(o, w->summary);
	out_row_end(o);
}

int
dcmd_walkers(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	size_t i;

	(void)args;
	out_table(ctx->out, list_columns, 3);
	for (i = 0; i < nwalker; i++)
		list_row(ctx->out, &walkers[i]);
	list_row(ctx->out, &cache_walker);
	out_table_end(ctx->out);
	return UMDB_OK;
}
