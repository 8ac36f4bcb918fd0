/* SPDX-License-Identifier: MIT */
/*
 * test_dcmd_growth.c - umem snapshot and diff, what findleaks chooses, and
 * profiles, through a session on a drawn heap
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "session.h"
#include "suites.h"

static struct draw d;
static struct session s;
static char line[400];

static void
setup(void)
{
	scratch_open();
	draw_heap(&d);
	session_open(&s, &d);
}

static void
teardown(void)
{
	session_close(&s);
	draw_close(&d);
	scratch_close();
}

/* "umem COMMAND", with % in it for the path of a file. */
static const char *
with(const char *command, const char *name)
{
	const char *percent = strchr(command, '%');

	snprintf(line, sizeof(line), "%.*s%s%s", (int)(percent - command),
	    command, scratch_path(name), percent + 1);
	return line;
}

static void
expect_file(const char *name, const char *text)
{
	char *got = scratch_read(name, NULL);

	ck_assert_ptr_nonnull(got);
	ck_assert_msg(strstr(got, text) != NULL, "%s is not in\n%s", text, got);
	free(got);
}

static void
expect_text(const char *text)
{
	ck_assert_msg(
	    strstr(s.text, text) != NULL, "%s is not in\n%s", text, s.text);
}

/* --------------------------------------------------------------- snapshot */

