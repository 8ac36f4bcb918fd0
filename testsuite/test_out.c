/* SPDX-License-Identifier: MIT */
/*
 * test_out.c - rows as text and as JSON
 *
 * Layer: test of gdbext/out*.c.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "suites.h"

static char text[1u << 20];
static size_t len, writes, asked;
static size_t stop_after; /* the sink refuses after that many writes */

static void
take(void *arg, const char *piece, size_t n, int *ok)
{
	(void)arg;
	if (writes++ == stop_after)
		return;
	ck_assert_uint_lt(len + n, sizeof(text));
	memcpy(text + len, piece, n);
	len += n;
	text[len] = '\0';
	*ok = 1;
}

/* 0x1000.. is main, 0x2000.. only has a module, the rest is unknown. */
static void
name_it(void *arg, uint64_t pc, struct out_frame *f)
{
	(void)arg;
	asked++;
	if (pc >> 12 == 1) {
		f->function = "main";
		f->offset = pc & 0xfff;
		f->module = "/bin/app";
		f->file = "src/app.c";
		f->line = 12;
	} else if (pc >> 12 == 2) {
		f->module = "/lib/libc.so.6";
	} else if (pc >> 12 == 4) {
		f->module = "/bin/stripped";
		f->base = 0x3000;
	} else if (pc >> 12 == 3) {
		f->function = "puts";
		f->module = "/lib/libc.so.6";
	}
}

static const struct out_sink sink = {.write = take, .symbolise = name_it};
static struct out *o;

static void
setup(void)
{
	len = writes = asked = 0;
	stop_after = SIZE_MAX;
	text[0] = '\0';
}

static void
open_text(void)
{
	o = out_open(&sink, false, "test");
	ck_assert_ptr_nonnull(o);
}

static void
open_json(void)
{
	o = out_open(&sink, true, "test");
	ck_assert_ptr_nonnull(o);
}

static const struct out_column two[] = {
    {"name", "NAME", OUT_TEXT, 0},
    {"n", "COUNT", OUT_UINT, 0},
};

static void
put_two(const char *name, uint64_t n)
{
	out_row(o);
	out_text(o, name);
	out_uint(o, n);
	out_row_end(o);
}

/* ------------------------------------------------------------------ text */

START_TEST(columns_are_as_wide_as_what_stands_in_them)
{
	open_text();
	out_table(o, two, 2);
	put_two("a", 7);
	put_two("long name", 1234567);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "NAME         COUNT\n"
			       "a                7\n"
			       "long name  1234567\n");
}
END_TEST

START_TEST(least_widths_and_alignment_are_kept)
{
	static const struct out_column c[] = {
	    {"a", "A", OUT_TEXT, 4},
	    {"b", "B", OUT_UINT, -4},
	    {"c", "C", OUT_ADDR, -6},
	};

	open_text();
	out_table(o, c, 3);
	out_row(o);
	out_text(o, "x");
	out_uint(o, 5);
	out_uint(o, 0x1f);
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "   A  B     C\n   x  5     0x1f\n");
}
END_TEST

START_TEST(table_without_rows_has_no_header)
{
	open_text();
	out_table(o, two, 2);
	out_table_end(o);
	out_line(o, "nothing");
	out_close(o);
	ck_assert_str_eq(text, "nothing\n");
}
END_TEST

START_TEST(columns_without_a_header_are_not_in_text)
{
	static const struct out_column c[] = {
	    {"hidden", NULL, OUT_TEXT, 0},
	    {NULL, "SHOWN", OUT_TEXT, 0},
	};

	open_text();
	out_table(o, c, 2);
	out_row(o);
	out_text(o, "secret");
	out_text(o, "yes");
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "SHOWN\nyes\n");
}
END_TEST

START_TEST(table_of_hidden_columns_prints_nothing)
{
	static const struct out_column c[] = {{"hidden", NULL, OUT_TEXT, 0}};

	open_text();
	out_table(o, c, 1);
	out_row(o);
	out_text(o, "secret");
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(rows_beyond_the_first_two_hundred_keep_the_widths)
{
	const char *last;
	int i;

	open_text();
	out_table(o, two, 2);
	for (i = 0; i < 300; i++)
		put_two("n", (uint64_t)i);
	out_table_end(o);
	out_close(o);
	last = strstr(text, "n       299\n");
	ck_assert_ptr_nonnull(last);
	ck_assert_str_eq(last, "n       299\n");
	ck_assert_uint_eq(len, 301 * strlen("NAME  COUNT\n"));
}
END_TEST

START_TEST(cells_that_are_missing_show_a_dash)
{
	open_text();
	out_table(o, two, 2);
	out_row(o);
	out_null(o);
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "NAME  COUNT\n-         -\n");
}
END_TEST

