# SPDX-License-Identifier: MIT
"""Stop churn at random moments: is every buffer in exactly one walk?

The walks umem, slab_free, depot and thread_free together must visit every
buffer of every cache once: as many as the cache says it has.  While its lock
is held a slab may be counted a moment before or after it is there.  Sourced by
golden.sh.
"""

import json
import os
import random
import threading

import gdb

WALKS = ("umem", "slab_free", "depot", "thread_free")
LONGEST = 0.03  # seconds between two stops


def run_a_while(seconds):
    """Continue and stop again wherever that is."""
    pid = gdb.selected_inferior().pid
    timer = threading.Timer(seconds, os.kill, (pid, 2))
    timer.start()
    gdb.execute("continue", to_string=True)
    timer.join()


def walk(name, start):
    text = gdb.execute("umem walk %s %s" % (name, start), to_string=True)
    lines = text.splitlines()
    notes = [line for line in lines if not line.startswith("0x")]
    return [line for line in lines if line.startswith("0x")], notes


def field(cache, name):
    return int(
        gdb.parse_and_eval("((struct umem_cache *)%s)->%s" % (cache, name))
    )


def check_cache(row):
    """None, or what is wrong with one cache."""
    address = row["addr"]
    seen, notes = [], []
    for name in WALKS:
        found, said = walk(name, address)
        seen += found
        notes += said
    if notes:
        return "%s: %s" % (row["name"], notes[0])
    if len(seen) != len(set(seen)):
        return "%s: a buffer is visited twice" % row["name"]
    if len(seen) != row["total"]:
        return "%s: %d visited, %d in umem cache" % (
            row["name"], len(seen), row["total"])
    total = field(address, "cache_buftotal")
    held = field(address, "cache_lock.lk_word") != 0
    slab = max(field(address, "cache_chunks"), 1)
    if abs(total - len(seen)) > (slab * 4 if held else 0):
        return "%s: %d visited of %d%s" % (
            row["name"], len(seen), total, ", locked" if held else "")
    free, _ = walk("freemem", address)
    used, _ = walk("umem", address)
    if sorted(free + used) != sorted(seen):
        return "%s: freemem and umem are not all" % row["name"]
    return None


def check():
    text = gdb.execute("umem cache -json", to_string=True)
    for row in json.loads(text)["rows"]:
        if not row["total"] and not field(row["addr"], "cache_buftotal"):
            continue
        wrong = check_cache(row)
        if wrong:
            return wrong
    return None


def moments(count, seed):
    """Print what is wrong and how often it was right."""
    chance = random.Random(seed)
    gdb.execute("set confirm off")
    gdb.execute("handle SIGINT stop nopass", to_string=True)
    gdb.execute("break long_lived", to_string=True)
    gdb.execute("run", to_string=True)
    gdb.execute("delete", to_string=True)
    passed = failed = 0
    for _ in range(count):
        run_a_while(chance.random() * LONGEST)
        wrong = check()
        if wrong:
            failed += 1
            print("not ok: at a random moment (seed %d): %s" % (seed, wrong))
        else:
            passed += 1
    gdb.execute("kill", to_string=True)
    print("== %d %d" % (passed, failed))
