#include "init/kernel_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct slice kernel_file_read(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return SLICE_NONE;
	n = read(fd, to, size);
	close(fd);
	while (n > 0 && to[n - 1] == '\n')
		n--;
	return n > 0 ? (struct slice){ to, (size_t)n } : SLICE_NONE;
}

bool kernel_file_write(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t put;
	int code;

	if (fd < 0)
		return false;
	put = write(fd, text, len);
	code = put < 0 ? errno : EIO;
	close(fd);
	errno = code;
	return put == (ssize_t)len;
}
