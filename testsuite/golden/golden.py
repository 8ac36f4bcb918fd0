# SPDX-License-Identifier: MIT
"""Run the golden tests of one variant inside GDB; sourced by golden.sh.

A test is NAME.cmd, GDB commands one a line, with NAME.out, what they print
after normalising.  tst.* must succeed, err.* must end in an error.  Lines
with # in front steer it:

    # on VARIANT ...   processes to run it on (default: healthy)
    # at TARGET ...    core, gcore, live, remote (default: all)
    # keep REGEX       of the output keep only lines that match
    # pick KEY ...     of JSON rows keep only these members
    # where KEY VALUE  keep only JSON rows with that member

Every JSON document is parsed; it is compared in a canonical form.
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
    (r"(?<=[ \"])/\S*/", ""),
    (r"\d+(?=  (clean|no guards|\d+ corrupt buffers?)$)", "N"),
    (r"(slab +0xADDRESS +)\d+", r"\1N"),
    (r"^\d+ caches that never", "N caches that never"),
    (r"umem \d+\.\d+\.\d+", "umem VERSION"),
    (r"\d+\.\d+ seconds", "N seconds"),
    (r"(?<=\S) {2,}", "  "),
)
LIBC_FRAME = re.compile(
    r"^ +(__libc_start|_start\+|__libc_init|start_thread|0x\w+ in libc\.so)"
)
DROPPED = re.compile(r"^note: .* of writable memory|^warning: ")


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
        if key in ("thread", "time", "by", "offset", "pid") or (
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
    for key in SUMMARY_DROPPED:
        summary.pop(key, None)
    head = {k: v for k, v in document.items() if k not in ("rows", "summary")}
    lines = [json.dumps(normal_json(head))]
    lines += [json.dumps(normal_json(row)) for row in rows]
    tail = re.sub(r"0x[0-9a-f]{6,16}\b", "0xADDRESS", json.dumps(summary))
    return lines + [tail]


class Test:
    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)[: -len(".cmd")]
        self.commands = []
        self.steer = {
            "on": ["healthy"],
            "at": [],
            "keep": "",
            "pick": [],
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
        for command in self.commands:
            lines.append("(gdb) " + command)
            try:
                text = gdb.execute(command, to_string=True)
            except (gdb.error, KeyboardInterrupt) as error:
                failed = True
                lines += normal_text("error: " + (str(error) or "Quit"))
                continue
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

    def check(self, update):
        """None if it passes, else what is wrong."""
        out = self.path[: -len(".cmd")] + ".out"
        lines, failed = self.run()
        if failed != self.name.startswith("err."):
            return "\n".join(["unexpected success or error:"] + lines)
        if update:
            with open(out, "w") as file:
                file.write("\n".join(lines) + "\n")
            return None
        expected = []
        if os.path.exists(out):
            with open(out) as file:
                expected = file.read().splitlines()
        if lines == expected:
            return None
        return "\n".join(
            difflib.unified_diff(expected, lines, "expected", "got", "", "", 2)
        )


def golden(variant, target, directory, update=False):
    passed = failed = 0
    for path in sorted(glob.glob(os.path.join(directory, "*.cmd"))):
        test = Test(path)
        at = test.steer["at"]
        if variant not in test.steer["on"] or (at and target not in at):
            continue
        try:
            first = at[0] if at else "core"
            wrong = test.check(update and target in (first, variant))
        except Exception as error:
            wrong = "%s: %s" % (type(error).__name__, error)
        if wrong is None:
            passed += 1
        else:
            failed += 1
            print("not ok: %s on %s, %s\n%s" % (
                test.name, target, variant, wrong))
    print("== %d %d" % (passed, failed))
