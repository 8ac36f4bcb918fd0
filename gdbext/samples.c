/* SPDX-License-Identifier: MIT */
/*
 * samples.c - how much was allocated by which stack, apart from any process
 *
 * Layer: see samples.h.
 */
#include "samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out_impl.h"

#define HASH 0x9e3779b97f4a7c15ULL
#define LIMIT (UINT32_MAX / 4) /* of anything */

struct samples *
samples_new(void)
{
	struct samples *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->string = calloc(64, sizeof(*s->string));
	s->stringroom = 64;
	if (s->string != NULL)
		s->string[0] = strdup("");
	if (s->string == NULL || s->string[0] == NULL) {
		free(s->string);
		free(s);
		return NULL;
	}
	s->nstring = 1;
	return s;
}

void
samples_free(struct samples *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->nstring; i++)
		free(s->string[i]);
	free(s->string);
	free(s->module);
	free(s->frame);
	free(s->link);
	free(s->sample);
	free(s->strings.slot);
	free(s->frames.slot);
	free(s->samples.slot);
	free(s);
}

/* ------------------------------------------------------------------ index */

/* Room for @n more elements of an array. */
static bool
array_room(struct samples *s, void *array, size_t *room, size_t have, size_t n,
    size_t size)
{
	size_t want = *room == 0 ? 64 : *room;
	void *more, *old;

	if (n <= *room - have)
		return true;
	while (want - have < n)
		want *= 2;
	memcpy(&old, array, sizeof(old));
	more = want <= LIMIT ? realloc(old, want * size) : NULL;
	if (more == NULL) {
		s->failed = true;
		return false;
	}
	memcpy(array, &more, sizeof(more));
	*room = want;
	return true;
}

typedef uint64_t hash_fn(const struct samples *s, uint32_t which);

/* Keep the index half empty; hashes of what is in it are made anew. */
static bool
index_room(struct samples *s, struct sample_index *x, hash_fn *hash)
{
	const size_t n = x->nslot == 0 ? 128 : x->nslot * 2;
	uint32_t *slot;
	size_t i, k;

	if (x->n < x->nslot / 2)
		return true;
	slot = calloc(n, sizeof(*slot));
	if (slot == NULL) {
		s->failed = true;
		return false;
	}
	for (i = 0; i < x->nslot; i++) {
		if (x->slot[i] == 0)
			continue;
		k = hash(s, x->slot[i] - 1) & (n - 1);
		while (slot[k] != 0)
			k = (k + 1) & (n - 1);
		slot[k] = x->slot[i];
	}
	free(x->slot);
	x->slot = slot;
	x->nslot = n;
	return true;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * HASH;
	return h ^ h >> 29;
}

/* ---------------------------------------------------------------- strings */

static uint64_t
text_hash(const char *text)
{
	uint64_t h = 0;

	for (; *text != '\0'; text++)
		h = mix(h, (unsigned char)*text);
	return h;
}

static uint64_t
string_hash(const struct samples *s, uint32_t which)
{
	return text_hash(s->string[which]);
}

/* A copy without what would break a file of lines, or a page. */
static char *
clean(const char *text)
{
	const size_t len = strlen(text);
	char *to = malloc(len + 1);
	size_t i, n;

	if (to == NULL)
		return NULL;
	for (i = 0; i < len; i += n ? n : 1) {
		n = utf8_length(text + i, len - i);
		if (n > 1 || (n == 1 && text[i] >= ' ' && text[i] != 0x7f))
			memcpy(to + i, text + i, n);
		else
			to[i] = '?';
	}
	to[len] = '\0';
	return to;
}

uint32_t
samples_string(struct samples *s, const char *text)
{
	char *own;
	size_t k;

	if (text == NULL || text[0] == '\0' ||
	    !index_room(s, &s->strings, string_hash) ||
	    !array_room(s, &s->string, &s->stringroom, s->nstring, 1,
		sizeof(*s->string)))
		return 0;
	own = clean(text);
	if (own == NULL) {
		s->failed = true;
		return 0;
	}
	k = text_hash(own) & (s->strings.nslot - 1);
	for (; s->strings.slot[k] != 0; k = (k + 1) & (s->strings.nslot - 1)) {
		if (strcmp(s->string[s->strings.slot[k] - 1], own) == 0) {
			free(own);
			return s->strings.slot[k] - 1;
		}
	}
	s->string[s->nstring++] = own;
	s->strings.slot[k] = (uint32_t)s->nstring;
	s->strings.n++;
	return (uint32_t)s->nstring - 1;
}

const char *
samples_name(const struct samples *s, uint32_t string)
{
	return string < s->nstring ? s->string[string] : "";
}

/* ----------------------------------------------------------------- frames */

uint32_t
samples_module(struct samples *s, const struct sample_module *m)
{
	if (!array_room(s, &s->module, &s->moduleroom, s->nmodule, 1,
		sizeof(*s->module)))
		return SAMPLE_NONE;
	s->module[s->nmodule] = *m;
	return (uint32_t)s->nmodule++;
}

