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
STEPPED = ("umem_oversize", "umem_alloc_112", "umem_alloc_512", "churn_objects")


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
    slab = max(field(address, "cache_chunks"), 1)
    # in a child nobody goes on with what the parent's threads were at
    threads = sum(len(i.threads()) for i in gdb.inferiors())
    if abs(total - len(seen)) > slab * threads:
        return "%s: %d visited of %d" % (row["name"], len(seen), total)
    free, _ = walk("freemem", address)
    used, _ = walk("umem", address)
    if sorted(free + used) != sorted(seen):
        return "%s: freemem and umem are not all" % row["name"]
    return None


def check(names=None):
    """None, or what is wrong with a cache: of these, or of all."""
    text = gdb.execute("umem cache -json", to_string=True)
    for row in json.loads(text)["rows"]:
        if not row["total"] and not field(row["addr"], "cache_buftotal"):
            continue
        wrong = None
        if names is None or row["name"] in names:
            wrong = check_cache(row)
        if wrong:
            return wrong
    text = gdb.execute("umem verify -json", to_string=True)
    for row in json.loads(text)["rows"]:
        if row["damage"]:
            return "%(cache)s: %(damage)s" % row
    return None


def start(fork):
    """Stop where the program works: a thread's, or a child's first step."""
    gdb.execute("set confirm off")
    gdb.execute("handle SIGINT stop nopass", to_string=True)
    if fork:  # the parent stays where it forked, for us to kill
        gdb.execute("set follow-fork-mode child")
        gdb.execute("set detach-on-fork off")
    gdb.execute("break " + ("child" if fork else "long_lived"), to_string=True)
    gdb.execute("run", to_string=True)
    gdb.execute("delete", to_string=True)


def moments(count, seed, fork=False):
    """Stop it from outside; most of the time is not the allocator's."""
    chance = random.Random(seed)
    start(fork)
    run(count, seed, fork, None,
        lambda: run_a_while(chance.random() * LONGEST))


def steps(count, seed):
    """Go on by a few instructions, through all that a thread does."""
    chance = random.Random(seed)
    start(False)
    run(count, seed, False, STEPPED, lambda: gdb.execute(
        "stepi %d" % chance.randrange(1, 60), to_string=True))


def run(count, seed, fork, names, go_on):
    """Print what is wrong and how often it was right."""
    passed = failed = 0
    for number in range(count):
        if number > 0:
            go_on()
        wrong = check(names)
        if wrong:
            failed += 1
            print("not ok: at a random moment (seed %d): %s" % (seed, wrong))
            gdb.execute("thread apply all -s bt 5")
        else:
            passed += 1
    gdb.execute("kill inferiors 1" + (" 2" if fork else ""), to_string=True)
    print("== %d %d" % (passed, failed))
