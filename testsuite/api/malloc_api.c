/* SPDX-License-Identifier: MIT */
/*
 * malloc_api.c - what a program may expect of the malloc family
 *
 * Each function with its edge cases, and each against the others: run first
 * without a preload, so that glibc shows the tests to be right, then with
 * libumem in each of its modes.  What only one of them can do is looked up
 * with dlsym and skipped aloud where it is missing.
 *
 * Usage: malloc_api [-a] [PART-OF-A-NAME]
 *   -a   do not ask for more alignment than the request implies (the firewall
 *        puts buffers against the end of a page)
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* The compiler must not reason about what these return. */
static void *(*volatile p_malloc)(size_t) = malloc;
static void *(*volatile p_calloc)(size_t, size_t) = calloc;
static void *(*volatile p_realloc)(void *, size_t) = realloc;
static void *(*volatile p_reallocarray)(void *, size_t, size_t) = reallocarray;
static void (*volatile p_free)(void *) = free;

static int strict_alignment = 1;

static uint64_t
next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* Sizes of all orders of magnitude up to @max. */
static size_t
random_size(uint64_t *state, size_t max)
{
	uint64_t r = next_random(state);
	size_t limit = (size_t)1 << (r % 24);

	if (limit > max)
		limit = max;
	return (r >> 24) % (limit + 1);
}

static void
fill(unsigned char *p, size_t size, unsigned seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		p[i] = (unsigned char)(seed + i * 7 + (i >> 8));
}

static size_t
intact(const unsigned char *p, size_t size, unsigned seed)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (p[i] != (unsigned char)(seed + i * 7 + (i >> 8)))
			return 0;
	}
	return 1;
}

static size_t
is_aligned(const void *p, size_t align)
{
	return ((uintptr_t)p & (align - 1)) == 0;
}

/* What C asks of memory for an object of @size bytes. */
static size_t
is_aligned_for(const void *p, size_t size)
{
	if (!strict_alignment || size < 8)
		return 1;
	return is_aligned(p, size < 16 ? 8 : 16);
}

/* ------------------------------------------------------------ zero, NULL */

static void
zero_sizes(void)
{
	void *a = p_malloc(0), *b = p_malloc(0), *c = p_calloc(0, 9);
	void *d = p_calloc(9, 0), *e = p_realloc(NULL, 0), *f = NULL;

	CHECK(a != NULL && b != NULL && a != b);
	CHECK(c != NULL && d != NULL && e != NULL);
	CHECK(p_realloc(a, 0) == NULL);
	p_free(b);
	p_free(c);
	p_free(d);
	p_free(e);
	p_free(memalign(64, 0));
	p_free(aligned_alloc(64, 0));
	p_free(valloc(0));
	p_free(pvalloc(0));
	CHECK(posix_memalign(&f, 64, 0) == 0);
	p_free(f);
}

static void
null_pointers(void)
{
	void (*f_sized)(void *, size_t);
	void *p;

	p_free(NULL);
	CHECK(malloc_usable_size(NULL) == 0);
	p = p_realloc(NULL, 100);
	CHECK(p != NULL && malloc_usable_size(p) >= 100);
	p_free(p);
	*(void **)&f_sized = dlsym(RTLD_DEFAULT, "free_sized");
	if (f_sized != NULL)
		f_sized(NULL, 0);
}

static void
sized_free(void)
{
	void (*sized)(void *, size_t);
	void (*aligned)(void *, size_t, size_t);
	size_t size;

	*(void **)&sized = dlsym(RTLD_DEFAULT, "free_sized");
	*(void **)&aligned = dlsym(RTLD_DEFAULT, "free_aligned_sized");
	if (sized == NULL || aligned == NULL) {
		SKIP("this malloc has no free_sized");
		return;
	}
	for (size = 0; size < 300000; size = size * 3 / 2 + 1) {
		sized(p_malloc(size), size);
		aligned(aligned_alloc(256, size & ~255ul), 256, size & ~255ul);
	}
}

static void
old_cfree(void)
{
	void (*f)(void *);

	*(void **)&f = dlsym(RTLD_DEFAULT, "cfree");
	if (f == NULL) {
		SKIP("this malloc has no cfree");
		return;
	}
	f(NULL);
	f(p_malloc(10));
}

