/* SPDX-License-Identifier: MIT */
/*
 * snap_watch.h - what the library waits for on a debugger's behalf
 *
 * The one thing that is written into a process: entries of umem_watch, and
 * the words that make its threads take the slow path.  See umem_watch_t.
 *
 * Layer: beside snap.h.
 */
#ifndef UMDB_SNAP_WATCH_H
#define UMDB_SNAP_WATCH_H

#include "snap.h"

/* Writes memory of a stopped process; UMDB_OK, or UMDB_EFAULT. */
struct snap_writer {
	int (*poke)(void *arg, taddr_t addr, const void *buf, size_t len);
	void *arg;
};

/* Where breakpoints go. */
struct snap_hooks {
	taddr_t error; /* umem_error_hook(info) */
	taddr_t watch; /* umem_watch_hook(entry, ops, buffer, size, cache) */
};

/*
 * snap_hooks - read them, also before the library has started; UMDB_ETARGET
 * when there is no library at @root, or one that is not linked yet
 */
int snap_hooks(struct target *tgt, taddr_t root, struct snap_hooks *ret);

/* snap_cache_at_hook - the cache that the hook was called with, unless bad */
int snap_cache_at_hook(struct target *tgt, taddr_t addr, umem_cache_t *ret);

/**
 * snap_watch_add - have the hook called for calls like @entry
 * @alone: let the library stop it when no breakpoint instruction stands on
 *         the hook: the debugger puts one there itself
 *
 * Returns UMDB_OK with the number of the entry; UMDB_ENOTFOUND when all are
 * in use; UMDB_EFAULT when something could not be read or written.
 */
int snap_watch_add(struct target *tgt, taddr_t root,
    const umem_watch_entry_t *entry, bool alone,
    const struct snap_writer *writer, unsigned *ret);

/* snap_watch_remove - the way back; with the last entry all runs fast again */
int snap_watch_remove(struct target *tgt, taddr_t root, unsigned index,
    const struct snap_writer *writer);

#endif /* UMDB_SNAP_WATCH_H */
