/* SPDX-License-Identifier: MIT */
/*
 * find_place.h - what kinds of memory the roots stand in
 *
 * find_roots() says where pointers count.  This cuts the same memory at the
 * seams that a person cares about: data of which object, whose stack, whose
 * thread-local storage.
 *
 * Layer: above find_mark.h.
 */
#ifndef UMDB_FIND_PLACE_H
#define UMDB_FIND_PLACE_H

#include "find_mark.h"

/* From those that say most about who keeps something to those that may lie. */
enum place_kind {
	PLACE_DATA,    /* data of the program or a library */
	PLACE_TLS,     /* a thread's variables, its control block too */
	PLACE_ARENA,   /* memory from an arena of the program's own */
	PLACE_MAPPING, /* any other memory */
	PLACE_HELD,    /* the thread library or the allocator keeps it */
	PLACE_STACK,
	PLACE_REGISTER, /* addresses are numbers: target_register() */
	PLACE_KINDS,
};
#define PLACE_NONE UINT32_MAX

struct part {
	enum place_kind kind;
	taddr_t start, end;
	uint32_t thread; /* index in tgt->thread, or PLACE_NONE */
	uint32_t region; /* index in tgt->region; of data, the object's name */
	uint32_t arena;  /* index in snap->arena, or PLACE_NONE */
	size_t first, n; /* pointers found there: in struct graph */
};

struct parts {
	struct part *part; /* memory, sorted; then HELD and REGISTER */
	size_t n, room;
};

/*
 * find_parts - cut the roots; UMDB_OK or UMDB_ENOMEM, find_parts_free in
 * either case
 */
int find_parts(struct snap *snap, const struct roots *roots, struct parts *ret);
void find_parts_free(struct parts *p);

#endif /* UMDB_FIND_PLACE_H */