START_TEST(cells_beyond_the_last_column_are_ignored)
{
	open_text();
	out_table(o, two, 2);
	out_row(o);
	out_text(o, "a");
	out_uint(o, 1);
	out_uint(o, 2);
	out_text(o, "b");
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "NAME  COUNT\na         1\n");
}
END_TEST

START_TEST(width_counts_characters_not_bytes)
{
	open_text();
	out_table(o, two, 2);
	put_two("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 1);
	put_two("abcde", 2);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "NAME   COUNT\n"
			       "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80        1\n"
			       "abcde      2\n");
}
END_TEST

START_TEST(terminal_escapes_and_broken_characters_become_question_marks)
{
	open_text();
	out_line(o, "%s", "a\033[31mb\x7f\n\tc\xff\xc3(\xed\xa0\x80\xc0\xaf");
	out_close(o);
	ck_assert_str_eq(text, "a?[31mb??\tc??"
			       "(?????\n");
}
END_TEST

START_TEST(sizes_have_three_significant_figures)
{
	static const struct {
		uint64_t bytes;
		const char *shown;
	} c[] = {
	    {0, "0"},
	    {1023, "1023"},
	    {1024, "1K"},
	    {1025, "1.00K"},
	    {4096, "4K"},
	    {1536, "1.50K"},
	    {10 * 1024 + 512, "10.5K"},
	    {100 * 1024 + 512, "100K"},
	    {1023 * 1024, "1023K"},
	    {1024 * 1024 - 1, "1.00M"},
	    {5368709120, "5G"},
	    {1ull << 40, "1T"},
	    {UINT64_MAX, "16.0E"},
	};
	char buf[32];
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		out_size_text(c[i].bytes, buf, sizeof(buf));
		ck_assert_str_eq(buf, c[i].shown);
	}
}
END_TEST

START_TEST(times_flags_and_truth_have_their_forms)
{
	static const struct out_column c[] = {
	    {"t", "TIME", OUT_TIME, 0},
	    {"f", "FLAG", OUT_HEX, 0},
	    {"b", "BOOL", OUT_BOOL, 0},
	    {"s", "SIZE", OUT_SIZE, 0},
	};

	open_text();
	out_table(o, c, 4);
	out_row(o);
	out_uint(o, 12000000034);
	out_uint(o, 0x20f);
	out_uint(o, 1);
	out_uint(o, 2048);
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "        TIME   FLAG  BOOL  SIZE\n"
			       "12.000000034  0x20f  yes     2K\n");
}
END_TEST

START_TEST(frames_name_function_and_line_else_module_else_address)
{
	const uint64_t pc[] = {0x101c, 0x3000, 0x2abc, 0x4abc, 0x9999};

	open_text();
	out_frames(o, pc, 5);
	out_close(o);
	ck_assert_str_eq(text, "        main+0x1c at app.c:12\n"
			       "        puts+0 in libc.so.6\n"
			       "        0x2abc in libc.so.6\n"
			       "        0x4abc in stripped+0x1abc\n"
			       "        0x9999\n");
}
END_TEST

START_TEST(stack_of_a_row_stands_below_it)
{
	static const struct out_column c[] = {
	    {"n", "N", OUT_UINT, 0},
	    {"stack", "STACK", OUT_STACK, 0},
	};
	const uint64_t pc[] = {0x1001, 0x1002};

	open_text();
	out_table(o, c, 2);
	out_row(o);
	out_uint(o, 1);
	out_stack(o, pc, 2);
	out_row_end(o);
	out_row(o);
	out_uint(o, 2);
	out_stack(o, pc, 0);
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "N\n"
			       "1\n"
			       "        main+0x1 at app.c:12\n"
			       "        main+0x2 at app.c:12\n"
			       "\n"
			       "2\n");
}
END_TEST

START_TEST(each_address_is_named_once)
{
	uint64_t pc[500];
	size_t i;

	for (i = 0; i < 500; i++)
		pc[i] = 0x10000 + i * 4096;
	open_text();
	out_frames(o, pc, 500);
	out_frames(o, pc, 500);
	ck_assert_uint_eq(asked, 500);
	ck_assert_str_eq(out_frame(o, 0x1005)->function, "main");
	ck_assert_uint_eq(out_frame(o, 0x1005)->offset, 5);
	ck_assert_uint_eq(asked, 501);
	out_close(o);
}
END_TEST

START_TEST(notes_come_last_and_facts_not_at_all_in_text)
{
	open_text();
	out_note(o, "careful with %d", 5);
	out_fact_uint(o, "n", OUT_UINT, 1);
	out_line(o, "first");
	out_close(o);
	ck_assert_str_eq(text, "first\nnote: careful with 5\n");
}
END_TEST

