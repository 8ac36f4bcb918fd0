/* SPDX-License-Identifier: MIT */
/*
 * umdb.c - a session: one target, its snapshot, and the commands run on it
 *
 * The session decides where bytes come from.  A direct path (the core file,
 * the process) is trusted only after it showed the same bytes as the debugger
 * where it matters; else everything goes through the debugger.  The snapshot
 * is made by the first command that needs it and kept until the target runs,
 * changes, or its core file does.
 *
 * The debugger may be called only from the thread that called us: worker
 * threads of a search that ask for something are refused, not served.
 *
 * Layer: see umdb.h.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dcmd_pipe.h"
#include "find_top.h"
#include "shell.h"
#include "umdb_impl.h"
#include "walker.h"

#define HANDSHAKE_BYTES 64u
#define FRAMES_MAX 256u

/* ------------------------------------------------------ to the debugger */

static bool
may_call(const struct umdb *u)
{
	return pthread_equal(u->owner, pthread_self()) != 0;
}

void
umdb_enter(struct umdb *u)
{
	u->owner = pthread_self();
	if (u->busy || u->tgt == NULL)
		return;
	u->tgt->stopped = false;
	u->through->stopped = false;
	target_plan_end(u->tgt); /* of a command that failed */
}

static void
call_read(void *arg, uint64_t addr, void *buf, uint64_t len, int *ok)
{
	struct umdb *u = arg;

	*ok = 0;
	if (may_call(u))
		u->cb.read(u->cb.arg, addr, buf, len, ok);
}

static void
call_write(void *arg, const char *text, size_t len, int *ok)
{
	struct umdb *u = arg;

	u->cb.write(u->cb.arg, text, len, ok);
}

static void
write_out(void *arg, const char *text, size_t len, int *ok)
{
	struct umdb *u = arg;

	if (u->shell != NULL)
		shell_write(u->shell, text, len, ok);
	else
		call_write(u, text, len, ok);
}

/* What goes through the shell command ends; wait for what it prints. */
static void
end_shell(struct umdb *u)
{
	if (u->shell != NULL)
		u->shell_stopped = shell_close(u->shell, u->quiet) != UMDB_OK;
	u->shell = NULL;
}

/* Notes are for the user: a shell command that counts lines gets none. */
static void
write_note(void *arg, const char *text, size_t len, int *ok)
{
	struct umdb *u = arg;

	end_shell(u);
	if (!u->quiet && !u->shell_stopped)
		call_write(u, text, len, ok);
}

