# SPDX-License-Identifier: MIT
"""Breakpoints of umem break: kept, lost with the process, had again.

Where they go, and what the library is told to wait for, is C's affair.  A
line that C says must wait is run again whenever the program loads something.
"""

import gdb


made = None  # see quietly


def quietly(make):
    """What make() makes, without what GDB says to that."""

    def keep():
        global made
        made = make()

    global made
    made = keep
    gdb.execute("python import umdb_live; umdb_live.made()", to_string=True)
    return made


class Stop(gdb.Breakpoint):
    """A breakpoint that a line asked for."""

    def __init__(self, address, condition, entry, line):
        super().__init__("*%d" % address)
        self.asked = self.enabled
        self.follow(condition, entry, line)

    def follow(self, condition, entry, line):
        self.entry = entry
        self.line = line
        self.inferior = gdb.selected_inferior().num
        if condition:
            self.condition = condition


class Stops:
    def __init__(self, session, run):
        self.session = session
        self.run = run
        self.stops = []
        self.waiting = []
        self.renewed = None  # enabled again, and its line runs
        self.busy = False
        session.stops = self
        for name in (
            "stop",
            "exited",
            "clear_objfiles",
            "new_objfile",
            "breakpoint_deleted",
            "breakpoint_modified",
            "gdb_exiting",
        ):
            if hasattr(gdb.events, name):
                getattr(gdb.events, name).connect(getattr(self, name))

    # ------------------------------------------------- what C asks for

    def stop_at(self, address, condition, entry, line):
        if self.renewed:
            self.renewed.follow(condition, entry, line)
            return self.renewed.number
        stop = quietly(lambda: Stop(address, condition, entry, line))
        self.stops.append(stop)
        return stop.number

    def forget(self):
        stops = self.stops
        count = len(stops) + len(self.waiting)
        self.waiting = []
        for stop in list(stops):
            stop.delete()
        return count

    def wait(self, line):
        if line not in self.waiting:
            self.waiting.append(line)

    # ------------------------------------------------------- GDB's events

    def release(self, stop):
        """Nobody waits for it any more, if its process is there."""
        if stop.entry < 0 or gdb.selected_inferior().num != stop.inferior:
            return
        try:
            self.session.unwatch(stop.entry)
        except Exception:  # running, or gone: the library notices by itself
            pass

    def breakpoint_deleted(self, stop):
        if stop in self.stops:
            self.stops.remove(stop)
            self.release(stop)

    def breakpoint_modified(self, stop):
        if stop not in self.stops or stop.enabled == stop.asked:
            return
        stop.asked = stop.enabled
        if not stop.enabled:
            self.release(stop)
            return
        self.renewed = stop
        try:
            self.try_line(stop.line)
        finally:
            self.renewed = None

    def exited(self, _):
        """Their addresses mean nothing in the next process."""
        for stop in list(self.stops):
            self.stops.remove(stop)
            self.wait(stop.line)
            stop.delete()

    clear_objfiles = exited

    def gdb_exiting(self, _):
        for stop in self.stops:
            self.release(stop)

    def new_objfile(self, _):
        if self.busy or not self.waiting:
            return
        self.busy = True
        lines, self.waiting = self.waiting, []
        try:
            for line in lines:
                self.try_line(line)
        finally:
            self.busy = False

    def try_line(self, line):
        try:
            self.run(line, between=True)
        except gdb.GdbError as error:
            gdb.write("%s\n" % error, gdb.STDERR)

    def stop(self, event):
        if any(stop in self.stops for stop in getattr(event, "breakpoints", [])):
            self.try_line("event")
