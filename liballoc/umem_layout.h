/* SPDX-License-Identifier: MIT */
/*
 * umem_layout.h - every structure that a debugger may see
 *
 * This header is the contract between the allocator and libumdb.so.  It is
 * compiled twice: into the allocator, where UMEM_PTR(T) is a pointer, and
 * into the debugger library with UMEM_LAYOUT_REMOTE, where it is a uint64_t,
 * so that following a target pointer there by mistake does not compile.
 *
 * How a debugger finds its way: the library carries an ELF note (owner
 * "umem", type 1) whose descriptor is a 4-byte self-relative offset to
 * umem_root.  Everything hangs from the root:
 *
 *	root -> caches -> slabs -> (bitmap, bufctl array)
 *	     -> depot magazines of each cache
 *	     -> thread caches -> loaded and previous magazine of each bin
 *	     -> page map (address -> slab)
 *	     -> arenas -> segments
 *	     -> logs, message buffer, abort information, options in force
 *	     -> regions (all memory that the library took from the system)
 *
 * A buffer is in exactly one state:
 *	free in its slab		bit in slab_map is 0
 *	free in the depot		bit is 1, in a magazine of the cache
 *	free in a thread's cache	bit is 1, in a bin of a thread cache
 *	allocated			bit is 1, in no magazine
 * While magazines change hands a magazine may be reachable twice, never not
 * at all: readers collect buffers as a set.
 *
 * Rules: fixed-width fields only; no array whose length the target chooses
 * inside a struct (tails are read entry by entry against a UMEM_MAX_*); a
 * change of any layout bumps UMEM_LAYOUT_VERSION.
 */
#ifndef UMEM_LAYOUT_H
#define UMEM_LAYOUT_H

#include <stdint.h>

#ifdef UMEM_LAYOUT_REMOTE
#define UMEM_PTR(type) uint64_t
#else
#define UMEM_PTR(type) type *
#endif

#define UMEM_LAYOUT_VERSION 3u
#define UMEM_ROOT_MAGIC "umem root\n\x1a\x55\xaa" /* 14 bytes and two NULs */
#define UMEM_NOTE_OWNER "umem"
#define UMEM_NOTE_TYPE 1u

#define UMEM_PAGE_SHIFT 12
#define UMEM_RECIP_SHIFT 40 /* of cache_recip */
#define UMEM_PAGE_SIZE (1u << UMEM_PAGE_SHIFT)

/* Limits against which a reader checks counts before it believes them. */
#define UMEM_MAX_CACHES 65536u
#define UMEM_MAX_CHUNKS 4096u /* buffers in a slab */
#define UMEM_MAX_ROUNDS 1024u /* buffers in a magazine */
#define UMEM_MAX_DEPTH 239u   /* frames in a bufctl */
#define UMEM_TC_BINS 256u     /* bins in a thread cache */
#define UMEM_NAME_LEN 32
#define UMEM_VMEM_NAME_LEN 32
#define UMEM_VMEM_FREELISTS 64
#define UMEM_VMEM_QCACHES 16
#define UMEM_LOG_SLOTS_MAX 64

/* Patterns.  The words are libumem's: people know them by sight. */
#define UMEM_PATTERN_UNINIT 0xbaddcafebaddcafeULL
#define UMEM_PATTERN_FREE 0xdeadbeefdeadbeefULL
#define UMEM_PATTERN_REDZONE 0xfeedfacefeedfaceULL
#define UMEM_REDZONE_BYTE 0xbb
#define UMEM_BUFTAG_ALLOC 0xa110c8edULL
#define UMEM_BUFTAG_FREE 0xf4eef4eeULL

/*
 * The size of a request is kept in the upper half of bt_redzone as
 * 251 * size + 1, which a damaged word rarely satisfies.
 */
#define UMEM_SIZE_ENCODE(n) (251u * (uint32_t)(n) + 1u)
#define UMEM_SIZE_DECODE(x) ((uint32_t)(x) / 251u)
#define UMEM_SIZE_VALID(x) ((uint32_t)(x) % 251u == 1u)

