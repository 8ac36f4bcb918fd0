/* SPDX-License-Identifier: MIT */
/*
 * find_mark.h - which buffers can be reached
 *
 * The parts of findleaks that only it uses.  find_root.c says where pointers
 * can start from, find_walk.c follows them, find_leak.c makes leaks of what
 * was not reached.
 *
 * Layer: above find_inner.h and walk.h; below find.h.
 */
#ifndef UMDB_FIND_MARK_H
#define UMDB_FIND_MARK_H

#include "find.h"
#include "find_inner.h"

/* ---------------------------------------------------------------- roots */

struct range {
	taddr_t start, end;
};

struct ranges {
	struct range *r;
	size_t n, room;
};

/* ranges_add - append; an empty range is ignored */
int ranges_add(struct ranges *l, taddr_t start, taddr_t end);

/* ranges_settle - sort and join what touches */
void ranges_settle(struct ranges *l);

/*
 * ranges_subtract - take @b out of @a; both settled, @a remains so.  Returns
 * UMDB_OK or UMDB_ENOMEM.
 */
int ranges_subtract(struct ranges *a, const struct ranges *b);

struct roots {
	struct ranges memory; /* settled */
	struct ranges dead;   /* stacks below SP, padding; settled */
	uint64_t *value;      /* registers and the like */
	size_t nvalue, room;
	uint64_t unread; /* writable bytes that the target does not hold */
	/* coroutines' stacks that are roots as a whole: no SP is known of them */
	uint64_t whole_stacks;
};

/*
 * find_roots - all places from which a pointer keeps a buffer alive.  Returns
 * UMDB_OK, UMDB_ENOMEM or UMDB_EINTR; find_roots_free in either case.
 */
int find_roots(struct snap *snap, struct roots *roots);
void find_roots_free(struct roots *roots);

/* find_root_memory - of these, the mappings alone: roots->memory, unread */
int find_root_memory(struct snap *snap, struct roots *roots);

/*
 * find_reads_plan - plan what find_mark_init and the search behind it will
 * read, see target_plan: the search ends it.  UMDB_OK or UMDB_ENOMEM.
 * find_reads_again - all writable memory will be read once more
 */
int find_reads_plan(struct snap *snap);
void find_reads_again(struct target *tgt);

/* roots_add_value - append to roots->value.  UMDB_OK or UMDB_ENOMEM. */
int roots_add_value(struct roots *roots, uint64_t v);

/*
 * find_root_slot - what a register of a thread inside the library points to,
 * if it points to the library's memory: a buffer that was taken from a
 * magazine whose top has sunk already, and not loaded yet.  Or 0.
 */
uint64_t find_root_slot(
    struct snap *snap, const struct target_thread *t, size_t reg);

/*
 * find_root_vectors - how many words of t->vector are roots: all, or none when
 * the thread is in a system call.  A call preserves no vector register, so
 * whoever called has what counts elsewhere; what is left there is of memcpy
 * and the like.
 */
size_t find_root_vectors(struct snap *snap, const struct target_thread *t);

/*
 * roots_add_dtv - glibc's thread control block leads to a table of the
 * thread's TLS blocks by the address of the second entry, 16 bytes into what
 * it allocated: make its start a root.  UMDB_OK or UMDB_ENOMEM.
 */
int roots_add_dtv(struct target *tgt, struct roots *roots, taddr_t tcb);

/*
 * find_root_stacks - fill roots->dead: the parts of stacks below SP, and the
 * stacks of threads that have ended.  UMDB_OK, UMDB_ENOMEM or UMDB_EINTR.
 */
int find_root_stacks(struct snap *snap, struct roots *roots);

/*
 * Words of a ucontext_t: the kernel writes one as it delivers a signal,
 * getcontext(3) of glibc another, which goes on behind UC_WORDS.
 */
enum {
	UC_FLAGS = 0,
	UC_LINK = 1,
	UC_STACK_SP = 2,
	UC_STACK_SIZE = 4,
	UC_RDI = 13,
	UC_RSI = 14,
	UC_RSP = 20,
	UC_RIP = 21,
	UC_EFLAGS = 22,
	UC_SEGMENTS = 23,
	UC_FPSTATE = 28, /* where the floating-point state is */
	UC_WORDS = 29,
	UC_SIGMASK = 37,
	UC_FPREGS = 53, /* glibc's own room for such a state */
	UC_SSP = 117
};
#define UC_FLAGS_MAX 7u
#define USER_CS 0x33u
#define EFLAGS_ALWAYS 0x2u
#define EFLAGS_ALL 0x3fffffu

/* Words of a jmp_buf. */
enum { JB_RBP = 1, JB_SP = 6, JB_PC = 7, JB_FLAG = 8, JB_WORDS = 9 };
#define ADDR_BITS 47u

