#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare the library with glibc and with the allocators that are installed.

    make bench                       all of it, some minutes
    make bench BENCH="--only cfrac,m:lifo64 --rounds 5"
    make bench BENCH=--modes         the debug modes against plain glibc
    make bench-count                 instructions for an operation, by callgrind

In each round every allocator runs once, in an order that rotates with the
round, so that the machine's drift falls on all alike.  A ratio is taken against
glibc's run of the same round; the table shows the median of these ratios: of
wall time (or of the figure that the benchmark prints) and of the peak resident
set.  Lower is better everywhere.
"""
import argparse
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import cases
import count

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = "glibc"
PEERS = (("tcmalloc", "libtcmalloc_minimal.so.4"),
         ("jemalloc", "libjemalloc.so.2"), ("mimalloc", "libmimalloc.so.2"))
MODES = (("guards", {"UMEM_DEBUG": "guards"}),
         ("audit", {"UMEM_DEBUG": "audit"}),
         ("default+log", {"UMEM_DEBUG": "default",
                          "UMEM_LOGGING": "transaction"}))
MODE_CASES = ("cfrac", "sqlite3", "python3", "python3-malloc", "perl")


def installed(soname):
    """Path of a library that the loader knows, by the start of its name."""
    out = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True,
                         text=True, check=False).stdout
    for line in out.splitlines():
        if line.strip().startswith(soname) and "x86-64" in line:
            return line.split("=>")[1].strip()
    return None


def build(bindir):
    """Compile the benchmark programs."""
    cc = os.environ.get("CC", "gcc").split()
    os.makedirs(bindir, exist_ok=True)
    for name in ("micro", "threads", "cfrac", "launch"):
        subprocess.run(cc + ["-std=gnu11", "-D_GNU_SOURCE", "-O2",
                             "-fno-builtin", "-pthread", "-o",
                             os.path.join(bindir, name),
                             os.path.join(HERE, name + ".c")], check=True)


class Runner:
    """Runs one case under one allocator: {"time", "cpu", "rss"}, {"fail"} or
    {"skip"}."""

    def __init__(self, bindir, workdir, timeout):
        self.launch = os.path.join(bindir, "launch")
        self.workdir, self.timeout = workdir, timeout
        self.report = os.path.join(workdir, "report")
        self.libc = installed("libc.so.6") or ""

    def spawn(self, cmd, so, env, stdin, stdout):
        e = {k: v for k, v in os.environ.items()
             if k != "LD_PRELOAD" and not k.startswith("UMEM_")}
        e.update(env)
        if os.path.exists(self.report):
            os.unlink(self.report)
        return subprocess.Popen(
            [self.launch, self.report, str(self.timeout), so] + cmd,
            stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT, env=e)

    def reap(self, process):
        process.wait(self.timeout + 10)
        with open(self.report, encoding="utf-8") as f:
            wall, cpu, rss, status, late = f.read().split()
        if late == "1":
            return 0, 0, 0, "timeout %d s" % self.timeout
        status = int(status)
        if status < 0:
            status = "killed by " + signal.Signals(-status).name
        return float(wall), float(cpu), int(rss) / 1024, status

    def run(self, so, env, case):
        if case.get("redis"):
            return self.redis(so, env)
        out = os.path.join(self.workdir, "out")
        with open(case.get("stdin", os.devnull), "rb") as i, \
                open(out, "wb") as o:
            p = self.spawn(case["cmd"], so, {**case.get("env", {}), **env},
                           i, o)
            wall, cpu, rss, status = self.reap(p)
        with open(out, "rb") as f:
            text = f.read(100000).decode("utf-8", "replace")
        if status == 77:
            return {"skip": True}
        if status != 0:
            return {"fail": "status %s: %s" % (status, text[-150:].strip())}
        if "metric" in case:
            wall = float(re.search(case["metric"], text).group(1))
        return {"time": wall, "cpu": cpu, "rss": rss}

    def redis(self, so, env):
        """Requests through a socket; the sum of the inverse rates."""
        sock = os.path.join(self.workdir, "sock")
        # Debian's redis-server is linked with jemalloc; the C library first
        # in the search order makes it use the C library's malloc.
        so = so or self.libc
        with open(os.path.join(self.workdir, "redis.log"), "wb") as log:
            p = self.spawn(
                [shutil.which("redis-server"), "--port", "0", "--unixsocket",
                 sock, "--save", "", "--appendonly", "no", "--dir",
                 self.workdir], so, env, subprocess.DEVNULL, log)
            rate = self.ask_redis(p, sock)
            wall, cpu, rss, status = self.reap(p)
        if status != 0 or not rate:
            return {"fail": "redis-server: status %s" % status}
        return {"time": sum(1e6 / r for r in rate), "cpu": cpu, "rss": rss}

    def ask_redis(self, process, path):
        s = None
        for _ in range(400):
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(path)
                break
            except OSError:
                s.close()
                s = None
                time.sleep(0.01)
                if process.poll() is not None:
                    return None
        if s is None:
            process.terminate()
            return None
        q = subprocess.run(
            ["redis-benchmark", "-s", path, "-r", "100000", "-n", "60000",
             "-P", "16", "-c", "8", "-d", "100", "--csv", "-t",
             "set,get,lpush,hset,sadd,zadd"], capture_output=True, text=True,
            timeout=self.timeout, check=False)
        s.sendall(b"SHUTDOWN NOSAVE\r\n")
        s.close()
        return [float(r) for r in
                re.findall(r'^"[^"]+","([\d.]+)"', q.stdout, re.M)]


def median(x):
    x = sorted(x)
    return (x[(len(x) - 1) // 2] + x[len(x) // 2]) / 2


def geomean(x):
    return math.exp(sum(map(math.log, x)) / len(x)) if x else float("nan")


def ratios(runs, base, key):
    """Median of the ratios of runs of the same round, or None."""
    pairs = [(r[key], b[key]) for r, b in zip(runs, base)
             if key in r and key in b and b[key] > 0]
    return median([max(r, 1e-6) / b for r, b in pairs]) if pairs else None


def cell(runs, ratio):
    if any("fail" in r for r in runs):
        return "FAIL"
    if ratio is None:
        return "-"
    return "%.2f" % ratio if ratio < 100 else "%.0f" % ratio


def print_table(title, key, results, names, chosen):
    """One table; returns {case: {name: ratio}}."""
    value, width = {}, max(len(c) for c in chosen) + 2
    unit = {"time": "s|ns|us", "rss": "MiB"}[key]
    others = [n for n in names if n != BASE]
    print("\n%s, as a ratio to %s (median of paired rounds)\n" % (title, BASE))
    print("%-*s%10s" % (width, "", BASE + " " + unit)
          + "".join("%12s" % n for n in others)
          + ("%12s" % "umem/best" if "umem" in others else ""))
    for c in chosen:
        base = results[c][BASE]
        row = {n: ratios(results[c][n], base, key) for n in others}
        value[c] = {n: r for n, r in row.items() if r is not None}
        first = [r[key] for r in base if key in r]
        line = "%-*s%10s" % (width, c,
                             "%.3g" % median(first) if first else "-")
        line += "".join("%12s" % cell(results[c][n], row[n]) for n in others)
        rivals = [r for n, r in value[c].items() if n != "umem"] + [1.0]
        if row.get("umem") is not None:
            line += "%12.2f" % (row["umem"] / min(rivals))
        print(line)
    return value


def print_means(value, names, chosen, all_cases):
    """Geometric means over the cases that every allocator finished."""
    groups = {"all": [c for c in chosen
                      if all_cases[c]["group"] != "start-up"]}
    for c in chosen:
        groups.setdefault(all_cases[c]["group"], []).append(c)
    others = [n for n in names if n != BASE]
    print()
    for group, members in groups.items():
        whole = [c for c in members if all(n in value[c] for n in others)]
        if not whole:
            continue
        print("geomean %-28s" % ("%s (%d)" % (group, len(whole)))
              + "".join("%s %.3f  " % (n, geomean([value[c][n]
                                                  for c in whole]))
                        for n in others))


def print_machine(rounds):
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    print("%s, %d processors, Linux %s, %s %s; %d rounds, load %.1f"
          % (model, os.cpu_count(), os.uname().release, *os.confstr(
              "CS_GNU_LIBC_VERSION").split(), rounds, os.getloadavg()[0]))


def measure(runner, allocators, all_cases, chosen, rounds):
    names = list(allocators)
    results = {c: {n: [] for n in names} for c in chosen}
    for r in range(rounds):
        for k, c in enumerate(chosen):
            if sys.stderr.isatty():
                print("\r%d/%d %-20s" % (r + 1, rounds, c), end="",
                      file=sys.stderr)
            for n in names[(r + k) % len(names):] + names[:(r + k)
                                                          % len(names)]:
                so, env = allocators[n]
                results[c][n].append(runner.run(so, env, all_cases[c]))
    if sys.stderr.isatty():
        print("\r%40s\r" % "", end="", file=sys.stderr)
    return results


def choose(all_cases, args):
    chosen = [c for c in all_cases if c != "none"]
    if args.modes and not args.only:
        chosen = [c for c in chosen if c in MODE_CASES]
    if args.only:
        chosen = [c for c in chosen
                  if any(c.startswith(o) for o in args.only.split(","))]
    if args.skip:
        chosen = [c for c in chosen
                  if not any(c.startswith(o) for o in args.skip.split(","))]
    return chosen


def parse_args():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--only", help="cases that start with one of these, a,b")
    p.add_argument("--skip", help="leave out cases that start with these")
    p.add_argument("--modes", action="store_true",
                   help="the debug modes instead of the peers")
    p.add_argument("--count", action="store_true",
                   help="count instructions instead of time")
    p.add_argument("--timeout", type=int, default=60)
    p.add_argument("--json", help="write all runs to this file")
    p.add_argument("--list", action="store_true", help="name the cases")
    p.add_argument("--with", dest="more", action="append", default=[],
                   metavar="NAME=PATH", help="another allocator to compare")
    return p.parse_args()


def main():
    args = parse_args()
    buildir = os.path.abspath(os.environ.get("BUILD", "build"))
    bindir = os.path.join(buildir, "bench")
    umem = os.path.join(buildir, "libumem.so.1")
    build(bindir)
    peers = [(n, installed(so)) for n, so in PEERS]
    for name, path in peers:
        if path is None:
            print("SKIP: %s is not installed" % name)
    peers = [(n, p) for n, p in peers if p] + [
        tuple(m.split("=", 1)) for m in args.more]
    if args.count:
        return count.run(bindir, [(BASE, ""), ("umem", umem)] + peers)
    allocators = {BASE: ("", {}), "umem": (umem, {})}
    if args.modes:
        allocators.update({n: (umem, env) for n, env in MODES})
    else:
        allocators.update({n: (p, {}) for n, p in peers})
    with tempfile.TemporaryDirectory() as workdir:
        all_cases = cases.all_cases(bindir, workdir)
        chosen = choose(all_cases, args)
        if args.list:
            print("\n".join(chosen))
            return 0
        runner = Runner(bindir, workdir, args.timeout)
        results = measure(runner, allocators, all_cases, chosen, args.rounds)
    print_machine(args.rounds)
    names = list(allocators)
    for title, key in (("Time", "time"), ("Peak resident set", "rss")):
        value = print_table(title, key, results, names, chosen)
        print_means(value, names, chosen, all_cases)
    failures = sorted({"%s under %s: %s" % (c, n, r["fail"])
                       for c in chosen for n in names
                       for r in results[c][n] if "fail" in r})
    if failures:
        print("\nFailures\n\n" + "\n".join(failures))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
    return any(" under umem:" in f for f in failures)


if __name__ == "__main__":
    sys.exit(main())
