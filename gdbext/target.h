/* SPDX-License-Identifier: MIT */
/*
 * target.h - another process: its memory, its mappings, its threads
 *
 * A target is a core file, a live process that a debugger has stopped, the
 * debugger's own callbacks, or (in the test suite) a handful of byte arrays.
 * Everything above this header is written against struct target alone and
 * cannot tell which it has.
 *
 * Target memory is untrusted: any byte may be wrong, and that is usually why
 * someone is looking.  Callers never use a size or count read from a target
 * to size a local buffer unless it was checked against a limit, and never
 * follow links without a struct guard (walk.h).
 *
 * Layer: above error.h; below snap.h.
 */
#ifndef UMDB_TARGET_H
#define UMDB_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* A mapping of the target, sorted by start; they do not overlap. */
struct target_region {
	taddr_t start, end;
	bool readable, writable, executable;
	bool shared;
	bool file;        /* backed by a named file (NT_FILE, maps) */
	bool dumped;      /* its contents can be read (in part, at least) */
	bool listed;      /* by a core's list of files alone: access unknown */
	const char *name; /* file, "[heap]", "[stack]", ...; never NULL */
};

#define TARGET_NREGS 18 /* rax rbx rcx rdx rsi rdi rbp rsp r8-r15 rip fs_base */
enum { TARGET_RBP = 6, TARGET_RSP = 7, TARGET_RIP = 16, TARGET_FSBASE = 17 };
extern const char *const target_regname[TARGET_NREGS];

/* Vector registers: zmm0-zmm31, of which ymm and xmm are the low halves. */
#define TARGET_VECTOR_WORDS 8u
#define TARGET_NVECTOR (32u * TARGET_VECTOR_WORDS)

struct target_thread {
	uint32_t lwp; /* kernel thread id */
	uint32_t num; /* the debugger's number; 0 if unknown */
	uint64_t reg[TARGET_NREGS];
	uint64_t vector[TARGET_NVECTOR]; /* zero, where it has none */
	bool have_regs;
};

/* A register by number: those of target_regname, then words of vectors. */
static inline uint64_t
target_register(const struct target_thread *t, uint64_t number)
{
	return number < TARGET_NREGS ? t->reg[number]
				     : t->vector[number - TARGET_NREGS];
}

struct target;
struct target_ops {
	const char *name; /* "core", "process", "debugger", "test" */
	/*
	 * Copy; returns UMDB_OK only when all was copied.  On failure it may
	 * leave the reason, a literal, in tgt->why.
	 */
	int (*read)(struct target *, taddr_t, void *, size_t);
	/*
	 * Borrow memory without copying: returns a pointer to @addr and sets
	 * *avail to the bytes that follow it there; NULL if not possible.
	 * The pointer holds until the target is closed and need not be
	 * aligned.  May be NULL.  For a core several threads may call it.
	 */
	const void *(*map)(struct target *, taddr_t, size_t *avail);
	/*
	 * Copy from memory that map lent; returns UMDB_OK only when all was
	 * copied.  NULL where that is no cheaper than reading it in place.
	 * Several threads may call it.
	 */
	int (*fetch)(struct target *, const void *lent, void *buf, size_t len);
	/*
	 * Of lent memory: how many of the @len bytes are known to be zero
	 * without a look at them, from the first on.  May be NULL; several
	 * threads may call it.
	 */
	size_t (*hole)(struct target *, const void *lent, size_t len);
	int (*load_regions)(struct target *); /* fills tgt->region */
	int (*load_threads)(struct target *); /* fills tgt->thread */
	/* forget what was cached: the target ran.  May be NULL. */
	void (*invalidate)(struct target *);
	void (*close)(struct target *);
};

struct target {
	const struct target_ops *ops;
	struct umdb_error err; /* of the last call that failed */
	struct target_region *region;
	size_t nregion;
	struct target_thread *thread;
	size_t nthread;
	void *priv;
	/*
	 * Called now and then in long work (at least every 50 ms): @done of
	 * @total (0: unknown) of @what.  Returns true to stop.
	 */
	bool (*poll)(
	    void *arg, const char *what, uint64_t done, uint64_t total);
	void *poll_arg;
	uint64_t polled; /* when poll was last called, ns */
	bool stopped;    /* poll returned true: no other answer until reset */
	bool in_bytes;   /* done and total of that call are bytes */
	/* reads cost milliseconds (remote): say so before long work */
	bool slow;
	uint64_t slow_bytes, slow_ns; /* such reads, all or since target_plan */
	double rate_before;           /* that of before target_plan */
	uint64_t plan; /* bytes that are to be read since then; 0: no plan */
	/* Called before reads that take long, @rate bytes a second. */
	void (*tell)(void *poll_arg, uint64_t bytes, double rate);
	const char *why;  /* of the last read that failed, or NULL */
	uint64_t missing; /* bytes that a truncated core file lacks */
};

