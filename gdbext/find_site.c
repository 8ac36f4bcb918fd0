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

#include "addrmap.h"
#include "find_sort.h"
#include "find_top.h"

#define NONE UINT32_MAX
#define POLL_EVERY 4096u

struct sites {
	struct kept *kept;
	struct top *top;
	size_t room;            /* for sites */
	uint32_t *of;           /* by place: its site; NONE: no buffer */
	struct addrmap known;   /* trace or cache -> site; snap_trace_key() */
	uint32_t *first, *next; /* the tree of dominators, by place */
	uint32_t *above;        /* by site: how many stand above */
};

/* -------------------------------------------------------------------- stacks */

static struct top_site *
site_new(struct sites *s)
{
	struct top *t = s->top;
	struct top_site *more;

	if (t->nsite == s->room) {
		s->room = s->room == 0 ? 256 : s->room * 2;
		more = realloc(t->site, s->room * sizeof(*more));
		if (more == NULL)
			return NULL;
		t->site = more;
	}
	return memset(&t->site[t->nsite], 0, sizeof(*t->site));
}

static int
site_of(
    struct sites *s, const struct snap_slab *ss, uint32_t index, uint32_t *ret)
{
	const struct mark *m = &s->kept->g->m;
	umem_bufctl_audit_t bc;
	struct top_site *site;
	const uint64_t *stack;
	uint32_t depth, trace = 0;
	taddr_t key;

	if (find_mark_record(m, ss, index, &bc))
		trace = bc.bc_trace;
	if (snap_trace_known(m->snap, &trace, &stack, &depth) != UMDB_OK)
		return UMDB_ENOMEM;
	/* a stack is one site whatever the caches */
	key = snap_trace_key(0, trace != 0 ? 0 : ss->cache, trace);
	*ret = addrmap_get(&s->known, key);
	if (*ret != ADDRMAP_NONE)
		return UMDB_OK;
	*ret = (uint32_t)s->top->nsite;
	site = site_new(s);
	if (site == NULL || addrmap_put(&s->known, key, *ret) != UMDB_OK)
		return UMDB_ENOMEM;
	site->cache = ss->cache;
	site->depth = depth;
	site->stack = stack;
	s->top->nsite++;
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
	struct sites *s = calloc(1, sizeof(*s));
	int rc = UMDB_ENOMEM;

	if (s == NULL)
		return UMDB_ENOMEM;
	s->kept = k;
	s->top = t;
	s->of = find_mem_table(n, sizeof(*s->of));
	s->first = calloc(n, sizeof(*s->first));
	s->next = find_mem_table(n, sizeof(*s->next));
	if (s->of != NULL && s->first != NULL && s->next != NULL) {
		memset(s->of, 0xff, n * sizeof(*s->of));
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
	addrmap_fini(&s->known);
	free(s->above);
	free(s);
	return rc;
}