/* cache_flags */
#define UMF_AUDIT 0x0001u       /* bufctls record who and when */
#define UMF_DEADBEEF 0x0002u    /* fill on free, check on alloc */
#define UMF_REDZONE 0x0004u     /* buftag behind (and before) each buffer */
#define UMF_CONTENTS 0x0008u    /* keep the contents of freed buffers */
#define UMF_CHECKSIGNAL 0x0010u /* panic when called from a handler */
#define UMF_NOMAGAZINE 0x0020u  /* no magazines, no thread cache */
#define UMF_FIREWALL 0x0040u    /* each buffer against an unmapped page */
#define UMF_LITE 0x0100u        /* guards, checking 8 bytes only */
#define UMF_RANDOMIZE 0x0400u   /* flags vary from cache to cache */
#define UMF_CHECKNULL 0x1000u   /* failed allocations are errors */
#define UMF_MALLOC 0x2000u      /* serves malloc and umem_alloc */
#define UMF_LARGE 0x4000u       /* umem_oversize: one buffer a slab */
#define UMF_BUFTAG (UMF_DEADBEEF | UMF_REDZONE)

/* cache_cflags: what the creator asked for */
#define UMC_NOTOUCH 0x00010000u
#define UMC_NODEBUG 0x00020000u
#define UMC_NOMAGAZINE 0x00040000u
#define UMC_NOHASH 0x00080000u
#define UMC_QCACHE 0x00100000u   /* quantum cache of an arena */
#define UMC_INTERNAL 0x80000000u /* made by the library itself */

struct umem_cache;
struct umem_slab;
struct umem_magazine;
struct umem_bufctl_audit;
struct umem_tcache;
struct umem_pmleaf;
struct umem_log_header;
struct umem_region;
struct umem_watch;
struct vmem;
struct vmem_seg;

/* A lock is opaque here, so that the layout depends on no libc. */
typedef struct umem_lock {
	uint32_t lk_word;  /* 0 free, 1 held, 2 held and waited for */
	uint32_t lk_owner; /* kernel thread id of the holder, 0 unknown */
} umem_lock_t;

/* ------------------------------------------------------------- magazines */

/*
 * A magazine: an array of buffer pointers.  In the depot mag_rounds says how
 * many are filled, from mag_round[0] up; while it is loaded in a thread
 * cache the bin's tb_top says so and mag_rounds is stale.
 */
typedef struct umem_magazine {
	UMEM_PTR(struct umem_magazine) mag_next; /* depot list */
	UMEM_PTR(struct umem_cache) mag_cache;   /* whose rounds these are */
	uint32_t mag_size;                       /* capacity in rounds */
	uint32_t mag_rounds;                     /* filled, when not loaded */
	/* uint64_t mag_round[mag_size] follows at UMEM_MAG_ROUND */
} umem_magazine_t;
#define UMEM_MAG_ROUND 24

typedef struct umem_maglist {
	UMEM_PTR(struct umem_magazine) ml_list;
	uint64_t ml_total;  /* magazines on the list */
	uint64_t ml_min;    /* fewest since the last update */
	uint64_t ml_rounds; /* buffers in them */
	uint64_t ml_alloc;  /* magazines handed out */
} umem_maglist_t;

/*
 * One bin of a thread cache.  [tb_base, tb_top) are the loaded magazine's
 * filled rounds and [tb_top, tb_limit) its empty ones; tb_base is
 * UMEM_MAG_ROUND bytes into the magazine.  All zero: nothing loaded.  tb_prev
 * is the previous magazine (Bonwick and Adams, "Magazines and Vmem", 2001),
 * whose mag_rounds is exact.  While magazines change hands the three pointers
 * may not fit together (tb_base <= tb_top <= tb_limit, or all zero); then the
 * magazine concerned is in tc_transit with an exact mag_rounds.
 */
typedef struct umem_tcbin {
	UMEM_PTR(void *) tb_top;
	UMEM_PTR(void *) tb_base;
	UMEM_PTR(void *) tb_limit;
	UMEM_PTR(struct umem_magazine) tb_prev;
} umem_tcbin_t;

