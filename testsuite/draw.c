/* SPDX-License-Identifier: MIT */
/*
 * draw.c - drawing a umem heap into a fake target
 */
#include "draw.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#define LIB_ROOT (DRAW_LIB_DATA + 0x40)
#define LIB_PAGEMAP (DRAW_LIB_DATA + 0x1000)
#define LIB_DATA_SIZE 0x102000u
#define NOTE_OFFSET 0x200u
#define META_END (DRAW_TRACES - UMEM_TRACE_PIECES * sizeof(taddr_t))

/* ------------------------------------------------------------ the process */

struct note {
	Elf64_Nhdr h;
	char owner[8];
	int32_t offset, pad;
};

/* The first page of an ELF image; with a note when @root is given. */
static void
draw_image(struct draw *d, taddr_t at, taddr_t root)
{
	Elf64_Ehdr *eh = fake_at(d->tgt, at, sizeof(*eh));
	Elf64_Phdr *ph = (Elf64_Phdr *)(eh + 1);
	struct note note = {.h = {5, 8, UMEM_NOTE_TYPE}, .owner = "umem"};

	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_type = ET_DYN;
	eh->e_machine = EM_X86_64;
	eh->e_phoff = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = root != 0 ? 2 : 1;
	ph[0].p_type = PT_LOAD;
	ph[0].p_filesz = ph[0].p_memsz = 0x1000;
	if (root == 0)
		return;
	ph[1].p_type = PT_NOTE;
	ph[1].p_offset = ph[1].p_vaddr = NOTE_OFFSET;
	ph[1].p_filesz = ph[1].p_memsz = sizeof(note);
	ph[1].p_align = 4;
	note.offset = (int32_t)(root - (at + NOTE_OFFSET +
					   offsetof(struct note, offset)));
	fake_put(d->tgt, at + NOTE_OFFSET, &note, sizeof(note));
}

static void
draw_root(struct draw *d)
{
	static const char magic[16] = UMEM_ROOT_MAGIC;
	umem_root_t *r = fake_at(d->tgt, d->root, sizeof(*r));

	memcpy(r->root_magic, magic, sizeof(magic));
	r->root_version = UMEM_LAYOUT_VERSION;
	r->root_size = sizeof(umem_root_t);
	r->root_cache_size = sizeof(umem_cache_t);
	r->root_slab_size = sizeof(umem_slab_t);
	r->root_tcache_size = sizeof(umem_tcache_t);
	r->root_bufctl_size = sizeof(umem_bufctl_audit_t);
	r->root_vmem_size = sizeof(vmem_t);
	r->root_vmem_seg_size = sizeof(vmem_seg_t);
	r->root_log_size = sizeof(umem_log_header_t);
	r->root_page_size = UMEM_PAGE_SIZE;
	r->root_self = d->root;
	strcpy(r->root_release, "umem 0.1.0");
	r->root_ready = UMEM_READY;
	r->root_pid = 1001;
	r->root_start = 1;
	r->root_pagemap = LIB_PAGEMAP;
	r->root_stack_depth = DRAW_DEPTH;
	r->root_data_start = DRAW_LIB_DATA;
	r->root_data_end = DRAW_LIB_DATA + LIB_DATA_SIZE;
	r->root_text_start = DRAW_LIB;
	r->root_text_end = DRAW_LIB + 0x10000;
	r->root_traces = META_END;
	r->root_trace_end = 1;
}

static void
draw_region(struct draw *d, taddr_t base, uint64_t size, uint32_t kind)
{
	umem_root_t *root = fake_at(d->tgt, d->root, sizeof(*root));
	taddr_t at = draw_meta(d, sizeof(umem_region_t));
	umem_region_t *r = fake_at(d->tgt, at, sizeof(*r));

	r->rg_next = root->root_regions;
	r->rg_base = base;
	r->rg_size = size;
	r->rg_kind = kind;
	root->root_regions = at;
}

