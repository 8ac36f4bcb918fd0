#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What umem refs, path, owns and top say of a process of which is known who
# keeps what (retain/retain.c): in the kernel's core, live under GDB, in GDB's
# core, and through gdbserver; with UMEM_DEBUG=audit and without.  Called by
# "make check" with BUILD and CC.  SHORT=1 leaves some of these out.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
build=$(realpath "${BUILD:-build}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export UMDB_LIB=$build/libumdb.so
passed=0
failed=0

if ! command -v gdb >/dev/null || ! command -v python3 >/dev/null; then
	echo "SKIP: retain.sh wants gdb and python3"
	exit 0
fi
if ! "${CC:-gcc}" -w -O1 -g -fno-inline -fno-omit-frame-pointer -pthread \
    -o "$dir/program" testsuite/retain/retain.c 2>"$dir/log"; then
	echo "retain: 0 passed, 1 failed: the program does not compile"
	cat "$dir/log"
	exit 1
fi

# What is asked: a name, the command, an expression without blanks.
questions="
	owns-cache owns cache
	owns-left owns left
	owns-shared owns left->shared
	owns-list owns ~hidden_list
	owns-ring owns ~hidden_ring
	owns-freed owns ~hidden_freed
	refs-shared refs right->shared
	refs-left refs left
	refs-mine refs ~hidden_mine
	refs-register refs ~hidden_register
	refs-mapped refs ~hidden_mapped
	refs-list refs ~hidden_list
	refs-main refs ~hidden_main
	refs-variable refs &cache
	path-value path cache->bucket[3]->next->value
	path-ring path ~hidden_ring
	path-list path ~hidden_list
	top top -n1000"
ask=(-ex 'set width 0' -x "$root/python/umem_gdb.py")
while read -r name command; do
	[ -n "$name" ] || continue
	# a command that fails ends its script, not the questions
	ask+=(-ex "echo @@ $name\\n" -ex "umem $command -json")
done <<<"$questions"

# look WHAT DEBUG ARGUMENTS...: ask GDB, judge the answers
look()
{
	local what="$1, UMEM_DEBUG=$2" audited=0 line

	[ "$2" = audit ] && audited=1
	shift 2
	gdb -batch -nx -q -iex 'set debuginfod enabled off' "$@" \
	    >"$dir/said" 2>"$dir/gdb" </dev/null
	python3 testsuite/retain/compare.py "$dir/said" $audited >"$dir/judged"
	line=$(tail -1 "$dir/judged")
	if [[ $line != *" passed, "*" failed" ]]; then
		failed=$((failed + 1))
		echo "FAIL $what: no judgement"
		tail -5 "$dir/gdb"
		return
	fi
	# shellcheck disable=SC2086 # words on purpose
	set -- $line
	passed=$((passed + $1)) failed=$((failed + $3))
	if [ "$3" -ne 0 ]; then
		echo "FAIL $what:"
		cat "$dir/judged"
	fi
}

kernel_core()
{
	local core

	case $(cat /proc/sys/kernel/core_pattern) in
	*[/\|]*) return 1 ;;
	esac
	rm -f "$dir"/core*
	{
		(
			cd "$dir" && ulimit -c unlimited || exit
			export LD_PRELOAD=$build/libumem.so.1 UMEM_DEBUG=$1
			exec ./program
		)
	} >/dev/null 2>&1
	core=$(find "$dir" -name 'core*' | head -1)
	[ -s "${core:-}" ] && look "the kernel's core" "$1" "${ask[@]}" \
	    "$dir/program" "$core"
}

under_gdb()
{
	look "live" "$1" -ex 'set startup-with-shell off' \
	    -ex "set environment LD_PRELOAD=$build/libumem.so.1" \
	    -ex "set environment UMEM_DEBUG=$1" -ex run "${ask[@]}" \
	    -ex "gcore $dir/gcore" -ex kill "$dir/program"
	look "GDB's core" "$1" "${ask[@]}" "$dir/program" "$dir/gcore"
}

through_gdbserver()
{
	local start="env LD_PRELOAD=$build/libumem.so.1 UMEM_DEBUG=$1"

	if ! command -v gdbserver >/dev/null; then
		echo "SKIP: retain through gdbserver: there is none"
		return
	fi
	look "gdbserver" "$1" -ex 'set sysroot /' \
	    -ex "target remote | gdbserver --once --wrapper $start -- - $dir/program" \
	    -ex continue "${ask[@]}" -ex kill "$dir/program"
}

# Of a stack that cannot be followed the frames that GDB has will do.
to_nowhere()
{
	"${CC:-gcc}" -w -O0 -g -o "$dir/nowhere" testsuite/retain/nowhere.c
	gdb -batch -nx -q -iex 'set debuginfod enabled off' \
	    -ex 'set startup-with-shell off' -ex 'set width 0' \
	    -ex "set environment LD_PRELOAD=$build/libumem.so.1" \
	    -x "$root/python/umem_gdb.py" -ex run -ex 'umem top -roots -n1000' \
	    -ex kill "$dir/nowhere" >"$dir/said" 2>&1 </dev/null
	if grep -q ' thread 1 stack, mostly frame' "$dir/said"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL a stack to nowhere:"
		tail -5 "$dir/said"
	fi
}

to_nowhere
for debug in audit ""; do
	kernel_core "$debug" || echo "SKIP: no core of the kernel here"
	if [ -z "${SHORT:-}" ] || [ -n "$debug" ]; then
		under_gdb "$debug"
	fi
done
through_gdbserver audit
echo "retain: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
