/* SPDX-License-Identifier: MIT */
/*
 * dcmd.h - the commands
 *
 * One table, dcmds[] in dcmd_table.c: name, MDB's name, usage, help, what its
 * arguments complete to, its function.  A dcmd is given its arguments parsed,
 * walks or finds, and emits rows; it does not read target memory itself and
 * formats nothing.
 *
 * To add a command: one row in dcmds[], one function, one paragraph in the
 * manual.  Nothing else knows the list; the debugger's side takes names,
 * help and completion from the table.
 *
 * Pipelines ("walk umem_cache | verify") are made of any commands.
 *
 * - What a command gives to the next one: the cell of its rows' OUT_PIPE
 *   column, which is an OUT_ADDR in text and JSON; or out_pipe() where the
 *   address stands in no such cell.  A row gives one address, that of the
 *   thing it is about.  Where the output feeds a pipe out_is_json() is true:
 *   emit rows, no sentences.  A command with nothing to give has
 *   DCMD_NO_PIPE.
 * - What it takes: it runs once for each address ("dot"), which stands in
 *   args->argv[dcmd->dot] as if typed, "0x..."; the other arguments move up.
 *   ctx->loop is true then: no headings and no closing sentences for each,
 *   since the tables become one and facts add up; and ctx->found is added to,
 *   not set.  A command that takes no address has DCMD_NO_DOT.
 *
 * Layer: above find.h and out.h; below umdb.h.
 */
#ifndef UMDB_DCMD_H
#define UMDB_DCMD_H

#include "find.h"
#include "out.h"

enum dcmd_complete {
	COMPLETE_NONE,
	COMPLETE_CACHE,  /* names of caches */
	COMPLETE_SYMBOL, /* functions, by the debugger */
	COMPLETE_WORD,   /* the row's own words */
	COMPLETE_WALKER, /* names of walkers, then of caches */
	COMPLETE_FILE,   /* names of files, by the debugger */
	COMPLETE_ARENA,  /* names of arenas, and the row's own words */
	COMPLETE_HELP,   /* names of commands, by MDB's too, and of walkers */
};

struct dcmd;
struct graph;
struct top;

/* A frame of a thread's stack: from sp to the next one's. */
struct dcmd_frame {
	taddr_t sp;
	uint32_t level;    /* as the debugger counts */
	char function[64]; /* cut; "" unknown */
};

/* The open session: what a dcmd may use. */
struct dcmd_ctx {
	const struct dcmd *dcmd; /* the one that runs */
	struct target *tgt;
	struct snap *snap; /* NULL only for DCMD_NO_SNAP; then err says why */
	struct out *out;
	struct umdb_error *err;
	struct leaks **leaks; /* cache of the last findleaks */
	struct graph **graph; /* cache of who points to whom */
	struct top **top;     /* cache of the last top; refers to *graph */
	uint64_t found;       /* what exit-code looks at: leaks, damage */
	bool loop;            /* runs once for each address of a pipe */
	/* names to addresses ("main", "$rsp", "p->next"), by the debugger */
	int (*lookup)(void *arg, const char *text, uint64_t *addr_ret,
	    uint64_t *size_ret);
	void *lookup_arg;
	/*
	 * Run a command of the debugger; *text_ret, what it printed or, with
	 * UMDB_ENOTFOUND, why it failed, lives until the next call.  NULL
	 * where there is no debugger.
	 */
	int (*execute)(void *arg, const char *command, const char **text_ret);
	void *execute_arg;
	/*
	 * Frames of a thread, innermost first, by the debugger; NULL where it
	 * has none.  UMDB_OK, or UMDB_ENOTFOUND.
	 */
	int (*frames)(void *arg, uint32_t lwp, struct dcmd_frame *frame,
	    size_t max, size_t *n_ret);
	void *frames_arg;
	const struct dcmd_live *live; /* NULL: a core file */
	/* DCMD_LIGHT: have a snapshot after all; sets snap */
	int (*have_snap)(struct dcmd_ctx *ctx, void *arg);
	void *have_snap_arg;
};

/* What can be done to a process that is alive, or will be. */
struct dcmd_live {
	void *arg;
	bool native; /* the debugger's breakpoints stand in its memory */
	/* write its memory; UMDB_OK or UMDB_EFAULT */
	int (*poke)(void *arg, taddr_t addr, const void *buf, size_t len);
	/*
	 * Have a breakpoint, with a condition or NULL, for entry @entry of
	 * umem_watch_t, or -1; and delete all of those.
	 */
	int (*stop_at)(void *arg, taddr_t addr, const char *condition,
	    int entry, int *number_ret);
	int (*forget)(void *arg, int *count_ret);
};

struct dcmd_given {
	char letter;
	const char *value;
};

/* Forms of a profile, by enum profile_form: "folded", "pprof", "html". */
#define DCMD_PROFILES 3
extern const char *const dcmd_profile_name[DCMD_PROFILES];

/* Arguments with the options taken out. */
struct dcmd_args {
	int argc;
	char **argv;
	/* by letter: NULL not given, else its value, or "" without one */
	const char *opt[128];
	/* all options that have values, for those that may be repeated */
	struct dcmd_given *given;
	int ngiven;
	const char *profile[DCMD_PROFILES]; /* FILE of each form, or NULL */
};

typedef int dcmd_fn(struct dcmd_ctx *ctx, const struct dcmd_args *args);