void
draw_open(struct draw *d)
{
	const unsigned rw = FAKE_READ | FAKE_WRITE;

	memset(d, 0, sizeof(*d));
	d->tgt = fake_open();
	d->root = LIB_ROOT;
	d->meta = DRAW_META;
	d->heap = DRAW_HEAP;
	d->log = DRAW_LOG;
	d->now = 1000;
	fake_add(d->tgt, DRAW_APP, 0x1000, "/bin/app", FAKE_READ | FAKE_FILE);
	fake_add(d->tgt, DRAW_TEXT, 0x4000, "/bin/app",
	    FAKE_READ | FAKE_EXEC | FAKE_FILE);
	fake_add(
	    d->tgt, DRAW_APP_DATA, DRAW_DATA_SIZE, "/bin/app", rw | FAKE_FILE);
	fake_add(d->tgt, DRAW_LIB, 0x10000, "/lib/libumem.so.1",
	    FAKE_READ | FAKE_FILE);
	fake_add(d->tgt, DRAW_LIB_DATA, LIB_DATA_SIZE, "/lib/libumem.so.1",
	    rw | FAKE_FILE);
	fake_add(d->tgt, DRAW_HEAP, DRAW_HEAP_SIZE, "", rw);
	fake_add(d->tgt, DRAW_META, DRAW_META_SIZE, "", rw);
	fake_add(d->tgt, DRAW_LOG, DRAW_LOG_SIZE, "", rw);
	fake_add(d->tgt, DRAW_STACK, DRAW_STACK_SIZE, "[stack]", rw);
	fake_thread(d->tgt, 1001, DRAW_SP, DRAW_TEXT, 0x7ffff79ff740);
	draw_image(d, DRAW_APP, 0);
	draw_image(d, DRAW_LIB, d->root);
	draw_root(d);
	fake_put64(d->tgt, META_END, DRAW_TRACES);
	draw_region(d, DRAW_HEAP, DRAW_HEAP_SIZE, UMEM_RG_HEAP);
	draw_region(d, DRAW_META, DRAW_META_SIZE, UMEM_RG_META);
	draw_region(d, DRAW_LOG, DRAW_LOG_SIZE, UMEM_RG_LOG);
	d->leaf = draw_meta(d, sizeof(umem_pmleaf_t));
	fake_put64(d->tgt, LIB_PAGEMAP + (DRAW_HEAP >> 30) * 8, d->leaf);
}

void
draw_close(struct draw *d)
{
	target_close(d->tgt);
	d->tgt = NULL;
}

taddr_t
draw_meta(struct draw *d, uint64_t size)
{
	taddr_t at = d->meta;

	d->meta += (size + 15) & ~(uint64_t)15;
	ck_assert_uint_le(d->meta, META_END);
	return at;
}

/* -------------------------------------------------------- caches and slabs */

taddr_t
draw_cache(struct draw *d, const char *name, uint64_t bufsize, uint32_t flags,
    uint32_t bin)
{
	taddr_t at = draw_meta(d, sizeof(umem_cache_t));
	umem_cache_t *c = fake_at(d->tgt, at, sizeof(*c));

	snprintf(c->cache_name, sizeof(c->cache_name), "%s", name);
	c->cache_bufsize = bufsize;
	c->cache_align = 16;
	c->cache_flags = flags;
	c->cache_bin = bin;
	c->cache_number = ++d->caches;
	c->cache_chunksize = (bufsize + 15) & ~(uint64_t)15;
	if (flags & UMF_BUFTAG) {
		c->cache_buftag = (uint32_t)((bufsize + 7) & ~(uint64_t)7);
		c->cache_chunksize =
		    (c->cache_buftag + sizeof(umem_buftag_t) + 15) &
		    ~(uint64_t)15;
		c->cache_verify = c->cache_buftag;
		c->cache_first = 16;
	}
	if (flags & UMF_AUDIT)
		c->cache_bufctl_size = sizeof(umem_bufctl_audit_t);
	c->cache_magsize = 16;
	c->cache_prev = d->last_cache;
	if (d->last_cache == 0)
		DRAW_SET(d, d->root, umem_root_t, root_caches, at);
	else
		DRAW_SET(d, d->last_cache, umem_cache_t, cache_next, at);
	d->last_cache = at;
	return at;
}

