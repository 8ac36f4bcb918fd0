/* SPDX-License-Identifier: MIT */
/*
 * find_omitted.h - files that were mapped, and of which a core has nothing
 *
 * Layer: above find_module.h.
 */
#ifndef UMDB_FIND_OMITTED_H
#define UMDB_FIND_OMITTED_H

#include "target.h"

struct omitted {
	uint64_t maps, bytes;
	const char *first; /* the first one's file, of the target's region */
};

/**
 * find_omitted - mappings of files without a trace but the file's name
 *
 * The kernel writes the head of each mapping into a core, with what may be
 * done there, also of those that it leaves out.  GDB writes nothing for a file
 * that is mapped shared, nor for a private mapping that nobody wrote to; a
 * list of files names both, and does not tell one from the other.  Not counted
 * are the program and its libraries, and files in places that hold what is
 * only read: those are private, as a rule (locales, fonts).
 *
 * Returns UMDB_OK or UMDB_ENOMEM.
 */
int find_omitted(struct target *tgt, struct omitted *ret);

#endif /* UMDB_FIND_OMITTED_H */
