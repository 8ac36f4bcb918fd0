#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Misuses of the heap, and what the library must say about each.  Called by
# "make check" with BUILD and CC; by hand: testsuite/crash.sh [name ...].
#
# Each testsuite/crash/*.c is a program with one misuse.  Its first comment
# says how it is run and what must come of it:
#	debug:	UMEM_DEBUG; none without the line
#	link:	umem: linked with the library; else the library is preloaded
#	ends:	the signal that kills it, or its exit status
#	says:	the first line on stderr, addresses as ADDR; or nothing at all
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(cd "${BUILD:-build}" && pwd) || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ulimit -c 0
passed=0
failed=0

# field FILE NAME: what stands behind "NAME:" in the file's first comment
field()
{
	sed -n "1,/\\*\\//s/^ \\* $2:[ 	]*//p" "$1"
}

# run_program FILE: compile and run it; sets $status, stderr in $dir/stderr
run_program()
{
	local flags=(-w -O0 -g -pthread -Iliballoc) preload=$build/libumem.so.1

	if [ "$(field "$1" link)" = umem ]; then
		flags+=("$build/libumem.so.1" "-Wl,-rpath,$build")
		preload=
	fi
	"${CC:-gcc}" -o "$dir/program" "$1" "${flags[@]}" || return 1
	(
		export LD_PRELOAD=$preload UMEM_DEBUG
		UMEM_DEBUG=$(field "$1" debug)
		exec "$dir/program"
	) 2>"$dir/stderr" >/dev/null
	status=$?
}

# outcome: the name of the signal, or the exit status
outcome()
{
	if [ "$1" -gt 128 ]; then
		kill -l $(($1 - 128))
	else
		echo "$1"
	fi
}

check_program()
{
	local file=$1 got said

	if ! run_program "$file" 2>"$dir/log"; then
		echo "FAIL $(basename "$file"): does not compile"
		cat "$dir/log"
		return 1
	fi
	got=$(outcome "$status")
	said=$(head -1 "$dir/stderr" | sed -E 's/0x[0-9a-f]{6,}/ADDR/g')
	if [ "$got" = "$(field "$file" ends)" ] &&
	    [ "$said" = "$(field "$file" says)" ]; then
		return 0
	fi
	echo "FAIL $(basename "$file"):"
	echo "  must end with $(field "$file" ends), and say"
	echo "    $(field "$file" says)"
	echo "  ended with $got, and said"
	sed 's/^/    /' "$dir/stderr"
	return 1
}

# wanted FILE NAME...: whether it is among the names, if there are any
wanted()
{
	local file=$1 name

	shift
	for name; do
		[ "$(basename "$file" .c)" = "$name" ] && return 0
	done
	[ $# -eq 0 ]
}

for file in testsuite/crash/*.c; do
	wanted "$file" "$@" || continue
	if check_program "$file"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "crash: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
