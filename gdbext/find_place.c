/* SPDX-License-Identifier: MIT */
/*
 * find_place.c - what kinds of memory the roots stand in
 *
 * Stacks and thread-local storage are known by address, from the threads;
 * they are collected first, as spans.  Then each range of the roots is cut
 * where a span, a mapping or the library's own memory begins or ends.
 *
 * An object's data ends in the middle of a mapping: behind its bss the kernel
 * joins whatever was mapped next to it.  The object's program headers say
 * where.
 *
 * Layer: see find_place.h.
 */
#include <elf.h>
#include <stdlib.h>

#include "find_place.h"

#define TCB_SIZE 2304u     /* struct pthread of glibc, about */
#define TLS_MAX (1u << 20) /* static TLS of a thread, at most */
#define DTV_MAX 4096u      /* entries looked at */
#define NAME_REACH 16u     /* mappings of one object, at most */
#define PAGE_MASK ((taddr_t)UMEM_PAGE_SIZE - 1)

struct span {
	taddr_t start, end;
	enum place_kind kind;
	uint32_t thread;
};

struct cut {
	struct snap *snap;
	struct parts *parts;
	struct span *span; /* sorted, no overlap */
	size_t nspan;
	/* the object that was asked for last: mapping that names it, its end */
	size_t object;
	taddr_t object_end;
};

/* -------------------------------------------------------------------- spans */

/*
 * Lowest address of the thread's static TLS.  The table of its blocks (dtv)
 * is reached from the control block's second word; the word before the table
 * counts its entries, of two words each.  Blocks below the control block and
 * near it are static.
 */
static taddr_t
tls_lowest(struct target *tgt, taddr_t fs, const struct target_region *r)
{
	enum { TCB_DTV = 8, ENTRY = 16 };
	taddr_t dtv, block, low = fs;
	uint64_t n, i;

	if (target_read(tgt, fs + TCB_DTV, &dtv, sizeof(dtv), "TLS") !=
		UMDB_OK ||
	    dtv < ENTRY ||
	    target_read(tgt, dtv - ENTRY, &n, sizeof(n), "TLS") != UMDB_OK)
		return low;
	if (n > DTV_MAX)
		n = DTV_MAX;
	for (i = 1; i <= n; i++) {
		if (target_read(tgt, dtv + i * ENTRY, &block, sizeof(block),
			"TLS") != UMDB_OK)
			break;
		if (block < low && block >= r->start && fs - block < TLS_MAX)
			low = block;
	}
	return low;
}

/* The stacks and the TLS of a thread: none to SPANS_MAX spans. */
#define SPANS_MAX 3u

static size_t
spans_of_thread(struct target *tgt, uint32_t thread, struct span *ret)
{
	const struct target_thread *t = &tgt->thread[thread];
	const taddr_t fs = t->reg[TARGET_FSBASE];
	const struct target_region *r;
	struct span tls = {0};
	struct signal_stack alt;
	struct range stack = {0};
	size_t n = 0;

	if (!t->have_regs)
		return 0;
	r = target_region_at(tgt, fs);
	if (r != NULL && r->writable) {
		tls.start = tls_lowest(tgt, fs, r);
		tls.end = r->end - fs > TCB_SIZE ? fs + TCB_SIZE : r->end;
		tls.kind = PLACE_TLS;
		tls.thread = thread;
	}
	if (find_stack_of(tgt, t, &stack)) {
		if (tls.end > stack.start && tls.start < stack.end) {
			tls.end = stack.end;
			stack.end = tls.start;
		}
		if (stack.start < stack.end)
			ret[n++] = (struct span){
			    stack.start, stack.end, PLACE_STACK, thread};
	}
	if (tls.start < tls.end)
		ret[n++] = tls;
	if (find_signal_stack(tgt, t->reg[TARGET_RSP], &alt) &&
	    (alt.lo >= stack.end || alt.hi <= stack.start))
		ret[n++] = (struct span){alt.lo, alt.hi, PLACE_STACK, thread};
	return n;
}

