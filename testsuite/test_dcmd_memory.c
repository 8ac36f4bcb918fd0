/* SPDX-License-Identifier: MIT */
/*
 * test_dcmd_memory.c - commands about memory: malloc_dist, malloc_info, vmem,
 * vmem_seg, ugrep, and which caches are shown
 *
 * Layer: test of gdbext/dcmd_dist.c, dcmd_vmem.c, dcmd_grep.c, find_sizes.c,
 * find_arena.c and find_grep.c, through a session on a drawn heap.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find_grep.h"
#include "find_sizes.h"
#include "session.h"
#include "suites.h"
#include "walk.h"

static struct draw d;
static struct session s;

static void
setup(void)
{
	draw_heap(&d);
	session_open(&s, &d);
}

static void
teardown(void)
{
	session_close(&s);
	draw_close(&d);
}

/* ------------------------------------------------------------ malloc_dist */

#define RULE "------------------ Distribution ------------------"
#define NOTE                                                                 \
	"note: of 11 of 18 buffers the sizes asked for were not recorded; "  \
	"they are counted as what their buffer holds: run the program with " \
	"UMEM_DEBUG=guards, or default\n"

START_TEST(sizes_are_counted_by_powers_of_two)
{
	session_expect(&s, "umem_malloc_dist",
	    " malloc size  " RULE "   count\n"
	    "       32-63  |@@@@@@@@@@@@@@                              "
	    "            5\n"
	    "      64-127  |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@             "
	    "           11\n"
	    "     128-255  |                                            "
	    "            0\n"
	    "     256-511  |                                            "
	    "            0\n"
	    "    512-1023  |                                            "
	    "            0\n"
	    "   1024-2047  |                                            "
	    "            0\n"
	    "   2048-4095  |                                            "
	    "            0\n"
	    "   4096-8191  |@@@                                         "
	    "            1\n"
	    "  8192-16383  |                                            "
	    "            0\n"
	    " 16384-32767  |                                            "
	    "            0\n"
	    " 32768-65535  |                                            "
	    "            0\n"
	    "65536-131071  |@@@                                         "
	    "            1\n" NOTE);
}
END_TEST

START_TEST(raw_sizes_are_those_that_occur)
{
	session_expect(&s, "malloc_dist -d",
	    "40\t1\n41\t1\n42\t1\n43\t1\n44\t1\n64\t11\n5000\t1\n"
	    "100000\t1\n" NOTE);
	session_find(&s, "malloc_dist -d -json",
	    "{\"size\":64,\"count\":11},\n{\"size\":5000,\"count\":1},\n");
	session_find(&s, "malloc_dist -d -json",
	    "\"summary\":{\"buffers\":18,\"bytes\":105914,"
	    "\"unrecorded\":11,\"notes\":[");
}
END_TEST

START_TEST(bins_of_one_width)
{
	session_find(&s, "malloc_dist -b 2 -json",
	    "\"rows\":[\n{\"low\":40,\"high\":50020,\"count\":17},\n"
	    "{\"low\":50021,\"high\":100000,\"count\":1}\n]");
	session_find(&s, "malloc_dist -B 50000 -json",
	    "\"rows\":[\n{\"low\":40,\"high\":50039,\"count\":17},\n"
	    "{\"low\":50040,\"high\":100000,\"count\":1}\n]");
	session_find(&s, "malloc_dist -b 1000 -B 60000 -json",
	    "\"rows\":[\n{\"low\":40,\"high\":60039,\"count\":17},\n");
	session_find(&s, "malloc_dist -b 1 -json",
	    "\"rows\":[\n{\"low\":40,\"high\":100000,\"count\":18}\n]");
}
END_TEST

START_TEST(many_empty_bins_are_one_line_of_text)
{
	session_expect(&s, "malloc_dist -B 1000",
	    " malloc size  " RULE "   count\n"
	    "     40-1039  |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"
	    "           16\n"
	    "   1040-2039  |                                            "
	    "            0\n"
	    "   2040-3039  |                                            "
	    "            0\n"
	    "   3040-4039  |                                            "
	    "            0\n"
	    "   4040-5039  |@@@                                         "
	    "            1\n"
	    "  5040-99039  |                                            "
	    "            0\n"
	    "99040-100000  |@@@                                         "
	    "            1\n" NOTE);
	session_find(&s, "malloc_dist -B 1000 -json",
	    "{\"low\":5040,\"high\":6039,\"count\":0},\n"
	    "{\"low\":6040,\"high\":7039,\"count\":0},\n");
}
END_TEST

