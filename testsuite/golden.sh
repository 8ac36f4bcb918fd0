#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the commands print, end to end: a process whose every allocation is
# known, read as a kernel core, as a core of gcore, live, and through
# gdbserver.  All four must print the same.  See golden/golden.py.
#
# Environment: BUILD, CC, GDB.  --update writes what is printed now as what is
# expected (from the kernel's core); look at the difference before committing.
set -u
cd "$(dirname "$0")/.." || exit 1
tree=$PWD
build=$(realpath "${BUILD:-build}")
cc=${CC:-gcc}
gdb=${GDB:-gdb}
update=
golden=$tree/testsuite/golden
out=$build/golden
passed=0
failed=0
case ${1-} in
'') ;;
--update) update=True ;;
*) echo "usage: [BUILD=build] $0 [--update]" && exit 2 ;;
esac
export UMDB_LIB=$build/libumdb.so
export RAN=$out/ran SCRATCH=$out/scratch # see golden.py
full="UMEM_DEBUG=default UMEM_LOGGING=transaction,contents,fail,slab"

not_ok()
{
	echo "not ok: $*"
	failed=$((failed + 1))
}

ok_if() # STATUS WHAT
{
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
	else
		not_ok "$2"
	fi
}

run_gdb()
{
	PYTHONPATH=$golden "$gdb" -nx -batch -iex 'set debuginfod enabled off' \
	    -iex 'set auto-load no' -iex 'set sysroot /' \
	    -ex 'set width 0' -ex 'set style enabled off' \
	    -x "$tree/python/umem_gdb.py" "$@"
}

# tests VARIANT TARGET GDB-ARGUMENTS...: run them, add up
tests()
{
	local variant=$1 target=$2 log="$out/$1.$2.log" line
	shift 2
	run_gdb "$@" -ex "source $golden/golden.py" \
	    -ex "python golden('$variant', '$target', '$golden', ${update:-False})" \
	    >"$log" 2>&1
	line=$(grep '^== ' "$log")
	if [ -z "$line" ]; then
		not_ok "$variant on $target: GDB did not get to the end"
		tail -5 "$log"
		return
	fi
	sed -n '/^not ok/,/^== /p' "$log" | grep -v '^== '
	# shellcheck disable=SC2086 # words on purpose
	set -- $line
	passed=$((passed + $2)) failed=$((failed + $3))
}

# add_up LOG WHAT: a log that ends in "== PASSED FAILED"
add_up()
{
	local line

	grep '^not ok' "$1"
	line=$(grep '^== ' "$1")
	if [ -z "$line" ]; then
		not_ok "$2 did not get to the end"
		tail -5 "$1"
		return
	fi
	# shellcheck disable=SC2086 # words on purpose
	set -- $line
	passed=$((passed + $2)) failed=$((failed + $3))
}

# Headers as they are installed: <umem.h>, <sys/vmem.h>.
build_programs()
{
	rm -rf "$out"
	mkdir -p "$out/include/sys" "$RAN" "$SCRATCH"
	ln -s "$tree/liballoc/umem.h" "$out/include/umem.h"
	ln -s "$tree/liballoc/vmem.h" "$out/include/sys/vmem.h"
	$cc -g -O0 -I"$out/include" -o "$out/scenario" "$golden/scenario.c" \
	    "$build/libumem.so.1" -Wl,-rpath,"$build" &&
	    $cc -g -O0 -o "$out/bare" "$golden/bare.c" &&
	    $cc -g -O1 -I"$out/include" -o "$out/churn" "$golden/churn.c" \
		"$build/libumem.so.1" -Wl,-rpath,"$build" -pthread &&
	    $cc -g -O0 -I"$out/include" -o "$out/stops" "$golden/stops.c" \
		"$build/libumem.so.1" -Wl,-rpath,"$build" &&
	    $cc -g -O0 -I"$out/include" -o "$out/conditions" \
		"$golden/conditions.c" "$build/libumem.so.1" \
		-Wl,-rpath,"$build" &&
	    $cc -g -O1 -D_GNU_SOURCE -I"$out/include" -o "$out/history" \
		"$golden/history.c" "$build/libumem.so.1" \
		-Wl,-rpath,"$build" -pthread &&
	    $cc -g -O1 -o "$out/again" "$golden/again.c" \
		"$build/libumem.so.1" -Wl,-rpath,"$build" &&
	    $cc -O1 -shared -fPIC -D_GNU_SOURCE -o "$out/reads.so" \
		"$golden/reads.c" -ldl
}

