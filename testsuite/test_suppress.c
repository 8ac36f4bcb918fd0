/* SPDX-License-Identifier: MIT */
/*
 * test_suppress.c - the two forms of suppression files
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find.h"
#include "scratch.h"
#include "suites.h"
#include "suppress.h"

static struct suppress *s;
static struct umdb_error err;

static void
setup(void)
{
	scratch_open();
	s = NULL;
}

static void
teardown(void)
{
	suppress_free(s);
	scratch_close();
}

static void
rules(const char *text)
{
	suppress_free(s);
	s = NULL;
	ck_assert_int_eq(
	    suppress_read(scratch_write("s", text), &s, &err), UMDB_OK);
}

/* "parse /lib/libx.so x.c:3 | main": the name of the rule, or "". */
static const char *
match(const char *stack, unsigned kind)
{
	static char text[8][128];
	struct out_frame frame[8];
	const struct out_frame *of[8];
	const struct suppress_rule *rule;
	char copy[512], *p, *save, *word, *inner, *colon;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", stack);
	for (p = strtok_r(copy, "|", &save); p != NULL;
	     p = strtok_r(NULL, "|", &save), n++) {
		memset(&frame[n], 0, sizeof(frame[n]));
		of[n] = &frame[n];
		snprintf(text[n], sizeof(text[n]), "%s", p);
		for (word = strtok_r(text[n], " ", &inner); word != NULL;
		     word = strtok_r(NULL, " ", &inner)) {
			colon = strchr(word, ':');
			if (word[0] == '/' && colon == NULL) {
				frame[n].module = word;
			} else if (colon != NULL && colon[1] != ':') {
				*colon = '\0';
				frame[n].file = word;
				frame[n].line = atoi(colon + 1);
			} else {
				frame[n].function = word;
			}
		}
	}
	rule = suppress_match(s, kind, of, n);
	return rule != NULL ? rule->name : "";
}

static void
expect(const char *stack, const char *name)
{
	const char *got = match(stack, LEAK_DEFINITE);

	ck_assert_msg(
	    strcmp(got, name) == 0, "%s: \"%s\", not \"%s\"", stack, got, name);
}

