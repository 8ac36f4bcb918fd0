/* SPDX-License-Identifier: MIT */
/*
 * test_options.c - every token, every kind of bad value, and the manual
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "root.h"
#include "suites.h"
#include "util.h"
#include "vmem.h"

#define GUARDS (UMF_DEADBEEF | UMF_REDZONE)
#define KIB 1024ull
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)
#define TIB (1024ull * GIB)

/* What the program's own functions answer in the tests that want them to. */
static const char *program_debug;
const char *_umem_debug_init(void);

const char *
_umem_debug_init(void)
{
	return program_debug;
}

/* A text to parse, in the child whose stderr is looked at. */
struct text {
	const char *variable, *text;
};

static void
parse_in_child(void *arg)
{
	const struct text *t = arg;

	options_parse(t->variable, t->text);
}

/* says - parsing @text writes exactly @expected to stderr */
static void
says(const char *variable, const char *text, const char *expected)
{
	static struct capture cap;
	struct text t = {variable, text};

	capture_run(&cap, parse_in_child, &t);
	ck_assert_int_eq(cap.status, 0);
	ck_assert_str_eq(cap.text, expected);
}

/* flags_of - UMEM_DEBUG text alone gives exactly these flags */
static uint32_t
flags_of(const char *text)
{
	umem_root.root_flags = 0;
	options_parse("UMEM_DEBUG", text);
	return umem_root.root_flags;
}

START_TEST(debug_tokens_set_their_flags)
{
	ck_assert_uint_eq(
	    flags_of("default"), UMF_AUDIT | UMF_CONTENTS | GUARDS);
	ck_assert_uint_eq(flags_of("audit"), UMF_AUDIT | GUARDS);
	ck_assert_uint_eq(flags_of("contents"), UMF_CONTENTS);
	ck_assert_uint_eq(flags_of("guards"), GUARDS);
	ck_assert_uint_eq(
	    flags_of("nosignal"), UMF_AUDIT | UMF_CHECKSIGNAL | GUARDS);
	ck_assert_uint_eq(flags_of("lite"), UMF_LITE | GUARDS);
	ck_assert_uint_eq(flags_of("random"), UMF_RANDOMIZE);
	ck_assert_uint_eq(umem_settings.set_random, 1);
	ck_assert_uint_eq(flags_of("checknull"), UMF_CHECKNULL);
	ck_assert_uint_eq(flags_of("noabort"), 0);
	ck_assert_uint_eq(umem_settings.set_noabort, 1);
}
END_TEST

START_TEST(debug_tokens_set_their_values)
{
	ck_assert_uint_eq(umem_root.root_stack_depth, 15);
	options_parse("UMEM_DEBUG", "audit=32,contents=1k,maxverify=64");
	ck_assert_uint_eq(umem_root.root_stack_depth, 32);
	ck_assert_uint_eq(umem_root.root_contents, KIB);
	ck_assert_uint_eq(umem_root.root_maxverify, 64);
	options_parse("UMEM_DEBUG", "mtbf=100,audit,contents");
	ck_assert_uint_eq(umem_root.root_mtbf, 100);
	ck_assert_uint_eq(umem_root.root_stack_depth, 15);
	ck_assert_uint_eq(umem_root.root_contents, 256);
}
END_TEST

START_TEST(firewall_respects_its_least_size)
{
	ck_assert_uint_eq(umem_root.root_firewall, 0);
	ck_assert_uint_eq(umem_settings.set_firewall_align, 2);
	ck_assert_uint_eq(flags_of("firewall=4k"), UMF_FIREWALL);
	ck_assert_uint_eq(umem_root.root_firewall, 4096);
	ck_assert_uint_eq(flags_of("firewall,firewall=0"), 0);
	ck_assert_uint_eq(umem_root.root_firewall, 0);
	options_parse("UMEM_DEBUG", "firewall,firewall_align=16");
	ck_assert_uint_eq(umem_root.root_firewall, 1);
	ck_assert_uint_eq(umem_settings.set_firewall_align, 16);
	says("UMEM_DEBUG", "firewall_align=24",
	    "umem: UMEM_DEBUG: bad value '24' for 'firewall_align', "
	    "ignored\n");
	says("UMEM_DEBUG", "firewall_align=0",
	    "umem: UMEM_DEBUG: bad value '0' for 'firewall_align', "
	    "ignored\n");
}
END_TEST

