/* SPDX-License-Identifier: MIT */
/*
 * profile.c - samples as files: what all forms share, and collapsed stacks
 *
 * Layer: see profile.h.
 */
#include "profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile_impl.h"

struct folded {
	char *stack;
	uint64_t bytes[2];
};

void
profile_top(
    const struct samples *s, const struct sample *p, char *buf, size_t size)
{
	snprintf(buf, size, "[%.200s]",
	    p->cache != 0 ? samples_name(s, p->cache) : "no stack");
}

/* ------------------------------------------------------ collapsed stacks */

static void
folded_name(struct strbuf *b, const char *name)
{
	if (b->len > 0)
		strbuf_puts(b, ";");
	for (; *name != '\0'; name++)
		strbuf_add(b, *name == ';' ? ":" : name, 1);
}

/* "definite;main;load;parse"; NULL without memory. */
static char *
folded_stack(const struct samples *s, const struct sample *p)
{
	char text[SAMPLE_FRAME_TEXT];
	struct strbuf b = {0};
	uint32_t i;

	if (p->kind != 0)
		folded_name(&b, samples_name(s, p->kind));
	for (i = p->depth; i > 0; i--) {
		samples_frame_text(
		    s, s->link[p->stack + i - 1], text, sizeof(text));
		folded_name(&b, text);
	}
	if (p->depth == 0) {
		profile_top(s, p, text, sizeof(text));
		folded_name(&b, text);
	}
	if (b.failed)
		strbuf_free(&b);
	return b.p;
}

static int
folded_compare(const void *a, const void *b)
{
	return strcmp(((const struct folded *)a)->stack,
	    ((const struct folded *)b)->stack);
}

static void
folded_lines(struct savefile *f, struct folded *line, size_t n, bool both)
{
	size_t i, k;

	for (i = 0; i < n; i = k) {
		/* stacks that differ in places within functions are one here */
		for (k = i + 1;
		     k < n && strcmp(line[k].stack, line[i].stack) == 0; k++) {
			line[i].bytes[0] += line[k].bytes[0];
			line[i].bytes[1] += line[k].bytes[1];
		}
		savefile_puts(f, line[i].stack);
		if (both)
			savefile_printf(f, " %" PRIu64, line[i].bytes[1]);
		savefile_printf(f, " %" PRIu64 "\n", line[i].bytes[0]);
	}
}

static bool
profile_folded(struct savefile *f, const struct samples *s,
    const struct profile_about *about)
{
	struct folded *line = calloc(s->nsample + 1, sizeof(*line));
	bool ok = line != NULL;
	size_t i;

	for (i = 0; i < s->nsample && ok; i++) {
		line[i].stack = folded_stack(s, &s->sample[i]);
		line[i].bytes[0] = s->sample[i].bytes[0];
		line[i].bytes[1] = s->sample[i].bytes[1];
		ok = line[i].stack != NULL;
	}
	if (ok) {
		qsort(line, s->nsample, sizeof(*line), folded_compare);
		folded_lines(
		    f, line, s->nsample, about->beside == PROFILE_BEFORE);
	}
	for (i = 0; line != NULL && i < s->nsample; i++)
		free(line[i].stack);
	free(line);
	return ok;
}

/* --------------------------------------------------------------- the whole */

int
profile_write(enum profile_form form, const struct samples *s,
    const struct profile_about *about, const char *path, struct umdb_error *err)
{
	static bool (*const write[PROFILE_FORMS])(struct savefile *,
	    const struct samples *, const struct profile_about *) = {
	    [PROFILE_FOLDED] = profile_folded,
	    [PROFILE_PPROF] = profile_pprof,
	    [PROFILE_HTML] = profile_html,
	};
	struct savefile f;
	int rc;

	if (s->failed)
		return error_set(err, UMDB_ENOMEM, 0, "out of memory");
	rc = savefile_open(&f, path, err);
	if (rc != UMDB_OK)
		return rc;
	if (!write[form](&f, s, about)) {
		savefile_drop(&f);
		return error_set(err, UMDB_ENOMEM, 0, "out of memory");
	}
	return savefile_close(&f, err);
}
