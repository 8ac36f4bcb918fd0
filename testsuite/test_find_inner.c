/* SPDX-License-Identifier: MIT */
/*
 * test_find_inner.c - which pointers to the inside are as good as one to the
 * start
 *
 * Each layout is drawn as a program has it and accepted; then one thing is
 * changed that the rule asks for, and it is refused.  So it was that rule
 * which accepted it.
 */
#include <check.h>
#include <string.h>

#include "fake_target.h"
#include "find_inner.h"
#include "suites.h"

#define BUF 0x7ffff0001000u  /* the buffer */
#define DATA 0x555555560000u /* whatever it points to */
#define MAP_SIZE 0x1000u
#define HOLE 0x7fff00000000u /* nothing is there */

static struct target *tgt;
static struct mem mem; /* lends nothing: all is read through tgt */
static struct inner in;

static void
setup(void)
{
	tgt = fake_open();
	fake_add(tgt, BUF, MAP_SIZE, "", FAKE_READ | FAKE_WRITE);
	fake_add(tgt, DATA, MAP_SIZE, "/bin/app",
	    FAKE_READ | FAKE_WRITE | FAKE_FILE);
	memset(&mem, 0, sizeof(mem));
}

static void
teardown(void)
{
	target_close(tgt);
}

/* Words and bytes of the buffer, words anywhere else. */
static void
put(uint64_t off, uint64_t value)
{
	fake_put64(tgt, BUF + off, value);
}

static void
put_byte(uint64_t off, uint8_t value)
{
	fake_put(tgt, BUF + off, &value, 1);
}

static void
put_data(uint64_t off, uint64_t value)
{
	fake_put64(tgt, DATA + off, value);
}

static enum inner_answer
judge(uint64_t off, uint64_t size, uint64_t least, bool reads)
{
	const struct inner_buf b = {
	    BUF, fake_at(tgt, BUF, MAP_SIZE), size, least};

	memset(&in, 0, sizeof(in));
	in.mem = &mem;
	in.tgt = reads ? tgt : NULL;
	return find_inner(&in, &b, off);
}

/* Of a buffer whose size is known. */
static void
holds(uint64_t off, uint64_t size)
{
	ck_assert_int_eq(judge(off, size, size, true), INNER_YES);
}

static void
no(uint64_t off, uint64_t size)
{
	ck_assert_int_eq(judge(off, size, size, true), INNER_NO);
}

/* -------------------------------------------------- by the buffer alone */

START_TEST(elements_behind_their_count)
{
	put(0, 10);
	holds(8, 8 + 10 * 24);
	no(16, 8 + 10 * 24); /* the count is not right before it */
	put(0, 0);
	no(8, 8 + 10 * 24);
	put(0, 8 * 24);
	no(8, 8 + 10 * 24); /* they would leave some of it over */
	put(0, 1u << 20);
	no(8, 8 + 10 * 24);
}
END_TEST

START_TEST(no_elements_behind_their_count)
{
	put(0, 0);
	holds(8, 8);
	no(8, 16); /* something is there, and it is no element */
	no(16, 16);
	ck_assert_int_eq(judge(8, 16, 1, true), INNER_YES); /* size unknown */
	put(0, 1);
	no(8, 8); /* as of an array whose end is pointed to */
}
END_TEST

START_TEST(elements_that_are_aligned_behind_their_count)
{
	put(56, 3);
	holds(64, 64 + 3 * 64);
	no(64, 64 + 3 * 64 + 8); /* elements are multiples of it */
	put(56, 0);
	put(248, 1);
	no(256, 512); /* no type is aligned like that */
}
END_TEST

START_TEST(count_of_elements_fits_the_least_size)
{
	put(0, 10);
	ck_assert_int_eq(judge(8, 96, 81, true), INNER_YES);
	put(0, 60);
	ck_assert_int_eq(judge(8, 96, 81, true), INNER_NO);
}
END_TEST

START_TEST(room_for_a_page_behind_its_length)
{
	put(0, 1024);
	holds(12, 8 + 1024);
	no(16, 8 + 1024);
	no(12, 8 + 1024 + 8); /* it would leave some over */
	no(12, 8 + 1016);
	put(0, 1032);
	no(12, 8 + 1032); /* pages have no such sizes */
	put(0, 256);
	no(12, 8 + 256);
	no(12, 12);
}
END_TEST

