/* SPDX-License-Identifier: MIT */
/*
 * os.h - the host: the only file with system calls
 *
 * Nothing here allocates, takes a lock or changes errno on success.
 *
 * Layer: lowest; includes nothing of ours.
 */
#ifndef UMEM_OS_H
#define UMEM_OS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * os_map - take fresh zeroed memory from the system, readable and writable
 * @size: bytes, a multiple of the page size
 * @align: a power of two, at least the page size
 *
 * Returns the address, or NULL with errno ENOMEM.
 */
void *os_map(size_t size, size_t align);

/* os_unmap - give [addr, addr + size) back; whole pages */
void os_unmap(void *addr, size_t size);

/*
 * os_purge - drop the contents of whole pages and the memory behind them;
 * they read as zero afterwards.  The address range stays ours.
 */
void os_purge(void *addr, size_t size);

/*
 * os_populate - the memory behind whole pages is needed now: one call instead
 * of a fault for each (MADV_POPULATE_WRITE, Linux 5.14; else nothing happens)
 */
void os_populate(void *addr, size_t size);

/* os_resident - whether there is memory behind the page at @addr */
int os_resident(const void *addr);

/*
 * os_protect - make pages inaccessible (access 0) or readable and writable
 * (1).  Returns 0, or -1 with errno (the limit of mappings, usually).
 */
int os_protect(void *addr, size_t size, int access);

/*
 * os_move - move the pages [from, from + size) to @to, by changing page
 * tables, not by copying (mremap(2)).  Both ranges are whole pages and ours;
 * what was at @to is dropped, and @from afterwards reads as zero.
 * Returns 0; or -1 with both ranges as they were.
 */
int os_move(void *from, void *to, size_t size);

/* os_now - CLOCK_MONOTONIC in nanoseconds; never 0 */
uint64_t os_now(void);

/* os_tick - CLOCK_MONOTONIC_COARSE in nanoseconds: moves some 250 times a s */
uint64_t os_tick(void);

/*
 * os_tick_init - when the loader is done: from here on os_tick() asks the
 * kernel's own function (vdso(7)), which takes half of what the libc takes to
 * do so.  Unlike the others this may allocate.
 */
void os_tick_init(void);

/* os_tid - kernel thread id of the caller (a system call: cache it) */
uint32_t os_tid(void);

/* os_pid - process id of the caller */
uint32_t os_pid(void);

/* os_program_headers - where the executable's program headers lie */
uintptr_t os_program_headers(void);

/* os_ncpus - processors this process may run on, at least 1 */
unsigned os_ncpus(void);

/* os_write_stderr - write all of buf to file descriptor 2, best effort */
void os_write_stderr(const char *buf, size_t len);

/* os_getenv - secure_getenv: NULL in set-user-ID programs */
const char *os_getenv(const char *name);

/* os_secure - true in set-user-ID and set-group-ID programs */
int os_secure(void);

/* os_futex_wait - sleep while *word == value; may wake for no reason */
void os_futex_wait(uint32_t *word, uint32_t value);

/* os_futex_wake - wake up to @n sleepers */
void os_futex_wake(uint32_t *word, int n);

/*
 * os_readable - true when the 8 bytes at @addr can be read: no signal comes of
 * asking.  An address that is not of the user's half is not readable.
 */
int os_readable(const void *addr);

/*
 * os_signals_block - hold back all signals of this thread, those that the
 * libc keeps for itself too; @old_ret is for os_signals_restore
 */
void os_signals_block(uint64_t *old_ret);
void os_signals_restore(const uint64_t *old);

/* os_open - open a file to read it; the descriptor, or -1 */
int os_open(const char *path);

/* os_pread - bytes read from @off on; fewer at the end or after an error */
ssize_t os_pread(int fd, void *buf, size_t size, uint64_t off);

void os_close(int fd);

/* os_abort - end the process by SIGABRT, whatever its disposition */
_Noreturn void os_abort(void);

#endif /* UMEM_OS_H */
