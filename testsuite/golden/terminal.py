# SPDX-License-Identifier: MIT
"""GDB on a terminal: its pager, Ctrl-C, and what a pipeline does then.

    python3 terminal.py GDB ARGUMENT...

Prints "not ok: ..." for what is wrong and "== PASSED FAILED" at the end.
"""

import os
import pty
import select
import signal
import sys

PROMPT = "(gdb) "
PATIENCE = 60  # seconds without a word: it hangs


class Terminal:
    def __init__(self, argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.execvp(argv[0], argv)
        self.seen = ""

    def expect(self, text):
        """Read until text comes; what came before it."""
        while text not in self.seen:
            if not select.select([self.fd], [], [], PATIENCE)[0]:
                raise AssertionError("no %r after %r" % (text, self.seen))
            self.seen += os.read(self.fd, 4096).decode("utf-8", "replace")
        before, self.seen = self.seen.split(text, 1)
        return before

    def send(self, text):
        os.write(self.fd, text.encode())

    def command(self, line):
        """Run a command; what it printed, without the line itself."""
        self.send(line + "\n")
        return self.expect(PROMPT).replace("\r", "").split("\n", 1)[1]


def addresses(text):
    return [line for line in text.split("\n") if line.startswith("0x")]


def completion_leaves_the_line_alone(gdb):
    """Also the first one, which has to read the heap."""
    gdb.send("umem cache session_\t")
    line = gdb.expect("session_cache ")
    assert line.strip() in ("", "umem cache"), line
    gdb.send("\x03")
    gdb.expect("Quit")
    gdb.expect(PROMPT)


def two_sessions(gdb):
    """All is as before."""
    assert len(addresses(gdb.command("umem walk session_cache"))) == 2


def pager_can_be_left(gdb):
    gdb.command("set height 12")
    for line in (
        "umem walk umem_cache | umem_verify",
        "umem walk freemem ! cat",
        "umem walk umem | whatis",
    ):
        gdb.send(line + "\n")
        gdb.expect("--Type <RET>")
        gdb.send("q\n")
        gdb.expect(PROMPT)
        two_sessions(gdb)


def pager_can_be_gone_through(gdb):
    gdb.send("umem walk umem_cache | umem_verify\n")
    gdb.expect("--Type <RET>")
    gdb.send("c\n")
    rest = gdb.expect(PROMPT)
    gdb.command("set height 0")
    assert "session_cache" in rest, rest


def ctrl_c_ends_a_shell_command(gdb):
    gdb.send("umem walk umem ! echo started; sleep 1000\n")
    gdb.expect("\nstarted")
    gdb.send("\x03")
    assert "Quit" in gdb.expect(PROMPT)
    two_sessions(gdb)


def ctrl_c_ends_a_loop(gdb):
    gdb.send("umem walk slab_free | findleaks -f ! echo; echo started; cat\n")
    gdb.expect("\nstarted")
    gdb.send("\x03")
    assert "Quit" in gdb.expect(PROMPT)
    two_sessions(gdb)


TESTS = (
    completion_leaves_the_line_alone,
    two_sessions,
    pager_can_be_left,
    pager_can_be_gone_through,
    ctrl_c_ends_a_shell_command,
    ctrl_c_ends_a_loop,
)


def main():
    failed = 0
    gdb = Terminal(sys.argv[1:])
    try:
        gdb.expect(PROMPT)
        for test in TESTS:
            try:
                test(gdb)
            except AssertionError as error:
                failed += 1
                print("not ok: %s: %s" % (test.__name__, error))
    except OSError as error:
        failed += 1
        print("not ok: GDB ended: %s, after %r" % (error, gdb.seen))
    os.kill(gdb.pid, signal.SIGKILL)
    print("== %d %d" % (len(TESTS) - failed, failed))


main()
