/* SPDX-License-Identifier: MIT */
/*
 * test_dcmd_refs.c - umem refs, path, owns and top: what they print
 *
 * A heap in which every answer is known: a variable with a table of two
 * buffers, one of them also on the stack; a list that only the stack holds;
 * one lost buffer that points to the table; and a freed one.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "session.h"
#include "suites.h"

#define DATA DRAW_APP_DATA
#define TABLE_AT (DATA + 0x218) /* v2+0x18 */
#define LIST_AT (DRAW_SP + 0x48)
#define RBX 1

static struct draw d;
static struct session s;
static taddr_t slab, aslab, table, first, second, list, next, lost, freed;

static const struct umdb_frame frames[] = {
    {DRAW_SP, 0, 0, "poll"},
    {DRAW_SP + 0x40, 1, 0, "serve"},
    {DRAW_SP + 0x80, 2, 0, "main"},
};

static void
draw_it(void)
{
	const uint32_t audited = UMF_MALLOC | UMF_AUDIT | UMF_REDZONE;
	taddr_t cache;

	draw_open(&d);
	cache = draw_cache(&d, "umem_alloc_64", 64, UMF_MALLOC, 1);
	slab = draw_slab(&d, cache, 60);
	cache = draw_cache(&d, "umem_alloc_48", 48, audited, 2);
	aslab = draw_slab(&d, cache, 20);
	table = draw_alloc(&d, aslab, 0, 40);
	first = draw_alloc(&d, slab, 0, 64);
	second = draw_alloc(&d, slab, 1, 64);
	list = draw_alloc(&d, slab, 2, 64);
	next = draw_alloc(&d, slab, 3, 64);
	lost = draw_alloc(&d, slab, 4, 64);
	freed = draw_alloc(&d, slab, 5, 64);
	draw_free(&d, slab, 5);
	fake_put64(d.tgt, TABLE_AT, table);
	fake_put64(d.tgt, table, first);
	fake_put64(d.tgt, table + 0x10, second + 4);
	fake_put64(d.tgt, LIST_AT, list);
	fake_put64(d.tgt, LIST_AT + 0x50, first);
	fake_put64(d.tgt, list + 8, next);
	fake_put64(d.tgt, next, list);
	fake_put64(d.tgt, lost + 8, table);
	d.tgt->thread[0].reg[RBX] = second;
}

static void
setup(void)
{
	draw_it();
	session_open(&s, &d);
	s.variables = true;
	s.frame = frames;
	s.nframe = sizeof(frames) / sizeof(frames[0]);
}

static void
teardown(void)
{
	session_close(&s);
	draw_close(&d);
}

/* A text in which %T, %1, %2, %L, %N, %X and %F are the buffers' addresses. */
static const char *
with(const char *text)
{
	static char buf[4096];
	size_t len = 0;
	taddr_t addr;

	for (; *text != '\0' && len + 32 < sizeof(buf); text++) {
		if (*text != '%') {
			buf[len++] = *text;
			continue;
		}
		text++;
		addr = *text == 'T'   ? table
		       : *text == '1' ? first
		       : *text == '2' ? second
		       : *text == 'L' ? list
		       : *text == 'N' ? next
		       : *text == 'X' ? lost
				      : freed;
		len += (size_t)snprintf(
		    buf + len, sizeof(buf) - len, "0x%" PRIx64, addr);
	}
	buf[len] = '\0';
	return buf;
}

static const char *
line(const char *command, taddr_t addr)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "%s 0x%" PRIx64, command, addr);
	return buf;
}

/* -------------------------------------------------------------------- refs */

START_TEST(refs_says_where_each_pointer_lies)
{
	session_expect(&s, line("refs", table),
	    with("%T is umem_alloc_48 buffer %T of 40 bytes allocated at "
		 "f0()+0x8\n"
		 "  global v2+0x18 in app\n"
		 "  +0x8 in umem_alloc_64 buffer %X, which is leaked itself\n"
		 "2 references: 1 from roots, 1 from buffers, some of them "
		 "leaked\n"));
}
END_TEST

START_TEST(refs_names_frames_registers_and_insides)
{
	session_expect(&s, line("refs", second + 8),
	    with(
		"0x7ffff0000048 is +0x8 in umem_alloc_64 buffer %2 of 64 bytes\n"
		"  register rbx of thread 1\n"
		"  +0x10 in umem_alloc_48 buffer %T allocated at f0()+0x8, "
		"to its inside at +0x4\n"
		"2 references: 1 from roots, 1 from buffers\n"));
	session_expect(&s, line("refs", first),
	    with("%1 is umem_alloc_64 buffer %1 of 64 bytes\n"
		 "  thread 1 stack, frame 2 main()\n"
		 "  +0x0 in umem_alloc_48 buffer %T allocated at f0()+0x8\n"
		 "2 references: 1 from roots, 1 from buffers\n"));
}
END_TEST