/* A thread's cache; bin i belongs to the cache whose cache_bin is i. */
typedef struct umem_tcache {
	umem_tcbin_t tc_bin[UMEM_TC_BINS];
	UMEM_PTR(struct umem_tcache) tc_next; /* root_tcaches */
	UMEM_PTR(struct umem_tcache) tc_prev;
	uint64_t tc_thread_pointer; /* fs base of the owner */
	uint64_t tc_ticks;          /* slow-path entries */
	uint32_t tc_tid;            /* kernel thread id, 0 unused */
	uint32_t tc_state;          /* UMEM_TC_* */
	uint32_t tc_capacity;       /* bytes that its magazines can hold */
	uint32_t tc_slot;           /* log slot */
	/* magazines that change hands right now, or 0: as if in the depot */
	UMEM_PTR(struct umem_magazine) tc_transit[2];
	uint8_t tc_grow[UMEM_TC_BINS]; /* refill batch of each bin */
} umem_tcache_t;
#define UMEM_TC_FREE 0u /* on the free list, owns nothing */
#define UMEM_TC_LIVE 1u /* belongs to a running thread */

/* ----------------------------------------------------------------- slabs */

/*
 * A slab: a run of pages cut into slab_chunks chunks.  Chunk i starts at
 * slab_base + slab_first + i * slab_chunksize, and the buffer is the first
 * cache_bufsize bytes of its chunk.  For UMF_LARGE caches there is one
 * chunk, slab_reqsize is the size asked for and the buffer's size.
 * The struct lies outside the slab's pages; nothing is written into a free
 * buffer by this layer.
 */
typedef struct umem_slab {
	/* what a call that is checked, or a realloc, looks at */
	UMEM_PTR(struct umem_cache) slab_cache;
	UMEM_PTR(void) slab_base; /* first byte of the run */
	uint64_t slab_size;       /* bytes in the run */
	uint64_t slab_chunksize;
	UMEM_PTR(struct umem_bufctl_audit)
	slab_bufctl;           /* of each chunk; or 0 */
	uint64_t slab_reqsize; /* large: bytes asked for */
	uint32_t slab_first;   /* offset of chunk 0 */
	uint32_t slab_chunks;
	uint32_t slab_flags; /* UMEM_SLAB_* */
	uint32_t slab_ready; /* bytes that have memory behind them */
	/* the rest */
	UMEM_PTR(struct umem_slab) slab_next; /* cache's list */
	UMEM_PTR(struct umem_slab) slab_prev;
	UMEM_PTR(uint64_t) slab_map; /* bit i set: chunk i handed out */
	uint32_t slab_refcnt;        /* chunks handed out */
	uint32_t slab_hint;          /* word of slab_map to look at first */
} umem_slab_t;
#define UMEM_SLAB_PARTIAL 0x1u     /* on cache_partial, else on cache_full */
#define UMEM_SLAB_GUARD 0x2u       /* large: last page is PROT_NONE */
#define UMEM_SLAB_READY UINT32_MAX /* slab_ready: all have */
#define UMEM_SLAB_PLAIN 0x4u       /* large: no guards and no record */
#define UMEM_SLAB_WATCHED 0x8u     /* large: see ahead.h */

/* --------------------------------------------------- page map and regions */

/*
 * Address -> slab.  root_pagemap points to UMEM_PM_ROOTS pointers, each 0 or
 * a leaf for 1 GiB of addresses.  pl_bin is the thread-cache bin that a
 * pointer into the page may be pushed on without further checks, 0 if none
 * (not ours, large, or a cache with debugging).  Of a UMF_LARGE slab only the
 * pages up to the first byte of its buffer are entered.
 */
#define UMEM_PM_ADDR_BITS 47
#define UMEM_PM_LEAF_BITS 18
#define UMEM_PM_LEAF_PAGES (1u << UMEM_PM_LEAF_BITS)
#define UMEM_PM_ROOTS \
	(1u << (UMEM_PM_ADDR_BITS - UMEM_PM_LEAF_BITS - UMEM_PAGE_SHIFT))
typedef struct umem_pmleaf {
	uint8_t pl_bin[UMEM_PM_LEAF_PAGES];
	UMEM_PTR(struct umem_slab) pl_slab[UMEM_PM_LEAF_PAGES];
} umem_pmleaf_t;

