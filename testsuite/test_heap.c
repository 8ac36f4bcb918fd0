/* SPDX-License-Identifier: MIT */
/*
 * test_heap.c - pages: zeroed or not, kept or given back
 *
 * What the system thinks is resident is asked of mincore(2), for the pages in
 * question only.  Time is an argument of heap_decay(): nothing sleeps.
 */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "init.h"
#include "os.h"
#include "root.h"
#include "suites.h"
#include "util.h"
#include "vmem_impl.h"

#define SEED 900u
#define PAGE 4096ul
#define MIB (1ul << 20)
#define SECOND 1000000000ull
#define SLOTS 256
#define OPERATIONS 20000

static unsigned seed;

static unsigned
rnd(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

/* Resident bytes of [p, p + size). */
static size_t
resident(void *p, size_t size)
{
	unsigned char *map = malloc(size / PAGE);
	size_t n = 0;

	ck_assert_int_eq(mincore(p, size, map), 0);
	for (size_t i = 0; i < size / PAGE; i++)
		n += map[i] & 1;
	free(map);
	return n * PAGE;
}

static int
is_zero(const uint64_t *p, size_t size)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < size / sizeof(*p); i++)
		bits |= p[i];
	return bits == 0;
}

/* A word for each page, of which no two are the same. */
static void
sign(char *p, size_t size, uint64_t name)
{
	for (size_t at = 0; at < size; at += PAGE) {
		uint64_t word = name << 32 | at;

		memcpy(p + at, &word, sizeof(word));
	}
}

static int
is_signed(const char *p, size_t size, uint64_t name)
{
	for (size_t at = 0; at < size; at += PAGE) {
		uint64_t word = name << 32 | at;

		if (memcmp(p + at, &word, sizeof(word)) != 0)
			return 0;
	}
	return 1;
}

static void
check_arenas(void)
{
	vmem_t *vm = umem_root.root_arenas;

	for (; vm != NULL; vm = vm->vm_next) {
		const char *wrong = arena_is_valid(vm);

		ck_assert_msg(wrong == NULL, "%s: %s", vm->vm_name, wrong);
	}
}

static uint64_t
heap_regions(void)
{
	const umem_region_t *rg = umem_root.root_regions;
	uint64_t sum = 0;

	for (; rg != NULL; rg = rg->rg_next)
		if (rg->rg_kind == UMEM_RG_HEAP)
			sum += rg->rg_size;
	return sum;
}

START_TEST(random_pages_keep_their_contents_and_zero_means_zero)
{
	vmem_t *arenas[] = {heap_default, heap_oversize, heap_arena};
	char *p[SLOTS] = {NULL};
	vmem_t *arena[SLOTS];
	size_t size[SLOTS];
	uint64_t now = os_now(), zeroed = 0;

	umem_init();
	seed = SEED + (unsigned)_i;
	for (int i = 0; i < OPERATIONS; i++) {
		unsigned k = rnd(SLOTS);
		size_t align = PAGE << rnd(6);
		int zero = 0;

		if (p[k] != NULL) {
			ck_assert(is_signed(p[k], size[k], k));
			heap_free(arena[k], p[k], size[k]);
			p[k] = NULL;
		} else {
			arena[k] = arenas[rnd(3)];
			size[k] = PAGE * (1 + rnd(rnd(20) == 0 ? 600 : 20));
			p[k] = heap_alloc(arena[k], size[k], align, &zero);
			ck_assert_uint_eq((uintptr_t)p[k] % align, 0);
			zeroed += (uint64_t)zero;
			if (zero)
				ck_assert(is_zero((void *)p[k], size[k]));
			sign(p[k], size[k], k);
		}
		if (i % 50 == 0)
			(void)heap_decay(now += SECOND / 10, 0);
		if (i % 1000 == 0)
			check_arenas();
	}
	ck_assert_uint_gt(zeroed, 0);
	for (unsigned k = 0; k < SLOTS; k++) {
		if (p[k] == NULL)
			continue;
		ck_assert(is_signed(p[k], size[k], k));
		heap_free(arena[k], p[k], size[k]);
	}
	check_arenas();
}
END_TEST

