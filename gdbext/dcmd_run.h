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

/*
 * dcmd_report_bufctl - what "bufctl -v" says of one record: who, when, how
 * much, and the stack; for people (nothing in JSON)
 */
void dcmd_report_bufctl(struct dcmd_ctx *ctx, const struct snap_bufctl *b);

/* dcmd_op_name - "alloc", "free", ... for bc_kind */
const char *dcmd_op_name(unsigned kind);

#endif /* UMDB_DCMD_RUN_H */