static void
draw_string(uint64_t len, uint64_t cap, int32_t refs)
{
	put(0, len);
	put(8, cap);
	put(16, (uint32_t)refs);
}

START_TEST(text_of_a_shared_string)
{
	draw_string(5, 20, 0);
	holds(24, 24 + 21);
	no(25, 24 + 21);
	put_byte(24 + 5, 'x'); /* it does not end there */
	no(24, 24 + 21);
	put_byte(24 + 5, '\0');
	draw_string(21, 20, 0);
	no(24, 24 + 21);
	draw_string(5, 30, 0);
	no(24, 24 + 21);
	draw_string(5, 10, 0); /* more was allocated than it takes */
	no(24, 24 + 21);
	draw_string(5, 20, -1);
	holds(24, 24 + 21);
	draw_string(5, 20, -2);
	no(24, 24 + 21);
}
END_TEST

START_TEST(exception_of_either_library)
{
	enum { CLASS = 96, OBJECT = 128, SIZE = 160 };
	static const char gnu[8] = "\0++CCUNG", clang[8] = "\0++CGNLC",
			  other[8] = "\0++CTSUR";

	fake_put(tgt, BUF + CLASS, gnu, 8);
	holds(16, SIZE);
	holds(CLASS, SIZE);
	holds(OBJECT, SIZE);
	no(104, SIZE);
	no(16, OBJECT - 8);
	fake_put(tgt, BUF + CLASS, clang, 8);
	holds(CLASS, SIZE);
	fake_put(tgt, BUF + CLASS, other, 8);
	no(16, SIZE);
	no(CLASS, SIZE);
	no(OBJECT, SIZE);
}
END_TEST

START_TEST(chunk_of_a_memory_resource)
{
	enum { SIZE = 1024, END = SIZE - 16 };

	put(END, SIZE | 4);
	holds(END, SIZE);
	put(END, SIZE | 2); /* less than a word's alignment */
	no(END, SIZE);
	put(END, SIZE | 13);
	no(END, SIZE);
	put(END, (SIZE - 64) | 4); /* of another size */
	no(END, SIZE);
	put(END, 0);
	put(END - 64, (SIZE - 64) | 4); /* right, but the buffer goes on */
	no(END - 64, SIZE);
	ck_assert_int_eq(judge(END - 64, SIZE, SIZE - 64, true), INNER_YES);
}
END_TEST

START_TEST(start_stands_right_before_or_in_what_is_pointed_to)
{
	uint64_t at;

	for (at = 56; at <= 72; at += 8) {
		put(at, BUF);
		holds(64, 256);
		no(96, 256);
		put(at, BUF + 4);
		no(64, 256);
		put(at, DATA);
		no(64, 256);
		put(at, 0);
	}
	put(48, BUF);
	no(64, 256);
	put(48, 0);
	put(80, BUF);
	no(64, 256);
}
END_TEST

START_TEST(attributes_of_an_object_of_python)
{
	enum { OFF = 8, SLOTS = 6, SIZE = OFF + SLOTS * 8 };

	put_byte(OFF - 1, OFF);
	put_byte(OFF - 2, 3);
	holds(OFF, SIZE);
	no(OFF, SIZE + 8); /* room for more than its bytes are for */
	put_byte(OFF - 2, SLOTS + 1);
	no(OFF, SIZE);
	put_byte(OFF - 2, 3);
	put_byte(OFF - 1, OFF + 8);
	no(OFF, SIZE);
}
END_TEST

START_TEST(text_of_a_string_of_redis)
{
	static const uint8_t width[] = {0, 1, 2, 4, 8};
	unsigned type, off;

	for (type = 1; type < sizeof(width); type++) {
		off = 2u * width[type] + 1;
		put(0, 0);
		put(8, 0);
		put(16, 0);
		put_byte(0, 20);
		put_byte(width[type], 30);
		put_byte(off - 1, (uint8_t)type);
		holds(off, off + 31);
		no(off, off + 30);
		no(off, off + 32);
		ck_assert_int_eq(judge(off, 64, 33, true), INNER_YES);
		no(off + 1, off + 31);
		put_byte(off + 20, 'x'); /* its text does not end there */
		no(off, off + 31);
		put_byte(off + 20, 0);
		put_byte(0, 31); /* longer than its room */
		no(off, off + 31);
	}
	put_byte(0, 5 << 3);
	put_byte(1 + 5, 0);
	holds(1, 7);
	no(1, 6);
	no(1, 8);
	put_byte(1 + 5, 'x');
	no(1, 7);
	put_byte(1 + 5, 0);
	put_byte(0, 5 << 3 | 5); /* no such kind */
	no(1, 7);
}
END_TEST

