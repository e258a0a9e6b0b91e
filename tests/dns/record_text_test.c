/* Records as text: what they hold, and nothing that a terminal would take for something else. */
#include "base/text.h"
#include "dns/question.h"
#include "dns/record_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf text;

static const char *text_of(u16 type, const char *bytes, size_t len)
{
	buf_done(&text);
	buf_init(&text, 65536);
	record_text(&text, type, (const u8 *)bytes, len);
	return buf_text(&text);
}

#define TEXT(type, literal) text_of(type, literal, sizeof(literal) - 1)

static void test_records_read_as_zone_files_write_them(void **state)
{
	(void)state;
	assert_string_equal(TEXT(RECORD_A, "\xc0\x00\x02\x0a"), "192.0.2.10");
	assert_string_equal(TEXT(RECORD_AAAA, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x10"),
			    "2001:db8::10");
	assert_string_equal(TEXT(RECORD_MX, "\0\x0a\4mail\7example\2jp\0"), "10 mail.example.jp.");
	assert_string_equal(TEXT(RECORD_MX, "\0\0\0"), "0 .");
	assert_string_equal(TEXT(RECORD_TXT, "\3a b\2\"\\"), "\"a b\" \"\\\"\\\\\"");
	assert_string_equal(TEXT(RECORD_SOA, "\2ns\0\1h\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"),
			    "ns. h. 1 2 3 4 5");
	assert_string_equal(TEXT(RECORD_CAA, "\0\5issueca.example"), "0 issue \"ca.example\"");
	assert_string_equal(TEXT(RECORD_TLSA, "\3\1\1\xab\xcd"), "3 1 1 abcd");
	assert_string_equal(TEXT(RECORD_SRV, "\0\1\0\2\0\x19\1x\0"), "1 2 25 x.");
}

static void test_what_is_malformed_or_not_known_comes_as_hex(void **state)
{
	(void)state;
	assert_string_equal(TEXT(RECORD_A, "\1\2\3"), "\\# 3 010203");
	assert_string_equal(TEXT(RECORD_MX, "\0\x0a\4mai"), "\\# 6 000a046d6169");
	assert_string_equal(TEXT(RECORD_MX, "\0"), "\\# 1 00");
	assert_string_equal(TEXT(RECORD_TXT, "\5ab"), "\\# 3 056162");
	assert_string_equal(TEXT(RECORD_NS, "\1a\0more"), "\\# 7 0161006d6f7265");
	assert_string_equal(TEXT(999, "\1"), "\\# 1 01");
	assert_string_equal(TEXT(RECORD_TXT, ""), "\\# 0 ");
}

static void test_control_bytes_never_reach_the_terminal(void **state)
{
	(void)state;
	assert_string_equal(TEXT(RECORD_TXT, "\4\x1b[2J"), "\"\\027[2J\"");
	assert_string_equal(TEXT(RECORD_NS, "\3a.\x1b\0"), "a\\.\\027.");
	assert_string_equal(TEXT(RECORD_TXT, "\2\xc2\x9b"), "\"\\194\\155\"");
}

static void test_strings_of_a_txt_are_one_value(void **state)
{
	(void)state;
	buf_reset(&text);
	assert_true(record_txt_value(&text, (const u8 *)"\3v=s\4pf1 ", 9));
	assert_string_equal(buf_text(&text), "v=spf1 ");
	assert_false(record_txt_value(&text, (const u8 *)"\3v", 2));
}

static void test_addresses_turn_round_for_their_names(void **state)
{
	struct net_address address;
	char name[QUESTION_REVERSE_SIZE];

	(void)state;
	assert_true(net_address_parse(&address, SLICE("192.0.2.10"), false));
	question_reverse(name, &address);
	assert_string_equal(name, "10.2.0.192.in-addr.arpa");
	assert_true(net_address_parse(&address, SLICE("2001:db8::10"), false));
	question_reverse(name, &address);
	assert_string_equal(name, "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
				  "8.b.d.0.1.0.0.2.ip6.arpa");
}

static void test_types_have_names(void **state)
{
	(void)state;
	assert_int_equal(record_type_of(SLICE("mx")), RECORD_MX);
	assert_int_equal(record_type_of(SLICE("bogus")), 0);
	for (size_t i = 0; record_type_names[i]; i++)
		assert_string_equal(record_type_name(record_type_of(slice_of(record_type_names[i]))),
				    record_type_names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_read_as_zone_files_write_them),
		cmocka_unit_test(test_what_is_malformed_or_not_known_comes_as_hex),
		cmocka_unit_test(test_control_bytes_never_reach_the_terminal),
		cmocka_unit_test(test_strings_of_a_txt_are_one_value),
		cmocka_unit_test(test_addresses_turn_round_for_their_names),
		cmocka_unit_test(test_types_have_names),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_done(&text);
	return failed;
}
