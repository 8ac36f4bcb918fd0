/* SPDX-License-Identifier: MIT */
/*
 * stack_frame.h - a frame on a thread's stack
 *
 * The functions that a program calls note who called them, and hand that down
 * to where a trace is taken: what lies in between need not be walked.
 *
 * Layer: includes nothing of ours.
 */
#ifndef UMEM_STACK_FRAME_H
#define UMEM_STACK_FRAME_H

#include <stdint.h>

/* A frame: where its code goes on, and the registers when it does. */
struct stack_frame {
	uint64_t pc; /* a return address, unless exact */
	uint64_t sp;
	uint64_t bp;
	int exact;
};

/*
 * stack_caller - the frame that called the function in which this stands,
 * which keeps a frame pointer for it
 */
static inline __attribute__((always_inline)) struct stack_frame
stack_caller(void)
{
	/* the saved bp, then the return address */
	const uint64_t *frame = __builtin_frame_address(0);

	return (struct stack_frame){
	    frame[1], (uint64_t)(frame + 2), frame[0], 0};
}

#endif /* UMEM_STACK_FRAME_H */
