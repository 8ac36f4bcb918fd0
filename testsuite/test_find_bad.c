/* SPDX-License-Identifier: MIT */
/*
 * test_find_bad.c - umem_verify on drawn heaps, healthy and damaged
 *
 * Each test breaks one thing of the healthy heap and states what is said of
 * it: kind, buffer, first bad byte, and that nothing else is reported.
 */
#include <check.h>
#include <string.h>

#include "draw.h"
#include "find.h"
#include "suites.h"

#define FOUND_MAX 16
#define TAG 48u   /* offset of the buftag in umem_alloc_48 */
#define CHUNK 80u /* distance of its buffers */

static struct draw d;
static struct snap *snap;
static struct bad found[FOUND_MAX];
static size_t nfound;
static uint64_t checked;
static taddr_t plain, audited, slab, buf; /* buf: the third, 42 bytes */

static void
setup(void)
{
	draw_heap(&d);
	DRAW_SET(&d, d.root, umem_root_t, root_maxverify, UINT64_MAX);
	plain = draw_cache_addr(&d, "umem_alloc_64");
	audited = draw_cache_addr(&d, "umem_alloc_48");
	slab = DRAW_GET(&d, audited, umem_cache_t, cache_partial);
	buf = draw_buf(&d, slab, 2);
}

static void
teardown(void)
{
	snap_close(snap);
	snap = NULL;
	draw_close(&d);
}

static int
note(struct snap *s, const struct bad *bad, void *arg)
{
	(void)s;
	(void)arg;
	ck_assert_uint_lt(nfound, FOUND_MAX);
	ck_assert_uint_gt(strlen(bad->msg), 10);
	found[nfound++] = *bad;
	return WALK_NEXT;
}

/* Verify a cache; returns how much was found. */
static size_t
verify(taddr_t cache)
{
	if (snap == NULL)
		snap = snap_open(d.tgt);
	ck_assert_ptr_nonnull(snap);
	nfound = 0;
	ck_assert_int_eq(
	    find_bad(snap, snap_cache_at(snap, cache), note, NULL, &checked),
	    UMDB_OK);
	return nfound;
}

static void
expect_one(enum bad_kind kind, taddr_t of, taddr_t at)
{
	ck_assert_uint_eq(verify(audited), 1);
	ck_assert_int_eq(found[0].kind, kind);
	ck_assert_uint_eq(found[0].buf, of);
	ck_assert_uint_eq(found[0].at, at);
	ck_assert_uint_ne(found[0].bufctl, 0);
}

static void
poke(taddr_t at, unsigned char byte)
{
	fake_put(d.tgt, at, &byte, 1);
}

/* ----------------------------------------------------------------- healthy */

START_TEST(healthy_heap_is_clean)
{
	uint32_t i;

	snap = snap_open(d.tgt);
	for (i = 0; i < snap->ncache; i++)
		ck_assert_uint_eq(verify(snap->cache[i].addr), 0);
	verify(audited);
	ck_assert_uint_eq(checked, 20);
	verify(plain);
	ck_assert_uint_eq(checked, 0);
	ck_assert_uint_eq(snap->ndamage, 0);
}
END_TEST

START_TEST(healthy_heap_is_clean_when_memory_is_not_lent)
{
	fake_lend(d.tgt, false);
	ck_assert_uint_eq(verify(audited), 0);
	ck_assert_uint_eq(checked, 20);
}
END_TEST

/* ------------------------------------------------------------------ guards */

START_TEST(overrun_by_one_byte_is_named)
{
	poke(buf + 42, 'A');
	expect_one(BAD_REDZONE, buf, buf + 42);
	ck_assert_uint_eq(found[0].expected, UMEM_REDZONE_BYTE);
	ck_assert_uint_eq(found[0].found, 'A');
	ck_assert(found[0].allocated);
	ck_assert_ptr_nonnull(
	    strstr(found[0].msg, "byte 42 is 0x41, not 0xbb"));
}
END_TEST

