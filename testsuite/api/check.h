/* SPDX-License-Identifier: MIT */
/*
 * check.h - a few lines of test harness for programs that are preloaded
 *
 * Check itself allocates; these programs want to decide for themselves what
 * is allocated, and say why they skip.  A test is a function; it passed when
 * none of its CHECKs failed and it did not SKIP.
 */
#ifndef API_CHECK_H
#define API_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct test {
	const char *name; /* a sentence */
	void (*run)(void);
};

static const char *test_name;
static const char *test_skipped;
static int test_failures;

#define CHECK(cond)                                                         \
	do {                                                                \
		if (!(cond)) {                                              \
			if (__atomic_add_fetch(                             \
				&test_failures, 1, __ATOMIC_RELAXED) <= 5)  \
				fprintf(stderr, "not ok: %s: %s (%s:%d)\n", \
				    test_name, #cond, __FILE__, __LINE__);  \
		}                                                           \
	} while (0)

#define SKIP(reason) (test_skipped = (reason))

/* check_run - run the tests whose name contains @only (all with NULL) */
static inline int
check_run(const struct test *tests, const char *only)
{
	int passed = 0, failed = 0;

	for (; tests->name != NULL; tests++) {
		if (only != NULL && strstr(tests->name, only) == NULL)
			continue;
		test_name = tests->name;
		test_failures = 0;
		test_skipped = NULL;
		tests->run();
		if (test_failures != 0)
			failed++;
		else if (test_skipped != NULL)
			printf("SKIP: %s: %s\n", tests->name, test_skipped);
		else
			passed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}

#endif /* API_CHECK_H */
