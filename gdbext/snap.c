/* SPDX-License-Identifier: MIT */
/*
 * snap.c - opening a snapshot: root, caches, arenas, regions
 *
 * Layer: above target.h; part of snap.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snap_impl.h"

#define SNAP_ARENAS_MAX 65536u

void
snap_damaged(struct snap *snap, taddr_t addr, const char *fmt, ...)
{
	struct snap_damage *d;
	char msg[sizeof(d->msg)];
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	for (i = 0; i < snap->ndamage; i++)
		if (snap->damage[i].addr == addr &&
		    strcmp(snap->damage[i].msg, msg) == 0)
			return;
	if (snap->damage == NULL)
		snap->damage = calloc(SNAP_DAMAGE_MAX, sizeof(*d));
	if (snap->damage == NULL || snap->ndamage == SNAP_DAMAGE_MAX) {
		snap->damage_more++;
		return;
	}
	d = &snap->damage[snap->ndamage++];
	d->addr = addr;
	memcpy(d->msg, msg, sizeof(msg));
}

/* A name as it may be shown: ends, and has no bytes that upset a terminal. */
static void
name_settle(char *name, size_t size)
{
	size_t i;

	name[size - 1] = '\0';
	for (i = 0; name[i] != '\0'; i++)
		if (name[i] < ' ' || name[i] > '~')
			name[i] = '?';
}

/* ------------------------------------------------------------------ caches */

const char *
snap_cache_fault(const umem_cache_t *c)
{
	if (memchr(c->cache_name, '\0', sizeof(c->cache_name)) == NULL)
		return "its name has no end";
	if (c->cache_chunks > UMEM_MAX_CHUNKS)
		return "more chunks a slab than there can be";
	if (c->cache_bin >= UMEM_TC_BINS)
		return "its bin number is out of range";
	if (c->cache_bufctl_size != 0 &&
	    c->cache_bufctl_size != sizeof(umem_bufctl_audit_t))
		return "its bufctl size is out of range";
	if (c->cache_buftag > c->cache_chunksize)
		return "its buftag lies outside the chunk";
	return NULL;
}

