/* SPDX-License-Identifier: MIT */
/*
 * test_find_diff.c - what grew, and which stacks are the same
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fake_target.h"
#include "find_diff.h"
#include "find_module.h"
#include "find_omitted.h"
#include "suites.h"

static struct samples *before, *now, *diff;
static struct diff_facts facts;

static void
setup(void)
{
	before = samples_new();
	now = samples_new();
	diff = NULL;
}

static void
teardown(void)
{
	samples_free(before);
	samples_free(now);
	samples_free(diff);
}

static uint32_t
module(struct samples *s, const char *name, const char *id, uint64_t base)
{
	const struct sample_module m = {
	    .name = samples_string(s, name),
	    .id = samples_string(s, id),
	    .start = base,
	    .end = base + 0x10000,
	};

	return samples_module(s, &m);
}

static uint32_t
frame(struct samples *s, uint32_t in, uint64_t at, const char *function)
{
	const struct sample_frame f = {
	    .module = in,
	    .at = at,
	    .pc = in == SAMPLE_NONE ? at : s->module[in].start + at,
	    .function = samples_string(s, function),
	    .offset = function != NULL ? at % 16 : 0,
	};

	return samples_frame(s, &f);
}

static void
sample(struct samples *s, const char *cache, uint32_t a, uint32_t b,
    uint64_t count, uint64_t bytes)
{
	const uint32_t stack[2] = {a, b};
	struct sample *p = samples_add(s, 0, samples_string(s, cache), stack,
	    a == SAMPLE_NONE   ? 0
	    : b == SAMPLE_NONE ? 1
			       : 2);

	p->count[0] += count;
	p->bytes[0] += bytes;
}

static void
run(void)
{
	diff = find_diff(before, now, &facts);
	ck_assert_ptr_nonnull(diff);
}

static void
expect(size_t i, uint64_t count, uint64_t bytes, uint64_t old_count,
    uint64_t old_bytes)
{
	ck_assert_uint_lt(i, diff->nsample);
	ck_assert_uint_eq(diff->sample[i].count[0], count);
	ck_assert_uint_eq(diff->sample[i].bytes[0], bytes);
	ck_assert_uint_eq(diff->sample[i].count[1], old_count);
	ck_assert_uint_eq(diff->sample[i].bytes[1], old_bytes);
}

START_TEST(places_in_a_module_are_the_same_at_other_addresses)
{
	const uint32_t a = module(before, "/bin/app", "aa", 0x550000);
	const uint32_t lib = module(now, "/lib/lib.so", "bb", 0x110000);
	const uint32_t b = module(now, "/bin/app", "aa", 0x560000);

	(void)lib;
	sample(before, "c", frame(before, a, 0x10, "f"),
	    frame(before, a, 0x20, "main"), 2, 20);
	sample(now, "c", frame(now, b, 0x10, "f"), frame(now, b, 0x20, "main"),
	    5, 50);
	run();
	ck_assert_uint_eq(diff->nsample, 1);
	expect(0, 5, 50, 2, 20);
	ck_assert_uint_eq(diff->frame[diff->link[0]].pc, 0x560010);
	ck_assert_uint_eq(facts.rebuilt, 0);
	ck_assert(facts.stacks[0] && facts.stacks[1]);
}
END_TEST

START_TEST(what_is_gone_lies_where_its_module_is_now)
{
	const uint32_t a = module(before, "/bin/app", "aa", 0x550000);
	const uint32_t old = module(before, "/lib/old.so", "cc", 0x330000);
	const uint32_t b = module(now, "/bin/app", "aa", 0x560000);

	sample(before, "c", frame(before, old, 0x30, "g"),
	    frame(before, a, 0x20, "main"), 2, 20);
	sample(now, "c", frame(now, b, 0x10, "f"), SAMPLE_NONE, 5, 50);
	run();
	ck_assert_uint_eq(diff->nsample, 2);
	expect(1, 0, 0, 2, 20);
	ck_assert_uint_eq(
	    diff->frame[diff->link[diff->sample[1].stack]].pc, 0x330030);
	ck_assert_uint_eq(
	    diff->frame[diff->link[diff->sample[1].stack + 1]].pc, 0x560020);
}
END_TEST

START_TEST(cache_and_every_frame_count)
{
	const uint32_t a = module(before, "/bin/app", "aa", 0x550000);
	const uint32_t b = module(now, "/bin/app", "aa", 0x550000);
	const uint32_t f = frame(before, a, 0x10, "f"),
		       m = frame(before, a, 0x20, "main"),
		       g = frame(now, b, 0x10, "f"),
		       n = frame(now, b, 0x30, "main");

	sample(before, "c", f, m, 1, 10);
	sample(now, "c", g, n, 2, 20);
	sample(now, "d", g, n, 3, 30);
	sample(now, "c", g, SAMPLE_NONE, 4, 40);
	sample(now, "c", SAMPLE_NONE, SAMPLE_NONE, 5, 50);
	sample(before, "c", SAMPLE_NONE, SAMPLE_NONE, 6, 60);
	run();
	ck_assert_uint_eq(diff->nsample, 5);
	expect(0, 2, 20, 0, 0);
	expect(1, 3, 30, 0, 0);
	expect(2, 4, 40, 0, 0);
	expect(3, 5, 50, 6, 60);
	expect(4, 0, 0, 1, 10);
}
END_TEST

START_TEST(modules_without_a_build_id_are_known_by_their_file_name)
{
	const uint32_t a = module(before, "/old/lib.so", NULL, 0x1000);
	const uint32_t b = module(now, "/new/lib.so", NULL, 0x2000);

	sample(before, "c", frame(before, a, 0x10, NULL), SAMPLE_NONE, 1, 1);
	sample(now, "c", frame(now, b, 0x10, NULL), SAMPLE_NONE, 2, 2);
	run();
	ck_assert_uint_eq(diff->nsample, 1);
	expect(0, 2, 2, 1, 1);
}
END_TEST

START_TEST(frames_of_a_module_built_anew_are_compared_by_function)
{
	const uint32_t a = module(before, "/bin/app", "aa", 0x1000);
	const uint32_t b = module(now, "/bin/app", "bb", 0x2000);

	sample(before, "c", frame(before, a, 0x10, "f"),
	    frame(before, a, 0x90, "main"), 1, 10);
	sample(before, "c", frame(before, a, 0x14, "f"),
	    frame(before, a, 0x90, "main"), 1, 10);
	sample(now, "c", frame(now, b, 0x36, "f"), frame(now, b, 0xb4, "main"),
	    7, 70);
	sample(now, "c", frame(now, b, 0x36, "g"), frame(now, b, 0xb4, "main"),
	    1, 1);
	sample(now, "c", frame(now, b, 0x50, NULL), SAMPLE_NONE, 1, 1);
	run();
	ck_assert_uint_eq(diff->nsample, 3);
	expect(0, 7, 70, 2, 20);
	expect(1, 1, 1, 0, 0);
	ck_assert_uint_gt(facts.rebuilt, 0);
	ck_assert_str_eq(facts.module, "/bin/app");
}
END_TEST

START_TEST(module_with_the_same_build_id_wins_over_one_of_the_same_name)
{
	const uint32_t a = module(before, "/bin/app", "aa", 0x1000);
	const uint32_t other = module(now, "/bin/app", "bb", 0x2000);
	const uint32_t same = module(now, "/moved/app.old", "aa", 0x9000);

	(void)other;
	sample(before, "c", frame(before, a, 0x10, "f"), SAMPLE_NONE, 1, 1);
	sample(now, "c", frame(now, same, 0x10, "f"), SAMPLE_NONE, 3, 3);
	run();
	ck_assert_uint_eq(diff->nsample, 1);
	expect(0, 3, 3, 1, 1);
}
END_TEST

START_TEST(frames_in_no_module_are_known_by_function_or_address)
{
	sample(before, "c", frame(before, SAMPLE_NONE, 0x7010, "jit"),
	    SAMPLE_NONE, 1, 1);
	sample(before, "c", frame(before, SAMPLE_NONE, 0x9000, NULL),
	    SAMPLE_NONE, 1, 1);
	sample(now, "c", frame(now, SAMPLE_NONE, 0x8010, "jit"), SAMPLE_NONE, 2,
	    2);
	sample(
	    now, "c", frame(now, SAMPLE_NONE, 0x9000, NULL), SAMPLE_NONE, 2, 2);
	run();
	ck_assert_uint_eq(diff->nsample, 2);
	expect(0, 2, 2, 1, 1);
	expect(1, 2, 2, 1, 1);
}
END_TEST

START_TEST(order_is_by_bytes_grown_and_leaves_out_what_is_equal)
{
	static const struct {
		const char *cache;
		uint64_t old[2], new[2];
	} c[] = {
	    {"shrunk", {9, 900}, {1, 100}},
	    {"equal", {3, 30}, {3, 30}},
	    {"grown", {1, 10}, {2, 500}},
	    {"new", {0, 0}, {1, 1000}},
	    {"gone", {1, 5}, {0, 0}},
	    {"more", {1, 10}, {2, 10}},
	};
	static const char *const want[] = {
	    "new", "grown", "more", "gone", "shrunk"};
	uint32_t *order;
	size_t i, n;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		if (c[i].old[0] > 0)
			sample(before, c[i].cache, SAMPLE_NONE, SAMPLE_NONE,
			    c[i].old[0], c[i].old[1]);
		if (c[i].new[0] > 0)
			sample(now, c[i].cache, SAMPLE_NONE, SAMPLE_NONE,
			    c[i].new[0], c[i].new[1]);
	}
	run();
	n = find_diff_order(diff, &order);
	ck_assert_uint_eq(n, 5);
	for (i = 0; i < n; i++)
		ck_assert_str_eq(
		    samples_name(diff, diff->sample[order[i]].cache), want[i]);
	free(order);
	ck_assert(!facts.stacks[0] && !facts.stacks[1]);
}
END_TEST

START_TEST(nothing_and_nothing_make_nothing)
{
	uint32_t *order;

	run();
	ck_assert_uint_eq(diff->nsample, 0);
	ck_assert_uint_eq(find_diff_order(diff, &order), 0);
	free(order);
}
END_TEST

/* ---------------------------------------------------------------- modules */

