/* SPDX-License-Identifier: MIT */
/*
 * test_vmem.c - arenas, part by part
 *
 * Addresses are mostly numbers here: nothing lies there.  The laws that hold
 * for all operations together are in test_vmem_model.c.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "root.h"
#include "stack.h"
#include "suites.h"
#include "trace.h"
#include "util.h"
#include "vmem_impl.h"

#define SEED 77u
#define OPERATIONS 20000
#define CHECK_EVERY 250

static unsigned seed;

static unsigned
rnd(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

START_TEST(next_fit_cycles_through_the_addresses)
{
	vmem_t *vm = vmem_create(
	    "cycle", (void *)0x1000, 64, 1, NULL, NULL, NULL, 0, VM_SLEEP);

	umem_init();
	for (uintptr_t i = 0; i < 3 * 64; i++) {
		void *p = vmem_alloc(vm, 1, VM_NEXTFIT);

		ck_assert_ptr_eq(p, (void *)(0x1000 + i % 64));
		vmem_free(vm, p, 1);
	}
	/* All of it is still to be had as one. */
	ck_assert_ptr_eq(vmem_alloc(vm, 64, VM_NEXTFIT), (void *)0x1000);
	ck_assert_ptr_null(vmem_alloc(vm, 1, VM_NEXTFIT));
	ck_assert_uint_eq(vm->vm_nfail, 1);
	vmem_xfree(vm, (void *)0x1000, 64);
	ck_assert_ptr_null(arena_is_valid(vm));
	vmem_destroy(vm);
}
END_TEST

START_TEST(identifiers_of_quantum_one_can_be_handed_out_to_the_last)
{
	vmem_t *ids = vmem_create(
	    "ids", (void *)1, 1000, 1, NULL, NULL, NULL, 0, VM_SLEEP);
	char seen[1001] = {0};

	for (int i = 0; i < 1000; i++) {
		uintptr_t id = (uintptr_t)vmem_alloc(ids, 1, VM_NOSLEEP);

		ck_assert_uint_ge(id, 1);
		ck_assert_uint_le(id, 1000);
		ck_assert_int_eq(seen[id]++, 0);
	}
	ck_assert_ptr_null(vmem_alloc(ids, 1, VM_NOSLEEP));
	for (uintptr_t id = 1; id <= 1000; id++)
		vmem_free(ids, (void *)id, 1);
	ck_assert_ptr_null(arena_is_valid(ids));
	ck_assert_uint_eq(ids->vm_nseg_free, 1);
	vmem_destroy(ids);
}
END_TEST

START_TEST(constraints_hold_one_by_one)
{
	vmem_t *vm = vmem_create("limits", (void *)0x10000, 0x10000, 0x100,
	    NULL, NULL, NULL, 0, VM_SLEEP);
	void *p;

	p = vmem_xalloc(vm, 0x100, 0x4000, 0x300, 0, NULL, NULL, VM_FIRSTFIT);
	ck_assert_ptr_eq(p, (void *)0x10300);
	p = vmem_xalloc(
	    vm, 0x300, 0x100, 0, 0, (void *)0x18000, NULL, VM_FIRSTFIT);
	ck_assert_ptr_eq(p, (void *)0x18000);
	p = vmem_xalloc(vm, 0x100, 0x100, 0, 0, (void *)0x18000,
	    (void *)0x18400, VM_FIRSTFIT);
	ck_assert_ptr_eq(p, (void *)0x18300);
	p = vmem_xalloc(vm, 0x100, 0x100, 0, 0, (void *)0x18000,
	    (void *)0x18400, VM_FIRSTFIT);
	ck_assert_ptr_null(p);
	/* 0x10400 would cross 0x10800 */
	p = vmem_xalloc(vm, 0x500, 0x100, 0, 0x800, NULL, NULL, VM_FIRSTFIT);
	ck_assert_ptr_eq(p, (void *)0x10800);
	p = vmem_xalloc(vm, 0x400, 0x100, 0, 0x800, NULL, NULL, VM_FIRSTFIT);
	ck_assert_ptr_eq(p, (void *)0x10400);
	ck_assert_ptr_null(arena_is_valid(vm));
	ck_assert_uint_eq(vm->vm_nalloc, 5);
	ck_assert_uint_eq(vm->vm_nfail, 1);
	vmem_destroy(vm);
}
END_TEST

