# SPDX-License-Identifier: MIT
"""The benchmarks: names, commands, and the inputs that they read.

A case is a dictionary: "cmd", and as needed "stdin" (a path), "env", "metric"
(a regular expression whose group 1 is the figure to compare instead of the wall
time), "group" (for the geometric means) and "redis".
"""
import os
import random
import shutil
import subprocess

PYTHON = """
import sys, json
def tree(d): return None if d == 0 else [tree(d - 1), d, tree(d - 1)]
def count(t): return 0 if t is None else 1 + count(t[0]) + count(t[2])
class P:
    def __init__(s, i): s.a, s.b, s.c = i, str(i), [i] * (i % 13)
total = 0
for r in range(int(sys.argv[1])):
    total += count(tree(13))
    d = {('k%d' % i): P(i) for i in range(8000)}
    s = ''.join(x.b for x in d.values())
    j = json.loads(json.dumps([{'id': i, 'n': 'name%d' % i,
                                'v': list(range(i % 9))}
                               for i in range(3000)]))
    parts = [s[i:i + 37] for i in range(0, len(s), 11)]
    parts.sort()
    total += len(parts) + len(j)
print(total)
"""

LUA = """
local function tree(d)
  if d == 0 then return {} end
  return {tree(d - 1), tree(d - 1)}
end
local t, n = {}, 0
for r = 1, tonumber(arg[1]) do
  tree(14)
  for i = 1, 20000 do
    t[i] = {x = i, s = "str" .. i .. ":" .. r, f = function() return i end}
  end
  local p = {}
  for i = 1, 5000 do p[#p + 1] = t[i].s .. t[#t - i + 1].s end
  n = n + #table.concat(p, ",")
end
print(n)
"""

PERL = """for $r (1..3) {
  my %h;
  for (1..25000) { $h{"k$_"} = [$_, "v" x ($_ % 50), {a => $_}]; }
  my @k = sort { $h{$a}[0] <=> $h{$b}[0] } keys %h; $n += @k
} print $n"""

CXX = """#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>
template <int N> struct T {
  std::map<int, std::vector<std::string>> m; std::set<long> s;
  int go(int k) { m[k].push_back(std::to_string(N)); s.insert(k + N);
    return (int)m.size() + T<N - 1>().go(k); } };
template <> struct T<0> { int go(int k) { return k; } };
int main(int c, char **v) {
  std::regex r(v[0]); std::unordered_map<std::string, std::function<int(int)>> f;
  f["x"] = [](int k) { return T<60>().go(k); };
  return std::regex_search("abc", r) + f["x"](c); }
"""

# micro.c: test, ops, threads
MICRO = (
    ("lifo64", 15000000, 1), ("lifo64", 20000000, 4), ("lifo1k", 10000000, 1),
    ("lifo4k", 4000000, 1), ("lifo32k", 2000000, 1), ("lifo256k", 50000, 1),
    ("fifo", 5000000, 1), ("random", 5000000, 1), ("random", 5000000, 4),
    ("live1m", 1000000, 1), ("calloc4k", 2000000, 1), ("calloc64", 10000000, 1),
    ("realloc_geo", 5000, 1), ("realloc_step", 2000000, 1),
    ("realloc_large", 150, 1), ("realloc_whole", 1500, 1),
    ("prodcons64", 2000000, 1), ("prodconsmix", 1500000, 1),
    ("mctor_batch", 6000000, 1))

# threads.c: workload, threads, scale
THREADS = (
    ("handover", 1, 300), ("handover", 2, 300), ("handover", 4, 300),
    ("server", 1, 300), ("server", 2, 300), ("server", 8, 300),
    ("sizes", 1, 100), ("sizes", 2, 100), ("sizes", 4, 100),
    ("mixed", 1, 200), ("mixed", 2, 200), ("mixed", 4, 200), ("mixed", 8, 200),
    ("mixed", 64, 200), ("large", 1, 60))


def write_sql(f):
    rng = random.Random(7)
    f.write("PRAGMA journal_mode=OFF;"
            "CREATE TABLE t(a INTEGER PRIMARY KEY,b TEXT,c REAL);BEGIN;\n")
    for i in range(40000):
        f.write("INSERT INTO t VALUES(%d,'%s',%f);\n"
                % (i, "x" * rng.randrange(5, 120) + str(i), rng.random()))
    f.write("COMMIT;CREATE INDEX i ON t(b);\n")
    for i in range(4000):
        f.write("SELECT count(*),max(b) FROM t WHERE a>%d AND a<%d "
                "GROUP BY a%%7 ORDER BY 2;\n" % (i * 9, i * 9 + 40))