/* ----------------------------------------------------------- too large */

static void
impossible_sizes(void)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15,
	    SIZE_MAX - 4095, SIZE_MAX - 4096, SIZE_MAX - 8192,
	    (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX, (size_t)1 << 60};
	volatile size_t size;
	void *p, *q;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size = sizes[i];
		errno = 0;
		CHECK(p_malloc(size) == NULL && errno == ENOMEM);
		errno = 0;
		CHECK(p_calloc(1, size) == NULL && errno == ENOMEM);
		errno = 0;
		CHECK(memalign(64, size) == NULL && errno == ENOMEM);
		errno = 0;
		CHECK(aligned_alloc(4096, size) == NULL && errno == ENOMEM);
		errno = 0;
		CHECK(valloc(size) == NULL && errno == ENOMEM);
		errno = 0;
		CHECK(pvalloc(size) == NULL && errno == ENOMEM);
		q = &i;
		CHECK(posix_memalign(&q, 64, size) == ENOMEM && q == &i);
		p = p_malloc(50);
		fill(p, 50, 1);
		errno = 0;
		CHECK(p_realloc(p, size) == NULL && errno == ENOMEM);
		CHECK(intact(p, 50, 1));
		p_free(p);
	}
}

static void
products_that_overflow(void)
{
	volatile size_t half = (size_t)1 << 32, odd = SIZE_MAX / 3 + 1;
	void *p = p_malloc(70);

	fill(p, 70, 2);
	errno = 0;
	CHECK(p_calloc(half, half) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(p_calloc(odd, 3) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(p_reallocarray(p, half, half) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(p_reallocarray(p, 3, odd) == NULL && errno == ENOMEM);
	CHECK(intact(p, 70, 2));
	p = p_reallocarray(p, 100, 7);
	CHECK(p != NULL && intact(p, 70, 2));
	p_free(p);
}

/* ----------------------------------------------------------- alignment */

static void
plain_alignment(void)
{
	size_t size;
	void *p;

	for (size = 0; size < 20000;
	     size = size < 2100 ? size + 1 : size + 97) {
		p = p_malloc(size);
		CHECK(p != NULL && is_aligned_for(p, size));
		p = p_realloc(p, size + 40);
		CHECK(p != NULL && is_aligned_for(p, size + 40));
		p_free(p);
		p = p_calloc(1, size);
		CHECK(p != NULL && is_aligned_for(p, size));
		p_free(p);
	}
}

/* The five ways to ask for alignment. */
static void *
ask(int way, size_t align, size_t size)
{
	void *p = NULL;

	switch (way) {
	case 0:
		return memalign(align, size);
	case 1:
		return aligned_alloc(align, size);
	case 2:
		return posix_memalign(&p, align, size) == 0 ? p : NULL;
	case 3:
		return valloc(size);
	default:
		return pvalloc(size);
	}
}

static void
asked_alignment(void)
{
	static const size_t sizes[] = {
	    1, 8, 24, 63, 64, 100, 1000, 4095, 4096, 4097, 70000, 1 << 20};
	size_t align, want, i;
	unsigned char *p;
	int way;

	for (align = 8; align <= (size_t)1 << 22; align *= 2) {
		for (i = 0; i < 12; i++) {
			for (way = 0; way < (align == 4096 ? 5 : 3); way++) {
				p = ask(way, align, sizes[i]);
				want = way < 3 ? align : 4096;
				CHECK(p != NULL && is_aligned(p, want));
				CHECK(malloc_usable_size(p) >= sizes[i]);
				fill(p, sizes[i], (unsigned)align);
				p = p_realloc(p, sizes[i] + 100);
				CHECK(intact(p, sizes[i], (unsigned)align));
				p_free(p);
			}
		}
	}
}

static void
alignment_of_many_at_once(void)
{
	enum { N = 200 };
	unsigned char *p[N];
	size_t align, i;

	for (align = 16; align <= 8192; align *= 2) {
		for (i = 0; i < N; i++) {
			p[i] = memalign(align, align + i);
			CHECK(p[i] != NULL && is_aligned(p[i], align));
			fill(p[i], align + i, (unsigned)i);
		}
		for (i = 0; i < N; i++) {
			CHECK(intact(p[i], align + i, (unsigned)i));
			p_free(p[i]);
		}
	}
}

static void
wrong_alignments(void)
{
	static const size_t bad[] = {0, 1, 2, 4, 3, 12, 24, 4097, SIZE_MAX};
	volatile size_t odd = 48, top = (size_t)1 << 62;
	void *p;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		p = &i;
		CHECK(posix_memalign(&p, bad[i], 64) == EINVAL);
		CHECK(p == &i);
	}
	/* an error, or rounded up: never less than asked */
	p = memalign(odd, 100);
	CHECK(p == NULL || is_aligned(p, 64));
	p_free(p);
	p = aligned_alloc(odd, 96);
	CHECK(p == NULL || is_aligned(p, 64));
	p_free(p);
	errno = 0;
	p = memalign(top, 100);
	CHECK(p == NULL && errno != 0);
	p = memalign(top * 2, 100);
	CHECK(p == NULL);
}

static void
pvalloc_rounds_up_to_pages(void)
{
	void *p = pvalloc(1), *q = pvalloc(4097);

	CHECK(malloc_usable_size(p) >= 4096);
	CHECK(malloc_usable_size(q) >= 8192);
	memset(p, 1, 4096);
	memset(q, 1, 8192);
	p_free(p);
	p_free(q);
}

/* ------------------------------------------------------------ contents */

static void
all_usable_bytes_may_be_written(void)
{
	unsigned char *p;
	size_t size, usable;

	for (size = 0; size < 400000; size += size / 5 + 1) {
		p = p_malloc(size);
		usable = malloc_usable_size(p);
		CHECK(usable >= size);
		memset(p, 0x5a, usable);
		p = p_realloc(p, usable + 1);
		CHECK(usable == 0 || (p[0] == 0x5a && p[usable - 1] == 0x5a));
		p_free(p);
	}
}

static size_t
is_zero(const unsigned char *p, size_t size)
{
	while (size-- > 0) {
		if (p[size] != 0)
			return 0;
	}
	return 1;
}

static void
calloc_is_zero_in_used_memory(void)
{
	unsigned char *p[20];
	size_t size, i;
	int round;

	for (round = 0; round < 2; round++) {
		for (size = 1; size < 3000000; size = size * 2 + 3) {
			for (i = 0; i < 20; i++) {
				p[i] = p_calloc(size % 7 + 1, size / 7 + 1);
				CHECK(p[i] != NULL);
				CHECK(is_zero(
				    p[i], (size % 7 + 1) * (size / 7 + 1)));
				memset(p[i], 0xff, size / 7 + 1);
			}
			for (i = 0; i < 20; i++)
				p_free(p[i]);
		}
	}
}

static void
realloc_keeps_contents(void)
{
	enum { N = 64 };
	unsigned char *p[N] = {NULL};
	size_t size[N] = {0}, keep, want;
	uint64_t state = 0x9e3779b97f4a7c15u;
	int i, k;

	for (i = 0; i < 30000; i++) {
		k = (int)(next_random(&state) % N);
		want = random_size(&state, 400000) + 1;
		p[k] = p_realloc(p[k], want);
		CHECK(p[k] != NULL);
		if (p[k] == NULL)
			return;
		keep = size[k] < want ? size[k] : want;
		CHECK(intact(p[k], keep, (unsigned)k));
		fill(p[k], want, (unsigned)k);
		size[k] = want;
	}
	for (k = 0; k < N; k++)
		p_free(p[k]);
}

static void
realloc_grows_large_blocks(void)
{
	size_t size, i;
	unsigned char *p = NULL;

	for (size = 4096; size <= (size_t)192 << 20; size += size / 2) {
		p = p_realloc(p, size);
		CHECK(p != NULL);
		if (p == NULL)
			return;
		for (i = 0; i + 4096 < size; i += 4096 * 16) {
			CHECK(i >= size / 3 * 2 ||
			      p[i] == (unsigned char)(i >> 12));
			p[i] = (unsigned char)(i >> 12);
		}
		for (i = 0; i < size; i += 4096)
			p[i] = (unsigned char)(i >> 12);
	}
	p = p_realloc(p, 5000);
	CHECK(p != NULL && p[4096] == 1);
	p_free(p);
}

static void
errno_survives_free(void)
{
	size_t size;
	void *p;

	for (size = 1; size < (size_t)64 << 20; size *= 3) {
		p = p_malloc(size);
		memset(p, 1, size);
		errno = 77;
		p_free(p);
		CHECK(errno == 77);
	}
}

/* ------------------------------------------------- statistics, settings */

/* Deprecated, and exported all the same. */
static struct mallinfo
old_mallinfo(void)
{
	struct mallinfo (*f)(void);

	*(void **)&f = dlsym(RTLD_DEFAULT, "mallinfo");
	return f();
}

static void
statistics(void)
{
	struct mallinfo2 before, after;
	size_t size = 0, used;
	char *text = NULL;
	void *p[320];
	FILE *f;
	int i;

	malloc_trim(0); /* what is cached may count as used */
	before = mallinfo2();
	for (i = 0; i < 320; i++)
		p[i] = p_malloc(65536);
	after = mallinfo2();
	used = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
	CHECK(used >= (size_t)18 << 20 && used <= (size_t)64 << 20);
	(void)old_mallinfo();
	f = open_memstream(&text, &size);
	CHECK(malloc_info(0, f) == 0);
	fclose(f);
	CHECK(size > 20 && strncmp(text, "<malloc", 7) == 0);
	CHECK(strstr(text, "</malloc>") != NULL);
	p_free(text);
	CHECK(malloc_info(1, stderr) != 0);
	for (i = 0; i < 320; i++)
		p_free(p[i]);
	i = malloc_trim(0);
	CHECK(i == 0 || i == 1);
	CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
}

/* The text of /proc/self/maps that covers @p. */
static void
permissions_of(const void *p, char perm[5])
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[512], text[5];

	strcpy(perm, "none");
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, text) == 3 &&
		    (unsigned long)p >= start && (unsigned long)p < end)
			memcpy(perm, text, 5);
	}
	fclose(f);
}

