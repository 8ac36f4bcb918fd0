/* SPDX-License-Identifier: MIT */
/*
 * test_find_end.c - words that are the end of one buffer and another's start
 *
 * Four buffers A, B, C and D lie side by side.  A row of words is written where
 * pointers count, and stated is how B is called when nothing else leads there.
 * They are spelled by letters:
 *
 *	A B C D	pointers to the starts; E to where D ends
 *	a b	pointers into A and B
 *	P	one to a word that points to A, as a deque's map has it
 *	F	the flags of a FILE
 *	0 3	no pointers
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "find_end.h"
#include "snap_fixture.h"
#include "suites.h"

#define DATA DRAW_APP_DATA
#define SIZE 64u
#define LIVE (-1)

static taddr_t cache, slab, buf[8];

static void
setup(void)
{
	unsigned i;

	draw_open(&drawn);
	cache = draw_cache(&drawn, "umem_alloc_64", SIZE, UMF_MALLOC, 1);
	slab = draw_slab(&drawn, cache, 8);
	for (i = 0; i < 8; i++)
		buf[i] = draw_buf(&drawn, slab, i);
	for (i = 1; i <= 4; i++)
		draw_alloc(&drawn, slab, i, SIZE);
	/* a deque's map */
	draw_alloc(&drawn, slab, 6, SIZE);
	fake_put64(drawn.tgt, DATA + 0x800, buf[6]);
	fake_put64(drawn.tgt, buf[6] + 16, buf[1]);
}

static uint64_t
spelled(char letter)
{
	switch (letter) {
	case 'F':
		return 0xfbad2c84;
	case 'P':
		return buf[6] + 16;
	case 'a':
	case 'b':
		return buf[letter - 'a' + 1] + 24;
	case '0':
	case '3':
		return (uint64_t)(letter - '0');
	default:
		return buf[letter - 'A' + 1];
	}
}

static void
put(taddr_t at, const char *words)
{
	for (; *words != '\0'; words++, at += 8)
		fake_put64(drawn.tgt, at, spelled(*words));
}

static int
kind_of(taddr_t addr)
{
	size_t i;

	for (i = 0; i < leaks->nleak; i++)
		if (leaks->leak[i].addr == addr)
			return (int)leaks->leak[i].kind;
	return LIVE;
}

static int
kind_of_b(void)
{
	leaks_expect();
	return kind_of(buf[2]);
}

/* ----------------------------------------------------------------- the rule */

static const struct {
	const char *words;
	int kind;
} rows[] = {
    /* vectors: full ones, others, one that was cleared */
    {"ABB", LEAK_POSSIBLE},
    {"AaB", LEAK_POSSIBLE},
    {"3ABB3", LEAK_POSSIBLE},
    {"0AaB0", LEAK_POSSIBLE},
    {"AAB", LIVE},
    {"AbB", LIVE},
    {"A3B", LIVE},
    {"AB", LIVE},
    {"A0BB", LIVE},
    {"AaB0B", LIVE},
    /* vectors of bits: in use are all, some, those of one word */
    {"A0B0B", LEAK_POSSIBLE},
    {"A0a3B", LEAK_POSSIBLE},
    {"A0A3B", LEAK_POSSIBLE},
    {"A0A3B3", LEAK_POSSIBLE},
    {"A0A0B", LIVE},
    {"A3a3B", LIVE},
    {"A0B3B", LIVE},
    {"A0B0B0C0", LIVE},
    {"D0A0B0B0", LIVE},
    {"A0A3B0B3", LIVE},
    {"D0A0A3B0", LIVE},
    {"A0B0BC0D0D", LEAK_POSSIBLE},
    /* side by side with others, and with tables */
    {"DABB", LIVE},
    {"ABBD", LIVE},
    {"AABB", LIVE},
    {"DAaB", LEAK_POSSIBLE},
    {"AaBbC", LIVE},
    {"AaBCD", LIVE},
    {"CDDABB", LEAK_POSSIBLE},
    {"CCDABB", LIVE},
    {"ABBDEE", LEAK_POSSIBLE},
    {"ABBCDD", LEAK_POSSIBLE},
    {"AaBCDD", LEAK_POSSIBLE},
    {"ABBCCDD", LIVE},
    {"AaBCDE", LIVE},
    {"ABBCCD", LIVE},
    {"ABCD", LIVE},
    {"AABBCCDD", LIVE},
    {"ABBC", LIVE},
    /* iterators of a deque */
    {"aABP", LEAK_POSSIBLE},
    {"AABP", LEAK_POSSIBLE},
    {"aAB0", LIVE},
    {"aABA", LIVE},
    {"bABP", LIVE},
    {"BABP", LIVE},
    /* streams: reading, all read, writing, full, by lines */
    {"FaBAAAAAB", LEAK_POSSIBLE},
    {"FBBAAAAAB", LEAK_POSSIBLE},
    {"FAAAAaBAB", LEAK_POSSIBLE},
    {"FAAAABBAB", LEAK_POSSIBLE},
    {"FAAAAAAAB", LEAK_POSSIBLE},
    {"3AAAAAAAB", LIVE},
    {"FAAAABBBA", LIVE},
    {"FAAAAAAA0B", LIVE},
    /* what others have, too */
    {"BA", LIVE},
    {"BAA", LIVE},
    {"BAa", LIVE},
    {"BAB", LIVE},
    {"ABA", LIVE},
    {"ABa", LIVE},
    {"aBA", LIVE},
    {"aAB", LIVE},
    {"aB", LIVE},
};
#define NROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static void
check_row(int i)
{
	const int kind = kind_of_b();

	ck_assert_msg(kind == rows[i].kind, "%s: is %d, should be %d",
	    rows[i].words, kind, rows[i].kind);
}

