/* SPDX-License-Identifier: MIT */
/*
 * stamp.c - the time of a transaction, cheaply
 *
 * A process with one thread has nobody to compare with: the order of its
 * transactions is known, and the clock, which costs more than the rest of a
 * record, is read for one in PER_READING, and for the first in each tick of
 * the kernel's coarse clock.  Those between are a nanosecond apart.
 *
 * Two thirds of the cost of clock_gettime(2) are fences around the reading of
 * the processor's tick counter, and arithmetic, that records of transactions
 * do not need.  Where the kernel itself tells time by that counter, it is
 * read here directly, and related to CLOCK_MONOTONIC again every few tens of
 * milliseconds: the rate is that of the interval before.  Elsewhere os_now()
 * serves.  In a virtual machine the kernel scales the counter by what the
 * hypervisor tells it; that changes when the machine moves to another host,
 * and then the next relation, a few tens of milliseconds later, follows.
 *
 * The relation is guarded by a sequence number: odd while one thread changes
 * it.  Nobody waits; who finds it odd asks os_now().
 *
 * Layer: stamp.h
 */
#include "stamp.h"

#include <string.h>
#include <sys/types.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "os.h"

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define SINGLE_THREADED __libc_single_threaded
#else
#define SINGLE_THREADED 0
#endif

#if defined(__x86_64__)

/* Ticks; a counter makes 1e9 to 5e9 a second. */
#define INTERVAL ((uint64_t)1 << 27)  /* between two looks at the clock */
#define FIRST ((uint64_t)1 << 22)     /* before there is a rate at all */
#define REACH 4                       /* times the time a rate was taken over */
#define READ_MAX ((uint64_t)1 << 10)  /* longer, and we were interrupted */
#define STRAY_MAX ((uint64_t)1 << 16) /* ns that prediction may be off */
#define RATE_SHIFT 32
#define RATE_MIN ((uint64_t)1 << 28) /* 16 GHz */
#define RATE_MAX ((uint64_t)1 << 33) /* 500 MHz */

static struct {
	uint32_t seq;
	uint32_t unusable; /* the kernel does not trust the counter */
	uint32_t asked;    /* whether it does: once is enough */
	uint64_t ticks;    /* the counter at ns */
	uint64_t ns;
	uint64_t rate;  /* ns per tick, times 2^32; 0: not known yet */
	uint64_t limit; /* so many ticks further the rate is good for */
} relation;

static inline uint64_t
ticks_now(void)
{
	return __builtin_ia32_rdtsc();
}

static inline uint64_t
predict(uint64_t ns, uint64_t ticks, uint64_t rate)
{
	return ns + (ticks * rate >> RATE_SHIFT);
}

/*
 * counter_is_steady - it ticks at one rate in all states of the processor
 * ("Invariant TSC": AMD64 Architecture Programmer's Manual, volume 3, CPUID)
 */
static int
counter_is_steady(void)
{
	const unsigned leaf = 0x80000007, invariant = 1u << 8;
	unsigned eax, ebx, ecx, edx = 0;

	(void)__get_cpuid(leaf, &eax, &ebx, &ecx, &edx);
	return (edx & invariant) != 0;
}

/* counter_is_clock - whether the kernel's own clock is this counter */
static int
counter_is_clock(void)
{
	/* the kernel's names; the last two are the counter, scaled */
	static const char *const names[] = {
	    "tsc\n", "kvm-clock\n", "hyperv_clocksource_tsc_page\n"};
	char name[32] = "";
	int fd = os_open("/sys/devices/system/clocksource/clocksource0/"
			 "current_clocksource");

	if (fd < 0)
		return 0;
	(void)os_pread(fd, name, sizeof(name) - 1, 0);
	os_close(fd);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return i == 0 || counter_is_steady();
	return 0;
}

/* rate_of - ticks passed and ns took; 0 when they make no sense together */
static uint64_t
rate_of(uint64_t passed, uint64_t took, uint64_t old)
{
	uint64_t rate;

	if (passed == 0 || passed >> 63 != 0 || took >> 31 != 0)
		return 0;
	rate = (took << RATE_SHIFT) / passed;
	if (rate < RATE_MIN || rate > RATE_MAX)
		return 0;
	/* a machine that slept meanwhile looks like one that was slow */
	if (old != 0 && (rate > old + old / 256 || rate < old - old / 256))
		return 0;
	return rate;
}

/*
 * relate - a new reading of both, and the rate since the last one; without
 * one that makes sense it starts anew.  Called with an odd sequence number.
 * Returns the time, which stays ahead of what was given out.
 */
