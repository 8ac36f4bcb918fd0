/* SPDX-License-Identifier: MIT */
/*
 * vmem.h - general-purpose resource arenas (installed as <sys/vmem.h>)
 *
 * The interface of Solaris vmem; see vmem_create(3).  The ideas: Bonwick and
 * Adams, "Magazines and Vmem", USENIX 2001.
 */
#ifndef _SYS_VMEM_H
#define _SYS_VMEM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* flags of vmem_alloc and vmem_xalloc */
#define VM_SLEEP 0x00000000    /* as VM_NOSLEEP: there is nothing to wait for */
#define VM_NOSLEEP 0x00000001  /* return NULL on failure */
#define VM_PANIC 0x00000002    /* abort on failure */
#define VM_BESTFIT 0x00000100  /* smallest segment that fits */
#define VM_FIRSTFIT 0x00000200 /* lowest address that fits */
#define VM_NEXTFIT 0x00000400  /* cycle through the addresses */

/* types for vmem_walk and vmem_size */
#define VMEM_ALLOC 0x01
#define VMEM_FREE 0x02
#define VMEM_SPAN 0x10
#define VMEM_ROTOR 0x20
#define VMEM_WALKER 0x40
#define VMEM_REENTRANT 0x80000000 /* the callback may use the arena */

typedef struct vmem vmem_t;
typedef void *vmem_alloc_t(vmem_t *, size_t, int);
typedef void vmem_free_t(vmem_t *, void *, size_t);

/**
 * vmem_create - make an arena
 * @name: for reports; cut at 31 characters
 * @base, @size: first span, multiples of @quantum; size 0: none
 * @quantum: unit of allocation, a power of two
 * @afunc, @ffunc, @source: where to import spans from and return them to
 * @qcache_max: requests up to here go through object caches (at most 16)
 * @vmflag: VM_SLEEP or VM_NOSLEEP
 *
 * Returns the arena, or NULL when there is no memory.
 */
vmem_t *vmem_create(const char *name, void *base, size_t size, size_t quantum,
    vmem_alloc_t *afunc, vmem_free_t *ffunc, vmem_t *source, size_t qcache_max,
    int vmflag);

/* vmem_destroy - take an arena down; what is still allocated is reported */
void vmem_destroy(vmem_t *vmp);

/* vmem_alloc - @size units, quantum-aligned; NULL when none is to be had */
void *vmem_alloc(vmem_t *vmp, size_t size, int vmflag);

/* vmem_free - give back exactly what vmem_alloc returned */
void vmem_free(vmem_t *vmp, void *addr, size_t size);

/**
 * vmem_xalloc - allocate under constraints
 * @align: a power of two, or 0 for the quantum
 * @phase: the result is @phase past a multiple of @align
 * @nocross: the result does not cross a multiple of this, 0: it may
 * @minaddr, @maxaddr: the result lies in [minaddr, maxaddr), NULL: anywhere
 *
 * Impossible constraints are a programming error and abort.
 */
void *vmem_xalloc(vmem_t *vmp, size_t size, size_t align, size_t phase,
    size_t nocross, void *minaddr, void *maxaddr, int vmflag);
void vmem_xfree(vmem_t *vmp, void *addr, size_t size);

/* vmem_add - add the span [addr, addr + size); addr, or NULL on failure */
void *vmem_add(vmem_t *vmp, void *addr, size_t size, int vmflag);

/* vmem_contains - 1 when the range lies in one span of the arena */
int vmem_contains(vmem_t *vmp, void *addr, size_t size);

/* vmem_walk - call func for each segment of the types in typemask */
void vmem_walk(vmem_t *vmp, int typemask,
    void (*func)(void *arg, void *start, size_t size), void *arg);

/* vmem_size - bytes allocated (VMEM_ALLOC), free (VMEM_FREE) or both */
size_t vmem_size(vmem_t *vmp, int typemask);

/* vmem_heap_arena - the arena that umem's own memory comes from */
vmem_t *vmem_heap_arena(vmem_alloc_t **allocp, vmem_free_t **freep);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* _SYS_VMEM_H */
