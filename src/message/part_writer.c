#include "message/part_writer.h"

#include "base/text.h"
#include "message/header.h"

#include <string.h>

#define BASE64_LINE 57 /* bytes that make 76 columns (RFC 2045 section 6.8) */
#define FIELD_MAX 8192

void part_boundary_make(char boundary[PART_BOUNDARY_SIZE], const u8 bytes[16])
{
	memcpy(boundary, "=_", 2);
	boundary[2 + base32_encode(boundary + 2, bytes, 16)] = '\0';
}

void part_begin_multipart(struct buf *out, const char *kind, const char *boundary)
{
	buf_add_format(out, "Content-Type: multipart/%s; boundary=\"%s\"\n", kind, boundary);
}

void part_add_boundary(struct buf *out, const char *boundary, bool is_last)
{
	buf_add_format(out, "\n--%s%s\n", boundary, is_last ? "--" : "");
}

static void add_lines(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\r')
			buf_add_char(out, text.ptr[i]);
		else if (i + 1 == text.len || text.ptr[i + 1] != '\n')
			buf_add_char(out, '\n');
	}
}

void part_add_text(struct buf *out, const char *type, struct slice text)
{
	buf_add_format(out, "Content-Type: %s; charset=utf-8\n\n", type);
	add_lines(out, text);
}

/* Fields that end with CRLF, as header_end has it; the message has LF. */
static bool add_field(struct buf *out, struct slice name, struct slice value,
		      const char *parameter, const char *text)
{
	struct header_writer writer;
	struct buf lines;
	bool is_done;

	buf_init(&lines, FIELD_MAX);
	header_begin(&writer, &lines, name, MESSAGE_UTF8);
	header_add_token(&writer, SLICE(" "), value);
	if (text)
		header_add_parameter(&writer, slice_of(parameter), slice_of(text));
	is_done = header_end(&writer) && !lines.failed;
	if (is_done)
		add_lines(out, buf_slice(&lines));
	buf_done(&lines);
	return is_done;
}

static void add_base64(struct buf *out, struct slice bytes)
{
	while (bytes.len > 0) {
		struct slice part = slice_first(bytes, BASE64_LINE);
		char *room = buf_reserve(out, base64_length(part.len));

		if (!room)
			return;
		buf_advance(out, base64_encode(room, part.ptr, part.len));
		buf_add_char(out, '\n');
		bytes = slice_from(bytes, part.len);
	}
}

bool part_add_file(struct buf *out, const struct part_file *file, struct slice bytes)
{
	if (!add_field(out, SLICE("Content-Type"), slice_of(file->type), "name", file->name) ||
	    !add_field(out, SLICE("Content-Disposition"),
		       file->content_id ? SLICE("inline") : SLICE("attachment"), "filename",
		       file->name))
		return false;
	if (file->content_id)
		buf_add_format(out, "Content-ID: <%s>\n", file->content_id);
	buf_add_text(out, "Content-Transfer-Encoding: base64\n\n");
	add_base64(out, bytes);
	return true;
}