taddr_t
draw_cache_addr(struct draw *d, const char *name)
{
	taddr_t at = DRAW_GET(d, d->root, umem_root_t, root_caches);

	for (; at != 0; at = DRAW_GET(d, at, umem_cache_t, cache_next))
		if (strcmp(DRAW_GET(d, at, umem_cache_t, cache_name), name) ==
		    0)
			return at;
	ck_abort_msg("no cache %s was drawn", name);
	return 0;
}

/* Enter a slab in the page map. */
static void
draw_pages(struct draw *d, taddr_t base, uint64_t size, taddr_t slab)
{
	umem_pmleaf_t *leaf = fake_at(d->tgt, d->leaf, sizeof(*leaf));
	uint64_t page;

	for (page = base; page < base + size; page += UMEM_PAGE_SIZE)
		leaf->pl_slab[page / UMEM_PAGE_SIZE % UMEM_PM_LEAF_PAGES] =
		    slab;
}

/* Put a slab at the head of a list of its cache. */
static void
draw_list_insert(struct draw *d, uint64_t *head, taddr_t slab)
{
	DRAW_SET(d, slab, umem_slab_t, slab_prev, 0);
	DRAW_SET(d, slab, umem_slab_t, slab_next, *head);
	if (*head != 0)
		DRAW_SET(d, *head, umem_slab_t, slab_prev, slab);
	*head = slab;
}

static void
draw_list_remove(struct draw *d, uint64_t *head, taddr_t slab)
{
	taddr_t next = DRAW_GET(d, slab, umem_slab_t, slab_next);
	taddr_t prev = DRAW_GET(d, slab, umem_slab_t, slab_prev);

	if (prev != 0)
		DRAW_SET(d, prev, umem_slab_t, slab_next, next);
	else
		*head = next;
	if (next != 0)
		DRAW_SET(d, next, umem_slab_t, slab_prev, prev);
}

/* Chunks as a new slab of a cache with guards has them: free, never used. */
static void
draw_chunks(struct draw *d, const umem_cache_t *c, const umem_slab_t *s)
{
	taddr_t buf = s->slab_base + s->slab_first;
	umem_buftag_t *bt;
	uint32_t i, k;

	if (c->cache_buftag != 0)
		fake_put64(d->tgt, buf - 8, UMEM_PATTERN_REDZONE);
	for (i = 0; i < s->slab_chunks; i++, buf += s->slab_chunksize) {
		taddr_t bufctl = s->slab_bufctl + i * c->cache_bufctl_size;

		if (c->cache_buftag == 0)
			continue;
		for (k = 0; k < c->cache_buftag; k += 8)
			fake_put64(d->tgt, buf + k, UMEM_PATTERN_FREE);
		bt = fake_at(d->tgt, buf + c->cache_buftag, sizeof(*bt));
		bt->bt_redzone = UMEM_PATTERN_REDZONE;
		bt->bt_bufctl = s->slab_bufctl != 0 ? bufctl : buf;
		bt->bt_bxstat = bt->bt_bufctl ^ UMEM_BUFTAG_FREE;
		bt->bt_front = UMEM_PATTERN_REDZONE;
		fake_put64(
		    d->tgt, buf + s->slab_chunksize - 8, UMEM_PATTERN_REDZONE);
	}
}