START_TEST(notes_do_not_go_through_a_shell_command)
{
	session_expect(&s, "malloc_dist -d ! wc -l | tr -d ' '", "8\n" NOTE);
	session_expect(&s, "malloc_dist -d ! tail -1", "100000\t1\n" NOTE);
	session_expect(&s, "malloc_dist -d ! head -c 0", NOTE);
}
END_TEST

START_TEST(bins_of_several_powers_of_two)
{
	session_find(&s, "malloc_dist -g -b 2 -json",
	    "\"rows\":[\n{\"low\":32,\"high\":2047,\"count\":16},\n"
	    "{\"low\":2048,\"high\":131071,\"count\":2}\n]");
	session_find(&s, "malloc_dist -g -B 5000 -json",
	    "\"rows\":[\n{\"low\":32,\"high\":8191,\"count\":17},\n"
	    "{\"low\":8192,\"high\":16383,\"count\":0},\n");
}
END_TEST

START_TEST(bins_hold_every_size_once)
{
	struct size_count one[] = {{0, 1}, {7, 2}, {8, 3}, {100, 4}};
	const struct sizes sizes = {.size = one, .nsize = 4, .count = 10};
	uint64_t most, width, sum;
	int geometric;
	size_t i;

	for (most = 0; most < 12; most++) {
		for (width = 1; width < 120; width += 7) {
			for (geometric = 0; geometric < 2; geometric++) {
				struct size_bins b = {.low = 0,
				    .high = 100,
				    .most = most,
				    .width = width,
				    .geometric = geometric};

				ck_assert_int_eq(
				    find_size_bins(&sizes, &b), UMDB_OK);
				ck_assert(most == 0 || b.nbin <= most);
				ck_assert_uint_eq(b.bin[0].low, 0);
				ck_assert_uint_eq(b.bin[b.nbin - 1].high, 100);
				for (i = sum = 0; i < b.nbin; i++) {
					sum += b.bin[i].count;
					if (i > 0)
						ck_assert_uint_eq(b.bin[i].low,
						    b.bin[i - 1].high + 1);
				}
				ck_assert_uint_eq(sum, 10);
				free(b.bin);
			}
		}
	}
}
END_TEST

START_TEST(sizes_to_the_end_of_the_number_line_can_be_binned)
{
	struct size_count one[] = {{1, 1}, {UINT64_MAX, 1}};
	const struct sizes sizes = {.size = one, .nsize = 2, .count = 2};
	struct size_bins b = {.low = 1, .high = UINT64_MAX, .width = 1};

	ck_assert_int_eq(find_size_bins(&sizes, &b), UMDB_OK);
	ck_assert_uint_eq(b.bin[0].count, 1);
	ck_assert_uint_eq(b.bin[b.nbin - 1].count, 1);
	ck_assert_uint_eq(b.bin[b.nbin - 1].high, UINT64_MAX);
	free(b.bin);
	b.geometric = true;
	ck_assert_int_eq(find_size_bins(&sizes, &b), UMDB_OK);
	ck_assert_uint_eq(b.nbin, 64);
	ck_assert_uint_eq(b.bin[63].low, 1ull << 63);
	ck_assert_uint_eq(b.bin[63].count, 1);
	free(b.bin);
}
END_TEST

START_TEST(numbers_of_bins_are_checked)
{
	session_fail(&s, "malloc_dist -b 0", UMDB_EUSAGE,
	    "malloc_dist: -b and -B must be 1 or more; usage: umem "
	    "malloc_dist [-d] [-g] [-b N] [-B N]");
	session_fail(&s, "malloc_info -B x", UMDB_EUSAGE,
	    "malloc_info: -B must be a number, not x; usage: umem "
	    "malloc_info [-d] [-g] [-b N] [-B N] [CACHE]");
}
END_TEST

/* ------------------------------------------------------------ malloc_info */

