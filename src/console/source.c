#include "console/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (64u << 10)

bool source_files_are_complete(const struct source_files *files)
{
	bool has_body = files->text || files->html;

	return files->whole ? !files->headers && !has_body : files->headers && has_body;
}

/* Reads a whole file; false also when it does not fit the buffer. */
static bool read_file(struct buf *out, const char *path, struct error *error)
{
	const bool is_input = strcmp(path, "-") == 0;
	int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	bool is_done = false;
	ssize_t n;

	if (fd < 0)
		return error_set_errno(error, errno, "cannot read %s", path);
	for (;;) {
		char *room = buf_reserve(out, CHUNK);

		if (!room) {
			error_set(error, "%s: templates have at most %u MiB", path,
				  CONTROL_TEMPLATE_MAX >> 20);
			goto out;
		}
		n = read(fd, room, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_advance(out, (size_t)n);
	}
	if (n < 0)
		error_set_errno(error, errno, "cannot read %s", path);
	else if (out->len == 0)
		error_set(error, "%s is empty", path);
	else
		is_done = true;
out:
	if (!is_input)
		close(fd);
	return is_done;
}

bool source_read(struct source *source, const struct source_files *files, struct error *error)
{
	const char *const paths[CONTROL_DATA_PARTS + 1] = {
		[CONTROL_DATA_WHOLE] = files->whole,
		[CONTROL_DATA_HEADERS] = files->headers,
		[CONTROL_DATA_TEXT] = files->text,
		[CONTROL_DATA_HTML] = files->html,
	};
	u64 total = 0;

	*source = (struct source){ 0 };
	for (size_t tag = 1; tag <= CONTROL_DATA_PARTS; tag++) {
		buf_init(&source->bytes[tag], CONTROL_TEMPLATE_MAX + CHUNK);
		if (!paths[tag])
			continue;
		if (!read_file(&source->bytes[tag], paths[tag], error))
			return false;
		source->parts[tag] = buf_slice(&source->bytes[tag]);
		total += source->parts[tag].len;
		if (total > CONTROL_TEMPLATE_MAX)
			return error_set(error, "%s: templates have at most %u MiB", paths[tag],
					 CONTROL_TEMPLATE_MAX >> 20);
	}
	return true;
}

void source_done(struct source *source)
{
	for (size_t tag = 1; tag <= CONTROL_DATA_PARTS; tag++)
		buf_done(&source->bytes[tag]);
}
