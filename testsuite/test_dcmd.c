/* SPDX-License-Identifier: MIT */
/*
 * test_dcmd.c - the table of commands, its parser, and each command's rows
 *
 * Layer: test of gdbext/dcmd*.c, through a session on a drawn heap.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd.h"
#include "session.h"
#include "suites.h"

#define MANUAL "doc/umem_gdb.1"

/* ----------------------------------------------------------------- table */

START_TEST(names_and_aliases_are_unique)
{
	size_t i, k;

	for (i = 0; i < ndcmd; i++) {
		ck_assert_ptr_eq(dcmd_find(dcmds[i].name), &dcmds[i]);
		for (k = i + 1; k < ndcmd; k++) {
			ck_assert_str_ne(dcmds[i].name, dcmds[k].name);
			if (dcmds[i].alias != NULL && dcmds[k].alias != NULL)
				ck_assert_str_ne(
				    dcmds[i].alias, dcmds[k].alias);
		}
	}
	ck_assert_ptr_null(dcmd_find("nosuch"));
	ck_assert_ptr_eq(dcmd_find("umalog"), dcmd_find("log"));
}
END_TEST

START_TEST(every_option_is_in_usage_and_help)
{
	const char *o;
	char word[8];
	size_t i;

	for (i = 0; i < ndcmd; i++) {
		ck_assert_ptr_nonnull(dcmds[i].run);
		ck_assert_ptr_nonnull(dcmds[i].help);
		ck_assert_ptr_nonnull(dcmds[i].summary);
		ck_assert_int_eq(
		    dcmds[i].summary[strlen(dcmds[i].summary) - 1], '.');
		for (o = dcmds[i].options ? dcmds[i].options : ""; *o; o++) {
			if (*o == ':')
				continue;
			snprintf(word, sizeof(word), "-%c", *o);
			ck_assert_msg(strstr(dcmds[i].usage, word) != NULL,
			    "%s: usage lacks %s", dcmds[i].name, word);
			snprintf(word, sizeof(word), "  -%c", *o);
			ck_assert_msg(strstr(dcmds[i].help, word) != NULL,
			    "%s: help lacks %s", dcmds[i].name, word);
		}
	}
}
END_TEST

START_TEST(every_command_and_option_is_in_the_manual)
{
	static char page[1u << 17];
	char want[64], *at, *end;
	const char *o;
	FILE *f = fopen(MANUAL, "r");
	size_t i;

	ck_assert_msg(f != NULL, "%s cannot be read", MANUAL);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	for (i = 0; i < ndcmd; i++) {
		snprintf(want, sizeof(want), "\n.Ss umem %s\n", dcmds[i].name);
		at = strstr(page, want);
		ck_assert_msg(
		    at != NULL, "umem %s has no section", dcmds[i].name);
		end = strstr(at + 1, "\n.Ss ");
		if (end != NULL)
			*end = '\0';
		for (o = dcmds[i].options ? dcmds[i].options : ""; *o; o++) {
			snprintf(want, sizeof(want), ".It Fl %c", *o);
			ck_assert_msg(*o == ':' || strstr(at, want) != NULL,
			    "umem %s: -%c has no paragraph", dcmds[i].name, *o);
		}
		for (o = dcmds[i].longs ? dcmds[i].longs : ""; *o; o++) {
			snprintf(want, sizeof(want), ".It Fl %.*s\n",
			    (int)strcspn(o, " "), o);
			ck_assert_msg(strstr(at, want) != NULL,
			    "umem %s: %s has no paragraph", dcmds[i].name,
			    want);
			o += strcspn(o, " ") + 2; /* its letter */
			if (*o == '\0')
				break;
		}
		ck_assert_msg(strstr(at, "JSON") != NULL,
		    "umem %s: its JSON is not described", dcmds[i].name);
		if (end != NULL)
			*end = '\n';
	}
}
END_TEST

