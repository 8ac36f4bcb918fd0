/* SPDX-License-Identifier: MIT */
/*
 * elfnote.c - where in the target is umem_root?
 *
 * The library's ELF note says so.  Every mapping that starts with an ELF
 * header is looked at, in its first page only: that is what core files keep
 * of an executable or library.  A process may have the library twice, linked
 * statically and preloaded; the one that serves malloc is ready and has
 * caches.  When no note leads to a root, writable memory is searched for the
 * root's magic.
 *
 * Layer: above target.h; part of snap.h.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snap_impl.h"

#define IMAGE_PAGE 4096u          /* what is looked at of an image */
#define IMAGE_NOTES_MAX 4096u     /* bytes of one PT_NOTE */
#define SCAN_PIECE 65536u         /* bytes searched at once */
#define SCAN_SLOW_MAX (16u << 20) /* bytes searched of a remote target */

/* The part of the root that no version may move. */
struct root_head {
	char magic[16];
	uint32_t version, size;
	uint32_t sizes[8];
	uint64_t self;
	char release[32];
	int32_t ready;
	uint32_t pid;
	uint64_t start;
	uint64_t caches;
};
_Static_assert(
    sizeof(struct root_head) == offsetof(umem_root_t, root_arenas), "layout");

/* How good a root is; the best one wins, the first of equals. */
enum root_rank {
	ROOT_NONE,
	ROOT_BAD_MAGIC,
	ROOT_UNREADABLE,
	ROOT_VERSION, /* another layout */
	ROOT_SIZES,   /* this layout, but other structures */
	ROOT_IDLE,    /* good, but not in use */
	ROOT_READY,
};

static const char root_magic[16] = UMEM_ROOT_MAGIC;

struct root_search {
	struct target *tgt;
	enum root_rank rank;
	taddr_t addr;
	struct root_head head;
};

static bool
root_sizes_fit(const struct root_head *h)
{
	const uint32_t want[] = {sizeof(umem_cache_t), sizeof(umem_slab_t),
	    sizeof(umem_tcache_t), sizeof(umem_bufctl_audit_t), sizeof(vmem_t),
	    sizeof(vmem_seg_t), sizeof(umem_log_header_t)};

	return h->size == sizeof(umem_root_t) &&
	       memcmp(h->sizes, want, sizeof(want)) == 0;
}

static enum root_rank
root_rank(struct target *tgt, taddr_t addr, struct root_head *h)
{
	memset(h, 0, sizeof(*h));
	if (target_read(tgt, addr, h, sizeof(*h), "umem root") != UMDB_OK)
		return ROOT_UNREADABLE;
	if (memcmp(h->magic, root_magic, sizeof(h->magic)) != 0)
		return ROOT_BAD_MAGIC;
	if (h->version != UMEM_LAYOUT_VERSION)
		return ROOT_VERSION;
	if (h->self != addr)
		return ROOT_BAD_MAGIC;
	if (!root_sizes_fit(h))
		return ROOT_SIZES;
	return h->ready == UMEM_READY && h->caches != 0 ? ROOT_READY
							: ROOT_IDLE;
}

static void
root_consider(struct root_search *search, taddr_t addr)
{
	struct root_head head;
	enum root_rank rank = root_rank(search->tgt, addr, &head);

	if (rank <= search->rank)
		return;
	search->rank = rank;
	search->addr = addr;
	search->head = head;
}

/* ------------------------------------------------------------------ images */

/* Notes of one PT_NOTE at target address @at. */
static void
image_read_notes(
    struct root_search *search, taddr_t at, uint64_t size, uint64_t align)
{
	unsigned char buf[IMAGE_NOTES_MAX];
	uint64_t pos = 0, name, desc;
	Elf64_Nhdr h;
	int32_t offset;

