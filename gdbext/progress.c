/* SPDX-License-Identifier: MIT */
/*
 * progress.c - see progress.h
 *
 * Layer: progress.h
 */
#include "progress.h"

#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define MIB (1024 * 1024.0)

/* seconds_left - by the pace so far, or else by the rate; -1: cannot tell */
static double
seconds_left(const struct progress *p, uint64_t done, uint64_t total,
    double rate, uint64_t now)
{
	const uint64_t past = done - p->first;

	if (now - p->began < SECOND / 2 || past < total / 100 || past == 0)
		return rate > 0 ? (double)(total - done) / rate : -1;
	return (double)(now - p->began) / SECOND * (double)(total - done) /
	       (double)past;
}

const char *
progress_plan(struct progress *p, uint64_t bytes, double rate)
{
	snprintf(p->text, sizeof(p->text),
	    "%.1f MiB are to be read, at %.1f MiB/s: about %.0f s",
	    (double)bytes / MIB, rate / MIB, (double)bytes / rate);
	return p->text;
}

const char *
progress_text(struct progress *p, const char *what, uint64_t done,
    uint64_t total, double rate, uint64_t now)
{
	char *to = p->text;
	const char *end = to + sizeof(p->text);
	double left;

	if (strncmp(p->what, what, sizeof(p->what) - 1) != 0 ||
	    done < p->first) {
		snprintf(p->what, sizeof(p->what), "%s", what);
		p->began = now;
		p->first = done;
	}
	if (done > total)
		done = total;
	to += snprintf(to, (size_t)(end - to), "%s", p->what);
	if (total == 0)
		return p->text;
	to += snprintf(to, (size_t)(end - to), " %.0f%%",
	    100.0 * (double)done / (double)total);
	if (rate > 0)
		to += snprintf(to, (size_t)(end - to), " of %.1f MiB",
		    (double)total / MIB);
	left = seconds_left(p, done, total, rate, now);
	if (left >= 0)
		snprintf(to, (size_t)(end - to), ", %.0f s left", left + 0.5);
	return p->text;
}
