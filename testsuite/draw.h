/* SPDX-License-Identifier: MIT */
/*
 * draw.h - drawing a umem heap into a fake target
 *
 * draw_open() makes a process with libumem in it and nothing allocated: an
 * ELF image with the note, the root, an empty page map, arenas, a program
 * with data and a stack.  The other functions add to it.  Structures are
 * drawn as liballoc would write them; a test then changes a field through
 * fake_at() or DRAW_SET.
 */
#ifndef DRAW_H
#define DRAW_H

#include "fake_target.h"
#include "snap.h"

/* Where things are. */
#define DRAW_APP 0x555555554000u      /* the program's ELF image */
#define DRAW_APP_DATA 0x555555560000u /* its writable data, DRAW_DATA_SIZE */
#define DRAW_DATA_SIZE 0x10000u
#define DRAW_LIB 0x7ffff7a00000u      /* libumem's ELF image */
#define DRAW_LIB_DATA 0x7ffff7b00000u /* its data and bss: root, page map */
#define DRAW_HEAP 0x7ffff0000000u     /* slabs; DRAW_HEAP_SIZE */
#define DRAW_HEAP_SIZE 0x400000u
#define DRAW_META 0x7fffe0000000u /* structures; the page map's leaves too */
#define DRAW_META_SIZE 0x1000000u
#define DRAW_TRACES \
	0x7fffe0f00000u          /* its last MiB: the first piece of traces */
#define DRAW_LOG 0x7fffd0000000u /* logs */
#define DRAW_LOG_SIZE 0x100000u
#define DRAW_STACK 0x7ffffffde000u
#define DRAW_STACK_SIZE 0x21000u
#define DRAW_SP (DRAW_STACK + 0x20000u)
#define DRAW_TEXT 0x555555555000u /* code of the program: return addresses */

struct draw {
	struct target *tgt;
	taddr_t root;
	taddr_t meta; /* next free structure */
	taddr_t heap; /* next free page */
	taddr_t log;
	taddr_t leaf; /* page map leaf of DRAW_HEAP */
	taddr_t last_cache, last_arena;
	taddr_t heap_arena; /* "umem_heap" */
	uint64_t now;       /* next time stamp */
	uint32_t caches, arenas;
};

/* Write a field of a structure of the target. */
#define DRAW_SET(d, addr, type, field, value) \
	(((type *)fake_at((d)->tgt, (addr), sizeof(type)))->field = (value))
#define DRAW_GET(d, addr, type, field) \
	(((type *)fake_at((d)->tgt, (addr), sizeof(type)))->field)

/* draw_open - the empty heap; draw_close also closes the target */
void draw_open(struct draw *d);
void draw_close(struct draw *d);

/*
 * draw_heap - a healthy heap with some of everything, for tests that want one:
 *
 *	umem_alloc_64	malloc cache, bin 1, no debugging; two slabs of 60:
 *			the first with 0-9 allocated, 10-13 in a depot
 *			magazine, 14-17 loaded in thread 1001's bin, 18-19 in
 *			its previous magazine; the second empty but for 0
 *	umem_alloc_48	malloc cache, bin 2, audit and guards; one slab of 20:
 *			0-4 allocated (of 40, 41, ... bytes), 5 freed, the
 *			rest never used
 *	umem_oversize	two large buffers of 100000 and 5000 bytes
 *	arenas		umem_heap and umem_default below it, with segments
 *	logs		transaction log with the records of umem_alloc_48
 *
 * Caches are found by draw_cache_addr(d, NAME).
 */
void draw_heap(struct draw *d);
taddr_t draw_cache_addr(struct draw *d, const char *name);

/* draw_meta - zeroed memory for a structure, 16-aligned */
taddr_t draw_meta(struct draw *d, uint64_t size);

/* draw_cache - a cache at the end of the list; @flags: UMF_* */
taddr_t draw_cache(struct draw *d, const char *name, uint64_t bufsize,
    uint32_t flags, uint32_t bin);

/*
 * draw_slab - a slab of @chunks free buffers, entered in the page map and on
 * its cache's list of partial slabs.  Returns the umem_slab_t.
 */
taddr_t draw_slab(struct draw *d, taddr_t cache, uint32_t chunks);

/* draw_large - a large buffer: a slab of one chunk.  Returns the slab. */
taddr_t draw_large(struct draw *d, uint64_t size);

/* draw_buf - address of a buffer */
taddr_t draw_buf(struct draw *d, taddr_t slab, uint32_t index);

/*
 * draw_alloc - hand a buffer out: map, counts, guards and bufctl as the
 * cache's flags want.  @size: as asked for; without UMF_MALLOC it is the
 * cache's.  Returns the buffer.
 */
taddr_t draw_alloc(struct draw *d, taddr_t slab, uint32_t index, uint64_t size);

/* draw_free - back into the slab, with guards and bufctl */
void draw_free(struct draw *d, taddr_t slab, uint32_t index);

/* draw_bit - flip a buffer's bit, keep the counts and the lists */
void draw_bit(struct draw *d, taddr_t slab, uint32_t index, bool used);

/* draw_depot - a magazine with these buffers in the depot; its address */
taddr_t draw_depot(struct draw *d, taddr_t cache, const taddr_t *buf,
    uint32_t n, uint32_t size);

/* draw_tcache - a thread's cache, at the end of the list */
taddr_t draw_tcache(struct draw *d, uint32_t tid);

/* draw_load, draw_previous - put buffers into a bin; the magazine */
taddr_t draw_load(struct draw *d, taddr_t tcache, taddr_t cache,
    const taddr_t *buf, uint32_t n, uint32_t size);
taddr_t draw_previous(struct draw *d, taddr_t tcache, taddr_t cache,
    const taddr_t *buf, uint32_t n, uint32_t size);

/* draw_arena - an arena at the end of the list; @source 0: none */
taddr_t draw_arena(struct draw *d, const char *name, taddr_t source);

/* draw_segment - add at the end of the ring (ascending!); its address */
taddr_t draw_segment(
    struct draw *d, taddr_t arena, uint8_t type, uint64_t start, uint64_t end);

/* draw_log - an empty log; its header */
taddr_t draw_log(struct draw *d, uint64_t chunks, uint64_t chunksize);

/* draw_record - write a record into a log; its address */
taddr_t draw_record(struct draw *d, taddr_t log, uint64_t chunk, uint64_t index,
    const umem_bufctl_audit_t *bc);

/* draw_stack - the stack that drawn bufctls have, for @seed */
#define DRAW_DEPTH 4
void draw_stack(uint64_t *stack, unsigned seed);

/* draw_trace - the number of a stack's trace, which is added if it is new */
uint32_t draw_trace(struct draw *d, const uint64_t *stack, uint16_t depth);

/* draw_trace_at - where a trace lies */
taddr_t draw_trace_at(uint32_t number);

#endif /* DRAW_H */
