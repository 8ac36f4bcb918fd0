/* SPDX-License-Identifier: MIT */
/*
 * test_snapfile.c - samples, and files of them
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "snapfile.h"
#include "suites.h"

static struct samples *s;
static struct umdb_error err;

static void
setup(void)
{
	scratch_open();
	s = samples_new();
	ck_assert_ptr_nonnull(s);
}

static void
teardown(void)
{
	samples_free(s);
	scratch_close();
}

/* ---------------------------------------------------------------- samples */

START_TEST(same_texts_have_one_number)
{
	char text[16];
	uint32_t first[300];
	unsigned i;

	ck_assert_uint_eq(samples_string(s, NULL), 0);
	ck_assert_uint_eq(samples_string(s, ""), 0);
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "t%u", i);
		first[i] = samples_string(s, text);
		ck_assert_uint_eq(first[i], i + 1);
	}
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "t%u", i);
		ck_assert_uint_eq(samples_string(s, text), first[i]);
		ck_assert_str_eq(samples_name(s, first[i]), text);
	}
	ck_assert_str_eq(samples_name(s, 4711), "");
}
END_TEST

START_TEST(names_are_made_fit_to_be_shown)
{
	static const struct {
		const char *text, *name;
	} c[] = {
	    {"tab\tline\n\x7f", "tab?line??"},
	    {"gr\xc3\xb6\xc3\x9f"
	     "e",
		"gr\xc3\xb6\xc3\x9f"
		"e"},
	    {"bad \xc3( \xff", "bad ?( ?"},
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		ck_assert_str_eq(
		    samples_name(s, samples_string(s, c[i].text)), c[i].name);
}
END_TEST

START_TEST(samples_of_one_stack_and_cache_are_one)
{
	const uint32_t stack[3] = {5, 6, 7};
	struct sample *p = samples_add(s, 0, 1, stack, 3);
	unsigned i;

	p->count[0] = 4;
	ck_assert_uint_eq(samples_add(s, 0, 2, stack, 3)->count[0], 0);
	ck_assert_uint_eq(samples_add(s, 1, 1, stack, 3)->count[0], 0);
	ck_assert_uint_eq(samples_add(s, 0, 1, stack, 2)->count[0], 0);
	ck_assert_uint_eq(samples_add(s, 0, 1, stack + 1, 2)->count[0], 0);
	for (i = 100; i < 1000; i++)
		samples_add(s, 0, i, stack, 0);
	ck_assert_uint_eq(samples_add(s, 0, 1, stack, 3)->count[0], 4);
	ck_assert_uint_eq(s->nsample, 905);
	ck_assert(!s->failed);
}
END_TEST

START_TEST(frames_without_a_name_say_where_they_are)
{
	struct sample_module m = {.name = samples_string(s, "/lib/libx.so")};
	struct sample_frame f = {.module = samples_module(s, &m), .at = 0x1c};
	char text[64], name[2000];
	uint32_t frame;

	samples_frame_text(s, samples_frame(s, &f), text, sizeof(text));
	ck_assert_str_eq(text, "libx.so+0x1c");
	f.module = SAMPLE_NONE;
	f.pc = 0x7f00;
	samples_frame_text(s, samples_frame(s, &f), text, sizeof(text));
	ck_assert_str_eq(text, "0x7f00");
	samples_frame_text(s, 99, text, sizeof(text));
	ck_assert_str_eq(text, "?");
	memset(name, 'a', sizeof(name));
	memcpy(name + 60, "\xc3\xb6\xc3\xb6", 5);
	f.function = samples_string(s, name);
	frame = samples_frame(s, &f);
	samples_frame_text(s, frame, text, 62);
	ck_assert_uint_eq(strlen(text), 60);
}
END_TEST

START_TEST(ages_are_counted_by_powers_of_ten)
{
	ck_assert_uint_eq(samples_age(0), 0);
	ck_assert_uint_eq(samples_age(999999999), 0);
	ck_assert_uint_eq(samples_age(1000000000), 1);
	ck_assert_uint_eq(samples_age(99999999999), 2);
	ck_assert_uint_eq(samples_age(9999999999999), 4);
	ck_assert_uint_eq(samples_age(UINT64_MAX), 5);
}
END_TEST

/* ------------------------------------------------------------------ files */

/* Two modules, three frames, three samples. */
static void
fill(void)
{
	struct sample_module m = {.name = samples_string(s, "/bin/a b"),
	    .id = samples_string(s, "c0ffee"),
	    .start = 0x1000,
	    .end = 0x2000,
	    .offset = 0x10};
	struct sample_frame f = {.at = 0x40, .pc = 0x1040, .offset = 4};
	uint32_t stack[3];
	struct sample *p;

	f.module = samples_module(s, &m);
	m.id = 0;
	samples_module(s, &m);
	f.function = samples_string(s, "operator new(unsigned long)");
	f.file = samples_string(s, "/src/x.cc");
	f.line = 12;
	stack[0] = samples_frame(s, &f);
	f.at++;
	stack[1] = samples_frame(s, &f);
	memset(&f, 0, sizeof(f));
	f.module = SAMPLE_NONE;
	f.at = f.pc = 0x7fff00;
	stack[2] = samples_frame(s, &f);
	p = samples_add(s, 0, samples_string(s, "umem_alloc_64"), stack, 3);
	p->count[0] = 3;
	p->bytes[0] = 150;
	p->age[0] = 50;
	p->age[5] = 100;
	p = samples_add(s, 0, samples_string(s, "umem_alloc_64"), stack, 0);
	p->count[0] = p->bytes[0] = 1;
	p = samples_add(s, 0, 0, stack + 1, 1);
	p->count[0] = 1;
	p->bytes[0] = UINT64_MAX - 151;
	s->about = samples_string(s, "/bin/a b");
	s->time = 123456789;
	s->wall = 1700000000;
	s->aged = true;
}

static const char whole[] =
    "umem-snapshot\t1\n"
    "about\t/bin/a b\n"
    "time\t123456789\t1700000000\n"
    "module\t/bin/a b\tc0ffee\t1000\t2000\t10\n"
    "module\t/bin/a b\t\t1000\t2000\t10\n"
    "frame\t0\t40\t1040\toperator new(unsigned long)\t4\t/src/x.cc\t12\n"
    "frame\t0\t41\t1040\toperator new(unsigned long)\t4\t/src/x.cc\t12\n"
    "frame\t\t7fff00\t7fff00\t\t0\t\t0\n"
    "sample\tumem_alloc_64\t3\t150\t50,0,0,0,0,100\t0 1 2\n"
    "sample\tumem_alloc_64\t1\t1\t0,0,0,0,0,0\t\n"
    "sample\t\t1\t18446744073709551464\t0,0,0,0,0,0\t1\n"
    "end\t3\t5\t18446744073709551615\n";

START_TEST(file_has_the_documented_lines)
{
	char *text;

	fill();
	ck_assert_int_eq(snapfile_write(s, scratch_path("s"), &err), UMDB_OK);
	text = scratch_read("s", NULL);
	ck_assert_str_eq(text, whole);
	free(text);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	struct samples *got;
	char *text;

	scratch_write("s", whole);
	ck_assert_int_eq(snapfile_read(scratch_path("s"), &got, &err), UMDB_OK);
	ck_assert_uint_eq(got->nmodule, 2);
	ck_assert_uint_eq(got->nframe, 3);
	ck_assert_uint_eq(got->nsample, 3);
	ck_assert(got->aged);
	ck_assert_int_eq(
	    snapfile_write(got, scratch_path("again"), &err), UMDB_OK);
	text = scratch_read("again", NULL);
	ck_assert_str_eq(text, whole);
	free(text);
	samples_free(got);
}
END_TEST

static void
expect_refused(const char *text, const char *sentence)
{
	struct samples *got;
	char want[300];

	scratch_write("s", text);
	ck_assert_int_eq(
	    snapfile_read(scratch_path("s"), &got, &err), UMDB_EIO);
	ck_assert_ptr_null(got);
	snprintf(want, sizeof(want), "%s%s", scratch_path("s"), sentence);
	ck_assert_str_eq(err.msg, want);
}

START_TEST(every_cut_is_noticed)
{
	struct samples *got;
	char text[sizeof(whole)];
	size_t n;

	for (n = 0; n + 1 < sizeof(whole) - 1; n++) {
		memcpy(text, whole, n);
		text[n] = '\0';
		scratch_write("s", text);
		ck_assert_msg(
		    snapfile_read(scratch_path("s"), &got, &err) == UMDB_EIO,
		    "cut at %zu", n);
	}
}
END_TEST

START_TEST(every_changed_byte_is_survived)
{
	static const char bytes[] = "\t\n \xff"
				    "0a,-";
	struct samples *got;
	char text[sizeof(whole)];
	size_t n, k;

	for (n = 0; n < sizeof(whole) - 1; n++) {
		for (k = 0; k < sizeof(bytes) - 1; k++) {
			memcpy(text, whole, sizeof(whole));
			text[n] = bytes[k];
			scratch_write("s", text);
			(void)snapfile_read(scratch_path("s"), &got, &err);
			samples_free(got);
		}
	}
}
END_TEST

#define HEAD "umem-snapshot\t1\n"
#define FRAME "frame\t\t1\t1\t\t0\t\t0\n"

START_TEST(what_is_wrong_is_said_with_its_line)
{
	static const struct {
		const char *text, *sentence;
	} c[] = {
	    {"", " is not a snapshot; umem snapshot makes one"},
	    {"int main;", " is not a snapshot; umem snapshot makes one"},
	    {"umem-snapshot\t2\n", " is a snapshot of version 2, this "
				   "libumdb.so reads version 1"},
	    {"umem-snapshot\t1\r\nabout\tx\r\n",
		" was converted to lines that end in CR LF: convert it back, "
		"or copy it as it is"},
	    {HEAD, ", line 1: the file ends too early: it was cut off"},
	    {HEAD "what\n", ", line 2: what is not known"},
	    {HEAD "time\t1\n", ", line 2: time has 1 fields, not 2"},
	    {HEAD "time\t1\tx\n", ", line 2: a number is wrong"},
	    {HEAD "time\t1\t99999999999999999999\n",
		", line 2: a number is wrong"},
	    {HEAD "frame\t0\t1\t1\t\t0\t\t0\n",
		", line 2: there is no such module"},
	    {HEAD "frame\t\t1\t1\t\t0\t\t-1\n", ", line 2: a number is wrong"},
	    {HEAD FRAME FRAME, ", line 3: this frame was there before"},
	    {HEAD "sample\tc\t1\t1\t\t0\n", ", line 2: the stack is wrong"},
	    {HEAD FRAME "sample\tc\t1\t1\t1,2\t0\n",
		", line 3: a number is wrong"},
	    {HEAD FRAME "sample\tc\t1\t1\t\t0 \nsample\tc\t1\t1\t\t0\n",
		", line 4: this stack was there before"},
	    {HEAD "module\tm\ti\t1\tz\t0\n", ", line 2: an address is wrong"},
	    {HEAD "end\t1\t0\t0\n",
		", line 2: the sums are not those of the lines above"},
	    {HEAD "end\t0\t0\t0\nend\t0\t0\t0\n",
		", line 3: there is something behind the end"},
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		expect_refused(c[i].text, c[i].sentence);
}
END_TEST

START_TEST(file_that_is_not_there_is_an_error)
{
	struct samples *got;

	ck_assert_int_eq(snapfile_read("/no/such", &got, &err), UMDB_EIO);
	ck_assert_str_eq(
	    err.msg, "/no/such cannot be read: No such file or directory");
	/* and one without an end before memory has one */
	ck_assert_int_eq(snapfile_read("/dev/zero", &got, &err), UMDB_EIO);
	ck_assert_str_eq(
	    err.msg, "/dev/zero is not a snapshot; umem snapshot makes one");
	ck_assert(!snapfile_is_core("/no/such"));
	ck_assert(snapfile_is_core("/proc/self/exe"));
	scratch_write("s", whole);
	ck_assert(!snapfile_is_core(scratch_path("s")));
}
END_TEST

Suite *
test_snapfile_suite(void)
{
	Suite *suite = suite_create("snapfile");
	TCase *c = tcase_create("samples"), *f = tcase_create("files");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, same_texts_have_one_number);
	tcase_add_test(c, names_are_made_fit_to_be_shown);
	tcase_add_test(c, samples_of_one_stack_and_cache_are_one);
	tcase_add_test(c, frames_without_a_name_say_where_they_are);
	tcase_add_test(c, ages_are_counted_by_powers_of_ten);
	suite_add_tcase(suite, c);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_test(f, file_has_the_documented_lines);
	tcase_add_test(f, what_was_written_is_read);
	tcase_add_test(f, every_cut_is_noticed);
	tcase_add_test(f, every_changed_byte_is_survived);
	tcase_add_test(f, what_is_wrong_is_said_with_its_line);
	tcase_add_test(f, file_that_is_not_there_is_an_error);
	suite_add_tcase(suite, f);
	return suite;
}
