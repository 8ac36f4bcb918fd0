/* SPDX-License-Identifier: MIT */
/*
 * cache.c - caches and the table of sizes; see cache.h
 *
 * Layer: cache.h
 */
#include "cache.h"

#include <errno.h>
#include <string.h>

#include "audit.h"
#include "cache_list.h"
#include "fault.h"
#include "heap.h"
#include "init.h"
#include "lock.h"
#include "mag.h"
#include "meta.h"
#include "msg.h"
#include "os.h"
#include "pagemap.h"
#include "root.h"
#include "slab.h"
#include "tcache.h"
#include "umem.h"
#include "vmem.h"
#include "watch.h"

static umem_cache_t *cache_last;
static uint32_t cache_count;
static uint8_t bin_used[UMEM_TC_BINS]; /* under cache_list_lock */

/* --------------------------------------------------------------- layout */

static size_t
round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

#define CREATOR_FLAGS (UMF_AUDIT | UMF_BUFTAG | UMF_CONTENTS | UMF_NOMAGAZINE)

/* Debugging that a new cache gets: what the options say, where it can. */
static uint32_t
debug_flags(const struct cache_spec *spec, size_t align)
{
	uint32_t flags = umem_root.root_flags;

	if (spec->cflags & (UMC_NODEBUG | UMC_NOTOUCH | UMC_QCACHE))
		return flags & UMF_NOMAGAZINE;
	/* A creator may ask for some of it whatever the options say. */
	flags |= spec->cflags & CREATOR_FLAGS;
	if ((flags & UMF_LITE) && (spec->bufsize % 1024 == 0 || align > 1024))
		return flags & UMF_NOMAGAZINE;
	if (flags & UMF_RANDOMIZE) {
		/* Combinations take turns, so that all get used. */
		uint32_t turn = cache_count;

		flags &= ~(UMF_AUDIT | UMF_BUFTAG | UMF_CONTENTS);
		if (turn & 1)
			flags |= UMF_AUDIT;
		if (turn & 2)
			flags |= UMF_BUFTAG;
		if (turn & 4)
			flags |= UMF_CONTENTS;
		if ((turn & 15) == 8)
			flags |= UMF_NOMAGAZINE;
	}
	return flags;
}

/*
 * Pages per slab: as few as hold eight buffers (one, of very large ones)
 * with less than a sixteenth of waste; else the least wasteful number.
 */
static void
choose_slab_size(umem_cache_t *cp)
{
	size_t chunk = cp->cache_chunksize, first = cp->cache_first;
	size_t want = chunk >= 32768 ? 1 : chunk >= 8192 ? 4 : 8;
	size_t size, best = 0, best_waste = SIZE_MAX;

	if (first + chunk > SLAB_MAX_SIZE / 4)
		want = 1;
	size = round_up(first + want * chunk, UMEM_PAGE_SIZE);
	if (want > 1 && size < 4 * UMEM_PAGE_SIZE)
		size = 4 * UMEM_PAGE_SIZE;
	for (unsigned i = 0; i < 16; i++, size += UMEM_PAGE_SIZE) {
		size_t chunks = want == 1 ? 1 : (size - first) / chunk;
		size_t waste;

		if (chunks > UMEM_MAX_CHUNKS)
			chunks = UMEM_MAX_CHUNKS;
		waste = (size - chunks * chunk) * 1024 / size;
		if (waste < best_waste) {
			best_waste = waste;
			best = size;
			cp->cache_chunks = (uint32_t)chunks;
		}
		if (waste <= 64 || want == 1)
			break;
	}
	cp->cache_slabsize = best;
}

/* A buffer against an unmapped page: one to a slab, at the end of it. */
static void
layout_firewall(umem_cache_t *cp)
{
	size_t size = round_up(cp->cache_bufsize, cp->cache_align);

	cp->cache_flags &= ~(uint32_t)UMF_BUFTAG;
	cp->cache_flags |= UMF_NOMAGAZINE;
	cp->cache_arena = heap_firewall;
	cp->cache_slabsize = round_up(size, UMEM_PAGE_SIZE) + UMEM_PAGE_SIZE;
	cp->cache_chunks = 1;
	cp->cache_chunksize = size;
	cp->cache_first =
	    (uint32_t)(cp->cache_slabsize - UMEM_PAGE_SIZE - size);
}

