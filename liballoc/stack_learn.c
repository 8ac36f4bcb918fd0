/* SPDX-License-Identifier: MIT */
/*
 * stack_learn.c - asking libunwind; see stack_learn.h
 *
 * One lock is held while libunwind runs, with all signals of the thread held
 * back, so that a handler that allocates cannot come in between and one that
 * leaves by longjmp(3) cannot leave the lock behind.  fork(2) waits for the
 * lock, because libunwind has locks of its own.
 *
 * Unwind tables are found by _dl_find_object(3), which takes no lock, where
 * the libc has it; with an older one by dl_iterate_phdr(3), as libunwind does.
 *
 * Layer: stack_learn.h
 */
#include "stack_learn.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "lock.h"
#include "msg.h"
#include "os.h"
#include "root.h"
#include "stack_rule.h"
#include "umem_layout.h"

#if defined(__x86_64__) && defined(__has_include)
#if __has_include(<libunwind.h>)
#define HAVE_UNWIND 1
#endif
#endif

#ifndef HAVE_UNWIND

int
learn_init(void)
{
	return -1;
}

uint64_t
learn_rule(uint64_t key)
{
	(void)key;
	return RULE_NONE;
}

int
learn_step(struct stack_frame *frame)
{
	(void)frame;
	return -1;
}

#else

#include <libunwind.h>

#define LIBUNWIND "libunwind-x86_64.so.8"
#define AS_TEXT(name) #name
#define SYMBOL(name) AS_TEXT(name)

/*
 * Made-up addresses have one of these in their highest byte, which no real
 * address has.  The word at a made-up address is the address itself with the
 * next class, so that a value tells where it was read.
 */
#define FAKE_SHIFT 56
#define FAKE_FRAME 0x51u /* in the stack frame */
#define FAKE_LOADED 0x52u
#define FAKE_LOADED_TWICE 0x53u
#define FAKE_REGISTER 0x61u /* of a register that rules do not know */
#define FAKE_LOW (((uint64_t)1 << FAKE_SHIFT) - 1)

/* What the callbacks see of the step in hand. */
struct probe {
	struct stack_frame frame;
	uint64_t key;      /* address that the tables are to be asked for */
	int fake;          /* the frame is made up */
	uint64_t asked;    /* address that libunwind asked for */
	int has_no_object; /* no loaded object has the address */
	int has_no_table;  /* and one that has does not describe it */
	uint64_t page;     /* known to be readable */
	uint64_t lo, hi;   /* the loaded object that has the tables */
};

/* Where a step from a made-up frame arrived. */
struct outcome {
	uint64_t pc, sp, bp;
	int is_end;
};

static struct {
	unw_addr_space_t (*create)(unw_accessors_t *, int);
	unw_accessors_t *(*accessors)(unw_addr_space_t);
	int (*init)(unw_cursor_t *, unw_addr_space_t, void *);
	int (*step)(unw_cursor_t *);
	int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
	int (*search)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *,
	    unw_proc_info_t *, int, void *);
	unw_addr_space_t local;
	unw_accessors_t *local_acc;
	unw_addr_space_t remote;
	uint64_t bias; /* it looks up the first pc less this */
#ifdef DLFO_EH_SEGMENT_TYPE
	int (*find_object)(void *, struct dl_find_object *);
#endif
} unw;

static umem_lock_t learn_lock;
static unw_cursor_t learn_cursor; /* large; under learn_lock */
static __thread int learning;

/* A word that need not be aligned. */
struct any_word {
	uint64_t value;
} __attribute__((packed));

/* read_word - the word at a real address; 0, or -1 if it cannot be read */
static STACK_RAW int
read_word(struct probe *pr, uint64_t addr, uint64_t *val_ret)
{
	const uint64_t last = addr + sizeof(*val_ret) - 1;
	const uint64_t page_mask = ~(uint64_t)(UMEM_PAGE_SIZE - 1);
	const int in_object = addr >= pr->lo && addr < pr->hi &&
			      pr->hi - addr >= sizeof(*val_ret);

	if (!in_object && ((addr & page_mask) != pr->page ||
			      (last & page_mask) != pr->page)) {
		if (!os_readable((const void *)(addr & ~(uint64_t)7)) ||
		    !os_readable((const void *)(last & ~(uint64_t)7)))
			return -1;
		pr->page = last & page_mask;
	}
	*val_ret = ((const volatile struct any_word *)addr)->value;
	return 0;
}

/* ------------------------------------------------- libunwind's callbacks */

