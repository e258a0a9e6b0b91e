#include "console/take_in.h"

#include "base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64u << 10)
#define NAME_MAX_BYTES 255

i64 take_in_copy(int from, int to)
{
	char *chunk = malloc(CHUNK);
	i64 count = 0;
	ssize_t n;

	if (!chunk)
		return -1;
	while ((n = read(from, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || !stream_write(to, (struct slice){ chunk, (size_t)n })) {
			count = -1;
			break;
		}
		count += n;
	}
	free(chunk);
	return count;
}

i64 take_in(int folder, const char *name, mode_t mode, bool is_exact)
{
	char beside[NAME_MAX_BYTES + 8];
	i64 count;
	int code;
	int fd;

	snprintf(beside, sizeof(beside), ".%s.part", name);
	fd = openat(folder, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -1;
	count = take_in_copy(STDIN_FILENO, fd);
	if (count >= 0 && ((is_exact && fchmod(fd, mode) != 0) || fsync(fd) != 0 ||
			   renameat(folder, beside, folder, name) != 0 || fsync(folder) != 0))
		count = -1;
	code = errno;
	close(fd);
	if (count < 0)
		unlinkat(folder, beside, 0);
	errno = code;
	return count;
}
