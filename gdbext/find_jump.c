/* SPDX-License-Identifier: MIT */
/*
 * find_jump.c - what setjmp(3) left in memory
 *
 * glibc keeps SP, PC and RBP in a jmp_buf mangled with a secret that stands in
 * the thread's control block.  That makes a jmp_buf easy to recognise: with
 * the secret taken out of them, its SP lies in memory and its PC in code.  Then RBP is a root, as it may hold the only pointer to a buffer.
 * And the flag behind the registers is an int: the other half of its word is
 * padding and holds what stood there before, such as the upper half of an
 * address.  Each thread starts with a jmp_buf at the top of its stack.
 *
 * Searched are the stacks from SP up, and the data of the program and of its
 * libraries.
 *
 * Layer: see find_mark.h.
 */
#include <stdlib.h>

#include "find_mark.h"

#define WORD sizeof(uint64_t)
#define PIECE 65536u /* bytes looked at together */
#define ADDR_BITS 47u

/* Words of a jmp_buf, and where the secret is in a control block. */
enum { JB_RBP = 1, JB_SP = 6, JB_PC = 7, JB_FLAG = 8, JB_WORDS = 9 };
#define TCB_SELF 0x10u
#define TCB_SECRET 0x30u

struct jumps {
	struct target *tgt;
	struct roots *roots;
	uint64_t secret;
};

static uint64_t
unmangle(const struct jumps *j, uint64_t v)
{
	return (v >> 17 | v << 47) ^ j->secret;
}

static int
take_jump(struct jumps *j, taddr_t at, const uint64_t *w)
{
	const taddr_t sp = unmangle(j, w[JB_SP]), pc = unmangle(j, w[JB_PC]);
	const struct target_region *stack, *code;
	int rc;

	if ((sp | pc) >> ADDR_BITS != 0 || sp % WORD != 0)
		return UMDB_OK;
	stack = target_region_at(j->tgt, sp);
	code = target_region_at(j->tgt, pc);
	if (stack == NULL || !stack->writable || code == NULL ||
	    !code->executable)
		return UMDB_OK;
	rc = roots_add_value(j->roots, unmangle(j, w[JB_RBP]));
	if (rc == UMDB_OK && (uint32_t)w[JB_FLAG] <= 1)
		rc = ranges_add(&j->roots->dead, at + JB_FLAG * WORD,
		    at + JB_FLAG * WORD + WORD);
	return rc;
}

static int
search(struct jumps *j, taddr_t at, taddr_t end)
{
	uint64_t word[PIECE / WORD + JB_WORDS], len;
	int rc = UMDB_OK;
	size_t i;

	at = (at + WORD - 1) & ~(taddr_t)(WORD - 1);
	for (; at < end && end - at >= JB_WORDS * WORD; at += PIECE) {
		if (target_poll(j->tgt, "looking for jump buffers", 0, 0))
			return UMDB_EINTR;
		len = end - at < sizeof(word) ? end - at : sizeof(word);
		if (target_read(j->tgt, at, word, len, "memory") == UMDB_OK)
			for (i = 0; i < PIECE / WORD && rc == UMDB_OK &&
				    i + JB_WORDS <= len / WORD;
			     i++)
				rc = take_jump(j, at + i * WORD, word + i);
		if (rc != UMDB_OK || end - at <= PIECE)
			break;
	}
	return rc;
}

/* Data of a loaded object, and the rest of its bss right behind. */
static bool
is_data(const struct target *tgt, size_t i)
{
	const struct target_region *r = &tgt->region[i];

	if (!r->writable || !r->dumped || r->shared)
		return false;
	return r->file || (i > 0 && r->name[0] == '\0' && r[-1].file &&
			      r[-1].writable && r[-1].end == r->start);
}

/* All threads have the same secret. */
static bool
find_secret(struct jumps *j)
{
	struct target *tgt = j->tgt;
	uint64_t self;
	taddr_t fs;
	size_t i;

	for (i = 0; i < tgt->nthread; i++) {
		fs = tgt->thread[i].reg[TARGET_FSBASE];
		if (tgt->thread[i].have_regs && fs != 0 &&
		    target_read(tgt, fs + TCB_SELF, &self, WORD, "thread") ==
			UMDB_OK &&
		    self == fs)
			return target_read(tgt, fs + TCB_SECRET, &j->secret,
				   WORD, "thread") == UMDB_OK &&
			       j->secret != 0;
	}
	return false;
}

static int
search_stack(struct jumps *j, const struct target_thread *t)
{
	struct signal_stack alt;
	struct range stack;
	taddr_t sp;
	int rc = UMDB_OK;

	if (!t->have_regs || !find_stack_of(j->tgt, t, &stack))
		return UMDB_OK;
	sp = t->reg[TARGET_RSP];
	if (find_signal_stack(j->tgt, sp, &alt)) {
		rc = search(j, sp, alt.hi);
		sp = alt.sp;
	}
	return rc == UMDB_OK ? search(j, sp, stack.end) : rc;
}

int
find_jumps(struct target *tgt, struct roots *roots)
{
	struct jumps j = {tgt, roots, 0};
	int rc = UMDB_OK;
	size_t i;

	if (!find_secret(&j))
		return UMDB_OK;
	for (i = 0; i < tgt->nthread && rc == UMDB_OK; i++)
		rc = search_stack(&j, &tgt->thread[i]);
	for (i = 0; i < tgt->nregion && rc == UMDB_OK; i++)
		if (is_data(tgt, i))
			rc = search(&j, tgt->region[i].start,
			    tgt->region[i].end);
	return rc;
}