START_TEST(verbose_and_allverbose_set_the_output)
{
	options_parse("UMEM_DEBUG", "verbose");
	ck_assert_uint_eq(umem_root.root_output, UMEM_OUTPUT_ERRORS);
	options_parse("UMEM_DEBUG", "allverbose");
	ck_assert_uint_eq(
	    umem_root.root_output, UMEM_OUTPUT_ERRORS | UMEM_OUTPUT_ALL);
}
END_TEST

START_TEST(stack_chooses_how_stacks_are_taken)
{
	options_parse("UMEM_DEBUG", "stack=framepointer");
	ck_assert_uint_eq(umem_settings.set_frame_pointers, 1);
	options_parse("UMEM_DEBUG", "stack=unwind");
	ck_assert_uint_eq(umem_settings.set_frame_pointers, 0);
	says("UMEM_DEBUG", "stack=magic",
	    "umem: UMEM_DEBUG: bad value 'magic' for 'stack', ignored\n");
}
END_TEST

START_TEST(logs_have_sizes_and_defaults)
{
	const struct umem_settings *s = &umem_settings;

	options_parse("UMEM_LOGGING", "transaction,contents,fail,slab");
	ck_assert_uint_eq(s->set_log_transaction, 4 * MIB);
	ck_assert_uint_eq(s->set_log_contents, 4 * MIB);
	ck_assert_uint_eq(s->set_log_fail, 256 * KIB);
	ck_assert_uint_eq(s->set_log_slab, 256 * KIB);
	ck_assert_uint_eq(umem_root.root_flags, UMF_CONTENTS);
	options_parse(
	    "UMEM_LOGGING", "transaction=64k,contents=1m,fail=2g,slab=0");
	ck_assert_uint_eq(s->set_log_transaction, 64 * KIB);
	ck_assert_uint_eq(s->set_log_contents, MIB);
	ck_assert_uint_eq(s->set_log_fail, 2 * GIB);
	ck_assert_uint_eq(s->set_log_slab, 0);
}
END_TEST

START_TEST(options_set_their_values)
{
	const struct umem_settings *s = &umem_settings;

	options_parse("UMEM_OPTIONS",
	    "concurrency=8,max_contention=5,nomagazines,reap_interval=3,"
	    "perthread_cache=2m,background");
	ck_assert_uint_eq(s->set_concurrency, 8);
	ck_assert_uint_eq(s->set_max_contention, 5);
	ck_assert_uint_eq(s->set_nomagazines, 1);
	ck_assert_uint_eq(umem_root.root_flags, UMF_NOMAGAZINE);
	ck_assert_uint_eq(s->set_reap_interval, 3);
	ck_assert_uint_eq(umem_root.root_perthread, 2 * MIB);
	ck_assert_uint_eq(s->set_background, 1);
}
END_TEST

START_TEST(allocator_chooses_the_policy_of_arenas)
{
	static const struct {
		const char *text;
		unsigned policy;
	} want[] = {{"allocator=first", VM_FIRSTFIT},
	    {"allocator=next", VM_NEXTFIT}, {"allocator=instant", 0},
	    {"allocator=best", VM_BESTFIT}};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		options_parse("UMEM_OPTIONS", want[i].text);
		ck_assert_uint_eq(
		    umem_settings.set_vmem_policy, want[i].policy);
	}
}
END_TEST

START_TEST(sizes_are_collected_and_cleared_in_order)
{
	const struct umem_settings *s = &umem_settings;

	options_parse("UMEM_OPTIONS", "size_add=100,size_add=2k");
	ck_assert_uint_eq(s->set_nsize_add, 2);
	ck_assert_uint_eq(s->set_size_add[0], 100);
	ck_assert_uint_eq(s->set_size_add[1], 2048);
	ck_assert_uint_eq(s->set_size_clear, 0);
	options_parse("UMEM_OPTIONS", "size_clear,size_remove=48,size_add=7");
	ck_assert_uint_eq(s->set_size_clear, 1);
	ck_assert_uint_eq(s->set_nsize_add, 1);
	ck_assert_uint_eq(s->set_size_add[0], 7);
	ck_assert_uint_eq(s->set_nsize_remove, 1);
	ck_assert_uint_eq(s->set_size_remove[0], 48);
}
END_TEST

