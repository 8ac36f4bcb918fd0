/* SPDX-License-Identifier: MIT */
/*
 * fake_core.c - writing small ELF core files
 */
#include "fake_core.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CORE_MAX 65536u
#define PRSTATUS_SIZE 336u /* struct elf_prstatus of x86-64 */

struct load {
	uint64_t addr, filesz, memsz;
	uint32_t flags;
};

static const struct load kernel_loads[] = {
    {CORE_TEXT, 0x1000, 0x3000, PF_R | PF_X},
    {CORE_DATA, 0x1000, 0x1000, PF_R | PF_W},
    {CORE_BSS, 0x1000, 0x1000, PF_R | PF_W},
    {CORE_GONE, 0, 0x2000, PF_R | PF_W},
    {CORE_STACK, 0x1000, 0x1000, PF_R | PF_W},
};

static const struct load gcore_loads[] = {
    {CORE_DATA, 0x1000, 0x1000, PF_R | PF_W},
    {CORE_BSS, 0x1000, 0x1000, PF_R | PF_W},
    {CORE_STACK, 0x1000, 0x1000, PF_R | PF_W},
};

static char path[64];

unsigned char
fake_core_byte(uint64_t addr)
{
	return (unsigned char)(addr * 7 + (addr >> 12));
}

static void
put(struct fake_core *c, const void *data, size_t len)
{
	ck_assert_uint_le(c->size + len, CORE_MAX);
	memcpy(c->bytes + c->size, data, len);
	c->size += len;
}

static void
put_note(struct fake_core *c, uint32_t type, const char *owner,
    const void *desc, size_t len)
{
	const Elf64_Word size = (Elf64_Word)strlen(owner) + 1;
	Elf64_Nhdr h = {size, (Elf64_Word)len, type};
	static const char zero[4];

	put(c, &h, sizeof(h));
	put(c, owner, size);
	put(c, zero, -size & 3);
	put(c, desc, len);
	put(c, zero, -len & 3);
}

/*
 * What XSAVE writes: each word of a vector is 100000 * thread + its number,
 * the first thread's without AVX.
 */
static void
put_vectors(struct fake_core *c, uint32_t thread)
{
	static const struct {
		unsigned at, reg, regs, word, words;
	} part[] = {{160, 0, 16, 0, 2}, {576, 0, 16, 2, 2}, {1152, 0, 16, 4, 4},
	    {1664, 16, 16, 0, 8}};
	uint64_t area[2696 / 8] = {0}, *p;
	unsigned i, r, w;

	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		p = &area[part[i].at / 8];
		for (r = part[i].reg; r < part[i].reg + part[i].regs; r++)
			for (w = part[i].word; w < part[i].word + part[i].words;
			     w++)
				*p++ = 100000u * thread + r * 8 + w;
	}
	area[464 / 8] = thread == 1 ? 0x3 : 0xe7;
	put_note(c, NT_FPREGSET, "CORE", area, 512);
	put_note(c, NT_X86_XSTATE, "LINUX", area, sizeof(area));
}

/* Registers are 1000 * thread + their place in the kernel's order. */
static void
put_threads(struct fake_core *c)
{
	unsigned char status[PRSTATUS_SIZE];
	uint64_t reg;
	uint32_t pid, i, t;

	for (t = 1; t <= CORE_THREADS; t++) {
		memset(status, 0, sizeof(status));
		pid = 4000 + t;
		memcpy(status + 32, &pid, sizeof(pid));
		for (i = 0; i < 27; i++) {
			reg = i == 19 ? CORE_SP : 1000u * t + i;
			memcpy(status + 112 + 8 * i, &reg, sizeof(reg));
		}
		put_note(c, NT_PRSTATUS, "CORE", status, sizeof(status));
		put_vectors(c, t);
	}
}

