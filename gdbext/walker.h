/* SPDX-License-Identifier: MIT */
/*
 * walker.h - walks by name
 *
 * One table, walkers[] in walker.c: name, where it starts, what it visits, its
 * function.  "umem walk NAME [START]" prints the addresses or gives them to a
 * pipe.  Beside the rows, every cache's name is a walker of its allocated
 * buffers.
 *
 * To add a walker: one row in walkers[], one function, one paragraph in the
 * manual.
 *
 * Layer: beside dcmd.h.
 */
#ifndef UMDB_WALKER_H
#define UMDB_WALKER_H

#include "dcmd.h"

enum walker_start {
	START_NONE,
	START_CACHE,    /* name or address */
	START_ARENA,    /* name or address */
	START_THREAD,   /* a thread, or the address of its thread cache */
	START_LOG,      /* transaction, fail, slab; or the address of one */
	START_RECORD,   /* a bufctl, or an address in an audited buffer */
	START_SLAB,     /* a cache; or an address in a slab, or its structure */
	START_HOLDER,   /* a cache or a thread cache: what has magazines */
	START_MAGAZINE, /* a magazine */
	START_ADDR,     /* any address */
};

struct walker;

/* A walk under way. */
struct walker_run {
	struct dcmd_ctx *ctx;
	const struct walker *w;
	const char *name; /* as typed: umem_ptc_64 */
	const char *text; /* the start as typed, NULL without one */
	/* what it means; 0 and NULL where it means nothing */
	const struct snap_cache *cache;
	const struct snap_arena *arena;
	const struct snap_slab *slab;
	taddr_t addr;
	uint32_t thread;
	uint64_t count; /* addresses given */
};

/* Returns UMDB_OK, or an error with the sentence in ctx->err. */
typedef int walker_fn(struct walker_run *r);

struct walker {
	const char *name;
	const char *usage; /* "[CACHE]": the start; "" none */
	const char *summary;
	enum walker_start start;
	bool optional; /* without a start: everything */
	walker_fn *run;
};
extern const struct walker walkers[];
extern const size_t nwalker;

/*
 * walker_find - by name; NULL if there is none.  The last part of a name may
 * stand for a number, as in umem_ptc_64.  Names of caches are not found here.
 */
const struct walker *walker_find(const char *name);

/* walker_give - one address of the walk; WALK_NEXT, or WALK_STOP */
int walker_give(struct walker_run *r, taddr_t addr);

/* walker_fail - pass on an error of snap->tgt; UMDB_OK stays */
int walker_fail(struct walker_run *r, int rc);

/* The functions that the rows name. */
walker_fn walker_caches, walker_slabs, walker_slabs_partial, walker_pagemap;
walker_fn walker_hash, walker_umem, walker_freemem, walker_bufctl;
walker_fn walker_freectl, walker_slab_free, walker_depot, walker_thread_free;
walker_fn walker_ptc, walker_thread_cache, walker_magazine, walker_round;
walker_fn walker_no_cpu;
walker_fn walker_log, walker_history, walker_by;
walker_fn walker_vmem, walker_vmem_postfix, walker_segs, walker_seg_alloc;
walker_fn walker_seg_free, walker_seg_span;
walker_fn walker_leak, walker_leakbuf;

#endif /* UMDB_WALKER_H */
