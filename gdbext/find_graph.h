/* SPDX-License-Identifier: MIT */
/*
 * find_graph.h - who points to whom, and what that keeps alive
 *
 * The graph has the candidates of findleaks as its nodes and every pointer
 * between them, to a start or to the inside, as an edge; the roots' pointers
 * are kept apart.  It is read from the heap once and serves all the questions
 * below, each of which is linear in its size.
 *
 * Layer: above find_dom.h, find_place.h and find_scan.h.
 */
#ifndef UMDB_FIND_GRAPH_H
#define UMDB_FIND_GRAPH_H

#include "find_dom.h"
#include "find_place.h"
#include "find_scan.h"

struct graph {
	struct mark m;
	uint32_t nbuf; /* nodes: places in snap->state */
	uint32_t *off; /* edges of each node, as in struct dom_rows */
	uint32_t *to;
	struct parts parts;
	/* pointers in roots: where, to whom; those of a part side by side */
	taddr_t *hit_at;
	uint32_t *hit_to;
	size_t nhit;
	uint8_t *live; /* by node: 0 lost, else 1 + rank of what reaches it */
	uint64_t nlive, live_bytes;
	uint64_t nlost, lost_bytes;
	uint64_t unread; /* bytes that could not be looked at */
};

/**
 * find_graph - read all pointers of a heap
 *
 * Returns UMDB_OK with *ret set (find_graph_free), UMDB_EINTR on Ctrl-C, or
 * another error with a sentence in snap->tgt->err.
 */
int find_graph(struct snap *snap, struct graph **ret);
void find_graph_free(struct graph *g);

/*
 * graph_rank - whose pointers count before whose: those of variables and other
 * memory (0), of stacks (1), of registers (2).  A stack's count for what no
 * variable leads to, a register's for what neither does.
 */
static inline unsigned
graph_rank(enum place_kind kind)
{
	return kind == PLACE_REGISTER ? 2 : kind == PLACE_STACK ? 1 : 0;
}
#define GRAPH_RANKS 3u

/* graph_is_node - true when a number is that of an allocated buffer */
static inline bool
graph_is_node(const struct graph *g, uint32_t node)
{
	return node < g->nbuf && g->m.state[node] != MARK_NONE;
}

/*
 * graph_poll - for loops over hits or edges, which can be very many: at each
 * GRAPH_POLL-th (@i), true when the user wants to stop.  @done of @total:
 * progress.
 */
#define GRAPH_POLL 65536u
static inline bool
graph_poll(const struct graph *g, uint64_t i, const char *what, uint64_t done,
    uint64_t total)
{
	return i % GRAPH_POLL == 0 &&
	       target_poll(g->m.snap->tgt, what, done, total);
}

/* graph_copied - bytes of the target that it holds copies of, at most */
uint64_t graph_copied(const struct graph *g);

/* graph_size - bytes that the client asked for */
uint64_t graph_size(const struct graph *g, uint32_t node);

/* graph_addr - address of a buffer; its slab is set when slab_ret is given */
taddr_t graph_addr(const struct graph *g, uint32_t node,
    const struct snap_slab **slab_ret, uint32_t *index_ret);

/*
 * graph_resolve - the allocated buffer that addr is in.  An error with a
 * sentence when there is none: freed, no buffer, not the program's.
 */
int graph_resolve(struct graph *g, taddr_t addr, uint32_t *node_ret);

/* --------------------------------------------------------------- searching */

/* All that can be reached from some nodes; each is visited once. */
struct reach {
	const struct graph *g;
	uint8_t *seen; /* by node: 0, or the level at which it was reached */
	uint8_t level; /* 1 at first */
	uint32_t *stack;
	size_t n;
};

typedef void reach_fn(void *arg, uint32_t node);

/* reach_init - UMDB_OK or UMDB_ENOMEM, reach_fini in either case */
int reach_init(struct reach *r, const struct graph *g);
void reach_fini(struct reach *r);

/* reach_add - start from a node too; the caller polls (graph_poll) */
static inline void
reach_add(struct reach *r, uint32_t node)
{
	if (r->seen[node])
		return;
	r->seen[node] = r->level;
	r->stack[r->n++] = node;
}

/*
 * reach_run - follow what was added; fn (or NULL) is called for each node.
 * UMDB_OK or UMDB_EINTR.  More can be added and run then.
 */
int reach_run(struct reach *r, reach_fn *fn, void *arg);

/* -------------------------------------------------------------- references */

/* A pointer to a buffer. */
struct ref {
	taddr_t at;              /* of the word; number of the register */
	taddr_t value;           /* the word */
	const struct part *part; /* of a root; NULL: in a buffer */
	uint32_t holder;         /* that buffer */
	bool end; /* the end of the buffer before, as find_end.h has it */
};

typedef int find_ref_fn(void *arg, const struct ref *ref);

/*
 * find_refs - every pointer to a buffer: roots first, then buffers, by
 * address.  fn returns WALK_NEXT, WALK_STOP or an error.
 */
int find_refs(struct graph *g, uint32_t node, find_ref_fn *fn, void *arg);

/**
 * find_path - a shortest chain of pointers from a root to a buffer
 * @ref_ret: the pointers, the root's first; to be freed
 * @n_ret: how many; 0 when there is no chain: the buffer is lost
 *
 * Among chains of one length those from data of the program win over those
 * from stacks and registers.
 */
int find_path(
    struct graph *g, uint32_t node, struct ref **ref_ret, size_t *n_ret);

struct owned_cache {
	uint32_t cache; /* index in snap->cache */
	uint64_t count, bytes;
};

/* What would be lost if a buffer were, the buffer itself not counted. */
struct owned {
	bool lost; /* the buffer already is */
	uint64_t count, bytes;
	struct owned_cache *cache; /* by bytes */
	size_t ncache;
};

/*
 * find_owned - exact: what is reached from the roots, but not without passing
 * the buffer.  Of a lost buffer: what is lost and reached from it.
 */
int find_owned(struct graph *g, uint32_t node, struct owned *ret);
void find_owned_free(struct owned *o);

#endif /* UMDB_FIND_GRAPH_H */
