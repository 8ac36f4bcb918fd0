# SPDX-License-Identifier: MIT
"""What profile.sh asks of files: compare.py QUESTION FILE...

Prints what is wrong, and then ends with 1.  The decoder of pprof files shares
nothing with the encoder in C.
"""

import gzip
import json
import sys

ODD = "<img src=x onerror=document.title='gone'>"
wrong = []


def check(condition, *what):
    if not condition:
        wrong.append(" ".join(str(word) for word in what))


def document(path):
    """The JSON document in what GDB printed."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    start = text.find('{"umdb"')
    if start < 0:
        sys.exit("%s holds no document: %s" % (path, text.strip()[-300:]))
    found = json.loads(text[start:])
    if "error" in found:
        sys.exit("%s: %s" % (path, found["error"]))
    return found


def leaf(row):
    """The innermost function of the program, or the cache."""
    for frame in row["stack"]:
        name = frame["function"]
        if name and name not in ("calloc", "malloc", "__libc_calloc"):
            return name
    return row["cache"]


# ------------------------------------------------------------------ differences


def truth(path):
    """Exactly the differences that grow.c makes."""
    rows = {}
    for row in document(path)["rows"]:
        rows[leaf(row)] = rows.get(leaf(row), []) + [
            (
                row["change"],
                row["count"] - row["count_before"],
                row["bytes"] - row["bytes_before"],
            )
        ]
    expected = {
        "grow": [("grown", 1000, 48000)],
        "shrink": [("shrunk", -20, -20000)],
        "vanish": [("gone", -1, -5000)],
        "appear": [("new", 1, 60000)],
        "lose": [("grown", 2, 400), ("grown", 2, 96)],
        ODD: [("new", 1, 77)],
    }
    for name, change in expected.items():
        check(rows.get(name) == change, name, rows.get(name), "not", change)
    for name in rows:
        check(name in expected, name, rows[name], "is not expected")
    changes = [
        row["bytes"] - row["bytes_before"] for row in document(path)["rows"]
    ]
    check(changes == sorted(changes, reverse=True), "not in order:", changes)


def same(path, other):
    """Two differences of the same things, one of a core, one of a snapshot."""

    def rows(name):
        return sorted(
            (
                row["change"],
                row["cache"],
                row["count"],
                row["bytes"],
                row["count_before"],
                row["bytes_before"],
                [frame["function"] for frame in row["stack"]],
            )
            for row in document(name)["rows"]
        )

    check(rows(path) == rows(other), path, "and", other, "differ")


def nothing(path):
    found = document(path)
    check(found["rows"] == [], "these differ:", found["rows"][:3])
    check(found["summary"]["groups"] > 5, "there are too few groups")


def rebuilt(path):
    """The same change, of a program that was built anew in between."""
    truth(path)
    notes = " ".join(document(path)["summary"].get("notes", []))
    check("built anew" in notes, "no note says so:", notes)


# --------------------------------------------------------------------- profiles


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of each field; bytes for what has a length."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value = data[at : at + size]
            check(len(value) == size, "a field is cut")
            at += size
        else:
            sys.exit("wire type %d" % (key & 7))
        yield key >> 3, value


def group(data):
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def packed(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value - (1 << 64) if value >= 1 << 63 else value)
    return values


class Pprof:
    """profile.proto, with everything that refers to something checked."""

    def __init__(self, path):
        with gzip.open(path) as file:
            top = group(file.read())
        self.strings = [text.decode("utf-8") for text in top[6]]
        check(self.strings[0] == "", "the first string is not empty")
        self.types = [
            tuple(self.string(kind, number) for number in (1, 2))
            for kind in map(group, top[1])
        ]
        mappings = self.table(top, 3)
        functions = self.table(top, 5)
        locations = self.table(top, 4)
        for mapping in mappings.values():
            check(mapping[2][0] < mapping[3][0], "an empty mapping")
            check(self.string(mapping, 5).startswith(("/", "[")), "file")
        self.ids = [self.string(m, 6) for m in mappings.values()]
        self.names = {}
        for number, location in locations.items():
            if 2 in location:
                check(location[2][0] in mappings, "no mapping", location)
            line = group(location[4][0])
            check(line[1][0] in functions, "no function", location)
            self.names[number] = self.string(functions[line[1][0]], 2)
            check(self.names[number], "a function has no name")
        self.samples = [self.sample(group(one)) for one in top.get(2, [])]
        check(self.string(top, 14) == "inuse_space", "the default type")
        check(top.get(9, [0])[0] > 10**18, "the time")

    def string(self, message, number):
        index = message.get(number, [0])[0]
        check(index < len(self.strings), "no string", index)
        return self.strings[index] if index < len(self.strings) else ""

    def table(self, top, number):
        found = {one[1][0]: one for one in map(group, top.get(number, []))}
        check(len(found) == len(top.get(number, [])), "ids twice", number)
        check(0 not in found, "an id is 0")
        return found

    def sample(self, message):
        values = packed(message[2][0])
        check(len(values) == len(self.types), "values without a type")
        labels = {}
        for label in map(group, message.get(3, [])):
            labels[self.string(label, 1)] = self.string(label, 2)
        stack = packed(message[1][0])
        check(stack, "a sample has no location")
        for number in stack:
            check(number in self.names, "no location", number)
        return [self.names.get(number) for number in stack], values, labels


def folded(path):
    """[(stack, numbers)] of collapsed stacks."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file.read().splitlines():
            words = line.split(" ")
            count = 1
            while words[-count - 1].isdigit() and count < 2:
                count += 1
            found.append(
                (
                    " ".join(words[:-count]).split(";"),
                    [int(word) for word in words[-count:]],
                )
            )
    return found


