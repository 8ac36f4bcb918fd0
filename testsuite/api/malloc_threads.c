/* SPDX-License-Identifier: MIT */
/*
 * malloc_threads.c - malloc where threads, forks and signals meet
 *
 * As malloc_api.c: right under glibc first, then under libumem.
 *
 * Usage: malloc_threads [PART-OF-A-NAME]
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static volatile int stop;

/* Allocate and free in a small pattern; returns the number of rounds. */
static size_t
churn(unsigned seed, size_t rounds)
{
	enum { N = 40 };
	unsigned char *p[N] = {NULL};
	size_t size[N] = {0}, i, k;

	for (i = 0; i < rounds && !stop; i++) {
		k = (i * 7 + seed) % N;
		if (p[k] != NULL) {
			CHECK(p[k][0] == (unsigned char)k);
			CHECK(p[k][size[k] - 1] == (unsigned char)k);
		}
		free(p[k]);
		size[k] = (i * 37 + seed) % (i % 50 == 0 ? 200000 : 900) + 1;
		p[k] = malloc(size[k]);
		p[k][0] = (unsigned char)k;
		p[k][size[k] - 1] = (unsigned char)k;
	}
	for (k = 0; k < N; k++)
		free(p[k]);
	return i;
}

static void *
churn_until_stopped(void *arg)
{
	churn((unsigned)(uintptr_t)arg, SIZE_MAX);
	return NULL;
}

static void *
churn_a_little(void *arg)
{
	churn((unsigned)(uintptr_t)arg, 500);
	return NULL;
}

static void
start(pthread_t *t, int n, void *(*fn)(void *))
{
	int i;

	for (i = 0; i < n; i++)
		CHECK(
		    pthread_create(&t[i], NULL, fn, (void *)(uintptr_t)i) == 0);
}