/* Whether the table has the option that WORD, without its dash, spells. */
static bool
option_in_table(const struct dcmd *d, const char *word)
{
	const size_t len = strcspn(word, " \n");
	const char *longs = d->longs ? d->longs : "", *at = longs;

	if (len == 1)
		return *word != ':' && d->options != NULL &&
		       strchr(d->options, *word) != NULL;
	if (d->flags & DCMD_PROFILE && (strncmp(word, "folded ", 7) == 0 ||
					   strncmp(word, "pprof ", 6) == 0 ||
					   strncmp(word, "html ", 5) == 0))
		return true;
	for (; *at != '\0'; at++)
		if ((at == longs || at[-1] == ' ') &&
		    strncmp(at, word, len) == 0 && at[len] == ' ')
			return true;
	return false;
}

START_TEST(manual_has_no_option_that_is_not_there)
{
	static char page[1u << 17];
	char name[64];
	const struct dcmd *d = NULL;
	FILE *f = fopen(MANUAL, "r");
	char *line, *at;
	size_t n = 0;

	ck_assert_msg(f != NULL, "%s cannot be read", MANUAL);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	for (line = page; line != NULL; line = strchr(line + 1, '\n')) {
		if (strncmp(line, "\n.Sh ", 5) == 0)
			d = NULL;
		if (sscanf(line, "\n.Ss umem %63s", name) == 1)
			d = dcmd_find(name);
		if (d == NULL || (strncmp(line, "\n.It Fl ", 8) != 0 &&
				     strncmp(line, "\n.Op Fl ", 8) != 0))
			continue;
		for (at = line; (at = strstr(at, "Fl ")) != NULL &&
				at < line + 1 + strcspn(line + 1, "\n");
		     at += 3, n++)
			ck_assert_msg(option_in_table(d, at + 3),
			    "umem %s has no option of the manual's line%.*s",
			    d->name, (int)strcspn(line + 1, "\n") + 1, line);
	}
	ck_assert_uint_gt(n, 60);
}
END_TEST

/* ---------------------------------------------------------------- parser */

static struct dcmd_line line;
static struct umdb_error err;

static void
teardown_line(void)
{
	dcmd_line_free(&line);
}

START_TEST(options_may_be_joined_and_stand_anywhere)
{
	ck_assert_int_eq(
	    dcmd_parse("bufctl -vh 0x10 -a 5 -t7 -json", &line, &err), UMDB_OK);
	ck_assert_ptr_eq(line.dcmd, dcmd_find("bufctl"));
	ck_assert_int_eq(line.args.argc, 1);
	ck_assert_str_eq(line.args.argv[0], "0x10");
	ck_assert_str_eq(line.args.opt['v'], "");
	ck_assert_str_eq(line.args.opt['h'], "");
	ck_assert_str_eq(line.args.opt['a'], "5");
	ck_assert_str_eq(line.args.opt['t'], "7");
	ck_assert_ptr_null(line.args.opt['c']);
	ck_assert(line.json);
}
END_TEST

START_TEST(quotes_and_backslashes_keep_blanks)
{
	ck_assert_int_eq(
	    dcmd_parse("  whatis 'a  b' \"c \\\" d\" e\\ f ''", &line, &err),
	    UMDB_OK);
	ck_assert_int_eq(line.args.argc, 4);
	ck_assert_str_eq(line.args.argv[0], "a  b");
	ck_assert_str_eq(line.args.argv[1], "c \" d");
	ck_assert_str_eq(line.args.argv[2], "e f");
	ck_assert_str_eq(line.args.argv[3], "");
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
	ck_assert_int_eq(
	    dcmd_parse("whatis -- -v -json", &line, &err), UMDB_OK);
	ck_assert_int_eq(line.args.argc, 2);
	ck_assert_str_eq(line.args.argv[0], "-v");
	ck_assert(!line.json);
}
END_TEST

START_TEST(lone_dash_is_an_argument)
{
	ck_assert_int_eq(dcmd_parse("whatis p - 8", &line, &err), UMDB_OK);
	ck_assert_int_eq(line.args.argc, 3);
}
END_TEST