static uint64_t
relate(uint64_t ticks, uint64_t ns)
{
	uint64_t passed = ticks - relation.ticks;
	uint64_t old = relation.rate, rate = 0, guess;

	if (relation.ns != 0)
		rate = rate_of(passed, ns - relation.ns, old);
	if (old != 0 && rate != 0) {
		guess = predict(relation.ns, passed, old);
		if (guess > ns && guess - ns < STRAY_MAX)
			ns = guess;
	}
	__atomic_store_n(&relation.ticks, ticks, __ATOMIC_RELAXED);
	__atomic_store_n(&relation.rate, rate, __ATOMIC_RELAXED);
	__atomic_store_n(&relation.limit,
	    passed < INTERVAL / REACH ? passed * REACH : INTERVAL,
	    __ATOMIC_RELAXED);
	__atomic_store_n(&relation.ns, ns, __ATOMIC_RELAXED);
	return ns;
}

/* is_early - there is no rate, and it is too early to tell one */
static int
is_early(void)
{
	uint64_t base = __atomic_load_n(&relation.ticks, __ATOMIC_RELAXED);

	return base != 0 &&
	       __atomic_load_n(&relation.rate, __ATOMIC_RELAXED) == 0 &&
	       ticks_now() - base < FIRST;
}

/* stamp_slow - ask the clock, and perhaps learn from the answer */
static __attribute__((noinline)) uint64_t
stamp_slow(void)
{
	uint32_t seq = __atomic_load_n(&relation.seq, __ATOMIC_RELAXED);
	uint64_t before, after, now;

	if (__atomic_load_n(&relation.unusable, __ATOMIC_RELAXED) ||
	    (seq & 1) || is_early() ||
	    !__atomic_compare_exchange_n(&relation.seq, &seq, seq + 1, 0,
		__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return os_now();
	if (!relation.asked) {
		relation.asked = 1;
		__atomic_store_n(
		    &relation.unusable, !counter_is_clock(), __ATOMIC_RELAXED);
	}
	before = ticks_now();
	now = os_now();
	after = ticks_now();
	if (after - before < READ_MAX)
		now = relate(before + (after - before) / 2, now);
	__atomic_store_n(&relation.seq, seq + 2, __ATOMIC_RELEASE);
	return now;
}

static inline uint64_t
exact_now(void)
{
	uint32_t seq = __atomic_load_n(&relation.seq, __ATOMIC_ACQUIRE);
	uint64_t base = __atomic_load_n(&relation.ticks, __ATOMIC_RELAXED);
	uint64_t ns = __atomic_load_n(&relation.ns, __ATOMIC_RELAXED);
	uint64_t rate = __atomic_load_n(&relation.rate, __ATOMIC_RELAXED);
	uint64_t limit = __atomic_load_n(&relation.limit, __ATOMIC_RELAXED);
	uint64_t passed = ticks_now() - base;

	/* loads stay in order on this processor: hold the compiler only */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (passed < limit && rate != 0 && !(seq & 1) &&
	    seq == __atomic_load_n(&relation.seq, __ATOMIC_RELAXED))
		return predict(ns, passed, rate);
	return stamp_slow();
}

#else

static inline uint64_t
exact_now(void)
{
	return os_now();
}

#endif

/* --------------------------------------------------------------- one thread */

#define PER_READING 32 /* stamps to a reading of the clock */

static struct {
	uint64_t last; /* stamp that was given */
	uint64_t tick; /* in which the clock was read */
	uint32_t left; /* stamps until it is read again */
} alone;

/*
 * alone_next - a nanosecond later than the last.  One instruction: a signal
 * handler that takes stamps too comes before it or after it.
 */
static inline uint64_t
alone_next(void)
{
#if defined(__x86_64__)
	uint64_t n = 1;

	__asm__ volatile("xaddq %0, %1"
			 : "+r"(n), "+m"(alone.last)
			 :
			 : "cc", "memory");
	return n + 1;
#else
	return __atomic_add_fetch(&alone.last, 1, __ATOMIC_RELAXED);
#endif
}

static inline uint64_t
alone_now(void)
{
	const uint64_t tick = os_tick();
	uint64_t now, last;

	if (alone.left != 0 && alone.tick == tick) {
		alone.left--;
		return alone_next();
	}
	alone.tick = tick;
	alone.left = PER_READING - 1;
	now = exact_now();
	last = __atomic_load_n(&alone.last, __ATOMIC_RELAXED);
	/* the relation may have been changed, or a handler was faster */
	do {
		if (now <= last)
			now = last + 1;
	} while (!__atomic_compare_exchange_n(
	    &alone.last, &last, now, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return now;
}

uint64_t
stamp_now(void)
{
	return SINGLE_THREADED ? alone_now() : exact_now();
}