/* A vector right before a buffer, then a pointer to that in its own right. */
START_TEST(ends_of_the_buffer_before_are_said_to_be)
{
	fake_put64(d.tgt, list + 0x10, next);
	fake_put64(d.tgt, list + 0x18, next + 8);
	fake_put64(d.tgt, list + 0x20, lost);
	fake_put64(d.tgt, list + 0x30, lost);
	session_expect(&s, line("refs", lost),
	    with("%X is umem_alloc_64 buffer %X of 64 bytes\n"
		 "  +0x20 in umem_alloc_64 buffer %L, as the end of the buffer "
		 "before\n"
		 "  +0x30 in umem_alloc_64 buffer %L\n"
		 "2 references: 0 from roots, 2 from buffers\n"));
	session_find(&s, line("refs -json", lost),
	    with("\"to\":\"%X\",\"to_offset\":0,\"end\":true,"));
	session_find(
	    &s, line("path", lost), with("  -> +0x30 in umem_alloc_64"));
}
END_TEST

START_TEST(callers_of_cplusplus_are_named_as_they_are)
{
	s.f0 = "make(int)";
	session_find(&s, line("refs", table), " allocated at make(int)+0x8\n");
	s.f0 = "operator new(unsigned long)";
	session_find(&s, line("refs", table), " allocated at f1()+0x8\n");
	session_find(&s, "top -sites", "  f1+0x8 in app < f2 < f3");
	s.f0 = "operator newer()";
	session_find(&s, line("refs", table), " at operator newer()+0x8\n");
}
END_TEST

START_TEST(refs_without_frames_counts_from_sp)
{
	s.frame = NULL;
	session_find(&s, line("refs", list), "  thread 1 stack, SP+0x48\n");
}
END_TEST

START_TEST(refs_without_symbols_counts_from_the_file)
{
	s.variables = false;
	session_find(&s, line("refs", table), "  data of app+0xc218\n");
}
END_TEST

START_TEST(refs_to_a_lost_buffer_are_none)
{
	session_expect(&s, line("refs", lost),
	    with("%X is umem_alloc_64 buffer %X of 64 bytes, leaked\n"
		 "nothing points to it\n"));
}
END_TEST

START_TEST(refs_as_json_has_a_cell_for_each_part)
{
	session_find(&s, line("refs -json", table), "{\"umdb\":1,\"command\":");
	session_find(&s, line("refs -json", table),
	    with("{\"step\":null,\"at\":\"0x555555560218\",\"value\":\"%T\","
		 "\"to\":\"%T\",\"to_offset\":0,\"end\":false,"
		 "\"where\":\"global v2+0x18 in app\",\"kind\":\"global\","
		 "\"symbol\":\"v2\",\"symbol_offset\":24,"
		 "\"module\":\"/bin/app\",\"thread\":null,\"frame\":null,"
		 "\"function\":null,\"register\":null,\"arena\":null,"
		 "\"buffer\":null,\"buffer_offset\":null,\"cache\":null,"
		 "\"leaked\":null,\"stack\":[]}"));
	session_find(&s, line("refs -json", list),
	    "\"kind\":\"stack\",\"symbol\":null,\"symbol_offset\":null,"
	    "\"module\":null,\"thread\":1001,\"frame\":1,"
	    "\"function\":\"serve\",\"register\":null");
	session_find(
	    &s, line("refs -json", second), "{\"step\":null,\"at\":null,");
	session_find(&s, line("refs -json", second), "\"register\":\"rbx\"");
	session_find(&s, line("refs -json", table),
	    with("\"buffer\":\"%X\",\"buffer_offset\":8,"
		 "\"cache\":\"umem_alloc_64\",\"leaked\":true"));
	session_find(&s, line("refs -json", table),
	    "\"references\":2,\"from_roots\":1,\"from_buffers\":1,"
	    "\"from_leaked\":1");
}
END_TEST

START_TEST(addresses_that_are_no_buffer_are_refused)
{
	session_fail(&s, "refs 0x10", UMDB_ENOTFOUND,
	    "refs: 0x10 is in no buffer; umem whatis says what it is");
	session_fail(&s, line("path", freed), UMDB_ENOTFOUND,
	    with("path: %F is in a freed buffer of umem_alloc_64: nothing "
		 "keeps it"));
	session_fail(&s, "owns", UMDB_EUSAGE,
	    "owns: an address is missing; usage: umem owns ADDR");
}
END_TEST

/* -------------------------------------------------------------------- path */