START_TEST(more_sizes_than_fit_are_refused_by_name)
{
	char text[33 * 13 + 1] = "";

	for (int i = 0; i < 33; i++)
		strcat(text, "size_add=16,");
	says("UMEM_OPTIONS", text,
	    "umem: UMEM_OPTIONS: only 32 sizes can be added or removed, 16 "
	    "ignored\n");
}
END_TEST

START_TEST(sizes_take_a_unit_in_either_case)
{
	static const struct {
		const char *text;
		uint64_t value;
	} want[] = {{"maxverify=0", 0}, {"maxverify=1", 1},
	    {"maxverify=3k", 3 * KIB}, {"maxverify=3K", 3 * KIB},
	    {"maxverify=3m", 3 * MIB}, {"maxverify=3M", 3 * MIB},
	    {"maxverify=3g", 3 * GIB}, {"maxverify=3G", 3 * GIB},
	    {"maxverify=3t", 3 * TIB}, {"maxverify=3T", 3 * TIB},
	    {"maxverify=18446744073709551615", UINT64_MAX},
	    {"maxverify=16777215t", 16777215 * TIB}};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		options_parse("UMEM_DEBUG", want[i].text);
		ck_assert_uint_eq(umem_root.root_maxverify, want[i].value);
	}
}
END_TEST

START_TEST(bad_values_are_named_and_ignored)
{
	static const char *const bad[] = {"", "k", "12q", "1kk", "0x10", "-1",
	    "+1", "1.5", "ten", "18446744073709551616", "16777216t",
	    "18446744073709551615k"};
	char text[64], expected[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "maxverify=%s", bad[i]);
		snprintf(expected, sizeof(expected),
		    "umem: UMEM_DEBUG: bad value '%s' for 'maxverify', "
		    "ignored\n",
		    bad[i]);
		says("UMEM_DEBUG", text, expected);
		options_parse("UMEM_DEBUG", text);
		ck_assert_uint_eq(umem_root.root_maxverify, UINT64_MAX);
	}
	says("UMEM_DEBUG", "audit=2k",
	    "umem: UMEM_DEBUG: bad value '2k' for 'audit', ignored\n");
	says("UMEM_OPTIONS", "size_add=0",
	    "umem: UMEM_OPTIONS: bad value '0' for 'size_add', ignored\n");
}
END_TEST

START_TEST(values_over_the_limit_are_cut_to_it)
{
	says("UMEM_DEBUG", "audit=500",
	    "umem: UMEM_DEBUG: audit=500 is cut to 239\n");
	options_parse("UMEM_DEBUG", "audit=500");
	ck_assert_uint_eq(umem_root.root_stack_depth, UMEM_MAX_DEPTH);
	options_parse("UMEM_OPTIONS", "concurrency=1000");
	ck_assert_uint_eq(umem_settings.set_concurrency, UMEM_LOG_SLOTS_MAX);
}
END_TEST

START_TEST(unknown_tokens_are_named_and_the_rest_is_obeyed)
{
	says("UMEM_DEBUG", "foo,guards",
	    "umem: UMEM_DEBUG: unknown option 'foo', ignored\n");
	says("UMEM_DEBUG", "Audit",
	    "umem: UMEM_DEBUG: unknown option 'Audit', ignored\n");
	says("UMEM_DEBUG", "aud",
	    "umem: UMEM_DEBUG: unknown option 'aud', ignored\n");
	says("UMEM_DEBUG", "=3",
	    "umem: UMEM_DEBUG: unknown option '', ignored\n");
	ck_assert_uint_eq(flags_of("foo,guards,=,bar=1"), GUARDS);
}
END_TEST

START_TEST(token_of_another_variable_is_sent_there)
{
	says("UMEM_DEBUG", "transaction",
	    "umem: UMEM_DEBUG: unknown option 'transaction', ignored (it "
	    "belongs in UMEM_LOGGING)\n");
	says("UMEM_LOGGING", "nomagazines",
	    "umem: UMEM_LOGGING: unknown option 'nomagazines', ignored (it "
	    "belongs in UMEM_OPTIONS)\n");
}
END_TEST

START_TEST(value_missing_or_not_wanted_is_named)
{
	says("UMEM_DEBUG", "guards=1",
	    "umem: UMEM_DEBUG: 'guards' takes no value, ignored\n");
	says("UMEM_DEBUG", "mtbf",
	    "umem: UMEM_DEBUG: 'mtbf' needs a value, ignored\n");
}
END_TEST

