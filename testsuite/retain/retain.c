/* SPDX-License-Identifier: MIT */
/*
 * retain.c - a process of which is known who keeps what
 *
 *	cache		a variable: a table of lists, their entries and values
 *	left, right	two variables: each an owner with a buffer of its own,
 *			and both the same shared one with its payload
 *	a list		only a thread's stack, in the frame of serve(), has it
 *	one buffer	only the first thread's stack, in finish(), has it
 *	one buffer each	only a thread-local variable, a register, a page from
 *			mmap has it
 *	a ring		nothing has it; it points to what is shared
 *
 * What is not to be found by a variable is kept there as its complement, so
 * that the debugger can name it and findleaks does not see it.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEP __attribute__((noinline, noclone))
#define BUCKETS 16
#define ENTRIES 200
#define NODES 30

struct entry {
	struct entry *next;
	char *value;
	char key[40];
};

struct cache {
	struct entry *bucket[BUCKETS];
	uint64_t count;
};

struct shared {
	char *payload;
	char text[500];
};

struct owner {
	char *own;
	uint64_t pad[3];
	struct shared *shared;
};

struct node {
	uint64_t pad;
	struct node *next;
};

struct cache *cache;
struct owner *left, *right;
uint64_t *page;
__thread void *mine;
uint64_t hidden_list, hidden_mine, hidden_register, hidden_mapped, hidden_ring,
    hidden_freed, hidden_main;
static sem_t ready;

static uint64_t
hide(const void *p)
{
	return ~(uint64_t)(uintptr_t)p;
}

STEP static void
fill_cache(void)
{
	struct entry *e;
	unsigned i;

	cache = calloc(1, sizeof(*cache));
	for (i = 0; i < ENTRIES; i++) {
		e = calloc(1, sizeof(*e));
		e->value = calloc(1, 100);
		e->next = cache->bucket[i % BUCKETS];
		cache->bucket[i % BUCKETS] = e;
		cache->count++;
	}
}

STEP static void
make_owners(void)
{
	struct shared *s = calloc(1, sizeof(*s));

	s->payload = calloc(1, 300);
	left = calloc(1, sizeof(*left));
	right = calloc(1, sizeof(*right));
	left->own = calloc(1, 70);
	right->own = calloc(1, 70);
	left->shared = right->shared = s;
}

STEP static void
lose_ring(void)
{
	struct node **a = calloc(3, sizeof(*a)), **b = calloc(3, sizeof(*b));

	a[0] = (struct node *)b;
	b[0] = (struct node *)a;
	b[2] = (struct node *)left->shared;
	hidden_ring = hide(a);
}

STEP static void
use_page(void)
{
	void *p = calloc(1, 900);

	/* no neighbour that the kernel could join it with */
	page = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page = (uint64_t *)((char *)page + 16384);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	page[10] = (uint64_t)(uintptr_t)p;
	hidden_mapped = hide(p);
	page = NULL;
}

STEP static void
free_one(void)
{
	void *p = malloc(3000);

	hidden_freed = hide(p);
	free(p);
}

STEP static struct node *
make_list(void)
{
	struct node *first = NULL, *n;
	unsigned i;

	for (i = 0; i < NODES; i++) {
		n = calloc(1, sizeof(*n));
		n->next = first;
		first = n;
	}
	hidden_list = hide(first);
	return first;
}

STEP static int
scrub(void)
{
	volatile char buf[32768];
	size_t i;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = 0;
	return buf[17];
}

/* The list stands in this frame and nowhere else. */
STEP static void
serve(void)
{
	struct node *volatile list[8] = {NULL};

	list[3] = make_list();
	(void)scrub();
	sem_post(&ready);
	for (;;)
		pause();
}

static void *
server(void *arg)
{
	mine = calloc(1, 800);
	hidden_mine = hide(mine);
	serve();
	return arg;
}

STEP static void
keep_in_register(void)
{
	hidden_register = hide(calloc(1, 1100));
}

static void *
holder(void *arg)
{
	keep_in_register();
	(void)scrub();
	sem_post(&ready);
#ifdef __x86_64__
	__asm__ volatile("mov %0, %%r12\n\t"
			 "not %%r12\n"
			 "1:\tmov $34, %%eax\n\t" /* pause */
			 "syscall\n\t"
			 "jmp 1b"
			 :
			 : "m"(hidden_register)
			 : "r12", "rax", "rcx", "r11", "memory");
#endif
	return arg;
}

STEP static void *
make_last(void)
{
	void *p = calloc(1, 1300);

	hidden_main = hide(p);
	return p;
}

STEP static void
finish(void)
{
	void *volatile last[4] = {NULL};

	last[2] = make_last();
	(void)scrub();
	abort();
}

int
main(void)
{
	pthread_t thread[2];

	sem_init(&ready, 0, 0);
	fill_cache();
	make_owners();
	lose_ring();
	use_page();
	pthread_create(&thread[0], NULL, server, NULL);
	pthread_create(&thread[1], NULL, holder, NULL);
	sem_wait(&ready);
	sem_wait(&ready);
	usleep(200000); /* they are at rest */
	free_one();
	finish();
}