START_TEST(path_shows_each_step_and_the_buffer)
{
	session_expect(&s, line("path", next),
	    with("%N is umem_alloc_64 buffer %N of 64 bytes\n"
		 "kept by a chain of 2 pointers:\n"
		 "  thread 1 stack, frame 1 serve()\n"
		 "  -> +0x8 in umem_alloc_64 buffer %L\n"
		 "  -> umem_alloc_64 buffer %N of 64 bytes\n"));
	session_find(&s, line("path", first),
	    "kept by a chain of 1 pointer:\n"
	    "  thread 1 stack, frame 2 main()\n");
}
END_TEST

START_TEST(path_of_a_lost_buffer_says_so)
{
	session_find(&s, line("path", lost),
	    "no root leads to it: it is leaked; umem refs shows what points "
	    "to it all the same\n");
	session_find(&s, line("path -json", lost), "\"rows\":[]");
	session_find(&s, line("path -json", lost), "\"leaked\":true");
	session_find(&s, line("path -json", lost), "\"steps\":0");
}
END_TEST

START_TEST(path_as_json_counts_its_steps)
{
	session_find(&s, line("path -json", next),
	    "\n{\"step\":1,\"at\":\"0x7fffffffe048\",");
	session_find(&s, line("path -json", next),
	    with("{\"step\":2,\"at\":\"0x7ffff0000088\",\"value\":\"%N\","
		 "\"to\":\"%N\",\"to_offset\":0,"));
	session_find(&s, line("path -json", next), "\"steps\":2");
}
END_TEST

/* A chain of more pointers than one wants to read. */
START_TEST(long_path_shows_its_ends_in_text_and_all_in_json)
{
	taddr_t last = next;
	uint32_t i;

	for (i = 6; i < 56; i++) {
		const taddr_t b = draw_alloc(&d, slab, i, 64);

		fake_put64(d.tgt, last + 0x20, b);
		last = b;
	}
	umdb_invalidate(s.u);
	session_find(&s, line("path", last), "  -> ... 28 more ...\n");
	session_find(&s, line("path -json", last), "{\"step\":30,");
	session_find(&s, line("path -json", last), "\"steps\":52");
}
END_TEST

/* -------------------------------------------------------------------- owns */

START_TEST(owns_counts_by_cache_what_would_be_garbage)
{
	session_expect(&s, line("owns", list),
	    with("%L is umem_alloc_64 buffer %L of 64 bytes\n"
		 "without it 1 more buffer would be garbage, 64:\n"
		 "     BYTES   BUFFERS  CACHE\n"
		 "        64         1  umem_alloc_64\n"));
	session_find(&s, line("owns -json", list),
	    "\"rows\":[\n{\"bytes\":64,\"count\":1,"
	    "\"cache\":\"umem_alloc_64\"}\n]");
}
END_TEST

START_TEST(owns_does_not_count_what_others_keep)
{
	session_expect(&s, line("owns", table),
	    with("%T is umem_alloc_48 buffer %T of 40 bytes allocated at "
		 "f0()+0x8\n"
		 "it owns nothing: all that it points to is kept by others "
		 "too\n"));
	session_find(&s, line("owns -json", table), "\"count\":0,\"bytes\":0");
}
END_TEST

START_TEST(owns_of_a_lost_buffer_counts_lost_ones)
{
	session_find(
	    &s, line("owns", lost), "it leads to no other leaked buffer\n");
}
END_TEST

/* --------------------------------------------------------------------- top */

START_TEST(top_shows_roots_and_sites)
{
	session_expect(&s, "top",
	    "reached from roots: 5 buffers, 296\n"
	    "not reached, and not counted here: 1 buffer, 64; umem findleaks "
	    "shows them\n"
	    "\n"
	    "RETAINED   SHARE   BUFFERS  POINTERS  ROOT\n"
	    "     168   56.7%         3         1  global v2 in app\n"
	    "     128   43.2%         2         1  thread 1 stack, mostly "
	    "frame 1 serve()\n"
	    "\n"
	    "RETAINED   SHARE       OWN   BUFFERS  ALLOCATED BY\n"
	    "     256   86.4%       256         4  ? (umem_alloc_64)\n"
	    "     168   56.7%        40         1  f0+0x8 in app < f1 < f2 < "
	    "f3\n"
	    "note: no stacks were recorded for some of these: run the program "
	    "with UMEM_DEBUG=audit, or default, to learn who allocated them\n");
}
END_TEST

START_TEST(top_shows_as_much_as_it_is_told_to)
{
	session_run(&s, "top -roots -n 1");
	ck_assert_ptr_null(strstr(s.text, "ALLOCATED BY"));
	ck_assert_ptr_nonnull(strstr(s.text, "global v2 in app"));
	ck_assert_ptr_null(strstr(s.text, "stack"));
	ck_assert_ptr_nonnull(strstr(s.text, "1 more roots"));
	session_run(&s, "top -sites");
	ck_assert_ptr_null(strstr(s.text, "ROOT"));
	session_fail(&s, "top -n x", UMDB_EUSAGE,
	    "top: N must be a number, not x; usage: umem top [-n N] [-v] "
	    "[-roots|-sites] [-folded FILE] [-pprof FILE] [-html FILE]");
	session_fail(&s, "top -root", UMDB_EUSAGE,
	    "top: there is no option -o; usage: umem top [-n N] [-v] "
	    "[-roots|-sites] [-folded FILE] [-pprof FILE] [-html FILE]");
}
END_TEST

