# SPDX-License-Identifier: MIT
"""Run every command and walker inside GDB; sourced by realcores.sh.

The commands and the walkers are those that the table of umem has: one that is
new and has no line here is a failure.
"""

import json
import re
import resource
import time

import gdb

failures = []
times = []

# What the commands that want records answer where there are none.
WITHOUT_RECORDS = re.compile(
    "log is off|not audited|audited buffer|UMEM_LOGGING|UMEM_DEBUG"
)
# GDB prints these, as text only.
TEXT_ONLY = ("print", "examine", "help", "snapshot")


def error_line(text):
    failures.append(text)
    print("not ok: " + text)


def document(command):
    """The JSON that COMMAND prints, parsed; {} after an error."""
    try:
        text = gdb.execute(command + " -json", to_string=True)
        return json.loads(text[text.index('{"umdb"') :])
    except (gdb.error, ValueError) as error:
        error_line("%s -json: %s" % (command, str(error)[:200]))
        return {"rows": [], "summary": {}}


def run(command, audited, may_refuse=False):
    """One command; its time, and that it did not fail."""
    start = time.monotonic()
    try:
        gdb.execute(command, to_string=True)
    except gdb.error as error:
        text = str(error)
        if audited or not may_refuse or not WITHOUT_RECORDS.search(text):
            error_line("%s: %s" % (command, text[:300]))
    times.append((time.monotonic() - start, command))


def first(rows, key, default="0"):
    for row in rows:
        if row.get(key):
            return row[key]
    return default


