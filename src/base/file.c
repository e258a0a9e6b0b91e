#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* At most `size` bytes; 0, or the errno. */
static int read_whole(int fd, char *to, size_t size, size_t *len)
{
	ssize_t got = 1;

	*len = 0;
	while (got > 0 && *len < size) {
		got = read(fd, to + *len, size - *len);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			*len += (size_t)got;
	}
	return got < 0 ? errno : 0;
}

bool file_read(const char *path, size_t max, struct slice *text, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int code = fd < 0 ? errno : 0;
	char *bytes = NULL;
	size_t len = 0;

	if (code == 0)
		bytes = malloc(max + 1);
	if (bytes)
		code = read_whole(fd, bytes, max + 1, &len);
	if (fd >= 0)
		close(fd);
	if (bytes && code == 0) {
		*text = (struct slice){ bytes, len };
		return true;
	}
	free(bytes);
	if (code == 0)
		error_set(error, "%s: out of memory", path);
	else
		error_set_errno(error, code, "%s", path);
	errno = code != 0 ? code : ENOMEM;
	return false;
}
