#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Suppressions against stacks of a real process, in which a library that was
# loaded at run time is among the callers (suppress/program.c): what is left
# of four leaks of 100, 200, 300 and 400 bytes; the names of C++ (names.cc); and
# more frames than are remembered at first (deep.c).
#
# Called by "make check" with BUILD and CC; by hand: testsuite/suppress.sh
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
build=$(realpath "${BUILD:-build}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export UMDB_LIB=$build/libumdb.so
passed=0
failed=0

if ! command -v gdb >/dev/null; then
	echo "SKIP: suppress.sh wants gdb"
	exit 0
fi
cflags=(-w -g -O1 -fno-inline -fno-omit-frame-pointer)
mkdir "$dir/lib"
if ! "${CC:-gcc}" "${cflags[@]}" -fPIC -shared -o "$dir/lib/libloser.so.3" \
    testsuite/suppress/library.c ||
    ! "${CC:-gcc}" "${cflags[@]}" -o "$dir/program" \
	testsuite/suppress/program.c -ldl ||
    ! "${CC:-gcc}" "${cflags[@]}" -o "$dir/deep" testsuite/suppress/deep.c; then
	echo "suppress: 0 passed, 1 failed: the programs do not compile"
	exit 1
fi

# core NAME ARGUMENT...: run that program into its core
core()
{
	gdb -batch -nx -q -iex 'set debuginfod enabled off' \
	    -ex 'set startup-with-shell off' \
	    -ex 'set environment UMEM_DEBUG=audit' \
	    -ex "set environment LD_PRELOAD=$build/libumem.so.1" -ex run \
	    -ex "gcore $dir/core.$1" -ex kill \
	    --args "$dir/$1" "${@:2}" >"$dir/log" 2>&1
}

core program "$dir/lib/libloser.so.3"
program=program

# leaks: what findleaks says with the rules in $dir/rules
leaks()
{
	gdb -batch -nx -q -iex 'set debuginfod enabled off' \
	    -ex 'set width 0' -x "$root/python/umem_gdb.py" \
	    -ex "findleaks -S $dir/rules" "$dir/$program" \
	    "$dir/core.$program" \
	    >"$dir/said" 2>"$dir/err" </dev/null
}

# left WHAT SIZES RULES: these leaks are left with such rules, "-" for none
left()
{
	local have

	printf '%b' "$3" >"$dir/rules"
	leaks
	have=$(awk '$2 ~ /^umem_alloc_/ { printf "%s%s", n++ ? " " : "", $1 }
	    /^no (other )?memory leaks/ { none = 1 }
	    END { if (n == 0 && none) printf "-" }' "$dir/said")
	have=$(tr ' ' '\n' <<<"$have" | sort -n | tr '\n' ' ')
	if [ "${have% }" = "$2" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL $1: \"${have% }\" is left instead of \"$2\""
	tail -3 "$dir/err"
}

# refused WHAT SENTENCE RULES
refused()
{
	printf '%b' "$3" >"$dir/rules"
	leaks
	if grep -qF "$dir/rules, $2" "$dir/err" &&
	    ! grep -q Traceback "$dir/err"; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL $1:"
	cat "$dir/err"
}

# rule FRAMES: one of Valgrind's form
rule()
{
	printf '{\\n   known\\n   Memcheck:Leak\\n%s}\\n' "$1"
}

all="100 200 300 400"
left "no rules" "$all" ""
left "comments alone" "$all" '# leak:libloser\n   # more\n\n'
left "a library's name" "300 400" 'leak:libloser.so\n'
left "a library's path" "300 400" 'leak:*/lib/libloser.so.3$\n'
left "another library" "$all" 'leak:libloser.so.4\n'
left "lines that end as in DOS" "300 400" \
    '# known\r\n\r\nleak:libloser.so.3$\r\n'
left "no end of line" "300 400" 'leak:libloser.so'
left "obj: of the innermost frame" "200 300 400" \
    "$(rule ' obj:*/libloser.so.*\n')"
left "obj: behind malloc" "200 300 400" \
    "$(rule ' fun:malloc\n obj:*/libloser.so.?\n')"
left "obj: behind any frames" "300 400" "$(rule ' ...\n obj:*/libloser*\n')"
left "obj: behind a function" "100 300 400" \
    "$(rule ' fun:called_*\n obj:*/libloser.so.3\n fun:main\n')"
left "obj: of the program itself" "100" "$(rule ' obj:*/program\n')"
left "obj: is the whole path" "$all" "$(rule ' ...\n obj:libloser.so.3\n')"
left "obj: of the allocator in the stack" "$all" \
    "$(rule ' ...\n obj:*/libumem.so*\n')"
left "the program's name" "-" 'leak:*/program$\n'
left "fun: with wildcards" "100 200" "$(rule ' fun:my_?lloc\n fun:lose_*\n')"
left "dots between frames" "100 200 300" \
    "$(rule ' fun:malloc\n fun:my_alloc\n ...\n fun:lose_four\n ...\n fun:main\n')"
left "dots that stand for no frame" "100 200 400" \
    "$(rule ' ...\n fun:my_alloc\n ...\n fun:lose_three\n')"
left "src:" "100 200" "$(rule ' src:program.c\n ...\n fun:lose_*\n')" 
left "several rules, in both forms, as in DOS" "300" \
    "$(rule ' obj:*/libloser.so.3\n' | sed 's/\\n/\\r\\n/g')leak:called_back\n$(
	rule ' ...\n fun:lose_four\n')"
left "rules of other tools" "$all" \
    '{\n a\n Helgrind:Race\n obj:*libloser*\n}\nrace:libloser\n'
left "kinds that do not match" "$all" \
    "$(rule ' match-leak-kinds: possible\n obj:*/libloser.so*\n')"
refused "an unknown frame" "line 4: neither fun:" "$(rule ' bin:x\n')"
refused "an unknown line" "line 3: neither leak:" 'leak:x\n\nlib:x\n'
refused "no end" "line 4: \"}\" is missing" '{\n a\n Memcheck:Leak\n fun:x\n'
refused "an empty rule" "line 4: the rule has no frames" "$(rule '')"
refused "a kind that is none" "line 4: a kind is definite," \
    "$(rule ' match-leak-kinds: definitely\n fun:x\n')"
refused "an empty pattern" "line 2: the pattern is empty" 'leak:x\r\nleak:\r\n'

# As Valgrind writes them: the linker's names, of main() and of C as well.
if ! command -v g++ >/dev/null || ! g++ "${cflags[@]}" -o "$dir/names" \
    testsuite/suppress/names.cc; then
	echo "SKIP: names of C++: no g++"
else
	core names
	program=names
	left "the linker's names" "200 300" "$(rule \
	    ' fun:malloc\n fun:_ZN4shop4Till4fillEm\n fun:lose_in_c\n fun:main\n')"
	left "the debugger's names" "200 300" \
	    "$(rule ' ...\n fun:lose_in_c(int)\n fun:main(int, char**)\n')"
	left "the linker's names with wildcards" "100 300" \
	    "$(rule ' ...\n fun:_ZN4shop4loseI?EEv*\n fun:main\n')"
	left "operator new" "100 200" \
	    "$(rule ' fun:_Znam\n fun:_ZN4shop8lose_newEv\n fun:main\n')"
	left "malloc below operator new" "100 200" \
	    "$(rule ' fun:malloc\n fun:_Zn?m\n fun:*lose_new*\n')"
	left "leak: of main()" "-" 'leak:^main$\n'
	left "leak: of C in C++" "200 300" 'leak:^lose_in_c$\n'
	left "leak: of a template with blanks" "100 300" \
	    'leak:^*shop::lose<unsigned long>(unsigned long)$\n'
fi

# GDB shows names of C like these otherwise, unless it knows better.
cat >"$dir/plain.c" <<'EOF'
#include <stdlib.h>
#include <string.h>

void *shop__shelf, *tillB;

void *shop__fill(size_t size)
{
	return memset(malloc(size), 1, size);
}

void loseB(void)
{
	shop__fill(100);
	__asm__ volatile("");
}

void wipe(void)
{
	char room[4096];

	memset(room, 0, sizeof(room));
	__asm__ volatile("" : : "r"(room) : "memory");
}

int main(void)
{
	shop__shelf = shop__fill(200);
	tillB = shop__fill(300);
	loseB();
	shop__fill(400);
	wipe(); /* malloc's own frames still hold the last pointer */
	abort();
}
EOF
"${CC:-gcc}" "${cflags[@]}" -g0 -o "$dir/plain" "$dir/plain.c"
core plain
program=plain
left "names of C" "400" "$(rule ' fun:malloc\n fun:shop__fill\n fun:loseB\n')"
gdb -batch -nx -q -iex 'set debuginfod enabled off' -ex 'set width 0' \
    -x "$root/python/umem_gdb.py" -ex 'umem top -roots' \
    -ex 'umem owns *(long*)&tillB' -ex 'umem examine &shop__fill p' \
    "$dir/plain" "$dir/core.plain" >"$dir/said" 2>&1 </dev/null
for want in "global shop__shelf in plain" "global tillB in plain" \
    "allocated at shop__fill()+"; do
	if grep -qF "$want" "$dir/said"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $want: umem top and owns say otherwise"
	fi
done

# Where memory that was given back is written over, using it shows.
core deep
program=deep
MALLOC_PERTURB_=165 left "frames in hundreds" "-" \
    "$(rule ' fun:*9\n ...\n fun:none\n')leak:^none\n$(
	rule ' ...\n fun:[xy]*\n')$(rule ' fun:a*\n')$(
	rule ' ...\n fun:?[0-4]\n')$(rule ' fun:??\n fun:??\n')$(
	rule ' fun:h9\n fun:main\n')"

echo "suppress: $passed passed, $failed failed"
[ $failed -eq 0 ]
