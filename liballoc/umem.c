/* SPDX-License-Identifier: MIT */
/*
 * umem.c - umem_alloc and its family, and what happens when memory ends
 *
 * Layer: above buffer.h
 */
#include "umem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"
#include "cache.h"
#include "cache_list.h"
#include "init.h"
#include "msg.h"
#include "pagemap.h"
#include "root.h"
#include "tcache.h"
#include "update.h"

static umem_nofail_callback_t *nofail_callback;
static int nofail_exiting; /* a thread is in exit() because of a callback */

/* One thread leaves by exit(); the others wait for the end. */
static _Noreturn void
nofail_exit(int status)
{
	static __thread int mine __attribute__((tls_model("initial-exec")));

	if (mine)
		umem_panic("umem: out of memory while exiting for that "
			   "reason\n");
	if (__atomic_exchange_n(&nofail_exiting, 1, __ATOMIC_ACQ_REL) == 0) {
		mine = 1;
		exit(status);
	}
	for (;;)
		(void)pause();
}

int
umem_nofail_retry(void)
{
	int answer = UMEM_CALLBACK_EXIT(255);

	if (nofail_callback != NULL)
		answer = nofail_callback();
	if (answer == UMEM_CALLBACK_RETRY)
		return 1;
	if ((answer & ~0xff) != 0x100) {
		umem_log_message("umem: no-fail callback returned %d, which "
				 "means nothing\n",
		    answer);
		answer = 255;
	}
	nofail_exit(answer & 0xff);
}

void
umem_nofail_callback(umem_nofail_callback_t *callback)
{
	nofail_callback = callback;
}

static __attribute__((noinline)) void *
alloc(size_t size, size_t align, int *zero_ret, int flags)
{
	const struct stack_frame from = stack_caller();
	void *buf;

	do {
		buf = buffer_alloc(size, align, zero_ret, &from);
	} while (buf == NULL && (flags & UMEM_NOFAIL) && umem_nofail_retry());
	if (buf == NULL)
		errno = ENOMEM;
	return buf;
}

void *
umem_alloc(size_t size, int flags)
{
	void *buf;

	if (__builtin_expect(size - 1 < SIZE_MAX_CACHED, 1) &&
	    __builtin_expect(tc_pop(size_bin(size), &buf), 1))
		return buf;
	return size == 0 ? NULL : alloc(size, 1, NULL, flags);
}

void *
umem_zalloc(size_t size, int flags)
{
	int zero = 0;
	void *buf;

	if (size - 1 < SIZE_MAX_CACHED)
		buf = umem_alloc(size, flags);
	else
		buf = size == 0 ? NULL : alloc(size, 1, &zero, flags);
	if (buf != NULL && !zero)
		memset(buf, 0, size);
	return buf;
}

void *
umem_alloc_align(size_t size, size_t align, int flags)
{
	if (size == 0 || align == 0 || (align & (align - 1)) != 0)
		return NULL;
	return alloc(size, align, NULL, flags);
}

static __attribute__((noinline)) void
free_slow(void *buf, size_t size)
{
	const struct stack_frame from = stack_caller();

	buffer_free(buf, size, "umem_free", &from);
}

/* The page map knows the buffer's bin; the size serves for checking. */
void
umem_free(void *buf, size_t size)
{
	if (__builtin_expect(tc_push(buffer_bin(buf), buf), 1))
		return;
	if (buf != NULL || size != 0)
		free_slow(buf, size);
}

void
umem_free_align(void *buf, size_t size)
{
	umem_free(buf, size);
}

void
umem_reap(void)
{
	update_reap();
}

void
umem_setmtbf(unsigned int mtbf)
{
	umem_cache_t *cp = NULL;

	(void)umem_init();
	umem_root.root_mtbf = mtbf;
	while ((cp = cache_visit(cp)) != NULL)
		cp->cache_mtbf = mtbf;
}
