/* SPDX-License-Identifier: MIT */
/*
 * pagemap.c - address to slab; see pagemap.h
 *
 * Layer: pagemap.h
 */
#include "pagemap.h"

#include "lock.h"
#include "meta.h"

umem_pmleaf_t *pagemap[UMEM_PM_ROOTS];

static umem_lock_t pagemap_lock; /* creation of leaves */

static umem_pmleaf_t *
leaf_get(uint64_t root)
{
	umem_pmleaf_t *leaf;

	leaf = __atomic_load_n(&pagemap[root], __ATOMIC_ACQUIRE);
	if (leaf != NULL)
		return leaf;
	lock_acquire(&pagemap_lock);
	leaf = pagemap[root];
	if (leaf == NULL) {
		leaf = meta_alloc(sizeof(*leaf));
		__atomic_store_n(&pagemap[root], leaf, __ATOMIC_RELEASE);
	}
	lock_release(&pagemap_lock);
	return leaf;
}

/* Write one entry: the slab before the bin, as readers see the bin first. */
static void
enter(uint64_t page, umem_slab_t *sp, unsigned bin)
{
	umem_pmleaf_t *leaf = pagemap[page >> UMEM_PM_LEAF_BITS];
	size_t i = page & (UMEM_PM_LEAF_PAGES - 1);

	__atomic_store_n(&leaf->pl_slab[i], sp, __ATOMIC_RELAXED);
	__atomic_store_n(&leaf->pl_bin[i], (uint8_t)bin, __ATOMIC_RELEASE);
}

int
pagemap_set(const void *base, size_t size, umem_slab_t *sp, unsigned bin)
{
	uint64_t first = (uintptr_t)base >> UMEM_PAGE_SHIFT;
	uint64_t last = ((uintptr_t)base + size - 1) >> UMEM_PAGE_SHIFT;

	if (last >> UMEM_PM_LEAF_BITS >= UMEM_PM_ROOTS)
		return -1;
	for (uint64_t r = first >> UMEM_PM_LEAF_BITS;
	     r <= last >> UMEM_PM_LEAF_BITS; r++)
		if (leaf_get(r) == NULL)
			return -1;
	for (uint64_t page = first; page <= last; page++)
		enter(page, sp, bin);
	return 0;
}

void
pagemap_clear(const void *base, size_t size)
{
	uint64_t first = (uintptr_t)base >> UMEM_PAGE_SHIFT;
	uint64_t last = ((uintptr_t)base + size - 1) >> UMEM_PAGE_SHIFT;

	for (uint64_t page = first; page <= last; page++)
		enter(page, NULL, 0);
}

void
pagemap_fork_lock(void)
{
	lock_fork_hold(&pagemap_lock);
}

void
pagemap_fork_unlock(void)
{
	lock_fork_release(&pagemap_lock);
}

void
pagemap_fork_child(void)
{
	lock_reset(&pagemap_lock);
}