static bool
call_poll(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct umdb *u = arg;
	struct timespec ts;
	int ok = 0;

	if (!may_call(u))
		return false;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	u->cb.poll(u->cb.arg,
	    progress_text(&u->progress, what, done, total,
		u->tgt != NULL && u->tgt->in_bytes ? target_rate(u->tgt) : 0,
		(uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec),
	    &ok);
	return ok != 1;
}

static void
call_tell(void *arg, uint64_t bytes, double rate)
{
	struct umdb *u = arg;
	int ok;

	if (may_call(u) && u->cb.tell != NULL)
		u->cb.tell(
		    u->cb.arg, progress_plan(&u->progress, bytes, rate), &ok);
}

static bool
call_stop(void *arg)
{
	return call_poll(arg, "shell", 0, 0);
}

static int
call_execute(void *arg, const char *command, const char **text_ret)
{
	struct umdb *u = arg;
	int ok = 0;

	*text_ret = "";
	if (u->cb.execute == NULL || !may_call(u))
		return UMDB_ETARGET;
	u->cb.execute(u->cb.arg, command, text_ret, &ok);
	if (*text_ret == NULL)
		*text_ret = "";
	return ok == 1 ? UMDB_OK : ok == 2 ? UMDB_ENOTFOUND : UMDB_EINTR;
}

static int
call_lookup(void *arg, const char *text, uint64_t *addr, uint64_t *size)
{
	struct umdb *u = arg;
	struct lookup_memo *m;
	int ok = 0, rc;

	for (m = u->lookups; m < u->lookups + LOOKUPS_KEPT; m++) {
		if (m->text[0] == '\0' || strcmp(m->text, text) != 0)
			continue;
		*addr = m->addr;
		*size = m->size;
		return m->rc;
	}
	*addr = *size = 0;
	u->cb.lookup(u->cb.arg, text, addr, size, &ok);
	rc = ok == 1 ? UMDB_OK : UMDB_ENOTFOUND;
	m = &u->lookups[u->next_lookup++ % LOOKUPS_KEPT];
	m->addr = *addr;
	m->size = *size;
	m->rc = rc;
	if (strlen(text) < sizeof(m->text))
		strcpy(m->text, text);
	else
		m->text[0] = '\0';
	return rc;
}

static int
call_frames(void *arg, uint32_t lwp, struct dcmd_frame *frame, size_t max,
    size_t *n_ret)
{
	struct umdb_frame buf[FRAMES_MAX];
	struct umdb *u = arg;
	uint64_t n = 0, i;
	int ok = 0;

	*n_ret = 0;
	if (max > FRAMES_MAX)
		max = FRAMES_MAX;
	if (u->cb.frames == NULL)
		return UMDB_ENOTFOUND;
	memset(buf, 0, sizeof(buf));
	u->cb.frames(u->cb.arg, lwp, buf, max, &n, &ok);
	if (ok != 1 || n > max)
		return UMDB_ENOTFOUND;
	for (i = 0; i < n; i++) {
		const char *name = buf[i].function;

		frame[i].sp = buf[i].sp;
		frame[i].level = buf[i].level;
		snprintf(frame[i].function, sizeof(frame[i].function), "%s",
		    name != NULL ? name : "");
	}
	*n_ret = n;
	return UMDB_OK;
}

/* Where the file is loaded that a mapping belongs to. */
static taddr_t
load_address(const struct target *tgt, const struct target_region *r)
{
	while (r > tgt->region && strcmp(r[-1].name, r->name) == 0)
		r--;
	return r->start;
}

/* The mapping knows best which file an address is in. */
static void
call_symbolise(void *arg, uint64_t pc, struct out_frame *frame)
{
	struct umdb *u = arg;
	struct umdb_symbol *s = &u->symbol;
	const struct target_region *r = NULL;
	int ok = 0;

	memset(s, 0, sizeof(*s));
	u->cb.symbolise(u->cb.arg, pc, s, &ok);
	if (ok != 1)
		memset(s, 0, sizeof(*s));
	if (u->tgt != NULL && pc > 0)
		r = target_region_at(u->tgt, pc - 1);
	frame->function = s->function;
	frame->offset = s->offset;
	frame->module = s->module;
	if (r != NULL && r->name[0] != '\0')
		frame->module = r->name;
	if (r != NULL && r->file)
		frame->base = load_address(u->tgt, r);
	frame->file = s->file;
	frame->line = s->line;
}

/* --------------------------------------------------------------- targets */

static void
drop_results(struct umdb *u)
{
	find_leaks_free(u->leaks);
	u->leaks = NULL;
	find_top_free(u->top);
	u->top = NULL;
	find_graph_free(u->graph);
	u->graph = NULL;
	snap_close(u->snap);
	u->snap = NULL;
}

void
umdb_drop_targets(struct umdb *u)
{
	drop_results(u);
	if (u->tgt != u->through)
		target_close(u->tgt);
	target_close(u->through);
	u->tgt = u->through = NULL;
}

/* Give the target what the debugger told; a core has its own. */
int
umdb_tell(struct umdb *u, struct target *tgt)
{
	const struct told *t = &u->told;
	size_t i, k;
	int rc;

	if (t->have_regions && (tgt == u->through || tgt->nregion == 0)) {
		rc = target_set_regions(tgt, t->region, t->nregion);
		if (rc != UMDB_OK)
			return rc;
	}
	if (u->core == NULL || tgt->nthread == 0)
		return target_set_threads(tgt, t->thread, t->nthread);
	for (i = 0; i < tgt->nthread; i++)
		for (k = 0; k < t->nthread; k++)
			if (t->thread[k].lwp == tgt->thread[i].lwp)
				tgt->thread[i].num = t->thread[k].num;
	return UMDB_OK;
}

int
umdb_open_targets(struct umdb *u)
{
	const struct target_callbacks cb = {.arg = u, .read = call_read};

	u->through = target_open_callbacks(&cb, &u->err);
	if (u->through == NULL)
		return u->err.code;
	if (u->core != NULL)
		u->tgt = target_open_core(u->core, u->through, &u->err);
	else if (u->pid != 0)
		u->tgt = target_open_proc(u->pid, &u->err);
	else
		u->tgt = u->through;
	if (u->tgt == NULL) {
		umdb_drop_targets(u);
		return u->err.code;
	}
	u->tgt->poll = u->through->poll = call_poll;
	u->tgt->poll_arg = u->through->poll_arg = u;
	u->tgt->tell = call_tell;
	return UMDB_OK;
}

/* True when both ways of reading answer and say different things. */
static bool
differs(struct umdb *u, taddr_t addr)
{
	unsigned char direct[HANDSHAKE_BYTES], shown[HANDSHAKE_BYTES];

	if (addr == 0 || target_read(u->through, addr, shown, sizeof(shown),
			     "memory") != UMDB_OK)
		return false;
	if (target_read(u->tgt, addr, direct, sizeof(direct), "memory") !=
	    UMDB_OK)
		return true;
	return memcmp(direct, shown, sizeof(direct)) != 0;
}

/*
 * The direct path may not be what the debugger shows: a core file that was
 * replaced, a process of another namespace, a recording.  Compare at the root
 * and at a stack pointer.  A process is read through the debugger then; of
 * another core even the mappings are of no use.
 */
static int
handshake(struct umdb *u)
{
	const struct target *tgt = u->tgt;
	taddr_t sp = 0;
	size_t i;
	int rc;

	if (u->tgt == u->through)
		return UMDB_OK;
	for (i = 0; sp == 0 && i < tgt->nthread; i++)
		if (tgt->thread[i].have_regs)
			sp = tgt->thread[i].reg[TARGET_RSP];
	if (!differs(u, snap_find_root(u->tgt)) && !differs(u, sp))
		return UMDB_OK;
	if (u->core != NULL)
		return target_fail(u->tgt, UMDB_ETARGET, 0,
		    "%s is no longer the core file that the debugger shows: "
		    "load it again with core-file",
		    u->core);
	rc = target_set_regions(u->through, tgt->region, tgt->nregion);
	target_close(u->tgt);
	u->tgt = u->through;
	return rc == UMDB_OK ? umdb_tell(u, u->tgt) : rc;
}

/* Have a target that is up to date; it is what the debugger shows. */
static int
prepare_target(struct umdb *u)
{
	int rc;

	if (u->stale) {
		u->stale = false;
		umdb_drop_targets(u);
	}
	if (u->tgt != NULL && target_core_changed(u->tgt))
		umdb_drop_targets(u);
	if (u->tgt == NULL) {
		rc = umdb_open_targets(u);
		if (rc != UMDB_OK)
			return rc;
	}
	if (u->snap != NULL)
		return UMDB_OK;
	rc = umdb_tell(u, u->tgt);
	if (rc == UMDB_OK)
		rc = handshake(u);
	if (rc == UMDB_OK)
		return UMDB_OK;
	u->err = u->tgt->err;
	return u->err.code != UMDB_OK ? u->err.code : UMDB_ETARGET;
}

/* Have a snapshot, too. */
static int
prepare(struct umdb *u)
{
	int rc = prepare_target(u);

	if (rc != UMDB_OK || u->snap != NULL)
		return rc;
	u->snap = snap_open(u->tgt);
	if (u->snap != NULL)
		return UMDB_OK;
	u->err = u->tgt->err;
	return u->err.code != UMDB_OK ? u->err.code : UMDB_ETARGET;
}

/* A command that runs at each stop, and alone: it may need little. */
static bool
pipeline_is_light(const struct pipeline *p)
{
	return p->n == 1 && (p->stage[0].dcmd->flags & DCMD_LIGHT) != 0;
}

static int
have_snap(struct dcmd_ctx *ctx, void *arg)
{
	struct umdb *u = arg;
	int rc = prepare(u);

	ctx->snap = u->snap;
	ctx->tgt = u->tgt;
	return rc;
}

/* --------------------------------------------------------------- sessions */

EXPORT int
umdb_abi(void)
{
	return UMDB_ABI;
}

EXPORT int
umdb_layout_version(void)
{
	return UMEM_LAYOUT_VERSION;
}

EXPORT const struct umdb_command *
umdb_command(int index)
{
	static struct umdb_command c;
	const struct dcmd *d;

	if (index < 0 || (size_t)index >= ndcmd)
		return NULL;
	d = &dcmds[index];
	c.name = d->name;
	c.alias = d->alias;
	c.usage = d->usage;
	c.summary = d->summary;
	c.help = d->help;
	c.options = d->options;
	c.words = d->words;
	c.result = d->result;
	c.complete = (int32_t)d->complete;
	c.waits = (d->flags & DCMD_WAITS) != 0;
	return &c;
}

EXPORT const char *
umdb_register(int index)
{
	return index >= 0 && index < TARGET_NREGS ? target_regname[index]
						  : NULL;
}

EXPORT struct umdb *
umdb_open(const char *core, int pid, const struct umdb_callbacks *cb,
    char *errbuf, uint64_t errsize)
{
	struct umdb *u = calloc(1, sizeof(*u));

	if (u == NULL || (core != NULL && (u->core = strdup(core)) == NULL)) {
		free(u);
		snprintf(errbuf, errsize, "out of memory");
		return NULL;
	}
	u->cb = *cb;
	u->pid = pid;
	u->owner = pthread_self();
	if (umdb_open_targets(u) != UMDB_OK) {
		snprintf(errbuf, errsize, "%s", u->err.msg);
		umdb_close(u);
		return NULL;
	}
	return u;
}

static void
told_free_regions(struct told *t)
{
	size_t i;

	for (i = 0; i < t->nregion; i++)
		free((void *)(uintptr_t)t->region[i].name);
	free(t->region);
	t->region = NULL;
	t->nregion = 0;
	t->have_regions = false;
}

EXPORT void
umdb_close(struct umdb *u)
{
	if (u == NULL)
		return;
	umdb_drop_targets(u);
	target_close(u->fresh);
	told_free_regions(&u->told);
	free(u->told.thread);
	strbuf_free(&u->completions);
	free(u->core);
	free(u);
}

EXPORT void
umdb_invalidate(struct umdb *u)
{
	if (u == NULL)
		return;
	if (u->busy)
		u->stale = true;
	else
		umdb_drop_targets(u);
}

/*
 * What a process made inaccessible to itself may hold something all the same.
 * What is large was only set aside.
 */
static bool
is_hidden(const struct umdb_region *r, const char *name)
{
	enum { HIDDEN_MAX = 1 << 20 };

	return r->prot == 0 && name[0] == '\0' &&
	       r->end - r->start <= HIDDEN_MAX;
}

EXPORT int
umdb_set_regions(struct umdb *u, const struct umdb_region *r, uint64_t n)
{
	struct told *t = &u->told;
	uint64_t i;

	told_free_regions(t);
	t->region = calloc(n + 1, sizeof(*t->region));
	if (t->region == NULL)
		return error_set(&u->err, UMDB_ENOMEM, 0, "out of memory");
	for (i = 0; i < n; i++) {
		struct target_region *to = &t->region[i];
		const char *name = r[i].name ? r[i].name : "";

		to->start = r[i].start;
		to->end = r[i].end;
		to->readable = (r[i].prot & 1) != 0;
		to->writable = (r[i].prot & 2) != 0;
		to->executable = (r[i].prot & 4) != 0;
		to->shared = (r[i].prot & 8) != 0;
		to->file = name[0] == '/';
		to->dumped = to->readable || is_hidden(&r[i], name);
		to->name = strdup(name);
		t->nregion = i + 1;
		if (to->name == NULL)
			return error_set(
			    &u->err, UMDB_ENOMEM, 0, "out of memory");
	}
	t->have_regions = true;
	return UMDB_OK;
}

EXPORT int
umdb_set_threads(struct umdb *u, const struct umdb_thread *th, uint64_t n)
{
	struct told *t = &u->told;
	uint64_t i;

	free(t->thread);
	t->nthread = 0;
	t->thread = calloc(n + 1, sizeof(*t->thread));
	if (t->thread == NULL)
		return error_set(&u->err, UMDB_ENOMEM, 0, "out of memory");
	_Static_assert(sizeof(th->reg) == sizeof(t->thread->reg),
	    "umdb.h and target.h agree on the registers");
	_Static_assert(sizeof(th->vector) == sizeof(t->thread->vector),
	    "umdb.h and target.h agree on the vector registers");
	for (i = 0; i < n; i++) {
		t->thread[i].lwp = th[i].lwp;
		t->thread[i].num = th[i].num;
		t->thread[i].have_regs = th[i].have_regs != 0;
		memcpy(t->thread[i].reg, th[i].reg, sizeof(th[i].reg));
		memcpy(t->thread[i].vector, th[i].vector, sizeof(th[i].vector));
	}
	t->nthread = n;
	return UMDB_OK;
}

/* --------------------------------------------------------------- commands */

static int
run_pipeline(
    struct umdb *u, struct pipeline *p, struct out *out, uint64_t *found)
{
	struct dcmd_ctx ctx = {
	    .out = out,
	    .err = &u->err,
	    .leaks = &u->leaks,
	    .graph = &u->graph,
	    .top = &u->top,
	    .lookup = call_lookup,
	    .lookup_arg = u,
	    .execute = call_execute,
	    .execute_arg = u,
	    .frames = call_frames,
	    .frames_arg = u,
	    .have_snap = have_snap,
	    .have_snap_arg = u,
	};
	struct dcmd_live live;
	int rc;

	ctx.live = umdb_live(u, &live);

	rc = pipeline_is_light(p) ? prepare_target(u) : prepare(u);
	ctx.snap = u->snap;
	ctx.tgt = u->tgt;
	if (rc != UMDB_OK && pipeline_needs_snap(p))
		return rc;
	rc = pipeline_run(&ctx, p);
	*found = ctx.found;
	u->result = p->dcmd->result;
	return rc;
}

/* What is not found may be there, and not be recognised. */
static const char *
damage_hint(const struct umdb *u, int rc)
{
	return rc == UMDB_ENOTFOUND && u->snap != NULL && u->snap->ndamage > 0
		   ? "; the heap is damaged: see umem verify"
		   : "";
}

/*
 * Have an output, through a shell command if there is one, and use it.  A
 * command that stops reading, like head, is no failure.
 */
static int
run_into_out(struct umdb *u, struct pipeline *p, int rc, uint64_t *found)
{
	const struct out_sink sink = {.arg = u,
	    .write = write_out,
	    .note = p->shell != NULL ? write_note : NULL,
	    .symbolise = call_symbolise};
	const struct shell_sink through = {
	    .arg = u, .write = call_write, .stop = call_stop};
	const struct dcmd *d = p->n > 0 ? p->stage[p->n - 1].dcmd : NULL;
	struct out *out;

	if (rc == UMDB_OK && p->shell != NULL) {
		u->shell = shell_open(p->shell, &through, &u->err);
		rc = u->shell != NULL ? UMDB_OK : u->err.code;
	}
	out = out_open(&sink, p->json, d != NULL ? d->name : p->name);
	if (out == NULL)
		rc = error_set(&u->err, UMDB_ENOMEM, 0, "out of memory");
	if (rc == UMDB_OK)
		rc = run_pipeline(u, p, out, found);
	if (rc != UMDB_OK) {
		snprintf(u->message, sizeof(u->message), "%.40s: %s%s", p->name,
		    u->err.msg, damage_hint(u, rc));
		if (out != NULL)
			out_error(out, u->message);
	}
	if (u->shell != NULL && shell_sated(u->shell) && rc == UMDB_EINTR)
		rc = UMDB_OK;
	u->quiet = rc == UMDB_EINTR;
	u->shell_stopped = false;
	if (out != NULL)
		out_close(out);
	end_shell(u);
	return u->shell_stopped && rc == UMDB_OK ? UMDB_EINTR : rc;
}

EXPORT int
umdb_run(struct umdb *u, const char *text, uint64_t *found)
{
	struct pipeline line;
	int rc;

	*found = 0;
	u->message[0] = '\0';
	if (u->busy) {
		snprintf(u->message, sizeof(u->message),
		    "umem: another command is still running");
		return UMDB_ETARGET;
	}
	umdb_enter(u);
	u->busy = true;
	u->result = NULL;
	memset(u->lookups, 0, sizeof(u->lookups));
	rc = pipeline_parse(text, &line, &u->err);
	rc = run_into_out(u, &line, rc, found);
	pipeline_free(&line);
	u->busy = false;
	return rc;
}

EXPORT const char *
umdb_error(struct umdb *u)
{
	return u->message;
}

EXPORT const char *
umdb_result(struct umdb *u)
{
	return u->result;
}

/* ------------------------------------------------------------- completion */

static void
offer(struct strbuf *to, const char *word, const char *start)
{
	if (word[0] == '\0' || strncmp(word, start, strlen(start)) != 0)
		return;
	strbuf_puts(to, word);
	strbuf_puts(to, "\n");
}

static void
offer_options(struct strbuf *to, const struct dcmd *d, const char *start)
{
	const char *o;
	char word[3] = "-", longer[32];
	size_t n;
	int i;

	for (o = d->options ? d->options : ""; *o != '\0'; o++) {
		word[1] = *o;
		if (*o != ':')
			offer(to, word, start);
	}
	for (o = d->longs ? d->longs : ""; *o != '\0'; o += n) {
		n = strcspn(o, " ");
		snprintf(longer, sizeof(longer), "-%.*s", (int)n, o);
		offer(to, longer, start);
		n += strspn(o + n, " ");
		n += strcspn(o + n, " ");
		n += strspn(o + n, " ");
	}
	for (i = 0; i < DCMD_PROFILES && (d->flags & DCMD_PROFILE) != 0; i++) {
		snprintf(longer, sizeof(longer), "-%s", dcmd_profile_name[i]);
		offer(to, longer, start);
	}
	offer(to, "-json", start);
}

static void
offer_words(struct strbuf *to, const struct dcmd *d, const char *start)
{
	const char *p = d->words ? d->words : "";
	char word[64];
	size_t n;

	for (; *p != '\0'; p += n + (p[n] != '\0')) {
		n = strcspn(p, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, p);
		offer(to, word, start);
	}
}

static void
offer_walkers(struct strbuf *to, const char *start)
{
	char name[64];
	size_t i;

	for (i = 0; i < nwalker; i++) {
		snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(walkers[i].name, "S"), walkers[i].name);
		offer(to, name, start);
	}
}

