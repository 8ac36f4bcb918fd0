/* SPDX-License-Identifier: MIT */
/*
 * mdb.c - commands in MDB's notation
 *
 * What stands before :: and what looks like a number behind it is evaluated
 * as MDB would, and goes to the command as "0x...", as if typed in umem's own
 * notation.  A name that could be a number in hexadecimal is a symbol if
 * there is such a symbol.
 *
 * Layer: see mdb.h.
 */
#include "mdb.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_LEN 24u /* "0x" and 16 digits */
#define NAME_MAX_LEN 256u
#define NESTED_MAX 32u

/* ------------------------------------------------------------- expressions */

struct parser {
	struct dcmd_ctx *ctx;
	const char *text, *p;
	unsigned nested;
	int rc;
};

static uint64_t parse_sum(struct parser *s);

static uint64_t
wrong(struct parser *s, const char *what)
{
	if (s->rc == UMDB_OK)
		s->rc = error_set(s->ctx->err, UMDB_EUSAGE, 0,
		    "%s in the expression %.100s", what, s->text);
	return 0;
}

static char
peek(struct parser *s)
{
	s->p += strspn(s->p, " \t");
	return *s->p;
}

/*
 * A number, in hexadecimal unless its start says else; false if the @len
 * characters are none, or it needs more than 64 bits.
 */
static bool
mdb_number(const char *text, size_t len, uint64_t *ret)
{
	unsigned base = 16, digit;
	size_t i = 0;

	if (len > 2 && text[0] == '0') {
		switch (text[1]) {
		case 't':
		case 'T':
			base = 10;
			break;
		case 'o':
		case 'O':
			base = 8;
			break;
		case 'i':
		case 'I':
			base = 2;
			break;
		default:
			base = text[1] == 'x' || text[1] == 'X' ? 17 : 16;
			break;
		}
		i = base != 16 ? 2 : 0;
		base = base == 17 ? 16 : base;
	}
	for (*ret = 0; i < len; i++) {
		const char c = (char)tolower((unsigned char)text[i]);

		digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			: c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
					       : 99;
		if (digit >= base ||
		    __builtin_mul_overflow(*ret, (uint64_t)base, ret) ||
		    __builtin_add_overflow(*ret, (uint64_t)digit, ret))
			return false;
	}
	return len > 0;
}

static bool
lookup(struct dcmd_ctx *ctx, const char *text, uint64_t *ret)
{
	uint64_t size;

	return ctx->lookup != NULL &&
	       ctx->lookup(ctx->lookup_arg, text, ret, &size) == UMDB_OK;
}

/* "libc.so.6", "libc" for a mapping of /lib/libc.so.6; a.out is the program */
static bool
in_module(struct dcmd_ctx *ctx, const char *module, taddr_t addr)
{
	const struct target_region *r = NULL;
	const char *base;
	size_t n = strlen(module);

	if (strcmp(module, "a.out") == 0)
		return true;
	if (ctx->tgt != NULL)
		r = target_region_at(ctx->tgt, addr);
	if (r == NULL)
		return false;
	base = strrchr(r->name, '/');
	base = base != NULL ? base + 1 : r->name;
	return strncmp(base, module, n) == 0 &&
	       (base[n] == '\0' || base[n] == '.' || base[n] == '-');
}

/* The address of a symbol, module`name or name. */
static bool
symbol(struct dcmd_ctx *ctx, const char *text, uint64_t *ret)
{
	char name[NAME_MAX_LEN], module[NAME_MAX_LEN] = "";
	const char *tick = strchr(text, '`');
	char ref[NAME_MAX_LEN + 8];

	if (tick != NULL)
		snprintf(
		    module, sizeof(module), "%.*s", (int)(tick - text), text);
	snprintf(name, sizeof(name), "%s", tick != NULL ? tick + 1 : text);
	snprintf(ref, sizeof(ref), "&(%s)", name);
	if (!lookup(ctx, ref, ret) && !lookup(ctx, name, ret))
		return false;
	return tick == NULL || in_module(ctx, module, *ret);
}

static bool
in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' ||
	       c == '`' || c == '@';
}

/* A number, a symbol or a register. */
static uint64_t
parse_word(struct parser *s)
{
	const bool reg = *s->p == '<';
	char word[NAME_MAX_LEN];
	uint64_t value = 0;
	size_t n;

	s->p += reg ? 1 : 0;
	for (n = 0; in_name(s->p[n]) ||
		    (s->p[n] == ':' && s->p[n + 1] == ':' && n > 0) ||
		    (s->p[n] == ':' && n > 0 && s->p[n - 1] == ':');
	     n++)
		;
	if (n == 0)
		return wrong(s, "something is missing");
	if (n + 2 > sizeof(word))
		return wrong(s, "a name is too long");
	snprintf(word, sizeof(word), "%s%.*s", reg ? "$" : "", (int)n, s->p);
	s->p += n;
	if (reg) {
		if (!lookup(s->ctx, word, &value))
			return wrong(s, "there is an unknown register");
	} else if (isdigit((unsigned char)word[0])) {
		if (!mdb_number(word, n, &value))
			return wrong(s, "there is a number that is none");
	} else if (!symbol(s->ctx, word, &value) &&
		   !mdb_number(word, n, &value)) {
		return wrong(s, "there is an unknown symbol");
	}
	return value;
}

