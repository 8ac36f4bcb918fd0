#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Real programs do a small real job three times: as they are, preloaded, and
# preloaded with UMEM_DEBUG=default.  What they print and how they exit must be
# the same.  redis-server is then dumped under load and its core looked at.
#
# Usage: testsuite/programs.sh [JOB...]     (BUILD; SHORT=1: the quick ones)
#
# A job is a function job_NAME below: it runs in an empty directory, always of
# the same name, and prints what it finds.
# shellcheck disable=SC2012,SC2016,SC2028 # other languages in quotes; ls
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
build=$(realpath "${BUILD:-build}")
lib=$build/libumem.so.1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0
# the commands that a job wants, where they are not just its name
declare -A needs=(
	[gxx]="g++"
	[clangxx]="clang++ g++"
	[java]="java javac"
	[cmake]="cmake make gcc"
	[gdb]="gdb gcc"
	[lua]="lua5.4"
	[tools]="find sort awk sed grep diff gzip bzip2 od tr cut"
	[ssh]="ssh-keygen"
	[apt]="apt-cache dpkg-query"
	[mandoc]="mandoc"
)
short_jobs="bash perl python3 git gcc sqlite3 tar"

# ---------------------------------------------------------------- inputs

write_c()
{
	local i

	echo '#include <stdio.h>'
	for i in $(seq 40); do
		echo "struct s$i { int a[$i]; struct s$i *next; };"
		echo "static int f$i(struct s$i *p, int k) { int t = k;"
		echo "  for (; p; p = p->next) t += p->a[$((i / 2))] * $i;"
		echo "  switch (t & 3) { case 0: t += 3; break; case 1: t *= 5; }"
		echo "  return t; }"
	done
	echo 'int main(void) { int t = 0;'
	for i in $(seq 40); do
		echo "  struct s$i v$i = {{$i}, 0}; t += f$i(&v$i, t);"
	done
	echo '  printf("%d\n", t); return 0; }'
}

write_cxx()
{
	cat <<-'END'
	#include <iostream>
	#include <map>
	#include <regex>
	#include <string>
	#include <vector>
	int main() {
		std::map<std::string, std::vector<int>> m;
		for (int i = 0; i < 20000; i++)
			m["k" + std::to_string(i % 977)].push_back(i);
		long n = 0;
		for (auto &e : m)
			n += std::regex_match(e.first, std::regex("k[0-9]*7"))
			    * static_cast<long>(e.second.size());
		try { throw std::to_string(n); }
		catch (const std::string &s) { std::cout << s << "\n"; }
	}
	END
}

write_python()
{
	cat <<-'END'
	import concurrent.futures, decimal, hashlib, json, re, subprocess, zlib

	def tree(depth):
	    return [tree(depth - 1), depth, tree(depth - 1)] if depth else None

	def work(n):
	    table = {"key%d" % i: [i, str(i) * (i % 7)] for i in range(n)}
	    text = json.dumps(table, sort_keys=True)
	    assert json.loads(text) == table
	    words = sorted(set(re.findall(r"[0-9]{3,}", text)))
	    packed = zlib.compress(text.encode(), 6)
	    assert zlib.decompress(packed).decode() == text
	    return hashlib.sha256(repr((words, tree(9))).encode()).hexdigest()

	with concurrent.futures.ThreadPoolExecutor(4) as pool:
	    print("\n".join(pool.map(work, range(100, 4000, 487))))
	print(decimal.Decimal(2) ** 500 / 3)
	print(subprocess.run(["echo", "child"], capture_output=True).stdout)
	END
}

# A source tree of a few files with fixed times.
write_tree()
{
	local i

	mkdir -p tree/sub
	for i in $(seq 60); do
		seq "$i" $((i * 50)) >"tree/sub/file$i"
	done
	write_c >tree/main.c
	find tree -exec touch -d '2020-01-01 00:00:00 UTC' {} +
}

# ------------------------------------------------------------------ jobs

