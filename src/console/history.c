#include "console/history.h"

#include "base/text.h"
#include "console/link.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX (256 * 1024) /* then the older half goes */

void history_path(char path[CONSOLE_PATH_SIZE])
{
	const char *home = getenv("HOME");

	path[0] = '\0';
	if (link_has_init())
		console_etc_path("console-history", path);
	else if (home && *home)
		snprintf(path, CONSOLE_PATH_SIZE, "%.400s/.hikyaku-history", home);
}

/* The whole file, read once; NULL: none. The caller frees it. */
static char *read_whole(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *bytes = malloc(2 * BYTES_MAX);
	ssize_t n;

	*len = 0;
	while (bytes && fd >= 0 && *len < 2 * BYTES_MAX - 1 &&
	       (n = read(fd, bytes + *len, 2 * BYTES_MAX - 1 - *len)) > 0)
		*len += (size_t)n;
	if (fd >= 0)
		close(fd);
	if (bytes)
		bytes[*len] = '\0';
	return bytes;
}

void history_read(const char *path, void (*on_line)(void *arg, const char *line), void *arg)
{
	size_t len;
	char *bytes = read_whole(path, &len);
	char *at = bytes;
	u32 lines = 0;

	for (size_t i = 0; bytes && i < len; i++)
		lines += bytes[i] == '\n';
	while (at && *at) {
		char *end = strchr(at, '\n');

		if (!end)
			break;
		*end = '\0';
		if (lines <= HISTORY_LINES && *at)
			on_line(arg, at);
		lines--;
		at = end + 1;
	}
	free(bytes);
}

bool history_is_kept(const char *line)
{
	const char *scheme = strstr(line, "://");
	const char *at = scheme ? strchr(scheme, '@') : NULL;

	if (*line == ' ' || *line == '\0' || strchr(line, '\n'))
		return false;
	/* https://user:password@host/... */
	return !at || strcspn(scheme + 3, "/ ") < (size_t)(at - scheme - 3);
}

static void cut(const char *path)
{
	size_t len;
	char *bytes = read_whole(path, &len);
	const char *half = bytes ? memchr(bytes + len / 2, '\n', len - len / 2) : NULL;
	char temporary[CONSOLE_PATH_SIZE + 8];
	bool is_written;
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	fd = half ? open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)
		  : -1;
	if (fd >= 0) {
		size_t rest = len - (size_t)(half + 1 - bytes);

		is_written = write(fd, half + 1, rest) == (ssize_t)rest;
		close(fd);
		if (!is_written || rename(temporary, path) < 0)
			unlink(temporary);
	}
	free(bytes);
}

void history_add(const char *path, const char *line)
{
	struct stat info;
	char text[8192];
	int n = snprintf(text, sizeof(text), "%s\n", line);
	int fd;

	if (!*path || n < 0 || (size_t)n >= sizeof(text))
		return;
	if (stat(path, &info) == 0 && info.st_size > BYTES_MAX)
		cut(path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	/* One write: lines of two consoles do not mix. A full disk loses a line, no more. */
	if (write(fd, text, (size_t)n) < 0)
		text[0] = '\0';
	close(fd);
}
