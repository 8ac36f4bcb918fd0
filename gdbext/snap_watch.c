/* SPDX-License-Identifier: MIT */
/*
 * snap_watch.c - what the library waits for on a debugger's behalf
 *
 * Layer: part of snap.h.
 */
#include <inttypes.h>
#include <string.h>

#include "snap_impl.h"
#include "snap_watch.h"

static int
read_root(struct target *tgt, taddr_t root, umem_root_t *ret)
{
	static const char magic[16] = UMEM_ROOT_MAGIC;
	int rc = target_read(tgt, root, ret, sizeof(*ret), "umem root");

	if (rc != UMDB_OK)
		return rc;
	if (memcmp(ret->root_magic, magic, sizeof(magic)) != 0 ||
	    ret->root_version != UMEM_LAYOUT_VERSION || ret->root_self != root)
		return target_fail(
		    tgt, UMDB_ETARGET, root, "no libumem in this process");
	return UMDB_OK;
}

static int
read_watch(struct target *tgt, const umem_root_t *root, umem_watch_t *ret)
{
	if (root->root_watch == 0 || root->root_error_hook == 0)
		return target_fail(tgt, UMDB_ETARGET, 0,
		    "the libumem in the process is too old: it has no places "
		    "for breakpoints");
	return target_read(tgt, root->root_watch, ret, sizeof(*ret), "watch");
}

int
snap_hooks(struct target *tgt, taddr_t root, struct snap_hooks *ret)
{
	umem_root_t r;
	umem_watch_t w;
	int rc;

	rc = read_root(tgt, root, &r);
	if (rc == UMDB_OK)
		rc = read_watch(tgt, &r, &w);
	if (rc != UMDB_OK)
		return rc;
	ret->error = r.root_error_hook;
	ret->watch = w.w_hook;
	return UMDB_OK;
}

int
snap_cache_at_hook(struct target *tgt, taddr_t addr, umem_cache_t *ret)
{
	int rc = target_read(tgt, addr, ret, sizeof(*ret), "cache");

	if (rc != UMDB_OK)
		return rc;
	return snap_cache_fault(ret) == NULL ? UMDB_OK : UMDB_ECORRUPT;
}

/* The part of a thread cache that says whose it is. */
static int
read_owner(struct target *tgt, taddr_t addr, umem_tcache_t *tc)
{
	const size_t from = offsetof(umem_tcache_t, tc_next);
	const size_t end = offsetof(umem_tcache_t, tc_grow);

	return target_read(
	    tgt, addr + from, (char *)tc + from, end - from, "thread cache");
}

/*
 * Every thread that sees its cache is shown an empty one.  One that has none
 * yet, or no more, is left alone: the library looks after those.
 */
static int
blind_threads(struct target *tgt, taddr_t first, const umem_watch_t *w,
    const struct snap_writer *writer)
{
	struct guard guard = {0};
	umem_tcache_t tc;
	taddr_t addr, at, now;
	int rc;

	if (w->w_tls == 0 || w->w_blind == 0)
		return UMDB_OK; /* no thread has a cache */
	for (addr = first; addr != 0 && !guard_loops(&guard, addr);
	     addr = tc.tc_next) {
		rc = read_owner(tgt, addr, &tc);
		if (rc != UMDB_OK)
			return rc;
		at = tc.tc_thread_pointer + (uint64_t)w->w_tls;
		if (tc.tc_state != UMEM_TC_LIVE ||
		    target_read(tgt, at, &now, sizeof(now), "thread's data") !=
			UMDB_OK ||
		    now != addr)
			continue;
		rc = writer->poke(
		    writer->arg, at, &w->w_blind, sizeof(w->w_blind));
		if (rc != UMDB_OK)
			return rc;
	}
	return UMDB_OK;
}

/* Write entry @i, and what says how many there are and what they want. */
static int
write_watch(taddr_t at, umem_watch_t *w, unsigned i, bool alone,
    const struct snap_writer *writer)
{
	uint64_t ops = 0, used = 0;
	unsigned k;
	int rc;

	for (k = 0; k < UMEM_WATCH_MAX; k++) {
		ops |= w->w_entry[k].we_ops;
		if (w->w_entry[k].we_ops != 0)
			used = k + 1;
	}
	w->w_on = UMEM_WATCH_STATE(used, ops);
	if (used != 0 && alone)
		w->w_on |= UMEM_WATCH_SELF;

	rc = writer->poke(writer->arg,
	    at + offsetof(umem_watch_t, w_entry) + i * sizeof(w->w_entry[0]),
	    &w->w_entry[i], sizeof(w->w_entry[0]));
	if (rc != UMDB_OK)
		return rc;
	return writer->poke(writer->arg, at + offsetof(umem_watch_t, w_on),
	    &w->w_on, sizeof(w->w_on));
}

int
snap_watch_add(struct target *tgt, taddr_t root,
    const umem_watch_entry_t *entry, bool alone,
    const struct snap_writer *writer, unsigned *ret)
{
	umem_root_t r;
	umem_watch_t w;
	unsigned i = 0;
	int rc;

	rc = read_root(tgt, root, &r);
	if (rc == UMDB_OK)
		rc = read_watch(tgt, &r, &w);
	if (rc != UMDB_OK)
		return rc;
	if (w.w_on == 0) /* it ended itself: nobody waits for these any more */
		memset(w.w_entry, 0, sizeof(w.w_entry));
	while (i < UMEM_WATCH_MAX && w.w_entry[i].we_ops != 0)
		i++;
	if (i == UMEM_WATCH_MAX)
		return target_fail(tgt, UMDB_ENOTFOUND, r.root_watch,
		    "the library waits for %u things at most", UMEM_WATCH_MAX);
	if (w.w_on == 0)
		rc = writer->poke(writer->arg,
		    r.root_watch + offsetof(umem_watch_t, w_entry), w.w_entry,
		    sizeof(w.w_entry));
	w.w_entry[i] = *entry;
	if (rc == UMDB_OK)
		rc = write_watch(r.root_watch, &w, i, alone, writer);
	if (rc == UMDB_OK)
		rc = blind_threads(tgt, r.root_tcaches, &w, writer);
	*ret = i;
	if (rc != UMDB_OK)
		(void)snap_watch_remove(tgt, root, i, writer);
	return rc;
}

int
snap_watch_remove(struct target *tgt, taddr_t root, unsigned index,
    const struct snap_writer *writer)
{
	umem_root_t r;
	umem_watch_t w;
	int rc;

	rc = read_root(tgt, root, &r);
	if (rc == UMDB_OK)
		rc = read_watch(tgt, &r, &w);
	if (rc != UMDB_OK || index >= UMEM_WATCH_MAX)
		return rc;
	memset(&w.w_entry[index], 0, sizeof(w.w_entry[index]));
	return write_watch(
	    r.root_watch, &w, index, (w.w_on & UMEM_WATCH_SELF) != 0, writer);
}