static void
put_files(struct fake_core *c)
{
	static const struct {
		uint64_t count, page;
		struct {
			uint64_t start, end, offset;
		} map[2];
		char names[20];
	} files = {2, 4096,
	    {{CORE_TEXT, CORE_TEXT + 0x3000, 0},
		{CORE_DATA, CORE_DATA + 0x1000, 3}},
	    "/bin/app\0/bin/app"};

	put_note(c, NT_FILE, "CORE", &files, sizeof(files));
}

static void
put_auxv(struct fake_core *c)
{
	static const uint64_t auxv[] = {AT_RANDOM, CORE_SP + 0x100, AT_NULL, 0};

	put_note(c, NT_AUXV, "CORE", auxv, sizeof(auxv));
}

static void
put_memory(struct fake_core *c, const struct load *l)
{
	unsigned char b;
	uint64_t i;

	for (i = 0; i < l->filesz; i++) {
		b = fake_core_byte(l->addr + i);
		put(c, &b, 1);
	}
}

static void
put_headers(struct fake_core *c, enum core_kind kind, size_t n)
{
	Elf64_Ehdr eh = {.e_type = ET_CORE, .e_machine = EM_X86_64};

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	eh.e_version = EV_CURRENT;
	eh.e_ehsize = sizeof(eh);
	eh.e_phoff = sizeof(eh);
	eh.e_phentsize = sizeof(Elf64_Phdr);
	eh.e_phnum = kind == CORE_XNUM ? PN_XNUM : (Elf64_Half)(n + 1);
	put(c, &eh, sizeof(eh));
	c->size += (n + 1) * sizeof(Elf64_Phdr); /* filled in later */
	c->phdr_end = c->size;
}

void
fake_core_make(struct fake_core *c, enum core_kind kind)
{
	const struct load *l = kind == CORE_GCORE ? gcore_loads : kernel_loads;
	const size_t n = kind == CORE_GCORE ? 3 : 5;
	Elf64_Phdr ph[6] = {{.p_type = PT_NOTE}};
	Elf64_Shdr sh = {.sh_info = (Elf64_Word)(n + 1)};
	uint64_t shoff;
	size_t i;

	memset(c, 0, sizeof(*c));
	c->bytes = calloc(1, CORE_MAX);
	ck_assert_ptr_nonnull(c->bytes);
	put_headers(c, kind, n);
	ph[0].p_offset = c->size;
	put_threads(c);
	put_auxv(c);
	put_files(c);
	c->note_end = c->size;
	ph[0].p_filesz = c->size - ph[0].p_offset;
	c->size = (c->size + 4095) & ~(size_t)4095;
	for (i = 0; i < n; i++) {
		ph[i + 1].p_type = PT_LOAD;
		ph[i + 1].p_flags = l[i].flags;
		ph[i + 1].p_offset = c->size;
		ph[i + 1].p_vaddr = l[i].addr;
		ph[i + 1].p_filesz = l[i].filesz;
		ph[i + 1].p_memsz = l[i].memsz;
		if (l[i].addr == CORE_DATA)
			c->data_offset = c->size;
		put_memory(c, &l[i]);
	}
	memcpy(c->bytes + sizeof(Elf64_Ehdr), ph, (n + 1) * sizeof(ph[0]));
	if (kind != CORE_XNUM)
		return;
	shoff = c->size;
	memcpy(c->bytes + offsetof(Elf64_Ehdr, e_shoff), &shoff, 8);
	put(c, &sh, sizeof(sh));
}

const char *
fake_core_write(const void *bytes, size_t size)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	if (path[0] == '\0') {
		snprintf(path, sizeof(path), "%.40s/umem-core-XXXXXX",
		    dir != NULL && strlen(dir) < 40 ? dir : "/tmp");
		fd = mkstemp(path);
	} else {
		fd = open(path, O_WRONLY | O_TRUNC);
	}
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
	return path;
}

void
fake_core_unlink(void)
{
	if (path[0] != '\0')
		unlink(path);
	path[0] = '\0';
}
