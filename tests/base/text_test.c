#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

static void durations_have_units_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		u64 ms;
	} good[] = { { "0", 0 },	 { "30", 30000 },     { "250ms", 250 }, { "30s", 30000 },
		     { "5m", 300000 }, { "2h", 7200000 }, { "3d", 259200000 } };
	static const char *const bad[] = { "",	  "s",	 "-1", "1 s", "1w", "1.5h", "ms",
					   "1ms ", "0x1", "99999999999999999999", "213503982335d" };
	u64 ms;

	(void)state;
	for (size_t i = 0; i < array_count(good); i++) {
		assert_true(slice_to_duration_ms(slice_of(good[i].text), &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < array_count(bad); i++)
		assert_false(slice_to_duration_ms(slice_of(bad[i]), &ms));
}

static void numbers_end_at_their_maximum(void **state)
{
	u64 big;
	u32 small;

	(void)state;
	assert_true(slice_to_u64(SLICE("18446744073709551615"), &big));
	assert_true(big == UINT64_MAX);
	assert_false(slice_to_u64(SLICE("18446744073709551616"), &big));
	assert_true(slice_to_u32(SLICE("4294967295"), &small));
	assert_false(slice_to_u32(SLICE("4294967296"), &small));
	assert_false(slice_to_u64(SLICE("+1"), &big));
	assert_false(slice_to_u64(SLICE(" 1"), &big));
}

static void base64_and_base32_give_back_what_they_took(void **state)
{
	struct random random;
	u8 bytes[80];
	u8 back[80];
	char text[200];
	size_t len;

	(void)state;
	random_seed(&random, 7);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		for (size_t i = 0; i < n; i++)
			bytes[i] = (u8)random_u64(&random);
		assert_int_equal(base64_encode(text, bytes, n), base64_length(n));
		assert_true(base64_decode(back, sizeof(back), &len,
					  (struct slice){ text, base64_length(n) }));
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
		assert_int_equal(base32_encode(text, bytes, n), base32_length(n));
		assert_true(base32_decode(back, sizeof(back), &len,
					  (struct slice){ text, base32_length(n) }));
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
	}
}