static void
memory_is_not_executable(void)
{
	static const size_t sizes[] = {16, 5000, 200000, 10000000};
	char perm[5];
	size_t i;
	void *p;

	for (i = 0; i < 4; i++) {
		p = p_malloc(sizes[i]);
		permissions_of(p, perm);
		CHECK(strcmp(perm, "rw-p") == 0);
		p_free(p);
	}
}

/* -------------------------------------------------------------- limits */

static int
fill_up_and_recover(void)
{
	struct rlimit as = {(rlim_t)256 << 20, (rlim_t)256 << 20};
	void **list = NULL, **p;
	size_t n = 0;

	if (setrlimit(RLIMIT_AS, &as) != 0)
		return 2;
	errno = 0;
	while ((p = p_malloc(100000)) != NULL) {
		*p = list;
		list = p;
		n++;
	}
	if (errno != ENOMEM || n < 100)
		return 3;
	while (list != NULL) {
		p = *list;
		p_free(list);
		list = p;
	}
	for (n = 0; n < 100; n++) {
		if ((p = p_malloc(100000)) == NULL)
			return 4;
		p_free(p);
	}
	while ((p = p_malloc(3000)) != NULL) {
		*p = list;
		list = p;
	}
	if (errno != ENOMEM || p_realloc(list, 1 << 29) != NULL)
		return 5;
	return 0;
}

