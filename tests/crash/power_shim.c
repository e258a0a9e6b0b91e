/*
 * Preloaded into the sender: writes down, outside of it, what it does to the files below POWER_DIR, so
 * that power_cut.py can make of them what a machine may find that lost its power: everything synced, and
 * of the rest whatever the disk had come to. The record goes to POWER_LOG with one write a step, before
 * the step is done (a sync: when it begins and when it has ended), so that it survives SIGKILL. With
 * POWER_LIE no sync ever ends, as on a disk that says it has written and has not.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 65536

enum op { OP_CREATE = 1, OP_WRITE, OP_SIZE, OP_EXTEND, OP_SYNC, OP_DONE, OP_RENAME, OP_REMOVE,
	OP_DIRECTORY };

/* As in power_cut.py. `number` joins a DONE to its step; `len` counts the bytes behind the record. */
struct record {
	uint32_t op, number;
	uint64_t inode, offset, len;
};

static char root[PATH_MAX];
static int log_fd = -1;
static bool lies;
static atomic_uint counter;
static _Atomic unsigned char watched[FDS_MAX]; /* 1: a file or folder of ours, 2: O_DSYNC */

static void __attribute__((constructor)) begin(void)
{
	const char *directory = getenv("POWER_DIR"), *path = getenv("POWER_LOG");

	if (!directory || !path)
		return;
	snprintf(root, sizeof(root), "%s", directory);
	lies = getenv("POWER_LIE");
	log_fd = (int)syscall(SYS_openat, AT_FDCWD, path,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static unsigned note_parts(enum op op, uint64_t inode, uint64_t offset, unsigned number,
	const struct iovec *data, int count)
{
	struct record record = { op, number ? number : atomic_fetch_add(&counter, 1) + 1, inode,
		offset, 0 };
	struct iovec parts[IOV_MAX];

	if (count >= IOV_MAX)
		abort();
	parts[0] = (struct iovec){ &record, sizeof(record) };
	for (int i = 0; i < count; i++) {
		parts[i + 1] = data[i];
		record.len += data[i].iov_len;
	}
	if (syscall(SYS_writev, log_fd, parts, count + 1) != (long)(sizeof(record) + record.len))
		abort(); /* a record with holes would make the sender look guilty */
	return record.number;
}

static unsigned note(enum op op, uint64_t inode, uint64_t offset, const void *data, size_t len)
{
	return note_parts(op, inode, offset, 0, &(struct iovec){ (void *)(uintptr_t)data, len }, 1);
}

static void done(unsigned number)
{
	if (!lies)
		note_parts(OP_DONE, 0, 0, number, NULL, 0);
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* The path below the root, "" for the root; false: elsewhere. */
static bool place_of(int dir_fd, const char *path, char place[PATH_MAX])
{
	char folder[PATH_MAX] = "", whole[2 * PATH_MAX + 1], link[64];
	size_t len = strlen(root);

	if (log_fd < 0 || len == 0)
		return false;
	if (path[0] != '/' && dir_fd != AT_FDCWD) {
		ssize_t got;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
		got = readlink(link, folder, sizeof(folder) - 2);
		if (got < 0)
			return false;
		folder[got] = '/';
	}
	snprintf(whole, sizeof(whole), "%s%s", folder, path);
	if (strncmp(whole, root, len) != 0 || (whole[len] && whole[len] != '/'))
		return false;
	snprintf(place, PATH_MAX, "%s", whole[len] ? whole + len + 1 : "");
	return true;
}

static bool is_watched(int fd)
{
	return fd >= 0 && fd < FDS_MAX && watched[fd];
}

/* ---- names ---- */

static int open_noted(int dir_fd, const char *path, int flags, mode_t mode)
{
	char place[PATH_MAX];
	bool ours = place_of(dir_fd, path, place) && (flags & O_TMPFILE) != O_TMPFILE;
	bool made = ours && (flags & O_CREAT) &&
		syscall(SYS_faccessat, dir_fd, path, F_OK) != 0;
	int fd = (int)syscall(SYS_openat, dir_fd, path, flags, mode);

	if (fd < 0 || !ours || fd >= FDS_MAX)
		return fd;
	watched[fd] = flags & O_DSYNC ? 2 : 1;
	if (made)
		note(OP_CREATE, inode_of(fd), 0, place, strlen(place));
	return fd;
}

#define OPEN_MODE(flags, last)                                                                     \
	mode_t mode = 0;                                                                           \
	if ((flags) & O_CREAT) {                                                                   \
		va_list list;                                                                      \
		va_start(list, last);                                                              \
		mode = va_arg(list, mode_t);                                                       \
		va_end(list);                                                                      \
	}

int open(const char *path, int flags, ...)
{
	OPEN_MODE(flags, flags)
	return open_noted(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	OPEN_MODE(flags, flags)
	return open_noted(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int dir_fd, const char *path, int flags, ...)
{
	OPEN_MODE(flags, flags)
	return open_noted(dir_fd, path, flags, mode);
}

int close(int fd)
{
	if (is_watched(fd))
		watched[fd] = 0;
	return (int)syscall(SYS_close, fd);
}

int mkdirat(int dir_fd, const char *path, mode_t mode)
{
	char place[PATH_MAX];
	int r = (int)syscall(SYS_mkdirat, dir_fd, path, mode);

	if (r == 0 && place_of(dir_fd, path, place) && place[0])
		note(OP_DIRECTORY, 0, 0, place, strlen(place));
	return r;
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

static uint64_t inode_at(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 0;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	char old[PATH_MAX], new[PATH_MAX];

	if (place_of(from_fd, from, old) && place_of(to_fd, to, new)) {
		struct iovec names[] = { { old, strlen(old) + 1 }, { new, strlen(new) } };

		note_parts(OP_RENAME, inode_at(from_fd, from), 0, 0, names, 2);
	}
	return (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* The file has another name. */
int link(const char *from, const char *to)
{
	char place[PATH_MAX];

	if (place_of(AT_FDCWD, to, place))
		note(OP_CREATE, inode_at(AT_FDCWD, from), 0, place, strlen(place));
	return (int)syscall(SYS_link, from, to);
}

int unlinkat(int dir_fd, const char *path, int flags)
{
	char place[PATH_MAX];

	if (place_of(dir_fd, path, place))
		note(OP_REMOVE, 0, 0, place, strlen(place));
	return (int)syscall(SYS_unlinkat, dir_fd, path, flags);
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

/* ---- bytes ---- */

static unsigned note_write(int fd, const struct iovec *parts, int count, off_t offset)
{
	return note_parts(OP_WRITE, inode_of(fd), (uint64_t)offset, 0, parts, count);
}

/* With O_DSYNC, what has been written is durable when the call is back. */
static void end_write(int fd, unsigned number)
{
	if (number && watched[fd] == 2)
		done(number);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	struct iovec part = { (void *)(uintptr_t)bytes, len };
	unsigned number =
		is_watched(fd) ? note_write(fd, &part, 1, lseek(fd, 0, SEEK_CUR)) : 0;
	ssize_t r = syscall(SYS_write, fd, bytes, len);

	end_write(fd, number);
	return r;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	unsigned number =
		is_watched(fd) ? note_write(fd, parts, count, lseek(fd, 0, SEEK_CUR)) : 0;
	ssize_t r = syscall(SYS_writev, fd, parts, count);

	end_write(fd, number);
	return r;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	struct iovec part = { (void *)(uintptr_t)bytes, len };
	unsigned number = is_watched(fd) ? note_write(fd, &part, 1, offset) : 0;
	ssize_t r = syscall(SYS_pwrite64, fd, bytes, len, offset);

	end_write(fd, number);
	return r;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
	return pwrite(fd, bytes, len, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	unsigned number = is_watched(fd) ? note_write(fd, parts, count, offset) : 0;
	ssize_t r = syscall(SYS_pwritev, fd, parts, count, offset, 0);

	end_write(fd, number);
	return r;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	return pwritev(fd, parts, count, offset);
}

int ftruncate(int fd, off_t size)
{
	if (is_watched(fd))
		note(OP_SIZE, inode_of(fd), (uint64_t)size, NULL, 0);
	return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	if (is_watched(fd) && mode == 0)
		note(OP_EXTEND, inode_of(fd), (uint64_t)(offset + len), NULL, 0);
	return (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
	return fallocate(fd, mode, offset, len);
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	return fallocate(fd, 0, offset, len) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off64_t offset, off64_t len)
{
	return posix_fallocate(fd, offset, len);
}

/* ---- syncs ---- */

static int sync_noted(int fd, long call)
{
	unsigned number = is_watched(fd) ? note(OP_SYNC, inode_of(fd), 0, NULL, 0) : 0;
	int r = (int)syscall(call, fd);

	if (number && r == 0)
		done(number);
	return r;
}

int fsync(int fd)
{
	return sync_noted(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_noted(fd, SYS_fdatasync);
}
