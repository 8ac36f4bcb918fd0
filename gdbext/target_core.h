/* SPDX-License-Identifier: MIT */
/*
 * target_core.h - a core file as target_core.c and target_note.c share it
 *
 * The file is mapped read-only.  Every offset and length in it was written
 * by a program that was dying, onto a disk that may have been full: each is
 * checked against the size of the file before it is used.
 *
 * Layer: private to target_core.c and target_note.c.
 */
#ifndef UMDB_TARGET_CORE_H
#define UMDB_TARGET_CORE_H

#include <elf.h>
#include <sys/stat.h>

#include "target.h"

/* A PT_LOAD; sorted by start, no overlap.  start <= held <= meant <= end. */
struct core_seg {
	taddr_t start, end;
	taddr_t held;  /* the file has the bytes up to here */
	taddr_t meant; /* ... and would have them up to here, were it whole */
	uint64_t offset;
	uint32_t flags; /* PF_* */
};

/* A mapping of a file (NT_FILE); sorted by start, no overlap. */
struct core_map {
	taddr_t start, end;
	const char *name; /* inside the mapped core */
};

struct core {
	const unsigned char *data; /* the file */
	uint64_t size;
	int fd;
	bool changed;     /* the file is no longer what was opened */
	unsigned reads;   /* since the file was last looked at */
	struct stat stat; /* as opened */
	uint16_t machine; /* EM_* */
	struct core_seg *seg;
	size_t nseg;
	struct core_map *map;
	size_t nmap;
	taddr_t vdso;      /* AT_SYSINFO_EHDR, or 0 */
	taddr_t at_random; /* AT_RANDOM: an address in the first stack */
	struct target *fallback;
};

/*
 * core_bytes - @len bytes of the file at @offset, or NULL when they lie
 * beyond its end
 */
static inline const unsigned char *
core_bytes(const struct core *core, uint64_t offset, uint64_t len)
{
	if (offset > core->size || len > core->size - offset)
		return NULL;
	return core->data + offset;
}

/*
 * core_read_notes - take NT_PRSTATUS, NT_FILE and NT_AUXV from the notes at
 * [offset, offset + size); threads go to @tgt.  What is cut off or makes no
 * sense is passed over.  Returns UMDB_OK or UMDB_ENOMEM.
 */
int core_read_notes(
    struct target *tgt, struct core *core, uint64_t offset, uint64_t size);

#endif /* UMDB_TARGET_CORE_H */
