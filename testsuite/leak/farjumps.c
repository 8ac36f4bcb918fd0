/* SPDX-License-Identifier: MIT */
/*
 * farjumps.c - pointers that are nowhere but in the RBP of a jmp_buf, which a
 * library filled whose code GDB leaves out of its cores
 *
 * with: plugin_jumps
 */
#include <dlfcn.h>
#include <setjmp.h>

#include "truth.h"

jmp_buf in_data;
static uint64_t hidden[2];

STEP void
make(void)
{
	int i;

	for (i = 0; i < 2; i++)
		hidden[i] = ~(uint64_t)(uintptr_t)malloc(50);
	truth_lost((void *)(uintptr_t)~hidden[1], DEFINITE);
}

int
main(void)
{
	int (*set)(jmp_buf buf, const uint64_t *number);
	void *plugin = dlopen(getenv("PLUGIN"), RTLD_NOW);

	if (plugin == NULL)
		return 2;
	set = (int (*)(jmp_buf, const uint64_t *))dlsym(plugin, "set");
	make();
	if (set(in_data, &hidden[0]) != 0)
		return 2;
	truth_end();
}