START_TEST(json_is_known_even_of_a_line_that_is_wrong)
{
	ck_assert_int_eq(
	    dcmd_parse("nosuch -x -json", &line, &err), UMDB_EUSAGE);
	ck_assert(line.json);
	ck_assert_str_eq(line.name, "umem");
	ck_assert_str_eq(
	    err.msg, "there is no command nosuch; \"help umem\" lists them");
}
END_TEST

START_TEST(usage_errors_are_one_sentence_with_the_usage)
{
	static const struct {
		const char *line, *msg;
	} c[] = {
	    {"", "which command? \"help umem\" lists them"},
	    {"status x", "x is too much; usage: umem status"},
	    {"cache -q",
		"there is no option -q; usage: umem cache [-a] [NAME|ADDR]"},
	    {"cache -:",
		"there is no option -:; usage: umem cache [-a] [NAME|ADDR]"},
	    {"cache a b", "b is too much; usage: umem cache [-a] [NAME|ADDR]"},
	    {"whatis",
		"an address is missing; usage: umem whatis [-q] [-v] [-a] "
		"[-i] [-k] ADDR"},
	    {"malloc_dist -b", "option -b needs a value; usage: umem "
			       "malloc_dist [-d] [-g] [-b N] [-B N]"},
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		ck_assert_int_eq(
		    dcmd_parse(c[i].line, &line, &err), UMDB_EUSAGE);
		ck_assert_str_eq(err.msg, c[i].msg);
		dcmd_line_free(&line);
	}
}
END_TEST

/* -------------------------------------------------------------- commands */

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

START_TEST(status_shows_what_is_in_force)
{
	fake_put(d.tgt, d.root + offsetof(umem_root_t, root_env_debug),
	    "default", 8);
	session_expect(&s, "status",
	    "Status:         ready and active\n"
	    "Release:        umem 0.1.0, layout 3\n"
	    "Process:        1001, read from debugger\n"
	    "UMEM_DEBUG:     default\n"
	    "UMEM_LOGGING:   (not set)\n"
	    "UMEM_OPTIONS:   (not set)\n"
	    "Flags:          audit deadbeef redzone\n"
	    "Stack depth:    4\n"
	    "Logs:           transaction=16K (7 records)\n"
	    "Memory:         21M from the system: heap 4M, structures 16M "
	    "(stacks 88), logs 1M\n"
	    "In use:         18 buffers, 103K\n"
	    "Message buffer: empty\n");
}
END_TEST

START_TEST(status_shows_the_fault_and_the_messages_oldest_first)
{
	taddr_t msg = draw_meta(&d, 16);

	/* 20 bytes were written into 16: "line" is partly overwritten */
	fake_put(d.tgt, msg, "two\none\nline\nthr", 16);
	DRAW_SET(&d, d.root, umem_root_t, root_msg, msg);
	DRAW_SET(&d, d.root, umem_root_t, root_msg_size, 16);
	DRAW_SET(&d, d.root, umem_root_t, root_msg_written, 20);
	DRAW_SET(&d, d.root, umem_root_t, root_abort.ab_timestamp, 5);
	DRAW_SET(&d, d.root, umem_root_t, root_abort.ab_error, 2);
	DRAW_SET(&d, d.root, umem_root_t, root_abort.ab_buffer, 0x1234);
	DRAW_SET(&d, d.root, umem_root_t, root_abort.ab_thread, 1001);
	session_find(&s, "status",
	    "Fault:          freed twice\n"
	    "                buffer 0x1234 of ?, thread 1 (LWP 1001)\n"
	    "Message buffer:\n"
	    "one\n"
	    "line\n"
	    "thrtwo\n");
}
END_TEST

START_TEST(status_of_a_process_without_umem_says_so_and_succeeds)
{
	fake_break(d.tgt, DRAW_LIB, 0x1000);
	fake_break(d.tgt, d.root, sizeof(umem_root_t));
	session_find(&s, "status", "Status:         not readable: ");
	session_find(&s, "status -json", "{\"status\":\"not readable\",");
}
END_TEST