static void
layout_chunks(umem_cache_t *cp)
{
	size_t size = round_up(cp->cache_bufsize, 8);

	if (cp->cache_flags & UMF_BUFTAG) {
		cp->cache_buftag = (uint32_t)size;
		size += sizeof(umem_buftag_t);
		cp->cache_first = (uint32_t)round_up(8, cp->cache_align);
		cp->cache_verify = audit_verify_bytes(cp);
	}
	cp->cache_chunksize = round_up(size, cp->cache_align);
	choose_slab_size(cp);
}

/*
 * Rounds of a magazine: a 32nd of what a thread may cache, 32 KiB at most, and
 * 24 to 128 of them: fewer are exchanged all the time.
 */
static uint32_t
magazine_size(const umem_cache_t *cp)
{
	uint64_t bytes = umem_root.root_perthread / 32, n;

	if (bytes > 32768)
		bytes = 32768;
	n = bytes / cp->cache_chunksize;
	if (n < 24)
		n = 24;
	return n > 128 ? 128 : (uint32_t)n;
}

/* --------------------------------------------------------------- create */

static int
spec_is_bad(const struct cache_spec *spec, size_t align)
{
	return spec->name == NULL || spec->bufsize == 0 ||
	       (align & (align - 1)) != 0 || align > (1u << 30);
}

static void
take_bin(umem_cache_t *cp)
{
	if (cp->cache_flags & UMF_NOMAGAZINE || umem_root.root_perthread == 0)
		return;
	for (uint32_t i = 1; i < UMEM_TC_BINS; i++)
		if (!bin_used[i]) {
			bin_used[i] = 1;
			cp->cache_bin = i;
			return;
		}
}

static void
join_list(umem_cache_t *cp)
{
	lock_acquire(&cache_list_lock);
	take_bin(cp);
	if (!cache_is_checked(cp))
		cp->cache_fastbin = cp->cache_bin;
	cp->cache_number = ++cache_count;
	cp->cache_prev = cache_last;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (cache_last != NULL)
		cache_last->cache_next = cp;
	else
		umem_root.root_caches = cp;
	cache_last = cp;
	lock_release(&cache_list_lock);
}

static void
leave_list(umem_cache_t *cp)
{
	lock_acquire(&cache_list_lock);
	if (cp->cache_prev != NULL)
		cp->cache_prev->cache_next = cp->cache_next;
	else
		umem_root.root_caches = cp->cache_next;
	if (cp->cache_next != NULL)
		cp->cache_next->cache_prev = cp->cache_prev;
	else
		cache_last = cp->cache_prev;
	bin_used[cp->cache_bin] = 0;
	lock_release(&cache_list_lock);
}

static void
set_debugging(umem_cache_t *cp, const struct cache_spec *spec)
{
	cp->cache_flags = spec->flags | debug_flags(spec, cp->cache_align);
	if (spec->cflags & UMC_NOMAGAZINE || umem_settings.set_nomagazines)
		cp->cache_flags |= UMF_NOMAGAZINE;
	if (umem_root.root_firewall == 0 ||
	    spec->bufsize < umem_root.root_firewall ||
	    spec->flags & UMF_MALLOC || spec->arena != NULL)
		cp->cache_flags &= ~(uint32_t)UMF_FIREWALL;
	cp->cache_contents = umem_root.root_contents;
	cp->cache_mtbf = umem_root.root_mtbf;
	if (cp->cache_flags & UMF_AUDIT)
		cp->cache_bufctl_size = sizeof(umem_bufctl_audit_t);
}

