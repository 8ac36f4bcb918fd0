/* SPDX-License-Identifier: MIT */
/*
 * test_umdb.c - sessions: what a debugger's side may rely on
 *
 * Layer: test of gdbext/umdb.c.
 */
#include <check.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "session.h"
#include "suites.h"

static struct draw d;
static struct session s;

static void
setup(void)
{
	draw_heap(&d);
	session_open(&s, &d);
}

static void
teardown(void)
{
	session_close(&s);
	draw_close(&d);
}

START_TEST(table_is_handed_out_row_by_row)
{
	const struct umdb_command *c;
	int i, n = 0;

	for (i = 0; (c = umdb_command(i)) != NULL; i++) {
		ck_assert_ptr_nonnull(c->name);
		ck_assert_ptr_nonnull(c->usage);
		ck_assert_ptr_nonnull(c->help);
		n += strcmp(c->name, "findleaks") == 0 &&
		     strcmp(c->result, "leaks") == 0;
	}
	ck_assert_int_eq(n, 1);
	ck_assert_ptr_null(umdb_command(-1));
	ck_assert_int_eq(umdb_abi(), UMDB_ABI);
	ck_assert_int_eq(umdb_layout_version(), UMEM_LAYOUT_VERSION);
}
END_TEST

START_TEST(registers_are_named_in_the_order_of_the_array)
{
	ck_assert_str_eq(umdb_register(0), "rax");
	ck_assert_str_eq(umdb_register(TARGET_RSP), "rsp");
	ck_assert_str_eq(umdb_register(TARGET_FSBASE), "fs_base");
	ck_assert_ptr_null(umdb_register(TARGET_NREGS));
	ck_assert_ptr_null(umdb_register(-1));
}
END_TEST

START_TEST(missing_core_is_a_sentence)
{
	const struct umdb_callbacks none = {0};
	char err[200];

	ck_assert_ptr_null(
	    umdb_open("/nonexistent/core", 0, &none, err, sizeof(err)));
	ck_assert_str_eq(
	    err, "cannot open /nonexistent/core: No such file or directory");
}
END_TEST

START_TEST(errors_carry_the_name_as_typed)
{
	session_fail(&s, "umem_verify nosuch", UMDB_ENOTFOUND,
	    "umem_verify: there is no cache named nosuch");
	session_fail(&s, "nosuch", UMDB_EUSAGE,
	    "umem: there is no command nosuch; \"help umem\" lists them");
	ck_assert_int_eq(session_run(&s, "cache"), UMDB_OK);
	ck_assert_str_eq(umdb_error(s.u), "");
}
END_TEST

START_TEST(errors_in_json_are_documents_too)
{
	ck_assert_int_eq(session_run(&s, "cache -json nosuch"), UMDB_ENOTFOUND);
	ck_assert_str_eq(s.text,
	    "{\"umdb\":1,\"command\":\"cache\",\"error\":\"cache: there is no "
	    "cache named nosuch\"}\n");
	ck_assert_int_eq(session_run(&s, "nosuch -json"), UMDB_EUSAGE);
	ck_assert_str_eq(s.text,
	    "{\"umdb\":1,\"command\":\"umem\",\"error\":\"umem: there is no "
	    "command nosuch; \\\"help umem\\\" lists them\"}\n");
}
END_TEST

START_TEST(snapshot_is_kept_until_invalidated)
{
	unsigned reads;

	session_find(&s, "cache umem_alloc_48", "buffers: 5 in use");
	reads = s.reads;
	DRAW_SET(&d, draw_cache_addr(&d, "umem_alloc_48"), umem_cache_t,
	    cache_bufsize, 40);
	session_find(&s, "cache umem_alloc_48", "       48     80");
	ck_assert_uint_eq(s.reads, reads);
	umdb_invalidate(s.u);
	session_find(&s, "cache umem_alloc_48", "       40     80");
	ck_assert_uint_gt(s.reads, reads);
}
END_TEST

