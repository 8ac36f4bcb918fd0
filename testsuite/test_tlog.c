/* SPDX-License-Identifier: MIT */
/*
 * test_tlog.c - rings of chunks: order, loss of the oldest only, threads
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "root.h"
#include "suites.h"
#include "tlog.h"
#include "util.h"

#define RECSIZE sizeof(umem_bufctl_audit_t)

/* make_logs - with @slots slots, of these sizes */
static void
make_logs(unsigned slots, uint64_t transaction, uint64_t contents)
{
	umem_root.root_contents = 64;
	umem_settings.set_concurrency = slots;
	umem_settings.set_log_transaction = transaction;
	umem_settings.set_log_contents = contents;
	tlog_init();
}

static umem_bufctl_audit_t
record_number(uint64_t n)
{
	umem_bufctl_audit_t bc = {
	    .bc_addr = (void *)(uintptr_t)(n << 8),
	    .bc_timestamp = n,
	    .bc_size = n * 3,
	    .bc_slab = (void *)(uintptr_t)(n * 5),
	    .bc_cache = (void *)(uintptr_t)(n * 7),
	    .bc_lastlog = (void *)(uintptr_t)(n * 11),
	    .bc_contents = (void *)(uintptr_t)(n * 13),
	    .bc_thread = (uint32_t)n + 1,
	    .bc_trace = (uint32_t)n * 17 % (1u << UMEM_TRACE_BITS),
	    .bc_kind = UMEM_BC_ALLOC,
	};

	return bc;
}

/* is_record - the log holds record @n there, all of it */
static int
is_record(const umem_bufctl_audit_t *bc, uint64_t n)
{
	const umem_bufctl_audit_t want = record_number(n);

	return memcmp(bc, &want, sizeof(want)) == 0;
}

static const umem_bufctl_audit_t *
log_entry(const umem_log_header_t *log, uint64_t chunk, uint64_t i)
{
	return (const void *)((const char *)log->lh_base +
			      chunk * log->lh_chunksize + i * log->lh_recsize);
}

/* count_in - how often record @n stands anywhere in the log */
static int
count_in(const umem_log_header_t *log, uint64_t n)
{
	int count = 0;

	for (uint64_t c = 0; c < log->lh_nchunks; c++)
		for (uint64_t i = 0; i < log->lh_chunksize / RECSIZE; i++)
			count += is_record(log_entry(log, c, i), n);
	return count;
}

START_TEST(log_has_the_shape_that_was_asked_for)
{
	const umem_log_header_t *log;

	make_logs(3, 1u << 20, 0);
	log = umem_root.root_log_transaction;
	ck_assert_ptr_nonnull(log);
	ck_assert_ptr_null(umem_root.root_log_contents);
	ck_assert_uint_eq(umem_root.root_logging, 1);
	ck_assert_uint_eq(log->lh_nslots, 4);
	ck_assert_uint_eq(log->lh_nchunks, 64);
	ck_assert_uint_eq(log->lh_chunksize, 16384);
	ck_assert_uint_eq(log->lh_recsize, RECSIZE);
	for (uint64_t i = 0; i < 4; i++)
		ck_assert_uint_eq(log->lh_slot[i].ls_chunk, i);
}
END_TEST

START_TEST(small_log_has_four_chunks_a_slot_and_four_records_a_chunk)
{
	const umem_log_header_t *log;

	umem_settings.set_log_fail = 1;
	make_logs(2, 1, 1);
	log = umem_root.root_log_transaction;
	ck_assert_uint_eq(log->lh_nchunks, 8);
	ck_assert_uint_eq(log->lh_chunksize, 4096);
	log = umem_root.root_log_fail;
	ck_assert_uint_eq(log->lh_nchunks, 8);
	umem_root.root_contents = 5000;
	make_logs(2, 1, 1);
	log = umem_root.root_log_contents;
	ck_assert_uint_eq(log->lh_recsize, 0);
	ck_assert_uint_ge(log->lh_chunksize, 4 * (64 + 24));
}
END_TEST

