/* SPDX-License-Identifier: MIT */
/*
 * test_fault.c - what a report says, line by line, and what it leaves behind
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "fault.h"
#include "msg.h"
#include "os.h"
#include "root.h"
#include "suites.h"
#include "tlog.h"
#include "trace.h"
#include "util.h"

/* A slab of one page, and a record. */
static _Alignas(16) char page[4096];
static umem_cache_t cache = {.cache_name = "umem_alloc_32"};
static umem_cache_t other = {.cache_name = "other_cache"};
static umem_slab_t slab = {
    .slab_cache = &cache, .slab_base = page, .slab_size = sizeof(page)};
static umem_bufctl_audit_t rec;

static struct umem_fault
fault(uint32_t error)
{
	struct umem_fault f = {
	    .error = error,
	    .buffer = page + 64,
	    .realbuf = page + 64,
	    .cache = &cache,
	    .realcache = &cache,
	    .slab = &slab,
	    .size = 24,
	    .function = "free",
	};

	return f;
}

static void
report(void *arg)
{
	fault_report(arg);
}

/* says - the report of @f has the line @want, and ends in an abort */
static void
says(struct umem_fault f, const char *want)
{
	static struct capture cap;

	capture_expect_abort(&cap, report, &f, want);
}

/* line_of - the nth line, from 1, of a report */
static const char *
line_of(const struct capture *cap, int n)
{
	static char line[1024];
	const char *p = cap->text;

	while (--n > 0 && p != NULL) {
		p = strchr(p, '\n');
		if (p != NULL)
			p++;
	}
	ck_assert_ptr_nonnull(p);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(p, "\n"), p);
	return line;
}

START_TEST(every_error_has_its_sentence)
{
	static const char *const sentences[UMEM_ERR_COUNT] = {
	    "umem: write to a freed buffer: ",
	    "umem: write past the end of a buffer: ",
	    "umem: buffer freed twice: ",
	    "umem: free of an address that is not umem's: ",
	    "umem: tag behind a buffer damaged: ",
	    "umem: record of a buffer damaged: ",
	    "umem: buffer freed to the wrong cache: ",
	    "umem: buffer freed with the wrong size: ",
	    "umem: free of an address inside a buffer: ",
	    "umem: write before the start of a buffer: ",
	    "umem: out of memory: ", "umem: called from a signal handler: "};
	static struct capture cap;
	struct umem_fault f;

	for (uint32_t e = 0; e < UMEM_ERR_COUNT; e++) {
		f = fault(e);
		capture_expect_abort(&cap, report, &f, sentences[e]);
		ck_assert_ptr_eq(strstr(cap.text, sentences[e]), cap.text);
	}
}
END_TEST

START_TEST(first_line_has_the_facts_of_the_error)
{
	struct umem_fault f;
	char want[200];

	f = fault(UMEM_ERR_BADADDR);
	snprintf(want, sizeof(want),
	    "umem: free of an address that is not umem's: %p\n", f.buffer);
	says(f, want);

	f = fault(UMEM_ERR_BADBASE);
	f.buffer = page + 72;
	snprintf(want, sizeof(want),
	    "umem: free of an address inside a buffer: %p is %p + 8 of cache "
	    "umem_alloc_32, 24 bytes\n",
	    f.buffer, f.realbuf);
	says(f, want);

	f = fault(UMEM_ERR_BADCACHE);
	f.cache = &other;
	snprintf(want, sizeof(want),
	    "umem: buffer freed to the wrong cache: %p of cache "
	    "umem_alloc_32, 24 bytes, freed to other_cache\n",
	    f.buffer);
	says(f, want);

	f = fault(UMEM_ERR_BADSIZE);
	f.expected = 24;
	f.found = 32;
	snprintf(want, sizeof(want),
	    "umem: buffer freed with the wrong size: %p of cache "
	    "umem_alloc_32, 24 bytes, freed as 32\n",
	    f.buffer);
	says(f, want);

	f = (struct umem_fault){.error = UMEM_ERR_NOMEM, .size = 100};
	says(f, "umem: out of memory: 100 bytes\n");
}
END_TEST

