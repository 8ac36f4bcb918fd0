# SPDX-License-Identifier: MIT
"""A second findleaks reads nothing, unless the process ran in between.

Counts reads of the process: those of the library itself, see reads.c, and
those that it asks GDB for.  Sourced by golden.sh, with the process stopped
before main or not started yet.
"""

import ctypes
import json

import gdb
import umdb_commands
import umdb_ffi
from verdict import Verdict

verdict = Verdict("a second findleaks")
asked = 0  # reads through GDB


def count_asked():
    session = umdb_commands.session
    read = session.guard(session.read)

    def counted(*args):
        global asked
        asked += 1
        return read(*args)

    session.callbacks.read = umdb_ffi.READ(counted)


def reads():
    own = ctypes.c_ulong.in_dll(ctypes.CDLL(None), "process_reads").value
    return own + asked


def search(options=""):
    """How many leaks there are, and what had to be read to know."""
    before = reads()
    text = gdb.execute("umem findleaks -json " + options, to_string=True)
    result = json.loads(text[text.index('{"umdb"'):])
    return sum(row["count"] for row in result["rows"]), reads() - before


def expect(what, leaks, read):
    found = search()
    verdict.holds(
        what,
        found[0] == leaks and (found[1] > 0) == read,
        "%d leaks after %d reads" % found,
    )


def again(start):
    gdb.execute("set confirm off")
    count_asked()
    gdb.execute("break ready", to_string=True)
    gdb.execute(start, to_string=True)
    expect("the first", 0, True)
    expect("at once", 0, False)
    gdb.execute("info registers", to_string=True)
    gdb.execute("up", to_string=True)
    expect("after looking around", 0, False)
    gdb.execute("continue", to_string=True)
    expect("after continue", 1, True)
    expect("after that", 1, False)
    gdb.execute("finish", to_string=True)
    expect("after finish", 1, True)
    gdb.execute("next", to_string=True)
    expect("after a step that loses one", 2, True)
    expect("and after that", 2, False)
    gdb.execute("stepi", to_string=True)
    expect("after one instruction", 2, True)
    gdb.execute("set var kept[2] = 0", to_string=True)
    expect("after GDB wrote to memory", 3, True)
    gdb.execute("kill", to_string=True)
    verdict.end()
