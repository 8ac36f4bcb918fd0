/* SPDX-License-Identifier: MIT */
/*
 * snapfile.h - samples as a file, to be compared later
 *
 * A file of lines, fields separated by one tab:
 *
 *	umem-snapshot	1
 *	about	NAME OF THE PROGRAM
 *	time	NEWEST	WALL
 *	module	NAME	BUILDID	START	END	OFFSET
 *	frame	MODULE	AT	PC	FUNCTION	OFFSET	FILE	LINE
 *	sample	CACHE	COUNT	BYTES	AGES	FRAMES
 *	end	SAMPLES	COUNT	BYTES
 *
 * Modules and frames are numbered from 0 in the order they come in; what is
 * unknown is empty.  START, END, OFFSET, AT and PC are hexadecimal, other
 * numbers decimal.  NEWEST is the newest time stamp (ns), WALL when the
 * snapshot was taken (seconds since 1970).  AGES are six numbers separated by
 * commas, bytes younger than 1, 10, 100, 1000, 10000 s and older, or nothing
 * without time stamps.  FRAMES, innermost first, are separated by blanks.
 * The last line says that nothing is missing.
 *
 * A reader takes the version it knows.  Files are not trusted: whatever
 * stands in one is an error with its line, at worst.
 *
 * Layer: above samples.h and savefile.h.
 */
#ifndef UMDB_SNAPFILE_H
#define UMDB_SNAPFILE_H

#include "samples.h"

#define SNAPFILE_VERSION 1

/*
 * snapfile_write - all samples; their kinds, and values [1], are left out.
 * UMDB_OK or an error with a sentence.
 */
int snapfile_write(
    const struct samples *s, const char *path, struct umdb_error *err);

/*
 * snapfile_read - returns UMDB_OK with *ret set (samples_free), or an error
 * with a sentence.
 */
int snapfile_read(
    const char *path, struct samples **ret, struct umdb_error *err);

/* snapfile_is_core - true when the file is an ELF file, such as a core */
bool snapfile_is_core(const char *path);

#endif /* UMDB_SNAPFILE_H */
