/* SPDX-License-Identifier: MIT */
/*
 * out.c - the buffer, the sink, and what all forms have in common
 *
 * Output gathers in a buffer that goes to the sink in pieces of some 16 KiB:
 * a call into the debugger costs far more than the copy, and the pager can
 * still stop us between two pieces.  Return addresses are named once each,
 * when they are first printed, and remembered.
 *
 * Layer: see out.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out_impl.h"

#define FLUSH_BYTES (16u << 10)

/* --------------------------------------------------------------- strings */

static bool
strbuf_room(struct strbuf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (b->failed)
		return false;
	if (len < b->cap - b->len)
		return true;
	while (cap - b->len <= len) {
		if (cap > SIZE_MAX / 2) {
			b->failed = true;
			return false;
		}
		cap *= 2;
	}
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void
strbuf_add(struct strbuf *b, const char *text, size_t len)
{
	if (!strbuf_room(b, len))
		return;
	memcpy(b->p + b->len, text, len);
	b->len += len;
	b->p[b->len] = '\0';
}

void
strbuf_puts(struct strbuf *b, const char *text)
{
	strbuf_add(b, text, strlen(text));
}

static void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !strbuf_room(b, (size_t)n))
		return;
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void
strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
strbuf_free(struct strbuf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

size_t
utf8_length(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned code;
	size_t n, i;

	if (len == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		n = 2;
	else if ((u[0] & 0xf0) == 0xe0)
		n = 3;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	code = u[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (u[i] & 0x3fu);
	}
	if (n == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)))
		return 0; /* overlong, or half of a UTF-16 pair */
	if (n == 4 && (code < 0x10000 || code > 0x10ffff))
		return 0;
	return n;
}

/* ------------------------------------------------------------ life, sink */

struct out *
out_open(const struct out_sink *sink, bool json, const char *command)
{
	struct out *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->sink = *sink;
	o->json = json;
	o->row_first = true;
	o->command = strdup(command);
	if (o->command == NULL) {
		free(o);
		return NULL;
	}
	return o;
}

void
out_no_memory(struct out *o)
{
	o->nomem = true;
	o->stopped = true;
}

/* How much of the buffer ends on a whole character. */
static size_t
whole_length(const struct strbuf *b)
{
	size_t n = b->len, back;

	for (back = 1; back <= 3 && back <= n; back++) {
		const unsigned char c = (unsigned char)b->p[n - back];

		if (c >= 0xc0) /* a sequence starts here: is it whole? */
			return utf8_length(b->p + n - back, back) == back
				   ? n
				   : n - back;
		if (c < 0x80)
			return n;
	}
	return n;
}

void
out_flush(struct out *o, bool all)
{
	size_t n;
	int ok = 0;

	if (o->buf.failed)
		out_no_memory(o);
	if (o->stopped) {
		o->buf.len = 0;
		return;
	}
	if (o->buf.len == 0 || (!all && o->buf.len < FLUSH_BYTES))
		return;
	n = whole_length(&o->buf);
	o->sink.write(o->sink.arg, o->buf.p, n, &ok);
	if (ok != 1)
		o->stopped = true;
	memmove(o->buf.p, o->buf.p + n, o->buf.len - n);
	o->buf.len -= n;
}

/* Write out what a table still holds; the next one is another. */
static void
table_finish(struct out *o)
{
	if (o->col == NULL)
		return;
	if (!o->json)
		text_table_end(o);
	o->suspended = false;
	o->col = NULL;
	o->ncol = o->at = 0;
}

/* Notes, wherever they go; who reads the rows may have had enough of them. */
static void
close_text(struct out *o)
{
	if (o->sink.note != NULL && notes_count(o) > 0) {
		out_flush(o, true);
		o->sink.write = o->sink.note;
		o->stopped = false;
	}
	text_notes(o);
}

