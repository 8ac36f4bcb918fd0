/* SPDX-License-Identifier: MIT */
/*
 * find_leak.c - findleaks: what was not reached, sorted and grouped
 *
 * find_root.c and find_walk.c have marked every candidate.  Here the lost
 * ones become leaks with their sizes, times and stacks, leaks of one kind,
 * cache and stack become a group, and groups are put in the order in which a
 * person wants to read them.
 *
 * Layer: see find.h.
 */
#include <stdlib.h>
#include <time.h>

#include "addrmap.h"
#include "find_mark.h"
#include "find_sort.h"

#define NKINDS 3
#define POLL_EVERY 65536u /* leaks or groups between two polls */

struct collect {
	struct mark *m;
	struct leaks *leaks;
	size_t leakroom, grouproom;
	struct addrmap groups; /* snap_trace_key() -> index */
};

/* True when the user wants to stop; called for each leak or group. */
static bool
order_poll(struct target *tgt, uint64_t i, uint64_t n)
{
	return i % POLL_EVERY == 0 && target_poll(tgt, "ordering leaks", i, n);
}

/* ------------------------------------------------------------------ groups */

static struct leak_group *
group_new(struct collect *c)
{
	struct leaks *l = c->leaks;
	struct leak_group *more;

	if (l->ngroup == c->grouproom) {
		c->grouproom = c->grouproom == 0 ? 256 : c->grouproom * 2;
		more = realloc(l->group, c->grouproom * sizeof(*more));
		if (more == NULL)
			return NULL;
		l->group = more;
	}
	return memset(&l->group[l->ngroup], 0, sizeof(*l->group));
}

/* The group of a record; one without a trace, or with a damaged one, has 0. */
static int
group_of(struct collect *c, enum leak_kind kind, uint32_t cache,
    const umem_bufctl_audit_t *bc, uint32_t *ret)
{
	struct leak_group *g;
	const uint64_t *stack;
	uint32_t depth, trace = bc->bc_trace;
	taddr_t key;

	if (snap_trace_known(c->m->snap, &trace, &stack, &depth) != UMDB_OK)
		return UMDB_ENOMEM;
	key = snap_trace_key(kind, cache, trace);
	*ret = addrmap_get(&c->groups, key);
	if (*ret != ADDRMAP_NONE)
		return UMDB_OK;
	*ret = (uint32_t)c->leaks->ngroup;
	g = group_new(c);
	if (g == NULL || addrmap_put(&c->groups, key, *ret) != UMDB_OK)
		return UMDB_ENOMEM;
	g->kind = kind;
	g->cache = cache;
	g->depth = depth;
	g->stack = stack;
	c->leaks->ngroup++;
	return UMDB_OK;
}

/* ------------------------------------------------------------------- leaks */

static bool
leak_kind_of(uint8_t state, enum leak_kind *ret)
{
	switch (state) {
	case MARK_HEAD:
		*ret = LEAK_DEFINITE;
		return true;
	case MARK_LOST:
		*ret = LEAK_INDIRECT;
		return true;
	case MARK_MAYBE:
		*ret = LEAK_POSSIBLE;
		return true;
	default:
		return false;
	}
}

static int
collect_leak(
    struct collect *c, size_t slab, uint32_t index, enum leak_kind kind)
{
	struct mark *m = c->m;
	const struct snap_slab *s = &m->snap->slab[slab];
	struct leaks *l = c->leaks;
	struct leak *leak, *more;
	umem_bufctl_audit_t bc;
	int rc;