START_TEST(without_logs_nothing_is_logged)
{
	umem_bufctl_audit_t r = record_number(1);

	make_logs(1, 0, 0);
	ck_assert_uint_eq(umem_root.root_logging, 0);
	ck_assert_ptr_null(tlog_record(NULL, &r, 0));
	ck_assert_ptr_null(tlog_contents(&r, sizeof(r), 1, 0));
}
END_TEST

static void
make_log_without_memory(void *arg)
{
	struct rlimit limit = {1u << 20, 1u << 20};

	(void)arg;
	setrlimit(RLIMIT_AS, &limit);
	make_logs(1, 1u << 30, 0);
	if (umem_root.root_log_transaction != NULL ||
	    umem_root.root_logging != 0)
		_exit(1);
}

START_TEST(log_that_finds_no_memory_is_reported_and_left_out)
{
	static struct capture cap;

	capture_expect_exit(&cap, make_log_without_memory, NULL, 0,
	    "umem: no memory for the transaction log of 1073741824 bytes: "
	    "there is none\n");
}
END_TEST

START_TEST(records_stand_in_order_in_their_chunk)
{
	umem_log_header_t *log;
	umem_bufctl_audit_t r;

	make_logs(1, 1, 0);
	log = umem_root.root_log_transaction;
	for (uint64_t n = 1; n <= log->lh_chunksize / RECSIZE; n++) {
		r = record_number(n);
		ck_assert_ptr_eq(
		    tlog_record(log, &r, 0), log_entry(log, 0, n - 1));
		ck_assert(is_record(log_entry(log, 0, n - 1), n));
	}
	ck_assert_uint_eq(log->lh_hits, 0);
	tlog_record(log, &r, 0);
	ck_assert_uint_eq(log->lh_hits, 1);
	ck_assert_uint_eq(log->lh_slot[0].ls_chunk, 1);
	ck_assert_uint_eq(log->lh_slot[0].ls_used, RECSIZE);
}
END_TEST

START_TEST(only_the_oldest_records_are_lost)
{
	umem_log_header_t *log;
	uint64_t room, total, n;
	umem_bufctl_audit_t r;

	make_logs(2, 1, 0);
	log = umem_root.root_log_transaction;
	room = log->lh_chunksize / RECSIZE;
	total = 10 * log->lh_nchunks * room + 3;
	for (n = 1; n <= total; n++) {
		r = record_number(n);
		tlog_record(log, &r, 0);
	}
	/* the other slot keeps a chunk for itself */
	for (n = total - (log->lh_nchunks - 1) * room + 1; n <= total; n++)
		ck_assert_int_eq(count_in(log, n), 1);
	ck_assert_uint_eq(log->lh_slot[0].ls_records, total);
	ck_assert_uint_eq(log->lh_slot[1].ls_records, 0);
}
END_TEST

START_TEST(ring_holds_the_full_chunks_oldest_first)
{
	umem_log_header_t *log;
	uint64_t room, at, oldest = 0;
	umem_bufctl_audit_t r;

	make_logs(1, 1, 0);
	log = umem_root.root_log_transaction;
	room = log->lh_chunksize / RECSIZE;
	for (uint64_t n = 1; n <= 7 * log->lh_nchunks * room; n++) {
		r = record_number(n);
		tlog_record(log, &r, 0);
	}
	for (uint64_t i = 0; i < log->lh_nchunks - 1; i++) {
		at = (log->lh_head + i) % log->lh_nchunks;
		r = *log_entry(log, log->lh_ring[at], 0);
		ck_assert_uint_gt(r.bc_timestamp, oldest);
		oldest = r.bc_timestamp;
	}
	r = *log_entry(log, log->lh_slot[0].ls_chunk, 0);
	ck_assert_uint_gt(r.bc_timestamp, oldest);
}
END_TEST