START_TEST(the_tree_of_arenas_adds_up)
{
	vmem_t *top = heap_arena->vm_source;
	uint64_t slabs = heap_default->vm_mem_inuse;
	uint64_t large = heap_oversize->vm_mem_inuse;
	uint64_t all = heap_arena->vm_mem_inuse;
	uint64_t count = heap_default->vm_nalloc;
	void *a, *b;

	umem_init();
	a = heap_alloc(heap_default, 5 * PAGE, PAGE, NULL);
	b = heap_alloc(heap_oversize, 3 * MIB, PAGE, NULL);
	ck_assert_uint_eq(heap_default->vm_mem_inuse, slabs + 5 * PAGE);
	ck_assert_uint_eq(
	    heap_default->vm_mem_total, heap_default->vm_mem_inuse);
	ck_assert_uint_eq(heap_oversize->vm_mem_inuse, large + 3 * MIB);
	ck_assert_uint_eq(heap_arena->vm_mem_inuse, all + 5 * PAGE + 3 * MIB);
	ck_assert_uint_eq(heap_arena->vm_mem_total, top->vm_mem_inuse);
	ck_assert_uint_eq(top->vm_mem_total, heap_regions());
	ck_assert_uint_eq(heap_default->vm_nalloc, count + 1);
	ck_assert_int_eq(vmem_contains(heap_default, a, 5 * PAGE), 1);
	ck_assert_int_eq(vmem_contains(heap_default, b, 1), 0);
	heap_free(heap_default, a, 5 * PAGE);
	heap_free(heap_oversize, b, 3 * MIB);
	ck_assert_int_eq(vmem_contains(heap_default, a, 1), 0);
	ck_assert_uint_eq(heap_arena->vm_mem_inuse, all);
	ck_assert_str_eq(top->vm_name, "mmap_top");
	ck_assert_uint_eq(top->vm_quantum, 64 * 1024);
	ck_assert_uint_eq(heap_default->vm_depth, 2);
	check_arenas();
}
END_TEST

START_TEST(the_generic_calls_work_on_the_heaps_arenas_too)
{
	vmem_alloc_t *afunc;
	vmem_free_t *ffunc;
	vmem_t *heap, *mine;
	char *p, *q;

	umem_init();
	heap = vmem_heap_arena(&afunc, &ffunc);
	ck_assert_ptr_eq(heap, heap_arena);
	mine = vmem_create("mine", NULL, 0, 64, afunc, ffunc, heap, 0, 0);
	p = vmem_alloc(mine, 100000, VM_NOSLEEP);
	memset(p, 1, 100000);
	q = vmem_alloc(heap_default, 3 * PAGE, VM_NOSLEEP);
	memset(q, 2, 3 * PAGE);
	check_arenas();
	heap_free(heap_default, q, 3 * PAGE);
	vmem_free(mine, p, 100000);
	ck_assert_uint_eq(mine->vm_mem_total, 0);
	/* pages from an arena of the client's */
	p = heap_alloc(mine, 2 * PAGE, 4 * PAGE, NULL);
	ck_assert_uint_eq((uintptr_t)p % (4 * PAGE), 0);
	heap_free(mine, p, 2 * PAGE);
	check_arenas();
	vmem_destroy(mine);
}
END_TEST