/* Memory that the library took from the system and still holds. */
typedef struct umem_region {
	UMEM_PTR(struct umem_region) rg_next;
	uint64_t rg_base;
	uint64_t rg_size;
	uint32_t rg_kind; /* UMEM_RG_* */
	uint32_t rg_pad;
} umem_region_t;
#define UMEM_RG_HEAP 1u /* spans of the heap arena: slabs, large buffers */
#define UMEM_RG_META 2u /* slab structs, magazines, bufctls, page map */
#define UMEM_RG_LOG 3u

/* ------------------------------------------------------- auditing, guards */

/*
 * What follows the cache_bufsize bytes of a buffer, at cache_buftag.  All
 * words from bt_front to the end of the chunk hold the same pattern: the last
 * of them stands right before the next buffer and guards that one against an
 * underrun.  One such word stands before the first chunk of a slab.
 */
typedef struct umem_buftag {
	uint64_t bt_redzone; /* pattern, or pattern | size */
	uint64_t bt_bufctl;  /* bufctl, or the buffer */
	uint64_t bt_bxstat;  /* bt_bufctl ^ UMEM_BUFTAG_* */
	uint64_t bt_front;   /* UMEM_PATTERN_REDZONE */
} umem_buftag_t;

/*
 * A trace: return addresses, innermost first, none inside the library.  Each
 * one is kept once, and as long as the process lives, because records in
 * buffers' bufctls, logs and segments name it by its number: how many words
 * before it there are in the memory of traces, which comes in pieces.  0 is the
 * trace without frames.
 */
typedef struct umem_trace {
	uint32_t tr_next;  /* another trace that hashes alike, or 0 */
	uint16_t tr_depth; /* entries in tr_stack */
	uint16_t tr_hash;  /* some other bits of the hash */
	/* uint64_t tr_stack[tr_depth] follows at UMEM_TRACE_STACK */
} umem_trace_t;
#define UMEM_TRACE_STACK 8
#define UMEM_TRACE_BITS 29 /* of a number */
#define UMEM_TRACE_SHIFT 20
#define UMEM_TRACE_BYTES (1u << UMEM_TRACE_SHIFT) /* of a piece */
#define UMEM_TRACE_PIECES (1u << (UMEM_TRACE_BITS + 3 - UMEM_TRACE_SHIFT))
#define UMEM_TRACE_PIECE(number) ((number) >> (UMEM_TRACE_SHIFT - 3))
#define UMEM_TRACE_OFFSET(number) ((number)*8u & (UMEM_TRACE_BYTES - 1))
/* words of one: none lies in two pieces */
#define UMEM_TRACE_WORDS(depth) (1u + (depth))

/* The record of a buffer's last transaction, and of a log entry. */
typedef struct umem_bufctl_audit {
	UMEM_PTR(void) bc_addr;
	UMEM_PTR(struct umem_slab) bc_slab;
	UMEM_PTR(struct umem_cache) bc_cache;
	uint64_t bc_timestamp; /* CLOCK_MONOTONIC, ns; 0 unused */
	uint64_t bc_size;      /* bytes asked for */
	UMEM_PTR(struct umem_bufctl_audit) bc_lastlog; /* newest log copy */
	UMEM_PTR(void) bc_contents; /* umem_contents_t, or 0 */
	uint32_t bc_thread;         /* kernel thread id */
	union {
		struct {
			uint32_t bc_trace : UMEM_TRACE_BITS;
			uint32_t bc_kind : 3; /* UMEM_BC_* */
		};
		uint32_t bc_what; /* both, to be written at once */
	};
} umem_bufctl_audit_t;
#define UMEM_BC_WHAT(trace, kind) ((trace) | (kind) << UMEM_TRACE_BITS)
#define UMEM_BC_NEVER 0u /* the buffer was never handed out */
#define UMEM_BC_ALLOC 1u
#define UMEM_BC_FREE 2u
#define UMEM_BC_FAIL 3u /* fail log: bc_cache may be 0 */
#define UMEM_BC_SLAB 4u /* slab log: bc_addr is the slab's base */

/* What the contents log keeps of a freed buffer; data follows. */
typedef struct umem_contents {
	uint64_t ct_addr;      /* the buffer */
	uint64_t ct_timestamp; /* of the free that kept it */
	uint64_t ct_size;      /* bytes that follow */
} umem_contents_t;