static int
access_mem(
    unw_addr_space_t as, unw_word_t addr, unw_word_t *val, int write, void *arg)
{
	struct probe *pr = arg;
	const uint64_t class = addr >> FAKE_SHIFT;

	(void)as;
	if (write)
		return -UNW_EINVAL;
	if (pr->fake && class >= FAKE_FRAME && class < FAKE_LOADED_TWICE) {
		*val = (class + 1) << FAKE_SHIFT | (addr & FAKE_LOW);
		return 0;
	}
	return read_word(pr, addr, val) == 0 ? 0 : -UNW_EINVAL;
}

static int
access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *val, int write,
    void *arg)
{
	struct probe *pr = arg;

	(void)as;
	if (write)
		return -UNW_EREADONLYREG;
	switch (reg) {
	case UNW_X86_64_RIP:
		*val = pr->frame.pc;
		return 0;
	case UNW_X86_64_RSP:
		*val = pr->frame.sp;
		return 0;
	case UNW_X86_64_RBP:
		*val = pr->frame.bp;
		return 0;
	default:
		*val = (uint64_t)FAKE_REGISTER << FAKE_SHIFT | (uint64_t)reg
								   << 32;
		return pr->fake ? 0 : -UNW_EBADREG;
	}
}

static int
access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *val, int write,
    void *arg)
{
	(void)as;
	(void)reg;
	(void)val;
	(void)write;
	(void)arg;
	return -UNW_EBADREG;
}

static int
no_dyn_info(unw_addr_space_t as, unw_word_t *addr, void *arg)
{
	(void)as;
	(void)addr;
	(void)arg;
	return -UNW_ENOINFO;
}

static void
put_unwind_info(unw_addr_space_t as, unw_proc_info_t *info, void *arg)
{
	(void)as;
	(void)arg;
	if (unw.local_acc->put_unwind_info != NULL)
		unw.local_acc->put_unwind_info(unw.local, info, NULL);
}

#ifdef DLFO_EH_SEGMENT_TYPE

/* The head of .eh_frame_hdr as every linker writes it. */
struct eh_header {
	uint8_t version;
	uint8_t frame_encoding;
	uint8_t count_encoding;
	uint8_t table_encoding;
	int32_t frame;
	uint32_t count;
};
static const uint8_t usual_header[4] = {
    1,    /* version */
    0x1b, /* pc-relative, 4 bytes, signed */
    0x03, /* 4 bytes, unsigned */
    0x3b, /* relative to the header, 4 bytes, signed */
};

/* search_object - in the table of one loaded object; -1: not a usual one */
static int
search_object(const struct dl_find_object *obj, unw_word_t ip,
    unw_proc_info_t *info, int need, void *arg)
{
	struct eh_header header;
	unw_dyn_info_t di;

	if (obj->dlfo_eh_frame == NULL)
		return -UNW_ENOINFO;
	memcpy(&header, obj->dlfo_eh_frame, sizeof(header));
	if (memcmp(&header, usual_header, sizeof(usual_header)) != 0)
		return -UNW_EBADVERSION;
	memset(&di, 0, sizeof(di));
	di.start_ip = (unw_word_t)obj->dlfo_map_start;
	di.end_ip = (unw_word_t)obj->dlfo_map_end;
	di.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	di.u.rti.segbase = (unw_word_t)obj->dlfo_eh_frame;
	di.u.rti.table_data = di.u.rti.segbase + sizeof(header);
	di.u.rti.table_len = header.count; /* entries are words */
	return unw.search(unw.remote, ip, &di, info, need, arg);
}

#endif

static int
find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *info,
    int need, void *arg)
{
	struct probe *pr = arg;
	int rc;

	(void)as;
	pr->asked = ip;
	if (ip != pr->key)
		return -UNW_EINVALIDIP;
#ifdef DLFO_EH_SEGMENT_TYPE
	if (unw.find_object != NULL) {
		struct dl_find_object obj;

		if (unw.find_object((void *)ip, &obj) != 0) {
			pr->has_no_object = 1;
			return -UNW_ENOINFO;
		}
		pr->lo = (uint64_t)obj.dlfo_map_start;
		pr->hi = (uint64_t)obj.dlfo_map_end;
		rc = search_object(&obj, ip, info, need, arg);
		if (rc != -UNW_EBADVERSION) {
			pr->has_no_table = rc == -UNW_ENOINFO;
			return rc;
		}
	}
#endif
	rc = unw.local_acc->find_proc_info(unw.local, ip, info, need, NULL);
	pr->has_no_table = rc == -UNW_ENOINFO;
	return rc;
}

/* --------------------------------------------------------------- loading */

static void
fork_prepare(void)
{
	lock_fork_begin();
	if (!learning)
		lock_fork_hold(&learn_lock);
}

static void
fork_parent(void)
{
	if (!learning)
		lock_fork_release(&learn_lock);
	lock_fork_end();
}

static void
fork_child(void)
{
	if (!learning)
		lock_reset(&learn_lock);
	lock_fork_end();
}

