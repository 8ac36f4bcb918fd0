/* SPDX-License-Identifier: MIT */
/*
 * options.c - UMEM_DEBUG, UMEM_LOGGING and UMEM_OPTIONS
 *
 * Everything that can be set stands in one table, rows[], below: a token, the
 * form and the limits of its value, the value taken when none is given, and
 * the function that puts it in force.  Names and meanings are those that
 * libumem's manual made known; tokens that have no meaning in this design are
 * accepted and say so when `verbose' is set.
 *
 * Layer: above msg.h and root.h.
 */
#include "options.h"

#include <string.h>

#include "msg.h"
#include "os.h"
#include "root.h"
#include "vmem.h"

#define NAME_MAX_LEN 64 /* of a token in a message; longer ones are cut */
#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GUARDS (UMF_DEADBEEF | UMF_REDZONE)

enum value_kind {
	VALUE_NONE,
	VALUE_NUMBER, /* decimal */
	VALUE_SIZE,   /* decimal, with k m g t behind it */
	VALUE_POWER,  /* a size that is a power of two */
	VALUE_CHOICE, /* one of a few words */
};

struct choice {
	const char *word;
	uint64_t value;
};

struct row {
	struct umem_option opt;
	enum value_kind kind;
	int optional; /* the value may be left out, and is then: */
	uint64_t fallback;
	uint64_t min, max; /* less is a bad value, more is cut to max */
	const struct choice *choices;
	int (*apply)(uint64_t value); /* 0, or -1 after a message */
	const char *idle;             /* why it has no effect here */
};

/* A piece of the text being read. */
struct span {
	const char *p;
	size_t len;
};

/* ------------------------------------------------------- putting in force */

static int
set_default(uint64_t v)
{
	(void)v;
	umem_root.root_flags |= UMF_AUDIT | UMF_CONTENTS | GUARDS;
	return 0;
}

static int
set_audit(uint64_t v)
{
	umem_root.root_flags |= UMF_AUDIT | GUARDS;
	umem_root.root_stack_depth = (uint32_t)v;
	return 0;
}

static int
set_contents(uint64_t v)
{
	umem_root.root_flags |= UMF_CONTENTS;
	umem_root.root_contents = v;
	return 0;
}

static int
set_guards(uint64_t v)
{
	(void)v;
	umem_root.root_flags |= GUARDS;
	return 0;
}

static int
set_verbose(uint64_t v)
{
	(void)v;
	umem_root.root_output |= UMEM_OUTPUT_ERRORS;
	return 0;
}

static int
set_allverbose(uint64_t v)
{
	(void)v;
	umem_root.root_output |= UMEM_OUTPUT_ERRORS | UMEM_OUTPUT_ALL;
	return 0;
}

static int
set_nosignal(uint64_t v)
{
	(void)v;
	umem_root.root_flags |= UMF_AUDIT | UMF_CHECKSIGNAL | GUARDS;
	return 0;
}

static int
set_firewall(uint64_t v)
{
	umem_root.root_firewall = v;
	if (v != 0)
		umem_root.root_flags |= UMF_FIREWALL;
	else
		umem_root.root_flags &= ~UMF_FIREWALL;
	return 0;
}

static int
set_firewall_align(uint64_t v)
{
	umem_settings.set_firewall_align = (uint32_t)v;
	return 0;
}

static int
set_lite(uint64_t v)
{
	(void)v;
	umem_root.root_flags |= UMF_LITE | GUARDS;
	return 0;
}

static int
set_maxverify(uint64_t v)
{
	umem_root.root_maxverify = v;
	return 0;
}

static int
set_noabort(uint64_t v)
{
	(void)v;
	umem_settings.set_noabort = 1;
	return 0;
}

static int
set_mtbf(uint64_t v)
{
	/* nobody but its owner may make a privileged program fail */
	umem_root.root_mtbf = os_secure() ? 0 : v;
	return 0;
}

static int
set_random(uint64_t v)
{
	(void)v;
	umem_root.root_flags |= UMF_RANDOMIZE;
	umem_settings.set_random = 1;
	return 0;
}

static int
set_checknull(uint64_t v)
{
	(void)v;
	umem_root.root_flags |= UMF_CHECKNULL;
	return 0;
}

static int
set_stack(uint64_t v)
{
	umem_settings.set_frame_pointers = (uint32_t)v;
	return 0;
}

