/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - every command on a core that is damaged anew each time
 *
 * A debugger is used on broken processes, and it must not break with them.
 * Each round damages a few words of a copy of the core (mostly words that are
 * not zero: there lie headers, structures and pointers), runs all commands in
 * a child, and mends the words again.  A child that dies or is still running
 * after a while is a failure, and its round can be repeated.
 *
 * Usage: fuzz CORE SEED ROUNDS [ROUND]    with ROUND only that one, here
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "umdb.h"

enum { DAMAGE_MAX = 40, SECONDS = 60 };

static uint64_t *word; /* of the copy, shared with the file */
static size_t nword;
static char path[64];
static uint64_t written;

static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* ---------------------------------------------- what a debugger would answer */

static void
on_read(void *arg, uint64_t addr, void *buf, uint64_t len, int *ok)
{
	(void)arg;
	(void)addr;
	(void)buf;
	(void)len;
	*ok = 0;
}

static void
on_write(void *arg, const char *text, uint64_t len, int *ok)
{
	(void)arg;
	/* touch it all, for the sanitizers */
	while (len-- > 0)
		written += (unsigned char)text[len] != 0;
	*ok = 1;
}

static void
on_symbolise(void *arg, uint64_t pc, struct umdb_symbol *sym, int *ok)
{
	(void)arg;
	memset(sym, 0, sizeof(*sym));
	if (pc % 3 != 0) {
		sym->function = "function";
		sym->offset = pc % 100;
	}
	*ok = 1;
}

static void
on_lookup(void *arg, const char *text, uint64_t *addr, uint64_t *size, int *ok)
{
	char *end;

	(void)arg;
	*addr = strtoull(text, &end, 0);
	*size = 0;
	*ok = *end == '\0';
}

static void
on_poll(void *arg, const char *text, int *ok)
{
	(void)arg;
	(void)text;
	*ok = 1;
}

static const struct umdb_callbacks callbacks = {
    .read = on_read,
    .write = on_write,
    .symbolise = on_symbolise,
    .lookup = on_lookup,
    .poll = on_poll,
};

/* ---------------------------------------------------------------- commands */

/* A word of the core that may be an address in it. */
static uint64_t
some_address(uint64_t *state)
{
	uint64_t w = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		w = word[next_random(state) % nword];
		if (w >> 40 == 0x7f)
			break;
	}
	return w;
}

static void
make_line(char *line, size_t size, const char *name, const char *const form[2],
    uint64_t addr)
{
	if (form[1] == NULL)
		snprintf(line, size, "%s%s", name, form[0]);
	else
		snprintf(line, size, "%s%s0x%" PRIx64 "%s", name, form[0], addr,
		    form[1]);
}

/* Returns how many commands succeeded. */
static int
run_all(uint64_t *state)
{
	/* before and behind an address; without one where there is none */
	static const char *const form[][2] = {{"", NULL}, {" -json", NULL},
	    {" ", ""}, {" -v ", ""}, {" umem_alloc_16", NULL}, {" ", " -json"}};
	static const char *const fixed[] = {"findleaks -d", "cache -a",
	    "walk umem_cache | verify", "mdb ::walk umem | ::whatis",
	    "users -e -f", "stat -by-age", "malloc_info -g",
	    "vmem_seg umem_default -v"};
	static const char *const history[2] = {" -v -b ", ""};
	const struct umdb_command *c;
	char error[512], line[256];
	struct umdb *u;
	uint64_t found;
	size_t i;
	int k, good = 0;

	u = umdb_open(path, 0, &callbacks, error, sizeof(error));
	if (u == NULL)
		return 0;
	for (k = 0; (c = umdb_command(k)) != NULL; k++) {
		for (i = 0; i < sizeof(form) / sizeof(*form); i++) {
			make_line(line, sizeof(line), c->name, form[i],
			    some_address(state));
			if (umdb_run(u, line, &found) == 0)
				good++;
			else
				written += strlen(umdb_error(u));
		}
	}
	for (i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		good += umdb_run(u, fixed[i], &found) == 0;
	for (i = 0; i < 4; i++) {
		make_line(
		    line, sizeof(line), "log", history, some_address(state));
		good += umdb_run(u, line, &found) == 0;
	}
	written += strlen(umdb_complete(u, "cache u"));
	umdb_close(u);
	return good;
}

/* ------------------------------------------------------------------ damage */

struct damage {
	size_t at;
	uint64_t was;
};

static size_t
choose(uint64_t *state)
{
	size_t at;
	int i;

	if (next_random(state) % 20 == 0)
		return next_random(state) % (nword < 4096 ? nword : 4096);
	for (i = 0; i < 2000; i++) {
		at = next_random(state) % nword;
		if (word[at] != 0)
			return at;
	}
	return next_random(state) % nword;
}

static uint64_t
changed(uint64_t w, uint64_t *state)
{
	uint64_t r = next_random(state);

	switch (r % 9) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return w ^ (uint64_t)1 << (r >> 8) % 64;
	case 3:
		return w + 8;
	case 4:
		return w - 16;
	case 5:
		return r;
	case 6:
		return w << 32 | w >> 32;
	case 7:
		return w & ~(uint64_t)0xffffffff;
	default:
		return word[choose(state)];
	}
}

