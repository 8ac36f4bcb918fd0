/* SPDX-License-Identifier: MIT */
/*
 * main.c - run the suites of one half
 *
 * Compiled once for each half with -DSUITES=ALLOC_SUITES or GDBEXT_SUITES.
 * Check's own variables hold: CK_RUN_SUITE and CK_RUN_CASE choose, CK_FORK=no
 * runs in this process (for a debugger), CK_VERBOSITY tells more.
 */
#include <stdlib.h>

#include "suites.h"

#define SUITE_ENTRY(module) test_##module##_suite,

typedef Suite *suite_fn(void);

int
main(void)
{
	suite_fn *const suites[] = {SUITES(SUITE_ENTRY) NULL};
	SRunner *runner;
	int failed;
	size_t i;

	/* read when a test case is made: a slow machine is no failure */
	setenv("CK_DEFAULT_TIMEOUT", "300", 0);
	runner = srunner_create(NULL);
	for (i = 0; suites[i] != NULL; i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