/* find - dlsym(3); a function pointer is read as what dlsym returns */
static int
find(void *handle, const char *name, void *pointer)
{
	void *addr = dlsym(handle, name);

	memcpy(pointer, &addr, sizeof(addr));
	return addr == NULL ? -1 : 0;
}

static int
find_all(void *handle)
{
	unw_addr_space_t *local;

	if (find(handle, SYMBOL(unw_create_addr_space), &unw.create) != 0 ||
	    find(handle, SYMBOL(unw_get_accessors), &unw.accessors) != 0 ||
	    find(handle, SYMBOL(unw_init_remote), &unw.init) != 0 ||
	    find(handle, SYMBOL(unw_step), &unw.step) != 0 ||
	    find(handle, SYMBOL(unw_get_reg), &unw.get_reg) != 0 ||
	    find(handle, SYMBOL(UNW_OBJ(dwarf_search_unwind_table)),
		&unw.search) != 0 ||
	    find(handle, SYMBOL(unw_local_addr_space), &local) != 0)
		return -1;
	unw.local = *local;
#ifdef DLFO_EH_SEGMENT_TYPE
	(void)find(RTLD_DEFAULT, "_dl_find_object", &unw.find_object);
#endif
	return 0;
}

/*
 * learn_bias - does libunwind take the first pc for a return address and look
 * up the one before?  Releases differ.
 */
static int
learn_bias(void)
{
	struct probe pr = {.fake = 1};

	pr.frame.pc = (uint64_t)(uintptr_t)&learn_cursor;
	pr.frame.sp = (uint64_t)FAKE_FRAME << FAKE_SHIFT;
	pr.frame.bp = pr.frame.sp;
	if (unw.init(&learn_cursor, unw.remote, &pr) < 0)
		return -1;
	(void)unw.step(&learn_cursor);
	unw.bias = pr.frame.pc - pr.asked;
	return unw.bias <= 1 ? 0 : -1;
}

int
learn_init(void)
{
	static unw_accessors_t acc = {
	    .find_proc_info = find_proc_info,
	    .put_unwind_info = put_unwind_info,
	    .get_dyn_info_list_addr = no_dyn_info,
	    .access_mem = access_mem,
	    .access_reg = access_reg,
	    .access_fpreg = access_fpreg,
	};
	void *handle = dlopen(LIBUNWIND, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL || find_all(handle) != 0)
		return -1;
	unw.local_acc = unw.accessors(unw.local);
	if (unw.local_acc == NULL || rule_init() != 0)
		return -1;
	(void)pthread_atfork(fork_prepare, fork_parent, fork_child);
	unw.remote = unw.create(&acc, 0);
	umem_root.root_held[0] = (uintptr_t)unw.remote;
	return unw.remote == NULL ? -1 : learn_bias();
}

/* --------------------------------------------------------------- probing */

/*
 * step_once - one step of libunwind from pr->frame; 1 there, 0 end of the
 * stack, -1 cannot tell.  Called with learn_lock held.
 */
static int
step_once(struct probe *pr, struct outcome *to)
{
	unw_word_t pc, sp, bp;
	int rc;

	memset(to, 0, sizeof(*to));
	if (unw.init(&learn_cursor, unw.remote, pr) < 0)
		return -1;
	rc = unw.step(&learn_cursor);
	if (rc < 0 || pr->asked != pr->key || pr->has_no_object ||
	    pr->has_no_table)
		return -1;
	if (rc == 0) {
		to->is_end = 1;
		return 0;
	}
	if (unw.get_reg(&learn_cursor, UNW_X86_64_RIP, &pc) < 0 ||
	    unw.get_reg(&learn_cursor, UNW_X86_64_RSP, &sp) < 0 ||
	    unw.get_reg(&learn_cursor, UNW_X86_64_RBP, &bp) < 0)
		return -1;
	to->pc = pc;
	to->sp = sp;
	to->bp = bp;
	return 1;
}

/* loaded_from - undo what access_mem does to an address */
static uint64_t
loaded_from(uint64_t val)
{
	return val - ((uint64_t)1 << FAKE_SHIFT);
}

/* saved_at - where the frame pointer was saved below @top, 0 if unchanged */
static int
saved_at(
    const struct stack_frame *from, const struct outcome *to, uint64_t *m_ret)
{
	const uint64_t m = to->sp - loaded_from(to->bp);

	*m_ret = to->bp == from->bp ? 0 : m;
	return *m_ret <= RULE_M_MAX && *m_ret % 8 == 0 ? 0 : -1;
}

