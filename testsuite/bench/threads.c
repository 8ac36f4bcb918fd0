/* SPDX-License-Identifier: MIT */
/*
 * threads.c - where threads meet in the allocator
 *
 * Usage: threads WORKLOAD THREADS [SCALE]
 *
 *	handover   producers fill batches, consumers free them (THREADS of each)
 *	server     each thread replaces random blocks of a session, then hands
 *		   the session to a thread that it starts and ends (as a server
 *		   does whose connections outlive their threads)
 *	sizes	   random sizes 8..16000, a tenth of them freed by a neighbour
 *	mixed	   mostly small, some kept for long, some exchanged with
 *		   whichever thread comes by
 *	large	   blocks of 5..25 MB, written to from end to end
 *
 * The work is fixed, so that time is what differs; prints the seconds.
 */
#include <pthread.h>
#include <string.h>

#include "bench.h"

enum { MAX_THREADS = 256 };

static int nthreads;
static long scale = 100;

static void
run_threads(int n, void *(*fn)(void *))
{
	pthread_t t[2 * MAX_THREADS];
	int i;

	for (i = 0; i < n; i++) {
		if (pthread_create(&t[i], NULL, fn, (void *)(uintptr_t)i) != 0)
			die("pthread_create");
	}
	for (i = 0; i < n; i++)
		pthread_join(t[i], NULL);
}

static uint64_t
seed_of(void *arg)
{
	return 0x9e3779b97f4a7c15u * ((uintptr_t)arg + 1);
}

/* -------------------------------------------------------------- handover */

enum { PER_BATCH = 256, MAX_QUEUE = 64 };

struct batch {
	struct batch *next;
	void *block[PER_BATCH];
};

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t queue_emptied = PTHREAD_COND_INITIALIZER;
static struct batch *queue;
static int queued, producers;

static void
enqueue(struct batch *b)
{
	pthread_mutex_lock(&queue_lock);
	while (queued >= MAX_QUEUE)
		pthread_cond_wait(&queue_emptied, &queue_lock);
	b->next = queue;
	queue = b;
	queued++;
	pthread_cond_signal(&queue_filled);
	pthread_mutex_unlock(&queue_lock);
}

static struct batch *
dequeue(void)
{
	struct batch *b;

	pthread_mutex_lock(&queue_lock);
	while (queue == NULL && producers > 0)
		pthread_cond_wait(&queue_filled, &queue_lock);
	b = queue;
	if (b != NULL) {
		queue = b->next;
		queued--;
		pthread_cond_signal(&queue_emptied);
	}
	pthread_mutex_unlock(&queue_lock);
	return b;
}

static void
produce(void *arg)
{
	uint64_t state = seed_of(arg);
	struct batch *b;
	long n;
	int i;

	for (n = 0; n < scale * 120 / nthreads; n++) {
		b = malloc(sizeof(*b));
		for (i = 0; i < PER_BATCH; i++) {
			b->block[i] = malloc(16 + next_random(&state) % 113);
			touch(b->block[i]);
		}
		enqueue(b);
	}
	pthread_mutex_lock(&queue_lock);
	producers--;
	pthread_cond_broadcast(&queue_filled);
	pthread_mutex_unlock(&queue_lock);
}

static void *
handover(void *arg)
{
	struct batch *b;
	int i;

	if ((uintptr_t)arg % 2 == 0) {
		produce(arg);
		return NULL;
	}
	while ((b = dequeue()) != NULL) {
		for (i = 0; i < PER_BATCH; i++)
			free(b->block[i]);
		free(b);
	}
	return NULL;
}

/* ---------------------------------------------------------------- server */

enum { SESSION = 1000 };

struct session {
	void *block[SESSION];
	uint64_t random;
	long left;
};

static void *
serve(void *arg)
{
	struct session *s = arg;
	pthread_t heir;
	size_t k;
	long i;

	for (i = 0; i < 20000; i++) {
		k = next_random(&s->random) % SESSION;
		free(s->block[k]);
		s->block[k] = malloc(8 + next_random(&s->random) % 993);
		touch(s->block[k]);
	}
	if (--s->left <= 0)
		return NULL;
	if (pthread_create(&heir, NULL, serve, s) != 0)
		die("pthread_create");
	pthread_join(heir, NULL);
	return NULL;
}

static void *
server(void *arg)
{
	struct session *s = calloc(1, sizeof(*s));
	long turns = scale * 2 / nthreads, chain;
	size_t k;

	s->random = seed_of(arg);
	/* an heir is joined by its parent: chains stay short */
	for (; turns > 0; turns -= chain) {
		chain = turns < 10 ? turns : 10;
		s->left = chain;
		serve(s);
	}
	for (k = 0; k < SESSION; k++)
		free(s->block[k]);
	free(s);
	return NULL;
}

