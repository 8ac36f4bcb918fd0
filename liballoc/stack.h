/* SPDX-License-Identifier: MIT */
/*
 * stack.h - who called
 *
 * Layer: above meta.h.
 */
#ifndef UMEM_STACK_H
#define UMEM_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "stack_frame.h"

/* stack_init - from the library's constructor, when the loader is done */
void stack_init(void);

/**
 * stack_capture - return addresses from a frame on, innermost first
 * @from: a frame of the calling thread, not yet left; what it called is not
 *        looked at, so the further out it is the cheaper
 * @pcs: where to put them
 * @max: at most so many, and at least one
 *
 * Leaves out frames inside this library.  Never allocates, never takes a
 * lock that the loader may hold, never recurses; before stack_init() and
 * where nothing is known of a frame the trace ends.  Returns the number of
 * frames, and STACK_IN_HANDLER with it when a signal frame was crossed.
 */
unsigned stack_capture(const struct stack_frame *from, uint64_t *pcs, int max);

#define STACK_IN_HANDLER 0x10000u
#define STACK_DEPTH(captured) ((uint16_t)(captured))

#endif /* UMEM_STACK_H */
