/* Quoted-printable, base64, ISO-2022-JP, UTF-8. */
#include "message/fixture.h"

#include "base/random.h"
#include "base/utf8.h"
#include "message/encode.h"
#include "message/japanese.h"

#include <stdio.h>

/* Decodes by the letter of RFC 2045, apart from the product's own decoder. */
static void plain_decode(struct slice in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i++) {
		unsigned value;

		if (in.ptr[i] == '=' && in.ptr[i + 1] == '\r') {
			i += 2;
		} else if (in.ptr[i] == '=') {
			char hex[3] = { in.ptr[i + 1], in.ptr[i + 2], '\0' };

			assert_int_equal(sscanf(hex, "%2X", &value), 1);
			buf_add_char(out, (char)value);
			i += 2;
		} else if (in.ptr[i] != '\r') {
			buf_add_char(out, in.ptr[i]);
		}
	}
}

static void check_lines(struct slice in)
{
	while (in.ptr) {
		struct slice line = slice_split(&in, '\n');

		if (in.ptr) {
			assert_true(line.len > 0 && line.ptr[line.len - 1] == '\r');
			line.len--;
		}
		assert_true(line.len <= QUOTED_LINE_MAX);
		assert_false(slice_has_prefix(line, SLICE("From ")));
		assert_false(line.len > 0 && line.ptr[0] == '.');
		assert_false(line.len > 0 && strchr(" \t", line.ptr[line.len - 1]));
	}
}

static void quoted_printable_of_random_pieces_decodes_to_the_whole(void **state)
{
	static const char *const pieces[] = {
		"F",  "ro", "m ", "From ",    ".",    " ",
		"\t", "\n", "=",  "\xc3\xa4", "text", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"\r"
	};
	struct random random;
	struct buf text;
	struct buf coded;
	struct buf back;

	(void)state;
	random_seed(&random, 2);
	buf_init(&text, 1u << 20);
	buf_init(&coded, 1u << 20);
	buf_init(&back, 1u << 20);
	for (int i = 0; i < 20000; i++) {
		u32 column = 0;

		buf_reset(&text);
		buf_reset(&coded);
		buf_reset(&back);
		for (u64 n = random_below(&random, 30); n > 0; n--) {
			struct slice piece =
				slice_of(pieces[random_below(&random, array_count(pieces))]);

			buf_add_slice(&text, piece);
			quoted_add(&coded, &column, piece);
			assert_true(column <= QUOTED_LINE_MAX - 1);
		}
		check_lines(buf_slice(&coded));
		plain_decode(buf_slice(&coded), &back);
		assert_slice(buf_slice(&back), buf_slice(&text));
	}
	buf_done(&text);
	buf_done(&coded);
	buf_done(&back);
}

static void a_decoded_text_knows_its_source_lines(void **state)
{
	struct buf out;
	struct buf lines;
	const u32 *numbers;

	(void)state;
	buf_init(&out, 1024);
	buf_init(&lines, 1024);
	assert_true(quoted_decode(&out, SLICE(" a=\nb \nc=3D=20=\n=\nd\ne"), 10, &lines));
	assert_string_equal(buf_text(&out), " ab\nc= d\ne");
	numbers = (const u32 *)(void *)lines.ptr;
	assert_int_equal(lines.len, 3 * sizeof(u32));
	assert_int_equal(numbers[0], 10);
	assert_int_equal(numbers[1], 12);
	assert_int_equal(numbers[2], 15);
	assert_false(quoted_decode(&out, SLICE("=G0"), 1, NULL));
	assert_false(quoted_decode(&out, SLICE("=1"), 1, NULL));
	buf_done(&out);
	buf_done(&lines);
}

static void base64_lines_have_76_columns_and_no_end(void **state)
{
	char bytes[200];
	struct buf out;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	buf_init(&out, 4096);
	base64_add_lines(&out, (struct slice){ bytes, 57 });
	assert_int_equal(out.len, 76);
	buf_reset(&out);
	base64_add_lines(&out, (struct slice){ bytes, 58 });
	assert_int_equal(out.len, 76 + 2 + 4);
	assert_memory_equal(out.ptr + 76, "\r\nAA==", 6);
	buf_done(&out);
}

static void check_japanese(const char *utf8, const char *wanted)
{
	struct buf out;
	u32 bad = 0;

	buf_init(&out, 1024);
	if (!japanese_encode(&out, slice_of(utf8), &bad))
		fail_msg("%s: U+%04X", utf8, bad);
	assert_string_equal(buf_text(&out), wanted);
	buf_done(&out);
}