static inline uint64_t
find_saved_unmangle(uint64_t secret, uint64_t word)
{
	return (word >> 17 | word << 47) ^ secret;
}

/* The alternate signal stack that a thread is on. */
struct signal_stack {
	taddr_t lo, hi;
	taddr_t sp; /* of what was interrupted, on another stack */
};

/*
 * find_signal_stack - is a thread with this SP in a handler on an alternate
 * stack?  False when it is not, or when that cannot be told.
 */
bool find_signal_stack(
    struct target *tgt, taddr_t sp, struct signal_stack *ret);

enum context_kind {
	CONTEXT_SWAP,   /* a ucontext_t of swapcontext(3) or getcontext(3) */
	CONTEXT_JUMP,   /* a jmp_buf */
	CONTEXT_SIGNAL, /* a ucontext_t of the kernel's */
};

/* What waits there, or once did. */
struct context {
	enum context_kind kind;
	taddr_t at;    /* where it lies */
	taddr_t lo;    /* of the coroutine's stack that it names and SP is on */
	uint64_t size; /* of that; 0: it names none */
	taddr_t link;  /* of a coroutine: its uc_link */
	taddr_t sp;    /* of a signal: below what may be in use */
	taddr_t pc;
	taddr_t to; /* the ucontext_t that it was left for, or 0 */
};

struct contexts {
	struct context *context; /* first those that wait to be resumed */
	size_t n, nother, room;  /* how many wait; how many do not */
};

/*
 * find_context_suspended - coroutines that swapcontext(3) left, and which
 * nothing has resumed since; behind them all others that a ucontext_t is of.
 * Some are not found: they count as a whole.
 * UMDB_OK, UMDB_ENOMEM or UMDB_EINTR; free ret->context in either case.
 */
int find_context_suspended(struct snap *snap, struct contexts *ret);

/*
 * find_context_places - where that looks, settled; free ret->r in either case
 */
int find_context_places(struct snap *snap, struct ranges *ret);

/* find_context_all - in all memory, and those of the other kinds too */
int find_context_all(struct snap *snap, struct contexts *ret);

/* find_context_in_use - memory in no buffer, or in one that is allocated */
bool find_context_in_use(struct snap *snap, taddr_t addr);

/* find_context_behind_call - does a call end right before this instruction? */
bool find_context_behind_call(struct target *tgt, taddr_t pc);

/*
 * find_context_has_top - is the top of the coroutine's stack as makecontext(3)
 * made it?  Not when the coroutine has returned.
 */
bool find_context_has_top(struct target *tgt, const struct context *c);

/*
 * find_context_stack - where the coroutine's stack starts that an SP is on, or
 * 0.  With @within it is one that is a part of that.
 */
taddr_t find_context_stack(
    const struct contexts *l, taddr_t sp, const struct range *within);

/* A stack that was left for a coroutine's. */
struct left {
	struct range stack;
	taddr_t sp; /* as it was then; 0: not known */
};

struct left_view {
	const taddr_t *sp; /* of all threads, interrupted ones too */
	size_t nsp;
	const struct range *own; /* the threads' own stacks */
	size_t nown;
};

/*
 * find_left - say for each of @n stacks which SP it was left with.  @all is
 * from find_context_all.  UMDB_OK, UMDB_ENOMEM or UMDB_EINTR.
 */
int find_left(struct target *tgt, const struct contexts *all,
    const struct left_view *view, struct left *left, size_t n);

/*
 * find_saved - registers that setjmp(3), getcontext(3) and the kernel saved on
 * stacks and in data: add what they hold mangled to roots->value, and what
 * they hold by chance to roots->dead.  UMDB_OK, UMDB_ENOMEM or UMDB_EINTR.
 */
int find_saved(struct target *tgt, struct roots *roots);

/*
 * find_saved_jump - are these words a jmp_buf?  Then sets the SP and PC in it.
 * find_saved_frame - are these words what the kernel saved?
 * find_saved_secret - what jmp_bufs are mangled with; 0: not known
 */
bool find_saved_jump(const struct target *tgt, uint64_t secret,
    const uint64_t *w, taddr_t *sp, taddr_t *pc);
bool find_saved_frame(const uint64_t *w);
uint64_t find_saved_secret(struct target *tgt);

/* find_saved_is_data - of a loaded object, or the rest of its bss */
bool find_saved_is_data(const struct target *tgt, size_t region);

/* find_saved_in_call - does a system call end right before this instruction? */
bool find_saved_in_call(struct target *tgt, taddr_t pc);

/*
 * find_stack_of - bounds of the stack that a thread runs on, or ran on when a
 * handler interrupted it; control block included.  False when they are not
 * known.
 */
bool find_stack_of(
    struct target *tgt, const struct target_thread *t, struct range *ret);

/* ---------------------------------------------------------------- marks */

