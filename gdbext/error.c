/* SPDX-License-Identifier: MIT */
/*
 * error.c - noting what went wrong
 *
 * Layer: bottom.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int
error_set(struct umdb_error *err, int code, taddr_t addr, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	err->addr = addr;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return code;
}
