/* SPDX-License-Identifier: MIT */
/*
 * snapfile.c - samples as a file, to be compared later
 *
 * Layer: see snapfile.h.
 */
#include "snapfile.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "savefile.h"

#define MAGIC "umem-snapshot"
#define FIELDS 8 /* of a line, at most */

/* ----------------------------------------------------------------- writing */

static void
write_ages(struct savefile *f, const struct sample *p, bool aged)
{
	unsigned i;

	for (i = 0; i < SAMPLE_AGES && aged; i++)
		savefile_printf(f, "%s%" PRIu64, i == 0 ? "" : ",", p->age[i]);
}

static void
write_modules(struct savefile *f, const struct samples *s)
{
	size_t i;

	for (i = 0; i < s->nmodule; i++) {
		const struct sample_module *m = &s->module[i];

		savefile_puts(f, "module\t");
		savefile_puts(f, samples_name(s, m->name));
		savefile_puts(f, "\t");
		savefile_puts(f, samples_name(s, m->id));
		savefile_printf(f, "\t%" PRIx64 "\t%" PRIx64 "\t%" PRIx64 "\n",
		    m->start, m->end, m->offset);
	}
}

static void
write_frames(struct savefile *f, const struct samples *s)
{
	size_t i;

	for (i = 0; i < s->nframe; i++) {
		const struct sample_frame *p = &s->frame[i];

		savefile_puts(f, "frame\t");
		if (p->module != SAMPLE_NONE)
			savefile_printf(f, "%" PRIu32, p->module);
		savefile_printf(
		    f, "\t%" PRIx64 "\t%" PRIx64 "\t", p->at, p->pc);
		savefile_puts(f, samples_name(s, p->function));
		savefile_printf(f, "\t%" PRIu64 "\t", p->offset);
		savefile_puts(f, samples_name(s, p->file));
		savefile_printf(f, "\t%" PRIu32 "\n", p->line);
	}
}

static void
write_samples(struct savefile *f, const struct samples *s)
{
	uint32_t k;
	size_t i;

	for (i = 0; i < s->nsample; i++) {
		const struct sample *p = &s->sample[i];

		savefile_puts(f, "sample\t");
		savefile_puts(f, samples_name(s, p->cache));
		savefile_printf(f, "\t%" PRIu64 "\t%" PRIu64 "\t", p->count[0],
		    p->bytes[0]);
		write_ages(f, p, s->aged);
		savefile_puts(f, "\t");
		for (k = 0; k < p->depth; k++)
			savefile_printf(f, "%s%" PRIu32, k == 0 ? "" : " ",
			    s->link[p->stack + k]);
		savefile_puts(f, "\n");
	}
}

int
snapfile_write(
    const struct samples *s, const char *path, struct umdb_error *err)
{
	uint64_t count[2], bytes[2];
	struct savefile f;
	int rc;

	if (s->failed)
		return error_set(err, UMDB_ENOMEM, 0, "out of memory");
	rc = savefile_open(&f, path, err);
	if (rc != UMDB_OK)
		return rc;
	savefile_printf(&f, MAGIC "\t%d\nabout\t", SNAPFILE_VERSION);
	savefile_puts(&f, samples_name(s, s->about));
	savefile_printf(
	    &f, "\ntime\t%" PRIu64 "\t%" PRIu64 "\n", s->time, s->wall);
	write_modules(&f, s);
	write_frames(&f, s);
	write_samples(&f, s);
	samples_total(s, count, bytes);
	savefile_printf(&f, "end\t%zu\t%" PRIu64 "\t%" PRIu64 "\n", s->nsample,
	    count[0], bytes[0]);
	return savefile_close(&f, err);
}

/* ----------------------------------------------------------------- reading */

struct reader {
	const char *path;
	struct umdb_error *err;
	FILE *file;
	char *line;
	size_t room;
	uint64_t number; /* of the line */
	struct samples *s;
	bool ended;
};

