/* SPDX-License-Identifier: MIT */
/*
 * find_history.h - everything that is known to have happened at an address
 *
 * From the transaction log, the buffer's bufctl, and the contents log, which
 * may each reach back further than the others.  Buffers come and go: all that
 * the address was ever in count, whatever their caches.
 *
 * Layer: above walk.h; may not include out.h.
 */
#ifndef UMDB_FIND_HISTORY_H
#define UMDB_FIND_HISTORY_H

#include "walk.h"

struct event {
	uint64_t timestamp;
	taddr_t addr;     /* of the buffer */
	taddr_t record;   /* log record or bufctl; 0: only contents were kept */
	taddr_t contents; /* where its bytes were kept at a free; 0: not */
	uint64_t kept;    /* how many bytes */
};

struct history {
	struct event *event; /* oldest first */
	size_t n, room;
	uint64_t newest; /* time stamp of the newest record in the log; 0 */
};

/*
 * find_history - events of the buffers that addr is or was in.  UMDB_OK with
 * *ret filled (find_history_fini), or an error.
 */
int find_history(struct snap *snap, taddr_t addr, struct history *ret);
void find_history_fini(struct history *h);

/*
 * find_history_bytes - the contents kept at an event, the first megabyte at
 * most; to be freed.  NULL when there are none or they cannot be read.
 */
uint8_t *find_history_bytes(
    struct snap *snap, const struct event *e, size_t *n_ret);

/* A record of the contents log, at ct->addr in the target. */
typedef int find_contents_fn(
    struct snap *, taddr_t at, const umem_contents_t *ct, void *arg);

/* find_contents - all records of the contents log, chunk by chunk */
int find_contents(struct snap *snap, find_contents_fn *fn, void *arg);

#endif /* UMDB_FIND_HISTORY_H */
