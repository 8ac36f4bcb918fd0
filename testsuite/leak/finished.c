/* SPDX-License-Identifier: MIT */
/*
 * finished.c - coroutines that are over, whose stacks serve as other memory
 *
 * A coroutine that waited in swapcontext(3), went on and returned leaves a
 * ucontext_t and a stack that look as if it still waited; so does one that was
 * given up while it waited, and freed.  Their stacks hold other things now: in
 * the buffers that malloc made of them, in a mapping that the program uses
 * again, in data.  All of that counts.
 */
#include <ucontext.h>

#include "truth.h"

#define STACK 131072u

struct coroutine {
	ucontext_t context;
	char *stack;
};

static ucontext_t home;
static struct coroutine of_buffer, of_mapping, of_data;
static struct coroutine *self;
static char in_data[STACK] __attribute__((aligned(16)));
void **kept[4];

static void
waits_once(void)
{
	volatile char frame[512];

	frame[3] = 1;
	swapcontext(&self->context, &home);
	frame[3] = 2;
}

STEP void
start(struct coroutine *c, void *stack)
{
	getcontext(&c->context);
	c->stack = stack;
	c->context.uc_stack.ss_sp = stack;
	c->context.uc_stack.ss_size = STACK;
	c->context.uc_link = &home;
	makecontext(&c->context, waits_once, 0);
	self = c;
	swapcontext(&home, &c->context);
}

STEP void
finish(struct coroutine *c)
{
	self = c;
	swapcontext(&home, &c->context);
}

/* Use memory that is not cleared, from its start on. */
STEP void
use(unsigned which, void *p)
{
	unsigned i;

	kept[which] = p;
	for (i = 0; i < 200; i++)
		kept[which][i] = calloc(1, 72);
}

STEP void
run(void)
{
	struct coroutine *given_up = calloc(1, sizeof(*given_up));

	start(&of_buffer, calloc(1, STACK));
	finish(&of_buffer);
	free(of_buffer.stack);
	use(0, malloc(STACK));
	start(&of_mapping, map_pages(STACK));
	finish(&of_mapping);
	use(1, of_mapping.stack);
	start(&of_data, in_data);
	finish(&of_data);
	use(2, of_data.stack);
	start(given_up, calloc(1, STACK));
	free(given_up->stack);
	free(given_up);
	use(3, malloc(STACK));
}

int
main(void)
{
	run();
	truth_end();
}
