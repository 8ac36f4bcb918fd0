/* SPDX-License-Identifier: MIT */
/*
 * test_pipe.c - commands one behind another: taken apart, and run
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_pipe.h"
#include "session.h"
#include "suites.h"

/* ----------------------------------------------------------------- parsing */

static struct pipeline p;
static struct umdb_error err;

static void
teardown_line(void)
{
	pipeline_free(&p);
}

START_TEST(commands_stand_between_bars_with_their_arguments)
{
	ck_assert_int_eq(
	    pipeline_parse(
		"walk bufctl umem_alloc_48|bufctl -c f -v | whatis", &p, &err),
	    UMDB_OK);
	ck_assert_uint_eq(p.n, 3);
	ck_assert_ptr_eq(p.stage[0].dcmd, dcmd_find("walk"));
	ck_assert_int_eq(p.stage[0].args.argc, 2);
	ck_assert_ptr_eq(p.stage[1].dcmd, dcmd_find("bufctl"));
	ck_assert_str_eq(p.stage[1].args.opt['c'], "f");
	ck_assert_int_eq(p.stage[1].args.argc, 1);
	ck_assert_ptr_eq(p.stage[1].args.argv[0], p.stage[1].dot);
	ck_assert_int_eq(p.stage[2].args.argc, 1);
	ck_assert_ptr_null(p.shell);
}
END_TEST

START_TEST(the_address_takes_its_place_among_the_arguments)
{
	ck_assert_int_eq(
	    pipeline_parse("walk umem_cache | walk umem", &p, &err), UMDB_OK);
	ck_assert_int_eq(p.stage[1].args.argc, 2);
	ck_assert_str_eq(p.stage[1].args.argv[0], "umem");
	ck_assert_ptr_eq(p.stage[1].args.argv[1], p.stage[1].dot);
	pipeline_free(&p);
	ck_assert_int_eq(
	    pipeline_parse("walk umem | print struct node next", &p, &err),
	    UMDB_OK);
	ck_assert_int_eq(p.stage[1].args.argc, 4);
	ck_assert_ptr_eq(p.stage[1].args.argv[0], p.stage[1].dot);
	ck_assert_str_eq(p.stage[1].args.argv[3], "next");
}
END_TEST

START_TEST(a_walkers_name_alone_is_a_walk)
{
	ck_assert_int_eq(
	    pipeline_parse("findleaks | leakbuf | whatis", &p, &err), UMDB_OK);
	ck_assert_ptr_eq(p.stage[1].dcmd, dcmd_find("walk"));
	ck_assert_str_eq(p.stage[1].name, "leakbuf");
	ck_assert_str_eq(p.stage[1].args.argv[0], "leakbuf");
	ck_assert_ptr_eq(p.stage[1].args.argv[1], p.stage[1].dot);
}
END_TEST

START_TEST(quotes_and_backslashes_keep_bars)
{
	static const char *const lines[] = {
	    "whatis \"a|b\" | whatis",
	    "whatis 'a|b' | whatis",
	    "whatis a\\|b | whatis",
	    "whatis \"a\\\"|b\" | whatis",
	};
	static const char *const words[] = {"a|b", "a|b", "a|b", "a\"|b"};
	size_t i;

	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pipeline_parse(lines[i], &p, &err), UMDB_OK);
		ck_assert_uint_eq(p.n, 2);
		ck_assert_str_eq(p.stage[0].args.argv[0], words[i]);
		pipeline_free(&p);
	}
}
END_TEST

START_TEST(a_shell_command_is_the_rest_of_the_line)
{
	ck_assert_int_eq(pipeline_parse("cache -json! x | findleaks", &p, &err),
	    UMDB_EUSAGE);
	pipeline_free(&p);
	ck_assert_int_eq(
	    pipeline_parse("cache | whatis ! grep 'a|b' | wc \"", &p, &err),
	    UMDB_OK);
	ck_assert_uint_eq(p.n, 2);
	ck_assert_str_eq(p.shell, "grep 'a|b' | wc \"");
	pipeline_free(&p);
	ck_assert_int_eq(pipeline_parse("whatis a != b", &p, &err), UMDB_OK);
	ck_assert_int_eq(p.stage[0].args.argc, 3);
	ck_assert_ptr_null(p.shell);
	pipeline_free(&p);
	ck_assert_int_eq(pipeline_parse("whatis '!x'", &p, &err), UMDB_OK);
	ck_assert_str_eq(p.stage[0].args.argv[0], "!x");
}
END_TEST