START_TEST(damaged_message_buffer_is_a_note)
{
	DRAW_SET(&d, d.root, umem_root_t, root_msg_size, 1ull << 40);
	DRAW_SET(&d, d.root, umem_root_t, root_msg_written, 1);
	session_find(&s, "status",
	    "note: the message buffer claims 1099511627776 bytes\n");
}
END_TEST

START_TEST(stat_counts_each_buffer_where_it_lies)
{
	session_expect(&s, "stat",
	    "THREAD            BUFFERS  CACHED  % OF LIMIT\n"
	    "1 (LWP 1001)            6     384           -\n"
	    "\n"
	    "CACHE          BUFSIZE  INUSE  THREAD  DEPOT  SLAB  TOTAL  "
	    "MEMORY  ALLOCS  FAIL\n"
	    "umem_alloc_64       64     11       6      4    99    120      "
	    "8K      21     0\n"
	    "umem_alloc_48       48      5       0      0    15     20      "
	    "4K       6     0\n"
	    "umem_oversize        -      2       0      0     0      2    "
	    "108K       2     0\n"
	    "\n"
	    "ARENA             INUSE  TOTAL  IMPORT  ALLOCS  FAIL\n"
	    "umem_heap          120K     4M       0       2     0\n"
	    "    umem_default    12K    12K       0       1     0\n");
}
END_TEST

START_TEST(stat_ends_when_arenas_are_their_own_parents)
{
	DRAW_SET(&d, d.heap_arena, vmem_t, vm_source, d.last_arena);
	ck_assert_int_eq(session_run(&s, "stat"), UMDB_OK);
	ck_assert_ptr_nonnull(strstr(s.text, "umem_heap"));
	ck_assert_ptr_nonnull(strstr(s.text, "umem_default"));
}
END_TEST

START_TEST(cache_takes_a_name_or_an_address)
{
	char want[128];

	snprintf(want, sizeof(want), "cache 0x%llx",
	    (unsigned long long)draw_cache_addr(&d, "umem_alloc_48"));
	session_find(&s, "cache umem_alloc_48",
	    "umem_alloc_48  0x2007    0x0       48     80       20      5\n"
	    "flags: audit deadbeef redzone malloc\n"
	    "buffers: 5 in use; free: 0 in thread caches, 0 in the depot, 15 "
	    "in slabs\n");
	session_find(&s, want, "umem_alloc_48");
	session_fail(&s, "umem_cache nosuch", UMDB_ENOTFOUND,
	    "umem_cache: there is no cache named nosuch");
}
END_TEST

START_TEST(verify_says_which_caches_have_no_guards)
{
	ck_assert_int_eq(session_run(&s, "verify"), UMDB_OK);
	ck_assert_ptr_nonnull(strstr(s.text, "        0  no guards\n"));
	ck_assert_ptr_nonnull(strstr(s.text, "       20  clean\n"));
	ck_assert_uint_eq(s.found, 0);
}
END_TEST

START_TEST(verify_describes_and_counts_damage)
{
	taddr_t buf = DRAW_HEAP + 0x2010; /* 40 bytes of umem_alloc_48 */

	DRAW_SET(&d, d.root, umem_root_t, root_maxverify, 4096);
	*(unsigned char *)fake_at(d.tgt, buf + 40, 1) = 'X';
	session_find(&s, "verify", "1 corrupt buffer\n");
	ck_assert_uint_eq(s.found, 1);
	ck_assert_ptr_nonnull(
	    strstr(s.text, "Summary for cache 'umem_alloc_48'\n  buffer "
			   "0x7ffff0002010 (allocated, 40 bytes) was written "
			   "past its end: "));
	session_find(&s, "verify -v umem_alloc_48", "        f0+0x8 in app\n");
	session_find(&s, "verify -json",
	    "\"kind\":\"redzone\",\"buffer\":\"0x7ffff0002010\","
	    "\"at\":\"0x7ffff0002038\",\"allocated\":true,"
	    "\"expected\":\"0xbb\",\"found\":\"0x58\"");
	session_find(&s, "verify -json", "\"corrupt\":1,\"unguarded\":2");
}
END_TEST

