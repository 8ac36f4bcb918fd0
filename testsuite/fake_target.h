/* SPDX-License-Identifier: MIT */
/*
 * fake_target.h - a target made of byte arrays
 *
 * Tests draw structures into it, break one thing, and look what the readers
 * say.  Every part of memory can be told to fail, and whether memory may be
 * borrowed (target_map) can be chosen, so both ways are tested.
 */
#ifndef FAKE_TARGET_H
#define FAKE_TARGET_H

#include "target.h"

enum {
	FAKE_READ = 1,
	FAKE_WRITE = 2,
	FAKE_EXEC = 4,
	FAKE_FILE = 8,        /* backed by a file of that name */
	FAKE_NOT_DUMPED = 16, /* a mapping whose contents are missing */
	FAKE_LISTED = 32      /* likewise, and only a list of files names it */
};

/* fake_open - an empty target; fails the test without memory */
struct target *fake_open(void);

/*
 * fake_add - map zeroed memory at [addr, addr + size), which also becomes a
 * region.  Returns the local bytes; they live until target_close().
 */
void *fake_add(struct target *tgt, taddr_t addr, uint64_t size,
    const char *name, unsigned flags);

/* fake_at - local bytes of [addr, addr + len); fails the test if not mapped */
void *fake_at(struct target *tgt, taddr_t addr, uint64_t len);

/* fake_put, fake_put64, fake_get64 - write and read target memory */
void fake_put(struct target *tgt, taddr_t addr, const void *data, uint64_t len);
void fake_put64(struct target *tgt, taddr_t addr, uint64_t value);
uint64_t fake_get64(struct target *tgt, taddr_t addr);

/* fake_break - reads that touch [addr, addr + len) fail from now on */
void fake_break(struct target *tgt, taddr_t addr, uint64_t len);

/* fake_lend - whether target_map works; it does at first */
void fake_lend(struct target *tgt, bool lend);

/* fake_reads - calls of the read operation so far */
uint64_t fake_reads(const struct target *tgt);

/* fake_thread - add a thread; registers are zero but for these three */
struct target_thread *fake_thread(struct target *tgt, uint32_t lwp,
    uint64_t rsp, uint64_t rip, uint64_t fs_base);

#endif /* FAKE_TARGET_H */
