/* SPDX-License-Identifier: MIT */
/*
 * dcmd_status.c - umem status, umem stat
 *
 * Layer: see dcmd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "find_arena.h"
#include "find_info.h"

/* ---------------------------------------------------------------- status */

static const char *
ready_name(int32_t ready)
{
	switch (ready) {
	case UMEM_READY_FAILED:
		return "initialization failed";
	case UMEM_READY_STARTUP:
		return "uninitialized";
	case UMEM_READY_INITING:
		return "initialization in process";
	case UMEM_READY:
		return "ready and active";
	default:
		return "unknown";
	}
}

enum status_col {
	STATUS_STATUS,
	STATUS_TARGET,
	STATUS_RELEASE,
	STATUS_LAYOUT,
	STATUS_PID,
	STATUS_FLAGS,
	STATUS_FLAG_NAMES,
	STATUS_DEPTH,
	STATUS_DEBUG,
	STATUS_LOGGING,
	STATUS_OPTIONS,
	STATUS_ACTIVE,
	STATUS_LOGS,
	STATUS_HEAP,
	STATUS_META,
	STATUS_STACKS,
	STATUS_LOGMEM,
	STATUS_BUFFERS,
	STATUS_BYTES,
	STATUS_FAULT,
	STATUS_MESSAGES,
	STATUS_NCOL,
};

static const struct out_column status_columns[STATUS_NCOL] = {
    [STATUS_STATUS] = {"status", NULL, OUT_TEXT, 0},
    [STATUS_TARGET] = {"target", NULL, OUT_TEXT, 0},
    [STATUS_RELEASE] = {"release", NULL, OUT_TEXT, 0},
    [STATUS_LAYOUT] = {"layout", NULL, OUT_UINT, 0},
    [STATUS_PID] = {"pid", NULL, OUT_UINT, 0},
    [STATUS_FLAGS] = {"flags", NULL, OUT_HEX, 0},
    [STATUS_FLAG_NAMES] = {"flag_names", NULL, OUT_TEXT, 0},
    [STATUS_DEPTH] = {"stack_depth", NULL, OUT_UINT, 0},
    [STATUS_DEBUG] = {"UMEM_DEBUG", NULL, OUT_TEXT, 0},
    [STATUS_LOGGING] = {"UMEM_LOGGING", NULL, OUT_TEXT, 0},
    [STATUS_OPTIONS] = {"UMEM_OPTIONS", NULL, OUT_TEXT, 0},
    [STATUS_ACTIVE] = {"logging", NULL, OUT_BOOL, 0},
    [STATUS_LOGS] = {"logs", NULL, OUT_LIST, 0},
    [STATUS_HEAP] = {"heap_bytes", NULL, OUT_SIZE, 0},
    [STATUS_META] = {"meta_bytes", NULL, OUT_SIZE, 0},
    [STATUS_STACKS] = {"stack_bytes", NULL, OUT_SIZE, 0},
    [STATUS_LOGMEM] = {"log_bytes", NULL, OUT_SIZE, 0},
    [STATUS_BUFFERS] = {"buffers", NULL, OUT_UINT, 0},
    [STATUS_BYTES] = {"buffer_bytes", NULL, OUT_SIZE, 0},
    [STATUS_FAULT] = {"faults", NULL, OUT_LIST, 0},
    [STATUS_MESSAGES] = {"messages", NULL, OUT_TEXT, 0},
};

/* Memory of the library, by kind, and what clients hold of it. */
struct status_memory {
	uint64_t kind[UMEM_RG_LOG + 1], all;
	uint64_t buffers, bytes;
};

