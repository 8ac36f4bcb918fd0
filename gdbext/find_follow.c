/* SPDX-License-Identifier: MIT */
/*
 * find_follow.c - following pointers out of memory
 *
 * Marking is a walk over a graph whose nodes lie all over memory: what it
 * costs is waiting for memory.  So a buffer that was reached is first
 * prefetched, waits in a short queue behind others, and is scanned when it
 * has arrived.  Several threads do this at once; each has a stack of its own
 * and gives half of it away when another has none.  A mark only ever rises,
 * so two threads that reach a buffer at once at worst scan it twice.
 *
 * Layer: see find_follow.h.
 */
#include <stdlib.h>

#include "find_follow.h"

#define WORD sizeof(uint64_t)
#define CHECK 256u    /* buffers between two looks at the others */
#define SHARE_MIN 64u /* entries below which nothing is given away */

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
follow_later(struct follow *f, uint64_t id, uint64_t off)
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
	f->later[f->nlater++] = (struct later){id, off};
}

/* ------------------------------------------------------------------- words */

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
	follow_push(f, ID(s - f->m->slab, index));
}

/* A pointer to the inside of a buffer that is not LIVE yet. */
static __attribute__((noinline)) void
follow_inside(struct follow *f, const struct mark_slab *s, uint32_t index,
    uint64_t off, uint8_t to)
{
	const uint64_t size = find_mark_size(s, index);
	enum inner_answer a;
	uint8_t white = MARK_WHITE;

	if (off >= size)
		return;
	if (!f->exact) {
		follow_mark(f, s, index, to);
		return;
	}
	a = follow_judge(f, s, index, off, size);
	if (a == INNER_YES) {
		follow_mark(f, s, index, to);
		return;
	}
	if (a == INNER_UNKNOWN)
		follow_later(f, ID(s - f->m->slab, index), off);
	__atomic_compare_exchange_n(&s->state[index], &white, MARK_INSIDE,
	    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* A word that lies between the candidates, @rel bytes from the lowest. */
static inline void
follow_word(struct follow *f, uint64_t rel)
{
	const struct mark *m = f->m;
	const uintptr_t top = m->top[rel >> MARK_TOP_SHIFT];
	const struct mark_slab *s;
	uint64_t off, ordinal;
	uint32_t index = 0;
	uint8_t to;

	if ((top & 1) != 0) {
		ordinal = top >> 1;
	} else {
		if (top == 0)
			return;
		ordinal = ((const uint32_t *)
			top)[(rel >> UMEM_PAGE_SHIFT) % MARK_LEAF_PAGES];
		if (ordinal-- == 0)
			return;
	}
	s = &m->slab[ordinal];
	off = m->lo + rel - s->first;
	if (s->recip != 0) {
		const uint64_t i =
		    (uint64_t)((unsigned __int128)off * s->recip >> 64);

		if (i >= s->nchunk)
			return;
		index = (uint32_t)i;
		off -= i * s->chunksize;
	}
	f->stats.hits++;
	to = f->to[__atomic_load_n(&s->state[index], __ATOMIC_RELAXED)];
	if (to == MARK_NONE)
		return;
	if (off == 0)
		follow_mark(f, s, index, to);
	else
		follow_inside(f, s, index, off, to);
}

void
follow_value(struct follow *f, uint64_t value)
{
	if (value - f->m->lo < f->m->len)
		follow_word(f, value - f->m->lo);
}

void
follow_words(struct follow *f, const uint8_t *p, uint64_t len)
{
	const uint64_t lo = f->m->lo, span = f->m->len;
	const uint8_t *end = p + len / WORD * WORD;
	uint64_t a, b;

	for (; end - p >= (ptrdiff_t)(2 * WORD); p += 2 * WORD) {
		a = find_mem_u64(p) - lo;
		b = find_mem_u64(p + WORD) - lo;
		if (a < span)
			follow_word(f, a);
		if (b < span)
			follow_word(f, b);
	}
	if (p < end) {
		a = find_mem_u64(p) - lo;
		if (a < span)
			follow_word(f, a);
	}
}

void
follow_read(struct follow *f, taddr_t addr, uint64_t len)
{
	uint64_t n, pad = -addr % WORD;

	if (f->bounce == NULL)
		f->bounce = malloc(FOLLOW_PIECE);
	if (f->bounce == NULL) {
		pool_stop(f->pool, UMDB_ENOMEM);
		return;
	}
	if (len < pad)
		return;
	for (addr += pad, len -= pad; len >= WORD; addr += n, len -= n) {
		n = len < FOLLOW_PIECE ? len / WORD * WORD : FOLLOW_PIECE;
		f->stats.unread_bytes +=
		    find_mem_read_pages(f->m->snap->tgt, addr, f->bounce, n);
		follow_words(f, f->bounce, n);
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
	f->bytes += len;
	if (s->bytes == NULL) {
		follow_read(f, addr, len);
		return;
	}
	if (len < pad)
		return;
	p = s->bytes + (addr - s->first) + pad;
	for (len -= pad; len >= WORD; p += n, len -= n) {
		n = len < FOLLOW_PIECE ? len / WORD * WORD : FOLLOW_PIECE;
		follow_words(f, p, n);
		if (len > FOLLOW_PIECE && pool_stopped(f->pool))
			return;
	}
}

void
follow_buffer(struct follow *f, uint64_t id)
{
	const struct mark *m = f->m;
	const struct mark_slab *s = &m->slab[ID_SLAB(id)];
	const uint32_t index = ID_INDEX(id);
	const uint64_t size = find_mark_size(s, index);
	taddr_t at = s->first + index * s->chunksize, end = at + size;
	const struct ranges *dead = &m->roots.dead;
	size_t i;

	if (s->bytes == NULL && !f->main) {
		follow_later(f, id, 0);
		return;
	}
	if (f->first)
		f->stats.candidate_bytes += size;
	if (f->owner != NULL)
		f->owner[m->snap->slab[ID_SLAB(id)].buf + index] = f->head;
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

static inline void
follow_prefetch(const struct mark *m, uint64_t id)
{
	const struct mark_slab *s = &m->slab[ID_SLAB(id)];
	const uint64_t index = ID_INDEX(id);
	const uint8_t *p;

	if (s->bytes != NULL) {
		p = s->bytes + index * s->chunksize;
		__builtin_prefetch(p);
		if (s->chunksize > 64)
			__builtin_prefetch(p + 64);
		if (s->tag >= 2 * 64 / WORD)
			__builtin_prefetch(p + s->tag * WORD);
	}
	if (s->bufctl != NULL && (s->flags & MARK_SLAB_TAG) == 0)
		__builtin_prefetch(s->bufctl + index * s->bufctl_size +
				   offsetof(umem_bufctl_audit_t, bc_size));
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

void
follow_drain(struct follow *f)
{
	uint64_t id;

	for (;;) {
		while (f->ringn < FOLLOW_RING && f->stack.n > 0) {
			id = f->stack.id[--f->stack.n];
			follow_prefetch(f->m, id);
			f->ring[(f->ringat + f->ringn++) % FOLLOW_RING] = id;
		}
		if (f->ringn == 0)
			return;
		id = f->ring[f->ringat];
		f->ringat = (f->ringat + 1) % FOLLOW_RING;
		f->ringn--;
		follow_buffer(f, id);
		if (++f->since < CHECK)
			continue;
		f->since = 0;
		follow_look(f);
		if (pool_stopped(f->pool)) {
			f->ringn = 0;
			f->stack.n = 0;
			return;
		}
	}
}
