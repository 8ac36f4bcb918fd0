/* SPDX-License-Identifier: MIT */
/*
 * waits.c - threads that wait in system calls of all kinds, with the only
 * pointers in the registers that a call preserves
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

#include "truth.h"

#define NCALLS 8u
#define NHELD 6u

struct call {
	long number, arg[4];
	uint64_t hidden[NHELD];
};

static struct call calls[NCALLS];
static sem_t ready;
static char memory[64];
static uint64_t signals = 1u << 9;
static struct timespec forever = {1000000, 0};

/* wait_in - a call that does not end; rbx, rbp, r12 to r15 hold the six */
void wait_in(struct call *c);
__asm__(".text\n"
	".globl wait_in\n"
	".type wait_in, @function\n"
	"wait_in:\n\t"
	"mov 40(%rdi), %rbx\n\tnot %rbx\n\t"
	"mov 48(%rdi), %r12\n\tnot %r12\n\t"
	"mov 56(%rdi), %r13\n\tnot %r13\n\t"
	"mov 64(%rdi), %r14\n\tnot %r14\n\t"
	"mov 72(%rdi), %r15\n\tnot %r15\n\t"
	"mov 80(%rdi), %rbp\n\tnot %rbp\n\t"
	"mov (%rdi), %rax\n\t"
	"mov 16(%rdi), %rsi\n\t"
	"mov 24(%rdi), %rdx\n\t"
	"mov 32(%rdi), %r10\n\t"
	"mov 8(%rdi), %rdi\n\t"
	"xor %r8d, %r8d\n\t"
	"xor %r9d, %r9d\n\t"
	"syscall\n\t"
	"ud2\n"
	".size wait_in, . - wait_in\n");

STEP void
hold(struct call *c)
{
	unsigned i;

	for (i = 0; i < NHELD; i++)
		c->hidden[i] = ~(uint64_t)(uintptr_t)calloc(1, 50);
}

static void *
thread(void *arg)
{
	hold(arg);
	(void)truth_scrub();
	sem_post(&ready);
	wait_in(arg);
	return arg;
}

STEP void
call(unsigned i, long number, long a, long b, long c, long d)
{
	pthread_t t;

	calls[i] = (struct call){number, {a, b, c, d}, {0}};
	if (pthread_create(&t, NULL, thread, &calls[i]) != 0)
		exit(2);
	sem_wait(&ready);
}

int
main(void)
{
	const int ep = epoll_create(1);
	int fd[2];

	if (ep < 0 || pipe(fd) != 0)
		return 2;
	sem_init(&ready, 0, 0);
	call(0, SYS_futex, (long)memory, 0, 0, 0);
	call(1, SYS_poll, 0, 0, -1, 0);
	call(2, SYS_read, fd[0], (long)memory, 4, 0);
	call(3, SYS_rt_sigtimedwait, (long)&signals, 0, 0, 8);
	call(4, SYS_nanosleep, (long)&forever, 0, 0, 0);
	call(5, SYS_pause, 0, 0, 0, 0);
	call(6, SYS_epoll_wait, ep, (long)memory, 1, -1);
	call(7, SYS_pselect6, 0, 0, 0, 0);
	usleep(100000); /* until all of them wait */
	truth_end();
}
