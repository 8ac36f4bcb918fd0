/* SPDX-License-Identifier: MIT */
/*
 * target_note.c - the notes of a core file
 *
 * NT_PRSTATUS gives each thread's registers, and NT_FPREGSET or NT_X86_XSTATE
 * behind it its vector registers; NT_FILE the mappings of files, NT_AUXV where
 * the vdso and the first stack are.
 *
 * Layer: above target_core.h.
 */
#include <stdlib.h>
#include <string.h>

#include "target_core.h"

/*
 * Where struct elf_prstatus of x86-64 has what we want: the numbers are the
 * kernel's binary interface, and the host that reads a core need not have
 * that struct.
 */
#define PRSTATUS_PID 32u
#define PRSTATUS_REG 112u
#define PRSTATUS_NREG 27u
#define PRSTATUS_MIN (PRSTATUS_REG + 8 * PRSTATUS_NREG)

/* Index of each of our registers in the kernel's order (r15 r14 ... gs). */
static const unsigned char prstatus_index[TARGET_NREGS] = {
    10, 5, 11, 12, 13, 14, 4, 19, /* rax rbx rcx rdx rsi rdi rbp rsp */
    9, 8, 7, 6, 3, 2, 1, 0,       /* r8 - r15 */
    16, 21,                       /* rip fs_base */
};

/*
 * The area of XSAVE in its standard format, the first 512 bytes of which are
 * those of FXSAVE.  XCR0 stands in bytes that the processor leaves alone.
 * AVX-512's part lies where the processor says; this is where all but a few
 * have it.
 */
#define FXSAVE_SIZE 512u
#define FXSAVE_XMM 160u
#define XSAVE_XCR0 464u
#define XSAVE_YMM 576u        /* upper halves of ymm0-15 */
#define XSAVE_ZMM_UPPER 1152u /* upper halves of zmm0-15 */
#define XSAVE_ZMM_HIGH 1664u  /* zmm16-31 */
#define XSAVE_AVX 0x4u
#define XSAVE_AVX512 0xc0u

struct note {
	const char *name;
	uint32_t namesz, type;
	const unsigned char *desc;
	uint64_t descsz;
};

static uint64_t
note_u64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
note_align(uint64_t n)
{
	return (n + 3) & ~(uint64_t)3;
}

/* Take the note at *p of *left bytes and step over it; false: no more. */
static bool
note_next(const unsigned char **p, uint64_t *left, struct note *note)
{
	Elf64_Nhdr h;
	uint64_t name, desc;

	if (*left < sizeof(h))
		return false;
	memcpy(&h, *p, sizeof(h));
	name = note_align(h.n_namesz);
	desc = note_align(h.n_descsz);
	if (name > *left - sizeof(h) || h.n_descsz > *left - sizeof(h) - name)
		return false;
	note->name = (const char *)*p + sizeof(h);
	note->namesz = h.n_namesz;
	note->type = h.n_type;
	note->desc = *p + sizeof(h) + name;
	note->descsz = h.n_descsz;
	if (desc > *left - sizeof(h) - name) /* the last one, not padded */
		desc = *left - sizeof(h) - name;
	*left -= sizeof(h) + name + desc;
	*p = note->desc + desc;
	return true;
}

static bool
note_is(const struct note *note, const char *name, size_t size)
{
	return note->namesz == size && memcmp(note->name, name, size) == 0;
}

static int
note_thread(struct target *tgt, const struct core *core, size_t *room,
    const struct note *note)
{
	struct target_thread *t;
	size_t i;

	if (note->descsz < PRSTATUS_PID + sizeof(uint32_t))
		return UMDB_OK;
	if (tgt->nthread == *room) {
		size_t more = *room == 0 ? 16 : *room * 2;

		t = realloc(tgt->thread, more * sizeof(*t));
		if (t == NULL)
			return target_fail(
			    tgt, UMDB_ENOMEM, 0, "no memory for threads");
		tgt->thread = t;
		*room = more;
	}
	t = &tgt->thread[tgt->nthread++];
	memset(t, 0, sizeof(*t));
	memcpy(&t->lwp, note->desc + PRSTATUS_PID, sizeof(t->lwp));
	if (core->machine != EM_X86_64 || note->descsz < PRSTATUS_MIN)
		return UMDB_OK;
	for (i = 0; i < TARGET_NREGS; i++)
		t->reg[i] = note_u64(
		    note->desc + PRSTATUS_REG + 8u * prstatus_index[i]);
	t->have_regs = true;
	return UMDB_OK;
}

