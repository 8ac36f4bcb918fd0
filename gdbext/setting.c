/* SPDX-License-Identifier: MIT */
/*
 * setting.c - how people want to see things; see setting.h
 *
 * Layer: setting.h
 */
#include "setting.h"

#include <stdio.h>
#include <string.h>

struct setting settings[SETTINGS] = {
    [SETTING_DEPTH] =
	{
	    .name = "stack-depth",
	    .summary = "how many frames of a stack are shown",
	    .help = "The innermost ones come first.  JSON always has all.",
	    .value = -1,
	},
    [SETTING_SORT] =
	{
	    .name = "sort",
	    .summary = "the order in which umem findleaks lists leaks",
	    .help = "  bytes    what costs most first\n"
		    "  count    most buffers first\n"
		    "  age      oldest first; needs audit\n"
		    "  caller   by name of who allocated it\n\n"
		    "It is what findleaks -s means where it is not given, in "
		    "JSON too.",
	    .words = "bytes count age caller",
	    .value = SORT_BYTES,
	},
};

void
setting_word(unsigned which, char *buf, size_t size)
{
	const char *p = settings[which].words;
	int64_t skip = settings[which].value;

	for (; skip > 0 && *p != '\0'; skip--) {
		p += strcspn(p, " ");
		p += *p != '\0';
	}
	snprintf(buf, size, "%.*s", (int)strcspn(p, " "), p);
}
