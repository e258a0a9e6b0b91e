/* Charsets of mail to UTF-8: known texts, every character of the table, and what makes no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/charset.h"
#include "base/random.h"
#include "base/text.h"
#include "base/utf8.h"

#include <iconv.h>
#include <stdio.h>
#include <string.h>

static struct slice decode(struct buf *out, enum charset charset, struct slice bytes)
{
	buf_reset(out);
	charset_decode(out, charset, bytes);
	assert_false(out->failed);
	assert_true(utf8_is_valid(buf_slice(out)));
	assert_true(out->len <= bytes.len * CHARSET_GROWTH);
	return buf_slice(out);
}

static void texts_read_as_they_were_written(void **state)
{
	static const struct {
		enum charset charset;
		struct slice bytes;
		const char *text;
	} cases[] = {
		{ CHARSET_UTF8, SLICE("caf\xc3\xa9 \xe5\xa4\xaa"), "café 太" },
		{ CHARSET_LATIN1, SLICE("caf\xe9 \x80 \x93x\x94"), "café € “x”" },
		{ CHARSET_ISO_2022_JP, SLICE("a \x1b$BB@O:\x1b(B b"), "a 太郎 b" },
		{ CHARSET_ISO_2022_JP, SLICE("\x1b$@B@O:\x1b(J!"), "太郎!" },
		{ CHARSET_ISO_2022_JP, SLICE("\x1b(I6E\x1b(B."), "ｶﾅ." },
		{ CHARSET_ISO_2022_JP, SLICE("\xb6\xc5"), "ｶﾅ" },
		{ CHARSET_ISO_2022_JP, SLICE("\x1b$B-!\x1b(B"), "①" },
		{ CHARSET_ISO_2022_JP, SLICE("\x1b$BB@\nabc"), "太\nabc" }, /* left open at a line's end */
		{ CHARSET_ISO_2022_JP, SLICE("\x1b$BB@ O:\x1b(B"), "太 郎" },
		{ CHARSET_ISO_2022_JP, SLICE("\x1b$(D\"\"\x1b(Bx"), "\xef\xbf\xbdx" }, /* JIS X 0212 */
		{ CHARSET_ISO_2022_JP, SLICE("\x1b" "c\x1b$"), "\x1b" "c\x1b$" },
		{ CHARSET_SHIFT_JIS, SLICE("\x91\xbe\x98Y \xb6\xc5 \x87\x40"), "太郎 ｶﾅ ①" },
		{ CHARSET_SHIFT_JIS, SLICE("\xfb\xfc \xee\xe0"), "髙 髙" }, /* two places for one */
		{ CHARSET_SHIFT_JIS, SLICE("\x83\x5c\x95\x5c"), "ソ表" }, /* backslashes as second octets */
		{ CHARSET_EUC_JP, SLICE("\xc2\xc0\xcf\xba \x8e\xb6 \xad\xa1"), "太郎 ｶ ①" },
		{ CHARSET_NONE, SLICE("a\xff\xc3\xa9"), "a\xef\xbf\xbd" "é" },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < array_count(cases); i++) {
		struct slice text = decode(&out, cases[i].charset, cases[i].bytes);

		if (!slice_equal(text, slice_of(cases[i].text)))
			fail_msg("case %zu is \"%.*s\"", i, SLICE_FMT(text));
	}
	buf_done(&out);
}

static void what_makes_no_sense_hides_nothing_around_it(void **state)
{
	static const struct {
		enum charset charset;
		struct slice bytes;
	} cases[] = {
		{ CHARSET_SHIFT_JIS, SLICE("\x81") },	       { CHARSET_SHIFT_JIS, SLICE("\x81\n550 x") },
		{ CHARSET_SHIFT_JIS, SLICE("\xfd\xfe\xff x") }, { CHARSET_EUC_JP, SLICE("\xa4") },
		{ CHARSET_EUC_JP, SLICE("\xa4\n550") },	       { CHARSET_EUC_JP, SLICE("\x8f\xb0 x") },
		{ CHARSET_UTF8, SLICE("\xe3\x81 550") },
		{ CHARSET_ISO_2022_JP, SLICE("\x1b$B!\n550") },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < array_count(cases); i++) {
		struct slice text = decode(&out, cases[i].charset, cases[i].bytes);
		i64 line = slice_find_char(cases[i].bytes, '\n');

		assert_true(slice_find(text, SLICE("\xef\xbf\xbd")) >= 0);
		/* A line end and all behind it survive. */
		if (line >= 0)
			assert_true(slice_find(text, slice_from(cases[i].bytes, (size_t)line)) >= 0);
	}
	buf_done(&out);
}

