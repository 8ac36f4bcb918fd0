/* SPDX-License-Identifier: MIT */
/*
 * msg.c - words for people, without an allocator
 *
 * A message is formatted into a buffer on the caller's stack, then copied
 * into the ring.  The place in the ring is reserved with one atomic addition
 * to root_msg_written, so writers need no lock: a message from a signal
 * handler, or from a thread that died half way, costs at most its own text.
 *
 * Layer: above lock.h.
 */
#include <errno.h>
#include <string.h>

#include "msg.h"
#include "os.h"
#include "root.h"

#define MSG_LINE 1024  /* longest message; handlers have small stacks */
#define MSG_DIGITS 20  /* of 2^64 - 1 in decimal */
#define MSG_WIDTH 4096 /* widest field, whatever the format says */

static char msg_ring[UMEM_MSG_SIZE];

/* Where formatted text goes, and how much there would be. */
struct sink {
	char *buf;
	size_t size;
	size_t len;
};

/* One conversion: %[-][0][width][l|ll|z]conv */
struct spec {
	int left;
	int zero;
	size_t width;
	int length; /* 'i' int, 'l' long, 'q' long long, 'z' size_t */
};

static void
sink_put(struct sink *s, char c)
{
	if (s->len < s->size)
		s->buf[s->len] = c;
	s->len++;
}

static void
sink_pad(struct sink *s, char c, size_t n)
{
	while (n-- > 0)
		sink_put(s, c);
}

/* put_field - text of @len bytes in its width; zeros go behind the sign */
static void
put_field(struct sink *s, const struct spec *sp, const char *text, size_t len)
{
	size_t pad = sp->width > len ? sp->width - len : 0;
	size_t i = 0;

	if (sp->zero && !sp->left) {
		if (len > 0 && text[0] == '-')
			sink_put(s, text[i++]);
		sink_pad(s, '0', pad);
	} else if (!sp->left) {
		sink_pad(s, ' ', pad);
	}
	for (; i < len; i++)
		sink_put(s, text[i]);
	if (sp->left)
		sink_pad(s, ' ', pad);
}

/* put_number - in @base, with @prefix in front of the digits */
static void
put_number(struct sink *s, const struct spec *sp, uint64_t value, unsigned base,
    const char *prefix)
{
	char text[MSG_DIGITS + 4];
	char *p = text + sizeof(text);
	size_t n = strlen(prefix);

	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	p -= n;
	memcpy(p, prefix, n);
	put_field(s, sp, p, (size_t)(text + sizeof(text) - p));
}

static uint64_t
get_unsigned(const struct spec *sp, va_list *ap)
{
	switch (sp->length) {
	case 'l':
		return va_arg(*ap, unsigned long);
	case 'q':
		return va_arg(*ap, unsigned long long);
	case 'z':
		return va_arg(*ap, size_t);
	default:
		return va_arg(*ap, unsigned);
	}
}

static int64_t
get_signed(const struct spec *sp, va_list *ap)
{
	switch (sp->length) {
	case 'l':
		return va_arg(*ap, long);
	case 'q':
		return va_arg(*ap, long long);
	case 'z':
		return (int64_t)va_arg(*ap, size_t);
	default:
		return va_arg(*ap, int);
	}
}

static void
put_signed(struct sink *s, const struct spec *sp, int64_t value)
{
	if (value < 0)
		put_number(s, sp, -(uint64_t)value, 10, "-");
	else
		put_number(s, sp, (uint64_t)value, 10, "");
}

/* parse_spec - what stands between '%' and the conversion's letter */
static const char *
parse_spec(const char *p, struct spec *sp)
{
	memset(sp, 0, sizeof(*sp));
	sp->length = 'i';
	for (; *p == '-' || *p == '0'; p++) {
		if (*p == '-')
			sp->left = 1;
		else
			sp->zero = 1;
	}
	for (; *p >= '0' && *p <= '9'; p++) {
		if (sp->width < MSG_WIDTH)
			sp->width = sp->width * 10 + (size_t)(*p - '0');
	}
	if (p[0] == 'l' && p[1] == 'l') {
		sp->length = 'q';
		return p + 2;
	}
	if (*p == 'l' || *p == 'z')
		sp->length = (unsigned char)*p++;
	return p;
}

