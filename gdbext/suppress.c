/* SPDX-License-Identifier: MIT */
/*
 * suppress.c - leaks that are known and not to be reported
 *
 * Layer: see suppress.h.
 */
#include "suppress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find.h"
#include "savefile.h"

enum line_kind { LINE_ANY, LINE_FUNCTION, LINE_OBJECT, LINE_SOURCE };

struct suppress_line {
	enum line_kind kind;
	char *text;
};

#define ALL_KINDS \
	(1u << LEAK_DEFINITE | 1u << LEAK_INDIRECT | 1u << LEAK_POSSIBLE)

struct reader {
	const char *path;
	struct umdb_error *err;
	FILE *file;
	char *line; /* without blanks around it */
	size_t room;
	uint64_t number;
	bool no_text;
	struct suppress *s;
};

/* ----------------------------------------------------------------- reading */

static int
refuse(const struct reader *r, const char *what)
{
	return error_set(r->err, UMDB_EIO, 0, "%.250s, line %" PRIu64 ": %s",
	    r->path, r->number, what);
}

static int
no_memory(const struct reader *r)
{
	return error_set(r->err, UMDB_ENOMEM, 0, "out of memory");
}

/* The next line that says something; NULL behind the last one. */
static char *
next_line(struct reader *r)
{
	ssize_t n;
	char *p;

	while (
	    (n = savefile_line(r->file, &r->line, &r->room)) != SAVEFILE_END) {
		r->number++;
		r->no_text = n == SAVEFILE_NO_TEXT;
		if (r->no_text)
			return NULL;
		p = r->line + n;
		while (p > r->line && strchr(" \t\r\n", p[-1]) != NULL)
			*--p = '\0';
		p = r->line + strspn(r->line, " \t");
		if (p[0] != '\0' && p[0] != '#')
			return p;
	}
	return NULL;
}

static struct suppress_rule *
add_rule(struct suppress *s, const char *name)
{
	const size_t room = s->room == 0 ? 16 : s->room * 2;
	struct suppress_rule *more;

	if (s->n == s->room) {
		more = realloc(s->rule, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		s->rule = more;
		s->room = room;
	}
	more = &s->rule[s->n];
	memset(more, 0, sizeof(*more));
	more->kinds = ALL_KINDS;
	more->name = strdup(name);
	if (more->name == NULL)
		return NULL;
	s->n++;
	return more;
}

static bool
add_line(struct suppress_rule *rule, enum line_kind kind, const char *text)
{
	const size_t room = rule->room == 0 ? 8 : rule->room * 2;
	struct suppress_line *more;

	if (rule->nline == rule->room) {
		more = realloc(rule->line, room * sizeof(*more));
		if (more == NULL)
			return false;
		rule->line = more;
		rule->room = room;
	}
	more = &rule->line[rule->nline];
	more->kind = kind;
	more->text = strdup(text);
	if (more->text == NULL)
		return false;
	rule->nline++;
	return true;
}

/* LeakSanitizer's pattern as one that matches the whole text. */
static int
read_pattern(struct reader *r, const char *text)
{
	const size_t len = strlen(text);
	const bool tied = text[0] == '^';
	const bool ended = len > 0 && text[len - 1] == '$';
	struct suppress_rule *rule = add_rule(r->s, text);
	char *glob;
	bool ok;

	if (rule == NULL ||
	    asprintf(&glob, "%s%.*s%s", tied ? "" : "*",
		(int)(len - tied - ended), text + tied, ended ? "" : "*") < 0)
		return no_memory(r);
	rule->anywhere = true;
	ok = add_line(rule, LINE_ANY, glob);
	free(glob);
	return ok ? UMDB_OK : no_memory(r);
}

static int
read_simple(struct reader *r, const char *line)
{
	static const char *const others[] = {
	    "race:", "race_top:", "mutex:", "thread:", "deadlock:", "signal:",
	    "called_from_lib:", "interceptor_name:", "interceptor_via_fun:",
	    "interceptor_via_lib:", "odr_violation:", "alloc_dealloc:"};
	size_t i;

	if (strncmp(line, "leak:", 5) == 0) {
		if (line[5] == '\0' || strcmp(line + 5, "^") == 0 ||
		    strcmp(line + 5, "$") == 0)
			return refuse(r, "the pattern is empty");
		return read_pattern(r, line + 5);
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strncmp(line, others[i], strlen(others[i])) == 0) {
			r->s->skipped++;
			return UMDB_OK;
		}
	}
	return refuse(r, "neither leak:PATTERN nor \"{\" stands here");
}