#define INFO_HEAD                                                             \
	"CACHE           NAME            BUFSZ  MAXMAL  BUFMALLC   AVG_MAL  " \
	"  MALLOCED    OVERHEAD   %OVER\n"
#define INFO_48                                                               \
	"0x7fffe0243710  umem_alloc_48      48      48         5        42  " \
	"       210        1160  552.4%\n"

/*
 * A slab of 4096 bytes with 104 bytes of structures and 20 records of 64
 * makes 274 bytes a buffer; large ones take 102400 and 8192 and 104 each.
 */
START_TEST(info_of_all_caches_of_malloc)
{
	session_expect(&s, "umem_malloc_info",
	    INFO_HEAD "0x7fffe02410c0  umem_alloc_64      64      64        11"
		      "         -           -           -       -\n" INFO_48
		      "0x7fffe0243e30  umem_oversize       -       -         2"
		      "     52500      105000        5800    5.5%\n" NOTE);
	session_find(&s, "malloc_info -json",
	    "\"summary\":{\"buffers\":18,\"bytes\":105914,"
	    "\"held_bytes\":112940,\"unrecorded\":11,");
}
END_TEST

START_TEST(info_of_one_cache_with_a_distribution)
{
	session_expect(&s, "malloc_info umem_alloc_48", INFO_HEAD INFO_48);
	session_expect(&s, "malloc_info umem_alloc_48 -d",
	    INFO_HEAD INFO_48 "40\t1\n41\t1\n42\t1\n43\t1\n44\t1\n\n");
	session_find(&s, "malloc_info umem_oversize -g -json",
	    "{\"addr\":\"0x7fffe0243e30\",\"cache\":\"umem_oversize\","
	    "\"bufsize\":null,\"max\":null,\"count\":2,\"average\":52500,"
	    "\"bytes\":105000,\"overhead\":5800,\"distribution\":["
	    "{\"low\":4096,\"high\":8191,\"count\":1},"
	    "{\"low\":65536,\"high\":100000,\"count\":1}]}");
	session_find(&s, "malloc_info umem_alloc_48 -d -json",
	    "\"distribution\":[{\"size\":40,\"count\":1},");
	session_find(
	    &s, "malloc_info umem_alloc_48 -json", "\"distribution\":[]}");
}
END_TEST

START_TEST(info_begins_where_the_smaller_cache_ends)
{
	const taddr_t c = draw_cache(&d, "umem_alloc_96", 96, UMF_MALLOC, 3);

	draw_alloc(&d, draw_slab(&d, c, 4), 0, 90);
	session_find(&s, "malloc_info umem_alloc_96 -b 1 -json",
	    "\"distribution\":[{\"low\":49,\"high\":96,\"count\":1}]");
}
END_TEST

START_TEST(cache_of_objects_is_not_used_by_malloc)
{
	draw_cache(&d, "session_cache", 376, 0, 3);
	session_fail(&s, "malloc_info session_cache", UMDB_ENOTFOUND,
	    "malloc_info: session_cache is not used by malloc");
	session_fail(&s, "malloc_info nosuch", UMDB_ENOTFOUND,
	    "malloc_info: there is no cache named nosuch");
	session_find(&s, "walk umem_cache | malloc_info", INFO_48);
}
END_TEST

/* -------------------------------------------------------------------- vmem */

START_TEST(arenas_are_a_tree)
{
	session_expect(&s, "vmem",
	    "ADDR            NAME                 INUSE         TOTAL    "
	    "SUCCEED   FAIL\n"
	    "0x7fffe02440c0  umem_heap           122880       4194304          "
	    "2      0\n"
	    "0x7fffe02446b0    umem_default       12288         12288          "
	    "1      0\n");
	session_expect(&s, "vmem umem_default",
	    "ADDR            NAME               INUSE         TOTAL    "
	    "SUCCEED   FAIL\n"
	    "0x7fffe02446b0  umem_default       12288         12288          1"
	    "      0\n");
	session_find(&s, "vmem 0x7fffe02446b0 -json",
	    "{\"addr\":\"0x7fffe02446b0\",\"name\":\"umem_default\","
	    "\"source\":\"umem_heap\",\"depth\":1,\"quantum\":4096,"
	    "\"inuse\":12288,\"total\":12288,\"import\":0,\"succeed\":1,"
	    "\"frees\":0,\"fail\":0}");
	session_fail(&s, "vmem nosuch", UMDB_ENOTFOUND,
	    "vmem: there is no arena nosuch; umem vmem lists them");
}
END_TEST