/* The word at an address, as *session_cache. */
static uint64_t
load(struct parser *s, taddr_t addr)
{
	struct target *tgt = s->ctx->tgt;
	uint64_t value = 0;

	if (s->rc == UMDB_OK &&
	    (tgt == NULL || target_read(tgt, addr, &value, sizeof(value),
				"word") != UMDB_OK))
		return wrong(s, "there is an address that cannot be read");
	return value;
}

static uint64_t
parse_term(struct parser *s)
{
	uint64_t value;

	if (++s->nested > NESTED_MAX)
		return wrong(s, "there are too many parentheses");
	switch (peek(s)) {
	case '-':
		s->p++;
		value = -parse_term(s);
		break;
	case '~':
		s->p++;
		value = ~parse_term(s);
		break;
	case '*':
		s->p++;
		value = load(s, parse_term(s));
		break;
	case '(':
		s->p++;
		value = parse_sum(s);
		if (peek(s) != ')')
			return wrong(s, "a parenthesis is not closed");
		s->p++;
		break;
	default:
		value = parse_word(s);
		break;
	}
	s->nested--;
	return value;
}

static uint64_t
parse_product(struct parser *s)
{
	uint64_t value = parse_term(s), by;
	char op;

	while (s->rc == UMDB_OK) {
		op = peek(s);
		if (op != '*' && op != '%' && op != '&')
			break;
		s->p++;
		by = parse_term(s);
		if (op == '%' && by == 0)
			return wrong(s, "there is a division by zero");
		value = op == '*'   ? value * by
			: op == '&' ? value & by
			: by != 0   ? value / by
				    : 0;
	}
	return value;
}

static uint64_t
parse_sum(struct parser *s)
{
	uint64_t value = parse_product(s);
	char op;

	while (s->rc == UMDB_OK) {
		op = peek(s);
		if (op != '+' && op != '-')
			break;
		s->p++;
		value += op == '+' ? parse_product(s) : -parse_product(s);
	}
	return value;
}

int
mdb_value(struct dcmd_ctx *ctx, const char *text, uint64_t *ret)
{
	struct parser s = {.ctx = ctx, .text = text, .p = text};

	*ret = parse_sum(&s);
	if (s.rc == UMDB_OK && peek(&s) != '\0')
		wrong(&s, "there is something behind the end");
	return s.rc;
}

/* ----------------------------------------------------------------- parsing */

