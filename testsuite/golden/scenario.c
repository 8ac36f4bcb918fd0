/* SPDX-License-Identifier: MIT */
/*
 * scenario.c - a process whose every allocation is known
 *
 * The golden tests read it as a core, live and through gdbserver.  Each kind
 * of thing comes from a function of its own, so that its name stands in the
 * output.  Buffers are of sizes that libc does not ask for.
 *
 * Argument: "healthy", "damaged" (writes past ends, after a free and over what
 * the library keeps, then goes on), "abort" (frees twice, which the library
 * finds), "clean" (nothing lost), or "run" (waits).  Where it stops it can be
 * continued: it allocates and frees once more, when damaged what is damaged.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vmem.h>
#include <umem.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
#define POOL 40

struct node {
	struct node *next;
	char data[40];
};

void *volatile kept[16]; /* roots */
char *volatile inside;   /* points into the middle of a buffer */
umem_cache_t *session_cache;
vmem_t *id_arena;
static void *volatile sink;

/* So that no stale copy of a pointer stays on the stack. */
static void NOINLINE
wipe_stack(void)
{
	volatile char pad[16384];
	size_t i;

	for (i = 0; i < sizeof(pad); i++)
		pad[i] = 0;
	sink = (void *)(uintptr_t)pad[0];
}

static void NOINLINE
keep_some(void)
{
	int i;

	for (i = 0; i < 5; i++)
		kept[i] = calloc(1, 1000);
}

/* A list that is kept: its head owns the rest. */
static void NOINLINE
keep_list(void)
{
	struct node *n;
	int i;

	for (i = 0; i < 3; i++) {
		n = calloc(1, sizeof(*n));
		if (n == NULL)
			abort();
		n->next = kept[5];
		kept[5] = n;
	}
}

/* Three of one size, from one place: a group. */
static void NOINLINE
lose_direct(void)
{
	int i;

	for (i = 0; i < 3; i++)
		sink = calloc(1, 200);
	sink = NULL;
}

/* A list whose head is lost: the head is definite, the rest indirect. */
static void NOINLINE
lose_list(void)
{
	struct node *head = NULL, *n;
	int i;

	for (i = 0; i < 4; i++) {
		n = calloc(1, sizeof(*n));
		if (n == NULL)
			abort();
		n->next = head;
		head = n;
	}
	sink = head;
	sink = NULL;
}

/* Only a pointer into its middle is left. */
static void NOINLINE
lose_possibly(void)
{
	char *p = calloc(1, 700);

	inside = p + 300;
}

static int
session_construct(void *buf, void *arg, int flags)
{
	(void)arg;
	(void)flags;
	memset(buf, 0, 376);
	return 0;
}

/* Two objects: one kept, one lost. */
static void NOINLINE
open_sessions(void)
{
	session_cache = umem_cache_create("session_cache", 376, 0,
	    session_construct, NULL, NULL, NULL, NULL, 0);
	if (session_cache == NULL)
		abort();
	kept[8] = umem_cache_alloc(session_cache, UMEM_DEFAULT);
	sink = umem_cache_alloc(session_cache, UMEM_DEFAULT);
	sink = NULL;
}

/* Above every cache: a segment of its own. */
static void NOINLINE
lose_large(void)
{
	sink = calloc(1, 300000);
	sink = NULL;
}

/* More than a thread keeps for itself: the rest goes to the depot. */
static void NOINLINE
use_depot(void)
{
	umem_cache_t *cache = umem_cache_create(
	    "pool_cache", 3000, 0, NULL, NULL, NULL, NULL, NULL, 0);
	void *buf[POOL];
	int i;

	if (cache == NULL)
		abort();
	for (i = 0; i < POOL; i++)
		buf[i] = umem_cache_alloc(cache, UMEM_DEFAULT);
	for (i = 0; i < POOL; i++)
		umem_cache_free(cache, buf[i]);
}

static void NOINLINE
use_arena(void)
{
	id_arena = vmem_create("id_space", (void *)(uintptr_t)1, 1000, 1, NULL,
	    NULL, NULL, 0, VM_NOSLEEP);
	if (id_arena == NULL)
		abort();
	sink = vmem_alloc(id_arena, 10, VM_NOSLEEP);
	sink = vmem_alloc(id_arena, 20, VM_NOSLEEP);
	sink = NULL;
}

static void NOINLINE
free_one(void)
{
	char *p = malloc(500);

	if (p == NULL)
		abort();
	memset(p, 'x', 500);
	kept[9] = p; /* a stale pointer, as after a mistake */
	free(p);
}

/* An allocation that fails, for that log. */
static void NOINLINE
fail_one(void)
{
	sink = umem_alloc((size_t)1 << 50, UMEM_DEFAULT);
}

static void NOINLINE
write_past_end(void)
{
	char *p = malloc(90);

	if (p == NULL)
		abort();
	memset(p, 0, 90);
	kept[10] = p;
	*(volatile char *)(p + 90) = 'X';
}

static void NOINLINE
write_after_free(void)
{
	char *p = malloc(140);

	if (p == NULL)
		abort();
	kept[11] = p;
	free(p);
	*(volatile char *)((char *)kept[11] + 16) = 'Y';
}

/* Over the red zone and the tag behind it. */
static void NOINLINE
write_far_past_end(void)
{
	char *p = malloc(110);

	if (p == NULL)
		abort();
	kept[13] = p;
	memset((char *)kept[13] + 110, 'Z', 34);
}

/* What stands behind a buffer: see umem_buftag_t in umem_layout.h. */
static uint64_t *
record_of(void *p, size_t bufsize)
{
	uint64_t *tag = (uint64_t *)(void *)((char *)p + bufsize);

	return (uint64_t *)(uintptr_t)tag[1];
}

/* A wild pointer hits the record of a buffer: its address is another. */
static void NOINLINE
write_over_record(void)
{
	kept[14] = malloc(190);
	if (kept[14] == NULL)
		abort();
	record_of(kept[14], 192)[0] = 0x4141414141414141;
}

/* ... and a slab: it has no size of a buffer, and no next slab, any more. */
static void NOINLINE
write_over_slab(void)
{
	umem_cache_t *cache = umem_cache_create(
	    "broken_cache", 400, 0, NULL, NULL, NULL, NULL, NULL, 0);
	uint64_t *slab;

	if (cache == NULL)
		abort();
	kept[15] = umem_cache_alloc(cache, UMEM_DEFAULT);
	slab = (uint64_t *)(uintptr_t)record_of(kept[15], 400)[1];
	slab[3] = slab[8] = 0x4242424242424240;
}

static void NOINLINE
free_twice(void)
{
	void *p = malloc(270);

	kept[12] = p;
	free(p);
	free(kept[12]);
}

static void NOINLINE
stop_here(void)
{
	raise(SIGABRT);
}

static void NOINLINE
go_on(bool damaged)
{
	char *p = malloc(333);

	free(damaged ? kept[10] : p);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "healthy";

	keep_some();
	free_one();
	use_arena();
	if (strcmp(what, "clean") != 0) {
		keep_list();
		use_depot();
		lose_direct();
		lose_list();
		lose_possibly();
		open_sessions();
		lose_large();
		fail_one();
	}
	if (strcmp(what, "damaged") == 0) {
		write_past_end();
		write_after_free();
		write_far_past_end();
		write_over_record();
		write_over_slab();
	}
	if (strcmp(what, "abort") == 0)
		free_twice();
	wipe_stack();
	if (strcmp(what, "run") == 0)
		for (;;)
			pause();
	stop_here();
	go_on(strcmp(what, "damaged") == 0);
	return 0;
}
