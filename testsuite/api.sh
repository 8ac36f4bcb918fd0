#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The programs of testsuite/api: first without a preload, so that they are
# known to be right, then with the library in each of its modes.
#
# Environment: BUILD, CC; SECONDS_EACH for the canary (2); SEED to repeat one.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${BUILD:-build}")
cc=${CC:-gcc}
out=$build/api
lib=$build/libumem.so.1
passed=0
failed=0

fail()
{
	echo "not ok: $*"
	failed=$((failed + 1))
}

build_programs()
{
	local flags="-std=gnu11 -D_GNU_SOURCE -g -O1 -fno-builtin -pthread" p

	mkdir -p "$out"
	for p in malloc_api malloc_threads canary memory; do
		# shellcheck disable=SC2086 # words on purpose
		$cc $flags -o "$out/$p" testsuite/api/$p.c || return 1
	done
	$cc -g -O1 -fno-builtin -shared -fPIC -o "$out/plugin.so" \
	    testsuite/api/plugin.c || return 1
	$cc -g -O1 -o "$out/fork_handlers" testsuite/api/fork_handlers.c \
	    "$out/plugin.so" -Wl,-rpath,"$out" || return 1
	if command -v g++ >/dev/null; then
		g++ -std=c++17 -g -O1 -pthread -o "$out/new_delete" \
		    testsuite/api/new_delete.cc || return 1
	fi
}

# run MODE ENVIRONMENT -- PROGRAM...: one program in one mode
run()
{
	local mode=$1 line
	local -a env=()

	shift
	while [ "$1" != -- ]; do
		env+=("$1")
		shift
	done
	shift
	env "${env[@]}" MALLOC_API_PLUGIN="$out/plugin.so" \
	    timeout -k 10 "${LIMIT:-300}" "$out/$1" "${@:2}" \
	    >"$out/log" 2>&1 </dev/null
	status=$?
	line="$(basename "$1") in mode $mode"
	grep -h '^SKIP' "$out/log" | sed "s/^SKIP: /SKIP: $line: /"
	if [ "$status" -eq 0 ]; then
		passed=$((passed + 1))
	else
		fail "$line: status $status"
		tail -25 "$out/log"
	fi
	[ -z "${SHOW:-}" ] || cat "$out/log"
}

# all MODE ALIGNED ENVIRONMENT...: every program in one mode
all()
{
	local mode=$1 align=$2

	shift 2
	# shellcheck disable=SC2086 # options or nothing
	run "$mode" "$@" -- malloc_api $align
	run "$mode" "$@" -- malloc_threads
	run "$mode" "$@" -- fork_handlers
	# shellcheck disable=SC2086 # options or nothing
	run "$mode" "$@" -- canary -t "${SECONDS_EACH:-2}" ${SEED:+-s "$SEED"} \
	    ${canary:-}
	if [ -x "$out/new_delete" ]; then
		run "$mode" "$@" -- new_delete
	else
		echo "SKIP: new_delete in mode $mode: no g++"
	fi
}

if ! build_programs; then
	echo "0 passed, 1 failed"
	exit 1
fi
all "no preload" "" LD_PRELOAD=
preload=LD_PRELOAD=$lib
all plain "" "$preload"
SHOW=1 run plain "$preload" -- memory
all nomagazines "" "$preload" UMEM_OPTIONS=nomagazines
all "no thread cache" "" "$preload" UMEM_OPTIONS=perthread_cache=0
all default "" "$preload" UMEM_DEBUG=default
all audit "" "$preload" UMEM_DEBUG=audit
all guards "" "$preload" UMEM_DEBUG=guards
all lite "" "$preload" UMEM_DEBUG=lite
all random "" "$preload" UMEM_DEBUG=random
all "contents and logs" "" "$preload" UMEM_DEBUG=audit,contents,guards \
    UMEM_LOGGING=transaction=1m,contents=1m,fail,slab
# a mapping for every buffer: fewer of them at a time
canary="-n 4 -l 60" all firewall -a "$preload" UMEM_DEBUG=firewall=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
