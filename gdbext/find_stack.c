/* SPDX-License-Identifier: MIT */
/*
 * find_stack.c - the parts of stacks that hold nothing alive
 *
 * Below SP (less the red zone of 128 bytes) a stack holds what earlier calls
 * left there.  Taking that for roots hides leaks; taking anything else for a
 * dead stack makes leaks up.  So a part is dead only on evidence:
 *
 *	the first thread's stack	it is the mapping named [stack]
 *	a thread of glibc		its control block, at the top of the
 *					stack, says where the stack starts
 *	another libc's thread		SP and thread pointer in one mapping,
 *					with a guard page right below it
 *	a stack in a buffer		SP lies in an allocated buffer: dead is
 *					the buffer below SP, but for its head,
 *					where a struct around the stack may
 *					keep fields
 *	a handler's stack		the kernel's frame on it says where it
 *					starts, and what SP was on the
 *					thread's own stack (find_signal.c)
 *	a coroutine's stack		its ucontext_t says where it starts
 *					(find_context.c)
 *	one that is suspended	its ucontext_t also says where SP was, if the
 *				stack is as swapcontext(3) left it
 *	one left for another	a ucontext_t that names no stack says where SP
 *				was (find_left.c)
 *	an ended thread's stack		glibc keeps it for the next thread, with
 *					a control block that has no thread id;
 *					and its TLS blocks in buffers
 *
 * Any other stack (of a coroutine that is made in another way) is scanned
 * whole.  So is any other stack that no thread's SP is on.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"

#define RED_ZONE 128u
#define PAGE_MASK ((taddr_t)UMEM_PAGE_SIZE - 1)

/* struct pthread of glibc: what is known of it without its headers. */
#define TCB_WORDS 320u    /* it is about 290 words long */
#define TCB_SELF 2u       /* word 2 points to word 0, and so does word 0 */
#define TCB_TOP 65536u    /* it ends at most so far below its stack's end */
#define TCB_MIN 1024u     /* and at least */
#define STACK_MIN 2048u   /* of a stack, in bytes */
#define BUFFER_HEAD 4096u /* of a stack in a buffer, what is always scanned */

struct tcb {
	taddr_t addr;
	taddr_t lo, hi; /* the stack it stands on, guard included */
	uint64_t guard;
	uint64_t word[TCB_WORDS];
	size_t nword;
};

struct stacks {
	struct snap *snap;
	struct roots *roots;
	taddr_t *sp; /* of all threads and what handlers interrupted, sorted */
	size_t nsp;
	taddr_t *fs; /* thread pointers, sorted */
	size_t nfs;
	taddr_t *other; /* SPs on stacks of which nothing is known */
	size_t nother;
	struct contexts contexts;
	struct range *own; /* threads' own stacks, each once */
	size_t nown;
	struct left *left; /* stacks that were left for coroutines */
	size_t nleft, leftroom;
	struct tcb tcb;
	unsigned tid_word; /* where a control block has the id; 0 unknown */
	unsigned tid_half;
};

/* Read a control block at addr; false when there is none. */
static bool
tcb_read(struct target *tgt, taddr_t addr, struct tcb *tcb)
{
	const struct target_region *r = target_region_at(tgt, addr);
	uint64_t len = sizeof(tcb->word);

	memset(tcb, 0, sizeof(*tcb));
	if (r == NULL || !r->writable || addr % sizeof(uint64_t) != 0)
		return false;
	if (len > r->end - addr)
		len = (r->end - addr) / sizeof(uint64_t) * sizeof(uint64_t);
	tcb->addr = addr;
	tcb->nword = len / sizeof(uint64_t);
	return tcb->nword > TCB_SELF &&
	       target_read(tgt, addr, tcb->word, len, "thread") == UMDB_OK &&
	       tcb->word[0] == addr && tcb->word[TCB_SELF] == addr;
}