START_TEST(failed_snapshot_is_tried_again)
{
	const char magic = *(char *)fake_at(d.tgt, d.root, 1);

	*(char *)fake_at(d.tgt, d.root, 1) = 'X';
	ck_assert_int_eq(session_run(&s, "cache"), UMDB_ETARGET);
	*(char *)fake_at(d.tgt, d.root, 1) = magic;
	umdb_invalidate(s.u);
	ck_assert_int_eq(session_run(&s, "cache"), UMDB_OK);
}
END_TEST

static void
invalidate_now(struct session *session)
{
	umdb_invalidate(session->u);
}

START_TEST(invalidation_while_a_command_runs_takes_effect_after_it)
{
	unsigned reads;

	ck_assert_int_eq(session_run(&s, "cache"), UMDB_OK);
	s.in_write = invalidate_now;
	ck_assert_int_eq(session_run(&s, "stat"), UMDB_OK);
	s.in_write = NULL;
	reads = s.reads;
	ck_assert_int_eq(session_run(&s, "cache"), UMDB_OK);
	ck_assert_uint_gt(s.reads, reads);
}
END_TEST

static void
run_again(struct session *session)
{
	uint64_t found;

	session->in_write = NULL;
	ck_assert_int_eq(umdb_run(session->u, "cache", &found), UMDB_ETARGET);
	ck_assert_str_eq(
	    umdb_error(session->u), "umem: another command is still running");
}

START_TEST(command_inside_a_command_is_refused)
{
	s.in_write = run_again;
	ck_assert_int_eq(session_run(&s, "cache"), UMDB_OK);
	ck_assert_ptr_nonnull(strstr(s.text, "umem_alloc_64"));
}
END_TEST

START_TEST(writer_that_stops_stops_the_command)
{
	/* more than one piece of output */
	session_find(&s, "log -json", "],\"summary\"");
	s.stop_after = 1;
	s.writes = 1;
	ck_assert_int_eq(session_run(&s, "cache"), UMDB_OK);
	s.stop_after = 0;
}
END_TEST

/*
 * The search for a segment in an arena that is being changed passes over
 * what ends a walk.  After a tenth of a second the next poll asks.
 */
START_TEST(stop_that_a_command_passes_over_stops_it)
{
	const struct timespec tenth = {.tv_nsec = 100000000};

	DRAW_SET(&d, d.heap_arena, vmem_t, vm_lock.lk_word, 1);
	umdb_invalidate(s.u);
	session_find(&s, "vmem", "umem_heap");
	nanosleep(&tenth, NULL);
	s.stop = true;
	session_fail(&s, "vmem_seg 0x10", UMDB_EINTR, "vmem_seg: stopped");
	s.stop = false;
	session_fail(&s, "vmem_seg 0x10", UMDB_ENOTFOUND,
	    "vmem_seg: there is no segment at 0x10");
	session_find(&s, "vmem", "umem_heap");
}
END_TEST

START_TEST(completion_offers_commands_options_words_and_caches)
{
	ck_assert_str_eq(umdb_complete(s.u, "fi"), "findleaks\n");
	ck_assert_str_eq(umdb_complete(s.u, "findleaks -"),
	    "-d\n-f\n-v\n-n\n-s\n-i\n-x\n-S\n-folded\n-pprof\n-html\n-json\n");
	ck_assert_str_eq(umdb_complete(s.u, "log f"), "fail\n");
	ck_assert_str_eq(
	    umdb_complete(s.u, "umalog "), "transaction\nfail\nslab\n");
	ck_assert_str_eq(umdb_complete(s.u, "cache umem_a"),
	    "umem_alloc_64\numem_alloc_48\n");
	ck_assert_str_eq(umdb_complete(s.u, "help bufctl_"),
	    "bufctl_audit\nbufctl_history\n");
	ck_assert_str_eq(umdb_complete(s.u, "help umas"), "umastat\n");
	ck_assert_str_eq(umdb_complete(s.u, "findleaks ma"), "");
	ck_assert_str_eq(umdb_complete(s.u, "nosuch a"), "");
}
END_TEST