job_bash()
{
	bash --norc -c '
		declare -A count
		for i in {1..4000}; do
			word=w$((i * i % 97)); count[$word]=$((${count[$word]:-0} + i))
		done
		for k in "${!count[@]}"; do echo "$k ${count[$k]}"; done | sort
		text=$(printf "%s\n" {1..500}); echo "${#text}" "${text//1/one}" |
			tail -c 100
		while read -r a b; do s=$((${s:-0} + a)); done < <(seq 100); echo "$s"
		f() { [ "$1" -le 0 ] && return; local x=$1$1; f $(($1 - 1)); }; f 200
		trap "echo bye" EXIT; cat <<< "here $(echo nested $(echo twice))"'
}

job_perl()
{
	perl -e '
		my %h; $h{"k$_"} = [$_, "v" x ($_ % 50), {a => $_}] for 1..20000;
		my @k = sort { $h{$a}[0] <=> $h{$b}[0] } keys %h; my $n = 0;
		for (@k) { $n += length $h{$_}[1] if /7$/; delete $h{$_} if /3/ }
		my $t = join ",", map { $_ * 3 } 1..5000; $t =~ s/(\d+)9,/<$1>/g;
		print scalar(keys %h), " $n ", length $t, " ", `echo child`;
		if (my $pid = fork) { waitpid $pid, 0; print $? >> 8, "\n" }
		else { my @x = map { [$_] } 1..1000; exit 7 }'
}

job_python3()
{
	write_python >job.py
	/usr/bin/python3 -I job.py
	PYTHONMALLOC=malloc /usr/bin/python3 job.py
}

job_git()
{
	local i
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a
	export GIT_COMMITTER_EMAIL=a@b GIT_CONFIG_NOSYSTEM=1 HOME=$PWD
	export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'

	write_tree
	git -c init.defaultBranch=main init -q tree && cd tree || return
	for i in 1 2 3 4 5; do
		echo "line $i" >>sub/file7
		seq $((i * 100)) >>sub/file9
		git add . && git commit -q -m "commit $i"
	done
	git log --stat -p | sha1sum
	git checkout -q -b side HEAD~2 && echo x >new && git add new
	git commit -q -m side && git merge -q main -m merge
	git repack -adq --threads=2 && git fsck --strict --no-progress
	git blame sub/file9 | tail -3
	git clone -q . ../copy && git -C ../copy rev-parse HEAD
	git grep -c 99 | sort | tail -3
}

job_gcc()
{
	write_c >a.c
	gcc -O2 -g -c a.c -o a.o && sha1sum <a.o
	gcc -O1 -flto a.c -o a && ./a
	echo 'int f(void) { return x; }' >bad.c
	LC_ALL=C gcc -c bad.c
}

job_gxx()
{
	write_cxx >a.cc
	g++ -O1 -std=c++17 -c a.cc -o a.o && sha1sum <a.o
	g++ a.o -o a && ./a
}

job_clang()
{
	write_c >a.c
	clang -O2 -c a.c -o a.o && sha1sum <a.o
	clang -O1 a.c -o a && ./a
}

job_clangxx()
{
	write_cxx >a.cc
	clang++ -O1 -std=c++17 -c a.cc -o a.o && sha1sum <a.o
}

job_sqlite3()
{
	{
		echo "PRAGMA journal_mode=OFF;"
		echo "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);BEGIN;"
		seq 8000 | sed "s/.*/INSERT INTO t VALUES(&, 'text of &', & * 0.5);/"
		echo "COMMIT;CREATE INDEX i ON t(b);"
		seq 200 | sed "s/.*/SELECT count(*), max(b) FROM t WHERE a > & * 9;/"
		echo "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1"
		echo "FROM n WHERE x < 3000) SELECT sum(x * x), group_concat(x) FROM n;"
	} >a.sql
	sqlite3 :memory: <a.sql | sha1sum
	sqlite3 file.db <a.sql | sha1sum
	sqlite3 file.db 'PRAGMA integrity_check; VACUUM; SELECT count(*) FROM t'
}

