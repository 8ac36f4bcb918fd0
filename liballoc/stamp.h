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
 * stamp_now - CLOCK_MONOTONIC in nanoseconds, as os_now(), within some
 * microseconds of it and at a fraction of its cost; never 0.  It may go back
 * by a fraction of a microsecond when the two are compared anew.
 */
uint64_t stamp_now(void);

#endif /* UMEM_STAMP_H */
