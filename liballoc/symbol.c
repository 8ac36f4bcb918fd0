/* SPDX-License-Identifier: MIT */
/*
 * symbol.c - names for code addresses, in reports
 *
 * dladdr(3) knows the symbols that a module exports, which is few of those
 * of a program.  For the others the symbol table of the module's file is
 * read, piece by piece with pread(2): mapping the file would make a process
 * that is dying of one fault die of another if the file is cut meanwhile.
 *
 * Layer: symbol.h
 */
#include "symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <string.h>

#include "msg.h"
#include "os.h"
#include "root.h"

/* so that a report fits the message buffer */
#define MODULE_SHOWN 48
#define SYMBOL_SHOWN 128
#define BATCH 64 /* symbols read at a time */
#define HEADERS_MAX 16
#define SYMBOLS_MAX (4u << 20) /* in a table; larger ones are not read */

/* An open ELF file that is the one mapped at @base. */
struct elf_file {
	int fd;
	uint64_t base;
	uint64_t bias; /* address in memory minus address in the file */
	Elf64_Ehdr eh;
};

/* read_all - 0, or -1 when the file has fewer bytes there */
static int
read_all(const struct elf_file *f, void *buf, size_t size, uint64_t off)
{
	return os_pread(f->fd, buf, size, off) == (ssize_t)size ? 0 : -1;
}

/* find_bias - from the lowest segment that is loaded */
static int
find_bias(struct elf_file *f)
{
	Elf64_Phdr ph;
	uint64_t low = UINT64_MAX;

	for (unsigned i = 0; i < f->eh.e_phnum && i < HEADERS_MAX; i++) {
		if (read_all(f, &ph, sizeof(ph),
			f->eh.e_phoff + i * sizeof(ph)) != 0)
			return -1;
		if (ph.p_type == PT_LOAD && ph.p_vaddr < low)
			low = ph.p_vaddr;
	}
	if (low == UINT64_MAX)
		return -1;
	f->bias = f->base - (low & ~(uint64_t)(UMEM_PAGE_SIZE - 1));
	return 0;
}

/*
 * elf_open - the file, if it is the one that is mapped: it may have been
 * replaced, and the program's name may lead anywhere
 */
static int
elf_open(struct elf_file *f, const char *path, uint64_t base)
{
	f->base = base;
	f->fd = os_open(path);
	if (f->fd < 0)
		return -1;
	if (read_all(f, &f->eh, sizeof(f->eh), 0) == 0 &&
	    memcmp(&f->eh, (const void *)(uintptr_t)base, sizeof(f->eh)) == 0 &&
	    memcmp(f->eh.e_ident, ELFMAG, SELFMAG) == 0 &&
	    f->eh.e_ident[EI_CLASS] == ELFCLASS64 && find_bias(f) == 0)
		return 0;
	os_close(f->fd);
	return -1;
}

static int
read_section(const struct elf_file *f, unsigned i, Elf64_Shdr *sh)
{
	if (i >= f->eh.e_shnum || f->eh.e_shentsize != sizeof(*sh))
		return -1;
	return read_all(f, sh, sizeof(*sh), f->eh.e_shoff + i * sizeof(*sh));
}

/* find_section - the symbol table and its strings */
static int
find_tables(const struct elf_file *f, Elf64_Shdr *symtab, Elf64_Shdr *strtab)
{
	for (unsigned i = 0; i < f->eh.e_shnum; i++) {
		if (read_section(f, i, symtab) != 0)
			return -1;
		if (symtab->sh_type == SHT_SYMTAB)
			return read_section(f, symtab->sh_link, strtab);
	}
	return -1;
}

/* find_symbol - the function or object that holds an address of the file */
static int
find_symbol(const struct elf_file *f, const Elf64_Shdr *symtab, uint64_t addr,
    Elf64_Sym *ret)
{
	uint64_t n = symtab->sh_size / sizeof(Elf64_Sym);
	Elf64_Sym batch[BATCH];
	size_t m;

	if (n > SYMBOLS_MAX)
		return -1;
	for (uint64_t i = 0; i < n; i += m) {
		m = n - i < BATCH ? n - i : BATCH;
		if (read_all(f, batch, m * sizeof(batch[0]),
			symtab->sh_offset + i * sizeof(batch[0])) != 0)
			return -1;
		for (size_t j = 0; j < m; j++) {
			unsigned type = ELF64_ST_TYPE(batch[j].st_info);

			if ((type != STT_FUNC && type != STT_OBJECT) ||
			    addr - batch[j].st_value >= batch[j].st_size)
				continue;
			*ret = batch[j];
			return 0;
		}
	}
	return -1;
}

/* read_name - as much of a string as there is and fits */
static void
read_name(const struct elf_file *f, uint64_t off, char *name, size_t size)
{
	ssize_t n = os_pread(f->fd, name, size - 1, off);

	name[n > 0 ? n : 0] = '\0';
}

/* file_symbol - from the symbol table of a file; 0 when it was found */
static int
file_symbol(const char *path, uint64_t base, uint64_t addr, char *name,
    size_t size, uint64_t *start_ret)
{
	Elf64_Shdr symtab, strtab;
	struct elf_file f;
	Elf64_Sym sym;
	int found = -1;

	if (elf_open(&f, path, base) != 0)
		return -1;
	if (find_tables(&f, &symtab, &strtab) == 0 &&
	    find_symbol(&f, &symtab, addr - f.bias, &sym) == 0) {
		read_name(&f, strtab.sh_offset + sym.st_name, name, size);
		*start_ret = sym.st_value + f.bias;
		found = name[0] != '\0' ? 0 : -1;
	}
	os_close(f.fd);
	return found;
}

/* module_name - the last part of a path */
static const char *
module_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

int
symbol_name(uint64_t addr, int is_return, char *text, size_t size)
{
	char module[MODULE_SHOWN], name[SYMBOL_SHOWN];
	uint64_t inside = addr - (is_return ? 1 : 0);
	uint64_t base, start;
	Dl_info info;

	memset(&info, 0, sizeof(info));
	if (dladdr((void *)(uintptr_t)inside, &info) == 0 ||
	    info.dli_fname == NULL || info.dli_fbase == NULL) {
		umem_snprintf(text, size, "0x%llx", (unsigned long long)addr);
		return -1;
	}
	base = (uintptr_t)info.dli_fbase;
	umem_snprintf(
	    module, sizeof(module), "%s", module_name(info.dli_fname));
	if (info.dli_sname != NULL) {
		umem_snprintf(name, sizeof(name), "%s", info.dli_sname);
		start = (uintptr_t)info.dli_saddr;
	} else if (file_symbol(info.dli_fname, base, inside, name, sizeof(name),
		       &start) != 0 &&
		   file_symbol("/proc/self/exe", base, inside, name,
		       sizeof(name), &start) != 0) {
		name[0] = '\0';
		start = base;
	}
	umem_snprintf(text, size, "%s'%s+0x%llx", module, name,
	    (unsigned long long)(addr - start));
	return 0;
}