static int
cache_append(struct snap *snap, taddr_t addr, const umem_cache_t *c)
{
	struct snap_index *ix = snap->index;
	struct snap_cache *more;

	if (snap->ncache == ix->cache_room) {
		ix->cache_room = ix->cache_room == 0 ? 64 : ix->cache_room * 2;
		more = realloc(snap->cache, ix->cache_room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		snap->cache = more;
	}
	more = &snap->cache[snap->ncache];
	memset(more, 0, sizeof(*more));
	more->addr = addr;
	more->c = *c;
	name_settle(more->c.cache_name, sizeof(more->c.cache_name));
	if (addrmap_put(&ix->caches, addr, snap->ncache) != UMDB_OK)
		return UMDB_ENOMEM;
	snap->ncache++;
	return UMDB_OK;
}

/* The cache of large buffers has a pointer of its own. */
static int
cache_add_large(struct snap *snap)
{
	taddr_t addr = snap->root.root_large;
	umem_cache_t c;

	if (addr == 0 ||
	    addrmap_get(&snap->index->caches, addr) != ADDRMAP_NONE)
		return UMDB_OK;
	if (target_read(snap->tgt, addr, &c, sizeof(c), "cache") != UMDB_OK ||
	    snap_cache_fault(&c) != NULL) {
		snap_damaged(snap, addr,
		    "the cache of large buffers, %#" PRIx64 ", is damaged",
		    addr);
		return UMDB_OK;
	}
	return cache_append(snap, addr, &c);
}

int
snap_load_caches(struct snap *snap)
{
	struct snap_index *ix = snap->index;
	taddr_t addr = snap->root.root_caches;
	const char *fault;
	umem_cache_t c;

	for (; addr != 0; addr = c.cache_next) {
		if (addrmap_get(&ix->caches, addr) != ADDRMAP_NONE) {
			snap_damaged(snap, addr,
			    "the list of caches loops at %#" PRIx64, addr);
			ix->list_broken = true;
			break;
		}
		if (snap->ncache >= UMEM_MAX_CACHES) {
			snap_damaged(snap, addr,
			    "the list of caches does not "
			    "end");
			ix->list_broken = true;
			break;
		}
		if (target_poll(snap->tgt, "caches", snap->ncache, 0))
			return UMDB_EINTR;
		if (target_read(snap->tgt, addr, &c, sizeof(c), "cache") !=
		    UMDB_OK) {
			snap_damaged(snap, addr,
			    "the list of caches breaks "
			    "off: %s",
			    snap->tgt->err.msg);
			ix->list_broken = true;
			break;
		}
		fault = snap_cache_fault(&c);
		if (fault != NULL) {
			snap_damaged(snap, addr,
			    "cache %#" PRIx64 " is damaged: %s", addr, fault);
			ix->list_broken = true;
		}
		if (cache_append(snap, addr, &c) != UMDB_OK)
			return UMDB_ENOMEM;
	}
	return cache_add_large(snap);
}

uint32_t
snap_adopt_cache(struct snap *snap, taddr_t addr, const umem_slab_t *sp)
{
	umem_cache_t c;

	if (!snap->index->list_broken || snap->ncache >= UMEM_MAX_CACHES ||
	    target_read(snap->tgt, addr, &c, sizeof(c), "cache") != UMDB_OK ||
	    snap_cache_fault(&c) != NULL || c.cache_name[0] == '\0' ||
	    c.cache_chunksize != sp->slab_chunksize ||
	    c.cache_bufsize > c.cache_chunksize)
		return ADDRMAP_NONE;
	if (cache_append(snap, addr, &c) != UMDB_OK)
		return ADDRMAP_NONE;
	snap_damaged(snap, addr,
	    "cache %#" PRIx64 " (%s) is on no list; found by one of its slabs",
	    addr, c.cache_name);
	return snap->ncache - 1;
}

/* ------------------------------------------------------------------ arenas */

static int
arena_find_parents(struct snap *snap)
{
	uint32_t i, j;

	for (i = 0; i < snap->narena; i++) {
		struct snap_arena *a = &snap->arena[i];

		if (target_poll(snap->tgt, "arenas", i, snap->narena))
			return UMDB_EINTR;
		a->parent = UINT32_MAX;
		for (j = 0; j < snap->narena && a->v.vm_source != 0; j++)
			if (snap->arena[j].addr == a->v.vm_source && j != i)
				a->parent = j;
	}
	return UMDB_OK;
}

int
snap_load_arenas(struct snap *snap)
{
	taddr_t addr = snap->root.root_arenas;
	struct guard guard = {0};
	struct snap_arena *more;
	uint32_t room = 0;
	vmem_t v;

	for (; addr != 0; addr = v.vm_next) {
		if (guard_loops(&guard, addr) ||
		    snap->narena >= SNAP_ARENAS_MAX) {
			snap_damaged(snap, addr,
			    "the list of arenas loops at %#" PRIx64, addr);
			break;
		}
		if (target_poll(snap->tgt, "arenas", snap->narena, 0))
			return UMDB_EINTR;
		if (target_read(snap->tgt, addr, &v, sizeof(v), "arena") !=
		    UMDB_OK) {
			snap_damaged(snap, addr,
			    "the list of arenas breaks "
			    "off: %s",
			    snap->tgt->err.msg);
			break;
		}
		if (snap->narena == room) {
			room = room == 0 ? 16 : room * 2;
			more = realloc(snap->arena, room * sizeof(*more));
			if (more == NULL)
				return UMDB_ENOMEM;
			snap->arena = more;
		}
		name_settle(v.vm_name, sizeof(v.vm_name));
		snap->arena[snap->narena].addr = addr;
		snap->arena[snap->narena++].v = v;
	}
	return arena_find_parents(snap);
}

/* ----------------------------------------------------------------- regions */

static int
region_compare(const void *a, const void *b)
{
	const umem_region_t *x = a, *y = b;

	return x->rg_base < y->rg_base ? -1 : x->rg_base > y->rg_base;
}

int
snap_load_regions(struct snap *snap)
{
	taddr_t addr = snap->root.root_regions;
	struct guard guard = {0};
	umem_region_t r, *more;
	size_t room = 0;

	for (; addr != 0; addr = r.rg_next) {
		if (guard_loops(&guard, addr)) {
			snap_damaged(snap, addr,
			    "the list of regions loops at %#" PRIx64, addr);
			break;
		}
		if (target_poll(snap->tgt, "regions", snap->nregion, 0))
			return UMDB_EINTR;
		if (target_read(snap->tgt, addr, &r, sizeof(r), "region") !=
		    UMDB_OK) {
			snap_damaged(snap, addr,
			    "the list of regions breaks "
			    "off: %s",
			    snap->tgt->err.msg);
			break;
		}
		if (r.rg_size == 0 || r.rg_size > SNAP_ADDR_END ||
		    r.rg_base > SNAP_ADDR_END - r.rg_size) {
			snap_damaged(
			    snap, addr, "region %#" PRIx64 " is damaged", addr);
			continue;
		}
		if (snap->nregion == room) {
			room = room == 0 ? 64 : room * 2;
			more = realloc(snap->region, room * sizeof(*more));
			if (more == NULL)
				return UMDB_ENOMEM;
			snap->region = more;
		}
		snap->region[snap->nregion++] = r;
	}
	if (snap->nregion != 0)
		qsort(snap->region, snap->nregion, sizeof(*snap->region),
		    region_compare);
	return UMDB_OK;
}

/* -------------------------------------------------------------------- open */

static int
snap_read_root(struct snap *snap)
{
	umem_root_t *root = &snap->root;
	int rc;

	snap->root_addr = snap_find_root(snap->tgt);
	if (snap->root_addr == 0)
		return snap->tgt->err.code;
	rc = target_read(
	    snap->tgt, snap->root_addr, root, sizeof(*root), "umem root");
	if (rc != UMDB_OK)
		return rc;
	if (root->root_trace_end > 1u << UMEM_TRACE_BITS)
		root->root_trace_end = 1u << UMEM_TRACE_BITS;
	root->root_release[sizeof(root->root_release) - 1] = '\0';
	root->root_env_debug[sizeof(root->root_env_debug) - 1] = '\0';
	root->root_env_logging[sizeof(root->root_env_logging) - 1] = '\0';
	root->root_env_options[sizeof(root->root_env_options) - 1] = '\0';
	if (root->root_ready == UMEM_READY_FAILED)
		return target_fail(snap->tgt, UMDB_ETARGET, snap->root_addr,
		    "libumem is in the process but could not start (no "
		    "memory?): there is nothing to read");
	if (root->root_caches == 0)
		return target_fail(snap->tgt, UMDB_ETARGET, snap->root_addr,
		    "libumem is in the process but has not started: nothing "
		    "was allocated yet; stop the process later, for example "
		    "at main");
	return UMDB_OK;
}

static int
snap_load(struct snap *snap)
{
	int (*const steps[])(struct snap *) = {snap_read_root, snap_load_caches,
	    snap_load_arenas, snap_load_regions, snap_load_slabs,
	    snap_load_magazines};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		rc = steps[i](snap);
		if (rc == UMDB_ENOMEM)
			return target_fail(snap->tgt, rc, 0,
			    "no memory to read the heap's structures");
		if (rc == UMDB_EINTR)
			return target_fail(snap->tgt, rc, 0, "interrupted");
		if (rc != UMDB_OK)
			return rc;
	}
	if (snap->ncache == 0) /* then there is damage, and this first */
		return target_fail(snap->tgt, UMDB_ECORRUPT,
		    snap->root.root_caches,
		    "libumem is in the process, but none of its caches can "
		    "be read: %s",
		    snap->ndamage != 0 ? snap->damage[0].msg : "no memory");
	return UMDB_OK;
}

