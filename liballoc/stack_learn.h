/* SPDX-License-Identifier: MIT */
/*
 * stack_learn.h - what libunwind knows of a frame
 *
 * libunwind is loaded when it is needed: linked to this library it would slow
 * down the start of each program.  Its interface for unwinding another
 * process is used on this one, with registers and a stack that are made up:
 * one step from there shows, by what it reads and where it arrives, how the
 * frame is laid out; a second step from other values shows that the answer
 * does not depend on them.
 *
 * Layer: above stack_rule.h.
 */
#ifndef UMEM_STACK_LEARN_H
#define UMEM_STACK_LEARN_H

#include <stdint.h>

#include "stack_rule.h"

/* learn_init - load libunwind; 0, or -1 when it is not there.  Call once. */
int learn_init(void);

/*
 * learn_rule - work out the rule for @key, an address within the function:
 * a return address less one, or the address that a signal interrupted.  Puts
 * it into the table.  RULE_NONE when it cannot be told now.
 */
uint64_t learn_rule(uint64_t key);

/*
 * learn_step - go to the caller of @frame by libunwind; 0, or -1 when there
 * is none or it is not known
 */
int learn_step(struct stack_frame *frame);

#endif /* UMEM_STACK_LEARN_H */
