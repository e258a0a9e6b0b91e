/* Header fields: encoded words that decode alone, folding, phrases, parameters. */
#include "message/fixture.h"

#include "base/random.h"
#include "base/utf8.h"
#include "message/header.h"
#include "message/japanese.h"

#include <stdio.h>

/* A small decoder of its own: undoes the fold, then the words (UTF-8 only). */
static void unfold_and_decode(struct slice field, struct buf *out)
{
	struct buf line;
	size_t lines = 0;

	buf_init(&line, 1u << 20);
	while (field.len > 0) {
		i64 end = slice_find(field, SLICE("\r\n"));

		assert_true(end >= 0);
		if (end > HEADER_LINE_SOFT)
			assert_true(slice_find(slice_first(field, (size_t)end), SLICE("=?UTF-8?")) <
				    0);
		assert_true(end <= HEADER_LINE_MAX);
		assert_true(slice_trim(slice_first(field, (size_t)end)).len > 0);
		buf_add_slice(&line, slice_first(field, (size_t)end));
		field = slice_from(field, (size_t)end + 2);
		assert_true(field.len == 0 || field.ptr[0] == ' ' || field.ptr[0] == '\t');
		lines++;
	}
	header_decode_words(out, slice_trim(slice_from(buf_slice(&line), 8)));
	buf_done(&line);
}

static void check_words(struct slice field)
{
	for (size_t i = 0; i + 2 < field.len; i++) {
		struct buf decoded;
		i64 end;

		if (!slice_has_prefix(slice_from(field, i), SLICE("=?UTF-8?")))
			continue;
		end = slice_find(slice_from(field, i + 10), SLICE("?="));
		assert_true(end >= 0 && end + 12 <= 75);
		assert_true(i > 0 && strchr(" \t", field.ptr[i - 1]));
		assert_true(strchr(" \t\r", field.ptr[i + 12 + (size_t)end]));
		buf_init(&decoded, 1024);
		header_decode_words(&decoded, (struct slice){ field.ptr + i, 12 + (size_t)end });
		assert_true(decoded.len > 0 && utf8_is_valid(buf_slice(&decoded)));
		assert_false(slice_has_prefix(buf_slice(&decoded), SLICE("=?UTF-8?")) &&
			     decoded.len > 70);
		buf_done(&decoded);
		i += (size_t)end + 11;
	}
}

static void check_text(struct slice text)
{
	struct header_writer w;
	struct buf out;
	struct buf back;

	buf_init(&out, 1u << 20);
	buf_init(&back, 1u << 20);
	header_begin(&w, &out, SLICE("Subject"), MESSAGE_UTF8);
	header_add_text(&w, text);
	assert_true(header_end(&w));
	check_words(buf_slice(&out));
	unfold_and_decode(buf_slice(&out), &back);
	assert_slice(buf_slice(&back), slice_trim(text));
	buf_done(&out);
	buf_done(&back);
}

static void repeat(struct buf *out, const char *text, int count)
{
	for (int i = 0; i < count; i++)
		buf_add_text(out, text);
}

/* P05 */
static void long_subjects_of_multi_byte_characters_decode_word_by_word(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1u << 16);
	repeat(&text, "\xf0\x9f\x98\x80", 40);
	check_text(buf_slice(&text));
	buf_reset(&text);
	repeat(&text, "\xe3\x81\x82", 60);
	check_text(buf_slice(&text));
	buf_reset(&text);
	buf_add_text(&text, "Hello  ");
	repeat(&text, "\xc3\xb6", 50);
	buf_add_text(&text, "  end");
	check_text(buf_slice(&text));
	buf_reset(&text);
	repeat(&text, "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
	       10);
	check_text(buf_slice(&text));
	buf_done(&text);
}

static void random_texts_survive_folding_and_encoding(void **state)
{
	static const char *const pieces[] = { "a",
					      "word",
					      " ",
					      "  ",
					      "\t",
					      "\xc3\xb6",
					      "\xe6\xbc\xa2",
					      "\xf0\x9f\x98\x80",
					      "=?",
					      "?=",
					      "=",
					      "_",
					      "\x01",
					      "\"",
					      ",",
					      "                                        ",
					      "(x)" };
	struct random random;
	struct buf text;

	(void)state;
	random_seed(&random, 1);
	buf_init(&text, 1u << 20);
	for (int i = 0; i < 5000; i++) {
		buf_reset(&text);
		for (u64 n = random_below(&random, 60); n > 0; n--)
			repeat(&text, pieces[random_below(&random, array_count(pieces))],
			       random_below(&random, 50) == 0 ? 300 : 1);
		check_text(buf_slice(&text));
	}
	buf_done(&text);
}

static void a_very_long_word_is_encoded_so_that_no_line_passes_998(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1u << 20);
	repeat(&text, "x", 5000);
	check_text(buf_slice(&text));
	text.len = 900;
	check_text(buf_slice(&text));
	buf_done(&text);
}

