/* SPDX-License-Identifier: MIT */
/*
 * stack.c - who called
 *
 * A walk goes from frame to frame by rules (stack_rule.h): two loads and an
 * addition each.  A rule may be stale and a frame pointer may be anything, so
 * nothing is read that is not known to be the thread's stack: from the frame
 * in hand up to the end of the stack, and always further up.  A wrong rule
 * gives a wrong trace, never a fault and never a loop.
 *
 * Most walks are one that the thread took before, and then it is known what came
 * of it (stack_memo.h).
 *
 * Where a stack ends: the main thread's at __libc_stack_end, that of another
 * thread at its thread control block, which the libc puts there.  A stack is
 * believed to be one of these after every page up to the end was seen to be
 * readable, once.  On any other (a coroutine's, a signal handler's own) each
 * page is asked for in each capture.
 *
 * Rules go stale when dlclose(3) unmaps code and other code takes its place.
 * The loader frees memory with its r_state still RT_DELETE after it has
 * unmapped a library; the capture for that free sees it, and the next one
 * outside of dlclose flushes the rules.
 *
 * Layer: stack.h
 */
#include "stack.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>

#include "meta.h"
#include "msg.h"
#include "os.h"
#include "root.h"
#include "stack_learn.h"
#include "stack_memo.h"
#include "stack_rule.h"
#include "trace.h"

#define USER_TOP ((uint64_t)1 << 47)
#define PC_MIN 4096u
#define PAGE_MASK (~(uint64_t)(UMEM_PAGE_SIZE - 1))
#define NO_PAGE ((uint64_t)1)
#define NOINLINE __attribute__((noinline))
/* Further than this no end of a stack is looked for in one capture. */
#define SEARCH_MAX ((uint64_t)16 << 20)

enum stack_mode { STACK_OFF, STACK_RULES, STACK_POINTERS };

static enum stack_mode stack_mode;
static uint64_t stack_main_end;
static const struct r_debug *stack_loader;
static int stack_stale; /* a library has left */

/* What is known of this thread's stacks. */
static __thread struct {
	uint64_t lo, hi; /* its own, readable throughout */
	/* Page numbers: a foreign stack may be a buffer, and this keeps none. */
	uint64_t foreign_lo, foreign_hi; /* no part of it */
} window;

/* This thread's paths; NULL at first, then NO_MEMO or memory. */
static __thread struct memo *thread_memo;
#define NO_MEMO ((struct memo *)-1)
static pthread_key_t memo_key;
static int has_memo_key;

struct walk {
	struct stack_frame at;
	uint64_t hi;   /* end of the stack */
	uint64_t page; /* foreign stack: a page known to be readable */
	int is_foreign;
	int in_handler;
	int is_numbered; /* for a number, so of root_stack_depth at most */
	uint32_t number; /* 0: not known */
	uint64_t *start;
	uint64_t *to; /* where the next pc goes */
	uint64_t *end;
};

/* ------------------------------------------------------- bounds of stacks */

static inline uint64_t
thread_pointer(void)
{
#ifdef __x86_64__
	uint64_t tp;

	__asm__("mov %%fs:0, %0" : "=r"(tp));
	return tp;
#else
	return (uint64_t)__builtin_thread_pointer();
#endif
}

/*
 * window_reaches - is everything from @sp to @end readable?  Then this is the
 * thread's own stack; else *bad_ret is lowered to where it is not.
 */
static int
window_reaches(uint64_t sp, uint64_t end, uint64_t *bad_ret)
{
	const uint64_t from = sp & PAGE_MASK;
	const uint64_t to =
	    window.hi == end && from < window.lo ? window.lo : end;
	uint64_t page;

	if (sp >= end || to - from > SEARCH_MAX)
		return 0;
	for (page = from; page < to; page += UMEM_PAGE_SIZE) {
		if (!os_readable((const void *)page)) {
			if (page < *bad_ret)
				*bad_ret = page;
			return 0;
		}
	}
	/* in an order that suits a handler which comes in between */
	window.hi = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	window.lo = from;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	window.hi = end;
	return 1;
}

/* window_find - which stack is @sp on, when that is not known */
static NOINLINE void
window_find(struct walk *w, uint64_t sp)
{
	const uint64_t page = sp / UMEM_PAGE_SIZE;
	uint64_t bad = (sp & PAGE_MASK) + SEARCH_MAX;

	w->page = NO_PAGE;
	w->is_foreign = 1;
	w->hi = USER_TOP;
	if (page >= window.foreign_lo && page < window.foreign_hi)
		return;
	if (window_reaches(sp, stack_main_end, &bad) ||
	    window_reaches(sp, thread_pointer(), &bad)) {
		w->is_foreign = 0;
		w->hi = window.hi;
		return;
	}
	window.foreign_lo = page;
	window.foreign_hi = bad / UMEM_PAGE_SIZE;
}

