/* SPDX-License-Identifier: MIT */
/*
 * walk.h - one structure of the target at a time
 *
 * One contract for every walker: it calls fn for each element; fn returns
 * WALK_NEXT or WALK_STOP or an error.  A walker returns UMDB_OK when it
 * reached the end or was stopped; anything else is an error with an address
 * in tgt->err.  A damaged link is an error, never the silent end of a walk;
 * every list walk holds a struct guard and so ends.
 *
 * Layer: above snap.h; may not include out.h.
 */
#ifndef UMDB_WALK_H
#define UMDB_WALK_H

#include "guard.h"
#include "snap.h"

enum { WALK_NEXT = 0, WALK_STOP = 1 };

/* buffers of one cache, or of all caches with NULL; states: mask of 1 << s */
typedef int walk_buf_fn(struct snap *, const struct snap_slab *, uint32_t index,
    enum buf_state, void *arg);
int walk_buffers(struct snap *snap, const struct snap_cache *cache,
    unsigned states, walk_buf_fn *fn, void *arg);

/* slabs as the cache's own lists have them: partial ones, then full ones */
typedef int walk_slab_fn(
    struct snap *, taddr_t addr, const umem_slab_t *, void *arg);
int walk_slab_list(struct snap *snap, const struct snap_cache *cache,
    bool partial, walk_slab_fn *fn, void *arg);

/* magazines of a cache's depot */
typedef int walk_mag_fn(
    struct snap *, taddr_t addr, const umem_magazine_t *, void *arg);
int walk_depot(struct snap *snap, const struct snap_cache *cache, bool full,
    walk_mag_fn *fn, void *arg);

/*
 * Magazines wherever they are, each once: in depots, in bins of thread caches,
 * and those that change hands.  @cache NULL: of all; @tcache 0: of all and the
 * depots, else those of one thread cache.
 */
enum mag_place { MAG_FULL, MAG_EMPTY, MAG_LOADED, MAG_PREVIOUS, MAG_TRANSIT };
struct mag_found {
	taddr_t addr;
	enum mag_place place;
	const struct snap_cache *cache; /* NULL: of an unknown one */
	taddr_t tcache;                 /* 0: in a depot */
	taddr_t rounds;                 /* where they stand */
	uint32_t nround;
};
typedef int walk_magazine_fn(
    struct snap *, const struct mag_found *, void *arg);
int walk_magazines(struct snap *snap, const struct snap_cache *cache,
    taddr_t tcache, walk_magazine_fn *fn, void *arg);

/* what stands in a magazine: addresses, checked by nobody */
typedef int walk_round_fn(struct snap *, taddr_t buf, void *arg);
int walk_rounds(struct snap *snap, const struct mag_found *mag,
    walk_round_fn *fn, void *arg);

/*
 * Buffers that a quantum cache (UMC_QCACHE) handed out: segments of its arena
 * that are of its size and in none of its magazines.  One that vmem_xalloc()
 * took cannot be told from them.
 */
int walk_quantum(struct snap *snap, const struct snap_cache *cache,
    walk_round_fn *fn, void *arg);

/*
 * The quantum cache that a segment is free in, or NULL; *ret is the magazine
 * that holds it.
 */
const struct snap_cache *walk_quantum_idle(struct snap *snap,
    const struct snap_arena *arena, const vmem_seg_t *seg,
    struct mag_found *ret);

/* thread caches: all that the library ever made, also unused ones */
typedef int walk_tcache_fn(
    struct snap *, taddr_t addr, const umem_tcache_t *, void *arg);
int walk_tcaches(struct snap *snap, walk_tcache_fn *fn, void *arg);

/*
 * Records of a log, newest first (by time stamp over all chunks).  @log: one
 * of the root's log headers; 0 is UMDB_ENOTFOUND.
 */
typedef int walk_log_fn(struct snap *, const struct snap_bufctl *, void *arg);
int walk_log(struct snap *snap, taddr_t log, walk_log_fn *fn, void *arg);

/*
 * A buffer's history: its bufctl, then older log records through bc_lastlog
 * while they belong to the same buffer and get older.
 */
int walk_history(struct snap *snap, taddr_t bufctl, walk_log_fn *fn, void *arg);

/*
 * Segments of an arena, of the types in mask (VMEM_SEG_*): each span, then
 * what it contains in address order; spans in order of creation.
 */
typedef int walk_seg_fn(
    struct snap *, taddr_t addr, const vmem_seg_t *, void *arg);
int walk_segments(struct snap *snap, const struct snap_arena *arena,
    unsigned mask, walk_seg_fn *fn, void *arg);

#endif /* UMDB_WALK_H */