static void
status_memory(const struct snap *snap, struct status_memory *m)
{
	size_t i;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < snap->nregion; i++) {
		m->all += snap->region[i].rg_size;
		if (snap->region[i].rg_kind <= UMEM_RG_LOG)
			m->kind[snap->region[i].rg_kind] +=
			    snap->region[i].rg_size;
	}
	for (i = 0; i < snap->nslab; i++) {
		const struct snap_slab *s = &snap->slab[i];
		uint32_t n;

		if (snap->cache[s->cache].c.cache_cflags & UMC_INTERNAL &&
		    !(snap->cache[s->cache].c.cache_flags & UMF_MALLOC) &&
		    !(snap->cache[s->cache].c.cache_flags & UMF_LARGE))
			continue;
		for (n = 0; n < s->nchunk; n++) {
			if (snap_buf_state(snap, s, n) != BUF_ALLOCATED)
				continue;
			m->buffers++;
			m->bytes += s->bufsize;
		}
	}
}

static const char *
env_text(const char *env)
{
	return env[0] != '\0' ? env : "(not set)";
}

static void
status_logs(struct dcmd_ctx *ctx, char *line, size_t size)
{
	struct log_info info;
	char bytes[32];
	size_t len = 0;
	unsigned i;

	line[0] = '\0';
	out_list_begin(ctx->out);
	for (i = 0; i < FIND_LOGS; i++) {
		if (find_log(ctx->snap, i, &info) != UMDB_OK) {
			out_note(ctx->out, "%s", ctx->tgt->err.msg);
			continue;
		}
		if (info.addr == 0)
			continue;
		out_item_begin(ctx->out);
		out_item_text(ctx->out, "name", info.name);
		out_item_uint(ctx->out, "addr", OUT_ADDR, info.addr);
		out_item_uint(ctx->out, "bytes", OUT_SIZE, info.bytes);
		out_item_uint(ctx->out, "written", OUT_UINT, info.written);
		out_item_end(ctx->out);
		out_size_text(info.bytes, bytes, sizeof(bytes));
		if (len < size)
			len += (size_t)snprintf(line + len, size - len,
			    "%s%s=%s (%" PRIu64 " record%s)", len ? ", " : "",
			    info.name, bytes, info.written,
			    info.written == 1 ? "" : "s");
	}
	out_list_end(ctx->out);
	if (len == 0)
		snprintf(line, size, "none");
}

static void
status_fault(struct dcmd_ctx *ctx)
{
	const umem_abort_info_t *ab = &ctx->snap->root.root_abort;

	out_list_begin(ctx->out);
	if (ab->ab_timestamp != 0) {
		out_item_begin(ctx->out);
		out_item_text(ctx->out, "fault", find_abort_name(ab->ab_error));
		out_item_uint(ctx->out, "error", OUT_UINT, ab->ab_error);
		out_item_uint(ctx->out, "time", OUT_TIME, ab->ab_timestamp);
		out_item_uint(ctx->out, "given", OUT_ADDR, ab->ab_buffer);
		out_item_uint(ctx->out, "buffer", OUT_ADDR, ab->ab_realbuf);
		out_item_text(ctx->out, "cache",
		    dcmd_cache_name(ctx,
			ab->ab_realcache ? ab->ab_realcache : ab->ab_cache));
		out_item_uint(ctx->out, "bufctl", OUT_ADDR, ab->ab_bufctl);
		out_item_uint(ctx->out, "thread", OUT_UINT, ab->ab_thread);
		out_item_end(ctx->out);
	}
	out_list_end(ctx->out);
}

static void
status_fault_lines(struct dcmd_ctx *ctx)
{
	const umem_abort_info_t *ab = &ctx->snap->root.root_abort;
	char thread[48];

	if (ab->ab_timestamp == 0)
		return;
	dcmd_thread_name(ctx, (uint32_t)ab->ab_thread, thread, sizeof(thread));
	out_line(ctx->out, "Fault:          %s", find_abort_name(ab->ab_error));
	out_line(ctx->out,
	    "                buffer 0x%" PRIx64 " of %s, thread %s",
	    ab->ab_realbuf ? ab->ab_realbuf : ab->ab_buffer,
	    dcmd_cache_name(
		ctx, ab->ab_realcache ? ab->ab_realcache : ab->ab_cache),
	    thread);
}

