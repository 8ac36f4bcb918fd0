/* SPDX-License-Identifier: MIT */
/*
 * profile.h - samples as files for flame graph tools, pprof and browsers
 *
 *	folded	a line a stack, "main;load;parse 4096", outermost first; the
 *		number is bytes.  Of a difference two numbers, before and now.
 *	pprof	profile.proto, gzipped, with objects and bytes
 *	html	one page: flame graph and table; it needs no network
 *
 * Layer: above samples.h and savefile.h; it knows nothing of targets.
 */
#ifndef UMDB_PROFILE_H
#define UMDB_PROFILE_H

#include "samples.h"

enum profile_form { PROFILE_FOLDED, PROFILE_PPROF, PROFILE_HTML };
#define PROFILE_FORMS 3

/* What count[1] and bytes[1] of the samples are. */
enum profile_beside {
	PROFILE_NOTHING,
	PROFILE_ROOTS,    /* nothing; stacks are roots and their objects */
	PROFILE_BEFORE,   /* a difference: what there was */
	PROFILE_RETAINED, /* with all that they keep alive; does not add up */
};

struct profile_about {
	const char *command; /* "umem findleaks" */
	const char *target;  /* the program, or "" */
	enum profile_beside beside;
};

/*
 * profile_write - write samples in one of the forms.  UMDB_OK, or an error
 * with a sentence; then no file was changed.
 */
int profile_write(enum profile_form form, const struct samples *s,
    const struct profile_about *about, const char *path,
    struct umdb_error *err);

#endif /* UMDB_PROFILE_H */
