# SPDX-License-Identifier: MIT
"""One session with libumdb.so: its callbacks, and keeping it up to date."""

import contextlib
import ctypes
import os
import re
import sys
import time

import gdb

import umdb_ffi as ffi
import umdb_target as target

# "0x401136 <main+16>"; a name may itself hold blanks, < and +
ADDRESS = re.compile(r"^0x[0-9a-f]+ <(.+?)(?:\+(\d+))?>$", re.S)
PROGRESS_AFTER = 1.0  # seconds

# Names that compilers made of others: of C++, Rust and D.
MANGLED = re.compile(r"^0x[0-9a-f]+ <_+[ZRD]")

# In force while a command runs, so that names come out plain and nothing
# runs in the process.
SETTINGS = {
    "print asm-demangle": "off",  # see named_address
    "print symbol-filename": "off",
    "print max-symbolic-offset": "unlimited",
    "may-call-functions": "off",
}


class Failed(Exception):
    """A command failed; the text is the sentence to show."""


class Waiting(Exception):
    """The line is to be run again later; the text says what for."""


class Settings:
    """Change GDB settings for a while."""

    def __enter__(self):
        self.old = {}
        for name, value in SETTINGS.items():
            try:
                self.old[name] = gdb.parameter(name)
                gdb.execute("set %s %s" % (name, value), to_string=True)
            except (gdb.error, RuntimeError):
                self.old.pop(name, None)

    def __exit__(self, *_):
        for name, value in self.old.items():
            if isinstance(value, bool):
                value = "on" if value else "off"
            elif value is None:
                value = "unlimited"
            gdb.execute("set %s %s" % (name, value), to_string=True)