/* An ELF image with an executable segment, and a build id if @id is given. */
static void
draw_elf(struct target *tgt, taddr_t at, const char *id)
{
	static const unsigned char head[24] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0,
	    0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62, 0, 1};
	uint64_t ph = at + 64;

	fake_put(tgt, at, head, sizeof(head));
	fake_put64(tgt, at + 32, 64);                        /* e_phoff */
	fake_put64(tgt, at + 48, 64ull << 32 | 56ull << 48); /* sizes */
	fake_put64(tgt, at + 56, 3);                         /* e_phnum */
	fake_put64(tgt, ph, 1 | 4ull << 32);                 /* LOAD, R */
	fake_put64(tgt, ph + 40, 0x1000);
	ph += 56;
	fake_put64(tgt, ph, 1 | 5ull << 32); /* LOAD, R E */
	fake_put64(tgt, ph + 8, 0x1000);
	fake_put64(tgt, ph + 16, 0x1000);
	fake_put64(tgt, ph + 40, 0x800);
	ph += 56;
	if (id == NULL)
		return;
	fake_put64(tgt, ph, 4); /* NOTE */
	fake_put64(tgt, ph + 16, 0x300);
	fake_put64(tgt, ph + 40, 16 + strlen(id));
	fake_put64(tgt, ph + 48, 4);
	fake_put64(tgt, at + 0x300, 4 | (uint64_t)strlen(id) << 32);
	fake_put64(tgt, at + 0x308, 3 | (uint64_t)0x554e47 << 32); /* GNU */
	fake_put(tgt, at + 0x310, id, strlen(id));
}

