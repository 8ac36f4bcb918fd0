/* SPDX-License-Identifier: MIT */
/*
 * dcmd_run.h - the functions that the rows of dcmds[] name
 *
 * Layer: beside dcmd.h; for dcmd*.c only.
 */
#ifndef UMDB_DCMD_RUN_H
#define UMDB_DCMD_RUN_H

#include "dcmd.h"

dcmd_fn dcmd_status, dcmd_stat, dcmd_cache, dcmd_verify;
dcmd_fn dcmd_log, dcmd_records, dcmd_bufctl, dcmd_whatis, dcmd_findleaks;

dcmd_fn dcmd_refs, dcmd_path, dcmd_owns, dcmd_top;
dcmd_fn dcmd_walk, dcmd_walkers;
dcmd_fn dcmd_print, dcmd_examine, dcmd_dcmds, dcmd_help, dcmd_mdb;

dcmd_fn dcmd_users, dcmd_allocdby, dcmd_freedby, dcmd_ugrep;
dcmd_fn dcmd_malloc_dist, dcmd_malloc_info;
dcmd_fn dcmd_vmem, dcmd_vmem_seg, dcmd_bufctl_audit;
dcmd_fn dcmd_snapshot, dcmd_diff;
dcmd_fn dcmd_break, dcmd_event;

/*
 * dcmd_cache_is_unused - has it never had a buffer?  People are spared those
 * caches, and told how many there are; programs see all.
 */
bool dcmd_cache_is_unused(
    const struct dcmd_ctx *ctx, const struct snap_cache *c);
void dcmd_hidden_caches(struct dcmd_ctx *ctx, uint32_t n);

/* dcmd_by_age - umem stat -by-age */
int dcmd_by_age(struct dcmd_ctx *ctx);

/* dcmd_need_audit - an error with a sentence when no cache keeps records */
int dcmd_need_audit(struct dcmd_ctx *ctx);

/*
 * dcmd_report_bufctl - what "bufctl -v" says of one record: who, when, how
 * much, and the stack; for people (nothing in JSON)
 */
void dcmd_report_bufctl(struct dcmd_ctx *ctx, const struct snap_bufctl *b);

/* dcmd_report_segment - the same of who allocated a segment, if that is known */
struct segment;
void dcmd_report_segment(struct dcmd_ctx *ctx, const struct segment *s);

/*
 * dcmd_record - the record that an address means: its own, or that of the
 * buffer around it; UMDB_ENOTFOUND if it is neither
 */
int dcmd_record(struct dcmd_ctx *ctx, taddr_t addr, struct snap_bufctl *b);

/* dcmd_op_name - "alloc", "free", ... for bc_kind */
const char *dcmd_op_name(unsigned kind);

/*
 * dcmd_caller - which frame of a stack that allocated, innermost first, says
 * who did: the first that is not C++'s operator new, which would stand in
 * every line; 0 if there is no other.  dcmd_is_new - is it one, by its name?
 */
size_t dcmd_caller(struct dcmd_ctx *ctx, const uint64_t *stack, size_t depth);
bool dcmd_is_new(const char *function);

/* dcmd_put_thread, dcmd_put_caller - cells of a row that people read */
void dcmd_put_thread(struct dcmd_ctx *ctx, uint32_t lwp);
void dcmd_put_caller(struct dcmd_ctx *ctx, const struct snap_bufctl *b);

/*
 * dcmd_history - umem log -b ADDR and umem records -b ADDR: what happened to
 * a buffer; @lines: with stacks
 */
int dcmd_history(
    struct dcmd_ctx *ctx, const struct dcmd_args *args, bool lines);

/* ---------------------------------------------------------------- filters */

/* Which records -a -c -e -l -t ask for. */
struct record_filter {
	bool addr_set, code_set, thread_set;
	taddr_t addr;
	uint64_t earliest, latest; /* time stamps, both included */
	uint32_t thread;
	struct code_filter code;
};

/*
 * dcmd_filter - from the options; UMDB_EUSAGE when one makes no sense.  A time
 * before the newest record, "T-0.5", counts from the transaction log, or from
 * the one given.
 */
int dcmd_filter(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    struct record_filter *ret);
int dcmd_filter_log(struct dcmd_ctx *ctx, const struct dcmd_args *args,
    taddr_t log, struct record_filter *ret);
bool dcmd_filter_passes(struct dcmd_ctx *ctx, const struct record_filter *f,
    const struct snap_bufctl *b);

/*
 * dcmd_thread - a thread as people name it: the number that GDB gave it, and
 * where no thread has that number, an LWP.
 */
int dcmd_thread(struct dcmd_ctx *ctx, const char *text, uint32_t *lwp_ret);

#endif /* UMDB_DCMD_RUN_H */