START_TEST(arenas_that_import_from_each_other_are_shown_once)
{
	DRAW_SET(&d, d.heap_arena, vmem_t, vm_source, d.last_arena);
	session_find(&s, "vmem -json", "\"name\":\"umem_heap\"");
	session_find(&s, "vmem -json", "\"name\":\"umem_default\"");
}
END_TEST

START_TEST(names_of_arenas_are_completed)
{
	ck_assert_str_eq(
	    umdb_complete(s.u, "vmem "), "umem_heap\numem_default\n");
	ck_assert_str_eq(umdb_complete(s.u, "vmem umem_d"), "umem_default\n");
	ck_assert_str_eq(
	    umdb_complete(s.u, "vmem_seg umem_heap -T R"), "ROTOR\n");
	ck_assert_str_eq(umdb_complete(s.u, "vmem_seg umem_h"), "umem_heap\n");
}
END_TEST

/* ---------------------------------------------------------------- vmem_seg */

#define HEAP_ALLOC "0x7fffe0244cf0"

/* The segment of HEAP_ALLOC is one that somebody allocated. */
static void
audit_segment(uint64_t timestamp)
{
	uint64_t frames[DRAW_DEPTH];
	vmem_seg_t *seg = fake_at(d.tgt, 0x7fffe0244cf0, sizeof(*seg));

	draw_stack(frames, 3);
	seg->vs_trace = draw_trace(&d, frames, DRAW_DEPTH);
	seg->vs_thread = 1001;
	seg->vs_timestamp = timestamp;
}

START_TEST(segments_of_an_arena_stand_in_order)
{
	session_expect(&s, "vmem_seg umem_heap",
	    "ADDR            TYPE  START           END             WHO\n"
	    "0x7fffe0244170  ROTR  0x0             0x0             \n"
	    "0x7fffe0244ca0  SPAN  0x7ffff0000000  0x7ffff0400000  \n"
	    "0x7fffe0244cf0  ALLC  0x7ffff0000000  0x7ffff0003000  \n"
	    "0x7fffe0244d40  ALLC  0x7ffff0003000  0x7ffff001e000  \n"
	    "0x7fffe0244d90  FREE  0x7ffff001e000  0x7ffff0400000  \n");
	session_expect(
	    &s, "vmem_seg umem_heap -T walker", "no segment matches\n");
	session_expect(&s, "vmem_seg umem_heap -s -T span",
	    "ADDR            TYPE  START                 SIZE  WHO\n"
	    "0x7fffe0244ca0  SPAN  0x7ffff0000000     4194304  \n");
}
END_TEST

START_TEST(segment_by_its_address)
{
	audit_segment(1500000007);
	session_expect(&s, "vmem_seg " HEAP_ALLOC,
	    "ADDR            TYPE  START           END             WHO\n"
	    "0x7fffe0244cf0  ALLC  0x7ffff0000000  0x7ffff0003000  f0+0x18 in "
	    "app\n");
	session_expect(&s, "vmem_seg -v " HEAP_ALLOC,
	    "0x7fffe0244cf0 ALLC [0x7ffff0000000, 0x7ffff0003000) size 12288\n"
	    "    by thread 1 (LWP 1001) at 1.500000007\n"
	    "        f0+0x18 in app\n"
	    "        f1+0x18 in app\n"
	    "        f2+0 in app\n"
	    "        f3+0 in app\n");
	session_fail(&s, "vmem_seg 0x7fffe0244cf1", UMDB_ENOTFOUND,
	    "vmem_seg: there is no segment at 0x7fffe0244cf1");
	session_fail(&s, "vmem_seg 0x10", UMDB_ENOTFOUND,
	    "vmem_seg: there is no segment at 0x10");
	session_fail(&s, "vmem_seg nosuch", UMDB_EUSAGE,
	    "vmem_seg: nosuch is neither an arena nor an address");
}
END_TEST

