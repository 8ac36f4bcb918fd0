/* SPDX-License-Identifier: MIT */
/*
 * slab.c - pages cut into equal buffers; see slab.h
 *
 * Layer: slab.h
 */
#include "slab.h"

#include <string.h>

#include "audit.h"
#include "fault.h"
#include "heap.h"
#include "lock.h"
#include "meta.h"
#include "msg.h"
#include "os.h"
#include "pagemap.h"
#include "root.h"
#include "tlog.h"
#include "vmem.h"

/* Stores of one thread that a debugger must see in order. */
#define BARRIER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

enum { AHEAD_SHARE = 4, AHEAD_MAX = 32 * 1024, BUSY = 16 };

static size_t
map_words(size_t chunks)
{
	return (chunks + 63) / 64;
}

static size_t
slab_struct_size(size_t chunks)
{
	return sizeof(umem_slab_t) + map_words(chunks) * sizeof(uint64_t);
}

/* ---------------------------------------------------------------- lists */

static void
list_insert(umem_slab_t **head, umem_slab_t *sp)
{
	sp->slab_prev = NULL;
	sp->slab_next = *head;
	if (*head != NULL)
		(*head)->slab_prev = sp;
	*head = sp;
}

static void
list_remove(umem_slab_t **head, umem_slab_t *sp)
{
	if (sp->slab_prev != NULL)
		sp->slab_prev->slab_next = sp->slab_next;
	else
		*head = sp->slab_next;
	if (sp->slab_next != NULL)
		sp->slab_next->slab_prev = sp->slab_prev;
}

/* Partial and full slabs change lists.  Called with cache_lock held. */
static void
slab_place(umem_cache_t *cp, umem_slab_t *sp)
{
	int partial = sp->slab_refcnt < sp->slab_chunks;

	if (partial == !!(sp->slab_flags & UMEM_SLAB_PARTIAL))
		return;
	if (partial) {
		list_remove(&cp->cache_full, sp);
		list_insert(&cp->cache_partial, sp);
	} else {
		list_remove(&cp->cache_partial, sp);
		list_insert(&cp->cache_full, sp);
	}
	sp->slab_flags ^= UMEM_SLAB_PARTIAL;
}

/* ------------------------------------------------------ create, destroy */

/* Quantum caches cut no pages: each buffer is a segment of the arena. */
static int
is_direct(const umem_cache_t *cp)
{
	return (cp->cache_cflags & UMC_QCACHE) != 0;
}

/* Chunks past the last one are marked as handed out for ever. */
static void
map_init(umem_slab_t *sp)
{
	size_t words = map_words(sp->slab_chunks);

	sp->slab_map = (uint64_t *)(sp + 1);
	if (sp->slab_chunks % 64 != 0)
		sp->slab_map[words - 1] = ~0ull << (sp->slab_chunks % 64);
}

static void
slab_free_struct(umem_cache_t *cp, umem_slab_t *sp)
{
	if (sp->slab_bufctl != NULL)
		meta_free(sp->slab_bufctl,
		    (size_t)sp->slab_chunks * cp->cache_bufctl_size);
	meta_free(sp, slab_struct_size(sp->slab_chunks));
}

static umem_slab_t *
slab_new_struct(umem_cache_t *cp)
{
	umem_slab_t *sp = meta_alloc(slab_struct_size(cp->cache_chunks));

	if (sp == NULL)
		return NULL;
	sp->slab_cache = cp;
	sp->slab_size = cp->cache_slabsize;
	sp->slab_chunksize = cp->cache_chunksize;
	sp->slab_chunks = cp->cache_chunks;
	sp->slab_first = cp->cache_first;
	sp->slab_flags = UMEM_SLAB_PARTIAL;
	map_init(sp);
	if (cp->cache_bufctl_size != 0) {
		sp->slab_bufctl = meta_alloc(
		    (size_t)cp->cache_chunks * cp->cache_bufctl_size);
		if (sp->slab_bufctl == NULL) {
			slab_free_struct(cp, sp);
			return NULL;
		}
	}
	return sp;
}

static void
log_slab(const umem_slab_t *sp)
{
	umem_bufctl_audit_t bc = {
	    .bc_addr = sp->slab_base,
	    .bc_cache = sp->slab_cache,
	    .bc_size = sp->slab_size,
	};

	if (umem_root.root_log_slab == NULL)
		return;
	audit_stamp(&bc, UMEM_BC_SLAB);
	(void)tlog_record(umem_root.root_log_slab, &bc, umem_thread_slot());
}