static int
set_log_transaction(uint64_t v)
{
	umem_settings.set_log_transaction = v;
	return 0;
}

static int
set_log_contents(uint64_t v)
{
	umem_settings.set_log_contents = v;
	umem_root.root_flags |= UMF_CONTENTS;
	return 0;
}

static int
set_log_fail(uint64_t v)
{
	umem_settings.set_log_fail = v;
	return 0;
}

static int
set_log_slab(uint64_t v)
{
	umem_settings.set_log_slab = v;
	return 0;
}

static int
set_allocator(uint64_t v)
{
	umem_settings.set_vmem_policy = (uint32_t)v;
	return 0;
}

static int
set_background(uint64_t v)
{
	(void)v;
	umem_settings.set_background = 1;
	return 0;
}

static int
set_concurrency(uint64_t v)
{
	umem_settings.set_concurrency = (uint32_t)v;
	return 0;
}

static int
set_max_contention(uint64_t v)
{
	umem_settings.set_max_contention = (uint32_t)v;
	return 0;
}

static int
set_nomagazines(uint64_t v)
{
	(void)v;
	umem_settings.set_nomagazines = 1;
	umem_root.root_flags |= UMF_NOMAGAZINE;
	return 0;
}

static int
set_perthread_cache(uint64_t v)
{
	umem_root.root_perthread = v;
	return 0;
}

static int
set_reap_interval(uint64_t v)
{
	umem_settings.set_reap_interval = (uint32_t)v;
	return 0;
}

/* size_list_add - to one of the lists of sizes, unless it is full */
static int
size_list_add(uint64_t *list, uint32_t *n, size_t max, uint64_t v)
{
	if (*n >= max) {
		umem_error_message("umem: UMEM_OPTIONS: only %zu sizes can be "
				   "added or removed, %llu ignored\n",
		    max, (unsigned long long)v);
		return -1;
	}
	list[(*n)++] = v;
	return 0;
}

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int
set_size_add(uint64_t v)
{
	struct umem_settings *s = &umem_settings;

	return size_list_add(
	    s->set_size_add, &s->set_nsize_add, LENGTH(s->set_size_add), v);
}

static int
set_size_remove(uint64_t v)
{
	struct umem_settings *s = &umem_settings;

	return size_list_add(s->set_size_remove, &s->set_nsize_remove,
	    LENGTH(s->set_size_remove), v);
}

static int
set_size_clear(uint64_t v)
{
	(void)v;
	umem_settings.set_size_clear = 1;
	umem_settings.set_nsize_add = 0;
	umem_settings.set_nsize_remove = 0;
	return 0;
}

static int
set_nothing(uint64_t v)
{
	(void)v;
	return 0;
}

/* --------------------------------------------------------------- the table */

#define DEBUG "UMEM_DEBUG"
#define LOGGING "UMEM_LOGGING"
#define OPTIONS "UMEM_OPTIONS"

#define DEFAULT_FRAMES 15
#define DEFAULT_CONTENTS 256
#define DEFAULT_FIREWALL 1
#define LARGEST_SIZE (128 * KIB) /* that may stand in the table of sizes */
#define LARGEST_LOG ((uint64_t)1 << 40)
#define ANY UINT64_MAX

static const struct choice stack_choices[] = {
    {"unwind", 0}, {"framepointer", 1}, {NULL, 0}};
static const struct choice allocator_choices[] = {{"best", VM_BESTFIT},
    {"first", VM_FIRSTFIT}, {"next", VM_NEXTFIT}, {"instant", 0}, {NULL, 0}};
static const struct choice backend_choices[] = {
    {"sbrk", 0}, {"mmap", 1}, {NULL, 0}};

