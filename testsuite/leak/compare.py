# SPDX-License-Identifier: MIT
"""Compare what findleaks said with what a program knows it lost.

compare.py OUTPUT TRUTH: OUTPUT is what GDB printed, with one JSON document of
findleaks in it; TRUTH is a file of truth.h, or leakbench's JSON.  Says what
differs and exits with 1, or says nothing.
"""
import json
import struct
import sys

KINDS = {1: "definite", 2: "indirect", 3: "possible", 4: "cycle"}


def read_said(path):
    """Address -> (kind, size, cache)."""
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read()
    start = text.find('{"umdb"')
    if start < 0:
        sys.exit("findleaks did not answer:\n" + text[-2000:])
    doc, _ = json.JSONDecoder().raw_decode(text[start:])
    said = {}
    for group in doc["rows"]:
        for buf in group["buffers"]:
            said[int(buf["addr"], 16)] = (
                group["kind"],
                buf["size"],
                group["cache"],
            )
    return said


def read_truth(path):
    """Address -> kind."""
    with open(path, "rb") as f:
        data = f.read()
    if data.startswith(b"{"):
        leaks = json.loads(data)["leaks"]
        name = {"direct": "definite"}
        return {
            int(leak["addr"], 16): name.get(leak["kind"], leak["kind"])
            for leak in leaks
        }
    mask = (1 << 64) - 1
    return {
        hidden ^ mask: KINDS[kind] for hidden, kind in struct.iter_unpack("<QQ", data)
    }


def main():
    said, truth = read_said(sys.argv[1]), read_truth(sys.argv[2])
    bad = []
    for addr in sorted(truth.keys() - said.keys()):
        bad.append(f"missed: {addr:#x}, {truth[addr]}")
    for addr in sorted(said.keys() - truth.keys()):
        kind, size, cache = said[addr]
        bad.append(f"not lost: {addr:#x}, {kind}, {size} bytes of {cache}")
    for addr in sorted(truth.keys() & said.keys()):
        want, have = truth[addr], said[addr][0]
        if want == "cycle":
            want = have if have in ("definite", "indirect") else "cycle"
        if want != have:
            bad.append(f"is {want}, was called {have}: {addr:#x}")
    cycle = [a for a in truth if truth[a] == "cycle" and a in said]
    if cycle and not any(said[a][0] == "definite" for a in cycle):
        bad.append("no member of a cycle was called definite")
    for line in bad[:10]:
        print("  " + line)
    if len(bad) > 10:
        print(f"  and {len(bad) - 10} more")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
