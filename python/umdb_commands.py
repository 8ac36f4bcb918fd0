# SPDX-License-Identifier: MIT
"""The umem commands in GDB.  Names, help and completion come from C."""

import re

import gdb

import umdb_ffi as ffi
import umdb_functions
import umdb_live
import umdb_session
import umdb_settings
import umdb_target

session = umdb_session.Session()
stops = None  # umdb_live.Stops
waits = set()  # names of commands that may come before the process

EVENTS = (
    "cont",
    "exited",
    "new_objfile",
    "clear_objfiles",
    "free_objfile",
    "memory_changed",
    "register_changed",
    "inferior_call",
    "inferior_deleted",
    "executable_changed",
)


# What GDB completes better than we do.
COMPLETE = {
    ffi.COMPLETE_SYMBOL: gdb.COMPLETE_SYMBOL,
    ffi.COMPLETE_FILE: gdb.COMPLETE_FILENAME,
}


class ExitCode(gdb.Parameter):
    """Whether findings make a batch GDB exit with status 1.

    When on, umem findleaks and umem verify that find something end a GDB that
    was started with -batch, with exit status 1; commands that follow are not
    run then.  In an interactive GDB nothing changes."""

    set_doc = "Set whether findings make a batch GDB exit with status 1."
    show_doc = "Show whether findings make a batch GDB exit with status 1."

    def __init__(self):
        super().__init__(
            "umem exit-code", gdb.COMMAND_DATA, gdb.PARAM_BOOLEAN
        )
        self.value = False

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        return "Findings make a batch GDB exit with status 1: %s." % value


def is_batch():
    """True when GDB was started with -batch; it tells us in no other way."""
    with open("/proc/self/cmdline", "rb") as file:
        words = file.read().split(b"\0")[1:]
    for word in words:
        if word in (b"-args", b"--args"):
            return False
        if re.match(b"--?batch(-silent)?$", word):
            return True
    return False


def convenience(name, value):
    if hasattr(gdb, "set_convenience_variable"):
        gdb.set_convenience_variable(name, value)
    else:
        gdb.execute("set $%s = %d" % (name, value), to_string=True)


def run(line, between=False):
    """Run a command for the user: every failure is one sentence."""
    name = line.split(None, 1)[0]
    try:
        try:
            session.attach(between)
        except umdb_target.NoTarget:
            if gdb.selected_inferior().pid or name not in waits:
                raise
            session.attach_nothing()
        found, result = session.run(line)
    except umdb_session.Waiting as error:
        stops.wait(line)
        if not between:
            gdb.write("%s\n" % error)
        return
    except (umdb_target.NoTarget, OSError) as error:
        raise gdb.GdbError("%s: %s" % (name, error))
    except umdb_session.Failed as error:
        raise gdb.GdbError(str(error))
    except gdb.error as error:
        raise gdb.GdbError("%s: %s" % (name, str(error).split("\n")[0]))
    if not result:
        return
    convenience("_umem_found", found)
    convenience("_umem_" + result, found)
    if found and gdb.parameter("umem exit-code") and is_batch():
        gdb.execute("quit 1")


class Umem(gdb.Command):
    """Examine the memory allocator of a program that runs with libumem.so.

    The commands read a core file or a stopped process; nothing runs in it.
    Every command takes -json and then prints one JSON document instead."""

    def __init__(self):
        super().__init__("umem", gdb.COMMAND_DATA, prefix=True)

    def invoke(self, arg, _):
        if arg:
            run(arg)
        else:
            gdb.execute("help umem")


class Prefix(gdb.Command):
    """Settings of the umem commands."""

    def __init__(self, verb):
        self.verb = verb
        super().__init__(verb + " umem", gdb.COMMAND_DATA, prefix=True)

    def invoke(self, arg, from_tty):
        if arg:  # GDB has called those that there are
            raise gdb.GdbError(
                'Undefined %s umem command: "%s".  Try "help %s umem".'
                % (self.verb, arg, self.verb)
            )
        for name in ["umem exit-code"] + umdb_settings.names:
            gdb.execute("show " + name, from_tty)


class Dcmd(gdb.Command):
    """A row of the library's table of commands."""

    def __init__(self, gdb_name, name, command):
        self.name = name
        self.others = COMPLETE.get(command.complete)
        self.filters = "-c FUNCTION" in ffi.text(command.usage)
        super().__init__(gdb_name, gdb.COMMAND_DATA)

    def invoke(self, arg, _):
        self.dont_repeat()
        run(self.name + " " + arg)

    def complete(self, text, word):
        if word is None:
            return None
        last = text.split(" ")[-1]
        skip = len(last) - len(word)
        found = session.complete(self.name + " " + text)
        before = text[: len(text) - len(last)].split()
        if self.filters and before[-1:] == ["-c"]:
            return gdb.COMPLETE_SYMBOL
        if not found and self.others is not None:
            return self.others
        return [candidate[skip:] for candidate in found]


def taken(name):
    """True when GDB has such a command already."""
    try:
        gdb.execute("help " + name, to_string=True)
        return True
    except gdb.error:
        return False


def help_text(command):
    """Help as GDB shows it: the summary comes first."""
    usage = ("%s %s" % (ffi.text(command.name), ffi.text(command.usage)))
    return "%s\n\nUsage: umem %s [-json]\n\n%s" % (
        ffi.text(command.summary),
        usage.strip(),
        ffi.text(command.help),
    )


def add(command):
    name = ffi.text(command.name)
    alias = ffi.text(command.alias)
    if command.waits:
        waits.add(name)
    row = type("Dcmd", (Dcmd,), {"__doc__": help_text(command)})
    row("umem " + name, name, command)
    if alias and not taken(alias):
        row(alias, alias, command)


def register():
    """Add the commands once; again is harmless."""
    if getattr(gdb, "umem_registered", False):
        return
    try:
        lib = session.load()
    except OSError as error:
        gdb.write("umem: %s\n" % error, gdb.STDERR)
        return
    Umem()
    Prefix("set")
    Prefix("show")
    ExitCode()
    umdb_settings.register(lib)
    umdb_functions.register(session)
    index = 0
    while True:
        command = lib.umdb_command(index)
        if not command:
            break
        add(command.contents)
        index += 1
    for name in EVENTS:
        if hasattr(gdb.events, name):
            getattr(gdb.events, name).connect(session.invalidate)
    global stops
    stops = umdb_live.Stops(session, run)
    gdb.umem_registered = True
