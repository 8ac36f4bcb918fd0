/* SPDX-License-Identifier: MIT */
/*
 * snap_point.h - one address, without a snapshot
 *
 * For conditions of breakpoints, where the process runs between any two
 * questions: a handful of reads from the page map to the buffer, nothing
 * kept.  Magazines are looked into only when it matters whether a buffer that
 * left its slab is in use.
 *
 * Layer: beside snap.h.
 */
#ifndef UMDB_SNAP_POINT_H
#define UMDB_SNAP_POINT_H

#include "snap.h"

struct snap_point {
	taddr_t base;  /* start of the buffer */
	uint64_t size; /* bytes asked for; of one that is free, its cache's */
	enum buf_state state;
	char cache[UMEM_NAME_LEN];
};

/**
 * snap_point - the buffer whose chunk holds @addr
 * @root: as snap_find_root() gave it, perhaps long ago
 * @state: also tell whether a buffer out of its slab is in a magazine; else
 *         it counts as allocated
 *
 * Returns UMDB_OK; UMDB_ENOTFOUND when addr is in no buffer; UMDB_ETARGET
 * when there is no root at @root (any more); or an error of what is damaged.
 */
int snap_point(struct target *tgt, taddr_t root, taddr_t addr, bool state,
    struct snap_point *ret);

#endif /* UMDB_SNAP_POINT_H */
