/* SPDX-License-Identifier: MIT */
/*
 * tlog.c - the transaction, contents, fail and slab logs
 *
 * The memory of a log is cut into chunks.  Each slot fills a chunk of its own;
 * a full chunk goes to the tail of the ring and the oldest one is taken from
 * the head, under the log's lock.  The first threads have a slot each and write
 * without a lock; all others share the last one, under its lock.
 *  A chunk taken over is not cleared: what it holds stays readable
 * until it is overwritten, so a log never has a hole in its history.
 *
 * A record's timestamp is zeroed before anything else of it is changed and
 * written last, so one that was caught half written reads as unwritten.
 *
 * Layer: above meta.h, lock.h and root.h.
 */
#include "tlog.h"

#include <string.h>

#include "lock.h"
#include "meta.h"
#include "msg.h"
#include "os.h"
#include "root.h"

#define CHUNK_WISH ((uint64_t)16 << 10) /* bytes: how finely a log ages */
#define SLOTS_PER_CPU 4
#define SLOTS_MIN 8
#define CHUNKS_MAX ((uint64_t)1 << 16)
#define CHUNKS_PER_SLOT 4
#define RECORDS_PER_CHUNK 4
#define SIZE_MAX_LOG ((uint64_t)1 << 44)

/* Not zero while a fault is reported, so that what led to it is kept. */
static int paused;

static uint64_t
round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

static unsigned
slot_count(void)
{
	unsigned want = umem_settings.set_concurrency;
	unsigned n = 1;

	if (want == 0)
		want = SLOTS_PER_CPU * os_ncpus();
	if (umem_settings.set_concurrency == 0 && want < SLOTS_MIN)
		want = SLOTS_MIN;
	while (n < want && n < UMEM_LOG_SLOTS_MAX)
		n *= 2;
	return n;
}

/* log_shape - cut @size bytes into chunks, of @least bytes or more each */
static void
log_shape(umem_log_header_t *log, uint64_t size, uint64_t least)
{
	uint64_t n;

	if (size > SIZE_MAX_LOG)
		size = SIZE_MAX_LOG;
	log->lh_nslots = slot_count();
	n = size / CHUNK_WISH;
	if (n < CHUNKS_PER_SLOT * log->lh_nslots)
		n = CHUNKS_PER_SLOT * log->lh_nslots;
	if (n > CHUNKS_MAX)
		n = CHUNKS_MAX;
	log->lh_nchunks = n;
	log->lh_chunksize = size / n > least ? size / n : least;
	log->lh_chunksize = round_up(log->lh_chunksize, UMEM_PAGE_SIZE);
}

/* log_start - every slot has a chunk, all others are on the ring */
static void
log_start(umem_log_header_t *log)
{
	for (uint64_t i = 0; i < log->lh_nchunks; i++)
		log->lh_ring[i] = (uint32_t)i;
	for (uint64_t i = 0; i < log->lh_nslots; i++)
		log->lh_slot[i].ls_chunk = i;
	log->lh_head = log->lh_nslots;
	log->lh_tail = 0;
}

/*
 * log_create - a log of about @size bytes; @recsize 0: records vary, and are
 * of @least bytes at most.  NULL when there is no memory.
 */
static umem_log_header_t *
log_create(uint64_t size, uint64_t recsize, uint64_t least)
{
	umem_log_header_t *log = meta_alloc(sizeof(*log));
	uint64_t bytes;

	if (log == NULL)
		return NULL;
	log->lh_recsize = recsize;
	log_shape(log, size, RECORDS_PER_CHUNK * least);
	bytes = log->lh_nchunks * log->lh_chunksize;
	log->lh_ring = meta_alloc(log->lh_nchunks * sizeof(*log->lh_ring));
	log->lh_base = os_map(bytes, UMEM_PAGE_SIZE);
	if (log->lh_ring == NULL || log->lh_base == NULL ||
	    region_add(log->lh_base, bytes, UMEM_RG_LOG) != 0) {
		if (log->lh_base != NULL)
			os_unmap(log->lh_base, bytes);
		meta_free(
		    log->lh_ring, log->lh_nchunks * sizeof(*log->lh_ring));
		meta_free(log, sizeof(*log));
		return NULL;
	}
	log_start(log);
	return log;
}

