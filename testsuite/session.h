/* SPDX-License-Identifier: MIT */
/*
 * session.h - running commands on a drawn heap, as a debugger would
 *
 * A session of umdb.h whose callbacks read a fake target, so that everything
 * above the target is tested together.  Functions are named f0, f1, ... for
 * each 256 bytes of DRAW_TEXT.
 */
#ifndef TESTSUITE_SESSION_H
#define TESTSUITE_SESSION_H

#include "draw.h"
#include "umdb.h"

struct session {
	struct draw *d;
	struct umdb *u;
	char *text; /* what the last command printed */
	size_t len, room;
	uint64_t found;
	unsigned stop_after; /* writes taken before saying stop; 0: all */
	unsigned writes, polls, reads;
	bool stop;                          /* what polls answer */
	void (*in_write)(struct session *); /* called by each write */
	/* name data of the program too: v0, v1, ... of 256 bytes each */
	bool variables;
	const char *f0; /* what the function "f0" is called instead */
	const struct umdb_frame *frame; /* of every thread */
	unsigned nframe;
};

/* session_open - on a heap that was drawn; fails the test if it cannot */
void session_open(struct session *s, struct draw *d);
void session_close(struct session *s);

/* session_run - run a line; its code.  s->text is what it printed. */
int session_run(struct session *s, const char *line);

/* session_expect - the line succeeds and prints exactly @text */
void session_expect(struct session *s, const char *line, const char *text);

/* session_find - the line succeeds and prints @text somewhere */
void session_find(struct session *s, const char *line, const char *text);

/* session_fail - the line fails with that code and exactly that sentence */
void session_fail(
    struct session *s, const char *line, int code, const char *sentence);

#endif /* TESTSUITE_SESSION_H */