START_TEST(log_is_newest_first_with_stacks)
{
	session_expect(&s, "umalog -n 2",
	    "TIME           OP     ADDR              SIZE  CACHE            "
	    "THREAD\n"
	    "T-0.000000000  free   0x7ffff00021a0      48  umem_alloc_48    "
	    "1 (LWP 1001)\n"
	    "        f0+0x10 in app\n"
	    "        f1+0x10 in app\n"
	    "        f2+0 in app\n"
	    "        f3+0 in app\n"
	    "\n"
	    "T-0.000000001  alloc  0x7ffff00021a0      45  umem_alloc_48    "
	    "1 (LWP 1001)\n"
	    "        f0+0x8 in app\n"
	    "        f1+0x8 in app\n"
	    "        f2+0 in app\n"
	    "        f3+0 in app\n"
	    "\n");
}
END_TEST

START_TEST(log_that_is_off_is_an_error_that_says_how_to_turn_it_on)
{
	session_fail(&s, "umalog fail", UMDB_ENOTFOUND,
	    "umalog: the fail log is off: run the program with "
	    "UMEM_LOGGING=fail");
	session_fail(&s, "log nosuch", UMDB_EUSAGE,
	    "log: there is no log nosuch; usage: umem log [-n N] [-b ADDR "
	    "[-v]] [-c FUNCTION] [-e TIME] [-l TIME] [-t THREAD] "
	    "[transaction|fail|slab]");
}
END_TEST

START_TEST(records_are_one_line_each)
{
	session_expect(&s, "umem_log -n1",
	    "RECORD          BUFADDR                TIMESTAMP  OP       SIZE  "
	    "THREAD        CALLER\n"
	    "0x7fffd0000180  0x7ffff00021a0       0.000001006  free       48  "
	    "1 (LWP 1001)  f0+0x10 in app\n");
}
END_TEST

START_TEST(bufctl_takes_a_buffer_an_inside_or_a_log_record)
{
	static const char want[] = "0x7ffff0002010  alloc      40       "
				   "0.000001000  1 (LWP 1001)  f0+0x8 in app\n";

	session_find(&s, "bufctl 0x7ffff0002010", want);
	session_find(&s, "bufctl 0x7ffff0002018", want);
	session_find(&s, "bufctl 0x7fffd0000000", want);
	session_find(&s, "bufctl 0x7fffd0000010", want);
	session_fail(&s, "bufctl 0x10", UMDB_ENOTFOUND,
	    "bufctl: 0x10 is no bufctl, log record or audited buffer");
}
END_TEST

START_TEST(bufctl_follows_the_history)
{
	session_find(&s, "bufctl -h -v 0x7ffff00021a0",
	    "    free of 48 bytes at 0x7ffff00021a0, cache umem_alloc_48\n");
	ck_assert_ptr_nonnull(
	    strstr(s.text, "\n    alloc of 45 bytes at 0x7ffff00021a0, cache "
			   "umem_alloc_48\n"));
}
END_TEST

START_TEST(bufctl_filters_records)
{
	static const char *const none[] = {"-c f9", "-e 2000", "-l 999",
	    "-l T-9", "-e 0.1", "-t 7", "-a 0x7ffff0002060"};
	static const char *const one[] = {"-c f0", "-c f3", "-e 1000", "-e 0",
	    "-l 0", "-l 1000", "-l 0.000001", "-t 1", "-t 1001",
	    "-a 0x7ffff0002010"};
	char command[80];
	size_t i;

	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		snprintf(command, sizeof(command), "bufctl 0x7ffff0002010 %s",
		    none[i]);
		session_expect(&s, command, "");
	}
	for (i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		snprintf(command, sizeof(command), "bufctl 0x7ffff0002010 %s",
		    one[i]);
		session_find(&s, command, "0x7ffff0002010  alloc");
	}
	session_fail(&s, "bufctl 1 -e 1.2.3", UMDB_EUSAGE,
	    "bufctl: a time is nanoseconds, seconds with a point, or "
	    "T-seconds, not 1.2.3; usage: umem bufctl ADDR [-v] [-h] [-a ADDR] [-c "
	    "FUNCTION] [-e TIME] [-l TIME] [-t THREAD]");
}
END_TEST

