/* SPDX-License-Identifier: MIT */
/*
 * find_mark.c - the candidates, and how a word becomes one
 *
 * Builds what find_follow.c needs to tell in a few loads which buffer a word
 * points to: from the address a slab by page, from the slab a chunk by one
 * multiplication, from the chunk its mark.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"

#define RUN_MAX (4u << 20) /* bytes of adjacent slabs that are copied at once */

static bool
cache_is_clients(const struct snap_cache *c)
{
	return (c->c.cache_cflags & (UMC_INTERNAL | UMC_QCACHE)) == 0;
}

/* ------------------------------------------------------------- page index */

static int
index_pages(struct mark *m, taddr_t lo, taddr_t hi, uint32_t ordinal)
{
	const uint64_t gib = 1ULL << MARK_TOP_SHIFT;
	uint32_t *leaf;
	uintptr_t *top;
	taddr_t end;

	for (; lo < hi; lo = end) {
		top = &m->top[(lo - m->lo) >> MARK_TOP_SHIFT];
		end = (lo & ~(gib - 1)) + gib;
		if (end > hi)
			end = hi;
		if (end - lo == gib) {
			*top = 2 * (uintptr_t)ordinal + 1;
			continue;
		}
		if ((*top & 1) != 0) /* damaged: slabs overlap */
			continue;
		if (*top == 0)
			*top = (uintptr_t)calloc(
			    MARK_LEAF_PAGES, sizeof(uint32_t));
		leaf = (uint32_t *)*top;
		if (leaf == NULL)
			return UMDB_ENOMEM;
		for (; lo < end; lo += UMEM_PAGE_SIZE)
			leaf[(lo >> UMEM_PAGE_SHIFT) % MARK_LEAF_PAGES] =
			    ordinal + 1;
	}
	return UMDB_OK;
}

static int
mark_index(struct mark *m)
{
	const struct snap *snap = m->snap;
	const uint64_t gib = 1ULL << MARK_TOP_SHIFT;
	taddr_t hi = 0;
	size_t i;
	int rc = UMDB_OK;

	m->lo = UINT64_MAX;
	for (i = 0; i < snap->nslab; i++) {
		const struct snap_slab *s = &snap->slab[i];

		if (m->slab[i].nchunk == 0)
			continue;
		if (s->base < m->lo)
			m->lo = s->base & ~(gib - 1);
		if (s->base + s->size > hi)
			hi = s->base + s->size;
	}
	if (hi == 0) {
		m->lo = 0;
		return UMDB_OK;
	}
	m->len = hi - m->lo;
	m->ntop = ((m->len - 1) >> MARK_TOP_SHIFT) + 1;
	m->top = calloc(m->ntop, sizeof(*m->top));
	if (m->top == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++) {
		if (target_poll(snap->tgt, "pages", i, snap->nslab))
			return UMDB_EINTR;
		if (m->slab[i].nchunk != 0)
			rc = index_pages(m, snap->slab[i].base,
			    snap->slab[i].base + snap->slab[i].size,
			    (uint32_t)i);
	}
	return rc;
}

/* -------------------------------------------------------------- candidates */

/* Nonsense that the snapshot should have refused would lead out of bounds. */
static bool
slab_is_sane(const struct snap *snap, const struct snap_slab *s)
{
	return s->cache < snap->ncache && s->nchunk > 0 &&
	       s->nchunk <= UMEM_MAX_CHUNKS && s->buf <= snap->nbuf &&
	       s->nchunk <= snap->nbuf - s->buf && s->size > 0 &&
	       s->base < (1ULL << UMEM_PM_ADDR_BITS) &&
	       s->size <= (1ULL << UMEM_PM_ADDR_BITS) - s->base &&
	       s->first >= s->base && s->first - s->base <= s->size &&
	       s->bufsize <= s->size - (s->first - s->base) &&
	       ((snap->cache[s->cache].c.cache_flags & UMF_LARGE) != 0
		       ? s->nchunk == 1
		       : s->chunksize >= sizeof(uint64_t) &&
			     s->bufsize <= s->chunksize &&
			     s->chunksize <=
				 (s->size - (s->first - s->base)) / s->nchunk);
}

