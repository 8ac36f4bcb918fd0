/* SPDX-License-Identifier: MIT */
/*
 * test_cache.c - object caches: construction, reuse, layout, misuse
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "cache.h"
#include "pagemap.h"
#include "root.h"
#include "slab.h"
#include "suites.h"
#include "tcache.h"
#include "umem.h"
#include "util.h"
#include "vmem.h"

enum { MANY = 5000, THREADS = 4, ROUNDS = 500 };

static int constructed, destructed, refuse;
static void *buffers[MANY];

static int
construct(void *buf, void *arg, int flags)
{
	(void)flags;
	if (refuse)
		return -1;
	constructed++;
	*(void **)buf = arg;
	return 0;
}

static void
destruct(void *buf, void *arg)
{
	ck_assert_ptr_eq(*(void **)buf, arg);
	destructed++;
}

static umem_cache_t *
object_cache(int cflags)
{
	umem_cache_t *cp;

	constructed = destructed = refuse = 0;
	cp = umem_cache_create(
	    "test", 100, 0, construct, destruct, NULL, buffers, NULL, cflags);
	ck_assert_ptr_nonnull(cp);
	return cp;
}

static void
take_many(umem_cache_t *cp, int n)
{
	for (int i = 0; i < n; i++) {
		buffers[i] = umem_cache_alloc(cp, UMEM_DEFAULT);
		ck_assert_ptr_nonnull(buffers[i]);
	}
}

static void
free_many(umem_cache_t *cp, int n)
{
	for (int i = 0; i < n; i++)
		umem_cache_free(cp, buffers[i]);
}

START_TEST(objects_stay_constructed_while_they_are_free)
{
	umem_cache_t *cp = object_cache(0);

	take_many(cp, 50);
	ck_assert_int_eq(constructed, 50);
	free_many(cp, 50);
	ck_assert_int_eq(destructed, 0);
	take_many(cp, 50);
	ck_assert_int_eq(constructed, 50);
	for (int i = 0; i < 50; i++)
		ck_assert_ptr_eq(*(void **)buffers[i], buffers);
	free_many(cp, 50);
	umem_cache_destroy(cp);
	ck_assert_int_eq(destructed, 50);
}
END_TEST

START_TEST(every_object_is_destructed_once_at_the_end)
{
	umem_cache_t *cp = object_cache(0);

	take_many(cp, MANY);
	free_many(cp, MANY);
	take_many(cp, MANY / 2);
	free_many(cp, MANY / 2);
	umem_cache_destroy(cp);
	ck_assert_int_eq(constructed, destructed);
	ck_assert_int_ge(constructed, MANY);
}
END_TEST

START_TEST(checked_objects_are_constructed_at_each_allocation)
{
	umem_cache_t *cp = object_cache(UMF_REDZONE | UMF_DEADBEEF);

	take_many(cp, 10);
	free_many(cp, 10);
	ck_assert_int_eq(destructed, 10);
	take_many(cp, 10);
	ck_assert_int_eq(constructed, 20);
	free_many(cp, 10);
	umem_cache_destroy(cp);
	ck_assert_int_eq(destructed, 20);
}
END_TEST

START_TEST(failing_constructor_fails_the_allocation)
{
	umem_cache_t *cp = object_cache(0);
	umem_cache_t *checked;

	refuse = 1;
	ck_assert_ptr_null(umem_cache_alloc(cp, UMEM_DEFAULT));
	ck_assert_uint_eq(cp->cache_bufslab, 0);
	umem_cache_destroy(cp);

	checked = object_cache(UMF_REDZONE);
	refuse = 1;
	ck_assert_ptr_null(umem_cache_alloc(checked, UMEM_DEFAULT));
	umem_cache_destroy(checked);
	ck_assert_int_eq(destructed, 0);
}
END_TEST

START_TEST(bad_requests_are_refused)
{
	errno = 0;
	ck_assert_ptr_null(
	    umem_cache_create(NULL, 10, 0, NULL, NULL, NULL, NULL, NULL, 0));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(
	    umem_cache_create("x", 0, 0, NULL, NULL, NULL, NULL, NULL, 0));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(
	    umem_cache_create("x", 10, 24, NULL, NULL, NULL, NULL, NULL, 0));
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_ptr_null(umem_cache_create(
	    "x", SIZE_MAX / 2, 0, NULL, NULL, NULL, NULL, NULL, 0));
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

/* No two buffers overlap, all are aligned, all can be written in full. */
static void
check_layout(size_t size, size_t align, int cflags)
{
	umem_cache_t *cp = umem_cache_create(
	    "layout", size, align, NULL, NULL, NULL, NULL, NULL, cflags);
	int n = size > 100000 ? 20 : 300;

	ck_assert_ptr_nonnull(cp);
	take_many(cp, n);
	for (int i = 0; i < n; i++) {
		ck_assert_uint_eq(
		    (uintptr_t)buffers[i] & ((align ? align : 8) - 1), 0);
		memset(buffers[i], i, size);
	}
	for (int i = 0; i < n; i++) {
		unsigned char *p = buffers[i];

		ck_assert_uint_eq(p[0], (unsigned char)i);
		ck_assert_uint_eq(p[size - 1], (unsigned char)i);
		ck_assert_ptr_eq(pagemap_slab(p)->slab_cache, cp);
		ck_assert_int_ge(slab_index(pagemap_slab(p), p), 0);
	}
	free_many(cp, n);
	umem_cache_destroy(cp);
}

