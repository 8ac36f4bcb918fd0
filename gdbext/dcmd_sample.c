/* SPDX-License-Identifier: MIT */
/*
 * dcmd_sample.c - making samples of what commands know, and profiles of them
 *
 * Layer: see dcmd_sample.h.
 */
#include "dcmd_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int
no_memory(struct dcmd_ctx *ctx)
{
	return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
}

static int
add_modules(struct sampler *x)
{
	const struct modules *m = &x->modules;
	size_t i;

	for (i = 0; i < m->n; i++) {
		const struct module *from = &m->module[i];
		const struct sample_module to = {
		    .name = samples_string(x->s, from->name),
		    .id = samples_string(x->s, from->id),
		    .start = from->code,
		    .end = from->code_end,
		    .offset = from->code_offset,
		};

		samples_module(x->s, &to);
	}
	/* the program lies below its libraries */
	if (m->n > 0 && m->module[0].name[0] == '/')
		x->s->about = samples_string(x->s, m->module[0].name);
	return x->s->failed ? UMDB_ENOMEM : UMDB_OK;
}

int
sampler_open(struct sampler *x, struct dcmd_ctx *ctx, struct target *tgt)
{
	int rc = UMDB_OK;

	memset(x, 0, sizeof(*x));
	x->ctx = ctx;
	x->tgt = tgt != NULL ? tgt : ctx->tgt;
	x->s = samples_new();
	if (x->s == NULL)
		return no_memory(ctx);
	x->s->wall = (uint64_t)time(NULL);
	if (x->tgt != NULL)
		rc = find_modules(x->tgt, &x->modules);
	if (rc == UMDB_OK && x->tgt != ctx->tgt && ctx->tgt != NULL)
		rc = find_modules(ctx->tgt, &x->here);
	if (rc == UMDB_OK)
		rc = add_modules(x);
	if (rc == UMDB_OK)
		return UMDB_OK;
	samples_free(sampler_close(x, &rc));
	return no_memory(ctx);
}

struct samples *
sampler_close(struct sampler *x, int *rc_ret)
{
	struct samples *s = x->s;

	find_modules_free(&x->modules);
	find_modules_free(&x->here);
	addrmap_fini(&x->frames);
	*rc_ret = UMDB_OK;
	if (x->stopped)
		*rc_ret = error_set(x->ctx->err, UMDB_EINTR, 0, "stopped");
	else if (s->failed)
		*rc_ret = no_memory(x->ctx);
	if (*rc_ret == UMDB_OK)
		return s;
	samples_free(s);
	return NULL;
}

/*
 * Where the debugger knows the code at @pc: there, or at the same place of
 * the same module in what it has in front of it; 0 when it has not.
 */
static uint64_t
known_as(const struct sampler *x, const struct module *m, uint64_t pc)
{
	const struct modules *h = &x->here;
	size_t i;

	if (x->tgt == x->ctx->tgt)
		return pc;
	for (i = 0; m != NULL && i < h->n; i++)
		if (find_module_same(
			m->name, m->id, h->module[i].name, h->module[i].id))
			return h->module[i].base + (pc - m->base);
	return 0;
}

/* A return address: it belongs to the call before it. */
static uint32_t
frame_of(struct sampler *x, uint64_t pc)
{
	const struct module *m = find_module_at(&x->modules, pc - 1);
	struct sample_frame f = {.module = SAMPLE_NONE, .at = pc, .pc = pc};
	uint32_t number = addrmap_get(&x->frames, pc);
	const struct out_frame *named;
	uint64_t known;

	if (pc != 0 && number != ADDRMAP_NONE)
		return number;
	if (m != NULL) {
		f.module = (uint32_t)(m - x->modules.module);
		f.at = pc - m->base;
	}
	known = known_as(x, m, pc);
	if (known != 0) {
		named = out_frame(x->ctx->out, known);
		f.function = samples_string(x->s, named->function);
		f.offset = named->function != NULL ? named->offset : 0;
		f.file = samples_string(x->s, named->file);
		f.line = named->line > 0 ? (uint32_t)named->line : 0;
	}
	number = samples_frame(x->s, &f);
	if (pc != 0 && number != SAMPLE_NONE &&
	    addrmap_put(&x->frames, pc, number) != UMDB_OK)
		x->s->failed = true;
	if (target_poll(x->tgt, "naming frames", x->s->nframe, 0))
		x->stopped = true;
	return number;
}

static struct sample *
add(struct sampler *x, const char *kind, const char *cache,
    const uint32_t *frame, uint32_t depth)
{
	static struct sample lost;
	struct sample *p;

	p = samples_add(x->s, samples_string(x->s, kind),
	    samples_string(x->s, cache), frame, depth);
	return p != NULL ? p : &lost;
}

struct sample *
sampler_add(struct sampler *x, const char *kind, const char *cache,
    const uint64_t *stack, size_t depth)
{
	uint32_t frame[SAMPLE_DEPTH], n;

	for (n = 0; n < depth && n < SAMPLE_DEPTH && !x->stopped; n++)
		frame[n] = frame_of(x, stack[n]);
	return add(x, kind, cache, frame, n);
}

struct sample *
sampler_text(
    struct sampler *x, const char *kind, const char *const *text, size_t depth)
{
	uint32_t frame[SAMPLE_DEPTH], n;

	for (n = 0; n < depth && n < SAMPLE_DEPTH; n++) {
		const struct sample_frame f = {
		    .module = SAMPLE_NONE,
		    .function = samples_string(x->s, text[n]),
		};

		frame[n] = samples_frame(x->s, &f);
	}
	return add(x, kind, NULL, frame, n);
}

/* ---------------------------------------------------------------- profiles */

static bool
profile_wanted(const struct dcmd_args *args)
{
	int i;

	for (i = 0; i < PROFILE_FORMS; i++)
		if (args->profile[i] != NULL)
			return true;
	return false;
}

int
dcmd_profile_samples(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    enum profile_beside beside, const struct samples *s)
{
	struct profile_about about = {
	    .target = samples_name(s, s->about),
	    .beside = beside,
	};
	char command[80];
	int i, rc;

	snprintf(command, sizeof(command), "umem %s", ctx->dcmd->name);
	about.command = command;
	for (i = 0; i < PROFILE_FORMS; i++) {
		const char *path = args->profile[i];

		if (path == NULL)
			continue;
		rc = profile_write(
		    (enum profile_form)i, s, &about, path, ctx->err);
		if (rc != UMDB_OK)
			return rc;
		out_line(ctx->out, "%s written: %zu stacks", path, s->nsample);
		out_fact_text(ctx->out, dcmd_profile_name[i], path);
	}
	return UMDB_OK;
}

int
dcmd_profile(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    enum profile_beside beside, sampler_fill *fill, void *arg)
{
	struct samples *s;
	struct sampler x;
	int rc;

	if (!profile_wanted(args))
		return UMDB_OK;
	if (ctx->loop)
		return dcmd_usage_error(ctx->dcmd, ctx->err,
		    "a command that a pipe feeds writes no profile");
	rc = sampler_open(&x, ctx, NULL);
	if (rc != UMDB_OK)
		return rc;
	fill(&x, arg);
	s = sampler_close(&x, &rc);
	if (rc == UMDB_OK)
		rc = dcmd_profile_samples(ctx, args, beside, s);
	samples_free(s);
	return rc;
}