/* Returns the number of words changed. */
static int
inflict(struct damage *d, uint64_t *state)
{
	int n = 1 + (int)(next_random(state) % DAMAGE_MAX), i;

	for (i = 0; i < n; i++) {
		d[i].at = choose(state);
		d[i].was = word[d[i].at];
		word[d[i].at] = changed(d[i].was, state);
	}
	return n;
}

/* The wait status of a child that runs all commands on the damaged core. */
static int
in_child(uint64_t state, int whole)
{
	int status, good;
	pid_t pid = fork();

	if (pid < 0) {
		perror("fuzz: fork");
		exit(2);
	}
	if (pid == 0) {
		alarm(SECONDS);
		good = run_all(&state);
		/* on the whole core most of them must succeed */
		_exit(whole && good < 40);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* Round 0 damages nothing. */
static int
one_round(uint64_t seed, int number, int here)
{
	uint64_t state = seed + (uint64_t)number * 1000003u;
	struct damage d[DAMAGE_MAX];
	int n, status = 0;

	next_random(&state);
	n = number == 0 ? 0 : inflict(d, &state);
	if (here)
		printf("%d commands succeeded\n", run_all(&state));
	else
		status = in_child(state, number == 0);
	while (n-- > 0)
		word[d[n].at] = d[n].was;
	if (status != 0)
		printf("not ok: round %d of seed %" PRIu64 ": %s %d\n", number,
		    seed,
		    WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
			? "does not end, signal"
			: "wait status",
		    status);
	return status == 0;
}

/* A copy of the core in memory that has a name and can be written to. */
static void
load(const char *name)
{
	int from = open(name, O_RDONLY), to = memfd_create("core", 0);
	char buf[65536];
	struct stat st;
	ssize_t n;

	while (from >= 0 && (n = read(from, buf, sizeof(buf))) > 0) {
		if (write(to, buf, (size_t)n) != n)
			break;
	}
	if (from < 0 || to < 0 || fstat(to, &st) != 0 || st.st_size < 4096) {
		perror(name);
		exit(2);
	}
	close(from);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), to);
	nword = (size_t)st.st_size / 8;
	word = mmap(NULL, nword * 8, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	if (word == MAP_FAILED) {
		perror("fuzz: mmap");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	int i, rounds, passed = 0;
	uint64_t seed;

	if (argc < 4)
		return 2;
	load(argv[1]);
	seed = strtoull(argv[2], NULL, 0);
	rounds = atoi(argv[3]);
	if (argc > 4)
		return one_round(seed, atoi(argv[4]), 1) ? 0 : 1;
	for (i = 0; i < rounds; i++)
		passed += one_round(seed, i, 0);
	printf("fuzz: seed %" PRIu64 ": %d passed, %d failed\n", seed, passed,
	    rounds - passed);
	return passed != rounds;
}
