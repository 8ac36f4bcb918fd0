/* SPDX-License-Identifier: MIT */
/*
 * umdb_impl.h - a session, for the files that make it up
 *
 * umdb.c opens targets and runs commands, umdb_live.c has what is for live
 * processes and between commands.
 *
 * Layer: private to umdb.c and umdb_*.c.
 */
#ifndef UMDB_UMDB_IMPL_H
#define UMDB_UMDB_IMPL_H

#include <pthread.h>

#include "dcmd.h"
#include "out_impl.h"
#include "progress.h"
#include "snap_point.h"
#include "umdb.h"

#define EXPORT __attribute__((visibility("default")))
#define LOOKUPS_KEPT 4u

/* What the debugger told us, to be told again to another target. */
struct told {
	struct target_region *region;
	size_t nregion;
	bool have_regions;
	struct target_thread *thread;
	size_t nthread;
};

/*
 * What a name meant a moment ago: in a loop over the addresses of a pipe the
 * same option is evaluated again and again, which the debugger is slow at.
 */
struct lookup_memo {
	char text[128]; /* "" none */
	uint64_t addr, size;
	int rc;
};

struct umdb {
	struct umdb_callbacks cb;
	pthread_t owner;
	char *core;
	int pid;
	struct target *tgt;     /* what commands read */
	struct target *through; /* through the debugger; may be tgt itself */
	struct target *fresh;   /* the same, and nothing is kept */
	taddr_t root;           /* where the root was last */
	struct snap_point point;
	struct told told;
	struct snap *snap;
	struct leaks *leaks;
	struct graph *graph;
	struct top *top;
	struct umdb_error err;
	char message[sizeof(((struct umdb_error *)0)->msg) + 128];
	struct strbuf completions;
	struct umdb_symbol symbol; /* the last one asked for */
	struct progress progress;
	struct shell *shell; /* what is written goes through it */
	bool shell_stopped;  /* the user did not want to wait for it */
	bool quiet;          /* nothing more is wanted */
	const char *result;  /* what the last count is called */
	struct lookup_memo lookups[LOOKUPS_KEPT];
	unsigned next_lookup;
	bool busy;  /* a command runs */
	bool stale; /* invalidated while it did */
};

/* umdb_enter - what an entry begins with: whose call it is, and no stop yet */
void umdb_enter(struct umdb *u);

/* Steps of having a target: open it, say what the debugger told, forget it. */
int umdb_open_targets(struct umdb *u);
int umdb_tell(struct umdb *u, struct target *tgt);
void umdb_drop_targets(struct umdb *u);

/* umdb_live - what commands may do to a live process; NULL if it is none */
const struct dcmd_live *umdb_live(struct umdb *u, struct dcmd_live *live);

#endif /* UMDB_UMDB_IMPL_H */
