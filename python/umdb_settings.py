# SPDX-License-Identifier: MIT
"""set umem ... and show umem ...: one parameter for each row of C's table."""

import gdb

import umdb_ffi as ffi

names = []  # in the order in which they are shown


class Setting(gdb.Parameter):
    def __init__(self, lib, index, row):
        self.lib = lib
        self.index = index
        self.about = ffi.text(row.summary)
        self.words = ffi.text(row.words).split()
        name = "umem " + ffi.text(row.name)
        if self.words:
            super().__init__(
                name, gdb.COMMAND_DATA, gdb.PARAM_ENUM, self.words
            )
            self.value = self.words[row.value]
        else:
            super().__init__(
                name, gdb.COMMAND_DATA, gdb.PARAM_ZUINTEGER_UNLIMITED
            )
            self.value = row.value
        names.append(name)

    def get_set_string(self):
        if self.words:
            value = self.words.index(self.value)
        else:
            value = -1 if self.value is None else self.value
        self.lib.umdb_set(self.index, value)
        return ""

    def get_show_string(self, value):
        about = self.about[0].upper() + self.about[1:]
        return "%s: %s." % (about, value)


def register(lib):
    index = 0
    while True:
        row = lib.umdb_setting(index)
        if not row:
            return
        about = ffi.text(row.contents.summary)
        members = {
            "__doc__": ffi.text(row.contents.help),
            "set_doc": "Set %s." % about,
            "show_doc": "Show %s." % about,
        }
        type("Setting", (Setting,), members)(lib, index, row.contents)
        index += 1
