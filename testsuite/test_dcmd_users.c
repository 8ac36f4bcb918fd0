/* SPDX-License-Identifier: MIT */
/*
 * test_dcmd_users.c - commands about records: users, allocdby, freedby,
 * stat -by-age, log -b and the filters of logs
 *
 * Layer: test of gdbext/dcmd_users.c, dcmd_age.c, dcmd_log.c, dcmd_history.c
 * and find_history.c, through a session on a drawn heap.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "session.h"
#include "suites.h"

static struct draw d;
static struct session s;

#define FRAMES(at)                   \
	"        f0+" at " in app\n" \
	"        f1+" at " in app\n" \
	"        f2+0 in app\n"      \
	"        f3+0 in app\n"

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

static taddr_t
audited_slab(void)
{
	const taddr_t c = draw_cache_addr(&d, "umem_alloc_48");

	return DRAW_GET(&d, c, umem_cache_t, cache_partial);
}

/* The bufctl of a buffer of umem_alloc_48. */
static umem_bufctl_audit_t *
bufctl(uint32_t index)
{
	const taddr_t c = draw_cache_addr(&d, "umem_alloc_48");
	const uint32_t size = DRAW_GET(&d, c, umem_cache_t, cache_bufctl_size);

	return fake_at(d.tgt,
	    DRAW_GET(&d, audited_slab(), umem_slab_t, slab_bufctl) +
		index * size,
	    size);
}

/* ----------------------------------------------------------------- users */

START_TEST(users_of_one_size_and_stack_are_a_group)
{
	session_expect(&s, "umausers -e",
	    "210 bytes for 5 allocations with data sizes 40 to 44:\n" FRAMES(
		"0x8"));
}
END_TEST

START_TEST(small_groups_are_counted_and_shown_with_e)
{
	session_expect(&s, "users",
	    "1 group of less than 8192 bytes and 100 allocations, together "
	    "210: -e shows all\n");
}
END_TEST

START_TEST(users_are_sorted_by_bytes)
{
	/* another stack for two of the five: 40 + 44 bytes */
	uint64_t stack[DRAW_DEPTH];

	draw_stack(stack, UMEM_BC_ALLOC);
	stack[0] = DRAW_TEXT + 0x508;
	bufctl(0)->bc_trace = bufctl(4)->bc_trace =
	    draw_trace(&d, stack, DRAW_DEPTH);
	session_expect(&s, "users -e umem_alloc_48",
	    "126 bytes for 3 allocations with data sizes 41 to 43:\n" FRAMES(
		"0x8") "84 bytes for 2 allocations with data sizes 40 to 44:\n"
		       "        f5+0x8 in app\n"
		       "        f1+0x8 in app\n"
		       "        f2+0 in app\n"
		       "        f3+0 in app\n");
}
END_TEST

START_TEST(depth_counts_when_stacks_are_compared)
{
	uint64_t stack[DRAW_DEPTH];

	draw_stack(stack, UMEM_BC_ALLOC);
	bufctl(2)->bc_trace = draw_trace(&d, stack, 3);
	session_find(&s, "users -e",
	    "168 bytes for 4 allocations with data sizes 40 to 44:\n");
	session_find(&s, "users -e",
	    "42 bytes for 1 allocation with data size 42:\n"
	    "        f0+0x8 in app\n"
	    "        f1+0x8 in app\n"
	    "        f2+0 in app\n");
	bufctl(2)->bc_trace = 0;
	umdb_invalidate(s.u);
	session_find(&s, "users -e",
	    "42 bytes for 1 allocation with data size 42:\n"
	    "        no frames were recorded\n");
}
END_TEST

START_TEST(users_f_lists_every_allocation_first)
{
	session_find(&s, "users -f",
	    "  SIZE  ADDR            BUFCTL          CACHE          THREAD\n"
	    "    40  0x7ffff0002010  0x7fffe0243930  umem_alloc_48  "
	    "1 (LWP 1001)\n" FRAMES("0x8") "\n"
					   "    41  0x7ffff0002060  ");
	session_find(&s, "users -f", "\n    44  0x7ffff0002150  ");
	session_find(&s, "users -f", "\n\n1 group of less than");
}
END_TEST

