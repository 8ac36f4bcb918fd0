/* SPDX-License-Identifier: MIT */
/*
 * update.h - what is done now and then
 *
 * There is no thread for it, unless UMEM_OPTIONS asks: slow paths call
 * update_tick(), which does something when it is time: about once a second
 * pages decay and depots give up what they did not need, and every
 * reap_interval the caches' reclaim callbacks may run.
 *
 * Layer: above cache.h.
 */
#ifndef UMEM_UPDATE_H
#define UMEM_UPDATE_H

#include <stddef.h>

/* update_tick - cheap; call with no lock held */
void update_tick(void);

/* update_reap - give back all that can be, now; bytes purged */
size_t update_reap(void);

/* update_start - start the background thread, if it was asked for */
void update_start(void);

/* update_fork_child - whoever was updating is gone */
void update_fork_child(void);

#endif /* UMEM_UPDATE_H */
