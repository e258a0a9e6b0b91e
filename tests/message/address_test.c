/* Addresses: what is accepted, what is refused and why, both output forms. */
#include "message/fixture.h"

static void check_wire(const char *text, const char *wire, const char *key, bool odd)
{
	struct address address;
	struct error error = { 0 };
	struct buf out;

	buf_init(&out, 1024);
	if (!address_parse(&address, slice_of(text), &error))
		fail_msg("%s", error.text);
	address_add_wire(&address, &out);
	assert_string_equal(buf_text(&out), wire);
	assert_true(out.len <= ADDRESS_WIRE_MAX);
	buf_reset(&out);
	address_add_key(&address, &out);
	assert_string_equal(buf_text(&out), key);
	assert_int_equal(address.not_dot_atom, odd);
	buf_done(&out);
}

static void ordinary_addresses_keep_their_local_part_and_lower_their_domain(void **state)
{
	(void)state;
	check_wire(" Taro.Yamada+x@Example.CO.JP\t", "Taro.Yamada+x@example.co.jp",
		   "taro.yamada+x@example.co.jp", false);
	check_wire("\"plain\"@example.jp", "plain@example.jp", "plain@example.jp", false);
	check_wire("\"a b\\\"c\"@example.jp", "\"a b\\\"c\"@example.jp", "a b\"c@example.jp", true);
	check_wire("\"a@b\"@example.jp", "\"a@b\"@example.jp", "a@b@example.jp", true);
	check_wire("o'neil!#$%&*-/=?^_`{|}~@x-1.example", "o'neil!#$%&*-/=?^_`{|}~@x-1.example",
		   "o'neil!#$%&*-/=?^_`{|}~@x-1.example", false);
}

/* P13 */
static void carrier_addresses_with_odd_dots_are_sent_quoted_and_equal_quoted_twins(void **state)
{
	(void)state;
	check_wire("a..b@docomo.example", "\"a..b\"@docomo.example", "a..b@docomo.example", true);
	check_wire("\"a..b\"@docomo.example", "\"a..b\"@docomo.example", "a..b@docomo.example",
		   true);
	check_wire("ab.@docomo.example", "\"ab.\"@docomo.example", "ab.@docomo.example", true);
	check_wire(".ab@au.example", "\".ab\"@au.example", ".ab@au.example", true);
}

static void international_names_become_a_labels(void **state)
{
	struct address address;
	struct error error;

	(void)state;
	check_wire("a@\xe4\xbe\x8b\xe3\x81\x88.jp", "a@xn--r8jz45g.jp", "a@xn--r8jz45g.jp", false);
	/* Full-width letters and the ideographic full stop, as Japanese keyboards write them. */
	check_wire("a@\xef\xbd\x85xample\xe3\x80\x82jp", "a@example.jp", "a@example.jp", false);
	assert_true(address_parse(&address, SLICE("\xe5\xa4\xaa\xe9\x83\x8e@example.jp"), &error));
	assert_true(address.utf8_local);
	assert_true(address_parse(&address, SLICE("a@example.jp"), &error));
	assert_false(address.utf8_local);
}

