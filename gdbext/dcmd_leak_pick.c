/* SPDX-License-Identifier: MIT */
/*
 * dcmd_leak_pick.c - which leaks findleaks shows, and in which order
 *
 * The search finds everything once and is remembered; what a line asks for is
 * a view of that.  Only where a group lost some of its members - what a
 * suppressed leak leads to is suppressed with it - members are copied too.
 *
 * Layer: see dcmd_leak.h.
 */
#include "dcmd_leak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addrmap.h"
#include "dcmd_run.h"
#include "setting.h"

#define KINDS 3

/* -i and -x: a name or address as elsewhere, or a pattern with "*". */
struct frame_filter {
	bool exclude;
	const char *pattern; /* NULL: code */
	struct code_filter code;
};

struct picking {
	struct dcmd_ctx *ctx;
	const struct leaks *all;
	struct leak_pick *p;
	struct frame_filter *filter;
	size_t nfilter;
	bool include; /* there is an -i */
	int (*compare)(const struct picking *, const struct leak_group *,
	    const struct leak_group *);
};

/* ----------------------------------------------------------------- filters */

static int
filter_add(struct picking *w, char letter, const char *text)
{
	struct frame_filter *f = &w->filter[w->nfilter++];

	f->exclude = letter == 'x';
	w->include = w->include || letter == 'i';
	if (strchr(text, '*') != NULL) {
		f->pattern = text;
		return UMDB_OK;
	}
	return dcmd_code_filter(w->ctx, text, &f->code);
}

static bool
filter_matches(const struct picking *w, const struct frame_filter *f,
    const struct leak_group *g)
{
	const struct out_frame *frame;
	uint16_t i;

	if (f->pattern == NULL)
		return dcmd_in_code(w->ctx, &f->code, g->stack, g->depth);
	for (i = 0; i < g->depth; i++) {
		frame = out_frame(w->ctx->out, g->stack[i]);
		if (frame->function != NULL &&
		    suppress_glob(f->pattern, frame->function, false))
			return true;
	}
	return false;
}

static bool
group_passes(const struct picking *w, const struct leak_group *g)
{
	bool in = !w->include;
	size_t i;

	for (i = 0; i < w->nfilter; i++) {
		const struct frame_filter *f = &w->filter[i];

		if (!f->exclude && in)
			continue;
		if (!filter_matches(w, f, g))
			continue;
		if (f->exclude)
			return false;
		in = true;
	}
	return in;
}

/* The functions that the line names; an argument is like one more -i. */
static int
filters_read(struct picking *w, const struct dcmd_args *args)
{
	int i, rc = UMDB_OK;

	w->filter = calloc((size_t)args->ngiven + 1, sizeof(*w->filter));
	if (w->filter == NULL)
		return error_set(w->ctx->err, UMDB_ENOMEM, 0, "out of memory");
	if (args->argc > 0)
		rc = filter_add(w, 'i', args->argv[0]);
	for (i = 0; i < args->ngiven && rc == UMDB_OK; i++)
		if (args->given[i].letter == 'i' ||
		    args->given[i].letter == 'x')
			rc = filter_add(
			    w, args->given[i].letter, args->given[i].value);
	w->p->filtered = w->nfilter > 0;
	return rc;
}

/* ------------------------------------------------------------- suppression */

/* Names for the linker that were asked for, by return address. */
struct linkage {
	struct dcmd_ctx *ctx;
	struct addrmap index;
	char **name; /* NULL unknown */
	size_t n, room;
};

/* "main + 9 in section .text" */
static char *
linkage_ask(struct dcmd_ctx *ctx, uint64_t pc)
{
	char command[80];
	const char *text = "";
	size_t n;

	/* the call, not what follows it */
	snprintf(command, sizeof(command),
	    "with print demangle off -- info symbol 0x%" PRIx64, pc - 1);
	if (ctx->execute == NULL ||
	    ctx->execute(ctx->execute_arg, command, &text) != UMDB_OK)
		return NULL;
	n = strcspn(text, " \n");
	if (strncmp(text + n, " in section", 11) != 0 &&
	    strncmp(text + n, " + ", 3) != 0)
		return NULL;
	return strndup(text, n);
}