/* put_conversion - the one at @p; returns 0 when its letter is unknown */
static int
put_conversion(struct sink *s, struct spec *sp, char letter, va_list *ap)
{
	const char *text;
	char c;

	switch (letter) {
	case '%':
		sink_put(s, '%');
		return 1;
	case 'c':
		c = (char)va_arg(*ap, int);
		sp->zero = 0;
		put_field(s, sp, &c, 1);
		return 1;
	case 's':
		text = va_arg(*ap, const char *);
		if (text == NULL)
			text = "(null)";
		sp->zero = 0;
		put_field(s, sp, text, strlen(text));
		return 1;
	case 'd':
		put_signed(s, sp, get_signed(sp, ap));
		return 1;
	case 'u':
		put_number(s, sp, get_unsigned(sp, ap), 10, "");
		return 1;
	case 'x':
		put_number(s, sp, get_unsigned(sp, ap), 16, "");
		return 1;
	case 'p':
		sp->zero = 0;
		put_number(s, sp, (uintptr_t)va_arg(*ap, void *), 16, "0x");
		return 1;
	default:
		return 0;
	}
}

/* format - the whole text into the sink; ends at an unknown conversion */
static void
format(struct sink *s, const char *fmt, va_list *ap)
{
	const char *p = fmt;
	const char *q;
	struct spec sp;

	while (*p != '\0') {
		if (*p != '%') {
			sink_put(s, *p++);
			continue;
		}
		q = parse_spec(p + 1, &sp);
		if (!put_conversion(s, &sp, *q, ap)) {
			/* its argument is unknown, so are all that follow */
			for (; *p != '\0'; p++)
				sink_put(s, *p);
			return;
		}
		p = q + 1;
	}
}

int
umem_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct sink s = {buf, size > 0 ? size - 1 : 0, 0};
	va_list copy;

	va_copy(copy, ap);
	format(&s, fmt, &copy);
	va_end(copy);
	if (size > 0)
		buf[s.len < s.size ? s.len : s.size] = '\0';
	return (int)s.len;
}

int
umem_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = umem_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}

/* ring_write - append to the message buffer, over the oldest text */
static void
ring_write(const char *text, size_t len)
{
	uint64_t at, first;

	/* all threads would store the same */
	if (__atomic_load_n(&umem_root.root_msg, __ATOMIC_RELAXED) == NULL) {
		__atomic_store_n(&umem_root.root_msg_size, sizeof(msg_ring),
		    __ATOMIC_RELAXED);
		__atomic_store_n(
		    &umem_root.root_msg, msg_ring, __ATOMIC_RELEASE);
	}
	at = __atomic_fetch_add(
	    &umem_root.root_msg_written, len, __ATOMIC_RELAXED);
	at %= sizeof(msg_ring);
	first = sizeof(msg_ring) - at;
	if (first > len)
		first = len;
	memcpy(msg_ring + at, text, first);
	memcpy(msg_ring, text + first, len - first);
}

/* message - format, keep, and write to stderr when @to_stderr */
__attribute__((format(printf, 2, 0))) static void
message(int to_stderr, const char *fmt, va_list ap)
{
	static const char cut[] = "...\n";
	char line[MSG_LINE];
	int saved = errno;
	int len;

	len = umem_vsnprintf(line, sizeof(line), fmt, ap);
	if (len >= (int)sizeof(line)) {
		len = (int)sizeof(line) - 1;
		memcpy(line + len - (sizeof(cut) - 1), cut, sizeof(cut));
	}
	ring_write(line, (size_t)len);
	if (to_stderr)
		os_write_stderr(line, (size_t)len);
	errno = saved;
}

void
umem_log_message(const char *fmt, ...)
{
	int loud = umem_root.root_output & UMEM_OUTPUT_ALL;
	va_list ap;

	va_start(ap, fmt);
	message(loud && !os_secure(), fmt, ap);
	va_end(ap);
}

void
umem_error_message(const char *fmt, ...)
{
	va_list ap;

	/* stderr of a set-user-ID program may be a file of its caller's */
	va_start(ap, fmt);
	message(!os_secure(), fmt, ap);
	va_end(ap);
}

void
umem_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message(!os_secure(), fmt, ap);
	va_end(ap);
	umem_error_hook(NULL);
	os_abort();
}