static void what_is_no_address_is_refused_with_the_reason(void **state)
{
	static const struct {
		struct slice text;
		const char *why;
	} cases[] = {
		{ SLICE(""), "it is empty" },
		{ SLICE("  "), "it is empty" },
		{ SLICE("a"), "there is no @" },
		{ SLICE("@example.jp"), "the local part is empty" },
		{ SLICE("\"\"@example.jp"), "the local part is empty" },
		{ SLICE("\"a@example.jp"), "the quoted local part has no end" },
		{ SLICE("a@"), "the domain is empty" },
		{ SLICE("a@jp"), "the domain has only one label" },
		{ SLICE("a@[192.0.2.1]"), "address literals are not accepted" },
		{ SLICE("a@192.0.2.1"), "the domain ends with a number" },
		{ SLICE("a@x..jp"), "a label of the domain is empty" },
		{ SLICE("a@x.jp."), "a label of the domain is empty" },
		{ SLICE("a@-x.jp"), "begins or ends with a hyphen" },
		{ SLICE("a@x-.jp"), "begins or ends with a hyphen" },
		{ SLICE("a@x_y.jp"), "a character that names cannot have" },
		{ SLICE("a@b@c.jp"), "a character that names cannot have" },
		{ SLICE("a b@x.jp"), "needs quotes" },
		{ SLICE("<a@x.jp>"), "needs quotes" },
		{ SLICE("a,b@x.jp"), "needs quotes" },
		{ SLICE("a\r\n@x.jp"), "it holds a line end" },
		{ SLICE("a@x.jp\r\nRCPT TO:<b@x.jp>"), "it holds a line end" },
		{ SLICE("\"a\rb\"@x.jp"), "it holds a line end" },
		{ SLICE("a\0b@x.jp"), "it holds a control character" },
		{ SLICE("a@x.jp\0"), "it holds a control character" },
		{ SLICE("a\x7f@x.jp"), "it holds a control character" },
		{ SLICE("a\xff@x.jp"), "it is not valid UTF-8" },
		{ SLICE("a@\xe3\x80\x82.jp"), "address" },
	};
	struct address address;
	struct error error;

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		assert_false(address_parse(&address, cases[i].text, &error));
		if (!strstr(error.text, cases[i].why))
			fail_msg("\"%s\" does not say \"%s\"", error.text, cases[i].why);
	}
}

static void parts_may_be_as_long_as_the_standard_says_and_no_longer(void **state)
{
	char text[600];
	struct address address;
	struct error error;

	(void)state;
	for (size_t len = 60; len < 70; len++) {
		memset(text, 'a', len);
		memcpy(text + len, "@example.jp", 11);
		assert_int_equal(address_parse(&address, (struct slice){ text, len + 11 }, &error),
				 len <= ADDRESS_LOCAL_MAX);
		memcpy(text, "a@", 2);
		memset(text + 2, 'd', len);
		memcpy(text + 2 + len, ".jp", 3);
		assert_int_equal(address_parse(&address, (struct slice){ text, len + 5 }, &error),
				 len <= 63);
	}
	for (size_t len = 240; len < 260; len++) {
		memcpy(text, "a@", 2);
		for (size_t i = 0; i < len; i++)
			text[2 + i] = i % 50 == 49 && i + 1 < len ? '.' : 'd';
		assert_int_equal(address_parse(&address, (struct slice){ text, len + 2 }, &error),
				 len <= ADDRESS_DOMAIN_MAX);
	}
}

static void mailboxes_give_name_and_address(void **state)
{
	static const struct {
		const char *text;
		const char *name;
	} cases[] = { { "Taro Y <a@x.jp>", "Taro Y" },
		      { "\"Y, \\\"T\\\"\" <a@x.jp>", "Y, \"T\"" },
		      { "<a@x.jp>", "" },
		      { "a@x.jp", "" },
		      { "\"<b@y.jp>\" <a@x.jp>", "<b@y.jp>" },
		      { "\xe9\xa3\x9b\xe8\x84\x9a<a@x.jp>", "\xe9\xa3\x9b\xe8\x84\x9a" } };
	static const char *const bad[] = { "T <a@x.jp",      "T <a@x.jp> x",
					   "T <>",           "<",
					   "T <a@x.jp\r\n>", "T\r\nX: y <a@x.jp>",
					   "\xff <a@x.jp>" };
	struct address address;
	struct error error;
	struct buf name;

	(void)state;
	buf_init(&name, 1024);
	for (size_t i = 0; i < array_count(cases); i++) {
		buf_reset(&name);
		assert_true(
			address_parse_mailbox(&address, &name, slice_of(cases[i].text), &error));
		assert_string_equal(buf_text(&name), cases[i].name);
		assert_string_equal(address.domain, "x.jp");
	}
	for (size_t i = 0; i < array_count(bad); i++)
		assert_false(address_parse_mailbox(&address, NULL, slice_of(bad[i]), &error));
	buf_done(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_addresses_keep_their_local_part_and_lower_their_domain),
		cmocka_unit_test(
			carrier_addresses_with_odd_dots_are_sent_quoted_and_equal_quoted_twins),
		cmocka_unit_test(international_names_become_a_labels),
		cmocka_unit_test(what_is_no_address_is_refused_with_the_reason),
		cmocka_unit_test(parts_may_be_as_long_as_the_standard_says_and_no_longer),
		cmocka_unit_test(mailboxes_give_name_and_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