START_TEST(blocks_shrink_and_grow_in_place)
{
	size_t size = 64 * PAGE;
	char *p;

	umem_init();
	p = heap_alloc(heap_oversize, size, PAGE, NULL);
	sign(p, size, 7);
	ck_assert_int_eq(heap_resize(heap_oversize, p, size, 16 * PAGE), 1);
	check_arenas();
	ck_assert_uint_eq(
	    hash_find(arena_of(heap_oversize), (uintptr_t)p)->vs_end,
	    (uintptr_t)p + 16 * PAGE);
	/* What was cut off is free, so there is room again. */
	ck_assert_int_eq(
	    heap_resize(heap_oversize, p, 16 * PAGE, 40 * PAGE), 1);
	ck_assert(is_signed(p, 16 * PAGE, 7));
	check_arenas();
	ck_assert_int_eq(
	    heap_resize(heap_oversize, p, 40 * PAGE, 1024 * MIB), 0);
	ck_assert_int_eq(
	    heap_resize(heap_oversize, p, 40 * PAGE, 40 * PAGE), 1);
	heap_free(heap_oversize, p, 40 * PAGE);
	check_arenas();
}
END_TEST

START_TEST(a_block_in_use_is_not_grown_into)
{
	char *p, *q;

	umem_init();
	p = heap_alloc(heap_oversize, 2 * PAGE, PAGE, NULL);
	ck_assert_int_eq(heap_resize(heap_oversize, p, 2 * PAGE, PAGE), 1);
	q = heap_alloc(heap_default, PAGE, PAGE, NULL);
	/* The page that was cut off is the best fit. */
	ck_assert_ptr_eq(q, p + PAGE);
	ck_assert_int_eq(heap_resize(heap_oversize, p, PAGE, 2 * PAGE), 0);
	heap_free(heap_default, q, PAGE);
	ck_assert_int_eq(heap_resize(heap_oversize, p, PAGE, 2 * PAGE), 1);
	heap_free(heap_oversize, p, 2 * PAGE);
	check_arenas();
}
END_TEST

START_TEST(a_moved_block_keeps_its_contents_and_leaves_zeros)
{
	size_t old = 3 * MIB, new = 7 * MIB;
	char *p, *q, *r;
	int zero;

	umem_init();
	p = heap_alloc(heap_oversize, old, PAGE, NULL);
	sign(p, old, 3);
	q = heap_move(heap_oversize, p, old, new);
	ck_assert_ptr_nonnull(q);
	ck_assert_ptr_ne(p, q);
	ck_assert(is_signed(q, old, 3));
	ck_assert_uint_eq(resident(p, old), 0);
	memset(q + old, 1, new - old);
	check_arenas();
	/* The old place is as good as new. */
	r = heap_alloc(heap_oversize, old, PAGE, &zero);
	if (zero)
		ck_assert(is_zero((void *)r, old));
	heap_free(heap_oversize, r, old);
	heap_free(heap_oversize, q, new);
	check_arenas();
}
END_TEST

/* Dirty pages are there already: a copy costs less than new ones. */
START_TEST(a_small_block_is_copied_to_dirty_pages)
{
	size_t old = MIB / 2, new = MIB, free = 24 * MIB;
	char *p, *q, *guard, *dirty;

	umem_init();
	p = heap_alloc(heap_oversize, old, PAGE, NULL);
	guard = heap_alloc(heap_oversize, PAGE, PAGE, NULL);
	dirty = heap_alloc(heap_oversize, free, PAGE, NULL);
	memset(dirty, 1, free);
	heap_free(heap_oversize, dirty, free);
	sign(p, old, 3);
	q = heap_move(heap_oversize, p, old, new);
	ck_assert_ptr_nonnull(q);
	ck_assert(q >= dirty && q + new <= dirty + free);
	ck_assert(is_signed(q, old, 3));
	ck_assert_uint_eq(resident(q, new), new);
	ck_assert_uint_eq(resident(p, old), old);
	check_arenas();
	heap_free(heap_oversize, q, new);
	heap_free(heap_oversize, guard, PAGE);
	check_arenas();
}
END_TEST