static void half_width_kana_become_full_width_with_their_marks(void **state)
{
	(void)state;
	/* ｶﾞﾊﾟｳﾞｱ -> ガパヴア */
	check_japanese("\xef\xbd\xb6\xef\xbe\x9e\xef\xbe\x8a\xef\xbe\x9f\xef\xbd\xb3\xef\xbe\x9e"
		       "\xef\xbd\xb1",
		       "\x1b$B%,%Q%t%\"\x1b(B");
	/* か and U+3099, as some systems decompose file names and input: が */
	check_japanese("\xe3\x81\x8b\xe3\x82\x99", "\x1b$B$,\x1b(B");
	/* A mark behind what takes none stands alone. */
	check_japanese("\xef\xbd\xb1\xef\xbe\x9e", "\x1b$B%\"!+\x1b(B");
	/* The full-width tilde that Windows types is the wave dash. */
	check_japanese("\xef\xbd\x9e\xe3\x80\x9c", "\x1b$B!A!A\x1b(B");
	check_japanese("a\nb", "a\nb");
	check_japanese("\xe3\x81\x82\n\xe3\x81\x82", "\x1b$B$\"\x1b(B\n\x1b$B$\"\x1b(B");
}

static void characters_outside_the_charset_are_reported(void **state)
{
	static const struct {
		const char *text;
		u32 code;
	} cases[] = { { "a\xe2\x91\xa0", 0x2460 },
		      { "\xe9\xab\x99", 0x9ad9 },
		      { "\xc3\xa4", 0xe4 },
		      { "\xf0\x9f\x98\x80", 0x1f600 },
		      { "\xef\xa8\x91", 0xfa11 } };
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	for (size_t i = 0; i < array_count(cases); i++) {
		u32 bad = 0;

		assert_false(japanese_encode(&out, slice_of(cases[i].text), &bad));
		assert_int_equal(bad, cases[i].code);
		assert_non_null(japanese_advice(bad));
	}
	buf_done(&out);
}

static void what_fits_never_passes_the_room_and_ends_between_characters(void **state)
{
	static const char text[] = "ab\xe6\xbc\xa2\xe5\xad\x97 c\xef\xbd\xb6\xef\xbe\x9e";
	struct slice s = { text, sizeof(text) - 1 };
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	for (size_t room = 0; room < 40; room++) {
		size_t n = japanese_fit(s, room);
		u32 bad;

		buf_reset(&out);
		assert_true(japanese_encode(&out, slice_first(s, n), &bad));
		assert_true(out.len <= room);
		assert_true(utf8_is_valid(slice_first(s, n)));
	}
	assert_int_equal(japanese_fit(s, 40), s.len);
	buf_done(&out);
}

static void utf8_refuses_what_rfc_3629_refuses(void **state)
{
	static const struct slice bad[] = { SLICE("\x80"),
					    SLICE("\xc0\x80"),
					    SLICE("\xc1\xbf"),
					    SLICE("\xe0\x80\x80"),
					    SLICE("\xed\xa0\x80"),
					    SLICE("\xf0\x80\x80\x80"),
					    SLICE("\xf4\x90\x80\x80"),
					    SLICE("\xf5\x80\x80\x80"),
					    SLICE("\xe3\x81"),
					    SLICE("\xff"),
					    SLICE("aaaaaaaaaaaa\xc3") };

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++)
		assert_false(utf8_is_valid(bad[i]));
	for (u32 code = 1; code < 0x110000; code += code < 0x3000 ? 1 : 97) {
		char bytes[4];
		u32 back = 0;
		size_t len;

		if (code >= 0xd800 && code < 0xe000)
			continue;
		len = utf8_encode(bytes, code);
		assert_int_equal(utf8_decode((struct slice){ bytes, len }, &back), len);
		assert_int_equal(back, code);
		for (size_t cut = 0; cut < len; cut++)
			assert_int_equal(utf8_decode((struct slice){ bytes, cut }, &back), 0);
		if (utf8_lower(code) != code)
			assert_int_equal(utf8_upper(utf8_lower(code)), code);
	}
	assert_int_equal(utf8_find_bad(SLICE("abcdefghijk\xff")), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quoted_printable_of_random_pieces_decodes_to_the_whole),
		cmocka_unit_test(a_decoded_text_knows_its_source_lines),
		cmocka_unit_test(base64_lines_have_76_columns_and_no_end),
		cmocka_unit_test(half_width_kana_become_full_width_with_their_marks),
		cmocka_unit_test(characters_outside_the_charset_are_reported),
		cmocka_unit_test(what_fits_never_passes_the_room_and_ends_between_characters),
		cmocka_unit_test(utf8_refuses_what_rfc_3629_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