START_TEST(contains_means_inside_one_span)
{
	vmem_t *vm = vmem_create("contains", (void *)0x1000, 0x1000, 0x10, NULL,
	    NULL, NULL, 0, VM_SLEEP);

	ck_assert_ptr_nonnull(vmem_add(vm, (void *)0x2000, 0x1000, VM_SLEEP));
	ck_assert_int_eq(vmem_contains(vm, (void *)0x1000, 0x1000), 1);
	ck_assert_int_eq(vmem_contains(vm, (void *)0x2fff, 1), 1);
	ck_assert_int_eq(vmem_contains(vm, (void *)0x3000, 1), 0);
	ck_assert_int_eq(vmem_contains(vm, (void *)0xfff, 2), 0);
	/* adjacent spans are still two */
	ck_assert_int_eq(vmem_contains(vm, (void *)0x1ff0, 0x20), 0);
	vmem_destroy(vm);
}
END_TEST

/* --------------------------------------------------------- import and export */

static int imports_left;
static uint64_t imported, exported;

static void *
limited_import(vmem_t *source, size_t size, int vmflag)
{
	void *p;

	if (imports_left == 0)
		return NULL;
	p = vmem_alloc(source, size, vmflag);
	if (p != NULL) {
		imports_left--;
		imported += size;
	}
	return p;
}

static void
counted_export(vmem_t *source, void *p, size_t size)
{
	exported += size;
	vmem_free(source, p, size);
}

static const int import_policies[] = {0, VM_BESTFIT, VM_FIRSTFIT, VM_NEXTFIT};

START_TEST(what_was_imported_is_exported_when_it_is_free)
{
	int policy = import_policies[_i];
	vmem_t *top = vmem_create("top", (void *)0x100000, 0x100000, 0x1000,
	    NULL, NULL, NULL, 0, VM_SLEEP);
	vmem_t *vm = vmem_create("importer", NULL, 0, 0x10, limited_import,
	    counted_export, top, 0, VM_SLEEP);
	void *p[256];
	size_t size[256];

	umem_init();
	seed = SEED + (unsigned)_i;
	imports_left = 1000000;
	imported = exported = 0;
	memset(p, 0, sizeof(p));
	for (int i = 0; i < OPERATIONS; i++) {
		unsigned k = rnd(256);

		if (p[k] != NULL) {
			vmem_xfree(vm, p[k], size[k]);
			p[k] = NULL;
		} else {
			size[k] = 1 + rnd(0x900);
			p[k] = vmem_xalloc(vm, size[k], 0x10u << rnd(5), 0, 0,
			    NULL, NULL, policy);
		}
		ck_assert_uint_eq(vm->vm_mem_import, imported - exported);
		ck_assert_uint_eq(vm->vm_mem_import, top->vm_mem_inuse);
		if (i % CHECK_EVERY == 0)
			ck_assert_ptr_null(arena_is_valid(vm));
	}
	for (int k = 0; k < 256; k++)
		if (p[k] != NULL)
			vmem_xfree(vm, p[k], size[k]);
	ck_assert_uint_eq(vm->vm_mem_total, 0);
	ck_assert_uint_eq(imported, exported);
	ck_assert_uint_eq(top->vm_mem_inuse, 0);
	ck_assert_ptr_null(arena_is_valid(vm));
	ck_assert_ptr_null(arena_is_valid(top));
	vmem_destroy(vm);
	vmem_destroy(top);
}
END_TEST

START_TEST(a_failed_import_is_a_failed_allocation_and_counted)
{
	vmem_t *top = vmem_create("top", (void *)0x100000, 0x10000, 0x1000,
	    NULL, NULL, NULL, 0, VM_SLEEP);
	vmem_t *vm = vmem_create("importer", NULL, 0, 0x10, limited_import,
	    counted_export, top, 0, VM_SLEEP);
	void *a, *b;

	imports_left = 1;
	a = vmem_alloc(vm, 0x1000, VM_NOSLEEP);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_null(vmem_alloc(vm, 0x10, VM_NOSLEEP));
	ck_assert_ptr_null(vmem_alloc(vm, SIZE_MAX, VM_NOSLEEP));
	ck_assert_ptr_null(vmem_alloc(vm, SIZE_MAX - 0x2000, VM_NOSLEEP));
	ck_assert_uint_eq(vm->vm_nfail, 3);
	vmem_free(vm, a, 0x1000);
	imports_left = 2;
	/* more than the source ever has */
	ck_assert_ptr_null(vmem_alloc(vm, 0x20000, VM_NOSLEEP));
	b = vmem_xalloc(vm, 0x1000, 0x4000, 0x40, 0, NULL, NULL, 0);
	ck_assert_uint_eq((uintptr_t)b % 0x4000, 0x40);
	vmem_xfree(vm, b, 0x1000);
	ck_assert_uint_eq(top->vm_mem_inuse, 0);
	vmem_destroy(vm);
	vmem_destroy(top);
}
END_TEST