START_TEST(freed_pages_stay_for_a_second_and_then_go)
{
	size_t size = 4 * MIB;
	uint64_t now = os_now();
	char *p, *guard;

	umem_init();
	p = heap_alloc(heap_oversize, size, PAGE, NULL);
	guard = heap_alloc(heap_oversize, PAGE, PAGE, NULL);
	memset(p, 1, size);
	(void)heap_decay(now += SECOND, 0);
	heap_free(heap_oversize, p, size);
	ck_assert_uint_eq(heap_decay(now + SECOND / 2, 0), 0);
	ck_assert_uint_eq(resident(p, size), size);
	ck_assert_uint_ge(heap_decay(now + 2 * SECOND, 0), size);
	ck_assert_uint_eq(resident(p, size), 0);
	ck_assert_uint_eq(arena_of(heap_arena)->dirty, 0);
	ck_assert_uint_eq(heap_decay(now + 2 * SECOND, 0), 0);
	check_arenas();
	heap_free(heap_oversize, guard, PAGE);
}
END_TEST

START_TEST(traffic_at_the_edge_does_not_keep_a_large_segment_young)
{
	size_t size = 4 * MIB;
	uint64_t now = os_now();
	char *p;

	umem_init();
	p = heap_alloc(heap_oversize, size, PAGE, NULL);
	memset(p, 1, size);
	(void)heap_decay(now += SECOND, 0);
	heap_free(heap_oversize, p, size);
	for (int i = 0; i < 20; i++) {
		char *q = heap_alloc(heap_default, PAGE, PAGE, NULL);

		memset(q, 1, PAGE);
		(void)heap_decay(now += SECOND / 4, 0);
		heap_free(heap_default, q, PAGE);
	}
	ck_assert_uint_le(resident(p, size), 64 * PAGE);
	check_arenas();
}
END_TEST

START_TEST(too_many_free_pages_are_purged_at_once)
{
	size_t size = 48 * MIB;
	char *p;

	umem_init();
	p = heap_alloc(heap_oversize, size, PAGE, NULL);
	memset(p, 1, size);
	ck_assert_uint_eq(resident(p, size), size);
	heap_free(heap_oversize, p, size);
	ck_assert_uint_le(arena_of(heap_arena)->dirty, 32 * MIB);
	ck_assert_uint_le(resident(p, size), 32 * MIB);
	check_arenas();
}
END_TEST

START_TEST(all_free_spans_go_back_when_all_is_asked_for)
{
	uint64_t before;
	void *p[20];

	umem_init();
	(void)heap_decay(0, 1);
	before = heap_regions();
	for (int i = 0; i < 20; i++) {
		p[i] = heap_alloc(heap_default, 3 * MIB, PAGE, NULL);
		memset(p[i], 1, 3 * MIB);
	}
	ck_assert_uint_ge(heap_regions(), before + 50 * MIB);
	for (int i = 0; i < 20; i++)
		heap_free(heap_default, p[i], 3 * MIB);
	(void)heap_decay(0, 1);
	ck_assert_uint_eq(heap_regions(), before);
	ck_assert_uint_eq(heap_arena->vm_source->vm_mem_total, before);
	check_arenas();
}
END_TEST

START_TEST(wholly_free_spans_go_back_after_ten_seconds)
{
	uint64_t now = os_now(), before;
	void *p;

	umem_init();
	(void)heap_decay(0, 1);
	before = heap_regions();
	p = heap_alloc(heap_oversize, 100 * MIB, PAGE, NULL);
	memset(p, 1, 100 * MIB);
	(void)heap_decay(now += SECOND, 0);
	heap_free(heap_oversize, p, 100 * MIB);
	(void)heap_decay(now + 5 * SECOND, 0);
	ck_assert_uint_ge(heap_regions(), before + 100 * MIB);
	(void)heap_decay(now + 16 * SECOND, 0);
	ck_assert_uint_eq(heap_regions(), before);
	check_arenas();
}
END_TEST