START_TEST(globs_match_the_whole_text)
{
	static const struct {
		const char *pattern, *text;
		bool question, want;
	} c[] = {
	    {"", "", false, true},
	    {"*", "", false, true},
	    {"a*", "", false, false},
	    {"abc", "abc", false, true},
	    {"abc", "abcd", false, false},
	    {"a*c", "abcbc", false, true},
	    {"a*b*c", "axxbyyc", false, true},
	    {"*b", "aab", false, true},
	    {"**x", "aax", false, true},
	    {"a?c", "abc", true, true},
	    {"a?c", "abc", false, false},
	    {"a?c", "a?c", false, true},
	    {"*aaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, false},
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		ck_assert_msg(suppress_glob(c[i].pattern, c[i].text,
				  c[i].question) == c[i].want,
		    "%s %s", c[i].pattern, c[i].text);
}
END_TEST

START_TEST(pattern_of_a_leak_matches_any_part_of_any_frame)
{
	rules("# comment\n\n  leak:arse  \n");
	expect("parse|main", "arse");
	expect("main|xparser", "arse");
	expect("a|b", "");
	expect("f /lib/libparse.so", "arse");
	expect("f /lib/x.so parse.c:3", "arse");
	expect("", "");
}
END_TEST

START_TEST(pattern_may_be_tied_to_the_ends)
{
	rules("leak:^parse$\n");
	expect("parse", "^parse$");
	expect("parser", "");
	expect("xparse", "");
	rules("leak:^pa*e\n");
	expect("pale_face", "^pa*e");
	expect("opale", "");
	rules("leak:*.so$\n");
	expect("f /lib/libx.so", "*.so$");
	expect("f /lib/libx.so.1", "");
}
END_TEST

START_TEST(first_rule_that_matches_is_named)
{
	rules("leak:nothing\nleak:main\nleak:f\n");
	expect("f|main", "main");
	expect("f", "f");
}
END_TEST

START_TEST(frames_of_a_rule_match_from_the_innermost_on)
{
	rules("{\n one\n Memcheck:Leak\n fun:f\n fun:g\n}\n");
	expect("f|g|main", "one");
	expect("f|g", "one");
	expect("f", "");
	expect("x|f|g", "");
	expect("f|x|g", "");
}
END_TEST

START_TEST(dots_stand_for_any_number_of_frames)
{
	rules("{\n one\n Memcheck:Leak\n ...\n fun:g\n ...\n fun:main\n}\n");
	expect("f|g|x|main", "one");
	expect("g|main|_start", "one");
	expect("main|g", "");
	expect("f|g|x", "");
	rules("{\n one\n Memcheck:Leak\n fun:f\n ...\n}\n");
	expect("f", "one");
	expect("f|g|h", "one");
	expect("g|f", "");
}
END_TEST

START_TEST(frames_match_by_function_object_or_source)
{
	rules("{\n one\n Memcheck:Leak\n fun:x?alloc*\n obj:*/libx.so*\n"
	      " src:main.c:7\n}\n");
	expect("xmalloc2|f /lib/libx.so.1|main src/main.c:7", "one");
	expect("xalloc|f /lib/libx.so.1|main src/main.c:7", "");
	expect("xmalloc|f /lib/liby.so|main src/main.c:7", "");
	expect("xmalloc|f /lib/libx.so|main src/main.c:8", "");
	rules("{\n one\n Memcheck:Leak\n src:main.c\n}\n");
	expect("f src/main.c:99", "one");
	expect("f", "");
}
END_TEST

START_TEST(frames_of_the_allocator_may_stand_in_a_rule)
{
	rules("{\n one\n Memcheck:Leak\n fun:malloc\n fun:f\n}\n");
	expect("f|main", "one");
	expect("malloc|f", "one");
	expect("g|f", "");
	rules("{\n two\n Memcheck:Leak\n fun:_Znwm\n fun:f\n}\n");
	expect("f|main", "two");
	expect("_Znwm|f", "two");
	rules("{\n two\n Memcheck:Leak\n fun:malloc\n fun:_Znwm\n "
	      "fun:f\n}\n");
	expect("_Znwm|f", "two");
	rules("{\n three\n Memcheck:Leak\n fun:*alloc\n fun:f\n}\n");
	expect("f|main", "three");
	rules("{\n four\n Memcheck:Leak\n fun:malloc\n}\n");
	expect("anything", "four");
}
END_TEST

START_TEST(inner_names_of_glibc_are_known)
{
	rules("{\n one\n Memcheck:Leak\n fun:malloc\n fun:strdup\n}\n");
	expect("__GI___strdup|f", "one");
	expect("strdup|f", "one");
}
END_TEST

START_TEST(kinds_of_leaks_can_be_chosen)
{
	rules("{\n one\n Memcheck:Leak\n match-leak-kinds: possible, "
	      "indirect\n fun:f\n}\n");
	ck_assert_str_eq(match("f", LEAK_DEFINITE), "");
	ck_assert_str_eq(match("f", LEAK_POSSIBLE), "one");
	ck_assert_str_eq(match("f", LEAK_INDIRECT), "one");
	rules("{\n one\n Memcheck:Leak\n match-leak-kinds:reachable\n "
	      "fun:f\n}\n");
	ck_assert_str_eq(match("f", LEAK_DEFINITE), "");
}
END_TEST

START_TEST(rules_for_other_errors_are_skipped)
{
	rules("race:f\n{\n a\n Memcheck:Cond\n fun:f\n}\n{\n b\n "
	      "Helgrind:Race\n whatever\n}\n{\n c\n Memcheck,Other:Leak\n "
	      "fun:f\n}\ndeadlock:f\n");
	ck_assert_uint_eq(s->n, 1);
	ck_assert_uint_eq(s->skipped, 4);
	expect("f", "c");
}
END_TEST

START_TEST(files_add_up)
{
	ck_assert_int_eq(
	    suppress_read(scratch_write("a", "leak:f\n"), &s, &err), UMDB_OK);
	ck_assert_int_eq(
	    suppress_read(scratch_write("b", "leak:g\n"), &s, &err), UMDB_OK);
	expect("f", "f");
	expect("g", "g");
}
END_TEST

/* What the compiler made of the names of the frames below. */
static const char *
linkage(void *arg, const struct out_frame *f)
{
	++*(int *)arg;
	return f->pc == 0x1010   ? "_ZN3foo3barEv"
	       : f->pc == 0x2010 ? "main"
				 : NULL;
}

START_TEST(functions_have_the_names_that_compilers_made_too)
{
	static const struct {
		const char *rule, *name;
	} c[] = {
	    {"fun:_ZN3foo3barEv\n fun:main", "one"},
	    {"fun:_ZN3foo*\n fun:main", "one"},
	    {"fun:malloc\n fun:_ZN3foo3bar?v", "one"},
	    {"fun:foo::bar()\n fun:main", "one"},
	    {"fun:foo::bar()\n fun:main(int, char**)", "one"},
	    {"fun:_ZN3foo3bazEv", ""},
	    {"...\n fun:mai", ""},
	};
	const struct out_frame bar = {.pc = 0x1010, .function = "foo::bar()"};
	const struct out_frame outer = {
	    .pc = 0x2010, .function = "main(int, char**)"};
	const struct out_frame *stack[] = {&bar, &outer};
	const struct suppress_rule *rule;
	char text[128];
	int asked = 0;
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		snprintf(text, sizeof(text),
		    "{\n one\n Memcheck:Leak\n %s\n}\n", c[i].rule);
		rules(text);
		suppress_linkage(s, linkage, &asked);
		rule = suppress_match(s, LEAK_DEFINITE, stack, 2);
		ck_assert_msg(
		    (rule != NULL) == (c[i].name[0] != '\0'), "%s", c[i].rule);
	}
	ck_assert_int_gt(asked, 0);
	rules("leak:^main$\n");
	ck_assert_ptr_null(suppress_match(s, LEAK_DEFINITE, stack, 2));
	suppress_linkage(s, linkage, &asked);
	ck_assert_ptr_nonnull(suppress_match(s, LEAK_DEFINITE, stack, 2));
	/* as LeakSanitizer, which knows names as people write them only */
	rules("leak:^_ZN\n");
	suppress_linkage(s, linkage, &asked);
	ck_assert_ptr_null(suppress_match(s, LEAK_DEFINITE, stack, 2));
}
END_TEST

START_TEST(names_of_c_are_not_asked_for)
{
	const struct out_frame f = {.pc = 0x3010, .function = "parse"};
	const struct out_frame *stack[] = {&f};
	int asked = 0;

	rules("{\n one\n Memcheck:Leak\n fun:read\n}\nleak:write\n");
	suppress_linkage(s, linkage, &asked);
	ck_assert_ptr_null(suppress_match(s, LEAK_DEFINITE, stack, 1));
	ck_assert_int_eq(asked, 0);
}
END_TEST

START_TEST(what_is_wrong_is_said_with_its_line)
{
	static const struct {
		const char *text, *sentence;
	} c[] = {
	    {"leek:f\n",
		", line 1: neither leak:PATTERN nor \"{\" stands here"},
	    {"\nleak:\n", ", line 2: the pattern is empty"},
	    {"leak:^\n", ", line 1: the pattern is empty"},
	    {"{\n", ", line 1: a rule needs a name"},
	    {"{\n}\n", ", line 2: a rule needs a name"},
	    {"{\n n\n", ", line 2: Tool:Kind must follow the name"},
	    {"{\n n\n}\n", ", line 3: Tool:Kind must follow the name"},
	    {"{\n n\n Memcheck:Leak\n fun:f\n", ", line 4: \"}\" is missing"},
	    {"{\n n\n Memcheck:Leak\n fin:f\n}\n",
		", line 4: neither fun: nor obj: nor src: nor ... nor } "
		"stands here"},
	    {"{\n n\n Memcheck:Leak\n}\n", ", line 4: the rule has no frames"},
	    {"{\n n\n Memcheck:Leak\n match-leak-kinds: definit\n fun:f\n}\n",
		", line 4: a kind is definite, indirect, possible, reachable, "
		"all or none"},
	};
	char want[300];
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		suppress_free(s);
		s = NULL;
		ck_assert_int_eq(
		    suppress_read(scratch_write("s", c[i].text), &s, &err),
		    UMDB_EIO);
		snprintf(want, sizeof(want), "%s%s", scratch_path("s"),
		    c[i].sentence);
		ck_assert_str_eq(err.msg, want);
	}
	ck_assert_int_eq(suppress_read("/no/such", &s, &err), UMDB_EIO);
	ck_assert_str_eq(
	    err.msg, "/no/such cannot be read: No such file or directory");
}
END_TEST