job_tar()
{
	write_tree
	tar --sort=name --owner=0 --group=0 --numeric-owner -cf a.tar tree
	sha1sum <a.tar
	tar -tvf a.tar --utc | sha1sum
	mkdir out && tar -xf a.tar -C out && diff -r tree out/tree
	tar -czf a.tgz tree && tar -tzf a.tgz | sort | tail -2
}

job_xz()
{
	seq 60000 >a
	xz -k -T2 -3 --block-size=100000 a && sha1sum <a.xz
	xz -dc -T2 a.xz | cmp - a && xz -lv --robot a.xz | head -2
}

job_node()
{
	cat >a.js <<-'END'
	const { Worker, isMainThread, parentPort } = require('worker_threads');
	if (isMainThread) {
		const table = new Map();
		for (let i = 0; i < 30000; i++)
			table.set('k' + i % 977, [i, 'x'.repeat(i % 40)]);
		const text = JSON.stringify([...table]);
		const crypto = require('crypto');
		console.log(crypto.createHash('sha1').update(text).digest('hex'));
		console.log(require('zlib').gzipSync(text).length > 100);
		console.log(Buffer.alloc(5000000, 'ab').indexOf('ba'));
		let left = 3;
		for (let i = 0; i < 3; i++)
			new Worker(__filename).on('message', (m) => {
				if (m !== 124750) console.log('bad');
				if (--left === 0) console.log('workers done');
			});
	} else {
		const big = Array.from({ length: 500 }, (_, i) => i);
		parentPort.postMessage(big.reduce((a, b) => a + b));
	}
	END
	node a.js
}

job_java()
{
	cat >A.java <<-'END'
	import java.util.*;
	import java.util.stream.*;
	public class A {
		public static void main(String[] a) throws Exception {
			Map<String, List<Integer>> m = new TreeMap<>();
			for (int i = 0; i < 100000; i++)
				m.computeIfAbsent("k" + i % 997, k -> new ArrayList<>()).add(i);
			System.out.println(m.hashCode());
			System.out.println(IntStream.range(0, 100000).parallel()
			    .mapToObj(Integer::toString)
			    .collect(Collectors.joining()).hashCode());
			Thread[] t = new Thread[20];
			for (int i = 0; i < 20; i++)
				(t[i] = new Thread(() -> new StringBuilder("x"))).start();
			for (Thread x : t) x.join();
		}
	}
	END
	javac -J-XX:TieredStopAtLevel=1 A.java && java -Xmx200m A
}

job_cmake()
{
	write_c >a.c
	printf '%s\n' 'cmake_minimum_required(VERSION 3.13)' \
	    'project(p C)' 'add_executable(a a.c)' >CMakeLists.txt
	cmake -S . -B b && make -s -C b && b/a
}

job_gdb()
{
	write_c >a.c
	gcc -g -O0 a.c -o a
	gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'break f7' \
	    -ex run -ex bt -ex 'print *p' -ex 'info locals' -ex 'python
print(gdb.selected_frame().name(), [s.name for s in
    gdb.selected_frame().block()])' -ex 'info line' -ex continue a 2>&1 |
	    sed 's/process [0-9]*/process N/; s/0x[0-9a-f]*/ADDR/g'
}

