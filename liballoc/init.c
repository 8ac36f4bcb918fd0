/* SPDX-License-Identifier: MIT */
/*
 * init.c - the library's beginning, and what happens at fork; see init.h
 *
 * Layer: init.h
 */
#include "init.h"

#include <elf.h>
#include <pthread.h>

#include "cache.h"
#include "fault.h"
#include "heap.h"
#include "large.h"
#include "lock.h"
#include "mag.h"
#include "meta.h"
#include "msg.h"
#include "options.h"
#include "os.h"
#include "pagemap.h"
#include "root.h"
#include "slab.h"
#include "stack.h"
#include "stamp.h"
#include "tcache.h"
#include "tlog.h"
#include "umem.h"
#include "update.h"
#include "vmem_impl.h"

static umem_lock_t init_lock;
static uint32_t init_thread; /* who is at it, to let it in again */

/* ------------------------------------------------- quantum caches of arenas */

static umem_cache_t *
qcache_create(const char *name, size_t size, size_t align, vmem_t *arena)
{
	struct cache_spec spec = {
	    .name = name,
	    .bufsize = size,
	    .align = align,
	    .arena = arena,
	    .cflags = UMC_QCACHE | UMC_NOTOUCH | UMC_INTERNAL,
	};

	return umem_root.root_ready == UMEM_READY ? cache_create(&spec) : NULL;
}

static void *
qcache_alloc(umem_cache_t *cp, int vmflag)
{
	(void)vmflag;
	return umem_cache_alloc(cp, UMEM_DEFAULT);
}

static const struct vmem_qcache_ops qcache_ops = {
    .create = qcache_create,
    .alloc = qcache_alloc,
    .free = umem_cache_free,
    .destroy = umem_cache_destroy,
    .reap = depot_purge,
};

/* --------------------------------------------------------------------- fork */

/* All locks, in the order of lock.h: the child gets whole structures. */
static void
fork_prepare(void)
{
	lock_fork_begin();
	lock_fork_hold(&init_lock);
	tc_fork_lock();
	cache_fork_lock();
	vmem_fork_lock();
	pagemap_fork_lock();
	meta_fork_lock();
	tlog_fork_lock();
}

static void
fork_parent(void)
{
	tlog_fork_unlock();
	meta_fork_unlock();
	pagemap_fork_unlock();
	vmem_fork_unlock();
	cache_fork_unlock();
	tc_fork_unlock();
	lock_fork_release(&init_lock);
	lock_fork_end();
}

static void
fork_child(void)
{
	tlog_fork_child();
	meta_fork_child();
	pagemap_fork_child();
	vmem_fork_child();
	cache_fork_child();
	lock_reset(&init_lock);
	lock_fork_end();
	umem_root.root_pid = os_pid();
	umem_root.root_forked = stamp_now();
	update_fork_child();
	tc_fork_child();
}

/* ---------------------------------------------------------------- the start */

/* The ELF header of the image that holds this code. */
extern const Elf64_Ehdr own_header __asm__("__ehdr_start")
    __attribute__((visibility("hidden")));

/* What libumem.a has as .bss; in the shared library there is none. */
extern char own_bss[] __asm__("__start_umem_bss")
    __attribute__((weak, visibility("hidden")));
extern char own_bss_end[] __asm__("__stop_umem_bss")
    __attribute__((weak, visibility("hidden")));

/*
 * Where the library lies: its frames are left out of stacks, its data is no
 * root.  Linked into the program itself it has no image of its own, only a
 * section for what it remembers.
 */
static void
note_own_image(void)
{
	uintptr_t base = (uintptr_t)&own_header;
	const Elf64_Phdr *ph = (const void *)(base + own_header.e_phoff);

	if (os_program_headers() == (uintptr_t)ph) {
		umem_root.root_data_start = (uintptr_t)own_bss;
		umem_root.root_data_end = (uintptr_t)own_bss_end;
		return;
	}
	for (unsigned i = 0; i < own_header.e_phnum; i++) {
		uint64_t start = base + ph[i].p_vaddr;

		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_flags & PF_X) {
			umem_root.root_text_start = start;
			umem_root.root_text_end = start + ph[i].p_memsz;
		} else if (ph[i].p_flags & PF_W) {
			umem_root.root_data_start = start;
			umem_root.root_data_end = start + ph[i].p_memsz;
		}
	}
}

static void
init_all(void)
{
	umem_root.root_pid = os_pid();
	umem_root.root_start = os_now();
	umem_root.root_pagemap = pagemap;
	note_own_image();
	heap_init();
	large_init();
	/* From here on requests of this thread are served, as large ones. */
	options_read();
	large_configure();
	tlog_init();
	cache_init();
	tc_init();
	/* Early: handlers of others that allocate then run before ours. */
	(void)pthread_atfork(fork_prepare, fork_parent, fork_child);
	vmem_qcache_ops = &qcache_ops;
	__atomic_store_n(&umem_root.root_ready, UMEM_READY, __ATOMIC_RELEASE);
	cache_open_fast_path();
}

int
umem_init(void)
{
	uint32_t me;

	if (__atomic_load_n(&umem_root.root_ready, __ATOMIC_ACQUIRE) ==
	    UMEM_READY)
		return 0;
	me = os_tid();
	if (__atomic_load_n(&init_thread, __ATOMIC_RELAXED) == me)
		return umem_root.root_large != NULL ? 0 : -1;
	lock_acquire(&init_lock);
	if (umem_root.root_ready != UMEM_READY) {
		__atomic_store_n(&init_thread, me, __ATOMIC_RELAXED);
		umem_root.root_ready = UMEM_READY_INITING;
		init_all();
		__atomic_store_n(&init_thread, 0, __ATOMIC_RELAXED);
	}
	lock_release(&init_lock);
	return 0;
}

/* Before main; allocations of other libraries may have come before. */
static __attribute__((constructor)) void
umem_start(void)
{
	(void)umem_init();
	stack_init();
	if (umem_root.root_flags & UMF_AUDIT)
		os_tick_init();
	update_start();
}
