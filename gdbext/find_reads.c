/* SPDX-License-Identifier: MIT */
/*
 * find_reads.c - how much of a target marking will read
 *
 * What it reads of a target that lends nothing, phase by phase:
 *
 *	looking for coroutines		where they are likely
 *	looking for saved registers	data of objects; the stacks again,
 *					which the target's cache still has
 *	reading buffers			the slabs
 *	searching memory		the other roots
 *
 * Small things, and what reads find in the cache, make no difference.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"
#include "find_users.h"

#define CACHED (8u << 20) /* that much data is still there the second time */

/* Blocks that are read to learn the rate, if that is little of the whole. */
#define PROBES 8u
#define PROBE_SIZE 65536u
#define PROBE_LEAST (8u * PROBES * PROBE_SIZE)

static int
add_all(struct ranges *to, const struct ranges *l)
{
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < l->n && rc == UMDB_OK; i++)
		rc = ranges_add(to, l->r[i].start, l->r[i].end);
	return rc;
}

static int
add_data(struct ranges *to, const struct target *tgt)
{
	const size_t n = to->n;
	uint64_t bytes = 0;
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < tgt->nregion && rc == UMDB_OK; i++) {
		if (!find_saved_is_data(tgt, i))
			continue;
		bytes += tgt->region[i].end - tgt->region[i].start;
		rc = ranges_add(to, tgt->region[i].start, tgt->region[i].end);
	}
	if (bytes <= CACHED)
		to->n = n;
	return rc;
}

static int
add_slabs(struct ranges *to, const struct snap *snap)
{
	const struct snap_slab *s;
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < snap->nslab && rc == UMDB_OK; i++) {
		s = &snap->slab[i];
		if (s->cache < snap->ncache &&
		    find_cache_is_clients(&snap->cache[s->cache]))
			rc = ranges_add(to, s->base, s->base + s->size);
	}
	return rc;
}

/* Some memory is sent faster than other (zeros): read blocks here and there. */
static void
probe(struct target *tgt, const struct ranges *l, uint64_t bytes)
{
	uint8_t *buf = malloc(PROBE_SIZE);
	uint64_t at = 0, next = bytes / PROBES / 2, len;
	size_t i = 0;

	while (buf != NULL && i < l->n) {
		len = l->r[i].end - l->r[i].start;
		if (next >= at + len) {
			at += len;
			i++;
			continue;
		}
		len -= next - at;
		if (len > PROBE_SIZE)
			len = PROBE_SIZE;
		(void)target_read(
		    tgt, l->r[i].start + (next - at), buf, len, "memory");
		next += bytes / PROBES;
	}
	free(buf);
}

static uint64_t
sum(const struct ranges *l)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < l->n; i++)
		bytes += l->r[i].end - l->r[i].start;
	return bytes;
}

int
find_reads_plan(struct snap *snap)
{
	struct ranges all = {0};
	struct roots roots = {0};
	uint64_t bytes;
	int rc;

	if (!snap->tgt->slow)
		return UMDB_OK;
	rc = find_context_places(snap, &all);
	if (rc == UMDB_OK)
		rc = add_data(&all, snap->tgt);
	if (rc == UMDB_OK)
		rc = add_slabs(&all, snap);
	if (rc == UMDB_OK)
		rc = find_root_memory(snap, &roots);
	if (rc == UMDB_OK)
		rc = add_all(&all, &roots.memory);
	bytes = sum(&all);
	target_plan(snap->tgt, bytes);
	if (rc == UMDB_OK && bytes >= PROBE_LEAST) {
		probe(snap->tgt, &all, bytes);
		target_plan_tell(snap->tgt);
	}
	free(all.r);
	find_roots_free(&roots);
	return rc;
}

void
find_reads_again(struct target *tgt)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < tgt->nregion; i++)
		if (tgt->region[i].writable && tgt->region[i].dumped)
			bytes += tgt->region[i].end - tgt->region[i].start;
	target_plan_more(tgt, bytes);
}