START_TEST(users_as_json)
{
	session_find(&s, "users -e -json",
	    "{\"umdb\":1,\"command\":\"users\",\"rows\":[\n"
	    "{\"type\":\"group\",\"bytes\":210,\"count\":5,\"bufsize\":48,"
	    "\"size_min\":40,\"size_max\":44,\"oldest\":1000,"
	    "\"bufctl\":\"0x7fffe0243930\",\"stack\":[{\"pc\":"
	    "\"0x555555555008\",\"function\":\"f0\",");
	session_find(&s, "users -e -json",
	    "\n],\"summary\":{\"groups\":1,\"allocations\":5,\"bytes\":210,"
	    "\"hidden\":0,\"hidden_bytes\":0}}\n");
	session_find(&s, "users -f -json",
	    "{\"type\":\"allocation\",\"size\":41,\"addr\":"
	    "\"0x7ffff0002060\",\"bufctl\":\"0x7fffe0243970\","
	    "\"cache\":\"umem_alloc_48\",\"thread\":1001,\"time\":1001,");
	session_find(
	    &s, "users -f -json", "\"hidden\":1,\"hidden_bytes\":210}}\n");
}
END_TEST

START_TEST(named_cache_without_records_is_said_to_have_none)
{
	session_expect(&s, "users -e umem_alloc_64",
	    "no record says who holds the 11 buffers allocated there\n"
	    "note: UMF_AUDIT is not enabled for umem_alloc_64\n");
	session_find(&s, "users -e umem_alloc_64 umem_alloc_48",
	    "210 bytes for 5 allocations");
	session_fail(&s, "users nosuch", UMDB_ENOTFOUND,
	    "users: there is no cache named nosuch");
}
END_TEST

START_TEST(without_any_audited_cache_it_is_an_error)
{
	const taddr_t c = draw_cache_addr(&d, "umem_alloc_48");
	static const char *const line[] = {
	    "users", "allocdby 1", "freedby 1", "stat -by-age"};
	char want[200];
	size_t i;

	DRAW_SET(&d, c, umem_cache_t, cache_bufctl_size, 0);
	for (i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
		snprintf(want, sizeof(want),
		    "%.*s: UMF_AUDIT is not enabled for any cache: run the "
		    "program with UMEM_DEBUG=audit, or default",
		    (int)strcspn(line[i], " "), line[i]);
		session_fail(&s, line[i], UMDB_ENOTFOUND, want);
	}
}
END_TEST

START_TEST(record_of_another_buffer_is_damage_and_not_counted)
{
	bufctl(1)->bc_addr += 0x50;
	session_expect(&s, "users -e",
	    "169 bytes for 4 allocations with data sizes 40 to 44:\n" FRAMES(
		"0x8") "note: damage at 0x7fffe0243970: the bufctl of buffer "
		       "0x7ffff0002060 says that it is that of 0x7ffff00020b0\n");
}
END_TEST

START_TEST(buffers_without_a_sound_record_are_not_denied)
{
	const taddr_t slab = audited_slab();
	uint32_t i;

	for (i = 1; i < 5; i++)
		draw_free(&d, slab, i);
	bufctl(0)->bc_addr += 0x50;
	session_expect(&s, "users -e umem_alloc_48",
	    "no record says who holds the 1 buffer allocated there\n"
	    "note: damage at 0x7fffe0243930: the bufctl of buffer "
	    "0x7ffff0002010 says that it is that of 0x7ffff0002060\n");
	bufctl(0)->bc_addr -= 0x50;
	draw_free(&d, slab, 0);
	umdb_invalidate(s.u);
	session_expect(
	    &s, "users -e umem_alloc_48", "nothing is allocated there\n");
}
END_TEST

