/* SPDX-License-Identifier: MIT */
/*
 * lua.c - threads as Lua 5.4 has them: to the main one there is no pointer but
 * one to a word into it
 */
#include "truth.h"

struct value {
	uint64_t value;
	int kind;
};

struct thread {
	void *programs; /* LUA_EXTRASPACE */
	struct lua {
		void *next;
		uint8_t kind, mark;
		struct value *top;
		void *global, *call;
		struct value *last, *stack;
		void *more[12];
	} lua;
	void *registry;
};

struct lua *state;

STEP struct lua *
thread(struct thread **ret)
{
	struct thread *t = calloc(1, sizeof(*t));

	t->lua.kind = 8;
	t->lua.stack = calloc(45, sizeof(struct value));
	t->lua.top = t->lua.stack + 3;
	t->lua.last = t->lua.stack + 40;
	t->registry = calloc(1, 56);
	t->lua.more[11] = &t->lua.kind;
	*ret = t;
	return &t->lua;
}

STEP void
keep(void)
{
	struct thread *t;

	state = thread(&t);
	state->next = thread(&t);
}

STEP void
lose(void)
{
	struct thread *t;

	thread(&t);
	truth_lost(t, DEFINITE);
	truth_lost(t->lua.stack, INDIRECT);
	truth_lost(t->registry, INDIRECT);
}

int
main(void)
{
	(void)truth_far_down(lose, 20);
	keep();
	truth_end();
}
