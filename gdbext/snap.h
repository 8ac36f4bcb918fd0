/* SPDX-License-Identifier: MIT */
/*
 * snap.h - what every command needs to know of the allocator, read once
 *
 * A snapshot holds the root, the caches, the arenas and an index of all slabs
 * sorted by address with the state of every buffer.  It is made at the first
 * command after the target stopped and dropped when it runs or changes.
 *
 * The index is built from the page map, which is exact in any state of the
 * process, not from the caches' lists, which may be half-changed or damaged;
 * umem_verify compares the two.
 *
 * Damage is collected, not fatal: a slab that cannot be believed is left out
 * of the index and noted in snap->damage, and every command says so.
 *
 * Layer: above target.h; below walk.h.
 */
#ifndef UMDB_SNAP_H
#define UMDB_SNAP_H

#include "rangemap.h"
#include "target.h"
#include "umem_layout.h"

enum buf_state {
	BUF_FREE_SLAB = 0,   /* free, in its slab */
	BUF_FREE_DEPOT = 1,  /* free, in a magazine of the depot */
	BUF_FREE_THREAD = 2, /* free, in a thread's cache */
	BUF_ALLOCATED = 3,
};

struct snap_cache {
	taddr_t addr;
	umem_cache_t c;
	uint64_t nalloc, nslab, ndepot, nthread; /* buffers by state */
};

struct snap_slab {
	taddr_t addr; /* of the umem_slab_t */
	taddr_t base; /* of its pages */
	uint64_t size;
	taddr_t first; /* first chunk */
	uint64_t chunksize;
	uint64_t bufsize; /* bytes that the client may use */
	uint32_t nchunk;
	uint32_t cache; /* index in snap->cache */
	uint64_t buf;   /* index of chunk 0 in snap->state */
	taddr_t bufctl; /* array of bufctls, or 0 */
};

struct snap_arena {
	taddr_t addr;
	vmem_t v;
	uint32_t parent; /* index, or UINT32_MAX */
};

struct snap_tcache {
	taddr_t addr;
	uint32_t tid;
};

/* Where structures and segments lie; filled by find_where.c when first asked */
struct snap_places {
	struct rangemap structs; /* of slabs, see find_where.h */
	struct rangemap mags;    /* value: of which thread, or 0 */
	struct rangemap segs;    /* the structures */
	struct rangemap *held;   /* of each arena: what its segments hold */
};

struct snap_damage {
	taddr_t addr;
	char msg[160];
};

struct snap {
	struct target *tgt;
	taddr_t root_addr;
	umem_root_t root;
	struct snap_cache *cache; /* creation order */
	uint32_t ncache;
	struct snap_slab *slab; /* sorted by base */
	size_t nslab;
	uint8_t *state; /* enum buf_state of each buffer */
	uint64_t nbuf;
	struct snap_arena *arena; /* creation order */
	uint32_t narena;
	struct snap_tcache *tcache;
	uint32_t ntcache;
	umem_region_t *region; /* the library's memory, sorted by base */
	size_t nregion;
	struct snap_damage *damage;
	size_t ndamage;
	size_t damage_more;       /* found beyond SNAP_DAMAGE_MAX, not kept */
	struct snap_index *index; /* page -> slab; of snap_*.c alone */
	struct snap_places places;
};
#define SNAP_DAMAGE_MAX 256u

/**
 * snap_open - find the allocator in a target and read all of the above
 *
 * Finds the ELF note "umem" in the images mapped in the target.  Returns the
 * snapshot, which borrows @tgt; or NULL with a sentence in tgt->err that says
 * what to do: no libumem in the process, another layout version (both named),
 * no allocations yet, and so on.
 */
struct snap *snap_open(struct target *tgt);
void snap_close(struct snap *snap);

/* snap_forget_places - they will be read again when they are asked for */
void snap_forget_places(struct snap *snap);

/*
 * snap_find_root - only the first step: address of the root, or 0 with
 * tgt->err set.  Cheap; for the handshake and for umem status.
 */
taddr_t snap_find_root(struct target *tgt);

/* snap_slab_at - the slab whose pages hold addr, or NULL.  O(log n) or less. */
const struct snap_slab *snap_slab_at(const struct snap *snap, taddr_t addr);

/*
 * snap_buf_at - the buffer whose chunk holds addr
 *
 * Returns true and sets the slab and the index of the chunk; false when addr
 * is not in a chunk (outside, slack before the first or behind the last).
 */
