# SPDX-License-Identifier: MIT
"""Are $_umem_cache(p) and its like right in conditions, and cheap?

The program says at each call what is true; a breakpoint counts how often its
condition held.  Sourced by golden.sh, with the process stopped in ready().
"""

import ctypes

import gdb
from verdict import Verdict

NEVER = 1 << 30  # ... to be stopped at: it only counts

verdict = Verdict("conditions")
ok = verdict.equal


class Reads:
    """How much of the process is read for an expression."""

    def __enter__(self):
        self.count = self.bytes = 0
        self.memmove = ctypes.memmove
        ctypes.memmove = self.read
        return self

    def read(self, to, data, length):
        self.count += 1
        self.bytes += length
        return self.memmove(to, data, length)

    def __exit__(self, *_):
        ctypes.memmove = self.memmove


def count(place, condition, expected):
    stop = gdb.Breakpoint(place)
    stop.condition = condition
    stop.ignore_count = NEVER
    return place, condition, expected, stop


def cost():
    """It must not grow with the heap: a million buffers, or none."""
    gdb.parse_and_eval("$_umem_size(heap[0])")  # finds the library, once
    for expression in (
        "$_umem_size(heap[0])",
        "$_umem_cache(heap[0])",
        "$_umem_base(heap[0])",
        "$_umem_state(heap[0])",
    ):
        with Reads() as reads:
            gdb.parse_and_eval(expression)
        ok(expression + " reads something", True, reads.count > 2)
        ok(expression + " is %d reads" % reads.count, True, reads.count < 40)
        ok(expression + " reads little", True, reads.bytes < 16384)


def conditions(odd):
    """Odd: what $_umem_size says of a malloc(100)."""
    rounds = int(gdb.parse_and_eval("rounds"))
    sites = 4 * rounds + 2
    # Whatever is compared, nothing may run in the process for it.
    gdb.execute("set may-call-functions off")
    if gdb.parse_and_eval("heap[0]"):
        cost()
    counts = (
        count("site", "$_umem_size(p) == size", sites),
        count("site", "$_umem_size(p) > 100", rounds),
        count("site", "$_umem_base(p + 5) == p", sites - 1),
        count("site", "$_streq($_umem_cache(p), cache)", sites),
        count("site", '$_streq($_umem_cache(p), "site_objects")', 2 * rounds),
        count("site", "$_streq($_umem_state(p), state)", sites),
        count("site", '$_streq($_umem_state(p), "allocated")', 2 * rounds),
        count("odd_size", "$_umem_size(p) == %d" % odd, rounds),
    )
    gdb.execute("continue", to_string=True)
    ok("it goes on to the end", "ready", gdb.newest_frame().name())
    for place, condition, expected, stop in counts:
        ok("break %s if %s" % (place, condition), expected, stop.hit_count)
    gdb.execute("kill", to_string=True)
    verdict.end()