static void *
guard_page(const umem_slab_t *sp)
{
	return (char *)sp->slab_base + sp->slab_size - UMEM_PAGE_SIZE;
}

/* Under firewall the last page is the guard. */
static int
slab_enter(umem_cache_t *cp, umem_slab_t *sp)
{
	if (cp->cache_flags & UMF_FIREWALL) {
		if (os_protect(guard_page(sp), UMEM_PAGE_SIZE, 0) != 0)
			return -1;
		sp->slab_flags |= UMEM_SLAB_GUARD;
	}
	if (pagemap_set(sp->slab_base, sp->slab_size, sp, cp->cache_fastbin) ==
	    0)
		return 0;
	if (sp->slab_flags & UMEM_SLAB_GUARD)
		(void)os_protect(guard_page(sp), UMEM_PAGE_SIZE, 1);
	return -1;
}

/*
 * slab_populate - the slab is in use up to @end: get memory for that at once,
 * and for up to @ahead bytes more.  A fault for each page costs as much again
 * as the page itself.
 */
static void
slab_populate(umem_slab_t *sp, size_t end, size_t ahead)
{
	const size_t from = sp->slab_ready;
	size_t to =
	    (end > from + ahead ? end : from + ahead) + UMEM_PAGE_SIZE - 1;

	if (end <= from || from == UMEM_SLAB_READY)
		return;
	to &= ~(size_t)(UMEM_PAGE_SIZE - 1);
	if (to > sp->slab_size)
		to = sp->slab_size;
	sp->slab_ready = (uint32_t)to;
	if (to - from > UMEM_PAGE_SIZE)
		os_populate((char *)sp->slab_base + from, to - from);
}

/* Called without locks: the arena may belong to the client. */
static umem_slab_t *
slab_create(umem_cache_t *cp)
{
	umem_slab_t *sp = slab_new_struct(cp);
	size_t align =
	    cp->cache_align > UMEM_PAGE_SIZE ? cp->cache_align : UMEM_PAGE_SIZE;
	int fresh = 0;

	if (sp == NULL)
		return NULL;
	sp->slab_base =
	    heap_alloc(cp->cache_arena, cp->cache_slabsize, align, &fresh);
	if (sp->slab_base == NULL) {
		slab_free_struct(cp, sp);
		return NULL;
	}
	if (!fresh || cp->cache_chunksize > UMEM_PAGE_SIZE)
		sp->slab_ready = UMEM_SLAB_READY;
	if (cp->cache_flags & (UMF_AUDIT | UMF_BUFTAG)) {
		slab_populate(sp, sp->slab_size, sp->slab_size);
		audit_slab_init(cp, sp);
	}
	if (slab_enter(cp, sp) != 0) {
		heap_free(cp->cache_arena, sp->slab_base, sp->slab_size);
		slab_free_struct(cp, sp);
		return NULL;
	}
	log_slab(sp);
	return sp;
}

/* Called without locks; the slab is on no list. */
static void
slab_destroy(umem_cache_t *cp, umem_slab_t *sp)
{
	if (cp->cache_flags & UMF_DEADBEEF)
		audit_slab_fini(cp, sp);
	pagemap_clear(sp->slab_base, sp->slab_size);
	if (sp->slab_flags & UMEM_SLAB_GUARD)
		(void)os_protect(guard_page(sp), UMEM_PAGE_SIZE, 1);
	heap_free(cp->cache_arena, sp->slab_base, sp->slab_size);
	slab_free_struct(cp, sp);
}

/* Called with cache_lock held; a new slab joins the cache. */
static void
slab_join(umem_cache_t *cp, umem_slab_t *sp)
{
	list_insert(&cp->cache_partial, sp);
	cp->cache_slab_create++;
	lock_put(cp->cache_buftotal, cp->cache_buftotal + sp->slab_chunks);
	if (cp->cache_buftotal > cp->cache_bufmax)
		cp->cache_bufmax = cp->cache_buftotal;
}

/* Called with cache_lock held; the slab leaves for slab_destroy(). */
static void
slab_leave(umem_cache_t *cp, umem_slab_t *sp)
{
	list_remove(&cp->cache_partial, sp);
	cp->cache_slab_destroy++;
	lock_put(cp->cache_buftotal, cp->cache_buftotal - sp->slab_chunks);
}

/* ------------------------------------------------------------- hand out */

/*
 * Take up to n free chunks of one slab into the magazine.  Called with
 * cache_lock held and at least one chunk free.
 */
