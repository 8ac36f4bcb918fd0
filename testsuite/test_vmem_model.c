/* SPDX-License-Identifier: MIT */
/*
 * test_vmem_model.c - random operations on an arena, and a model of it
 *
 * The model is nothing but an array, one entry for each unit: it says who
 * owns what.  Random operations run on an arena and on the model; whatever
 * the arena answers must be right by the model, and from time to time both
 * are compared as wholes.  Addresses are numbers here: nothing lies there.
 */
#include <check.h>
#include <string.h>

#include "init.h"
#include "suites.h"
#include "vmem_impl.h"

#define Q 16u          /* quantum of the model's arena */
#define BASE 0x100000u /* address of unit 0 */
#define UNITS 1024u
#define SEED 1000u
#define OPERATIONS 20000
#define CHECK_EVERY 250

#define OUTSIDE (-1) /* the unit belongs to no span */
#define FREE 0

struct model {
	unsigned seed;
	vmem_t *arena;
	int owner[UNITS];
	int span[UNITS]; /* which span the unit is in */
	int spans;
	int last; /* last owner given */
	uint64_t nalloc, nfree, nfail, inuse, total;
};

struct request {
	size_t units, align, phase, nocross; /* align ...: bytes */
	uintptr_t min, max;
	int flags;
};

static struct model m;

static unsigned
rnd(unsigned n)
{
	m.seed = m.seed * 1103515245u + 12345u;
	return (m.seed >> 8) % n;
}

static uintptr_t
addr_of(size_t unit)
{
	return BASE + unit * Q;
}

static void
model_span(size_t first, size_t n)
{
	m.spans++;
	for (size_t i = first; i < first + n; i++) {
		ck_assert_int_eq(m.owner[i], OUTSIDE);
		m.owner[i] = FREE;
		m.span[i] = m.spans;
	}
	m.total += n * Q;
}

static void
model_init(unsigned seed)
{
	umem_init();
	memset(&m, 0, sizeof(m));
	m.seed = seed;
	for (size_t i = 0; i < UNITS; i++)
		m.owner[i] = OUTSIDE;
	model_span(0, 300);
	m.arena = vmem_create("model", (void *)addr_of(0), 300 * Q, Q, NULL,
	    NULL, NULL, 0, VM_SLEEP);
	ck_assert_ptr_nonnull(m.arena);
}

/* Whether the request may be satisfied at @unit. */
static int
model_fits(const struct request *r, size_t unit)
{
	uintptr_t addr = addr_of(unit), end = addr + r->units * Q;

	if (unit + r->units > UNITS || addr % r->align != r->phase)
		return 0;
	if (addr < r->min || (r->max != 0 && end > r->max))
		return 0;
	if (r->nocross != 0 && addr / r->nocross != (end - 1) / r->nocross)
		return 0;
	for (size_t i = unit; i < unit + r->units; i++)
		if (m.owner[i] != FREE || m.span[i] != m.span[unit])
			return 0;
	return 1;
}

/* The lowest unit where the request fits, or UNITS. */
static size_t
model_lowest(const struct request *r)
{
	size_t unit = 0;

	while (unit < UNITS && !model_fits(r, unit))
		unit++;
	return unit;
}

/* Units in the run of free units around @unit. */
static size_t
model_run(size_t unit)
{
	size_t first = unit, end = unit;

	while (first > 0 && m.owner[first - 1] == FREE &&
	       m.span[first - 1] == m.span[unit])
		first--;
	while (
	    end < UNITS && m.owner[end] == FREE && m.span[end] == m.span[unit])
		end++;
	return end - first;
}

/* Units in the smallest free run where the request fits. */
static size_t
model_smallest(const struct request *r)
{
	size_t best = UNITS + 1;

	for (size_t unit = 0; unit < UNITS; unit++)
		if (model_fits(r, unit) && model_run(unit) < best)
			best = model_run(unit);
	return best;
}

static void
random_request(struct request *r, int flags)
{
	*r = (struct request){.align = Q, .flags = flags};
	r->units = rnd(8) == 0 ? 1 + rnd(100) : 1 + rnd(12);
	if (rnd(3) != 0)
		return;
	r->align = (size_t)Q << rnd(7);
	if (rnd(2) == 0)
		r->phase = rnd((unsigned)(r->align / Q)) * Q;
	if (rnd(2) == 0) {
		r->nocross = (size_t)Q << (2 + rnd(7));
		if (r->phase / r->nocross !=
		    (r->phase + r->units * Q - 1) / r->nocross)
			r->nocross = 0;
	}
	if (rnd(3) == 0)
		r->min = addr_of(rnd(UNITS));
	if (rnd(3) == 0)
		r->max =
		    (r->min != 0 ? r->min : BASE) + (r->units + rnd(300)) * Q;
}

static void
check_answer(const struct request *r, const void *p)
{
	size_t lowest = model_lowest(r);
	size_t unit;

	if (p == NULL) {
		ck_assert_msg(lowest == UNITS,
		    "NULL, but %zu units fit at unit %zu", r->units, lowest);
		m.nfail++;
		return;
	}
	unit = ((uintptr_t)p - BASE) / Q;
	ck_assert_uint_eq((uintptr_t)p, addr_of(unit));
	ck_assert_msg(model_fits(r, unit),
	    "%p does not satisfy: %zu units, align %zu, phase %zu, "
	    "nocross %zu, [%#zx, %#zx)",
	    p, r->units, r->align, r->phase, r->nocross, (size_t)r->min,
	    (size_t)r->max);
	if (r->flags & VM_FIRSTFIT)
		ck_assert_uint_eq(unit, lowest);
	if (r->flags & VM_BESTFIT)
		ck_assert_uint_eq(model_run(unit), model_smallest(r));
	m.last++;
	for (size_t i = unit; i < unit + r->units; i++)
		m.owner[i] = m.last;
	m.nalloc++;
	m.inuse += r->units * Q;
}

