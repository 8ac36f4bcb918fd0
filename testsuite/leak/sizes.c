/* SPDX-License-Identifier: MIT */
/*
 * sizes.c - buffers of all sizes and ways of asking for them, kept and lost
 */
#include <malloc.h>

#include "truth.h"

#define N 64u

void *kept[16][N];

STEP void *
ask(unsigned how, size_t size)
{
	void *p = NULL;

	switch (how) {
	case 0:
		return malloc(size);
	case 1:
		return calloc(size, 1);
	case 2:
		return realloc(malloc(16), size);
	case 3:
		return realloc(malloc(size * 2), size);
	case 4:
		return memalign(256, size);
	case 5:
		return aligned_alloc(4096, size);
	case 6:
		if (posix_memalign(&p, 65536, size) != 0)
			return NULL;
		return p;
	case 7:
		return strcpy(malloc(size + 1), "text");
	case 8: /* grows by small steps */
		for (size_t n = 8; n < size; n += n / 2)
			p = realloc(p, n);
		return realloc(p, size);
	default:
		return valloc(size);
	}
}

/* One of each kept by its first byte and, of the next, nothing. */
STEP void
make(unsigned how)
{
	size_t size = 1;
	unsigned i;

	for (i = 0; i < N; i++, size += 1 + size / 4) {
		void *lost;

		kept[how][i] = ask(how, size);
		lost = ask(how, size);
		if (kept[how][i] == NULL || lost == NULL)
			exit(2);
		memset(kept[how][i], 0, size);
		memset(lost, 0, size);
		truth_lost(lost, DEFINITE);
		if (size < 8)
			continue;
		/* and what only the last whole word of it points to */
		((void **)kept[how][i])[size / 8 - 1] = ask(how, 24);
		memset(((void **)kept[how][i])[size / 8 - 1], 0, 24);
		((void **)lost)[size / 8 - 1] = ask(how, 24);
		memset(((void **)lost)[size / 8 - 1], 0, 24);
		truth_lost(((void **)lost)[size / 8 - 1], INDIRECT);
	}
}

STEP void
empty(void)
{
	kept[15][0] = malloc(0);
	truth_lost(malloc(0), DEFINITE);
}

/* Copies behind the end of what was asked for do not count. */
STEP void
stale(void)
{
	void **p = malloc(96), *lost = malloc(100);

	memset(p, 0, 96);
	p[11] = lost;
	kept[15][1] = realloc(p, 80);
	if (truth_audited())
		truth_lost(lost, DEFINITE);
}

int
main(void)
{
	unsigned how;

	for (how = 0; how < 10; how++)
		make(how);
	empty();
	stale();
	truth_end();
}
