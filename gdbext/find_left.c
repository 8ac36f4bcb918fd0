/* SPDX-License-Identifier: MIT */
/*
 * find_left.c - stacks that were left for a coroutine, and where SP was then
 *
 * Whoever starts a coroutine by swapcontext(3) leaves its own stack, with SP
 * in a ucontext_t that names no stack.  Such a ucontext_t stays as it is when
 * it has been resumed and the stack is left again in another way, from further
 * down.  So it counts only if
 *
 *	the word below SP is still the return address, right behind a call;
 *	what it was left for runs now, or was itself left for what runs, and so
 *	    on: swapcontext(3) saves its arguments too;
 *	no other ucontext_t or jmp_buf, current or not, has a lower SP on
 *	    the stack: then that one is taken.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"

#define WORD sizeof(uint64_t)

struct chase {
	struct target *tgt;
	const struct contexts *all;
	const struct left_view *view;
	bool *seen;   /* by context that waits */
	size_t *work; /* what to look at, of these */
	size_t nwork;
};

static bool
in_range(const struct range *r, taddr_t addr)
{
	return addr >= r->start && addr < r->end;
}

/* The stack that it waits on: the one that it names, or a thread's. */
static bool
stack_of(const struct chase *ch, const struct context *c, struct range *ret)
{
	const struct left_view *v = ch->view;
	size_t i;

	if (c->size != 0) {
		*ret = (struct range){c->lo, c->lo + c->size};
		return true;
	}
	for (i = 0; i < v->nown; i++) {
		if (!in_range(&v->own[i], c->sp))
			continue;
		*ret = v->own[i];
		return true;
	}
	return false;
}

static bool
is_running(const struct left_view *v, const struct range *stack)
{
	size_t i;

	for (i = 0; i < v->nsp; i++)
		if (in_range(stack, v->sp[i]))
			return true;
	return false;
}

/* Look later at what waits on this stack, but not on one that lies in it. */
static void
chase_later(struct chase *ch, const struct range *stack)
{
	const struct context *c = ch->all->context;
	size_t i;

	for (i = 0; i < ch->all->n; i++, c++) {
		if (ch->seen[i] || c->to == 0 || !in_range(stack, c->sp) ||
		    (c->size != 0 && c->lo > stack->start) ||
		    !find_context_behind_call(ch->tgt, c->pc))
			continue;
		ch->seen[i] = true;
		ch->work[ch->nwork++] = i;
	}
}

static const struct context *
context_at(const struct contexts *all, taddr_t at)
{
	size_t i;

	for (i = 0; i < all->n + all->nother; i++)
		if (all->context[i].at == at)
			return &all->context[i];
	return NULL;
}

/* Was this stack left for what runs? */
static bool
chase(struct chase *ch, const struct range *stack)
{
	const struct context *to;
	struct range next;

	memset(ch->seen, 0, ch->all->n * sizeof(*ch->seen));
	ch->nwork = 0;
	chase_later(ch, stack);
	while (ch->nwork > 0) {
		to = context_at(
		    ch->all, ch->all->context[ch->work[--ch->nwork]].to);
		if (to == NULL || !stack_of(ch, to, &next))
			continue;
		if (is_running(ch->view, &next))
			return true;
		chase_later(ch, &next);
	}
	return false;
}

static taddr_t
lowest_sp(const struct contexts *all, const struct range *stack)
{
	const struct context *c = all->context;
	taddr_t sp = stack->end;
	size_t i;

	for (i = 0; i < all->n + all->nother; i++, c++)
		if (c->sp >= stack->start && c->sp < sp)
			sp = c->sp;
	return sp;
}

int
find_left(struct target *tgt, const struct contexts *all,
    const struct left_view *view, struct left *left, size_t n)
{
	struct chase ch = {.tgt = tgt, .all = all, .view = view};
	int rc = UMDB_ENOMEM;
	size_t i;

	ch.seen = calloc(all->n + 1, sizeof(*ch.seen));
	ch.work = calloc(all->n + 1, sizeof(*ch.work));
	if (ch.seen != NULL && ch.work != NULL)
		rc = UMDB_OK;
	for (i = 0; i < n && rc == UMDB_OK; i++) {
		if (target_poll(tgt, "stacks that were left", i, n))
			rc = UMDB_EINTR;
		left[i].sp = 0;
		if (rc == UMDB_OK && chase(&ch, &left[i].stack))
			left[i].sp = lowest_sp(all, &left[i].stack);
	}
	free(ch.seen);
	free(ch.work);
	return rc;
}
