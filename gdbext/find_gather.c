/* SPDX-License-Identifier: MIT */
/*
 * find_gather.c - the pointers of all buffers, side by side
 *
 * Words of a slab are looked at in three passes, so that no word waits for
 * the memory that another one needs: which of them lie between the buffers,
 * in which slab, in which buffer.
 *
 * Layer: see find_gather.h.
 */
#include <stdlib.h>

#include "find_gather.h"

#define WORD sizeof(uint64_t)
#define BLOCK (64u << 10)     /* bytes read at once, if no slab is larger */
#define SLAB_MAX (256u << 10) /* the largest slab that is gathered */
#define PIECE (16u << 10)     /* numbers that a thread reserves at a time */
#define ROOM (64u << 20)      /* most numbers: 256 MiB */
#define BESIDE 2u             /* hits on each side that tell of an end */

/* Bytes from the first chunk on that hold all there is to know of a slab. */
static uint64_t
slab_bytes(const struct mark_slab *s)
{
	return s->nchunk * s->chunksize;
}

int
gather_init(struct gather *g, const struct mark *m)
{
	uint64_t words = 0;
	size_t i;

	memset(g, 0, sizeof(*g));
	for (i = 0; i < m->snap->nslab; i++)
		words += slab_bytes(&m->slab[i]) / WORD;
	g->nbuf = m->snap->nbuf;
	g->room = words < ROOM ? words + 16 * PIECE : ROOM;
	if (m->gather != 0)
		g->room = m->gather;
	g->used = GATHER_NONE + 1;
	if (g->nbuf >= GATHER_END)
		return UMDB_ENOMEM;
	g->first = find_mem_table(g->nbuf + 1, sizeof(*g->first));
	g->to = find_mem_table(g->room, sizeof(*g->to));
	return g->first == NULL || g->to == NULL ? UMDB_ENOMEM : UMDB_OK;
}

void
gather_fini(struct gather *g)
{
	free(g->first);
	free(g->to);
	memset(g, 0, sizeof(*g));
}

int
gather_work_init(struct gather_work *w, struct gather *g, struct mark *m,
    struct leak_stats *stats)
{
	memset(w, 0, sizeof(*w));
	w->m = m;
	w->g = g;
	w->stats = stats;
	w->block = malloc(SLAB_MAX);
	w->room = calloc(SLAB_MAX / WORD + 2 * BESIDE, WORD);
	if (w->room != NULL)
		w->hit = w->room + BESIDE;
	w->slab = malloc(SLAB_MAX / WORD * sizeof(*w->slab));
	w->nhit = malloc(UMEM_MAX_CHUNKS * sizeof(*w->nhit));
	return w->block == NULL || w->hit == NULL || w->slab == NULL ||
		       w->nhit == NULL
		   ? UMDB_ENOMEM
		   : UMDB_OK;
}

void
gather_work_fini(struct gather_work *w)
{
	free(w->block);
	free(w->room);
	free(w->slab);
	free(w->nhit);
	memset(w, 0, sizeof(*w));
}

static bool
slab_fits(const struct mark_slab *s)
{
	return s->nchunk != 0 && s->bytes != NULL && s->first % WORD == 0 &&
	       s->chunksize % WORD == 0 && slab_bytes(s) <= SLAB_MAX &&
	       (s->flags & MARK_SLAB_DEAD) == 0;
}

/* The words between the candidates; how many, of how many. */
static uint32_t
slab_hits(struct gather_work *w, const struct mark_slab *s, uint64_t *bytes,
    uint64_t *words)
{
	const uint64_t lo = w->m->lo, span = w->m->len;
	uint32_t n = 0, k;

	for (k = 0; k < s->nchunk; k++) {
		const uint8_t *p = s->bytes + k * s->chunksize, *end;
		uint64_t size;

		if (s->state[k] != MARK_NONE) {
			size = find_mark_size(s, k);
			*bytes += size;
			*words += size / WORD;
			for (end = p + size / WORD * WORD; p < end; p += WORD) {
				w->hit[n] = find_mem_u64(p) - lo;
				n += w->hit[n] < span;
			}
		}
		w->nhit[k] = n;
	}
	for (k = 0; k < BESIDE; k++)
		w->hit[n + k] = 0;
	return n;
}

/* Their slabs. */
static void
slab_targets(struct gather_work *w, uint32_t n)
{
	const struct mark *m = w->m;
	uint32_t i;

	for (i = 0; i < n; i++) {
		w->slab[i] = find_mark_slab(m, w->hit[i]);
		__builtin_prefetch(w->slab[i]);
	}
}

/*
 * Hits have lost their places.  But two words beside the end of a buffer point
 * into it, one of them right beside; so these are hits, too.
 */
static inline bool
hit_can_be_end(const uint64_t *hit, uint64_t gap)
{
	const bool before = *hit - hit[-1] <= gap,
		   behind = *hit - hit[1] <= gap;

	if (__builtin_expect(!(before | behind), 1))
		return false;
	return (before && behind) || (before && *hit - hit[-2] <= gap) ||
	       (behind && *hit - hit[2] <= gap);
}

/*
 * Where hit @i of a slab stands, in its buffer @k.  They are asked for in
 * order, so no word is looked at twice.
 */
