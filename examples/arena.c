/* SPDX-License-Identifier: MIT */
/*
 * arena.c - vmem hands out numbers, not only memory
 *
 * Ports 20000 to 20099 are a resource like any other: allocated, freed, and
 * with constraints.  The arena never touches what the numbers stand for.
 */
#include <inttypes.h>
#include <stdio.h>
#include <vmem.h> /* <sys/vmem.h> when it is installed */

static uintptr_t
take(vmem_t *ports, size_t n)
{
	return (uintptr_t)vmem_alloc(ports, n, VM_NOSLEEP | VM_FIRSTFIT);
}

int
main(void)
{
	vmem_t *ports = vmem_create(
	    "ports", (void *)20000, 100, 1, NULL, NULL, NULL, 0, VM_NOSLEEP);
	uintptr_t one, ten, even;

	if (ports == NULL)
		return 1;
	one = take(ports, 1);
	ten = take(ports, 10);
	/* A pair that begins at an even number, from 20050 on. */
	even = (uintptr_t)vmem_xalloc(ports, 2, 2, 0, 0, (void *)20050,
	    (void *)20100, VM_NOSLEEP | VM_FIRSTFIT);
	printf("one: %" PRIuPTR "\nten: %" PRIuPTR "\npair: %" PRIuPTR "\n",
	    one, ten, even);
	printf("100 more at once: %s\n", take(ports, 100) == 0 ? "no" : "yes");

	vmem_xfree(ports, (void *)even, 2);
	vmem_free(ports, (void *)ten, 10);
	printf("in use: %zu, ", vmem_size(ports, VMEM_ALLOC));
	vmem_free(ports, (void *)one, 1);
	printf("and in the end: %zu\n", vmem_size(ports, VMEM_ALLOC));
	vmem_destroy(ports);
	return 0;
}
