/* SPDX-License-Identifier: MIT */
/*
 * leakbench.c -- leak-detection test bed with a known ground truth.
 *
 * Builds a heap of N live blocks held in linked structures (lists, binary
 * trees, hash chains and pointer vectors rooted in globals), plus L leaked
 * blocks made at distinct call sites, some direct (nothing points at them),
 * some indirect (only a directly leaked block points at them), some cyclic
 * (A->B->A, nothing outside points in).  Leaks are interleaved with the live
 * blocks at pseudo-random places that the seed fixes.
 *
 * The ground truth is written as JSON.  Addresses of leaked blocks are kept
 * in the process only in disguise (bitwise complement) and go to the file
 * before the end, so that a conservative scanner does not see them; stack
 * frames and registers which held them are overwritten.
 *
 * Make:
 *     gcc -g -O1 -fno-omit-frame-pointer -fno-inline -o leakbench leakbench.c
 *   (for LeakSanitizer add -fsanitize=leak or -fsanitize=address)
 *
 * Run:
 *     leakbench [-n N] [-l L] [-s SEED] [-t truth.json] [-p] [-m MODE]
 *                 [-k NT] [-x MIX]
 *       -n  live small blocks          (default 10000)
 *       -l  leaked roots (each root becomes a direct, indirect-pair or
 *           cycle group by turns)      (default 60)
 *       -s  seed                       (default 1)
 *       -t  ground truth file          (default: stdout)
 *       -m  exit  : return from main (LSan, valgrind, heaptrack report at exit)
 *           abort : SIGABRT (core by ulimit -c)
 *           pause : print "ready <pid>" and wait for SIGTERM (gcore, attach)
 *       -k  churn: also allocate and free this many temporary blocks, so that
 *           free lists are not empty and stale pointers lie about (default N/4)
 *       -x  structure mix, a mask: 1 doubly linked list, 2 binary tree,
 *           4 hash chains, 8 pointer vectors (default 15, a quarter each)
 *
 * Exit status 0; ground truth counts: direct, indirect (incl. cycle members).
 */
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* -------------------------------------------------------------- random */
static uint64_t rng_state;

static uint64_t
rnd(void)
{
	uint64_t z = (rng_state += 0x9e3779b97f4a7c15ULL);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31));
}

/* --------------------------------------------------------- live structures */
struct lnode {
	struct lnode *next, *prev;
	uint64_t key, pad[2];
};
struct tnode {
	struct tnode *l, *r;
	uint64_t key;
	char name[8];
};
struct hnode {
	struct hnode *next;
	uint64_t key;
	void *payload;
};
struct chunk {
	struct chunk *next;
	uint64_t used;
	void *slot[62];
};

#define NHASH 65536
static struct lnode *g_list;
static struct lnode *g_tail;
static struct tnode *g_tree;
static struct hnode *g_hash[NHASH];
static struct chunk *g_chunks;

static size_t live_blocks, live_bytes;

static void *
live_alloc(size_t n)
{
	void *p = malloc(n);

	if (p == NULL) {
		perror("malloc");
		exit(2);
	}
	live_blocks++;
	live_bytes += n;
	return (p);
}

static void
live_list(void)
{
	struct lnode *x = live_alloc(sizeof(*x));

	memset(x, 0, sizeof(*x));
	x->key = rnd() & 0xffff;
	x->prev = g_tail;
	if (g_tail != NULL)
		g_tail->next = x;
	else
		g_list = x;
	g_tail = x;
}

static void
live_tree(void)
{
	struct tnode *x = live_alloc(sizeof(*x)), **pp = &g_tree;

	memset(x, 0, sizeof(*x));
	x->key = rnd() >> 32;
	while (*pp != NULL)
		pp = x->key < (*pp)->key ? &(*pp)->l : &(*pp)->r;
	*pp = x;
}

static void
live_hash(void)
{
	struct hnode *x = live_alloc(sizeof(*x));
	size_t h = rnd() & (NHASH - 1);

	x->key = h;
	x->payload = NULL;
	x->next = g_hash[h];
	g_hash[h] = x;
}

/* a block of 16..256 bytes held by a pointer vector */
static void
live_vec(void)
{
	size_t n = 16 + (rnd() % 16) * 16;
	char *p;

	if (g_chunks == NULL || g_chunks->used == 62) {
		struct chunk *c = live_alloc(sizeof(*c));
		memset(c, 0, sizeof(*c));
		c->next = g_chunks;
		g_chunks = c;
	}
	p = live_alloc(n);
	memset(p, 'x', n);
	g_chunks->slot[g_chunks->used++] = p;
}