static size_t
default_align(const struct cache_spec *spec)
{
	/* What an arena hands out need not be memory: its quantum will do. */
	if (spec->cflags & UMC_QCACHE)
		return spec->align != 0 ? spec->align : spec->arena->vm_quantum;
	if (spec->align != 0)
		return spec->align < 8 ? 8 : spec->align;
	return spec->bufsize >= 16 ? 16 : 8;
}

umem_cache_t *
cache_create(const struct cache_spec *spec)
{
	size_t align = default_align(spec);
	umem_cache_t *cp;

	if (spec_is_bad(spec, align)) {
		errno = EINVAL;
		return NULL;
	}
	if (spec->bufsize > (size_t)1 << 40) {
		errno = ENOMEM;
		return NULL;
	}
	cp = meta_alloc(sizeof(*cp));
	if (cp == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	strncpy(cp->cache_name, spec->name, UMEM_NAME_LEN - 1);
	cp->cache_bufsize = spec->bufsize;
	cp->cache_align = align;
	cp->cache_cflags = spec->cflags;
	cp->cache_arena = spec->arena != NULL ? spec->arena : heap_default;
	cp->cache_constructor = (uintptr_t)spec->constructor;
	cp->cache_destructor = (uintptr_t)spec->destructor;
	cp->cache_reclaim = (uintptr_t)spec->reclaim;
	cp->cache_private = (uintptr_t)spec->cbdata;
	set_debugging(cp, spec);
	if (cp->cache_flags & UMF_FIREWALL)
		layout_firewall(cp);
	else
		layout_chunks(cp);
	cp->cache_recip =
	    ((1ull << UMEM_RECIP_SHIFT) + cp->cache_chunksize - 1) /
	    cp->cache_chunksize;
	cp->cache_magsize = magazine_size(cp);
	join_list(cp);
	return cp;
}

/* ---------------------------------------------------------- size classes */

uint8_t size_bin_small[(SIZE_SMALL >> SIZE_SMALL_SHIFT) + 1];
uint8_t size_bin_medium[(SIZE_MAX_CACHED >> SIZE_MEDIUM_SHIFT) + 1];
uint32_t bin_size[UMEM_TC_BINS];

/* The same, but to classes, and filled in whatever the options say. */
uint8_t size_class_small[(SIZE_SMALL >> SIZE_SMALL_SHIFT) + 1];
static uint8_t class_medium[(SIZE_MAX_CACHED >> SIZE_MEDIUM_SHIFT) + 1];

static uint32_t class_size[SIZE_MAX_CLASSES];
umem_cache_t *size_class_cache[SIZE_MAX_CLASSES];
static unsigned class_count;

/* Caches for memalign when calls are checked: by alignment 32 .. 4096. */
enum { ALIGN_FIRST = 5, ALIGN_LAST = UMEM_PAGE_SHIFT };
static umem_cache_t
    *align_cache[ALIGN_LAST - ALIGN_FIRST + 1][SIZE_MAX_CLASSES];
static umem_lock_t align_lock;

static void
class_add(uint64_t size)
{
	unsigned i = 0;

	size = size <= SIZE_SMALL ? round_up(size, 16) : round_up(size, 1024);
	while (i < class_count && class_size[i] < size)
		i++;
	if (class_count == SIZE_MAX_CLASSES || size > SIZE_MAX_CACHED ||
	    size == 0 || (i < class_count && class_size[i] == size))
		return;
	memmove(&class_size[i + 1], &class_size[i],
	    (class_count - i) * sizeof(class_size[0]));
	class_size[i] = (uint32_t)size;
	class_count++;
}

static void
class_remove(uint64_t size)
{
	for (unsigned i = 0; i < class_count; i++)
		if (class_size[i] == size && size != SIZE_MAX_CACHED) {
			class_count--;
			memmove(&class_size[i], &class_size[i + 1],
			    (class_count - i) * sizeof(class_size[0]));
			return;
		}
}

/*
 * Multiples of 16 up to 128, then four classes to each doubling: at most a
 * fifth of a buffer is lost to rounding.
 */
static void
choose_classes(void)
{
	const struct umem_settings *set = &umem_settings;

	if (!set->set_size_clear) {
		for (uint64_t s = 16; s < 128; s += 16)
			class_add(s);
		for (uint64_t s = 128; s < SIZE_MAX_CACHED; s *= 2)
			for (unsigned q = 4; q < 8; q++)
				class_add(s * q / 4);
	}
	class_add(SIZE_MAX_CACHED);
	for (uint32_t i = 0; i < set->set_nsize_add; i++)
		class_add(set->set_size_add[i]);
	for (uint32_t i = 0; i < set->set_nsize_remove; i++)
		class_remove(set->set_size_remove[i]);
}

static void
fill_class_tables(void)
{
	unsigned class = 0;

	for (size_t i = 0; i < sizeof(size_class_small); i++) {
		while (class_size[class] < i << SIZE_SMALL_SHIFT)
			class ++;
		size_class_small[i] = (uint8_t) class;
	}
	class = 0;
	for (size_t i = 0; i < sizeof(class_medium); i++) {
		while (class_size[class] < i << SIZE_MEDIUM_SHIFT)
			class ++;
		class_medium[i] = (uint8_t) class;
	}
}

/* umem_alloc_SIZE, or umem_align_ALIGN_SIZE for rare alignments. */
static umem_cache_t *
create_class(size_t size, size_t align)
{
	char name[UMEM_NAME_LEN];
	struct cache_spec spec = {
	    .name = name,
	    .bufsize = size,
	    .align = align,
	    .flags = UMF_MALLOC,
	};

	if (align <= 16)
		(void)umem_snprintf(name, sizeof(name), "umem_alloc_%zu", size);
	else
		(void)umem_snprintf(
		    name, sizeof(name), "umem_align_%zu_%zu", align, size);
	return cache_create(&spec);
}

void
cache_init(void)
{
	choose_classes();
	fill_class_tables();
	for (unsigned i = 0; i < class_count; i++) {
		size_class_cache[i] = create_class(class_size[i], 16);
		if (size_class_cache[i] == NULL)
			umem_panic("umem: no memory to start with\n");
	}
}

void
cache_open_fast_path(void)
{
	for (unsigned i = 0; i < class_count; i++)
		if (size_class_cache[i]->cache_fastbin != 0)
			bin_size[size_class_cache[i]->cache_fastbin] =
			    (uint32_t)size_class_cache[i]->cache_bufsize;
	for (size_t i = 0; i < sizeof(size_class_small); i++)
		size_bin_small[i] =
		    (uint8_t)size_class_cache[size_class_small[i]]
			->cache_fastbin;
	for (size_t i = 0; i < sizeof(class_medium); i++)
		size_bin_medium[i] =
		    (uint8_t)size_class_cache[class_medium[i]]->cache_fastbin;
}

/* Checked buffers are not where their size says: caches of their own. */
static umem_cache_t *
cache_aligned(unsigned class, size_t align)
{
	unsigned a = (unsigned)__builtin_ctzl(align) - ALIGN_FIRST;
	umem_cache_t *cp;

	cp = __atomic_load_n(&align_cache[a][class], __ATOMIC_ACQUIRE);
	if (cp != NULL)
		return cp;
	lock_acquire(&align_lock);
	cp = align_cache[a][class];
	if (cp == NULL) {
		cp = create_class(class_size[class], align);
		__atomic_store_n(&align_cache[a][class], cp, __ATOMIC_RELEASE);
	}
	lock_release(&align_lock);
	return cp;
}

umem_cache_t *
cache_for_other(size_t size, size_t align)
{
	unsigned class;

	if (size > SIZE_MAX_CACHED || align > UMEM_PAGE_SIZE)
		return NULL;
	if (align > 16 && size < align)
		size = align;
	class = size <= SIZE_SMALL
		    ? size_class_small[(size + 15) >> SIZE_SMALL_SHIFT]
		    : class_medium[(size + 1023) >> SIZE_MEDIUM_SHIFT];
	if (align <= 16)
		return size_class_cache[class];
	if (umem_root.root_flags & (UMF_BUFTAG | UMF_RANDOMIZE))
		return cache_aligned(class, align);
	/* Chunks lie at multiples of their size from the start of a page. */
	while (class < class_count && class_size[class] % align != 0)
		class ++;
	return class < class_count ? size_class_cache[class] : NULL;
}

/* --------------------------------------------------------- alloc and free */

/* The constructor failed: as it came, so it goes. */
static __attribute__((noinline, cold)) void
free_unconstructed(umem_cache_t *cp, void *buf, const struct stack_frame *from)
{
	umem_slab_t *sp = pagemap_slab(buf);
	long index = slab_index(sp, buf);

	if (audit_free(sp, (size_t)index, buf, (size_t)-1, from) == 0)
		tc_free(cp, buf);
}

static void *
alloc_checked(umem_cache_t *cp, const struct stack_frame *from)
{
	umem_constructor_t *construct =
	    (umem_constructor_t *)cp->cache_constructor;
	const uint32_t trace = audit_trace(cp, from);
	void *buf;

	if (cp->cache_mtbf != 0 && audit_mtbf())
		return NULL;
	buf = tc_alloc(cp);
	if (buf == NULL)
		return NULL;
	audit_alloc(cp, pagemap_slab(buf), buf, cp->cache_bufsize, 0, trace);
	if (construct == NULL ||
	    construct(buf, (void *)cp->cache_private, UMEM_DEFAULT) == 0)
		return buf;
	free_unconstructed(cp, buf, from);
	return NULL;
}

static __attribute__((noinline)) void *
cache_alloc(umem_cache_t *cp, int flags)
{
	const struct stack_frame from = stack_caller();
	void *buf;

	do {
		buf = cache_is_checked(cp) ? alloc_checked(cp, &from)
					   : tc_alloc(cp);
		if (buf != NULL) {
			watch_alloc(buf, cp->cache_bufsize);
			return buf;
		}
		audit_fail(cp, cp->cache_bufsize);
	} while ((flags & UMEM_NOFAIL) && umem_nofail_retry());
	return NULL;
}

static void
report_bad_free(umem_cache_t *cp, umem_slab_t *sp, void *buf, long index)
{
	struct umem_fault f = {
	    .buffer = buf,
	    .cache = cp,
	    .slab = sp,
	    .function = "umem_cache_free",
	};

	if (sp == NULL) {
		f.error = UMEM_ERR_BADADDR;
	} else if (index < 0) {
		f.error = UMEM_ERR_BADBASE;
		f.realcache = sp->slab_cache;
		f.realbuf = slab_chunk_of(sp, buf);
	} else {
		f.error = UMEM_ERR_BADCACHE;
		f.realcache = sp->slab_cache;
		f.realbuf = buf;
		f.bufctl = audit_bufctl(sp, (size_t)index);
	}
	fault_report(&f);
}

/* A buffer that was freed twice must not be destructed twice. */
static int
tag_says_allocated(const umem_cache_t *cp, const void *buf)
{
	const umem_buftag_t *bt =
	    (const void *)((const char *)buf + cp->cache_buftag);

	return cp->cache_buftag == 0 ||
	       (bt->bt_bufctl ^ bt->bt_bxstat) == UMEM_BUFTAG_ALLOC;
}

static void
free_checked(umem_cache_t *cp, void *buf, const struct stack_frame *from)
{
	umem_destructor_t *destruct = (umem_destructor_t *)cp->cache_destructor;
	umem_slab_t *sp = pagemap_slab(buf);
	long index = sp != NULL ? slab_index(sp, buf) : -1;

	if (index < 0 || sp->slab_cache != cp) {
		report_bad_free(cp, sp, buf, index);
		return;
	}
	if (destruct != NULL && tag_says_allocated(cp, buf))
		destruct(buf, (void *)cp->cache_private);
	if (audit_free(sp, (size_t)index, buf, (size_t)-1, from) == 0)
		tc_free(cp, buf);
}

static __attribute__((noinline)) void
cache_free(umem_cache_t *cp, void *buf)
{
	const struct stack_frame from = stack_caller();

	watch_free(buf, (size_t)-1);
	if (cache_is_checked(cp))
		free_checked(cp, buf, &from);
	else
		tc_free(cp, buf);
}

/* ------------------------------------------------------- the public names */

umem_cache_t *
umem_cache_create(const char *name, size_t bufsize, size_t align,
    umem_constructor_t *constructor, umem_destructor_t *destructor,
    umem_reclaim_t *reclaim, void *cbdata, struct vmem *source, int cflags)
{
	struct cache_spec spec = {
	    .name = name,
	    .bufsize = bufsize,
	    .align = align,
	    .constructor = (void *)constructor,
	    .destructor = (void *)destructor,
	    .reclaim = (void *)reclaim,
	    .cbdata = cbdata,
	    .arena = source,
	    .cflags = (uint32_t)cflags,
	};

	if (umem_init() != 0) {
		errno = ENOMEM;
		return NULL;
	}
	/* What is not to be touched may not be memory: cut nothing up. */
	if (source != NULL && (cflags & (int)UMC_NOTOUCH))
		spec.cflags |= UMC_QCACHE;
	return cache_create(&spec);
}

void
umem_cache_destroy(umem_cache_t *cp)
{
	size_t left;

	if (cp == NULL)
		return;
	cache_close(cp);
	tc_forget(cp);
	depot_purge(cp);
	/* A debugger wants to know whose the slabs are until the last is gone. */
	left = slab_destroy_all(cp);
	leave_list(cp);
	if (left != 0)
		umem_log_message(
		    "umem: cache %s destroyed while %zu of its buffers were "
		    "in use\n",
		    cp->cache_name, left);
	meta_free(cp, sizeof(*cp));
}

void *
umem_cache_alloc(umem_cache_t *cp, int flags)
{
	void *buf;

	if (__builtin_expect(tc_pop(cp->cache_fastbin, &buf), 1))
		return buf;
	return cache_alloc(cp, flags);
}

void
umem_cache_free(umem_cache_t *cp, void *buf)
{
	if (__builtin_expect(tc_push(cp->cache_fastbin, buf), 1))
		return;
	cache_free(cp, buf);
}

/* ----------------------------------------------------------------- walks */

void
cache_each(void (*fn)(umem_cache_t *cp))
{
	umem_cache_t *cp = NULL;

	while ((cp = cache_visit(cp)) != NULL)
		fn(cp);
}

/* The same with the list's lock held. */
static void
each_of_list(void (*fn)(umem_cache_t *cp))
{
	umem_cache_t *cp;

	for (cp = umem_root.root_caches; cp != NULL; cp = cp->cache_next)
		fn(cp);
}

static void
lock_one(umem_cache_t *cp)
{
	lock_fork_hold(&cp->cache_lock);
	lock_fork_hold(&cp->cache_depot_lock);
}

static void
unlock_one(umem_cache_t *cp)
{
	lock_fork_release(&cp->cache_depot_lock);
	lock_fork_release(&cp->cache_lock);
}

/* The visitors were other threads, but for a callback that forks. */
static void
reset_one(umem_cache_t *cp)
{
	cp->cache_visitors = 0;
	lock_reset(&cp->cache_depot_lock);
	lock_reset(&cp->cache_lock);
}

void
cache_fork_lock(void)
{
	lock_fork_hold(&align_lock);
	lock_fork_hold(&cache_list_lock);
	each_of_list(lock_one);
}

void
cache_fork_unlock(void)
{
	each_of_list(unlock_one);
	lock_fork_release(&cache_list_lock);
	lock_fork_release(&align_lock);
}

void
cache_fork_child(void)
{
	each_of_list(reset_one);
	lock_reset(&cache_list_lock);
	lock_reset(&align_lock);
}
