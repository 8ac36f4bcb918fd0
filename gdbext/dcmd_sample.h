/* SPDX-License-Identifier: MIT */
/*
 * dcmd_sample.h - making samples of what commands know, and profiles of them
 *
 * A command whose row has DCMD_PROFILE takes -folded, -pprof and -html FILE:
 * its function calls dcmd_profile() once, with a function that adds its rows.
 *
 * Layer: beside dcmd.h; for dcmd*.c only.
 */
#ifndef UMDB_DCMD_SAMPLE_H
#define UMDB_DCMD_SAMPLE_H

#include "addrmap.h"
#include "dcmd.h"
#include "find_module.h"
#include "profile.h"

struct sampler {
	struct dcmd_ctx *ctx;
	struct samples *s;
	struct target *tgt;     /* whose addresses these are */
	struct modules modules; /* of tgt */
	struct modules here;    /* of ctx->tgt, when that is another */
	struct addrmap frames;  /* return address to frame of s */
	bool stopped;           /* Ctrl-C */
};

/*
 * sampler_open - @tgt: NULL for the command's own, else a core that was
 * opened beside it.  UMDB_OK, or an error with a sentence in ctx->err; and
 * then there is nothing to close.
 */
int sampler_open(struct sampler *x, struct dcmd_ctx *ctx, struct target *tgt);

/* sampler_close - give back the samples, or NULL with *rc_ret set */
struct samples *sampler_close(struct sampler *x, int *rc_ret);

/*
 * sampler_add - the sample of a stack of return addresses; to its values
 * those of the row are to be added.  Never NULL; without memory, what is
 * added is lost, and sampler_close says so.
 */
struct sample *sampler_add(struct sampler *x, const char *kind,
    const char *cache, const uint64_t *stack, size_t depth);

/* sampler_text - the same for a stack of texts, innermost first */
struct sample *sampler_text(
    struct sampler *x, const char *kind, const char *const *text, size_t depth);

typedef void sampler_fill(struct sampler *x, void *arg);

/*
 * dcmd_profile - write the profiles that the line asks for; nothing when it
 * asks for none.  UMDB_OK, or an error of the command.
 */
int dcmd_profile(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    enum profile_beside beside, sampler_fill *fill, void *arg);

/* dcmd_profile_samples - the same of samples that are there already */
int dcmd_profile_samples(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    enum profile_beside beside, const struct samples *s);

#endif /* UMDB_DCMD_SAMPLE_H */
