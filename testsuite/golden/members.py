# SPDX-License-Identifier: MIT
"""Do the manual and the commands agree about the members of JSON documents?

What the manual says are the names in braces below "JSON:" in the section of
each command, and one that stands right below it, which tells rows apart.  What
there is comes from golden.py, from all processes together.
A command to which that paragraph refers lends its names: they may occur, but
need not.  Called by golden.sh with the top of the tree.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
import table

# What any document may have, see "Output for programs" and "Pipelines".
GENERAL = {"notes", "addresses", "failed"}


def names(text):
    """Names in braces: "logs.name" for those of a list's rows."""
    found, path = set(), []
    for token in re.findall(r"\w+:\[\{|\w+|[{}]", text):
        if token == "}":
            path.pop()
            continue
        name = token.rstrip(":[{")
        if path and name:
            found.add("".join(path) + name)
        if token[-1] == "{":
            path.append(name + "." if name else "")
    return found


class Section:
    """What the manual says about one command's documents."""

    def __init__(self, text):
        said = {"rows": "", "summary": ""}
        kind = re.match(r"JSON:\n\.Li (\w+)\n", text)
        if kind:
            said["rows"] = "{%s}" % kind.group(1)
        self.lenders = re.findall(r"^\.Ic umem (\w+)", text, re.M)
        part = "rows"
        for line in text.splitlines():
            if line[:1] != ".":
                if re.match("[Ww]ith ?", line):
                    part = "rows"
                if re.search(r"\b[Ss]ummary\b", line):
                    part = "summary"
            elif line.startswith(".Li "):
                said[part] += line[4:] + " "
        self.said = {part: names(text) for part, text in said.items()}


def manual(tree):
    """The sections by command, and the members of a frame."""
    with open(os.path.join(tree, "doc", "umem_gdb.1")) as file:
        page = file.read()
    sections = {}
    for text in re.split(r"^\.S[sh] ", page, flags=re.M):
        name, _, rest = text.partition("\n")
        said = re.search(r"^JSON:.*", rest, re.M | re.S)
        if name.startswith("umem ") and said:
            sections[name[5:]] = Section(said.group())
    frame = re.search(r'^\{"pc".*\}$', page, re.M).group()
    return sections, set(re.findall(r'"(\w+)"', frame))


def real():
    """By command: members of rows and summaries that were seen; and frames'."""
    found, frame = {}, set()
    for entries in table.ran().values():
        for entry in entries:
            if "json" not in entry:
                continue
            parts = found.setdefault(
                entry["json"], {"rows": set(), "summary": set()}
            )
            for part in parts:
                for name in entry[part]:
                    before, inside, last = name.rpartition("stack.")
                    if inside and not before:
                        frame.add(last)
                    else:
                        parts[part].add(name)
    return found, frame


def differences(name, said, may, is_there):
    for member in sorted(said - is_there):
        yield "%s: the manual has %s, no document has" % (name, member)
    for member in sorted(is_there - said - may):
        yield "%s: the manual lacks %s" % (name, member)


def main(tree):
    commands, _ = table.load(tree)
    sections, frame = manual(tree)
    found, real_frame = real()
    wrong = list(differences("a frame", frame, set(), real_frame))
    passed = len(frame & real_frame)
    for name in commands:
        if name not in sections:
            continue  # the manual says that it has none
        section = sections[name]
        if name not in found:
            if section.said["rows"] | section.said["summary"]:
                wrong.append("%s: no document was seen" % name)
            continue
        for part in ("rows", "summary"):
            said = section.said[part]
            may = set(GENERAL) if part == "summary" else set()
            for lender in section.lenders:
                may |= sections[lender].said[part]
            there = found[name][part]
            wrong += differences("%s, %s" % (name, part), said, may, there)
            passed += len(said & there)
    for sentence in wrong:
        print("not ok: members: umem %s" % sentence)
    print("== %d %d" % (passed, len(wrong)))


main(sys.argv[1])
