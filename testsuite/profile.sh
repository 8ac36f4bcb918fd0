#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Snapshots, differences and profiles, end to end: a program that knows what it
# grows by, looked at in GDB; the files that this leaves are read by others.
#
# Called by "make check" with BUILD and CC; by hand: testsuite/profile.sh
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
build=$(realpath "${BUILD:-build}")
here=$root/testsuite/profile
dir=$(mktemp -d)
trap 'umount "$dir/small" 2>/dev/null; rm -rf "$dir"' EXIT
passed=0
failed=0
odd="<img src=x onerror=document.title='gone'>"
export UMDB_LIB=$build/libumdb.so

if ! command -v gdb >/dev/null || ! command -v python3 >/dev/null; then
	echo "SKIP: profile.sh wants gdb and python3"
	exit 0
fi

# ok WHAT COMMAND...: count a test
ok()
{
	local what=$1

	shift
	if "$@" >"$dir/why" 2>&1; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "not ok: $what"
	head -8 "$dir/why"
}

run_gdb()
{
	gdb -nx -batch -iex 'set debuginfod enabled off' \
	    -iex 'set auto-load no' -ex 'set width 0' \
	    -ex 'set style enabled off' -x "$root/python/umem_gdb.py" "$@" \
	    </dev/null 2>"$dir/gdb.err"
}

# ask FILE PROGRAM CORE COMMAND: what a command prints
ask()
{
	run_gdb -ex "$4" "$2" "$3" >"$1"
}

compile() # PROGRAM FLAGS...
{
	local program=$1 cc=${CC:-gcc}

	shift
	"$cc" -O0 -c -o "$dir/odd.o" "$here/odd.c" &&
	    objcopy --redefine-sym "odd=$odd" "$dir/odd.o" &&
	    "$cc" -O0 -g -fPIE "$@" -c \
		-o "$dir/grow.o" "$here/grow.c" &&
	    objcopy --redefine-sym "odd=$odd" "$dir/grow.o" &&
	    "$cc" -pie -Wl,--build-id -o "$program" "$dir/grow.o" "$dir/odd.o"
}

# look PROGRAM NAME: snapshots and cores of both moments, at random addresses
look()
{
	local wrapper="set exec-wrapper env UMEM_DEBUG=default"

	run_gdb -ex "$wrapper LD_PRELOAD=$build/libumem.so.1" \
	    -ex 'set disable-randomization off' -ex 'break moment' \
	    -ex run -ex "umem snapshot $dir/$2.1" -ex "gcore $dir/$2.core1" \
	    -ex continue -ex "umem snapshot $dir/$2.2" \
	    -ex "gcore $dir/$2.core2" -ex kill "$1" >"$dir/look" 2>&1
	[ -s "$dir/$2.2" ] && [ -s "$dir/$2.core2" ]
}

compare() # QUESTION FILE...
{
	python3 "$here/compare.py" "$@"
}

# question WHAT QUESTION COMMAND [FILE...]: of a's second moment
question()
{
	local what=$1 name=$2 command=$3

	shift 3
	ask "$dir/$name.json" "$dir/grow" "$dir/a.core2" "$command"
	ok "$what" compare "$name" "$dir/$name.json" "$@"
}

mkdir -p "$dir/new"
ok "grow.c compiles" compile "$dir/grow"
ok "grow.c compiles anew" compile "$dir/new/grow" -DMOVED
ok "the program is looked at" look "$dir/grow" a
ok "and again" look "$dir/grow" b
ok "and built anew" look "$dir/new/grow" c
if [ $failed -gt 0 ]; then
	tail -5 "$dir/look"
	echo "profile: $passed passed, $failed failed"
	exit 1
fi

# What grew.
question "two snapshots" truth "umem diff -json $dir/a.1 $dir/a.2"
question "a snapshot and the core at hand" truth "umem diff -json $dir/a.1"
question "a core and the core at hand" truth "umem diff -json $dir/a.core1"
ask "$dir/snapshots" "$dir/grow" "$dir/a.core2" \
    "umem diff -json $dir/a.1 $dir/a.2"
ask "$dir/cores" "$dir/grow" "$dir/a.core2" \
    "umem diff -json $dir/a.core1 $dir/a.core2"
ok "cores say what snapshots say" compare same "$dir/snapshots" "$dir/cores"
question "two runs at other addresses are the same" nothing \
    "umem diff -json $dir/a.1 $dir/b.1"
