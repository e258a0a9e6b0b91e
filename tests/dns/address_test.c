/* Addresses as text, ranges, and where mail must never go. */
#include "base/text.h"
#include "dns/mx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct net_address address_of(const char *text)
{
	struct net_address address;

	if (!net_address_parse(&address, slice_of(text), true))
		fail_msg("not an address: %s", text);
	return address;
}

static void addresses_are_read_and_written_in_one_spelling(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "::", "::" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		char text[NET_ADDRESS_TEXT_SIZE];
		struct net_address address;

		assert_true(net_address_parse(&address, slice_of(rows[i][0]), false));
		assert_int_equal(address.port, 0);
		net_address_format(text, &address, false);
		assert_string_equal(text, rows[i][1]);
	}
}

static void ports_are_read_only_where_they_are_wanted(void **state)
{
	static const char *const texts[] = { "192.0.2.1:25", "[2001:db8::1]:65535", "127.0.0.1:1" };
	char text[NET_ADDRESS_TEXT_SIZE];
	struct net_address address;

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++) {
		assert_true(net_address_parse(&address, slice_of(texts[i]), true));
		net_address_format(text, &address, true);
		assert_string_equal(text, texts[i]);
		assert_false(net_address_parse(&address, slice_of(texts[i]), false));
	}
	address = address_of("[2001:db8::1]:25");
	assert_int_equal(address.family, 6);
	assert_int_equal(address.port, 25);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"01.2.3.4",
		"0x7f.0.0.1",
		"127.1",
		" 1.2.3.4",
		"1.2.3.4 ",
		"1.2.3.4:",
		"1.2.3.4:0",
		"1.2.3.4:65536",
		"1.2.3.4:+25",
		"1.2.3.4:25x",
		"[1.2.3.4]:25",
		"[::1]",
		"[::1]25",
		"[::1]:",
		"[::1",
		"::1]:25",
		"::1::",
		":::",
		"fe80::1%lo",
		"1:2:3:4:5:6:7:8:9",
		"12345::",
		"localhost",
		"::ffff:1.2.3.4:25",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
	};
	struct net_address address;

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++) {
		if (net_address_parse(&address, slice_of(texts[i]), true))
			fail_msg("read: %s", texts[i]);
	}
	assert_false(net_address_parse(&address, (struct slice){ "1.2.3.4\0", 8 }, true));
	assert_false(net_address_parse(&address, SLICE_NONE, true));
}

static void equality_looks_at_ports_and_same_host_does_not(void **state)
{
	struct net_address a = address_of("192.0.2.1:25");
	struct net_address b = address_of("192.0.2.1:26");
	struct net_address mapped = address_of("::ffff:192.0.2.1");
	struct net_address other = address_of("192.0.2.2:25");

	(void)state;
	assert_true(net_address_equal(&a, &a));
	assert_false(net_address_equal(&a, &b));
	assert_true(net_address_same_host(&a, &b));
	assert_false(net_address_equal(&a, &mapped));
	assert_true(net_address_same_host(&a, &mapped));
	assert_true(net_address_same_host(&mapped, &b));
	assert_false(net_address_same_host(&a, &other));
}

