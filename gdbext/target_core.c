/* SPDX-License-Identifier: MIT */
/*
 * target_core.c - a core file, mapped
 *
 * Memory of the target is found by binary search over the PT_LOADs and read
 * in place.  What a core file holds of an address is one of four things:
 *
 *	bytes in the file		read them
 *	bytes lost by truncation	an error that says so
 *	not dumped, a file's mapping	ask the debugger, which has the file
 *	not dumped, anonymous		an error; the debugger would answer
 *					with zeros, so it is not asked
 *
 * Kernel and gcore differ: the kernel writes a PT_LOAD without bytes for
 * what it leaves out, gcore writes none, so NT_FILE completes the picture.
 *
 * Layer: above target.h.
 */
#include "target_core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How many small reads go by before the file is looked at again. */
#define CORE_CHECK_READS 1024u
#define CORE_CHECK_BYTES 65536u

/* What the core has at an address. */
struct core_hit {
	const unsigned char *bytes; /* NULL: not in the file */
	uint64_t avail;             /* how far this answer reaches */
	bool file;                  /* the debugger may have it */
	const char *why;            /* else: why there is nothing */
};

/* The last segment that starts at or below addr, or NULL. */
static const struct core_seg *
core_seg_below(const struct core *core, taddr_t addr)
{
	size_t lo = 0, hi = core->nseg;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (core->seg[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 ? NULL : &core->seg[lo - 1];
}

static const struct core_map *
core_map_below(const struct core *core, taddr_t addr)
{
	size_t lo = 0, hi = core->nmap;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (core->map[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == 0 ? NULL : &core->map[lo - 1];
}

/* Not in the file: may the debugger know? */
static void
core_find_file(const struct core *core, taddr_t addr,
    const struct core_seg *seg, struct core_hit *hit)
{
	const struct core_map *m = core_map_below(core, addr);
	bool in_seg = seg != NULL && addr < seg->end;
	taddr_t limit = UINT64_MAX;

	if (m == NULL || addr >= m->end) {
		hit->why = in_seg ? "it was not dumped into the core"
				  : "it is not in the core";
		return;
	}
	if (in_seg)
		limit = seg->end;
	else if (core->nseg != 0 && seg == NULL)
		limit = core->seg[0].start;
	else if (seg != NULL && seg + 1 < core->seg + core->nseg)
		limit = seg[1].start;
	hit->file = true;
	hit->avail = (m->end < limit ? m->end : limit) - addr;
	hit->why = "it is a file's, and the debugger cannot read it either";
}

static void
core_find(const struct core *core, taddr_t addr, struct core_hit *hit)
{
	const struct core_seg *seg = core_seg_below(core, addr);

	memset(hit, 0, sizeof(*hit));
	if (seg != NULL && addr < seg->held) {
		hit->bytes = core->data + seg->offset + (addr - seg->start);
		hit->avail = seg->held - addr;
	} else if (seg != NULL && addr < seg->meant) {
		hit->why = "the core file is truncated before it";
	} else {
		core_find_file(core, addr, seg, hit);
	}
}

static bool
core_look(struct core *core)
{
	struct stat st;

	core->reads = 0;
	if (!core->changed)
		core->changed =
		    fstat(core->fd, &st) != 0 ||
		    st.st_size != core->stat.st_size ||
		    st.st_mtim.tv_sec != core->stat.st_mtim.tv_sec ||
		    st.st_mtim.tv_nsec != core->stat.st_mtim.tv_nsec;
	return core->changed;
}

static int
core_read(struct target *tgt, taddr_t addr, void *buf, size_t len)
{
	struct core *core = tgt->priv;
	unsigned char *to = buf;
	struct core_hit hit;
	size_t n;

	if (core->changed || ++core->reads > CORE_CHECK_READS ||
	    len >= CORE_CHECK_BYTES) {
		if (core_look(core)) {
			tgt->why = "the core file has changed";
			return UMDB_EFAULT;
		}
	}
	for (; len > 0; len -= n, addr += n, to += n) {
		core_find(core, addr, &hit);
		n = hit.avail < len ? hit.avail : len;
		if (hit.bytes != NULL) {
			memcpy(to, hit.bytes, n);
			continue;
		}
		tgt->why = hit.why;
		if (!hit.file || core->fallback == NULL ||
		    target_read(core->fallback, addr, to, n, "file") != UMDB_OK)
			return UMDB_EFAULT;
	}
	return UMDB_OK;
}

static const void *
core_borrow(struct target *tgt, taddr_t addr, size_t *avail)
{
	const struct core *core = tgt->priv;
	struct core_hit hit;

	if (core->changed)
		return NULL;
	core_find(core, addr, &hit);
	if (hit.bytes != NULL)
		*avail = hit.avail;
	return hit.bytes;
}

/*
 * A page of the file that is looked at in the mapping has to be entered into
 * it first, which takes longer than copying it.
 */
static int
core_fetch(struct target *tgt, const void *lent, void *buf, size_t len)
{
	const struct core *core = tgt->priv;
	const unsigned char *from = lent;

	if (from < core->data || (uint64_t)(from - core->data) >= core->size)
		return UMDB_EFAULT;
	return pread(core->fd, buf, len, from - core->data) == (ssize_t)len
		   ? UMDB_OK
		   : UMDB_EFAULT;
}

/*
 * The kernel leaves holes in a core for pages that were never written to.  A
 * file system that does not know its holes says that all is data.
 */
static size_t
core_hole(struct target *tgt, const void *lent, size_t len)
{
	const struct core *core = tgt->priv;
	const unsigned char *from = lent;
	off_t at, data;

	if (from < core->data || (uint64_t)(from - core->data) >= core->size)
		return 0;
	at = from - core->data;
	data = lseek(core->fd, at, SEEK_DATA);
	if (data < 0) /* ENXIO: only a hole is left */
		return errno == ENXIO ? len : 0;
	return (size_t)(data - at) < len ? (size_t)(data - at) : len;
}

/* ----------------------------------------------------------------- regions */

struct region_list {
	const struct core *core;
	struct target_region *r;
	size_t n, room;
	bool failed;
};

static const char *
region_name(const struct core *core, const struct target_region *r)
{
	if (core->vdso >= r->start && core->vdso < r->end)
		return "[vdso]";
	if (core->at_random >= r->start && core->at_random < r->end)
		return "[stack]";
	return "";
}

static void
region_add(struct region_list *l, const struct target_region *r)
{
	struct target_region *more;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 64 : l->room * 2;
		more = realloc(l->r, l->room * sizeof(*more));
		if (more == NULL) {
			l->failed = true;
			return;
		}
		l->r = more;
	}
	l->r[l->n] = *r;
	if (!r->file)
		l->r[l->n].name = region_name(l->core, r);
	l->n++;
}

/* A PT_LOAD, cut where a file's mapping starts or ends. */
static void
region_add_seg(struct region_list *l, const struct core_seg *seg)
{
	const struct core *core = l->core;
	const struct core_map *m, *next;
	struct target_region r;
	taddr_t at;

	for (at = seg->start; at < seg->end && !l->failed; at = r.end) {
		m = core_map_below(core, at);
		next = m == NULL ? core->map : m + 1;
		memset(&r, 0, sizeof(r));
		r.start = at;
		r.end = seg->end;
		if (m != NULL && at < m->end) {
			r.file = true;
			r.name = m->name;
			if (m->end < r.end)
				r.end = m->end;
		} else if (core->nmap != 0 && next < core->map + core->nmap &&
			   next->start < r.end) {
			r.end = next->start;
		}
		r.readable = (seg->flags & PF_R) != 0;
		r.writable = (seg->flags & PF_W) != 0;
		r.executable = (seg->flags & PF_X) != 0;
		r.dumped = at < seg->held;
		region_add(l, &r);
	}
}

/*
 * The parts of a file's mapping for which there is no PT_LOAD: GDB leaves out
 * what nobody wrote to.  Whether it is code is not told, so it may be.
 */
static void
region_add_map(struct region_list *l, const struct core_map *m)
{
	const struct core *core = l->core;
	const struct core_seg *seg, *next;
	struct target_region r;
	taddr_t at, end;

	for (at = m->start; at < m->end && !l->failed; at = end) {
		seg = core_seg_below(core, at);
		if (seg != NULL && at < seg->end) {
			end = seg->end;
			continue;
		}
		next = seg == NULL ? core->seg : seg + 1;
		end = m->end;
		if (core->nseg != 0 && next < core->seg + core->nseg &&
		    next->start < end)
			end = next->start;
		memset(&r, 0, sizeof(r));
		r.start = at;
		r.end = end;
		r.readable = true;
		r.executable = true;
		r.file = true;
		r.listed = true;
		r.name = m->name;
		region_add(l, &r);
	}
}

static int
core_load_regions(struct target *tgt)
{
	struct core *core = tgt->priv;
	struct region_list l = {.core = core};
	size_t i;
	int rc;

	for (i = 0; i < core->nseg; i++)
		region_add_seg(&l, &core->seg[i]);
	for (i = 0; i < core->nmap; i++)
		region_add_map(&l, &core->map[i]);
	if (l.failed)
		rc = target_fail(tgt, UMDB_ENOMEM, 0, "no memory for mappings");
	else
		rc = target_set_regions(tgt, l.r, l.n);
	free(l.r);
	return rc;
}

/* -------------------------------------------------------------------- open */

static int
seg_compare(const void *a, const void *b)
{
	const struct core_seg *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Note a PT_LOAD, with its bytes cut to what the file has. */
static void
core_add_seg(struct target *tgt, struct core *core, const Elf64_Phdr *ph)
{
	struct core_seg *seg = &core->seg[core->nseg];
	uint64_t bytes = ph->p_filesz, held = 0;

	if (ph->p_memsz == 0 || ph->p_memsz - 1 > UINT64_MAX - 1 - ph->p_vaddr)
		return;
	if (bytes > ph->p_memsz)
		bytes = ph->p_memsz;
	if (ph->p_offset < core->size)
		held = core->size - ph->p_offset;
	if (held > bytes)
		held = bytes;
	tgt->missing += bytes - held;
	seg->start = ph->p_vaddr;
	seg->end = ph->p_vaddr + ph->p_memsz;
	seg->held = ph->p_vaddr + held;
	seg->meant = ph->p_vaddr + bytes;
	seg->offset = held == 0 ? 0 : ph->p_offset;
	seg->flags = ph->p_flags;
	core->nseg++;
}

/* Sort, and drop what overlaps: nothing a kernel writes. */
static void
core_settle_segs(struct core *core)
{
	taddr_t end = 0;
	size_t i, kept = 0;
	bool sorted = true;

	for (i = 1; i < core->nseg; i++)
		sorted &= core->seg[i - 1].start <= core->seg[i].start;
	if (!sorted)
		qsort(core->seg, core->nseg, sizeof(*core->seg), seg_compare);
	for (i = 0; i < core->nseg; i++) {
		if (core->seg[i].start < end)
			continue;
		end = core->seg[i].end;
		core->seg[kept++] = core->seg[i];
	}
	core->nseg = kept;
}

/*
 * The number of program headers.  With 65535 and more it stands in the first
 * section header, which the kernel puts at the end of the file; when that
 * was cut off, the first segment's offset tells, for it follows the headers.
 */
static uint64_t
core_phnum(const struct core *core, const Elf64_Ehdr *eh)
{
	const unsigned char *p;
	Elf64_Shdr sh;
	Elf64_Phdr ph;

	if (eh->e_phnum != PN_XNUM)
		return eh->e_phnum;
	p = core_bytes(core, eh->e_shoff, sizeof(sh));
	if (eh->e_shoff != 0 && p != NULL) {
		memcpy(&sh, p, sizeof(sh));
		return sh.sh_info;
	}
	p = core_bytes(core, eh->e_phoff, sizeof(ph));
	if (p == NULL)
		return 0;
	memcpy(&ph, p, sizeof(ph));
	if (ph.p_offset <= eh->e_phoff)
		return 0;
	return (ph.p_offset - eh->e_phoff) / sizeof(ph);
}

static int
core_read_segs(struct target *tgt, struct core *core, const Elf64_Ehdr *eh)
{
	uint64_t n = core_phnum(core, eh), i;
	const unsigned char *table;
	Elf64_Phdr ph;
	int rc;

	if (eh->e_phoff >= core->size)
		n = 0;
	else if (n > (core->size - eh->e_phoff) / sizeof(ph))
		n = (core->size - eh->e_phoff) / sizeof(ph);
	if (n == 0)
		return target_fail(tgt, UMDB_EIO, 0,
		    "the core file is truncated before its program headers");
	table = core->data + eh->e_phoff;
	core->seg = calloc(n, sizeof(*core->seg));
	if (core->seg == NULL)
		return target_fail(
		    tgt, UMDB_ENOMEM, 0, "no memory for core segments");
	for (i = 0; i < n; i++) {
		memcpy(&ph, table + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_LOAD) {
			core_add_seg(tgt, core, &ph);
		} else if (ph.p_type == PT_NOTE) {
			rc = core_read_notes(
			    tgt, core, ph.p_offset, ph.p_filesz);
			if (rc != UMDB_OK)
				return rc;
		}
	}
	core_settle_segs(core);
	return UMDB_OK;
}

/* A core that a crash handler packed: say with what. */
static const char *
core_packed(const struct core *core)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *with;
	} packers[] = {
	    {"\x28\xb5\x2f\xfd", 4, "zstd"},
	    {"\x04\x22\x4d\x18", 4, "lz4"},
	    {"\xfd"
	     "7zXZ",
		5, "xz"},
	    {"\x1f\x8b", 2, "gzip"},
	};
	size_t i;

	for (i = 0; i < sizeof(packers) / sizeof(packers[0]); i++)
		if (core->size >= packers[i].len &&
		    memcmp(core->data, packers[i].magic, packers[i].len) == 0)
			return packers[i].with;
	return NULL;
}

static int
core_check_header(struct target *tgt, const struct core *core, Elf64_Ehdr *eh)
{
	const unsigned char *p = core_bytes(core, 0, sizeof(*eh));

	if (core_packed(core) != NULL)
		return target_fail(tgt, UMDB_EIO, 0,
		    "the core file is compressed: unpack it with %s first",
		    core_packed(core));
	if (p == NULL || memcmp(p, ELFMAG, SELFMAG) != 0)
		return target_fail(
		    tgt, UMDB_EIO, 0, "the file is no ELF core file");
	memcpy(eh, p, sizeof(*eh));
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return target_fail(tgt, UMDB_EIO, 0,
		    "the core is not of a 64-bit little-endian machine");
	if (eh->e_type != ET_CORE)
		return target_fail(tgt, UMDB_EIO, 0,
		    "the file is ELF, but a program or library, not a core");
	if (eh->e_phentsize != sizeof(Elf64_Phdr))
		return target_fail(tgt, UMDB_EIO, 0,
		    "the core's program headers are of %u bytes, not %zu",
		    (unsigned)eh->e_phentsize, sizeof(Elf64_Phdr));
	return UMDB_OK;
}

static int
core_map_file(struct target *tgt, struct core *core, const char *path)
{
	void *data;

	core->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (core->fd < 0 || fstat(core->fd, &core->stat) != 0)
		return target_fail(tgt, UMDB_EIO, 0, "cannot open %s: %s", path,
		    strerror(errno));
	if (!S_ISREG(core->stat.st_mode) || core->stat.st_size <= 0)
		return target_fail(
		    tgt, UMDB_EIO, 0, "%s is empty or no regular file", path);
	core->size = (uint64_t)core->stat.st_size;
	data = mmap(NULL, core->size, PROT_READ, MAP_PRIVATE, core->fd, 0);
	if (data == MAP_FAILED)
		return target_fail(tgt, UMDB_EIO, 0, "cannot map %s: %s", path,
		    strerror(errno));
	core->data = data;
	return UMDB_OK;
}

static void
core_close(struct target *tgt)
{
	struct core *core = tgt->priv;
	void *data;

	memcpy(&data, &core->data, sizeof(data)); /* drops the const */
	if (data != NULL)
		munmap(data, core->size);
	if (core->fd >= 0)
		close(core->fd);
	free(core->seg);
	free(core->map);
	free(core);
}

static const struct target_ops core_ops = {
    .name = "core",
    .read = core_read,
    .map = core_borrow,
    .fetch = core_fetch,
    .hole = core_hole,
    .load_regions = core_load_regions,
    .close = core_close,
};

static int
core_open(struct target *tgt, struct core *core, const char *path)
{
	Elf64_Ehdr eh;
	int rc;

	rc = core_map_file(tgt, core, path);
	if (rc != UMDB_OK)
		return rc;
	rc = core_check_header(tgt, core, &eh);
	if (rc != UMDB_OK)
		return rc;
	core->machine = eh.e_machine;
	rc = core_read_segs(tgt, core, &eh);
	if (rc != UMDB_OK)
		return rc;
	return core_load_regions(tgt);
}

struct target *
target_open_core(
    const char *path, struct target *fallback, struct umdb_error *err)
{
	struct core *core = calloc(1, sizeof(*core));
	struct target *tgt;

	tgt = core == NULL ? NULL : target_create(&core_ops, core);
	if (tgt == NULL) {
		free(core);
		error_set(err, UMDB_ENOMEM, 0, "no memory for a target");
		return NULL;
	}
	core->fd = -1;
	core->fallback = fallback;
	if (core_open(tgt, core, path) != UMDB_OK) {
		*err = tgt->err;
		target_close(tgt);
		return NULL;
	}
	return tgt;
}

bool
target_core_changed(struct target *tgt)
{
	if (tgt->ops != &core_ops)
		return false;
	return core_look(tgt->priv);
}