# kernel_core FILE ENVIRONMENT PROGRAM WHAT; fails where cores are piped away
kernel_core()
{
	local to=$1 env=$2 dir
	shift 2
	case $(cat /proc/sys/kernel/core_pattern) in
	*'|'* | */*) return 1 ;;
	esac
	dir=$(mktemp -d -p "$out")
	# shellcheck disable=SC2086 # words on purpose
	{
		(cd "$dir" && ulimit -c unlimited && env $env "$@")
	} >/dev/null 2>&1
	mv "$dir"/core* "$to" 2>/dev/null
	rmdir "$dir"
	[ -s "$to" ]
}

# variant NAME ENVIRONMENT PROGRAM: the tests on each kind of target
variant()
{
	local name=$1 env=$2 program=$out/$3
	local wrapper="set exec-wrapper env $env LD_PRELOAD=$build/libumem.so.1"

	[ "$3" = bare ] && wrapper="set exec-wrapper env"
	if kernel_core "$out/$name.core" "$env" "$program" "$name"; then
		tests "$name" core "$program" "$out/$name.core"
	else
		echo "SKIP: $name on a core of the kernel: none was written here"
	fi
	tests "$name" live "$program" -ex "$wrapper" -ex "run $name"
	run_gdb "$program" -ex "$wrapper" -ex "run $name" \
	    -ex "gcore $out/$name.gcore" >"$out/gcore.log" 2>&1
	tests "$name" gcore "$program" "$out/$name.gcore"
	if command -v gdbserver >/dev/null; then
		tests "$name" remote -ex \
		    "target remote | env $env gdbserver --once - $program $name" \
		    -ex continue "$program"
	else
		echo "SKIP: $name through gdbserver: there is none"
	fi
}

# What batch GDB returns with "set umem exit-code on".
exit_codes()
{
	run_gdb -ex 'set umem exit-code on' -ex findleaks -ex 'echo on\n' \
	    "$out/scenario" "$out/healthy.gcore" >"$out/exit.log" 2>&1
	ok_if $(($? != 1)) "leaks make a batch GDB exit with 1"
	grep -q '^on$' "$out/exit.log"
	ok_if $(($? == 0)) "nothing is run after that"
	run_gdb -ex 'set umem exit-code on' -ex umem_verify \
	    "$out/scenario" "$out/damaged.gcore" >"$out/exit.log" 2>&1
	ok_if $(($? != 1)) "damage makes a batch GDB exit with 1"
	run_gdb -ex 'set umem exit-code on' -ex findleaks -ex umem_verify \
	    "$out/scenario" "$out/clean.gcore" >"$out/exit.log" 2>&1
	ok_if $? "no leaks, no damage: exit with 0"
	run_gdb -ex findleaks "$out/scenario" "$out/healthy.gcore" \
	    >"$out/exit.log" 2>&1
	ok_if $? "without it leaks do not matter"
}

# A core file that was replaced behind GDB's back is noticed, not believed.
replaced_core()
{
	run_gdb -ex "python import umdb_target; \
umdb_target.core_path = lambda _: '$out/damaged.gcore'" \
	    -ex findleaks "$out/scenario" "$out/healthy.gcore" \
	    >"$out/replaced.log" 2>&1
	grep -q 'damaged.gcore is no longer the core file that the debugger' \
	    "$out/replaced.log"
	ok_if $? "another core than GDB's is noticed"
}

# printed COUNT PATTERN WHAT COMMAND...: so many lines of output match
printed()
{
	local count=$1 pattern=$2 what=$3 command args=()
	shift 3
	for command; do
		args+=(-ex "$command")
	done
	run_gdb "${args[@]}" "$out/scenario" "$out/healthy.gcore" \
	    >"$out/plumbing.log" 2>/dev/null
	[ "$(grep -c "$pattern" "$out/plumbing.log")" = "$count" ]
	ok_if $? "$what"
}

# What GDB itself offers for output works with pipelines.
plumbing()
{
	local log=$out/logged

	printed 1 '^2$' "pipe" 'pipe umem walk session_cache | wc -l'
	printed 1 '^2$' "|" '| umem walk session_cache | wc -l'
	printed 1 '^1$' "pipe with a delimiter" \
	    'pipe -d @ umem walk umem_cache | umem_verify @ grep -c session'
	printed 1 '^0x$' "pipe behind a shell command" \
	    'pipe umem cache ! grep session | cut -c1-2'
	printed 0 '^0x' "set logging" "set logging file $log" \
	    'set logging redirect on' 'set logging enabled on' \
	    'umem walk session_cache ! cat'
	ok_if $(($(grep -c '^0x' "$log") != 2)) "what was logged"
	python3 "$golden/terminal.py" "$gdb" -nx -q \
	    -iex 'set debuginfod enabled off' -iex 'set auto-load no' \
	    -ex 'set width 0' -ex 'set style enabled off' \
	    -x "$tree/python/umem_gdb.py" "$out/scenario" \
	    "$out/healthy.gcore" >"$out/terminal.log" 2>&1
	add_up "$out/terminal.log" "GDB on a terminal"
}

# moment ENVIRONMENT ARGUMENTS HOW: of churn, see moments.py; seed is for it
moment()
{
	run_gdb -ex "set exec-wrapper env $1" -ex "set args $2" \
	    -ex "source $golden/moments.py" -ex "python $3" \
	    "$out/churn" >"$out/moments.log" 2>&1
	add_up "$out/moments.log" "churn $2 with $1, seed $seed,"
}

# Every buffer is in one walk, wherever the process is stopped.
moments()
{
	local seed=$((RANDOM)) n=${MOMENTS:-3} env

	for env in UMEM_OPTIONS= UMEM_DEBUG=default UMEM_DEBUG=guards \
	    UMEM_OPTIONS=nomagazines UMEM_OPTIONS=perthread_cache=8k; do
		moment "$env" 4 "moments($n, $seed)"
	done
	moment UMEM_OPTIONS= 60 "moments($n, $seed)"
	for env in UMEM_OPTIONS= UMEM_DEBUG=default; do
		moment "$env" '4 fork' "moments($n, $seed, True)"
	done
	for env in UMEM_OPTIONS= UMEM_OPTIONS=nomagazines; do
		moment "$env" 2 "steps($((n * 5)), $seed)"
	done
}

# Breakpoints that the library compares for.
stops()
{
	local env

	for env in UMEM_OPTIONS= UMEM_DEBUG=default UMEM_DEBUG=lite; do
		run_gdb -ex "set exec-wrapper env $env" \
		    -ex "source $golden/stops.py" -ex "python stops()" \
		    "$out/stops" >"$out/stops.log" 2>&1
		add_up "$out/stops.log" "stops with $env"
	done
}

# condition ODD WHAT GDB-ARGUMENTS...: what counts is in conditions.py
condition()
{
	local odd=$1 what=$2
	shift 2
	run_gdb -ex 'set confirm off' "$@" -ex "source $golden/conditions.py" \
	    -ex "python conditions($odd)" >"$out/conditions.log" 2>&1
	add_up "$out/conditions.log" "conditions $what"
}

# Conditions of breakpoints that ask what a pointer is.
conditions()
{
	local program=$out/conditions env odd freed

	while read -r env odd freed; do
		condition "$odd" "with $env" "$program" \
		    -ex "set exec-wrapper env $env" -ex 'break ready' \
		    -ex "run 1000000 '$freed'"
	done <<-'end'
		UMEM_OPTIONS= 112 thread cache
		UMEM_OPTIONS=nomagazines 112 free
		UMEM_DEBUG=default 100 thread cache
	end
	command -v gdbserver >/dev/null || return
	condition 100 "through gdbserver" -ex \
	    "target remote | env UMEM_DEBUG=lite gdbserver --once - $program 9" \
	    -ex 'break ready' -ex continue "$program"
}

# history WHAT GDB-ARGUMENTS...: what is compared is in history.py
history()
{
	local what=$1
	shift
	run_gdb -ex 'set confirm off' "$@" -ex "source $golden/history.py" \
	    -ex 'python history()' -ex kill >"$out/history.log" 2>&1
	add_up "$out/history.log" "history $what"
}

# No transaction of any thread is missing in the log.
histories()
{
	local logs=UMEM_LOGGING=transaction=16m,contents=64m env
	local full="UMEM_DEBUG=default $logs"

	for env in UMEM_OPTIONS= UMEM_OPTIONS=nomagazines,concurrency=1; do
		history "with $env" "$out/history" \
		    -ex "set exec-wrapper env $full $env" \
		    -ex 'break finished' -ex run
	done
	kernel_core "$out/history.core" "$full" "$out/history" abort || return
	history "on a core" "$out/history" "$out/history.core"
}

# Who stands before a | has addresses to give, or says that it has none.
# shellcheck disable=SC2016 # GDB's dollars
pipes()
{
	run_gdb -ex "set exec-wrapper env $full" -ex 'set args healthy' \
	    -ex 'break stop_here' -ex run -ex 'set $b = kept[0]' \
	    -ex 'set var ((char *)$b)[$_umem_size($b)] = 0' \
	    -ex 'handle SIGABRT nostop noprint nopass' \
	    -ex 'umem break alloc' -ex continue \
	    -ex "source $golden/pipes.py" -ex 'python pipes()' \
	    "$out/scenario" >"$out/pipes.log" 2>&1
	add_up "$out/pipes.log" "pipes"
}

# What was found is kept until the process runs; live and through gdbserver.
again()
{
	LD_PRELOAD=$out/reads.so run_gdb -ex "unset environment LD_PRELOAD" \
	    -ex "source $golden/again.py" -ex "python again('run')" \
	    "$out/again" >"$out/again.live.log" 2>&1
	add_up "$out/again.live.log" "findleaks twice, live,"
	command -v gdbserver >/dev/null || return
	LD_PRELOAD=$out/reads.so run_gdb -ex "target remote | env -u LD_PRELOAD \
gdbserver --once - $out/again" \
	    -ex "source $golden/again.py" -ex "python again('continue')" \
	    "$out/again" >"$out/again.gdbserver.log" 2>&1
	add_up "$out/again.gdbserver.log" "findleaks twice, through gdbserver,"
}

# Every document is JSON for others too.
json_documents()
{
	local command document args=()

	for command in status stat cache log records verify findleaks \
	    'whatis kept' 'bufctl kept[0]' 'bufctl 1' 'log fail'; do
		args+=(-ex "umem $command -json ! tr -d '\\n'; echo"
		    -ex 'echo \n')
	done
	run_gdb "${args[@]}" "$out/scenario" "$out/healthy.gcore" \
	    2>/dev/null | grep '^{"umdb"' >"$out/documents"
	ok_if $(($(wc -l <"$out/documents") != 11)) \
	    "11 documents, also where a command fails"
	while read -r document; do
		python3 -m json.tool <<<"$document" >/dev/null 2>"$out/json.log"
		ok_if $? "it is JSON: $(cat "$out/json.log")"
	done <"$out/documents"
}

# judge NAME: a script that reads what ran
judge()
{
	python3 "$golden/$1.py" "$tree" >"$out/$1.log" 2>&1
	add_up "$out/$1.log" "$1"
}

build_programs || { not_ok "the scenario does not compile"; }
if ! "$gdb" -nx -batch -ex 'python print(1)' 2>/dev/null | grep -q '^1$'; then
	not_ok "there is no GDB with Python"
fi
if [ "$failed" -eq 0 ]; then
	variant clean "$full" scenario
	variant healthy "$full" scenario
	variant damaged "$full" scenario
	variant abort "$full" scenario
	variant plain "" scenario
	variant bare "" bare
	tests none none
	tests running running -iex 'set non-stop on' -ex 'run run &' \
	    "$out/scenario"
	if [ -z "$update" ]; then
		judge coverage
		judge members
		exit_codes
		replaced_core
		json_documents
		plumbing
		pipes
		moments
		stops
		conditions
		histories
		again
	fi
fi
echo "golden: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
