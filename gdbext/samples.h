/* SPDX-License-Identifier: MIT */
/*
 * samples.h - how much was allocated by which stack, apart from any process
 *
 * What snapshots hold, differences compare and profiles are made of.  Frames
 * are named and know their place in their module's file, so samples mean the
 * same when the process is gone, or runs again at other addresses.
 *
 * Names are cleaned when they are taken in: no control characters, valid
 * UTF-8.  All names are indices of one table, in which 0 is "".
 *
 * Layer: above error.h; it knows nothing of targets.
 */
#ifndef UMDB_SAMPLES_H
#define UMDB_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#define SAMPLE_NONE UINT32_MAX
#define SAMPLE_DEPTH 256u /* frames of a stack, at most */

struct sample_module {
	uint32_t name;       /* path */
	uint32_t id;         /* build id in hex; 0 unknown */
	uint64_t start, end; /* of its code, in the process */
	uint64_t offset;     /* of start, in the file */
};

struct sample_frame {
	uint32_t module;   /* SAMPLE_NONE: unknown */
	uint64_t at;       /* from the module's lowest address; else the pc */
	uint64_t pc;       /* in the process */
	uint32_t function; /* 0 unknown */
	uint64_t offset;   /* in the function */
	uint32_t file;
	uint32_t line; /* 0 unknown */
};

/* Ages: below 1 s, 10 s, 100 s, 1000 s, 10000 s, and older. */
#define SAMPLE_AGES 6

struct sample {
	uint32_t kind, cache;  /* names; 0 none */
	uint32_t stack, depth; /* link[stack ..]: frames, innermost first */
	/*
	 * [0] now; [1] what stands beside it: before (a difference), or with
	 * all that it retains (umem top)
	 */
	uint64_t count[2], bytes[2];
	uint64_t age[SAMPLE_AGES]; /* bytes of each age */
};

/* An index over an array, by hash; the array is another's. */
struct sample_index {
	uint32_t *slot; /* index + 1; 0 empty */
	size_t nslot, n;
};

struct samples {
	char **string;
	size_t nstring, stringroom;
	struct sample_module *module;
	size_t nmodule, moduleroom;
	struct sample_frame *frame;
	size_t nframe, frameroom;
	uint32_t *link;
	size_t nlink, linkroom;
	struct sample *sample;
	size_t nsample, sampleroom;
	struct sample_index strings, frames, samples;
	uint32_t about; /* the program: its name */
	bool aged;      /* ages are known */
	bool failed;    /* out of memory: incomplete */
	uint64_t time;  /* of the newest transaction, ns; 0 unknown */
	uint64_t wall;  /* when it was taken: seconds since 1970 */
};

/* samples_new - empty; NULL without memory */
struct samples *samples_new(void);
void samples_free(struct samples *s);

/* samples_string - number of a text; 0 for NULL, "", or without memory */
uint32_t samples_string(struct samples *s, const char *text);

/* samples_name - the text; "" for numbers that are none */
const char *samples_name(const struct samples *s, uint32_t string);

/* samples_module - add one; its number, SAMPLE_NONE without memory */
uint32_t samples_module(struct samples *s, const struct sample_module *m);

/*
 * samples_frame - number of a frame; those of the same place are one.
 * SAMPLE_NONE without memory.
 */
uint32_t samples_frame(struct samples *s, const struct sample_frame *f);

/*
 * samples_add - the sample of this kind, cache and stack, new with all values
 * 0 when there was none; NULL without memory.  It lives until the next call.
 */
struct sample *samples_add(struct samples *s, uint32_t kind, uint32_t cache,
    const uint32_t *frame, uint32_t depth);

/* samples_total - sums of all; bytes_ret[2], count_ret[2] */
void samples_total(
    const struct samples *s, uint64_t *count_ret, uint64_t *bytes_ret);

/*
 * samples_frame_text - "function", or "module+0x1c" without one; for people
 * and tools.  Always fits.
 */
#define SAMPLE_FRAME_TEXT 1024
void samples_frame_text(
    const struct samples *s, uint32_t frame, char *buf, size_t size);

/* samples_base - the last part of a path */
const char *samples_base(const char *path);

/* samples_age - which of the SAMPLE_AGES an age in ns is */
unsigned samples_age(uint64_t ns);

#endif /* UMDB_SAMPLES_H */
