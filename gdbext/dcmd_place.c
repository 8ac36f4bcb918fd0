/* SPDX-License-Identifier: MIT */
/*
 * dcmd_place.c - saying where a pointer stands
 *
 * Layer: see dcmd_place.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dcmd_place.h"

#include "dcmd_run.h"

#define RED_ZONE 128u
#define OUTERMOST 512u           /* bytes of a stack's last known frame */
#define COPIES_KEPT (1ULL << 30) /* of memory of the target, for a graph */

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static void
thread_name(const struct target_thread *t, char *buf, size_t size)
{
	if (t->num != 0)
		snprintf(buf, size, "thread %" PRIu32, t->num);
	else
		snprintf(buf, size, "thread LWP %" PRIu32, t->lwp);
}

static void __attribute__((format(printf, 2, 3)))
say(struct place *p, const char *fmt, ...)
{
	const size_t len = strlen(p->where);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->where + len, sizeof(p->where) - len, fmt, ap);
	va_end(ap);
}

static void
say_offset(struct place *p, uint64_t offset)
{
	if (offset != 0)
		say(p, "+0x%" PRIx64, offset);
}

/* ------------------------------------------------------------------ frames */

/* The frame that an address on a thread's stack belongs to, or NULL. */
static const struct dcmd_frame *
frame_at(struct dcmd_ctx *ctx, struct place_frames *f,
    const struct target_thread *t, taddr_t at)
{
	size_t i;

	if (ctx->frames == NULL)
		return NULL;
	if (f->thread != t) {
		f->thread = t;
		f->n = 0;
		if (ctx->frames(ctx->frames_arg, t->lwp, f->frame, PLACE_FRAMES,
			&f->n) != UMDB_OK)
			f->n = 0;
	}
	if (f->n > 0 && at < f->frame[0].sp)
		return f->frame[0].sp - at <= RED_ZONE ? &f->frame[0] : NULL;
	for (i = 0; i + 1 < f->n; i++)
		if (at >= f->frame[i].sp && at < f->frame[i + 1].sp)
			return &f->frame[i];
	if (f->n > 0 && at >= f->frame[f->n - 1].sp &&
	    at - f->frame[f->n - 1].sp < OUTERMOST)
		return &f->frame[f->n - 1];
	return NULL;
}

/* ----------------------------------------------------------------- symbols */

/* Marks that the linker sets: what lies behind them is no part of them. */
static bool
is_mark(const char *name)
{
	static const char *const mark[] = {"_end", "end", "_edata", "edata",
	    "__bss_start", "_DYNAMIC", "__data_start", "data_start",
	    "__dso_handle", "__TMC_END__", "_GLOBAL_OFFSET_TABLE_"};
	size_t i;

	for (i = 0; i < sizeof(mark) / sizeof(mark[0]); i++)
		if (strcmp(name, mark[i]) == 0)
			return true;
	return false;
}

/* The variable at an address; NULL when the debugger knows none. */
static const char *
variable_at(struct dcmd_ctx *ctx, taddr_t at, uint64_t *offset_ret)
{
	/* out_frame() takes return addresses, which lie one behind */
	const struct out_frame *f = out_frame(ctx->out, at + 1);

	if (f->function == NULL || f->offset == 0 || is_mark(f->function))
		return NULL;
	*offset_ret = f->offset - 1;
	return f->function;
}

taddr_t
dcmd_variable(void *arg, const struct part *part, taddr_t at)
{
	struct dcmd_ctx *ctx = arg;
	uint64_t offset = 0;

	(void)part;
	return variable_at(ctx, at, &offset) != NULL ? at - offset : 0;
}

/* ------------------------------------------------------------------- roots */

/* The start of the object's lowest mapping. */
static taddr_t
object_start(const struct target *tgt, size_t region)
{
	const char *name = tgt->region[region].name;

	while (region > 0 && strcmp(tgt->region[region - 1].name, name) == 0)
		region--;
	return tgt->region[region].start;
}