	if (size > sizeof(buf))
		size = sizeof(buf);
	if (target_read(search->tgt, at, buf, size, "ELF notes") != UMDB_OK)
		return;
	align = align == 8 ? 8 : 4;
	while (size - pos >= sizeof(h)) {
		memcpy(&h, buf + pos, sizeof(h));
		name = pos + sizeof(h);
		desc = (name + h.n_namesz + align - 1) & ~(align - 1);
		if (desc > size || h.n_descsz > size - desc)
			return;
		if (h.n_type == UMEM_NOTE_TYPE &&
		    h.n_namesz == sizeof(UMEM_NOTE_OWNER) &&
		    memcmp(buf + name, UMEM_NOTE_OWNER, h.n_namesz) == 0 &&
		    h.n_descsz >= sizeof(offset)) {
			memcpy(&offset, buf + desc, sizeof(offset));
			root_consider(
			    search, at + desc + (uint64_t)(int64_t)offset);
		}
		pos = (desc + h.n_descsz + align - 1) & ~(align - 1);
		if (pos > size)
			return;
	}
}

/* Where addresses of the image start; ET_EXEC has 0 in effect. */
static taddr_t
image_bias(taddr_t at, const Elf64_Phdr *ph, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ph[i].p_type == PT_LOAD && ph[i].p_offset < IMAGE_PAGE)
			return at - (ph[i].p_vaddr - ph[i].p_offset);
	return at;
}

static void
image_look(struct root_search *search, taddr_t at, uint64_t len)
{
	unsigned char page[IMAGE_PAGE];
	Elf64_Phdr ph[IMAGE_PAGE / sizeof(Elf64_Phdr)];
	Elf64_Ehdr eh;
	taddr_t bias;
	size_t n, i;

	if (len > sizeof(page))
		len = sizeof(page);
	if (len < sizeof(eh) ||
	    target_read(search->tgt, at, page, SELFMAG, "ELF header") !=
		UMDB_OK ||
	    memcmp(page, ELFMAG, SELFMAG) != 0 ||
	    target_read(search->tgt, at, page, len, "ELF header") != UMDB_OK)
		return;
	memcpy(&eh, page, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (eh.e_type != ET_DYN && eh.e_type != ET_EXEC) ||
	    eh.e_phentsize != sizeof(ph[0]) || eh.e_phoff >= len)
		return;
	n = (len - eh.e_phoff) / sizeof(ph[0]);
	if (n > eh.e_phnum)
		n = eh.e_phnum;
	memcpy(ph, page + eh.e_phoff, n * sizeof(ph[0]));
	bias = image_bias(at, ph, n);
	for (i = 0; i < n; i++)
		if (ph[i].p_type == PT_NOTE)
			image_read_notes(search, bias + ph[i].p_vaddr,
			    ph[i].p_memsz, ph[i].p_align);
}

/* -------------------------------------------------------------------- scan */

static void
scan_piece(
    struct root_search *search, taddr_t at, const unsigned char *p, size_t len)
{
	uint64_t want, word;
	size_t i;

	memcpy(&want, root_magic, sizeof(want));
	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		if (word == want)
			root_consider(search, at + i);
	}
}

/* Writable memory that was read or mapped piece by piece. */
static int
scan_region(struct root_search *search, const struct target_region *r,
    unsigned char *buf)
{
	const unsigned char *p;
	taddr_t at = (r->start + 7) & ~(taddr_t)7;
	size_t avail, len;

	for (; at < r->end; at += len) {
		len = r->end - at < SCAN_PIECE ? r->end - at : SCAN_PIECE;
		if (target_poll(search->tgt, "search for libumem",
			at - r->start, r->end - r->start))
			return UMDB_EINTR;
		p = target_map(search->tgt, at, &avail);
		if (p != NULL && avail >= len)
			scan_piece(search, at, p, len);
		else if (target_read(search->tgt, at, buf, len, "data") ==
			 UMDB_OK)
			scan_piece(search, at, buf, len);
	}
	return UMDB_OK;
}

