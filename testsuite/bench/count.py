# SPDX-License-Identifier: MIT
"""Instructions for one operation: callgrind on two lengths of the same run.

The difference of the two counts over the difference of the two lengths leaves
start-up out, and does not depend on the machine's load: a count, not a time.
The loop of the benchmark itself (15 to 25 instructions) is included.
"""
import os
import re
import shutil
import subprocess

# test, short run, long run, the most that the project allows itself
TESTS = (("lifo64", 20000, 60000, 50), ("lifo1k", 20000, 60000, 55),
         ("lifo4k", 20000, 60000, 70), ("fifo", 20000, 60000, 62),
         ("random", 20000, 60000, 62), ("live1m", 100000, 300000, 90),
         ("calloc64", 20000, 60000, 120), ("realloc_step", 20000, 60000, 110),
         ("cache_plain", 20000, 60000, 50), ("cache_lifo", 20000, 60000, None))


def instructions(micro, so, test, ops):
    env = {k: v for k, v in os.environ.items() if not k.startswith("UMEM_")}
    env["LD_PRELOAD"] = so
    # what is done by the clock would be in one run and not in the other
    env["UMEM_OPTIONS"] = "reap_interval=3600"
    p = subprocess.run(["valgrind", "--tool=callgrind",
                        "--callgrind-out-file=/dev/null", micro, test,
                        str(ops)], env=env, capture_output=True, text=True,
                       check=False)
    if p.returncode == 77:
        return None
    m = re.search(r"Collected : (\d+)", p.stderr)
    if p.returncode != 0 or not m:
        raise RuntimeError("%s: %s" % (test, p.stderr[-300:]))
    return int(m.group(1)), int(re.search(r"ops=(\d+)", p.stdout).group(1))


def per_op(micro, so, test, short, long):
    a = instructions(micro, so, test, short)
    b = instructions(micro, so, test, long)
    if a is None or b is None:
        return None
    return (b[0] - a[0]) / (b[1] - a[1])


def run(bindir, allocators):
    if not shutil.which("valgrind"):
        print("bench-count needs valgrind: apt-get install valgrind")
        return 1
    micro, over = os.path.join(bindir, "micro"), []
    print("instructions for one operation, loop included\n")
    print("%-14s%8s" % ("", "goal")
          + "".join("%10s" % n for n, _ in allocators))
    for test, short, long, goal in TESTS:
        line = "%-14s%8s" % (test, "-" if goal is None else "<= %d" % goal)
        for name, so in allocators:
            try:
                n = per_op(micro, so, test, short, long)
            except RuntimeError as e:
                line += "%10s" % "FAIL"
                over.append("%s under %s: %s" % (test, name, e))
                continue
            line += "%10s" % ("-" if n is None else "%.1f" % n)
            if name == "umem" and goal is not None and n is not None \
                    and n > goal:
                over.append("%s: %.1f is over the goal of %d"
                            % (test, n, goal))
        print(line, flush=True)
    print("\n" + "\n".join(over) if over else "\nall goals are met")
    return 0
