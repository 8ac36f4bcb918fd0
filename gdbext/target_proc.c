/* SPDX-License-Identifier: MIT */
/*
 * target_proc.c - a live process that a debugger has stopped
 *
 * Memory comes through process_vm_readv, which needs no more rights than the
 * debugger has already; mappings from /proc/PID/maps.  What the process has
 * made inaccessible to itself for a while it does not read, /proc/PID/mem
 * does.  Registers are the
 * debugger's to give, for it may hold newer ones than the kernel.
 *
 * Layer: above target_cache.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target_cache.h"

/* Of an inaccessible mapping; larger ones are address space set aside. */
#define HIDDEN_MAX (64u << 20)

struct proc {
	pid_t pid;
	int mem, pagemap; /* -1: not open */
	struct target_cache *cache;
};

/*
 * Remote addresses are split at page boundaries: the kernel copies the
 * elements before the first that it cannot read.
 */
static size_t
proc_source(void *arg, taddr_t addr, void *buf, size_t len)
{
	enum { PIECES = 64 };
	struct proc *proc = arg;
	struct iovec remote[PIECES], local;
	size_t done = 0, want, n, i;
	ssize_t got;

	while (done < len) {
		want = 0;
		for (i = 0; i < PIECES && done + want < len; i++) {
			taddr_t at = addr + done + want;

			n = TARGET_CACHE_RUN - at % TARGET_CACHE_RUN;
			if (len < TARGET_CACHE_BIG)
				n = TARGET_CACHE_PAGE - at % TARGET_CACHE_PAGE;
			if (n > len - done - want)
				n = len - done - want;
			/* an address of the target, for the kernel only */
			remote[i].iov_base = (void *)(uintptr_t)at;
			remote[i].iov_len = n;
			want += n;
		}
		local.iov_base = (char *)buf + done;
		local.iov_len = want;
		got = process_vm_readv(proc->pid, &local, 1, remote, i, 0);
		if (got <= 0)
			break;
		done += (size_t)got;
		if ((size_t)got < want)
			break;
	}
	return done;
}

static size_t
proc_source_hidden(void *arg, taddr_t addr, void *buf, size_t len)
{
	struct proc *proc = arg;
	const size_t done = proc_source(arg, addr, buf, len);
	ssize_t got = -1;

	if (done < len && proc->mem >= 0)
		got = pread(proc->mem, (char *)buf + done, len - done,
		    (off_t)(addr + done));
	return got > 0 ? done + (size_t)got : done;
}

/* Has the process ever written to this mapping, which it cannot access? */
static bool
proc_holds(const struct proc *proc, const struct target_region *r)
{
	enum { CHUNK = 512 };
	const uint64_t there = (uint64_t)3 << 62; /* in memory, in swap */
	uint64_t entry[CHUNK];
	taddr_t page, end = r->end / TARGET_CACHE_PAGE;
	ssize_t got;
	size_t n, i;

	if (proc->pagemap < 0 || r->end - r->start > HIDDEN_MAX)
		return false;
	for (page = r->start / TARGET_CACHE_PAGE; page < end; page += n) {
		n = end - page < CHUNK ? end - page : CHUNK;
		got = pread(proc->pagemap, entry, n * sizeof(entry[0]),
		    (off_t)(page * sizeof(entry[0])));
		if (got != (ssize_t)(n * sizeof(entry[0])))
			return false;
		for (i = 0; i < n; i++)
			if ((entry[i] & there) != 0)
				return true;
	}
	return false;
}

static int
proc_read(struct target *tgt, taddr_t addr, void *buf, size_t len)
{
	struct proc *proc = tgt->priv;

	return target_cache_read(proc->cache, addr, buf, len);
}