START_TEST(destroying_returns_imports_and_reports_what_was_not_freed)
{
	vmem_t *top = vmem_create("top", (void *)0x100000, 0x10000, 0x1000,
	    NULL, NULL, NULL, 0, VM_SLEEP);
	vmem_t *vm = vmem_create(
	    "leaky", NULL, 0, 0x10, vmem_alloc, vmem_free, top, 0, VM_SLEEP);

	umem_init();
	ck_assert_ptr_nonnull(vmem_alloc(vm, 100, VM_SLEEP));
	ck_assert_ptr_nonnull(vmem_alloc(vm, 0x1000, VM_SLEEP));
	vmem_destroy(vm);
	ck_assert_uint_eq(top->vm_mem_inuse, 0);
	ck_assert_ptr_nonnull(
	    memmem(umem_root.root_msg, umem_root.root_msg_size,
		"vmem_destroy('leaky'): 4208 bytes in 2 allocations", 50));
	vmem_destroy(top);
}
END_TEST

/* ----------------------------------------------------------- quantum caches */

static struct {
	size_t sizes[32];
	int created, destroyed, allocs, frees;
} fake;

static umem_cache_t *
fake_create(const char *name, size_t size, size_t align, vmem_t *arena)
{
	char expected[UMEM_NAME_LEN];

	snprintf(expected, sizeof(expected), "%.20s_%zu", arena->vm_name, size);
	ck_assert_str_eq(name, expected);
	ck_assert_uint_eq(align, arena->vm_quantum);
	fake.sizes[fake.created] = size;
	return (umem_cache_t *)(void *)&fake.sizes[fake.created++];
}

static void *
fake_alloc(umem_cache_t *cp, int vmflag)
{
	(void)vmflag;
	fake.allocs++;
	return (void *)(0x50000 + *(size_t *)(void *)cp);
}

static void
fake_free(umem_cache_t *cp, void *p)
{
	ck_assert_ptr_eq(p, (void *)(0x50000 + *(size_t *)(void *)cp));
	fake.frees++;
}

static void
fake_destroy(umem_cache_t *cp)
{
	(void)cp;
	fake.destroyed++;
}

static const struct vmem_qcache_ops fake_ops = {
    fake_create, fake_alloc, fake_free, fake_destroy, NULL};

START_TEST(small_requests_go_through_quantum_caches)
{
	vmem_t *vm;
	void *p;

	umem_init();
	vmem_qcache_ops = &fake_ops;
	vm = vmem_create("quick", (void *)0x100000, 0x10000, 0x100, NULL, NULL,
	    NULL, 0x500, VM_SLEEP);
	ck_assert_int_eq(fake.created, 5);
	ck_assert_uint_eq(vm->vm_qcache_max, 0x500);
	p = vmem_alloc(vm, 0x101, VM_SLEEP);
	ck_assert_ptr_eq(p, (void *)0x50200);
	vmem_free(vm, p, 0x101);
	p = vmem_alloc(vm, 0x500, VM_SLEEP);
	ck_assert_ptr_eq(p, (void *)0x50500);
	vmem_free(vm, p, 0x500);
	ck_assert_int_eq(fake.allocs, 2);
	ck_assert_int_eq(fake.frees, 2);
	/* too large, and with constraints: not through them */
	p = vmem_alloc(vm, 0x501, VM_SLEEP);
	ck_assert_int_eq(vmem_contains(vm, p, 0x600), 1);
	vmem_free(vm, p, 0x501);
	p = vmem_xalloc(vm, 0x100, 0, 0, 0, NULL, NULL, VM_SLEEP);
	ck_assert_int_eq(vmem_contains(vm, p, 0x100), 1);
	vmem_xfree(vm, p, 0x100);
	ck_assert_int_eq(fake.allocs, 2);
	vmem_destroy(vm);
	ck_assert_int_eq(fake.destroyed, 5);
	/* at most 16 */
	vm = vmem_create("quick", (void *)0x100000, 0x10000, 0x100, NULL, NULL,
	    NULL, 0x5000, VM_SLEEP);
	ck_assert_int_eq(fake.created, 5 + 16);
	ck_assert_uint_eq(vm->vm_qcache_max, 0x1000);
	vmem_destroy(vm);
}
END_TEST

