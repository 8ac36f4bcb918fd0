/* SPDX-License-Identifier: MIT */
/*
 * test_audit.c - guards, patterns and records, on a slab drawn by hand
 *
 * Each test draws one cache with one slab, plays the client's part, and says
 * what must be in memory or on stderr.  Damage is done in a child.
 */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audit.h"
#include "root.h"
#include "slab.h"
#include "suites.h"
#include "tlog.h"
#include "trace.h"
#include "util.h"

#define BUFSIZE 40
#define BUFTAG 40
#define CHUNK 80 /* 40 + 32 and 8 of padding */
#define FIRST 16
#define CHUNKS 50
#define PAGES 4096
#define DEPTH 4
#define UNKNOWN ((size_t)-1)

#define GUARDS (UMF_DEADBEEF | UMF_REDZONE)
#define ALL (UMF_AUDIT | UMF_CONTENTS | GUARDS | UMF_MALLOC)

static umem_cache_t cache;
static umem_slab_t slab;
static umem_bufctl_audit_t bufctls[CHUNKS];
static char *pages;

static char *
chunk(size_t i)
{
	return pages + FIRST + i * CHUNK;
}

static umem_buftag_t *
tag(size_t i)
{
	return (umem_buftag_t *)(void *)(chunk(i) + BUFTAG);
}