static void
status_message_lines(struct dcmd_ctx *ctx, char *text)
{
	char *line, *save = NULL;

	if (text[0] == '\0') {
		out_line(ctx->out, "Message buffer: empty");
		return;
	}
	out_line(ctx->out, "Message buffer:");
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		out_line(ctx->out, "%s", line);
}

static void
status_lines(
    struct dcmd_ctx *ctx, const char *logs, const struct status_memory *m)
{
	const umem_root_t *r = &ctx->snap->root;
	char flags[160], all[32], heap[32], meta[32], log[32], bytes[32];
	char stacks[32];

	dcmd_flag_names(r->root_flags, flags, sizeof(flags));
	out_size_text(m->all, all, sizeof(all));
	out_size_text(m->kind[UMEM_RG_HEAP], heap, sizeof(heap));
	out_size_text(m->kind[UMEM_RG_META], meta, sizeof(meta));
	out_size_text(
	    r->root_trace_end * sizeof(uint64_t), stacks, sizeof(stacks));
	out_size_text(m->kind[UMEM_RG_LOG], log, sizeof(log));
	out_size_text(m->bytes, bytes, sizeof(bytes));
	out_line(ctx->out, "Status:         %s", ready_name(r->root_ready));
	out_line(ctx->out, "Release:        %.32s, layout %" PRIu32,
	    r->root_release, r->root_version);
	out_line(ctx->out, "Process:        %" PRIu32 ", read from %s",
	    r->root_pid, ctx->tgt->ops->name);
	out_line(
	    ctx->out, "UMEM_DEBUG:     %.128s", env_text(r->root_env_debug));
	out_line(
	    ctx->out, "UMEM_LOGGING:   %.128s", env_text(r->root_env_logging));
	out_line(
	    ctx->out, "UMEM_OPTIONS:   %.128s", env_text(r->root_env_options));
	out_line(ctx->out, "Flags:          %s", flags);
	if (r->root_flags & UMF_AUDIT)
		out_line(
		    ctx->out, "Stack depth:    %" PRIu32, r->root_stack_depth);
	out_line(ctx->out, "Logs:           %s%s", logs,
	    r->root_logging == 0 && strcmp(logs, "none") != 0
		? "; no longer written"
		: "");
	out_line(ctx->out,
	    "Memory:         %s from the system: heap %s, structures %s "
	    "(stacks %s), logs %s",
	    all, heap, meta, stacks, log);
	out_line(ctx->out, "In use:         %" PRIu64 " buffers, %s",
	    m->buffers, bytes);
}

static int
status_unreadable(struct dcmd_ctx *ctx)
{
	static const struct out_column col[] = {
	    {"status", NULL, OUT_TEXT, 0},
	    {"reason", NULL, OUT_TEXT, 0},
	};

	out_table(ctx->out, col, 2);
	out_row(ctx->out);
	out_text(ctx->out, "not readable");
	out_text(ctx->out, ctx->err->msg);
	out_row_end(ctx->out);
	out_table_end(ctx->out);
	out_line(ctx->out, "Status:         not readable: %s", ctx->err->msg);
	return UMDB_OK;
}