/* window_set - sets hi and is_foreign of @w for a frame at @sp */
static inline void
window_set(struct walk *w, uint64_t sp)
{
	if (__builtin_expect(sp >= window.lo && sp < window.hi, 1)) {
		w->is_foreign = 0;
		w->hi = window.hi;
	} else {
		window_find(w, sp);
	}
}

/* -------------------------------------------------------------- one frame */

/* walk_read - a word of the stack, no lower than the frame in hand */
static STACK_RAW int
walk_read(struct walk *w, uint64_t addr, uint64_t *val_ret)
{
	if (addr < w->at.sp || addr > w->hi - sizeof(*val_ret) || addr % 8 != 0)
		return -1;
	if (w->is_foreign && (addr & PAGE_MASK) != w->page) {
		if (!os_readable((const void *)addr))
			return -1;
		w->page = addr & PAGE_MASK;
	}
	*val_ret = stack_load(addr);
	return 0;
}

/* step_up - to a caller whose frame is at @top; @m as in stack_rule.h */
static int
step_up(struct walk *w, uint64_t top, uint64_t m)
{
	uint64_t pc, bp = w->at.bp;

	if (top <= w->at.sp || walk_read(w, top - 8, &pc) != 0)
		return -1;
	if (m != 0 && walk_read(w, top - m, &bp) != 0)
		return -1;
	w->at.pc = pc;
	w->at.sp = top;
	w->at.bp = bp;
	w->at.exact = 0;
	return 0;
}

/* step_realigned - the caller's frame is kept at @slot, bp where bp points */
static int
step_realigned(struct walk *w, uint64_t slot)
{
	uint64_t top, bp;

	if (walk_read(w, slot, &top) != 0 || walk_read(w, w->at.bp, &bp) != 0 ||
	    step_up(w, top, 0) != 0)
		return -1;
	w->at.bp = bp;
	return 0;
}

/*
 * step_signal - to what a signal interrupted, maybe on another stack.  The
 * kernel left a ucontext at sp; its layout is the kernel's and fixed.
 */
static int
step_signal(struct walk *w)
{
	const uint64_t bp_at = 120, sp_at = 160, pc_at = 168;
	struct stack_frame to = {.exact = 1};

	if (walk_read(w, w->at.sp + bp_at, &to.bp) != 0 ||
	    walk_read(w, w->at.sp + sp_at, &to.sp) != 0 ||
	    walk_read(w, w->at.sp + pc_at, &to.pc) != 0)
		return -1;
	w->at = to;
	w->in_handler = 1;
	window_set(w, to.sp);
	return 0;
}

static inline int
pc_is_ours(uint64_t pc)
{
	return pc - umem_root.root_text_start <
	       umem_root.root_text_end - umem_root.root_text_start;
}

/* walk_rule - the rule for a frame, RULE_NONE if it is not in the table */
static inline uint64_t
walk_rule(const struct stack_frame *at)
{
	/* This library is built without frame pointers. */
	if (__builtin_expect(stack_mode == STACK_POINTERS, 0) &&
	    (rule_table == NULL || !pc_is_ours(at->pc)))
		return rule_make(RULE_BP, 16, 16);
	return rule_get(at->pc - !at->exact);
}

/* walk_step - to the caller, by any kind of rule; -1 when there is none */
static NOINLINE int
walk_step(struct walk *w)
{
	uint64_t rule = walk_rule(&w->at);

	if (rule_kind(rule) == RULE_NONE)
		rule = learn_rule(w->at.pc - !w->at.exact);
	switch (rule_kind(rule)) {
	case RULE_SP:
		return step_up(
		    w, w->at.sp + (uint64_t)rule_k(rule), rule_m(rule));
	case RULE_BP:
		return step_up(
		    w, w->at.bp + (uint64_t)rule_k(rule), rule_m(rule));
	case RULE_LOAD:
		return step_realigned(w, w->at.bp + (uint64_t)rule_k(rule));
	case RULE_SIGNAL:
		return step_signal(w);
	case RULE_OTHER:
		return learn_step(&w->at);
	case RULE_NONE:
	case RULE_END:
		break;
	}
	return -1;
}

/* ---------------------------------------------------------------- walking */

/* walk_note - a frame was reached; 0 when the walk ends with it */
static inline int
walk_note(struct walk *w, struct recorder *r)
{
	const uint64_t pc = w->at.pc;
	int is_shown;

	if (pc - PC_MIN >= USER_TOP - PC_MIN)
		return 0;
	is_shown = !pc_is_ours(pc);
	if (is_shown)
		*w->to++ = pc;
	recorder_pc(r, is_shown, w->to == w->end, &w->at);
	return w->to < w->end;
}

/*
 * walk_foreign - on a stack that may end anywhere.  Ends on the thread's own
 * stack or when there are no more frames.
 */
