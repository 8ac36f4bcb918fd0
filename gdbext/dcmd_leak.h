/* SPDX-License-Identifier: MIT */
/*
 * dcmd_leak.h - which leaks findleaks shows, and in which order
 *
 * Layer: beside dcmd.h; for dcmd_leak*.c only.
 */
#ifndef UMDB_DCMD_LEAK_H
#define UMDB_DCMD_LEAK_H

#include "dcmd.h"
#include "suppress.h"

/* What -i, -x, -S and an argument left over, sorted as -s says. */
struct leak_pick {
	struct leaks view;         /* groups that are shown; stacks borrowed */
	struct leak *own;          /* view.leak, where it is a copy */
	struct suppress *suppress; /* NULL without -S */
	uint64_t count, bytes;     /* suppressed */
	bool filtered;             /* something was asked for */
};

/*
 * dcmd_leak_pick - choose and sort; UMDB_OK or an error of the command.
 * dcmd_leak_pick_free in either case.
 *
 * What a suppressed leak leads to is suppressed with it.
 */
int dcmd_leak_pick(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    const struct leaks *all, struct leak_pick *ret);
void dcmd_leak_pick_free(struct leak_pick *p);

/* dcmd_leak_suppressed - say what -S did; @all: each rule */
void dcmd_leak_suppressed(
    struct dcmd_ctx *ctx, const struct leak_pick *p, bool all);

#endif /* UMDB_DCMD_LEAK_H */