START_TEST(segment_that_its_neighbours_do_not_know_is_none)
{
	DRAW_SET(&d, 0x7fffe0244ca0, vmem_seg_t, vs_anext, 0x7fffe0244d40);
	session_fail(&s, "vmem_seg " HEAP_ALLOC, UMDB_ENOTFOUND,
	    "vmem_seg: there is no segment at 0x7fffe0244cf0");
}
END_TEST

/* ... but while the ring changes its backward links may lag. */
START_TEST(segment_of_an_arena_under_change_is_found_on_its_ring)
{
	DRAW_SET(&d, 0x7fffe0244d40, vmem_seg_t, vs_aprev, 0);
	DRAW_SET(&d, d.heap_arena, vmem_t, vm_lock.lk_word, 1);
	session_find(&s, "vmem_seg " HEAP_ALLOC, "0x7fffe0244cf0  ALLC  ");
}
END_TEST

START_TEST(segments_are_filtered)
{
	static const struct {
		const char *options;
		unsigned n;
	} c[] = {
	    {"", 5},
	    {"-T ALLOC", 2},
	    {"-T allc", 2},
	    {"-T FREE", 1},
	    {"-T ROTOR", 1},
	    {"-T WALKER", 0},
	    {"-m 12288 -M 12288", 1},
	    {"-m 12289", 3},
	    {"-M 0", 1},
	    {"-t 1", 1},
	    {"-t 2", 0},
	    {"-c f0", 1},
	    {"-c f7", 0},
	    {"-e 1500", 1},
	    {"-e 1501", 0},
	    {"-l 1500", 1},
	    {"-l 1499", 0},
	};
	char line[80], want[40];
	size_t i;

	audit_segment(1500);
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		snprintf(line, sizeof(line), "vmem_seg umem_heap %s -json",
		    c[i].options);
		snprintf(want, sizeof(want), "\"segments\":%u,", c[i].n);
		session_find(&s, line, want);
	}
	session_fail(&s, "vmem_seg umem_heap -T nosuch", UMDB_EUSAGE,
	    "vmem_seg: nosuch is not a recognized vmem_seg type; usage: umem "
	    "vmem_seg ADDR|ARENA [-v] [-s] [-c FUNCTION] [-e TIME] [-l TIME] "
	    "[-m SIZE] [-M SIZE] [-t THREAD] [-T TYPE]");
}
END_TEST

START_TEST(segments_as_json)
{
	audit_segment(1500);
	session_find(&s, "vmem_seg umem_heap -T ALLOC -json",
	    "{\"addr\":\"0x7fffe0244cf0\",\"type\":\"ALLC\","
	    "\"start\":\"0x7ffff0000000\",\"end\":\"0x7ffff0003000\","
	    "\"size\":12288,\"import\":false,\"thread\":1001,\"time\":1500,"
	    "\"stack\":[{\"pc\":\"0x555555555018\",");
	session_find(&s, "vmem_seg umem_heap -T FREE -json",
	    "\"thread\":null,\"time\":null,\"stack\":[]}\n],\"summary\":{"
	    "\"segments\":1,\"bytes\":4071424}}\n");
}
END_TEST

START_TEST(trace_of_a_segment_that_cannot_be_is_ignored)
{
	audit_segment(1500);
	DRAW_SET(&d, 0x7fffe0244cf0, vmem_seg_t, vs_trace, UINT32_MAX);
	session_expect(&s, "vmem_seg -v " HEAP_ALLOC,
	    "0x7fffe0244cf0 ALLC [0x7ffff0000000, 0x7ffff0003000) size "
	    "12288\n");
}
END_TEST

START_TEST(loop_of_segments_is_an_error)
{
	DRAW_SET(&d, 0x7fffe0244d90, vmem_seg_t, vs_anext, 0x7fffe0244cf0);
	DRAW_SET(&d, d.heap_arena, vmem_t, vm_lock.lk_word, 1);
	ck_assert_int_eq(session_run(&s, "vmem_seg umem_heap"), UMDB_ECORRUPT);
	ck_assert_ptr_nonnull(
	    strstr(umdb_error(s.u), "segments of arena umem_heap loop"));
}
END_TEST