/* What libc makes of it, or an empty slice. */
static struct slice by_libc(iconv_t converter, const u8 *bytes, size_t len, char out[16])
{
	char in[4];
	char *from = in;
	char *to = out;
	size_t in_left = len;
	size_t out_left = 16;

	memcpy(in, bytes, len);
	iconv(converter, NULL, NULL, NULL, NULL);
	if (iconv(converter, &from, &in_left, &to, &out_left) == (size_t)-1 || in_left > 0)
		return SLICE("");
	return (struct slice){ out, 16 - out_left };
}

static void characters_of_two_octets_are_those_of_libc(void **state)
{
	static const struct {
		enum charset charset;
		const char *name;
		u32 least;
	} cases[] = { { CHARSET_SHIFT_JIS, "CP932", 7700 }, { CHARSET_EUC_JP, "EUC-JP-MS", 6900 } };
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	for (size_t i = 0; i < array_count(cases); i++) {
		iconv_t converter = iconv_open("UTF-8", cases[i].name);
		u32 same = 0;

		assert_true(converter != (iconv_t)-1);
		for (u32 code = 0x8140; code < 0x10000; code++) {
			u8 bytes[2] = { (u8)(code >> 8), (u8)code };
			char room[16];
			struct slice theirs = by_libc(converter, bytes, 2, room);
			struct slice ours =
				decode(&out, cases[i].charset, (struct slice){ (char *)bytes, 2 });
			u32 unicode = 0;

			if (slice_find(ours, SLICE("\xef\xbf\xbd")) >= 0 || theirs.len == 0)
				continue;
			utf8_decode(theirs, &unicode);
			if (unicode >= 0xe000 && unicode < 0xf900) /* everybody's own */
				continue;
			if (!slice_equal(ours, theirs))
				fail_msg("%s: %04x is %.*s, not %.*s (U+%04X)", cases[i].name, code,
					 SLICE_FMT(ours), SLICE_FMT(theirs), unicode);
			same++;
		}
		assert_in_range(same, cases[i].least, 20000);
		iconv_close(converter);
	}
	buf_done(&out);
}

static void a_charset_is_known_by_its_names_and_guessed_without(void **state)
{
	static const struct {
		const char *named;
		struct slice bytes;
		enum charset charset;
	} cases[] = {
		{ "UTF-8", SLICE("x"), CHARSET_UTF8 },
		{ "us-ascii", SLICE("\x1b$BB@\x1b(B"), CHARSET_ISO_2022_JP },
		{ "", SLICE("\x1b$BB@\x1b(B"), CHARSET_ISO_2022_JP },
		{ "Iso-2022-JP", SLICE("x"), CHARSET_ISO_2022_JP },
		{ "Windows-31J", SLICE("x"), CHARSET_SHIFT_JIS },
		{ "iso-8859-1", SLICE("\x1b$B"), CHARSET_LATIN1 },
		{ "", SLICE("\x83\x5c\x95\x5c"), CHARSET_SHIFT_JIS },
		{ "us-ascii", SLICE("\xc2\xc0\xcf\xba"), CHARSET_EUC_JP },
		{ "", SLICE("\xe5\xa4\xaa"), CHARSET_UTF8 },
		{ "x-unknown", SLICE("\xff"), CHARSET_NONE },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++)
		assert_int_equal(charset_guess(charset_of(slice_of(cases[i].named)), cases[i].bytes),
				 cases[i].charset);
}

static void any_octets_give_text_within_the_promised_length(void **state)
{
	struct random random;
	struct buf out;

	(void)state;
	random_seed(&random, 5);
	buf_init(&out, 1000);
	for (u32 round = 0; round < 20000; round++) {
		char bytes[24];
		size_t len = random_below(&random, sizeof(bytes));

		for (size_t i = 0; i < len; i++)
			bytes[i] = random_below(&random, 4) ? (char)random_below(&random, 256)
							    : "\x1b$B(I\n"[random_below(&random, 6)];
		for (u32 charset = 0; charset <= CHARSET_EUC_JP; charset++)
			decode(&out, (enum charset)charset, (struct slice){ bytes, len });
	}
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_read_as_they_were_written),
		cmocka_unit_test(what_makes_no_sense_hides_nothing_around_it),
		cmocka_unit_test(characters_of_two_octets_are_those_of_libc),
		cmocka_unit_test(a_charset_is_known_by_its_names_and_guessed_without),
		cmocka_unit_test(any_octets_give_text_within_the_promised_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
