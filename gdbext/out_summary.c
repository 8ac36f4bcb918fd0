/* SPDX-License-Identifier: MIT */
/*
 * out_summary.c - facts and notes, which stand below the rows; pipes
 *
 * In a pipeline a command runs many times into one output: facts of one name
 * add up, and a note that was made stands once.
 *
 * Layer: see out.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out_impl.h"

#define NOTES_KEPT 64u

/* ----------------------------------------------------------------- facts */

static struct out_fact *
fact_new(struct out *o, const char *key)
{
	size_t cap = o->capfact ? o->capfact * 2 : 16;
	struct out_fact *f;

	if (o->nfact == o->capfact) {
		f = realloc(o->fact, cap * sizeof(*f));
		if (f == NULL)
			return NULL;
		o->fact = f;
		o->capfact = cap;
	}
	f = &o->fact[o->nfact];
	memset(f, 0, sizeof(*f));
	f->key = strdup(key);
	if (f->key == NULL)
		return NULL;
	o->nfact++;
	return f;
}

void
fact_put(struct out *o, const char *key, enum out_type type, uint64_t value,
    const char *text)
{
	struct out_fact *f = NULL;
	size_t i;

	for (i = 0; o->loop && i < o->nfact; i++) {
		f = &o->fact[i];
		if (f->type != type || strcmp(f->key, key) != 0)
			continue;
		f->value += value;
		return;
	}
	f = fact_new(o, key);
	if (f != NULL) {
		f->type = type;
		f->value = value;
		f->text = text != NULL ? strdup(text) : NULL;
	}
	if (f == NULL || (text != NULL && f->text == NULL))
		out_no_memory(o);
}

/* ----------------------------------------------------------------- notes */

static void
note_add(struct out *o, char *text)
{
	size_t i;

	for (i = 0; i < o->nnote; i++)
		if (strcmp(o->note[i], text) == 0)
			break;
	if (i == o->nnote && o->nnote == NOTES_KEPT)
		o->more_notes++;
	else if (i == o->nnote && o->note == NULL)
		o->note = calloc(NOTES_KEPT, sizeof(*o->note));
	if (i < o->nnote || i == NOTES_KEPT)
		free(text);
	else if (o->note == NULL) {
		free(text);
		out_no_memory(o);
	} else {
		o->note[o->nnote++] = text;
	}
}

void
out_note(struct out *o, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text == NULL) {
		out_no_memory(o);
		return;
	}
	while (o->to != NULL) /* a walker may feed a pipe from a pipe */
		o = o->to;
	note_add(o, text);
}

size_t
notes_count(const struct out *o)
{
	return o->nnote + (o->more_notes > 0);
}

const char *
note_at(struct out *o, size_t i, char *buf, size_t size)
{
	if (i < o->nnote)
		return o->note[i];
	snprintf(buf, size, "and %zu more notes", o->more_notes);
	return buf;
}

void
summary_free(struct out *o)
{
	size_t i;

	for (i = 0; i < o->nfact; i++) {
		free(o->fact[i].key);
		free(o->fact[i].text);
	}
	for (i = 0; i < o->nnote; i++)
		free(o->note[i]);
	free(o->fact);
	free(o->note);
}

/* ----------------------------------------------------------------- pipes */

struct out *
out_open_pipe(
    struct out *to, void (*take)(void *arg, uint64_t value), void *arg)
{
	struct out *o = out_open(&to->sink, true, to->command);

	if (o == NULL)
		return NULL;
	o->pipe = true;
	o->to = to;
	o->take = take;
	o->take_arg = arg;
	return o;
}

void
out_pipe(struct out *o, uint64_t value)
{
	if (o->pipe)
		o->take(o->take_arg, value);
}

void
out_loop(struct out *o)
{
	o->loop = true;
}