static int refuse(const struct reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
refuse(const struct reader *r, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_set(r->err, UMDB_EIO, 0, "%.250s, line %" PRIu64 ": %s",
	    r->path, r->number, text);
}

/* A whole field as a number; an empty one is 0. */
static bool
number(const char *text, int base, uint64_t *ret)
{
	const char *digits = base == 16 ? "0123456789abcdef" : "0123456789";

	if (text[strspn(text, digits)] != '\0')
		return false;
	errno = 0;
	*ret = strtoull(text, NULL, base);
	return errno == 0;
}

static int
read_module(struct reader *r, char **field)
{
	struct sample_module m = {
	    .name = samples_string(r->s, field[1]),
	    .id = samples_string(r->s, field[2]),
	};

	if (!number(field[3], 16, &m.start) || !number(field[4], 16, &m.end) ||
	    !number(field[5], 16, &m.offset))
		return refuse(r, "an address is wrong");
	samples_module(r->s, &m);
	return UMDB_OK;
}

static int
read_frame(struct reader *r, char **field)
{
	struct sample_frame f = {.module = SAMPLE_NONE};
	const size_t before = r->s->nframe;
	uint64_t module, line;

	if (!number(field[1], 10, &module) || !number(field[2], 16, &f.at) ||
	    !number(field[3], 16, &f.pc) || !number(field[5], 10, &f.offset) ||
	    !number(field[7], 10, &line) || line > INT32_MAX)
		return refuse(r, "a number is wrong");
	if (field[1][0] != '\0') {
		if (module >= r->s->nmodule)
			return refuse(r, "there is no such module");
		f.module = (uint32_t)module;
	}
	f.function = samples_string(r->s, field[4]);
	f.file = samples_string(r->s, field[6]);
	f.line = (uint32_t)line;
	if (samples_frame(r->s, &f) != before && !r->s->failed)
		return refuse(r, "this frame was there before");
	return UMDB_OK;
}

/* "1,0,0,0,0,512" */
static bool
read_ages(struct reader *r, char *text, uint64_t *age)
{
	char *comma;
	unsigned i;

	if (text[0] == '\0')
		return true;
	r->s->aged = true;
	for (i = 0; i < SAMPLE_AGES; i++, text = comma + 1) {
		comma = strchr(text, ',');
		if ((comma != NULL) != (i + 1 < SAMPLE_AGES))
			return false;
		if (comma != NULL)
			*comma = '\0';
		if (!number(text, 10, &age[i]))
			return false;
		if (comma == NULL)
			break;
	}
	return true;
}

/* "12 7 0"; the depth, or -1 */
static int
read_stack(struct reader *r, char *text, uint32_t *frame)
{
	uint64_t value;
	char *blank;
	int n = 0;

	for (; text != NULL && text[0] != '\0'; text = blank) {
		blank = strchr(text, ' ');
		if (blank != NULL)
			*blank++ = '\0';
		if (n == (int)SAMPLE_DEPTH || text[0] == '\0' ||
		    !number(text, 10, &value) || value >= r->s->nframe)
			return -1;
		frame[n++] = (uint32_t)value;
	}
	return n;
}

static int
read_sample(struct reader *r, char **field)
{
	uint64_t count, bytes, age[SAMPLE_AGES] = {0};
	const size_t before = r->s->nsample;
	uint32_t frame[SAMPLE_DEPTH];
	struct sample *p;
	int depth;

	if (!number(field[2], 10, &count) || !number(field[3], 10, &bytes) ||
	    !read_ages(r, field[4], age))
		return refuse(r, "a number is wrong");
	depth = read_stack(r, field[5], frame);
	if (depth < 0)
		return refuse(r, "the stack is wrong");
	p = samples_add(
	    r->s, 0, samples_string(r->s, field[1]), frame, (uint32_t)depth);
	if (p == NULL)
		return UMDB_OK; /* no memory: the reader sees it */
	if (r->s->nsample == before)
		return refuse(r, "this stack was there before");
	p->count[0] = count;
	p->bytes[0] = bytes;
	memcpy(p->age, age, sizeof(age));
	return UMDB_OK;
}

static int
read_time(struct reader *r, char **field)
{
	if (!number(field[1], 10, &r->s->time) ||
	    !number(field[2], 10, &r->s->wall))
		return refuse(r, "a number is wrong");
	return UMDB_OK;
}

static int
read_about(struct reader *r, char **field)
{
	r->s->about = samples_string(r->s, field[1]);
	return UMDB_OK;
}

static int
read_end(struct reader *r, char **field)
{
	uint64_t n, total[2], count[2], bytes[2];

	samples_total(r->s, count, bytes);
	if (!number(field[1], 10, &n) || !number(field[2], 10, &total[0]) ||
	    !number(field[3], 10, &total[1]) || n != r->s->nsample ||
	    total[0] != count[0] || total[1] != bytes[0])
		return refuse(r, "the sums are not those of the lines above");
	r->ended = true;
	return UMDB_OK;
}

static const struct {
	const char *word;
	int fields; /* the word included */
	int (*read)(struct reader *, char **);
} kinds[] = {
    {"about", 2, read_about},
    {"time", 3, read_time},
    {"module", 6, read_module},
    {"frame", 8, read_frame},
    {"sample", 6, read_sample},
    {"end", 4, read_end},
};

/* Cut a line at its tabs; how many fields. */
static int
cut(char *line, char **field)
{
	int n = 0;

	for (; line != NULL; line = strchr(line, '\t')) {
		if (n > 0)
			*line++ = '\0';
		if (n == FIELDS)
			return FIELDS + 1;
		field[n++] = line;
	}
	return n;
}

static int
read_line(struct reader *r)
{
	char *field[FIELDS] = {NULL};
	const int n = cut(r->line, field);
	size_t i;

	if (r->ended)
		return refuse(r, "there is something behind the end");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(field[0], kinds[i].word) != 0)
			continue;
		if (n != kinds[i].fields)
			return refuse(r, "%s has %d fields, not %d",
			    kinds[i].word, n - 1, kinds[i].fields - 1);
		return kinds[i].read(r, field);
	}
	return refuse(r, "%.40s is not known", field[0]);
}

