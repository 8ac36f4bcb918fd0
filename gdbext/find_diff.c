/* SPDX-License-Identifier: MIT */
/*
 * find_diff.c - what grew between two sets of samples
 *
 * Each frame of either side gets a key: what it is compared by.  Keys are
 * numbered; the first frame with a key stands for all of them, and now comes
 * first.  Samples of both sides are then added to one set.
 *
 * Layer: see find_diff.h.
 */
#include "find_diff.h"

#include <stdlib.h>
#include <string.h>

#include "find_module.h"

enum match {
	MATCH_NONE, /* the other side does not have this module */
	MATCH_SAME,
	MATCH_REBUILT, /* it has one of this name, but another */
};

struct side {
	const struct samples *s;
	const struct samples *other;
	uint8_t *match;   /* by module: enum match */
	uint32_t *twin;   /* by module: the other's */
	uint32_t *module; /* by module: the result's */
	uint32_t *frame;  /* by frame: the result's; SAMPLE_NONE: not yet */
};

struct joining {
	struct side side[2]; /* now, before */
	struct samples *to;
	struct samples *keys; /* frames of this are keys */
	uint32_t *shown;      /* by key: frame of the result */
	size_t shownroom;
};

/* ----------------------------------------------------------------- modules */

static const char *
module_name(const struct samples *s, size_t module)
{
	return samples_name(s, s->module[module].name);
}

static const char *
module_id(const struct samples *s, size_t module)
{
	return samples_name(s, s->module[module].id);
}

static void
module_match(struct side *x, size_t module)
{
	const struct samples *s = x->s, *o = x->other;
	size_t i;

	x->match[module] = MATCH_NONE;
	for (i = 0; i < o->nmodule; i++) {
		if (find_module_same(module_name(s, module),
			module_id(s, module), module_name(o, i),
			module_id(o, i))) {
			x->match[module] = MATCH_SAME;
			x->twin[module] = (uint32_t)i;
			return;
		}
		if (strcmp(samples_base(module_name(s, module)),
			samples_base(module_name(o, i))) == 0) {
			x->match[module] = MATCH_REBUILT;
			x->twin[module] = (uint32_t)i;
		}
	}
}

static void
module_copy(struct joining *j, struct side *x, size_t module)
{
	const struct sample_module *from = &x->s->module[module];
	struct sample_module m = *from;

	if (x == &j->side[1] && x->match[module] == MATCH_SAME) {
		x->module[module] = j->side[0].module[x->twin[module]];
		return;
	}
	m.name = samples_string(j->to, samples_name(x->s, from->name));
	m.id = samples_string(j->to, samples_name(x->s, from->id));
	x->module[module] = samples_module(j->to, &m);
}

static bool
side_init(struct joining *j, struct side *x, const struct samples *s,
    const struct samples *other)
{
	size_t i;

	x->s = s;
	x->other = other;
	x->match = calloc(s->nmodule + 1, sizeof(*x->match));
	x->twin = calloc(s->nmodule + 1, sizeof(*x->twin));
	x->module = calloc(s->nmodule + 1, sizeof(*x->module));
	x->frame = malloc((s->nframe + 1) * sizeof(*x->frame));
	if (x->match == NULL || x->twin == NULL || x->module == NULL ||
	    x->frame == NULL)
		return false;
	memset(x->frame, 0xff, (s->nframe + 1) * sizeof(*x->frame));
	for (i = 0; i < s->nmodule; i++) {
		module_match(x, i);
		module_copy(j, x, i);
	}
	return true;
}

static void
side_fini(struct side *x)
{
	free(x->match);
	free(x->twin);
	free(x->module);
	free(x->frame);
}

/* ------------------------------------------------------------------ frames */

/* What a frame is compared by. */
static struct sample_frame
frame_key(struct joining *j, struct side *x, const struct sample_frame *f)
{
	struct sample_frame key = {.module = SAMPLE_NONE};
	const bool in = f->module < x->s->nmodule;

	if (f->function != 0 && (!in || x->match[f->module] == MATCH_REBUILT)) {
		key.function =
		    samples_string(j->keys, samples_name(x->s, f->function));
		if (in)
			key.file = samples_string(j->keys,
			    samples_base(module_name(x->s, f->module)));
		else
			key.offset = f->offset;
		return key;
	}
	if (in)
		key.module = x->module[f->module];
	key.at = f->at;
	return key;
}

/*
 * A frame of a module that both have lies where the result has that module:
 * profiles give one range of addresses for each.
 */
static uint32_t
frame_copy(struct joining *j, struct side *x, const struct sample_frame *f)
{
	struct sample_frame to = *f;

	to.module =
	    f->module < x->s->nmodule ? x->module[f->module] : SAMPLE_NONE;
	if (to.module < j->to->nmodule)
		to.pc += j->to->module[to.module].start -
			 x->s->module[f->module].start;
	to.function = samples_string(j->to, samples_name(x->s, f->function));
	to.file = samples_string(j->to, samples_name(x->s, f->file));
	return samples_frame(j->to, &to);
}

