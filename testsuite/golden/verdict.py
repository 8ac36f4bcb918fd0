# SPDX-License-Identifier: MIT
"""What a script that golden.sh sources found right and wrong.

The lines are those that golden.sh adds up: see add_up there.
"""

LONGEST = 300  # of a value that is shown


class Verdict:
    def __init__(self, name):
        self.name = name
        self.passed = self.failed = 0

    def holds(self, what, good, found):
        """Whether it is good; if it is not, found says what there is."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("not ok: %s: %s: %s" % (self.name, what, found))
        return good

    def equal(self, what, expected, found):
        return self.holds(what, expected == found, "%s, not %s" % (
            str(found)[:LONGEST], str(expected)[:LONGEST]))

    def end(self):
        print("== %d %d" % (self.passed, self.failed))
