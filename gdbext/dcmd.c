/* SPDX-License-Identifier: MIT */
/*
 * dcmd.c - the table of commands, and what all of them need
 *
 * A line is cut into words, its options are taken out against the row's
 * option string, and the rest is counted; so a command's function starts with
 * arguments that are known to be well-formed.
 *
 * Layer: see dcmd.h.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"

#define DAMAGE_SHOWN 5u

const struct dcmd dcmds[] = {
    {
	.name = "status",
	.alias = "umem_status",
	.usage = "",
	.summary = "State of the allocator: options, logs, messages, faults.",
	.help = "Shows whether the allocator is there and ready, the options "
		"in force and\nthe environment they came from, the logs, the "
		"memory that it holds, the fault\nthat it detected if any, and "
		"its message buffer.  Works, as far as it can,\nalso when the "
		"other commands do not.",
	.flags = DCMD_NO_SNAP | DCMD_NO_DOT | DCMD_NO_PIPE,
	.run = dcmd_status,
    },
    {
	.name = "stat",
	.alias = "umastat",
	.usage = "",
	.summary = "Statistics of thread caches, caches and arenas.",
	.help = "INUSE counts buffers that the program holds.  Free ones are "
		"counted where\nthey lie: in a thread's cache (THREAD), in the "
		"depot's magazines (DEPOT) or in\ntheir slab (SLAB).  ALLOCS "
		"counts buffers taken from slabs; requests that a\nthread "
		"cache served leave no count.  Arenas are indented below the "
		"arena they\nimport from.",
	.flags = DCMD_NO_DOT | DCMD_NO_PIPE,
	.run = dcmd_stat,
    },
    {
	.name = "cache",
	.alias = "umem_cache",
	.usage = "[NAME|ADDR]",
	.summary = "List the caches, or one of them.",
	.help = "One line for each cache in order of creation: address, "
		"flags in force, flags\nit was created with, size of a buffer "
		"and of a chunk, buffers in all and in\nuse.  With one cache "
		"named, its flags are spelt out.",
	.complete = COMPLETE_CACHE,
	.max = 1,
	.run = dcmd_cache,
    },
    {
	.name = "log",
	.alias = "umalog",
	.usage = "[-n N] [transaction|fail|slab]",
	.summary = "The transaction log with stacks, newest first.",
	.help = "Each record shows how long before the newest one it was "
		"written, what\nhappened (alloc, free, fail, slab), the "
		"buffer, its size, cache and thread, and\nthe stack.\n\n"
		"  fail   failed allocations instead of transactions\n"
		"  slab   creation of slabs\n"
		"  -n N   only the newest N records",
	.options = "n:",
	.words = "transaction fail slab",
	.complete = COMPLETE_WORD,
	.max = 1,
	.flags = DCMD_NO_DOT,
	.run = dcmd_log,
    },
    {
	.name = "records",
	.alias = "umem_log",
	.usage = "[-n N] [transaction|fail|slab]",
	.summary = "The transaction log, one line a record, newest first.",
	.help = "As umem log, without stacks: record, buffer, time in seconds "
		"since the system\nstarted, what happened, size, thread and "
		"caller.\n\n"
		"  -n N   only the newest N records",
	.options = "n:",
	.words = "transaction fail slab",
	.complete = COMPLETE_WORD,
	.max = 1,
	.flags = DCMD_NO_DOT,
	.run = dcmd_records,
    },
    {
	.name = "verify",
	.alias = "umem_verify",
	.usage = "[-v] [NAME|ADDR]",
	.summary = "Check every buffer of all caches, or of one, for damage.",
	.help = "Looks for writes past the end or before the start of a "
		"buffer, writes after\nfree, and damaged structures.  A cache "
		"without guards says so: only its\nstructures were checked.  "
		"Guards come with UMEM_DEBUG=guards or default.\n\n"
		"  -v   show each damaged buffer's last transaction",
	.options = "v",
	.complete = COMPLETE_CACHE,
	.max = 1,
	.result = "corrupt",
	.run = dcmd_verify,
    },
    {
	.name = "bufctl",
	.alias = "bufctl",
	.usage = "ADDR [-v] [-h] [-a ADDR] [-c FUNCTION] [-e TIME] [-l TIME] "
		 "[-t THREAD]",
	.summary = "Who allocated or freed a buffer: its audit record.",
	.help =
	    "ADDR is a bufctl, a log record, or any address in an audited "
	    "buffer.\n\n"
	    "  -v            the whole record with its stack\n"
	    "  -h            its history too, newest first, as far as the\n"
	    "                transaction log reaches\n"
	    "  -a ADDR       only records of the buffer at ADDR\n"
	    "  -c FUNCTION   only with a frame in FUNCTION (or at an "
	    "address)\n"
	    "  -e TIME       only at TIME or later: nanoseconds, or seconds "
	    "with a point\n"
	    "  -l TIME       only at TIME or earlier\n"
	    "  -t THREAD     only by this thread: GDB's number, or the LWP",
	.options = "vha:c:e:l:t:",
	.min = 1,
	.max = 1,
	.run = dcmd_bufctl,
    },
    {
	.name = "whatis",
	.alias = NULL,
	.usage = "[-v] ADDR",
	.summary = "Say what an address is.",
	.help = "Names the buffer, red zone, slab, structure, arena segment, "
		"stack or mapping\nthat ADDR lies in.  For an audited buffer "
		"its last transaction follows.\nADDR may be any expression.\n"
		"\n"
		"  -v   also the slab, the arena's segment and the mapping",
	.options = "v",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = -1,
	.run = dcmd_whatis,
    },
    {
	.name = "findleaks",
	.alias = "findleaks",
	.usage = "[-d] [-f] [-v] [FUNCTION|ADDR]",
	.summary = "Find allocated memory that nothing points to.",
	.help =
	    "Marks conservatively from registers, stacks, data of all "
	    "objects and other\nwritable memory, and groups what is left "
	    "by cache and stack:\n\n"
	    "  definite   nothing points to it\n"
	    "  possible   only pointers into its inside\n"
	    "  indirect   only lost buffers point to it\n\n"
	    "With FUNCTION only groups with a frame in it are shown.\n\n"
	    "  -d   details: for each group the stack of its oldest buffer\n"
	    "  -f   forget the last result and search again\n"
	    "  -v   statistics of the search",
	.options = "dfv",
	.complete = COMPLETE_SYMBOL,
	.max = 1,
	.result = "leaks",
	.run = dcmd_findleaks,
    },
    {
	.name = "refs",
	.usage = "ADDR",
	.summary = "Show every pointer to a buffer, and where it lies.",
	.help =
	    "ADDR is any address in an allocated buffer; pointers to its "
	    "start and to its\ninside are shown: in variables, stacks, "
	    "registers and other roots, then in\nbuffers.  References from "
	    "leaked buffers are named as such; freed buffers and\nold parts "
	    "of stacks do not count.",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = 1,
	.run = dcmd_refs,
    },
    {
	.name = "path",
	.usage = "ADDR",
	.summary = "Show a shortest chain of pointers that keeps a buffer.",
	.help =
	    "Each line says where a pointer lies; the first is a root, the "
	    "last the buffer\nthat ADDR is in.  Of chains of one length one "
	    "from a variable is shown before\none from a stack or a register.  "
	    "Where there is none the buffer is leaked.",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = 1,
	.run = dcmd_path,
    },
    {
	.name = "owns",
	.usage = "ADDR",
	.summary = "Say what would be garbage if a buffer were.",
	.help =
	    "Counts, by cache, the buffers that roots reach only through the "
	    "one that ADDR\nis in, at any depth.  What others keep too is not "
	    "counted, nor the buffer\nitself.",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = 1,
	.run = dcmd_owns,
    },
    {
	.name = "top",
	.usage = "[-n N] [-v] [-roots|-sites]",
	.summary = "Show which roots and which callers keep the most memory.",
	.help =
	    "For a process that grew though nothing is leaked.  Two tables:\n\n"
	    "  roots   variables, stacks, registers and other roots, with what "
	    "only they\n"
	    "          keep, at any depth; what several keep stands in lines of "
	    "its own.\n"
	    "          Pointers on stacks count for what no variable leads to, "
	    "those in\n"
	    "          registers for what neither does.\n"
	    "  sites   stacks that allocated (without UMEM_DEBUG=audit: caches), "
	    "with what\n"
	    "          their buffers take and what these keep\n\n"
	    "  -n N     so many lines of each table; 10 if not given\n"
	    "  -v       whole stacks\n"
	    "  -roots   only the first table\n"
	    "  -sites   only the second",
	.options = "n:vrs",
	.longs = "roots r sites s",
	.run = dcmd_top,
    },
};
const size_t ndcmd = sizeof(dcmds) / sizeof(dcmds[0]);

const struct dcmd *
dcmd_find(const char *name)
{
	size_t i;

	for (i = 0; i < ndcmd; i++)
		if (strcmp(dcmds[i].name, name) == 0 ||
		    (dcmds[i].alias != NULL &&
			strcmp(dcmds[i].alias, name) == 0))
			return &dcmds[i];
	return NULL;
}

int
dcmd_usage_error(
    const struct dcmd *d, struct umdb_error *err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(err, UMDB_EUSAGE, 0, "%s; usage: umem %s%s%s", text,
	    d->name, d->usage[0] ? " " : "", d->usage);
}

/* ------------------------------------------------------------ the line */