static unsigned
slab_take(umem_slab_t *sp, umem_magazine_t *mp, unsigned n)
{
	void **round = mag_round(mp) + mp->mag_rounds;
	size_t words = map_words(sp->slab_chunks);
	unsigned taken = 0;
	size_t w = sp->slab_hint;

	while (taken < n && w < words) {
		uint64_t avail = ~sp->slab_map[w], bits = 0;

		while (avail != 0 && taken < n) {
			size_t bit = (size_t)__builtin_ctzll(avail);

			round[taken++] = slab_chunk(sp, w * 64 + bit);
			bits |= 1ull << bit;
			avail &= avail - 1;
		}
		BARRIER();
		mp->mag_rounds += (uint32_t)__builtin_popcountll(bits);
		BARRIER();
		sp->slab_map[w] |= bits;
		if (avail == 0)
			w++;
	}
	sp->slab_hint = (uint32_t)w;
	sp->slab_refcnt += taken;
	return taken;
}

static unsigned
fill_direct(umem_cache_t *cp, umem_magazine_t *mp)
{
	void *p = vmem_xalloc(cp->cache_arena, cp->cache_bufsize,
	    cp->cache_align, 0, 0, NULL, NULL, VM_NOSLEEP);

	if (p == NULL)
		return 0;
	mag_round(mp)[mp->mag_rounds++] = p;
	__atomic_fetch_add(&cp->cache_slab_alloc, 1, __ATOMIC_RELAXED);
	return 1;
}

/* end_of - bytes of the slab up to the last round, which is its latest */
static size_t
end_of(const umem_slab_t *sp, umem_magazine_t *mp)
{
	const char *last = mag_round(mp)[mp->mag_rounds - 1];

	return (size_t)(last - (const char *)sp->slab_base) +
	       sp->slab_chunksize;
}

/* ahead - how much a cache may take in advance: a part of what it has */
static size_t
ahead(const umem_cache_t *cp)
{
	size_t n = cp->cache_bufslab * cp->cache_chunksize / AHEAD_SHARE;

	return n < AHEAD_MAX ? n : AHEAD_MAX;
}

/*
 * is_busy - whether a thread that asks for @n rounds will use them all: its
 * first few it may not
 */
static int
is_busy(const umem_magazine_t *mp, unsigned n)
{
	return n >= BUSY || n == mp->mag_size;
}

unsigned
slab_fill(umem_cache_t *cp, umem_magazine_t *mp, unsigned n)
{
	unsigned got = 0;
	umem_slab_t *sp;

	if (is_direct(cp))
		return fill_direct(cp, mp);
	lock_acquire(&cp->cache_lock);
	while (cp->cache_partial == NULL) {
		lock_release(&cp->cache_lock);
		sp = slab_create(cp);
		lock_acquire(&cp->cache_lock);
		if (sp != NULL)
			slab_join(cp, sp);
		else if (cp->cache_partial == NULL) {
			cp->cache_alloc_fail++;
			lock_release(&cp->cache_lock);
			return 0;
		}
	}
	while (got < n && (sp = cp->cache_partial) != NULL) {
		got += slab_take(sp, mp, n - got);
		slab_place(cp, sp);
		if (is_busy(mp, n))
			slab_populate(sp, end_of(sp, mp), ahead(cp));
	}
	cp->cache_slab_alloc += got;
	lock_put(cp->cache_bufslab, cp->cache_bufslab + got);
	lock_release(&cp->cache_lock);
	return got;
}

/* ------------------------------------------------------------ take back */

/*
 * One buffer back to its slab.  Called with cache_lock held.  Returns -1
 * when it is not a handed-out buffer of this cache; sets *empty_ret to the
 * slab when it is to be destroyed.
 */
static int
slab_put(umem_cache_t *cp, void *buf, umem_slab_t **empty_ret)
{
	umem_slab_t *sp = pagemap_slab(buf);
	uint64_t bit;
	long i;

	*empty_ret = NULL;
	if (sp == NULL || sp->slab_cache != cp)
		return -1;
	i = slab_index(sp, buf);
	if (i < 0)
		return -1;
	bit = 1ull << (i & 63);
	if ((sp->slab_map[i >> 6] & bit) == 0)
		return -1;
	sp->slab_map[i >> 6] &= ~bit;
	if ((unsigned)(i >> 6) < sp->slab_hint)
		sp->slab_hint = (uint32_t)(i >> 6);
	sp->slab_refcnt--;
	slab_place(cp, sp);
	cp->cache_slab_free++;
	lock_put(cp->cache_bufslab, cp->cache_bufslab - 1);
	/* A wholly free slab goes, unless it is the only one with room. */
	if (sp->slab_refcnt == 0 &&
	    (sp->slab_next != NULL || sp->slab_prev != NULL ||
		cp->cache_flags & UMF_FIREWALL)) {
		slab_leave(cp, sp);
		*empty_ret = sp;
	}
	return 0;
}