static bool
starts_name(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

/*
 * The :: that a command's name and then a blank or the end follow; others
 * belong to a C++ name.  NULL if there is none.
 */
static const char *
find_verb(const char *text)
{
	const char *p = text, *end;
	char open;

	for (;; p++) {
		p = dcmd_unquoted(p, ":", &open);
		if (*p == '\0')
			return NULL;
		if (p[1] != ':' || !starts_name(p[2]))
			continue;
		for (end = p + 2; isalnum((unsigned char)*end) || *end == '_';
		     end++)
			;
		if (*end == '\0' || isspace((unsigned char)*end))
			return p;
	}
}

static size_t
trimmed(const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	return len;
}

/*
 * "[EXPRESSION[,COUNT]]/FORMAT" as the command that does it; the expression
 * ends at *len_ret.  NULL without memory.
 */
static char *
format_command(const char *text, const char *slash, size_t *len_ret)
{
	const char *comma = memchr(text, ',', (size_t)(slash - text));
	char *line = NULL;
	uint64_t count = 0;
	size_t n;

	*len_ret = (size_t)((comma != NULL ? comma : slash) - text);
	if (comma != NULL) {
		comma += 1 + strspn(comma + 1, " \t");
		n = trimmed(comma, (size_t)(slash - comma));
		if (!mdb_number(comma, n, &count))
			count = UINT64_MAX; /* refused by the command */
	}
	if (comma != NULL)
		n = (size_t)asprintf(
		    &line, "examine -c %" PRIu64 " -- %s", count, slash + 1);
	else
		n = (size_t)asprintf(&line, "examine -- %s", slash + 1);
	return n == (size_t)-1 ? NULL : line;
}

static int
parse_command(
    const char *line, bool dot, struct dcmd_line *ret, struct umdb_error *err)
{
	return dot ? dcmd_parse_piped(line, ret, err)
		   : dcmd_parse(line, ret, err);
}

int
mdb_parse(
    const char *text, bool piped, struct dcmd_line *ret, struct umdb_error *err)
{
	const char *verb, *slash;
	char *command = NULL;
	size_t len;
	char open;
	int rc;

	memset(ret, 0, sizeof(*ret));
	ret->name = "mdb";
	text += strspn(text, " \t");
	verb = find_verb(text);
	slash = dcmd_unquoted(text, "/", &open);
	if (verb == NULL && *slash == '\0')
		return error_set(err, UMDB_EUSAGE, 0,
		    "%.80s is no command: what is wanted is EXPRESSION::COMMAND"
		    " or EXPRESSION/FORMAT",
		    text);
	if (verb == NULL) {
		command = format_command(text, slash, &len);
		if (command == NULL)
			return error_set(err, UMDB_ENOMEM, 0, "out of memory");
	} else {
		len = (size_t)(verb - text);
	}
	len = trimmed(text, len);
	if (piped && len > 0)
		rc = error_set(err, UMDB_EUSAGE, 0,
		    "the pipe gives an address, and %.80s is another", text);
	else
		rc = parse_command(command != NULL ? command : verb + 2,
		    piped || len > 0, ret, err);
	free(command);
	if (rc != UMDB_OK)
		return rc;
	ret->expr = strndup(text, len);
	return ret->expr != NULL
		   ? UMDB_OK
		   : error_set(err, UMDB_ENOMEM, 0, "out of memory");
}

/* --------------------------------------------------------------- arguments */

/*
 * A function's name goes to a command that wants one as it is: messages look
 * better then.
 */
static bool
is_function(struct dcmd_ctx *ctx, const char *text)
{
	uint64_t addr, size = 0;

	return starts_name(text[0]) && strchr(text, '`') == NULL &&
	       ctx->lookup != NULL &&
	       ctx->lookup(ctx->lookup_arg, text, &addr, &size) == UMDB_OK &&
	       size > 0;
}

static int
resolve_dot(struct dcmd_ctx *ctx, struct dcmd_line *l)
{
	uint64_t value;
	int rc;

	if (l->expr[0] == '\0')
		return UMDB_OK;
	if (l->dcmd->complete == COMPLETE_SYMBOL && is_function(ctx, l->expr)) {
		l->args.argv[l->dcmd->dot] = l->expr;
		return UMDB_OK;
	}
	rc = mdb_value(ctx, l->expr, &value);
	if (rc == UMDB_OK)
		snprintf(l->dot, sizeof(l->dot), "0x%" PRIx64, value);
	return rc;
}

/*
 * An argument, which may be a number in MDB's notation or module`name; a name
 * only where a number is meant, as with most options.
 */
static int
resolve_word(struct dcmd_ctx *ctx, const char **word, bool option, char *number)
{
	const char *text = *word;
	uint64_t value, at;
	int rc = UMDB_OK;

	if (strchr(text, '`') != NULL)
		rc = mdb_value(ctx, text, &value);
	else if (!mdb_number(text, strlen(text), &value) ||
		 (!isdigit((unsigned char)text[0]) &&
		     (!option || symbol(ctx, text, &at))))
		return UMDB_OK;
	if (rc == UMDB_OK) {
		snprintf(number, NUMBER_LEN, "0x%" PRIx64, value);
		*word = number;
	}
	return rc;
}

int
mdb_resolve(struct dcmd_ctx *ctx, struct dcmd_line *l)
{
	const size_t nopt = sizeof(l->args.opt) / sizeof(l->args.opt[0]);
	const char *word;
	size_t i, n = 0;
	int rc, k;

	if (l->expr == NULL)
		return UMDB_OK;
	rc = resolve_dot(ctx, l);
	if (rc != UMDB_OK || (l->dcmd->flags & DCMD_RAW_ARGS) != 0)
		return rc;
	for (i = 0; i < nopt; i++)
		n += l->args.opt[i] != NULL;
	l->numbers = calloc(n + (size_t)l->args.argc + 1, NUMBER_LEN);
	if (l->numbers == NULL)
		return error_set(ctx->err, UMDB_ENOMEM, 0, "out of memory");
	for (i = n = 0; i < nopt && rc == UMDB_OK; i++)
		if (l->args.opt[i] != NULL && l->args.opt[i][0] != '\0')
			rc = resolve_word(ctx, &l->args.opt[i], true,
			    l->numbers + NUMBER_LEN * n++);
	for (k = 0; k < l->args.argc && rc == UMDB_OK; k++) {
		word = l->args.argv[k];
		if (word == l->dot || word == l->expr)
			continue;
		rc = resolve_word(
		    ctx, &word, false, l->numbers + NUMBER_LEN * n++);
		l->args.argv[k] = (char *)(uintptr_t)word;
	}
	return rc;
}
