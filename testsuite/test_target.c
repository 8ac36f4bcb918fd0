/* SPDX-License-Identifier: MIT */
/*
 * test_target.c - reading core files, live processes and through callbacks
 */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_core.h"
#include "fake_target.h"
#include "suites.h"

/* ------------------------------------------------------------- all targets */

START_TEST(failed_read_names_what_and_where)
{
	struct target *tgt = fake_open();
	uint64_t v;

	fake_add(tgt, 0x1000, 0x1000, "", FAKE_READ);
	ck_assert_int_eq(
	    target_read(tgt, 0x1ffc, &v, sizeof(v), "slab"), UMDB_EFAULT);
	ck_assert_str_eq(tgt->err.msg, "cannot read slab at 0x1ffc");
	ck_assert_uint_eq(tgt->err.addr, 0x1ffc);
	ck_assert_int_eq(tgt->err.code, UMDB_EFAULT);
	target_close(tgt);
}
END_TEST

START_TEST(read_that_wraps_around_fails)
{
	struct target *tgt = fake_open();
	uint64_t v;

	ck_assert_int_eq(
	    target_read(tgt, UINT64_MAX - 3, &v, sizeof(v), "x"), UMDB_EFAULT);
	ck_assert_uint_eq(fake_reads(tgt), 0);
	target_close(tgt);
}
END_TEST

START_TEST(string_ends_at_its_nul_or_at_the_buffer)
{
	struct target *tgt = fake_open();
	char buf[8];

	fake_add(tgt, 0x1000, 0x1000, "", FAKE_READ);
	fake_put(tgt, 0x1ffc, "abc", 4);
	ck_assert_int_eq(
	    target_string(tgt, 0x1ffc, buf, sizeof(buf), "name"), UMDB_OK);
	ck_assert_str_eq(buf, "abc");
	fake_put(tgt, 0x1100, "abcdefghij", 11);
	ck_assert_int_eq(
	    target_string(tgt, 0x1100, buf, sizeof(buf), "name"), UMDB_OK);
	ck_assert_str_eq(buf, "abcdefg");
	target_close(tgt);
}
END_TEST

START_TEST(string_that_runs_into_nothing_is_an_error)
{
	struct target *tgt = fake_open();
	char buf[16];

	fake_add(tgt, 0x1000, 0x1000, "", FAKE_READ);
	fake_put(tgt, 0x1ffc, "abcd", 4);
	ck_assert_int_eq(
	    target_string(tgt, 0x1ffc, buf, sizeof(buf), "name"), UMDB_EFAULT);
	ck_assert_str_eq(buf, "abcd");
	target_close(tgt);
}
END_TEST

START_TEST(regions_are_sorted_and_do_not_overlap)
{
	const struct target_region r[] = {
	    {.start = 0x5000, .end = 0x6000, .name = "c"},
	    {.start = 0x1000, .end = 0x3000, .name = "a"},
	    {.start = 0x2000, .end = 0x4000, .name = "b"},
	    {.start = 0x2000, .end = 0x2800, .name = NULL},
	    {.start = 0x7000, .end = 0x7000, .name = "empty"},
	};
	struct target *tgt = fake_open();

	ck_assert_int_eq(target_set_regions(tgt, r, 5), UMDB_OK);
	ck_assert_uint_eq(tgt->nregion, 3);
	ck_assert_str_eq(tgt->region[0].name, "a");
	ck_assert_uint_eq(tgt->region[1].start, 0x3000);
	ck_assert_str_eq(tgt->region[1].name, "b");
	ck_assert_str_eq(tgt->region[2].name, "c");
	ck_assert_ptr_eq(target_region_at(tgt, 0x3fff), &tgt->region[1]);
	ck_assert_ptr_null(target_region_at(tgt, 0x4000));
	ck_assert_ptr_null(target_region_at(tgt, 0xfff));
	ck_assert_ptr_null(target_region_at(tgt, 0x6000));
	target_close(tgt);
}
END_TEST

/* --------------------------------------------------------------- callbacks */

