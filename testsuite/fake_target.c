/* SPDX-License-Identifier: MIT */
/*
 * fake_target.c - a target made of byte arrays
 */
#include "fake_target.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 64, BROKEN = 64 };

struct part {
	taddr_t addr;
	uint64_t size;
	unsigned char *bytes;
	struct target_region region;
};

struct fake {
	struct part part[PARTS];
	size_t npart;
	struct {
		taddr_t addr;
		uint64_t len;
	} broken[BROKEN];
	size_t nbroken;
	bool lend;
	uint64_t reads;
};

static struct part *
part_at(struct fake *f, taddr_t addr)
{
	size_t i;

	for (i = 0; i < f->npart; i++)
		if (addr - f->part[i].addr < f->part[i].size)
			return &f->part[i];
	return NULL;
}

/* Bytes from addr on that can be read; the nearest broken range ends them. */
static uint64_t
readable(struct fake *f, const struct part *p, taddr_t addr)
{
	uint64_t n = p->size - (addr - p->addr);
	size_t i;

	if (!p->region.dumped)
		return 0;
	for (i = 0; i < f->nbroken; i++) {
		if (addr - f->broken[i].addr < f->broken[i].len)
			return 0;
		if (f->broken[i].addr > addr && f->broken[i].addr - addr < n)
			n = f->broken[i].addr - addr;
	}
	return n;
}

static int
fake_read(struct target *tgt, taddr_t addr, void *buf, size_t len)
{
	struct fake *f = tgt->priv;
	struct part *p;
	uint64_t n;
	char *to = buf;

	f->reads++;
	while (len > 0) {
		p = part_at(f, addr);
		n = p == NULL ? 0 : readable(f, p, addr);
		if (n == 0)
			return UMDB_EFAULT;
		if (n > len)
			n = len;
		memcpy(to, p->bytes + (addr - p->addr), n);
		addr += n;
		to += n;
		len -= n;
	}
	return UMDB_OK;
}

static const void *
fake_map(struct target *tgt, taddr_t addr, size_t *avail)
{
	struct fake *f = tgt->priv;
	struct part *p = part_at(f, addr);

	if (!f->lend || p == NULL || readable(f, p, addr) == 0)
		return NULL;
	*avail = readable(f, p, addr);
	return p->bytes + (addr - p->addr);
}

static void
fake_close(struct target *tgt)
{
	struct fake *f = tgt->priv;
	size_t i;

	for (i = 0; i < f->npart; i++)
		free(f->part[i].bytes);
	free(f);
}

static const struct target_ops fake_ops = {
    .name = "test",
    .read = fake_read,
    .map = fake_map,
    .close = fake_close,
};

struct target *
fake_open(void)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct target *tgt = target_create(&fake_ops, f);

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(tgt);
	f->lend = true;
	return tgt;
}

static void
set_regions(struct target *tgt)
{
	struct target_region r[PARTS];
	struct fake *f = tgt->priv;
	size_t i;

	for (i = 0; i < f->npart; i++)
		r[i] = f->part[i].region;
	ck_assert_int_eq(target_set_regions(tgt, r, f->npart), UMDB_OK);
}

void *
fake_add(struct target *tgt, taddr_t addr, uint64_t size, const char *name,
    unsigned flags)
{
	struct fake *f = tgt->priv;
	struct part *p = &f->part[f->npart];

	ck_assert_uint_lt(f->npart, PARTS);
	p->addr = addr;
	p->size = size;
	p->bytes = calloc(1, size);
	ck_assert_ptr_nonnull(p->bytes);
	p->region.start = addr;
	p->region.end = addr + size;
	p->region.name = name; /* a literal */
	p->region.readable = (flags & FAKE_READ) != 0;
	p->region.writable = (flags & FAKE_WRITE) != 0;
	p->region.executable = (flags & FAKE_EXEC) != 0;
	p->region.file = (flags & FAKE_FILE) != 0;
	p->region.dumped = (flags & (FAKE_NOT_DUMPED | FAKE_LISTED)) == 0;
	p->region.listed = (flags & FAKE_LISTED) != 0;
	f->npart++;
	set_regions(tgt);
	return p->bytes;
}

void *
fake_at(struct target *tgt, taddr_t addr, uint64_t len)
{
	struct part *p = part_at(tgt->priv, addr);

	if (p == NULL || len > p->size - (addr - p->addr))
		ck_abort_msg("nothing is mapped at %#" PRIx64, addr);
	return p->bytes + (addr - p->addr);
}

void
fake_put(struct target *tgt, taddr_t addr, const void *data, uint64_t len)
{
	memcpy(fake_at(tgt, addr, len), data, len);
}

void
fake_put64(struct target *tgt, taddr_t addr, uint64_t value)
{
	fake_put(tgt, addr, &value, sizeof(value));
}

uint64_t
fake_get64(struct target *tgt, taddr_t addr)
{
	uint64_t value;

	memcpy(&value, fake_at(tgt, addr, sizeof(value)), sizeof(value));
	return value;
}

void
fake_break(struct target *tgt, taddr_t addr, uint64_t len)
{
	struct fake *f = tgt->priv;

	ck_assert_uint_lt(f->nbroken, BROKEN);
	f->broken[f->nbroken].addr = addr;
	f->broken[f->nbroken++].len = len;
}

void
fake_lend(struct target *tgt, bool lend)
{
	struct fake *f = tgt->priv;

	f->lend = lend;
}

uint64_t
fake_reads(const struct target *tgt)
{
	const struct fake *f = tgt->priv;

	return f->reads;
}

struct target_thread *
fake_thread(struct target *tgt, uint32_t lwp, uint64_t rsp, uint64_t rip,
    uint64_t fs_base)
{
	struct target_thread *t = calloc(tgt->nthread + 1, sizeof(*t));
	size_t n = tgt->nthread;

	ck_assert_ptr_nonnull(t);
	if (n != 0)
		memcpy(t, tgt->thread, n * sizeof(*t));
	t[n].lwp = lwp;
	t[n].num = (uint32_t)n + 1;
	t[n].reg[TARGET_RSP] = rsp;
	t[n].reg[TARGET_RIP] = rip;
	t[n].reg[TARGET_FSBASE] = fs_base;
	t[n].have_regs = true;
	ck_assert_int_eq(target_set_threads(tgt, t, n + 1), UMDB_OK);
	free(t);
	return &tgt->thread[n];
}