/* Free are 4 MiB of dirty pages and, behind them, 60 of clean ones. */
static char *
dirty_then_clean(void)
{
	char *p = heap_alloc(heap_oversize, 64 * MIB, PAGE, NULL);

	ck_assert_int_eq(heap_resize(heap_oversize, p, 64 * MIB, 4 * MIB), 1);
	(void)heap_decay(os_now() + 2 * SECOND, 0);
	memset(p, 1, 4 * MIB);
	heap_free(heap_oversize, p, 4 * MIB);
	return p;
}

/* What neither segment could hold alone is found before more is mapped. */
START_TEST(clean_and_dirty_neighbours_serve_a_request_together)
{
	uint64_t total;
	char *p, *q;
	int zero;

	umem_init();
	p = dirty_then_clean();
	ck_assert_uint_ge(arena_of(heap_arena)->dirty, 4 * MIB);
	ck_assert_uint_lt(arena_of(heap_arena)->dirty, 8 * MIB);
	total = heap_arena->vm_mem_total;
	q = heap_alloc(heap_oversize, 64 * MIB, PAGE, &zero);
	ck_assert_ptr_eq(q, p);
	ck_assert_int_eq(zero, 0);
	ck_assert_uint_eq(heap_arena->vm_mem_total, total);
	heap_free(heap_oversize, q, 64 * MIB);
	check_arenas();
}
END_TEST

/* Pages that are resident are used before others are touched. */
START_TEST(a_request_takes_dirty_pages_and_clean_ones_behind_them)
{
	char *p, *q;
	int zero;

	umem_init();
	p = dirty_then_clean();
	q = heap_alloc(heap_oversize, 9 * MIB, PAGE, &zero);
	ck_assert_ptr_eq(q, p);
	ck_assert_int_eq(zero, 0);
	ck_assert_uint_lt(arena_of(heap_arena)->dirty, MIB);
	ck_assert_uint_eq(resident(q, 9 * MIB), 4 * MIB);
	check_arenas();
	heap_free(heap_oversize, q, 9 * MIB);
	check_arenas();
}
END_TEST

/* ------------------------------------------------------------------- limits */

static size_t
address_space(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%lu", &pages) != 1)
		_exit(90);
	fclose(f);
	return pages * PAGE;
}

static void
live_with_limit(void *arg)
{
	struct rlimit limit;
	void *p[64];
	int n = 0;

	(void)arg;
	umem_init();
	limit.rlim_cur = limit.rlim_max = address_space() + 40 * MIB;
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		_exit(91);
	if (heap_alloc(heap_oversize, 1024 * MIB, PAGE, NULL) != NULL)
		_exit(1);
	if (heap_oversize->vm_nfail != 1)
		_exit(2);
	/* Pieces that would be too large give way to what is needed. */
	while (n < 64 &&
	       (p[n] = heap_alloc(heap_oversize, MIB, PAGE, NULL)) != NULL)
		n++;
	if (n < 30 || n == 64)
		_exit(3);
	while (n > 0)
		heap_free(heap_oversize, p[--n], MIB);
	/* Free spans make room for a larger one. */
	p[0] = heap_alloc(heap_oversize, 30 * MIB, PAGE, NULL);
	if (p[0] == NULL)
		_exit(4);
	memset(p[0], 1, 30 * MIB);
	if (arena_is_valid(heap_arena) != NULL)
		_exit(5);
}

START_TEST(under_a_limit_of_address_space_null_is_the_worst)
{
	struct capture *cap = malloc(sizeof(*cap));

	capture_expect_exit(cap, live_with_limit, NULL, 0, NULL);
	free(cap);
}
END_TEST

static void
free_wrong(void *arg)
{
	char *p;

	umem_init();
	p = heap_alloc(heap_default, 4 * PAGE, PAGE, NULL);
	heap_free(heap_default, p, *(int *)arg ? 8 * PAGE : 4 * PAGE);
	heap_free(heap_default, p, 4 * PAGE);
}

