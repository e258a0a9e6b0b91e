#include "web/upload.h"

#include "base/durable.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "uploads"
#define PREFIX "upload-"

bool upload_open(struct upload *upload, const char *audience, struct error *error)
{
	int len = snprintf(upload->path, sizeof(upload->path), "%s/" FOLDER "/" PREFIX "XXXXXX",
			   audience);

	upload->size = 0;
	upload->fd = -1;
	if (len < 0 || (size_t)len >= sizeof(upload->path)) {
		upload->path[0] = '\0';
		return error_set(error, "%s: too long a path", audience);
	}
	upload->fd = mkostemp(upload->path, O_CLOEXEC);
	if (upload->fd >= 0)
		return true;
	error_set_errno(error, errno, "%s", upload->path);
	upload->path[0] = '\0';
	return false;
}

bool upload_add(struct upload *upload, struct slice bytes, struct error *error)
{
	while (bytes.len > 0) {
		ssize_t written = write(upload->fd, bytes.ptr, bytes.len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_set_errno(error, written < 0 ? errno : ENOSPC, "%s",
					       upload->path);
		upload->size += (u64)written;
		bytes = slice_from(bytes, (size_t)written);
	}
	return true;
}

void upload_drop(struct upload *upload)
{
	if (!upload_is_open(upload))
		return;
	unlink(upload->path);
	if (upload->fd >= 0)
		close(upload->fd);
	*upload = (struct upload){ .fd = -1 };
}

bool upload_keep(struct upload *upload, const char *path, struct error *error)
{
	bool is_kept = fsync(upload->fd) == 0 || error_set_errno(error, errno, "%s", upload->path);

	if (!is_kept || !durable_rename(upload->path, path, error)) {
		upload_drop(upload);
		return false;
	}
	close(upload->fd);
	*upload = (struct upload){ .fd = -1 };
	return true;
}

bool upload_prepare(const char *audience, struct error *error)
{
	char path[UPLOAD_PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/" FOLDER, audience);
	if (!durable_folder(path, error))
		return false;
	dir = opendir(path);
	if (!dir)
		return error_set_errno(error, errno, "%s", path);
	while ((entry = readdir(dir))) {
		if (slice_has_prefix(slice_of(entry->d_name), SLICE(PREFIX)))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
	return true;
}
