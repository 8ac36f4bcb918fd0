/* SPDX-License-Identifier: MIT */
/*
 * test_symbol.c - names of what this program and its libraries hold
 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "symbol.h"

static int a_datum_of_this_file[4] = {1, 2, 3, 4};

/* Not exported: dladdr does not know it. */
__attribute__((noinline)) static int
a_function_of_this_file(int n)
{
	return a_datum_of_this_file[n & 3];
}

/* name_of - the part behind the module */
static const char *
name_of(uint64_t addr, int is_return)
{
	static char text[256];

	ck_assert_int_eq(symbol_name(addr, is_return, text, sizeof(text)), 0);
	return strchr(text, '\'');
}

START_TEST(static_function_is_found_in_the_file)
{
	uint64_t pc = (uintptr_t)a_function_of_this_file;

	ck_assert_int_eq(a_function_of_this_file(1), 2);
	ck_assert_str_eq(name_of(pc, 0), "'a_function_of_this_file+0x0");
	ck_assert_str_eq(name_of(pc + 3, 0), "'a_function_of_this_file+0x3");
	ck_assert_str_eq(name_of(pc + 3, 1), "'a_function_of_this_file+0x3");
}
END_TEST

START_TEST(return_address_belongs_to_the_call_before_it)
{
	uint64_t pc = (uintptr_t)a_function_of_this_file;

	ck_assert_str_ne(name_of(pc, 1), "'a_function_of_this_file+0x0");
	ck_assert_str_eq(name_of(pc + 1, 1), "'a_function_of_this_file+0x1");
}
END_TEST

START_TEST(static_datum_is_found_in_the_file)
{
	ck_assert_str_eq(name_of((uintptr_t)&a_datum_of_this_file[2], 0),
	    "'a_datum_of_this_file+0x8");
}
END_TEST

START_TEST(function_of_a_library_has_its_module)
{
	char text[256];

	ck_assert_int_eq(
	    symbol_name((uintptr_t)srunner_create, 0, text, sizeof(text)), 0);
	ck_assert_ptr_nonnull(strstr(text, "'srunner_create+0x0"));
}
END_TEST

START_TEST(address_of_no_module_is_a_number)
{
	char text[64];

	ck_assert_int_eq(symbol_name(0x1230, 0, text, sizeof(text)), -1);
	ck_assert_str_eq(text, "0x1230");
	ck_assert_int_eq(
	    symbol_name((uintptr_t)text, 0, text, sizeof(text)), -1);
}
END_TEST

START_TEST(short_buffer_cuts_the_name)
{
	char text[8];

	symbol_name((uintptr_t)a_function_of_this_file, 0, text, sizeof(text));
	ck_assert_uint_eq(strlen(text), 7);
}
END_TEST

START_TEST(errno_survives)
{
	errno = EXDEV;
	name_of((uintptr_t)a_function_of_this_file, 0);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

Suite *
test_symbol_suite(void)
{
	Suite *s = suite_create("symbol");
	TCase *t = tcase_create("names");

	tcase_add_test(t, static_function_is_found_in_the_file);
	tcase_add_test(t, return_address_belongs_to_the_call_before_it);
	tcase_add_test(t, static_datum_is_found_in_the_file);
	tcase_add_test(t, function_of_a_library_has_its_module);
	tcase_add_test(t, address_of_no_module_is_a_number);
	tcase_add_test(t, short_buffer_cuts_the_name);
	tcase_add_test(t, errno_survives);
	suite_add_tcase(s, t);
	return s;
}