/* n registers of size bytes at off of the note go to words of vector. */
static void
note_lanes(uint64_t *vector, unsigned word, unsigned n, unsigned size,
    const struct note *note, unsigned off)
{
	unsigned i;

	if (note->descsz < off + (uint64_t)n * size)
		return;
	for (i = 0; i < n; i++)
		memcpy(&vector[i * TARGET_VECTOR_WORDS + word],
		    note->desc + off + i * size, size);
}

/* They belong to the thread whose NT_PRSTATUS was the last. */
static void
note_vectors(
    struct target *tgt, const struct core *core, const struct note *note)
{
	uint64_t *vector, xcr0;

	if (tgt->nthread == 0 || core->machine != EM_X86_64)
		return;
	vector = tgt->thread[tgt->nthread - 1].vector;
	note_lanes(vector, 0, 16, 16, note, FXSAVE_XMM);
	if (note->descsz <= FXSAVE_SIZE)
		return;
	xcr0 = note_u64(note->desc + XSAVE_XCR0);
	if ((xcr0 & XSAVE_AVX) != 0)
		note_lanes(vector, 2, 16, 16, note, XSAVE_YMM);
	if ((xcr0 & XSAVE_AVX512) != XSAVE_AVX512)
		return;
	note_lanes(vector, 4, 16, 32, note, XSAVE_ZMM_UPPER);
	note_lanes(
	    vector + TARGET_NVECTOR / 2, 0, 16, 64, note, XSAVE_ZMM_HIGH);
}

static void
note_auxv(struct core *core, const struct note *note)
{
	uint64_t at;

	for (at = 0; note->descsz - at >= 16; at += 16) {
		uint64_t type = note_u64(note->desc + at);
		uint64_t value = note_u64(note->desc + at + 8);

		if (type == AT_SYSINFO_EHDR)
			core->vdso = value;
		else if (type == AT_RANDOM)
			core->at_random = value;
	}
}

static int
map_compare(const void *a, const void *b)
{
	const struct core_map *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Sort, and drop what is empty or overlaps. */
static void
map_settle(struct core *core)
{
	taddr_t end = 0;
	size_t i, kept = 0;

	if (core->nmap == 0)
		return;
	qsort(core->map, core->nmap, sizeof(*core->map), map_compare);
	for (i = 0; i < core->nmap; i++) {
		if (core->map[i].start < end ||
		    core->map[i].start >= core->map[i].end)
			continue;
		end = core->map[i].end;
		core->map[kept++] = core->map[i];
	}
	core->nmap = kept;
}

/* NT_FILE: count, page size, count triples, then count names. */
static int
note_files(struct target *tgt, struct core *core, const struct note *note)
{
	const unsigned char *p = note->desc, *name, *end, *nul;
	uint64_t count, i;

	if (core->map != NULL || note->descsz < 16)
		return UMDB_OK;
	count = note_u64(p);
	if (count > (note->descsz - 16) / 24)
		count = (note->descsz - 16) / 24;
	core->map = calloc(count + 1, sizeof(*core->map));
	if (core->map == NULL)
		return target_fail(
		    tgt, UMDB_ENOMEM, 0, "no memory for file mappings");
	p += 16;
	name = p + 24 * count;
	end = note->desc + note->descsz;
	for (i = 0; i < count; i++, p += 24) {
		struct core_map *m = &core->map[i];

		m->start = note_u64(p);
		m->end = note_u64(p + 8);
		m->name = "";
		nul = memchr(name, '\0', (size_t)(end - name));
		if (nul != NULL) {
			m->name = (const char *)name;
			name = nul + 1;
		}
	}
	core->nmap = count;
	map_settle(core);
	return UMDB_OK;
}

int
core_read_notes(
    struct target *tgt, struct core *core, uint64_t offset, uint64_t size)
{
	const unsigned char *p;
	struct note note;
	size_t room = tgt->nthread; /* so far it is exactly full */
	int rc = UMDB_OK;

	if (offset >= core->size)
		return UMDB_OK;
	if (size > core->size - offset)
		size = core->size - offset;
	p = core->data + offset;
	while (rc == UMDB_OK && note_next(&p, &size, &note)) {
		if (note_is(&note, "LINUX", sizeof("LINUX")) &&
		    note.type == NT_X86_XSTATE)
			note_vectors(tgt, core, &note);
		if (!note_is(&note, "CORE", sizeof("CORE")))
			continue;
		if (note.type == NT_FPREGSET)
			note_vectors(tgt, core, &note);
		else if (note.type == NT_PRSTATUS)
			rc = note_thread(tgt, core, &room, &note);
		else if (note.type == NT_FILE)
			rc = note_files(tgt, core, &note);
		else if (note.type == NT_AUXV)
			note_auxv(core, &note);
	}
	return rc;
}