/* ----------------------------------------------------------------- sizes */

enum { SLOTS = 2000 };

static void *shelf[MAX_THREADS][64]; /* what the neighbour is to free */

static void *
sizes(void *arg)
{
	uint64_t state = seed_of(arg), r;
	int me = (int)(uintptr_t)arg, next = (me + 1) % nthreads;
	void **slot = calloc(SLOTS, sizeof(*slot)), *p;
	long i;
	int k;

	for (i = 0; i < scale * 20000 / nthreads; i++) {
		r = next_random(&state);
		k = (int)(r % SLOTS);
		p = slot[k];
		if (p != NULL && (r >> 20) % 10 == 0)
			p = __atomic_exchange_n(
			    &shelf[next][(r >> 24) % 64], p, __ATOMIC_ACQ_REL);
		free(p);
		slot[k] = malloc(8 + (r >> 32) % 15993);
		touch(slot[k]);
		if ((r >> 20) % 16 == 0)
			free(__atomic_exchange_n(&shelf[me][(r >> 28) % 64],
			    NULL, __ATOMIC_ACQ_REL));
	}
	for (k = 0; k < SLOTS; k++)
		free(slot[k]);
	free(slot);
	return NULL;
}

/* ----------------------------------------------------------------- mixed */

enum { EXCHANGE = 1024 };

static void *exchange[EXCHANGE];

/* Sizes fall off by powers of two from 8 bytes; one in 10000 is large. */
static size_t
falling_size(uint64_t *state)
{
	uint64_t r = next_random(state);
	unsigned shift = (unsigned)__builtin_ctzll(r | 1u << 10);

	if ((r >> 40) % 10000 == 0)
		return 100000 + (r >> 20) % 400000;
	return ((size_t)16 << shift) + (r >> 30) % ((size_t)16 << shift);
}

static void *
mixed(void *arg)
{
	enum { SHORT = 500, LONG = 5000 };
	uint64_t state = seed_of(arg), r;
	void **brief = calloc(SHORT, sizeof(*brief)), *p;
	void **kept = calloc(LONG, sizeof(*kept));
	long i;

	for (i = 0; i < scale * 40000 / nthreads; i++) {
		p = malloc(falling_size(&state));
		touch(p);
		r = next_random(&state);
		if (r % 100 < 80) {
			free(brief[(r >> 8) % SHORT]);
			brief[(r >> 8) % SHORT] = p;
		} else if (r % 100 < 90) {
			free(kept[(r >> 8) % LONG]);
			kept[(r >> 8) % LONG] = p;
		} else {
			free(__atomic_exchange_n(&exchange[(r >> 8) % EXCHANGE],
			    p, __ATOMIC_ACQ_REL));
		}
	}
	for (i = 0; i < SHORT; i++)
		free(brief[i]);
	for (i = 0; i < LONG; i++)
		free(kept[i]);
	free(brief);
	free(kept);
	return NULL;
}

/* ----------------------------------------------------------------- large */

static void *
large(void *arg)
{
	enum { LIVE = 20 };
	uint64_t state = seed_of(arg);
	char *block[LIVE] = {NULL};
	size_t size;
	long i;

	for (i = 0; i < scale * 3 / nthreads; i++) {
		int k = (int)(next_random(&state) % LIVE);

		size = 5000000 + next_random(&state) % 20000000;
		free(block[k]);
		block[k] = malloc(size);
		memset(block[k], 1, size);
	}
	for (i = 0; i < LIVE; i++)
		free(block[i]);
	return NULL;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void *(*fn)(void *);
		int per_thread;
	} all[] = {{"handover", handover, 2}, {"server", server, 1},
	    {"sizes", sizes, 1}, {"mixed", mixed, 1}, {"large", large, 1}};
	double begin = now_ns();
	size_t i;

	nthreads = argc > 2 ? atoi(argv[2]) : 0;
	if (argc > 3)
		scale = atol(argv[3]);
	if (nthreads < 1 || nthreads > MAX_THREADS || scale < 1)
		die("usage: threads WORKLOAD THREADS [SCALE]");
	producers = nthreads;
	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (strcmp(argv[1], all[i].name) != 0)
			continue;
		run_threads(nthreads * all[i].per_thread, all[i].fn);
		printf("%s %d: %.3f s\n", argv[1], nthreads,
		    (now_ns() - begin) / 1e9);
		return 0;
	}
	die("no such workload");
}
