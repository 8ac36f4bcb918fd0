/* SPDX-License-Identifier: MIT */
/*
 * symbol.h - names for code addresses, in reports
 *
 * Layer: above msg.h and os.h.
 */
#ifndef UMEM_SYMBOL_H
#define UMEM_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

/**
 * symbol_name - write module'symbol+0xoff for an address of code or data
 * @is_return: @addr is a return address, which may lie behind its function
 *
 * As much of it as can be told: module'+0xoff where there is no symbol, the
 * bare address where there is no module.  Takes the loader's lock, and no
 * memory.  Returns 0, or -1 when there is no module.
 */
int symbol_name(uint64_t addr, int is_return, char *text, size_t size);

#endif /* UMEM_SYMBOL_H */