static uint64_t
word_at(const void *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* draw - a cache with these flags, and a new slab of it */
static void
draw(uint32_t flags)
{
	pages = mmap(NULL, PAGES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(pages, MAP_FAILED);
	memset(&bufctls, 0, sizeof(bufctls));
	cache = (umem_cache_t){
	    .cache_name = "test_cache",
	    .cache_bufsize = BUFSIZE,
	    .cache_chunksize = CHUNK,
	    .cache_slabsize = PAGES,
	    .cache_chunks = CHUNKS,
	    .cache_first = FIRST,
	    .cache_flags = flags,
	    .cache_buftag = flags & UMF_BUFTAG ? BUFTAG : 0,
	    .cache_bufctl_size =
		flags & UMF_AUDIT ? sizeof(umem_bufctl_audit_t) : 0,
	    .cache_contents = 16,
	    .cache_recip = (((uint64_t)1 << 40) + CHUNK - 1) / CHUNK,
	};
	slab = (umem_slab_t){
	    .slab_cache = &cache,
	    .slab_base = pages,
	    .slab_size = PAGES,
	    .slab_chunksize = CHUNK,
	    .slab_bufctl = flags & UMF_AUDIT ? bufctls : NULL,
	    .slab_first = FIRST,
	    .slab_chunks = CHUNKS,
	};
	umem_root.root_stack_depth = DEPTH;
	cache.cache_verify = audit_verify_bytes(&cache);
	audit_slab_init(&cache, &slab);
}

static void
hand_out(void *buf, size_t size, int exact)
{
	const struct stack_frame from = stack_caller();

	ck_assert_ptr_eq(audit_alloc(&cache, &slab, buf, size, exact,
			     audit_trace(&cache, &from)),
	    buf);
}

static int
take_back(void *buf, size_t size)
{
	const struct stack_frame from = stack_caller();

	long index = slab_index(&slab, buf);

	ck_assert_int_ge(index, 0);
	return audit_free(&slab, (size_t)index, buf, size, &from);
}

/* draw_large - the same with one buffer of @size bytes and its own pages */
static char *
draw_large(uint32_t flags, size_t size)
{
	draw(0);
	cache.cache_flags = flags | UMF_LARGE;
	cache.cache_bufctl_size = sizeof(umem_bufctl_audit_t);
	slab.slab_bufctl = bufctls;
	slab.slab_chunks = 1;
	slab.slab_chunksize = PAGES - FIRST;
	slab.slab_reqsize = size;
	hand_out(chunk(0), size, 1);
	return chunk(0);
}

static void
take(size_t i, size_t size)
{
	hand_out(chunk(i), size, 1);
}

static int
give(size_t i, size_t size)
{
	return take_back(chunk(i), size);
}

/* expect - running act(arg) aborts, and says this first */
__attribute__((format(printf, 3, 4))) static void
expect(void (*act)(void *), void *arg, const char *fmt, ...)
{
	static struct capture cap;
	char want[512], *newline;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	capture_expect_abort(
	    &cap, act, arg, "umem: heap corruption detected; aborting\n");
	newline = strchr(cap.text, '\n');
	ck_assert_ptr_nonnull(newline);
	*newline = '\0';
	ck_assert_str_eq(cap.text, want);
}

/* ------------------------------------------------------------ all is well */

START_TEST(new_slab_is_free_all_over)
{
	draw(ALL);
	for (size_t i = 0; i < CHUNKS; i++) {
		ck_assert_uint_eq(word_at(chunk(i) - 8), UMEM_PATTERN_REDZONE);
		for (size_t j = 0; j < BUFTAG; j += 8)
			ck_assert_uint_eq(
			    word_at(chunk(i) + j), UMEM_PATTERN_FREE);
		ck_assert_uint_eq(tag(i)->bt_redzone, UMEM_PATTERN_REDZONE);
		ck_assert_uint_eq(tag(i)->bt_bufctl, (uintptr_t)&bufctls[i]);
		ck_assert_uint_eq(
		    tag(i)->bt_bufctl ^ tag(i)->bt_bxstat, UMEM_BUFTAG_FREE);
		ck_assert_uint_eq(tag(i)->bt_front, UMEM_PATTERN_REDZONE);
		ck_assert_uint_eq(
		    word_at(chunk(i) + CHUNK - 8), UMEM_PATTERN_REDZONE);
	}
	audit_slab_fini(&cache, &slab);
}
END_TEST

START_TEST(buffer_of_every_size_is_filled_and_tagged)
{
	unsigned char *b;

	draw(ALL);
	for (size_t size = 0; size <= BUFSIZE; size++) {
		take(size, size);
		b = (unsigned char *)chunk(size);
		for (size_t j = 0; j < size; j++)
			ck_assert_uint_eq(
			    b[j], UMEM_PATTERN_UNINIT >> (8 * (j % 8)) & 0xff);
		for (size_t j = size; j < BUFTAG; j++)
			ck_assert_uint_eq(b[j], UMEM_REDZONE_BYTE);
		ck_assert_uint_eq(
		    tag(size)->bt_redzone & 0xffffffff, 0xfeedface);
		ck_assert_uint_eq(
		    tag(size)->bt_redzone >> 32, UMEM_SIZE_ENCODE(size));
		ck_assert_uint_eq(tag(size)->bt_bufctl ^ tag(size)->bt_bxstat,
		    UMEM_BUFTAG_ALLOC);
		ck_assert_uint_eq(audit_size(&cache, &slab, chunk(size)), size);
	}
}
END_TEST

START_TEST(use_within_bounds_is_never_objected_to)
{
	static const uint32_t flags[] = {ALL, GUARDS | UMF_MALLOC,
	    GUARDS | UMF_LITE | UMF_MALLOC, UMF_AUDIT | UMF_MALLOC,
	    UMF_REDZONE | UMF_MALLOC, UMF_DEADBEEF | UMF_AUDIT | UMF_MALLOC};

	for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
		draw(flags[f]);
		for (size_t n = 0; n < 3 * (BUFSIZE + 1); n++) {
			size_t size = n % (BUFSIZE + 1);

			for (size_t i = 0; i < CHUNKS; i++) {
				take(i, size);
				memset(chunk(i), (int)n, size);
			}
			for (size_t i = 0; i < CHUNKS; i++)
				ck_assert_int_eq(
				    give(i, i % 2 ? size : UNKNOWN), 0);
		}
		audit_slab_fini(&cache, &slab);
	}
	ck_assert_uint_eq(umem_root.root_abort.ab_timestamp, 0);
}
END_TEST

START_TEST(object_cache_has_a_full_red_zone_and_no_size)
{
	draw(ALL & ~UMF_MALLOC);
	hand_out(chunk(0), BUFSIZE, 0);
	ck_assert_uint_eq(tag(0)->bt_redzone, UMEM_PATTERN_REDZONE);
	ck_assert_uint_eq(audit_size(&cache, &slab, chunk(0)), BUFSIZE);
	memset(chunk(0), 0, BUFSIZE);
	ck_assert_int_eq(give(0, UNKNOWN), 0);
}
END_TEST

START_TEST(record_tells_who_when_and_how_much)
{
	umem_bufctl_audit_t *bc;
	uint64_t first;
	size_t depth;

	draw(ALL);
	bc = audit_bufctl(&slab, 3);
	ck_assert_uint_eq(bc->bc_kind, UMEM_BC_NEVER);
	take(3, 21);
	ck_assert_ptr_eq(bc->bc_addr, chunk(3));
	ck_assert_ptr_eq(bc->bc_slab, &slab);
	ck_assert_ptr_eq(bc->bc_cache, &cache);
	ck_assert_uint_eq(bc->bc_size, 21);
	ck_assert_uint_eq(bc->bc_kind, UMEM_BC_ALLOC);
	ck_assert_uint_eq(bc->bc_thread, umem_thread_id());
	(void)trace_get(bc->bc_trace, &depth);
	ck_assert_uint_le(depth, DEPTH);
	first = bc->bc_timestamp;
	ck_assert_uint_ne(first, 0);
	give(3, 21);
	ck_assert_uint_eq(bc->bc_kind, UMEM_BC_FREE);
	ck_assert_uint_eq(bc->bc_size, 21);
	ck_assert_uint_ge(bc->bc_timestamp, first);
	ck_assert_uint_eq(audit_bufctl(&slab, 2)->bc_kind, UMEM_BC_NEVER);
	ck_assert_uint_eq(audit_bufctl(&slab, 4)->bc_kind, UMEM_BC_NEVER);
}
END_TEST

START_TEST(log_chains_the_transactions_of_a_buffer)
{
	const umem_bufctl_audit_t *bc, *newest;

	umem_settings.set_log_transaction = 65536;
	umem_settings.set_log_contents = 65536;
	umem_root.root_stack_depth = DEPTH;
	tlog_init();
	draw(ALL);
	bc = audit_bufctl(&slab, 0);
	take(0, 10);
	ck_assert_ptr_null(bc->bc_lastlog->bc_lastlog);
	memcpy(chunk(0), "0123456789", 10);
	give(0, 10);
	newest = bc->bc_lastlog;
	ck_assert_uint_eq(newest->bc_kind, UMEM_BC_FREE);
	ck_assert_uint_eq(newest->bc_timestamp, bc->bc_timestamp);
	ck_assert_uint_eq(newest->bc_lastlog->bc_kind, UMEM_BC_ALLOC);
	ck_assert_ptr_eq(newest->bc_lastlog->bc_addr, chunk(0));
	take(0, 5);
	ck_assert_ptr_eq(bc->bc_lastlog->bc_lastlog, newest);
	ck_assert_ptr_null(bc->bc_contents);
}
END_TEST

START_TEST(contents_of_a_freed_buffer_are_kept)
{
	const umem_contents_t *ct;

	umem_settings.set_log_contents = 65536;
	tlog_init();
	draw(ALL);
	take(0, 10);
	memcpy(chunk(0), "0123456789", 10);
	give(0, 10);
	ct = audit_bufctl(&slab, 0)->bc_contents;
	ck_assert_ptr_nonnull(ct);
	ck_assert_uint_eq(ct->ct_addr, (uintptr_t)chunk(0));
	ck_assert_uint_eq(ct->ct_size, 10);
	ck_assert_mem_eq(ct + 1, "0123456789", 10);
	take(1, 40);
	memset(chunk(1), 'x', 40);
	give(1, UNKNOWN);
	ct = audit_bufctl(&slab, 1)->bc_contents;
	ck_assert_uint_eq(ct->ct_size, 16);
}
END_TEST

START_TEST(freed_buffer_reads_as_deadbeef)
{
	draw(ALL);
	take(0, 10);
	give(0, 10);
	for (size_t j = 0; j < BUFTAG; j += 8)
		ck_assert_uint_eq(word_at(chunk(0) + j), UMEM_PATTERN_FREE);
	ck_assert_uint_eq(tag(0)->bt_redzone, UMEM_PATTERN_REDZONE);
}
END_TEST

START_TEST(maxverify_limits_what_is_filled)
{
	draw(ALL);
	cache.cache_verify = 16;
	umem_root.root_maxverify = 16;
	take(0, 10);
	ck_assert_uint_eq(word_at(chunk(0) + 16), 0xbbbbbbbbbbbbbbbb);
	ck_assert_uint_eq(word_at(chunk(0) + 32), UMEM_PATTERN_FREE);
	give(0, 10);
	ck_assert_uint_eq(word_at(chunk(0) + 8), UMEM_PATTERN_FREE);
	ck_assert_uint_eq(word_at(chunk(0) + 16), 0xbbbbbbbbbbbbbbbb);
}
END_TEST

START_TEST(large_buffer_has_guards_on_both_sides)
{
	unsigned char *b = (unsigned char *)draw_large(ALL, 1001);

	ck_assert_uint_eq(word_at(b - 8), UMEM_PATTERN_REDZONE);
	for (size_t j = 1001; j < 1001 + 64; j++)
		ck_assert_uint_eq(b[j], UMEM_REDZONE_BYTE);
	ck_assert_uint_eq(b[1001 + 64], 0);
	ck_assert_uint_eq(b[1000], 0);
	ck_assert_uint_eq(audit_size(&cache, &slab, b), 1001);
	ck_assert_int_eq(take_back(b, 1001), 0);
}
END_TEST

START_TEST(large_guard_ends_with_the_chunk)
{
	char *b = draw_large(ALL, PAGES - FIRST - 10);

	ck_assert_int_eq(
	    (unsigned char)b[PAGES - FIRST - 1], UMEM_REDZONE_BYTE);
	ck_assert_int_eq(take_back(b, UNKNOWN), 0);
	b = draw_large(ALL, PAGES - FIRST);
	ck_assert_int_eq(take_back(b, UNKNOWN), 0);
}
END_TEST

/* ----------------------------------------------------------------- damage */

/* Write @count bytes at @offset of a buffer of @size, then free it. */
struct stray {
	size_t size;
	long offset;
	size_t count;
	size_t freed_as;
};

static void
stray_write(void *arg)
{
	const struct stray *s = arg;

	take(1, s->size);
	memset(chunk(1) + s->offset, 'A', s->count);
	give(1, s->freed_as);
}

START_TEST(overrun_by_one_byte_is_one_at_every_size)
{
	for (size_t size = 0; size <= BUFSIZE; size++) {
		struct stray s = {size, (long)size, 1, UNKNOWN};
		char bytes[32] = "";

		if (size != 0)
			snprintf(bytes, sizeof(bytes), ", %zu bytes", size);
		draw(size % 2 ? ALL : GUARDS | UMF_MALLOC);
		expect(stray_write, &s,
		    "umem: write past the end of a buffer: %p of cache "
		    "test_cache%s, at offset %zu",
		    (void *)chunk(1), bytes, size);
	}
}
END_TEST

START_TEST(long_overrun_is_named_by_its_first_byte)
{
	struct stray s = {20, 20, 24, UNKNOWN};

	draw(ALL);
	expect(stray_write, &s,
	    "umem: write past the end of a buffer: %p of cache test_cache, "
	    "20 bytes, at offset 20",
	    (void *)chunk(1));
	s.count = 100;
	expect(stray_write, &s,
	    "umem: write past the end of a buffer: %p of cache test_cache, "
	    "20 bytes, at offset 20",
	    (void *)chunk(1));
	/* without a record the size is lost with the red zone */
	draw(GUARDS | UMF_MALLOC);
	expect(stray_write, &s,
	    "umem: write past the end of a buffer: %p of cache test_cache, "
	    "at offset 40",
	    (void *)chunk(1));
}
END_TEST

START_TEST(overrun_of_an_object_is_seen_in_its_padding)
{
	struct stray s = {37, 37, 1, UNKNOWN};

	draw(ALL & ~UMF_MALLOC);
	cache.cache_bufsize = 37;
	expect(stray_write, &s,
	    "umem: write past the end of a buffer: %p of cache test_cache, "
	    "37 bytes, at offset 37",
	    (void *)chunk(1));
}
END_TEST

START_TEST(underrun_is_named_as_such)
{
	struct stray s = {20, -1, 1, UNKNOWN};

	draw(ALL);
	expect(stray_write, &s,
	    "umem: write before the start of a buffer: %p of cache "
	    "test_cache, 20 bytes, at offset -1",
	    (void *)chunk(1));
	s.offset = -8;
	s.count = 8;
	expect(stray_write, &s,
	    "umem: write before the start of a buffer: %p of cache "
	    "test_cache, 20 bytes, at offset -8",
	    (void *)chunk(1));
}
END_TEST

START_TEST(damaged_tag_is_not_called_an_overrun)
{
	struct stray s = {20, BUFTAG + 8, 1, UNKNOWN};

	draw(ALL);
	expect(stray_write, &s,
	    "umem: tag behind a buffer damaged: %p of cache test_cache, 20 "
	    "bytes, at offset 48",
	    (void *)chunk(1));
	s.offset = BUFTAG + 16;
	expect(stray_write, &s,
	    "umem: tag behind a buffer damaged: %p of cache test_cache, 20 "
	    "bytes, at offset 56",
	    (void *)chunk(1));
	s.offset = BUFTAG + 4;
	expect(stray_write, &s,
	    "umem: tag behind a buffer damaged: %p of cache test_cache, 20 "
	    "bytes, at offset 40",
	    (void *)chunk(1));
}
END_TEST

START_TEST(wrong_size_is_named_with_both_sizes)
{
	struct stray s = {20, 0, 20, 24};

	draw(ALL);
	expect(stray_write, &s,
	    "umem: buffer freed with the wrong size: %p of cache test_cache, "
	    "20 bytes, freed as 24",
	    (void *)chunk(1));
	draw(UMF_AUDIT | UMF_MALLOC);
	expect(stray_write, &s,
	    "umem: buffer freed with the wrong size: %p of cache test_cache, "
	    "20 bytes, freed as 24",
	    (void *)chunk(1));
}
END_TEST

static void
free_twice(void *arg)
{
	(void)arg;
	take(1, 20);
	give(1, UNKNOWN);
	give(1, UNKNOWN);
}

START_TEST(second_free_is_named_as_such)
{
	static const uint32_t flags[] = {
	    ALL, UMF_AUDIT | UMF_MALLOC, UMF_LITE | ALL};

	for (size_t i = 0; i < 3; i++) {
		draw(flags[i]);
		expect(free_twice, NULL,
		    "umem: buffer freed twice: %p of cache test_cache, 20 "
		    "bytes",
		    (void *)chunk(1));
	}
	draw(GUARDS | UMF_MALLOC);
	expect(free_twice, NULL,
	    "umem: buffer freed twice: %p of cache test_cache",
	    (void *)chunk(1));
}
END_TEST

static void
write_after_free(void *arg)
{
	long offset = *(long *)arg;

	take(1, 20);
	give(1, 20);
	chunk(1)[offset] = 'A';
	take(1, 20);
}

static void
write_after_free_and_destroy(void *arg)
{
	long offset = *(long *)arg;

	take(1, 20);
	give(1, 20);
	chunk(1)[offset] = 'A';
	audit_slab_fini(&cache, &slab);
}

START_TEST(write_to_a_freed_buffer_is_named_with_its_byte)
{
	for (long offset = 0; offset < BUFTAG + 8; offset++) {
		draw(ALL);
		expect(offset % 2 ? write_after_free
				  : write_after_free_and_destroy,
		    &offset,
		    "umem: write to a freed buffer: %p of cache test_cache, "
		    "20 bytes, at offset %ld",
		    (void *)chunk(1), offset);
	}
}
END_TEST

START_TEST(other_damage_to_a_free_buffer_is_told_apart)
{
	long offset = -3;

	draw(ALL);
	expect(write_after_free, &offset,
	    "umem: write before the start of a buffer: %p of cache "
	    "test_cache, 20 bytes, at offset -3",
	    (void *)chunk(1));
	offset = BUFTAG + 9;
	expect(write_after_free, &offset,
	    "umem: tag behind a buffer damaged: %p of cache test_cache, 20 "
	    "bytes, at offset 48",
	    (void *)chunk(1));
}
END_TEST

static void
stray_large(void *arg)
{
	const struct stray *s = arg;

	memset(chunk(0) + s->offset, 'A', s->count);
	take_back(chunk(0), s->freed_as);
}

START_TEST(large_buffers_are_checked_too)
{
	char *b = draw_large(ALL, 1001);
	struct stray past = {0, 1001, 1, UNKNOWN};
	struct stray far = {0, 1001 + 63, 1, UNKNOWN};
	struct stray before = {0, -2, 1, UNKNOWN};
	struct stray size = {0, 0, 0, 1000};

	expect(stray_large, &past,
	    "umem: write past the end of a buffer: %p of cache test_cache, "
	    "1001 bytes, at offset 1001",
	    (void *)b);
	expect(stray_large, &far,
	    "umem: write past the end of a buffer: %p of cache test_cache, "
	    "1001 bytes, at offset 1064",
	    (void *)b);
	expect(stray_large, &before,
	    "umem: write before the start of a buffer: %p of cache "
	    "test_cache, 1001 bytes, at offset -2",
	    (void *)b);
	expect(stray_large, &size,
	    "umem: buffer freed with the wrong size: %p of cache test_cache, "
	    "1001 bytes, freed as 1000",
	    (void *)b);
}
END_TEST

START_TEST(lite_checks_eight_bytes_only)
{
	struct stray past = {20, 20, 1, UNKNOWN};
	long offset = 0;

	draw(GUARDS | UMF_LITE | UMF_MALLOC);
	take(0, 20);
	ck_assert_uint_eq((unsigned char)chunk(0)[27], UMEM_REDZONE_BYTE);
	ck_assert_uint_eq(word_at(chunk(0) + 32), 0);
	ck_assert_uint_eq(word_at(chunk(0)), UMEM_PATTERN_UNINIT);
	ck_assert_uint_eq(word_at(chunk(0) + 8), 0);
	memset(chunk(0), 'x', 20);
	chunk(0)[39] = 'x';
	ck_assert_int_eq(give(0, 20), 0);
	chunk(0)[8] = 'x';
	take(0, 20);
	expect(stray_write, &past,
	    "umem: write past the end of a buffer: %p of cache test_cache, "
	    "20 bytes, at offset 20",
	    (void *)chunk(1));
	expect(write_after_free, &offset,
	    "umem: write to a freed buffer: %p of cache test_cache, at offset "
	    "0",
	    (void *)chunk(1));
}
END_TEST

/* ---------------------------------------------------------------- noabort */

/* survive - every kind of damage, and after each the buffer works again */
static void
survive(void *arg)
{
	static const struct {
		long offset;
		uint64_t error;
	} damage[] = {{20, UMEM_ERR_REDZONE}, {-1, UMEM_ERR_UNDERRUN},
	    {BUFTAG, UMEM_ERR_REDZONE}, {BUFTAG + 8, UMEM_ERR_BADBUFTAG}};

	(void)arg;
	umem_settings.set_noabort = 1;
	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		take(1, 20);
		chunk(1)[damage[i].offset] = 'A';
		if (give(1, 20) != 0 ||
		    umem_root.root_abort.ab_error != damage[i].error ||
		    umem_root.root_abort.ab_buffer != (uintptr_t)chunk(1))
			_exit(1);
		umem_root.root_abort.ab_timestamp = 0;
		take(1, 20);
		give(1, 20);
		chunk(1)[damage[i].offset] = 'A';
		take(1, 20);
		if (umem_root.root_abort.ab_timestamp == 0)
			_exit(2);
		umem_root.root_abort.ab_timestamp = 0;
		if (give(1, 20) != 0)
			_exit(3);
		take(1, 20);
		if (give(1, 20) != 0 || umem_root.root_abort.ab_timestamp != 0)
			_exit(4);
	}
	if (give(1, 20) != -1 ||
	    umem_root.root_abort.ab_error != UMEM_ERR_DUPFREE)
		_exit(5);
}

