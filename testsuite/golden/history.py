# SPDX-License-Identifier: MIT
"""Is every transaction in the log, once, right and in order?

The program wrote down what it did; the log must say the same of each thread,
and of each buffer that it was taken and given in turns.  Sourced by golden.sh,
with the process stopped when all is done.
"""

import json

import gdb
from verdict import Verdict

SLACK = 100000  # ns that a stamp may be away from CLOCK_MONOTONIC

verdict = Verdict("history")
ok = verdict.equal


def document(line):
    return json.loads(gdb.execute("umem %s -json" % line, to_string=True))


def rows(line):
    return document(line)["rows"]


class Deed:
    def __init__(self, value, lwp):
        self.lwp = lwp
        self.addr = int(value["addr"])
        self.op = "free" if int(value["free"]) else "alloc"
        self.size = int(value["size"])
        self.fill = "%02x" % int(value["fill"])
        self.before = int(value["before"]) - SLACK
        self.after = int(value["after"]) + SLACK

    def is_row(self, row):
        return (
            (self.op, self.addr, self.size, self.lwp)
            == (row["op"], int(row["addr"], 16), row["size"], row["thread"])
            and self.before <= row["time"] <= self.after
        )


def deeds():
    """What each thread did, in its order."""
    found = {}
    for i in range(int(gdb.parse_and_eval("ndoers"))):
        doer = gdb.parse_and_eval("doers[%d]" % i)
        lwp = int(doer["lwp"])
        found[lwp] = [
            Deed(doer["deed"][k], lwp) for k in range(int(doer["ndeed"]))
        ]
    return found


def is_ours(row):
    """Not the C library's, in starting a thread."""
    return any(f["function"] in ("take", "give") for f in row["stack"])


def each_thread(truth, log):
    for lwp, did in truth.items():
        said = [row for row in log if row["thread"] == lwp]
        ok("records of a thread", len(did), len(said))
        wrong = [
            "%s of %d at %#x: %s" % (deed.op, deed.size, deed.addr, row)
            for deed, row in zip(did, said)
            if not deed.is_row(row)
        ]
        ok("a thread's records", [], wrong[:1])


def each_buffer(log):
    """Taken and given in turns, and what is taken last is in use."""
    last, wrong = {}, []
    for row in log:
        if last.get(row["addr"], "free") == row["op"]:
            wrong.append(row)
        last[row["addr"]] = row["op"]
    ok("records of a buffer", [], wrong[:1])
    in_use = {a for a in last if last[a] == "alloc"}
    walked = set(gdb.execute("umem walk umem", to_string=True).split())
    ok("in use by the log and not by the slabs", set(), in_use - walked)
    ok("in use by the slabs and free by the log", set(),
       {a for a in last if last[a] == "free"} & walked)


def some_buffers(truth, log, everything):
    """umem log -b: the same records, and the contents of each free."""
    filled = {
        (deed.addr, deed.op, lwp, k): deed.fill
        for lwp, did in truth.items()
        for k, deed in enumerate(did)
    }
    places, fill = {}, {}
    for row in log:
        k = places.setdefault(row["thread"], 0)
        places[row["thread"]] = k + 1
        fill[row["record"]] = filled.get(
            (int(row["addr"], 16), row["op"], row["thread"], k))
    busiest = sorted(
        {row["addr"] for row in log},
        key=lambda a: -sum(row["addr"] == a for row in log),
    )
    for addr in busiest[:5] + busiest[-5:]:
        mine = [row for row in log if row["addr"] == addr]
        said = [
            row
            for row in rows("log -b %s -v" % addr)
            if row["record"] is not None and row["addr"] == addr
            and is_ours(row)
        ]
        ok("umem log -b", [(r["time"], r["op"], r["size"]) for r in mine],
           [(r["time"], r["op"], r["size"]) for r in said])
        for row, record in zip(mine, said):
            if row["op"] == "alloc":
                continue
            kept = record["bytes"]
            ok("contents", fill[row["record"]] * record["kept"], kept)
            ok("contents are kept", True, record["kept"] > 0)
        bufctl_history(addr, everything)


def bufctl_history(addr, everything):
    """That of the buffer that is there now, as far as it is the same one."""
    cache = gdb.parse_and_eval("$_umem_cache(%s)" % addr).string()
    if gdb.parse_and_eval("$_umem_base(%s)" % addr) != int(addr, 16):
        return
    mine = []
    for row in everything:
        if row["addr"] == addr and row["cache"] == cache:
            mine.append(row["record"])
        elif row["addr"] == addr:
            break
    walked = gdb.execute("umem walk bufctl_history " + addr,
                         to_string=True).split()
    ok("bufctl_history", len(mine), len(walked))
    ok("... in the log", mine[1:], walked[1:])


def options(log, everything):
    """What they leave is what passes their test, in the same order."""
    newest = everything[0]["time"]
    early, late = log[len(log) // 3]["time"], log[len(log) // 2]["time"]
    lwp = [row["thread"] for row in log if row["op"] == "alloc"][-1]
    tests = {
        "-n 7": lambda i, row: i < 7,
        "-t %d" % lwp: lambda i, row: row["thread"] == lwp,
        "-c give": lambda i, row: row["op"] == "free" and is_ours(row),
        "-e %d" % early: lambda i, row: row["time"] >= early,
        "-l %d" % late: lambda i, row: row["time"] <= late,
        "-e %d -l %d" % (early, late):
            lambda i, row: early <= row["time"] <= late,
        "-e T-%.9f" % ((newest - early) / 1e9):
            lambda i, row: row["time"] >= early,
        "-l %.9f" % (late / 1e9): lambda i, row: row["time"] <= late,
        "-t %d -e %d -c take" % (lwp, early):
            lambda i, row: row["thread"] == lwp and row["time"] >= early
            and row["op"] == "alloc" and is_ours(row),
    }
    for line, passes in tests.items():
        want = [row for i, row in enumerate(everything) if passes(i, row)]
        ok("umem log %s has rows" % line, True, len(want) > 0)
        ok("umem log " + line, want, rows("log " + line))


def history():
    truth = deeds()
    whole = document("log")
    everything = whole["rows"]
    ok("written", len(everything), whole["summary"]["written"])
    times = [row["time"] for row in everything]
    ok("newest first", sorted(times, reverse=True), times)
    log = [row for row in reversed(everything) if is_ours(row)]
    ok("records", sum(len(did) for did in truth.values()), len(log))
    each_thread(truth, log)
    each_buffer(list(reversed(everything)))
    some_buffers(truth, log, everything)
    options(log, everything)
    verdict.end()