static void
place_data(struct dcmd_ctx *ctx, const struct part *part, taddr_t at,
    bool thing, struct place *p)
{
	const char *name = variable_at(ctx, at, &p->symbol_offset), *object;

	p->module = ctx->tgt->region[part->region].name;
	object = base_name(p->module);
	if (name != NULL) {
		p->kind = "global";
		snprintf(p->symbol, sizeof(p->symbol), "%s", name);
		say(p, "global %.200s", p->symbol);
		if (!thing)
			say_offset(p, p->symbol_offset);
		say(p, " in %.200s", object);
		return;
	}
	p->kind = "data";
	say(p, "data of %.200s%s", object, thing ? ", mostly at " : "");
	say_offset(p, at - object_start(ctx->tgt, part->region));
}

static void
place_tls(struct dcmd_ctx *ctx, taddr_t at, bool thing, struct place *p)
{
	const taddr_t fs = p->thread->reg[TARGET_FSBASE];
	char name[48];

	(void)ctx;
	p->kind = "tls";
	thread_name(p->thread, name, sizeof(name));
	say(p, "thread-local storage of %s", name);
	if (!thing)
		say(p, ", at fs%c0x%" PRIx64, at < fs ? '-' : '+',
		    at < fs ? fs - at : at - fs);
}

/* What makes the name of a function one: those of C++ have it already. */
static const char *
parens(const char *function)
{
	return strchr(function, '(') != NULL ? "" : "()";
}

static void
place_stack(struct dcmd_ctx *ctx, struct place_frames *f, taddr_t at,
    bool thing, struct place *p)
{
	const taddr_t sp = p->thread->reg[TARGET_RSP];
	char name[48];

	p->kind = "stack";
	thread_name(p->thread, name, sizeof(name));
	say(p, "%s stack", name);
	p->frame = frame_at(ctx, f, p->thread, at);
	if (p->frame != NULL) {
		say(p, ", %sframe %" PRIu32, thing ? "mostly " : "",
		    p->frame->level);
		if (p->frame->function[0] != '\0')
			say(p, " %.200s%s", p->frame->function,
			    parens(p->frame->function));
	} else if (!thing) {
		say(p, ", SP%c0x%" PRIx64, at < sp ? '-' : '+',
		    at < sp ? sp - at : at - sp);
	}
}

/* A free object that its cache has not destroyed yet. */
static void
place_constructed(struct dcmd_ctx *ctx, const struct whatis *w, taddr_t at,
    bool thing, struct place *p)
{
	const char *cache = ctx->snap->cache[w->slab->cache].c.cache_name;
	const taddr_t buf = snap_buf_addr(w->slab, w->index);

	p->kind = "constructed";
	if (thing)
		say(p, "constructed free objects of %.64s", cache);
	else
		say(p,
		    "+0x%" PRIx64 " in constructed free object 0x%" PRIx64
		    " of %.64s",
		    at - buf, buf, cache);
}

static void
place_arena(struct dcmd_ctx *ctx, taddr_t at, bool thing, struct place *p)
{
	struct whatis w;

	p->kind = "arena";
	memset(&w, 0, sizeof(w));
	(void)find_whatis(ctx->snap, at, &w);
	if (w.slab != NULL) {
		place_constructed(ctx, &w, at, thing, p);
		return;
	}
	if (w.arena == NULL) {
		say(p, "memory of an arena");
		return;
	}
	p->arena = w.arena->v.vm_name;
	say(p, "memory of arena %.64s", p->arena);
	if (!thing) {
		say(p, ", segment 0x%" PRIx64, w.base);
		say_offset(p, at - w.base);
	}
}

static void
place_mapping(struct dcmd_ctx *ctx, taddr_t at, bool thing, struct place *p)
{
	const struct target_region *r = target_region_at(ctx->tgt, at);

	p->kind = "mapping";
	if (r == NULL) {
		say(p, "memory");
		return;
	}
	if (r->name[0] != '\0')
		p->module = r->name;
	say(p, "%.200s mapping 0x%" PRIx64,
	    r->name[0] == '/'    ? base_name(r->name)
	    : r->name[0] != '\0' ? r->name
				 : "anonymous",
	    r->start);
	if (!thing)
		say_offset(p, at - r->start);
}