/* ------------------------------------------------------------------- ugrep */

START_TEST(value_is_found_everywhere)
{
	session_expect(
	    &s, "ugrep 0x7ffff0002010", "0x7fffd0000000\n0x7fffe0243930\n");
	session_expect(&s, "ugrep -v 0x7ffff0002010",
	    "0x7fffd0000000:\t0x7ffff0002010\n"
	    "0x7fffe0243930:\t0x7ffff0002010\n");
	session_find(&s, "ugrep 0x7ffff0002010 -json",
	    "\"rows\":[\n{\"addr\":\"0x7fffd0000000\","
	    "\"value\":\"0x7ffff0002010\"},\n");
	session_expect(&s, "ugrep 0x7ffff0002010 | whatis -q",
	    "0x7fffd0000000 is in a log\n"
	    "0x7fffe0243930 is a bufctl of umem_alloc_48\n");
	session_expect(&s, "ugrep 0x1234", "not found\n");
}
END_TEST

/* Words at DRAW_APP_DATA; @n: how many the line finds. */
static void
expect_found(const char *options, unsigned n)
{
	char line[120], want[40];

	snprintf(line, sizeof(line), "ugrep %s -a 0x%llx -A 0x%llx -json",
	    options, (unsigned long long)DRAW_APP_DATA,
	    (unsigned long long)DRAW_APP_DATA + 64);
	snprintf(want, sizeof(want), "\"found\":%u,", n);
	session_find(&s, line, want);
}

START_TEST(values_by_distance_mask_and_size)
{
	static const uint64_t w[8] = {0x1000, 0x1007, 0x1008, 0xfff,
	    0x2222222211111111, 0xff00, UINT64_MAX, 0x33};

	fake_put(d.tgt, DRAW_APP_DATA, w, sizeof(w));
	expect_found("0x1000", 1);
	expect_found("0x1000 -d 1", 1);
	expect_found("0x1000 -d 8", 2);
	expect_found("0x1000 -d 9", 3);
	expect_found("0xfff -d 2", 2);
	expect_found("0 -d 0xffffffffffffffff", 7); /* not UINT64_MAX */
	expect_found("0xffffffffffffffff -d 5", 1);
	expect_found("1 -d 0xffffffffffffffff", 8);
	expect_found("0x1234 -m 0xf000", 4);
	expect_found("0x1234 -M 0xfff", 3);
	expect_found("0x22222222 -s 4", 1);
	expect_found("0x11111111 -s 4", 1);
	expect_found("0x1111 -s 2", 2);
	expect_found("0x33 -s 1", 1);
	expect_found("0x11 -s 1", 4);
	expect_found("0x1122 -s 2 -m 0xff", 2); /* the low byte is 0x22 */
}
END_TEST

START_TEST(bounds_need_not_be_aligned)
{
	static const uint64_t w[4] = {7, 7, 7, 7};
	char line[100];

	fake_put(d.tgt, DRAW_APP_DATA, w, sizeof(w));
	snprintf(line, sizeof(line), "ugrep 7 -a 0x%llx -A 0x%llx",
	    (unsigned long long)DRAW_APP_DATA + 1,
	    (unsigned long long)DRAW_APP_DATA + 31);
	session_expect(&s, line, "0x555555560008\n0x555555560010\n");
}
END_TEST

START_TEST(value_at_either_end_of_a_piece_is_found)
{
	const taddr_t mid = DRAW_META + (1u << 20);

	fake_put64(d.tgt, mid - 8, 0x5eed5eed5eed5eed);
	fake_put64(d.tgt, mid, 0x5eed5eed5eed5eed);
	fake_put64(d.tgt, DRAW_META + DRAW_META_SIZE - 8, 0x5eed5eed5eed5eed);
	session_expect(&s, "ugrep 0x5eed5eed5eed5eed",
	    "0x7fffe00ffff8\n0x7fffe0100000\n0x7fffe0fffff8\n");
}
END_TEST

