/* SPDX-License-Identifier: MIT */
/*
 * out_text.c - rows as aligned text for people
 *
 * A table's first rows wait until there are enough of them to choose widths
 * that fit; then the widths are kept and rows go out as they come, so that a
 * table of millions needs no more memory than one of two hundred.
 *
 * Layer: see out.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out_impl.h"
#include "setting.h"

#define ROWS_HELD 200u
#define STACK_INDENT "        "

void
text_clean(struct strbuf *b, const char *text)
{
	size_t len = strlen(text), n, i;

	for (i = 0; i < len; i += n ? n : 1) {
		const unsigned char c = (unsigned char)text[i];

		n = utf8_length(text + i, len - i);
		if (n == 0 || (c < 0x20 && c != '\t') || c == 0x7f)
			strbuf_add(b, "?", 1);
		else
			strbuf_add(b, text + i, n);
	}
}

/* Characters, not bytes, of clean text. */
static int
text_width(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			n++;
	return n;
}

void
out_size_text(uint64_t bytes, char *buf, size_t size)
{
	static const char unit[] = "KMGTPE";
	uint64_t whole = bytes, div = 1;
	int u = -1, digits;
	double d;

	while (whole >= 1024 && u < 5) {
		whole /= 1024;
		div *= 1024;
		u++;
	}
	if (u < 0) {
		snprintf(buf, size, "%" PRIu64, bytes);
		return;
	}
	if (bytes % div == 0) {
		snprintf(buf, size, "%" PRIu64 "%c", whole, unit[u]);
		return;
	}
	d = (double)bytes / (double)div;
	digits = d < 9.995 ? 2 : d < 99.95 ? 1 : 0;
	if (d >= 1023.5 && u < 5) { /* would read 1024K */
		d = 1.0;
		digits = 2;
		u++;
	}
	snprintf(buf, size, "%.*f%c", digits, d, unit[u]);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

void
out_frame_text(struct out *o, uint64_t pc, char *buf, size_t size)
{
	const struct out_frame *f = out_frame(o, pc);
	int n;

	if (f->function != NULL)
		n = snprintf(buf, size, "%s+%#" PRIx64, f->function, f->offset);
	else
		n = snprintf(buf, size, "0x%" PRIx64, pc);
	if (n < 0 || (size_t)n >= size)
		return;
	if (f->file != NULL && f->line > 0)
		snprintf(buf + n, size - (size_t)n, " at %s:%d",
		    base_name(f->file), f->line);
	else if (f->module != NULL && f->function == NULL && f->base != 0)
		snprintf(buf + n, size - (size_t)n, " in %s+0x%" PRIx64,
		    base_name(f->module), pc - f->base);
	else if (f->module != NULL)
		snprintf(
		    buf + n, size - (size_t)n, " in %s", base_name(f->module));
}

static void
put_frames(struct out *o, const uint64_t *pc, size_t depth)
{
	const int64_t most = settings[SETTING_DEPTH].value;
	const size_t n =
	    most < 0 || (uint64_t)most > depth ? depth : (size_t)most;
	char text[1024];
	size_t i;

	for (i = 0; i < n && !o->stopped; i++) {
		out_frame_text(o, pc[i], text, sizeof(text));
		strbuf_puts(&o->buf, STACK_INDENT);
		text_clean(&o->buf, text);
		strbuf_puts(&o->buf, "\n");
	}
	if (n > 0 && n < depth && !o->stopped)
		strbuf_printf(
		    &o->buf, STACK_INDENT "... %zu more\n", depth - n);
	out_flush(o, false);
}

void
out_frames(struct out *o, const uint64_t *pc, size_t depth)
{
	if (o->json)
		return;
	text_put_rows(o);
	put_frames(o, pc, depth);
}

void
text_notes(struct out *o)
{
	char text[64];
	size_t i;

	for (i = 0; i < notes_count(o); i++) {
		strbuf_puts(&o->buf, "note: ");
		text_clean(&o->buf, note_at(o, i, text, sizeof(text)));
		strbuf_puts(&o->buf, "\n");
	}
}

/* ----------------------------------------------------------------- cells */

static bool
shown(const struct out_column *c)
{
	return c->header != NULL && c->type != OUT_STACK && c->type != OUT_LIST;
}

static bool
left_aligned(const struct out_column *c)
{
	if (c->width != 0)
		return c->width < 0;
	return c->type == OUT_TEXT || c->type == OUT_ADDR ||
	       c->type == OUT_PIPE || c->type == OUT_BOOL;
}

void
text_cell(struct out *o, const struct out_column *c, const char *text)
{
	if (!shown(c))
		return;
	text_clean(&o->rows.cells, text);
	strbuf_add(&o->rows.cells, "", 1);
}

void
text_uint(struct out *o, const struct out_column *c, uint64_t value)
{
	char text[32];

	switch (c->type) {
	case OUT_ADDR:
	case OUT_PIPE:
	case OUT_HEX:
		snprintf(text, sizeof(text), "0x%" PRIx64, value);
		break;
	case OUT_SIZE:
		out_size_text(value, text, sizeof(text));
		break;
	case OUT_TIME:
		snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64,
		    value / 1000000000u, value % 1000000000u);
		break;
	case OUT_BOOL:
		snprintf(text, sizeof(text), "%s", value ? "yes" : "no");
		break;
	case OUT_UINT:
	case OUT_TEXT:
	case OUT_STACK:
	case OUT_LIST:
		snprintf(text, sizeof(text), "%" PRIu64, value);
		break;
	}
	text_cell(o, c, text);
}

