/* SPDX-License-Identifier: MIT */
/*
 * find_scan.c - all pointers to candidates in a piece of memory
 *
 * Layer: see find_scan.h.
 */
#include <stdlib.h>

#include "find_scan.h"

#define WORD sizeof(uint64_t)
#define PIECE (1u << 20) /* bytes taken at a time */

void
find_scan_init(struct scan *s, struct mark *m, find_scan_fn *fn, void *arg)
{
	memset(s, 0, sizeof(*s));
	s->m = m;
	s->fn = fn;
	s->arg = arg;
}

void
find_scan_fini(struct scan *s)
{
	free(s->bounce);
	free(s->block);
	s->bounce = s->block = NULL;
	s->fetched = 0;
}

/* A word that lies between the candidates, @rel bytes from the lowest. */
static inline uint32_t
scan_resolve(const struct mark *m, uint64_t rel)
{
	const struct mark_slab *s = find_mark_slab(m, rel);
	uint64_t off, size, index = 0;

	if (s == NULL)
		return SCAN_NONE;
	off = m->lo + rel - s->first;
	if (s->recip != 0) {
		index = (uint64_t)((unsigned __int128)off * s->recip >> 64);
		if (index >= s->nchunk)
			return SCAN_NONE;
		off -= index * s->chunksize;
	}
	if (s->state[index] == MARK_NONE)
		return SCAN_NONE;
	size = off == 0 ? 0 : find_mark_size(s, (uint32_t)index);
	if (off != 0 && off >= size &&
	    (off > size || s->bytes == NULL ||
		!find_inner_is_empty(
		    s->bytes + index * s->chunksize, size, off)))
		return SCAN_NONE;
	return (uint32_t)(&s->state[index] - m->state);
}

uint32_t
find_scan_node(const struct mark *m, uint64_t value)
{
	return value - m->lo < m->len ? scan_resolve(m, value - m->lo)
				      : SCAN_NONE;
}

/* All words of [p, p + len); p stands for the aligned address at. */
static void
scan_words(struct scan *s, const uint8_t *p, uint64_t len, taddr_t at)
{
	const struct mark *m = s->m;
	const uint64_t lo = m->lo, span = m->len;
	const uint8_t *const start = p, *const end = p + len / WORD * WORD;
	uint64_t value;
	uint32_t node;

	for (; p < end; p += WORD) {
		value = find_mem_u64(p);
		if (value - lo >= span)
			continue;
		node = scan_resolve(m, value - lo);
		if (node != SCAN_NONE)
			s->fn(s->arg, at + (uint64_t)(p - start), value, node);
	}
}

/* Some of the words at addr; sets *len to how many bytes that were. */
static int
scan_piece(struct scan *s, taddr_t addr, uint64_t *len)
{
	const uint64_t n = PIECE - addr % PIECE;
	const uint8_t *p;

	if (*len > n)
		*len = n;
	p = find_mem_at(&s->m->mem, addr, *len);
	if (p == NULL && s->bounce == NULL) {
		s->bounce = malloc(PIECE);
		if (s->bounce == NULL)
			return UMDB_ENOMEM;
	}
	if (p == NULL) {
		s->unread +=
		    find_mem_read_pages(s->m->snap->tgt, addr, s->bounce, *len);
		p = s->bounce;
	}
	scan_words(s, p, *len, addr);
	return UMDB_OK;
}

static bool
scan_poll(struct scan *s, uint64_t n)
{
	s->done += n;
	return target_poll_bytes(
	    s->m->snap->tgt, "reading references", s->done, s->total);
}

int
find_scan_memory(struct scan *s, taddr_t addr, uint64_t len)
{
	uint64_t n, pad = -addr % WORD;
	int rc = UMDB_OK;

	if (len < pad)
		return UMDB_OK;
	addr += pad;
	for (len -= pad; len >= WORD && rc == UMDB_OK; addr += n, len -= n) {
		n = len / WORD * WORD;
		rc = scan_piece(s, addr, &n);
		if (rc == UMDB_OK && scan_poll(s, n))
			rc = UMDB_EINTR;
	}
	return rc;
}

/* The same for a part of a buffer, which mostly is borrowed and short. */
static int
scan_part(
    struct scan *s, const struct mark_slab *ms, taddr_t addr, uint64_t len)
{
	const uint64_t pad = -addr % WORD;

	if (ms->bytes == NULL || len > PIECE)
		return find_scan_memory(s, addr, len);
	if (len >= pad)
		scan_words(s, ms->bytes + (addr - ms->first) + pad, len - pad,
		    addr + pad);
	s->done += len;
	return UMDB_OK;
}

void
find_scan_fetch(struct scan *s, size_t slab)
{
	const struct mark_slab *ms = &s->m->slab[slab];
	const uint64_t len = ms->nchunk * ms->chunksize;

	s->fetched = 0;
	if (ms->bytes == NULL || len == 0 || len > PIECE)
		return;
	if (s->block == NULL)
		s->block = malloc(PIECE);
	if (s->block == NULL ||
	    !find_mem_fetch(&s->m->mem, ms->bytes, s->block, len))
		return;
	s->at = *ms;
	s->at.bytes = s->block;
	s->fetched = slab + 1;
}

int
find_scan_buffer(struct scan *s, size_t slab, uint32_t index)
{
	const struct mark *m = s->m;
	const struct mark_slab *ms =
	    s->fetched == slab + 1 ? &s->at : &m->slab[slab];
	const struct ranges *dead = &m->roots.dead;
	taddr_t at = ms->first + index * ms->chunksize;
	const taddr_t end = at + find_mark_size(ms, index);
	int rc = UMDB_OK;
	size_t i;

	if ((ms->flags & MARK_SLAB_DEAD) != 0) {
		for (i = 0; i < dead->n && at < end && rc == UMDB_OK; i++) {
			const struct range *d = &dead->r[i];

			if (d->end <= at || d->start >= end)
				continue;
			if (d->start > at)
				rc = scan_part(s, ms, at, d->start - at);
			at = d->end;
		}
	}
	if (at < end && rc == UMDB_OK)
		rc = scan_part(s, ms, at, end - at);
	return rc;
}

size_t
find_scan_slab(const struct snap *snap, uint32_t node, uint32_t *index_ret)
{
	size_t lo = 0, hi = snap->nslab;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (snap->slab[mid].buf <= node)
			lo = mid + 1;
		else
			hi = mid;
	}
	*index_ret = lo > 0 ? (uint32_t)(node - snap->slab[lo - 1].buf) : 0;
	return lo > 0 ? lo - 1 : 0;
}