START_TEST(whatis_and_bufctl_say_that_a_record_is_not_the_buffers_own)
{
	static const char *const line[] = {"whatis 0x7ffff0002060",
	    "whatis -q 0x7ffff0002060", "bufctl 0x7ffff0002060",
	    "bufctl -v 0x7ffff0002060", "bufctl 0x7fffe0243970"};
	size_t i;

	bufctl(1)->bc_addr += 0x50;
	for (i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
		umdb_invalidate(s.u);
		session_find(&s, line[i],
		    "note: damage at 0x7fffe0243970: the bufctl of buffer "
		    "0x7ffff0002060 says that it is that of 0x7ffff00020b0\n");
	}
	umdb_invalidate(s.u);
	session_run(&s, "bufctl 0x7ffff00020b0");
	ck_assert_ptr_null(strstr(s.text, "note:"));
}
END_TEST

START_TEST(unreadable_records_are_damage_and_not_counted)
{
	fake_break(d.tgt, 0x7fffe0243970, 8);
	session_find(&s, "users -e",
	    "169 bytes for 4 allocations with data sizes 40 to 44:\n");
	session_find(&s, "users -e",
	    "note: damage at 0x7fffe0243970: cannot read bufctl");
}
END_TEST

START_TEST(records_whose_trace_is_damaged_are_damage_and_not_counted)
{
	const uint32_t number = bufctl(0)->bc_trace;
	umem_trace_t *tr = fake_at(d.tgt, draw_trace_at(number), sizeof(*tr));

	tr->tr_depth = 60000;
	bufctl(1)->bc_trace = 0;
	session_find(&s, "users -e",
	    "41 bytes for 1 allocation with data size 41:\n"
	    "        no frames were recorded\n"
	    "note: damage at 0x7fffe0243930: bufctl 0x7fffe0243930: trace 1 at "
	    "0x7fffe0f00008 is damaged: a stack of 60000 frames\n");
	session_fail(&s, "bufctl 0x7fffe0243930", UMDB_ECORRUPT,
	    "bufctl: bufctl 0x7fffe0243930: trace 1 at 0x7fffe0f00008 is "
	    "damaged: a stack of 60000 frames");
}
END_TEST

/* ------------------------------------------------------ allocdby, freedby */

START_TEST(allocdby_is_newest_first)
{
	static const char want[] =
	    "BUFCTL          BUFADDR           SIZE  CACHE                 "
	    "TIMESTAMP  CALLER\n"
	    "0x7fffe0243a30  0x7ffff0002150      44  umem_alloc_48       "
	    "0.000001004  f0+0x8 in app\n"
	    "0x7fffe02439f0  0x7ffff0002100      43  umem_alloc_48       "
	    "0.000001003  f0+0x8 in app\n"
	    "0x7fffe02439b0  0x7ffff00020b0      42  umem_alloc_48       "
	    "0.000001002  f0+0x8 in app\n"
	    "0x7fffe0243970  0x7ffff0002060      41  umem_alloc_48       "
	    "0.000001001  f0+0x8 in app\n"
	    "0x7fffe0243930  0x7ffff0002010      40  umem_alloc_48       "
	    "0.000001000  f0+0x8 in app\n";

	session_expect(&s, "allocdby 1", want);
	session_expect(&s, "allocdby 1001", want);
}
END_TEST

START_TEST(number_of_gdb_goes_before_an_lwp)
{
	bufctl(3)->bc_thread = 1;
	bufctl(4)->bc_thread = 77;
	session_find(&s, "allocdby 1 -json",
	    "\"summary\":{\"thread\":1001,\"buffers\":3}}");
	session_find(&s, "allocdby 77 -json",
	    "\"summary\":{\"thread\":77,\"buffers\":1}}");
	session_expect(&s, "allocdby 2",
	    "note: no allocated buffer was last touched by thread LWP 2\n");
	session_expect(&s, "walk allocdby 2",
	    "note: no allocated buffer was last touched by thread LWP 2\n");
	session_expect(&s, "walk allocdby 2 | bufctl -v",
	    "note: no allocated buffer was last touched by thread LWP 2\n");
	session_fail(&s, "allocdby 0", UMDB_EUSAGE,
	    "allocdby: 0 is no thread; usage: umem allocdby THREAD");
	session_fail(&s, "allocdby main", UMDB_EUSAGE,
	    "allocdby: a thread must be a number, not main; usage: umem "
	    "allocdby THREAD");
}
END_TEST

