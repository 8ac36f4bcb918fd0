/* SPDX-License-Identifier: MIT */
/*
 * suppress.h - leaks that are known and not to be reported
 *
 * A file has rules in the forms of LeakSanitizer and of Valgrind; one file may
 * have both.  "#" begins a comment.
 *
 *	leak:PATTERN
 *
 * matches when the function, source file or module of any frame does.  A
 * pattern is a part of the name; "*" stands for anything, "^" in front and "$"
 * behind tie it to the ends.  What other sanitizers suppress is skipped.
 *
 *	{
 *	   NAME
 *	   Memcheck:Leak
 *	   match-leak-kinds: definite
 *	   fun:malloc
 *	   fun:xmalloc
 *	   ...
 *	   obj:/usr/lib/libfoo.so*
 *	   src:foo.c:12
 *	}
 *
 * matches from the innermost frame on; "..." stands for any number of frames,
 * "*" and "?" for text.  Rules for other errors are skipped.  The allocator's
 * own frames are not in our stacks: where a rule begins with one it is as if
 * they were.
 *
 * Layer: above out.h, for the form of a frame.
 */
#ifndef UMDB_SUPPRESS_H
#define UMDB_SUPPRESS_H

#include "out.h"

struct suppress_line;

struct suppress_rule {
	char *name;                 /* NAME, or the pattern */
	unsigned kinds;             /* bits: 1 << enum leak_kind */
	bool anywhere;              /* LeakSanitizer's: one line, any frame */
	struct suppress_line *line; /* innermost first */
	size_t nline, room;
	uint64_t count, bytes; /* what it suppressed; of the caller */
};

/* The name that a frame's function has for the linker; NULL unknown. */
typedef const char *suppress_linkage_fn(void *arg, const struct out_frame *f);

struct suppress {
	struct suppress_rule *rule;
	size_t n, room;
	size_t skipped; /* rules for other errors */
	suppress_linkage_fn *linkage;
	void *linkage_arg;
};

/*
 * suppress_read - add the rules of a file to *ret, which is made when it is
 * NULL.  UMDB_OK, or an error with the file's line; suppress_free in either
 * case.
 */
int suppress_read(
    const char *path, struct suppress **ret, struct umdb_error *err);
void suppress_free(struct suppress *s);

/*
 * suppress_linkage - who knows the names that compilers made: "_ZN3foo3barEv"
 * of "foo::bar()", and "main" of "main(int, char**)".  Asked where the name
 * that the debugger shows does not match and may be another; without @fn there
 * are no others.
 */
void suppress_linkage(struct suppress *s, suppress_linkage_fn *fn, void *arg);

/*
 * suppress_match - the first rule that a stack of frames matches, or NULL;
 * @kind: enum leak_kind
 */
struct suppress_rule *suppress_match(struct suppress *s, unsigned kind,
    const struct out_frame *const *frame, size_t depth);

/* suppress_glob - "*" and, if @question, "?"; the whole text */
bool suppress_glob(const char *pattern, const char *text, bool question);

#endif /* UMDB_SUPPRESS_H */