START_TEST(a_line_that_is_wrong_is_one_sentence)
{
	static const struct {
		const char *line, *name, *msg;
	} c[] = {
	    {"", "umem", "which command? \"help umem\" lists them"},
	    {"   ", "umem", "which command? \"help umem\" lists them"},
	    {"|", "umem", "there is no command before the |"},
	    {"| cache", "umem", "there is no command before the |"},
	    {"cache |", "cache", "there is no command behind the |"},
	    {"cache | | cache", "cache", "there is no command between | and |"},
	    {"cache || cache", "cache", "there is no command between | and |"},
	    {"cache | nosuch", "umem",
		"there is no command nosuch; for one of the shell put ! in the "
		"place of |"},
	    {"cache | status", "status",
		"it takes no address from a pipe; usage: umem status"},
	    {"status | cache", "status",
		"it has no addresses to give to a pipe; usage: umem status"},
	    {"cache | cache x", "cache",
		"x is too much; usage: umem cache [-a] [NAME|ADDR]"},
	    {"cache | walk", "walk",
		"an argument is missing; usage: umem walk [WALKER|CACHE] "
		"[START]"},
	    {"cache -json | cache", "cache",
		"-json belongs to the last command of a pipeline"},
	    {"cache !", "cache", "there is no shell command behind the !"},
	    {"cache ! ", "cache", "there is no shell command behind the !"},
	    {"whatis 'a | whatis", "umem", "a ' is not closed"},
	    {"whatis \"a ! cat", "umem", "a \" is not closed"},
	    {"mdb", "mdb",
		"what? \"mdb ::dcmds\" and \"mdb ::walkers\" list what there "
		"is"},
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		ck_assert_int_eq(
		    pipeline_parse(c[i].line, &p, &err), UMDB_EUSAGE);
		ck_assert_str_eq(err.msg, c[i].msg);
		ck_assert_str_eq(p.name, c[i].name);
		pipeline_free(&p);
	}
}
END_TEST

START_TEST(pipelines_may_be_long)
{
	char *line = malloc(200000), *to = line;
	size_t i;

	to += sprintf(to, "cache");
	for (i = 0; i < 10000; i++)
		to += sprintf(to, " | cache");
	ck_assert_int_eq(pipeline_parse(line, &p, &err), UMDB_OK);
	ck_assert_uint_eq(p.n, 10001);
	free(line);
}
END_TEST

/* ----------------------------------------------------------------- running */

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