taddr_t
draw_slab(struct draw *d, taddr_t cache, uint32_t chunks)
{
	umem_cache_t *c = fake_at(d->tgt, cache, sizeof(*c));
	uint32_t words = (chunks + 63) / 64;
	taddr_t at =
	    draw_meta(d, sizeof(umem_slab_t) + words * sizeof(uint64_t));
	umem_slab_t *s = fake_at(d->tgt, at, sizeof(*s));

	s->slab_cache = cache;
	s->slab_base = d->heap;
	s->slab_chunksize = c->cache_chunksize;
	s->slab_chunks = chunks;
	s->slab_first = c->cache_first;
	s->slab_size = (s->slab_first + chunks * s->slab_chunksize + 4095) &
		       ~(uint64_t)4095;
	s->slab_map = at + sizeof(umem_slab_t);
	if (chunks % 64 != 0) /* bits past the last chunk are set */
		fake_put64(d->tgt, s->slab_map + (words - 1) * 8,
		    ~(uint64_t)0 << chunks % 64);
	if (c->cache_bufctl_size != 0)
		s->slab_bufctl =
		    draw_meta(d, (uint64_t)chunks * c->cache_bufctl_size);
	s->slab_flags = UMEM_SLAB_PARTIAL;
	d->heap += s->slab_size;
	ck_assert_uint_le(d->heap, DRAW_HEAP + DRAW_HEAP_SIZE);
	c->cache_slabsize = s->slab_size;
	c->cache_chunks = chunks;
	c->cache_slab_create++;
	c->cache_buftotal += chunks;
	draw_list_insert(d, &c->cache_partial, at);
	/* of a large buffer the page map has the first pages alone */
	draw_pages(d, s->slab_base,
	    c->cache_flags & UMF_LARGE ? s->slab_first + 1 : s->slab_size, at);
	draw_chunks(d, c, s);
	return at;
}

taddr_t
draw_buf(struct draw *d, taddr_t slab, uint32_t index)
{
	const umem_slab_t *s = fake_at(d->tgt, slab, sizeof(*s));

	return s->slab_base + s->slab_first + index * s->slab_chunksize;
}

void
draw_bit(struct draw *d, taddr_t slab, uint32_t index, bool used)
{
	umem_slab_t *s = fake_at(d->tgt, slab, sizeof(*s));
	umem_cache_t *c = fake_at(d->tgt, s->slab_cache, sizeof(*c));
	taddr_t at = s->slab_map + index / 64 * 8;
	uint64_t bit = (uint64_t)1 << index % 64;
	bool partial;

	ck_assert_uint_lt(index, s->slab_chunks);
	ck_assert_int_eq((fake_get64(d->tgt, at) & bit) != 0, !used);
	fake_put64(d->tgt, at, fake_get64(d->tgt, at) ^ bit);
	s->slab_refcnt += used ? 1 : (uint32_t)-1;
	c->cache_bufslab += used ? 1 : (uint64_t)-1;
	c->cache_slab_alloc += used;
	c->cache_slab_free += !used;
	partial = s->slab_refcnt < s->slab_chunks;
	if (partial == ((s->slab_flags & UMEM_SLAB_PARTIAL) != 0))
		return;
	draw_list_remove(d, partial ? &c->cache_full : &c->cache_partial, slab);
	draw_list_insert(d, partial ? &c->cache_partial : &c->cache_full, slab);
	s->slab_flags ^= UMEM_SLAB_PARTIAL;
}

void
draw_stack(uint64_t *stack, unsigned seed)
{
	unsigned i;

	for (i = 0; i < DRAW_DEPTH; i++)
		stack[i] = DRAW_TEXT + 0x100u * i + (i < 2 ? 8u * seed : 0);
}

taddr_t
draw_trace_at(uint32_t number)
{
	ck_assert_uint_eq(UMEM_TRACE_PIECE(number), 0);
	return DRAW_TRACES + UMEM_TRACE_OFFSET(number);
}

