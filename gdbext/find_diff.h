/* SPDX-License-Identifier: MIT */
/*
 * find_diff.h - what grew between two sets of samples
 *
 * Two frames are the same when they lie at the same place of the same module:
 * one with the same build id, or without any and with the same file name.
 * Frames of a module that was built anew in between are the same when they
 * are of the same function.
 *
 * Layer: above samples.h and find_module.h.
 */
#ifndef UMDB_FIND_DIFF_H
#define UMDB_FIND_DIFF_H

#include "samples.h"

struct diff_facts {
	uint64_t rebuilt;   /* modules compared by function, that matter */
	const char *module; /* one of them, in the result */
	bool stacks[2];     /* now, before: some sample has a stack */
};

/**
 * find_diff - one set of samples that has both
 *
 * count[0] and bytes[0] are those of @now, [1] of @before; frames are those of
 * @now where it has them.  NULL without memory; samples_free.
 */
struct samples *find_diff(const struct samples *before,
    const struct samples *now, struct diff_facts *facts);

/*
 * find_diff_order - indices of samples that differ, those that grew most
 * bytes first; those with as many by count.  Returns how many; *ret is to be
 * freed, NULL without memory.
 */
size_t find_diff_order(const struct samples *diff, uint32_t **ret);

#endif /* UMDB_FIND_DIFF_H */
