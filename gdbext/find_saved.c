/* SPDX-License-Identifier: MIT */
/*
 * find_saved.c - registers that were saved in memory
 *
 * Three ways of saving them are recognised, wherever they are on a stack from
 * SP up, or in data of the program and of its libraries:
 *
 *	setjmp(3) of glibc mangles SP, PC and RBP with a secret that stands in
 *	the thread's control block.  With the secret taken out of them SP lies
 *	in memory and PC in code: so it is a jmp_buf.  RBP is a root, as it may
 *	be the only pointer to a buffer.  The flag behind the registers is an
 *	int: the other half of its word is padding and holds what stood there
 *	before, such as the upper half of an address.  Each thread starts with
 *	a jmp_buf at the top of its stack.
 *
 *	getcontext(3) of glibc saves no vector registers, but leaves room for
 *	them and for a longer signal mask: that room holds what stood there
 *	before.
 *
 *	the kernel saves all registers as it delivers a signal.  If that
 *	interrupted a system call, the vector registers of the frame keep
 *	nothing, as in a thread that is in one (find_root_vectors).
 *
 * And no register, but found on the way: the buffer of initstate(3).  glibc
 * keeps pointers to its second int, with its size in other terms beside them.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"

#define WORD sizeof(uint64_t)
#define PIECE 65536u /* bytes looked at together */

/* Where the secret is in a control block. */
#define TCB_SELF 0x10u
#define TCB_SECRET 0x30u

/* The kernel's floating-point state: what it says of its own size. */
#define FP_ALIGN 64u
#define FP_MAGIC_AT 464u
#define FP_MAGIC 0x46505853u
#define FP_SIZE_MIN 512u
#define FP_SIZE_MAX 65536u

#define WORDS_MAX (UC_FPREGS + 1u) /* looked at from one word on */

struct saved {
	struct target *tgt;
	struct roots *roots;
	uint64_t secret;
};

/* Can a thread have run there? */
static bool
is_place(const struct target *tgt, taddr_t sp, taddr_t pc)
{
	const struct target_region *stack, *code;

	if ((sp | pc) >> ADDR_BITS != 0 || sp % WORD != 0)
		return false;
	stack = target_region_at(tgt, sp);
	code = target_region_at(tgt, pc);
	return stack != NULL && stack->writable && code != NULL &&
	       code->executable;
}

bool
find_saved_jump(const struct target *tgt, uint64_t secret, const uint64_t *w,
    taddr_t *sp, taddr_t *pc)
{
	*sp = find_saved_unmangle(secret, w[JB_SP]);
	*pc = find_saved_unmangle(secret, w[JB_PC]);
	return is_place(tgt, *sp, *pc);
}

static int
take_jump(struct saved *v, taddr_t at, const uint64_t *w)
{
	taddr_t sp, pc;
	int rc;

	if (!find_saved_jump(v->tgt, v->secret, w, &sp, &pc))
		return UMDB_OK;
	rc = roots_add_value(
	    v->roots, find_saved_unmangle(v->secret, w[JB_RBP]));
	if (rc == UMDB_OK && (uint32_t)w[JB_FLAG] <= 1)
		rc = ranges_add(&v->roots->dead, at + JB_FLAG * WORD,
		    at + JB_FLAG * WORD + WORD);
	return rc;
}

/* struct random_data of glibc: whose state starts behind an int. */
static int
take_random(struct saved *v, const uint64_t *w)
{
	enum { FRONT, REAR, STATE, TYPE, SEPARATION, END, TYPES = 5 };
	static const struct {
		uint32_t degree, separation;
	} poly[TYPES] = {{0, 0}, {7, 3}, {15, 1}, {31, 3}, {63, 1}};
	const uint32_t type = (uint32_t)w[TYPE];
	uint64_t size;

	if (type >= TYPES || w[TYPE] >> 32 != poly[type].degree ||
	    (uint32_t)w[SEPARATION] != poly[type].separation ||
	    w[STATE] % WORD != sizeof(int32_t))
		return UMDB_OK;
	size = poly[type].degree * sizeof(int32_t);
	if (w[END] - w[STATE] != size ||
	    (type != 0 &&
		(w[FRONT] - w[STATE] >= size || w[REAR] - w[STATE] >= size)))
		return UMDB_OK;
	return roots_add_value(v->roots, w[STATE] - sizeof(int32_t));
}

/*
 * Of a ucontext_t that getcontext(3) filled, what it did not write.  A pointer
 * that far ahead is not rare on a stack: SP and PC are looked at too, and the
 * half of the floating-point control word that is always set.
 */
static int
take_context(struct saved *v, taddr_t at, const uint64_t *w)
{
	int rc;

	if (!is_place(v->tgt, w[UC_RSP], w[UC_RIP]) ||
	    (w[UC_FPREGS] >> 16 & UINT16_MAX) != UINT16_MAX)
		return UMDB_OK;
	rc = ranges_add(&v->roots->dead, at + (UC_SIGMASK + 1) * WORD,
	    at + UC_FPREGS * WORD);

	if (rc == UMDB_OK)
		rc = ranges_add(&v->roots->dead, at + (UC_FPREGS + 4) * WORD,
		    at + UC_SSP * WORD);
	return rc;
}

