# SPDX-License-Identifier: MIT
"""Does umem break stop where it should, and nowhere else?

Runs stops through each kind of breakpoint and says where it stopped.  Sourced
by golden.sh, with the process not started yet.
"""

import json

import gdb
from verdict import Verdict

verdict = Verdict("umem break")
ok = verdict.equal


def where():
    """The innermost function of the program, or None when it has ended."""
    if not gdb.selected_inferior().threads():
        return None
    frame = gdb.newest_frame()
    while frame is not None:
        symtab = frame.find_sal().symtab
        if symtab is not None and symtab.filename.endswith("stops.c"):
            return frame.name()
        frame = frame.older()
    return "?"


def places():
    """Where it stops until it is ready again, or has ended."""
    found = []
    while len(found) < 20:
        gdb.execute("continue", to_string=True)
        at = where()
        if at in ("ready", None):
            return found
        found.append(at)
    return found


def run_to_ready():
    gdb.execute("break ready", to_string=True)
    gdb.execute("run", to_string=True)


def event():
    text = gdb.execute("umem event -json", to_string=True)
    return json.loads(text)["rows"][0]


def finish(what):
    gdb.execute("umem break delete", to_string=True)
    ok(what + ", then deleted", [], places())
    gdb.execute("kill", to_string=True)
    gdb.execute("delete", to_string=True)


def one(what, line, expected):
    run_to_ready()
    gdb.execute("umem break " + line, to_string=True)
    ok(what, expected, places())
    finish(what)


def what_happened():
    run_to_ready()
    gdb.execute("umem break alloc -s 100", to_string=True)
    gdb.execute("continue", to_string=True)
    row = event()
    ok("event", ("alloc", 100), (row["event"], row["size"]))
    gdb.execute("finish", to_string=True)
    gdb.execute("umem break delete", to_string=True)
    gdb.execute("kill", to_string=True)
    gdb.execute("delete", to_string=True)


def fault():
    run_to_ready()
    gdb.execute("delete", to_string=True)
    gdb.execute("umem break error", to_string=True)
    gdb.execute("continue", to_string=True)
    ok("error", "free_stack", where())
    ok("its event", "fault", event()["event"])
    text = gdb.execute("info program", to_string=True)
    ok("error stops before the signal", False, "SIGABRT" in text)
    gdb.execute("kill", to_string=True)
    gdb.execute("delete", to_string=True)


def waiting():
    """Asked for before the program runs."""
    gdb.execute("umem break alloc -s 100", to_string=True)
    gdb.execute("break ready", to_string=True)
    gdb.execute("run", to_string=True)
    ok("before it runs", "take_hundred", where())
    gdb.execute("umem break delete", to_string=True)
    gdb.execute("kill", to_string=True)
    gdb.execute("delete", to_string=True)


def stops():
    gdb.execute("set confirm off")
    one("a size", "alloc -s 100", ["take_hundred"])
    one("sizes", "alloc -s 90-101",
        ["take_others", "take_hundred", "take_others"])
    one("a cache", "alloc -c stop_objects", ["take_object"])
    one("frees of a cache", "free -c stop_objects", ["give_object"])
    one("no such size", "alloc -s 77777", [])
    one("a buffer", "free -b object", ["give_object"])
    what_happened()
    fault()
    waiting()
    verdict.end()