START_TEST(whatis_names_things)
{
	session_expect(&s, "whatis 0x7ffff0000008",
	    "0x7ffff0000008 is 0x7ffff0000000+0x8, allocated from "
	    "umem_alloc_64, 64 bytes or less\n");
	session_find(&s, "whatis 0x7ffff0002010",
	    "0x7ffff0002010 is allocated from umem_alloc_48, 40 bytes asked "
	    "for\n    alloc of 40 bytes");
	session_expect(&s, "whatis f2", "0x555555555200 is f2, in /bin/app\n");
	session_expect(
	    &s, "whatis f2 + 8", "0x555555555200 is f2, in /bin/app\n");
	session_expect(&s, "whatis 0x10", "0x10 is unknown\n");
	session_find(&s, "whatis -json 0x10",
	    "{\"addr\":\"0x10\",\"kind\":\"unknown\",");
	session_fail(&s, "whatis nosuch", UMDB_EUSAGE,
	    "whatis: nosuch is not an address or an expression that gives "
	    "one");
}
END_TEST

START_TEST(print_takes_all_arguments_of_a_template_for_its_type)
{
	session_find(&s,
	    "print 0x7ffff0002010 ns::Pair<int, ns::Box<long> > first",
	    "<output (*(ns::Pair<int, ns::Box<long> > *) 0x7ffff0002010)"
	    ".first>");
	session_find(&s, "print 0x7ffff0002010 ns::Box<long> 'a < b'",
	    "<output (*(ns::Box<long> *) 0x7ffff0002010).a < b>");
}
END_TEST

START_TEST(whatis_gives_the_start_of_a_symbol)
{
	session_expect(&s, "whatis 0x555555555208 | whatis",
	    "0x555555555200 is f2, in /bin/app\n");
	session_find(&s, "whatis 0x555555555208 -json",
	    "\"kind\":\"mapping\",\"base\":\"0x555555555200\",\"offset\":8,"
	    "\"size\":null,");
	session_find(&s, "whatis 0x555555555208 -json", "\"symbol\":\"f2\"");
}
END_TEST

START_TEST(whatis_tells_free_buffers_by_where_they_lie)
{
	session_expect(&s, "whatis 0x7ffff0000280",
	    "0x7ffff0000280 is a free buffer of umem_alloc_64, in its "
	    "depot\n");
	session_expect(&s, "whatis 0x7ffff0000380",
	    "0x7ffff0000380 is a free buffer of umem_alloc_64, in the cache "
	    "of thread 1 (LWP 1001)\n");
	session_expect(&s, "whatis 0x7ffff0000500",
	    "0x7ffff0000500 is a free buffer of umem_alloc_64, in its "
	    "slab\n");
}
END_TEST

/* Let the program's data point to all buffers of umem_alloc_64. */
static void
keep_plain(void)
{
	unsigned i;

	for (i = 0; i < 10; i++)
		fake_put64(d.tgt, DRAW_APP_DATA + 8 * i, DRAW_HEAP + 64 * i);
	fake_put64(d.tgt, DRAW_APP_DATA + 8 * i, DRAW_HEAP + 0x1000);
}

