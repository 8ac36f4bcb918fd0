/* SPDX-License-Identifier: MIT */
/*
 * dcmd_table.c - the table of commands
 *
 * Layer: see dcmd.h.
 */
#include "dcmd_run.h"

#define PROFILE_HELP                                                 \
	"\n"                                                         \
	"  -folded FILE   collapsed stacks, for flame graph tools\n" \
	"  -pprof FILE    a profile for pprof\n"                     \
	"  -html FILE     a page with a flame graph and a table"

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
	.usage = "[-a] [-by-age]",
	.summary = "Statistics of thread caches, caches and arenas.",
	.help = "INUSE counts buffers that the program holds.  Free ones are "
		"counted where\nthey lie: in a thread's cache (THREAD), in the "
		"depot's magazines (DEPOT) or in\ntheir slab (SLAB).  ALLOCS "
		"counts buffers taken from slabs; requests that a\nthread "
		"cache served leave no count.  Arenas are indented below the "
		"arena they\nimport from.\n\n"
		"  -a        caches that never had a buffer, too\n"
		"  -by-age   instead: how old allocated audited buffers are",
	.options = "a",
	.longs = "by-age b",
	.flags = DCMD_NO_DOT | DCMD_NO_PIPE,
	.run = dcmd_stat,
    },
    {
	.name = "cache",
	.alias = "umem_cache",
	.usage = "[-a] [NAME|ADDR]",
	.summary = "List the caches, or one of them.",
	.help = "One line for each cache in order of creation: address, "
		"flags in force, flags\nit was created with, size of a buffer "
		"and of a chunk, buffers in all and in\nuse.  With one cache "
		"named, its flags are spelt out.\n\n"
		"  -a   caches that never had a buffer, too",
	.options = "a",
	.complete = COMPLETE_CACHE,
	.max = 1,
	.run = dcmd_cache,
    },
    {
	.name = "log",
	.alias = "umalog",
	.usage = "[-n N] [-b ADDR [-v]] [-c FUNCTION] [-e TIME] [-l TIME] "
		 "[-t THREAD] [transaction|fail|slab]",
	.summary = "The transaction log with stacks, newest first.",
	.help =
	    "Each record shows how long before the newest one it was "
	    "written, what\nhappened (alloc, free, fail, slab), the buffer, "
	    "its size, cache and thread, and\nthe stack.\n\n"
	    "  fail          failed allocations instead of transactions\n"
	    "  slab          creation of slabs\n"
	    "  -n N          only the newest N records\n"
	    "  -b ADDR       everything that is known to have happened to the "
	    "buffer at\n"
	    "                ADDR, oldest first, with what the contents log "
	    "kept of it\n"
	    "  -v            with -b: the contents themselves\n"
	    "  -c FUNCTION   only with a frame in FUNCTION (or at an "
	    "address)\n"
	    "  -e TIME       only at TIME or later: nanoseconds, seconds with "
	    "a point, or\n"
	    "                T-SECONDS as the log shows it\n"
	    "  -l TIME       only at TIME or earlier\n"
	    "  -t THREAD     only by this thread: GDB's number, or the LWP",
	.options = "n:b:vc:e:l:t:",
	.words = "transaction fail slab",
	.complete = COMPLETE_WORD,
	.max = 1,
	.flags = DCMD_NO_DOT,
	.run = dcmd_log,
    },
    {
	.name = "records",
	.alias = "umem_log",
	.usage = "[-n N] [-b ADDR] [-c FUNCTION] [-e TIME] [-l TIME] "
		 "[-t THREAD] [transaction|fail|slab|ADDR]",
	.summary = "The transaction log, one line a record, newest first.",
	.help =
	    "As umem log, without stacks: record, buffer, time in seconds "
	    "since the system\nstarted, what happened, size, thread and "
	    "caller.  With ADDR that record only.\n\n"
	    "  -n N          only the newest N records\n"
	    "  -b ADDR       what happened to the buffer at ADDR, oldest "
	    "first\n"
	    "  -c FUNCTION   only with a frame in FUNCTION (or at an "
	    "address)\n"
	    "  -e TIME       only at TIME or later: nanoseconds, seconds with "
	    "a point, or\n"
	    "                T-SECONDS before the newest\n"
	    "  -l TIME       only at TIME or earlier\n"
	    "  -t THREAD     only by this thread: GDB's number, or the LWP",
	.options = "n:b:c:e:l:t:",
	.words = "transaction fail slab",
	.complete = COMPLETE_WORD,
	.max = 1,
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
	    "  -e TIME       only at TIME or later: nanoseconds, seconds with "
	    "a point, or\n"
	    "                T-SECONDS before the newest record\n"
	    "  -l TIME       only at TIME or earlier\n"
	    "  -t THREAD     only by this thread: GDB's number, or the LWP",
	.options = "vha:c:e:l:t:",
	.min = 1,
	.max = 1,
	.run = dcmd_bufctl,
    },
    {
	.name = "walk",
	.usage = "[WALKER|CACHE] [START]",
	.summary = "Print addresses: of buffers, slabs, records, segments, ...",
	.help =
	    "WALKER is one of \"umem walkers\", or the name of a cache, "
	    "whose allocated\nbuffers are meant.  START is where some walks "
	    "start: a cache, an arena, a\nthread, an address.  Addresses are "
	    "there to be given to other commands:\n\n"
	    "  umem walk umem_cache | umem_verify\n"
	    "  umem walk bufctl CACHE | bufctl -v -c FUNCTION\n"
	    "  umem walk leakbuf | whatis",
	.complete = COMPLETE_WALKER,
	.max = 2,
	.dot = 1,
	.run = dcmd_walk,
    },
    {
	.name = "walkers",
	.usage = "",
	.summary = "List the walkers: what umem walk can visit.",
	.help = "START says what a walk starts from; in brackets, it may be "
		"left out and\neverything is visited.",
	.flags = DCMD_NO_SNAP | DCMD_NO_DOT | DCMD_NO_PIPE | DCMD_WAITS,
	.run = dcmd_walkers,
    },
    {
	.name = "print",
	.usage = "[-n N] CACHE|ADDR TYPE [EXPR]",
	.summary = "Print buffers as a type of the program, as GDB's print "
		   "does.",
	.help =
	    "Every allocated buffer of a cache, or what is at an address, as "
	    "a type that GDB\nknows, with its settings and pretty printers.  "
	    "TYPE may have several words:\nstruct session.\n\n"
	    "EXPR is evaluated for each: a member, \"name\", \"next->name\" or "
	    "\"list[2]\"; or an\nexpression in which $ stands for the object, "
	    "\"$.used * 100 / $.size\".  Where it\nfails the error is shown, "
	    "and the next one follows.\n\n"
	    "  -n N   the first N buffers of the cache\n\n"
	    "Behind a pipe the address is left out:\n\n"
	    "  umem walk leakbuf | print struct session",
	.options = "n:",
	.complete = COMPLETE_CACHE,
	.min = 2,
	.max = -1,
	.flags = DCMD_NO_PIPE | DCMD_RAW_ARGS,
	.run = dcmd_print,
    },
    {
	.name = "break",
	.usage = "error | delete | alloc|free [-s SIZE] [-c CACHE] [-b ADDR]",
	.summary = "Stop where a fault is detected, or at allocations and "
		   "frees.",
	.help =
	    "  error    stops when the library has reported a fault, before "
	    "it aborts\n"
	    "  alloc    stops when a buffer was allocated, before the program "
	    "has it\n"
	    "  free     stops when a buffer is about to be freed\n"
	    "  delete   deletes all these breakpoints\n\n"
	    "  -s SIZE    only calls for so many bytes: 100, 100-200, 100-\n"
	    "  -c CACHE   only of this cache\n"
	    "  -b ADDR    only of the buffer at ADDR\n\n"
	    "The library itself compares, so a program that is watched stays "
	    "usable.  Where\nthe size of a freed buffer was not recorded, any "
	    "that its cache serves will do.\nA realloc that leaves the "
	    "buffer where it is is neither.\n\n"
	    "These are breakpoints of GDB: \"info breakpoints\", "
	    "\"disable\", \"commands\",\n\"delete\".  Given before the program "
	    "runs they wait for it, and they come back\nwhen it runs again.",
	.options = "s:c:b:",
	.words = "error alloc free delete",
	.complete = COMPLETE_WORD,
	.min = 1,
	.max = 1,
	.flags = DCMD_NO_SNAP | DCMD_NO_DOT | DCMD_NO_PIPE | DCMD_RAW_ARGS |
		 DCMD_WAITS,
	.run = dcmd_break,
    },
    {
	.name = "event",
	.usage = "",
	.summary = "Say what a breakpoint of umem break stopped at.",
	.help = "The call with its buffer, size, cache and thread; or the "
		"fault with the report\nof it.  Is said by itself when the "
		"program stops there.",
	.flags = DCMD_NO_DOT | DCMD_LIGHT,
	.run = dcmd_event,
    },
    {
	.name = "examine",
	.usage = "ADDR FORMAT [-c COUNT]",
	.summary = "Print memory at an address, by GDB's x.",
	.help =
	    "FORMAT is a count and a letter of MDB: B x X J 1 to 8 bytes "
	    "in hexadecimal;\nd D e 2 to 8 bytes in decimal with a sign, V "
	    "u U E 1 to 8 without; b o O 1 to\n4 bytes in octal; p pointers "
	    "with symbols, s strings, c characters,\ni instructions.\n\n"
	    "  -c COUNT   how many, if FORMAT does not say it",
	.options = "c:",
	.min = 2,
	.max = 2,
	.flags = DCMD_NO_PIPE | DCMD_RAW_ARGS,
	.run = dcmd_examine,
    },
    {
	.name = "dcmds",
	.usage = "",
	.summary = "List the commands with their names in MDB.",
	.help = "As \"mdb ::dcmds\".",
	.flags = DCMD_NO_SNAP | DCMD_NO_DOT | DCMD_NO_PIPE | DCMD_WAITS,
	.run = dcmd_dcmds,
    },
    {
	.name = "help",
	.usage = "[COMMAND|WALKER]",
	.summary = "Describe a command or a walker.",
	.help = "As \"help umem COMMAND\"; knows MDB's names and the walkers "
		"too.",
	.complete = COMPLETE_HELP,
	.max = 1,
	.flags = DCMD_NO_SNAP | DCMD_NO_DOT | DCMD_NO_PIPE | DCMD_WAITS |
		 DCMD_RAW_ARGS,
	.run = dcmd_help,
    },
    {
	.name = "mdb",
	.alias = "mdb",
	.usage = "[EXPRESSION]::COMMAND [ARGUMENTS] [| ...] [! SHELL COMMAND]",
	.summary = "Commands in the notation of MDB, illumos' debugger.",
	.help =
	    "EXPRESSION is the address that the command gets.  Numbers are "
	    "hexadecimal:\n0t10 is ten, 0i101 and 0o17 are binary and octal. "
	    " Symbols are func and\nlib`func, registers <rsp; + - * % & and "
	    "parentheses work.\n\n"
	    "  mdb ::findleaks -d\n"
	    "  mdb 7f3c00014020::whatis\n"
	    "  mdb ::walk umem_cache | ::umem_verify\n"
	    "  mdb ADDR::bufctl -h -v\n"
	    "  mdb ADDR::walk leakbuf | ::print struct session\n"
	    "  mdb ADDR/20X\n"
	    "  mdb ::umem_cache ! grep session\n\n"
	    "\"mdb ::dcmds\", \"mdb ::walkers\" and \"mdb ::help NAME\" say "
	    "what there is.",
	.max = -1,
	.flags = DCMD_NO_SNAP | DCMD_NO_DOT | DCMD_NO_PIPE | DCMD_WAITS,
	.run = dcmd_mdb,
    },
    {
	.name = "whatis",
	.alias = NULL,
	.usage = "[-q] [-v] [-a] [-i] [-k] ADDR",
	.summary = "Say what an address is.",
	.help =
	    "Names the buffer, red zone, slab, structure, arena segment, "
	    "stack or mapping\nthat ADDR lies in.  For an audited buffer "
	    "its last transaction follows, for\na segment who allocated "
	    "it.  ADDR may be any expression.\n"
	    "\n"
	    "  -q   one line, without the last transaction\n"
	    "  -v   also the slab, the arenas' segments and the mapping\n"
	    "  -a   all that it is, not only the closest: also segments of\n"
	    "       arenas, and the mapping\n"
	    "  -i   MDB's, not needed: arenas of numbers count in any case\n"
	    "  -k   MDB's, not needed: a pipeline's order is always kept",
	.options = "qvaik",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = -1,
	.run = dcmd_whatis,
    },
    {
	.name = "findleaks",
	.alias = "findleaks",
	.usage = "[-d] [-f] [-v] [-n N] [-s bytes|count|age|caller] "
		 "[-i FUNCTION] [-x FUNCTION] [-S FILE] [-folded FILE] "
		 "[-pprof FILE] [-html FILE] [FUNCTION|ADDR]",
	.summary = "Find allocated memory that nothing points to.",
	.help =
	    "Marks conservatively from registers, stacks, data of all "
	    "objects and other\nwritable memory, and groups what is left "
	    "by cache and stack:\n\n"
	    "  definite   nothing points to it\n"
	    "  possible   only pointers into its inside, or to the end of the "
	    "buffer before\n"
	    "  indirect   only lost buffers point to it\n\n"
	    "INDIRECT are the bytes that a group leads to and that would be "
	    "freed with it.\nWith FUNCTION only groups with a frame in it "
	    "are shown.\n\n"
	    "  -d            details: for each group the stack of its oldest "
	    "buffer\n"
	    "  -f            forget the last result and search again\n"
	    "  -v            statistics of the search, and of -S\n"
	    "  -n N          so many groups of each kind; 20 if not given, in "
	    "JSON all\n"
	    "  -s ORDER      what comes first: bytes, count, age (the oldest) "
	    "or caller\n"
	    "  -i FUNCTION   only groups with a frame in FUNCTION, which may "
	    "hold \"*\"; again\n"
	    "                for more functions\n"
	    "  -x FUNCTION   no groups with a frame in it\n"
	    "  -S FILE       leave out what FILE lists, in LeakSanitizer's or "
	    "Valgrind's form\n" PROFILE_HELP,
	.options = "dfvn:s:i:x:S:",
	.complete = COMPLETE_SYMBOL,
	.max = 1,
	.result = "leaks",
	.flags = DCMD_PROFILE,
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
	.flags = DCMD_NO_PIPE,
	.run = dcmd_owns,
    },
    {
	.name = "top",
	.usage = "[-n N] [-v] [-roots|-sites] [-folded FILE] [-pprof FILE] "
		 "[-html FILE]",
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
	    "  -sites   only the second\n" PROFILE_HELP "\n\n"
	    "The files show the sites, with -roots the roots.",
	.options = "n:vrs",
	.longs = "roots r sites s",
	.flags = DCMD_PROFILE,
	.run = dcmd_top,
    },
    {
	.name = "users",
	.alias = "umausers",
	.usage = "[-e] [-f] [-folded FILE] [-pprof FILE] [-html FILE] "
		 "[CACHE...]",
	.summary = "Show who holds the most memory, by allocation stack.",
	.help =
	    "Groups the allocated buffers of all audited caches, or of those "
	    "named, by size\nand whole stack, the most bytes first.  The "
	    "size that counts is that of the\ncache's buffers; bytes are those "
	    "asked for.  Groups that have neither 8192\nbytes nor 100 buffers "
	    "are left out.\n\n"
	    "  -e   every group, however small\n"
	    "  -f   first list every allocation, with its stack\n" PROFILE_HELP,
	.options = "ef",
	.complete = COMPLETE_CACHE,
	.max = -1,
	.flags = DCMD_NO_PIPE | DCMD_PROFILE,
	.run = dcmd_users,
    },
    {
	.name = "allocdby",
	.alias = "allocdby",
	.usage = "THREAD",
	.summary = "List what a thread allocated and nobody freed since.",
	.help =
	    "The newest buffer comes first.  THREAD is GDB's number of a "
	    "thread; where no\nthread has that number it is an LWP, so that "
	    "threads that have ended can be\nnamed too.  Only audited caches "
	    "know.",
	.min = 1,
	.max = 1,
	.run = dcmd_allocdby,
    },
    {
	.name = "freedby",
	.alias = "freedby",
	.usage = "THREAD",
	.summary = "List free buffers that a thread freed.",
	.help = "As umem allocdby, for buffers that are free now and were "
		"freed by THREAD.",
	.min = 1,
	.max = 1,
	.run = dcmd_freedby,
    },
    {
	.name = "malloc_dist",
	.alias = "umem_malloc_dist",
	.usage = "[-d] [-g] [-b N] [-B N]",
	.summary = "Show how the sizes of what malloc gave are distributed.",
	.help =
	    "Counts the allocated buffers of malloc and umem_alloc by the size "
	    "asked for.\nWithout UMEM_DEBUG=guards or audit that is not "
	    "recorded: the size of the buffer\nis taken then, and the answer "
	    "says so.  Bins are powers of two.\n\n"
	    "  -d     no bins: each size that occurs, a tab, and its count\n"
	    "  -b N   at most N bins, of one width\n"
	    "  -B N   bins of at least N sizes each\n"
	    "  -g     with -b and -B: bins of whole powers of two",
	.options = "dgb:B:",
	.flags = DCMD_NO_DOT | DCMD_NO_PIPE,
	.run = dcmd_malloc_dist,
    },
    {
	.name = "malloc_info",
	.alias = "umem_malloc_info",
	.usage = "[-d] [-g] [-b N] [-B N] [CACHE]",
	.summary = "Show what malloc's caches hold, and what that costs.",
	.help =
	    "For each cache of malloc that holds something: size of its "
	    "buffers, largest\nrequest that comes to it, buffers, average size "
	    "asked for, bytes asked for, and\nthe overhead: rounding, guards, "
	    "records and slabs, as if they were full.\nSizes asked for are "
	    "known with UMEM_DEBUG=guards or audit.\nWith an option the "
	    "distribution of sizes follows each cache.\n\n"
	    "  -d     no bins: each size that occurs, a tab, and its count\n"
	    "  -b N   at most N bins, of one width\n"
	    "  -B N   bins of at least N sizes each\n"
	    "  -g     bins of powers of two",
	.options = "dgb:B:",
	.complete = COMPLETE_CACHE,
	.max = 1,
	.run = dcmd_malloc_info,
    },
    {
	.name = "ugrep",
	.alias = "ugrep",
	.usage = "VALUE [-v] [-d DIST] [-m MASK] [-M MASK] [-a ADDR] [-A ADDR] "
		 "[-s SIZE]",
	.summary = "Search all memory for a value.",
	.help =
	    "Prints the address of every aligned word, in any readable "
	    "mapping, that equals\nVALUE: free buffers and old stacks "
	    "included.  To find pointers to any part of\na buffer of N bytes "
	    "give -d N.\n\n"
	    "  -v        the value found, too\n"
	    "  -d DIST   values from VALUE to VALUE + DIST - 1\n"
	    "  -m MASK   compare only the bits in MASK\n"
	    "  -M MASK   compare only the bits that are not in MASK\n"
	    "  -a ADDR   search from ADDR on\n"
	    "  -A ADDR   search below ADDR\n"
	    "  -s SIZE   words of 1, 2, 4 or 8 bytes; 8 if not given",
	.options = "vd:m:M:a:A:s:",
	.complete = COMPLETE_SYMBOL,
	.min = 1,
	.max = 1,
	.run = dcmd_ugrep,
    },
    {
	.name = "bufctl_audit",
	.alias = "bufctl_audit",
	.usage = "ADDR",
	.summary = "The whole audit record of a buffer, with its stack.",
	.help = "The same as umem bufctl -v.",
	.min = 1,
	.max = 1,
	.run = dcmd_bufctl_audit,
    },
    {
	.name = "vmem",
	.alias = "vmem",
	.usage = "[ARENA]",
	.summary = "List the arenas, or one of them.",
	.help = "A tree: below each arena, indented, those that import from "
		"it.  Bytes in use\nand in all, allocations that succeeded and "
		"that failed.  ARENA is a name or an\naddress.",
	.complete = COMPLETE_ARENA,
	.max = 1,
	.run = dcmd_vmem,
    },
    {
	.name = "vmem_seg",
	.alias = "vmem_seg",
	.usage =
	    "ADDR|ARENA [-v] [-s] [-c FUNCTION] [-e TIME] [-l TIME] [-m SIZE] "
	    "[-M SIZE] [-t THREAD] [-T TYPE]",
	.summary = "Show a segment, or all segments of an arena.",
	.help =
	    "Address, type, start and end of the segment at ADDR, or of each "
	    "segment of ARENA\nin order, and who allocated it where that was "
	    "audited.\n\n"
	    "  -v            also size, thread, time and stack\n"
	    "  -s            the size instead of the end\n"
	    "  -T TYPE       only of this type: ALLOC, FREE, SPAN, ROTOR, "
	    "WALKER\n"
	    "  -m SIZE       only of SIZE or more\n"
	    "  -M SIZE       only of SIZE or less\n"
	    "  -c FUNCTION   only with a frame in FUNCTION (or at an "
	    "address)\n"
	    "  -e TIME       only allocated at TIME or later: nanoseconds, "
	    "seconds with\n"
	    "                a point, or T-SECONDS before the newest record\n"
	    "  -l TIME       only allocated at TIME or earlier\n"
	    "  -t THREAD     only by this thread: GDB's number, or the LWP\n\n"
	    "Segments without a record never pass -c, -e, -l and -t.",
	.options = "vsc:e:l:m:M:t:T:",
	.words = "ALLOC FREE SPAN ROTOR WALKER",
	.complete = COMPLETE_ARENA,
	.min = 1,
	.max = 1,
	.run = dcmd_vmem_seg,
    },
    {
	.name = "snapshot",
	.usage = "FILE",
	.summary = "Write what is allocated to a file, for umem diff.",
	.help =
	    "Counts buffers and bytes by allocation stack and cache, without "
	    "UMEM_DEBUG=audit\nby cache alone.  The file is small and stands "
	    "alone: neither the process nor its\nprogram is needed to read "
	    "it.  An older file of that name is replaced when the\nnew one is "
	    "whole.",
	.complete = COMPLETE_FILE,
	.min = 1,
	.max = 1,
	.flags = DCMD_NO_DOT | DCMD_NO_PIPE | DCMD_RAW_ARGS,
	.run = dcmd_snapshot,
    },
    {
	.name = "diff",
	.usage = "[-d] [-n N] [-folded FILE] [-pprof FILE] [-html FILE] OLD "
		 "[NEW]",
	.summary = "Show what grew since a snapshot, by stack and cache.",
	.help =
	    "OLD and NEW are files of umem snapshot, or cores.  Without NEW "
	    "it is what the\ndebugger shows now.  What grew most comes first, "
	    "then what shrank.  Stacks are\ncompared by module and place in "
	    "it, so runs of one program can be compared;\nwhere a module was "
	    "built anew in between, by function.\n\n"
	    "  -d     also the whole stack of each group\n"
	    "  -n N   so many groups; 20 if not given, in JSON all\n" PROFILE_HELP,
	.options = "dn:",
	.complete = COMPLETE_FILE,
	.min = 1,
	.max = 2,
	.flags = DCMD_NO_SNAP | DCMD_NO_DOT | DCMD_NO_PIPE | DCMD_RAW_ARGS |
		 DCMD_PROFILE | DCMD_WAITS,
	.run = dcmd_diff,
    },
};
const size_t ndcmd = sizeof(dcmds) / sizeof(dcmds[0]);
