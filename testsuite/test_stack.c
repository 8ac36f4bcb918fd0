/* SPDX-License-Identifier: MIT */
/*
 * test_stack.c - traces agree with backtrace(3), whatever is on the stack
 *
 * backtrace(3) is the reference: it reads the same tables by other code.
 * Both are called from one function, so their traces differ in the innermost
 * frame only.
 */
#include <alloca.h>
#include <check.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "root.h"
#include "stack.h"
#include "stack_rule.h"
#include "suites.h"
#include "trace.h"

#define FRAMES 200
#define BARRIER() __asm__ volatile("" ::: "memory")
#define KEEP(p) __asm__ volatile("" ::"r"(p) : "memory")
#define NOINLINE __attribute__((noinline))

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct pair {
	uint64_t ours[FRAMES];
	void *ref[FRAMES];
	int n;
	int nref;
	int in_handler;
	int is_numbered; /* its number is of the same trace */
};

static struct pair pair;
static int rules_are_wrong;

static void
setup_depth(uint32_t depth)
{
	void *warm[4];

	umem_root.root_flags |= UMF_AUDIT;
	umem_root.root_stack_depth = depth;
	stack_init();
	/* The first call loads libgcc_s. */
	(void)backtrace(warm, 4);
}

static void
setup(void)
{
	setup_depth(15);
}

static void
setup_shallow(void)
{
	setup_depth(4);
}

static void
setup_deep(void)
{
	setup_depth(40);
}

/* is_numbered - the numbered trace from a frame on is how @pcs begins */
static int
is_numbered(
    const struct stack_frame *from, const uint64_t *pcs, unsigned n, int max)
{
	const uint32_t number = stack_trace(from);
	const size_t most = umem_root.root_stack_depth;
	size_t depth, want = STACK_DEPTH(n);
	const uint64_t *stack = trace_get(STACK_NUMBER(number), &depth);

	if (rules_are_wrong)
		return 1;
	if (depth > most || (want > depth && depth < most))
		return 0;
	if (want < (size_t)max && want < most && depth != want)
		return 0; /* it is whole */
	/* what was interrupted may be further up than the one looked */
	if (want == depth && (number & ~n & STACK_IN_HANDLER))
		return 0;
	if (want > depth)
		want = depth;
	return want == 0 || memcmp(stack, pcs, want * sizeof(*pcs)) == 0;
}

static NOINLINE int
capture(struct pair *p, uint64_t *pcs, int max, int *in_handler)
{
	const struct stack_frame from = stack_caller();
	unsigned n = stack_capture(&from, pcs, max);

	if (p != NULL)
		p->is_numbered = is_numbered(&from, pcs, n, max);
	if (in_handler != NULL)
		*in_handler = (n & STACK_IN_HANDLER) != 0;
	return (int)STACK_DEPTH(n);
}

static NOINLINE void
take(struct pair *p, int max)
{
	p->n = capture(p, p->ours, max, &p->in_handler);
	p->nref = backtrace(p->ref, max);
	BARRIER();
}

/* differs - at which frame the traces part; 0 when they are the same */
static int
differs(const struct pair *p)
{
	int shift = 1, i;

	if (!p->is_numbered)
		return -1;
	/* A sanitizer's own backtrace(3) is a frame of the reference. */
	if (p->nref > 2 && p->n > 1 && p->ref[2] == (void *)p->ours[1] &&
	    p->ref[1] != (void *)p->ours[1])
		shift = 2;
	for (i = 1; i < p->n && i - 1 + shift < p->nref; i++)
		if (p->ref[i - 1 + shift] != (void *)p->ours[i])
			return i;
	return p->n == p->nref - shift + 1 || SANITIZED ? 0 : i;
}

/* Functions whose frames differ in kind. */

typedef void frame_fn(struct pair *, const uint8_t *path, int depth, int max);

static frame_fn *const kinds[];
static const int nkinds;

static void
next_frame(struct pair *p, const uint8_t *path, int depth, int max)
{
	if (depth == 0)
		take(p, max);
	else
		kinds[*path % nkinds](p, path + 1, depth - 1, max);
	BARRIER();
}

static NOINLINE void
plain_frame(struct pair *p, const uint8_t *path, int depth, int max)
{
	next_frame(p, path, depth, max);
	BARRIER();
}

static NOINLINE void
alloca_frame(struct pair *p, const uint8_t *path, int depth, int max)
{
	char *room = alloca((size_t)depth * 40 + 8);

	next_frame(p, path, depth, max);
	KEEP(room);
}