static int
scan_memory(struct root_search *search)
{
	const struct target *tgt = search->tgt;
	unsigned char *buf = malloc(SCAN_PIECE);
	uint64_t room = tgt->slow ? SCAN_SLOW_MAX : UINT64_MAX;
	int rc = UMDB_OK;
	size_t i;

	if (buf == NULL)
		return target_fail(
		    search->tgt, UMDB_ENOMEM, 0, "no memory for a search");
	for (i = 0; i < tgt->nregion && rc == UMDB_OK; i++) {
		const struct target_region *r = &tgt->region[i];

		if (!r->writable || !r->dumped || r->end - r->start > room)
			continue;
		room -= r->end - r->start;
		rc = scan_region(search, r, buf);
		if (search->rank == ROOT_READY)
			break;
	}
	free(buf);
	return rc == UMDB_OK ? UMDB_OK
			     : target_fail(search->tgt, rc, 0, "interrupted");
}

/* ----------------------------------------------------------------- verdict */

static void
release_text(const struct root_head *h, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && i < sizeof(h->release); i++) {
		if (h->release[i] < ' ' || h->release[i] > '~')
			break;
		buf[i] = h->release[i];
	}
	buf[i] = '\0';
}

static int
root_refuse(const struct root_search *search)
{
	const struct root_head *h = &search->head;
	struct target *tgt = search->tgt;
	char release[sizeof(h->release) + 1], lacks[96] = "";

	release_text(h, release, sizeof(release));
	if (tgt->missing != 0)
		snprintf(lacks, sizeof(lacks),
		    "; the core file is truncated, %" PRIu64
		    " bytes are missing",
		    tgt->missing);
	switch (search->rank) {
	case ROOT_VERSION:
		return target_fail(tgt, UMDB_ETARGET, search->addr,
		    "the process uses layout version %" PRIu32
		    " of libumem (%s), this libumdb.so reads version %u: use "
		    "the libumdb.so that came with that libumem",
		    h->version, release[0] != '\0' ? release : "no name",
		    UMEM_LAYOUT_VERSION);
	case ROOT_SIZES:
		return target_fail(tgt, UMDB_ETARGET, search->addr,
		    "the libumem in the process (%s) says layout version %u "
		    "but has structures of other sizes: it and this "
		    "libumdb.so were built from different sources, use a "
		    "matching pair",
		    release[0] != '\0' ? release : "no name",
		    UMEM_LAYOUT_VERSION);
	case ROOT_UNREADABLE:
		return target_fail(tgt, UMDB_ETARGET, search->addr,
		    "libumem is in the process, but its root structure at "
		    "%#" PRIx64 " cannot be read%s",
		    search->addr, lacks);
	case ROOT_BAD_MAGIC:
		return target_fail(tgt, UMDB_ETARGET, search->addr,
		    "libumem is in the process, but its root structure at "
		    "%#" PRIx64 " was overwritten: its magic is gone%s",
		    search->addr, lacks);
	default:
		break;
	}
	if (tgt->nregion == 0)
		return target_fail(tgt, UMDB_ETARGET, 0,
		    "there is no process or core whose mappings are known, "
		    "so libumem cannot be looked for: is the process alive?");
	if (tgt->missing != 0)
		return target_fail(tgt, UMDB_ETARGET, 0,
		    "no libumem was found, but the core file is truncated: "
		    "it may be among the %" PRIu64 " bytes that are missing",
		    tgt->missing);
	return target_fail(tgt, UMDB_ETARGET, 0,
	    "no libumem in this process: run it with "
	    "LD_PRELOAD=libumem.so.1, or link it with -lumem");
}

taddr_t
snap_find_root(struct target *tgt)
{
	struct root_search search = {.tgt = tgt};
	size_t i;

	for (i = 0; i < tgt->nregion && search.rank < ROOT_READY; i++) {
		const struct target_region *r = &tgt->region[i];

		if (r->readable)
			image_look(&search, r->start, r->end - r->start);
		if (target_poll(tgt, "look for libumem", i, tgt->nregion)) {
			target_fail(tgt, UMDB_EINTR, 0, "interrupted");
			return 0;
		}
	}
	if (search.rank < ROOT_VERSION && scan_memory(&search) != UMDB_OK)
		return 0;
	if (search.rank >= ROOT_IDLE)
		return search.addr;
	root_refuse(&search);
	return 0;
}