static const char *
linkage_of(void *arg, const struct out_frame *f)
{
	struct linkage *l = arg;
	const uint32_t known = addrmap_get(&l->index, f->pc);
	const size_t room = l->room == 0 ? 64 : l->room * 2;
	char **more;

	if (known != ADDRMAP_NONE)
		return l->name[known];
	if (f->pc == 0)
		return NULL;
	if (l->n == l->room) {
		more = realloc(l->name, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		l->name = more;
		l->room = room;
	}
	if (addrmap_put(&l->index, f->pc, (uint32_t)l->n) != UMDB_OK)
		return NULL;
	l->name[l->n] = linkage_ask(l->ctx, f->pc);
	return l->name[l->n++];
}

static void
linkage_fini(struct linkage *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	addrmap_fini(&l->index);
}

/* Which groups the rules match, by their own stacks. */
static void
suppress_groups(struct picking *w, struct suppress_rule **rule_of)
{
	struct out_frame frame[UMEM_MAX_DEPTH];
	const struct out_frame *of[UMEM_MAX_DEPTH];
	size_t i;
	uint16_t k;

	for (k = 0; k < UMEM_MAX_DEPTH; k++)
		of[k] = &frame[k];
	for (i = 0; i < w->all->ngroup && !out_stopped(w->ctx->out); i++) {
		const struct leak_group *g = &w->all->group[i];

		for (k = 0; k < g->depth && k < UMEM_MAX_DEPTH; k++)
			frame[k] = *out_frame(w->ctx->out, g->stack[k]);
		rule_of[i] = suppress_match(w->p->suppress, g->kind, of, k);
	}
}

/* The rule that takes a leak away: its own, or that of what leads to it. */
static struct suppress_rule *
rule_of_leak(struct suppress_rule *const *rule_of, const struct leak *l)
{
	return rule_of[l->group] != NULL ? rule_of[l->group]
					 : rule_of[l->owner];
}

/* Members that are left, and what they add up to. */
static int
suppress_leaks(struct picking *w, struct suppress_rule *const *rule_of)
{
	struct leaks *view = &w->p->view;
	struct snap *snap = w->ctx->snap;
	size_t i, n = 0;

	w->p->own = malloc((w->all->nleak + 1) * sizeof(*w->p->own));
	if (w->p->own == NULL)
		return error_set(w->ctx->err, UMDB_ENOMEM, 0, "out of memory");
	for (i = 0; i < view->ngroup; i++) {
		struct leak_group *g = &view->group[i];

		g->count = g->bytes = g->owned_count = g->owned_bytes = 0;
	}
	for (i = 0; i < w->all->nleak; i++) {
		const struct leak *l = &w->all->leak[i];
		struct suppress_rule *rule = rule_of_leak(rule_of, l);
		struct leak_group *g = &view->group[l->group];

		if (rule != NULL) {
			rule->count++;
			rule->bytes += l->size;
			w->p->count++;
			w->p->bytes += l->size;
			continue;
		}
		if (g->count++ == 0) {
			g->first = n;
			g->bufctl =
			    snap_buf_bufctl(&snap->slab[l->slab], l->index);
		}
		g->bytes += l->size;
		if (l->kind == LEAK_INDIRECT) {
			view->group[l->owner].owned_count++;
			view->group[l->owner].owned_bytes += l->size;
		}
		w->p->own[n++] = *l;
	}
	view->leak = w->p->own;
	view->nleak = n;
	return UMDB_OK;
}

static int
suppress_all(struct picking *w, const struct dcmd_args *args)
{
	struct linkage names = {.ctx = w->ctx};
	struct suppress_rule **rule_of;
	int i, rc = UMDB_OK;

	for (i = 0; i < args->ngiven && rc == UMDB_OK; i++)
		if (args->given[i].letter == 'S')
			rc = suppress_read(
			    args->given[i].value, &w->p->suppress, w->ctx->err);
	if (rc != UMDB_OK)
		return rc;
	rule_of = calloc(w->all->ngroup + 1, sizeof(*rule_of));
	if (rule_of == NULL)
		return error_set(w->ctx->err, UMDB_ENOMEM, 0, "out of memory");
	suppress_linkage(w->p->suppress, linkage_of, &names);
	suppress_groups(w, rule_of);
	suppress_linkage(w->p->suppress, NULL, NULL);
	linkage_fini(&names);
	rc = suppress_leaks(w, rule_of);
	free(rule_of);
	return rc;
}

void
dcmd_leak_suppressed(struct dcmd_ctx *ctx, const struct leak_pick *p, bool all)
{
	const struct suppress *s = p->suppress;
	char size[32];
	size_t i, used = 0;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++)
		used += s->rule[i].count > 0;
	out_size_text(p->bytes, size, sizeof(size));
	out_line(ctx->out,
	    "suppressed: %" PRIu64 " buffer%s, %s bytes, by %zu of %zu rules",
	    p->count, p->count == 1 ? "" : "s", size, used, s->n);
	out_fact_uint(ctx->out, "suppressed", OUT_UINT, p->count);
	out_fact_uint(ctx->out, "suppressed_bytes", OUT_SIZE, p->bytes);
	for (i = 0; i < s->n && all; i++) {
		const struct suppress_rule *rule = &s->rule[i];

		out_size_text(rule->bytes, size, sizeof(size));
		if (rule->count > 0)
			out_note(ctx->out,
			    "the suppression %s: %" PRIu64
			    " buffer%s, %s bytes",
			    rule->name, rule->count,
			    rule->count == 1 ? "" : "s", size);
		else
			out_note(ctx->out, "the suppression %s was not used",
			    rule->name);
	}
}

/* ------------------------------------------------------------------- order */