START_TEST(freedby_finds_only_free_buffers)
{
	session_expect(&s, "freedby 1",
	    "BUFCTL          BUFADDR           SIZE  CACHE                 "
	    "TIMESTAMP  CALLER\n"
	    "0x7fffe0243a70  0x7ffff00021a0      48  umem_alloc_48       "
	    "0.000001006  f0+0x10 in app\n");
	session_find(&s, "freedby 1 -json",
	    "{\"bufctl\":\"0x7fffe0243a70\",\"addr\":\"0x7ffff00021a0\","
	    "\"size\":48,\"cache\":\"umem_alloc_48\",\"time\":1006,"
	    "\"thread\":1001,\"stack\":[");
	session_expect(&s, "freedby 3",
	    "note: no free buffer was last touched by thread LWP 3\n");
}
END_TEST

/* ------------------------------------------------------------------- ages */

START_TEST(ages_count_from_the_newest_transaction)
{
	session_expect(&s, "stat -by-age",
	    "AGE                BUFFERS         BYTES     SUM\n"
	    "less than 1 ms           5           210     210\n"
	    "5 audited buffers of 210 bytes; ages count from the newest "
	    "transaction\n");
}
END_TEST

START_TEST(ages_have_buckets_to_a_day)
{
	const taddr_t log =
	    DRAW_GET(&d, d.root, umem_root_t, root_log_transaction);
	const uint64_t second = 1000000000, day = 86400 * second;
	umem_bufctl_audit_t bc = *bufctl(5);

	bc.bc_timestamp = 2 * day;
	draw_record(&d, log, 3, 0, &bc);
	bufctl(0)->bc_timestamp = 1;
	bufctl(1)->bc_timestamp = day;
	bufctl(2)->bc_timestamp = 2 * day - 60 * second;
	bufctl(3)->bc_timestamp = 2 * day - 60 * second + 1;
	bufctl(4)->bc_timestamp = 2 * day;
	session_expect(&s, "umastat -by-age",
	    "AGE                BUFFERS         BYTES     SUM\n"
	    "less than 1 ms           1            44      44\n"
	    "1 ms to 10 ms            0             0       0\n"
	    "10 ms to 100 ms          0             0       0\n"
	    "100 ms to 1 s            0             0       0\n"
	    "1 s to 10 s              0             0       0\n"
	    "10 s to 1 min            1            43      43\n"
	    "1 min to 10 min          1            42      42\n"
	    "10 min to 1 h            0             0       0\n"
	    "1 h to 24 h              0             0       0\n"
	    "24 h and more            2            81      81\n"
	    "5 audited buffers of 210 bytes; ages count from the newest "
	    "transaction\n");
}
END_TEST

START_TEST(ages_as_json_have_every_bucket)
{
	session_find(&s, "stat -by-age -json",
	    "{\"type\":\"age\",\"least\":0,\"below\":1000000,\"buffers\":5,"
	    "\"bytes\":210},\n"
	    "{\"type\":\"age\",\"least\":1000000,\"below\":10000000,"
	    "\"buffers\":0,\"bytes\":0},\n");
	session_find(&s, "stat -by-age -json",
	    "{\"type\":\"age\",\"least\":86400000000000,\"below\":null,"
	    "\"buffers\":0,\"bytes\":0}\n],\"summary\":{\"buffers\":5,"
	    "\"bytes\":210,\"newest\":1006,\"oldest\":1000}}\n");
}
END_TEST

/* ---------------------------------------------------------------- history */

#define FREED "0x7ffff00021a0"