START_TEST(bytes_around_the_damage_are_shown)
{
	static struct capture cap;
	struct umem_fault f = fault(UMEM_ERR_REDZONE);
	char want[200];

	memset(page, 0xbb, sizeof(page));
	memcpy(page + 64 + 20, "hello", 5);
	f.offset = 20;
	f.expected = 0xbb;
	f.found = 'h';
	capture_expect_abort(&cap, report, &f, NULL);
	ck_assert_str_eq(line_of(&cap, 2), "umem:   expected 0xbb, found 0x68");
	snprintf(want, sizeof(want),
	    "umem:   %p: bb bb bb bb bb bb bb bb bb bb bb bb[68]65 6c 6c  "
	    "............hell",
	    (void *)(page + 64 + 8));
	ck_assert_str_eq(line_of(&cap, 3), want);
	snprintf(want, sizeof(want),
	    "umem:   %p: 6f bb bb bb bb bb bb bb bb bb bb bb bb bb bb bb  "
	    "o...............",
	    (void *)(page + 64 + 24));
	ck_assert_str_eq(line_of(&cap, 4), want);
}
END_TEST

START_TEST(bytes_outside_the_slab_are_not_touched)
{
	static struct capture cap;
	struct umem_fault f = fault(UMEM_ERR_UNDERRUN);
	char want[200];

	f.realbuf = page + 8;
	f.offset = (size_t)-8;
	slab.slab_size = 16;
	memset(page, 0x11, 16);
	capture_expect_abort(&cap, report, &f, NULL);
	snprintf(want, sizeof(want),
	    "umem:   %p:[11]11 11 11 11 11 11 11 11 11 11 11 11 11 11 11  "
	    "................",
	    (void *)page);
	ck_assert_str_eq(line_of(&cap, 3), want);
	ck_assert_ptr_nonnull(strstr(line_of(&cap, 4), "noticed by"));
}
END_TEST

START_TEST(last_transaction_is_told_with_its_stack)
{
	static struct capture cap;
	struct umem_fault f = fault(UMEM_ERR_DUPFREE);
	const char *line;
	unsigned thread, seconds, us, size;

	rec.bc_kind = UMEM_BC_FREE;
	rec.bc_timestamp = os_now() - 2000000000u;
	rec.bc_thread = 77;
	rec.bc_size = 24;
	trace_init();
	rec.bc_trace =
	    trace_number((const uint64_t[]){(uintptr_t)page, 0x10}, 2);
	f.bufctl = &rec;
	capture_expect_abort(&cap, report, &f, NULL);
	line = line_of(&cap, 2);
	ck_assert_int_eq(sscanf(line,
			     "umem:   last transaction: freed by thread %u, "
			     "%u.%6u s ago, %u bytes",
			     &thread, &seconds, &us, &size),
	    4);
	ck_assert_uint_eq(thread, 77);
	ck_assert_uint_ge(seconds, 2);
	ck_assert_uint_eq(size, 24);
	/* a datum of this program: its name or an offset, and a number */
	ck_assert_ptr_nonnull(strstr(line_of(&cap, 3), "'"));
	ck_assert_ptr_nonnull(strstr(line_of(&cap, 3), "+0x"));
	ck_assert_str_eq(line_of(&cap, 4), "umem:     0x10");
}
END_TEST

START_TEST(transaction_before_the_last_comes_from_the_log)
{
	static struct capture cap;
	struct umem_fault f = fault(UMEM_ERR_DUPFREE);

	umem_settings.set_log_transaction = 65536;
	tlog_init();
	rec.bc_addr = f.buffer;
	rec.bc_cache = &cache;
	rec.bc_kind = UMEM_BC_ALLOC;
	rec.bc_timestamp = os_now();
	rec.bc_thread = 5;
	rec.bc_lastlog = tlog_record(umem_root.root_log_transaction, &rec, 0);
	rec.bc_kind = UMEM_BC_FREE;
	rec.bc_timestamp++;
	rec.bc_lastlog = tlog_record(umem_root.root_log_transaction, &rec, 0);
	f.bufctl = &rec;
	capture_expect_abort(
	    &cap, report, &f, "umem:   last transaction: freed by thread 5, ");
	ck_assert_ptr_nonnull(strstr(
	    cap.text, "umem:   the one before: allocated by thread 5, "));
	/* a pointer that leads out of the log is not followed */
	rec.bc_lastlog = (void *)8;
	capture_expect_abort(&cap, report, &f, "last transaction");
	ck_assert_ptr_null(strstr(cap.text, "the one before"));
}
END_TEST