static int
compare(uint64_t x, uint64_t y)
{
	return x < y ? -1 : x > y;
}

static int
by_bytes(const struct picking *w, const struct leak_group *x,
    const struct leak_group *y)
{
	(void)w;
	return compare(y->bytes + y->owned_bytes, x->bytes + x->owned_bytes);
}

static int
by_count(const struct picking *w, const struct leak_group *x,
    const struct leak_group *y)
{
	(void)w;
	return compare(y->count + y->owned_count, x->count + x->owned_count);
}

/* The oldest first; what has no time stamp comes last. */
static int
by_age(const struct picking *w, const struct leak_group *x,
    const struct leak_group *y)
{
	const struct leak *leak = w->p->view.leak;

	return compare(
	    leak[x->first].timestamp - 1, leak[y->first].timestamp - 1);
}

/* By name of function, from the innermost on; without a name last. */
static int
by_caller(const struct picking *w, const struct leak_group *x,
    const struct leak_group *y)
{
	const char *a, *b;
	size_t i, k;
	int rc;

	i = dcmd_caller(w->ctx, x->stack, x->depth);
	k = dcmd_caller(w->ctx, y->stack, y->depth);
	for (; i < x->depth && k < y->depth; i++, k++) {
		a = out_frame(w->ctx->out, x->stack[i])->function;
		b = out_frame(w->ctx->out, y->stack[k])->function;
		if ((a == NULL) != (b == NULL))
			return a == NULL ? 1 : -1;
		rc = a != NULL ? strcmp(a, b)
			       : compare(x->stack[i], y->stack[k]);
		if (rc != 0)
			return rc;
	}
	if ((x->depth == 0) != (y->depth == 0))
		return x->depth == 0 ? 1 : -1;
	return compare(x->depth, y->depth);
}

static int
group_compare(const void *a, const void *b, void *arg)
{
	static const int rank[KINDS] = {
	    [LEAK_DEFINITE] = 0,
	    [LEAK_POSSIBLE] = 1,
	    [LEAK_INDIRECT] = 2,
	};
	const struct picking *w = arg;
	const struct leak_group *x = a, *y = b;
	int rc;

	if (x->kind != y->kind)
		return rank[x->kind] - rank[y->kind];
	rc = w->compare(w, x, y);
	if (rc == 0)
		rc = by_bytes(w, x, y);
	return rc != 0 ? rc : compare(x->first, y->first);
}

static int
order_read(struct picking *w, const struct dcmd_args *args)
{
	static const struct {
		const char *word;
		int (*compare)(const struct picking *,
		    const struct leak_group *, const struct leak_group *);
	} orders[] = {
	    {"bytes", by_bytes},
	    {"count", by_count},
	    {"age", by_age},
	    {"caller", by_caller},
	};
	char usual[16];
	const char *want = args->opt['s'] != NULL ? args->opt['s'] : usual;
	size_t i;

	setting_word(SETTING_SORT, usual, sizeof(usual));
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		if (strcmp(orders[i].word, want) == 0) {
			w->compare = orders[i].compare;
			return UMDB_OK;
		}
	}
	return dcmd_usage_error(w->ctx->dcmd, w->ctx->err,
	    "-s is bytes, count, age or caller, not %.80s", want);
}

/* --------------------------------------------------------------- the whole */

static int
view_copy(struct picking *w)
{
	struct leaks *view = &w->p->view;

	*view = *w->all;
	view->group = malloc((view->ngroup + 1) * sizeof(*view->group));
	if (view->group == NULL)
		return error_set(w->ctx->err, UMDB_ENOMEM, 0, "out of memory");
	if (view->ngroup > 0)
		memcpy(view->group, w->all->group,
		    view->ngroup * sizeof(*view->group));
	return UMDB_OK;
}

static void
view_finish(struct picking *w)
{
	struct leaks *view = &w->p->view;
	size_t i, n = 0;

	for (i = 0; i < view->ngroup; i++)
		if (view->group[i].count > 0 &&
		    (w->nfilter == 0 || group_passes(w, &view->group[i])))
			view->group[n++] = view->group[i];
	view->ngroup = n;
	qsort_r(view->group, n, sizeof(*view->group), group_compare, w);
}

int
dcmd_leak_pick(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    const struct leaks *all, struct leak_pick *ret)
{
	struct picking w = {.ctx = ctx, .all = all, .p = ret};
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = order_read(&w, args);
	if (rc == UMDB_OK)
		rc = filters_read(&w, args);
	if (rc == UMDB_OK)
		rc = view_copy(&w);
	if (rc == UMDB_OK && args->opt['S'] != NULL)
		rc = suppress_all(&w, args);
	if (rc == UMDB_OK)
		view_finish(&w);
	free(w.filter);
	return rc;
}

void
dcmd_leak_pick_free(struct leak_pick *p)
{
	free(p->view.group);
	free(p->own);
	suppress_free(p->suppress);
	memset(p, 0, sizeof(*p));
}