uint32_t
draw_trace(struct draw *d, const uint64_t *stack, uint16_t depth)
{
	umem_root_t *root = fake_at(d->tgt, d->root, sizeof(*root));
	umem_trace_t *tr;
	uint32_t i;

	if (depth == 0)
		return 0;
	for (i = 1; i < root->root_trace_end;
	     i += UMEM_TRACE_WORDS(tr->tr_depth)) {
		tr = fake_at(d->tgt, draw_trace_at(i), sizeof(*tr));
		if (tr->tr_depth == depth &&
		    memcmp(tr + 1, stack, depth * sizeof(*stack)) == 0)
			return i;
	}
	root->root_trace_end += UMEM_TRACE_WORDS(depth);
	DRAW_SET(d, draw_trace_at(i), umem_trace_t, tr_depth, depth);
	fake_put(d->tgt, draw_trace_at(i) + UMEM_TRACE_STACK, stack,
	    depth * sizeof(*stack));
	return i;
}

/* The bufctl after a transaction, with a copy in the transaction log. */
static void
draw_bufctl(
    struct draw *d, taddr_t slab, uint32_t index, uint8_t kind, uint64_t size)
{
	const umem_slab_t *s = fake_at(d->tgt, slab, sizeof(*s));
	const umem_cache_t *c =
	    fake_at(d->tgt, s->slab_cache, sizeof(umem_cache_t));
	taddr_t log = DRAW_GET(d, d->root, umem_root_t, root_log_transaction);
	uint64_t stack[DRAW_DEPTH];
	umem_bufctl_audit_t *bc;
	taddr_t at;

	if (s->slab_bufctl == 0)
		return;
	at = s->slab_bufctl + index * c->cache_bufctl_size;
	bc = fake_at(d->tgt, at, sizeof(*bc));
	bc->bc_addr = draw_buf(d, slab, index);
	bc->bc_slab = slab;
	bc->bc_cache = s->slab_cache;
	bc->bc_timestamp = d->now++;
	bc->bc_size = size;
	bc->bc_thread = 1001;
	bc->bc_kind = kind;
	draw_stack(stack, kind);
	bc->bc_trace = draw_trace(d, stack, DRAW_DEPTH);
	if (log != 0)
		bc->bc_lastlog =
		    draw_record(d, log, 0, (bc->bc_timestamp - 1000) % 32, bc);
}

taddr_t
draw_alloc(struct draw *d, taddr_t slab, uint32_t index, uint64_t size)
{
	const umem_slab_t *s = fake_at(d->tgt, slab, sizeof(*s));
	const umem_cache_t *c =
	    fake_at(d->tgt, s->slab_cache, sizeof(umem_cache_t));
	taddr_t buf = draw_buf(d, slab, index);
	umem_buftag_t *bt;
	uint64_t i;

	if (!(c->cache_flags & UMF_MALLOC))
		size = c->cache_bufsize;
	draw_bit(d, slab, index, true);
	draw_bufctl(d, slab, index, UMEM_BC_ALLOC, size);
	if (c->cache_buftag == 0)
		return buf;
	memset(fake_at(d->tgt, buf, c->cache_buftag), UMEM_REDZONE_BYTE,
	    c->cache_buftag);
	for (i = 0; i + 8 <= size; i += 8)
		fake_put64(d->tgt, buf + i, UMEM_PATTERN_UNINIT);
	bt = fake_at(d->tgt, buf + c->cache_buftag, sizeof(*bt));
	if (c->cache_flags & UMF_MALLOC)
		bt->bt_redzone = (uint32_t)UMEM_PATTERN_REDZONE |
				 (uint64_t)UMEM_SIZE_ENCODE(size) << 32;
	bt->bt_bxstat = bt->bt_bufctl ^ UMEM_BUFTAG_ALLOC;
	return buf;
}