START_TEST(sink_that_says_stop_is_obeyed)
{
	int i;

	stop_after = 1;
	open_text();
	for (i = 0; i < 10000 && !out_stopped(o); i++)
		out_line(o, "%d", i);
	ck_assert(out_stopped(o));
	ck_assert_int_eq(out_status(o), UMDB_EINTR);
	ck_assert_int_lt(i, 10000);
	out_line(o, "more");
	out_table(o, two, 2);
	put_two("a", 1);
	out_table_end(o);
	out_close(o);
	ck_assert_uint_eq(writes, 2);
	ck_assert_ptr_null(strstr(text, "more"));
}
END_TEST

START_TEST(pieces_never_cut_a_character)
{
	int i;

	open_text();
	for (i = 0; i < 20000; i++)
		out_line(o, "%s", "\xe2\x82\xac");
	out_close(o);
	ck_assert_uint_gt(writes, 2);
	ck_assert_uint_eq(len, 80000);
}
END_TEST

/* ------------------------------------------------------------------ JSON */

START_TEST(document_without_rows_is_complete)
{
	open_json();
	out_close(o);
	ck_assert_str_eq(text,
	    "{\"umdb\":1,\"command\":\"test\",\"rows\":[],\"summary\":{}}\n");
}
END_TEST

START_TEST(rows_facts_and_notes_make_one_document)
{
	open_json();
	out_table(o, two, 2);
	put_two("a", 1);
	put_two("b", 2);
	out_table_end(o);
	out_line(o, "for people");
	out_fact_uint(o, "total", OUT_UINT, 3);
	out_fact_uint(o, "at", OUT_ADDR, 255);
	out_fact_text(o, "none", NULL);
	out_note(o, "one");
	out_note(o, "two");
	out_close(o);
	ck_assert_str_eq(text,
	    "{\"umdb\":1,\"command\":\"test\",\"rows\":[\n"
	    "{\"name\":\"a\",\"n\":1},\n"
	    "{\"name\":\"b\",\"n\":2}\n"
	    "],\"summary\":{\"total\":3,\"at\":\"0xff\",\"none\":null,"
	    "\"notes\":[\"one\",\"two\"]}}\n");
}
END_TEST

START_TEST(columns_without_a_key_are_not_in_json)
{
	static const struct out_column c[] = {
	    {NULL, "TEXT", OUT_TEXT, 0},
	    {"addr", NULL, OUT_ADDR, 0},
	    {"ok", "OK", OUT_BOOL, 0},
	    {"gone", "GONE", OUT_UINT, 0},
	};

	open_json();
	out_table(o, c, 4);
	out_row(o);
	out_text(o, "x");
	out_uint(o, 0x7fff12345678);
	out_uint(o, 0);
	out_null(o);
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text,
	    "{\"umdb\":1,\"command\":\"test\",\"rows\":[\n"
	    "{\"addr\":\"0x7fff12345678\",\"ok\":false,\"gone\":null}\n"
	    "],\"summary\":{}}\n");
}
END_TEST

START_TEST(strings_are_escaped)
{
	open_json();
	out_table(o, two, 2);
	put_two("q\"b\\n\n\t\x01\x7f\xff\xe2\x82\xac", 1);
	out_table_end(o);
	out_close(o);
	ck_assert_ptr_nonnull(strstr(text,
	    "\"q\\\"b\\\\n\\n\\u0009\\u0001\\u007f\\ufffd\xe2\x82\xac\""));
}
END_TEST

START_TEST(frames_have_all_members_and_null_for_unknown)
{
	static const struct out_column c[] = {{"stack", NULL, OUT_STACK, 0}};
	const uint64_t pc[] = {0x101c, 0x2abc, 0x9999};

	open_json();
	out_table(o, c, 1);
	out_row(o);
	out_stack(o, pc, 3);
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text,
	    "{\"umdb\":1,\"command\":\"test\",\"rows\":[\n"
	    "{\"stack\":["
	    "{\"pc\":\"0x101c\",\"function\":\"main\",\"offset\":28,"
	    "\"module\":\"/bin/app\",\"file\":\"src/app.c\",\"line\":12},"
	    "{\"pc\":\"0x2abc\",\"function\":null,\"offset\":null,"
	    "\"module\":\"/lib/libc.so.6\",\"file\":null,\"line\":null},"
	    "{\"pc\":\"0x9999\",\"function\":null,\"offset\":null,"
	    "\"module\":null,\"file\":null,\"line\":null}]}\n"
	    "],\"summary\":{}}\n");
}
END_TEST