bool snap_buf_at(const struct snap *snap, taddr_t addr,
    const struct snap_slab **slab_ret, uint32_t *index_ret);

/* Address, state and bufctl (0 without audit) of buffer @index of a slab. */
static inline taddr_t
snap_buf_addr(const struct snap_slab *s, uint32_t index)
{
	return s->first + (uint64_t)index * s->chunksize;
}

static inline enum buf_state
snap_buf_state(
    const struct snap *snap, const struct snap_slab *s, uint32_t index)
{
	return (enum buf_state)snap->state[s->buf + index];
}

static inline taddr_t
snap_buf_bufctl(const struct snap_slab *s, uint32_t index)
{
	return s->bufctl
		   ? s->bufctl + (uint64_t)index * sizeof(umem_bufctl_audit_t)
		   : 0;
}

/*
 * snap_buf_size - bytes the client asked for, as far as is known: from the
 * bufctl, else from the red zone, else the cache's buffer size.
 */
uint64_t snap_buf_size(
    struct snap *snap, const struct snap_slab *s, uint32_t index);

/* snap_cache_named - by name or address; UMDB_ENOTFOUND names near misses */
int snap_cache_named(
    struct snap *snap, const char *text, const struct snap_cache **ret);

/* snap_ours - true when addr is in memory of the library (snap->region) */
bool snap_ours(const struct snap *snap, taddr_t addr);

/* snap_cache_at - the cache whose struct is at addr, or NULL */
const struct snap_cache *snap_cache_at(const struct snap *snap, taddr_t addr);

/*
 * snap_tcache_of - the thread cache that holds buffer @index of a slab, or
 * NULL.  Reads that cache's magazines in all thread caches: for one buffer,
 * not for all of them.
 */
const struct snap_tcache *snap_tcache_of(
    struct snap *snap, const struct snap_slab *s, uint32_t index);

/*
 * snap_read_magazine - read and check the head of a magazine; @cache is whose
 * rounds it should hold, 0 any.  Its rounds are uint64_t at
 * addr + UMEM_MAG_ROUND, mag_rounds of them, at most UMEM_MAX_ROUNDS.
 */
int snap_read_magazine(
    struct snap *snap, taddr_t addr, taddr_t cache, umem_magazine_t *ret);

/* snap_damaged - note damage, once for the same address and words */
void snap_damaged(struct snap *snap, taddr_t addr, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * snap_trace - the stack of a trace
 *
 * Equal stacks have equal numbers.  The stack lives as long as the snapshot,
 * and has no more than UMEM_MAX_DEPTH frames; none on failure, where damage is
 * UMDB_ECORRUPT.
 */
int snap_trace(struct snap *snap, uint32_t number, const uint64_t **stack_ret,
    uint32_t *depth_ret);

/*
 * snap_trace_known - the same for what is counted all the same: a trace that is
 * damaged or cannot be read becomes number 0.  Fails with UMDB_ENOMEM only.
 */
int snap_trace_known(struct snap *snap, uint32_t *number,
    const uint64_t **stack_ret, uint32_t *depth_ret);

/*
 * snap_trace_key - a key for an addrmap: of a cache's buffers that have one
 * trace and are of one @kind, 0 to 2
 */
static inline taddr_t
snap_trace_key(uint32_t kind, uint32_t cache, uint32_t trace)
{
	/* not 0, and an addrmap does not look at the lowest three bits */
	return ((uint64_t)(kind + 1) << UMEM_TRACE_BITS | trace) << 23 |
	       (uint64_t)cache << 3;
}

/* A bufctl or log record as read, with its stack, which the snapshot holds. */
struct snap_bufctl {
	taddr_t addr;
	umem_bufctl_audit_t bc;
	uint32_t depth;
	const uint64_t *stack;
};

/*
 * snap_read_bufctl - read a record with its stack; that is empty, and noted as
 * damage, when it cannot be read
 */
int snap_read_bufctl(struct snap *snap, taddr_t addr, struct snap_bufctl *ret);

/*
 * snap_bufctl_is_own - does the bufctl of buffer @index say that it is that
 * buffer's?  If it is another's that is damage, which is noted.
 */
bool snap_bufctl_is_own(struct snap *snap, const struct snap_slab *s,
    uint32_t index, const struct snap_bufctl *b);

#endif /* UMDB_SNAP_H */