void
draw_free(struct draw *d, taddr_t slab, uint32_t index)
{
	const umem_slab_t *s = fake_at(d->tgt, slab, sizeof(*s));
	const umem_cache_t *c =
	    fake_at(d->tgt, s->slab_cache, sizeof(umem_cache_t));
	taddr_t buf = draw_buf(d, slab, index);
	umem_buftag_t *bt;
	uint64_t i;

	draw_bit(d, slab, index, false);
	draw_bufctl(d, slab, index, UMEM_BC_FREE, c->cache_bufsize);
	if (c->cache_buftag == 0)
		return;
	for (i = 0; i < c->cache_buftag; i += 8)
		fake_put64(d->tgt, buf + i, UMEM_PATTERN_FREE);
	bt = fake_at(d->tgt, buf + c->cache_buftag, sizeof(*bt));
	bt->bt_redzone = UMEM_PATTERN_REDZONE;
	bt->bt_bxstat = bt->bt_bufctl ^ UMEM_BUFTAG_FREE;
}

taddr_t
draw_large(struct draw *d, uint64_t size)
{
	taddr_t cache = DRAW_GET(d, d->root, umem_root_t, root_large), at;
	umem_slab_t *s;

	if (cache == 0) {
		cache = draw_cache(
		    d, "umem_oversize", 0, UMF_MALLOC | UMF_LARGE, 0);
		DRAW_SET(d, d->root, umem_root_t, root_large, cache);
	}
	DRAW_SET(d, cache, umem_cache_t, cache_chunksize,
	    (size + 4095) & ~(uint64_t)4095);
	at = draw_slab(d, cache, 1);
	s = fake_at(d->tgt, at, sizeof(*s));
	s->slab_reqsize = size;
	DRAW_SET(d, cache, umem_cache_t, cache_chunksize, 0);
	draw_bit(d, at, 0, true);
	return at;
}

/* --------------------------------------------------------------- magazines */

static taddr_t
draw_magazine(struct draw *d, taddr_t cache, const taddr_t *buf, uint32_t n,
    uint32_t size)
{
	taddr_t at = draw_meta(d, UMEM_MAG_ROUND + (uint64_t)size * 8);
	umem_magazine_t *m = fake_at(d->tgt, at, sizeof(*m));

	m->mag_cache = cache;
	m->mag_size = size;
	m->mag_rounds = n;
	if (n != 0)
		fake_put(d->tgt, at + UMEM_MAG_ROUND, buf, n * sizeof(*buf));
	return at;
}

taddr_t
draw_depot(struct draw *d, taddr_t cache, const taddr_t *buf, uint32_t n,
    uint32_t size)
{
	taddr_t at = draw_magazine(d, cache, buf, n, size);
	umem_cache_t *c = fake_at(d->tgt, cache, sizeof(*c));
	umem_maglist_t *l = n != 0 ? &c->cache_magfull : &c->cache_magempty;

	DRAW_SET(d, at, umem_magazine_t, mag_next, l->ml_list);
	l->ml_list = at;
	l->ml_total++;
	l->ml_rounds += n;
	return at;
}

taddr_t
draw_tcache(struct draw *d, uint32_t tid)
{
	taddr_t at = draw_meta(d, sizeof(umem_tcache_t));
	umem_tcache_t *tc = fake_at(d->tgt, at, sizeof(*tc));
	umem_root_t *root = fake_at(d->tgt, d->root, sizeof(*root));

	tc->tc_tid = tid;
	tc->tc_state = UMEM_TC_LIVE;
	tc->tc_next = root->root_tcaches;
	if (tc->tc_next != 0)
		DRAW_SET(d, tc->tc_next, umem_tcache_t, tc_prev, at);
	root->root_tcaches = at;
	root->root_thread_count++;
	return at;
}

static umem_tcbin_t *
draw_bin(struct draw *d, taddr_t tcache, taddr_t cache)
{
	umem_tcache_t *tc = fake_at(d->tgt, tcache, sizeof(*tc));

	return &tc->tc_bin[DRAW_GET(d, cache, umem_cache_t, cache_bin)];
}