/* The shortest name of a vector register that has the word. */
static void
place_register(uint64_t number, struct place *p)
{
	uint64_t word = number - TARGET_NREGS;

	if (number < TARGET_NREGS) {
		p->reg = target_regname[number];
		return;
	}
	snprintf(p->regname, sizeof(p->regname), "%cmm%" PRIu64,
	    word % TARGET_VECTOR_WORDS < 2   ? 'x'
	    : word % TARGET_VECTOR_WORDS < 4 ? 'y'
					     : 'z',
	    word / TARGET_VECTOR_WORDS);
	p->reg = p->regname;
}

void
dcmd_place_root(struct dcmd_ctx *ctx, struct place_frames *f,
    const struct part *part, taddr_t at, bool thing, struct place *ret)
{
	char name[48];

	memset(ret, 0, offsetof(struct place, stack));
	if (part->thread != PLACE_NONE) {
		ret->thread = &ctx->tgt->thread[part->thread];
		thread_name(ret->thread, name, sizeof(name));
	}
	switch (part->kind) {
	case PLACE_DATA:
		place_data(ctx, part, at, thing, ret);
		break;
	case PLACE_TLS:
		place_tls(ctx, at, thing, ret);
		break;
	case PLACE_ARENA:
		place_arena(ctx, at, thing, ret);
		break;
	case PLACE_STACK:
		place_stack(ctx, f, at, thing, ret);
		break;
	case PLACE_REGISTER:
		ret->kind = "register";
		if (thing) {
			say(ret, "registers of %s", name);
			break;
		}
		place_register(at, ret);
		say(ret, "register %s of %s", ret->reg, name);
		break;
	case PLACE_HELD:
		ret->kind = "held";
		say(ret, "the thread library or the allocator itself");
		break;
	case PLACE_MAPPING:
	default:
		place_mapping(ctx, at, thing, ret);
		break;
	}
}

/* ----------------------------------------------------------------- buffers */

static void
buffer_stack(struct dcmd_ctx *ctx, const struct snap_slab *s, uint32_t index,
    struct place *p)
{
	const taddr_t addr = snap_buf_bufctl(s, index);
	struct snap_bufctl b;

	if (addr == 0 || snap_read_bufctl(ctx->snap, addr, &b) != UMDB_OK ||
	    b.bc.bc_addr != snap_buf_addr(s, index))
		return;
	p->depth = b.depth;
	p->stack = b.stack;
}

static void
say_site(struct dcmd_ctx *ctx, struct place *p)
{
	const struct out_frame *f;

	if (p->depth == 0)
		return;
	f = out_frame(ctx->out, p->stack[dcmd_caller(ctx, p->stack, p->depth)]);
	if (f->function != NULL)
		say(p, " allocated at %.200s%s+0x%" PRIx64, f->function,
		    parens(f->function), f->offset);
	else
		say(p, " allocated at 0x%" PRIx64 "%s%.100s", f->pc,
		    f->module != NULL ? " in " : "",
		    f->module != NULL ? base_name(f->module) : "");
}

static void
place_in_buffer(
    struct dcmd_ctx *ctx, const struct graph *g, uint32_t node, struct place *p)
{
	const struct snap_slab *s;
	uint32_t index;

	memset(p, 0, offsetof(struct place, stack));
	p->buffer = graph_addr(g, node, &s, &index);
	p->kind = "buffer";
	p->cache = ctx->snap->cache[s->cache].c.cache_name;
	p->leaked = !g->live[node];
	buffer_stack(ctx, s, index, p);
}

void
dcmd_place_buffer(struct dcmd_ctx *ctx, const struct graph *g, uint32_t node,
    struct place *ret)
{
	const uint64_t size = graph_size(g, node);

	place_in_buffer(ctx, g, node, ret);
	say(ret, "%.32s buffer 0x%" PRIx64 " of %" PRIu64 " byte%s", ret->cache,
	    ret->buffer, size, size == 1 ? "" : "s");
	say_site(ctx, ret);
}

