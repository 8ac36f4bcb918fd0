/* SPDX-License-Identifier: MIT */
/*
 * target_call.c - memory through a debugger's callback
 *
 * For gdbserver, rr and whatever else the direct paths cannot serve, and for
 * file-backed memory that is not in a core.  A call may cost milliseconds,
 * so pages are cached and sequential reads fetched ahead.
 *
 * Layer: above target_cache.h.
 */
#include <stdlib.h>
#include <time.h>

#include "target_cache.h"

struct call {
	struct target *tgt;
	struct target_callbacks cb;
	struct target_cache *cache;
};

/* The debugger answers all or nothing. */
static size_t
call_source(void *arg, taddr_t addr, void *buf, size_t len)
{
	struct call *call = arg;
	struct timespec from, to;
	int ok = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	call->cb.read(call->cb.arg, addr, buf, len, &ok);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (ok != 1)
		return 0;
	call->tgt->slow_bytes += len;
	call->tgt->slow_ns +=
	    (uint64_t)((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec -
		       from.tv_nsec);
	return len;
}

static int
call_read(struct target *tgt, taddr_t addr, void *buf, size_t len)
{
	struct call *call = tgt->priv;

	return target_cache_read(call->cache, addr, buf, len);
}

static void
call_invalidate(struct target *tgt)
{
	struct call *call = tgt->priv;

	target_cache_drop(call->cache);
}

static void
call_close(struct target *tgt)
{
	struct call *call = tgt->priv;

	target_cache_destroy(call->cache);
	free(call);
}

static const struct target_ops call_ops = {
    .name = "debugger",
    .read = call_read,
    .invalidate = call_invalidate,
    .close = call_close,
};

struct target *
target_open_callbacks(const struct target_callbacks *cb, struct umdb_error *err)
{
	struct call *call = calloc(1, sizeof(*call));
	struct target *tgt = NULL;

	if (call != NULL) {
		call->cb = *cb;
		call->cache = target_cache_create(call_source, call, true);
		if (call->cache != NULL)
			tgt = target_create(&call_ops, call);
	}
	if (tgt == NULL) {
		if (call != NULL)
			target_cache_destroy(call->cache);
		free(call);
		error_set(err, UMDB_ENOMEM, 0, "no memory for a target");
		return NULL;
	}
	call->tgt = tgt;
	tgt->slow = true;
	return tgt;
}