static bool
stack_room(struct out *o, size_t n)
{
	struct out_rows *r = &o->rows;
	size_t cap = r->capstack ? r->capstack : 256;
	uint64_t *p;

	if (n <= r->capstack - r->nstack)
		return true;
	while (cap - r->nstack < n)
		cap *= 2;
	p = realloc(r->stack, cap * sizeof(*p));
	if (p == NULL) {
		out_no_memory(o);
		return false;
	}
	r->stack = p;
	r->capstack = cap;
	return true;
}

void
text_row_begin(struct out *o)
{
	struct out_rows *r = &o->rows;

	if (!stack_room(o, 1))
		return;
	r->depth_at = r->nstack;
	r->stack[r->nstack++] = 0;
}

void
text_stack(struct out *o, const uint64_t *pc, size_t depth)
{
	struct out_rows *r = &o->rows;

	if (o->stopped || depth == 0 || !stack_room(o, depth))
		return;
	memcpy(r->stack + r->nstack, pc, depth * sizeof(*pc));
	r->nstack += depth;
	r->stack[r->depth_at] += depth;
}

/* ------------------------------------------------------------------ rows */

static void
put_cell(struct out *o, size_t i, const char *text, bool first, bool last)
{
	const bool left = left_aligned(&o->col[i]);
	int pad = o->rows.width[i] - text_width(text);

	if (!first)
		strbuf_puts(&o->buf, "  ");
	for (; !left && pad > 0; pad--)
		strbuf_add(&o->buf, " ", 1);
	strbuf_puts(&o->buf, text);
	for (; left && !last && pad > 0; pad--)
		strbuf_add(&o->buf, " ", 1);
}

static size_t
last_shown(const struct out *o)
{
	size_t i, last = 0;

	for (i = 0; i < o->ncol; i++)
		if (shown(&o->col[i]))
			last = i;
	return last;
}

static void
put_header(struct out *o)
{
	const size_t last = last_shown(o);
	bool first = true;
	size_t i;

	for (i = 0; i < o->ncol; i++) {
		if (!shown(&o->col[i]))
			continue;
		put_cell(o, i, o->col[i].header, first, i == last);
		first = false;
	}
	strbuf_puts(&o->buf, "\n");
}

static void
widen(struct out *o)
{
	struct out_rows *r = &o->rows;
	const char *cell = r->cells.p;
	size_t i, row;
	int w;

	for (i = 0; i < o->ncol; i++) {
		if (!shown(&o->col[i]))
			continue;
		w = abs(o->col[i].width);
		r->width[i] = text_width(o->col[i].header);
		r->width[i] = w > r->width[i] ? w : r->width[i];
	}
	for (row = 0; row < r->nrow; row++) {
		for (i = 0; i < o->ncol; i++) {
			if (!shown(&o->col[i]))
				continue;
			w = text_width(cell);
			r->width[i] = w > r->width[i] ? w : r->width[i];
			cell += strlen(cell) + 1;
		}
	}
}

/* Write the rows that wait. */
static void
put_rows(struct out *o)
{
	struct out_rows *r = &o->rows;
	const size_t last = last_shown(o);
	const uint64_t *stack = r->stack;
	const char *cell = r->cells.p;
	size_t row, i;
	bool first;

	if (!r->header_done) {
		widen(o);
		if (shown(&o->col[last]))
			put_header(o);
		r->header_done = true;
	}
	for (row = 0; row < r->nrow && !o->stopped; row++) {
		first = true;
		for (i = 0; i < o->ncol; i++) {
			if (!shown(&o->col[i]))
				continue;
			put_cell(o, i, cell, first, i == last);
			cell += strlen(cell) + 1;
			first = false;
		}
		if (!first)
			strbuf_puts(&o->buf, "\n");
		if (stack[0] > 0) {
			put_frames(o, stack + 1, stack[0]);
			strbuf_puts(&o->buf, "\n");
		}
		stack += 1 + stack[0];
		out_flush(o, false);
	}
	r->cells.len = 0;
	r->nstack = 0;
	r->nrow = 0;
}

void
text_row_end(struct out *o)
{
	if (o->rows.cells.failed)
		out_no_memory(o);
	o->rows.nrow++;
	if (o->stopped) {
		o->rows.cells.len = o->rows.nstack = o->rows.nrow = 0;
		return;
	}
	if (o->rows.header_done || o->rows.nrow >= ROWS_HELD)
		put_rows(o);
}

void
text_put_rows(struct out *o)
{
	if (o->suspended && o->rows.nrow > 0 && !o->stopped)
		put_rows(o);
}

void
text_table_end(struct out *o)
{
	if (o->rows.nrow > 0 && !o->stopped)
		put_rows(o);
	o->rows.cells.len = o->rows.nstack = o->rows.nrow = 0;
	o->rows.header_done = false;
	memset(o->rows.width, 0, sizeof(o->rows.width));
}
