# SPDX-License-Identifier: MIT
"""Does each command that may stand before a | give addresses to it?

Goes over the table of commands: one says that it has no addresses, or whatis
must know what it gave.  Sourced by golden.sh, with a buffer that is damaged,
stopped at a breakpoint of umem break.
"""

import os
import re

import gdb

# What a command needs to have something to give; $b is a buffer.
ARGUMENTS = {
    "log": "-n 1",
    "bufctl": "$b",
    "bufctl_audit": "$b",
    "walk": "umem",
    "print": "$b long",
    "break": "delete",
    "examine": "$b 1X",
    "mdb": "::findleaks",
    "whatis": "$b",
    "refs": "$b",
    "path": "$b",
    "owns": "$b",
    "allocdby": "1",
    "freedby": "1",
    "ugrep": "$b",
    "vmem_seg": "umem_heap",
    "snapshot": os.devnull,
    "diff": os.devnull,
}
NONE = "it has no addresses to give to a pipe"


def commands():
    """Their names, as umem dcmds lists them."""
    text = gdb.execute("umem dcmds", to_string=True)
    return [line.split()[0] for line in text.splitlines()[1:]]


def judge(name):
    """None, or what is wrong."""
    verb = "::" if name == "mdb" else ""
    line = "umem %s %s | %swhatis -q" % (name, ARGUMENTS.get(name, ""), verb)
    try:
        text = gdb.execute(line, to_string=True)
    except gdb.error as error:
        return None if NONE in str(error) else str(error)
    return None if re.search("^0x.* is ", text, re.M) else "gives nothing"


def pipes():
    passed = failed = 0
    for name in commands():
        wrong = judge(name)
        if wrong:
            failed += 1
            print("not ok: pipes: umem %s: %s" % (name, wrong))
        else:
            passed += 1
    print("== %d %d" % (passed, failed))
