/* SPDX-License-Identifier: MIT */
/*
 * savefile.c - a file that is written whole or not at all
 *
 * Layer: see savefile.h.
 */
#include "savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (64u << 10)
#define TRIES 100u /* names for the temporary file */

char *
savefile_expand(const char *path)
{
	const char *home = getenv("HOME");
	char *p;

	if (path[0] != '~' || path[1] != '/' || home == NULL)
		return strdup(path);
	if (asprintf(&p, "%s%s", home, path + 1) < 0)
		return NULL;
	return p;
}

static void
forget(struct savefile *f)
{
	free(f->path);
	free(f->final);
	free(f->temp);
	free(f->buf);
	memset(f, 0, sizeof(*f));
	f->fd = -1;
}

static int
fail(struct savefile *f, struct umdb_error *err, int error)
{
	error_set(err, UMDB_EIO, 0, "%.300s cannot be written: %s",
	    f->path != NULL ? f->path : "the file", strerror(error));
	forget(f);
	return UMDB_EIO;
}

/* A name beside the file that nobody has. */
static int
open_temp(struct savefile *f, mode_t mode)
{
	unsigned i;

	for (i = 0; i < TRIES; i++) {
		free(f->temp);
		f->temp = NULL;
		if (asprintf(&f->temp, "%s.%d.%u.tmp", f->final, (int)getpid(),
			i) < 0) {
			f->temp = NULL;
			return ENOMEM;
		}
		f->fd = open(
		    f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (f->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	free(f->temp);
	f->temp = NULL;
	return errno;
}

int
savefile_open(struct savefile *f, const char *path, struct umdb_error *err)
{
	struct stat st;
	int error = 0;

	memset(f, 0, sizeof(*f));
	f->fd = -1;
	f->path = savefile_expand(path);
	f->buf = malloc(BUFFER);
	if (f->path == NULL || f->buf == NULL)
		return fail(f, err, ENOMEM);
	f->final = realpath(f->path, NULL);
	if (f->final == NULL)
		f->final = strdup(f->path);
	if (f->final == NULL)
		return fail(f, err, ENOMEM);
	if (f->final[0] == '\0')
		error = ENOENT;
	else if (stat(f->final, &st) != 0)
		error = open_temp(f, 0666);
	else if (S_ISDIR(st.st_mode))
		error = EISDIR;
	else if (!S_ISREG(st.st_mode))
		f->fd = open(f->final, O_WRONLY | O_CLOEXEC);
	else if (access(f->final, W_OK) != 0)
		error = errno;
	else if ((error = open_temp(f, 0600)) == 0)
		(void)fchmod(f->fd, st.st_mode & 0777);
	if (error == 0 && f->fd < 0)
		error = errno;
	return error == 0 ? UMDB_OK : fail(f, err, error);
}

/* Hand @len bytes to the system. */
static void
put(struct savefile *f, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0 && f->error == 0) {
		n = write(f->fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			f->error = n < 0 ? errno : EIO;
			return;
		}
		p += n;
		len -= (size_t)n;
		f->written += (uint64_t)n;
	}
}

static void
flush(struct savefile *f)
{
	put(f, f->buf, f->len);
	f->len = 0;
}

void
savefile_write(struct savefile *f, const void *data, size_t len)
{
	if (len > BUFFER - f->len)
		flush(f);
	if (len > BUFFER) {
		put(f, data, len);
		return;
	}
	memcpy(f->buf + f->len, data, len);
	f->len += len;
}

void
savefile_puts(struct savefile *f, const char *text)
{
	savefile_write(f, text, strlen(text));
}

void
savefile_printf(struct savefile *f, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text))
		n = sizeof(text) - 1;
	if (n > 0)
		savefile_write(f, text, (size_t)n);
}

int
savefile_close(struct savefile *f, struct umdb_error *err)
{
	flush(f);
	if (f->error == 0 && f->temp != NULL && fsync(f->fd) != 0)
		f->error = errno;
	if (close(f->fd) != 0 && f->error == 0)
		f->error = errno;
	if (f->error == 0 && f->temp != NULL && rename(f->temp, f->final) != 0)
		f->error = errno;
	if (f->error != 0 && f->temp != NULL)
		unlink(f->temp);
	if (f->error != 0)
		return fail(f, err, f->error);
	forget(f);
	return UMDB_OK;
}

void
savefile_drop(struct savefile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->temp != NULL)
		unlink(f->temp);
	forget(f);
}

ssize_t
savefile_line(FILE *file, char **line, size_t *room)
{
	size_t n = 0, more;
	char *p;
	int c;

	do {
		c = getc_unlocked(file);
		if (n >= *room) {
			more = *room == 0 ? 256 : *room * 2;
			p = realloc(*line, more);
			if (p == NULL)
				return SAVEFILE_NO_TEXT;
			*line = p;
			*room = more;
		}
		if (c == EOF && n == 0)
			return SAVEFILE_END;
		if (c == '\0' || n == SAVEFILE_LINE)
			return SAVEFILE_NO_TEXT;
		(*line)[n++] = c == EOF || c == '\n' ? '\0' : (char)c;
	} while (c != EOF && c != '\n');
	return (ssize_t)n - 1;
}
