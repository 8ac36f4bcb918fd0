/* SPDX-License-Identifier: MIT */
/*
 * fault.h - a fault of the client was found
 *
 * The report goes to stderr and the message buffer in the words a person
 * needs: what happened, to which buffer of which cache, at which offset, what
 * was expected and what was found, the last transaction with its stack, and
 * the stack of the thread that noticed.  umem_root.root_abort keeps the same
 * as facts.  Then the process aborts, unless noabort is set.
 *
 * Layer: above msg.h, root.h, stack.h.
 */
#ifndef UMEM_FAULT_H
#define UMEM_FAULT_H

#include <stddef.h>

#include "umem_layout.h"

/* What is known of a fault; zero what is not. */
struct umem_fault {
	uint32_t error;      /* UMEM_ERR_* */
	void *buffer;        /* as the caller gave it */
	void *realbuf;       /* the buffer that it belongs to */
	umem_cache_t *cache; /* as the caller gave it */
	umem_cache_t *realcache;
	umem_slab_t *slab;
	umem_bufctl_audit_t *bufctl;
	size_t offset;            /* of the first bad byte, in the buffer */
	uint64_t expected, found; /* words, or sizes */
	size_t size;              /* asked for, when known */
	const char *function;     /* "free", "umem_cache_free", ... */
};

/**
 * fault_report - report, then abort unless noabort is set
 *
 * Never called with a lock held.  The first line on stderr is
 * "umem: <sentence>: ..." with a fixed sentence for each error, see
 * fault.c:sentences[].
 */
void fault_report(const struct umem_fault *f);

#endif /* UMEM_FAULT_H */