static void ranges_hold_their_first_and_last_address_and_no_other(void **state)
{
	static const struct {
		const char *range, *first, *last, *before, *behind;
	} rows[] = {
		{ "10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0" },
		{ "172.16.0.0/12", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0" },
		{ "192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.6", "192.0.2.8" },
		{ "192.0.2.6/31", "192.0.2.6", "192.0.2.7", "192.0.2.5", "192.0.2.8" },
		{ "fe80::/10", "fe80::", "febf:ffff::ffff", "fe7f:ffff::", "fec0::" },
		{ "2001:db8::1", "2001:db8::1", "2001:db8::1", "2001:db8::", "2001:db8::2" },
		{ "0.0.0.0/0", "0.0.0.0", "255.255.255.255", "::", "::1" },
		{ "::/0", "::", "ffff::", "0.0.0.0", "10.0.0.1" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct net_address first = address_of(rows[i].first);
		struct net_address last = address_of(rows[i].last);
		struct net_address before = address_of(rows[i].before);
		struct net_address behind = address_of(rows[i].behind);
		struct net_range range;

		assert_true(net_range_parse(&range, slice_of(rows[i].range)));
		assert_true(net_range_has(&range, &first));
		assert_true(net_range_has(&range, &last));
		assert_false(net_range_has(&range, &before));
		assert_false(net_range_has(&range, &behind));
	}
}

static void what_is_no_range_is_refused(void **state)
{
	static const char *const texts[] = {
		"",	  "/8",		 "10.0.0.0/",	 "10.0.0.0/33",	  "10.0.0.1/8",
		"::/129", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/0008", "x/8"
	};
	struct net_range range;

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++) {
		if (net_range_parse(&range, slice_of(texts[i])))
			fail_msg("read: %s", texts[i]);
	}
}

static const char *const special[] = {
	/* IPv4, both ends of each range */
	"0.0.0.0",
	"0.255.255.255",
	"10.0.0.0",
	"10.0.0.5",
	"10.255.255.255",
	"100.64.0.0",
	"100.64.0.1",
	"100.127.255.255",
	"127.0.0.1",
	"127.255.255.255",
	"169.254.0.0",
	"169.254.169.254",
	"169.254.255.255",
	"172.16.0.0",
	"172.31.255.255",
	"192.0.0.0",
	"192.0.0.170",
	"192.0.0.255",
	"192.0.2.0",
	"192.0.2.255",
	"192.88.99.1",
	"192.168.0.0",
	"192.168.1.1",
	"192.168.255.255",
	"198.18.0.0",
	"198.19.255.255",
	"198.51.100.1",
	"203.0.113.255",
	"224.0.0.0",
	"224.0.0.1",
	"239.255.255.255",
	"240.0.0.0",
	"255.255.255.254",
	"255.255.255.255",
	/* IPv6 */
	"::",
	"::1",
	"::7f00:1",
	"::ffff:127.0.0.1",
	"::ffff:0.0.0.0",
	"::ffff:10.0.0.5",
	"::ffff:169.254.169.254",
	"::ffff:192.168.1.1",
	"::ffff:8.8.8.8",
	"::ffff:0:127.0.0.1",
	"64:ff9b::7f00:1",
	"64:ff9b::10.0.0.1",
	"64:ff9b::169.254.169.254",
	"64:ff9b::0.0.0.0",
	"64:ff9b:1::8.8.8.8",
	"100::1",
	"2001::1",
	"2001:0:4136:e378::1",
	"2001:2::1",
	"2001:10::1",
	"2001:20::1",
	"2001:1ff:ffff::",
	"2001:db8::1",
	"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
	"2002:7f00:1::1",
	"2002:a00:1::1",
	"2002:c0a8:101::1",
	"3fff::1",
	"3fff:fff::1",
	"5f00::1",
	"4000::1",
	"1fff:ffff::1",
	"fc00::1",
	"fd00::1",
	"fdff:ffff::1",
	"fe80::1",
	"febf::1",
	"fec0::1",
	"ff00::",
	"ff02::1",
	"ff0e::1",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};
static const char *const ordinary[] = {
	"1.0.0.0",	   "1.1.1.1",	   "9.255.255.255",   "11.0.0.0",
	"100.63.255.255",  "100.128.0.0",  "126.255.255.255", "128.0.0.0",
	"169.253.255.255", "169.255.0.0",  "172.15.255.255",  "172.32.0.0",
	"192.0.1.0",	   "192.0.3.0",	   "192.88.98.255",   "192.88.100.0",
	"192.167.255.255", "192.169.0.0",  "198.17.255.255",  "198.20.0.0",
	"198.51.99.255",   "198.51.101.0", "203.0.112.255",   "203.0.114.0",
	"223.255.255.255", "2000::1",	   "2001:200::1",     "2001:4860:4860::8888",
	"2001:db7::1",	   "2001:db9::1",  "2400:cb00::1",    "2a00:1450::1b",
	"2002:808:808::1", "3ffe:ffff::1", "3fff:1000::1",    "64:ff9b::8.8.8.8",
};

static void special_addresses_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_count(special); i++) {
		struct net_address address = address_of(special[i]);

		if (!net_address_is_special(&address))
			fail_msg("passes for ordinary: %s", special[i]);
	}
	for (size_t i = 0; i < array_count(ordinary); i++) {
		struct net_address address = address_of(ordinary[i]);

		if (net_address_is_special(&address))
			fail_msg("passes for special: %s", ordinary[i]);
	}
}

static void an_address_of_no_family_is_special(void **state)
{
	struct net_address address = { .family = 0 };

	(void)state;
	assert_true(net_address_is_special(&address));
}

static void a_prefix_is_an_address_and_the_length_of_its_network(void **state)
{
	static const char *const wrong[] = { "192.0.2.1", "192.0.2.1/", "192.0.2.1/33", "/24",
					     "192.0.2.1/-1", "2001:db8::1/129", "192.0.2.1/0024" };
	char text[NET_PREFIX_TEXT_SIZE];
	struct net_prefix prefix;
	struct net_address other;

	(void)state;
	assert_true(net_prefix_parse(&prefix, SLICE("192.0.2.130/25")));
	net_prefix_format(text, &prefix);
	assert_string_equal(text, "192.0.2.130/25");
	assert_true(net_address_parse(&other, SLICE("192.0.2.255"), false));
	assert_true(net_prefix_has(&prefix, &other));
	assert_true(net_address_parse(&other, SLICE("192.0.2.127"), false));
	assert_false(net_prefix_has(&prefix, &other));
	assert_true(net_address_parse(&other, SLICE("2001:db8::1"), false));
	assert_false(net_prefix_has(&prefix, &other));
	assert_true(net_prefix_parse(&prefix, SLICE("2001:db8::5/128")));
	assert_false(net_prefix_has(&prefix, &other));
	for (size_t i = 0; i < array_count(wrong); i++)
		assert_false(net_prefix_parse(&prefix, slice_of(wrong[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written_in_one_spelling),
		cmocka_unit_test(ports_are_read_only_where_they_are_wanted),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(equality_looks_at_ports_and_same_host_does_not),
		cmocka_unit_test(ranges_hold_their_first_and_last_address_and_no_other),
		cmocka_unit_test(what_is_no_range_is_refused),
		cmocka_unit_test(a_prefix_is_an_address_and_the_length_of_its_network),
		cmocka_unit_test(special_addresses_are_known),
		cmocka_unit_test(an_address_of_no_family_is_special),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