static bool
slab_is_dead(const struct mark *m, const struct snap_slab *s)
{
	const struct ranges *d = &m->roots.dead;
	size_t lo = 0, hi = d->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->r[mid].end <= s->base)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < d->n && d->r[lo].start < s->base + s->size;
}

static bool
slab_has_tags(const umem_cache_t *c, const struct snap_slab *s)
{
	return (c->cache_flags & UMF_REDZONE) != 0 &&
	       c->cache_buftag >= s->bufsize &&
	       c->cache_buftag % sizeof(uint64_t) == 0 &&
	       c->cache_buftag / sizeof(uint64_t) <= UINT16_MAX &&
	       s->chunksize >= sizeof(umem_buftag_t) &&
	       c->cache_buftag <= s->chunksize - sizeof(umem_buftag_t);
}

static void
slab_fill(struct mark *m, size_t i)
{
	const struct snap_slab *s = &m->snap->slab[i];
	const umem_cache_t *c;
	struct mark_slab *ms = &m->slab[i];
	const uint8_t *from = m->snap->state + s->buf;
	uint32_t k;

	if (!slab_is_sane(m->snap, s) ||
	    !cache_is_clients(&m->snap->cache[s->cache]))
		return;
	c = &m->snap->cache[s->cache].c;
	ms->first = s->first;
	ms->chunksize = s->chunksize;
	ms->recip = s->nchunk == 1 ? 0 : UINT64_MAX / s->chunksize + 1;
	ms->bufsize = s->bufsize;
	ms->state = m->state + s->buf;
	ms->nchunk = (uint16_t)s->nchunk;
	if ((c->cache_flags & UMF_FIREWALL) != 0)
		ms->flags |= MARK_SLAB_ALONE;
	if ((c->cache_flags & UMF_LARGE) != 0) {
		ms->flags |= MARK_SLAB_LARGE | MARK_SLAB_ALONE;
		ms->chunksize = s->bufsize;
	} else if (slab_has_tags(c, s)) {
		ms->flags |= MARK_SLAB_TAG;
		ms->tag = (uint16_t)(c->cache_buftag / sizeof(uint64_t));
	}
	if (m->roots.dead.n > 0 && slab_is_dead(m, s))
		ms->flags |= MARK_SLAB_DEAD;
	for (k = 0; k < s->nchunk; k++) {
		ms->state[k] = from[k] == BUF_ALLOCATED;
		m->stats.candidates += from[k] == BUF_ALLOCATED;
	}
}

static int
mark_candidates(struct mark *m)
{
	const struct snap *snap = m->snap;
	size_t i;

	for (i = 0; i < snap->nslab; i++) {
		if (target_poll(snap->tgt, "buffers", i, snap->nslab))
			return UMDB_EINTR;
		slab_fill(m, i);
	}
	return UMDB_OK;
}

/* Bytes that a slab's chunks take, from the first one. */
static uint64_t
slab_span(const struct mark_slab *s)
{
	return s->nchunk * s->chunksize;
}

/* Slabs from *i on that lie side by side: one copy for all of them. */
static void
slab_copy_run(struct mark *m, size_t *i)
{
	const struct snap_slab *first = &m->snap->slab[*i], *s = first;
	const uint8_t *p;
	taddr_t end;
	size_t j = *i;

	do {
		end = s->base + s->size;
		s = &m->snap->slab[++j];
	} while (j < m->snap->nslab && s->base == end &&
		 m->slab[j].nchunk != 0 && m->slab[j].bytes == NULL &&
		 (m->slab[j].flags & MARK_SLAB_ALONE) == 0 &&
		 s->base + s->size - first->base <= RUN_MAX);
	p = find_mem_get(
	    &m->mem, first->base, end - first->base, &m->stats.unread_bytes);
	for (; *i < j; ++*i)
		if (p != NULL)
			m->slab[*i].bytes =
			    p + (m->slab[*i].first - first->base);
}

