#!/bin/bash
# SPDX-License-Identifier: MIT
#
# All commands of the debugger library on damaged cores; see fuzz/fuzz.c.
#
# Usage: make fuzz [ROUNDS=300] [SEED=...] [SAN=address,undefined]
# Repeat one round: build/fuzz/fuzz build/fuzz/core SEED 0 ROUND
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${BUILD:-build}")
cc=${CC:-gcc}
out=$build/fuzz
seed=${SEED:-$(($(date +%s) * 1000 + $$ % 1000))}
san=${SAN:+-fsanitize=$SAN -fno-sanitize-recover=all}
lib=$build/libumem.so.1

fail()
{
	echo "not ok: $*"
	echo "0 passed, 1 failed"
	exit 1
}

# The process that is dumped runs the library as it is shipped.
if [ -n "${SAN:-}" ]; then
	make -s BUILD=build SAN= build/libumem.so.1 || fail "no libumem.so.1"
	lib=$PWD/build/libumem.so.1
fi
mkdir -p "$out/include/sys"
ln -sf "$PWD/liballoc/umem.h" "$out/include/umem.h"
ln -sf "$PWD/liballoc/vmem.h" "$out/include/sys/vmem.h"
$cc -g -O0 -pthread -I"$out/include" -o "$out/victim" \
    testsuite/fuzz/victim.c "$lib" -Wl,-rpath,"$(dirname "$lib")" ||
	fail "victim.c does not compile"
# shellcheck disable=SC2086 # words on purpose
$cc -std=gnu11 -D_GNU_SOURCE -g -O1 -Igdbext $san -o "$out/fuzz" \
    testsuite/fuzz/fuzz.c "$build/libumdb.so" -Wl,-rpath,"$build" ||
	fail "fuzz.c does not compile"

mkfifo "$out/fifo.$$" || fail "no fifo"
UMEM_DEBUG=default UMEM_LOGGING=transaction=64k,contents=64k,slab \
    "$out/victim" >"$out/fifo.$$" &
victim=$!
read -r _ <"$out/fifo.$$"
rm -f "$out/fifo.$$" "$out"/core*
gcore -o "$out/core" "$victim" >"$out/gcore.log" 2>&1
kill "$victim"
wait "$victim" 2>/dev/null
mv "$out/core.$victim" "$out/core" || fail "gcore: $(tail -3 "$out/gcore.log")"
# umem snapshot writes files of whatever name it is given
rm -rf "$out/files" && mkdir "$out/files" && cd "$out/files" &&
	"$out/fuzz" "$out/core" "$seed" "${ROUNDS:-300}"