START_TEST(every_byte_of_the_guards_is_checked)
{
	uint64_t off;

	for (off = 42; off < CHUNK; off++) {
		unsigned char *p = fake_at(d.tgt, buf + off, 1);

		*p ^= 0x55;
		ck_assert_uint_eq(verify(audited), 1);
		if (off < TAG + 4)
			ck_assert_int_eq(found[0].kind, BAD_REDZONE);
		else if (off < TAG + 8)
			ck_assert_int_eq(found[0].kind, BAD_SIZE);
		else if (off < TAG + 24)
			ck_assert_int_eq(found[0].kind, BAD_BUFTAG);
		else
			ck_assert_int_eq(found[0].kind, BAD_UNDERRUN);
		ck_assert_uint_eq(found[0].buf,
		    found[0].kind == BAD_UNDERRUN ? buf + CHUNK : buf);
		*p ^= 0x55;
	}
	ck_assert_uint_eq(verify(audited), 0);
}
END_TEST

START_TEST(underrun_is_named)
{
	poke(buf - 3, 0);
	expect_one(BAD_UNDERRUN, buf, buf - 3);
	ck_assert_uint_eq(found[0].found, 0);
	ck_assert_uint_eq(found[0].expected, 0xfa);
}
END_TEST

START_TEST(underrun_of_the_first_buffer_of_a_slab_is_seen)
{
	taddr_t first = draw_buf(&d, slab, 0);

	poke(first - 1, 7);
	expect_one(BAD_UNDERRUN, first, first - 1);
}
END_TEST

START_TEST(long_overrun_is_one_finding)
{
	memset(fake_at(d.tgt, buf, CHUNK), 'x', CHUNK);
	expect_one(BAD_REDZONE, buf, buf + 42);
}
END_TEST

START_TEST(write_after_free_is_named)
{
	taddr_t freed = draw_buf(&d, slab, 5), never = draw_buf(&d, slab, 9);

	poke(freed + 13, 1);
	expect_one(BAD_FREE, freed, freed + 13);
	ck_assert_uint_eq(found[0].expected, UMEM_PATTERN_FREE);
	ck_assert_uint_eq(found[0].found, 0xdead01efdeadbeefULL);
	ck_assert(!found[0].allocated);
	poke(never, 1);
	ck_assert_uint_eq(verify(audited), 2);
	ck_assert_uint_eq(found[1].buf, never);
}
END_TEST

START_TEST(tag_of_a_free_buffer_is_checked)
{
	taddr_t freed = draw_buf(&d, slab, 5);

	poke(freed + TAG + 2, 1);
	expect_one(BAD_REDZONE, freed, freed + TAG + 2);
	poke(freed + TAG + 2, 0xed);
	poke(freed + TAG + 16, 1);
	expect_one(BAD_BUFTAG, freed, freed + TAG + 16);
}
END_TEST

START_TEST(record_of_another_buffer_is_seen)
{
	taddr_t bc = DRAW_GET(&d, slab, umem_slab_t, slab_bufctl) +
		     2 * sizeof(umem_bufctl_audit_t);

	DRAW_SET(&d, bc, umem_bufctl_audit_t, bc_addr, buf + CHUNK);
	expect_one(BAD_BUFCTL, buf, buf);
	DRAW_SET(&d, bc, umem_bufctl_audit_t, bc_addr, 0);
	expect_one(BAD_BUFCTL, buf, buf);
	DRAW_SET(&d, bc, umem_bufctl_audit_t, bc_addr, buf);
	DRAW_SET(&d, bc, umem_bufctl_audit_t, bc_kind, UMEM_BC_FREE);
	expect_one(BAD_BUFCTL, buf, buf);
}
END_TEST

START_TEST(lite_checks_eight_bytes)
{
	umem_cache_t *c = fake_at(d.tgt, audited, sizeof(*c));
	taddr_t freed = draw_buf(&d, slab, 5);

	c->cache_flags |= UMF_LITE;
	c->cache_verify = 8;
	poke(freed + 8, 1);
	ck_assert_uint_eq(verify(audited), 0);
	poke(freed + 7, 1);
	expect_one(BAD_FREE, freed, freed + 7);
}
END_TEST

