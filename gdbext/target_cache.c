/* SPDX-License-Identifier: MIT */
/*
 * target_cache.c - pages of a target that is expensive to ask
 *
 * A four-way cache: the set is chosen by the page number, the oldest page of
 * a set makes room.
 *
 * Layer: above target.h.
 */
#include "target_cache.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_SETS 1024u /* times 4 pages: 16 MiB */
#define CACHE_WAYS 4u
#define RUN_PAGES (TARGET_CACHE_RUN / TARGET_CACHE_PAGE)

struct cache_tag {
	uint64_t page; /* page number + 1; 0: empty */
	uint64_t used; /* clock at the last use */
};

struct target_cache {
	target_source_fn *source;
	void *arg;
	bool grow;
	uint64_t clock;
	uint64_t next;  /* page after the last run fetched */
	uint64_t pages; /* length of that run */
	unsigned char *run;
	unsigned char *data; /* of all ways of all sets */
	struct cache_tag tag[CACHE_SETS * CACHE_WAYS];
};

struct target_cache *
target_cache_create(target_source_fn *source, void *arg, bool grow)
{
	struct target_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->source = source;
	c->arg = arg;
	c->grow = grow;
	c->run = malloc(TARGET_CACHE_RUN);
	c->data = malloc((size_t)CACHE_SETS * CACHE_WAYS * TARGET_CACHE_PAGE);
	if (c->run == NULL || c->data == NULL) {
		target_cache_destroy(c);
		return NULL;
	}
	return c;
}

void
target_cache_destroy(struct target_cache *c)
{
	if (c == NULL)
		return;
	free(c->run);
	free(c->data);
	free(c);
}

void
target_cache_drop(struct target_cache *c)
{
	memset(c->tag, 0, sizeof(c->tag));
	c->next = 0;
	c->pages = 0;
}

static struct cache_tag *
cache_set(struct target_cache *c, uint64_t page)
{
	return &c->tag[(page ^ page >> 18) % CACHE_SETS * CACHE_WAYS];
}

static unsigned char *
cache_data(struct target_cache *c, const struct cache_tag *tag)
{
	return c->data + (size_t)(tag - c->tag) * TARGET_CACHE_PAGE;
}

static const unsigned char *
cache_find(struct target_cache *c, uint64_t page)
{
	struct cache_tag *set = cache_set(c, page);
	size_t i;

	for (i = 0; i < CACHE_WAYS; i++) {
		if (set[i].page == page + 1) {
			set[i].used = ++c->clock;
			return cache_data(c, &set[i]);
		}
	}
	return NULL;
}

static void
cache_insert(struct target_cache *c, uint64_t page, const void *data)
{
	struct cache_tag *set = cache_set(c, page), *victim = set;
	size_t i;

	for (i = 0; i < CACHE_WAYS; i++) {
		if (set[i].page == page + 1) {
			victim = &set[i];
			break;
		}
		if (set[i].used < victim->used)
			victim = &set[i];
	}
	victim->page = page + 1;
	victim->used = ++c->clock;
	memcpy(cache_data(c, victim), data, TARGET_CACHE_PAGE);
}

/* Fetch [first, first + n) pages; returns how many came whole. */
static uint64_t
cache_fetch(struct target_cache *c, uint64_t first, uint64_t n)
{
	uint64_t got, i;

	got = c->source(c->arg, first * TARGET_CACHE_PAGE, c->run,
	    (size_t)n * TARGET_CACHE_PAGE);
	got /= TARGET_CACHE_PAGE;
	if (got > n)
		got = n;
	for (i = 0; i < got; i++)
		cache_insert(c, first + i, c->run + i * TARGET_CACHE_PAGE);
	return got;
}

/*
 * Bring in a page with its neighbours: those of its aligned run, or, while
 * growing, those that follow: as many as are @wanted, or while the reads are
 * sequential twice as many as last time.
 */
static const unsigned char *
cache_miss(struct target_cache *c, uint64_t page, uint64_t wanted)
{
	uint64_t first = page, n;

	if (!c->grow) {
		first = page - page % RUN_PAGES;
		n = RUN_PAGES;
	} else if (page == c->next && c->pages != 0) {
		n = c->pages * 2 > wanted ? c->pages * 2 : wanted;
	} else {
		n = wanted;
	}
	if (n > RUN_PAGES)
		n = RUN_PAGES;
	if (n > (UINT64_MAX / TARGET_CACHE_PAGE) - first)
		n = 1;
	if (first + cache_fetch(c, first, n) <= page) {
		n = first == page ? 1 : first + n - page;
		if (cache_fetch(c, page, n) == 0 &&
		    (n == 1 || cache_fetch(c, page, 1) == 0))
			return NULL;
	}
	c->next = page + n;
	c->pages = n;
	return cache_find(c, page);
}

int
target_cache_read(struct target_cache *c, taddr_t addr, void *buf, size_t len)
{
	unsigned char *to = buf;
	size_t n;

	if (len >= TARGET_CACHE_BIG)
		return c->source(c->arg, addr, buf, len) == len ? UMDB_OK
								: UMDB_EFAULT;
	for (; len > 0; len -= n, addr += n, to += n) {
		uint64_t page = addr / TARGET_CACHE_PAGE;
		size_t offset = addr % TARGET_CACHE_PAGE;
		const unsigned char *data = cache_find(c, page);

		n = TARGET_CACHE_PAGE - offset;
		if (n > len)
			n = len;
		if (data == NULL)
			data = cache_miss(c, page,
			    (offset + len + TARGET_CACHE_PAGE - 1) /
				TARGET_CACHE_PAGE);
		if (data != NULL)
			memcpy(to, data + offset, n);
		else if (c->source(c->arg, addr, to, n) != n)
			return UMDB_EFAULT;
	}
	return UMDB_OK;
}
