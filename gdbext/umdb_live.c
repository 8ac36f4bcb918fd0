/* SPDX-License-Identifier: MIT */
/*
 * umdb_live.c - a session between commands, and with a process that runs
 *
 * What an address is can be asked by the condition of a breakpoint: nothing
 * that was read before is believed, and no snapshot is made.
 *
 * Layer: see umdb.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "setting.h"
#include "snap_watch.h"
#include "umdb_impl.h"

/* ------------------------------------------------------ to the debugger */

static int
call_poke(void *arg, taddr_t addr, const void *buf, size_t len)
{
	struct umdb *u = arg;
	int ok = 0;

	u->cb.poke(u->cb.arg, addr, buf, len, &ok);
	return ok == 1 ? UMDB_OK
		       : error_set(&u->err, UMDB_EFAULT, addr,
			     "memory of the process at %#" PRIx64
			     " cannot be written",
			     addr);
}

static int
call_stop_at(
    void *arg, taddr_t addr, const char *condition, int entry, int *number_ret)
{
	struct umdb *u = arg;
	int32_t number = 0;
	int ok = 0;

	u->cb.stop_at(u->cb.arg, addr, condition, entry, &number, &ok);
	*number_ret = number;
	return ok == 1 ? UMDB_OK : UMDB_ETARGET;
}

static int
call_forget(void *arg, int *count_ret)
{
	struct umdb *u = arg;
	int32_t count = 0;
	int ok = 0;

	u->cb.forget(u->cb.arg, &count, &ok);
	*count_ret = count;
	return ok == 1 ? UMDB_OK : UMDB_ETARGET;
}

const struct dcmd_live *
umdb_live(struct umdb *u, struct dcmd_live *live)
{
	if (u->core != NULL || u->cb.poke == NULL)
		return NULL;
	live->arg = u;
	live->native = u->pid != 0;
	live->poke = call_poke;
	live->stop_at = call_stop_at;
	live->forget = call_forget;
	return live;
}

/* -------------------------------------------------------------- one address */

static int
fresh_read(struct target *tgt, taddr_t addr, void *buf, size_t len)
{
	struct umdb *u = tgt->priv;
	int ok = 0;

	u->cb.read(u->cb.arg, addr, buf, len, &ok);
	return ok == 1 ? UMDB_OK : UMDB_EFAULT;
}

/* What is read from where the process may have run since the last question. */
static struct target *
fresh_target(struct umdb *u)
{
	static const struct target_ops ops = {
	    .name = "debugger", .read = fresh_read};

	if (u->core != NULL) {
		if (u->tgt != NULL && target_core_changed(u->tgt))
			umdb_drop_targets(u);
		if (u->tgt == NULL)
			(void)umdb_open_targets(u);
		return u->tgt;
	}
	if (u->fresh == NULL)
		u->fresh = target_create(&ops, u);
	return u->fresh;
}

/* Look for the root where it has never been. */
static int
find_root(struct umdb *u)
{
	int rc = UMDB_OK;

	if (u->tgt == NULL)
		rc = umdb_open_targets(u);
	if (rc == UMDB_OK)
		rc = umdb_tell(u, u->tgt);
	if (rc == UMDB_OK)
		u->root = snap_find_root(u->tgt);
	return rc == UMDB_OK && u->root != 0 ? UMDB_OK : UMDB_ETARGET;
}

EXPORT int
umdb_buffer(struct umdb *u, uint64_t addr, int state, struct umdb_buffer *ret)
{
	static const char *const name[] = {
	    [BUF_FREE_SLAB] = "free",
	    [BUF_FREE_DEPOT] = "depot",
	    [BUF_FREE_THREAD] = "thread cache",
	    [BUF_ALLOCATED] = "allocated",
	};
	struct target *tgt;
	int rc = UMDB_ETARGET;

	memset(ret, 0, sizeof(*ret));
	ret->cache = "";
	ret->state = "not umem";
	umdb_enter(u);
	tgt = fresh_target(u);
	if (tgt != NULL && u->root != 0)
		rc = snap_point(tgt, u->root, addr, state != 0, &u->point);
	if (tgt != NULL && rc == UMDB_ETARGET && find_root(u) == UMDB_OK)
		rc = snap_point(tgt, u->root, addr, state != 0, &u->point);
	if (rc == UMDB_ENOTFOUND || rc == UMDB_ETARGET)
		return UMDB_OK;
	if (rc != UMDB_OK) {
		snprintf(
		    u->message, sizeof(u->message), "umem: %s", tgt->err.msg);
		return rc;
	}
	ret->base = u->point.base;
	ret->size = u->point.size;
	ret->cache = u->point.cache;
	ret->state = name[u->point.state];
	return UMDB_OK;
}

EXPORT int
umdb_unwatch(struct umdb *u, int32_t entry)
{
	const struct snap_writer writer = {call_poke, u};
	struct target *tgt;

	umdb_enter(u);
	tgt = u->core == NULL && entry >= 0 ? fresh_target(u) : NULL;
	if (tgt == NULL || u->cb.poke == NULL ||
	    (u->root == 0 && find_root(u) != UMDB_OK))
		return UMDB_ETARGET;
	return snap_watch_remove(tgt, u->root, (unsigned)entry, &writer);
}

/* ---------------------------------------------------------------- settings */

EXPORT const struct umdb_setting *
umdb_setting(int index)
{
	static struct umdb_setting s;
	const struct setting *from;

	if (index < 0 || index >= SETTINGS)
		return NULL;
	from = &settings[index];
	s.name = from->name;
	s.summary = from->summary;
	s.help = from->help;
	s.words = from->words;
	s.value = from->value;
	return &s;
}

EXPORT void
umdb_set(int index, int64_t value)
{
	if (index >= 0 && index < SETTINGS)
		settings[index].value = value;
}