struct host {
	unsigned calls;
	uint64_t bytes;
	uint64_t limit; /* addresses from here on fail */
	unsigned char add;
	bool mute; /* leave *ok alone, as a Python exception would */
};

static void
host_read(void *arg, uint64_t addr, void *buf, uint64_t len, int *ok)
{
	struct host *h = arg;
	unsigned char *p = buf;
	uint64_t i;

	h->calls++;
	h->bytes += len;
	if (addr + len > h->limit || h->mute)
		return;
	for (i = 0; i < len; i++)
		p[i] = (unsigned char)(fake_core_byte(addr + i) + h->add);
	*ok = 1;
}

static struct target *
host_open(struct host *h)
{
	const struct target_callbacks cb = {.arg = h, .read = host_read};
	struct umdb_error err;
	struct target *tgt;

	memset(h, 0, sizeof(*h));
	h->limit = UINT64_MAX;
	tgt = target_open_callbacks(&cb, &err);
	ck_assert_ptr_nonnull(tgt);
	return tgt;
}

static void
expect_bytes(const unsigned char *p, uint64_t addr, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		ck_assert_uint_eq(p[i], fake_core_byte(addr + i));
}

START_TEST(callbacks_are_asked_once_for_a_page)
{
	unsigned char buf[64];
	struct target *tgt;
	struct host h;
	int i;

	tgt = host_open(&h);
	ck_assert(tgt->slow);
	for (i = 0; i < 50; i++) {
		ck_assert_int_eq(target_read(tgt, 0x10000 + 64u * (unsigned)i,
				     buf, sizeof(buf), "x"),
		    UMDB_OK);
		expect_bytes(buf, 0x10000 + 64u * (unsigned)i, sizeof(buf));
	}
	ck_assert_uint_eq(h.calls, 1);
	ck_assert_uint_eq(h.bytes, 4096);
	target_close(tgt);
}
END_TEST

START_TEST(sequential_reads_fetch_ahead)
{
	unsigned char buf[64];
	struct target *tgt;
	struct host h;
	uint64_t at;

	tgt = host_open(&h);
	for (at = 0; at < 64 * 4096; at += sizeof(buf))
		ck_assert_int_eq(
		    target_read(tgt, 0x100000 + at, buf, sizeof(buf), "x"),
		    UMDB_OK);
	/* 1 + 2 + 4 + 8 pages, then 16 at a time */
	ck_assert_uint_eq(h.calls, 4 + 4);
	target_close(tgt);
}
END_TEST

START_TEST(read_at_the_edge_of_memory_asks_for_the_exact_bytes)
{
	unsigned char buf[128];
	struct target *tgt;
	struct host h;

	tgt = host_open(&h);
	h.limit = 0x20100;
	ck_assert_int_eq(target_read(tgt, 0x1fff0, buf, 0x80, "x"), UMDB_OK);
	expect_bytes(buf, 0x1fff0, 0x80);
	ck_assert_int_eq(
	    target_read(tgt, 0x200c0, buf, 0x80, "x"), UMDB_EFAULT);
	target_close(tgt);
}
END_TEST

START_TEST(callback_that_leaves_ok_alone_has_failed)
{
	struct target *tgt;
	struct host h;
	int v;

	tgt = host_open(&h);
	h.mute = true;
	ck_assert_int_eq(
	    target_read(tgt, 0x1000, &v, sizeof(v), "x"), UMDB_EFAULT);
	target_close(tgt);
}
END_TEST

START_TEST(invalidated_pages_are_asked_for_again)
{
	unsigned char b;
	struct target *tgt;
	struct host h;

	tgt = host_open(&h);
	target_read(tgt, 0x1000, &b, 1, "x");
	h.add = 1;
	target_read(tgt, 0x1000, &b, 1, "x");
	ck_assert_uint_eq(b, fake_core_byte(0x1000));
	target_invalidate(tgt);
	target_read(tgt, 0x1000, &b, 1, "x");
	ck_assert_uint_eq(b, (fake_core_byte(0x1000) + 1) & 0xff);
	target_close(tgt);
}
END_TEST

