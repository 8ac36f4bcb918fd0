/* SPDX-License-Identifier: MIT */
/*
 * snap_fixture.c - a drawn heap and its snapshot, for tests
 */
#include "snap_fixture.h"

#include <check.h>
#include <string.h>

struct draw drawn;
struct snap *snap;
struct leaks *leaks;

void
snap_setup(void)
{
	draw_heap(&drawn);
	snap = NULL;
}

void
snap_teardown(void)
{
	snap_close(snap);
	snap = NULL;
	draw_close(&drawn);
}

void
leaks_teardown(void)
{
	find_leaks_free(leaks);
	leaks = NULL;
	snap_teardown();
}

void
snap_expect_open(void)
{
	snap = snap_open(drawn.tgt);
	if (snap == NULL)
		ck_abort_msg("%s", drawn.tgt->err.msg);
}

void
leaks_expect(void)
{
	snap_expect_open();
	ck_assert_uint_eq(snap->ndamage, 0);
	ck_assert_int_eq(find_leaks(snap, &leaks), UMDB_OK);
}

bool
leaks_lost(taddr_t addr)
{
	size_t i;

	for (i = 0; i < leaks->nleak; i++)
		if (leaks->leak[i].addr == addr)
			return true;
	return false;
}

const struct snap_cache *
snap_expect_cache(const char *name)
{
	const struct snap_cache *c;

	ck_assert_int_eq(snap_cache_named(snap, name, &c), UMDB_OK);
	return c;
}

void
snap_expect_counts(const char *name, uint64_t nalloc, uint64_t nslab,
    uint64_t ndepot, uint64_t nthread)
{
	const struct snap_cache *c = snap_expect_cache(name);

	ck_assert_uint_eq(c->nalloc, nalloc);
	ck_assert_uint_eq(c->nslab, nslab);
	ck_assert_uint_eq(c->ndepot, ndepot);
	ck_assert_uint_eq(c->nthread, nthread);
}

void
snap_expect_healthy(void)
{
	snap_expect_counts("umem_alloc_64", 11, 99, 4, 6);
	snap_expect_counts("umem_alloc_48", 5, 15, 0, 0);
	snap_expect_counts("umem_oversize", 2, 0, 0, 0);
	ck_assert_uint_eq(snap->nslab, 5);
	ck_assert_uint_eq(snap->nbuf, 60 + 60 + 20 + 1 + 1);
}

/* Exactly one thing is damaged, and the words say what. */
void
snap_expect_damage(taddr_t addr, const char *words)
{
	ck_assert_uint_eq(snap->ndamage, 1);
	ck_assert_msg(strstr(snap->damage[0].msg, words) != NULL, "%s",
	    snap->damage[0].msg);
	if (addr != 0)
		ck_assert_uint_eq(snap->damage[0].addr, addr);
}

void
snap_expect_refused(int code, const char *words)
{
	snap = snap_open(drawn.tgt);
	ck_assert_ptr_null(snap);
	ck_assert_int_eq(drawn.tgt->err.code, code);
	ck_assert_msg(strstr(drawn.tgt->err.msg, words) != NULL, "%s",
	    drawn.tgt->err.msg);
}

/* The first slab of a drawn cache; its partial list is newest first. */
taddr_t
drawn_slab(const char *name)
{
	taddr_t c = draw_cache_addr(&drawn, name), s, last = 0;

	for (s = DRAW_GET(&drawn, c, umem_cache_t, cache_partial); s != 0;
	     s = DRAW_GET(&drawn, s, umem_slab_t, slab_next))
		last = s;
	for (s = DRAW_GET(&drawn, c, umem_cache_t, cache_full); s != 0;
	     s = DRAW_GET(&drawn, s, umem_slab_t, slab_next))
		last = s;
	ck_assert_uint_ne(last, 0);
	return last;
}