int
dcmd_status(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	const umem_root_t *r;
	struct status_memory m;
	char flags[160], logs[256];
	char *text = NULL;

	(void)args;
	if (ctx->snap == NULL)
		return status_unreadable(ctx);
	r = &ctx->snap->root;
	status_memory(ctx->snap, &m);
	dcmd_flag_names(r->root_flags, flags, sizeof(flags));
	if (find_messages(ctx->snap, &text) != UMDB_OK)
		out_note(ctx->out, "%s", ctx->tgt->err.msg);

	out_table(ctx->out, status_columns, STATUS_NCOL);
	out_row(ctx->out);
	out_text(ctx->out, ready_name(r->root_ready));
	out_text(ctx->out, ctx->tgt->ops->name);
	out_text(ctx->out, r->root_release);
	out_uint(ctx->out, r->root_version);
	out_uint(ctx->out, r->root_pid);
	out_uint(ctx->out, r->root_flags);
	out_text(ctx->out, flags);
	out_uint(ctx->out, r->root_stack_depth);
	out_text(ctx->out, r->root_env_debug);
	out_text(ctx->out, r->root_env_logging);
	out_text(ctx->out, r->root_env_options);
	out_uint(ctx->out, r->root_logging);
	status_logs(ctx, logs, sizeof(logs));
	out_uint(ctx->out, m.kind[UMEM_RG_HEAP]);
	out_uint(ctx->out, m.kind[UMEM_RG_META]);
	out_uint(ctx->out, r->root_trace_end * sizeof(uint64_t));
	out_uint(ctx->out, m.kind[UMEM_RG_LOG]);
	out_uint(ctx->out, m.buffers);
	out_uint(ctx->out, m.bytes);
	status_fault(ctx);
	out_text(ctx->out, text ? text : "");
	out_row_end(ctx->out);
	out_table_end(ctx->out);

	if (!out_is_json(ctx->out)) {
		status_lines(ctx, logs, &m);
		status_fault_lines(ctx);
		if (text != NULL)
			status_message_lines(ctx, text);
	}
	free(text);
	return UMDB_OK;
}

/* ------------------------------------------------------------------ stat */

static int
stat_threads(struct dcmd_ctx *ctx)
{
	static const struct out_column col[] = {
	    {"type", NULL, OUT_TEXT, 0},
	    {NULL, "THREAD", OUT_TEXT, -16},
	    {"thread", NULL, OUT_UINT, 0},
	    {"buffers", "BUFFERS", OUT_UINT, 0},
	    {"bytes", "CACHED", OUT_SIZE, 0},
	    {"limit_percent", "% OF LIMIT", OUT_UINT, 0},
	};
	const uint64_t limit = ctx->snap->root.root_perthread;
	struct tcache_use use;
	char name[48];
	uint32_t i;
	bool any = false;

	out_table(ctx->out, col, sizeof(col) / sizeof(col[0]));
	for (i = ctx->snap->ntcache; i-- > 0;) { /* the newest comes first */
		const struct snap_tcache *t = &ctx->snap->tcache[i];

		if (t->tid == 0)
			continue;
		if (find_tcache_use(ctx->snap, t->addr, &use) != UMDB_OK) {
			out_note(ctx->out, "%s", ctx->tgt->err.msg);
			continue;
		}
		dcmd_thread_name(ctx, t->tid, name, sizeof(name));
		out_row(ctx->out);
		out_text(ctx->out, "thread");
		out_text(ctx->out, name);
		out_uint(ctx->out, t->tid);
		out_uint(ctx->out, use.buffers);
		out_uint(ctx->out, use.bytes);
		if (limit > 0)
			out_uint(
			    ctx->out, (uint64_t)(100.0 * (double)use.bytes /
						 (double)limit));
		else
			out_null(ctx->out);
		out_row_end(ctx->out);
		any = true;
	}
	out_table_end(ctx->out);
	if (any)
		out_line(ctx->out, "%s", "");
	return UMDB_OK;
}

static const struct out_column stat_columns[] = {
    {"type", NULL, OUT_TEXT, 0},
    {"name", "CACHE", OUT_TEXT, 0},
    {"addr", NULL, OUT_ADDR, 0},
    {"arena", NULL, OUT_TEXT, 0},
    {"bufsize", "BUFSIZE", OUT_UINT, 0},
    {"inuse", "INUSE", OUT_UINT, 0},
    {"thread", "THREAD", OUT_UINT, 0},
    {"depot", "DEPOT", OUT_UINT, 0},
    {"slab", "SLAB", OUT_UINT, 0},
    {"total", "TOTAL", OUT_UINT, 0},
    {"memory", "MEMORY", OUT_SIZE, 0},
    {"allocs", "ALLOCS", OUT_UINT, 0},
    {"frees", NULL, OUT_UINT, 0},
    {"fail", "FAIL", OUT_UINT, 0},
};
#define STAT_NCOL (sizeof(stat_columns) / sizeof(stat_columns[0]))

