/* SPDX-License-Identifier: MIT */
/*
 * test_mdb.c - MDB's notation
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mdb.h"
#include "session.h"
#include "suites.h"

/* ------------------------------------------------------------- expressions */

/* main is at 0x401000, add at 0x402000, $rsp is 0x7000; the rest is unknown */
static int
lookup(void *arg, const char *text, uint64_t *addr, uint64_t *size)
{
	static const struct {
		const char *text;
		uint64_t addr, size;
	} known[] = {
	    {"main", 0x401000, 0x80},
	    {"&(main)", 0x401000, 0},
	    {"&(add)", 0x402000, 0},
	    {"&(ns::fun)", 0x403000, 0},
	    {"$rsp", 0x7000, 0},
	};
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].text, text) != 0)
			continue;
		*addr = known[i].addr;
		*size = known[i].size;
		return UMDB_OK;
	}
	return UMDB_ENOTFOUND;
}

static struct umdb_error err;

static int
value(const char *text, uint64_t *ret)
{
	struct dcmd_ctx ctx = {.lookup = lookup, .err = &err};

	return mdb_value(&ctx, text, ret);
}

START_TEST(numbers_are_hexadecimal_unless_they_say_else)
{
	static const struct {
		const char *text;
		uint64_t value;
	} c[] = {
	    {"0", 0},
	    {"10", 0x10},
	    {"0x10", 0x10},
	    {"0X1f", 0x1f},
	    {"0t10", 10},
	    {"0T99", 99},
	    {"0i101", 5},
	    {"0o17", 15},
	    {"7f3c", 0x7f3c},
	    {"7F3C", 0x7f3c},
	    {"c0ffee", 0xc0ffee},
	    {"ffffffffffffffff", UINT64_MAX},
	    {" 10 ", 0x10},
	    {"main", 0x401000},
	    {"add", 0x402000},
	    {"0add", 0xadd},
	    {"ns::fun+8", 0x403008},
	    {"<rsp", 0x7000},
	    {"main+0t10", 0x40100a},
	    {"main + 10 - 8", 0x401008},
	    {"10+2*3", 0x16},
	    {"(10+2)*3", 0x36},
	    {"10%3", 5},
	    {"ff&f0", 0xf0},
	    {"-1", UINT64_MAX},
	    {"~0", UINT64_MAX},
	    {"10--1", 0x11},
	    {"a.out`main", 0x401000},
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		ck_assert_msg(value(c[i].text, &v) == UMDB_OK, "%s", c[i].text);
		ck_assert_msg(v == c[i].value, "%s is %#" PRIx64, c[i].text, v);
	}
}
END_TEST

START_TEST(what_is_no_expression_is_one_sentence)
{
	static const struct {
		const char *text, *msg;
	} c[] = {
	    {"", "something is missing in the expression "},
	    {"10+", "something is missing in the expression 10+"},
	    {"10 20", "there is something behind the end in the expression "
		      "10 20"},
	    {"(10", "a parenthesis is not closed in the expression (10"},
	    {"10)", "there is something behind the end in the expression 10)"},
	    {"nosuch", "there is an unknown symbol in the expression nosuch"},
	    {"libc`main",
		"there is an unknown symbol in the expression libc`main"},
	    {"<nosuch",
		"there is an unknown register in the expression <nosuch"},
	    {"10g", "there is a number that is none in the expression 10g"},
	    {"0t1a", "there is a number that is none in the expression 0t1a"},
	    {"0i2", "there is a number that is none in the expression 0i2"},
	    {"0o8", "there is a number that is none in the expression 0o8"},
	    {"10000000000000000", "there is a number that is none in the "
				  "expression 10000000000000000"},
	    {"*10", "there is an address that cannot be read in the expression "
		    "*10"},
	    {"*", "something is missing in the expression *"},
	    {"1%0", "there is a division by zero in the expression 1%0"},
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		ck_assert_msg(
		    value(c[i].text, &v) == UMDB_EUSAGE, "%s", c[i].text);
		ck_assert_str_eq(err.msg, c[i].msg);
	}
}
END_TEST

