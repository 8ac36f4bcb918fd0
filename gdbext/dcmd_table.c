/* SPDX-License-Identifier: MIT */
/*
 * dcmd_table.c - the table of commands
 *
 * Layer: see dcmd.h.
 */
#include "dcmd_run.h"

const struct dcmd dcmds[] = {
    {
	.name = "status",
	.alias = "umem_status",
	.usage = "",
	.summary = "State of the allocator: options, logs, messages, faults.",
	.help = "Shows whether the allocator is there and ready, the options "
		"in force and\nthe environment they came from, the logs, the "
		"memory that it holds, the fault\nthat it detected if any, and "
		"its message buffer.  Works, as far as it can,\nalso when the "
		"other commands do not.",
	.flags = DCMD_NO_SNAP | DCMD_NO_DOT | DCMD_NO_PIPE,
	.run = dcmd_status,
    },
    {
	.name = "stat",
	.alias = "umastat",
	.usage = "",
	.summary = "Statistics of thread caches, caches and arenas.",
	.help = "INUSE counts buffers that the program holds.  Free ones are "
		"counted where\nthey lie: in a thread's cache (THREAD), in the "
		"depot's magazines (DEPOT) or in\ntheir slab (SLAB).  ALLOCS "
		"counts buffers taken from slabs; requests that a\nthread "
		"cache served leave no count.  Arenas are indented below the "
		"arena they\nimport from.",
	.flags = DCMD_NO_DOT | DCMD_NO_PIPE,
	.run = dcmd_stat,
    },
    {
	.name = "cache",
	.alias = "umem_cache",
	.usage = "[NAME|ADDR]",
	.summary = "List the caches, or one of them.",
	.help = "One line for each cache in order of creation: address, "
		"flags in force, flags\nit was created with, size of a buffer "
		"and of a chunk, buffers in all and in\nuse.  With one cache "
		"named, its flags are spelt out.",
	.complete = COMPLETE_CACHE,
	.max = 1,
	.run = dcmd_cache,
    },
    {
	.name = "log",
	.alias = "umalog",
	.usage = "[-n N] [transaction|fail|slab]",
	.summary = "The transaction log with stacks, newest first.",
	.help = "Each record shows how long before the newest one it was "
		"written, what\nhappened (alloc, free, fail, slab), the "
		"buffer, its size, cache and thread, and\nthe stack.\n\n"
		"  fail   failed allocations instead of transactions\n"
		"  slab   creation of slabs\n"
		"  -n N   only the newest N records",
	.options = "n:",
	.words = "transaction fail slab",
	.complete = COMPLETE_WORD,
	.max = 1,
	.flags = DCMD_NO_DOT,
	.run = dcmd_log,
    },
    {
	.name = "records",
	.alias = "umem_log",
	.usage = "[-n N] [transaction|fail|slab]",
	.summary = "The transaction log, one line a record, newest first.",
	.help = "As umem log, without stacks: record, buffer, time in seconds "
		"since the system\nstarted, what happened, size, thread and "
		"caller.\n\n"
		"  -n N   only the newest N records",
	.options = "n:",
	.words = "transaction fail slab",
	.complete = COMPLETE_WORD,
	.max = 1,
	.flags = DCMD_NO_DOT,
	.run = dcmd_records,
    },
    {
	.name = "verify",
	.alias = "umem_verify",
	.usage = "[-v] [NAME|ADDR]",
	.summary = "Check every buffer of all caches, or of one, for damage.",
	.help = "Looks for writes past the end or before the start of a "
		"buffer, writes after\nfree, and damaged structures.  A cache "
		"without guards says so: only its\nstructures were checked.  "
		"Guards come with UMEM_DEBUG=guards or default.\n\n"
		"  -v   show each damaged buffer's last transaction",
	.options = "v",
	.complete = COMPLETE_CACHE,
	.max = 1,
	.result = "corrupt",
	.run = dcmd_verify,
    },
    {
	.name = "bufctl",
	.alias = "bufctl",
	.usage = "ADDR [-v] [-h] [-a ADDR] [-c FUNCTION] [-e TIME] [-l TIME] "
		 "[-t THREAD]",
	.summary = "Who allocated or freed a buffer: its audit record.",
	.help =
	    "ADDR is a bufctl, a log record, or any address in an audited "
	    "buffer.\n\n"
	    "  -v            the whole record with its stack\n"
	    "  -h            its history too, newest first, as far as the\n"
	    "                transaction log reaches\n"
	    "  -a ADDR       only records of the buffer at ADDR\n"
	    "  -c FUNCTION   only with a frame in FUNCTION (or at an "
	    "address)\n"
	    "  -e TIME       only at TIME or later: nanoseconds, or seconds "
	    "with a point\n"
	    "  -l TIME       only at TIME or earlier\n"
	    "  -t THREAD     only by this thread: GDB's number, or the LWP",
	.options = "vha:c:e:l:t:",
	.min = 1,
	.max = 1,
	.run = dcmd_bufctl,
    },
    {
	.name = "whatis",
	.alias = NULL,
	.usage = "[-v] ADDR",
	.summary = "Say what an address is.",
	.help = "Names the buffer, red zone, slab, structure, arena segment, "
		"stack or mapping\nthat ADDR lies in.  For an audited buffer "
		"its last transaction follows.\nADDR may be any expression.\n"
		"\n"
		"  -v   also the slab, the arena's segment and the mapping",
	.options = "v",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = -1,
	.run = dcmd_whatis,
    },
    {
	.name = "findleaks",
	.alias = "findleaks",
	.usage = "[-d] [-f] [-v] [FUNCTION|ADDR]",
	.summary = "Find allocated memory that nothing points to.",
	.help =
	    "Marks conservatively from registers, stacks, data of all "
	    "objects and other\nwritable memory, and groups what is left "
	    "by cache and stack:\n\n"
	    "  definite   nothing points to it\n"
	    "  possible   only pointers into its inside\n"
	    "  indirect   only lost buffers point to it\n\n"
	    "With FUNCTION only groups with a frame in it are shown.\n\n"
	    "  -d   details: for each group the stack of its oldest buffer\n"
	    "  -f   forget the last result and search again\n"
	    "  -v   statistics of the search",
	.options = "dfv",
	.complete = COMPLETE_SYMBOL,
	.max = 1,
	.result = "leaks",
	.run = dcmd_findleaks,
    },
    {
	.name = "refs",
	.usage = "ADDR",
	.summary = "Show every pointer to a buffer, and where it lies.",
	.help =
	    "ADDR is any address in an allocated buffer; pointers to its "
	    "start and to its\ninside are shown: in variables, stacks, "
	    "registers and other roots, then in\nbuffers.  References from "
	    "leaked buffers are named as such; freed buffers and\nold parts "
	    "of stacks do not count.",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = 1,
	.run = dcmd_refs,
    },
    {
	.name = "path",
	.usage = "ADDR",
	.summary = "Show a shortest chain of pointers that keeps a buffer.",
	.help =
	    "Each line says where a pointer lies; the first is a root, the "
	    "last the buffer\nthat ADDR is in.  Of chains of one length one "
	    "from a variable is shown before\none from a stack or a register.  "
	    "Where there is none the buffer is leaked.",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = 1,
	.run = dcmd_path,
    },
    {
	.name = "owns",
	.usage = "ADDR",
	.summary = "Say what would be garbage if a buffer were.",
	.help =
	    "Counts, by cache, the buffers that roots reach only through the "
	    "one that ADDR\nis in, at any depth.  What others keep too is not "
	    "counted, nor the buffer\nitself.",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = 1,
	.run = dcmd_owns,
    },
    {
	.name = "top",
	.usage = "[-n N] [-v] [-roots|-sites]",
	.summary = "Show which roots and which callers keep the most memory.",
	.help =
	    "For a process that grew though nothing is leaked.  Two tables:\n\n"
	    "  roots   variables, stacks, registers and other roots, with what "
	    "only they\n"
	    "          keep, at any depth; what several keep stands in lines of "
	    "its own.\n"
	    "          Pointers on stacks count for what no variable leads to, "
	    "those in\n"
	    "          registers for what neither does.\n"
	    "  sites   stacks that allocated (without UMEM_DEBUG=audit: caches), "
	    "with what\n"
	    "          their buffers take and what these keep\n\n"
	    "  -n N     so many lines of each table; 10 if not given\n"
	    "  -v       whole stacks\n"
	    "  -roots   only the first table\n"
	    "  -sites   only the second",
	.options = "n:vrs",
	.longs = "roots r sites s",
	.run = dcmd_top,
    },
};
const size_t ndcmd = sizeof(dcmds) / sizeof(dcmds[0]);
