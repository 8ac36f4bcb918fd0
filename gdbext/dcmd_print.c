/* SPDX-License-Identifier: MIT */
/*
 * dcmd_print.c - umem print
 *
 * Buffers as types of the program.  The debugger evaluates and formats, with
 * its settings and pretty printers; here are only the buffers, and what is
 * made of an expression for each of them.
 *
 * Layer: see dcmd.h.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dcmd_run.h"

#define TEXT_MAX 1024u

struct print_run {
	struct dcmd_ctx *ctx;
	char type[TEXT_MAX / 2];
	const char *expr; /* NULL: the whole */
	bool in_table;
};

/* ------------------------------------------------------------------ words */

/* Words of a type that another one follows: "struct session". */
static bool
type_goes_on(const char *word)
{
	static const char *const words[] = {"struct", "union", "enum", "class",
	    "const", "volatile", "unsigned", "signed", "long", "short"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* "std::vector<int," of a template: its arguments go on. */
static bool
template_goes_on(const char *type)
{
	int depth = 0;

	for (; *type != '\0'; type++)
		depth += (*type == '<') - (*type == '>');
	return depth > 0;
}

/* TYPE, which may have several words, and EXPR: none of them has a $. */
static int
parse_words(struct print_run *r, const struct dcmd_args *args)
{
	size_t len = 0;
	int i = 1, n;

	do {
		n = snprintf(r->type + len, sizeof(r->type) - len, "%s%s",
		    i > 1 ? " " : "", args->argv[i]);
		if (n < 0 || (size_t)n >= sizeof(r->type) - len)
			return dcmd_usage_error(r->ctx->dcmd, r->ctx->err,
			    "the name of the type is too long");
		len += (size_t)n;
		i++;
	} while (
	    (type_goes_on(args->argv[i - 1]) || template_goes_on(r->type)) &&
	    i < args->argc && strchr(args->argv[i], '$') == NULL);
	if (i < args->argc)
		r->expr = args->argv[i++];
	if (i < args->argc)
		return dcmd_usage_error(r->ctx->dcmd, r->ctx->err,
		    "%.80s is too much: an expression with blanks needs quotes",
		    args->argv[i]);
	return UMDB_OK;
}

/* A $ that stands for the object, and not for a name of the debugger's. */
static bool
is_object(const char *p)
{
	return p[0] == '$' && !isalnum((unsigned char)p[1]) && p[1] != '_' &&
	       p[1] != '$';
}

static bool
names_object(const char *expr)
{
	for (; *expr != '\0'; expr++)
		if (is_object(expr))
			return true;
	return false;
}

/* The expression for one buffer; false when it is too long. */
static bool
expression(const struct print_run *r, taddr_t addr, char *buf, size_t size)
{
	const char *expr = r->expr != NULL ? r->expr : "";
	char object[TEXT_MAX];
	size_t len, n;

	snprintf(
	    object, sizeof(object), "(*(%s *) 0x%" PRIx64 ")", r->type, addr);
	len = (size_t)snprintf(buf, size, "output ");
	if (expr[0] == '\0')
		return (size_t)snprintf(buf, size, "output %s", object) < size;
	if (!names_object(expr)) {
		const bool member =
		    isalpha((unsigned char)*expr) || *expr == '_';

		return (size_t)snprintf(buf, size, "output %s%s%s", object,
			   member ? "." : "", expr) < size;
	}
	for (; *expr != '\0' && len < size; expr++, len += n) {
		n = 1;
		if (is_object(expr))
			n = (size_t)snprintf(
			    buf + len, size - len, "%s", object);
		else
			buf[len] = *expr;
	}
	if (len >= size)
		return false;
	buf[len] = '\0';
	return true;
}

/* ------------------------------------------------------------------- type */

static int
ask(struct print_run *r, const char *command, const char **text)
{
	struct dcmd_ctx *ctx = r->ctx;

	*text = "";
	if (ctx->execute == NULL)
		return error_set(ctx->err, UMDB_ETARGET, 0,
		    "there is no debugger to print it");
	return ctx->execute(ctx->execute_arg, command, text);
}

/* Once, instead of one complaint for each buffer. */
static int
check_type(struct print_run *r)
{
	static const char *const prefix[] = {"", "struct ", "union "};
	char command[TEXT_MAX], whole[sizeof(r->type)], first[256] = "";
	const char *text;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
		snprintf(whole, sizeof(whole), "%s%.400s", prefix[i], r->type);
		snprintf(command, sizeof(command), "output (%s *) 0", whole);
		rc = ask(r, command, &text);
		if (rc == UMDB_OK) {
			strcpy(r->type, whole);
			return UMDB_OK;
		}
		if (rc != UMDB_ENOTFOUND)
			return rc;
		if (i == 0)
			snprintf(first, sizeof(first), "%.*s",
			    (int)strcspn(text, "\n"), text);
	}
	return error_set(r->ctx->err, UMDB_EUSAGE, 0,
	    "%.80s is no type that GDB knows: %s", r->type, first);
}

/* ---------------------------------------------------------------- buffers */

static const struct out_column print_columns[] = {
    {"addr", NULL, OUT_ADDR, 0},
    {"type", NULL, OUT_TEXT, 0},
    {"value", NULL, OUT_TEXT, 0},
    {"error", NULL, OUT_TEXT, 0},
};

static void
put_row(struct print_run *r, taddr_t addr, const char *text, bool good)
{
	struct out *o = r->ctx->out;

	out_row(o);
	out_uint(o, addr);
	out_text(o, r->type);
	if (good) {
		out_text(o, text);
		out_null(o);
	} else {
		out_null(o);
		out_text(o, text);
	}
	out_row_end(o);
}

static void
put_lines(struct out *o, taddr_t addr, const char *text, bool good)
{
	size_t n = strcspn(text, "\n");

	out_line(o,
	    good ? "0x%" PRIx64 ": %.*s" : "0x%" PRIx64 ": <error: %.*s>", addr,
	    (int)n, text);
	for (text += n; good && *text == '\n' && text[1] != '\0'; text += n) {
		n = strcspn(++text, "\n");
		out_line(o, "%.*s", (int)n, text);
	}
}

/* What cannot be printed is said in its place. */
static int
print_one(struct print_run *r, taddr_t addr)
{
	char command[2 * TEXT_MAX];
	const char *text;
	int rc;

	if (!expression(r, addr, command, sizeof(command)))
		return dcmd_usage_error(
		    r->ctx->dcmd, r->ctx->err, "the expression is too long");
	rc = ask(r, command, &text);
	if (rc != UMDB_OK && rc != UMDB_ENOTFOUND)
		return rc;
	if (out_is_json(r->ctx->out))
		put_row(r, addr, text, rc == UMDB_OK);
	else
		put_lines(r->ctx->out, addr, text, rc == UMDB_OK);
	return UMDB_OK;
}

/* All allocated buffers of a cache, in order of address. */
static int
print_cache(struct print_run *r, const struct snap_cache *c, uint64_t most)
{
	struct snap *snap = r->ctx->snap;
	uint64_t done = 0;
	uint32_t i;
	size_t n;
	int rc;

	for (n = 0; n < snap->nslab; n++) {
		const struct snap_slab *s = &snap->slab[n];

		if (&snap->cache[s->cache] != c)
			continue;
		for (i = 0; i < s->nchunk; i++) {
			if (out_stopped(r->ctx->out) || done == most)
				break;
			if (snap_buf_state(snap, s, i) != BUF_ALLOCATED)
				continue;
			done++;
			rc = print_one(r, snap_buf_addr(s, i));
			if (rc != UMDB_OK)
				return rc;
		}
	}
	out_fact_uint(r->ctx->out, "buffers", OUT_UINT, c->nalloc);
	if (done < c->nalloc && !out_stopped(r->ctx->out))
		out_line(r->ctx->out,
		    "%" PRIu64 " more of %" PRIu64 " allocated buffers",
		    c->nalloc - done, c->nalloc);
	else if (c->nalloc == 0)
		out_line(r->ctx->out, "no buffer of %s is allocated",
		    c->c.cache_name);
	return UMDB_OK;
}

static const struct snap_cache *
cache_called(const struct snap *snap, const char *name)
{
	uint32_t i;

	for (i = 0; i < snap->ncache; i++)
		if (strcmp(snap->cache[i].c.cache_name, name) == 0)
			return &snap->cache[i];
	return NULL;
}

/* CACHE is meant, unless it is an address; then what it is like is said. */
static int
print_what(struct print_run *r, const char *what, uint64_t most)
{
	const struct snap_cache *c = cache_called(r->ctx->snap, what);
	taddr_t addr;
	int rc;

	if (c != NULL && (c->c.cache_cflags & UMC_QCACHE) != 0)
		return error_set(r->ctx->err, UMDB_EUSAGE, c->addr,
		    "the buffers of %s are segments of an arena: umem walk "
		    "umem %s lists them",
		    c->c.cache_name, c->c.cache_name);
	if (c != NULL)
		return print_cache(r, c, most);
	rc = dcmd_address(r->ctx, what, &addr);
	if (rc == UMDB_OK)
		return print_one(r, addr);
	if (snap_cache_named(r->ctx->snap, what, &c) == UMDB_ENOTFOUND)
		return error_set(r->ctx->err, UMDB_EUSAGE, 0,
		    "%.80s is no address, and %s", what, r->ctx->tgt->err.msg);
	return rc;
}

int
dcmd_print(struct dcmd_ctx *ctx, const struct dcmd_args *args)
{
	struct print_run r = {.ctx = ctx};
	uint64_t most = UINT64_MAX;
	int rc = UMDB_OK;

	if (args->opt['n'] != NULL)
		rc = dcmd_number(ctx, "-n", args->opt['n'], &most);
	if (rc == UMDB_OK)
		rc = parse_words(&r, args);
	if (rc == UMDB_OK)
		rc = check_type(&r);
	if (rc != UMDB_OK)
		return rc;
	out_table(ctx->out, print_columns, 4);
	rc = print_what(&r, args->argv[0], most);
	out_table_end(ctx->out);
	return rc;
}