	if (l->nleak == c->leakroom) {
		c->leakroom = c->leakroom == 0 ? 256 : c->leakroom * 2;
		more = realloc(l->leak, c->leakroom * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		l->leak = more;
	}
	if (!find_mark_record(m, s, index, &bc))
		memset(&bc, 0, sizeof(bc));
	leak = &l->leak[l->nleak];
	leak->slab = (uint32_t)slab;
	leak->index = index;
	leak->addr = snap_buf_addr(s, index);
	leak->size = find_mark_size(&m->slab[slab], index);
	leak->timestamp = bc.bc_timestamp;
	leak->thread = bc.bc_thread;
	leak->kind = kind;
	leak->owner = m->owner != NULL ? m->owner[s->buf + index] : 0;
	rc = group_of(c, kind, s->cache, &bc, &leak->group);
	if (rc != UMDB_OK)
		return rc;
	l->group[leak->group].count++;
	l->group[leak->group].bytes += leak->size;
	l->nleak++;
	return UMDB_OK;
}

static int
collect_all(struct collect *c)
{
	struct mark *m = c->m;
	const struct mark_slab *s;
	enum leak_kind kind;
	size_t i;
	uint32_t k;
	int rc = UMDB_OK;

	for (i = 0; i < m->snap->nslab && rc == UMDB_OK; i++) {
		s = &m->slab[i];
		for (k = 0; k < s->nchunk && rc == UMDB_OK; k++)
			if (leak_kind_of(s->state[k], &kind))
				rc = collect_leak(c, i, k, kind);
		if (target_poll(
			m->snap->tgt, "collecting leaks", i, m->snap->nslab))
			return UMDB_EINTR;
	}
	return rc;
}

/* From numbers of heads to groups, and what each group leads to. */
static int
leaks_own(const struct mark *m, struct leaks *l)
{
	uint32_t *group = calloc(m->nhead + 1, sizeof(*group));
	struct target *tgt = m->snap->tgt;
	struct leak_group *g;
	struct leak *leak;
	int rc = UMDB_OK;
	size_t i;

	if (group == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < l->nleak && rc == UMDB_OK; i++) {
		leak = &l->leak[i];
		if (leak->kind == LEAK_DEFINITE && leak->owner <= m->nhead)
			group[leak->owner] = leak->group;
		if (order_poll(tgt, i, l->nleak))
			rc = UMDB_EINTR;
	}
	for (i = 0; i < l->nleak && rc == UMDB_OK; i++) {
		leak = &l->leak[i];
		if (order_poll(tgt, i, l->nleak))
			rc = UMDB_EINTR;
		if (leak->kind != LEAK_INDIRECT || leak->owner > m->nhead) {
			leak->owner = leak->group;
			continue;
		}
		leak->owner = group[leak->owner];
		g = &l->group[leak->owner];
		g->owned_count++;
		g->owned_bytes += leak->size;
	}
	free(group);
	return rc;
}

/* ------------------------------------------------------------------- order */

static int
group_compare(const void *a, const void *b)
{
	static const int rank[NKINDS] = {
	    [LEAK_DEFINITE] = 0,
	    [LEAK_POSSIBLE] = 1,
	    [LEAK_INDIRECT] = 2,
	};
	const struct leak_group *x = a, *y = b;
	const uint64_t all = x->bytes + x->owned_bytes;

	if (x->kind != y->kind)
		return rank[x->kind] - rank[y->kind];
	if (all != y->bytes + y->owned_bytes)
		return all > y->bytes + y->owned_bytes ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

static int
leak_compare(const void *a, const void *b)
{
	const struct leak *x = a, *y = b;

	if (x->timestamp != y->timestamp)
		return x->timestamp < y->timestamp ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Put the members of each group side by side: a counting sort. */
static int
leaks_gather(struct target *tgt, struct leaks *l, const uint32_t *rank)
{
	struct leak *sorted = malloc((l->nleak + 1) * sizeof(*sorted));
	uint64_t *at = calloc(l->ngroup + 1, sizeof(*at)), sum = 0;
	int rc = sorted == NULL || at == NULL ? UMDB_ENOMEM : UMDB_OK;
	uint32_t group;
	size_t i;

	for (i = 0; i < l->ngroup && rc == UMDB_OK; i++) {
		l->group[i].first = at[i] = sum;
		sum += l->group[i].count;
		if (order_poll(tgt, i, l->ngroup))
			rc = UMDB_EINTR;
	}
	for (i = 0; i < l->nleak && rc == UMDB_OK; i++) {
		if (order_poll(tgt, i, l->nleak))
			rc = UMDB_EINTR;
		group = rank[l->leak[i].group];
		sorted[at[group]] = l->leak[i];
		sorted[at[group]].owner = rank[l->leak[i].owner];
		sorted[at[group]++].group = group;
	}
	free(at);
	if (rc != UMDB_OK) {
		free(sorted);
		return rc;
	}
	free(l->leak);
	l->leak = sorted;
	return UMDB_OK;
}

/* Oldest first; the oldest member stands for its group. */
static int
group_sort(struct snap *snap, struct leaks *l, struct leak_group *g)
{
	struct leak *first = &l->leak[g->first];
	int rc = find_sort(snap->tgt, "ordering leaks", first, g->count,
	    sizeof(*first), leak_compare);

	if (rc == UMDB_OK)
		g->bufctl =
		    snap_buf_bufctl(&snap->slab[first->slab], first->index);
	return rc;
}

static int
leaks_order(struct snap *snap, struct leaks *l)
{
	uint32_t *rank = calloc(l->ngroup + 1, sizeof(*rank));
	size_t i;
	int rc;

	if (rank == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < l->ngroup; i++)
		l->group[i].first = i; /* remember the place */
	rc = find_sort(snap->tgt, "ordering leaks", l->group, l->ngroup,
	    sizeof(*l->group), group_compare);
	for (i = 0; i < l->ngroup && rc == UMDB_OK; i++)
		rank[l->group[i].first] = (uint32_t)i;
	if (rc == UMDB_OK)
		rc = leaks_gather(snap->tgt, l, rank);
	free(rank);
	for (i = 0; i < l->ngroup && rc == UMDB_OK; i++) {
		rc = group_sort(snap, l, &l->group[i]);
		if (rc == UMDB_OK && order_poll(snap->tgt, i, l->ngroup))
			rc = UMDB_EINTR;
	}
	return rc;
}

/* --------------------------------------------------------------- the whole */

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int
leaks_make(struct mark *m, struct leaks *l)
{
	struct collect *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return UMDB_ENOMEM;
	c->m = m;
	c->leaks = l;
	rc = collect_all(c);
	if (rc == UMDB_OK)
		rc = leaks_own(m, l);
	if (rc == UMDB_OK)
		rc = leaks_order(m->snap, l);
	addrmap_fini(&c->groups);
	free(c);
	return rc;
}

int
find_leaks(struct snap *snap, struct leaks **ret)
{
	const double start = seconds();
	struct leaks *l = calloc(1, sizeof(*l));
	struct mark m;
	double mark;
	int rc;

	*ret = NULL;
	if (l == NULL)
		return target_fail(snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	rc = find_mark_init(&m, snap);
	mark = seconds();
	if (rc == UMDB_OK)
		rc = find_mark_run(&m);
	mark = seconds() - mark;
	if (rc == UMDB_OK)
		rc = leaks_make(&m, l);
	l->stats = m.stats;
	l->stats.mark_bytes =
	    m.stats.root_bytes + m.stats.heap_words * sizeof(uint64_t);
	l->stats.mark_seconds = mark;
	find_mark_fini(&m);
	l->stats.seconds = seconds() - start;
	if (rc == UMDB_OK) {
		*ret = l;
		return UMDB_OK;
	}
	find_leaks_free(l);
	if (rc == UMDB_ENOMEM)
		return target_fail(snap->tgt, rc, 0, "out of memory");
	if (rc == UMDB_EINTR)
		return target_fail(snap->tgt, rc, 0, "interrupted");
	return rc;
}

void
find_leaks_free(struct leaks *leaks)
{
	if (leaks == NULL)
		return;
	free(leaks->group);
	free(leaks->leak);
	free(leaks);
}