static int
span_compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static int
cut_init(struct cut *c)
{
	struct target *tgt = c->snap->tgt;
	size_t i, kept = 0;
	taddr_t end = 0;

	c->object = SIZE_MAX;
	c->span = calloc(SPANS_MAX * tgt->nthread + 1, sizeof(*c->span));
	if (c->span == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < tgt->nthread && i < PLACE_NONE; i++)
		c->nspan +=
		    spans_of_thread(tgt, (uint32_t)i, &c->span[c->nspan]);
	if (c->nspan > 1)
		qsort(c->span, c->nspan, sizeof(*c->span), span_compare);
	for (i = 0; i < c->nspan; i++) {
		struct span s = c->span[i];

		if (s.start < end)
			s.start = end;
		if (s.start >= s.end)
			continue;
		end = s.end;
		c->span[kept++] = s;
	}
	c->nspan = kept;
	return UMDB_OK;
}

/* ------------------------------------------------------------------ objects */

/* The mapping that names the object whose data region i may be, or NONE. */
static size_t
object_region(const struct target *tgt, size_t i)
{
	const struct target_region *r = &tgt->region[i];

	if (r->file)
		return i;
	if (i > 0 && r->name[0] == '\0' && r[-1].end == r->start &&
	    r[-1].file && r[-1].writable)
		return i - 1;
	return SIZE_MAX;
}

/*
 * Where the data of the object ends whose headers are at @at; 0 when there is
 * no ELF object.
 */
static taddr_t
object_end(struct target *tgt, taddr_t at)
{
	Elf64_Phdr ph[64];
	Elf64_Ehdr eh;
	taddr_t end = 0, low = UINT64_MAX;
	unsigned i;

	if (target_read(tgt, at, &eh, sizeof(eh), "ELF header") != UMDB_OK ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_phentsize != sizeof(ph[0]) || eh.e_phnum == 0 ||
	    eh.e_phnum > sizeof(ph) / sizeof(ph[0]) || eh.e_phoff > PAGE_MASK ||
	    target_read(tgt, at + eh.e_phoff, ph, eh.e_phnum * sizeof(ph[0]),
		"ELF header") != UMDB_OK)
		return 0;
	for (i = 0; i < eh.e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_vaddr < low)
			low = ph[i].p_vaddr & ~PAGE_MASK;
		if (ph[i].p_vaddr + ph[i].p_memsz > end)
			end = ph[i].p_vaddr + ph[i].p_memsz;
	}
	return end > low ? at + (end - low) : 0;
}

/*
 * Where the object's data ends, as far as mapping @named goes; 0 when the file
 * is no object.  The headers are in its lowest mapping.
 */
static taddr_t
cut_object(struct cut *c, size_t named)
{
	struct target *tgt = c->snap->tgt;
	const char *name = tgt->region[named].name;
	size_t i = named, k;

	if (c->object == named)
		return c->object_end;
	for (k = 0; k < NAME_REACH && i > 0; k++, i--)
		if (strcmp(tgt->region[i - 1].name, name) != 0)
			break;
	c->object = named;
	c->object_end = object_end(tgt, tgt->region[i].start);
	return c->object_end;
}

/* -------------------------------------------------------------------- parts */