static void
report_bad_round(umem_cache_t *cp, void *buf)
{
	umem_slab_t *sp = pagemap_slab(buf);
	struct umem_fault f = {
	    .buffer = buf,
	    .cache = cp,
	    .slab = sp,
	    .realcache = sp != NULL ? sp->slab_cache : NULL,
	    .function = "free",
	};
	long i = sp != NULL ? slab_index(sp, buf) : -1;

	if (sp == NULL) {
		f.error = UMEM_ERR_BADADDR;
	} else if (i < 0) {
		f.error = UMEM_ERR_BADBASE;
		f.realbuf = slab_chunk_of(sp, buf);
	} else {
		f.error =
		    sp->slab_cache != cp ? UMEM_ERR_BADCACHE : UMEM_ERR_DUPFREE;
		f.realbuf = buf;
	}
	fault_report(&f);
}

static void
drain_direct(umem_cache_t *cp, umem_magazine_t *mp, unsigned keep)
{
	while (mp->mag_rounds > keep) {
		vmem_xfree(cp->cache_arena, mag_round(mp)[--mp->mag_rounds],
		    cp->cache_bufsize);
		__atomic_fetch_add(&cp->cache_slab_free, 1, __ATOMIC_RELAXED);
	}
}

static void
destroy_list(umem_cache_t *cp, umem_slab_t *sp)
{
	while (sp != NULL) {
		umem_slab_t *next = sp->slab_next;

		slab_destroy(cp, sp);
		sp = next;
	}
}

void
slab_drain(umem_cache_t *cp, umem_magazine_t *mp, unsigned keep)
{
	umem_slab_t *empty, *dead = NULL;
	void **round = mag_round(mp);
	unsigned i = keep, n = mp->mag_rounds;

	if (is_direct(cp)) {
		drain_direct(cp, mp, keep);
		return;
	}
	while (i < n) {
		void *bad = NULL;

		lock_acquire(&cp->cache_lock);
		for (; i < n && bad == NULL; i++) {
			if (slab_put(cp, round[i], &empty) != 0)
				bad = round[i];
			else if (empty != NULL)
				list_insert(&dead, empty);
		}
		lock_release(&cp->cache_lock);
		if (bad != NULL)
			report_bad_round(cp, bad);
	}
	BARRIER();
	mp->mag_rounds = keep;
	destroy_list(cp, dead);
}

/* --------------------------------------------------- without a magazine */

/* A magazine of one round on the caller's stack. */
struct one {
	umem_magazine_t mag;
	void *round;
};

void *
slab_alloc(umem_cache_t *cp)
{
	struct one one = {.mag = {.mag_size = 1}};

	return slab_fill(cp, &one.mag, 1) == 1 ? *mag_round(&one.mag) : NULL;
}

void
slab_free(umem_cache_t *cp, void *buf)
{
	struct one one = {.mag = {.mag_size = 1, .mag_rounds = 1}};

	*mag_round(&one.mag) = buf;
	slab_drain(cp, &one.mag, 0);
}

/* ------------------------------------------------------------------ end */

void
slab_trim(umem_cache_t *cp)
{
	umem_slab_t *dead = NULL, *sp, *next;

	lock_acquire(&cp->cache_lock);
	for (sp = cp->cache_partial; sp != NULL; sp = next) {
		next = sp->slab_next;
		if (sp->slab_refcnt == 0) {
			slab_leave(cp, sp);
			list_insert(&dead, sp);
		}
	}
	lock_release(&cp->cache_lock);
	destroy_list(cp, dead);
}

size_t
slab_destroy_all(umem_cache_t *cp)
{
	umem_slab_t *partial, *full;
	size_t left;

	lock_acquire(&cp->cache_lock);
	left = cp->cache_bufslab;
	partial = cp->cache_partial;
	full = cp->cache_full;
	cp->cache_partial = cp->cache_full = NULL;
	lock_release(&cp->cache_lock);
	destroy_list(cp, partial);
	destroy_list(cp, full);
	return left;
}