START_TEST(unreadable_memory_is_passed_over_and_said)
{
	fake_put64(d.tgt, DRAW_APP_DATA + 0x2000, 0x5eed5eed5eed5eed);
	fake_put64(d.tgt, DRAW_APP_DATA + 0x4000, 0x5eed5eed5eed5eed);
	fake_break(d.tgt, DRAW_APP_DATA + 0x2ff0, 16);
	fake_break(d.tgt, DRAW_APP_DATA + 0x3000, 8);
	session_expect(&s, "ugrep 0x5eed5eed5eed5eed",
	    "0x555555564000\n"
	    "note: 8K of memory are not to be had: never used, or left out of "
	    "the core\n");
}
END_TEST

START_TEST(nothing_readable_is_nothing_searched)
{
	session_expect(&s, "ugrep 1 -a 0x1000 -A 0x2000",
	    "note: nothing searched: no memory there can be read\n");
	fake_break(d.tgt, DRAW_STACK, DRAW_STACK_SIZE);
	session_expect(&s, "ugrep 1 -a 0x7ffffffde000 -A 0x7ffffffff000",
	    "note: nothing searched: no memory there can be read\n");
}
END_TEST

START_TEST(search_ends_when_the_pager_does)
{
	static char many[DRAW_DATA_SIZE];

	memset(many, 1, sizeof(many));
	fake_put(d.tgt, DRAW_APP_DATA, many, sizeof(many));
	s.stop_after = 1;
	ck_assert_int_eq(session_run(&s, "ugrep 0x01 -s 1"), UMDB_EINTR);
}
END_TEST

static bool
interrupt(void *arg, const char *what, uint64_t done, uint64_t total)
{
	ck_assert_str_eq(what, "searching memory");
	ck_assert_uint_eq(done, 0);
	ck_assert_uint_gt(total, DRAW_META_SIZE);
	return ++*(int *)arg == 1;
}

static int
count_hit(void *arg, taddr_t at, uint64_t value)
{
	(void)at;
	(void)value;
	return ++*(int *)arg > 2 ? UMDB_ENOMEM : WALK_NEXT;
}

START_TEST(search_can_be_interrupted_and_passes_on_errors)
{
	struct grep g = {.value = 1,
	    .mask = UINT64_MAX,
	    .dist = 1,
	    .size = 8,
	    .end = UINT64_MAX};
	struct grep_stats stats;
	int polls = 0, hits = 0;

	d.tgt->poll = interrupt;
	d.tgt->poll_arg = &polls;
	ck_assert_int_eq(
	    find_grep(d.tgt, &g, count_hit, &hits, &stats), UMDB_EINTR);
	ck_assert_int_eq(hits, 0);
	d.tgt->poll = NULL;
	d.tgt->stopped = false;
	ck_assert_int_eq(
	    find_grep(d.tgt, &g, count_hit, &hits, &stats), UMDB_ENOMEM);
	ck_assert_int_eq(hits, 3);
}
END_TEST

START_TEST(options_of_a_search_are_checked)
{
	static const struct {
		const char *line, *what;
	} c[] = {
	    {"ugrep 5 -m 1 -d 2", "of -d, -m and -M only one can be given"},
	    {"ugrep 5 -M 1 -m 2", "of -d, -m and -M only one can be given"},
	    {"ugrep 5 -s 3", "a word has 1, 2, 4 or 8 bytes, not 3"},
	    {"ugrep 0x100 -s 1", "0x100 does not fit into 1 byte"},
	    {"ugrep 0x10000 -s 2", "0x10000 does not fit into 2 bytes"},
	    {"ugrep 0 -d 0", "a distance of 0 holds no value"},
	    {"ugrep 1 -a 5 -A 5", "there is nothing from 0x5 to 0x5"},
	    {"ugrep 1 -m x", "-m must be a number, not x"},
	};
	char want[300];
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		snprintf(want, sizeof(want),
		    "ugrep: %s; usage: umem ugrep VALUE [-v] [-d DIST] "
		    "[-m MASK] [-M MASK] [-a ADDR] [-A ADDR] [-s SIZE]",
		    c[i].what);
		session_fail(&s, c[i].line, UMDB_EUSAGE, want);
	}
	session_fail(&s, "ugrep nosuch", UMDB_EUSAGE,
	    "ugrep: nosuch is not an address or an expression that gives one");
}
END_TEST

