/* SPDX-License-Identifier: MIT */
/*
 * test_umem.c - umem_alloc and its family, malloc's under their inner names,
 * threads and fork
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache.h"
#include "large.h"
#include "malloc_impl.h"
#include "pagemap.h"
#include "root.h"
#include "slab.h"
#include "suites.h"
#include "tcache.h"
#include "umem.h"
#include "util.h"

/* ------------------------------------------------------------- umem_alloc */

START_TEST(every_size_is_served_aligned_and_apart)
{
	enum { N = 3000 };
	static unsigned char *p[N];
	static size_t size[N];

	for (int i = 0; i < N; i++) {
		size[i] = (size_t)(i < 2100 ? i + 1 : i * 131);
		p[i] = umem_alloc(size[i], UMEM_DEFAULT);
		ck_assert_ptr_nonnull(p[i]);
		ck_assert_uint_eq((uintptr_t)p[i] & 15, 0);
		memset(p[i], i, size[i]);
	}
	for (int i = 0; i < N; i++) {
		for (size_t k = 0; k < size[i]; k += size[i] / 7 + 1)
			ck_assert_uint_eq(p[i][k], (unsigned char)i);
		umem_free(p[i], size[i]);
	}
}
END_TEST

START_TEST(zero_bytes_are_no_buffer)
{
	ck_assert_ptr_null(umem_alloc(0, UMEM_DEFAULT));
	ck_assert_ptr_null(umem_alloc(0, UMEM_NOFAIL));
	ck_assert_ptr_null(umem_zalloc(0, UMEM_DEFAULT));
	ck_assert_ptr_null(umem_alloc_align(0, 16, UMEM_DEFAULT));
	umem_free(NULL, 0);
}
END_TEST

START_TEST(zalloc_clears_reused_memory)
{
	static const size_t size[] = {1, 16, 100, 5000, 262144, 3000000};

	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
		for (int round = 0; round < 3; round++) {
			unsigned char *p = umem_zalloc(size[i], UMEM_DEFAULT);

			ck_assert_ptr_nonnull(p);
			for (size_t k = 0; k < size[i]; k++)
				ck_assert_uint_eq(p[k], 0);
			memset(p, 0xff, size[i]);
			umem_free(p, size[i]);
		}
}
END_TEST

START_TEST(alignment_is_given_or_refused)
{
	for (size_t align = 1; align <= 1u << 22; align *= 2)
		for (size_t size = 1; size < 600000; size = size * 7 + 3) {
			char *p = umem_alloc_align(size, align, UMEM_DEFAULT);

			ck_assert_ptr_nonnull(p);
			ck_assert_uint_eq((uintptr_t)p & (align - 1), 0);
			p[0] = p[size - 1] = 1;
			umem_free_align(p, size);
		}
	ck_assert_ptr_null(umem_alloc_align(10, 24, UMEM_DEFAULT));
	ck_assert_ptr_null(umem_alloc_align(10, 0, UMEM_DEFAULT));
}
END_TEST

/* --------------------------------------------------- when memory runs out */

static int calls;

static int
retry_twice(void)
{
	if (++calls == 3)
		umem_setmtbf(0);
	return UMEM_CALLBACK_RETRY;
}

START_TEST(nofail_calls_back_until_it_works)
{
	void *p;

	umem_nofail_callback(retry_twice);
	umem_setmtbf(1);
	calls = 0;
	p = umem_alloc(300000, UMEM_NOFAIL);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(calls, 3);
	umem_free(p, 300000);
	umem_nofail_callback(NULL);
}
END_TEST

START_TEST(mtbf_of_one_fails_all_and_of_zero_none)
{
	void *p;

	umem_setmtbf(1);
	errno = 0;
	ck_assert_ptr_null(umem_alloc(300000, UMEM_DEFAULT));
	ck_assert_int_eq(errno, ENOMEM);
	umem_setmtbf(0);
	p = umem_alloc(300000, UMEM_DEFAULT);
	ck_assert_ptr_nonnull(p);
	umem_free(p, 300000);
}
END_TEST

static int
leave(void)
{
	return UMEM_CALLBACK_EXIT(7);
}

static int
nonsense(void)
{
	return 12345;
}

static void
fail_for_good(void *arg)
{
	umem_nofail_callback(*(umem_nofail_callback_t **)arg);
	umem_setmtbf(1);
	(void)umem_alloc(300000, UMEM_NOFAIL);
}

START_TEST(nofail_leaves_as_the_callback_says)
{
	umem_nofail_callback_t *callback = leave;
	struct capture cap;

	capture_expect_exit(&cap, fail_for_good, &callback, 7, NULL);
	callback = nonsense;
	capture_expect_exit(&cap, fail_for_good, &callback, 255, NULL);
	callback = NULL;
	capture_expect_exit(&cap, fail_for_good, &callback, 255, NULL);
}
END_TEST