static void base64_follows_the_examples_of_rfc_4648(void **state)
{
	static const char *const pairs[][2] = { { "", "" },	       { "f", "Zg==" },
						{ "fo", "Zm8=" },      { "foo", "Zm9v" },
						{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
						{ "foobar", "Zm9vYmFy" } };
	char text[16];

	(void)state;
	for (size_t i = 0; i < array_count(pairs); i++) {
		size_t n = base64_encode(text, pairs[i][0], strlen(pairs[i][0]));

		assert_int_equal(n, strlen(pairs[i][1]));
		assert_memory_equal(text, pairs[i][1], n);
	}
	assert_int_equal(base32_encode(text, "foobar", 6), 10);
	assert_memory_equal(text, "cpnmuoj1e8", 10);
}

static void what_is_not_base64_or_base32_is_refused(void **state)
{
	static const char *const bad64[] = { "Z", "Zg=", "Zg===", "Z===", "Zg==Zg", "Zm9v*", "=" };
	static const char *const bad32[] = { "c", "w", "cp=", "c1", "00000001w" };
	u8 back[32];
	size_t len;

	(void)state;
	for (size_t i = 0; i < array_count(bad64); i++)
		assert_false(base64_decode(back, sizeof(back), &len, slice_of(bad64[i])));
	for (size_t i = 0; i < array_count(bad32); i++)
		assert_false(base32_decode(back, sizeof(back), &len, slice_of(bad32[i])));
	assert_false(base64_decode(back, 2, &len, SLICE("Zm9v")));
}

static void splitting_gives_every_item_and_an_end(void **state)
{
	struct slice rest = SLICE("a,,b,");
	const char *const items[] = { "a", "", "b", "" };
	size_t n = 0;

	(void)state;
	while (rest.ptr) {
		struct slice item = slice_split(&rest, ',');

		assert_true(n < array_count(items));
		assert_true(slice_equal(item, slice_of(items[n])));
		n++;
	}
	assert_int_equal(n, array_count(items));
}

static void dates_are_written_as_mail_and_logs_want_them(void **state)
{
	char mail[CLOCK_RFC5322_SIZE];
	char log[CLOCK_RFC3339_SIZE];

	(void)state;
	clock_format_rfc5322(mail, 0);
	assert_string_equal(mail, "Thu, 01 Jan 1970 00:00:00 +0000");
	clock_format_rfc5322(mail, 951782400000); /* a leap day that centuries mostly lack */
	assert_string_equal(mail, "Tue, 29 Feb 2000 00:00:00 +0000");
	clock_format_rfc5322(mail, 2147483648000); /* one second behind 32 bits */
	assert_string_equal(mail, "Tue, 19 Jan 2038 03:14:08 +0000");
	clock_format_rfc5322(mail, 4294967296000);
	assert_string_equal(mail, "Sun, 07 Feb 2106 06:28:16 +0000");
	clock_format_rfc3339(log, 1795582252123);
	assert_string_equal(log, "2026-11-25T04:50:52.123Z");
}

static void a_buffer_at_its_maximum_fails_once_and_for_all_appends_behind(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	buf_add_text(&buf, "12345678");
	assert_false(buf.failed);
	buf_add_text(&buf, "abc");
	assert_true(buf.failed);
	buf_add_char(&buf, 'x');
	assert_int_equal(buf.len, 8);
	buf_reset(&buf);
	buf_add_u64(&buf, 1234567890);
	assert_false(buf.failed);
	assert_true(slice_equal(buf_slice(&buf), SLICE("1234567890")));
	buf_drop_front(&buf, 4);
	assert_string_equal(buf_text(&buf), "567890");
	buf_done(&buf);
}

static void random_numbers_stay_below_their_bound_and_repeat_by_seed(void **state)
{
	struct random a;
	struct random b;

	(void)state;
	random_seed(&a, 42);
	random_seed(&b, 42);
	for (int i = 0; i < 1000; i++) {
		u64 x = random_below(&a, 7);

		assert_true(x < 7);
		assert_int_equal(x, random_below(&b, 7));
	}
	assert_int_equal(random_below(&a, 1), 0);
}

static void atext_is_what_prints_but_the_specials(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool special = c != 0 && strchr("()<>[]:;@\\,.\"", c);

		assert_int_equal(ascii_is_atext((char)c), c > ' ' && c < 0x7f && !special);
	}
}

static void hex_gives_back_what_it_took_and_nothing_else(void **state)
{
	u8 bytes[3];
	char text[6];

	(void)state;
	hex_encode(text, "\x00\xa9\xff", 3);
	assert_memory_equal(text, "00a9ff", 6);
	assert_true(hex_decode(bytes, 3, SLICE("00a9ff")));
	assert_memory_equal(bytes, "\x00\xa9\xff", 3);
	assert_false(hex_decode(bytes, 3, SLICE("00A9ff")));
	assert_false(hex_decode(bytes, 3, SLICE("00a9f")));
	assert_false(hex_decode(bytes, 3, SLICE("00a9fg")));
	assert_int_equal(ascii_hex_value('F'), 15);
	assert_int_equal(ascii_hex_value('g'), -1);
}

static void slices_have_one_order(void **state)
{
	const struct slice a = SLICE("ab");
	const struct slice b = SLICE("abc");
	const struct slice c = SLICE("b");

	(void)state;
	assert_true(slice_order(&a, &b) < 0 && slice_order(&b, &a) > 0);
	assert_true(slice_order(&b, &c) < 0);
	assert_int_equal(slice_order(&a, &a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_units_and_nothing_else),
		cmocka_unit_test(numbers_end_at_their_maximum),
		cmocka_unit_test(base64_and_base32_give_back_what_they_took),
		cmocka_unit_test(base64_follows_the_examples_of_rfc_4648),
		cmocka_unit_test(what_is_not_base64_or_base32_is_refused),
		cmocka_unit_test(hex_gives_back_what_it_took_and_nothing_else),
		cmocka_unit_test(slices_have_one_order),
		cmocka_unit_test(atext_is_what_prints_but_the_specials),
		cmocka_unit_test(splitting_gives_every_item_and_an_end),
		cmocka_unit_test(dates_are_written_as_mail_and_logs_want_them),
		cmocka_unit_test(a_buffer_at_its_maximum_fails_once_and_for_all_appends_behind),
		cmocka_unit_test(random_numbers_stay_below_their_bound_and_repeat_by_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
