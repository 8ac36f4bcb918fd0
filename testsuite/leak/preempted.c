/* SPDX-License-Identifier: MIT */
/*
 * preempted.c - coroutines that were left in another way than before
 *
 * Each had waited in swapcontext(3) before, so its ucontext_t looks as if it
 * still did; then it was interrupted further down, and the handler, on an
 * alternate stack, went elsewhere.  Where it was, only what the kernel saved
 * says: of one the program has made a copy, of another it is still on the
 * alternate stack.  A third one has jumped away, which only its jmp_buf says.
 */
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include "truth.h"

#define STACK 262144u

static ucontext_t home, waiting[3], copy;
static unsigned self;
static jmp_buf back;
jmp_buf *there;

static void
handler(int sig, siginfo_t *info, void *arg)
{
	const ucontext_t *uc = arg;

	(void)sig;
	(void)info;
	if (self == 0)
		memcpy(&copy, uc, sizeof(copy));
	setcontext(&home);
}

STEP void
is_interrupted(void)
{
	void *volatile slot[4];

	slot[2] = calloc(1, 88);
	if (self < 2)
		raise(SIGUSR1);
	else if (_setjmp(*there) == 0)
		_longjmp(back, 1);
	free(slot[2]);
}

/* Below a frame that leaves what was there as it is. */
STEP void
go_deep(void)
{
	volatile char hole[32768];

	hole[16] = 0;
	is_interrupted();
	hole[17] = 0;
}

STEP void
wait_once(int n)
{
	volatile char frame[1024];

	frame[0] = (char)n;
	if (n > 0)
		wait_once(n - 1);
	else
		swapcontext(&waiting[self], &home);
	frame[1] = 0;
}

static void
body(void)
{
	wait_once(8);
	go_deep();
}

STEP void
run(unsigned which)
{
	ucontext_t *uc = &waiting[which];

	getcontext(uc);
	uc->uc_stack.ss_sp = map_pages(STACK);
	uc->uc_stack.ss_size = STACK;
	uc->uc_link = &home;
	makecontext(uc, body, 0);
	self = which;
	swapcontext(&home, uc);
	if (_setjmp(back) == 0)
		swapcontext(&home, uc);
}

STEP void
on_alternate_stack(void)
{
	stack_t ss = {.ss_sp = map_pages(STACK), .ss_size = STACK};
	struct sigaction sa = {
	    .sa_sigaction = handler, .sa_flags = SA_ONSTACK | SA_SIGINFO};

	if (sigaltstack(&ss, NULL) != 0 || sigaction(SIGUSR1, &sa, NULL) != 0)
		exit(2);
}

int
main(void)
{
	on_alternate_stack();
	run(0);
	run(1);
	there = calloc(1, sizeof(*there));
	run(2);
	truth_end();
}
