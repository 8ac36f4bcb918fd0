/* SPDX-License-Identifier: MIT */
/*
 * error.h - what can go wrong
 *
 * Functions that can fail return UMDB_OK (0) or one of the negative codes,
 * and leave a sentence and an address in struct umdb_error.  The message
 * buffer is fixed: failing allocates nothing.
 */
#ifndef UMDB_ERROR_H
#define UMDB_ERROR_H

#include <stdint.h>

typedef uint64_t taddr_t; /* an address in the target */

enum umdb_code {
	UMDB_OK = 0,
	UMDB_EFAULT = -1,    /* memory of the target cannot be read */
	UMDB_ECORRUPT = -2,  /* a structure of the target is damaged */
	UMDB_ENOTFOUND = -3, /* no such cache, buffer, log, ... */
	UMDB_EUSAGE = -4,    /* the user's arguments */
	UMDB_ENOMEM = -5,
	UMDB_EINTR = -6,   /* Ctrl-C */
	UMDB_ETARGET = -7, /* no umem there, other version, running, ... */
	UMDB_EIO = -8,     /* a file of ours cannot be read or written */
	UMDB_EWAIT = -9,   /* not yet: when the program has the library */
};

struct umdb_error {
	int code;
	taddr_t addr;
	char msg[512];
};

/* error_set - note an error; returns @code.  A later call replaces it. */
int error_set(struct umdb_error *err, int code, taddr_t addr, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

#endif /* UMDB_ERROR_H */
