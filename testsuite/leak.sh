#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Programs that know what they leak, and whether findleaks says exactly that.
# Called by "make check" with BUILD and CC; by hand: testsuite/leak.sh [name ...]
#
# Each testsuite/leak/*.c and *.cc is such a program (truth.h; leakbench writes
# its truth as JSON).  Its first comment may say
#	link: umem	linked with the library instead of preloaded
#	with: NAME	testsuite/leak/NAME.c is built as a shared object for it
# It runs with UMEM_DEBUG unset, audit and default.  Its heap is looked at in
# four ways: in the core that the kernel writes, live under GDB, in the core
# that GDB writes, and through gdbserver.  Then it is built in other ways:
# stripped, static and so on.  SHORT=1 leaves some of these out.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
build=$(realpath "${BUILD:-build}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export UMDB_LIB=$build/libumdb.so
passed=0
failed=0
cflags=(-w -g -pthread "-I$root/liballoc" "-I$root/testsuite/leak")
usual=(-O1 -fno-inline -fno-omit-frame-pointer)

if ! command -v gdb >/dev/null || ! command -v python3 >/dev/null; then
	echo "SKIP: leak.sh wants gdb and python3"
	exit 0
fi
kernel_core=1
read -r pattern </proc/sys/kernel/core_pattern
case $pattern in
*[/\|]*) kernel_core=0 ;;
esac
if [ $kernel_core = 0 ] || ! ulimit -c unlimited 2>/dev/null; then
	echo "SKIP: the kernel writes no core into the current directory here"
	kernel_core=0
fi

gdbserver=1
if ! command -v gdbserver >/dev/null; then
	echo "SKIP: there is no gdbserver"
	gdbserver=0
fi

# field FILE NAME: what stands behind "NAME:" in the file's first comment
field()
{
	sed -n -E "1,20s/^( \\*|\/\/)[ 	]*$2:[ 	]*//p" "$1"
}

# compile FILE FLAGS...: make $dir/program, and its plugin; sets $preload
compile()
{
	local file=$1 with cc=${CC:-gcc} libs=(-ldl)

	shift
	preload=$build/libumem.so.1
	case $file in *.cc) cc=g++ ;; esac
	if [[ " $* " = *" -static"* ]]; then
		# a C++ program calls malloc in its library only
		libs=("-Wl,-u,malloc" "$build/libumem.a")
		preload=
	elif [ "$(field "$file" link)" = umem ]; then
		libs+=("$build/libumem.so.1" "-Wl,-rpath,$build")
		preload=
	fi
	with=$(field "$file" with)
	if [ -n "$with" ]; then
		"$cc" "${cflags[@]}" "${usual[@]}" -fPIC -shared \
		    -o "$dir/plugin.so" "testsuite/leak/$with.c" || return 1
	fi
	"$cc" "${cflags[@]}" "$@" -o "$dir/program" "$file" "${libs[@]}"
}

# look NAME ARGS...: findleaks through GDB, its answer against the truth
look()
{
	local name=$1

	shift
	gdb -batch -nx -q "$@" >"$dir/said" 2>"$dir/gdb" </dev/null
	if python3 testsuite/leak/compare.py "$dir/said" "$dir/truth" \
	    >"$dir/differs"; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL $name:"
	cat "$dir/differs"
}

umem=(-x "$root/python/umem_gdb.py" -ex "findleaks -json")

# try_kernel NAME DEBUG ARGS...: run it, let the kernel write a core
try_kernel()
{
	local name="$1, kernel core, UMEM_DEBUG=$2" debug=$2 core
	local logs=${logging:-}

	shift 2
	rm -f "$dir"/core* "$dir/truth"
	{
		(
			cd "$dir" || exit
			export LD_PRELOAD=$preload UMEM_DEBUG=$debug
			export UMEM_LOGGING=$logs
			export TRUTH=$dir/truth PLUGIN=$dir/plugin.so
			exec ./program "$@"
		)
	} >/dev/null 2>&1
	core=$(find "$dir" -name 'core*' | head -1)
	look "$name" "${umem[@]}" "$dir/program" "${core:-no-core}"
}

# try_dense NAME: a core with holes, and a copy of it without
try_dense()
{
	local core

	SPARSE=1 try_kernel "$1, sparse" audit
	core=$(find "$dir" -name 'core*' | head -1)
	[ -n "$core" ] && cp --sparse=never "$core" "$dir/core.dense"
	look "$1, the same core without holes" "${umem[@]}" "$dir/program" \
	    "$dir/core.dense"
	rm -f "$dir"/core*
}

# says COUNT WHAT ARGS...: findleaks, and how many mappings it says are left out
says()
{
	local count=$1 what=$2

	shift 2
	gdb -batch -nx -q "$@" "${umem[@]}" >"$dir/said" 2>"$dir/gdb" </dev/null
	if grep -q "\"omitted_maps\":$count," "$dir/said" &&
	    [ "$(grep -c "\"1 file mapping.*$dir/truth.shared" "$dir/said")" = "$count" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL $what:"
	grep -o '"summary".*' "$dir/said"
}

