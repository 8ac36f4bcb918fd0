/* SPDX-License-Identifier: MIT */
/*
 * segments.c - many mappings, each with the only pointer to a buffer
 *
 * $SEGMENTS mappings of a page (3000), which the kernel cannot join since
 * every second one may be executed, and $SPARSE GiB that are never touched.
 * Every tenth page's pointer is then overwritten: those buffers are lost.
 */
#include <sys/mman.h>

#include "truth.h"

struct page {
	struct page *next; /* complement */
	void *held;
};

static struct page *
unhide(struct page *p)
{
	return (struct page *)~(uintptr_t)p;
}

static unsigned long
number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 0) : otherwise;
}

STEP struct page *
map_page(int executable)
{
	const int prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
	void *p = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("segments");
		_exit(2);
	}
	return p;
}

STEP struct page *
make_pages(unsigned long n)
{
	struct page *p, *list = unhide(NULL);
	unsigned long i;

	for (i = 0; i < n; i++) {
		p = map_page(i % 2 == 1);
		p->next = list;
		p->held = malloc(16 + i % 500);
		memset(p->held, 0, 16 + i % 500);
		list = (struct page *)~(uintptr_t)p;
	}
	return list;
}

STEP void
lose_some(struct page *list)
{
	struct page *p;
	unsigned long i = 0;

	for (p = unhide(list); p != NULL; p = unhide(p->next)) {
		if (i++ % 10 != 0)
			continue;
		truth_lost(p->held, DEFINITE);
		p->held = NULL;
	}
}

int
main(void)
{
	const unsigned long sparse = number("SPARSE", 0) << 30;

	if (sparse > 0 && mmap(NULL, sparse, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			      0) == MAP_FAILED) {
		perror("segments");
		return 2;
	}
	lose_some(make_pages(number("SEGMENTS", 3000)));
	truth_end();
}