START_TEST(any_size_and_alignment_is_laid_out_soundly)
{
	static const size_t size[] = {1, 7, 8, 9, 16, 24, 100, 255, 1000, 4095,
	    4096, 4097, 8200, 32768, 70000, 262144, 300000, 1100000};
	static const size_t align[] = {0, 8, 16, 64, 512, 4096, 16384};

	for (size_t s = 0; s < sizeof(size) / sizeof(size[0]); s++)
		for (size_t a = 0; a < sizeof(align) / sizeof(align[0]); a++) {
			check_layout(size[s], align[a], 0);
			check_layout(
			    size[s], align[a], UMF_REDZONE | UMF_DEADBEEF);
			check_layout(size[s], align[a], UMF_AUDIT);
			check_layout(size[s], align[a], UMC_NOMAGAZINE);
		}
}
END_TEST

START_TEST(counts_agree_with_what_was_done)
{
	umem_cache_t *cp = object_cache(UMC_NOMAGAZINE);

	take_many(cp, 1000);
	ck_assert_uint_eq(cp->cache_slab_alloc, 1000);
	ck_assert_uint_eq(cp->cache_bufslab, 1000);
	ck_assert_uint_ge(cp->cache_buftotal, 1000);
	free_many(cp, 1000);
	ck_assert_uint_eq(cp->cache_slab_free, 1000);
	ck_assert_uint_eq(cp->cache_bufslab, 0);
	ck_assert_uint_le(cp->cache_slab_create - cp->cache_slab_destroy, 1);
	umem_cache_destroy(cp);
}
END_TEST

/* resident - how many of the slab's bytes have memory behind them */
static size_t
resident(const umem_slab_t *sp)
{
	unsigned char in[1u << 20 >> UMEM_PAGE_SHIFT];
	size_t n = 0;

	ck_assert_int_eq(mincore(sp->slab_base, sp->slab_size, in), 0);
	for (size_t i = 0; i < sp->slab_size >> UMEM_PAGE_SHIFT; i++)
		n += in[i] & 1;
	return n << UMEM_PAGE_SHIFT;
}

/* Buffers that nobody has written to yet: what is resident was asked for. */
START_TEST(slab_gets_memory_a_little_ahead_of_its_buffers)
{
	umem_cache_t *cp = umem_cache_create(
	    "ahead", 512, 0, NULL, NULL, NULL, NULL, NULL, UMC_NOMAGAZINE);
	size_t used, now, most = 0;
	umem_slab_t *sp;

	for (int i = 0; i < MANY; i++) {
		buffers[i] = umem_cache_alloc(cp, UMEM_DEFAULT);
		sp = pagemap_slab(buffers[i]);
		used = (size_t)((char *)buffers[i] - (char *)sp->slab_base);
		now = resident(sp);
		ck_assert_uint_le(now, used + 40 * 1024);
		ck_assert_uint_le(now, used + cp->cache_bufslab * 128 + 8192);
		if (now > used + most)
			most = now - used;
	}
	/* an old kernel gives none */
	ck_assert(most == 0 || most > UMEM_PAGE_SIZE);
	free_many(cp, MANY);
	umem_cache_destroy(cp);
}
END_TEST

START_TEST(destroyed_cache_leaves_the_list_and_its_bin)
{
	umem_cache_t *cp = object_cache(0);
	uint32_t bin = cp->cache_bin;
	umem_cache_t *other;

	take_many(cp, 200);
	free_many(cp, 200);
	umem_cache_destroy(cp);
	for (other = umem_root.root_caches; other != NULL;
	     other = other->cache_next)
		ck_assert_str_ne(other->cache_name, "test");
	ck_assert_ptr_null(umem_tc->tc_bin[bin].tb_base);
	ck_assert_ptr_null(umem_tc->tc_bin[bin].tb_prev);
	other = object_cache(0);
	ck_assert_uint_eq(other->cache_bin, bin);
	umem_cache_destroy(other);
}
END_TEST