START_TEST(thread_of_lua_behind_a_word_of_the_programs)
{
	enum { OFF = 8, SIZE = 208 };
	uint64_t extra;

	put_byte(OFF + 8, 8);
	put(OFF + 16, DATA + 64);
	for (extra = 0; extra <= 8; extra += 8) { /* of 5.4, of 5.3 */
		put(OFF + 40 + extra, DATA + 640);
		put(OFF + 48 + extra, DATA);
		holds(OFF, SIZE);
		no(OFF + 8, SIZE);
		put(OFF + 48 + extra, DATA + 128); /* above its top */
		no(OFF, SIZE);
		put(OFF + 48 + extra, DATA + 8); /* not whole values */
		no(OFF, SIZE);
	}
	put(OFF + 56, DATA);
	put_byte(OFF + 8, 5); /* a table */
	no(OFF, SIZE);
}
END_TEST

/* ------------------------------------------------- by what it points to */

/* Virtual tables: the way to the complete object and the type are before. */
#define TABLE 0x100u
#define BASE_TABLE 0x200u
#define TYPE (DATA + 0x800)

static void
draw_object(uint64_t off)
{
	put(0, DATA + TABLE);
	put(off, DATA + BASE_TABLE);
	put_data(TABLE - 16, 0);
	put_data(TABLE - 8, TYPE);
	put_data(BASE_TABLE - 16, -off);
	put_data(BASE_TABLE - 8, TYPE);
}

START_TEST(base_class_that_is_not_the_first)
{
	draw_object(40);
	holds(40, 96);
	no(48, 96);
	put_data(BASE_TABLE - 16, -(uint64_t)48);
	no(40, 96);
	draw_object(40);
	put_data(BASE_TABLE - 8, TYPE + 64); /* of another class */
	no(40, 96);
	draw_object(40);
	put_data(TABLE - 16, -(uint64_t)8); /* the start is a part itself */
	no(40, 96);
	draw_object(40);
	put(40, HOLE);
	no(40, 96);
}
END_TEST

/* A link at @off between one in the program's data and one behind it. */
static void
draw_link(uint64_t off)
{
	put(off, DATA + 0x300);
	put(off + 8, DATA + 0x400);
	put_data(0x300 + 8, BUF + off);
	put_data(0x400, BUF + off);
}

START_TEST(link_whose_neighbours_point_back)
{
	draw_link(40);
	holds(40, 96);
	no(48, 96);
	put_data(0x400, BUF); /* the one before does not */
	no(40, 96);
	draw_link(40);
	put_data(0x308, BUF + 48); /* nor the one behind */
	no(40, 96);
	draw_link(40);
	put(40, HOLE);
	no(40, 96);
	draw_link(40);
	no(40, 48); /* half of it is outside */
}
END_TEST

START_TEST(last_link_has_nobody_behind_it)
{
	draw_link(40);
	put(40, 0);
	holds(40, 96);
	put_data(0x400, 0);
	no(40, 96);
}
END_TEST

/* An empty list's head points to itself: that says nothing. */
START_TEST(link_to_itself_holds_nothing)
{
	put(40, BUF + 40);
	put(48, BUF + 40);
	no(40, 96);
}
END_TEST

START_TEST(pointer_with_marks_to_what_begins_with_a_pointer)
{
	uint64_t off;

	for (off = 1; off < 8; off++) {
		put(0, DATA);
		holds(off, 48);
		no(off, 8); /* too small for a struct */
		put(0, DATA + 1);
		no(off, 48);
		put(0, HOLE);
		no(off, 48);
		put(0, 0x6f77206f6c6c6568); /* text */
		no(off, 48);
	}
}
END_TEST

#define PYTYPE 0x500u     /* in data: the type of the object */
#define PYTYPETYPE 0x600u /* its type, which is its own */

