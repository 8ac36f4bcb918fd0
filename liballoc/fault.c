/* SPDX-License-Identifier: MIT */
/*
 * fault.c - a fault of the client was found
 *
 * A report is a handful of lines, each beginning with "umem:", that answer in
 * this order: what happened and to which buffer; what stood where; what was
 * done to the buffer last, by whom; who noticed.  It is written without
 * locks and without memory: the process is as good as dead, and whatever it
 * was doing when it died must not keep it from saying so.
 *
 * Names of functions come from symbol.h, which takes the loader's lock.  No
 * lock of ours is held then, so a thread that sits in the loader cannot be
 * waiting for us.
 *
 * Layer: above msg.h, root.h, stack.h, symbol.h, tlog.h.
 */
#include "fault.h"

#include <string.h>
#include <sys/types.h>

#include "msg.h"
#include "os.h"
#include "root.h"
#include "stack.h"
#include "symbol.h"
#include "tlog.h"
#include "trace.h"

#define FRAMES_SHOWN 24 /* so that a report fits the message buffer */
#define FRAME_SHOWN 200
#define STACK_NEAR ((uintptr_t)8 << 20) /* the usual size of a stack */
#define DUMP_LINE 16
#define DUMP_LINES 2
#define NS_PER_SECOND 1000000000u
#define NS_PER_US 1000u

static const char *const sentences[UMEM_ERR_COUNT] = {
    [UMEM_ERR_MODIFIED] = "write to a freed buffer",
    [UMEM_ERR_REDZONE] = "write past the end of a buffer",
    [UMEM_ERR_DUPFREE] = "buffer freed twice",
    [UMEM_ERR_BADADDR] = "free of an address that is not umem's",
    [UMEM_ERR_BADBUFTAG] = "tag behind a buffer damaged",
    [UMEM_ERR_BADBUFCTL] = "record of a buffer damaged",
    [UMEM_ERR_BADCACHE] = "buffer freed to the wrong cache",
    [UMEM_ERR_BADSIZE] = "buffer freed with the wrong size",
    [UMEM_ERR_BADBASE] = "free of an address inside a buffer",
    [UMEM_ERR_UNDERRUN] = "write before the start of a buffer",
    [UMEM_ERR_NOMEM] = "out of memory",
    [UMEM_ERR_SIGNAL] = "called from a signal handler",
};

/* Not zero in a thread that writes a report. */
static __thread int reporting;

/* A line that is put together piece by piece. */
struct line {
	size_t len;
	char text[512];
};

__attribute__((format(printf, 2, 3))) static void
line_add(struct line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - l->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = umem_vsnprintf(l->text + l->len, room, fmt, ap);
	va_end(ap);
	l->len += (size_t)n < room ? (size_t)n : room - 1;
}

static const umem_cache_t *
owner(const struct umem_fault *f)
{
	if (f->realcache != NULL)
		return f->realcache;
	return f->slab != NULL ? f->slab->slab_cache : f->cache;
}

static void *
owned(const struct umem_fault *f)
{
	return f->realbuf != NULL ? f->realbuf : f->buffer;
}

/* add_cache - ", cache NAME"; the name may lack its NUL if it was damaged */
static void
add_cache(struct line *l, const char *what, const umem_cache_t *cp)
{
	char name[UMEM_NAME_LEN + 1];

	if (cp == NULL)
		return;
	memcpy(name, cp->cache_name, UMEM_NAME_LEN);
	name[UMEM_NAME_LEN] = '\0';
	line_add(l, "%s%s", what, name);
}

/* add_facts - what is special to the error, behind buffer and cache */
static void
add_facts(struct line *l, const struct umem_fault *f)
{
	switch (f->error) {
	case UMEM_ERR_MODIFIED:
	case UMEM_ERR_REDZONE:
	case UMEM_ERR_BADBUFTAG:
	case UMEM_ERR_UNDERRUN:
		line_add(l, ", at offset %zd", (ssize_t)f->offset);
		break;
	case UMEM_ERR_BADCACHE:
		add_cache(l, ", freed to ", f->cache);
		break;
	case UMEM_ERR_BADSIZE:
		line_add(l, ", freed as %llu", (unsigned long long)f->found);
		break;
	default:
		break;
	}
}

