/*
 * For tests of programs that write to a disk: the program that includes this (once) makes the n-th
 * call that changes or reads the disk fail, or ends the process there, as a power cut would.
 *
 * It also keeps what was written apart from what was synced: fail_write_broken() tells whether a
 * file got its name, or was closed, before its content was on the disk.
 */
#ifndef TESTS_INIT_FAIL_WRITE_H
#define TESTS_INIT_FAIL_WRITE_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAIL_WRITE_FILES 64
#define FAIL_WRITE_ENDED 99 /* exit code of a process that was ended */

static struct {
	uint64_t at; /* counts down; 0: nothing fails */
	int code;    /* errno, or 0: the process ends */
	bool is_dirty[FAIL_WRITE_FILES];
	bool is_broken;
	bool lies; /* what is read with pread is not what was written */
} fail_write_state;

/* The n-th call from now on (1: the next) fails with `code`, or ends the process when that is 0. */
static inline void fail_write(uint64_t n, int code)
{
	fail_write_state.at = n;
	fail_write_state.code = code;
}

/* Nothing fails any more. True: the call that was to fail did. */
static inline bool fail_write_end(void)
{
	bool failed = fail_write_state.at == 0;

	fail_write_state.at = 0;
	return failed;
}

/* Whether something was named or closed before it was on the disk, since the last call of this. */
static inline bool fail_write_broken(void)
{
	bool broken = fail_write_state.is_broken;

	fail_write_state.is_broken = false;
	return broken;
}

static bool fail_write_now(void)
{
	if (fail_write_state.at == 0 || --fail_write_state.at > 0)
		return false;
	if (fail_write_state.code == 0)
		_exit(FAIL_WRITE_ENDED);
	errno = fail_write_state.code;
	return true;
}

static void fail_write_mark(int fd, bool dirty)
{
	if (fd >= 0 && fd < FAIL_WRITE_FILES)
		fail_write_state.is_dirty[fd] = dirty;
}

static bool fail_write_any_dirty(void)
{
	for (int i = 0; i < FAIL_WRITE_FILES; i++) {
		if (fail_write_state.is_dirty[i])
			return true;
	}
	return false;
}

static bool fail_write_is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	/* What goes to the screen or into a pipe is not what this is about. */
	if (fail_write_is_file(fd)) {
		if (fail_write_now())
			return -1;
		fail_write_mark(fd, true);
	}
	return syscall(SYS_write, fd, bytes, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (fail_write_now())
		return -1;
	if (fail_write_any_dirty())
		fail_write_state.is_broken = true;
	fail_write_mark(fd, true);
	return syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
	ssize_t n = fail_write_now() ? -1 : syscall(SYS_pread64, fd, bytes, len, at);

	if (n > 0 && fail_write_state.lies)
		((char *)bytes)[n - 1] ^= 1;
	return n;
}

int fsync(int fd)
{
	if (fail_write_now())
		return -1;
	fail_write_mark(fd, false);
	return (int)syscall(SYS_fsync, fd);
}

int syncfs(int fd)
{
	return fail_write_now() ? -1 : (int)syscall(SYS_syncfs, fd);
}

int close(int fd)
{
	if (fd >= 0 && fd < FAIL_WRITE_FILES && fail_write_state.is_dirty[fd])
		fail_write_state.is_broken = true;
	fail_write_mark(fd, false);
	return (int)syscall(SYS_close, fd);
}

int posix_fadvise(int fd, off_t at, off_t len, int advice)
{
	if (fail_write_now())
		return errno;
	return syscall(SYS_fadvise64, fd, at, len, advice) == 0 ? 0 : errno;
}

int renameat(int from, const char *old, int to, const char *new)
{
	if (fail_write_now())
		return -1;
	if (fail_write_any_dirty())
		fail_write_state.is_broken = true;
	fail_write_mark(to, true);
	return (int)syscall(SYS_renameat, from, old, to, new);
}

int unlinkat(int folder, const char *name, int flags)
{
	if (fail_write_now())
		return -1;
	fail_write_mark(folder, true);
	return (int)syscall(SYS_unlinkat, folder, name, flags);
}

int mkdirat(int folder, const char *name, mode_t mode)
{
	return fail_write_now() ? -1 : (int)syscall(SYS_mkdirat, folder, name, mode);
}

int openat(int folder, const char *name, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return fail_write_now() ? -1 : (int)syscall(SYS_openat, folder, name, flags, mode);
}

#endif
