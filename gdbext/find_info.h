/* SPDX-License-Identifier: MIT */
/*
 * find_info.h - facts about the library itself
 *
 * Logs, the message buffer, what a thread's cache holds: for umem status and
 * umem stat.
 *
 * Layer: beside find.h; may not include out.h.
 */
#ifndef UMDB_FIND_INFO_H
#define UMDB_FIND_INFO_H

#include "snap.h"

struct log_info {
	const char *name; /* "transaction", ... as in UMEM_LOGGING */
	taddr_t addr;     /* 0: this log is off */
	uint64_t bytes;
	uint64_t written; /* records, ever */
};
#define FIND_LOGS 4
enum { FIND_LOG_TRANSACTION, FIND_LOG_CONTENTS, FIND_LOG_FAIL, FIND_LOG_SLAB };

/* find_log - one of the four; UMDB_OK also for a log that is off */
int find_log(struct snap *snap, unsigned which, struct log_info *ret);

/*
 * find_messages - text of the message buffer, oldest first, with a NUL
 * behind.  *ret is to be freed; "" when nothing was written.
 */
int find_messages(struct snap *snap, char **ret);

struct tcache_use {
	uint64_t buffers, bytes;
};

/* find_tcache_use - free buffers that a thread's cache holds */
int find_tcache_use(struct snap *snap, taddr_t tcache, struct tcache_use *ret);

/* find_abort_name - what a UMEM_ERR_* means, as a phrase */
const char *find_abort_name(uint64_t error);

#endif /* UMDB_FIND_INFO_H */