/**
 * target_read - copy target memory into a local buffer
 * @addr: first byte to copy
 * @len: how many bytes; from sizeof, or checked against a limit
 * @what: what is being read ("slab"), for the message
 *
 * Returns UMDB_OK with @buf filled; or UMDB_EFAULT with the address and @what
 * in tgt->err.
 */
int target_read(
    struct target *tgt, taddr_t addr, void *buf, size_t len, const char *what);

/*
 * target_map - borrow memory, see target_ops.map; NULL when it must be
 * copied.  Never fails loudly.
 */
const void *target_map(struct target *tgt, taddr_t addr, size_t *avail);

/* target_string - copy at most size - 1 bytes up to a NUL; always ends in NUL */
int target_string(
    struct target *tgt, taddr_t addr, char *buf, size_t size, const char *what);

/* target_region_at - the mapping that holds addr, or NULL */
const struct target_region *target_region_at(
    const struct target *tgt, taddr_t addr);

/* target_fail - note an error in tgt->err; returns code */
int target_fail(struct target *tgt, int code, taddr_t addr, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* target_rate - bytes a second that slow reads got so far; 0: not slow */
static inline double
target_rate(const struct target *tgt)
{
	if (!tgt->slow || tgt->slow_ns == 0)
		return tgt->rate_before;
	return (double)tgt->slow_bytes * 1e9 / (double)tgt->slow_ns;
}

/*
 * target_plan - from here on about @bytes are to be read, where reads are slow:
 * until target_plan_end() progress is that of all these bytes, whatever is
 * polled, and the rate is measured anew
 * target_plan_tell - by that rate: tell the user if it takes long
 * target_plan_more - there turn out to be more
 */
void target_plan(struct target *tgt, uint64_t bytes);
void target_plan_tell(struct target *tgt);
void target_plan_more(struct target *tgt, uint64_t bytes);
void target_plan_end(struct target *tgt);

/*
 * target_poll - true when the user wants to stop; cheap, call often.  Once
 * true it stays so until tgt->stopped is reset, at the start of a command:
 * what ignores that a walk was stopped cannot lose it.
 * target_poll_bytes: what is done and in all are bytes of the target
 */
bool target_poll_bytes(
    struct target *tgt, const char *what, uint64_t done, uint64_t total);
bool target_poll(
    struct target *tgt, const char *what, uint64_t done, uint64_t total);

/*
 * target_create - an empty target with these operations, for those who write
 * one; NULL without memory
 */
struct target *target_create(const struct target_ops *ops, void *priv);

/*
 * target_invalidate - the target ran or changed: drop cached memory, and load
 * mappings and threads anew where the target itself knows them
 */
void target_invalidate(struct target *tgt);

/* target_close - release everything; NULL is ignored */
void target_close(struct target *tgt);

/**
 * target_open_core - a core file, mapped
 * @fallback: for reads of memory that is not in the core but in a file that
 *            the debugger knows (text, read-only data); may be NULL.  It is
 *            never asked about memory that the core says was not dumped.
 *            Borrowed: it must outlive the core target.
 *
 * Mappings and threads are loaded.  Returns the target, or NULL with *err
 * set.  Every offset in the file is checked; a truncated core works as far as
 * it goes, and tgt->missing says how many bytes it lacks.
 */
struct target *target_open_core(
    const char *path, struct target *fallback, struct umdb_error *err);

/*
 * target_core_changed - true when the core file is no longer the one that was
 * opened (written, truncated): the target must be closed then; its reads fail
 * from now on, and pointers from target_map must not be used.  Call it before
 * each command.  False for targets that are no core.
 */
bool target_core_changed(struct target *tgt);

/*
 * target_open_proc - a live process, stopped by a debugger.  Memory through
 * process_vm_readv with a block cache; registers must be set by the caller
 * through target_set_threads() (the debugger may hold newer ones).
 */
struct target *target_open_proc(int pid, struct umdb_error *err);

/* What a debugger offers; see umdb.h for their contracts. */
struct target_callbacks {
	void *arg;
	void (*read)(
	    void *arg, uint64_t addr, void *buf, uint64_t len, int *ok);
};

/* target_open_callbacks - memory from a debugger, behind a block cache */
struct target *target_open_callbacks(
    const struct target_callbacks *cb, struct umdb_error *err);

/*
 * Give the target regions or threads that the caller knows; copied.  Regions
 * are sorted, and those that overlap an earlier one are cut or dropped.
 */
int target_set_regions(
    struct target *tgt, const struct target_region *region, size_t n);
int target_set_threads(
    struct target *tgt, const struct target_thread *thread, size_t n);

#endif /* UMDB_TARGET_H */
