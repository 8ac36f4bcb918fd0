/* SPDX-License-Identifier: MIT */
/*
 * test_savefile.c - files that are written whole or not at all
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "savefile.h"
#include "scratch.h"
#include "suites.h"

static struct umdb_error err;

static void
expect_content(const char *name, const char *text)
{
	char *got = scratch_read(name, NULL);

	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, text);
	free(got);
}

START_TEST(file_appears_when_it_is_whole)
{
	struct savefile f;

	ck_assert_int_eq(savefile_open(&f, scratch_path("a"), &err), UMDB_OK);
	savefile_puts(&f, "one\n");
	savefile_printf(&f, "%d\n", 2);
	ck_assert_int_ne(access(scratch_path("a"), F_OK), 0);
	ck_assert_int_eq(savefile_close(&f, &err), UMDB_OK);
	expect_content("a", "one\n2\n");
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(older_file_stays_until_then_and_its_mode_is_kept)
{
	struct savefile f;
	struct stat st;

	scratch_write("a", "old");
	ck_assert_int_eq(chmod(scratch_path("a"), 0640), 0);
	ck_assert_int_eq(savefile_open(&f, scratch_path("a"), &err), UMDB_OK);
	savefile_puts(&f, "new");
	expect_content("a", "old");
	ck_assert_int_eq(savefile_close(&f, &err), UMDB_OK);
	expect_content("a", "new");
	ck_assert_int_eq(stat(scratch_path("a"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
}
END_TEST

START_TEST(giving_up_leaves_nothing)
{
	struct savefile f;

	scratch_write("a", "old");
	ck_assert_int_eq(savefile_open(&f, scratch_path("a"), &err), UMDB_OK);
	savefile_puts(&f, "new");
	savefile_drop(&f);
	expect_content("a", "old");
	ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(links_are_followed)
{
	struct savefile f;
	struct stat st;

	scratch_write("a", "old");
	ck_assert_int_eq(symlink("a", scratch_path("link")), 0);
	ck_assert_int_eq(
	    savefile_open(&f, scratch_path("link"), &err), UMDB_OK);
	savefile_puts(&f, "new");
	ck_assert_int_eq(savefile_close(&f, &err), UMDB_OK);
	expect_content("a", "new");
	ck_assert_int_eq(lstat(scratch_path("link"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(full_disk_is_an_error)
{
	static char block[100000];
	struct savefile f;

	ck_assert_int_eq(savefile_open(&f, "/dev/full", &err), UMDB_OK);
	savefile_write(&f, block, sizeof(block));
	ck_assert_int_eq(savefile_close(&f, &err), UMDB_EIO);
	ck_assert_str_eq(
	    err.msg, "/dev/full cannot be written: No space left on device");
}
END_TEST

START_TEST(what_cannot_be_a_file_is_an_error)
{
	struct savefile f;
	char want[200];

	ck_assert_int_eq(savefile_open(&f, scratch_dir(), &err), UMDB_EIO);
	snprintf(want, sizeof(want), "%s cannot be written: Is a directory",
	    scratch_dir());
	ck_assert_str_eq(err.msg, want);
	ck_assert_int_eq(
	    savefile_open(&f, scratch_path("no/file"), &err), UMDB_EIO);
	ck_assert_ptr_nonnull(strstr(err.msg, "No such file or directory"));
	ck_assert_int_eq(savefile_open(&f, "", &err), UMDB_EIO);
	ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

START_TEST(large_writes_and_small_ones_keep_their_order)
{
	enum { BIG = 200000 };
	static char big[BIG];
	struct savefile f;
	size_t len;
	char *got;

	memset(big, 'x', sizeof(big));
	ck_assert_int_eq(savefile_open(&f, scratch_path("a"), &err), UMDB_OK);
	savefile_puts(&f, "head");
	savefile_write(&f, big, sizeof(big));
	savefile_puts(&f, "tail");
	ck_assert_int_eq(savefile_close(&f, &err), UMDB_OK);
	got = scratch_read("a", &len);
	ck_assert_uint_eq(len, BIG + 8);
	ck_assert_mem_eq(got, "headx", 5);
	ck_assert_str_eq(got + len - 5, "xtail");
	free(got);
}
END_TEST

START_TEST(tilde_is_the_home_directory)
{
	char *p;

	setenv("HOME", scratch_dir(), 1);
	p = savefile_expand("~/a");
	ck_assert_str_eq(p, scratch_path("a"));
	free(p);
	p = savefile_expand("~a");
	ck_assert_str_eq(p, "~a");
	free(p);
}
END_TEST

START_TEST(lines_are_read_until_the_file_is_no_text)
{
	char *line = NULL;
	size_t room = 0;
	FILE *in;

	in = fopen(scratch_write_bytes("f", "one\n\nlast\n\0x\n", 14), "r");
	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(savefile_line(in, &line, &room), 3);
	ck_assert_str_eq(line, "one");
	ck_assert_int_eq(savefile_line(in, &line, &room), 0);
	ck_assert_str_eq(line, "");
	ck_assert_int_eq(savefile_line(in, &line, &room), 4);
	ck_assert_str_eq(line, "last");
	ck_assert_int_eq(savefile_line(in, &line, &room), SAVEFILE_NO_TEXT);
	fclose(in);
	in = fopen(scratch_write("f", "no end"), "r");
	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(savefile_line(in, &line, &room), 6);
	ck_assert_str_eq(line, "no end");
	ck_assert_int_eq(savefile_line(in, &line, &room), SAVEFILE_END);
	fclose(in);
	free(line);
}
END_TEST

Suite *
test_savefile_suite(void)
{
	Suite *suite = suite_create("savefile");
	TCase *c = tcase_create("savefile");

	tcase_add_checked_fixture(c, scratch_open, scratch_close);
	tcase_add_test(c, file_appears_when_it_is_whole);
	tcase_add_test(c, older_file_stays_until_then_and_its_mode_is_kept);
	tcase_add_test(c, giving_up_leaves_nothing);
	tcase_add_test(c, links_are_followed);
	tcase_add_test(c, full_disk_is_an_error);
	tcase_add_test(c, what_cannot_be_a_file_is_an_error);
	tcase_add_test(c, large_writes_and_small_ones_keep_their_order);
	tcase_add_test(c, tilde_is_the_home_directory);
	tcase_add_test(c, lines_are_read_until_the_file_is_no_text);
	suite_add_tcase(suite, c);
	return suite;
}