/* rule_of - the rule that explains how @to was reached */
static uint64_t
rule_of(const struct stack_frame *from, const struct outcome *to)
{
	const int64_t from_sp = (int64_t)(to->sp - from->sp);
	const int64_t from_bp = (int64_t)(to->sp - from->bp);
	const int64_t slot = (int64_t)(loaded_from(to->sp) - from->bp);
	uint64_t m;

	if (to->is_end)
		return rule_make(RULE_END, 0, 0);
	if (loaded_from(to->pc) != to->sp - 8)
		return rule_make(RULE_OTHER, 0, 0);
	if (slot >= -RULE_K_MAX && slot <= RULE_K_MAX && slot % 8 == 0 &&
	    loaded_from(to->bp) == from->bp)
		return rule_make(RULE_LOAD, slot, 0);
	if (saved_at(from, to, &m) == 0) {
		if (from_sp > 0 && from_sp <= RULE_K_MAX && from_sp % 8 == 0)
			return rule_make(RULE_SP, from_sp, m);
		if (from_bp > 0 && from_bp <= RULE_K_MAX && from_bp % 8 == 0)
			return rule_make(RULE_BP, from_bp, m);
	}
	return rule_make(RULE_OTHER, 0, 0);
}

/* probe_rule - the rule as seen from one made-up frame */
static uint64_t
probe_rule(uint64_t key, uint64_t sp, uint64_t bp, struct probe *pr)
{
	struct outcome to;

	memset(pr, 0, sizeof(*pr));
	pr->fake = 1;
	pr->key = key;
	pr->page = 1; /* no page has this address */
	pr->frame.pc = key + unw.bias;
	pr->frame.sp = (uint64_t)FAKE_FRAME << FAKE_SHIFT | sp;
	pr->frame.bp = (uint64_t)FAKE_FRAME << FAKE_SHIFT | bp;
	if (step_once(pr, &to) < 0) {
		/* Code without tables may still keep frame pointers. */
		if (pr->has_no_object || pr->has_no_table)
			return rule_make(RULE_BP, 16, 16);
		return rule_make(RULE_END, 0, 0);
	}
	return rule_of(&pr->frame, &to);
}

/* at_trampoline - the code to which a signal handler returns */
static int
at_trampoline(uint64_t pc)
{
	/* mov $SYS_rt_sigreturn,%rax; syscall */
	static const uint8_t code[9] = {
	    0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	struct probe pr = {.page = 1};
	uint64_t word[2];

	if (read_word(&pr, pc, &word[0]) != 0 ||
	    read_word(&pr, pc + 1, &word[1]) != 0)
		return 0;
	return memcmp(&word[0], code, sizeof(word[0])) == 0 &&
	       memcmp(&word[1], code + 1, sizeof(word[1])) == 0;
}

static uint64_t
work_out(uint64_t key)
{
	const uint32_t epoch = __atomic_load_n(&rule_epoch, __ATOMIC_ACQUIRE);
	const uint64_t sp = (uint64_t)1 << 46, bp = (uint64_t)1 << 47;
	struct probe pr;
	uint64_t rule, again;

	if (at_trampoline(key + 1)) {
		rule = rule_make(RULE_SIGNAL, 0, 0);
	} else {
		again = probe_rule(key, sp + 0x7130, bp - 0x3458, &pr);
		rule = probe_rule(key, sp, bp, &pr);
		if (rule != again)
			rule = rule_make(RULE_OTHER, 0, 0);
		/* Code that belongs to no library comes and goes unseen. */
		if (pr.has_no_object)
			return rule;
	}
	rule_put(key, rule, epoch);
	return rule;
}

static void
learn_enter(uint64_t *signals)
{
	os_signals_block(signals);
	lock_acquire(&learn_lock);
	learning = 1;
}

static void
learn_leave(const uint64_t *signals)
{
	learning = 0;
	lock_release(&learn_lock);
	os_signals_restore(signals);
}

uint64_t
learn_rule(uint64_t key)
{
	uint64_t rule, signals;

	/* libunwind allocates: its own calls need no stacks. */
	if (learning)
		return RULE_NONE;
	learn_enter(&signals);
	rule = rule_get(key);
	if (rule == RULE_NONE)
		rule = work_out(key);
	learn_leave(&signals);
	return rule;
}

int
learn_step(struct stack_frame *frame)
{
	struct probe pr = {.frame = *frame, .page = 1};
	struct outcome to;
	uint64_t signals;
	int rc;

	if (learning)
		return -1;
	pr.key = frame->exact ? frame->pc : frame->pc - 1;
	pr.frame.pc = pr.key + unw.bias;
	learn_enter(&signals);
	rc = step_once(&pr, &to);
	learn_leave(&signals);
	if (rc != 1 || to.sp <= frame->sp)
		return -1;
	frame->pc = to.pc;
	frame->sp = to.sp;
	frame->bp = to.bp;
	frame->exact = 0;
	return 0;
}

#endif /* HAVE_UNWIND */
