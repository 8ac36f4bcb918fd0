/* SPDX-License-Identifier: MIT */
/*
 * find_where.h - where the library's structures and the segments lie
 *
 * Read once for a snapshot, when whatis is first asked for something that is
 * in no buffer: a pipe asks for a million addresses.
 *
 * Layer: above walk.h.
 */
#ifndef UMDB_FIND_WHERE_H
#define UMDB_FIND_WHERE_H

#include "walk.h"

/* What an entry of snap->places.structs is: value = index of the slab * 2 + */
#define WHERE_SLAB 0u    /* the struct, and a map as if it stood behind it */
#define WHERE_BUFCTLS 1u /* the array */

/*
 * find_where_structs - fills structs and mags of snap->places
 * find_where_segments - fills segs and held
 *
 * At once when they are.  UMDB_OK; UMDB_EINTR or UMDB_ENOMEM, with what was
 * filled so far forgotten.
 */
int find_where_structs(struct snap *snap);
int find_where_segments(struct snap *snap);

#endif /* UMDB_FIND_WHERE_H */