def facts():
    """Things of this core that commands can be pointed at."""
    caches = [r for r in document("umem cache")["rows"] if r["inuse"]]
    biggest = max(caches, key=lambda row: row["inuse"])
    status = document("umem status")["rows"][0]
    threads = [
        row["thread"]
        for row in document("umem stat")["rows"]
        if row["type"] == "thread"
    ]
    arenas = document("umem vmem")["rows"]
    walked = document("umem walk umem %s" % biggest["name"])["rows"]
    slabs = document("umem walk umem_slab %s" % biggest["name"])["rows"]
    magazines = document("umem walk magazine")["rows"]
    leaks = document("umem walk leak")["rows"]
    segments = document("umem walk vmem_seg %s" % arenas[0]["name"])["rows"]
    return {
        "audited": "audit" in (status["flag_names"] or []),
        "CACHE": biggest["name"],
        "ARENA": arenas[0]["name"],
        "BUF": walked[len(walked) // 2]["addr"],
        "SLAB": first(slabs, "addr"),
        "THREAD": str(threads[0]) if threads else "1",
        "MAGAZINE": first(magazines, "addr", None),
        "LEAK": first(leaks, "addr", None),
        "SEG": first(segments, "addr"),
    }


# {X} is a fact; a tuple's True: may be refused without records
COMMANDS = {
    "status": ["umem status"],
    "stat": ["umem stat", "umem stat -a", ("umem stat -by-age", True)],
    "cache": ["umem cache", "umem cache -a", "umem cache {CACHE}"],
    "log": [
        ("umem log", True),
        ("umem log fail", True),
        ("umem log slab", True),
        ("umem log -n 10", True),
        ("umem log -b {BUF}", True),
        ("umem log -b {BUF} -v", True),
        ("umem log -c main", True),
        ("umem log -e T-0.01 -l T-0.001", True),
        ("umem log -t {THREAD}", True),
    ],
    "records": [
        ("umem records", True),
        ("umem records fail", True),
        ("umem records slab", True),
        ("umem records -n 10", True),
        ("umem records -b {BUF}", True),
        ("umem records -c main -e T-1 -l T-0 -t {THREAD}", True),
    ],
    "verify": ["umem verify", "umem verify -v", "umem verify {CACHE}"],
    "bufctl": [
        ("umem bufctl {BUF}", True),
        ("umem bufctl {BUF} -v", True),
        ("umem bufctl {BUF} -hv", True),
        ("umem bufctl {BUF} -a {BUF} -c main -e T-9 -l T-0 -t {THREAD}", True),
    ],
    "walk": ["umem walk {CACHE}"],
    "walkers": ["umem walkers"],
    "print": ["umem print -n 100 {CACHE} long", 'umem print {BUF} long "$ + 1"'],
    "break": [],  # a process is needed: golden tests
    "event": [],
    "examine": ["umem examine {BUF} 4X", "umem examine {BUF} X -c 2"],
    "dcmds": ["umem dcmds"],
    "help": ["umem help", "umem help walk", "umem help leakbuf"],
    "mdb": ["mdb ::umem_cache", "mdb {BUF}::whatis", "mdb ::findleaks -d"],
    "whatis": ["umem whatis {BUF}", "umem whatis -q {BUF}", "umem whatis -v $sp"],
    "findleaks": [
        "umem findleaks -f",
        "umem findleaks -dv",
        "umem findleaks -s count -n 5",
        "umem findleaks -i ma* -x nosuch",
        "umem findleaks -f -folded {FILES}/l -pprof {FILES}/p -html {FILES}/h",
    ],
    "refs": ["umem refs {BUF}"],
    "path": ["umem path {BUF}"],
    "owns": ["umem owns {BUF}"],
    "top": ["umem top", "umem top -v -roots", "umem top -sites -n 3"],
    "users": [
        ("umem users", True),
        ("umem users -e", True),
        ("umem users -f {CACHE}", True),
    ],
    "allocdby": [("umem allocdby {THREAD}", True)],
    "freedby": [("umem freedby {THREAD}", True)],
    "malloc_dist": ["umem malloc_dist", "umem malloc_dist -g -b 8",
                    "umem malloc_dist -d", "umem malloc_dist -B 100"],
    "malloc_info": ["umem malloc_info", "umem malloc_info -g -b 4",
                    "umem malloc_info -d"],
    "ugrep": [
        "umem ugrep {BUF}",
        "umem ugrep {BUF} -v -d 64",
        "umem ugrep {BUF} -m 0xffffffffff00",
        "umem ugrep {BUF} -M 0xff",
        "umem ugrep 0x41 -s 1 -a {BUF} -A {BUF}+64",
    ],
    "bufctl_audit": [("umem bufctl_audit {BUF}", True)],
    "vmem": ["umem vmem", "umem vmem {ARENA}"],
    "vmem_seg": [
        "umem vmem_seg {ARENA}",
        "umem vmem_seg {SEG} -v",
        "umem vmem_seg {ARENA} -s -m 4096 -M 1000000 -T ALLOC",
        "umem vmem_seg {ARENA} -c main -e 1 -l T-0 -t {THREAD}",
    ],
    "snapshot": ["umem snapshot {FILES}/snapshot"],
    "diff": ["umem diff {FILES}/snapshot",
             "umem diff -d -n 5 {FILES}/snapshot {FILES}/snapshot"],
}

PIPELINES = [
    "umem walk umem_cache | umem_verify",
    ("umem walk bufctl {CACHE} | bufctl -c main -v", True),
    ("findleaks | leakbuf | whatis", True),
    "ugrep {BUF} | whatis -q",
    ("umem walk umem_log | bufctl -v -a {BUF}", True),
    ("umem walk bufctl | bufctl -c main", True),
    "umem walk pagemap | slab_free | whatis -q",
    "umem walk vmem | vmem",
]

STARTS = {
    "CACHE": "{CACHE}",
    "SLAB": "{SLAB}",
    "THREAD": "{THREAD}",
    "THREAD_CACHE": None,
    "MAGAZINE": "{MAGAZINE}",
    "LOG": "transaction",
    "BUFCTL": "{BUF}",
    "ARENA": "{ARENA}",
    "LEAK": "{LEAK}",
}

# These need records; the others answer whatever the process ran with.
WITH_RECORDS = (
    "umem_log",
    "umem_hash",
    "bufctl_history",
    "bufctl",
    "freectl",
    "allocdby",
    "freedby",
)
NOT_HERE = ("umem_cpu", "umem_cpu_cache")


def walker_lines():
    for row in document("umem walkers")["rows"]:
        name, start = row["name"], row["start"] or ""
        name = name.replace("umem_ptc_SIZE", "umem_ptc_64")
        refuses = name in WITH_RECORDS
        if name in NOT_HERE:
            continue
        if name == "CACHE":
            yield "umem walk {CACHE}", False
            continue
        if not start or start.startswith("["):
            yield "umem walk " + name, refuses
        for word in start.strip("[]").split("|"):
            if word and word not in STARTS:
                error_line("no value for the start %s of %s" % (word, name))
            elif word and STARTS[word]:
                yield "umem walk %s %s" % (name, STARTS[word]), refuses


def all_lines():
    for row in document("umem dcmds")["rows"]:
        name = row["name"]
        if name not in COMMANDS:
            error_line("umem %s is run by no line of commands.py" % name)
        for line in COMMANDS.get(name, []):
            yield line if isinstance(line, tuple) else (line, False)
    for line in PIPELINES:
        yield line if isinstance(line, tuple) else (line, False)
    yield from walker_lines()


def everything(load, files):
    known = facts()
    known["FILES"] = files
    for line, refuses in all_lines():
        if any(
            "{%s}" % key in line and value is None
            for key, value in known.items()
        ):
            continue
        line = line.format(**known)
        run(line, known["audited"], refuses)
        if line.split()[1] not in TEXT_ONLY and not refuses:
            document(line)
    print("--- table")
    print("%9s %9s  %s" % ("seconds", "of load", "command"))
    for seconds, line in sorted(times, reverse=True):
        # the rest stays in the log
        print(
            "%s%9.3f %9.2f  %s"
            % (
                "" if seconds > load / 20 else "- ",
                seconds,
                seconds / load,
                line.replace(files + "/", ""),
            )
        )
    total = sum(seconds for seconds, _ in times)
    print(
        "%9.3f %9.2f  all of %d lines; GDB alone loads the core in %.2f"
        % (total, total / load, len(times), load)
    )
    print("--- end")
    print("== %d failed" % len(failures))


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def many_rows(rows):
    """Pipelines over ROWS buffers.

    Text of 60 bytes a row, were it held, would be what the limit is about;
    16 bytes a row are two lists of addresses.
    """
    gdb.execute("umem stat", to_string=True)
    gdb.execute("umem walk umem ! tail -1")
    base = peak()
    for line in (
        "umem walk umem | whatis -q",
        "umem walk umem | whatis | whatis -q",
        "umem walk umem -json",
        "umem walk umem | whatis -q -json",
    ):
        start = time.monotonic()
        gdb.execute(line + " ! wc -l >/dev/null")
        grown = peak() - base
        print(
            "rows: %8.2f s, peak +%d MiB, %.1f bytes a row: %s"
            % (
                time.monotonic() - start,
                grown >> 20,
                grown / rows,
                line,
            )
        )
        if grown > 48 * rows:
            error_line("%s: GDB grew by %d bytes" % (line, grown))
    print("== %d failed" % len(failures))