def write_c(f):
    rng = random.Random(11)
    f.write("#include <stdio.h>\n#include <string.h>\n")
    for i in range(60):
        f.write("struct s%d { int a, b; struct s%d *n; char buf[%d]; };\n"
                % (i, i, rng.randrange(8, 90)))
        f.write("int f%d(struct s%d *p, int k) {\n  int t = k;\n"
                "  for (; p; p = p->n) {\n" % (i, i))
        for _ in range(8):
            f.write("    if (p->a %s %d) t += p->b * %d; "
                    "else t ^= (p->a << %d);\n"
                    % (rng.choice("<>"), rng.randrange(999),
                       rng.randrange(99), rng.randrange(1, 9)))
        f.write("    switch (t & 7) { case 0: t += strlen(p->buf); break; "
                "case 3: t *= 3; break; case 5: puts(p->buf); }\n")
        f.write("  }\n  return t%s;\n}\n"
                % (" + f%d(0, t)" % (i - 1) if i else ""))


def make_repository(path):
    """A git repository of 60 commits over 300 files, by fast-import."""
    rng = random.Random(3)
    words = ["w%d" % i for i in range(2000)]
    subprocess.run(["git", "init", "-q", path], check=True)
    out, files = [], {}
    for c in range(60):
        out.append("commit refs/heads/main\ncommitter A <a@b> %d +0000\n"
                   "data 6\ncommit\n" % (1700000000 + c))
        for n in range(300) if c == 0 else rng.sample(range(300), 40):
            lines = files.get(n) or [" ".join(rng.choices(words, k=9))
                                     for _ in range(150)]
            for _ in range(12):
                lines[rng.randrange(150)] = " ".join(rng.choices(words, k=9))
            files[n] = lines
            text = "\n".join(lines)
            out.append("M 644 inline d%d/f%d\ndata %d\n%s\n"
                       % (n % 17, n, len(text), text))
    subprocess.run(["git", "-C", path, "fast-import", "--quiet"],
                   input="".join(out).encode(), check=True)


def own_programs(bindir, cases):
    def add(name, exe, args, group, **more):
        cases[name] = dict(cmd=[os.path.join(bindir, exe)]
                           + [str(a) for a in args], group=group, **more)

    add("cfrac", "cfrac", [200000], "programs")
    for test, ops, threads in MICRO:
        name = "m:" + test + ("x%d" % threads if threads > 1 else "")
        add(name, "micro", [test, ops, threads], "micro",
            metric=r"ns/op=([\d.]+)")
    for work, threads, scale in THREADS:
        group = "threads" if work != "large" else "programs"
        add("t:%s%d" % (work, threads), "threads", [work, threads, scale],
            group)


def real_programs(workdir, cases):
    def path(name):
        return os.path.join(workdir, name)

    def write(name, text):
        with open(path(name), "w", encoding="utf-8") as f:
            if callable(text):
                text(f)
            else:
                f.write(text)

    def add(name, program, args, **more):
        if shutil.which(program):
            cases[name] = dict(cmd=[shutil.which(program)]
                               + [str(a) for a in args],
                               group="programs", **more)

    write("a.py", PYTHON)
    write("a.lua", LUA)
    write("a.cc", CXX)
    write("a.sql", write_sql)
    write("a.c", write_c)
    add("python3", "/usr/bin/python3", ["-I", path("a.py"), 15])
    add("python3-malloc", "/usr/bin/python3", [path("a.py"), 15],
        env={"PYTHONMALLOC": "malloc"})
    add("lua", "lua5.4", [path("a.lua"), 6])
    add("sqlite3", "sqlite3", [":memory:"], stdin=path("a.sql"))
    add("perl", "perl", ["-e", PERL])
    add("gcc-O2", "gcc", ["-O2", "-c", "-o", path("a.o"), path("a.c")])
    add("g++", "g++", ["-O0", "-c", "-o", path("b.o"), path("a.cc")])
    add("clang++", "clang++", ["-O0", "-c", "-o", path("c.o"), path("a.cc")])
    if shutil.which("git"):
        if not os.path.isdir(path("g.git")):
            make_repository(path("g.git"))
        add("git-log", "git", ["-C", path("g.git"), "log", "-p", "--stat",
                               "main"])
        add("git-repack", "git", ["-C", path("g.git"), "-c", "pack.threads=2",
                                  "pack-objects", "--all", "--no-reuse-delta",
                                  "--stdout", "-q"])
    if shutil.which("redis-server") and shutil.which("redis-benchmark"):
        cases["redis"] = dict(redis=True, group="programs")
    # start-up alone, and outside the means of the rest
    cases["true"] = dict(group="start-up", cmd=[
        "/bin/sh", "-c",
        "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done"])


def all_cases(bindir, workdir):
    cases = {}
    own_programs(bindir, cases)
    real_programs(workdir, cases)
    return cases
