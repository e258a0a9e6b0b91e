/*
 * A slot's files on the ESP. FAT keeps no journal: what must be on the disk before the next step
 * is synced, and a file has its last name only when it is whole.
 */
#include "base/stream.h"
#include "base/text.h"
#include "init/upgrade_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CHUNK (64u << 10)
#define SYNC_EVERY (1u << 20) /* what a power cut may leave of a file that has no owner any more */
#define ROOM_SPARE (1u << 20) /* folders, the release text, whatever FAT rounds up */
#define MIB (1u << 20)

static const char *const names[] = { "release", "kernel", "rootfs", "release.new", "kernel.new",
				     "rootfs.new" };

/* The slot's folder, without a system in it. The release goes first: what has one is whole. */
static int open_empty(const struct slot_boot *boot, char slot, struct error *error)
{
	const char name[] = { slot, 0 };
	int folder;

	if (mkdirat(boot->fd, name, 0755) != 0 && errno != EEXIST) {
		error_set_errno(error, errno, "slot %c", slot);
		return -1;
	}
	folder = openat(boot->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0) {
		error_set_errno(error, errno, "slot %c", slot);
		return -1;
	}
	for (size_t i = 0; i < array_count(names); i++) {
		if (unlinkat(folder, names[i], 0) == 0 || errno == ENOENT)
			continue;
		error_set_errno(error, errno, "slot %c: old %s", slot, names[i]);
		close(folder);
		return -1;
	}
	if (fsync(folder) == 0)
		return folder;
	error_set_errno(error, errno, "slot %c", slot);
	close(folder);
	return -1;
}

static bool room_suffices(int folder, const struct upgrade_release *release, struct error *error)
{
	u64 want = ROOM_SPARE;
	struct statvfs fs;
	u64 have;

	for (u32 i = 0; i < UPGRADE_PARTS; i++)
		want += release->parts[i].size;
	if (fstatvfs(folder, &fs) != 0)
		return error_set_errno(error, errno, "the boot partition");
	have = (u64)fs.f_bavail * fs.f_frsize;
	return have >= want ||
	       error_set(error, "the boot partition has %llu MiB free, the new system needs %llu",
			 (unsigned long long)have / MIB, (unsigned long long)want / MIB + 1);
}

/* On the disk, and not only in memory: what is read next comes from there. */
static bool settle(int fd)
{
	int code;

	if (fsync(fd) != 0)
		return false;
	code = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	errno = code;
	return code == 0;
}

static bool hash_matches(int fd, u64 size, const u8 want[SHA256_SIZE], char *chunk,
			 struct error *error)
{
	u8 got[SHA256_SIZE];
	struct sha256 hash;
	u64 at = 0;

	sha256_init(&hash);
	while (at < size) {
		ssize_t n = pread(fd, chunk, CHUNK, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set_errno(error, n < 0 ? errno : EIO, "cannot be read back");
		sha256_add(&hash, chunk, (size_t)n);
		at += (u64)n;
	}
	sha256_finish(&hash, got);
	return crypto_equal(got, want, SHA256_SIZE) ||
	       error_set(error, "the disk gives back other bytes than were written");
}

/* From the bundle to the file; the hash is of what was read. */
static bool copy(int from, int to, u64 size, const u8 want[SHA256_SIZE], char *chunk,
		 struct error *error)
{
	u8 got[SHA256_SIZE];
	struct sha256 hash;
	u64 left = size;

	sha256_init(&hash);
	while (left > 0) {
		size_t n = (size_t)min_u64(left, CHUNK);

		if (!upgrade_read(from, chunk, n, error))
			return false;
		sha256_add(&hash, chunk, n);
		left -= n;
		if (!stream_write(to, (struct slice){ (const char *)chunk, n }) ||
		    (left % SYNC_EVERY < CHUNK && fsync(to) != 0))
			return error_set_errno(error, errno, "cannot be written");
	}
	sha256_finish(&hash, got);
	if (!crypto_equal(got, want, SHA256_SIZE))
		return error_set(error, "the bundle is damaged: its SHA-256 is not what the "
				 "release text says");
	if (!settle(to))
		return error_set_errno(error, errno, "cannot be written");
	return hash_matches(to, size, want, chunk, error);
}

static int create(int folder, const char *name, struct error *error)
{
	int fd = openat(folder, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		error_set_errno(error, errno, "%s", name);
	return fd;
}

static bool write_part(int folder, const struct upgrade_release *release, enum upgrade_part part,
		       int from, char *chunk, FILE *report, struct error *error)
{
	const char *name = part == UPGRADE_KERNEL ? "kernel.new" : "rootfs.new";
	u64 size = release->parts[part].size;
	int fd = create(folder, name, error);
	bool ok;

	if (fd < 0)
		return false;
	ok = copy(from, fd, size, release->parts[part].sha256, chunk, error);
	if (!ok)
		error_prefix(error, "%s", upgrade_part_name(part));
	close(fd);
	if (ok)
		fprintf(report, "%s: %llu bytes written and compared\n", upgrade_part_name(part),
			(unsigned long long)size);
	return ok;
}

static bool write_release(int folder, struct slice text, struct error *error)
{
	int fd = create(folder, "release.new", error);
	bool ok;

	if (fd < 0)
		return false;
	ok = stream_write(fd, text) && fsync(fd) == 0;
	if (!ok)
		error_set_errno(error, errno, "release.new");
	close(fd);
	return ok;
}

/* A file ends where the bundle says that it does. */
static bool bundle_ends(int fd, struct error *error)
{
	char byte;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(error, errno, "the bundle cannot be read");
	return n == 0 || error_set(error, "the bundle goes on behind its end");
}

/* The release comes last. */
static bool give_names(int folder, struct error *error)
{
	static const char *const order[] = { "kernel", "rootfs", "release" };
	char beside[16];

	for (size_t i = 0; i < array_count(order); i++) {
		snprintf(beside, sizeof(beside), "%s.new", order[i]);
		if (renameat(folder, beside, folder, order[i]) != 0 || fsync(folder) != 0)
			return error_set_errno(error, errno, "%s", order[i]);
	}
	return true;
}

bool upgrade_slot_write(const struct slot_boot *boot, char slot,
			const struct upgrade_release *release, struct slice text, int fd,
			FILE *report, struct error *error)
{
	char *chunk = malloc(CHUNK);
	int folder = -1;
	bool ok = false;

	if (!chunk)
		return error_set(error, "out of memory");
	folder = open_empty(boot, slot, error);
	if (folder >= 0) {
		ok = room_suffices(folder, release, error) &&
		     write_part(folder, release, UPGRADE_KERNEL, fd, chunk, report, error) &&
		     write_part(folder, release, UPGRADE_ROOTFS, fd, chunk, report, error) &&
		     bundle_ends(fd, error) && write_release(folder, text, error) &&
		     give_names(folder, error);
		close(folder);
	}
	free(chunk);
	return ok;
}
