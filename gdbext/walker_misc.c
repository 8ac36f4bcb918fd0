/* SPDX-License-Identifier: MIT */
/*
 * walker_misc.c - logs, histories, threads, arenas and leaks
 *
 * Layer: see walker.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"
#include "walker.h"

#define DEPTH_MAX 64u /* arenas above one another */

/* ----------------------------------------------------------------- records */

static int
give_record(struct snap *snap, const struct snap_bufctl *b, void *arg)
{
	(void)snap;
	return walker_give(arg, b->addr);
}

int
walker_log(struct walker_run *r)
{
	return walker_fail(r, walk_log(r->ctx->snap, r->addr, give_record, r));
}

int
walker_history(struct walker_run *r)
{
	return walker_fail(
	    r, walk_history(r->ctx->snap, r->addr, give_record, r));
}

static void
take_by(void *arg, uint64_t value)
{
	(void)walker_give(arg, value);
}

/* allocdby and freedby: the commands of these names know. */
int
walker_by(struct walker_run *r)
{
	const struct dcmd *d = dcmd_find(r->w->name);
	struct dcmd_ctx ctx = *r->ctx;
	struct dcmd_args args = {0};
	char *argv[1];
	int rc;

	argv[0] = (char *)(uintptr_t)r->text;
	args.argc = 1;
	args.argv = argv;
	ctx.dcmd = d;
	ctx.out = out_open_pipe(r->ctx->out, take_by, r);
	if (ctx.out == NULL)
		return error_set(r->ctx->err, UMDB_ENOMEM, 0, "out of memory");
	rc = d->run(&ctx, &args);
	out_close(ctx.out);
	return rc;
}

/* ------------------------------------------------------------------ arenas */

/*
 * The tree below an arena in one order or the other.  Sources of a damaged
 * arena may run in a circle: @seen; or make a chain without end: @depth.
 */
static int
give_tree(
    struct walker_run *r, uint32_t at, bool postfix, bool *seen, unsigned depth)
{
	const struct snap *snap = r->ctx->snap;
	uint32_t i;
	int rc = WALK_NEXT;

	if (seen[at])
		return WALK_NEXT;
	seen[at] = true;
	if (!postfix)
		rc = walker_give(r, snap->arena[at].addr);
	for (i = 0; i < snap->narena && rc == WALK_NEXT; i++)
		if (snap->arena[i].parent == at && depth < DEPTH_MAX)
			rc = give_tree(r, i, postfix, seen, depth + 1);
	if (postfix && rc == WALK_NEXT)
		rc = walker_give(r, snap->arena[at].addr);
	return rc;
}

/* Trees from the top ones, then what a circle keeps apart from them. */
static int
give_arenas(struct walker_run *r, bool postfix)
{
	const struct snap *snap = r->ctx->snap;
	bool *seen = calloc((size_t)snap->narena + 1, sizeof(*seen));
	int rc = WALK_NEXT;
	uint32_t i;

	if (seen == NULL)
		return error_set(r->ctx->err, UMDB_ENOMEM, 0, "out of memory");
	if (r->arena != NULL)
		rc = give_tree(
		    r, (uint32_t)(r->arena - snap->arena), postfix, seen, 0);
	for (i = 0; r->arena == NULL && i < snap->narena && rc == 0; i++)
		if (snap->arena[i].parent == UINT32_MAX)
			rc = give_tree(r, i, postfix, seen, 0);
	for (i = 0; r->arena == NULL && i < snap->narena && rc == 0; i++)
		rc = give_tree(r, i, postfix, seen, 0);
	free(seen);
	return UMDB_OK;
}

int
walker_vmem(struct walker_run *r)
{
	return give_arenas(r, false);
}

int
walker_vmem_postfix(struct walker_run *r)
{
	return give_arenas(r, true);
}

static int
give_segment(struct snap *snap, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	(void)snap;
	(void)seg;
	return walker_give(arg, addr);
}

static int
give_segments(struct walker_run *r, unsigned mask)
{
	return walker_fail(
	    r, walk_segments(r->ctx->snap, r->arena, mask, give_segment, r));
}

int
walker_segs(struct walker_run *r)
{
	return give_segments(r, VMEM_SEG_ALLOC | VMEM_SEG_FREE | VMEM_SEG_SPAN |
				    VMEM_SEG_ROTOR | VMEM_SEG_WALKER);
}

int
walker_seg_alloc(struct walker_run *r)
{
	return give_segments(r, VMEM_SEG_ALLOC);
}

int
walker_seg_free(struct walker_run *r)
{
	return give_segments(r, VMEM_SEG_FREE);
}

int
walker_seg_span(struct walker_run *r)
{
	return give_segments(r, VMEM_SEG_SPAN);
}

/* ------------------------------------------------------------------- leaks */

/* What stands for a leak: its record, or the buffer if it has none. */
static taddr_t
leak_record(const struct snap *snap, const struct leak *l)
{
	const taddr_t bufctl = snap_buf_bufctl(&snap->slab[l->slab], l->index);

	return bufctl != 0 ? bufctl : l->addr;
}

static int
give_leaks(struct walker_run *r, const struct leak *l, uint64_t n, bool bufs)
{
	const struct snap *snap = r->ctx->snap;
	uint64_t i;

	for (i = 0; i < n; i++)
		if (walker_give(
			r, bufs ? l[i].addr : leak_record(snap, &l[i])) ==
		    WALK_STOP)
			break;
	return UMDB_OK;
}

/*
 * The leak that an address stands for or lies in; NULL if there is none.
 * Most come from findleaks, which gives what stands for a group.
 */
static const struct leak *
leak_at(struct walker_run *r, const struct leaks *leaks)
{
	const struct snap *snap = r->ctx->snap;
	const struct leak_group *g;
	const struct leak *l;

	for (g = leaks->group; g < leaks->group + leaks->ngroup; g++)
		if (r->addr == g->bufctl ||
		    r->addr == leaks->leak[g->first].addr)
			return &leaks->leak[g->first];
	for (l = leaks->leak; l < leaks->leak + leaks->nleak; l++) {
		const struct snap_slab *s = &snap->slab[l->slab];

		if (r->addr - l->addr < s->chunksize ||
		    r->addr == leak_record(snap, l))
			return l;
	}
	return NULL;
}

static int
walk_leaks(struct walker_run *r, bool bufs)
{
	const struct leak_group *g;
	const struct leaks *leaks;
	const struct leak *l;
	int rc;

	rc = *r->ctx->leaks == NULL ? find_leaks(r->ctx->snap, r->ctx->leaks)
				    : UMDB_OK;
	if (rc != UMDB_OK)
		return walker_fail(r, rc);
	leaks = *r->ctx->leaks;
	if (r->text == NULL)
		return give_leaks(r, leaks->leak, leaks->nleak, bufs);
	l = leak_at(r, leaks);
	if (l == NULL)
		return error_set(r->ctx->err, UMDB_ENOTFOUND, r->addr,
		    "0x%" PRIx64 " is not among the leaks", r->addr);
	g = &leaks->group[l->group];
	return give_leaks(r, &leaks->leak[g->first], g->count, bufs);
}

int
walker_leak(struct walker_run *r)
{
	return walk_leaks(r, false);
}

int
walker_leakbuf(struct walker_run *r)
{
	return walk_leaks(r, true);
}
