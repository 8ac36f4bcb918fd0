/* SPDX-License-Identifier: MIT */
/*
 * vmem_impl.h - the inside of arenas, for vmem_*.c and heap.c
 *
 * A vmem_t that vmem_create() returns is the first member of a struct
 * vmem_arena; every segment except vm_seg0, rotors and walkers is the first
 * member of a struct vmem_tag.  What follows is of no use to a debugger.
 *
 * Two things set the library's own page arenas apart:
 *
 * - ARENA_AGED: free segments are dirty (pages may be resident) or clean
 *   (read as zero).  Dirty and clean neighbours are not joined until only
 *   that makes a request fit; of a list's segments dirty ones are looked at
 *   first; and they stand on a list by age, from which heap_decay() purges
 *   the oldest.  Of two dirty segments that join, the
 *   larger gives its age, so that traffic at its edge does not keep a large
 *   one young.
 * - ARENA_RETAIN: wholly free imported spans are kept.
 *
 * Layer: above meta.h, stack.h, root.h; below heap.h.
 */
#ifndef UMEM_VMEM_IMPL_H
#define UMEM_VMEM_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "umem_layout.h"
#include "vmem.h"

/*
 * The object caches behind qcache_max.  The cache layer lies above this one,
 * so it enters itself here; while this is NULL arenas get no quantum caches.
 */
struct vmem_qcache_ops {
	struct umem_cache *(*create)(
	    const char *name, size_t size, size_t align, vmem_t *arena);
	void *(*alloc)(struct umem_cache *cp, int vmflag);
	void (*free)(struct umem_cache *cp, void *p);
	void (*destroy)(struct umem_cache *cp);
	void (*reap)(struct umem_cache *cp);
};
extern const struct vmem_qcache_ops *vmem_qcache_ops;

/* The clock of dirty segments: the last time that heap_decay() was told. */
extern uint64_t vmem_clock;

struct vmem_tag {
	vmem_seg_t seg;
	struct vmem_tag *older; /* dirty free segments */
	struct vmem_tag *younger;
};

/*
 * In the flags of an import: more than is needed is asked for, so do not try
 * hard.
 */
#define VM_HINT 0x00010000

#define ARENA_AGED 0x1u
#define ARENA_RETAIN 0x2u

/* vs_dirty */
enum {
	SEG_CLEAN,
	SEG_DIRTY,
	SEG_PURGING, /* on no list: somebody is about to make it clean */
};

struct vmem_arena {
	vmem_t vm;
	uint32_t flags;                     /* ARENA_* */
	uint32_t hash_shift;                /* 64 - log2(vm_hash_size) */
	size_t (*import_size)(size_t need); /* how much to import, or NULL */
	/* under vm_lock */
	vmem_seg_t *spare; /* unused segments, linked by vs_knext */
	uint32_t nspare;
	uint32_t purging; /* segments that are SEG_PURGING */
	uint32_t walkers; /* on the ring: vmem_walk() in progress */
	uint32_t pad;
	uint64_t dirty; /* bytes in dirty free segments */
	struct vmem_tag *oldest;
	struct vmem_tag *youngest;
};

/* What is asked for. */
struct vmem_req {
	uint64_t size; /* a multiple of the quantum */
	uint64_t align;
	uint64_t phase;
	uint64_t nocross; /* 0: none */
	uint64_t min;
	uint64_t max;  /* 0: none */
	int flags;     /* VM_* */
	int plain;     /* result: nothing but a size was asked for */
	int clean;     /* prefer clean segments to dirty ones */
	uint64_t room; /* better with so much free behind it, to grow into */
	int dirty;     /* result: the memory may be non-zero */
	/* who asks, for the segment's record */
	uint32_t thread;
	uint32_t trace;
	uint64_t timestamp;
};

static inline struct vmem_arena *
arena_of(vmem_t *vmp)
{
	return (struct vmem_arena *)vmp;
}

static inline uint64_t
seg_size(const vmem_seg_t *s)
{
	return s->vs_end - s->vs_start;
}