/* Guards on the large buffers of the drawn heap. */
static taddr_t
guard_large(void)
{
	taddr_t cache = draw_cache_addr(&d, "umem_oversize"), s, b;
	umem_slab_t *sp;
	uint64_t n;

	DRAW_SET(&d, cache, umem_cache_t, cache_flags,
	    UMF_LARGE | UMF_MALLOC | UMF_REDZONE);
	s = DRAW_GET(&d, cache, umem_cache_t, cache_full);
	for (; s != 0; s = sp->slab_next) {
		sp = fake_at(d.tgt, s, sizeof(*sp));
		b = sp->slab_base + sp->slab_first + sp->slab_reqsize;
		n = sp->slab_chunksize - sp->slab_reqsize;
		n = n < 64 ? n : 64;
		memset(fake_at(d.tgt, b, n), UMEM_REDZONE_BYTE, n);
	}
	return cache;
}

START_TEST(large_buffers_are_checked_behind_their_end)
{
	taddr_t cache = guard_large(), s, b;

	ck_assert_uint_eq(verify(cache), 0);
	ck_assert_uint_eq(checked, 2);
	s = DRAW_GET(&d, cache, umem_cache_t, cache_full);
	b = draw_buf(&d, s, 0) + DRAW_GET(&d, s, umem_slab_t, slab_reqsize);
	poke(b + 64, 1);
	ck_assert_uint_eq(verify(cache), 0);
	poke(b + 63, 1);
	ck_assert_uint_eq(verify(cache), 1);
	ck_assert_int_eq(found[0].kind, BAD_REDZONE);
	ck_assert_uint_eq(found[0].at, b + 63);
}
END_TEST

START_TEST(large_buffers_made_before_the_options_have_no_guards)
{
	taddr_t cache = guard_large(), s;

	s = DRAW_GET(&d, cache, umem_cache_t, cache_full);
	poke(
	    draw_buf(&d, s, 0) + DRAW_GET(&d, s, umem_slab_t, slab_reqsize), 1);
	DRAW_SET(&d, s, umem_slab_t, slab_flags, UMEM_SLAB_PLAIN);
	ck_assert_uint_eq(verify(cache), 0);
	ck_assert_uint_eq(checked, 1);
}
END_TEST

/* --------------------------------------------------------------- in flight */

/* Buffer 2 as a thread in the middle of free(3) has it. */
static void
half_free(void)
{
	taddr_t bc = DRAW_GET(&d, slab, umem_slab_t, slab_bufctl) +
		     2 * sizeof(umem_bufctl_audit_t);

	DRAW_SET(&d, bc, umem_bufctl_audit_t, bc_kind, UMEM_BC_FREE);
	fake_put64(d.tgt, buf, UMEM_PATTERN_FREE);
	fake_put64(d.tgt, buf + 40, UMEM_PATTERN_FREE);
}

START_TEST(buffer_that_a_thread_is_freeing_is_excused)
{
	half_free();
	d.tgt->thread[0].reg[0] = buf;
	d.tgt->thread[0].reg[TARGET_RIP] = DRAW_LIB + 0x100;
	ck_assert_uint_eq(verify(audited), 0);
}
END_TEST

START_TEST(buffer_on_the_stack_of_a_call_from_the_library_is_excused)
{
	half_free();
	fake_put64(d.tgt, DRAW_SP + 64, buf);
	fake_put64(d.tgt, DRAW_SP + 128, DRAW_LIB + 0x100);
	ck_assert_uint_eq(verify(audited), 0);
}
END_TEST

START_TEST(damage_is_not_excused_by_a_thread_elsewhere)
{
	half_free();
	d.tgt->thread[0].reg[0] = buf;
	expect_one(BAD_REDZONE, buf, buf + 42);
}
END_TEST

START_TEST(damage_is_not_excused_by_what_the_client_holds)
{
	half_free();
	d.tgt->thread[0].reg[TARGET_RIP] = DRAW_LIB + 0x100;
	fake_put64(d.tgt, DRAW_SP + 64, DRAW_LIB + 0x200);
	fake_put64(d.tgt, DRAW_SP + 64 + 512, buf);
	expect_one(BAD_REDZONE, buf, buf + 42);
}
END_TEST

