# SPDX-License-Identifier: MIT
"""The C interface of libumdb.so, as in gdbext/umdb.h, for ctypes."""

import ctypes
import os
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int32
from ctypes import c_int64, c_uint32, c_uint64, c_void_p

ABI = 6
EINTR = -6  # enum umdb_code: stopped by the user
EWAIT = -9  # not yet: when the program has the library
COMPLETE_SYMBOL = 2  # enum dcmd_complete: functions, by the debugger
COMPLETE_FILE = 5  # names of files, by the debugger
HERE = os.path.dirname(os.path.abspath(__file__))


class Symbol(ctypes.Structure):
    _fields_ = [
        ("function", c_char_p),
        ("offset", c_uint64),
        ("module", c_char_p),
        ("file", c_char_p),
        ("line", c_int32),
        ("pad", c_int32),
    ]


class Frame(ctypes.Structure):
    _fields_ = [
        ("sp", c_uint64),
        ("level", c_uint32),
        ("pad", c_uint32),
        ("function", c_char_p),
    ]


OK = POINTER(c_int)
READ = CFUNCTYPE(None, c_void_p, c_uint64, c_void_p, c_uint64, OK)
WRITE = CFUNCTYPE(None, c_void_p, c_void_p, c_uint64, OK)
SYMBOLISE = CFUNCTYPE(None, c_void_p, c_uint64, POINTER(Symbol), OK)
LOOKUP = CFUNCTYPE(
    None, c_void_p, c_char_p, POINTER(c_uint64), POINTER(c_uint64), OK
)
EXECUTE = CFUNCTYPE(None, c_void_p, c_char_p, POINTER(c_char_p), OK)
POKE = CFUNCTYPE(None, c_void_p, c_uint64, c_void_p, c_uint64, OK)
STOP_AT = CFUNCTYPE(
    None, c_void_p, c_uint64, c_char_p, c_int32, POINTER(c_int32), OK
)
FORGET = CFUNCTYPE(None, c_void_p, POINTER(c_int32), OK)
POLL = CFUNCTYPE(None, c_void_p, c_char_p, OK)
FRAMES = CFUNCTYPE(
    None, c_void_p, c_uint32, POINTER(Frame), c_uint64, POINTER(c_uint64), OK
)


class Callbacks(ctypes.Structure):
    _fields_ = [
        ("arg", c_void_p),
        ("read", READ),
        ("write", WRITE),
        ("symbolise", SYMBOLISE),
        ("lookup", LOOKUP),
        ("poll", POLL),
        ("tell", POLL),
        ("frames", FRAMES),
        ("execute", EXECUTE),
        ("poke", POKE),
        ("stop_at", STOP_AT),
        ("forget", FORGET),
    ]


class Region(ctypes.Structure):
    _fields_ = [
        ("start", c_uint64),
        ("end", c_uint64),
        ("prot", c_uint32),
        ("pad", c_uint32),
        ("name", c_char_p),
    ]


class Thread(ctypes.Structure):
    _fields_ = [
        ("lwp", c_uint32),
        ("num", c_uint32),
        ("reg", c_uint64 * 18),
        ("vector", c_uint64 * 256),
        ("have_regs", c_uint32),
        ("pad", c_uint32),
    ]


class Command(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("alias", c_char_p),
        ("usage", c_char_p),
        ("summary", c_char_p),
        ("help", c_char_p),
        ("options", c_char_p),
        ("words", c_char_p),
        ("result", c_char_p),
        ("complete", c_int32),
        ("waits", c_int32),
    ]


class Buffer(ctypes.Structure):
    _fields_ = [
        ("base", c_uint64),
        ("size", c_uint64),
        ("cache", c_char_p),
        ("state", c_char_p),
    ]


class Setting(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("summary", c_char_p),
        ("help", c_char_p),
        ("words", c_char_p),
        ("value", c_int64),
    ]


FUNCTIONS = {
    "umdb_abi": (c_int, []),
    "umdb_layout_version": (c_int, []),
    "umdb_command": (POINTER(Command), [c_int]),
    "umdb_register": (c_char_p, [c_int]),
    "umdb_open": (
        c_void_p,
        [c_char_p, c_int, POINTER(Callbacks), c_char_p, c_uint64],
    ),
    "umdb_close": (None, [c_void_p]),
    "umdb_set_regions": (c_int, [c_void_p, POINTER(Region), c_uint64]),
    "umdb_set_threads": (c_int, [c_void_p, POINTER(Thread), c_uint64]),
    "umdb_run": (c_int, [c_void_p, c_char_p, POINTER(c_uint64)]),
    "umdb_error": (c_char_p, [c_void_p]),
    "umdb_result": (c_char_p, [c_void_p]),
    "umdb_complete": (c_char_p, [c_void_p, c_char_p]),
    "umdb_buffer": (c_int, [c_void_p, c_uint64, c_int, POINTER(Buffer)]),
    "umdb_unwatch": (c_int, [c_void_p, c_int32]),
    "umdb_setting": (POINTER(Setting), [c_int]),
    "umdb_set": (None, [c_int, c_int64]),
    "umdb_invalidate": (None, [c_void_p]),
}


def places():
    """Where libumdb.so may be: named, in the tree, beside us, installed."""
    named = os.environ.get("UMDB_LIB")
    if named:
        return [named]
    return [
        os.path.join(HERE, os.pardir, "build", "libumdb.so"),
        os.path.join(HERE, "libumdb.so"),
        "/usr/local/lib/umem-gdb/libumdb.so",
        "/usr/lib/umem-gdb/libumdb.so",
    ]


def load():
    """Load the library; OSError with a sentence when there is none."""
    for path in places():
        if not os.path.exists(path):
            continue
        lib = ctypes.CDLL(os.path.realpath(path))
        try:
            for name, (restype, argtypes) in FUNCTIONS.items():
                function = getattr(lib, name)
                function.restype = restype
                function.argtypes = argtypes
        except AttributeError as error:
            raise OSError("%s is not ours: %s" % (path, error))
        if lib.umdb_abi() != ABI:
            raise OSError(
                "%s has interface %d, but these scripts need %d"
                % (path, lib.umdb_abi(), ABI)
            )
        return lib
    raise OSError(
        "libumdb.so is not at %s; build it with make, or set UMDB_LIB"
        % places()[0]
    )


def text(value):
    """A C string as str; "" for NULL."""
    return value.decode("utf-8", "replace") if value else ""