/*
 * A log is a ring of chunks.  Each slot writes records into a chunk of its
 * own; a full chunk goes to the tail of the ring and the oldest is taken
 * from its head.  Fixed-size logs hold lh_chunksize / lh_recsize records a
 * chunk, in order; a record whose timestamp is 0 was never written.
 */
typedef struct umem_log_slot {
	umem_lock_t ls_lock;
	uint64_t ls_chunk;   /* index of the chunk being written */
	uint64_t ls_used;    /* bytes of it */
	uint64_t ls_records; /* ever written */
	uint64_t ls_spare[4];
} umem_log_slot_t;

typedef struct umem_log_header {
	umem_lock_t lh_lock;
	UMEM_PTR(void) lh_base;
	UMEM_PTR(uint32_t) lh_ring; /* lh_nchunks chunk numbers */
	uint64_t lh_chunksize;
	uint64_t lh_nchunks;
	uint64_t lh_recsize; /* 0: records of varying size (contents) */
	uint64_t lh_head;    /* ring positions, modulo lh_nchunks */
	uint64_t lh_tail;
	uint64_t lh_nslots;
	uint64_t lh_hits; /* chunks taken */
	umem_log_slot_t lh_slot[UMEM_LOG_SLOTS_MAX];
} umem_log_header_t;

/* ---------------------------------------------------------------- caches */

typedef struct umem_cache {
	char cache_name[UMEM_NAME_LEN];
	/* fixed at creation; first what a call that is checked looks at */
	uint32_t cache_flags;       /* UMF_* */
	uint32_t cache_bin;         /* bin in thread caches, 0 none */
	uint32_t cache_buftag;      /* offset of the buftag in a chunk, or 0 */
	uint32_t cache_bufctl_size; /* bytes of one bufctl, 0 none */
	uint64_t cache_bufsize;     /* bytes the client may use */
	uint64_t cache_recip;       /* 2^UMEM_RECIP_SHIFT / chunksize, up */
	uint64_t cache_verify;      /* bytes checked and filled by DEADBEEF */
	uint64_t cache_contents;    /* bytes kept by CONTENTS */
	uint64_t cache_align;
	uint64_t cache_chunksize; /* distance of two buffers */
	uint64_t cache_slabsize;
	uint32_t cache_chunks;  /* chunks in a slab */
	uint32_t cache_first;   /* offset of the first chunk */
	uint32_t cache_cflags;  /* UMC_* */
	uint32_t cache_fastbin; /* cache_bin, or 0 when calls are checked */
	uint32_t cache_magsize; /* rounds of new magazines */
	uint32_t cache_number;  /* in order of creation, from 1 */
	uint64_t cache_mtbf;
	uint64_t cache_constructor; /* code addresses, private argument */
	uint64_t cache_destructor;
	uint64_t cache_reclaim;
	uint64_t cache_private;
	UMEM_PTR(struct vmem) cache_arena; /* where slabs come from */
	UMEM_PTR(struct umem_cache)
	cache_next; /* root_caches, creation order */
	UMEM_PTR(struct umem_cache) cache_prev;
	/* slab layer, under cache_lock */
	umem_lock_t cache_lock;
	UMEM_PTR(struct umem_slab) cache_partial; /* some chunks left */
	UMEM_PTR(struct umem_slab) cache_full;    /* all handed out */
	uint64_t cache_slab_create;
	uint64_t cache_slab_destroy;
	uint64_t cache_slab_alloc; /* buffers */
	uint64_t cache_slab_free;
	uint64_t cache_alloc_fail;
	uint64_t cache_buftotal;
	uint64_t cache_bufmax;
	uint64_t cache_bufslab; /* buffers not free in slabs */
	/* depot, under cache_depot_lock */
	umem_lock_t cache_depot_lock;
	umem_maglist_t cache_magfull;
	umem_maglist_t cache_magempty;
	uint64_t cache_depot_contention;
	uint64_t cache_depot_contention_prev;
	/* under the list's lock, see cache_list.h */
	uint32_t cache_visitors;
	uint32_t cache_closed;
	uint64_t cache_spare[5];
} umem_cache_t;