START_TEST(buffer_whose_record_is_half_written_is_excused)
{
	taddr_t bc = DRAW_GET(&d, slab, umem_slab_t, slab_bufctl) +
		     2 * sizeof(umem_bufctl_audit_t);

	DRAW_SET(&d, bc, umem_bufctl_audit_t, bc_size, 47);
	expect_one(BAD_SIZE, buf, buf + TAG + 4);
	snap_close(snap);
	snap = NULL;
	d.tgt->thread[0].reg[3] = buf;
	d.tgt->thread[0].reg[TARGET_RIP] = DRAW_LIB + 0x100;
	ck_assert_uint_eq(verify(audited), 0);
}
END_TEST

START_TEST(buffer_for_which_the_library_stopped_is_not_excused)
{
	half_free();
	d.tgt->thread[0].reg[0] = buf;
	d.tgt->thread[0].reg[TARGET_RIP] = DRAW_LIB + 0x100;
	DRAW_SET(&d, d.root, umem_root_t, root_abort.ab_timestamp, 5);
	DRAW_SET(&d, d.root, umem_root_t, root_abort.ab_realbuf, buf);
	expect_one(BAD_REDZONE, buf, buf + 42);
}
END_TEST

/* Neither the slab nor a magazine has it any more, nor has the client. */
START_TEST(free_buffer_that_the_library_refused_to_hand_out_is_free)
{
	draw_free(&d, slab, 2);
	draw_bit(&d, slab, 2, true);
	poke(buf + 13, 1);
	DRAW_SET(&d, d.root, umem_root_t, root_abort.ab_timestamp, 5);
	DRAW_SET(&d, d.root, umem_root_t, root_abort.ab_realbuf, buf);
	DRAW_SET(
	    &d, d.root, umem_root_t, root_abort.ab_error, UMEM_ERR_MODIFIED);
	expect_one(BAD_FREE, buf, buf + 13);
}
END_TEST

static void
forked_at(uint64_t when, uint64_t recorded)
{
	taddr_t bc = DRAW_GET(&d, slab, umem_slab_t, slab_bufctl) +
		     2 * sizeof(umem_bufctl_audit_t);

	DRAW_SET(&d, bc, umem_bufctl_audit_t, bc_timestamp, recorded);
	DRAW_SET(&d, d.root, umem_root_t, root_forked, when);
}

START_TEST(buffer_that_fork_took_from_its_thread_is_excused)
{
	half_free();
	forked_at(1000, 999);
	ck_assert_uint_eq(verify(audited), 0);
}
END_TEST

START_TEST(first_record_that_fork_cut_short_is_excused)
{
	taddr_t bc = DRAW_GET(&d, slab, umem_slab_t, slab_bufctl) +
		     2 * sizeof(umem_bufctl_audit_t);

	DRAW_SET(&d, bc, umem_bufctl_audit_t, bc_addr, 0);
	forked_at(1000, 0);
	ck_assert_uint_eq(verify(audited), 0);
}
END_TEST

START_TEST(damage_since_fork_is_not_excused)
{
	half_free();
	forked_at(1000, 1001);
	expect_one(BAD_REDZONE, buf, buf + 42);
}
END_TEST

START_TEST(overrun_before_fork_is_not_excused)
{
	*(char *)fake_at(d.tgt, buf + 42, 1) = 'X';
	forked_at(1000, 999);
	expect_one(BAD_REDZONE, buf, buf + 42);
}
END_TEST

/* -------------------------------------------------------------- structures */

static void
expect_struct(taddr_t cache, taddr_t at, const char *words)
{
	ck_assert_uint_ge(verify(cache), 1);
	ck_assert_int_eq(found[0].kind, BAD_STRUCT);
	ck_assert_uint_eq(found[0].buf, at);
	ck_assert_msg(
	    strstr(found[0].msg, words) != NULL, "said: %s", found[0].msg);
}

START_TEST(slab_that_counts_wrong_is_named)
{
	DRAW_SET(&d, slab, umem_slab_t, slab_refcnt, 9);
	expect_struct(audited, slab, "counts 9");
}
END_TEST