START_TEST(quantum_caches_hand_out_each_number_once)
{
	static char seen[30001];
	vmem_t *ids;
	uintptr_t id;
	int got = 0;

	umem_init();
	ids = vmem_create(
	    "numbers", (void *)1, 30000, 1, NULL, NULL, NULL, 4, VM_SLEEP);
	ck_assert_uint_eq(ids->vm_qcache_max, 4);
	while ((id = (uintptr_t)vmem_alloc(ids, 1, VM_NOSLEEP)) != 0) {
		ck_assert_uint_le(id, 30000);
		ck_assert_int_eq(seen[id]++, 0);
		got++;
	}
	ck_assert_int_gt(got, 29000);
	for (id = 1; id <= 30000; id++)
		if (seen[id])
			vmem_free(ids, (void *)id, 1);
	ck_assert_ptr_null(arena_is_valid(ids));
	vmem_destroy(ids);
}
END_TEST

/* ------------------------------------------------------------- walks, threads */

static vmem_t *walked;

static void
free_it(void *arg, void *start, size_t size)
{
	(*(int *)arg)++;
	vmem_xfree(walked, start, size);
}

START_TEST(a_walk_survives_the_freeing_of_what_it_shows)
{
	vmem_t *top = vmem_create("top", (void *)0x100000, 0x100000, 0x1000,
	    NULL, NULL, NULL, 0, VM_SLEEP);
	int seen = 0;

	walked = vmem_create(
	    "walked", NULL, 0, 0x10, vmem_alloc, vmem_free, top, 0, VM_SLEEP);
	for (int i = 0; i < 500; i++)
		ck_assert_ptr_nonnull(vmem_alloc(walked, 0x10 + i, VM_SLEEP));
	vmem_walk(walked, VMEM_ALLOC | (int)VMEM_REENTRANT, free_it, &seen);
	ck_assert_int_eq(seen, 500);
	ck_assert_ptr_null(arena_is_valid(walked));
	ck_assert_uint_eq(walked->vm_mem_total, 0);
	ck_assert_uint_eq(top->vm_mem_inuse, 0);
	vmem_destroy(walked);
	vmem_destroy(top);
}
END_TEST

static void
count_it(void *arg, void *start, size_t size)
{
	(void)start;
	(void)size;
	(*(int *)arg)++;
}

static volatile int stop;

static void *
hammer(void *arg)
{
	unsigned mine = (unsigned)(uintptr_t)arg;
	void *p[64] = {NULL};
	size_t size[64];
	int seen = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		unsigned k;

		mine = mine * 1103515245u + 12345u;
		k = mine >> 20 & 63;
		if (p[k] != NULL) {
			vmem_free(walked, p[k], size[k]);
			p[k] = NULL;
		} else {
			size[k] = 1 + (mine >> 9 & 0xfff);
			p[k] = vmem_alloc(walked, size[k], VM_NOSLEEP);
		}
		if ((mine >> 10 & 0x3ff) == 0)
			vmem_walk(walked, VMEM_FREE, count_it, &seen);
	}
	for (int k = 0; k < 64; k++)
		if (p[k] != NULL)
			vmem_free(walked, p[k], size[k]);
	return NULL;
}

/* In the child of a fork: 0 when everything works. */
static int
use_in_child(void)
{
	int seen = 0;
	void *p;

	if (arena_is_valid(walked) != NULL)
		return 1;
	p = vmem_alloc(walked, 0x123, VM_NOSLEEP);
	if (p == NULL)
		return 2;
	vmem_walk(walked, VMEM_ALLOC, count_it, &seen);
	vmem_free(walked, p, 0x123);
	if (seen == 0 || arena_is_valid(walked) != NULL)
		return 3;
	return 0;
}

