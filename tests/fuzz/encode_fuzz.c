/*
 * Transfer encodings, any bytes in any pieces: what is written decodes to the same by a second
 * decoder that follows RFC 2045 literally, and by ours; lines keep what encode.h promises.
 */
#include "base/check.h"
#include "base/text.h"
#include "message/encode.h"

#include <string.h>

#define OUT_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static int slow_hex_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 2045 section 6.7 for text as quoted_add writes it: CRLF line ends come out as LF. */
static void slow_quoted(struct slice in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i++) {
		if (in.ptr[i] == '\r') {
			ASSERT(i + 1 < in.len && in.ptr[++i] == '\n');
			buf_add_char(out, '\n');
		} else if (in.ptr[i] != '=') {
			buf_add_char(out, in.ptr[i]);
		} else if (i + 1 < in.len && in.ptr[i + 1] == '\r') {
			i += 2;
		} else {
			ASSERT(i + 2 < in.len);
			buf_add_char(out, (char)(slow_hex_of(in.ptr[i + 1]) * 16 +
						 slow_hex_of(in.ptr[i + 2])));
			i += 2;
		}
	}
}

static void check_quoted_line(struct slice line)
{
	ASSERT(line.len <= QUOTED_LINE_MAX);
	ASSERT(!slice_has_prefix(line, SLICE("From ")));
	if (line.len == 0)
		return;
	ASSERT(line.ptr[0] != '.' && line.ptr[line.len - 1] != ' ' &&
	       line.ptr[line.len - 1] != '\t');
	for (size_t i = 0; i < line.len; i++)
		ASSERT(line.ptr[i] == '\t' || (line.ptr[i] >= 0x20 && line.ptr[i] <= 0x7e));
}

/* Pieces of `step` bytes, with a soft break here and there, as composing does. */
static void check_quoted(struct slice text, size_t step, bool breaks)
{
	struct buf out;
	struct buf flat;
	struct buf back;
	struct slice rest;
	u32 column = 0;

	buf_init(&out, OUT_MAX);
	buf_init(&flat, OUT_MAX);
	buf_init(&back, OUT_MAX);
	for (size_t at = 0; at < text.len; at += step) {
		quoted_add(&out, &column, slice_first(slice_from(text, at), step));
		ASSERT(column <= QUOTED_LINE_MAX - 1);
		if (breaks && column > 0)
			quoted_add_break(&out, &column);
	}
	slow_quoted(buf_slice(&out), &back);
	ASSERT(slice_equal(buf_slice(&back), text));
	for (size_t i = 0; i < out.len; i++) {
		if (out.ptr[i] != '\r')
			buf_add_char(&flat, out.ptr[i]);
	}
	for (rest = buf_slice(&flat); rest.ptr;)
		check_quoted_line(slice_split(&rest, '\n'));
	ASSERT(quoted_is_tidy(buf_slice(&flat)));
	buf_reset(&back);
	ASSERT(quoted_decode(&back, buf_slice(&flat), 1, NULL));
	ASSERT(slice_equal(buf_slice(&back), text));
	buf_done(&out);
	buf_done(&flat);
	buf_done(&back);
}

/* Any bytes as quoted-printable: no harm; each line of the result has the number it came from. */
static void check_decoding(struct slice text)
{
	struct buf out;
	struct buf lines;
	const u32 *numbers;
	size_t count = 1;

	buf_init(&out, OUT_MAX);
	buf_init(&lines, OUT_MAX);
	if (quoted_decode(&out, text, 7, &lines)) {
		ASSERT(out.len <= text.len);
		numbers = (const u32 *)(const void *)lines.ptr;
		for (size_t i = 0; i < lines.len / sizeof(u32); i++)
			ASSERT(numbers[i] >= 7 && (i == 0 || numbers[i] > numbers[i - 1]));
		for (size_t i = 0; i < out.len; i++)
			count += out.ptr[i] == '\n';
		/* "=0A" makes a line end inside of a line of the source. */
		ASSERT(lines.len / sizeof(u32) <= count);
	} else {
		ASSERT(!quoted_is_tidy(text));
	}
	buf_done(&out);
	buf_done(&lines);
}

static u32 slow_base64_value(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(alphabet, c);

	ASSERT(at && c);
	return (u32)(at - alphabet);
}

/* Bit by bit over the alphabet; line ends and padding left out. */
static void slow_base64(struct slice in, struct buf *out)
{
	u32 bits = 0;
	u32 count = 0;

	for (size_t i = 0; i < in.len; i++) {
		if (in.ptr[i] == '\r' || in.ptr[i] == '\n' || in.ptr[i] == '=')
			continue;
		bits = (bits << 6 | slow_base64_value(in.ptr[i])) & 0xffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_add_char(out, (char)(bits >> count));
		}
	}
}

static void check_base64(struct slice bytes)
{
	struct buf out;
	struct buf back;
	struct slice rest;
	size_t len = 0;

	buf_init(&out, OUT_MAX);
	buf_init(&back, OUT_MAX);
	base64_add_lines(&out, bytes);
	for (rest = buf_slice(&out); rest.ptr;) {
		struct slice line = slice_split(&rest, '\n');

		ASSERT(line.len == (rest.ptr ? 77 : line.len) && line.len <= 77);
		ASSERT(!rest.ptr || line.ptr[76] == '\r');
	}
	slow_base64(buf_slice(&out), &back);
	ASSERT(slice_equal(buf_slice(&back), bytes));
	buf_reset(&back);
	ASSERT(buf_reserve(&back, bytes.len + 3));
	ASSERT(base64_decode(back.ptr, bytes.len + 3, &len, buf_slice(&out)) && len == bytes.len);
	ASSERT(len == 0 || memcmp(back.ptr, bytes.ptr, len) == 0);
	/* Any text as base64: no harm, and never more than its alphabet can carry. */
	if (base64_decode(back.ptr, bytes.len + 3, &len, bytes))
		ASSERT(len <= bytes.len / 4 * 3 + 2);
	buf_done(&out);
	buf_done(&back);
}

static void check_base32(struct slice bytes)
{
	char out[256];
	u8 back[128];
	size_t len = 0;

	bytes = slice_first(bytes, sizeof(back));
	ASSERT(base32_encode(out, bytes.ptr, bytes.len) == base32_length(bytes.len));
	ASSERT(base32_decode(back, sizeof(back), &len,
			     (struct slice){ out, base32_length(bytes.len) }));
	ASSERT(len == bytes.len && (len == 0 || memcmp(back, bytes.ptr, len) == 0));
	if (base32_decode(back, sizeof(back), &len, bytes))
		ASSERT(base32_length(len) == bytes.len);
}

static void check_shape(struct slice text)
{
	struct text_shape shape = text_shape_of(text);
	struct buf crlf;
	size_t ends = 0;

	buf_init(&crlf, OUT_MAX);
	crlf_add(&crlf, text);
	for (size_t i = 0; i < text.len; i++)
		ends += text.ptr[i] == '\n';
	ASSERT(crlf.len == text.len + ends);
	ASSERT(shape.first_line <= shape.longest_line && shape.last_line <= shape.longest_line);
	ASSERT(shape.longest_line <= text.len && shape.dot_lines <= ends + 1);
	buf_done(&crlf);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice text = { (const char *)data, size };

	if (size < 1)
		return 0;
	text = slice_from(text, 1);
	check_quoted(text, SIZE_MAX / 2, false);
	check_quoted(text, (size_t)(data[0] & 127) + 1, data[0] & 128);
	check_decoding(text);
	check_base64(text);
	check_base32(text);
	check_shape(text);
	return 0;
}
