/* SPDX-License-Identifier: MIT */
/*
 * out_impl.h - what the files of out share
 *
 * out.c holds the buffer and what all forms have in common, out_text.c and
 * out_json.c one form each, out_pipe.c what pipelines need.
 *
 * Layer: beside out.h; for out*.c only.
 */
#ifndef UMDB_OUT_IMPL_H
#define UMDB_OUT_IMPL_H

#include "out.h"

/* A string that grows.  After a failed allocation it drops what it is given. */
struct strbuf {
	char *p;
	size_t len, cap;
	bool failed;
};
void strbuf_add(struct strbuf *b, const char *text, size_t len);
void strbuf_puts(struct strbuf *b, const char *text);
void strbuf_printf(struct strbuf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_free(struct strbuf *b);

/*
 * utf8_length - bytes of the valid sequence at @s (at most @len), 0 if it is
 * not one.  Names come from a damaged process: anything may stand there.
 */
size_t utf8_length(const char *s, size_t len);

struct frame_slot {
	struct out_frame frame;
	bool used;
};

/* Rows that wait until the widths of their columns are known. */
struct out_rows {
	struct strbuf cells; /* NUL-terminated, in column order */
	uint64_t *stack;     /* of each row: depth, then its frames */
	size_t nstack, capstack;
	size_t depth_at; /* where the open row's depth stands */
	size_t nrow;
	bool header_done;
	int width[OUT_MAX_COLUMNS];
};

/* A member of JSON's summary. */
struct out_fact {
	char *key;
	enum out_type type;
	uint64_t value;
	char *text; /* instead of value; type is OUT_TEXT */
};

struct out {
	struct out_sink sink;
	bool json; /* rows alone are wanted; with pipe, not even those */
	bool pipe;
	bool loop;      /* see out_loop() */
	bool suspended; /* a table is closed, but may go on */
	bool stopped, nomem;
	struct out *to; /* of a pipe: the last output */
	void (*take)(void *arg, uint64_t value);
	void *take_arg;
	char *command;
	struct strbuf buf; /* for the sink */
	const struct out_column *col;
	size_t ncol;
	size_t at; /* next cell of the open row */
	struct frame_slot *frame;
	size_t nframe, capframe; /* capacity is a power of two */
	struct out_frame nowhere;
	struct out_rows rows; /* text */
	char **note;
	size_t nnote, more_notes;
	struct out_fact *fact; /* JSON: members of the summary */
	size_t nfact, capfact;
	char *error;
	bool begun;                             /* JSON: the head is written */
	bool row_first, cell_first, item_first; /* JSON: no comma yet */
	bool list_first;
};

/* out_flush - hand the buffer to the sink; unless @all, when it is worth it */
void out_flush(struct out *o, bool all);
void out_no_memory(struct out *o);

/* The cell that comes next; NULL when the row is full. */
const struct out_column *out_next_column(struct out *o);

/* fact_put - add a fact, or add to it; @text NULL: a number */
void fact_put(struct out *o, const char *key, enum out_type type,
    uint64_t value, const char *text);
/* note_at - the i-th note, i < notes_count(); the last says what is not kept */
size_t notes_count(const struct out *o);
const char *note_at(struct out *o, size_t i, char *buf, size_t size);
void summary_free(struct out *o);

void text_notes(struct out *o);
void text_row_begin(struct out *o);
void text_cell(struct out *o, const struct out_column *c, const char *text);
void text_uint(struct out *o, const struct out_column *c, uint64_t value);
void text_stack(struct out *o, const uint64_t *pc, size_t depth);
void text_row_end(struct out *o);
void text_put_rows(struct out *o); /* those that wait, for their widths */
void text_table_end(struct out *o);
/* text_clean - append @text without control characters and broken UTF-8 */
void text_clean(struct strbuf *b, const char *text);

void json_head(struct out *o);
void json_row_begin(struct out *o);
void json_string(struct strbuf *b, const char *text);
void json_uint(struct strbuf *b, enum out_type type, uint64_t value);
void json_key(struct out *o, const char *key, bool *first);
void json_stack(struct out *o, const uint64_t *pc, size_t depth);
void json_tail(struct out *o);

#endif /* UMDB_OUT_IMPL_H */
