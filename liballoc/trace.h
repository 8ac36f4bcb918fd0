/* SPDX-License-Identifier: MIT */
/*
 * trace.h - traces, each kept once
 *
 * A program allocates from few places over and over, so a record does not hold
 * its trace but names it: one of 15 frames takes a third of the memory then, of
 * that which is touched in each call.  Sanitizers and the Linux kernel do so too
 * ("stack depot").
 *
 * Layer: above meta.h.
 */
#ifndef UMEM_TRACE_H
#define UMEM_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "umem_layout.h"

/* trace_init - once, before the first is kept */
void trace_init(void);

/**
 * trace_number - the number that these frames have in records
 * @pcs: return addresses, innermost first; copied
 * @depth: how many, at most UMEM_MAX_DEPTH
 *
 * Takes no lock when the trace is known, and none of its own ever: threads and
 * signal handlers may come in between.  Returns 0 for no frames, and when there
 * is no memory for one more trace, which a message tells.
 */
uint32_t trace_number(const uint64_t *pcs, unsigned depth);

/*
 * trace_get - its frames; *depth_ret how many.  Bears any number: it may come
 * from a damaged record.
 */
const uint64_t *trace_get(uint32_t number, size_t *depth_ret);

#endif /* UMEM_TRACE_H */