static uint64_t
place_hash(const struct sample_frame *f)
{
	return mix(mix(mix(f->module, f->at), f->function), f->offset);
}

static uint64_t
frame_hash(const struct samples *s, uint32_t which)
{
	return place_hash(&s->frame[which]);
}

static bool
frame_same(const struct sample_frame *a, const struct sample_frame *b)
{
	return a->module == b->module && a->at == b->at &&
	       a->function == b->function && a->offset == b->offset &&
	       a->file == b->file && a->line == b->line;
}

uint32_t
samples_frame(struct samples *s, const struct sample_frame *f)
{
	size_t k;

	if (!index_room(s, &s->frames, frame_hash) ||
	    !array_room(
		s, &s->frame, &s->frameroom, s->nframe, 1, sizeof(*s->frame)))
		return SAMPLE_NONE;
	k = place_hash(f) & (s->frames.nslot - 1);
	for (; s->frames.slot[k] != 0; k = (k + 1) & (s->frames.nslot - 1))
		if (frame_same(&s->frame[s->frames.slot[k] - 1], f))
			return s->frames.slot[k] - 1;
	s->frame[s->nframe++] = *f;
	s->frames.slot[k] = (uint32_t)s->nframe;
	s->frames.n++;
	return (uint32_t)s->nframe - 1;
}

/* ---------------------------------------------------------------- samples */

static uint64_t
key_hash(uint32_t kind, uint32_t cache, const uint32_t *frame, uint32_t depth)
{
	uint64_t h = mix(mix(mix(0, kind), cache), depth);
	uint32_t i;

	for (i = 0; i < depth; i++)
		h = mix(h, frame[i]);
	return h;
}

static uint64_t
sample_hash(const struct samples *s, uint32_t which)
{
	const struct sample *p = &s->sample[which];

	return key_hash(p->kind, p->cache, s->link + p->stack, p->depth);
}

struct sample *
samples_add(struct samples *s, uint32_t kind, uint32_t cache,
    const uint32_t *frame, uint32_t depth)
{
	struct sample *p;
	size_t k;

	if (depth > SAMPLE_DEPTH)
		depth = SAMPLE_DEPTH;
	if (!index_room(s, &s->samples, sample_hash) ||
	    !array_room(s, &s->sample, &s->sampleroom, s->nsample, 1,
		sizeof(*s->sample)) ||
	    !array_room(s, &s->link, &s->linkroom, s->nlink, depth + 1,
		sizeof(*s->link)))
		return NULL;
	k = key_hash(kind, cache, frame, depth) & (s->samples.nslot - 1);
	for (; s->samples.slot[k] != 0; k = (k + 1) & (s->samples.nslot - 1)) {
		p = &s->sample[s->samples.slot[k] - 1];
		if (p->kind == kind && p->cache == cache && p->depth == depth &&
		    (depth == 0 || memcmp(s->link + p->stack, frame,
				       depth * sizeof(*frame)) == 0))
			return p;
	}
	p = &s->sample[s->nsample++];
	s->samples.slot[k] = (uint32_t)s->nsample;
	s->samples.n++;
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->cache = cache;
	p->stack = (uint32_t)s->nlink;
	p->depth = depth;
	if (depth > 0)
		memcpy(s->link + s->nlink, frame, depth * sizeof(*frame));
	s->nlink += depth;
	return p;
}

void
samples_total(const struct samples *s, uint64_t *count_ret, uint64_t *bytes_ret)
{
	size_t i;
	int k;

	for (k = 0; k < 2; k++) {
		count_ret[k] = bytes_ret[k] = 0;
		for (i = 0; i < s->nsample; i++) {
			count_ret[k] += s->sample[i].count[k];
			bytes_ret[k] += s->sample[i].bytes[k];
		}
	}
}

/* ------------------------------------------------------------------ names */

const char *
samples_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

void
samples_frame_text(
    const struct samples *s, uint32_t frame, char *buf, size_t size)
{
	const struct sample_frame *f;
	int n = 0;

	snprintf(buf, size, "?");
	if (frame >= s->nframe)
		return;
	f = &s->frame[frame];
	if (f->function != 0)
		n = snprintf(buf, size, "%s", samples_name(s, f->function));
	else if (f->module < s->nmodule)
		snprintf(buf, size, "%s+0x%" PRIx64,
		    samples_base(samples_name(s, s->module[f->module].name)),
		    f->at);
	else
		snprintf(buf, size, "0x%" PRIx64, f->pc);
	if (n >= (int)size) /* cut between two characters */
		for (n = (int)size - 1; n > 0; buf[--n] = '\0')
			if ((buf[n - 1] & 0x80) == 0)
				break;
}

unsigned
samples_age(uint64_t ns)
{
	uint64_t limit = 1000000000;
	unsigned i;

	for (i = 0; i + 1 < SAMPLE_AGES && ns >= limit; i++)
		limit *= 10;
	return i;
}