/* "definite,possible"; false if there is no such kind. */
static bool
read_kinds(const char *text, unsigned *kinds_ret)
{
	static const struct {
		const char *word;
		unsigned kinds;
	} words[] = {
	    {"definite", 1u << LEAK_DEFINITE},
	    {"indirect", 1u << LEAK_INDIRECT},
	    {"possible", 1u << LEAK_POSSIBLE},
	    {"reachable", 0},
	    {"all", ALL_KINDS},
	    {"none", 0},
	};
	const size_t nword = sizeof(words) / sizeof(words[0]);
	size_t i, n;

	*kinds_ret = 0;
	for (text += strspn(text, ", \t"); *text != '\0';
	     text += n + strspn(text + n, ", \t")) {
		n = strcspn(text, ", \t");
		for (i = 0; i < nword; i++)
			if (strlen(words[i].word) == n &&
			    strncmp(text, words[i].word, n) == 0)
				break;
		if (i == nword)
			return false;
		*kinds_ret |= words[i].kinds;
	}
	return true;
}

/* A line of a rule for leaks. */
static int
read_frame(struct reader *r, struct suppress_rule *rule, const char *line)
{
	static const char matches[] = "match-leak-kinds:";
	bool ok;

	if (strncmp(line, matches, sizeof(matches) - 1) == 0) {
		if (read_kinds(line + sizeof(matches) - 1, &rule->kinds))
			return UMDB_OK;
		return refuse(r, "a kind is definite, indirect, possible, "
				 "reachable, all or none");
	}
	if (strcmp(line, "...") == 0)
		ok = add_line(rule, LINE_ANY, line);
	else if (strncmp(line, "fun:", 4) == 0)
		ok = add_line(rule, LINE_FUNCTION, line + 4);
	else if (strncmp(line, "obj:", 4) == 0)
		ok = add_line(rule, LINE_OBJECT, line + 4);
	else if (strncmp(line, "src:", 4) == 0)
		ok = add_line(rule, LINE_SOURCE, line + 4);
	else
		return refuse(r, "neither fun: nor obj: nor src: nor ... nor "
				 "} stands here");
	return ok ? UMDB_OK : no_memory(r);
}

/* "Memcheck,Other:Leak" */
static bool
is_leak_rule(const char *line)
{
	const char *colon = strchr(line, ':');

	return colon != NULL && strcmp(colon + 1, "Leak") == 0 &&
	       memmem(line, (size_t)(colon - line), "Memcheck", 8) != NULL;
}

/* What stands between "{" and "}". */
static int
read_block(struct reader *r)
{
	struct suppress_rule *rule;
	char *line = next_line(r), *name;
	int rc = UMDB_OK;

	if (line == NULL || strcmp(line, "}") == 0)
		return refuse(r, "a rule needs a name");
	name = strdup(line);
	line = name != NULL ? next_line(r) : NULL;
	if (line == NULL || strchr(line, ':') == NULL) {
		rc = name == NULL ? no_memory(r)
				  : refuse(r, "Tool:Kind must follow the name");
		free(name);
		return rc;
	}
	rule = is_leak_rule(line) ? add_rule(r->s, name) : NULL;
	if (rule == NULL && is_leak_rule(line))
		rc = no_memory(r);
	r->s->skipped += rule == NULL;
	free(name);
	while (rc == UMDB_OK) {
		line = next_line(r);
		if (line == NULL)
			return refuse(r, "\"}\" is missing");
		if (strcmp(line, "}") == 0)
			break;
		if (rule != NULL)
			rc = read_frame(r, rule, line);
	}
	if (rc == UMDB_OK && rule != NULL && rule->nline == 0)
		return refuse(r, "the rule has no frames");
	return rc;
}

