/* SPDX-License-Identifier: MIT */
/*
 * watch.c - calls that a debugger waits for; see watch.h
 *
 * Layer: watch.h
 */
#include "watch.h"

#include <string.h>

#include "audit.h"
#include "cache.h"
#include "large.h"
#include "pagemap.h"
#include "slab.h"

/*
 * The instruction that a debugger puts on the hook.  One that went away, or
 * let a child go, took it out of the code again: nobody listens.
 */
#define BREAKPOINT 0xcc

/*
 * Whether a buffer of unknown size may have one between the two: it may have
 * any size that its class serves.
 */
static int
may_have_size(const umem_cache_t *cp, uint64_t least, uint64_t most)
{
	if (most >= cp->cache_bufsize)
		return least <= cp->cache_bufsize;
	return (cp->cache_flags & UMF_MALLOC) && cache_for(most, 1) == cp;
}

/* may_match - what can be said without looking at the buffer's slab */
static inline int
may_match(
    const umem_watch_entry_t *e, unsigned ops, const void *buf, size_t size)
{
	return (e->we_ops & ops) &&
	       (e->we_buffer == 0 || e->we_buffer == (uintptr_t)buf) &&
	       (size == (size_t)-1 ||
		   (e->we_size_min <= size && size <= e->we_size_max));
}

static int
matches(const umem_watch_entry_t *e, unsigned ops, const void *buf, size_t size,
    const umem_cache_t *cp)
{
	if (!may_match(e, ops, buf, size) ||
	    (e->we_cache[0] != '\0' &&
		memcmp(e->we_cache, cp->cache_name, UMEM_NAME_LEN) != 0))
		return 0;
	return size != (size_t)-1 ||
	       may_have_size(cp, e->we_size_min, e->we_size_max);
}

/* report - call the hook for each entry that matches */
static void
report(unsigned ops, void *buf, size_t size, umem_cache_t *cp)
{
	for (unsigned i = 0; i < UMEM_WATCH_MAX; i++)
		if (matches(&umem_watch.w_entry[i], ops, buf, size, cp))
			umem_watch_hook(i, ops, buf, size, cp);
}

/* What was asked for; (size_t)-1 when nobody knows. */
static size_t
known_size(umem_cache_t *cp, umem_slab_t *sp, void *buf)
{
	if (cp->cache_flags & UMF_LARGE)
		return sp->slab_reqsize;
	if (!(cp->cache_flags & UMF_MALLOC))
		return cp->cache_bufsize;
	return cache_is_checked(cp) ? audit_size(cp, sp, buf) : (size_t)-1;
}

/* Some entry may match: find out what the buffer is. */
static __attribute__((noinline)) void
look_closer(unsigned ops, void *buf, size_t size)
{
	umem_slab_t *sp = pagemap_slab(buf);
	umem_cache_t *cp;

	if (sp == NULL)
		return;
	cp = sp->slab_cache;
	if (cp->cache_flags & UMF_LARGE ? buf != large_buffer(sp)
					: slab_index(sp, buf) < 0)
		return;
	if (size == (size_t)-1)
		size = known_size(cp, sp, buf);
	report(ops, buf, size, cp);
}

void
watch_look(unsigned ops, void *buf, size_t size)
{
	uint64_t on = __atomic_load_n(&umem_watch.w_on, __ATOMIC_RELAXED);
	const volatile unsigned char *hook =
	    (const void *)(uintptr_t)umem_watch.w_hook;

	if ((on & UMEM_WATCH_SELF) && *hook != BREAKPOINT) {
		__atomic_store_n(&umem_watch.w_on, 0, __ATOMIC_RELAXED);
		return;
	}
	if (!(on & ops))
		return;
	for (unsigned i = 0; i < UMEM_WATCH_USED(on); i++)
		if (may_match(&umem_watch.w_entry[i], ops, buf, size)) {
			look_closer(ops, buf, size);
			return;
		}
}

void
watch_moved(void *buf, size_t before, void *moved, size_t size)
{
	umem_slab_t *sp;

	if (umem_watch.w_on == 0)
		return;
	sp = pagemap_slab(moved);
	if (sp != NULL)
		report(UMEM_WATCH_FREE, buf, before, sp->slab_cache);
	watch_look(UMEM_WATCH_ALLOC, moved, size);
}