/*
 * Can [lo, lo + size) be the stack that a control block stands on?  Then all
 * of it but the guard is in the block's own mapping, and the block at its top.
 */
static bool
tcb_is_on(const struct tcb *tcb, taddr_t map, uint64_t lo, uint64_t size,
    uint64_t guard)
{
	return lo >= UMEM_PAGE_SIZE && lo < tcb->addr && size >= STACK_MIN &&
	       size <= UINT64_MAX - lo && guard < size &&
	       (guard & PAGE_MASK) == 0 && tcb->addr - lo > guard &&
	       lo + guard >= map && lo + size > tcb->addr &&
	       lo + size - tcb->addr >= TCB_MIN &&
	       lo + size - tcb->addr <= TCB_TOP;
}

/*
 * The block's stackblock, stackblock_size and guardsize stand side by side
 * at an offset that differs from release to release.
 */
static bool
tcb_find_stack(struct target *tgt, struct tcb *tcb)
{
	const struct target_region *r = target_region_at(tgt, tcb->addr);
	size_t i;

	for (i = TCB_SELF + 1; r != NULL && i + 2 < tcb->nword; i++) {
		if (!tcb_is_on(tcb, r->start, tcb->word[i], tcb->word[i + 1],
			tcb->word[i + 2]))
			continue;
		tcb->lo = tcb->word[i];
		tcb->hi = tcb->word[i] + tcb->word[i + 1];
		tcb->guard = tcb->word[i + 2];
		return true;
	}
	return false;
}