START_TEST(deep_expressions_are_refused_not_followed)
{
	char text[1001];
	uint64_t v;

	memset(text, _i == 0 ? '(' : '-', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(value(text, &v), UMDB_EUSAGE);
	memset(text, 'x', sizeof(text) - 1);
	ck_assert_int_eq(value(text, &v), UMDB_EUSAGE);
	ck_assert_int_eq(strncmp(err.msg, "a name is too long in", 21), 0);
}
END_TEST

/* ----------------------------------------------------------------- parsing */

static struct dcmd_line line;

static void
teardown_line(void)
{
	dcmd_line_free(&line);
}

START_TEST(a_line_is_an_expression_and_a_command)
{
	ck_assert_int_eq(
	    mdb_parse(" 7f3c+8 ::bufctl -h -v", false, &line, &err), UMDB_OK);
	ck_assert_ptr_eq(line.dcmd, dcmd_find("bufctl"));
	ck_assert_str_eq(line.expr, "7f3c+8");
	ck_assert_ptr_nonnull(line.args.opt['h']);
	dcmd_line_free(&line);
	ck_assert_int_eq(
	    mdb_parse("ns::fun::findleaks -d", false, &line, &err), UMDB_OK);
	ck_assert_str_eq(line.expr, "ns::fun");
	ck_assert_ptr_eq(line.dcmd, dcmd_find("findleaks"));
	dcmd_line_free(&line);
	ck_assert_int_eq(
	    mdb_parse("::walk umem_cache", false, &line, &err), UMDB_OK);
	ck_assert_str_eq(line.expr, "");
	dcmd_line_free(&line);
	ck_assert_int_eq(mdb_parse("::leakbuf", true, &line, &err), UMDB_OK);
	ck_assert_ptr_eq(line.dcmd, dcmd_find("walk"));
}
END_TEST

START_TEST(a_format_is_the_command_examine)
{
	ck_assert_int_eq(mdb_parse("7f3c/20X", false, &line, &err), UMDB_OK);
	ck_assert_ptr_eq(line.dcmd, dcmd_find("examine"));
	ck_assert_str_eq(line.args.argv[1], "20X");
	ck_assert_ptr_null(line.args.opt['c']);
	dcmd_line_free(&line);
	ck_assert_int_eq(
	    mdb_parse("7f3c , 14 /X", false, &line, &err), UMDB_OK);
	ck_assert_str_eq(line.expr, "7f3c");
	ck_assert_str_eq(line.args.opt['c'], "20");
	dcmd_line_free(&line);
	ck_assert_int_eq(mdb_parse(" /4X", true, &line, &err), UMDB_OK);
	ck_assert_ptr_eq(line.args.argv[0], line.dot);
}
END_TEST

START_TEST(a_line_that_is_wrong_is_one_sentence)
{
	static const struct {
		const char *text, *msg;
		bool piped;
	} c[] = {
	    {"7f3c",
		"7f3c is no command: what is wanted is "
		"EXPRESSION::COMMAND or EXPRESSION/FORMAT",
		false},
	    {"::",
		":: is no command: what is wanted is EXPRESSION::COMMAND "
		"or EXPRESSION/FORMAT",
		false},
	    {"::nosuch", "there is no command nosuch; \"help umem\" lists them",
		false},
	    {"::whatis",
		"an address is missing; usage: umem whatis [-q] [-v] [-a] "
		"[-i] [-k] ADDR",
		false},
	    {"/4X",
		"an address is missing; usage: umem examine ADDR FORMAT "
		"[-c COUNT]",
		false},
	    {"7f3c::whatis",
		"the pipe gives an address, and 7f3c::whatis is "
		"another",
		true},
	    {"7f3c::status",
		"it takes no address from a pipe; usage: umem "
		"status",
		false},
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		ck_assert_int_eq(
		    mdb_parse(c[i].text, c[i].piped, &line, &err), UMDB_EUSAGE);
		ck_assert_str_eq(err.msg, c[i].msg);
		dcmd_line_free(&line);
	}
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

/* A line of MDB's prints the same as one of umem's own. */
static void
same(const char *mdb, const char *umem)
{
	char *text;

	ck_assert_msg(
	    session_run(&s, umem) == UMDB_OK, "%s: %s", umem, umdb_error(s.u));
	text = strdup(s.text);
	ck_assert_msg(
	    session_run(&s, mdb) == UMDB_OK, "%s: %s", mdb, umdb_error(s.u));
	ck_assert_str_eq(s.text, text);
	free(text);
}

START_TEST(lines_do_what_those_of_umem_do)
{
	char mdb[128], umem[128];
	taddr_t buf, bufctl;

	ck_assert_int_eq(session_run(&s, "walk umem umem_alloc_48"), UMDB_OK);
	buf = strtoull(s.text, NULL, 16);
	ck_assert_int_eq(session_run(&s, "walk bufctl"), UMDB_OK);
	bufctl = strtoull(s.text, NULL, 16);

	same("mdb ::findleaks -d", "findleaks -d");
	same("mdb f2::findleaks", "findleaks f2");
	same("mdb app`f2::findleaks", "findleaks 0x555555555200");
	same("mdb ::walk umem_cache | ::umem_verify",
	    "walk umem_cache | verify");
	same("mdb ::umem_cache ! grep alloc_48", "cache ! grep alloc_48");
	same("mdb ::walk umem_alloc_64", "walk umem umem_alloc_64");
	same(
	    "mdb ::walk bufctl | ::bufctl -c f2", "walk bufctl | bufctl -c f2");
	same("mdb ::dcmds", "dcmds");
	same("mdb ::walkers", "walkers");
	same("mdb ::help findleaks", "help findleaks");
	same("mdb ::umalog -n 0t3", "log -n 3");
	same("mdb ::umalog -n 10", "log -n 16");
	same("mdb ::umalog -n a", "log -n 10");
	same("mdb f1::ugrep -v -M ffff", "ugrep 0x555555555100 -v -M 0xffff");
	snprintf(mdb, sizeof(mdb), "mdb %" PRIx64 "::whatis", buf);
	snprintf(umem, sizeof(umem), "whatis 0x%" PRIx64, buf);
	same(mdb, umem);
	snprintf(mdb, sizeof(mdb), "mdb %" PRIx64 "::bufctl -h -v", bufctl);
	snprintf(umem, sizeof(umem), "bufctl 0x%" PRIx64 " -h -v", bufctl);
	same(mdb, umem);
	snprintf(mdb, sizeof(mdb), "mdb %" PRIx64 "::walk leak | ::bufctl -v",
	    bufctl);
	snprintf(
	    umem, sizeof(umem), "walk leak 0x%" PRIx64 " | bufctl -v", bufctl);
	same(mdb, umem);
	snprintf(mdb, sizeof(mdb),
	    "mdb ::walk umem_log | ::bufctl -v -a %" PRIx64, buf);
	snprintf(
	    umem, sizeof(umem), "walk umem_log | bufctl -v -a 0x%" PRIx64, buf);
	same(mdb, umem);
	snprintf(
	    mdb, sizeof(mdb), "mdb %" PRIx64 "::walk leakbuf | /20X", bufctl);
	snprintf(umem, sizeof(umem), "walk leakbuf 0x%" PRIx64 " | examine 20X",
	    bufctl);
	same(mdb, umem);
}
END_TEST

START_TEST(a_hexadecimal_name_is_a_symbol_if_there_is_one)
{
	char text[80];

	same("mdb f1::whatis", "whatis 0x555555555100");
	same("mdb bf1::whatis", "whatis 0xbf1");
	fake_put64(d.tgt, DRAW_APP_DATA + 8, 0xbf0);
	umdb_invalidate(s.u);
	snprintf(text, sizeof(text), "mdb *(%lx + 8)+1::whatis",
	    (unsigned long)DRAW_APP_DATA);
	same(text, "whatis 0xbf1");
	same("mdb ::walk bufctl | ::bufctl -a f1",
	    "walk bufctl | bufctl -a 0x555555555100");
	same("mdb ::walk bufctl | ::bufctl -a bf1",
	    "walk bufctl | bufctl -a 0xbf1");
}
END_TEST

START_TEST(failures_carry_the_commands_name)
{
	session_fail(&s, "mdb nosuch::whatis", UMDB_EUSAGE,
	    "whatis: there is an unknown symbol in the expression nosuch");
	session_fail(&s, "mdb libfoo`f1::whatis", UMDB_EUSAGE,
	    "whatis: there is an unknown symbol in the expression libfoo`f1");
	session_fail(&s, "mdb 10::umem_cache", UMDB_ENOTFOUND,
	    "umem_cache: there is no cache at 0x10");
	session_fail(&s, "mdb 10,0/X", UMDB_EUSAGE,
	    "examine: X is no format: what is wanted is a letter, and perhaps "
	    "a count before it; usage: umem examine ADDR FORMAT [-c COUNT]");
	session_fail(&s, "mdb ::help nosuch", UMDB_EUSAGE,
	    "help: there is no command and no walker nosuch");
	session_fail(&s, "walk umem | mdb ::whatis", UMDB_EUSAGE,
	    "mdb: it takes no address from a pipe; usage: umem mdb "
	    "[EXPRESSION]::COMMAND [ARGUMENTS] [| ...] [! SHELL COMMAND]");
}
END_TEST

Suite *
test_mdb_suite(void)
{
	Suite *suite = suite_create("mdb");
	TCase *expression = tcase_create("expressions");
	TCase *parse = tcase_create("parsing");
	TCase *run = tcase_create("running");

	tcase_add_test(
	    expression, numbers_are_hexadecimal_unless_they_say_else);
	tcase_add_test(expression, what_is_no_expression_is_one_sentence);
	tcase_add_loop_test(
	    expression, deep_expressions_are_refused_not_followed, 0, 2);
	suite_add_tcase(suite, expression);
	tcase_add_checked_fixture(parse, NULL, teardown_line);
	tcase_add_test(parse, a_line_is_an_expression_and_a_command);
	tcase_add_test(parse, a_format_is_the_command_examine);
	tcase_add_test(parse, a_line_that_is_wrong_is_one_sentence);
	suite_add_tcase(suite, parse);
	tcase_add_checked_fixture(run, setup, teardown);
	tcase_add_test(run, lines_do_what_those_of_umem_do);
	tcase_add_test(run, a_hexadecimal_name_is_a_symbol_if_there_is_one);
	tcase_add_test(run, failures_carry_the_commands_name);
	suite_add_tcase(suite, run);
	return suite;
}