static NOINLINE void
wide_frame(struct pair *p, const uint8_t *path, int depth, int max)
{
	char room[3000];

	next_frame(p, path, depth, max);
	KEEP(room);
}

static NOINLINE void
aligned_frame(struct pair *p, const uint8_t *path, int depth, int max)
{
	char room[64] __attribute__((aligned(128)));

	next_frame(p, path, depth, max);
	KEEP(room);
}

/* The stack is realigned and parameters are found by another register. */
static NOINLINE __attribute__((force_align_arg_pointer)) void
realigned_frame(struct pair *p, const uint8_t *path, int depth, int max)
{
	char room[32] __attribute__((aligned(64)));
	char *more = alloca((size_t)depth + 8);

	next_frame(p, path, depth, max);
	KEEP(room);
	KEEP(more);
}

struct sorting {
	struct pair *pair;
	const uint8_t *path;
	int depth;
	int max;
};

static int
compare(const void *a, const void *b, void *arg)
{
	struct sorting *s = arg;

	if (s->pair != NULL) {
		next_frame(s->pair, s->path, s->depth, s->max);
		s->pair = NULL;
	}
	return *(const int *)a - *(const int *)b;
}

static NOINLINE void
sorting_frame(struct pair *p, const uint8_t *path, int depth, int max)
{
	struct sorting s = {p, path, depth, max};
	int numbers[4] = {3, 1, 2, 0};

	qsort_r(numbers, 4, sizeof(numbers[0]), compare, &s);
	BARRIER();
}

static frame_fn *const kinds[] = {plain_frame, alloca_frame, wide_frame,
    aligned_frame, realigned_frame, sorting_frame};
static const int nkinds = sizeof(kinds) / sizeof(kinds[0]);

/* A path that changes at its inner end mostly, as a program's does. */
static void
change_path(uint8_t *path, int depth, unsigned *seed)
{
	int i = rand_r(seed) % 3 == 0 ? rand_r(seed) % depth
				      : depth - 1 - rand_r(seed) % 3;

	path[i] = (uint8_t)rand_r(seed);
}

/* compare_many - on random paths; the number of traces that differ */
static int
compare_many(struct pair *p, unsigned seed, int rounds, int max_depth)
{
	uint8_t path[64] = {0};
	int i, wrong = 0;

	for (i = 0; i < rounds; i++) {
		int depth = 3 + rand_r(&seed) % (max_depth - 3);
		int max =
		    rand_r(&seed) % 4 == 0 ? 5 + rand_r(&seed) % 20 : FRAMES;

		if (rand_r(&seed) % 8 != 0)
			depth = max_depth;
		change_path(path, max_depth, &seed);
		next_frame(p, path, depth, max);
		wrong += differs(p) != 0;
	}
	return wrong;
}

START_TEST(each_kind_of_frame_is_passed)
{
	uint8_t path[4];
	int i;

	for (i = 0; i < nkinds; i++) {
		memset(path, i, sizeof(path));
		next_frame(&pair, path, 3, FRAMES);
		ck_assert_msg(differs(&pair) == 0, "kind %d, frame %d", i,
		    differs(&pair));
		ck_assert_int_gt(pair.n, 5);
		ck_assert_int_eq(pair.in_handler, 0);
	}
}
END_TEST

START_TEST(a_thousand_paths_give_the_traces_of_backtrace)
{
	ck_assert_int_eq(compare_many(&pair, 1, 1000, 20), 0);
	ck_assert_int_eq(compare_many(&pair, 2, 1000, 60), 0);
}
END_TEST

static void *
many_in_thread(void *arg)
{
	struct pair mine;

	return (void *)(intptr_t)compare_many(
	    &mine, *(const unsigned *)arg, 500, 25);
}

START_TEST(threads_share_what_is_learnt)
{
	unsigned seeds[4] = {11, 12, 13, 14};
	pthread_t threads[4];
	void *wrong;
	int i;

	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
				     many_in_thread, &seeds[i]),
		    0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
}
END_TEST

static NOINLINE void
recurse(struct pair *p, int depth, int max)
{
	if (depth == 0)
		take(p, max);
	else
		recurse(p, depth - 1, max);
	BARRIER();
}

