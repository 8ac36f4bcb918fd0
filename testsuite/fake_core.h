/* SPDX-License-Identifier: MIT */
/*
 * fake_core.h - writing small ELF core files
 *
 * A core of one process with a program, data, bss, a mapping that was not
 * dumped and a stack, as the kernel or as gcore writes it.  Tests cut it,
 * flip its bytes, and look what the reader says.
 */
#ifndef FAKE_CORE_H
#define FAKE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORE_TEXT 0x400000u /* file, 0x3000 bytes; kernel: first page dumped */
#define CORE_DATA 0x600000u /* file, 0x1000 bytes, dumped */
#define CORE_BSS 0x601000u  /* anonymous, 0x1000 bytes, dumped */
#define CORE_GONE 0x700000u /* anonymous, 0x2000 bytes, not dumped */
#define CORE_STACK 0x7ffff0000000u /* 0x1000 bytes, dumped */
#define CORE_SP (CORE_STACK + 0x800)
#define CORE_THREADS 2u

enum core_kind {
	CORE_KERNEL,
	CORE_GCORE, /* no PT_LOAD for what is left out */
	CORE_XNUM,  /* kernel, count of headers in the section header */
};

struct fake_core {
	unsigned char *bytes; /* free() it */
	size_t size;
	size_t phdr_end, note_end; /* where interesting parts end */
	size_t data_offset;        /* of CORE_DATA's bytes */
};

/* fake_core_make - each dumped byte at address a is fake_core_byte(a) */
void fake_core_make(struct fake_core *c, enum core_kind kind);
unsigned char fake_core_byte(uint64_t addr);

/* fake_core_write - to a temporary file; its path lives until the next call */
const char *fake_core_write(const void *bytes, size_t size);
void fake_core_unlink(void);

#endif /* FAKE_CORE_H */
