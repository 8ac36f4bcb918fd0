/* SPDX-License-Identifier: MIT */
/*
 * umdb.h - the C interface that the GDB shim calls through ctypes
 *
 * Strings are UTF-8; those returned live until the next call on the same
 * session.  Callbacks return void and set *ok to 1 as their last act: a
 * Python exception at their entry leaves it 0, which means stop.
 *
 * Layer: top; the only file that exports symbols (umdb.map).
 */
#ifndef UMDB_H
#define UMDB_H

#include <stdint.h>

#define UMDB_ABI 6

struct umdb; /* a session with one target */

/* Strings belong to the callee and live until its next call. */
struct umdb_symbol {
	const char *function;
	uint64_t offset;
	const char *module;
	const char *file;
	int32_t line;
	int32_t pad;
};

/*
 * A frame of a stack: its stack pointer, its number as the debugger counts,
 * and its function, NULL when unknown.
 */
struct umdb_frame {
	uint64_t sp;
	uint32_t level;
	uint32_t pad;
	const char *function;
};

struct umdb_callbacks {
	void *arg;
	void (*read)(
	    void *arg, uint64_t addr, void *buf, uint64_t len, int *ok);
	void (*write)(void *arg, const char *text, uint64_t len, int *ok);
	void (*symbolise)(
	    void *arg, uint64_t pc, struct umdb_symbol *sym, int *ok);
	/* evaluate text to an address; size of the function there, or 0 */
	void (*lookup)(void *arg, const char *text, uint64_t *addr,
	    uint64_t *size, int *ok);
	/* long work goes on: how far it is, in words; *ok 0 to stop */
	void (*poll)(void *arg, const char *text, int *ok);
	/* a line for the user before work that takes long.  May be NULL. */
	void (*tell)(void *arg, const char *text, int *ok);
	/*
	 * the frames of a thread, innermost first, up to @max; sets *n.  May
	 * be NULL.
	 */
	void (*frames)(void *arg, uint32_t lwp, struct umdb_frame *frame,
	    uint64_t max, uint64_t *n, int *ok);
	/*
	 * run a command of the debugger; sets *text to what it printed, *ok 1,
	 * or to why it failed, *ok 2.  May be NULL.
	 */
	void (*execute)(
	    void *arg, const char *command, const char **text, int *ok);
	/* write memory of a live process */
	void (*poke)(
	    void *arg, uint64_t addr, const void *buf, uint64_t len, int *ok);
	/*
	 * Have a breakpoint at addr; condition may be NULL.  When it is
	 * deleted or disabled umdb_unwatch(entry) is to be called, unless entry
	 * is -1; when it is enabled again, the line that runs now is to be run
	 * again and gets this breakpoint.
	 */
	void (*stop_at)(void *arg, uint64_t addr, const char *condition,
	    int32_t entry, int32_t *number, int *ok);
	/* delete all breakpoints from stop_at, and lines that wait */
	void (*forget)(void *arg, int32_t *count, int *ok);
};

/*
 * A mapping and a thread as the debugger sees them.  In reg, entry i is the
 * register that umdb_register(i) names.
 */
struct umdb_region {
	uint64_t start, end;
	uint32_t prot; /* 1 read, 2 write, 4 execute, 8 shared */
	uint32_t pad;
	const char *name;
};
struct umdb_thread {
	uint32_t lwp, num;
	uint64_t reg[18];
	uint64_t vector[256]; /* zmm0-zmm31; 0 where a register is shorter */
	uint32_t have_regs, pad;
};

int umdb_abi(void);
/* layout version of targets that this build reads */
int umdb_layout_version(void);

/* The command table; index from 0; NULL at the end. */
struct umdb_command {
	const char *name, *alias, *usage, *summary, *help, *options, *words;
	const char *result; /* what its count is called; NULL: has none */
	int32_t complete;   /* enum dcmd_complete */
	int32_t waits;      /* may be run without a target, see umdb_run */
};
const struct umdb_command *umdb_command(int index);

/* Names of registers in the order of umdb_thread.reg; NULL at the end. */
const char *umdb_register(int index);

/*
 * umdb_open - a session.  @core: path of the core file, or NULL; @pid: of a
 * live process that the caller has stopped on this machine, or 0; neither:
 * everything through cb->read.  Callbacks are always needed: for what the
 * direct path cannot serve.  Returns NULL with a sentence in errbuf.
 */
struct umdb *umdb_open(const char *core, int pid,
    const struct umdb_callbacks *cb, char *errbuf, uint64_t errsize);
void umdb_close(struct umdb *u);

/*
 * Mappings and threads from the debugger; copied.  Mappings are needed where
 * everything goes through cb->read.  Threads are needed unless it is a core,
 * which has its own: there only their numbers are taken.
 */
int umdb_set_regions(struct umdb *u, const struct umdb_region *r, uint64_t n);
int umdb_set_threads(struct umdb *u, const struct umdb_thread *t, uint64_t n);

/*
 * umdb_run - run a command line: "findleaks -d", "walk umem_cache | verify",
 * "cache ! grep session", "mdb ::findleaks -d".
 * Returns 0, or a negative enum umdb_code with the sentence in umdb_error().
 * *found: leaks or damaged buffers that it reported, for exit-code.
 * UMDB_EWAIT: run it again when a program has loaded something.
 */
int umdb_run(struct umdb *u, const char *line, uint64_t *found);
const char *umdb_error(struct umdb *u);

/* What *found counted in the last run: "leaks"; NULL: nothing. */
const char *umdb_result(struct umdb *u);

/*
 * umdb_complete - completions of the last word of @line, one a line.  Works
 * without a session, with NULL, and without a readable target (then without
 * cache names).  Without a session the string lives until the next such call.
 */
const char *umdb_complete(struct umdb *u, const char *line);

/*
 * umdb_buffer - the buffer that an address lies in, read anew each time and
 * with few reads, so that breakpoints may ask.  @state: also say whether it
 * is free in a thread's cache or in the depot.  Returns 0, also when it is in
 * none: then size and base are 0.  Strings live until the next call.
 */
struct umdb_buffer {
	uint64_t base, size; /* size: bytes asked for */
	const char *cache, *state;
};
int umdb_buffer(
    struct umdb *u, uint64_t addr, int state, struct umdb_buffer *ret);

/* umdb_unwatch - nobody waits any more for entry @entry, see stop_at */
int umdb_unwatch(struct umdb *u, int32_t entry);

/*
 * Settings for all sessions; index from 0, NULL at the end.  words: what it
 * may be set to, blank-separated, and value is an index in them; NULL: a
 * number, and -1 is unlimited.
 */
struct umdb_setting {
	const char *name, *summary, *help, *words;
	int64_t value;
};
const struct umdb_setting *umdb_setting(int index);
void umdb_set(int index, int64_t value);

/* The target ran or changed: forget the snapshot and all results. */
void umdb_invalidate(struct umdb *u);

#endif /* UMDB_H */