START_TEST(completion_offers_what_an_option_takes)
{
	ck_assert_str_eq(
	    umdb_complete(s.u, "findleaks -s "), "bytes\ncount\nage\ncaller\n");
	ck_assert_str_eq(
	    umdb_complete(s.u, "findleaks -d  -s c"), "count\ncaller\n");
	ck_assert_str_eq(umdb_complete(s.u, "findleaks -ds a"), "age\n");
	ck_assert_str_eq(umdb_complete(s.u, "break alloc -c umem_a"),
	    "umem_alloc_64\numem_alloc_48\n");
	ck_assert_str_eq(umdb_complete(s.u, "vmem_seg x -T F"), "FREE\n");
	ck_assert_str_eq(umdb_complete(s.u, "log -t "), "");
	ck_assert_str_eq(umdb_complete(s.u, "log -n f"), "");
	ck_assert_str_eq(umdb_complete(s.u, "log -n 3 f"), "fail\n");
	ck_assert_str_eq(umdb_complete(s.u, "bufctl p -h -v"), "-v\n");
	ck_assert_str_eq(umdb_complete(s.u, "mdb ::findleaks -s b"), "bytes\n");
}
END_TEST

START_TEST(completion_behind_a_bar_knows_all_names)
{
	ck_assert_str_eq(
	    umdb_complete(s.u, "walk umem_cache | umem_v"), "umem_verify\n");
	ck_assert_str_eq(umdb_complete(s.u, "walk bufctl | bufctl_"),
	    "bufctl_audit\nbufctl_history\n");
	ck_assert_str_eq(umdb_complete(s.u, "findleaks | leakb"), "leakbuf\n");
	ck_assert_str_eq(umdb_complete(s.u, "umem_v"), "");
}
END_TEST

START_TEST(completion_knows_mdbs_notation)
{
	ck_assert_str_eq(umdb_complete(s.u, "mdb ::findl"), "::findleaks\n");
	ck_assert_str_eq(
	    umdb_complete(s.u, "mdb 7f3c::findl"), "7f3c::findleaks\n");
	ck_assert_str_eq(umdb_complete(s.u, "mdb 7f3c"), "");
	ck_assert_str_eq(
	    umdb_complete(s.u, "mdb ::umem_cache -"), "-a\n-json\n");
	ck_assert_str_eq(umdb_complete(s.u, "mdb ::walk umem_sl"),
	    "umem_slab\numem_slab_partial\n");
	ck_assert_str_eq(umdb_complete(s.u, "mdb ::walk umem_cache | ::umem_v"),
	    "::umem_verify\n");
	ck_assert_str_eq(
	    umdb_complete(s.u, "mdb ::walk umem_log | ::umalog f"), "fail\n");
	ck_assert_str_eq(
	    umdb_complete(s.u, "mdb ::help bufctl_h"), "bufctl_history\n");
}
END_TEST

START_TEST(completion_works_without_a_session)
{
	ck_assert_str_eq(umdb_complete(NULL, "cache umem_a"), "");
	ck_assert_str_eq(umdb_complete(NULL, "cache -"), "-a\n-json\n");
	ck_assert_str_eq(umdb_complete(NULL, "sta"), "status\nstat\n");
}
END_TEST

Suite *
test_umdb_suite(void)
{
	Suite *suite = suite_create("umdb");
	TCase *t = tcase_create("session");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, stop_that_a_command_passes_over_stops_it);
	tcase_add_test(t, table_is_handed_out_row_by_row);
	tcase_add_test(t, registers_are_named_in_the_order_of_the_array);
	tcase_add_test(t, missing_core_is_a_sentence);
	tcase_add_test(t, errors_carry_the_name_as_typed);
	tcase_add_test(t, errors_in_json_are_documents_too);
	tcase_add_test(t, snapshot_is_kept_until_invalidated);
	tcase_add_test(t, failed_snapshot_is_tried_again);
	tcase_add_test(
	    t, invalidation_while_a_command_runs_takes_effect_after_it);
	tcase_add_test(t, command_inside_a_command_is_refused);
	tcase_add_test(t, writer_that_stops_stops_the_command);
	tcase_add_test(t, completion_offers_commands_options_words_and_caches);
	tcase_add_test(t, completion_offers_what_an_option_takes);
	tcase_add_test(t, completion_behind_a_bar_knows_all_names);
	tcase_add_test(t, completion_knows_mdbs_notation);
	tcase_add_test(t, completion_works_without_a_session);
	suite_add_tcase(suite, t);
	return suite;
}
