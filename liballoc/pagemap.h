/* SPDX-License-Identifier: MIT */
/*
 * pagemap.h - address to slab
 *
 * A two-level table over the 47-bit address space of user programs: two
 * loads answer which slab, if any, a page belongs to.  Readers take no lock:
 * an entry is written before the first buffer of its slab is handed out, and
 * leaves are never freed.
 *
 * Layer: above meta.h.
 */
#ifndef UMEM_PAGEMAP_H
#define UMEM_PAGEMAP_H

#include <stddef.h>

#include "umem_layout.h"

extern umem_pmleaf_t *pagemap[UMEM_PM_ROOTS]
    __attribute__((visibility("hidden")));

/*
 * pagemap_set - enter a slab for all pages of [base, base + size), and @bin
 * for the fast path.  Returns 0, or -1 when there is no memory for a leaf,
 * with nothing entered.
 */
int pagemap_set(const void *base, size_t size, umem_slab_t *sp, unsigned bin);

/* pagemap_clear - no slab there any more */
void pagemap_clear(const void *base, size_t size);

/* pagemap_slab - the slab that owns the page of @addr, or NULL */
static inline umem_slab_t *
pagemap_slab(const void *addr)
{
	uint64_t page = (uintptr_t)addr >> UMEM_PAGE_SHIFT;
	umem_pmleaf_t *leaf;

	if (page >> UMEM_PM_LEAF_BITS >= UMEM_PM_ROOTS)
		return NULL;
	leaf = __atomic_load_n(
	    &pagemap[page >> UMEM_PM_LEAF_BITS], __ATOMIC_ACQUIRE);
	if (leaf == NULL)
		return NULL;
	return __atomic_load_n(
	    &leaf->pl_slab[page & (UMEM_PM_LEAF_PAGES - 1)], __ATOMIC_RELAXED);
}

/*
 * buffer_bin - the bin that @addr may be pushed on without further checks;
 * 0, which is always full, when there is none.  The fast path of free().
 */
static inline __attribute__((always_inline)) unsigned
buffer_bin(const void *addr)
{
	uint64_t root =
	    (uintptr_t)addr >> (UMEM_PAGE_SHIFT + UMEM_PM_LEAF_BITS);
	const umem_pmleaf_t *leaf;

	if (__builtin_expect(root >= UMEM_PM_ROOTS, 0))
		return 0;
	leaf = pagemap[root];
	if (__builtin_expect(leaf == NULL, 0))
		return 0;
	return leaf->pl_bin[(uintptr_t)addr >> UMEM_PAGE_SHIFT &
			    (UMEM_PM_LEAF_PAGES - 1)];
}

void pagemap_fork_lock(void);
void pagemap_fork_unlock(void);
void pagemap_fork_child(void);

#endif /* UMEM_PAGEMAP_H */
