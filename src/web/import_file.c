#include "web/import_file.h"

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PREFIX "import-"
#define GUESS_BYTES (32u << 20) /* so much is looked at, which takes some tens of ms */
#define GUESS_CHUNK (32u << 10)

bool import_file_path(char out[UPLOAD_PATH_MAX], const char *audience, struct slice name)
{
	int len = snprintf(out, UPLOAD_PATH_MAX, "%s/uploads/%.*s", audience, SLICE_FMT(name));

	return len > 0 && len < UPLOAD_PATH_MAX;
}

static bool guess_file(int fd, struct import_guess *guess, struct error *error)
{
	char chunk[GUESS_CHUNK];

	import_guess_init(guess);
	while (guess->bytes < GUESS_BYTES) {
		ssize_t len = pread(fd, chunk, sizeof(chunk), (off_t)guess->bytes);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return error_set_errno(error, errno, "the file that was uploaded");
		if (len == 0)
			break;
		import_guess_feed(guess, (struct slice){ chunk, (size_t)len });
	}
	return true;
}

bool import_file_keep(struct upload *upload, const char *audience,
		      char name[IMPORT_FILE_NAME_SIZE], struct import_guess *guess,
		      struct error *error)
{
	char path[UPLOAD_PATH_MAX];
	char digits[32];
	u8 number[16];
	int fd;

	random_bytes(number, sizeof(number));
	hex_encode(digits, number, sizeof(number));
	snprintf(name, IMPORT_FILE_NAME_SIZE, PREFIX "%.32s", digits);
	fd = open(upload->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !guess_file(fd, guess, error) ||
	    !import_file_path(path, audience, slice_of(name))) {
		if (fd < 0)
			error_set_errno(error, errno, "%s", upload->path);
		else
			close(fd);
		upload_drop(upload);
		return false;
	}
	close(fd);
	return upload_keep(upload, path, error);
}

void import_file_delete(const char *audience, struct slice name)
{
	char path[UPLOAD_PATH_MAX];

	if (name.len > 0 && import_file_path(path, audience, name) && unlink(path) != 0 &&
	    errno != ENOENT)
		log_warn("web", "a file that was uploaded stays", "path=%s errno=%d", path, errno);
}

void import_file_sweep(const char *audience, bool (*is_wanted)(void *owner, struct slice name),
		       void *owner)
{
	char path[UPLOAD_PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (!import_file_path(path, audience, SLICE("")) || !(dir = opendir(path)))
		return;
	while ((entry = readdir(dir))) {
		struct slice name = slice_of(entry->d_name);

		if (slice_has_prefix(name, SLICE(PREFIX)) && !is_wanted(owner, name))
			import_file_delete(audience, name);
	}
	closedir(dir);
}