static void
join(pthread_t *t, int n)
{
	int i;

	for (i = 0; i < n; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
}

static void
threads_come_and_go(void)
{
	pthread_t t[16];
	int round;

	for (round = 0; round < 40; round++) {
		start(t, 16, churn_a_little);
		join(t, 16);
	}
}

/* ------------------------------------------- destructors of thread data */

static pthread_key_t key[4];
static int destroyed;

/* Allocates, frees, and asks to be called again, as real ones do. */
static void
destructor(void *value)
{
	size_t *left = value;
	char *p = malloc(*left * 100 + 1);

	memset(p, 1, *left * 100 + 1);
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
	if (*left > 0) {
		size_t *again = malloc(sizeof(*again));

		*again = *left - 1;
		pthread_setspecific(key[*again % 4], again);
	}
	free(p);
	free(value);
}

static void *
with_thread_data(void *arg)
{
	int i;

	for (i = 0; i < 4; i++) {
		size_t *p = malloc(sizeof(*p));

		*p = 2;
		pthread_setspecific(key[i], p);
	}
	churn((unsigned)(uintptr_t)arg, 50);
	return NULL;
}

static void
destructors_allocate_at_thread_exit(void)
{
	pthread_t t[20];
	int i, round;

	for (i = 0; i < 4; i++)
		CHECK(pthread_key_create(&key[i], destructor) == 0);
	for (round = 0; round < 10; round++) {
		start(t, 20, with_thread_data);
		join(t, 20);
	}
	CHECK(destroyed >= 20 * 10 * 4);
	for (i = 0; i < 4; i++)
		pthread_key_delete(key[i]);
}

/* ------------------------------------------------------- hand-over */

enum { BOX = 64 };
static unsigned char *box[BOX];

static void *
give(void *arg)
{
	uintptr_t id = (uintptr_t)arg;
	unsigned char *p;
	size_t i;

	for (i = 0; i < 20000; i++) {
		p = malloc(i % 300 + 8);
		memset(p, (int)(i % 300), i % 300 + 8);
		p = __atomic_exchange_n(
		    &box[(i + id * 17) % BOX], p, __ATOMIC_ACQ_REL);
		if (p != NULL) {
			CHECK(p[0] == p[7]);
			free(p);
		}
	}
	return NULL;
}

static void
buffers_are_freed_by_other_threads(void)
{
	pthread_t t[8];
	int i;

	start(t, 8, give);
	join(t, 8);
	for (i = 0; i < BOX; i++) {
		free(box[i]);
		box[i] = NULL;
	}
}

/* ------------------------------------------------------- small stacks */

static void
small_stacks_suffice(void)
{
	pthread_attr_t attr;
	pthread_t t;
	int i;

	pthread_attr_init(&attr);
	CHECK(pthread_attr_setstacksize(&attr, 32768) == 0);
	for (i = 0; i < 10; i++) {
		CHECK(pthread_create(&t, &attr, churn_a_little, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0);
	}
	pthread_attr_destroy(&attr);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *
wait_at_the_gate(void *arg)
{
	void *p = malloc(100);

	(void)arg;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	free(p);
	return NULL;
}

static void
a_thousand_threads(void)
{
	static pthread_t t[1000];
	pthread_attr_t attr;
	int i, made;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_mutex_lock(&gate);
	for (made = 0; made < 1000; made++) {
		if (pthread_create(&t[made], &attr, wait_at_the_gate, NULL) !=
		    0)
			break;
	}
	churn(1, 10000);
	pthread_mutex_unlock(&gate);
	for (i = 0; i < made; i++)
		pthread_join(t[i], NULL);
	pthread_attr_destroy(&attr);
	if (made < 1000)
		SKIP("this machine does not let us have 1000 threads");
}

/* ---------------------------------------------------------------- fork */

static int
child_of_fork(void)
{
	pthread_t t;
	void *p;

	alarm(60);
	stop = 0;
	churn(3, 2000);
	p = malloc(5000000);
	memset(p, 1, 5000000);
	free(p);
	if (pthread_create(&t, NULL, churn_a_little, NULL) != 0 ||
	    pthread_join(t, NULL) != 0)
		return 2;
	return test_failures == 0 ? 0 : 3;
}

static void
fork_while_threads_allocate(void)
{
	int i, status = -1;
	pthread_t t[4];
	pid_t pid;

	stop = 0;
	start(t, 4, churn_until_stopped);
	for (i = 0; i < 30; i++) {
		pid = fork();
		if (pid == 0)
			_exit(child_of_fork());
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		CHECK(status == 0);
	}
	stop = 1;
	join(t, 4);
	stop = 0;
}

static void
spawn_while_threads_allocate(void)
{
	char name[] = "true", *argv[] = {name, NULL}, *env[] = {NULL};
	int i, status = -1;
	pthread_t t[2];
	pid_t pid;

	stop = 0;
	start(t, 2, churn_until_stopped);
	for (i = 0; i < 20; i++) {
		CHECK(posix_spawnp(&pid, name, NULL, NULL, argv, env) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	stop = 1;
	join(t, 2);
	stop = 0;
}

static void
grandchildren_allocate(void)
{
	int depth, status = -1;
	pid_t pid, top = getpid();

	for (depth = 0; depth < 5; depth++) {
		churn((unsigned)depth, 300);
		pid = fork();
		if (pid != 0)
			break;
	}
	if (pid > 0)
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	if (getpid() != top)
		_exit(test_failures != 0);
}

/* ------------------------------------------------------------- signals */

static volatile int ticks;

static void
tick(int sig)
{
	(void)sig;
	ticks++;
}

static void
signals_interrupt_malloc(void)
{
	struct itimerval every = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = tick, .sa_flags = SA_RESTART};

	sigaction(SIGALRM, &sa, NULL);
	ticks = 0;
	setitimer(ITIMER_REAL, &every, NULL);
	while (ticks < 200)
		churn(5, 2000);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
}

static void
allocating_handler(int sig)
{
	(void)sig;
	churn(9, 300);
}

/* A handler on a stack of its own, raised by hand: malloc is not running. */
static void
handlers_on_another_stack_allocate(void)
{
	struct sigaction sa = {
	    .sa_handler = allocating_handler, .sa_flags = SA_ONSTACK};
	stack_t stack = {.ss_size = 65536}, off = {.ss_flags = SS_DISABLE};
	int i;

	stack.ss_sp = malloc(stack.ss_size);
	CHECK(sigaltstack(&stack, NULL) == 0);
	sigaction(SIGUSR1, &sa, NULL);
	for (i = 0; i < 20; i++)
		raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	CHECK(sigaltstack(&off, NULL) == 0);
	free(stack.ss_sp);
}

static void *
cancelled(void *arg)
{
	(void)arg;
	for (;;) {
		churn(2, 100);
		pthread_testcancel();
	}
	return NULL;
}

static void
cancelled_threads_leave_nothing_broken(void)
{
	pthread_t t[10];
	int i;

	start(t, 10, cancelled);
	for (i = 0; i < 10; i++)
		CHECK(pthread_cancel(t[i]) == 0);
	join(t, 10);
	churn(1, 3000);
}

static const struct test tests[] = {
    {"threads come and go", threads_come_and_go},
    {"destructors allocate at thread exit",
	destructors_allocate_at_thread_exit},
    {"buffers are freed by other threads", buffers_are_freed_by_other_threads},
    {"small stacks suffice", small_stacks_suffice},
    {"a thousand threads", a_thousand_threads},
    {"fork while threads allocate", fork_while_threads_allocate},
    {"spawn while threads allocate", spawn_while_threads_allocate},
    {"grandchildren allocate", grandchildren_allocate},
    {"signals interrupt malloc", signals_interrupt_malloc},
    {"handlers on another stack allocate", handlers_on_another_stack_allocate},
    {"cancelled threads leave nothing broken",
	cancelled_threads_leave_nothing_broken},
    {NULL, NULL},
};

int
main(int argc, char **argv)
{
	return check_run(tests, argc > 1 ? argv[1] : NULL);
}
