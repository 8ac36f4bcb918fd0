/* SPDX-License-Identifier: MIT */
/*
 * target.c - what all targets have in common
 *
 * Reading with a message, strings, the table of mappings and threads.  A
 * table is one allocation, names included, so that closing is simple.
 *
 * Layer: above error.h.
 */
#include "target.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_INTERVAL_NS 40000000u /* the contract says 50 ms */
#define STRING_PIECE 64u           /* divides a page, so never crosses one */
#define PLAN_LONG 2.0              /* seconds that are worth telling */

const char *const target_regname[TARGET_NREGS] = {
    "rax",
    "rbx",
    "rcx",
    "rdx",
    "rsi",
    "rdi",
    "rbp",
    "rsp",
    "r8",
    "r9",
    "r10",
    "r11",
    "r12",
    "r13",
    "r14",
    "r15",
    "rip",
    "fs_base",
};

struct target *
target_create(const struct target_ops *ops, void *priv)
{
	struct target *tgt = calloc(1, sizeof(*tgt));

	if (tgt == NULL)
		return NULL;
	tgt->ops = ops;
	tgt->priv = priv;
	return tgt;
}

void
target_close(struct target *tgt)
{
	if (tgt == NULL)
		return;
	if (tgt->ops->close != NULL)
		tgt->ops->close(tgt);
	free(tgt->region);
	free(tgt->thread);
	free(tgt);
}

void
target_invalidate(struct target *tgt)
{
	if (tgt->ops->invalidate != NULL)
		tgt->ops->invalidate(tgt);
}

int
target_fail(struct target *tgt, int code, taddr_t addr, const char *fmt, ...)
{
	va_list ap;

	tgt->err.code = code;
	tgt->err.addr = addr;
	va_start(ap, fmt);
	vsnprintf(tgt->err.msg, sizeof(tgt->err.msg), fmt, ap);
	va_end(ap);
	return code;
}

int
target_read(
    struct target *tgt, taddr_t addr, void *buf, size_t len, const char *what)
{
	tgt->why = NULL;
	if (len == 0)
		return UMDB_OK;
	if (len - 1 <= UINT64_MAX - addr &&
	    tgt->ops->read(tgt, addr, buf, len) == UMDB_OK)
		return UMDB_OK;
	return target_fail(tgt, UMDB_EFAULT, addr,
	    "cannot read %s at %#" PRIx64 "%s%s", what, addr,
	    tgt->why != NULL ? ": " : "", tgt->why != NULL ? tgt->why : "");
}

const void *
target_map(struct target *tgt, taddr_t addr, size_t *avail)
{
	*avail = 0;
	if (tgt->ops->map == NULL)
		return NULL;
	return tgt->ops->map(tgt, addr, avail);
}

int
target_string(
    struct target *tgt, taddr_t addr, char *buf, size_t size, const char *what)
{
	size_t done = 0, piece;
	int rc;

	if (size == 0)
		return UMDB_OK;
	memset(buf, 0, size);
	while (done < size - 1) {
		piece = STRING_PIECE - (addr + done) % STRING_PIECE;
		if (piece > size - 1 - done)
			piece = size - 1 - done;
		rc = target_read(tgt, addr + done, buf + done, piece, what);
		if (rc != UMDB_OK) {
			buf[done] = '\0';
			return rc;
		}
		if (memchr(buf + done, '\0', piece) != NULL)
			return UMDB_OK;
		done += piece;
	}
	return UMDB_OK;
}

