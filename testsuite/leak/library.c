/* SPDX-License-Identifier: MIT */
/*
 * library.c - what the C library keeps for a program
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <glob.h>
#include <iconv.h>
#include <libintl.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <spawn.h>
#include <time.h>
#include <wchar.h>

#include "truth.h"

/* Nodes of a tree have their colour in pointers to their children. */
void *tree;
DIR *dir;
FILE *file, *memory;
char *text, *line;
size_t length, room;
regex_t regex;
glob_t found;
locale_t locale;
iconv_t converter;
struct addrinfo *address;
struct hsearch_data table;
wchar_t *wide;
struct dirent **names;
posix_spawn_file_actions_t actions;

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

STEP void
grow_tree(void)
{
	char *key;
	unsigned i;

	for (i = 0; i < 100; i++) {
		if (asprintf(&key, "key%u", i * 37 % 100) < 0)
			exit(2);
		tsearch(key, &tree, compare);
	}
}

static void
nothing(void)
{
}

STEP void
lists(void)
{
	char name[20];
	unsigned i;

	for (i = 0; i < 100; i++) {
		atexit(nothing);
		snprintf(name, sizeof(name), "V%u", i);
		setenv(name, "a value", 1); /* puts it into a tree */
	}
}

STEP void
handles(void)
{
	dir = opendir("/");
	file = fopen("/etc/passwd", "r");
	if (dir == NULL || file == NULL)
		exit(2);
	readdir(dir);
	(void)!getline(&line, &room, file);
	memory = open_memstream(&text, &length);
	fprintf(memory, "%2000d", 5);
	fflush(memory);
	regcomp(&regex, "(a|b)*[x-z]{3}", REG_EXTENDED);
	glob("/etc/*", 0, NULL, &found);
	setlocale(LC_ALL, "C.UTF-8");
	locale = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
	converter = iconv_open("UTF-16", "UTF-8");
	hcreate_r(100, &table);
	wide = wcsdup(L"wide");
	scandir("/etc", &names, NULL, alphasort);
	textdomain("d");
	bindtextdomain("d", "/tmp");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, 3);
}

STEP void
lose(void)
{
	char *state = calloc(1, 256);

	truth_lost(calloc(1, 64), DEFINITE);
	truth_lost(state, DEFINITE);
	initstate(1, state, 256);
	initstate(1, calloc(1, 128), 128); /* instead of that one */
}

int
main(void)
{
	lose();
	grow_tree();
	lists();
	handles();
	truth_end();
}
