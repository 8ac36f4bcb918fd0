/* SPDX-License-Identifier: MIT */
/*
 * scratch.c - a directory of a test's own, and files in it; see scratch.h
 */
#include "scratch.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

void
scratch_open(void)
{
	strcpy(dir, "/tmp/umem-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

/* Call fn, unless NULL, for each file; how many there were. */
static int
each(void (*fn)(const char *))
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		n++;
		if (fn != NULL)
			fn(scratch_path(e->d_name));
	}
	closedir(d);
	return n;
}

static void
discard(const char *path)
{
	if (unlink(path) != 0)
		rmdir(path);
}

void
scratch_close(void)
{
	each(discard);
	rmdir(dir);
}

int
scratch_count(void)
{
	return each(NULL);
}

const char *
scratch_dir(void)
{
	return dir;
}

const char *
scratch_path(const char *name)
{
	static char path[4][sizeof(dir) + 300];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%.255s", dir, name);
	return p;
}

const char *
scratch_write_bytes(const char *name, const char *p, size_t len)
{
	const char *path = scratch_path(name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(p, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

const char *
scratch_write(const char *name, const char *text)
{
	return scratch_write_bytes(name, text, strlen(text));
}

char *
scratch_read(const char *name, size_t *len_ret)
{
	FILE *f = fopen(scratch_path(name), "r");
	size_t len = 0, n;
	char *text;

	if (f == NULL)
		return NULL;
	text = malloc(1u << 20);
	ck_assert_ptr_nonnull(text);
	while ((n = fread(text + len, 1, (1u << 20) - 1 - len, f)) > 0)
		len += n;
	fclose(f);
	text[len] = '\0';
	if (len_ret != NULL)
		*len_ret = len;
	return text;
}