taddr_t
draw_load(struct draw *d, taddr_t tcache, taddr_t cache, const taddr_t *buf,
    uint32_t n, uint32_t size)
{
	taddr_t at = draw_magazine(d, cache, buf, n, size);
	umem_tcbin_t *b = draw_bin(d, tcache, cache);

	b->tb_base = at + UMEM_MAG_ROUND;
	b->tb_top = b->tb_base + n * 8;
	b->tb_limit = b->tb_base + size * 8;
	/* stale while loaded: a reader that believes it reads rubbish */
	DRAW_SET(d, at, umem_magazine_t, mag_rounds, size);
	return at;
}

taddr_t
draw_previous(struct draw *d, taddr_t tcache, taddr_t cache, const taddr_t *buf,
    uint32_t n, uint32_t size)
{
	taddr_t at = draw_magazine(d, cache, buf, n, size);

	draw_bin(d, tcache, cache)->tb_prev = at;
	return at;
}

/* ------------------------------------------------------------------ arenas */

taddr_t
draw_arena(struct draw *d, const char *name, taddr_t source)
{
	taddr_t at = draw_meta(d, sizeof(vmem_t));
	taddr_t seg0 = at + offsetof(vmem_t, vm_seg0);
	taddr_t rotor = at + offsetof(vmem_t, vm_rotor);
	vmem_t *v = fake_at(d->tgt, at, sizeof(*v));

	snprintf(v->vm_name, sizeof(v->vm_name), "%s", name);
	v->vm_id = ++d->arenas;
	v->vm_quantum = 4096;
	v->vm_qshift = 12;
	v->vm_source = source;
	v->vm_flags = VMF_INTERNAL;
	if (source != 0)
		v->vm_depth = DRAW_GET(d, source, vmem_t, vm_depth) + 1;
	v->vm_seg0.vs_anext = v->vm_seg0.vs_aprev = rotor;
	v->vm_rotor.vs_anext = v->vm_rotor.vs_aprev = seg0;
	v->vm_rotor.vs_type = VMEM_SEG_ROTOR;
	v->vm_seg0.vs_knext = v->vm_seg0.vs_kprev = seg0;
	if (d->last_arena == 0)
		DRAW_SET(d, d->root, umem_root_t, root_arenas, at);
	else
		DRAW_SET(d, d->last_arena, vmem_t, vm_next, at);
	d->last_arena = at;
	return at;
}

taddr_t
draw_segment(
    struct draw *d, taddr_t arena, uint8_t type, uint64_t start, uint64_t end)
{
	taddr_t seg0 = arena + offsetof(vmem_t, vm_seg0), last;
	taddr_t at = draw_meta(d, sizeof(vmem_seg_t));
	vmem_t *v = fake_at(d->tgt, arena, sizeof(*v));
	vmem_seg_t *s = fake_at(d->tgt, at, sizeof(*s));

	last = v->vm_seg0.vs_aprev;
	s->vs_start = start;
	s->vs_end = end;
	s->vs_type = type;
	s->vs_anext = seg0;
	s->vs_aprev = last;
	DRAW_SET(d, last, vmem_seg_t, vs_anext, at);
	v->vm_seg0.vs_aprev = at;
	if (type == VMEM_SEG_SPAN) {
		v->vm_mem_total += end - start;
	} else if (type == VMEM_SEG_ALLOC) {
		v->vm_mem_inuse += end - start;
		v->vm_nalloc++;
		v->vm_nseg_alloc++;
	} else {
		v->vm_nseg_free++;
	}
	return at;
}

/* -------------------------------------------------------------------- logs */

taddr_t
draw_log(struct draw *d, uint64_t chunks, uint64_t chunksize)
{
	taddr_t at = draw_meta(d, sizeof(umem_log_header_t));
	umem_log_header_t *h = fake_at(d->tgt, at, sizeof(*h));

	h->lh_base = d->log;
	h->lh_ring = draw_meta(d, chunks * sizeof(uint32_t));
	h->lh_chunksize = chunksize;
	h->lh_nchunks = chunks;
	h->lh_recsize = sizeof(umem_bufctl_audit_t);
	h->lh_nslots = 1;
	h->lh_head = 1;
	d->log += chunks * chunksize;
	ck_assert_uint_le(d->log, DRAW_LOG + DRAW_LOG_SIZE);
	return at;
}