static void
exhaust(void *arg)
{
	struct rlimit limit = {256u << 20, 256u << 20};
	int n = 0;

	(void)arg;
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		_exit(3);
	while (umem_alloc(100000, UMEM_DEFAULT) != NULL)
		n++;
	if (errno != ENOMEM || n < 100)
		_exit(4);
	/* small ones fail too, and cleanly */
	while (umem_alloc(100, UMEM_DEFAULT) != NULL)
		n++;
	_exit(errno == ENOMEM ? 0 : 5);
}

START_TEST(an_address_space_limit_is_an_error_not_a_crash)
{
	struct capture cap;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return; /* the sanitizer's own address space is larger */
#endif
	capture_expect_exit(&cap, exhaust, NULL, 0, NULL);
}
END_TEST

/* ----------------------------------------------------------------- malloc */

START_TEST(realloc_keeps_contents_however_it_grows)
{
	unsigned char *p = umem_malloc(1);
	size_t size = 1;

	p[0] = 42;
	while (size < 40000000) {
		size_t larger = size + size / 3 + 1;

		p = umem_realloc(p, larger);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(p[0], 42);
		ck_assert_uint_eq(p[size / 2], size == 1 ? 42 : 7);
		ck_assert_uint_ge(umem_malloc_usable_size(p), larger);
		p[larger / 2] = 7;
		p[0] = 42;
		size = larger;
	}
	while (size > 1) {
		size /= 3;
		p = umem_realloc(p, size + 1);
		ck_assert_uint_eq(p[0], 42);
	}
	umem_malloc_free(p);
}
END_TEST

/*
 * Growing by half, from 1 KiB on, calls for memory at every other step; what
 * was asked for ahead goes back when the buffer shrinks.
 */
START_TEST(realloc_grows_with_room_for_the_next_step)
{
	const size_t first = 1000, last = 1000000;
	size_t size, room = 0;
	int steps = 0, changes = 0;
	char *p = umem_malloc(first);

	for (size = first; size < last; size += size / 2) {
		p = umem_realloc(p, size);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_le(umem_malloc_usable_size(p), 2 * size);
		changes += umem_malloc_usable_size(p) != room;
		room = umem_malloc_usable_size(p);
		steps++;
	}
	ck_assert_int_ge(steps, 17);
	ck_assert_int_le(changes, steps / 2 + 2);
	p = umem_realloc(p, last / 2);
	ck_assert_uint_le(umem_malloc_usable_size(p), last / 2 + 4096);
	umem_malloc_free(p);
}
END_TEST

START_TEST(realloc_of_many_large_buffers_keeps_them_apart)
{
	enum { N = 24 };
	unsigned *p[N];
	size_t size[N];
	unsigned seed = 1;

	for (int i = 0; i < N; i++) {
		size[i] = 1000;
		p[i] = umem_calloc(size[i], sizeof(unsigned));
		p[i][0] = p[i][size[i] - 1] = (unsigned)i;
	}
	for (int step = 0; step < 2000; step++) {
		int i = (int)(seed = seed * 1103515245 + 12345) >> 8 & 15;
		size_t n = 1000 + (seed >> 4) % 900000;

		p[i] = umem_realloc(p[i], n * sizeof(unsigned));
		ck_assert_uint_eq(p[i][0], (unsigned)i);
		if (n >= size[i])
			ck_assert_uint_eq(p[i][size[i] - 1], (unsigned)i);
		p[i][n - 1] = (unsigned)i;
		size[i] = n;
	}
	for (int i = 0; i < N; i++)
		umem_malloc_free(p[i]);
}
END_TEST

START_TEST(calloc_of_large_fresh_and_used_memory_is_zero)
{
	for (int round = 0; round < 4; round++) {
		unsigned char *p = umem_calloc(3, 1000000);

		for (size_t i = 0; i < 3000000; i += 97)
			ck_assert_uint_eq(p[i], 0);
		memset(p, 0xee, 3000000);
		umem_malloc_free(p);
	}
	errno = 0;
	ck_assert_ptr_null(umem_calloc(SIZE_MAX / 2, 3));
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

START_TEST(absurd_sizes_fail_with_enomem)
{
	errno = 0;
	ck_assert_ptr_null(umem_malloc(SIZE_MAX));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(umem_memalign(64, SIZE_MAX - 10));
	ck_assert_int_eq(errno, ENOMEM);
	errno = 0;
	ck_assert_ptr_null(umem_reallocarray(NULL, SIZE_MAX / 4, 8));
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

static void
free_bad(void *arg)
{
	umem_malloc_free(arg);
}

START_TEST(freeing_what_is_not_ours_is_refused_without_debugging)
{
	struct capture cap;
	int local = 0;
	char *large = umem_malloc(2000000);

	capture_expect_abort(&cap, free_bad, &local,
	    "umem: free of an address that is not umem's");
	capture_expect_abort(&cap, free_bad, (void *)0x123456789abcdef0,
	    "umem: free of an address that is not umem's");
	capture_expect_abort(&cap, free_bad, large + 100000,
	    "umem: free of an address inside a buffer");
	umem_malloc_free(large);
	capture_expect_abort(&cap, free_bad, large, "umem: buffer freed twice");
}
END_TEST

/* --------------------------------------------------------- threads, fork */

enum { SLOTS = 1024, THREADS = 4, OPS = 60000 };
static _Atomic(unsigned *) slot[SLOTS];

/* Each buffer says its size in every word; any thread frees any buffer. */
static void *
churn(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < OPS; i++) {
		unsigned n, k, *p, *old;

		seed = seed * 1664525 + 1013904223;
		n = (seed >> 8) % 300 + 1;
		if ((seed & 0xff) == 0)
			n *= 1000;
		k = (seed >> 16) % SLOTS;
		p = umem_malloc(n * sizeof(*p));
		for (unsigned w = 0; w < n; w++)
			p[w] = n;
		old = atomic_exchange(&slot[k], p);
		if (old == NULL)
			continue;
		for (unsigned w = 1, m = old[0]; w < m; w++)
			if (old[w] != m)
				return (void *)1;
		umem_malloc_free(old);
	}
	return NULL;
}

static void
run_churn(void)
{
	pthread_t t[THREADS];
	void *bad;

	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&t[i], NULL, churn, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &bad);
		ck_assert_ptr_null(bad);
	}
	for (int i = 0; i < SLOTS; i++)
		umem_malloc_free(atomic_exchange(&slot[i], NULL));
}