START_TEST(words_in_data_tell_an_end)
{
	put(DATA + 64, rows[_i].words);
	check_row(_i);
}
END_TEST

START_TEST(words_in_memory_that_is_not_lent_tell_an_end)
{
	put(DATA + 64, rows[_i].words);
	fake_lend(drawn.tgt, false);
	check_row(_i);
}
END_TEST

/* It has no word more than these, so that none behind them may be read. */
START_TEST(words_in_a_buffer_tell_an_end)
{
	const uint64_t size = 8 * strlen(rows[_i].words);
	const taddr_t at = draw_buf(&drawn, draw_large(&drawn, size), 0);

	fake_put64(drawn.tgt, DATA, at);
	put(at, rows[_i].words);
	check_row(_i);
}
END_TEST

/* Among other hits: in the middle of a buffer, behind one and before one. */
START_TEST(words_in_a_buffer_of_many_pointers_tell_an_end)
{
	const taddr_t at = draw_buf(&drawn, draw_large(&drawn, 512), 0);
	unsigned i;

	fake_put64(drawn.tgt, DATA, at);
	for (i = 0; i < 64; i++)
		fake_put64(drawn.tgt, at + 8 * i, i % 5 == 0 ? buf[4] : 0);
	for (i = 0; i < 20; i++)
		fake_put64(drawn.tgt, at + 8 * (20 + i), 0);
	put(at + 8 * 25, rows[_i].words);
	check_row(_i);
}
END_TEST

/* ------------------------------------------------------------------ its reach */

START_TEST(end_counts_when_the_word_lies_on_the_border_of_a_copy)
{
	enum { LARGE = 400 << 10 };
	const taddr_t at = draw_buf(&drawn, draw_large(&drawn, LARGE), 0);

	fake_put64(drawn.tgt, DATA, at);
	fake_put64(drawn.tgt, at, 1); /* not a hole */
	put(at + (64 << 10) - 24 + 8 * (unsigned)_i, "AaB");
	put(at + (128 << 10) - 72 + 8 * (unsigned)_i, "FaBAAAAAB");
	ck_assert_int_eq(kind_of_b(), LEAK_POSSIBLE);
}
END_TEST

START_TEST(words_of_two_buffers_are_not_taken_together)
{
	draw_alloc(&drawn, slab, 7, SIZE);
	fake_put64(drawn.tgt, DATA, buf[7]);
	put(buf[6] + SIZE - 16, "Aa");
	put(buf[7], "B");
	ck_assert_int_eq(kind_of_b(), LIVE);
}
END_TEST

START_TEST(end_of_a_free_buffer_is_none)
{
	put(DATA + 64, "AaB");
	draw_free(&drawn, slab, 1);
	ck_assert_int_eq(kind_of_b(), LIVE);
}
END_TEST

START_TEST(pointer_elsewhere_makes_it_live)
{
	put(DATA + 64, "AaB");
	put(DATA + 256, "B");
	ck_assert_int_eq(kind_of_b(), LIVE);
}
END_TEST