/* The result's frame for one of a side's; SAMPLE_NONE without memory. */
static uint32_t
frame_of(struct joining *j, struct side *x, uint32_t frame)
{
	const struct sample_frame *f = &x->s->frame[frame];
	struct sample_frame key;
	uint32_t number, *more;
	size_t room;

	if (x->frame[frame] != SAMPLE_NONE)
		return x->frame[frame];
	key = frame_key(j, x, f);
	number = samples_frame(j->keys, &key);
	if (number == SAMPLE_NONE)
		return SAMPLE_NONE;
	if (number >= j->shownroom) {
		room = 2 * (size_t)number + 64;
		more = realloc(j->shown, room * sizeof(*more));
		if (more == NULL)
			return SAMPLE_NONE;
		memset(more + j->shownroom, 0xff,
		    (room - j->shownroom) * sizeof(*more));
		j->shown = more;
		j->shownroom = room;
	}
	if (j->shown[number] == SAMPLE_NONE)
		j->shown[number] = frame_copy(j, x, f);
	x->frame[frame] = j->shown[number];
	return x->frame[frame];
}

/* ----------------------------------------------------------------- samples */

static bool
sample_join(struct joining *j, int which, const struct sample *p,
    struct diff_facts *facts)
{
	struct side *x = &j->side[which];
	uint32_t frame[SAMPLE_DEPTH], i, from, module;
	struct sample *to;

	for (i = 0; i < p->depth; i++) {
		from = x->s->link[p->stack + i];
		frame[i] = frame_of(j, x, from);
		if (frame[i] == SAMPLE_NONE)
			return false;
		module = x->s->frame[from].module;
		if (which == 0 && module < x->s->nmodule &&
		    x->match[module] == MATCH_REBUILT) {
			facts->rebuilt++;
			facts->module = module_name(j->to, x->module[module]);
		}
	}
	to = samples_add(j->to, 0,
	    samples_string(j->to, samples_name(x->s, p->cache)), frame,
	    p->depth);
	if (to == NULL)
		return false;
	to->count[which] += p->count[0];
	to->bytes[which] += p->bytes[0];
	facts->stacks[which] = facts->stacks[which] || p->depth > 0;
	return true;
}

struct samples *
find_diff(const struct samples *before, const struct samples *now,
    struct diff_facts *facts)
{
	struct joining j = {.to = samples_new(), .keys = samples_new()};
	bool ok = j.to != NULL && j.keys != NULL;
	size_t i;
	int k;

	memset(facts, 0, sizeof(*facts));
	ok = ok && side_init(&j, &j.side[0], now, before) &&
	     side_init(&j, &j.side[1], before, now);
	for (k = 0; k < 2 && ok; k++)
		for (i = 0; i < j.side[k].s->nsample && ok; i++)
			ok = sample_join(&j, k, &j.side[k].s->sample[i], facts);
	if (ok) {
		j.to->time = now->time;
		j.to->wall = now->wall;
		j.to->about =
		    samples_string(j.to, samples_name(now, now->about));
		ok = !j.to->failed && !j.keys->failed;
	}
	side_fini(&j.side[0]);
	side_fini(&j.side[1]);
	free(j.shown);
	samples_free(j.keys);
	if (ok)
		return j.to;
	samples_free(j.to);
	return NULL;
}

/* ------------------------------------------------------------------- order */

static int
compare(int64_t x, int64_t y)
{
	return x > y ? -1 : x < y;
}

static int
change_compare(const void *a, const void *b, void *arg)
{
	const struct samples *s = arg;
	const uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct sample *x = &s->sample[i], *y = &s->sample[k];
	int rc = compare((int64_t)(x->bytes[0] - x->bytes[1]),
	    (int64_t)(y->bytes[0] - y->bytes[1]));

	if (rc == 0)
		rc = compare((int64_t)(x->count[0] - x->count[1]),
		    (int64_t)(y->count[0] - y->count[1]));
	return rc != 0 ? rc : i < k ? -1 : i > k;
}

size_t
find_diff_order(const struct samples *diff, uint32_t **ret)
{
	uint32_t *order = calloc(diff->nsample + 1, sizeof(*order));
	size_t i, n = 0;

	*ret = order;
	if (order == NULL)
		return 0;
	for (i = 0; i < diff->nsample; i++) {
		const struct sample *p = &diff->sample[i];

		if (p->count[0] != p->count[1] || p->bytes[0] != p->bytes[1])
			order[n++] = (uint32_t)i;
	}
	qsort_r(
	    order, n, sizeof(*order), change_compare, (void *)(uintptr_t)diff);
	return n;
}
