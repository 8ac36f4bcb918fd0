/* SPDX-License-Identifier: MIT */
/*
 * out_json.c - the same rows as one JSON document (RFC 8259)
 *
 * One row stands on one line, so that a document can also be read by eye and
 * by grep.  The head is written with the first row: an error before that makes
 * a document of its own, a later one becomes a member behind the rows.
 *
 * Layer: see out.h.
 */
#include <inttypes.h>
#include <string.h>

#include "out_impl.h"

void
json_string(struct strbuf *b, const char *text)
{
	size_t len = strlen(text), n, i;

	strbuf_puts(b, "\"");
	for (i = 0; i < len; i += n ? n : 1) {
		const unsigned char c = (unsigned char)text[i];

		n = utf8_length(text + i, len - i);
		if (n == 0)
			strbuf_puts(b, "\\ufffd");
		else if (c == '"' || c == '\\')
			strbuf_printf(b, "\\%c", c);
		else if (c == '\n')
			strbuf_puts(b, "\\n");
		else if (c < 0x20 || c == 0x7f)
			strbuf_printf(b, "\\u%04x", c);
		else
			strbuf_add(b, text + i, n);
	}
	strbuf_puts(b, "\"");
}

void
json_uint(struct strbuf *b, enum out_type type, uint64_t value)
{
	if (type == OUT_ADDR || type == OUT_PIPE)
		strbuf_printf(b, "\"0x%" PRIx64 "\"", value);
	else if (type == OUT_BOOL)
		strbuf_puts(b, value ? "true" : "false");
	else
		strbuf_printf(b, "%" PRIu64, value);
}

void
json_key(struct out *o, const char *key, bool *first)
{
	strbuf_puts(&o->buf, *first ? "" : ",");
	json_string(&o->buf, key);
	strbuf_puts(&o->buf, ":");
	*first = false;
}

void
json_head(struct out *o)
{
	if (o->begun)
		return;
	o->begun = true;
	strbuf_puts(&o->buf, "{\"umdb\":1,\"command\":");
	json_string(&o->buf, o->command);
	strbuf_puts(&o->buf, ",\"rows\":[");
}

void
json_row_begin(struct out *o)
{
	json_head(o);
	strbuf_puts(&o->buf, o->row_first ? "\n{" : ",\n{");
	o->row_first = false;
	o->cell_first = true;
}

static void
text_or_null(struct out *o, const char *key, const char *text, bool *first)
{
	json_key(o, key, first);
	if (text != NULL)
		json_string(&o->buf, text);
	else
		strbuf_puts(&o->buf, "null");
}

void
json_stack(struct out *o, const uint64_t *pc, size_t depth)
{
	size_t i;

	strbuf_puts(&o->buf, "[");
	for (i = 0; i < depth && !o->stopped; i++) {
		const struct out_frame *f = out_frame(o, pc[i]);
		bool first = true;

		strbuf_puts(&o->buf, i == 0 ? "{" : ",{");
		json_key(o, "pc", &first);
		json_uint(&o->buf, OUT_ADDR, pc[i]);
		text_or_null(o, "function", f->function, &first);
		json_key(o, "offset", &first);
		if (f->function != NULL)
			json_uint(&o->buf, OUT_UINT, f->offset);
		else
			strbuf_puts(&o->buf, "null");
		text_or_null(o, "module", f->module, &first);
		text_or_null(o, "file", f->file, &first);
		json_key(o, "line", &first);
		if (f->line > 0)
			json_uint(&o->buf, OUT_UINT, (uint64_t)f->line);
		else
			strbuf_puts(&o->buf, "null");
		strbuf_puts(&o->buf, "}");
	}
	strbuf_puts(&o->buf, "]");
}

static void
json_summary(struct out *o)
{
	const struct out_fact *f;
	bool first = true;
	char text[64];
	size_t i;

	for (f = o->fact; f < o->fact + o->nfact; f++) {
		json_key(o, f->key, &first);
		if (f->type != OUT_TEXT)
			json_uint(&o->buf, f->type, f->value);
		else if (f->text != NULL)
			json_string(&o->buf, f->text);
		else
			strbuf_puts(&o->buf, "null");
	}
	if (notes_count(o) == 0)
		return;
	json_key(o, "notes", &first);
	for (i = 0; i < notes_count(o); i++) {
		strbuf_puts(&o->buf, i == 0 ? "[" : ",");
		json_string(&o->buf, note_at(o, i, text, sizeof(text)));
	}
	strbuf_puts(&o->buf, "]");
}

void
json_tail(struct out *o)
{
	if (o->error != NULL && !o->begun) {
		strbuf_puts(&o->buf, "{\"umdb\":1,\"command\":");
		json_string(&o->buf, o->command);
		strbuf_puts(&o->buf, ",\"error\":");
		json_string(&o->buf, o->error);
		strbuf_puts(&o->buf, "}\n");
		return;
	}
	json_head(o);
	strbuf_puts(&o->buf, o->row_first ? "]" : "\n]");
	strbuf_puts(&o->buf, ",\"summary\":{");
	json_summary(o);
	strbuf_puts(&o->buf, "}");
	if (o->error != NULL) {
		strbuf_puts(&o->buf, ",\"error\":");
		json_string(&o->buf, o->error);
	}
	strbuf_puts(&o->buf, "}\n");
}