/* ------------------------------------------------------------------ caches */

START_TEST(caches_that_never_had_a_buffer_are_left_out)
{
	draw_cache(&d, "umem_alloc_96", 96, UMF_MALLOC, 3);
	session_find(&s, "cache",
	    "1 cache that never had a buffer is left out: -a shows it\n");
	ck_assert_ptr_null(strstr(s.text, "umem_alloc_96"));
	session_find(&s, "stat",
	    "\n1 cache that never had a buffer is left out: -a shows it\n");
	ck_assert_ptr_null(strstr(s.text, "umem_alloc_96"));
	draw_cache(&d, "umem_alloc_112", 112, UMF_MALLOC, 4);
	umdb_invalidate(s.u);
	session_find(&s, "umem_cache",
	    "2 caches that never had a buffer are left out: -a shows them\n");
	session_find(&s, "umem_cache -a", "  umem_alloc_112  ");
	ck_assert_ptr_null(strstr(s.text, "left out"));
	session_find(&s, "umastat -a", "\numem_alloc_96 ");
	session_find(&s, "cache -json", "\"name\":\"umem_alloc_96\"");
	session_find(&s, "stat -json", "\"name\":\"umem_alloc_96\"");
	session_find(&s, "cache umem_alloc_96", "  umem_alloc_96  ");
	session_find(&s, "cache | cache", "  umem_alloc_96  ");
}
END_TEST

Suite *
test_dcmd_memory_suite(void)
{
	Suite *suite = suite_create("dcmd memory");
	TCase *tc;

	tc = tcase_create("sizes");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sizes_are_counted_by_powers_of_two);
	tcase_add_test(tc, raw_sizes_are_those_that_occur);
	tcase_add_test(tc, bins_of_one_width);
	tcase_add_test(tc, many_empty_bins_are_one_line_of_text);
	tcase_add_test(tc, notes_do_not_go_through_a_shell_command);
	tcase_add_test(tc, bins_of_several_powers_of_two);
	tcase_add_test(tc, bins_hold_every_size_once);
	tcase_add_test(tc, sizes_to_the_end_of_the_number_line_can_be_binned);
	tcase_add_test(tc, numbers_of_bins_are_checked);
	tcase_add_test(tc, info_of_all_caches_of_malloc);
	tcase_add_test(tc, info_of_one_cache_with_a_distribution);
	tcase_add_test(tc, info_begins_where_the_smaller_cache_ends);
	tcase_add_test(tc, cache_of_objects_is_not_used_by_malloc);
	suite_add_tcase(suite, tc);

	tc = tcase_create("arenas");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, arenas_are_a_tree);
	tcase_add_test(tc, arenas_that_import_from_each_other_are_shown_once);
	tcase_add_test(tc, names_of_arenas_are_completed);
	tcase_add_test(tc, segments_of_an_arena_stand_in_order);
	tcase_add_test(tc, segment_by_its_address);
	tcase_add_test(tc, segment_that_its_neighbours_do_not_know_is_none);
	tcase_add_test(
	    tc, segment_of_an_arena_under_change_is_found_on_its_ring);
	tcase_add_test(tc, segments_are_filtered);
	tcase_add_test(tc, segments_as_json);
	tcase_add_test(tc, trace_of_a_segment_that_cannot_be_is_ignored);
	tcase_add_test(tc, loop_of_segments_is_an_error);
	suite_add_tcase(suite, tc);

	tc = tcase_create("search");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, value_is_found_everywhere);
	tcase_add_test(tc, values_by_distance_mask_and_size);
	tcase_add_test(tc, bounds_need_not_be_aligned);
	tcase_add_test(tc, value_at_either_end_of_a_piece_is_found);
	tcase_add_test(tc, unreadable_memory_is_passed_over_and_said);
	tcase_add_test(tc, nothing_readable_is_nothing_searched);
	tcase_add_test(tc, search_ends_when_the_pager_does);
	tcase_add_test(tc, search_can_be_interrupted_and_passes_on_errors);
	tcase_add_test(tc, options_of_a_search_are_checked);
	tcase_add_test(tc, caches_that_never_had_a_buffer_are_left_out);
	suite_add_tcase(suite, tc);
	return suite;
}