START_TEST(pause_keeps_what_is_there)
{
	umem_bufctl_audit_t r = record_number(7);
	umem_log_header_t *log;

	make_logs(1, 1, 1);
	log = umem_root.root_log_transaction;
	tlog_pause(1);
	ck_assert_ptr_null(tlog_record(log, &r, 0));
	ck_assert_ptr_null(tlog_contents(&r, 8, 7, 0));
	ck_assert_uint_eq(umem_root.root_logging, 1);
	tlog_pause(0);
	ck_assert_ptr_nonnull(tlog_record(log, &r, 0));
}
END_TEST

START_TEST(contents_follow_each_other_up_to_an_empty_one)
{
	static const char text[] = "the contents of a buffer";
	const umem_contents_t *ct, *next;

	make_logs(1, 0, 1);
	for (size_t n = 0; n < sizeof(text); n++) {
		ct = tlog_contents(text, n, n + 1, 0);
		ck_assert_uint_eq(ct->ct_addr, (uintptr_t)text);
		ck_assert_uint_eq(ct->ct_timestamp, n + 1);
		ck_assert_uint_eq(ct->ct_size, n);
		ck_assert_mem_eq(ct + 1, text, n);
		next = (const void *)((const char *)(ct + 1) + (n + 7) / 8 * 8);
		ck_assert_uint_eq(next->ct_addr, 0);
	}
	ct = umem_root.root_log_contents->lh_base;
	for (size_t n = 0; n < sizeof(text); n++) {
		ck_assert_uint_eq(ct->ct_size, n);
		ct = (const void *)((const char *)(ct + 1) + (n + 7) / 8 * 8);
	}
}
END_TEST

START_TEST(contents_larger_than_a_chunk_are_cut)
{
	umem_log_header_t *log;
	const umem_contents_t *ct;
	char *big;

	make_logs(1, 0, 1);
	log = umem_root.root_log_contents;
	big = calloc(1, 3 * log->lh_chunksize);
	for (uint64_t i = 1; i < 40; i++) {
		ct = tlog_contents(big, 3 * log->lh_chunksize, i, 0);
		ck_assert_uint_eq(ct->ct_size, log->lh_chunksize - sizeof(*ct));
	}
	free(big);
}
END_TEST

#define THREADS 6
#define SLOTS 4
#define PER_THREAD 5000

/* Each thread writes the numbers of its own range; the last ones share. */
static void *
write_range(void *arg)
{
	uint64_t first = *(uint64_t *)arg;
	unsigned slot = (unsigned)(first / PER_THREAD);
	umem_bufctl_audit_t r;

	for (uint64_t n = first + 1; n <= first + PER_THREAD; n++) {
		r = record_number(n);
		tlog_record(umem_root.root_log_transaction, &r, slot);
	}
	return NULL;
}

