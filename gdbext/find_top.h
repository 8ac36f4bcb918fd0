/* SPDX-License-Identifier: MIT */
/*
 * find_top.h - what keeps most of the memory
 *
 * By dominators: a root retains the buffers that only it leads to.  What
 * several roots lead to is retained by what they have in common: the object
 * whose data they are, or nothing.  So each buffer that is alive is counted
 * once.
 *
 * Roots have ranks.  A function that works on a table has pointers into it on
 * its stack and in registers, but the table is kept by the variable that the
 * program finds it by.  A stack's pointers count for what cannot be reached
 * from variables and other memory, a register's for what neither reaches.
 *
 * Layer: above find_graph.h.
 */
#ifndef UMDB_FIND_TOP_H
#define UMDB_FIND_TOP_H

#include "find_graph.h"

/* A root's pointer. */
struct top_place {
	const struct part *part;
	taddr_t at;
	uint64_t bytes; /* retained by what it points to */
};
#define TOP_PLACES 3

enum top_who {
	TOP_ONE,     /* one variable, stack, mapping, ... */
	TOP_OBJECT,  /* several variables of one object */
	TOP_SEVERAL, /* roots that have nothing in common */
};

struct top_root {
	enum top_who who;
	/*
	 * The pointers that most is retained through, of different roots where
	 * who is not TOP_ONE; the kind and the object are place[0].part's.
	 */
	struct top_place place[TOP_PLACES];
	size_t nplace;
	uint32_t thing[TOP_PLACES]; /* of find_top.c alone */
	uint64_t pointers;     /* to what is retained, from outside of it */
	uint64_t count, bytes; /* retained */
};

/* Buffers that were allocated by one stack; without audit, of one cache. */
struct top_site {
	uint32_t cache;        /* index in snap->cache; of the first one */
	uint32_t depth;        /* 0: no stack is known */
	const uint64_t *stack; /* of the snapshot */
	uint64_t count, bytes; /* of these buffers */
	uint64_t kept_count, kept_bytes; /* they and what they retain */
	uint32_t node;                   /* the one that retains most */
	uint64_t node_bytes;             /* how much */
};

struct top {
	struct top_root *root; /* by bytes */
	size_t nroot;
	struct top_site *site; /* by kept_bytes */
	size_t nsite;
	double seconds;
};

/*
 * Where the variable starts that has this word of the data of an object; 0 if
 * none is known.  Asked of words in ascending order.
 */
typedef taddr_t top_variable_fn(void *arg, const struct part *part, taddr_t at);

/**
 * find_top - who retains what
 *
 * Returns UMDB_OK with *ret set (find_top_free), UMDB_EINTR on Ctrl-C, or
 * another error.  The result refers to @g.
 */
int find_top(
    struct graph *g, top_variable_fn *variable, void *arg, struct top **ret);
void find_top_free(struct top *t);

/* ------------------------------------------------------------------- parts */

/* What the parts of find_top() share, by place in @dom. */
struct kept {
	struct graph *g;
	struct dom dom;
	uint64_t *bytes; /* retained, itself included */
	uint32_t *count;
};

/* find_top_sites - fill t->site; UMDB_OK, UMDB_ENOMEM or UMDB_EINTR */
int find_top_sites(struct kept *k, struct top *t);

#endif /* UMDB_FIND_TOP_H */