static void
do_alloc(int flags)
{
	struct request r;
	size_t size;
	void *p;

	random_request(&r, flags);
	size = r.units * Q - rnd(Q); /* is rounded up */
	if (r.align == Q && r.phase == 0 && r.nocross == 0 && r.min == 0 &&
	    r.max == 0)
		p = vmem_alloc(m.arena, size, r.flags);
	else
		p = vmem_xalloc(m.arena, size, r.align, r.phase, r.nocross,
		    (void *)r.min, (void *)r.max, r.flags);
	check_answer(&r, p);
}

static void
do_free(void)
{
	size_t unit = rnd(UNITS), n = 0;
	int owner = m.owner[unit];

	if (owner == OUTSIDE || owner == FREE)
		return;
	while (unit > 0 && m.owner[unit - 1] == owner)
		unit--;
	for (; unit + n < UNITS && m.owner[unit + n] == owner; n++)
		m.owner[unit + n] = FREE;
	vmem_free(m.arena, (void *)addr_of(unit), n * Q);
	m.nfree++;
	m.inuse -= n * Q;
}

/* Walk callback: the allocations are the model's, and in no other order. */
static void
see_alloc(void *arg, void *start, size_t size)
{
	size_t unit = ((uintptr_t)start - BASE) / Q, n = size / Q;

	*(uint64_t *)arg += size;
	ck_assert_int_gt(m.owner[unit], FREE);
	ck_assert(unit == 0 || m.owner[unit - 1] != m.owner[unit]);
	for (size_t i = unit; i < unit + n; i++)
		ck_assert_int_eq(m.owner[i], m.owner[unit]);
	ck_assert(unit + n == UNITS || m.owner[unit + n] != m.owner[unit]);
}

static void
see_free(void *arg, void *start, size_t size)
{
	size_t unit = ((uintptr_t)start - BASE) / Q, n = size / Q;

	*(uint64_t *)arg += size;
	for (size_t i = unit; i < unit + n; i++) {
		ck_assert_int_eq(m.owner[i], FREE);
		ck_assert_int_eq(m.span[i], m.span[unit]);
	}
}

static void
check_whole(void)
{
	uint64_t allocated = 0, available = 0;
	const char *wrong = arena_is_valid(m.arena);

	ck_assert_msg(wrong == NULL, "%s", wrong);
	vmem_walk(m.arena, VMEM_ALLOC, see_alloc, &allocated);
	vmem_walk(m.arena, VMEM_FREE, see_free, &available);
	ck_assert_uint_eq(allocated, m.inuse);
	ck_assert_uint_eq(available, m.total - m.inuse);
	ck_assert_uint_eq(vmem_size(m.arena, VMEM_ALLOC), m.inuse);
	ck_assert_uint_eq(vmem_size(m.arena, VMEM_FREE), m.total - m.inuse);
	ck_assert_uint_eq(vmem_size(m.arena, VMEM_ALLOC | VMEM_FREE), m.total);
	ck_assert_uint_eq(m.arena->vm_nalloc, m.nalloc);
	ck_assert_uint_eq(m.arena->vm_nfree, m.nfree);
	ck_assert_uint_eq(m.arena->vm_nfail, m.nfail);
}

/* The policy of each round; mixed at the end. */
static const int policies[] = {0, VM_BESTFIT, VM_FIRSTFIT, VM_NEXTFIT, 0, -1};
#define ROUNDS (2 * (int)(sizeof(policies) / sizeof(policies[0])))

static int
pick_policy(int policy)
{
	/* A rotor splits free runs: best fit is no law when next fit is used. */
	static const int mixed[] = {0, 0, VM_NEXTFIT};

	return policy >= 0 ? policy : mixed[rnd(3)];
}

START_TEST(random_operations_obey_the_model)
{
	int policy = policies[_i / 2];

	/* A failure is reported with _i, and so with its seed. */
	model_init(SEED + (unsigned)_i);
	for (int i = 0; i < OPERATIONS; i++) {
		/* fill, empty, fill ... */
		if (rnd(100) < (i / 2000 % 2 == 0 ? 60u : 40u))
			do_alloc(pick_policy(policy));
		else
			do_free();
		if (i == 5000 || i == 9000) {
			size_t at = i == 5000 ? 300 : 700;
			void *p = (void *)addr_of(at);

			/* right behind the first one, and apart */
			model_span(at, 200);
			ck_assert_ptr_eq(vmem_add(m.arena, p, 200 * Q, 0), p);
		}
		if (i % CHECK_EVERY == 0)
			check_whole();
	}
	while (m.inuse != 0)
		do_free();
	check_whole();
	ck_assert_uint_eq(m.arena->vm_nseg_alloc, 0);
	vmem_destroy(m.arena);
}
END_TEST

Suite *
test_vmem_model_suite(void)
{
	Suite *s = suite_create("vmem_model");
	TCase *tc = tcase_create("laws");

	tcase_add_loop_test(tc, random_operations_obey_the_model, 0, ROUNDS);
	suite_add_tcase(s, tc);
	return s;
}
