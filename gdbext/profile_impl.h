/* SPDX-License-Identifier: MIT */
/*
 * profile_impl.h - what the files of profile share
 *
 * Layer: beside profile.h; for profile*.c only.
 */
#ifndef UMDB_PROFILE_IMPL_H
#define UMDB_PROFILE_IMPL_H

#include "out_impl.h"
#include "profile.h"
#include "savefile.h"

/* profile_top - the name of a stack without frames: "[umem_alloc_64]" */
void profile_top(
    const struct samples *s, const struct sample *p, char *buf, size_t size);

/* Write one form; false: out of memory. */
bool profile_pprof(struct savefile *f, const struct samples *s,
    const struct profile_about *about);
bool profile_html(struct savefile *f, const struct samples *s,
    const struct profile_about *about);

/* The page, from profile.html; the Makefile makes it. */
extern const char profile_page[];

#endif /* UMDB_PROFILE_IMPL_H */