# try_omitted NAME: a file of which a core has nothing
try_omitted()
{
	if [ $kernel_core = 1 ]; then
		OMIT=1 try_kernel "$1 without a file" ""
		says 0 "$1, kernel core without a file" "$dir/program" \
		    "$(find "$dir" -name 'core*' | head -1)"
	fi
	rm -f "$dir"/core*
	gdb -batch -nx -q -ex "set startup-with-shell off" \
	    -ex "set environment LD_PRELOAD=$preload" \
	    -ex "set environment TRUTH=$dir/truth" \
	    -ex "set environment OMIT=1" -ex run -ex "gcore $dir/core" \
	    -ex kill "$dir/program" >"$dir/said" 2>"$dir/gdb" </dev/null
	look "$1, GDB's core without a file" "${umem[@]}" "$dir/program" \
	    "$dir/core"
	says 1 "$1, GDB's core without a file" "$dir/program" "$dir/core"
}

# try_gdb NAME DEBUG ARGS...: run it under GDB, look there, and at GDB's core
try_gdb()
{
	local name=$1 debug=$2

	shift 2
	rm -f "$dir"/core* "$dir/truth"
	look "$name, live, UMEM_DEBUG=$debug" \
	    -ex "set startup-with-shell off" \
	    -ex "handle SIGUSR1 SIGUSR2 nostop noprint pass" \
	    -ex "set environment LD_PRELOAD=$preload" \
	    -ex "set environment UMEM_DEBUG=$debug" \
	    -ex "set environment TRUTH=$dir/truth" \
	    -ex "set environment PLUGIN=$dir/plugin.so" \
	    -ex run "${umem[@]}" -ex "gcore $dir/core" \
	    -ex kill --args "$dir/program" "$@"
	look "$name, GDB's core, UMEM_DEBUG=$debug" "${umem[@]}" \
	    "$dir/program" "$dir/core"
}

# try_server NAME DEBUG ARGS...: run it under gdbserver, look through that
try_server()
{
	local name=$1 debug=$2 start

	shift 2
	rm -f "$dir/truth"
	start="env LD_PRELOAD=$preload UMEM_DEBUG=$debug TRUTH=$dir/truth"
	start="$start PLUGIN=$dir/plugin.so"
	look "$name, gdbserver, UMEM_DEBUG=$debug" -ex "set sysroot /" \
	    -ex "handle SIGUSR1 SIGUSR2 nostop noprint pass" \
	    -ex "target remote | gdbserver --once --wrapper $start -- - \
$dir/program $*" -ex continue "${umem[@]}" -ex kill "$dir/program"
}

# built FILE FLAGS...: compile, or count a failure
built()
{
	compile "$@" 2>"$dir/log" && return
	failed=$((failed + 1))
	echo "FAIL $*: does not compile"
	cat "$dir/log"
	return 1
}

# Ways to build a program, each with what it runs with; all when not SHORT.
ways=(
	"default -O0 -no-pie"
	"none -O2 -fPIE -pie -s"
	"audit -O2 -static"
	"none -O0 -static-pie"
)

# try_ways FILE ARGS...: built in other ways
try_ways()
{
	local file=$1 way name logging debug

	shift
	name=$(basename "${file%.*}")
	for way in "${ways[@]}"; do
		# what it loads would bring a C library of its own
		[[ $way = *-static* && -n $(field "$file" with) ]] && continue
		# shellcheck disable=SC2086 # words on purpose
		built "$file" ${way#* } || continue
		debug=${way%% *}
		logging=
		[ "$debug" = default ] && logging=transaction,contents,fail
		try_kernel "$name ${way#* }" "${debug#none}" "$@"
		[ -n "${SHORT:-}" ] && continue
		logging=
		for debug in "" audit default; do
			try_kernel "$name ${way#* }" "$debug" "$@"
		done
	done
}

# try FILE: one program in all ways
try()
{
	local file=$1 name debug args=()

	name=$(basename "${file%.*}")
	built "$file" "${usual[@]}" || return
	if [ "$name" = leakbench ]; then
		args=(-n 100000 -m abort -t "$dir/truth" -s)
	fi
	for debug in "" audit default; do
		[ "$name" = leakbench ] && args[7]=$RANDOM
		if [ $kernel_core = 1 ]; then
			try_kernel "$name" "$debug" "${args[@]}"
		fi
		[ "$name" = forked ] && continue
		if [ -z "${SHORT:-}" ] || [ "$debug" = audit ] ||
		    [ $kernel_core = 0 ]; then
			try_gdb "$name" "$debug" "${args[@]}"
		fi
		if [ -z "${SHORT:-}" ] && [ $gdbserver = 1 ]; then
			try_server "$name" "$debug" "${args[@]}"
		fi
	done
	if [ $kernel_core = 1 ] && [ "$name" = segments ]; then
		try_dense "$name"
	fi
	[ "$name" = memory ] && try_omitted "$name"
	if [ $kernel_core = 1 ] && [ "$name" != leakbench ]; then
		try_ways "$file" "${args[@]}"
	fi
}

for file in testsuite/leak/*.c testsuite/leak/*.cc; do
	name=$(basename "${file%.*}")
	[[ $name = plugin* ]] && continue
	if [ $# -eq 0 ] || [[ " $* " = *" $name "* ]]; then
		try "$file"
	fi
done
echo "leak: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