/* Of each buffer, in mark->state; the order is used. */
enum mark_state {
	MARK_NONE,   /* not a candidate: free, or not the client's */
	MARK_WHITE,  /* a candidate that nothing was seen to point to */
	MARK_INSIDE, /* live memory points to its inside */
	MARK_LIVE,   /* reached by pointers to starts */
	MARK_MAYBE,  /* reached, but not so */
	MARK_SEEN,   /* lost; passed in the first of two passes */
	MARK_LOST,   /* lost; another lost buffer leads to it */
	MARK_HEAD,   /* lost; nothing leads to it, or it stands for a cycle */
	MARK_STATES,
};

#define MARK_SLAB_DEAD 0x1u  /* a thread runs on a stack in there */
#define MARK_SLAB_LARGE 0x2u /* the size is exact */
#define MARK_SLAB_TAG 0x4u   /* the size stands in the buftag */
#define MARK_SLAB_ALONE 0x8u /* may have a guard page behind it */

/* What the inner loop needs to know of a slab: one cache line. */
struct mark_slab {
	taddr_t first;
	uint64_t recip; /* 2^64 / chunksize, rounded up; 0: one chunk */
	uint64_t chunksize;
	uint64_t bufsize;
	const uint8_t *bytes;  /* local address of chunk 0, or NULL */
	const uint8_t *bufctl; /* local address of the bufctls, or NULL */
	uint8_t *state;
	uint16_t nchunk; /* 0: not a slab of candidates */
	uint16_t tag;    /* MARK_SLAB_TAG: words from a chunk to its buftag */
	uint16_t flags;
};
_Static_assert(sizeof(struct mark_slab) == 64, "a slab is a cache line");
_Static_assert(UMEM_MAX_CHUNKS <= UINT16_MAX, "nchunk is wide enough");

#define MARK_TOP_SHIFT 30 /* addresses of one entry of mark->top */
#define MARK_LEAF_PAGES (1u << (MARK_TOP_SHIFT - UMEM_PAGE_SHIFT))

struct mark {
	struct snap *snap;
	struct mem mem;
	struct roots roots;
	taddr_t lo, len; /* all candidates lie in [lo, lo + len) */
	/*
	 * One entry for each GiB from lo: 0, a leaf with the ordinal + 1 of
	 * the slab of each page, or 2 * ordinal + 1 of one slab that has all.
	 */
	uintptr_t *top;
	size_t ntop;
	struct mark_slab *slab; /* as snap->slab */
	uint8_t *state;         /* as snap->state */
	uint64_t *least;        /* by cache: least size that it serves */
	/*
	 * Of what is LOST or HEAD, as snap->state: the number, from 1, of the
	 * head that leads to it; of several the last in order of address.
	 * NULL when nothing is.
	 */
	uint32_t *owner;
	uint32_t nhead;
	struct leak_stats stats;
	/* for tests; 0: as it is best */
	unsigned workers; /* threads */
	uint64_t gather;  /* numbers in gather->to */
};

/* find_mark_slab - of a word @rel < mark->len from mark->lo, or NULL */
static inline const struct mark_slab *
find_mark_slab(const struct mark *m, uint64_t rel)
{
	const uintptr_t top = m->top[rel >> MARK_TOP_SHIFT];
	uint32_t ordinal;

	if ((top & 1) != 0)
		return &m->slab[top >> 1];
	if (top == 0)
		return NULL;
	ordinal =
	    ((const uint32_t *)top)[(rel >> UMEM_PAGE_SHIFT) % MARK_LEAF_PAGES];
	return ordinal == 0 ? NULL : &m->slab[ordinal - 1];
}

/*
 * find_mark_init - candidates and roots of a snapshot; find_mark_fini in
 * either case.  Returns UMDB_OK or an error.
 */
int find_mark_init(struct mark *mark, struct snap *snap);
void find_mark_fini(struct mark *mark);

/**
 * find_mark_run - follow all pointers
 *
 * Afterwards each candidate is MARK_LIVE, MARK_MAYBE, MARK_LOST or MARK_HEAD.
 * Returns UMDB_OK, UMDB_EINTR, or UMDB_ENOMEM.
 */
int find_mark_run(struct mark *mark);

/*
 * find_mark_size - bytes that the client asked for; find_mark_exact - false
 * when that is unknown and find_mark_size says what the buffer has room for
 */
uint64_t find_mark_size(const struct mark_slab *s, uint32_t index);
bool find_mark_exact(const struct mark_slab *s);

/*
 * find_mark_record - the bufctl of a buffer; false when it has none, or it is
 * another's
 */
bool find_mark_record(const struct mark *m, const struct snap_slab *s,
    uint32_t index, umem_bufctl_audit_t *ret);

#endif /* UMDB_FIND_MARK_H */