/* log_make - one that the options ask for, or NULL */
static umem_log_header_t *
log_make(const char *name, uint64_t size, uint64_t recsize, uint64_t least)
{
	umem_log_header_t *log;

	if (size == 0)
		return NULL;
	log = log_create(size, recsize, least);
	if (log == NULL)
		umem_error_message("umem: no memory for the %s log of %llu "
				   "bytes: there is none\n",
		    name, (unsigned long long)size);
	return log;
}

void
tlog_init(void)
{
	const struct umem_settings *s = &umem_settings;
	umem_root_t *r = &umem_root;
	const uint64_t rec = sizeof(umem_bufctl_audit_t);
	uint64_t contents =
	    sizeof(umem_contents_t) + round_up(r->root_contents, 8);

	r->root_log_transaction =
	    log_make("transaction", s->set_log_transaction, rec, rec);
	r->root_log_contents =
	    log_make("contents", s->set_log_contents, 0, contents);
	r->root_log_fail = log_make("fail", s->set_log_fail, rec, rec);
	r->root_log_slab = log_make("slab", s->set_log_slab, rec, rec);
	if (r->root_log_transaction != NULL || r->root_log_contents != NULL ||
	    r->root_log_fail != NULL || r->root_log_slab != NULL)
		__atomic_store_n(&r->root_logging, 1, __ATOMIC_RELEASE);
}

void
tlog_pause(int on)
{
	__atomic_add_fetch(&paused, on ? 1 : -1, __ATOMIC_RELAXED);
}

static int
log_is_open(const umem_log_header_t *log)
{
	return log != NULL &&
	       __atomic_load_n(&umem_root.root_logging, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&paused, __ATOMIC_RELAXED);
}

/* log_turn - the slot's chunk is full: give it up for the oldest one */
static void
log_turn(umem_log_header_t *log, umem_log_slot_t *slot)
{
	int fresh;

	lock_acquire(&log->lh_lock);
	log->lh_ring[log->lh_tail] = (uint32_t)slot->ls_chunk;
	log->lh_tail = (log->lh_tail + 1) % log->lh_nchunks;
	slot->ls_chunk = log->lh_ring[log->lh_head];
	log->lh_head = (log->lh_head + 1) % log->lh_nchunks;
	log->lh_hits++;
	fresh = log->lh_hits < log->lh_nchunks - log->lh_nslots;
	lock_release(&log->lh_lock);
	if (fresh)
		os_populate(
		    (char *)log->lh_base + slot->ls_chunk * log->lh_chunksize,
		    log->lh_chunksize);
	slot->ls_used = 0;
}

/* slot_enter, slot_leave - the slot of thread @n, for it alone meanwhile */
static inline umem_log_slot_t *
slot_enter(umem_log_header_t *log, unsigned n)
{
	const uint64_t last = log->lh_nslots - 1;

	if (__builtin_expect(n < last, 1))
		return &log->lh_slot[n];
	lock_acquire(&log->lh_slot[last].ls_lock);
	return &log->lh_slot[last];
}

static inline void
slot_leave(umem_log_header_t *log, umem_log_slot_t *slot)
{
	if (__builtin_expect(slot == &log->lh_slot[log->lh_nslots - 1], 0))
		lock_release(&slot->ls_lock);
}

/*
 * log_place - where the slot's next @size bytes go.  A handler may come in
 * between, so they are the slot's no more before they are written.
 */
static void *
log_place(umem_log_header_t *log, umem_log_slot_t *slot, uint64_t size)
{
	char *place;

	if (size > log->lh_chunksize - slot->ls_used)
		log_turn(log, slot);
	place = (char *)log->lh_base + slot->ls_chunk * log->lh_chunksize +
		slot->ls_used;
	slot->ls_used += size;
	slot->ls_records++;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return place;
}