question "a snapshot of another run" truth "umem diff -json $dir/b.1"
ask "$dir/rebuilt.json" "$dir/new/grow" "$dir/c.core2" \
    "umem diff -json $dir/a.1"
ok "a program built anew" compare rebuilt "$dir/rebuilt.json"
ask "$dir/text" "$dir/grow" "$dir/a.core2" "umem diff -n 2 $dir/a.1"
ok "people see the most grown first" grep -qE \
    '^ *\+58\.6K +\+1 +58\.6K +new +umem_alloc_[0-9]+ +appear\+' "$dir/text"
ok "and how much more there is" grep -q '^\.\.\. and 5 more groups' "$dir/text"
run_gdb -ex "umem diff -json $dir/a.1 $dir/a.2" >"$dir/alone"
ok "two snapshots need no process" compare truth "$dir/alone"
run_gdb -ex "umem diff $dir/a.1" >/dev/null
ok "one does" grep -q 'there is no process and no core file' "$dir/gdb.err"
ok "a snapshot is small" test "$(stat -c %s "$dir/a.2")" -lt 10000

# Profiles.
for command in findleaks users top diff; do
	arguments="-json"
	[ $command = users ] && arguments="-json -e"
	[ $command = top ] && arguments="-json -n 1000"
	[ $command = diff ] && arguments="-json $dir/a.1"
	name=${command/findleaks/leaks}
	question "profiles of umem $command" "$name" \
	    "umem $command $arguments -folded $dir/$name.folded -pprof \
$dir/$name.pb.gz -html $dir/$name.html" "$dir/$name.pb.gz" "$dir/$name.folded"
	if command -v go >/dev/null && go tool pprof -h 2>&1 | grep -q raw; then
		ok "pprof opens that of umem $command" \
		    go tool pprof -raw "$dir/$name.pb.gz"
	fi
done

# Suppressions.
cat >"$dir/known" <<END
leak:^lose\$
{
   markup
   Memcheck:Leak
   fun:malloc
   fun:<img*
   fun:step
}
END
ask "$dir/text" "$dir/grow" "$dir/a.core2" "findleaks -S $dir/known"
ok "known leaks are left out" grep -q '^no other memory leaks' "$dir/text"
ok "and counted" grep -q \
    '^suppressed: 7 buffers, 821 bytes, by 2 of 2 rules$' "$dir/text"

# Files that cannot be written leave what was there.
cp "$dir/a.1" "$dir/kept"
chmod a-w "$dir/kept"
ask "$dir/text" "$dir/grow" "$dir/a.core2" "umem snapshot $dir/no/such"
ok "a directory that is not there is said" grep -q \
    "snapshot: $dir/no/such cannot be written: No such file" "$dir/gdb.err"
mkdir "$dir/small"
if mount -t tmpfs -o size=4k none "$dir/small" 2>/dev/null; then
	echo old >"$dir/small/a"
	for command in "umem snapshot" "findleaks -html"; do
		ask "$dir/text" "$dir/grow" "$dir/a.core2" \
		    "$command $dir/small/a"
		ok "$command: a full disk is said" grep -q \
		    "cannot be written: No space left" "$dir/gdb.err"
		ok "$command: the old file stays" grep -qx old "$dir/small/a"
		ok "$command: nothing is left" \
		    test "$(find "$dir/small" -type f | wc -l)" = 1
	done
	umount "$dir/small"
else
	echo "SKIP: a full disk: a small one cannot be mounted here"
fi

# Pages, in a browser.
browser=
for name in chromium chromium-browser google-chrome; do
	browser=${browser:-$(command -v $name)}
done
if [ -z "$browser" ]; then
	echo "SKIP: pages in a browser: there is no chromium"
else
	for name in leaks users top diff; do
		{
			cat "$dir/$name.html"
			echo "<script>"
			cat "$here/page.js"
			echo "</script>"
		} >"$dir/page.html"
		"$browser" --headless --no-sandbox --disable-gpu \
		    --user-data-dir="$dir/browser" --window-size=1200,900 \
		    --dump-dom "file://$dir/page.html" >"$dir/page" \
		    2>"$dir/browser.log"
		ok "the page of $name works" compare page "$dir/page"
	done
fi

echo "profile: $passed passed, $failed failed"
[ $failed -eq 0 ]
