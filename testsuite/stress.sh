#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What "make check" does for seconds, for minutes: the canary oracle in every
# mode and with other shapes of work, and the threads' tests again and again.
#
# Usage: make stress [MINUTES=5]      SEED=0x... repeats a canary's requests
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${BUILD:-build}")
lib=$build/libumem.so.1
out=$build/api
seconds=$((${MINUTES:-5} * 60 / 14))
passed=0
failed=0
mkdir -p "$out"
for program in canary malloc_threads; do
	${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -g -O1 -fno-builtin -pthread \
	    -o "$out/$program" "testsuite/api/$program.c" || exit 1
done

# run ENVIRONMENT... -- PROGRAM...
run()
{
	local -a env=()

	while [ "$1" != -- ]; do
		env+=("$1")
		shift
	done
	shift
	echo "== ${env[*]} $*"
	if env LD_PRELOAD="$lib" "${env[@]}" timeout -k 10 1800 "$out/$1" \
	    "${@:2}" </dev/null; then
		passed=$((passed + 1))
	else
		echo "not ok: status $?: ${env[*]} $*"
		failed=$((failed + 1))
	fi
}

canary()
{
	run "$@" -t "$seconds" ${SEED:+-s "$SEED"}
}

canary -- canary
canary -- canary -n 64 -l 50
canary -- canary -n 2 -l 20000
canary -- canary -n 4 -m 20000000 -l 12
canary -- canary -n 16 -m 64
canary UMEM_OPTIONS=nomagazines -- canary
canary UMEM_OPTIONS=perthread_cache=64k,concurrency=1 -- canary -n 16
canary UMEM_DEBUG=default -- canary
canary UMEM_DEBUG=guards -- canary -n 32
canary UMEM_DEBUG=lite -- canary
canary UMEM_DEBUG=audit,contents UMEM_LOGGING=transaction=8m,contents=8m \
    -- canary
canary UMEM_DEBUG=firewall=1 -- canary -n 4 -l 60
canary UMEM_DEBUG=random -- canary
for _ in 1 2 3; do
	run -- malloc_threads
	run UMEM_DEBUG=default -- malloc_threads
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