START_TEST(list_of_slabs_that_loops_is_named)
{
	taddr_t s = DRAW_GET(&d, plain, umem_cache_t, cache_partial);
	taddr_t last = DRAW_GET(&d, s, umem_slab_t, slab_next);

	DRAW_SET(&d, last, umem_slab_t, slab_next, s);
	ck_assert_uint_ge(verify(plain), 1);
	ck_assert_int_eq(found[0].kind, BAD_STRUCT);
}
END_TEST

START_TEST(slab_that_is_on_no_list_is_missed)
{
	taddr_t s = DRAW_GET(&d, plain, umem_cache_t, cache_partial);

	DRAW_SET(&d, s, umem_slab_t, slab_next, 0);
	expect_struct(plain, plain, "has 1 slabs on its lists");
}
END_TEST

START_TEST(full_slab_on_the_partial_list_is_named)
{
	umem_cache_t *c = fake_at(d.tgt, audited, sizeof(*c));

	c->cache_full = c->cache_partial;
	c->cache_partial = 0;
	expect_struct(audited, slab, "on the list of full ones");
}
END_TEST

START_TEST(nothing_is_compared_under_a_held_lock)
{
	DRAW_SET(&d, slab, umem_slab_t, slab_refcnt, 9);
	DRAW_SET(&d, audited, umem_cache_t, cache_lock.lk_word, 1);
	ck_assert_uint_eq(verify(audited), 0);
}
END_TEST

START_TEST(magazine_with_a_stranger_is_named)
{
	taddr_t mag = DRAW_GET(&d, plain, umem_cache_t, cache_magfull.ml_list);

	fake_put64(d.tgt, mag + UMEM_MAG_ROUND + 8, buf);
	expect_struct(plain, mag, "no buffer of cache umem_alloc_64");
}
END_TEST

START_TEST(buffer_twice_in_magazines_is_named)
{
	taddr_t mag = DRAW_GET(&d, plain, umem_cache_t, cache_magfull.ml_list);
	taddr_t twice = fake_get64(d.tgt, mag + UMEM_MAG_ROUND);

	fake_put64(d.tgt, mag + UMEM_MAG_ROUND + 8, twice);
	expect_struct(plain, twice, "freed twice");
	ck_assert_uint_eq(nfound, 1);
}
END_TEST

START_TEST(buffer_free_in_its_slab_and_in_a_magazine_is_named)
{
	taddr_t mag = DRAW_GET(&d, plain, umem_cache_t, cache_magfull.ml_list);
	taddr_t s = DRAW_GET(&d, plain, umem_cache_t, cache_partial);
	taddr_t other = draw_buf(&d, s, 30);

	fake_put64(d.tgt, mag + UMEM_MAG_ROUND + 8, other);
	expect_struct(plain, other, "free in its slab");
}
END_TEST

START_TEST(depot_that_counts_wrong_is_named)
{
	DRAW_SET(&d, plain, umem_cache_t, cache_magfull.ml_total, 3);
	expect_struct(plain, plain, "3 full magazines; there are 1");
}
END_TEST

START_TEST(arena_with_a_hole_is_named)
{
	taddr_t seg = DRAW_GET(&d, d.heap_arena, vmem_t, vm_seg0.vs_aprev);
	taddr_t first;

	snap = snap_open(d.tgt);
	first = snap->cache[0].addr; /* it answers for all drawn arenas */
	snap_close(snap);
	snap = NULL;
	ck_assert_uint_eq(verify(first), 0);
	snap_close(snap);
	snap = NULL;
	DRAW_SET(&d, seg, vmem_seg_t, vs_start, d.heap + 4096);
	expect_struct(first, seg, "where one from");
}
END_TEST

START_TEST(arena_that_counts_wrong_is_named)
{
	DRAW_SET(&d, d.heap_arena, vmem_t, vm_mem_inuse, 12345);
	expect_struct(DRAW_GET(&d, d.root, umem_root_t, root_caches),
	    d.heap_arena, "12345 bytes are in use");
}
END_TEST

/* ----------------------------------------------------------------- calling */

static int
stop(struct snap *s, const struct bad *bad, void *arg)
{
	(void)s;
	(void)bad;
	++*(int *)arg;
	return WALK_STOP;
}

static int
refuse(struct snap *s, const struct bad *bad, void *arg)
{
	(void)bad;
	(void)arg;
	return target_fail(s->tgt, UMDB_EIO, 0, "enough");
}