/* headline - "umem: <sentence>: <the buffer and what is known of it>" */
static void
headline(struct line *l, const struct umem_fault *f)
{
	size_t size = f->error == UMEM_ERR_BADSIZE ? f->expected : f->size;
	size_t at;

	l->len = 0;
	line_add(l, "umem: %s: ",
	    f->error < UMEM_ERR_COUNT ? sentences[f->error] : "fault");
	at = l->len;
	if (f->error == UMEM_ERR_BADADDR) {
		line_add(l, "%p\n", f->buffer);
		return;
	}
	if (f->error == UMEM_ERR_BADBASE)
		line_add(l, "%p is %p + %zd", f->buffer, owned(f),
		    (char *)f->buffer - (char *)owned(f));
	else if (owned(f) != NULL)
		line_add(l, "%p", owned(f));
	add_cache(l, l->len > at ? " of cache " : "cache ", owner(f));
	if (size != 0)
		line_add(l, "%s%zu bytes", l->len > at ? ", " : "", size);
	add_facts(l, f);
	line_add(l, "\n");
}

/*
 * place - what an address is that is not ours: static data, or the stack of
 * this thread, which is around the variable here
 */
static void
place(const void *addr)
{
	char text[FRAME_SHOWN];
	uintptr_t here = (uintptr_t)text;

	if (symbol_name((uintptr_t)addr, 0, text, sizeof(text)) == 0)
		umem_error_message("umem:   it is %s\n", text);
	else if ((uintptr_t)addr - here < STACK_NEAR)
		umem_error_message("umem:   it is on this thread's stack\n");
}

/* has_dump - whether the fault is about bytes that can be shown */
static int
has_dump(const struct umem_fault *f)
{
	return f->error == UMEM_ERR_MODIFIED || f->error == UMEM_ERR_REDZONE ||
	       f->error == UMEM_ERR_UNDERRUN || f->error == UMEM_ERR_BADBUFTAG;
}

/* dump_line - 16 bytes in hex and as text, the first bad one in brackets */
static void
dump_line(const struct umem_fault *f, const unsigned char *p, size_t n)
{
	const unsigned char *bad =
	    (unsigned char *)owned(f) + (ssize_t)f->offset;
	struct line l = {0, ""};

	line_add(&l, "umem:   %p:", (const void *)p);
	for (size_t i = 0; i < n; i++)
		line_add(&l,
		    p + i == bad       ? "[%02x]"
		    : p + i == bad + 1 ? "%02x"
				       : " %02x",
		    p[i]);
	line_add(&l, "  ");
	for (size_t i = 0; i < n; i++)
		line_add(&l, "%c", p[i] >= ' ' && p[i] <= '~' ? p[i] : '.');
	umem_error_message("%s\n", l.text);
}

/* dump - the bytes around the first bad one, as far as the slab has them */
static void
dump(const struct umem_fault *f)
{
	const unsigned char *base, *end, *p;

	if (f->slab == NULL || owned(f) == NULL)
		return;
	umem_error_message("umem:   expected 0x%llx, found 0x%llx\n",
	    (unsigned long long)f->expected, (unsigned long long)f->found);
	base = f->slab->slab_base;
	end = base + f->slab->slab_size;
	if (f->slab->slab_flags & UMEM_SLAB_GUARD)
		end -= umem_root.root_page_size;
	p = (unsigned char *)owned(f) + (ssize_t)f->offset;
	p -= ((uintptr_t)p & 7) + 8;
	if (p < base)
		p = base;
	for (int i = 0; i < DUMP_LINES && p < end; i++) {
		size_t n = (size_t)(end - p);

		dump_line(f, p, n < DUMP_LINE ? n : DUMP_LINE);
		p += DUMP_LINE;
	}
}

static void
print_frame(uint64_t pc)
{
	char text[FRAME_SHOWN];

	(void)symbol_name(pc, 1, text, sizeof(text));
	umem_error_message("umem:     %s\n", text);
}

static void
print_stack(const uint64_t *pcs, size_t n)
{
	for (size_t i = 0; i < n && i < FRAMES_SHOWN; i++)
		print_frame(pcs[i]);
	if (n > FRAMES_SHOWN)
		umem_error_message(
		    "umem:     and %zu more\n", n - FRAMES_SHOWN);
}

static const char *
kind_name(unsigned kind)
{
	return kind == UMEM_BC_ALLOC  ? "allocated"
	       : kind == UMEM_BC_FREE ? "freed"
				      : "touched";
}