static void
offer_commands(struct strbuf *to, const char *start)
{
	size_t i;

	for (i = 0; i < ndcmd; i++)
		offer(to, dcmds[i].name, start);
}

/* MDB's names of commands, where they are others. */
static void
offer_aliases(struct strbuf *to, const char *start)
{
	const struct dcmd *d;

	for (d = dcmds; d < dcmds + ndcmd; d++)
		if (d->alias != NULL && strcmp(d->alias, d->name) != 0)
			offer(to, d->alias, start);
}

/* "::name", and what stands before it, for MDB's notation. */
static void
offer_verbs(struct strbuf *to, const char *last)
{
	const char *start = strstr(last, "::");
	char word[128];
	size_t i, n;

	if (start == NULL)
		return;
	n = (size_t)(start - last) + 2;
	for (i = 0; i < ndcmd; i++) {
		const char *name =
		    dcmds[i].alias ? dcmds[i].alias : dcmds[i].name;

		snprintf(word, sizeof(word), "%.*s%s", (int)n, last, name);
		offer(to, word, last);
	}
}

/* Names that the target knows. */
static void
offer_names(struct umdb *u, enum dcmd_complete what, const char *start)
{
	const struct snap *snap;
	uint32_t i;

	if (u == NULL || u->busy)
		return;
	umdb_enter(u);
	u->busy = true;
	snap = prepare(u) == UMDB_OK ? u->snap : NULL;
	if (snap != NULL && what == COMPLETE_ARENA)
		for (i = 0; i < snap->narena; i++)
			offer(&u->completions, snap->arena[i].v.vm_name, start);
	else if (snap != NULL)
		for (i = 0; i < snap->ncache; i++)
			offer(&u->completions, snap->cache[i].c.cache_name,
			    start);
	u->busy = false;
}

