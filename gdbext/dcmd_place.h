/* SPDX-License-Identifier: MIT */
/*
 * dcmd_place.h - saying where a pointer stands
 *
 * For the commands that show references: one phrase for people, and the same
 * as cells.
 *
 * Layer: beside dcmd.h; for dcmd*.c only.
 */
#ifndef UMDB_DCMD_PLACE_H
#define UMDB_DCMD_PLACE_H

#include "dcmd.h"
#include "find_omitted.h"
#include "find_top.h"

#define PLACE_FRAMES 256
#define PLACE_TEXT 512

/* Stack frames of the thread that was asked for last. */
struct place_frames {
	const struct target_thread *thread; /* NULL: none yet */
	struct dcmd_frame frame[PLACE_FRAMES];
	size_t n;
};

/* What is known of a place; names are NULL where there are none. */
struct place {
	const char *kind; /* "global", "data", "stack", "buffer", ... */
	char where[PLACE_TEXT];
	char symbol[256]; /* variable, "" unknown */
	uint64_t symbol_offset;
	const char *module;
	const struct target_thread *thread;
	const struct dcmd_frame *frame; /* of struct place_frames */
	const char *reg;
	char regname[24]; /* of a vector register */
	const char *arena;
	taddr_t buffer;  /* 0: not in one */
	uint64_t offset; /* in the buffer */
	const char *cache;
	bool leaked;
	uint32_t depth;
	const uint64_t *stack; /* that allocated the buffer */
};

/*
 * dcmd_place_root, dcmd_place_holder - describe a word of a root, a word of a
 * buffer; dcmd_place_ref - either.  @thing: name the variable, stack or
 * mapping without saying where in it.
 */
void dcmd_place_root(struct dcmd_ctx *ctx, struct place_frames *f,
    const struct part *part, taddr_t at, bool thing, struct place *ret);
void dcmd_place_ref(struct dcmd_ctx *ctx, struct place_frames *f,
    struct graph *g, const struct ref *ref, struct place *ret);

/* dcmd_place_buffer - a whole buffer: "umem_alloc_64 buffer 0x.., ..." */
void dcmd_place_buffer(struct dcmd_ctx *ctx, const struct graph *g,
    uint32_t node, struct place *ret);

/*
 * The cells of a place, for columns in which these stand in this order; where
 * a cell has no value it is null.
 */
#define DCMD_PLACE_COLUMNS                                                 \
	{"kind", NULL, OUT_TEXT, 0}, {"symbol", NULL, OUT_TEXT, 0},        \
	    {"symbol_offset", NULL, OUT_UINT, 0},                          \
	    {"module", NULL, OUT_TEXT, 0}, {"thread", NULL, OUT_UINT, 0},  \
	    {"frame", NULL, OUT_UINT, 0}, {"function", NULL, OUT_TEXT, 0}, \
	    {"register", NULL, OUT_TEXT, 0}, {"arena", NULL, OUT_TEXT, 0}, \
	    {"buffer", NULL, OUT_ADDR, 0},                                 \
	    {"buffer_offset", NULL, OUT_UINT, 0},                          \
	    {"cache", NULL, OUT_TEXT, 0}, {"leaked", NULL, OUT_BOOL, 0},   \
	{                                                                  \
		"stack", NULL, OUT_STACK, 0                                \
	}
void dcmd_place_cells(struct out *o, const struct place *p);

/* dcmd_variable - a top_variable_fn; @arg: the dcmd_ctx */
taddr_t dcmd_variable(void *arg, const struct part *part, taddr_t at);

/* dcmd_graph - the graph of the heap, made once; an error of the command */
int dcmd_graph(struct dcmd_ctx *ctx, struct graph **ret);

/*
 * dcmd_graph_done - the command is at its end: a graph that took more copies
 * of a live process's memory than should be kept is forgotten
 */
void dcmd_graph_done(struct dcmd_ctx *ctx);

/* dcmd_omitted_note - say what a core lacks, if so, and @follows behind it */
void dcmd_omitted_note(
    struct out *o, const struct omitted *left, const char *follows);

/* dcmd_graph_notes - what the graph could not take into account */
void dcmd_graph_notes(struct dcmd_ctx *ctx, const struct graph *g);

#endif /* UMDB_DCMD_PLACE_H */
