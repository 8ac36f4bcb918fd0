# SPDX-License-Identifier: MIT
"""Run the golden tests of one variant inside GDB; sourced by golden.sh.

A test is NAME.cmd, GDB commands one a line, with NAME.out, what they print
after normalising; on a process where they print something else, with
NAME.VARIANT.out.  tst.* must succeed, err.* must end in an error.  Lines with
# in front steer it:

    # on VARIANT ...   processes to run it on (default: healthy)
    # at TARGET ...    core, gcore, live, remote (default: all)
    # keep REGEX       of the output keep only lines that match
    # pick KEY ...     of JSON rows keep only these members
    # where KEY VALUE  keep only JSON rows with that member
    # drop KEY ...     leave out these members of a JSON summary

Every JSON document is parsed; it is compared in a canonical form.

$SCRATCH in a command is a directory for files, which all processes share.
What ran, and what came of it, is left in $RAN/VARIANT.TARGET, for coverage.py
and members.py.
"""

import difflib
import glob
import json
import os
import re

import gdb

# Differ from run to run, from target to target and from libc to libc.
SUMMARY_DROPPED = (
    "notes",
    "candidates",
    "candidate_bytes",
    "root_bytes",
    "unread_bytes",
    "written",
    "checked",
)
RULES = (
    (r"0x[0-9a-f]{6,16}\b", "0xADDRESS"),
    (r"\+0x[0-9a-f]+", "+0xN"),
    (r"LWP \d+", "LWP N"),
    (r"T-\d+\.\d{9}", "T-TIME"),
    (r"\b\d+\.\d{9}\b", "TIME"),
    (r"(Process: +)\d+, read from \w+", r"\1N, read from TARGET"),
    (r"=\S+ \(\d+ record", r"=SIZE (N record"),
    (r"(Memory: ).*", r"\1..."),
    (r"(In use: ).*", r"\1..."),
    (r"\b\d+ records?\b", "N records"),
    (r"(^|(?<=[ \"]))/\S*/", ""),
    (r"( < __libc_\w+)+", ""),
    (r"(^|;)_start;(__libc_\w+;)*", r"\1"),
    (r"^\$\d+ =", "$N ="),
    (r"\d+(?=  (clean|no guards|\d+ (corrupt|damaged) \w+)$)", "N"),
    (r"(slab +0xADDRESS +)\d+", r"\1N"),
    (r"^\d+ caches that never", "N caches that never"),
    (r"umem \d+\.\d+\.\d+", "umem VERSION"),
    (r"\d+\.\d+ seconds", "N seconds"),
    (r"(?<=\S) {2,}", "  "),
)
LIBC_FRAME = re.compile(
    r"^ +(__libc_start|_start\+|__libc_init|start_thread|0x\w+ in libc\.so)"
)
# on some processors gdbserver cannot write all registers back, and says so
DROPPED = re.compile(
    r"^note: .* of (writable )?memory|^warning: |^Warning: ptrace\("
)


def normal_text(text):
    lines = []
    for line in text.splitlines():
        if LIBC_FRAME.match(line) or DROPPED.match(line):
            continue
        for pattern, replacement in RULES:
            line = re.sub(pattern, replacement, line)
        lines.append(line.rstrip())
    return lines


def normal_value(key, value):
    if isinstance(value, str):
        value = value.replace(os.getcwd() + "/", "")
        if key in ("module", "mapping", "file"):
            return os.path.basename(value)
        if key == "target":
            return "TARGET"
        return re.sub(r"0x[0-9a-f]{6,16}\b", "0xADDRESS", value)
    if value is not None and not isinstance(value, (list, dict, bool)):
        if key in ("thread", "time", "by", "offset", "pid", "oldest") or (
            key.endswith("_bytes") or key in ("buffers", "written")
        ):
            return "N"
    return normal_json(value)