START_TEST(a_deep_stack_is_cut_at_the_limit)
{
	int max;

	for (max = 1; max <= FRAMES; max += 13) {
		recurse(&pair, 5000, max);
		ck_assert_int_eq(pair.n, max);
		ck_assert_int_eq(differs(&pair), 0);
	}
}
END_TEST

START_TEST(each_depth_of_a_recursion_is_right)
{
	int depth;

	for (depth = 0; depth < 150; depth++) {
		recurse(&pair, depth, FRAMES);
		ck_assert_int_eq(differs(&pair), 0);
		recurse(&pair, 149 - depth, FRAMES);
		ck_assert_int_eq(differs(&pair), 0);
	}
}
END_TEST

/* Signals. */

static sigjmp_buf after_trap;

static void
handler(int sig)
{
	uint8_t path[4] = {1, 4, 2, 0};

	next_frame(&pair, path, 3, FRAMES);
	if (sig == SIGILL)
		siglongjmp(after_trap, 1);
}

static void
handle(int sig, int flags)
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&sa.sa_mask);
	ck_assert_int_eq(sigaction(sig, &sa, NULL), 0);
}

static NOINLINE void
send_signal(int sig)
{
	raise(sig);
	BARRIER();
}

START_TEST(a_signal_handler_is_passed_and_reported)
{
	handle(SIGUSR1, 0);
	send_signal(SIGUSR1);
	ck_assert_int_eq(differs(&pair), 0);
	ck_assert_int_eq(pair.in_handler, 1);
	ck_assert_int_gt(pair.n, 10);
}
END_TEST

START_TEST(a_handler_on_its_own_stack_is_passed)
{
	static char room[65536];
	stack_t ss = {.ss_sp = room, .ss_size = sizeof(room)};

	ck_assert_int_eq(sigaltstack(&ss, NULL), 0);
	handle(SIGUSR1, SA_ONSTACK);
	send_signal(SIGUSR1);
	ck_assert_int_eq(differs(&pair), 0);
	ck_assert_int_eq(pair.in_handler, 1);
	ck_assert_int_gt(pair.n, 10);
}
END_TEST

/* No frame, no call: the handler's return address is not one of a call. */
static NOINLINE void
trap_in_leaf(void)
{
	__builtin_trap();
}

START_TEST(a_leaf_interrupted_at_its_first_instruction_is_passed)
{
	handle(SIGILL, 0);
	if (sigsetjmp(after_trap, 1) == 0)
		trap_in_leaf();
	ck_assert_int_eq(differs(&pair), 0);
	ck_assert_int_eq(pair.in_handler, 1);
	recurse(&pair, 3, FRAMES);
	ck_assert_int_eq(differs(&pair), 0);
	ck_assert_int_eq(pair.in_handler, 0);
}
END_TEST

/* Other stacks. */

static ucontext_t main_context, coroutine;

static void
in_coroutine(void)
{
	pair.n = -1;
	pair.nref = compare_many(&pair, 5, 200, 12);
}

static void
run_on(char *room, size_t size, void (*fn)(void))
{
	ck_assert_int_eq(getcontext(&coroutine), 0);
	coroutine.uc_stack.ss_sp = room;
	coroutine.uc_stack.ss_size = size;
	coroutine.uc_link = &main_context;
	makecontext(&coroutine, fn, 0);
	ck_assert_int_eq(swapcontext(&main_context, &coroutine), 0);
}

START_TEST(a_coroutine_has_its_own_trace)
{
	static char room[262144];

	run_on(room, sizeof(room), in_coroutine);
	ck_assert_int_eq(pair.nref, 0);
}
END_TEST

static uint64_t garbage_pcs[FRAMES];
static int garbage_n;

/* A trace that leaves the top of the stack: the caller is made up. */
static NOINLINE void
with_garbage_above(void)
{
	uint64_t *frame = __builtin_frame_address(0);
	const uint64_t saved = frame[0];

	frame[0] = (uint64_t)frame + 100000;
	garbage_n = capture(NULL, garbage_pcs, FRAMES, NULL);
	frame[0] = saved;
}

START_TEST(a_trace_that_runs_off_a_stack_ends_there)
{
	const size_t size = 65536;
	char *room = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	umem_settings.set_frame_pointers = 1;
	setup();
	ck_assert_ptr_ne(room, MAP_FAILED);
	ck_assert_int_eq(mprotect(room + size, size, PROT_NONE), 0);
	run_on(room, size, with_garbage_above);
	ck_assert_int_ge(garbage_n, 1);
	ck_assert_int_lt(garbage_n, FRAMES);
}
END_TEST