START_TEST(modules_are_found_with_their_build_ids)
{
	struct target *tgt = fake_open();
	struct modules m;

	fake_add(tgt, 0x10000, 0x1000, "/bin/app", FAKE_READ | FAKE_FILE);
	fake_add(tgt, 0x11000, 0x1000, "/bin/app",
	    FAKE_READ | FAKE_EXEC | FAKE_FILE);
	fake_add(tgt, 0x12000, 0x1000, "", FAKE_READ | FAKE_WRITE);
	fake_add(tgt, 0x20000, 0x1000, "/data/file", FAKE_READ | FAKE_FILE);
	fake_add(tgt, 0x30000, 0x1000, "/lib/x.so", FAKE_READ | FAKE_FILE);
	fake_add(tgt, 0x32000, 0x1000, "/lib/x.so", FAKE_READ | FAKE_FILE);
	draw_elf(tgt, 0x10000, "\x01\xab");
	draw_elf(tgt, 0x30000, NULL);
	ck_assert_int_eq(find_modules(tgt, &m), UMDB_OK);
	ck_assert_uint_eq(m.n, 2);
	ck_assert_str_eq(m.module[0].name, "/bin/app");
	ck_assert_str_eq(m.module[0].id, "01ab");
	ck_assert_uint_eq(m.module[0].base, 0x10000);
	ck_assert_uint_eq(m.module[0].end, 0x12000);
	ck_assert_uint_eq(m.module[0].code, 0x11000);
	ck_assert_uint_eq(m.module[0].code_end, 0x11800);
	ck_assert_uint_eq(m.module[0].code_offset, 0x1000);
	ck_assert_str_eq(m.module[1].id, "");
	ck_assert_ptr_eq(find_module_at(&m, 0x11fff), &m.module[0]);
	ck_assert_ptr_null(find_module_at(&m, 0x12000));
	ck_assert_ptr_eq(find_module_at(&m, 0x31234), &m.module[1]);
	ck_assert_ptr_null(find_module_at(&m, 0xffff));
	find_modules_free(&m);
	target_close(tgt);
}
END_TEST