START_TEST(threads_and_forks_leave_the_arena_sound)
{
	vmem_t *top = vmem_create("top", (void *)0x100000, 0x1000000, 0x1000,
	    NULL, NULL, NULL, 0, VM_SLEEP);
	pthread_t threads[3];
	int status;

	umem_init();
	walked = vmem_create(
	    "shared", NULL, 0, 0x10, vmem_alloc, vmem_free, top, 0, VM_SLEEP);
	stop = 0;
	for (uintptr_t i = 0; i < 3; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, hammer, (void *)(i + 1)),
		    0);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(use_in_child());
		ck_assert_int_gt(pid, 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		ck_assert_ptr_null(arena_is_valid(walked));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_ptr_null(arena_is_valid(walked));
	ck_assert_uint_eq(walked->vm_mem_total, 0);
	ck_assert_uint_eq(walked->vm_nalloc, walked->vm_nfree);
	ck_assert_uint_eq(top->vm_mem_inuse, 0);
	vmem_destroy(walked);
	vmem_destroy(top);
}
END_TEST

START_TEST(with_auditing_a_segment_says_who_allocated_it)
{
	const uint64_t *stack;
	size_t depth;
	vmem_t *vm;
	vmem_seg_t *s;
	void *p;

	umem_init();
	umem_root.root_flags |= UMF_AUDIT;
	umem_root.root_stack_depth = 15;
	stack_init();
	vm = vmem_create("audited", (void *)0x1000, 0x1000, 0x10, NULL, NULL,
	    NULL, 0, VM_SLEEP);
	p = vmem_alloc(vm, 0x20, VM_SLEEP);
	s = hash_find(arena_of(vm), (uintptr_t)p);
	ck_assert_uint_eq(s->vs_thread, (uint32_t)getpid());
	ck_assert_uint_ne(s->vs_timestamp, 0);
	stack = trace_get(s->vs_trace, &depth);
	ck_assert_uint_ge(depth, 1);
	ck_assert_uint_ne(stack[0], 0);
	vmem_free(vm, p, 0x20);
	ck_assert_uint_eq(vm->vm_seg0.vs_anext->vs_trace, 0);
	ck_assert_ptr_null(arena_is_valid(vm));
	vmem_destroy(vm);
	/* not in the library's own */
	p = vmem_alloc(vmem_heap_arena(NULL, NULL), 0x1000, VM_SLEEP);
	s = hash_find(arena_of(vmem_heap_arena(NULL, NULL)), (uintptr_t)p);
	ck_assert_uint_eq(s->vs_trace, 0);
	vmem_free(vmem_heap_arena(NULL, NULL), p, 0x1000);
}
END_TEST

/* -------------------------------------------------------------------- misuse */

static vmem_t *
new_victim(void)
{
	umem_init();
	return vmem_create("victim", (void *)0x10000, 0x10000, 0x10, NULL, NULL,
	    NULL, 0, VM_SLEEP);
}

static void
misuse(void *arg)
{
	vmem_t *vm = new_victim();
	char *p = vmem_xalloc(
	    vm, 0x40, 0x10, 0, 0, (void *)0x10100, NULL, VM_FIRSTFIT);
	char *max = (void *)0x10000;

	switch (*(int *)arg) {
	case 0:
		vmem_free(vm, (void *)0x7000, 0x10);
		break;
	case 1:
		vmem_free(vm, p, 0x50);
		break;
	case 2:
		vmem_free(vm, p + 0x10, 0x10);
		break;
	case 3:
		vmem_free(vm, p, 0x40);
		vmem_free(vm, p, 0x40);
		break;
	case 4:
		(void)vmem_alloc(vm, 0, VM_SLEEP);
		break;
	case 5:
		(void)vmem_alloc(vm, 0x20000, VM_PANIC);
		break;
	case 6:
		(void)vmem_xalloc(vm, 0x10, 0x30, 0, 0, NULL, NULL, 0);
		break;
	case 7:
		(void)vmem_xalloc(vm, 0x10, 0x20, 0x20, 0, NULL, NULL, 0);
		break;
	case 8:
		(void)vmem_xalloc(vm, 0x110, 0, 0, 0x100, NULL, NULL, 0);
		break;
	case 9:
		(void)vmem_xalloc(vm, 0x10, 0x18, 0, 0, NULL, NULL, 0);
		break;
	case 10:
		(void)vmem_xalloc(vm, 0x10, 0x8, 0, 0, NULL, NULL, 0);
		break;
	case 11:
		(void)vmem_xalloc(vm, 0x10, 0, 0, 0, max + 0x10, max, 0);
		break;
	case 12:
		(void)vmem_xalloc(vm, 0x10, 0, 0, 0x30, NULL, NULL, 0);
		break;
	case 13:
		(void)vmem_add(vm, (void *)0x1fff0, 0x20, VM_SLEEP);
		break;
	case 14:
		(void)vmem_add(vm, (void *)0x30001, 0x20, VM_SLEEP);
		break;
	default:
		(void)vmem_create("odd", NULL, 0, 24, NULL, NULL, NULL, 0, 0);
		break;
	}
}