/* Rules that are wrong. */

START_TEST(wrong_rules_give_wrong_traces_but_no_fault)
{
	unsigned seed = 7;
	int round, i;

	rules_are_wrong = 1;
	for (round = 0; round < 3000; round++) {
		uint8_t path[12] = {0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0, 5};

		next_frame(&pair, path, 12, FRAMES);
		ck_assert_int_ge(pair.n, 1);
		i = rand_r(&seed) % pair.n;
		rule_put(pair.ours[i] - 1,
		    rule_make((enum rule_kind)(rand_r(&seed) % 7),
			(rand_r(&seed) % 40000 - 4000) * 8,
			(uint64_t)(rand_r(&seed) % 100) * 8),
		    rule_epoch);
		rule_put(pair.ours[0] - 1,
		    rule_make((enum rule_kind)(1 + rand_r(&seed) % 3),
			rand_r(&seed) % 400 * 8,
			(uint64_t)(rand_r(&seed) % 100) * 8),
		    rule_epoch);
	}
	rule_flush();
	rules_are_wrong = 0;
	ck_assert_int_eq(compare_many(&pair, 3, 100, 20), 0);
}
END_TEST

START_TEST(a_rule_is_believed_for_its_own_address_and_epoch_only)
{
	const uint64_t rule = rule_make(RULE_SP, -24, 64);
	uint64_t key;

	for (key = 1; key < 50000; key += 7)
		rule_put(key, rule, rule_epoch);
	ck_assert_int_eq(rule_kind(rule_get(1)), RULE_SP);
	ck_assert_int_eq(rule_k(rule_get(1)), -24);
	ck_assert_uint_eq(rule_m(rule_get(1)), 64);
	ck_assert_int_eq(rule_kind(rule_get(2)), RULE_NONE);
	rule_flush();
	ck_assert_int_eq(rule_kind(rule_get(1)), RULE_NONE);
	rule_put(1, rule, rule_epoch - 1);
	ck_assert_int_eq(rule_kind(rule_get(1)), RULE_NONE);
}
END_TEST

/*
 * The loader frees what it kept of a library with free(3); with the allocator
 * preloaded that takes a stack.  Here it does by this function.
 */
#if !SANITIZED
static int free_takes_stacks;

extern void __libc_free(void *p);

void
free(void *p)
{
	const struct stack_frame from = stack_caller();

	if (free_takes_stacks)
		(void)stack_trace(&from);
	__libc_free(p);
}

static void
compile(const char *dir, const char *name, int room)
{
	const char *cc = getenv("CC");
	char command[1024];

	snprintf(command, sizeof(command),
	    "echo 'void through(void (*fn)(void)) {"
	    " volatile char room[%d]; room[0] = 1; fn(); room[1] = 1; }' |"
	    " %s -shared -fPIC -O2 -fomit-frame-pointer -fno-stack-protector"
	    " -x c - -o %s/%s.so",
	    room, cc != NULL ? cc : "cc", dir, name);
	ck_assert_int_eq(system(command), 0);
}

static void
take_pair(void)
{
	take(&pair, FRAMES);
	BARRIER();
}

/* take_through - a trace through the library; where in it the call stood */
static void *
take_through(const char *dir, const char *name)
{
	char path[256];
	void (*through)(void (*)(void));
	void *handle, *addr;

	snprintf(path, sizeof(path), "%s/%s.so", dir, name);
	handle = dlopen(path, RTLD_NOW);
	ck_assert_ptr_nonnull(handle);
	addr = dlsym(handle, "through");
	ck_assert_ptr_nonnull(addr);
	memcpy(&through, &addr, sizeof(through));
	through(take_pair);
	ck_assert_int_eq(differs(&pair), 0);
	ck_assert_int_eq(dlclose(handle), 0);
	return addr;
}

START_TEST(a_library_in_the_place_of_another_is_learnt_anew)
{
	char dir[] = "/tmp/test_stack.XXXXXX";
	char command[64];
	void *first, *second;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	compile(dir, "first", 1000);
	compile(dir, "second", 3000);
	free_takes_stacks = 1;
	first = take_through(dir, "first");
	second = take_through(dir, "second");
	free_takes_stacks = 0;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
	/* Otherwise this test has shown nothing. */
	ck_assert_ptr_eq(first, second);
}
END_TEST
#endif

