# SPDX-License-Identifier: MIT
"""Entry for GDB: gdb -x umem_gdb.py, or "source umem_gdb.py" in GDB.

Adds the umem commands; libumdb.so, which brings their list, is looked for
beside the tree, beside this file and where it is installed.  Sourcing it
twice is harmless.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    import umdb_commands  # noqa: E402

    umdb_commands.register()
finally:
    del sys.path[0]
