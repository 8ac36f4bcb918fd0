/* SPDX-License-Identifier: MIT */
/*
 * test_profile.c - profiles: collapsed stacks, pprof, pages
 *
 * That pprof files say what they should is also judged by profile.sh, with a
 * decoder that shares nothing with the encoder; pages by a browser there.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile.h"
#include "scratch.h"
#include "suites.h"

static struct samples *s;
static struct umdb_error err;
static char *text;
static size_t len;

static void
setup(void)
{
	scratch_open();
	s = samples_new();
	text = NULL;
}

static void
teardown(void)
{
	free(text);
	samples_free(s);
	scratch_close();
}

static uint32_t
frame(const char *function, uint64_t at)
{
	const struct sample_frame f = {
	    .module = SAMPLE_NONE,
	    .at = at,
	    .pc = at,
	    .function = samples_string(s, function),
	};

	return samples_frame(s, &f);
}

static struct sample *
sample(const char *kind, const char *cache, const char *a, const char *b,
    uint64_t bytes)
{
	const uint32_t stack[2] = {
	    a != NULL ? frame(a, 1) : 0, b != NULL ? frame(b, 2) : 0};
	struct sample *p =
	    samples_add(s, samples_string(s, kind), samples_string(s, cache),
		stack, (a != NULL ? 1u : 0u) + (b != NULL ? 1u : 0u));

	p->count[0] += 1;
	p->bytes[0] += bytes;
	return p;
}

static void
write_form(enum profile_form form, enum profile_beside beside)
{
	const struct profile_about about = {
	    .command = "umem test", .target = "/bin/app", .beside = beside};

	ck_assert_int_eq(
	    profile_write(form, s, &about, scratch_path("out"), &err), UMDB_OK);
	free(text);
	text = scratch_read("out", &len);
	ck_assert_ptr_nonnull(text);
}

/* ----------------------------------------------------------------- folded */

START_TEST(collapsed_stacks_have_the_outermost_first)
{
	sample(NULL, "c", "parse", "main", 40);
	sample(NULL, "c", "load", "main", 2);
	sample(NULL, "c", "main", NULL, 7);
	write_form(PROFILE_FOLDED, PROFILE_NOTHING);
	ck_assert_str_eq(text, "main 7\nmain;load 2\nmain;parse 40\n");
}
END_TEST

START_TEST(equal_lines_are_one)
{
	const uint32_t other = frame("parse", 99);

	sample(NULL, "c", "parse", NULL, 40);
	sample(NULL, "d", "parse", NULL, 2);
	samples_add(s, 0, 0, &other, 1)->bytes[0] = 5;
	write_form(PROFILE_FOLDED, PROFILE_NOTHING);
	ck_assert_str_eq(text, "parse 47\n");
}
END_TEST

START_TEST(kinds_stand_in_front_and_caches_for_stacks)
{
	sample("definite", "c", "parse", NULL, 1);
	sample("possible", "umem_alloc_64", NULL, NULL, 2);
	sample(NULL, NULL, NULL, NULL, 3);
	write_form(PROFILE_FOLDED, PROFILE_NOTHING);
	ck_assert_str_eq(text, "[no stack] 3\ndefinite;parse 1\n"
			       "possible;[umem_alloc_64] 2\n");
}
END_TEST

START_TEST(names_cannot_break_a_line)
{
	sample(NULL, "c", "a;b\nc", "operator()(int, char) const", 1);
	write_form(PROFILE_FOLDED, PROFILE_NOTHING);
	ck_assert_str_eq(text, "operator()(int, char) const;a:b?c 1\n");
}
END_TEST

START_TEST(differences_have_two_numbers)
{
	sample(NULL, "c", "f", NULL, 9)->bytes[1] = 4;
	sample(NULL, "c", "g", NULL, 0)->bytes[1] = 3;
	write_form(PROFILE_FOLDED, PROFILE_BEFORE);
	ck_assert_str_eq(text, "f 4 9\ng 3 0\n");
}
END_TEST

START_TEST(nothing_is_an_empty_file)
{
	write_form(PROFILE_FOLDED, PROFILE_NOTHING);
	ck_assert_uint_eq(len, 0);
}
END_TEST

/* ------------------------------------------------------------------ pprof */

