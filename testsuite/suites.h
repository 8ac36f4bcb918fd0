/* SPDX-License-Identifier: MIT */
/*
 * suites.h - the list of test suites
 *
 * X(module) stands for testsuite/test_<module>.c, which exports
 * test_<module>_suite().  ALLOC_SUITES are linked with liballoc's objects,
 * GDBEXT_SUITES with those of gdbext.  The Makefile reads the file names from
 * here: keep one X a line and a blank line behind each list.
 */
#ifndef SUITES_H
#define SUITES_H

#include <check.h>

/* clang-format off */
#define ALLOC_SUITES(X) \
	X(meta) \
	X(vmem) \
	X(vmem_model) \
	X(heap) \
	X(stack) \
	X(trace) \
	X(msg) \
	X(options) \
	X(tlog) \
	X(audit) \
	X(fault) \
	X(symbol) \
	X(stamp) \
	X(cache) \
	X(umem)

#define GDBEXT_SUITES(X) \
	X(target) \
	X(rangemap) \
	X(snap) \
	X(snap_damage) \
	X(snap_trace) \
	X(snap_point) \
	X(snap_watch) \
	X(walk) \
	X(out) \
	X(dcmd) \
	X(dcmd_users) \
	X(dcmd_memory) \
	X(umdb) \
	X(find_inner) \
	X(find_end) \
	X(find_leak) \
	X(find_mark) \
	X(find_root) \
	X(find_stop) \
	X(find_poll) \
	X(find_reads) \
	X(find_stack) \
	X(find_what) \
	X(find_dom) \
	X(find_graph) \
	X(dcmd_refs) \
	X(walker) \
	X(pipe) \
	X(mdb) \
	X(shell) \
	X(find_bad) \
	X(progress) \
	X(savefile) \
	X(snapfile) \
	X(find_diff) \
	X(suppress) \
	X(profile) \
	X(dcmd_growth)

/* clang-format on */

#define SUITE_PROTOTYPE(module) Suite *test_##module##_suite(void);
ALLOC_SUITES(SUITE_PROTOTYPE)
GDBEXT_SUITES(SUITE_PROTOTYPE)

#endif /* SUITES_H */
