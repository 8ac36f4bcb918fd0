/* SPDX-License-Identifier: MIT */
/*
 * profile_pprof.c - samples as profile.proto, the form that pprof reads
 *
 * Protocol buffers are simple to write: a message is a row of fields, each
 * with its number and kind in front, and a field that is a message is its
 * length and its bytes.  The numbers below are those of profile.proto in
 * github.com/google/pprof.  gzip allows blocks that are not compressed, which
 * saves us a compressor.
 *
 * Strings are numbered as in the samples; those that only pprof needs follow.
 *
 * Layer: see profile.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile_impl.h"

enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME = 9,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_TYPE = 14,
};
enum { VALUE_TYPE = 1, VALUE_UNIT = 2 };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum { LABEL_KEY = 1, LABEL_TEXT = 2 };
enum {
	MAPPING_ID = 1,
	MAPPING_START = 2,
	MAPPING_LIMIT = 3,
	MAPPING_OFFSET = 4,
	MAPPING_FILE = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_HAS_FUNCTIONS = 7,
	MAPPING_HAS_FILES = 8,
	MAPPING_HAS_LINES = 9,
};
enum {
	LOCATION_ID = 1,
	LOCATION_MAPPING = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4,
};
enum { LINE_FUNCTION = 1, LINE_NUMBER = 2 };
enum {
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
	FUNCTION_FILE = 4,
};

struct encode {
	const struct samples *s;
	const struct profile_about *about;
	struct strbuf out;
	struct strbuf part, inner; /* messages in it, under way */
	struct strbuf extra; /* strings behind the samples' own, encoded */
	uint32_t nextra;
	uint32_t *order; /* frames sorted by function */
};

/* ------------------------------------------------------------------ fields */

static void
put_varint(struct strbuf *b, uint64_t v)
{
	char byte;

	for (; v >= 0x80; v >>= 7) {
		byte = (char)(v | 0x80);
		strbuf_add(b, &byte, 1);
	}
	byte = (char)v;
	strbuf_add(b, &byte, 1);
}

/* A number; 0 is what a field that is missing means. */
static void
put_number(struct strbuf *b, unsigned field, uint64_t v)
{
	if (v == 0)
		return;
	put_varint(b, field << 3);
	put_varint(b, v);
}

static void
put_bytes(struct strbuf *b, unsigned field, const char *p, size_t len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, len);
	if (len > 0)
		strbuf_add(b, p, len);
}

/* The message in @from, which is empty then. */
static void
put_message(struct strbuf *b, unsigned field, struct strbuf *from)
{
	put_bytes(b, field, from->p, from->len);
	from->len = 0;
}

/* A string that the samples do not have. */
static uint32_t
extra_string(struct encode *e, const char *text)
{
	put_bytes(&e->extra, PROFILE_STRING, text, strlen(text));
	return (uint32_t)e->s->nstring + e->nextra++;
}

/* ------------------------------------------------------------------- parts */

static void
encode_type(struct encode *e, const char *type, const char *unit)
{
	put_number(&e->part, VALUE_TYPE, extra_string(e, type));
	put_number(&e->part, VALUE_UNIT, extra_string(e, unit));
	put_message(&e->out, PROFILE_SAMPLE_TYPE, &e->part);
}

static void
encode_label(struct encode *e, uint32_t key, uint32_t text)
{
	if (text == 0)
		return;
	put_number(&e->inner, LABEL_KEY, key);
	put_number(&e->inner, LABEL_TEXT, text);
	put_message(&e->part, SAMPLE_LABEL, &e->inner);
}