START_TEST(cache_stays_right_when_it_overflows)
{
	unsigned char buf[32];
	struct target *tgt;
	struct host h;
	uint64_t at;
	int round;

	tgt = host_open(&h);
	for (round = 0; round < 2; round++)
		for (at = 0; at < (40u << 20); at += 12345) {
			ck_assert_int_eq(
			    target_read(tgt, at, buf, sizeof(buf), "x"),
			    UMDB_OK);
			expect_bytes(buf, at, sizeof(buf));
		}
	target_close(tgt);
}
END_TEST

/* ------------------------------------------------------------ live process */

static taddr_t
addr_of(const volatile void *p)
{
	return (taddr_t)(uintptr_t)p;
}

START_TEST(live_process_is_read_and_its_mappings_known)
{
	static const char text[] = "what is written here";
	const struct target_region *r;
	struct umdb_error err;
	char buf[sizeof(text)];
	struct target *tgt = target_open_proc(getpid(), &err);

	ck_assert_ptr_nonnull(tgt);
	ck_assert(!tgt->slow);
	ck_assert_int_eq(
	    target_read(tgt, addr_of(text), buf, sizeof(buf), "x"), UMDB_OK);
	ck_assert_str_eq(buf, text);
	r = target_region_at(tgt, addr_of(&tgt));
	ck_assert_ptr_nonnull(r);
	ck_assert(r->writable && r->readable && !r->file && r->dumped);
	r = target_region_at(tgt, addr_of(text));
	ck_assert_ptr_nonnull(r);
	ck_assert(r->file);
	ck_assert_int_eq(r->name[0], '/');
	target_close(tgt);
}
END_TEST

START_TEST(live_memory_that_the_process_cannot_access_is_read_if_written)
{
	const struct target_region *r;
	unsigned char *p, buf[8192];
	struct umdb_error err;
	struct target *tgt;
	int written;

	for (written = 0; written < 2; written++) {
		p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert_ptr_ne(p, MAP_FAILED);
		if (written)
			memset(p, 0x5a, 8192);
		ck_assert_int_eq(mprotect(p, 8192, PROT_NONE), 0);
		tgt = target_open_proc(getpid(), &err);
		ck_assert_ptr_nonnull(tgt);
		r = target_region_at(tgt, addr_of(p));
		ck_assert_ptr_nonnull(r);
		ck_assert(!r->readable && !r->writable);
		ck_assert(r->dumped == (written != 0));
		ck_assert_int_eq(
		    target_read(tgt, addr_of(p), buf, 8192, "x"), UMDB_OK);
		ck_assert_uint_eq(buf[8191], written ? 0x5a : 0);
		target_close(tgt);
		munmap(p, 8192);
	}
}
END_TEST

START_TEST(live_read_goes_up_to_an_unmapped_page_and_not_beyond)
{
	unsigned char *p, buf[8192];
	struct umdb_error err;
	struct target *tgt;

	p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	memset(p, 0x5a, 3 * 4096);
	ck_assert_int_eq(munmap(p + 4096, 4096), 0);
	tgt = target_open_proc(getpid(), &err);
	ck_assert_ptr_nonnull(tgt);
	ck_assert_int_eq(target_read(tgt, addr_of(p), buf, 4096, "x"), UMDB_OK);
	ck_assert_uint_eq(buf[4095], 0x5a);
	ck_assert_int_eq(
	    target_read(tgt, addr_of(p), buf, 4097, "x"), UMDB_EFAULT);
	ck_assert_int_eq(
	    target_read(tgt, addr_of(p + 8192), buf, 4096, "x"), UMDB_OK);
	ck_assert_uint_eq(buf[0], 0x5a);
	p[8192] = 1;
	target_read(tgt, addr_of(p + 8192), buf, 1, "x");
	ck_assert_uint_eq(buf[0], 0x5a);
	target_invalidate(tgt);
	target_read(tgt, addr_of(p + 8192), buf, 1, "x");
	ck_assert_uint_eq(buf[0], 1);
	target_close(tgt);
	munmap(p, 3 * 4096);
}
END_TEST