static int
addr_compare(const void *a, const void *b)
{
	const taddr_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The lowest of n sorted addresses in [lo, hi); hi when there is none. */
static taddr_t
lowest(const taddr_t *v, size_t n, taddr_t lo, taddr_t hi)
{
	size_t a = 0, b = n;

	while (a < b) {
		size_t mid = a + (b - a) / 2;

		if (v[mid] < lo)
			a = mid + 1;
		else
			b = mid;
	}
	return a < n && v[a] < hi ? v[a] : hi;
}

/* Note [lo, end) as dead, unless another thread runs in there. */
static int
dead_between(struct stacks *st, taddr_t lo, taddr_t end)
{
	if (lowest(st->sp, st->nsp, lo, end) != end)
		return UMDB_OK;
	return ranges_add(&st->roots->dead, lo, end);
}

/* The same below SP, where a function that calls no other may keep things. */
static int
dead_below(struct stacks *st, taddr_t lo, taddr_t sp)
{
	if (sp < RED_ZONE || lowest(st->sp, st->nsp, lo, sp) != sp)
		return UMDB_OK;
	return ranges_add(&st->roots->dead, lo, sp - RED_ZONE);
}

/*
 * The same of a stack of which a part may be the stack of a coroutine that
 * runs, such as a local array: what is below that is not below SP.
 */
static int
dead_of_own(struct stacks *st, const struct range *stack, taddr_t sp)
{
	taddr_t lo = find_context_stack(&st->contexts, sp, stack);

	return dead_below(st, lo != 0 ? lo : stack->start, sp);
}

/* SP in an allocated buffer: its dead part may start where *ret does. */
static bool
stack_in_buffer(struct snap *snap, taddr_t sp, struct range *ret)
{
	const struct snap_slab *s;
	uint64_t head;
	uint32_t i;

	if (!snap_buf_at(snap, sp, &s, &i))
		return false;
	head = s->bufsize / 16;
	ret->start = snap_buf_addr(s, i);
	ret->end = ret->start + s->bufsize;
	ret->start += head < BUFFER_HEAD ? head : (uint64_t)BUFFER_HEAD;
	return true;
}

/* A thread runs there, or has its control block there: the buffer is live. */
static int
keep_buffer(struct stacks *st, taddr_t addr)
{
	const struct snap_slab *s;
	uint32_t i;

	if (!snap_buf_at(st->snap, addr, &s, &i))
		return UMDB_OK;
	return roots_add_value(st->roots, snap_buf_addr(s, i));
}

static bool
guard_below(const struct target *tgt, const struct target_region *r)
{
	return r > tgt->region && r[-1].end == r->start && !r[-1].readable &&
	       !r[-1].writable;
}

bool
find_stack_of(
    struct target *tgt, const struct target_thread *t, struct range *ret)
{
	const taddr_t fs = t->reg[TARGET_FSBASE];
	const struct target_region *r;
	struct signal_stack alt;
	taddr_t sp = t->reg[TARGET_RSP];
	struct tcb tcb;

	if (t->have_regs && find_signal_stack(tgt, sp, &alt))
		sp = alt.sp;
	r = target_region_at(tgt, sp);
	if (!t->have_regs || r == NULL)
		return false;
	if (tcb_read(tgt, fs, &tcb) && tcb_find_stack(tgt, &tcb) &&
	    sp >= tcb.lo && sp < tcb.hi) {
		*ret = (struct range){tcb.lo + tcb.guard, tcb.hi};
		return true;
	}
	*ret = (struct range){r->start, r->end};
	return strcmp(r->name, "[stack]") == 0 || (fs > sp && fs < r->end);
}

/* The stack that sp is on, of a thread with the thread pointer fs. */
static int
stack_at(struct stacks *st, taddr_t sp, taddr_t fs)
{
	struct target *tgt = st->snap->tgt;
	const struct target_region *r;
	const bool glibc = tcb_read(tgt, fs, &st->tcb);
	struct tcb *tcb = &st->tcb;
	struct range stack;

	if (glibc && tcb_find_stack(tgt, tcb)) {
		stack = (struct range){tcb->lo + tcb->guard, tcb->addr};
		if (sp >= stack.start && sp < stack.end)
			return dead_of_own(st, &stack, sp);
	}
	r = target_region_at(tgt, sp);
	if (r == NULL || !r->writable)
		return UMDB_OK;
	if (stack_in_buffer(st->snap, sp, &stack))
		return dead_of_own(st, &stack, sp);
	if (snap_ours(st->snap, sp))
		return UMDB_OK;
	stack = (struct range){r->start, r->end};
	if (strcmp(r->name, "[stack]") == 0 ||
	    (!glibc && fs > sp && fs < r->end && guard_below(tgt, r)))
		return dead_of_own(st, &stack, sp);
	st->other[st->nother++] = sp;
	return UMDB_OK;
}

static int
stacks_of_coroutines(struct stacks *st)
{
	int rc = UMDB_OK;
	taddr_t lo;
	size_t i;

	for (i = 0; i < st->nother && rc == UMDB_OK; i++) {
		lo = find_context_stack(&st->contexts, st->other[i], NULL);
		if (lo != 0)
			rc = dead_below(st, lo, st->other[i]);
	}
	return rc;
}

static int
context_compare(const void *a, const void *b)
{
	const struct context *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/*
 * Stacks of coroutines on which neither a thread runs nor one of the @n
 * SPs is, which are sorted.
 */
static void
count_whole(struct stacks *st, const taddr_t *sp, size_t n)
{
	const struct contexts *list = &st->contexts;
	const struct context *c = list->context + list->n;
	taddr_t last = 0, end;
	size_t i;

	for (i = 0; i < list->nother; i++, c++) {
		end = c->lo + c->size;
		if (c->size == 0 || c->lo == last ||
		    !find_context_in_use(st->snap, c->at) ||
		    !find_context_in_use(st->snap, c->lo) ||
		    lowest(st->sp, st->nsp, c->lo, end) != end ||
		    lowest(sp, n, c->lo, end) != end)
			continue;
		last = c->lo;
		st->roots->whole_stacks++;
	}
}

/* Does another, of which that is not known, name the same stack? */
static bool
is_disputed(struct stacks *st, const struct context *c)
{
	const struct contexts *list = &st->contexts;
	const struct context *other = list->context + list->n;
	size_t a = 0, b = list->nother;

	while (a < b) {
		size_t mid = a + (b - a) / 2;

		if (other[mid].lo < c->lo)
			a = mid + 1;
		else
			b = mid;
	}
	for (; a < list->nother && other[a].lo - c->lo < c->size; a++)
		if (other[a].size != 0 &&
		    find_context_in_use(st->snap, other[a].at))
			return true;
	return false;
}

/*
 * The lowest of all SPs that are known of a stack counts.  @known is filled
 * with those of stacks of which that is known.
 */
static int
stacks_of_suspended(struct stacks *st, const taddr_t *all, size_t n,
    taddr_t *known, size_t *nknown)
{
	struct contexts *list = &st->contexts;
	const struct context *c;
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < list->n && rc == UMDB_OK; i++) {
		c = &list->context[i];
		if (c->size == 0 || is_disputed(st, c))
			continue;
		known[(*nknown)++] = c->sp;
		/* all of them called swapcontext(3): no red zone */
		rc = dead_between(st, c->lo, lowest(all, n, c->lo, c->sp));
	}
	return rc;
}

/* ------------------------------------------ stacks left for coroutines */

static int
add_left(struct stacks *st, const struct range *stack)
{
	struct left *more;

	if (st->nleft == st->leftroom) {
		st->leftroom = st->leftroom == 0 ? 16 : st->leftroom * 2;
		more = realloc(st->left, st->leftroom * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		st->left = more;
	}
	st->left[st->nleft++] = (struct left){*stack, 0};
	return UMDB_OK;
}

/* Does nobody run there, but on a coroutine's stack that lies in it? */
static bool
is_left(const struct stacks *st, const struct range *stack)
{
	size_t i;

	for (i = 0; i < st->nsp; i++)
		if (st->sp[i] >= stack->start && st->sp[i] < stack->end &&
		    find_context_stack(&st->contexts, st->sp[i], stack) == 0)
			return false;
	return true;
}

/* SPs of what waits on a stack that is not known, sorted; how many. */
static size_t
list_waiting(const struct contexts *l, taddr_t *sp)
{
	size_t i, n = 0;

	for (i = 0; i < l->n; i++)
		if (l->context[i].size == 0)
			sp[n++] = l->context[i].sp;
	qsort(sp, n, sizeof(*sp), addr_compare);
	return n;
}

/* Of coroutines those on whose stacks another one, or a thread, waits. */
static int
list_left_coroutines(struct stacks *st)
{
	const struct contexts *l = &st->contexts;
	const struct context *c = l->context + l->n;
	taddr_t *sp = calloc(l->n + 1, sizeof(*sp));
	struct range stack;
	int rc = UMDB_OK;
	size_t i, n;

	if (sp == NULL)
		return UMDB_ENOMEM;
	n = list_waiting(l, sp);
	for (i = 0; i < l->nother && rc == UMDB_OK; i++, c++) {
		stack = (struct range){c->lo, c->lo + c->size};
		if (lowest(sp, n, stack.start, stack.end) != stack.end &&
		    find_context_has_top(st->snap->tgt, c) &&
		    is_left(st, &stack))
			rc = add_left(st, &stack);
	}
	free(sp);
	return rc;
}

static int
list_left(struct stacks *st)
{
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < st->nown && rc == UMDB_OK; i++)
		if (is_left(st, &st->own[i]))
			rc = add_left(st, &st->own[i]);
	return rc == UMDB_OK ? list_left_coroutines(st) : rc;
}

static int
stacks_left(struct stacks *st, taddr_t *known, size_t *nknown)
{
	const struct left_view view = {st->sp, st->nsp, st->own, st->nown};
	taddr_t sp;
	size_t i;
	int rc;

	rc =
	    find_left(st->snap->tgt, &st->contexts, &view, st->left, st->nleft);
	for (i = 0; i < st->nleft && rc == UMDB_OK; i++) {
		sp = st->left[i].sp;
		if (sp != 0)
			known[(*nknown)++] = sp;
		/* an SP right above: one that is not as it seems */
		if (sp != 0 &&
		    lowest(st->sp, st->nsp, sp, sp + RED_ZONE) == sp + RED_ZONE)
			rc = dead_between(st, st->left[i].stack.start, sp);
	}
	return rc;
}

/* Of stacks that nobody runs on. */
static int
stacks_that_wait(struct stacks *st)
{
	struct contexts *list = &st->contexts;
	taddr_t *all = calloc(list->n + list->nother + 1, sizeof(*all));
	taddr_t *known = calloc(list->n + st->nleft + 1, sizeof(*known));
	int rc = all == NULL || known == NULL ? UMDB_ENOMEM : UMDB_OK;
	size_t i, n = 0, nknown = 0;

	for (i = 0; i < list->n + list->nother && rc == UMDB_OK; i++)
		if (i < list->n || list->context[i].kind != CONTEXT_SWAP)
			all[n++] = list->context[i].sp;
	if (rc == UMDB_OK && n > 1)
		qsort(all, n, sizeof(*all), addr_compare);
	if (rc == UMDB_OK && list->nother > 1)
		qsort(list->context + list->n, list->nother,
		    sizeof(*list->context), context_compare);
	if (rc == UMDB_OK)
		rc = stacks_of_suspended(st, all, n, known, &nknown);
	if (rc == UMDB_OK && st->nleft > 0)
		rc = stacks_left(st, known, &nknown);
	if (rc == UMDB_OK && nknown > 1)
		qsort(known, nknown, sizeof(*known), addr_compare);
	if (rc == UMDB_OK)
		count_whole(st, known, nknown);
	free(all);
	free(known);
	return rc;
}

static bool
has_coroutines(const struct stacks *st)
{
	size_t i;

	for (i = 0; i < st->contexts.n; i++)
		if (st->contexts.context[i].size != 0)
			return true;
	return st->nother > 0 || st->nleft > 0;
}

static int
stacks_with_contexts(struct stacks *st)
{
	int rc = list_left(st);

	if (rc == UMDB_OK && has_coroutines(st)) {
		free(st->contexts.context);
		find_reads_again(st->snap->tgt);
		rc = find_context_all(st->snap, &st->contexts);
	}
	if (rc == UMDB_OK)
		rc = stacks_of_coroutines(st);
	if (rc == UMDB_OK)
		rc = stacks_that_wait(st);
	return rc;
}

static int
stack_of_thread(struct stacks *st, const struct target_thread *t)
{
	const taddr_t sp = t->reg[TARGET_RSP], fs = t->reg[TARGET_FSBASE];
	struct signal_stack alt;
	int rc;

	if (!find_signal_stack(st->snap->tgt, sp, &alt))
		return stack_at(st, sp, fs);
	rc = keep_buffer(st, alt.sp);
	if (rc == UMDB_OK)
		rc = dead_below(st, alt.lo, sp);
	return rc == UMDB_OK ? stack_at(st, alt.sp, fs) : rc;
}

/* Where do control blocks keep the thread's id?  Where all of these do. */
static void
learn_tid(struct stacks *st)
{
	enum { FIRST = 64, HALVES = 2 * TCB_WORDS };
	struct target *tgt = st->snap->tgt;
	const struct target_thread *t;
	unsigned char same[HALVES];
	struct tcb *tcb = &st->tcb;
	unsigned h, seen = 0;
	size_t i;

	memset(same, 1, sizeof(same));
	for (i = 0; i < tgt->nthread; i++) {
		t = &tgt->thread[i];
		if (!t->have_regs || !tcb_read(tgt, t->reg[TARGET_FSBASE], tcb))
			continue;
		seen++;
		for (h = 0; h < HALVES; h++)
			if (h / 2 >= tcb->nword ||
			    (uint32_t)(tcb->word[h / 2] >> (h % 2 * 32)) !=
				t->lwp)
				same[h] = 0;
	}
	for (h = FIRST; seen > 0 && h < HALVES; h++) {
		if (!same[h])
			continue;
		st->tid_word = h / 2;
		st->tid_half = h % 2;
		return;
	}
}

/* The kernel clears the id of a thread that ends, pthread_join makes it -1. */
static bool
tid_is_none(const struct stacks *st, const struct tcb *tcb)
{
	const uint32_t tid =
	    (uint32_t)(tcb->word[st->tid_word] >> st->tid_half * 32);

	return tid == 0 || tid == UINT32_MAX;
}

/*
 * Of an ended thread's TLS blocks of dlopen(3)ed objects, nothing counts.  They
 * are buffers, which glibc frees when the stack serves again, so that they are
 * no leaks themselves; an entry of the table has what to free behind where the
 * block is.
 */
static int
blocks_of_ended(struct stacks *st, taddr_t tcb)
{
	enum { TCB_DTV = 8, ENTRY = 16, MOST = 4096 };
	struct target *tgt = st->snap->tgt;
	const struct snap_slab *s;
	uint64_t n, entry[2];
	taddr_t dtv, buf;
	uint32_t index;
	int rc = UMDB_OK;

	if (target_read(tgt, tcb + TCB_DTV, &dtv, sizeof(dtv), "TLS") !=
		UMDB_OK ||
	    dtv <= ENTRY ||
	    target_read(tgt, dtv - ENTRY, &n, sizeof(n), "TLS") != UMDB_OK)
		return UMDB_OK;
	for (; n > 0 && n <= MOST && rc == UMDB_OK; n--) {
		if (target_read(tgt, dtv + n * ENTRY, entry, sizeof(entry),
			"TLS") != UMDB_OK ||
		    entry[1] == 0 ||
		    !snap_buf_at(st->snap, entry[1], &s, &index))
			continue;
		buf = snap_buf_addr(s, index);
		if (entry[1] == buf && entry[0] - buf < s->bufsize)
			rc =
			    ranges_add(&st->roots->dead, buf, buf + s->bufsize);
	}
	return rc;
}

static int
stack_of_ended(struct stacks *st, taddr_t addr)
{
	struct target *tgt = st->snap->tgt;
	struct tcb *tcb = &st->tcb;
	int rc;

	if (lowest(st->fs, st->nfs, addr, addr + 1) == addr ||
	    !tcb_read(tgt, addr, tcb) || !tcb_find_stack(tgt, tcb) ||
	    st->tid_word >= tcb->nword || !tid_is_none(st, tcb) ||
	    lowest(st->sp, st->nsp, tcb->lo, tcb->hi) != tcb->hi)
		return UMDB_OK;
	rc = ranges_add(&st->roots->dead, tcb->lo + tcb->guard, tcb->addr);
	if (rc == UMDB_OK)
		rc = blocks_of_ended(st, addr);
	if (rc == UMDB_OK)
		rc = roots_add_dtv(tgt, st->roots, addr);
	return rc;
}

/*
 * glibc links the control blocks of all threads on rings: those on stacks of
 * its own, those on the program's, and stacks that wait to be used again.  A
 * ring's head stands in the loader's data, next to the heads of the others.
 */
struct link {
	uint64_t next, prev;
};

/* Is there a link of a ring at addr? */
static bool
link_read(struct target *tgt, taddr_t addr, struct link *ret)
{
	struct link other;

	return addr % sizeof(uint64_t) == 0 &&
	       target_read(tgt, addr, ret, sizeof(*ret), "thread") == UMDB_OK &&
	       ret->next != 0 && ret->prev != 0 &&
	       target_read(tgt, ret->next, &other, sizeof(other), "thread") ==
		   UMDB_OK &&
	       other.prev == addr &&
	       target_read(tgt, ret->prev, &other, sizeof(other), "thread") ==
		   UMDB_OK &&
	       other.next == addr;
}

/* Where in a control block is its link?  0: not known. */
static uint64_t
learn_link(struct stacks *st)
{
	struct target *tgt = st->snap->tgt;
	struct link link;
	taddr_t fs;
	size_t i;
	unsigned w;

	for (i = 0; i < st->nfs; i++) {
		fs = st->fs[i];
		if (!tcb_read(tgt, fs, &st->tcb))
			continue;
		for (w = TCB_SELF + 1; w + 1 < st->tcb.nword; w++)
			if (st->tcb.word[w] != fs + w * sizeof(uint64_t) &&
			    st->tcb.word[w] != 0 &&
			    link_read(tgt, fs + w * sizeof(uint64_t), &link))
				return w * sizeof(uint64_t);
	}
	return 0;
}

/* Look at each control block of the ring at addr; *head_ret: what is none. */
static int
walk_ring(struct stacks *st, taddr_t addr, uint64_t off, taddr_t *head_ret)
{
	struct target *tgt = st->snap->tgt;
	const taddr_t start = addr;
	struct guard guard = {0};
	struct link link;
	int rc = UMDB_OK;

	do {
		if (guard_loops(&guard, addr) || !link_read(tgt, addr, &link))
			break;
		if (target_poll(tgt, "threads", 0, 0))
			return UMDB_EINTR;
		if (tcb_read(tgt, addr - off, &st->tcb))
			rc = stack_of_ended(st, addr - off);
		else
			*head_ret = addr;
		addr = link.next;
	} while (addr != start && rc == UMDB_OK);
	return rc;
}

static int
stacks_of_rings(struct stacks *st)
{
	const uint64_t off = learn_link(st);
	taddr_t head = 0, none, at;
	struct link link;
	size_t i;
	int rc = UMDB_OK;

	if (off == 0)
		return UMDB_OK;
	for (i = 0; i < st->nfs && rc == UMDB_OK && head == 0; i++)
		if (tcb_read(st->snap->tgt, st->fs[i], &st->tcb))
			rc = walk_ring(st, st->fs[i] + off, off, &head);
	if (head < 2 * sizeof(link))
		return rc;
	for (at = head - 2 * sizeof(link);
	     at <= head + 2 * sizeof(link) && rc == UMDB_OK; at += sizeof(link))
		if (link_read(st->snap->tgt, at, &link))
			rc = walk_ring(st, at, off, &none);
	return rc;
}

/* Look for a control block in the last bytes before end. */
static int
search_end(struct stacks *st, taddr_t start, taddr_t end)
{
	uint64_t word[TCB_WORDS * 2], len = sizeof(word);
	taddr_t at;
	size_t i;
	int rc;

	if (len > end - start)
		return UMDB_OK;
	at = end - len;
	if (target_read(st->snap->tgt, at, word, len, "stack") != UMDB_OK)
		return UMDB_OK;
	for (i = 0; i + TCB_SELF < TCB_WORDS * 2; i++) {
		if (word[i] != at + i * sizeof(uint64_t) ||
		    word[i + TCB_SELF] != word[i])
			continue;
		rc = stack_of_ended(st, word[i]);
		if (rc != UMDB_OK)
			return rc;
	}
	return UMDB_OK;
}

/*
 * Stacks of threads that have ended: those on glibc's rings, and where these
 * are not found, what looks like one: a mapping that starts behind a guard
 * page and ends with a control block.
 */
static int
stacks_of_ended(struct stacks *st)
{
	struct target *tgt = st->snap->tgt;
	const struct target_region *r;
	size_t i;
	int rc = stacks_of_rings(st);

	for (i = 0; i < tgt->nregion && rc == UMDB_OK; i++) {
		r = &tgt->region[i];
		if (r->writable && r->dumped && !r->file && !r->shared &&
		    guard_below(tgt, r))
			rc = search_end(st, r->start, r->end);
	}
	return rc;
}

/* The stacks that threads were made with, and the first one's. */
static void
list_own(struct stacks *st)
{
	struct target *tgt = st->snap->tgt;
	size_t i;

	for (i = 0; i < st->nfs; i++)
		if ((i == 0 || st->fs[i] != st->fs[i - 1]) &&
		    tcb_read(tgt, st->fs[i], &st->tcb) &&
		    tcb_find_stack(tgt, &st->tcb))
			st->own[st->nown++] = (struct range){
			    st->tcb.lo + st->tcb.guard, st->tcb.addr};
	for (i = 0; i < tgt->nregion; i++) {
		if (strcmp(tgt->region[i].name, "[stack]") != 0)
			continue;
		st->own[st->nown++] =
		    (struct range){tgt->region[i].start, tgt->region[i].end};
		break;
	}
}

/* Sorted SPs and thread pointers.  Sets *all_ret when no thread lacks them. */
static int
stacks_init(struct stacks *st, bool *all_ret)
{
	struct target *tgt = st->snap->tgt;
	const struct target_thread *t;
	struct signal_stack alt;
	size_t i, n = 0;

	st->sp = calloc(2 * tgt->nthread + 1, sizeof(*st->sp));
	st->fs = calloc(tgt->nthread + 1, sizeof(*st->fs));
	st->other = calloc(tgt->nthread + 1, sizeof(*st->other));
	st->own = calloc(tgt->nthread + 1, sizeof(*st->own));
	if (st->sp == NULL || st->fs == NULL || st->other == NULL ||
	    st->own == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < tgt->nthread; i++) {
		t = &tgt->thread[i];
		if (!t->have_regs)
			continue;
		st->sp[st->nsp++] = t->reg[TARGET_RSP];
		if (find_signal_stack(tgt, t->reg[TARGET_RSP], &alt))
			st->sp[st->nsp++] = alt.sp;
		st->fs[st->nfs++] = t->reg[TARGET_FSBASE];
		n++;
	}
	qsort(st->sp, st->nsp, sizeof(*st->sp), addr_compare);
	qsort(st->fs, st->nfs, sizeof(*st->fs), addr_compare);
	*all_ret = n == tgt->nthread;
	list_own(st);
	return find_context_suspended(st->snap, &st->contexts);
}

int
find_root_stacks(struct snap *snap, struct roots *roots)
{
	struct target *tgt = snap->tgt;
	struct stacks *st = calloc(1, sizeof(*st));
	bool all = false;
	int rc;
	size_t i;

	if (st == NULL)
		return UMDB_ENOMEM;
	st->snap = snap;
	st->roots = roots;
	rc = stacks_init(st, &all);
	for (i = 0; i < tgt->nthread && rc == UMDB_OK; i++) {
		const struct target_thread *t = &tgt->thread[i];

		if (!t->have_regs)
			continue;
		rc = keep_buffer(st, t->reg[TARGET_RSP]);
		if (rc == UMDB_OK)
			rc = keep_buffer(st, t->reg[TARGET_FSBASE]);
		if (rc == UMDB_OK)
			rc = stack_of_thread(st, t);
	}
	if (rc == UMDB_OK)
		rc = stacks_with_contexts(st);
	if (rc == UMDB_OK)
		rc = find_saved(tgt, roots);
	if (rc == UMDB_OK && all)
		learn_tid(st);
	if (rc == UMDB_OK && st->tid_word != 0)
		rc = stacks_of_ended(st);
	ranges_settle(&roots->dead);
	free(st->sp);
	free(st->fs);
	free(st->other);
	free(st->own);
	free(st->left);
	free(st->contexts.context);
	free(st);
	return rc;
}