class Session:
    def __init__(self):
        self.lib = None
        self.handle = None
        self.key = None
        self.stale = True
        self.interrupted = False
        self.failure = None
        self.progress = False
        self.started = None  # no command runs
        self.keep = []  # strings that C holds until the next call
        self.output = b""  # ... of a command of GDB
        self.line = ""  # that runs, or ran last
        self.pid = 0
        self.stops = None  # where breakpoints are kept, see umdb_live
        self.callbacks = ffi.Callbacks(
            None,
            ffi.READ(self.guard(self.read)),
            ffi.WRITE(self.guard(self.write)),
            ffi.SYMBOLISE(self.guard(self.symbolise)),
            ffi.LOOKUP(self.guard(self.lookup)),
            ffi.POLL(self.guard(self.poll)),
            ffi.POLL(self.guard(self.announce)),
            ffi.FRAMES(self.guard(self.frames)),
            ffi.EXECUTE(self.guard(self.execute)),
            ffi.POKE(self.guard(self.poke)),
            ffi.STOP_AT(self.guard(self.stop_at)),
            ffi.FORGET(self.guard(self.forget)),
        )

    # ------------------------------------------------------- callbacks
    # Each sets *ok as its last act.  Ctrl-C may raise at the entry of a
    # callback already, where only sys.unraisablehook sees it.

    def guard(self, function):
        def call(_, *args):
            try:
                if not self.interrupted:
                    function(*args)
            except KeyboardInterrupt:
                self.interrupted = True
            except gdb.error:
                pass
            except Exception as error:  # must not cross into C
                self.failure = self.failure or error

        return call

    def unraisable(self, hook):
        error = hook.exc_value
        if isinstance(error, KeyboardInterrupt):
            self.interrupted = True
        else:
            self.failure = self.failure or error

    def read(self, address, buffer, length, ok):
        data = gdb.selected_inferior().read_memory(address, length)
        ctypes.memmove(buffer, bytes(data), length)
        ok[0] = 1

    def write(self, address, length, ok):
        self.erase_progress()
        gdb.write(ffi.text(ctypes.string_at(address, length)))
        ok[0] = 1

    def symbolise(self, pc, symbol, ok):
        look = pc - 1 if pc else 0  # the call, not what follows it
        result = symbol[0]
        self.keep = []
        match = ADDRESS.match(named_address(look))
        if match:
            result.function = self.hold(match.group(1))
            result.offset = int(match.group(2) or 0) + pc - look
        result.module = self.hold(gdb.solib_name(look))
        line = gdb.find_pc_line(look)
        if line.symtab is not None and line.line > 0:
            result.file = self.hold(line.symtab.filename)
            result.line = line.line
        ok[0] = 1

    def hold(self, text):
        if not text:
            return None
        self.keep.append(text.encode("utf-8", "surrogateescape"))
        return self.keep[-1]

    def lookup(self, text, address, size, ok):
        expression = ffi.text(text)
        try:
            value = gdb.parse_and_eval(expression)
            code = value.type.strip_typedefs().code
        except gdb.error:  # a symbol without debug information
            value = gdb.parse_and_eval("(long)&(%s)" % expression)
            code = gdb.TYPE_CODE_INT
        placed = value.address  # None: a value that lies nowhere
        if code == gdb.TYPE_CODE_FUNC:
            address[0] = int(placed)
            size[0] = function_size(address[0])
        elif code in (
            gdb.TYPE_CODE_STRUCT,
            gdb.TYPE_CODE_UNION,
            gdb.TYPE_CODE_ARRAY,
        ):
            if placed is None:
                return
            address[0] = int(placed)
        else:
            address[0] = int(value) % (1 << 64)
        ok[0] = 1

    def frames(self, lwp, array, limit, count, ok):
        self.keep = []
        found = target.frames(lwp, limit, function_of_frame)
        for index, (stack_pointer, level, name) in enumerate(found):
            array[index].sp = stack_pointer
            array[index].level = level
            array[index].function = self.hold(name)
        count[0] = len(found)
        ok[0] = 1

    def execute(self, command, result, ok):
        try:
            with demangled():
                output = gdb.execute(ffi.text(command), to_string=True)
            code = 1
        except gdb.error as error:
            output, code = str(error), 2
        self.output = output.encode("utf-8", "replace")
        result[0] = self.output
        ok[0] = code

    def poke(self, address, buffer, length, ok):
        data = ctypes.string_at(buffer, length)
        gdb.selected_inferior().write_memory(address, data)
        self.invalidate()
        ok[0] = 1

    def stop_at(self, address, condition, entry, number, ok):
        number[0] = self.stops.stop_at(
            address, ffi.text(condition), entry, self.line
        )
        ok[0] = 1

    def forget(self, count, ok):
        count[0] = self.stops.forget()
        ok[0] = 1

    def poll(self, text, ok):
        if self.takes_long() and os.isatty(2):
            gdb.write("\r\033[K%s " % ffi.text(text), gdb.STDERR)
            gdb.flush(gdb.STDERR)
            self.progress = True
        ok[0] = 1

    def announce(self, text, ok):
        if self.started is not None:
            self.erase_progress()
            gdb.write(ffi.text(text) + "\n", gdb.STDERR)
            gdb.flush(gdb.STDERR)
        ok[0] = 1

    def takes_long(self):
        """Does a command run, no completion or condition, and for long?"""
        return (
            self.started is not None
            and time.monotonic() - self.started > PROGRESS_AFTER
        )

    def erase_progress(self):
        if self.progress:
            gdb.write("\r\033[K", gdb.STDERR)
            gdb.flush(gdb.STDERR)
            self.progress = False

    # ------------------------------------------------------------- state

    def load(self):
        if self.lib is None:
            self.lib = ffi.load()
        return self.lib

    def invalidate(self, *_):
        """For GDB's events: what was read may no longer be true."""
        self.stale = True
        if self.handle:
            self.lib.umdb_invalidate(self.handle)

    def close(self):
        if self.handle:
            self.lib.umdb_close(self.handle)
        self.handle = self.key = None

    def open(self, _, core, pid):
        error = ctypes.create_string_buffer(600)
        path = core.encode("utf-8", "surrogateescape") if core else None
        self.handle = self.lib.umdb_open(
            path, pid, ctypes.byref(self.callbacks), error, len(error)
        )
        if not self.handle:
            raise target.NoTarget(ffi.text(error.value))

    def attach(self, between=False):
        """Have a session for what GDB has selected."""
        self.load()
        number = gdb.selected_inferior().num
        if not self.stale and self.key and self.key[0] == number:
            return
        found = target.find(between)
        self.pid = gdb.selected_inferior().pid
        if self.key != (number, found) or not self.handle:
            self.close()
            self.open(*found)
            self.key = (number, found)
        self.tell(*found)
        self.stale = False

    def attach_nothing(self):
        """Have a session without a target, for a line that may wait."""
        self.load()
        self.close()
        self.open("none", None, 0)

    def tell(self, _, core, pid):
        """Mappings and threads; a core has its own registers."""
        if not core and not pid:
            array = target.regions()
            self.lib.umdb_set_regions(self.handle, array, len(array))
        array = target.threads(None if core else self.registers())
        self.lib.umdb_set_threads(self.handle, array, len(array))

    def registers(self):
        names, index = [], 0
        while True:
            name = self.lib.umdb_register(index)
            if not name:
                return names
            names.append(ffi.text(name))
            index += 1

    # ---------------------------------------------------------- commands

    def run(self, line):
        """Run a command line; returns what it found, and its name."""
        found = ctypes.c_uint64()
        self.line = line
        self.interrupted, self.failure = False, None
        self.started = time.monotonic()
        hook = getattr(sys, "unraisablehook", None)
        if hook:
            sys.unraisablehook = self.unraisable
        try:
            with Settings():
                code = self.lib.umdb_run(
                    self.handle, line.encode("utf-8", "replace"), found
                )
        finally:
            self.started = None
            if hook:
                sys.unraisablehook = hook
        self.erase_progress()
        if self.interrupted or code == ffi.EINTR:
            raise KeyboardInterrupt
        if self.failure:
            raise Failed("umem: %s" % self.failure)
        if code == ffi.EWAIT:
            raise Waiting(ffi.text(self.lib.umdb_error(self.handle)))
        if code != 0:
            raise Failed(ffi.text(self.lib.umdb_error(self.handle)))
        result = ffi.text(self.lib.umdb_result(self.handle))
        return found.value, result

    # ------------------------------------------------- between commands

    def same_process(self):
        inferior = gdb.selected_inferior()
        return (
            self.handle
            and self.key
            and self.key[0] == inferior.num
            and self.pid == inferior.pid
            and not (self.stale and self.key[1][1])
        )

    def buffer(self, address, state):
        """What an address is now, for breakpoints too."""
        result = ffi.Buffer()
        self.interrupted, self.failure = False, None
        if not self.same_process():
            self.attach(between=True)
        code = self.lib.umdb_buffer(self.handle, address, state, result)
        if self.interrupted:
            raise KeyboardInterrupt
        if code != 0:
            raise Failed(ffi.text(self.lib.umdb_error(self.handle)))
        return result

    def unwatch(self, entry):
        """A breakpoint is no more: let the process run fast again."""
        self.interrupted, self.failure = False, None
        if not self.same_process():
            self.attach(between=True)
        self.lib.umdb_unwatch(self.handle, entry)

    def complete(self, line):
        try:
            self.attach()
        except (OSError, target.NoTarget, gdb.error):
            if self.lib is None:
                return []
        found = self.lib.umdb_complete(
            self.handle if not self.stale else None, line.encode()
        )
        return ffi.text(found).split("\n")[:-1]


