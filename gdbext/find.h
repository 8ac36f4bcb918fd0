/* SPDX-License-Identifier: MIT */
/*
 * find.h - facts
 *
 * Finders answer questions from the snapshot and the walkers.  They return
 * facts in plain structs; they print nothing and know no command.
 *
 * Layer: above walk.h; may not include out.h.
 */
#ifndef UMDB_FIND_H
#define UMDB_FIND_H

#include "walk.h"

/* ---------------------------------------------------------------- leaks */

enum leak_kind {
	LEAK_DEFINITE, /* no lost buffer outside its own cycle points to it */
	LEAK_INDIRECT, /* only lost buffers point to it */
	/* only pointers into its inside, from live memory; or see find_end.h */
	LEAK_POSSIBLE,
};

struct leak {
	uint32_t slab;  /* index in snap->slab */
	uint32_t index; /* chunk */
	taddr_t addr;
	uint64_t size;      /* bytes asked for */
	uint64_t timestamp; /* 0 without audit */
	uint32_t thread;
	enum leak_kind kind;
	uint32_t group; /* index in leaks->group */
	/*
	 * Whose loss this one is: its own group, or where it is indirect the
	 * group of one that leads to it.
	 */
	uint32_t owner;
};

/* Leaks of one kind, cache and stack. */
struct leak_group {
	enum leak_kind kind;
	uint32_t cache; /* index in snap->cache */
	uint32_t depth;
	const uint64_t *stack; /* of the snapshot */
	uint64_t count, bytes;
	/* definite: indirect ones that it leads to; each is counted once */
	uint64_t owned_count, owned_bytes;
	uint64_t first; /* its members: leak[first .. first + count) */
	taddr_t bufctl; /* of the oldest member, 0 without audit */
};

struct leak_stats {
	uint64_t candidates, candidate_bytes;
	uint64_t root_words, root_bytes, heap_words, hits;
	uint64_t unread_bytes; /* writable memory that the core does not hold */
	uint64_t whole_stacks; /* of coroutines, whose SP is not known */
	/* following pointers: bytes that were searched, and how long it took */
	uint64_t mark_bytes;
	double mark_seconds;
	double seconds; /* all of it */
};

struct leaks {
	struct leak *leak; /* by group, then oldest first */
	size_t nleak;
	/* definite, possible, indirect; by bytes, with those owned */
	struct leak_group *group;
	size_t ngroup;
	struct leak_stats stats;
};

/**
 * find_leaks - conservative mark from all roots
 *
 * Roots: registers of all threads, stacks from SP - 128 up, writable data of
 * every object with its unnamed bss, TLS, other writable memory that is not
 * the library's, memory that client code took from its own arenas.
 * Candidates: allocated buffers of caches that clients use.  Free and cached
 * buffers are neither scanned nor reported; of an allocated buffer only the
 * bytes asked for are scanned.
 *
 * Returns UMDB_OK with *ret set (free with find_leaks_free), UMDB_EINTR on
 * Ctrl-C, or another error.
 */
int find_leaks(struct snap *snap, struct leaks **ret);
void find_leaks_free(struct leaks *leaks);

/* --------------------------------------------------------------- whatis */

enum what_kind {
	WHAT_UNKNOWN,
	WHAT_BUFFER,  /* in a buffer */
	WHAT_REDZONE, /* between a buffer's end and its chunk's */
	WHAT_SLAB,    /* in a slab's pages, in no chunk */
	WHAT_SLAB_STRUCT,
	WHAT_BUFCTL,
	WHAT_MAGAZINE,
	WHAT_CACHE,
	WHAT_TCACHE,
	WHAT_LOG,
	WHAT_META,    /* structures of the library */
	WHAT_SEGMENT, /* in a segment of an arena, in no slab */
	WHAT_STACK,   /* of a thread */
	WHAT_MAPPING, /* of a file, or anonymous */
};

struct whatis {
	enum what_kind kind;
	taddr_t base;  /* start of the thing */
	uint64_t size; /* bytes asked for, or of the thing */
	const struct snap_slab *slab;
	uint32_t index;
	enum buf_state state;
	taddr_t bufctl;
	const struct snap_arena *arena;
	vmem_seg_t seg;
	taddr_t seg_addr;
	/* segment that is free in a quantum cache, state says where; or NULL */
	const struct snap_cache *quantum;
	uint32_t tid; /* of a stack, or of the cache that holds a buffer */
	const struct target_region *region;
};

/* find_whatis - the most specific thing that addr belongs to, or UMDB_EINTR */
int find_whatis(struct snap *snap, taddr_t addr, struct whatis *ret);

/*
 * find_segments - all segments that addr lies in, of arenas that import from
 * others first.  Damaged arenas are left out.
 */
typedef int find_segments_fn(struct snap *, const struct whatis *, void *arg);
int find_segments(
    struct snap *snap, taddr_t addr, find_segments_fn *fn, void *arg);

/* find_mapping - the stack or mapping that addr lies in; false if in none */
bool find_mapping(struct snap *snap, taddr_t addr, struct whatis *ret);

/* --------------------------------------------------------------- verify */

enum bad_kind {
	BAD_REDZONE,  /* written past its end */
	BAD_UNDERRUN, /* the word before it was written */
	BAD_FREE,     /* modified after it was freed */
	BAD_BUFTAG,   /* bt_bufctl ^ bt_bxstat is wrong */
	BAD_SIZE,     /* size encoding damaged */
	BAD_BUFCTL,   /* bufctl does not belong to the buffer */
	BAD_STRUCT,   /* slab, magazine, list: a structure of the library */
};

struct bad {
	enum bad_kind kind;
	taddr_t buf; /* the buffer, or the structure */
	taddr_t at;  /* first bad byte */
	uint64_t expected, found;
	taddr_t bufctl;
	bool allocated;
	char msg[160]; /* one sentence */
};

typedef int find_bad_fn(struct snap *, const struct bad *, void *arg);

/*
 * find_bad - check every buffer of a cache, and the cache's own structures.
 * *checked_ret: buffers that had something to check (0: no guards).
 */
int find_bad(struct snap *snap, const struct snap_cache *cache, find_bad_fn *fn,
    void *arg, uint64_t *checked_ret);

#endif /* UMDB_FIND_H */