START_TEST(what_is_no_text_is_refused_before_memory_runs_out)
{
	char want[300];

	scratch_write("s", "leak:f\n");
	ck_assert_int_eq(suppress_read("/dev/zero", &s, &err), UMDB_EIO);
	ck_assert_str_eq(err.msg,
	    "/dev/zero, line 1: this is no text, or has a line that is too "
	    "long");
	suppress_free(s);
	s = NULL;
	scratch_write_bytes("b", "leak:f\nle\0ak:g\n", 15);
	ck_assert_int_eq(suppress_read(scratch_path("b"), &s, &err), UMDB_EIO);
	snprintf(want, sizeof(want),
	    "%s, line 2: this is no text, or has a line that is too long",
	    scratch_path("b"));
	ck_assert_str_eq(err.msg, want);
}
END_TEST

Suite *
test_suppress_suite(void)
{
	Suite *suite = suite_create("suppress");
	TCase *c = tcase_create("suppress");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, globs_match_the_whole_text);
	tcase_add_test(c, pattern_of_a_leak_matches_any_part_of_any_frame);
	tcase_add_test(c, pattern_may_be_tied_to_the_ends);
	tcase_add_test(c, first_rule_that_matches_is_named);
	tcase_add_test(c, frames_of_a_rule_match_from_the_innermost_on);
	tcase_add_test(c, dots_stand_for_any_number_of_frames);
	tcase_add_test(c, frames_match_by_function_object_or_source);
	tcase_add_test(c, frames_of_the_allocator_may_stand_in_a_rule);
	tcase_add_test(c, inner_names_of_glibc_are_known);
	tcase_add_test(c, kinds_of_leaks_can_be_chosen);
	tcase_add_test(c, rules_for_other_errors_are_skipped);
	tcase_add_test(c, files_add_up);
	tcase_add_test(c, functions_have_the_names_that_compilers_made_too);
	tcase_add_test(c, names_of_c_are_not_asked_for);
	tcase_add_test(c, what_is_wrong_is_said_with_its_line);
	tcase_add_test(c, what_is_no_text_is_refused_before_memory_runs_out);
	suite_add_tcase(suite, c);
	return suite;
}