/* ---------------------------------------------------------------- arenas */

#define VMEM_SEG_ALLOC 0x01u
#define VMEM_SEG_FREE 0x02u
#define VMEM_SEG_SPAN 0x10u
#define VMEM_SEG_ROTOR 0x20u
#define VMEM_SEG_WALKER 0x40u

/*
 * A boundary tag.  All segments of an arena, spans included, stand on one
 * ring through vm_seg0: a span before what it contains, which is in address
 * order; spans in order of creation.
 * vs_knext/vs_kprev link segments of one kind: free ones on the list of
 * their size, spans on the span ring, allocated ones on their hash chain.
 */
typedef struct vmem_seg {
	uint64_t vs_start;
	uint64_t vs_end;
	UMEM_PTR(struct vmem_seg) vs_anext;
	UMEM_PTR(struct vmem_seg) vs_aprev;
	UMEM_PTR(struct vmem_seg) vs_knext;
	UMEM_PTR(struct vmem_seg) vs_kprev;
	uint8_t vs_type;   /* VMEM_SEG_* */
	uint8_t vs_import; /* span: came from vm_source */
	uint8_t vs_dirty;  /* free in the heap: pages may be resident */
	uint8_t vs_pad;
	uint32_t vs_thread;    /* kernel thread id; with audit only */
	uint64_t vs_timestamp; /* ns: of the alloc (audit) or of the free */
	uint32_t vs_trace;     /* of the alloc, with audit */
	uint32_t vs_pad2;
} vmem_seg_t;

typedef struct vmem_freelist {
	UMEM_PTR(struct vmem_seg) vf_next;
	UMEM_PTR(struct vmem_seg) vf_prev;
} vmem_freelist_t;

typedef struct vmem {
	char vm_name[UMEM_VMEM_NAME_LEN];
	umem_lock_t vm_lock;
	uint32_t vm_id;
	uint32_t vm_flags; /* VMF_* */
	uint64_t vm_quantum;
	uint64_t vm_qcache_max;
	uint32_t vm_qshift;
	uint32_t vm_depth;      /* 0 top, 1 has a source, ... */
	uint64_t vm_alloc_func; /* code addresses of import and export */
	uint64_t vm_free_func;
	UMEM_PTR(struct vmem) vm_source;
	UMEM_PTR(struct vmem) vm_next; /* root_arenas, creation order */
	/* under vm_lock */
	vmem_seg_t vm_seg0;  /* anchor of the address ring and span ring */
	vmem_seg_t vm_rotor; /* next fit stands here */
	uint64_t vm_freemap; /* bit i: list i is not empty */
	vmem_freelist_t vm_freelist[UMEM_VMEM_FREELISTS]; /* [2^i, 2^(i+1)) */
	UMEM_PTR(UMEM_PTR(struct vmem_seg)) vm_hash;
	uint64_t vm_hash_size; /* a power of two */
	UMEM_PTR(struct umem_cache) vm_qcache[UMEM_VMEM_QCACHES];
	/* statistics */
	uint64_t vm_mem_inuse;
	uint64_t vm_mem_import;
	uint64_t vm_mem_total;
	uint64_t vm_nalloc;
	uint64_t vm_nfree;
	uint64_t vm_nfail;
	uint64_t vm_nseg_alloc;
	uint64_t vm_nseg_free;
	uint64_t vm_spare[4];
} vmem_t;
#define VMF_INTERNAL 0x1u /* made by the library itself */
#define VMF_HEAP 0x2u     /* hands out memory of UMEM_RG_HEAP regions */

/* -------------------------------------------------------------- watching */

/*
 * What a debugger waits for; the only memory that it writes.
 *
 * It writes entries and w_on into the stopped process and puts a breakpoint on
 * umem_watch_hook(entry, ops, buffer, size, cache), which is called for each
 * entry that matches: with UMEM_WATCH_ALLOC after a buffer was taken, with
 * UMEM_WATCH_FREE before it is given back.  The comparison is made on the slow
 * path alone.  So that calls get there, the debugger makes every thread blind:
 * the word at (tc_thread_pointer + w_tls) of each live thread cache, if it
 * holds the address of that cache, is set to w_blind, the cache whose bins are
 * all empty and full.  Threads that begin later are born blind.
 *
 * To end it w_on is set to 0: each thread then sees again at its next call.
 * UMEM_WATCH_SELF lets the library do that when no breakpoint instruction
 * stands on the hook any more: the debugger went away.
 */
