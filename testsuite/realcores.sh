#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every command and every walker on cores of redis-server and of python3, with
# records and without: no error, no traceback.  What each took is printed
# beside what GDB alone needs to load that core, where it is more than a
# twentieth of that; the others are in the log.
#
# Usage: make realcores [REALCORES="redis python"] [ROWS=1000000]
#
# Then pipelines over a core with ROWS buffers, and the memory GDB took.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
build=$(realpath "${BUILD:-build}")
lib=$build/libumem.so.1
out=$build/realcores
gdb=${GDB:-gdb}
failed=0
export UMDB_LIB=$build/libumdb.so
audited="UMEM_DEBUG=default UMEM_LOGGING=transaction,contents,fail,slab"

not_ok()
{
	echo "not ok: $*"
	failed=$((failed + 1))
}

run_gdb()
{
	"$gdb" -nx -batch -iex 'set debuginfod enabled off' \
	    -iex 'set auto-load no' -ex 'set width 0' \
	    -ex 'set style enabled off' "$@"
}

# seconds COMMAND...: wall time, output thrown away
seconds()
{
	local start=$EPOCHREALTIME

	"$@" >/dev/null 2>&1
	awk "BEGIN { printf \"%.2f\", $EPOCHREALTIME - $start }"
}

# read_core NAME PROGRAM: all commands, all walkers
read_core()
{
	local core=$out/$1.core log=$out/$1.log load

	if [ ! -s "$core" ]; then
		not_ok "$1: there is no core"
		return
	fi
	load=$(seconds run_gdb "$2" "$core")
	echo "$1: a core of $(($(stat -c %s "$core") >> 20)) MiB"
	run_gdb -x "$tree/python/umem_gdb.py" \
	    -ex "source $tree/testsuite/realcores/commands.py" \
	    -ex "python everything($load, '$out/files')" "$2" "$core" \
	    >"$log" 2>&1
	sed -n '/^--- table/,/^--- end/p' "$log" | grep -v '^-'
	grep '^not ok' "$log"
	if grep -nE 'Traceback|Python Exception|Undefined command' "$log"; then
		not_ok "$1: a traceback"
	fi
	grep -q '^== 0 failed' "$log" || not_ok "$1: see $log"
}

dump() # NAME PID
{
	gcore -o "$out/$1" "$2" >"$out/$1.gcore.log" 2>&1
	mv "$out/$1.$2" "$out/$1.core" 2>/dev/null
}

redis_core() # NAME ENVIRONMENT...
{
	local name=$1 sock=$out/sock pid

	shift
	env LD_PRELOAD="$lib" "$@" redis-server --port 0 --unixsocket "$sock" \
	    --save '' --appendonly no --dir "$out" >"$out/$name.server" 2>&1 &
	pid=$!
	until redis-cli -s "$sock" ping 2>/dev/null | grep -q PONG; do
		kill -0 "$pid" 2>/dev/null || return
	done
	redis-benchmark -s "$sock" -q -n "${REQUESTS:-50000}" -r 20000 -c 8 \
	    -P 16 -d 100 -t set,get,lpush,hset,sadd,zadd >/dev/null 2>&1
	dump "$name" "$pid"
	kill "$pid"
	wait "$pid" 2>/dev/null
	rm -f "$sock"
	read_core "$name" "$(command -v redis-server)"
}

python_core() # NAME ENVIRONMENT...
{
	local name=$1 fifo=$out/fifo pid

	shift
	rm -f "$fifo" && mkfifo "$fifo" || return
	env LD_PRELOAD="$lib" PYTHONMALLOC=malloc "$@" /usr/bin/python3 \
	    "$tree/testsuite/realcores/work.py" >"$fifo" &
	pid=$!
	read -r _ <"$fifo"
	dump "$name" "$pid"
	kill "$pid"
	wait "$pid" 2>/dev/null
	read_core "$name" /usr/bin/python3
}

# pipelines ROWS: over so many buffers; GDB's memory must not grow with text
rows_core()
{
	local rows=$1 program=$out/rows pid fifo=$out/fifo log=$out/rows.log

	${CC:-gcc} -O1 -g -o "$program" "$tree/testsuite/realcores/rows.c" ||
		return
	rm -f "$fifo" && mkfifo "$fifo" || return
	LD_PRELOAD=$lib "$program" "$rows" >"$fifo" &
	pid=$!
	read -r _ <"$fifo"
	dump rows "$pid"
	kill "$pid"
	wait "$pid" 2>/dev/null
	run_gdb -x "$tree/python/umem_gdb.py" \
	    -ex "source $tree/testsuite/realcores/commands.py" \
	    -ex "python many_rows($rows)" "$program" "$out/rows.core" \
	    >"$log" 2>&1
	grep -E '^(not ok|rows:)' "$log"
	grep -q '^== 0 failed' "$log" || not_ok "rows: see $log"
}

rm -rf "$out"
mkdir -p "$out/files"
for job in ${REALCORES:-redis python rows}; do
	case $job in
	redis | python)
		if [ "$job" = redis ] && ! command -v redis-server \
		    redis-benchmark redis-cli >/dev/null; then
			echo "SKIP: redis: there is no redis-server"
			continue
		fi
		# shellcheck disable=SC2086 # words on purpose
		"${job}_core" "$job-audited" $audited
		"${job}_core" "$job-plain"
		;;
	rows) rows_core "${ROWS:-1000000}" ;;
	*) not_ok "no such job: $job" ;;
	esac
done
rm -f "$out"/*.core
echo "realcores: $failed failed"
[ "$failed" -eq 0 ]
