/* SPDX-License-Identifier: MIT */
/*
 * find_follow.c - following pointers from the roots
 *
 * Marking is a walk over a graph whose nodes lie all over memory: what it
 * costs is waiting for memory.  So a buffer that was reached is first
 * prefetched, waits in a short queue behind others, and is scanned when it
 * has arrived.  Several threads do this at once; each has a stack of its own
 * and gives half of it away when another has none.  A mark only ever rises,
 * so two threads that reach a buffer at once at worst scan it twice.
 *
 * The walk runs over the same machinery four times, with other transitions:
 *
 *	live		from the roots, by pointers that hold (start, or an
 *			inside that is as good): WHITE -> LIVE; other pointers
 *			to the inside only leave a note: WHITE -> INSIDE
 *	maybe		from what is INSIDE, by any pointer: -> MAYBE
 *	seen		from each WHITE one in order of address, by any
 *			pointer: -> SEEN; notes where it started from
 *	lost		from those starts, the last first: what is still SEEN
 *			is a HEAD and all that it reaches LOST
 *
 * Why the last two find the heads: a start was not reached by any earlier
 * one.  The last start can thus be reached only by what it reaches itself:
 * it stands for itself or for its cycle, and as the first of the cycle in
 * order of address.  With all that it reaches taken away, the same holds for
 * the start before it.
 *
 * Worker threads touch local memory only.  What needs the debugger - memory
 * that is not lent, the evidence for a pointer to the inside - is noted and
 * done by the main thread when they have finished; then they go on.
 *
 * Layer: see find_mark.h.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "find_mark.h"

#define WORD sizeof(uint64_t)
#define RING 16u         /* buffers that wait for their memory */
#define PIECE (1u << 20) /* bytes of roots taken at a time */
#define CHECK 256u       /* buffers between two looks at the others */
#define SHARE_MIN 64u    /* entries below which nothing is given away */
#define WORKERS_MAX 16u
#define WORK_MIN (8u << 20) /* bytes below which threads are not worth it */

/* A buffer as one word: ordinal of its slab, index in it. */
#define ID(slab, index) ((uint64_t)(slab) << 16 | (index))
#define ID_SLAB(id) ((id) >> 16)
#define ID_INDEX(id) ((uint32_t)((id)&0xffff))

struct piece {
	const uint8_t *bytes;
	uint64_t len;
};

/* Work for the main thread: off 0, scan it; else judge a pointer there. */
struct later {
	uint64_t id, off;
};

struct stack {
	uint64_t *id;
	size_t n, room;
};

struct pool {
	struct mark *m;
	pthread_mutex_t lock;
	pthread_cond_t more, finished;
	struct stack shared;
	struct piece *piece;
	size_t npiece, pieceroom, nextpiece;
	unsigned nworker, hungry, running;
	bool over;            /* no more work: workers end */
	int stop;             /* an enum umdb_code, when != UMDB_OK; atomic */
	uint64_t done, total; /* bytes, for progress; atomic */
};

struct follow {
	struct mark *m;
	struct pool *pool;
	bool main;               /* may call the target */
	bool exact;              /* pointers to the inside are judged */
	bool first;              /* this walk is a buffer's first */
	uint8_t to[MARK_STATES]; /* transitions; MARK_NONE: stays */
	struct stack stack;
	uint64_t ring[RING];
	unsigned ringat, ringn;
	unsigned since; /* buffers since the last look */
	uint64_t bytes; /* scanned since then */
	struct later *later;
	size_t nlater, laterroom;
	uint8_t *bounce; /* PIECE bytes, main only */
	struct leak_stats stats;
	struct inner inner;
	pthread_t thread;
};

/* -------------------------------------------------------------------- work */

