/* SPDX-License-Identifier: MIT */
/*
 * msg.h - words for people, without an allocator
 *
 * Text goes into a ring of UMEM_MSG_SIZE bytes that the root points to, so
 * that a debugger can show it, and to stderr when asked.  Formatting knows
 * %s %c %d %u %x %p (0x...) %% with l, ll, z, a width and a leading 0 or -,
 * and never allocates.  Safe at any time, in signal handlers too.
 *
 * Layer: above lock.h.
 */
#ifndef UMEM_MSG_H
#define UMEM_MSG_H

#include <stdarg.h>
#include <stddef.h>

#include "umem_layout.h"

#define UMEM_MSG_SIZE 16384

/* umem_log_message - into the message buffer; to stderr with allverbose */
void umem_log_message(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* umem_error_message - into the buffer, and to stderr */
void umem_error_message(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* umem_panic - a message to stderr and the buffer, then SIGABRT */
_Noreturn void umem_panic(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * umem_snprintf, umem_vsnprintf - as snprintf(3), for the conversions named
 * above.  Return the length that the whole text has or would have.
 */
int umem_snprintf(char *buf, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int umem_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* What must hold, always checked: a broken invariant of the library itself. */
#define VERIFY(cond)                                                      \
	(__builtin_expect(!!(cond), 1)                                    \
		? (void)0                                                 \
		: umem_panic("umem: internal error: %s (%s:%d)\n", #cond, \
		      __FILE__, __LINE__))

/* The same, in builds with DEBUG=1 only. */
#ifdef UMEM_DEBUG_BUILD
#define ASSERT(cond) VERIFY(cond)
#else
#define ASSERT(cond) ((void)sizeof(cond))
#endif

#endif /* UMEM_MSG_H */