START_TEST(deep_stacks_are_cut_so_that_a_report_fits_the_buffer)
{
	static struct capture cap;
	struct umem_fault f = fault(UMEM_ERR_DUPFREE);
	uint64_t stack[UMEM_MAX_DEPTH];

	for (size_t i = 0; i < UMEM_MAX_DEPTH; i++)
		stack[i] = (uintptr_t)page;
	trace_init();
	rec.bc_kind = UMEM_BC_FREE;
	rec.bc_timestamp = 1;
	rec.bc_trace = trace_number(stack, UMEM_MAX_DEPTH);
	f.bufctl = &rec;
	capture_expect_abort(&cap, report, &f, "umem:     and 215 more\n");
	ck_assert_uint_lt(cap.len, UMEM_MSG_SIZE);
	/* a trace that cannot be is not believed */
	rec.bc_trace++;
	capture_expect_abort(&cap, report, &f, "umem:   noticed by");
	ck_assert_ptr_null(strstr(cap.text, " more\n"));
}
END_TEST

static void
report_and_look(void *arg)
{
	const struct umem_fault *f = arg;
	const umem_abort_info_t *ab = &umem_root.root_abort;

	umem_settings.set_noabort = 1;
	fault_report(f);
	if (ab->ab_timestamp == 0 || ab->ab_error != f->error ||
	    ab->ab_buffer != (uintptr_t)f->buffer ||
	    ab->ab_realbuf != (uintptr_t)f->realbuf ||
	    ab->ab_cache != (uintptr_t)&other ||
	    ab->ab_realcache != (uintptr_t)&cache ||
	    ab->ab_slab != (uintptr_t)&slab ||
	    ab->ab_bufctl != (uintptr_t)&rec || ab->ab_thread != os_tid())
		_exit(1);
	/* the same text is in the message buffer */
	if (strstr(umem_root.root_msg, "freed to other_cache\n") == NULL ||
	    strstr(umem_root.root_msg, "going on (noabort)\n") == NULL)
		_exit(2);
	fault_report(f);
}

START_TEST(facts_are_kept_and_noabort_goes_on)
{
	static struct capture cap;
	struct umem_fault f = fault(UMEM_ERR_BADCACHE);

	f.cache = &other;
	f.bufctl = &rec;
	capture_expect_exit(&cap, report_and_look, &f, 0,
	    "umem: heap corruption detected; going on (noabort)\n");
}
END_TEST

static void
report_and_log(void *arg)
{
	uint64_t records;

	umem_settings.set_noabort = 1;
	umem_settings.set_log_fail = 65536;
	tlog_init();
	fault_report(arg);
	records = umem_root.root_log_fail->lh_slot[0].ls_records;
	audit_fail(NULL, 1);
	if (records != 0 || umem_root.root_logging != 1 ||
	    ((umem_bufctl_audit_t *)umem_root.root_log_fail->lh_base)
		    ->bc_size != 1)
		_exit(1);
}

START_TEST(logs_go_on_after_a_report)
{
	static struct capture cap;
	struct umem_fault f = fault(UMEM_ERR_BADADDR);

	capture_expect_exit(&cap, report_and_log, &f, 0, "going on");
}
END_TEST

START_TEST(errors_of_no_corruption_do_not_claim_one)
{
	static struct capture cap;
	struct umem_fault f = fault(UMEM_ERR_NOMEM);

	capture_expect_abort(&cap, report, &f, "umem: aborting\n");
	ck_assert_ptr_null(strstr(cap.text, "corruption"));
}
END_TEST

START_TEST(unknown_error_is_reported_all_the_same)
{
	says(fault(99), "umem: fault: ");
}
END_TEST

Suite *
test_fault_suite(void)
{
	Suite *s = suite_create("fault");
	TCase *text = tcase_create("text");
	TCase *after = tcase_create("after");

	tcase_add_test(text, every_error_has_its_sentence);
	tcase_add_test(text, first_line_has_the_facts_of_the_error);
	tcase_add_test(text, bytes_around_the_damage_are_shown);
	tcase_add_test(text, bytes_outside_the_slab_are_not_touched);
	tcase_add_test(text, last_transaction_is_told_with_its_stack);
	tcase_add_test(text, transaction_before_the_last_comes_from_the_log);
	tcase_add_test(
	    text, deep_stacks_are_cut_so_that_a_report_fits_the_buffer);
	suite_add_tcase(s, text);
	tcase_add_test(after, facts_are_kept_and_noabort_goes_on);
	tcase_add_test(after, logs_go_on_after_a_report);
	tcase_add_test(after, errors_of_no_corruption_do_not_claim_one);
	tcase_add_test(after, unknown_error_is_reported_all_the_same);
	suite_add_tcase(s, after);
	return s;
}
