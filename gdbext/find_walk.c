/* SPDX-License-Identifier: MIT */
/*
 * find_walk.c - walks over all buffers, by several threads
 *
 * Buffers are walked four times, with other transitions of their marks:
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
 * Layer: see find_follow.h.
 */
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "find_follow.h"
#include "find_scan.h"

#define WORD sizeof(uint64_t)
#define WORKERS_MAX 16u
#define WORK_MIN (8u << 20) /* bytes below which threads are not worth it */

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
	if (!got)
		pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	return got;
}

static void
pool_leave(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	pthread_cond_signal(&pool->finished);
	pthread_mutex_unlock(&pool->lock);
}

static void *
follow_work(void *arg)
{
	struct follow *f = arg;
	struct piece piece;

	while (pool_wait(f->pool, f, &piece)) {
		if (piece.len != 0) {
			follow_lent(f, piece.bytes, piece.len);
			f->stats.root_words += piece.len / WORD;
			__atomic_fetch_add(
			    &f->pool->done, piece.len, __ATOMIC_RELAXED);
		}
		follow_drain(f);
		if (f->main)
			follow_look(f);
	}
	pool_leave(f->pool);
	return NULL;
}

/* Without room for its tables buffers are read where they are. */
static void *
gather_work(void *arg)
{
	struct follow *f = arg;
	struct pool *pool = f->pool;
	struct gather_work *w = &f->gather;
	uint64_t bytes;

	if (gather_work_init(w, &pool->gather, f->m, &f->stats) == UMDB_OK)
		while (!pool_stopped(pool) && gather_some(w, &bytes)) {
			__atomic_fetch_add(
			    &pool->done, bytes, __ATOMIC_RELAXED);
			if (f->main)
				follow_look(f);
		}
	gather_work_fini(w);
	pool_leave(pool);
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
		if (target_poll_bytes(tgt, "searching memory",
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
 * Let workers do their work; f[1 .. n] are theirs.  Signals are
 * the debugger's: they go to its own threads.  With one worker, or when no
 * thread can be made, main works itself.
 */
static void
pool_run(struct pool *pool, struct follow *f, unsigned n, void *(*work)(void *))
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
			if (pthread_create(&f[i].thread, NULL, work, &f[i]) !=
			    0)
				break;
			made++;
		}
		pool->nworker = pool->running = made;
		pthread_mutex_unlock(&pool->lock);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	if (made == 0) {
		pool->nworker = pool->running = 1;
		work(&f[0]);
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
		const uint64_t node = from->later[i].node;
		const uint64_t off = from->later[i].off;
		uint32_t index;
		const struct mark_slab *s =
		    &m->slab[find_scan_slab(m->snap, (uint32_t)node, &index)];

		if (off == 0) {
			follow_buffer(f, node);
		} else if (s->state[index] != MARK_LIVE &&
			   follow_judge(f, s, index, off,
			       find_mark_size(s, index)) == INNER_YES) {
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
		pool_run(pool, f, n, follow_work);
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

			n = FOLLOW_PIECE - at % FOLLOW_PIECE;
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
		follow_value(&f[0], m->roots.value[i]);
	live_pieces(&f[0]);
	follow_all(f, n);
}

/* Call fn for each candidate in this state. */
static void
each_in_state(struct follow *f, uint8_t state,
    void (*fn)(struct follow *, uint64_t node, void *), void *arg)
{
	const struct mark *m = f->m;
	const struct mark_slab *s;
	size_t i, nslab = m->snap->nslab;
	uint32_t k;

	for (i = 0; i < nslab && !pool_stopped(f->pool); i++) {
		s = &m->slab[i];
		for (k = 0; k < s->nchunk; k++)
			if (s->state[k] == state)
				fn(f, m->snap->slab[i].buf + k, arg);
		if (target_poll_bytes(m->snap->tgt, "searching memory",
			f->pool->done, f->pool->total))
			pool_stop(f->pool, UMDB_EINTR);
	}
}

static void
maybe_push(struct follow *f, uint64_t node, void *arg)
{
	(void)arg;
	f->m->state[node] = MARK_MAYBE;
	follow_push(f, node | FOLLOW_MARKED);
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
seen_start(struct follow *f, uint64_t node, void *arg)
{
	struct stack *starts = arg;

	if (!stack_reserve(starts, 1)) {
		pool_stop(f->pool, UMDB_ENOMEM);
		return;
	}
	starts->id[starts->n++] = node;
	f->m->state[node] = MARK_SEEN;
	follow_push(f, node | FOLLOW_MARKED);
	follow_drain(f);
}

static void
walk_lost(struct follow *f)
{
	struct stack starts = {0};

	follow_rules(f, 0, false, true);
	follow_rule(f, 0, MARK_WHITE, MARK_SEEN);
	each_in_state(f, MARK_WHITE, seen_start, &starts);
	follow_rules(f, 0, false, false);
	follow_rule(f, 0, MARK_SEEN, MARK_LOST);
	if (starts.n > 0)
		f->owner = calloc(f->m->snap->nbuf + 1, sizeof(*f->owner));
	if (starts.n > 0 && f->owner == NULL)
		pool_stop(f->pool, UMDB_ENOMEM);
	f->m->owner = f->owner;
	while (starts.n > 0 && !pool_stopped(f->pool)) {
		const uint64_t node = starts.id[--starts.n];

		if (f->m->state[node] != MARK_SEEN)
			continue;
		f->m->state[node] = MARK_HEAD;
		f->head = ++f->m->nhead;
		follow_push(f, node | FOLLOW_MARKED);
		follow_drain(f);
	}
	f->owner = NULL;
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
	if (target_poll_bytes(m->snap->tgt, "searching memory", 0, pool.total))
		return UMDB_EINTR;
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
		if (gather_init(&pool.gather, m) == UMDB_OK)
			pool_run(&pool, f, n, gather_work);
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
	gather_fini(&pool.gather);
	free(pool.shared.id);
	free(pool.piece);
	pthread_cond_destroy(&pool.finished);
	pthread_cond_destroy(&pool.more);
	pthread_mutex_destroy(&pool.lock);
	target_plan_end(m->snap->tgt);
	if (pool.stop == UMDB_ENOMEM)
		return target_fail(
		    m->snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	return pool.stop;
}