static int
parts_add(struct parts *p, const struct part *part)
{
	struct part *last = p->n > 0 ? &p->part[p->n - 1] : NULL, *more;
	size_t room;

	if (last != NULL && last->kind == part->kind &&
	    last->end == part->start && last->thread == part->thread &&
	    last->region == part->region && part->kind != PLACE_REGISTER) {
		last->end = part->end;
		return UMDB_OK;
	}
	if (p->n == p->room) {
		room = p->room == 0 ? 64 : p->room * 2;
		more = realloc(p->part, room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		p->part = more;
		p->room = room;
	}
	p->part[p->n++] = *part;
	return UMDB_OK;
}

/* The first span that ends behind at. */
static const struct span *
cut_span(const struct cut *c, taddr_t at)
{
	size_t lo = 0, hi = c->nspan;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (c->span[mid].end <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->nspan ? &c->span[lo] : NULL;
}

/* The first piece of the library's memory that ends behind at. */
static const umem_region_t *
cut_ours(const struct cut *c, taddr_t at)
{
	const struct snap *snap = c->snap;
	size_t lo = 0, hi = snap->nregion;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (snap->region[mid].rg_base + snap->region[mid].rg_size <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < snap->nregion ? &snap->region[lo] : NULL;
}

static void
part_limit(struct part *p, taddr_t end)
{
	if (end < p->end)
		p->end = end;
}

/* What stands in a mapping, when nothing better is known of it. */
static void
part_in_region(struct cut *c, struct part *p)
{
	const struct target *tgt = c->snap->tgt;
	const struct target_region *r = target_region_at(tgt, p->start);
	size_t object;
	taddr_t end;

	p->kind = PLACE_MAPPING;
	if (r == NULL)
		return;
	p->region = (uint32_t)(r - tgt->region);
	part_limit(p, r->end);
	object = object_region(tgt, p->region);
	if (object == SIZE_MAX)
		return;
	end = cut_object(c, object);
	if (end == 0 || (end <= p->start && !r->file))
		return;
	p->kind = PLACE_DATA;
	p->region = (uint32_t)object;
	if (!r->file)
		part_limit(p, end);
}

/* The part that begins at p->start and ends at p->end or before. */
static void
part_at(struct cut *c, struct part *p)
{
	const struct span *span = cut_span(c, p->start);
	const umem_region_t *ours = cut_ours(c, p->start);

	p->thread = p->region = p->arena = PLACE_NONE;
	if (span != NULL && p->start >= span->start) {
		p->kind = span->kind;
		p->thread = span->thread;
		part_limit(p, span->end);
		return;
	}
	if (span != NULL)
		part_limit(p, span->start);
	if (ours != NULL && p->start >= ours->rg_base) {
		p->kind = PLACE_ARENA;
		part_limit(p, ours->rg_base + ours->rg_size);
		return;
	}
	if (ours != NULL)
		part_limit(p, ours->rg_base);
	part_in_region(c, p);
}

static int
parts_of_memory(struct cut *c, const struct ranges *memory)
{
	struct part p;
	taddr_t at;
	size_t i;
	int rc;

	for (i = 0; i < memory->n; i++) {
		for (at = memory->r[i].start; at < memory->r[i].end;
		     at = p.end) {
			memset(&p, 0, sizeof(p));
			p.start = at;
			p.end = memory->r[i].end;
			part_at(c, &p);
			if (p.end <= at)
				p.end = memory->r[i].end;
			rc = parts_add(c->parts, &p);
			if (rc != UMDB_OK)
				return rc;
		}
	}
	return UMDB_OK;
}

int
find_parts(struct snap *snap, const struct roots *roots, struct parts *ret)
{
	struct part p = {.thread = PLACE_NONE,
	    .region = PLACE_NONE,
	    .arena = PLACE_NONE,
	    .kind = PLACE_HELD};
	struct cut c = {.snap = snap, .parts = ret};
	size_t i;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = cut_init(&c);
	if (rc == UMDB_OK)
		rc = parts_of_memory(&c, &roots->memory);
	free(c.span);
	if (rc == UMDB_OK)
		rc = parts_add(ret, &p);
	p.kind = PLACE_REGISTER;
	for (i = 0; i < snap->tgt->nthread && i < PLACE_NONE; i++) {
		if (rc != UMDB_OK || !snap->tgt->thread[i].have_regs)
			continue;
		p.thread = (uint32_t)i;
		rc = parts_add(ret, &p);
	}
	return rc;
}

void
find_parts_free(struct parts *p)
{
	free(p->part);
	memset(p, 0, sizeof(*p));
}