struct snap *
snap_open(struct target *tgt)
{
	struct snap *snap = calloc(1, sizeof(*snap));

	if (snap != NULL)
		snap->index = calloc(1, sizeof(*snap->index));
	if (snap == NULL || snap->index == NULL) {
		free(snap);
		target_fail(tgt, UMDB_ENOMEM, 0, "no memory for a snapshot");
		return NULL;
	}
	snap->tgt = tgt;
	if (snap_load(snap) != UMDB_OK) {
		snap_close(snap);
		return NULL;
	}
	return snap;
}

void
snap_forget_places(struct snap *snap)
{
	struct snap_places *p = &snap->places;
	uint32_t i;

	rangemap_fini(&p->structs);
	rangemap_fini(&p->mags);
	rangemap_fini(&p->segs);
	for (i = 0; p->held != NULL && i < snap->narena; i++)
		rangemap_fini(&p->held[i]);
	free(p->held);
	p->held = NULL;
}

void
snap_close(struct snap *snap)
{
	size_t i;

	if (snap == NULL)
		return;
	for (i = 0; i < UMEM_PM_ROOTS; i++)
		free(snap->index->leaf[i]);
	addrmap_fini(&snap->index->caches);
	addrmap_fini(&snap->index->mags);
	snap_free_traces(snap);
	free(snap->index);
	snap_forget_places(snap);
	free(snap->cache);
	free(snap->slab);
	free(snap->state);
	free(snap->arena);
	free(snap->tcache);
	free(snap->region);
	free(snap->damage);
	free(snap);
}
