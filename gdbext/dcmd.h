/* SPDX-License-Identifier: MIT */
/*
 * dcmd.h - the commands
 *
 * One table, dcmds[] in dcmd.c: name, MDB's name, usage, help, what its
 * arguments complete to, its function.  A dcmd parses its arguments, walks or
 * finds, and emits rows; it does not read target memory itself and formats
 * nothing.
 *
 * Layer: above find.h and out.h; below umdb.h.
 */
#ifndef UMDB_DCMD_H
#define UMDB_DCMD_H

#include "find.h"
#include "out.h"

enum dcmd_complete {
	COMPLETE_NONE,
	COMPLETE_CACHE,  /* names of caches */
	COMPLETE_SYMBOL, /* functions, by the debugger */
	COMPLETE_WORD,   /* the row's own words */
};

/* The open session: what a dcmd may use. */
struct dcmd_ctx {
	struct target *tgt;
	struct snap *snap; /* NULL for DCMD_NO_SNAP until ctx_snap() */
	struct out *out;
	struct umdb_error *err;
	struct leaks **leaks; /* cache of the last findleaks */
	uint64_t found;       /* what exit-code looks at: leaks, damage */
	/* names to addresses ("main", "$rsp", "p->next"), by the debugger */
	int (*lookup)(void *arg, const char *text, uint64_t *addr_ret,
	    uint64_t *size_ret);
	void *lookup_arg;
};

struct dcmd {
	const char *name;    /* "findleaks": umem findleaks */
	const char *alias;   /* MDB's name at top level, NULL none */
	const char *usage;   /* "[-d] [-f] [-v] [FUNCTION]" */
	const char *summary; /* one line */
	const char *help;    /* the rest, for help and the manual */
	const char *options; /* getopt(3) string; 'J' is -json everywhere */
	const char *words; /* completions beside cache names, blank-separated */
	enum dcmd_complete complete;
	unsigned flags; /* DCMD_* */
	int (*run)(struct dcmd_ctx *ctx, int argc, char **argv);
};
#define DCMD_NO_SNAP 0x1u /* works without a snapshot (status) */

extern const struct dcmd dcmds[];
extern const size_t ndcmd;

/* dcmd_find - by name or alias; NULL if there is none */
const struct dcmd *dcmd_find(const char *name);

/*
 * dcmd_usage_error - note UMDB_EUSAGE with "NAME: <sentence>; usage: ..."
 */
int dcmd_usage_error(struct dcmd_ctx *ctx, const struct dcmd *d,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * dcmd_address - an argument as an address: 0x..., decimal, or anything the
 * debugger can evaluate.  UMDB_EUSAGE when it is none of these.
 */
int dcmd_address(struct dcmd_ctx *ctx, const char *text, taddr_t *ret);

/* dcmd_thread_name - "3 (LWP 1234)", or "LWP 1234" where GDB has no number */
void dcmd_thread_name(
    struct dcmd_ctx *ctx, uint32_t lwp, char *buf, size_t size);

#endif /* UMDB_DCMD_H */
