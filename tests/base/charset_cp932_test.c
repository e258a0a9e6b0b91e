/* What charset.h promises of writing CP932. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/charset.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

static void must_become(const char *text, const char *bytes)
{
	struct buf out;

	buf_init(&out, 1000);
	charset_encode_cp932(&out, (struct slice){ text, strlen(text) });
	assert_string_equal(buf_text(&out), bytes);
	buf_done(&out);
}

static void japanese_becomes_what_windows_writes(void **state)
{
	(void)state;
	must_become("Mori 森鷗外", "Mori \x90\x58?\x8a\x4f");
	must_become("髙﨑①㈱", "\xfb\xfc\xfa\xb1\x87\x40\x87\x8a"); /* IBM's, and row 13 */
	must_become("～〜−－∥", "\x81\x60\x81\x60\x81\x7c\x81\x7c\x81\x61");
	must_become("ｱｲｳﾞ", "\xb1\xb2\xb3\xde");
	must_become("∵¬≒", "\x81\xe6\x81\xca\x81\xe0"); /* of three or two places the first */
	must_become("é😀", "??");
	must_become("", "");
	must_become("a\xff", "a?");
}

static void what_can_be_written_reads_as_itself(void **state)
{
	u32 written = 0;

	(void)state;
	for (u32 code = 0x80; code < 0x10000; code++) {
		char bytes[4];
		struct buf out;
		struct buf back;
		size_t len;

		if (code >= 0xd800 && code < 0xe000)
			continue;
		len = utf8_encode(bytes, code);
		buf_init(&out, 16);
		buf_init(&back, 16);
		charset_encode_cp932(&out, (struct slice){ bytes, len });
		if (out.len > 1 || out.ptr[0] != '?') {
			written++;
			charset_decode(&back, CHARSET_SHIFT_JIS, buf_slice(&out));
			/* Signs for which Unicode has two read as Windows means them. */
			if (code != 0x301c && code != 0x2016 && code != 0x2212 && code != 0x2014 &&
			    code != 0xa2 && code != 0xa3 && code != 0xac) {
				assert_int_equal(back.len, len);
				assert_memory_equal(back.ptr, bytes, len);
			}
		}
		buf_done(&out);
		buf_done(&back);
	}
	assert_in_range(written, 7000, 9600);
}

static void what_it_lacks_is_counted(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(charset_encode_cp932(&out, SLICE("森 ? 〜")), 0);
	assert_int_equal(charset_encode_cp932(&out, SLICE("鷗😀\xff")), 3);
	buf_done(&out);
}

static void utf16_has_every_character(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	charset_encode_utf16le(&out, SLICE("a森😀"));
	assert_int_equal(out.len, 8);
	assert_memory_equal(out.ptr, "a\0\xee\x68\x3d\xd8\x00\xde", 8);
	buf_reset(&out);
	charset_encode_utf16le(&out, SLICE("\xff"));
	assert_memory_equal(out.ptr, "\xfd\xff", 2);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(japanese_becomes_what_windows_writes),
		cmocka_unit_test(what_can_be_written_reads_as_itself),
		cmocka_unit_test(what_it_lacks_is_counted),
		cmocka_unit_test(utf16_has_every_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
