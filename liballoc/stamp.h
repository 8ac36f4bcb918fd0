/* SPDX-License-Identifier: MIT */
/*
 * stamp.h - the time of a transaction, cheaply
 *
 * Layer: above os.h.
 */
#ifndef UMEM_STAMP_H
#define UMEM_STAMP_H

#include <stdint.h>

/*
 * stamp_now - CLOCK_MONOTONIC in nanoseconds, as os_now(), at a fraction of
 * its cost; never 0.
 *
 * While the process has one thread, stamps only go up, and are late by no more
 * than the time that the last 31 took and no more than a tick of
 * CLOCK_MONOTONIC_COARSE.  With more threads each is within some microseconds
 * of the clock, and may go back by a fraction of a microsecond when the two
 * are compared anew.
 */
uint64_t stamp_now(void);

#endif /* UMEM_STAMP_H */
