/* SPDX-License-Identifier: MIT */
/*
 * setting.h - how people want to see things
 *
 * One table; the debugger makes a parameter of each row ("set umem
 * stack-depth 5").  JSON is for programs and obeys only those that it names.
 *
 * Layer: beside error.h.
 */
#ifndef UMDB_SETTING_H
#define UMDB_SETTING_H

#include <stddef.h>
#include <stdint.h>

enum { SETTING_DEPTH, SETTING_SORT, SETTINGS };

/* values of SETTING_SORT, in the order of its words; as findleaks -s */
enum { SORT_BYTES, SORT_COUNT, SORT_AGE, SORT_CALLER };

struct setting {
	const char *name;
	const char *summary; /* "Set ..." and "Show ..." go before it */
	const char *help;
	const char *words; /* what it may be; NULL: a number, -1 unlimited */
	int64_t value;     /* index of a word, or the number */
};

extern struct setting settings[SETTINGS];

/* setting_word - the word that a setting has, copied */
void setting_word(unsigned which, char *buf, size_t size);

#endif /* UMDB_SETTING_H */