static void
draw_python(uint64_t head)
{
	put(head, 1);
	put(head + 8, DATA + PYTYPE);
	put_data(PYTYPE + 8, DATA + PYTYPETYPE);
	put_data(PYTYPE + 32, 48);
	put_data(PYTYPETYPE + 8, DATA + PYTYPETYPE);
}

START_TEST(object_of_python_behind_the_collectors_header)
{
	draw_python(16);
	holds(16, 96);
	no(24, 96);
	put(16, 1ull << 32); /* so many references there are not */
	no(16, 96);
	draw_python(16);
	put_data(PYTYPE + 32, 96); /* larger than the buffer */
	no(16, 96);
	draw_python(16);
	put_data(PYTYPE + 8, DATA + 0x700); /* types do not end */
	no(16, 96);
}
END_TEST

START_TEST(object_of_python_with_more_words_before_the_header)
{
	draw_python(32);
	holds(16, 96);
	holds(32, 96);
	no(24, 96);
	put_data(PYTYPETYPE + 8, DATA + 0x700);
	no(16, 96);
	no(32, 96);
}
END_TEST

/* --------------------------------------------------------------- neither */

START_TEST(what_no_rule_knows_holds_nothing)
{
	uint64_t off;

	for (off = 1; off <= 256; off++)
		no(off, 256);
	put(0, 10); /* outside, whatever is before it */
	no(248, 248);
}
END_TEST

/* Threads may not read what was not lent: the main thread asks again. */
START_TEST(memory_that_was_not_lent_leaves_it_open)
{
	draw_object(40);
	ck_assert_int_eq(judge(40, 96, 96, false), INNER_UNKNOWN);
	draw_link(56);
	ck_assert_int_eq(judge(56, 96, 96, false), INNER_UNKNOWN);
	ck_assert_int_eq(judge(1, 96, 96, false), INNER_UNKNOWN);
	draw_python(16);
	ck_assert_int_eq(judge(16, 96, 96, false), INNER_UNKNOWN);
	memset(fake_at(tgt, BUF, MAP_SIZE), 0, MAP_SIZE);
	put(0, 10);
	ck_assert_int_eq(judge(8, 88, 88, false), INNER_YES);
	ck_assert_int_eq(judge(24, 88, 88, false), INNER_NO);
}
END_TEST

START_TEST(lent_memory_is_read_by_any_thread)
{
	ck_assert_int_eq(find_mem_init(&mem, tgt), UMDB_OK);
	draw_object(40);
	ck_assert_int_eq(judge(40, 96, 96, false), INNER_YES);
	put_data(BASE_TABLE - 8, TYPE + 64);
	ck_assert_int_eq(judge(40, 96, 96, false), INNER_NO);
	find_mem_fini(&mem);
}
END_TEST

Suite *
test_find_inner_suite(void)
{
	Suite *s = suite_create("find_inner");
	TCase *t = tcase_create("rules");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, elements_behind_their_count);
	tcase_add_test(t, no_elements_behind_their_count);
	tcase_add_test(t, elements_that_are_aligned_behind_their_count);
	tcase_add_test(t, count_of_elements_fits_the_least_size);
	tcase_add_test(t, room_for_a_page_behind_its_length);
	tcase_add_test(t, text_of_a_shared_string);
	tcase_add_test(t, exception_of_either_library);
	tcase_add_test(t, chunk_of_a_memory_resource);
	tcase_add_test(t, start_stands_right_before_or_in_what_is_pointed_to);
	tcase_add_test(t, attributes_of_an_object_of_python);
	tcase_add_test(t, text_of_a_string_of_redis);
	tcase_add_test(t, thread_of_lua_behind_a_word_of_the_programs);
	tcase_add_test(t, base_class_that_is_not_the_first);
	tcase_add_test(t, link_whose_neighbours_point_back);
	tcase_add_test(t, last_link_has_nobody_behind_it);
	tcase_add_test(t, link_to_itself_holds_nothing);
	tcase_add_test(t, pointer_with_marks_to_what_begins_with_a_pointer);
	tcase_add_test(t, object_of_python_behind_the_collectors_header);
	tcase_add_test(t, object_of_python_with_more_words_before_the_header);
	tcase_add_test(t, what_no_rule_knows_holds_nothing);
	tcase_add_test(t, memory_that_was_not_lent_leaves_it_open);
	tcase_add_test(t, lent_memory_is_read_by_any_thread);
	suite_add_tcase(s, t);
	return s;
}