job_lua()
{
	lua5.4 -e '
		local function tree(d)
			if d == 0 then return {} end
			return {tree(d - 1), tree(d - 1)}
		end
		local t, n = {}, 0
		for i = 1, 20000 do t[i] = {x = i, s = "s" .. i} end
		tree(12)
		for i = 1, 20000 do n = n + #(t[i].s .. t[#t - i + 1].s) end
		print(n, #table.concat({1, 2, 3}, ","), string.rep("ab", 9))'
}

job_tools()
{
	write_tree
	find tree -type f -printf '%p %s\n' | sort | sha1sum
	seq 40000 | sort -R --random-source=tree/main.c --parallel=2 | sort -n |
		sha1sum
	seq 30000 | awk '{ a[$1 % 997] = a[$1 % 997] $1 } END {
		for (k in a) n += length(a[k]); print n }'
	seq 3000 | sed -n 'H; ${ x; s/\n/,/g; p }' | tail -c 60
	grep -rcE '(1|2)+9+$' tree | sort | tail -2
	diff <(seq 1 2000) <(seq 5 2100) | tail -3
	gzip -nc tree/main.c | gzip -dc | cmp - tree/main.c
	bzip2 -c tree/main.c | bzip2 -dc | cmp - tree/main.c
	LC_ALL=C ls -lR --time-style=+ tree/sub | awk '{ print $5, $NF }' | tail -3
}

job_ssh()
{
	ssh-keygen -q -t ed25519 -N '' -C c -f key && ssh-keygen -y -f key |
		diff - key.pub && echo "key made"
}

job_openssl()
{
	seq 20000 >a
	openssl dgst -sha256 a
	openssl enc -aes-256-cbc -k secret -pbkdf2 -S 0011223344556677 -in a |
		sha1sum
	openssl req -x509 -newkey rsa:1024 -nodes -keyout k -out c -subj /CN=x \
	    2>/dev/null && openssl x509 -in c -noout -subject
}

job_apt()
{
	apt-cache depends bash
	apt-cache policy gcc libc6
	dpkg-query -W | sha1sum
}

job_valgrind()
{
	write_c >a.c
	gcc -g a.c -o a
	env -u LD_PRELOAD valgrind -q ./a
}

job_ctags()
{
	write_c >a.c
	ctags -x --sort=yes a.c | sha1sum
}

