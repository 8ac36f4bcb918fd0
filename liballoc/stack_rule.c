/* SPDX-License-Identifier: MIT */
/*
 * stack_rule.c - the table of unwind rules; see stack_rule.h
 *
 * Layer: stack_rule.h
 */
#include "stack_rule.h"

#include <stddef.h>

#include "meta.h"
#include "os.h"
#include "umem_layout.h"

struct rule_slot *rule_table;
uint32_t rule_epoch;

int
rule_init(void)
{
	const size_t size = sizeof(struct rule_slot) << RULE_TABLE_BITS;

	if (rule_table != NULL)
		return 0;
	rule_table = os_map(size, UMEM_PAGE_SIZE);
	if (rule_table == NULL)
		return -1;
	(void)region_add(rule_table, size, UMEM_RG_META);
	return 0;
}

void
rule_flush(void)
{
	(void)__atomic_add_fetch(&rule_epoch, 1, __ATOMIC_RELEASE);
}

/* slot_is_stale - empty, or of an epoch before @epoch */
static int
slot_is_stale(const struct rule_slot *slot, uint32_t epoch)
{
	const uint64_t tag = rule_tag(rule_hash(slot->key), epoch);

	return slot->key == 0 || (slot->rule ^ tag) >> RULE_TAG_SHIFT != 0;
}

void
rule_put(uint64_t key, uint64_t rule, uint32_t epoch)
{
	const uint64_t hash = rule_hash(key);
	const uint64_t first = hash >> (64 - RULE_TABLE_BITS);
	const uint64_t mask = (1u << RULE_TABLE_BITS) - 1;
	/* When all are taken one of them goes, any of them. */
	struct rule_slot *slot =
	    &rule_table[(first + hash % RULE_PROBES) & mask];
	int n;

	for (n = 0; n < RULE_PROBES; n++) {
		struct rule_slot *s = &rule_table[(first + (uint64_t)n) & mask];

		if (s->key == key || slot_is_stale(s, epoch)) {
			slot = s;
			break;
		}
	}
	rule = (rule & (((uint64_t)1 << RULE_TAG_SHIFT) - 1)) |
	       rule_tag(hash, epoch);
	__atomic_store_n(&slot->rule, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->key, key, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->rule, rule, __ATOMIC_RELEASE);
}
