# SPDX-License-Identifier: MIT
"""What GDB has in front of it: which target, its mappings, its threads."""

import os
import re

import gdb

import umdb_ffi as ffi

MAPPING = re.compile(
    r"^\s*0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+"
    r"(?:\s+([r-][w-][x-][ps-]))?(?:\s+(.*\S))?\s*$"
)
CORE_LINE = re.compile(r"^\s+`(.*)', ", re.M)


class NoTarget(Exception):
    """There is nothing to look at; the text says why."""


def kind_of(inferior):
    """'core', 'native', or what else GDB reads memory through."""
    connection = getattr(inferior, "connection", None)
    if connection is not None:
        return connection.type
    try:  # before GDB 12
        about = gdb.execute("info target", to_string=True)
    except gdb.error:
        return "unknown"
    if "Local core dump file" in about:
        return "core"
    if "running image of" in about or "Native process" in about:
        return "native"
    return "unknown"


def is_core(path):
    try:
        with open(path, "rb") as file:
            head = file.read(18)
    except OSError:
        return False
    return head[:4] == b"\x7fELF" and head[16:18] == b"\x04\x00"


def core_path(inferior):
    """Path of the core file, or None: then everything goes through GDB."""
    corefile = getattr(inferior, "corefile", None)
    if corefile is not None:
        return corefile.filename
    about = gdb.execute("info files", to_string=True)
    for path in CORE_LINE.findall(about):
        if is_core(path):
            return path
    for number in os.listdir("/proc/self/fd"):
        path = "/proc/self/fd/" + number
        try:
            if os.path.isfile(path) and is_core(path):
                return os.readlink(path)
        except OSError:
            continue
    return None


def find(between=False):
    """(kind, core, pid) of what is selected; NoTarget if it cannot be read.

    Between: GDB has stopped it for a moment, and goes on by itself."""
    inferior = gdb.selected_inferior()
    threads = inferior.threads()
    if inferior.pid == 0 and not threads:
        raise NoTarget(
            "there is no process and no core file: start GDB with a core,"
            " or use run, attach or core-file"
        )
    if not between and any(thread.is_running() for thread in threads):
        raise NoTarget("the process is running: interrupt it first")
    kind = kind_of(inferior)
    if kind == "core":
        return kind, core_path(inferior), 0
    if kind == "native":
        return kind, None, inferior.pid
    return kind, None, 0


def regions():
    """Mappings as GDB lists them, as an array for umdb_set_regions."""
    found = []
    try:
        listing = gdb.execute("info proc mappings", to_string=True)
    except gdb.error:
        listing = ""
    for line in listing.splitlines():
        match = MAPPING.match(line)
        if not match:
            continue
        flags = match.group(3) or "rw-p"
        prot = sum(
            bit
            for bit, letter in ((1, "r"), (2, "w"), (4, "x"), (8, "s"))
            if letter in flags
        )
        name = (match.group(4) or "").encode("utf-8", "surrogateescape")
        found.append(
            ffi.Region(
                int(match.group(1), 16), int(match.group(2), 16), prot, 0, name
            )
        )
    return (ffi.Region * len(found))(*found)


def read_registers(entry, names):
    """Fill in the registers of the selected thread."""
    frame = gdb.newest_frame()
    for index, name in enumerate(names):
        entry.reg[index] = int(frame.read_register(name)) % (1 << 64)
    entry.have_regs = 1
    if not in_system_call(frame):
        read_vectors(entry, frame)


def in_system_call(frame):
    """Whether the selected thread is stopped behind a system call.

    Calls preserve no vector register: then they hold nothing that counts."""
    try:
        code = gdb.selected_inferior().read_memory(frame.pc() - 2, 2)
    except (gdb.error, OverflowError):
        return False
    return bytes(code) == b"\x0f\x05"


VECTORS = (("zmm", 32, "v8_int64"), ("ymm", 16, "v4_int64"), ("xmm", 16, "v2_int64"))


def read_vectors(entry, frame):
    """Fill in the vector registers, as long as this machine has them."""
    for name, count, field in VECTORS:
        try:
            for index in range(count):
                lanes = frame.read_register("%s%d" % (name, index))[field]
                low, high = lanes.type.range()
                for lane in range(low, high + 1):
                    entry.vector[index * 8 + lane] = int(lanes[lane]) % (1 << 64)
            return
        except (gdb.error, ValueError):
            continue


def threads(names):
    """All threads as an array; with registers if names are given."""
    listed = sorted(
        gdb.selected_inferior().threads(), key=lambda thread: thread.num
    )
    array = (ffi.Thread * len(listed))()
    selected = gdb.selected_thread()
    frame = gdb.selected_frame() if selected and names else None
    try:
        for entry, thread in zip(array, listed):
            entry.lwp = thread.ptid[1] or thread.ptid[0]
            entry.num = thread.num
            if not names:
                continue
            try:
                thread.switch()
                read_registers(entry, names)
            except (gdb.error, ValueError):
                entry.have_regs = 0
    finally:
        if names and selected and selected.is_valid():
            selected.switch()
            if frame is not None and frame.is_valid():
                frame.select()
    return array


def walk(limit, name_of):
    """(stack pointer, level, function) of the selected thread's frames."""
    found = []
    frame = gdb.newest_frame()
    while frame is not None and len(found) < limit:
        pointer = int(frame.read_register("sp")) % (1 << 64)
        found.append((pointer, len(found), name_of(frame)))
        frame = frame.older()
    return found


def frames(lwp, limit, name_of):
    """Frames of a thread, innermost first, those that called main too."""
    selected = gdb.selected_thread()
    frame = gdb.selected_frame() if selected else None
    beyond = gdb.parameter("backtrace past-main")
    try:
        for thread in gdb.selected_inferior().threads():
            if lwp == (thread.ptid[1] or thread.ptid[0]):
                thread.switch()
                break
        else:
            return []
        gdb.execute("set backtrace past-main on", to_string=True)
        return walk(limit, name_of)
    finally:
        if not beyond:
            gdb.execute("set backtrace past-main off", to_string=True)
        if selected and selected.is_valid():
            selected.switch()
            if frame is not None and frame.is_valid():
                frame.select()
