/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how far long work has come, and how long it will yet take
 *
 * Layer: above error.h.
 */
#ifndef UMDB_PROGRESS_H
#define UMDB_PROGRESS_H

#include <stdint.h>

/* Zeroed: nothing has begun. */
struct progress {
	char what[40];
	uint64_t began; /* ns */
	uint64_t first; /* done when it began */
	char text[128];
};

/**
 * progress_text - "searching memory 34%, 12 s left"
 * @what: the work in hand; another one than before starts the clock anew
 * @done, @total: of it; total 0 when that is not known
 * @rate: done and total are bytes that are dear, and so many come a second;
 *        0: they are not
 * @now: ns, of a clock that never goes back
 *
 * The estimate comes after half a second and a hundredth of the work, before
 * that by the rate.  The text lives until the next call.
 */
const char *progress_text(struct progress *p, const char *what, uint64_t done,
    uint64_t total, double rate, uint64_t now);

/* progress_plan - the same before work that has to read so many bytes */
const char *progress_plan(struct progress *p, uint64_t bytes, double rate);

#endif /* UMDB_PROGRESS_H */