def leaks(path, pprof, stacks):
    found = document(path)
    rows = found["rows"]
    profile = Pprof(pprof)
    check(
        profile.types == [("inuse_objects", "count"), ("inuse_space", "bytes")],
        profile.types,
    )
    check(
        sorted((r["kind"], r["cache"], r["count"], r["bytes"]) for r in rows)
        == sorted(
            (labels["kind"], labels["cache"], values[0], values[1])
            for _, values, labels in profile.samples
        ),
        "rows and samples differ",
    )
    check(any(profile.ids), "no build id")
    by_kind = {}
    for stack, values in folded(stacks):
        by_kind[stack[0]] = by_kind.get(stack[0], 0) + values[0]
    for kind in ("definite", "indirect"):
        total = sum(r["bytes"] for r in rows if r["kind"] == kind)
        check(by_kind.get(kind, 0) == total, kind, by_kind, total)
    # what is lost, exactly: three, with one each hanging from it
    direct = [r for r in rows if leaf(r) == "lose" and r["kind"] == "definite"]
    check(sum(r["count"] for r in direct) == 3, "lost:", direct)
    check(sum(r["indirect_bytes"] for r in direct) == 144, "indirect:", direct)
    check(any(ODD in stack for stack, _, _ in profile.samples), "no", ODD)


def users(path, pprof, stacks):
    rows = [r for r in document(path)["rows"] if r["type"] == "group"]
    profile = Pprof(pprof)
    total = sum(row["bytes"] for row in rows)
    check(sum(v[1] for _, v, _ in profile.samples) == total, "sum of samples")
    check(sum(v[0] for _, v in folded(stacks)) == total, "sum of stacks")


def top(path, pprof, stacks):
    found = document(path)
    sites = [row for row in found["rows"] if row["by"] == "site"]
    profile = Pprof(pprof)
    check(
        [name for name, _ in profile.types]
        == [
            "inuse_objects",
            "inuse_space",
            "retained_objects",
            "retained_space",
        ],
        profile.types,
    )
    check(
        sorted((row["bytes"], row["retained_bytes"]) for row in sites)
        == sorted((v[1], v[3]) for _, v, _ in profile.samples),
        "rows and samples differ",
    )
    total = found["summary"]["bytes"]
    check(sum(v[1] for _, v, _ in profile.samples) == total, "sum of samples")
    check(sum(v[0] for _, v in folded(stacks)) == total, "sum of stacks")


def diff(path, pprof, stacks):
    summary = document(path)["summary"]
    profile = Pprof(pprof)
    change = summary["bytes"] - summary["bytes_before"]
    check(sum(v[1] for _, v, _ in profile.samples) == change, "sum of samples")
    check(any(v[1] < 0 for _, v, _ in profile.samples), "nothing is negative")
    lines = folded(stacks)
    check(
        [sum(v[i] for _, v in lines) for i in (0, 1)]
        == [summary["bytes_before"], summary["bytes"]],
        "sum of stacks",
    )


def page(path):
    """What the script of page.js found, as JSON in the page it left."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    start = text.find("RESULT{")
    if start < 0:
        sys.exit("the script did not run to its end: %s" % text[-300:])
    result = json.loads(text[start + 6 : text.index("}END", start) + 1])
    for name, value in result.items():
        check(value is True, name, value)


QUESTIONS = {
    function.__name__: function
    for function in (
        truth, same, nothing, rebuilt, leaks, users, top, diff, page
    )
}

if __name__ == "__main__":
    QUESTIONS[sys.argv[1]](*sys.argv[2:])
    for line in wrong[:5]:
        print("    " + line)
    sys.exit(1 if wrong else 0)