/* print_transaction - a record: what was done, by whom, how long ago */
static void
print_transaction(const char *which, const umem_bufctl_audit_t *bc)
{
	uint64_t now = os_now(), ago;
	const uint64_t *stack;
	size_t depth;

	ago = now > bc->bc_timestamp ? now - bc->bc_timestamp : 0;
	umem_error_message("umem:   %s: %s by thread %u, %llu.%06llu s ago, "
			   "%llu bytes\n",
	    which, kind_name(bc->bc_kind), bc->bc_thread,
	    (unsigned long long)(ago / NS_PER_SECOND),
	    (unsigned long long)(ago % NS_PER_SECOND / NS_PER_US),
	    (unsigned long long)bc->bc_size);
	stack = trace_get(bc->bc_trace, &depth);
	print_stack(stack, depth);
}

/* in_log - whether a record's pointer into the transaction log is one */
static int
in_log(const umem_bufctl_audit_t *bc)
{
	const umem_log_header_t *log = umem_root.root_log_transaction;
	uint64_t off;

	if (log == NULL || bc == NULL)
		return 0;
	off = (uintptr_t)bc - (uintptr_t)log->lh_base;
	return off <= log->lh_nchunks * log->lh_chunksize - log->lh_recsize;
}

/*
 * print_history - the last transaction, and the one before it if the log has
 * it still.  A log copy's bc_lastlog is the copy of its predecessor, whose
 * place may belong to another buffer by now.
 */
static void
print_history(const struct umem_fault *f)
{
	const umem_bufctl_audit_t *bc = f->bufctl, *log;

	if (bc == NULL || bc->bc_kind == UMEM_BC_NEVER)
		return;
	print_transaction("last transaction", bc);
	log = bc->bc_lastlog;
	if (!in_log(log) || log->bc_addr != bc->bc_addr ||
	    log->bc_timestamp != bc->bc_timestamp)
		return;
	log = log->bc_lastlog;
	if (in_log(log) && log->bc_addr == bc->bc_addr &&
	    log->bc_cache == bc->bc_cache && log->bc_timestamp != 0 &&
	    log->bc_timestamp <= bc->bc_timestamp)
		print_transaction("the one before", log);
}

/* print_noticer - where this thread is */
static void
print_noticer(const struct umem_fault *f)
{
	const struct stack_frame from = stack_caller();
	uint64_t pcs[FRAMES_SHOWN + 1];
	size_t n = STACK_DEPTH(stack_capture(&from, pcs, FRAMES_SHOWN + 1));

	umem_error_message("umem:   noticed by thread %u%s%s\n", os_tid(),
	    f->function != NULL ? " in " : "",
	    f->function != NULL ? f->function : "");
	print_stack(pcs, n);
}

/* keep_facts - the same for a debugger */
static void
keep_facts(const struct umem_fault *f)
{
	umem_abort_info_t *ab = &umem_root.root_abort;

	ab->ab_error = f->error;
	ab->ab_buffer = (uintptr_t)f->buffer;
	ab->ab_realbuf = (uintptr_t)f->realbuf;
	ab->ab_cache = (uintptr_t)f->cache;
	ab->ab_realcache = (uintptr_t)f->realcache;
	ab->ab_slab = (uintptr_t)f->slab;
	ab->ab_bufctl = (uintptr_t)f->bufctl;
	ab->ab_thread = os_tid();
	__atomic_store_n(&ab->ab_timestamp, os_now(), __ATOMIC_RELEASE);
}

/* conclusion - the last line */
static void
conclusion(const struct umem_fault *f)
{
	const char *end =
	    umem_settings.set_noabort ? "going on (noabort)" : "aborting";

	if (f->error == UMEM_ERR_NOMEM || f->error == UMEM_ERR_SIGNAL)
		umem_error_message("umem: %s\n", end);
	else
		umem_error_message("umem: heap corruption detected; %s\n", end);
}

void
fault_report(const struct umem_fault *f)
{
	struct line l;

	if (reporting) {
		/* the report itself found the next fault: no more details */
		headline(&l, f);
		umem_error_message("%s", l.text);
		umem_panic("umem: second fault in a report; aborting\n");
	}
	reporting = 1;
	tlog_pause(1);
	keep_facts(f);
	headline(&l, f);
	umem_error_message("%s", l.text);
	if (has_dump(f))
		dump(f);
	if (f->error == UMEM_ERR_BADADDR)
		place(f->buffer);
	print_history(f);
	print_noticer(f);
	conclusion(f);
	umem_error_hook(&umem_root.root_abort);
	if (!umem_settings.set_noabort)
		os_abort();
	tlog_pause(0);
	reporting = 0;
}