static unsigned mix = 15;

static void
live_one(void)
{
	unsigned k;

	do
		k = (unsigned)(rnd() & 3);
	while ((mix & (1u << k)) == 0);
	switch (k) {
	case 0:
		live_list();
		break;
	case 1:
		live_tree();
		break;
	case 2:
		live_hash();
		break;
	default:
		live_vec();
		break;
	}
}

/* ------------------------------------------------------------ leak sites */
struct truth {
	uint64_t hidden; /* ~address */
	uint32_t size;
	uint16_t site;
	uint16_t kind; /* 0 direct, 1 indirect, 2 cycle */
};

static struct truth *truth;
static size_t ntruth, captruth;

static void
note(void *p, size_t size, int site, int kind)
{
	if (ntruth == captruth)
		abort();
	truth[ntruth].hidden = ~(uint64_t)(uintptr_t)p;
	truth[ntruth].size = (uint32_t)size;
	truth[ntruth].site = (uint16_t)site;
	truth[ntruth].kind = (uint16_t)kind;
	ntruth++;
}

struct lk {
	struct lk *child;
	uint64_t a, b, c;
};

static struct lk *
mk(size_t n)
{
	struct lk *x = malloc(n);

	if (x == NULL)
		exit(2);
	memset(x, 0, n);
	return (x);
}

/*
 * Six direct sites, six direct-with-one-child sites, and four cycle sites,
 * each a function of its own so that its name is in the stack.
 */
#define DIRECT(i, sz)                                                 \
	__attribute__((noinline, noclone)) void leak_direct_##i(void) \
	{                                                             \
		struct lk *x = mk(sz);                                \
		x->a = i;                                             \
		note(x, sz, i, 0);                                    \
	}
#define PAIR(i, sz, csz)                                            \
	__attribute__((noinline, noclone)) void leak_pair_##i(void) \
	{                                                           \
		struct lk *x = mk(sz);                              \
		note(x, sz, 6 + i, 0);                              \
		x->child = mk(csz);                                 \
		note(x->child, csz, 6 + i, 1);                      \
	}
#define CYCLE(i, sz)                                                 \
	__attribute__((noinline, noclone)) void leak_cycle_##i(void) \
	{                                                            \
		struct lk *x = mk(sz);                               \
		struct lk *y = mk(sz);                               \
		x->child = y;                                        \
		y->child = x;                                        \
		note(x, sz, 12 + i, 2);                              \
		note(y, sz, 12 + i, 2);                              \
	}

/* clang-format off */
DIRECT(0, 32)
DIRECT(1, 48)
DIRECT(2, 64)
DIRECT(3, 100)
DIRECT(4, 200)
DIRECT(5, 1000)
PAIR(0, 40, 56)
PAIR(1, 56, 72)
PAIR(2, 72, 88)
PAIR(3, 88, 104)
PAIR(4, 104, 120)
PAIR(5, 120, 300)
CYCLE(0, 64)
CYCLE(1, 96)
CYCLE(2, 128)
CYCLE(3, 160)
/* clang-format on */

static void (*const site_fn[16])(void) = {
    leak_direct_0,
    leak_direct_1,
    leak_direct_2,
    leak_direct_3,
    leak_direct_4,
    leak_direct_5,
    leak_pair_0,
    leak_pair_1,
    leak_pair_2,
    leak_pair_3,
    leak_pair_4,
    leak_pair_5,
    leak_cycle_0,
    leak_cycle_1,
    leak_cycle_2,
    leak_cycle_3,
};
static const char *const site_name[16] = {
    "leak_direct_0",
    "leak_direct_1",
    "leak_direct_2",
    "leak_direct_3",
    "leak_direct_4",
    "leak_direct_5",
    "leak_pair_0",
    "leak_pair_1",
    "leak_pair_2",
    "leak_pair_3",
    "leak_pair_4",
    "leak_pair_5",
    "leak_cycle_0",
    "leak_cycle_1",
    "leak_cycle_2",
    "leak_cycle_3",
};
static const char *const kind_name[3] = {"direct", "indirect", "cycle"};

