#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Run all tests and add them up.  Called by "make check" with BUILD, SAN, CC.
#
# The Check programs close with "100%: Checks: N, Failures: F, Errors: E"; a
# shell runner closes with "N passed, M failed".  A runner that ends otherwise
# counts as one failed test.  The last line here is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
export BUILD=${BUILD:-build} SAN=${SAN:-} CC=${CC:-gcc}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
passed=0
failed=0

# count PASSED FAILED STATUS NAME: add the result of a runner
count()
{
	passed=$((passed + $1))
	failed=$((failed + $2))
	if [ "$3" -ne 0 ] && [ "$2" -eq 0 ]; then
		echo "$4: ended with status $3"
		failed=$((failed + 1))
	fi
}

check_program()
{
	local name=$1 status line total bad

	echo "== $name"
	"$BUILD/$name" >"$log/$name" 2>&1
	status=$?
	cat "$log/$name"
	line=$(grep -E '^[0-9]+%: Checks: ' "$log/$name" | tail -1)
	if [ -z "$line" ]; then
		count 0 0 "$((status ? status : 1))" "$name"
		return
	fi
	# shellcheck disable=SC2086 # words on purpose
	set -- ${line//[!0-9]/ }
	total=$2 bad=$(($3 + $4))
	count $((total - bad)) $bad $status "$name"
}

shell_runner()
{
	local script=$1 name status line

	name=$(basename "$script" .sh)
	if [ ! -x "$script" ]; then
		echo "== $name"
		echo "$name: $script is missing"
		failed=$((failed + 1))
		return
	fi
	echo "== $name"
	"$script" </dev/null 2>&1 | tee "$log/$name"
	status=${PIPESTATUS[0]}
	line=$(grep -E '[0-9]+ passed, [0-9]+ failed' "$log/$name" | tail -1)
	if [ -z "$line" ]; then
		count $((status == 0)) 0 "$status" "$name"
		return
	fi
	line=$(grep -oE '[0-9]+ passed, [0-9]+ failed' <<<"$line" | tail -1)
	# shellcheck disable=SC2086 # words on purpose
	set -- ${line//[!0-9]/ }
	count "$1" "$2" "$status" "$name"
}

check_program check_alloc
check_program check_gdbext
if [ -n "$SAN" ]; then
	echo "SKIP: the tests that preload the library: a sanitizer brings" \
	    "its own malloc, which the preload would replace"
else
	for script in testsuite/{crash,api,programs,golden,leak,retain,suppress,profile}.sh; do
		SHORT=1 shell_runner "$script"
	done
fi
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