static size_t
lines_of(const char *text)
{
	size_t n = 0;

	for (; text != NULL && *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void
expect_lines(const char *line, size_t n)
{
	ck_assert_msg(
	    session_run(&s, line) == UMDB_OK, "%s: %s", line, umdb_error(s.u));
	ck_assert_msg(lines_of(s.text) == n, "%s: %s", line, s.text);
}

START_TEST(each_address_is_a_row_of_one_table)
{
	expect_lines("walk umem_cache | umem_cache", 4);
	ck_assert_int_eq(strncmp(s.text, "ADDR ", 5), 0);
	expect_lines("walk bufctl | bufctl", 6);
	expect_lines("cache | walk umem", 18);
	expect_lines("umem_cache | umem_verify", 4);
	ck_assert_ptr_null(strstr(s.text, "Summary"));
}
END_TEST

START_TEST(commands_filter_and_pass_on)
{
	expect_lines("walk umem_log | bufctl | whatis -q", 7);
	expect_lines("walk bufctl | bufctl -c f999", 0);
	expect_lines("walk umem | whatis -q", 18);
	expect_lines("walk leak | leakbuf | whatis -q ! sort -u", 18);
	expect_lines("walk umem_cache | walk umem_slab | slab_free", 114);
	expect_lines("walk umem_slab umem_oversize | whatis | whatis -q", 2);
}
END_TEST

START_TEST(nothing_from_a_pipe_prints_nothing)
{
	expect_lines("walk depot umem_alloc_48 | whatis", 0);
	session_expect(&s, "walk depot umem_alloc_48 | cache -json",
	    "{\"umdb\":1,\"command\":\"cache\",\"rows\":[],\"summary\":"
	    "{\"addresses\":0,\"failed\":0}}\n");
}
END_TEST

START_TEST(json_is_one_document_whose_counts_add_up)
{
	session_find(&s, "walk umem_cache | verify -json",
	    "\"summary\":{\"caches\":3,\"checked\":");
	ck_assert_uint_eq(lines_of(s.text), 1 + 3 + 1);
	ck_assert_ptr_nonnull(strstr(s.text, "\"addresses\":3,\"failed\":0"));
	ck_assert_ptr_null(strstr(strstr(s.text, "umdb") + 1, "umdb"));
	session_find(&s, "walk bufctl | bufctl -json", "\"records\":5,");
}
END_TEST

START_TEST(what_one_address_cannot_be_does_not_stop_the_rest)
{
	char want[256];
	taddr_t buf;

	expect_lines("walk umem", 18);
	buf = strtoull(s.text, NULL, 16);
	snprintf(want, sizeof(want),
	    "note: bufctl: 0x%" PRIx64
	    " is no bufctl, log record or audited buffer\n",
	    buf);
	session_find(&s, "walk umem | bufctl", want);
	session_find(&s, "walk umem | bufctl -json", "\"failed\":13");
}
END_TEST

START_TEST(if_none_can_be_used_the_line_fails)
{
	ck_assert_int_eq(
	    session_run(&s, "walk umem umem_alloc_64 | umem_cache"),
	    UMDB_ENOTFOUND);
	ck_assert_ptr_nonnull(
	    strstr(umdb_error(s.u), "umem_cache: there is no cache at 0x"));
}
END_TEST

START_TEST(a_usage_error_ends_it_at_once)
{
	session_fail(&s, "walk umem | bufctl -t x", UMDB_EUSAGE,
	    "bufctl: a thread must be a number, not x; usage: umem bufctl "
	    "ADDR [-v] [-h] [-a ADDR] [-c FUNCTION] [-e TIME] [-l TIME] [-t "
	    "THREAD]");
	session_fail(&s, "walk umem | walk nosuch", UMDB_EUSAGE,
	    "walk: there is no walker and no cache nosuch; \"umem walkers\" "
	    "lists the walkers");
	ck_assert_uint_eq(s.len, 0);
}
END_TEST

START_TEST(errors_in_json_are_one_document)
{
	ck_assert_int_eq(
	    session_run(&s, "walk umem | walk nosuch -json"), UMDB_EUSAGE);
	ck_assert_str_eq(s.text,
	    "{\"umdb\":1,\"command\":\"walk\",\"error\":\"walk: there is no "
	    "walker and no cache nosuch; \\\"umem walkers\\\" lists the "
	    "walkers\"}\n");
}
END_TEST

START_TEST(the_last_command_says_what_was_found)
{
	ck_assert_int_eq(session_run(&s, "walk umem_cache | verify"), UMDB_OK);
	ck_assert_str_eq(umdb_result(s.u), "corrupt");
	ck_assert_uint_eq(s.found, 0);
	ck_assert_int_eq(session_run(&s, "findleaks | leakbuf"), UMDB_OK);
	ck_assert_ptr_null(umdb_result(s.u));
	ck_assert_int_eq(session_run(&s, "findleaks"), UMDB_OK);
	ck_assert_str_eq(umdb_result(s.u), "leaks");
	ck_assert_uint_gt(s.found, 0);
}
END_TEST

START_TEST(damage_is_counted_over_all_addresses)
{
	taddr_t buf;

	expect_lines("walk umem umem_alloc_48", 5);
	buf = strtoull(s.text, NULL, 16);
	umdb_invalidate(s.u);
	DRAW_SET(&d, d.root, umem_root_t, root_maxverify, UINT64_MAX);
	fake_put64(d.tgt, buf + 40, 0x58);
	ck_assert_int_eq(session_run(&s, "walk umem_cache | verify"), UMDB_OK);
	ck_assert_uint_eq(s.found, 1);
	expect_lines("walk umem_cache | verify | whatis -q", 1);
	ck_assert_uint_eq(strtoull(s.text, NULL, 16), buf);
}
END_TEST

static void
refuse(struct session *at)
{
	at->stop_after = 1;
	at->writes = 2;
}

START_TEST(a_reader_that_wants_no_more_stops_it)
{
	s.in_write = refuse;
	ck_assert_int_eq(
	    session_run(&s, "walk umem_cache | walk freemem | whatis -v"),
	    UMDB_EINTR);
	s.in_write = NULL;
	s.stop_after = 0;
	expect_lines("walk umem_cache", 3);
}
END_TEST

START_TEST(text_goes_through_a_shell_command)
{
	session_expect(&s, "walk umem_cache ! wc -l | tr -d ' '", "3\n");
	session_fail(&s, "cache nosuch ! cat", UMDB_ENOTFOUND,
	    "cache: there is no cache named nosuch");
	session_expect(&s, "cache -a ! grep -c umem_", "3\n");
	session_expect(&s, "walk freemem ! head -c 0", "");
	session_expect(&s, "walk umem -json ! tail -1",
	    "],\"summary\":{\"walker\":\"umem\",\"count\":18}}\n");
}
END_TEST

START_TEST(gdb_prints_and_examines_what_a_pipe_gives)
{
	char want[256];
	taddr_t a, b;

	expect_lines("walk umem umem_oversize", 2);
	a = strtoull(s.text, NULL, 16);
	b = strtoull(strchr(s.text, '\n'), NULL, 16);
	snprintf(want, sizeof(want),
	    "0x%" PRIx64 ": <output (*(struct node *) 0x%" PRIx64 ")>\n"
	    "0x%" PRIx64 ": <output (*(struct node *) 0x%" PRIx64 ")>\n",
	    a, a, b, b);
	session_expect(&s, "walk umem umem_oversize | print struct node", want);
	snprintf(want, sizeof(want),
	    "0x%" PRIx64 ": <output (*(node_t *) 0x%" PRIx64 ").next->data>\n"
	    "0x%" PRIx64 ": <output (*(node_t *) 0x%" PRIx64 ").next->data>\n",
	    a, a, b, b);
	session_expect(
	    &s, "walk umem_oversize | print node_t next->data", want);
	session_expect(&s, "examine 0x10 20X", "<x/20xw 0x10>\n");
	session_expect(&s, "examine 0x10 i -c 3", "<x/3i 0x10>\n");
	session_fail(&s, "examine 0x10 i -json", UMDB_EUSAGE,
	    "examine: the debugger prints this, as text only; usage: umem "
	    "examine ADDR FORMAT [-c COUNT]");
}
END_TEST

Suite *
test_pipe_suite(void)
{
	Suite *suite = suite_create("pipe");
	TCase *parse = tcase_create("parsing");
	TCase *run = tcase_create("running");

	tcase_add_checked_fixture(parse, NULL, teardown_line);
	tcase_add_test(parse, commands_stand_between_bars_with_their_arguments);
	tcase_add_test(parse, the_address_takes_its_place_among_the_arguments);
	tcase_add_test(parse, a_walkers_name_alone_is_a_walk);
	tcase_add_test(parse, quotes_and_backslashes_keep_bars);
	tcase_add_test(parse, a_shell_command_is_the_rest_of_the_line);
	tcase_add_test(parse, a_line_that_is_wrong_is_one_sentence);
	tcase_add_test(parse, pipelines_may_be_long);
	suite_add_tcase(suite, parse);
	tcase_add_checked_fixture(run, setup, teardown);
	tcase_add_test(run, each_address_is_a_row_of_one_table);
	tcase_add_test(run, commands_filter_and_pass_on);
	tcase_add_test(run, nothing_from_a_pipe_prints_nothing);
	tcase_add_test(run, json_is_one_document_whose_counts_add_up);
	tcase_add_test(run, what_one_address_cannot_be_does_not_stop_the_rest);
	tcase_add_test(run, if_none_can_be_used_the_line_fails);
	tcase_add_test(run, a_usage_error_ends_it_at_once);
	tcase_add_test(run, errors_in_json_are_one_document);
	tcase_add_test(run, the_last_command_says_what_was_found);
	tcase_add_test(run, damage_is_counted_over_all_addresses);
	tcase_add_test(run, a_reader_that_wants_no_more_stops_it);
	tcase_add_test(run, text_goes_through_a_shell_command);
	tcase_add_test(run, gdb_prints_and_examines_what_a_pipe_gives);
	suite_add_tcase(suite, run);
	return suite;
}
