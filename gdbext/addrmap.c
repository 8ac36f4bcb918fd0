/* SPDX-License-Identifier: MIT */
/*
 * addrmap.c - open addressing with linear probing, at most half full
 *
 * Layer: above error.h.
 */
#include "addrmap.h"

#include <stdlib.h>
#include <string.h>

static size_t
addrmap_hash(taddr_t addr)
{
	return (size_t)((addr >> 3) * 0x9e3779b97f4a7c15u >> 20);
}

static struct addrmap_slot *
addrmap_slot(const struct addrmap *m, taddr_t addr)
{
	size_t i = addrmap_hash(addr);

	for (;; i++) {
		struct addrmap_slot *s = &m->slot[i & (m->size - 1)];

		if (s->addr == addr || s->addr == 0)
			return s;
	}
}

static int
addrmap_grow(struct addrmap *m)
{
	struct addrmap more = {.size = m->size == 0 ? 64 : m->size * 2};
	size_t i;

	more.slot = calloc(more.size, sizeof(*more.slot));
	if (more.slot == NULL)
		return UMDB_ENOMEM;
	more.used = m->used;
	for (i = 0; i < m->size; i++)
		if (m->slot[i].addr != 0)
			*addrmap_slot(&more, m->slot[i].addr) = m->slot[i];
	free(m->slot);
	*m = more;
	return UMDB_OK;
}

int
addrmap_put(struct addrmap *m, taddr_t addr, uint32_t value)
{
	struct addrmap_slot *s;

	if (addr == 0)
		return UMDB_OK;
	if (m->used >= m->size / 2 && addrmap_grow(m) != UMDB_OK)
		return UMDB_ENOMEM;
	s = addrmap_slot(m, addr);
	if (s->addr == 0)
		m->used++;
	s->addr = addr;
	s->value = value;
	return UMDB_OK;
}

uint32_t
addrmap_get(const struct addrmap *m, taddr_t addr)
{
	const struct addrmap_slot *s;

	if (m->size == 0 || addr == 0)
		return ADDRMAP_NONE;
	s = addrmap_slot(m, addr);
	return s->addr == 0 ? ADDRMAP_NONE : s->value;
}

void
addrmap_fini(struct addrmap *m)
{
	free(m->slot);
	memset(m, 0, sizeof(*m));
}
