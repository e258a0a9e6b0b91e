#include "message/encode.h"

#include "base/text.h"

#include <string.h>

static bool is_quoted_safe(u8 c)
{
	return c >= 0x21 && c <= 0x7e && c != '=';
}

/* Whether a line that starts with s looks like, or may grow into, an mbox separator. */
static bool may_become_from(struct slice s)
{
	return slice_has_prefix(SLICE("From "), slice_first(s, 5)) && s.len > 0;
}

void quoted_add_break(struct buf *out, u32 *column)
{
	buf_add(out, "=\r\n", 3);
	*column = 0;
}

/* Length of the run that can be copied as it is; it ends before any white space. */
static size_t safe_run(struct slice text, size_t room)
{
	size_t n = 0;

	while (n < text.len && n < room && is_quoted_safe((u8)text.ptr[n]))
		n++;
	return n;
}

void quoted_add(struct buf *out, u32 *column, struct slice text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t at = 0;

	while (at < text.len && !out->failed) {
		struct slice rest = { text.ptr + at, text.len - at };
		u8 c = (u8)rest.ptr[0];
		bool blank = c == ' ' || c == '\t';
		bool plain = is_quoted_safe(c) || (blank && rest.len > 1 && rest.ptr[1] != '\n');

		if (c == '\n') {
			buf_add(out, "\r\n", 2);
			*column = 0;
			at++;
			continue;
		}
		if (*column + (plain ? 1 : 3) > QUOTED_LINE_MAX - 1)
			quoted_add_break(out, column);
		if (*column == 0 && (c == '.' || may_become_from(rest)))
			plain = false;
		if (plain) {
			size_t run = 1;

			if (!blank)
				run = safe_run(rest, QUOTED_LINE_MAX - 1 - *column);
			buf_add(out, rest.ptr, run);
			*column += (u32)run;
			at += run;
			continue;
		}
		buf_add(out, (char[]){ '=', hex[c >> 4], hex[c & 15] }, 3);
		*column += 3;
		at++;
	}
}

static void add_line_number(struct buf *lines, u32 line)
{
	if (lines)
		buf_add(lines, &line, sizeof(line));
}

bool quoted_decode(struct buf *out, struct slice in, u32 line, struct buf *lines)
{
	struct slice rest = in;

	add_line_number(lines, line);
	while (rest.ptr) {
		struct slice text = slice_split(&rest, '\n');
		bool soft = false;

		/* White space at the end of an encoded line was added on the way (RFC 2045 6.7
		 * (3)). */
		while (text.len > 0 &&
		       (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
			text.len--;
		for (size_t i = 0; i < text.len; i++) {
			int high;
			int low;

			if (text.ptr[i] != '=') {
				buf_add_char(out, text.ptr[i]);
				continue;
			}
			if (i + 1 == text.len) {
				soft = true;
				break;
			}
			high = ascii_hex_value(text.ptr[i + 1]);
			low = i + 2 < text.len ? ascii_hex_value(text.ptr[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			buf_add_char(out, (char)(high << 4 | low));
			i += 2;
		}
		line++;
		if (rest.ptr && !soft) {
			buf_add_char(out, '\n');
			add_line_number(lines, line);
		}
	}
	return true;
}

bool quoted_is_tidy(struct slice in)
{
	struct slice rest = in;

	while (rest.ptr) {
		struct slice line = slice_split(&rest, '\n');

		if (line.len > QUOTED_LINE_MAX || (line.len > 0 && line.ptr[0] == '.') ||
		    slice_has_prefix(line, SLICE("From ")))
			return false;
		if (line.len > 0 &&
		    (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t'))
			return false;
		for (size_t i = 0; i < line.len; i++) {
			u8 c = (u8)line.ptr[i];

			if (c > 0x7e || (c < 0x20 && c != '\t'))
				return false;
			if (c == '=' && i + 1 < line.len &&
			    (i + 2 >= line.len || ascii_hex_value(line.ptr[i + 1]) < 0 ||
			     ascii_hex_value(line.ptr[i + 2]) < 0))
				return false;
		}
	}
	return true;
}

void base64_add_lines(struct buf *out, struct slice bytes)
{
	for (size_t at = 0; at < bytes.len; at += 57) {
		size_t n = min_size(57, bytes.len - at);
		char *room = buf_reserve(out, base64_length(n) + 2);

		if (!room)
			return;
		if (at > 0) {
			*room++ = '\r';
			*room++ = '\n';
		}
		base64_encode(room, bytes.ptr + at, n);
		buf_advance(out, base64_length(n) + (at > 0 ? 2 : 0));
	}
}

struct text_shape text_shape_of(struct slice text)
{
	struct text_shape shape = { .ascii = true };
	struct slice rest = text;
	bool first = true;

	while (rest.ptr) {
		struct slice line = slice_split(&rest, '\n');

		if (first)
			shape.first_line = line.len;
		first = false;
		shape.last_line = line.len;
		if (line.len > shape.longest_line)
			shape.longest_line = line.len;
		shape.dot_lines += line.len > 0 && line.ptr[0] == '.';
		shape.from_line |= slice_has_prefix(line, SLICE("From "));
		for (size_t i = 0; i < line.len; i++) {
			u8 c = (u8)line.ptr[i];

			shape.ascii &= c < 0x80;
			shape.controls |= (c < 0x20 && c != '\t' && c != '\x1b') || c == 0x7f;
		}
	}
	return shape;
}

void crlf_add(struct buf *out, struct slice text)
{
	struct slice rest = text;

	while (rest.ptr) {
		buf_add_slice(out, slice_split(&rest, '\n'));
		if (rest.ptr)
			buf_add(out, "\r\n", 2);
	}
}
