/* SPDX-License-Identifier: MIT */
/*
 * find_omitted.c - files that were mapped, and of which a core has nothing
 *
 * Layer: see find_omitted.h.
 */
#include "find_omitted.h"

#include <string.h>

#include "find_module.h"

static bool
starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* A place of files that programs only read, by the FHS or by custom. */
static bool
place_is_static(const char *name)
{
	if (starts_with(name, "/usr/local/"))
		return false;
	return starts_with(name, "/usr/") || starts_with(name, "/nix/store/") ||
	       starts_with(name, "/gnu/store/");
}

static bool
is_suspect(const struct target_region *r)
{
	return r->listed && !place_is_static(r->name);
}

int
find_omitted(struct target *tgt, struct omitted *ret)
{
	const struct target_region *r = tgt->region;
	const struct target_region *end = r + tgt->nregion;
	struct modules m;
	int rc;

	memset(ret, 0, sizeof(*ret));
	while (r < end && !is_suspect(r))
		r++;
	if (r == end)
		return UMDB_OK;
	rc = find_modules(tgt, &m);
	for (; rc == UMDB_OK && r < end; r++) {
		if (!is_suspect(r) || find_module_at(&m, r->start) != NULL)
			continue;
		if (ret->maps++ == 0)
			ret->first = r->name;
		ret->bytes += r->end - r->start;
	}
	find_modules_free(&m);
	return rc;
}
