#include "console/key_file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The folder's, since the file is another one after each change. -1: errno says. */
static int lock_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[512];
	int fd;

	if (!slice_copy(folder, sizeof(folder),
			slash ? (struct slice){ path, (size_t)(slash - path) + 1 } : SLICE("."))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (flock(fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		close(fd);
		return -1;
	}
	return fd;
}

bool key_file_open(struct console *console, struct key_file *file, int *code)
{
	char path[CONSOLE_PATH_SIZE];
	struct error error;

	*code = CONSOLE_FAILED;
	if (!config_read(&file->config, console_config_path(console, path), &error)) {
		console_fail_error(console, CONSOLE_FAILED, &error);
		return false;
	}
	file->lock = lock_folder(file->config.web.api_keys);
	if (file->lock < 0)
		error_set_errno(&error, errno, "the folder of %s", file->config.web.api_keys);
	else if (api_keys_read(&file->keys, file->config.web.api_keys, &error))
		return true;
	console_fail_error(console, CONSOLE_FAILED, &error);
	key_file_close(file);
	return false;
}

bool key_file_write(struct key_file *file, struct error *error)
{
	return api_keys_write(&file->keys, file->config.web.api_keys, error);
}

void key_file_close(struct key_file *file)
{
	if (file->lock >= 0)
		close(file->lock);
	config_free(&file->config);
}
