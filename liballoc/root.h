/* SPDX-License-Identifier: MIT */
/*
 * root.h - the one global structure
 *
 * umem_root holds the heads of everything and the options in force; the ELF
 * note in note.S points a debugger to it.  The library reads its own options
 * from here too, so that what a debugger shows is what runs.
 *
 * Layer: above umem_layout.h.
 */
#ifndef UMEM_ROOT_H
#define UMEM_ROOT_H

#include <stddef.h>

#include "umem_layout.h"

#define UMEM_RELEASE "umem 0.1.0"

extern umem_root_t umem_root;

/* Options that no debugger needs. */
struct umem_settings {
	uint32_t set_nomagazines;
	uint32_t set_max_contention; /* depot contention before growth */
	uint32_t set_reap_interval;  /* seconds */
	uint32_t set_concurrency;    /* log slots; 0: by processors */
	uint32_t set_vmem_policy;    /* VM_BESTFIT, ...; 0: instant fit */
	uint32_t set_frame_pointers; /* stacks by frame pointers */
	uint32_t set_firewall_align; /* least alignment under firewall */
	uint32_t set_background;     /* a thread that returns memory */
	uint32_t set_size_clear;     /* start with an empty size table */
	uint32_t set_nsize_add;
	uint32_t set_nsize_remove;
	uint32_t set_pad;
	uint64_t set_size_add[32];
	uint64_t set_size_remove[32];
	uint64_t set_log_transaction; /* bytes, 0: no such log */
	uint64_t set_log_contents;
	uint64_t set_log_fail;
	uint64_t set_log_slab;
	uint32_t set_noabort;
	uint32_t set_random;
};
extern struct umem_settings umem_settings;

/* What a debugger waits for; it alone writes there.  See watch.h. */
extern umem_watch_t umem_watch;

/*
 * Places for a debugger's breakpoints; they do nothing.  Their addresses are
 * in the root from the start.
 *
 * umem_error_hook - called at the end of every report of a fault, with noabort
 * too, and with NULL by umem_panic()
 */
void umem_error_hook(const umem_abort_info_t *info);

/* umem_watch_hook - see umem_watch_t; @size (size_t)-1: not known */
void umem_watch_hook(
    unsigned entry, unsigned ops, void *buf, size_t size, umem_cache_t *cp);

#endif /* UMEM_ROOT_H */