START_TEST(caller_can_stop_or_fail)
{
	int calls = 0;

	poke(buf + 42, 'A');
	poke(buf - 1, 'A');
	snap = snap_open(d.tgt);
	ck_assert_int_eq(find_bad(snap, snap_cache_at(snap, audited), stop,
			     &calls, &checked),
	    UMDB_OK);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(find_bad(snap, snap_cache_at(snap, audited), refuse,
			     NULL, &checked),
	    UMDB_EIO);
}
END_TEST

START_TEST(unreadable_buffers_are_noted_as_damage_of_the_picture)
{
	fake_break(d.tgt, draw_buf(&d, slab, 0), 64);
	ck_assert_uint_eq(verify(audited), 0);
	ck_assert_uint_eq(checked, 0);
	ck_assert_uint_eq(snap->ndamage, 1);
}
END_TEST

static void
add_guards(Suite *s)
{
	TCase *t = tcase_create("guards");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, overrun_by_one_byte_is_named);
	tcase_add_test(t, every_byte_of_the_guards_is_checked);
	tcase_add_test(t, underrun_is_named);
	tcase_add_test(t, underrun_of_the_first_buffer_of_a_slab_is_seen);
	tcase_add_test(t, long_overrun_is_one_finding);
	tcase_add_test(t, write_after_free_is_named);
	tcase_add_test(t, tag_of_a_free_buffer_is_checked);
	tcase_add_test(t, record_of_another_buffer_is_seen);
	tcase_add_test(t, lite_checks_eight_bytes);
	tcase_add_test(t, large_buffers_are_checked_behind_their_end);
	tcase_add_test(t, large_buffers_made_before_the_options_have_no_guards);
	tcase_add_test(t, buffer_that_a_thread_is_freeing_is_excused);
	tcase_add_test(
	    t, buffer_on_the_stack_of_a_call_from_the_library_is_excused);
	tcase_add_test(t, damage_is_not_excused_by_a_thread_elsewhere);
	tcase_add_test(t, damage_is_not_excused_by_what_the_client_holds);
	tcase_add_test(t, buffer_whose_record_is_half_written_is_excused);
	tcase_add_test(t, buffer_for_which_the_library_stopped_is_not_excused);
	tcase_add_test(
	    t, free_buffer_that_the_library_refused_to_hand_out_is_free);
	tcase_add_test(t, buffer_that_fork_took_from_its_thread_is_excused);
	tcase_add_test(t, first_record_that_fork_cut_short_is_excused);
	tcase_add_test(t, damage_since_fork_is_not_excused);
	tcase_add_test(t, overrun_before_fork_is_not_excused);
	suite_add_tcase(s, t);
}

static void
add_structures(Suite *s)
{
	TCase *t = tcase_create("structures");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, slab_that_counts_wrong_is_named);
	tcase_add_test(t, list_of_slabs_that_loops_is_named);
	tcase_add_test(t, slab_that_is_on_no_list_is_missed);
	tcase_add_test(t, full_slab_on_the_partial_list_is_named);
	tcase_add_test(t, nothing_is_compared_under_a_held_lock);
	tcase_add_test(t, magazine_with_a_stranger_is_named);
	tcase_add_test(t, buffer_twice_in_magazines_is_named);
	tcase_add_test(t, buffer_free_in_its_slab_and_in_a_magazine_is_named);
	tcase_add_test(t, depot_that_counts_wrong_is_named);
	tcase_add_test(t, arena_with_a_hole_is_named);
	tcase_add_test(t, arena_that_counts_wrong_is_named);
	suite_add_tcase(s, t);
}

Suite *
test_find_bad_suite(void)
{
	Suite *s = suite_create("find_bad");
	TCase *t = tcase_create("healthy");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, healthy_heap_is_clean);
	tcase_add_test(t, healthy_heap_is_clean_when_memory_is_not_lent);
	tcase_add_test(t, caller_can_stop_or_fail);
	tcase_add_test(
	    t, unreadable_buffers_are_noted_as_damage_of_the_picture);
	suite_add_tcase(s, t);
	add_guards(s);
	add_structures(s);
	return s;
}