START_TEST(caches_beyond_the_bins_work_without_thread_caches)
{
	static umem_cache_t *many[400];
	void *p;

	for (int i = 0; i < 400; i++) {
		many[i] = umem_cache_create(
		    "many", 64, 0, NULL, NULL, NULL, NULL, NULL, 0);
		ck_assert_ptr_nonnull(many[i]);
	}
	ck_assert_uint_eq(many[399]->cache_bin, 0);
	for (int i = 0; i < 400; i++) {
		p = umem_cache_alloc(many[i], UMEM_DEFAULT);
		ck_assert_ptr_nonnull(p);
		umem_cache_free(many[i], p);
		umem_cache_destroy(many[i]);
	}
}
END_TEST

static void
destroy_in_use(void *arg)
{
	umem_cache_t *cp = object_cache(0);

	(void)arg;
	umem_root.root_output = UMEM_OUTPUT_ERRORS | UMEM_OUTPUT_ALL;
	take_many(cp, 3);
	umem_cache_destroy(cp);
}

START_TEST(destroying_a_cache_in_use_is_told)
{
	struct capture cap;

	capture_expect_exit(&cap, destroy_in_use, NULL, 0,
	    "cache test destroyed while 3 of its buffers were in use");
}
END_TEST

static void
free_twice(void *arg)
{
	umem_cache_t *cp = object_cache(*(int *)arg);

	take_many(cp, 1);
	umem_cache_free(cp, buffers[0]);
	umem_cache_free(cp, buffers[0]);
	umem_cache_destroy(cp);
}

START_TEST(freeing_twice_is_found_at_once_or_when_it_gets_to_the_slab)
{
	int none = 0, guards = UMF_REDZONE;
	struct capture cap;

	capture_expect_abort(
	    &cap, free_twice, &guards, "umem: buffer freed twice");
	capture_expect_abort(
	    &cap, free_twice, &none, "umem: buffer freed twice");
}
END_TEST

static void
free_to_other(void *arg)
{
	umem_cache_t *cp = object_cache(UMF_REDZONE);
	umem_cache_t *other = umem_cache_create(
	    "other", 100, 0, NULL, NULL, NULL, NULL, NULL, UMF_REDZONE);

	(void)arg;
	take_many(cp, 1);
	umem_cache_free(other, buffers[0]);
}

START_TEST(freeing_to_another_cache_names_both)
{
	struct capture cap;

	capture_expect_abort(&cap, free_to_other, NULL, "test");
	ck_assert_ptr_nonnull(strstr(cap.text, "other"));
}
END_TEST

/* An arena of numbers, not of memory. */
START_TEST(cache_of_what_is_not_memory_touches_nothing)
{
	vmem_t *ids = vmem_create(
	    "ids", (void *)1000, 100, 1, NULL, NULL, NULL, 0, VM_NOSLEEP);
	umem_cache_t *cp = umem_cache_create(
	    "ids", 1, 0, NULL, NULL, NULL, NULL, ids, (int)UMC_NOTOUCH);
	uintptr_t seen = 0;
	void *id;

	ck_assert_ptr_nonnull(cp);
	for (int i = 0; i < 10; i++) {
		id = umem_cache_alloc(cp, UMEM_DEFAULT);
		ck_assert_uint_ge((uintptr_t)id, 1000);
		ck_assert_uint_lt((uintptr_t)id, 1100);
		seen |= (uintptr_t)1 << ((uintptr_t)id - 1000) % 64;
		buffers[i] = id;
	}
	ck_assert_int_eq(__builtin_popcountl(seen), 10);
	free_many(cp, 10);
	umem_cache_destroy(cp);
	ck_assert_uint_eq(vmem_size(ids, VMEM_ALLOC), 0);
	vmem_destroy(ids);
}
END_TEST

static int reclaims;

static void
reclaim(void *arg)
{
	(void)arg;
	reclaims++;
}

START_TEST(reap_empties_the_magazines_and_calls_reclaim)
{
	umem_cache_t *cp = umem_cache_create(
	    "reaped", 200, 0, construct, destruct, reclaim, buffers, NULL, 0);

	constructed = destructed = refuse = reclaims = 0;
	take_many(cp, MANY);
	free_many(cp, MANY);
	umem_reap();
	ck_assert_int_eq(reclaims, 1);
	ck_assert_int_eq(destructed, constructed);
	ck_assert_uint_eq(cp->cache_bufslab, 0);
	ck_assert_uint_eq(cp->cache_buftotal, 0);
	umem_reap();
	ck_assert_int_eq(reclaims, 1); /* not so soon again */
	umem_cache_destroy(cp);
}
END_TEST

/* ---------------------------------------------- while others walk the list */

static umem_cache_t *watched;
static int inside, destroyed;