static inline unsigned
seg_class(uint64_t size)
{
	return 63 - (unsigned)__builtin_clzll(size);
}

/* How much may be free and dirty: 32 MiB, or as much as is in use. */
static inline uint64_t
arena_dirty_limit(const struct vmem_arena *ar)
{
	const uint64_t least = 32u << 20, used = ar->vm.vm_mem_inuse;

	return used > least ? used : least;
}

/* ------------------------------------------------------------- vmem_seg.c */

/*
 * All of these are called with the arena's vm_lock held.
 */

/* seg_reserve - have @n spare segments and some more.  0, or -1: no memory */
int seg_reserve(struct vmem_arena *ar, uint32_t n);

/* seg_get, seg_put - a spare segment, which there is; and back */
vmem_seg_t *seg_get(struct vmem_arena *ar);
void seg_put(struct vmem_arena *ar, vmem_seg_t *s);

/* seg_release_spares - give all spare segments back; the arena is dying */
void seg_release_spares(struct vmem_arena *ar);

/* ring_insert - put @s behind @after on the address ring; ring_remove */
void ring_insert(vmem_seg_t *after, vmem_seg_t *s);
void ring_remove(vmem_seg_t *s);

/* seg_take - hand out [addr, addr + size) of the free segment @s */
vmem_seg_t *seg_take(
    struct vmem_arena *ar, vmem_seg_t *s, uint64_t addr, uint64_t size);

/*
 * seg_free - an allocated segment becomes free and joins its neighbours.
 * Returns the segment that it is part of now.
 */
vmem_seg_t *seg_free(struct vmem_arena *ar, vmem_seg_t *s, int dirty);

/* seg_joinable - whether two neighbours on the ring could be one segment */
int seg_joinable(const vmem_seg_t *a, const vmem_seg_t *b);

/* seg_join - join @a with its successor if both are free and alike */
vmem_seg_t *seg_join(struct vmem_arena *ar, vmem_seg_t *a);

/*
 * seg_join_run - join the free segments around @s, dirty ones and clean ones,
 * to a dirty one if they have @size bytes in all; else NULL
 */
vmem_seg_t *seg_join_run(struct vmem_arena *ar, vmem_seg_t *s, uint64_t size);

/*
 * seg_cut_behind - take @size bytes off the free segments right behind @s,
 * which is to have them; -1 if there are not so many
 */
int seg_cut_behind(struct vmem_arena *ar, const vmem_seg_t *s, uint64_t size);

/* seg_trim - a free segment gets other bounds */
void seg_trim(
    struct vmem_arena *ar, vmem_seg_t *s, uint64_t start, uint64_t end);

/* seg_delete - a free segment goes away */
void seg_delete(struct vmem_arena *ar, vmem_seg_t *s);

/*
 * seg_purge_begin - take a dirty free segment off all lists, so that its
 * pages can be purged without the lock; seg_purge_end - it is clean now
 */
void seg_purge_begin(struct vmem_arena *ar, vmem_seg_t *s);
void seg_purge_end(struct vmem_arena *ar, vmem_seg_t *s);

/* seg_purge_undo - it will not be purged.  The segment that it is part of. */
vmem_seg_t *seg_purge_undo(struct vmem_arena *ar, vmem_seg_t *s);

/* hash_init - the first table.  0, or -1: no memory */
int hash_init(struct vmem_arena *ar);

/*
 * hash_insert, hash_find, hash_remove - allocated segments by address; the
 * statistics go with them.  hash_remove: NULL when size or address is wrong.
 */
void hash_insert(struct vmem_arena *ar, vmem_seg_t *s);
vmem_seg_t *hash_find(struct vmem_arena *ar, uint64_t addr);
vmem_seg_t *hash_remove(struct vmem_arena *ar, uint64_t addr, uint64_t size);

/* span_create - add a span; needs two spare segments.  Its free segment. */
vmem_seg_t *span_create(
    struct vmem_arena *ar, uint64_t start, uint64_t size, int import);

/* span_whole - the span that consists of nothing but @s, or NULL */
vmem_seg_t *span_whole(struct vmem_arena *ar, vmem_seg_t *s);

