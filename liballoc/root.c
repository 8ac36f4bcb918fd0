/* SPDX-License-Identifier: MIT */
/*
 * root.c - the root structure and the settings, with their defaults
 *
 * Layer: root.h
 */
#include "root.h"

umem_root_t umem_root = {
    .root_magic = UMEM_ROOT_MAGIC,
    .root_version = UMEM_LAYOUT_VERSION,
    .root_size = sizeof(umem_root_t),
    .root_cache_size = sizeof(umem_cache_t),
    .root_slab_size = sizeof(umem_slab_t),
    .root_tcache_size = sizeof(umem_tcache_t),
    .root_bufctl_size = sizeof(umem_bufctl_audit_t),
    .root_vmem_size = sizeof(vmem_t),
    .root_vmem_seg_size = sizeof(vmem_seg_t),
    .root_log_size = sizeof(umem_log_header_t),
    .root_page_size = UMEM_PAGE_SIZE,
    .root_self = (uintptr_t)&umem_root,
    .root_release = UMEM_RELEASE,
    .root_ready = UMEM_READY_STARTUP,
    .root_stack_depth = 15,
    .root_perthread = 1u << 20,
    .root_maxverify = ~0ull,
    .root_contents = 256,
    .root_error_hook = (uintptr_t)umem_error_hook,
    .root_watch = &umem_watch,
};

struct umem_settings umem_settings = {
    .set_max_contention = 2,
    .set_reap_interval = 10,
    .set_firewall_align = 2,
};

umem_watch_t umem_watch = {.w_hook = (uintptr_t)umem_watch_hook};

/* The arguments are used, so that calls and registers stay as they are. */
__attribute__((noinline)) void
umem_error_hook(const umem_abort_info_t *info)
{
	__asm__ volatile("" : : "r"(info) : "memory");
}

__attribute__((noinline)) void
umem_watch_hook(
    unsigned entry, unsigned ops, void *buf, size_t size, umem_cache_t *cp)
{
	__asm__ volatile(""
			 :
			 : "r"(entry), "r"(ops), "r"(buf), "r"(size), "r"(cp)
			 : "memory");
}
