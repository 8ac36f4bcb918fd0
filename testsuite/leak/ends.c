/* SPDX-License-Identifier: MIT */
/*
 * ends.c - streams and ranges that end where a lost buffer starts, and words
 * that look similar but point to buffers that are in use
 */
#include "row.h"

#define NSTREAMS 8
#define BUFFER 4096u

/* ------------------------------------------------------------------ ends */
FILE *streams[NSTREAMS];
char *user_buffer[NSTREAMS];
struct range {
	int kind;
	char *begin, *cur, *end;
} range, *in_heap;

STEP FILE *
open_stream(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (f == NULL)
		exit(2);
	return f;
}

/* Of glibc's own buffer or one of the program's, so many bytes are used. */
STEP FILE *
make_writer(int n, int by_user)
{
	FILE *f = open_stream("/dev/null", "w");
	int i;

	/* neither a terminal nor a size that the device proposes */
	row_behind(BUFFER);
	setvbuf(f, by_user ? malloc(BUFFER) : NULL, _IOFBF, BUFFER);
	for (i = 0; i < n; i++)
		putc('w', f);
	return f;
}

STEP FILE *
make_reader(int n)
{
	FILE *f = open_stream("/dev/zero", "r");
	int i;

	row_behind(BUFFER);
	setvbuf(f, malloc(BUFFER), _IOFBF, BUFFER);
	for (i = 0; i < n; i++)
		getc(f);
	return f;
}

STEP void
make_streams(void)
{
	streams[0] = make_writer(0, 1);
	streams[1] = make_writer(10, 1);
	streams[2] = make_writer(BUFFER, 1);
	streams[3] = make_writer(BUFFER + 5, 1);
	streams[4] = make_reader(0);
	streams[5] = make_reader(100);
	streams[6] = make_reader(BUFFER);
	streams[7] = make_writer(77, 1);
	fflush(streams[7]);
	row_behind(BUFFER);
	setvbuf(stdin, malloc(BUFFER), _IOLBF, BUFFER);
}

STEP void
fill_range(struct range *r, size_t size, size_t used)
{
	row_behind(size);
	r->kind = 1;
	r->begin = malloc(size);
	r->cur = r->begin + used;
	r->end = r->begin + size;
}

STEP void
make_ranges(void)
{
	fill_range(&range, 64, 13);
	in_heap = malloc(sizeof(*in_heap));
	fill_range(in_heap, 1024, 1024);
}

/* ------------------------------------------------------------ not an end */

#define NODE 80u /* bytes of each */
#define LATER(n) (1u << 8 | (n))

/*
 * Pointers to neighbours A, B, C and D by number, each kept by one such list
 * alone; a number with LATER is to the inside, 0 is NULL.
 */
static const uint16_t lists[][16] = {
    {1, 2, 3, 4},                  /* a table */
    {1, 1, 2, 2, 3, 3, 4, 4},      /* with all twice */
    {1, 1, 2, 2}, {1, 2, 2, 3, 4}, /* with some twice */
    {1, 1, 2, 3, 4}, {4, 1, 2, 2, 4, 3},
    {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}, /* often */
    {1, 2, 2, 3, 3, 4},                   /* edges of a chain */
    {1, 2, 0, 3, 4, 0},                   /* pairs */
    {2, 1, 2, 3, 2, 4},                   /* what 2 leads to */
    {1, 2, 1, 3, 1, 4}, {1, 2},           /* a queue: head, tail */
    {1, 1, 0, 2, 2, 0},                   /* queues of one */
    {1, 1, 2},                            /* ... and another pointer */
    {2, 1, 2}, {1, 2, 1},
    {1, LATER(1), 2, LATER(2), 3, LATER(3), 4, LATER(4)}, /* with members */
    {LATER(1), 1, LATER(2), 2, LATER(3), 3, LATER(4), 4},
    {LATER(1), 1, 2}, /* the same and another pointer */
    {1, 2, LATER(1)}, {2, 1, LATER(1)}, {1, 0, 2}, /* a node of a tree */
    {0, 0, 1, 2},
    {1, LATER(1), LATER(1), 2, LATER(2), 3, LATER(3)}, /* words of lines */
};
#define NLISTS (sizeof(lists) / sizeof(lists[0]))

void *global[NLISTS][20]; /* others are NULL */
void **heap[NLISTS];

STEP void
make_list(void **to, const uint16_t *list)
{
	uint64_t hidden[4];
	int i, n;

	row(NODE, 4, 1, hidden);
	for (i = 0; i < 16; i++) {
		n = list[i] & 0xff;
		to[i] = n == 0 ? NULL : (void *)(uintptr_t)~hidden[n - 1];
		if (list[i] >= LATER(0))
			to[i] = (char *)to[i] + 16;
	}
	for (n = 1; n <= 4; n++) {
		for (i = 0; i < 16 && list[i] != n; i++)
			;
		if (i == 16) /* it does not occur */
			free((void *)(uintptr_t)~hidden[n - 1]);
	}
}

STEP void
make_lists(void)
{
	size_t i;

	for (i = 0; i < NLISTS; i++) {
		make_list(global[i], lists[i]);
		heap[i] = calloc(20, sizeof(void *));
		make_list(heap[i] + 1, lists[i]);
	}
}

int
main(void)
{
	make_streams();
	make_ranges();
	make_lists();
	truth_end();
}
