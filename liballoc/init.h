/* SPDX-License-Identifier: MIT */
/*
 * init.h - the library's beginning, and what happens at fork
 *
 * The first allocation, or the constructor, whichever comes first, calls
 * umem_init().  It may be entered again by the same thread (a program's
 * _umem_debug_init() may allocate): such requests are served from large
 * pages until the caches exist.
 *
 * Layer: above everything but umem.c and malloc.c.
 */
#ifndef UMEM_INIT_H
#define UMEM_INIT_H

/* umem_init - get ready; 0, or -1 when there is no memory to start with */
int umem_init(void);

/* umem_nofail_retry - a NOFAIL request failed; true: try again (umem.c) */
int umem_nofail_retry(void);

#endif /* UMEM_INIT_H */