START_TEST(with_noabort_damage_is_mended)
{
	static struct capture cap;

	draw(ALL);
	capture_expect_exit(&cap, survive, NULL, 0,
	    "umem: heap corruption detected; going on (noabort)\n");
}
END_TEST

/* ------------------------------------------------------ failed allocations */

START_TEST(failed_allocation_is_logged)
{
	const umem_bufctl_audit_t *bc;

	umem_settings.set_log_fail = 65536;
	tlog_init();
	draw(ALL);
	audit_fail(&cache, 12345);
	bc = umem_root.root_log_fail->lh_base;
	ck_assert_ptr_eq(bc->bc_cache, &cache);
	ck_assert_uint_eq(bc->bc_size, 12345);
	ck_assert_uint_eq(bc->bc_kind, UMEM_BC_FAIL);
	ck_assert_uint_ne(bc->bc_timestamp, 0);
	audit_fail(NULL, 7);
	ck_assert_uint_eq(umem_root.root_log_fail->lh_slot[0].ls_records +
			      umem_root.root_log_fail->lh_slot[1].ls_records,
	    2);
}
END_TEST

static void
fail_once(void *arg)
{
	(void)arg;
	audit_fail(&cache, 12345);
}

START_TEST(failed_allocation_is_a_fault_with_checknull)
{
	static struct capture cap;

	draw(ALL);
	audit_fail(&cache, 12345);
	cache.cache_flags |= UMF_CHECKNULL;
	capture_expect_abort(&cap, fail_once, NULL,
	    "umem: out of memory: cache test_cache, 12345 bytes\n");
}
END_TEST