/* Locations: frames, and behind them one a cache for want of a stack. */
static void
encode_samples(struct encode *e)
{
	const uint32_t kind = extra_string(e, "kind");
	const uint32_t cache = extra_string(e, "cache");
	const struct samples *s = e->s;
	uint32_t k;
	size_t i;

	for (i = 0; i < s->nsample; i++) {
		const struct sample *p = &s->sample[i];

		for (k = 0; k < p->depth; k++)
			put_varint(&e->inner, s->link[p->stack + k] + 1ull);
		if (p->depth == 0)
			put_varint(&e->inner, s->nframe + p->cache + 1ull);
		put_message(&e->part, SAMPLE_LOCATION, &e->inner);
		if (e->about->beside == PROFILE_BEFORE) {
			put_varint(&e->inner, p->count[0] - p->count[1]);
			put_varint(&e->inner, p->bytes[0] - p->bytes[1]);
		} else {
			put_varint(&e->inner, p->count[0]);
			put_varint(&e->inner, p->bytes[0]);
		}
		if (e->about->beside == PROFILE_RETAINED) {
			put_varint(&e->inner, p->count[1]);
			put_varint(&e->inner, p->bytes[1]);
		}
		put_message(&e->part, SAMPLE_VALUE, &e->inner);
		encode_label(e, kind, p->kind);
		encode_label(e, cache, p->cache);
		put_message(&e->out, PROFILE_SAMPLE, &e->part);
	}
}

static void
encode_mappings(struct encode *e)
{
	const struct samples *s = e->s;
	size_t i;

	for (i = 0; i < s->nmodule; i++) {
		const struct sample_module *m = &s->module[i];

		put_number(&e->part, MAPPING_ID, i + 1);
		put_number(&e->part, MAPPING_START, m->start);
		put_number(&e->part, MAPPING_LIMIT, m->end);
		put_number(&e->part, MAPPING_OFFSET, m->offset);
		put_number(&e->part, MAPPING_FILE, m->name);
		put_number(&e->part, MAPPING_BUILD_ID, m->id);
		put_number(&e->part, MAPPING_HAS_FUNCTIONS, 1);
		put_number(&e->part, MAPPING_HAS_FILES, 1);
		put_number(&e->part, MAPPING_HAS_LINES, 1);
		put_message(&e->out, PROFILE_MAPPING, &e->part);
	}
}

static void
encode_function(struct encode *e, uint64_t id, uint32_t name, uint32_t file)
{
	put_number(&e->part, FUNCTION_ID, id);
	put_number(&e->part, FUNCTION_NAME, name);
	put_number(&e->part, FUNCTION_SYSTEM_NAME, name);
	put_number(&e->part, FUNCTION_FILE, file);
	put_message(&e->out, PROFILE_FUNCTION, &e->part);
}

static void
encode_location(struct encode *e, uint64_t id, uint64_t function,
    const struct sample_frame *f)
{
	put_number(&e->part, LOCATION_ID, id);
	if (f != NULL && f->module < e->s->nmodule)
		put_number(&e->part, LOCATION_MAPPING, f->module + 1ull);
	if (f != NULL && f->pc > 0) /* the call, not what follows it */
		put_number(&e->part, LOCATION_ADDRESS, f->pc - 1);
	put_number(&e->inner, LINE_FUNCTION, function);
	put_number(&e->inner, LINE_NUMBER, f != NULL ? f->line : 0);
	put_message(&e->part, LOCATION_LINE, &e->inner);
	put_message(&e->out, PROFILE_LOCATION, &e->part);
}

