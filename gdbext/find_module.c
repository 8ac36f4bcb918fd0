/* SPDX-License-Identifier: MIT */
/*
 * find_module.c - the program and its libraries, and where code lies in them
 *
 * A module begins at a mapping of a file that starts with an ELF header, and
 * goes on while mappings carry the same name.  Its build id is in a note that
 * the first page holds; that page is in every core file.
 *
 * Layer: see find_module.h.
 */
#include "find_module.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define NOTES_MAX 4096u
#define PHDRS_MAX (PAGE / sizeof(Elf64_Phdr))

struct image {
	Elf64_Phdr ph[PHDRS_MAX];
	size_t n;
	taddr_t bias;
};

static int
module_add(struct modules *m, const struct module *new)
{
	size_t room = m->room == 0 ? 64 : m->room * 2;
	struct module *more;

	if (m->n == m->room) {
		more = realloc(m->module, room * sizeof(*more));
		if (more == NULL)
			return UMDB_ENOMEM;
		m->module = more;
		m->room = room;
	}
	m->module[m->n++] = *new;
	return UMDB_OK;
}

/* Program headers of the image at @at; false when there is none. */
static bool
image_read(struct target *tgt, taddr_t at, struct image *ret)
{
	Elf64_Ehdr eh;
	size_t i;

	if (target_read(tgt, at, &eh, sizeof(eh), "ELF header") != UMDB_OK ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_phentsize != sizeof(ret->ph[0]) || eh.e_phoff >= PAGE)
		return false;
	ret->n = (PAGE - eh.e_phoff) / sizeof(ret->ph[0]);
	if (ret->n > eh.e_phnum)
		ret->n = eh.e_phnum;
	if (target_read(tgt, at + eh.e_phoff, ret->ph,
		ret->n * sizeof(ret->ph[0]), "ELF header") != UMDB_OK)
		return false;
	ret->bias = at;
	for (i = 0; i < ret->n; i++) {
		if (ret->ph[i].p_type == PT_LOAD &&
		    ret->ph[i].p_offset < PAGE) {
			ret->bias =
			    at - (ret->ph[i].p_vaddr - ret->ph[i].p_offset);
			break;
		}
	}
	return true;
}

/* The build id among the notes at @at. */
static bool
notes_read(struct target *tgt, taddr_t at, const Elf64_Phdr *ph, char *ret)
{
	const uint64_t align = ph->p_align == 8 ? 8 : 4;
	uint64_t size = ph->p_memsz, pos = 0, desc;
	unsigned char buf[NOTES_MAX];
	Elf64_Nhdr h;
	uint32_t i;

	if (size > sizeof(buf))
		size = sizeof(buf);
	if (target_read(tgt, at, buf, size, "ELF notes") != UMDB_OK)
		return false;
	while (size - pos >= sizeof(h)) {
		memcpy(&h, buf + pos, sizeof(h));
		desc =
		    (pos + sizeof(h) + h.n_namesz + align - 1) & ~(align - 1);
		if (desc > size || h.n_descsz > size - desc)
			return false;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 &&
		    memcmp(buf + pos + sizeof(h), "GNU", 4) == 0 &&
		    h.n_descsz <= MODULE_ID_MAX) {
			for (i = 0; i < h.n_descsz; i++)
				sprintf(ret + 2u * i, "%02x", buf[desc + i]);
			return true;
		}
		pos = (desc + h.n_descsz + align - 1) & ~(align - 1);
		if (pos > size)
			return false;
	}
	return false;
}

static void
module_describe(struct target *tgt, struct module *m, const struct image *im)
{
	bool known = false;
	size_t i;

	for (i = 0; i < im->n; i++) {
		const Elf64_Phdr *ph = &im->ph[i];

		if (ph->p_type == PT_NOTE && !known)
			known =
			    notes_read(tgt, im->bias + ph->p_vaddr, ph, m->id);
		if (ph->p_type != PT_LOAD || (ph->p_flags & PF_X) == 0 ||
		    m->code_end != 0)
			continue;
		m->code = im->bias + ph->p_vaddr;
		m->code_end = m->code + ph->p_memsz;
		m->code_offset = ph->p_offset;
	}
	if (m->code_end <= m->code) {
		m->code = m->base;
		m->code_end = m->end;
		m->code_offset = 0;
	}
}

/* Where a module that begins with region @i ends: the region behind it. */
static size_t
module_extent(const struct target *tgt, size_t i)
{
	size_t k, last = i + 1;

	for (k = i + 1; k < tgt->nregion; k++) {
		const struct target_region *r = &tgt->region[k];

		if (strcmp(r->name, tgt->region[i].name) == 0)
			last = k + 1;
		else if (r->name[0] != '\0') /* bss and guards have no name */
			break;
	}
	return last;
}

int
find_modules(struct target *tgt, struct modules *ret)
{
	struct image *im = malloc(sizeof(*im));
	int rc = UMDB_OK;
	size_t i, next;

	memset(ret, 0, sizeof(*ret));
	if (im == NULL)
		return UMDB_ENOMEM;
	for (i = 0; i < tgt->nregion && rc == UMDB_OK; i = next) {
		const struct target_region *r = &tgt->region[i];
		struct module m = {.base = r->start, .name = r->name};

		next = i + 1;
		if (r->name[0] == '\0' || !r->readable ||
		    (!r->file && strcmp(r->name, "[vdso]") != 0) ||
		    !image_read(tgt, r->start, im))
			continue;
		next = module_extent(tgt, i);
		m.end = tgt->region[next - 1].end;
		module_describe(tgt, &m, im);
		rc = module_add(ret, &m);
	}
	free(im);
	return rc;
}

void
find_modules_free(struct modules *m)
{
	free(m->module);
	memset(m, 0, sizeof(*m));
}

const struct module *
find_module_at(const struct modules *m, taddr_t addr)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (m->module[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->n && addr >= m->module[lo].base ? &m->module[lo] : NULL;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

bool
find_module_same(const char *name, const char *id, const char *other_name,
    const char *other_id)
{
	if (id[0] != '\0' && other_id[0] != '\0')
		return strcmp(id, other_id) == 0;
	return id[0] == other_id[0] &&
	       strcmp(base_name(name), base_name(other_name)) == 0;
}
