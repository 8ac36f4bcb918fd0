/* SPDX-License-Identifier: MIT */
/*
 * test_walk.c - walkers, on healthy and on damaged structures
 */
#include <check.h>
#include <string.h>

#include "snap_fixture.h"
#include "suites.h"
#include "walk.h"

/* What a walker met, in order. */
static struct {
	taddr_t addr[64];
	uint64_t stamp[64];
	size_t n, stop; /* stop: return WALK_STOP at that many */
	int code;       /* ... or this error */
} met;

static void
setup(void)
{
	memset(&met, 0, sizeof(met));
	snap_setup();
}

static int
meet(taddr_t addr, uint64_t stamp)
{
	ck_assert_uint_lt(met.n, 64);
	met.addr[met.n] = addr;
	met.stamp[met.n++] = stamp;
	if (met.n == met.stop)
		return met.code != 0 ? met.code : WALK_STOP;
	return WALK_NEXT;
}

static int
meet_buf(struct snap *s, const struct snap_slab *slab, uint32_t index,
    enum buf_state state, void *arg)
{
	(void)s;
	ck_assert_ptr_eq(arg, &met);
	return meet(snap_buf_addr(slab, index), state);
}

static int
meet_slab(struct snap *s, taddr_t addr, const umem_slab_t *sp, void *arg)
{
	(void)s;
	(void)arg;
	return meet(addr, sp->slab_refcnt);
}

static int
meet_mag(struct snap *s, taddr_t addr, const umem_magazine_t *mag, void *arg)
{
	(void)s;
	(void)arg;
	return meet(addr, mag->mag_rounds);
}

static int
meet_record(struct snap *s, const struct snap_bufctl *bc, void *arg)
{
	(void)s;
	(void)arg;
	return meet(bc->addr, bc->bc.bc_timestamp);
}

static int
meet_seg(struct snap *s, taddr_t addr, const vmem_seg_t *seg, void *arg)
{
	(void)s;
	(void)arg;
	return meet(addr, seg->vs_start);
}

static void
expect_error(int rc, int code, taddr_t addr, const char *words)
{
	ck_assert_int_eq(rc, code);
	ck_assert_uint_eq(drawn.tgt->err.addr, addr);
	ck_assert_msg(strstr(drawn.tgt->err.msg, words) != NULL, "%s",
	    drawn.tgt->err.msg);
}

/* ----------------------------------------------------------------- buffers */

START_TEST(buffers_of_a_state_are_visited_in_order)
{
	taddr_t slab = drawn_slab("umem_alloc_64");
	const struct snap_cache *c;
	size_t i;

	snap_expect_open();
	c = snap_expect_cache("umem_alloc_64");
	ck_assert_int_eq(
	    walk_buffers(snap, c, 1u << BUF_FREE_DEPOT | 1u << BUF_FREE_THREAD,
		meet_buf, &met),
	    UMDB_OK);
	ck_assert_uint_eq(met.n, 10);
	for (i = 0; i < 10; i++) {
		ck_assert_uint_eq(
		    met.addr[i], draw_buf(&drawn, slab, 10 + (uint32_t)i));
		ck_assert_uint_eq(
		    met.stamp[i], i < 4 ? BUF_FREE_DEPOT : BUF_FREE_THREAD);
	}
}
END_TEST

START_TEST(buffers_of_all_caches_are_visited_without_one)
{
	snap_expect_open();
	ck_assert_int_eq(
	    walk_buffers(snap, NULL, 1u << BUF_ALLOCATED, meet_buf, &met),
	    UMDB_OK);
	ck_assert_uint_eq(met.n, 11 + 5 + 2);
}
END_TEST

START_TEST(walk_stops_when_told_and_passes_errors_on)
{
	snap_expect_open();
	met.stop = 3;
	ck_assert_int_eq(
	    walk_buffers(snap, NULL, 1u << BUF_ALLOCATED, meet_buf, &met),
	    UMDB_OK);
	ck_assert_uint_eq(met.n, 3);
	met.n = 0;
	met.code = UMDB_EUSAGE;
	ck_assert_int_eq(
	    walk_buffers(snap, NULL, 1u << BUF_ALLOCATED, meet_buf, &met),
	    UMDB_EUSAGE);
	ck_assert_uint_eq(met.n, 3);
}
END_TEST

/* ------------------------------------------------------------------- slabs */