START_TEST(blanks_and_empty_items_do_not_matter)
{
	ck_assert_uint_eq(
	    flags_of(" , audit = 7 ,,\tguards\n, "), UMF_AUDIT | GUARDS);
	ck_assert_uint_eq(umem_root.root_stack_depth, 7);
	ck_assert_uint_eq(flags_of(""), 0);
	options_parse("UMEM_DEBUG", NULL);
}
END_TEST

START_TEST(hostile_text_is_cut_and_made_printable)
{
	char text[301], expected[200];

	memset(text, 'x', sizeof(text) - 1);
	text[300] = '\0';
	text[0] = '\033';
	snprintf(expected, sizeof(expected),
	    "umem: UMEM_DEBUG: unknown option '?%.63s...', ignored\n",
	    text + 1);
	says("UMEM_DEBUG", text, expected);
}
END_TEST

START_TEST(tokens_without_meaning_say_so_when_verbose)
{
	static const char *const idle[] = {"backend=mmap", "backend=sbrk",
	    "sbrk_minalloc=64k", "sbrk_pagesize=4m"};

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		umem_root.root_output = 0;
		says("UMEM_OPTIONS", idle[i], "");
		umem_root.root_output = UMEM_OUTPUT_ERRORS;
		says("UMEM_OPTIONS", idle[i],
		    i < 2 ? "umem: UMEM_OPTIONS: 'backend' has no effect: "
			    "memory always comes from mmap\n"
		    : i == 2
			? "umem: UMEM_OPTIONS: 'sbrk_minalloc' has no effect: "
			  "memory never comes from sbrk\n"
			: "umem: UMEM_OPTIONS: 'sbrk_pagesize' has no effect: "
			  "memory never comes from sbrk\n");
	}
}
END_TEST

/* read_in_child - the real thing, and what came of it */
static void
read_in_child(void *arg)
{
	(void)arg;
	options_read();
	fprintf(stderr, "flags %x depth %u <%s> <%s> <%s>\n",
	    umem_root.root_flags, umem_root.root_stack_depth,
	    umem_root.root_env_debug, umem_root.root_env_options,
	    umem_root.root_env_logging);
}

static void
reads(const char *debug, const char *options, const char *logging,
    const char *expected)
{
	static const char *const names[] = {
	    "UMEM_DEBUG", "UMEM_OPTIONS", "UMEM_LOGGING"};
	const char *values[] = {debug, options, logging};
	static struct capture cap;

	for (int i = 0; i < 3; i++) {
		unsetenv(names[i]);
		if (values[i] != NULL)
			setenv(names[i], values[i], 1);
	}
	capture_run(&cap, read_in_child, NULL);
	ck_assert_int_eq(cap.status, 0);
	ck_assert_str_eq(cap.text, expected);
}

START_TEST(variables_are_read_from_the_environment)
{
	reads(NULL, NULL, NULL, "flags 0 depth 15 <> <> <>\n");
	reads("guards, audit=9", "nomagazines", "transaction=1m",
	    "flags 27 depth 9 <guards, audit=9> <nomagazines> "
	    "<transaction=1m>\n");
}
END_TEST

START_TEST(program_gives_defaults_for_variables_that_are_unset)
{
	program_debug = "guards";
	reads(NULL, NULL, NULL, "flags 6 depth 15 <guards> <> <>\n");
	reads("", NULL, NULL, "flags 0 depth 15 <> <> <>\n");
}
END_TEST

START_TEST(lite_turns_records_off_in_either_order)
{
	reads("lite,default", NULL, NULL,
	    "flags 106 depth 15 <lite,default> <> <>\n");
	reads("default,lite", NULL, NULL,
	    "flags 106 depth 15 <default,lite> <> <>\n");
}
END_TEST

START_TEST(firewall_brings_red_zones)
{
	reads("firewall", NULL, NULL, "flags 44 depth 15 <firewall> <> <>\n");
}
END_TEST

START_TEST(transaction_log_without_audit_is_pointed_out)
{
	reads("guards", NULL, "transaction",
	    "umem: UMEM_LOGGING: the transaction log stays empty without "
	    "UMEM_DEBUG=audit\n"
	    "flags 6 depth 15 <guards> <> <transaction>\n");
}
END_TEST

START_TEST(long_text_is_kept_as_far_as_it_fits)
{
	static char text[1000], expected[2000];

	for (int i = 0; i < 100; i++)
		strcat(text, "guards,");
	snprintf(expected, sizeof(expected),
	    "flags 6 depth 15 <%.127s> <> <>\n", text);
	reads(text, NULL, NULL, expected);
}
END_TEST

