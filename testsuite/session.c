/* SPDX-License-Identifier: MIT */
/*
 * session.c - running commands on a drawn heap; see session.h
 */
#include "session.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION_SIZE 0x100u

static void
on_read(void *arg, uint64_t addr, void *buf, uint64_t len, int *ok)
{
	struct session *s = arg;

	s->reads++;
	if (target_read(s->d->tgt, addr, buf, len, "test") == UMDB_OK)
		*ok = 1;
}

static void
on_write(void *arg, const char *text, uint64_t len, int *ok)
{
	struct session *s = arg;

	s->writes++;
	if (s->in_write != NULL)
		s->in_write(s);
	if (s->stop_after != 0 && s->writes > s->stop_after)
		return;
	if (s->len + len + 1 > s->room) {
		s->room = 2 * (s->len + len + 1);
		s->text = realloc(s->text, s->room);
		ck_assert_ptr_nonnull(s->text);
	}
	memcpy(s->text + s->len, text, len);
	s->len += len;
	s->text[s->len] = '\0';
	*ok = 1;
}

static void
on_symbolise(void *arg, uint64_t pc, struct umdb_symbol *sym, int *ok)
{
	const struct session *s = arg;
	static char name[16];

	if (s->variables && pc > DRAW_APP_DATA &&
	    pc <= DRAW_APP_DATA + DRAW_DATA_SIZE) {
		/* pc is one behind, as for return addresses */
		snprintf(name, sizeof(name), "v%" PRIu64,
		    (pc - 1 - DRAW_APP_DATA) / FUNCTION_SIZE);
		sym->function = name;
		sym->offset = (pc - 1 - DRAW_APP_DATA) % FUNCTION_SIZE + 1;
	}
	if (pc >= DRAW_TEXT && pc < DRAW_TEXT + 0x4000) {
		snprintf(name, sizeof(name), "f%" PRIu64,
		    (pc - DRAW_TEXT) / FUNCTION_SIZE);
		sym->function = name;
		if (s->f0 != NULL && strcmp(name, "f0") == 0)
			sym->function = s->f0;
		sym->offset = (pc - DRAW_TEXT) % FUNCTION_SIZE;
	}
	*ok = 1;
}

static void
on_lookup(void *arg, const char *text, uint64_t *addr, uint64_t *size, int *ok)
{
	unsigned n;

	(void)arg;
	if (sscanf(text, "f%u", &n) != 1)
		return;
	*addr = DRAW_TEXT + n * FUNCTION_SIZE;
	*size = FUNCTION_SIZE;
	*ok = 1;
}

static void
on_poll(void *arg, const char *text, int *ok)
{
	struct session *s = arg;

	(void)text;
	s->polls++;
	*ok = !s->stop;
}

static void
on_frames(void *arg, uint32_t lwp, struct umdb_frame *frame, uint64_t max,
    uint64_t *n, int *ok)
{
	const struct session *s = arg;

	(void)lwp;
	if (s->frame == NULL || s->nframe > max)
		return;
	memcpy(frame, s->frame, s->nframe * sizeof(*frame));
	*n = s->nframe;
	*ok = 1;
}

/* "<COMMAND>", or why not */
static void
on_execute(void *arg, const char *command, const char **text, int *ok)
{
	static char output[256];

	(void)arg;
	snprintf(output, sizeof(output), "<%s>\n", command);
	*text = output;
	*ok = 1;
	if (strstr(command, "nosuch") != NULL) {
		*text = "No symbol \"nosuch\" in current context.";
		*ok = 2;
	}
}

static void
tell_regions(struct session *s)
{
	const struct target *tgt = s->d->tgt;
	struct umdb_region *r = calloc(tgt->nregion, sizeof(*r));
	size_t i;

	ck_assert_ptr_nonnull(r);
	for (i = 0; i < tgt->nregion; i++) {
		r[i].start = tgt->region[i].start;
		r[i].end = tgt->region[i].end;
		r[i].prot = (tgt->region[i].readable ? 1u : 0) |
			    (tgt->region[i].writable ? 2u : 0) |
			    (tgt->region[i].executable ? 4u : 0);
		r[i].name = tgt->region[i].name;
	}
	ck_assert_int_eq(umdb_set_regions(s->u, r, tgt->nregion), UMDB_OK);
	free(r);
}

static void
tell_threads(struct session *s)
{
	const struct target *tgt = s->d->tgt;
	struct umdb_thread *t = calloc(tgt->nthread + 1, sizeof(*t));
	size_t i;

	ck_assert_ptr_nonnull(t);
	for (i = 0; i < tgt->nthread; i++) {
		t[i].lwp = tgt->thread[i].lwp;
		t[i].num = (uint32_t)i + 1;
		t[i].have_regs = 1;
		memcpy(t[i].reg, tgt->thread[i].reg, sizeof(t[i].reg));
	}
	ck_assert_int_eq(umdb_set_threads(s->u, t, tgt->nthread), UMDB_OK);
	free(t);
}

void
session_open(struct session *s, struct draw *d)
{
	const struct umdb_callbacks cb = {
	    .arg = s,
	    .read = on_read,
	    .write = on_write,
	    .symbolise = on_symbolise,
	    .lookup = on_lookup,
	    .poll = on_poll,
	    .execute = on_execute,
	    .frames = on_frames,
	};
	char err[256];

	memset(s, 0, sizeof(*s));
	s->d = d;
	s->u = umdb_open(NULL, 0, &cb, err, sizeof(err));
	ck_assert_ptr_nonnull(s->u);
	tell_regions(s);
	tell_threads(s);
}

void
session_close(struct session *s)
{
	umdb_close(s->u);
	free(s->text);
	memset(s, 0, sizeof(*s));
}

int
session_run(struct session *s, const char *line)
{
	s->len = 0;
	s->writes = 0;
	if (s->text != NULL)
		s->text[0] = '\0';
	return umdb_run(s->u, line, &s->found);
}

static const char *
printed(const struct session *s)
{
	return s->text != NULL ? s->text : "";
}

void
session_expect(struct session *s, const char *line, const char *text)
{
	ck_assert_int_eq(session_run(s, line), UMDB_OK);
	ck_assert_str_eq(printed(s), text);
}

void
session_find(struct session *s, const char *line, const char *text)
{
	ck_assert_int_eq(session_run(s, line), UMDB_OK);
	ck_assert_msg(strstr(printed(s), text) != NULL, "\"%s\" is not in:\n%s",
	    text, printed(s));
}

void
session_fail(
    struct session *s, const char *line, int code, const char *sentence)
{
	ck_assert_int_eq(session_run(s, line), code);
	ck_assert_str_eq(umdb_error(s->u), sentence);
}