bool
find_saved_frame(const uint64_t *w)
{
	const taddr_t fp = w[UC_FPSTATE];

	return w[UC_FLAGS] <= UC_FLAGS_MAX && w[UC_LINK] == 0 &&
	       (w[UC_SEGMENTS] & UINT16_MAX) == USER_CS &&
	       (w[UC_EFLAGS] & EFLAGS_ALWAYS) != 0 &&
	       w[UC_EFLAGS] <= EFLAGS_ALL && fp % FP_ALIGN == 0 && fp != 0;
}

/* A frame of the kernel's, of a signal that came in a system call. */
static int
take_frame(struct saved *v, taddr_t at, const uint64_t *w)
{
	const taddr_t fp = w[UC_FPSTATE];
	uint32_t magic[2];

	if (!find_saved_frame(w) || fp - at > FP_SIZE_MAX ||
	    !find_saved_in_call(v->tgt, w[UC_RIP]) ||
	    target_read(v->tgt, fp + FP_MAGIC_AT, magic, sizeof(magic),
		"signal frame") != UMDB_OK ||
	    magic[0] != FP_MAGIC || magic[1] < FP_SIZE_MIN ||
	    magic[1] > FP_SIZE_MAX)
		return UMDB_OK;
	return ranges_add(&v->roots->dead, fp, fp + magic[1]);
}

/* What starts with these words, which stand at @at? */
static int
take(struct saved *v, taddr_t at, const uint64_t *w, size_t n)
{
	int rc = v->secret != 0 ? take_jump(v, at, w) : UMDB_OK;

	if (rc == UMDB_OK)
		rc = take_random(v, w);
	if (rc != UMDB_OK || n < WORDS_MAX)
		return rc;
	if (w[UC_FPSTATE] == at + UC_FPREGS * WORD)
		return take_context(v, at, w);
	if ((w[UC_SEGMENTS] & UINT16_MAX) == USER_CS)
		return take_frame(v, at, w);
	return UMDB_OK;
}

static int
search(struct saved *v, taddr_t at, taddr_t end)
{
	uint64_t word[PIECE / WORD + WORDS_MAX], len;
	int rc = UMDB_OK;
	size_t i;

	at = (at + WORD - 1) & ~(taddr_t)(WORD - 1);
	for (; at < end && end - at >= JB_WORDS * WORD; at += PIECE) {
		if (target_poll(v->tgt, "looking for saved registers", 0, 0))
			return UMDB_EINTR;
		len = end - at < sizeof(word) ? end - at : sizeof(word);
		if (target_read(v->tgt, at, word, len, "memory") == UMDB_OK)
			for (i = 0; i < PIECE / WORD && rc == UMDB_OK &&
				    i + JB_WORDS <= len / WORD;
			     i++)
				rc = take(
				    v, at + i * WORD, word + i, len / WORD - i);
		if (rc != UMDB_OK || end - at <= PIECE)
			break;
	}
	return rc;
}

bool
find_saved_is_data(const struct target *tgt, size_t i)
{
	const struct target_region *r = &tgt->region[i];

	if (!r->writable || !r->dumped || r->shared)
		return false;
	return r->file || (i > 0 && r->name[0] == '\0' && r[-1].file &&
			      r[-1].writable && r[-1].end == r->start);
}

/* All threads have the same secret. */
uint64_t
find_saved_secret(struct target *tgt)
{
	uint64_t self, secret;
	taddr_t fs;
	size_t i;

	for (i = 0; i < tgt->nthread; i++) {
		fs = tgt->thread[i].reg[TARGET_FSBASE];
		if (!tgt->thread[i].have_regs || fs == 0 ||
		    target_read(tgt, fs + TCB_SELF, &self, WORD, "thread") !=
			UMDB_OK ||
		    self != fs)
			continue;
		return target_read(tgt, fs + TCB_SECRET, &secret, WORD,
			   "thread") == UMDB_OK
			   ? secret
			   : 0;
	}
	return 0;
}

static int
search_stack(struct saved *v, const struct target_thread *t)
{
	struct signal_stack alt;
	struct range stack;
	taddr_t sp;
	int rc = UMDB_OK;

	if (!t->have_regs || !find_stack_of(v->tgt, t, &stack))
		return UMDB_OK;
	sp = t->reg[TARGET_RSP];
	if (find_signal_stack(v->tgt, sp, &alt)) {
		rc = search(v, sp, alt.hi);
		sp = alt.sp;
	}
	return rc == UMDB_OK ? search(v, sp, stack.end) : rc;
}

bool
find_saved_in_call(struct target *tgt, taddr_t pc)
{
	static const uint8_t syscall[2] = {0x0f, 0x05};
	uint8_t code[2];

	return target_read(tgt, pc - sizeof(code), code, sizeof(code),
		   "instruction") == UMDB_OK &&
	       memcmp(code, syscall, sizeof(code)) == 0;
}

int
find_saved(struct target *tgt, struct roots *roots)
{
	struct saved v = {tgt, roots, find_saved_secret(tgt)};
	int rc = UMDB_OK;
	size_t i;

	for (i = 0; i < tgt->nthread && rc == UMDB_OK; i++)
		rc = search_stack(&v, &tgt->thread[i]);
	for (i = 0; i < tgt->nregion && rc == UMDB_OK; i++)
		if (find_saved_is_data(tgt, i))
			rc = search(
			    &v, tgt->region[i].start, tgt->region[i].end);
	return rc;
}