/* The next line; false behind the last one, and where no text follows. */
static bool
next_line(struct reader *r)
{
	if (savefile_line(r->file, &r->line, &r->room) < 0)
		return false;
	r->number++;
	return true;
}

static int
read_head(struct reader *r)
{
	const size_t n = strlen(MAGIC);
	uint64_t version;

	if (!next_line(r) || strncmp(r->line, MAGIC "\t", n + 1) != 0)
		return error_set(r->err, UMDB_EIO, 0,
		    "%.300s is not a snapshot; umem snapshot makes one",
		    r->path);
	if (r->line[strlen(r->line) - 1] == '\r')
		return error_set(r->err, UMDB_EIO, 0,
		    "%.300s was converted to lines that end in CR LF: convert "
		    "it back, or copy it as it is",
		    r->path);
	if (!number(r->line + n + 1, 10, &version) ||
	    version != SNAPFILE_VERSION)
		return error_set(r->err, UMDB_EIO, 0,
		    "%.300s is a snapshot of version %.20s, this libumdb.so "
		    "reads version %d",
		    r->path, r->line + n + 1, SNAPFILE_VERSION);
	return UMDB_OK;
}

static int
read_all(struct reader *r)
{
	int rc = read_head(r);

	while (rc == UMDB_OK && next_line(r))
		rc = read_line(r);
	if (rc == UMDB_OK && ferror(r->file))
		return error_set(r->err, UMDB_EIO, 0,
		    "%.300s cannot be read: %s", r->path, strerror(errno));
	if (rc == UMDB_OK && r->s->failed)
		return error_set(r->err, UMDB_ENOMEM, 0, "out of memory");
	if (rc == UMDB_OK && !r->ended)
		return refuse(r, "the file ends too early: it was cut off");
	return rc;
}

int
snapfile_read(const char *path, struct samples **ret, struct umdb_error *err)
{
	struct reader r = {.path = path, .err = err, .s = samples_new()};
	char *name = savefile_expand(path);
	int rc;

	*ret = NULL;
	if (r.s == NULL || name == NULL) {
		rc = error_set(err, UMDB_ENOMEM, 0, "out of memory");
	} else if ((r.file = fopen(name, "re")) == NULL) {
		rc = error_set(err, UMDB_EIO, 0, "%.300s cannot be read: %s",
		    path, strerror(errno));
	} else {
		rc = read_all(&r);
		fclose(r.file);
	}
	free(name);
	free(r.line);
	if (rc == UMDB_OK)
		*ret = r.s;
	else
		samples_free(r.s);
	return rc;
}

bool
snapfile_is_core(const char *path)
{
	char *name = savefile_expand(path), magic[SELFMAG];
	FILE *f = name != NULL ? fopen(name, "re") : NULL;
	bool is;

	free(name);
	if (f == NULL)
		return false;
	is = fread(magic, 1, SELFMAG, f) == SELFMAG &&
	     memcmp(magic, ELFMAG, SELFMAG) == 0;
	fclose(f);
	return is;
}