/* Copy one word from *line to @to; returns the end of the copy. */
static char *
copy_word(const char **line, char *to)
{
	const char *p = *line;
	char quote = '\0';

	for (; *p != '\0'; p++) {
		if (quote != '\0' && *p == quote) {
			quote = '\0';
		} else if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == '\\' && p[1] != '\0' && quote != '\'') {
			*to++ = *++p;
		} else if (quote == '\0' && isspace((unsigned char)*p)) {
			break;
		} else {
			*to++ = *p;
		}
	}
	*to++ = '\0';
	*line = p;
	return to;
}

/* Cut a line into words; a quoted one may be empty. */
static int
split(const char *line, struct dcmd_line *ret, size_t *nword_ret)
{
	const size_t len = strlen(line);
	size_t n = 0;
	char *to;

	ret->text = malloc(2 * len + 2);
	ret->word = calloc(len / 2 + 2, sizeof(*ret->word));
	if (ret->text == NULL || ret->word == NULL)
		return UMDB_ENOMEM;
	for (to = ret->text;;) {
		while (isspace((unsigned char)*line))
			line++;
		if (*line == '\0')
			break;
		ret->word[n++] = to;
		to = copy_word(&line, to);
	}
	*nword_ret = n;
	return UMDB_OK;
}

/* One word "-abc" or "-n5"; takes the next word when a value is missing. */
static int
parse_options(struct dcmd_line *l, char **word, size_t nword, size_t *at,
    struct umdb_error *err)
{
	const char *options = l->dcmd->options ? l->dcmd->options : "";
	const char *p, *o;