START_TEST(mtbf_lets_about_one_in_n_fail)
{
	int failed = 0;

	ck_assert_int_eq(audit_mtbf(), 0);
	umem_root.root_mtbf = 1;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(audit_mtbf(), 1);
	umem_root.root_mtbf = 10;
	for (int i = 0; i < 10000; i++)
		failed += audit_mtbf();
	/* binomial: 1000 +- 30; this is ten times that */
	ck_assert_int_gt(failed, 700);
	ck_assert_int_lt(failed, 1300);
}
END_TEST

static void
add_healthy(Suite *s)
{
	TCase *t = tcase_create("healthy");

	tcase_add_test(t, new_slab_is_free_all_over);
	tcase_add_test(t, buffer_of_every_size_is_filled_and_tagged);
	tcase_add_test(t, use_within_bounds_is_never_objected_to);
	tcase_add_test(t, object_cache_has_a_full_red_zone_and_no_size);
	tcase_add_test(t, record_tells_who_when_and_how_much);
	tcase_add_test(t, log_chains_the_transactions_of_a_buffer);
	tcase_add_test(t, contents_of_a_freed_buffer_are_kept);
	tcase_add_test(t, freed_buffer_reads_as_deadbeef);
	tcase_add_test(t, maxverify_limits_what_is_filled);
	tcase_add_test(t, large_buffer_has_guards_on_both_sides);
	tcase_add_test(t, large_guard_ends_with_the_chunk);
	suite_add_tcase(s, t);
}