umem_bufctl_audit_t *
tlog_record(umem_log_header_t *log, const umem_bufctl_audit_t *bc, unsigned n)
{
	umem_bufctl_audit_t *copy;
	umem_log_slot_t *slot;

	if (!log_is_open(log))
		return NULL;
	slot = slot_enter(log, n);
	copy = log_place(log, slot, sizeof(*copy));
	__atomic_store_n(&copy->bc_timestamp, 0, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	copy->bc_addr = bc->bc_addr;
	copy->bc_slab = bc->bc_slab;
	copy->bc_cache = bc->bc_cache;
	copy->bc_size = bc->bc_size;
	copy->bc_lastlog = bc->bc_lastlog;
	copy->bc_contents = bc->bc_contents;
	copy->bc_thread = bc->bc_thread;
	copy->bc_what = bc->bc_what;
	__atomic_store_n(
	    &copy->bc_timestamp, bc->bc_timestamp, __ATOMIC_RELEASE);
	slot_leave(log, slot);
	return copy;
}

umem_contents_t *
tlog_contents(const void *buf, size_t size, uint64_t timestamp, unsigned n)
{
	umem_log_header_t *log = umem_root.root_log_contents;
	umem_contents_t *copy, *end;
	umem_log_slot_t *slot;
	size_t room;

	if (!log_is_open(log))
		return NULL;
	if (size > log->lh_chunksize - sizeof(*copy))
		size = log->lh_chunksize - sizeof(*copy);
	slot = slot_enter(log, n);
	copy = log_place(log, slot, sizeof(*copy) + round_up(size, 8));
	__atomic_store_n(&copy->ct_timestamp, 0, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	copy->ct_addr = (uintptr_t)buf;
	copy->ct_size = size;
	memcpy(copy + 1, buf, size);
	/* a reader that follows the sizes through the chunk ends here */
	room = log->lh_chunksize - slot->ls_used;
	end = (umem_contents_t *)((char *)(copy + 1) + round_up(size, 8));
	if (room >= sizeof(*end))
		memset(end, 0, sizeof(*end));
	__atomic_store_n(&copy->ct_timestamp, timestamp, __ATOMIC_RELEASE);
	slot_leave(log, slot);
	return copy;
}

/* each_log - the four logs, in the order in which fork locks them */
static umem_log_header_t *
each_log(int i)
{
	switch (i) {
	case 0:
		return umem_root.root_log_transaction;
	case 1:
		return umem_root.root_log_contents;
	case 2:
		return umem_root.root_log_fail;
	default:
		return umem_root.root_log_slab;
	}
}

#define LOGS 4

void
tlog_fork_lock(void)
{
	for (int i = 0; i < LOGS; i++) {
		umem_log_header_t *log = each_log(i);

		if (log == NULL)
			continue;
		for (uint64_t j = 0; j < log->lh_nslots; j++)
			lock_fork_hold(&log->lh_slot[j].ls_lock);
		lock_fork_hold(&log->lh_lock);
	}
}

void
tlog_fork_unlock(void)
{
	for (int i = LOGS - 1; i >= 0; i--) {
		umem_log_header_t *log = each_log(i);

		if (log == NULL)
			continue;
		lock_fork_release(&log->lh_lock);
		for (uint64_t j = log->lh_nslots; j-- > 0;)
			lock_fork_release(&log->lh_slot[j].ls_lock);
	}
}

void
tlog_fork_child(void)
{
	for (int i = 0; i < LOGS; i++) {
		umem_log_header_t *log = each_log(i);

		if (log == NULL)
			continue;
		lock_reset(&log->lh_lock);
		for (uint64_t j = 0; j < log->lh_nslots; j++)
			lock_reset(&log->lh_slot[j].ls_lock);
	}
	__atomic_store_n(&paused, 0, __ATOMIC_RELAXED);
}