START_TEST(buffers_that_change_threads_stay_whole)
{
	run_churn();
}
END_TEST

static unsigned
caches_in_use(void)
{
	unsigned n = 0;

	for (umem_tcache_t *tc = umem_root.root_tcaches; tc != NULL;
	     tc = tc->tc_next)
		n += tc->tc_state == UMEM_TC_LIVE;
	return n;
}

START_TEST(ended_threads_leave_nothing_cached_and_caches_are_reused)
{
	uint64_t made;

	run_churn();
	ck_assert_uint_le(caches_in_use(), 2);
	made = umem_root.root_thread_count;
	run_churn();
	ck_assert_uint_le(umem_root.root_thread_count, made + 2);
	for (umem_tcache_t *tc = umem_root.root_tcaches; tc != NULL;
	     tc = tc->tc_next)
		if (tc->tc_state == UMEM_TC_FREE)
			for (unsigned i = 0; i < UMEM_TC_BINS; i++)
				ck_assert_ptr_null(tc->tc_bin[i].tb_base);
	umem_reap();
	for (umem_cache_t *cp = umem_root.root_caches; cp != NULL;
	     cp = cp->cache_next)
		ck_assert_uint_eq(cp->cache_magfull.ml_total, 0);
}
END_TEST

static int stop;

static void *
churn_on(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		void *p = umem_malloc((uintptr_t)arg * 100);

		umem_malloc_free(umem_malloc(3000));
		umem_malloc_free(p);
	}
	return NULL;
}

START_TEST(children_of_a_busy_process_can_allocate)
{
	pthread_t t[2];
	int status;

#ifdef __SANITIZE_THREAD__
	return; /* that sanitizer's runtime does not survive it */
#endif
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, churn_on, (void *)(i + 1));
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			for (int k = 1; k < 2000; k++)
				umem_malloc_free(umem_malloc((size_t)k * 37));
			_exit(0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}
END_TEST

Suite *
test_umem_suite(void)
{
	Suite *s = suite_create("umem");
	TCase *alloc = tcase_create("umem_alloc");
	TCase *fail = tcase_create("out of memory");
	TCase *family = tcase_create("malloc");
	TCase *threads = tcase_create("threads and fork");

	tcase_add_test(alloc, every_size_is_served_aligned_and_apart);
	tcase_add_test(alloc, zero_bytes_are_no_buffer);
	tcase_add_test(alloc, zalloc_clears_reused_memory);
	tcase_add_test(alloc, alignment_is_given_or_refused);
	tcase_add_test(fail, nofail_calls_back_until_it_works);
	tcase_add_test(fail, mtbf_of_one_fails_all_and_of_zero_none);
	tcase_add_test(fail, nofail_leaves_as_the_callback_says);
	tcase_add_test(fail, an_address_space_limit_is_an_error_not_a_crash);
	tcase_add_test(family, realloc_keeps_contents_however_it_grows);
	tcase_add_test(family, realloc_grows_with_room_for_the_next_step);
	tcase_add_test(family, realloc_of_many_large_buffers_keeps_them_apart);
	tcase_add_test(family, calloc_of_large_fresh_and_used_memory_is_zero);
	tcase_add_test(family, absurd_sizes_fail_with_enomem);
	tcase_add_test(
	    family, freeing_what_is_not_ours_is_refused_without_debugging);
	tcase_add_test(threads, buffers_that_change_threads_stay_whole);
	tcase_add_test(
	    threads, ended_threads_leave_nothing_cached_and_caches_are_reused);
	tcase_add_test(threads, children_of_a_busy_process_can_allocate);
	suite_add_tcase(s, alloc);
	suite_add_tcase(s, fail);
	suite_add_tcase(s, family);
	suite_add_tcase(s, threads);
	return s;
}