/* Whoever reaps stays here until the cache is about to be destroyed. */
static void
destruct_slowly(void *buf, void *arg)
{
	__atomic_store_n(&inside, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&watched->cache_closed, __ATOMIC_ACQUIRE))
		sched_yield();
	destruct(buf, arg);
	ck_assert_int_eq(__atomic_load_n(&destroyed, __ATOMIC_ACQUIRE), 0);
}

static void *
reap(void *arg)
{
	umem_reap();
	return arg;
}

START_TEST(destroying_a_cache_waits_for_those_who_visit_it)
{
	pthread_t reaper;

	constructed = destructed = 0;
	watched = umem_cache_create("watched", 100, 0, construct,
	    destruct_slowly, NULL, buffers, NULL, 0);
	take_many(watched, MANY);
	free_many(watched, MANY);
	pthread_create(&reaper, NULL, reap, NULL);
	while (!__atomic_load_n(&inside, __ATOMIC_ACQUIRE))
		sched_yield();
	umem_cache_destroy(watched);
	__atomic_store_n(&destroyed, 1, __ATOMIC_RELEASE);
	pthread_join(reaper, NULL);
	ck_assert_int_eq(destructed, constructed);
}
END_TEST

START_TEST(destroying_a_cache_gives_its_room_in_thread_caches_back)
{
	uint32_t before = umem_tc->tc_capacity;
	umem_cache_t *cp = object_cache(0);

	take_many(cp, MANY);
	free_many(cp, MANY);
	ck_assert_uint_gt(umem_tc->tc_capacity, before);
	umem_cache_destroy(cp);
	ck_assert_uint_eq(umem_tc->tc_capacity, before);
}
END_TEST

/* A thread that has magazines of a cache, and ends. */
static void *
use_and_end(void *arg)
{
	void *mine[200];

	for (int i = 0; i < 200; i++)
		mine[i] = umem_cache_alloc(arg, UMEM_DEFAULT);
	for (int i = 0; i < 200; i++)
		umem_cache_free(arg, mine[i]);
	return NULL;
}

static void *
create_and_destroy(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		umem_cache_t *cp = umem_cache_create(
		    "short", 100, 0, NULL, NULL, NULL, NULL, NULL, 0);
		pthread_t user;

		pthread_create(&user, NULL, use_and_end, cp);
		use_and_end(cp);
		pthread_join(user, NULL);
		umem_reap();
		umem_cache_destroy(cp);
	}
	return NULL;
}

static void
destroy_in_many_threads(void *arg)
{
	pthread_t thread[THREADS];

	(void)arg;
	umem_root.root_output = UMEM_OUTPUT_ERRORS | UMEM_OUTPUT_ALL;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, create_and_destroy, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

START_TEST(caches_are_destroyed_while_others_reap_and_threads_end)
{
	struct capture cap;

	capture_expect_exit(&cap, destroy_in_many_threads, NULL, 0, NULL);
}
END_TEST

Suite *
test_cache_suite(void)
{
	Suite *s = suite_create("cache");
	TCase *objects = tcase_create("objects");
	TCase *layout = tcase_create("layout");
	TCase *threads = tcase_create("threads");
	TCase *misuse = tcase_create("misuse");

	tcase_add_test(objects, objects_stay_constructed_while_they_are_free);
	tcase_add_test(objects, every_object_is_destructed_once_at_the_end);
	tcase_add_test(
	    objects, checked_objects_are_constructed_at_each_allocation);
	tcase_add_test(objects, failing_constructor_fails_the_allocation);
	tcase_add_test(objects, reap_empties_the_magazines_and_calls_reclaim);
	tcase_add_test(objects, cache_of_what_is_not_memory_touches_nothing);
	tcase_add_test(layout, any_size_and_alignment_is_laid_out_soundly);
	tcase_add_test(layout, counts_agree_with_what_was_done);
	tcase_add_test(layout, slab_gets_memory_a_little_ahead_of_its_buffers);
	tcase_add_test(layout, destroyed_cache_leaves_the_list_and_its_bin);
	tcase_add_test(
	    layout, caches_beyond_the_bins_work_without_thread_caches);
	tcase_add_test(
	    threads, destroying_a_cache_waits_for_those_who_visit_it);
	tcase_add_test(
	    threads, destroying_a_cache_gives_its_room_in_thread_caches_back);
	tcase_add_test(
	    threads, caches_are_destroyed_while_others_reap_and_threads_end);
	tcase_add_test(misuse, bad_requests_are_refused);
	tcase_add_test(misuse, destroying_a_cache_in_use_is_told);
	tcase_add_test(
	    misuse, freeing_twice_is_found_at_once_or_when_it_gets_to_the_slab);
	tcase_add_test(misuse, freeing_to_another_cache_names_both);
	suite_add_tcase(s, objects);
	suite_add_tcase(s, layout);
	suite_add_tcase(s, threads);
	suite_add_tcase(s, misuse);
	return s;
}
