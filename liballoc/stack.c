/* SPDX-License-Identifier: MIT */
/*
 * stack.c - who called
 *
 * Layer: above meta.h.
 */
#include "stack.h"

#include <dlfcn.h>
#include <stddef.h>

#include "msg.h"
#include "root.h"

/* Loaded only when it is needed: it would slow down each program's start. */
static int (*backtrace_fn)(void **, int);
static __thread int capturing;

void
stack_init(void)
{
	void *handle;

	if ((umem_root.root_flags & UMF_AUDIT) == 0)
		return;
	handle = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
	if (handle != NULL)
		*(void **)&backtrace_fn = dlsym(handle, "unw_backtrace");
	if (backtrace_fn == NULL)
		umem_log_message(
		    "umem: no libunwind.so.8: records have no stacks\n");
}

int
stack_capture(uint64_t *pcs, int max, int *in_handler_ret)
{
	void *raw[UMEM_MAX_DEPTH];
	const int limit = (int)UMEM_MAX_DEPTH;
	const int want = max < limit - 8 ? max + 8 : limit;
	int i, n, kept = 0;

	if (in_handler_ret != NULL)
		*in_handler_ret = 0;
	if (backtrace_fn == NULL || capturing)
		return 0;
	capturing = 1;
	n = backtrace_fn(raw, want);
	capturing = 0;
	for (i = 1; i < n && kept < max; i++) {
		const uint64_t pc = (uint64_t)raw[i];

		if (pc >= umem_root.root_text_start &&
		    pc < umem_root.root_text_end)
			continue;
		pcs[kept++] = pc;
	}
	return kept;
}
