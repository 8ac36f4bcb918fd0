/* SPDX-License-Identifier: MIT */
/*
 * tlog.h - the transaction, contents, fail and slab logs
 *
 * Rings of chunks; see umem_log_header_t in umem_layout.h for their form.
 * Writers take only the lock of their slot, and inside it the ring's when a
 * chunk is full.  The oldest records are lost first.  A contents record is a
 * umem_contents_t with its bytes behind it, rounded up to 8; in each chunk
 * they follow one another up to one whose ct_addr is 0.
 *
 * Layer: above meta.h and root.h.
 */
#ifndef UMEM_TLOG_H
#define UMEM_TLOG_H

#include <stddef.h>

#include "umem_layout.h"

/* tlog_init - make the logs that umem_settings asks for, of their sizes */
void tlog_init(void);

/*
 * tlog_record - copy a record into a log of records.  @slot: umem_thread_slot()
 * of the calling thread.  Returns where it is kept, or NULL when @log is NULL or
 * logging is off.
 */
umem_bufctl_audit_t *tlog_record(
    umem_log_header_t *log, const umem_bufctl_audit_t *bc, unsigned slot);

/*
 * tlog_contents - keep @size bytes of a freed buffer.  Returns where, or NULL
 * when there is no contents log.
 */
umem_contents_t *tlog_contents(
    const void *buf, size_t size, uint64_t timestamp, unsigned slot);

/*
 * tlog_pause - write nothing while a fault is reported (1), go on (0); calls
 * nest.  Other threads run meanwhile, and would overwrite what led to it.
 */
void tlog_pause(int on);

/* For fork: see meta.h. */
void tlog_fork_lock(void);
void tlog_fork_unlock(void);
void tlog_fork_child(void);

#endif /* UMEM_TLOG_H */
