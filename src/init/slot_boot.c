#include "init/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A remount sets all of them anew. */
#define MOUNT_FLAGS (MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC)

static bool lock(int fd, const char *path, struct error *error)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return error_set(error, "%s is being written to by somebody else", path);
	return error_set_errno(error, errno, "%s", path);
}

static bool make_writable(struct slot_boot *boot, struct error *error)
{
	struct statvfs fs;

	if (fstatvfs(boot->fd, &fs) != 0)
		return error_set_errno(error, errno, "%s", boot->path);
	if (!(fs.f_flag & ST_RDONLY))
		return true;
	if (mount(NULL, boot->path, NULL, MOUNT_FLAGS, NULL) != 0)
		return error_set_errno(error, errno, "%s: cannot be made writable", boot->path);
	boot->was_read_only = true;
	return true;
}

bool slot_boot_open(struct slot_boot *boot, const char *path, struct error *error)
{
	*boot = (struct slot_boot){ .path = path };
	boot->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (boot->fd < 0)
		return error_set_errno(error, errno, "%s", path);
	if (lock(boot->fd, path, error) && make_writable(boot, error))
		return true;
	close(boot->fd);
	return false;
}

bool slot_boot_close(struct slot_boot *boot, struct error *error)
{
	bool ok = true;

	if (syncfs(boot->fd) != 0)
		ok = error_set_errno(error, errno, "%s", boot->path);
	if (boot->was_read_only &&
	    mount(NULL, boot->path, NULL, MOUNT_FLAGS | MS_RDONLY, NULL) != 0)
		ok = error_set_errno(error, errno, "%s: stays writable", boot->path);
	close(boot->fd);
	return ok;
}