void
out_close(struct out *o)
{
	size_t i;

	if (o == NULL)
		return;
	table_finish(o);
	if (o->json && !o->pipe)
		json_tail(o);
	else if (!o->pipe)
		close_text(o);
	out_flush(o, true);
	for (i = 0; i < o->capframe; i++) {
		free((void *)(uintptr_t)o->frame[i].frame.function);
		free((void *)(uintptr_t)o->frame[i].frame.module);
		free((void *)(uintptr_t)o->frame[i].frame.file);
	}
	free(o->frame);
	free(o->rows.stack);
	strbuf_free(&o->rows.cells);
	summary_free(o);
	strbuf_free(&o->buf);
	free(o->error);
	free(o->command);
	free(o);
}

bool
out_is_json(const struct out *o)
{
	return o->json;
}

bool
out_is_pipe(const struct out *o)
{
	return o->pipe;
}

bool
out_stopped(const struct out *o)
{
	return o->stopped || (o->to != NULL && o->to->stopped);
}

int
out_status(const struct out *o)
{
	if (o->nomem || (o->to != NULL && o->to->nomem))
		return UMDB_ENOMEM;
	return out_stopped(o) ? UMDB_EINTR : UMDB_OK;
}

/* ---------------------------------------------------------------- tables */

void
out_table(struct out *o, const struct out_column *col, size_t ncol)
{
	if (o->col != col)
		table_finish(o);
	o->suspended = false;
	o->col = col;
	o->ncol = ncol < OUT_MAX_COLUMNS ? ncol : OUT_MAX_COLUMNS;
	o->at = o->ncol;
}

/* Rows of a table that may go on wait until it is clear that it does not. */
void
out_table_end(struct out *o)
{
	o->suspended = o->loop;
	if (!o->loop)
		table_finish(o);
	out_flush(o, false);
}

void
out_row(struct out *o)
{
	o->at = 0;
	if (o->pipe)
		return;
	if (o->json)
		json_row_begin(o);
	else
		text_row_begin(o);
}

const struct out_column *
out_next_column(struct out *o)
{
	return o->at < o->ncol ? &o->col[o->at++] : NULL;
}

void
out_uint(struct out *o, uint64_t value)
{
	const struct out_column *c = out_next_column(o);

	if (c == NULL)
		return;
	if (o->pipe) {
		if (c->type == OUT_PIPE)
			out_pipe(o, value);
	} else if (!o->json) {
		text_uint(o, c, value);
	} else if (c->key != NULL) {
		json_key(o, c->key, &o->cell_first);
		json_uint(&o->buf, c->type, value);
	}
}

void
out_text(struct out *o, const char *text)
{
	const struct out_column *c = out_next_column(o);

	if (c == NULL || o->pipe)
		return;
	if (!o->json) {
		text_cell(o, c, text);
	} else if (c->key != NULL) {
		json_key(o, c->key, &o->cell_first);
		json_string(&o->buf, text);
	}
}

void
out_null(struct out *o)
{
	const struct out_column *c = out_next_column(o);

	if (c == NULL || o->pipe)
		return;
	if (!o->json) {
		text_cell(o, c, "-");
	} else if (c->key != NULL) {
		const bool many = c->type == OUT_STACK || c->type == OUT_LIST;

		json_key(o, c->key, &o->cell_first);
		strbuf_puts(&o->buf, many ? "[]" : "null");
	}
}

void
out_stack(struct out *o, const uint64_t *pc, size_t depth)
{
	const struct out_column *c = out_next_column(o);

	if (c == NULL || o->pipe)
		return;
	if (!o->json) {
		if (c->header != NULL)
			text_stack(o, pc, depth);
	} else if (c->key != NULL) {
		json_key(o, c->key, &o->cell_first);
		json_stack(o, pc, depth);
	}
}

void
out_row_end(struct out *o)
{
	while (o->at < o->ncol)
		out_null(o);
	if (o->pipe)
		return;
	if (o->json)
		strbuf_puts(&o->buf, "}");
	else
		text_row_end(o);
	out_flush(o, false);
}

/* ------------------------------------------------------- lists in a cell */

void
out_list_begin(struct out *o)
{
	const struct out_column *c = out_next_column(o);

	if (c == NULL || !o->json || o->pipe || c->key == NULL)
		return;
	json_key(o, c->key, &o->cell_first);
	strbuf_puts(&o->buf, "[");
	o->list_first = true;
}