const struct target_region *
target_region_at(const struct target *tgt, taddr_t addr)
{
	size_t lo = 0, hi = tgt->nregion;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (tgt->region[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == tgt->nregion || tgt->region[lo].start > addr)
		return NULL;
	return &tgt->region[lo];
}

void
target_plan(struct target *tgt, uint64_t bytes)
{
	if (!tgt->slow)
		return;
	tgt->plan = bytes;
	tgt->rate_before = target_rate(tgt);
	tgt->slow_bytes = tgt->slow_ns = 0;
}

void
target_plan_tell(struct target *tgt)
{
	const double rate = target_rate(tgt);

	if (tgt->tell != NULL && rate > 0 &&
	    (double)tgt->plan / rate >= PLAN_LONG)
		tgt->tell(tgt->poll_arg, tgt->plan, rate);
}

void
target_plan_more(struct target *tgt, uint64_t bytes)
{
	if (tgt->plan != 0)
		tgt->plan += bytes;
}

void
target_plan_end(struct target *tgt)
{
	tgt->plan = 0;
}

static bool
poll_in(struct target *tgt, bool bytes, const char *what, uint64_t done,
    uint64_t total)
{
	struct timespec ts;
	uint64_t now;

	if (tgt->stopped || tgt->poll == NULL)
		return tgt->stopped;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	if (now - tgt->polled < POLL_INTERVAL_NS)
		return false;
	tgt->polled = now;
	if (tgt->plan != 0) {
		bytes = true;
		done = tgt->slow_bytes;
		total = tgt->plan;
	}
	tgt->in_bytes = bytes;
	tgt->stopped = tgt->poll(tgt->poll_arg, what, done, total);
	return tgt->stopped;
}

bool
target_poll(struct target *tgt, const char *what, uint64_t done, uint64_t total)
{
	return poll_in(tgt, false, what, done, total);
}

bool
target_poll_bytes(
    struct target *tgt, const char *what, uint64_t done, uint64_t total)
{
	return poll_in(tgt, true, what, done, total);
}

static int
region_compare(const void *a, const void *b)
{
	const struct target_region *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* Cut or drop what overlaps, in place; returns how many are left. */
static size_t
region_settle(struct target_region *r, size_t n)
{
	taddr_t end = 0;
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (r[i].start < end)
			r[i].start = end;
		if (r[i].start >= r[i].end)
			continue;
		end = r[i].end;
		r[kept++] = r[i];
	}
	return kept;
}

/* Copy the names behind the table; equal neighbours share one. */
static void
region_copy_names(struct target_region *r, size_t n, char *names)
{
	const char *last_from = NULL, *last_to = "";
	size_t i, len;

	for (i = 0; i < n; i++) {
		if (r[i].name == NULL || r[i].name[0] == '\0') {
			r[i].name = "";
			continue;
		}
		if (r[i].name != last_from) {
			last_from = r[i].name;
			len = strlen(last_from) + 1;
			memcpy(names, last_from, len);
			last_to = names;
			names += len;
		}
		r[i].name = last_to;
	}
}

int
target_set_regions(
    struct target *tgt, const struct target_region *region, size_t n)
{
	struct target_region *copy;
	size_t bytes, total, i;

	if (__builtin_mul_overflow(n, sizeof(*copy), &bytes))
		return target_fail(tgt, UMDB_ENOMEM, 0, "too many mappings");
	total = bytes;
	for (i = 0; i < n; i++)
		if (region[i].name != NULL)
			total += strlen(region[i].name) + 1;
	copy = malloc(total + 1);
	if (copy == NULL)
		return target_fail(
		    tgt, UMDB_ENOMEM, 0, "no memory for %zu mappings", n);
	if (n != 0)
		memcpy(copy, region, bytes);
	qsort(copy, n, sizeof(*copy), region_compare);
	n = region_settle(copy, n);
	region_copy_names(copy, n, (char *)copy + bytes);

	free(tgt->region);
	tgt->region = copy;
	tgt->nregion = n;
	return UMDB_OK;
}

int
target_set_threads(
    struct target *tgt, const struct target_thread *thread, size_t n)
{
	struct target_thread *copy = calloc(n + 1, sizeof(*copy));

	if (copy == NULL)
		return target_fail(
		    tgt, UMDB_ENOMEM, 0, "no memory for %zu threads", n);
	if (n != 0)
		memcpy(copy, thread, n * sizeof(*copy));
	free(tgt->thread);
	tgt->thread = copy;
	tgt->nthread = n;
	return UMDB_OK;
}