static int
mark_borrow(struct mark *m)
{
	const struct snap *snap = m->snap;
	struct mark_slab *ms;
	size_t i;

	for (i = 0; i < snap->nslab; i++) {
		ms = &m->slab[i];
		if (target_poll_bytes(snap->tgt, "reading buffers", 0, 0))
			return UMDB_EINTR;
		if (ms->nchunk == 0)
			continue;
		ms->bytes = find_mem_at(&m->mem, ms->first, slab_span(ms));
		if (ms->bytes == NULL)
			m->mem.to_copy += snap->slab[i].size;
	}
	for (i = 0; i < snap->nslab && !m->mem.stopped;) {
		ms = &m->slab[i];
		if (ms->nchunk == 0 || ms->bytes != NULL) {
			i++;
		} else if ((ms->flags & MARK_SLAB_ALONE) != 0) {
			ms->bytes = find_mem_get(&m->mem, ms->first,
			    slab_span(ms), &m->stats.unread_bytes);
			i++;
		} else {
			slab_copy_run(m, &i);
		}
	}
	return m->mem.stopped ? UMDB_EINTR : UMDB_OK;
}

/* The size in the buftag; bufsize when there is none to be believed. */
static bool
size_from_tag(const struct mark_slab *s, uint32_t index, uint64_t *ret)
{
	uint64_t word;

	if (s->bytes == NULL || (s->flags & MARK_SLAB_TAG) == 0)
		return false;
	word = find_mem_u64(
	    s->bytes + index * s->chunksize + s->tag * sizeof(uint64_t));
	*ret = s->bufsize;
	if (word == UMEM_PATTERN_REDZONE)
		return true;
	if ((uint32_t)word != (uint32_t)UMEM_PATTERN_REDZONE ||
	    !UMEM_SIZE_VALID(word >> 32) ||
	    UMEM_SIZE_DECODE(word >> 32) > s->bufsize)
		return false;
	*ret = UMEM_SIZE_DECODE(word >> 32);
	return true;
}

/* Whether every size stands in a tag. */
static bool
tags_tell(const struct mark_slab *s)
{
	uint64_t size;
	uint32_t i;

	for (i = 0; i < s->nchunk; i++)
		if (!size_from_tag(s, i, &size))
			return false;
	return true;
}

/*
 * Where the sizes are: bufctls, unless the buffers' tags tell them.  What can
 * be had for nothing is had; else only for tags that are missing or damaged.
 */