/* The letter of the option whose value begins at @start, or 0. */
static char
option_before(const struct dcmd *d, const char *line, const char *start)
{
	const char *o, *end, *p;

	for (end = start; end > line && isspace((unsigned char)end[-1]);)
		end--;
	for (p = end; p > line && !isspace((unsigned char)p[-1]);)
		p--;
	if (p == end || *p != '-' || d->options == NULL)
		return 0;
	while (++p < end) {
		o = *p != ':' ? strchr(d->options, *p) : NULL;
		if (o == NULL || o[1] == ':')
			return o != NULL && p + 1 == end ? *p : 0;
	}
	return 0;
}

/* What an option takes, which the usage says: "[-s bytes|count]". */
static void
offer_values(struct umdb *u, struct strbuf *to, const struct dcmd *d,
    char letter, const char *start)
{
	const char option[] = {'-', letter, ' ', '\0'};
	const char *p = strstr(d->usage, option);
	char value[64], *word, *rest;

	if (p == NULL)
		return;
	p += 3;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, " ]"), p);
	if (strcmp(value, "TYPE") == 0)
		offer_words(to, d, start);
	else if (strcmp(value, "CACHE") == 0)
		offer_names(u, COMPLETE_CACHE, start);
	else if (strchr(value, '|') != NULL)
		for (word = strtok_r(value, "|", &rest); word != NULL;
		     word = strtok_r(NULL, "|", &rest))
			offer(to, word, start);
}

