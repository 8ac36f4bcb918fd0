/* SPDX-License-Identifier: MIT */
/*
 * profile_html.c - samples as a page for browsers
 *
 * The page is profile.html with the data as JSON in the place of one line.
 * It shows names of a process as text only; here they are kept from ending
 * the element that the data stand in.
 *
 * Layer: see profile.h.
 */
#include <inttypes.h>
#include <string.h>

#include "profile_impl.h"

#define MARK "@DATA@"

static void
put_text(struct strbuf *b, const char *key, const char *text)
{
	strbuf_printf(b, "\"%s\":", key);
	json_string(b, text);
	strbuf_puts(b, ",\n");
}

/* [function, module, place in it, file, line] of each frame. */
static void
put_frames(struct strbuf *b, const struct samples *s)
{
	char text[SAMPLE_FRAME_TEXT];
	uint32_t i;

	strbuf_puts(b, "\"frames\":[");
	for (i = 0; i < s->nframe; i++) {
		const struct sample_frame *f = &s->frame[i];
		const bool in = f->module < s->nmodule;

		samples_frame_text(s, i, text, sizeof(text));
		strbuf_puts(b, i == 0 ? "\n[" : ",\n[");
		json_string(b, text);
		strbuf_puts(b, ",");
		json_string(
		    b, in ? samples_name(s, s->module[f->module].name) : "");
		strbuf_printf(b, ",\"0x%" PRIx64 "\",", in ? f->at : f->pc);
		json_string(b, samples_name(s, f->file));
		strbuf_printf(b, ",%" PRIu32 "]", f->line);
	}
	strbuf_puts(b, "],\n");
}

/* [kind, cache, count, bytes, other count, other bytes, [frames]]. */
static void
put_samples(struct strbuf *b, const struct samples *s)
{
	uint32_t k;
	size_t i;

	strbuf_puts(b, "\"samples\":[");
	for (i = 0; i < s->nsample; i++) {
		const struct sample *p = &s->sample[i];

		strbuf_puts(b, i == 0 ? "\n[" : ",\n[");
		json_string(b, samples_name(s, p->kind));
		strbuf_puts(b, ",");
		json_string(b, samples_name(s, p->cache));
		strbuf_printf(b,
		    ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",[",
		    p->count[0], p->bytes[0], p->count[1], p->bytes[1]);
		for (k = 0; k < p->depth; k++)
			strbuf_printf(b, "%s%" PRIu32, k == 0 ? "" : ",",
			    s->link[p->stack + k]);
		strbuf_puts(b, "]]");
	}
	strbuf_puts(b, "]\n");
}

/* JSON has '<' in strings only; a tag or comment cannot begin then. */
static void
put_safe(struct savefile *f, const char *p, size_t len)
{
	const char *lt;

	while ((lt = memchr(p, '<', len)) != NULL) {
		savefile_write(f, p, (size_t)(lt - p));
		savefile_puts(f, "\\u003c");
		len -= (size_t)(lt + 1 - p);
		p = lt + 1;
	}
	savefile_write(f, p, len);
}

bool
profile_html(struct savefile *f, const struct samples *s,
    const struct profile_about *about)
{
	static const char *const beside[] = {
	    [PROFILE_NOTHING] = "",
	    [PROFILE_ROOTS] = "roots",
	    [PROFILE_BEFORE] = "before",
	    [PROFILE_RETAINED] = "retained",
	};
	const char *mark = strstr(profile_page, MARK);
	struct strbuf b = {0};
	bool ok;

	strbuf_puts(&b, "{");
	put_text(&b, "command", about->command);
	put_text(&b, "target", about->target);
	put_text(&b, "beside", beside[about->beside]);
	strbuf_printf(&b, "\"time\":%" PRIu64 ",\n", s->wall);
	put_frames(&b, s);
	put_samples(&b, s);
	strbuf_puts(&b, "}");
	ok = !b.failed && mark != NULL;
	if (ok) {
		savefile_write(f, profile_page, (size_t)(mark - profile_page));
		put_safe(f, b.p, b.len);
		savefile_puts(f, mark + strlen(MARK));
	}
	strbuf_free(&b);
	return ok;
}
