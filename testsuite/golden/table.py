# SPDX-License-Identifier: MIT
"""The table of commands, asked from libumdb.so; and what ran, from golden.py.

Shared by coverage.py and members.py.
"""

import glob
import json
import os
import sys


class Command:
    """A row of the table, with its options as completion offers them."""

    def __init__(self, lib, row):
        self.name = row.name.decode()
        self.alias = row.alias.decode() if row.alias else ""
        self.words = row.words.decode().split() if row.words else []
        letters = row.options.decode() if row.options else ""
        self.options = offered(lib, self.name + " -")
        self.valued = {"-" + a for a, b in zip(letters, letters[1:]) if b == ":"}
        self.valued |= {"-folded", "-pprof", "-html"} & set(self.options)


def offered(lib, line):
    return lib.umdb_complete(None, line.encode()).decode().split()


def load(tree):
    """The commands by name, and the names of the walkers."""
    sys.path.insert(0, os.path.join(tree, "python"))
    import umdb_ffi

    lib = umdb_ffi.load()
    commands = {}
    index = 0
    while True:
        row = lib.umdb_command(index)
        if not row:
            break
        command = Command(lib, row.contents)
        commands[command.name] = command
        index += 1
    return commands, offered(lib, "walk ")


def ran():
    """By (variant, target): the entries that golden.py left."""
    found = {}
    for path in glob.glob(os.path.join(os.environ["RAN"], "*.*")):
        with open(path) as file:
            entries = [json.loads(line) for line in file]
        found[tuple(os.path.basename(path).split("."))] = entries
    return found