START_TEST(findleaks_groups_by_kind_cache_and_stack)
{
	keep_plain();
	fake_put64(d.tgt, DRAW_APP_DATA + 0x100, DRAW_HEAP + 0x2068);
	session_expect(&s, "findleaks",
	    "Definitely lost: nothing points to it\n"
	    "    BYTES  CACHE          LEAKED  BUFCTL          CALLER\n"
	    "      169  umem_alloc_48       4  0x7fffe0243930  f0+0x8 in app\n"
	    "\n"
	    "    BYTES  CACHE          LEAKED  BUFFER          CALLER\n"
	    "   105000  umem_oversize       2  0x7ffff0003000  ?\n"
	    "----------------------------------------------------------------"
	    "------\n"
	    "   105169  Total 6 buffers\n"
	    "\n"
	    "Possibly lost: only pointers into its inside\n"
	    "    BYTES  CACHE          LEAKED  BUFCTL          CALLER\n"
	    "       41  umem_alloc_48       1  0x7fffe0243970  f0+0x8 in app\n"
	    "----------------------------------------------------------------"
	    "------\n"
	    "       41  Total 1 buffer\n"
	    "note: no stacks were recorded for some of these: run the program "
	    "with UMEM_DEBUG=audit, or default, to learn who allocated them\n"
	    "note: pointers that the program masks, compresses or stores "
	    "unaligned are not seen\n");
	ck_assert_uint_eq(s.found, 7);
}
END_TEST

START_TEST(findleaks_shows_only_groups_with_the_function)
{
	keep_plain();
	session_find(&s, "findleaks f1", "210  umem_alloc_48       5");
	ck_assert_uint_eq(s.found, 5);
	session_expect(
	    &s, "findleaks f9", "no memory leaks matching f9 found\n");
	ck_assert_uint_eq(s.found, 0);
	session_find(&s, "findleaks 0x555555555108", "umem_alloc_48");
}
END_TEST

START_TEST(findleaks_says_that_a_coroutines_stack_counts_as_a_whole)
{
	const taddr_t at = DRAW_APP_DATA + 0x4000, lo = DRAW_APP_DATA + 0x8000;

	keep_plain();
	fake_put64(d.tgt, at + 16, lo);
	fake_put64(d.tgt, at + 32, 0x4000);
	fake_put64(d.tgt, at + 20 * 8, lo + 0x3f00);
	fake_put64(d.tgt, at + 21 * 8, DRAW_TEXT + 0x100);
	fake_put64(d.tgt, at + 28 * 8, at + 424);
	session_find(&s, "findleaks",
	    "note: 1 stack of coroutines counts as a whole: where the "
	    "coroutine stopped is not known; old pointers there may hide "
	    "leaks\n");
}
END_TEST

START_TEST(findleaks_details_name_the_oldest_of_each_group)
{
	keep_plain();
	session_find(&s, "findleaks -d f0",
	    "\numem_alloc_48 leak (definite): 5 buffers, 40-44 bytes each, "
	    "210 bytes total\n"
	    "    alloc of 40 bytes at 0x7ffff0002010, cache umem_alloc_48\n"
	    "    by thread 1 (LWP 1001) at 0.000001000, record "
	    "0x7fffe0243930\n"
	    "    last log record 0x7fffd0000000, contents 0x0\n"
	    "        f0+0x8 in app\n");
}
END_TEST

START_TEST(findleaks_lists_every_buffer_in_json)
{
	keep_plain();
	session_find(&s, "findleaks -json f0",
	    "\"buffers\":["
	    "{\"addr\":\"0x7ffff0002010\",\"size\":40,\"thread\":1001,"
	    "\"time\":1000},"
	    "{\"addr\":\"0x7ffff0002060\",\"size\":41,\"thread\":1001,"
	    "\"time\":1001},"
	    "{\"addr\":\"0x7ffff00020b0\",\"size\":42,\"thread\":1001,"
	    "\"time\":1002},"
	    "{\"addr\":\"0x7ffff0002100\",\"size\":43,\"thread\":1001,"
	    "\"time\":1003},"
	    "{\"addr\":\"0x7ffff0002150\",\"size\":44,\"thread\":1001,"
	    "\"time\":1004}]}\n"
	    "],\"summary\":{\"buffers\":5,\"bytes\":210,\"definite\":5,"
	    "\"indirect\":0,\"possible\":0,");
}
END_TEST

