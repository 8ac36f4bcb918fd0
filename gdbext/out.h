/* SPDX-License-Identifier: MIT */
/*
 * out.h - rows of typed cells, as text for people or as JSON
 *
 * A command opens a table of columns, emits rows, and closes it; notes and
 * summary facts go beside.  The same calls make both forms:
 *
 *	text	a header line, aligned rows, notes and summary sentences
 *	JSON	{"umdb":1,"command":NAME,"rows":[{...},...],"summary":{...}}
 *
 * In JSON addresses are strings "0x...", sizes and counts numbers, times
 * nanoseconds, a stack is an array of frames {"pc","function","offset",
 * "module","file","line"}, null where unknown.
 *
 * Output is buffered and handed to a sink in pieces; when the sink says stop
 * (pager quit, Ctrl-C) out_stopped() becomes true and the rest is dropped.
 *
 * Layer: above error.h only; it knows nothing of targets.
 */
#ifndef UMDB_OUT_H
#define UMDB_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct out_frame {
	uint64_t pc;
	const char *function; /* NULL unknown */
	uint64_t offset;
	const char *module; /* path of the object, NULL unknown */
	uint64_t base;      /* where it is loaded, 0 unknown */
	const char *file;
	int line; /* 0 unknown */
};

struct out_sink {
	void *arg;
	/* take text; sets *ok to 1, or leaves it 0 to stop */
	void (*write)(void *arg, const char *text, size_t len, int *ok);
	/*
	 * the same for notes, which stand last, where they go elsewhere;
	 * or NULL
	 */
	void (*note)(void *arg, const char *text, size_t len, int *ok);
	/* name a return address; strings live until the next call */
	void (*symbolise)(void *arg, uint64_t pc, struct out_frame *frame);
};

enum out_type {
	OUT_ADDR, /* text 0x7f..., JSON "0x7f..." */
	OUT_UINT, /* decimal */
	OUT_SIZE, /* bytes; text as 4K, 1.5M; JSON a number */
	OUT_HEX,  /* flags; text 0x..; JSON a number */
	OUT_TIME, /* ns; text in seconds with nine decimals, JSON in ns */
	OUT_TEXT, /* a string */
	OUT_BOOL,
	OUT_STACK, /* frames below the row; JSON an array */
	OUT_LIST,  /* JSON only: rows of its own, see out_list_begin */
	OUT_PIPE,  /* OUT_ADDR, and what a row gives to the next command */
};

struct out_column {
	const char *key;    /* JSON name; NULL: text only */
	const char *header; /* text header; NULL: JSON only */
	enum out_type type;
	int width; /* least width in text; negative: left-aligned */
};
#define OUT_MAX_COLUMNS 24

struct out;

/* out_open - NULL without memory.  @json: form; @command: JSON "command" */
struct out *out_open(
    const struct out_sink *sink, bool json, const char *command);

/*
 * out_open_pipe - the output of a command that feeds a pipe
 *
 * Formats nothing: each row's OUT_PIPE cell, and each out_pipe(), goes to
 * @take.  Notes and names of frames are those of @to, the pipeline's last
 * output, which must outlive it.  NULL without memory.
 */
struct out *out_open_pipe(
    struct out *to, void (*take)(void *arg, uint64_t value), void *arg);

/*
 * out_loop - a command runs once for each address of a pipe: tables of the
 * same columns become one, with one header, and facts add up
 */
void out_loop(struct out *o);

/* out_close - finish (JSON: closes rows and summary) and free */
void out_close(struct out *o);

/* A table: columns are borrowed until out_table_end. */
void out_table(struct out *o, const struct out_column *col, size_t ncol);
void out_table_end(struct out *o);

/* A row: cells in column order, each once; out_null() for an unknown one. */
void out_row(struct out *o);
/* ADDR PIPE UINT SIZE HEX TIME BOOL */
void out_uint(struct out *o, uint64_t value);
void out_text(struct out *o, const char *text);
void out_null(struct out *o);
void out_stack(struct out *o, const uint64_t *pc, size_t depth);
void out_row_end(struct out *o);

/*
 * An address for the next command that stands in no OUT_PIPE cell (in a list,
 * or in no row at all).  Nothing where the output feeds no pipe.
 */
void out_pipe(struct out *o, uint64_t value);

/*
 * JSON only: a list of objects as the cell of an OUT_LIST column.  A text of
 * NULL is null.
 */
void out_list_begin(struct out *o);
void out_item_begin(struct out *o);
void out_item_uint(
    struct out *o, const char *key, enum out_type type, uint64_t value);
void out_item_text(struct out *o, const char *key, const char *text);
void out_item_end(struct out *o);
void out_list_end(struct out *o);

/*
 * A line for people between tables, and a stack of indented frames; nothing
 * in JSON.
 */
void out_line(struct out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void out_frames(struct out *o, const uint64_t *pc, size_t depth);

/*
 * Facts that go into JSON's summary; in text nothing (say it with out_line).
 * A note is a sentence both forms show: text as a line, JSON in
 * summary.notes[].
 */
void out_fact_uint(
    struct out *o, const char *key, enum out_type type, uint64_t value);
void out_fact_text(struct out *o, const char *key, const char *text);
void out_note(struct out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* An error in JSON: {"umdb":1,"command":..,"error":"..."}; text nothing. */
void out_error(struct out *o, const char *message);

/*
 * out_frame - a return address, named by the sink and remembered.  Never NULL;
 * good until the next call, but its strings live as long as the output.
 */
const struct out_frame *out_frame(struct out *o, uint64_t pc);

/*
 * A frame as text: "function+0x1c at file.c:12", "function+0x1c in module", or
 * without symbols "0x7f.. in module+0x1234", from where the module is loaded.
 */
void out_frame_text(struct out *o, uint64_t pc, char *buf, size_t size);

/* A size for people: 512, 4K, 1.5M, 23.4G: three significant figures. */
void out_size_text(uint64_t bytes, char *buf, size_t size);

/*
 * out_stopped - true when no more output is wanted or possible.  out_status:
 * UMDB_OK, UMDB_EINTR when the sink said stop, or UMDB_ENOMEM.
 *
 * out_is_json - true when rows alone are wanted and sentences are not: in
 * JSON, and where the output feeds a pipe, which out_is_pipe alone says.
 */
bool out_is_json(const struct out *o);
bool out_is_pipe(const struct out *o);
bool out_stopped(const struct out *o);
int out_status(const struct out *o);

#endif /* UMDB_OUT_H */
