/* SPDX-License-Identifier: MIT */
/*
 * test_shell.c - text through a shell command
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"
#include "suites.h"

static char *got;
static size_t ngot, room;
static unsigned writes, stops, refuse_after, stop_after;
static bool cut; /* a piece ended inside a line */

static void
on_write(void *arg, const char *text, size_t len, int *ok)
{
	ck_assert_ptr_eq(arg, &got);
	writes++;
	if (refuse_after != 0 && writes > refuse_after)
		return;
	cut = cut || text[len - 1] != '\n';
	if (ngot + len + 1 > room) {
		room = 2 * (ngot + len + 1);
		got = realloc(got, room);
		ck_assert_ptr_nonnull(got);
	}
	memcpy(got + ngot, text, len);
	ngot += len;
	got[ngot] = '\0';
	*ok = 1;
}

static bool
on_stop(void *arg)
{
	(void)arg;
	return stop_after != 0 && ++stops > stop_after;
}

static struct umdb_error err;
static struct shell *sh;

static void
start(const char *command)
{
	const struct shell_sink sink = {&got, on_write, on_stop};

	sh = shell_open(command, &sink, &err);
	ck_assert_msg(sh != NULL, "%s", err.msg);
}

static void
teardown(void)
{
	free(got);
	got = NULL;
}

static int
put(const char *text)
{
	int ok = 0;

	shell_write(sh, text, strlen(text), &ok);
	return ok;
}

START_TEST(what_the_command_prints_goes_on)
{
	start("sed 's/a/b/'");
	ck_assert_int_eq(put("xax\n"), 1);
	ck_assert_int_eq(put("yay"), 1);
	ck_assert_int_eq(put("\n"), 1);
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	ck_assert_str_eq(got, "xbx\nyby\n");
}
END_TEST

START_TEST(a_last_line_without_an_end_goes_on_too)
{
	start("printf 'a\\nb'; cat >/dev/null");
	ck_assert_int_eq(put("x"), 1);
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	ck_assert_str_eq(got, "a\nb");
}
END_TEST

/* Far more than two pipes hold, both ways at once. */
START_TEST(much_text_passes_without_waiting_for_each_other)
{
	static char line[1000];
	size_t i;

	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	start("cat");
	for (i = 0; i < 20000; i++)
		ck_assert_int_eq(put(line), 1);
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	ck_assert_uint_eq(ngot, 20000 * 999);
	ck_assert(!cut);
}
END_TEST

START_TEST(long_lines_pass_in_pieces)
{
	static char line[100001];

	memset(line, 'x', sizeof(line) - 1);
	start("cat");
	ck_assert_int_eq(put(line), 1);
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	ck_assert_uint_eq(ngot, sizeof(line) - 1);
}
END_TEST

/* The host's SIGPIPE would end this test. */
START_TEST(a_command_that_stops_reading_is_no_harm)
{
	int ok = 1;

	signal(SIGPIPE, SIG_DFL);
	start("head -1");
	while (ok == 1)
		ok = put("a line\n");
	ck_assert(shell_sated(sh));
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	ck_assert_str_eq(got, "a line\n");
}
END_TEST

START_TEST(a_command_that_fails_is_no_failure)
{
	start("exit 3");
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	start("nosuchcommand 2>/dev/null");
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	ck_assert_ptr_null(got);
}
END_TEST

START_TEST(a_reader_that_wants_no_more_ends_the_command)
{
	refuse_after = 1;
	start("yes");
	ck_assert_int_eq(shell_close(sh, false), UMDB_EINTR);
	ck_assert_uint_le(writes, 2);
}
END_TEST

START_TEST(waiting_can_be_stopped)
{
	stop_after = 3;
	start("sleep 1000");
	ck_assert_int_eq(shell_close(sh, false), UMDB_EINTR);
}
END_TEST

START_TEST(what_is_not_wanted_any_more_ends)
{
	start("trap '' TERM; while :; do sleep 0.1; done");
	ck_assert_int_eq(shell_close(sh, true), UMDB_OK);
}
END_TEST

START_TEST(a_child_in_the_background_is_not_waited_for)
{
	start("sleep 1000 & echo $!");
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(kill(atoi(got), SIGKILL), 0);
}
END_TEST

START_TEST(signals_are_as_a_command_expects)
{
	const char *line;
	sigset_t blocked;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	start("sed -n 's/^Sig\\(Blk\\|Ign\\):\\t*//p' /proc/self/status");
	ck_assert_int_eq(shell_close(sh, false), UMDB_OK);
	ck_assert_ptr_nonnull(got);
	for (line = got; *line != '\0'; line += strcspn(line, "\n") + 1)
		ck_assert_uint_eq(
		    strtoull(line, NULL, 16) &
			(1u << (SIGPIPE - 1) | 1u << (SIGINT - 1) |
			    1u << (SIGTERM - 1)),
		    0);
}
END_TEST

Suite *
test_shell_suite(void)
{
	Suite *suite = suite_create("shell");
	TCase *tc = tcase_create("shell");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, what_the_command_prints_goes_on);
	tcase_add_test(tc, a_last_line_without_an_end_goes_on_too);
	tcase_add_test(tc, much_text_passes_without_waiting_for_each_other);
	tcase_add_test(tc, long_lines_pass_in_pieces);
	tcase_add_test(tc, a_command_that_stops_reading_is_no_harm);
	tcase_add_test(tc, a_command_that_fails_is_no_failure);
	tcase_add_test(tc, a_reader_that_wants_no_more_ends_the_command);
	tcase_add_test(tc, waiting_can_be_stopped);
	tcase_add_test(tc, what_is_not_wanted_any_more_ends);
	tcase_add_test(tc, a_child_in_the_background_is_not_waited_for);
	tcase_add_test(tc, signals_are_as_a_command_expects);
	suite_add_tcase(suite, tc);
	return suite;
}