static int
walk_foreign(struct walk *w, struct recorder *r)
{
	while (walk_note(w, r)) {
		if (walk_step(w) != 0)
			return -1;
		if (!w->is_foreign)
			return 0;
	}
	return -1;
}

/* step_own - step_up() on the thread's own stack, where no load can fail */
static inline STACK_RAW int
step_own(struct walk *w, struct recorder *r, uint64_t rule)
{
	const int by_bp = rule_kind(rule) == RULE_BP;
	const uint64_t sp = w->at.sp, bp = w->at.bp, m = rule_m(rule);
	const uint64_t top = (by_bp ? bp : sp) + (uint64_t)rule_k(rule);

	if (top - sp - 8 >= w->hi - sp || top % 8 != 0 || m > top - sp)
		return -1;
	if (r->path != NULL && !recorder_reaches(r, top))
		recorder_stop(r, 0, &w->at);
	w->at.pc = stack_load(top - 8);
	if (m != 0)
		w->at.bp = stack_load(top - m);
	w->at.sp = top;
	w->at.exact = 0;
	recorder_step(r, by_bp, bp, top, m);
	return 0;
}

/*
 * walk_own - on the thread's own stack.  Where it stands was noted already if
 * @noted.  Ends as walk_foreign does.
 */
static int
walk_own(struct walk *w, struct recorder *r, int noted)
{
	for (; noted || walk_note(w, r); noted = 0) {
		uint64_t rule = walk_rule(&w->at);

		if (__builtin_expect(rule_kind(rule) == RULE_NONE, 0)) {
			(void)learn_rule(w->at.pc - !w->at.exact);
			rule = walk_rule(&w->at);
		}
		if (rule_kind(rule) == RULE_END)
			break;
		if (rule_kind(rule) != RULE_SP && rule_kind(rule) != RULE_BP) {
			recorder_stop(r, 0, &w->at);
			return walk_step(w);
		}
		if (step_own(w, r, rule) != 0)
			break;
	}
	recorder_stop(r, 1, &w->at);
	return -1;
}

/* walk_on - from where it stands to the last frame wanted */
static void
walk_on(struct walk *w, struct recorder *r, int noted)
{
	int rc;

	do {
		rc = w->is_foreign ? walk_foreign(w, r) : walk_own(w, r, noted);
		noted = 0;
	} while (rc == 0);
}

/* walk_number - the number of its trace, when it is at its end */
static uint32_t
walk_number(const struct walk *w)
{
	return trace_number(w->start, (unsigned)(w->to - w->start));
}

/* walk_with - the whole walk, on the thread's own stack, with its memo */
static void
walk_with(struct walk *w, struct memo *memo)
{
	uint16_t *slot = NULL;
	struct path *t = memo_find(memo, &w->at, &slot);
	const struct path_rest *rest;
	struct recorder r = {.path = NULL};

	if (t != NULL && t->number != 0) {
		w->number = t->number;
		return;
	}
	if (t == NULL) {
		t = recorder_start(&r, memo, slot, &w->at);
		rest = r.rest;
		walk_on(w, &r, 0);
	} else {
		rest = &memo->rest[t - memo->path];
		w->to += path_copy(t, rest, w->to, (int)(w->end - w->to));
		w->at = rest->end;
		if (!rest->is_whole)
			walk_on(w, &r, 1);
	}
	w->number = walk_number(w);
	if (rest->is_whole)
		t->number = w->number;
}

/* ------------------------------------------------------------------- memos */

/* memo_destroy - the thread ends; what it still frees is walked in full */
static void
memo_destroy(void *mem)
{
	thread_memo = NO_MEMO;
	meta_free(mem, sizeof(struct memo));
}

static NOINLINE void
memo_create(void)
{
	struct memo *mem;

	thread_memo = NO_MEMO; /* for an allocation that comes in between */
	if (!has_memo_key)
		return;
	mem = meta_alloc(sizeof(*mem));
	if (mem == NULL)
		return;
	if (pthread_setspecific(memo_key, mem) == 0)
		thread_memo = mem;
	else
		meta_free(mem, sizeof(*mem));
}

static inline int
is_memo(const struct memo *memo)
{
	return memo != NULL && memo != NO_MEMO;
}

/* memo_own - the thread's memo; NULL: it has none */
static inline struct memo *
memo_own(void)
{
	if (__builtin_expect(thread_memo == NULL, 0))
		memo_create();
	return is_memo(thread_memo) ? thread_memo : NULL;
}

/* loader_is_calm - nothing is to be seen to */
static inline int
loader_is_calm(void)
{
	return (stack_loader->r_state != RT_DELETE) &
	       !__atomic_load_n(&stack_stale, __ATOMIC_RELAXED);
}

