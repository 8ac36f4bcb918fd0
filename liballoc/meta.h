/* SPDX-License-Identifier: MIT */
/*
 * meta.h - memory for the library's own structures
 *
 * Slab structs, magazines, bufctl arrays, thread caches, vmem segments and
 * hash tables come from here: pages apart from the client's (UMEM_RG_META),
 * so that a stray write of the client rarely meets them and a debugger need
 * not search them.  Works from the first instruction on.
 *
 * Also the list of regions: every mapping that the library holds.
 *
 * Layer: above msg.h; below everything that has structures.
 */
#ifndef UMEM_META_H
#define UMEM_META_H

#include <stddef.h>
#include <stdint.h>

/**
 * meta_alloc - zeroed memory for a structure
 * @size: bytes; up to 1 KiB is 16-aligned, more is 64-aligned, whole pages
 *        and more are page-aligned
 *
 * Returns the memory, or NULL when the system has none left.
 */
void *meta_alloc(size_t size);

/* meta_free - give back what meta_alloc(size) returned; NULL is ignored */
void meta_free(void *p, size_t size);

/* meta_bytes - bytes mapped for metadata and bytes of them in use */
void meta_bytes(uint64_t *mapped, uint64_t *in_use);

/*
 * region_add - note that [base, base + size) is ours.  Returns 0, or -1 when
 * there is no memory for the note.  Adjacent regions of one kind may merge.
 */
int region_add(void *base, size_t size, uint32_t kind);

/* region_remove - [base, base + size) went back to the system */
void region_remove(void *base, size_t size);

/* For fork: take and drop all locks of this file; forget them in the child. */
void meta_fork_lock(void);
void meta_fork_unlock(void);
void meta_fork_child(void);

#endif /* UMEM_META_H */