static const char *const misuse_text[] = {
    "umem: vmem_free of 0x7000 to arena 'victim': it does not belong to this "
    "arena\n",
    "umem: vmem_free of 0x10100 to arena 'victim' with size 80: it was "
    "allocated with size 64\n",
    "umem: vmem_free of 0x10110 to arena 'victim': it lies inside the "
    "allocation at 0x10100 of size 64\n",
    "umem: vmem_free of 0x10100 to arena 'victim' with size 64: it is free "
    "already\n",
    "umem: vmem_alloc of size 0 from arena 'victim'\n",
    "umem: vmem_alloc of 131072 from arena 'victim' failed\n",
    "align 48, phase 0, nocross 0, min 0x0, max 0x0): the alignment is no "
    "power of two\n",
    "the phase is not below the alignment\n",
    "every such range crosses the boundary\n",
    "the alignment is no power of two\n",
    "a constraint is no multiple of the quantum\n",
    "the address range is empty\n",
    "nocross is no power of two\n",
    "the span overlaps another one\n",
    "the span is no multiple of the quantum\n",
    "umem: vmem_create('odd'): the quantum 24 is no power of two\n",
};
#define MISUSES ((int)(sizeof(misuse_text) / sizeof(misuse_text[0])))

START_TEST(misuse_ends_the_program_with_a_sentence)
{
	struct capture *cap = malloc(sizeof(*cap));
	int which = _i;

	capture_expect_abort(cap, misuse, &which, misuse_text[_i]);
	free(cap);
}
END_TEST

START_TEST(a_damaged_arena_is_not_valid)
{
	vmem_t *vm = new_victim();
	void *p = vmem_alloc(vm, 0x40, VM_SLEEP);
	vmem_seg_t *s = hash_find(arena_of(vm), (uintptr_t)p);

	ck_assert_ptr_null(arena_is_valid(vm));
	s->vs_end += 0x10;
	ck_assert_ptr_nonnull(arena_is_valid(vm));
	s->vs_end -= 0x10;
	vm->vm_mem_inuse++;
	ck_assert_str_eq(arena_is_valid(vm), "the sums of bytes are wrong");
	vm->vm_mem_inuse--;
	s->vs_anext->vs_aprev = &vm->vm_seg0;
	ck_assert_str_eq(arena_is_valid(vm), "the address ring is broken");
}
END_TEST

Suite *
test_vmem_suite(void)
{
	Suite *s = suite_create("vmem");
	TCase *laws = tcase_create("laws");
	TCase *parts = tcase_create("parts");
	TCase *wrong = tcase_create("misuse");

	tcase_add_loop_test(
	    laws, what_was_imported_is_exported_when_it_is_free, 0, 4);
	suite_add_tcase(s, laws);
	tcase_add_test(parts, next_fit_cycles_through_the_addresses);
	tcase_add_test(
	    parts, identifiers_of_quantum_one_can_be_handed_out_to_the_last);
	tcase_add_test(parts, constraints_hold_one_by_one);
	tcase_add_test(parts, contains_means_inside_one_span);
	tcase_add_test(
	    parts, a_failed_import_is_a_failed_allocation_and_counted);
	tcase_add_test(
	    parts, destroying_returns_imports_and_reports_what_was_not_freed);
	tcase_add_test(parts, small_requests_go_through_quantum_caches);
	tcase_add_test(parts, quantum_caches_hand_out_each_number_once);
	tcase_add_test(parts, a_walk_survives_the_freeing_of_what_it_shows);
	tcase_add_test(parts, threads_and_forks_leave_the_arena_sound);
	tcase_add_test(parts, with_auditing_a_segment_says_who_allocated_it);
	suite_add_tcase(s, parts);
	tcase_add_loop_test(
	    wrong, misuse_ends_the_program_with_a_sentence, 0, MISUSES);
	tcase_add_test(wrong, a_damaged_arena_is_not_valid);
	suite_add_tcase(s, wrong);
	return s;
}