void
out_item_begin(struct out *o)
{
	if (!o->json || o->pipe)
		return;
	strbuf_puts(&o->buf, o->list_first ? "{" : ",{");
	o->list_first = false;
	o->item_first = true;
	out_flush(o, false);
}

void
out_item_uint(
    struct out *o, const char *key, enum out_type type, uint64_t value)
{
	if (!o->json || o->pipe)
		return;
	json_key(o, key, &o->item_first);
	json_uint(&o->buf, type, value);
}

void
out_item_text(struct out *o, const char *key, const char *text)
{
	if (!o->json || o->pipe)
		return;
	json_key(o, key, &o->item_first);
	if (text != NULL)
		json_string(&o->buf, text);
	else
		strbuf_puts(&o->buf, "null");
}

void
out_item_end(struct out *o)
{
	if (o->json && !o->pipe)
		strbuf_puts(&o->buf, "}");
}

void
out_list_end(struct out *o)
{
	if (o->json && !o->pipe)
		strbuf_puts(&o->buf, "]");
}

/* ------------------------------------------------- lines, facts and notes */

static void put_line(struct strbuf *to, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
put_line(struct strbuf *to, const char *fmt, va_list ap)
{
	struct strbuf line = {0};

	strbuf_vprintf(&line, fmt, ap);
	if (line.failed)
		to->failed = true;
	else if (line.p != NULL)
		text_clean(to, line.p);
	strbuf_puts(to, "\n");
	strbuf_free(&line);
}

void
out_line(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->json)
		return;
	text_put_rows(o);
	va_start(ap, fmt);
	put_line(&o->buf, fmt, ap);
	va_end(ap);
	out_flush(o, false);
}

void
out_fact_uint(
    struct out *o, const char *key, enum out_type type, uint64_t value)
{
	if (o->json && !o->pipe)
		fact_put(o, key, type, value, NULL);
}

void
out_fact_text(struct out *o, const char *key, const char *text)
{
	if (o->json && !o->pipe)
		fact_put(o, key, OUT_TEXT, 0, text);
}

void
out_error(struct out *o, const char *message)
{
	free(o->error);
	o->error = strdup(message);
}

/* ---------------------------------------------------------------- frames */

static char *
copy_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? strdup(text) : NULL;
}

static struct frame_slot *
frame_lookup(struct frame_slot *slot, size_t cap, uint64_t pc)
{
	size_t i = (size_t)(pc * 0x9e3779b97f4a7c15ULL >> 32) & (cap - 1);

	while (slot[i].used && slot[i].frame.pc != pc)
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

static bool
frame_room(struct out *o)
{
	size_t cap = o->capframe ? o->capframe * 2 : 64, i;
	struct frame_slot *slot;

	if (o->nframe < o->capframe / 4 * 3)
		return true;
	slot = calloc(cap, sizeof(*slot));
	if (slot == NULL)
		return false;
	for (i = 0; i < o->capframe; i++)
		if (o->frame[i].used)
			*frame_lookup(slot, cap, o->frame[i].frame.pc) =
			    o->frame[i];
	free(o->frame);
	o->frame = slot;
	o->capframe = cap;
	return true;
}

const struct out_frame *
out_frame(struct out *o, uint64_t pc)
{
	struct out_frame f = {.pc = pc};
	struct frame_slot *slot;

	if (o->to != NULL)
		return out_frame(o->to, pc);
	if (!frame_room(o)) {
		out_no_memory(o);
		o->nowhere.pc = pc;
		return &o->nowhere;
	}
	slot = frame_lookup(o->frame, o->capframe, pc);
	if (slot->used)
		return &slot->frame;
	if (o->sink.symbolise != NULL && !o->stopped)
		o->sink.symbolise(o->sink.arg, pc, &f);
	slot->used = true;
	slot->frame = f;
	slot->frame.pc = pc;
	slot->frame.function = copy_or_null(f.function);
	slot->frame.module = copy_or_null(f.module);
	slot->frame.file = copy_or_null(f.file);
	o->nframe++;
	return &slot->frame;
}
