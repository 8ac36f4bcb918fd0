# SPDX-License-Identifier: MIT
"""Did some golden test use every command, name, option, word and walker?

What there is comes from the library's own table, what was used from golden.py,
for each kind of target with the healthy and the damaged heap.  A use counts
when it succeeded and showed something.  Called by golden.sh with the top of
the tree.
"""

import re
import shlex
import sys

sys.dont_write_bytecode = True
import table

HEAPS = ("healthy", "damaged")
ALWAYS = ("gcore", "live")  # the others are skipped where they cannot be had

# What cannot succeed, and where; it must have been refused there then.
DEAD = ("core", "gcore")
ALL = DEAD + ("live", "remote")
REFUSED = {
    ("break", ""): DEAD,
    ("event", ""): DEAD,
    ("examine", "-json"): ALL,
    ("walker", "umem_cpu"): ALL,
    ("walker", "umem_cpu_cache"): ALL,
}


def cut(line):
    """The commands of a pipeline, as words; without a shell command."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    stages = [[]]
    for word in lexer:
        if word == "!":
            break
        if word == "|":
            stages.append([])
        else:
            stages[-1].append(word)
    return stages


class Uses:
    def __init__(self, tree):
        self.commands, self.walkers = table.load(tree)
        self.names = {c.alias: c for c in self.commands.values() if c.alias}
        self.names.update(self.commands)

    def wanted(self):
        """All that there is: (command, what of it)."""
        for command in self.commands.values():
            yield command.name, ""
            yield command.name, command.name
            if command.alias:
                yield command.name, command.alias
            for what in command.options + command.words:
                yield command.name, what
        for walker in self.walkers:
            yield "walker", walker

    def walker(self, name):
        """The row that a name means: umem_ptc_ for umem_ptc_64."""
        bare = name.rstrip("0123456789")
        return bare if bare in self.walkers and bare[-1] == "_" else name

    def stage(self, words):
        """What one command of a pipeline uses."""
        name, words = words[0], words[1:]
        if name not in self.names and self.walker(name) in self.walkers:
            name, words = "walk", [name] + words
        if name not in self.names:
            return
        command = self.names[name]
        yield command.name, ""
        yield command.name, name
        arguments = []
        while words:
            word = words.pop(0)
            if not re.match("-[A-Za-z]", word):
                arguments.append(word)
            elif word in command.options and len(word) > 2:
                yield command.name, word
                if word in command.valued:
                    arguments += words[:1]
                    words = words[1:]
            else:
                for at, letter in enumerate(word[1:], 1):
                    yield command.name, "-" + letter
                    if "-" + letter in command.valued:
                        rest = [word[at + 1 :]] if word[at + 1 :] else []
                        rest, words = rest or words[:1], words[not rest :]
                        arguments += rest
                        break
        for word in arguments:
            yield command.name, word
        if command.name == "walk" and arguments:
            yield "walker", self.walker(arguments[0])

    def line(self, text):
        """What a line uses."""
        if text.split()[0] == "mdb":
            for what in ["", "mdb"] + ["-json"] * ("-json" in text.split()):
                yield "mdb", what
            return
        try:
            stages = cut(text)
        except ValueError:  # a quote that is never closed
            return
        for words in stages:
            if words and words[0] == "umem":
                words = words[1:]
            if words:
                yield from self.stage(words)

    def of(self, entries, *results):
        found = set()
        for entry in entries:
            if entry["result"] in results and entry["command"].strip():
                found |= set(self.line(entry["command"]))
        return found


def judge(uses, entries, target):
    """Sentences about what one process lacks; how much it has."""
    used = uses.of(entries, "text")
    refused = uses.of(entries, "error")
    wrong, right = [], 0
    for command, what in uses.wanted():
        name = ("%s %s" % (command, what)).strip()
        if target in REFUSED.get((command, what), ()):
            if (command, what) in used:
                wrong.append("%s is not refused" % name)
            elif (command, what) not in refused:
                wrong.append("nothing shows that %s is refused" % name)
            else:
                right += 1
        elif target in REFUSED.get((command, ""), ()):
            continue
        elif (command, what) in used:
            right += 1
        else:
            wrong.append("nothing uses %s" % name)
    return wrong, right


def main(tree):
    uses = Uses(tree)
    ran = table.ran()
    passed = failed = 0
    for heap in HEAPS:
        for target in ALL:
            if (heap, target) in ran:
                wrong, right = judge(uses, ran[heap, target], target)
            elif target in ALWAYS:
                wrong, right = ["nothing ran"], 0
            else:
                continue
            passed += right
            failed += len(wrong)
            for sentence in wrong:
                print("not ok: coverage: %s, %s" % (
                    sentence, "%s heap on %s" % (heap, target)))
    print("== %d %d" % (passed, failed))


main(sys.argv[1])