int
suppress_read(const char *path, struct suppress **ret, struct umdb_error *err)
{
	struct reader r = {.path = path, .err = err, .s = *ret};
	char *name = savefile_expand(path), *line;
	int rc = UMDB_OK;

	if (r.s == NULL)
		*ret = r.s = calloc(1, sizeof(*r.s));
	if (r.s == NULL || name == NULL)
		rc = no_memory(&r);
	else if ((r.file = fopen(name, "re")) == NULL)
		rc = error_set(err, UMDB_EIO, 0, "%.300s cannot be read: %s",
		    path, strerror(errno));
	while (rc == UMDB_OK && (line = next_line(&r)) != NULL)
		rc = strcmp(line, "{") == 0 ? read_block(&r)
					    : read_simple(&r, line);
	if (r.no_text)
		rc = refuse(&r, "this is no text, or has a line that is too "
				"long");
	else if (rc == UMDB_OK && ferror(r.file))
		rc = error_set(err, UMDB_EIO, 0, "%.300s cannot be read: %s",
		    path, strerror(errno));
	if (r.file != NULL)
		fclose(r.file);
	free(name);
	free(r.line);
	return rc;
}

void
suppress_free(struct suppress *s)
{
	size_t i, k;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++) {
		for (k = 0; k < s->rule[i].nline; k++)
			free(s->rule[i].line[k].text);
		free(s->rule[i].line);
		free(s->rule[i].name);
	}
	free(s->rule);
	free(s);
}

void
suppress_linkage(struct suppress *s, suppress_linkage_fn *fn, void *arg)
{
	s->linkage = fn;
	s->linkage_arg = arg;
}

/* ---------------------------------------------------------------- matching */

