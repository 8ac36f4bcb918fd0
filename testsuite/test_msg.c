/* SPDX-License-Identifier: MIT */
/*
 * test_msg.c - formatting as snprintf(3) does it, and the message buffer
 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "root.h"
#include "suites.h"
#include "util.h"

/* Both formatters, with the same arguments, into 64 and into 5 bytes. */
#define SAME(...)                                                       \
	do {                                                            \
		char ours[64], libcs[64];                               \
		int a = umem_snprintf(ours, sizeof(ours), __VA_ARGS__); \
		int b = snprintf(libcs, sizeof(libcs), __VA_ARGS__);    \
		ck_assert_str_eq(ours, libcs);                          \
		ck_assert_int_eq(a, b);                                 \
		a = umem_snprintf(ours, CUT_SIZE, __VA_ARGS__);         \
		b = snprintf(libcs, CUT_SIZE, __VA_ARGS__);             \
		ck_assert_str_eq(ours, libcs);                          \
		ck_assert_int_eq(a, b);                                 \
	} while (0)

/* Not a constant, so that the compiler does not count what is cut. */
static volatile size_t cut_size = 5;
#define CUT_SIZE cut_size

START_TEST(integers_print_as_in_snprintf)
{
	static const long values[] = {0, 1, -1, 9, 10, 99, -100, 255, 4096,
	    INT_MAX, INT_MIN, UINT_MAX, LONG_MAX, LONG_MIN};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		long v = values[i];

		SAME("%d %u %x", (int)v, (unsigned)v, (unsigned)v);
		SAME("%ld %lu", v, (unsigned long)v);
		SAME("%lx", (unsigned long)v);
		SAME("%lld", (long long)v);
		SAME("%llu", (unsigned long long)v);
		SAME("%llx", (unsigned long long)v);
		SAME("%zu", (size_t)v);
		SAME("%zx", (size_t)v);
		SAME("%zd", (ssize_t)v);
	}
}
END_TEST

START_TEST(widths_pad_with_blanks_zeros_or_on_the_right)
{
	SAME("[%5d][%-5d][%05d]", 42, 42, 42);
	SAME("[%5d][%-5d][%05d]", -42, -42, -42);
	SAME("[%016lx]", 0xdeadbeefUL);
	SAME("[%2d][%1d][%02d]", 12345, 12345, 12345);
	SAME("[%8s][%-8s]", "abc", "abc");
	SAME("[%2s]", "abcdef");
	SAME("[%3c][%-3c]", 'x', 'y');
}
END_TEST

START_TEST(strings_and_percent_signs_print_as_in_snprintf)
{
	SAME("%s", "");
	SAME("%s and %s", "one", "two");
	SAME("100%%");
	SAME("%c%c%c", 'a', 'b', 'c');
	SAME("nothing at all");
}
END_TEST

START_TEST(pointers_print_in_hex_with_0x)
{
	char text[32];

	SAME("%p", (void *)0x7f0012345678);
	SAME("[%20p][%-20p]", (void *)0x1000, (void *)0x1000);
	umem_snprintf(text, sizeof(text), "%p", NULL);
	ck_assert_str_eq(text, "0x0");
}
END_TEST

START_TEST(null_string_is_shown_as_such)
{
	const char *volatile none = NULL;
	char text[32];

	umem_snprintf(text, sizeof(text), "[%s]", none);
	ck_assert_str_eq(text, "[(null)]");
}
END_TEST

START_TEST(size_zero_writes_nothing_and_still_counts)
{
	char text[1] = {'x'};

	ck_assert_int_eq(umem_snprintf(text, 0, "%d", 12345), 5);
	ck_assert_int_eq(text[0], 'x');
	ck_assert_int_eq(umem_snprintf(NULL, 0, "abc"), 3);
}
END_TEST

/* call_format - without the compiler's check of the format */
static int
call_format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	len = umem_vsnprintf(buf, size, fmt, ap);
#pragma GCC diagnostic pop
	va_end(ap);
	return len;
}

START_TEST(unknown_conversion_is_copied_and_ends_the_formatting)
{
	char text[64];

	call_format(text, sizeof(text), "a %d b %f c %s", 7, 1.0, "no");
	ck_assert_str_eq(text, "a 7 b %f c %s");
	call_format(text, sizeof(text), "ends in %");
	ck_assert_str_eq(text, "ends in %");
	call_format(text, sizeof(text), "%99999999999999999999d", 1);
	ck_assert_uint_eq(strlen(text), sizeof(text) - 1);
}
END_TEST

/* ring_text - the last @n bytes of the message buffer */
static const char *
ring_text(char *text, size_t n)
{
	uint64_t end = umem_root.root_msg_written;

	for (size_t i = 0; i < n; i++)
		text[i] =
		    umem_root.root_msg[(end - n + i) % umem_root.root_msg_size];
	text[n] = '\0';
	return text;
}

START_TEST(messages_follow_each_other_in_the_buffer)
{
	char text[32];

	umem_log_message("first %d\n", 1);
	umem_log_message("second %d\n", 2);
	ck_assert_uint_eq(umem_root.root_msg_written, 17);
	ck_assert_uint_eq(umem_root.root_msg_size, UMEM_MSG_SIZE);
	ck_assert_str_eq(ring_text(text, 17), "first 1\nsecond 2\n");
}
END_TEST

