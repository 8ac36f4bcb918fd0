/* SPDX-License-Identifier: MIT */
/*
 * find_follow.c - following pointers out of memory
 *
 * Marking is a walk over a graph whose nodes lie all over memory: what it
 * costs is waiting for memory.  So the mark of a buffer that a pointer was
 * seen to is first prefetched, waits in a short queue behind others, and is
 * looked at when it has arrived; then its pointers are, the same way.
 * Several threads do this at once; each has a stack of its own and gives half
 * of it away when another has none.  A mark only ever rises, so two threads
 * that reach a buffer at once at worst scan it twice.
 *
 * Layer: see find_follow.h.
 */
#include <stdlib.h>

#include "find_follow.h"
#include "find_scan.h"

#define WORD sizeof(uint64_t)
#define CHECK 512u            /* buffers between two looks at the others */
#define SHARE_MIN 64u         /* entries below which nothing is given away */
#define FETCH_MIN (16u << 10) /* bytes that are worth a call of the system */
#define FETCH_MAX (64u << 10) /* ... and that stay in the cache */
#define AROUND (END_AROUND * WORD)

/* -------------------------------------------------------------------- work */

void
pool_stop(struct pool *pool, int rc)
{
	int ok = UMDB_OK;

	__atomic_compare_exchange_n(
	    &pool->stop, &ok, rc, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool
stack_reserve(struct stack *s, size_t n)
{
	size_t room = s->room == 0 ? 1024 : s->room;
	uint64_t *more;

	if (n <= s->room - s->n)
		return true;
	while (n > room - s->n)
		room *= 2;
	more = realloc(s->id, room * sizeof(*more));
	if (more == NULL)
		return false;
	s->id = more;
	s->room = room;
	return true;
}

void
follow_push(struct follow *f, uint64_t id)
{
	if (f->stack.n == f->stack.room && !stack_reserve(&f->stack, 1)) {
		pool_stop(f->pool, UMDB_ENOMEM);
		return;
	}
	f->stack.id[f->stack.n++] = id;
}

void
follow_later(struct follow *f, uint64_t node, uint64_t off)
{
	struct later *more;
	size_t room;

	if (f->nlater == f->laterroom) {
		room = f->laterroom == 0 ? 256 : f->laterroom * 2;
		more = realloc(f->later, room * sizeof(*more));
		if (more == NULL) {
			pool_stop(f->pool, UMDB_ENOMEM);
			return;
		}
		f->later = more;
		f->laterroom = room;
	}
	f->later[f->nlater++] = (struct later){node, off};
}

/* ------------------------------------------------------------------- words */

static uint64_t
node_of(const struct follow *f, const struct mark_slab *s, uint32_t index)
{
	return (uint64_t)(s->state - f->m->state) + index;
}

enum inner_answer
follow_judge(struct follow *f, const struct mark_slab *s, uint32_t index,
    uint64_t off, uint64_t size)
{
	struct mark *m = f->m;
	struct inner_buf b = {
	    .addr = s->first + index * s->chunksize,
	    .size = size,
	    .least = size,
	};

	if (s->bytes == NULL)
		return INNER_UNKNOWN;
	b.bytes = s->bytes + index * s->chunksize;
	if (!find_mark_exact(s))
		b.least = m->least[m->snap->slab[s - m->slab].cache];
	return find_inner(&f->inner, &b, off);
}

void
follow_mark(
    struct follow *f, const struct mark_slab *s, uint32_t index, uint8_t to)
{
	__atomic_store_n(&s->state[index], to, __ATOMIC_RELAXED);
	follow_push(f, node_of(f, s, index) | FOLLOW_MARKED);
}

/* A pointer that leaves only a note. */
static void
follow_note(uint8_t *state)
{
	uint8_t white = MARK_WHITE;

	__atomic_compare_exchange_n(state, &white, MARK_INSIDE, false,
	    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* A pointer to the inside, or the end, of a buffer that is not LIVE yet. */
static __attribute__((noinline)) void
follow_inside(struct follow *f, const struct mark_slab *s, uint32_t index,
    uint64_t off, uint8_t to)
{
	const uint64_t size = find_mark_size(s, index);
	enum inner_answer a;

	if (off > size || (off == size && off != WORD))
		return;
	if (!f->exact && off < size) {
		follow_mark(f, s, index, to);
		return;
	}
	a = follow_judge(f, s, index, off, size);
	if (a == INNER_YES) {
		follow_mark(f, s, index, to);
		return;
	}
	if (a == INNER_UNKNOWN && f->exact)
		follow_later(f, node_of(f, s, index), off);
	if (off != size)
		follow_note(&s->state[index]);
}

/* The end of a buffer where another starts: as one to that one's inside. */
static void
follow_end(struct follow *f, uint64_t node)
{
	if (f->exact)
		follow_note(&f->m->state[node]);
	else
		follow_push(f, node);
}

/*
 * A word @rel bytes from the lowest candidate, and where it stands, or NULL:
 * is it a pointer to a buffer?
 */
static inline bool
follow_word(struct follow *f, uint64_t rel, const struct end_word *w)
{
	const struct mark *m = f->m;
	const struct mark_slab *s = find_mark_slab(m, rel);
	uint64_t off, index = 0;
	uint8_t to;

	if (s == NULL)
		return false;
	off = m->lo + rel - s->first;
	if (s->recip != 0) {
		index = (uint64_t)((unsigned __int128)off * s->recip >> 64);
		if (index >= s->nchunk)
			return false;
		off -= index * s->chunksize;
	}
	to = f->to[__atomic_load_n(&s->state[index], __ATOMIC_RELAXED)];
	if (to == MARK_NONE)
		return true;
	if (off != 0)
		follow_inside(f, s, (uint32_t)index, off, to);
	else if (w != NULL && find_end(m, s, (uint32_t)index, w))
		follow_end(f, node_of(f, s, (uint32_t)index));
	else
		follow_mark(f, s, (uint32_t)index, to);
	return true;
}

void
follow_value(struct follow *f, uint64_t value)
{
	if (value - f->m->lo < f->m->len)
		f->stats.hits += follow_word(f, value - f->m->lo, NULL);
}

/* @before and @behind: bytes on either side that may be looked at, too. */
static void
follow_words(struct follow *f, const uint8_t *p, uint64_t len, uint64_t before,
    uint64_t behind)
{
	const uint64_t lo = f->m->lo, span = f->m->len;
	const uint8_t *end = p + len / WORD * WORD;
	struct end_word w = {.start = p - before, .end = end + behind};
	uint64_t rel;

	for (; p < end; p += WORD) {
		rel = find_mem_u64(p) - lo;
		if (rel < span) {
			w.at = p;
			f->stats.hits += follow_word(f, rel, &w);
		}
	}
}

static bool
follow_bounce(struct follow *f)
{
	if (f->bounce == NULL)
		f->bounce = malloc(FOLLOW_PIECE);
	if (f->bounce == NULL)
		pool_stop(f->pool, UMDB_ENOMEM);
	return f->bounce != NULL;
}

void
follow_lent(struct follow *f, const uint8_t *p, uint64_t len)
{
	const struct mem *mem = &f->m->mem;
	uint64_t n, before = 0, behind;

	if (len < FETCH_MIN) {
		follow_words(f, p, len, 0, 0);
		return;
	}
	n = find_mem_hole(mem, p, len) / WORD * WORD;
	for (p += n, len -= n; len > 0; p += n, len -= n, before = AROUND) {
		n = len < FETCH_MAX ? len : FETCH_MAX;
		behind = len - n < AROUND ? len - n : AROUND;
		if (!follow_bounce(f))
			return;
		if (find_mem_fetch(
			mem, p - before, f->bounce, before + n + behind))
			follow_words(f, f->bounce + before, n, before, behind);
		else
			follow_words(f, p, n, before, behind);
	}
}

void
follow_read(struct follow *f, taddr_t addr, uint64_t len)
{
	uint64_t n, pad = -addr % WORD;

	if (!follow_bounce(f) || len < pad)
		return;
	for (addr += pad, len -= pad; len >= WORD; addr += n, len -= n) {
		n = len < FOLLOW_PIECE ? len / WORD * WORD : FOLLOW_PIECE;
		f->stats.unread_bytes +=
		    find_mem_read_pages(f->m->snap->tgt, addr, f->bounce, n);
		follow_words(f, f->bounce, n, 0, 0);
		__atomic_fetch_add(&f->pool->done, n, __ATOMIC_RELAXED);
		if (target_poll_bytes(f->m->snap->tgt, "searching memory",
			f->pool->done, f->pool->total))
			pool_stop(f->pool, UMDB_EINTR);
		if (pool_stopped(f->pool))
			return;
	}
}

/* ----------------------------------------------------------------- buffers */

/* Part of a buffer, from target address addr. */
static void
follow_part(
    struct follow *f, const struct mark_slab *s, taddr_t addr, uint64_t len)
{
	uint64_t pad = -addr % WORD, n;
	const uint8_t *p;

	f->stats.heap_words += len / WORD;
	if (s->bytes == NULL) {
		follow_read(f, addr, len);
		return;
	}
	if (len < pad)
		return;
	p = s->bytes + (addr - s->first) + pad;
	for (len -= pad; len >= WORD; p += n, len -= n) {
		n = len < FOLLOW_PIECE ? len / WORD * WORD : FOLLOW_PIECE;
		follow_lent(f, p, n);
		f->bytes += n;
		if (len > FOLLOW_PIECE)
			follow_look(f);
		if (pool_stopped(f->pool))
			return;
	}
}

void
follow_buffer(struct follow *f, uint64_t node)
{
	const struct mark *m = f->m;
	uint32_t index;
	const struct mark_slab *s =
	    &m->slab[find_scan_slab(m->snap, (uint32_t)node, &index)];
	const uint64_t size = find_mark_size(s, index);
	taddr_t at = s->first + index * s->chunksize, end = at + size;
	const struct ranges *dead = &m->roots.dead;
	size_t i;

	if (s->bytes == NULL && !f->main) {
		follow_later(f, node, 0);
		return;
	}
	if (f->first)
		f->stats.candidate_bytes += size;
	if ((s->flags & MARK_SLAB_DEAD) != 0) {
		for (i = 0; i < dead->n && at < end; i++) {
			const struct range *d = &dead->r[i];

			if (d->end <= at || d->start >= end)
				continue;
			if (d->start > at)
				follow_part(f, s, at, d->start - at);
			at = d->end;
		}
	}
	if (at < end)
		follow_part(f, s, at, end - at);
}

/* The pointers that were gathered of a buffer. */
static void
follow_gathered(struct follow *f, const uint32_t *to)
{
	uint32_t e;

	do {
		e = *to++;
		if ((e & ~GATHER_LAST) == GATHER_RAW) {
			follow_word(f, to[0] | (uint64_t)to[1] << 32, NULL);
			to += 2;
		} else if ((e & ~GATHER_LAST) == GATHER_END) {
			follow_end(f, *to++);
		} else {
			follow_push(f, e & ~GATHER_LAST);
		}
	} while ((e & GATHER_LAST) == 0);
}

/* Give half of the stack to those that have nothing. */
static void
follow_share(struct follow *f)
{
	struct pool *pool = f->pool;
	struct stack *s = &f->stack;
	size_t n = s->n / 2;

	if (pthread_mutex_trylock(&pool->lock) != 0)
		return;
	if (stack_reserve(&pool->shared, n)) {
		memcpy(pool->shared.id + pool->shared.n, s->id,
		    n * sizeof(*s->id));
		pool->shared.n += n;
		memmove(s->id, s->id + n, (s->n - n) * sizeof(*s->id));
		s->n -= n;
		pthread_cond_broadcast(&pool->more);
	}
	pthread_mutex_unlock(&pool->lock);
}

void
follow_look(struct follow *f)
{
	struct pool *pool = f->pool;

	__atomic_fetch_add(&pool->done, f->bytes, __ATOMIC_RELAXED);
	f->bytes = 0;
	if (f->main &&
	    target_poll_bytes(f->m->snap->tgt, "searching memory",
		__atomic_load_n(&pool->done, __ATOMIC_RELAXED), pool->total))
		pool_stop(pool, UMDB_EINTR);
	if (f->stack.n >= SHARE_MIN &&
	    __atomic_load_n(&pool->hungry, __ATOMIC_RELAXED) > 0)
		follow_share(f);
}

static void
ring_add(struct ring *r, uint64_t node, uint32_t first)
{
	const unsigned i = (r->at + r->n++) % FOLLOW_RING;

	r->e[i].node = node;
	r->e[i].first = first;
}

static unsigned
ring_take(struct ring *r)
{
	const unsigned i = r->at;

	r->at = (i + 1) % FOLLOW_RING;
	r->n--;
	return i;
}

/* From the stack: ask for its mark. */
static inline void
follow_await(struct follow *f)
{
	const struct gather *g = &f->pool->gather;
	const uint64_t id = f->stack.id[--f->stack.n];
	const uint64_t node = id & ~FOLLOW_MARKED;

	__builtin_prefetch(&f->m->state[node]);
	if (g->first != NULL)
		__builtin_prefetch(&g->first[node]);
	ring_add(&f->wait, id, GATHER_NOT);
}

/* The mark is here: when it is new, ask for the pointers. */
static inline void
follow_arrived(struct follow *f)
{
	const struct gather *g = &f->pool->gather;
	const uint64_t id = f->wait.e[ring_take(&f->wait)].node;
	const uint64_t node = id & ~FOLLOW_MARKED;
	uint8_t *state = &f->m->state[node], to;
	uint32_t first = GATHER_NOT;

	if ((id & FOLLOW_MARKED) == 0) {
		to = f->to[__atomic_load_n(state, __ATOMIC_RELAXED)];
		if (to == MARK_NONE)
			return;
		__atomic_store_n(state, to, __ATOMIC_RELAXED);
	}
	if (f->owner != NULL)
		f->owner[node] = f->head;
	if (g->first != NULL)
		first = g->first[node];
	if (first == GATHER_NONE)
		return;
	if (first != GATHER_NOT)
		__builtin_prefetch(&g->to[first]);
	ring_add(&f->ready, node, first);
}

void
follow_drain(struct follow *f)
{
	unsigned i;

	for (;;) {
		while (f->wait.n < FOLLOW_RING && f->stack.n > 0)
			follow_await(f);
		if (f->wait.n > 0 && f->ready.n < FOLLOW_RING) {
			follow_arrived(f);
		} else if (f->ready.n > 0) {
			i = ring_take(&f->ready);
			if (f->ready.e[i].first == GATHER_NOT)
				follow_buffer(f, f->ready.e[i].node);
			else
				follow_gathered(f,
				    f->pool->gather.to + f->ready.e[i].first);
		} else {
			return;
		}
		if (++f->since < CHECK)
			continue;
		f->since = 0;
		follow_look(f);
		if (pool_stopped(f->pool)) {
			f->wait.n = f->ready.n = 0;
			f->stack.n = 0;
			return;
		}
	}
}
