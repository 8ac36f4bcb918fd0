/* SPDX-License-Identifier: MIT */
/*
 * find_module.h - the program and its libraries, and where code lies in them
 *
 * A return address differs from run to run; its distance from the start of
 * its module does not, and the module's build id says whether it is the same
 * module.
 *
 * Layer: above target.h.
 */
#ifndef UMDB_FIND_MODULE_H
#define UMDB_FIND_MODULE_H

#include "target.h"

#define MODULE_ID_MAX 64 /* bytes of a build id */

struct module {
	taddr_t base, end; /* from its lowest mapping to its last */
	const char *name;  /* of the target's region */
	char id[2 * MODULE_ID_MAX + 1]; /* hex; "" unknown */
	taddr_t code, code_end;         /* its first executable segment */
	uint64_t code_offset;           /* in the file */
};

struct modules {
	struct module *module; /* by address */
	size_t n, room;
};

/*
 * find_modules - all of a target; UMDB_OK or UMDB_ENOMEM, find_modules_free in
 * either case
 */
int find_modules(struct target *tgt, struct modules *ret);
void find_modules_free(struct modules *m);

/* find_module_at - the one that an address lies in, or NULL */
const struct module *find_module_at(const struct modules *m, taddr_t addr);

/* find_module_same - by build id where both have one, else by file name */
bool find_module_same(const char *name, const char *id, const char *other_name,
    const char *other_id);

#endif /* UMDB_FIND_MODULE_H */
