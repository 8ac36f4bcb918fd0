# SPDX-License-Identifier: MIT
"""$_umem_cache(p) and its like, for expressions and breakpoint conditions."""

import gdb

import umdb_session
import umdb_target

TEXT = "_umem_text"  # of the last of these functions
LAST = """

Works on a stopped process, on a core file, and in the condition of a
breakpoint.  What is no buffer of the allocator's has %s."""


def place(value):
    """What a function, an array or a structure stands for: where it lies."""
    if value.type.strip_typedefs().code in (
        gdb.TYPE_CODE_FUNC,
        gdb.TYPE_CODE_ARRAY,
        gdb.TYPE_CODE_STRUCT,
        gdb.TYPE_CODE_UNION,
    ):
        value = value.address
        if value is None:
            raise gdb.GdbError("the value lies nowhere: it has no address")
    return value


class Function(gdb.Function):
    def __init__(self, session, name, pick, state=False):
        self.session = session
        self.pick = pick
        self.state = state
        super().__init__(name)

    def invoke(self, pointer):
        try:
            address = int(place(pointer)) % (1 << 64)
            found = self.session.buffer(address, self.state)
        except (
            gdb.error,
            umdb_session.Failed,
            umdb_target.NoTarget,
            OSError,
        ) as error:
            raise gdb.GdbError(str(error))
        return self.pick(found)


def text(name):
    """A string that GDB keeps itself, also for printf.

    It has to be that of a convenience variable: of another GDB makes a copy
    in the process, which a core does not have and a condition must not run.
    """
    char = gdb.Value("-").type.target()
    string = gdb.Value(name + b"\0", char.array(len(name)))
    gdb.set_convenience_variable(TEXT, string)
    return gdb.convenience_variable(TEXT)


def base(found):
    return gdb.Value(found.base).cast(gdb.lookup_type("void").pointer())


class Cache(Function):
    __doc__ = """$_umem_cache (POINTER): name of the cache of a buffer.

Compare it with $_streq: == compares addresses, for which GDB needs the string
in the process.""" + (
        LAST % "an empty name"
    )


class State(Function):
    __doc__ = (
        """$_umem_state (POINTER): "allocated", "free", "thread cache", """
        """"depot" or "not umem".

The two in the middle are free too: in a magazine of a thread, or of the
cache's depot.  Compare it with $_streq.""" + LAST % "the state \"not umem\""
    )


class Size(Function):
    __doc__ = """$_umem_size (POINTER): bytes that were asked for.

Where that was not recorded (see UMEM_DEBUG), and for a free buffer, it is
the size of the buffers of its cache.""" + LAST % "the size 0"


class Base(Function):
    __doc__ = """$_umem_base (POINTER): start of the buffer that holds it.""" + (
        LAST % "the start 0"
    )


def register(session):
    Cache(session, "_umem_cache", lambda found: text(found.cache))
    State(session, "_umem_state", lambda found: text(found.state), True)
    Size(session, "_umem_size", lambda found: found.size)
    Base(session, "_umem_base", base)