#define UMEM_WATCH_MAX 8u /* entries */
typedef struct umem_watch_entry {
	uint64_t we_ops;      /* UMEM_WATCH_ALLOC, _FREE; 0: matches nothing */
	uint64_t we_size_min; /* bytes asked for, both included */
	uint64_t we_size_max;
	uint64_t we_buffer;           /* 0: any */
	char we_cache[UMEM_NAME_LEN]; /* filled up with NULs; "": any */
} umem_watch_entry_t;
#define UMEM_WATCH_ALLOC 1u
#define UMEM_WATCH_FREE 2u

typedef struct umem_watch {
	uint64_t w_on;    /* 0 off; see UMEM_WATCH_STATE */
	uint64_t w_hook;  /* address of umem_watch_hook() */
	int64_t w_tls;    /* 0: no thread has a cache yet */
	uint64_t w_blind; /* address of a thread cache */
	umem_watch_entry_t w_entry[UMEM_WATCH_MAX];
} umem_watch_t;
#define UMEM_WATCH_SELF 4u /* besides the ops that any entry has */
/* w_on when the first @n entries are to be looked at, which have these ops */
#define UMEM_WATCH_STATE(n, ops) ((uint64_t)(n) << 8 | (ops))
#define UMEM_WATCH_USED(on) ((on) >> 8)

/* ------------------------------------------------------------------ root */

/* What the last detected fault was: umem_abort_info. */
typedef struct umem_abort_info {
	uint64_t ab_timestamp; /* ns; 0: no fault was detected */
	uint64_t ab_error;     /* UMEM_ERR_* */
	uint64_t ab_buffer;    /* as given by the caller */
	uint64_t ab_realbuf;   /* the buffer it belongs to */
	uint64_t ab_cache;     /* as given */
	uint64_t ab_realcache;
	uint64_t ab_slab;
	uint64_t ab_bufctl;
	uint64_t ab_thread;
} umem_abort_info_t;
#define UMEM_ERR_MODIFIED 0u  /* changed after it was freed */
#define UMEM_ERR_REDZONE 1u   /* written past its end */
#define UMEM_ERR_DUPFREE 2u   /* freed twice */
#define UMEM_ERR_BADADDR 3u   /* not an address of ours */
#define UMEM_ERR_BADBUFTAG 4u /* tag damaged */
#define UMEM_ERR_BADBUFCTL 5u
#define UMEM_ERR_BADCACHE 6u /* freed to another cache */
#define UMEM_ERR_BADSIZE 7u  /* freed with another size */
#define UMEM_ERR_BADBASE 8u  /* inside a buffer, not its start */
#define UMEM_ERR_UNDERRUN 9u /* written before its start */
#define UMEM_ERR_NOMEM 10u   /* checknull: out of memory */
#define UMEM_ERR_SIGNAL 11u  /* nosignal: called from a handler */
#define UMEM_ERR_COUNT 12u

#define UMEM_READY_FAILED (-1)
#define UMEM_READY_STARTUP 0
#define UMEM_READY_INITING 1
#define UMEM_READY 3

