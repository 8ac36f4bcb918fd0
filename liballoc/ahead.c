/* SPDX-License-Identifier: MIT */
/*
 * ahead.c - memory for large buffers before they are written to; see ahead.h
 *
 * Layer: ahead.h
 */
#include "ahead.h"

#include "os.h"

enum {
	AHEAD_MIN = 1 << 20,  /* bytes; smaller ones are not worth a look */
	AHEAD_MAX = 64 << 20, /* for larger ones a wrong guess is dear */
	ENOUGH = 2,           /* buffers in a row that were used throughout */
	TURNS = 8,            /* one of so many is left as it is */
	SAMPLES = 8,          /* pages that are looked at */
};

/* Several threads may change these at once: a guess is wrong then. */
static unsigned used; /* buffers in a row, up to ENOUGH */
static unsigned turn;

void
ahead_alloc(umem_slab_t *sp, int fresh)
{
	sp->slab_flags &= ~UMEM_SLAB_WATCHED;
	if (!fresh || sp->slab_size < AHEAD_MIN || sp->slab_size > AHEAD_MAX)
		return;
	if (__atomic_load_n(&used, __ATOMIC_RELAXED) >= ENOUGH &&
	    __atomic_add_fetch(&turn, 1, __ATOMIC_RELAXED) % TURNS != 0)
		os_populate(sp->slab_base, sp->slab_size);
	else
		sp->slab_flags |= UMEM_SLAB_WATCHED;
}

/* has_all - as far as some pages of it tell, the first and the last included */
static int
has_all(const umem_slab_t *sp)
{
	const uint64_t last = (sp->slab_size >> UMEM_PAGE_SHIFT) - 1;
	const char *base = sp->slab_base;

	for (uint64_t i = 0; i < SAMPLES; i++)
		if (!os_resident(
			base + (last * i / (SAMPLES - 1) << UMEM_PAGE_SHIFT)))
			return 0;
	return 1;
}

void
ahead_free(const umem_slab_t *sp)
{
	unsigned n;

	if (!(sp->slab_flags & UMEM_SLAB_WATCHED))
		return;
	n = __atomic_load_n(&used, __ATOMIC_RELAXED);
	n = !has_all(sp) ? 0 : n < ENOUGH ? n + 1 : n;
	__atomic_store_n(&used, n, __ATOMIC_RELAXED);
}