static void
run_threads(void)
{
	static uint64_t first[THREADS];
	pthread_t thread[THREADS];

	for (uint64_t i = 0; i < THREADS; i++) {
		first[i] = i * PER_THREAD;
		pthread_create(&thread[i], NULL, write_range, &first[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

START_TEST(threads_lose_no_record_in_a_log_with_room)
{
	static unsigned char seen[THREADS * PER_THREAD + 1];
	const umem_bufctl_audit_t *bc;
	umem_log_header_t *log;

	make_logs(SLOTS, 16u << 20, 0);
	log = umem_root.root_log_transaction;
	run_threads();
	for (uint64_t c = 0; c < log->lh_nchunks; c++) {
		for (uint64_t i = 0; i < log->lh_chunksize / RECSIZE; i++) {
			bc = log_entry(log, c, i);
			if (bc->bc_timestamp == 0)
				continue;
			ck_assert(is_record(bc, bc->bc_timestamp));
			ck_assert_int_eq(seen[bc->bc_timestamp]++, 0);
		}
	}
	for (size_t n = 1; n <= THREADS * PER_THREAD; n++)
		ck_assert_int_eq(seen[n], 1);
}
END_TEST

START_TEST(threads_that_overwrite_leave_whole_records_and_a_whole_ring)
{
	static unsigned char used[1024];
	const umem_bufctl_audit_t *bc;
	umem_log_header_t *log;

	make_logs(SLOTS, 1, 0);
	log = umem_root.root_log_transaction;
	run_threads();
	for (uint64_t c = 0; c < log->lh_nchunks; c++) {
		for (uint64_t i = 0; i < log->lh_chunksize / RECSIZE; i++) {
			bc = log_entry(log, c, i);
			ck_assert_uint_ne(bc->bc_timestamp, 0);
			ck_assert(is_record(bc, bc->bc_timestamp));
		}
	}
	for (uint64_t i = 0; i < log->lh_nchunks - log->lh_nslots; i++)
		used[log->lh_ring[(log->lh_head + i) % log->lh_nchunks]]++;
	for (uint64_t i = 0; i < log->lh_nslots; i++)
		used[log->lh_slot[i].ls_chunk]++;
	for (uint64_t i = 0; i < log->lh_nchunks; i++)
		ck_assert_int_eq(used[i], 1);
	for (int i = 0; i < SLOTS - 1; i++)
		ck_assert_uint_eq(log->lh_slot[i].ls_records, PER_THREAD);
	ck_assert_uint_eq(log->lh_slot[SLOTS - 1].ls_records,
	    (THREADS - SLOTS + 1) * PER_THREAD);
}
END_TEST

START_TEST(fork_locks_are_taken_and_dropped)
{
	umem_bufctl_audit_t r = record_number(5);
	umem_log_header_t *log;

	make_logs(2, 1, 1);
	log = umem_root.root_log_transaction;
	tlog_fork_lock();
	ck_assert_uint_ne(log->lh_lock.lk_word, 0);
	ck_assert_uint_ne(log->lh_slot[1].ls_lock.lk_word, 0);
	tlog_fork_unlock();
	ck_assert_ptr_nonnull(tlog_record(log, &r, 1));
	tlog_fork_lock();
	tlog_fork_child();
	ck_assert_ptr_nonnull(tlog_record(log, &r, 0));
	ck_assert_uint_eq(log->lh_lock.lk_word, 0);
}
END_TEST

Suite *
test_tlog_suite(void)
{
	Suite *s = suite_create("tlog");
	TCase *shape = tcase_create("shape");
	TCase *ring = tcase_create("ring");
	TCase *threads = tcase_create("threads");

	tcase_add_test(shape, log_has_the_shape_that_was_asked_for);
	tcase_add_test(
	    shape, small_log_has_four_chunks_a_slot_and_four_records_a_chunk);
	tcase_add_test(shape, without_logs_nothing_is_logged);
	tcase_add_test(
	    shape, log_that_finds_no_memory_is_reported_and_left_out);
	suite_add_tcase(s, shape);
	tcase_add_test(ring, records_stand_in_order_in_their_chunk);
	tcase_add_test(ring, only_the_oldest_records_are_lost);
	tcase_add_test(ring, ring_holds_the_full_chunks_oldest_first);
	tcase_add_test(ring, pause_keeps_what_is_there);
	tcase_add_test(ring, contents_follow_each_other_up_to_an_empty_one);
	tcase_add_test(ring, contents_larger_than_a_chunk_are_cut);
	suite_add_tcase(s, ring);
	tcase_add_test(threads, threads_lose_no_record_in_a_log_with_room);
	tcase_add_test(threads,
	    threads_that_overwrite_leave_whole_records_and_a_whole_ring);
	tcase_add_test(threads, fork_locks_are_taken_and_dropped);
	suite_add_tcase(s, threads);
	return s;
}