bool
suppress_glob(const char *p, const char *text, bool question)
{
	const char *star = NULL, *again = NULL;

	while (*text != '\0') {
		if (*p == '*') {
			star = p++;
			again = text;
		} else if (*p == *text || (question && *p == '?')) {
			p++;
			text++;
		} else if (star != NULL) {
			p = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return *p == '\0';
}

/* glibc's functions may have names from inside: "__GI___strdup". */
static bool
function_matches(const char *pattern, const char *name)
{
	if (suppress_glob(pattern, name, true))
		return true;
	if (strncmp(name, "__GI_", 5) != 0)
		return false;
	name += 5;
	return suppress_glob(pattern, name, true) ||
	       suppress_glob(pattern, name + strspn(name, "_"), true);
}

/* The linker's name, where the debugger's may be another. */
static const char *
linkage_of(const struct suppress *s, const struct out_frame *f)
{
	if (s->linkage == NULL || (strchr(f->function, '(') == NULL &&
				      strstr(f->function, "::") == NULL))
		return NULL;
	return s->linkage(s->linkage_arg, f);
}

static bool
is_of_function(
    const struct suppress *s, const char *pattern, const struct out_frame *f)
{
	const char *name;

	if (f->function == NULL)
		return false;
	if (function_matches(pattern, f->function))
		return true;
	name = linkage_of(s, f);
	return name != NULL && function_matches(pattern, name);
}

/* "foo.c" or "foo.c:12"; of a pattern without directories the last part. */
static bool
source_matches(const char *pattern, const struct out_frame *f)
{
	const char *slash = strrchr(f->file, '/'), *file = f->file;
	char text[512];

	if (strchr(pattern, '/') == NULL && slash != NULL)
		file = slash + 1;
	if (suppress_glob(pattern, file, true))
		return true;
	snprintf(text, sizeof(text), "%s:%d", file, f->line);
	return suppress_glob(pattern, text, true);
}

static bool
line_matches(const struct suppress *s, const struct suppress_line *l,
    const struct out_frame *f)
{
	switch (l->kind) {
	case LINE_FUNCTION:
		return is_of_function(s, l->text, f);
	case LINE_OBJECT:
		return suppress_glob(
		    l->text, f->module != NULL ? f->module : "???", true);
	case LINE_SOURCE:
		return f->file != NULL && source_matches(l->text, f);
	default:
		return true;
	}
}

/* Lines against frames from the innermost on; as suppress_glob does it. */
static bool
lines_match(const struct suppress *s, const struct suppress_line *l, size_t n,
    const struct out_frame *const *frame, size_t depth)
{
	size_t i = 0, k = 0, star = SIZE_MAX, again = 0;

	while (i < n) {
		if (l[i].kind == LINE_ANY) {
			star = ++i;
			again = k;
		} else if (k < depth && line_matches(s, &l[i], frame[k])) {
			i++;
			k++;
		} else if (star != SIZE_MAX && again < depth) {
			i = star;
			k = ++again;
		} else {
			return false;
		}
	}
	return true;
}

/* Functions that Valgrind takes the place of, and so has in its stacks. */
static bool
is_allocator(const char *name)
{
	static const char *const names[] = {"malloc", "calloc", "realloc",
	    "reallocarray", "memalign", "posix_memalign", "aligned_alloc",
	    "valloc", "pvalloc", "operator new*", "_Znwm*", "_Znam*"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (suppress_glob(names[i], name, false))
			return true;
	return false;
}

static bool
stack_matches(const struct suppress *s, const struct suppress_rule *rule,
    const struct out_frame *const *frame, size_t depth)
{
	const struct suppress_line *l = rule->line;

	if (lines_match(s, l, rule->nline, frame, depth))
		return true;
	if (l->kind != LINE_FUNCTION ||
	    (!is_allocator(l->text) && strcmp(l->text, "*alloc") != 0))
		return false;
	/* those that our stacks have too may stand in the rule, or not */
	for (;; frame++, depth--) {
		if (lines_match(s, l + 1, rule->nline - 1, frame, depth))
			return true;
		if (depth == 0 || frame[0]->function == NULL ||
		    !is_allocator(frame[0]->function))
			return false;
	}
}

/*
 * LeakSanitizer has names as people write them, so what the compiler made of
 * one does not count; but of main() and extern "C" it is what they wrote.
 */
static bool
is_named(
    const struct suppress *s, const char *pattern, const struct out_frame *f)
{
	const char *name;

	if (suppress_glob(pattern, f->function, false))
		return true;
	name = linkage_of(s, f);
	return name != NULL && strncmp(name, "_Z", 2) != 0 &&
	       suppress_glob(pattern, name, false);
}

static bool
any_matches(const struct suppress *s, const struct suppress_rule *rule,
    const struct out_frame *const *frame, size_t depth)
{
	const char *pattern = rule->line->text;
	size_t i;

	for (i = 0; i < depth; i++) {
		const struct out_frame *f = frame[i];

		if ((f->function != NULL && is_named(s, pattern, f)) ||
		    (f->file != NULL &&
			suppress_glob(pattern, f->file, false)) ||
		    (f->module != NULL &&
			suppress_glob(pattern, f->module, false)))
			return true;
	}
	return false;
}

struct suppress_rule *
suppress_match(struct suppress *s, unsigned kind,
    const struct out_frame *const *frame, size_t depth)
{
	size_t i;

	for (i = 0; i < s->n && depth > 0; i++) {
		struct suppress_rule *rule = &s->rule[i];

		if ((rule->kinds & 1u << kind) == 0)
			continue;
		if (rule->anywhere ? any_matches(s, rule, frame, depth)
				   : stack_matches(s, rule, frame, depth))
			return rule;
	}
	return NULL;
}
