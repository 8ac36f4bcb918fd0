/* SPDX-License-Identifier: MIT */
/*
 * find_site.c - what keeps most of the memory: by allocation stacks
 *
 * A site is a stack that buffers were allocated by; of buffers without a
 * record, their cache.  It retains what its buffers do; but a list's elements
 * retain each other, so of buffers of one site only those count that no other
 * of that site dominates.  A walk over the tree of dominators knows these: at
 * any time it knows how many of each site stand above.
 *
 * Layer: see find_top.h.
 */
#include <stdlib.h>

#include "find_sort.h"
#include "find_top.h"

#define NONE UINT32_MAX
#define POLL_EVERY 4096u

struct sites {
	struct kept *kept;
	struct top *top;
	uint32_t *of;    /* by place: its site; NONE: no buffer */
	uint32_t *hash;  /* sites; NONE: empty */
	size_t nhash;    /* a power of two */
	uint32_t *plain; /* by cache: the site of buffers without a record */
	uint32_t *first, *next; /* the tree of dominators, by place */
	uint32_t *above;        /* by site: how many stand above */
	uint8_t record[UMEM_BC_STACK + UMEM_MAX_DEPTH * sizeof(uint64_t)];
};

/* -------------------------------------------------------------------- stacks */

/* The stack in the record of a buffer; depth 0 when there is none. */
static uint16_t
record_stack(struct sites *s, const struct snap_slab *ss, uint32_t index,
    const uint8_t **stack_ret)
{
	const struct graph *g = s->kept->g;
	const taddr_t addr = snap_buf_bufctl(ss, index);
	umem_bufctl_audit_t bc;
	size_t len = ss->bufctl_size;
	const uint8_t *p;

	if (addr == 0 || len < sizeof(bc))
		return 0;
	if (len > sizeof(s->record))
		len = sizeof(s->record);
	p = find_mem_at(&g->m.mem, addr, len);
	if (p == NULL) {
		if (target_read(g->m.snap->tgt, addr, s->record, len,
			"bufctl") != UMDB_OK)
			return 0;
		p = s->record;
	}
	memcpy(&bc, p, sizeof(bc));
	if (bc.bc_addr != snap_buf_addr(ss, index) ||
	    bc.bc_depth > (len - UMEM_BC_STACK) / sizeof(uint64_t))
		return 0;
	*stack_ret = p + UMEM_BC_STACK;
	return bc.bc_depth;
}

static uint64_t
stack_hash(uint16_t depth, const uint8_t *stack)
{
	const uint64_t k = 0x9e3779b97f4a7c15ULL;
	uint64_t h = depth;
	uint16_t i;

	for (i = 0; i < depth; i++)
		h = ((h ^ h >> 29) + find_mem_u64(stack + i * 8u)) * k;
	return h ^ h >> 32;
}

static size_t
site_slot(const struct sites *s, uint16_t depth, const uint8_t *stack)
{
	size_t i = stack_hash(depth, stack);

	for (;; i++) {
		const struct top_site *t;

		i &= s->nhash - 1;
		if (s->hash[i] == NONE)
			return i;
		t = &s->top->site[s->hash[i]];
		if (t->depth == depth &&
		    memcmp(t->stack, stack, depth * sizeof(uint64_t)) == 0)
			return i;
	}
}

/* Room for one more site: the hash is twice as large. */
static int
sites_grow(struct sites *s)
{
	struct top *t = s->top;
	const size_t n = s->nhash == 0 ? 512 : s->nhash * 2;
	struct top_site *site;
	uint32_t *hash;
	size_t i;

	if (t->nsite < s->nhash / 2)
		return UMDB_OK;
	site = realloc(t->site, n / 2 * sizeof(*site));
	if (site == NULL)
		return UMDB_ENOMEM;
	t->site = site;
	hash = malloc(n * sizeof(*hash));
	if (hash == NULL)
		return UMDB_ENOMEM;
	free(s->hash);
	s->hash = hash;
	s->nhash = n;
	memset(hash, 0xff, n * sizeof(*hash));
	for (i = 0; i < t->nsite; i++)
		if (site[i].depth > 0)
			hash[site_slot(s, site[i].depth,
			    (const uint8_t *)site[i].stack)] = (uint32_t)i;
	return UMDB_OK;
}

static int
site_of(
    struct sites *s, const struct snap_slab *ss, uint32_t index, uint32_t *ret)
{
	struct top *t = s->top;
	const uint8_t *stack = NULL;
	const uint16_t depth = record_stack(s, ss, index, &stack);
	struct top_site *site;
	uint32_t *known;

