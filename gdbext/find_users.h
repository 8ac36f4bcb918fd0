/* SPDX-License-Identifier: MIT */
/*
 * find_users.h - the records of all audited buffers, and who holds the most
 *
 * Layer: above find.h; may not include out.h.
 */
#ifndef UMDB_FIND_USERS_H
#define UMDB_FIND_USERS_H

#include "find.h"

/* What clients allocate from: neither the library's own nor an arena's. */
bool find_cache_is_clients(const struct snap_cache *c);

/* An audited buffer with its record. */
struct audited {
	const struct snap_slab *slab;
	uint32_t index;
	enum buf_state state;
	uint64_t size; /* asked for */
	const struct snap_bufctl *b;
};
typedef int find_audited_fn(struct snap *, const struct audited *, void *arg);

/*
 * find_audited - buffers in the states of the mask, as in walk_buffers, that
 * have a record; of the caches that wanted[index in snap->cache] says, or,
 * with NULL, of all that clients use.  Records that cannot be read or are
 * another buffer's are noted as damage.
 */
int find_audited(struct snap *snap, const bool *wanted, unsigned states,
    find_audited_fn *fn, void *arg);

/*
 * Allocated buffers of one size and stack.  The size is that of the cache's
 * buffers; large ones are together whatever their size.
 */
struct user {
	uint64_t count, bytes; /* asked for */
	uint64_t least, most;  /* asked for by one */
	uint64_t oldest;       /* time stamp */
	taddr_t bufctl;        /* of the oldest */
	uint64_t bufsize;      /* 0: large */
	uint32_t trace, depth;
	const uint64_t *stack; /* of the snapshot */
};

struct users {
	struct user *user; /* by bytes */
	size_t nuser;
	uint64_t count, bytes; /* of all */
};

/**
 * find_users - group the allocated buffers
 * @wanted: as for find_audited
 *
 * Returns UMDB_OK with *ret set (find_users_free), UMDB_EINTR, ...
 */
int find_users(struct snap *snap, const bool *wanted, struct users **ret);
void find_users_free(struct users *u);

/* find_newest - time stamp of the newest transaction that is known; 0 none */
int find_newest(struct snap *snap, uint64_t *ret);

#endif /* UMDB_FIND_USERS_H */