/* fork(2). */

static int stop_learning;

static void *
learn_always(void *arg)
{
	struct pair mine;

	(void)arg;
	while (!__atomic_load_n(&stop_learning, __ATOMIC_RELAXED)) {
		rule_flush();
		mine.n = capture(NULL, mine.ours, FRAMES, NULL);
	}
	return NULL;
}

START_TEST(a_child_can_learn_though_another_thread_was_learning)
{
	pthread_t thread;
	int i, status;
	pid_t pid;

	ck_assert_int_eq(pthread_create(&thread, NULL, learn_always, NULL), 0);
	for (i = 0; i < 50; i++) {
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			rule_flush();
			recurse(&pair, 3, FRAMES);
			_exit(pair.n > 5 ? 0 : 1);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
	__atomic_store_n(&stop_learning, 1, __ATOMIC_RELAXED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

/* Frame pointers, and nothing at all. */

static NOINLINE int
framed_inner(uint64_t *pcs, void **caller_ret)
{
	/* Asking for the frame's address makes the compiler keep one. */
	void *volatile frame = __builtin_frame_address(0);
	const int n = capture(NULL, pcs, FRAMES, NULL);

	*caller_ret = frame != NULL ? __builtin_return_address(0) : NULL;
	return n;
}

static NOINLINE int
framed_outer(uint64_t *pcs, void **callers)
{
	void *volatile frame = __builtin_frame_address(0);
	const int n = framed_inner(pcs, &callers[0]);

	callers[1] = frame != NULL ? __builtin_return_address(0) : NULL;
	return n;
}

START_TEST(frame_pointers_are_followed_when_asked_for)
{
	void *callers[2];
	int n;

	umem_settings.set_frame_pointers = 1;
	setup();
	n = framed_outer(pair.ours, callers);
	ck_assert_int_ge(n, 3);
	ck_assert_ptr_eq((void *)pair.ours[1], callers[0]);
	ck_assert_ptr_eq((void *)pair.ours[2], callers[1]);
}
END_TEST

START_TEST(without_audit_nothing_is_loaded_and_nothing_taken)
{
	umem_root.root_flags = 0;
	stack_init();
	ck_assert_int_eq(capture(NULL, pair.ours, FRAMES, &pair.n), 0);
	ck_assert_int_eq(pair.n, 0);
}
END_TEST

static TCase *
frames_case(const char *name, void (*prepare)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, prepare, NULL);
	tcase_add_test(tc, each_kind_of_frame_is_passed);
	tcase_add_test(tc, a_thousand_paths_give_the_traces_of_backtrace);
	tcase_add_test(tc, threads_share_what_is_learnt);
	tcase_add_test(tc, a_deep_stack_is_cut_at_the_limit);
	tcase_add_test(tc, each_depth_of_a_recursion_is_right);
	tcase_add_test(tc, a_signal_handler_is_passed_and_reported);
	tcase_add_test(tc, a_handler_on_its_own_stack_is_passed);
	tcase_add_test(
	    tc, a_leaf_interrupted_at_its_first_instruction_is_passed);
	tcase_add_test(tc, a_coroutine_has_its_own_trace);
	return tc;
}

static TCase *
rules_case(void)
{
	TCase *tc = tcase_create("rules");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, wrong_rules_give_wrong_traces_but_no_fault);
	tcase_add_test(
	    tc, a_rule_is_believed_for_its_own_address_and_epoch_only);
	tcase_add_test(
	    tc, a_child_can_learn_though_another_thread_was_learning);
#if !SANITIZED
	tcase_add_test(tc, a_library_in_the_place_of_another_is_learnt_anew);
#endif
	return tc;
}

static TCase *
settings_case(void)
{
	TCase *tc = tcase_create("settings");

	tcase_add_test(tc, frame_pointers_are_followed_when_asked_for);
	tcase_add_test(tc, a_trace_that_runs_off_a_stack_ends_there);
	tcase_add_test(tc, without_audit_nothing_is_loaded_and_nothing_taken);
	return tc;
}

Suite *
test_stack_suite(void)
{
	Suite *s = suite_create("stack");

	suite_add_tcase(s, frames_case("frames", setup));
	suite_add_tcase(s, frames_case("frames, few", setup_shallow));
	suite_add_tcase(s, frames_case("frames, many", setup_deep));
	suite_add_tcase(s, rules_case());
	suite_add_tcase(s, settings_case());
	return s;
}