START_TEST(a_wrong_free_of_pages_is_found)
{
	struct capture *cap = malloc(sizeof(*cap));
	int which = 0;

	capture_expect_abort(cap, free_wrong, &which,
	    "to arena 'umem_default': it does not belong to this arena\n");
	which = 1;
	capture_expect_abort(cap, free_wrong, &which,
	    "to arena 'umem_default' with size 32768: it was allocated with "
	    "size 16384\n");
	free(cap);
}
END_TEST

/* ----------------------------------------------------------------- firewall */

START_TEST(firewalled_pages_are_reused_late_and_are_zero)
{
	char *first, *p;
	int zero;

	umem_init();
	first = heap_alloc(heap_firewall, 2 * PAGE, PAGE, &zero);
	ck_assert_int_eq(zero, 1);
	memset(first, 1, 2 * PAGE);
	heap_free(heap_firewall, first, 2 * PAGE);
	for (int i = 0; i < 1000; i++) {
		p = heap_alloc(heap_firewall, 2 * PAGE, PAGE, &zero);
		ck_assert_int_eq(zero, 1);
		ck_assert(is_zero((void *)p, 2 * PAGE));
		ck_assert_ptr_ne(p, first);
		memset(p, 1, 2 * PAGE);
		heap_free(heap_firewall, p, 2 * PAGE);
	}
	check_arenas();
}
END_TEST

START_TEST(a_freed_firewalled_page_faults)
{
	int status;
	pid_t pid;

	umem_init();
	pid = fork();
	if (pid == 0) {
		struct rlimit none = {0, 0};
		volatile char *p;

		(void)signal(SIGSEGV, SIG_DFL);
		(void)setrlimit(RLIMIT_CORE, &none);
		p = heap_alloc(heap_firewall, PAGE, PAGE, NULL);
		p[0] = 1;
		heap_free(heap_firewall, (char *)(uintptr_t)p, PAGE);
		p[0] = 2;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
#endif
}
END_TEST

#if !defined(__SANITIZE_THREAD__) /* which wants mappings of its own */
/* Use up the mappings that the system allows the process. */
static void
use_up_mappings(void)
{
	size_t most = 3000000;
	char *p = os_map(most * PAGE, PAGE);

	if (p == NULL)
		_exit(92);
	for (size_t i = 0; i < most; i += 2)
		if (os_protect(p + i * PAGE, PAGE, 0) != 0)
			return;
	_exit(93);
}

static void
firewall_without_mappings(void *arg)
{
	char *p;

	(void)arg;
	umem_init();
	/* Go once around: all of the first span was in use, and is closed. */
	for (int i = 0; i < 20; i++) {
		p = heap_alloc(heap_firewall, 4 * MIB, PAGE, NULL);
		heap_free(heap_firewall, p, 4 * MIB);
	}
	use_up_mappings();
	for (int i = 0; i < 100; i++) {
		p = heap_alloc(heap_firewall, 2 * PAGE, 2 * PAGE, NULL);
		if (p == NULL || (uintptr_t)p % (2 * PAGE) != 0)
			_exit(1);
		memset(p, 1, 2 * PAGE);
		heap_free(heap_firewall, p, 2 * PAGE);
	}
	if (arena_is_valid(heap_firewall) != NULL)
		_exit(2);
}

START_TEST(firewalled_pages_are_served_when_mappings_run_out)
{
	struct capture *cap = malloc(sizeof(*cap));

	capture_expect_exit(cap, firewall_without_mappings, NULL, 0, NULL);
	free(cap);
}
END_TEST
#endif

/* ------------------------------------------------------------------ threads */

static int stop;

static void *
hammer(void *arg)
{
	unsigned mine = (unsigned)(uintptr_t)arg;
	char *p[16] = {NULL};
	size_t size[16];

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned k;

		mine = mine * 1103515245u + 12345u;
		k = mine >> 20 & 15;
		if (p[k] != NULL) {
			if (!is_signed(p[k], size[k], (uintptr_t)arg))
				return arg;
			heap_free(heap_default, p[k], size[k]);
			p[k] = NULL;
		} else {
			size[k] = PAGE * (1 + (mine >> 9 & 31));
			p[k] = heap_alloc(heap_default, size[k], PAGE, NULL);
			sign(p[k], size[k], (uintptr_t)arg);
		}
		if ((mine >> 10 & 63) == 0)
			(void)heap_decay(os_now(), (mine >> 16 & 3) == 0);
	}
	for (int k = 0; k < 16; k++)
		if (p[k] != NULL)
			heap_free(heap_default, p[k], size[k]);
	return NULL;
}

