/* SPDX-License-Identifier: MIT */
/*
 * find_sort.h - sorting that the user can stop
 *
 * Layer: above target.h.
 */
#ifndef UMDB_FIND_SORT_H
#define UMDB_FIND_SORT_H

#include "target.h"

#define FIND_SORT_RUN 16384u /* elements sorted or merged between two polls */

/**
 * find_sort - qsort with polls
 * @what: what is being done, for progress
 *
 * What is in order already costs one pass.  Returns UMDB_OK,
 * UMDB_EINTR or UMDB_ENOMEM; after these the order is not defined, but all
 * elements are there.
 */
int find_sort(struct target *tgt, const char *what, void *base, size_t n,
    size_t size, int (*compare)(const void *, const void *));

#endif /* UMDB_FIND_SORT_H */
