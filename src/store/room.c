#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool room_is_lacking(int code)
{
	return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

int room_allocate(int fd, u64 end)
{
	int rc;

	do {
		rc = fallocate(fd, 0, 0, (off_t)end);
	} while (rc != 0 && errno == EINTR);
	return rc == 0 || errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
}

bool room_of(int fd, struct room *room)
{
	struct statvfs fs;

	*room = (struct room){ 0 };
	if (fstatvfs(fd, &fs) != 0)
		return false;
	room->free = (u64)fs.f_bavail * fs.f_frsize;
	room->size = (u64)fs.f_blocks * fs.f_frsize;
	return true;
}

static bool lacking(const char *directory, u64 bytes, struct error *error)
{
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct room room;

	room_of(fd, &room);
	if (fd >= 0)
		close(fd);
	/* With room in sight it is a quota or a limit that stands in the way. */
	return error_set(error, "%s: no room: %llu bytes are needed, %llu are free%s", directory,
			 (unsigned long long)bytes, (unsigned long long)room.free,
			 room.free >= bytes ? " (a quota or limit?)" : "");
}

bool room_check(const char *directory, u64 bytes, struct error *error)
{
	int fd;
	int code;

	if (bytes == 0)
		return true;
	/* A file without a name: it is gone when it is closed, whatever happens to the process. */
	fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	code = fd < 0 ? errno : room_allocate(fd, bytes);
	if (fd >= 0)
		close(fd);
	return !room_is_lacking(code) || lacking(directory, bytes, error);
}
