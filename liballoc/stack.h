/* SPDX-License-Identifier: MIT */
/*
 * stack.h - who called
 *
 * Layer: above trace.h.
 */
#ifndef UMEM_STACK_H
#define UMEM_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "stack_frame.h"

/* stack_init - from the library's constructor, when the loader is done */
void stack_init(void);

/**
 * stack_trace - the number of the trace from a frame on; see trace.h
 * @from: a frame of the calling thread, not yet left; what it called is not
 *        looked at, so the further out it is the cheaper
 *
 * The trace has root_stack_depth frames at most, and none of this library.
 * Never takes a lock that the loader may hold, never recurses; before
 * stack_init() and where nothing is known of a frame the trace ends.  Returns the
 * number, and STACK_IN_HANDLER with it when a signal frame was crossed.
 */
uint32_t stack_trace(const struct stack_frame *from);

/**
 * stack_capture - the same, as return addresses, innermost first
 * @pcs: where to put them
 * @max: at most so many, and at least one
 *
 * Returns the number of frames, and STACK_IN_HANDLER with it as above.
 */
unsigned stack_capture(const struct stack_frame *from, uint64_t *pcs, int max);

#define STACK_IN_HANDLER 0x80000000u
#define STACK_DEPTH(captured) ((captured) & ~STACK_IN_HANDLER)
#define STACK_NUMBER(traced) ((traced) & ~STACK_IN_HANDLER)

#endif /* UMEM_STACK_H */
