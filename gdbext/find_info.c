/* SPDX-License-Identifier: MIT */
/*
 * find_info.c - facts about the library itself
 *
 * Layer: see find_info.h.
 */
#include <stdlib.h>
#include <string.h>

#include "find_info.h"

#define MESSAGES_MAX (1u << 20)

int
find_log(struct snap *snap, unsigned which, struct log_info *ret)
{
	static const char *const name[FIND_LOGS] = {
	    "transaction", "contents", "fail", "slab"};
	const umem_root_t *root = &snap->root;
	const taddr_t addr[FIND_LOGS] = {root->root_log_transaction,
	    root->root_log_contents, root->root_log_fail, root->root_log_slab};
	umem_log_header_t lh;
	uint64_t i;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (which >= FIND_LOGS)
		return target_fail(
		    snap->tgt, UMDB_ENOTFOUND, 0, "there is no such log");
	ret->name = name[which];
	ret->addr = addr[which];
	if (ret->addr == 0)
		return UMDB_OK;
	rc = target_read(snap->tgt, ret->addr, &lh, sizeof(lh), "log header");
	if (rc != UMDB_OK)
		return rc;
	if (lh.lh_nslots > UMEM_LOG_SLOTS_MAX ||
	    __builtin_mul_overflow(lh.lh_chunksize, lh.lh_nchunks, &ret->bytes))
		return target_fail(snap->tgt, UMDB_ECORRUPT, ret->addr,
		    "the header of the %s log is damaged", ret->name);
	for (i = 0; i < lh.lh_nslots; i++)
		ret->written += lh.lh_slot[i].ls_records;
	return UMDB_OK;
}

int
find_messages(struct snap *snap, char **ret)
{
	const umem_root_t *root = &snap->root;
	const uint64_t size = root->root_msg_size;
	uint64_t len, at;
	char *text;
	int rc;

	*ret = NULL;
	if (size > MESSAGES_MAX)
		return target_fail(snap->tgt, UMDB_ECORRUPT, root->root_msg,
		    "the message buffer claims %llu bytes",
		    (unsigned long long)size);
	len = root->root_msg_written < size ? root->root_msg_written : size;
	text = calloc(1, 2 * size + 1);
	if (text == NULL)
		return target_fail(snap->tgt, UMDB_ENOMEM, 0, "out of memory");
	if (len > 0) {
		rc = target_read(snap->tgt, root->root_msg, text + size, size,
		    "message buffer");
		if (rc != UMDB_OK) {
			free(text);
			return rc;
		}
		at = (root->root_msg_written - len) % size;
		memcpy(
		    text, text + size + at, len < size - at ? len : size - at);
		if (len > size - at)
			memcpy(
			    text + (size - at), text + size, len - (size - at));
	}
	text[len] = '\0';
	*ret = text;
	return UMDB_OK;
}

/* Size of the buffers of a bin; 0 when no cache has it. */
static uint64_t
bin_bufsize(const struct snap *snap, uint32_t bin)
{
	uint32_t i;

	for (i = 0; i < snap->ncache; i++)
		if (snap->cache[i].c.cache_bin == bin)
			return snap->cache[i].c.cache_bufsize;
	return 0;
}

int
find_tcache_use(struct snap *snap, taddr_t tcache, struct tcache_use *ret)
{
	umem_tcache_t tc;
	umem_magazine_t mag;
	uint64_t n;
	uint32_t bin;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = target_read(snap->tgt, tcache, &tc, sizeof(tc), "thread cache");
	if (rc != UMDB_OK)
		return rc;
	for (bin = 1; bin < UMEM_TC_BINS; bin++) {
		const umem_tcbin_t *b = &tc.tc_bin[bin];

		n = (b->tb_top - b->tb_base) / sizeof(uint64_t);
		if (b->tb_base == 0 || b->tb_top < b->tb_base ||
		    n > UMEM_MAX_ROUNDS)
			n = 0;
		if (b->tb_prev != 0 &&
		    target_read(snap->tgt, b->tb_prev, &mag, sizeof(mag),
			"magazine") == UMDB_OK &&
		    mag.mag_rounds <= UMEM_MAX_ROUNDS)
			n += mag.mag_rounds;
		ret->buffers += n;
		ret->bytes += n * (n > 0 ? bin_bufsize(snap, bin) : 0);
	}
	return UMDB_OK;
}

const char *
find_abort_name(uint64_t error)
{
	static const char *const name[UMEM_ERR_COUNT] = {
	    [UMEM_ERR_MODIFIED] = "modified after free",
	    [UMEM_ERR_REDZONE] = "written past its end",
	    [UMEM_ERR_DUPFREE] = "freed twice",
	    [UMEM_ERR_BADADDR] = "free of an address that is not ours",
	    [UMEM_ERR_BADBUFTAG] = "tag behind the buffer damaged",
	    [UMEM_ERR_BADBUFCTL] = "bufctl damaged",
	    [UMEM_ERR_BADCACHE] = "freed to another cache",
	    [UMEM_ERR_BADSIZE] = "freed with another size",
	    [UMEM_ERR_BADBASE] = "free of an address inside a buffer",
	    [UMEM_ERR_UNDERRUN] = "written before its start",
	    [UMEM_ERR_NOMEM] = "out of memory",
	    [UMEM_ERR_SIGNAL] = "called from a signal handler",
	};

	return error < UMEM_ERR_COUNT ? name[error] : "unknown fault";
}