static int
mark_borrow_bufctls(struct mark *m)
{
	const struct snap *snap = m->snap;
	const struct snap_slab *s;
	struct mark_slab *ms;
	uint64_t len, unread = 0;
	size_t i;

	for (i = 0; i < snap->nslab; i++) {
		s = &snap->slab[i];
		ms = &m->slab[i];
		if (ms->nchunk == 0 || s->bufctl == 0 ||
		    (ms->flags & MARK_SLAB_LARGE) != 0)
			continue;
		len = s->nchunk * sizeof(umem_bufctl_audit_t);
		ms->bufctl = find_mem_at(&m->mem, s->bufctl, len);
		if (ms->bufctl == NULL && !tags_tell(ms))
			ms->bufctl =
			    find_mem_get(&m->mem, s->bufctl, len, &unread);
		if (m->mem.stopped ||
		    target_poll(snap->tgt, "reading sizes", i, snap->nslab))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

/* ------------------------------------------------------------------- sizes */

static int
size_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The least size that each cache of malloc serves: past the next smaller. */
static int
mark_least(struct mark *m)
{
	const struct snap *snap = m->snap;
	uint64_t *size = calloc(snap->ncache + 1, sizeof(*size));
	uint32_t i, k, n = 0;

	m->least = calloc(snap->ncache + 1, sizeof(*m->least));
	if (size == NULL || m->least == NULL) {
		free(size);
		return UMDB_ENOMEM;
	}
	for (i = 0; i < snap->ncache; i++)
		if ((snap->cache[i].c.cache_flags & UMF_MALLOC) != 0)
			size[n++] = snap->cache[i].c.cache_bufsize;
	qsort(size, n, sizeof(*size), size_compare);
	for (i = 0; i < snap->ncache; i++) {
		const umem_cache_t *c = &snap->cache[i].c;

		m->least[i] = c->cache_bufsize;
		if ((c->cache_flags & UMF_MALLOC) == 0)
			continue;
		m->least[i] = 0;
		for (k = 0; k < n && size[k] < c->cache_bufsize; k++)
			m->least[i] = size[k] + 1;
	}
	free(size);
	return UMDB_OK;
}

uint64_t
find_mark_size(const struct mark_slab *s, uint32_t index)
{
	uint64_t size;

	if ((s->flags & MARK_SLAB_LARGE) != 0 || size_from_tag(s, index, &size))
		return (s->flags & MARK_SLAB_LARGE) != 0 ? s->bufsize : size;
	if (s->bufctl == NULL)
		return s->bufsize;
	size = find_mem_u64(s->bufctl + index * sizeof(umem_bufctl_audit_t) +
			    offsetof(umem_bufctl_audit_t, bc_size));
	return size <= s->bufsize ? size : s->bufsize;
}

bool
find_mark_exact(const struct mark_slab *s)
{
	return (s->flags & (MARK_SLAB_LARGE | MARK_SLAB_TAG)) != 0 ||
	       s->bufctl != NULL;
}

bool
find_mark_record(const struct mark *m, const struct snap_slab *s,
    uint32_t index, umem_bufctl_audit_t *ret)
{
	const taddr_t addr = snap_buf_bufctl(s, index);
	const uint8_t *p;

	if (addr == 0)
		return false;
	p = find_mem_at(&m->mem, addr, sizeof(*ret));
	if (p != NULL)
		memcpy(ret, p, sizeof(*ret));
	else if (target_read(m->snap->tgt, addr, ret, sizeof(*ret), "bufctl") !=
		 UMDB_OK)
		return false;
	return ret->bc_addr == snap_buf_addr(s, index);
}

/* --------------------------------------------------------------- life time */

int
find_mark_init(struct mark *m, struct snap *snap)
{
	int rc;

	memset(m, 0, sizeof(*m));
	m->snap = snap;
	rc = find_reads_plan(snap);
	if (rc != UMDB_OK)
		return target_fail(snap->tgt, rc, 0, "out of memory");
	rc = find_mem_init(&m->mem, snap->tgt);
	if (rc == UMDB_OK)
		rc = find_roots(snap, &m->roots);
	if (rc != UMDB_OK)
		return rc;
	m->slab = aligned_alloc(64, (snap->nslab + 1) * sizeof(*m->slab));
	m->state = find_mem_table(snap->nbuf + 1, 1);
	if (m->slab == NULL || m->state == NULL)
		rc = UMDB_ENOMEM;
	if (rc == UMDB_OK) {
		memset(m->slab, 0, (snap->nslab + 1) * sizeof(*m->slab));
		rc = mark_candidates(m);
	}
	if (rc == UMDB_OK)
		rc = mark_index(m);
	if (rc == UMDB_OK)
		rc = mark_least(m);
	if (rc == UMDB_OK)
		rc = mark_borrow(m);
	if (rc == UMDB_OK)
		rc = mark_borrow_bufctls(m);
	m->stats.unread_bytes += m->roots.unread;
	m->stats.whole_stacks = m->roots.whole_stacks;
	if (rc == UMDB_ENOMEM)
		return target_fail(snap->tgt, rc, 0, "out of memory");
	return rc;
}

void
find_mark_fini(struct mark *m)
{
	size_t i;

	for (i = 0; i < m->ntop; i++)
		if ((m->top[i] & 1) == 0)
			free((void *)m->top[i]);
	free(m->top);
	free(m->slab);
	free(m->state);
	free(m->least);
	free(m->owner);
	find_roots_free(&m->roots);
	find_mem_fini(&m->mem);
	memset(m, 0, sizeof(*m));
}