/* One line of /proc/PID/maps; the name points into @line. */
static bool
proc_parse(const struct proc *proc, char *line, struct target_region *r)
{
	char perm[5];
	unsigned long inode;
	int at = 0;

	memset(r, 0, sizeof(*r));
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*s %lu %n",
		&r->start, &r->end, perm, &inode, &at) < 4 ||
	    at == 0)
		return false;
	line[strcspn(line, "\n")] = '\0';
	r->name = line + at;
	r->readable = perm[0] == 'r';
	r->writable = perm[1] == 'w';
	r->executable = perm[2] == 'x';
	r->shared = perm[3] == 's';
	r->file = inode != 0;
	r->dumped = r->readable && strcmp(r->name, "[vvar]") != 0 &&
		    strcmp(r->name, "[vvar_vclock]") != 0 &&
		    strcmp(r->name, "[vsyscall]") != 0;
	if (!r->readable && !r->writable && !r->shared && !r->file)
		r->dumped = proc_holds(proc, r);
	return true;
}

struct region_list {
	struct target_region *r;
	size_t n, room;
};

static int
region_append(struct region_list *l, const struct target_region *r)
{
	struct target_region *more;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 256 : l->room * 2;
		more = realloc(l->r, l->room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		l->r = more;
	}
	l->r[l->n] = *r;
	l->r[l->n].name = strdup(r->name);
	if (l->r[l->n].name == NULL)
		return UMDB_ENOMEM;
	l->n++;
	return UMDB_OK;
}

static void
region_list_free(struct region_list *l)
{
	char *name;
	size_t i;

	for (i = 0; i < l->n; i++) {
		memcpy(&name, &l->r[i].name, sizeof(name));
		free(name);
	}
	free(l->r);
}

static int
proc_load_regions(struct target *tgt)
{
	struct proc *proc = tgt->priv;
	struct region_list l = {0};
	struct target_region r;
	char path[64], *line = NULL;
	size_t size = 0;
	int rc = UMDB_OK;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)proc->pid);
	f = fopen(path, "re");
	if (f == NULL)
		return target_fail(tgt, UMDB_ETARGET, 0, "cannot open %s: %s",
		    path, strerror(errno));
	while (rc == UMDB_OK && getline(&line, &size, f) > 0)
		if (proc_parse(proc, line, &r))
			rc = region_append(&l, &r);
	free(line);
	fclose(f);
	if (rc == UMDB_OK)
		rc = target_set_regions(tgt, l.r, l.n);
	else
		target_fail(tgt, rc, 0, "no memory for mappings");
	region_list_free(&l);
	return rc;
}

static void
proc_invalidate(struct target *tgt)
{
	struct proc *proc = tgt->priv;

	target_cache_drop(proc->cache);
	/* Failing, it leaves the old table: reads are checked anyway. */
	proc_load_regions(tgt);
}

static void
proc_close(struct target *tgt)
{
	struct proc *proc = tgt->priv;

	target_cache_destroy(proc->cache);
	if (proc->mem >= 0)
		close(proc->mem);
	if (proc->pagemap >= 0)
		close(proc->pagemap);
	free(proc);
}

/* Of the process's files in /proc; -1 when it cannot be opened. */
static int
proc_file(const struct proc *proc, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)proc->pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static const struct target_ops proc_ops = {
    .name = "process",
    .read = proc_read,
    .load_regions = proc_load_regions,
    .invalidate = proc_invalidate,
    .close = proc_close,
};

struct target *
target_open_proc(int pid, struct umdb_error *err)
{
	struct proc *proc = calloc(1, sizeof(*proc));
	struct target *tgt = NULL;

	if (proc != NULL) {
		proc->pid = pid;
		proc->mem = proc->pagemap = -1;
		proc->cache =
		    target_cache_create(proc_source_hidden, proc, false);
		if (proc->cache != NULL)
			tgt = target_create(&proc_ops, proc);
	}
	if (tgt == NULL) {
		if (proc != NULL)
			target_cache_destroy(proc->cache);
		free(proc);
		error_set(err, UMDB_ENOMEM, 0, "no memory for a target");
		return NULL;
	}
	proc->mem = proc_file(proc, "mem");
	proc->pagemap = proc_file(proc, "pagemap");
	if (proc_load_regions(tgt) != UMDB_OK) {
		*err = tgt->err;
		target_close(tgt);
		return NULL;
	}
	return tgt;
}