/* loader_watch - see to it that no rule outlives its code */
static inline void
loader_watch(void)
{
	if (__builtin_expect(stack_loader->r_state == RT_DELETE, 0)) {
		__atomic_store_n(&stack_stale, 1, __ATOMIC_RELAXED);
	} else if (__builtin_expect(
		       __atomic_load_n(&stack_stale, __ATOMIC_RELAXED), 0)) {
		__atomic_store_n(&stack_stale, 0, __ATOMIC_RELAXED);
		rule_flush();
	}
}

/* walk_all - from where it stands to the last frame wanted */
static inline void
walk_all(struct walk *w)
{
	struct recorder none = {.path = NULL};
	struct memo *memo;

	window_set(w, w->at.sp);
	memo = w->is_foreign || !w->is_numbered ? NULL : memo_own();
	if (memo != NULL && memo_enter(memo, w->at.sp)) {
		walk_with(w, memo);
		memo_leave(memo);
	} else {
		walk_on(w, &none, 0);
	}
}

unsigned
stack_capture(const struct stack_frame *from, uint64_t *pcs, int max)
{
	struct walk w = {
	    .at = *from, .start = pcs, .to = pcs, .end = pcs + max};

	if (stack_mode == STACK_OFF)
		return 0;
	loader_watch();
	walk_all(&w);
	return (unsigned)(w.to - pcs) | (w.in_handler ? STACK_IN_HANDLER : 0);
}

/*
 * trace_guess - the number of a trace that can be guessed; 0 when it can not.
 * It started on the thread's own stack, so all of that can be read.
 */
static inline uint32_t
trace_guess(struct memo *memo, const struct stack_frame *from)
{
	uint32_t number;

	if (__builtin_expect(!memo_enter(memo, from->sp), 0))
		return 0;
	number = memo_guess(memo, from);
	memo_leave(memo);
	return number;
}

/* trace_walk - stack_trace() by a walk, with room for the frames at @pcs */
static inline uint32_t
trace_walk(const struct stack_frame *from, uint64_t *pcs, int max)
{
	struct walk w = {.at = *from,
	    .is_numbered = 1,
	    .start = pcs,
	    .to = pcs,
	    .end = pcs + max};

	walk_all(&w);
	if (w.number == 0)
		w.number = walk_number(&w);
	return w.number | (w.in_handler ? STACK_IN_HANDLER : 0);
}

/* trace_deep - the same for more frames; room for them is not always there */
static NOINLINE uint32_t
trace_deep(const struct stack_frame *from, int max)
{
	uint64_t pcs[UMEM_MAX_DEPTH];

	return trace_walk(from, pcs, max);
}

/* trace_slow - stack_trace() for when there is no memo, or no good one */
static NOINLINE uint32_t
trace_slow(const struct stack_frame *from)
{
	uint64_t pcs[PATH_FRAMES];
	const int max = (int)umem_root.root_stack_depth;

	if (stack_mode == STACK_OFF || max == 0)
		return 0;
	loader_watch();
	if (max > (int)PATH_FRAMES)
		return trace_deep(from, max);
	return trace_walk(from, pcs, max);
}

uint32_t
stack_trace(const struct stack_frame *from)
{
	struct memo *memo = thread_memo;
	uint32_t number;

	if (__builtin_expect(is_memo(memo) && loader_is_calm(), 1)) {
		number = trace_guess(memo, from);
		if (__builtin_expect(number != 0, 1))
			return number;
	}
	return trace_slow(from);
}

/*
 * main_stack_end - or something further up on the main thread's stack: the
 * kernel puts the random bytes of AT_RANDOM above main's arguments
 */
static uint64_t
main_stack_end(void)
{
	const uint64_t *end = dlsym(RTLD_DEFAULT, "__libc_stack_end");

	return (end != NULL ? *end : getauxval(AT_RANDOM)) & ~(uint64_t)15;
}

void
stack_init(void)
{
	static const struct r_debug no_loader;
	const struct r_debug *loader;
	int can_learn = 0;

	if ((umem_root.root_flags & UMF_AUDIT) == 0 || stack_mode != STACK_OFF)
		return;
	trace_init();
	has_memo_key = pthread_key_create(&memo_key, memo_destroy) == 0;
	stack_main_end = main_stack_end();
	loader = dlsym(RTLD_DEFAULT, "_r_debug");
	stack_loader = loader != NULL ? loader : &no_loader;
	/* In a static program dlopen(3) would bring a second libc. */
	if (loader != NULL)
		can_learn = learn_init() == 0;
	if (can_learn && !umem_settings.set_frame_pointers) {
		stack_mode = STACK_RULES;
		return;
	}
	if (!umem_settings.set_frame_pointers)
		umem_log_message("umem: libunwind is not there: stacks are "
				 "taken by frame pointers\n");
	stack_mode = STACK_POINTERS;
}
