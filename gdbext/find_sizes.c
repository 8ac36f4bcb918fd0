/* SPDX-License-Identifier: MIT */
/*
 * find_sizes.c - how large the buffers are that malloc and umem_alloc gave
 *
 * Few sizes are common, and those are small: the small ones are counted in an
 * array, the others listed and sorted.
 *
 * Layer: see find_sizes.h.
 */
#include <stdlib.h>
#include <string.h>

#include "find_sizes.h"

#define SMALL (128u * 1024u) /* sizes up to here are counted in an array */
#define WORD_BITS 64u
#define BINS_MAX (1u << 20)

struct tally {
	const struct snap_cache *cache;
	struct sizes *ret;
	uint64_t *small;
	uint64_t *large;
	size_t nlarge, room;
};

bool
find_sizes_known(const struct snap_cache *c)
{
	return (c->c.cache_flags & (UMF_AUDIT | UMF_BUFTAG | UMF_LARGE)) != 0;
}

/* ---------------------------------------------------------------- counting */

/* What a buffer takes, with its share of a slab's structures. */
static uint64_t
buffer_held(const struct snap_cache *c, const struct snap_slab *s)
{
	const uint64_t n = s->nchunk != 0 ? s->nchunk : 1;
	const uint64_t map = (n + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);

	return (s->size + sizeof(umem_slab_t) + map) / n +
	       c->c.cache_bufctl_size;
}

static int
tally_large(struct tally *t, uint64_t size)
{
	uint64_t *more;

	if (t->nlarge == t->room) {
		t->room = t->room == 0 ? 1024 : t->room * 2;
		more = realloc(t->large, t->room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		t->large = more;
	}
	t->large[t->nlarge++] = size;
	return UMDB_OK;
}

static int
tally_buffer(struct snap *snap, const struct snap_slab *s, uint32_t index,
    enum buf_state state, void *arg)
{
	struct tally *t = arg;
	const struct snap_cache *c = &snap->cache[s->cache];
	uint64_t size;

	(void)state;
	if (t->cache == NULL && (c->c.cache_flags & UMF_MALLOC) == 0)
		return WALK_NEXT;
	size = snap_buf_size(snap, s, index);
	t->ret->count++;
	t->ret->bytes += size;
	t->ret->held += buffer_held(c, s);
	t->ret->unrecorded += !find_sizes_known(c);
	if (size <= SMALL)
		t->small[size]++;
	else if (tally_large(t, size) != UMDB_OK)
		return target_fail(snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	return WALK_NEXT;
}

static int
size_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
sizes_add(struct sizes *s, uint64_t size, uint64_t count)
{
	if (s->nsize > 0 && s->size[s->nsize - 1].size == size) {
		s->size[s->nsize - 1].count += count;
		return;
	}
	s->size[s->nsize].size = size;
	s->size[s->nsize++].count = count;
}

/* From the array and the list to one list. */
static int
tally_list(struct tally *t)
{
	size_t n = t->nlarge, i;

	for (i = 0; i <= SMALL; i++)
		n += t->small[i] != 0;
	t->ret->size = calloc(n + 1, sizeof(*t->ret->size));
	if (t->ret->size == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i <= SMALL; i++)
		if (t->small[i] != 0)
			sizes_add(t->ret, i, t->small[i]);
	if (t->nlarge > 1)
		qsort(t->large, t->nlarge, sizeof(*t->large), size_compare);
	for (i = 0; i < t->nlarge; i++)
		sizes_add(t->ret, t->large[i], 1);
	return UMDB_OK;
}

int
find_sizes(struct snap *snap, const struct snap_cache *cache, struct sizes *ret)
{
	struct tally t = {.cache = cache, .ret = ret};
	int rc = UMDB_ENOMEM;

	memset(ret, 0, sizeof(*ret));
	t.small = calloc(SMALL + 1, sizeof(*t.small));
	if (t.small != NULL)
		rc = walk_buffers(
		    snap, cache, 1u << BUF_ALLOCATED, tally_buffer, &t);
	if (rc == UMDB_OK)
		rc = tally_list(&t);
	free(t.small);
	free(t.large);
	if (rc == UMDB_ENOMEM)
		rc = target_fail(snap->tgt, rc, 0, "out of memory");
	if (rc != UMDB_OK)
		find_sizes_fini(ret);
	return rc;
}

void
find_sizes_fini(struct sizes *s)
{
	free(s->size);
	memset(s, 0, sizeof(*s));
}

/* -------------------------------------------------------------------- bins */

/* The last size of the bin that starts at low. */
static uint64_t
bin_high(const struct size_bins *b, uint64_t low, uint64_t step)
{
	uint64_t high = low;

	if (!b->geometric)
		high = low > UINT64_MAX - (step - 1) ? UINT64_MAX
						     : low + (step - 1);
	else if (low > 0)
		high = low | UINT64_MAX >> __builtin_clzll(low);
	/* a bin of several powers of two, or one that has to be wider */
	while (b->geometric && high < b->high &&
	       (step > 1 || high - low + 1 < b->width)) {
		step -= step > 1;
		high = high << 1 | 1;
	}
	return high < b->high ? high : b->high;
}

static uint64_t
bins_count(const struct size_bins *b, uint64_t step)
{
	uint64_t n = 0, low = b->low;

	for (;; low++) {
		low = bin_high(b, low, step);
		if (++n == BINS_MAX || low >= b->high)
			return n;
	}
}

/* Sizes of a bin (of one width), or powers of two in it. */
static uint64_t
bins_step(const struct size_bins *b)
{
	const uint64_t range = b->high - b->low;
	uint64_t step = 1;

	if (!b->geometric) {
		if (b->most != 0)
			step = range / b->most + 1;
		if (step < b->width)
			step = b->width;
		if (step <= range / BINS_MAX)
			step = range / BINS_MAX + 1;
		return step;
	}
	while (
	    b->most != 0 && step < WORD_BITS && bins_count(b, step) > b->most)
		step++;
	return step;
}

int
find_size_bins(const struct sizes *s, struct size_bins *b)
{
	const uint64_t step = bins_step(b);
	const uint64_t n = bins_count(b, step);
	uint64_t low = b->low;
	size_t i = 0;

	b->nbin = 0;
	b->bin = calloc(n, sizeof(*b->bin));
	if (b->bin == NULL)
		return UMDB_ENOMEM;
	while (i < s->nsize && s->size[i].size < b->low)
		i++;
	for (; b->nbin < n; low++) {
		struct size_bin *bin = &b->bin[b->nbin++];

		bin->low = low;
		bin->high = low = bin_high(b, low, step);
		for (; i < s->nsize && s->size[i].size <= bin->high; i++)
			bin->count += s->size[i].count;
	}
	return UMDB_OK;
}