static uint32_t
le(const char *p, unsigned bytes)
{
	uint32_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

/* Undo gzip with stored blocks; the length of what was in it. */
static size_t
unpack(char *to)
{
	const char *p = text + 10;
	size_t n = 0, part;

	ck_assert_mem_eq(text, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
	for (;;) {
		const bool last = *p != 0;

		part = le(p + 1, 2);
		ck_assert_uint_eq(part ^ 0xffff, le(p + 3, 2));
		memcpy(to + n, p + 5, part);
		n += part;
		p += 5 + part;
		if (last)
			break;
	}
	ck_assert_uint_eq(le(p + 4, 4), n);
	ck_assert_ptr_eq(p + 8, text + len);
	return n;
}

START_TEST(pprof_has_strings_in_order_and_signed_values)
{
	static char raw[4096];
	size_t n;

	sample(NULL, "c", "f", NULL, 1)->bytes[1] = 2;
	write_form(PROFILE_PPROF, PROFILE_BEFORE);
	n = unpack(raw);
	/* sample: location 1, values 1 and -1, as ten bytes of a varint */
	ck_assert_ptr_nonnull(memmem(raw, n,
	    "\x0a\x01\x01\x12\x0b\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	    16));
	/* the string table begins with "" */
	ck_assert_ptr_nonnull(memmem(raw, n,
	    "\x32\x00\x32\x01"
	    "f",
	    5));
	ck_assert_ptr_nonnull(memmem(raw, n, "umem test of /bin/app", 21));
}
END_TEST

START_TEST(pprof_larger_than_a_block_is_whole)
{
	static char raw[1u << 20];
	char name[64];
	unsigned i;

	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "function_number_%u", i);
		sample(NULL, "c", name, "main", i);
	}
	write_form(PROFILE_PPROF, PROFILE_NOTHING);
	ck_assert_uint_gt(unpack(raw), 3 * 65535);
}
END_TEST

/* ------------------------------------------------------------------- page */

START_TEST(page_has_the_data_and_no_way_out_of_them)
{
	sample("definite", "</script><b>", "f<x>(\"&\")", NULL, 4711);
	write_form(PROFILE_HTML, PROFILE_NOTHING);
	ck_assert_ptr_nonnull(strstr(text, "<!DOCTYPE html>"));
	ck_assert_ptr_nonnull(strstr(text, "4711"));
	ck_assert_ptr_nonnull(strstr(text, "f\\u003cx>(\\\"&\\\")"));
	ck_assert_ptr_nonnull(strstr(text, "\\u003c/script>\\u003cb>"));
	ck_assert_ptr_null(strstr(text, "</script><b>"));
	ck_assert_ptr_null(strstr(text, "@DATA@"));
	ck_assert_str_eq(text + len - 8, "</html>\n");
}
END_TEST

START_TEST(page_asks_for_nothing_from_elsewhere)
{
	write_form(PROFILE_HTML, PROFILE_NOTHING);
	ck_assert_ptr_nonnull(strstr(text, "default-src 'none'"));
	ck_assert_ptr_null(strstr(text, "http:"));
	ck_assert_ptr_null(strstr(text, "https:"));
	ck_assert_ptr_null(strstr(text, "src=\""));
	ck_assert_ptr_null(strstr(text, "innerHTML"));
}
END_TEST

/* ----------------------------------------------------------------- errors */

START_TEST(file_that_cannot_be_written_is_an_error)
{
	const struct profile_about about = {.command = "", .target = ""};
	int form;

	for (form = 0; form < PROFILE_FORMS; form++) {
		sample(NULL, "c", "f", NULL, 1);
		ck_assert_int_eq(profile_write((enum profile_form)form, s,
				     &about, "/dev/full", &err),
		    UMDB_EIO);
		ck_assert_str_eq(err.msg,
		    "/dev/full cannot be written: No space left on device");
	}
	s->failed = true;
	ck_assert_int_eq(
	    profile_write(PROFILE_HTML, s, &about, scratch_path("x"), &err),
	    UMDB_ENOMEM);
	ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

Suite *
test_profile_suite(void)
{
	Suite *suite = suite_create("profile");
	TCase *c = tcase_create("profile");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, collapsed_stacks_have_the_outermost_first);
	tcase_add_test(c, equal_lines_are_one);
	tcase_add_test(c, kinds_stand_in_front_and_caches_for_stacks);
	tcase_add_test(c, names_cannot_break_a_line);
	tcase_add_test(c, differences_have_two_numbers);
	tcase_add_test(c, nothing_is_an_empty_file);
	tcase_add_test(c, pprof_has_strings_in_order_and_signed_values);
	tcase_add_test(c, pprof_larger_than_a_block_is_whole);
	tcase_add_test(c, page_has_the_data_and_no_way_out_of_them);
	tcase_add_test(c, page_asks_for_nothing_from_elsewhere);
	tcase_add_test(c, file_that_cannot_be_written_is_an_error);
	suite_add_tcase(suite, c);
	return suite;
}