static void
pool_stop(struct pool *pool, int rc)
{
	int ok = UMDB_OK;

	__atomic_compare_exchange_n(
	    &pool->stop, &ok, rc, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static bool
pool_stopped(struct pool *pool)
{
	return __atomic_load_n(&pool->stop, __ATOMIC_RELAXED) != UMDB_OK;
}

/* Room for @n more. */
static bool
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

static void
follow_push(struct follow *f, uint64_t id)
{
	if (f->stack.n == f->stack.room && !stack_reserve(&f->stack, 1)) {
		pool_stop(f->pool, UMDB_ENOMEM);
		return;
	}
	f->stack.id[f->stack.n++] = id;
}

static void
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

/* Does a pointer @off into the buffer hold it?  In the live walk. */
static enum inner_answer
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

static void
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
	const uint64_t size = find_mark_size(f->m, s, index);
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

/* All words of [p, p + len); p stands for an aligned address. */
static void
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

/* The same for memory that has to be read; main thread only. */
static void
follow_read(struct follow *f, taddr_t addr, uint64_t len)
{
	uint64_t n, pad = -addr % WORD;

	if (f->bounce == NULL)
		f->bounce = malloc(PIECE);
	if (f->bounce == NULL) {
		pool_stop(f->pool, UMDB_ENOMEM);
		return;
	}
	if (len < pad)
		return;
	for (addr += pad, len -= pad; len >= WORD; addr += n, len -= n) {
		n = len < PIECE ? len / WORD * WORD : PIECE;
		f->stats.unread_bytes +=
		    find_mem_read_pages(f->m->snap->tgt, addr, f->bounce, n);
		follow_words(f, f->bounce, n);
		__atomic_fetch_add(&f->pool->done, n, __ATOMIC_RELAXED);
		if (target_poll(f->m->snap->tgt, "searching memory",
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
		n = len < PIECE ? len / WORD * WORD : PIECE;
		follow_words(f, p, n);
		if (len > PIECE && pool_stopped(f->pool))
			return;
	}
}

static void
follow_buffer(struct follow *f, uint64_t id)
{
	const struct mark *m = f->m;
	const struct mark_slab *s = &m->slab[ID_SLAB(id)];
	const uint32_t index = ID_INDEX(id);
	const uint64_t size = find_mark_size(m, s, index);
	taddr_t at = s->first + index * s->chunksize, end = at + size;
	const struct ranges *dead = &m->roots.dead;
	size_t i;

	if (s->bytes == NULL && !f->main) {
		follow_later(f, id, 0);
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

/* Now and then: progress, Ctrl-C, the others. */
static void
follow_look(struct follow *f)
{
	struct pool *pool = f->pool;

	__atomic_fetch_add(&pool->done, f->bytes, __ATOMIC_RELAXED);
	f->bytes = 0;
	if (f->main &&
	    target_poll(f->m->snap->tgt, "searching memory",
		__atomic_load_n(&pool->done, __ATOMIC_RELAXED), pool->total))
		pool_stop(pool, UMDB_EINTR);
	if (f->stack.n >= SHARE_MIN &&
	    __atomic_load_n(&pool->hungry, __ATOMIC_RELAXED) > 0)
		follow_share(f);
}

/* Scan all that was reached, and what that reaches. */
static void
follow_drain(struct follow *f)
{
	uint64_t id;

	for (;;) {
		while (f->ringn < RING && f->stack.n > 0) {
			id = f->stack.id[--f->stack.n];
			follow_prefetch(f->m, id);
			f->ring[(f->ringat + f->ringn++) % RING] = id;
		}
		if (f->ringn == 0)
			return;
		id = f->ring[f->ringat];
		f->ringat = (f->ringat + 1) % RING;
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

/* ----------------------------------------------------------------- threads */

/* Take something to do; false when there is nothing left.  Lock held. */
static bool
pool_take(struct pool *pool, struct follow *f, struct piece *piece)
{
	struct stack *s = &pool->shared;
	size_t n = s->n / (2 * pool->nworker) + 1;

	piece->len = 0;
	if (s->n > 0) {
		if (!stack_reserve(&f->stack, n)) {
			pool_stop(pool, UMDB_ENOMEM);
			return false;
		}
		s->n -= n;
		memcpy(
		    f->stack.id + f->stack.n, s->id + s->n, n * sizeof(*s->id));
		f->stack.n += n;
		return true;
	}
	if (pool->nextpiece < pool->npiece) {
		*piece = pool->piece[pool->nextpiece++];
		return true;
	}
	return false;
}

static bool
pool_wait(struct pool *pool, struct follow *f, struct piece *piece)
{
	bool got;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		got = !pool->over && !pool_stopped(pool) &&
		      pool_take(pool, f, piece);
		if (got || pool->over || pool_stopped(pool))
			break;
		if (__atomic_add_fetch(&pool->hungry, 1, __ATOMIC_RELAXED) ==
		    pool->nworker) {
			pool->over = true;
			break;
		}
		pthread_cond_wait(&pool->more, &pool->lock);
		if (!pool->over)
			__atomic_sub_fetch(&pool->hungry, 1, __ATOMIC_RELAXED);
	}
	if (!got) {
		pthread_cond_broadcast(&pool->more);
		pool->running--;
		pthread_cond_signal(&pool->finished);
	}
	pthread_mutex_unlock(&pool->lock);
	return got;
}

static void *
follow_work(void *arg)
{
	struct follow *f = arg;
	struct piece piece;

	while (pool_wait(f->pool, f, &piece)) {
		if (piece.len != 0) {
			follow_words(f, piece.bytes, piece.len);
			f->stats.root_words += piece.len / WORD;
			__atomic_fetch_add(
			    &f->pool->done, piece.len, __ATOMIC_RELAXED);
		}
		follow_drain(f);
		if (f->main)
			follow_look(f);
	}
	return NULL;
}

/* Until all workers have ended: progress and Ctrl-C. */
static void
pool_watch(struct pool *pool)
{
	struct target *tgt = pool->m->snap->tgt;
	struct timespec until;

	pthread_mutex_lock(&pool->lock);
	while (pool->running > 0) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 20000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&pool->finished, &pool->lock, &until);
		pthread_mutex_unlock(&pool->lock);
		if (target_poll(tgt, "searching memory",
			__atomic_load_n(&pool->done, __ATOMIC_RELAXED),
			pool->total)) {
			pool_stop(pool, UMDB_EINTR);
			pthread_mutex_lock(&pool->lock);
			pthread_cond_broadcast(&pool->more);
			pthread_mutex_unlock(&pool->lock);
		}
		pthread_mutex_lock(&pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
}

/*
 * Let workers do what lies in the pool; f[1 .. n] are theirs.  Signals are
 * the debugger's: they go to its own threads.  With one worker, or when no
 * thread can be made, main works itself.
 */
static void
pool_run(struct pool *pool, struct follow *f, unsigned n)
{
	sigset_t all, old;
	unsigned i, made = 0;

	pool->over = false;
	pool->hungry = 0;
	if (n > 1) {
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &old);
		pthread_mutex_lock(&pool->lock);
		for (i = 1; i <= n; i++) {
			if (pthread_create(
				&f[i].thread, NULL, follow_work, &f[i]) != 0)
				break;
			made++;
		}
		pool->nworker = pool->running = made;
		pthread_mutex_unlock(&pool->lock);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	if (made == 0) {
		pool->nworker = pool->running = 1;
		follow_work(&f[0]);
	} else {
		pool_watch(pool);
	}
	for (i = 1; i <= made; i++)
		pthread_join(f[i].thread, NULL);
	pool->hungry = 0;
}

/* What the workers could not do. */
static void
pool_finish(struct follow *f, struct follow *from)
{
	struct mark *m = f->m;
	size_t i;

	for (i = 0; i < from->nlater && !pool_stopped(f->pool); i++) {
		const uint64_t id = from->later[i].id;
		const uint64_t off = from->later[i].off;
		const struct mark_slab *s = &m->slab[ID_SLAB(id)];
		const uint32_t index = ID_INDEX(id);

		if (off == 0) {
			follow_buffer(f, id);
		} else if (s->state[index] != MARK_LIVE &&
			   follow_judge(f, s, index, off,
			       find_mark_size(m, s, index)) == INNER_YES) {
			follow_mark(f, s, index, MARK_LIVE);
		}
	}
	from->nlater = 0;
}

/* Move what main reached to the pool. */
static void
pool_give(struct pool *pool, struct follow *f)
{
	if (!stack_reserve(&pool->shared, f->stack.n)) {
		pool_stop(pool, UMDB_ENOMEM);
		return;
	}
	if (f->stack.n > 0)
		memcpy(pool->shared.id + pool->shared.n, f->stack.id,
		    f->stack.n * sizeof(*f->stack.id));
	pool->shared.n += f->stack.n;
	f->stack.n = 0;
}

/* Walk until nothing is left; f[0] is main's. */
static void
follow_all(struct follow *f, unsigned n)
{
	struct pool *pool = f[0].pool;
	unsigned i;

	pool_give(pool, &f[0]);
	while (!pool_stopped(pool) &&
	       (pool->shared.n > 0 || pool->nextpiece < pool->npiece)) {
		pool_run(pool, f, n);
		for (i = 0; i <= n; i++)
			pool_finish(&f[0], &f[i]);
		pool_give(pool, &f[0]);
	}
}

/* ------------------------------------------------------------------- walks */

static void
follow_rules(struct follow *f, unsigned n, bool exact, bool first)
{
	unsigned i;

	for (i = 0; i <= n; i++) {
		f[i].exact = exact;
		f[i].first = first;
		memset(f[i].to, MARK_NONE, sizeof(f[i].to));
	}
}

static void
follow_rule(struct follow *f, unsigned n, uint8_t from, uint8_t to)
{
	unsigned i;

	for (i = 0; i <= n; i++)
		f[i].to[from] = to;
}

/* Cut the roots into pieces; main reads at once what cannot be borrowed. */
static void
live_pieces(struct follow *f)
{
	struct mark *m = f->m;
	struct pool *pool = f->pool;
	struct piece *more;
	taddr_t at, end;
	uint64_t n;
	size_t i;

	for (i = 0; i < m->roots.memory.n && !pool_stopped(pool); i++) {
		at = (m->roots.memory.r[i].start + WORD - 1) & ~(WORD - 1);
		end = m->roots.memory.r[i].end & ~(WORD - 1);
		for (; at < end; at += n) {
			const uint8_t *p;

			n = PIECE - at % PIECE;
			if (n > end - at)
				n = end - at;
			f->stats.root_bytes += n;
			p = find_mem_at(&m->mem, at, n);
			if (p == NULL) {
				f->stats.root_words += n / WORD;
				follow_read(f, at, n);
				if (pool_stopped(pool))
					return;
				continue;
			}
			if (pool->npiece == pool->pieceroom) {
				pool->pieceroom = pool->pieceroom * 2 + 256;
				more = realloc(pool->piece,
				    pool->pieceroom * sizeof(*more));
				if (more == NULL) {
					pool_stop(pool, UMDB_ENOMEM);
					return;
				}
				pool->piece = more;
			}
			pool->piece[pool->npiece++] = (struct piece){p, n};
		}
	}
}

static void
walk_live(struct follow *f, unsigned n)
{
	struct mark *m = f->m;
	size_t i;

	follow_rules(f, n, true, true);
	follow_rule(f, n, MARK_WHITE, MARK_LIVE);
	follow_rule(f, n, MARK_INSIDE, MARK_LIVE);
	for (i = 0; i < m->roots.nvalue; i++)
		if (m->roots.value[i] - m->lo < m->len)
			follow_word(&f[0], m->roots.value[i] - m->lo);
	live_pieces(&f[0]);
	follow_all(f, n);
}

/* Call fn for each candidate in this state. */
static void
each_in_state(struct follow *f, uint8_t state,
    void (*fn)(struct follow *, uint64_t id, void *), void *arg)
{
	const struct mark *m = f->m;
	const struct mark_slab *s;
	size_t i, nslab = m->snap->nslab;
	uint32_t k;

	for (i = 0; i < nslab && !pool_stopped(f->pool); i++) {
		s = &m->slab[i];
		for (k = 0; k < s->nchunk; k++)
			if (s->state[k] == state)
				fn(f, ID(i, k), arg);
	}
}

static void
maybe_push(struct follow *f, uint64_t id, void *arg)
{
	(void)arg;
	f->m->slab[ID_SLAB(id)].state[ID_INDEX(id)] = MARK_MAYBE;
	follow_push(f, id);
}

static void
walk_maybe(struct follow *f, unsigned n)
{
	follow_rules(f, n, false, true);
	follow_rule(f, n, MARK_WHITE, MARK_MAYBE);
	each_in_state(&f[0], MARK_INSIDE, maybe_push, NULL);
	follow_all(f, n);
}

static void
seen_start(struct follow *f, uint64_t id, void *arg)
{
	struct stack *starts = arg;

	if (!stack_reserve(starts, 1)) {
		pool_stop(f->pool, UMDB_ENOMEM);
		return;
	}
	starts->id[starts->n++] = id;
	f->m->slab[ID_SLAB(id)].state[ID_INDEX(id)] = MARK_SEEN;
	follow_push(f, id);
	follow_drain(f);
}

static void
walk_lost(struct follow *f)
{
	struct stack starts = {0};
	uint8_t *state;

	follow_rules(f, 0, false, true);
	follow_rule(f, 0, MARK_WHITE, MARK_SEEN);
	each_in_state(f, MARK_WHITE, seen_start, &starts);
	follow_rules(f, 0, false, false);
	follow_rule(f, 0, MARK_SEEN, MARK_LOST);
	while (starts.n > 0 && !pool_stopped(f->pool)) {
		const uint64_t id = starts.id[--starts.n];

		state = &f->m->slab[ID_SLAB(id)].state[ID_INDEX(id)];
		if (*state != MARK_SEEN)
			continue;
		*state = MARK_HEAD;
		follow_push(f, id);
		follow_drain(f);
	}
	free(starts.id);
}

/* ---------------------------------------------------------------- the whole */

/* Threads that are worth making. */
static unsigned
worker_count(const struct mark *m, uint64_t total)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (m->workers != 0)
		return m->workers < WORKERS_MAX ? m->workers : WORKERS_MAX;
	if (m->mem.next == 0 || total < WORK_MIN || cpus < 2)
		return 1;
	return cpus < (long)WORKERS_MAX ? (unsigned)cpus : WORKERS_MAX;
}

static void
follow_sum(struct leak_stats *to, const struct leak_stats *s)
{
	to->candidate_bytes += s->candidate_bytes;
	to->root_words += s->root_words;
	to->root_bytes += s->root_bytes;
	to->heap_words += s->heap_words;
	to->hits += s->hits;
	to->unread_bytes += s->unread_bytes;
}

static void
follow_init(struct follow *f, struct mark *m, struct pool *pool, bool main)
{
	f->m = m;
	f->pool = pool;
	f->main = main;
	f->inner.mem = &m->mem;
	f->inner.tgt = main ? m->snap->tgt : NULL;
}

int
find_mark_run(struct mark *m)
{
	struct pool pool = {.m = m};
	struct follow *f;
	unsigned n, i;
	size_t k;

	for (k = 0; k < m->roots.memory.n; k++)
		pool.total +=
		    m->roots.memory.r[k].end - m->roots.memory.r[k].start;
	for (k = 0; k < m->snap->nslab; k++)
		if (m->slab[k].nchunk != 0)
			pool.total += m->snap->slab[k].size;
	n = worker_count(m, pool.total);
	f = calloc(n + 1, sizeof(*f));
	if (f == NULL)
		return target_fail(
		    m->snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	pthread_mutex_init(&pool.lock, NULL);
	pthread_cond_init(&pool.more, NULL);
	pthread_cond_init(&pool.finished, NULL);
	for (i = 0; i <= n; i++)
		follow_init(&f[i], m, &pool, i == 0);
	if (m->len > 0) {
		walk_live(f, n);
		walk_maybe(f, n);
		walk_lost(f);
	}
	for (i = 0; i <= n; i++) {
		follow_sum(&m->stats, &f[i].stats);
		free(f[i].stack.id);
		free(f[i].later);
		free(f[i].bounce);
	}
	free(f);
	free(pool.shared.id);
	free(pool.piece);
	pthread_cond_destroy(&pool.finished);
	pthread_cond_destroy(&pool.more);
	pthread_mutex_destroy(&pool.lock);
	if (pool.stop == UMDB_ENOMEM)
		return target_fail(
		    m->snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	return pool.stop;
}
