/* SPDX-License-Identifier: MIT */
/*
 * dcmd.c - command lines, and what all commands need
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
#include "walker.h"

#define DAMAGE_SHOWN 5u

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

const char *
dcmd_unquoted(const char *p, const char *set, char *open_ret)
{
	char quote = '\0';

	for (; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0' && quote != '\'')
			p++;
		else if (quote != '\0')
			quote = *p == quote ? '\0' : quote;
		else if (*p == '\'' || *p == '"')
			quote = *p;
		else if (strchr(set, *p) != NULL)
			break;
	}
	*open_ret = quote;
	return p;
}

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
	ret->word = calloc(len / 2 + 3, sizeof(*ret->word));
	ret->args.given = calloc(len / 2 + 3, sizeof(*ret->args.given));
	if (ret->text == NULL || ret->word == NULL || ret->args.given == NULL)
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

/*
 * The file behind an option, and on to that word.  Not one that looks like an
 * option: "-folded -n 3" would write a file that is hard to get rid of.
 */
static int
file_word(const struct dcmd_line *l, char **word, size_t nword, size_t *at,
    const char **ret, struct umdb_error *err)
{
	const char *option = word[*at];

	if (*at + 1 == nword)
		return dcmd_usage_error(
		    l->dcmd, err, "option %s needs a file", option);
	*ret = word[++*at];
	if (**ret == '-')
		return dcmd_usage_error(l->dcmd, err,
		    "option %s needs a file, and %.80s looks like an option: "
		    "./%.80s is a file",
		    option, *ret, *ret);
	return UMDB_OK;
}

/* One word "-abc" or "-n5"; takes the next word when a value is missing. */
static int
parse_options(struct dcmd_line *l, char **word, size_t nword, size_t *at,
    struct umdb_error *err)
{
	const char *options = l->dcmd->options ? l->dcmd->options : "";
	const char *p, *o, *value;
	int rc = UMDB_OK;

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
		if (p[1] != '\0')
			value = p + 1;
		else if (*p == DCMD_FILE_OPTION)
			rc = file_word(l, word, nword, at, &value, err);
		else if (*at + 1 < nword)
			value = word[++*at];
		else
			return dcmd_usage_error(
			    l->dcmd, err, "option -%c needs a value", *p);
		if (rc != UMDB_OK)
			return rc;
		l->args.opt[(unsigned char)*p] = value;
		l->args.given[l->args.ngiven++] =
		    (struct dcmd_given){*p, value};
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

const char *const dcmd_profile_name[DCMD_PROFILES] = {
    "folded", "pprof", "html"};

/* "-html FILE" and the like; -1: that is not what stands there. */
static int
profile_option(const struct dcmd *d, const char *word)
{
	int i;

	for (i = 0; i < DCMD_PROFILES && (d->flags & DCMD_PROFILE) != 0; i++)
		if (word[0] == '-' &&
		    strcmp(word + 1, dcmd_profile_name[i]) == 0)
			return i;
	return -1;
}

/* Take options out of the words; what is left are the arguments. */
static int
parse_words(
    struct dcmd_line *l, char **word, size_t nword, struct umdb_error *err)
{
	bool options = true;
	size_t i, n = 0;
	int rc, form;