taddr_t
draw_record(struct draw *d, taddr_t log, uint64_t chunk, uint64_t index,
    const umem_bufctl_audit_t *bc)
{
	umem_log_header_t *h = fake_at(d->tgt, log, sizeof(*h));
	taddr_t at =
	    h->lh_base + chunk * h->lh_chunksize + index * h->lh_recsize;

	ck_assert_uint_lt(chunk, h->lh_nchunks);
	ck_assert_uint_le((index + 1) * h->lh_recsize, h->lh_chunksize);
	fake_put(d->tgt, at, bc, sizeof(*bc));
	h->lh_slot[0].ls_records++;
	return at;
}

/* ---------------------------------------------------------- one of it all */

static void
draw_heap_plain(struct draw *d)
{
	taddr_t cache = draw_cache(d, "umem_alloc_64", 64, UMF_MALLOC, 1);
	taddr_t slab = draw_slab(d, cache, 60), more, tc, buf[20];
	uint32_t i;

	for (i = 0; i < 20; i++)
		buf[i] = draw_alloc(d, slab, i, 64);
	draw_depot(d, cache, buf + 10, 4, 16);
	draw_depot(d, cache, NULL, 0, 16);
	tc = draw_tcache(d, 1001);
	draw_load(d, tc, cache, buf + 14, 4, 16);
	draw_previous(d, tc, cache, buf + 18, 2, 16);
	more = draw_slab(d, cache, 60);
	draw_alloc(d, more, 0, 64);
}

static void
draw_heap_audit(struct draw *d)
{
	taddr_t cache = draw_cache(d, "umem_alloc_48", 48,
	    UMF_AUDIT | UMF_DEADBEEF | UMF_REDZONE | UMF_MALLOC, 2);
	taddr_t slab = draw_slab(d, cache, 20);
	uint32_t i;

	for (i = 0; i < 6; i++)
		draw_alloc(d, slab, i, 40 + i);
	draw_free(d, slab, 5);
}

void
draw_heap(struct draw *d)
{
	taddr_t log, heap, dflt, large;
	const umem_slab_t *s;

	draw_open(d);
	log = draw_log(d, 4, 4096);
	DRAW_SET(d, d->root, umem_root_t, root_log_transaction, log);
	DRAW_SET(d, d->root, umem_root_t, root_logging, 1);
	DRAW_SET(d, d->root, umem_root_t, root_flags,
	    UMF_AUDIT | UMF_DEADBEEF | UMF_REDZONE);
	draw_heap_plain(d);
	draw_heap_audit(d);
	large = draw_large(d, 100000);
	draw_large(d, 5000);
	s = fake_at(d->tgt, large, sizeof(*s));

	heap = d->heap_arena = draw_arena(d, "umem_heap", 0);
	DRAW_SET(d, heap, vmem_t, vm_flags, VMF_INTERNAL | VMF_HEAP);
	dflt = draw_arena(d, "umem_default", heap);
	draw_segment(
	    d, heap, VMEM_SEG_SPAN, DRAW_HEAP, DRAW_HEAP + DRAW_HEAP_SIZE);
	draw_segment(d, heap, VMEM_SEG_ALLOC, DRAW_HEAP, s->slab_base);
	draw_segment(d, heap, VMEM_SEG_ALLOC, s->slab_base, d->heap);
	draw_segment(
	    d, heap, VMEM_SEG_FREE, d->heap, DRAW_HEAP + DRAW_HEAP_SIZE);
	draw_segment(d, dflt, VMEM_SEG_SPAN, DRAW_HEAP, s->slab_base);
	draw_segment(d, dflt, VMEM_SEG_ALLOC, DRAW_HEAP, s->slab_base);
}
