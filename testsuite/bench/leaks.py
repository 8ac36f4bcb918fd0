#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure findleaks, and the questions behind it, on cores of known heaps.

    make bench-leaks                           100k, 1M and 10M buffers
    make bench-leaks LEAKS="--sizes 1000000 --rounds 5"

Each round runs everything once: on each core GDB alone, findleaks, refs, path,
owns and top; the same program with and without LeakSanitizer's search; and
scan.c, which shows how fast this machine could mark.  Medians are shown.
Then a core of 60,000 mappings and 8 GiB, whose leaks are known: peak of the
anonymous memory of GDB, sampled in /proc.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LEAK = os.path.join(HERE, "..", "leak")
SHIM = os.path.join(HERE, "..", "..", "python", "umem_gdb.py")
# what is asked in a session of its own; all that a session made is kept
ASKED = ("findleaks", "umem refs g_tail", "umem path g_tail",
         "umem owns g_chunks", "umem top")
RATE = re.compile(r"searched in [\d.]+ seconds, ([\d.]+) GB/s")
TIME = re.compile(r"^TIME ([\d.]+)", re.M)


def median(x):
    x = sorted(x)
    return (x[(len(x) - 1) // 2] + x[len(x) // 2]) / 2


class Lab:
    def __init__(self, build, workdir):
        self.build, self.dir = os.path.abspath(build), workdir
        self.cc = os.environ.get("CC", "gcc").split()

    def path(self, *name):
        return os.path.join(self.dir, *name)

    def compile(self, source, name, *flags):
        subprocess.run([*self.cc, "-w", "-g", "-fno-inline", "-pthread",
                        "-fno-omit-frame-pointer", *flags, "-I", LEAK, "-o",
                        self.path(name), source], check=True)

    def core(self, name, command, **env):
        """The core that the kernel writes of a program that aborts."""
        where = self.path(name)
        os.makedirs(where)
        subprocess.run(
            ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", *command],
            cwd=where, stderr=subprocess.DEVNULL, check=False,
            env={**os.environ, **env, "LD_PRELOAD":
                 self.build + "/libumem.so.1"})
        for file in os.listdir(where):
            if file.startswith("core"):
                return os.path.join(where, file)
        sys.exit("SKIP: the kernel writes no core into the directory here")

    def gdb(self, program, core, *commands, stdout=subprocess.PIPE):
        """Start it; output is collected by the caller."""
        args = ["gdb", "-batch", "-nx", "-q", "-iex",
                "set debuginfod enabled off", "-x", SHIM,
                "-ex", "python import time"]
        for command in commands:
            args += ["-ex", command]
        env = {**os.environ, "UMDB_LIB": self.build + "/libumdb.so"}
        return subprocess.Popen([*args, self.path(program), core], env=env,
                                stdout=stdout, text=True,
                                stderr=subprocess.DEVNULL)

    def ask(self, core, command):
        """Seconds that a command takes, and the rate of its marking."""
        timed = ("python t = time.monotonic(); "
                 "s = gdb.execute('%s', to_string=True); "
                 "print('TIME', time.monotonic() - t)" % command)
        out = self.gdb("plain", core, timed,
                       "umem findleaks -v -n 0").communicate()[0]
        if not TIME.search(out):
            sys.exit("%s failed on %s:\n%s" % (command, core, out[-500:]))
        return float(TIME.search(out)[1]), float(RATE.search(out)[1])

    def load(self, core):
        start = time.monotonic()
        self.gdb("plain", core, "bt 1").communicate()
        return time.monotonic() - start

    def lsan(self, n):
        """Seconds that the search at exit adds."""
        took = {}
        for detect in "01":
            start = time.monotonic()
            subprocess.run(
                [self.path("lsan"), "-n", str(n), "-t", "/dev/null"],
                env={**os.environ, "LSAN_OPTIONS": "detect_leaks=" + detect},
                stderr=subprocess.DEVNULL, check=False)
            took[detect] = time.monotonic() - start
        return took["1"] - took["0"]

    def scan(self, core):
        size = min(os.path.getsize(core) >> 20, 1024)
        out = subprocess.run([self.path("scan"), str(size)], text=True,
                             capture_output=True, check=True).stdout
        return float(out)


def measure(lab, sizes, rounds):
    lab.compile(os.path.join(LEAK, "leakbench.c"), "plain", "-O1")
    lab.compile(os.path.join(LEAK, "leakbench.c"), "lsan", "-O1",
                "-fsanitize=leak")
    lab.compile(os.path.join(HERE, "scan.c"), "scan", "-O3", "-march=native")
    print("%-16s%9s%11s%9s%7s%10s%7s%8s" % (
        "", "gdb s", "findleaks", "LSan s", "ratio", "ns/buffer", "GB/s",
        "of scan") + "".join("%9s" % a.split()[1] for a in ASKED[1:]))
    for n in sizes:
        for debug in ("audit", ""):
            row(lab, n, debug, rounds)


def row(lab, n, debug, rounds):
    name = "%d %s" % (n, debug or "none")
    core = lab.core(name, [lab.path("plain"), "-n", str(n), "-m", "abort",
                           "-t", "truth"], UMEM_DEBUG=debug)
    runs = []
    for _ in range(rounds):
        run = {"load": lab.load(core), "lsan": lab.lsan(n),
               "scan": lab.scan(core)}
        for command in ASKED:
            run[command], rate = lab.ask(core, command)
            if command == "findleaks":
                run["rate"] = rate
        run["ratio"] = run["findleaks"] / max(run["lsan"], 1e-3)
        run["part"] = run["rate"] / run["scan"]
        runs.append(run)
    m = {k: median([r[k] for r in runs]) for k in runs[0]}
    print("%-16s%9.2f%11.3f%9.3f%7.2f%10.0f%7.2f%8.2f" % (
        name, m["load"], m["findleaks"], m["lsan"], m["ratio"],
        m["findleaks"] / n * 1e9, m["rate"], m["part"])
        + "".join("%9.3f" % m[a] for a in ASKED[1:]), flush=True)
    shutil.rmtree(os.path.dirname(core))


def anonymous(pid):
    """KiB of anonymous memory that a process has now."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii") as f:
            return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])
    except (OSError, TypeError):
        return 0


def segments(lab):
    """60,000 mappings and 8 GiB; returns whether the answer was right."""
    lab.compile(os.path.join(LEAK, "segments.c"), "segments", "-O1")
    core = lab.core("many", [lab.path("segments")], SEGMENTS="60000",
                    SPARSE="8", TRUTH=lab.path("truth"), UMEM_DEBUG="audit")
    with open(lab.path("said"), "w", encoding="utf-8") as said:
        start, peak = time.monotonic(), {}
        for command in ("bt 1", "findleaks -json"):
            p = lab.gdb("segments", core, command,
                        "python time.sleep(0.2)", stdout=said)
            peak[command] = 0
            while p.poll() is None:
                peak[command] = max(peak[command], anonymous(p.pid))
                time.sleep(0.01)
    right = subprocess.run(
        [sys.executable, os.path.join(LEAK, "compare.py"), lab.path("said"),
         lab.path("truth")], check=False).returncode == 0
    extra = (peak["findleaks -json"] - peak["bt 1"]) / 1024
    print("\n60,000 mappings, %.1f GiB: %s, %.0f MiB of anonymous memory "
          "above GDB's own %.0f, %.1f s"
          % (os.path.getsize(core) / 2**30, "right" if right else "WRONG",
             extra, peak["bt 1"] / 1024, time.monotonic() - start))
    return right and extra <= 2048


def main():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sizes", type=lambda t: [int(n) for n in t.split(",")],
                   default=[100000, 1000000, 10000000])
    p.add_argument("--rounds", type=int, default=3)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as workdir:
        lab = Lab(os.environ.get("BUILD", "build"), workdir)
        if args.sizes != [0]:
            measure(lab, args.sizes, args.rounds)
        return 0 if segments(lab) else 1


if __name__ == "__main__":
    sys.exit(main())