START_TEST(damaged_images_are_survived)
{
	struct target *tgt = fake_open();
	struct modules m;
	unsigned i;
	uint8_t *image =
	    fake_add(tgt, 0x10000, 0x1000, "/bin/app", FAKE_READ | FAKE_FILE);

	draw_elf(tgt, 0x10000, "\x01\xab");
	for (i = 4; i < 0x320; i++) {
		const uint8_t was = image[i];

		image[i] = 0xff;
		ck_assert_int_eq(find_modules(tgt, &m), UMDB_OK);
		find_modules_free(&m);
		image[i] = was;
	}
	fake_break(tgt, 0x10300, 8);
	ck_assert_int_eq(find_modules(tgt, &m), UMDB_OK);
	ck_assert_str_eq(m.module[0].id, "");
	find_modules_free(&m);
	target_close(tgt);
}
END_TEST

START_TEST(files_without_a_trace_in_the_core_are_counted)
{
	const unsigned listed = FAKE_READ | FAKE_FILE | FAKE_LISTED;
	struct target *tgt = fake_open();
	struct omitted o;

	fake_add(tgt, 0x10000, 0x1000, "/bin/app", FAKE_READ | FAKE_FILE);
	draw_elf(tgt, 0x10000, NULL);
	fake_add(tgt, 0x11000, 0x2000, "/bin/app", listed);
	fake_add(
	    tgt, 0x20000, 0x2000, "/usr/lib/locale/locale-archive", listed);
	fake_add(tgt, 0x30000, 0x1000, "/data/head",
	    FAKE_READ | FAKE_WRITE | FAKE_FILE | FAKE_NOT_DUMPED);
	ck_assert_int_eq(find_omitted(tgt, &o), UMDB_OK);
	ck_assert_uint_eq(o.maps, 0);
	ck_assert_uint_eq(o.bytes, 0);
	fake_add(tgt, 0x40000, 0x2000, "/usr/local/data", listed);
	fake_add(tgt, 0x50000, 0x2000, "/dev/shm/queue", listed);
	ck_assert_int_eq(find_omitted(tgt, &o), UMDB_OK);
	ck_assert_uint_eq(o.maps, 2);
	ck_assert_uint_eq(o.bytes, 0x4000);
	ck_assert_str_eq(o.first, "/usr/local/data");
	target_close(tgt);
}
END_TEST

Suite *
test_find_diff_suite(void)
{
	Suite *suite = suite_create("find_diff");
	TCase *c = tcase_create("diff"), *m = tcase_create("modules");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, places_in_a_module_are_the_same_at_other_addresses);
	tcase_add_test(c, what_is_gone_lies_where_its_module_is_now);
	tcase_add_test(c, cache_and_every_frame_count);
	tcase_add_test(
	    c, modules_without_a_build_id_are_known_by_their_file_name);
	tcase_add_test(
	    c, frames_of_a_module_built_anew_are_compared_by_function);
	tcase_add_test(
	    c, module_with_the_same_build_id_wins_over_one_of_the_same_name);
	tcase_add_test(c, frames_in_no_module_are_known_by_function_or_address);
	tcase_add_test(c, order_is_by_bytes_grown_and_leaves_out_what_is_equal);
	tcase_add_test(c, nothing_and_nothing_make_nothing);
	suite_add_tcase(suite, c);
	tcase_add_test(m, modules_are_found_with_their_build_ids);
	tcase_add_test(m, damaged_images_are_survived);
	tcase_add_test(m, files_without_a_trace_in_the_core_are_counted);
	suite_add_tcase(suite, m);
	return suite;
}