typedef struct umem_root {
	char root_magic[16];
	uint32_t root_version; /* UMEM_LAYOUT_VERSION */
	uint32_t root_size;    /* sizeof(umem_root_t) */
	/* sizes of the structures, against a header that was mixed up */
	uint32_t root_cache_size;
	uint32_t root_slab_size;
	uint32_t root_tcache_size;
	uint32_t root_bufctl_size;
	uint32_t root_vmem_size;
	uint32_t root_vmem_seg_size;
	uint32_t root_log_size;
	uint32_t root_page_size; /* of the system */
	uint64_t root_self;    /* address of this struct, against relocation */
	char root_release[32]; /* "umem 0.1.0" */
	int32_t root_ready;    /* UMEM_READY_* */
	uint32_t root_pid;     /* of this process */
	uint64_t root_start;   /* CLOCK_MONOTONIC ns at initialisation */
	/* heads */
	UMEM_PTR(struct umem_cache) root_caches;
	UMEM_PTR(struct vmem) root_arenas;
	UMEM_PTR(struct umem_tcache) root_tcaches;
	UMEM_PTR(UMEM_PTR(struct umem_pmleaf)) root_pagemap;
	UMEM_PTR(struct umem_region) root_regions;
	UMEM_PTR(struct umem_cache) root_large; /* umem_oversize */
	UMEM_PTR(struct umem_log_header) root_log_transaction;
	UMEM_PTR(struct umem_log_header) root_log_contents;
	UMEM_PTR(struct umem_log_header) root_log_fail;
	UMEM_PTR(struct umem_log_header) root_log_slab;
	/* message buffer: a ring of root_msg_size bytes, root_msg_written ever */
	UMEM_PTR(char) root_msg;
	uint64_t root_msg_size;
	uint64_t root_msg_written;
	umem_abort_info_t root_abort;
	/* options in force */
	uint32_t root_flags;       /* UMF_* for new caches */
	uint32_t root_stack_depth; /* frames kept */
	uint32_t root_logging;     /* 1 while logs are written */
	uint32_t root_output;      /* UMEM_OUTPUT_* */
	uint64_t root_firewall;    /* least size, 0 off */
	uint64_t root_perthread;   /* bytes a thread may cache */
	uint64_t root_mtbf;
	uint64_t root_maxverify;
	uint64_t root_contents;
	char root_env_debug[128]; /* the strings as read, cut to fit */
	char root_env_logging[128];
	char root_env_options[128];
	/* the library's own data, which is not a root of anything */
	uint64_t root_data_start;
	uint64_t root_data_end;
	uint64_t root_text_start;
	uint64_t root_text_end;
	uint64_t root_thread_count; /* thread caches ever made */
	/* places for debugger breakpoints */
	uint64_t root_error_hook; /* address of umem_error_hook() */
	/* memory from malloc that the library itself holds, or 0: live */
	uint64_t root_held[2];
	UMEM_PTR(struct umem_watch) root_watch;
	/* CLOCK_MONOTONIC ns when fork made this process, or 0 */
	uint64_t root_forked;
	/* pieces of UMEM_TRACE_BYTES, UMEM_TRACE_PIECES or 0; or 0 */
	UMEM_PTR(UMEM_PTR(char)) root_traces;
	uint64_t root_trace_end; /* number of the next new trace */
	uint64_t root_spare[2];
} umem_root_t;
#define UMEM_OUTPUT_ERRORS 0x1u /* error reports to stderr */
#define UMEM_OUTPUT_ALL 0x2u    /* every message to stderr */

_Static_assert(sizeof(void *) == 8, "LP64 only");
_Static_assert(sizeof(umem_lock_t) == 8, "layout");
_Static_assert(sizeof(umem_magazine_t) == UMEM_MAG_ROUND, "layout");
_Static_assert(sizeof(umem_tcbin_t) == 32, "layout");
_Static_assert(sizeof(umem_slab_t) == 96, "layout");
_Static_assert(sizeof(umem_buftag_t) == 32, "layout");
_Static_assert(sizeof(umem_trace_t) == UMEM_TRACE_STACK, "layout");
_Static_assert(sizeof(umem_bufctl_audit_t) == 64, "layout");
_Static_assert(sizeof(umem_contents_t) == 24, "layout");
_Static_assert(sizeof(umem_log_slot_t) == 64, "layout");
_Static_assert(sizeof(umem_region_t) == 32, "layout");
_Static_assert(sizeof(umem_maglist_t) == 40, "layout");
_Static_assert(sizeof(vmem_seg_t) == 72, "layout");
_Static_assert(sizeof(umem_abort_info_t) == 72, "layout");
_Static_assert(sizeof(umem_watch_entry_t) == 64, "layout");
_Static_assert(sizeof(umem_watch_t) == 32 + 64 * UMEM_WATCH_MAX, "layout");

#endif /* UMEM_LAYOUT_H */
