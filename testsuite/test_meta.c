/* SPDX-License-Identifier: MIT */
/*
 * test_meta.c - memory for the library's own structures, and the regions
 *
 * Each allocation is filled with bytes of its own and checked before it goes:
 * two that overlap would show.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "init.h"
#include "meta.h"
#include "os.h"
#include "root.h"
#include "suites.h"
#include "util.h"

#define SEED 500u
#define SLOTS 512
#define OPERATIONS 20000
#define PAGE 4096u

static unsigned seed;

static unsigned
rnd(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 8) % n;
}

static size_t
random_size(void)
{
	switch (rnd(16)) {
	case 0:
		return 1 + rnd(200 * 1024);
	case 1:
		return 200 * 1024 + rnd(400 * 1024);
	case 2:
	case 3:
		return 1 + rnd(16 * 1024);
	default:
		return 1 + rnd(600);
	}
}

static int
all_bytes_are(const unsigned char *p, size_t size, unsigned char value)
{
	return size == 0 || (p[0] == value && memcmp(p, p + 1, size - 1) == 0);
}

/* Whether one region of @kind has all of [p, p + size). */
static int
in_region(const void *p, size_t size, uint32_t kind)
{
	const umem_region_t *rg = umem_root.root_regions;
	uint64_t addr = (uintptr_t)p;

	for (; rg != NULL; rg = rg->rg_next)
		if (rg->rg_kind == kind && addr >= rg->rg_base &&
		    addr + size <= rg->rg_base + rg->rg_size)
			return 1;
	return 0;
}

static uint64_t
region_bytes(uint32_t kind)
{
	const umem_region_t *rg = umem_root.root_regions;
	uint64_t sum = 0;

	for (; rg != NULL; rg = rg->rg_next)
		if (rg->rg_kind == kind)
			sum += rg->rg_size;
	return sum;
}

static void
check_placement(const void *p, size_t size)
{
	size_t align = size >= PAGE ? PAGE : size > 1024 ? 64 : 16;

	ck_assert_uint_eq((uintptr_t)p % align, 0);
	ck_assert_int_eq(in_region(p, size, UMEM_RG_META), 1);
	ck_assert_int_eq(all_bytes_are(p, size, 0), 1);
}

START_TEST(random_structures_are_zeroed_aligned_apart_and_in_regions)
{
	unsigned char *p[SLOTS] = {NULL}, fill[SLOTS];
	size_t size[SLOTS];
	uint64_t mapped, before, after;

	umem_init();
	seed = SEED + (unsigned)_i;
	meta_bytes(&mapped, &before);
	for (int i = 0; i < OPERATIONS; i++) {
		unsigned k = rnd(SLOTS);

		if (p[k] == NULL) {
			size[k] = random_size();
			p[k] = meta_alloc(size[k]);
			check_placement(p[k], size[k]);
			fill[k] = (unsigned char)(1 + rnd(255));
			memset(p[k], fill[k], size[k]);
		} else {
			ck_assert(all_bytes_are(p[k], size[k], fill[k]));
			meta_free(p[k], size[k]);
			p[k] = NULL;
		}
	}
	for (int k = 0; k < SLOTS; k++)
		if (p[k] != NULL)
			meta_free(p[k], size[k]);
	meta_bytes(&mapped, &after);
	ck_assert_uint_eq(region_bytes(UMEM_RG_META), mapped);
	/* Nodes of regions may have come; nothing else may have stayed. */
	ck_assert_uint_le(after, before + PAGE);
}
END_TEST

START_TEST(every_size_up_to_two_pages_is_served)
{
	umem_init();
	for (size_t size = 0; size <= 2 * PAGE; size++) {
		unsigned char *a = meta_alloc(size), *b = meta_alloc(size);

		check_placement(a, size);
		check_placement(b, size);
		memset(a, 0xaa, size);
		ck_assert(all_bytes_are(b, size, 0));
		meta_free(a, size);
		memset(b, 0xbb, size);
		meta_free(b, size);
		a = meta_alloc(size);
		ck_assert(all_bytes_are(a, size, 0));
		meta_free(a, size);
	}
}
END_TEST

START_TEST(freed_memory_is_used_again)
{
	static const size_t sizes[] = {16, 96, 1500, 12 * 1024, 100 * 1024};
	uint64_t mapped, again, used;

	umem_init();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		meta_free(meta_alloc(sizes[i]), sizes[i]);
		meta_bytes(&mapped, &used);
		for (int k = 0; k < 10000; k++)
			meta_free(meta_alloc(sizes[i]), sizes[i]);
		meta_bytes(&again, &used);
		ck_assert_uint_eq(again, mapped);
	}
}
END_TEST

