/* SPDX-License-Identifier: MIT */
/*
 * walk_log.c - records of a log, and a buffer's history
 *
 * Threads write into different chunks at the same time, so the order of
 * chunks says little.  The time stamps of all records are read, sorted, and
 * the records then read one by one.  A damaged record is noted in the
 * snapshot and hides no other.
 *
 * Layer: above snap.h; part of walk.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

#define LOG_CHUNKS_MAX (1u << 24)
#define LOG_CHUNK_MAX ((uint64_t)1 << 34)

struct log_entry {
	uint64_t timestamp;
	taddr_t addr;
};

struct log_list {
	struct log_entry *entry;
	size_t n, room;
};

/* Newest first; of equal stamps the one further on. */
static int
entry_compare(const void *a, const void *b)
{
	const struct log_entry *x = a, *y = b;

	if (x->timestamp != y->timestamp)
		return x->timestamp > y->timestamp ? -1 : 1;
	return x->addr > y->addr ? -1 : x->addr < y->addr;
}

static int
log_note(struct log_list *l, taddr_t addr, uint64_t timestamp)
{
	struct log_entry *more;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 1024 : l->room * 2;
		more = realloc(l->entry, l->room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		l->entry = more;
	}
	l->entry[l->n].timestamp = timestamp;
	l->entry[l->n++].addr = addr;
	return UMDB_OK;
}

static int
log_check(struct snap *snap, taddr_t log, const umem_log_header_t *h)
{
	if (h->lh_recsize == 0)
		return target_fail(snap->tgt, UMDB_ENOTFOUND, log,
		    "log %#" PRIx64
		    " holds contents of buffers, not transactions",
		    log);
	if (h->lh_recsize != sizeof(umem_bufctl_audit_t) ||
	    h->lh_nchunks == 0 || h->lh_nchunks > LOG_CHUNKS_MAX ||
	    h->lh_chunksize == 0 || h->lh_chunksize > LOG_CHUNK_MAX ||
	    h->lh_base > UINT64_MAX - h->lh_nchunks * h->lh_chunksize)
		return target_fail(snap->tgt, UMDB_ECORRUPT, log,
		    "log %#" PRIx64 " is damaged: %" PRIu64
		    " chunks of %" PRIu64 " bytes, records of %" PRIu64,
		    log, h->lh_nchunks, h->lh_chunksize, h->lh_recsize);
	return UMDB_OK;
}

/*
 * True when nothing was ever written.  The kernel leaves memory that was never
 * touched out of a core, so such a log cannot be read there.
 */
static bool
log_is_unused(const umem_log_header_t *h)
{
	size_t i;

	for (i = 0; i < UMEM_LOG_SLOTS_MAX; i++)
		if (h->lh_slot[i].ls_records != 0)
			return false;
	return true;
}

/* Stamps of one chunk; an unreadable one is damage. */
static int
log_read_chunk(struct snap *snap, const umem_log_header_t *h, taddr_t chunk,
    struct log_list *l)
{
	uint64_t n = h->lh_chunksize / h->lh_recsize, i, timestamp;
	taddr_t at = chunk;

	for (i = 0; i < n; i++, at += h->lh_recsize) {
		if (target_poll(snap->tgt, "log", 0, 0))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		if (target_read(snap->tgt,
			at + offsetof(umem_bufctl_audit_t, bc_timestamp),
			&timestamp, sizeof(timestamp), "log") != UMDB_OK) {
			snap_damaged(snap, at, "%s", snap->tgt->err.msg);
			return UMDB_OK;
		}
		if (timestamp != 0 && log_note(l, at, timestamp) != UMDB_OK)
			return target_fail(
			    snap->tgt, UMDB_ENOMEM, 0, "no memory for a log");
	}
	return UMDB_OK;
}

static int
log_collect(struct snap *snap, taddr_t log, struct log_list *l)
{
	umem_log_header_t h;
	uint64_t i;
	int rc;

	rc = target_read(snap->tgt, log, &h, sizeof(h), "log header");
	if (rc == UMDB_OK)
		rc = log_check(snap, log, &h);
	if (rc == UMDB_OK && log_is_unused(&h))
		return UMDB_OK;
	for (i = 0; rc == UMDB_OK && i < h.lh_nchunks; i++) {
		if (target_poll(snap->tgt, "log", i, h.lh_nchunks))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		rc =
		    log_read_chunk(snap, &h, h.lh_base + i * h.lh_chunksize, l);
	}
	if (rc == UMDB_OK && l->n != 0)
		qsort(l->entry, l->n, sizeof(*l->entry), entry_compare);
	return rc;
}

static int
log_deliver(
    struct snap *snap, const struct log_list *l, walk_log_fn *fn, void *arg)
{
	struct snap_bufctl record;
	size_t i;
	int rc;

	for (i = 0; i < l->n; i++) {
		if (target_poll(snap->tgt, "log", i, l->n))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		rc = snap_read_bufctl(snap, l->entry[i].addr, &record);
		if (rc != UMDB_OK) {
			snap_damaged(snap, l->entry[i].addr, "%s (in a log)",
			    snap->tgt->err.msg);
			continue;
		}
		rc = fn(snap, &record, arg);
		if (rc != WALK_NEXT)
			return rc == WALK_STOP ? UMDB_OK : rc;
	}
	return UMDB_OK;
}

int
walk_log(struct snap *snap, taddr_t log, walk_log_fn *fn, void *arg)
{
	struct log_list l = {0};
	int rc;

	if (log == 0)
		return target_fail(snap->tgt, UMDB_ENOTFOUND, 0,
		    "the process keeps no such log: start it with "
		    "UMEM_LOGGING set");
	rc = log_collect(snap, log, &l);
	if (rc == UMDB_OK)
		rc = log_deliver(snap, &l, fn, arg);
	free(l.entry);
	return rc;
}

/*
 * Records of a log are overwritten by newer ones of other buffers, so a
 * history ends where the record met is not an older one of the same buffer.
 * The first log record repeats the bufctl and is passed over.
 */
int
walk_history(struct snap *snap, taddr_t bufctl, walk_log_fn *fn, void *arg)
{
	struct snap_bufctl first, record;
	uint64_t timestamp = UINT64_MAX;
	taddr_t addr;
	int rc, step;

	for (addr = bufctl, step = 0; addr != 0;
	     addr = record.bc.bc_lastlog, step = step == 0 ? 1 : 2) {
		rc = snap_read_bufctl(snap, addr, &record);
		if (rc != UMDB_OK)
			return rc;
		if (step == 0)
			first = record;
		if (record.bc.bc_timestamp == 0 ||
		    record.bc.bc_addr != first.bc.bc_addr ||
		    record.bc.bc_cache != first.bc.bc_cache)
			break;
		if (step == 1 && record.bc.bc_timestamp == timestamp)
			continue;
		if (record.bc.bc_timestamp >= timestamp)
			break;
		timestamp = record.bc.bc_timestamp;
		rc = fn(snap, &record, arg);
		if (rc != WALK_NEXT)
			return rc == WALK_STOP ? UMDB_OK : rc;
	}
	return UMDB_OK;
}