def format_address(pc):
    if hasattr(gdb, "format_address"):
        return gdb.format_address(pc)
    pointer = gdb.lookup_type("void").pointer()  # before GDB 13
    return gdb.Value(pc).cast(pointer).format_string(symbols=True)


def named_address(pc):
    """
    The same with the name that people gave.  Where a symbol is mangled GDB is
    asked to undo that, not of others: it takes "uv__loop" and "rootB" of C for
    names that Ada made, and shows "uv.loop" and "root".
    """
    text = format_address(pc)
    if MANGLED.match(text):
        with demangled():
            text = format_address(pc)
    return text


@contextlib.contextmanager
def demangled():
    gdb.execute("set print asm-demangle on", to_string=True)
    try:
        yield
    finally:
        gdb.execute("set print asm-demangle off", to_string=True)


def function_of_frame(frame):
    if frame.type() != gdb.NORMAL_FRAME or frame.function() is not None:
        return frame.name()
    inner = frame.newer()
    called = inner is not None and inner.type() != gdb.SIGTRAMP_FRAME
    match = ADDRESS.match(named_address(max(frame.pc() - called, 0)))
    return match.group(1) if match else frame.name()


def function_size(address):
    """Bytes of the function that starts at address; 0 if GDB cannot tell."""
    block = gdb.block_for_pc(address)
    while block is not None and block.function is None:
        block = block.superblock
    return block.end - address if block is not None else 0