/* An argument of a command, which begins at @line. */
static void
offer_arguments(struct umdb *u, struct strbuf *to, const struct dcmd *d,
    const char *line, const char *start)
{
	char letter = option_before(d, line, start);

	if (letter != 0) {
		offer_values(u, to, d, letter, start);
		return;
	}
	if (start[0] == '-') {
		offer_options(to, d, start);
		return;
	}
	offer_words(to, d, start);
	if (d->complete == COMPLETE_HELP) {
		offer_commands(to, start);
		offer_aliases(to, start);
	}
	if (d->complete == COMPLETE_WALKER || d->complete == COMPLETE_HELP)
		offer_walkers(to, start);
	if (d->complete == COMPLETE_CACHE || d->complete == COMPLETE_WALKER ||
	    d->complete == COMPLETE_ARENA)
		offer_names(u, d->complete, start);
}

/*
 * Where the name of the command begins in a stage of a pipeline; NULL in MDB's
 * notation before its ::.
 */
static const char *
stage_command(const char *stage, const char *last, bool mdb)
{
	stage += strspn(stage, " \t");
	if (!mdb)
		return stage;
	stage = strstr(stage, "::");
	return stage != NULL && stage < last ? stage + 2 : NULL;
}

EXPORT const char *
umdb_complete(struct umdb *u, const char *line)
{
	static struct strbuf alone;
	struct strbuf *to = u != NULL ? &u->completions : &alone;
	const char *last = line + strlen(line), *p;
	char name[64], open;
	bool mdb, piped;
	const struct dcmd *d;

	to->len = 0;
	strbuf_puts(to, "");
	while (last > line && !isspace((unsigned char)last[-1]))
		last--;
	line += strspn(line, " \t");
	mdb = strcspn(line, " \t") == 3 && strncmp(line, "mdb", 3) == 0;
	piped = false;
	for (p = line; *(p = dcmd_unquoted(p, "|", &open)) == '|'; piped = true)
		line = ++p;
	line = stage_command(line, last, mdb);
	if (line == NULL) {
		offer_verbs(to, last);
	} else if (last <= line) {
		offer_commands(to, last);
		if (piped) {
			offer_aliases(to, last);
			offer_walkers(to, last);
		}
	} else {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, " \t"),
		    line);
		d = dcmd_find(name);
		if (d != NULL)
			offer_arguments(u, to, d, line, last);
	}
	return to->p != NULL ? to->p : "";
}
