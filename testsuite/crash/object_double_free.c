/* SPDX-License-Identifier: MIT */
/*
 * object_double_free.c - an object freed twice; its destructor runs once
 *
 * debug: default
 * link: umem
 * ends: ABRT
 * says: umem: buffer freed twice: ADDR of cache objects, 37 bytes
 */
#include <stddef.h>
#include <umem.h>
#include <unistd.h>

static int destructed;

static void
destruct(void *buf, void *cbdata)
{
	if (destructed++)
		_exit(1);
}

int
main(void)
{
	umem_cache_t *cp = umem_cache_create(
	    "objects", 37, 0, NULL, destruct, NULL, NULL, NULL, 0);
	char *p = umem_cache_alloc(cp, UMEM_DEFAULT);

	umem_cache_free(cp, p);
	umem_cache_free(cp, p);
	return 0;
}
