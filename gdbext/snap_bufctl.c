/* SPDX-License-Identifier: MIT */
/*
 * snap_bufctl.c - questions about one buffer, cache or address
 *
 * Layer: part of snap.h.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snap_impl.h"

/* ----------------------------------------------------------------- bufctls */

int
snap_read_bufctl(struct snap *snap, taddr_t addr, struct snap_bufctl *ret)
{
	struct umdb_error why;
	int rc;

	ret->addr = addr;
	rc = target_read(snap->tgt, addr, &ret->bc, sizeof(ret->bc), "bufctl");
	if (rc != UMDB_OK)
		return rc;
	if (ret->bc.bc_kind > UMEM_BC_SLAB)
		return target_fail(snap->tgt, UMDB_ECORRUPT, addr,
		    "bufctl %#" PRIx64 " is damaged: of unknown kind %u", addr,
		    (unsigned)ret->bc.bc_kind);
	rc = snap_trace(snap, ret->bc.bc_trace, &ret->stack, &ret->depth);
	if (rc == UMDB_EFAULT) {
		/* a core may lack a page; the rest of the record is good */
		snap_damaged(snap, snap->root.root_traces,
		    "some records show no stack: the memory of traces cannot "
		    "be read");
		return UMDB_OK;
	}
	if (rc != UMDB_ECORRUPT)
		return rc;
	why = snap->tgt->err;
	return target_fail(
	    snap->tgt, rc, addr, "bufctl %#" PRIx64 ": %s", addr, why.msg);
}

bool
snap_bufctl_is_own(struct snap *snap, const struct snap_slab *s, uint32_t index,
    const struct snap_bufctl *b)
{
	const taddr_t buf = snap_buf_addr(s, index);

	if (b->bc.bc_addr == buf || b->bc.bc_kind == UMEM_BC_NEVER)
		return true;
	snap_damaged(snap, b->addr,
	    "the bufctl of buffer %#" PRIx64
	    " says that it is that of %#" PRIx64,
	    buf, b->bc.bc_addr);
	return false;
}

/* The size in the bufctl; UINT64_MAX when it has none to be believed. */
static uint64_t
size_in_bufctl(struct target *tgt, const struct snap_slab *s, uint32_t index)
{
	umem_bufctl_audit_t bc;
	taddr_t addr = snap_buf_bufctl(s, index);

	if (addr == 0 ||
	    target_read(tgt, addr, &bc, sizeof(bc), "bufctl") != UMDB_OK ||
	    bc.bc_kind != UMEM_BC_ALLOC ||
	    bc.bc_addr != snap_buf_addr(s, index) || bc.bc_size > s->bufsize)
		return UINT64_MAX;
	return bc.bc_size;
}

static uint64_t
size_in_buftag(struct target *tgt, const umem_cache_t *c,
    const struct snap_slab *s, uint32_t index)
{
	uint64_t word, size;
	uint32_t code;

	if (c->cache_buftag == 0 || c->cache_buftag > s->chunksize - 8 ||
	    target_read(tgt, snap_buf_addr(s, index) + c->cache_buftag, &word,
		sizeof(word), "buftag") != UMDB_OK)
		return UINT64_MAX;
	code = (uint32_t)(word >> 32);
	if (word == UMEM_PATTERN_REDZONE ||
	    (uint32_t)word != (uint32_t)UMEM_PATTERN_REDZONE ||
	    !UMEM_SIZE_VALID(code))
		return UINT64_MAX;
	size = UMEM_SIZE_DECODE(code);
	return size <= s->bufsize ? size : UINT64_MAX;
}

uint64_t
snap_size_asked(struct target *tgt, const umem_cache_t *c,
    const struct snap_slab *s, uint32_t index)
{
	uint64_t size = size_in_bufctl(tgt, s, index);

	return size != UINT64_MAX ? size : size_in_buftag(tgt, c, s, index);
}

uint64_t
snap_buf_size(struct snap *snap, const struct snap_slab *s, uint32_t index)
{
	const umem_cache_t *c = &snap->cache[s->cache].c;
	uint64_t size;

	if (snap_buf_state(snap, s, index) != BUF_ALLOCATED ||
	    c->cache_flags & UMF_LARGE)
		return s->bufsize;
	size = snap_size_asked(snap->tgt, c, s, index);
	return size == UINT64_MAX ? s->bufsize : size;
}

/* ------------------------------------------------------------------ caches */

const struct snap_cache *
snap_cache_at(const struct snap *snap, taddr_t addr)
{
	uint32_t i = addrmap_get(&snap->index->caches, addr);

	return i == ADDRMAP_NONE ? NULL : &snap->cache[i];
}

/* Length of the longest common prefix, plus a bonus when one holds the other.
 */
static size_t
name_likeness(const char *name, const char *text)
{
	size_t n = 0;

	while (text[n] != '\0' && tolower((unsigned char)name[n]) ==
				      tolower((unsigned char)text[n]))
		n++;
	if (strcasestr(name, text) != NULL)
		n += UMEM_NAME_LEN;
	return n;
}

/* Names that @text may have meant, for the message. */
static void
name_suggest(const struct snap *snap, const char *text, char *buf, size_t size)
{
	enum { NEAR_MAX = 4 };
	const struct snap_cache *best, *chosen[NEAR_MAX];
	size_t score, top, len = 0, n, k;
	uint32_t i;

	buf[0] = '\0';
	for (n = 0; n < NEAR_MAX; n++) {
		best = NULL;
		top = 3; /* fewer letters in common say nothing */
		for (i = 0; i < snap->ncache; i++) {
			score =
			    name_likeness(snap->cache[i].c.cache_name, text);
			for (k = 0; k < n; k++)
				if (chosen[k] == &snap->cache[i])
					score = 0;
			if (score > top) {
				top = score;
				best = &snap->cache[i];
			}
		}
		if (best == NULL || len >= size)
			return;
		chosen[n] = best;
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
		    n == 0 ? "; did you mean " : ", ", best->c.cache_name);
	}
}

int
snap_cache_named(
    struct snap *snap, const char *text, const struct snap_cache **ret)
{
	char near[4 * UMEM_NAME_LEN + 32], *end;
	taddr_t addr;
	uint32_t i;

	for (i = 0; i < snap->ncache; i++) {
		if (strcmp(snap->cache[i].c.cache_name, text) == 0) {
			*ret = &snap->cache[i];
			return UMDB_OK;
		}
	}
	addr = strtoull(text, &end, 0);
	if (end != text && *end == '\0' && *text != '-') {
		*ret = snap_cache_at(snap, addr);
		if (*ret != NULL)
			return UMDB_OK;
		return target_fail(snap->tgt, UMDB_ENOTFOUND, addr,
		    "there is no cache at %#" PRIx64, addr);
	}
	name_suggest(snap, text, near, sizeof(near));
	return target_fail(snap->tgt, UMDB_ENOTFOUND, 0,
	    "there is no cache named %.64s%s", text, near);
}

/* ----------------------------------------------------------------- regions */

bool
snap_ours(const struct snap *snap, taddr_t addr)
{
	size_t lo = 0, hi = snap->nregion;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (snap->region[mid].rg_base <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo != 0 && addr - snap->region[lo - 1].rg_base <
			      snap->region[lo - 1].rg_size;
}