START_TEST(history_is_oldest_first)
{
	session_expect(&s, "log -b " FREED,
	    "T-0.000000001  alloc of 45 bytes at " FREED
	    ", cache umem_alloc_48, thread 1 (LWP 1001), record "
	    "0x7fffd0000140\n" FRAMES(
		"0x8") "\n"
		       "T-0.000000000  free of 48 bytes at " FREED
		       ", cache umem_alloc_48, thread 1 (LWP 1001), record "
		       "0x7fffd0000180\n" FRAMES("0x10"));
}
END_TEST

START_TEST(history_takes_an_address_inside_and_behind)
{
	static const char *const at[] = {
	    "0x7ffff00021a1", "0x7ffff00021cf", "0x7ffff00021d0"};
	char line[64];
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		snprintf(line, sizeof(line), "records -b %s -json", at[i]);
		session_find(&s, line, "\"summary\":{\"records\":2}}");
	}
}
END_TEST

START_TEST(history_as_lines)
{
	session_expect(&s, "umem_log -b " FREED,
	    "RECORD          BUFADDR                TIMESTAMP  OP       SIZE  "
	    "CACHE            KEPT  THREAD        CALLER\n"
	    "0x7fffd0000140  0x7ffff00021a0       0.000001005  alloc      45  "
	    "umem_alloc_48       -  1 (LWP 1001)  f0+0x8 in app\n"
	    "0x7fffd0000180  0x7ffff00021a0       0.000001006  free       48  "
	    "umem_alloc_48       -  1 (LWP 1001)  f0+0x10 in app\n");
}
END_TEST

/* A contents log of two chunks of 128 bytes with records in the first. */
static taddr_t
draw_contents(void)
{
	const taddr_t header = draw_log(&d, 2, 128);

	DRAW_SET(&d, header, umem_log_header_t, lh_recsize, 0);
	DRAW_SET(&d, d.root, umem_root_t, root_log_contents, header);
	return DRAW_GET(&d, header, umem_log_header_t, lh_base);
}

static taddr_t
put_contents(taddr_t at, taddr_t buf, uint64_t time, const char *bytes)
{
	const umem_contents_t ct = {
	    .ct_addr = buf, .ct_timestamp = time, .ct_size = strlen(bytes)};

	fake_put(d.tgt, at, &ct, sizeof(ct));
	fake_put(d.tgt, at + sizeof(ct), bytes, ct.ct_size);
	return at + sizeof(ct) + ((ct.ct_size + 7) & ~(uint64_t)7);
}

START_TEST(contents_stand_with_their_free)
{
	const taddr_t base = draw_contents();
	taddr_t at;

	at = put_contents(base, 0x7ffff0002010, 900, "another");
	put_contents(at, 0x7ffff00021a0, 1006, "the \1 contents of it");
	session_find(&s, "log -b " FREED,
	    FRAMES("0x10") "    20 bytes of its contents, kept at 0x7fffd");
	session_find(&s, "log -v -b " FREED,
	    ":\n"
	    "        +0000  74 68 65 20 01 20 63 6f  6e 74 65 6e 74 73 20 6f  "
	    "|the . contents o|\n"
	    "        +0010  66 20 69 74                                       "
	    "|f it|\n");
	session_find(&s, "log -v -b " FREED " -json",
	    "\"kept\":20,\"bytes\":\"7468652001"
	    "20636f6e74656e7473206f66206974\"");
}
END_TEST

START_TEST(contents_without_a_record_are_an_event)
{
	const taddr_t base = draw_contents();

	put_contents(base, 0x7ffff00021a0, 17, "old");
	session_find(&s, "log -b " FREED " -v",
	    "T-0.000000989  free at " FREED "; its record is lost\n"
	    "    3 bytes of its contents, kept at ");
	session_find(&s, "log -b " FREED " -json",
	    "{\"record\":null,\"addr\":\"" FREED "\",\"time\":17,"
	    "\"op\":\"free\",\"size\":null,\"cache\":null,\"contents\":");
	session_find(&s, "records -b " FREED " -t 1 -json",
	    "\"summary\":{\"records\":2}}");
}
END_TEST