START_TEST(buffer_wraps_and_keeps_the_newest_text)
{
	char text[64], expected[64];
	uint64_t total = 0;
	int i;

	for (i = 0; total < 3 * UMEM_MSG_SIZE; i++) {
		umem_log_message("message number %08d\n", i);
		total += 24;
		ck_assert_uint_eq(umem_root.root_msg_written, total);
		snprintf(
		    expected, sizeof(expected), "message number %08d\n", i);
		ck_assert_str_eq(ring_text(text, 24), expected);
	}
}
END_TEST

START_TEST(too_long_a_message_is_cut_with_dots)
{
	char text[8], *big = malloc(5000);

	memset(big, 'a', 4999);
	big[4999] = '\0';
	umem_log_message("%s\n", big);
	ck_assert_uint_eq(umem_root.root_msg_written, 1023);
	ck_assert_str_eq(ring_text(text, 6), "aa...\n");
	free(big);
}
END_TEST

#define THREADS 4
#define MESSAGES 40

static void *
write_messages(void *arg)
{
	for (int i = 0; i < MESSAGES; i++)
		umem_log_message("thread %c message %02d\n", *(char *)arg, i);
	return NULL;
}

START_TEST(messages_of_several_threads_stay_whole)
{
	static char names[THREADS] = {'A', 'B', 'C', 'D'};
	static char text[UMEM_MSG_SIZE + 1];
	pthread_t thread[THREADS];
	char line[32];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, write_messages, &names[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ring_text(text, umem_root.root_msg_written);
	ck_assert_uint_eq(strlen(text), THREADS * MESSAGES * 20);
	for (int i = 0; i < THREADS * MESSAGES; i++) {
		snprintf(line, sizeof(line), "thread %c message %02d\n",
		    names[i / MESSAGES], i % MESSAGES);
		ck_assert_ptr_nonnull(strstr(text, line));
	}
}
END_TEST

static void
say_all_kinds(void *arg)
{
	umem_root.root_output = *(uint32_t *)arg;
	umem_log_message("a note\n");
	umem_error_message("an error\n");
}

START_TEST(errors_go_to_stderr_and_notes_do_not)
{
	static struct capture cap;
	uint32_t output = UMEM_OUTPUT_ERRORS;

	capture_expect_exit(&cap, say_all_kinds, &output, 0, "an error\n");
	ck_assert_str_eq(cap.text, "an error\n");
}
END_TEST

START_TEST(with_allverbose_notes_go_to_stderr_too)
{
	static struct capture cap;
	uint32_t output = UMEM_OUTPUT_ALL;

	capture_expect_exit(&cap, say_all_kinds, &output, 0, "a note\n");
	ck_assert_str_eq(cap.text, "a note\nan error\n");
}
END_TEST

START_TEST(errno_survives_a_message)
{
	errno = EXDEV;
	umem_log_message("hello\n");
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

static void
panic(void *arg)
{
	umem_panic("umem: panic number %d\n", *(int *)arg);
}

static void
violate(void *arg)
{
	VERIFY(*(int *)arg == 0);
}

START_TEST(panic_says_why_and_aborts)
{
	static struct capture cap;
	int number = 3;

	capture_expect_abort(&cap, panic, &number, "umem: panic number 3\n");
	ck_assert_str_eq(cap.text, "umem: panic number 3\n");
	capture_expect_abort(
	    &cap, violate, &number, "umem: internal error: *(int *)arg == 0 (");
}
END_TEST

Suite *
test_msg_suite(void)
{
	Suite *s = suite_create("msg");
	TCase *format = tcase_create("format");
	TCase *buffer = tcase_create("buffer");

	tcase_add_test(format, integers_print_as_in_snprintf);
	tcase_add_test(format, widths_pad_with_blanks_zeros_or_on_the_right);
	tcase_add_test(format, strings_and_percent_signs_print_as_in_snprintf);
	tcase_add_test(format, pointers_print_in_hex_with_0x);
	tcase_add_test(format, null_string_is_shown_as_such);
	tcase_add_test(format, size_zero_writes_nothing_and_still_counts);
	tcase_add_test(
	    format, unknown_conversion_is_copied_and_ends_the_formatting);
	suite_add_tcase(s, format);
	tcase_add_test(buffer, messages_follow_each_other_in_the_buffer);
	tcase_add_test(buffer, buffer_wraps_and_keeps_the_newest_text);
	tcase_add_test(buffer, too_long_a_message_is_cut_with_dots);
	tcase_add_test(buffer, messages_of_several_threads_stay_whole);
	tcase_add_test(buffer, errors_go_to_stderr_and_notes_do_not);
	tcase_add_test(buffer, with_allverbose_notes_go_to_stderr_too);
	tcase_add_test(buffer, errno_survives_a_message);
	tcase_add_test(buffer, panic_says_why_and_aborts);
	suite_add_tcase(s, buffer);
	return s;
}