Suite *
test_audit_suite(void)
{
	Suite *s = suite_create("audit");
	TCase *t = tcase_create("damaged");

	add_healthy(s);
	tcase_add_test(t, overrun_by_one_byte_is_one_at_every_size);
	tcase_add_test(t, long_overrun_is_named_by_its_first_byte);
	tcase_add_test(t, overrun_of_an_object_is_seen_in_its_padding);
	tcase_add_test(t, underrun_is_named_as_such);
	tcase_add_test(t, damaged_tag_is_not_called_an_overrun);
	tcase_add_test(t, wrong_size_is_named_with_both_sizes);
	tcase_add_test(t, second_free_is_named_as_such);
	tcase_add_test(t, write_to_a_freed_buffer_is_named_with_its_byte);
	tcase_add_test(t, other_damage_to_a_free_buffer_is_told_apart);
	tcase_add_test(t, large_buffers_are_checked_too);
	tcase_add_test(t, lite_checks_eight_bytes_only);
	tcase_add_test(t, with_noabort_damage_is_mended);
	tcase_add_test(t, failed_allocation_is_logged);
	tcase_add_test(t, failed_allocation_is_a_fault_with_checknull);
	tcase_add_test(t, mtbf_lets_about_one_in_n_fail);
	suite_add_tcase(s, t);
	return s;
}