	for (p = word[*at] + 1; *p != '\0'; p++) {
		o = *p == ':' ? NULL : strchr(options, *p);
		if (o == NULL)
			return dcmd_usage_error(l->dcmd, err,
			    "there is no option -%c",
			    isprint((unsigned char)*p) ? *p : '?');
		if (o[1] != ':') {
			l->args.opt[(unsigned char)*p] = "";
			continue;
		}
		if (p[1] != '\0') {
			l->args.opt[(unsigned char)*p] = p + 1;
		} else if (*at + 1 < nword) {
			l->args.opt[(unsigned char)*p] = word[++*at];
		} else {
			return dcmd_usage_error(
			    l->dcmd, err, "option -%c needs a value", *p);
		}
		break;
	}
	return UMDB_OK;
}

/* The letter of an option that is a word, "-roots"; 0 if there is none. */
static unsigned char
long_option(const struct dcmd *d, const char *word)
{
	const char *p = d->longs ? d->longs : "";
	size_t n;

	for (; *p != '\0'; p += strspn(p, " ")) {
		n = strcspn(p, " ");
		if (strlen(word) == n && strncmp(word, p, n) == 0)
			return (unsigned char)p[n + 1];
		p += n;
		p += strspn(p, " ");
		p += strcspn(p, " ");
	}
	return 0;
}

/* Take options out of the words; what is left are the arguments. */
static int
parse_words(
    struct dcmd_line *l, char **word, size_t nword, struct umdb_error *err)
{
	bool options = true;
	size_t i, n = 0;
	int rc;