/* span_delete - drop a span and its only segment, which is free */
void span_delete(struct vmem_arena *ar, vmem_seg_t *span, vmem_seg_t *s);

/*
 * span_adopt - enter a span that is one allocation; needs two spare segments.
 * span_disown - the opposite, after hash_remove.
 */
vmem_seg_t *span_adopt(struct vmem_arena *ar, uint64_t start, uint64_t size);
void span_disown(struct vmem_arena *ar, vmem_seg_t *s);

/*
 * walker_move - move a rotor or walker behind @after, joining what it kept
 * apart.  Returns the joined segment, or NULL.
 */
vmem_seg_t *walker_move(
    struct vmem_arena *ar, vmem_seg_t *w, vmem_seg_t *after);

void seg_fork_lock(void);
void seg_fork_unlock(void);
void seg_fork_child(void);

/* ----------------------------------------------------------- vmem_alloc.c */

/* vmem_req_init - an unconstrained request */
static inline void
vmem_req_init(struct vmem_req *rq, const vmem_t *vmp, uint64_t size, int flags)
{
	*rq = (struct vmem_req){.align = vmp->vm_quantum, .flags = flags};
	rq->size = (size + vmp->vm_quantum - 1) & -vmp->vm_quantum;
}

/*
 * vmem_take - the general allocation, for heap.c: no quantum caches, no
 * stacks.  Returns 0 and *addr_ret, which may be 0, or -1.
 */
int vmem_take(vmem_t *vmp, struct vmem_req *rq, uint64_t *addr_ret);

/*
 * vmem_give - the opposite; @dirty: SEG_DIRTY or SEG_CLEAN.  @who is named
 * in the message when there is no such allocation.  Returns 1 when more than
 * arena_dirty_limit() bytes are dirty now, else 0.
 */
int vmem_give(
    vmem_t *vmp, uint64_t addr, uint64_t size, int dirty, const char *who);

/*
 * vmem_detach - if @s is all there is of an imported span, take it out of the
 * arena, whose lock is held.  Returns 1, and what to vmem_export() when the
 * lock has been dropped.
 */
int vmem_detach(struct vmem_arena *ar, vmem_seg_t *s, uint64_t *addr_ret,
    uint64_t *size_ret);

/* vmem_export - return wholly free [addr, addr + size) to where it came from */
void vmem_export(vmem_t *vmp, uint64_t addr, uint64_t size);

/*
 * vmem_adopt - memory that was taken from the source becomes a span of
 * @vmp with a single allocation; vmem_disown - the opposite, up to where the
 * caller returns it to the source.  Cheaper than an import, and for arenas
 * that import exactly what they hand out.  Return 0, or -1.
 */
int vmem_adopt(vmem_t *vmp, uint64_t addr, uint64_t size);
void vmem_disown(vmem_t *vmp, uint64_t addr, uint64_t size, const char *who);

/* vmem_adopt_resize - an adopted span has another size now */
void vmem_adopt_resize(
    vmem_t *vmp, uint64_t addr, uint64_t old_size, uint64_t new_size);

/*
 * vmem_resize - an allocation gets another size in its place.  Returns 0,
 * or -1 when what follows is not free, or (shrinking) there is no memory.
 */
int vmem_resize(
    vmem_t *vmp, uint64_t addr, uint64_t old_size, uint64_t new_size);

/* ----------------------------------------------------------- vmem_arena.c */

/* arena_create - vmem_create with VMF_* and ARENA_* */
vmem_t *arena_create(const char *name, uint64_t quantum, vmem_alloc_t *afunc,
    vmem_free_t *ffunc, vmem_t *source, uint32_t vm_flags, uint32_t flags);

/*
 * arena_is_valid - check everything about an arena's structure.  Returns
 * NULL when it is sound, else what is wrong.
 */
const char *arena_is_valid(vmem_t *vmp);

/* vmem_fork_lock - take the locks of all arenas, children before sources */
void vmem_fork_lock(void);
void vmem_fork_unlock(void);
void vmem_fork_child(void);

#endif /* UMEM_VMEM_IMPL_H */