	for (i = 0; i < nword; i++) {
		if (options && strcmp(word[i], "--") == 0) {
			options = false;
		} else if (options && (strcmp(word[i], "-json") == 0 ||
					  strcmp(word[i], "--json") == 0)) {
			l->json = true;
		} else if (options && word[i][0] == '-' &&
			   long_option(l->dcmd, word[i] + 1) != 0) {
			l->args.opt[long_option(l->dcmd, word[i] + 1)] = "";
		} else if (options && profile_option(l->dcmd, word[i]) >= 0) {
			form = profile_option(l->dcmd, word[i]);
			rc = file_word(
			    l, word, nword, &i, &l->args.profile[form], err);
			if (rc != UMDB_OK)
				return rc;
		} else if (options && word[i][0] == '-' && word[i][1] != '\0' &&
			   word[i][1] != '>') {
			rc = parse_options(l, word, nword, &i, err);
			if (rc != UMDB_OK)
				return rc;
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

/* Make room for the argument that a pipe gives. */
static int
insert_dot(struct dcmd_line *l, struct umdb_error *err)
{
	const struct dcmd *d = l->dcmd;
	char **at = l->args.argv + d->dot;

	if (d->max == 0 || (d->flags & DCMD_NO_DOT) != 0)
		return dcmd_usage_error(
		    d, err, "it takes no address from a pipe");
	if (l->args.argc < d->dot)
		return dcmd_usage_error(d, err, "an argument is missing");
	memmove(at + 1, at, (size_t)(l->args.argc - d->dot) * sizeof(*at));
	*at = l->dot;
	l->args.argc++;
	return UMDB_OK;
}

/* The command, and its words without its name. */
static int
parse_name(struct dcmd_line *l, bool piped, char ***word, size_t *nword,
    struct umdb_error *err)
{
	const char *name = l->word[0];

	l->dcmd = dcmd_find(name);
	if (l->dcmd != NULL) {
		++*word;
		--*nword;
	} else if (walker_find(name) != NULL) {
		l->dcmd = dcmd_find("walk");
	} else {
		return error_set(err, UMDB_EUSAGE, 0,
		    piped ? "there is no command %.80s; for one of the shell "
			    "put ! in the place of |"
			  : "there is no command %.80s; \"help umem\" lists "
			    "them",
		    name);
	}
	l->name = name;
	return UMDB_OK;
}

/* usage_word - word @k of those that stand outside of brackets, or "" */
static const char *
usage_word(const char *usage, int k)
{
	for (;;) {
		usage += strspn(usage, " ]");
		if (*usage == '[')
			usage += strcspn(usage, "]");
		else if (*usage == '\0' || k-- == 0)
			return usage;
		else
			usage += strcspn(usage, " ");
	}
}

/* The usage calls things by name: "THREAD", "[-n N] CACHE|ADDR TYPE [EXPR]". */
static int
missing_argument(const struct dcmd *d, int given, struct umdb_error *err)
{
	const char *word = usage_word(d->usage, given);

	if (d->complete == COMPLETE_FILE)
		return dcmd_usage_error(d, err, "a file is missing");
	/* In MDB's notation it stands apart: what is given is the rest. */
	if (strncmp(d->usage, "ADDR", 4) == 0 || strncmp(word, "ADDR", 4) == 0)
		return dcmd_usage_error(d, err, "an address is missing");
	if (*word < 'A' || *word > 'Z')
		return dcmd_usage_error(d, err, "an argument is missing");
	return dcmd_usage_error(
	    d, err, "%.*s is missing", (int)strcspn(word, " "), word);
}

static int
parse(
    const char *line, bool piped, struct dcmd_line *ret, struct umdb_error *err)
{
	size_t nword = 0;
	const struct dcmd *d;
	char **word;
	int rc;

	memset(ret, 0, sizeof(*ret));
	ret->name = "umem";
	if (split(line, ret, &nword) != UMDB_OK)
		return error_set(err, UMDB_ENOMEM, 0, "out of memory");
	ret->json = wants_json(ret->word, nword);
	if (nword == 0)
		return error_set(err, UMDB_EUSAGE, 0,
		    "which command? \"help umem\" lists them");
	word = ret->word;
	rc = parse_name(ret, piped, &word, &nword, err);
	if (rc == UMDB_OK)
		rc = parse_words(ret, word, nword, err);
	if (rc == UMDB_OK && piped)
		rc = insert_dot(ret, err);
	if (rc != UMDB_OK)
		return rc;
	d = ret->dcmd;
	if (ret->args.argc < d->min)
		return missing_argument(d, ret->args.argc, err);
	if (d->max >= 0 && ret->args.argc > d->max)
		return dcmd_usage_error(
		    d, err, "%.80s is too much", ret->args.argv[d->max]);
	return UMDB_OK;
}

int
dcmd_parse(const char *line, struct dcmd_line *ret, struct umdb_error *err)
{
	return parse(line, false, ret, err);
}

int
dcmd_parse_piped(
    const char *line, struct dcmd_line *ret, struct umdb_error *err)
{
	return parse(line, true, ret, err);
}

void
dcmd_line_free(struct dcmd_line *line)
{
	free(line->expr);
	free(line->numbers);
	line->expr = line->numbers = NULL;
	free(line->text);
	free(line->word);
	free(line->args.given);
	line->args.given = NULL;
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
dcmd_close(struct dcmd_ctx *ctx)
{
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

bool
dcmd_is_new(const char *function)
{
	static const char prefix[] = "operator new";

	return function != NULL &&
	       strncmp(function, prefix, sizeof(prefix) - 1) == 0 &&
	       strchr("([", function[sizeof(prefix) - 1]) != NULL;
}

size_t
dcmd_caller(struct dcmd_ctx *ctx, const uint64_t *stack, size_t depth)
{
	size_t i;

	for (i = 0; i < depth; i++)
		if (!dcmd_is_new(out_frame(ctx->out, stack[i])->function))
			return i;
	return 0;
}

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
