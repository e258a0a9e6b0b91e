#include "base/durable.h"

#include "base/random.h"
#include "base/stream.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_synced(int fd, struct slice text, u32 mode)
{
	return stream_write(fd, text) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
}

/* fsync of the folder alone, or syncfs of all that its file system has. False: errno says why. */
static bool sync_folder(const char *folder, int (*sync)(int fd))
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = fd >= 0 && sync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return is_synced;
}

/* Of the folder that the path stands in. */
static bool sync_folder_of(const char *path)
{
	size_t len = strlen(path);
	char folder[PATH_MAX];

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	if (!slice_copy(folder, sizeof(folder), len > 0 ? (struct slice){ path, len } : SLICE(".")))
		return false;
	return sync_folder(folder, fsync);
}

/* A file beside the path, with a name that nobody has; -1 with the error set. */
static int open_beside(char beside[PATH_MAX], const char *path, struct error *error)
{
	u64 tag;
	int n;
	int fd;

	random_bytes(&tag, sizeof(tag));
	n = snprintf(beside, PATH_MAX, "%s.%016llx", path, (unsigned long long)tag);
	if (n < 0 || n >= PATH_MAX) {
		error_set(error, "%s: the path is too long", path);
		return -1;
	}
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		error_set_errno(error, errno, "%s", path);
	return fd;
}

/* Written beside, synced, then linked: link() refuses a name that is taken. */
bool durable_create(const char *path, struct slice content, struct error *error)
{
	char beside[PATH_MAX];
	int fd = open_beside(beside, path, error);
	bool ok = false;

	if (fd < 0)
		return false;
	if (write_synced(fd, content, 0600) && link(beside, path) == 0) {
		ok = sync_folder_of(path);
		if (!ok)
			unlink(path);
	}
	if (!ok)
		error_set_errno(error, errno, "%s", path);
	close(fd);
	unlink(beside);
	return ok;
}

/* The owner comes before the mode: fchown clears bits of it. */
bool durable_replace(const char *path, struct slice content, u32 mode, struct error *error)
{
	char beside[PATH_MAX];
	int fd = open_beside(beside, path, error);
	struct stat old;
	bool ok;

	if (fd < 0)
		return false;
	ok = lstat(path, &old) != 0 || fchown(fd, old.st_uid, old.st_gid) == 0;
	ok = ok && write_synced(fd, content, mode) && rename(beside, path) == 0;
	if (!ok) {
		error_set_errno(error, errno, "%s", path);
		unlink(beside);
	} else if (!sync_folder_of(path)) {
		ok = error_set_errno(error, errno, "%s", path);
	}
	close(fd);
	return ok;
}

bool durable_rename(const char *from, const char *to, struct error *error)
{
	return (rename(from, to) == 0 && sync_folder_of(to)) ||
	       error_set_errno(error, errno, "%s", to);
}

bool durable_sync(const char *folder, struct error *error)
{
	return sync_folder(folder, syncfs) || error_set_errno(error, errno, "%s", folder);
}

bool durable_folder(const char *path, struct error *error)
{
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST || error_set_errno(error, errno, "%s", path);
	return sync_folder_of(path) || error_set_errno(error, errno, "%s", path);
}

#define TREE_DEPTH 16 /* descriptors that a walk may hold */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

bool durable_remove_tree(const char *path, struct error *error)
{
	if (nftw(path, remove_one, TREE_DEPTH, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
		return true;
	return error_set_errno(error, errno, "%s: cannot be removed", path);
}