void
dcmd_place_ref(struct dcmd_ctx *ctx, struct place_frames *f, struct graph *g,
    const struct ref *ref, struct place *ret)
{
	if (ref->part != NULL) {
		dcmd_place_root(ctx, f, ref->part, ref->at, false, ret);
		return;
	}
	place_in_buffer(ctx, g, ref->holder, ret);
	ret->offset = ref->at - ret->buffer;
	say(ret, "+0x%" PRIx64 " in %.32s buffer 0x%" PRIx64, ret->offset,
	    ret->cache, ret->buffer);
	say_site(ctx, ret);
	if (ret->leaked)
		say(ret, ", which is leaked itself");
}

/* ------------------------------------------------------------------- cells */

static void
text_or_null(struct out *o, const char *text)
{
	if (text != NULL && text[0] != '\0')
		out_text(o, text);
	else
		out_null(o);
}

static void
uint_or_null(struct out *o, bool known, uint64_t value)
{
	if (known)
		out_uint(o, value);
	else
		out_null(o);
}

void
dcmd_place_cells(struct out *o, const struct place *p)
{
	const bool in_buffer = p->buffer != 0;

	text_or_null(o, p->kind);
	text_or_null(o, p->symbol);
	uint_or_null(o, p->symbol[0] != '\0', p->symbol_offset);
	text_or_null(o, p->module);
	uint_or_null(
	    o, p->thread != NULL, p->thread != NULL ? p->thread->lwp : 0);
	uint_or_null(
	    o, p->frame != NULL, p->frame != NULL ? p->frame->level : 0);
	text_or_null(o, p->frame != NULL ? p->frame->function : NULL);
	text_or_null(o, p->reg);
	text_or_null(o, p->arena);
	uint_or_null(o, in_buffer, p->buffer);
	uint_or_null(o, in_buffer, p->offset);
	text_or_null(o, p->cache);
	uint_or_null(o, in_buffer, p->leaked);
	if (p->depth > 0)
		out_stack(o, p->stack, p->depth);
	else
		out_null(o);
}

/* ------------------------------------------------------------------- graph */

int
dcmd_graph(struct dcmd_ctx *ctx, struct graph **ret)
{
	int rc;

	if (*ctx->graph == NULL) {
		rc = find_graph(ctx->snap, ctx->graph);
		if (rc != UMDB_OK)
			return dcmd_fail_target(ctx, rc);
	}
	*ret = *ctx->graph;
	return UMDB_OK;
}

void
dcmd_graph_done(struct dcmd_ctx *ctx)
{
	if (*ctx->graph == NULL || graph_copied(*ctx->graph) <= COPIES_KEPT)
		return;
	find_top_free(*ctx->top);
	*ctx->top = NULL;
	find_graph_free(*ctx->graph);
	*ctx->graph = NULL;
}

void
dcmd_omitted_note(
    struct out *o, const struct omitted *left, const char *follows)
{
	char size[32];

	if (left->maps == 0)
		return;
	out_size_text(left->bytes, size, sizeof(size));
	out_note(o,
	    "%" PRIu64 " file mapping%s, %s, %s not in the core (see core(5), "
	    "coredump_filter): %s%s; pointers that the program wrote there "
	    "are not known%s",
	    left->maps, left->maps == 1 ? "" : "s", size,
	    left->maps == 1 ? "is" : "are", left->first,
	    left->maps == 1 ? "" : " and so on", follows);
}

void
dcmd_graph_notes(struct dcmd_ctx *ctx, const struct graph *g)
{
	struct omitted left;
	char size[32];

	if (find_omitted(ctx->tgt, &left) == UMDB_OK)
		dcmd_omitted_note(ctx->out, &left, "");
	if (g->unread == 0)
		return;
	out_size_text(g->unread, size, sizeof(size));
	out_note(ctx->out,
	    "%s of writable memory cannot be read: never used, or left out "
	    "of the core; pointers in there are not known",
	    size);
}