START_TEST(large_live_read_is_whole)
{
	const size_t size = 3u << 20;
	unsigned char *p = malloc(size), *q = malloc(size);
	struct umdb_error err;
	struct target *tgt = target_open_proc(getpid(), &err);
	size_t i;

	for (i = 0; i < size; i++)
		p[i] = fake_core_byte(i);
	ck_assert_int_eq(
	    target_read(tgt, addr_of(p) + 1, q, size - 1, "x"), UMDB_OK);
	ck_assert_int_eq(memcmp(p + 1, q, size - 1), 0);
	target_close(tgt);
	free(p);
	free(q);
}
END_TEST

START_TEST(process_that_is_not_there_cannot_be_opened)
{
	struct umdb_error err = {0};

	ck_assert_ptr_null(target_open_proc(0x7ffffff0, &err));
	ck_assert_int_eq(err.code, UMDB_ETARGET);
}
END_TEST

/* -------------------------------------------------------------- core files */

static struct target *
core_open(const void *bytes, size_t size, struct target *fallback)
{
	struct umdb_error err;
	struct target *tgt;

	tgt = target_open_core(fake_core_write(bytes, size), fallback, &err);
	if (tgt == NULL)
		ck_abort_msg("%s", err.msg);
	return tgt;
}

static void
expect_memory(struct target *tgt, taddr_t addr, size_t len)
{
	unsigned char buf[0x3000];

	ck_assert_int_eq(target_read(tgt, addr, buf, len, "x"), UMDB_OK);
	expect_bytes(buf, addr, len);
}

static void
expect_fault(struct target *tgt, taddr_t addr, size_t len, const char *why)
{
	unsigned char buf[0x3000];

	ck_assert_int_eq(target_read(tgt, addr, buf, len, "x"), UMDB_EFAULT);
	ck_assert_msg(strstr(tgt->err.msg, why) != NULL, "%s", tgt->err.msg);
}

static void
expect_region(const struct target_region *r, taddr_t start, taddr_t end,
    bool writable, bool file, bool dumped, const char *name)
{
	ck_assert_uint_eq(r->start, start);
	ck_assert_uint_eq(r->end, end);
	ck_assert_int_eq(r->writable, writable);
	ck_assert_int_eq(r->file, file);
	ck_assert_int_eq(r->dumped, dumped);
	ck_assert_str_eq(r->name, name);
}