struct stat_sum {
	uint64_t inuse, thread, depot, slab, memory, allocs, frees, fail;
};

static const char *
arena_name(const struct snap *snap, taddr_t addr)
{
	uint32_t i;

	for (i = 0; i < snap->narena; i++)
		if (snap->arena[i].addr == addr)
			return snap->arena[i].v.vm_name;
	return "?";
}

static void
stat_row(struct dcmd_ctx *ctx, const char *type, const char *name,
    const char *arena, const struct snap_cache *c, const struct stat_sum *s)
{
	out_row(ctx->out);
	out_text(ctx->out, type);
	out_text(ctx->out, name);
	if (c != NULL)
		out_uint(ctx->out, c->addr);
	else
		out_null(ctx->out);
	out_text(ctx->out, arena);
	if (c != NULL && (c->c.cache_flags & UMF_LARGE) == 0)
		out_uint(ctx->out, c->c.cache_bufsize);
	else
		out_null(ctx->out);
	out_uint(ctx->out, s->inuse);
	out_uint(ctx->out, s->thread);
	out_uint(ctx->out, s->depot);
	out_uint(ctx->out, s->slab);
	out_uint(ctx->out, s->inuse + s->thread + s->depot + s->slab);
	out_uint(ctx->out, s->memory);
	out_uint(ctx->out, s->allocs);
	out_uint(ctx->out, s->frees);
	out_uint(ctx->out, s->fail);
	out_row_end(ctx->out);
}

static struct stat_sum
stat_of_cache(const struct snap_cache *c, uint64_t memory)
{
	struct stat_sum s = {
	    .inuse = c->nalloc,
	    .thread = c->nthread,
	    .depot = c->ndepot,
	    .slab = c->nslab,
	    .memory = memory,
	    .allocs = c->c.cache_slab_alloc,
	    .frees = c->c.cache_slab_free,
	    .fail = c->c.cache_alloc_fail,
	};

	return s;
}

static void
stat_add(struct stat_sum *to, const struct stat_sum *s)
{
	to->inuse += s->inuse;
	to->thread += s->thread;
	to->depot += s->depot;
	to->slab += s->slab;
	to->memory += s->memory;
	to->allocs += s->allocs;
	to->frees += s->frees;
	to->fail += s->fail;
}

/* Lines "Total [arena]" for each arena that some cache takes slabs from. */
static void
stat_totals(struct dcmd_ctx *ctx, const uint64_t *memory)
{
	const struct snap *snap = ctx->snap;
	struct stat_sum sum, s;
	char name[UMEM_VMEM_NAME_LEN + 16];
	uint32_t a, i;
	bool any;

	for (a = 0; a < snap->narena; a++) {
		memset(&sum, 0, sizeof(sum));
		any = false;
		for (i = 0; i < snap->ncache; i++) {
			if (snap->cache[i].c.cache_arena != snap->arena[a].addr)
				continue;
			s = stat_of_cache(&snap->cache[i], memory[i]);
			stat_add(&sum, &s);
			any = any || sum.memory > 0;
		}
		if (!any)
			continue;
		snprintf(name, sizeof(name), "Total [%.*s]", UMEM_VMEM_NAME_LEN,
		    snap->arena[a].v.vm_name);
		stat_row(
		    ctx, "total", name, snap->arena[a].v.vm_name, NULL, &sum);
	}
}

