/* SPDX-License-Identifier: MIT */
/*
 * test_trace.c - each trace once, whoever asks, as long as there is memory
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "root.h"
#include "suites.h"
#include "trace.h"
#include "util.h"

#define MANY 40000u /* traces: several pieces of them */
#define THREADS 4

/* frames - trace @i: its stack, and how deep that is */
static unsigned
frames(uint32_t i, uint64_t *pcs)
{
	const unsigned depth = 1 + i % 31;

	for (unsigned k = 0; k < depth; k++)
		pcs[k] = 0x1000u + k;
	pcs[i % depth] += (uint64_t)i << 16;
	return depth;
}

static uint32_t
number(uint32_t i)
{
	uint64_t pcs[UMEM_MAX_DEPTH];
	const unsigned depth = frames(i, pcs);

	return trace_number(pcs, depth);
}

static int
reads_back(uint32_t n, uint32_t i)
{
	uint64_t pcs[UMEM_MAX_DEPTH];
	const unsigned want = frames(i, pcs);
	const uint64_t *stack;
	size_t depth;

	stack = trace_get(n, &depth);
	return depth == want && memcmp(stack, pcs, want * sizeof(*pcs)) == 0;
}

START_TEST(a_trace_has_one_number_and_is_read_back_by_it)
{
	static uint32_t n[MANY];
	uint32_t last = 0;

	trace_init();
	for (uint32_t i = 0; i < MANY; i++) {
		n[i] = number(i);
		ck_assert_uint_gt(n[i], last); /* so none has two */
		last = n[i];
	}
	for (uint32_t i = 0; i < MANY; i++) {
		ck_assert_uint_eq(number(i), n[i]);
		ck_assert(reads_back(n[i], i));
	}
	ck_assert_ptr_nonnull(umem_root.root_traces[2]);
	ck_assert_ptr_null(umem_root.root_traces[UMEM_TRACE_PIECES - 1]);
	ck_assert_uint_gt(umem_root.root_trace_end, last);
}
END_TEST

START_TEST(the_deepest_trace_is_kept_whole)
{
	uint64_t pcs[UMEM_MAX_DEPTH];
	size_t depth;

	for (unsigned i = 0; i < UMEM_MAX_DEPTH; i++)
		pcs[i] = i * 7;
	trace_init();
	/* so many of them that one would lie in two pieces */
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t n;

		pcs[UMEM_MAX_DEPTH - 1] = i;
		n = trace_number(pcs, UMEM_MAX_DEPTH);
		ck_assert_mem_eq(
		    trace_get(n, &depth), pcs, UMEM_MAX_DEPTH * sizeof(*pcs));
		ck_assert_uint_eq(depth, UMEM_MAX_DEPTH);
	}
}
END_TEST

START_TEST(no_frames_and_no_such_number)
{
	size_t depth;

	ck_assert_uint_eq(number(1), 0); /* before the beginning */
	ck_assert_ptr_null(trace_get(1, &depth));
	trace_init();
	ck_assert_uint_eq(trace_number(NULL, 0), 0);
	ck_assert_ptr_null(trace_get(0, &depth));
	ck_assert_ptr_null(trace_get(number(1) + 100, &depth));
	ck_assert_ptr_null(trace_get(UINT32_MAX, &depth));
	ck_assert_uint_eq(depth, 0);
}
END_TEST

static void *
ask_for_all(void *arg)
{
	uint32_t *n = arg;

	for (uint32_t i = 0; i < MANY; i++)
		n[i] = number(i);
	return NULL;
}

START_TEST(threads_that_ask_at_once_get_the_same_numbers)
{
	static uint32_t n[THREADS][MANY];
	pthread_t thread[THREADS];

	trace_init();
	for (int t = 0; t < THREADS; t++)
		ck_assert_int_eq(
		    pthread_create(&thread[t], NULL, ask_for_all, n[t]), 0);
	for (int t = 0; t < THREADS; t++)
		pthread_join(thread[t], NULL);
	for (int t = 1; t < THREADS; t++)
		ck_assert_mem_eq(n[t], n[0], sizeof(n[0]));
	for (uint32_t i = 0; i < MANY; i++)
		ck_assert(reads_back(n[0][i], i));
}
END_TEST

/* Sanitizers want memory of their own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void
ask_without_memory(void *arg)
{
	struct rlimit limit = {1u << 20, 1u << 20};

	(void)arg;
	trace_init();
	ck_assert_uint_ne(number(0), 0);
	setrlimit(RLIMIT_AS, &limit);
	for (uint32_t i = 1; i < MANY; i++) {
		const uint32_t n = number(i);

		if (n == 0) /* those that there are keep theirs */
			exit(
			    reads_back(number(0), 0) && number(1) != 0 ? 0 : 1);
		if (!reads_back(n, i))
			exit(2);
	}
	exit(3);
}

START_TEST(without_memory_there_is_no_number_and_a_message)
{
	static struct capture cap;

	umem_root.root_output = UMEM_OUTPUT_ALL;
	capture_expect_exit(&cap, ask_without_memory, NULL, 0,
	    "umem: no memory for more traces");
}
END_TEST
#endif

Suite *
test_trace_suite(void)
{
	Suite *s = suite_create("trace");
	TCase *tc = tcase_create("traces");

	tcase_add_test(tc, a_trace_has_one_number_and_is_read_back_by_it);
	tcase_add_test(tc, the_deepest_trace_is_kept_whole);
	tcase_add_test(tc, no_frames_and_no_such_number);
	tcase_add_test(tc, threads_that_ask_at_once_get_the_same_numbers);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_test(tc, without_memory_there_is_no_number_and_a_message);
#endif
	suite_add_tcase(s, tc);
	return s;
}