/* overwrite the dead part of the stack */
__attribute__((noinline, noclone)) static int
scrub(void)
{
	volatile char buf[65536];

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = 0;
	return (buf[17]);
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: leakbench [-n live] [-l leaks] [-s seed] "
	    "[-t truth.json] [-m exit|abort|pause] [-k churn] [-x mix]\n");
	exit(1);
}

static void
build(size_t n, size_t l, size_t churn)
{
	size_t done = 0, every = l ? n / l : 0, made = 0;
	void **tmp = churn ? malloc(1024 * sizeof(void *)) : NULL;

	if (every == 0)
		every = 1;
	while (live_blocks < n) {
		live_one();
		done++;
		if (made < l && done % every == 0) {
			site_fn[made % 16]();
			made++;
		}
		if (churn && done % 4096 == 0) {
			size_t k = churn / (n / 4096 + 1);
			if (k > 1024)
				k = 1024;
			for (size_t i = 0; i < k; i++)
				tmp[i] = malloc(24 + (rnd() % 12) * 16);
			for (size_t i = 0; i < k; i++)
				free(tmp[i]);
			memset(tmp, 0, 1024 * sizeof(void *));
		}
	}
	while (made < l) {
		site_fn[made % 16]();
		made++;
	}
	free(tmp);
}

static void
write_truth(const char *path)
{
	FILE *f = path ? fopen(path, "w") : stdout;
	size_t cnt[3] = {0, 0, 0}, bytes = 0;

	if (f == NULL) {
		perror(path);
		exit(2);
	}
	fprintf(f,
	    "{\n \"pid\": %d,\n \"live_blocks\": %zu,\n"
	    " \"live_bytes\": %zu,\n \"leaks\": [\n",
	    (int)getpid(), live_blocks, live_bytes);
	for (size_t i = 0; i < ntruth; i++) {
		struct truth *t = &truth[i];
		cnt[t->kind]++;
		bytes += t->size;
		/* printed in two halves: no whole address in stdio's frame */
		fprintf(f,
		    "  {\"addr\": \"0x%x%08x\", \"size\": %u, "
		    "\"site\": \"%s\", \"kind\": \"%s\"}%s\n",
		    (uint32_t)(~t->hidden >> 32), (uint32_t)~t->hidden, t->size,
		    site_name[t->site], kind_name[t->kind],
		    i + 1 < ntruth ? "," : "");
	}
	fprintf(f,
	    " ],\n \"leaked_blocks\": %zu, \"leaked_bytes\": %zu,\n"
	    " \"direct\": %zu, \"indirect\": %zu, \"cycle\": %zu\n}\n",
	    ntruth, bytes, cnt[0], cnt[1], cnt[2]);
	if (path)
		fclose(f);
	else
		fflush(f);
}

int
main(int argc, char **argv)
{
	size_t n = 10000, l = 60, churn = (size_t)-1;
	const char *tf = NULL, *mode = "exit";
	int c;
	struct timespec t0, t1;

	rng_state = 1;
	while ((c = getopt(argc, argv, "n:l:s:t:m:k:x:")) != -1) {
		switch (c) {
		case 'n':
			n = strtoull(optarg, NULL, 0);
			break;
		case 'l':
			l = strtoull(optarg, NULL, 0);
			break;
		case 's':
			rng_state = strtoull(optarg, NULL, 0);
			break;
		case 't':
			tf = optarg;
			break;
		case 'm':
			mode = optarg;
			break;
		case 'x':
			mix = (unsigned)strtoul(optarg, NULL, 0) & 15;
			if (mix == 0)
				usage();
			break;
		case 'k':
			churn = strtoull(optarg, NULL, 0);
			break;
		default:
			usage();
		}
	}
	if (churn == (size_t)-1)
		churn = n / 4;
	captruth = l * 2 + 1;
	truth = calloc(captruth, sizeof(*truth)); /* itself live: global */
	clock_gettime(CLOCK_MONOTONIC, &t0);
	build(n, l, churn);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	write_truth(tf);
	fprintf(stderr, "leakbench: %zu live, %zu leaked, built in %.3f s\n",
	    live_blocks, ntruth,
	    (double)(t1.tv_sec - t0.tv_sec) +
		(double)(t1.tv_nsec - t0.tv_nsec) / 1e9);
	(void)scrub();
	if (strcmp(mode, "abort") == 0) {
		abort();
	} else if (strcmp(mode, "pause") == 0) {
		printf("ready %d\n", (int)getpid());
		fflush(stdout);
		for (;;)
			pause();
	}
	return (0);
}