static void iso_2022_jp_words_start_and_end_in_ascii(void **state)
{
	struct header_writer w;
	struct buf out;
	struct buf text;

	(void)state;
	buf_init(&out, 1u << 16);
	buf_init(&text, 1u << 16);
	repeat(&text, "\xe6\xbc\xa2\xe5\xad\x97 ab", 30);
	header_begin(&w, &out, SLICE("Subject"), MESSAGE_ISO_2022_JP);
	header_add_text(&w, buf_slice(&text));
	assert_true(header_end(&w));
	for (size_t i = 0; i < out.len; i++) {
		struct slice word = slice_from(buf_slice(&out), i);
		char plain[64];
		size_t len = 0;

		if (!slice_has_prefix(word, SLICE("=?ISO-2022-JP?B?")))
			continue;
		word = slice_first(slice_from(word, 16),
				   (size_t)slice_find(slice_from(word, 16), SLICE("?=")));
		assert_true(word.len + 18 <= 75);
		assert_true(base64_decode(plain, sizeof(plain), &len, word));
		assert_true(len > 0);
		if (memchr(plain, '\x1b', len)) {
			const char *last = plain + len;

			while (*--last != '\x1b')
				;
			assert_memory_equal(last, "\x1b(B", 3);
		}
	}
	buf_done(&out);
	buf_done(&text);
}

static void check_phrase(const char *name, const char *wanted)
{
	struct header_writer w;
	struct buf out;

	buf_init(&out, 1u << 16);
	header_begin(&w, &out, SLICE("To"), MESSAGE_UTF8);
	header_add_phrase(&w, slice_of(name));
	assert_true(header_end(&w));
	assert_string_equal(buf_text(&out), wanted);
	buf_done(&out);
}

static void names_are_atoms_quoted_or_encoded(void **state)
{
	(void)state;
	check_phrase("Taro Yamada", "To: Taro Yamada\r\n");
	check_phrase("Yamada, Taro", "To: \"Yamada, Taro\"\r\n");
	check_phrase("a\"b\\c", "To: \"a\\\"b\\\\c\"\r\n");
	check_phrase("a  b", "To: \"a  b\"\r\n");
	check_phrase("=?x?=", "To: =?UTF-8?B?PT94Pz0=?=\r\n");
	check_phrase("\xc3\xb6", "To: =?UTF-8?B?w7Y=?=\r\n");
}

static void a_very_long_atom_in_a_name_is_encoded_so_that_no_line_passes_998(void **state)
{
	char name[1200];
	struct header_writer w;
	struct buf out;
	struct buf back;

	(void)state;
	memset(name, 'x', sizeof(name));
	buf_init(&out, 1u << 16);
	buf_init(&back, 1u << 16);
	header_begin(&w, &out, SLICE("Subject"), MESSAGE_UTF8);
	header_add_phrase(&w, (struct slice){ name, sizeof(name) });
	assert_true(header_end(&w));
	unfold_and_decode(buf_slice(&out), &back);
	assert_true(slice_equal(buf_slice(&back), (struct slice){ name, sizeof(name) }));
	buf_done(&out);
	buf_done(&back);
}

static void check_parameter(const char *value, const char *wanted)
{
	struct header_writer w;
	struct buf out;

	buf_init(&out, 1u << 16);
	header_begin(&w, &out, SLICE("C"), MESSAGE_UTF8);
	header_add_token(&w, SLICE(" "), SLICE("x"));
	header_add_parameter(&w, SLICE("f"), slice_of(value));
	assert_true(header_end(&w));
	assert_string_equal(buf_text(&out), wanted);
	buf_done(&out);
}

static void parameters_are_tokens_quoted_or_in_rfc_2231_sections(void **state)
{
	(void)state;
	check_parameter("a.txt", "C: x; f=a.txt\r\n");
	check_parameter("a b\".txt", "C: x; f=\"a b\\\".txt\"\r\n");
	check_parameter("", "C: x; f=\"\"\r\n");
	check_parameter("\xe6\x97\xa5.pdf", "C: x; f*=UTF-8''%E6%97%A5.pdf\r\n");
	check_parameter(
		"0123456789012345678901234567890123456789012345678901234567890123456789",
		"C: x; f*0*=UTF-8''0123456789012345678901234567890123456789012345678901234567;"
		"\r\n f*1*=890123456789\r\n");
}

static void encoded_words_are_decoded_and_what_is_none_stays(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "=?utf-8?q?a_b=C3=B6?= =?UTF-8?B?w7Y=?= x", "a b\xc3\xb6\xc3\xb6 x" },
		{ "=?ISO-2022-JP?B?GyRCNEEbKEI=?=", "\xe6\xbc\xa2" },
		{ "=?iso-8859-1*en?q?=E4?=", "\xc3\xa4" },
		{ "=?nonsense?q?x?= y", "=?nonsense?q?x?= y" },
		{ "=?utf-8?q?=FF?=", "=?utf-8?q?=FF?=" },
		{ "=?utf-8?q?=C", "=?utf-8?q?=C" },
		{ "=?", "=?" },
		{ "a =?utf-8?q?b?= c", "a b c" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct buf out;

		buf_init(&out, 1u << 16);
		header_decode_words(&out, slice_of(cases[i].in));
		assert_string_equal(buf_text(&out), cases[i].out);
		buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_subjects_of_multi_byte_characters_decode_word_by_word),
		cmocka_unit_test(random_texts_survive_folding_and_encoding),
		cmocka_unit_test(a_very_long_word_is_encoded_so_that_no_line_passes_998),
		cmocka_unit_test(iso_2022_jp_words_start_and_end_in_ascii),
		cmocka_unit_test(names_are_atoms_quoted_or_encoded),
		cmocka_unit_test(a_very_long_atom_in_a_name_is_encoded_so_that_no_line_passes_998),
		cmocka_unit_test(parameters_are_tokens_quoted_or_in_rfc_2231_sections),
		cmocka_unit_test(encoded_words_are_decoded_and_what_is_none_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
