/* SPDX-License-Identifier: MIT */
/*
 * launch.c - run a program preloaded and report what it used
 *
 * Usage: launch REPORT SECONDS PRELOAD COMMAND...
 *
 * Writes "wall user+system maxrss_kib status late" to REPORT.  A program of a
 * few pages in between, because the resident set that wait4(2) reports for a
 * child is never below what its parent had when it forked.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static pid_t pid;
static volatile int late;

static void
on_alarm(int sig)
{
	(void)sig;
	late = 1;
	kill(-pid, SIGKILL);
}

static void
on_term(int sig)
{
	kill(-pid, sig);
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

_Noreturn static void
child(char **argv)
{
	setpgid(0, 0);
	if (argv[3][0] != '\0')
		setenv("LD_PRELOAD", argv[3], 1);
	else
		unsetenv("LD_PRELOAD");
	execvp(argv[4], argv + 4);
	_exit(127);
}

int
main(int argc, char **argv)
{
	struct rusage used;
	double begin, wall;
	int status;
	FILE *f;

	if (argc < 5)
		die("usage: launch REPORT SECONDS PRELOAD COMMAND...");
	begin = now_ns();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		child(argv);
	setpgid(pid, pid);
	signal(SIGALRM, on_alarm);
	signal(SIGTERM, on_term);
	alarm((unsigned)atoi(argv[2]));
	while (wait4(pid, &status, 0, &used) < 0)
		;
	wall = (now_ns() - begin) / 1e9;
	kill(-pid, SIGKILL);
	f = fopen(argv[1], "w");
	if (f == NULL)
		die(argv[1]);
	fprintf(f, "%.6f %.6f %ld %d %d\n", wall,
	    seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss,
	    WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), late);
	fclose(f);
	return 0;
}