def normal_json(value):
    if isinstance(value, dict):
        return {key: normal_value(key, item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    items = []
    for item in value:
        items.append(normal_json(item))
        if isinstance(item, dict) and item.get("function") == "main":
            break  # what is below main is libc's
    return items


def json_lines(text, steer):
    document = json.loads(text)
    rows = document.get("rows", [])
    for key, wanted in steer["where"]:
        rows = [row for row in rows if str(row.get(key)) == wanted]
    if steer["pick"]:
        rows = [{key: row[key] for key in steer["pick"]} for row in rows]
    summary = document.get("summary", {})
    for key in SUMMARY_DROPPED + tuple(steer["drop"]):
        summary.pop(key, None)
    if "file" in summary:
        summary["file"] = os.path.basename(summary["file"])
    head = {k: v for k, v in document.items() if k not in ("rows", "summary")}
    lines = [json.dumps(normal_json(head))]
    lines += [json.dumps(normal_json(row)) for row in rows]
    tail = re.sub(r"0x[0-9a-f]{6,16}\b", "0xADDRESS", json.dumps(summary))
    return lines + [tail]


def members(value, path=""):
    """Names of the members of a JSON value: "logs.name" for nested ones."""
    found = set()
    if isinstance(value, dict):
        for key, item in value.items():
            found.add(path + key)
            found |= members(item, path + key + ".")
    elif isinstance(value, list):
        for item in value:
            found |= members(item, path)
    return found


def result_of(text):
    """Whether a command had anything to show, beside what all commands say."""
    lines = [line for line in text.splitlines() if line[:6] != "note: "]
    return "nothing" if "".join(lines).strip() in ("", "0") else "text"


class Test:
    def __init__(self, path, record):
        self.record = record
        self.path = path
        self.name = os.path.basename(path)[: -len(".cmd")]
        self.commands = []
        self.steer = {
            "on": ["healthy"],
            "at": [],
            "keep": "",
            "pick": [],
            "drop": [],
            "where": [],
        }
        with open(path) as file:
            for line in file.read().splitlines():
                if not line.startswith("#"):
                    self.commands.append(line)
                    continue
                words = line[1:].split()
                if words and words[0] == "where":
                    self.steer["where"].append(words[1:3])
                elif words and words[0] == "keep":
                    self.steer["keep"] = line.split("keep ", 1)[1]
                elif words and words[0] in self.steer:
                    self.steer[words[0]] = words[1:]

    def run(self):
        """Lines of output; whether there was an error."""
        lines, failed = [], False
        scratch = os.environ["SCRATCH"]
        for command in self.commands:
            lines.append("(gdb) " + command)
            try:
                text = gdb.execute(
                    command.replace("$SCRATCH", scratch), to_string=True
                )
            except (gdb.error, KeyboardInterrupt) as error:
                failed = True
                self.record(command, "error")
                lines += normal_text("error: " + (str(error) or "Quit"))
                continue
            self.record(command, result_of(text), text)
            if text.startswith("{"):
                lines += json_lines(text, self.steer)
            elif self.steer["keep"]:
                lines += [
                    line
                    for line in normal_text(text)
                    if re.search(self.steer["keep"], line)
                ]
            else:
                lines += normal_text(text)
        return lines, failed

    def expected(self, variant, lines=None):
        """What it should print there; from now on that, where it is given."""
        common = self.path[: -len(".cmd")] + ".out"
        special = self.path[: -len(".cmd")] + ".%s.out" % variant
        if lines is not None:
            first = variant == self.steer["on"][0]
            if os.path.exists(special):
                os.unlink(special)
            if first or lines != self.expected(variant):
                with open(common if first else special, "w") as file:
                    file.write("\n".join(lines) + "\n")
            return lines
        for path in (special, common):
            if os.path.exists(path):
                with open(path) as file:
                    return file.read().splitlines()
        return []

    def check(self, variant, update):
        """None if it passes, else what is wrong."""
        lines, failed = self.run()
        if failed != self.name.startswith("err."):
            return "\n".join(["unexpected success or error:"] + lines)
        expected = self.expected(variant, lines if update else None)
        if lines == expected:
            return None
        return "\n".join(
            difflib.unified_diff(expected, lines, "expected", "got", "", "", 2)
        )


class Record:
    """What ran: a line of JSON each."""

    def __init__(self, variant, target):
        name = "%s.%s" % (variant, target)
        self.file = open(os.path.join(os.environ["RAN"], name), "w")

    def __call__(self, command, result, text=""):
        entry = {"command": command, "result": result}
        if text.startswith("{"):
            document = json.loads(text)
            entry["json"] = document["command"]
            for part in ("rows", "summary"):
                entry[part] = sorted(members(document.get(part)))
        json.dump(entry, self.file)
        self.file.write("\n")


def golden(variant, target, directory, update=False):
    passed = failed = 0
    record = Record(variant, target)
    for path in sorted(glob.glob(os.path.join(directory, "*.cmd"))):
        test = Test(path, record)
        at = test.steer["at"]
        if variant not in test.steer["on"] or (at and target not in at):
            continue
        try:
            first = at[0] if at else "core"
            wrong = test.check(variant, update and target in (first, variant))
        except Exception as error:
            wrong = "%s: %s" % (type(error).__name__, error)
        if wrong is None:
            passed += 1
        else:
            failed += 1
            print("not ok: %s on %s, %s\n%s" % (
                test.name, target, variant, wrong))
    record.file.close()
    print("== %d %d" % (passed, failed))