static int
frame_compare(const void *a, const void *b, void *arg)
{
	const struct samples *s = arg;
	const struct sample_frame *x = &s->frame[*(const uint32_t *)a];
	const struct sample_frame *y = &s->frame[*(const uint32_t *)b];

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* Frames sorted by function: a new one begins where it changes. */
static void
encode_frames(struct encode *e)
{
	const struct samples *s = e->s;
	const struct sample_frame *last = NULL;
	char text[SAMPLE_FRAME_TEXT];
	uint64_t id = 0;
	uint32_t name;
	size_t i;

	for (i = 0; i < s->nframe; i++)
		e->order[i] = (uint32_t)i;
	qsort_r(e->order, s->nframe, sizeof(*e->order), frame_compare,
	    (void *)(uintptr_t)s);
	for (i = 0; i < s->nframe; i++) {
		const struct sample_frame *f = &s->frame[e->order[i]];

		if (last == NULL || f->function == 0 ||
		    f->function != last->function || f->file != last->file) {
			name = f->function;
			samples_frame_text(s, e->order[i], text, sizeof(text));
			if (name == 0)
				name = extra_string(e, text);
			encode_function(e, ++id, name, f->file);
		}
		encode_location(e, e->order[i] + 1ull, id, f);
		last = f;
	}
}

/* A location for each cache (a string) that has a sample without stack. */
static bool
encode_caches(struct encode *e)
{
	const struct samples *s = e->s;
	bool *done = calloc(s->nstring, sizeof(*done));
	char text[SAMPLE_FRAME_TEXT];
	uint64_t id;
	size_t i;

	if (done == NULL)
		return false;
	for (i = 0; i < s->nsample; i++) {
		const struct sample *p = &s->sample[i];

		if (p->depth != 0 || done[p->cache])
			continue;
		done[p->cache] = true;
		profile_top(s, p, text, sizeof(text));
		id = s->nframe + p->cache + 1ull;
		encode_function(e, id, extra_string(e, text), 0);
		encode_location(e, id, id, NULL);
	}
	free(done);
	return true;
}

static void
encode_strings(struct encode *e)
{
	size_t i;

	for (i = 0; i < e->s->nstring; i++)
		put_bytes(&e->out, PROFILE_STRING, e->s->string[i],
		    strlen(e->s->string[i]));
	strbuf_add(&e->out, e->extra.p, e->extra.len);
}

static bool
encode_all(struct encode *e)
{
	char comment[512];

	encode_type(e, "inuse_objects", "count");
	encode_type(e, "inuse_space", "bytes");
	if (e->about->beside == PROFILE_RETAINED) {
		encode_type(e, "retained_objects", "count");
		encode_type(e, "retained_space", "bytes");
	}
	encode_samples(e);
	encode_mappings(e);
	encode_frames(e);
	if (!encode_caches(e))
		return false;
	put_number(&e->out, PROFILE_TIME, e->s->wall * 1000000000u);
	snprintf(comment, sizeof(comment), "%.100s%s%.300s", e->about->command,
	    e->about->target[0] != '\0' ? " of " : "", e->about->target);
	put_number(&e->out, PROFILE_COMMENT, extra_string(e, comment));
	put_number(
	    &e->out, PROFILE_DEFAULT_TYPE, extra_string(e, "inuse_space"));
	encode_strings(e);
	return !e->out.failed && !e->part.failed && !e->inner.failed &&
	       !e->extra.failed;
}

/* -------------------------------------------------------------------- gzip */

static uint32_t
crc32(const unsigned char *p, size_t len)
{
	uint32_t table[256], c;
	unsigned i, k;

	for (i = 0; i < 256; i++) {
		c = i;
		for (k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		table[i] = c;
	}
	c = ~0u;
	while (len-- > 0)
		c = table[(c ^ *p++) & 0xff] ^ c >> 8;
	return ~c;
}

static void
put_le(struct savefile *f, uint32_t v, unsigned bytes)
{
	unsigned char b[4];
	unsigned i;

	for (i = 0; i < bytes; i++)
		b[i] = (unsigned char)(v >> 8 * i);
	savefile_write(f, b, bytes);
}

/* RFC 1952, with blocks of RFC 1951 that are stored as they are. */
static void
gzip(struct savefile *f, const char *p, size_t len)
{
	static const unsigned char head[10] = {
	    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	const size_t whole = len;
	const char *start = p;
	uint32_t n;

	savefile_write(f, head, sizeof(head));
	do {
		n = len < 0xffff ? (uint32_t)len : 0xffff;
		put_le(f, len == n, 1); /* the last one says so */
		put_le(f, n, 2);
		put_le(f, ~n, 2);
		savefile_write(f, p, n);
		p += n;
		len -= n;
	} while (len > 0);
	put_le(f, crc32((const unsigned char *)start, whole), 4);
	put_le(f, (uint32_t)whole, 4);
}

bool
profile_pprof(struct savefile *f, const struct samples *s,
    const struct profile_about *about)
{
	struct encode e = {.s = s, .about = about};
	bool ok;

	e.order = calloc(s->nframe + 1, sizeof(*e.order));
	ok = e.order != NULL && encode_all(&e);
	if (ok)
		gzip(f, e.out.p, e.out.len);
	free(e.order);
	strbuf_free(&e.out);
	strbuf_free(&e.part);
	strbuf_free(&e.inner);
	strbuf_free(&e.extra);
	return ok;
}