START_TEST(threads_decay_and_forks_leave_the_heap_sound)
{
	uint64_t before;
	pthread_t threads[3];
	void *bad;
	int status;

	umem_init();
	before = heap_default->vm_mem_inuse;
	for (uintptr_t i = 0; i < 3; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, hammer, (void *)(i + 1)),
		    0);
	for (int i = 0; i < 30; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			char *p = heap_alloc(heap_default, MIB, PAGE, NULL);

			sign(p, MIB, 9);
			(void)heap_decay(0, 1);
			heap_free(heap_default, p, MIB);
			(void)heap_decay(0, 1);
			_exit(arena_is_valid(heap_arena) != NULL ||
			      arena_of(heap_arena)->purging != 0 ||
			      arena_of(heap_arena)->dirty != 0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &bad), 0);
		ck_assert_ptr_null(bad);
	}
	ck_assert_uint_eq(heap_default->vm_mem_inuse, before);
	check_arenas();
}
END_TEST

Suite *
test_heap_suite(void)
{
	Suite *s = suite_create("heap");
	TCase *pages = tcase_create("pages");
	TCase *decay = tcase_create("decay");
	TCase *hard = tcase_create("hard");

	tcase_add_loop_test(
	    pages, random_pages_keep_their_contents_and_zero_means_zero, 0, 3);
	tcase_add_test(pages, the_tree_of_arenas_adds_up);
	tcase_add_test(pages, the_generic_calls_work_on_the_heaps_arenas_too);
	tcase_add_test(pages, blocks_shrink_and_grow_in_place);
	tcase_add_test(pages, a_block_in_use_is_not_grown_into);
	tcase_add_test(
	    pages, a_moved_block_keeps_its_contents_and_leaves_zeros);
	tcase_add_test(
	    pages, clean_and_dirty_neighbours_serve_a_request_together);
	tcase_add_test(
	    pages, a_request_takes_dirty_pages_and_clean_ones_behind_them);
	tcase_add_test(pages, a_small_block_is_copied_to_dirty_pages);
	suite_add_tcase(s, pages);
	tcase_add_test(decay, freed_pages_stay_for_a_second_and_then_go);
	tcase_add_test(
	    decay, traffic_at_the_edge_does_not_keep_a_large_segment_young);
	tcase_add_test(decay, too_many_free_pages_are_purged_at_once);
	tcase_add_test(decay, all_free_spans_go_back_when_all_is_asked_for);
	tcase_add_test(decay, wholly_free_spans_go_back_after_ten_seconds);
	suite_add_tcase(s, decay);
	tcase_add_test(hard, under_a_limit_of_address_space_null_is_the_worst);
	tcase_add_test(hard, a_wrong_free_of_pages_is_found);
	tcase_add_test(hard, firewalled_pages_are_reused_late_and_are_zero);
	tcase_add_test(hard, a_freed_firewalled_page_faults);
#if !defined(__SANITIZE_THREAD__)
	tcase_add_test(hard, firewalled_pages_are_served_when_mappings_run_out);
#endif
	tcase_add_test(hard, threads_decay_and_forks_leave_the_heap_sound);
	suite_add_tcase(s, hard);
	return s;
}