START_TEST(findleaks_keeps_its_result_until_told_otherwise)
{
	session_find(&s, "findleaks -v", "findleaks: 18 allocated buffers");
	ck_assert_ptr_null(strstr(s.text, "the last search"));
	keep_plain();
	session_find(&s, "findleaks -v", "the result of the last search");
	ck_assert_uint_eq(s.found, 18);
	session_find(&s, "findleaks -f -v", "findleaks: 18 allocated");
	ck_assert_ptr_null(strstr(s.text, "the last search"));
}
END_TEST

START_TEST(damage_is_noted_below_every_answer)
{
	taddr_t slab = fake_get64(d.tgt,
	    d.leaf + offsetof(umem_pmleaf_t, pl_slab) +
		8 * ((DRAW_HEAP >> UMEM_PAGE_SHIFT) % UMEM_PM_LEAF_PAGES));

	DRAW_SET(&d, slab, umem_slab_t, slab_chunks, 1u << 30);
	session_find(&s, "cache", "note: damage at 0x");
	session_find(&s, "stat -json", "\"notes\":[\"damage at 0x");
}
END_TEST

Suite *
test_dcmd_suite(void)
{
	Suite *suite = suite_create("dcmd");
	TCase *t = tcase_create("table"), *p = tcase_create("parser");
	TCase *c = tcase_create("commands");

	tcase_add_test(t, names_and_aliases_are_unique);
	tcase_add_test(t, every_option_is_in_usage_and_help);
	tcase_add_test(t, every_command_and_option_is_in_the_manual);
	tcase_add_test(t, manual_has_no_option_that_is_not_there);
	suite_add_tcase(suite, t);
	tcase_add_checked_fixture(p, NULL, teardown_line);
	tcase_add_test(p, options_may_be_joined_and_stand_anywhere);
	tcase_add_test(p, quotes_and_backslashes_keep_blanks);
	tcase_add_test(p, two_dashes_end_the_options);
	tcase_add_test(p, lone_dash_is_an_argument);
	tcase_add_test(p, json_is_known_even_of_a_line_that_is_wrong);
	tcase_add_test(p, usage_errors_are_one_sentence_with_the_usage);
	suite_add_tcase(suite, p);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, status_shows_what_is_in_force);
	tcase_add_test(c, status_shows_the_fault_and_the_messages_oldest_first);
	tcase_add_test(
	    c, status_of_a_process_without_umem_says_so_and_succeeds);
	tcase_add_test(c, damaged_message_buffer_is_a_note);
	tcase_add_test(c, stat_counts_each_buffer_where_it_lies);
	tcase_add_test(c, stat_ends_when_arenas_are_their_own_parents);
	tcase_add_test(c, cache_takes_a_name_or_an_address);
	tcase_add_test(c, verify_says_which_caches_have_no_guards);
	tcase_add_test(c, verify_describes_and_counts_damage);
	tcase_add_test(c, log_is_newest_first_with_stacks);
	tcase_add_test(
	    c, log_that_is_off_is_an_error_that_says_how_to_turn_it_on);
	tcase_add_test(c, records_are_one_line_each);
	tcase_add_test(c, bufctl_takes_a_buffer_an_inside_or_a_log_record);
	tcase_add_test(c, bufctl_follows_the_history);
	tcase_add_test(c, bufctl_filters_records);
	tcase_add_test(c, whatis_names_things);
	tcase_add_test(c, whatis_gives_the_start_of_a_symbol);
	tcase_add_test(c, print_takes_all_arguments_of_a_template_for_its_type);
	tcase_add_test(c, whatis_tells_free_buffers_by_where_they_lie);
	tcase_add_test(c, findleaks_groups_by_kind_cache_and_stack);
	tcase_add_test(c, findleaks_shows_only_groups_with_the_function);
	tcase_add_test(
	    c, findleaks_says_that_a_coroutines_stack_counts_as_a_whole);
	tcase_add_test(c, findleaks_details_name_the_oldest_of_each_group);
	tcase_add_test(c, findleaks_lists_every_buffer_in_json);
	tcase_add_test(c, findleaks_keeps_its_result_until_told_otherwise);
	tcase_add_test(c, damage_is_noted_below_every_answer);
	suite_add_tcase(suite, c);
	return suite;
}