static void
in_child(int (*fn)(void))
{
	pid_t pid;
	int status = -1;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		alarm(120);
		_exit(fn());
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0);
	if (status != 0)
		fprintf(stderr, "%s: wait status %#x\n", test_name, status);
}

static void
out_of_memory_is_null_and_passes(void)
{
	in_child(fill_up_and_recover);
}

/* ------------------------------------------------------------ the rest */

static void
libc_allocates_too(void)
{
	char *text = NULL, *line = NULL, *copy;
	size_t size = 0, n = 0, lines = 0;
	FILE *f = open_memstream(&text, &size);
	int i;

	for (i = 0; i < 3000; i++)
		fprintf(f, "%d %s\n", i, "some words that make a line");
	fclose(f);
	f = fmemopen(text, size, "r");
	while (getline(&line, &n, f) > 0)
		lines++;
	fclose(f);
	CHECK(lines == 3000);
	CHECK(asprintf(&copy, "%s%s", text, text) == (int)(2 * size));
	p_free(copy);
	copy = strdup(text);
	CHECK(strcmp(copy, text) == 0);
	p_free(copy);
	p_free(line);
	p_free(text);
	copy = realpath("/proc/self/..", NULL);
	CHECK(copy != NULL && strcmp(copy, "/proc") == 0);
	p_free(copy);
	CHECK(setenv("MALLOC_API_TEST", "1", 1) == 0);
	CHECK(system("exit $MALLOC_API_TEST") >> 8 == 1);
}