static int
stat_caches(struct dcmd_ctx *ctx, bool all)
{
	const struct snap *snap = ctx->snap;
	uint64_t *memory;
	struct stat_sum s;
	uint32_t hidden = 0;
	size_t i;

	memory = calloc((size_t)snap->ncache + 1, sizeof(*memory));
	if (memory == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	for (i = 0; i < snap->nslab; i++)
		memory[snap->slab[i].cache] += snap->slab[i].size;
	out_table(ctx->out, stat_columns, STAT_NCOL);
	for (i = 0; i < snap->ncache; i++) {
		const struct snap_cache *c = &snap->cache[i];

		if (!all && dcmd_cache_is_unused(ctx, c)) {
			hidden++;
			continue;
		}
		s = stat_of_cache(c, memory[i]);
		stat_row(ctx, "cache", c->c.cache_name,
		    arena_name(snap, c->c.cache_arena), c, &s);
	}
	stat_totals(ctx, memory);
	out_table_end(ctx->out);
	dcmd_hidden_caches(ctx, hidden);
	free(memory);
	return UMDB_OK;
}

static const struct out_column arena_columns[] = {
    {"type", NULL, OUT_TEXT, 0},
    {NULL, "ARENA", OUT_TEXT, 0},
    {"name", NULL, OUT_TEXT, 0},
    {"addr", NULL, OUT_ADDR, 0},
    {"source", NULL, OUT_TEXT, 0},
    {"depth", NULL, OUT_UINT, 0},
    {"inuse", "INUSE", OUT_SIZE, 0},
    {"total", "TOTAL", OUT_SIZE, 0},
    {"import", "IMPORT", OUT_SIZE, 0},
    {"allocs", "ALLOCS", OUT_UINT, 0},
    {"frees", NULL, OUT_UINT, 0},
    {"fail", "FAIL", OUT_UINT, 0},
};

static void
arena_row(struct dcmd_ctx *ctx, uint32_t index, unsigned depth)
{
	const struct snap_arena *a = &ctx->snap->arena[index];
	char name[UMEM_VMEM_NAME_LEN + 64];
	const int indent = depth < 12 ? (int)depth * 4 : 48;

	snprintf(name, sizeof(name), "%*s%.*s", indent, "", UMEM_VMEM_NAME_LEN,
	    a->v.vm_name);
	out_row(ctx->out);
	out_text(ctx->out, "arena");
	out_text(ctx->out, name);
	out_text(ctx->out, a->v.vm_name);
	out_uint(ctx->out, a->addr);
	if (a->parent < ctx->snap->narena)
		out_text(ctx->out, ctx->snap->arena[a->parent].v.vm_name);
	else
		out_null(ctx->out);
	out_uint(ctx->out, depth);
	out_uint(ctx->out, a->v.vm_mem_inuse);
	out_uint(ctx->out, a->v.vm_mem_total);
	out_uint(ctx->out, a->v.vm_mem_import);
	out_uint(ctx->out, a->v.vm_nalloc);
	out_uint(ctx->out, a->v.vm_nfree);
	out_uint(ctx->out, a->v.vm_nfail);
	out_row_end(ctx->out);
}

static int
stat_arenas(struct dcmd_ctx *ctx)
{
	struct arena_place *place = find_arena_tree(ctx->snap);
	uint32_t i;

	if (place == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	out_line(ctx->out, "%s", "");
	out_table(ctx->out, arena_columns,
	    sizeof(arena_columns) / sizeof(arena_columns[0]));
	for (i = 0; i < ctx->snap->narena; i++)
		arena_row(ctx, place[i].arena, place[i].depth);
	out_table_end(ctx->out);
	free(place);
	return UMDB_OK;
}

int
dcmd_stat(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	int rc;

	if (args->opt['b'] != NULL)
		return dcmd_by_age(ctx);
	rc = stat_threads(ctx);
	if (rc == UMDB_OK)
		rc = stat_caches(ctx, args->opt['a'] != NULL);
	if (rc == UMDB_OK)
		rc = stat_arenas(ctx);
	return rc;
}
