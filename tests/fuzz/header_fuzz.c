/*
 * Any valid UTF-8 text as header text, display name and parameter value: lines stay within their
 * limits and the text reads back. Any bytes as encoded words and as parameters: no harm.
 */
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "message/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(struct slice field)
{
	while (field.len > 0) {
		i64 end = slice_find(field, SLICE("\r\n"));

		ASSERT(end >= 0 && end <= HEADER_LINE_MAX);
		field = slice_from(field, (size_t)end + 2);
		ASSERT(field.len == 0 || field.ptr[0] == ' ' || field.ptr[0] == '\t');
	}
}

static size_t longest_word(struct slice text)
{
	size_t longest = 0;

	while (text.ptr) {
		struct slice word = slice_split(&text, ' ');

		if (word.len > longest)
			longest = word.len;
	}
	return longest;
}

static void check_text(struct slice text)
{
	struct header_writer w;
	struct buf out;
	struct buf flat;
	struct buf back;

	buf_init(&out, 16u << 20);
	buf_init(&flat, 16u << 20);
	buf_init(&back, 16u << 20);
	header_begin(&w, &out, SLICE("X"), MESSAGE_UTF8);
	header_add_text(&w, text);
	ASSERT(header_end(&w));
	check_lines(buf_slice(&out));
	for (size_t i = 2; i < out.len; i++) {
		if (out.ptr[i] != '\r' && out.ptr[i] != '\n')
			buf_add_char(&flat, out.ptr[i]);
	}
	header_decode_words(&back, slice_trim(buf_slice(&flat)));
	ASSERT(slice_equal(buf_slice(&back), slice_trim(text)));

	buf_reset(&out);
	header_begin(&w, &out, SLICE("To"), MESSAGE_UTF8);
	header_add_phrase(&w, text);
	header_add_parameter(&w, SLICE("name"), text);
	/* A word that no line can hold is refused, nothing else is. */
	if (header_end(&w))
		check_lines(buf_slice(&out));
	else
		ASSERT(longest_word(text) > 900);

	buf_reset(&out);
	header_begin(&w, &out, SLICE("X"), MESSAGE_ISO_2022_JP);
	header_add_text(&w, text);
	if (header_end(&w))
		check_lines(buf_slice(&out));
	buf_done(&out);
	buf_done(&flat);
	buf_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct slice rest = text;
	struct header_parameter parameter;
	struct buf out;

	buf_init(&out, 16u << 20);
	header_decode_words(&out, text);
	buf_reset(&out);
	while (header_next_parameter(&rest, &parameter))
		header_unquote(&out, parameter.value);
	buf_done(&out);
	if (utf8_is_valid(text) && slice_find_char(text, '\n') < 0 &&
	    slice_find_char(text, '\r') < 0)
		check_text(text);
	return 0;
}
