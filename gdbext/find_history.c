/* SPDX-License-Identifier: MIT */
/*
 * find_history.c - everything that is known to have happened at an address
 *
 * Layer: see find_history.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "find_history.h"

#define CHUNKS_MAX (1u << 24)
#define CHUNK_MAX ((uint64_t)1 << 34)
#define KEPT_MAX (1u << 20) /* bytes of contents that are read */

/* ------------------------------------------------------------ contents log */

static int
contents_check(struct snap *snap, taddr_t log, const umem_log_header_t *h)
{
	if (h->lh_recsize != 0 || h->lh_nchunks == 0 ||
	    h->lh_nchunks > CHUNKS_MAX || h->lh_chunksize < 8 ||
	    h->lh_chunksize > CHUNK_MAX ||
	    h->lh_base > UINT64_MAX - h->lh_nchunks * h->lh_chunksize)
		return target_fail(snap->tgt, UMDB_ECORRUPT, log,
		    "contents log %#" PRIx64 " is damaged: %" PRIu64
		    " chunks of %" PRIu64 " bytes, records of %" PRIu64,
		    log, h->lh_nchunks, h->lh_chunksize, h->lh_recsize);
	return UMDB_OK;
}

/*
 * The records of a chunk, one behind the other up to one without an address.
 * One that is being written has no time stamp yet.
 */
static int
contents_chunk(struct snap *snap, taddr_t chunk, uint64_t size,
    find_contents_fn *fn, void *arg)
{
	uint64_t at = 0, len;
	umem_contents_t ct;
	int rc;

	for (; size - at >= sizeof(ct); at += sizeof(ct) + len) {
		if (target_poll(snap->tgt, "contents log", 0, 0))
			return target_fail(
			    snap->tgt, UMDB_EINTR, 0, "interrupted");
		if (target_read(snap->tgt, chunk + at, &ct, sizeof(ct),
			"contents log") != UMDB_OK) {
			snap_damaged(
			    snap, chunk + at, "%s", snap->tgt->err.msg);
			return WALK_NEXT;
		}
		if (ct.ct_addr == 0 || ct.ct_timestamp == 0)
			return WALK_NEXT;
		if (ct.ct_size > size - at - sizeof(ct)) {
			snap_damaged(snap, chunk + at,
			    "contents of %" PRIu64
			    " bytes do not fit into the log",
			    ct.ct_size);
			return WALK_NEXT;
		}
		rc = fn(snap, chunk + at, &ct, arg);
		if (rc != WALK_NEXT)
			return rc;
		len = (ct.ct_size + 7) & ~(uint64_t)7;
		if (len > size - at - sizeof(ct))
			return WALK_NEXT;
	}
	return WALK_NEXT;
}

int
find_contents(struct snap *snap, find_contents_fn *fn, void *arg)
{
	const taddr_t log = snap->root.root_log_contents;
	umem_log_header_t h;
	uint64_t i;
	int rc;

	if (log == 0)
		return UMDB_OK;
	rc = target_read(snap->tgt, log, &h, sizeof(h), "log header");
	if (rc == UMDB_OK)
		rc = contents_check(snap, log, &h);
	for (i = 0; rc == UMDB_OK && i < h.lh_nchunks; i++)
		rc = contents_chunk(snap, h.lh_base + i * h.lh_chunksize,
		    h.lh_chunksize, fn, arg);
	return rc == WALK_STOP ? UMDB_OK : rc;
}

/* ----------------------------------------------------------------- history */

struct gather {
	taddr_t addr; /* as asked for */
	taddr_t base; /* the start of the buffer that it is in now */
	struct history *h;
	size_t sorted; /* the first events, which are in order */
};

/* Is, or was, the address in [start, start + size)? */
static bool
gather_wants(const struct gather *g, taddr_t start, uint64_t size)
{
	return start == g->base || start == g->addr ||
	       (g->addr >= start && g->addr - start < size);
}

static struct event *
history_add(struct snap *snap, struct history *h)
{
	struct event *more;

	if (h->n == h->room) {
		h->room = h->room == 0 ? 64 : h->room * 2;
		more = realloc(h->event, h->room * sizeof(*more));
		if (more == NULL) {
			target_fail(snap->tgt, UMDB_ENOMEM, 0, "out of memory");
			return NULL;
		}
		h->event = more;
	}
	memset(&h->event[h->n], 0, sizeof(*h->event));
	return &h->event[h->n++];
}

