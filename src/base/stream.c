#include "base/stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool stream_write(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			bytes = slice_from(bytes, (size_t)n);
	}
	return true;
}

static void give_line(struct stream_lines *lines, stream_line_fn *give, void *arg)
{
	give(arg, (struct slice){ lines->line, lines->len });
	lines->len = 0;
}

void stream_cut(struct stream_lines *lines, struct slice bytes, stream_line_fn *give, void *arg)
{
	while (bytes.len > 0) {
		i64 end = slice_find_char(bytes, '\n');
		size_t len = end < 0 ? bytes.len : (size_t)end;
		size_t room = lines->max - lines->len;
		bool is_whole = end >= 0 && len <= room;

		if (len > room)
			len = room;
		memcpy(lines->line + lines->len, bytes.ptr, len);
		lines->len += len;
		bytes = slice_from(bytes, len + (is_whole ? 1 : 0));
		if (is_whole || (lines->len == lines->max && bytes.len > 0))
			give_line(lines, give, arg);
	}
}

void stream_cut_rest(struct stream_lines *lines, stream_line_fn *give, void *arg)
{
	if (lines->len > 0)
		give_line(lines, give, arg);
}