	for (i = 0; i < nword; i++) {
		if (options && strcmp(word[i], "--") == 0) {
			options = false;
		} else if (options && (strcmp(word[i], "-json") == 0 ||
					  strcmp(word[i], "--json") == 0)) {
			l->json = true;
		} else if (options && word[i][0] == '-' &&
			   long_option(l->dcmd, word[i] + 1) != 0) {
			l->args.opt[long_option(l->dcmd, word[i] + 1)] = "";
		} else if (options && word[i][0] == '-' && word[i][1] != '\0') {
			rc = parse_options(l, word, nword, &i, err);
			if (rc != UMDB_OK)
				return rc;
		} else if (strcmp(word[i], "|") == 0) {
			return error_set(err, UMDB_EUSAGE, 0,
			    "to pipe its output into a shell command use "
			    "GDB's own: pipe umem %s | ...",
			    l->dcmd->name);
		} else {
			word[n++] = word[i];
		}
	}
	l->args.argc = (int)n;
	l->args.argv = word;
	return UMDB_OK;
}

/* JSON is wanted even if what stands before it is wrong. */
static bool
wants_json(char **word, size_t nword)
{
	size_t i;

	for (i = 0; i < nword && strcmp(word[i], "--") != 0; i++)
		if (strcmp(word[i], "-json") == 0 ||
		    strcmp(word[i], "--json") == 0)
			return true;
	return false;
}

int
dcmd_parse(const char *line, struct dcmd_line *ret, struct umdb_error *err)
{
	const struct dcmd *d;
	size_t nword = 0;
	int rc;

	memset(ret, 0, sizeof(*ret));
	ret->name = "umem";
	if (split(line, ret, &nword) != UMDB_OK)
		return error_set(err, UMDB_ENOMEM, 0, "out of memory");
	ret->json = wants_json(ret->word, nword);
	if (nword == 0)
		return error_set(err, UMDB_EUSAGE, 0,
		    "which command? \"help umem\" lists them");
	d = dcmd_find(ret->word[0]);
	if (d == NULL)
		return error_set(err, UMDB_EUSAGE, 0,
		    "there is no command %.80s; \"help umem\" lists them",
		    ret->word[0]);
	ret->dcmd = d;
	ret->name = ret->word[0];
	rc = parse_words(ret, ret->word + 1, nword - 1, err);
	if (rc != UMDB_OK)
		return rc;
	if (ret->args.argc < d->min)
		return dcmd_usage_error(d, err, "an address is missing");
	if (d->max >= 0 && ret->args.argc > d->max)
		return dcmd_usage_error(
		    d, err, "%.80s is too much", ret->args.argv[d->max]);
	return UMDB_OK;
}

void
dcmd_line_free(struct dcmd_line *line)
{
	free(line->text);
	free(line->word);
	line->text = NULL;
	line->word = NULL;
}

/* What stands below every answer: what it could not take into account. */
static void
note_damage(struct dcmd_ctx *ctx)
{
	const struct snap *snap = ctx->snap;
	char size[32];
	size_t i;

	if (ctx->tgt != NULL && ctx->tgt->missing > 0) {
		out_size_text(ctx->tgt->missing, size, sizeof(size));
		out_note(ctx->out,
		    "the core file is truncated: %s of memory are missing",
		    size);
	}
	if (snap == NULL)
		return;
	for (i = 0; i < snap->ndamage && i < DAMAGE_SHOWN; i++)
		out_note(ctx->out, "damage at 0x%" PRIx64 ": %s",
		    snap->damage[i].addr, snap->damage[i].msg);
	if (i < snap->ndamage)
		out_note(ctx->out, "%zu more damaged structures",
		    snap->ndamage - i + snap->damage_more);
}

int
dcmd_execute(struct dcmd_ctx *ctx, const struct dcmd_line *line)
{
	int rc;

	ctx->dcmd = line->dcmd;
	rc = line->dcmd->run(ctx, &line->args);
	if (rc != UMDB_OK)
		return rc;
	note_damage(ctx);
	if (out_status(ctx->out) == UMDB_ENOMEM)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	if (out_stopped(ctx->out))
		return error_set(ctx->err, UMDB_EINTR, 0, "stopped");
	return UMDB_OK;
}

/* ---------------------------------------------------- arguments' meaning */

static bool
plain_number(const char *text, uint64_t *ret)
{
	const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, hex ? 16 : 10);
	return errno == 0 && *end == '\0';
}

