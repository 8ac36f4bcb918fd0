/* SPDX-License-Identifier: MIT */
/*
 * snap_fixture.h - a drawn heap and its snapshot, for tests
 *
 * A test draws (snap_setup is the fixture), breaks something, opens the
 * snapshot, and states what it says.
 */
#ifndef SNAP_FIXTURE_H
#define SNAP_FIXTURE_H

#include "draw.h"
#include "find.h"

extern struct draw drawn;
extern struct snap *snap; /* NULL until opened */

/* draw_heap() before, and all closed after a test */
void snap_setup(void);
void snap_teardown(void);

/* snap_expect_open - open it; failing fails the test */
void snap_expect_open(void);

/* snap_expect_refused - opening fails with this code and these words */
void snap_expect_refused(int code, const char *words);

/* snap_expect_cache - the cache of that name, which must be there */
const struct snap_cache *snap_expect_cache(const char *name);

/* Buffers of a cache by state; and of all caches as draw_heap() drew them. */
void snap_expect_counts(const char *name, uint64_t nalloc, uint64_t nslab,
    uint64_t ndepot, uint64_t nthread);
void snap_expect_healthy(void);

/* snap_expect_damage - one thing is damaged, at addr (0: anywhere) */
void snap_expect_damage(taddr_t addr, const char *words);

/*
 * What is lost: leaks_expect opens the snapshot, in which nothing may be
 * damaged, and finds the leaks; leaks_lost - whether a buffer is one of them;
 * leaks_teardown - in place of snap_teardown
 */
extern struct leaks *leaks; /* NULL until found */
void leaks_expect(void);
bool leaks_lost(taddr_t addr);
void leaks_teardown(void);

/* drawn_slab - the first slab that was drawn for a cache */
taddr_t drawn_slab(const char *name);

#endif /* SNAP_FIXTURE_H */
