/* SPDX-License-Identifier: MIT */
/*
 * ahead.h - memory for large buffers before they are written to
 *
 * A page fault costs more than the page.  Most programs write to all of a
 * large buffer, but some reserve much and use little, and those must not pay.
 * So what becomes of large buffers is watched: when the last ones were in use
 * throughout as they were freed, the next ones are populated in one call.
 * Every eighth is not, because only from such a one there is something to
 * learn.
 *
 * Layer: above os.h.
 */
#ifndef UMEM_AHEAD_H
#define UMEM_AHEAD_H

#include "umem_layout.h"

/*
 * ahead_alloc - a large buffer has got its pages; @fresh: none of them has
 * memory behind it
 */
void ahead_alloc(umem_slab_t *sp, int fresh);

/* ahead_free - it is about to lose them */
void ahead_free(const umem_slab_t *sp);

#endif /* UMEM_AHEAD_H */