static int
gather_record(struct snap *snap, const struct snap_bufctl *b, void *arg)
{
	struct gather *g = arg;
	struct event *e;

	if (g->h->newest == 0)
		g->h->newest = b->bc.bc_timestamp;
	if (!gather_wants(g, b->bc.bc_addr, b->bc.bc_size))
		return WALK_NEXT;
	e = history_add(snap, g->h);
	if (e == NULL)
		return UMDB_ENOMEM;
	e->timestamp = b->bc.bc_timestamp;
	e->addr = b->bc.bc_addr;
	e->record = b->addr;
	return WALK_NEXT;
}

static int
event_compare(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->timestamp != y->timestamp)
		return x->timestamp < y->timestamp ? -1 : 1;
	return x->record < y->record ? -1 : x->record > y->record;
}

/* The event of a buffer at a time among those that are sorted, or NULL. */
static struct event *
gather_find(const struct gather *g, taddr_t addr, uint64_t timestamp)
{
	const struct history *h = g->h;
	size_t lo = 0, hi = g->sorted;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (h->event[mid].timestamp < timestamp)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < g->sorted && h->event[lo].timestamp == timestamp; lo++)
		if (h->event[lo].addr == addr)
			return &h->event[lo];
	return NULL;
}

static void
gather_sort(struct gather *g)
{
	struct history *h = g->h;

	if (h->n > 1)
		qsort(h->event, h->n, sizeof(*h->event), event_compare);
	g->sorted = h->n;
}

/* The last transaction, which may be all that was recorded. */
static int
gather_bufctl(struct snap *snap, struct gather *g, taddr_t bufctl)
{
	struct snap_bufctl b;
	struct event *e;

	if (snap_read_bufctl(snap, bufctl, &b) != UMDB_OK) {
		snap_damaged(snap, bufctl, "%s", snap->tgt->err.msg);
		return UMDB_OK;
	}
	if (b.bc.bc_kind == UMEM_BC_NEVER || b.bc.bc_addr != g->base ||
	    gather_find(g, b.bc.bc_addr, b.bc.bc_timestamp) != NULL)
		return UMDB_OK;
	e = history_add(snap, g->h);
	if (e == NULL)
		return UMDB_ENOMEM;
	e->timestamp = b.bc.bc_timestamp;
	e->addr = b.bc.bc_addr;
	e->record = bufctl;
	gather_sort(g);
	return UMDB_OK;
}

/*
 * Contents belong to the free of that time; without its record they are an
 * event themselves.  Those are appended out of order and looked up no more.
 */
static int
gather_contents(
    struct snap *snap, taddr_t at, const umem_contents_t *ct, void *arg)
{
	struct gather *g = arg;
	struct event *e;

	if (!gather_wants(g, ct->ct_addr, ct->ct_size))
		return WALK_NEXT;
	e = gather_find(g, ct->ct_addr, ct->ct_timestamp);
	if (e == NULL) {
		e = history_add(snap, g->h);
		if (e == NULL)
			return UMDB_ENOMEM;
		e->timestamp = ct->ct_timestamp;
		e->addr = ct->ct_addr;
	}
	e->contents = at + sizeof(*ct);
	e->kept = ct->ct_size;
	return WALK_NEXT;
}

int
find_history(struct snap *snap, taddr_t addr, struct history *ret)
{
	struct gather g = {.addr = addr, .base = addr, .h = ret};
	const struct snap_slab *s;
	taddr_t bufctl = 0;
	uint32_t index;
	int rc = UMDB_OK;

	memset(ret, 0, sizeof(*ret));
	if (snap_buf_at(snap, addr, &s, &index)) {
		g.base = snap_buf_addr(s, index);
		bufctl = snap_buf_bufctl(s, index);
	}
	if (snap->root.root_log_transaction != 0)
		rc = walk_log(
		    snap, snap->root.root_log_transaction, gather_record, &g);
	gather_sort(&g);
	if (rc == UMDB_OK && bufctl != 0)
		rc = gather_bufctl(snap, &g, bufctl);
	if (rc == UMDB_OK)
		rc = find_contents(snap, gather_contents, &g);
	gather_sort(&g);
	if (rc != UMDB_OK)
		find_history_fini(ret);
	return rc;
}

void
find_history_fini(struct history *h)
{
	free(h->event);
	memset(h, 0, sizeof(*h));
}

uint8_t *
find_history_bytes(struct snap *snap, const struct event *e, size_t *n_ret)
{
	const size_t n = e->kept < KEPT_MAX ? (size_t)e->kept : KEPT_MAX;
	uint8_t *bytes;

	if (e->contents == 0)
		return NULL;
	bytes = malloc(n + 1);
	if (bytes == NULL)
		return NULL;
	if (target_read(snap->tgt, e->contents, bytes, n, "contents") !=
	    UMDB_OK) {
		free(bytes);
		return NULL;
	}
	*n_ret = n;
	return bytes;
}