START_TEST(list_in_a_cell_is_an_array_of_objects)
{
	static const struct out_column c[] = {
	    {"l", NULL, OUT_LIST, 0}, {"n", NULL, OUT_UINT, 0}};

	open_json();
	out_table(o, c, 2);
	out_row(o);
	out_list_begin(o);
	out_item_begin(o);
	out_item_uint(o, "addr", OUT_ADDR, 16);
	out_item_text(o, "who", "me");
	out_item_end(o);
	out_item_begin(o);
	out_item_uint(o, "addr", OUT_ADDR, 32);
	out_item_end(o);
	out_list_end(o);
	out_uint(o, 2);
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text,
	    "{\"umdb\":1,\"command\":\"test\",\"rows\":[\n"
	    "{\"l\":[{\"addr\":\"0x10\",\"who\":\"me\"},{\"addr\":\"0x20\"}],"
	    "\"n\":2}\n"
	    "],\"summary\":{}}\n");
}
END_TEST

START_TEST(lists_are_not_in_text)
{
	static const struct out_column c[] = {
	    {"l", NULL, OUT_LIST, 0}, {"n", "N", OUT_UINT, 0}};

	open_text();
	out_table(o, c, 2);
	out_row(o);
	out_list_begin(o);
	out_item_begin(o);
	out_item_uint(o, "addr", OUT_ADDR, 16);
	out_item_end(o);
	out_list_end(o);
	out_uint(o, 2);
	out_row_end(o);
	out_table_end(o);
	out_close(o);
	ck_assert_str_eq(text, "N\n2\n");
}
END_TEST

START_TEST(early_error_is_a_document_of_its_own)
{
	open_json();
	out_error(o, "test: no \"umem\" there");
	out_close(o);
	ck_assert_str_eq(text, "{\"umdb\":1,\"command\":\"test\","
			       "\"error\":\"test: no \\\"umem\\\" there\"}\n");
}
END_TEST

START_TEST(late_error_stands_behind_the_rows)
{
	open_json();
	out_table(o, two, 2);
	put_two("a", 1);
	out_table_end(o);
	out_error(o, "test: broken");
	out_close(o);
	ck_assert_str_eq(text,
	    "{\"umdb\":1,\"command\":\"test\",\"rows\":[\n"
	    "{\"name\":\"a\",\"n\":1}\n"
	    "],\"summary\":{},\"error\":\"test: broken\"}\n");
}
END_TEST

START_TEST(error_prints_nothing_in_text)
{
	open_text();
	out_error(o, "test: broken");
	out_close(o);
	ck_assert_str_eq(text, "");
}
END_TEST

Suite *
test_out_suite(void)
{
	Suite *s = suite_create("out");
	TCase *t = tcase_create("text"), *j = tcase_create("json");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, columns_are_as_wide_as_what_stands_in_them);
	tcase_add_test(t, least_widths_and_alignment_are_kept);
	tcase_add_test(t, table_without_rows_has_no_header);
	tcase_add_test(t, columns_without_a_header_are_not_in_text);
	tcase_add_test(t, table_of_hidden_columns_prints_nothing);
	tcase_add_test(t, rows_beyond_the_first_two_hundred_keep_the_widths);
	tcase_add_test(t, cells_that_are_missing_show_a_dash);
	tcase_add_test(t, cells_beyond_the_last_column_are_ignored);
	tcase_add_test(t, width_counts_characters_not_bytes);
	tcase_add_test(
	    t, terminal_escapes_and_broken_characters_become_question_marks);
	tcase_add_test(t, sizes_have_three_significant_figures);
	tcase_add_test(t, times_flags_and_truth_have_their_forms);
	tcase_add_test(
	    t, frames_name_function_and_line_else_module_else_address);
	tcase_add_test(t, stack_of_a_row_stands_below_it);
	tcase_add_test(t, each_address_is_named_once);
	tcase_add_test(t, notes_come_last_and_facts_not_at_all_in_text);
	tcase_add_test(t, sink_that_says_stop_is_obeyed);
	tcase_add_test(t, pieces_never_cut_a_character);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(j, setup, NULL);
	tcase_add_test(j, document_without_rows_is_complete);
	tcase_add_test(j, rows_facts_and_notes_make_one_document);
	tcase_add_test(j, columns_without_a_key_are_not_in_json);
	tcase_add_test(j, strings_are_escaped);
	tcase_add_test(j, frames_have_all_members_and_null_for_unknown);
	tcase_add_test(j, list_in_a_cell_is_an_array_of_objects);
	tcase_add_test(j, lists_are_not_in_text);
	tcase_add_test(j, early_error_is_a_document_of_its_own);
	tcase_add_test(j, late_error_stands_behind_the_rows);
	tcase_add_test(j, error_prints_nothing_in_text);
	suite_add_tcase(s, j);
	return s;
}