	if (sites_grow(s) != UMDB_OK)
		return UMDB_ENOMEM;
	known = depth == 0 ? &s->plain[ss->cache]
			   : &s->hash[site_slot(s, depth, stack)];
	*ret = *known;
	if (*known != NONE)
		return UMDB_OK;
	site = &t->site[t->nsite];
	memset(site, 0, sizeof(*site));
	site->cache = ss->cache;
	site->depth = depth;
	if (depth > 0) {
		site->stack = malloc(depth * sizeof(*site->stack));
		if (site->stack == NULL)
			return UMDB_ENOMEM;
		memcpy(site->stack, stack, depth * sizeof(*site->stack));
	}
	*ret = *known = (uint32_t)t->nsite++;
	return UMDB_OK;
}

/* The site of each buffer that is alive, and what they take themselves. */
static int
sites_assign(struct sites *s)
{
	const struct graph *g = s->kept->g;
	const struct dom *dom = &s->kept->dom;
	const struct snap *snap = g->m.snap;
	uint32_t k, p;
	size_t i;

	for (i = 0; i < snap->nslab; i++) {
		const struct mark_slab *ms = &g->m.slab[i];

		for (k = 0; k < ms->nchunk; k++) {
			p = dom->place[snap->slab[i].buf + k];
			if (p == 0)
				continue;
			if (site_of(s, &snap->slab[i], k, &s->of[p]) != UMDB_OK)
				return UMDB_ENOMEM;
			s->top->site[s->of[p]].count++;
			s->top->site[s->of[p]].bytes += find_mark_size(ms, k);
		}
		if (target_poll(snap->tgt, "comparing stacks", i, snap->nslab))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

/* --------------------------------------------------------------------- tree */

static void
tree_enter(struct sites *s, uint32_t p)
{
	const struct kept *k = s->kept;
	struct top_site *site;

	if (s->of[p] == NONE)
		return;
	site = &s->top->site[s->of[p]];
	if (s->above[s->of[p]]++ == 0) {
		site->kept_count += k->count[p];
		site->kept_bytes += k->bytes[p];
		if (k->bytes[p] > site->node_bytes) {
			site->node_bytes = k->bytes[p];
			site->node = k->dom.order[p];
		}
	}
}

static int
tree_walk(struct sites *s)
{
	const struct dom *dom = &s->kept->dom;
	struct target *tgt = s->kept->g->m.snap->tgt;
	uint64_t steps = 0;
	bool up = false;
	uint32_t p;

	for (p = dom->n; p > 1; p--) {
		s->next[p] = s->first[dom->idom[p]];
		s->first[dom->idom[p]] = p;
		if (p % POLL_EVERY == 0 &&
		    target_poll(tgt, "comparing stacks", 0, 0))
			return UMDB_EINTR;
	}
	/* each is entered on the way down and left on the way up */
	for (p = 1; p != 0;) {
		if (!up)
			tree_enter(s, p);
		else if (s->of[p] != NONE)
			s->above[s->of[p]]--;
		if (!up && s->first[p] != 0) {
			p = s->first[p];
		} else if (!up) {
			up = true;
		} else {
			up = s->next[p] == 0;
			p = up ? dom->idom[p] : s->next[p];
		}
		if (++steps % POLL_EVERY == 0 &&
		    target_poll(tgt, "comparing stacks", steps / 2, dom->n))
			return UMDB_EINTR;
	}
	return UMDB_OK;
}

static int
site_compare(const void *a, const void *b)
{
	const struct top_site *x = a, *y = b;

	if (x->kept_bytes != y->kept_bytes)
		return x->kept_bytes > y->kept_bytes ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

int
find_top_sites(struct kept *k, struct top *t)
{
	const size_t n = (size_t)k->dom.n + 2;
	const uint32_t ncache = k->g->m.snap->ncache;
	struct sites *s = calloc(1, sizeof(*s));
	int rc = UMDB_ENOMEM;

	if (s == NULL)
		return UMDB_ENOMEM;
	s->kept = k;
	s->top = t;
	s->of = find_mem_table(n, sizeof(*s->of));
	s->first = calloc(n, sizeof(*s->first));
	s->next = find_mem_table(n, sizeof(*s->next));
	s->plain = malloc((ncache + 1) * sizeof(*s->plain));
	if (s->of != NULL && s->first != NULL && s->next != NULL &&
	    s->plain != NULL) {
		memset(s->of, 0xff, n * sizeof(*s->of));
		memset(s->plain, 0xff, (ncache + 1) * sizeof(*s->plain));
		rc = sites_assign(s);
	}
	if (rc == UMDB_OK) {
		s->above = calloc(t->nsite + 1, sizeof(*s->above));
		rc = s->above != NULL ? tree_walk(s) : UMDB_ENOMEM;
	}
	if (rc == UMDB_OK)
		rc = find_sort(k->g->m.snap->tgt, "ordering sites", t->site,
		    t->nsite, sizeof(*t->site), site_compare);
	free(s->of);
	free(s->first);
	free(s->next);
	free(s->plain);
	free(s->hash);
	free(s->above);
	free(s);
	return rc;
}