START_TEST(core_memory_is_read_across_segments)
{
	struct fake_core c;
	struct target *tgt;
	const void *p;
	size_t avail;

	fake_core_make(&c, (enum core_kind)_i);
	tgt = core_open(c.bytes, c.size, NULL);
	expect_memory(tgt, CORE_DATA, 0x2000);
	expect_memory(tgt, CORE_DATA + 0xffd, 7);
	expect_memory(tgt, CORE_STACK, 0x1000);
	p = target_map(tgt, CORE_BSS + 0x10, &avail);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(avail, 0xff0);
	expect_bytes(p, CORE_BSS + 0x10, avail);
	ck_assert_ptr_null(target_map(tgt, CORE_GONE, &avail));
	ck_assert_uint_eq(avail, 0);
	ck_assert_uint_eq(tgt->missing, 0);
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(core_says_what_it_does_not_hold)
{
	struct fake_core c;
	struct target *tgt;

	fake_core_make(&c, CORE_KERNEL);
	tgt = core_open(c.bytes, c.size, NULL);
	expect_fault(tgt, CORE_GONE, 8, "it was not dumped into the core");
	expect_fault(tgt, 0x100000, 8, "it is not in the core");
	expect_fault(tgt, CORE_STACK + 0xffc, 8, "it is not in the core");
	expect_fault(tgt, CORE_TEXT + 0x1000, 8, "it is a file's");
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(only_memory_of_files_is_asked_of_the_debugger)
{
	struct fake_core c;
	struct target *tgt, *fallback;
	struct host h;

	fallback = host_open(&h);
	fake_core_make(&c, (enum core_kind)_i);
	tgt = core_open(c.bytes, c.size, fallback);
	expect_fault(tgt, CORE_GONE, 8, "core");
	expect_fault(tgt, 0x100000, 8, "core");
	expect_fault(tgt, CORE_STACK + 0xffc, 8, "core");
	expect_memory(tgt, CORE_DATA, 0x2000);
	ck_assert_uint_eq(h.calls, 0);
	expect_memory(tgt, CORE_TEXT + 0xff0, 0x2010);
	ck_assert_uint_ne(h.calls, 0);
	expect_fault(tgt, CORE_TEXT + 0x2ff0, 0x20, "core");
	target_close(tgt);
	target_close(fallback);
	free(c.bytes);
}
END_TEST

/*
 * Data and bss become a hole, where the file system has them: all that is said
 * to be one is zero, and nothing of the stack behind it is.
 */
START_TEST(holes_of_a_core_are_known_and_copies_are_right)
{
	enum { LEN = 0x2000 };
	unsigned char zero[LEN] = {0}, buf[0x1000];
	const struct target_ops *ops;
	struct umdb_error err;
	struct fake_core c;
	struct target *tgt;
	const unsigned char *p;
	const char *path;
	size_t avail, n, at;
	bool punched;
	int fd;

	fake_core_make(&c, CORE_KERNEL);
	path = fake_core_write(c.bytes, c.size);
	fd = open(path, O_RDWR);
	ck_assert_int_ge(fd, 0);
	punched = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)c.data_offset, LEN) == 0;
	if (!punched)
		ck_assert_int_eq(
		    pwrite(fd, zero, LEN, (off_t)c.data_offset), LEN);
	close(fd);
	tgt = target_open_core(path, NULL, &err);
	ck_assert_ptr_nonnull(tgt);
	ops = tgt->ops;
	p = target_map(tgt, CORE_DATA, &avail);
	ck_assert_ptr_nonnull(p);
	for (n = at = 0; at < LEN; at += 0x800) {
		const size_t len = ops->hole(tgt, p + at, LEN - at);

		ck_assert_uint_le(len, LEN - at);
		ck_assert_int_eq(memcmp(p + at, zero, len), 0);
		n += len;
	}
	ck_assert(n > 0 || !punched);
	ck_assert_uint_le(ops->hole(tgt, p, 64), 64);
	p = target_map(tgt, CORE_STACK, &avail);
	ck_assert_uint_eq(ops->hole(tgt, p, 0x1000), 0);
	ck_assert_int_eq(ops->fetch(tgt, p, buf, sizeof(buf)), UMDB_OK);
	expect_bytes(buf, CORE_STACK, sizeof(buf));
	/* not lent by this target; beyond its end */
	ck_assert_int_eq(ops->fetch(tgt, buf, zero, 8), UMDB_EFAULT);
	ck_assert_uint_eq(ops->hole(tgt, buf, 8), 0);
	ck_assert_int_eq(ops->fetch(tgt, p, zero, LEN), UMDB_EFAULT);
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(kernel_core_has_its_mappings)
{
	struct fake_core c;
	struct target *tgt;
	const struct target_region *r;

	fake_core_make(&c, CORE_KERNEL);
	tgt = core_open(c.bytes, c.size, NULL);
	r = tgt->region;
	ck_assert_uint_eq(tgt->nregion, 5);
	expect_region(&r[0], CORE_TEXT, CORE_TEXT + 0x3000, false, true, true,
	    "/bin/app");
	expect_region(&r[1], CORE_DATA, CORE_BSS, true, true, true, "/bin/app");
	expect_region(
	    &r[2], CORE_BSS, CORE_BSS + 0x1000, true, false, true, "");
	expect_region(
	    &r[3], CORE_GONE, CORE_GONE + 0x2000, true, false, false, "");
	expect_region(&r[4], CORE_STACK, CORE_STACK + 0x1000, true, false, true,
	    "[stack]");
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(gcore_takes_left_out_mappings_from_its_file_list)
{
	struct fake_core c;
	struct target *tgt;
	const struct target_region *r;

	fake_core_make(&c, CORE_GCORE);
	tgt = core_open(c.bytes, c.size, NULL);
	r = tgt->region;
	ck_assert_uint_eq(tgt->nregion, 4);
	expect_region(&r[0], CORE_TEXT, CORE_TEXT + 0x3000, false, true, false,
	    "/bin/app");
	ck_assert(r[0].executable); /* for all that is known */
	ck_assert(r[0].listed && !r[1].listed && !r[2].listed);
	expect_region(&r[1], CORE_DATA, CORE_BSS, true, true, true, "/bin/app");
	expect_region(
	    &r[2], CORE_BSS, CORE_BSS + 0x1000, true, false, true, "");
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(core_has_threads_with_registers)
{
	/* the kernel's numbers of our registers */
	static const unsigned place[TARGET_NREGS] = {
	    10, 5, 11, 12, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16, 21};
	struct fake_core c;
	struct target *tgt;
	unsigned t, i;

	fake_core_make(&c, (enum core_kind)_i);
	tgt = core_open(c.bytes, c.size, NULL);
	ck_assert_uint_eq(tgt->nthread, CORE_THREADS);
	for (t = 0; t < CORE_THREADS; t++) {
		ck_assert_uint_eq(tgt->thread[t].lwp, 4001 + t);
		ck_assert(tgt->thread[t].have_regs);
		for (i = 0; i < TARGET_NREGS; i++)
			ck_assert_uint_eq(tgt->thread[t].reg[i],
			    place[i] == 19 ? CORE_SP
					   : 1000 * (t + 1) + place[i]);
	}
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(core_has_vector_registers_as_far_as_the_processor_had_them)
{
	struct fake_core c;
	struct target *tgt;
	uint64_t want;
	unsigned t, i;

	fake_core_make(&c, (enum core_kind)_i);
	tgt = core_open(c.bytes, c.size, NULL);
	for (t = 0; t < CORE_THREADS; t++)
		for (i = 0; i < TARGET_NVECTOR; i++) {
			want = 100000u * (t + 1) + i;
			if (t == 0 && (i >= 128 || i % 8 >= 2))
				want = 0;
			ck_assert_uint_eq(tgt->thread[t].vector[i], want);
		}
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(truncated_core_works_as_far_as_it_goes)
{
	struct fake_core c;
	struct target *tgt;

	fake_core_make(&c, CORE_KERNEL);
	tgt = core_open(c.bytes, c.data_offset + 0x1800, NULL);
	ck_assert_uint_eq(tgt->missing, 0x1800);
	expect_memory(tgt, CORE_DATA, 0x1800);
	expect_fault(
	    tgt, CORE_BSS + 0x7ff, 2, "the core file is truncated before it");
	expect_fault(
	    tgt, CORE_STACK, 2, "the core file is truncated before it");
	ck_assert_uint_eq(tgt->nthread, CORE_THREADS);
	ck_assert(!tgt->region[4].dumped);
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(core_cut_anywhere_is_opened_or_refused)
{
	struct fake_core c;
	struct umdb_error err;
	struct target *tgt;
	size_t size, opened = 0;

	fake_core_make(&c, (enum core_kind)_i);
	for (size = 1; size < c.size;
	     size += size < c.note_end + 64 ? 7 : 509) {
		err.msg[0] = '\0';
		tgt = target_open_core(
		    fake_core_write(c.bytes, size), NULL, &err);
		if (tgt == NULL) {
			ck_assert_int_eq(err.code, UMDB_EIO);
			ck_assert_uint_ne(strlen(err.msg), 0);
			ck_assert_uint_lt(size, c.phdr_end);
		} else {
			ck_assert_uint_ge(size, sizeof(Elf64_Ehdr));
			ck_assert_uint_le(tgt->nthread, CORE_THREADS);
			if (size >= c.note_end)
				ck_assert_uint_eq(tgt->nthread, CORE_THREADS);
			opened++;
		}
		target_close(tgt);
	}
	ck_assert_uint_ne(opened, 0);
	free(c.bytes);
}
END_TEST

START_TEST(missing_bytes_are_counted)
{
	struct fake_core c;
	struct target *tgt;

	fake_core_make(&c, CORE_GCORE);
	tgt = core_open(c.bytes, c.phdr_end, NULL);
	ck_assert_uint_eq(tgt->missing, 0x3000);
	ck_assert_uint_eq(tgt->nthread, 0);
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(many_segments_are_counted_in_the_section_header)
{
	struct fake_core c;
	struct target *tgt;

	fake_core_make(&c, CORE_XNUM);
	tgt = core_open(c.bytes, c.size, NULL);
	ck_assert_uint_eq(tgt->nregion, 5);
	target_close(tgt);
	/* and without it, because the file was cut, from the first offset */
	tgt = core_open(c.bytes, c.size - 10, NULL);
	ck_assert_uint_eq(tgt->nregion, 5);
	expect_memory(tgt, CORE_STACK, 0x1000);
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(core_that_changes_is_read_no_more)
{
	struct fake_core c;
	struct target *tgt;
	size_t avail;
	int v;

	fake_core_make(&c, CORE_KERNEL);
	tgt = core_open(c.bytes, c.size, NULL);
	ck_assert(!target_core_changed(tgt));
	ck_assert_int_eq(
	    target_read(tgt, CORE_DATA, &v, sizeof(v), "x"), UMDB_OK);
	fake_core_write(c.bytes, 100);
	ck_assert(target_core_changed(tgt));
	expect_fault(tgt, CORE_DATA, 4, "the core file has changed");
	ck_assert_ptr_null(target_map(tgt, CORE_DATA, &avail));
	target_close(tgt);
	free(c.bytes);
}
END_TEST

START_TEST(other_files_are_refused_with_a_sentence)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
	} files[] = {
	    {"hello", 5, "no ELF core file"},
	    {"\x28\xb5\x2f\xfd rest of it", 15, "unpack it with zstd"},
	    {"\x04\x22\x4d\x18 rest of it", 15, "unpack it with lz4"},
	    {"\x1f\x8b rest of it", 13, "unpack it with gzip"},
	    {"", 0, "empty"},
	};
	struct umdb_error err;
	struct fake_core c;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		ck_assert_ptr_null(target_open_core(
		    fake_core_write(files[i].bytes, files[i].len), NULL, &err));
		ck_assert_int_eq(err.code, UMDB_EIO);
		ck_assert_msg(
		    strstr(err.msg, files[i].text) != NULL, "%s", err.msg);
	}
	fake_core_make(&c, CORE_KERNEL);
	c.bytes[offsetof(Elf64_Ehdr, e_type)] = ET_DYN;
	ck_assert_ptr_null(
	    target_open_core(fake_core_write(c.bytes, c.size), NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "not a core"));
	c.bytes[EI_CLASS] = ELFCLASS32;
	ck_assert_ptr_null(
	    target_open_core(fake_core_write(c.bytes, c.size), NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "64-bit"));
	free(c.bytes);
	ck_assert_ptr_null(target_open_core("/no/such/core", NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.msg, "/no/such/core"));
	ck_assert_ptr_null(target_open_core("/", NULL, &err));
}
END_TEST

/* Read a little everywhere that a core claims to have something. */
static void
browse(struct target *tgt)
{
	unsigned char buf[64];
	size_t i, avail;
	const void *p;

	for (i = 0; i < tgt->nregion; i++) {
		const struct target_region *r = &tgt->region[i];

		ck_assert_uint_lt(r->start, r->end);
		if (i > 0)
			ck_assert_uint_le(r[-1].end, r->start);
		target_read(tgt, r->start, buf, sizeof(buf), "x");
		target_read(tgt, r->end - 32, buf, sizeof(buf), "x");
		p = target_map(tgt, r->start, &avail);
		if (p != NULL)
			memcpy(buf, (const char *)p + avail - 1, 1);
	}
}

START_TEST(flipped_bytes_do_no_harm)
{
	unsigned char *copy;
	struct umdb_error err;
	struct fake_core c;
	struct target *tgt;
	unsigned seed = 12345 + (unsigned)_i, k, round;
	size_t at;

	fake_core_make(&c, (enum core_kind)(_i % 3));
	copy = malloc(c.size);
	for (round = 0; round < 500; round++) {
		memcpy(copy, c.bytes, c.size);
		for (k = 0; k < 1 + round % 8; k++) {
			seed = seed * 1103515245 + 12345;
			at = seed >> 8;
			/* headers and notes are where flips matter */
			at %= round % 4 != 0 ? c.note_end : c.size;
			seed = seed * 1103515245 + 12345;
			copy[at] = (unsigned char)(seed >> 16);
		}
		tgt =
		    target_open_core(fake_core_write(copy, c.size), NULL, &err);
		if (tgt != NULL)
			browse(tgt);
		target_close(tgt);
	}
	free(copy);
	free(c.bytes);
}
END_TEST

static void
core_teardown(void)
{
	fake_core_unlink();
}

static void
add_core_tests(Suite *s)
{
	TCase *tc = tcase_create("core");

	tcase_add_checked_fixture(tc, NULL, core_teardown);
	tcase_add_loop_test(tc, core_memory_is_read_across_segments, 0, 3);
	tcase_add_test(tc, core_says_what_it_does_not_hold);
	tcase_add_loop_test(
	    tc, only_memory_of_files_is_asked_of_the_debugger, 0, 3);
	tcase_add_test(tc, holes_of_a_core_are_known_and_copies_are_right);
	tcase_add_test(tc, kernel_core_has_its_mappings);
	tcase_add_test(tc, gcore_takes_left_out_mappings_from_its_file_list);
	tcase_add_loop_test(tc, core_has_threads_with_registers, 0, 3);
	tcase_add_loop_test(tc,
	    core_has_vector_registers_as_far_as_the_processor_had_them, 0, 3);
	tcase_add_test(tc, many_segments_are_counted_in_the_section_header);
	suite_add_tcase(s, tc);

	tc = tcase_create("damaged core");
	tcase_add_checked_fixture(tc, NULL, core_teardown);
	tcase_add_test(tc, truncated_core_works_as_far_as_it_goes);
	tcase_add_loop_test(tc, core_cut_anywhere_is_opened_or_refused, 0, 3);
	tcase_add_test(tc, missing_bytes_are_counted);
	tcase_add_test(tc, core_that_changes_is_read_no_more);
	tcase_add_test(tc, other_files_are_refused_with_a_sentence);
	tcase_add_loop_test(tc, flipped_bytes_do_no_harm, 0, 6);
	suite_add_tcase(s, tc);
}

Suite *
test_target_suite(void)
{
	Suite *s = suite_create("target");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, failed_read_names_what_and_where);
	tcase_add_test(tc, read_that_wraps_around_fails);
	tcase_add_test(tc, string_ends_at_its_nul_or_at_the_buffer);
	tcase_add_test(tc, string_that_runs_into_nothing_is_an_error);
	tcase_add_test(tc, regions_are_sorted_and_do_not_overlap);
	suite_add_tcase(s, tc);

	tc = tcase_create("callbacks");
	tcase_add_test(tc, callbacks_are_asked_once_for_a_page);
	tcase_add_test(tc, sequential_reads_fetch_ahead);
	tcase_add_test(tc, read_at_the_edge_of_memory_asks_for_the_exact_bytes);
	tcase_add_test(tc, callback_that_leaves_ok_alone_has_failed);
	tcase_add_test(tc, invalidated_pages_are_asked_for_again);
	tcase_add_test(tc, cache_stays_right_when_it_overflows);
	suite_add_tcase(s, tc);

	tc = tcase_create("process");
	tcase_add_test(tc, live_process_is_read_and_its_mappings_known);
	tcase_add_test(
	    tc, live_memory_that_the_process_cannot_access_is_read_if_written);
	tcase_add_test(
	    tc, live_read_goes_up_to_an_unmapped_page_and_not_beyond);
	tcase_add_test(tc, large_live_read_is_whole);
	tcase_add_test(tc, process_that_is_not_there_cannot_be_opened);
	suite_add_tcase(s, tc);
	add_core_tests(s);
	return s;
}
