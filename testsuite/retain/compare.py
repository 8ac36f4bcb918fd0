# SPDX-License-Identifier: MIT
"""Compare what refs, path, owns and top said of retain.c with what is so.

compare.py OUTPUT AUDITED: OUTPUT is what GDB printed, each document behind a
line "@@ NAME"; AUDITED is 1 when sizes and stacks were recorded.  Says what
differs, then "N passed, M failed".
"""
import json
import re
import sys

ENTRIES, NODES = 200, 30
ENTRY, VALUE, TABLE = 56, 100, 136


class Answers:
    def __init__(self, path, audited):
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        self.text = text
        self.audited = audited
        self.passed = self.failed = 0
        self.doc = {}
        for name, body in re.findall(
            r"^@@ (\S+)\n(.*?)(?=^@@ |\Z)", text, re.M | re.S
        ):
            start = body.find('{"umdb"')
            try:
                self.doc[name] = json.JSONDecoder().raw_decode(body[start:])[0]
            except ValueError:
                self.doc[name] = {"rows": [], "summary": {}, "error": body}

    def check(self, what, good, seen=None):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("not ok: %s; it is %s" % (what, json.dumps(seen)[:2000]))

    def rows(self, name):
        return self.doc[name].get("rows", [])

    def summary(self, name):
        return self.doc[name].get("summary", {})

    def is_count(self, name, count, size):
        """What "owns" says: so many buffers, of so many bytes in all."""
        said = self.summary(name)
        self.check(
            "%s owns %d buffers" % (name, count),
            said.get("count") == count
            and (not self.audited or said.get("bytes") == size),
            self.doc[name],
        )


def check_owns(a):
    a.is_count("owns-cache", 2 * ENTRIES, ENTRIES * (ENTRY + VALUE))
    a.is_count("owns-left", 1, 70)
    a.is_count("owns-shared", 1, 300)
    a.is_count("owns-list", NODES - 1, (NODES - 1) * 16)
    said = a.summary("owns-ring")
    a.check("the ring is leaked", said.get("leaked") is True, said)
    a.check("the ring is of two", said.get("count") == 1, said)


def check_refs(a):
    rows = a.rows("refs-shared")
    a.check("three point to what is shared", len(rows) == 3, rows)
    a.check(
        "one of them is leaked",
        sorted(r["leaked"] for r in rows) == [False, False, True],
        rows,
    )
    a.check(
        "owners have it at offset 32",
        [r["buffer_offset"] for r in rows if not r["leaked"]] == [32, 32],
        rows,
    )
    if a.audited:
        names = [r["stack"][0]["function"] for r in rows if not r["leaked"]]
        a.check("owners' origin", names == ["make_owners"] * 2, rows)
    rows = a.rows("refs-left")
    a.check(
        "left is kept by the variable",
        [r["where"] for r in rows] == ["global left in program"],
        rows,
    )
    for name, kind in (
        ("mine", "tls"),
        ("register", "register"),
        ("mapped", "mapping"),
        ("list", "stack"),
        ("main", "stack"),
    ):
        rows = a.rows("refs-" + name)
        a.check(
            "%s is kept by a %s alone" % (name, kind),
            [r["kind"] for r in rows] == [kind],
            rows,
        )
    rows = a.rows("refs-register")
    a.check("it is r12", rows and rows[0]["register"] == "r12", rows)
    rows = a.rows("refs-list")
    a.check("it is serve", rows and rows[0]["function"] == "serve", rows)
    # whose kernel id is that of the process, which all threads have
    rows = a.rows("refs-main")
    a.check("it is finish", rows and rows[0]["function"] == "finish", rows)


def check_path(a):
    rows = a.rows("path-value")
    a.check(
        "the chain starts at the variable",
        rows and rows[0]["where"] == "global cache in program",
        rows,
    )
    a.check("it is as long as it must be", len(rows) == 4, rows)
    holders = [r["buffer"] for r in rows[1:]]
    a.check("it is a chain", holders == [r["to"] for r in rows[:-1]], rows)
    said = a.summary("path-ring")
    a.check("no path to the ring", said.get("steps") == 0, said)
    rows = a.rows("path-list")
    a.check("one step to the list", len(rows) == 1, rows)


def find(rows, **cells):
    for row in rows:
        if all(row.get(key) == value for key, value in cells.items()):
            return row
    return {}


def check_top(a):
    rows = a.rows("top")
    roots = [r for r in rows if r["by"] == "root"]
    row = find(roots, symbol="cache", shared=False)
    a.check(
        "cache retains all of it",
        row.get("retained_count") == 2 * ENTRIES + 1,
        roots,
    )
    if a.audited:
        size = ENTRIES * (ENTRY + VALUE) + TABLE
        a.check("to the byte", row.get("retained_bytes") == size, row)
    for name in ("left", "right"):
        row = find(roots, symbol=name, shared=False)
        a.check("%s retains two" % name, row.get("retained_count") == 2, row)
    row = [r for r in roots if r["shared"] and "left, right" in r["what"]]
    row = row or [r for r in roots if "right, left" in r["what"]]
    a.check(
        "both retain what is shared",
        row and row[0]["retained_count"] == 2,
        roots,
    )
    row = find(roots, kind="stack", function="serve")
    a.check(
        "serve() has the list", row.get("retained_count") == NODES, roots
    )
    row = find(roots, kind="tls")
    a.check("TLS has its buffer", row.get("retained_count", 0) >= 1, roots)
    row = find(roots, kind="register")
    a.check("the register has its", row.get("retained_count") == 1, roots)
    total = sum(r["retained_bytes"] for r in roots)
    said = a.summary("top")
    a.check("roots add up", total == said.get("bytes"), (total, said))
    a.check("the ring is not in", said.get("leaked_count") == 2, said)
    if not a.audited:
        return
    sites = [r for r in rows if r["by"] == "site"]
    row = [
        r
        for r in sites
        if r["stack"] and r["stack"][0]["function"] == "fill_cache"
    ]
    counts = sorted(r["retained_count"] for r in row)
    a.check(
        "fill_cache is three sites: values, entries, the table",
        counts == [ENTRIES, 2 * ENTRIES, 2 * ENTRIES + 1],
        row,
    )


def check_errors(a):
    for name, words in (
        ("owns-freed", "is in a freed buffer of"),
        ("refs-variable", "is in no buffer"),
    ):
        error = a.doc[name].get("error", "")
        a.check("%s fails in words" % name, words in error, a.doc[name])


def main():
    answers = Answers(sys.argv[1], sys.argv[2] == "1")
    try:
        check_owns(answers)
        check_refs(answers)
        check_path(answers)
        check_top(answers)
        check_errors(answers)
    except KeyError as error:
        answers.failed += 1
        print("not ok: no answer for %s:\n%s" % (error, answers.text[-3000:]))
    print("%d passed, %d failed" % (answers.passed, answers.failed))


main()
