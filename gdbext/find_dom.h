/* SPDX-License-Identifier: MIT */
/*
 * find_dom.h - the dominators of a graph
 *
 * A node d dominates a node v when every way from the root to v leads through
 * d: take d away, and v cannot be reached.  The nearest such d is v's
 * immediate dominator.  Immediate dominators form a tree, and what hangs
 * below d in it is exactly what d retains.
 *
 * The graph is given by its edges in compressed rows.  There are two sets of
 * rows, because the edges of buffers are found once and kept, and those of
 * roots are drawn anew for each question.
 *
 * Layer: above target.h; knows nothing of buffers.
 */
#ifndef UMDB_FIND_DOM_H
#define UMDB_FIND_DOM_H

#include "target.h"

/* Edges of node i: to[off[i]] .. to[off[i + 1] - 1]. */
struct dom_rows {
	const uint32_t *off;
	const uint32_t *to;
};

struct dom_graph {
	uint32_t nnode;       /* below DOM_MAX_NODES */
	uint32_t split;       /* nodes below have their edges in low */
	struct dom_rows low;  /* row i: node i */
	struct dom_rows high; /* row i: node split + i */
};
#define DOM_MAX_NODES (UINT32_MAX - 2)

/*
 * Nodes that can be reached have places from 1, in an order in which a node's
 * dominators come before it; place 1 is the root.
 */
struct dom {
	uint32_t n;      /* places */
	uint32_t *order; /* by place: the node */
	uint32_t *place; /* by node: its place, 0 when it cannot be reached */
	uint32_t *idom;  /* by place: place of its dominator; 0 for the root */
};

/**
 * find_dom - dominators of all that can be reached from @root
 * @tgt: polled; progress counts nodes
 *
 * Lengauer and Tarjan, "A fast algorithm for finding dominators in a
 * flowgraph" (1979), with path compression: O(m log n) whatever the graph,
 * without recursion.  Returns UMDB_OK, UMDB_ENOMEM or UMDB_EINTR; find_dom_free
 * in either case.
 */
int find_dom(const struct dom_graph *g, uint32_t root, struct target *tgt,
    struct dom *ret);
void find_dom_free(struct dom *d);

/* dom_edges - the edges of a node and how many there are */
static inline const uint32_t *
dom_edges(const struct dom_graph *g, uint32_t node, uint32_t *n_ret)
{
	const struct dom_rows *r = &g->low;

	if (node >= g->split) {
		node -= g->split;
		r = &g->high;
	}
	*n_ret = r->off[node + 1] - r->off[node];
	return r->to + r->off[node];
}

#endif /* UMDB_FIND_DOM_H */