struct dcmd {
	const char *name;    /* "findleaks": umem findleaks */
	const char *alias;   /* MDB's name at top level, NULL none */
	const char *usage;   /* "[-d] [-f] [-v] [FUNCTION|ADDR]" */
	const char *summary; /* one line */
	const char *help;    /* the rest, for help and the manual */
	const char *options; /* as for getopt(3); every command takes -json */
#define DCMD_FILE_OPTION 'S' /* among these: its value is a file */
	/* options that are words, each with its letter: "roots r sites s" */
	const char *longs;
	const char *words; /* completions beside cache names, blank-separated */
	const char *result; /* what ctx->found counts: "leaks"; NULL nothing */
	enum dcmd_complete complete;
	int min, max;   /* how many arguments; max -1: any number */
	int dot;        /* index of the argument that a pipe gives */
	unsigned flags; /* DCMD_* */
	dcmd_fn *run;
};
#define DCMD_NO_SNAP 0x1u  /* works without a snapshot (status) */
#define DCMD_NO_DOT 0x2u   /* takes no address from a pipe */
#define DCMD_NO_PIPE 0x4u  /* gives none to a pipe */
#define DCMD_RAW_ARGS 0x8u /* what looks like a number need not be one */
#define DCMD_PROFILE 0x10u /* takes -folded, -pprof and -html FILE */
#define DCMD_WAITS 0x20u   /* may be given where there is no process */
#define DCMD_LIGHT 0x40u   /* starts without a snapshot, which costs time */

extern const struct dcmd dcmds[];
extern const size_t ndcmd;

/* dcmd_find - by name or alias; NULL if there is none */
const struct dcmd *dcmd_find(const char *name);

/* A command line, taken apart. */
struct dcmd_line {
	const struct dcmd *dcmd;
	const char *name; /* as typed: name or alias; "umem" before that */
	bool json;
	struct dcmd_args args;
	char *text; /* the words stand in here */
	char **word;
	char dot[24];  /* dcmd_parse_piped: what stands in argv[dcmd->dot] */
	char *expr;    /* MDB's notation: what that is made of; or NULL */
	char *numbers; /* ... and numbers among the arguments */
};

/**
 * dcmd_parse - words, options and arguments of a command line
 *
 * The name of a walker alone stands for "walk WALKER".
 *
 * Words are separated by blanks; '...' and "..." keep blanks, a backslash the
 * next character.  Options may stand anywhere before "--".  Returns UMDB_OK,
 * UMDB_EUSAGE or UMDB_ENOMEM with a sentence in *err; name and json are set as
 * far as the line was understood.  Release with dcmd_line_free in any case.
 */
int dcmd_parse(const char *line, struct dcmd_line *ret, struct umdb_error *err);

/*
 * dcmd_parse_piped - as above; one argument is left out, and comes from a pipe
 * later, in ret->dot.  *ret must stay where it is.
 */
int dcmd_parse_piped(
    const char *line, struct dcmd_line *ret, struct umdb_error *err);
void dcmd_line_free(struct dcmd_line *line);

/*
 * dcmd_close - after a command, or the last of a pipeline: say what every
 * command says, memory of the library that is damaged and was left out.
 */
int dcmd_close(struct dcmd_ctx *ctx);

/*
 * dcmd_unquoted - the first character of @set that stands in no quotes, or
 * the end; *open_ret: the quote that is never closed, or NUL
 */
const char *dcmd_unquoted(const char *p, const char *set, char *open_ret);

/*
 * dcmd_usage_error - note UMDB_EUSAGE with "<sentence>; usage: umem ..."
 */
int dcmd_usage_error(const struct dcmd *d, struct umdb_error *err,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * dcmd_address - an argument as an address: 0x..., decimal, or anything the
 * debugger can evaluate.  UMDB_EUSAGE when it is none of these.
 */
int dcmd_address(struct dcmd_ctx *ctx, const char *text, taddr_t *ret);

/* dcmd_number - an option's value, decimal or 0x...; UMDB_EUSAGE if not */
int dcmd_number(
    struct dcmd_ctx *ctx, const char *what, const char *text, uint64_t *ret);

/* dcmd_thread_name - "3 (LWP 1234)", or "LWP 1234" where GDB has no number */
void dcmd_thread_name(
    struct dcmd_ctx *ctx, uint32_t lwp, char *buf, size_t size);

/* dcmd_cache_name - of the cache at addr; "?" if there is none */
const char *dcmd_cache_name(struct dcmd_ctx *ctx, taddr_t addr);

/* dcmd_fail_target - pass on tgt->err; returns its code */
int dcmd_fail_target(struct dcmd_ctx *ctx, int rc);

/* Which code a FUNCTION or ADDR argument means. */
struct code_filter {
	const char *text;
	taddr_t start; /* 0 unknown: by name only */
	uint64_t size; /* 0 unknown */
};
int dcmd_code_filter(
    struct dcmd_ctx *ctx, const char *text, struct code_filter *ret);

/* dcmd_in_code - true when some frame of a stack lies in that code */
bool dcmd_in_code(struct dcmd_ctx *ctx, const struct code_filter *filter,
    const uint64_t *stack, size_t depth);

/*
 * dcmd_flag_names - UMF_* as words: "audit deadbeef redzone"; "none" for 0
 */
void dcmd_flag_names(uint32_t flags, char *buf, size_t size);

#endif /* UMDB_DCMD_H */