static char **main_argv, **main_environ;
static int main_argc;

/* A preload that starts before libc must not confuse it. */
static void
start_of_the_program(void)
{
	CHECK(main_environ == main_argv + main_argc + 1);
	CHECK(program_invocation_name == main_argv[0]);
	CHECK(strstr(main_argv[0], program_invocation_short_name) != NULL);
}

static int
fork_once(void)
{
	p_free(p_malloc(5000));
	return 0;
}

static void
libraries_come_and_go(void)
{
	const char *path = getenv("MALLOC_API_PLUGIN");
	void *(*make)(size_t);
	void *handle, *kept[100];
	int i, *count;

	if (path == NULL) {
		SKIP("MALLOC_API_PLUGIN names no library");
		return;
	}
	for (i = 0; i < 100; i++) {
		handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		CHECK(handle != NULL);
		if (handle == NULL)
			return;
		*(void **)&make = dlsym(handle, "plugin_make");
		count = dlsym(handle, "plugin_argc");
		CHECK(*count == main_argc);
		if (i == 50)
			in_child(fork_once);
		kept[i] = make((size_t)i * 50);
		fill(kept[i], (size_t)i * 50, (unsigned)i);
		CHECK(dlclose(handle) == 0);
	}
	for (i = 0; i < 100; i++) {
		CHECK(intact(kept[i], (size_t)i * 50, (unsigned)i));
		p_free(kept[i]);
	}
}

static const struct test tests[] = {
    {"zero sizes give something that can be freed", zero_sizes},
    {"null pointers are harmless", null_pointers},
    {"free_sized and free_aligned_sized free", sized_free},
    {"cfree frees", old_cfree},
    {"impossible sizes are ENOMEM and change nothing", impossible_sizes},
    {"products that overflow are ENOMEM", products_that_overflow},
    {"memory is aligned for what fits in it", plain_alignment},
    {"alignment is given as asked", asked_alignment},
    {"many aligned buffers do not overlap", alignment_of_many_at_once},
    {"wrong alignments are refused", wrong_alignments},
    {"pvalloc rounds up to pages", pvalloc_rounds_up_to_pages},
    {"all usable bytes may be written", all_usable_bytes_may_be_written},
    {"calloc is zero in used memory", calloc_is_zero_in_used_memory},
    {"realloc keeps contents", realloc_keeps_contents},
    {"realloc grows large blocks", realloc_grows_large_blocks},
    {"errno survives free", errno_survives_free},
    {"statistics answer", statistics},
    {"memory is not executable", memory_is_not_executable},
    {"out of memory is NULL and passes", out_of_memory_is_null_and_passes},
    {"libc allocates too", libc_allocates_too},
    {"the program starts as without a preload", start_of_the_program},
    {"libraries come and go", libraries_come_and_go},
    {NULL, NULL},
};

int
main(int argc, char **argv)
{
	int arg = 1;

	main_argc = argc;
	main_argv = argv;
	main_environ = environ;
	if (arg < argc && strcmp(argv[arg], "-a") == 0) {
		strict_alignment = 0;
		arg++;
	}
	return check_run(tests, arg < argc ? argv[arg] : NULL);
}