START_TEST(contents_log_may_be_damaged)
{
	const taddr_t base = draw_contents();
	const taddr_t log =
	    DRAW_GET(&d, d.root, umem_root_t, root_log_contents);
	const umem_contents_t ct = {
	    .ct_addr = 1, .ct_timestamp = 1, .ct_size = UINT64_MAX - 3};

	fake_put(d.tgt, base, &ct, sizeof(ct));
	session_find(&s, "log -b " FREED,
	    "contents of 18446744073709551612 bytes do not fit into the "
	    "log\n");
	DRAW_SET(&d, log, umem_log_header_t, lh_nchunks, UINT64_MAX);
	umdb_invalidate(s.u);
	ck_assert_int_eq(session_run(&s, "log -b " FREED), UMDB_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(umdb_error(s.u), "contents log 0x7fff"));
}
END_TEST

START_TEST(without_a_log_the_bufctl_is_all_there_is)
{
	DRAW_SET(&d, d.root, umem_root_t, root_log_transaction, 0);
	session_expect(&s, "log -b " FREED,
	    "T-0.000000000  free of 48 bytes at " FREED
	    ", cache umem_alloc_48, thread 1 (LWP 1001), record "
	    "0x7fffe0243a70\n" FRAMES("0x10") "note: the transaction log is "
					      "off: only the last transaction "
					      "is known\n");
	session_fail(&s, "log -b 0x7ffff0000000", UMDB_ENOTFOUND,
	    "log: nothing was recorded of 0x7ffff0000000: run the program "
	    "with UMEM_DEBUG=default and UMEM_LOGGING=transaction,contents");
}
END_TEST

START_TEST(history_can_be_filtered_and_cut)
{
	session_find(&s, "records -b " FREED " -n 1 -json",
	    "\"time\":1006,\"op\":\"free\"");
	session_find(&s, "records -b " FREED " -n 1 -json",
	    "\"summary\":{\"records\":1}}");
	session_expect(
	    &s, "log -b " FREED " -c f9", "none of 2 transactions matches\n");
	session_expect(
	    &s, "log -b " FREED " -l 1004", "none of 2 transactions matches\n");
	session_expect(&s, "log -b 0x10", "nothing is known of 0x10\n");
	session_fail(&s, "records -b 0x10 slab", UMDB_EUSAGE,
	    "records: -b is about transactions, not the log slab; usage: "
	    "umem records [-n N] [-b ADDR] [-c FUNCTION] [-e TIME] [-l TIME] "
	    "[-t THREAD] [transaction|fail|slab|ADDR]");
}
END_TEST

/* ---------------------------------------------------------------- filters */

static void
expect_records(const char *options, unsigned n)
{
	char line[80], want[40];

	snprintf(line, sizeof(line), "records %s -json", options);
	snprintf(want, sizeof(want), "\"records\":%u,", n);
	session_find(&s, line, want);
}

START_TEST(logs_can_be_filtered)
{
	expect_records("", 7);
	expect_records("-t 1", 7);
	expect_records("-t 2", 0);
	expect_records("-c f0", 7);
	expect_records("-c f9", 0);
	expect_records("-e 1002 -l 1004", 3);
	expect_records("-e 1002 -l 1004 -n 2", 2);
	expect_records("-e T-0.000000002", 3);
	expect_records("-l T-0.000000005", 2);
	expect_records("-e T-1", 7);
	expect_records("-e 0.000001006", 1);
	session_expect(
	    &s, "log -t 9", "no record of the transaction log matches\n");
	session_find(&s, "log -l 1000", "T-0.000000006  alloc");
	session_fail(&s, "log -e T-x", UMDB_EUSAGE,
	    "log: a time is nanoseconds, seconds with a point, or T-seconds, "
	    "not T-x; usage: umem log [-n N] [-b ADDR [-v]] [-c FUNCTION] "
	    "[-e TIME] [-l TIME] [-t THREAD] [transaction|fail|slab]");
	session_fail(&s, "records -e 99999999999999999999.5", UMDB_EUSAGE,
	    "records: a time is nanoseconds, seconds with a point, or "
	    "T-seconds, not 99999999999999999999.5; usage: umem records [-n N] "
	    "[-b ADDR] [-c FUNCTION] [-e TIME] [-l TIME] [-t THREAD] "
	    "[transaction|fail|slab|ADDR]");
}
END_TEST