START_TEST(register_is_no_end)
{
	drawn.tgt->thread[0].reg[0] = buf[1];
	drawn.tgt->thread[0].reg[1] = buf[1] + 8;
	drawn.tgt->thread[0].reg[2] = buf[2];
	ck_assert_int_eq(kind_of_b(), LIVE);
}
END_TEST

START_TEST(what_it_leads_to_is_possible_too)
{
	put(DATA + 64, "ABB");
	put(buf[2] + 8, "C");
	ck_assert_int_eq(kind_of_b(), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(buf[3]), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(buf[1]), LIVE);
}
END_TEST

START_TEST(end_in_a_lost_buffer_makes_indirect)
{
	put(buf[4], "AaB");
	ck_assert_int_eq(kind_of_b(), LEAK_INDIRECT);
	ck_assert_int_eq(kind_of(buf[4]), LEAK_DEFINITE);
}
END_TEST

START_TEST(slab_and_large_buffer_end_where_the_next_slab_starts)
{
	const uint64_t large = 2 * UMEM_PAGE_SIZE;
	taddr_t last, first, end;

	first = draw_buf(&drawn, draw_large(&drawn, large), 0);
	end = first + large;
	last = draw_slab(&drawn, cache, UMEM_PAGE_SIZE / SIZE);
	ck_assert_uint_eq(draw_alloc(&drawn, last, 0, SIZE), end);
	fake_put64(drawn.tgt, DATA + 64, first);
	fake_put64(drawn.tgt, DATA + 72, end);
	fake_put64(drawn.tgt, DATA + 80, end);
	first = draw_alloc(&drawn, last, UMEM_PAGE_SIZE / SIZE - 1, SIZE);
	last = draw_slab(&drawn, cache, UMEM_PAGE_SIZE / SIZE);
	ck_assert_uint_eq(draw_alloc(&drawn, last, 0, SIZE), first + SIZE);
	fake_put64(drawn.tgt, DATA + 128, first);
	fake_put64(drawn.tgt, DATA + 136, first + 8);
	fake_put64(drawn.tgt, DATA + 144, first + SIZE);
	leaks_expect();
	ck_assert_int_eq(kind_of(end), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(first + SIZE), LEAK_POSSIBLE);
	ck_assert_int_eq(kind_of(first), LIVE);
}
END_TEST

START_TEST(buffers_with_tags_do_not_touch)
{
	taddr_t tagged = draw_slab(&drawn,
	    draw_cache(&drawn, "umem_alloc_48", 48,
		UMF_MALLOC | UMF_AUDIT | UMF_DEADBEEF | UMF_REDZONE, 2),
	    8);

	buf[1] = draw_alloc(&drawn, tagged, 0, 48);
	buf[2] = draw_alloc(&drawn, tagged, 1, 48);
	put(DATA + 64, "AaB");
	ck_assert_int_eq(kind_of_b(), LIVE);
}
END_TEST

Suite *
test_find_end_suite(void)
{
	Suite *s = suite_create("find_end");
	TCase *t = tcase_create("ends");

	tcase_add_checked_fixture(t, setup, leaks_teardown);
	tcase_add_loop_test(t, words_in_data_tell_an_end, 0, NROWS);
	tcase_add_loop_test(
	    t, words_in_memory_that_is_not_lent_tell_an_end, 0, NROWS);
	tcase_add_loop_test(t, words_in_a_buffer_tell_an_end, 0, NROWS);
	tcase_add_loop_test(
	    t, words_in_a_buffer_of_many_pointers_tell_an_end, 0, NROWS);
	tcase_add_loop_test(
	    t, end_counts_when_the_word_lies_on_the_border_of_a_copy, 0, 10);
	tcase_add_test(t, words_of_two_buffers_are_not_taken_together);
	tcase_add_test(t, end_of_a_free_buffer_is_none);
	tcase_add_test(t, pointer_elsewhere_makes_it_live);
	tcase_add_test(t, register_is_no_end);
	tcase_add_test(t, what_it_leads_to_is_possible_too);
	tcase_add_test(t, end_in_a_lost_buffer_makes_indirect);
	tcase_add_test(t, slab_and_large_buffer_end_where_the_next_slab_starts);
	tcase_add_test(t, buffers_with_tags_do_not_touch);
	suite_add_tcase(s, t);
	return s;
}