START_TEST(neighbouring_runs_of_pages_become_one)
{
	enum { N = 32 };
	void *p[N];
	uint64_t mapped, again, used;

	umem_init();
	for (int i = 0; i < N; i++)
		p[i] = meta_alloc(PAGE);
	meta_bytes(&mapped, &used);
	for (int i = 0; i < N; i += 2)
		meta_free(p[i], PAGE);
	for (int i = 1; i < N; i += 2)
		meta_free(p[i], PAGE);
	p[0] = meta_alloc(N * PAGE);
	meta_bytes(&again, &used);
	ck_assert_uint_eq(again, mapped);
	meta_free(p[0], N * PAGE);
}
END_TEST

START_TEST(a_large_structure_goes_back_to_the_system)
{
	uint64_t mapped, with, after, used;
	size_t size = 10 << 20;
	void *p;

	umem_init();
	meta_bytes(&mapped, &used);
	p = meta_alloc(size);
	check_placement(p, size);
	meta_bytes(&with, &used);
	ck_assert_uint_eq(with, mapped + size);
	meta_free(p, size);
	meta_bytes(&after, &used);
	ck_assert_uint_eq(after, mapped);
	ck_assert_int_eq(in_region(p, size, UMEM_RG_META), 0);
}
END_TEST

START_TEST(freeing_nothing_does_nothing)
{
	uint64_t mapped, before, after;

	umem_init();
	meta_bytes(&mapped, &before);
	meta_free(NULL, 100);
	meta_bytes(&mapped, &after);
	ck_assert_uint_eq(before, after);
}
END_TEST

START_TEST(regions_come_and_go)
{
	uint64_t before;
	char *a, *b;

	umem_init();
	before = region_bytes(UMEM_RG_LOG);
	a = os_map(8 * PAGE, PAGE);
	b = os_map(4 * PAGE, PAGE);
	ck_assert_int_eq(region_add(a, 8 * PAGE, UMEM_RG_LOG), 0);
	ck_assert_int_eq(region_add(b, 4 * PAGE, UMEM_RG_LOG), 0);
	ck_assert_int_eq(in_region(a, 8 * PAGE, UMEM_RG_LOG), 1);
	ck_assert_int_eq(in_region(a, 8 * PAGE, UMEM_RG_HEAP), 0);
	ck_assert_uint_eq(region_bytes(UMEM_RG_LOG), before + 12 * PAGE);
	region_remove(a, 8 * PAGE);
	ck_assert_int_eq(in_region(a, 1, UMEM_RG_LOG), 0);
	ck_assert_int_eq(in_region(b, 4 * PAGE, UMEM_RG_LOG), 1);
	region_remove(b, 4 * PAGE);
	ck_assert_uint_eq(region_bytes(UMEM_RG_LOG), before);
}
END_TEST

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
run_out(void *arg)
{
	struct rlimit limit;
	size_t got = 0;

	(void)arg;
	umem_init();
	limit.rlim_cur = limit.rlim_max = address_space() + (64 << 20);
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		_exit(1);
	if (meta_alloc((size_t)1 << 30) != NULL ||
	    meta_alloc(SIZE_MAX) != NULL || meta_alloc(SIZE_MAX - 5000) != NULL)
		_exit(2);
	while (meta_alloc(3000) != NULL)
		got++;
	/* It stops somewhere, and says so again. */
	if (got < 100 || meta_alloc(3000) != NULL)
		_exit(3);
}

START_TEST(when_the_system_has_no_more_the_answer_is_null)
{
	struct capture *cap = malloc(sizeof(*cap));

	capture_expect_exit(cap, run_out, NULL, 0, NULL);
	free(cap);
}
END_TEST

Suite *
test_meta_suite(void)
{
	Suite *s = suite_create("meta");
	TCase *tc = tcase_create("meta");

	tcase_add_loop_test(tc,
	    random_structures_are_zeroed_aligned_apart_and_in_regions, 0, 3);
	tcase_add_test(tc, every_size_up_to_two_pages_is_served);
	tcase_add_test(tc, freed_memory_is_used_again);
	tcase_add_test(tc, neighbouring_runs_of_pages_become_one);
	tcase_add_test(tc, a_large_structure_goes_back_to_the_system);
	tcase_add_test(tc, freeing_nothing_does_nothing);
	tcase_add_test(tc, regions_come_and_go);
	tcase_add_test(tc, when_the_system_has_no_more_the_answer_is_null);
	suite_add_tcase(s, tc);
	return s;
}