static const uint8_t *
hit_at(struct gather_work *w, const struct mark_slab *s, uint32_t k, uint32_t i)
{
	const uint64_t lo = w->m->lo, span = w->m->len;
	const taddr_t source = s->first + k * s->chunksize;

	if (w->source != source) {
		w->source = source;
		w->behind = s->bytes + k * s->chunksize;
		w->seen = k == 0 ? 0 : w->nhit[k - 1];
	}
	for (; w->seen <= i; w->behind += WORD)
		w->seen += find_mem_u64(w->behind) - lo < span;
	return w->behind - WORD;
}

static __attribute__((noinline)) bool
hit_is_end(struct gather_work *w, const struct mark_slab *s, uint32_t k,
    uint32_t i, uint32_t index)
{
	const uint8_t *start = s->bytes + k * s->chunksize;
	const struct end_word word = {
	    .at = hit_at(w, s, k, i),
	    .start = start,
	    .end = start + find_mark_size(s, k) / WORD * WORD,
	};

	return find_end(w->m, w->slab[i], index, &word);
}

/*
 * Hit @i, of buffer @k of a slab, when it is a pointer to a buffer, as numbers
 * at to; how many.
 */
static inline uint32_t
pointer_put(struct gather_work *w, const struct mark_slab *from, uint32_t k,
    uint32_t i, uint32_t *to)
{
	const struct mark *m = w->m;
	const struct mark_slab *s = w->slab[i];
	const uint64_t rel = w->hit[i];
	uint64_t off, gap, index = 0;

	if (s == NULL)
		return 0;
	off = m->lo + rel - s->first;
	if (s->recip != 0) {
		index = (uint64_t)((unsigned __int128)off * s->recip >> 64);
		if (index >= s->nchunk)
			return 0;
		off -= index * s->chunksize;
	}
	if (off == 0) {
		to[0] = (uint32_t)(s->state - m->state + index);
		gap = index != 0 ? s->chunksize : find_end_gap(m, s, 0);
		if (!hit_can_be_end(&w->hit[i], gap) ||
		    !hit_is_end(w, from, k, i, (uint32_t)index))
			return 1;
		to[1] = to[0];
		to[0] = GATHER_END;
		return 2;
	}
	if (off >= s->bufsize)
		return 0;
	to[0] = GATHER_RAW;
	to[1] = (uint32_t)rel;
	to[2] = (uint32_t)(rel >> 32);
	return 3;
}

/* Room for what a slab of so many hits can have; false: there is none. */
static bool
work_reserve(struct gather_work *w, uint32_t n)
{
	uint64_t at, len = n > PIECE ? n : PIECE;

	if (n <= w->end - w->at)
		return true;
	at = __atomic_fetch_add(&w->g->used, len, __ATOMIC_RELAXED);
	if (at + len > w->g->room)
		return false;
	w->at = (uint32_t)at;
	w->end = (uint32_t)(at + len);
	return true;
}

/* @s is the slab with its bytes where they can be read well. */
static void
gather_slab(struct gather_work *w, const struct mark_slab *s)
{
	const struct mark *m = w->m;
	uint32_t *first = w->g->first + (s->state - m->state);
	uint32_t *to = w->g->to, n, i = 0, k, last, len;
	uint64_t bytes = 0, words = 0;

	n = slab_hits(w, s, &bytes, &words);
	slab_targets(w, n);
	if (!work_reserve(w, 3 * n))
		return;
	w->stats->hits += n;
	w->stats->candidate_bytes += bytes;
	w->stats->heap_words += words;
	for (k = 0; k < s->nchunk; k++) {
		first[k] = GATHER_NONE;
		for (last = 0; i < w->nhit[k]; i++) {
			len = pointer_put(w, s, k, i, to + w->at);
			if (len == 0)
				continue;
			if (last == 0)
				first[k] = w->at;
			last = w->at;
			w->at += len;
		}
		if (last != 0)
			to[last] |= GATHER_LAST;
	}
}

/* Slabs from i on whose bytes lie side by side in one block, before stop; where they end. */
static size_t
block_end(const struct mark *m, size_t i, size_t stop)
{
	const struct mark_slab *first = &m->slab[i], *s = first;

	while (++i < stop) {
		s++;
		if (!slab_fits(s) || s->first < first->first ||
		    s->bytes - first->bytes !=
			(ptrdiff_t)(s->first - first->first) ||
		    s->first - first->first + slab_bytes(s) > BLOCK)
			break;
	}
	return i;
}

static void
gather_block(struct gather_work *w, size_t i, size_t end)
{
	const struct mark *m = w->m;
	const struct mark_slab *first = &m->slab[i], *last = &m->slab[end - 1];
	const uint8_t *bytes = first->bytes;
	struct mark_slab s;

	if (find_mem_fetch(&m->mem, bytes, w->block,
		last->first - first->first + slab_bytes(last)))
		bytes = w->block;
	for (; i < end; i++) {
		s = m->slab[i];
		s.bytes = bytes + (s.first - first->first);
		gather_slab(w, &s);
	}
}

bool
gather_some(struct gather_work *w, uint64_t *bytes_ret)
{
	enum { SLABS = 16 };
	const struct mark *m = w->m;
	const size_t nslab = m->snap->nslab;
	size_t i = __atomic_fetch_add(&w->g->next, SLABS, __ATOMIC_RELAXED);
	size_t stop, end;

	*bytes_ret = 0;
	if (i >= nslab)
		return false;
	stop = nslab - i > SLABS ? i + SLABS : nslab;
	while (i < stop) {
		if (!slab_fits(&m->slab[i])) {
			i++;
			continue;
		}
		end = block_end(m, i, stop);
		gather_block(w, i, end);
		for (; i < end; i++)
			*bytes_ret += m->snap->slab[i].size;
	}
	return true;
}