START_TEST(snapshot_counts_by_stack_and_cache)
{
	ck_assert_int_eq(session_run(&s, with("snapshot %", "a")), UMDB_OK);
	expect_text("written: 18 buffers, 103K, 3 groups\n");
	expect_file("a", "umem-snapshot\t1\nabout\t/bin/app\n");
	expect_file("a", "frame\t0\t1008\t555555555008\tf0\t8\t\t0\n");
	expect_file("a", "sample\tumem_alloc_64\t11\t704\t0,0,0,0,0,0\t\n");
	expect_file("a", "sample\tumem_oversize\t2\t105000\t");
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(stack_of_a_damaged_trace_is_left_out)
{
	char *got;

	DRAW_SET(&d, draw_trace_at(1), umem_trace_t, tr_depth, 60000);
	ck_assert_int_eq(session_run(&s, with("snapshot %", "a")), UMDB_OK);
	expect_text("written: 18 buffers, 103K, 3 groups\n");
	expect_file("a", "sample\tumem_alloc_48\t5\t210\t");
	got = scratch_read("a", NULL);
	ck_assert_ptr_null(strstr(got, "frame\t"));
	free(got);
}
END_TEST

START_TEST(snapshot_has_facts_in_json)
{
	ck_assert_int_eq(
	    session_run(&s, with("snapshot -json %", "a")), UMDB_OK);
	expect_text("\"count\":18,\"bytes\":105914,\"groups\":3");
}
END_TEST

START_TEST(snapshot_that_cannot_be_written_is_an_error)
{
	session_fail(&s, "snapshot /dev/full", UMDB_EIO,
	    "snapshot: /dev/full cannot be written: No space left on device");
	session_fail(&s, "snapshot", UMDB_EUSAGE,
	    "snapshot: a file is missing; usage: umem snapshot FILE");
}
END_TEST

/* ------------------------------------------------------------------- diff */

/* A second slab's buffer is handed out, another one freed. */
static void
change(void)
{
	const struct {
		taddr_t cache;
	} c = {draw_cache_addr(&d, "umem_alloc_48")};
	taddr_t slab = draw_slab(&d, c.cache, 20);
	unsigned i;

	for (i = 0; i < 3; i++)
		draw_alloc(&d, slab, i, 44);
	draw_large(&d, 200000);
	umdb_invalidate(s.u);
}

START_TEST(diff_of_what_did_not_change_says_so)
{
	ck_assert_int_eq(session_run(&s, with("snapshot %", "a")), UMDB_OK);
	session_expect(&s, with("diff %", "a"),
	    "before: 18 buffers, 103K\n"
	    "now:    18 buffers, 103K (0 buffers, 0)\n"
	    "\n"
	    "no group differs\n");
}
END_TEST

START_TEST(diff_shows_what_grew_and_what_is_gone)
{
	ck_assert_int_eq(session_run(&s, with("snapshot %", "a")), UMDB_OK);
	change();
	ck_assert_int_eq(session_run(&s, with("diff %", "a")), UMDB_OK);
	expect_text("before: 18 buffers, 103K\n"
		    "now:    22 buffers, 299K (+4 buffers, +195K)\n");
	expect_text("+195K        +1     298K  grown   umem_oversize");
	ck_assert_int_eq(session_run(&s, with("snapshot %", "b")), UMDB_OK);
	snprintf(line, sizeof(line), "diff %s %s", scratch_path("b"),
	    scratch_path("a"));
	ck_assert_int_eq(session_run(&s, line), UMDB_OK);
	expect_text("-195K        -1     103K  shrunk  umem_oversize");
}
END_TEST

START_TEST(diff_can_be_limited_and_detailed)
{
	ck_assert_int_eq(session_run(&s, with("snapshot %", "a")), UMDB_OK);
	change();
	ck_assert_int_eq(session_run(&s, with("diff -n 1 %", "a")), UMDB_OK);
	expect_text("... and 1 more group; -n N shows more\n");
	ck_assert_ptr_null(strstr(s.text, "umem_alloc_48"));
	ck_assert_int_eq(session_run(&s, with("diff -d %", "a")), UMDB_OK);
	expect_text("\n+132 bytes (grown), umem_alloc_48: 5 buffers before, 8 "
		    "now\n        f0+0x8 in app\n        f1+0x8 in app\n");
	expect_text("        no stack was recorded\n");
}
END_TEST

START_TEST(diff_has_whole_stacks_in_json)
{
	ck_assert_int_eq(session_run(&s, with("snapshot %", "a")), UMDB_OK);
	change();
	ck_assert_int_eq(session_run(&s, with("diff -json %", "a")), UMDB_OK);
	expect_text("{\"change\":\"grown\",\"bytes\":342,\"bytes_before\":210,"
		    "\"count\":8,\"count_before\":5,"
		    "\"cache\":\"umem_alloc_48\",\"stack\":[{\"pc\":"
		    "\"0x555555555008\",\"function\":\"f0\",\"offset\":8,"
		    "\"module\":\"/bin/app\",\"file\":null,\"line\":null},");
	expect_text("\"stack\":[]}");
	expect_text("\"bytes\":306046,\"bytes_before\":105914,\"count\":22,"
		    "\"count_before\":18,\"groups\":3,\"differ\":2");
}
END_TEST

START_TEST(diff_of_files_that_are_none_is_an_error)
{
	char want[200];

	session_fail(&s, "diff /no/such", UMDB_EIO,
	    "diff: /no/such cannot be read: No such file or directory");
	scratch_write("text", "hello\n");
	snprintf(want, sizeof(want),
	    "diff: %s is not a snapshot; umem snapshot makes one",
	    scratch_path("text"));
	session_fail(&s, with("diff %", "text"), UMDB_EIO, want);
	ck_assert_int_eq(session_run(&s, "diff /proc/self/exe"), UMDB_EIO);
	ck_assert_ptr_nonnull(strstr(umdb_error(s.u), "/proc/self/exe: "));
}
END_TEST

/* -------------------------------------------------------------- findleaks */

/* Lose what the drawn heap has, so that one audited buffer leads to another. */
static void
lose(void)
{
	/* 0 of umem_alloc_48 leads to 1, which leads to 2 */
	fake_put64(d.tgt, DRAW_HEAP + 0x2010, DRAW_HEAP + 0x2060);
	fake_put64(d.tgt, DRAW_HEAP + 0x2060, DRAW_HEAP + 0x20b0);
}

START_TEST(indirect_bytes_stand_with_what_leads_to_them)
{
	lose();
	session_find(&s, "findleaks f0",
	    "    BYTES   INDIRECT  CACHE          LEAKED  BUFCTL          CALLER\n"
	    "      127         83  umem_alloc_48       3  ");
	session_find(&s, "findleaks -json f0",
	    "\"count\":3,\"bytes\":127,\"indirect_count\":2,"
	    "\"indirect_bytes\":83,");
	ck_assert_uint_eq(s.found, 5);
}
END_TEST

START_TEST(groups_can_be_limited)
{
	session_find(&s, "findleaks -n 1",
	    "   105000  umem_oversize       2  0x7ffff0003000  ?\n"
	    "... and 2 more groups; -n N shows more\n"
	    "----------------------------------------------------------------"
	    "------\n"
	    "   105914  Total 18 buffers\n");
	session_run(&s, "findleaks -n 1 -json");
	expect_text("umem_oversize");
	ck_assert_ptr_null(strstr(s.text, "umem_alloc_48"));
	expect_text("\"buffers\":18,\"bytes\":105914");
	session_fail(&s, "findleaks -n x", UMDB_EUSAGE,
	    "findleaks: -n must be a number, not x; usage: umem findleaks "
	    "[-d] [-f] [-v] [-n N] [-s bytes|count|age|caller] [-i FUNCTION] "
	    "[-x FUNCTION] [-S FILE] [-folded FILE] [-pprof FILE] [-html "
	    "FILE] [FUNCTION|ADDR]");
}
END_TEST

/* Caches in the order of the rows. */
static void
expect_order(const char *command, const char *a, const char *b, const char *c)
{
	const char *p;

	ck_assert_int_eq(session_run(&s, command), UMDB_OK);
	p = strstr(s.text, a);
	ck_assert_msg(p != NULL, "%s lacks %s", command, a);
	p = strstr(p, b);
	ck_assert_msg(p != NULL, "%s: %s does not follow", command, b);
	p = strstr(p, c);
	ck_assert_msg(p != NULL, "%s: %s does not follow", command, c);
}

START_TEST(groups_can_be_ordered)
{
	expect_order("findleaks -json", "umem_oversize", "umem_alloc_64",
	    "umem_alloc_48");
	expect_order("findleaks -json -s bytes", "umem_oversize",
	    "umem_alloc_64", "umem_alloc_48");
	expect_order("findleaks -json -s count", "umem_alloc_64",
	    "umem_alloc_48", "umem_oversize");
	expect_order("findleaks -json -s age", "umem_alloc_48", "umem_oversize",
	    "umem_alloc_64");
	expect_order("findleaks -json -s caller", "umem_alloc_48",
	    "umem_oversize", "umem_alloc_64");
	ck_assert_int_eq(session_run(&s, "findleaks -s size"), UMDB_EUSAGE);
	ck_assert_ptr_nonnull(strstr(umdb_error(s.u),
	    "findleaks: -s is bytes, count, age or caller, not size"));
}
END_TEST

START_TEST(operator_new_is_not_who_lost_it)
{
	s.f0 = "operator new[](unsigned long)";
	session_find(&s, "findleaks", "  f1+0x");
	ck_assert_ptr_null(strstr(s.text, "operator new"));
	session_find(
	    &s, "findleaks -d", "        operator new[](unsigned long)+");
	session_find(
	    &s, "findleaks -json", "\"operator new[](unsigned long)\"");
}
END_TEST

START_TEST(groups_can_be_chosen_by_function)
{
	session_find(&s, "findleaks -i f1", "Total 5 buffers");
	session_find(&s, "findleaks -i f9 -i f1", "Total 5 buffers");
	session_find(&s, "findleaks -i f*", "Total 5 buffers");
	session_find(&s, "findleaks -i f*9", "no memory leaks match\n");
	session_find(&s, "findleaks -x f1", "Total 13 buffers");
	session_find(&s, "findleaks -x f9 -x *1", "Total 13 buffers");
	session_find(&s, "findleaks -i f1 -x f2", "no memory leaks match\n");
	session_find(&s, "findleaks f9 -i f1", "Total 5 buffers");
}
END_TEST

START_TEST(known_leaks_are_left_out_with_what_they_lead_to)
{
	lose();
	scratch_write("s", "leak:^f2$\nleak:nothing\n");
	session_find(&s, with("findleaks -S %", "s"), "Total 13 buffers");
	expect_text("suppressed: 5 buffers, 210 bytes, by 1 of 2 rules\n");
	ck_assert_uint_eq(s.found, 13);
	session_find(&s, with("findleaks -v -S %", "s"),
	    "note: the suppression nothing was not used\n");
	expect_text("note: the suppression ^f2$: 5 buffers, 210 bytes\n");
	ck_assert_int_eq(
	    session_run(&s, with("findleaks -json -S %", "s")), UMDB_OK);
	expect_text("\"suppressed\":5,\"suppressed_bytes\":210");
	/* only the heads match, yet what they lead to goes with them */
	scratch_write("s", "{\n x\n Memcheck:Leak\n match-leak-kinds:definite\n"
			   " fun:malloc\n fun:f0\n}\n");
	session_find(&s, with("findleaks -S %", "s"), "Total 13 buffers");
	expect_text("suppressed: 5 buffers, 210 bytes, by 1 of 1 rules\n");
	session_find(&s, with("findleaks f0 -S %", "s"),
	    "no memory leaks matching f0 found\n");
	/* and only these without heads */
	scratch_write("s", "{\n x\n Memcheck:Leak\n match-leak-kinds:indirect\n"
			   " fun:f0\n}\n");
	session_find(&s, with("findleaks -S %", "s"), "Total 16 buffers");
	ck_assert_ptr_null(strstr(s.text, "INDIRECT"));
}
END_TEST

START_TEST(suppression_files_that_are_wrong_are_an_error)
{
	char want[200];

	session_fail(&s, "findleaks -S /no/such", UMDB_EIO,
	    "findleaks: /no/such cannot be read: No such file or directory");
	scratch_write("s", "leek:x\n");
	snprintf(want, sizeof(want),
	    "findleaks: %s, line 1: neither leak:PATTERN nor \"{\" stands "
	    "here",
	    scratch_path("s"));
	session_fail(&s, with("findleaks -S %", "s"), UMDB_EIO, want);
}
END_TEST

/* --------------------------------------------------------------- profiles */

START_TEST(commands_write_profiles_of_what_they_show)
{
	lose();
	session_find(
	    &s, with("findleaks -folded %", "f"), "written: 4 stacks\n");
	expect_file("f", "definite;[umem_alloc_64] 704\n"
			 "definite;[umem_oversize] 105000\n"
			 "definite;f3;f2;f1;f0 127\n"
			 "indirect;f3;f2;f1;f0 83\n");
	session_run(&s, with("findleaks -x f0 -folded %", "f"));
	expect_file("f", "definite;[umem_alloc_64] 704\n"
			 "definite;[umem_oversize] 105000\n");
	session_run(&s, with("users -e -folded %", "f"));
	expect_file("f", "f3;f2;f1;f0 210\n");
	session_run(&s, with("snapshot %", "a"));
	change();
	snprintf(line, sizeof(line), "diff %s -folded %s", scratch_path("a"),
	    scratch_path("f"));
	ck_assert_int_eq(session_run(&s, line), UMDB_OK);
	expect_file("f", "[umem_alloc_64] 704 704\n"
			 "[umem_oversize] 105000 305000\n"
			 "f3;f2;f1;f0 210 342\n");
	session_run(&s, with("top -folded %", "f"));
	session_run(&s, with("top -roots -folded %", "f"));
}
END_TEST

START_TEST(several_profiles_can_be_written_at_once)
{
	snprintf(line, sizeof(line),
	    "findleaks -json -folded %s -pprof %s -html %s", scratch_path("f"),
	    scratch_path("p"), scratch_path("h"));
	ck_assert_int_eq(session_run(&s, line), UMDB_OK);
	expect_text("\"folded\":\"");
	expect_text("\"pprof\":\"");
	expect_text("\"html\":\"");
	ck_assert_int_eq(scratch_count(), 3);
	expect_file("h", "umem findleaks");
	expect_file("p", "\x1f\x8b");
}
END_TEST

START_TEST(profiles_need_a_file_that_can_be_written)
{
	static const char *const refused[] = {"findleaks -folded -n 3",
	    "findleaks -n 3 -pprof -html", "findleaks -html -json",
	    "findleaks -S -v", "users -pprof -", "diff -folded --x a b"};
	size_t i;

	session_fail(&s, "top -html", UMDB_EUSAGE,
	    "top: option -html needs a file; usage: umem top [-n N] [-v] "
	    "[-roots|-sites] [-folded FILE] [-pprof FILE] [-html FILE]");
	session_fail(&s, "top -folded -n 3", UMDB_EUSAGE,
	    "top: option -folded needs a file, and -n looks like an option: "
	    "./-n is a file; usage: umem top [-n N] [-v] "
	    "[-roots|-sites] [-folded FILE] [-pprof FILE] [-html FILE]");
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		session_fail(&s, refused[i], UMDB_EUSAGE, umdb_error(s.u));
		ck_assert_ptr_nonnull(
		    strstr(umdb_error(s.u), " looks like an option: ./-"));
	}
	session_fail(&s, "users -html /dev/full", UMDB_EIO,
	    "users: /dev/full cannot be written: No space left on device");
	session_fail(&s, "stat -html x", UMDB_EUSAGE, umdb_error(s.u));
}
END_TEST