/* clang-format off */
static const struct row rows[] = {
	{{DEBUG, "default", "", "same as audit,contents,guards"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_default, NULL},
	{{DEBUG, "audit", "[=frames]", "record who allocated and freed"},
	    VALUE_NUMBER, 1, DEFAULT_FRAMES, 0, UMEM_MAX_DEPTH, NULL,
	    set_audit, NULL},
	{{DEBUG, "contents", "[=bytes]", "keep contents of freed buffers"},
	    VALUE_SIZE, 1, DEFAULT_CONTENTS, 0, MIB, NULL, set_contents, NULL},
	{{DEBUG, "guards", "", "fill patterns and red zones, checked"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_guards, NULL},
	{{DEBUG, "verbose", "", "say on stderr what is odd"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_verbose, NULL},
	{{DEBUG, "allverbose", "", "write every message to stderr"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_allverbose, NULL},
	{{DEBUG, "nosignal", "", "calls from signal handlers are faults"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_nosignal, NULL},
	{{DEBUG, "firewall", "[=minbytes]", "an unmapped page after buffers"},
	    VALUE_SIZE, 1, DEFAULT_FIREWALL, 0, ANY, NULL, set_firewall, NULL},
	{{DEBUG, "firewall_align", "=bytes", "alignment under firewall"},
	    VALUE_POWER, 0, 0, 1, UMEM_PAGE_SIZE, NULL, set_firewall_align,
	    NULL},
	{{DEBUG, "lite", "", "guards that check 8 bytes only"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_lite, NULL},
	{{DEBUG, "maxverify", "=bytes", "fill and check so many bytes"},
	    VALUE_SIZE, 0, 0, 0, ANY, NULL, set_maxverify, NULL},
	{{DEBUG, "noabort", "", "go on after a fault"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_noabort, NULL},
	{{DEBUG, "mtbf", "=n", "let one allocation in n fail"},
	    VALUE_NUMBER, 0, 0, 0, UINT32_MAX, NULL, set_mtbf, NULL},
	{{DEBUG, "random", "", "checks that differ from cache to cache"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_random, NULL},
	{{DEBUG, "checknull", "", "a failed allocation is a fault"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_checknull, NULL},
	{{DEBUG, "stack", "=unwind|framepointer", "how stacks are taken"},
	    VALUE_CHOICE, 0, 0, 0, ANY, stack_choices, set_stack, NULL},

	{{LOGGING, "transaction", "[=size]", "log of allocations and frees"},
	    VALUE_SIZE, 1, 4 * MIB, 0, LARGEST_LOG, NULL, set_log_transaction,
	    NULL},
	{{LOGGING, "contents", "[=size]", "log of freed contents"},
	    VALUE_SIZE, 1, 4 * MIB, 0, LARGEST_LOG, NULL, set_log_contents,
	    NULL},
	{{LOGGING, "fail", "[=size]", "log of failed allocations"},
	    VALUE_SIZE, 1, 256 * KIB, 0, LARGEST_LOG, NULL, set_log_fail, NULL},
	{{LOGGING, "slab", "[=size]", "log of new slabs"},
	    VALUE_SIZE, 1, 256 * KIB, 0, LARGEST_LOG, NULL, set_log_slab, NULL},

	{{OPTIONS, "allocator", "=best|first|next|instant", "policy of arenas"},
	    VALUE_CHOICE, 0, 0, 0, ANY, allocator_choices, set_allocator, NULL},
	{{OPTIONS, "backend", "=sbrk|mmap", "no effect: always mmap"},
	    VALUE_CHOICE, 0, 0, 0, ANY, backend_choices, set_nothing,
	    "memory always comes from mmap"},
	{{OPTIONS, "background", "", "a thread that gives memory back"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_background, NULL},
	{{OPTIONS, "concurrency", "=n", "threads that write logs at once"},
	    VALUE_NUMBER, 0, 0, 1, UMEM_LOG_SLOTS_MAX, NULL, set_concurrency,
	    NULL},
	{{OPTIONS, "max_contention", "=n", "contention before magazines grow"},
	    VALUE_NUMBER, 0, 0, 0, UINT32_MAX, NULL, set_max_contention, NULL},
	{{OPTIONS, "nomagazines", "", "every call goes to the slabs"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_nomagazines, NULL},
	{{OPTIONS, "perthread_cache", "=size", "bytes a thread may cache"},
	    VALUE_SIZE, 0, 0, 0, ANY, NULL, set_perthread_cache, NULL},
	{{OPTIONS, "reap_interval", "=seconds", "between returns of memory"},
	    VALUE_NUMBER, 0, 0, 1, 86400, NULL, set_reap_interval, NULL},
	{{OPTIONS, "size_add", "=size", "a cache of this size for malloc"},
	    VALUE_SIZE, 0, 0, 1, LARGEST_SIZE, NULL, set_size_add, NULL},
	{{OPTIONS, "size_clear", "", "start with no sizes"},
	    VALUE_NONE, 0, 0, 0, 0, NULL, set_size_clear, NULL},
	{{OPTIONS, "size_remove", "=size", "no cache of this size"},
	    VALUE_SIZE, 0, 0, 1, LARGEST_SIZE, NULL, set_size_remove, NULL},
	{{OPTIONS, "sbrk_minalloc", "=size", "no effect: there is no sbrk"},
	    VALUE_SIZE, 0, 0, 0, ANY, NULL, set_nothing,
	    "memory never comes from sbrk"},
	{{OPTIONS, "sbrk_pagesize", "=size", "no effect: there is no sbrk"},
	    VALUE_SIZE, 0, 0, 0, ANY, NULL, set_nothing,
	    "memory never comes from sbrk"},
};
/* clang-format on */

/* ----------------------------------------------------------------- reading */

static int
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span
trim(struct span s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

static int
span_is(struct span s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.p, word, s.len) == 0;
}

/* span_text - for a message: printable, and cut to NAME_MAX_LEN */
static const char *
span_text(struct span s, char text[NAME_MAX_LEN + 4])
{
	size_t n = s.len < NAME_MAX_LEN ? s.len : NAME_MAX_LEN;

	for (size_t i = 0; i < n; i++)
		text[i] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?';
	memcpy(text + n, "...", 4);
	if (n == s.len)
		text[n] = '\0';
	return text;
}

/* read_number - decimal digits and nothing else.  Returns 0 or -1. */
static int
read_number(struct span s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.len == 0)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return -1;
	}
	*ret = v;
	return 0;
}

/* read_size - a number, and perhaps one letter for its unit */
static int
read_size(struct span s, uint64_t *ret)
{
	static const char units[] = "kmgt";
	const char *unit = NULL;
	uint64_t v;

	if (s.len > 0)
		unit = memchr(units, s.p[s.len - 1] | 0x20, sizeof(units) - 1);
	if (unit != NULL)
		s.len--;
	if (read_number(s, &v) != 0)
		return -1;
	if (unit != NULL && __builtin_mul_overflow(v,
				(uint64_t)1 << (10 * (unit - units + 1)), &v))
		return -1;
	*ret = v;
	return 0;
}

static int
read_choice(const struct choice *choices, struct span s, uint64_t *ret)
{
	for (; choices->word != NULL; choices++) {
		if (span_is(s, choices->word)) {
			*ret = choices->value;
			return 0;
		}
	}
	return -1;
}

/* read_value - as the row wants it.  Returns 0, or -1 when it is bad. */
static int
read_value(const struct row *row, struct span s, uint64_t *ret)
{
	switch (row->kind) {
	case VALUE_NUMBER:
		if (read_number(s, ret) != 0)
			return -1;
		break;
	case VALUE_SIZE:
		if (read_size(s, ret) != 0)
			return -1;
		break;
	case VALUE_POWER:
		if (read_size(s, ret) != 0 || (*ret & (*ret - 1)) != 0 ||
		    *ret > row->max)
			return -1;
		break;
	case VALUE_CHOICE:
		return read_choice(row->choices, s, ret);
	case VALUE_NONE:
		return -1;
	}
	return *ret < row->min ? -1 : 0;
}

static const struct row *
find_row(const char *variable, struct span name)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (strcmp(rows[i].opt.variable, variable) == 0 &&
		    span_is(name, rows[i].opt.name))
			return &rows[i];
	}
	return NULL;
}

/* unknown_option - name it, and the variable where it would be known */
static void
unknown_option(const char *variable, struct span name)
{
	char text[NAME_MAX_LEN + 4];
	const char *elsewhere = NULL;

	for (size_t i = 0; i < LENGTH(rows) && elsewhere == NULL; i++) {
		if (span_is(name, rows[i].opt.name))
			elsewhere = rows[i].opt.variable;
	}
	if (elsewhere != NULL)
		umem_error_message("umem: %s: unknown option '%s', ignored "
				   "(it belongs in %s)\n",
		    variable, span_text(name, text), elsewhere);
	else
		umem_error_message("umem: %s: unknown option '%s', ignored\n",
		    variable, span_text(name, text));
}

/* apply_row - after its value was read; values over the limit are cut */
static void
apply_row(const struct row *row, uint64_t value)
{
	if (row->kind != VALUE_NONE && value > row->max) {
		umem_error_message("umem: %s: %s=%llu is cut to %llu\n",
		    row->opt.variable, row->opt.name, (unsigned long long)value,
		    (unsigned long long)row->max);
		value = row->max;
	}
	if (row->idle != NULL && umem_root.root_output != 0)
		umem_error_message("umem: %s: '%s' has no effect: %s\n",
		    row->opt.variable, row->opt.name, row->idle);
	(void)row->apply(value);
}

/* parse_item - one token, which is not empty */
static void
parse_item(const char *variable, struct span item)
{
	const char *eq = memchr(item.p, '=', item.len);
	struct span name = item, value = {NULL, 0};
	char text[NAME_MAX_LEN + 4];
	const struct row *row;
	uint64_t v;

	if (eq != NULL) {
		name.len = (size_t)(eq - item.p);
		name = trim(name);
		value.p = eq + 1;
		value.len = (size_t)(item.p + item.len - value.p);
		value = trim(value);
	}
	row = find_row(variable, name);
	if (row == NULL) {
		unknown_option(variable, name);
		return;
	}
	v = row->fallback;
	if (eq != NULL && row->kind == VALUE_NONE)
		umem_error_message("umem: %s: '%s' takes no value, ignored\n",
		    variable, row->opt.name);
	else if (eq == NULL && row->kind != VALUE_NONE && !row->optional)
		umem_error_message("umem: %s: '%s' needs a value, ignored\n",
		    variable, row->opt.name);
	else if (eq != NULL && read_value(row, value, &v) != 0)
		umem_error_message("umem: %s: bad value '%s' for '%s', "
				   "ignored\n",
		    variable, span_text(value, text), row->opt.name);
	else
		apply_row(row, v);
}

void
options_parse(const char *variable, const char *text)
{
	struct span item;
	size_t n;

	while (text != NULL && *text != '\0') {
		n = strcspn(text, ",");
		item.p = text;
		item.len = n;
		item = trim(item);
		if (item.len > 0)
			parse_item(variable, item);
		text += n;
		if (*text == ',')
			text++;
	}
}

const struct umem_option *
options_row(size_t i)
{
	return i < LENGTH(rows) ? &rows[i].opt : NULL;
}

/*
 * Functions of the program, with which it can set defaults for itself; the
 * environment overrides them.
 */
extern const char *_umem_debug_init(void)
    __attribute__((weak, visibility("default")));
extern const char *_umem_options_init(void)
    __attribute__((weak, visibility("default")));
extern const char *_umem_logging_init(void)
    __attribute__((weak, visibility("default")));

/* read_variable - parse it, and keep the text for the debugger */
static void
read_variable(
    const char *variable, const char *(*init)(void), char *keep, size_t size)
{
	const char *text = os_getenv(variable);

	if (text == NULL && init != NULL)
		text = init();
	if (text == NULL)
		return;
	umem_snprintf(keep, size, "%s", text);
	options_parse(variable, text);
}

/* settle - what the options mean together */
static void
settle(void)
{
	struct umem_settings *s = &umem_settings;

	/* lite is for programs that cannot pay for records */
	if (umem_root.root_flags & UMF_LITE)
		umem_root.root_flags &=
		    ~(UMF_AUDIT | UMF_CONTENTS | UMF_CHECKSIGNAL);
	/* the few bytes between a buffer's end and its page's are checked */
	if (umem_root.root_firewall != 0)
		umem_root.root_flags |= UMF_REDZONE;
	if (s->set_log_transaction != 0 &&
	    !(umem_root.root_flags & (UMF_AUDIT | UMF_RANDOMIZE)))
		umem_error_message("umem: UMEM_LOGGING: the transaction log "
				   "stays empty without UMEM_DEBUG=audit\n");
}

void
options_read(void)
{
	umem_root_t *r = &umem_root;

	read_variable(DEBUG, _umem_debug_init, r->root_env_debug,
	    sizeof(r->root_env_debug));
	read_variable(OPTIONS, _umem_options_init, r->root_env_options,
	    sizeof(r->root_env_options));
	read_variable(LOGGING, _umem_logging_init, r->root_env_logging,
	    sizeof(r->root_env_logging));
	settle();
}