START_TEST(roots_give_their_addresses_to_a_pipe)
{
	session_expect(&s, "top -roots | examine 1X",
	    "<x/1xw 0x555555560218>\n<x/1xw 0x7fffffffe048>\n");
	session_expect(
	    &s, "top -roots -n 1 | examine 1X", "<x/1xw 0x555555560218>\n");
	session_find(&s, "top -n 1 | examine 1X",
	    with("<x/1xw 0x555555560218>\n<x/1xw %L>\n"));
}
END_TEST

START_TEST(roots_without_an_address_are_counted)
{
	fake_put64(d.tgt, DATA + 0x300, lost);
	session_find(&s, "top -roots | examine 1X",
	    "note: 1 of 3 roots gave no address: registers have none, nor "
	    "have several roots together\n");
}
END_TEST

START_TEST(top_as_json_has_both_tables_in_its_rows)
{
	session_find(&s, "top -json",
	    "{\"by\":\"root\",\"retained_bytes\":168,\"retained_count\":3,"
	    "\"pointers\":1,\"what\":\"global v2 in app\",\"shared\":false,"
	    "\"at\":\"0x555555560218\",\"kind\":\"global\","
	    "\"symbol\":\"v2\"");
	session_find(&s, "top -json",
	    with("{\"by\":\"site\",\"retained_bytes\":168,"
		 "\"retained_count\":3,\"bytes\":40,\"count\":1,"
		 "\"what\":\"f0+0x8 in app < f1 < f2 < f3\","
		 "\"cache\":null,\"buffer\":\"%T\","
		 "\"buffer_retained\":168,\"stack\":[{\"pc\":"));
	session_find(&s, "top -json",
	    "\"count\":5,\"bytes\":296,\"leaked_count\":1,"
	    "\"leaked_bytes\":64,\"roots\":2,\"sites\":2");
}
END_TEST

START_TEST(answers_are_forgotten_when_the_target_runs)
{
	session_find(&s, line("refs", lost), "nothing points to it\n");
	fake_put64(d.tgt, DATA + 0x300, lost);
	session_find(&s, line("refs", lost), "nothing points to it\n");
	umdb_invalidate(s.u);
	session_find(&s, line("refs", lost), "  global v3 in app\n");
	session_find(&s, "top", "several variables of app: v2, v3\n");
}
END_TEST

Suite *
test_dcmd_refs_suite(void)
{
	Suite *suite = suite_create("dcmd_refs");
	TCase *tc;

	tc = tcase_create("refs");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, refs_says_where_each_pointer_lies);
	tcase_add_test(tc, refs_names_frames_registers_and_insides);
	tcase_add_test(tc, ends_of_the_buffer_before_are_said_to_be);
	tcase_add_test(tc, callers_of_cplusplus_are_named_as_they_are);
	tcase_add_test(tc, refs_without_frames_counts_from_sp);
	tcase_add_test(tc, refs_without_symbols_counts_from_the_file);
	tcase_add_test(tc, refs_to_a_lost_buffer_are_none);
	tcase_add_test(tc, refs_as_json_has_a_cell_for_each_part);
	tcase_add_test(tc, addresses_that_are_no_buffer_are_refused);
	suite_add_tcase(suite, tc);

	tc = tcase_create("path");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, path_shows_each_step_and_the_buffer);
	tcase_add_test(tc, path_of_a_lost_buffer_says_so);
	tcase_add_test(tc, path_as_json_counts_its_steps);
	tcase_add_test(tc, long_path_shows_its_ends_in_text_and_all_in_json);
	suite_add_tcase(suite, tc);

	tc = tcase_create("owns");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, owns_counts_by_cache_what_would_be_garbage);
	tcase_add_test(tc, owns_does_not_count_what_others_keep);
	tcase_add_test(tc, owns_of_a_lost_buffer_counts_lost_ones);
	suite_add_tcase(suite, tc);

	tc = tcase_create("top");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, top_shows_roots_and_sites);
	tcase_add_test(tc, top_shows_as_much_as_it_is_told_to);
	tcase_add_test(tc, roots_give_their_addresses_to_a_pipe);
	tcase_add_test(tc, roots_without_an_address_are_counted);
	tcase_add_test(tc, top_as_json_has_both_tables_in_its_rows);
	tcase_add_test(tc, answers_are_forgotten_when_the_target_runs);
	suite_add_tcase(suite, tc);
	return suite;
}
