/* SPDX-License-Identifier: MIT */
/*
 * truth.h - programs that know what they leak
 *
 * A program allocates, tells truth_lost() which buffers nothing reaches any
 * more, and calls truth_end(), which writes that down and aborts.  leak.sh
 * compares what findleaks says of the core: the same buffers, no other.
 *
 * Addresses are kept and written as complements, so that the truth itself is
 * no pointer.  What allocates and drops a buffer must be a function that is
 * not inlined (STEP), so that no register or slot of main's keeps a copy;
 * truth_end() overwrites the stack below it.  What keeps a buffer must not be
 * static: a compiler drops stores to what the program never reads.
 */
#ifndef TRUTH_H
#define TRUTH_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP __attribute__((noinline, noclone, unused)) static

/* A cycle has one definite member and the others are indirect. */
enum truth_kind { DEFINITE = 1, INDIRECT, POSSIBLE, CYCLE };

struct truth {
	uint64_t hidden, kind;
};

static struct truth truth_list[65536];
static size_t truth_count;

/* truth_lost - from now on, or by the time of truth_end(), @p is lost */
STEP void
truth_lost(const void *p, enum truth_kind kind)
{
	truth_list[truth_count].hidden = ~(uint64_t)(uintptr_t)p;
	truth_list[truth_count++].kind = kind;
}

/* truth_audited - whether sizes are known, so that slack is not searched */
STEP int
truth_audited(void)
{
	const char *debug = getenv("UMEM_DEBUG");

	return debug != NULL && *debug != '\0';
}

/* truth_forget - what calls left in registers; a system call keeps them */
STEP void
truth_forget(void)
{
	__asm__ volatile("xorl %%r8d, %%r8d\n\t"
			 "xorl %%r9d, %%r9d\n\t"
			 "xorl %%r10d, %%r10d\n\t"
			 "xorl %%r11d, %%r11d"
			 :
			 :
			 : "r8", "r9", "r10", "r11");
}

/* truth_far_down - call @leave where nothing writes any more */
STEP int
truth_far_down(void (*leave)(void), unsigned n)
{
	volatile char frame[1024];

	memset((char *)frame, 0, sizeof(frame));
	if (n == 0)
		leave();
	else
		frame[0] = (char)truth_far_down(leave, n - 1);
	return frame[0];
}

/* truth_leave_stale - a pointer in a frame that is left: for truth_far_down */
STEP void
truth_leave_stale(void)
{
	void *volatile slot[64];

	memset((void *)slot, 0, sizeof(slot));
	slot[20] = calloc(1, 72);
	truth_lost(slot[20], DEFINITE);
}

STEP int
truth_scrub(void)
{
	volatile char buf[65536];
	size_t i;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = 0;
	return buf[17];
}

/* map_pages - memory that the program got by itself, for a stack or so */
STEP void *
map_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(2);
	return p;
}

/* truth_write - write the truth to the file named by $TRUTH */
STEP void
truth_write(void)
{
	const char *path = getenv("TRUTH");
	int fd = open(
	    path != NULL ? path : "truth", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	const size_t len = truth_count * sizeof(truth_list[0]);

	if (fd < 0 || write(fd, truth_list, len) != (ssize_t)len) {
		perror("truth");
		_exit(2);
	}
	close(fd);
}

STEP void
truth_end(void)
{
	truth_write();
	(void)truth_scrub();
	truth_forget();
	abort();
}

#endif /* TRUTH_H */