START_TEST(rows_are_complete_and_unique)
{
	const struct umem_option *a, *b;

	for (size_t i = 0; (a = options_row(i)) != NULL; i++) {
		ck_assert_uint_gt(strlen(a->help), 0);
		for (size_t j = 0; j < i; j++) {
			b = options_row(j);
			ck_assert(strcmp(a->variable, b->variable) != 0 ||
				  strcmp(a->name, b->name) != 0);
		}
	}
	ck_assert_ptr_null(options_row(1000));
}
END_TEST

/* manual_text - doc/umem_debug.3, from the top of the tree or below build/ */
static const char *
manual_text(void)
{
	static const char *const paths[] = {
	    "doc/umem_debug.3", "../doc/umem_debug.3"};
	static char text[100000];
	FILE *f = NULL;
	size_t n;

	for (size_t i = 0; i < 2 && f == NULL; i++)
		f = fopen(paths[i], "r");
	ck_assert_msg(f != NULL, "run from the top of the source tree");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

START_TEST(manual_has_a_paragraph_for_every_row_in_its_section)
{
	const char *manual = manual_text();
	const struct umem_option *o;
	const char *section, *end, *item;
	char line[80];

	for (size_t i = 0; (o = options_row(i)) != NULL; i++) {
		snprintf(line, sizeof(line), ".Ss Tokens of %s\n", o->variable);
		section = strstr(manual, line);
		ck_assert_msg(section != NULL, "no section %s", line);
		end = strstr(section, "\n.El");
		snprintf(line, sizeof(line), "\n.It Cm %s%s\n", o->name,
		    o->argument);
		item = strstr(section, line);
		ck_assert_msg(item != NULL && item < end, "no item %s", line);
		item += strlen(line);
		ck_assert_msg(strncmp(item, ".It", 3) != 0 &&
				  strncmp(item, ".El", 3) != 0,
		    "empty item %s", line);
	}
}
END_TEST

Suite *
test_options_suite(void)
{
	Suite *s = suite_create("options");
	TCase *good = tcase_create("good");
	TCase *bad = tcase_create("bad");
	TCase *whole = tcase_create("whole");

	tcase_add_test(good, debug_tokens_set_their_flags);
	tcase_add_test(good, debug_tokens_set_their_values);
	tcase_add_test(good, firewall_respects_its_least_size);
	tcase_add_test(good, verbose_and_allverbose_set_the_output);
	tcase_add_test(good, stack_chooses_how_stacks_are_taken);
	tcase_add_test(good, logs_have_sizes_and_defaults);
	tcase_add_test(good, options_set_their_values);
	tcase_add_test(good, allocator_chooses_the_policy_of_arenas);
	tcase_add_test(good, sizes_are_collected_and_cleared_in_order);
	tcase_add_test(good, sizes_take_a_unit_in_either_case);
	tcase_add_test(good, blanks_and_empty_items_do_not_matter);
	suite_add_tcase(s, good);
	tcase_add_test(bad, more_sizes_than_fit_are_refused_by_name);
	tcase_add_test(bad, bad_values_are_named_and_ignored);
	tcase_add_test(bad, values_over_the_limit_are_cut_to_it);
	tcase_add_test(bad, unknown_tokens_are_named_and_the_rest_is_obeyed);
	tcase_add_test(bad, token_of_another_variable_is_sent_there);
	tcase_add_test(bad, value_missing_or_not_wanted_is_named);
	tcase_add_test(bad, hostile_text_is_cut_and_made_printable);
	tcase_add_test(bad, tokens_without_meaning_say_so_when_verbose);
	suite_add_tcase(s, bad);
	tcase_add_test(whole, variables_are_read_from_the_environment);
	tcase_add_test(
	    whole, program_gives_defaults_for_variables_that_are_unset);
	tcase_add_test(whole, lite_turns_records_off_in_either_order);
	tcase_add_test(whole, firewall_brings_red_zones);
	tcase_add_test(whole, transaction_log_without_audit_is_pointed_out);
	tcase_add_test(whole, long_text_is_kept_as_far_as_it_fits);
	tcase_add_test(whole, rows_are_complete_and_unique);
	tcase_add_test(
	    whole, manual_has_a_paragraph_for_every_row_in_its_section);
	suite_add_tcase(s, whole);
	return s;
}