Suite *
test_dcmd_growth_suite(void)
{
	Suite *suite = suite_create("dcmd_growth");
	TCase *c = tcase_create("snapshots"), *l = tcase_create("leaks"),
	      *p = tcase_create("profiles");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, snapshot_counts_by_stack_and_cache);
	tcase_add_test(c, stack_of_a_damaged_trace_is_left_out);
	tcase_add_test(c, snapshot_has_facts_in_json);
	tcase_add_test(c, snapshot_that_cannot_be_written_is_an_error);
	tcase_add_test(c, diff_of_what_did_not_change_says_so);
	tcase_add_test(c, diff_shows_what_grew_and_what_is_gone);
	tcase_add_test(c, diff_can_be_limited_and_detailed);
	tcase_add_test(c, diff_has_whole_stacks_in_json);
	tcase_add_test(c, diff_of_files_that_are_none_is_an_error);
	suite_add_tcase(suite, c);
	tcase_add_checked_fixture(l, setup, teardown);
	tcase_add_test(l, indirect_bytes_stand_with_what_leads_to_them);
	tcase_add_test(l, groups_can_be_limited);
	tcase_add_test(l, groups_can_be_ordered);
	tcase_add_test(l, operator_new_is_not_who_lost_it);
	tcase_add_test(l, groups_can_be_chosen_by_function);
	tcase_add_test(l, known_leaks_are_left_out_with_what_they_lead_to);
	tcase_add_test(l, suppression_files_that_are_wrong_are_an_error);
	suite_add_tcase(suite, l);
	tcase_add_checked_fixture(p, setup, teardown);
	tcase_add_test(p, commands_write_profiles_of_what_they_show);
	tcase_add_test(p, several_profiles_can_be_written_at_once);
	tcase_add_test(p, profiles_need_a_file_that_can_be_written);
	suite_add_tcase(suite, p);
	return suite;
}