START_TEST(one_record_by_its_address)
{
	session_expect(&s, "umem_log 0x7fffd0000180",
	    "RECORD          BUFADDR                TIMESTAMP  OP       SIZE  "
	    "THREAD        CALLER\n"
	    "0x7fffd0000180  0x7ffff00021a0       0.000001006  free       48  "
	    "1 (LWP 1001)  f0+0x10 in app\n");
	session_expect(&s, "umem_log 0x7fffd0000180 -t 7", "");
	session_fail(&s, "umem_log 0x10", UMDB_ENOTFOUND,
	    "umem_log: 0x10 is no bufctl, log record or audited buffer");
}
END_TEST

START_TEST(bufctl_audit_is_the_whole_record)
{
	session_expect(&s, "bufctl_audit 0x7ffff0002010",
	    "    alloc of 40 bytes at 0x7ffff0002010, cache umem_alloc_48\n"
	    "    by thread 1 (LWP 1001) at 0.000001000, record "
	    "0x7fffe0243930\n"
	    "    last log record 0x7fffd0000000, contents 0x0\n" FRAMES("0x8"));
}
END_TEST

Suite *
test_dcmd_users_suite(void)
{
	Suite *suite = suite_create("dcmd users");
	TCase *tc;

	tc = tcase_create("users");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, users_of_one_size_and_stack_are_a_group);
	tcase_add_test(tc, small_groups_are_counted_and_shown_with_e);
	tcase_add_test(tc, users_are_sorted_by_bytes);
	tcase_add_test(tc, depth_counts_when_stacks_are_compared);
	tcase_add_test(tc, users_f_lists_every_allocation_first);
	tcase_add_test(tc, users_as_json);
	tcase_add_test(tc, named_cache_without_records_is_said_to_have_none);
	tcase_add_test(tc, without_any_audited_cache_it_is_an_error);
	tcase_add_test(tc, record_of_another_buffer_is_damage_and_not_counted);
	tcase_add_test(tc, unreadable_records_are_damage_and_not_counted);
	tcase_add_test(
	    tc, records_whose_trace_is_damaged_are_damage_and_not_counted);
	tcase_add_test(tc, buffers_without_a_sound_record_are_not_denied);
	tcase_add_test(
	    tc, whatis_and_bufctl_say_that_a_record_is_not_the_buffers_own);
	tcase_add_test(tc, allocdby_is_newest_first);
	tcase_add_test(tc, number_of_gdb_goes_before_an_lwp);
	tcase_add_test(tc, freedby_finds_only_free_buffers);
	suite_add_tcase(suite, tc);

	tc = tcase_create("ages");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ages_count_from_the_newest_transaction);
	tcase_add_test(tc, ages_have_buckets_to_a_day);
	tcase_add_test(tc, ages_as_json_have_every_bucket);
	suite_add_tcase(suite, tc);

	tc = tcase_create("history");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, history_is_oldest_first);
	tcase_add_test(tc, history_takes_an_address_inside_and_behind);
	tcase_add_test(tc, history_as_lines);
	tcase_add_test(tc, contents_stand_with_their_free);
	tcase_add_test(tc, contents_without_a_record_are_an_event);
	tcase_add_test(tc, contents_log_may_be_damaged);
	tcase_add_test(tc, without_a_log_the_bufctl_is_all_there_is);
	tcase_add_test(tc, history_can_be_filtered_and_cut);
	tcase_add_test(tc, logs_can_be_filtered);
	tcase_add_test(tc, one_record_by_its_address);
	tcase_add_test(tc, bufctl_audit_is_the_whole_record);
	suite_add_tcase(suite, tc);
	return suite;
}