START_TEST(slab_lists_are_followed_to_their_end)
{
	const struct snap_cache *c;

	snap_expect_open();
	c = snap_expect_cache("umem_alloc_64");
	ck_assert_int_eq(
	    walk_slab_list(snap, c, true, meet_slab, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 2);
	ck_assert_uint_eq(met.stamp[0], 1);
	ck_assert_uint_eq(met.stamp[1], 20);
	met.n = 0;
	ck_assert_int_eq(
	    walk_slab_list(snap, c, false, meet_slab, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 0);
	c = snap_expect_cache("umem_oversize");
	ck_assert_int_eq(
	    walk_slab_list(snap, c, false, meet_slab, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 2);
}
END_TEST

START_TEST(damaged_slab_list_is_an_error_not_the_end)
{
	taddr_t last = drawn_slab("umem_alloc_64"), first;
	const struct snap_cache *c;
	int rc;

	snap_expect_open();
	c = snap_expect_cache("umem_alloc_64");
	first = c->c.cache_partial;
	switch (_i) {
	case 0:
		DRAW_SET(&drawn, last, umem_slab_t, slab_next, 0xdead0000);
		rc = walk_slab_list(snap, c, true, meet_slab, NULL);
		expect_error(rc, UMDB_EFAULT, 0xdead0000,
		    " links to 0xdead0000, which cannot be read");
		ck_assert_uint_eq(met.n, 2);
		break;
	case 1:
		DRAW_SET(&drawn, last, umem_slab_t, slab_cache, c->addr + 8);
		rc = walk_slab_list(snap, c, true, meet_slab, NULL);
		expect_error(rc, UMDB_ECORRUPT, last, "says it belongs to");
		ck_assert_uint_eq(met.n, 1);
		break;
	case 2:
		DRAW_SET(&drawn, last, umem_slab_t, slab_prev, last);
		rc = walk_slab_list(snap, c, true, meet_slab, NULL);
		expect_error(rc, UMDB_ECORRUPT, last, "points back to");
		break;
	default:
		DRAW_SET(&drawn, last, umem_slab_t, slab_next, first);
		DRAW_SET(&drawn, first, umem_slab_t, slab_prev, last);
		rc = walk_slab_list(snap, c, true, meet_slab, NULL);
		expect_error(rc, UMDB_ECORRUPT, first, "points back to");
		break;
	}
}
END_TEST

START_TEST(slab_list_that_loops_under_its_lock_ends)
{
	taddr_t last = drawn_slab("umem_alloc_64");
	taddr_t c = draw_cache_addr(&drawn, "umem_alloc_64");

	DRAW_SET(&drawn, c, umem_cache_t, cache_lock.lk_word, 1);
	DRAW_SET(&drawn, last, umem_slab_t, slab_next,
	    DRAW_GET(&drawn, c, umem_cache_t, cache_partial));
	snap_expect_open();
	ck_assert_int_eq(
	    walk_slab_list(snap, snap_expect_cache("umem_alloc_64"), true,
		meet_slab, NULL),
	    UMDB_ECORRUPT);
	ck_assert_uint_le(met.n, 6);
	ck_assert_ptr_nonnull(strstr(drawn.tgt->err.msg, "loops"));
}
END_TEST

/* --------------------------------------------------------------- magazines */

START_TEST(depot_magazines_are_visited)
{
	const struct snap_cache *c;

	snap_expect_open();
	c = snap_expect_cache("umem_alloc_64");
	ck_assert_int_eq(walk_depot(snap, c, true, meet_mag, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 1);
	ck_assert_uint_eq(met.stamp[0], 4);
	ck_assert_int_eq(walk_depot(snap, c, false, meet_mag, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 2);
	ck_assert_uint_eq(met.stamp[1], 0);
}
END_TEST

START_TEST(damaged_magazine_is_an_error)
{
	const struct snap_cache *c;
	taddr_t mag;
	int rc;

	snap_expect_open();
	c = snap_expect_cache("umem_alloc_64");
	mag = c->c.cache_magfull.ml_list;
	switch (_i) {
	case 0:
		DRAW_SET(&drawn, mag, umem_magazine_t, mag_rounds, 17);
		rc = walk_depot(snap, c, true, meet_mag, NULL);
		expect_error(rc, UMDB_ECORRUPT, mag, "17 rounds of 16");
		break;
	case 1:
		DRAW_SET(&drawn, mag, umem_magazine_t, mag_cache, 0);
		rc = walk_depot(snap, c, true, meet_mag, NULL);
		expect_error(rc, UMDB_ECORRUPT, mag, "belongs to cache");
		break;
	case 2:
		DRAW_SET(&drawn, mag, umem_magazine_t, mag_next, mag);
		rc = walk_depot(snap, c, true, meet_mag, NULL);
		expect_error(rc, UMDB_ECORRUPT, mag, "loops");
		ck_assert_uint_eq(met.n, 1);
		break;
	default:
		DRAW_SET(&drawn, mag, umem_magazine_t, mag_next, 8);
		rc = walk_depot(snap, c, true, meet_mag, NULL);
		expect_error(rc, UMDB_EFAULT, 8, "cannot read magazine");
		ck_assert_uint_eq(met.n, 1);
		break;
	}
}
END_TEST

/* -------------------------------------------------------------------- logs */

static taddr_t
draw_one(taddr_t log, uint64_t chunk, uint64_t index, uint64_t timestamp)
{
	const uint64_t pc = DRAW_TEXT;
	const umem_bufctl_audit_t bc = {.bc_addr = DRAW_HEAP,
	    .bc_timestamp = timestamp,
	    .bc_kind = UMEM_BC_ALLOC,
	    .bc_trace = draw_trace(&drawn, &pc, 1)};

	return draw_record(&drawn, log, chunk, index, &bc);
}

START_TEST(log_records_come_newest_first_over_all_chunks)
{
	taddr_t log = draw_log(&drawn, 3, 1024), want[5];
	size_t i;

	want[2] = draw_one(log, 0, 0, 300);
	want[0] = draw_one(log, 0, 1, 500);
	want[4] = draw_one(log, 1, 3, 100);
	want[1] = draw_one(log, 2, 9, 400); /* the last that fits */
	want[3] = draw_one(log, 2, 0, 200);
	snap_expect_open();
	ck_assert_int_eq(walk_log(snap, log, meet_record, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 5);
	for (i = 0; i < 5; i++) {
		ck_assert_uint_eq(met.addr[i], want[i]);
		ck_assert_uint_eq(met.stamp[i], 500 - 100 * i);
	}
	ck_assert_uint_eq(snap->ndamage, 0);
}
END_TEST

START_TEST(records_of_one_moment_keep_their_order)
{
	taddr_t log = draw_log(&drawn, 1, 1024), older, newer;

	older = draw_one(log, 0, 0, 7);
	newer = draw_one(log, 0, 1, 7);
	snap_expect_open();
	ck_assert_int_eq(walk_log(snap, log, meet_record, NULL), UMDB_OK);
	ck_assert_uint_eq(met.addr[0], newer);
	ck_assert_uint_eq(met.addr[1], older);
}
END_TEST

START_TEST(no_log_is_not_found)
{
	snap_expect_open();
	ck_assert_int_eq(walk_log(snap, 0, meet_record, NULL), UMDB_ENOTFOUND);
	ck_assert_ptr_nonnull(strstr(drawn.tgt->err.msg, "UMEM_LOGGING"));
}
END_TEST

START_TEST(contents_log_has_no_records)
{
	taddr_t log = draw_log(&drawn, 1, 1024);

	DRAW_SET(&drawn, log, umem_log_header_t, lh_recsize, 0);
	snap_expect_open();
	ck_assert_int_eq(
	    walk_log(snap, log, meet_record, NULL), UMDB_ENOTFOUND);
}
END_TEST

START_TEST(damaged_record_is_noted_and_hides_no_other)
{
	taddr_t log = draw_log(&drawn, 1, 4096), bad;

	draw_one(log, 0, 0, 1);
	bad = draw_one(log, 0, 1, 2);
	draw_one(log, 0, 2, 3);
	if (_i == 0)
		DRAW_SET(&drawn, bad, umem_bufctl_audit_t, bc_trace, 60000);
	else
		DRAW_SET(&drawn, bad, umem_bufctl_audit_t, bc_kind, 7);
	snap_expect_open();
	ck_assert_int_eq(walk_log(snap, log, meet_record, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 2);
	ck_assert_uint_eq(met.stamp[0], 3);
	ck_assert_uint_eq(met.stamp[1], 1);
	snap_expect_damage(bad, "(in a log)");
}
END_TEST

START_TEST(unreadable_chunk_is_noted_and_hides_no_other)
{
	taddr_t log = draw_log(&drawn, 3, 4096), lost;

	draw_one(log, 0, 0, 1);
	lost = draw_one(log, 1, 0, 2);
	draw_one(log, 2, 0, 3);
	fake_break(drawn.tgt, lost, 4096);
	snap_expect_open();
	ck_assert_int_eq(walk_log(snap, log, meet_record, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 2);
	snap_expect_damage(lost, "cannot read log");
}
END_TEST

START_TEST(unused_log_may_be_left_out_of_the_core)
{
	taddr_t log = draw_log(&drawn, 2, 4096);
	const umem_log_header_t *h = fake_at(drawn.tgt, log, sizeof(*h));

	fake_break(drawn.tgt, h->lh_base, 2 * 4096);
	snap_expect_open();
	ck_assert_int_eq(walk_log(snap, log, meet_record, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 0);
	ck_assert_uint_eq(snap->ndamage, 0);
}
END_TEST

START_TEST(insane_log_header_is_an_error)
{
	static const struct {
		uint64_t chunks, chunksize, recsize;
	} bad[] = {
	    {UINT64_MAX, 4096, 64},
	    {1u << 24, UINT64_MAX, 64},
	    {0, 4096, 64},
	    {4, 0, 64},
	    {4, 4096, 8},
	    {4, 4096, 65},
	    {4, 4096, 128},
	};
	taddr_t log = draw_log(&drawn, 4, 4096);
	umem_log_header_t *h = fake_at(drawn.tgt, log, sizeof(*h));

	h->lh_nchunks = bad[_i].chunks;
	h->lh_chunksize = bad[_i].chunksize;
	h->lh_recsize = bad[_i].recsize;
	snap_expect_open();
	expect_error(walk_log(snap, log, meet_record, NULL), UMDB_ECORRUPT, log,
	    "is damaged");
	ck_assert_uint_eq(met.n, 0);
}
END_TEST

/* ----------------------------------------------------------------- history */

static taddr_t
bufctl_of(uint32_t index)
{
	const struct snap_slab *s;
	uint32_t i;

	ck_assert(snap_buf_at(snap,
	    draw_buf(&drawn, drawn_slab("umem_alloc_48"), index), &s, &i));
	return snap_buf_bufctl(s, i);
}

START_TEST(history_goes_back_from_the_bufctl_and_repeats_nothing)
{
	taddr_t at, freed, earlier;

	snap_expect_open();
	at = bufctl_of(5);
	/* the free's log record leads on to that of the allocation */
	freed = DRAW_GET(&drawn, at, umem_bufctl_audit_t, bc_lastlog);
	earlier = DRAW_GET(&drawn, freed, umem_bufctl_audit_t, bc_lastlog);
	ck_assert_uint_ne(earlier, 0);
	ck_assert_int_eq(walk_history(snap, at, meet_record, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 2);
	ck_assert_uint_eq(met.addr[0], at);
	ck_assert_uint_eq(met.addr[1], earlier);
	ck_assert_uint_gt(met.stamp[0], met.stamp[1]);
}
END_TEST

START_TEST(history_ends_where_the_log_was_overwritten)
{
	taddr_t at, freed, earlier;

	snap_expect_open();
	at = bufctl_of(5);
	freed = DRAW_GET(&drawn, at, umem_bufctl_audit_t, bc_lastlog);
	earlier = DRAW_GET(&drawn, freed, umem_bufctl_audit_t, bc_lastlog);
	switch (_i) {
	case 0: /* by another buffer's record */
		DRAW_SET(
		    &drawn, earlier, umem_bufctl_audit_t, bc_addr, DRAW_HEAP);
		break;
	case 1: /* by a newer one of the same */
		DRAW_SET(
		    &drawn, earlier, umem_bufctl_audit_t, bc_timestamp, 999999);
		break;
	case 2: /* half */
		DRAW_SET(&drawn, earlier, umem_bufctl_audit_t, bc_timestamp, 0);
		break;
	default: /* and a loop is an end like others */
		DRAW_SET(
		    &drawn, earlier, umem_bufctl_audit_t, bc_lastlog, freed);
		break;
	}
	ck_assert_int_eq(walk_history(snap, at, meet_record, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, _i == 3 ? 2 : 1);
}
END_TEST

START_TEST(buffer_never_used_has_no_history)
{
	snap_expect_open();
	ck_assert_int_eq(
	    walk_history(snap, bufctl_of(19), meet_record, NULL), UMDB_OK);
	ck_assert_uint_eq(met.n, 0);
}
END_TEST

START_TEST(history_that_leads_nowhere_is_an_error)
{
	taddr_t at;

	snap_expect_open();
	at = bufctl_of(5);
	DRAW_SET(&drawn, at, umem_bufctl_audit_t, bc_lastlog, 0xdead0000);
	expect_error(walk_history(snap, at, meet_record, NULL), UMDB_EFAULT,
	    0xdead0000, "cannot read bufctl");
	ck_assert_uint_eq(met.n, 1);
}
END_TEST

/* ---------------------------------------------------------------- segments */

START_TEST(segments_are_visited_by_type)
{
	snap_expect_open();
	ck_assert_int_eq(walk_segments(snap, &snap->arena[0],
			     VMEM_SEG_ALLOC | VMEM_SEG_FREE, meet_seg, NULL),
	    UMDB_OK);
	ck_assert_uint_eq(met.n, 3);
	ck_assert_uint_eq(met.stamp[0], DRAW_HEAP);
	ck_assert_uint_eq(met.stamp[2], drawn.heap);
	met.n = 0;
	ck_assert_int_eq(
	    walk_segments(snap, &snap->arena[0], VMEM_SEG_SPAN, meet_seg, NULL),
	    UMDB_OK);
	ck_assert_uint_eq(met.n, 1);
	met.n = 0;
	ck_assert_int_eq(walk_segments(snap, &snap->arena[0], VMEM_SEG_ROTOR,
			     meet_seg, NULL),
	    UMDB_OK);
	ck_assert_uint_eq(met.n, 1);
}
END_TEST

START_TEST(spans_may_come_in_any_order)
{
	taddr_t a = draw_arena(&drawn, "ids", 0);

	draw_segment(&drawn, a, VMEM_SEG_SPAN, 0x9000, 0xa000);
	draw_segment(&drawn, a, VMEM_SEG_FREE, 0x9000, 0xa000);
	draw_segment(&drawn, a, VMEM_SEG_SPAN, 0x1000, 0x2000);
	draw_segment(&drawn, a, VMEM_SEG_ALLOC, 0x1000, 0x2000);
	snap_expect_open();
	ck_assert_int_eq(walk_segments(snap, &snap->arena[2],
			     VMEM_SEG_ALLOC | VMEM_SEG_FREE, meet_seg, NULL),
	    UMDB_OK);
	ck_assert_uint_eq(met.n, 2);
}
END_TEST

START_TEST(damaged_ring_is_an_error)
{
	const unsigned all = 0xff;
	taddr_t span, seg;
	int rc;

	snap_expect_open();
	span = DRAW_GET(&drawn, drawn.heap_arena, vmem_t, vm_rotor.vs_anext);
	seg = DRAW_GET(&drawn, span, vmem_seg_t, vs_anext);
	switch (_i) {
	case 0:
		DRAW_SET(&drawn, seg, vmem_seg_t, vs_anext, 0xdead0000);
		rc = walk_segments(snap, &snap->arena[0], all, meet_seg, NULL);
		expect_error(
		    rc, UMDB_EFAULT, 0xdead0000, "cannot read segment");
		break;
	case 1:
		DRAW_SET(&drawn, seg, vmem_seg_t, vs_type, 0x41);
		rc = walk_segments(snap, &snap->arena[0], all, meet_seg, NULL);
		expect_error(rc, UMDB_ECORRUPT, seg, "unknown type 0x41");
		break;
	case 2:
		DRAW_SET(&drawn, seg, vmem_seg_t, vs_end, DRAW_HEAP);
		rc = walk_segments(snap, &snap->arena[0], all, meet_seg, NULL);
		expect_error(rc, UMDB_ECORRUPT, seg, "before it starts");
		break;
	case 3:
		DRAW_SET(&drawn, seg, vmem_seg_t, vs_aprev, seg);
		rc = walk_segments(snap, &snap->arena[0], all, meet_seg, NULL);
		expect_error(rc, UMDB_ECORRUPT, seg, "points back to");
		break;
	case 4:
		DRAW_SET(&drawn, seg, vmem_seg_t, vs_start, DRAW_HEAP - 4096);
		rc = walk_segments(snap, &snap->arena[0], all, meet_seg, NULL);
		expect_error(rc, UMDB_ECORRUPT, seg, "left of its span");
		break;
	default:
		DRAW_SET(&drawn, seg, vmem_seg_t, vs_anext, 0);
		rc = walk_segments(snap, &snap->arena[0], all, meet_seg, NULL);
		expect_error(rc, UMDB_EFAULT, 0, "cannot read segment");
		break;
	}
}
END_TEST

START_TEST(ring_that_loops_under_its_lock_ends)
{
	taddr_t a = drawn.heap_arena, span;

	span = DRAW_GET(&drawn, a, vmem_t, vm_rotor.vs_anext);
	DRAW_SET(&drawn, a, vmem_t, vm_lock.lk_word, 1);
	DRAW_SET(&drawn, DRAW_GET(&drawn, span, vmem_seg_t, vs_anext),
	    vmem_seg_t, vs_anext, span);
	snap_expect_open();
	ck_assert_int_eq(
	    walk_segments(snap, &snap->arena[0], 0xff, meet_seg, NULL),
	    UMDB_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(drawn.tgt->err.msg, "loop"));
	ck_assert_uint_le(met.n, 12);
}
END_TEST

/* ------------------------------------------------------------------- guard */

START_TEST(guard_finds_every_loop_and_no_other)
{
	uint64_t tail, loop, i, at;
	struct guard g;

	for (tail = 0; tail < 40; tail++)
		for (loop = 1; loop < 40; loop++) {
			memset(&g, 0, sizeof(g));
			for (i = 0;; i++) {
				at = i < tail ? i : tail + (i - tail) % loop;
				if (guard_loops(&g, 0x1000 + at * 8))
					break;
				ck_assert_uint_le(i, 3 * (tail + loop));
			}
			ck_assert_uint_ge(i, tail + loop);
		}
	memset(&g, 0, sizeof(g));
	for (i = 1; i < 100000; i++)
		ck_assert(!guard_loops(&g, i));
}
END_TEST

static TCase *
add_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, snap_teardown);
	suite_add_tcase(s, tc);
	return tc;
}

Suite *
test_walk_suite(void)
{
	Suite *s = suite_create("walk");
	TCase *tc = add_case(s, "healthy");

	tcase_add_test(tc, buffers_of_a_state_are_visited_in_order);
	tcase_add_test(tc, buffers_of_all_caches_are_visited_without_one);
	tcase_add_test(tc, walk_stops_when_told_and_passes_errors_on);
	tcase_add_test(tc, slab_lists_are_followed_to_their_end);
	tcase_add_test(tc, depot_magazines_are_visited);
	tcase_add_test(tc, log_records_come_newest_first_over_all_chunks);
	tcase_add_test(tc, records_of_one_moment_keep_their_order);
	tcase_add_test(tc, no_log_is_not_found);
	tcase_add_test(tc, contents_log_has_no_records);
	tcase_add_test(
	    tc, history_goes_back_from_the_bufctl_and_repeats_nothing);
	tcase_add_test(tc, buffer_never_used_has_no_history);
	tcase_add_test(tc, segments_are_visited_by_type);
	tcase_add_test(tc, spans_may_come_in_any_order);
	tcase_add_test(tc, guard_finds_every_loop_and_no_other);

	tc = add_case(s, "damaged");
	tcase_add_loop_test(
	    tc, damaged_slab_list_is_an_error_not_the_end, 0, 4);
	tcase_add_test(tc, slab_list_that_loops_under_its_lock_ends);
	tcase_add_loop_test(tc, damaged_magazine_is_an_error, 0, 4);
	tcase_add_loop_test(
	    tc, damaged_record_is_noted_and_hides_no_other, 0, 2);
	tcase_add_test(tc, unreadable_chunk_is_noted_and_hides_no_other);
	tcase_add_test(tc, unused_log_may_be_left_out_of_the_core);
	tcase_add_loop_test(tc, insane_log_header_is_an_error, 0, 7);
	tcase_add_loop_test(
	    tc, history_ends_where_the_log_was_overwritten, 0, 4);
	tcase_add_test(tc, history_that_leads_nowhere_is_an_error);
	tcase_add_loop_test(tc, damaged_ring_is_an_error, 0, 6);
	tcase_add_test(tc, ring_that_loops_under_its_lock_ends);
	return s;
}
