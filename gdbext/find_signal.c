/* SPDX-License-Identifier: MIT */
/*
 * find_signal.c - handlers on alternate signal stacks
 *
 * As it delivers a signal the kernel writes a frame to the top of the
 * alternate stack: where that stack lies, and all registers of what was
 * interrupted.  So of a thread whose SP is on such a stack two things can be
 * told exactly: the limits of the stack, and the SP on the stack that the
 * thread left.  Handlers may interrupt each other; of the frames on one stack
 * the highest was written when the thread left its own.
 *
 * Layer: see find_mark.h.
 */
#include "find_mark.h"

#define WORD sizeof(uint64_t)
#define SEARCH_MAX (1u << 20) /* bytes from SP up to the frame, at most */
#define PIECE 8192u           /* bytes looked at together */

#define FPSTATE_ALIGN 64u

/*
 * Are these words, which stand at @at, a frame of a handler at @sp?  What was
 * interrupted may have run anywhere: a wild jump or a full stack is a reason
 * for having such a handler.
 */
static bool
is_frame(const uint64_t *w, taddr_t at, taddr_t sp)
{
	const taddr_t lo = w[UC_STACK_SP], size = w[UC_STACK_SIZE];

	return w[UC_FLAGS] <= UC_FLAGS_MAX && w[UC_LINK] == 0 && sp >= lo &&
	       at - lo < size && size <= UINT64_MAX - lo &&
	       (w[UC_SEGMENTS] & UINT16_MAX) == USER_CS &&
	       (w[UC_EFLAGS] & EFLAGS_ALWAYS) != 0 &&
	       w[UC_EFLAGS] <= EFLAGS_ALL && w[UC_FPSTATE] > at &&
	       w[UC_FPSTATE] - lo < size &&
	       w[UC_FPSTATE] % FPSTATE_ALIGN == 0 && w[UC_RSP] - lo >= size;
}

bool
find_signal_stack(struct target *tgt, taddr_t sp, struct signal_stack *ret)
{
	const struct target_region *r = target_region_at(tgt, sp);
	uint64_t word[PIECE / WORD + UC_WORDS], len;
	taddr_t at = (sp + WORD - 1) & ~(taddr_t)(WORD - 1), end;
	bool found = false;
	size_t i;

	if (r == NULL)
		return false;
	end = r->end - sp < SEARCH_MAX ? r->end : sp + SEARCH_MAX;
	for (; at < end && end - at >= UC_WORDS * WORD; at += PIECE) {
		len = end - at < sizeof(word) ? end - at : sizeof(word);
		if (target_read(tgt, at, word, len, "stack") != UMDB_OK)
			break;
		for (i = 0; i < PIECE / WORD && i + UC_WORDS <= len / WORD;
		     i++) {
			const taddr_t here = at + i * WORD;

			if (!is_frame(word + i, here, sp))
				continue;
			found = true;
			ret->lo = word[i + UC_STACK_SP];
			ret->hi = ret->lo + word[i + UC_STACK_SIZE];
			ret->sp = word[i + UC_RSP];
			end = ret->hi < end ? ret->hi : end;
		}
		if (end < at + PIECE)
			break;
	}
	return found;
}
