/* SPDX-License-Identifier: MIT */
/*
 * sds.c - strings as Redis has them: the only pointer is to the text, which
 * stands behind its length
 */
#include "truth.h"

char *strings[5];

/* A string with numbers of so many bytes in front, or one. */
STEP char *
string(unsigned type, uint64_t len, uint64_t room)
{
	const size_t width = type == 0 ? 0 : 1u << (type - 1);
	char *p = calloc(1, 2 * width + 1 + room + 1);

	memcpy(p, &len, width);
	memcpy(p + width, &room, width);
	p += 2 * width + 1;
	p[-1] = (char)(type == 0 ? len << 3 : type);
	memset(p, 's', len);
	return p;
}

STEP void
keep(void)
{
	strings[0] = string(0, 9, 9);
	strings[1] = string(1, 40, 60);
	strings[2] = string(2, 300, 1000);
	strings[3] = string(3, 100000, 100000);
	strings[4] = string(4, 1, 70);
}

STEP void
lose(void)
{
	truth_lost(string(0, 9, 9) - 1, DEFINITE);
	truth_lost(string(1, 40, 60) - 3, DEFINITE);
	truth_lost(string(2, 300, 1000) - 5, DEFINITE);
}

int
main(void)
{
	(void)truth_far_down(lose, 20);
	keep();
	truth_end();
}