int
dcmd_address(struct dcmd_ctx *ctx, const char *text, taddr_t *ret)
{
	uint64_t size;

	if (plain_number(text, ret))
		return UMDB_OK;
	if (ctx->lookup != NULL &&
	    ctx->lookup(ctx->lookup_arg, text, ret, &size) == UMDB_OK)
		return UMDB_OK;
	return error_set(ctx->err, UMDB_EUSAGE, 0,
	    "%.200s is not an address or an expression that gives one", text);
}

int
dcmd_number(
    struct dcmd_ctx *ctx, const char *what, const char *text, uint64_t *ret)
{
	if (plain_number(text, ret))
		return UMDB_OK;
	return dcmd_usage_error(
	    ctx->dcmd, ctx->err, "%s must be a number, not %.80s", what, text);
}

int
dcmd_code_filter(
    struct dcmd_ctx *ctx, const char *text, struct code_filter *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->text = text;
	if (plain_number(text, &ret->start))
		return UMDB_OK;
	if (ctx->lookup != NULL)
		(void)ctx->lookup(
		    ctx->lookup_arg, text, &ret->start, &ret->size);
	return UMDB_OK;
}

/*
 * A return address stands behind its call, which may be the last instruction
 * of the function: so the end belongs to it and the start does not.
 */
static bool
pc_matches(struct dcmd_ctx *ctx, const struct code_filter *f, uint64_t pc)
{
	const struct out_frame *frame;

	if (f->start != 0 && pc == f->start)
		return true;
	if (f->start != 0 && pc > f->start && pc - f->start <= f->size)
		return true;
	frame = out_frame(ctx->out, pc);
	if (frame->function == NULL)
		return false;
	return strcmp(frame->function, f->text) == 0 ||
	       (f->start != 0 && pc - frame->offset == f->start);
}

bool
dcmd_in_code(struct dcmd_ctx *ctx, const struct code_filter *filter,
    const uint64_t *stack, size_t depth)
{
	size_t i;

	for (i = 0; i < depth; i++)
		if (pc_matches(ctx, filter, stack[i]))
			return true;
	return false;
}

/* ----------------------------------------------------------- small names */

void
dcmd_thread_name(struct dcmd_ctx *ctx, uint32_t lwp, char *buf, size_t size)
{
	const struct target *tgt = ctx->tgt;
	size_t i;

	for (i = 0; tgt != NULL && i < tgt->nthread; i++) {
		if (tgt->thread[i].lwp == lwp && tgt->thread[i].num != 0) {
			snprintf(buf, size, "%" PRIu32 " (LWP %" PRIu32 ")",
			    tgt->thread[i].num, lwp);
			return;
		}
	}
	snprintf(buf, size, "LWP %" PRIu32, lwp);
}

const char *
dcmd_cache_name(struct dcmd_ctx *ctx, taddr_t addr)
{
	const struct snap_cache *c = NULL;

	if (addr != 0)
		c = snap_cache_at(ctx->snap, addr);
	return c != NULL ? c->c.cache_name : "?";
}

int
dcmd_fail_target(struct dcmd_ctx *ctx, int rc)
{
	if (rc != UMDB_OK && rc != UMDB_EINTR)
		*ctx->err = ctx->tgt->err;
	else if (rc == UMDB_EINTR)
		error_set(ctx->err, UMDB_EINTR, 0, "stopped");
	ctx->err->code = rc;
	return rc;
}

void
dcmd_flag_names(uint32_t flags, char *buf, size_t size)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
	    {UMF_AUDIT, "audit"},
	    {UMF_DEADBEEF, "deadbeef"},
	    {UMF_REDZONE, "redzone"},
	    {UMF_CONTENTS, "contents"},
	    {UMF_CHECKSIGNAL, "nosignal"},
	    {UMF_NOMAGAZINE, "nomagazine"},
	    {UMF_FIREWALL, "firewall"},
	    {UMF_LITE, "lite"},
	    {UMF_RANDOMIZE, "random"},
	    {UMF_CHECKNULL, "checknull"},
	    {UMF_MALLOC, "malloc"},
	    {UMF_LARGE, "large"},
	};
	size_t i, len = 0;

	snprintf(buf, size, "none");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((flags & names[i].bit) == 0 || len >= size)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
		    len ? " " : "", names[i].name);
	}
}