job_mandoc()
{
	mandoc -mdoc -Tutf8 "$root"/doc/*.[1-9] | sha1sum
}

job_tclsh()
{
	echo 'for {set i 0} {$i < 20000} {incr i} {
		dict set d [expr {$i % 777}] [string repeat x [expr {$i % 50}]]
	}
	puts [dict size $d]; puts [string length [join [dict values $d] ,]]' |
		tclsh
}

# --------------------------------------------------------------- running

# outcome JOB MODE [ENVIRONMENT...]: what it says, and its status
outcome()
{
	local job=$1 mode=$2

	shift 2
	rm -rf "$scratch/dir"
	mkdir "$scratch/dir"
	(
		cd "$scratch/dir" || exit
		unset LD_PRELOAD UMEM_DEBUG UMEM_LOGGING UMEM_OPTIONS
		export LC_ALL=C.UTF-8
		[ $# -eq 0 ] || export "${@?}"
		"job_$job" </dev/null
		echo "status $?"
	) >"$scratch/$mode.out" 2>"$scratch/$mode.err"
}

same()
{
	local job=$1 mode=$2

	if diff "$scratch/plain.out" "$scratch/$mode.out" >"$scratch/diff" &&
	    diff "$scratch/plain.err" "$scratch/$mode.err" >"$scratch/diff"; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "not ok: $job, $mode: it prints something else (> is preloaded):"
	head -15 "$scratch/diff"
}

available()
{
	local command

	for command in ${needs[$1]:-$1}; do
		if ! command -v "$command" >/dev/null; then
			echo "SKIP: $1: there is no $command"
			return 1
		fi
	done
}

run_job()
{
	available "$1" || return
	outcome "$1" plain
	if ! grep -q '^status 0$' "$scratch/plain.out" && [ "$1" != gcc ]; then
		echo "SKIP: $1: fails without a preload too"
		tail -3 "$scratch/plain.err"
		return
	fi
	outcome "$1" preloaded LD_PRELOAD="$lib"
	same "$1" preloaded
	outcome "$1" default LD_PRELOAD="$lib" UMEM_DEBUG=default
	same "$1" default
}

# ----------------------------------------------------------------- redis

redis()
{
	redis-cli -s "$scratch/sock" "$@"
}

redis_start() # environment...
{
	local i

	env "$@" redis-server --port 0 --unixsocket "$scratch/sock" --save '' \
	    --appendonly no --dir "$scratch" >"$scratch/redis.log" 2>&1 &
	redis_pid=$!
	for i in $(seq 100); do
		[ "$(redis ping 2>/dev/null)" = PONG ] && return 0
		kill -0 "$redis_pid" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

redis_load() # requests
{
	redis-benchmark -s "$scratch/sock" -q -n "$1" -r 2000 -c 8 -P 8 -d 100 \
	    -t set,get,lpush,hset,sadd,zadd >"$scratch/redis.bench" 2>&1 &&
	    redis eval 'for i = 1, 3000 do
		redis.call("set", "k" .. i, string.rep("v", i % 900)) end
		return redis.call("strlen", "k899")' 0 &&
	    redis get k33 && redis debug sleep 0 && redis flushall async &&
	    redis dbsize
}

verdict() # name, status
{
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: $1"
		tail -15 "$scratch/redis.log" "$scratch/gdb.out" 2>/dev/null
	fi
}

# All commands on a core of the server: each answers, nothing is damaged.
redis_core()
{
	gcore -o "$scratch/core" "$redis_pid" >"$scratch/gdb.out" 2>&1 ||
		return 1
	gdb -nx -batch -iex 'set debuginfod enabled off' \
	    -ex 'set width 0' -ex 'set height 0' -x python/umem_gdb.py \
	    -ex 'umem status' -ex umastat -ex umem_cache -ex umalog \
	    -ex 'umem log fail' -ex 'umem log slab' -ex 'findleaks' \
	    -ex 'umem_verify -json' \
	    /usr/bin/redis-server "$scratch/core.$redis_pid" \
	    >"$scratch/gdb.out" 2>&1 || return 1
	! grep -E 'Traceback|Undefined command|Python Exception' \
	    "$scratch/gdb.out" &&
	    sed -n '/^{"umdb"/,$p' "$scratch/gdb.out" | /usr/bin/python3 -c '
import json, sys
document, _ = json.JSONDecoder().raw_decode(sys.stdin.read())
summary = document["summary"]
sys.exit(summary["corrupt"] != 0 or summary["checked"] < 1000)'
}

redis_mode() # name, environment...
{
	local name=$1

	shift
	if ! redis_start "$@"; then
		verdict "redis, $name: the server does not start" 1
		return
	fi
	redis_load "${redis_requests:-20000}" >"$scratch/redis.$name" 2>&1
	verdict "redis, $name: commands fail" $?
	if [ "$name" = default ] && command -v gdb gcore >/dev/null; then
		redis_core
		verdict "redis, $name: the core does not look healthy" $?
	fi
	redis shutdown nosave >/dev/null 2>&1
	wait "$redis_pid"
	verdict "redis, $name: the server ends with an error" $?
	if [ "$name" != plain ]; then
		cmp -s "$scratch/redis.plain" "$scratch/redis.$name"
		verdict "redis, $name: answers differ" $?
	fi
}

run_redis()
{
	if ! command -v redis-server redis-benchmark redis-cli >/dev/null; then
		echo "SKIP: redis: there is no redis-server"
		return
	fi
	[ -z "${SHORT:-}" ] || redis_requests=3000
	redis_mode plain LD_PRELOAD=
	redis_mode preloaded LD_PRELOAD="$lib"
	redis_mode default LD_PRELOAD="$lib" UMEM_DEBUG=default \
	    UMEM_LOGGING=transaction,fail,slab
}

if [ $# -gt 0 ]; then
	jobs=$*
elif [ -n "${SHORT:-}" ]; then
	jobs="$short_jobs redis"
else
	jobs="$(declare -F | sed -n 's/^declare -f job_//p') redis"
fi
for job in $jobs; do
	if [ "$job" = redis ]; then
		run_redis
	else
		run_job "$job"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
