#!/bin/sh
# SPDX-License-Identifier: MIT
#
# demo.sh - a server leaks, dies, and its core says what it leaked and where
#
# For "make demo".  BUILD (build) says where the libraries are, CC (cc) the
# compiler.  Exits with 0 when every step worked and findleaks named the
# server's own functions.

set -u
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
build=${BUILD:-build}
case $build in
/*) ;;
*) build=$top/$build ;;
esac
lib=$build/libumem.so.1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP

fail() {
	echo "demo: $*" >&2
	exit 1
}

heading() {
	printf '\n======== %s\n\n' "$*"
}

# A core from the kernel, where it writes one into the working directory.
core_by_kernel() {
	case $(cat /proc/sys/kernel/core_pattern 2>/dev/null) in
	core | core.%p) ;;
	*) return 1 ;;
	esac
	# shellcheck disable=SC3045
	ulimit -c unlimited 2>/dev/null || return 1
	(env UMEM_DEBUG=$debug UMEM_LOGGING=$logging LD_PRELOAD="$lib" \
	    ./server; :) >server.out 2>&1
	for core in core core.[0-9]*; do
		test -s "$core" && return 0
	done
	return 1
}

# Otherwise from GDB, under which the server dies once more.
core_by_gdb() {
	core=core
	gdb -nx -batch -ex 'set startup-with-shell off' \
	    -ex "set environment UMEM_DEBUG $debug" \
	    -ex "set environment UMEM_LOGGING $logging" \
	    -ex "set environment LD_PRELOAD $lib" \
	    -ex run -ex "generate-core-file $core" ./server >server.out 2>&1 \
	    </dev/null
	test -s "$core"
}

# ask FILE COMMAND: what GDB says to the command, with the core
ask() {
	gdb -nx -batch -iex 'set debuginfod enabled off' \
	    -iex 'set pagination off' -x "$top/python/umem_gdb.py" \
	    -ex 'echo ----\n' -ex "$2" ./server "$core" >gdb.out 2>&1 ||
		fail "GDB failed: $(cat gdb.out)"
	sed '1,/^----$/d' gdb.out >"$1"
	test -s "$1" || fail "'$2' says nothing: $(cat gdb.out)"
}

debug=default
logging=transaction
settings="UMEM_DEBUG=$debug UMEM_LOGGING=$logging"
test -f "$lib" || fail "there is no $lib: run make first"
command -v gdb >/dev/null || fail "there is no gdb"

heading "a server, run with $settings"
cd "$dir" || exit 1
cp "$top/examples/server.c" . || exit 1
echo "$ cc -g -pthread -o server server.c"
${CC:-cc} -g -pthread -o server server.c || fail "server.c does not compile"
echo "$ $settings \\"
echo "      LD_PRELOAD=${lib#"$top"/} ./server"
core_by_kernel || core_by_gdb || fail "no core: $(cat server.out)"
echo "Segmentation fault (core dumped)"
echo "$ gdb -x python/umem_gdb.py server $core"

heading "umem status: what was recorded?"
ask status 'umem status'
cat status

heading "umastat: where is the memory? (caches in use)"
ask stat umastat
awk 'cache && NF > 2 && $3 == 0 && !/^Total/ { next }
     { print; if ($1 == "CACHE") cache = 1; if (NF == 0) cache = 0 }' stat

heading "umalog: what happened last? (the first records)"
ask log umalog
awk '{ print } NF == 0 && ++n == 3 { exit }' log

heading "findleaks -d: what was leaked, and by whom?"
ask leaks 'findleaks -d'
cat leaks

for f in login upload; do
	grep -q "$f" leaks || fail "findleaks does not name $f()"
done

heading "next"
echo "Try the same with a program of yours, or 'make check'; examples/README.md"
echo "shows what is said about overruns and memory used after it was freed."
